"""Artists for the 1,892 listeners of Last.fm (HetRec 2011), by plays, tags and friends.

Five times (seeds 0-4) a fifth of each listener's artists is hidden, with the tags that the listener
gave them; each method ranks all 17,632 artists that the listener is not seen to know. Recall is
hits / min(10, hidden), intervals are over listeners and draws. Then the cold start: a fifth of the
artists of three listeners and more are hidden from all, and ranked among themselves.

Weights of the hybrids were chosen on seed 100 (that without tags on 100 and 101), which
``--tuning`` runs, settings of their parts on these or another such drawing or, for the shrinkage of
item cosine, not at all; nothing is reported on these.
On the demo, whose listeners are invented, methods that need tags or friends are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from aares.data.hetrec import load_artists
from aares.data.sources import DataSource
from aares.recommend.listeners.artists import (
    ArtistTables,
    hide_artists,
    hide_new_artists,
    index_artists,
    prefer_unknown,
)
from aares.recommend.listeners.ease import WeightedEaseScorer
from aares.recommend.listeners.evaluate import compare_pair, judge, summarise
from aares.recommend.listeners.factors import AlsScorer
from aares.recommend.listeners.neighbours import ItemBm25Scorer, UserNeighbourScorer
from aares.recommend.listeners.profiles import ListenerScorer
from aares.recommend.listeners.ranking import IntArray, rank_songs
from aares.recommend.listeners.tagged import (
    FriendScorer,
    TagScorer,
    make_tag_rows,
    score_new_artists,
)
from aares.recommend.listeners.tasks import Task
from aares.recommend.listeners.users import ItemCosineScorer, PopularScorer, mix_scores
from aares.recommend.space.content import FloatArray

SEEDS, TUNING_SEEDS = (0, 1, 2, 3, 4), (100, 101)
K = 10
FACTORS = (0.0, 0.5, 2.0)  # what a weight is multiplied by, to see that no other serves better
THREE_STARTS = ("iALS", "iALS, start 1", "iALS, start 2")
FEW_FACTORS = ("iALS, 32", "iALS, 32, start 1", "iALS, 32, start 2")
TAGGED = {"EASE + tag rows": 1.0, "iALS + tag rows": 0.7} | dict.fromkeys(THREE_STARTS, 0.14)
HYBRIDS = {  # weights of the parts, and how much fame is taken off
    "hybrid": (TAGGED | {"tags": 2.0, "friends": 0.2}, 0.5),
    "hybrid without tags": (
        {"EASE, log plays": 1.0, "friends": 0.2}
        | dict.fromkeys(THREE_STARTS, 0.25)
        | dict.fromkeys(FEW_FACTORS, 0.75),
        0.4,
    ),
    "hybrid, less known": (TAGGED | {"tags": 4.0, "friends": 1.0}, 0.8),
}
Tables = dict[str, pd.DataFrame]


def measure(source: DataSource, *, tuning: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the tables of methods, of gains, of coverage, and of the cold start."""
    listening = load_artists(source)
    tables = index_artists(listening)
    seeds = TUNING_SEEDS if tuning else SEEDS
    about = {"source": listening.source_name, "seeds": list(seeds), "tags": len(tables.tags)}
    listeners, artists = tables.plays.shape
    yield "data", about | {"listeners": listeners, "artists": artists, "pairs": tables.plays.nnz}
    judged, coverage = judge_draws(tables, seeds)
    yield "methods", tabulate(judged, coverage)
    yield "gains", compare_hybrids(judged)
    if tables.tags:
        yield "cold", {"rows": judge_new(tables, seeds)}
    if tuning:
        yield "weights", {"rows": vary_weights(tables, seeds)}


