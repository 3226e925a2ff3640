"""Conformal prediction: exact counts, conventions, validity, bad input.

The reference is the definition, word for word and slow: for every label a bag of n + 1 examples,
for every member its neighbours by sorting. It shares no code with the module.
"""

from __future__ import annotations

import doctest
import math
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from aares import conformal, data
from aares.conformal import full, split
from aares.conformal.space import FisherScaler
from aares.data import DataError
from utils_projet import ConformalPrediction, TooFewExamplesWarning
from workshop import config
from workshop.plots import conformal as plots

# --- the definition -----------------------------------------------------------------------


def measure_euclidean(u, v) -> float:
    return math.sqrt(sum((a - b) ** 2 for a, b in zip(u, v, strict=True)))


def find_alpha(bag, labels, i, k, measure) -> float:
    """Strangeness of member i of a bag, by the definition."""
    same, other = [], []
    for j in range(len(bag)):
        if j != i:
            kind = same if labels[j] == labels[i] else other
            kind.append(measure(bag[i], bag[j]))
    if len(same) < k:
        return math.inf
    a = float(np.sum(sorted(same)[:k]))
    b = math.inf if len(other) < k else float(np.sum(sorted(other)[:k]))
    if a == 0:
        return 0.0
    return math.inf if b == 0 else a / b


def count_by_definition(X, y, x_new, label, k=1, measure=measure_euclidean):
    """Return how many of the bag are >=, how many >, and how many of the label are >=."""
    bag, labels = [*X, x_new], [*y, label]
    alphas = [find_alpha(bag, labels, i, k, measure) for i in range(len(bag))]
    new = alphas[-1]
    return (
        sum(alpha >= new for alpha in alphas),
        sum(alpha > new for alpha in alphas),
        sum(alpha >= new for alpha, own in zip(alphas, labels, strict=True) if own == label),
    )


def fit_knn(X, y, **options):
    return KNeighborsClassifier(n_neighbors=1, **options).fit(X, y)


def make_predictor(X, y, k=1, **options) -> ConformalPrediction:
    return ConformalPrediction(fit_knn(X, y, **options), X, y, k=k)


def draw_classes(rng, n, d=3, n_labels=4, spread=1.5):
    """Gaussian classes with overlapping centres."""
    y = rng.integers(0, n_labels, size=n)
    return rng.normal(size=(n, d)) + spread * y[:, None] * (np.arange(d) == 0), y


