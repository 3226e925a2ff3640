"""How far the playing order of a playlist is from the cheapest order there is.

Playlists of 10 songs for 1,000 random seeds of the recommendation table, as the recommender orders
them, by what a listener notices (`transition`) and by the way in its own space (`distance`): the
cost of the order, from the seed on, above the least cost, in percent. The least cost is found here
by a dynamic programme of its own over all sets of songs, for all playlists at a time. Playlists of
30 songs, of which nobody knows the best order, are compared with the best of 200 searches from
random orders, each of which turns pieces and moves them until nothing gets cheaper.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import njit

from aares.data import load_recommendation
from aares.recommend import Recommender
from aares.recommend.lists.transitions import measure_transitions
from aares.recommend.space.content import measure_distances
from workshop import config

N_PLAYLISTS, N_LONG = 1000, 100
SHORT, LONG, RESTARTS = 10, 30, 200
EXACT = 1e-9
COSTS = ("transition", "distance")


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield what is measured; for tuning, of other seeds."""
    recommender = Recommender(cache=config.CACHE).fit(load_recommendation(source))
    rng = np.random.default_rng(100 if tuning else 0)
    seeds = rng.choice(len(recommender.songs_), N_PLAYLISTS, replace=False)
    for cost in COSTS:
        yield f"{cost} {SHORT}", compare_short(recommender, seeds, cost)
    yield f"transition {LONG}", compare_long(recommender, seeds[:N_LONG])


def compare_short(recommender: Recommender, seeds: np.ndarray, cost: str) -> dict[str, Any]:
    """Compare playlists with the cheapest order of their songs."""
    costs = [order_costs(recommender, seed, SHORT, cost) for seed in seeds]
    whole = np.array([one for one in costs if len(one) == SHORT + 1])
    played = np.array([sum_path(one, np.arange(1, SHORT + 1)) for one in whole])
    least = find_least(whole)
    return {"playlists": len(whole), **summarise(played, least),
            "cheaper_than_possible": int((played < least - EXACT).sum())}  # fmt: skip


def compare_long(recommender: Recommender, seeds: np.ndarray) -> dict[str, Any]:
    """Compare longer playlists with the best of many searches."""
    played, least = [], []
    for number, seed in enumerate(seeds):
        costs = order_costs(recommender, seed, LONG, "transition")
        played.append(sum_path(costs, np.arange(1, len(costs))))
        least.append(search_restarts(costs, RESTARTS, number))
    return {"playlists": len(played), "restarts": RESTARTS,
            **summarise(np.array(played), np.array(least))}  # fmt: skip


def summarise(played: np.ndarray, least: np.ndarray) -> dict[str, Any]:
    """Return the mean cost above the least, the worst, and how often there is none."""
    above = 100 * (played - least) / np.maximum(least, EXACT)
    return {"mean_above_percent": float(above.mean().round(9) + 0.0),
            "worst_above_percent": float(above.max().round(9) + 0.0),
            "above": int((played > least + EXACT).sum())}  # fmt: skip


def order_costs(recommender: Recommender, seed: int, n: int, cost: str) -> np.ndarray:
    """Return the costs between the seed (first) and its playlist's songs in playing order."""
    song = str(recommender.songs_["id"].iloc[seed])
    playlist = recommender.playlist(song, n=n, cost=cost)
    rows = [int(seed), *recommender.find_rows(playlist).tolist()]
    if cost == "transition":
        return measure_transitions(recommender.songs_.iloc[rows])
    return measure_distances(recommender.points_[rows], recommender.points_[rows])


def sum_path(costs: np.ndarray, path: np.ndarray) -> float:
    """Return what a path costs that leads from song 0 through others."""
    return float(costs[0, path[0]] + costs[path[:-1], path[1:]].sum())


def find_least(costs: np.ndarray) -> np.ndarray:
    """Return the least cost of a path from song 0 through all others, for each of p matrices.

    Parameters
    ----------
    costs : ndarray of float, shape (p, n + 1, n + 1)

    Returns
    -------
    ndarray of float, shape (p,)
    """
    n = costs.shape[1] - 1
    best = np.full((1 << n, n, len(costs)), np.inf)  # of a set of songs, by the last of them
    for last in range(n):
        best[1 << last, last] = costs[:, 0, last + 1]
    for songs in range(1, 1 << n):
        for last in range(n):
            rest = songs & ~(1 << last)
            if rest and rest != songs:
                ways = best[rest] + costs[:, 1:, last + 1].T
                best[songs, last] = ways.min(axis=0)
    return best[-1].min(axis=0)


def search_restarts(costs: np.ndarray, restarts: int, seed: int) -> float:
    """Return the least cost that searches from random orders find; costs are symmetric."""
    rng = np.random.default_rng(seed)
    n = len(costs)
    nodes = np.zeros((n + 1, n + 1))  # the last one stands behind the list, and costs nothing
    nodes[:n, :n] = costs
    starts = rng.permuted(np.tile(np.arange(1, n), (restarts, 1)), axis=1)
    return min(_descend(nodes, np.r_[0, start, n]) for start in starts)


@njit(cache=True)
def _descend(costs, path):
    """Turn pieces, and move short ones anywhere, until nothing gets cheaper; return the cost."""
    n, better = len(path) - 2, True
    while better:
        better = False
        for i in range(1, n + 1):
            for j in range(i, n + 1):
                a, b, c, d = path[i - 1], path[i], path[j], path[j + 1]
                cut = costs[a, b] + costs[c, d]
                if costs[a, c] + costs[b, d] < cut - 1e-9:
                    path = np.concatenate((path[:i], path[i : j + 1][::-1], path[j + 1 :]))
                    better = True
                    continue
                rest = np.concatenate((path[:i], path[j + 1 :]))
                for gap in range(len(rest) - 1 if j - i < 3 else 0):
                    e, f = rest[gap], rest[gap + 1]
                    saved = cut + costs[e, f] - costs[a, d] - 1e-9
                    if costs[e, b] + costs[c, f] < saved:
                        path = np.concatenate((rest[: gap + 1], path[i : j + 1], rest[gap + 1 :]))
                        better = True
                        break
    total = 0.0
    for i in range(len(path) - 1):
        total += costs[path[i], path[i + 1]]
    return total
