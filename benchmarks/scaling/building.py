"""What it takes to build an index out of shards: memory that does not grow, and time.

Simulated tracks of four minutes (`aares.scale.simulated`) are written as shards, once. Each index
is built by a process of its own, from as many of them as its row says: `peak_mb` is the most that
process held, `reader_mb` at most what one of its readers held, `program_mb` what the process held
before it began; `cpu_s` is processor time of all of them, `shards_mb` and `index_mb` are on the
disk. In the rows `in_memory` the same tracks are laid and sorted in memory, as `Index.build` does.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from joblib.externals.loky import get_reusable_executor

from aares.identify.catalogue import make_part
from aares.identify.store import measure_size, open_parts
from aares.scale.building import build_index
from aares.scale.parquet import make_row, make_schema, write_table
from aares.scale.places import Place
from aares.scale.shards import (
    KeptTrack,
    ShardEntry,
    ShardManifest,
    find_shards,
    write_manifest,
    write_shard,
)
from aares.scale.simulated import simulate_track
from aares.scale.tracks import TrackPrints
from benchmarks.scaling.catalogues import FOLDER, SEED, load_models, read_memory_mb
from workshop import config

SIZES = (5_000, 20_000, 40_000)
IN_MEMORY = (1_000, 5_000)
MEMORY_MB = 256
SHARD = 16
WORK = FOLDER / "building"


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield memory and time of each size; nothing is tuned."""
    write_shards(max(SIZES), WORK / "shards")
    rows = [run_alone("build", n, readers) for n in SIZES for readers in (1, 2)]
    yield "building", {
        "memory_mb": MEMORY_MB, "rows": rows,
        "in_memory": [run_alone("sort", n, 1) for n in IN_MEMORY],
    }  # fmt: skip


def write_shards(n: int, folder: Path) -> None:
    """Write simulated tracks as shards; those that are there stay."""
    place, function = Place(folder), TrackPrints()
    about, models = function.describe(), load_models()
    schema = make_schema(function.columns, about)
    before = find_shards(place)
    entries = list(before.shards) if before else []
    for first in range(SHARD * len(entries), n, SHARD):
        rows, tracks = [], []
        for number in range(first, first + SHARD):
            one = simulate_track(models, number, seed=SEED)
            name, digest = f"{number:07}.mp3", f"{number:032x}"
            head = {"name": name, "size": 1, "digest": digest, "error": ""}
            found = {
                "seconds": one.recording.seconds, "n_blocks": one.recording.n_blocks,
                "n_hashes": len(one.hashes), "n_peaks": len(one.peaks), "notes": "",
                "hashes": one.hashes, "times": one.times, "counts": one.counts, "peaks": one.peaks,
            }  # fmt: skip
            rows.append(make_row({**head, **found}, schema))
            tracks.append(KeptTrack(name, 1, "", digest, ""))
        id = f"{first:016x}"
        note = write_shard(place, id, about, write_table(rows, schema), tracks)
        entries.append(ShardEntry(id, note.sha256, SHARD, 0))
        if len(entries) % 64 == 0 or first + SHARD >= n:
            write_manifest(place, ShardManifest(about, SHARD, "/music", True, tuple(entries)))


def run_alone(what: str, n: int, readers: int) -> dict[str, Any]:
    """Measure in a process of its own."""
    code = f"from benchmarks.scaling import building; building.run({what!r}, {n}, {readers})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def run(what: str, n: int, readers: int) -> None:
    """Build, and print what it took."""
    load_models()
    row: dict[str, Any] = {"n_tracks": n, "program_mb": read_peak()}
    if what == "sort":
        tracks = [simulate_track(load_models(), number, seed=SEED) for number in range(n)]
        begin = time.process_time()
        row["n_postings"] = len(make_part(tracks, 0).segment.postings)
        row["cpu_s"] = round(time.process_time() - begin, 1)
        row["peak_mb"] = read_peak()
    else:
        row |= build(n, readers)
    print(json.dumps(row))


def build(n: int, readers: int) -> dict[str, Any]:
    """Build an index of the first tracks."""
    shards, out = WORK / f"first-{n}", WORK / f"{n}.index"
    for folder in (shards, out):
        shutil.rmtree(folder, ignore_errors=True)
    whole = find_shards(Place(WORK / "shards"))
    assert whole is not None
    some = whole.shards[: -(-n // SHARD)]
    shards.mkdir(parents=True)
    for entry in some:
        (shards / f"{entry.id}.parquet").hardlink_to(WORK / "shards" / f"{entry.id}.parquet")
    write_manifest(Place(shards), replace(whole, shards=some))
    begin, clock = read_cpu(), time.perf_counter()
    built = build_index(shards, out, memory_mb=MEMORY_MB, readers=readers)
    took_s = time.perf_counter() - clock
    if readers > 1:  # what readers took is counted when they ended
        get_reusable_executor().shutdown(wait=True)
    took = {
        "n_tracks": built.n_tracks, "readers": readers, "n_parts": built.n_parts,
        "cpu_s": round(read_cpu() - begin, 1), "clock_s": round(took_s, 1),
        "peak_mb": read_peak(),
        "reader_mb": read_reader_peak() if readers > 1 else None,
        "shards_mb": round(sum(p.stat().st_size for p in shards.iterdir()) / 1e6),
        "index_mb": round(measure_size(out) / 1e6), "n_postings": count_postings(out),
    }  # fmt: skip
    for folder in (shards, out):
        shutil.rmtree(folder)
    return took


def count_postings(folder: Path) -> int:
    """Count the postings of an index."""
    return sum(len(part.segment.postings) for part in open_parts(folder)[1])


def read_peak() -> int:
    """Return the most memory that this process held, in MB; without whoever started it."""
    return read_memory_mb("VmHWM")


def read_reader_peak() -> int:
    """Return the most that a child that ended held, in MB, or this process when it started it."""
    return round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6)


def read_cpu() -> float:
    """Return the processor time of this process and of its children that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