@st.composite
def bags(draw):
    """Small bags full of duplicates and ties, with classes down to a single example."""
    n = draw(st.integers(3, 60))
    d = draw(st.integers(1, 3))
    n_labels = draw(st.integers(2, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    coarse = draw(st.booleans())
    X = rng.integers(0, 4, size=(n + 2, d)).astype(float) if coarse else rng.normal(size=(n + 2, d))
    X[rng.integers(0, n, size=n // 4)] = X[n]  # duplicates of a new song too
    y = rng.integers(0, n_labels, size=n)
    y[0], y[1] = n_labels, 0  # a class of one example, and a second class
    y[2:] = np.where(y[2:] == n_labels, 0, y[2:])
    return X[:n], y, X[n:], draw(st.integers(1, 4))


# --- exactness ----------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(bags())
def test_counts_equal_the_definition(bag):
    X, y, new, k = bag
    predictor = make_predictor(X, y, k)
    at_least = predictor.count_stranger(new)
    above = predictor.count_stranger(new, strict=True)
    within = predictor.count_stranger(new, within_label=True)
    for row, x_new in enumerate(new):
        for column, label in enumerate(predictor.labels):
            expected = count_by_definition(X, y, x_new, label, k)
            found = at_least[row, column], above[row, column], within[row, column]
            assert found == expected


@pytest.mark.parametrize(
    ("metric", "options", "measure"),
    [
        ("manhattan", {}, lambda u, v: float(sum(abs(u - v)))),
        ("chebyshev", {}, lambda u, v: float(max(abs(u - v)))),
        ("minkowski", {"p": 3}, lambda u, v: float(sum(abs(u - v) ** 3)) ** (1 / 3)),
        ("cosine", {}, lambda u, v: 1 - u @ v / math.sqrt((u @ u) * (v @ v))),
        ("canberra", {}, lambda u, v: float(sum(abs(u - v) / (abs(u) + abs(v))))),
    ],
)
def test_metric_is_the_models(metric, options, measure):
    rng = np.random.default_rng(3)
    X, y = draw_classes(rng, 40)
    new = draw_classes(rng, 3)[0]
    found = make_predictor(X, y, metric=metric, **options).count_stranger(new)
    if not options:
        p = conformal.p_values(X, y, new, metric=metric)
        assert_array_equal(p, found / 41)
    expected = [
        [count_by_definition(X, y, x, label, 1, measure)[0] for label in range(4)] for x in new
    ]
    assert_array_equal(found, expected)


def test_weighted_minkowski_metric():
    rng = np.random.default_rng(4)
    X, y = draw_classes(rng, 50)
    new = draw_classes(rng, 5)[0]
    weights = np.array([4.0, 1.0, 0.25])
    model = fit_knn(X, y, metric="minkowski", p=2, metric_params={"w": weights})
    found = ConformalPrediction(model, X, y).predict_many(new)
    scaled = np.sqrt(weights)
    assert_allclose(found, conformal.p_values(X * scaled, y, new * scaled))


def test_blocks_do_not_matter():
    rng = np.random.default_rng(5)
    X, y = draw_classes(rng, 300)
    new = draw_classes(rng, 400)[0]
    together = conformal.p_values(X, y, new, k=2)
    alone = np.vstack([conformal.p_values(X, y, row[None], k=2) for row in new[::37]])
    assert_array_equal(together[::37], alone)


def test_order_of_the_bag_does_not_matter():
    rng = np.random.default_rng(6)
    X, y = draw_classes(rng, 80)
    order = rng.permutation(80)
    new = draw_classes(rng, 9)[0]
    assert_array_equal(conformal.p_values(X, y, new), conformal.p_values(X[order], y[order], new))


@pytest.mark.parametrize("kind", ["demo", "course"])
def test_counts_equal_the_definition_on_the_bag_of_the_assignment(kind):
    """Five songs, each label, against the first 1,500 songs: every count is the definition's."""
    try:
        train = data.load_train(config.find_data(kind)).head(1505)
    except config.ConfigError:
        pytest.skip("no course data")
    X = StandardScaler().fit_transform(train[list(data.AUDIO_FEATURES)].to_numpy(dtype=float))
    genre = train["genre"].to_numpy()
    predictor = make_predictor(X[:1500], genre[:1500])
    found = predictor.count_stranger(X[1500:])
    distances = np.sqrt(sum((x[:, None] - x) ** 2 for x in X.T))
    np.fill_diagonal(distances, np.inf)
    codes = np.searchsorted(predictor.labels, genre[:1500])
    bags = [np.append(np.arange(1500), 1500 + row) for row in range(5)]
    among = [distances[np.ix_(bag, bag)] for bag in bags]
    for row, column in np.ndindex(found.shape):
        labels = np.append(codes, column)
        alike = labels[:, None] == labels
        same = np.where(alike, among[row], np.inf).min(axis=1)
        other = np.where(alike, np.inf, among[row]).min(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            alphas = np.where(same == 0, 0.0, same / other)
        assert found[row, column] == np.sum(alphas >= alphas[-1])


# --- conventions --------------------------------------------------------------------------


def test_conventions_on_a_line():
    # label 2 has one example; 5.0 and 5.0 are duplicates of different labels
    X, y = np.array([[0.0], [0.0], [5.0], [5.0], [9.0]]), np.array([0, 0, 0, 1, 2])
    predictor = make_predictor(X, y)
    # label 0: 0/anything = 0 for the new song and both its duplicates; third member 5/0 = infinity;
    # members of labels 1 and 2 have nobody of their label: infinity
    assert predictor.count_stranger([[0.0]])[0].tolist()[0] == 6
    # label 2: a/0 = infinity (distance 9 over 0); so are the singleton of label 1 and 5/0, while
    # 9.0 now has a neighbour of its label, at 9 against 4
    assert predictor.count_stranger([[0.0]])[0].tolist()[2] == 3


def test_new_song_counts_as_neighbour():
    X, y = np.array([[0.0], [1.0], [10.0]]), np.array([0, 0, 1])
    counts = make_predictor(X, y).count_stranger([[10.5]])
    # as label 0: 9.5/0.5 for the new song; only 10.0, alone with its label, is stranger
    assert counts[0, 0] == 2
    # as label 1: 0.5/9.5 for the new song; 10.0 is no longer alone, but 0.5/9 is stranger still,
    # and so are 1/9 and 1/10 of label 0
    assert counts[0, 1] == 4
    # an other-label neighbour counts too: 1.0 has 1/0.2 once 1.2 bears label 1, 10.0 has 8.8/9,
    # 0.0 has 1/1.2, and the new song itself 8.8/0.2
    assert make_predictor(X, y).count_stranger([[1.2]])[0, 1] == 1


def test_duplicates_are_excluded_by_index():
    X, y = np.array([[1.0], [1.0], [4.0], [6.0]]), np.array([0, 0, 1, 1])
    counts = make_predictor(X, y).count_stranger([[1.0]])
    # label 0: the three at 1.0 are neighbours at distance 0, alpha 0, and nobody is below
    assert counts[0, 0] == 5
    # label 1: 3/0 = infinity for the new song; 0/0 = 0 at 1.0, then 2/3 and 2/5
    assert counts[0, 1] == 1


@pytest.mark.parametrize("k", [2, 3])
def test_too_few_of_a_label_are_infinitely_strange(k):
    X, y = np.arange(8.0)[:, None], np.array([0, 0, 0, 0, 0, 0, 0, 1])
    counts = make_predictor(X, y, k).count_stranger([[7.5]])
    assert counts[0, 1] == 2  # the only other of label 1 lacks neighbours as well


# --- the course's class -------------------------------------------------------------------


def make_songs():
    rng = np.random.default_rng(7)
    X, codes = draw_classes(rng, 90)
    return X, np.array(["rock", "jazz", "salsa", "folk"])[codes]


def test_predict_returns_and_keeps_p_values():
    X, y = make_songs()
    predictor = make_predictor(X, y)
    p = predictor.predict(X[0])
    assert list(p) == np.unique(y).tolist() == ["folk", "jazz", "rock", "salsa"]
    assert predictor.pz == list(p.values())
    assert_array_equal(np.array(predictor.pz) * 91, np.round(np.array(predictor.pz) * 91))
    assert predictor.predict(X[:1]) == predictor.predict(X[0].tolist()) == p


def test_interval_holds_labels_above_eps_best_first():
    X, y = make_songs()
    predictor = make_predictor(X, y)
    for x_new in X[:10] + 0.1:
        p = predictor.predict(x_new)
        for eps in (0, 0.05, 0.3, *p.values(), 1):
            interval = predictor.compute_interval(eps)
            assert set(interval) == {label for label, value in p.items() if value > eps}
            assert [p[label] for label in interval] == sorted(
                (p[label] for label in interval), reverse=True
            )
    assert predictor.compute_interval() == predictor.compute_interval(0.05)


def test_numeric_labels_come_back_as_numbers():
    X, y = draw_classes(np.random.default_rng(8), 40)
    predictor = make_predictor(X, y)
    assert set(predictor.predict(X[0])) == {0, 1, 2, 3}
    assert set(predictor.compute_interval(0)) == {0, 1, 2, 3}


def test_pipeline_scales_before_it_measures():
    X, y = make_songs()
    frame = pd.DataFrame(X * [1, 1000, 0.001], columns=["a", "b", "c"])
    pipeline = make_pipeline(StandardScaler(), KNeighborsClassifier(1)).fit(frame, y)
    predictor = ConformalPrediction(pipeline, frame, y)
    scaled = StandardScaler().fit_transform(frame)
    expected = conformal.p_values(scaled, y, scaled)
    assert_allclose(predictor.predict_many(frame), expected)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(predictor.predict(frame.iloc[3]).values()) == expected[3].tolist()
        assert list(predictor.predict(frame.iloc[[3]]).values()) == expected[3].tolist()


def test_interval_before_predict_is_an_error():
    predictor = make_predictor(*make_songs())
    with pytest.raises(RuntimeError, match="call predict"):
        predictor.compute_interval(0.05)


@pytest.mark.parametrize("eps", [-0.01, 1.01, math.nan, math.inf])
def test_eps_outside_the_unit_interval_is_an_error(eps):
    X, y = make_songs()
    predictor = make_predictor(X, y)
    predictor.predict(X[0])
    with pytest.raises(ValueError, match=r"eps must lie in \[0, 1\]"):
        predictor.compute_interval(eps)


@pytest.mark.parametrize(
    ("x_new", "message"),
    [
        ([0.0, math.nan, 1.0], "x_new must be finite, found nan in row 0, feature 1"),
        ([0.0, math.inf, 1.0], "x_new must be finite"),
        ([0.0, 1.0], "x_new must have 3 features"),
        ([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]], "predict_many takes several songs"),
        (5.0, "x_new must have the shape"),
        (["a", "b", "c"], "could not convert"),
    ],
)
def test_bad_song_is_an_error(x_new, message):
    with pytest.raises(ValueError, match=message):
        make_predictor(*make_songs()).predict(x_new)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 0, 0, 0], "at least two labels"),
        ([0, 0, 1], r"y must have the shape \(4,\)"),
        (["a", None, "b", "b"], "no missing label, found None in row 1"),
        ([0.0, 1.0, math.nan, 1.0], "no missing label, found nan in row 2"),
        (np.array(["a", math.nan, "b", "b"], dtype=object), "found nan in row 1"),
        (np.array([0, 1, 2, "NaT"], dtype="datetime64[D]"), "found NaT in row 3"),
        (np.array([0, 1, pd.NaT, 2], dtype=object), "found NaT in row 2"),
        (pd.Series(["a", "b", None, "b"]), "found nan in row 2"),
        (np.array([0, pd.NA, 1, 1], dtype=object), "found <NA> in row 1"),
        (pd.Categorical(["a", "b", "b", None]), "found nan in row 3"),
    ],
)
def test_bad_labels_are_an_error(y, message):
    X = np.arange(8.0).reshape(4, 2)
    with pytest.raises(ValueError, match=message):
        ConformalPrediction(fit_knn(X, [0, 0, 1, 1]), X, y)


