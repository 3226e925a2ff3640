"""What labels from ears would need: which pairs to ask, how many, and of how many raters.

Nobody has rated yet. *choice*: splices of the albums (:mod:`chaining.splices`, 0.5 s) stand in for
labels, because their answer is known: true ones, and false ones of one kind. One rater who never
errs is asked 600 pairs of the songs of three folds, once by
:func:`aares.chaining.choice.choose_next` and once at random; what is learnt, anew every twenty
labels by :func:`aares.chaining.labels.update_probabilities`, is judged on the songs of the fourth.
Twelve seeds: each fold in each of three drawings. What was tried on a drawing of its own
(``--tuning``) and taught no more: regions beside songs; the least heard of the twenty least sure
instead of the least sure; asking among all kinds of false pairs at once, where the least sure ones
are other places of a song and teach nothing about other songs. The forest that learns was chosen on
the first of the three drawings that are reported.

All else is of *simulated* raters (:mod:`aares.chaining.simulated`): *learning*, what raters who err
add to a model that knows the project's renderings only; *sizes*, how far alpha may be off with so
many pairs and raters; *consensus*, Dawid and Skene against the majority, and how often a careless
rater of four is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from aares.chaining.choice import choose_next
from aares.chaining.consensus import fit_dawid_skene, vote
from aares.chaining.labels import update_probabilities
from aares.chaining.pairs import KINDS
from aares.chaining.simulated import lay_out_errors, simulate_raters, simulate_sample_sizes
from chaining.pieces import load_demo, load_songs
from chaining.splices import SEEDS, draw_pool, is_kind, learn, measure_drawing
from workshop import config

GAP_S = 0.5
N_SEEDS = 12
N_LABELS = 600
STEP = {"chosen": 20, "random": 60}
POOLS = {"same album": KINDS[1:2], "other place": KINDS[2:]}
"""What may be asked: true splices, and false ones of some kinds."""
COLUMNS = ["rater", "row", "presentation", "answer"]


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield what is measured; for tuning, on another drawing."""
    for pool, kinds in POOLS.items():
        curves = pd.concat(trace_choices(pool, tuning=tuning), ignore_index=True)
        yield f"choice, {pool}", describe_choice(curves, kinds)
    if not tuning:
        yield "sizes", measure_sizes()
        yield "consensus", compare_consensus()
        yield "learning", trace_learning(*draw_pool(load_songs()))


