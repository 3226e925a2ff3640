"""A million tracks of 4 minutes: time, recognition and size, segment by segment.

The index has twenty segments of 50,000 tracks and 28 GB, more than the disk of the machine at hand.
A search asks one segment after another and joins what each found, so the segments need not be there
at once: each is made, written, opened, asked for all excerpts, and deleted; what it found and the
processor time of that are kept. The time of a query is the sum over the segments, the answer is
chosen from all hits, and limits of votes and candidates are those of a segment of the whole index.
What this does not show is an index that does not fit the memory: each segment's file stays in the
system's cache; and blocks of the file were checked before, as in an index that is in use. Segments
that are done are kept in ``data/cache/scale``: a second call goes on. What a process with twenty
segments takes is measured with links to two of them (`open_links`).
"""

from __future__ import annotations

import json
import os
import pickle
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from aares.files import write_atomic
from aares.identify import Index, Query, make_query
from aares.identify.answer import THRESHOLD, Answer, choose
from aares.identify.catalogue import Part
from aares.identify.query import LOOKS, choose_look
from aares.identify.ranking import Candidate, Ranking
from aares.identify.search import N_ANSWERS, choose_answer, search_part
from aares.identify.storage import MAGIC, VERSION
from aares.identify.store import MANIFEST, measure_size, read_manifest
from benchmarks.identifying import catalogue, conditions, sources
from benchmarks.identifying.conditions import Condition
from benchmarks.scaling import catalogues, large
from workshop import config

N_TRACKS = 1_000_000
N = 100  # excerpts of a level
SOURCE, N_LINKED = 100_000, 40  # of `open_links`
POSTINGS = 5_322  # of a track: what 100,000 have on average