@pytest.mark.parametrize(
    "y",
    [
        np.array(["a", "b", "b", "a"], dtype=object),
        pd.Series(["a", "b", "b", "a"]),
        pd.Series(["a", "b", "b", "a"], dtype="category"),
        pd.Series([4, 7, 7, 4], dtype="Int64"),
        np.array(["2001", "2002", "2002", "2001"], dtype="datetime64[Y]"),
        np.array([False, True, True, False]),
    ],
)
def test_labels_of_any_kind_are_read(y):
    X = np.arange(8.0).reshape(4, 2)
    predictor = ConformalPrediction(fit_knn(X, [0, 1, 1, 0]), X, y)
    plain = ConformalPrediction(fit_knn(X, [0, 1, 1, 0]), X, [0, 1, 1, 0])
    assert predictor.labels.tolist() == np.unique(np.asarray(y)).tolist()
    assert_array_equal(predictor.predict_many(X), plain.predict_many(X))


def test_bad_model_is_an_error():
    X, y = make_songs()
    with pytest.raises(ValueError, match="not fitted"):
        ConformalPrediction(KNeighborsClassifier(), X, y)
    with pytest.raises(TypeError, match="found StandardScaler"):
        ConformalPrediction(StandardScaler().fit(X), X, y)
    with pytest.raises(ValueError, match="precomputed"):
        ConformalPrediction(fit_knn(np.eye(90), y, metric="precomputed"), np.eye(90), y)
    with pytest.raises(ValueError, match="X must have 3 features"):
        ConformalPrediction(fit_knn(X, y), X[:, :2], y)
    with pytest.raises(ValueError, match="k must be a positive integer"):
        ConformalPrediction(fit_knn(X, y), X, y, k=0)


@pytest.mark.parametrize("module", [full, split])
def test_examples_of_the_docstrings(module):
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0


# --- variants -----------------------------------------------------------------------------


def test_textbook_is_valid_and_mondrian_is_valid_within_labels():
    """2,000 fresh bags of 40: error rates within 3.3 standard errors of what is promised."""
    rng = np.random.default_rng(9)
    draws, eps = 2000, 0.2
    miss, mondrian_miss, of_rare = 0, 0, 0
    for _ in range(draws):
        y = rng.choice(2, size=41, p=[0.7, 0.3])
        if min(np.bincount(y[:40], minlength=2)) < 2:
            continue
        X = rng.normal(size=(41, 2)) + y[:, None]
        predictor = make_predictor(X[:40], y[:40])
        miss += predictor.count_stranger(X[40:])[0, y[40]] <= eps * 41
        if y[40] == 1:
            of_rare += 1
            size = np.sum(y[:40] == 1) + 1
            within = predictor.count_stranger(X[40:], within_label=True)[0, 1]
            mondrian_miss += within <= eps * size
    assert abs(miss / draws - 8 / 41) < 3.3 * math.sqrt(0.16 / draws)
    assert mondrian_miss / of_rare < eps + 3.3 * math.sqrt(0.16 / of_rare)


def test_smoothed_p_values_of_the_truth_are_uniform():
    rng = np.random.default_rng(10)
    values = []
    for _ in range(600):
        X = rng.integers(0, 3, size=(21, 2)).astype(float)  # ties everywhere
        y = rng.integers(0, 2, size=21)
        if len(np.unique(y[:20])) == 2:
            values.append(conformal.compute_smoothed(X[:20], y[:20], X[20:], rng=rng)[0, y[20]])
    assert stats.kstest(values, "uniform").pvalue > 0.01


def test_smoothed_lies_between_its_bounds():
    rng = np.random.default_rng(11)
    X, y = rng.integers(0, 3, size=(50, 2)).astype(float), rng.integers(0, 3, size=50)
    predictor = make_predictor(X, y)
    smoothed = conformal.compute_smoothed(X, y, X, rng=rng)
    assert (smoothed <= predictor.count_stranger(X) / 51).all()
    assert (smoothed >= predictor.count_stranger(X, strict=True) / 51).all()


def test_mondrian_divides_by_the_size_of_the_label():
    X, y = np.array([[0.0], [1.0], [2.0], [9.0]]), np.array([0, 0, 0, 1])
    p = conformal.compute_mondrian(X, y, [[50.0]])
    assert_allclose(p, [[1 / 4, 2 / 2]])


