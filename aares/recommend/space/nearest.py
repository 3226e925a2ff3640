"""The nearest songs of a space, exactly and at once.

The points are cut into leaves of :data:`LEAF` points, each in the middle of its widest coordinate
(a k-d tree of which only the leaves are kept). A search goes through the leaves from the nearest
box to the farthest, until no box can hold a point that is near enough. Within a leaf the distances
are first taken in single precision, column by column, so that a processor takes many at once; only
points that could be near enough within the error of that are measured in double precision.

Conventions: a song is a row of the points. A squared distance is the sum of the squared differences
in the order of the columns; what is found are the smallest of these, and of equal ones the smallest
rows. On the grid of :class:`aares.recommend.space.content.SongSpace` no digit is lost in such a
sum, in whatever order. Which machine searches, and how the leaves are cut, does not change the
answer.

References
----------
Bentley, "Multidimensional binary search trees used for associative searching", Communications of
the ACM 18(9), 1975: section 4.
Friedman, Bentley and Finkel, "An algorithm for finding best matches in logarithmic expected time",
ACM Transactions on Mathematical Software 3(3), 1977: section 3 (leaves, cut at the median of the
widest coordinate; the bounds of a box).
Higham, "Accuracy and stability of numerical algorithms", SIAM, 2nd edition 2002: sections 2.2, 3.1.
"""

from __future__ import annotations

from numbers import Integral

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.intp]

LEAF = 128
"""Points of a leaf: 20 coordinates of so many take 10 kB, which stays in the nearest cache."""
LARGEST = 1e100
"""Coordinates up to here: their squares are numbers still."""

_UNIT = 2.0**-24  # rounding error of single precision
_TINY = 1e-150  # the square root of what is lost where squares become too small to be numbers


