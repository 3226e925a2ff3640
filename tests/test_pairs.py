"""Pairs: true ones follow, false ones tell nothing else, and no song is learnt from and asked."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from aares.chaining.pairs import (
    APART_S,
    COLUMNS,
    KINDS,
    LONGEST_GAP_S,
    PIECE_S,
    draw_alike,
    draw_splices,
    split_songs,
)
from aares.errors import DataError


def make_songs(n=48, n_albums=3, seed=0):
    """Songs of albums; the last two are copies of the first two."""
    rng = np.random.default_rng(seed)
    songs = pd.DataFrame({"song": [f"song {i}" for i in range(n)]})
    songs["album"] = np.arange(n) % n_albums
    songs["seconds"] = rng.uniform(60, 200, n)
    songs["group"] = [*range(n - 2), 0, 1]
    return songs.assign(fold=split_songs(songs, 4))


@pytest.mark.parametrize("seed", [0, 1])
def test_no_song_is_in_two_folds_and_copies_are_in_one(seed):
    songs = make_songs()
    pairs = draw_splices(songs, random_state=seed)
    folds = songs.set_index("song")["fold"]
    assert (pairs["a"].map(folds) == pairs["fold"]).all()
    assert (pairs["b"].map(folds) == pairs["fold"]).all()
    assert len(songs[["group", "fold"]].drop_duplicates()) == songs["group"].nunique()
    spread = songs.drop_duplicates("group").groupby(["album", "fold"]).size()
    assert spread.max() - spread.min() <= 1


def test_copies_are_no_false_pair():
    songs = make_songs(12).assign(group=[0, 0, 1, 0, 2, 1, 3, 2, 3, 4, 4, 5], fold=0)
    groups = songs.set_index("song")["group"]
    pairs = draw_splices(songs)
    for kind in ("same album", "other album"):
        other = pairs[pairs["source"] == kind]
        assert len(other) > 10
        assert (other["a"].map(groups) != other["b"].map(groups)).all()
    alike = draw_alike(songs)
    assert (alike["a"].map(groups) != alike["b"].map(groups)).all()


@pytest.mark.parametrize("gap_s", [0.5, 2.0])
def test_starts_of_true_and_false_pairs_are_the_same_starts(gap_s):
    """Else an intro, or a loud place, would give the answer away."""
    pairs = draw_splices(make_songs().drop(columns="group"), gap_s=gap_s)
    starts = {kind: Counter(zip(part["b"], part["start"], strict=True))
              for kind, part in pairs.groupby("source")}  # fmt: skip
    assert set(starts) == {"splice", *KINDS}
    for kind in KINDS:
        assert starts[kind] == starts["splice"]
    ends = {kind: sorted(zip(part["a"], part["end"], strict=True))
            for kind, part in pairs.groupby("source")}  # fmt: skip
    assert all(ends[kind] == ends["splice"] for kind in KINDS)


def test_starts_lie_in_one_range_whatever_the_gap():
    songs = make_songs()
    near, far = (draw_splices(songs, gap_s=gap_s) for gap_s in (0.5, 2.0))
    assert near["start"].tolist() == far["start"].tolist()
    seconds = songs.set_index("song")["seconds"]
    for pairs in (near, far):
        assert (pairs["start"] >= PIECE_S + LONGEST_GAP_S).all()
        assert (pairs["start"] <= pairs["b"].map(seconds) - PIECE_S).all()
        assert (pairs["end"] >= PIECE_S).all()


def test_each_kind_is_what_it_is_called():
    songs = make_songs()
    pairs = draw_splices(songs, gap_s=0.5)
    albums = songs.set_index("song")["album"]
    b_album = pairs["b"].map(albums)
    of_kind = {kind: pairs["source"] == kind for kind in ("splice", *KINDS)}
    assert tuple(pairs) == COLUMNS
    assert (pairs["label"] == of_kind["splice"]).all()
    own = of_kind["splice"] | of_kind["other place"]
    assert (pairs["a"] == pairs["b"])[own].all()
    assert (pairs["a"] != pairs["b"])[~own].all()
    assert np.allclose((pairs["start"] - pairs["end"])[of_kind["splice"]], 0.5)
    away = (pairs["start"] - pairs["end"] - 0.5).abs()[of_kind["other place"]]
    assert away.min() >= APART_S - 1e-9
    assert (b_album == pairs["group_album"])[of_kind["same album"]].all()
    assert (b_album != pairs["group_album"])[of_kind["other album"]].all()


def test_in_the_control_nothing_tells_true_from_false():
    songs = make_songs()
    pairs = draw_splices(songs, control=True)
    albums = songs.set_index("song")["album"]
    for kind, part in pairs.groupby("source"):
        true, false = part[part["label"] == 1], part[part["label"] == 0]
        assert len(true) == len(false) > 300
        follows = (true["a"] == true["b"]) & np.isclose(true["start"] - true["end"], 0.5)
        assert not follows.any()
        for side in (true, false):
            assert ((side["a"] == side["b"]) == (kind == "other place")).all()
            same = side["b"].map(albums) == side["group_album"]
            assert (same == (kind != "other album")).all()
    assert set(pairs["source"]) == set(KINDS)


def test_short_songs_are_left_out_and_a_lonely_song_has_no_album_pair():
    songs = pd.DataFrame({"song": list("abc"), "album": ["x", "y", "y"], "seconds": [90, 90, 42.0]})
    pairs = draw_splices(songs)
    assert set(pairs["a"]) == set(pairs["b"]) == {"a", "b"}
    assert "same album" not in set(pairs["source"])


def test_pairs_alike_share_what_they_are_drawn_by():
    songs = make_songs().assign(genre=lambda x: x["album"] % 2)
    genre = songs.set_index("song")["genre"]
    pairs = draw_alike(songs, "genre", n_pairs=50)
    assert ((pairs["a"].map(genre) == pairs["b"].map(genre)) == (pairs["label"] == 1)).all()
    assert pairs["label"].value_counts().to_dict() == {1: 50, 0: 50}
    assert not pairs[["a", "b"]].duplicated().any()


@pytest.mark.parametrize(
    ("change", "options", "error", "said"),
    [
        ({}, {"gap_s": 3.0}, ValueError, "gap_s: expected 0 to 2.0, found 3.0"),
        ({}, {"n_places": 3}, ValueError, "n_places: expected an even number"),
        ({"song": "x"}, {}, DataError, "each song once, found 'x' twice"),
    ],
)
def test_what_cannot_be_drawn_is_said(change, options, error, said):
    with pytest.raises(error, match=said):
        draw_splices(make_songs().assign(**change), **options)


def test_a_missing_column_and_too_many_folds_are_said():
    with pytest.raises(DataError, match="expected a column 'seconds', found song, album"):
        draw_splices(make_songs()[["song", "album"]])
    with pytest.raises(ValueError, match="n_folds: expected 2 to 46"):
        split_songs(make_songs(), 47)