def test_shortcut_by_hand():
    X, y = np.array([[0.0], [1.0], [3.0], [7.0]]), np.array([0, 0, 1, 1])
    # bag: 0.0: 1/3; 1.0: same 1, next behind 2: 1/2; 3.0: same 4, nobody behind: 1; 7.0: 4/6
    # new 2.0 as 0: same 1, other at 1: 1; as 1: same 1, other (1.0 at 1): 1
    assert_allclose(conformal.compute_shortcut(X, y, [[2.0]]), [[0.25, 0.25]])
    # new 0.4 as 0: 0.4/2.6: below all; as 1: 2.6, nobody of label 0 behind it: 1
    assert_allclose(conformal.compute_shortcut(X, y, [[0.4]]), [[1.0, 0.25]])


def test_reading_p_values():
    p = np.array([[0.1, 0.6, 0.3], [0.5, 0.5, 0.1], [0.01, 0.02, 0.03]])
    table = conformal.read_p_values(p, ["a", "b", "c"])
    assert table["prediction"].tolist() == ["b", "a", "c"]
    assert_allclose(table["confidence"], [0.7, 0.5, 0.98])
    assert_allclose(table["credibility"], [0.6, 0.5, 0.03])
    assert_allclose(table["eps_single"], [0.3, np.nan, 0.02])
    for row in (0, 2):
        eps = table["eps_single"][row]
        assert (p[row] > eps).sum() == 1
        assert (p[row] > eps - 1e-9).sum() > 1


class ReadyProbabilities(ClassifierMixin, BaseEstimator):
    """A classifier whose features are its probabilities."""

    def fit(self, X, y):
        self.classes_ = np.arange(X.shape[1])
        self.fitted_ = True
        return self

    def predict_proba(self, X):
        return np.asarray(X)

    def predict(self, X):
        return np.argmax(X, axis=1)


# --- split --------------------------------------------------------------------------------


def draw_probabilities(rng, m, n_labels=5):
    """Calibrated probabilities and labels drawn from them."""
    probabilities = rng.dirichlet(np.full(n_labels, 0.5), size=m)
    codes = (probabilities.cumsum(axis=1) > rng.uniform(size=(m, 1))).argmax(axis=1)
    return probabilities, codes


@pytest.mark.parametrize("score", ["lac", "aps", "raps"])
def test_split_sets_equal_the_quantile_rule(score):
    rng = np.random.default_rng(12)
    calibration, codes = draw_probabilities(rng, 99)
    new = draw_probabilities(rng, 200)[0]
    scores = conformal.score_labels(calibration, score=score)
    own = np.sort(scores[np.arange(99), codes])
    fresh = conformal.score_labels(new, score=score)
    p = conformal.split_p_values(scores, codes, fresh)
    for eps in (0.05, 0.1, 0.25, 0.5):
        limit = own[math.ceil(round(100 * (1 - eps), 9)) - 1]
        assert_array_equal(p > eps, fresh <= limit)


class MapiesShare:
    """The random shares that MAPIE draws, in our terms: it subtracts what we keep."""

    def uniform(self, size):
        return 1 - np.random.RandomState(5).uniform(size=size)


@pytest.mark.parametrize("score", ["lac", "aps"])
def test_split_sets_equal_mapies(score):
    """An independent implementation: MAPIE, with the probabilities as a fitted classifier."""
    classification = pytest.importorskip("mapie.classification")
    rng = np.random.default_rng(18)
    calibration, codes = draw_probabilities(rng, 300)
    new = draw_probabilities(rng, 400)[0]
    levels = [0.95, 0.9, 0.75, 0.5]
    theirs = classification.SplitConformalClassifier(
        ReadyProbabilities().fit(calibration, codes),
        confidence_level=levels,
        conformity_score=score,
        prefit=True,
        random_state=5,
    )
    theirs.conformalize(calibration, codes)
    options = {"include_last_label": "randomized"} if score == "aps" else {}
    sets = theirs.predict_set(new, conformity_score_params=options)[1]
    p = conformal.split_p_values(
        conformal.score_labels(calibration, score=score, rng=MapiesShare()),
        codes,
        conformal.score_labels(new, score=score, rng=MapiesShare()),
    )
    for column, level in enumerate(levels):
        assert_array_equal(p > 1 - level, sets[:, :, column])


def test_split_p_values_equal_crepes():
    """Another one: crepes, which computes p-values."""
    crepes = pytest.importorskip("crepes")
    rng = np.random.default_rng(19)
    calibration, codes = draw_probabilities(rng, 150)
    new = draw_probabilities(rng, 80)[0]
    scores, fresh = conformal.score_labels(calibration), conformal.score_labels(new)
    theirs = crepes.ConformalClassifier().fit(scores[np.arange(150), codes])
    expected = theirs.predict_p(fresh, smoothing=False)
    assert_allclose(conformal.split_p_values(scores, codes, fresh), expected)


def test_scores_by_hand():
    probabilities = np.array([[0.5, 0.1, 0.4]])
    assert_allclose(conformal.score_labels(probabilities), [[0.5, 0.9, 0.6]])
    assert_allclose(conformal.score_labels(probabilities, score="aps"), [[0.5, 1.0, 0.9]])
    raps = conformal.score_labels(probabilities, score="raps", penalty=0.1, free_labels=1)
    assert_allclose(raps, [[0.5, 1.2, 1.0]])


def test_random_share_is_one_for_each_song():
    probabilities = np.array([[0.5, 0.1, 0.4]])
    u = np.random.default_rng(13).uniform()
    found = conformal.score_labels(probabilities, score="aps", rng=np.random.default_rng(13))
    assert_allclose(found, [[0.5 * u, 0.9 + 0.1 * u, 0.5 + 0.4 * u]])


@pytest.mark.parametrize("score", ["lac", "aps", "raps"])
@pytest.mark.parametrize("mondrian", [False, True])
def test_split_is_valid(score, mondrian):
    rng = np.random.default_rng(14)
    eps, misses, draws = 0.1, [], 400
    for _ in range(draws):
        probabilities, codes = draw_probabilities(rng, 160)
        scores = conformal.score_labels(probabilities, score=score, rng=rng)
        p = conformal.split_p_values(scores[:120], codes[:120], scores[120:], mondrian=mondrian)
        misses.append(np.mean(p[np.arange(40), codes[120:]] <= eps))
    error = np.std(misses) / math.sqrt(draws)
    assert np.mean(misses) < eps + 3.3 * error
    assert np.mean(misses) > eps - 1 / 12 - 3.3 * error  # at most the discreteness of small labels


