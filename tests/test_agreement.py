"""Coefficients of agreement against other people's code, and raters whose habits are known."""

from __future__ import annotations

import krippendorff
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from aares.chaining.agreement import (
    compare_raters,
    describe_raters,
    estimate_alpha,
    measure_alpha,
    measure_ceiling,
    measure_cohen,
    measure_fleiss,
)
from aares.chaining.simulated import lay_out_errors, simulate_raters

N_TABLES = 200


def draw_table(seed: int, *, gaps: bool = True) -> np.ndarray:
    """Return 3-40 pairs by 2-6 raters, who follow each other more or less, with gaps."""
    rng = np.random.default_rng(seed)
    n_pairs, n_raters = int(rng.integers(3, 41)), int(rng.integers(2, 7))
    common = rng.integers(0, 3, n_pairs)
    own = rng.integers(0, 3, (n_pairs, n_raters))
    table = np.where(rng.random(own.shape) < rng.random(), common[:, None], own).astype(float)
    table[0, :2], table[1, :2] = (0, 2), (2, 2)  # two answers at least
    if gaps:
        away = rng.random(table.shape) < rng.uniform(0, 0.6)
        away[:2, :2] = False
        table[away] = np.nan
    return table


@pytest.mark.parametrize("level", ["nominal", "ordinal"])
def test_alpha_equals_the_reference_on_tables_with_gaps(level):
    for seed in range(N_TABLES):
        table = draw_table(seed)
        expected = krippendorff.alpha(reliability_data=table.T, level_of_measurement=level)
        assert abs(measure_alpha(table, level) - expected) <= 1e-9, seed


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
def test_cohen_equals_the_reference_on_tables_with_gaps(weights):
    compared = 0
    for seed in range(N_TABLES):
        table = draw_table(seed)
        both = table[~np.isnan(table[:, :2]).any(axis=1), :2]
        if len(both) and (len(np.unique(both)) > 1):
            expected = cohen_kappa_score(*both.T.astype(int), weights=weights)
            assert abs(measure_cohen(table[:, 0], table[:, 1], weights) - expected) <= 1e-9, seed
            compared += 1
    assert compared == N_TABLES


def test_fleiss_stands_in_its_relation_to_nominal_alpha():
    for seed in range(N_TABLES):
        table = draw_table(seed, gaps=False)
        kappa = measure_fleiss(table)
        alpha = krippendorff.alpha(reliability_data=table.T, level_of_measurement="nominal")
        assert abs(kappa + (1 - kappa) / table.size - alpha) <= 1e-9, seed


def test_fleiss_of_the_article():
    # Fleiss 1971, table 1: 30 patients, 5 categories, 6 psychiatrists; the first three rows' form.
    counts = [[6, 0, 0], [0, 6, 0], [0, 3, 3], [2, 2, 2]]
    table = [np.repeat([0, 1, 2], row) for row in counts]
    share = np.sum(counts, axis=0) / 24
    agreed = np.mean([1, 1, 12 / 30, 6 / 30])
    expected = (agreed - (share**2).sum()) / (1 - (share**2).sum())
    assert measure_fleiss(table) == pytest.approx(expected, abs=1e-12)


def test_fleiss_refuses_gaps():
    with pytest.raises(ValueError, match="measure_alpha takes gaps"):
        measure_fleiss([[0, 2, np.nan], [2, 2, 2]])


def test_order_counts_in_ordinal_alpha_only():
    near = [[0, 1]] * 5 + [[2, 2]] * 5 + [[0, 0]] * 5
    far = [[0, 2]] * 5 + [[2, 2]] * 5 + [[1, 1]] * 5
    assert measure_alpha(near, "ordinal") > measure_alpha(far, "ordinal") + 0.2


