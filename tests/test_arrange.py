"""Playlists in order: what is fixed, what is before and after, and costs of any origin."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_order import make_sounds

from aares.data import DataError
from aares.recommend.lists.arrange import order_playlist
from aares.recommend.lists.transitions import ARCS, SOUNDS, measure_transitions, place_arc


def list_orders(n, first, last):
    """Every order in which the fixed songs are where they belong."""
    for path in itertools.permutations(range(n)):
        if (first is None or path[0] == first) and (last is None or path[-1] == last):
            yield list(path)


KINDS = st.sampled_from(["none", "row", "songs"])


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 6), KINDS, KINDS)
def test_no_order_costs_less_whatever_is_fixed_or_beyond(seed, n, begins, ends):
    """The cost is directed: the way back is another."""
    rng = np.random.default_rng(seed)
    whole = rng.random((n + 8, n + 8))
    songs = np.arange(float(n))[:, None]
    first, last = (int(row) for row in rng.permutation(n)[:2])
    before, after = (np.arange(at, at + rng.integers(1, 4))[:, None] for at in (n, n + 4.0))
    start = {"none": None, "row": first, "songs": before}[begins]
    end = {"none": None, "row": last, "songs": after}[ends]
    place = rng.random((n, n))

    def look_up(rows):
        numbers = rows[:, 0].astype(int)
        return whole[np.ix_(numbers, numbers)]

    def measure(path):
        total = sum(whole[a, b] for a, b in itertools.pairwise(path))
        total += sum(place[song, position] for position, song in enumerate(path))
        if isinstance(start, np.ndarray):
            total += whole[start[:, 0].astype(int), path[0]].min()
        if isinstance(end, np.ndarray):
            total += whole[path[-1], end[:, 0].astype(int)].min()
        return total

    found = order_playlist(songs, cost=look_up, start=start, end=end, place=place).tolist()
    assert sorted(found) == list(range(n))
    orders = list(
        list_orders(n, first if begins == "row" else None, last if ends == "row" else None)
    )
    least = min(map(measure, orders))
    assert found in orders
    assert measure(found) == pytest.approx(least, abs=1e-12)


@pytest.mark.parametrize("n", [8, 20])
def test_a_table_an_array_a_matrix_and_a_callable_are_one_cost(n):
    table = make_sounds(n + 2, 3)
    array = table[list(SOUNDS)].to_numpy(float)
    costs = measure_transitions(table)
    assert (measure_transitions(array) == costs).all()
    orders = [
        order_playlist(table[:n]),
        order_playlist(array[:n], cost="transition"),
        order_playlist(table[:n], cost=costs[:n, :n]),
        order_playlist(table[:n], cost=measure_transitions),
    ]
    assert all(order.tolist() == orders[0].tolist() for order in orders)
    seeds = table[n:].set_index(pd.Index(["x", "y"]))  # of another index, as a catalogue's rows are
    after_seeds = order_playlist(table[:n], start=seeds).tolist()
    assert after_seeds == order_playlist(array[:n], start=array[n:]).tolist()
    assert after_seeds != orders[0].tolist()


@pytest.mark.parametrize("n", [10, 25])
def test_a_long_list_leads_from_the_first_song_to_the_last(n):
    sounds = make_sounds(n, 5)
    for first, last in itertools.permutations((0, 3, n - 1), 2):
        order = order_playlist(sounds, start=first, end=last)
        assert sorted(order.tolist()) == list(range(n))
        assert (order[0], order[-1]) == (first, last)


def test_a_directed_cost_is_followed_in_its_direction():
    uphill = np.add.outer(-np.arange(6.0), np.arange(6.0)).clip(0)  # it costs to climb
    table = make_sounds(6, 0)
    assert order_playlist(table, cost=uphill).tolist() == [5, 4, 3, 2, 1, 0]
    assert order_playlist(table, cost=uphill.T).tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("arc", ARCS)
def test_an_arc_moves_the_energy_of_tables_and_arrays_alike(arc):
    table = make_sounds(10, 1).assign(tempo=0.0, key=0, mode=1, loudness=-9.0)
    found = order_playlist(table, arc=arc)
    assert found.tolist() == order_playlist(table[list(SOUNDS)].to_numpy(float), arc=arc).tolist()
    rank = table["energy"].rank().to_numpy()[found]
    wanted = {"rise": 9, "fall": 0, "wave": 5}[arc]
    assert abs(int(rank.argmax()) - wanted) <= 1
    moved = 100 * np.eye(10)[::-1]  # no song may stand at its own row from the end
    placed = order_playlist(table, arc=arc, place=moved)
    assert all(placed[p] != 9 - p for p in range(10))
    assert measure_arc(table, placed, arc) < measure_arc(table, placed[::-1], arc) or arc == "wave"


def test_no_song_one_song_and_two():
    empty = make_sounds(0, 0)
    assert order_playlist(empty).tolist() == []
    assert order_playlist(empty, start=make_sounds(2, 0)).tolist() == []
    assert order_playlist(make_sounds(1, 0), start=0, end=0).tolist() == [0]
    assert order_playlist(make_sounds(2, 0), start=1, end=0).tolist() == [1, 0]
    assert order_playlist(make_sounds(2, 0), end=1, arc="rise").tolist() == [0, 1]


def measure_arc(table, order, arc):
    costs = place_arc(table["energy"].to_numpy(), arc)
    return costs[order, np.arange(len(order))].sum()


SONGS = make_sounds(3, 0)
POINTS = np.zeros((3, 2))


@pytest.mark.parametrize(
    ("songs", "told", "message"),
    [
        (None, {}, "songs: expected a DataFrame or an array of two axes, found None"),
        (np.zeros(3), {}, r"songs: .* found the shape \(3,\)"),
        (SONGS, {"cost": "price"}, "cost: expected one of transition, distance, a matrix or a"),
        (SONGS, {"cost": None}, "cost: expected numbers of the shape|cost: expected the shape"),
        (SONGS, {"cost": np.zeros((2, 2))}, r"cost: expected the shape \(3, 3\), found \(2, 2\)"),
        (SONGS, {"cost": [["a"]]}, r"cost: expected numbers of the shape \(3, 3\), found"),
        (SONGS, {"cost": np.full((3, 3), np.nan)}, "costs: expected finite numbers, found nan"),
        (SONGS, {"cost": lambda songs: 1.0}, r"cost, called with the songs: expected the shape"),
        (SONGS, {"cost": np.zeros((3, 3)), "start": SONGS}, "a matrix knows no songs before"),
        (SONGS, {"cost": "distance"}, "songs: expected points for the cost 'distance'"),
        (POINTS, {"cost": "transition"}, r"songs: expected numbers of the shape \(n, 5\)"),
        (np.full((3, 5), np.nan), {}, "found nan in column 'tempo', row 0"),
        (SONGS, {"arc": "up"}, "arc: expected one of rise, fall, wave, or None, found 'up'"),
        (SONGS, {"arc": ["rise"]}, "arc: expected one of"),
        (POINTS, {"cost": "distance", "arc": "rise"}, "arc: expected songs with a column 'energy'"),
        (SONGS, {"start": 3}, "start: expected a row number below 3, found 3"),
        (SONGS, {"end": -1}, "end: expected a row number below 3, found -1"),
        (SONGS, {"start": True}, "start: expected a row number or a DataFrame like the songs"),
        (SONGS, {"start": "0"}, "start: expected a row number or a DataFrame like the songs"),
        (SONGS, {"start": POINTS}, "start: expected a row number or a DataFrame like the songs"),
        (SONGS, {"end": SONGS[:0]}, "end: expected at least one song, found none"),
        (POINTS, {"cost": "distance", "end": np.zeros((1, 3))}, "end: expected 2 columns, as the"),
        (SONGS, {"start": 1, "end": 1}, "end: expected another song than the first, found 1"),
        (SONGS, {"place": np.zeros((3, 2))}, r"place: expected the shape \(3, 3\), found \(3, 2\)"),
        (SONGS, {"place": np.full((3, 3), np.inf)}, "place: expected finite numbers, found inf"),
    ],
)
def test_what_cannot_be_ordered_is_refused(songs, told, message):
    with pytest.raises(ValueError, match=message):
        order_playlist(songs, **told)


def test_a_table_without_what_a_transition_reads_is_named():
    with pytest.raises(DataError, match="missing column 'loudness'"):
        order_playlist(SONGS.drop(columns="loudness"))
    with pytest.raises(DataError, match="missing column 'energy'"):
        order_playlist(SONGS.drop(columns="energy"), cost=np.zeros((3, 3)), arc="rise")


# --- no two of one artist in a row --------------------------------------------------------


def count_repeats(values):
    """How often a value stands beside itself; a missing one is nobody's."""
    return sum(a == b and a is not None for a, b in itertools.pairwise(values))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 6), st.booleans())
