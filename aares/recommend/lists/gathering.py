"""Gather the songs of a playlist: around its seeds, or on the way from one song to another.

Used by notebook ``03_recommendation`` through :class:`aares.recommend.Recommender`.

References
----------
Flexer, Schnitzer, Gasser, Widmer, "Playlist generation using start and end songs", ISMIR 2008.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aares import exact
from aares.recommend.lists.choosing import Choice, Rules, choose_songs
from aares.recommend.lists.closeness import POOL, Closeness, Taste
from aares.recommend.space.content import GRID_BITS

IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Limits:
    """What may be in a playlist.

    Parameters
    ----------
    allowed : ndarray of bool, shape (N,)
        Each song by itself.
    rules : Rules
        Songs beside one another.
    """

    allowed: BoolArray
    rules: Rules


def gather_songs(
    closeness: Closeness,
    seeds: IntArray,
    n: int,
    limits: Limits,
    taste: Taste,
    *,
    diversity: float = 0.0,
) -> list[Choice]:
    """Choose songs from those around the seeds, and from farther away where these are too few.

    Parameters
    ----------
    closeness : Closeness
    seeds : ndarray of int, shape (k,)
        Rows. Of more seeds than songs, `n` that are spread over the list lead a song each.
    n : int
    limits : Limits
    taste : Taste
    diversity : float
        See :func:`aares.recommend.lists.choosing.choose_songs`.

    Returns
    -------
    list of Choice
        Fewer than `n` where the whole catalogue has no more.
    """
    spread = np.linspace(0, len(seeds) - 1, min(n, len(seeds))).astype(int)
    leaders = seeds[spread].tolist()
    chosen: list[Choice] = []
    # Many seeds lead few songs each.
    first = max(2 * POOL // (1 + len(leaders)), POOL // 3, 8 * n // len(leaders))
    for size in (first, 10 * first, len(limits.allowed)):
        rankings = [closeness.rank(seed, limits.allowed, size, taste) for seed in leaders]
        chosen = choose_songs(
            rankings, n, limits.rules.copy(), points=closeness.index.points, diversity=diversity,
            unit=closeness.unit,
        )  # fmt: skip
        if len(chosen) == n:
            break
    return chosen


def gather_way(closeness: Closeness, start: int, end: int, n: int, limits: Limits) -> list[Choice]:
    """Choose songs at equal steps on the way from one song to another, in the order of the way.

    Parameters
    ----------
    closeness : Closeness
    start, end : int
        Rows.
    n : int
    limits : Limits

    Returns
    -------
    list of Choice
        `n` or fewer; the first half is led by the start, the second by the end.
    """
    points, rules = closeness.index.points, limits.rules.copy()
    rows = np.flatnonzero(closeness.limit_to_kind(limits.allowed, start, end))
    chosen: list[Choice] = []
    for step in np.linspace(0, 1, n + 2)[1:-1].tolist():
        stop = exact.snap((1 - step) * points[start] + step * points[end], GRID_BITS)
        squared = ((points[rows] - stop) ** 2).sum(axis=1)
        for row in rows[np.lexsort((rows, squared))].tolist():
            if rules.allows(row):
                rules.take(row)
                near = start if step <= 0.5 else end
                close = closeness.measure(near, np.array([row], dtype=np.intp))
                chosen.append(Choice(row, near, float(close[0])))
                break
    return chosen
