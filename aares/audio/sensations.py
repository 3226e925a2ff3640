"""What a sound feels like: sharpness after DIN 45692, roughness after Daniel and Weber.

Used by notebook 06 through :mod:`.descriptors`. The project's own: ``mosqito`` takes 40 s for the
30 s of a song that take a tenth of a second here, and checks these in the tests.

Conventions
-----------
`y` is mono, full scale is 1. A file does not say how loud it is played, so loudness-dependent
values assume it: a root mean square of 1 is `full_scale_db` above 20 micropascal. With the default
of 90 dB a full-scale sine is 87 dB, and a song of -16 dB re full scale is heard at 74 dB.

Frames are 0.2 s long, in a Blackman window [2]_; 10 a second overlap by half. Neither value is
defined where nothing is heard: a silent frame has 0, and sharpness is averaged over the others.

What the study's rate of 22,050 Hz loses is above 11 kHz: the last third octave of [3]_ (12.5 kHz)
and some of the one before it. White noise loses 4 % of its sharpness, pink noise 3 %, songs up to
2 %; roughness loses up to 1 %.

The hop of 0.1 s leaves sharpness as it is (0.3 % at most, against 80 frames a second, on 20 clips
of 20 s) and moves the mean roughness by 2 % (median; 10 % at most) and its standard deviation by
3 % (29 % at most); at 5 frames a second it would be 5 % and 9 %.

References
----------
.. [1] DIN 45692:2009, Measurement technique for the simulation of the auditory sensation of
   sharpness.
.. [2] P. Daniel and R. Weber, "Psychoacoustical roughness: implementation of an optimized model",
   Acustica 83, 1997. Figures 2 and 3, read off as mosqito (Apache-2.0) does.
.. [3] ISO 532-1:2017: :mod:`.loudness`.
.. [4] E. Terhardt, "Calculating virtual pitch", Hearing Research 1, 1979: slopes of excitation.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import scipy.fft
from numba import njit

from aares.audio.loudness import (
    BARK,
    REFERENCE_PA,
    STEP_BARK,
    FloatArray,
    spread_loudness,
    weigh_bands,
)

FULL_SCALE_DB = 90.0
FRAME_S = 0.2
FRAMES_PER_S = 10.0
LOUDEST = 100.0  # 40 dB above full scale: such samples were never divided by it
FAINT_SONE = 0.1  # below it DIN 45692 has no sharpness

N_CHANNELS = 47  # 1 Bark wide, half a Bark apart
PLACES = np.arange(1, N_CHANNELS + 1) / 2
LOWER_DB_PER_BARK = -27.0
CALIBRATION = 0.25  # [2]: a 1 kHz tone of 60 dB, fully modulated at 70 Hz, has 1 asper
N_ENVELOPE = 512  # samples of an envelope a frame: 2,560 Hz, four times what is rough
N_RATES = 130  # modulation rates up to 645 Hz, 5 Hz apart
FRAMES_AT_ONCE = 32

# Figure 2 of [2]: the rate in Hz at which each weight is reached, rising, then falling.
_RATE_WEIGHTS: dict[int, tuple[list[float], list[float]]] = {
    0: ([0, 17, 23, 25, 32, 37, 48, 67, 90, 114, 171, 206, 247, 294, 358],
        [0, 0.8, 0.95, 0.975, 1, 0.975, 0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.1, 0]),
    4: ([0, 32, 43, 56, 69, 92, 120, 142, 165, 231, 277, 331, 397, 502],
        [0, 0.8, 0.95, 1, 0.975, 0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.1, 0]),
    15: ([0, 23.5, 34, 47, 56, 63, 79, 100, 115, 135, 172, 215, 244, 290, 348, 415, 500, 645],
         [0, 0.4, 0.6, 0.8, 0.9, 0.95, 1, 0.975, 0.95, 0.9, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0]),
    20: ([0, 19, 44, 52.5, 58, 75, 101.5, 132.5, 165.5, 197.5, 241, 290, 348, 415, 500, 645],
         [0, 0.4, 0.8, 0.9, 0.95, 1, 0.95, 0.85, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0]),
    41: ([0, 15, 41, 49, 53, 64, 71, 88, 106, 137, 180, 238, 290, 348, 415, 500, 645],
         [0, 0.4, 0.8, 0.9, 0.965, 0.99, 1, 0.95, 0.85, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0]),
}  # fmt: skip
"""First channel that a curve is for -> the curve."""
_DEPTH_WEIGHTS = [
    0.15, 0.26, 0.38, 0.47, 0.54, 0.65, 0.76, 0.83, 0.9, 0.98, 0.98, 0.9, 0.8, 0.7, 0.62, 0.54,
    0.49, 0.43, 0.39, 0.35, 0.3, 0.3, 0.3, 0.3, 0.3,
]  # fmt: skip
"""Figure 3 of [2], at 0, 1, ... 24 Bark."""
_EAR_DB = (
    [10, 12, 13, 14, 15, 16, 16.5, 17, 18, 18.5, 19, 20, 21, 22, 22.5, 23, 23.5, 24, 25],
    [0, 1.15, 2.31, 3.85, 5.62, 6.92, 7.38, 6.92, 4.23, 2.31, 0, -1.43, -2.59, -5.19, -7.41, -11.3,
     -20, -40, -130],
)  # fmt: skip
_QUIET_DB = (
    [0, 0.01, 0.17, 0.8, 1, 1.5, 2, 3.3, 4, 5, 6, 8, 10, 12, 13.3, 15, 16, 17, 18, 19, 20, 21, 22,
     23, 24, 24.5, 25],
    [130, 70, 60, 30, 25, 20, 15, 10, 8.1, 6.3, 5, 3.5, 2.5, 1.7, 0, -2.5, -4, -3.7, -1.5, 1.4,
     3.8, 5, 7.5, 15, 48, 60, 130],
)  # fmt: skip


class _Ear(NamedTuple):
    """What does not depend on the sound, for each bin of a frame's spectrum or each channel."""

    bark: FloatArray
    gain: FloatArray
    threshold: FloatArray
    slope: FloatArray  # upwards, in dB a Bark, of a component of 0 dB
    floor: FloatArray  # of each channel
    rate_weights: FloatArray  # channels x rates
    depth_weights: FloatArray
    third_octaves: FloatArray  # bins x bands