def make_methods(seen: ArtistTables) -> dict[str, ListenerScorer]:
    """Return each method by the name that tables use."""
    methods: dict[str, ListenerScorer] = {
        "popularity": PopularScorer(),
        "item cosine": ItemCosineScorer(shrinkage=20.0),
        "user-kNN": UserNeighbourScorer(n_neighbours=100, power=3),
        "BM25": ItemBm25Scorer(n_neighbours=400, share=0.3),
        "EASE, log plays": WeightedEaseScorer(strength=3000.0),
        "iALS": AlsScorer(n_factors=64, strength=30.0, n_rounds=8),
        "iALS, start 1": AlsScorer(n_factors=64, strength=30.0, n_rounds=8, random_state=1),
        "iALS, start 2": AlsScorer(n_factors=64, strength=30.0, n_rounds=8, random_state=2),
    }
    for start, name in enumerate(FEW_FACTORS):  # alone they are worse, in the hybrid they differ
        methods[name] = AlsScorer(
            n_factors=32, strength=30.0, confidence=3.0, n_rounds=8, random_state=start
        )
    if seen.friends.nnz:
        methods["friends"] = FriendScorer(seen.friends)
    if seen.tags:
        tags = seen.count_tags()
        strong, weak = make_tag_rows(tags, weight=6.0), make_tag_rows(tags, weight=3.0)
        methods["tags"] = TagScorer(tags)
        methods["tags x fame"] = TagScorer(tags, fame=1.0)
        methods["EASE + tag rows"] = WeightedEaseScorer(strength=6000.0, further=strong)
        methods["iALS + tag rows"] = AlsScorer(
            n_factors=64, strength=30.0, n_rounds=8, further=weak
        )
    return methods


def score_draw(seen: ArtistTables, task: Task) -> dict[str, FloatArray]:
    """Return the scores of all methods and hybrids for the judged listeners of one draw."""
    scores: dict[str, FloatArray] = {}
    for name, method in make_methods(seen).items():
        binary = name in ("popularity", "item cosine")
        plays = seen.plays.astype(bool).astype(float) if binary else seen.plays
        scores[name] = method.fit(plays).score_known(plays)[task.users]
    return scores


def add_hybrids(scores: dict[str, FloatArray], seen: ArtistTables) -> None:
    """Add the hybrids to the scores of their parts; without tags there is one only."""
    count = np.bincount(seen.plays.indices, minlength=seen.plays.shape[1])
    for name, (weights, discount) in HYBRIDS.items():
        parts = {part: scores[part] for part in weights if part in scores}
        if "tags" in scores or "tags" not in weights:
            scores[name] = prefer_unknown(mix_scores(parts, weights), count, amount=discount)


def vary_weights(tables: ArtistTables, seeds: tuple[int, ...]) -> dict[str, list[float]]:
    """Return recall and NDCG of each hybrid as it is, and with each weight left out or changed."""
    found: dict[str, list[list[float]]] = {}
    for seed in seeds:
        seen, task = hide_artists(tables, random_state=seed)
        scores = score_draw(seen, task)
        count = np.bincount(seen.plays.indices, minlength=seen.plays.shape[1])
        for name, (weights, discount) in HYBRIDS.items():
            tried = {name: (weights, discount)}
            for part, factor in product(weights, FACTORS):
                changed = weights | {part: weights[part] * factor}
                tried[f"{name}, {part} x {factor}"] = (changed, discount)
            for factor in FACTORS:
                tried[f"{name}, fame x {factor}"] = (weights, discount * factor)
            for key, (mixed, amount) in tried.items():
                parts = {part: scores[part] for part in mixed if part in scores}
                if "tags" in scores or "tags" not in mixed:
                    values = prefer_unknown(mix_scores(parts, mixed), count, amount=amount)
                    means = judge(values, task, k=K)[["truncated_recall", "ndcg"]].mean()
                    found.setdefault(key, []).append(means.tolist())
    return {key: np.mean(draws, axis=0).round(4).tolist() for key, draws in found.items()}


def judge_draws(tables: ArtistTables, seeds: tuple[int, ...]) -> tuple[Tables, dict[str, float]]:
    """Judge all methods on each draw; coverage is the mean over draws."""
    judged: dict[str, list[pd.DataFrame]] = {}
    covered: dict[str, list[float]] = {}
    for seed in seeds:
        seen, task = hide_artists(tables, random_state=seed)
        scores = score_draw(seen, task)
        add_hybrids(scores, seen)
        for name, values in scores.items():
            judged.setdefault(name, []).append(_judge(values, task))
            covered.setdefault(name, []).append(measure_coverage(values, task))
    coverage = {name: float(np.mean(values)) for name, values in covered.items()}
    return {name: pd.concat(parts).sort_index() for name, parts in judged.items()}, coverage


