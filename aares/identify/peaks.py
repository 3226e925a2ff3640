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
.. [2] M. van Herk, "A fast algorithm for local minimum and maximum filters on rectangular and
   octagonal kernels", Pattern Recognition Letters 13, 1992.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numba import njit

SAMPLE_RATE_HZ = 8000
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
CHUNK_FRAMES = 2048  # transformed at a time: 16 MB

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


def find_peaks(power: np.ndarray, *, per_block: int) -> Peaks:
    """Find the strongest local maxima of each block of 32 frames.

    Parameters
    ----------
    power : ndarray of float32, shape (512, n_frames)
        From `compute_power`.
    per_block : int
        At most so many peaks in a block (1.02 s).

    Returns
    -------
    Peaks
        Their time is the frame, from 0.
    """
    rows = np.ascontiguousarray(power.T)
    if rows.size == 0:
        none = np.zeros(0, dtype=np.int32)
        return Peaks(none, none, none.astype(np.float32))
    floor = np.float32(RANGE) * rows.max()
    time, bins = _select_maxima(rows, _dilate(rows), floor, per_block)
    return Peaks(time, bins, _interpolate(rows, time, bins))


@njit(cache=True, fastmath=True)
def _square(spectrum, out):
    for t in range(out.shape[0]):
        for b in range(out.shape[1]):
            value = spectrum[t, b]
            out[t, b] = value.real * value.real + value.imag * value.imag


@njit(cache=True, fastmath=True)
def _dilate(rows):
    """Return the highest value within the reach of each pixel.

    Along bins the maximum over a window is made of maxima over windows of 1, 2, 4, ... pixels;
    along frames a running maximum restarts every window length, from both ends (van Herk 1992).
    """
    n_frames, n_bins = rows.shape
    out = np.empty_like(rows)
    width = 2 * REACH_BINS + 1
    line = np.zeros(n_bins + 2 * width, dtype=np.float32)
    for t in range(n_frames):
        line[:] = 0
        line[REACH_BINS : REACH_BINS + n_bins] = rows[t]
        span = 1
        while 2 * span <= width:
            for b in range(n_bins + width):
                line[b] = max(line[b], line[b + span])
            span *= 2
        rest = width - span
        for b in range(n_bins):
            out[t, b] = max(line[b], line[b + rest])
    return _dilate_frames(out)


@njit(cache=True, fastmath=True)
def _dilate_frames(rows):
    n_frames, n_bins = rows.shape
    length = 2 * REACH_FRAMES + 1
    ahead, behind = rows.copy(), rows.copy()
    for t in range(1, n_frames):
        if t % length:
            for b in range(n_bins):
                behind[t, b] = max(behind[t, b], behind[t - 1, b])
    for t in range(n_frames - 2, -1, -1):
        if (t + 1) % length:
            for b in range(n_bins):
                ahead[t, b] = max(ahead[t, b], ahead[t + 1, b])
    out = np.empty_like(rows)
    for t in range(n_frames):
        first, last = t - REACH_FRAMES, t + REACH_FRAMES
        if first >= 0 and last < n_frames:
            for b in range(n_bins):
                out[t, b] = max(ahead[first, b], behind[last, b])
        else:  # cut off by an end of the signal
            out[t] = rows[t]
            for u in range(max(first, 0), min(last + 1, n_frames)):
                for b in range(n_bins):
                    out[t, b] = max(out[t, b], rows[u, b])
    return out


@njit(cache=True)
def _select_maxima(rows, highest, floor, per_block):
    n_frames, n_bins = rows.shape
    times, bins = [np.int32(0) for _ in range(0)], [np.int32(0) for _ in range(0)]
    for start in range(0, n_frames, BLOCK_FRAMES):
        heights, places = [np.float32(0) for _ in range(0)], [0 for _ in range(0)]
        for t in range(start, min(start + BLOCK_FRAMES, n_frames)):
            for b in range(FIRST_BIN, n_bins - 1):
                if rows[t, b] == highest[t, b] and rows[t, b] > floor:
                    heights.append(rows[t, b])
                    places.append(t * n_bins + b)
        kept = np.array(places, dtype=np.int64)
        if len(kept) > per_block:
            order = np.argsort(-np.array(heights), kind="mergesort")[:per_block]
            kept = np.sort(kept[order])
        for place in kept:
            times.append(np.int32(place // n_bins))
            bins.append(np.int32(place % n_bins))
    return np.array(times, dtype=np.int32), np.array(bins, dtype=np.int32)


@njit(cache=True)
def _interpolate(rows, time, bins):
    """Return where the parabola through three log powers has its top, relative to the bin."""
    fraction = np.zeros(len(time), dtype=np.float32)
    tiny = np.float32(1e-30)
    for i in range(len(time)):
        a = np.log(rows[time[i], bins[i] - 1] + tiny)
        b = np.log(rows[time[i], bins[i]] + tiny)
        c = np.log(rows[time[i], bins[i] + 1] + tiny)
        bend = a - 2 * b + c
        if bend < 0:
            fraction[i] = min(max(0.5 * (a - c) / bend, -0.5), 0.5)
    return fraction
