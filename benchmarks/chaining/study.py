"""The study's two experiments on songs of ours, beside its figures, and what a catalogue costs.

The study's songs and labels are lost. Chainable is, by proxy, two songs of one album of free game
music (``tools/fetch_music.py``, without copies), or two clips of one genre (20 s each, so one
segment); on the demo, two renderings of one composer. Sections:

* experiment 1: all songs against all;
* experiment 2: every row of the slides' tables on 300 pairs, half of them chainable, on random
  pairs, unseen songs and unseen groups; nothing is tuned. Beside it, the same with all the pairs
  that there are, and with 300 pairs of few songs, so that each song is in many pairs;
* time: distances of N pairs as the slides have it, a million distances, and 40 million songs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial.distance import cdist

from aares.audio.features import NAMES, extract, extract_many
from aares.audio.segments import SEGMENT, SEGMENTS
from aares.chaining.distances import POWERS, fit_scale, measure_pair_distances
from aares.chaining.draws import N_TEST, N_TRAIN, SPLITS, sample_pairs, sample_split
from aares.chaining.experiment import compare_groups, conclude, run_methods, summarise_methods
from aares.chaining.extrapolation import extrapolate, fit_line
from aares.chaining.methods import METHODS
from aares.chaining.models import report_classes
from aares.chaining.slides import get_figure
from aares.chaining.thresholds import READINGS, fit_thresholds, trace_threshold
from chaining.music import list_clips, list_renderings, load_albums
from workshop import config

KEPT = config.CACHE / "features"
N_DRAWS, N_DRAWS_MANY, MANY = 50, 10, 100_000
FEW = (4, 12)  # albums, songs of each: 300 pairs of 48 songs
N_CURVE = 40  # thresholds of the curve that are kept
N_PAIRS = (10, 50, 100)
MILLION = 1_000_000
SOME = [method for method in METHODS if method.name in {
    "euclidean, max", "manhattan, max", "network", "tree", "symmetric tree", "boosting"
}]  # fmt: skip


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield what is measured; for tuning, on other draws."""
    seed = 1000 if tuning else 0
    songs, proxy = list_songs(source)
    tables = {segment: read_features(songs, segment) for segment in SEGMENTS[:4]}
    if len(clips := list_clips(source).rename(columns={"genre": "group"})):
        heard = {SEGMENT: read_features(clips, SEGMENT)}
        yield "experiment 1, clips", describe_groups(heard[SEGMENT], clips["group"])
        yield "experiment 2, clips", judge(heard, clips["group"], "same genre", seed)
    yield "experiment 1, albums", describe_groups(tables[SEGMENT], songs["group"])
    yield "experiment 2, albums", judge(tables, songs["group"], proxy, seed)
    yield "all pairs, albums", judge_many(tables[SEGMENT], songs["group"], proxy, seed)
    if songs["group"].value_counts().ge(FEW[1]).sum() >= FEW[0]:
        yield "few songs, albums", judge_few(tables[SEGMENT], songs["group"], proxy, seed)
    yield "time", time_all(songs["path"].head(10).tolist())


def list_songs(source: config.Workplace) -> tuple[pd.DataFrame, str]:
    """Return songs with their group, and what the group is."""
    if source.kind == "demo":
        return list_renderings().rename(columns={"composer": "group"}), "same composer"
    return load_albums().rename(columns={"album": "group"}), "same album"


def read_features(songs: pd.DataFrame, segment: str) -> pd.DataFrame:
    """Return the 27 features of each song."""
    table = extract_many(songs["path"], segment, cache=KEPT)
    if wrong := [text for text in table["error"] if text]:
        raise SystemExit(f"{len(wrong)} songs cannot be read: {wrong[0]}")
    return table[list(NAMES)].reset_index(drop=True)


# --- the experiments ------------------------------------------------------------------------


