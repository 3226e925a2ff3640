"""Three readings of two thresholds: what they answer, how they are fitted, which fit the slides."""

from __future__ import annotations

import numpy as np
import pytest

from aares.chaining import thresholds
from aares.chaining.thresholds import READINGS, Thresholds, fit_thresholds, score_answers

RNG = np.random.default_rng(1)
LABELS = RNG.random(120) < 0.5
DISTANCES = np.round(RNG.normal(6, 2, 120) - 1.5 * LABELS, 1)  # with equal ones


@pytest.mark.parametrize(
    ("reading", "answers"),
    [
        ("max", [1, 1, 1, 1, 1, 0]),
        ("band", [0, 1, 1, 1, 1, 0]),
        ("undecided", [1, -1, -1, -1, -1, 0]),
    ],
)
def test_each_reading_answers_as_it_says(reading, answers):
    asked = [2.0, 3.6, 5.0, 6.03, 6.8, 12.01]
    assert Thresholds(reading, 3.6, 6.8).decide(asked).tolist() == answers


def test_two_readings_reproduce_the_examples_of_the_slides():
    found = thresholds.check_examples()
    for slide in (13, 22):
        rows = found[found["slide"] == slide].set_index("reading")
        assert rows.index[rows["reproduces"]].tolist() == ["max", "band"]
        assert rows.loc["undecided", ["6.03", "12.01"]].tolist() == [-1, 0]
        assert rows.loc["min only", ["6.03", "12.01"]].tolist() == [0, 0]


def share_right(rule):
    return score_answers(rule.decide(DISTANCES), LABELS)["accuracy"]


def test_no_other_maximum_and_no_other_band_has_more_right():
    cuts = np.append(np.unique(DISTANCES) + 0.05, -np.inf)
    best = max(share_right(Thresholds("max", -np.inf, cut)) for cut in cuts)
    assert share_right(fit_thresholds(DISTANCES, LABELS)) == best
    bands = [Thresholds("band", low, high) for low in cuts for high in cuts if low <= high]
    assert share_right(fit_thresholds(DISTANCES, LABELS, "band")) == max(map(share_right, bands))


@pytest.mark.parametrize("coverage", [0.3, 0.5, 0.9, 1.0])
def test_silence_keeps_its_coverage_and_no_other_has_more_right(coverage):
    rule = fit_thresholds(DISTANCES, LABELS, "undecided", coverage=coverage)
    found = score_answers(rule.decide(DISTANCES), LABELS)
    assert found["coverage"] >= coverage
    cuts = np.concatenate([[-np.inf], np.unique(DISTANCES) + 0.05, [np.inf]])
    for low in cuts:
        for high in cuts[cuts >= low]:
            other = Thresholds("undecided", low, high).decide(DISTANCES)
            score = score_answers(other, LABELS)
            assert score["coverage"] < coverage or score["accuracy"] <= found["accuracy"] + 1e-12


def test_with_full_coverage_silence_is_the_maximum():
    rules = [fit_thresholds(DISTANCES, LABELS, name, coverage=1.0) for name in ("max", "undecided")]
    assert rules[0].high == rules[1].high == rules[1].low


def test_a_band_is_found_where_near_and_far_pairs_are_wrong():
    values = np.arange(30.0)
    labels = (values >= 8) & (values <= 20)
    assert fit_thresholds(values, labels, "band") == Thresholds("band", 7.5, 20.5)
    assert score_answers(fit_thresholds(values, labels).decide(values), labels)["accuracy"] < 1


@pytest.mark.parametrize("reading", READINGS)
def test_thresholds_do_not_depend_on_the_order_of_pairs(reading):
    order = RNG.permutation(120)
    first = fit_thresholds(DISTANCES, LABELS, reading)
    assert fit_thresholds(DISTANCES[order], LABELS[order], reading) == first


def test_the_curve_is_what_one_threshold_answers():
    curve = thresholds.trace_threshold(DISTANCES, LABELS)
    for row in curve.iloc[1:-1:7].itertuples():
        found = score_answers(Thresholds("max", -np.inf, row.threshold).decide(DISTANCES), LABELS)
        assert found["accuracy"] == pytest.approx(row.accuracy)
        assert found["false_positives"] == pytest.approx(row.false_positives)
        assert found["false_negatives"] == pytest.approx(row.false_negatives)
    assert curve["threshold"].is_monotonic_increasing
    assert curve["false_positives"].is_monotonic_increasing
    assert curve["false_negatives"].is_monotonic_decreasing
    assert curve.iloc[0]["accuracy"] == pytest.approx(1 - LABELS.mean())
    assert curve.iloc[-1]["accuracy"] == pytest.approx(LABELS.mean())
    assert curve["accuracy"].max() == share_right(fit_thresholds(DISTANCES, LABELS))


def test_undecided_pairs_are_neither_right_nor_wrong():
    found = score_answers([-1, -1, -1], [True, False, True])
    assert np.isnan(found.pop("accuracy"))
    assert found == {"coverage": 0.0, "false_positives": 0.0, "false_negatives": 0.0}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: Thresholds("below", 1, 2),
            "reading: expected max, band, undecided, found 'below'",
        ),
        (lambda: Thresholds("band", 3, 2), "expected low <= high, found 3 and 2"),
        (lambda: fit_thresholds([1.0, np.nan], [True, False]), "found NaN"),
        (lambda: fit_thresholds([1.0, 2.0], [True, True]), "chainable pairs and others"),
        (lambda: fit_thresholds([1.0, 2.0], [True, False], "both"), "reading: expected"),
        (lambda: fit_thresholds([1.0, 2.0], [True, False], coverage=2), "a share in 0 .. 1"),
        (lambda: fit_thresholds(["near"], [True]), "distances: expected numbers"),
        (lambda: fit_thresholds([[1.0]], [True]), "found 2 axes"),
        (lambda: score_answers([1], [True, False]), "as many answers as labels"),
        (lambda: score_answers([], []), "as many answers as labels"),
    ],
)
def test_wrong_arguments_say_what_is_wrong(call, says):
    with pytest.raises(ValueError, match=says):
        call()
