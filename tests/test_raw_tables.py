"""Tables as `pandas.read_csv` gives them: lists are text, years are numbers, dates are times."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import edit_csv
from hypothesis import given
from hypothesis import strategies as st

from aares import conformal, data, genre, popularity
from aares.conformal.space import describe_songs
from aares.data import DataError, read_dates, read_names
from aares.genre.explore import count_neighbors, pair_tables
from aares.genre.songs import RankSpace, SongNumbers, check_table, describe_dates, name_albums
from aares.popularity.compare import LabelEncoder
from aares.popularity.encoders import GenreSVD, TokenCounter, TokenTargetEncoder
from aares.popularity.genres import (
    GenreCommunities,
    GenreEmbedding,
    GenreNMF,
    map_genres,
    relate_genres,
    summarise_genres,
)
from aares.popularity.kriging import name_days
from aares.popularity.patterns import count_weekdays, summarise_months, summarise_years
from aares.popularity.rows import count_genres, describe_date
from aares.recommend import Recommender, SongSpace
from aares.recommend.catalogue import read_artists

N = 300


@dataclass(frozen=True)
class Tables:
    """The first rows of three files."""

    train: pd.DataFrame
    subset: pd.DataFrame
    recommendation: pd.DataFrame


@pytest.fixture(scope="module")
def loaded(demo) -> Tables:
    load = (data.load_train, data.load_subset, data.load_recommendation)
    return Tables(*(table(demo).head(N) for table in load))


@pytest.fixture(scope="module")
def raw(demo) -> Tables:
    names = ("train", "subset", "recommendation")
    return Tables(*(pd.read_csv(demo.find_table(name)).head(N) for name in names))


def assert_same(one: Any, other: Any) -> None:
    one, other = (x.toarray() if hasattr(x, "toarray") else np.asarray(x) for x in (one, other))
    np.testing.assert_array_equal(one, other)


def test_raw_tables_are_raw(raw):
    assert isinstance(raw.subset["genres"][0], str)
    assert isinstance(raw.recommendation["artists"][0], str)


# --- lists --------------------------------------------------------------------------------


def test_raw_songs_of_exercise_2_teach_the_classifier_the_same(loaded, raw):
    small = {"n_trees": 20, "n_folds": 2, "rounds": 3, "candidate_rounds": 5, "n_networks": 1}
    one, other = (
        genre.make_model(extra=tables.subset)
        .set_params(**small)
        .fit(tables.train.drop(columns="genre"), tables.train["genre"])
        for tables in (loaded, raw)
    )
    assert one.n_extra_ == other.n_extra_ > 100
    new = [tables.subset.drop(columns="genres") for tables in (loaded, raw)]
    assert_same(one.predict_proba(new[0]), other.predict_proba(new[1]))


def test_raw_songs_teach_the_popularity_model_the_same(loaded, raw):
    told = []
    for tables in (loaded, raw):
        rows = tables.subset.iloc[:120]
        other = tables.train.iloc[:120]
        model = popularity.make_model(other, releases=popularity.Releases(other, tables.subset))
        model.fit(rows.drop(columns="popularity"), rows["popularity"])
        told.append(model.describe(tables.subset.iloc[120:180]))
    pd.testing.assert_frame_equal(*told, check_exact=True)
    assert told[0]["mean"].nunique() > 20


def test_raw_songs_are_recommended_the_same(loaded, raw):
    one, other = (Recommender().fit(tables.recommendation) for tables in (loaded, raw))
    assert one.catalogue_.artists == other.catalogue_.artists
    for song in loaded.recommendation["id"][:20]:
        assert_same(one.playlist(song), other.playlist(song))
    name, artists = loaded.recommendation.loc[7, ["name", "artists"]]
    assert other.find_song(name, artists[0]) == one.find_song(name, artists[0])


@pytest.mark.parametrize(
    "answer",
    [
        lambda table: genre.label_songs(table)["genres"],
        lambda table: genre.label_songs(table)["genre"],
        count_genres,
        lambda table: map_genres(table, n_genres=6)[["songs", "nearest"]],
        lambda table: relate_genres(table, min_count=3)[1],
        lambda table: list(summarise_genres(table).values()),
        *(
            lambda table, encoder=encoder: encoder.fit_transform(table, table["popularity"])
            for encoder in (
                TokenCounter(), TokenTargetEncoder(), GenreSVD(), GenreNMF(), GenreEmbedding(),
                GenreCommunities(), LabelEncoder(genre.label_from_genres),
            )
        ),
    ],
)  # fmt: skip
def test_raw_lists_of_genres_are_understood(loaded, raw, answer):
    assert_same(answer(raw.subset), answer(loaded.subset))


def test_raw_tables_are_paired_and_named_the_same(loaded, raw):
    tables = []
    for one in (loaded, raw):
        known = one.subset.assign(genre="pop")  # the demo's tables share few songs
        tables.append(pair_tables(known, one.subset))
    pd.testing.assert_frame_equal(*tables)
    assert len(tables[0]) > N / 2
    one, other = (
        conformal.name_songs(x.recommendation, x.subset, x.recommendation, table="train")
        for x in (loaded, raw)
    )
    assert_same(one, other)
    assert one.str.contains(": ").all()


def test_songs_without_a_name_have_an_artist_without_one():
    assert read_artists(pd.DataFrame({"artist": ["Ann", None]})) == [("Ann",), ("",)]
    assert read_artists(pd.DataFrame({"artists": ["['Ann']", "[]"]})) == [("Ann",), ("",)]
    with pytest.raises(DataError, match=r"column 'artists', row 2: .* no names are \[\]"):
        read_artists(pd.DataFrame({"artists": ["['Ann']", np.nan]}))


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (("pop", "rock"), ("pop", "rock")),
        (["pop", "rock"], ("pop", "rock")),
        (np.array(["pop", "rock"]), ("pop", "rock")),
        (np.array(["pop", "rock"], dtype=object), ("pop", "rock")),
        ("['pop', 'rock']", ("pop", "rock")),
        ("['pop' 'rock']", ("pop", "rock")),
        ("['pop'\n 'rock']", ("pop", "rock")),
        ("[\"rock 'n' roll\" 'pop']", ("rock 'n' roll", "pop")),
        ("['a', ' ', 'b']", ("a", " ", "b")),
        ("[]", ()),
        (" ", ()),
        ("", ()),
        ([], ()),
        (None, ()),
        (np.nan, ()),
        (pd.NA, ()),
    ],
)
def test_lists_of_names_in_every_shape(value, names):
    values = pd.Series([value, ("x",)], index=[5, 3], name="genres", dtype=object)
    read = read_names(values)
    assert read.tolist() == [names, ("x",)]
    assert all(type(item) is tuple for item in read)
    assert read.index.tolist() == [5, 3] and read.name == "genres"


@pytest.mark.parametrize(
    "value",
    ["pop", "('pop')", "{'pop'}", "['pop'", "[1]", "['a' ... 'b']", 3, 1.5, {"pop"}, ["pop", None],
     [["pop"]], b"pop", np.array("pop")],
    ids=repr,
)  # fmt: skip
def test_what_is_no_list_of_names_is_named(value):
    values = pd.Series([("x",), value], name="genres", dtype=object)
    with pytest.raises(DataError, match=r"column 'genres', row 2: expected a list such as \['pop"):
        read_names(values)
    with pytest.raises(DataError, match=r"^the second: expected"):
        read_names(values, lambda row: ["the first", "the second"][row])


def test_the_loader_reads_lists_as_all_others_but_no_empty_cells(tables):
    path = tables.folder / "spotify_dataset_subset.csv"
    edit_csv(path, 0, "genres", "['pop' 'rock']")
    assert data.load_subset(tables)["genres"][0] == ("pop", "rock")
    edit_csv(path, 1, "genres", "")
    with pytest.raises(DataError, match=r"column 'genres', row 2: .*found an empty cell"):
        data.load_subset(tables)


NAMES = st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=5)


@given(NAMES)
def test_any_names_are_read_from_the_text_of_python_and_numpy(names):
    by_numpy = "[" + " ".join(map(repr, names)) + "]"
    read = read_names(pd.Series([str(names), by_numpy, names], dtype=object))
    assert read.tolist() == [tuple(names)] * 3


def test_arrays_are_read_from_the_text_that_numpy_gives_them():
    names = [f"micro-genre {i} of o'hara" for i in range(40)]
    text = str(np.array(names))
    assert "\n" in text
    assert read_names(pd.Series([text])).tolist() == [tuple(names)]


@pytest.mark.parametrize(
    "refuse",
    [
        genre.label_songs,
        count_genres,
        lambda table: popularity.make_model().fit(table, table["popularity"]),
        lambda table: Recommender().fit(table.assign(name="x", artists=table["genres"])),
    ],
)
def test_a_text_that_is_no_list_is_refused_by_all(loaded, refuse):
    table = loaded.subset.iloc[:12].assign(genres=[("x",)] * 5 + ["pop"] + [("x",)] * 6)
    with pytest.raises(DataError, match="row 6: expected a list such as"):
        refuse(table)


# --- dates --------------------------------------------------------------------------------


def read_again(table: pd.DataFrame, **options: Any) -> pd.DataFrame:
    """Write a table as the assignment does, and read it as anybody does."""
    text = table.assign(genres=table["genres"].map(list)).to_csv(index=False)
    return pd.read_csv(io.StringIO(text), **options)


@pytest.fixture(scope="module", params=["days as times", "years as int", "years as float"])
def dated(request, demo) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same songs as the loader has them, and with dates that are no text any more."""
    songs = data.load_subset(demo).assign(genre="pop")
    length = songs["release_date"].str.len()
    if request.param == "days as times":
        songs = songs[length == 10].head(N).reset_index(drop=True)
        other = read_again(songs, parse_dates=["release_date"])
        assert pd.api.types.is_datetime64_any_dtype(other["release_date"])
        return songs, other
    songs = songs[length == 4].head(N).reset_index(drop=True)
    if request.param == "years as float":
        songs.loc[2, "release_date"] = ""
    other = read_again(songs)
    assert other["release_date"].dtype == request.param.split()[-1]
    return songs, other


