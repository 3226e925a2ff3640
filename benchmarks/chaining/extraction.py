"""What features cost, and how far they are from librosa's.

Times are processor time of one thread unless a section says otherwise; distances of pairs and 40
million songs are timed by ``study``. Sections:

* song: 30 s of the course's songs, decoding and features apart, beside librosa's separate calls in
  the same run; also with the rest of the study's list (`more`);
* growth: N songs, as the slides have it, a line through their means and how far they are from it;
* workers: 100 songs by one process and by two, by the clock; `load` is what else the machine did;
* agreement: the largest difference from librosa, of each source of songs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aares.audio import AudioError
from aares.audio.features import NAMES, extract, extract_many, measure_segment
from aares.audio.segments import read_segment
from aares.chaining.extrapolation import fit_line
from aares.chaining.slides import get_figure
from chaining.music import list_music
from chaining.separate import call_librosa
from workshop import config

RUNS = 5  # of which the fastest counts
N_SONGS = (10, 50, 100)
N_MEAN = 10  # times that the slides' means are of
TOLERANCE = 1e-4  # of a value, or absolute where the mean is near zero


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield times and differences; nothing is tuned."""
    places = list_places(source)
    own = next(iter(places.values()))
    music = places.get("albums", own)
    yield "song", time_song(own)
    yield "growth", time_growth(music)
    yield "workers", time_workers(music)
    yield "agreement", {name: compare(paths) for name, paths in places.items()}


def list_places(source: config.Workplace) -> dict[str, list[Path]]:
    """Return the files of each source of songs that is there, the source's own first."""
    places = {"course": sorted((source.folder / "songs").glob("*.mp3"))}
    places["demo"] = sorted((config.DEMO / "songs").glob("*.ogg"))
    if source.kind == "course":
        places["clips"] = sorted((source.folder.parent / "audio" / "clips").rglob("*.*"))
        places["albums"] = list_music()["path"].tolist()
    return {name: paths for name, paths in places.items() if paths}


def time_song(paths: list[Path]) -> dict[str, Any]:
    """Return milliseconds of each part, means over the songs of the fastest run of each."""
    rows = []
    for path in paths:
        part = read_segment(path)
        rows.append(
            {
                "extract_ms": time_fastest(lambda p=path: extract(p)),
                "decoding_ms": time_fastest(lambda p=path: read_segment(p)),
                "features_ms": time_fastest(lambda p=part: measure_segment(p)),
                "librosa_ms": time_fastest(lambda p=part: call_librosa(p.y)),
                "extract_more_ms": time_fastest(lambda p=path: extract(p, more=True)),
            }
        )
    table = pd.DataFrame(rows)
    mean = table.mean().round(1)
    return {
        "songs": len(table),
        "fastest_of": RUNS,
        "mean": mean.to_dict(),
        "slowest": table.max().round(1).to_dict(),
        "librosa_to_features": round(mean["librosa_ms"] / mean["features_ms"], 1),
        "load": read_load(),
    }


def time_fastest(function: Callable[[], Any]) -> float:
    """Return the processor time of the fastest run, in milliseconds."""
    times = []
    for _ in range(RUNS):
        begin = time.process_time()
        function()
        times.append(1000 * (time.process_time() - begin))
    return min(times)


def time_growth(paths: list[Path]) -> dict[str, Any]:
    """Return seconds for N songs, beside the slides'; the songs are taken in turn."""
    rows = []
    for n in N_SONGS:
        songs, times = list(islice(cycle(paths), n)), []
        for _ in range(N_MEAN):
            begin = time.process_time()
            for path in songs:
                extract(path)
            times.append(time.process_time() - begin)
        stated = get_figure(f"extraction in s: {n} songs")
        spread = round(float(np.std(times)), 2)
        mean = round(float(np.mean(times)), 2)
        rows.append({"songs": n, "mean_s": mean, "spread_s": spread, "stated_s": stated})
    line = fit_line(N_SONGS, [row["mean_s"] for row in rows])
    stated = fit_line(N_SONGS, [row["stated_s"] for row in rows])
    return {
        "means_of": N_MEAN,
        "rows": rows,
        "line": {name: round(value, 4) for name, value in vars(line).items()},
        "slides_line": {name: round(value, 3) for name, value in vars(stated).items()},
    }


def time_workers(paths: list[Path]) -> dict[str, Any]:
    """Return seconds by the clock of one process and two, for as many songs of each turn."""
    songs = paths[: N_SONGS[-1]]
    seconds: dict[str, list[float]] = {"one": [], "two": []}
    load = read_load()
    busy = []
    for n_jobs, name in ((2, "two"), (1, "one"), (2, "two"), (1, "one"), (2, "two")):
        begin, spent = time.perf_counter(), read_workers()
        extract_many(songs, n_jobs=n_jobs)
        seconds[name].append(time.perf_counter() - begin)
        busy.append({pid: used - spent.get(pid, 0) for pid, used in read_workers().items()})
    begin = time.process_time()
    extract_many(songs)
    alone = time.process_time() - begin
    first, *later = seconds["two"]
    return {
        "songs": len(songs),
        "one_s": round(min(seconds["one"]), 2),
        "two_s": round(min(later), 2),
        "two_while_workers_start_s": round(first, 2),
        "ratio": round(min(seconds["one"]) / min(later), 2),
        # What two idle cores would give: the busier worker's processor time is the time it takes.
        "ratio_of_processor_time": round(
            alone / min(max(busy[2].values()), max(busy[4].values())), 2
        ),
        "load": load,
    }


def read_workers() -> dict[str, float]:
    """Return the processor seconds of each child process so far; Linux only."""
    seconds = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:  # it has ended since it was listed
            continue
        if int(fields[1]) == os.getpid():
            ticks = int(fields[11]) + int(fields[12])
            seconds[stat.parent.name] = ticks / os.sysconf("SC_CLK_TCK")
    return seconds


def read_load() -> float:
    """Return how many processes wanted a core in the last minute."""
    return round(os.getloadavg()[0], 1)


def compare(paths: list[Path]) -> dict[str, Any]:
    """Return the largest differences from librosa's values on the same samples."""
    found, expected = [], []
    for path in paths:
        try:
            part = read_segment(path)
        except AudioError:
            continue
        found.append(measure_segment(part))
        expected.append(call_librosa(part.y))
    ours, theirs = (pd.DataFrame(rows, columns=list(NAMES)) for rows in (found, expected))
    absolute = (ours - theirs).abs()
    relative = absolute / theirs.abs()
    beyond = (absolute > TOLERANCE) & (relative > TOLERANCE)
    worst = np.minimum(absolute, relative).max()
    return {
        "songs": len(ours),
        "refused": len(paths) - len(ours),
        "values_beyond_tolerance": int(beyond.to_numpy().sum()),
        "bpm_that_differ": int((ours["bpm"] != theirs["bpm"]).sum()),
        "worst": worst.idxmax(),
        "worst_difference": float(f"{worst.max():.2g}"),
    }
