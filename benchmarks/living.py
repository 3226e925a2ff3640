"""What an index on the disk costs, and what it survives.

    python benchmarks/living.py kills     a process that adds, removes, compacts is killed 60 times
    python benchmarks/living.py writes    10,000 tracks in 64s: bytes written against the final size
    python benchmarks/living.py large     100,000 recordings: size, opening, memory, first query
    python benchmarks/living.py start     identify a file of 10 s from the shell
    python benchmarks/living.py           all, in this order

Tracks are variations of the demo songs: hashes and peaks of a song moved by some bins. Results are
kept in ``benchmarks/results/living.json``. The tests take `kill_once` from here.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from aares.audio import load_audio  # noqa: E402
from aares.identify import Index, Recording, Settings, store  # noqa: E402
from aares.identify.catalogue import Prints, fingerprint  # noqa: E402
from aares.identify.pairs import N_HASHES  # noqa: E402
from aares.identify.peaks import RATE_HZ  # noqa: E402
from workshop import measured  # noqa: E402

N_KILLS, N_TRACKS, N_LARGE, BATCH = 60, 10_000, 100_000, 64


# --- killing ------------------------------------------------------------------------------


def make_prints(name: str, *, seed: int, n: int = 300) -> Prints:
    """Make prints of a recording that nobody played: 20 s, `n` hashes."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, N_HASHES, n, dtype=np.uint32)
    times = np.sort(rng.integers(0, 640, n)).astype(np.uint32)
    counts = np.full(20, 12, dtype=np.uint32)
    words = rng.integers(0, 1 << 16, 240, dtype=np.uint16)
    return Prints(Recording(name, 20, 20.5), hashes, times, counts, words)


def holds(index: Index, seed: int) -> bool:
    """Tell whether a part of an index has all hashes of `make_prints`."""
    wanted = make_prints("", seed=seed).hashes
    return any(np.isin(wanted, part.segment.keys).all() for part in index._parts)


def number(name: str) -> int:
    """Return the seed of a recording of `live`, from its name."""
    first, second = name.split("/")
    return int(first) * 100_000 + int(second)


def live(file: Path, seed: int, reports: int) -> None:
    """Add, remove and compact, and report what is begun and what is done; until killed."""
    rng, k = np.random.default_rng(seed), 0
    with Index.edit(file) as index, os.fdopen(reports, "w") as out:
        while True:
            names = [recording.name for recording in index.recordings]
            added, gone = [f"{seed}/{k}", f"{seed}/{k + 1}"], []
            if len(names) > 6 and rng.random() < 0.5:
                added, gone = [], rng.choice(names, size=3, replace=False).tolist()
            print(json.dumps(["try", added, gone]), file=out, flush=True)
            index.remove(gone)
            index._add([make_prints(name, seed=number(name)) for name in added])
            index.save(file)
            print(json.dumps(["done", added, gone]), file=out, flush=True)
            k += len(added)


def kill_once(file: Path, seed: int, delay_s: float, before: set[str]) -> set[str]:
    """Let a process live for a while, kill it, and check what it left.

    Returns the recordings that the index holds now. An `AssertionError` tells that one was lost.
    """
    receive, send = os.pipe()
    process = multiprocessing.get_context("fork").Process(target=live, args=(file, seed, send))
    process.start()
    os.close(send)
    with os.fdopen(receive) as stream:
        said = stream.readline()
        time.sleep(delay_s)
        os.kill(process.pid or 0, signal.SIGKILL)
        said += stream.read()
    process.join()
    reports = [json.loads(line) for line in said.splitlines(keepends=True) if line[-1] == "\n"]
    known = set(before)
    for what, added, gone in reports:
        if what == "done":
            known = (known | set(added)) - set(gone)
    begun = set(known)
    if reports and reports[-1][0] == "try":  # it may be through, and nobody was told
        begun = (known | set(reports[-1][1])) - set(reports[-1][2])
    index = Index.open(file)
    index.verify()
    found = {recording.name for recording in index.recordings}
    if found not in (known, begun) or not all(holds(index, number(name)) for name in found):
        raise AssertionError(f"lost or left: {sorted(found ^ known)}")
    return found


def kill() -> Iterator[tuple[str, dict[str, object]]]:
    """Kill a process at random moments, each going on with what the one before left."""
    rng, held = np.random.default_rng(0), set[str]()
    states = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "music.index"
        for seed in range(N_KILLS):
            held = kill_once(file, seed, float(rng.uniform(0, 0.4)), held)
            states.append(store.read_manifest(file).state)
        parts = len(store.read_manifest(file).entries)
    yield "kills", {
        "n": N_KILLS, "lost": 0, "states": states[-1], "recordings": len(held), "parts": parts
    }  # fmt: skip


# --- growing ------------------------------------------------------------------------------


def list_models() -> list[Prints]:
    """Fingerprint the demo songs."""
    songs = sorted((ROOT / "data" / "demo" / "songs").glob("*.ogg"))
    return [fingerprint(p.stem, load_audio(p, sr=RATE_HZ), Settings()) for p in songs]


def vary(models: list[Prints], k: int, *, n_blocks: int | None = None) -> Prints:
    """Return a song moved by some bins, with another name; of `n_blocks` only."""
    model, shift = models[k % len(models)], k // len(models) % 100 - 50
    blocks = min(n_blocks or len(model.counts), len(model.counts))
    heard = model.times < 32 * blocks
    hashes = (model.hashes[heard].astype(np.int64) + (shift << 13)) % N_HASHES
    words = model.peaks[: model.counts[:blocks].sum()]
    bins = ((words & 511).astype(np.int64) + shift) % 512
    name = f"album {k // 12}/{k:06} {model.recording.name}"
    return Prints(
        Recording(name, blocks, round(blocks * 1.024, 3)),
        hashes.astype(np.uint32), model.times[heard], model.counts[:blocks],
        ((words & ~np.uint16(511)) | bins.astype(np.uint16)),
    )  # fmt: skip


