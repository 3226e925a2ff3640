"""Recognition: excerpts of indexed real recordings, in each of the conditions.

The catalogue is that of the report. Known excerpts come from its real tracks of the packages
`sources.INDEXED`: what calibration asked as known or unknown came from others, or with seeds below
100. Intervals are over tracks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from aares.identify import Index, make_query
from aares.scores import estimate_grouped_share
from benchmarks.identifying import catalogue, conditions, sources
from benchmarks.identifying.conditions import Condition
from benchmarks.identifying.sources import Track
from workshop import config

N = 300


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield the counts in each condition; for tuning, of other excerpts."""
    tracks = catalogue.list_reported()
    known = sources.list_tracks("indexed")
    index = catalogue.build_index(tracks)
    families = catalogue.group_families(tracks)
    key = f"{catalogue.digest_answers()} {len(tracks)} {N} {tuning}"
    rows = []
    for number, condition in enumerate(conditions.list_conditions()):
        seed = number if tuning else 1000 + number

        def count(condition: Condition = condition, seed: int = seed) -> dict[str, Any]:
            return count_right(index, condition, known, seed, families)

        rows.append(catalogue.remember("accuracy", f"{key} {condition.name}", count))
        print(rows[-1], flush=True)
    yield "accuracy", catalogue.describe_catalogue(tracks) | {"n": N, "rows": rows}


def count_right(
    index: Index,
    condition: Condition,
    tracks: list[Track],
    seed: int,
    families: Mapping[str, int],
) -> dict[str, Any]:
    """Count the excerpts whose track comes first, and those where it is accepted.

    A track that holds the same music, as the audit found, is as right.
    """
    rng = np.random.default_rng(seed)
    first, accepted, wrong, names = [], [], 0, []
    for _ in range(N):
        track, y = condition.draw(tracks, rng)
        answer = index.ask(make_query(y))
        best = answer.candidates[0].song if answer.candidates else track.name
        right = bool(answer.candidates) and families[best] == families[track.name]
        first.append(right)
        accepted.append(right and answer.match is not None)
        wrong += answer.match is not None and not right
        names.append(track.name)
    low, high = estimate_grouped_share(accepted, names)[1:]
    return {"condition": condition.name, "first": sum(first), "accepted": sum(accepted),
            "wrong": wrong, "low": round(low, 4), "high": round(high, 4)}  # fmt: skip
