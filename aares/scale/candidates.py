"""The few pairs of songs worth a closer look: near neighbours first, then the model of transitions.

All pairs of 40 million songs are 8e14: no model sees them. Each song's end is a vector, each start
another; the starts nearest to an end are its candidates (`Neighbours`), and only these are judged
by :mod:`aares.chaining.transition`'s model (`rank_transitions`). A graph of neighbours finds nearly
all of the nearest without looking at most of them; ``benchmarks/scale.py neighbours`` says how
many, and how many of the model's best transitions lie among them.

Conventions
-----------
Vectors are snapped to a grid so coarse that any sum of squared differences is a whole number that
float32 holds exactly: in whatever order a processor adds them, distances and the graph are the
same. It is built by one thread, row after row. Of equally near rows the first comes first.

References
----------
.. [1] Y. A. Malkov and D. A. Yashunin, "Efficient and robust approximate nearest neighbor search
   using hierarchical navigable small world graphs", IEEE TPAMI 42(4), 2020: sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from aares.chaining.distances import FeatureScale, fit_scale
from aares.chaining.edges import Edge
from aares.chaining.join_model import JoinModel, load_join_model
from aares.chaining.joins import GAP_S, measure_joins
from aares.chaining.transition import SongEdges
from aares.scale.needs import require_scale

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

WIDEST = 6.0  # spreads: what lies farther out lies at the edge of the grid
EXACT = 1 << 24  # float32 holds all whole numbers up to here
LINKS = 16  # of a row to others, in the graph: M of [1]_
BUILDING, SEARCHING = 64, 64  # rows that are kept in view: efConstruction and ef of [1]_
BLOCK = 256  # rows that are compared with all others at a time


@dataclass(frozen=True)
class Grid:
    """Where vectors lie: standardised, then snapped.

    Parameters
    ----------
    scale : FeatureScale
    step : float
        In spreads.
    """

    scale: FeatureScale
    step: float

    @classmethod
    def fit(cls, vectors: npt.ArrayLike) -> Grid:
        """Measure the scale of vectors.

        Parameters
        ----------
        vectors : array-like of float, shape (n, d)

        Returns
        -------
        Grid

        Raises
        ------
        ValueError
            They are no table of finite numbers.

        Examples
        --------
        The finest step with which sums of squares stay exact: of two features, 2896 steps.

        >>> grid = Grid.fit([[0.0, 5.0], [2.0, 9.0]])
        >>> round(2 * WIDEST / grid.step)
        2896
        """
        scale = fit_scale(vectors)
        most = int(np.sqrt(EXACT / (4 * len(scale.means))))
        return cls(scale, WIDEST / most)

    def snap(self, vectors: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return vectors in whole steps.

        Parameters
        ----------
        vectors : array-like of float, shape (n, d)

        Returns
        -------
        ndarray of float32, shape (n, d)
            Whole numbers.

        Examples
        --------
        >>> grid = Grid.fit([[0.0, 5.0], [2.0, 9.0]])
        >>> grid.snap([[1.0, 7.0], [2.0, 9e9]]).tolist()
        [[0.0, 0.0], [241.0, 1448.0]]
        """
        values = np.clip(self.scale.standardise(vectors), -WIDEST, WIDEST)
        return np.rint(values / self.step).astype(np.float32)


