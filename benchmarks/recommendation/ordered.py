"""Ordered playlists of anonymous songs: a fifth of each is hidden, drawn or at its end.

All methods learn from what is shown of all playlists. Weights were chosen by hiding again inside
what is shown, of every second playlist; those of ``random`` and ``last`` apart. ``--tuning`` hides
in this way and improves the weights one by one; nothing that is reported is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from aares import data, exact
from aares.data.sources import DataSource
from aares.recommend.listeners import evaluate, users
from aares.recommend.listeners.factors import AlsScorer
from aares.recommend.listeners.neighbours import UserNeighbourScorer
from aares.recommend.listeners.places import PlaceScorer, fade_places
from aares.recommend.listeners.tasks import Task, hide_songs
from aares.recommend.listeners.weights import weigh_binary
from aares.recommend.space.content import FloatArray

WEIGHTS = {
    "random": {
        "item cosine": 0.3, "playlists alike": 1.0, "artist": 0.6, "album": 0.4,
        "near songs": 1.0, "iALS": 1.0,
    },
    "last": {
        "item cosine": 0.2, "playlists alike": 1.0, "artist": 0.1, "album": 0.3,
        "near the last": 1.0, "cosine of the last": 0.7,
        "artist of the last": 0.5, "iALS": 1.0,
    },
}  # fmt: skip
FACTORS = (0.0, 0.6, 1.5)  # what a weight is multiplied by in search of a better one
BATCH = 500
Scoring = Callable[[sparse.csr_matrix], FloatArray]


def measure_ordered(
    source: DataSource, *, tuning: bool = False
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a section for each way of hiding; with `tuning`, the weights that are found best."""
    listening = data.load_ordered(source)
    plays = listening.plays.drop_duplicates(["user_id", "id"])
    places = mark_places(plays, listening.songs)
    for way, weights in WEIGHTS.items():
        known, hidden = hide(places, way, random_state=0)
        if tuning:
            yield f"ordered, {way}", tune(listening.songs, known, way)
        else:
            yield f"ordered, {way}", judge_parts(listening.songs, known, hidden, weights)


def mark_places(plays: pd.DataFrame, songs: pd.DataFrame) -> sparse.csr_matrix:
    """Return playlists x songs with the place of each song, from 1."""
    matrix, names = users.make_matrix(plays, songs)
    rows = pd.Index(names).get_indexer(plays["user_id"])
    columns = pd.Index(songs["id"]).get_indexer(plays["id"])
    place = plays.groupby("user_id").cumcount().to_numpy(float) + 1
    return sparse.csr_matrix((place, (rows, columns)), shape=matrix.shape)


