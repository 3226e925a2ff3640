"""Which tracks share music: the index itself is asked, of all real tracks, before any figure.

Two games use one piece, a track is another one's second version, two share a loop. An excerpt of
one is no unknown to the other, and a figure that called it a false alarm would be wrong. Excerpts
of each track, without noise, are looked for in all the others. A pair is listed where at least two
excerpts are found, which by chance happens to none; such tracks are one family
(`catalogue.group_families`). What is found once only stays in the figures as the false alarm that
it may be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from aares.chaining.copies import cut_excerpts
from aares.identify import Index, make_query
from aares.identify.answer import THRESHOLD, choose
from benchmarks.identifying import catalogue, sources
from benchmarks.identifying.sources import SR, Track
from workshop import config

N_EXCERPTS = 8
AGREE_S = 1.0


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield the pairs of real tracks that share music."""
    tracks = [track for role in sources.ROLES for track in sources.list_tracks(role)]
    key = f"{catalogue.digest_answers()} {'|'.join(track.name for track in tracks)}"
    index = catalogue.build_index(tracks)
    pairs = catalogue.remember("audit", key, lambda: find_pairs(index, tracks))
    yield "shared", {"n_tracks": len(tracks), "n_excerpts": N_EXCERPTS, "pairs": pairs}


def find_pairs(index: Index, tracks: list[Track]) -> list[dict[str, Any]]:
    """List the pairs, the track that was asked for first."""
    pairs = []
    for track in tracks:
        places = defaultdict(list)
        excerpts = cut_excerpts(track.load(), N_EXCERPTS)
        for row, y in enumerate(excerpts):
            for match in find_others(index, y, track.name):
                places[match[0]].append((row, match[1]))
        start = np.linspace(0, 1, len(excerpts)) if len(excerpts) > 1 else np.zeros(1)
        last_s = len(track.load()) / SR - len(excerpts[0]) / SR
        for other, found in sorted(places.items()):
            lags = np.array([offset_s - start[row] * last_s for row, offset_s in found])
            agreeing = max(int((np.abs(lags - lag) < AGREE_S).sum()) for lag in lags)
            if len(found) >= 2:
                row = {"a": track.name, "b": other, "found": len(found), "agreeing": agreeing}
                pairs.append(row | {"asked": len(excerpts)})
                print(row, flush=True)
    return pairs


def find_others(index: Index, y: np.ndarray, name: str) -> list[tuple[str, float]]:
    """Return the other recording that holds an excerpt, and where; none where none does."""
    query = make_query(y)
    for way in ("thorough", "speeds", "stretched"):
        answer = choose(index.rank(query, way, without={name}), way=way, threshold=THRESHOLD)
        if answer.match:
            return [(answer.match.song, answer.match.offset_s)]
    return []
