"""Exercise 3: the space of songs, playlists with their rules, learning from listeners, judging."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from aares.data import DataError, DataWarning
from aares.data.titles import normalise, strip_title
from aares.recommend import Recommender, SongNotFoundError, SongSpace
from aares.recommend.listeners.evaluate import (
    Task,
    choose_weights,
    compare_pair,
    find_hidden,
    is_cold,
    judge,
    judge_methods,
    make_tasks,
    split_users,
    summarise,
)
from aares.recommend.listeners.users import (
    ArtistScorer,
    ContentScorer,
    EaseScorer,
    HybridScorer,
    ItemCosineScorer,
    PopularScorer,
    RandomScorer,
    make_matrix,
    mix_scores,
)
from aares.recommend.lists.telling import ShortPlaylistWarning
from aares.recommend.lists.transitions import measure_transitions
from aares.recommend.space.content import (
    WEIGHTS,
    combine_seeds,
    compute_key_angle,
    measure_distances,
    measure_path,
    order_smoothly,
)

STYLES = ("calm", "loud", "talk")


def make_songs(n: int = 150, *, seed: int = 0) -> pd.DataFrame:
    """Songs in three styles that differ in every share; row i has style i % 3."""
    rng = np.random.default_rng(seed)
    style = np.arange(n) % len(STYLES)
    level = np.array([0.15, 0.5, 0.85])[style]
    songs = pd.DataFrame({"id": [f"id{i}" for i in range(n)]})
    songs["name"] = [f"{STYLES[s].title()} Song {i}" for i, s in enumerate(style)]
    songs["artists"] = [(f"{STYLES[s]} band {i % 36}",) for i, s in enumerate(style)]
    for name in WEIGHTS:
        songs[name] = (level + rng.normal(0, 0.04, n)).clip(0, 1)
    songs["loudness"] = -20 * songs["loudness"]
    songs["speechiness"] *= 0.5  # sung: from two thirds on, people speak
    songs["key"], songs["mode"] = rng.integers(0, 12, n), rng.integers(0, 2, n)
    songs["tempo"], songs["year"] = rng.normal(120, 5, n), rng.integers(1990, 2000, n)
    songs["duration_ms"] = rng.integers(180_000, 240_000, n)
    songs["popularity"] = rng.integers(31, 100, n)
    return songs


@pytest.fixture(scope="module")
def songs() -> pd.DataFrame:
    return make_songs()


@pytest.fixture(scope="module")
def recommender(songs) -> Recommender:
    return Recommender().fit(songs)


# --- titles -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("Hello (Live at Home)", "hello"),
        ("Hello - Remastered 2009", "hello"),
        ("Sérénade [Deluxe]", "serenade"),
        ("(Intro)", "intro"),
        ("re-hash", "re hash"),
        ("東京", "東京"),
        ("???", "???"),
    ],
)
def test_titles_without_their_suffix(title, bare):
    assert strip_title(title) == bare


def test_normalise_ignores_case_accents_and_punctuation():
    assert normalise("Beyoncé & JAY-Z") == normalise("beyonce  jay z")


# --- space --------------------------------------------------------------------------------


def test_neighbours_on_the_circle_of_fifths_are_near_keys():
    angle = compute_key_angle(np.array([0, 7, 6, 9, 0]), np.array([1, 1, 1, 0, 0]))
    c_major, g_major, f_sharp, a_minor, c_minor = np.exp(1j * angle)
    assert abs(c_major - g_major) == pytest.approx(2 * np.sin(np.pi / 12))
    assert abs(c_major - f_sharp) == pytest.approx(2)
    assert abs(c_major - a_minor) == pytest.approx(0)
    assert abs(c_major - c_minor) > 1


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({"mood": 1.0}, "no feature 'mood'; there are danceability"),
        ({"energy": -1.0}, "number from 0 for 'energy', found -1"),
        ({"energy": "2"}, "number from 0 for 'energy', found '2'"),
        ({"energy": np.nan}, "number from 0 for 'energy', found nan"),
        ([1.0], r"expected a dict .*, found \[1.0\]"),
    ],
    ids=str,
)
def test_weights_that_weigh_nothing_are_named(songs, weights, words):
    with pytest.raises(ValueError, match=f"^weights: .*{words}"):
        Recommender(weights=weights).fit(songs)


def test_space_is_standardised_and_weighted(songs):
    flat = SongSpace(weights=dict.fromkeys(WEIGHTS, 1.0)).fit(songs)
    points = flat.transform(songs)
    assert points.mean(axis=0) == pytest.approx(0, abs=0.05)
    assert points.std(axis=0) == pytest.approx(1, abs=0.1)
    assert np.abs(points).max() <= 3
    deaf = SongSpace(weights={"key": 0.0}).fit(songs)
    kept = deaf.transform(songs)
    assert kept[:, deaf.names_.index("key_x")] == pytest.approx(0)


def test_space_works_without_a_year_and_names_what_is_missing(songs):
    assert "year" not in SongSpace().fit(songs.drop(columns="year")).names_
    with pytest.raises(ValueError, match="'energy'"):
        SongSpace().fit(songs.drop(columns="energy"))
    with pytest.raises(ValueError, match="'valence', row 1: .* found a missing value"):
        SongSpace().fit(songs.assign(valence=np.nan))


def test_a_constant_column_and_a_tempo_of_zero_do_no_harm(songs):
    points = SongSpace().fit_transform(songs.assign(tempo=0.0, liveness=0.0))
    assert np.isfinite(points).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 4))
def test_distances_are_those_of_the_definition(seed, n, k):
    rng = np.random.default_rng(seed)
    points, seeds = rng.normal(size=(n, 5)), rng.normal(size=(k, 5))
    slow = np.array([[np.linalg.norm(p - s) for s in seeds] for p in points])
    assert measure_distances(points, seeds) == pytest.approx(slow, abs=1e-6)
    nearest, mean = combine_seeds(slow, "nearest"), combine_seeds(slow, "mean")
    soft = combine_seeds(slow, "soft")
    assert (nearest <= soft + 1e-9).all() and (soft <= mean + 1e-9).all()


def test_combining_one_seed_changes_nothing():
    distances = np.arange(6.0)[:, None]
    for how in ("nearest", "mean", "soft"):
        assert combine_seeds(distances, how) == pytest.approx(distances[:, 0])
    with pytest.raises(ValueError, match="'nearest'"):
        combine_seeds(distances, "best")


def test_the_soft_minimum_of_known_distances():
    distances = np.array([[1.0, 2.0], [0.0, 2000.0]])  # e to the 2000th is no number
    expected = [-np.log((np.exp(-1) + np.exp(-2)) / 2), np.log(2)]
    assert combine_seeds(distances, "soft") == pytest.approx(expected)


# --- playlists ----------------------------------------------------------------------------


def test_playlist_has_ten_songs_of_the_seeds_style(recommender):
    playlist = recommender.playlist("id0")
    assert len(playlist) == 10
    assert playlist["name"].str.startswith("Calm").all()
    assert "id0" not in set(playlist["id"])
    assert playlist["artist"].value_counts().max() <= 2


def test_playlist_holds_the_closest_songs(songs, recommender):
    playlist = recommender.playlist("id4", n=5, max_per_artist=99, cost=None)
    near = recommender.index_.candidates(4, len(songs))
    score = recommender.index_.score(4, near)
    expected = songs["id"].to_numpy()[near[np.argsort(-score)[:5]]]
    assert playlist["id"].tolist() == expected.tolist()
    assert playlist["score"].is_monotonic_decreasing
    assert playlist.columns.tolist() == ["id", "name", "artist", "year", "score", "seed", "reason"]


def test_a_list_of_two_styles_gets_songs_of_both():
    playlist = Recommender().fit(make_songs()).playlist(["id0", ("Talk Song 2", "")], n=11)
    style = playlist["name"].str[:4]
    assert sorted(style.value_counts().tolist()) == [5, 6]
    assert (style == playlist["seed"].str[:4]).all()


def test_a_seed_that_leads_no_song_leaves_its_share_to_the_others(songs):
    twin = songs.iloc[[0]].assign(id="twin", name="Other name")
    recommender = Recommender().fit(pd.concat([songs, twin], ignore_index=True))
    assert len(recommender.playlist(["id0", "twin"])) == 10


def test_other_releases_of_seed_and_songs_are_left_out(songs):
    copies = songs.assign(id="copy-" + songs["id"], name=songs["name"] + " - Remastered 2011")
    both = pd.concat([songs, copies], ignore_index=True)
    playlist = Recommender().fit(both).playlist("copy-id7", n=15)
    bare = playlist["name"].map(strip_title)
    assert bare.is_unique
    assert strip_title(songs["name"][7]) not in set(bare)


@pytest.mark.parametrize(("limit", "size"), [(1, 12), (2, 20)])
def test_artist_limit(recommender, limit, size):
    playlist = recommender.playlist("id0", n=size, max_per_artist=limit)
    assert playlist["artist"].value_counts().max() <= limit


def test_few_songs_give_a_short_playlist(songs):
    for n, size in ((3, 2), (1, 0)):
        with pytest.warns(ShortPlaylistWarning, match=f"expected 10 songs, found {size}: the cata"):
            assert len(Recommender().fit(songs.iloc[:n]).playlist("id0")) == size


def test_find_song_ignores_case_and_suffix_and_prefers_the_popular(songs):
    twice = pd.concat([songs, songs.iloc[[3]].assign(id="hit", popularity=100)])
    twice["name"] = twice["name"] + " (Live)"
    recommender = Recommender().fit(twice)
    assert recommender.find_song("calm song 3") == "hit"
    assert recommender.find_song("CALM SONG 3 (live)", "Calm Band 3") == "hit"


def test_names_of_symbols_are_told_apart(songs):
    names = ["???", "!!!", "♥"]
    odd = songs.iloc[:3].assign(name=names, popularity=[90, 50, 10])
    recommender = Recommender().fit(pd.concat([odd, songs.iloc[3:]]))
    assert [recommender.find_song(name) for name in names] == odd["id"].tolist()
    with pytest.raises(SongNotFoundError):
        recommender.find_song("???", "♥")


def test_unknown_songs_raise_with_a_suggestion(recommender):
    with pytest.raises(SongNotFoundError, match=r"did you mean Calm Song 3 by calm band 3"):
        recommender.find_song("Calm Sonk 3", "calm band 3")
    with pytest.raises(SongNotFoundError, match="calm band 3"):
        recommender.find_song("Calm Song 3", "calm bandd 3")
    with pytest.raises(SongNotFoundError, match="id or the title 'nope'"):
        recommender.playlist("nope")
    with pytest.raises(SongNotFoundError, match="no song 'zzzzzzzzz'$"):
        recommender.find_song("zzzzzzzzz")


@pytest.mark.parametrize(
    "options", [{"n": 0}, {"max_per_artist": 0}, {"diversity": 1.5}, {"seeds": []}], ids=str
)
def test_impossible_options_raise(recommender, options):
    with pytest.raises(ValueError, match="expected"):
        recommender.playlist(**{"seeds": "id0", **options})


def test_tables_that_cannot_be_used_raise(songs):
    with pytest.raises(ValueError, match="at least one song"):
        Recommender().fit(songs.iloc[:0])
    with pytest.raises(ValueError, match="'id0' stands already in row 1"):
        Recommender().fit(pd.concat([songs, songs.iloc[:1]]))
    with pytest.raises(ValueError, match="'artists'"):
        Recommender().fit(songs.drop(columns="artists"))


def test_diversity_spreads_the_playlist(recommender):
    def spread(diversity):
        rows = recommender.find_rows(
            recommender.playlist("id0", diversity=diversity)["id"].tolist()
        )
        return measure_distances(recommender.points_[rows], recommender.points_[rows]).mean()

    assert spread(0.7) > spread(0.0)


# --- songs with a missing cell ------------------------------------------------------------


def test_songs_with_a_missing_cell_are_kept_out_and_counted(songs, recommender):
    holes = songs.astype({"energy": object, "tempo": object})
    holes.loc[3, "energy"], holes.loc[[3, 9], "tempo"] = np.nan, None
    told = r"2 of 150 were kept out, whose cells are missing: 'energy' of 1, 'tempo' of 2"
    with pytest.warns(DataWarning, match=told):
        fitted = Recommender().fit(holes)
    assert fitted.left_out_ == 2 and len(fitted.songs_) == 148
    assert recommender.left_out_ == 0
    whole = Recommender().fit(songs.drop(index=[3, 9]))
    pd.testing.assert_frame_equal(fitted.playlist("id0"), whole.playlist("id0"))
    with pytest.raises(SongNotFoundError):
        fitted.playlist("id3")


def test_what_is_wrong_is_still_refused(songs):
    with pytest.raises(DataError, match=r"'energy', row 4\b.* found '1.7'"):
        Recommender().fit(songs.assign(energy=[*songs["energy"][:3], 1.7, *songs["energy"][4:]]))
    with pytest.raises(DataError, match="expected at least one without a missing value"):
        Recommender().fit(songs.assign(energy=np.nan))
    with pytest.raises(TypeError, match="expected a DataFrame"):
        Recommender().fit([1, 2])


# --- neighbours, orders and ways ----------------------------------------------------------


def test_neighbours_know_no_rules(songs):
    copies = songs.assign(id="copy-" + songs["id"], name=songs["name"] + " - Live")
    recommender = Recommender().fit(pd.concat([songs, copies], ignore_index=True))
    near = recommender.neighbours("id0", 150)
    assert near["id"].iloc[0] == "copy-id0" and near["score"].is_monotonic_decreasing
    assert len(near) == 150 and "id0" not in set(near["id"])
    assert near.columns.tolist() == recommender.playlist("id0").columns.tolist()
    with pytest.raises(ValueError, match="song: expected one song, found 2"):
        recommender.neighbours(["id0", "id3"])
    with pytest.raises(ValueError, match="k: expected a whole number from 1, found 0"):
        recommender.neighbours("id0", 0)


@pytest.mark.parametrize("cost", ["transition", "distance"])
def test_a_playlist_begins_near_its_seed_and_no_order_is_cheaper(songs, recommender, cost):
    playlist = recommender.playlist("id0", n=7, cost=cost)
    rows = [0, *recommender.find_rows(playlist["id"].tolist()).tolist()]
    if cost == "transition":
        costs = measure_transitions(songs.iloc[rows])
    else:
        costs = measure_distances(recommender.points_[rows], recommender.points_[rows])
    ways = ((0, *way) for way in itertools.permutations(range(1, 8)))
    best = min(costs[way[:-1], way[1:]].sum() for way in map(np.array, ways))
    assert costs[np.arange(7), np.arange(1, 8)].sum() == pytest.approx(best)


def test_an_order_is_a_permutation_of_what_was_given(recommender):
    playlist = recommender.playlist("id0", n=12, cost=None)
    for options in ({}, {"arc": "rise"}, {"cost": "distance", "start": "id0", "end": "id3"}):
        ordered = recommender.order_playlist(playlist, **options)
        assert ordered.index.tolist() == list(range(1, 13))
        pd.testing.assert_frame_equal(
            ordered.sort_values("id", ignore_index=True),
            playlist.sort_values("id", ignore_index=True),
        )
    again = recommender.order_playlist(playlist["id"].tolist(), arc="rise")
    assert again.columns.tolist() == ["id", "name", "artist", "year"]
    assert again["id"].tolist() == recommender.order_playlist(playlist, arc="rise")["id"].tolist()


def test_arcs_have_their_shape(songs, recommender):
    energy = songs.set_index("id")["energy"]
    rise, fall, wave = (
        energy[recommender.playlist(["id0", "id1"], n=10, arc=arc)["id"]].to_numpy()
        for arc in ("rise", "fall", "wave")
    )
    assert rise[:5].mean() < rise[5:].mean() and fall[:5].mean() > fall[5:].mean()
    assert wave[3:7].mean() > max(wave[:3].mean(), wave[7:].mean())


def test_a_way_leads_from_song_to_song(recommender):
    way = recommender.playlist("id0", n=8, to="id1")
    rows = recommender.find_rows(way["id"].tolist())
    first, last = (
        np.linalg.norm(recommender.points_[rows] - recommender.points_[end], axis=1)
        for end in (0, 1)
    )
    assert first[:4].mean() < first[4:].mean() and last[:4].mean() > last[4:].mean()
    assert way["name"].str.startswith("Calm").iloc[0] and way["name"].iloc[-1][:4] == "Loud"
    assert set(way["seed"]) == {"Calm Song 0", "Loud Song 1"}
    assert not {"id0", "id1"} & set(way["id"])
    with pytest.raises(ValueError, match="seed: expected one song to go from, found 2"):
        recommender.playlist(["id0", "id3"], to="id1")
    with pytest.raises(ValueError, match="to: 'Calm Song 0' is a seed, too"):
        recommender.playlist("id0", to="id0")


@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_a_handful_of_songs(songs, n):
    few = songs.iloc[:n]
    recommender = Recommender().fit(few)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ShortPlaylistWarning)
        assert sorted(recommender.playlist("id0")["id"]) == sorted(few["id"][1:])
        if n > 1:
            assert len(recommender.playlist("id0", to=f"id{n - 1}")) == n - 2
            assert recommender.playlist("id0", n=1, diversity=0.5, random_state=1)["reason"][1]
    assert len(recommender.neighbours("id0")) == n - 1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_smooth_order_is_a_permutation_and_not_longer(seed, n):
    points = np.random.default_rng(seed).normal(size=(n, 3))
    order = order_smoothly(points, np.zeros(3))
    assert sorted(order.tolist()) == list(range(n))
    given_path = measure_path(np.vstack([np.zeros(3), points]))
    assert measure_path(np.vstack([np.zeros(3), points[order]])) <= given_path + 1e-9


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_no_reversed_piece_makes_a_smooth_order_shorter(seed):
    points = np.random.default_rng(seed).normal(size=(8, 2))
    path = np.vstack([[0.0, 0.0], points[order_smoothly(points, np.zeros(2))]])
    for i, j in itertools.combinations(range(1, 10), 2):
        other = np.vstack([path[:i], path[i:j][::-1], path[j:]])
        assert measure_path(other) >= measure_path(path) - 1e-8


def test_smooth_order_of_points_on_a_line():
    points = np.array([[3.0], [1.0], [4.0], [2.0]])
    assert order_smoothly(points, np.array([0.0])).tolist() == [1, 3, 0, 2]


# --- listeners ----------------------------------------------------------------------------


def make_listeners(n: int = 60, *, seed: int = 0) -> sparse.csr_matrix:
    """Listeners of one of two tastes: songs 0-29 or 30-59, half of them each."""
    rng = np.random.default_rng(seed)
    taste = np.arange(n) % 2
    likes = np.repeat([[True, False], [False, True]], 30, axis=1)[taste]
    return sparse.csr_matrix((likes & (rng.random(likes.shape) < 0.5)).astype(float))


def test_matrix_of_plays():
    plays = pd.DataFrame({"user_id": ["b", "a", "a"], "id": ["x", "y", "y"], "plays": [1, 2, 1]})
    matrix, users = make_matrix(plays, pd.DataFrame({"id": ["x", "y", "z"]}))
    assert users == ["a", "b"]
    assert matrix.toarray().tolist() == [[0, 1, 0], [1, 0, 0]]
    with pytest.raises(ValueError, match="'y'"):
        make_matrix(plays, pd.DataFrame({"id": ["x"]}))


@pytest.mark.parametrize("strength", [0.5, 10.0, 200.0])
def test_ease_through_listeners_is_ease_through_songs(strength):
    matrix = make_listeners(20)
    X = matrix.toarray()
    P = np.linalg.inv(X.T @ X + strength * np.eye(X.shape[1]))
    B = -P / np.diag(P)
    np.fill_diagonal(B, 0.0)
    profiles = make_listeners(6, seed=1)
    fitted = EaseScorer(strength=strength).fit(matrix)
    assert fitted.score(profiles) == pytest.approx(profiles.toarray() @ B, abs=1e-8)


def test_item_cosine_is_the_formula():
    matrix = sparse.csr_matrix(np.array([[1.0, 1, 0], [1, 1, 1], [0, 1, 0]]))
    scorer = ItemCosineScorer(shrinkage=2.0).fit(matrix)
    expected = np.array([[0, 2 / (np.sqrt(6) + 2), 1 / (np.sqrt(2) + 2)]])
    assert scorer.score(sparse.csr_matrix([[1.0, 0, 0]])) == pytest.approx(expected)


@pytest.mark.parametrize(
    "method", [EaseScorer(strength=10), ItemCosineScorer()], ids=["ease", "cos"]
)
def test_collaborative_methods_find_the_taste(method):
    matrix = make_listeners()
    tasks = make_tasks(matrix, np.arange(60), n_folds=3)
    judged = judge_methods({"it": method, "random": RandomScorer()}, tasks)
    found, chance = (judged[name]["truncated_recall"].mean() for name in ("it", "random"))
    assert found > 1.5 * chance


def test_content_and_artist_scores():
    points = np.array([[0.0], [0.1], [5.0]])
    profile = sparse.csr_matrix([[1.0, 0, 0]])
    for how in ("nearest", "mean", "soft", "centroid"):
        score = ContentScorer(points, combine=how).fit(profile).score(profile)
        assert score[0, 1] > score[0, 2]
    assert ArtistScorer(["a", "b", "a"]).fit(profile).score(profile).tolist() == [[1, 0, 1]]


def test_popular_counts_listeners():
    matrix = sparse.csr_matrix(np.array([[1.0, 1, 0], [1, 0, 0]]))
    assert PopularScorer().fit(matrix).score(matrix).tolist() == [[2, 1, 0]] * 2


def test_hybrid_ranks_a_cold_song_by_its_sound():
    """Song 3 was never played: collaborative scores are blind to it, the sum is not."""
    matrix = sparse.csr_matrix(np.array([[1.0, 1, 0, 0, 0], [1, 0, 1, 0, 0]]))
    points = np.array([[0.0], [3.0], [4.0], [0.1], [9.0]])
    parts = {"ease": EaseScorer(strength=1), "content": ContentScorer(points)}
    hybrid = HybridScorer(parts, {"ease": 1.0, "content": 1.0}).fit(matrix)
    score = hybrid.score(sparse.csr_matrix([[1.0, 0, 0, 0, 0]]))[0]
    alone = parts["ease"].fit(matrix).score(sparse.csr_matrix([[1.0, 0, 0, 0, 0]]))[0]
    assert alone[3] == pytest.approx(alone[4])
    assert score[3] > score[4]


def test_mixing_is_blind_to_scale():
    rng = np.random.default_rng(0)
    a, b = rng.random((3, 20)), rng.random((3, 20))
    weights = {"a": 1.0, "b": 2.0}
    mixed = mix_scores({"a": a, "b": b}, weights)
    assert mix_scores({"a": 50 * a + 7, "b": b}, weights) == pytest.approx(mixed)


# --- judging ------------------------------------------------------------------------------


def test_tasks_hide_songs_and_keep_listeners_apart():
    matrix = make_listeners()
    users = np.arange(0, 60, 2)
    tasks = make_tasks(matrix, users, n_folds=3, hidden_share=0.25)
    assert np.sort(np.concatenate([task.users for task in tasks])).tolist() == users.tolist()
    for task in tasks:
        assert task.train.shape[0] == 60 - len(task.users)
        assert (task.known + task.hidden != matrix[task.users]).nnz == 0
        assert task.known.multiply(task.hidden).nnz == 0
        assert np.diff(task.hidden.indptr).min() >= 1


def test_validation_and_reported_listeners_are_disjoint():
    validation, reported = split_users(make_listeners(), share=0.3, min_songs=5)
    assert not set(validation) & set(reported)
    assert len(validation) == 18 and len(reported) == 42


def test_measures_of_known_rankings():
    hidden = sparse.csr_matrix([[0.0, 1, 1, 0, 0], [0, 0, 0, 0, 1]])
    known = sparse.csr_matrix([[1.0, 0, 0, 0, 0], [1, 0, 0, 0, 0]])
    task = Task(known, known, hidden, np.array([7, 9]))
    scores = np.array([[9.0, 8, 7, 1, 0], [9, 8, 7, 1, 0]])
    table = judge(scores, task, k=3)
    assert table.index.tolist() == [7, 9]
    assert table.loc[7].tolist() == [1, 1, 1]
    assert table.loc[9].tolist() == [0, 0, 0]
    worse = judge(np.array([[9.0, 8, 2, 4, 3], [0, 1, 2, 3, 4]]), task, k=3)
    assert worse.loc[7, "truncated_recall"] == 0.5
    assert worse.loc[7, "ndcg"] == pytest.approx(1 / (1 + 1 / np.log2(3)))


def test_measures_are_cut_at_the_length_of_the_list():
    """Four songs are hidden and the list holds two: both measures can still reach 1."""
    nothing, hidden = sparse.csr_matrix((3, 6)), sparse.csr_matrix([[1.0, 1, 1, 1, 0, 0]] * 3)
    task = Task(nothing, nothing, hidden, np.arange(3))
    first, second = [9.0, 1, 2, 3, 8, 0], [8.0, 1, 2, 3, 9, 0]
    table = judge(np.array([[6.0, 5, 4, 3, 2, 1], first, second]), task, k=2)
    # The ideal gain of two places is 1 + 1/log2(3) = 1.630930; a single hit gains 1 or 0.630930.
    assert table["truncated_recall"].tolist() == [1, 0.5, 0.5]
    assert table["ndcg"].tolist() == pytest.approx([1, 0.613147, 0.386853], abs=1e-6)
    assert table["hit"].tolist() == [1, 1, 1]


def test_bootstrap_interval_holds_the_mean_and_pairs_are_paired():
    rng = np.random.default_rng(0)
    weak = pd.DataFrame({"ndcg": rng.random(200)})
    strong = weak + 0.05
    table = summarise({"weak": weak, "strong": strong})
    assert (table["ndcg_low"] < table["ndcg"]).all() and (table["ndcg"] < table["ndcg_high"]).all()
    assert table["ndcg"].tolist() == pytest.approx([weak["ndcg"].mean(), strong["ndcg"].mean()])
    gain, low, high = compare_pair(strong, weak)
    assert (gain, low, high) == pytest.approx((0.05, 0.05, 0.05))


def test_every_listener_may_be_drawn():
    two = pd.DataFrame({"ndcg": [0.0, 1.0]})
    assert summarise({"it": two}).loc["it"].tolist() == [0.5, 0, 1]
    assert compare_pair(two, two * 0) == (0.5, 0, 1)


def test_weights_are_chosen_by_what_finds_hidden_songs():
    tasks = make_tasks(make_listeners(), np.arange(20), n_folds=2)
    parts = {"good": EaseScorer(strength=10), "noise": RandomScorer()}
    weights, table = choose_weights(parts, tasks, {"good": [0.0, 1.0], "noise": [0.0, 1.0]})
    assert weights["good"] == 1.0
    assert len(table) == 3 and table["ndcg"].is_monotonic_decreasing


def test_hidden_songs_that_were_found():
    train = sparse.csr_matrix([[1.0, 1, 0, 0]])
    task = Task(
        train,
        sparse.csr_matrix([[1.0, 0, 0, 0]]),
        sparse.csr_matrix([[0.0, 1, 1, 0]]),
        np.array([0]),
    )
    table = find_hidden(np.array([[9.0, 5, 1, 2]]), task, k=2)
    assert table["found"].tolist() == [True, False]
    assert table["cold"].tolist() == [False, True]


def test_cold_songs_are_those_nobody_else_knows():
    train = sparse.csr_matrix([[1.0, 0, 0]])
    hidden = sparse.csr_matrix([[1.0, 0, 1]])
    task = Task(train, sparse.csr_matrix((1, 3)), hidden, np.array([0]))
    assert is_cold(task).tolist() == [False, True]


@pytest.mark.parametrize(
    "profiles", [None, "u1", [["u1", "s1"]], pd.DataFrame({"user_id": ["u1"], "id": ["s1"]})]
)
def test_listeners_that_are_no_matrix_are_named(profiles):
    for ask in (PopularScorer().fit, PopularScorer().fit(np.eye(2)).score):
        with pytest.raises(ValueError, match="profiles: expected a matrix .* such as make_matrix"):
            ask(profiles)
