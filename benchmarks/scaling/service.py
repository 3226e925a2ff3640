"""The service under load and under attack: fifty clients for a minute, and requests that cost much.

``aares serve`` runs as a process on an index of 1,000 tracks of 4 minutes, with as many searchers
as there are cores; the clients are on the same machine, and send excerpts of 10 s of its real
tracks as Ogg Vorbis, each for one answer (``timeline=false``). Three protocols:

- *single*: one client that sends the next excerpt when the last is answered.
- *listeners*: fifty clients, each of which sends 10 s of sound every 10 s, as whoever listens does;
  they begin at random moments.
- *closed*: fifty clients that send the next excerpt at once. Then there are always fifty requests
  in the service, and each waits for the others: p95 says what a core does, not what a user feels.

What a client waits is what the service does and what the machine does besides. ``cpu_ms_each`` is
the processor time of a request, of all processes of the service; ``delay_ms_each`` how long they
were ready in it and had no core (Linux, ``schedstat``): of *single* and *listeners*, which leave
the cores idle nine tenths of the time, that is other programs' doing. Three rounds; the figures are
of the one whose ratio is in the middle; ratios, delays and the machine's load are of all three.
*Closed* is measured after the last.

The attacks come one after another at the limits that the command has by itself; after each an
excerpt is asked for, and the memory of the listening process is that of its peak.
"""

from __future__ import annotations

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
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile as sf

from benchmarks.identifying import catalogue, conditions, sources
from benchmarks.identifying.conditions import Condition
from benchmarks.scaling import catalogues
from workshop import config
from workshop.config import ROOT

N_TRACKS = 1_000
N_CLIENTS, N_EXCERPTS, N_SINGLE = 50, 200, 100
LOAD_S, PERIOD_S = 60.0, 10.0
N_ROUNDS = 3
GB = 1_000_000_000
TICKS = os.sysconf("SC_CLK_TCK")
ASK = "/identify?timeline=false"


class Reply(NamedTuple):
    """What came back."""

    status: int
    seconds: float
    is_right: bool