class Neighbours:
    """Vectors that can be asked which of them are near others.

    Parameters
    ----------
    vectors : array-like of float, shape (n, d)
        At least one.
    grid : Grid, optional
        Default: that of the vectors.

    Raises
    ------
    ValueError
        They are no table of finite numbers.

    Examples
    --------
    >>> near = Neighbours([[0.0, 0.0], [1.0, 0.0], [5.0, 5.0], [1.0, 0.0]])
    >>> near.find_exact([[1.1, 0.0]], 3).tolist()
    [[1, 3, 0]]
    """

    def __init__(self, vectors: npt.ArrayLike, *, grid: Grid | None = None) -> None:
        self.grid = grid or Grid.fit(vectors)
        self.points = self.grid.snap(vectors)

    def find_exact(self, vectors: npt.ArrayLike, k: int) -> Rows:
        """Find the nearest rows by comparing with all.

        Parameters
        ----------
        vectors : array-like of float, shape (m, d)
        k : int

        Returns
        -------
        ndarray of int, shape (m, min(k, n))
            The nearest first, of equally near ones the first.

        Raises
        ------
        ValueError
            `k` is less than 1, or the vectors have other columns.
        """
        asked = self._read(vectors, k)
        found = [self._compare(asked[row : row + BLOCK], k) for row in range(0, len(asked), BLOCK)]
        return np.concatenate([np.empty((0, min(k, len(self.points))), dtype=np.intp), *found])

    def find(self, vectors: npt.ArrayLike, k: int, *, in_view: int = SEARCHING) -> Rows:
        """Find nearly always the nearest rows, by a walk through the graph.

        Parameters
        ----------
        vectors : array-like of float, shape (m, d)
        k : int
        in_view : int
            Rows that the walk keeps in view: the more, the surer and the slower.

        Returns
        -------
        ndarray of int, shape (m, min(k, n))
            As of `find_exact`.

        Raises
        ------
        ScaleError
            The extra ``[scale]`` is not installed.
        ValueError
            `k` or `in_view` is less than 1, or the vectors have other columns.

        Examples
        --------
        >>> points = np.random.default_rng(0).standard_normal((300, 8))
        >>> near = Neighbours(points)
        >>> bool((near.find(points[:20], 5) == near.find_exact(points[:20], 5)).all())
        True
        """
        asked = self._read(vectors, k)
        if in_view < 1:
            raise ValueError(f"in_view: expected at least 1, found {in_view}")
        self.graph.expansion_search = max(in_view, k)
        matches = self.graph.search(asked, min(k, len(self.points)), threads=1)
        keys = np.atleast_2d(matches.keys).astype(np.intp)
        order = np.lexsort((keys, np.atleast_2d(matches.distances)), axis=1)
        return np.take_along_axis(keys, order, axis=1)

    @cached_property
    def graph(self) -> Any:
        """Return the graph, built when it is needed first.

        Returns
        -------
        usearch.index.Index
        """
        require_scale("usearch")
        from usearch.index import Index

        graph = Index(
            ndim=self.points.shape[1], metric="l2sq", dtype="f32", connectivity=LINKS,
            expansion_add=BUILDING, expansion_search=SEARCHING,
        )  # fmt: skip
        graph.add(np.arange(len(self.points)), self.points, threads=1)
        return graph

    def _read(self, vectors: npt.ArrayLike, k: int) -> npt.NDArray[np.float32]:
        if k < 1:
            raise ValueError(f"k: expected at least 1 neighbour, found {k}")
        return self.grid.snap(vectors)

    def _compare(self, asked: npt.NDArray[np.float32], k: int) -> Rows:
        squares = (self.points**2).sum(axis=1)
        far = (asked**2).sum(axis=1)[:, None] + squares - 2 * (asked @ self.points.T)
        if k >= len(self.points):
            return np.argsort(far, axis=1, kind="stable")
        limit = np.partition(far, k - 1, axis=1)[:, k - 1]
        found = np.empty((len(asked), k), dtype=np.intp)
        for row, (one, most) in enumerate(zip(far, limit, strict=True)):
            near = np.flatnonzero(one <= most)  # all that tie with the last
            found[row] = near[np.argsort(one[near], kind="stable")][:k]
        return found


def describe_edge(edge: Edge) -> Floats:
    """Describe an edge as a vector, alike for ends and starts: near ones sound alike.

    Parameters
    ----------
    edge : Edge

    Returns
    -------
    ndarray of float, shape (104,)
        Means of `edges.STATISTICS` within each length from the join outwards.

    Examples
    --------
    >>> from aares.chaining.edges import RATE_HZ, SCALES_S, STATISTICS, describe_start
    >>> noise = np.random.default_rng(0).standard_normal(2 * RATE_HZ)
    >>> describe_edge(describe_start(noise)).shape, len(SCALES_S) * len(STATISTICS)
    ((104,), 104)
    """
    return np.asarray(edge.statistics[:, :, 0], dtype=np.float64).ravel()


