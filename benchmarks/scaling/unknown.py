"""False matches as the catalogue grows: does the probability know the size of the index?

Excerpts of the packages `sources.REPORT`, which are in no index, of 5 and 10 s, clean and in white
noise of -5 dB, are asked for among the real recordings, and among 1,000, 10,000 and 100,000, most
of them simulated; by the quick and by the thorough look. Each look has its share of the false
alarms that a search may raise (`answer.SHARES`): ``nominal`` is the share of excerpts that may have
a probability below the level. ``without_size`` is how many would have one if the probability were
that of the calibration's index, whatever the size. The same excerpts meet all sizes; intervals are
over tracks, and where no excerpt is below, ``high`` is what 95 of 100 such samples would have shown
(Clopper and Pearson, of as many independent tracks).

Two games may use one piece. Tracks that the audit (`identifying.audit`, which asks the index of all
real tracks at all speeds, before any figure) found in one of the recordings here, or in a model of
the simulated ones, are no unknown music: they are left out, and named. What the audit found once
only stays in.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from aares.files import digest, write_atomic
from aares.identify import Index, Query, make_query
from aares.identify.answer import SHARES, THRESHOLD, extrapolate_tail, load_calibration
from aares.identify.query import LOOKS
from aares.identify.ranking import Ranking
from aares.scores import bootstrap
from benchmarks.identifying import catalogue, conditions, sources
from benchmarks.identifying.conditions import Condition
from benchmarks.scaling import catalogues
from workshop import config
from workshop.measured import digest_calibration

SIZES = (1_000, 10_000, 100_000)
EACH = 2  # excerpts of a track
LEVELS = (0.1, 0.03, 0.01, THRESHOLD)
HEARD = [
    Condition("", length_s, conditions.add_noise("white", level))
    for length_s in (10, 5) for level in (np.inf, -5.0)
]  # fmt: skip


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield how many unknown excerpts are below each level, by the size of the index."""
    shared = list_known()
    asked = list(draw_unknown({a for a, _ in shared}, 9 if tuning else 2009))
    names = [name for name, _ in asked]
    queries = [make_query(y) for _, y in asked]
    rows = []
    for size in (len(catalogues.load_prints("indexed")), *SIZES):
        tails, small = ask_kept(size, names, queries)
        for level in LEVELS:
            rows.append({
                "n_indexed": size, "level": level,
                "nominal": round(level * sum(SHARES[way] for way in LOOKS), 5),
                **count(tails, names, level), "without_size": int((small <= level).sum()),
            })  # fmt: skip
    yield "unknown", {
        "calibration": digest_calibration(), "n": len(asked), "n_tracks": len(set(names)),
        "left_out": [{"unknown": a, "indexed": b} for a, b in shared], "rows": rows,
    }  # fmt: skip


def list_known() -> list[tuple[str, str]]:
    """List the tracks of `sources.REPORT` whose music is indexed or a model, each with that one."""
    unknown = {track.name for track in sources.list_tracks("report")}
    there = {
        track.name for role in ("indexed", *catalogues.ROLES) for track in sources.list_tracks(role)
    }
    pairs = {pair for a, b in catalogue.list_shared() for pair in ((a, b), (b, a))}
    return sorted((a, b) for a, b in pairs if a in unknown and b in there)


def draw_unknown(known: set[str], seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """Cut excerpts of tracks whose music is in no index, as many of each."""
    tracks = [track for track in sources.list_tracks("report") if track.name not in known]
    rng = np.random.default_rng(seed)
    for k in range(EACH * len(tracks)):
        track = tracks[k % len(tracks)]
        y = HEARD[k // 2 % len(HEARD)].cut(track, rng)
        if y is not None:
            yield track.name, y


def ask_kept(
    size: int, names: Sequence[str], queries: Sequence[Query]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities of each excerpt, with the size and without; kept once asked."""
    key = digest(f"{catalogue.digest_answers()} {'|'.join(names)}".encode())
    file = catalogues.FOLDER / f"unknown-{size}-{key}.pickle"
    if not file.is_file():
        index = Index.open(catalogues.open_catalogue(size))
        found = [{way: index.rank(query, way) for way in LOOKS} for query in queries]
        n = load_calibration()["n_recordings"]
        told = [[estimate(one) for one in found], [estimate(one, n) for one in found]]
        write_atomic(file, pickle.dumps(np.array(told)))
        if size < max(SIZES):
            catalogues.remove_catalogue(catalogues.FOLDER / f"{size}.index")
    tails, small = pickle.loads(file.read_bytes())
    return tails, small


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
    if not below.any():  # each sample of nothing is nothing
        high = 1 - 0.025 ** (1 / len(below))
    return {"below": int((tails <= level).sum()), "share": round(float((tails <= level).mean()), 5),
            "low": round(float(low), 5), "high": round(float(high), 5)}  # fmt: skip
