"""Controls of the score of exercise 1: each tells a sound score from the fault it looks for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier
from test_genre import make_songs

from aares.genre.compare import make_classifiers
from aares.genre.controls import (
    DateGenres,
    MoreSongs,
    add_date_genres,
    expect_unrelated,
    predict_new_dates,
    predict_seeds,
    score_shuffled,
)
from aares.genre.songs import SongNumbers
from aares.scores import estimate_grouped_share

HALVES = [(np.arange(20), np.arange(20, 40)), (np.arange(20, 40), np.arange(20))]


class ByDate(ClassifierMixin, BaseEstimator):
    """Names the genre of a song of the same date, of its own songs or of the extra ones."""

    def __init__(self, extra=None, random_state=0):
        self.extra = extra
        self.random_state = random_state

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        table = X.assign(genre=np.asarray(y))
        self.known_ = pd.concat([table, self.extra]).groupby("release_date")["genre"].first()
        return self

    def predict(self, X):
        return X["release_date"].map(self.known_).fillna("nobody knows").to_numpy()


class Tree(ClassifierMixin, BaseEstimator):
    """A tree on the numbers of a song, with a seed that a control may set."""

    def __init__(self, random_state=0):
        self.random_state = random_state

    def fit(self, X, y):
        tree = DecisionTreeClassifier(max_depth=6, random_state=self.random_state)
        self.model_ = make_pipeline(SongNumbers(), tree).fit(X, y)
        return self

    def predict(self, X):
        return self.model_.predict(X)


class Peeking(Tree):
    """Has seen the answers: it knows the seed that shuffled them."""

    def __init__(self, labels=None, random_state=0):
        super().__init__(random_state)
        self.labels = labels

    def predict(self, X):
        rng = np.random.default_rng(self.random_state)
        rows = rng.permutation(len(self.labels))[: 2 * len(X)]
        return rng.permutation(self.labels[rows])[len(X) :]


def test_each_fold_has_a_seed_of_its_own():
    X, y = pd.DataFrame({"energy": np.zeros(40)}), pd.Series(["jazz", "punk"] * 20)
    coin = DummyClassifier(strategy="uniform", random_state=7)
    tossed = predict_seeds(coin, X, y, HALVES, method="predict", n_jobs=1)
    for k, (fitted_on, rows) in enumerate(HALVES):
        alone = DummyClassifier(strategy="uniform", random_state=7 + k)
        expected = alone.fit(X.iloc[fitted_on], y.iloc[fitted_on]).predict(X.iloc[rows])
        assert tossed[rows].tolist() == expected.tolist()
    proba = predict_seeds(DummyClassifier(strategy="prior", random_state=0), X, y, HALVES)
    assert proba.tolist() == [[0.5, 0.5]] * 40
    assert coin.random_state == 7


def test_no_song_of_a_new_date_is_known():
    X, y = make_songs(n_albums=40)
    y = pd.Series(y)
    extra = X.assign(genre=y)  # songs of every date: those held out must go, too
    answers = predict_new_dates(ByDate(extra), X, y, n_draws=3, n_jobs=1)
    assert (answers["predicted"] == "nobody knows").all()
    assert answers.groupby("draw").size().tolist() == [len(X) // 5] * 3
    held_out = [set(part["row"]) for _, part in answers.groupby("draw")]
    assert held_out[0] != held_out[1]  # another shuffle
    dates = X["release_date"].iloc[answers.loc[answers["draw"] == 0, "row"]]
    assert X["release_date"].isin(dates).sum() == len(dates)  # dates as a whole


def test_songs_of_other_dates_stay_with_the_model():
    X, y = make_songs(n_albums=10)

    class Counter(ByDate):
        def predict(self, X):
            return np.repeat(len(self.known_), len(X))

    extra = X.assign(genre=y)
    seen = predict_new_dates(Counter(extra), X, pd.Series(y), n_draws=1, n_jobs=1)["predicted"]
    assert seen.unique().tolist() == [8]


def test_songs_of_one_date_count_as_few():
    rng = np.random.default_rng(0)
    dates = np.repeat(np.arange(200), 10)
    together = np.repeat(rng.random(200) < 0.5, 10)  # an album is right or wrong as a whole
    apart = rng.random(2000) < 0.5
    wide, narrow = (estimate_grouped_share(right, dates) for right in (together, apart))
    assert wide[0] == together.mean()
    by_hand = 2 * 1.96 * np.sqrt(0.25 / 200)
    assert wide[2] - wide[1] == pytest.approx(by_hand, rel=0.15)
    assert narrow[2] - narrow[1] == pytest.approx(by_hand / np.sqrt(10), rel=0.15)


def test_unrelated_answers_score_what_all_orders_of_the_labels_give():
    rng = np.random.default_rng(0)
    answers = rng.choice(["pop", "rock", "salsa"], 60, p=[0.7, 0.2, 0.1])
    truth = rng.choice(["pop", "rock", "jazz"], 60, p=[0.4, 0.3, 0.3])
    expected = expect_unrelated(answers, truth)
    orders = [np.mean(answers == rng.permutation(truth)) for _ in range(4000)]
    assert expected == pytest.approx(np.mean(orders), abs=0.003)
    largest = pd.Series(truth).value_counts(normalize=True).max()
    assert expected < largest
    assert expect_unrelated(["pop"] * 60, truth) == pytest.approx((truth == "pop").mean())


def test_shuffled_labels_show_answers_that_were_seen():
    X, y = make_songs(n_albums=300)
    y = pd.Series(y)
    honest = score_shuffled(Tree(), X, y, n_draws=4, n_songs=1200)
    assert honest["songs"].tolist() == [600] * 4
    spread = np.sqrt(0.25 / 600 / 4)
    assert honest["score"].mean() == pytest.approx(honest["expected"].mean(), abs=4 * spread)
    leaky = score_shuffled(Peeking(y.to_numpy()), X, y, n_draws=2, n_songs=1200)
    assert (leaky["score"] == 1).all() and (leaky["expected"] < 0.5).all()


def test_more_songs_are_labelled_by_the_rule_and_never_repeated():
    X, y = make_songs(n_albums=12)
    genres = [(f"free {label}",) for label in y]
    extra = X.assign(genres=genres)
    inside = extra.iloc[:30]
    new = extra.iloc[30:].assign(tempo=lambda table: table["tempo"] + 0.5)
    other = extra.iloc[:2].assign(genres=[("ska punk",)] * 2, tempo=1.0)

    class Count(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            self.n_, self.classes_ = len(y), np.unique(y)
            return self

    model = MoreSongs(Count(), pd.concat([inside, new, other])).fit(X.iloc[:40], y[:40])
    assert model.model_.n_ == 40 + len(new)  # neither copies nor genres that are not asked for
    assert set(model.classes_) == set(y[:40])


def test_genres_of_a_date_are_shares_and_no_song_counts_itself():
    X, _ = make_songs(n_albums=3)
    X["release_date"] = ["1990-01-02"] * 6 + ["1991-01-02"] * 6 + [""] * 6
    y = np.array(["jazz"] * 6 + ["punk"] * 6 + ["jazz"] * 6)
    dates = DateGenres(weight=2).fit(X, y)
    expected = [[(6 + 4 / 3) / 8, (2 / 3) / 8], [(4 / 3) / 8, (6 + 2 / 3) / 8], [2 / 3, 1 / 3]]
    assert dates.transform(X.iloc[[0, 6, 12]]) == pytest.approx(np.array(expected))
    lone = X.assign(release_date=[f"{1950 + k}" for k in range(18)])
    learnt = DateGenres().fit_transform(lone, y)
    assert learnt == pytest.approx(np.tile([2 / 3, 1 / 3], (18, 1)))  # nobody of their date
    assert (DateGenres().fit(lone, y).transform(lone)[:, 0] > 2 / 3).sum() == 12


def test_a_standard_classifier_can_be_given_the_dates():
    X, y = make_songs(n_albums=150)
    half = np.arange(len(X)) % 2 == 0  # each album is on both sides
    plain = make_classifiers()["decision tree"]
    scores = [
        np.mean(model.fit(X[half], y[half]).predict(X[~half]) == y[~half])
        for model in (plain, add_date_genres(plain))
    ]
    assert scores[1] > scores[0] + 0.1
