"""The nearest songs beside brute force: the same rows in the same order, whatever the points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aares import exact
from aares.data import load_recommendation
from aares.recommend.space import nearest
from aares.recommend.space.content import GRID_BITS, SongSpace, measure_distances
from aares.recommend.space.nearest import LARGEST, LEAF, NearestSongs


def search_all(points, query, k, allowed=None):
    """Sort all songs by squared distance, then by row."""
    squared = np.zeros(len(points))
    for column, value in zip(points.T, query, strict=True):
        squared += (column - value) ** 2
    rows = np.lexsort((np.arange(len(points)), squared))
    if allowed is not None:
        rows = rows[allowed[rows]]
    return rows[:k], np.sqrt(squared[rows[:k]])


def assert_found(points, queries, k, allowed=None):
    rows, distances = NearestSongs(points).search(queries, k, allowed=allowed)
    for query, row, distance in zip(queries, rows, distances, strict=True):
        expected = search_all(points, query, k, allowed)
        assert row.tolist() == expected[0].tolist()
        assert distance.tolist() == expected[1].tolist()


def draw_points(seed, n, d, values):
    """Points of few different coordinates lie on one another and tie; of many they do not."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, values, (n, d)) * rng.choice([1.0, 0.5, 3.0], d)


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 6 * LEAF),
    d=st.integers(1, 6),
    values=st.sampled_from([1, 2, 3, 10, 10**6]),
    k=st.sampled_from([1, 2, 7, 64, 200, 1000]),
)
def test_the_nearest_are_those_of_brute_force(seed, n, d, values, k):
    points = draw_points(seed, n, d, values)
    rng = np.random.default_rng(seed + 1)
    queries = np.vstack([points[rng.integers(0, n, 3)], rng.normal(values / 2, values, (2, d))])
    assert_found(points, queries, k)
    assert_found(points, queries, k, rng.random(n) < rng.choice([0.02, 0.5, 0.98]))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    size=st.sampled_from([1e-320, 1e-200, 1e-30, 1e-6, 1.0, 1e9, 1e60]),
    offset=st.sampled_from([0.0, 1.0, -1e7, 1e15]),
    away=st.sampled_from([0.0, 1.0, 1e6, 1e9, 1e25, 1e90]),
    far=st.sampled_from([0.0, 1e4, 1e6]),
)
def test_nothing_is_too_much_for_single_precision(seed, size, offset, away, far):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(700, 3)) * [size, size / 7, size * 1e-4] + offset
    points[rng.integers(0, 700, 50)] = points[0]
    points[600:] = np.nextafter(points[500:600], np.inf)  # nearer than single precision can tell
    points[300:] += far * size  # a crowd away from the centre, which rounds its coordinates
    queries = np.clip(points[[0, 5, 650]] + away * size, -LARGEST, LARGEST)
    assert_found(points, queries, 30)


def test_on_the_grid_of_the_space_a_matrix_product_orders_all_songs_alike():
    rng = np.random.default_rng(0)
    points = exact.snap(rng.normal(size=(5000, 20)) * np.linspace(4, 1, 20), GRID_BITS)
    rows, distances = NearestSongs(points).search(points[:100], 5000)
    whole = measure_distances(points, points[:100]).T
    assert (rows == np.argsort(whole, axis=1, kind="stable")).all()
    assert (distances == np.sort(whole, axis=1)).all()


def test_most_leaves_are_passed_over_where_songs_crowd(monkeypatch):
    """What makes it fast: of points in crowds only a few are measured exactly."""
    rng = np.random.default_rng(0)
    points = exact.snap(rng.normal(size=(100, 1, 8)) * 9 + rng.normal(size=(100, 300, 8)) / 9, 18)
    songs = NearestSongs(points.reshape(-1, 8))
    looked, measure_leaf = [], nearest._measure_leaf.py_func

    def look(*given):
        looked.append(1)
        return measure_leaf(*given)

    monkeypatch.setattr(nearest, "_measure_leaf", look)
    monkeypatch.setattr(nearest, "_search", nearest._search.py_func)
    songs.search(songs.points[0], 50)
    assert len(looked) < 0.1 * len(songs) / LEAF


def test_one_query_and_several_are_answered_alike():
    points = draw_points(3, 500, 4, 1000)
    songs = NearestSongs(points)
    rows, distances = songs.search(points[:5], 20)
    assert rows.shape == distances.shape == (5, 20)
    for query, row, distance in zip(points[:5], rows, distances, strict=True):
        one = songs.search(query, 20)
        assert one[0].tolist() == row.tolist()
        assert one[1].tolist() == distance.tolist()
    assert [part.shape for part in songs.search(points[:0], 20)] == [(0, 20), (0, 20)]


def test_nobody_is_found_where_nobody_is_allowed():
    songs = NearestSongs(draw_points(0, 300, 2, 10))
    rows, distances = songs.search([0.0, 0.0], 5, allowed=np.zeros(300, dtype=bool))
    assert rows.tolist() == distances.tolist() == []


def test_what_is_searched_is_a_copy():
    points = draw_points(0, 300, 2, 10**6)
    songs = NearestSongs(points)
    before = songs.search(points[7], 5)[0].tolist()
    points[:] = 0
    assert songs.search(songs.points[7], 5)[0].tolist() == before


def test_the_demo_songs_are_found_as_by_brute_force(demo):
    points = SongSpace().fit_transform(load_recommendation(demo))
    assert_found(points, points[::97], 200)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([[0.0, np.nan]], "points, row 0, column 1: expected a finite number, found nan"),
        ([[0.0], [np.inf]], "points, row 1, column 0: expected a finite number, found inf"),
        ([[1e200]], "found 1e\\+200"),
        ([1.0, 2.0], r"points: expected the shape \(n, d\), found \(2,\)"),
        ([[1.0], [1.0, 2.0]], "points: expected numbers of the shape"),
        ([["a"]], "points: expected numbers of the shape"),
        (None, r"points: expected the shape \(n, d\), found \(\)"),
        (np.zeros((0, 3)), "points: expected at least one song and column, found 0 and 3"),
        (np.zeros((3, 0)), "points: expected at least one song and column, found 3 and 0"),
    ],
)
def test_points_that_are_none_are_refused(points, message):
    with pytest.raises(ValueError, match=message):
        NearestSongs(points)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"queries": [0.0, np.nan]}, "queries, row 0, column 1: expected a finite number"),
        ({"queries": [0.0]}, r"queries: expected the shape \(2,\) or \(m, 2\), found \(1,\)"),
        ({"queries": [[[0.0, 0.0]]]}, "queries: expected the shape"),
        ({"queries": "ab"}, "queries: expected numbers of the shape"),
        ({"k": 0}, "k: expected a whole number from 1, found 0"),
        ({"k": 2.0}, "k: expected a whole number from 1, found 2.0"),
        ({"k": True}, "k: expected a whole number from 1, found True"),
        ({"allowed": [1, 0, 1]}, "allowed: expected True or False for each of 3 songs, found int"),
        ({"allowed": [True]}, r"found bool of the shape \(1,\)"),
    ],
)
def test_a_search_that_does_not_fit_is_refused(told, message):
    songs = NearestSongs([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    with pytest.raises(ValueError, match=message):
        songs.search(**{"queries": [0.0, 0.0], "k": 1, **told})