def write() -> Iterator[tuple[str, dict[str, object]]]:
    """Add tracks 64 at a time, each time for good, and weigh every file that is written."""
    models, written, begin = list_models(), [], time.process_time()
    replace = Path.replace

    def weigh(path: Path, target: Path) -> Path:
        written.append(path.stat().st_size)
        return replace(path, target)

    Path.replace = weigh  # type: ignore[method-assign, assignment]
    try:
        with tempfile.TemporaryDirectory() as folder:
            file, n_parts = Path(folder) / "music.index", []
            with Index.edit(file) as index:
                for start in range(0, N_TRACKS, BATCH):
                    stop = min(start + BATCH, N_TRACKS)
                    index._add([vary(models, k) for k in range(start, stop)])
                    index.save(file)
                    n_parts.append(len(index._parts))
            size = store.measure_size(file)
            hours = sum(r.seconds for r in Index.open(file).recordings) / 3600
    finally:
        Path.replace = replace  # type: ignore[method-assign]
    yield "writes", {
        "n_tracks": N_TRACKS, "hours": round(hours, 1), "batch": BATCH, "mb": round(size / 1e6, 1),
        "written_mb": round(sum(written) / 1e6, 1), "ratio": round(sum(written) / size, 2),
        "most_parts": max(n_parts), "parts": n_parts[-1],
        "cpu_s": round(time.process_time() - begin, 1),
    }  # fmt: skip


OPENING = """
import json, resource, sys, time
import numpy as np
from aares.identify import Index, make_query
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 1e6
y = np.random.default_rng(0).standard_normal(80_000, dtype=np.float32)
Index.from_signals({"a": y}).identify(y, 8000)
before, cpu, wall = resident(), [], []
for _ in range(7):
    begin = time.process_time(), time.perf_counter()
    index = Index.open(sys.argv[1])
    cpu.append(time.process_time() - begin[0])
    wall.append(time.perf_counter() - begin[1])
opened = resident() - before
times = []
for k in range(20):
    query = make_query(np.random.default_rng(k).standard_normal(80_000, dtype=np.float32))
    query.hash()
    begin = time.process_time()
    index.rank(query, "quick")
    times.append(time.process_time() - begin)
print(json.dumps({
    "open_ms": round(1000 * min(wall), 1), "open_cpu_ms": round(1000 * min(cpu), 1),
    "resident_mb": round(opened, 1), "first_query_ms": round(1000 * times[0], 1),
    "median_query_ms": round(1000 * float(np.median(times)), 1), "n": len(index),
}))
"""


def enlarge() -> Iterator[tuple[str, dict[str, object]]]:
    """Make an index of very many recordings, and open it in a process of its own."""
    models, begin = list_models(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        file, step = Path(folder) / "music.index", 2_000
        with Index.edit(file) as index:
            for start in range(0, N_LARGE, step):
                index._add([vary(models, k, n_blocks=20) for k in range(start, start + step)])
                index.save(file)
            parts = len(index._parts)
        built, size = time.process_time() - begin, store.measure_size(file)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        done = subprocess.run(
            [sys.executable, "-c", OPENING, str(file)],
            capture_output=True, text=True, check=True, cwd=ROOT,
        )  # fmt: skip
    yield "large", {
        "seconds_each": 20.5, "mb": round(size / 1e6, 1), "parts": parts,
        "build_cpu_s": round(built, 1), "build_mb": round(peak), **json.loads(done.stdout),
    }  # fmt: skip


# --- starting -----------------------------------------------------------------------------


def begin() -> Iterator[tuple[str, dict[str, object]]]:
    """Identify an excerpt of 10 s from the shell, the disk warm; the fastest of several."""
    import soundfile as sf

    songs = sorted((ROOT / "data" / "demo" / "songs").glob("*.ogg"))
    content: dict[str, object] = {"n": 7}
    with tempfile.TemporaryDirectory() as folder:
        file, sound = Path(folder) / "music.index", Path(folder) / "excerpt.wav"
        Index.build(songs, n_jobs=1).save(file)
        y, sr = sf.read(songs[3], start=20 * 22_050, frames=10 * 22_050)
        sf.write(sound, y, sr)
        for name, module in (("aares", "aares"), ("workshop", "workshop")):
            command = [sys.executable, "-m", module, "identify", str(sound), "--index", str(file)]
            times = [time_command(command) for _ in range(7)]
            content[f"{name}_s"] = round(min(wall for wall, _ in times), 2)
            content[f"{name}_cpu_s"] = round(min(cpu for _, cpu in times), 2)
    yield "start", {**content, "load": round(os.getloadavg()[0], 1)}


def time_command(command: list[str]) -> tuple[float, float]:
    """Return the seconds that a command takes, and how many of them it computes."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - start
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


MEASURES: dict[str, Callable[[], Iterator[tuple[str, dict[str, object]]]]] = {
    "kills": kill, "writes": write, "large": enlarge, "start": begin
}  # fmt: skip


def main() -> None:
    """Measure what the command line names, and keep it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[[], *MEASURES], metavar="NAME")
    for name in parser.parse_args().names or MEASURES:
        for section, content in MEASURES[name]():
            print(f"{section}: {json.dumps(content)}", flush=True)
            measured.keep(measured.RESULTS / "living.json", section, **content)


if __name__ == "__main__":
    main()