def find_candidates(songs: Sequence[SongEdges], k: int, *, exact: bool = False) -> Rows:
    """Find, for each song, other songs that start as it ends.

    Parameters
    ----------
    songs : sequence of SongEdges
    k : int
    exact : bool
        Compare with all songs instead of walking through a graph.

    Returns
    -------
    ndarray of int, shape (n, min(k, n - 1))
        The nearest first; never the song itself.

    Raises
    ------
    ScaleError
        The extra ``[scale]`` is not installed, and `exact` is false.
    ValueError
        There are fewer than two songs, or `k` is less than 1.
    """
    if len(songs) < 2:
        raise ValueError(f"songs: expected at least two, found {len(songs)}")
    ends, starts = (
        np.array([describe_edge(edge) for edge in edges])
        for edges in ([song.end for song in songs], [song.start for song in songs])
    )
    near = Neighbours(starts, grid=Grid.fit(np.concatenate([starts, ends])))
    found = (near.find_exact if exact else near.find)(ends, min(k, len(songs) - 1) + 1)
    return leave_out(found, np.arange(len(songs)))


def leave_out(found: Rows, rows: Rows) -> Rows:
    """Leave one row out of each list of neighbours: itself, or else the last.

    Parameters
    ----------
    found : ndarray of int, shape (n, k)
    rows : ndarray of int, shape (n,)

    Returns
    -------
    ndarray of int, shape (n, k - 1)

    Examples
    --------
    >>> leave_out(np.array([[0, 1, 2], [2, 0, 3]]), np.array([0, 1])).tolist()
    [[1, 2], [2, 0]]
    """
    other = found != rows[:, None]
    other[other.all(axis=1), -1] = False
    return found[other].reshape(len(found), found.shape[1] - 1)


def rank_transitions(
    songs: Sequence[SongEdges],
    candidates: Rows,
    *,
    gap_s: float = GAP_S,
    model: JoinModel | None = None,
) -> tuple[Rows, Floats]:
    """Order the candidates of each song by how likely they go on where it ended.

    Parameters
    ----------
    songs : sequence of SongEdges
    candidates : ndarray of int, shape (n, k)
        Of `find_candidates`.
    gap_s : float
    model : JoinModel, optional
        See :func:`aares.chaining.chainable`.

    Returns
    -------
    candidates : ndarray of int, shape (n, k)
        The likeliest first, of equally likely ones the first song.
    probability : ndarray of float, shape (n, k)

    Examples
    --------
    A chord, noise, and both again: each goes on as itself.

    >>> from aares.chaining.transition import describe_song
    >>> t, rng = np.arange(6 * 8000) / 8000, np.random.default_rng(0)
    >>> chord = sum(np.sin(2 * np.pi * hz * t) for hz in (262, 330, 392)) / 4
    >>> noises = [rng.standard_normal(len(t)) / 4 for _ in range(2)]
    >>> songs = [describe_song(y, sr=8000) for y in (chord, noises[0], chord, noises[1])]
    >>> rank_transitions(songs, find_candidates(songs, 3, exact=True))[0][:, 0].tolist()
    [2, 3, 0, 1]
    """
    n, k = candidates.shape
    pairs = np.column_stack([np.repeat(np.arange(n), k), candidates.ravel()])
    edges = [song.end for song in songs], [song.start for song in songs]
    joins = measure_joins(*edges, pairs, gap_s=gap_s)
    likely = (model or load_join_model()).predict_proba(joins).reshape(n, k)
    order = np.lexsort((candidates, -likely), axis=1)
    return np.take_along_axis(candidates, order, 1), np.take_along_axis(likely, order, 1)
