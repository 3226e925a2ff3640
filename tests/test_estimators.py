"""What scikit-learn asks of every estimator, asked of each of ours.

Those that take arrays pass all of scikit-learn's own checks. The others read named columns, artists
or sparse listening matrices, which these checks do not make up: they pass the checks that look at
no data, and the contract is tested here on a table of ours.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from aares import genre, popularity, recommend
from aares.conformal.space import FisherScaler, SongDescription
from aares.data.schemas import SCHEMAS
from aares.genre.candidates import CandidateModel
from aares.genre.compare import NamedBoosting, make_classifiers
from aares.genre.controls import DateGenres, MoreSongs
from aares.genre.decision import Boosting, Decision, Networks
from aares.genre.guess import FirstGuess
from aares.genre.neighbors import NeighborVotes
from aares.genre.songs import RankSpace, SongNumbers
from aares.popularity.compare import LabelEncoder
from aares.popularity.encoders import GenreSVD, TokenCounter, TokenTargetEncoder
from aares.popularity.features import ReferenceModel, SongFeatures
from aares.popularity.genres import GenreCommunities, GenreEmbedding, GenreNMF
from aares.popularity.hurdle import HurdleRegressor
from aares.popularity.rows import RowFeatures, describe_audio
from aares.recommend.listeners import users
from aares.recommend.listeners.ease import WeightedEaseScorer
from aares.recommend.listeners.factors import AlsScorer
from aares.recommend.listeners.listener_ranker import ListenerRanker
from aares.recommend.listeners.neighbours import ItemBm25Scorer, UserNeighbourScorer
from aares.recommend.listeners.places import PlaceScorer

COLUMNS = sorted({*SCHEMAS["subset"], *SCHEMAS["recommendation"], "artist", "genre"})
LISTS = [("bebop", "cool jazz"), ("bebop",), ("punk", "ska"), ("punk",), ("ska", "bebop"), ()]


def make_songs(n: int = 60, *, seed: int = 0) -> pd.DataFrame:
    """A table with the columns of all four files: two genres that differ in sound and fame."""
    rng = np.random.default_rng(seed)
    row = np.arange(n)
    songs = pd.DataFrame({name: rng.random(n) / 2 + row % 2 / 2 for name in COLUMNS})
    songs["genre"] = np.where(row % 2, "jazz", "punk")
    songs["genres"] = [LISTS[i % len(LISTS)] for i in row]
    songs["artists"] = [(f"Band {i % 20}",) for i in row]
    songs["artist"] = songs["artist_name"] = [f"Band {i % 20}" for i in row]
    songs["name"] = songs["track_name"] = [f"Song number {i}" for i in row]
    songs["id"] = [f"id{i}" for i in row]
    songs["release_date"] = [f"{1990 + i % 7}-0{1 + i % 5}-11" for i in row]
    songs["year"] = 1990 + row % 7
    songs["duration_ms"] = rng.integers(100_000, 300_000, n)
    songs["loudness"], songs["tempo"] = -20 * songs["loudness"], 60 + 120 * songs["tempo"]
    songs["key"], songs["mode"] = rng.integers(0, 12, n), rng.integers(0, 2, n)
    songs["explicit"], songs["time_signature"] = songs["explicit"] > 0.6, rng.integers(3, 5, n)
    songs["popularity"] = np.where(row % 5, rng.integers(30, 50, n), 0)
    return songs


SONGS, NEW = make_songs(), make_songs(15, seed=1)
LISTENERS = sparse.csr_matrix((np.random.default_rng(2).random((30, 15)) < 0.4).astype(float))
SMALL = {"n_trees": 10, "n_folds": 2, "rounds": 3, "candidate_rounds": 3, "n_networks": 1}


@dataclass(frozen=True, eq=False)
class Case:
    """An estimator, what it learns from, and what is asked of it afterwards."""

    estimator: Any
    known: tuple[Any, ...]
    asked: tuple[Callable[[Any], Any], ...]

    @property
    def name(self) -> str:
        return type(self.estimator).__name__


def call(*methods: str, on: Any = NEW) -> tuple[Callable[[Any], Any], ...]:
    return tuple(lambda fitted, method=method: getattr(fitted, method)(on) for method in methods)


def call_encoder(encoder: Any) -> tuple[Callable[[Any], Any], ...]:
    names = (lambda fitted: fitted.get_feature_names_out(),)
    return call("transform") + names * hasattr(encoder, "get_feature_names_out")


def list_cases() -> list[Case]:
    of_genre, of_fame = (SONGS, SONGS["genre"]), (SONGS, SONGS["popularity"])
    points = np.arange(15.0)[:, None]
    scorers = [
        users.RandomScorer(),
        users.PopularScorer(),
        users.ContentScorer(points),
        users.ArtistScorer(NEW["artist"]),
        users.ItemCosineScorer(),
        users.EaseScorer(),
        WeightedEaseScorer(strength=9.0),
        UserNeighbourScorer(n_neighbours=2),
        ItemBm25Scorer(n_neighbours=3),
        AlsScorer(n_factors=3, n_rounds=2),
        PlaceScorer(reach=3.0),
        ListenerRanker(NEW, rounds=3, min_songs=3),
        users.HybridScorer(
            {"ease": users.EaseScorer(), "sound": users.ContentScorer(points)},
            {"ease": 1.0, "sound": 0.5},
        ),
    ]
    encoders = [
        SongNumbers(),
        RankSpace(),
        DateGenres(),
        RowFeatures(describe_audio),
        TokenCounter(),
        TokenTargetEncoder(),
        GenreSVD(n_components=2),
        LabelEncoder(genre.label_from_genres),
        ReferenceModel(reference=SONGS),
        recommend.SongSpace(),
        SongDescription(),
        GenreNMF(n_components=2),
        GenreEmbedding(n_components=2),
        GenreCommunities(),
    ]
    seed = [("Song number 3", "Band 3"), "id8"]
    model, intervals = popularity.PopularityRegressor(), popularity.PopularityIntervals
    return [
        Case(genre.GenreClassifier(SONGS[:9], **SMALL), of_genre, call("predict", "predict_proba")),
        Case(MoreSongs(make_classifiers()["decision tree"], SONGS[:9]), of_genre, call("predict")),
        Case(model, of_fame, call("predict", "describe", "predict_zero_proba", "predict_level")),
        Case(intervals(model, coverage=0.5), of_fame, call("predict_interval")),
        *(Case(encoder, of_fame, call_encoder(encoder)) for encoder in encoders),
        Case(recommend.Recommender(), (SONGS,), (
            lambda it: it.playlist(seed), lambda it: it.find_rows(seed),
            lambda it: it.find_song("song NUMBER 3"),
        )),
        *(Case(scorer, (LISTENERS,), call("score", on=LISTENERS[:4])) for scorer in scorers),
    ]  # fmt: skip


CASES = list_cases()
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@cache
def fit_once(number: int) -> tuple[Any, Any, tuple[Any, ...]]:
    """Fit a case for all tests: the estimator, what `fit` returned, the data as it was before."""
    before = pickle.loads(pickle.dumps(CASES[number].known))
    estimator = clone(CASES[number].estimator)
    return estimator, estimator.fit(*CASES[number].known), before


@pytest.fixture
def fitted(case):
    return fit_once(CASES.index(case))[0]


@pytest.fixture
def returned(case):
    return fit_once(CASES.index(case))[1]


@pytest.fixture
def before(case):
    return fit_once(CASES.index(case))[2]


def as_array(answer: Any) -> np.ndarray:
    return answer.toarray() if sparse.issparse(answer) else np.asarray(answer)


def assert_same(one: Any, other: Any) -> None:
    np.testing.assert_array_equal(as_array(one), as_array(other), strict=True)


# --- scikit-learn's own checks ------------------------------------------------------------


@parametrize_with_checks([FisherScaler(), NamedBoosting(rounds=3)])
def test_estimators_of_arrays_pass_every_check(estimator, check):
    check(estimator)


@each
@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_estimator_tags_renamed,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_mixin_order,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_set_params,
        estimator_checks.check_valid_tag_types,
    ],
    ids=lambda check: check.__name__,
)
def test_estimators_of_tables_pass_the_checks_without_data(case, check):
    check(case.name, case.estimator)


WITHOUT_DEFAULT = {
    "MoreSongs": "model",
    "PopularityIntervals": "model",
    "RowFeatures": "function",
    "LabelEncoder": "rule",
    "ReferenceModel": "reference",
    "ContentScorer": "points",
    "ArtistScorer": "artists",
    "ListenerRanker": "songs",
    "HybridScorer": "parts",
}  # they are nothing without it


@each
def test_all_other_parameters_have_simple_defaults(case):
    if case.name in WITHOUT_DEFAULT:
        with pytest.raises(TypeError, match=f"'{WITHOUT_DEFAULT[case.name]}'"):
            type(case.estimator)()
    else:
        estimator_checks.check_parameters_default_constructible(case.name, case.estimator)


# --- the contract, on tables of ours ------------------------------------------------------


@each
def test_fit_returns_the_estimator_and_leaves_its_parameters(case, fitted, returned):
    assert returned is fitted
    given, kept = case.estimator.get_params(), fitted.get_params()
    assert set(given) == set(kept)
    for name, value in given.items():
        assert repr(value) == repr(kept[name])
        if isinstance(value, BaseEstimator):  # a copy of it was fitted
            assert vars(kept[name]).keys() == vars(value).keys()


@each
def test_fit_adds_what_is_learnt_under_names_that_say_so(case, fitted):
    learnt = set(vars(fitted)) - set(vars(case.estimator))
    assert learnt or not get_tags(case.estimator).requires_fit
    assert all(name.endswith("_") or name.startswith("_") for name in learnt)


@each
def test_nothing_is_answered_before_fit(case, fitted):
    for ask in case.asked:
        fresh = clone(case.estimator)
        if get_tags(fresh).requires_fit:
            with pytest.raises(NotFittedError):
                ask(fresh)
        else:
            assert_same(ask(fresh), ask(fitted))


@each
def test_a_clone_learns_the_same_and_leaves_the_data(case, fitted, before):
    again = clone(fitted).fit(*case.known)
    for ask in case.asked:
        assert_same(ask(again), ask(fitted))
    for data, copy in zip(case.known, before, strict=True):
        assert (data != copy).nnz == 0 if sparse.issparse(data) else data.equals(copy)


@each
def test_a_kept_estimator_answers_the_same(case, fitted):
    kept = pickle.loads(pickle.dumps(fitted))
    for ask in case.asked:
        assert_same(ask(kept), ask(fitted))


NAMED = [case for case in CASES if case.name in {
    "GenreClassifier", "PopularityRegressor", "SongNumbers", "RankSpace", "SongSpace",
}]  # fmt: skip


@pytest.mark.parametrize("case", NAMED, ids=lambda case: case.name)
def test_the_columns_that_are_read_are_named(case, fitted):
    read = list(fitted.feature_names_in_)
    assert fitted.n_features_in_ == len(read)
    assert set(read) < set(case.known[0])
    narrow = clone(case.estimator).fit(case.known[0][read[::-1]], case.known[1])
    for ask in case.asked:
        assert_same(ask(narrow), ask(fitted))


@pytest.mark.parametrize("encoder", [SongNumbers(), RankSpace(), recommend.SongSpace()])
def test_each_coordinate_has_a_name(encoder):
    assert encoder.fit_transform(SONGS).shape[1] == len(encoder.get_feature_names_out())


@pytest.mark.parametrize(
    "helper",
    [CandidateModel, Boosting, Decision, Networks, FirstGuess, NeighborVotes, HurdleRegressor,
     SongFeatures],
)  # fmt: skip
def test_helpers_that_take_several_tables_are_no_estimators(helper):
    """Nothing of scikit-learn can fit, clone or search them: they do not say that it could."""
    assert not issubclass(helper, BaseEstimator)
    assert not hasattr(helper, "get_params")


def test_a_recommender_learns_its_weights_anew():
    options = {"weights": {"energy": 0.0, "key": 9.0}}
    fresh = recommend.Recommender(**options).fit(SONGS)
    changed = recommend.Recommender().fit(SONGS).set_params(**options).fit(SONGS)
    assert_same(changed.playlist("id3"), fresh.playlist("id3"))


def test_a_hybrid_leaves_its_parts_as_they_are():
    parts = {"ease": users.EaseScorer(), "popular": users.PopularScorer()}
    users.HybridScorer(parts, {"ease": 1.0, "popular": 1.0}).fit(LISTENERS)
    with pytest.raises(NotFittedError):
        parts["ease"].score(LISTENERS)
