"""How far apart groups of songs are: distances between albums, each known by its songs.

Used by notebook 06 through :mod:`.albums`. Conventions: `Z` has a row for each song, its features
as ranks (:func:`rank_songs`); `groups` names the album, or half of one, of each song. What is
fitted here, weights and spreads, knows these groups and nothing of which belong together.

References
----------
.. [1] J. George and L. Shamir, "Computer analysis of similarities between albums in popular
   music", Pattern Recognition Letters 45, 2014: section 3.
.. [2] N. Orlov, L. Shamir et al., "WND-CHARM: Multi-purpose image classification using compound
   image transforms", Pattern Recognition Letters 29, 2008: sections 3.2 (weights) and 3.3
   (distances).
.. [3] A. O. Hatch, S. Kajarekar and A. Stolcke, "Within-Class Covariance Normalization for
   SVM-based Speaker Recognition", Interspeech 2006: section 3.
.. [4] G. J. Szekely and M. L. Rizzo, "Energy statistics", Journal of Statistical Planning and
   Inference 143, 2013: section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist
from scipy.stats import rankdata

from aares.errors import DataError
from aares.exact import shorten

Floats = npt.NDArray[np.float64]
NEAREST_POWER = -5  # of squared distances: the nearest songs of an album decide
SHRINKAGE = 0.8  # of the spread within albums towards the same in all directions
RANK_BITS = 20
TINY = 1e-12


def rank_songs(X: npt.ArrayLike) -> Floats:
    """Replace each column by the songs' ranks in it: no unit, no song far from all others.

    Parameters
    ----------
    X : array-like of float, shape (n_songs, n_features)
        Finite.

    Returns
    -------
    ndarray of float, shape (n_songs, n_features)
        In (0, 1); equal numbers have the mean of their ranks.

    Raises
    ------
    DataError
        Numbers are missing.

    Examples
    --------
    >>> rank_songs([[1.0], [50.0], [2.0], [2.0]])[:, 0].tolist()
    [0.125, 0.875, 0.5, 0.5]
    """
    values = np.asarray(X, dtype=float)
    if values.ndim != 2 or not len(values) or not np.isfinite(values).all():
        raise DataError("X: expected a table of finite numbers, a row for each song")
    # what two processors compute almost alike is a tie on both
    rounded = np.column_stack([shorten(column, RANK_BITS) for column in values.T])
    return (rankdata(rounded, axis=0) - 0.5) / len(values)


def weigh_features(Z: Floats, groups: Sequence[str]) -> Floats:
    """Weigh features by how far they tell groups apart, as Fisher did.

    Parameters
    ----------
    Z : ndarray of float, shape (n_songs, n_features)
    groups : sequence of str, length n_songs
        At least two; one of them with two songs or more.

    Returns
    -------
    ndarray of float, shape (n_features,)
        Variance of the groups' means by the mean variance within groups; at least 0.

    References
    ----------
    Orlov et al. 2008 [2]_, section 3.2.

    Examples
    --------
    >>> Z = np.array([[0.0, 0.0], [0.2, 1.0], [1.0, 0.0], [1.2, 1.0]])
    >>> weigh_features(Z, ["a", "a", "b", "b"]).round(1).tolist()
    [25.0, 0.0]
    """
    members = _list_members(Z, groups)
    means = np.array([Z[rows].mean(axis=0) for rows in members.values()])
    within = np.mean([Z[rows].var(axis=0) for rows in members.values()], axis=0)
    return np.asarray(means.var(axis=0) / np.maximum(within, TINY))


def measure_nearness(song: Floats, Z: Floats, groups: Sequence[str]) -> dict[str, float]:
    """Tell how near a song is to each group, as a share of its nearness to all.

    Parameters
    ----------
    song : ndarray of float, shape (n_features,)
    Z : ndarray of float, shape (n_songs, n_features)
        Without the song.
    groups : sequence of str, length n_songs

    Returns
    -------
    dict of str to float
        For each group the mean, over its songs, of the weighted squared distance to the power of
        -5; the sum is 1.

    References
    ----------
    Orlov et al. 2008 [2]_, section 3.3.

    Examples
    --------
    >>> Z = np.array([[0.0], [0.1], [0.8], [1.0]])
    >>> near = measure_nearness(np.array([0.7]), Z, list("aabb"))
    >>> max(near, key=near.get)
    'b'
    """
    weights = weigh_features(Z, groups)
    squares = ((weights * (Z - song)) ** 2).sum(axis=1)
    squares /= max(float(squares.min()), TINY)  # powers of -5 stay numbers
    near = np.maximum(squares, TINY) ** NEAREST_POWER
    means = {name: float(near[rows].mean()) for name, rows in _list_members(Z, groups).items()}
    return {name: mean / sum(means.values()) for name, mean in means.items()}


def compare_centres(Z: Floats, groups: Sequence[str], *, power: float = 1.0) -> Floats:
    """Return the distances of groups' means, features weighed as Fisher did.

    Parameters
    ----------
    Z : ndarray of float, shape (n_songs, n_features)
    groups : sequence of str, length n_songs
    power : float
        Of the weights; 0 weighs all alike.

    Returns
    -------
    ndarray of float, shape (n_groups, n_groups)
        Groups in the order of the alphabet.

    Examples
    --------
    >>> compare_centres(np.array([[0.0], [0.2], [1.0]]), ["a", "a", "b"], power=0).round(1).tolist()
    [[0.0, 0.9], [0.9, 0.0]]
    """
    weights = weigh_features(Z, groups) ** power if power else np.ones(Z.shape[1])
    means = np.array(
        [(Z[rows] * weights).mean(axis=0) for rows in _list_members(Z, groups).values()]
    )
    return np.asarray(cdist(means, means))


def compare_nearest(Z: Floats, groups: Sequence[str]) -> Floats:
    """Return the distances of groups after George and Shamir: by their songs' nearest ones.

    Parameters
    ----------
    Z : ndarray of float, shape (n_songs, n_features)
    groups : sequence of str, length n_songs

    Returns
    -------
    ndarray of float, shape (n_groups, n_groups)
        One less the mean nearness of the songs of one group to the other, both ways, by that to
        themselves; from 0.

    References
    ----------
    George and Shamir 2014 [1]_, section 3.

    Examples
    --------
    >>> Z = np.array([[0.0], [0.1], [0.2], [0.3], [0.9], [1.0]])
    >>> D = compare_nearest(Z, list("aabbcc"))
    >>> bool(D[0, 1] < D[0, 2])
    True
    """
    members = _list_members(Z, groups)
    weighed = Z * weigh_features(Z, groups)
    squares = cdist(weighed, weighed, "sqeuclidean")
    np.fill_diagonal(squares, np.inf)
    squares /= np.maximum(squares.min(axis=1, keepdims=True), TINY)
    near = np.maximum(squares, TINY) ** NEAREST_POWER
    means = np.column_stack(
        [
            near[:, rows].sum(axis=1) / np.maximum(len(rows) - np.isin(np.arange(len(Z)), rows), 1)
            for rows in members.values()
        ]
    )
    means /= means.sum(axis=1, keepdims=True)
    shares = np.array([means[rows].mean(axis=0) for rows in members.values()])
    both = (shares + shares.T) / 2
    own = np.maximum(np.diag(both), TINY)
    D = np.maximum(1 - both / np.sqrt(np.outer(own, own)), 0)
    np.fill_diagonal(D, 0)
    return np.asarray(D)


def compare_energy(Z: Floats, groups: Sequence[str]) -> Floats:
    """Return the energy distances of groups: how much farther their songs are than within each.

    Parameters
    ----------
    Z : ndarray of float, shape (n_songs, n_features)
    groups : sequence of str, length n_songs

    Returns
    -------
    ndarray of float, shape (n_groups, n_groups)
        Manhattan distances between, twice, less those within; from 0.

    References
    ----------
    Szekely and Rizzo 2013 [4]_, section 3.

    Examples
    --------
    >>> Z = np.array([[0.0], [0.2], [1.0], [1.2]])
    >>> compare_energy(Z, list("aabb")).round(2).tolist()
    [[0.0, 1.6], [1.6, 0.0]]
    """
    members = list(_list_members(Z, groups).values())
    apart = cdist(Z, Z, "cityblock")
    mean = np.array([[apart[np.ix_(a, b)].mean() for b in members] for a in members])
    for i, rows in enumerate(members):  # a song is no distance from itself
        mean[i, i] *= len(rows) / max(len(rows) - 1, 1)
    D = np.maximum(2 * mean - np.diag(mean)[:, None] - np.diag(mean)[None], 0)
    np.fill_diagonal(D, 0)
    return np.asarray(D)


def compare_whitened(Z: Floats, groups: Sequence[str], *, shrinkage: float = SHRINKAGE) -> Floats:
    """Return the distances of groups' means where songs of a group spread alike in all directions.

    Parameters
    ----------
    Z : ndarray of float, shape (n_songs, n_features)
    groups : sequence of str, length n_songs
    shrinkage : float
        0 to 1, above 0: how far the spread within groups, known from few songs, is drawn to the
        same in all directions. 1 leaves features as they are.

    Returns
    -------
    ndarray of float, shape (n_groups, n_groups)
        Mahalanobis distances by the pooled spread within groups.

    Raises
    ------
    ValueError
        `shrinkage` is out of its range.

    References
    ----------
    Hatch et al. 2006 [3]_, section 3.

    Examples
    --------
    Songs of a group differ in the second feature: it counts for less.

    >>> Z = np.array([[0.0, 0.0], [0.1, 1.0], [1.0, 0.0], [1.1, 1.0], [0.0, 1.0], [0.1, 2.0]])
    >>> D = compare_whitened(Z, list("aabbcc"))
    >>> bool(D[0, 2] < D[0, 1])
    True
    """
    if not 0 < shrinkage <= 1:
        raise ValueError(f"shrinkage: expected above 0, at most 1, found {shrinkage}")
    members = list(_list_members(Z, groups).values())
    rest = np.concatenate([Z[rows] - Z[rows].mean(axis=0) for rows in members])
    _, lengths, axes = np.linalg.svd(rest, full_matrices=False)
    variances = lengths**2 / max(len(Z) - len(members), 1)
    usual = max(float(variances.sum()) / Z.shape[1], TINY)
    along = np.sqrt((1 - shrinkage) * variances + shrinkage * usual)
    means = np.array([Z[rows].mean(axis=0) for rows in members])
    means = means - means.mean(axis=0)
    parts = means @ axes.T
    # directions in which no songs of a group differ: only what was drawn to
    left = (means - parts @ axes) / np.sqrt(shrinkage * usual)
    white = np.hstack([parts / along, left])
    return np.asarray(cdist(white, white))


def _list_members(Z: Floats, groups: Sequence[str]) -> dict[str, npt.NDArray[np.intp]]:
    names = np.asarray(groups)
    if len(names) != len(Z):
        raise ValueError(f"groups: expected one for each of {len(Z)} songs, found {len(names)}")
    found = {str(name): np.flatnonzero(names == name) for name in np.unique(names)}
    if len(found) < 2:
        raise DataError(f"groups: expected two albums or more, found {len(found)}")
    return found


COMPARISONS: dict[str, Callable[[Floats, Sequence[str]], Floats]] = {
    "Fisher-weighted means": compare_centres,
    "nearest songs": compare_nearest,
    "energy": compare_energy,
    "whitened means": compare_whitened,
    "whitened less": partial(compare_whitened, shrinkage=0.95),
}
"""How albums are compared: the first two are George and Shamir's. Of whole songs whitened means do
best; of a minute each, which tells the spread less well, the last."""
