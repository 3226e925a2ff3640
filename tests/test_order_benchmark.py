"""The measures of order and speed, on the demo: playlists are in the cheapest order there is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from aares.data import load_recommendation
from aares.recommend import Recommender
from benchmarks.recommendation import order, speed
from workshop.config import find_data


@pytest.fixture(scope="module")
def recommender():
    """By weights, which takes no learning: the order asks nothing of it."""
    return Recommender(weights={"tempo": 1.0}).fit(load_recommendation(find_data("demo")))


def draw_seeds(recommender, n):
    return np.random.default_rng(0).choice(len(recommender.songs_), n, replace=False)


@pytest.mark.parametrize("cost", order.COSTS)
def test_no_order_of_a_playlist_costs_less(recommender, cost):
    found = order.compare_short(recommender, draw_seeds(recommender, 40), cost)
    assert found["playlists"] >= 20
    assert found["mean_above_percent"] == found["worst_above_percent"] == 0
    assert found["above"] == found["cheaper_than_possible"] == 0


def test_longer_playlists_are_near_the_best_of_many_restarts(recommender, monkeypatch):
    monkeypatch.setattr(order, "RESTARTS", 40)
    found = order.compare_long(recommender, draw_seeds(recommender, 3))
    assert found["playlists"] == 3
    assert found["mean_above_percent"] <= 1


def test_the_programme_over_all_sets_finds_what_all_orders_show():
    costs = np.random.default_rng(0).random((3, 7, 7))
    costs += costs.transpose(0, 2, 1)
    for one, least in zip(costs, order.find_least(costs), strict=True):
        paths = (np.array(path) for path in itertools.permutations(range(1, 7)))
        assert least == pytest.approx(min(order.sum_path(one, path) for path in paths), abs=1e-12)
        assert order.search_restarts(one, 50, 0) == pytest.approx(least, abs=1e-8)


def test_an_order_that_is_not_the_cheapest_is_seen(recommender, monkeypatch):
    """What the measure says of lists in no order: dearer, and by how much."""
    monkeypatch.setattr(order, "order_costs", shuffle(order.order_costs))
    found = order.compare_short(recommender, draw_seeds(recommender, 10), "transition")
    assert found["above"] > 0
    assert found["worst_above_percent"] > found["mean_above_percent"] > 5


def shuffle(order_costs):
    def measure(*given):
        costs = order_costs(*given)
        mixed = np.r_[0, 1 + np.random.default_rng(0).permutation(len(costs) - 1)]
        return costs[np.ix_(mixed, mixed)]

    return measure


def test_speed_is_measured_with_the_answers_checked(recommender, monkeypatch):
    monkeypatch.setattr(speed, "N_QUERIES", {"nearest": 20, "playlist": 4, "find": 6})
    rng = np.random.default_rng(0)
    found = speed.compare_search(recommender.points_, rng)
    assert found["as_by_brute_force"] == found["queries"] == 20
    assert found["times_faster"] == pytest.approx(
        found["cosine_argsort_ms"] / found["search_ms"], rel=0.02
    )
    assert speed.time_playlists(recommender, 2, rng)["playlists"] == 4
    finding = speed.time_finding(recommender, rng)
    assert finding["exact_found"] == 6
    assert finding["misspelt_found"] >= 5


@pytest.mark.parametrize(
    ("title", "wrong"),
    [("Fernando", "Fenrando"), ("Aaaaaa", "Aaxaaaa"), ("Non, je ne", "Non, ej ne")],
)
def test_misspelt_titles_have_one_letter_wrong(title, wrong):
    assert speed.misspell(title) == wrong