def check_sound(y: np.ndarray, sr: float, *, least_s: float = FRAME_S) -> FloatArray:
    """Return a sound as float32, or say what is wrong with it.

    Parameters
    ----------
    y : ndarray of float, shape (n,)
    sr : float
        Sampling rate in Hz, at least 1,000.
    least_s : float
        What the caller needs, in seconds.

    Returns
    -------
    ndarray of float32, shape (n,)

    Raises
    ------
    ValueError
        Not one channel of finite samples, too short, or a rate that no music has.

    Examples
    --------
    >>> check_sound(np.zeros(100), 22_050)
    Traceback (most recent call last):
        ...
    ValueError: y: expected at least 0.2 s of sound (4410 samples at 22050 Hz), found 100 samples
    """
    if not isinstance(sr, (int, float, np.number)) or not 1000 <= sr < np.inf:
        raise ValueError(f"sr: expected a sampling rate of at least 1000 Hz, found {sr!r}")
    y = np.asarray(y)
    if y.ndim != 1 or y.dtype.kind not in "fiu":
        raise ValueError(
            f"y: expected one channel of numbers, shape (n,), found {y.dtype} of shape {y.shape}; "
            "average the channels first"
        )
    if y.dtype.kind != "f":
        raise ValueError(
            f"y: expected float samples between -1 and 1, found {y.dtype}; divide by full scale"
        )
    if len(y) < round(least_s * sr):
        raise ValueError(
            f"y: expected at least {least_s:g} s of sound ({round(least_s * sr)} samples at "
            f"{sr:g} Hz), found {len(y)} samples"
        )
    if not np.isfinite(y).all():
        where = int(np.flatnonzero(~np.isfinite(y))[0])
        raise ValueError(f"y: expected finite samples, found {y[where]} at sample {where}")
    if max(y.max(), -y.min()) > LOUDEST:
        raise ValueError(
            f"y: expected float samples between -1 and 1, found {y[np.abs(y).argmax()]}; divide by "
            "full scale"
        )
    return y.astype(np.float32, copy=False)


