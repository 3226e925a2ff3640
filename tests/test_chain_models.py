"""The study's network, counted; which models see the order of two songs; reports; extrapolation."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from aares.chaining import models
from aares.chaining.extrapolation import extrapolate, fit_line
from aares.chaining.models import MODELS, PairModel, PairNetwork, report_classes
from aares.chaining.slides import get_figure

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(60, 27))
A, B = RNG.integers(0, 60, (2, 200))
NEAR = np.abs(POINTS[A, 0] - POINTS[B, 0]) < 1
BEFORE = POINTS[A, 0] < POINTS[B, 0]


# --- the network ----------------------------------------------------------------------------


def test_the_network_has_the_slides_1541_parameters():
    network = PairNetwork(passes=1).fit(models.join_vectors(POINTS, A, B), NEAR)
    sizes = [values.size for values in network.network_.weights_]
    assert sizes == [54 * 27, 27, 27 * 2, 2]
    first, second = sum(sizes[:2]), sum(sizes[2:])
    assert first == get_figure("parameters: dense_6") == 1485
    assert second == get_figure("parameters: dense_7") == 56
    assert network.n_parameters_ == get_figure("parameters: total") == 1541
    assert network.n_hidden == get_figure("hidden units")
    assert PairNetwork().passes == get_figure("passes of the network")
    assert PairModel("network").fit(POINTS, A, B, NEAR).estimator_.n_parameters_ == 1541


def test_its_twin_sees_one_vector_and_has_fewer():
    twin = PairNetwork(passes=1).fit(models.subtract_vectors(POINTS, A, B), NEAR)
    assert twin.n_parameters_ == 27 * 27 + 27 + 27 * 2 + 2


def test_two_outputs_are_probabilities():
    X = models.join_vectors(POINTS, A, B)
    network = PairNetwork(passes=3).fit(X, NEAR)
    found = network.predict_proba(X)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert found.shape == (200, 2) and (found >= 0).all()
    np.testing.assert_array_equal(network.predict(X), found[:, 1] > found[:, 0])


def test_the_network_is_an_estimator_and_learns_the_same_twice():
    X = models.join_vectors(POINTS, A, B)
    network = PairNetwork(passes=4, random_state=3)
    again = clone(network)
    assert again.get_params() == {"n_hidden": 27, "passes": 4, "random_state": 3}
    one, other = (model.fit(X, NEAR).predict_proba(X) for model in (network, again))
    assert one.tobytes() == other.tobytes()
    different = PairNetwork(passes=4, random_state=4).fit(X, NEAR).predict_proba(X)
    assert not np.array_equal(one, different)


def test_the_network_learns_what_comes_first():
    X = models.join_vectors(POINTS, A, B)
    network = PairNetwork().fit(X[:150], BEFORE[:150])
    assert np.mean(network.predict(X[150:]) == BEFORE[150:]) > 0.7
    assert np.mean(network.predict(X[:150]) == BEFORE[:150]) > 0.97


# --- which models see the order -----------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_only_models_of_joined_vectors_depend_on_the_order_of_songs(name):
    model = PairModel(name).fit(POINTS, A, B, NEAR)
    there, back = model.predict_proba(POINTS, A, B), model.predict_proba(POINTS, B, A)
    assert np.array_equal(there, back) == (name not in ("network", "tree"))
    assert ((there >= 0) & (there <= 1)).all() and there.shape == (200,)


@pytest.mark.parametrize("name", MODELS)
def test_models_learn_the_same_twice(name):
    one, other = (PairModel(name).fit(POINTS, A, B, NEAR) for _ in range(2))
    found = one.predict_proba(POINTS, B, A)
    assert found.tobytes() == other.predict_proba(POINTS, B, A).tobytes()


def test_symmetric_models_find_nearness_in_pairs_they_never_saw():
    for name in ("symmetric tree", "boosting"):
        model = PairModel(name).fit(POINTS, A[:150], B[:150], NEAR[:150])
        found = model.predict_proba(POINTS, A[150:], B[150:]) > 0.5
        assert np.mean(found == NEAR[150:]) > 0.9


# --- reports --------------------------------------------------------------------------------


def test_the_report_of_the_slides_counts_is_the_slides_report():
    """52 right and 4 wrong of 56 that are not chainable, 22 and 10 of 32 that are."""
    found = report_classes([0] * 56 + [1] * 32, [0] * 52 + [1] * 4 + [0] * 10 + [1] * 22).round(2)
    for row, of in {"0": "class 0", "1": "class 1", "macro avg": "macro average",
                    "weighted avg": "weighted average"}.items():  # fmt: skip
        for column, quantity in (("precision",) * 2, ("recall",) * 2, ("f1-score", "f1")):
            assert found.loc[row, column] == get_figure(f"{quantity}: {of}"), (row, column)
    assert found.loc["accuracy"].tolist() == [0.84, 0.84, 0.84, 88]
    assert found["support"].tolist() == [56, 32, 88, 88, 88]


def test_a_class_that_is_never_answered_has_no_precision():
    found = report_classes([True, False], [False, False])
    assert found.loc["1"].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: PairModel("forest"), "model: expected one of network, .* found 'forest'"),
        (lambda: PairModel("tree").fit(POINTS, A, B, NEAR[:5]), "one for each of 200 pairs"),
        (lambda: PairNetwork().fit(POINTS, np.ones(60)), "chainable pairs and others"),
        (lambda: report_classes([1], [1, 0]), "as many answers as labels"),
    ],
)
def test_wrong_arguments_say_what_is_wrong(call, says):
    with pytest.raises(ValueError, match=says):
        call()


# --- from seconds to a catalogue ----------------------------------------------------------


def test_the_slides_277_days_are_0_6_s_a_song():
    days = extrapolate(0.6, 0).extraction_days
    assert days == pytest.approx(get_figure("extraction in days"), abs=1)
    measured = get_figure("extraction in s: 100 songs") / 100
    assert extrapolate(measured, 0).extraction_days < 265  # what their 100 songs took


def test_all_pairs_grow_with_the_square():
    small, large = (extrapolate(0, 1e-8, n_songs=n) for n in (1000, 2000))
    assert large.all_pairs_days / small.all_pairs_days == pytest.approx(4, rel=0.01)
    assert large.candidates_days / small.candidates_days == pytest.approx(2)
    assert extrapolate(0, 1e-8).n_pairs == pytest.approx(8e14, rel=1e-6)
    assert extrapolate(1, 1, n_songs=1).all_pairs_days == 0


def test_a_line_is_found_with_what_it_leaves():
    line = fit_line([10, 50, 100], [1 + 0.2 * n for n in (10, 50, 100)])
    assert (line.slope, line.intercept) == pytest.approx((0.2, 1))
    assert line.residual == pytest.approx(0, abs=1e-12)
    bent = fit_line([0, 1, 2], [0.0, 1.5, 2.0])
    assert bent.residual == pytest.approx(np.sqrt(np.mean(np.square([1 / 6, 1 / 3, 1 / 6]))))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: fit_line([10, 10], [1, 2]), r"two different numbers at least, found \[10.0\]"),
        (lambda: fit_line([10, 20], [1]), "a time for each number"),
        (lambda: extrapolate(-1, 0), "not negative, found -1 and 0"),
        (lambda: extrapolate(1, float("nan")), "not negative"),
        (lambda: extrapolate(1, 1, n_songs=0), "expected songs, found 0"),
    ],
)
def test_wrong_times_are_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()
