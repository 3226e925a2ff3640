"""Order of lists: planted where it is to be found, shuffled where it is not."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from aares.chaining import sequences
from aares.data import Listening
from aares.errors import DataError
from benchmarks.chaining import listeners


def make_lists(*, ordered, n_lists=60, length=12, n_songs=40, seed=0):
    """Lists of one of two halves of the songs; ordered ones run upwards from a random song."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n_lists):
        start = rng.integers(n_songs)
        songs = (start + np.arange(length)) % n_songs + n_songs * (number % 2)
        if not ordered:
            rng.shuffle(songs)
        rows += [(f"l{number:02}", f"s{song:02}", place) for place, song in enumerate(songs)]
    return pd.DataFrame(rows, columns=["user_id", "id", "place"])


def make_plays(**lists):
    rows = [
        (name, song, place) for name, songs in lists.items() for place, song in enumerate(songs)
    ]
    return pd.DataFrame(rows, columns=["user_id", "id", "place"])


# --- reading ---------------------------------------------------------------------------------


def test_rows_in_any_order_are_the_same_lists():
    plays = make_lists(ordered=False)
    read = sequences.read_sequences(plays)
    again = sequences.read_sequences(plays.sample(frac=1, random_state=0))
    np.testing.assert_array_equal(read.song, again.song)
    np.testing.assert_array_equal(np.diff(read.starts), 12)
    assert len(read.find_neighbours()) == 60 * 11
    assert len(read.find_neighbours(5)) == 60 * 7


def test_a_gap_and_the_end_of_a_list_part_songs():
    plays = make_plays(x="abcd", y="ef")
    plays.loc[plays["id"].isin(["c", "d"]), "place"] += 1
    read = sequences.read_sequences(plays)
    pairs = [
        (read.songs[read.song[i]], read.songs[read.song[i + 1]]) for i in read.find_neighbours()
    ]
    assert pairs == [("a", "b"), ("c", "d"), ("e", "f")]


def test_a_song_that_stands_twice_counts_once():
    assert len(sequences.read_sequences(make_plays(x="abab")).song) == 2


@pytest.mark.parametrize(
    ("plays", "message"),
    [
        (make_plays(x="ab").drop(columns="place"), "found no place"),
        (make_plays(x="ab").assign(id=["a", None]), "row 1: expected a id, found an empty cell"),
        (make_plays(x="ab").assign(place=[0, 0.5]), "row 1: expected a whole number .* found 0.5"),
        (make_plays(x="ab").assign(place=["0", "b"]), "row 1: expected a whole number .* found b"),
        (make_plays(x="ab").assign(place=[0, np.inf]), "row 1: expected a whole number"),
    ],
)
def test_what_is_no_list_is_refused(plays, message):
    with pytest.raises(ValueError, match=message):
        sequences.read_sequences(plays)


def test_near_copies_are_dropped_and_the_first_is_kept():
    plays = make_plays(a="123456", b="654321", c="12789x", d="123zzz", e="uvw")
    # d has 4 different songs, of which 3 are a's; c shares 2 of 6
    assert sequences.drop_near_copies(plays)["user_id"].unique().tolist() == ["a", "c", "e"]
    chain = make_plays(a="1234", b="3456", c="5678")  # c is like b, which is no longer there
    assert sequences.drop_near_copies(chain)["user_id"].unique().tolist() == ["a", "c"]


# --- triples ---------------------------------------------------------------------------------


def test_triples_are_what_they_say():
    plays = make_lists(ordered=False)
    read = sequences.read_sequences(plays)
    place = {(row.user_id, row.id): row.place for row in plays.itertuples()}
    names = sorted(plays["user_id"].unique())
    triples = sequences.draw_triples(read)
    assert len(triples) == 60 * 11
    for row in triples.itertuples(index=False):
        group, a, follower, same, other = row
        name, ids = names[group], read.songs
        here = place[name, ids[a]]
        assert place[name, ids[follower]] == here + 1
        assert abs(place[name, ids[same]] - here) >= 2
        assert (name, ids[other]) not in place


def test_every_song_that_does_not_touch_is_drawn():
    read = sequences.read_sequences(make_plays(x="abcdef", y="ghijkl"))
    drawn = pd.concat([sequences.draw_triples(read, random_state=seed) for seed in range(60)])
    for a in range(5):
        same = set(drawn.loc[(drawn["group"] == 0) & (drawn["a"] == a), "same"])
        assert same == set(range(6)) - {a - 1, a, a + 1}


def test_a_list_with_all_songs_leaves_none_to_draw():
    with pytest.raises(ValueError, match="found one with all"):
        sequences.draw_triples(sequences.read_sequences(make_plays(x="abcd")))


# --- scores ----------------------------------------------------------------------------------


