"""Fit how likely a false match is: ``aares/identify/calibration.json``.

Unknown excerpts come from `sources.CALIBRATE` and, each with its own family left out of the answer,
from the indexed real tracks; sounds that are no music from `sounds.OTHER_KINDS`; known ones from
the indexed real tracks with seeds below 100. The ways that are cheap and decide in noise, `NEAR`,
are asked of three times as many. For each way to search

* `FEATURES` of the best candidate are weighed by logistic regression, known against unknown;
* the sum that one unknown excerpt in twenty exceeds is a function of `COVARIATES` of the excerpt
  (its length, level above noise, stationarity and ceiling, and their squares where they bend), by
  quantile regression, and of the size of the index;
* beyond it the tail is exponential, with a scale that is a function of the same.

Excerpts of one track are alike, so the sample carries less than its number says: ``floor`` is one
over the number of independent excerpts that would spread alike, and no probability is lower. What
is found is checked on `sources.CHOOSE`, where the threshold was chosen too.

References
----------
R. Koenker and G. Bassett, "Regression quantiles", Econometrica 46, 1978. S. Coles, "An Introduction
to Statistical Modeling of Extreme Values", 2001: sections 4.2 and 6 (tails that depend on
covariates).
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import QuantileRegressor

from aares.files import digest, write_atomic
from aares.identify.ranking import COVARIATES, FEATURES, describe, list_covariates
from aares.identify.search import WAYS
from aares.identify.traits import LEVELS_DB
from aares.scores import estimate_grouped_share
from benchmarks.identifying import catalogue, sources, trials
from benchmarks.identifying.unknown import choose_few
from workshop import config

N_UNKNOWN, N_INDEXED, N_KNOWN, N_SOUNDS = 4000, 1500, 1000, 440
CHUNK = 500
NEAR = ("quick", "thorough")  # cheap, and those that decide in noise: asked of many more
N_NEAR, N_NEAR_KNOWN = 1000, 800
NEAR_SEEDS = {"known": (61, 71, 81, 91), "outside": (60, 70, 80, 90), "inside": (73, 83, 93)}
SIZES = (60, 180)  # of smaller catalogues, which a part of the excerpts is asked in, too
MONOTONE = ("score", "stand_out", "lead_votes", "breadth")  # each is a feature times level, too
START = 0.95  # the tail begins at this quantile


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield the calibration's own figures, after it is written."""
    tables = gather()
    found = {way: fit_way(*(table[table["way"] == way] for table in tables)) for way in WAYS}
    size = int(tables[1]["n_recordings"].max().item())
    floor = max(one.pop("floor") for one in found.values())
    calibration = {"features": FEATURES, "covariates": COVARIATES, "n_recordings": size,
                   "floor": floor} | found  # fmt: skip
    path = config.ROOT / "aares" / "identify" / "calibration.json"
    write_atomic(path, json.dumps(calibration, indent=1) + "\n")
    about = {key: len(table) for key, table in zip(("known", "unknown"), tables, strict=True)}
    yield "calibration", {"n_indexed": size, "floor": floor, **about}


def gather() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables of known and of unknown excerpts, each kept."""
    tracks = catalogue.list_calibrating()
    real = sources.list_tracks("indexed")
    outside = sources.list_tracks("calibrate")
    groups = catalogue.group_families([*tracks, *outside])
    families: dict[str, set[str]] = {}
    for track in [*real, *outside]:
        group = groups[track.name]
        families[track.name] = {other.name for other in tracks if groups[other.name] == group}
    index = catalogue.build_index(tracks)
    known = [
        keep_table(f"known {k}", lambda k=k: trials.gather_known(
            index, real, CHUNK, 10 + 4 * k, [[way] for way in WAYS]))
        for k in range(N_KNOWN // CHUNK)
    ]  # fmt: skip
    known += [
        keep_table(f"known near {seed}", lambda seed=seed: trials.gather_known(
            index, real, N_NEAR_KNOWN, seed, [NEAR]))
        for seed in NEAR_SEEDS["known"]
    ]  # fmt: skip
    unknown = [
        keep_table(f"sounds {k}", lambda k=k: trials.gather_sounds(index, N_SOUNDS, k))
        for k in (41, 42)
    ]
    for name, asked, n, first in (("outside", outside, N_UNKNOWN, 100),
                                  ("inside", real, N_INDEXED, 200)):  # fmt: skip
        for k in range(first, first + n // CHUNK):
            unknown.append(keep_table(
                f"{name} {k}",
                lambda t=asked, k=k: trials.gather_unknown(index, t, CHUNK, k, families),
            ))  # fmt: skip
        for k in NEAR_SEEDS[name]:
            unknown.append(keep_table(
                f"{name} near {k}",
                lambda t=asked, k=k: trials.gather_unknown(
                    index, t, N_NEAR, k, families, NEAR),
            ))  # fmt: skip
    for size in SIZES:
        few = catalogue.build_index(choose_few(tracks, size))
        unknown.append(keep_table(
            f"size {size}",
            lambda few=few: trials.gather_unknown(few, outside, CHUNK, 50, families),
        ))  # fmt: skip
    table = pd.concat(unknown, ignore_index=True)
    related = [found in families.get(name, ()) for name, found in
               zip(table["track"], table["found"], strict=True)]  # fmt: skip
    return pd.concat(known, ignore_index=True), table[~np.array(related)]


def keep_table(name: str, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Return a table that was made by the same code, or make it."""
    file = catalogue.KEPT / f"trials-{name}-{CHUNK}-{digest_trials()}.csv"
    if not file.is_file():
        table = make()
        file.parent.mkdir(parents=True, exist_ok=True)
        stage = file.with_suffix(".part")
        table.to_csv(stage, index=False)
        stage.rename(file)
        print(name, len(table), flush=True)
    return pd.read_csv(file)


