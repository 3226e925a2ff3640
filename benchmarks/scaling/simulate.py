"""Are simulated tracks to a search what real ones are?

Two indexes of as many tracks of the same lengths: one of tracks that exist, one simulated from
*other* tracks of the same packages (two halves drawn at random, each once the model of the other,
three draws). Both are asked for the same excerpts of music that neither holds. Compared are the
sizes of the buckets in which a posting lies, the postings that an excerpt's hashes have, the votes
of its 8th best place, the score of its best candidate, and the processor time of the search.
``ratio`` is simulated over real: the mean over the six comparisons, with the lowest and highest.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from aares.identify import Query, make_query
from aares.identify.catalogue import Part, Prints, make_part
from aares.identify.query import QUICK
from aares.identify.search import rank_candidates
from aares.identify.vote import find_places
from aares.scale.simulated import gather_models, simulate_track
from benchmarks.identifying import conditions, sources
from benchmarks.identifying.conditions import Condition
from benchmarks.scaling.catalogues import ROLES, load_prints
from workshop import config

N = 200  # excerpts
DRAWS = 3
REPEATS = 5  # of a search: the fastest counts


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield the ratios for real tracks, and for these with rendered ones."""
    queries = draw_queries(N, 5 if tuning else 2005)
    real = [one for role in ("indexed", *ROLES) for one in load_prints(role)]
    for name, prints in (("real", real), ("mixed", real + load_prints("rendered"))):
        yield f"simulated_{name}", compare(prints, queries)


def draw_queries(n: int, seed: int) -> list[Query]:
    """Make queries of 10 s of tracks that are in no index: clean, and in noise of -5 dB."""
    rng, tracks = np.random.default_rng(seed), sources.list_tracks("report")
    heard = [Condition("", 10, conditions.add_noise("white", level)) for level in (np.inf, -5.0)]
    return [make_query(heard[k % 2].draw(tracks, rng)[1]) for k in range(n)]


def compare(prints: list[Prints], queries: list[Query]) -> dict[str, object]:
    """Compare tracks with simulated ones that other tracks are the models of."""
    ratios: dict[str, list[float]] = {}
    for draw in range(DRAWS):
        order = np.random.default_rng(draw).permutation(len(prints))
        halves = np.split(order, [len(order) // 2])
        for here, there in (halves, halves[::-1]):
            models = gather_models([prints[row] for row in there])
            asked = [prints[row] for row in here]
            made = [
                simulate_track(models, k, seconds=one.recording.seconds, seed=draw)
                for k, one in enumerate(asked)
            ]
            found = [describe(make_part(some, 0), queries) for some in (asked, made)]
            for key in found[0]:
                ratios.setdefault(key, []).append(found[1][key] / found[0][key])
    rows = [
        {"what": key, "ratio": round(float(np.mean(some)), 3),
         "low": round(min(some), 3), "high": round(max(some), 3)}
        for key, some in ratios.items()
    ]  # fmt: skip
    return {"n_tracks": len(prints), "n_queries": len(queries), "rows": rows}


def describe(part: Part, queries: list[Query]) -> dict[str, float]:
    """Tell what a search meets in an index."""
    sizes = np.diff(part.segment.starts).astype(np.float64)
    rows = {
        "postings": float(len(part.segment.postings)),
        "bucket of a posting": float((sizes**2).sum() / sizes.sum()),
        "largest hundred buckets": float(np.sort(sizes)[-100:].mean()),
    }
    told = np.array([describe_query(part, sizes, query) for query in queries])
    names = ("postings asked for", "votes of the 8th place", "best score", "search time")
    return rows | dict(zip(names, told.mean(axis=0), strict=True))


def describe_query(part: Part, sizes: np.ndarray, query: Query) -> tuple[float, ...]:
    """Tell what a search for an excerpt meets, and its time."""
    hashes, times, weights = query.hash(QUICK)
    _ = query.ceiling, query.traits
    rows = np.minimum(np.searchsorted(part.segment.keys, hashes), len(sizes) - 1)
    asked = sizes[rows[part.segment.keys[rows] == hashes]].sum()
    look = QUICK.grow(len(part.segment.postings))
    _, votes = find_places(
        part.segment, part.table, hashes, times, budget=look.budget, n_places=8, weights=weights
    )
    spent = []
    for _ in range(REPEATS):
        begin = time.process_time()
        ranking = rank_candidates([part], query, "quick")
        spent.append(time.process_time() - begin)
    score = ranking.candidates[0].score if ranking.candidates else 0.0
    return float(asked), float(votes[-1]) if len(votes) else 0.0, score, min(spent)
