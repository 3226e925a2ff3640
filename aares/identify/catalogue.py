"""Recordings of an index, laid one after another: where each begins, and what is kept of it.

Used by :class:`aares.identify.Index`; the conventions are those of :mod:`.index`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from aares.identify import pairs, peaks, vote
from aares.identify.guards import SegmentGuard
from aares.identify.query import QUERY_S, Hashed, Look
from aares.identify.roll import Recording as Recording
from aares.identify.roll import Roll, Source
from aares.identify.segment import Segment, make_segment, make_table, pack_peaks

GAP_BLOCKS = 1 + int(QUERY_S * peaks.RATE_HZ / peaks.HOP_LENGTH) // peaks.BLOCK_FRAMES
BLOCK_STEPS = peaks.BLOCK_FRAMES * peaks.STEPS


@dataclass(frozen=True)
class Settings:
    """How much of a recording is kept.

    Parameters
    ----------
    peaks_per_block : int
        Strongest peaks of each 1.02 s, 1 to 200.
    fan_out : int
        Hashes for each peak, 1 to 20.

    Examples
    --------
    >>> Settings(fan_out=3)
    Settings(peaks_per_block=12, fan_out=3)
    >>> Settings(peaks_per_block=0)
    Traceback (most recent call last):
        ...
    ValueError: peaks_per_block: expected 1 to 200, found 0
    """

    peaks_per_block: int = 12
    fan_out: int = 2

    def __post_init__(self) -> None:
        for name, value, highest in (
            ("peaks_per_block", self.peaks_per_block, 200),
            ("fan_out", self.fan_out, 20),
        ):
            if type(value) is not int or not 1 <= value <= highest:
                raise ValueError(f"{name}: expected 1 to {highest}, found {value!r}")


class Prints(NamedTuple):
    """Fingerprints of one recording.

    Parameters
    ----------
    recording : Recording
    hashes, times : ndarray of uint32, shape (n,)
        Times in frames from the start.
    counts : ndarray of uint32, shape (n_blocks,)
        Peaks in each block.
    peaks : ndarray of uint16, shape (n_peaks,)
        See `segment.Segment`.
    source : Source, optional
        The file, if they were made of one.
    notes : tuple of str
        What was missing in the file or was mended.
    """

    recording: Recording
    hashes: np.ndarray
    times: np.ndarray
    counts: np.ndarray
    peaks: np.ndarray
    source: Source | None = None
    notes: tuple[str, ...] = ()


def fingerprint(name: str, y: np.ndarray, settings: Settings) -> Prints:
    """Compute what the index keeps of a recording.

    Parameters
    ----------
    name : str
    y : ndarray of float32, shape (n,)
        Signal at 8 kHz.
    settings : Settings

    Returns
    -------
    Prints

    Examples
    --------
    Three seconds are three blocks of 1.02 s; each holds the twelve strongest peaks.

    >>> y = np.random.default_rng(0).standard_normal(3 * 8000, dtype=np.float32)
    >>> prints = fingerprint("noise", y, Settings())
    >>> prints.recording, prints.counts.tolist(), len(prints.peaks)
    (Recording(name='noise', n_blocks=3, seconds=3.0), [12, 12, 12], 36)
    """
    power = peaks.compute_power(y)
    found = peaks.find_peaks(power, per_block=settings.peaks_per_block)
    hashes, times = pairs.hash_recording(found, fan_out=settings.fan_out)
    n_blocks = -(-power.shape[1] // peaks.BLOCK_FRAMES)
    strengths = peaks.grade_peaks(power[found.bin, found.time])
    counts, places = pack_peaks(found, strengths, n_blocks)
    seconds = round(len(y) / peaks.RATE_HZ, 3)
    recording = Recording(name, n_blocks, seconds)
    return Prints(recording, hashes, times, counts, places)


class Part:
    """A segment with the recordings that it holds and where in the catalogue it begins.

    Parameters
    ----------
    recordings : Roll or sequence of Recording
        Those that were removed are still in the segment, and never answered.
    segment : Segment
    first_block : int
    guard : SegmentGuard, optional
        Of a segment on the disk.

    Raises
    ------
    ValueError
        The recordings are longer than 2 ** 32 frames.
    """

    def __init__(
        self,
        recordings: Roll | Sequence[Recording],
        segment: Segment,
        first_block: int = 0,
        guard: SegmentGuard | None = None,
    ) -> None:
        self.recordings = recordings if isinstance(recordings, Roll) else Roll.make(recordings)
        self.segment = segment
        self.first_block = first_block
        self.guard = guard
        self.starts = count_starts(self.recordings)
        self.ends = self.starts[:-1] + self.recordings.n_blocks

    @cached_property
    def table(self) -> np.ndarray:
        """Return where each run of hashes begins, see `segment.make_table`.

        Returns
        -------
        ndarray of uint32, shape (65537,)
        """
        if self.guard is None:
            return make_table(self.segment.keys)
        if self.guard.table is None:
            return make_table(self.guard.check_keys())
        return self.guard.table

    def __len__(self) -> int:
        return len(self.recordings) - int(np.count_nonzero(self.recordings.removed))

    def list_present(self) -> list[int]:
        """Return the rows of the recordings that were not removed.

        Returns
        -------
        list of int

        Examples
        --------
        >>> part = Part([Recording("a", 0, 0.0)], make_part([], 0).segment)
        >>> part.list_present()
        [0]
        """
        return np.flatnonzero(~self.recordings.removed).tolist()

    def count_present(self) -> int:
        """Estimate how many postings belong to recordings that were not removed.

        Returns
        -------
        int
        """
        total = int(self.recordings.n_blocks.sum())
        present = int(self.recordings.n_blocks[~self.recordings.removed].sum())
        return len(self.segment.postings) * present // max(total, 1)

    def replace_roll(self, roll: Roll) -> Part:
        """Return the part with another table of the same recordings.

        Parameters
        ----------
        roll : Roll

        Returns
        -------
        Part
        """
        part = Part(roll, self.segment, self.first_block, self.guard)
        if "table" in self.__dict__:
            part.__dict__["table"] = self.table
        return part

    def check_hashes(self, hashes: np.ndarray) -> None:
        """Check what a search reads of some hashes, before it does; see `SegmentGuard`.

        Parameters
        ----------
        hashes : ndarray of uint32, shape (n,)

        Raises
        ------
        IndexFileError
            The file is damaged there.
        """
        if self.guard is not None and not self.guard.is_checked:
            self.guard.check_hashes(self.table, hashes)

    def check_postings(self, first: np.ndarray, last: np.ndarray) -> None:
        """Check postings, before a search reads them; see `SegmentGuard`.

        Parameters
        ----------
        first, last : ndarray of int64, shape (n,)
            Ranges of them, the last of each excluded.

        Raises
        ------
        IndexFileError
            The file is damaged there.
        """
        if self.guard is not None and not self.guard.is_checked:
            self.guard.check_postings(first, last)

    def find_places(
        self, hashed: Hashed, look: Look, total: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find the places for which most hashes vote.

        Parameters
        ----------
        hashed : Hashed
            Of a query.
        look : Look
            It grows with the part, and with the index.
        total : int
            Postings of the index, if it has other parts.

        Returns
        -------
        places : ndarray of int64, shape (m,)
        scores : ndarray of float32, shape (m,)
            See `vote.find_places`.

        Raises
        ------
        IndexFileError
            The file is damaged there.

        Examples
        --------
        What is asked for begins 2 s, 125 steps, after the recording.

        >>> from aares.identify.query import QUICK, make_query
        >>> y = np.random.default_rng(0).standard_normal(8 * 8000, dtype=np.float32)
        >>> part = make_part([fingerprint("a", y, Settings())], 0)
        >>> int(part.find_places(make_query(y[16_000:]).hash(QUICK), QUICK)[0][0])
        125
        """
        self.check_hashes(hashed.hashes)
        grown = look.grow(len(self.segment.postings), total)
        return vote.find_places(
            self.segment,
            self.table,
            hashed.hashes,
            hashed.times,
            budget=grown.budget,
            n_places=grown.n_candidates,
            weights=hashed.weights,
            slack=look.slack,
            check=self.check_postings,
        )

    def check_places(self, places: np.ndarray, n_steps: int) -> None:
        """Check what a search reads around some places, before it does; see `SegmentGuard`.

        Parameters
        ----------
        places : ndarray of int64, shape (n,)
        n_steps : int

        Raises
        ------
        IndexFileError
            The file is damaged there.
        """
        if self.guard is not None and not self.guard.is_checked:
            self.guard.check_places(places, n_steps)

    def check_all(self) -> None:
        """Check all that lies on the disk.

        Raises
        ------
        IndexFileError
            The file is damaged.
        """
        self.recordings.check_all()
        if self.guard is not None:
            self.guard.check_all()

    def read_peaks(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the peaks of a recording.

        Parameters
        ----------
        row : int

        Returns
        -------
        counts : ndarray of uint32, shape (n_blocks,)
        peaks : ndarray of uint16, shape (n,)
            See `segment.unpack_peaks`.

        Raises
        ------
        IndexFileError
            The file is damaged there.

        Examples
        --------
        >>> y = np.random.default_rng(0).standard_normal(3 * 8000, dtype=np.float32)
        >>> part = make_part([fingerprint(name, y, Settings()) for name in "ab"], 0)
        >>> counts, words = part.read_peaks(1)
        >>> counts.tolist(), bool((words == part.read_peaks(0)[1]).all())
        ([12, 12, 12], True)
        """
        first, last = int(self.starts[row]), int(self.ends[row])
        self.check_places(np.array([first * BLOCK_STEPS]), (last - first) * BLOCK_STEPS)
        blocks = self.segment.blocks[first : last + 1]
        return np.diff(blocks), self.segment.peaks[blocks[0] : blocks[-1]]

    def locate(self, places: np.ndarray) -> np.ndarray:
        """Return which recording places belong to.

        Parameters
        ----------
        places : ndarray of int64, shape (n,)
            In steps from the beginning of the part.

        Returns
        -------
        ndarray of int64, shape (n,)
            Rows of `recordings`.

        Examples
        --------
        A place in the gap belongs to the recording after it: a query may begin earlier than that.

        >>> rng = np.random.default_rng(0)
        >>> signals = [rng.standard_normal(3 * 8000, dtype=np.float32) for _ in range(2)]
        >>> part = make_part([fingerprint("", y, Settings()) for y in signals], 0)
        >>> second = int(part.starts[1]) * BLOCK_STEPS
        >>> part.locate(np.array([0, second - 1, second])).tolist()
        [0, 1, 1]
        """
        rows = np.searchsorted(self.ends, places // BLOCK_STEPS, side="right")
        return np.minimum(rows, len(self.recordings) - 1)


def count_starts(roll: Roll) -> np.ndarray:
    """Return where in their part recordings begin, in blocks, and where it ends.

    Parameters
    ----------
    roll : Roll

    Returns
    -------
    ndarray of int64, shape (n + 1,)

    Raises
    ------
    ValueError
        A part would be longer than 2 ** 32 frames: its postings would not fit.

    Examples
    --------
    Each has a gap behind it, as long as the longest query.

    >>> starts = count_starts(Roll.make([Recording("a", 10, 10.2), Recording("b", 20, 20.4)]))
    >>> (starts - np.arange(3) * GAP_BLOCKS).tolist()
    [0, 10, 30]
    """
    starts = np.concatenate([[0], np.cumsum(roll.n_blocks + GAP_BLOCKS)])
    if starts[-1] * peaks.BLOCK_FRAMES >= 1 << 32:
        raise ValueError(
            "expected a part of at most 4 years of sound, found "
            f"{starts[-1] * peaks.BLOCK_FRAMES:,} frames"
        )
    return starts


def make_part(added: Sequence[Prints], first_block: int) -> Part:
    """Lay recordings one after another.

    Parameters
    ----------
    added : sequence of Prints
    first_block : int
        Where in the catalogue the part begins.

    Returns
    -------
    Part

    Raises
    ------
    ValueError
        The recordings are longer than 2 ** 32 frames, or have as many hashes.

    Examples
    --------
    Each recording takes three blocks and a gap, as long as the longest query.

    >>> y = np.random.default_rng(0).standard_normal(3 * 8000, dtype=np.float32)
    >>> part = make_part([fingerprint(name, y, Settings()) for name in "ab"], 0)
    >>> part.starts.tolist(), 3 + GAP_BLOCKS
    ([0, 18, 36], 18)
    """
    gap = np.zeros(GAP_BLOCKS, dtype=np.uint32)
    roll = Roll.make([one.recording for one in added], [one.source for one in added])
    frames = (count_starts(roll)[:-1] * peaks.BLOCK_FRAMES).astype(np.uint32)
    nothing = np.zeros(0, dtype=np.uint32)
    segment = make_segment(
        np.concatenate([nothing, *(one.hashes for one in added)]),
        np.concatenate([nothing, *(one.times + s for one, s in zip(added, frames, strict=True))]),
        np.concatenate([nothing, *(part for one in added for part in (one.counts, gap))]),
        np.concatenate([nothing.astype(np.uint16), *(one.peaks for one in added)]),
    )
    return Part(roll, segment, first_block)