def digest_trials() -> str:
    """Tell what the tables depend on."""
    told = inspect.getsource(describe) + inspect.getsource(list_covariates)
    return digest((catalogue.digest_code(catalogue.SEARCH) + told).encode())


def fit_way(known: pd.DataFrame, unknown: pd.DataFrame) -> dict[str, Any]:
    """Fit one way to search; tables as of `trials`."""
    size = unknown["n_recordings"].max()
    whole = unknown[unknown["n_recordings"] == size]
    weights = weigh_features(known, whole)
    totals = unknown[list(FEATURES)].to_numpy() @ weights
    inputs = unknown[list(COVARIATES)].to_numpy(float)
    growth = np.log(unknown["n_recordings"].to_numpy(float) / size)
    start = QuantileRegressor(quantile=START, alpha=0.0, solver="highs")
    start.fit(np.column_stack([inputs, growth]), totals)
    begin = start.intercept_ + inputs @ start.coef_[:-1] + growth * start.coef_[-1]
    over = totals > begin
    scale = fit_scale(totals[over] - begin[over], inputs[over])
    trials_alike = count_independent(over, unknown["track"].to_numpy())
    return {
        "weights": [round(float(w), 5) for w in weights],
        "start": [round(float(c), 5) for c in (start.intercept_, *start.coef_[:-1])],
        "growth": round(float(start.coef_[-1]), 5),
        "scale": [round(float(c), 5) for c in scale],
        "rate": round(1 - START, 5),
        "floor": float(f"{1 / trials_alike:.3g}"),
        "n_known": len(known),
        "n_unknown": len(unknown),
        "n_independent": int(trials_alike),
    }


def weigh_features(known: pd.DataFrame, unknown: pd.DataFrame) -> np.ndarray:
    """Weigh the features by logistic regression, in which both kinds count alike.

    More evidence never tells against a candidate: no feature of `MONOTONE` weighs less than nothing
    at either end of the levels, nor, as the weight is linear in the level, between them. Weights
    are held back as a normal prior of spread 1 for each spread of a feature would.
    """
    both = pd.concat([known, unknown])
    turn = turn_to_ends()
    features = both[list(FEATURES)].to_numpy(float) @ turn
    right = np.repeat([1.0, 0.0], [len(known), len(unknown)])
    count = np.where(right, len(both) / (2 * len(known)), len(both) / (2 * len(unknown)))
    scale = features.std(axis=0)
    design = np.column_stack([features / scale, np.ones(len(both))])

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        total = design @ w
        slope = count * (expit(total) - right)
        value = np.sum(count * (np.logaddexp(0, total) - right * total)) + np.sum(w[:-1] ** 2) / 2
        return float(value), slope @ design + np.append(w[:-1], 0.0)

    ends = {*MONOTONE, *(f"{name}_level" for name in MONOTONE)}
    bounds = [(0.0 if name in ends else None, None) for name in (*FEATURES, "intercept")]
    first = np.zeros(design.shape[1])
    found = minimize(loss, first, jac=True, bounds=bounds, method="L-BFGS-B",
                     options={"maxiter": 5000, "maxfun": 20_000})  # fmt: skip
    return turn @ (found.x[:-1] / scale)


def turn_to_ends() -> np.ndarray:
    """Return what turns a feature and its product with the level into its parts at both ends."""
    low, high = np.array(LEVELS_DB) / 10
    turn = np.eye(len(FEATURES))
    for name in MONOTONE:
        pair = [FEATURES.index(name), FEATURES.index(f"{name}_level")]
        turn[np.ix_(pair, pair)] = np.array([[high, -low], [-1, 1]]) / (high - low)
    return turn


def fit_scale(excess: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """Fit the logarithm of the exponential tail's scale: an intercept, and one for each input.

    Slopes are held back as a normal prior of spread 0.3 for each spread of an input would.
    """
    middle, spread = inputs.mean(axis=0), inputs.std(axis=0)
    design = np.column_stack([np.ones(len(inputs)), (inputs - middle) / spread])

    def loss(b: np.ndarray) -> float:
        log_scale = design @ b
        return float(np.sum(log_scale + excess * np.exp(-log_scale)) + np.sum(b[1:] ** 2) / 0.18)

    first = np.zeros(design.shape[1])
    first[0] = np.log(excess.mean())
    b = minimize(loss, first, method="BFGS").x
    slopes = b[1:] / spread
    return np.array([b[0] - slopes @ middle, *slopes])


def count_independent(over: np.ndarray, tracks: np.ndarray) -> float:
    """Return how many independent excerpts would spread as those of so many tracks do."""
    share, low, high = estimate_grouped_share(over, tracks)
    half = (high - low) / 2
    return min(share * (1 - share) * (1.96 / half) ** 2, len(over))
