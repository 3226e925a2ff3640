"""What the slides keep beside the 27 features: flux, band energy, pitch, sharpness, roughness.

Used by notebook 06 through ``aares.audio.features``. The list is that of [1]_; where it leaves a
choice open (where the bands part, what the flux is relative to), `ROWS` says what is taken here.

Conventions
-----------
`magnitude` is a magnitude spectrogram, shape (1 + n_fft / 2, frames), of a Hann window as
``librosa.stft`` makes it (n_fft 2048, hop 512), so that whoever has one need not make another. All
values but those of :mod:`.sensations` are the same at any level. What needs a sound is 0 for
silence: these are inputs of networks and distances, and NaN would spread.

References
----------
.. [1] M. F. McKinney and J. Breebaart, "Features for audio and music classification", ISMIR 2003.
.. [2] E. Scheirer and M. Slaney, "Construction and evaluation of a robust multifeature speech/music
   discriminator", ICASSP 1997.
.. [3] D. Li, I. K. Sethi, N. Dimitrova and T. McGee, "Classification of general audio data for
   content-based retrieval", Pattern Recognition Letters 22, 2001.
.. [4] P. Boersma, "Accurate short-term analysis of the fundamental frequency and the
   harmonics-to-noise ratio of a sampled sound", IFA Proceedings 17, 1993.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.fft

from aares.audio.loudness import FloatArray
from aares.audio.sensations import FULL_SCALE_DB, check_sound, summarise_sensations
from aares.audio.spectra import compute_spectrogram

SPLIT_HZ = 2000.0
PITCH_HZ = (60.0, 1000.0)
HIGHEST_PARTIAL_HZ = 4000.0  # above, a lag of a sample is too coarse
OCTAVE_COST = 0.01  # [4]_: what an octave up is preferred by, against half and third pitches
SILENCE = 1e-6  # magnitude of a bin, of 512 at full scale: 16-bit dither is a hundred times that


class FeatureRow(NamedTuple):
    """A row of the table of features."""

    name: str
    unit: str
    formula: str
    reference: str


ROWS = (
    FeatureRow(
        "spectral_flux",
        "1",
        "sum over t of |M(t) - M(t-1)|, over sum of |M(t)| (2-norms of magnitude spectra)",
        "Scheirer and Slaney 1997, relative to the mean spectrum",
    ),
    FeatureRow(
        "band_energy_ratio",
        "1",
        "mean of E(f < 2 kHz) / E over frames that are not silent",
        "Li et al. 2001, two bands",
    ),
    FeatureRow(
        "pitch",
        "Hz",
        "2 ^ mean of log2 f0, weighted by pitch strength; f0 = 1 / lag of the highest peak of the "
        "autocorrelation below 4 kHz, 60 to 1000 Hz",
        "Boersma 1993",
    ),
    FeatureRow(
        "pitch_strength",
        "1",
        "mean of r(1 / f0) / r(0), r the autocorrelation over that of the window",
        "Boersma 1993",
    ),
    FeatureRow(
        "sharpness",
        "acum",
        "mean of 0.11 / N * integral of N'(z) g(z) z dz over frames of at least 0.1 sone",
        "DIN 45692:2009, N' after ISO 532-1:2017",
    ),
    FeatureRow(
        "roughness",
        "asper",
        "mean of 0.25 * sum over 47 channels of g(z) (m k(z-1) k(z+1))^2, m the depth of the "
        "weighted envelope, k its correlation with that of a channel 1 Bark away",
        "Daniel and Weber 1997",
    ),
    FeatureRow(
        "roughness_std",
        "asper",
        "standard deviation of roughness over 10 frames a second",
        "McKinney and Breebaart 2003",
    ),
)


def describe_sound(
    y: np.ndarray,
    sr: float,
    magnitude: np.ndarray | None = None,
    *,
    full_scale_db: float = FULL_SCALE_DB,
) -> dict[str, float]:
    """Compute the seven numbers of `ROWS`.

    Parameters
    ----------
    y : ndarray of float, shape (n,)
        Mono, full scale is 1; at least 0.2 s.
    sr : float
        In Hz; the study's is 22,050.
    magnitude : ndarray of float, shape (bins, frames), optional
        Of `y`; by default it is made.
    full_scale_db : float
        Sound pressure level of a root mean square of 1, for sharpness and roughness.

    Returns
    -------
    dict of str to float
        All finite.

    Raises
    ------
    ValueError
        The sound or the spectrogram is not what it should be.

    Examples
    --------
    >>> time_s = np.arange(22_050) / 22_050
    >>> described = describe_sound(0.1 * np.sin(2 * np.pi * 440 * time_s), 22_050)
    >>> {name: round(described[name], 2) for name in ("pitch", "pitch_strength", "sharpness")}
    {'pitch': 440.0, 'pitch_strength': 1.0, 'sharpness': 0.58}
    """
    y = check_sound(y, sr)
    magnitude = compute_spectrogram(y) if magnitude is None else _check_magnitude(magnitude)
    pitch, strength = find_pitch(magnitude, sr)
    return {
        "spectral_flux": measure_flux(magnitude),
        "band_energy_ratio": measure_band_ratio(magnitude, sr),
        "pitch": pitch,
        "pitch_strength": strength,
        **summarise_sensations(y, sr, full_scale_db=full_scale_db),
    }


def measure_flux(magnitude: np.ndarray) -> float:
    """Return the spectral flux (delta spectrum magnitude): how much a frame differs from the last.

    The mean 2-norm of the differences [2]_ over that of the frames, so that the level does not
    matter, and frames that are nearly silent do not either.

    Parameters
    ----------
    magnitude : ndarray of float, shape (bins, frames)

    Returns
    -------
    float
        0 where nothing changes, and for silence or a single frame; about 1.4 for clicks that share
        no frame; never above 2.

    Raises
    ------
    ValueError
        Not a magnitude spectrogram.

    Examples
    --------
    >>> measure_flux(np.ones((1025, 3)))
    0.0
    >>> round(measure_flux(np.eye(1025)[:, :100]), 2)
    1.4
    """
    magnitude = _check_magnitude(magnitude)
    squares = np.einsum("ij,ij->j", magnitude, magnitude)
    change = np.diff(magnitude, axis=1)
    change = np.sqrt(np.einsum("ij,ij->j", change, change))
    total = float(np.sqrt(squares).sum(dtype=float))
    return float(change.sum(dtype=float)) / total if total > 0 else 0.0


def measure_band_ratio(magnitude: np.ndarray, sr: float, *, split_hz: float = SPLIT_HZ) -> float:
    """Return the share of the energy that lies below a frequency, averaged over frames.

    Parameters
    ----------
    magnitude : ndarray of float, shape (bins, frames)
    sr : float
        In Hz.
    split_hz : float
        Where the lower band ends.

    Returns
    -------
    float
        0 to 1; 0 for silence.

    Raises
    ------
    ValueError
        Not a magnitude spectrogram.

    Examples
    --------
    Of white noise up to 11,025 Hz, 2,000 Hz are 18 %.

    >>> round(measure_band_ratio(np.ones((1025, 3)), 22_050), 2)
    0.18
    """
    magnitude = _check_magnitude(magnitude)
    n_low = int(np.ceil(split_hz / (sr / 2) * (len(magnitude) - 1)))
    low = np.einsum("ij,ij->j", magnitude[:n_low], magnitude[:n_low])
    total = low + np.einsum("ij,ij->j", magnitude[n_low:], magnitude[n_low:])
    heard = total > len(magnitude) * SILENCE**2
    return float((low[heard] / total[heard]).mean(dtype=float)) if heard.any() else 0.0


def find_pitch(magnitude: np.ndarray, sr: float) -> tuple[float, float]:
    """Return the pitch and how clear it is, from the autocorrelation of each frame [4]_.

    The autocorrelation is the inverse transform of the power spectrum, up to 4 kHz; divided by that
    of the window, it stays 1 at each period of a periodic sound. Of several notes at once it hears
    their common period or the strongest.

    Parameters
    ----------
    magnitude : ndarray of float, shape (bins, frames)
        Of a Hann window.
    sr : float
        In Hz.

    Returns
    -------
    pitch_hz : float
        Geometric mean over frames, weighted by strength; 0 where no frame has any.
    strength : float
        Mean over frames that are not silent, 0 (noise) to 1 (periodic); 0 for silence.

    Raises
    ------
    ValueError
        Not a magnitude spectrogram, or its frames are shorter than two periods of 60 Hz.

    Examples
    --------
    >>> time_s = np.arange(22_050) / 22_050
    >>> saw = np.sin(2 * np.pi * np.outer(np.arange(1, 9) * 220, time_s)).sum(axis=0)
    >>> pitch, strength = find_pitch(compute_spectrogram(saw), 22_050)
    >>> round(pitch), round(strength, 2)
    (220, 0.99)
    """
    magnitude = _check_magnitude(magnitude)
    n_fft = 2 * (len(magnitude) - 1)
    shortest, longest = int(sr / PITCH_HZ[1]), int(np.ceil(sr / PITCH_HZ[0]))
    if longest > n_fft // 2 - 2:
        raise ValueError(
            f"magnitude: expected frames of at least {2 * longest + 4} samples, two periods of "
            f"{PITCH_HZ[0]:g} Hz at {sr:g} Hz, found {n_fft}"
        )
    power = np.square(magnitude[: int(HIGHEST_PARTIAL_HZ * n_fft / sr) + 1].T)
    r = scipy.fft.irfft(power, n_fft)[:, : longest + 2]
    heard = r[:, 0] * n_fft > len(magnitude) * SILENCE**2
    if not heard.any():
        return 0.0, 0.0
    r = r[heard]
    r = r / (r[:, :1] * _correlate_hann(n_fft)[: longest + 2])
    lag, strength = _find_peaks(r, shortest, longest)
    weight = strength.sum()
    pitch_hz = 2 ** (strength @ np.log2(sr / lag) / weight) if weight > 0 else 0.0
    return float(pitch_hz), float(strength.mean())


def _correlate_hann(n_fft: int) -> FloatArray:
    """Return the circular autocorrelation of a Hann window, 1 at lag 0."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    correlation = np.fft.irfft(np.abs(np.fft.rfft(window)) ** 2, n_fft)
    return (correlation / correlation[0]).astype(np.float32)


