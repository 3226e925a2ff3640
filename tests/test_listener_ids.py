"""Who listened to what: ids that are missing or of two kinds are told, not counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from aares import data
from aares.recommend.listeners.users import make_matrix

SONGS = pd.DataFrame({"id": ["s1", "s2", "s3"]})
IDS = "expected an id, text or a number, found"


def play(users: list[Any], songs: list[Any]) -> pd.DataFrame:
    return pd.DataFrame(
        {"user_id": pd.Series(users, dtype=object), "id": pd.Series(songs, dtype=object)}
    )


@pytest.mark.parametrize(
    "value",
    [None, np.nan, pd.NA, pd.NaT, float("inf"), "", " ", True, ["u1"], {"u1"}, ("u1", "u2"), b"u1"],
    ids=repr,
)
def test_what_is_no_id_is_told(value):
    with pytest.raises(ValueError, match=f"plays, column 'user_id', row 2: {IDS}"):
        make_matrix(play(["u1", value], ["s1", "s2"]), SONGS)
    with pytest.raises(ValueError, match=f"plays, column 'id', row 2: {IDS}"):
        make_matrix(play(["u1", "u2"], ["s1", value]), SONGS)
    songs = pd.DataFrame({"id": pd.Series(["s1", value], dtype=object)})
    with pytest.raises(ValueError, match=f"songs, column 'id', row 2: {IDS}"):
        make_matrix(play(["u1"], ["s1"]), songs)


def test_ids_of_two_kinds_are_told():
    with pytest.raises(ValueError, match="row 3: expected text as in row 1, found 3"):
        make_matrix(play(["u1", "u2", 3], ["s1"] * 3), SONGS)
    with pytest.raises(ValueError, match="row 2: expected a number as in row 1, found '1'"):
        make_matrix(play([1, "1"], ["s1"] * 2), SONGS)
    with pytest.raises(ValueError, match="plays, column 'user_id', row 3"):  # the worse one first
        make_matrix(play(["u1", 2, None], ["s1"] * 3), SONGS)


@pytest.mark.parametrize("kind", [int, float, str, np.int32])
def test_ids_of_one_kind_are_counted(kind):
    songs = pd.DataFrame({"id": [kind(7), kind(5)]})
    plays = pd.DataFrame(
        {"user_id": [kind(2), kind(1), kind(2)], "id": songs["id"][[0, 0, 1]].values}
    )
    matrix, users = make_matrix(plays, songs)
    assert users == [kind(1), kind(2)]
    assert matrix.toarray().tolist() == [[1, 0], [1, 1]]


def test_categories_and_other_row_labels_make_no_difference():
    plays = play(["u2", "u1", "u2", "u2"], ["s1", "s3", "s3", "s3"])
    told = make_matrix(plays, SONGS)[0].toarray().tolist()
    assert told == [[0, 0, 1], [1, 0, 1]]
    for other in (plays.astype("category"), plays.astype("string"), plays.set_index(np.zeros(4))):
        assert make_matrix(other, SONGS)[0].toarray().tolist() == told


def test_nobody_listened():
    matrix, users = make_matrix(play([], []), SONGS)
    assert matrix.shape == (0, 3) and users == []
    assert make_matrix(play([], []), SONGS[:0])[0].shape == (0, 0)


def test_a_song_that_stands_twice_or_nowhere_is_told():
    with pytest.raises(ValueError, match="songs: song 's1' stands twice"):
        make_matrix(play(["u1"], ["s1"]), pd.concat([SONGS, SONGS[:1]]))
    with pytest.raises(ValueError, match="plays: song 's9' is not in the table"):
        make_matrix(play(["u1", "u1"], ["s1", "s9"]), SONGS)


def test_tables_without_ids_are_told():
    for plays in (SONGS, None, [("u1", "s1")]):
        with pytest.raises(ValueError, match="plays: expected a DataFrame with a column 'user_id'"):
            make_matrix(plays, SONGS)
    with pytest.raises(ValueError, match="songs: expected a DataFrame with a column 'id'"):
        make_matrix(play(["u1"], ["s1"]), pd.DataFrame({"name": ["x"]}))


def test_the_listeners_of_the_demo_are_a_matrix(demo):
    listening = data.load_listening(demo)
    matrix, users = make_matrix(listening.plays, listening.songs)
    assert matrix.nnz == len(listening.plays)
    assert users == sorted(set(listening.plays["user_id"]))
