"""What tests of the page beside the report share: a small page whose songs are made up."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from aares.conformal.halves import UNKNOWN, rank_in_halves
from workshop.config import DEMO, Workplace
from workshop.page import build
from workshop.page.joins import make_joins
from workshop.page.lists import NOBODY
from workshop.page.songs import Judged

LABELS = ["blues", "folk", "jazz", "metal", "pop", "punk", "rap", "rock", "salsa", "soul"]
N_SONGS = 120
PLAIN_TITLES = ("Déjà vu", "Blue <b>&amp;</b> Sea")


def make_small_judged(n_songs: int = N_SONGS) -> Judged:
    """Sets of made-up songs, a third of which have no known label."""
    rng = np.random.default_rng(0)
    scores = rng.uniform(size=(n_songs, len(LABELS)))
    codes = scores.argmin(axis=1)
    odd = rng.uniform(size=n_songs) < 0.3
    codes[odd] = rng.integers(len(LABELS), size=odd.sum())
    codes[::3] = UNKNOWN
    ranks = rank_in_halves(scores, codes, np.arange(n_songs) % 2 == 1)
    return Judged(LABELS, codes, ranks)


def make_small_songs(source: Workplace | None = None, *, n_songs: int = N_SONGS) -> dict:
    """What :func:`workshop.page.songs.make_songs` gives, of made-up songs."""
    rng = np.random.default_rng(1)
    judged = make_small_judged(n_songs)
    x, y = rng.integers(65_536, size=(2, n_songs)).astype(np.uint16)
    others = np.array([rng.permutation(np.delete(np.arange(n_songs), row))[:18]
                       for row in range(n_songs)]).astype(np.uint16)  # fmt: skip
    lists = others[:, 8:].copy()
    lists[3, 4:] = NOBODY
    names = [f"Tune {row}" for row in range(n_songs)]
    names[5:7] = PLAIN_TITLES
    return {
        "names": names, "artists": [f"Singer {row // 4}" for row in range(n_songs)],
        "years": np.full(n_songs, 1977, np.uint16), "x": x, "y": y, "labels": LABELS,
        "known": judged.codes.astype(np.uint8), "counts": judged.ranks.counts.astype(np.uint16),
        "sizes": judged.ranks.sizes.astype(np.uint16), "near": others[:, :8], "lists": lists,
    }  # fmt: skip


def list_few() -> list[Path]:
    """Three of the demo songs: all pairs of eighteen take six seconds."""
    return sorted((DEMO / "songs").glob("*.ogg"))[:3]


@cache
def make_few_joins(source: Workplace | None = None) -> dict:
    return make_joins(source, list_few())


def make_small_page(monkeypatch: pytest.MonkeyPatch, out: Path, **made) -> Workplace:
    """Let the page be of made-up songs, and of results that are there."""
    answers = {name: {"answer": f"Of {name}, **0.57** <of> 1."} for names in build.QUOTED.values()
               for name in names}  # fmt: skip
    monkeypatch.setattr(build, "check_results", lambda source: answers)
    monkeypatch.setattr(build, "list_data", lambda: made)
    monkeypatch.setattr(build, "stamp_script", lambda *_: {"code": "as it is"})  # reads all files
    return Workplace("demo", DEMO, DEMO, out)
