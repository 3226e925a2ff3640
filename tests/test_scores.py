"""Folds that keep labels apart, and intervals that hold what they claim."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, cross_val_predict

from aares import scores


class Memory(ClassifierMixin, BaseEstimator):
    """Knows the label of every song that it was fitted on, and of no other."""

    def fit(self, X, y):
        self.known_ = dict(zip(X["id"], y, strict=True))
        return self

    def predict(self, X):
        return np.array([self.known_.get(name, "never seen") for name in X["id"]], dtype=object)


@pytest.fixture
def songs():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"id": range(60), "sound": rng.normal(size=60)})
    return X, np.where(X["sound"] + rng.normal(size=60) > 0, "rock", "jazz"), rng.normal(size=60)


def test_no_song_is_predicted_by_a_model_that_saw_its_label(songs):
    X, labels, _ = songs
    folds = list(KFold(5, shuffle=True, random_state=1).split(X))
    assert set(scores.predict_folds(Memory(), X, labels, folds)) == {"never seen"}
    with pytest.raises(ValueError, match="predicts rows that it was fitted on"):
        scores.predict_folds(Memory(), X, labels, [(np.arange(60), np.arange(3))])
    with pytest.raises(ValueError, match="predicted by two folds"):
        scores.predict_folds(Memory(), X, labels, [folds[0], folds[0]])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_folds_predict_what_scikit_learn_predicts(songs, n_jobs):
    X, labels, numbers = songs
    X = X[["sound"]]
    folds = list(KFold(4, shuffle=True, random_state=2).split(X))
    for model, y, method in (
        (LogisticRegression(), labels, "predict"),
        (LogisticRegression(), labels, "predict_proba"),
        (Ridge(), numbers, "predict"),
    ):
        ours = scores.predict_folds(model, X, y, folds, method=method, n_jobs=n_jobs)
        assert (ours == cross_val_predict(model, X, y, cv=folds, method=method)).all()


def test_rows_of_no_fold_are_told(songs):
    X, labels, numbers = songs
    folds = [(np.arange(30), np.arange(40, 45))]
    predicted = scores.predict_folds(Ridge(), X[["sound"]], numbers, folds)
    assert np.flatnonzero(~np.isnan(predicted)).tolist() == [40, 41, 42, 43, 44]
    named = scores.predict_folds(Memory(), X, labels, folds)
    assert [row for row, name in enumerate(named) if name is not None] == [40, 41, 42, 43, 44]


@given(st.integers(1, 200), st.data())
def test_the_interval_of_a_share_holds_the_share(n, data):
    k = data.draw(st.integers(0, n))
    share, low, high = scores.estimate_share(np.arange(n) < k)
    assert share == k / n
    assert 0 <= low <= share <= high <= 1


def test_a_share_of_known_numbers():
    z = 1.959964
    centre, half = (0.3 + z**2 / 20) / (1 + z**2 / 10), z * np.sqrt(0.021 + z**2 / 400)
    expected = (centre - half / (1 + z**2 / 10), centre + half / (1 + z**2 / 10))
    assert scores.estimate_share([True] * 3 + [False] * 7)[1:] == pytest.approx(expected, abs=1e-6)


def test_intervals_cover_as_often_as_they_claim():
    """The truth lies outside of 95 % intervals in one draw of twenty."""
    rng = np.random.default_rng(0)
    hits = rng.random((4000, 80)) < 0.3
    bounds = np.array([scores.estimate_share(row)[1:] for row in hits])
    assert np.mean((bounds[:, 0] < 0.3) & (bounds[:, 1] > 0.3)) == pytest.approx(0.95, abs=0.025)
    spread = scores.spread_of_share(hits.mean(axis=1), 80)
    assert np.mean(np.abs(hits.mean(axis=1) - 0.3) < spread) == pytest.approx(0.95, abs=0.025)
    values = rng.normal(3, 2, size=(1500, 60))
    spread = scores.spread_of_mean(values.std(axis=1, ddof=1), 60)
    assert np.mean(np.abs(values.mean(axis=1) - 3) < spread) == pytest.approx(0.95, abs=0.015)


def test_two_samples_make_a_share_less_sure():
    # 0.25 / 100 + 0.25 / 100 = 0.005, whose root is 0.0707
    assert scores.spread_of_share(0.5, 100, 100) == pytest.approx(1.96 * 0.070711, abs=1e-5)


def test_bootstrap_draws_pairs_together():
    x = np.random.default_rng(0).normal(size=200)
    value, low, high = scores.bootstrap(
        lambda a, b, axis: (a - b).mean(axis=axis), x + 0.5, x, n_draws=200
    )
    assert value == pytest.approx(0.5) == low == high, "the difference never varies"


def test_bootstrap_agrees_with_the_normal_interval_of_a_mean():
    values = np.random.default_rng(1).normal(5, 3, size=(2, 400))
    value, low, high = scores.bootstrap(np.mean, values)
    spread = scores.spread_of_mean(values.std(axis=1), 400)
    assert value == pytest.approx(values.mean(axis=1))
    assert high - low == pytest.approx(2 * spread, rel=0.08)
    again = scores.bootstrap(np.mean, values)
    assert (again[1] == low).all(), "the same seed, the same interval"


def test_one_value_has_no_interval():
    with pytest.raises(ValueError, match="at least two values"):
        scores.bootstrap(np.mean, np.array([1.0]))


def test_an_exact_interval_is_the_wider_one():
    hits = [True] * 3 + [False] * 7
    _, low, high = scores.estimate_share(hits)
    # 0.0667 and 0.6525: quantiles of beta distributions of (3, 8) and (4, 7)
    exact = scores.estimate_share(hits, method="exact")[1:]
    assert exact == pytest.approx((0.0667, 0.6525), abs=1e-4)
    assert exact[0] < low < high < exact[1]


def test_draws_without_an_answer_do_not_count_and_say_nothing():
    def divide(a, b, axis):
        with np.errstate(invalid="ignore"):
            return a.sum(axis=axis) / b.sum(axis=axis)

    few = np.array([0.0, 0.0, 1.0])  # of 27 draws 8 hold zeros only
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert scores.bootstrap(divide, few, few) == (1, 1, 1)
