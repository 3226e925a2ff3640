"""Loudness of steady sound over the ear's critical bands, which sharpness is computed from.

Used by :mod:`.sensations`.

Conventions
-----------
Powers are mean squares in pascal squared, levels in dB re 20 micropascal, loudness in sone, places
on the basilar membrane in Bark.

References
----------
.. [1] ISO 532-1:2017, Methods for calculating loudness, part 1: Zwicker method, annex A. Its
   tables are those of E. Zwicker et al., "Program for calculating loudness according to DIN 45631
   (ISO 532B)", J. Acoust. Soc. Jpn. (E) 12, 1991.
.. [2] IEC 61260-1:2014, Octave-band and fractional-octave-band filters.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]

REFERENCE_PA = 2e-5
N_BANDS = 28  # third octaves from 25 Hz to 12.5 kHz
BAND_CENTRES_HZ = 1000 * 10 ** (np.arange(-16, N_BANDS - 16) / 10)
STEP_BARK = 0.1
BARK = np.arange(1, 241) * STEP_BARK

_RANGES_DB = np.array([45, 55, 65, 71, 80, 90, 100, 120])  # of level, for the next table
_LOW_DB = np.array([
    [-32, -24, -16, -10, -5, 0, -7, -3, 0, -2, 0],
    [-29, -22, -15, -10, -4, 0, -7, -2, 0, -2, 0],
    [-27, -19, -14, -9, -4, 0, -6, -2, 0, -2, 0],
    [-25, -17, -12, -9, -3, 0, -5, -2, 0, -2, 0],
    [-23, -16, -11, -7, -3, 0, -4, -1, 0, -1, 0],
    [-20, -14, -10, -6, -3, 0, -4, -1, 0, -1, 0],
    [-18, -12, -9, -6, -2, 0, -3, -1, 0, -1, 0],
    [-15, -10, -8, -4, -2, 0, -3, -1, 0, -1, 0],
])  # fmt: skip
_THRESHOLD_DB = np.array([30, 18, 12, 8, 7, 6, 5, 4, *[3] * 12])
_EAR_DB = np.array([*[0] * 10, -0.5, -1.6, -3.2, -5.4, -5.6, -4, -1.5, 2, 5, 12])
_WIDTH_DB = np.array([
    -0.25, -0.6, -0.8, -0.8, -0.5, 0, 0.5, 1.1, 1.5, 1.7, 1.8, 1.8, 1.7, 1.6, 1.4, 1.2, 0.8, 0.5,
    0, -0.5,
])  # fmt: skip
_UPPER_BARK = np.array([
    0.9, 1.8, 2.8, 3.5, 4.4, 5.4, 6.6, 7.9, 9.2, 10.6, 12.3, 13.8, 15.2, 16.7, 18.1, 19.3, 20.6,
    21.8, 22.7, 23.6, 24.0,
])  # fmt: skip
_SLOPE_FROM = np.array([
    21.5, 18, 15.1, 11.5, 9, 6.1, 4.4, 3.1, 2.13, 1.36, 0.82, 0.42, 0.3, 0.22, 0.15, 0.1, 0.035, 0,
])  # fmt: skip
_SLOPES = np.array([
    [13, 8.2, 6.3, 5.5, 5.5, 5.5, 5.5, 5.5],
    [9, 7.5, 6, 5.1, 4.5, 4.5, 4.5, 4.5],
    [7.8, 6.7, 5.6, 4.9, 4.4, 3.9, 3.9, 3.9],
    [6.2, 5.4, 4.6, 4, 3.5, 3.2, 3.2, 3.2],
    [4.5, 3.8, 3.6, 3.2, 2.9, 2.7, 2.7, 2.7],
    [3.7, 3, 2.8, 2.35, 2.2, 2.2, 2.2, 2.2],
    [2.9, 2.3, 2.1, 1.9, 1.8, 1.7, 1.7, 1.7],
    [2.4, 1.7, 1.5, 1.35, 1.3, 1.3, 1.3, 1.3],
    [1.95, 1.45, 1.3, 1.15, 1.1, 1.1, 1.1, 1.1],
    [1.5, 1.2, 0.94, 0.86, 0.82, 0.82, 0.82, 0.82],
    [0.72, 0.67, 0.64, 0.63, 0.62, 0.62, 0.62, 0.62],
    [0.59, 0.53, 0.51, 0.5, 0.42, 0.42, 0.42, 0.42],
    [0.4, 0.33, 0.26, 0.24, 0.24, 0.22, 0.22, 0.22],
    [0.27, 0.21, 0.2, 0.18, 0.17, 0.17, 0.17, 0.17],
    [0.16, 0.15, 0.14, 0.12, 0.11, 0.11, 0.11, 0.11],
    [0.12, 0.11, 0.1, 0.08, 0.08, 0.08, 0.08, 0.08],
    [0.09, 0.08, 0.07, 0.06, 0.06, 0.06, 0.06, 0.05],
    [0.06, 0.05, 0.03, 0.02, 0.02, 0.02, 0.02, 0.02],
])  # fmt: skip


def weigh_bands(frequencies_hz: FloatArray) -> FloatArray:
    """Return how much of the power at a frequency each third-octave filter lets through.

    The filters are Butterworth band-passes of order 3 [2]_, so that a tone at the border of two
    bands is heard in both.

    Parameters
    ----------
    frequencies_hz : ndarray of float, shape (n,)

    Returns
    -------
    ndarray of float, shape (n, 28)
        0 to 1; bands from 25 Hz to 12.5 kHz.

    Examples
    --------
    >>> weights = weigh_bands(np.array([1000.0, 1000 * 10**0.05]))
    >>> weights[:, 16:18].round(2).tolist()
    [[1.0, 0.01], [0.5, 0.5]]
    """
    width = 10**0.05 - 10**-0.05
    ratio = np.maximum(frequencies_hz, 1e-3)[:, None] / BAND_CENTRES_HZ
    return 1 / (1 + ((ratio - 1 / ratio) / width) ** 6)


def spread_loudness(power: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Compute loudness and specific loudness of third-octave powers, in a free field [1]_.

    Parameters
    ----------
    power : ndarray of float, shape (n, 28)
        Mean square in pascal squared of each third octave from 25 Hz to 12.5 kHz.

    Returns
    -------
    loudness : ndarray of float, shape (n,)
        In sone.
    specific : ndarray of float, shape (n, 240)
        In sone a Bark, at 0.1, 0.2, ... 24 Bark.

    Examples
    --------
    A third octave of noise around 1 kHz at 40 dB; at 50 dB it is twice as loud.

    >>> power = np.zeros((2, 28))
    >>> power[:, 16] = REFERENCE_PA**2 * np.array([1e4, 1e5])
    >>> spread_loudness(power)[0].round(1).tolist()
    [0.9, 1.8]
    """
    return _attach_slopes(
        _find_core(np.asarray(power, dtype=float)), _UPPER_BARK + 1e-4, _SLOPE_FROM, _SLOPES
    )