def trace_choices(pool: str, *, tuning: bool = False) -> Iterator[pd.DataFrame]:
    """Yield for each seed the areas on unseen songs after so many labels, both ways; kept."""
    pairs, X = draw_pool(load_songs(), (100,) if tuning else SEEDS,
                         kept="ears-tuning" if tuning else "pool")  # fmt: skip
    drawings = sorted(pairs["drawing"].unique())
    for seed in range(4 if tuning else N_SEEDS):
        drawing = drawings[seed // 4 % len(drawings)]
        at = (pairs["gap_s"] == GAP_S) & (pairs["drawing"] == drawing)
        at = (at & pairs["source"].isin(["splice", *POOLS[pool]])).to_numpy()
        part, joins = pairs[at].reset_index(drop=True), X[at]
        unseen = (part["fold"] == seed % 4).to_numpy()
        for way in ("chosen", "random"):
            name = f"{'tuning-' * tuning}{pool.replace(' ', '-')}-{way}-{seed}.csv"
            kept = config.CACHE / "ears" / name
            if not kept.is_file():
                kept.parent.mkdir(parents=True, exist_ok=True)
                curve = trace_choice(part, joins, unseen, way, seed)
                curve.assign(way=way, seed=seed).to_csv(kept, index=False)
            curve = pd.read_csv(kept)
            yield curve[curve["labels"] % STEP[way] == 0]


def trace_choice(
    pairs: pd.DataFrame, X: np.ndarray, unseen: np.ndarray, way: str, seed: int
) -> pd.DataFrame:
    """Return the areas on unseen songs after every few labels."""
    asked = pairs[["a", "b"]].assign(kind="question")
    truth = np.where(pairs["label"] == 1, "yes", "no")
    rng, held = np.random.default_rng(seed), set(np.flatnonzero(unseen).tolist())
    order = rng.permutation(np.flatnonzero(~unseen))
    rows: list[tuple[str, int, str, str]] = []
    done: dict[int, None] = {}
    p, curve = None, []
    while len(done) < N_LABELS:
        answers = pd.DataFrame(rows, columns=COLUMNS)
        row, side = int(order[len(done)]), "plain"
        if way == "chosen":
            choice = choose_next(asked, answers, "me", probabilities=p, held=held, rng=rng)
            assert choice is not None, "more pairs than are asked"
            row, side = choice.row, choice.presentation
        rows.append(("me", row, side, str(truth[row])))
        if row not in done:  # a repeat is no label
            done[row] = None
            if len(done) % STEP[way] == 0:
                p = update_probabilities(asked, pd.DataFrame(rows, columns=COLUMNS), X)
                score = np.full(len(pairs), 0.5) if p is None else p
                curve.append({"labels": len(done), "answers": len(rows),
                              **measure_areas(pairs, score, unseen)})  # fmt: skip
    return pd.DataFrame(curve)


def measure_areas(pairs: pd.DataFrame, score: np.ndarray, rows: np.ndarray) -> dict[str, float]:
    """Return the area against each kind of false pairs among some rows."""
    areas = {}
    for kind in KINDS:
        at = rows & is_kind(pairs, kind)
        if (pairs["source"][at] == kind).any():
            areas[kind] = float(roc_auc_score(pairs["label"][at], score[at]))
    return areas


def describe_choice(curves: pd.DataFrame, kinds: tuple[str, ...]) -> dict[str, Any]:
    """Return mean curves of both ways, and how many labels one saves."""
    found: dict[str, Any] = {
        "seeds": int(curves["seed"].nunique()),
        "answers": int(curves.loc[curves["way"] == "chosen", "answers"].max()),
    }
    for kind in kinds:
        chosen, random = (
            curves[curves["way"] == way].pivot_table(kind, "labels", "seed") for way in STEP
        )
        goal = random.iloc[-1]
        gain = (chosen - random).mean(axis=1).dropna()
        enough = chosen.index[chosen.mean(axis=1) >= goal.mean()]
        each = [chosen.index[chosen[seed] >= goal[seed]] for seed in chosen]
        found[kind] = {
            "random_at_last": round(float(goal.mean()), 4),
            "chosen_at_half": round(float(chosen.loc[N_LABELS // 2].mean()), 4),
            "chosen_at_last": round(float(chosen.iloc[-1].mean()), 4),
            "labels_enough": int(enough[0]) if len(enough) else None,
            "seeds_with_half": int(sum(len(at) > 0 and at[0] <= N_LABELS // 2 for at in each)),
            "least_gain": round(float(gain.min()), 4),
            "least_gain_at": int(gain.idxmin()),
            "chosen": summarise(chosen),
            "random": summarise(random),
        }
    return found


def summarise(table: pd.DataFrame) -> dict[str, list[float]]:
    """Return the mean over the seeds, and the lowest and highest of them, by number of labels."""
    parts = {"value": table.mean(axis=1), "low": table.min(axis=1), "high": table.max(axis=1)}
    return {"labels": table.index.tolist(), **{k: v.round(4).tolist() for k, v in parts.items()}}


# --- simulated raters -----------------------------------------------------------------------

ERRING = 0.1
FEW = (60, 240)  # pairs, each of two of four simulated raters


def trace_learning(pairs: pd.DataFrame, X: np.ndarray) -> dict[str, Any]:
    """Return what simulated raters add to a model that knows the project's renderings only."""
    own, joins = measure_renderings()
    proxies = learn(own, joins)
    near = ((pairs["gap_s"] == GAP_S) & (pairs["drawing"] == pairs["drawing"].iloc[0])).to_numpy()
    part, X = pairs[near].reset_index(drop=True), X[near]
    asked, likely = part[["a", "b"]].assign(kind="question"), proxies.predict_proba(X)
    rows = []
    for seed in range(N_SEEDS):
        unseen = (part["fold"] == seed % 4).to_numpy()
        rows.append(
            {"seed": seed, "labels": 0, "model": "proxies", **measure_areas(part, likely, unseen)}
        )
        order = np.random.default_rng(seed).permutation(np.flatnonzero(~unseen))
        for n in FEW:
            answers = answer_pairs(part["label"].to_numpy(), order[:n], seed)
            for model, known in (("people", None), ("both", proxies)):
                p = update_probabilities(asked, answers, X, proxies=known)
                assert p is not None, "enough labels of either kind"
                rows.append(
                    {"seed": seed, "labels": n, "model": model, **measure_areas(part, p, unseen)}
                )
    table = pd.DataFrame(rows).groupby(["labels", "model"])[list(KINDS)]
    mean, low, high = table.mean(), table.min(), table.max()
    return {
        "seeds": N_SEEDS, "wrong": ERRING, "raters": 4, "raters_per_pair": 2,
        "rows": [
            {"labels": int(labels), "model": model,
             **{kind: [round(float(of.loc[(labels, model), kind]), 4) for of in (mean, low, high)]
                for kind in KINDS}}
            for labels, model in mean.index
        ],
    }  # fmt: skip


def measure_renderings() -> tuple[pd.DataFrame, np.ndarray]:
    """Return splices of the project's renderings and their joins, measured once."""
    path = config.CACHE / "ears" / "renderings.pkl"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        pairs, X = measure_drawing(load_demo(), 0, (GAP_S,))
        np.save(path.with_suffix(".npy"), X)
        pairs.to_pickle(path)
    return pd.read_pickle(path), np.load(path.with_suffix(".npy"))


def answer_pairs(label: np.ndarray, rows: np.ndarray, seed: int) -> pd.DataFrame:
    """Let four simulated raters answer pairs, two of them each."""
    errors = lay_out_errors([ERRING] * 4)
    study = simulate_raters(len(rows), errors, raters_per_pair=2, random_state=seed)
    wrong = study.answers != 2 * study.truth[:, None]
    said = np.where(wrong, 1 - label[rows, None], label[rows, None])
    pair, rater = np.nonzero(~np.isnan(study.answers))
    words = np.where(said[pair, rater] == 1, "yes", "no")
    return pd.DataFrame({"rater": rater.astype(str), "row": rows[pair], "answer": words})


SIZES = (25, 50, 100, 150, 200, 300, 400, 600)
RATERS = (2, 3, 4, 6, 8)
WANTED = 0.1
N_STUDIES_OF_A_SIZE = 300
STUDIES = {"careful": (0.1, 0.1), "middling": (0.2, 0.1)}  # wrong, unsure


def measure_sizes() -> dict[str, Any]:
    """Return how far alpha may be off, and the least that is enough."""
    found: dict[str, Any] = {"wanted": WANTED, "studies": N_STUDIES_OF_A_SIZE}
    for name, (wrong, unsure) in STUDIES.items():
        table = simulate_sample_sizes(
            SIZES, RATERS, wrong=wrong, unsure=unsure, n_draws=N_STUDIES_OF_A_SIZE
        )
        good = table[table["half_width"] <= WANTED].groupby("raters")["pairs"].min()
        found[name] = {
            "wrong": wrong, "unsure": unsure,
            "enough": {str(raters): int(n) for raters, n in good.items()},
            "rows": table.round(4).to_dict("records"),
        }  # fmt: skip
    return found


CONSENSUS = {
    "one careless of four": ([0.1, 0.1, 0.1, 0.5], None),
    "two careless of four": ([0.1, 0.1, 0.5, 0.5], None),
    "none careless of four": ([0.15, 0.15, 0.15, 0.15], None),
    "two careless of eight, two a pair": ([0.1] * 6 + [0.5] * 2, 2),
}
N_STUDIES = 100


def compare_consensus() -> dict[str, Any]:
    """Compare Dawid and Skene with the majority, and count how often the careless are found."""
    rows = []
    for name, (wrong, per_pair) in CONSENSUS.items():
        for n in (40, 60, 150, 300):
            studies = [
                simulate_raters(n, lay_out_errors(wrong), raters_per_pair=per_pair, random_state=k)
                for k in range(N_STUDIES)
            ]
            found = [(study, fit_dawid_skene(study.answers)) for study in studies]
            gains = [count_right(fit.probability, s.truth) - count_right(vote(s.answers), s.truth)
                     for s, fit in found]  # fmt: skip
            rows.append({
                "raters": name, "pairs": n,
                "majority": np.mean([count_right(vote(s.answers), s.truth) for s in studies]),
                "dawid_skene": np.mean([count_right(f.probability, s.truth) for s, f in found]),
                "better": np.mean(np.array(gains) > 0), "worse": np.mean(np.array(gains) < 0),
                "found": np.mean([is_found(fit.errors, np.array(wrong)) for _, fit in found]),
                "error": np.mean([np.abs(fit.errors - s.errors).mean() for s, fit in found]),
                "largest_error": np.quantile(
                    [np.abs(fit.errors - s.errors).max() for s, fit in found], 0.95),
            })  # fmt: skip
    table = pd.DataFrame(rows).round(4).astype(object)
    return {"studies": N_STUDIES, "rows": table.where(table.notna(), None).to_dict("records")}


def count_right(p: np.ndarray, truth: np.ndarray) -> float:
    """Return the share of pairs that a probability calls right, ties by luck."""
    return float(np.where(p == 0.5, 0.5, (p > 0.5) == (truth == 1)).mean())


def is_found(errors: np.ndarray, wrong: np.ndarray) -> float:
    """Tell whether those who guess are those said to err most; NaN where nobody does."""
    careless = np.flatnonzero(wrong == 0.5)
    if not len(careless):
        return float("nan")
    worst = np.argsort(-(errors[:, 0, 2] + errors[:, 1, 0]), kind="stable")[: len(careless)]
    return float(set(worst.tolist()) == set(careless.tolist()))
