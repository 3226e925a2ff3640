"""What every score needs: folds that keep labels apart, and intervals that say how sure it is.

References
----------
.. [1] E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
   Journal of the American Statistical Association 22, 1927.
.. [2] B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993: chapter 13
   (percentile intervals).
.. [3] C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in
   the case of the binomial", Biometrika 26, 1934.
.. [4] A. B. Owen, "The Pigeonhole Bootstrap", Annals of Applied Statistics 1(2), 2007.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed
from scipy import stats
from sklearn.base import clone

Fold = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
"""Rows to fit on, and rows to predict."""
LEVEL = 0.95
NORMAL = 1.96  # standard errors on each side of a 95 % interval

# --- folds --------------------------------------------------------------------------------


def predict_folds(
    model: Any,
    X: pd.DataFrame,
    y: Any,
    folds: Iterable[Fold],
    *,
    method: str = "predict",
    n_jobs: int = 1,
) -> npt.NDArray[Any]:
    """Predict each row by a copy of the model that was fitted on the fold's other rows.

    As scikit-learn's ``cross_val_predict``, for folds that need not cover all rows, in threads.

    Parameters
    ----------
    model : estimator
        Cloned for each fold.
    X : DataFrame, shape (n, n_columns)
    y : array-like, shape (n,)
    folds : iterable of (ndarray of int, ndarray of int)
        Rows to fit on and rows to predict; no row is predicted twice.
    method : str
        Of the model, such as ``"predict"`` or ``"predict_proba"``.
    n_jobs : int
        Folds at a time.

    Returns
    -------
    ndarray, shape (n,) or (n, n_outputs)
        NaN (None among texts) for rows of no fold.

    Raises
    ------
    ValueError
        A row is predicted twice, or fitted on by the model that predicts it.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> X, y = pd.DataFrame({"x": range(4)}), ["jazz", "jazz", "punk", "punk"]
    >>> folds = [(np.array([0, 1]), np.array([2])), (np.array([2, 3]), np.array([0]))]
    >>> predict_folds(DummyClassifier(), X, y, folds).tolist()
    ['punk', None, 'jazz', None]
    """
    y, folds = np.asarray(y), list(folds)
    _check_folds(folds)

    def predict(fitted_on: npt.NDArray[np.intp], rows: npt.NDArray[np.intp]) -> npt.NDArray[Any]:
        fitted = clone(model).fit(X.iloc[fitted_on], y[fitted_on])
        return np.asarray(getattr(fitted, method)(X.iloc[rows]))

    parts = Parallel(n_jobs=n_jobs, prefer="threads")(delayed(predict)(*fold) for fold in folds)
    values = np.concatenate(parts)
    is_number = values.dtype.kind in "fiub"
    result = np.full(
        (len(X), *values.shape[1:]),
        np.nan if is_number else None,
        dtype=float if is_number else object,
    )
    result[np.concatenate([rows for _, rows in folds])] = values
    return result


def _check_folds(folds: Sequence[Fold]) -> None:
    for fitted_on, rows in folds:
        if np.isin(rows, fitted_on).any():
            raise ValueError("a fold predicts rows that it was fitted on")
    rows = np.concatenate([rows for _, rows in folds])
    if len(np.unique(rows)) < len(rows):
        raise ValueError("a row is predicted by two folds")


# --- intervals ----------------------------------------------------------------------------


def estimate_share(
    hits: Sequence[bool] | npt.NDArray[np.bool_] | pd.Series,
    *,
    method: Literal["wilson", "exact"] = "wilson",
) -> tuple[float, float, float]:
    """Return the share of hits and its 95 % interval.

    Parameters
    ----------
    hits : sequence of bool, shape (n,)
        At least one.
    method : {"wilson", "exact"}
        Wilson's interval covers 95 % on average; the exact one (Clopper and Pearson) at least 95 %
        whatever the truth is, for claims that a share is not below something.

    Returns
    -------
    share, low, high : float
        Between 0 and 1.

    References
    ----------
    Wilson 1927 [1]_; unlike the normal approximation it is sound near 0 and 1. Clopper and Pearson
    1934 [3]_.

    Examples
    --------
    >>> share, low, high = estimate_share([True] * 8 + [False] * 2)
    >>> round(share, 2), round(low, 2), round(high, 2)
    (0.8, 0.49, 0.94)
    """
    result = stats.binomtest(int(np.sum(hits)), len(hits))
    interval = result.proportion_ci(confidence_level=LEVEL, method=method)
    return float(result.statistic), float(interval.low), float(interval.high)


def estimate_grouped_share(
    hits: npt.ArrayLike, groups: npt.ArrayLike
) -> tuple[float, float, float]:
    """Return the share of hits and its 95 % interval, where hits of one group are alike.

    Twenty excerpts of one song say less about songs than one excerpt of each of twenty. The
    interval is Wilson's for as many independent trials as would spread alike, and for fewer still
    where few groups tell that spread. Where all hit or none does, no spread can be seen: the
    trials count as independent.

    Parameters
    ----------
    hits : array-like of bool, shape (n,)
    groups : array-like, shape (n,)
        Of each trial; at least two different ones.

    Returns
    -------
    share, low, high : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        There is only one group.

    References
    ----------
    E. L. Korn and B. I. Graubard, "Confidence intervals for proportions with small expected number
    of positive counts estimated from survey data", Survey Methodology 24, 1998; with Wilson's
    interval for the exact one.

    Examples
    --------
    Half of the trials hit; if they are those of two of the four groups, that tells little.

    >>> mixed, split = [True, False] * 20, [True] * 20 + [False] * 20
    >>> groups = np.repeat(["a", "b", "c", "d"], 10)
    >>> [round(x, 2) for x in estimate_grouped_share(mixed, groups)]
    [0.5, 0.28, 0.72]
    >>> [round(x, 2) for x in estimate_grouped_share(split, groups)]
    [0.5, 0.06, 0.94]
    """
    hit = np.asarray(hits, dtype=float)
    n, share = len(hit), float(np.mean(hit))
    totals = pd.Series(hit - share).groupby(np.asarray(groups)).sum()
    if len(totals) < 2:
        raise ValueError("an interval over groups needs at least two of them")
    spread = len(totals) / (len(totals) - 1) * float(np.sum(totals**2)) / n**2
    trials = min(share * (1 - share) / spread, n) if spread > 1e-12 else n
    trials *= (NORMAL / stats.t.ppf((1 + LEVEL) / 2, len(totals) - 1)) ** 2
    shrunk = NORMAL**2 / trials
    centre = (share + shrunk / 2) / (1 + shrunk)
    half = NORMAL * np.sqrt(share * (1 - share) / trials + shrunk / trials / 4) / (1 + shrunk)
    return share, float(max(centre - half, 0)), float(min(centre + half, 1))


def describe_share(
    hits: Sequence[bool] | npt.NDArray[np.bool_] | pd.Series, groups: npt.ArrayLike | None = None
) -> str:
    """Write the share of hits and its 95 % interval.

    Parameters
    ----------
    hits : sequence of bool, shape (n,)
    groups : array-like, shape (n,), optional
        As of `estimate_grouped_share`; without them trials are independent.

    Returns
    -------
    str

    Examples
    --------
    >>> describe_share([True] * 8 + [False] * 2)
    '80% (49% to 94%)'

    What is not all is not called 100 %.

    >>> describe_share([True] * 299 + [False])
    '99.7% (98% to 100%)'
    """
    estimate = estimate_share(hits) if groups is None else estimate_grouped_share(hits, groups)
    share, low, high = estimate
    digits = 1 if 0 < share < 0.005 or 0.995 <= share < 1 else 0
    return f"{share:.{digits}%} ({low:.0%} to {high:.0%})"


def spread_of_mean(deviation: Any, n: Any) -> Any:
    """Return half of the 95 % normal interval of a mean.

    Parameters
    ----------
    deviation : float, ndarray or Series
        Standard deviation of the values.
    n : int, ndarray or Series
        Their number.

    Returns
    -------
    float, ndarray or Series

    Examples
    --------
    >>> round(float(spread_of_mean(10.0, 100)), 2)
    1.96
    """
    return NORMAL * deviation / np.sqrt(n)


def spread_of_share(share: Any, *counts: Any) -> Any:
    """Return half of the 95 % normal interval of a share.

    Parameters
    ----------
    share : float, ndarray or Series
        Between 0 and 1.
    *counts : int, ndarray or Series
        Numbers of trials whose chances add up: of those that gave the share, and of new ones in
        which it is expected.

    Returns
    -------
    float, ndarray or Series

    Examples
    --------
    >>> round(float(spread_of_share(0.5, 10_000)), 4)
    0.0098
    """
    return NORMAL * np.sqrt(share * (1 - share) * sum(1 / count for count in counts))


def bootstrap(
    statistic: Callable[..., Any],
    *samples: npt.NDArray[Any],
    n_draws: int = 2000,
    random_state: int = 0,
) -> tuple[Any, Any, Any]:
    """Return a statistic and its 95 % percentile bootstrap interval.

    Parameters
    ----------
    statistic : callable
        Of `samples` and ``axis=-1``; draws where it is NaN do not count.
    *samples : ndarray of float, shape (..., n)
        Drawn together along their last axis: what is paired stays paired. n is at least 2.
    n_draws : int
    random_state : int

    Returns
    -------
    value, low, high : float or ndarray of float, shape (...)

    Raises
    ------
    ValueError
        A sample is too small to be drawn from.

    References
    ----------
    Efron and Tibshirani 1993 [2]_, by `scipy.stats.bootstrap`.

    Examples
    --------
    >>> value, low, high = bootstrap(np.mean, np.arange(100.0))
    >>> float(value), bool(low < value < high)
    (49.5, True)
    """
    if min(sample.shape[-1] for sample in samples) < 2:
        raise ValueError("an interval by bootstrap needs at least two values to draw from")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # of a draw that is NaN
        drawn = stats.bootstrap(
            samples,
            statistic,
            axis=-1,
            paired=True,
            vectorized=True,
            n_resamples=n_draws,
            method="percentile",
            rng=np.random.default_rng(random_state),
        ).bootstrap_distribution
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail], axis=-1)
    return statistic(*samples, axis=-1), low, high


def bootstrap_crossed(
    values: npt.NDArray[Any],
    weights: npt.NDArray[Any] | None = None,
    *,
    n_draws: int = 2000,
    random_state: int = 0,
) -> tuple[float, float, float]:
    """Return a mean of crossed values and its 95 % interval over rows and columns.

    Two sources of chance cross: each row (a listener) meets each column (a drawing of what is
    hidden). Rows and columns are drawn with replacement, each for itself; the interval is
    percentile, and rather too wide than too narrow.

    Parameters
    ----------
    values : ndarray of float, shape (n_rows, n_columns)
        At least two rows; with one column only rows are drawn.
    weights : ndarray of float, shape (n_rows, n_columns), optional
        The statistic is the sum of values by the sum of weights; default 1 each, the mean.
    n_draws : int
    random_state : int

    Returns
    -------
    value, low, high : float

    Raises
    ------
    ValueError
        There are fewer than two rows.

    References
    ----------
    Owen 2007 [4]_.

    Examples
    --------
    >>> table = np.add.outer(np.arange(50.0), [0.0, 8.0])  # rows differ, and so do columns
    >>> value, low, high = bootstrap_crossed(table)
    >>> value, low < 24.5 + 0.0, high > 24.5 + 8.0  # both columns may be the first, or the second
    (28.5, True, True)
    """
    n_rows, n_columns = values.shape
    if n_rows < 2:
        raise ValueError("an interval by bootstrap needs at least two values to draw from")
    rng = np.random.default_rng(random_state)
    rows = rng.multinomial(n_rows, np.full(n_rows, 1 / n_rows), size=n_draws)
    columns = rng.multinomial(n_columns, np.full(n_columns, 1 / n_columns), size=n_draws)
    weights = np.ones(values.shape) if weights is None else weights
    sums = [((rows @ table) * columns).sum(axis=1) for table in (values, weights)]
    with np.errstate(invalid="ignore"):
        drawn = sums[0] / sums[1]
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return float(values.sum() / weights.sum()), float(low), float(high)
