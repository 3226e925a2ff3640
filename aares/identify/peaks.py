"""From a signal to the constellation of its spectral peaks.

Used by notebook 04 through :class:`aares.identify.Index`.

Conventions
-----------
Signals are mono at 8 kHz; 512 bins of 3.9 Hz reach up to 2 kHz. A *frame* is 256 samples (32 ms)
later than the one before, a *step* is half a frame: recordings are indexed at frames, queries are
looked at in steps, since nobody knows where between two frames of the recording a query begins.
Spectrograms have the axis order (bin, frame or step) and lie frame by frame in memory.

References
----------
.. [1] A. L.-C. Wang, "An Industrial-Strength Audio Search Algorithm", ISMIR 2003: section 2.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numba import njit

from aares import exact

RATE_HZ = 8000
N_FFT = 2048  # 256 ms: long enough to lift a tone out of noise
HOP_LENGTH = 256
STEPS = 2  # steps in a frame
STEP_LENGTH = HOP_LENGTH // STEPS
N_BINS = 512
FIRST_BIN = 16  # 62 Hz: below lie hum and rumble
BLOCK_FRAMES = 32  # the strongest peaks of each second, roughly, are kept
REACH_BINS = 7  # a peak is the highest within so many bins ...
REACH_FRAMES = 4  # ... and so many frames
RANGE = 1e-9  # of the highest power; what lies below is silence
CHUNK_FRAMES = 64  # transformed at a time: they fit into the cache of a core

_WINDOW = np.hanning(N_FFT + 1)[:-1].astype(np.float32)  # periodic


@dataclass(frozen=True)
class Peaks:
    """Spectral peaks in the order of time, of equal times in that of the bins.

    Parameters
    ----------
    time : ndarray of int32, shape (n,)
        Frame (of a recording) or step (of a query).
    bin : ndarray of int32, shape (n,)
    fraction : ndarray of float32, shape (n,)
        What interpolation adds to the bin, in [-0.5, 0.5].

    Examples
    --------
    A peak at bin 256 and a quarter, of 3.9 Hz each, in the 12th frame of 32 ms:

    >>> peaks = Peaks(np.array([12]), np.array([256]), np.array([0.25], dtype=np.float32))
    >>> len(peaks), ((peaks.bin + peaks.fraction) * RATE_HZ / N_FFT).round().tolist()
    (1, [1001.0])
    >>> (peaks.time * HOP_LENGTH / RATE_HZ).tolist()
    [0.384]
    """

    time: np.ndarray
    bin: np.ndarray
    fraction: np.ndarray

    def __len__(self) -> int:
        return len(self.time)


def compute_power(y: np.ndarray, *, hop_length: int = HOP_LENGTH) -> np.ndarray:
    """Compute the power spectrogram of a signal; no frame reaches over its ends.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
        Signal at 8 kHz.
    hop_length : int
        `HOP_LENGTH`, or `STEP_LENGTH` for a query.

    Returns
    -------
    ndarray of float32, shape (512, n_frames)
        Fortran order. A signal shorter than a frame has none.

    Examples
    --------
    A second has 8000 samples: 24 frames of 2048 fit, each 256 later than the one before.

    >>> power = compute_power(np.ones(8000, dtype=np.float32))
    >>> power.shape, 1 + (8000 - N_FFT) // HOP_LENGTH
    ((512, 24), 24)
    """
    n_frames = max(0, 1 + (len(y) - N_FFT) // hop_length)
    power = np.empty((n_frames, N_BINS), dtype=np.float32)
    if n_frames:
        frames = np.lib.stride_tricks.sliding_window_view(y, N_FFT)[::hop_length]
        for start in range(0, n_frames, CHUNK_FRAMES):
            part = frames[start : start + CHUNK_FRAMES] * _WINDOW
            spectrum = scipy.fft.rfft(part, axis=1, overwrite_x=True)
            _square(spectrum, power[start : start + CHUNK_FRAMES])
    return power.T


def find_peaks(
    power: np.ndarray, *, per_block: int, reach: tuple[int, int] = (REACH_BINS, REACH_FRAMES)
) -> Peaks:
    """Find the strongest local maxima of each block of 32 frames.

    Parameters
    ----------
    power : ndarray of float32, shape (512, n_frames)
        From `compute_power`.
    per_block : int
        At most so many peaks in a block (1.02 s).
    reach : tuple of two ints
        Bins and frames to either side within which a peak is the highest.

    Returns
    -------
    Peaks
        Their time is the frame, from 0.

    Examples
    --------
    A tone of 1 kHz that swells and fades within a second has one peak, at bin 1000 / 8000 * 2048.

    >>> time_s = np.arange(8000) / 8000
    >>> y = np.sin(2 * np.pi * 1000 * time_s) * np.hanning(8000)
    >>> found = find_peaks(compute_power(y.astype(np.float32)), per_block=1)
    >>> found.time.tolist(), found.bin.tolist()
    ([12], [256])
    """
    rows = np.ascontiguousarray(power.T)
    if rows.size == 0:
        none = np.zeros(0, dtype=np.int32)
        return Peaks(none, none, none.astype(np.float32))
    floor = np.float32(RANGE) * rows.max()
    time, bins = _select_maxima(rows, floor, per_block, *reach)
    return Peaks(time, bins, _interpolate(rows, time, bins))


def grade_peaks(levels: np.ndarray) -> np.ndarray:
    """Tell to which quarter of a signal's peaks each one belongs.

    Parameters
    ----------
    levels : ndarray of float32, shape (n,)
        Their power.

    Returns
    -------
    ndarray of int64, shape (n,)
        0 for the weakest quarter, 3 for the strongest.

    Examples
    --------
    >>> grade_peaks(np.array([5.0, 1.0, 9.0, 3.0], dtype=np.float32)).tolist()
    [2, 0, 3, 1]
    """
    n = len(levels)
    borders = np.sort(levels)[[n // 4, n // 2, 3 * n // 4] if n else []]
    return np.searchsorted(borders, levels, side="right")


@njit(cache=True)
def _square(spectrum: np.ndarray, out: np.ndarray) -> None:
    for t in range(out.shape[0]):
        for b in range(out.shape[1]):
            value = spectrum[t, b]
            out[t, b] = value.real * value.real + value.imag * value.imag


@njit(cache=True)
def _select_maxima(
    rows: np.ndarray, floor: np.float32, per_block: int, reach_bins: int, reach_frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return frames and bins of the highest maxima of each block.

    A maximum of four neighbours is compared with all pixels in reach only while it could still
    be among the highest: one in ten is.
    """
    n_frames, n_bins = rows.shape
    places = np.empty((n_frames // BLOCK_FRAMES + 1) * per_block, dtype=np.int64)
    heights = np.empty(per_block, dtype=np.float32)  # of the present block, falling
    mask = np.zeros(n_bins, dtype=np.uint8)
    filled = 0
    for start in range(0, n_frames, BLOCK_FRAMES):
        count = 0
        for t in range(start, min(start + BLOCK_FRAMES, n_frames)):
            _mark_maxima(rows, t, floor, mask)
            for b in range(FIRST_BIN, n_bins - 1):
                height = rows[t, b]
                if not mask[b] or (count == per_block and height <= heights[count - 1]):
                    continue
                if not _is_highest(rows, t, b, reach_bins, reach_frames):
                    continue
                k = min(count, per_block - 1)
                count = k + 1
                while k > 0 and heights[k - 1] < height:
                    heights[k], places[filled + k] = heights[k - 1], places[filled + k - 1]
                    k -= 1
                heights[k], places[filled + k] = height, t * n_bins + b
        places[filled : filled + count].sort()
        filled += count
    found = places[:filled]
    return (found // n_bins).astype(np.int32), (found % n_bins).astype(np.int32)


@njit(cache=True, error_model="numpy")
def _mark_maxima(rows: np.ndarray, t: int, floor: np.float32, mask: np.ndarray) -> None:
    """Mark the bins of a frame that are no lower than their four neighbours."""
    row, before = rows[t], rows[max(t - 1, 0)]
    after = rows[min(t + 1, len(rows) - 1)]
    for b in range(1, len(row) - 1):
        height = row[b]
        beside = (height >= row[b - 1]) & (height >= row[b + 1])
        mask[b] = beside & (height >= before[b]) & (height >= after[b]) & (height > floor)


@njit(cache=True)
def _is_highest(rows: np.ndarray, t: int, b: int, reach_bins: int, reach_frames: int) -> bool:
    n_frames, n_bins = rows.shape
    height = rows[t, b]
    for u in range(max(t - reach_frames, 0), min(t + reach_frames + 1, n_frames)):
        for c in range(max(b - reach_bins, 0), min(b + reach_bins + 1, n_bins)):
            if rows[u, c] > height:
                return False
    return True


def _interpolate(rows: np.ndarray, time: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Return where the parabola through three log powers has its top, relative to the bin."""
    a, b, c = exact.log(rows[time, bins + np.array([[-1], [0], [1]])] + np.float64(1e-30))
    bend = a - 2 * b + c
    fraction = np.divide(0.5 * (a - c), bend, out=np.zeros(len(time)), where=bend < 0)
    return np.asarray(np.clip(fraction, -0.5, 0.5), dtype=np.float32)
