"""Exercise 3: a likeness of songs that is learnt from a catalogue's artists."""

from __future__ import annotations

import dataclasses
import re
from functools import cache

import lightgbm
import numpy as np
import pandas as pd
import pytest

from aares import data
from aares.recommend.catalogue import Catalogue, read_catalogue, take_songs
from aares.recommend.space import columns, ranker
from aares.recommend.space import likeness as likeness_module
from aares.recommend.space.columns import read_days
from aares.recommend.space.content import SongSpace, measure_distances
from aares.recommend.space.learnt import GRID_BITS, LearntSpace
from aares.recommend.space.likeness import BASE, SongIndex, SongLikeness
from aares.recommend.space.neighbourhood import MAX_DAY, Neighbourhood
from aares.recommend.space.ngrams import TitleSpace
from aares.recommend.space.trees import Trees, TreesError
from benchmarks.recommendation import subset as benchmark
from tests.environments import PROCESSORS, THREADS, compare_environments
from workshop.config import find_data

N_SONGS = 2000
SMALL = {"rounds": 12, "n_draws": 1}


@cache
def read_demo() -> Catalogue:
    return take_songs(read_catalogue(data.load_recommendation(find_data("demo"))), range(N_SONGS))


@cache
def read_subset() -> Catalogue:
    songs = data.load_subset(find_data("demo"))
    return read_catalogue(songs.rename(columns={"artist_name": "artist", "track_name": "name"}))


@cache
def fit_demo(**options: object) -> SongLikeness:
    return SongLikeness(**SMALL, **options).fit(read_demo())


@cache
def index_demo(**options: object) -> SongIndex:
    return fit_demo(**options).index(read_demo())


def change(catalogue: Catalogue, **columns: object) -> Catalogue:
    return read_catalogue(catalogue.songs.assign(**columns))


def answer(index: SongIndex, rows: tuple[int, ...] = (0, 7, 500, 1234)) -> list[object]:
    found = [(row, index.candidates(row, 40)) for row in rows]
    return [[near.tolist(), index.score(row, near).tolist()] for row, near in found]


def test_one_reading_for_learning_and_asking_gives_the_same():
    once = SongLikeness(**SMALL).fit_index(read_demo())
    assert (once.points == index_demo().points).all()
    assert answer(once) == answer(index_demo())


# --- what is learnt -----------------------------------------------------------------------


def test_songs_of_one_artist_are_closer_than_by_hand():
    catalogue = read_subset()
    model = LearntSpace().fit(read_demo())
    by = np.array([names[0] if names else "" for names in catalogue.by], dtype=object)

    def count_hits(points: np.ndarray) -> float:
        distances = measure_distances(points, points)
        np.fill_diagonal(distances, np.inf)
        top = np.argsort(distances, axis=0, kind="stable")[:10]
        several = pd.Series(by).duplicated(keep=False).to_numpy()
        return float((by[top] == by).any(axis=0)[several].mean())

    by_hand = SongSpace().fit_transform(catalogue.songs)
    assert count_hits(model.transform(catalogue)) > count_hits(by_hand)


def test_points_are_on_a_grid_so_that_distances_are_exact():
    points = index_demo().points * 2.0**GRID_BITS
    assert (points == np.rint(points)).all()
    assert np.abs(index_demo().points).max() < 2.0**6


def test_eras_replace_the_years():
    catalogue = read_demo()
    eras = np.full(N_SONGS, np.nan)
    eras[3] = 1950.0
    model = fit_demo()
    moved = (model.index(catalogue, eras).points != model.index(catalogue).points).any(axis=1)
    assert np.flatnonzero(moved).tolist() == [3]
    with pytest.raises(ValueError, match=r"eras: expected one year for each of 2000 songs"):
        model.index(catalogue, eras[:5])


