"""Three hours of sound: how much memory and time decoding takes, alone and within ``identify``.

The demo songs follow one another for three hours, as an mp3, which libsndfile reads, and as an m4a,
which ffmpeg reads (it also makes both files, once, in ``data/cache/identify``). Each measure is a
process of its own; its highest memory is the system's count (``VmHWM``, since ``ru_maxrss`` would
begin with that of the process that starts it), processor time is its own and that of ffmpeg. Of
three runs the median counts.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from aares.audio.ffmpeg import find_ffmpeg
from aares.errors import AudioError
from aares.identify import Index
from workshop.config import ROOT, Workplace

HOURS = 3
RUNS = 3
CACHE = ROOT / "data" / "cache" / "identify"
DECODE = "from aares.audio.streams import open_blocks\nfor block in open_blocks(FILE): pass"
IDENTIFY = "from aares.cli import main\nassert main(['identify', FILE, '--index', INDEX]) == 0"
MEASURE = r"""
import json, re, resource, sys, time
FILE, INDEX = sys.argv[1:3]
begin = time.perf_counter()
WORK
own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
high = re.search(r"VmHWM:\s*(\d+)", open("/proc/self/status").read())
print(json.dumps({
    "peak_mb": int(high[1]) / 1024,
    "cpu_s": own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime,
    "wall_s": time.perf_counter() - begin,
}))
"""


def measure(source: Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield what three hours take, for each format, decoded only and identified."""
    del source, tuning  # the demo songs are everywhere the same, and nothing is chosen
    songs = sorted((ROOT / "data" / "demo" / "songs").glob("*.ogg"))
    CACHE.mkdir(parents=True, exist_ok=True)
    index = Index.build(songs, n_jobs=1).save(CACHE / "hours.index")
    for suffix in ("mp3", "m4a"):
        file = make_hours(songs, suffix)
        for name, work in (("decoding", DECODE), ("identifying", IDENTIFY)):
            yield f"hours_{name}_{suffix}", {"hours": HOURS, **run_apart(work, file, index)}


def make_hours(songs: list[Path], suffix: str) -> Path:
    """Return a file in which songs follow one another for three hours."""
    file = CACHE / f"hours.{suffix}"
    if file.exists():
        return file
    program = find_ffmpeg()
    if program is None:
        raise AudioError("ffmpeg: expected to make files of three hours with, found none")
    once, many = CACHE / f"once.{suffix}", CACHE / "once.txt"
    many.write_text("".join(f"file '{song}'\n" for song in songs))
    join = [program, "-nostdin", "-v", "error", "-y", "-f", "concat", "-safe", "0", "-i"]
    subprocess.run([*join, many, "-ar", "44100", "-ac", "2", "-b:a", "128k", once], check=True)
    many.write_text(f"file '{once}'\n" * 100)
    subprocess.run([*join, many, "-c", "copy", "-t", str(3600 * HOURS), file], check=True)
    return file


def run_apart(work: str, file: Path, index: Path) -> dict[str, float]:
    """Measure work in processes of its own; return the medians."""
    runs = []
    for _ in range(RUNS):
        done = subprocess.run(
            [sys.executable, "-c", MEASURE.replace("WORK", work), file, index],
            capture_output=True, text=True, check=True, cwd=ROOT,
        )  # fmt: skip
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    return {key: round(statistics.median(run[key] for run in runs), 1) for key in runs[0]}
