"""One spectrogram, and what is read from it: shape, mel bands, tuning, chroma.

Used by notebook 06 through :mod:`aares.audio.features`. Each function gives what librosa gives, to
the last digits of single precision; librosa's own calls make a spectrogram each, and several copies
of it in double precision.

Conventions
-----------
`S` is the magnitude of the STFT, float32, shape (1025, frames): Hann windows of 2048 samples, 512
apart, the first centred on the first sample, zeros beyond the ends. `P` is its square.

References
----------
B. McFee et al.: librosa: Audio and Music Signal Analysis in Python. SciPy 2015.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import scipy.fft
from numba import njit

from aares.audio.filters import A0_HZ, make_chroma_filters, make_mel_filters

N_FFT, HOP = 2048, 512
ROLLOFF = 0.85  # of a frame's magnitude lies below its rolloff
TOP_DB = 80.0  # the range of levels: what is further below the loudest band is cut off
PITCHES_HZ = (150.0, 4000.0)  # partials that the tuning is estimated from
_TINY = float(np.finfo(np.float32).tiny)
_BLOCK_FRAMES = 32  # as many as stay in the processor's cache


def compute_spectrogram(y: np.ndarray) -> np.ndarray:
    """Return the magnitude of the STFT.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)

    Returns
    -------
    ndarray of float32, shape (1025, 1 + n // 512)
        ``abs(librosa.stft(y))``; a frame's bins are neighbours in memory.

    Examples
    --------
    >>> t = np.arange(22050) / 22050
    >>> S = compute_spectrogram(np.sin(2 * np.pi * 1000 * t).astype(np.float32))
    >>> S.shape, int(S[:, 20].argmax() * 22050 / N_FFT)
    ((1025, 44), 1001)
    """
    frames = cut_frames(np.pad(y, N_FFT // 2), N_FFT, HOP)
    S = np.empty((len(frames), N_FFT // 2 + 1), np.float32)
    for start in range(0, len(frames), _BLOCK_FRAMES):
        block = slice(start, start + _BLOCK_FRAMES)
        # In double precision, 3 ms more: of a bare tone most bins hold nothing but rounding.
        spectra = scipy.fft.rfft(frames[block] * _make_window(), axis=1)
        np.abs(spectra.astype(np.complex64), out=S[block])
    return S.T


def cut_frames(y: np.ndarray, length: int, hop: int) -> np.ndarray:
    """Return a view of overlapping parts of a signal.

    Parameters
    ----------
    y : ndarray, shape (n,)
    length, hop : int
        In samples.

    Returns
    -------
    ndarray, shape (1 + (n - length) // hop, length)

    Examples
    --------
    >>> cut_frames(np.arange(6), 3, 2).tolist()
    [[0, 1, 2], [2, 3, 4]]
    """
    return np.lib.stride_tricks.sliding_window_view(y, length)[::hop]


def measure_wave(y: np.ndarray) -> tuple[float, float]:
    """Return root mean square and zero-crossing rate, means over the frames.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)

    Returns
    -------
    rms : float
        As a share of full scale.
    zero_crossing_rate : float
        As a share of the samples.

    Examples
    --------
    >>> wave = np.sign(np.sin(2 * np.pi * (np.arange(22050) + 0.5) / 10)).astype(np.float32)
    >>> rms, crossings = measure_wave(wave)
    >>> round(rms, 2), round(crossings, 2)
    (0.98, 0.19)
    """
    half = N_FFT // 2
    ends = half, N_FFT  # the last block is filled up with the end
    energy, crossings, first = _sum_blocks(np.pad(y, ends), np.pad(y, ends, "edge"), HOP)
    n_frames, per_frame = 1 + len(y) // HOP, N_FFT // HOP
    energy = cut_frames(energy, per_frame, 1).sum(axis=1)[:n_frames]
    crossings = cut_frames(crossings - first, per_frame, 1).sum(axis=1)[:n_frames]
    crossings += cut_frames(first, per_frame, 1)[:n_frames, 1:].sum(axis=1)
    return float(np.sqrt(energy / N_FFT).mean()), float(crossings.mean() / N_FFT)


def measure_shape(S: np.ndarray, rate: int) -> tuple[float, float, float]:
    """Return centroid, bandwidth and rolloff of the spectrum, means over the frames.

    Parameters
    ----------
    S : ndarray of float32, shape (1025, frames)
    rate : int
        In Hz.

    Returns
    -------
    centroid, bandwidth, rolloff : float
        In Hz.

    Examples
    --------
    >>> S = np.zeros((1025, 1), np.float32)
    >>> S[[100, 300]] = 1
    >>> [round(value) for value in measure_shape(S, 2048)]
    [200, 100, 300]
    """
    centroid, bandwidth, rolloff = _find_shapes(S.T, ROLLOFF).mean(axis=0) * (rate / N_FFT)
    return float(centroid), float(bandwidth), float(rolloff)


def compute_mel_db(P: np.ndarray, rate: int) -> np.ndarray:
    """Return the level of 128 mel bands.

    Parameters
    ----------
    P : ndarray of float32, shape (1025, frames)
    rate : int
        In Hz.

    Returns
    -------
    ndarray of float32, shape (128, frames)
        In dB, 80 dB below the loudest at least.

    Examples
    --------
    >>> compute_mel_db(np.zeros((1025, 2), np.float32), 22050).mean().round().item()
    -100.0
    """
    filters = _make_mel_filters(rate, N_FFT)
    starts = (filters > 0).argmax(axis=1)
    passed = _apply_filters(P.T, filters, starts, starts + (filters > 0).sum(axis=1))
    levels = 10 * np.log10(np.maximum(passed, np.float32(1e-10)))
    return np.maximum(levels, levels.max() - np.float32(TOP_DB)).T


def measure_chroma(P: np.ndarray, rate: int) -> float:
    """Return the mean of the 12 pitch classes over the frames, each frame's loudest being 1.

    Parameters
    ----------
    P : ndarray of float32, shape (1025, frames)
    rate : int
        In Hz.

    Returns
    -------
    float
        From 1/12 of a bare tone to 1 of noise; 0 of silence.

    Examples
    --------
    >>> t = np.arange(22050) / 22050
    >>> tone = compute_spectrogram(np.sin(2 * np.pi * 440 * t).astype(np.float32)) ** 2
    >>> round(measure_chroma(tone, 22050), 2)
    0.12
    """
    filters = make_chroma_filters(rate, N_FFT, estimate_tuning(P, rate))
    chroma = _apply_filters(P.T, filters, *np.array([[0], [len(P)]]).repeat(len(filters), axis=1))
    loudest = chroma.max(axis=1, keepdims=True)
    return float((chroma / np.where(loudest < _TINY, 1, loudest)).mean())


def estimate_tuning(P: np.ndarray, rate: int) -> float:
    """Return how far the music is from A4 = 440 Hz.

    Parameters
    ----------
    P : ndarray of float32, shape (1025, frames)
    rate : int
        In Hz.

    Returns
    -------
    float
        In semitones, from -0.5 to 0.5, in steps of 0.01.

    Examples
    --------
    >>> t = np.arange(22050) / 22050
    >>> tone = np.sin(2 * np.pi * 440 * 2 ** (0.25 / 12) * t).astype(np.float32)
    >>> round(estimate_tuning(compute_spectrogram(tone) ** 2, 22050), 2)
    0.22
    """
    bins = np.arange(len(P)) * (rate / N_FFT)
    low, high = np.searchsorted(bins, PITCHES_HZ)
    pitches, strengths = _find_pitches(P.T, low, high, rate)
    if not len(pitches):
        return 0.0
    pitches = pitches[strengths >= np.median(strengths)]
    semitones = 12 * np.log2(pitches / A0_HZ) % 1
    semitones -= semitones >= 0.5
    counts, edges = np.histogram(semitones, np.linspace(-0.5, 0.5, 101))
    return float(edges[counts.argmax()])


_make_mel_filters = cache(make_mel_filters)


@cache
def _make_window() -> np.ndarray:
    return 0.5 + 0.5 * np.cos(np.linspace(-np.pi, np.pi, N_FFT + 1)[:-1])


@njit(cache=True, fastmath={"reassoc", "contract"})
def _sum_blocks(y, held, hop):  # pragma: no cover
    """Return energy and sign changes of each block of samples, and whether its first is one."""
    n_blocks = len(y) // hop
    energy, crossings, first = np.zeros(n_blocks), np.zeros(n_blocks), np.zeros(n_blocks)
    for block in range(n_blocks):
        samples = y[block * hop : (block + 1) * hop]
        total = np.float32(0)
        for k in range(len(samples)):
            total += samples[k] * samples[k]
        samples, changes = held[block * hop : (block + 1) * hop], 0
        for k in range(len(samples) - 1):
            changes += (samples[k] < -1e-10) != (samples[k + 1] < -1e-10)
        if block:
            first[block] = (held[block * hop - 1] < -1e-10) != (held[block * hop] < -1e-10)
        energy[block], crossings[block] = total, changes + first[block]
    return energy, crossings, first


@njit(cache=True, fastmath={"reassoc", "contract"})
def _apply_filters(P, filters, starts, stops):  # pragma: no cover
    """Return what passes each filter in each frame; filters are zero outside start and stop.

    A product of matrices whose last digits do not depend on the number of threads.
    """
    passed = np.empty((len(P), len(filters)), np.float32)
    for frame in range(len(P)):
        for row in range(len(filters)):
            total = np.float32(0)
            weights = filters[row, starts[row] : stops[row]]
            powers = P[frame, starts[row] : stops[row]]
            for k in range(len(weights)):
                total += weights[k] * powers[k]
            passed[frame, row] = total
    return passed


@njit(cache=True, fastmath={"reassoc", "contract"})
def _find_shapes(S, share):  # pragma: no cover
    """Return centroid, bandwidth and rolloff of each frame, in bins."""
    shapes = np.zeros((len(S), 3))
    for frame in range(len(S)):
        total, moment = 0.0, 0.0
        for k in range(S.shape[1]):
            total += S[frame, k]
            moment += k * S[frame, k]
        weight = total if total >= _TINY else 1.0
        centroid, spread = moment / weight, 0.0
        for k in range(S.shape[1]):
            spread += S[frame, k] * (k - centroid) ** 2
        below, rolloff = S[frame, 0] * 1.0, 0
        while below < share * total and rolloff < S.shape[1] - 1:
            rolloff += 1
            below += S[frame, rolloff]
        shapes[frame, 0] = centroid
        shapes[frame, 1] = np.sqrt(spread / weight)
        shapes[frame, 2] = rolloff
    return shapes


@njit(cache=True)
def _find_pitches(P, low, high, rate):  # pragma: no cover
    """Return frequency and strength of the partials: peaks above a tenth of their frame's highest.

    Between bins by a parabola, as ``librosa.piptrack`` with its defaults.
    """
    pitches, strengths = np.empty(P.size, np.float32), np.empty(P.size, np.float32)
    count = 0
    for frame in range(len(P)):
        p = P[frame]
        least = np.float32(0.1) * p.max()
        for k in range(low, high):
            if p[k] > least and p[k] > p[k - 1] and p[k] >= p[k + 1]:
                curve = p[k + 1] + p[k - 1] - 2 * p[k]
                slope = (p[k + 1] - p[k - 1]) / 2
                shift = np.float32(0 if abs(slope) >= abs(curve) else -slope / curve)
                pitches[count] = (k + shift) * rate / (2 * (len(p) - 1))
                strengths[count] = p[k] + np.float32(0.5 * slope) * shift
                count += 1
    return pitches[:count], strengths[:count]
