"""Are simulated tracks to a search what real ones are?

Two indexes of as many tracks of the same lengths: one of tracks that exist, one simulated from
*other* tracks of the same packages (two halves drawn at random, each once the model of the other,
three draws). Both are asked for the same excerpts of music that neither holds. Compared are the
sizes of the buckets in which a posting lies, the postings that an excerpt's hashes have, the votes
of its 8th best place, the score of its best candidate, and the processor time of the search.
``ratio`` is simulated over real: the mean over the six comparisons, with the lowest and highest.

``simulated_1000`` has a thousand tracks on each side, all real ones that there are and rendered
ones: each half is simulated of the other, and both halves are one index. The excerpts are then of
real tracks that are left out, without those whose music the audit found in others; three draws.
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
from benchmarks.identifying import catalogue, conditions, sources
from benchmarks.identifying.conditions import Condition
from benchmarks.scaling.catalogues import ROLES, load_prints
from workshop import config

N = 200  # excerpts
DRAWS = 3
THOUSAND, LEAST_HEARD = 1_000, 40  # tracks of an index; tracks that excerpts are cut from
REPEATS = 5  # of a search: the fastest counts


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield the ratios for real tracks, and for these with rendered ones."""
    seed = 5 if tuning else 2005
    queries = draw_queries(sources.list_tracks("report"), seed)
    real = [one for role in ("indexed", *ROLES) for one in load_prints(role)]
    for name, prints in (("real", real), ("mixed", real + load_prints("rendered"))):
        yield f"simulated_{name}", compare(prints, queries)

    yield "simulated_1000", compare_thousand(seed)


def draw_queries(tracks: list[sources.Track], seed: int) -> list[Query]:
    """Make queries of 10 s of tracks that are in no index: clean, and in noise of -5 dB."""
    rng = np.random.default_rng(seed)
    heard = [Condition("", 10, conditions.add_noise("white", level)) for level in (np.inf, -5.0)]
    return [make_query(heard[k % 2].draw(tracks, rng)[1]) for k in range(N)]


def compare(prints: list[Prints], queries: list[Query]) -> dict[str, object]:
    """Compare tracks with simulated ones that other tracks are the models of."""
    pairs = []
    for draw in range(DRAWS):
        halves = split(len(prints), draw)
        for here, there in (halves, halves[::-1]):
            made = simulate_like(prints, here, there, draw)
            pairs.append(describe_both([prints[row] for row in here], made, queries))
    return {"n_tracks": len(prints), "n_queries": len(queries), "rows": summarise(pairs)}


def compare_thousand(seed: int) -> dict[str, object]:
    """Compare a thousand tracks with as many simulated ones, each half of them of the other."""
    there = [one for role in ("indexed", *ROLES, "report", "rendered") for one in load_prints(role)]
    shared = {name for pair in catalogue.list_shared() for name in pair}
    unknown = [track for track in sources.list_tracks("report") if track.name not in shared]
    pairs = []
    for draw in range(DRAWS):
        rows = np.random.default_rng([seed, draw]).permutation(len(unknown))
        heard = [unknown[row] for row in rows[: max(len(there) - THOUSAND, LEAST_HEARD)]]
        names = {track.name for track in heard}
        prints = [one for one in there if one.recording.name not in names][:THOUSAND]
        halves = split(len(prints), draw)
        made = [
            one for k in (0, 1)
            for one in simulate_like(
                prints, halves[k], halves[1 - k], draw, first=k * len(halves[0])
            )
        ]  # fmt: skip
        pairs.append(describe_both(prints, made, draw_queries(heard, seed + draw)))
    return {"n_tracks": len(prints), "n_queries": N, "rows": summarise(pairs)}


def split(n: int, draw: int) -> list[np.ndarray]:
    """Part rows in two halves, at random."""
    return np.split(np.random.default_rng(draw).permutation(n), [n // 2])


def simulate_like(
    prints: list[Prints], rows: np.ndarray, others: np.ndarray, draw: int, *, first: int = 0
) -> list[Prints]:
    """Simulate tracks as long as some, that others are the models of; numbered from `first`."""
    models = gather_models([prints[row] for row in others])
    return [
        simulate_track(models, number, seconds=prints[row].recording.seconds, seed=draw)
        for number, row in enumerate(rows, start=first)
    ]


def describe_both(
    asked: list[Prints], made: list[Prints], queries: list[Query]
) -> dict[str, float]:
    """Tell what a search meets in simulated tracks, over what it meets in real ones."""
    real, simulated = (describe(make_part(some, 0), queries) for some in (asked, made))
    return {key: simulated[key] / real[key] for key in real}


def summarise(pairs: list[dict[str, float]]) -> list[dict[str, object]]:
    """Return means over comparisons, with the lowest and the highest."""
    return [
        {"what": key, "ratio": round(float(np.mean(some)), 3),
         "low": round(min(some), 3), "high": round(max(some), 3)}
        for key in pairs[0] if (some := [one[key] for one in pairs])
    ]  # fmt: skip


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
