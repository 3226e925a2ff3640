"""Candidates for the chaining study: neighbours found fast, and what the model of joins loses.

*Neighbours.* Vectors of the study's 27 features, 1,000 to 100,000. Songs that were measured are
the free albums' and the clips of ten genres (one segment each); more are sampled from a Gaussian
kernel density of theirs, standardised: a song drawn with replacement, moved by normal noise with
the covariance of all songs times the squared width of Silverman's rule, and drawn to the mean so
that the variance stays [1]_. ``sampled`` compares as many sampled songs with the measured ones: the
intrinsic dimension [2]_, on which a search depends, and how much nearer the nearest is than the
tenth. The songs of the course's table, which is large and not sampled, are searched too, by their
numbers. ``recall`` is the share of the ten nearest (on the vectors as they are, by comparing all in
float64; what is as near counts) that is found: by the graph with 16, 64 and 256 rows in view, by
comparing all on the grid, by scikit-learn's trees, which are exact. Times are processor times of
one thread for a query, the median of blocks; ``faster`` is how often the query goes into that of
comparing all. ``mb`` is what is held: the vectors, or the graph with its own copy of them. Three
draws; lowest and highest.

*Transitions.* A song is an excerpt of 30 s of a free album's song, judged by its first and its last
ten seconds; all pairs of excerpts of different songs are judged by the model of joins, then only
the candidates: the nearest by the vectors of edges, by the 27 features of the excerpt, or any, by
chance. ``found`` is the share of each excerpt's ten best transitions among its candidates, ``best``
of the single best one, ``probability`` the mean of the best that is left, beside that of all pairs.
Three draws of excerpts; intervals over songs and draws (:func:`aares.scores.bootstrap_crossed`).

References
----------
.. [1] B. W. Silverman, "Density Estimation for Statistics and Data Analysis", 1986: sections 4.3.2
   and 6.4.1 (the smoothed bootstrap with its variance kept).
.. [2] E. Levina and P. J. Bickel, "Maximum Likelihood Estimation of Intrinsic Dimension", NIPS
   2004: equation 8.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from chaining.music import list_clips, load_albums
from chaining.pieces import load_sound
from chaining.study import read_features
from sklearn.neighbors import BallTree, KDTree

from aares import data
from aares.audio.features import NAMES, measure_segment
from aares.audio.segments import SEGMENT, read_segment
from aares.chaining.distances import fit_scale
from aares.chaining.edges import RATE_HZ, describe_end, describe_start
from aares.chaining.transition import SongEdges
from aares.errors import AudioError
from aares.files import write_atomic
from aares.scale.candidates import (
    Neighbours,
    describe_edge,
    leave_out,
    rank_transitions,
)
from aares.scores import bootstrap_crossed
from benchmarks.scaling.catalogues import FOLDER
from workshop import config

SIZES = (1_000, 10_000, 100_000)
K = 10
N_QUERIES, N_BLOCKS = 200, 5
IN_VIEW = (16, 64, 256)
MOST_TREES = 10_000  # rows: beyond, trees take longer than comparing all
DRAWS, JOIN_DRAWS = 3, 3
EXCERPT_S, EDGE_S, WHOLE = 30.0, 10.0, "0:00-0:30"
EACH = 2  # excerpts of a song
ASKED = (10, 20, 50, 100)  # candidates
KEPT = FOLDER / "neighbours"
NUMBERS = ("danceability", "energy", "loudness", "speechiness", "acousticness", "instrumentalness",
           "liveness", "valence", "tempo", "duration_ms")  # fmt: skip


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield recall and time by size, and what is left of the best transitions; or other draws."""
    seed = 500 if tuning else 0
    measured = standardise(measure_songs(source).to_numpy(dtype=float))
    yield "sampled", compare_sampled(measured, seed)
    for size in SIZES:
        rows = [keep(f"{size}-{seed + draw}", partial(search_sampled, measured, size, seed + draw))
                for draw in range(DRAWS)]  # fmt: skip
        yield f"neighbours_{size}", summarise(rows)
    table = standardise(data.load_recommendation(source)[list(NUMBERS)].to_numpy(dtype=float))
    rows = [keep(f"course-{seed + draw}", partial(search, table, seed + draw))
            for draw in range(DRAWS)]  # fmt: skip
    yield "neighbours_course", summarise(rows)
    yield "transitions", measure_transitions(seed)


def keep(name: str, compute: Callable[[], Any]) -> Any:
    """Compute something once."""
    file = KEPT / f"{name}.pickle"
    if not file.is_file():
        write_atomic(file, pickle.dumps(compute()))
    return pickle.loads(file.read_bytes())


# --- neighbours -----------------------------------------------------------------------------------