def hide(
    places: sparse.csr_matrix, way: str, *, random_state: int
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Hide a fifth of each playlist; what is known keeps its places."""
    if way == "last":
        known, hidden = hide_end(places, 0.2)
    else:
        known, hidden = hide_songs(places, 0.2, np.random.default_rng(random_state))
    return sparse.csr_matrix(places.multiply(known)), hidden


def hide_end(
    places: sparse.csr_matrix, share: float
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Hide the songs with the last places of each playlist, at least one; 1 for each song."""
    known, hidden = places.copy(), places.copy()
    for start, stop in zip(places.indptr[:-1], places.indptr[1:], strict=True):
        size = max(1, round(share * (stop - start)))
        late = start + np.argsort(places.data[start:stop], kind="stable")[-size:]
        known.data[start:stop], hidden.data[start:stop] = 1.0, 0.0
        known.data[late], hidden.data[late] = 0.0, 1.0
    known.eliminate_zeros()
    hidden.eliminate_zeros()
    return known, hidden


def fit_parts(
    songs: pd.DataFrame, known: sparse.csr_matrix, names: Iterable[str]
) -> dict[str, Scoring]:
    """Return a function for each method, from playlists with places to scores."""
    heard = weigh_binary(known)
    popular = 1 + exact.log(1.0 + np.bincount(heard.indices, minlength=heard.shape[1]))
    artist, album = (users.ArtistScorer(songs[key]).fit(heard) for key in ("artist", "album_id"))
    binary = {
        "item cosine": users.ItemCosineScorer(shrinkage=5.0),
        "playlists alike": UserNeighbourScorer(n_neighbours=200),
        "iALS": AlsScorer(n_factors=128, strength=20.0, confidence=10.0, n_rounds=8),
    }
    placed = {
        "near songs": PlaceScorer(reach=6.0),
        "near the last": PlaceScorer(reach=20.0, before=0.5, fade=15.0),
        "cosine of the last": PlaceScorer(reach=np.inf, fade=10.0),
    }
    parts: dict[str, Scoring] = {  # of an artist's songs, the known ones first
        "artist": lambda rows: artist.score_known(weigh_binary(rows)) * popular,
        "album": lambda rows: album.score_known(weigh_binary(rows)) * popular,
        "artist of the last": lambda rows: artist.score_known(fade_places(rows, 5.0)) * popular,
    }
    for name in names:
        if name in binary:
            fitted = binary[name].fit(heard)
            parts[name] = lambda rows, fitted=fitted: fitted.score_known(weigh_binary(rows))
        elif name in placed:
            parts[name] = placed[name].fit(known).score_known
    return {name: parts[name] for name in names}


def judge_parts(
    songs: pd.DataFrame,
    known: sparse.csr_matrix,
    hidden: sparse.csr_matrix,
    weights: dict[str, float],
) -> dict[str, Any]:
    """Judge each method, and their weighted sum."""
    parts = fit_parts(songs, known, weights)
    judged: dict[str, list[pd.DataFrame]] = {name: [] for name in [*parts, "hybrid"]}
    for start in range(0, known.shape[0], BATCH):
        rows = np.arange(start, min(start + BATCH, known.shape[0]))
        task = Task(known[:0], known[rows], hidden[rows], rows)
        scores = {name: score(task.known) for name, score in parts.items()}
        scores["hybrid"] = users.mix_scores(scores, weights)
        for name, values in scores.items():
            judged[name].append(evaluate.judge(values, task))
    return tell_gains({name: pd.concat(some) for name, some in judged.items()})


def tune(songs: pd.DataFrame, shown: sparse.csr_matrix, way: str) -> dict[str, Any]:
    """Hide again in every second playlist of what is shown, and improve the weights one by one."""
    again = np.arange(0, shown.shape[0], 2)
    less, hidden = hide(shown[again], way, random_state=100)
    rest = shown[np.arange(1, shown.shape[0], 2)]
    known = sparse.csr_matrix(sparse.vstack([less, rest]))
    task = Task(known[:0], less, hidden, again)
    parts = fit_parts(songs, known, WEIGHTS[way])
    scores = {name: score(less) for name, score in parts.items()}

    def measure_recall(weights: dict[str, float]) -> float:
        mixed = users.mix_scores(scores, weights)
        return float(evaluate.judge(mixed, task)["truncated_recall"].mean())

    best, recall = dict(WEIGHTS[way]), measure_recall(WEIGHTS[way])
    tried = [{"weights": best, "recall": round(recall, 4)}]
    for name, factor in product(WEIGHTS[way], FACTORS):
        changed = best | {name: round(best[name] * factor, 3)}
        found = measure_recall(changed)
        tried.append({"weights": changed, "recall": round(found, 4)})
        if found > recall:
            best, recall = changed, found
    return {"n_playlists": len(again), "best": best, "recall": round(recall, 4), "tried": tried}


def tell_gains(tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Return recall with intervals, and the hybrid's paired gain on each single method."""
    summary = evaluate.summarise(tables)
    names = [f"truncated_recall{end}" for end in ("", "_low", "_high")]
    recall = {name: [round(float(x), 4) for x in summary.loc[name, names]] for name in tables}
    rival = str(summary["truncated_recall"].drop("hybrid").idxmax())
    gains = {}
    for name in recall:
        if name != "hybrid":
            gain = evaluate.compare_pair(tables["hybrid"], tables[name], measure="truncated_recall")
            gains[name] = [round(float(value), 4) for value in gain]
    return {
        "n_playlists": len(tables["hybrid"]),
        "recall": recall,
        "rival": rival,
        "gain": gains[rival],
        "gains": gains,
    }
