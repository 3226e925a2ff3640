"""How sure differences are: of two models, of medians, of songs of one artist.

Used by notebook ``02_popularity``. Songs of one artist go wrong together, so whatever compares
models draws artists, not songs.

References
----------
McGill, Tukey, Larsen, "Variations of box plots", The American Statistician 32(1), 1978: p. 16
(standard error of a median from the quartiles).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from aares.popularity.likeness import compute_likeness, describe_groups
from aares.popularity.rows import FloatArray
from aares.scores import NORMAL, bootstrap

N_DRAWS = 500


def measure_gain(y: Any, before: Any, after: Any, groups: Any) -> tuple[float, float, float]:
    """Return by how much the RMSE falls from one prediction to another, with a 95 % interval.

    Parameters
    ----------
    y, before, after : array-like, shape (n,)
        True popularity, and two predictions of the same songs; rows with NaN are left out.
    groups : array-like, shape (n,)
        What is drawn as a whole, such as artists; two of them at least.

    Returns
    -------
    gain, low, high : float
        Points; positive where `after` is better. Percentile bootstrap over groups. It holds the
        chance of the songs, not that of the models' seeds.

    Examples
    --------
    >>> y = np.tile([10.0, 20.0], 50)
    >>> gain, low, high = measure_gain(y, y + 3, y - 1, np.arange(100))
    >>> gain, low, high
    (2.0, 2.0, 2.0)
    """
    table = pd.DataFrame({"y": y, "before": before, "after": after}, dtype=float)
    table = table.assign(group=np.asarray(groups)).dropna()
    errors = table[["before", "after"]].sub(table["y"], axis=0) ** 2
    sums = errors.assign(n=1.0).groupby(table["group"]).sum().to_numpy().T
    gain, low, high = bootstrap(_lower_error, *sums, n_draws=N_DRAWS)
    return float(gain), float(low), float(high)


def _lower_error(before: FloatArray, after: FloatArray, n: FloatArray, axis: int) -> FloatArray:
    n = n.sum(axis=axis)
    return np.sqrt(before.sum(axis=axis) / n) - np.sqrt(after.sum(axis=axis) / n)


def spread_of_median(low: Any, high: Any, n: Any) -> Any:
    """Return half of the 95 % interval of a median, from the quartiles.

    Parameters
    ----------
    low, high : float, ndarray or Series
        Lower and upper quartile.
    n : int, ndarray or Series
        Number of values.

    Returns
    -------
    float, ndarray or Series
        As if the values were normal in their middle half (McGill et al. 1978).

    Examples
    --------
    >>> values = np.random.default_rng(0).normal(50, 10, 400)
    >>> round(float(spread_of_median(*np.quantile(values, [0.25, 0.75]), 400)), 1)
    1.2
    """
    return NORMAL * 1.25 * (high - low) / (1.35 * np.sqrt(n))


def estimate_change(early: pd.Series, late: pd.Series) -> tuple[float, float]:
    """Return the difference of two medians and half of its 95 % interval.

    Parameters
    ----------
    early, late : Series of float
        Values of different songs.

    Returns
    -------
    change, spread : float
        Median of `late` less that of `early`; see :func:`spread_of_median`.

    Examples
    --------
    >>> early, late = pd.Series(np.arange(101.0)), pd.Series(np.arange(101.0) + 7)
    >>> change, spread = estimate_change(early, late)
    >>> change, round(spread, 1)
    (7.0, 12.8)
    """
    spreads = [
        spread_of_median(values.quantile(0.25), values.quantile(0.75), len(values))
        for values in (early, late)
    ]
    return float(late.median() - early.median()), float(np.hypot(*spreads))


def estimate_likeness(df: pd.DataFrame, column: str) -> tuple[float, float, float]:
    """Return the intraclass correlation of popularity and its 95 % interval.

    Parameters
    ----------
    df : DataFrame, shape (n, columns)
        Raw table.
    column : str
        See :func:`aares.popularity.likeness.measure_likeness`; the groups are drawn.

    Returns
    -------
    value, low, high : float
        NaN where :func:`~aares.popularity.likeness.measure_likeness` is.

    Examples
    --------
    >>> songs = pd.DataFrame({"artist_name": np.repeat(np.arange(60), 3)})
    >>> songs["popularity"] = 50 + songs["artist_name"] % 2 * 20 + np.arange(180) % 3
    >>> value, low, high = estimate_likeness(songs, "artist_name")
    >>> round(value, 2), bool(0.98 < low <= value <= high <= 1)
    (0.99, True)
    """
    groups = describe_groups(df, column).to_numpy(float).T
    value, low, high = bootstrap(compute_likeness, *groups, n_draws=N_DRAWS)
    return float(value), float(low), float(high)