def follow_sharpness(
    y: np.ndarray,
    sr: float,
    *,
    full_scale_db: float = FULL_SCALE_DB,
    frames_per_s: float = FRAMES_PER_S,
) -> FloatArray:
    """Compute the sharpness of each frame: how far up the ear its loudness lies [1]_.

    Parameters
    ----------
    y : ndarray of float, shape (n,)
        Mono; at least 0.2 s.
    sr : float
        In Hz.
    full_scale_db : float
        Sound pressure level of a root mean square of 1.
    frames_per_s : float

    Returns
    -------
    ndarray of float, shape (frames,)
        In acum; 0 where a frame has less than 0.1 sone.

    Raises
    ------
    ValueError
        :func:`check_sound`.

    Examples
    --------
    A high tone is sharper than a low one of the same level.

    >>> time_s = np.arange(11_025) / 22_050
    >>> low, high = (np.sin(2 * np.pi * hz * time_s) for hz in (300, 6000))
    >>> float(follow_sharpness(low, 22_050).mean().round(1))
    0.5
    >>> float(follow_sharpness(high, 22_050).mean().round(1))
    5.1
    """
    blocks = _cut_spectra(y, sr, full_scale_db, frames_per_s)
    return np.concatenate([_weigh_loudness(spectra, ear) for spectra, ear in blocks])


