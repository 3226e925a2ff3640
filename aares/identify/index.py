"""An index of recordings that can be asked which of them an excerpt comes from.

Used by notebook 04 and by ``python3 run.py index`` and ``identify``.

Conventions
-----------
Recordings lie on an axis of time in frames (32 ms), one for each part: they begin at multiples of
32 frames and are followed by a silence as long as the longest query, so that a place tells the
recording and the offset at once. An index is made of parts: adding makes one, see
:mod:`.compaction` for how they become few again, :mod:`.store` for how they lie on the disk.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from itertools import count
from pathlib import Path

import numpy as np

from aares.errors import IndexFileError
from aares.identify import search
from aares.identify.answer import THRESHOLD, Answer, Ranking
from aares.identify.catalogue import Part, Prints, Settings, fingerprint, make_part
from aares.identify.compaction import compact
from aares.identify.ingest import OnError, OnNote, fingerprint_files, keep_readable, name_file
from aares.identify.lock import locked
from aares.identify.query import Query, read_signal
from aares.identify.roll import Recording, Source
from aares.identify.segment import Segment
from aares.identify.store import (
    MANIFEST,
    Manifest,
    open_parts,
    read_manifest,
    refuse_foreign,
    write_state,
)


class Index:
    """Recordings that can be asked which of them an excerpt comes from.

    Parameters
    ----------
    settings : Settings, optional

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> songs = {name: rng.standard_normal(80_000) for name in ("a", "b")}
    >>> index = Index.from_signals(songs)
    >>> answer = index.identify(songs["b"][24_000:64_000], 8000)
    >>> answer.match.song, round(answer.match.offset_s, 1), answer.p_false < 1e-6
    ('b', 3.0, True)
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     len(Index.open(index.save(f"{folder}/music.index")))
    2
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self._parts: list[Part] = []
        self._rows: dict[str, tuple[int, int]] | None = None  # part and row by name
        self._home: tuple[Path, Manifest] | None = None  # the state that was opened or saved last
        self._is_writing = False

    # --- making and changing ----------------------------------------------------------------

    @classmethod
    def build(
        cls,
        paths: Iterable[str | Path],
        *,
        n_jobs: int = 2,
    ) -> Index:
        """Index audio files.

        Parameters
        ----------
        paths : iterable of str or Path
            Names in the index are the file names; they must differ.
        n_jobs : int
            Files at a time.

        Returns
        -------
        Index

        Raises
        ------
        AudioError
            A file cannot be read, and there is no `on_error`.
        ValueError
            Two files of one name.
        """
        index = cls()
        index.append(paths, n_jobs=n_jobs)
        return index

    @classmethod
    def from_signals(cls, signals: Mapping[str, np.ndarray]) -> Index:
        """Index signals that are in memory.

        Parameters
        ----------
        signals : mapping of str to ndarray of float, shape (n,)
            Mono at 8 kHz, by name.

        Returns
        -------
        Index
        """
        index = cls()
        index.add(signals)
        return index

    def add(self, signals: Mapping[str, np.ndarray]) -> None:
        """Add signals that are in memory; what is indexed already is not touched.

        Parameters
        ----------
        signals : mapping of str to ndarray of float, shape (n,)
            Mono at 8 kHz, by name.

        Raises
        ------
        ValueError
            A name is in the index already, or a signal is none; nothing was added then.

        Examples
        --------
        >>> index = Index()
        >>> index.add({"hiss": np.random.default_rng(0).standard_normal(80_000)})
        >>> index.recordings
        [Recording(name='hiss', n_blocks=10, seconds=10.0)]
        """
        self._check_names(list(signals))
        self._add(fingerprint(name, read_signal(y), self.settings) for name, y in signals.items())

    def append(
        self,
        paths: Iterable[str | Path],
        *,
        root: str | Path | None = None,
        n_jobs: int = 2,
        on_error: OnError | None = None,
        on_note: OnNote | None = None,
    ) -> None:
        """Add audio files; what is indexed already keeps its name and place.

        Parameters
        ----------
        paths : iterable of str or Path
        root : str or Path, optional
            Folder of all these files: their names in the index are then the paths below it.
        n_jobs : int
        on_error : callable, optional
            Called with the path and the error of a file that cannot be read; without it, it is
            raised.
        on_note : callable, optional
            Called with the path and a sentence about a file of which something is missing.

        Raises
        ------
        AudioError, ValueError
            As for `build`; nothing was added then.
        """
        files = [Path(path) for path in paths]
        names = [name_file(path, root) for path in files]
        self._check_names(names)
        results = fingerprint_files(files, names, self.settings, n_jobs=n_jobs)
        self._add(keep_readable(zip(files, results, strict=True), on_error, on_note))

    def _add(self, prints: Iterable[Prints]) -> None:
        added = list(prints)
        self._check_names([one.recording.name for one in added])
        if added:
            self._set_parts([*self._parts, make_part(added, 0)])

    def _set_parts(self, parts: Sequence[Part]) -> None:
        self._parts = compact(parts)
        self._rows = None

    def _find_rows(self) -> dict[str, tuple[int, int]]:
        """Return the part and the row of each recording by its name."""
        if self._rows is None:
            self._rows = {
                part.recordings[row].name: (number, row)
                for number, part in enumerate(self._parts)
                for row in part.list_present()
            }
        return self._rows

    def _check_names(self, names: Sequence[str]) -> None:
        known, seen = self._find_rows(), set[str]()
        for name in names:
            if name in known or name in seen:
                raise ValueError(f"two recordings are called {name!r}: names must differ")
            seen.add(name)

    def remove(self, names: Iterable[str]) -> None:
        """Take recordings out: they are never answered again.

        Parameters
        ----------
        names : iterable of str

        Raises
        ------
        ValueError
            A name is not in the index; nothing was removed then.

        Examples
        --------
        >>> index = Index.from_signals({name: np.ones(8000) for name in "ab"})
        >>> index.remove(["a"])
        >>> [recording.name for recording in index.recordings]
        ['b']
        """
        self.change({name: None for name in names})

    def change(self, changes: Mapping[str, tuple[str, Source | None] | None]) -> None:
        """Give recordings another name and file, or take them out.

        Parameters
        ----------
        changes : mapping of str to (str, Source or None) or None
            New name and file by the name until now; None takes the recording out.

        Raises
        ------
        ValueError
            A name is not in the index, or two recordings would have one name; nothing was changed.

        Examples
        --------
        >>> index = Index.from_signals({name: np.ones(8000) for name in "ab"})
        >>> index.change({"a": ("b", None), "b": ("a", None)})
        >>> [recording.name for recording in index.recordings]
        ['b', 'a']
        """
        rows = self._find_rows()
        for name in changes:
            if name not in rows:
                raise ValueError(f"no recording of the index is called {name!r}")
        left = [name for name in rows if name not in changes]
        names = left + [new[0] for new in changes.values() if new]
        if len(set(names)) < len(names):
            twice = next(name for k, name in enumerate(names) if name in names[:k])
            raise ValueError(f"two recordings would be called {twice!r}: names must differ")
        parts = list(self._parts)
        for number, part in enumerate(parts):
            mine = {rows[name][1]: new for name, new in changes.items() if rows[name][0] == number}
            if mine:
                renamed = {row: new for row, new in mine.items() if new}
                removed = [row for row, new in mine.items() if not new]
                roll = part.recordings.change(removed=removed, renamed=renamed)
                parts[number] = part.replace_roll(roll)
        self._set_parts(parts)

    def merge(self, other: Index, *, name: str = "merged") -> list[str]:
        """Take up the recordings of another index.

        Parameters
        ----------
        other : Index
        name : str
            Of the other: a recording that is called as another one of this index gets it in front.

        Returns
        -------
        list of str
            Recordings that were passed over: this index has the same under the same name.

        Raises
        ------
        ValueError
            The other keeps more or less of each recording.
        IndexFileError
            The other is damaged.

        Examples
        --------
        >>> hiss = np.random.default_rng(0).standard_normal((2, 8000))
        >>> one, two = (Index.from_signals({"a": y}) for y in hiss)
        >>> one.merge(two, name="two"), [recording.name for recording in one.recordings]
        ([], ['a', 'two/a'])
        >>> one.merge(two, name="two"), len(one)
        (['a'], 2)
        """
        if other.settings != self.settings:
            raise ValueError(f"expected an index of {self.settings}, found {other.settings}")
        rows = self._find_rows()
        taken, passed, parts = set(rows), [], []
        for part in other._parts:
            part.check_all()
            renamed, dropped = {}, []
            for row in part.list_present():
                old = part.recordings[row].name
                if any(self._is_same(n, part, row) for n in (old, f"{name}/{old}") if n in rows):
                    dropped.append(row)
                    passed.append(old)
                    continue
                new = choose_name([old, f"{name}/{old}"], taken)
                taken.add(new)
                if new != old:
                    renamed[row] = new, part.recordings.get_source(row)
            if len(dropped) < len(part):
                roll = part.recordings.change(removed=dropped, renamed=renamed)
                parts.append(part.replace_roll(roll))
        self._set_parts([*self._parts, *parts])
        return passed

    def _is_same(self, name: str, part: Part, row: int) -> bool:
        number, own_row = self._find_rows()[name]
        own = self._parts[number]
        sources = own.recordings.get_source(own_row), part.recordings.get_source(row)
        if sources[0] and sources[1]:
            return sources[0].digest == sources[1].digest
        one, two = own.read_peaks(own_row), part.read_peaks(row)
        return np.array_equal(one[0], two[0]) and np.array_equal(one[1], two[1])

    # --- files ------------------------------------------------------------------------------

    def save(self, file: str | Path, *, wait_s: float = 0.0) -> Path:
        """Write the index in one step: whoever opens it finds the old index or this one.

        Of an index that was opened from there, only what is new is written.

        Parameters
        ----------
        file : str or Path
            A folder, which is made where it is missing.
        wait_s : float
            How long to wait for another writer.

        Returns
        -------
        Path

        Raises
        ------
        IndexBusyError
            Another process is writing to it.
        IndexFileError
            Another process changed it since it was opened, or there is a file that is no index.
        OSError
            The disk is full, or the folder cannot be written to; the older index is still there.
        """
        path = Path(file)
        refuse_foreign(path)
        with nullcontext() if self._is_writing else locked(path, wait_s=wait_s):
            before = find_manifest(path)
            if self._home and self._home[0] == path.resolve() and before != self._home[1]:
                raise IndexFileError(
                    f"{path.name}: another process changed it since it was opened; open it again, "
                    "or change it with Index.edit"
                )
            write_state(path, self.settings, self._parts, before)
            manifest, self._parts = open_parts(path)
        self._home = path.resolve(), manifest
        return path

    @classmethod
    def open(cls, file: str | Path) -> Index:
        """Open an index; its arrays stay on the disk, and are checked where they are used.

        Parameters
        ----------
        file : str or Path

        Returns
        -------
        Index
            As it is now, whatever others write later.

        Raises
        ------
        IndexFileError
            The index is missing, foreign, of another version, cut off or damaged.
        """
        path = Path(file)
        manifest, parts = open_parts(path)
        index = cls(manifest.settings)
        index._parts, index._home = parts, (path.resolve(), manifest)
        return index

    @classmethod
    @contextmanager
    def edit(cls, file: str | Path, *, wait_s: float = 0.0) -> Iterator[Index]:
        """Open an index, or begin one, as the only one who writes to it.

        What was saved inside stays, whatever happens then.

        Parameters
        ----------
        file : str or Path
        wait_s : float
            How long to wait for another writer.

        Yields
        ------
        Index

        Raises
        ------
        IndexBusyError
            Another process is writing to it.
        IndexFileError
            As for `open`.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     with Index.edit(f"{folder}/music.index") as index:
        ...         index.add({"hiss": np.random.default_rng(0).standard_normal(80_000)})
        ...         _ = index.save(f"{folder}/music.index")
        ...     len(Index.open(f"{folder}/music.index"))
        1
        """
        path = Path(file)
        refuse_foreign(path)
        with locked(path, wait_s=wait_s):
            index = cls.open(path) if find_manifest(path) else cls()
            index._is_writing = True
            if index._home is None:
                index.save(path)
            try:
                yield index
            finally:
                index._is_writing = False

    def verify(self) -> None:
        """Check all of an index on the disk, which else is checked where it is used.

        Raises
        ------
        IndexFileError
            Something is damaged, or contradicts itself.

        Examples
        --------
        >>> Index.from_signals({"a": np.ones(8000)}).verify()
        """
        names = set[str]()
        for part in self._parts:
            part.check_all()
            for row in part.list_present():
                name = part.recordings[row].name
                if name in names:
                    raise IndexFileError(f"contradicts itself, two recordings are called {name!r}")
                names.add(name)

    # --- asking -----------------------------------------------------------------------------

    @property
    def recordings(self) -> list[Recording]:
        """List the recordings in the order in which they were added.

        Returns
        -------
        list of Recording
        """
        return [part.recordings[row] for part in self._parts for row in part.list_present()]

    @property
    def sources(self) -> list[Source | None]:
        """List the files of the recordings, in the same order.

        Returns
        -------
        list of Source or None
            None for a signal that came from memory.
        """
        return [
            part.recordings.get_source(row) for part in self._parts for row in part.list_present()
        ]

    @property
    def nbytes(self) -> dict[str, int]:
        """Count the bytes of each kind of array.

        Returns
        -------
        dict of str to int
        """
        return {
            key: sum(getattr(part.segment, key).nbytes for part in self._parts)
            for key in Segment._fields
        }

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts)

    def identify(
        self, y: np.ndarray, sr: int, *, threshold: float = THRESHOLD, bank: bool = True
    ) -> Answer:
        """Tell which recording an excerpt comes from, and where in it.

        Parameters
        ----------
        y : ndarray of float, shape (n,) or (channels, n)
            Excerpt. Of more than 15 s the best of several windows counts.
        sr : int
            Its sampling rate in Hz.
        threshold : float
            A match is accepted when `p_false` is at most this.
        bank : bool
            If nothing is accepted, also try speeds up to 3 % slower and faster.

        Returns
        -------
        Answer
            Its `match` is None where nothing is accepted: unknown.

        Raises
        ------
        ValueError
            `y` is empty, not finite, or not shaped like sound.
        """
        return search.identify_signal(self._parts, y, sr, threshold=threshold, bank=bank)

    def ask(self, query: Query, *, threshold: float = THRESHOLD, bank: bool = True) -> Answer:
        """Search for a query that is fingerprinted already; see `identify`.

        Parameters
        ----------
        query : Query
            From `query.make_query`.
        threshold : float
        bank : bool

        Returns
        -------
        Answer
        """
        return search.answer_query(self._parts, query, threshold=threshold, bank=bank)

    def rank(self, query: Query, way: str, *, without: Container[str] = ()) -> Ranking:
        """Find the best candidates for a query, one for each recording.

        Parameters
        ----------
        query : Query
        way : {"quick", "thorough", "speeds"}
            At the recording's own speed, closely or not, or at those of the bank.
        without : container of str
            Recordings that are left out.

        Returns
        -------
        Ranking
            At most 8 candidates.
        """
        return search.rank_candidates(self._parts, query, way, without=without)


def find_manifest(path: Path) -> Manifest | None:
    """Return the state of the index in a folder, or None where there is none yet.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Manifest or None

    Raises
    ------
    IndexFileError
        There is something that is no index.

    Examples
    --------
    >>> find_manifest(Path("nowhere.index")) is None
    True
    """
    return read_manifest(path) if (path / MANIFEST).exists() else None


def choose_name(wished: Iterable[str], taken: Container[str]) -> str:
    """Choose a name that no other recording has.

    Parameters
    ----------
    wished : iterable of str
        The first that is free; else the last, with a number.
    taken : container of str

    Returns
    -------
    str

    Examples
    --------
    >>> choose_name(["a.mp3", "B/a.mp3"], {"a.mp3"}), choose_name(["a.mp3"], {"a.mp3"})
    ('B/a.mp3', 'a.mp3 (2)')
    """
    last = ""
    for last in wished:
        if last not in taken:
            return last
    return next(name for k in count(2) if (name := f"{last} ({k})") not in taken)
