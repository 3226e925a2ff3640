"""The ranker for listeners: what it learns, what it must not see, and what it says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from aares import data
from aares.data import make_songs
from aares.recommend.listeners import profile_features
from aares.recommend.listeners.listener_ranker import ListenerRanker
from aares.recommend.listeners.profile_features import NAMES, VOICES, ProfileReader
from aares.recommend.listeners.song_facts import read_facts
from aares.recommend.listeners.users import EaseScorer

N_SONGS, N_LISTENERS, N_ARTISTS = 240, 60, 24


@pytest.fixture(scope="module")
def songs() -> pd.DataFrame:
    """Songs of 24 artists, who come in four styles of their own sound and years."""
    rng = np.random.default_rng(3)
    artist = np.arange(N_SONGS) % N_ARTISTS
    style = artist % 4
    table = make_songs(
        "recommendation",
        N_SONGS,
        energy=(0.15 + 0.2 * style + 0.05 * rng.random(N_SONGS)).clip(0, 1),
        tempo=80 + 20.0 * style + 5 * rng.random(N_SONGS),
        release_date=[
            f"{1970 + 10 * s}-0{1 + a % 9}-11" for s, a in zip(style, artist, strict=True)
        ],
        name=[f"Song {row}" for row in range(N_SONGS)],
        artists=[(f"Artist {one}",) for one in artist],
    )
    return table.drop(columns="year")


@pytest.fixture(scope="module")
def heard() -> sparse.csr_matrix:
    """Listeners of one style each, who have twenty songs of some of its artists."""
    rng = np.random.default_rng(5)
    rows = []
    for listener in range(N_LISTENERS):
        fits = np.flatnonzero(np.arange(N_SONGS) % N_ARTISTS % 4 == listener % 4)
        row = np.zeros(N_SONGS)
        row[rng.choice(fits, 20, replace=False)] = 1
        rows.append(row)
    return sparse.csr_matrix(np.array(rows))


def add_twins(
    songs: pd.DataFrame, heard: sparse.csr_matrix
) -> tuple[pd.DataFrame, sparse.csr_matrix]:
    """Each song once more under another id, with all it has but a listener."""
    twins = songs.assign(id=songs["id"] + "x")
    nobody = sparse.csr_matrix(heard.shape)
    wide = sparse.csr_matrix(sparse.hstack([heard, nobody]))
    return pd.concat([songs, twins], ignore_index=True), wide


@pytest.fixture(scope="module")
def lonely(heard) -> sparse.csr_matrix:
    """Two songs of three have one listener: to be unheard by others tells of being hidden."""
    kept = heard.tolil(copy=True)
    for song in np.flatnonzero(np.arange(N_SONGS) % 3 > 0):
        listeners = kept[:, [song]].nonzero()[0]
        kept[np.delete(listeners, song % max(len(listeners), 1)), song] = 0
    return sparse.csr_matrix(kept)


def find_gain_of_being_unheard(songs, heard) -> float:
    """Return by how much a song without listener is above its twin that has some, at most."""
    table, wide = add_twins(songs, heard)
    ranker = ListenerRanker(table, rounds=40, n_folds=15, min_songs=5).fit(wide)
    assert ranker.booster_ is not None
    gains = []
    for found in ranker.reader_.read(wide[:12]):
        scores = dict(zip(found.rows.tolist(), ranker.weigh(found).tolist(), strict=True))
        both = [row for row in scores if row + N_SONGS in scores]
        gains += [scores[row + N_SONGS] - scores[row] for row in both]
    assert len(gains) > 100
    return max(gains)


def test_a_song_gains_nothing_by_having_no_listener(songs, lonely):
    assert find_gain_of_being_unheard(songs, lonely) <= 0


def test_a_count_among_the_inputs_is_found_out(songs, lonely, monkeypatch):
    """The same check with the trap built in: an input that says who has no listener."""
    learn, describe = ProfileReader.__init__, ProfileReader._describe_popularity

    def learn_counts(self, facts, matrix, **options):
        learn(self, facts, matrix, **options)
        self.unheard = np.asarray(matrix.sum(axis=0)).ravel() == 0

    def tell_counts(self, known, rows):
        return [*describe(self, known, rows)[:-1], self.unheard[rows].astype(float)]

    monkeypatch.setattr(ProfileReader, "__init__", learn_counts)
    monkeypatch.setattr(ProfileReader, "_describe_popularity", tell_counts)
    assert find_gain_of_being_unheard(songs, lonely) > 0


def test_voices_only_ever_raise_a_score(songs, heard):
    ranker = ListenerRanker(songs, rounds=40).fit(heard)
    found = ranker.reader_.read(heard[:1])[0]
    silent = found.inputs.copy()
    silent[:, : len(VOICES)] = 0
    louder = ranker.weigh(found)
    quieter = ranker.weigh(profile_features.Candidates(found.rows, silent, 0 * found.support))
    assert (quieter <= louder).all()


def test_voices_are_silent_about_songs_without_listeners(songs, heard):
    table, wide = add_twins(songs, heard)
    reader = ProfileReader(read_facts(table), wide)
    voices, support = reader.hear(wide[:5])
    assert (voices >= 0).all() and (voices[:2, :, N_SONGS:] == 0).all()
    assert voices[:2, :, :N_SONGS].any()
    assert (support >= 0).all() and (support[:, N_SONGS:] == 0).all() and support.any()


def test_support_is_added_to_what_trees_say(songs, heard):
    alone = ListenerRanker(songs, rounds=20, support=0.0).fit(heard[8:])
    ranker = ListenerRanker(songs, rounds=20, support=4.0).fit(heard[8:])
    ease = EaseScorer(strength=10.0).fit(heard[8:]).score_known(heard[:3])
    for user, found in enumerate(ranker.reader_.read(heard[:3])):
        added = ranker.weigh(found) - alone.weigh(found)
        assert added == pytest.approx(4.0 * ease[user, found.rows].clip(0.0), abs=4.0 * 2.0**-14)
        assert added.min() == 0 < added.max()


@pytest.mark.parametrize("support", [-1.0, "4", float("nan")])
def test_a_wrong_weight_of_support_is_told(songs, heard, support):
    with pytest.raises(ValueError, match="support: expected a number from 0, found"):
        ListenerRanker(songs, support=support).fit(heard)


def test_hidden_songs_of_a_style_come_first(songs, heard):
    ranker = ListenerRanker(songs, rounds=40).fit(heard[8:])
    known = heard[:8]
    scores = ranker.score(known)
    style = np.arange(N_SONGS) % N_ARTISTS % 4
    for listener in range(8):
        order = np.argsort(-np.where(known[[listener]].toarray()[0] > 0, -np.inf, scores[listener]))
        assert (style[order[:10]] == listener % 4).mean() > 0.8


def test_the_same_lists_every_time(songs, heard):
    first = ListenerRanker(songs, rounds=10).fit(heard).score(heard[:3])
    again = ListenerRanker(read_facts(songs), rounds=10).fit(heard).score(heard[:3])
    assert (first == again).all()


def test_explanations_add_up_and_name_known_songs(songs, heard):
    ranker = ListenerRanker(songs, rounds=20).fit(heard)
    profile = heard[:1]
    song = int(ranker.reader_.read(profile)[0].rows[0])
    parts = ranker.explain_score(profile, song)
    assert parts.sum() == pytest.approx(ranker.score(profile)[0, song])
    carried = ranker.explain(profile, song)
    assert set(carried["song"]) <= set(profile.indices) and len(carried) == 3
    same = N_ARTISTS * np.arange(10) + song % N_ARTISTS
    assert carried["artist"].tolist() == carried["song"].isin(same).tolist()


@pytest.mark.parametrize(
    ("profile", "song", "words"),
    [
        (np.zeros((1, N_SONGS)), 0, "expected the songs of one listener, found 1 listeners with 0"),
        (np.ones((2, N_SONGS)), 0, "expected the songs of one listener, found 2 listeners"),
        (np.ones((1, 3)), 0, f"expected {N_SONGS} songs"),
        (np.ones((1, N_SONGS)), N_SONGS, f"song: expected 0 to {N_SONGS - 1}"),
        (np.ones((1, N_SONGS)), "0", "song: expected a column number, found '0'"),
        (np.ones((1, N_SONGS)), True, "song: expected a column number, found True"),
    ],
)
def test_wrong_questions_are_told(songs, heard, profile, song, words):
    ranker = ListenerRanker(songs, rounds=2).fit(heard)
    for ask in (ranker.explain, ranker.explain_score):
        with pytest.raises(ValueError, match=words):
            ask(profile, song)


def test_another_table_is_told(songs, heard):
    with pytest.raises(ValueError, match=f"songs: expected {N_SONGS}, one a column, found 5"):
        ListenerRanker(songs.head(5)).fit(heard)


def test_few_listeners_are_served_without_trees(songs, heard):
    ranker = ListenerRanker(songs).fit(heard[:1])
    assert ranker.booster_ is None
    scores = ranker.score(heard[1:2])[0]
    by_artist = np.isin(np.arange(N_SONGS) % N_ARTISTS, heard[[1]].indices % N_ARTISTS)
    assert scores[by_artist].max() > scores[~by_artist].max()
    with pytest.raises(ValueError, match="expected trees to explain"):
        ranker.explain_score(heard[:1], 0)


def test_all_inputs_are_finite_and_named(songs, heard):
    for table in (songs, songs.drop(columns=["release_date", "popularity"])):
        found = ProfileReader(read_facts(table), heard).read(heard[:4])
        for one in found:
            assert one.inputs.shape == (len(one.rows), len(NAMES)) and np.isfinite(one.inputs).all()


def test_ordered_playlists_are_needed_where_they_are_asked_for(demo):
    with pytest.raises(data.DataError, match="polimi2018_playlist_track_pos.csv"):
        data.load_ordered(demo)