def test_songs_of_one_artist_are_apart_where_they_can_be_and_then_no_order_costs_less(
    seed, n, fixed
):
    rng = np.random.default_rng(seed)
    steps = rng.random((n, n)) * 10.0 ** rng.integers(-3, 4)
    artists = rng.choice(np.array(["Ann", "Bob", None], dtype=object), n).tolist()
    first, last = (0, n - 1) if fixed else (None, None)

    def measure(path):
        repeats = count_repeats([artists[song] for song in path])
        return repeats, sum(steps[a, b] for a, b in itertools.pairwise(path))

    songs = np.arange(float(n))[:, None]
    found = order_playlist(songs, cost=steps, start=first, end=last, apart=artists).tolist()
    repeats, cost = min(map(measure, list_orders(n, first, last)))
    assert measure(found)[0] == repeats
    assert measure(found)[1] == pytest.approx(cost)


def test_the_artist_before_the_list_is_not_the_first_in_it():
    songs = pd.DataFrame({"at": [1.0, 2.0, 9.0], "artist": ["Ann", "Bob", "Eve"]})
    seed = pd.DataFrame({"at": [0.0], "artist": ["Ann"]})

    def cost(table):
        at = table["at"].to_numpy()
        return abs(at[:, None] - at)

    assert order_playlist(songs, cost=cost, start=seed).tolist() == [0, 1, 2]
    assert order_playlist(songs, cost=cost, start=seed, apart="artist").tolist()[0] == 1


@pytest.mark.parametrize(
    ("apart", "said"),
    [
        ("artist", "expected a column 'artist' of songs, found an array"),
        (["Ann"], "expected 2 values, one for each song, found 1"),
    ],
)
def test_what_keeps_nothing_apart_is_refused(apart, said):
    with pytest.raises(ValueError, match=said):
        order_playlist(np.zeros((2, 1)), cost="distance", apart=apart)