class Excerpt(NamedTuple):
    """What is sent, and the recordings that it may come from."""

    content: bytes
    family: int


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield what fifty clients met with, and what became of attacks; for tuning, other excerpts."""
    index = catalogues.open_catalogue(N_TRACKS)
    tracks = sources.list_tracks("indexed")[:N_TRACKS]
    families = catalogue.group_families(tracks)
    rng = np.random.default_rng(78 if tuning else 1078)
    heard = Condition("", 10, conditions.add_noise("white", np.inf))
    excerpts = []
    for _ in range(N_EXCERPTS):
        track, y = heard.draw(tracks, rng)
        excerpts.append(Excerpt(encode(y), families[track.name]))
    with run_service(index) as (process, port):
        clients = Clients(port, excerpts, families)
        asyncio.run(clients.ask_one_by_one(2 * N_CLIENTS))  # every searcher has read the index
        rounds = [measure_round(clients, process) for _ in range(N_ROUNDS)]
        yield (
            "service",
            about(clients)
            | join_rounds(rounds)
            | {"closed": measure_load(clients, process, 0.0, rounds[-1]["single"])},
        )
        yield "service_attacks", asyncio.run(attack(clients, process))


def about(clients: Clients) -> dict[str, Any]:
    """Return what the figures are of."""
    size = int(np.mean([len(one.content) for one in clients.excerpts]))
    return {
        "n_tracks": N_TRACKS, "n_clients": N_CLIENTS, "load_s": LOAD_S, "period_s": PERIOD_S,
        "excerpt_bytes": size, "searchers": len(os.sched_getaffinity(0)),
    }  # fmt: skip


def encode(y: np.ndarray) -> bytes:
    """Return sound at 8 kHz as a file."""
    out = io.BytesIO()
    sf.write(out, np.clip(y, -1, 1), 8000, format="OGG", subtype="VORBIS")
    return out.getvalue()


@contextmanager
def run_service(index: Path) -> Iterator[tuple[int, int]]:
    """Serve an index; yield the listening process and its port."""
    command = [sys.executable, "-u", "-m", "aares", "serve", "--index", str(index), "--port", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        try:
            for line in process.stdout or ():
                if found := re.search(r"http://127\.0\.0\.1:(\d+)/", line):
                    asyncio.run(wait_until_ready(int(found[1])))
                    yield process.pid, int(found[1])
                    break
        finally:
            process.terminate()


async def wait_until_ready(port: int) -> None:
    """Wait until each searcher can answer."""
    wanted = {"status": "ok", "searchers": len(os.sched_getaffinity(0))}
    while True:
        async with connect(port) as line:
            if (await line.send("GET", "/health"))[1] == wanted:
                return
        await asyncio.sleep(0.2)


class Line:
    """A connection that is kept open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
        """Send a request; return status and reply."""
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)
        return await self.read()

    async def read(self) -> tuple[int, Any]:
        """Read a reply."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        length = int(re.search(r"content-length: (\d+)", head, re.I)[1])  # type: ignore[index]
        content = await self.reader.readexactly(length)
        return int(head.split()[1]), json.loads(content)


@asynccontextmanager
async def connect(port: int) -> AsyncIterator[Line]:
    """Open a connection."""
    line = Line(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield line
    finally:
        line.writer.transport.abort()


class Clients:
    """Whoever asks: each with a connection, that it opens anew where it was closed."""

    def __init__(self, port: int, excerpts: list[Excerpt], families: dict[str, int]) -> None:
        self.port, self.excerpts, self.families = port, excerpts, families

    async def ask(self, line: Line, number: int) -> Reply:
        """Send an excerpt, and time the answer."""
        excerpt = self.excerpts[number % len(self.excerpts)]
        begin = time.perf_counter()
        try:
            status, told = await line.send("POST", ASK, excerpt.content)
        except (OSError, asyncio.IncompleteReadError):
            return Reply(0, time.perf_counter() - begin, False)
        song = told.get("match") or ""
        is_right = self.families.get(song) == excerpt.family
        return Reply(status, time.perf_counter() - begin, is_right)

    async def ask_one_by_one(self, n: int) -> list[Reply]:
        """Ask as one client does."""
        async with connect(self.port) as line:
            return [await self.ask(line, number) for number in range(n)]

    async def ask_at_once(self, period_s: float) -> list[Reply]:
        """Ask as fifty clients do for a minute; without a period, each without a pause."""
        begin, replies = time.perf_counter(), list[Reply]()

        async def ask_again(client: int) -> None:
            rng = np.random.default_rng(client)
            due_s = begin + period_s * rng.random()
            for k in range(10**6):
                if due_s >= begin + LOAD_S or time.perf_counter() >= begin + LOAD_S:
                    return
                await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
                async with connect(self.port) as line:
                    replies.append(await self.ask(line, client + 7 * k))
                due_s += period_s

        await asyncio.gather(*(ask_again(client) for client in range(N_CLIENTS)))
        return replies


def measure_round(clients: Clients, process: int) -> dict[str, Any]:
    """Measure one client, then fifty that listen."""
    load = round(os.getloadavg()[0], 1)
    before = read_cpu_s(process), read_delay_s(process)
    replies = asyncio.run(clients.ask_one_by_one(N_SINGLE))
    single = describe(replies) | tell_each(process, before, len(replies))
    listeners = measure_load(clients, process, PERIOD_S, single)
    return {"single": single, "listeners": listeners, "load_average": load}


def measure_load(
    clients: Clients, process: int, period_s: float, single: dict[str, Any]
) -> dict[str, Any]:
    """Measure fifty clients."""
    before, begin = (read_cpu_s(process), read_delay_s(process)), time.perf_counter()
    replies = asyncio.run(clients.ask_at_once(period_s))
    wall_s, row = time.perf_counter() - begin, describe(replies)
    row |= tell_each(process, before, len(replies))
    ratio = round(row["p95_ms"] / single["p50_ms"], 1)
    return row | {"per_s": round(len(replies) / wall_s, 1), "p95_over_single": ratio}


def tell_each(process: int, before: tuple[float, float], n: int) -> dict[str, float]:
    """Tell what a request took of the cores, and how long it waited for one."""
    cpu_s, delay_s = read_cpu_s(process) - before[0], read_delay_s(process) - before[1]
    return {
        "cpu_ms_each": round(1000 * cpu_s / n, 1),
        "delay_ms_each": round(1000 * delay_s / n, 1),
    }


def join_rounds(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the round whose ratio is in the middle, and of all of them ratio and load."""
    ordered = sorted(rounds, key=lambda found: found["listeners"]["p95_over_single"])
    ratios = [found["listeners"]["p95_over_single"] for found in rounds]
    return ordered[len(ordered) // 2] | {
        "p95_over_single_of_rounds": ratios,
        "load_average_of_rounds": [found["load_average"] for found in rounds],
        "delay_ms_each_of_rounds": [found["listeners"]["delay_ms_each"] for found in rounds],
    }


def describe(replies: list[Reply]) -> dict[str, Any]:
    """Return how many were answered, rightly, and how soon."""
    ms = 1000 * np.quantile([reply.seconds for reply in replies], [0.5, 0.95, 1])
    named = zip(("p50_ms", "p95_ms", "worst_ms"), ms, strict=True)
    return {
        "n": len(replies), "errors": sum(reply.status != 200 for reply in replies),
        "recognised": sum(reply.is_right for reply in replies),
    } | {name: round(float(value), 1) for name, value in named}  # fmt: skip


