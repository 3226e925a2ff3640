"""What an excerpt tells of itself, before anything is looked for: how noisy, how steady, how new.

Used by :class:`aares.identify.query.Query`. The probability of a false match depends on all three:
a steady tone resembles whatever holds that note, noise hides the peaks of the right recording while
it leaves those of wrong ones as they are, and a siren that resembles a bar once does so each time
it yelps.

References
----------
.. [1] R. Martin, "Noise power spectral density estimation based on optimal smoothing and minimum
   statistics", IEEE Transactions on Speech and Audio Processing 9(5), 2001: section III.
.. [2] G. V. Bayley and J. M. Hammersley, "The 'effective' number of independent observations in an
   autocorrelated time series", Supplement to the Journal of the Royal Statistical Society 8(2),
   1946: equation 1 (what correlated observations are worth).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from aares.identify.peaks import FIRST_BIN, STEPS, Peaks

THIN = 3  # every third bin tells as much
LOW = 0.1  # quantile of a bin's power that is taken for noise
NOISE_LOW = -math.log(1 - LOW)  # of the mean: the power of noise has an exponential distribution
LEVELS_DB = (-15.0, 30.0)  # what is told apart
LAGS = (12, 96)  # steps after which something may come again: 0.2 to 1.5 s
LEAST_TIMES = 4  # it is there, or that it came again is chance
USUAL_RETURN = 0.7  # of the peaks' evidence: 99 in 100 excerpts of music have less of it again


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


def measure_novelty(found: Peaks, excess: np.ndarray) -> float:
    """Estimate which share of an excerpt is new: what comes again and again tells no more.

    Parameters
    ----------
    found : Peaks
        Of the excerpt, in steps.
    excess : ndarray of int8, shape (512, n_steps)
        Of an `evidence.Evidence`.

    Returns
    -------
    float
        In (0, 1]; 1 for nearly all music. Where a share ``r`` of the evidence of the peaks is there
        again after some lag, the moments of an excerpt are worth as many independent ones as by
        Bayley and Hammersley 1946 [2]_, ``(1 - r) / (1 + r)`` of their number, here relative to the
        ``r`` that music may have; and never fewer than one period of the excerpt.

    Examples
    --------
    Noise is new all the time; a third of a second of it, again and again, is not.

    >>> from aares.identify.query import make_query
    >>> noise = np.random.default_rng(0).standard_normal(40_000, dtype=np.float32)
    >>> make_query(noise).novelty
    1.0
    >>> round(make_query(np.resize(noise[:2688], 40_000)).novelty, 2)
    0.07
    """
    n = excess.shape[1]
    likeness = _measure_return(found.bin, found.time, excess, min(LAGS[1], n // LEAST_TIMES) + 2)
    here = np.arange(LAGS[0], max(len(likeness) - 1, LAGS[0]))
    # a held note is there again too, but less and less
    tops = here[(likeness[here] > likeness[here - 1]) & (likeness[here] >= likeness[here + 1])]
    tops = tops[likeness[tops] > USUAL_RETURN]
    worth = (1 - likeness[tops]) / (1 + likeness[tops]) * (1 + USUAL_RETURN) / (1 - USUAL_RETURN)
    return round(float(np.maximum(worth, tops / n).min(initial=1.0)), 4)


@njit(cache=True)
def _measure_return(
    bins: np.ndarray, times: np.ndarray, excess: np.ndarray, n_lags: int
) -> np.ndarray:
    """Return which share of the peaks' evidence is found again by so many steps beside them."""
    n = excess.shape[1]
    likeness = np.zeros(n_lags)
    for lag in range(n_lags):
        there = again = np.int64(0)
        for k in range(len(times)):
            for t in (times[k] - lag, times[k] + lag):
                if 0 <= t < n:
                    there += np.int64(excess[bins[k], times[k]])
                    again += np.int64(excess[bins[k], t])
        if there > 0:
            likeness[lag] = min(max(again / there, -1.0), 1.0)
    return likeness
