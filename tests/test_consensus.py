"""Dawid and Skene's way on simulated raters whose error rates are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aares.chaining.consensus import check_answers, fit_dawid_skene, vote
from aares.chaining.simulated import (
    lay_out_errors,
    simulate_raters,
    simulate_sample_sizes,
    simulate_session,
)

SEEDS = range(10)
UNEVEN = np.array([
    [[0.90, 0.05, 0.05], [0.05, 0.05, 0.90]],
    [[0.70, 0.10, 0.20], [0.10, 0.00, 0.90]],  # says yes too often
    [[0.85, 0.10, 0.05], [0.30, 0.20, 0.50]],  # says no too often
    [[0.60, 0.20, 0.20], [0.20, 0.20, 0.60]],
])  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_error_rates_of_simulated_raters_are_recovered(seed):
    study = simulate_raters(3000, UNEVEN, share=0.4, random_state=seed)
    found = fit_dawid_skene(study.answers)
    assert np.abs(found.errors - UNEVEN).mean() <= 0.02
    assert np.abs(found.errors - UNEVEN).max() <= 0.05
    assert abs(found.share - study.truth.mean()) <= 0.04


def test_one_careless_rater_of_four_is_found():
    errors = lay_out_errors([0.1, 0.1, 0.1, 0.5])
    found = 0
    for seed in range(20):
        study = simulate_raters(60, errors, random_state=seed)
        wrong = [(each[0, 2] + each[1, 0]) / 2 for each in fit_dawid_skene(study.answers).errors]
        found += int(np.argmax(wrong)) == 3
    assert found >= 19


def test_a_careless_rater_weighs_less_than_in_a_vote():
    errors = lay_out_errors([0.1, 0.1, 0.5, 0.5])
    gains = []
    for seed in SEEDS:
        study = simulate_raters(150, errors, random_state=seed)
        right = [
            np.where(p == 0.5, 0.5, (p > 0.5) == study.truth).mean()  # ties by luck
            for p in (fit_dawid_skene(study.answers).probability, vote(study.answers))
        ]
        gains.append(right[0] - right[1])
    assert np.mean(gains) > 0.05


def test_probabilities_mean_what_they_say():
    errors = lay_out_errors([0.15, 0.25, 0.3], 0.1)
    likely, truth = [], []
    for seed in SEEDS:
        study = simulate_raters(300, errors, raters_per_pair=2, random_state=seed)
        likely.append(fit_dawid_skene(study.answers).probability)
        truth.append(study.truth)
    likely, truth = np.concatenate(likely), np.concatenate(truth)
    for low, high in ((0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.01)):
        rows = (likely >= low) & (likely < high)
        assert rows.sum() > 100
        assert abs(likely[rows].mean() - truth[rows].mean()) < 0.12


def test_yes_and_no_do_not_change_places_where_answers_are_few():
    for seed in range(30):
        study = simulate_raters(8, lay_out_errors([0.1, 0.1]), random_state=seed)
        agreed = (study.answers == study.answers[:, :1]).all(axis=1)
        likely = fit_dawid_skene(study.answers).probability[agreed]
        assert ((likely > 0.5) == (study.answers[agreed, 0] == 2)).all()


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.9])
def test_one_rater_alone_is_believed(share):
    study = simulate_raters(300, lay_out_errors([0.05]), share=share, random_state=1)
    likely = fit_dawid_skene(study.answers).probability
    assert ((likely > 0.5) == (study.answers[:, 0] == 2)).all()
    assert 0.55 < likely[study.answers[:, 0] == 2].mean() < 1


def test_a_pair_nobody_heard_has_the_share_of_all():
    found = fit_dawid_skene([[2, 2], [0, 0], [2, 2], [np.nan, np.nan]])
    assert found.probability[3] == pytest.approx(found.share)
    assert np.isnan(vote([[np.nan, np.nan]])).all()


@pytest.mark.parametrize(
    ("table", "words"),
    [([[np.nan]], "at least one"), ([[3.0]], "found 3"), ([1.0], "shape"), ([["yes"]], "numbers")],
)
def test_what_are_no_answers_is_told(table, words):
    with pytest.raises(ValueError, match=words):
        fit_dawid_skene(table)


def test_answers_are_checked_once():
    assert check_answers([[0, 1], [2, np.nan]]).dtype == float


# --- simulated raters ---------------------------------------------------------------------


def test_simulated_raters_err_as_they_are_told():
    study = simulate_raters(20_000, UNEVEN, share=0.3, random_state=1)
    for rater in range(4):
        for truth in (0, 1):
            said = study.answers[study.truth == truth, rater]
            share = [np.mean(said == answer) for answer in range(3)]
            assert share == pytest.approx(UNEVEN[rater, truth].tolist(), abs=0.02)
    assert abs(study.truth.mean() - 0.3) < 0.02


def test_simulated_raters_hear_some_pairs_and_guess_hard_ones():
    study = simulate_raters(4000, lay_out_errors([0.0] * 4), raters_per_pair=2, random_state=1)
    assert ((~np.isnan(study.answers)).sum(axis=1) == 2).all()
    assert np.abs((~np.isnan(study.answers)).mean(axis=0) - 0.5).max() < 0.05
    hard = simulate_raters(4000, lay_out_errors([0.0] * 2), hard=0.4, random_state=1)
    assert abs(np.mean(hard.answers[:, 0] != 2 * hard.truth) - 0.2) < 0.03


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: lay_out_errors([0.7], 0.5), "sum to at most 1"),
        (lambda: lay_out_errors([-0.1]), "from 0"),
        (lambda: simulate_raters(3, [[0.5, 0.5]]), "shape"),
        (lambda: simulate_raters(3, np.full((2, 2, 3), 0.5)), "sum of 1"),
        (lambda: simulate_raters(3, UNEVEN, raters_per_pair=5), "1 to 4"),
    ],
)
def test_raters_that_cannot_be_simulated(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_simulated_session_is_asked_by_the_rules():
    songs = [f"s{k}" for k in range(8)]
    pairs = pd.DataFrame([(a, b) for a in songs for b in songs if a != b], columns=["a", "b"])
    pairs["kind"] = np.where(np.arange(len(pairs)) < 50, "question", "check")
    truth = np.arange(len(pairs)) % 2
    session = simulate_session(pairs, truth, lay_out_errors([0.0, 0.5]), n_answers=40)
    assert session["rater"].value_counts().to_dict() == {"simulated 1": 40, "simulated 2": 40}
    assert set(session["kind"]) >= {"coverage", "repeat", "check"}
    first = session[session["rater"] == "simulated 1"]
    assert ((first["answer"] == "yes") == truth[first["row"]].astype(bool)).all()
    assert (session["a"] == pairs["a"].to_numpy()[session["row"]]).all()
    checks = session[session["kind"] == "check"]
    said = np.where(truth[checks["row"]] == 1, "yes", "no")
    assert (checks["expected"] == said).all()
    assert (session.drop(checks.index)["expected"] == "").all()
    again = session[session["kind"] != "repeat"]
    assert not again.duplicated(["rater", "row"]).any()


def test_more_pairs_and_raters_make_alpha_surer():
    found = simulate_sample_sizes([20, 80], [2, 5], wrong=0.15, unsure=0.05, n_draws=100)
    width = found.set_index(["raters", "pairs"])["half_width"]
    assert width[2, 80] < width[2, 20]
    assert width[5, 20] < width[2, 20]
    assert found["alpha"].between(0.3, 0.7).all()
