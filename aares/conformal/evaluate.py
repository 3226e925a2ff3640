"""What prediction sets are worth: coverage, size, and which genres they hold together.

Notebook ``05_conformal``; conventions and references in :mod:`aares.conformal`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from aares import exact
from aares.conformal.checks import read_codes, read_p, warn_of_full_sets
from aares.errors import require_songs
from aares.scores import estimate_share
from utils_projet import check_eps


def measure_sets(p: np.ndarray, codes: np.ndarray, eps: float | Sequence[float]) -> pd.DataFrame:
    """Measure the sets of labelled songs for several eps.

    Parameters
    ----------
    p : ndarray of float, shape (m, n_labels)
    codes : ndarray of int, shape (m,)
        Column of each song's true label.
    eps : float or sequence of float in [0, 1]

    Returns
    -------
    DataFrame of float, shape (n_eps, 4)
        ``coverage`` (share of sets that hold the true label), ``size`` (mean number of labels),
        ``empty`` and ``single`` (shares of sets with no and with one label).

    Raises
    ------
    ValueError
        When a p-value, a code or an eps is none.

    Warns
    -----
    TooFewExamplesWarning
        When every set holds every label, at the smallest eps for which that is so.

    Examples
    --------
    >>> p = np.array([[0.9, 0.3], [0.6, 0.1], [0.05, 0.02]])
    >>> measure_sets(p, np.array([0, 1, 0]), [0.0, 0.2, 0.8]).round(2)
         coverage  size  empty  single
    eps
    0.0      1.00  2.00   0.00    0.00
    0.2      0.33  1.00   0.33    0.33
    0.8      0.33  0.33   0.67    0.33
    """
    p = read_p(p)
    require_songs(len(p), what="songs to judge")
    own = p[np.arange(len(p)), read_codes(codes, *p.shape)]
    levels = [check_eps(level) for level in np.atleast_1d(np.asarray(eps, dtype=object))]
    warn_of_full_sets(p, min((level for level in levels if level > 0), default=0.0))
    rows = []
    for level in levels:
        sizes = (p > level).sum(axis=1)
        rows.append(
            {
                "coverage": (own > level).mean(),
                "size": sizes.mean(),
                "empty": (sizes == 0).mean(),
                "single": (sizes == 1).mean(),
            }
        )
    return pd.DataFrame(rows, index=pd.Index(levels, name="eps"))


def cover_by_label(p: np.ndarray, codes: np.ndarray, labels: Sequence, eps: float) -> pd.DataFrame:
    """Measure coverage within each label, with exact binomial intervals.

    Parameters
    ----------
    p : ndarray of float, shape (m, n_labels)
    codes : ndarray of int, shape (m,)
    labels : sequence, shape (n_labels,)
    eps : float in [0, 1]

    Returns
    -------
    DataFrame, shape (<= n_labels, 5)
        One row for each label that occurs among the songs: ``n``, ``coverage``, ``low``, ``high``,
        ``size`` (mean size of its songs' sets).

    Raises
    ------
    ValueError
        When a p-value, a code or `eps` is none, or `labels` do not name the columns.

    Warns
    -----
    TooFewExamplesWarning
        When every set holds every label.

    Examples
    --------
    >>> p = np.array([[0.9, 0.3], [0.6, 0.1], [0.2, 0.8]])
    >>> cover_by_label(p, np.array([0, 0, 1]), ["jazz", "punk"], 0.2).round(2)
          n  coverage   low  high  size
    jazz  2       1.0  0.16   1.0   1.5
    punk  1       1.0  0.03   1.0   1.0
    """
    p, eps, labels = read_p(p), check_eps(eps), list(labels)
    require_songs(len(p), what="songs to judge")
    if len(labels) != p.shape[1]:
        raise ValueError(f"labels: expected {p.shape[1]}, one a column, found {len(labels)}")
    codes = read_codes(codes, *p.shape)
    warn_of_full_sets(p, eps)
    hit = p[np.arange(len(p)), codes] > eps
    sizes = (p > eps).sum(axis=1)
    rows = {}
    for code in np.unique(codes):
        of_label = codes == code
        coverage, low, high = estimate_share(hit[of_label], method="exact")
        rows[labels[code]] = {
            "n": int(of_label.sum()),
            "coverage": coverage,
            "low": low,
            "high": high,
            "size": sizes[of_label].mean(),
        }
    return pd.DataFrame.from_dict(rows, orient="index").astype({"n": int})


def measure_lift(sets: np.ndarray, labels: Sequence) -> pd.DataFrame:
    """Measure how much more often two labels share a set than if they were independent.

    ``lift(a, b) = P(a and b in the set) / (P(a in the set) P(b in the set))``: 1 means no relation,
    2 twice as often as by chance, 0 never.

    Parameters
    ----------
    sets : ndarray of bool, shape (m, n_labels)
    labels : sequence, shape (n_labels,)

    Returns
    -------
    DataFrame of float, shape (n_labels, n_labels)
        Symmetric; missing where a label is in no set, and on the diagonal.

    Examples
    --------
    >>> sets = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=bool)
    >>> measure_lift(sets, ["rock", "punk", "jazz"]).round(2)
          rock  punk  jazz
    rock   NaN  1.33  0.67
    punk  1.33   NaN  0.67
    jazz  0.67  0.67   NaN
    """
    sets = np.asarray(sets, dtype=float)
    require_songs(len(sets), what="songs to judge")
    together = sets.T @ sets / len(sets)
    alone = sets.mean(axis=0)
    expected = np.outer(alone, alone)
    lift = np.divide(together, expected, out=np.full_like(together, np.nan), where=expected > 0)
    np.fill_diagonal(lift, np.nan)
    return pd.DataFrame(lift, index=list(labels), columns=list(labels))


def order_labels(lift: pd.DataFrame) -> list:
    """Order labels so that those that share sets stand side by side.

    Average linkage on ``-log2(lift)``, with the leaves turned so that neighbours are as similar
    as the tree allows.

    Parameters
    ----------
    lift : DataFrame of float, shape (n_labels, n_labels)
        From :func:`measure_lift`.

    Returns
    -------
    list
        The labels that are in some set; those that are in none come last.

    References
    ----------
    Z. Bar-Joseph, D. Gifford and T. Jaakkola, "Fast optimal leaf ordering for hierarchical
    clustering", Bioinformatics 17, 2001.

    Examples
    --------
    >>> nan, names = np.nan, ["rock", "jazz", "punk"]
    >>> lift = [[nan, 0.5, 2.0], [0.5, nan, 0.9], [2.0, 0.9, nan]]
    >>> order_labels(pd.DataFrame(lift, index=names, columns=names))
    ['jazz', 'punk', 'rock']
    """
    seen = lift.index[lift.notna().any()]
    absent = [label for label in lift.index if label not in set(seen)]
    if len(seen) < 3:
        return [*seen, *absent]
    # On a grid: what is equally similar must be so on every machine, for the same order.
    distances = exact.snap(-exact.log(lift.loc[seen, seen].clip(lower=2.0**-6)) / exact.log(2))
    distances -= np.nanmin(distances)
    np.fill_diagonal(distances, 0)
    tree = hierarchy.linkage(squareform(distances), "average", optimal_ordering=True)
    return [*seen[hierarchy.leaves_list(tree)], *absent]


def judge_singletons(
    p: np.ndarray, codes: np.ndarray, *, edges: Sequence[float] = (0, 0.5, 0.7, 0.8, 0.9, 0.95, 1)
) -> pd.DataFrame:
    """Say how often the last remaining label is right, by the confidence it remained with.

    Parameters
    ----------
    p : ndarray of float, shape (m, n_labels)
    codes : ndarray of int, shape (m,)
        Column of each song's true label.
    edges : sequence of float, ascending
        Bounds of the classes of confidence ``1 - eps``; a class holds its upper bound.

    Returns
    -------
    DataFrame, shape (n_classes, 4)
        One row for each class of confidence: ``songs``, ``right`` (share of songs whose largest
        p-value is the true label's), ``low`` and ``high`` (its exact 95 % interval); the shares are
        missing without songs. Songs with a tie for the largest p-value never have a single label
        and are left out.

    Examples
    --------
    >>> p = np.array([[0.9, 0.3], [0.6, 0.4], [0.2, 0.8], [0.7, 0.05]])
    >>> judge_singletons(p, np.array([0, 1, 1, 0]), edges=(0, 0.65, 1)).round(2)
                    songs  right   low  high
    confidence
    (-0.001, 0.65]      1    0.0  0.00  0.98
    (0.65, 1.0]         3    1.0  0.29  1.00
    """
    p = read_p(p)
    codes = read_codes(codes, *p.shape)
    top = np.sort(p, axis=1)[:, -2:]
    alone = top[:, 0] < top[:, 1]
    frame = pd.DataFrame({"right": p.argmax(axis=1) == codes, "confidence": 1 - top[:, 0]})[alone]
    classes = pd.cut(frame["confidence"], list(edges), include_lowest=True)
    groups = frame.groupby(classes, observed=False)["right"]
    table = pd.DataFrame({"songs": groups.size(), "right": groups.mean()})
    limits = [
        estimate_share(frame["right"][classes == name], method="exact")[1:] if n else (np.nan,) * 2
        for name, n in table["songs"].items()
    ]
    return table.assign(low=[pair[0] for pair in limits], high=[pair[1] for pair in limits])


def cover_in_draws(
    X: np.ndarray,
    y: np.ndarray,
    compute: Callable[..., np.ndarray],
    *,
    n_bag: int,
    n_new: int,
    n_draws: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw a new bag and new songs many times, and return the p-values of the true labels.

    Parameters
    ----------
    X : ndarray of float, shape (n, d)
        Features in a space that owes nothing to these labels.
    y : ndarray, shape (n,)
    compute : callable
        ``compute(X_bag, y_bag, X_new)`` returns p of shape (m, n_labels of the bag).
    n_bag, n_new, n_draws : int
        Size of the bag, new songs in each draw, draws; without replacement within a draw.
    rng : np.random.Generator
        Draws the same rows for every `compute` when seeded alike.

    Returns
    -------
    ndarray of float, shape (n_draws, n_new), in [0, 1]
        Coverage at eps is the share of values above eps. A label that the bag lacks counts as 0.

    Raises
    ------
    ValueError
        When the songs are too few for one draw.

    Examples
    --------
    >>> from aares.conformal.full import p_values
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(60, 2)), np.repeat(["jazz", "punk"], 30)
    >>> true_p = cover_in_draws(X, y, p_values, n_bag=19, n_new=20, n_draws=50, rng=rng)
    >>> true_p.shape, round(float((true_p > 0.2).mean()), 1)  # 0.8 at least is promised
    ((50, 20), 0.8)
    """
    draws = _draw_bags(X, y, compute, n_bag, n_new, n_draws, rng)
    return np.array([p[np.arange(n_new), codes] for p, codes in draws])


def repeat_bags(
    X: np.ndarray,
    y: np.ndarray,
    compute: Callable[..., np.ndarray],
    *,
    eps: float,
    n_bag: int,
    n_new: int,
    n_draws: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Measure the sets of many bags, each judged on other songs: how much one bag is chance.

    Parameters
    ----------
    X : ndarray of float, shape (n, d)
        Features in a space that owes nothing to these labels.
    y : ndarray, shape (n,)
    compute : callable
        ``compute(X_bag, y_bag, X_new)`` returns p of shape (m, n_labels of the bag).
    eps : float in [0, 1]
    n_bag, n_new, n_draws : int
        Size of the bag, new songs in each draw, draws; without replacement within a draw.
    rng : np.random.Generator
        Draws the same rows for every `compute` when seeded alike.

    Returns
    -------
    DataFrame of float, shape (n_draws, 6)
        The columns of :func:`measure_sets`, ``right`` (share of songs whose largest p-value is the
        true label's) and ``eps_single`` (median of the smallest eps that leaves one label; NaN if
        none does). A label that the bag lacks is in no set.

    Raises
    ------
    ValueError
        When the songs are too few for one draw.

    Examples
    --------
    >>> from aares.conformal.full import p_values
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(60, 2)), np.repeat(["jazz", "punk"], 30)
    >>> bags = repeat_bags(X, y, p_values, eps=0.2, n_bag=19, n_new=40, n_draws=5, rng=rng)
    >>> bags.columns.tolist(), len(bags)
    (['coverage', 'size', 'empty', 'single', 'right', 'eps_single'], 5)
    """
    rows = []
    for p, codes in _draw_bags(X, y, compute, n_bag, n_new, n_draws, rng):
        top = np.sort(p, axis=1)[:, -2:]
        alone = top[:, 0] < top[:, 1]
        single = np.median(top[alone, 0]) if alone.any() else np.nan
        right = (p.argmax(axis=1) == codes).mean()
        sets = measure_sets(p, codes, eps).iloc[0].to_dict()
        rows.append(sets | {"right": right, "eps_single": single})
    return pd.DataFrame(rows)


def _draw_bags(
    X: Any,
    y: Any,
    compute: Callable[..., np.ndarray],
    n_bag: int,
    n_new: int,
    n_draws: int,
    rng: np.random.Generator,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield p-values (0 for labels that the bag lacks) and codes of the new songs of each draw."""
    X, y = np.asarray(X), np.asarray(y)  # a Series would be asked by its index
    if n_bag + n_new > len(X):
        raise ValueError(f"expected at least {n_bag + n_new} songs, found {len(X)}")
    labels, codes = np.unique(y, return_inverse=True)
    for _ in range(n_draws):
        rows = rng.choice(len(X), n_bag + n_new, replace=False)
        bag, new = rows[:n_bag], rows[n_bag:]
        p = np.zeros((n_new, len(labels)))
        p[:, np.unique(codes[bag])] = compute(X[bag], y[bag], X[new])
        yield p, codes[new]