def test_bad_probabilities_are_an_error():
    with pytest.raises(ValueError, match="row 1"):
        conformal.score_labels(np.array([[0.5, 0.5], [0.5, 0.6]]))
    with pytest.raises(ValueError, match="2 dimensions"):
        conformal.score_labels(np.array([0.5, 0.5]))
    with pytest.raises(ValueError, match="lac, aps, raps"):
        conformal.score_labels(np.array([[0.5, 0.5]]), score="hinge")
    with pytest.raises(ValueError, match="expected codes of shape"):
        conformal.split_p_values(np.ones((3, 2)), np.array([0, 1]), np.ones((1, 2)))


# --- what is refused, and what is told ----------------------------------------------------

TABLE = pd.DataFrame(
    np.random.default_rng(21).normal(size=(40, 3)) * [1, 10, 100], columns=["a", "b", "c"]
)
KINDS = np.repeat(["jazz", "punk"], 20)


@pytest.mark.parametrize(
    "compute",
    [
        conformal.p_values,
        conformal.compute_mondrian,
        conformal.compute_shortcut,
        lambda *known: conformal.compute_smoothed(*known, rng=np.random.default_rng(0)),
    ],
)
def test_p_values_go_by_the_names_of_the_columns(compute):
    new = TABLE[:7] + 0.5
    expected = compute(TABLE, KINDS, new)
    assert_array_equal(compute(TABLE, KINDS, new[["c", "a", "b"]]), expected)
    assert_array_equal(compute(TABLE[["b", "c", "a"]], KINDS, new), expected)
    with pytest.raises(ValueError, match=r"columns of X|lacks b"):
        compute(TABLE, KINDS, new.rename(columns={"b": "bpm"}))
    for wrong in (np.nan, np.inf):
        with pytest.raises(ValueError, match=r"X_new|finite"):
            compute(TABLE, KINDS, new.assign(b=wrong))


def test_the_space_goes_by_the_names_of_the_columns():
    songs, genre = make_table(np.random.default_rng(22), 120)
    shuffled = songs[songs.columns[::-1]]
    space = conformal.choose_space(songs[:60], genre[:60])
    assert_array_equal(space.transform(shuffled), space.transform(songs))
    model = conformal.make_space_model(space, songs[60:], genre[60:])
    predictor = ConformalPrediction(model, songs[60:], genre[60:])
    assert predictor.predict(shuffled.iloc[3]) == predictor.predict(songs.iloc[3])
    assert predictor.predict(shuffled.iloc[3].to_dict()) == predictor.predict(songs.iloc[3])
    with pytest.raises((ValueError, KeyError), match="tempo"):
        predictor.predict(songs.iloc[3].drop("tempo"))
    with pytest.raises(ValueError, match="order"):
        FisherScaler().fit(TABLE, KINDS).transform(TABLE[["b", "a", "c"]])


def test_scores_of_tables_go_by_the_names_of_their_columns():
    scores = pd.DataFrame([[0.4, 0.7, 0.9], [0.8, 0.3, 0.6]], columns=["jazz", "punk", "rap"])
    new = pd.DataFrame([[0.1, 0.9, 0.5]], columns=["rap", "jazz", "punk"])
    expected = conformal.split_p_values(scores.to_numpy(), [0, 1], [[0.9, 0.5, 0.1]])
    assert_array_equal(conformal.split_p_values(scores, [0, 1], new), expected)
    with pytest.raises(ValueError, match="columns jazz, punk, rap, found folk"):
        conformal.split_p_values(scores, [0, 1], new.rename(columns={"rap": "folk"}))


@pytest.mark.parametrize(
    ("calibration", "codes", "scores", "message"),
    [
        (np.empty((0, 2)), [], [[0.1, 0.2]], "at least one song, found none"),
        ([[0.1, 0.2]], [2], [[0.1, 0.2]], "columns 0 to 1, found 2 in row 0"),
        ([[0.1, 0.2], [0.3, 0.4]], [0, -1], [[0.1, 0.2]], "found -1 in row 1"),
        ([[0.1, 0.2]], [0.5], [[0.1, 0.2]], "whole numbers"),
        ([[0.1, 0.2]], ["jazz"], [[0.1, 0.2]], "whole numbers"),
        ([[0.1, np.nan]], [0], [[0.1, 0.2]], "calibration: .* NaN in row 0"),
        ([[0.1, 0.2]], [0], [[0.1, 0.2], [np.nan, 1]], "scores: .* NaN in row 1"),
        ([[0.1, 0.2]], [0], [[0.1, 0.2, 0.3]], "shapes"),
    ],
)
def test_scores_that_cannot_be_ranked_are_an_error(calibration, codes, scores, message):
    for mondrian in (False, True):
        with pytest.raises(ValueError, match=message):
            conformal.split_p_values(calibration, codes, scores, mondrian=mondrian)


def test_a_label_without_calibration_songs_is_told():
    scores, codes, new = np.eye(3)[[0, 1, 0]], [0, 1, 0], [[0.2, 0.3, 1.0]]
    with pytest.warns(TooFewExamplesWarning, match=r"columns \[2\]: at any eps") as told:
        p = conformal.split_p_values(scores, codes, new, mondrian=True)
    assert [warning.filename for warning in told] == [__file__]
    assert p[0, 2] == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        conformal.split_p_values(scores, codes, new)
        conformal.split_p_values(scores[:, :2], codes, np.array(new)[:, :2], mondrian=True)


