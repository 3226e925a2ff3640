"""Indexes of real tracks among simulated ones, made segment by segment in bounded memory.

The real tracks are those of the packages `sources.INDEXED`, which excerpts are cut from. The
others are simulated (`aares.scale.simulated`) from the packages `CALIBRATE` and `CHOOSE`: so no
excerpt has a copy in another tempo, and the music of the packages `REPORT` stays unknown.

A segment is made in two passes over its tracks, which are made anew in each: one counts how often
each hash occurs, one writes each posting to the next free place of its hash. So memory holds one
segment, and nothing is sorted.
"""

from __future__ import annotations

import pickle
import shutil
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from aares.identify import Settings
from aares.identify.catalogue import GAP_BLOCKS, Part, Prints, count_starts, fingerprint
from aares.identify.pairs import N_HASHES
from aares.identify.peaks import BLOCK_FRAMES
from aares.identify.roll import Roll
from aares.identify.segment import Segment
from aares.identify.store import find_manifest, open_parts, write_state
from aares.scale.simulated import Models, gather_models, simulate_track
from benchmarks.identifying import sources
from benchmarks.identifying.catalogue import list_rendered
from workshop.config import CACHE

FOLDER = CACHE / "scale"
N_SEGMENT = 50_000  # tracks of a segment
SEED = 20
ROLES = ("calibrate", "choose")  # what models are made of
Make = Callable[[int], Prints]


@cache
def load_prints(role: str) -> list[Prints]:
    """Return the prints of the real tracks of a role, from a cache if they were made before."""
    file = FOLDER / f"prints-{role}.pickle"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        tracks = list_rendered() if role == "rendered" else sources.list_tracks(role)
        made = [tuple(fingerprint(track.name, track.load(), Settings())) for track in tracks]
        file.write_bytes(pickle.dumps(made))
    return [Prints(*one) for one in pickle.loads(file.read_bytes())]


@cache
def load_models() -> Models:
    """Return the peaks that simulated tracks are made of."""
    return gather_models([one for role in ROLES for one in load_prints(role)])


def make_recording(number: int) -> Prints:
    """Return recording `number` of the catalogue: a real one while there are, else simulated."""
    real = load_prints("indexed")
    return real[number] if number < len(real) else simulate_track(load_models(), number, seed=SEED)


def open_catalogue(n: int) -> Path:
    """Return the folder of an index of `n` recordings; what is missing of it is made."""
    make_catalogue(n)
    return FOLDER / f"{n}.index"


def make_catalogue(n: int) -> dict[str, Any]:
    """Make what is missing of an index of `n` recordings, and tell what that took."""
    folder = FOLDER / f"{n}.index"
    have = sum(len(part) for part in open_parts(folder)[1]) if find_manifest(folder) else 0
    load_models(), load_prints("indexed")
    took = [
        add_segment(folder, range(first, min(first + N_SEGMENT, n)))
        for first in range(have, n, N_SEGMENT)
    ]
    return {
        "build_s": round(sum(one["cpu_s"] for one in took), 1),
        "build_mb": max((one["peak_mb"] for one in took), default=0),
    }


def add_segment(folder: Path, numbers: range, make: Make = make_recording) -> dict[str, Any]:
    """Add a segment of some recordings to an index, and tell what that took."""
    begin = time.process_time()
    part = build_part(numbers, make)
    before = find_manifest(folder)
    write_state(folder, Settings(), [*(open_parts(folder)[1] if before else []), part], before)
    return {
        "n_postings": len(part.segment.postings),
        "cpu_s": round(time.process_time() - begin, 1),
        "peak_mb": read_memory_mb("VmHWM"),
    }


def build_part(numbers: range, make: Make = make_recording) -> Part:
    """Lay recordings one after another, sorted by hash, without holding them all."""
    tally, rows = np.zeros(N_HASHES, dtype=np.int64), []
    words: list[np.ndarray] = []
    counts: list[np.ndarray] = []
    gap = np.zeros(GAP_BLOCKS, dtype=np.uint32)
    for number in numbers:
        one = make(number)
        rows.append(one.recording)
        count(one.hashes, tally)
        words.append(one.peaks)
        counts += [one.counts, gap]
    roll = Roll.make(rows)
    starts = count_starts(roll)[:-1] * BLOCK_FRAMES
    blocks = np.concatenate([[0], np.cumsum(np.concatenate(counts), dtype=np.int64)])
    del counts
    peaks = np.concatenate(words)
    del words
    postings = np.empty(int(tally.sum()), dtype=np.uint32)
    place = np.cumsum(tally) - tally
    for number, start in zip(numbers, starts.tolist(), strict=True):
        one = make(number)
        scatter(one.hashes, one.times, start, place, postings)
    keys = np.flatnonzero(tally)
    key_starts = np.concatenate([[0], np.cumsum(tally[keys])])
    segment = Segment(
        keys.astype(np.uint32), key_starts.astype(np.uint32), postings,
        blocks.astype(np.uint32), peaks,
    )  # fmt: skip
    return Part(roll, segment)


@njit(cache=True)
def count(hashes: np.ndarray, tally: np.ndarray) -> None:
    """Count how often each hash occurs."""
    for h in hashes:
        tally[h] += 1


@njit(cache=True)
def scatter(
    hashes: np.ndarray, times: np.ndarray, start: int, place: np.ndarray, postings: np.ndarray
) -> None:
    """Write each posting to the next free place of its hash."""
    for i in range(len(hashes)):
        postings[place[hashes[i]]] = times[i] + start
        place[hashes[i]] += 1


def remove_catalogue(folder: Path) -> None:
    """Delete an index that takes much of the disk."""
    shutil.rmtree(folder, ignore_errors=True)


def read_memory_mb(kind: str) -> int:
    """Return the memory of a kind that this process has.

    RssAnon is its own, RssFile what it reads of files, VmRSS both, VmHWM the most that both were.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return round(int(status.split(f"{kind}:")[1].split()[0]) * 1024 / 1e6)
