"""Playlists as listeners: songs that were hidden from a playlist, found again.

``playlists``: the playlists that notebook 03 reports on, a share of their songs hidden, five draws.
The ranker sees no count (:mod:`aares.recommend.listeners.profile_features`): all songs of the table
are there because some playlist holds them, so one without another listener must be in a playlist
that is judged. ``with distractors``: the same with the songs of exercise 3 among the candidates,
which no playlist holds; those of the same id, or title and artist, are left out. ``ordered``: 5,000
ordered playlists of anonymous songs, a random or the last fifth hidden, see ``ordered.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from aares import data
from aares.data.listening import ORDERED
from aares.data.sources import DataSource
from aares.recommend.catalogue import read_catalogue
from aares.recommend.listeners import evaluate, users
from aares.recommend.listeners.listener_ranker import ListenerRanker
from aares.recommend.listeners.profiles import Scorer
from aares.recommend.listeners.song_facts import read_facts
from recommendation.ordered import measure_ordered
from workshop import config

N_DRAWS = 5
RANKER = "ranker"


def measure(source: DataSource, *, tuning: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the sections one by one; with `tuning`, on the playlists where choices are made."""
    listening = data.load_listening(source)
    matrix, _ = users.make_matrix(listening.plays, listening.songs)
    yield "playlists", judge_songs(listening.songs, matrix, make_methods, tuning=tuning)
    if (source.users / ORDERED).is_file():
        yield from measure_ordered(source, tuning=tuning)
    table = add_distractors(listening.songs, data.load_recommendation(source))
    extra = sparse.csr_matrix((matrix.shape[0], len(table) - matrix.shape[1]))
    wide = sparse.csr_matrix(sparse.hstack([matrix, extra]))
    few = judge_songs(table, wide, make_few_methods, tuning=tuning, n_draws=1)
    yield "with distractors", {"n_distractors": extra.shape[1], **few}


def make_methods(songs: pd.DataFrame) -> dict[str, Scorer]:
    """Return methods that know listeners or artists, and the ranker."""
    return {
        "most popular": users.PopularScorer(),
        "item cosine": users.ItemCosineScorer(shrinkage=5.0),
        "EASE": users.EaseScorer(strength=10.0),
        **make_few_methods(songs),
    }


def make_few_methods(songs: pd.DataFrame) -> dict[str, Scorer]:
    """Return the best single method and the ranker."""
    return {
        "same artist": users.ArtistScorer(songs["artist"]),
        RANKER: ListenerRanker(read_facts(songs)),
    }


def judge_songs(
    songs: pd.DataFrame,
    matrix: sparse.csr_matrix,
    make: Any,
    *,
    tuning: bool,
    n_draws: int = N_DRAWS,
) -> dict[str, Any]:
    """Judge methods on the playlists of notebook 03."""
    validation, reported = evaluate.split_users(matrix, share=0.3, random_state=config.SEED)
    chosen, n_folds = (validation, 2) if tuning else (reported, 4)
    tasks = evaluate.make_tasks(matrix, chosen, n_folds=n_folds, n_draws=n_draws)
    judged = evaluate.judge_methods(make(songs), tasks)
    return {"n_listeners": len(chosen), "n_draws": n_draws, **tell(judged)}


def tell(judged: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Return the rows of a table, and what the ranker gains on the best other method."""
    summary = evaluate.summarise(judged)
    recall = summary["truncated_recall"]
    rival = str(recall.drop(RANKER).idxmax())
    gain = evaluate.compare_pair(judged[RANKER], judged[rival], measure="truncated_recall")
    rows = []
    for name, table in judged.items():
        columns = [f"truncated_recall{end}" for end in ("", "_low", "_high")]
        row = {"method": name, "recall": round_all(summary.loc[name, columns])}
        row["ndcg"] = round(float(summary.loc[name, "ndcg"]), 4)
        for kind in ("warm", "cold"):
            row[kind] = round_all(evaluate.share_found(table, kind))
        rows.append(row)
    return {"rows": rows, "rival": rival, "gain": round_all(gain)}


def round_all(values: Any) -> list[float | None]:
    """Return numbers for a file; None for what is none."""
    return [round(float(value), 4) if np.isfinite(value) else None for value in values]


def add_distractors(songs: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Append songs that no playlist holds; albums are then told by artist and date for all."""
    others = others.assign(artist=[names[0] if names else "" for names in others["artists"]])
    ours, theirs = read_catalogue(songs), read_catalogue(others.drop(columns="artists"))
    known = set(zip(ours.titles, ours.by, strict=True))
    again = np.array([key in known for key in zip(theirs.titles, theirs.by, strict=True)])
    columns = [name for name in songs if name in others and name != "album_id"]
    new = others[~again & ~others["id"].isin(set(songs["id"])).to_numpy()]
    return pd.concat([songs[columns], new[columns]], ignore_index=True)
