"""In which order songs are played: a path from a song, to a song, along an arc.

What a step from one song to the next costs is a matrix, of whatever origin: distances of a space of
songs, or what :mod:`.transitions` measures. An open path of the least cost is a travelling
salesman's problem without the way home. Up to :data:`EXACT` songs it is solved exactly (Held and
Karp), beyond by a local search that is kicked again and again.

Conventions: ``costs[i, j]`` is the cost of song `j` right after song `i`, ``place[i, p]`` that of
song `i` at position `p`, both in any unit; orders are row numbers, first song first. The same costs
give the same order, on any machine.

References
----------
Held and Karp, "A dynamic programming approach to sequencing problems", Journal of the Society for
Industrial and Applied Mathematics 10(1), 1962: section 2.
Croes, "A method for solving traveling-salesman problems", Operations Research 6(6), 1958.
Or, "Traveling salesman-type combinatorial problems and their relation to the logistics of regional
blood banking", dissertation, Northwestern University, 1976 (moving short pieces).
Martin, Otto and Felten, "Large-step Markov chains for the traveling salesman problem", Complex
Systems 5(3), 1991 (kicks of a local search).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.intp]

EXACT = 12
"""Up to so many songs the order is the best there is; the work doubles with each song more."""

_KICKS = 300  # perturbations of the local search; fewer where each takes long
_STEPS = 3_000_000  # pairs of songs that all kicks together may look at
_REACH = 12  # songs that a kick spans: a kick anywhere takes longer to repair and finds no more
_LONGEST_PIECE = 3


def find_order(
    costs: npt.ArrayLike,
    *,
    start: npt.ArrayLike | None = None,
    end: npt.ArrayLike | None = None,
    place: npt.ArrayLike | None = None,
) -> IntArray:
    """Find the order of the least cost; up to :data:`EXACT` songs no order costs less.

    Parameters
    ----------
    costs : array-like of float, shape (n, n)
        Of song `j` right after song `i`; need not be symmetric. The diagonal is not read.
    start, end : array-like of float, shape (n,), optional
        Cost of each song as the first and as the last one: its distance from the song before the
        playlist, and to the song it leads to.
    place : array-like of float, shape (n, n), optional
        Cost of song `i` at position `p`, such as :func:`.transitions.place_arc`.

    Returns
    -------
    ndarray of int, shape (n,)
        Row numbers in playing order.

    Raises
    ------
    ValueError
        A shape does not fit, or a cost is not finite.

    Examples
    --------
    Songs at 3, 1 and 2, from a song at 0:

    >>> at = np.array([3.0, 1.0, 2.0])
    >>> find_order(abs(at[:, None] - at), start=at).tolist()
    [1, 2, 0]
    """
    steps, begin, finish, places = _check_costs(costs, start, end, place)
    if len(steps) <= EXACT:
        return _solve(steps, begin, finish, places).astype(np.intp)
    return _search(steps, begin, finish, places)


def measure_order(
    order: npt.ArrayLike,
    costs: npt.ArrayLike,
    *,
    start: npt.ArrayLike | None = None,
    end: npt.ArrayLike | None = None,
    place: npt.ArrayLike | None = None,
) -> float:
    """Return what an order costs.

    Parameters
    ----------
    order : array-like of int, shape (n,)
    costs, start, end, place : array-like of float
        See :func:`find_order`.

    Returns
    -------
    float

    Examples
    --------
    >>> at = np.array([3.0, 1.0, 2.0])
    >>> measure_order([0, 1, 2], abs(at[:, None] - at), start=at)
    6.0
    """
    steps, begin, finish, places = _check_costs(costs, start, end, place)
    path = np.asarray(order, dtype=np.intp)
    if not len(path):
        return 0.0
    between = steps[path[:-1], path[1:]].sum()
    return float(
        begin[path[0]] + between + finish[path[-1]] + places[path, np.arange(len(path))].sum()
    )


def _check_costs(
    costs: npt.ArrayLike,
    start: npt.ArrayLike | None,
    end: npt.ArrayLike | None,
    place: npt.ArrayLike | None,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    n = np.shape(costs)[0] if np.ndim(costs) else 0
    steps = _check_cost("costs", costs, (n, n)).copy()
    np.fill_diagonal(steps, 0.0)
    return (
        steps,
        _check_cost("start", start, (n,)),
        _check_cost("end", end, (n,)),
        _check_cost("place", place, (n, n)),
    )


def _check_cost(name: str, given: npt.ArrayLike | None, shape: tuple[int, ...]) -> FloatArray:
    values = np.zeros(shape) if given is None else np.asarray(given, dtype=float)
    if values.shape != shape:
        raise ValueError(f"{name}: expected the shape {shape}, found {values.shape}")
    bad = values[~np.isfinite(values)]
    if bad.size:
        raise ValueError(f"{name}: expected finite numbers, found {bad[0]}")
    return values


@njit(cache=True)
def _solve(costs, start, end, place):
    """Solve exactly: the best way to have played a set of songs, the last of them given."""
    n = len(costs)
    order = np.zeros(n, dtype=np.int64)
    if n == 0:
        return order
    full = 1 << n
    best = np.full((full, n), np.inf)
    before = np.full((full, n), -1, dtype=np.int8)
    for last in range(n):
        best[1 << last, last] = start[last] + place[last, 0]
    for played in range(1, full):
        position = 0
        for song in range(n):
            position += played >> song & 1
        for last in range(n):
            so_far = best[played, last]
            if so_far == np.inf:
                continue
            for song in range(n):
                if played >> song & 1:
                    continue
                value = so_far + costs[last, song] + place[song, position]
                if value < best[played | 1 << song, song]:
                    best[played | 1 << song, song] = value
                    before[played | 1 << song, song] = last
    played = full - 1
    last = int(np.argmin(best[played] + end))
    for position in range(n - 1, -1, -1):
        order[position] = last
        played, last = played ^ (1 << last), before[played, last]
    return order


def _search(costs: FloatArray, start: FloatArray, end: FloatArray, place: FloatArray) -> IntArray:
    """Search an order of many songs: improve, kick the best so far, improve again."""
    n = len(costs)
    # The song before and the song after are two more nodes, at the ends of every path.
    nodes = np.zeros((n + 2, n + 2))
    nodes[:n, :n] = costs
    nodes[n, :n], nodes[:n, n + 1] = start, end
    places = np.zeros((n + 2, n + 2))
    places[:n, 1 : n + 1] = place
    rng = np.random.default_rng(0)
    n_kicks = min(_KICKS, _STEPS // n**2)
    spans = np.sort(rng.integers(0, min(_REACH, n), (n_kicks, 3)), axis=1)
    kicks = 1 + (rng.integers(0, n + 1 - spans[:, 2])[:, None] + spans)
    path = _search_path(nodes, places, bool(place.any()), bool((costs != costs.T).any()), kicks)
    return path[1:-1].astype(np.intp)


@njit(cache=True)
def _search_path(costs, place, placed, oneway, kicks):
    path = _go_nearest(costs, place)
    _improve(path, costs, place, placed, oneway)
    best = _add_up(path, costs, place)
    for i, j, k in kicks:
        if i == j or j == k:
            continue
        kicked = np.concatenate((path[:i], path[j:k], path[i:j], path[k:]))
        _improve(kicked, costs, place, placed, oneway)
        value = _add_up(kicked, costs, place)
        if value < best - 1e-12:
            path, best = kicked, value
    return path


@njit(cache=True)
def _go_nearest(costs, place):
    n = len(costs) - 2
    path = np.empty(n + 2, dtype=np.int64)
    path[0], path[n + 1] = n, n + 1
    free = np.ones(n, dtype=np.bool_)
    for position in range(1, n + 1):
        nearest, least = -1, np.inf
        for song in range(n):
            value = costs[path[position - 1], song] + place[song, position]
            if free[song] and value < least:
                nearest, least = song, value
        path[position] = nearest
        free[nearest] = False
    return path


@njit(cache=True)
def _add_up(path, costs, place):
    total = 0.0
    for position in range(len(path) - 1):
        total += costs[path[position], path[position + 1]] + place[path[position], position]
    return total


@njit(cache=True)
def _improve(path, costs, place, placed, oneway):
    """Turn pieces round and move short pieces, in place, until neither makes the path cheaper."""
    n = len(path) - 2
    other = path.copy()
    better = True
    while better:
        better = False
        for i in range(1, n + 1):
            for j in range(i, n + 1):
                if j > i and _gain_turned(path, other, i, j, costs, place, placed, oneway):
                    better = True
                if j - i < _LONGEST_PIECE and _gain_moved(path, other, i, j, costs, place, placed):
                    better = True


@njit(cache=True)
def _gain_turned(path, other, i, j, costs, place, placed, oneway):
    """Turn the piece from i to j round if that is cheaper."""
    change = costs[path[i - 1], path[j]] + costs[path[i], path[j + 1]]
    change -= costs[path[i - 1], path[i]] + costs[path[j], path[j + 1]]
    if oneway:  # else the way back costs what the way there does
        for p in range(i, j):
            change += costs[path[p + 1], path[p]] - costs[path[p], path[p + 1]]
    if placed:
        for p in range(i, j + 1):
            change += place[path[p], i + j - p] - place[path[p], p]
    if change >= -1e-12:
        return False
    for p in range(i, j + 1):
        other[p] = path[i + j - p]
    path[i : j + 1] = other[i : j + 1]
    return True


@njit(cache=True)
def _gain_moved(path, other, i, j, costs, place, placed):
    """Move the piece from i to j to the first gap where the path is cheaper, turned or not."""
    size = j - i + 1
    out = costs[path[i - 1], path[j + 1]]
    out -= costs[path[i - 1], path[i]] + costs[path[j], path[j + 1]]
    turned = 0.0
    for p in range(i, j):
        turned += costs[path[p + 1], path[p]] - costs[path[p], path[p + 1]]
    for gap in range(len(path) - 1):  # between the songs at gap and gap + 1
        if i - 1 <= gap <= j:
            continue
        base = out - costs[path[gap], path[gap + 1]]
        for turn in range(2 if size > 1 else 1):
            first, last = (path[j], path[i]) if turn else (path[i], path[j])
            change = base + costs[path[gap], first] + costs[last, path[gap + 1]]
            change += turned * turn
            if change >= -1e-12 and not placed:
                continue
            low, high = min(i, gap + 1), max(j, gap)
            at = low
            if gap < i:
                at = _lay(other, at, path, i, j, turn)
                for p in range(low, i):
                    other[at] = path[p]
                    at += 1
            else:
                for p in range(j + 1, high + 1):
                    other[at] = path[p]
                    at += 1
                at = _lay(other, at, path, i, j, turn)
            if placed:
                for p in range(low, high + 1):
                    change += place[other[p], p] - place[path[p], p]
            if change < -1e-12:
                path[low : high + 1] = other[low : high + 1]
                return True
    return False


@njit(cache=True)
def _lay(other, at, path, i, j, turn):
    for p in range(i, j + 1):
        other[at] = path[i + j - p] if turn else path[p]
        at += 1
    return at