def _find_peaks(r: FloatArray, shortest: int, longest: int) -> tuple[FloatArray, FloatArray]:
    """Return lag (between samples, by a parabola) and height of the highest peak of each row."""
    lags = np.arange(shortest, longest + 1)
    middle = r[:, shortest : longest + 1]
    before, after = r[:, shortest - 1 : longest], r[:, shortest + 1 : longest + 2]
    favour = (OCTAVE_COST * np.log2(longest / lags)).astype(np.float32)
    is_peak = (middle >= before) & (middle > after) & (middle > 0)
    shift = (after - before) / (2 * np.where(is_peak, 2 * middle - before - after, np.inf))
    height = np.where(is_peak, middle + (after - before) * shift / 4, 0)
    best = np.where(is_peak, height + favour, 0).argmax(axis=1)
    rows = np.arange(len(r))
    return lags[best] + shift[rows, best], np.clip(height[rows, best], 0, 1).astype(float)


def _check_magnitude(magnitude: np.ndarray) -> FloatArray:
    magnitude = np.asarray(magnitude)
    if magnitude.ndim != 2 or magnitude.dtype.kind != "f" or 0 in magnitude.shape:
        raise ValueError(
            "magnitude: expected floats of shape (bins, frames), the absolute value of an STFT, "
            f"found {magnitude.dtype} of shape {magnitude.shape}"
        )
    if not np.isfinite(magnitude.sum(dtype=float)) or magnitude.min() < 0:
        raise ValueError(
            "magnitude: expected finite values of at least 0, found "
            f"{magnitude[~(magnitude >= 0) | np.isinf(magnitude)][0]}"
        )
    return magnitude
