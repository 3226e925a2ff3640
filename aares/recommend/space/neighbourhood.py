"""The songs among which a seed's closest are looked for: near ones, and those of its day.

Used by notebook ``03_recommendation`` through :class:`aares.recommend.space.likeness.SongIndex`. An
album comes out on one day, so the day finds songs that a space of sound does not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from aares.recommend.space.columns import NO_DAY
from aares.recommend.space.content import FloatArray
from aares.recommend.space.nearest import NearestSongs

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

MAX_DAY = 100
"""Of the songs of one day, so many, the nearest."""


class Neighbourhood:
    """Finds candidates of a song.

    Parameters
    ----------
    points : ndarray of float, shape (n, d)
        On a grid, so that distances are exact.
    days : ndarray of int, shape (n,), optional
        Days of release, :data:`aares.recommend.space.columns.NO_DAY` where unknown; without them,
        only near songs are found.

    Examples
    --------
    >>> near = Neighbourhood(np.array([[0.0], [1.0], [2.0], [9.0]]), np.array([5, 6, -1, 5]))
    >>> near.find(0, 2).tolist()
    [1, 2, 3]
    """

    def __init__(self, points: FloatArray, days: IntArray | None = None) -> None:
        self._points = np.ascontiguousarray(points)
        self._tree: NearestSongs | None = None  # grown when single songs are asked about
        self._norms = (points**2).sum(axis=1)
        self._days = days
        if days is not None:
            self._order = np.argsort(days, kind="stable")
            self._sorted = days[self._order]

    def find(self, row: int, k: int, allowed: BoolArray | None = None) -> IntArray:
        """Return the k nearest songs and up to 100 of the same day.

        Parameters
        ----------
        row : int
        k : int
        allowed : ndarray of bool, shape (n,), optional
            Which songs may be found.

        Returns
        -------
        ndarray of int, shape (m,)
            Nearest first.
        """
        if self._tree is None:
            self._tree = NearestSongs(self._points)
        near = self._tree.search(self._points[row], k + 1, allowed=allowed)[0]
        same = self._list_day(row)
        if allowed is not None:
            same = same[allowed[same]]
        return self._join(row, near[near != row][:k].astype(np.int64), same)

    def find_many(self, rows: Sequence[int] | IntArray, k: int) -> list[IntArray]:
        """Return what :meth:`find` does, for many songs: faster by one product of matrices.

        Parameters
        ----------
        rows : sequence of int
        k : int

        Returns
        -------
        list of ndarray of int
        """
        found = []
        for start in range(0, len(rows), 64):
            some = np.asarray(rows[start : start + 64], dtype=np.int64)
            squares = self._norms - 2 * (self._points[some] @ self._points.T)
            squares += self._norms[some][:, None]
            squares[np.arange(len(some)), some] = np.inf
            found += [self._choose(row, line, k) for row, line in zip(some, squares, strict=True)]
        return found

    def _choose(self, row: int, squares: FloatArray, k: int) -> IntArray:
        k = min(k, len(squares) - 1)
        if k <= 0:
            return np.zeros(0, dtype=np.int64)
        near = np.flatnonzero(squares <= np.partition(squares, k - 1)[k - 1])
        near = near[np.argsort(squares[near], kind="stable")][:k]
        return self._join(row, near, self._list_day(row))

    def _join(self, row: int, near: IntArray, same: IntArray) -> IntArray:
        """Join the nearest to those of the same day, of which the nearest :data:`MAX_DAY`."""
        if len(same) == 0:
            return near
        return self._sort(row, np.union1d(near, self._sort(row, same)[:MAX_DAY]))

    def _sort(self, row: int, rows: IntArray) -> IntArray:
        squares = ((self._points[rows] - self._points[row]) ** 2).sum(axis=1)
        return rows[np.lexsort((rows, squares))]

    def _list_day(self, row: int) -> IntArray:
        if self._days is None or self._days[row] == NO_DAY:
            return np.zeros(0, dtype=np.int64)
        first, last = np.searchsorted(self._sorted, [self._days[row], self._days[row] + 1])
        songs = self._order[first:last]
        return songs[songs != row]
