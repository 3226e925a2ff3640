"""The same search on an engine: are its answers the index's, and what do they cost?

An index of a thousand tracks (`catalogues`), its postings as Parquet, and a thousand excerpts of
10 s: nine of ten from tracks that are in it (clean, in white noise of -5 and -10 dB, 3 % faster),
the others from music that is not. Index, DuckDB and Polars answer each: quickly, then thoroughly;
some that neither finds also at other speeds and pitches. ``equal`` counts the excerpts with the
same candidates, scores, votes and probabilities to the last digit; those that differ are listed.
Each asks in a process of its own: ``vote_ms`` is the wall time of one vote, ``cpu_ms`` its
processor time on all threads, ``peak_mb`` the most that the process held, of which ``idle_mb`` were
there before the first excerpt. A larger catalogue is
asked for a few excerpts only.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from aares.files import digest, write_atomic
from aares.identify import Answer, Index, Query, make_query
from aares.identify.query import QUICK, THOROUGH, Look
from aares.scale.postings import ENGINES, export_postings
from aares.scale.relational import DIALECTS, EngineIndex, write_sql
from benchmarks.identifying import conditions, sources
from benchmarks.identifying.conditions import Condition
from benchmarks.scaling.catalogues import FOLDER, open_catalogue, read_memory_mb
from workshop import config

N_CATALOGUE, N_LARGER = 1_000, 3_000
N, N_UNKNOWN, N_BANK, N_TIMED = 1_000, 100, 30, 40
CHUNK = 100  # excerpts whose answers are kept together
HEARD = (
    Condition("clean", 10, conditions.add_noise("white", np.inf)),
    Condition("-5 dB", 10, conditions.add_noise("white", -5.0)),
    Condition("-10 dB", 10, conditions.add_noise("white", -10.0)),
    Condition("faster", 10, conditions.play_faster(1.03), speed=1.03),
)
KEPT = FOLDER / "engines"


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield how many answers are equal, what a vote costs, and on a larger catalogue too."""
    seed = 7 if tuning else 2007
    queries = draw_queries(seed)
    answers = {name: ask_kept(name, queries, seed) for name in ("index", *ENGINES)}
    index = Index.open(open_catalogue(N_CATALOGUE))
    tables = prepare_postings(N_CATALOGUE)
    n_postings = sum(len(part.segment.postings) for part in index.parts)
    size = sum(path.stat().st_size for path in tables.glob("postings-*"))
    expected = answers["index"]
    yield "engines", {
        "n_indexed": len(index), "n_postings": n_postings, "bytes_a_posting": size / n_postings,
        "n": len(expected), "matched": sum(one.match is not None for one in expected),
        "with_bank": N_BANK, "equal": {name: count_equal(expected, answers[name])
                                       for name in ENGINES},
        "sql_characters": {dialect: len(write_sql(dialect)) for dialect in DIALECTS},
        "cost": {name: run_apart(time_votes, name, N_CATALOGUE, queries[:N_TIMED])
                 for name in ("index", *ENGINES)},
    }  # fmt: skip
    yield "engines_larger", {
        "n_indexed": N_LARGER,
        "cost": {name: run_apart(time_votes, name, N_LARGER, queries[:N_TIMED])
                 for name in ("index", *ENGINES)},
    }  # fmt: skip


