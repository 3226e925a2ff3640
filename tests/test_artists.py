"""Artists of listeners: the files of HetRec, what is hidden, tags that must not tell."""

from __future__ import annotations

import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from aares import data
from aares.data import DataError
from aares.data.hetrec import FILES, HETREC
from aares.recommend.artists import (
    ArtistTables,
    hide_artists,
    hide_new_artists,
    hide_taggings,
    index_artists,
    prefer_unknown,
)
from aares.recommend.ease import WeightedEaseScorer
from aares.recommend.evaluate import judge
from aares.recommend.tagged import (
    FriendScorer,
    TagScorer,
    describe_by_tags,
    make_tag_rows,
    score_new_artists,
)
from aares.recommend.users import make_matrix

TEXTS = {
    "user_artists.dat": "userID\tartistID\tweight\r\n2\t51\t13\r\n2\t52\t7\r\n4\t51\t1\r\n",
    "artists.dat": 'id\tname\turl\n51\tBjörk\tx\n52\tThe "Real" One\tx\n9\tN\tx\n',
    "user_taggedartists.dat": "userID\tartistID\ttagID\tday\n"
    "2\t51\t1\t3\n2\t51\t1\t4\n4\t9\t1\t3\n",
    "tags.dat": "tagID\ttagValue\r\n1\tmúsica\r\n2\tpop\r\n",
    "user_friends.dat": "userID\tfriendID\r\n2\t4\r\n4\t2\r\n",
}


@pytest.fixture
def hetrec(tables, tmp_path):
    """The files of the archive, small and right, as a folder."""
    folder = tmp_path / "users" / HETREC
    folder.mkdir(parents=True)
    for name, text in TEXTS.items():
        coding = "latin-1" if name == "tags.dat" else "utf-8"
        (folder / name).write_bytes(text.encode(coding))
    return replace(tables, users=tmp_path / "users")


def pack(source, *, without=""):
    folder = source.users / HETREC
    with zipfile.ZipFile(folder / f"{HETREC}.zip", "w") as archive:
        for path in sorted(folder.glob("*.dat")):
            if path.name != without:
                archive.write(path, path.name)
            path.unlink()
    return folder / f"{HETREC}.zip"


# --- files --------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["in the folder", "beside it"])
def test_an_archive_is_read_in_both_encodings(hetrec, where):
    archive = pack(hetrec)
    if where == "beside it":
        archive.rename(hetrec.users / archive.name)
    found = data.load_artists(hetrec)
    assert found.source_name == "2 listeners of Last.fm (HetRec 2011)"
    assert found.artists["name"].tolist() == ["Björk", 'The "Real" One']
    assert found.taggings.to_numpy().tolist() == [["2", "51", "música"]]
    assert found.plays["plays"].tolist() == [13, 7, 1]
    assert found.friends.to_numpy().tolist() == [["2", "4"], ["4", "2"]]


def test_an_unpacked_folder_is_read_too(hetrec):
    (hetrec.users / HETREC / "tags.dat").write_text(TEXTS["tags.dat"], encoding="utf-8")
    folder = data.load_artists(hetrec)
    pack(hetrec)
    for name in ("plays", "artists", "taggings", "friends"):
        pd.testing.assert_frame_equal(
            getattr(data.load_artists(hetrec), name), getattr(folder, name)
        )