def list_processes(process: int) -> list[int]:
    """List a process and those that it started."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *map(int, children)]


def read_cpu_s(process: int) -> float:
    """Return what the service has used, in seconds."""
    total = 0
    for number in list_processes(process):
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def read_delay_s(process: int) -> float:
    """Return how long the service was ready and had no core, in seconds; 0 where nobody counts."""
    files = (
        file for number in list_processes(process)
        for file in Path(f"/proc/{number}/task").glob("*/schedstat")
    )  # fmt: skip
    return sum(int(file.read_text(encoding="ascii").split()[1]) for file in files) / 1e9


def read_peak_mb(process: int) -> float:
    """Return the most memory that a process has had."""
    status = Path(f"/proc/{process}/status").read_text()
    return round(int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024, 1)  # type: ignore[index]


# --- attacks ------------------------------------------------------------------------------------


async def attack(clients: Clients, process: int) -> dict[str, Any]:
    """Send what costs much, one after another; tell what came back and what then."""
    port, rows = clients.port, []
    make_bomb()  # which is not part of the attack's time
    attacks: dict[str, Callable[[int], Awaitable[Any]]] = {
        "2 GB, announced": announce, "2 GB, in chunks": send_chunks, "10 h of silence": send_bomb,
        "200 slow heads": send_slow_heads, "50 slow bodies": send_slow_bodies,
        "1 MB of noise": send_noise,
    }  # fmt: skip
    for name, send in attacks.items():
        before, begin = read_peak_mb(process), time.perf_counter()
        replies = await send(port)
        seconds = time.perf_counter() - begin
        grown = round(read_peak_mb(process) - before, 1)
        async with connect(port) as line:
            after = await clients.ask(line, 0)
        rows.append({"attack": name, "replies": replies, "seconds": round(seconds, 1),
                     "grown_mb": grown, "then": after.status})  # fmt: skip
    left = [path for path in Path(tempfile.gettempdir()).glob("aares-serve-*/*.upload")]
    return {"rows": rows, "files_left": len(left), "searchers": len(list_processes(process)) - 1}


def tell(status: int) -> dict[str, int]:
    """Return one reply as a count."""
    return {str(status): 1}


async def announce(port: int) -> dict[str, int]:
    """Promise 2 GB."""
    async with connect(port) as line:
        line.writer.write(b"POST /identify HTTP/1.1\r\nHost: localhost\r\n")
        line.writer.write(b"Content-Length: %d\r\n\r\n" % (2 * GB))
        return tell((await line.read())[0])


async def send_chunks(port: int) -> dict[str, int]:
    """Send up to 2 GB without a word on how much it is."""
    part = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    async with connect(port) as line:
        line.writer.write(b"POST /identify HTTP/1.1\r\nHost: localhost\r\n")
        line.writer.write(b"Transfer-Encoding: chunked\r\n\r\n")
        reply, sent = asyncio.create_task(line.read()), 0
        while sent < 2 * GB and not reply.done():
            line.writer.write(part)
            await line.writer.drain()
            sent += len(part)
        status, _ = await reply
        return tell(status) | {"sent_mb": sent // 1_000_000}


@cache
def make_bomb() -> bytes:
    """Return hours of silence in few bytes."""
    out = io.BytesIO()
    with sf.SoundFile(out, "w", 8_000, 1, format="FLAC", subtype="PCM_16") as file:
        for _ in range(600):
            file.write(np.zeros(60 * 8_000, dtype=np.int16))
    return out.getvalue()


async def send_bomb(port: int) -> dict[str, int]:
    """Send what is small until it is decoded."""
    async with connect(port) as line:
        return tell((await line.send("POST", ASK, make_bomb()))[0])


async def send_noise(port: int) -> dict[str, int]:
    """Send bytes that are no sound."""
    async with connect(port) as line:
        content = np.random.default_rng(0).bytes(1_000_000)
        return tell((await line.send("POST", ASK, content))[0])


async def send_slow_heads(port: int) -> dict[str, int]:
    """Begin 200 requests, and go on with a line of them every second until they are ended."""
    return await _drip(port, 200, b"GET /health HTTP/1.1\r\nHost: localhost\r\n", b"X: y\r\n")


async def send_slow_bodies(port: int) -> dict[str, int]:
    """Begin 50 uploads, and send ten bytes of them every second until they are refused."""
    head = b"POST /identify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"
    return await _drip(port, 50, head, bytes(10))


async def _drip(port: int, n: int, head: bytes, drop: bytes) -> dict[str, int]:
    async def go_on() -> str:
        async with connect(port) as line:
            reading = asyncio.create_task(line.reader.read())
            line.writer.write(head)
            for _ in range(60):
                if (await asyncio.wait({reading}, timeout=1.0))[0]:
                    break
                line.writer.write(drop)
            try:
                content = await asyncio.wait_for(reading, 5)
            except OSError:
                content = b""
            except TimeoutError:
                return "still open"
            return content[9:12].decode() or "closed"

    return dict(Counter(await asyncio.gather(*(go_on() for _ in range(n)))))