@pytest.mark.parametrize(
    "measure",
    [
        lambda p, codes, eps: conformal.measure_sets(p, codes, [0.5, eps]),
        lambda p, codes, eps: conformal.measure_sets(p, codes, eps),
        lambda p, codes, eps: conformal.cover_by_label(p, codes, ["a", "b"], eps),
    ],
)
def test_sets_that_exclude_nothing_are_told(measure):
    calibration, codes = np.linspace(0, 1, 18)[:, None] * [1, 1], np.arange(18) % 2
    p = conformal.split_p_values(calibration, codes, [[2.0, 0.5], [0.3, 2.0]])
    with pytest.warns(TooFewExamplesWarning, match="fewer than 19 examples") as told:
        measure(p, [0, 1], 0.05)
    assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        measure(p, [0, 1], 0)  # at 0 sets must be full
        more = conformal.split_p_values(
            np.append(calibration, [[1, 1]], axis=0), [*codes, 0], [[2.0, 0.5], [0.3, 2.0]]
        )
        assert more.min() == 1 / 20
        measure(more, [0, 1], 0.05)
    for eps in ("0.05", None, math.nan, 1.5):
        with pytest.raises(ValueError, match="eps must lie"):
            measure(p, [0, 1], eps)


@pytest.mark.parametrize(
    "measure",
    [
        lambda p, codes: conformal.measure_sets(p, codes, [0.1]),
        lambda p, codes: conformal.cover_by_label(p, codes, ["a", "b"], 0.1),
        conformal.judge_singletons,
    ],
)
def test_what_is_no_p_value_and_no_label_is_an_error(measure):
    p = np.array([[0.9, 0.05], [0.3, 0.6]])
    frame = pd.DataFrame(p, index=[7, 3], columns=["a", "b"])
    assert measure(frame, pd.Series([0, 1], index=[3, 7])).equals(measure(p, [0, 1]))
    for wrong in (math.nan, -0.1, 1.1, math.inf):
        with pytest.raises(ValueError, match="row 1, column 0"):
            measure(np.array([[0.9, 0.05], [wrong, 0.6]]), [0, 1])
    with pytest.raises(ValueError, match="shape"):
        measure(p[0], [0, 1])
    for codes in ([0, -1], [0, 2]):
        with pytest.raises(ValueError, match="row 1"):
            measure(p, codes)
    for codes in ([0], ["a", "b"], [0.0, 1.0]):
        with pytest.raises(ValueError, match="codes"):
            measure(p, codes)


def test_labels_that_do_not_name_the_columns_are_an_error():
    with pytest.raises(ValueError, match="expected 2, one a column, found 3"):
        conformal.cover_by_label(np.array([[0.9, 0.1]]), [0], list("abc"), 0.2)


def test_bags_are_measured_by_hand():
    y = np.repeat(["a", "b", "c"], 20)
    seen = []

    def answer(X_bag, y_bag, X_new):
        seen.append(y[X_new[:, 0].astype(int)])
        return np.tile([0.9, 0.2, 0.01], (len(X_new), 1))

    bags = conformal.repeat_bags(
        np.arange(60.0)[:, None], y, answer, eps=0.1, n_bag=45, n_new=12, n_draws=3,
        rng=np.random.default_rng(3),
    )  # fmt: skip
    assert len(bags) == 3
    assert_allclose(bags["coverage"], [np.mean(new != "c") for new in seen])
    assert_allclose(bags["right"], [np.mean(new == "a") for new in seen])
    assert bags["size"].tolist() == [2, 2, 2]
    assert bags["eps_single"].tolist() == [0.2, 0.2, 0.2]
    with pytest.raises(ValueError, match="at least 61 songs"):
        conformal.repeat_bags(
            np.zeros((60, 1)), y, answer, eps=0.1, n_bag=60, n_new=1, n_draws=1,
            rng=np.random.default_rng(3),
        )  # fmt: skip


def test_a_label_that_the_bag_lacks_is_missed():
    y = np.array(["a", "b"] * 20 + ["c"])
    X = np.arange(41.0)[:, None]
    bags = conformal.repeat_bags(
        X, y, lambda X_bag, y_bag, X_new: np.ones((len(X_new), len(np.unique(y_bag)))),
        eps=0, n_bag=40, n_new=1, n_draws=200, rng=np.random.default_rng(4),
    )  # fmt: skip
    assert set(zip(bags["coverage"], bags["size"], strict=True)) == {(1, 3), (0, 2)}
    assert bags["eps_single"].isna().all()  # a tie of the largest leaves no single one


def test_draws_take_tables_by_position():
    rng = np.random.default_rng(23)
    X, y = draw_classes(rng, 60)
    order = rng.permutation(60)
    sizes = {"n_bag": 30, "n_new": 5, "n_draws": 3}
    expected = conformal.cover_in_draws(
        X, y, conformal.p_values, **sizes, rng=np.random.default_rng(1)
    )
    found = conformal.cover_in_draws(
        pd.DataFrame(X, index=order),
        pd.Series(y, index=order),
        conformal.p_values,
        **sizes,
        rng=np.random.default_rng(1),
    )
    assert_array_equal(found, expected)


# --- evaluation ---------------------------------------------------------------------------


def test_measures_of_sets_by_hand():
    p = np.array([[0.9, 0.2, 0.04], [0.03, 0.02, 0.01], [0.5, 0.6, 0.7], [0.1, 0.3, 0.02]])
    codes = np.array([0, 1, 2, 2])
    table = conformal.measure_sets(p, codes, [0.05, 0.25])
    assert_allclose(table["coverage"], [0.5, 0.5])
    assert_allclose(table["size"], [7 / 4, 5 / 4])
    assert_allclose(table["empty"], [0.25, 0.25])
    assert_allclose(table["single"], [0.0, 0.5])
    by_label = conformal.cover_by_label(p, codes, ["a", "b", "c"], 0.05)
    assert by_label["n"].tolist() == [1, 1, 2]
    assert_allclose(by_label["coverage"], [1, 0, 0.5])
    assert_allclose(by_label.loc["a", ["low", "high"]].astype(float), [0.025, 1])


def test_lift_by_hand():
    sets = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0]], dtype=bool)
    with np.errstate(all="raise"):  # a label in no set is no division by 0
        lift = conformal.measure_lift(sets, ["a", "b", "c"])
    assert lift.loc["a", "b"] == lift.loc["b", "a"] == pytest.approx(0.5 / (0.75 * 0.5))
    assert lift["c"].isna().all() and np.isnan(lift.loc["a", "a"])


