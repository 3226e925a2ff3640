"""Recordings with their fingerprints, in memory: what an index does that no file is needed for.

Used by :class:`aares.identify.Index`, whose conventions hold.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path

import numpy as np

from aares.identify.catalogue import Part, Prints, Settings, fingerprint, make_part
from aares.identify.compaction import compact
from aares.identify.ingest import OnError, OnNote, fingerprint_files, keep_readable, name_file
from aares.identify.query import read_signal
from aares.identify.roll import Recording, Source
from aares.identify.segment import Segment


class Collection:
    """Recordings that come, change and go.

    Parameters
    ----------
    settings : Settings, optional

    Examples
    --------
    >>> recordings = Collection()
    >>> recordings.add({"hiss": np.random.default_rng(0).standard_normal(80_000)})
    >>> len(recordings)
    1
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self._parts: list[Part] = []
        self._rows: dict[str, tuple[int, int]] | None = None  # part and row by name

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
        >>> index = Collection()
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
        >>> index = Collection()
        >>> index.add({name: np.ones(8000) for name in "ab"})
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
        >>> index = Collection()
        >>> index.add({name: np.ones(8000) for name in "ab"})
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

    def merge(self, other: Collection, *, name: str = "merged") -> list[str]:
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
        >>> one, two = Collection(), Collection()
        >>> one.add({"a": hiss[0]})
        >>> two.add({"a": hiss[1]})
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

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return the parts that a search goes through.

        Returns
        -------
        tuple of Part
        """
        return tuple(self._parts)

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
