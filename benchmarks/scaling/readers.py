"""Eight readers beside a writer for a minute: is an answer ever wrong, does a reader ever fail?

The writer adds tracks, removes others, and saves each time, so that parts are made, joined and
deleted under the readers' feet. Each reader opens the index again and again and asks it for
excerpts of tracks that stay, which must be found, and of music that was never there, which must
not. The sounds are noise: each is told from every other.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from aares.identify import Index, Query, Settings, make_query
from aares.identify.catalogue import Prints, fingerprint
from aares.identify.peaks import RATE_HZ
from aares.scale.simulated import gather_models, simulate_track
from workshop import config

N_READERS, SECONDS = 8, 60.0
N_STAYING, N_STRANGE, N_MODELS, BATCH = 12, 4, 4, 16
QUERIES_AN_OPENING = 4


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield what the readers saw."""
    with tempfile.TemporaryDirectory() as folder:
        yield "readers", read_beside(Path(folder) / "music.index", N_READERS, SECONDS)


def read_beside(folder: Path, n_readers: int, seconds: float) -> dict[str, Any]:
    """Let readers ask an index while this process writes to it, and add up what they saw."""
    rng = np.random.default_rng(7)
    sounds = rng.standard_normal((N_STAYING + N_STRANGE + N_MODELS, 12 * RATE_HZ), dtype=np.float32)
    names = [f"staying {k}" for k in range(N_STAYING)] + [None] * N_STRANGE
    staying = {name: y for name, y in zip(names, sounds, strict=False) if name}
    prints = [fingerprint(name, y, Settings()) for name, y in staying.items()]
    models = [fingerprint("", y, Settings()) for y in sounds[-N_MODELS:]]
    asked = [
        (name, make_query(y[3 * RATE_HZ : 8 * RATE_HZ]))
        for name, y in zip(names, sounds, strict=False)
    ]
    with Index.edit(folder) as index:
        index._add(prints)
        index.save(folder)
    context = multiprocessing.get_context("fork")
    ends, readers = [], []
    for number in range(n_readers):
        receive, send = context.Pipe(duplex=False)
        reader = context.Process(target=read, args=(folder, asked, seconds, number, send))
        reader.start()
        send.close()
        ends.append(receive)
        readers.append(reader)
    saved = write(folder, models, seconds)
    told = [end.recv() for end in ends]
    for reader in readers:
        reader.join()
    errors = [error for one in told for error in one["errors"]]
    return {
        "n_readers": n_readers, "seconds": seconds, "saved": saved,
        "openings": sum(one["openings"] for one in told),
        "states": max(one["states"] for one in told),
        "n": sum(one["n"] for one in told), "wrong": sum(one["wrong"] for one in told),
        "errors": errors,
    }  # fmt: skip


def read(
    folder: Path,
    asked: list[tuple[str | None, Query]],
    seconds: float,
    number: int,
    send: Connection,
) -> None:
    """Open an index and ask it until time is over; tell how often, and what was wrong."""
    rng, end = np.random.default_rng(number), time.monotonic() + seconds
    told: dict[str, Any] = {"n": 0, "wrong": 0, "openings": 0, "errors": []}
    states = set()
    while time.monotonic() < end:
        try:
            index = Index.open(folder)
            told["openings"] += 1
            states.add(len(index))
            for row in rng.integers(len(asked), size=QUERIES_AN_OPENING).tolist():
                name, query = asked[row]
                match = index.ask(query, bank=False).match
                told["n"] += 1
                told["wrong"] += (match.song if match else None) != name
        except Exception as error:  # whatever a reader meets is what is counted
            told["errors"].append(f"{type(error).__name__}: {error}")
    send.send({**told, "states": len(states)})
    send.close()


def write(folder: Path, models: list[Prints], seconds: float) -> int:
    """Add and remove tracks, and save each time, until time is over; tell how often."""
    made, end, number, saved = gather_models(models), time.monotonic() + seconds, 0, 0
    coming: list[str] = []
    with Index.edit(folder) as index:
        while time.monotonic() < end:
            tracks = [simulate_track(made, number + k, seconds=30.0) for k in range(BATCH)]
            index._add(tracks)
            coming += [track.recording.name for track in tracks]
            if len(coming) > 4 * BATCH:
                index.remove(coming[: 3 * BATCH])
                del coming[: 3 * BATCH]
            index.save(folder)
            number, saved = number + BATCH, saved + 1
    return saved