def describe_groups(features: pd.DataFrame, groups: pd.Series) -> dict[str, Any]:
    """Return the distances of experiment 1, and where classical and metal stand among them."""
    found = compare_groups(features, groups)
    order = found.order_pairs()
    both = order["one"].eq("classical") & order["other"].eq("metal")
    place = {"classical_metal_place": int(order.index[both][0]) + 1} if both.any() else {}
    aucs = {kind: compare_groups(features, groups, kind=kind).auc for kind in POWERS}
    return {
        "songs": len(groups),
        "groups": found.names,
        "distance": "euclidean, 27 features, standardised over all songs",
        "means": np.round(found.means, 3).tolist(),
        "within": round(found.within, 3),
        "between": round(found.between, 3),
        "auc_low_high": {kind: [round(x, 3) for x in auc] for kind, auc in aucs.items()},
        "pairs_of_groups": len(order),
        **place,
        "farthest": list_rows(order.head(5)),
        "nearest": list_rows(order.tail(5)),
    }


def judge(
    tables: Mapping[str, pd.DataFrame], groups: pd.Series, proxy: str, seed: int
) -> dict[str, Any]:
    """Return the tables of experiment 2."""
    answers = run_methods(tables, groups, n_draws=N_DRAWS, random_state=seed)
    summary = summarise_methods(answers, proxy=proxy)
    trees = answers[answers["method"] == "tree"].groupby("split", sort=False)
    return {
        "proxy": proxy,
        "songs": len(groups),
        "groups": groups.nunique(),
        "rows": list_rows(summary),
        "conclusion": list_rows(conclude(summary)),
        "tree_report": {
            split: list_rows(report_classes(rows["label"], rows["answer"]).reset_index(names="row"))
            for split, rows in trees
        },
        "thresholds": list_rows(fit_all_thresholds(tables[SEGMENT], groups, seed)),
        "curve": list_rows(trace_curve(tables[SEGMENT], groups, seed)),
    }


def fit_all_thresholds(features: pd.DataFrame, groups: pd.Series, seed: int) -> pd.DataFrame:
    """Return the median of the thresholds that the training pairs of random splits give."""
    rows = []
    for draw in range(N_DRAWS):
        rng = np.random.default_rng([seed, 0, draw])
        train, _ = sample_split(groups, SPLITS[0], n_train=N_TRAIN, n_test=N_TEST, rng=rng)
        points = standardise(features, np.concatenate([train.a, train.b]))
        for kind in POWERS:
            gaps = measure_pair_distances(points, train.a, train.b, kind=kind)
            for reading in READINGS:
                rule = fit_thresholds(gaps, train.labels, reading)
                rows.append((kind, reading, rule.low, rule.high))
    table = pd.DataFrame(rows, columns=["kind", "reading", "low", "high"])
    return table.groupby(["kind", "reading"], sort=False).median().reset_index()


def trace_curve(features: pd.DataFrame, groups: pd.Series, seed: int) -> pd.DataFrame:
    """Return 'Focus sur le seuil' for 300 pairs: euclidean distance, some of the thresholds."""
    pairs = sample_pairs(groups, N_TRAIN + N_TEST, rng=np.random.default_rng(seed))
    points = standardise(features, np.concatenate([pairs.a, pairs.b]))
    curve = trace_threshold(measure_pair_distances(points, pairs.a, pairs.b), pairs.labels)
    some = np.linspace(0, len(curve) - 1, min(N_CURVE, len(curve))).round().astype(int)
    return curve.iloc[some]


