"""Full conformal prediction with nearest neighbours, for many songs at once.

Notebook ``05_conformal``; conventions and references in :mod:`aares.conformal`. Each song is judged
alone against the same n training examples: the songs do not see each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils import check_array

from aares.errors import require_songs
from utils_projet import ConformalPrediction


def p_values(
    X, y, X_new, k: int = 1, *, model: Any = None, metric: str = "euclidean"
) -> np.ndarray:
    """Compute the textbook p-value of every label for many songs.

    Parameters
    ----------
    X : array-like or DataFrame, shape (n, d)
        Training features.
    y : array-like, shape (n,)
        Training labels.
    X_new : array-like or DataFrame, shape (m, d)
        New songs.
    k : int, >= 1
        Neighbours in both sums of the measure.
    model : fitted KNeighborsClassifier or Pipeline that ends in one, optional
        Gives the metric. Default: `metric` between the rows as they are.
    metric : str
        Of scikit-learn's neighbours; unused where a model gives it.

    Returns
    -------
    ndarray of float, shape (m, n_labels), in (0, 1]
        Columns in the order of ``np.unique(y)``.

    Raises
    ------
    TypeError, ValueError
        As ``utils_projet.ConformalPrediction``.

    References
    ----------
    Shafer and Vovk 2008 [1]_, section 4.

    Examples
    --------
    >>> p_values([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1], [[0.5]])
    array([[0.8, 0.2]])
    """
    return _make_predictor(X, y, k, model, metric).predict_many(X_new)


def compute_smoothed(
    X, y, X_new, k: int = 1, *, rng: np.random.Generator, model: Any = None
) -> np.ndarray:
    """Compute p-values that break ties at random, which makes the error rate exactly eps.

    ``p = (#{alpha_i > alpha_new} + u #{alpha_i = alpha_new}) / (n + 1)`` with u uniform in [0, 1],
    one u for each song. The true label's p-value is then uniform on [0, 1].

    Parameters
    ----------
    X : array-like or DataFrame, shape (n, d)
        Training features.
    y : array-like, shape (n,)
        Training labels.
    X_new : array-like or DataFrame, shape (m, d)
        New songs.
    k : int, >= 1
        Neighbours in both sums of the measure.
    rng : np.random.Generator
        Source of u.
    model : fitted KNeighborsClassifier or Pipeline that ends in one, optional
        Gives the metric. Default: Euclidean distance between the rows as they are.

    Returns
    -------
    ndarray of float, shape (m, n_labels), in [0, 1]

    Raises
    ------
    TypeError, ValueError
        As ``utils_projet.ConformalPrediction``.

    References
    ----------
    Vovk, Gammerman and Shafer 2005 [2]_, section 2.2 (smoothed conformal predictors).

    Examples
    --------
    >>> from aares.conformal.full import p_values
    >>> X, y, X_new = [[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1], [[0.5]]
    >>> p_values(X, y, X_new).tolist()
    [[0.8, 0.2]]
    >>> smoothed = compute_smoothed(X, y, X_new, rng=np.random.default_rng(0))
    >>> smoothed.round(2).tolist()  # a tie counts by the drawn share, 0.64
    [[0.73, 0.13]]
    """
    predictor = _make_predictor(X, y, k, model)
    above = predictor.count_stranger(X_new, strict=True)
    ties = predictor.count_stranger(X_new) - above
    u = rng.uniform(size=(len(above), 1))
    return (above + u * ties) / (len(y) + 1)


def compute_mondrian(X, y, X_new, k: int = 1, *, model: Any = None) -> np.ndarray:
    """Compute label-conditional p-values: each genre keeps its own error rate.

    The new song is ranked among the examples of the label in question only:
    ``p(y) = #{i of label y: alpha_i >= alpha_new} / (n_y + 1)``, the new song included. With n_y
    examples no p-value is below 1 / (n_y + 1): rare genres leave the set late.

    Parameters
    ----------
    X : array-like or DataFrame, shape (n, d)
        Training features.
    y : array-like, shape (n,)
        Training labels.
    X_new : array-like or DataFrame, shape (m, d)
        New songs.
    k : int, >= 1
        Neighbours in both sums of the measure.
    model : fitted KNeighborsClassifier or Pipeline that ends in one, optional
        Gives the metric. Default: Euclidean distance between the rows as they are.

    Returns
    -------
    ndarray of float, shape (m, n_labels), in (0, 1]

    Raises
    ------
    TypeError, ValueError
        As ``utils_projet.ConformalPrediction``.

    References
    ----------
    Vovk, Gammerman and Shafer 2005 [2]_, section 4.5 (Mondrian conformal predictors).

    Examples
    --------
    >>> X, y = [[0.0], [1.0], [2.0], [9.0], [10.0]], ["jazz"] * 3 + ["punk"] * 2
    >>> compute_mondrian(X, y, [[9.2]]).round(2).tolist()  # never below 1/4 and 1/3
    [[0.25, 1.0]]
    """
    predictor = _make_predictor(X, y, k, model)
    sizes = np.unique(np.asarray(y), return_counts=True)[1]
    return predictor.count_stranger(X_new, within_label=True) / (sizes + 1)


def compute_shortcut(X, y, X_new, *, metric: Any = "euclidean") -> np.ndarray:
    """Compute what a common shortcut takes for p-values, to compare it with the textbook.

    Three things differ. The bag never holds the new song, neither as a neighbour of the others nor
    in the count: ``#{alpha_i >= alpha_new} / n`` over the training examples. And the search for
    the neighbour of another label starts after the nearest one of the same label, so that no ratio
    exceeds 1: whoever has a stranger nearest looks no stranger than others.

    Parameters
    ----------
    X : array-like or DataFrame, shape (n, d)
        Training features, in the space where distances are measured.
    y : array-like, shape (n,)
        Training labels.
    X_new : array-like or DataFrame, shape (m, d)
        New songs, in the same space.
    metric : str
        Metric of ``scipy.spatial.distance.cdist``.

    Returns
    -------
    ndarray of float, shape (m, n_labels), in [0, 1]

    Raises
    ------
    ValueError
        When features are missing or not finite.

    Examples
    --------
    >>> X, y = np.array([[0.0], [1.0], [9.0], [10.0]]), np.array([0, 0, 1, 1])
    >>> compute_shortcut(X, y, np.array([[0.5]])).tolist()  # the textbook says 0.8 and 0.2
    [[1.0, 0.0]]
    """
    require_songs(len(X))
    labels, codes = np.unique(np.asarray(y), return_inverse=True)
    X, X_new = _read_points(X, X_new)
    among = cdist(X, X, metric)
    np.fill_diagonal(among, np.inf)
    bag = np.sort(_cap_ratios(among, codes[:, None] == codes))
    distances = cdist(X_new, X, metric)
    new = np.column_stack([_cap_ratios(distances, codes == own) for own in range(len(labels))])
    return (len(bag) - np.searchsorted(bag, new, "left")) / len(bag)


def rate_confidence(p: np.ndarray) -> np.ndarray:
    """Return 1 minus the second largest p-value of each song: how clearly one label stands out.

    Parameters
    ----------
    p : ndarray of float, shape (m, n_labels)

    Returns
    -------
    ndarray of float, shape (m,), in [0, 1]

    References
    ----------
    Shafer and Vovk 2008 [1]_, section 4 (confidence and credibility).

    Examples
    --------
    >>> rate_confidence(np.array([[0.9, 0.25, 0.1], [0.5, 0.5, 0.2]])).tolist()
    [0.75, 0.5]
    """
    return 1 - np.sort(p, axis=1)[:, -2]


def rate_credibility(p: np.ndarray) -> np.ndarray:
    """Return the largest p-value of each song: how well the song fits any label at all.

    Parameters
    ----------
    p : ndarray of float, shape (m, n_labels)

    Returns
    -------
    ndarray of float, shape (m,), in [0, 1]
        Below eps the set is empty: the song resembles no genre of the bag.

    Examples
    --------
    >>> rate_credibility(np.array([[0.9, 0.25, 0.1], [0.02, 0.01, 0.01]])).tolist()
    [0.9, 0.02]
    """
    return p.max(axis=1)


def force_predictions(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the label with the largest p-value for each song, the first of equals.

    Parameters
    ----------
    p : ndarray of float, shape (m, n_labels)
    labels : array-like, shape (n_labels,)

    Returns
    -------
    ndarray, shape (m,)

    Examples
    --------
    >>> p = np.array([[0.9, 0.2, 0.1], [0.3, 0.5, 0.5]])
    >>> force_predictions(p, ["jazz", "punk", "rock"]).tolist()
    ['jazz', 'punk']
    """
    return np.asarray(labels)[p.argmax(axis=1)]


def read_p_values(p: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """Say for each song which label is forced, and how sure that is.

    Parameters
    ----------
    p : ndarray of float, shape (m, n_labels)
    labels : array-like, shape (n_labels,)

    Returns
    -------
    DataFrame, shape (m, n_columns)
        ``prediction``, ``confidence``, ``credibility``, and ``eps_single``: the smallest eps whose
        set is one label, which is the second largest p-value; missing where the two largest are
        equal, since then the set falls from two labels to none.

    Examples
    --------
    >>> p = np.array([[0.9, 0.25, 0.1], [0.3, 0.5, 0.5]])
    >>> read_p_values(p, ["jazz", "punk", "rock"])
      prediction  confidence  credibility  eps_single
    0       jazz        0.75          0.9        0.25
    1       punk        0.50          0.5         NaN
    """
    top = np.sort(p, axis=1)[:, -2:]
    return pd.DataFrame(
        {
            "prediction": force_predictions(p, labels),
            "confidence": rate_confidence(p),
            "credibility": rate_credibility(p),
            "eps_single": np.where(top[:, 0] < top[:, 1], top[:, 0], np.nan),
        }
    )


def _make_predictor(X, y, k: int, model: Any, metric: str = "euclidean") -> ConformalPrediction:
    """Return the course's predictor, with a metric of its own unless a model gives one."""
    require_songs(len(X))
    if model is None:
        model = KNeighborsClassifier(n_neighbors=1, metric=metric).fit(X, y)
    return ConformalPrediction(model, X, y, k=k)


def _read_points(X, X_new) -> tuple[np.ndarray, np.ndarray]:
    """Return examples and new songs as finite floats, columns of tables in one order."""
    if isinstance(X, pd.DataFrame) and isinstance(X_new, pd.DataFrame):
        missing = X.columns.difference(X_new.columns)
        if len(missing):
            raise ValueError(f"X_new: expected the columns of X, missing: {', '.join(missing)}")
        X_new = X_new[X.columns]
    X = check_array(X, dtype=np.float64, input_name="X")
    return X, check_array(X_new, dtype=np.float64, input_name="X_new")


def _cap_ratios(distances: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return nearest own / nearest other that is not nearer, at most 1, for every row."""
    same = np.where(own, distances, np.inf).min(axis=1)
    behind = ~own & (distances >= same[:, None])
    other = np.where(behind, distances, np.inf).min(axis=1)
    ratios = np.ones(len(distances))  # where nobody is behind
    np.divide(same, other, out=ratios, where=np.isfinite(other) & (other > 0))
    ratios[same == 0] = 0.0
    return ratios
