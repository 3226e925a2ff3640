"""Excerpts that are asked for in every way, and what tells of the best candidate: a table.

The table is what `calibrate` fits on. It is kept in ``data/cache/identify`` until the code of the
identifier changes: asking takes long, fitting does not.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

import librosa
import numpy as np
import pandas as pd

from aares.identify import Index, Query, make_query
from aares.identify.ranking import COVARIATES, FEATURES, describe, list_covariates
from aares.identify.search import WAYS
from benchmarks.identifying import conditions, sounds
from benchmarks.identifying.conditions import CLEAN, Condition
from benchmarks.identifying.sources import SR, Track

LENGTHS_S = (2, 5, 10, 3, 5, 15)
NOISES = (("white", CLEAN), ("white", 0), ("white", CLEAN), ("white", -10), ("babble", 0),
          ("white", CLEAN), ("white", -5), ("pink", 0), ("white", -15))  # fmt: skip
TEMPOS, SEMITONES, SPEEDS = 0.05, 2, {"speeds": 0.08, "stretched": 0.0}


@dataclass(frozen=True)
class Excerpt:
    """What is asked: where it is from, and how it is heard."""

    track: str
    condition: str
    query: Query


def cut_excerpts(tracks: list[Track], n: int, seed: int, way: str = "") -> Iterator[Excerpt]:
    """Cut `n` excerpts, as many of each track: of all lengths, in all noises.

    Parameters
    ----------
    tracks : list of Track
    n, seed : int
    way : str
        For "speeds" and "stretched" each excerpt is changed as that way expects.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(tracks))
    number = 0
    while number < n:
        kind, snr_db = NOISES[number % len(NOISES)]
        length_s = LENGTHS_S[number // len(NOISES) % len(LENGTHS_S)]
        change = make_change(kind, snr_db, way)
        condition = Condition(f"{kind} {snr_db} {length_s}", length_s, change, 1.1)
        track = tracks[order[number % len(order)]]
        y = condition.cut(track, rng)
        number += 1
        if y is not None:
            yield Excerpt(track.name, condition.name, make_query(y))


def make_change(kind: str, snr_db: float, way: str) -> conditions.Change:
    """Return what plays an excerpt as a way of searching expects, and adds noise."""

    def change(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if way == "speeds":
            y = conditions.play_faster(1 + rng.uniform(-1, 1) * SPEEDS[way])(y, rng)
        if way == "stretched" and rng.random() < 0.5:
            y = librosa.effects.time_stretch(y, rate=1 + rng.uniform(-1, 1) * TEMPOS)
        elif way == "stretched":
            y = librosa.effects.pitch_shift(y, sr=SR, n_steps=rng.uniform(-1, 1) * SEMITONES)
        return conditions.add_noise(kind, snr_db)(y, rng)

    return change


def make_sounds(n: int, seed: int) -> Iterator[Excerpt]:
    """Make `n` sounds that are no music, of the kinds that are for choices."""
    kinds = list(sounds.OTHER_KINDS)
    for number in range(n):
        rng = np.random.default_rng((seed, number))
        length_s = LENGTHS_S[number // len(kinds) % len(LENGTHS_S)]
        y = sounds.make_sound(kinds[number % len(kinds)], length_s * SR, rng)
        yield Excerpt(f"{kinds[number % len(kinds)]} {number}", "no music", make_query(y))


def ask(
    index: Index, excerpt: Excerpt, ways: Sequence[str], *, without: Container[str] = ()
) -> Iterator[dict]:
    """Yield a row for each way to search: what tells of the best candidate."""
    for way in ways:
        ranking = index.rank(excerpt.query, way, without=without)
        if ranking.candidates:
            yield (
                {"track": excerpt.track, "condition": excerpt.condition, "way": way,
                 "found": ranking.candidates[0].song, "n_recordings": ranking.n_recordings}
                | dict(zip(FEATURES, describe(ranking), strict=True))
                | dict(zip(COVARIATES, list_covariates(ranking), strict=True))
            )  # fmt: skip


def gather_known(
    index: Index, tracks: list[Track], n: int, seed: int, ways: Sequence[Sequence[str]]
) -> pd.DataFrame:
    """Ask for excerpts of indexed tracks, each way for what it is made for; keep the right ones.

    Ways that are named together are asked for the same excerpts.
    """
    rows = []
    for number, together in enumerate(ways):
        for excerpt in cut_excerpts(tracks, n, seed + number, together[0]):
            rows += [row for row in ask(index, excerpt, together) if row["found"] == excerpt.track]
    return pd.DataFrame(rows)


def gather_unknown(
    index: Index,
    tracks: list[Track],
    n: int,
    seed: int,
    families: Mapping[str, set[str]],
    ways: Sequence[str] = WAYS,
) -> pd.DataFrame:
    """Ask for excerpts of tracks as if neither they nor their families were in the index."""
    rows: list[dict] = []
    for excerpt in cut_excerpts(tracks, n, seed):
        rows += ask(index, excerpt, ways, without=families.get(excerpt.track, ()))
    return pd.DataFrame(rows)


def gather_sounds(index: Index, n: int, seed: int) -> pd.DataFrame:
    """Ask for sounds that are no music."""
    return pd.DataFrame([row for one in make_sounds(n, seed) for row in ask(index, one, WAYS)])