def _judge(scores: FloatArray, task: Task) -> pd.DataFrame:
    table = judge(scores, task, k=K)
    table.index = pd.MultiIndex.from_product([table.index, [task.draw]], names=["listener", "draw"])
    return table


def measure_coverage(scores: FloatArray, task: Task) -> float:
    """Return the share of all artists that are in somebody's first ten."""
    lists = [
        rank_songs(row, task.known[[user]].indices, k=K, random_state=user)
        for user, row in enumerate(scores)
    ]
    return len(np.unique(np.concatenate(lists))) / scores.shape[1]


def judge_new(tables: ArtistTables, seeds: tuple[int, ...]) -> dict[str, dict[str, float]]:
    """Judge what ranks artists that nobody is known to listen to, on each draw.

    Another draw has other artists, and so other listeners of one: a row is a draw's mean.
    """
    rows: dict[str, list[float]] = {}
    for seed in seeds:
        seen, task, new = hide_new_artists(tables, random_state=seed)
        for name, values in score_new(seen, new).items():
            recall = judge(values[task.users], task, k=K)["truncated_recall"]
            rows.setdefault(name, []).append(float(recall.mean()))
    return {
        name: {"recall": round(float(np.mean(draws)), 4), "sd": round(float(np.std(draws)), 4)}
        for name, draws in rows.items()
    }


def score_new(seen: ArtistTables, new: IntArray) -> dict[str, FloatArray]:
    """Return the scores of new artists, by method."""
    tags = seen.count_tags()
    given = np.asarray(tags[new].sum(axis=1)).ravel()
    shape = (seen.plays.shape[0], len(new))
    ease = WeightedEaseScorer(strength=3000.0).fit(seen.plays).score_known(seen.plays)
    rows = WeightedEaseScorer(strength=6000.0, further=make_tag_rows(tags)).fit(seen.plays)
    same = TagScorer(tags).fit(seen.plays).score_known(seen.plays)[:, new]
    return {
        "chance": np.zeros(shape),
        "number of tags": np.broadcast_to(given, shape),
        "same tags": same,
        "same tags x log of their number": same * np.log1p(given),
        "EASE + tag rows": rows.score_known(seen.plays)[:, new],
        "EASE of artists with the same tags": score_new_artists(ease, tags, new),
    }


def tabulate(judged: Tables, coverage: dict[str, float]) -> dict[str, Any]:
    """Return recall and NDCG with their intervals, and the coverage, by method."""
    table = summarise(judged).round(4)
    columns = [name for name in table if name.startswith(("truncated_recall", "ndcg"))]
    rows = {}
    for name, row in table[columns].iterrows():
        by_draw = judged[str(name)].groupby("draw")
        spread = by_draw[["truncated_recall", "ndcg"]].mean().std(ddof=0).round(4)
        rows[str(name)] = row.to_dict() | {
            "sd_recall": float(spread["truncated_recall"]),
            "sd_ndcg": float(spread["ndcg"]),
            "coverage": round(coverage[str(name)], 4),
        }
    return {"rows": rows}


def compare_hybrids(judged: Tables) -> dict[str, Any]:
    """Return what each hybrid gains over each single method, paired, with intervals."""
    hybrids = [name for name in ("hybrid", "hybrid without tags") if name in judged]
    gains = {}
    for hybrid in hybrids:
        for name in judged:
            if not name.startswith("hybrid"):
                for measure_name in ("truncated_recall", "ndcg"):
                    gain = compare_pair(judged[hybrid], judged[name], measure=measure_name)
                    key = f"{hybrid} over {name}, {measure_name}"
                    gains[key] = [round(value, 4) for value in gain]
    return {"rows": gains}
