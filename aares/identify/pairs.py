"""Hashes of pairs of peaks.

Used by notebook 04 through :class:`aares.identify.Index`.

Conventions
-----------
A hash has 22 bits: the anchor's bin (9), the partner's bin minus the anchor's (7, from -64 to 63)
and the frames between them (6, 1 to 63). The same pair of notes has the same hash wherever it
occurs; the anchor's time is kept beside it.

References
----------
.. [1] A. L.-C. Wang, "An Industrial-Strength Audio Search Algorithm", ISMIR 2003: section 2.2.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from aares.identify.peaks import N_BINS, STEPS, Peaks

N_HASHES = 1 << 22
ZONE_BINS = 64  # a partner lies at most so many bins away ...
ZONE_FRAMES = 63  # ... and so many frames (2 s) later
FIRST_FRAME = 2  # nearer peaks are often two halves of one event
BLUR = 0.7  # weight of a hash whose delay is a frame beside


def hash_recording(peaks: Peaks, *, fan_out: int) -> tuple[np.ndarray, np.ndarray]:
    """Hash each peak of a recording with its next partners.

    Parameters
    ----------
    peaks : Peaks
        Times in frames.
    fan_out : int
        At most so many partners, the next in time.

    Returns
    -------
    hashes : ndarray of uint32, shape (n,)
    times : ndarray of uint32, shape (n,)
        Frame of the anchor.

    Examples
    --------
    Bin 105 follows bin 100 after 10 frames: 9 bits of the bin, 7 of the rise, 6 of the delay.

    >>> time, bins = np.array([0, 10], dtype=np.int32), np.array([100, 105], dtype=np.int32)
    >>> hashes, times = hash_recording(Peaks(time, bins, np.zeros(2, dtype=np.float32)), fan_out=2)
    >>> [(h >> 13, (h >> 6 & 127) - ZONE_BINS, h & 63) for h in hashes.tolist()], times.tolist()
    ([(100, 5, 10)], [0])
    """
    position = peaks.bin.astype(np.float32)
    hashes, times = _pair(peaks.time.astype(np.float32), position, fan_out)
    return hashes, peaks.time[times].astype(np.uint32)


def hash_query(
    peaks: Peaks, *, fan_out: int, speed: float, pitch: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Hash each peak of a query as the recording has it if the query is played at some speed.

    Parameters
    ----------
    peaks : Peaks
        Of one phase; times in steps.
    fan_out : int
    speed : float
        Of the query, 1.03 for 3 % too fast: its frequencies are divided, its times multiplied.
    pitch : float
        Factor by which the query is higher than at that speed; see `ranking.Candidate`.

    Returns
    -------
    hashes : ndarray of uint32, shape (n,)
    times : ndarray of int32, shape (n,)
        Step of the anchor, at the recording's speed.

    Examples
    --------
    Played a quarter too fast, a pair is a quarter higher and its delay a fifth shorter: the hash is
    that of the recording, bins 100 and 104, 10 frames apart.

    >>> time, bins = np.array([0, 16], dtype=np.int32), np.array([125, 130], dtype=np.int32)
    >>> found = Peaks(time, bins, np.zeros(2, dtype=np.float32))
    >>> hashes, times = hash_query(found, fan_out=2, speed=1.25)
    >>> [(h >> 13, (h >> 6 & 127) - ZONE_BINS, h & 63) for h in hashes.tolist()]
    [(100, 4, 10)]
    """
    height = speed * pitch
    scaled = (peaks.bin + peaks.fraction) / height if height != 1 else peaks.bin
    time = peaks.time * np.float32(speed / STEPS)
    hashes, rows = _pair(time.astype(np.float32), scaled.astype(np.float32), fan_out)
    return hashes, np.rint(peaks.time[rows] * speed).astype(np.int32)


def blur_delays(hashes: np.ndarray, *, slack: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Add the hashes of delays that are a little shorter and longer.

    Noise moves the top of a note, which is flat in time, by a frame or two.

    Parameters
    ----------
    hashes : ndarray of uint32, shape (n,)
    slack : int
        Frames; 0 returns what was given.

    Returns
    -------
    blurred : ndarray of uint32, shape (m,)
        Those given first.
    rows : ndarray of int64, shape (m,)
        From which hash each one was made.
    weights : ndarray of float32, shape (m,)
        1 for those given, `BLUR` for a frame beside, its square for two.

    Examples
    --------
    A delay of 10 frames may have been one of 9 or 11; none is shorter than 2.

    >>> blurred, rows, weights = blur_delays(np.array([10, 2], dtype=np.uint32), slack=1)
    >>> blurred.tolist(), rows.tolist(), [round(weight, 1) for weight in weights.tolist()]
    ([10, 2, 9, 11, 3], [0, 1, 0, 0, 1], [1.0, 1.0, 0.7, 0.7, 0.7])
    """
    delays = (hashes & np.uint32(ZONE_FRAMES)).astype(np.int64)
    parts = [(hashes, np.arange(len(hashes)), np.ones(len(hashes), dtype=np.float32))]
    for away in sorted(range(-slack, slack + 1), key=abs)[1:]:
        moved = delays + away
        rows = np.flatnonzero((moved >= FIRST_FRAME) & (moved <= ZONE_FRAMES))
        blurred = (hashes[rows].astype(np.int64) + away).astype(np.uint32)
        parts.append((blurred, rows, np.full(len(rows), BLUR ** abs(away), dtype=np.float32)))
    blurred, rows, weights = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return blurred, rows, weights


@njit(cache=True)
def _pair(time: np.ndarray, position: np.ndarray, fan_out: int) -> tuple[np.ndarray, np.ndarray]:
    """Return hashes and the row of each anchor; `time` in frames, both need not be whole."""
    n = len(time)
    hashes = np.empty(n * fan_out, dtype=np.uint32)
    rows = np.empty(n * fan_out, dtype=np.int32)
    filled = 0
    for i in range(n):
        anchor = int(np.rint(position[i]))
        if anchor >= N_BINS:
            continue
        count = 0
        for j in range(i + 1, n):
            delay = int(np.rint(time[j] - time[i]))
            if delay > ZONE_FRAMES:
                break
            rise = int(np.rint(position[j])) - anchor + ZONE_BINS
            if delay < FIRST_FRAME or rise < 0 or rise >= 2 * ZONE_BINS:
                continue
            hashes[filled] = (anchor << 13) | (rise << 6) | delay
            rows[filled] = i
            filled += 1
            count += 1
            if count == fan_out:
                break
    return hashes[:filled], rows[:filled]
