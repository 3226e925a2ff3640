"""False matches as the catalogue grows: does the probability know the size of the index?

Excerpts of the packages `sources.REPORT`, which are in no index, of 5 and 10 s, clean and in white
noise of -5 dB, are asked for among 1,000, 10,000 and 100,000 recordings, by the quick and by the
thorough look. These two have half of the false alarms that a search may raise (`answer.SHARES`): of
all excerpts, half of the level may have a lower probability. Beside that, what it would be if the
probability were that of the calibration's index, whatever the size. The same excerpts meet all
sizes; intervals are over tracks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from aares.identify import Index, make_query
from aares.identify.answer import SHARES, THRESHOLD, Ranking, extrapolate_tail, load_calibration
from aares.identify.query import LOOKS
from aares.scores import bootstrap
from benchmarks.identifying import conditions, sources
from benchmarks.identifying.conditions import Condition
from benchmarks.scaling import catalogues
from workshop import config
from workshop.measured import digest_calibration

SIZES = (1_000, 10_000, 100_000)
N = 646  # two of each track
LEVELS = (0.1, 0.03, 0.01, THRESHOLD)


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield how many unknown excerpts are below each level, by the size of the index."""
    asked = [(track, make_query(y)) for track, y in draw_unknown(9 if tuning else 2009)]
    share = sum(SHARES[way] for way in LOOKS)
    rows = []
    for size in SIZES:
        index = Index.open(catalogues.open_catalogue(size))
        found = [{way: index.rank(query, way) for way in LOOKS} for _, query in asked]
        tails = np.array([estimate(one) for one in found])
        small = np.array([estimate(one, load_calibration()["n_recordings"]) for one in found])
        names = [track for track, _ in asked]
        for level in LEVELS:
            rows.append({
                "n_indexed": size, "level": level, "nominal": round(level * share, 5),
                **count(tails, names, level), "without_size": int((small <= level).sum()),
            })  # fmt: skip
        if size < max(SIZES):
            catalogues.remove_catalogue(catalogues.FOLDER / f"{size}.index")
    yield "unknown", {"calibration": digest_calibration(), "n": len(asked),
                      "n_tracks": len({track for track, _ in asked}), "rows": rows}  # fmt: skip


def draw_unknown(seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """Cut excerpts of tracks that are in no index, as many of each."""
    tracks, rng = sources.list_tracks("report"), np.random.default_rng(seed)
    kinds = [
        Condition("", length_s, conditions.add_noise("white", level))
        for length_s in (10, 5) for level in (np.inf, -5.0)
    ]  # fmt: skip
    for k in range(N):
        track = tracks[k % len(tracks)]
        y = kinds[k // 2 % len(kinds)].cut(track, rng)
        if y is not None:
            yield track.name, y


def estimate(found: dict[str, Ranking], n: int | None = None) -> float:
    """Return the least probability of the looks, as if the index had `n` recordings."""
    return min(
        extrapolate_tail(ranking if n is None else replace(ranking, n_recordings=n), way=way)
        for way, ranking in found.items()
    )


def count(tails: np.ndarray, names: Sequence[str], level: float) -> dict[str, Any]:
    """Count excerpts below a level, with an interval over tracks of their share."""
    groups = np.unique(np.array(names), return_inverse=True)[1]
    below = np.bincount(groups, weights=tails <= level) / np.bincount(groups)
    _, low, high = bootstrap(np.mean, below)
    return {"below": int((tails <= level).sum()), "share": round(float((tails <= level).mean()), 5),
            "low": round(float(low), 5), "high": round(float(high), 5)}  # fmt: skip