def judge(plays, score, winner, loser):
    read = sequences.read_sequences(plays)
    triples = sequences.draw_triples(read)
    table = sequences.score_by_lists(read, triples)[score]
    return sequences.estimate_win_share(table, triples["group"].to_numpy(), winner, loser)


def test_planted_order_is_found():
    plays = make_lists(ordered=True)
    for score in ("beside", "follows"):
        assert judge(plays, score, "next", "same")[0] > 0.95
    assert judge(plays, "together", "same", "other")[0] > 0.7


def test_shuffled_lists_have_none():
    plays = make_lists(ordered=False)
    for score in ("together", "beside", "follows"):
        share, low, high = judge(plays, score, "next", "same")
        assert low < 0.5 < high, share
    assert judge(plays, "together", "same", "other")[0] > 0.7


def test_a_list_says_nothing_about_itself():
    plays = make_plays(
        **{f"l{number}": [f"{number}-{song}" for song in range(8)] for number in range(6)}
    )
    for score in ("together", "beside", "follows"):
        assert judge(plays, score, "next", "same") == (0.5, 0.5, 0.5)


def test_folds_must_leave_lists_to_learn_from():
    read = sequences.read_sequences(make_plays(x="abcd", y="efgh"))
    triples = sequences.draw_triples(read)
    for n_folds in (1, 3):
        with pytest.raises(ValueError, match="expected 2 to 2"):
            sequences.score_by_lists(read, triples, n_folds=n_folds)


# --- recurrence ------------------------------------------------------------------------------


def test_lists_that_agree_recur_and_have_a_direction():
    read = sequences.read_sequences(make_lists(ordered=True))
    found = sequences.measure_recurrence(read)
    assert found.share > 0.95 > 0.85 > found.chance_high
    assert found.same_direction == 1


def test_shuffled_lists_recur_as_by_chance():
    read = sequences.read_sequences(make_lists(ordered=False, n_lists=200))
    found = sequences.measure_recurrence(read)
    assert found.chance_low - 0.02 < found.share < found.chance_high + 0.02
    assert found.same_direction_low < 0.5 < found.same_direction_high


def test_pairs_of_one_label_do_not_count():
    read = sequences.read_sequences(make_plays(x="abcd", y="abef", z="ghij"))
    labels = np.array([*"ppqrstuvwx"])  # a and b are one artist's
    assert sequences.measure_recurrence(read).n_recurring == 1
    apart = sequences.measure_recurrence(read, labels=labels)
    assert (apart.n_recurring, apart.n_pairs, apart.share) == (0, 7, 0)
    with pytest.raises(ValueError, match="expected lists with neighbours"):
        sequences.measure_recurrence(read, labels=np.zeros(10))


def test_direction_counts_couples_of_lists():
    """Of three lists that have b beside a, two agree: one couple of three."""
    read = sequences.read_sequences(make_plays(x="ab", y="ab", z="ba", v="cd", w="cd"))
    found = sequences.measure_recurrence(read)
    assert found.same_direction == pytest.approx((1 / 3 + 1) / 2)


# --- the benchmark ---------------------------------------------------------------------------


def test_the_benchmark_sees_artists_in_order():
    plays = make_lists(ordered=True)
    artists = pd.Series({song: int(song[1:]) // 2 for song in plays["id"].unique()})
    found = listeners.judge_order(plays, artists)
    assert found["n_lists"] + found["n_near_copies"] == 60
    assert found["same artist"]["next"] > 0.3 > found["same artist"]["same"] == 0
    gaps = listeners.follow_gaps(plays, artists)["same artist"]
    assert gaps["1"] > 0.3
    assert gaps["2"] == gaps["5"] == 0
    assert "20" not in gaps  # no list is as long


def test_the_benchmark_hears_neighbours_by_their_features():
    plays = make_lists(ordered=True)
    names = sorted(plays["id"].unique())
    songs = pd.DataFrame({"id": names, "artist": names, "tempo": np.arange(len(names))})
    found = listeners.judge_features(Listening("made up", plays, songs))
    assert found["all"]["next against same"][0] > 0.9
    assert found["all"]["same against other"][1] > 0.5


def test_mixes_are_read_from_the_wheel(tmp_path):
    tracks = [{"id": "a"}, {"id": None, "title": "unknown"}, {"title": "?"}, {"id": "b"}]
    with zipfile.ZipFile(tmp_path / "djmix-0.0-py3-none-any.whl", "w") as wheel:
        text = json.dumps([{"id": "mix", "tracklist": tracks}])
        wheel.writestr("dataset/djmix-dataset.json", text)
    assert listeners.read_mixes(tmp_path).to_numpy().tolist() == [["mix", "a", 0], ["mix", "b", 3]]
    with pytest.raises(DataError, match="pip download --no-deps"):
        listeners.read_mixes(tmp_path / "none")