@pytest.mark.parametrize(
    ("name", "old", "new", "match"),
    [
        ("user_artists.dat", "weight", "count", "user_artists.dat: missing column 'weight'"),
        ("user_artists.dat", "\t7", "\t0", "'weight', row 2: expected a whole number from 1"),
        ("user_artists.dat", "\t7", "\tx", "'weight', row 2: expected a number, found 'x'"),
        ("user_artists.dat", "\t52\t7", "\t52", "user_artists.dat, row 2: expected 3 cells"),
        ("user_artists.dat", "2\t52", "2\t51", "user_artists.dat, row 2: 2, 51 stands a second"),
        ("user_artists.dat", "2\t52", "2\t77", "'artistID', row 2: '77' is in no other table"),
        ("user_artists.dat", "2\t52", "\t52", "'userID', row 2: expected an id, found an empty"),
        ("artists.dat", "Björk", "", "artists.dat, column 'name', row 1: expected a name"),
        ("artists.dat", "9\tN", "51\tN", "artists.dat, row 3: 51 stands a second time"),
        ("user_taggedartists.dat", "51\t1\t4", "51\t8\t4", "'tagID', row 2: '8' is in no other"),
        ("user_friends.dat", "4\t2", "4\t3", "'friendID', row 2: '3' is in no other table"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(hetrec, name, old, new, match):
    path = hetrec.users / HETREC / name
    path.write_bytes(path.read_bytes().replace(old.encode(), new.encode()))
    pack(hetrec)
    with pytest.raises(DataError, match=match):
        data.load_artists(hetrec)


def test_archives_that_are_none_are_told(hetrec):
    archive = pack(hetrec, without="tags.dat")
    with pytest.raises(DataError, match=r"zip: expected tags.dat in it, found none"):
        data.load_artists(hetrec)
    archive.write_bytes(archive.read_bytes()[:50])
    with pytest.raises(DataError, match="expected a zip archive"):
        data.load_artists(hetrec)
    archive.unlink()
    with pytest.raises(DataError, match=r"^user_artists.dat: expected in"):
        data.load_artists(hetrec)
    assert set(FILES) == set(TEXTS)


def test_the_demo_has_artists_without_tags_and_friends(demo):
    found, songs = data.load_artists(demo), data.load_listening(demo)
    assert "without tags and friends" in found.source_name
    assert found.plays["plays"].sum() == songs.plays["plays"].sum()
    assert not found.plays.duplicated(["user_id", "id"]).any()
    assert set(found.artists["name"]) <= set(songs.songs["artist"])
    seen, task = hide_artists(index_artists(found))
    assert not len(seen.taggings) and task.hidden.nnz > 1000


# --- what is hidden -----------------------------------------------------------------------

RNG = np.random.default_rng(0)
PLAYS = sparse.csr_matrix((RNG.random((30, 25)) < 0.4) * RNG.integers(1, 99, (30, 25)))
LISTS = np.argwhere(np.ones((30, 25)))
FRIENDS = sparse.csr_matrix(np.roll(np.eye(30), 1, axis=1) + np.roll(np.eye(30), -1, axis=1))
NAMES = [f"a{i}" for i in range(25)]
# Everybody gives every artist of theirs, and some others, the artist's own tag.
TAGGINGS = np.array([(u, a, a) for u, a in LISTS if PLAYS[u, a] or (u + a) % 5 == 0], dtype=np.intp)
TABLES = ArtistTables(
    sparse.csr_matrix(PLAYS, dtype=float), [f"u{i}" for i in range(30)], NAMES,
    [f"tag {i}" for i in range(25)], TAGGINGS, FRIENDS,
)  # fmt: skip


def test_taggings_of_hidden_pairs_are_hidden():
    for seed in range(3):
        seen, task = hide_artists(TABLES, random_state=seed)
        hidden = {(task.users[row], column) for row, column in np.argwhere(task.hidden.toarray())}
        left = {(u, a) for u, a, _ in seen.taggings.tolist()}
        assert hidden and not hidden & left
        assert left | hidden >= {(u, a) for u, a, _ in TAGGINGS.tolist()}


def test_a_planted_tagging_does_not_tell_what_is_hidden():
    """One listener alone gives each artist of hers a tag of her own: her hidden ones, too."""
    plays = sparse.csr_matrix((np.arange(40) < 10).astype(float)[None])
    others = sparse.csr_matrix(np.ones((1, 40)))
    planted = np.array([(0, artist, 0) for artist in range(10)])
    names = [str(i) for i in range(40)]
    tables = ArtistTables(
        sparse.csr_matrix(sparse.vstack([plays, others])), ["she", "all"], names, ["mine"],
        planted, sparse.csr_matrix((2, 2)),
    )  # fmt: skip
    seen, task = hide_artists(tables)
    hers = replace(task, known=task.known[[0]], hidden=task.hidden[[0]], users=np.array([0]))
    recall = {}
    for name, taggings in (("all", tables), ("seen", seen)):
        scorer = TagScorer(taggings.count_tags()).fit(seen.plays)
        scores = scorer.score_known(seen.plays)[[0]]
        recall[name] = float(judge(scores, hers, k=2)["truncated_recall"].iloc[0])
    assert recall["all"] == 1
    assert recall["seen"] < 0.1  # of 32 artists that nothing tells apart


def test_a_fifth_of_each_list_is_hidden_and_plays_stay():
    seen, task = hide_artists(TABLES, random_state=3)
    hidden = np.zeros(PLAYS.shape)
    hidden[task.users] = task.hidden.toarray()
    sizes = (PLAYS.toarray() > 0).sum(axis=1)
    assert (hidden > 0).sum(axis=1).tolist() == [max(1, round(0.2 * size)) for size in sizes]
    assert (seen.plays.toarray() + hidden == PLAYS.toarray()).all()
    assert (task.train != seen.plays).nnz == 0
    again = hide_artists(TABLES, random_state=3)[1]
    other = hide_artists(TABLES, random_state=4)[1]
    assert (again.hidden != task.hidden).nnz == 0 and (other.hidden != task.hidden).nnz


def test_who_has_one_artist_is_not_judged():
    plays = sparse.csr_matrix(np.array([[1.0, 0, 0], [0, 2, 3]]))
    tables = ArtistTables(
        plays, ["u", "v"], NAMES[:3], [], np.zeros((0, 3), int), sparse.csr_matrix((2, 2))
    )
    seen, task = hide_artists(tables)
    assert task.users.tolist() == [1] and seen.plays[0, 0] == 1


def test_new_artists_have_no_listener_and_no_tag_by_one():
    seen, task, new = hide_new_artists(TABLES, min_listeners=12, random_state=1)
    count = (PLAYS.toarray() > 0).sum(axis=0)
    assert (count < 12).sum() > 5 and (count[new] >= 12).all()
    assert len(new) == round(0.2 * (count >= 12).sum())
    assert not seen.plays[:, new].nnz and not task.known.nnz
    on_new = seen.taggings[np.isin(seen.taggings[:, 1], new)]
    assert len(on_new) and not np.asarray(PLAYS[on_new[:, 0], on_new[:, 1]]).any()
    assert (task.hidden != sparse.csr_matrix(PLAYS, dtype=float)[task.users][:, new]).nnz == 0


def test_nothing_is_hidden_where_nobody_tagged():
    bare = replace(TABLES, taggings=np.zeros((0, 3), dtype=np.intp))
    assert hide_taggings(bare, PLAYS) is bare


# --- methods of tags and friends ----------------------------------------------------------


def test_tags_are_profiles_of_brute_force():
    tags = TABLES.count_tags().toarray()
    weights = np.where(tags > 0, 1 + np.log(np.maximum(tags, 1)), 0)
    rarity = np.log((1 + len(tags)) / (1 + (tags > 0).sum(axis=0))) + 1
    weights = weights * rarity
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    assert describe_by_tags(sparse.csr_matrix(tags)).toarray() == pytest.approx(weights, abs=0.01)
    plays = PLAYS.toarray()
    taste = np.where(plays > 0, 1 + np.log(np.maximum(plays, 1)), 0)
    fame = np.log(1 + (plays > 0).sum(axis=0))
    scores = TagScorer(sparse.csr_matrix(tags), fame=1.0).fit(PLAYS).score_known(PLAYS)
    assert scores == pytest.approx(taste @ weights @ weights.T * fame, rel=0.02, abs=0.1)


def test_rows_of_tags_are_the_commonest():
    tags = sparse.csr_matrix(np.array([[1, 0, 2.0], [0, 0, 1], [1, 1, 0]]))
    rows = make_tag_rows(tags, n_rows=2, weight=2.0).toarray()
    assert rows == pytest.approx(np.array([[2 * (1 + np.log(2)), 2, 0], [2, 0, 2]]), abs=0.01)
    scorer = WeightedEaseScorer(strength=5.0, further=make_tag_rows(tags)).fit(np.eye(3))
    scores = scorer.score_known(np.eye(3))
    assert scores[0, 1] > 0 and scores[1, 2] < scores[0, 1]  # only tags join the artists


def test_friends_are_whose_plays_count():
    scores = FriendScorer(FRIENDS).fit(PLAYS).score_known(PLAYS)
    played = PLAYS.toarray()[[29, 1]]
    expected = np.where(played > 0, 1 + np.log(np.maximum(played, 1)), 0).sum(axis=0)
    assert scores[0] == pytest.approx(expected, abs=0.01)
    with pytest.raises(ValueError, match="profiles: expected 30 listeners"):
        FriendScorer(FRIENDS).fit(PLAYS).score_known(PLAYS[:3])
    with pytest.raises(ValueError, match="friends: expected 4 listeners"):
        FriendScorer(FRIENDS).fit(PLAYS[:4])


def test_a_new_artist_is_scored_as_those_with_its_tags():
    tags = sparse.csr_matrix(np.array([[2.0, 0], [0, 2], [1, 0], [0, 1], [0, 0]]))
    scores = np.array([[5.0, 1, 99, 99, 0]])
    found = score_new_artists(scores, tags, np.array([2, 3, 4]))
    assert found[0, 0] > found[0, 1] > found[0, 2] == 0
    scores[:, 2:4] = -99.0  # what a method says of artists that nobody knows is not looked at
    assert (score_new_artists(scores, tags, np.array([2, 3, 4])) == found).all()


def test_less_known_artists_come_first_where_scores_are_equal():
    count = np.array([100, 10, 0])
    assert np.argsort(-prefer_unknown(np.zeros((1, 3)), count)[0]).tolist() == [2, 1, 0]
    scores = np.array([[3.0, 2.0, 1.0]])
    assert np.argsort(-prefer_unknown(scores, count, amount=0.0)[0]).tolist() == [0, 1, 2]


# --- plays as entries ---------------------------------------------------------------------


def test_plays_can_be_the_entries():
    plays = pd.DataFrame({"user_id": ["u", "u", "v"], "id": ["a", "a", "b"], "plays": [3, 4, 1]})
    artists = pd.DataFrame({"id": ["a", "b"]})
    matrix, _ = make_matrix(plays, artists, values="plays")
    assert matrix.toarray().tolist() == [[7, 0], [0, 1]]
    assert make_matrix(plays, artists)[0].toarray().tolist() == [[1, 0], [0, 1]]
    with pytest.raises(ValueError, match="plays: expected a column 'weight', found none"):
        make_matrix(plays, artists, values="weight")
    for wrong in (0, -1, np.nan, np.inf, "x", None):
        spoilt = plays.astype({"plays": object})
        spoilt.loc[1, "plays"] = wrong
        with pytest.raises(ValueError, match="'plays', row 2: expected a number above 0"):
            make_matrix(spoilt, artists, values="plays")
