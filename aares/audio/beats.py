"""Onsets and tempo, from the levels of mel bands.

Used by notebook 06 through :mod:`aares.audio.features`.

References
----------
P. Grosche, M. Müller, F. Kurth: Cyclic tempogram, a mid-level tempo representation for music
signals. ICASSP 2010. D. Ellis: Beat tracking by dynamic programming. Journal of New Music Research
36(1), 2007 (the prior of the tempo, section 3.2).
"""

from __future__ import annotations

import numpy as np
import scipy.fft

from aares.audio.spectra import HOP, N_FFT, cut_frames

WINDOW_S = 8.0  # in which onsets repeat
LIKELIEST_BPM, SPREAD_OCTAVES = 120.0, 1.0
HIGHEST_BPM = 320.0


def measure_onsets(mel_db: np.ndarray) -> np.ndarray:
    """Return how much louder the bands become from frame to frame: the median of the rises.

    Parameters
    ----------
    mel_db : ndarray of float, shape (bands, frames)
        In dB.

    Returns
    -------
    ndarray of float, shape (frames,)
        In dB, 0 where most bands do not rise: what ``librosa.beat.beat_track`` calls the onset
        envelope.

    Examples
    --------
    >>> levels = np.zeros((3, 6))
    >>> levels[:, 1:] = [[4.0], [6.0], [9.0]]
    >>> measure_onsets(levels).tolist()  # shifted by half a window
    [0.0, 0.0, 0.0, 6.0, 0.0, 0.0]
    """
    delay = 1 + N_FFT // (2 * HOP)
    rises = np.maximum(np.diff(mel_db.T, axis=0), 0)
    return np.pad(np.median(rises, axis=1), (delay, 0))[: mel_db.shape[1]]


def estimate_tempo(onsets: np.ndarray, rate: int) -> float:
    """Return the tempo: the lag at which onsets repeat best, near 120 bpm rather than far.

    Parameters
    ----------
    onsets : ndarray of float, shape (frames,)
    rate : int
        Of the signal, in Hz.

    Returns
    -------
    float
        In beats a minute, 0 where there are no onsets: the tempo of ``librosa.beat.beat_track``.

    Examples
    --------
    >>> onsets = np.zeros(1292)
    >>> onsets[::22] = 1  # 0.51 s
    >>> round(estimate_tempo(onsets, 22050), 1)
    117.5
    """
    if not onsets.any():
        return 0.0
    lags = int(WINDOW_S * rate / HOP)
    ramps = np.pad(onsets, lags // 2, mode="linear_ramp")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(lags) / lags)
    frames = cut_frames(ramps, lags, 1)[: len(onsets)] * window
    energy = np.einsum("fl,fl->f", frames, frames)
    n_fft = scipy.fft.next_fast_len(2 * lags - 1, real=True)
    # All frames' autocorrelations, each relative to lag 0, have one mean: one inverse transform.
    powers = np.abs(scipy.fft.rfft(frames, n_fft, axis=1)) ** 2
    weights = np.where(energy < np.finfo(float).tiny, 1, 1 / np.maximum(energy, 1e-300))
    repeats = scipy.fft.irfft(weights @ powers, n_fft)[1:lags] / len(onsets)
    bpm = 60 * rate / (HOP * np.arange(1, lags))
    prior = -0.5 * (np.log2(bpm / LIKELIEST_BPM) / SPREAD_OCTAVES) ** 2
    prior[: np.argmax(bpm < HIGHEST_BPM)] = -np.inf
    return float(bpm[np.argmax(np.log1p(1e6 * np.maximum(repeats, 0)) + prior)])