def _find_core(power: FloatArray) -> FloatArray:
    """Return the specific loudness of each critical band by its own sound, and a last of 0."""
    level_db = 10 * np.log10(np.maximum(power / REFERENCE_PA**2, 1e-12))
    low_db = level_db[:, : _LOW_DB.shape[1]]
    steps = _RANGES_DB[:-1, None] - _LOW_DB[:-1]
    range_of = (low_db[:, None] > steps).sum(axis=1)
    low = 10 ** ((low_db + np.take_along_axis(_LOW_DB, range_of, axis=0)) / 10)
    critical = 10 * np.log10(np.add.reduceat(low, [0, 6, 9], axis=1))
    excitation_db = np.hstack([critical, level_db[:, low.shape[1] :]]) - _EAR_DB
    is_heard = excitation_db > _THRESHOLD_DB
    above = 10 ** (0.1 * (excitation_db - _WIDTH_DB - _THRESHOLD_DB))
    core = 0.0635 * 10 ** (0.025 * _THRESHOLD_DB) * ((0.75 + 0.25 * above) ** 0.25 - 1)
    core = np.where(is_heard, np.maximum(core, 0), 0)
    core[:, 0] *= np.minimum(0.4 + 0.32 * core[:, 0] ** 0.2, 1)
    return np.hstack([core, np.zeros((len(core), 1))])


@njit(cache=True)
def _attach_slopes(
    core: np.ndarray, upper: np.ndarray, slope_from: np.ndarray, slopes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Let each band's loudness fall off towards higher places, steeper where it is louder."""
    total, specific = np.zeros(len(core)), np.zeros((len(core), 240))
    for row in range(len(core)):
        at, place, height, steep = 0, 0.0, 0.0, 0
        for band in range(len(upper)):
            column = min(max(band - 1, 0), 7)
            target = core[row, band]
            while place < upper[band]:
                slope = 0.0
                if height <= target:  # the band's own sound is louder than what spreads from below
                    if height < target:
                        steep = 0
                        while steep < 17 and slope_from[steep] > target:
                            steep += 1
                    height, end, fallen = target, upper[band], target
                else:
                    slope = slopes[steep, column]
                    fallen = max(slope_from[steep], target)
                    end = place + (height - fallen) / slope
                    if end > upper[band]:
                        end = upper[band]
                        fallen = height - (end - place) * slope
                total[row] += (end - place) * (height + fallen) / 2
                while at < 240 and (at + 1) * 0.1 <= end:
                    specific[row, at] = height - ((at + 1) * 0.1 - place) * slope
                    at += 1
                while steep < 17 and fallen <= slope_from[steep]:
                    steep += 1
                place, height = end, fallen
    return total, specific
