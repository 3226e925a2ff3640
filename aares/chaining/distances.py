"""How far songs are from each other: the distances of the study, and weights learnt from pairs.

Used by notebook 06. Features have units (a centroid in Hz, a share of zero crossings): they are
standardised, by mean and spread of the training songs, before anything is measured.

Conventions
-----------
Songs are rows of ``points``, shape (n_songs, d). A pair is two rows: ``a`` and ``b``, arrays of
integers of one length. Differences are weighted as scipy does, ``sum(w * |x - y|**p)**(1/p)``.

References
----------
.. [1] R. A. Fisher, "The use of multiple measurements in taxonomic problems", Annals of Eugenics 7,
   1936 (the ratio of separation and spread).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from numba import njit

from aares import exact

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Kind = Literal["euclidean", "manhattan", "minkowski"]
POWERS = {"manhattan": 1, "euclidean": 2, "minkowski": 4}
"""Distances of the study and their powers."""
_BITS = 40  # of the largest coordinate: sums of 4000 absolute differences are exact


@dataclass(frozen=True)
class FeatureScale:
    """What is subtracted from each feature, and what it is divided by.

    Parameters
    ----------
    means, spreads : ndarray of float, shape (d,)
        Of the training songs; a spread is never 0.
    """

    means: Floats
    spreads: Floats

    def standardise(self, values: npt.ArrayLike) -> Floats:
        """Return features in spreads from the mean.

        Parameters
        ----------
        values : array-like of float, shape (n, d)
            Of any songs.

        Returns
        -------
        ndarray of float, shape (n, d)
            On a grid of 2^-20, see :func:`aares.exact.snap`.
        """
        values = _check_features(values)
        if values.shape[1] != len(self.means):
            raise ValueError(f"expected {len(self.means)} features, found {values.shape[1]}")
        return exact.snap((values - self.means) / self.spreads)


def fit_scale(training: npt.ArrayLike) -> FeatureScale:
    """Measure mean and spread of each feature.

    Parameters
    ----------
    training : array-like of float, shape (n, d)
        Features of the training songs, at least one; of no other songs, else the test is known.

    Returns
    -------
    FeatureScale
        A feature that is the same in all songs has spread 1: it says nothing.

    Raises
    ------
    ValueError
        No song, not a table, or a value that is not finite.

    Examples
    --------
    >>> scale = fit_scale([[100.0, 1.0], [300.0, 1.0]])
    >>> scale.standardise([[400.0, 2.0]]).tolist()
    [[2.0, 1.0]]
    """
    values = _check_features(training)
    if not len(values):
        raise ValueError("expected at least 1 training song, found 0")
    spreads = values.std(axis=0)
    flat = spreads <= 1e-12 * np.abs(values).max(axis=0)
    return FeatureScale(values.mean(axis=0), np.where(flat, 1.0, spreads))


def measure_pair_distances(
    points: npt.ArrayLike,
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    *,
    kind: Kind = "euclidean",
    weights: npt.ArrayLike | None = None,
) -> Floats:
    """Return the distance of each pair of songs.

    Parameters
    ----------
    points : array-like of float, shape (n_songs, d)
        Standardised features.
    a, b : array-like of int, shape (n,)
        Rows of the songs of each pair.
    kind : {"euclidean", "manhattan", "minkowski"}
        Minkowski's is that of the study, p = 4.
    weights : array-like of float, shape (d,), optional
        Not negative; default 1 each.

    Returns
    -------
    ndarray of float, shape (n,)
        The same bits on every machine.

    Raises
    ------
    ValueError
        Rows that are not there, an unknown kind, weights of another number or below 0.

    Examples
    --------
    >>> points = [[0.0, 0.0], [3.0, 4.0]]
    >>> [measure_pair_distances(points, [0], [1], kind=kind).item() for kind in list(POWERS)[:2]]
    [7.0, 5.0]
    """
    points = _check_features(points)
    n_songs, d = points.shape
    if kind not in POWERS:
        raise ValueError(f"kind: expected one of {', '.join(POWERS)}, found {kind!r}")
    a, b = _check_rows("a", a, n_songs), _check_rows("b", b, n_songs)
    if len(a) != len(b):
        raise ValueError(f"expected as many rows in a as in b, found {len(a)} and {len(b)}")
    scales = np.ones(d) if weights is None else _check_weights(weights, d)
    # w |x - y|^p is |s x - s y|^p of points stretched by s, the root of w: no weight in the loop.
    for _ in range(POWERS[kind] // 2):
        scales = np.sqrt(scales)
    stretched = points * scales
    if kind == "manhattan":
        return np.asarray(_add_gaps(exact.shorten(stretched, _BITS), a, b))
    return np.asarray(_add_powers(stretched, a, b, kind == "minkowski"))


def measure_all_distances(
    points: npt.ArrayLike, *, kind: Kind = "euclidean", weights: npt.ArrayLike | None = None
) -> Floats:
    """Return the distances of all songs to all.

    Parameters
    ----------
    points : array-like of float, shape (n_songs, d)
    kind : {"euclidean", "manhattan", "minkowski"}
    weights : array-like of float, shape (d,), optional
        As of :func:`measure_pair_distances`.

    Returns
    -------
    ndarray of float, shape (n_songs, n_songs)
        Symmetric, with zeros on the diagonal.

    Examples
    --------
    >>> measure_all_distances([[0.0], [2.0], [5.0]]).tolist()
    [[0.0, 2.0, 5.0], [2.0, 0.0, 3.0], [5.0, 3.0, 0.0]]
    """
    points = _check_features(points)
    a, b = np.triu_indices(len(points), 1)
    result = np.zeros((len(points), len(points)))
    result[a, b] = measure_pair_distances(points, a, b, kind=kind, weights=weights)
    return result + result.T


def weigh_by_pairs(
    points: npt.ArrayLike, a: npt.ArrayLike, b: npt.ArrayLike, labels: npt.ArrayLike
) -> Floats:
    """Weigh features by how well their differences tell chainable pairs from others.

    The slides say 'with weights' and not which: this is Fisher's ratio [1]_ of each feature's
    ``|x - y|``, squared distance of the two means by the sum of the two variances, and 0 for a
    feature that differs more within chainable pairs.

    Parameters
    ----------
    points : array-like of float, shape (n_songs, d)
    a, b : array-like of int, shape (n,)
        Training pairs.
    labels : array-like of bool, shape (n,)
        Chainable or not; both occur.

    Returns
    -------
    ndarray of float, shape (d,)
        Of mean 1; all 1 where no feature tells anything.

    Raises
    ------
    ValueError
        Only one kind of pairs, or another number of labels.

    Examples
    --------
    >>> points = [[0.0, 0.0], [0.1, 5.0], [3.0, 1.0], [3.2, 4.0]]
    >>> a, b, labels = [0, 2, 0, 1], [1, 3, 2, 3], [True, True, False, False]
    >>> weigh_by_pairs(points, a, b, labels).tolist()
    [2.0, 0.0]
    """
    points = _check_features(points)
    a, b = _check_rows("a", a, len(points)), _check_rows("b", b, len(points))
    chainable = check_pair_labels(labels, len(a))
    gaps = np.abs(points[a] - points[b])
    yes, no = gaps[chainable], gaps[~chainable]
    lead = np.maximum(no.mean(axis=0) - yes.mean(axis=0), 0)
    spread = yes.var(axis=0) + no.var(axis=0)
    ratio = np.divide(lead**2, spread, out=np.zeros_like(lead), where=spread > 0)
    if not ratio.any():
        return np.ones(points.shape[1])
    return exact.snap(ratio / ratio.mean())


def check_pair_labels(labels: npt.ArrayLike, n: int) -> npt.NDArray[np.bool_]:
    """Return labels of pairs as booleans.

    Parameters
    ----------
    labels : array-like of bool or 0 and 1, shape (n,)
    n : int
        Number of pairs.

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    ValueError
        Another number, other values, or only one of the two.

    Examples
    --------
    >>> check_pair_labels([1, 0], 2).tolist()
    [True, False]
    """
    values = np.asarray(labels)
    if values.shape != (n,):
        raise ValueError(f"labels: expected one for each of {n} pairs, found shape {values.shape}")
    if not np.isin(values, (0, 1)).all():
        raise ValueError("labels: expected true or false (1 or 0), found other values")
    flags = values.astype(bool)
    if flags.all() or not flags.any():
        raise ValueError(f"labels: expected chainable pairs and others, found {flags.sum()} of {n}")
    return flags


def _check_features(values: npt.ArrayLike) -> Floats:
    try:
        table = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"features: expected a table of numbers, found {error}") from error
    if table.ndim != 2:
        raise ValueError(f"features: expected a table, songs by features, found {table.ndim} axes")
    if not np.isfinite(table).all():
        row, column = np.argwhere(~np.isfinite(table))[0]
        raise ValueError(
            f"features: expected finite numbers, found {table[row, column]} in row {row}, column "
            f"{column}; leave out songs with an error"
        )
    return table


def _check_rows(name: str, rows: npt.ArrayLike, n_songs: int) -> Rows:
    values = np.asarray(rows)
    if values.size == 0:
        return np.zeros(0, dtype=np.intp)
    if values.ndim != 1 or values.dtype.kind not in "iu":
        raise ValueError(f"{name}: expected whole numbers in one row, found {values.dtype}")
    if values.min() < 0 or values.max() >= n_songs:
        wrong = values[(values < 0) | (values >= n_songs)][0]
        raise ValueError(f"{name}: expected rows in 0 .. {n_songs - 1}, found {wrong}")
    return values.astype(np.intp)


def _check_weights(weights: npt.ArrayLike, d: int) -> Floats:
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != (d,):
        raise ValueError(f"weights: expected {d}, one a feature, found shape {values.shape}")
    if not (np.isfinite(values) & (values >= 0)).all():
        raise ValueError("weights: expected finite numbers that are not negative")
    return values


# --- loops --------------------------------------------------------------------------------


# Of shortened points all sums are exact, in whatever order: it may be left to the compiler, which
# makes it four times as fast.
@njit(cache=True, nogil=True, fastmath={"reassoc"})
def _add_gaps(points: Floats, a: Rows, b: Rows) -> Floats:
    """Return sums of absolute differences."""
    found = np.empty(len(a))
    for i in range(len(a)):
        total = 0.0
        for k in range(points.shape[1]):
            total += abs(points[a[i], k] - points[b[i], k])
        found[i] = total
    return found


@njit(cache=True, nogil=True)
def _add_powers(points: Floats, a: Rows, b: Rows, twice: bool) -> Floats:
    """Return roots of sums of squares, or fourth roots of sums of squared squares."""
    found = np.empty(len(a))
    for i in range(len(a)):
        total = 0.0
        for k in range(points.shape[1]):
            gap = points[a[i], k] - points[b[i], k]
            square = gap * gap
            total += square * square if twice else square
        root = np.sqrt(total)
        found[i] = np.sqrt(root) if twice else root
    return found