@pytest.mark.parametrize(
    "answer",
    [
        lambda songs: data.parse_dates(songs["release_date"]).to_numpy(dtype=str),
        lambda songs: check_table(songs)["release_date"],
        lambda songs: describe_dates(songs["release_date"]),
        lambda songs: name_albums(check_table(songs)),
        lambda songs: count_neighbors(songs, songs),
        lambda songs: RankSpace().fit_transform(check_table(songs)),
        lambda songs: SongNumbers().fit_transform(songs),
        describe_date,
        name_days,
        lambda songs: popularity.Releases(songs).days_,
        lambda songs: TokenCounter(column="release_date").fit(songs).get_feature_names_out(),
        lambda songs: summarise_years(songs, ["energy"])["year"],
        count_weekdays,
        summarise_months,
        lambda songs: describe_songs(songs[[*check_table(songs).columns]]),
        lambda songs: SongSpace().fit_transform(songs),
    ],
)
def test_dates_of_other_types_say_the_same(dated, answer):
    assert_same(*(answer(songs) for songs in dated))


def test_years_of_other_types_are_not_missing(dated):
    assert describe_date(dated[1])["year"].isna().sum() <= 1


def test_models_learn_the_same_from_dates_of_other_types(dated):
    small = {"n_trees": 20, "n_folds": 2, "rounds": 2, "candidate_rounds": 2, "n_networks": 1}
    labels = np.where(np.arange(len(dated[0])) % 2, "jazz", "pop")
    chances = [genre.GenreClassifier(**small).fit(X, labels).predict_proba(X) for X in dated]
    assert_same(*chances)
    few = [X.iloc[:60] for X in dated]
    fame = [popularity.make_model().fit(X, X["popularity"]).describe(X) for X in few]
    assert_same(*fame)