def test_nothing_is_learnt_of_the_artists_of_a_fold():
    """The same model with the fold's artists as they are, and with their names scrambled."""
    subset, large = benchmark.read_songs(find_data("demo"))
    large = take_songs(large, range(N_SONGS))
    unseen = set(sorted({name for by in large.by for name in by})[::5])
    hidden = [not unseen.isdisjoint(by) for by in large.by]
    assert 100 < sum(hidden) < N_SONGS / 2
    names = large.songs["artists"].to_numpy(object).copy()
    scrambled = np.random.default_rng(0).permutation(names[hidden].astype(object))
    names[np.flatnonzero(hidden)] = scrambled
    songs = large.songs.assign(artists=list(names))
    songs.loc[hidden, "energy"] = 0.5
    answers = [
        answer(
            SongLikeness(**SMALL)
            .fit(benchmark.leave_out(catalogue, unseen))
            .index(subset.catalogue)
        )
        for catalogue in (large, read_catalogue(songs))
    ]
    assert answers[0] == answers[1]


def test_artists_and_genres_of_a_catalogue_that_is_searched_are_never_read():
    catalogue, model = read_subset(), fit_demo()
    scrambled = np.random.default_rng(0).permutation(catalogue.songs["artist"])
    blind = read_catalogue(catalogue.songs.assign(artist=scrambled).drop(columns="genres"))
    assert answer(model.index(blind)) == answer(model.index(catalogue))


def test_the_title_is_read_and_the_release_day_finds_the_album():
    catalogue = read_demo()
    other = change(catalogue, name=list(reversed(catalogue.songs["name"])))
    assert answer(fit_demo().index(other)) != answer(index_demo())
    days = read_days(catalogue)
    row = int(np.flatnonzero(pd.Series(days).duplicated(keep=False) & (days >= 0))[0])
    same = set(np.flatnonzero(days == days[row])) - {row}
    assert same and same <= set(index_demo().candidates(row, 3).tolist())
    assert len(index_demo(use_release_day=False).candidates(row, 3)) == 3


def test_without_the_release_day_no_date_but_its_year_counts():
    catalogue = read_demo()
    dates = catalogue.songs["year"].map(lambda year: f"{year}-07-07")
    model = fit_demo(use_release_day=False)
    assert answer(model.index(change(catalogue, release_date=dates))) == answer(
        model.index(catalogue)
    )


def test_audio_columns_only_reads_neither_title_nor_year():
    catalogue = read_demo()
    model = SongLikeness(columns="audio", use_release_day=False, **SMALL).fit(catalogue)
    blind = catalogue.songs.assign(name="x", year=2000, popularity=50, explicit=False)
    assert answer(model.index(read_catalogue(blind))) == answer(model.index(catalogue))


# --- small and poor tables ----------------------------------------------------------------


def test_a_table_too_small_to_learn_from_gets_the_weights_by_hand():
    few = take_songs(read_demo(), range(40))
    model = SongLikeness().fit(few)
    assert model.ranker_ is None
    assert isinstance(model.space_, SongSpace)
    index = model.index(few)
    squared = ((index.points - index.points[3]) ** 2).sum(axis=1)
    np.testing.assert_allclose(index.score(3, [1, 2]), -squared[[1, 2]])
    assert index.candidates(3, 500).tolist() == sorted(
        (row for row in range(40) if row != 3), key=lambda row: (squared[row], row)
    )


@pytest.mark.parametrize("column", ["release_date", "popularity", "explicit", "year"])
def test_a_column_that_is_missing_is_done_without(column):
    poor = read_catalogue(read_demo().songs.drop(columns=column))
    index = SongLikeness(**SMALL).fit(poor).index(poor)
    assert np.isfinite(index.score(5, index.candidates(5))).all()
    searched = fit_demo().index(poor)
    assert np.isfinite(searched.score(5, searched.candidates(5))).all()


def test_dates_that_are_all_empty_are_done_without():
    empty = change(read_demo(), release_date="")
    index = fit_demo().index(empty)
    assert len(index.candidates(5, 30)) == 30
    assert np.isfinite(index.score(5, index.candidates(5))).all()


# --- scores and their reasons -------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"use_release_day": False}, {"columns": "audio"}])
def test_contributions_sum_to_the_score(options):
    index = index_demo(**options)
    rows = index.candidates(11, 50)
    told = index.explain(11, rows)
    assert told.index.tolist() == rows.tolist()
    assert told.columns.tolist() == [*index.groups, BASE]
    np.testing.assert_allclose(told.sum(axis=1), index.score(11, rows), atol=1e-9)
    assert (told[index.groups].abs().sum() > 0).sum() > 3


