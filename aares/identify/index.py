"""An index of recordings that can be asked which of them an excerpt comes from.

Used by notebook 04 and by ``python3 run.py index`` and ``identify``.

Conventions
-----------
The catalogue is one long axis of time in frames (32 ms): recordings begin at multiples of 32 frames
and are followed by a silence as long as the longest query, so that a place tells the recording and
the offset at once. An index is made of segments: appending adds one, and where there are too many,
the last ones become one, so that each is much larger than the next.

References
----------
.. [1] A. L.-C. Wang, "An Industrial-Strength Audio Search Algorithm", ISMIR 2003.
.. [2] P. O'Neil et al., "The log-structured merge-tree", Acta Informatica 33, 1996: section 2
   (small parts are written at once and merged later).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from aares.errors import IndexFileError
from aares.identify import search
from aares.identify.answer import THRESHOLD, Answer, Ranking
from aares.identify.catalogue import (
    Part,
    Prints,
    Recording,
    Settings,
    check_recording,
    count_blocks,
    fingerprint,
    make_part,
    merge_parts,
)
from aares.identify.ingest import OnError, fingerprint_file, keep_readable, name_file
from aares.identify.query import Query, read_signal
from aares.identify.segment import Segment, check_segment
from aares.identify.storage import read_arrays, write_arrays

MAX_SEGMENTS = 8


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
    ) -> None:
        """Add audio files; what is indexed already keeps its name and place.

        Parameters
        ----------
        paths : iterable of str or Path
        root : str or Path, optional
            Folder of all these files: their names in the index are then the paths below it.
        n_jobs : int
        on_error : callable, optional
            These and `paths` as for `build`.

        Raises
        ------
        AudioError, ValueError
            As for `build`; nothing was added then.
        """
        files = [Path(path) for path in paths]
        names = [name_file(path, root) for path in files]
        self._check_names(names)
        jobs = (
            delayed(fingerprint_file)(path, name, self.settings)
            for path, name in zip(files, names, strict=True)
        )
        # fingerprints come back in the order of the files, as soon as they are there
        results = Parallel(n_jobs=n_jobs, return_as="generator")(jobs) if files else ()
        self._add(keep_readable(zip(files, results, strict=True), on_error))

    def _add(self, prints: Iterable[Prints]) -> None:
        added = list(prints)
        self._check_names([one.recording.name for one in added])
        if not added:
            return
        last = self._parts[-1] if self._parts else None
        first_block = last.first_block + int(last.starts[-1]) if last else 0
        self._parts.append(make_part(added, first_block))
        if len(self._parts) > MAX_SEGMENTS:
            self._merge()

    def _check_names(self, names: Sequence[str]) -> None:
        seen = {recording.name for recording in self.recordings}
        for name in names:
            if name in seen:
                raise ValueError(f"two recordings are called {name!r}: names must differ")
            seen.add(name)

    def _merge(self) -> None:
        """Make one segment of the last ones: of two, and of those not much larger than the rest."""
        sizes = [len(part.segment.postings) for part in self._parts]
        first = len(sizes) - 2
        while first > 0 and sizes[first - 1] <= 2 * sum(sizes[first:]):
            first -= 1
        self._parts[first:] = [merge_parts(self._parts[first:])]

    # --- files ------------------------------------------------------------------------------

    def save(self, file: str | Path) -> Path:
        """Write the index in one step: whoever opens the file finds the old index or this one.

        Parameters
        ----------
        file : str or Path

        Returns
        -------
        Path

        Raises
        ------
        OSError
            The disk is full, or the folder cannot be written to; an older file is still there.
        """
        about: dict[str, Any] = {"settings": asdict(self.settings), "segments": []}
        arrays: dict[str, np.ndarray] = {}
        for number, part in enumerate(self._parts):
            about["segments"].append([list(recording) for recording in part.recordings])
            arrays |= {f"{number}/{key}": a for key, a in part.segment._asdict().items()}
        return write_arrays(Path(file), about, arrays)

    @classmethod
    def open(cls, file: str | Path) -> Index:
        """Open a file of `save`; its arrays stay on the disk, and are read once to check them.

        Parameters
        ----------
        file : str or Path

        Returns
        -------
        Index

        Raises
        ------
        IndexFileError
            The file is missing, foreign, of another version, cut off or damaged.
        """
        about, arrays = read_arrays(Path(file))
        name = Path(file).name
        try:
            index = cls(Settings(**about["settings"]))
            first_block = 0
            for number, rows in enumerate(about["segments"]):
                recordings = [check_recording(row) for row in rows]
                parts = {key: arrays[f"{number}/{key}"] for key in Segment._fields}
                segment = Segment(**parts)
                check_segment(segment, count_blocks(recordings))
                index._check_names([recording.name for recording in recordings])
                index._parts.append(Part(recordings, segment, first_block))
                first_block += int(index._parts[-1].starts[-1])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise IndexFileError(f"{name}: the index contradicts itself ({error})") from error
        return index

    # --- asking -----------------------------------------------------------------------------

    @property
    def recordings(self) -> list[Recording]:
        """List the recordings in the order in which they were added.

        Returns
        -------
        list of Recording
        """
        return [recording for part in self._parts for recording in part.recordings]

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
        return sum(len(part.recordings) for part in self._parts)

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
