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

from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np

from aares.errors import IndexFileError
from aares.identify import search
from aares.identify.answer import THRESHOLD, Answer
from aares.identify.catalogue import Settings
from aares.identify.collection import Collection
from aares.identify.lock import locked
from aares.identify.query import Query
from aares.identify.ranking import Ranking
from aares.identify.store import Manifest, find_manifest, open_parts, refuse_foreign, write_state


class Index(Collection):
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
    >>> answer.match.song, round(answer.match.offset_s, 1), answer.p_false < 1e-3
    ('b', 3.0, True)
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     len(Index.open(index.save(f"{folder}/music.index")))
    2
    """

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings)
        self._home: tuple[Path, Manifest] | None = None  # the state that was opened or saved last
        self._is_writing = False

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
            If nothing is accepted, also try other speeds, tempi and pitches: faders and key lock to
            8 %, transposition by up to three semitones.

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
        way : {"quick", "thorough", "speeds", "stretched"}
            At the recording's own speed, closely or not; at other speeds; at another tempo with
            the pitch kept, or another pitch with the tempo kept.
        without : container of str
            Recordings that are left out.

        Returns
        -------
        Ranking
            At most 8 candidates.
        """
        return search.rank_candidates(self._parts, query, way, without=without)
