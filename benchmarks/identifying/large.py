"""A hundred thousand recordings: who comes first, who is accepted, and how long it takes.

Real recordings are those of the packages `sources.INDEXED`; the others are these at other speeds
and in other keys (`speed.vary`): hashes are as common as in real music, which is what a search has
to cope with. Recordings are fingerprinted in chunks that are kept in ``data/cache``, and sorted by
counting into arrays on the disk, so that memory holds little more than one of these arrays.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from aares.identify import Settings, make_query
from aares.identify.catalogue import GAP_BLOCKS, Part, Prints, Recording, fingerprint
from aares.identify.pairs import N_HASHES
from aares.identify.peaks import BLOCK_FRAMES
from aares.identify.search import answer_query
from aares.identify.segment import Segment
from benchmarks.identifying import catalogue, conditions, sources
from benchmarks.identifying.conditions import Condition
from benchmarks.identifying.sources import Track
from benchmarks.identifying.speed import vary
from workshop import config
from workshop.config import CACHE

N_LARGE = 100_000
CHUNK = 1000  # recordings fingerprinted at a time
N = 300  # excerpts of a level
LEVELS_DB = (np.inf, -5, -10)
FOLDER = CACHE / "identify" / "large"


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield recognition and time at each level of noise; for tuning, of other excerpts."""
    tracks = sources.list_tracks("indexed")
    begin = time.process_time()
    part = build_part(tracks, N_LARGE, FOLDER)
    built_s = time.process_time() - begin
    families = catalogue.group_families(tracks)
    rows = [
        count_first(part, tracks, level, 77 if tuning else 1077, families) for level in LEVELS_DB
    ]
    yield "large", {"n_indexed": len(part.recordings), "n_real": len(tracks), "n": N, "rows": rows,
                    "n_postings": len(part.segment.postings), "built_s": round(built_s),
                    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
                    }  # fmt: skip


def count_first(
    part: Part, tracks: list[Track], level_db: float, seed: int, families: Mapping[str, int]
) -> dict[str, Any]:
    """Count the excerpts of 10 s whose recording comes first, and is accepted, at one speed."""
    rng = np.random.default_rng(seed)
    heard = Condition("", 10, conditions.add_noise("white", level_db))
    first, accepted, spent = 0, 0, []
    for _ in range(N):
        track, y = heard.draw(tracks, rng)
        query = make_query(y)
        query.hash(), query.ceiling, query.traits
        begin = time.process_time()
        answer = answer_query([part], query, bank=False)
        spent.append(time.process_time() - begin)
        best = answer.candidates[0].song if answer.candidates else ""
        right = families.get(best) == families[track.name]
        first += right
        accepted += right and answer.match is not None
    return {"level_db": level_db if np.isfinite(level_db) else "clean", "first": first,
            "accepted": accepted, "search_ms": round(float(np.median(spent)) * 1000, 1)
            }  # fmt: skip


def build_part(tracks: list[Track], n: int, folder: Path) -> Part:
    """Lay `n` recordings one after another, in files; those that are there are used again."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "n_blocks.npy").is_file():
        prints = [fingerprint(track.name, track.load(), Settings()) for track in tracks]
        for number in range(-(-n // CHUNK)):
            rows = range(number * CHUNK, min((number + 1) * CHUNK, n))
            write_chunk(make_chunk(prints, rows), folder / f"chunk{number}.npz")
        sort_chunks(folder, -(-n // CHUNK))
    arrays = {key: np.load(folder / f"{key}.npy", mmap_mode="r") for key in Segment._fields}
    lengths = np.load(folder / "n_blocks.npy").tolist()
    names = [tracks[row].name if row < len(tracks) else f"varied {row}" for row in range(n)]
    recordings = [Recording(name, k, 1.024 * k) for name, k in zip(names, lengths, strict=True)]
    return Part(recordings, Segment(**arrays), 0)


def make_chunk(prints: list[Prints], rows: range) -> list[Prints]:
    """Return the real recordings of these rows, and for the other rows such as are made of them."""
    rng = np.random.default_rng(9000 + rows.start // CHUNK)
    return [
        prints[row] if row < len(prints) else vary(prints[row % len(prints)], f"varied {row}", rng)
        for row in rows
    ]


def write_chunk(chunk: list[Prints], file: Path) -> None:
    """Keep the hashes, times and peaks of some recordings, times from the first one's start."""
    lengths = np.array([one.recording.n_blocks for one in chunk])
    starts = BLOCK_FRAMES * np.concatenate([[0], np.cumsum(lengths + GAP_BLOCKS)[:-1]])
    gap = np.zeros(GAP_BLOCKS, dtype=np.uint32)
    np.savez(
        file,
        h=np.concatenate([one.hashes for one in chunk]),
        t=np.concatenate([one.times + np.uint32(s) for one, s in zip(chunk, starts, strict=True)]),
        c=np.concatenate([counts for one in chunk for counts in (one.counts, gap)]),
        p=np.concatenate([one.peaks for one in chunk]),
        b=lengths,
    )


def sort_chunks(folder: Path, n_chunks: int) -> None:
    """Sort the postings of all chunks by hash, into arrays on the disk."""
    files = [folder / f"chunk{number}.npz" for number in range(n_chunks)]
    counts = np.zeros(N_HASHES, dtype=np.int64)
    for file in files:
        counts += np.bincount(np.load(file)["h"], minlength=N_HASHES)
    place = np.concatenate([[0], np.cumsum(counts)[:-1]])
    postings = np.lib.format.open_memmap(
        folder / "postings.npy", "w+", dtype=np.uint32, shape=(int(counts.sum()),)
    )
    per_block, words, lengths = [], [], []
    for file in files:
        chunk = np.load(file)
        base = BLOCK_FRAMES * sum(map(len, per_block))
        scatter(chunk["h"], chunk["t"], np.uint32(base), place, postings)
        per_block.append(chunk["c"])
        words.append(chunk["p"])
        lengths.append(chunk["b"])
    keys = np.flatnonzero(counts)
    arrays = {
        "keys": keys.astype(np.uint32),
        "starts": np.concatenate([[0], np.cumsum(counts[keys])]).astype(np.uint32),
        "blocks": np.concatenate([[0], np.cumsum(np.concatenate(per_block), dtype=np.int64)]),
        "peaks": np.concatenate(words),
        "n_blocks": np.concatenate(lengths),  # last: with it, all is there
    }
    arrays["blocks"] = arrays["blocks"].astype(np.uint32)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


@njit(cache=True)
def scatter(
    hashes: np.ndarray, times: np.ndarray, base: int, place: np.ndarray, postings: np.ndarray
) -> None:
    """Write each posting to the next free place of its hash."""
    for i in range(len(hashes)):
        postings[place[hashes[i]]] = times[i] + base
        place[hashes[i]] += 1
