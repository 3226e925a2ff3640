"""Near neighbours and the transitions among them: found, exact on the grid, the same each time."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from aares.chaining.transition import describe_song, measure_transition_costs
from aares.scale.candidates import (
    EXACT,
    Grid,
    Neighbours,
    describe_edge,
    find_candidates,
    leave_out,
    rank_transitions,
)
from aares.scale.needs import ScaleError

ABSENT = "the extra [scale] is not installed"
SR = 8000


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((1500, 27))


@pytest.fixture(scope="module")
def songs() -> list:
    """Chords that last, in two keys and three kinds of noise."""
    rng, t = np.random.default_rng(1), np.arange(6 * SR) / SR
    sounds = [
        sum(np.sin(2 * np.pi * hz * height * t) for hz in (262, 330, 392)) / 4
        + level * rng.standard_normal(len(t))
        for height in (1.0, 1.5)
        for level in (0.001, 0.03, 0.3)
    ]
    return [describe_song(y, sr=SR) for y in sounds]


def test_exact_neighbours_are_those_of_plain_arithmetic(points):
    near = Neighbours(points)
    steps = near.points.astype(np.int64)
    asked = near.grid.snap(points[:40]).astype(np.int64)
    far = ((asked[:, None] - steps[None]) ** 2).sum(axis=2)
    expected = np.argsort(far, axis=1, kind="stable")[:, :12]
    assert (near.find_exact(points[:40], 12) == expected).all()
    assert (near.find_exact(points[:3], 9999) == np.argsort(far[:3], axis=1, kind="stable")).all()


def test_sums_on_the_grid_are_exact_in_any_order(points):
    """The farthest that two vectors can lie from each other still fits float32."""
    for d in (2, 27, 104):
        grid = Grid.fit(np.random.default_rng(d).standard_normal((50, d)))
        corners = grid.snap(np.array([np.full(d, 1e6), np.full(d, -1e6)]))
        assert ((corners[0].astype(np.int64) - corners[1].astype(np.int64)) ** 2).sum() <= EXACT
        assert (corners == np.rint(corners)).all()


def test_the_graph_finds_nearly_all(points):
    pytest.importorskip("usearch", reason=ABSENT)
    near, asked = Neighbours(points), points[::10] + 0.1
    exact = near.find_exact(asked, 10)
    shares = [
        np.mean([len(np.intersect1d(*rows)) / 10 for rows in zip(found, exact, strict=True)])
        for found in (near.find(asked, 10, in_view=1), near.find(asked, 10, in_view=128))
    ]
    assert shares[1] > 0.97
    assert shares[1] > shares[0]


def test_the_graph_is_the_same_each_time_whatever_threads_there_are(points, tmp_path):
    pytest.importorskip("usearch", reason=ABSENT)
    np.save(tmp_path / "points.npy", points)
    code = (
        "import sys, numpy as np; from aares.scale.candidates import Neighbours;"
        "p = np.load(sys.argv[1]); print(Neighbours(p).find(p[:50], 10).tolist())"
    )
    here = str(Neighbours(points).find(points[:50], 10).tolist())
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "points.npy")],
        env={**os.environ, "OMP_NUM_THREADS": "4", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == here


def test_of_equally_near_rows_the_first_comes_first():
    pytest.importorskip("usearch", reason=ABSENT)
    points = np.repeat([[0.0, 0.0], [1.0, 0.0], [3.0, 3.0]], 4, axis=0)
    near = Neighbours(points)
    assert near.find_exact([[0.9, 0.0]], 6).tolist() == [[4, 5, 6, 7, 0, 1]]
    assert near.find([[0.9, 0.0]], 8, in_view=64).tolist() == [[4, 5, 6, 7, 0, 1, 2, 3]]


def test_candidates_are_other_songs_and_the_nearest_first(songs):
    found = find_candidates(songs, 3, exact=True)
    assert found.shape == (6, 3)
    assert not (found == np.arange(6)[:, None]).any()
    assert find_candidates(songs, 99, exact=True).shape == (6, 5)
    ends, starts = (np.array([describe_edge(x) for x in edges]) for edges in zip(
        *((song.end, song.start) for song in songs), strict=True))  # fmt: skip
    grid = Grid.fit(np.concatenate([starts, ends]))
    far = ((grid.snap(ends)[:, None] - grid.snap(starts)[None]) ** 2).sum(axis=2)
    np.fill_diagonal(far, np.inf)
    assert found[:, 0].tolist() == far.argmin(axis=1).tolist()


def test_the_graph_gives_the_candidates_of_comparing_all(songs):
    pytest.importorskip("usearch", reason=ABSENT)
    assert find_candidates(songs, 4).tolist() == find_candidates(songs, 4, exact=True).tolist()


def test_transitions_are_those_of_the_model(songs):
    every = find_candidates(songs, 5, exact=True)
    order, likely = rank_transitions(songs, every)
    costs = measure_transition_costs(songs)
    assert (np.diff(likely, axis=1) <= 0).all()
    expected = np.exp(-np.take_along_axis(costs, order, axis=1))
    assert np.allclose(likely, expected, atol=1e-8)
    few, probability = rank_transitions(songs, every[:, :2])
    assert set(map(tuple, np.sort(few).tolist())) == set(map(tuple, np.sort(every[:, :2]).tolist()))
    assert (probability <= likely[:, :1]).all()


def test_a_song_that_is_not_among_its_neighbours_leaves_the_last_out():
    found = np.array([[5, 6, 7], [1, 6, 7], [6, 7, 2]])
    assert leave_out(found, np.arange(3)).tolist() == [[5, 6], [6, 7], [6, 7]]


def test_wrong_arguments_are_told(songs, points):
    with pytest.raises(ValueError, match="at least two, found 1"):
        find_candidates(songs[:1], 3)
    with pytest.raises(ValueError, match="k: expected at least 1 neighbour, found 0"):
        Neighbours(points).find_exact(points[:2], 0)
    with pytest.raises(ValueError, match="expected 27 features, found 3"):
        Neighbours(points).find_exact(points[:2, :3], 5)
    with pytest.raises(ValueError, match="in_view: expected at least 1, found 0"):
        Neighbours(points).find(points[:2], 5, in_view=0)
    with pytest.raises(ValueError):
        Neighbours([[np.nan, 1.0]])


def test_without_the_extra_comparing_all_still_works(songs, points, monkeypatch):
    monkeypatch.setattr("aares.scale.needs.find_spec", lambda name: None)
    with pytest.raises(ScaleError, match="usearch, which is not installed: python3 run.py add"):
        Neighbours(points).find(points[:2], 5)
    assert find_candidates(songs, 2, exact=True).shape == (6, 2)
