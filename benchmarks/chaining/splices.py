"""Is a join heard? Splices of songs that the model has not seen, and controls that must fail.

The albums of free music (``tools/fetch_music.py``), one song of each group of copies. A song is cut
at random places; B starts 0.5 or 2 s after the cut, or is another start from the same range: of a
song of another album, of another song of the album, of the same song 20 s or more away
(:mod:`aares.chaining.pairs`). Three drawings of eight places a song, both gaps together; four folds
of songs, probabilities calibrated within what a fold learns from. Areas under the curve are means
over the drawings, with intervals by bootstrap over songs; `control` are pairs whose "true" B is a
random place; `equalised` has every piece at one level and nothing above 5 kHz; `demo` says what a
model learnt from the project's own renderings would be worth.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from aares.chaining.edges import equalise
from aares.chaining.join_model import (
    JoinModel,
    fit_join_model,
    load_join_model,
    measure_calibration,
    write_join_model,
)  # fmt: skip
from aares.chaining.joins import name_features
from aares.chaining.pairs import KINDS, draw_splices
from chaining.pieces import load_demo, load_songs, measure_pairs
from workshop import config

GAPS_S = (0.5, 2.0)
SEEDS = (0, 1, 2)
N_PLACES = 8
N_DRAWS = 300
PLAIN = "mel distance 0.25"
KEPT = config.CACHE / "joins"
LEARNT_FROM = "splices of songs of seven albums of free game music (Debian's packages)"


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield what is measured; for tuning, on other drawings."""
    seeds = tuple(seed + 100 * tuning for seed in SEEDS)
    songs = load_songs()
    pairs, X = draw_pool(songs, seeds, kept="tuning" if tuning else "pool")
    likely = predict_unseen(pairs, X, keep=not tuning)
    yield "data", {"songs": len(songs), "cut": int(pairs["a"].nunique()), "folds": 4,
                   "albums": int(songs["album"].nunique()), "drawings": len(seeds)}  # fmt: skip
    for gap_s in GAPS_S:
        at = (pairs["gap_s"] == gap_s).to_numpy()
        yield f"gap {gap_s:g} s", describe_gap(pairs[at], X[at], likely[at])
    yield "control", measure_control(songs, seeds)
    yield "equalised", measure_equalised(songs, pairs, X, seeds[0])
    if not tuning:
        yield "demo", compare_demo(pairs, X)


