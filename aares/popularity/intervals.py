"""Prediction intervals for popularity: conformalised quantile regression (exercise 2).

Used by notebook ``02_popularity``. A model's quantiles say where a song's popularity should lie;
songs that the model has not seen tell how far to trust them. One number moves the bounds so that
new songs, drawn like these, lie within as often as promised, whatever the model is worth.

A quarter of the songs are at exactly 0. Where the model gives 0 more than the share that may be
missed below, the lower bound is 0 and nothing can be missed there: all misses are then above, and
only the upper bound moves.

References
----------
Romano, Patterson, Candès, "Conformalized quantile regression", NeurIPS 2019: algorithm 1.
Lei et al., "Distribution-free predictive inference for regression", JASA 113, 2018: section 2.2
(split conformal intervals of constant width).
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_is_fitted

from aares.data.door import read_popularity
from aares.errors import require_songs
from aares.popularity.hurdle import mix_quantile
from aares.popularity.rows import FloatArray
from utils_projet import TooFewExamplesWarning

LOWEST, HIGHEST = 0.0, 100.0
Folds = list[tuple[np.ndarray, np.ndarray]]


def find_correction(scores: FloatArray, coverage: float) -> float:
    """Return the correction that makes new songs lie within as often as promised.

    Parameters
    ----------
    scores : ndarray of float, shape (n,)
        How far each calibration song lies outside its bounds (negative: inside), points.
    coverage : float
        0-1.

    Returns
    -------
    float
        The ceil((n + 1) coverage)-th smallest score; infinite if there are too few songs.

    Raises
    ------
    ValueError
        The coverage is not between 0 and 1, or a score is NaN.

    Warns
    -----
    TooFewExamplesWarning
        The correction is infinite: no interval excludes anything.

    Examples
    --------
    Of nine songs, at least 80 % of ten: the eighth smallest score. Four songs are the fewest.

    >>> find_correction(np.arange(9.0), 0.8), find_correction(np.arange(4.0), 0.8)
    (7.0, 3.0)
    """
    if not 0 < coverage < 1:
        raise ValueError(f"coverage: expected a share between 0 and 1, found {coverage}")
    if np.isnan(scores).any():
        raise ValueError(f"scores: expected numbers, found NaN in row {np.isnan(scores).argmax()}")
    n = len(scores)
    rank = int(np.ceil((n + 1) * coverage - 1e-9))
    if rank <= n:
        return float(np.sort(scores)[rank - 1])
    least = int(np.ceil(1 / (1 - coverage) - 1e-9)) - 1
    text = (
        f"every interval holds all popularities: with n = {n} calibration songs nothing can be "
        f"excluded at coverage {coverage:g} (eps = {1 - coverage:g}); at least {least} would do"
    )
    warnings.warn(text, TooFewExamplesWarning, stacklevel=3)
    return float("inf")


def score_bounds(y: Any, bounds: FloatArray) -> FloatArray:
    """Return how far each popularity lies outside its bounds, negative if inside.

    Parameters
    ----------
    y : array-like, shape (n,)
        Popularity.
    bounds : ndarray of float, shape (n, 2)
        Lower and upper. Nothing lies below a lower bound of 0.

    Returns
    -------
    ndarray of float, shape (n,)
        Points.

    Examples
    --------
    >>> score_bounds([50, 25, 5], np.array([[20.0, 40.0], [20.0, 40.0], [0.0, 40.0]])).tolist()
    [10.0, -5.0, -35.0]
    """
    y = np.asarray(y, dtype=float)
    below = np.where(bounds[:, 0] > LOWEST, bounds[:, 0] - y, -np.inf)
    return np.maximum(below, y - bounds[:, 1])


def move_bounds(bounds: FloatArray, correction: float) -> FloatArray:
    """Widen bounds by a correction (narrow them if it is negative), within 0-100.

    Parameters
    ----------
    bounds : ndarray of float, shape (n, 2)
    correction : float
        Points.

    Returns
    -------
    ndarray of float, shape (n, 2)
        The lower bound is at most the upper one.

    Examples
    --------
    >>> move_bounds(np.array([[20.0, 40.0], [0.0, 98.0]]), 5.0).tolist()
    [[15.0, 45.0], [0.0, 100.0]]
    """
    low = np.where(bounds[:, 0] > LOWEST, bounds[:, 0] - correction, LOWEST).clip(LOWEST, HIGHEST)
    high = (bounds[:, 1] + correction).clip(LOWEST, HIGHEST)
    # Bounds that a large negative correction made cross hold nothing: both go to the middle.
    crossed = low > high
    middle = (low + high) / 2
    return np.column_stack([np.where(crossed, middle, low), np.where(crossed, middle, high)])


class PopularityIntervals(BaseEstimator):
    """Intervals that hold the popularity of a new song with a given chance.

    Parameters
    ----------
    model : estimator
        A :class:`aares.popularity.PopularityRegressor`; cloned.
    coverage : float
        0-1.
    method : {"quantile", "constant"}
        Conformalised quantile regression, or the same width for every song.
    calibration_share : float
        Share of the songs that correct the bounds and do not train the model (0-1).
    random_state : int
        Seed of that split.

    Attributes
    ----------
    model_ : estimator
        Fitted on the other songs.
    correction_ : float
        Points by which bounds are moved outwards.

    Examples
    --------
    Around the mean, intervals of one width: they hold nine songs in ten.

    >>> from sklearn.dummy import DummyRegressor
    >>> songs, y = pd.DataFrame({"energy": np.zeros(400)}), np.arange(400) % 101
    >>> intervals = PopularityIntervals(DummyRegressor(), method="constant").fit(songs, y)
    >>> bounds = intervals.predict_interval(songs)
    >>> bounds[0].round(1).tolist(), round(measure_intervals(y, bounds)["coverage"], 2)
    ([4.4, 96.0], 0.92)
    """

    def __init__(
        self,
        model: Any,
        *,
        coverage: float = 0.9,
        method: str = "quantile",
        calibration_share: float = 0.25,
        random_state: int = 0,
    ) -> None:
        self.model = model
        self.coverage = coverage
        self.method = method
        self.calibration_share = calibration_share
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any) -> PopularityIntervals:
        """Fit the model on some songs and the correction on the others.

        Parameters
        ----------
        X : DataFrame, shape (n, columns)
            Raw table.
        y : array-like, shape (n,)
            Popularity, 0-100.

        Raises
        ------
        ValueError
            The coverage is not between 0 and 1, or the method is unknown.
        """
        if not 0 < self.coverage < 1:
            raise ValueError(f"coverage: expected a share between 0 and 1, found {self.coverage}")
        if not 0 < self.calibration_share < 1:
            raise ValueError(
                f"calibration_share: expected a share between 0 and 1, "
                f"found {self.calibration_share}"
            )
        y = read_popularity(y, len(X))
        require_songs(len(X) - math.ceil(len(X) * self.calibration_share))
        proper, kept = train_test_split(
            np.arange(len(X)), test_size=self.calibration_share, random_state=self.random_state
        )
        self.model_ = clone(self.model).fit(X.iloc[proper], y[proper])
        return self.calibrate(X.iloc[kept], y[kept])

    def calibrate(self, X: pd.DataFrame, y: Any) -> PopularityIntervals:
        """Find the correction on songs that the fitted model has not seen.

        Parameters
        ----------
        X : DataFrame, shape (n, columns)
            Raw table.
        y : array-like, shape (n,)
            Popularity.

        Returns
        -------
        PopularityIntervals
            Itself.

        Examples
        --------
        >>> from sklearn.dummy import DummyRegressor
        >>> songs, y = pd.DataFrame({"energy": np.zeros(100)}), np.full(100, 50.0)
        >>> intervals = PopularityIntervals(DummyRegressor(), method="constant").fit(songs, y)
        >>> intervals.calibrate(songs, y + 7).correction_
        7.0
        """
        check_is_fitted(self, "model_")
        y = read_popularity(y, len(X))
        require_songs(len(X), what="songs to correct the bounds")
        scores = score_bounds(y, self._predict_bounds(X))
        self.correction_ = find_correction(scores, self.coverage)
        return self

    def predict_interval(self, X: pd.DataFrame) -> FloatArray:
        """Return lower and upper bound of each song's popularity.

        Parameters
        ----------
        X : DataFrame, shape (n, columns)
            Raw table.

        Returns
        -------
        ndarray of float, shape (n, 2)
            Points, 0-100.

        Examples
        --------
        A model that expects 50 was wrong by 7: the intervals reach 7 to either side.

        >>> from sklearn.dummy import DummyRegressor
        >>> songs, y = pd.DataFrame({"energy": np.zeros(80)}), np.full(80, 50.0)
        >>> intervals = PopularityIntervals(DummyRegressor(), method="constant").fit(songs, y)
        >>> intervals.calibrate(songs, y + 7).predict_interval(songs)[0].tolist()
        [43.0, 57.0]
        """
        check_is_fitted(self, "correction_")
        return move_bounds(self._predict_bounds(X), self.correction_)

    def _predict_bounds(self, X: pd.DataFrame) -> FloatArray:
        if self.method == "constant":
            # Its lower bound may be missed wherever it is above 0 after the correction.
            return _repeat(self.model_.predict(X))
        if self.method != "quantile":
            raise ValueError(f"method: expected 'quantile' or 'constant', found {self.method!r}")
        zero, level = self.model_.predict_parts(X)
        return mix_bounds(zero, level, self.model_.spread_, self.coverage)


def mix_bounds(zero: FloatArray, level: FloatArray, spread: Any, coverage: float) -> FloatArray:
    """Return bounds that hold a share of the predicted distribution of each song.

    Parameters
    ----------
    zero, level : ndarray of float, shape (n,)
        See :func:`aares.popularity.hurdle.mix_quantile`.
    spread : float or ndarray of float, shape (n,)
        Points.
    coverage : float
        0-1.

    Returns
    -------
    ndarray of float, shape (n, 2)
        Central quantiles; from 0 up where the lower one would be 0.

    Examples
    --------
    A song that is never at 0 gets the central 90 %; one that is at 0 as likely as not, all from 0
    up to the 90 % quantile, where a fifth of the songs above 0 are left out.

    >>> zero, level = np.array([0.0, 0.5]), np.array([50.0, 50.0])
    >>> mix_bounds(zero, level, 10.0, 0.9).round(1).tolist()
    [[33.6, 66.4], [0.0, 58.4]]
    """
    tail = (1 - coverage) / 2
    low = mix_quantile(zero, level, spread, tail)
    central = mix_quantile(zero, level, spread, 1 - tail)
    one_sided = mix_quantile(zero, level, spread, coverage)
    return np.column_stack([low, np.where(low > LOWEST, central, one_sided)])


def _repeat(values: FloatArray) -> FloatArray:
    """Return bounds without width; a prediction of exactly 0 is a bound that can be missed."""
    return np.column_stack([np.maximum(values, 1e-9), values])


def measure_intervals(y: Any, bounds: FloatArray) -> dict[str, float]:
    """Return how often intervals hold the truth, and how wide they are.

    Parameters
    ----------
    y : array-like, shape (n,)
        Popularity.
    bounds : ndarray of float, shape (n, 2)

    Returns
    -------
    dict of str to float
        ``coverage`` (0-1), mean and median ``width`` (points).

    Examples
    --------
    >>> measure_intervals([30, 50], np.array([[20.0, 40.0], [0.0, 40.0]]))
    {'coverage': 0.5, 'mean width': 30.0, 'median width': 30.0}
    """
    y = np.asarray(y, dtype=float)
    inside = (bounds[:, 0] <= y) & (y <= bounds[:, 1])
    width = bounds[:, 1] - bounds[:, 0]
    return {
        "coverage": float(inside.mean()),
        "mean width": float(width.mean()),
        "median width": float(np.median(width)),
    }


def compare_intervals(
    y: Any, parts: pd.DataFrame, folds: Folds, *, coverage: float = 0.9, random_state: int = 0
) -> tuple[pd.DataFrame, FloatArray]:
    """Measure both kinds of intervals on songs that neither the model nor the correction saw.

    Each fold's songs are split in halves: one corrects the bounds, the other is judged, and then
    they change places.

    Parameters
    ----------
    y : array-like, shape (n,)
        Popularity.
    parts : DataFrame, shape (n, columns)
        See :func:`aares.popularity.predict_parts_folds`.
    folds : list of (train, test) row numbers
        Those that `parts` come from; their tests cover all rows.
    coverage : float
        0-1.
    random_state : int
        Seed of the halves.

    Returns
    -------
    table : DataFrame, shape (2, 5)
        One row for each method, see :func:`measure_intervals`; also lowest and highest coverage of
        a fold.
    bounds : ndarray of float, shape (n, 2)
        Of the quantile method.

    Examples
    --------
    The chance of a 0 is known for each song: intervals that use it need less width.

    >>> rng = np.random.default_rng(0)
    >>> zero = np.repeat([0.0, 1.0], 100)
    >>> y = np.where(zero > 0, 0.0, rng.normal(50, 10, 200))
    >>> parts = pd.DataFrame({"zero": zero, "level": 50.0, "spread": 10.0, "mean": 50 * (1 - zero)})
    >>> tests = np.array_split(rng.permutation(200), 4)
    >>> folds = [(np.setdiff1d(np.arange(200), test), test) for test in tests]
    >>> table, _ = compare_intervals(y, parts, folds)
    >>> table[["coverage", "mean width"]].round(2)
              coverage  mean width
    quantile      0.98       17.92
    constant      0.95       23.73
    """
    y = np.asarray(y, dtype=float)
    zero, level, spread = parts[["zero", "level", "spread"]].to_numpy(float).T
    raw = {
        "quantile": mix_bounds(zero, level, spread, coverage),
        "constant": _repeat(parts["mean"].to_numpy(float)),
    }
    rng = np.random.default_rng(random_state)
    halves = [(test, np.array_split(rng.permutation(test), 2)) for _, test in folds]
    rows, moved = {}, {}
    for name, bounds in raw.items():
        out = np.empty_like(bounds)
        for _, pair in halves:
            for kept, judged in (pair, pair[::-1]):
                correction = find_correction(score_bounds(y[kept], bounds[kept]), coverage)
                out[judged] = move_bounds(bounds[judged], correction)
        each = [measure_intervals(y[test], out[test])["coverage"] for test, _ in halves]
        extremes = {"lowest fold": min(each), "highest fold": max(each)}
        rows[name], moved[name] = {**measure_intervals(y, out), **extremes}, out
    return pd.DataFrame(rows).T, moved["quantile"]
