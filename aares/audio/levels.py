"""How loud a programme is, and how high its waveform reaches between the samples.

Used by the labelling page, which plays every piece of music equally loud. What a critical band
hears of steady sound is another matter: :mod:`.loudness`.

Conventions: signals are float in [-1, 1], shape (n, channels), one or two channels, of a rate in
Hz; loudness is in LUFS, a waveform's reach in dB below full scale.

References
----------
.. [1] ITU-R BS.1770-5, Algorithms to measure audio programme loudness and true-peak audio level,
   2023: annex 1 (K-weighting, gated loudness), annex 2 (true peak).
.. [2] B. De Man, "Evaluation of Implementations of the EBU R128 Loudness Measurement", AES
   Convention 145, 2018: section 2 (the filters at any rate).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from scipy.signal import resample_poly, sosfilt

from aares.errors import AudioError

Floats = npt.NDArray[np.floating]

BLOCK_S, STEP_S = 0.4, 0.1
ABSOLUTE_LUFS, RELATIVE_LU = -70.0, -10.0
OVERSAMPLING = 4
LOOK_S = 0.005  # how long before and after a peak it is turned down
ROUNDS = 4  # of levelling: what a limiter takes away is given back


def measure_lufs(y: Floats, sr: int) -> float:
    """Measure the integrated loudness of a programme [1]_.

    Parameters
    ----------
    y : ndarray of float, shape (n, channels)
        One channel or two, 0.4 s at least.
    sr : int
        In Hz.

    Returns
    -------
    float
        In LUFS; minus infinity where nothing reaches -70.

    Raises
    ------
    AudioError
        It is shorter than a block, of more channels, or not finite.

    Examples
    --------
    A tone of 997 Hz at full scale in one of two channels has -3.01 LUFS [1]_.

    >>> t = np.arange(48_000) / 48_000
    >>> y = np.column_stack([np.sin(2 * np.pi * 997 * t), 0 * t])
    >>> round(measure_lufs(y, 48_000), 2)
    -3.01
    """
    y = _check(y, sr)
    weighted = sosfilt(_make_weighting(sr), y, axis=0)
    step = round(STEP_S * sr)
    n_steps = len(y) // step
    power = (weighted[: n_steps * step] ** 2).sum(axis=1).reshape(n_steps, step).mean(axis=1)
    per_block = round(BLOCK_S / STEP_S)
    blocks = np.convolve(power, np.full(per_block, 1 / per_block), "valid")
    loud = blocks[_to_lufs(blocks) > ABSOLUTE_LUFS]
    if not len(loud):
        return -np.inf
    gate = _to_lufs(loud.mean()) + RELATIVE_LU
    return float(_to_lufs(loud[_to_lufs(loud) > gate].mean()))


def measure_true_peak(y: Floats) -> float:
    """Measure how high the waveform reaches, between the samples too [1]_.

    Parameters
    ----------
    y : ndarray of float, shape (n, channels)

    Returns
    -------
    float
        In dB below full scale; minus infinity for silence.

    Examples
    --------
    A tone of a quarter of the rate whose samples all miss its peaks.

    >>> y = np.sin(np.pi / 2 * np.arange(4000) + np.pi / 4)[:, None] * np.hanning(4000)[:, None]
    >>> round(float(20 * np.log10(np.abs(y).max())), 1), round(measure_true_peak(y), 1)
    (-3.0, 0.0)
    """
    wave = _oversample(y)
    with np.errstate(divide="ignore"):
        return float(20 * np.log10(max(wave.max(initial=0), -wave.min(initial=0))))


def limit_peaks(y: Floats, sr: int, *, ceiling_db: float) -> Floats:
    """Turn sound down for a few milliseconds wherever its waveform would reach too high.

    Parameters
    ----------
    y : ndarray of float, shape (n, channels)
    sr : int
        In Hz.
    ceiling_db : float
        That its samples and what lies between them do not pass, to 0.1 dB.

    Returns
    -------
    ndarray of float, shape (n, channels)
        As long, all channels turned down alike; the same where nothing was too high.

    Examples
    --------
    >>> y = np.sin(np.arange(4000.0))[:, None]
    >>> bool(measure_true_peak(limit_peaks(y, 8000, ceiling_db=-6.0)) < -5.9)
    True
    """
    wave, most = _oversample(y), 10 ** (ceiling_db / 20)
    if max(wave.max(initial=0), -wave.min(initial=0)) <= most:
        return y
    high = np.abs(wave).reshape(len(y), -1).max(axis=1)
    wanted = np.minimum(1, most / np.maximum(high, 1e-9))
    size = 2 * round(LOOK_S * sr) + 1
    # The mean of minima over one width: nowhere above what is wanted in its middle.
    gain = uniform_filter1d(minimum_filter1d(wanted, size, mode="nearest"), size, mode="nearest")
    return y * gain[:, None]


def level_sound(
    y: Floats, sr: int, *, target_lufs: float = -20.0, ceiling_db: float = -1.0
) -> Floats:
    """Bring sound to a loudness, with its waveform below a ceiling.

    Parameters
    ----------
    y : ndarray of float, shape (n, channels)
    sr : int
        In Hz.
    target_lufs : float
        Integrated loudness of the result.
    ceiling_db : float
        That its true peak stays under: few clips of a wide range need their peaks turned down.

    Returns
    -------
    ndarray of float, shape (n, channels)

    Raises
    ------
    AudioError
        It is silent, or see :func:`measure_lufs`.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal((48_000, 2)) / 50
    >>> round(measure_lufs(level_sound(noise, 48_000), 48_000), 1)
    -20.0
    """
    levelled = _check(y, sr)
    for _ in range(ROUNDS):
        found = measure_lufs(levelled, sr)
        if found == -np.inf:
            raise AudioError(f"expected sound, found nothing above {ABSOLUTE_LUFS:.0f} LUFS")
        levelled = levelled * 10 ** ((target_lufs - found) / 20)
        limited = limit_peaks(levelled, sr, ceiling_db=ceiling_db - 0.2)
        if limited is levelled:
            break
        levelled = limited
    return levelled


def _check(y: Floats, sr: int) -> Floats:
    y = np.asarray(y, dtype=np.float64)
    if y.ndim != 2 or y.shape[1] not in (1, 2):
        raise AudioError(f"expected sound of one channel or two, found the shape {y.shape}")
    if len(y) < BLOCK_S * sr:
        raise AudioError(f"expected {BLOCK_S} s of sound at least, found {len(y) / sr:.2f} s")
    if not np.isfinite(y).all():
        raise AudioError("expected finite samples, found NaN or infinity")
    return y


def _to_lufs(power: Floats) -> Floats:
    return -0.691 + 10 * np.log10(np.maximum(power, 1e-30))


def _oversample(y: Floats) -> Floats:
    return np.asarray(resample_poly(y, OVERSAMPLING, 1, axis=0))


def _make_weighting(sr: int) -> Floats:
    """Return the two filters of K-weighting: a high shelf for the head, and a high pass [2]_."""
    k = np.tan(np.pi * 1681.974450955533 / sr)
    quality, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    over = 1 + k / quality + k * k
    shelf = [
        (high + band * k / quality + k * k) / over, 2 * (k * k - high) / over,
        (high - band * k / quality + k * k) / over,
        1.0, 2 * (k * k - 1) / over, (1 - k / quality + k * k) / over,
    ]  # fmt: skip
    k, quality = np.tan(np.pi * 38.13547087602444 / sr), 0.5003270373238773
    over = 1 + k / quality + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / over, (1 - k / quality + k * k) / over]
    return np.array([shelf, high_pass])
