"""Are pieces of a song put back in order? Judged by the song, not by the model that orders.

200 excerpts of songs, none of a copy, cut into 8 pieces of 10 s with gaps of 0.5 s, shuffled, and
put in order by ``order_playlist``: at the learnt cost, by a model of the folds in which the song is
not (``benchmarks/chainable.py splices`` keeps them); at exercise 3's cost, by the tempo, key,
loudness and energy that are measured from the same pieces. What counts is the share of the seven
steps of each excerpt that stand in the order again, forwards; by chance it is an eighth. With
``ends known`` the first and the last piece are told. Intervals are over songs. Times are CPU times,
the least of 20, on a machine that others used.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import librosa
import numpy as np
import pandas as pd

from aares.chaining.edges import RATE_HZ
from aares.chaining.join_model import load_join_model
from aares.chaining.transition import transition_cost
from aares.errors import AudioError
from aares.recommend.lists.arrange import order_playlist
from aares.scores import estimate_grouped_share
from chaining.pieces import load_songs, load_sound
from chaining.splices import KEPT, draw_pool, predict_unseen
from workshop import config

N_EXCERPTS, N_PIECES = 200, 8
PIECE_S, GAP_S = 10.0, 0.5
LONG_S = N_PIECES * (PIECE_S + GAP_S)
N_TIMED, N_REPEATS = 10, 20
PROFILES = {
    1: (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    0: (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
"""How well each note fits C major and C minor: Krumhansl and Kessler, Psychological Review 89(4),
1982."""
WAYS: dict[str, dict[str, Any] | None] = {
    "learnt": {},
    "learnt, either way": {"symmetric": True},
    "exercise 3": None,
}


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield what is measured; for tuning, of other excerpts."""
    songs = load_songs()
    if not list(KEPT.glob("without-fold-*")):
        predict_unseen(*draw_pool(songs), keep=True)
    excerpts = draw_excerpts(songs, seed=100 if tuning else 0)
    hits = pd.DataFrame([row for part in excerpts for row in order_excerpt(*part)])
    yield "data", {"excerpts": len(excerpts), "songs": int(hits["song"].nunique()),
                   "pieces": N_PIECES, "chance": 1 / N_PIECES}  # fmt: skip
    for way, part in hits.groupby("way", sort=False):
        yield str(way), describe_hits(part)
    yield "time", measure_time(excerpts)


def draw_excerpts(songs: pd.DataFrame, *, seed: int) -> list[tuple[pd.Series, list[np.ndarray]]]:
    """Return a song and its pieces for each excerpt: one of each song, then a second of long ones.

    Excerpts of a song do not overlap.
    """
    rng = np.random.default_rng(seed)
    found = []
    for number in range(3):
        long = songs[songs["seconds"] > (number + 1) * LONG_S + 1]
        for row in rng.permutation(len(long)):
            song = long.iloc[row]
            room = song["seconds"] // LONG_S
            free = (song["seconds"] - 1) / room - LONG_S
            at = number * (LONG_S + free) + rng.random() * max(free, 0.0)
            pieces = cut_pieces(load_sound(song["song"], song["path"]), at)
            if len(found) < N_EXCERPTS and is_heard(pieces):
                found.append((song, pieces))
    return found


def cut_pieces(y: np.ndarray, at_s: float) -> list[np.ndarray]:
    """Return the pieces from a place on."""
    starts = [int((at_s + k * (PIECE_S + GAP_S)) * RATE_HZ) for k in range(N_PIECES)]
    return [np.array(y[start : start + int(PIECE_S * RATE_HZ)]) for start in starts]


def is_heard(pieces: list[np.ndarray]) -> bool:
    """Tell whether each piece has its ten seconds, and sound at both ends."""
    try:
        transition_cost({str(k): y for k, y in enumerate(pieces)}, sr=RATE_HZ)
    except AudioError:
        return False
    return all(len(y) == int(PIECE_S * RATE_HZ) for y in pieces)


def order_excerpt(song: pd.Series, pieces: list[np.ndarray]) -> Iterator[dict[str, Any]]:
    """Yield which steps each way finds again."""
    rng = np.random.default_rng(int(song.name))
    shuffled = rng.permutation(N_PIECES)
    table = pd.DataFrame([describe_piece(pieces[k]) for k in shuffled])
    table["path"] = [str(k) for k in shuffled]
    sounds = {str(k): pieces[k] for k in shuffled}
    model = load_join_model(KEPT / f"without-fold-{song['fold']}.json.gz")
    ends = {"start": int(np.argmin(shuffled)), "end": int(np.argmax(shuffled))}
    for way, options in WAYS.items():
        cost = "transition"
        if options is not None:
            cost = transition_cost(sounds, sr=RATE_HZ, model=model, **options)
        for told, fixed in (("", {}), (", ends known", ends)):
            order = shuffled[order_playlist(table, cost=cost, **fixed)]
            steps = np.diff(np.argsort(order))  # from where a piece stands to where the next does
            for step in steps:
                yield {"way": way + told, "song": song["song"], "forwards": step == 1,
                       "beside": abs(step) == 1, "whole": (steps == 1).all()}  # fmt: skip


def describe_piece(y: np.ndarray) -> dict[str, float]:
    """Return what exercise 3 orders by, measured from a piece."""
    tempo, _ = librosa.beat.beat_track(y=y, sr=RATE_HZ)
    chroma = librosa.feature.chroma_stft(y=y, sr=RATE_HZ).mean(axis=1)
    fits = {
        (key, mode): float(np.corrcoef(chroma, np.roll(profile, key))[0, 1])
        for mode, profile in PROFILES.items() for key in range(12)
    }  # fmt: skip
    key, mode = max(fits, key=lambda place: fits[place])
    loudness = float(20 * np.log10(np.sqrt(np.mean(y**2)) + 1e-6))
    return {"tempo": float(np.atleast_1d(tempo)[0]), "key": key, "mode": mode, "loudness": loudness,
            "energy": float(np.clip(1 + loudness / 60, 0, 1))}  # fmt: skip


def describe_hits(hits: pd.DataFrame) -> dict[str, float]:
    """Return the share of steps found, and the share found in either direction."""
    share, low, high = estimate_grouped_share(hits["forwards"], hits["song"])
    return {"steps": len(hits), "share": round(share, 4), "low": round(low, 4),
            "high": round(high, 4), "either_direction": round(float(hits["beside"].mean()), 4),
            "whole_order": round(float(hits["whole"].mean()), 4)}  # fmt: skip


def measure_time(excerpts: list[tuple[pd.Series, list[np.ndarray]]]) -> dict[str, float]:
    """Return how long ten songs take, described and not."""
    sounds = {str(k): pieces[0] for k, (_, pieces) in enumerate(excerpts[:N_TIMED])}
    start = time.process_time()
    cost = transition_cost(sounds, sr=RATE_HZ)
    described = time.process_time() - start
    table = pd.DataFrame({"path": list(sounds)})
    times = []
    for _ in range(N_REPEATS):
        start = time.process_time()
        order_playlist(table, cost=cost, start=0, end=N_TIMED - 1)
        times.append(time.process_time() - start)
    return {"songs": N_TIMED, "describe_ms": round(1000 * described, 1),
            "order_ms": round(1000 * min(times), 2)}  # fmt: skip
