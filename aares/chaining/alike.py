"""Are two songs of one album? What can be learnt of it, for albums that were seen and others.

Songs of a test fold are compared with each other, by measures that were fitted on other songs. Of
albums that the training songs include, the chance that both songs are of the same one can be
learnt; of albums never seen, only what makes songs alike in general, and there plain distances do
better than what was learnt of few albums: a metric learnt of four albums is that of these four.

Used by notebook 06. Conventions: `X` has a row for each song (:mod:`.portraits`); a measure returns
an array (songs, songs), higher for pairs that are more alike.

References
----------
.. [1] O. Ledoit and M. Wolf, "A well-conditioned estimator for large-dimensional covariance
   matrices", Journal of Multivariate Analysis 88, 2004 (why shrinkage).
.. [2] N. Shental et al., "Adjustment Learning and Relevant Component Analysis", ECCV 2002:
   section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from aares.exact import snap
from aares.scores import LEVEL, Fold

Floats = npt.NDArray[np.float64]
Measure = Callable[[Floats, npt.NDArray, Floats], Floats]
SHRINKAGE, WHITENING, PENALTY = 0.5, 0.9, 0.1
BOOSTING: dict[str, Any] = {
    "n_estimators": 60,
    "learning_rate": 0.1,
    "num_leaves": 7,
    "min_child_samples": 40,
    "colsample_bytree": 0.3,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}


# --- measures -----------------------------------------------------------------------------


def compare_manhattan(known: Floats, albums: npt.NDArray, songs: Floats) -> Floats:
    """Compare songs by the Manhattan distance of standardised features, as the study does.

    Parameters
    ----------
    known : ndarray of float, shape (n_known, n_features)
        Songs to fit on.
    albums : ndarray of str, shape (n_known,)
        Theirs; not used here.
    songs : ndarray of float, shape (n, n_features)
        Songs to compare.

    Returns
    -------
    ndarray of float, shape (n, n)
        Higher for pairs that are more alike. All measures have these parameters.
    """
    Z = StandardScaler().fit(known).transform(songs)
    return -cdist(Z, Z, "cityblock")


def compare_ranks(known: Floats, albums: npt.NDArray, songs: Floats) -> Floats:
    """Compare songs by the Manhattan distance of their ranks among the known songs.

    Parameters
    ----------
    known : ndarray of float, shape (n_known, n_features)
    albums : ndarray of str, shape (n_known,)
        Not used here.
    songs : ndarray of float, shape (n, n_features)

    Returns
    -------
    ndarray of float, shape (n, n)

    Examples
    --------
    >>> compare_ranks(np.array([[0.0], [1.0], [9.0]]), None, np.array([[0.5], [100.0]])).round(2)
    array([[-0.  , -0.67],
           [-0.67, -0.  ]])
    """
    ordered = np.sort(known, axis=0)
    Z = [np.searchsorted(column, x) for column, x in zip(ordered.T, songs.T, strict=True)]
    ranks = np.column_stack(Z) / len(known)
    return -cdist(ranks, ranks, "cityblock")


def compare_discriminants(known: Floats, albums: npt.NDArray, songs: Floats) -> Floats:
    """Compare songs in the space that tells the known albums apart (discriminant analysis).

    Parameters
    ----------
    known : ndarray of float, shape (n_known, n_features)
    albums : ndarray of str, shape (n_known,)
    songs : ndarray of float, shape (n, n_features)

    Returns
    -------
    ndarray of float, shape (n, n)
    """
    model = LinearDiscriminantAnalysis(solver="eigen", shrinkage=SHRINKAGE)
    Z = make_pipeline(StandardScaler(), model).fit(known, albums).transform(songs)
    return -cdist(Z, Z)


def compare_components(known: Floats, albums: npt.NDArray, songs: Floats) -> Floats:
    """Compare songs by the angle between them where songs of an album spread alike.

    Parameters
    ----------
    known : ndarray of float, shape (n_known, n_features)
    albums : ndarray of str, shape (n_known,)
    songs : ndarray of float, shape (n, n_features)

    Returns
    -------
    ndarray of float, shape (n, n)

    References
    ----------
    Shental et al. 2002 [2]_, section 2; shrunk, see Ledoit and Wolf 2004 [1]_.
    """
    scaler = StandardScaler().fit(known)
    Z = scaler.transform(known)
    rest = np.concatenate([Z[albums == a] - Z[albums == a].mean(axis=0) for a in np.unique(albums)])
    spread = rest.T @ rest / len(rest)
    usual = np.trace(spread) / len(spread)
    values, axes = np.linalg.eigh(
        (1 - WHITENING) * spread + WHITENING * usual * np.eye(len(spread))
    )
    V = scaler.transform(songs) @ (axes / np.sqrt(values))
    return -cdist(V, V, "cosine")


def compare_chances(known: Floats, albums: npt.NDArray, songs: Floats) -> Floats:
    """Return the chance that both songs are of the same one of the known albums.

    Parameters
    ----------
    known : ndarray of float, shape (n_known, n_features)
    albums : ndarray of str, shape (n_known,)
    songs : ndarray of float, shape (n, n_features)

    Returns
    -------
    ndarray of float, shape (n, n)
        The sum over albums of both songs' chances to be of it, by discriminant analysis.
    """
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=SHRINKAGE)
    chances = make_pipeline(StandardScaler(), model).fit(known, albums).predict_proba(songs)
    return chances @ chances.T


def compare_regressions(known: Floats, albums: npt.NDArray, songs: Floats) -> Floats:
    """Return the chance that both songs are of one known album, by logistic regression.

    Parameters
    ----------
    known : ndarray of float, shape (n_known, n_features)
    albums : ndarray of str, shape (n_known,)
    songs : ndarray of float, shape (n, n_features)

    Returns
    -------
    ndarray of float, shape (n, n)
    """
    model = LogisticRegression(C=PENALTY, max_iter=300)
    chances = make_pipeline(StandardScaler(), model).fit(known, albums).predict_proba(songs)
    return chances @ chances.T


def compare_boosting(known: Floats, albums: npt.NDArray, songs: Floats) -> Floats:
    """Compare songs by boosted trees on what two songs differ by, as the study's twin network.

    Parameters
    ----------
    known : ndarray of float, shape (n_known, n_features)
    albums : ndarray of str, shape (n_known,)
    songs : ndarray of float, shape (n, n_features)

    Returns
    -------
    ndarray of float, shape (n, n)
        Chance of one album, where as many pairs are of one as are not.
    """
    a, b = np.triu_indices(len(known), 1)
    same = albums[a] == albums[b]
    model = lgb.LGBMClassifier(class_weight="balanced", random_state=0, **BOOSTING)
    model.fit(snap(np.abs(known[a] - known[b])), same)
    a, b = np.triu_indices(len(songs), 1)
    found = np.zeros((len(songs), len(songs)))
    found[a, b] = np.asarray(model.predict_proba(snap(np.abs(songs[a] - songs[b]))))[:, 1]
    return found + found.T


MEASURES: dict[str, Measure] = {
    "Manhattan": compare_manhattan,
    "ranks": compare_ranks,
    "whitened": compare_components,
    "discriminants": compare_discriminants,
    "boosting": compare_boosting,
    "logistic regression": compare_regressions,
    "chances": compare_chances,
}
"""How two songs are compared; the last two need albums that were seen."""
SEEN_ONLY = ("logistic regression", "chances")


# --- how good they are --------------------------------------------------------------------


def split_unseen_albums(albums: Sequence[str], n_unseen: int = 3) -> Iterator[Fold]:
    """Yield folds whose test songs are of albums that no training song is of.

    Parameters
    ----------
    albums : sequence of str, length n_songs
    n_unseen : int
        Albums at a time, at least 2; each choice of them is a fold.

    Yields
    ------
    tuple of (ndarray of int, ndarray of int)
        Rows to fit on, rows to compare.

    Raises
    ------
    ValueError
        Fewer than two albums would be left on one side.

    Examples
    --------
    >>> [len(list(split_unseen_albums(list(names), 2))) for names in ("abcd", "abcdefg")]
    [6, 21]
    """
    names = np.asarray(albums)
    kinds = sorted(set(albums))
    if not 2 <= n_unseen <= len(kinds) - 2:
        raise ValueError(f"n_unseen: expected 2 to {len(kinds) - 2} albums, found {n_unseen}")
    for unseen in combinations(kinds, n_unseen):
        test = np.isin(names, unseen)
        yield np.flatnonzero(~test), np.flatnonzero(test)


def score_measure(
    measure: str,
    X: npt.ArrayLike,
    albums: Sequence[str],
    folds: Sequence[Fold],
    *,
    n_draws: int = 200,
    random_state: int = 0,
) -> tuple[float, float, float]:
    """Return how well a measure tells pairs of one album from others, and its 95 % interval.

    Parameters
    ----------
    measure : str
        Of `MEASURES`.
    X : array-like of float, shape (n_songs, n_features)
    albums : sequence of str, length n_songs
    folds : sequence of (ndarray of int, ndarray of int)
        Rows to fit on, rows to compare with each other. Several splits may follow one another.
    n_draws : int
        Of the bootstrap: songs are drawn, for pairs share them, and all folds asked again.
    random_state : int

    Returns
    -------
    auc, low, high : float
        Mean over folds of the area under the curve, all pairs of a fold's songs being asked.

    Raises
    ------
    ValueError
        There is no such measure.

    Examples
    --------
    >>> X = np.repeat(np.eye(4), 8, axis=0) + np.random.default_rng(0).normal(0, 0.1, (32, 4))
    >>> albums = list("aaaaaaaabbbbbbbbccccccccdddddddd")
    >>> score_measure("Manhattan", X, albums, list(split_unseen_albums(albums, 2)))[0]
    1.0
    """
    if measure not in MEASURES:
        raise ValueError(f"measure: expected one of {', '.join(MEASURES)}, found {measure!r}")
    values, names = np.asarray(X, dtype=float), np.asarray(albums)
    asked = []
    for known, rows in folds:
        alike = MEASURES[measure](values[known], names[known], values[rows])
        asked.append(_Asked(rows, names[rows], snap(alike)))
    rng = np.random.default_rng(random_state)
    drawn = []
    for _ in range(n_draws):
        counts = np.bincount(rng.integers(0, len(values), len(values)), minlength=len(values))
        drawn.append(np.nanmean([fold.measure_auc(counts) for fold in asked]))
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    once = np.ones(len(values), dtype=int)
    return float(np.mean([fold.measure_auc(once) for fold in asked])), float(low), float(high)


class _Asked:
    """The pairs of a fold from the least alike to the most, sorted once for all draws."""

    def __init__(self, rows: npt.NDArray[np.intp], albums: npt.NDArray, alike: Floats) -> None:
        a, b = np.triu_indices(len(rows), 1)
        order = np.argsort(alike[a, b], kind="stable")
        self.a, self.b = rows[a[order]], rows[b[order]]
        self.same = (albums[a] == albums[b])[order]
        found = alike[a, b][order]
        self.firsts = np.flatnonzero(np.diff(found, prepend=-np.inf))  # of pairs that are equal

    def measure_auc(self, counts: npt.NDArray[np.intp]) -> float:
        """Return the share of couples of pairs in order, each song as often as it was drawn."""
        weights = counts[self.a] * counts[self.b]
        same = np.add.reduceat(weights * self.same, self.firsts)
        other = np.add.reduceat(weights * ~self.same, self.firsts)
        if not same.sum() or not other.sum():
            return float("nan")
        below = np.cumsum(other) - other / 2  # equal ones count half
        return float((same * below).sum() / (same.sum() * other.sum()))
