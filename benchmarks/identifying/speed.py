"""Time and memory: indexing, a query from samples to answer, its search alone; printed only.

The catalogue is that of the report, and one of 10,000 recordings, the rest of which are its tracks
at other speeds and in other keys.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from aares.identify import Index, Settings, make_query
from aares.identify.catalogue import Prints, Recording, fingerprint
from aares.identify.pairs import hash_recording
from aares.identify.peaks import BLOCK_FRAMES, N_BINS, Peaks
from aares.identify.segment import pack_peaks, unpack_peaks
from benchmarks.identifying import catalogue, conditions
from benchmarks.identifying.conditions import Condition
from workshop import config

N_LARGE = 10_000
N = 100


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield how fast it indexes and answers, and how large the index is."""
    tracks = catalogue.list_reported()
    fingerprint("warm up", tracks[0].load(), Settings())
    prints, spent = [], 0.0
    for track in tracks:
        y = track.load()
        begin = time.process_time()
        prints.append(fingerprint(track.name, y, Settings()))
        spent += time.process_time() - begin
    seconds = sum(one.recording.seconds for one in prints)
    rng = np.random.default_rng(3000)
    heard = Condition("", 10, conditions.add_noise("white", 0))
    queries = [heard.draw(tracks, rng)[1] for _ in range(N)]
    rows = []
    for size in (len(prints), N_LARGE):
        while len(prints) < size:
            one = prints[len(prints) % len(tracks)]
            prints.append(vary(one, f"varied {len(prints)}", rng))
        index = Index()
        index._add(prints)
        hours = sum(one.recording.seconds for one in prints) / 3600
        rows.append({"n_indexed": size, "mb_per_hour": sum(index.nbytes.values()) / 1e6 / hours}
                    | time_queries(index, queries))  # fmt: skip
    yield "speed", {"times_real_time": seconds / spent, "rows": rows}


def vary(one: Prints, name: str, rng: np.random.Generator) -> Prints:
    """Make another track of a track: its peaks at another speed, and in another key."""
    speed, shift = rng.uniform(0.7, 1.4), rng.uniform(0.75, 1.33)
    times, bins, strengths = unpack_peaks(one.counts, one.peaks)
    times, bins = np.rint(times * speed).astype(np.int32), np.rint(bins * shift).astype(np.int32)
    order = np.lexsort((bins, times))
    order = order[(bins[order] >= 16) & (bins[order] < N_BINS - 1)]
    found = Peaks(times[order], bins[order], np.zeros(len(order), dtype=np.float32))
    hashes, anchors = hash_recording(found, fan_out=Settings().fan_out)
    n_blocks = int(found.time.max()) // BLOCK_FRAMES + 1
    counts, places = pack_peaks(found, strengths[order], n_blocks)
    recording = Recording(name, n_blocks, one.recording.seconds * speed)
    return Prints(recording, hashes, anchors, counts, places)


def time_queries(index: Index, queries: list[np.ndarray]) -> dict[str, float]:
    """Return how long queries of 10 s take, whole and their search alone: medians in ms."""
    spent = []
    for y in queries:
        begin = time.perf_counter()
        query = make_query(y)
        query.hash(), query.ceiling, query.traits  # what a query has before it meets an index
        made = time.perf_counter()
        index.ask(query, bank=False)
        spent.append((time.perf_counter() - begin, time.perf_counter() - made))
    whole, search = np.median(np.array(spent) * 1000, axis=0)
    return {"whole_ms": round(float(whole), 2), "search_ms": round(float(search), 2)}
