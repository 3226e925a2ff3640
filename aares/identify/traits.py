"""What an excerpt tells of itself, before anything is looked for: how noisy, how steady.

Used by :class:`aares.identify.query.Query`. The probability of a false match depends on both: a
steady tone resembles whatever holds that note, and noise hides the peaks of the right recording
while it leaves those of wrong ones as they are.

References
----------
.. [1] R. Martin, "Noise power spectral density estimation based on optimal smoothing and minimum
   statistics", IEEE Transactions on Speech and Audio Processing 9(5), 2001: section III.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from aares.identify.peaks import FIRST_BIN, STEPS

THIN = 3  # every third bin tells as much
LOW = 0.1  # quantile of a bin's power that is taken for noise
NOISE_LOW = -math.log(1 - LOW)  # of the mean: the power of noise has an exponential distribution
LEVELS_DB = (-15.0, 30.0)  # what is told apart


class Traits(NamedTuple):
    """What an excerpt tells of itself.

    Parameters
    ----------
    level_db : float
        Power of what changes over that of what is always there, within `LEVELS_DB`: low in noise.
    stationarity : float
        Share of the power that stays where it is: 1 for a steady tone, 0.56 for noise, 0.1 to 0.4
        for music.
    """

    level_db: float
    stationarity: float


def measure_traits(power: np.ndarray) -> Traits:
    """Estimate the level above noise, and how steady an excerpt is.

    Parameters
    ----------
    power : ndarray of float32, shape (n_steps, n_bins)
        Of an `evidence.Evidence`.

    Returns
    -------
    Traits
        The level is that of Martin 2001 [1]_ with one minimum for the whole excerpt; the
        stationarity is the geometric over the arithmetic mean of each bin's power, weighted by
        power. Silence is steady, and nothing is above it.

    Examples
    --------
    Noise holds its power, but for chance; what begins half-way does not.

    >>> from aares.identify.peaks import compute_power
    >>> y = np.random.default_rng(0).standard_normal(40_000, dtype=np.float32)
    >>> noise = measure_traits(compute_power(y, hop_length=128).T)
    >>> round(noise.stationarity, 2), noise.level_db < -5
    (0.57, True)
    >>> y[20_000:] += 5 * np.sin(np.arange(20_000, dtype=np.float32))
    >>> tone = measure_traits(compute_power(y, hop_length=128).T)
    >>> tone.stationarity < 0.1, 9 < tone.level_db < 13
    (True, True)
    """
    some = np.asarray(power[::STEPS, FIRST_BIN::THIN], dtype=np.float64)
    mean = some.mean(axis=0) if len(some) else np.zeros(1)
    total = float(mean.sum())
    if total <= 0:
        return Traits(LEVELS_DB[0], 1.0)
    row = int(LOW * (len(some) - 1))
    low = np.partition(some, row, axis=0)[row]
    noise = float(np.minimum(low / NOISE_LOW, mean).sum())
    above = max(total - noise, 1e-9 * total) / max(noise, 1e-9 * total)
    level_db = 10 * math.log10(above)
    usual = np.exp(np.log(np.maximum(some, 1e-12 * total)).mean(axis=0))
    level_db = round(min(max(level_db, LEVELS_DB[0]), LEVELS_DB[1]), 3)
    return Traits(level_db, round(float(min(usual.sum() / total, 1.0)), 4))