def measure_songs(source: config.Workplace) -> pd.DataFrame:
    """Return the 27 features of the albums' songs and of the clips."""
    songs = [load_albums(), list_clips(source)]
    return pd.concat([read_features(x, SEGMENT) for x in songs if len(x)], ignore_index=True)


def standardise(values: np.ndarray) -> np.ndarray:
    """Return columns in spreads from their mean."""
    return (values - values.mean(axis=0)) / values.std(axis=0)


def sample_songs(measured: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw songs from the kernel density of those that were measured."""
    n_songs, d = measured.shape
    width = (4 / ((d + 2) * n_songs)) ** (1 / (d + 4))
    noise = rng.multivariate_normal(np.zeros(d), np.cov(measured.T), n, method="svd")
    drawn = measured[rng.integers(n_songs, size=n)] + width * noise
    return drawn / np.sqrt(1 + width**2)


def compare_sampled(measured: np.ndarray, seed: int) -> dict[str, Any]:
    """Compare sampled songs with as many measured ones."""
    rng = np.random.default_rng(seed)
    drawn = [describe_nearness(sample_songs(measured, len(measured), rng)) for _ in range(20)]
    return {"songs": len(measured), "dimensions": measured.shape[1],
            "measured": np.round(describe_nearness(measured), 3).tolist(),
            "sampled": np.round(np.mean(drawn, axis=0), 3).tolist(),
            "sampled_low": np.round(np.min(drawn, axis=0), 3).tolist(),
            "sampled_high": np.round(np.max(drawn, axis=0), 3).tolist(),
            "numbers": ["intrinsic dimension", "nearest over tenth"]}  # fmt: skip


def describe_nearness(points: np.ndarray) -> tuple[float, float]:
    """Return the intrinsic dimension by the ten nearest, and how much nearer the first is."""
    far = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))
    far = np.sort(far, axis=1)[:, 1 : K + 1]
    dimension = 1 / np.log(far[:, -1:] / far[:, :-1]).mean(axis=1)
    return float(1 / (1 / dimension).mean()), float(np.median(far[:, 0] / far[:, -1]))


def search_sampled(measured: np.ndarray, size: int, seed: int) -> list[dict[str, Any]]:
    """Search among sampled songs for the neighbours of others."""
    rng = np.random.default_rng([seed, size])
    return search(sample_songs(measured, size + N_QUERIES, rng), seed)


def search(points: np.ndarray, seed: int) -> list[dict[str, Any]]:
    """Compare ways to find neighbours of some rows among the others."""
    order = np.random.default_rng(seed).permutation(len(points))
    scale = fit_scale(points[order[N_QUERIES:]])
    asked, known = (scale.standardise(points[order[part]]) for part in (
        slice(N_QUERIES), slice(N_QUERIES, None)))  # fmt: skip
    limit = np.array([np.partition(measure_far(known, one), K - 1)[K - 1] for one in asked])
    near = Neighbours(known)
    graph_s = time_once(lambda: near.graph)
    held = {"graph": near.graph.memory_usage, "all": near.points.nbytes}  # in bytes
    ways = {f"graph, {n}": (graph_s, partial(near.find, k=K, in_view=n)) for n in IN_VIEW}
    ways["all, on the grid"] = (0.0, partial(near.find_exact, k=K))
    if len(known) <= MOST_TREES:
        for name, grow in (("k-d tree", KDTree), ("ball tree", BallTree)):
            begin = time.process_time()
            tree = grow(known)
            find = partial(tree.query, k=K, return_distance=False)
            ways[name] = time.process_time() - begin, find
    rows = []
    for name, (built_s, find) in ways.items():
        found, query_ms = time_queries(find, asked)
        far = [measure_far(known[rows], one) for rows, one in zip(found, asked, strict=True)]
        hits = np.array(far) <= limit[:, None] * (1 + 1e-12)
        row = {"way": name, "n": len(known), "recall": float(hits.mean())}
        row["bytes"] = held.get(name.partition(",")[0])
        rows.append({**row, "query_ms": query_ms, "built_s": built_s})
    return rows


def measure_far(known: np.ndarray, one: np.ndarray) -> np.ndarray:
    """Return squared distances in float64."""
    return ((known - one) ** 2).sum(axis=1)


def time_once(work: Callable[[], Any]) -> float:
    """Return the processor seconds of some work."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def time_queries(
    find: Callable[[np.ndarray], np.ndarray], asked: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return what is found, and the median over blocks of a query's processor time in ms."""
    find(asked[:1])
    found, spent = [], []
    for block in np.array_split(asked, N_BLOCKS):
        begin = time.process_time()
        found.append(find(block))
        spent.append((time.process_time() - begin) / len(block))
    return np.concatenate(found), float(np.median(spent)) * 1000


def summarise(draws: Sequence[list[dict[str, Any]]]) -> dict[str, Any]:
    """Return means over draws, of recall with the lowest and the highest."""
    rows = []
    times = {same[0]["way"]: float(np.median([one["query_ms"] for one in same]))
             for same in zip(*draws, strict=True)}  # fmt: skip
    for same in zip(*draws, strict=True):
        way, size = same[0]["way"], same[0]["bytes"]
        recalls = [one["recall"] for one in same]
        rows.append({
            "way": way,
            "recall_low_high": [round(float(f(recalls)), 4) for f in (np.mean, min, max)],
            "query_ms": round(times[way], 4),
            "faster": round(times["all, on the grid"] / times[way], 1),
            "built_s": round(float(np.median([one["built_s"] for one in same])), 2),
            "mb": None if size is None else round(size / 1e6, 1),
        })  # fmt: skip
    return {"n": draws[0][0]["n"], "k": K, "draws": len(draws), "queries": N_QUERIES, "rows": rows}


# --- transitions ----------------------------------------------------------------------------------


def measure_transitions(seed: int) -> dict[str, Any]:
    """Tell how many of the best transitions candidates hold, over draws of excerpts."""
    songs = load_albums()
    draws = [keep(f"joins-{seed + draw}", partial(judge_draw, songs, seed + draw))
             for draw in range(JOIN_DRAWS)]  # fmt: skip
    table = pd.concat(draws, ignore_index=True)
    rows = []
    for (way, k), part in table.groupby(["way", "k"], sort=False):
        row: dict[str, Any] = {"way": way, "k": k}
        for what in ("found", "best", "probability"):
            crossed = part.pivot_table(index="song", columns="draw", values=what, aggfunc="mean")
            values, weights = crossed.fillna(0).to_numpy(), crossed.notna().to_numpy(dtype=float)
            row[what] = [round(x, 4) for x in bootstrap_crossed(values, weights)]
        rows.append(row)
    return {"songs": int(table["song"].nunique()), "draws": JOIN_DRAWS,
            "excerpts": int(table["excerpts"].mean()), "rows": rows}  # fmt: skip


def judge_draw(songs: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Judge all pairs of a draw of excerpts, and compare candidates with them."""
    names, edges, features = draw_excerpts(songs, seed)
    n = len(edges)
    every = np.array([np.delete(np.arange(n), row) for row in range(n)])
    order, likely = rank_transitions(edges, every)
    other = names[order] != names[:, None]  # the song itself goes on best, and is no answer
    best = [order[row][other[row]] for row in range(n)]
    chance = [likely[row][other[row]] for row in range(n)]
    starts, ends = (np.array([describe_edge(edge) for edge in side]) for side in
                    ([one.start for one in edges], [one.end for one in edges]))  # fmt: skip
    rng = np.random.default_rng([seed, 1])
    near = {"edges": (starts, ends), "27 features": (features, features)}
    rows = []
    for way in ("edges", "edges, exact", "27 features", "chance", "all pairs"):
        known, asked = near.get(way.partition(",")[0], (starts, ends))
        graph = Neighbours(known)
        find = graph.find_exact if "exact" in way else graph.find
        for k in ASKED if way != "all pairs" else (n - 1,):
            lists = leave_out(find(asked, min(k + EACH, n)), np.arange(n))
            for row in range(n):
                of_others = [j for j in lists[row] if names[j] != names[row]][:k]
                if way == "chance":
                    of_others = rng.choice(best[row], min(k, len(best[row])), replace=False)
                if way == "all pairs":
                    of_others = best[row]
                hits = np.isin(best[row], of_others)
                rows.append((way, k, seed, n, names[row], hits[:K].mean(), float(hits[0]),
                             chance[row][hits].max()))  # fmt: skip
    columns = ["way", "k", "draw", "excerpts", "song", "found", "best", "probability"]
    return pd.DataFrame(rows, columns=columns)


def draw_excerpts(songs: pd.DataFrame, seed: int) -> tuple[np.ndarray, list[SongEdges], np.ndarray]:
    """Cut excerpts; return their songs, edges and 27 features."""
    rng = np.random.default_rng(seed)
    n, edge = (int(seconds * RATE_HZ) for seconds in (EXCERPT_S, EDGE_S))
    names, edges, features = [], [], []
    for song, path in zip(songs["song"], songs["path"], strict=True):
        y = load_sound(song, path)
        for at in rng.integers(0, max(len(y) - n, 1), EACH):
            piece = np.array(y[at : at + n])
            try:
                one = SongEdges(describe_start(piece[:edge]), describe_end(piece[-edge:]))
                part = read_segment(piece, WHOLE, sr=RATE_HZ)
            except AudioError:  # silence, or too short
                continue
            found = measure_segment(part)
            names.append(song)
            edges.append(one)
            features.append([found[name] for name in NAMES])
    return np.array(names), edges, np.array(features)