class NearestSongs:
    """Points that are searched for the nearest ones to a query.

    Parameters
    ----------
    points : array-like of float, shape (N, d)
        One row for each song, at least one; finite.

    Attributes
    ----------
    points : ndarray of float64, shape (N, d)

    Raises
    ------
    ValueError
        The points are no table of finite numbers.

    Examples
    --------
    >>> songs = NearestSongs([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0], [0.0, -1.0]])
    >>> rows, distances = songs.search([0.0, 0.0], 3)
    >>> rows.tolist(), distances.tolist()
    ([0, 2, 3], [0.0, 1.0, 1.0])
    """

    def __init__(self, points: npt.ArrayLike) -> None:
        self.points = _check_points("points", points)
        n, d = self.points.shape
        if n == 0 or d == 0:
            raise ValueError(f"points: expected at least one song and column, found {n} and {d}")
        self._rows = _cut_leaves(self.points)
        leaves = -(-n // LEAF)
        # The last leaf is filled up with its last point; copies are passed over in a search.
        filled = self._rows[np.minimum(np.arange(leaves * LEAF), n - 1)].reshape(leaves, LEAF)
        members = self.points[filled]
        self._low = np.ascontiguousarray(members.min(axis=1).T)
        self._high = np.ascontiguousarray(members.max(axis=1).T)
        low, high = self._low.min(axis=1), self._high.max(axis=1)
        self._centre = low / 2 + high / 2
        # A power of two, so that nothing is lost: the largest coordinate becomes at most 1.
        self._scale = 2.0 ** min(-int(np.frexp((high - self._centre).max())[1]), 1000)
        scaled = (members - self._centre) * self._scale
        self._columns = np.ascontiguousarray(scaled.transpose(0, 2, 1), dtype=np.float32)

    def __len__(self) -> int:
        return len(self.points)

    def search(
        self, queries: npt.ArrayLike, k: int, *, allowed: npt.ArrayLike | None = None
    ) -> tuple[IntArray, FloatArray]:
        """Find the nearest points by Euclidean distance: those that brute force finds.

        Parameters
        ----------
        queries : array-like of float, shape (d,) or (m, d)
            Coordinates of one query or of several.
        k : int
            How many to find, from 1; no more than there are.
        allowed : array-like of bool, shape (N,), optional
            Which songs may be found; all where it is not given.

        Returns
        -------
        rows : ndarray of int, shape (k,) or (m, k)
            Nearest first, of equally near ones the smaller row first.
        distances : ndarray of float, of the same shape

        Raises
        ------
        ValueError
            A shape does not fit, a coordinate is not finite, or `k` is no whole number from 1.

        Examples
        --------
        >>> songs = NearestSongs([[0.0], [1.0], [2.0], [3.0]])
        >>> rows, distances = songs.search([[0.2], [2.9]], 2)
        >>> rows.tolist(), distances.round(1).tolist()
        ([[0, 1], [3, 2]], [[0.2, 0.8], [0.1, 0.9]])
        >>> songs.search([0.2], 9, allowed=[False, True, False, True])[0].tolist()
        [1, 3]
        """
        asked = _check_points("queries", queries, width=self.points.shape[1])
        if not isinstance(k, Integral) or isinstance(k, bool) or k < 1:
            raise ValueError(f"k: expected a whole number from 1, found {k!r}")
        mask = self._check_allowed(allowed)
        size = min(int(k), len(self) if allowed is None else int(np.count_nonzero(mask)))
        rows = np.empty((len(asked), size), dtype=np.intp)
        squared = np.empty((len(asked), size))
        if size:
            for query, found, values in zip(asked, rows, squared, strict=True):
                bounds = _bound_boxes(self._low, self._high, query)
                _search(self.points, self._rows, self._columns, bounds, np.argsort(bounds),
                        self._centre, self._scale, query, mask, found, values)  # fmt: skip
                # Sorted here: a sort takes seconds to compile.
                order = np.lexsort((found, values))
                found[:], values[:] = found[order], values[order]
        shape = (*np.shape(queries)[:-1], size)
        return rows.reshape(shape), np.sqrt(squared).reshape(shape)

    def _check_allowed(self, allowed: npt.ArrayLike | None) -> npt.NDArray[np.bool_]:
        """Return which songs may be found; an empty array stands for all."""
        if allowed is None:
            return np.empty(0, dtype=np.bool_)
        mask = np.asarray(allowed)
        if mask.dtype != np.bool_ or mask.shape != (len(self),):
            raise ValueError(
                f"allowed: expected True or False for each of {len(self)} songs, "
                f"found {mask.dtype} of the shape {mask.shape}"
            )
        return mask


def _check_points(name: str, points: npt.ArrayLike, *, width: int | None = None) -> FloatArray:
    """Return points as a table of doubles; of a known width one point may stand alone."""
    wanted = "(n, d)" if width is None else f"({width},) or (m, {width})"
    try:
        values = np.array(points, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: expected numbers of the shape {wanted}, found {error}") from None
    table = values[None] if values.ndim == 1 and width is not None else values
    if table.ndim != 2 or (width is not None and table.shape[1] != width):
        raise ValueError(f"{name}: expected the shape {wanted}, found {values.shape}")
    bad = np.argwhere(~(np.abs(table) <= LARGEST))
    if len(bad):
        row, column = bad[0]
        raise ValueError(
            f"{name}, row {row}, column {column}: expected a finite number, found "
            f"{table[row, column]}; leave such songs out"
        )
    return table


def _cut_leaves(points: FloatArray) -> IntArray:
    """Return the rows so that every :data:`LEAF` of them, one after another, are a leaf."""
    rows = np.arange(len(points))
    pieces = [(0, len(points))]
    while pieces:
        begin, end = pieces.pop()
        leaves = -(-(end - begin) // LEAF)
        if leaves == 1:
            continue
        inside = points[rows[begin:end]]
        widest = inside.var(axis=0).argmax()
        middle = leaves // 2 * LEAF
        halves = np.argpartition(inside[:, widest], middle)
        rows[begin:end] = rows[begin:end][halves]
        pieces += [(begin, begin + middle), (begin + middle, end)]
    return rows


# No fastmath here: a bound must not be rounded otherwise than the distance that it bounds.


@njit(cache=True, nogil=True)
def _search(points, rows, columns, bounds, order, centre, scale, query, allowed, found, squared):
    """Write the rows and the squared distances of the nearest points, in no order."""
    k, n = len(found), len(rows)
    _, d, size = columns.shape
    scaled = ((query - centre) * scale).astype(np.float32)
    slack = _bound_error(query, centre, scale)
    near = np.empty(size, dtype=np.float32)
    kept = np.empty(2 * k + size, dtype=np.intp)
    values = np.empty(2 * k + size)
    count, farthest, limit = 0, np.inf, np.float32(np.inf)
    for leaf in order:
        if bounds[leaf] > farthest:
            break
        if not _measure_leaf(columns[leaf], scaled, limit, near):
            continue
        for i in range(min(size, n - leaf * size)):
            row = rows[leaf * size + i]
            if near[i] > limit or (len(allowed) and not allowed[row]):
                continue
            value = 0.0
            for j in range(d):
                value += (points[row, j] - query[j]) ** 2
            if value <= farthest:
                kept[count], values[count] = row, value
                count += 1
        if count > 2 * k or (count >= k and farthest == np.inf):
            farthest = _keep_nearest(kept, values, count, k)
            count = k
            limit = _make_limit(farthest, scale, slack, d)
    if count > k:
        _keep_nearest(kept, values, count, k)
    found[:], squared[:] = kept[:k], values[:k]


@njit(cache=True, nogil=True)
def _bound_boxes(low, high, query):
    """Return the squared distance of each leaf's box.

    The sum goes as that of a point does, and rounding keeps the order of two numbers: no point of
    the box is nearer, to the last bit.
    """
    d, leaves = low.shape
    bounds = np.zeros(leaves)
    for j in range(d):
        for leaf in range(leaves):
            outside = max(max(low[j, leaf] - query[j], query[j] - high[j, leaf]), 0.0)
            bounds[leaf] += outside * outside
    return bounds


@njit(cache=True, nogil=True)
def _bound_error(query, centre, scale):
    """Return how much a distance in single precision may be wrong by its coordinates.

    A coordinate of at most 1, one of the query and their difference are each rounded once.
    """
    total = 0.0
    for j in range(len(query)):
        total += (2.0 + 2.0 * abs(query[j] - centre[j]) * scale) ** 2
    return 2.0 * _UNIT * np.sqrt(total)


@njit(cache=True, nogil=True)
def _make_limit(farthest, scale, slack, d):
    """Return what the square in single precision of a point within `farthest` cannot exceed."""
    if slack > 1.0:  # so far away that single precision tells no point from another
        return np.float32(np.inf)
    reach = (np.sqrt(farthest) + _TINY) * scale + slack
    return np.float32(reach * reach * (1.0 + 4.0 * (d + 4.0) * _UNIT))


@njit(cache=True, nogil=True)
def _measure_leaf(columns, query, limit, near):
    """Write squared distances in single precision; return how many are within the limit."""
    d, size = columns.shape
    near[:] = 0
    for j in range(d):
        for i in range(size):
            apart = columns[j, i] - query[j]
            near[i] += apart * apart
    within = 0
    for i in range(size):
        within += near[i] <= limit
    return within


@njit(cache=True, nogil=True)
def _keep_nearest(kept, values, count, k):
    """Move the k nearest to the front, of equally near ones the smaller rows; return the k-th.

    Hoare's selection, with values and then rows compared.
    """
    low, high = 0, count - 1
    while low < high:
        i, j = low, high
        value, row = values[(low + high) // 2], kept[(low + high) // 2]
        while i <= j:
            while values[i] < value or (values[i] == value and kept[i] < row):
                i += 1
            while values[j] > value or (values[j] == value and kept[j] > row):
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                kept[i], kept[j] = kept[j], kept[i]
                i, j = i + 1, j - 1
        if j < k - 1 < i:
            break
        low, high = (low, j) if k - 1 <= j else (i, high)
    return values[k - 1]
