"""Songs in playing order: after a seed, from one song to another, along an arc, at any cost.

Used by notebook ``03_recommendation`` through :class:`aares.recommend.Recommender`. What a step
from song to song costs is told by name, as a matrix, or by a function of the songs, such as one
that was learnt; :mod:`.order` then finds the cheapest order.

Conventions: songs are a table or, where their columns are known to the cost, an array with one row
for each song; orders are row numbers, first song first.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares.data.door import read_column
from aares.recommend.lists.order import find_order
from aares.recommend.lists.transitions import ARCS, SOUNDS, measure_transitions, place_arc
from aares.recommend.space.content import measure_distances

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.intp]
Songs = pd.DataFrame | FloatArray
Cost = str | npt.ArrayLike | Callable[[Any], npt.ArrayLike]

COSTS: dict[str, Callable[[Any], FloatArray]] = {
    "transition": measure_transitions,
    "distance": lambda points: measure_distances(points, points),
}
"""What a step may cost, by name: what a listener notices, or the way in a space of songs."""


def order_playlist(
    songs: Songs,
    *,
    cost: Cost = "transition",
    arc: str | None = None,
    start: int | Songs | None = None,
    end: int | Songs | None = None,
    place: npt.ArrayLike | None = None,
    apart: str | npt.ArrayLike | None = None,
) -> IntArray:
    """Put songs into the order that costs least; up to a dozen songs no order costs less.

    Parameters
    ----------
    songs : DataFrame or ndarray of float, shape (n, columns)
        What `cost` reads: for "transition" a table with, or an array of, the columns
        :data:`.transitions.SOUNDS`; for "distance" an array of points.
    cost : {"transition", "distance"}, array-like of float, shape (n, n), or callable
        Of song `j` right after song `i`, which may differ from that of `i` after `j`. A callable is
        given songs as they are here, those before and after included, and returns such a matrix.
    arc : {"rise", "fall", "wave"}, optional
        Energy along the list; needs "energy".
    start, end : int, or songs, optional
        A row number of `songs` is played first or last. Songs (of the kind and with the columns of
        `songs`) are those played before and after the list, such as its seeds: the list begins near
        one of them.
    place : array-like of float, shape (n, n), optional
        Further costs of song `i` at position `p`.
    apart : str, or array-like, shape (n,), optional
        Of each song, such as its artist: no two of one value in a row, as far as there is a way. A
        name is a column of `songs`, which those before and after have too; a missing cell is
        nobody's.

    Returns
    -------
    ndarray of int, shape (n,)
        Row numbers in playing order.

    Raises
    ------
    ValueError
        There is no such cost, arc or row, a shape does not fit, or a cost is not finite.
    DataError
        The table lacks a column, or a cell is missing or no such number.

    Examples
    --------
    >>> points = np.array([[3.0], [1.0], [2.0]])
    >>> order_playlist(points, cost="distance", start=np.array([[0.0], [9.0]])).tolist()
    [1, 2, 0]
    >>> order_playlist(points, cost="distance", start=2, end=0).tolist()
    [2, 1, 0]

    A cost of one's own: it is dear to climb.

    >>> order_playlist(points, cost=lambda points: (points.T - points).clip(0)).tolist()
    [0, 2, 1]

    No two of one artist in a row, though it is a longer way.

    >>> order_playlist(points, cost="distance", apart=["Ann", "Bob", "Ann"]).tolist()
    [2, 1, 0]
    """
    n = _count_songs(songs)
    first, before = _read_neighbour("start", start, songs, n)
    last, after = _read_neighbour("end", end, songs, n)
    if n > 1 and first is not None and first == last:
        raise ValueError(f"end: expected another song than the first, found {last} for both")
    n_before = 0 if before is None else len(before)
    everyone = _join([songs, before, after])
    whole = _measure_costs(cost, everyone, n, alone=before is after is None)
    places = np.zeros((n, n)) if arc is None else place_arc(_read_energy(songs, cost, arc), arc)
    if place is not None:
        places = places + _read_matrix("place", place, n)
    if apart is not None:
        whole = whole + _keep_apart(apart, everyone, whole, places)
    begin = whole[n : n + n_before, :n].min(axis=0) if n_before else np.zeros(n)
    finish = whole[:n, n + n_before :].min(axis=1) if after is not None else np.zeros(n)
    return _order_between(whole[:n, :n], begin, finish, places, first, last)


def _count_songs(songs: Songs) -> int:
    is_table = isinstance(songs, pd.DataFrame)
    if not is_table and not (isinstance(songs, np.ndarray) and songs.ndim == 2):
        found = f"the shape {songs.shape}" if isinstance(songs, np.ndarray) else repr(songs)
        raise ValueError(f"songs: expected a DataFrame or an array of two axes, found {found}")
    return len(songs)


def _read_neighbour(
    name: str, given: int | Songs | None, songs: Songs, n: int
) -> tuple[int | None, Songs | None]:
    """Return the row that is fixed, or the songs beyond the list."""
    if given is None:
        return None, None
    if isinstance(given, Integral) and not isinstance(given, bool):
        if not 0 <= given < n:
            raise ValueError(f"{name}: expected a row number below {n}, found {given}")
        return int(given), None
    if type(given) is not type(songs) or np.ndim(given) != 2:
        kind = f"a {type(songs).__name__} like the songs"
        raise ValueError(f"{name}: expected a row number or {kind}, found {given!r}")
    if isinstance(given, np.ndarray) and given.shape[1] != songs.shape[1]:
        expected = f"{songs.shape[1]} columns, as the songs have"
        raise ValueError(f"{name}: expected {expected}, found {given.shape[1]}")
    if len(given) == 0:
        raise ValueError(f"{name}: expected at least one song, found none")
    return None, given


def _join(tables: list[Songs | None]) -> Songs:
    """Return the songs, and those before and after, one after another."""
    known = [table for table in tables if table is not None]
    if len(known) == 1:
        return known[0]
    arrays = [table for table in known if isinstance(table, np.ndarray)]
    if arrays:
        return np.concatenate(arrays)
    return pd.concat([pd.DataFrame(table) for table in known])


def _measure_costs(cost: Cost, songs: Songs, n: int, *, alone: bool) -> FloatArray:
    if callable(cost):
        return _read_matrix("cost, called with the songs", cost(songs), len(songs))
    if isinstance(cost, str):
        if cost not in COSTS:
            expected = f"expected one of {', '.join(COSTS)}, a matrix or a callable"
            raise ValueError(f"cost: {expected}, found {cost!r}")
        if cost == "distance" and not isinstance(songs, np.ndarray):
            raise ValueError("songs: expected points for the cost 'distance', found a DataFrame")
        return _read_matrix("cost", COSTS[cost](songs), len(songs))
    if not alone:
        raise ValueError(
            "cost: a matrix knows no songs before or after the list; give start and end as row "
            "numbers, or the cost as a callable"
        )
    return _read_matrix("cost", cost, n)


def _read_matrix(name: str, values: npt.ArrayLike, n: int) -> FloatArray:
    try:
        matrix = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name}: expected numbers of the shape {(n, n)}, found {values!r}"
        ) from None
    if matrix.shape != (n, n):
        raise ValueError(f"{name}: expected the shape {(n, n)}, found {matrix.shape}")
    return matrix


def _keep_apart(
    apart: str | npt.ArrayLike, songs: Songs, costs: FloatArray, places: FloatArray
) -> FloatArray:
    """Return a cost between songs of one value that no way around it can exceed."""
    n = len(places)
    if isinstance(apart, str):
        if not isinstance(songs, pd.DataFrame) or apart not in songs:
            found = ", ".join(map(str, songs)) if isinstance(songs, pd.DataFrame) else "an array"
            raise ValueError(f"apart: expected a column {apart!r} of songs, found {found}")
        values = pd.Series(songs[apart].to_numpy())
    else:
        values = pd.Series(list(np.atleast_1d(np.asarray(apart, dtype=object))), dtype=object)
        if len(values) != n:
            raise ValueError(f"apart: expected {n} values, one for each song, found {len(values)}")
        values = values.reindex(range(len(songs)))  # nothing is known of songs before and after
    codes = pd.factorize(values)[0]
    steps = costs[~np.eye(len(costs), dtype=bool)]
    spread = np.ptp(steps) if steps.size else 0.0
    most = (n + 1) * float(spread + (np.ptp(places) if places.size else 0.0)) + 1.0
    return most * ((codes[:, None] == codes) & (codes >= 0))


def _read_energy(songs: Songs, cost: Cost, arc: object) -> FloatArray:
    if not (isinstance(arc, str) and arc in ARCS):
        raise ValueError(f"arc: expected one of {', '.join(ARCS)}, or None, found {arc!r}")
    if isinstance(songs, pd.DataFrame):
        return read_column(songs, "energy").to_numpy(float)
    if isinstance(cost, str) and cost == "transition":
        return songs[:, SOUNDS.index("energy")]
    raise ValueError(f"arc: expected songs with a column 'energy' for {arc!r}, found an array")


def _order_between(
    steps: FloatArray,
    begin: FloatArray,
    finish: FloatArray,
    place: FloatArray,
    first: int | None,
    last: int | None,
) -> IntArray:
    """Order the songs that are not fixed: to them, those that are fixed are before and after."""
    n = len(steps)
    free = np.array([row for row in range(n) if row not in (first, last)], dtype=np.intp)
    ahead = [] if first is None else [first]
    behind = [] if last is None or last == first else [last]
    order = find_order(
        steps[np.ix_(free, free)],
        start=begin[free] if first is None else steps[first, free],
        end=finish[free] if last is None else steps[free, last],
        place=place[free, len(ahead) : n - len(behind)],
    )
    return np.array([*ahead, *free[order], *behind], dtype=np.intp)
