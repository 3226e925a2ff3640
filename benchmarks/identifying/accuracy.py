"""Recognition: excerpts of indexed real recordings, in each of the conditions.

The catalogue is that of the report. Known excerpts come from its real tracks of the packages
`sources.INDEXED`: what calibration asked as known or unknown came from others, or with seeds below
100. Each condition is drawn three times, as one draw of three hundred may have six more than
another; intervals are over tracks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from aares.identify import Index, make_query
from aares.scores import estimate_grouped_share
from benchmarks.identifying import catalogue, conditions, sources
from benchmarks.identifying.conditions import Condition
from benchmarks.identifying.sources import Track
from workshop import config

N = 300  # excerpts of a draw
DRAWS = 3
Asked = tuple[str, bool, bool]  # track, it comes first, one is accepted


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield the counts in each condition, of all draws; for tuning, of other excerpts."""
    tracks = catalogue.list_reported()
    known = sources.list_tracks("indexed")
    index = catalogue.build_index(tracks)
    families = catalogue.group_families(tracks)
    every = list(conditions.list_conditions())
    draws: list[dict[str, list[Asked]]] = []
    for draw in range(DRAWS):
        draws.append({})
        for number, condition in enumerate(every):
            seed = 1000 * draw + number + (500 if tuning else 1000)

            def ask(condition: Condition = condition, seed: int = seed) -> list[Asked]:
                return ask_all(index, condition, known, seed, families)

            key = f"{catalogue.digest_answers()} {len(tracks)} {N} {seed} {condition.name}"
            asked = draws[-1][condition.name] = catalogue.remember("accuracy", key, ask)
            print(draw, count_right(condition.name, asked), flush=True)
    rows = [
        count_right(one.name, [asked for draw in draws for asked in draw[one.name]])
        for one in every
    ]
    yield "accuracy", catalogue.describe_catalogue(tracks) | {
        "n": N * DRAWS, "draws": DRAWS, "rows": rows
    }  # fmt: skip


def ask_all(
    index: Index,
    condition: Condition,
    tracks: list[Track],
    seed: int,
    families: Mapping[str, int],
) -> list[Asked]:
    """Tell of each excerpt its track, whether that comes first, and whether one is accepted.

    A track that holds the same music, as the audit found, is as right.
    """
    rng = np.random.default_rng(seed)
    told = []
    for _ in range(N):
        track, y = condition.draw(tracks, rng)
        answer = index.ask(make_query(y))
        first = bool(answer.candidates) and (
            families[answer.candidates[0].song] == families[track.name]
        )
        told.append((track.name, first, answer.match is not None))
    return told


def count_right(name: str, asked: Sequence[Asked]) -> dict[str, Any]:
    """Count the excerpts whose track comes first, those where it is accepted, and wrong ones."""
    accepted = [first and match for _, first, match in asked]
    low, high = estimate_grouped_share(accepted, [track for track, _, _ in asked])[1:]
    return {
        "condition": name,
        "first": sum(first for _, first, _ in asked),
        "accepted": sum(accepted),
        "wrong": sum(match and not first for _, first, match in asked),
        "low": round(low, 4),
        "high": round(high, 4),
    }