def test_contributions_without_a_ranking_sum_to_the_score_too():
    few = take_songs(read_demo(), range(40))
    index = SongLikeness().fit(few).index(few)
    told = index.explain(3, [8, 1])
    np.testing.assert_allclose(told.sum(axis=1), index.score(3, [8, 1]), atol=1e-12)
    assert {"key", "duration", "energy"} < set(told.columns)


def test_a_score_does_not_depend_on_the_other_songs():
    index = index_demo()
    rows = index.candidates(5, 30)
    one_by_one = [float(index.score(5, [row])[0]) for row in rows]
    assert index.score(5, rows).tolist() == one_by_one
    assert index.score(5, rows[::-1]).tolist() == one_by_one[::-1]


def test_trees_say_what_the_booster_says():
    model = fit_demo()
    inputs = np.random.default_rng(0).normal(size=(300, model.ranker_.num_feature()))
    inputs = inputs.astype(np.float32)
    inputs[::3, ::4] = np.nan
    trees = Trees(model.ranker_)
    np.testing.assert_allclose(
        trees.score(inputs), model.ranker_.predict(inputs, num_threads=1), atol=1e-12
    )
    parts, base = trees.explain(inputs)
    np.testing.assert_allclose(parts.sum(axis=1) + base, trees.score(inputs), atol=1e-9)
    assert trees.score(inputs[:0]).tolist() == []


def test_trees_of_too_many_leaves_are_refused():
    X = np.random.default_rng(0).random((2000, 1))
    sets = lightgbm.Dataset(X, X[:, 0])
    options = {"verbosity": -1, "num_threads": 1, "num_leaves": 40}
    booster = lightgbm.train(options, sets, num_boost_round=1)
    with pytest.raises(TreesError, match="expected at most 32 leaves"):
        Trees(booster)


def test_trees_of_categories_are_refused():
    X = np.arange(400)[:, None] % 5
    sets = lightgbm.Dataset(X, X[:, 0] % 2, categorical_feature=[0])
    options = {"verbosity": -1, "num_threads": 1, "min_data_per_group": 1}
    booster = lightgbm.train(options, sets, num_boost_round=2)
    with pytest.raises(TreesError, match="expected decisions by '<='"):
        Trees(booster)


@pytest.mark.parametrize("row", [-1, N_SONGS, 2.5, "5", None])
def test_a_row_that_is_none_is_said(row):
    index = index_demo()
    for ask in (
        index.candidates,
        lambda it: index.score(it, [1]),
        lambda it: index.explain(it, []),
    ):
        with pytest.raises(ValueError, match=r"row: expected a row number below 2000, found"):
            ask(row)
    with pytest.raises(ValueError, match=r"rows: expected row numbers below 2000, found"):
        index.score(0, [1, row])


def test_options_that_are_none_are_said():
    with pytest.raises(ValueError, match="columns: expected 'all' or 'audio', found 'sound'"):
        SongLikeness(columns="sound").fit(read_demo())


# --- candidates ---------------------------------------------------------------------------


def test_candidates_are_the_nearest_and_those_of_the_day():
    rng = np.random.default_rng(0)
    points, days = rng.integers(0, 9, (400, 3)) / 4, rng.integers(-1, 30, 400)
    near = Neighbourhood(points, days)
    for row in (0, 17, 399):
        squared = ((points - points[row]) ** 2).sum(axis=1)
        order = [i for i in np.lexsort((np.arange(400), squared)) if i != row]
        same = [i for i in order if days[i] == days[row] >= 0]
        assert near.find(row, 25).tolist() == [i for i in order if i in {*order[:25], *same}]


def test_many_songs_find_what_each_finds():
    rng = np.random.default_rng(1)
    points, days = rng.integers(0, 4, (300, 2)) / 4, rng.integers(-1, 30, 300)  # full of ties
    near = Neighbourhood(points, days)
    many = near.find_many(np.arange(300), 25)
    assert [rows.tolist() for rows in many] == [near.find(row, 25).tolist() for row in range(300)]


def test_a_busy_day_gives_no_more_than_its_nearest():
    points = np.arange(500.0)[:, None]
    found = Neighbourhood(points, np.full(500, 7)).find(0, 5)
    assert found.tolist() == list(range(1, MAX_DAY + 1))
    assert Neighbourhood(points[:1]).find(0, 5).tolist() == []


