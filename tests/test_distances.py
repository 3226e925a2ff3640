"""Distances of songs: as scipy's, exact in any order, of standardised features; and weights."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from aares.chaining import distances
from aares.chaining.distances import fit_scale, measure_pair_distances, weigh_by_pairs

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(40, 27))
A, B = RNG.integers(0, 40, 300), RNG.integers(0, 40, 300)
SCIPY = {"euclidean": {"metric": "minkowski", "p": 2}, "manhattan": {"metric": "minkowski", "p": 1},
         "minkowski": {"metric": "minkowski", "p": 4}}  # fmt: skip


@pytest.mark.parametrize("kind", SCIPY)
@pytest.mark.parametrize("weights", [None, RNG.random(27), np.eye(27)[3]])
def test_distances_are_those_of_scipy(kind, weights):
    expected = cdist(POINTS, POINTS, **SCIPY[kind], w=np.ones(27) if weights is None else weights)
    found = distances.measure_all_distances(POINTS, kind=kind, weights=weights)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    pairs = measure_pair_distances(POINTS, A, B, kind=kind, weights=weights)
    np.testing.assert_array_equal(pairs, found[A, B])


def test_the_same_bits_in_whatever_order_features_stand():
    order = RNG.permutation(27)
    found = measure_pair_distances(POINTS, A, B, kind="manhattan")
    turned = measure_pair_distances(POINTS[:, order], A, B, kind="manhattan")
    assert found.tobytes() == turned.tobytes()


def test_tiny_and_huge_features_are_measured_too():
    for unit in (1e-9, 1e9):
        found = measure_pair_distances(POINTS * unit, A, B, kind="manhattan")
        np.testing.assert_allclose(
            found / unit, measure_pair_distances(POINTS, A, B, kind="manhattan")
        )


def test_features_are_measured_in_spreads_of_the_training_songs():
    features = POINTS * 1000 + 5000
    features[:, 3] = 7.0
    scale = fit_scale(features[:30])
    found = scale.standardise(features)
    np.testing.assert_allclose(found[:30].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(found[:30].std(axis=0), [*[1] * 3, 0, *[1] * 23], atol=1e-6)
    assert np.abs(found[30:].mean(axis=0)).max() > 0.1  # others were not looked at
    assert found[:, 3].tolist() == [0.0] * 40


def test_without_standardising_one_feature_is_the_whole_distance():
    """Why thresholds of 3.6 and 6.8 cannot be distances of raw features."""
    features = POINTS * np.where(np.arange(27) == 2, 800.0, 1.0)
    raw = measure_pair_distances(features, A, B)
    np.testing.assert_allclose(raw, 800 * np.abs(POINTS[A, 2] - POINTS[B, 2]), atol=20)
    ready = fit_scale(features).standardise(features)
    assert 3 < np.median(measure_pair_distances(ready, A, B)) < 10


def test_weights_find_the_feature_that_tells_pairs_apart():
    group = np.repeat([0, 1], 20)
    points = POINTS.copy()
    points[:, 5] += 6 * group
    a, b = np.triu_indices(40, 1)
    weights = weigh_by_pairs(points, a, b, group[a] == group[b])
    assert weights.argmax() == 5 and weights[5] > 20
    assert weights.mean() == pytest.approx(1, abs=1e-5) and (weights >= 0).all()


def test_a_feature_that_differs_within_chainable_pairs_has_no_weight():
    points = np.array([[0.0, 0.0], [5.0, 0.1], [0.1, 3.0], [5.2, 3.2]])
    yes = [True, True, False, False, False, False]
    weights = weigh_by_pairs(points, [0, 2, 0, 0, 1, 1], [1, 3, 2, 3, 2, 3], yes)
    assert weights.tolist() == [0.0, 2.0]
    alike = weigh_by_pairs(np.zeros((4, 2)), [0, 2], [1, 3], [True, False])
    assert alike.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: measure_pair_distances(POINTS, [0], [40]),
            "b: expected rows in 0 .. 39, found 40",
        ),
        (
            lambda: measure_pair_distances(POINTS, [-1], [0]),
            "a: expected rows in 0 .. 39, found -1",
        ),
        (lambda: measure_pair_distances(POINTS, [0.5], [0]), "a: expected whole numbers"),
        (
            lambda: measure_pair_distances(POINTS, [0, 1], [0]),
            "as many rows in a as in b, found 2 and",
        ),
        (lambda: measure_pair_distances(POINTS, A, B, kind="cosine"), "kind: expected .* 'cosine'"),
        (lambda: measure_pair_distances(POINTS, A, B, weights=[1.0]), "weights: expected 27"),
        (lambda: measure_pair_distances(POINTS, A, B, weights=-np.ones(27)), "not negative"),
        (lambda: measure_pair_distances([[1.0, np.nan]], [0], [0]), "found nan in row 0, column 1"),
        (lambda: measure_pair_distances([["a"]], [0], [0]), "a table of numbers"),
        (lambda: measure_pair_distances([1.0], [0], [0]), "songs by features, found 1 axes"),
        (lambda: fit_scale(np.empty((0, 3))), "at least 1 training song, found 0"),
        (lambda: fit_scale(POINTS).standardise([[1.0]]), "expected 27 features, found 1"),
        (lambda: weigh_by_pairs(POINTS, [0], [1], [True]), "chainable pairs and others, found 1"),
        (lambda: weigh_by_pairs(POINTS, [0], [1], [2]), "expected true or false"),
        (lambda: weigh_by_pairs(POINTS, [0], [1], [True, False]), "each of 1 pairs"),
    ],
)
def test_wrong_arguments_say_what_is_wrong(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_no_pairs_have_no_distances():
    assert measure_pair_distances(POINTS, [], []).shape == (0,)