def draw_pool(
    songs: pd.DataFrame, seeds: tuple[int, ...] = SEEDS, *, kept: str = "pool"
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the pairs of all drawings and gaps, and their joins; measured once."""
    path = KEPT / f"{kept}.pkl"
    if path.is_file():
        pairs = pd.read_pickle(path)
        return pairs, np.load(path.with_suffix(".npy"))
    parts = [measure_drawing(songs, seed) for seed in seeds]
    pairs = pd.concat([part for part, _ in parts], ignore_index=True)
    X = np.vstack([joins for _, joins in parts])
    KEPT.mkdir(parents=True, exist_ok=True)
    np.save(path.with_suffix(".npy"), X)
    pairs.to_pickle(path)
    return pairs, X


def measure_drawing(
    songs: pd.DataFrame, seed: int, gaps_s: tuple[float, ...] = GAPS_S, **options: Any
) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw pairs at each gap, with the same starts of B, and measure their joins."""
    change = options.pop("change", np.asarray)
    draw = {"n_places": N_PLACES, "random_state": seed, **options}
    tables = [(gap_s, draw_splices(songs, gap_s=gap_s, **draw)) for gap_s in gaps_s]
    pairs, X = measure_pairs(songs, tables, change)
    return pairs.assign(drawing=seed), X


def predict_unseen(pairs: pd.DataFrame, X: np.ndarray, *, keep: bool = False) -> np.ndarray:
    """Return how likely each pair is to a model that knows neither of its songs."""
    likely = np.empty(len(pairs))
    for fold in sorted(pairs["fold"].unique()):
        test = (pairs["fold"] == fold).to_numpy()
        model = learn(pairs[~test], X[~test])
        likely[test] = model.predict_proba(X[test])
        if keep:
            write_join_model(model, KEPT / f"without-fold-{fold}.json.gz")
    return likely


def learn(pairs: pd.DataFrame, X: np.ndarray) -> JoinModel:
    """Learn a model from pairs and their joins."""
    return fit_join_model(X, pairs["label"], pairs["fold"], learnt_from=LEARNT_FROM)


def describe_gap(pairs: pd.DataFrame, X: np.ndarray, likely: np.ndarray) -> dict[str, Any]:
    """Return all figures of one gap."""
    plain = -X[:, name_features().index(PLAIN)]
    error, curve = measure_calibration(likely, pairs["label"])
    found: dict[str, Any] = {"pairs": len(pairs), "true": int(pairs["label"].sum())}
    for kind in KINDS:
        found[kind] = {
            **estimate_area(pairs, likely, kind),
            "plain": round(mean_area(pairs, plain, kind), 4),
        }
    return {**found, "calibration_error": round(error, 4),
            "reliability": [[round(float(x), 4) for x in row] for row in curve]}  # fmt: skip


def is_kind(pairs: pd.DataFrame, kind: str) -> np.ndarray:
    """Tell which pairs are true, or false ones of a kind."""
    return pairs["source"].isin(["splice", kind]).to_numpy()


def mean_area(
    pairs: pd.DataFrame, score: np.ndarray, kind: str, weights: np.ndarray | None = None
) -> float:
    """Return the area under the curve against a kind of false pairs, mean over the drawings."""
    rows, areas = is_kind(pairs, kind), []
    for drawing in pairs["drawing"].unique():
        at = rows & (pairs["drawing"] == drawing).to_numpy()
        weight = None if weights is None else weights[at]
        areas.append(roc_auc_score(pairs["label"][at], score[at], sample_weight=weight))
    return float(np.mean(areas))


def estimate_area(pairs: pd.DataFrame, score: np.ndarray, kind: str) -> dict[str, Any]:
    """Return the area, its interval over songs, and that of each drawing."""
    rows = is_kind(pairs, kind)
    pairs, score = pairs[rows].reset_index(drop=True), score[rows]
    codes, songs = pd.factorize(pairs["group_song"])
    rng = np.random.default_rng(0)
    draws = rng.multinomial(len(songs), np.full(len(songs), 1 / len(songs)), size=N_DRAWS)
    areas = [mean_area(pairs, score, kind, draw[codes]) for draw in draws]
    each = [mean_area(part, score[part.index], kind) for _, part in pairs.groupby("drawing")]
    low, high = np.quantile(areas, [0.025, 0.975])
    return {"auc": round(float(np.mean(each)), 4), "low": round(float(low), 4),
            "high": round(float(high), 4), "each": [round(x, 4) for x in each]}  # fmt: skip


def measure_control(songs: pd.DataFrame, seeds: tuple[int, ...]) -> dict[str, Any]:
    """Return what the same way of learning finds where there is nothing to be found."""
    parts = [measure_drawing(songs, seed, GAPS_S[:1], control=True) for seed in seeds[:2]]
    pairs = pd.concat([part for part, _ in parts], ignore_index=True)
    likely = predict_unseen(pairs, np.vstack([joins for _, joins in parts]))
    return {"pairs": len(pairs), **{kind: estimate_area(pairs, likely, kind) for kind in KINDS}}


def measure_equalised(
    songs: pd.DataFrame, pairs: pd.DataFrame, X: np.ndarray, seed: int
) -> dict[str, Any]:
    """Return what is left of one drawing without level and bandwidth, and what it was with them."""
    at = ((pairs["drawing"] == seed) & (pairs["gap_s"] == GAPS_S[0])).to_numpy()
    known = pairs[at].reset_index(drop=True)
    equal, joins = measure_drawing(songs, seed, GAPS_S[:1], change=equalise)
    plain, without = predict_unseen(known, X[at]), predict_unseen(equal, joins)
    return {
        kind: {"as it is": round(mean_area(known, plain, kind), 4),
               **estimate_area(equal, without, kind)}
        for kind in KINDS
    }  # fmt: skip


def compare_demo(pairs: pd.DataFrame, X: np.ndarray) -> dict[str, Any]:
    """Compare models learnt from the renderings and from the albums, each on the other's songs."""
    songs = load_demo()
    parts = [measure_drawing(songs, seed) for seed in SEEDS]
    own = pd.concat([part for part, _ in parts], ignore_index=True)
    own_joins = np.vstack([joins for _, joins in parts])
    albums = pairs.assign(likely=learn(own, own_joins).predict_proba(X))
    shipped = own.assign(likely=load_join_model().predict_proba(own_joins))
    found: dict[str, Any] = {"renderings": int(own["a"].nunique())}
    for name, table in {"renderings on albums": albums, "albums on renderings": shipped}.items():
        near = table[table["gap_s"] == GAPS_S[0]].reset_index(drop=True)
        error, _ = measure_calibration(near["likely"], near["label"])
        found[name] = {
            kind: round(mean_area(near, near["likely"].to_numpy(), kind), 4)
            for kind in KINDS if (near["source"] == kind).any()
        } | {"calibration_error": round(error, 4)}  # fmt: skip
    return found