def follow_roughness(
    y: np.ndarray,
    sr: float,
    *,
    full_scale_db: float = FULL_SCALE_DB,
    frames_per_s: float = FRAMES_PER_S,
) -> FloatArray:
    """Compute the roughness of each frame: fluctuation at 15 to 300 Hz, by critical bands [2]_.

    The envelope is that of the analytic signal, where [2]_ rectifies: so a low tone is not taken
    for a fluctuation at twice its own frequency (80 Hz at 70 dB: 0.00 asper, rectified 0.11), and
    512 samples a frame are enough. On music the two differ by about 1 %.

    Parameters
    ----------
    y : ndarray of float, shape (n,)
        Mono; at least 0.2 s.
    sr : float
        In Hz.
    full_scale_db : float
        Sound pressure level of a root mean square of 1.
    frames_per_s : float

    Returns
    -------
    ndarray of float, shape (frames,)
        In asper; 0 for silence.

    Raises
    ------
    ValueError
        :func:`check_sound`.

    Examples
    --------
    A tone of 1 kHz at 60 dB that comes and goes 70 times a second has 1 asper.

    >>> time_s = np.arange(11_025) / 22_050
    >>> y = (1 + np.sin(2 * np.pi * 70 * time_s)) * np.sin(2 * np.pi * 1000 * time_s)
    >>> follow_roughness(y / y.std(), 22_050, full_scale_db=60).round(1).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    blocks = _cut_spectra(y, sr, full_scale_db, frames_per_s)
    return np.concatenate([_fluctuate(spectra, ear) for spectra, ear in blocks])


def summarise_sensations(
    y: np.ndarray,
    sr: float,
    *,
    full_scale_db: float = FULL_SCALE_DB,
    frames_per_s: float = FRAMES_PER_S,
) -> dict[str, float]:
    """Compute mean sharpness, mean roughness and its standard deviation, of the same spectra.

    Parameters
    ----------
    y : ndarray of float, shape (n,)
        Mono; at least 0.2 s.
    sr : float
        In Hz.
    full_scale_db : float
        Sound pressure level of a root mean square of 1.
    frames_per_s : float

    Returns
    -------
    dict of str to float
        ``sharpness`` in acum, over the frames of at least 0.1 sone, 0 where there are none;
        ``roughness`` and ``roughness_std`` in asper, over all frames.

    Raises
    ------
    ValueError
        :func:`check_sound`.

    Examples
    --------
    >>> summarise_sensations(np.zeros(22_050), 22_050)
    {'sharpness': 0.0, 'roughness': 0.0, 'roughness_std': 0.0}
    """
    parts = [
        (_weigh_loudness(spectra, ear), _fluctuate(spectra, ear))
        for spectra, ear in _cut_spectra(y, sr, full_scale_db, frames_per_s)
    ]
    sharp, rough = (np.concatenate(part) for part in zip(*parts, strict=True))
    heard = sharp[sharp > 0]
    return {
        "sharpness": float(heard.mean()) if len(heard) else 0.0,
        "roughness": float(rough.mean()),
        "roughness_std": float(rough.std()),
    }


def _cut_spectra(
    y: np.ndarray, sr: float, full_scale_db: float, frames_per_s: float
) -> Iterator[tuple[np.ndarray, _Ear]]:
    """Yield spectra of some frames: a sine of one pascal (root mean square) has a bin of 1."""
    y = check_sound(y, sr)
    if not 0 < frames_per_s <= sr:
        raise ValueError(f"frames_per_s: expected more than 0 and at most sr, found {frames_per_s}")
    n = round(FRAME_S * sr)
    window = np.blackman(n)
    pascal = REFERENCE_PA * 10 ** (full_scale_db / 20)
    window = (window * (pascal * np.sqrt(2) / window.sum())).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(y, n)[:: round(sr / frames_per_s)]
    ear = _build_ear(n, float(sr))
    for start in range(0, len(frames), FRAMES_AT_ONCE):
        yield scipy.fft.rfft(frames[start : start + FRAMES_AT_ONCE] * window), ear


@lru_cache(maxsize=4)
def _build_ear(n: int, sr: float) -> _Ear:
    hz = np.arange(n // 2 + 1) * sr / n
    bark = 13 * np.arctan(0.00076 * hz) + 3.5 * np.arctan((hz / 7500) ** 2)
    quiet_db = np.where(bark < 24, np.interp(bark, *_QUIET_DB), np.inf)  # 24 Bark: no channel
    rates_hz = np.arange(N_RATES) * sr / n
    starts = [*_RATE_WEIGHTS, N_CHANNELS]
    curves = [np.interp(rates_hz, rate, weight) for rate, weight in _RATE_WEIGHTS.values()]
    rate_weights = np.repeat(curves, np.diff(starts), axis=0)
    rate_weights[:, :2] = 0  # the window's own shape
    window = np.blackman(n)
    spread = window.sum() ** 2 / (n * (window**2).sum())  # of a bin's power over its neighbours
    return _Ear(
        bark.astype(np.float32),
        (10 ** (np.interp(bark, *_EAR_DB) / 20)).astype(np.float32),
        (REFERENCE_PA * 10 ** (quiet_db / 20)).astype(np.float32),
        (-24 - 230 / np.maximum(hz, 1.0)).astype(np.float32),
        (REFERENCE_PA * 10 ** (np.interp(PLACES, *_QUIET_DB) / 20)).astype(np.float32),
        rate_weights.astype(np.float32),
        np.interp(PLACES, np.arange(25), _DEPTH_WEIGHTS),
        weigh_bands(hz) * spread,
    )


# --- sharpness -------------------------------------------------------------------------------


def _weigh_loudness(spectra: np.ndarray, ear: _Ear) -> FloatArray:
    """Return the sharpness of each spectrum, in acum."""
    power = np.square(np.abs(spectra), dtype=float) @ ear.third_octaves
    loudness, specific = spread_loudness(power)
    weight = np.where(BARK > 15.8, 0.15 * np.exp(0.42 * (BARK - 15.8)) + 0.85, 1)
    moment = 0.11 * STEP_BARK * (specific @ (weight * BARK))
    return np.where(loudness >= FAINT_SONE, moment / np.maximum(loudness, FAINT_SONE), 0)


# --- roughness -------------------------------------------------------------------------------


def _fluctuate(spectra: np.ndarray, ear: _Ear) -> FloatArray:
    """Return the roughness of each spectrum, in asper."""
    spectra = spectra * ear.gain
    excited = np.zeros((len(spectra), N_CHANNELS, N_ENVELOPE), np.complex64)
    _excite(spectra, ear.bark, ear.threshold, ear.slope, ear.floor, excited)
    envelopes = np.abs(scipy.fft.ifft(excited, norm="forward"))
    waves = scipy.fft.rfft(envelopes, norm="forward")[..., :N_RATES]
    mean = waves[..., 0].real.astype(float)
    waves = waves * ear.rate_weights
    power = 2 * _multiply(waves, waves)
    depth = np.minimum(np.sqrt(power) / np.maximum(mean, REFERENCE_PA * 1e-6), 1)
    energy = np.sqrt(power[:, 2:] * power[:, :-2])
    alike = 2 * _multiply(waves[:, 2:], waves[:, :-2]) / np.maximum(energy, 1e-30)
    alike = np.where(energy > 1e-30, alike, 0)
    depth[:, :-2] *= alike  # with the channel a Bark above,
    depth[:, 2:] *= alike  # and the one below
    return CALIBRATION * (depth**2 @ ear.depth_weights)


def _multiply(a: np.ndarray, b: np.ndarray) -> FloatArray:
    """Return the real part of the inner products of complex rows."""
    real = np.einsum("ijk,ijk->ij", a.real, b.real, dtype=float)
    return real + np.einsum("ijk,ijk->ij", a.imag, b.imag, dtype=float)


@njit(cache=True)
def _excite(
    spectra: np.ndarray,
    bark: np.ndarray,
    threshold: np.ndarray,
    slope: np.ndarray,
    floor: np.ndarray,
    excited: np.ndarray,
) -> None:
    """Add each audible component to its two channels, and weaker to all others it spreads to.

    Outside its window a channel hears what reaches the window's nearer border, which is the place
    of the next channel. An envelope does not change with a shift in frequency, so bins are
    counted modulo the length of the envelope.
    """
    n_channels, length = excited.shape[1:]
    down = np.float32(10 ** (LOWER_DB_PER_BARK / 40))
    for frame in range(len(spectra)):
        for k in range(len(bark)):
            component = spectra[frame, k]
            level = np.abs(component)
            if level <= threshold[k]:
                continue
            at, unit = k % length, component / level
            below, above = int(np.floor(2 * bark[k])) - 1, int(np.ceil(2 * bark[k])) - 1
            if below >= 0:
                excited[frame, below, at] += component
            if above != below and above < n_channels:
                excited[frame, above, at] += component
            amplitude = level * np.float32(
                10 ** (LOWER_DB_PER_BARK / 20 * (bark[k] - (below + 1) / 2))
            )
            for channel in range(below - 1, -1, -1):
                if amplitude > floor[channel + 1]:
                    excited[frame, channel, at] += unit * amplitude
                amplitude *= down
            level_db = 20 * np.log10(level / REFERENCE_PA)
            up = min(slope[k] + 0.2 * level_db, 0.0) / 20
            amplitude = level * np.float32(10 ** (up * ((above + 1) / 2 - bark[k])))
            step = np.float32(10 ** (up / 2))
            for channel in range(above + 1, n_channels):
                if amplitude > floor[channel - 1]:
                    excited[frame, channel, at] += unit * amplitude
                amplitude *= step