# --- the cache ----------------------------------------------------------------------------


def test_a_kept_ranking_is_used_where_it_fits_and_only_there(tmp_path, monkeypatch):
    catalogue = read_demo()
    learnt = SongLikeness(**SMALL, cache=tmp_path).fit(catalogue)
    [kept] = tmp_path.iterdir()
    lessons = []
    monkeypatch.setattr(
        likeness_module, "learn_ranking", lambda *args: lessons.append(1) or learnt.ranker_
    )
    again = SongLikeness(**SMALL, cache=tmp_path).fit(catalogue)
    assert not lessons
    assert answer(again.index(catalogue)) == answer(learnt.index(catalogue))
    SongLikeness(**SMALL, cache=tmp_path).fit(change(catalogue, energy=0.5))
    SongLikeness(**{**SMALL, "rounds": 13}, cache=tmp_path).fit(catalogue)
    assert len(lessons) == 2
    kept.write_text(kept.read_text().replace("leaf_value=0", "leaf_value=1", 1))
    SongLikeness(**SMALL, cache=tmp_path).fit(catalogue)
    assert len(lessons) == 3


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path):
    nowhere = tmp_path / "file"
    nowhere.write_text("")
    model = SongLikeness(**SMALL, cache=nowhere).fit(read_demo())
    assert answer(model.index(read_demo())) == answer(index_demo())


def test_too_few_queries_teach_no_ranking():
    one = dataclasses.replace(ranker.RankingOptions(), rounds=3)
    few = take_songs(read_demo(), range(300))
    model = fit_demo()
    lesson = ranker.Lesson(model._read(few, None), ranker.mark_names(few.by))
    assert ranker.learn_ranking([lesson], one) is None


# --- titles -------------------------------------------------------------------------------


def test_titles_of_one_language_are_close():
    spanish = ["el amor de mi vida", "la noche de la luna", "mi corazon de la calle"] * 9
    english = ["the way you walk", "when the night is with you", "walking with the wind"] * 9
    space = TitleSpace(n_axes=2, min_titles=3).fit(spanish + english)
    places = space.transform(["la calle de mi amor", "una noche de amor", "with you when walking"])
    assert np.linalg.norm(places[0] - places[1]) < np.linalg.norm(places[0] - places[2])


@pytest.mark.parametrize("titles", [[""], ["", "!!!"], ["a"]])
def test_titles_that_say_nothing_have_places(titles):
    assert TitleSpace().fit(titles).transform(titles).tolist() == [[0.0] * 24] * len(titles)


# --- determinism --------------------------------------------------------------------------


def learn_likeness() -> dict[str, np.ndarray]:
    index = index_demo()
    near = [index.candidates(row, 60) for row in range(0, N_SONGS, 150)]
    scores = [
        index.score(row, rows) for row, rows in zip(range(0, N_SONGS, 150), near, strict=True)
    ]
    return {"points": index.points, "near": np.concatenate(near), "scores": np.concatenate(scores)}


def test_the_likeness_is_the_same_everywhere():
    settings = {"here": THREADS["one thread"], "threads": THREADS["two threads"]}
    settings["old"] = PROCESSORS["old processor"]
    assert compare_environments("tests.test_likeness_songs", "learn_likeness", settings) == {}


def test_titles_are_described_as_one_by_one():
    odd = ["", " ", "Live 3 - (Op. 2)", "ÅBC dé", "a\nLive", "a\nB", "Mix", "ReMIX with X", "İ’",
           "re", "master", "夜に (feat. YOU)", "  x  Y 1Z é", "no.", "5"]  # fmt: skip
    for names in (odd, odd[::-1], [""]):
        table = columns._describe_writing(names)
        for row, name in enumerate(names):
            words = [word for word in name.split() if word[0].isalpha()]
            expected = {
                "words": len(words),
                "capital words": sum(word[0].isupper() for word in words) / max(len(words), 1),
                "capitals": sum(letter.isupper() for letter in name) / max(len(name), 1),
                "foreign": sum(not letter.isascii() for letter in name) / max(len(name), 1),
            }
            for flag, pattern in columns.FLAGS.items():
                expected[flag] = re.search(pattern, name.lower()) is not None
            assert {key: table[key][row] for key in expected} == expected
