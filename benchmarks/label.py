"""The labelling page's server: how loud its clips are, and twenty raters who answer at once.

    python benchmarks/label.py levels     loudness and true peak of levelled clips
    python benchmarks/label.py load       answers and next pairs by HTTP, at 10,000 candidate pairs

`levels` measures with pyloudnorm the ends and starts of the demo songs, of the course's songs and
of what else lies in ``../audio/clips`` beside them. `load` starts the server as a process on songs
that are noise; its raters send the next request as soon as a reply is there, and in a second round
they take a second for each pair, which is still ten times as fast as the ear. The clients share the
machine with the server; what the server itself needed is told as its CPU time. All is kept in
``benchmarks/results/label.json``, with date and machine.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyloudnorm
import soundfile as sf

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from aares.audio.levels import measure_lufs, measure_true_peak
from aares.audio.sources import MEDIA
from aares.errors import AudioError
from workshop import config
from workshop.label.clips import RATE_HZ, TARGET_LUFS, ClipMaker, Piece
from workshop.measured import RESULTS, keep

KEPT = RESULTS / "label.json"
N_RATERS, N_ANSWERS, N_ROUNDS = 20, 50, 3
N_SONGS = 101  # 10,100 ordered pairs
PAUSE_S = 1.0
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def measure_levels(source: config.Workplace) -> dict:
    """Measure levelled clips of all songs at hand."""
    folders = [config.DEMO / "songs", source.folder / "songs", source.folder.parent / "audio/clips"]
    paths = [path for folder in folders for path in sorted(folder.glob("*"))
             if path.suffix.lower() in MEDIA]  # fmt: skip
    off, ours_off, peaks, limited = [], [], [], 0
    for path in dict.fromkeys(paths):
        maker = ClipMaker()
        try:
            clips = maker.make(Piece(path, True), Piece(path, False))
            plain = maker.make(Piece(path, True), Piece(path, False), as_recorded=True)
        except AudioError as error:
            print(error)
            continue
        for clip, recorded in zip(clips, plain, strict=True):
            y, x = (sf.read(io.BytesIO(content))[0] for content in (clip, recorded))
            off.append(pyloudnorm.Meter(RATE_HZ).integrated_loudness(y) - TARGET_LUFS)
            ours_off.append(measure_lufs(y, RATE_HZ) - TARGET_LUFS)
            peaks.append(measure_true_peak(y))
            limited += measure_true_peak(x) + TARGET_LUFS - measure_lufs(x, RATE_HZ) > -1.2
    return {
        "n": len(off),
        "worst_lu": round(float(np.abs(off).max()), 3),
        "mean_lu": round(float(np.mean(off)), 3),
        "worst_by_the_standard_lu": round(float(np.abs(ours_off).max()), 3),
        "highest_true_peak_db": round(max(peaks), 2),
        "n_limited": int(limited),
    }


@contextmanager
def run_server(folder: Path) -> Iterator[tuple[int, int]]:
    """Serve made-up songs; yield the server's process and port."""
    rng = np.random.default_rng(0)
    for number in range(N_SONGS):
        y = 0.1 * rng.standard_normal(45 * 8000)
        sf.write(folder / f"{number:03d}.wav", y, 8000)
    command = [sys.executable, "-u", "-m", "workshop", "label", "--no-browser", "--port", "0",
               "--songs", str(folder), "--database", str(folder / "labels.sqlite")]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(config.ROOT)}
    with subprocess.Popen(
        command, cwd=config.ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            for line in process.stdout or ():
                if found := re.search(r"http://127\.0\.0\.1:(\d+)/", line):
                    yield process.pid, int(found[1])
                    break
        finally:
            process.terminate()


def read_cpu_s(process: int) -> float:
    """Return what a process has used, in seconds; NaN where the system does not say it so."""
    stat = Path(f"/proc/{process}/stat")
    if not stat.is_file():
        return np.nan
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Line:
    """A connection that is kept open; thinner than httpx, whose own time would be measured."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(
        self, method: str, path: str, body: dict | None = None
    ) -> tuple[int, dict, float]:
        """Send a request; return status, reply and seconds."""
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        begin = time.perf_counter()
        self._writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        reply = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        length = int(re.search(r"content-length: (\d+)", reply, re.I)[1])  # type: ignore[index]
        found = await self._reader.readexactly(length)
        return int(reply.split()[1]), json.loads(found), time.perf_counter() - begin


async def rate(port: int, name: str, pause_s: float, seen: dict[str, list]) -> None:
    """Answer as one rater does."""
    line = Line(*await asyncio.open_connection("127.0.0.1", port))
    rater = {"uuid": str(uuid4()), "name": name, "device": "headphones", "join": "cut"}
    rater_id = (await line.send("POST", "/api/raters", rater))[1]["rater"]
    await asyncio.sleep(pause_s * np.random.default_rng(list(name.encode())).random())
    for _ in range(N_ANSWERS):
        status, pair, seconds = await line.send("GET", f"/api/next?rater={rater_id}")
        seen["next"].append((status, seconds))
        await asyncio.sleep(pause_s)
        answer = {
            "uuid": str(uuid4()), "rater": rater_id, "pair": pair["pair"], "answer": "yes",
            "heard_ms": 20_000, "join_heard": True, "replays": 0, "reaction_ms": 500,
            "join": "cut", "levels": "levelled", "rate": 48_000, "page_version": "1",
        }  # fmt: skip
        status, _, seconds = await line.send("POST", "/api/answers", answer)
        seen["answer"].append((status, seconds))


def measure_load(pause_s: float) -> dict:
    """Let twenty raters answer fifty pairs each, on a new database."""
    seen: dict[str, list] = {"next": [], "answer": []}

    async def run(port: int) -> None:
        names = [f"rater {number}" for number in range(N_RATERS)]
        await asyncio.gather(*(rate(port, name, pause_s, seen) for name in names))

    with tempfile.TemporaryDirectory() as name, run_server(Path(name)) as (process, port):
        time.sleep(1)
        before, begin = read_cpu_s(process), time.perf_counter()
        asyncio.run(run(port))
        wall_s, cpu_s = time.perf_counter() - begin, read_cpu_s(process) - before
    found = {"wall_s": round(wall_s, 1), "server_cpu_s": round(cpu_s, 1)}
    for kind, replies in seen.items():
        ms = 1000 * np.quantile([seconds for _, seconds in replies], [0.5, 0.95, 1])
        found |= {f"{kind}_{x}_ms": round(float(v), 1)
                  for x, v in zip(("median", "p95", "worst"), ms, strict=True)}  # fmt: skip
    status = Counter(status for replies in seen.values() for status, _ in replies)
    return found | {"replies": {str(code): n for code, n in sorted(status.items())}}


def describe_rounds(rounds: list[dict]) -> dict:
    """Return the quickest of several rounds by its slow answers, and what all of them said."""
    best = min(rounds, key=lambda found: found["answer_p95_ms"])
    p95 = [[found[f"{kind}_p95_ms"] for found in rounds] for kind in ("answer", "next")]
    return best | {"answer_p95_ms_of_rounds": p95[0], "next_p95_ms_of_rounds": p95[1]}


def main() -> None:
    """Measure what is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=["levels", "load", []], metavar="levels|load")
    names = parser.parse_args().names or ["levels", "load"]
    source = config.find_data()
    about = {"n_raters": N_RATERS, "n_answers": N_ANSWERS, "n_songs": N_SONGS}
    if "levels" in names:
        found = measure_levels(source)
        print("levels:", json.dumps(found), flush=True)
        if source.kind == "course":
            keep(KEPT, "levels", **found)
    if "load" in names:
        for section, pause_s in (("at once", 0.0), ("a second each", PAUSE_S)):
            rounds = [measure_load(pause_s) for _ in range(N_ROUNDS if pause_s == 0 else 1)]
            found = {**about, "load_average": round(os.getloadavg()[0], 1)}
            found |= describe_rounds(rounds)
            print(f"{section}:", json.dumps(found), flush=True)
            keep(KEPT, section, **found)


if __name__ == "__main__":
    main()