def draw_queries(seed: int) -> list[np.ndarray]:
    """Cut excerpts of music that is indexed, one in ten of music that is not."""
    rng = np.random.default_rng(seed)
    known, unknown = sources.list_tracks("indexed"), sources.list_tracks("report")
    return [
        HEARD[k % len(HEARD)].draw(unknown if k % (N // N_UNKNOWN) == 9 else known, rng)[1]
        for k in range(N)
    ]


def prepare_postings(n: int) -> Path:
    """Return the postings of the catalogue of `n` recordings, exported once."""
    folder = KEPT / f"{n}.postings"
    if not (folder / "recordings.parquet").is_file():
        export_postings(Index.open(open_catalogue(n)), folder)
    return folder


def open_engine(name: str, n: int) -> Index | EngineIndex:
    """Open the index, or an engine in front of it."""
    index = Index.open(open_catalogue(n))
    return index if name == "index" else EngineIndex(index, prepare_postings(n), engine=name)


def run_apart(work: Any, *arguments: Any) -> Any:
    """Run a function in a process of its own, and return what it returns."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def ask_kept(name: str, queries: list[np.ndarray], seed: int) -> list[Answer]:
    """Return the answers to all excerpts; those that are kept are not asked for again."""
    code = "".join(
        Path(config.ROOT / "aares" / file).read_text(encoding="utf-8")
        for file in ("scale/relational.py", "scale/postings.py", "identify/vote.py")
    )
    folder = KEPT / f"answers-{digest(code.encode())}-{seed}"
    files = [folder / f"{name}-{first:04d}.pickle" for first in range(0, len(queries), CHUNK)]
    if not all(file.is_file() for file in files):
        run_apart(ask_missing, name, queries, files)
    return [answer for file in files for answer in pickle.loads(file.read_bytes())]


def ask_missing(name: str, excerpts: list[np.ndarray], files: list[Path]) -> None:
    """Answer the excerpts whose answers are not kept."""
    engine = open_engine(name, N_CATALOGUE)
    for number, file in enumerate(files):
        if not file.is_file():
            some = excerpts[number * CHUNK : (number + 1) * CHUNK]
            write_atomic(file, pickle.dumps(ask_some(engine, some)))


def ask_some(engine: Index | EngineIndex, excerpts: list[np.ndarray]) -> list[Answer]:
    """Answer some excerpts; a few of those that are not found are looked for in all ways."""
    answers, banked = [], 0
    for y in excerpts:
        query = make_query(y)
        answers.append(engine.ask(query, bank=False))
        if answers[-1].match is None and banked < N_BANK * CHUNK // N:
            answers[-1] = engine.ask(query)
            banked += 1
    return answers


def count_equal(expected: list[Answer], found: list[Answer]) -> dict[str, Any]:
    """Count answers that are equal to the last digit, and name the others."""
    same = [a == b for a, b in zip(expected, found, strict=True)]
    return {"equal": sum(same), "different": [k for k, is_same in enumerate(same) if not is_same]}


def time_votes(name: str, n: int, excerpts: list[np.ndarray]) -> dict[str, Any]:
    """Time the votes of some excerpts, for a quick look and a thorough one."""
    begin, cpu = time.perf_counter(), time.process_time()
    engine = open_engine(name, n)
    opened = {"open_s": time.perf_counter() - begin, "open_cpu_s": time.process_time() - cpu}
    queries = [make_query(y) for y in excerpts]
    idle_mb = read_memory_mb("VmRSS")
    looks = {"quick": QUICK, "thorough": THOROUGH}
    rows = {text: time_look(engine, queries, look) for text, look in looks.items()}
    peak_mb = read_memory_mb("VmHWM")  # not ru_maxrss, which counts whoever started this one
    rounded = {key: round(value, 2) for key, value in opened.items()}
    return {**rounded, "idle_mb": idle_mb, "peak_mb": peak_mb, **rows}


def time_look(engine: Index | EngineIndex, queries: list[Query], look: Look) -> dict[str, float]:
    """Return medians over excerpts, in ms; the first vote, which compiles, is left out."""
    spent = []
    for query in [queries[0], *queries]:
        hashed = query.hash(look)
        begin, cpu = time.perf_counter(), time.process_time()
        for part in engine.parts:
            part.find_places(hashed, look)
        spent.append((time.perf_counter() - begin, time.process_time() - cpu))
    wall, used = np.median(np.array(spent[1:]) * 1000, axis=0)
    return {"vote_ms": round(float(wall), 1), "cpu_ms": round(float(used), 1)}
