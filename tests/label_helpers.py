"""What tests of the labelling page share: a few songs, a desk, requests that are right."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from uuid import UUID

import httpx
import numpy as np
import soundfile as sf

from workshop.label.app import make_app
from workshop.label.clips import ClipMaker
from workshop.label.desk import Desk
from workshop.label.songs import list_songs
from workshop.label.store import Store

HOST = "127.0.0.1"
ORIGIN = {"Origin": f"http://{HOST}"}


def write_songs(folder: Path, n: int = 4, *, seconds: float = 40.0, rate: int = 8000) -> Path:
    """Write songs of a few tones: each has its own, and half a second of silence on both sides."""
    folder.mkdir(parents=True, exist_ok=True)
    t = np.arange(round(seconds * rate)) / rate
    for number in range(n):
        y = 0.2 * np.sin(2 * np.pi * 110 * (number + 2) * t) * (1 + 0.5 * np.sin(3 * t))
        y[: rate // 2] = y[-rate // 2 :] = 0
        sf.write(folder / f"Somebody - Song {number}.wav", y, rate)
    return folder


class Clock:
    """Time that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class LateClips(ClipMaker):
    """Makes what is asked for only: most tests hear nothing."""

    def prepare(self, a, b):
        pass


class Server:
    """A desk on a database, and a page that asks it."""

    def __init__(self, folder: Path, database: Path, *, token: str = "") -> None:
        self.clock, self.store = Clock(), Store(database)
        self.desk = Desk(self.store, list_songs(folder), random_state=0, clock=self.clock)
        app = make_app(self.desk, hosts={HOST}, token=token, clips=LateClips())
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}")
        self._runner = asyncio.Runner()

    def close(self) -> None:
        self._runner.close()
        self.store.close()

    def run(self, *requests):
        """Send requests at the same time; return the replies."""

        async def send():
            return await asyncio.gather(*requests)

        return self._runner.run(send())

    def request(self, method, path, **options):
        return self.run(self.client.request(method, path, **options))[0]

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, name, body, **headers):
        return self.request("POST", f"/api/{name}", json=body, headers={**ORIGIN, **headers})

    def enter(self, name="Ann", *, number=None):
        """Register somebody; return the reply."""
        return self.post("raters", make_rater(name, number=number)).json()

    def ask(self, rater, hold=()):
        return self.get("/api/next", params={"rater": rater, "hold": ",".join(hold)}).json()

    def answer(self, rater, pair, **changes):
        return self.post("answers", make_answer(rater, pair, **changes))


_numbers = itertools.count(1)


def make_uuid(number=None):
    """A UUID of its own, or always the same of a number."""
    return str(UUID(int=next(_numbers) if number is None else (1 << 100) + number))


def make_rater(name="Ann", *, number=None):
    return {"uuid": make_uuid(number), "name": name, "device": "headphones", "join": "cut"}


def make_answer(rater, pair, **changes):
    """An answer of somebody who heard all of it."""
    return {
        "uuid": make_uuid(), "rater": rater, "pair": pair, "answer": "yes", "heard_ms": 21_000,
        "join_heard": True, "replays": 1, "reaction_ms": 900, "join": "cut", "levels": "levelled",
        "rate": 48_000, "page_version": "1",
    } | changes  # fmt: skip
