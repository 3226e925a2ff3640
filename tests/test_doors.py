"""Whatever pandas.read_csv makes of a file: the loader's answer, or an error that says where.

Every public estimator and function that takes a table of songs is asked with tables that were read
as text or not, with dates as times or not, with an index or not, with shuffled columns, and with
any one cell missing.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import io
import itertools
import pkgutil
import re
import typing
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from test_estimators import CASES, make_songs

from aares import conformal, data, genre, layout, popularity
from aares.conformal.space import describe_songs
from aares.data import DataError, DataWarning
from aares.genre import explore
from aares.genre.compare import make_classifiers
from aares.genre.songs import check_table, compute_numbers, name_albums
from aares.popularity import copies, evidence, gaussian, genres, kriging, likeness, patterns, rows
from aares.popularity.hurdle import HurdleRegressor
from aares.recommend.catalogue import leave_out_missing, read_artists, read_catalogue
from aares.recommend.listeners.song_facts import read_facts
from aares.recommend.lists.arrange import order_playlist
from aares.recommend.lists.transitions import measure_transitions
from aares.recommend.space.content import WEIGHTS, transform_columns
from aares.recommend.space.yardstick import list_by_cosine
from aares.recommend.traits.traits import read_traits
from utils_projet import ConformalPrediction

DATES_TOO = {"Recommender", "read_facts"}
"""They read release dates where there are any."""
KEPT_OUT = {"Recommender", "leave_out_missing"}
"""They keep songs with a missing cell out, and say how many."""
QUICK = {"n_trees": 4, "n_folds": 2, "rounds": 0, "candidate_rounds": 2, "n_networks": 0}
KEPT_OUT_FOR = {"id", "artists", "popularity", "explicit", *WEIGHTS}
EMPTY = {"release_date", "artist", "artist_name", "track_name", "name"}
"""Columns whose text may be empty: a missing cell is read so."""


def spoil_dates(songs: pd.DataFrame) -> pd.DataFrame:
    """Songs with dates of each precision, which pandas cannot make points in time of."""
    dates = [date[: (4, 7, 10)[row % 3]] for row, date in enumerate(songs["release_date"])]
    return songs.assign(release_date=dates)


KNOWN, NEW = make_songs(40), spoil_dates(make_songs(12, seed=1))
DAYS = make_songs(12, seed=1)


# --- what pandas.read_csv makes of a file -------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Reading:
    """How somebody reads a file."""

    text: bool
    dates: bool
    index: str  # "", "unnamed" (a column of its own) or "first" (index_col=0)
    shuffled: bool

    def __str__(self) -> str:
        names = {"text": self.text, "dates": self.dates, "shuffled": self.shuffled}
        return " ".join([name for name, on in names.items() if on] + [self.index]) or "plain"

    def read(self, songs: pd.DataFrame) -> pd.DataFrame:
        lists = {name: songs[name].map(self._write) for name in ("genres", "artists")}
        text = songs.assign(**lists).to_csv(index=bool(self.index))
        options: dict[str, Any] = {"dtype": str} if self.text else {}
        if self.dates:
            options["parse_dates"] = ["release_date"]
        if self.index == "first":
            options["index_col"] = 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # pandas: the dates have no one format
            table = pd.read_csv(io.StringIO(text), **options)
        columns = np.random.default_rng(0).permutation(table.columns)
        return table[list(columns)] if self.shuffled else table

    @staticmethod
    def _write(names: Any) -> Any:
        return str(list(names)) if isinstance(names, tuple) else names


READINGS = [
    Reading(*options)
    for options in itertools.product(
        (False, True), (False, True), ("", "unnamed", "first"), (False, True)
    )
]
each_reading = pytest.mark.parametrize("reading", READINGS, ids=str)


def lose_cell(songs: pd.DataFrame, column: str, row: int, value: Any = None) -> pd.DataFrame:
    cells = songs[column].astype(object)
    cells.iloc[row] = value
    return songs.assign(**{column: cells})


@each_reading
@pytest.mark.parametrize("songs", [DAYS, NEW], ids=["days", "dates of each precision"])
def test_the_door_reads_any_table_as_it_was(reading, songs):
    raw = reading.read(songs)
    read = data.read_table(raw, songs.columns)
    pd.testing.assert_frame_equal(read.reset_index(drop=True), songs, check_dtype=False)
    again = data.read_table(read, songs.columns)
    pd.testing.assert_frame_equal(again, read)
    if reading.dates and songs is DAYS:
        assert pd.api.types.is_datetime64_any_dtype(raw["release_date"])


@each_reading
def test_the_door_has_one_rule_for_a_missing_cell(reading):
    for row, column in enumerate(NEW.columns):
        row %= len(NEW)
        raw = reading.read(lose_cell(NEW, column, row))
        if column in EMPTY:
            expected = lose_cell(NEW, column, row, "")
            read = data.read_table(raw, NEW.columns).reset_index(drop=True)
            pd.testing.assert_frame_equal(read, expected, check_dtype=False)
        else:
            with pytest.raises(DataError, match=rf"'{column}', row {row + 1}\b.* missing value"):
                data.read_table(raw, NEW.columns)


# --- everything that is asked -------------------------------------------------------------


@dataclasses.dataclass(frozen=True, eq=False)
class Question:
    """What is asked of a table of songs, and whether all songs are learnt from in it."""

    name: str
    ask: Callable[[pd.DataFrame], Any]


def learn(estimator: Any) -> Any:
    return clone(estimator).fit(KNOWN, TARGETS[type(estimator).__name__])


class _Targets(dict):
    def __missing__(self, name: str) -> pd.Series:
        return KNOWN["genre" if name in OF_GENRE else "popularity"]


OF_GENRE = ("GenreClassifier", "MoreSongs", "DateGenres")
TARGETS = _Targets()
TABLED = [case for case in CASES if isinstance(case.known[0], pd.DataFrame)]
ESTIMATORS = {case.name: case.estimator for case in TABLED if case.name != "Recommender"}
ESTIMATORS["GenreClassifier"] = genre.GenreClassifier(KNOWN[:9], votes="distance", **QUICK)
METHODS = ("predict_proba", "describe", "predict_interval", "predict", "transform", "name_songs")


@pytest.fixture(autouse=True)
def _work_less(monkeypatch):
    """Few trees and no layout: what is read is not less for it."""

    def make_hurdles(random_state: int, showings: int) -> list[HurdleRegressor]:
        size = {"n_estimators": 2, "random_state": random_state}
        pair = ExtraTreesClassifier, ExtraTreesRegressor
        return [HurdleRegressor(*(model(**size) for model in pair)) for _ in range(3)]

    monkeypatch.setattr(popularity.model, "make_hurdles", make_hurdles)
    monkeypatch.setattr(layout, "TSNE", lambda **_: PCA(2))


class Loud:
    """A model of one column."""

    def predict(self, songs: pd.DataFrame) -> np.ndarray:
        return 5 * data.read_column(songs, "energy").to_numpy()


@cache
def fit_small(name: str) -> Any:
    return learn(ESTIMATORS[name])


def ask_fitted(name: str, method: str) -> Question:
    return Question(f"{name}.{method}", lambda songs: getattr(fit_small(name), method)(songs))


@cache
def fit_space() -> tuple[Any, Any]:
    space = conformal.choose_space(KNOWN, KNOWN["genre"])
    return space, conformal.make_space_model(space, KNOWN, KNOWN["genre"])


@cache
def fit_pipeline() -> Any:
    return make_classifiers()["naive Bayes"].fit(KNOWN, KNOWN["genre"])


def ask_conformal(songs: pd.DataFrame) -> np.ndarray:
    model = fit_space()[1]
    return ConformalPrediction(model, KNOWN, KNOWN["genre"], k=1).predict_many(songs)


def read_playlist(songs: pd.DataFrame) -> list[Any]:
    recommender = aares_recommender().fit(songs)
    first = recommender.songs_.iloc[0]  # by its title: an id may be the cell that is lost
    by_title = recommender.playlist((first["name"], recommender.catalogue_.artists[0]), n=4)
    known = recommender.songs_.filter(["id", "name", "popularity"])
    return [known, recommender.points_, recommender.catalogue_.artists, by_title]


def list_facts(songs: pd.DataFrame) -> list[Any]:
    facts = read_facts(songs)
    return [getattr(facts, field.name) for field in dataclasses.fields(facts)]


def list_catalogue(songs: pd.DataFrame) -> list[Any]:
    catalogue = read_catalogue(songs)
    known = catalogue.songs.filter(["id", "name", "popularity"])
    return [known, catalogue.artists, catalogue.by, catalogue.titles]


def list_traits(songs: pd.DataFrame) -> list[Any]:
    return list(vars(read_traits(read_catalogue(songs))).values())


def aares_recommender() -> Any:
    return clone(next(case.estimator for case in CASES if case.name == "Recommender"))


def list_questions() -> Iterator[Question]:
    for name, estimator in ESTIMATORS.items():
        for method in METHODS:
            if hasattr(estimator, method):
                yield ask_fitted(name, method)
    audio = ["energy", "loudness"]
    process = gaussian.SongProcess(kriging.SoundRanks(KNOWN))
    process.fit_folds(KNOWN, np.ones((len(KNOWN), 1)), [kriging.split_inner(
        len(KNOWN), None, n_folds=2, random_state=0)])  # fmt: skip
    asked: dict[str, Callable[[pd.DataFrame], Any]] = {
        "Recommender": read_playlist,
        "leave_out_missing": lambda songs: read_catalogue(leave_out_missing(songs)[0]).titles,
        "ConformalPrediction": ask_conformal,
        "choose_space": lambda songs: conformal.choose_space(songs, NEW["genre"])[-1].weights_,
        "make_space_model": lambda songs: conformal.make_space_model(
            fit_space()[0], songs, NEW["genre"]).predict(songs),
        "make_classifiers": lambda songs: fit_pipeline().predict(songs),
        "describe_songs": describe_songs,
        "name_songs": lambda songs: conformal.name_songs(songs, songs, songs, table="x").tolist(),
        "check_table": check_table,
        "compute_numbers": compute_numbers,
        "name_albums": name_albums,
        "label_songs": lambda songs: genre.label_songs(songs)[["genres", "genre"]],
        "match_songs": lambda songs: genre.match_songs(songs, KNOWN),
        "remove_songs": lambda songs: genre.remove_songs(NEW, songs)[["id"]],
        "pair_tables": lambda songs: explore.pair_tables(songs, songs),
        "measure_album_effect": explore.measure_album_effect,
        "measure_sound_effect": explore.measure_sound_effect,
        "count_neighbors": lambda songs: explore.count_neighbors(songs, KNOWN),
        "profile_genres": explore.profile_genres,
        "map_songs": explore.map_songs,
        "get_tokens": lambda songs: [rows.get_tokens(songs, name) for name in ("genres", "name")],
        "describe_audio": rows.describe_audio,
        "describe_date": rows.describe_date,
        "describe_title": rows.describe_title,
        "count_genres": rows.count_genres,
        "name_days": kriging.name_days,
        "name_artists": kriging.name_artists,
        "SoundRanks": lambda songs: kriging.SoundRanks(songs).place(songs),
        "SongProcess": process.predict,
        "Releases": lambda songs: copies.Releases(songs).find(songs),
        "learn_reference": lambda songs: popularity.learn_reference(songs).transform(songs),
        "relate_genres": lambda songs: genres.relate_genres(songs, min_count=1)[1],
        "map_genres": lambda songs: genres.map_genres(songs, n_genres=3),
        "summarise_genres": genres.summarise_genres,
        "summarise_communities": lambda songs: genres.summarise_communities(
            fit_small("GenreCommunities"), songs),
        "summarise_years": lambda songs: patterns.summarise_years(songs, audio, min_songs=3),
        "find_same_recordings": lambda songs: patterns.find_same_recordings(songs, songs),
        "count_weekdays": patterns.count_weekdays,
        "summarise_months": patterns.summarise_months,
        "summarise_keys": patterns.summarise_keys,
        "measure_explained": lambda songs: patterns.measure_explained(songs, ["mode"]),
        "compare_correlations": lambda songs: patterns.compare_correlations(songs, audio),
        "summarise_artists": lambda songs: patterns.summarise_artists(songs, min_songs=1),
        "measure_likeness": lambda songs: likeness.measure_likeness(songs, "artist_name"),
        "measure_importance": lambda songs: popularity.measure_importance(
            Loud(), songs, NEW["popularity"], n_repeats=2),
        "measure_dependence": lambda songs: popularity.measure_dependence(
            Loud(), songs, ["energy", "key"], n_points=2),
        "estimate_likeness": lambda songs: evidence.estimate_likeness(songs, "artist_name"),
        "describe_groups": lambda songs: likeness.describe_groups(songs, "artist_name"),
        "transform_columns": transform_columns,
        "measure_transitions": measure_transitions,
        "list_by_cosine": lambda songs: list_by_cosine(songs, 3),
        "order_playlist": lambda songs: order_playlist(songs, arc="wave", end=songs.head(1)),
        "read_artists": read_artists,
        "read_catalogue": list_catalogue,
        "read_facts": list_facts,
        "read_traits": list_traits,
    }  # fmt: skip
    for name, ask in asked.items():
        yield Question(name, ask)


QUESTIONS = list(list_questions())
each_question = pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)


def as_values(answer: Any) -> Any:
    """Plain values of an answer, without the index of the table asked about."""
    if sparse.issparse(answer):
        return answer.toarray().tolist()
    if isinstance(answer, (pd.DataFrame, pd.Series)):
        return answer.astype(object).where(answer.notna(), None).to_numpy().tolist()
    if isinstance(answer, dict):
        return as_values(list(answer.values()))
    if isinstance(answer, (list, tuple)):
        return [as_values(part) for part in answer]
    return np.asarray(answer).tolist()


def assert_same(answer: Any, expected: Any) -> None:
    assert repr(as_values(answer)) == repr(as_values(expected))


@cache
def answer_right(question: Question, column: str = "", row: int = 0) -> Any:
    """The answer about the songs as the loader has them, with one text empty."""
    return question.ask(lose_cell(NEW, column, row, "") if column else NEW)


@cache
def list_needed(question: Question) -> set[str]:
    """The columns without which there is no answer, but an error that names them."""
    needed = set()
    for column in NEW.columns:
        try:
            question.ask(NEW.drop(columns=column))
        except DataError as error:
            assert f"missing column {column!r}" in str(error) or column in {"artists", "artist"}
            needed.add(column)
    return needed


@each_question
def test_any_reading_gives_the_same_answer(question):
    for reading in READINGS:
        assert_same(question.ask(reading.read(NEW)), answer_right(question))


@each_question
def test_one_missing_cell_is_empty_text_or_an_error_that_names_it(question):
    needed = list_needed(question)
    for number, column in enumerate(NEW.columns):
        row = number % len(NEW)
        raw = READINGS[number % len(READINGS)].read(lose_cell(NEW, column, row))
        try:
            answer = question.ask(raw)
        except DataError as error:
            assert column not in EMPTY
            assert re.search(rf"'{column}', row {row + 1}\b.*found a missing value", str(error))
        else:
            if question.name in KEPT_OUT and column not in EMPTY and column in KEPT_OUT_FOR:
                assert_same(answer, question.ask(NEW.drop(index=row)))
                continue
            assert column in EMPTY or column not in needed
            emptied = (column, row) if column in EMPTY else ()
            assert_same(answer, answer_right(question, *emptied))


@each_question
def test_a_column_that_became_the_index_is_named_with_the_remedy(question):
    for column in list_needed(question) - {"artists", "artist"}:
        with pytest.raises(DataError, match=rf"'{column}'.*reset_index\(\)"):
            question.ask(NEW.set_index(column))
        with pytest.raises(DataError, match=rf"column '{column}' stands more than once"):
            question.ask(pd.concat([NEW, NEW[[column]]], axis=1))


@each_question
def test_an_impossible_year_is_unknown_and_said(question):
    raw = READINGS[3].read(lose_cell(NEW, "release_date", 4, "0000"))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        answer = question.ask(raw)
    assert_same(answer, answer_right(question, "release_date", 4))
    said = [str(it.message) for it in told if issubclass(it.category, DataWarning)]
    reads_dates = question.name in DATES_TOO or "release_date" in list_needed(question)
    assert bool(said) == reads_dates
    assert all("'release_date', row 5: found '0000'; 1 date counts" in text for text in said)


# --- learning -----------------------------------------------------------------------------

SLOW = {"GenreClassifier", "PopularityRegressor", "PopularityIntervals", "ReferenceModel"}
FEW = [READINGS[number] for number in (6, 17)]  # dates as times and an index; text, shuffled


def learn_from(name: str, table: pd.DataFrame) -> Any:
    """Fit on a raw table, its target included, and answer about the new songs."""
    estimator = clone(ESTIMATORS[name])
    if name == "ReferenceModel":
        estimator.set_params(reference=table)
    if name == "GenreClassifier":
        estimator.set_params(extra=table)
    if name == "MoreSongs":
        estimator.set_params(extra=table)
    target = "genre" if name in OF_GENRE else "popularity"
    fitted = estimator.fit(table, table[target])
    method = next(method for method in METHODS if hasattr(fitted, method))
    return getattr(fitted, method)(NEW)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_any_reading_teaches_the_same(name):
    known = KNOWN.head(24)
    expected = learn_from(name, known)
    for reading in FEW if name in SLOW else READINGS:
        assert_same(learn_from(name, reading.read(known)), expected)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_nothing_is_learnt_from_a_missing_cell(name):
    known = KNOWN.head(24)
    needed = list_needed(next(it for it in QUESTIONS if it.name.startswith(f"{name}.")))
    for number, column in enumerate(known.columns):
        if name in SLOW and column not in needed - EMPTY:
            continue  # a whole fit each; the parts that read these are asked
        reading = READINGS[number % len(READINGS)]
        raw = reading.read(lose_cell(known, column, number % 20))
        try:
            answer = learn_from(name, raw)
        except DataError as error:
            assert column not in EMPTY
            told = rf"('{column}'|^y|^genres), row \d+\b.* missing value"  # a target is no column
            assert re.search(told, str(error))
        else:
            emptied = lose_cell(known, column, number % 20, "") if column in EMPTY else known
            assert_same(answer, learn_from(name, emptied))


# --- nothing is forgotten -----------------------------------------------------------------


def walk_public() -> Iterator[tuple[str, Any]]:
    """Public classes and functions of the packages that work on tables of songs."""
    for package in ("genre", "popularity", "recommend", "conformal"):
        found = importlib.import_module(f"aares.{package}")
        for module in pkgutil.walk_packages(found.__path__, f"aares.{package}."):
            for name, value in vars(importlib.import_module(module.name)).items():
                if getattr(value, "__module__", "") == module.name and not name.startswith("_"):
                    yield name, value


NO_SONGS = {  # they take arrays, listeners, or what the rest makes of tables
    "NamedBoosting", "CandidateModel", "Boosting", "Decision", "Networks", "HurdleRegressor",
    "CopyRule", "FisherScaler", "Scorer", "RandomScorer", "PopularScorer", "ContentScorer",
    "SongLikeness", "LearntSpace", "TitleSpace",  # of a catalogue, which was read
    "ArtistScorer", "ItemCosineScorer", "EaseScorer", "HybridScorer", "ListenerScorer", "Network",
    "UserNeighbourScorer", "ItemBm25Scorer", "AlsScorer", "ListenerRanker", "WeightedEaseScorer",
    "TagScorer", "FriendScorer", "PlaceScorer",
}  # fmt: skip
OTHER_TABLES = {  # numbers, scores and listeners, or passed on to an estimator that has a door
    "describe_dates", "find_neighbors", "find_similar", "describe_pairs", "make_matrix",
    "compare_classifiers", "measure_learning", "summarise_scores", "confuse_genres",
    "order_lookalikes", "find_lookalikes", "score_genres", "measure_pair_correlation",
    "predict_parts_folds", "compare_models", "compare_intervals", "judge", "judge_methods",
    "summarise", "compare_pair", "order_labels", "make_model", "make_genre_models", "LabelEncoder",
    "score_splits", "predict_new_dates", "score_shuffled", "predict_seeds", "share_found",
    "read_queries", "recommend_for", "explain_score",
}  # fmt: skip


def test_every_public_estimator_is_asked():
    taught = {name for name, value in walk_public() if hasattr(value, "fit")}
    assert taught - NO_SONGS - {"Recommender"} == set(ESTIMATORS) | {"SongProcess"} & taught
    assert taught >= NO_SONGS - {"FirstGuess"}


def test_every_public_function_of_a_table_of_songs_is_asked():
    asked = {question.name for question in QUESTIONS}
    takes_table = set()
    for name, value in walk_public():
        if inspect.isfunction(value):
            hints = typing.get_type_hints(value)
            hints.pop("return", None)
            if any("DataFrame" in str(hint) for hint in hints.values()):
                takes_table.add(name)
    assert takes_table - asked == OTHER_TABLES & takes_table