@pytest.mark.parametrize(
    ("date", "text"),
    [
        ("2008", "2008"),
        ("2008-05", "2008-05"),
        ("2008-5-3", "2008-05-03"),
        ("2008-5", "2008-05"),
        (" 2008 ", "2008"),
        ("2008.0", "2008"),
        ("2008-05-23 00:00:00", "2008-05-23"),
        ("2008-05-23T00:00:00Z", "2008-05-23"),
        ("2008-05-23T10:30:15.250+02:00", "2008-05-23"),
        ("", ""),
        ("  ", ""),
        (None, ""),
        (np.nan, ""),
        (pd.NaT, ""),
        (2008, "2008"),
        (np.int64(2008), "2008"),
        (2008.0, "2008"),
        (np.float32(2008), "2008"),
        (pd.Timestamp("2008-05-23 10:30"), "2008-05-23"),
        (pd.Timestamp("2008-05-23", tz="UTC"), "2008-05-23"),
        (pd.Timestamp("2008-05-23").date(), "2008-05-23"),
        (np.datetime64("2008-05-23"), "2008-05-23"),
        (pd.Period("2008", "Y"), "2008"),
        (pd.Period("2008-05", "M"), "2008-05"),
        (pd.Period("2008-05-23", "D"), "2008-05-23"),
        (pd.Period("2008-05-23 10:30", "h"), "2008-05-23"),
    ],
)
def test_dates_in_every_shape(date, text):
    dates = pd.Series([date, "1999"], index=[5, 3], name="release_date", dtype=object)
    assert read_dates(dates).tolist() == [text, "1999"]
    assert read_dates(dates).index.tolist() == [5, 3]
    assert read_dates(dates.iloc[:1].infer_objects()).tolist() == [text]


@pytest.mark.parametrize(
    "date",
    [2008.5, 20080523, -1, 10_000, np.inf, True, b"2008", ("2008",), pd.Period("2008Q2"),
     "unknown", "23/05/2008", "05/06/2008", "2008-13-40", "2008-00-00", "2009-02-30", "08", "nan",
     "2008/05/23", "20080523", "May 2008", "2008-05-", "2008-05-23T25"],
    ids=str,
)  # fmt: skip
def test_what_is_no_date_is_named(date):
    dates = pd.Series(["1999", date], name="release_date", dtype=object)
    with pytest.raises(DataError, match=r"column 'release_date', row 2: expected a date such as"):
        read_dates(dates)
