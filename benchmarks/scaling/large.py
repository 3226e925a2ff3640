"""Indexes of 100 to 100,000 tracks of 4 minutes: opening, queries, recognition, size, memory.

Each index is opened and asked in a process of its own. Excerpts of 10 s are cut from the real
tracks of the packages `sources.INDEXED`, clean and in white noise. A row has, of a query that is
fingerprinted already, how long the search takes (processor time: quick look, thorough look where
that accepts nothing), and of the whole query from its samples on. Memory is told in two: what is
the process's own, and the pages of the index that it read, which the system takes back when it
likes. The packages' tracks are no longer than 3 minutes, all others have 4.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from aares.identify import Index, make_query
from aares.identify.store import measure_size
from benchmarks.identifying import catalogue, conditions, sources
from benchmarks.identifying.conditions import Condition
from benchmarks.scaling import catalogues
from workshop import config
from workshop.config import ROOT

SIZES = (100, 1_000, 10_000, 100_000)
LEVELS_DB = (np.inf, -5.0, -10.0)
N = 300  # excerpts of a level
N_OPEN = 7


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield what each size costs and finds; for tuning, of other excerpts."""
    for n in SIZES:
        folder = catalogues.FOLDER / f"{n}.index"
        built = run_alone("build", n)
        yield f"large_{n}", built | run_alone("ask", n, seed=77 if tuning else 1077)
        if n < max(SIZES):
            catalogues.remove_catalogue(folder)


def run_alone(what: str, n: int, *, seed: int = 0) -> dict[str, Any]:
    """Build or ask an index in a process of its own, so that memory is that of one of them."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scaling.large", what, str(n), str(seed)],
        capture_output=True, text=True, check=True, cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def build(n: int) -> dict[str, Any]:
    """Make an index, and tell what that took; remembered beside it."""
    folder, kept = catalogues.FOLDER / f"{n}.index", catalogues.FOLDER / f"{n}.json"
    if not kept.is_file():
        catalogues.remove_catalogue(folder)
        kept.write_text(json.dumps(catalogues.make_catalogue(n)), encoding="utf-8")
    catalogues.open_catalogue(n)
    found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    return found


def ask(n: int, seed: int) -> dict[str, Any]:
    """Open an index, ask it for excerpts, and tell what that took and found."""
    folder = catalogues.FOLDER / f"{n}.index"
    warm_up()
    spent = []
    for _ in range(N_OPEN):
        begin = time.perf_counter()
        index = Index.open(folder)
        spent.append(time.perf_counter() - begin)
    n_postings = sum(len(part.segment.postings) for part in index._parts)
    size = measure_size(folder)
    tracks = sources.list_tracks("indexed")[:n]
    rows = [ask_level(index, tracks, level, seed) for level in LEVELS_DB]
    every = np.array([ms for row in rows for ms in row.pop("search_ms")])
    whole = np.array([ms for row in rows for ms in row.pop("whole_ms")])
    return {
        "n_tracks": len(index), "n_parts": len(index._parts), "n_postings": n_postings,
        "open_ms": round(1000 * min(spent), 1), "mb": round(size / 1e6, 1),
        "bytes_a_posting": round(size / n_postings, 2),
        "private_mb": catalogues.read_memory_mb("RssAnon"),
        "mapped_mb": catalogues.read_memory_mb("RssFile"),
        "n": N, "rows": rows, "search_ms": describe_times(every), "whole_ms": describe_times(whole),
    }  # fmt: skip


def warm_up() -> None:
    """Compile what a search needs."""
    y = np.random.default_rng(0).standard_normal(80_000, dtype=np.float32)
    Index.from_signals({"a": y}).identify(y + y[::-1], 8000)


def ask_level(
    index: Index, tracks: list[sources.Track], level: float, seed: int, n: int = N
) -> dict[str, Any]:
    """Ask for excerpts in one level of noise: who comes first, who is accepted, and the times."""
    rng = np.random.default_rng(seed)
    heard = Condition("", 10, conditions.add_noise("white", level))
    families = catalogue.group_families(tracks)
    first, accepted, searches, wholes = 0, 0, [], []
    for _ in range(n):
        track, y = heard.draw(tracks, rng)
        begin = time.process_time()
        query = make_query(y)
        _ = query.ceiling, query.traits
        made = time.process_time()
        answer = index.ask(query, bank=False)
        done = time.process_time()
        searches.append(1000 * (done - made))
        wholes.append(1000 * (done - begin))
        best = answer.candidates[0].song if answer.candidates else ""
        right = families.get(best) == families[track.name]
        first += right
        accepted += right and answer.match is not None
    return {
        "level": name_level(level), "first": first, "accepted": accepted,
        "median_ms": round(float(np.median(searches)), 1),
        "search_ms": searches, "whole_ms": wholes,
    }  # fmt: skip


def name_level(level: float) -> str:
    """Return how a level of noise is called."""
    return "clean" if np.isinf(level) else f"{level:+.0f} dB"


def describe_times(ms: np.ndarray) -> dict[str, float]:
    """Return the quantiles of times that are reported."""
    return {f"p{q}": round(float(np.percentile(ms, q)), 1) for q in (50, 95, 99)}


if __name__ == "__main__":
    what, size, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    print(json.dumps(build(size) if what == "build" else ask(size, seed)))
