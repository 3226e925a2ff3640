"""The edges of a song: what is heard in its last ten seconds, and in its first.

Used by notebook ``06_chainable`` through :mod:`.joins`. Silence is trimmed at the join, where a
listener waits through it; what is left is described from the join outwards.

Conventions: signals are mono at :data:`RATE_HZ`; frames of 2,048 samples, 25 ms apart, none of them
reaching over the join. In an :class:`Edge` row 0 lies at the join, so those of an end run
backwards. Cells are four frames, 0.1 s. Levels are in dB below full scale.

References
----------
.. [1] M. Mueller, "Fundamentals of Music Processing", 2015: sections 3.1 (chroma), 4.2 (likeness of
   frames), 6.2 (periodicity of onsets).
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.fft import dct, rfft

from aares.errors import AudioError

Floats = npt.NDArray[np.float32]

RATE_HZ = 22_050
N_FFT, HOP, CELL = 2048, 551, 4
LONGEST_S, SHORTEST_S = 10.0, 0.5
SCALES_S = (0.25, 1.0, 3.0, 10.0)
"""From the join outwards."""
FRAME_RATE = RATE_HZ / HOP
STEP_S = CELL * HOP / RATE_HZ
NEAREST_S = (N_FFT + (CELL - 1) * HOP) / RATE_HZ
"""From the middle of A's last cell to that of B's first, where no gap is between them."""
N_CELLS = ((int(LONGEST_S * RATE_HZ) - N_FFT) // HOP + 1) // CELL
N_CHANGES = 40  # lags, in cells: 4 s

FLOOR_DB = -100.0
SILENCE_DB, BELOW_PEAK_DB = -70.0, 50.0
N_MEL, N_MFCC, N_BANDS, N_CHROMA = 40, 20, 8, 36
LOG_HZ = 50.0  # added before a logarithm of Hz, so that silence is not infinitely low
SHAPE = ("level", "centroid", "bandwidth", "rolloff", "flatness", "flux")
"""Level in dB; frequencies in octaves; flatness in dB, 0 where all bands are as strong; flux in dB
a frame, the mean rise of the bands."""
STATISTICS = (*SHAPE, *(f"mfcc{i}" for i in range(1, N_MFCC + 1)))
VIEWS = ("timbre", "notes", "onsets")
BEAT_S, USUAL_BEAT_S = (0.25, 1.5), 0.5
N_PERIODS = int(2.5 * FRAME_RATE)


class Edge(NamedTuple):
    """What is heard at one side of a join.

    Attributes
    ----------
    statistics : ndarray of float32, shape (4, 26, 2)
        Mean and spread of :data:`STATISTICS` within each of :data:`SCALES_S`.
    mel : ndarray of float32, shape (4, 40)
        Mean level of the mel bands in dB.
    chroma : ndarray of float32, shape (4, 36)
        Mean of the logarithm of a third of a semitone's power.
    extremes : ndarray of float32, shape (2, 40)
        What each mel band nearly always exceeds, and nearly never, in dB: deciles.
    cells : ndarray of float32, shape (99, 40)
        Mel bands in dB; 0 beyond `n_cells`.
    timbre, notes, onsets : ndarray of float32, shape (99, ...)
        Three views of the cells, less their mean, of length 1.
    lags : ndarray of float32, shape (3, 99)
        Mean likeness (cosine) of two cells so far apart, in each view.
    changes : ndarray of float32, shape (40,)
        Mean distance of two cells so far apart, in dB.
    periods : ndarray of float32, shape (100,)
        Autocorrelation of the onsets, in frames.
    beat : ndarray of float32, shape (3,)
        Period in s, how sure it is (0-1), and from the join to the first beat in s.
    n_cells : int
    """

    statistics: Floats
    mel: Floats
    chroma: Floats
    extremes: Floats
    cells: Floats
    timbre: Floats
    notes: Floats
    onsets: Floats
    lags: Floats
    changes: Floats
    periods: Floats
    beat: Floats
    n_cells: int


def describe_end(y: npt.ArrayLike) -> Edge:
    """Describe the end of a song, from its last sound backwards.

    Parameters
    ----------
    y : array-like of float, shape (n,)
        Mono at :data:`RATE_HZ`: the song, or its last seconds. Of what is not silent at the end,
        ten seconds are heard, or as many as there are.

    Returns
    -------
    Edge

    Raises
    ------
    AudioError
        It is silent, shorter than half a second, of several channels, or not finite.

    Examples
    --------
    >>> y = np.zeros(RATE_HZ, dtype=np.float32)
    >>> y[:-2000] = 0.1 * np.random.default_rng(0).standard_normal(RATE_HZ - 2000)
    >>> edge = describe_end(y)  # white noise at -20 dB, whatever silence follows
    >>> bool(abs(edge.statistics[0, 0, 0] + 15) < 2), edge.n_cells
    (True, 8)
    """
    sound = _check(y)
    heard = _find_sound(sound[::-1])
    return _describe(_require_length(sound[: len(sound) - heard])[-int(LONGEST_S * RATE_HZ) :], -1)


def describe_start(y: npt.ArrayLike) -> Edge:
    """Describe the start of a song, from its first sound on.

    Parameters
    ----------
    y : array-like of float, shape (n,)
        Mono at :data:`RATE_HZ`: the song, or its first seconds.

    Returns
    -------
    Edge

    Raises
    ------
    AudioError
        As of :func:`describe_end`.

    Examples
    --------
    >>> t = np.arange(2 * RATE_HZ) / RATE_HZ
    >>> clicks = np.sin(2 * np.pi * 440 * t) * (t % 0.5 < 0.05)
    >>> period, confidence, first = describe_start(clicks).beat
    >>> round(float(period), 2)
    0.5
    >>> describe_start(np.zeros(RATE_HZ))
    Traceback (most recent call last):
        ...
    aares.errors.AudioError: expected sound, found silence
    """
    sound = _check(y)
    return _describe(_require_length(sound[_find_sound(sound) :])[: int(LONGEST_S * RATE_HZ)], 1)


def equalise(y: npt.ArrayLike, *, highest_hz: float = 5000.0, level_db: float = -20.0) -> Floats:
    """Take from a piece of sound what its mastering gave it: its level and its highest band.

    Parameters
    ----------
    y : array-like of float, shape (n,)
        Mono at :data:`RATE_HZ`.
    highest_hz : float
        Nothing is left above.
    level_db : float
        Root mean square of the result in dB below full scale; silence stays silent.

    Returns
    -------
    ndarray of float32, shape (n,)

    Examples
    --------
    >>> y = np.random.default_rng(0).standard_normal(RATE_HZ)
    >>> round(float(20 * np.log10(np.sqrt(np.mean(equalise(y) ** 2)))), 3)
    -20.0
    """
    x = np.asarray(y, dtype=np.float64)
    spectrum = np.fft.rfft(x)
    spectrum[np.fft.rfftfreq(len(x), 1 / RATE_HZ) > highest_hz] = 0
    x = np.fft.irfft(spectrum, len(x))
    power = np.sqrt(np.mean(x**2))
    return (x * (10 ** (level_db / 20) / power if power > 0 else 0.0)).astype(np.float32)


def _check(y: npt.ArrayLike) -> Floats:
    x = np.asarray(y)
    if x.ndim != 1 or x.dtype.kind not in "fiu":
        raise AudioError(f"expected one channel of samples, found {x.dtype}, shape {x.shape}")
    if not np.isfinite(x).all():
        raise AudioError("expected finite samples, found NaN or infinity")
    return _require_length(x.astype(np.float32))


def _require_length(y: Floats) -> Floats:
    if len(y) < SHORTEST_S * RATE_HZ:
        found = f"found {len(y) / RATE_HZ:.2f} s"
        raise AudioError(f"expected at least {SHORTEST_S} s of sound, {found}")
    return y


def _find_sound(y: Floats) -> int:
    """Return where sound begins: 50 dB below the loudest frame, or at -70 dB."""
    n = len(y) // HOP
    power = np.mean(y[: n * HOP].reshape(n, HOP) ** 2, axis=1, dtype=np.float64)
    level = 10 * np.log10(power + 1e-12)
    heard = np.flatnonzero(level > max(level.max() - BELOW_PEAK_DB, SILENCE_DB))
    if not len(heard):
        raise AudioError("expected sound, found silence")
    return int(heard[0]) * HOP


@cache
def _make_filters() -> tuple[Floats, Floats, Floats, Floats]:
    """Return the window, the mel and the chroma filters, and the frequencies of the bins."""
    import librosa  # half a second, which nobody else need wait for

    window = np.hanning(N_FFT + 1)[:-1].astype(np.float32)
    mel = librosa.filters.mel(sr=RATE_HZ, n_fft=N_FFT, n_mels=N_MEL, norm=None).T
    chroma = librosa.filters.chroma(sr=RATE_HZ, n_fft=N_FFT, n_chroma=N_CHROMA, tuning=0.0).T
    hz = np.fft.rfftfreq(N_FFT, 1 / RATE_HZ).astype(np.float32)
    return window, np.ascontiguousarray(mel), np.ascontiguousarray(chroma), hz


def _describe(y: Floats, direction: int) -> Edge:
    """Describe a piece of sound; row 0 is its first frame, or its last where time runs back."""
    window, mel_filters, chroma_filters, hz = _make_filters()
    frames = np.lib.stride_tricks.sliding_window_view(y, N_FFT)[::direction][::HOP]
    power = np.abs(rfft(frames * window, axis=1)) ** 2 * np.float32((2 / window.sum()) ** 2)
    mel = _to_db(power @ mel_filters)
    chroma = np.log1p(1e6 * (power @ chroma_filters))
    rises = _measure_rises(mel, direction)
    values = np.column_stack([
        _measure_shape(power, mel, hz), rises.mean(axis=1),
        dct(mel, axis=1, norm="ortho")[:, :N_MFCC] / np.sqrt(N_MEL),
    ])  # fmt: skip
    counts = [max(int((s * RATE_HZ - N_FFT) / HOP) + 1, 1) for s in SCALES_S]
    cells, notes, onsets = (
        x[: len(x) // CELL * CELL].reshape(-1, CELL, x.shape[1]).mean(axis=1)[:N_CELLS]
        for x in (mel, chroma.reshape(-1, 12, 3).sum(axis=2), rises)
    )
    views = [_centre(x) for x in (cells, notes, onsets.reshape(len(onsets), N_BANDS, -1).mean(2))]
    periods, beat = _find_beat(rises.mean(axis=1))
    return Edge(
        np.array([[values[:n].mean(0), values[:n].std(0)] for n in counts], np.float32).mT,
        np.array([mel[:n].mean(axis=0) for n in counts], np.float32),
        np.array([chroma[:n].mean(axis=0) for n in counts], np.float32),
        np.percentile(mel, [10, 90], axis=0).astype(np.float32),
        _pad(cells), _pad(views[0]), _pad(views[1]), _pad(views[2]),
        np.array([_compare_lags(view, N_CELLS) for view in views], np.float32),
        _measure_changes(np.ascontiguousarray(cells), N_CHANGES).astype(np.float32),
        periods, beat, len(cells),
    )  # fmt: skip


def _measure_shape(power: Floats, mel: Floats, hz: Floats) -> Floats:
    """Return all of SHAPE but the flux, for each frame."""
    total = power.sum(axis=1) + 1e-10
    share = power / total[:, None]
    centroid = share @ hz
    width = np.sqrt(np.maximum(share @ hz**2 - centroid**2, 0))
    rolloff = hz[np.minimum((np.cumsum(share, axis=1) < 0.85).sum(axis=1), len(hz) - 1)]
    flatness = mel.mean(axis=1) - _to_db(total / N_MEL)
    octaves = np.log2(np.column_stack([centroid, width, rolloff]) + LOG_HZ)
    return np.column_stack([_to_db(total), octaves, flatness])


def _measure_rises(mel: Floats, direction: int) -> Floats:
    """Return how much each band rose above the frame before it, in time."""
    if direction > 0:
        return np.maximum(mel - np.vstack([mel[:1], mel[:-1]]), 0)
    return np.maximum(mel - np.vstack([mel[1:], mel[-1:]]), 0)


def _to_db(power: Floats) -> Floats:
    return np.asarray(10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10))))


def _centre(cells: Floats) -> Floats:
    x = cells - cells.mean(axis=0)
    return (x / (np.sqrt((x**2).sum(axis=1, keepdims=True)) + 1e-3)).astype(np.float32)


def _pad(cells: Floats) -> Floats:
    full = np.zeros((N_CELLS, cells.shape[1]), np.float32)
    full[: len(cells)] = cells
    return full


@njit(cache=True)
def _compare_lags(cells, n_lags):
    """Return the mean product of cells at each lag; NaN where there are none so far apart."""
    n, width = cells.shape
    found = np.full(n_lags, np.nan)
    for lag in range(n):
        total = 0.0
        for i in range(n - lag):
            for k in range(width):
                total += cells[i, k] * cells[i + lag, k]
        found[lag] = total / (n - lag)
    return found


@njit(cache=True)
def _measure_changes(cells, n_lags):
    """Return the mean distance of cells at each lag; NaN where there are none so far apart."""
    n, width = cells.shape
    found = np.full(n_lags, np.nan)
    for lag in range(min(n, n_lags)):
        total = 0.0
        for i in range(n - lag):
            square = 0.0
            for k in range(width):
                square += (cells[i, k] - cells[i + lag, k]) ** 2
            total += np.sqrt(square / width)
        found[lag] = total / (n - lag)
    return found


def _find_beat(flux: Floats) -> tuple[Floats, Floats]:
    """Return the autocorrelation of the onsets, and period, confidence and first beat of it.

    Tempos near 120 are preferred; a parabola through the peak refines the period.
    """
    x = np.asarray(flux - flux.mean(), dtype=np.float64)
    n = len(x)
    product = np.fft.irfft(np.abs(np.fft.rfft(x, 2 * n)) ** 2)[:n] / np.arange(n, 0, -1)
    periods = np.full(N_PERIODS, np.nan, np.float32)
    shortest, longest = (int(s * FRAME_RATE) for s in BEAT_S)
    longest = min(longest, n - 2)
    if product[0] <= 1e-9 or longest <= shortest + 2:
        return periods, np.array([np.nan, 0.0, np.nan], np.float32)
    product = product / product[0]
    periods[: min(N_PERIODS, n)] = product[:N_PERIODS]
    lags = np.arange(shortest, longest)
    usual = np.exp(-0.5 * np.log2(lags / FRAME_RATE / USUAL_BEAT_S) ** 2)
    best = int(lags[np.argmax(product[lags] * usual)])
    left, top, right = product[best - 1 : best + 2]
    bend = left - 2 * top + right
    shift = np.clip(0.5 * (left - right) / bend, -0.5, 0.5) if bend < 0 else 0.0
    period = (best + shift) / FRAME_RATE
    wave = np.sum(x * np.exp(-2j * np.pi * np.arange(n) / FRAME_RATE / period))
    first = -np.angle(wave) / (2 * np.pi) * period % period
    return periods, np.array([period, max(top, 0.0), first], np.float32)