class Found(NamedTuple):
    """What a segment says of an excerpt in one look: its hits, the best examined, and the time."""

    merits: list[float]
    candidates: list[Candidate]
    breadth: float
    beside: float
    spent_s: float


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield times and recognition."""
    asked = draw_queries(77 if tuning else 1077)
    total = N_TRACKS * POSTINGS
    parts = [
        ask_segment(number, asked, total) for number in range(N_TRACKS // catalogues.N_SEGMENT)
    ]
    yield "million", describe(parts, asked)
    yield "million_open", open_links(77 if tuning else 1077)


def draw_queries(seed: int) -> list[tuple[float, str, Query]]:
    """Make excerpts of 10 s of the real tracks, `N` of each level."""
    tracks, rows = sources.list_tracks("indexed"), []
    for level in large.LEVELS_DB:
        rng = np.random.default_rng(seed)
        heard = Condition("", 10, conditions.add_noise("white", level))
        for _ in range(N):
            track, y = heard.draw(tracks, rng)
            rows.append((level, track.name, make_query(y)))
    return rows


def ask_segment(
    number: int, asked: Sequence[tuple[float, str, Query]], total: int
) -> dict[str, Any]:
    """Make a segment, ask it, delete it; what it said is kept."""
    kept = catalogues.FOLDER / f"million-{total}-{number}.pickle"
    if not kept.is_file():
        first = number * catalogues.N_SEGMENT
        folder = catalogues.FOLDER / "one.index"
        catalogues.remove_catalogue(folder)
        built = catalogues.add_segment(folder, range(first, first + catalogues.N_SEGMENT))
        index = Index.open(folder)
        large.warm_up()
        part = index._parts[0]
        for _, _, query in asked:  # what is read first is checked: once, not with each query
            ask_part(part, query, "quick", total)
        said = {way: [ask_part(part, query, way, total) for _, _, query in asked] for way in LOOKS}
        found = {"built": built, "bytes": measure_size(folder), "n": len(index), "said": said,
                 "private_mb": catalogues.read_memory_mb("RssAnon")}  # fmt: skip
        write_atomic(kept, pickle.dumps(found))
        catalogues.remove_catalogue(folder)
    result: dict[str, Any] = pickle.loads(kept.read_bytes())
    return result


def ask_part(part: Part, query: Query, way: str, total: int) -> Found:
    """Search a segment as one of an index of `total` postings."""
    look = choose_look(way, total)
    query.hash(look)
    begin = time.process_time()
    hits = search_part(part, query, look, total)
    breadth, beside = hits[0].examine(query) if hits else (0.0, 0.0)
    spent = time.process_time() - begin
    candidates = [hit.locate() for hit in hits]  # a search does it for the best of all parts
    return Found([hit.merit for hit in hits], candidates, breadth, beside, spent)


def join(found: Sequence[Found], query: Query, n: int) -> Ranking:
    """Return the ranking of a search in all segments."""
    rows = sorted(
        ((merit, one, k) for one in found for k, merit in enumerate(one.merits)),
        key=lambda row: -row[0],
    )[:N_ANSWERS]
    breadth, beside = (rows[0][1].breadth, rows[0][1].beside) if rows else (0.0, 0.0)
    candidates = [one.candidates[k] for _, one, k in rows]
    return Ranking(
        candidates, breadth, beside, query.ceiling, query.seconds, *query.traits, n_recordings=n,
        novelty=query.novelty,
    )  # fmt: skip


def answer(parts: Sequence[dict[str, Any]], row: int, query: Query) -> tuple[Answer, float]:
    """Return the answer to an excerpt and the time of its search, as `search.answer_query` does."""
    n, spent, answers = sum(part["n"] for part in parts), 0.0, []
    for way in LOOKS:
        found = [part["said"][way][row] for part in parts]
        spent += sum(one.spent_s for one in found)
        answers.append(choose(join(found, query, n), way=way, threshold=THRESHOLD))
        if answers[-1].match:
            break
    return choose_answer(answers), spent


def describe(
    parts: Sequence[dict[str, Any]], asked: Sequence[tuple[float, str, Query]]
) -> dict[str, Any]:
    """Tell what the segments found together."""
    families = catalogue.group_families(sources.list_tracks("indexed"))
    told = [(level, name, *answer(parts, row, query)) for row, (level, name, query)
            in enumerate(asked)]  # fmt: skip
    rows = []
    for level in large.LEVELS_DB:
        some = [one for one in told if one[0] == level]
        right = [
            bool(best.candidates) and families.get(best.candidates[0].song) == families[name]
            for _, name, best, _ in some
        ]
        accepted = [ok and one[2].match is not None for ok, one in zip(right, some, strict=True)]
        rows.append({
            "level": large.name_level(level), "first": sum(right), "accepted": sum(accepted),
            "median_ms": round(1000 * float(np.median([one[3] for one in some])), 1),
        })  # fmt: skip
    n_postings = sum(part["built"]["n_postings"] for part in parts)
    size = sum(part["bytes"] for part in parts)
    return {
        "n_tracks": sum(part["n"] for part in parts), "n_parts": len(parts),
        "n_postings": n_postings, "mb": round(size / 1e6),
        "bytes_a_posting": round(size / n_postings, 2),
        "build_s": round(sum(part["built"]["cpu_s"] for part in parts), 1),
        "build_mb": max(part["built"]["peak_mb"] for part in parts),
        "n": N, "rows": rows,
        "search_ms": large.describe_times(1000 * np.array([one[3] for one in told])),
    }  # fmt: skip


def open_links(seed: int) -> dict[str, Any]:
    """Open an index of ten times the two segments of 100,000 tracks, by links to their files.

    It recognises nothing that the two do not; but it has as many segments and bytes as that of a
    million tracks, all open at once: time and memory are those of a process that has it.
    """
    folder = link_segments(catalogues.open_catalogue(SOURCE), N_TRACKS // SOURCE)
    large.warm_up()
    before, spent = catalogues.read_memory_mb("RssAnon"), []
    for _ in range(large.N_OPEN):
        begin = time.perf_counter()
        index = Index.open(folder)
        spent.append(time.perf_counter() - begin)
    tracks = sources.list_tracks("indexed")
    first, again = (
        [large.ask_level(index, tracks, level, seed, N_LINKED) for level in large.LEVELS_DB]
        for _ in range(2)
    )  # what is read first is checked; asked again, the same excerpts find it checked
    found = {
        "n_tracks": len(index), "n_parts": len(index._parts),
        "open_ms": round(1000 * min(spent), 1),
        "private_mb": catalogues.read_memory_mb("RssAnon"), "before_mb": before,
        "mapped_mb": catalogues.read_memory_mb("RssFile"), "n": N_LINKED,
        "first_ms": large.describe_times(np.concatenate([row["search_ms"] for row in first])),
        "search_ms": large.describe_times(np.concatenate([row["search_ms"] for row in again])),
    }  # fmt: skip
    catalogues.remove_catalogue(folder)
    return found


def link_segments(source: Path, copies: int) -> Path:
    """Make an index of so many times the segments of another, by links to its files."""
    folder = catalogues.FOLDER / "links.index"
    catalogues.remove_catalogue(folder)
    folder.mkdir(parents=True)
    before, entries = read_manifest(source), []
    for number, entry in enumerate(before.entries * copies):
        kinds = {"segment": 2 * number + 1, "roll": 2 * number + 2}
        for kind, target in kinds.items():
            os.link(source / f"{getattr(entry, kind)}.{kind}", folder / f"{target}.{kind}")
        entries.append(replace(entry, **kinds))
    manifest = replace(before, free=2 * len(entries) + 1, entries=tuple(entries))
    body = json.dumps(asdict(manifest)).encode()
    head = f"{MAGIC.decode()} {VERSION} {zlib.crc32(body):08x}\n".encode()
    write_atomic(folder / MANIFEST, head + body)
    return folder
