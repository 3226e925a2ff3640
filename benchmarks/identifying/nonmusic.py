"""False alarms where nothing plays: a thousand sounds of ten kinds that are no music.

The catalogue is that of the report. None of the signals, and none of the functions that make them,
served to calibrate or to choose (`sounds.OTHER_KINDS` did). They last 2, 5 and 10 s in turn. The
first thousand, of seed 5000, had 1 accepted, a sweep without any noise, the second, the third and
the fourth, of seeds 6000, 7000 and 8000, a siren each. Sounds as pure and as gliding, of other
makers, came into the calibration after the third (`sounds.make_glide`, `make_engine`, `make_howl`),
and `answer.LEAST_SCORE`, which two of those asked for. Of 500 sirens of seed 9100, 8 were accepted
among the real tracks, each a yelp about three times a second: what repeats counted each time. It
counts once now (`traits.measure_novelty`, whose limit was set on music), none of the 8 is accepted,
and the thousand that are reported, of seed 10000, were made after that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from aares.identify import Index, make_query
from aares.scores import estimate_share
from benchmarks.identifying import catalogue, sounds
from benchmarks.identifying.sources import SR
from workshop import config

N = 100  # of each kind
LENGTHS_S = (2, 5, 10)
SEED = 10_000


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield what is accepted of each kind; for tuning, of the other kinds."""
    tracks = catalogue.list_calibrating() if tuning else catalogue.list_reported()
    index = catalogue.build_index(tracks)
    kinds = sounds.OTHER_KINDS if tuning else sounds.KINDS
    key = f"{catalogue.digest_answers()} {len(tracks)} {N} {SEED}"
    rows = [
        catalogue.remember("nonmusic", f"{key} {kind}", lambda kind=kind: ask_kind(index, kind))
        for kind in kinds
    ]
    accepted = sum(row["accepted"] for row in rows)
    n = N * len(rows)
    low, high = estimate_share(np.arange(n) < accepted)[1:]
    yield "nonmusic", catalogue.describe_catalogue(tracks) | {
        "n": n, "accepted": accepted, "low": low, "high": high, "rows": rows
    }  # fmt: skip


def ask_kind(index: Index, kind: str) -> dict[str, Any]:
    """Count what is said of sounds of a kind."""
    reasons = {"match": 0, "unknown": 0, "nothing": 0}
    least = 1.0
    for number in range(N):
        rng = np.random.default_rng((SEED, list(sounds.KINDS | sounds.OTHER_KINDS).index(kind),
                                     number))  # fmt: skip
        y = sounds.make_sound(kind, LENGTHS_S[number % len(LENGTHS_S)] * SR, rng)
        answer = index.ask(make_query(y))
        reasons[answer.reason] += 1
        least = min(least, answer.p_false)
    print(kind, reasons, least, flush=True)
    return {"kind": kind, "n": N, "accepted": reasons["match"], "unknown": reasons["unknown"],
            "nothing": reasons["nothing"], "least_p_false": least}  # fmt: skip