def test_labels_that_share_sets_stand_side_by_side():
    rng = np.random.default_rng(20)
    pair = rng.random((400, 2)) < 0.5
    sets = np.column_stack([pair[:, 0], pair[:, 1], pair[:, 0], pair[:, 1], np.zeros(400, bool)])
    sets ^= (rng.random(sets.shape) < 0.05) & (np.arange(5) < 4)
    order = conformal.order_labels(conformal.measure_lift(sets, list("abcde")))
    assert {frozenset(order[:2]), frozenset(order[2:4])} == {frozenset("ac"), frozenset("bd")}
    assert order[4] == "e"


def test_songs_are_named_by_the_other_tables():
    keys = {"duration_ms": [1, 2, 3], "tempo": [100.5, 101.5, 102.5], "loudness": [-5.0, -6.0, -7]}
    songs = pd.DataFrame(keys)
    subset = songs[:1].assign(artist_name="Ann", track_name="First")
    other = songs[:2].assign(artists=[("Bob",), ("Cy", "Di")], name=["Another", "x" * 80])
    names = conformal.name_songs(songs, subset, other, table="test")
    assert names[0] == "Ann: First"
    assert names[1].startswith("Cy: xxx") and names[1].endswith("…") and len(names[1]) == 42
    assert names[2] == "test row 2"


def test_singletons_are_judged_by_confidence():
    p = np.array([[0.9, 0.02], [0.6, 0.4], [0.7, 0.45], [0.5, 0.5]])
    table = conformal.judge_singletons(p, np.array([0, 0, 1, 0]), edges=(0, 0.9, 0.95, 1))
    assert table["songs"].tolist() == [2, 0, 1]
    assert_allclose(table["right"], [0.5, np.nan, 1.0])
    assert_allclose(table["low"], [0.0126, np.nan, 0.025], atol=1e-3)


def test_draws_are_the_same_for_each_method_and_count_missing_labels_as_misses():
    rng = np.random.default_rng(15)
    X, y = draw_classes(rng, 60)
    seen = []

    def record(X_bag, y_bag, X_new):
        seen.append(X_new)
        return np.ones((len(X_new), len(np.unique(y_bag))))

    sizes = {"n_bag": 30, "n_new": 5, "n_draws": 3}
    first = conformal.cover_in_draws(X, y, record, **sizes, rng=np.random.default_rng(1))
    again = conformal.cover_in_draws(X, y, record, **sizes, rng=np.random.default_rng(1))
    assert_array_equal(first, again)
    assert_array_equal(seen[:3], seen[3:])
    lonely = np.array([0] * 30 + [1] * 30 + [2])
    X = np.arange(61.0)[:, None]
    p = conformal.cover_in_draws(
        X, lonely, record, n_bag=60, n_new=1, n_draws=40, rng=np.random.default_rng(2)
    )
    drawn = np.array([new[0, 0] for new in seen[6:]])
    assert_array_equal(p[:, 0] == 0, drawn == 60)
    with pytest.raises(ValueError, match="at least 62 songs"):
        conformal.cover_in_draws(X, lonely, record, n_bag=60, n_new=2, n_draws=1, rng=rng)


def test_each_song_is_judged_by_the_p_value_of_its_own_label():
    y = np.repeat(["a", "b", "c"], 20)
    drawn = []

    def answer(X_bag, y_bag, X_new):
        drawn.extend(X_new[:, 0].astype(int).tolist())
        return np.tile([0.1, 0.2, 0.3], (len(X_new), 1))

    p = conformal.cover_in_draws(
        np.arange(60.0)[:, None], y, answer, n_bag=40, n_new=9, n_draws=4,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert p.ravel().tolist() == [{"a": 0.1, "b": 0.2, "c": 0.3}[y[row]] for row in drawn]


def test_the_shortcut_finds_a_duplicate_least_strange():
    X, y = np.array([[0.0], [0.0], [5.0], [6.0]]), np.array([0, 0, 1, 1])
    assert conformal.compute_shortcut(X, y, np.array([[0.0]]))[0, 0] == 1


# --- the space ----------------------------------------------------------------------------


def make_table(rng, n):
    """A small table with the course's columns; genre shows in energy and year only."""
    genre = rng.choice(["jazz", "metal"], size=n)
    loud = genre == "metal"
    table = {"release_date": [f"{year}-05-01" for year in np.where(loud, 2005, 1965)]}
    table |= {"explicit": rng.random(n) < 0.1, "popularity": rng.integers(0, 90, n)}
    table |= {
        "energy": np.clip(rng.normal(0.3 + 0.4 * loud, 0.1), 0, 1),
        "key": rng.integers(0, 12, n),
    }
    for name in ("danceability", "speechiness", "acousticness", "instrumentalness", "liveness"):
        table[name] = rng.random(n)
    table |= {"loudness": rng.normal(-9, 3, n), "mode": rng.integers(0, 2, n)}
    table |= {"valence": rng.random(n), "tempo": rng.normal(120, 20, n)}
    table |= {"duration_ms": rng.integers(100_000, 300_000, n), "time_signature": np.full(n, 4)}
    return pd.DataFrame(table), pd.Series(genre)


def test_space_weighs_what_tells_genres_apart_and_feeds_the_class():
    songs, genre = make_table(np.random.default_rng(16), 400)
    space = conformal.choose_space(songs[:200], genre[:200])
    weights = pd.Series(space[-1].weights_, index=conformal.describe_songs(songs).columns)
    assert weights.idxmax() in {"year", "newness"}
    assert weights.drop(["year", "newness"]).idxmax() == "energy"
    model = conformal.make_space_model(space, songs[200:300], genre[200:300])
    predictor = ConformalPrediction(model, songs[200:300], genre[200:300], k=3)
    p = predictor.predict_many(songs[300:])
    right = conformal.force_predictions(p, predictor.labels) == genre[300:].to_numpy()
    assert right.mean() > 0.95
    one = predictor.predict(songs.iloc[300])
    assert list(one.values()) == p[0].tolist()


def test_a_song_is_described_by_hand():
    song = {
        "danceability": 0.1, "energy": 0.2, "valence": 0.3, "loudness": -6.0, "speechiness": 0.05,
        "acousticness": 0.4, "instrumentalness": 0.6, "liveness": 0.08, "duration_ms": 200_000,
        "tempo": 120.0, "mode": 1, "popularity": 7, "explicit": True, "key": 3,
        "time_signature": 4, "release_date": "1999-05-04", "genre": "pop",
    }  # fmt: skip
    edge = song | {"loudness": 3.0, "tempo": 0.0, "popularity": 0, "release_date": "1930"}
    loud = song | {"loudness": -60.0, "tempo": 300.0, "duration_ms": 1, "release_date": "2024"}
    table = conformal.describe_songs(pd.DataFrame([song, edge, loud]))
    log = math.log
    expected = [0.1, 0.2, 0.3, -6, log(8), log(0.07), 0.4, log(0.401), 0.6, log(0.60001)]
    expected += [log(0.1), log(200_000), log(120), 1, 7, 0, 1, 1999, -log(24.5)]
    assert table.iloc[0].tolist() == pytest.approx(expected)
    edges = table[["loudness", "quietness", "tempo", "unpopular", "year", "newness"]].iloc[1:]
    assert edges.iloc[0].tolist() == pytest.approx([0, log(2), log(50), 1, 1950, -log(93.5)])
    assert edges.iloc[1].tolist() == pytest.approx([-25, log(62), log(220), 0, 2024, -log(0.5)])
    assert table["duration"].iloc[2] == 0


@pytest.mark.filterwarnings("error")  # a constant column is nothing to warn of
def test_columns_weigh_by_what_separates_the_classes():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 30)
    X = np.column_stack([y + rng.normal(0, 0.2, 60), y + rng.normal(0, 2, 60), np.ones(60)])
    scaler = FisherScaler().fit(X, y)
    ratio = [stats.f_oneway(X[:30, k], X[30:, k]).statistic for k in (0, 1)]
    assert_allclose(scaler.weights_, [1, math.sqrt(ratio[1] / ratio[0]), 0], rtol=1e-6)
    assert_allclose(scaler.transform(X).std(axis=0), scaler.weights_, rtol=1e-6, atol=1e-12)
    assert FisherScaler().fit(np.ones((4, 1)), [0, 0, 1, 1]).weights_.tolist() == [0]
    with pytest.raises(NotFittedError):
        FisherScaler().transform(X)


