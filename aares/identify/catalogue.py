"""Recordings of an index, laid one after another: where each begins, and what is kept of it.

Used by :class:`aares.identify.Index`; the conventions are those of :mod:`.index`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from aares.identify import pairs, peaks
from aares.identify.query import QUERY_S
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


class Recording(NamedTuple):
    """What an index knows of a recording besides its peaks.

    Parameters
    ----------
    name : str
    n_blocks : int
        Blocks of 32 frames that it takes, without the gap.
    seconds : float
    """

    name: str
    n_blocks: int
    seconds: float


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
    notes : tuple of str
        What was missing in the file or was mended.
    """

    recording: Recording
    hashes: np.ndarray
    times: np.ndarray
    counts: np.ndarray
    peaks: np.ndarray
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


def count_blocks(recordings: Sequence[Recording]) -> int:
    """Return how many blocks recordings take in the catalogue, with the gaps after them.

    Parameters
    ----------
    recordings : sequence of Recording

    Returns
    -------
    int

    Examples
    --------
    Without the two gaps, 10 and 20 blocks are left.

    >>> count_blocks([Recording("a", 10, 10.2), Recording("b", 20, 20.4)]) - 2 * GAP_BLOCKS
    30
    """
    return sum(recording.n_blocks + GAP_BLOCKS for recording in recordings)


class Part:
    """A segment with the recordings that it holds and where in the catalogue it begins.

    Parameters
    ----------
    recordings : sequence of Recording
    segment : Segment
    first_block : int
    """

    def __init__(self, recordings: Sequence[Recording], segment: Segment, first_block: int) -> None:
        self.recordings = list(recordings)
        self.segment = segment
        self.first_block = first_block
        self.table = make_table(segment.keys)
        lengths = np.array([r.n_blocks + GAP_BLOCKS for r in self.recordings], dtype=np.int64)
        self.starts = np.concatenate([[0], np.cumsum(lengths)])
        self.ends = self.starts[:-1] + [r.n_blocks for r in self.recordings]

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


def make_part(added: Sequence[Prints], first_block: int) -> Part:
    """Lay recordings one after another.

    Parameters
    ----------
    added : sequence of Prints
        At least one.
    first_block : int
        Where in the catalogue the part begins.

    Returns
    -------
    Part

    Raises
    ------
    ValueError
        The catalogue would be longer than 2 ** 32 frames.

    Examples
    --------
    Each recording takes three blocks and a gap, as long as the longest query.

    >>> y = np.random.default_rng(0).standard_normal(3 * 8000, dtype=np.float32)
    >>> part = make_part([fingerprint(name, y, Settings()) for name in "ab"], 0)
    >>> part.starts.tolist(), 3 + GAP_BLOCKS
    ([0, 18, 36], 18)
    """
    gap = np.zeros(GAP_BLOCKS, dtype=np.uint32)
    lengths = [one.recording.n_blocks + GAP_BLOCKS for one in added]
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]) * peaks.BLOCK_FRAMES
    if starts[-1] + lengths[-1] * peaks.BLOCK_FRAMES >= 1 << 32:
        raise ValueError("an index holds 4 years of sound; these recordings are longer")
    segment = make_segment(
        np.concatenate([one.hashes for one in added]),
        np.concatenate([one.times + np.uint32(s) for one, s in zip(added, starts, strict=True)]),
        np.concatenate([part for one in added for part in (one.counts, gap)]),
        np.concatenate([one.peaks for one in added]),
    )
    return Part([one.recording for one in added], segment, first_block)


def merge_parts(parts: Sequence[Part]) -> Part:
    """Make one part of several that follow one another in the catalogue.

    Parameters
    ----------
    parts : sequence of Part
        At least one.

    Returns
    -------
    Part
        Finds what they find, at the same places.
    """
    base, segments = parts[0].first_block, [part.segment for part in parts]
    shifts = [(part.first_block - base) * peaks.BLOCK_FRAMES for part in parts]
    segment = make_segment(
        np.concatenate([np.repeat(s.keys, np.diff(s.starts)) for s in segments]),
        np.concatenate(
            [s.postings + np.uint32(shift) for s, shift in zip(segments, shifts, strict=True)]
        ),
        np.concatenate([np.diff(s.blocks) for s in segments]),
        np.concatenate([s.peaks for s in segments]),
    )
    return Part([recording for part in parts for recording in part.recordings], segment, base)


def check_recording(row: Any) -> Recording:
    """Return what a header says of a recording, or raise an error.

    Parameters
    ----------
    row : list
        Name, number of blocks, seconds.

    Returns
    -------
    Recording

    Raises
    ------
    TypeError, ValueError
        The row is something else.

    Examples
    --------
    >>> check_recording(["a.mp3", 10, 10.2])
    Recording(name='a.mp3', n_blocks=10, seconds=10.2)
    >>> check_recording(["a.mp3", -1, 10.2])
    Traceback (most recent call last):
        ...
    ValueError: a recording is not described as it should be
    """
    name, n_blocks, seconds = row
    if not isinstance(name, str) or type(n_blocks) is not int or not 0 <= n_blocks < 1 << 27:
        raise ValueError("a recording is not described as it should be")
    return Recording(name, n_blocks, float(seconds))
