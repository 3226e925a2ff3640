"""Ordered playlists of anonymous songs: a fifth of each is hidden, drawn or at its end.

All methods learn from what is shown of all playlists. Weights were chosen by hiding again inside
what is shown, of 600 playlists; those of ``random`` and ``last`` apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from aares import data
from aares.data.sources import DataSource
from aares.recommend import evaluate, users
from aares.recommend.content import FloatArray
from aares.recommend.neighbours import UserNeighbourScorer
from aares.recommend.tasks import Task, hide_songs

WEIGHTS = {
    "random": {"item cosine": 1.5, "playlists alike": 0.4, "artist": 0.4, "album": 0.4},
    "last": {"item cosine": 0.4, "playlists alike": 1.0, "artist": 0.1, "album": 0.4},
}
BATCH = 500


def measure_ordered(source: DataSource) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a section for each way of hiding."""
    listening = data.load_ordered(source)
    plays = listening.plays.drop_duplicates(["user_id", "id"])
    matrix, names = users.make_matrix(plays, listening.songs)
    places = number_places(plays, listening.songs, names)
    for way, weights in WEIGHTS.items():
        rng = np.random.default_rng(0)
        known, hidden = hide_songs(matrix, 0.2, rng) if way == "random" else hide_end(places, 0.2)
        yield f"ordered, {way}", judge_parts(listening.songs, known, hidden, weights)


def number_places(plays: pd.DataFrame, songs: pd.DataFrame, names: list[str]) -> sparse.csr_matrix:
    """Return playlists x songs with the place of each song, from 1."""
    rows = pd.Index(names).get_indexer(plays["user_id"])
    columns = pd.Index(songs["id"]).get_indexer(plays["id"])
    place = plays.groupby("user_id").cumcount().to_numpy(float) + 1
    return sparse.csr_matrix((place, (rows, columns)), shape=(len(names), len(songs)))


def hide_end(
    places: sparse.csr_matrix, share: float
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Hide the songs with the last places of each playlist."""
    known, hidden = places.copy(), places.copy()
    for start, stop in zip(places.indptr[:-1], places.indptr[1:], strict=True):
        size = max(1, round(share * (stop - start)))
        is_late = places.data[start:stop] > stop - start - size
        known.data[start:stop], hidden.data[start:stop] = ~is_late, is_late
    known.eliminate_zeros()
    hidden.eliminate_zeros()
    return known, hidden


def judge_parts(
    songs: pd.DataFrame,
    known: sparse.csr_matrix,
    hidden: sparse.csr_matrix,
    weights: dict[str, float],
) -> dict[str, Any]:
    """Judge each method, and their weighted sum."""
    parts = {
        "item cosine": users.ItemCosineScorer(shrinkage=5.0).fit(known),
        "playlists alike": UserNeighbourScorer(n_neighbours=200).fit(known),
        "artist": users.ArtistScorer(songs["artist"]).fit(known),
        "album": users.ArtistScorer(songs["album_id"]).fit(known),
    }
    count = np.asarray(known.sum(axis=0)).ravel()
    popular = 1 + np.log1p(count)  # of an artist's songs, the known ones first
    judged: dict[str, list[pd.DataFrame]] = {name: [] for name in [*parts, "hybrid"]}
    for start in range(0, known.shape[0], BATCH):
        rows = np.arange(start, min(start + BATCH, known.shape[0]))
        task = Task(known[:0], known[rows], hidden[rows], rows)
        scores: dict[str, FloatArray] = {
            name: part.score_known(task.known) for name, part in parts.items()
        }
        for name in ("artist", "album"):
            scores[name] = scores[name] * popular
        scores["hybrid"] = users.mix_scores(scores, weights)
        for name, values in scores.items():
            judged[name].append(evaluate.judge(values, task))
    tables = {name: pd.concat(some) for name, some in judged.items()}
    return tell_gain(tables)


def tell_gain(tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Return recall with intervals, and the paired gain on the best single method."""
    summary = evaluate.summarise(tables)
    names = [f"truncated_recall{end}" for end in ("", "_low", "_high")]
    recall = {name: [round(float(x), 4) for x in summary.loc[name, names]] for name in tables}
    rival = str(summary["truncated_recall"].drop("hybrid").idxmax())
    gain = evaluate.compare_pair(tables["hybrid"], tables[rival], measure="truncated_recall")
    return {
        "n_playlists": len(tables["hybrid"]),
        "recall": recall,
        "rival": rival,
        "gain": [round(float(value), 4) for value in gain],
    }