def test_description_is_finite_at_the_edges():
    songs, _ = make_table(np.random.default_rng(17), 4)
    songs["release_date"] = ["1921", "2022-12", "2022-12-31", "1999"]
    songs[["tempo", "duration_ms", "loudness"]] = [[0, 1, -60], [250, 5_000_000, 3.7]] * 2
    undated = songs.assign(release_date=songs["release_date"].where(songs.index > 0, ""))
    assert conformal.describe_songs(undated).notna().all(axis=None)
    described = conformal.describe_songs(songs)
    assert np.isfinite(described.to_numpy()).all()
    assert described.index.equals(songs.index)
    with pytest.raises(DataError, match="missing column 'tempo'"):
        conformal.describe_songs(songs.drop(columns="tempo"))


# --- figures ------------------------------------------------------------------------------


@pytest.fixture
def ax():
    figure = Figure()
    return figure.add_subplot()


def test_p_values_are_drawn_best_first_and_the_set_in_colour(ax):
    plots.draw_p_values({"a": 0.02, "b": 0.7, "c": 0.1}, [0.05, 0.2], ax, title="t")
    assert [bar.get_width() for bar in ax.patches] == [0.7, 0.1, 0.02]
    assert ax.patches[0].get_facecolor() == ax.patches[1].get_facecolor()
    assert ax.patches[2].get_facecolor() != ax.patches[1].get_facecolor()


def test_sizes_and_curves_show_the_numbers(ax):
    plots.draw_set_sizes(np.array([1, 1, 3, 3]), ax, n_labels=4, title="t", detail="d")
    assert [bar.get_height() for bar in ax.patches] == [0, 0.5, 0, 0.5, 0]
    curves = {"one": pd.Series([3.0, 1.0], [0.1, 0.5]), "two": pd.Series([4.0, 2.0], [0.1, 0.5])}
    other = ax.figure.add_subplot()
    plots.draw_size_curves(curves, other, title="t")
    assert [line.get_ydata().tolist() for line in other.lines[:2]] == [[3, 1], [4, 2]]
    assert [text.get_text() for text in other.get_legend().get_texts()] == ["one", "two"]


def test_lift_is_drawn_on_a_centred_scale(ax):
    lift = pd.DataFrame([[np.nan, 4.0], [4.0, np.nan]], list("ab"), list("ab"))
    plots.draw_lift(lift, ax, title="t")
    (image,) = ax.images
    assert image.get_array()[0, 1] == 2
    assert image.get_clim() == (-2, 2)


def test_shares_are_drawn_with_their_intervals(ax):
    p = np.array([[0.9, 0.02], [0.6, 0.4], [0.7, 0.45]])
    judged = conformal.judge_singletons(p, np.array([0, 0, 1]), edges=(0, 0.9, 0.95, 1))
    plots.draw_last_genre(judged, ax, title="t")
    assert [bar.get_height() for bar in ax.patches] == [0.5, 1.0]
    assert {text.get_text() for text in ax.texts} == {"n = 2", "n = 1"}
    table = conformal.cover_by_label(p, np.array([0, 0, 1]), ["a", "b"], 0.5)
    other = ax.figure.add_subplot()
    plots.draw_label_coverage({"x": table, "y": table}, 0.95, other, title="t")
    assert [text.get_text() for text in other.get_yticklabels()] == ["a (2)", "b (1)"]


def test_validity_bags_and_confidence_show_the_numbers(ax):
    table = pd.DataFrame(
        {"gap": [0.01, -0.02], "error": [0.01, 0.01], "low": [-0.03] * 2, "high": [0.03] * 2},
        index=[0.05, 0.1],
    )
    plots.draw_validity({"x": table, "y": table}, ax, title="t")
    assert [float(gap) for gap in ax.lines[1].get_ydata()] == [1, -2]
    bags = ax.figure.add_subplot()
    plots.draw_bags(np.array([0.96, 0.94]), 0.95, bags, title="t", detail="d")
    assert_allclose(bags.collections[0].get_offsets(), [[0.94, 1], [0.96, 2]])
    cloud = ax.figure.add_subplot()
    plots.draw_confidence(
        np.array([0.9, 0.5]), np.array([0.8, 0.6]), np.array([True, False]), cloud, title="t"
    )
    wrong, good = cloud.collections
    assert_allclose(wrong.get_offsets(), [[0.6, 0.5]])
    assert_allclose(good.get_offsets(), [[0.8, 0.9]])