def standardise(features: pd.DataFrame, songs: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Return features in spreads of some of the songs, each counted once."""
    values = features.to_numpy()
    return fit_scale(values[np.unique(songs)]).standardise(values)


def judge_many(features: pd.DataFrame, groups: pd.Series, proxy: str, seed: int) -> dict[str, Any]:
    """Return what more pairs change: as many as there are, for a few of the methods."""
    sizes = {"n_train": MANY, "n_test": MANY // 2, "n_draws": N_DRAWS_MANY}
    answers = run_methods({SEGMENT: features}, groups, SOME, **sizes, random_state=seed)
    return {"proxy": proxy, "rows": list_rows(summarise_methods(answers, proxy=proxy))}


def judge_few(features: pd.DataFrame, groups: pd.Series, proxy: str, seed: int) -> dict[str, Any]:
    """Return what 300 pairs of few songs change: each draw takes other albums and songs."""
    parts = []
    for draw in range(N_DRAWS):
        rng = np.random.default_rng([seed, draw])
        sizes = groups.value_counts()
        albums = rng.choice(np.sort(sizes.index[sizes >= FEW[1]]), FEW[0], replace=False)
        rows = np.sort(np.concatenate([
            rng.choice(np.flatnonzero(groups == album), FEW[1], replace=False) for album in albums
        ]))  # fmt: skip
        tables = {SEGMENT: features.iloc[rows]}
        found = run_methods(tables, groups.iloc[rows], SOME, n_draws=1, random_state=seed + draw)
        songs = {"a": rows[found["a"]], "b": rows[found["b"]]}
        parts.append(found.assign(draw=draw, **songs))
    summary = summarise_methods(pd.concat(parts, ignore_index=True), proxy=proxy)
    return {"proxy": proxy, "albums": FEW[0], "songs": FEW[0] * FEW[1], "rows": list_rows(summary)}


# --- time ---------------------------------------------------------------------------------


def time_all(paths: list[Any]) -> dict[str, Any]:
    """Return times in processor seconds of one thread, beside the slides'."""
    rng = np.random.default_rng(0)
    points = fit_scale(rng.normal(size=(1000, len(NAMES)))).standardise(
        rng.normal(size=(1000, len(NAMES)))
    )
    pairs = []
    for n in N_PAIRS:
        a, b = rng.integers(0, len(points), (2, n))
        times = [
            time_often(lambda a=a, b=b: measure_pair_distances(points, a, b)) for _ in range(10)
        ]
        stated = get_figure(f"distances in s: {n} pairs")
        pairs.append({"pairs": n, "mean_of_10_s": np.mean(times), "stated_s": stated})
    line = fit_line(N_PAIRS, [row["mean_of_10_s"] for row in pairs])
    a, b = rng.integers(0, len(points), (2, MILLION))
    millions = {
        kind: min(time_often(lambda k=kind: measure_pair_distances(points, a, b, kind=k), 1)
                  for _ in range(7))
        for kind in POWERS
    }  # fmt: skip
    scipy_s = min(time_often(lambda: cdist(points, points, "cityblock"), 1) for _ in range(7))
    extract(paths[0])
    song_s = min(time_often(lambda: [extract(path) for path in paths], 1) for _ in range(3))
    song_s /= len(paths)
    pair_s = millions["manhattan"] / MILLION
    return {
        "seconds_are": "processor time of one thread",
        "pairs": [{**row, "mean_of_10_s": round_figure(row["mean_of_10_s"])} for row in pairs],
        "line": {name: round_figure(value) for name, value in vars(line).items()},
        "million_ms": {kind: round_figure(1000 * value) for kind, value in millions.items()},
        "million_scipy_all_pairs_ms": round_figure(1000 * scipy_s),
        "song_s": round_figure(song_s),
        "catalogue": {
            name: round_figure(value) for name, value in vars(extrapolate(song_s, pair_s)).items()
        },
        "slides_line": {
            name: round_figure(value)
            for name, value in vars(fit_line(N_PAIRS, [row["stated_s"] for row in pairs])).items()
        },
    }


def time_often(function: Callable[[], Any], n: int = 1000) -> float:
    """Return the processor seconds of one of n calls."""
    function()
    begin = time.process_time()
    for _ in range(n):
        function()
    return (time.process_time() - begin) / n


def round_figure(value: float) -> float:
    """Round to three significant digits: no stopwatch here tells more."""
    return float(f"{value:.3g}")


def list_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON has them: what is missing or infinite is null."""
    rounded = table.round(4).replace([np.inf, -np.inf], np.nan).astype(object)
    return rounded.where(rounded.notna(), None).to_dict("records")
