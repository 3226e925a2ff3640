"""What a transition costs, and the cheapest order beside every order there is."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aares.data import DataError
from aares.recommend.lists import order, transitions


def make_costs(n: int, seed: int) -> dict[str, np.ndarray]:
    """Return costs without any symmetry, of steps, of both ends and of positions."""
    rng = np.random.default_rng(seed)
    shapes = {"costs": (n, n), "start": (n,), "end": (n,), "place": (n, n)}
    return {name: rng.random(shape) for name, shape in shapes.items()}


def make_sounds(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "tempo": rng.uniform(50, 200, n),
            "key": rng.integers(0, 12, n),
            "mode": rng.integers(0, 2, n),
            "loudness": rng.uniform(-30, 0, n),
            "energy": rng.random(n),
        }
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_no_order_of_a_few_songs_costs_less(seed, n):
    told = make_costs(n, seed)
    found = order.find_order(**told)
    assert sorted(found.tolist()) == list(range(n))
    least = min(order.measure_order(path, **told) for path in itertools.permutations(range(n)))
    assert order.measure_order(found, **told) == pytest.approx(least, abs=1e-12)


@pytest.mark.parametrize("n", [9, 12])
@pytest.mark.parametrize("seed", range(4))
def test_local_search_finds_what_the_exact_solution_finds(n, seed):
    """The two share no code but the definition of a cost."""
    told = make_costs(n, seed)
    least = order.measure_order(order.find_order(**told), **told)
    searched = order._search(told["costs"], told["start"], told["end"], told["place"])
    assert sorted(searched.tolist()) == list(range(n))
    value = order.measure_order(searched, **told)
    assert least - 1e-12 <= value <= 1.1 * least


@pytest.mark.parametrize("seed", range(3))
def test_many_songs_are_ordered_within_one_percent_of_two_hundred_restarts(seed):
    n = 30
    points = np.random.default_rng(seed).normal(size=(n, 4))
    costs = np.linalg.norm(points[:, None] - points, axis=2)
    start = np.linalg.norm(points, axis=1)
    nodes = np.zeros((n + 2, n + 2))
    nodes[:n, :n], nodes[n, :n] = costs, start
    nowhere = np.zeros_like(nodes)
    best = np.inf
    for restart in range(200):
        path = np.r_[n, np.random.default_rng(restart).permutation(n), n + 1]
        order._improve(path, nodes, nowhere, False, False)
        best = min(best, order.measure_order(path[1:-1], costs, start=start))
    found = order.measure_order(order.find_order(costs, start=start), costs, start=start)
    assert found <= 1.01 * best


def test_a_path_leads_from_the_one_song_to_the_other():
    at = np.array([7.0, 1.0, 5.0, 3.0, 6.0])
    costs = np.abs(at[:, None] - at)
    found = order.find_order(costs, start=np.abs(at - 8.0), end=np.abs(at - 0.0))
    assert at[found].tolist() == [7.0, 6.0, 5.0, 3.0, 1.0]
    found = order.find_order(costs, start=np.abs(at - 0.0), end=np.abs(at - 8.0))
    assert at[found].tolist() == [1.0, 3.0, 5.0, 6.0, 7.0]


@pytest.mark.parametrize("n", [7, 15])
def test_arcs_are_what_they_are_called(n):
    energy = np.random.default_rng(n).permutation(n) / n
    alike = np.zeros((n, n))
    played = {
        arc: energy[order.find_order(alike, place=transitions.place_arc(energy, arc))]
        for arc in transitions.ARCS
    }
    assert (np.diff(played["rise"]) > 0).all()
    assert (np.diff(played["fall"]) < 0).all()
    top = int(played["wave"].argmax())
    assert abs(top - n // 2) <= 1
    # Both sides of the peak climb to it, but for neighbours of one rank.
    assert played["wave"][: top + 1].argsort().tolist() == list(range(top + 1))
    assert (np.diff(played["wave"][top:]) < 0).all()


def test_half_and_double_tempo_are_one_beat():
    tempo = np.array([60.0, 120.0, 240.0, 90.0, 66.0])
    apart = transitions.compare_tempos(tempo)
    assert apart[0, 1] == apart[0, 2] == apart[1, 2] == 0
    assert apart[0, 3] == pytest.approx(1 - np.log2(1.5))  # three halves up, or four thirds down
    assert apart[0, 4] == pytest.approx(np.log2(1.1))


def test_keys_step_along_the_wheel():
    wheel = np.array([0, 7, 2, 9, 4, 11, 6, 1, 8, 3, 10, 5])  # C, G, D, ... up by fifths
    major, minor = np.ones(12), np.zeros(12)
    steps = transitions.count_key_steps(wheel, major)
    assert steps[0].tolist() == [0, 1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1]
    both = transitions.count_key_steps(np.r_[wheel, (wheel + 9) % 12], np.r_[major, minor])
    assert np.diag(both[:12, 12:]).tolist() == [1] * 12  # a key and its relative minor


def test_a_transition_is_symmetric_and_bounded():
    costs = transitions.measure_transitions(make_sounds(40, 0))
    assert (costs == costs.T).all()
    assert (np.diag(costs) == 0).all()
    assert 0 <= costs.min() <= costs.max() <= 4 * transitions.FARTHEST
    silent = transitions.measure_transitions(make_sounds(2, 1).assign(tempo=[0.0, 120.0]))
    known = transitions.measure_transitions(make_sounds(2, 1).assign(tempo=[120.0, 120.0]))
    assert (silent == known).all()


def test_ties_are_broken_the_same_way_each_time():
    costs = np.ones((20, 20))
    assert order.find_order(costs).tolist() == order.find_order(costs).tolist()
    assert order.find_order(np.ones((5, 5))).tolist() == order.find_order(np.ones((5, 5))).tolist()


def test_no_song_and_one_song():
    assert order.find_order(np.zeros((0, 0))).tolist() == []
    assert order.measure_order([], np.zeros((0, 0))) == 0
    assert order.find_order([[0.0]]).tolist() == [0]
    assert transitions.place_arc(np.array([0.5]), "rise").tolist() == [[0.0]]


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"costs": np.zeros((2, 3))}, r"costs: expected the shape \(2, 2\), found \(2, 3\)"),
        ({"costs": np.zeros((2, 2)), "start": [0.0]}, r"start: expected the shape \(2,\), found"),
        ({"costs": np.zeros((2, 2)), "place": np.zeros((2, 3))}, "place: expected the shape"),
        ({"costs": [[0.0, np.nan], [0.0, 0.0]]}, "costs: expected finite numbers, found nan"),
        ({"costs": np.zeros((2, 2)), "end": [0.0, np.inf]}, "end: expected finite numbers"),
    ],
)
def test_costs_that_do_not_fit_are_named(told, message):
    with pytest.raises(ValueError, match=message):
        order.find_order(**told)


def test_songs_without_what_transitions_need_are_named():
    sounds = make_sounds(3, 0)
    with pytest.raises(DataError, match="missing column 'key'"):
        transitions.measure_transitions(sounds.drop(columns="key"))
    with pytest.raises(DataError, match="column 'tempo', row 1: .* found a missing value"):
        transitions.measure_transitions(sounds.assign(tempo=np.nan))
    with pytest.raises(ValueError, match="arc: expected one of rise, fall, wave, found 'up'"):
        transitions.place_arc(np.arange(3.0), "up")


def test_hundreds_of_songs_are_ordered_at_once():
    at = np.random.default_rng(0).permutation(600).astype(float)
    found = order.find_order(np.abs(at[:, None] - at), start=at)
    assert at[found].tolist() == sorted(at)