def test_where_there_is_nothing_to_compare():
    assert np.isnan(measure_alpha([[0, np.nan], [np.nan, 2]]))
    assert np.isnan(measure_alpha([[2, 2], [2, 2]]))
    assert np.isnan(measure_cohen([0, np.nan], [np.nan, 2]))
    assert np.isnan(measure_fleiss([[2, 2], [2, 2]]))
    assert np.isnan(estimate_alpha([[2, 2], [2, 2]])).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: measure_alpha([0, 1]), "shape"),
        (lambda: measure_alpha([[0, 1]], "interval"), "interval"),
        (lambda: measure_cohen([0, 1], [0]), r"\(2,\) and \(1,\)"),
        (lambda: measure_cohen([0, 1], [0, 1], "cubic"), "cubic"),
        (lambda: measure_ceiling(pd.DataFrame([[0.0, 2.0]]), [0.5, 0.5]), "1 scores"),
        (lambda: measure_ceiling(pd.DataFrame([[0.0]]), [0.5]), "two raters"),
    ],
)
def test_what_does_not_fit_is_told(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_the_interval_of_alpha_covers():
    # Alpha of all pairs such raters could be asked, and how often an interval of 60 holds it.
    errors = lay_out_errors([0.1, 0.1, 0.2], 0.1)
    true = measure_alpha(simulate_raters(100_000, errors).answers)
    intervals = [
        estimate_alpha(simulate_raters(60, errors, random_state=seed).answers, n_draws=400)
        for seed in range(1, 101)
    ]
    held = np.mean([low <= true <= high for _, low, high in intervals])
    assert 0.88 <= held <= 1.0
    assert np.mean([high - low for _, low, high in intervals]) < 0.45
    assert estimate_alpha(draw_table(3)) == estimate_alpha(draw_table(3))


def test_raters_two_by_two():
    table = pd.DataFrame(
        {"x": [0, 2, 2, np.nan], "y": [0, 2, np.nan, 0], "z": [np.nan, np.nan, np.nan, 1.0]}
    )
    found = compare_raters(table).set_index(["first", "second"])
    assert found.loc[("x", "y"), ["pairs", "same", "kappa"]].tolist() == [2, 1, 1]
    assert found.loc[("x", "z"), "pairs"] == 0
    assert np.isnan(found.loc[("x", "z"), "same"])


def make_labels(rows) -> pd.DataFrame:
    columns = ["rater", "a", "b", "kind", "presentation", "answer", "undone", "expected"]
    return pd.DataFrame(rows, columns=columns)


def test_what_is_told_of_each_rater():
    labels = make_labels([
        ("x", "s", "t", "fresh", "plain", "yes", False, ""),
        ("x", "t", "s", "fresh", "mirrored", "no", False, ""),
        ("x", "s", "u", "fresh", "plain", "no", True, ""),
        ("x", "s", "t", "repeat", "mirrored", "yes", False, ""),
        ("x", "t", "s", "repeat", "plain", "yes", False, ""),
        ("x", "c", "c", "check", "plain", "unsure", False, "yes"),
        ("x", "d", "e", "check", "plain", "no", False, "no"),
        ("y", "s", "t", "coverage", "plain", "no", False, ""),
    ])  # fmt: skip
    found = describe_raters(labels)
    x, y = found.loc["x"], found.loc["y"]
    assert x[["answers", "repeats", "same", "checks", "failed"]].tolist() == [2, 2, 0.5, 2, 1]
    assert x["low"] < 0.5 < x["high"]
    assert x["kappa"] == 0
    assert x[["yes_plain", "yes_mirrored"]].tolist() == [1, 0]
    without = describe_raters(labels.drop(columns="expected"))
    assert without["checks"].tolist() == without["failed"].tolist() == [0, 0]
    assert y[["answers", "repeats", "checks"]].tolist() == [1, 0, 0]
    assert np.isnan(y[["same", "kappa", "yes_mirrored"]].astype(float)).all()


def test_people_are_the_ceiling_of_a_model():
    study = simulate_raters(400, lay_out_errors([0.2] * 4), random_state=3)
    table = pd.DataFrame(study.answers)
    perfect = measure_ceiling(table, study.truth.astype(float), n_draws=30)
    right = 0.8**4 + 4 * 0.8**3 * 0.2 + 6 * 0.8**2 * 0.2**2 / 2  # of four, ties by luck
    assert abs(perfect.loc["model, consensus", "value"] - right) < 0.03
    # Nobody, not even the truth, foretells a rater who errs one time in five better than this:
    assert abs(perfect.loc["model, a rater", "value"] - 0.8) < 0.03
    assert abs(perfect.loc["the others, a rater", "value"] - 0.8) < 0.05
    assert ((perfect["low"] < perfect["value"]) & (perfect["value"] < perfect["high"])).all()
    guess = measure_ceiling(table, np.random.default_rng(0).random(400), n_draws=5)
    assert abs(guess.loc["model, consensus", "value"] - 0.5) < 0.08


def test_areas_equal_the_reference():
    study = simulate_raters(60, lay_out_errors([0.1, 0.3], 0.2), random_state=1)
    scores = np.random.default_rng(1).random(60)
    found = measure_ceiling(pd.DataFrame(study.answers), scores, n_draws=20)
    sides = [study.answers[:, k] != 1 for k in range(2)]
    areas = [roc_auc_score(study.answers[s, k] == 2, scores[s]) for k, s in enumerate(sides)]
    assert found.loc["model, a rater", "value"] == pytest.approx(np.mean(areas), abs=1e-12)


def test_a_pair_of_one_answer_is_no_ceiling():
    answers = simulate_raters(100, lay_out_errors([0.1, 0.1]), random_state=2).answers
    lone = np.vstack([answers, [[2, np.nan]] * 50, [[0, np.nan]] * 50])
    scores = np.random.default_rng(0).random(200)
    rows = ["model, a rater", "the others, a rater"]
    alone = measure_ceiling(pd.DataFrame(answers), scores[:100], n_draws=5)["value"]
    beside = measure_ceiling(pd.DataFrame(lone), scores, n_draws=5)["value"]
    assert beside[rows].tolist() == pytest.approx(alone[rows].tolist(), abs=0.02)


def test_words_are_no_numbers():
    words = pd.DataFrame({"x": ["yes", "no"], "y": ["no", None]})
    for asked in (lambda: measure_alpha(words), lambda: measure_cohen(words["x"], words["y"])):
        with pytest.raises(ValueError, match=r"answers: expected numbers.*tabulate_answers"):
            asked()
