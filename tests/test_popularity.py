"""Exercise 2: encoders that do not leak, a model for any row, patterns with known answers."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern
from sklearn.model_selection import KFold

from aares.data import DataError
from aares.data.schemas import AUDIO_FEATURES
from aares.popularity import (
    PopularityIntervals,
    Releases,
    compare_intervals,
    compare_models,
    gaussian,
    learn_reference,
    make_genre_models,
    make_model,
    measure_dependence,
    measure_importance,
    predict_parts_folds,
    score,
    summarise_folds,
    summarise_residuals,
)
from aares.popularity.compare import COLUMN_GROUPS, PARTS
from aares.popularity.copies import FEWEST_COPIES, Copies, CopyRule
from aares.popularity.encoders import (
    GenreSVD,
    TokenCounter,
    TokenTargetEncoder,
)
from aares.popularity.evidence import (
    estimate_change,
    estimate_likeness,
    measure_gain,
    spread_of_median,
)
from aares.popularity.features import (
    ReferenceModel,
    SongFeatures,
    fit_zero_model,
    predict_zero,
)
from aares.popularity.gaussian import SongProcess, compute_covariance
from aares.popularity.genres import (
    GenreCommunities,
    GenreEmbedding,
    GenreNMF,
    compute_ppmi,
    map_genres,
    relate_genres,
    summarise_communities,
    summarise_genres,
)
from aares.popularity.hurdle import HurdleRegressor, mix_quantile
from aares.popularity.intervals import (
    find_correction,
    measure_intervals,
    mix_bounds,
    move_bounds,
    score_bounds,
)
from aares.popularity.kriging import (
    DAY,
    NOBODY,
    STATISTICS,
    Known,
    SoundRanks,
    group_rows,
    is_vague,
    krige,
    name_artists,
    split_inner,
)
from aares.popularity.likeness import measure_likeness
from aares.popularity.model import _blend
from aares.popularity.patterns import (
    compare_correlations,
    count_weekdays,
    find_same_recordings,
    measure_explained,
    measure_pair_correlation,
    summarise_artists,
    summarise_keys,
    summarise_months,
    summarise_years,
)
from aares.popularity.rows import count_genres, count_values, describe_date, describe_title
from aares.scores import estimate_share, predict_folds
from utils_projet import TooFewExamplesWarning

GENRES = ("polka", "tango", "fado", "samba")


def make_songs(n: int = 240, *, seed: int = 0) -> pd.DataFrame:
    """Songs whose popularity is 20 points a genre and 1 a year after 2000, zero every fourth."""
    rng = np.random.default_rng(seed)
    genre = rng.integers(0, len(GENRES), n)
    year = rng.integers(2000, 2020, n)
    songs = pd.DataFrame({name: 0.15 + 0.7 * rng.random(n) for name in AUDIO_FEATURES})
    songs["loudness"], songs["tempo"] = -20 * songs["loudness"], 200 * songs["tempo"]
    songs["time_signature"] = np.where(songs["time_signature"] < 0.3, 3, 4)
    songs["key"], songs["mode"] = rng.integers(0, 12, n), rng.integers(0, 2, n)
    songs["duration_ms"] = rng.integers(100_000, 300_000, n)
    songs["explicit"] = rng.random(n) < 0.2
    songs["artist_name"] = [f"Artist {i}" for i in rng.integers(0, n // 3, n)]
    songs["track_name"] = [f"Song {i}" for i in range(n)]
    songs["release_date"] = [f"{y}-03-{1 + i % 28:02d}" for i, y in enumerate(year)]
    songs["genres"] = [(GENRES[g],) for g in genre]
    songs["popularity"] = np.where(rng.random(n) < 0.25, 0, 10 + 20 * genre + (year - 2000))
    return songs


@pytest.fixture(scope="module")
def songs() -> pd.DataFrame:
    return make_songs()


@pytest.fixture(scope="module")
def model(songs):
    return make_model(random_state=1).fit(songs.drop(columns="popularity"), songs["popularity"])


# --- encoders -----------------------------------------------------------------------------


def test_target_encoder_gives_the_shrunk_mean():
    X = pd.DataFrame({"genres": [("a",), ("a",), ("b",), ("a", "b"), ()]})
    y = np.array([10.0, 20.0, 60.0, 30.0, 0.0])
    encoder = TokenTargetEncoder(column="genres", smoothing=2.0, n_folds=2).fit(X, y)
    encoded = encoder.transform(pd.DataFrame({"genres": [("a",), ("a", "b"), (), ("new",)]}))
    prior = y.mean()
    a, b = (60 + 2 * prior) / 5, (90 + 2 * prior) / 4
    assert encoded[0, 0] == pytest.approx(a)
    assert encoded[1, :3] == pytest.approx([(a + b) / 2, min(a, b), max(a, b)])
    assert encoded[2, :4] == pytest.approx([prior, prior, prior, 0.2])
    assert encoded[3] == pytest.approx(encoded[2])
    zeros = np.array([2 * 0.2 / 5, 2 * 0.2 / 4])
    assert encoded[:2, 3] == pytest.approx([zeros[0], zeros.mean()])
    assert encoded[:, 4] == pytest.approx([np.log(4), np.log(4), 0, 0])


def test_target_encoder_never_sees_the_rows_own_popularity():
    """An artist with a single song gets the prior of the other folds, whatever its popularity."""
    X = pd.DataFrame({"artist_name": [f"artist {i}" for i in range(50)]})
    y = np.random.default_rng(0).random(50) * 100
    encoder = TokenTargetEncoder(column="artist_name", smoothing=0.1)
    inside = encoder.fit_transform(X, y)[:, 0]
    assert np.corrcoef(inside, y)[0, 1] < 0.1
    assert np.corrcoef(encoder.transform(X)[:, 0], y)[0, 1] > 0.99


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 19), st.floats(0, 100))
def test_changing_one_target_changes_no_encoding_of_its_own_row(row, value):
    X = pd.DataFrame({"genres": [(GENRES[i % 4], GENRES[i % 3]) for i in range(20)]})
    y = np.arange(20.0)
    changed = y.copy()
    changed[row] = value
    encoder = TokenTargetEncoder(column="genres")
    assert encoder.fit_transform(X, changed)[row] == pytest.approx(encoder.fit_transform(X, y)[row])


def test_features_do_not_know_a_songs_own_popularity():
    """Nor, where nothing shall be known of the artist, that of the artist's other songs."""
    songs, other = make_songs(60), make_songs(80, seed=3)
    songs["artist_name"] = [f"artist {i // 3}" for i in range(60)]
    X, y = songs.drop(columns="popularity"), songs["popularity"].to_numpy(float)
    features = SongFeatures(reference=learn_reference(other))
    known, unknown = features.fit_training(X, y)
    changed = y.copy()
    changed[30] = 100 - changed[30]
    again, again_unknown = features.fit_training(X, changed)
    assert again[30] == pytest.approx(known[30], abs=1e-3)
    assert again_unknown[30:33] == pytest.approx(unknown[30:33], abs=1e-3)
    assert np.abs(again[31] - known[31]).max() > 1


def test_features_of_a_song_are_named_in_their_order(songs):
    X, y = songs.drop(columns="popularity"), songs["popularity"].to_numpy(float)
    features = SongFeatures(reference=learn_reference(make_songs(80, seed=3)))
    known, _ = features.fit_training(X, y)
    table = pd.DataFrame(features.transform(X), columns=features.get_feature_names_out())
    assert known.shape == table.shape
    assert table["energy"].tolist() == X["energy"].tolist()
    assert table["n_genres"].tolist() == [1] * len(X)
    level = table["reference_level"] + table["reference_day_level"]
    assert (level + table["near_level_residual"]).tolist() == pytest.approx(table["near_level"])
    zero = table["reference_zero"] + table["reference_day_zero"]
    assert (zero + table["near_zero_residual"]).tolist() == pytest.approx(table["near_zero"])
    undated = X.iloc[:1].assign(release_date=None)
    row = dict(zip(table.columns, features.transform(undated)[0], strict=True))
    assert [row[name] for name in ("year", "month", "day", "weekday", "date")] == [-1] * 5
    assert [row[f"day_{name}"] for name in STATISTICS] == list(NOBODY)


def test_what_was_learnt_elsewhere_is_not_learnt_again():
    other = make_songs(80, seed=3)
    learnt = learn_reference(other)
    assert clone(learnt) is learnt
    fresh = ReferenceModel(reference=other)
    assert clone(fresh) is not fresh and not hasattr(clone(fresh), "known_")
    residual = np.column_stack([other["popularity"], other["popularity"] == 0])
    inside = residual - learnt.transform(other)
    # Residuals come from folds: a model that has seen the songs would leave smaller ones.
    assert np.abs(learnt.known_.residuals).mean(axis=0) == pytest.approx(
        np.abs(inside).mean(axis=0), rel=1
    )
    assert np.abs(learnt.known_.residuals[:, 0]).mean() > 1.2 * np.abs(inside[:, 0]).mean()


@pytest.mark.parametrize(("value", "share"), [(0.0, 1.0), (5.0, 0.0)])
def test_zeros_where_all_are_alike_are_a_share(value, share):
    model = fit_zero_model(None, np.zeros((4, 1)), np.full(4, value) == 0)
    assert model == share
    assert predict_zero(model, np.zeros((3, 1))).tolist() == [share] * 3


def test_reference_counts_for_the_release_day():
    reference = pd.DataFrame({"release_date": ["2001"] * 50, "popularity": [90] * 50})
    X = pd.DataFrame({"release_date": ["2001"] + ["1990"] * 9})
    encoder = TokenTargetEncoder(column="release_date", smoothing=1.0, reference=reference)
    encoded = encoder.fit_transform(X, np.zeros(10))
    assert encoded[0, 0] > 80
    assert encoded[1:, 0].max() < 45


def test_counter_leaves_out_rare_and_unknown_tokens():
    X = pd.DataFrame({"genres": [("a", "b"), ("a",), ("a", "a"), ()]})
    counter = TokenCounter(column="genres", min_count=2).fit(X)
    hot = counter.transform(pd.DataFrame({"genres": [("a", "b", "z"), ()]})).toarray()
    assert counter.vocabulary_ == {"a": 0}
    assert hot.tolist() == [[1.0], [0.0]]


def test_counter_keeps_the_most_frequent_tokens_in_order():
    X = pd.DataFrame({"genres": [("c", "b"), ("a", "c"), ("b", "d"), ("c",)]})
    counter = TokenCounter(column="genres", max_tokens=3).fit(X)
    assert counter.vocabulary_ == {"c": 0, "b": 1, "a": 2}
    assert counter.get_feature_names_out().tolist() == ["genres=c", "genres=b", "genres=a"]
    assert counter.transform(X).toarray().tolist() == [
        [1, 1, 0], [1, 0, 1], [0, 1, 0], [1, 0, 0]
    ]  # fmt: skip


def test_svd_of_empty_lists_is_zero_and_alike_lists_are_alike(songs):
    svd = GenreSVD(n_components=3).fit(songs)
    out = svd.transform(pd.DataFrame({"genres": [(), ("polka",), ("polka",), ("never seen",)]}))
    assert out.shape == (4, 3)
    assert out[0] == pytest.approx(0) and out[3] == pytest.approx(0)
    assert out[1] == pytest.approx(out[2])
    assert np.abs(svd.transform(songs)).max(axis=0).min() > 0.1


def test_svd_without_any_genre():
    X = pd.DataFrame({"genres": [()] * 5})
    assert GenreSVD().fit(X).transform(X).tolist() == [[0.0]] * 5


def test_dates_of_every_precision():
    dates = pd.DataFrame({"release_date": ["2008", "2008-05", "2008-05-23", "", None]})
    parts = describe_date(dates)
    assert parts["year"].tolist()[:3] == [2008, 2008, 2008]
    assert parts["month"].isna().tolist() == [True, False, False, True, True]
    assert parts["weekday"].tolist()[2] == 4  # 23 May 2008 was a Friday
    assert parts.iloc[3:].isna().all(axis=None)
    assert parts["weekday"].isna().tolist() == [True, True, False, True, True]
    assert parts["date"].tolist()[:3] == pytest.approx(
        [2008, 2008 + 121 / 366, 2008 + 143 / 366]  # 2008 was a leap year
    )


def test_title_marks():
    titles = ["Hello (Live)", "Hello - Remastered 2009", "Alive", None]
    marks = describe_title(pd.DataFrame({"track_name": titles, "artist_name": "x"}))
    assert marks["title_live"].tolist() == [1, 0, 0, 0]
    assert marks["title_remaster"].tolist() == [0, 1, 0, 0]
    assert marks["title_length"].tolist() == [12, 23, 5, 0]
    assert marks["artist_length"].tolist() == [1] * 4
    marks = describe_title(
        pd.DataFrame({"track_name": ["A (feat. B) - MIX", "夜"], "artist_name": None})
    )
    found = [name for name in marks.columns[:-2] if marks[name].iloc[0]]
    assert found == ["title_remix", "title_featuring", "title_bracket", "title_dash"]
    assert marks["title_non_latin"].tolist() == [0, 1] and marks["artist_length"].max() == 0


def test_genres_are_counted():
    lists = pd.DataFrame({"genres": [("a", "b"), (), "[]", "['polka']"]}, index=[3, 5, 7, 9])
    counts = count_genres(lists)
    assert counts["n_genres"].to_dict() == {3: 2, 5: 0, 7: 0, 9: 1}
    assert count_values([("b", "a"), ("c", "a"), ("c",), ("z",)]).to_dict() == {
        "a": 2, "c": 2, "b": 1, "z": 1
    }  # fmt: skip
    assert count_values([("b",), ("c", "c"), ("a",)]).index.tolist() == ["c", "a", "b"]


# --- model --------------------------------------------------------------------------------


def test_model_beats_the_mean_and_finds_what_was_planted(songs):
    X, y = songs.drop(columns="popularity"), songs["popularity"].to_numpy(float)
    folds = list(KFold(3, shuffle=True, random_state=0).split(X))
    predicted = predict_folds(make_model(), X, y, folds)
    above = y > 0
    assert score(y, predicted)["R2"] > 0.05
    assert np.corrcoef(predicted[above], y[above])[0, 1] > 0.8


def test_model_is_deterministic(songs, model):
    X = songs.drop(columns="popularity")
    again = clone(model).fit(X, songs["popularity"])
    assert np.array_equal(again.predict(X), model.predict(X))


def test_hurdle_parts_multiply(songs, model):
    X = songs.drop(columns="popularity")
    zero = model.predict_zero_proba(X)
    assert ((zero >= 0) & (zero <= 1)).all()
    assert zero[songs["popularity"] == 0].mean() > zero[songs["popularity"] > 0].mean()
    assert (model.predict(X) <= model.predict_level(X) + 15).all()


@pytest.mark.parametrize(
    "change",
    [
        {"artist_name": "nobody ever"},
        {"genres": ()},
        {"genres": ("unheard of",)},
        {"release_date": ""},
        {"release_date": None},
        {"release_date": "1971"},
        {"track_name": ""},
    ],
    ids=str,
)
def test_one_unusual_row_is_predicted(songs, model, change):
    row = songs.drop(columns="popularity").iloc[[5]].copy()
    for column, value in change.items():
        row[column] = pd.Series([value], index=row.index, dtype=object)
    predicted = model.predict(row)
    assert predicted.shape == (1,)
    assert 0 <= predicted[0] <= 100


def test_prediction_of_a_row_does_not_depend_on_its_company(songs, model):
    X = songs.drop(columns="popularity")
    alone = np.concatenate([model.predict(X.iloc[[i]]) for i in range(5)])
    assert alone == pytest.approx(model.predict(X)[:5])


def test_model_accepts_a_reference(songs):
    reference = make_songs(120, seed=3).drop(columns=["genres", "artist_name", "track_name"])
    X = songs.drop(columns="popularity")
    fitted = make_model(reference=reference).fit(X, songs["popularity"])
    assert np.isfinite(fitted.predict(X)).all()
    assert "reference_level" in fitted.encoders_.get_feature_names_out()


def test_a_reference_learnt_once_gives_the_same_predictions(songs):
    reference = make_songs(120, seed=3).drop(columns=["genres", "artist_name", "track_name"])
    X, y = songs.drop(columns="popularity"), songs["popularity"]
    learnt = learn_reference(reference)
    assert clone(learnt) is learnt
    once = clone(make_model(reference=learnt)).fit(X, y).predict(X)
    assert once == pytest.approx(make_model(reference=reference).fit(X, y).predict(X))


def test_model_names_the_missing_column(songs):
    with pytest.raises(ValueError, match="genres"):
        make_model().fit(songs.drop(columns="genres"), songs["popularity"])
    with pytest.raises(TypeError, match="expected a DataFrame, found ndarray"):
        make_model().fit(np.zeros((20, 3)), np.zeros(20))
    with pytest.raises(ValueError, match="at least 10 songs, found 3|10 songs"):
        make_model().fit(songs.iloc[:3], songs["popularity"].iloc[:3])


@pytest.mark.parametrize("value", [0.0, 50.0])
def test_model_of_songs_that_are_all_alike(songs, value):
    X = songs.drop(columns="popularity").iloc[:60]
    fitted = make_model().fit(X, np.full(60, value))
    assert fitted.predict(X) == pytest.approx(value, abs=1e-6)


def test_hurdle_with_known_parts():
    class Fixed:
        def fit(self, X, y):
            return self

        def predict(self, X):
            return np.full(len(X), 40.0)

        def predict_proba(self, X):
            return np.tile([0.75, 0.25], (len(X), 1))

    hurdle = HurdleRegressor(Fixed(), Fixed()).fit(np.zeros((4, 1)), [0, 1, 2, 3])
    assert hurdle.predict(np.zeros((2, 1))) == pytest.approx([30.0, 30.0])


def test_a_hurdle_learns_its_level_above_zero_only():
    class Mean:
        def fit(self, X, y):
            self.mean_ = np.mean(y)
            return self

        def predict(self, X):
            return np.full(len(X), self.mean_)

    class Chance(Mean):
        def predict_proba(self, X):
            return np.column_stack([1 - self.predict(X), self.predict(X)])

    hurdle = HurdleRegressor(Chance(), Mean()).fit(np.zeros((4, 1)), [0, 0, 0, 8])
    assert hurdle.predict_zero_proba(np.zeros((1, 1))).tolist() == [0.75]
    assert hurdle.predict_level(np.zeros((1, 1))).tolist() == [8]
    assert hurdle.predict(np.zeros((1, 1))).tolist() == [2]
    blend = [hurdle] * 6
    assert _blend(blend, np.zeros((1, 1))) == pytest.approx((2, 0.75, 8))
    assert HurdleRegressor(Chance(), Mean()).fit(np.zeros((2, 1)), [0, 0]).predict([[0]]) == [0]


def test_what_a_model_says_fits_together(songs, model):
    table = model.describe(songs.drop(columns="popularity"))
    median = mix_quantile(table["zero"], table["level"], model.spread_, 0.5)
    assert table["median"].tolist() == pytest.approx(median.tolist())
    assert (table["spread"] == model.spread_).all() and 0 < model.spread_ < 40
    assert (table["likeness"] == 0).all()  # no song is its own copy
    assert table["mean"].tolist() == table["alone"].tolist()


@pytest.mark.parametrize(("n", "fits"), [(9, False), (10, True)])
def test_ten_songs_are_enough(n, fits):
    few = make_songs(n).assign(popularity=range(n))
    X, y = few.drop(columns="popularity"), few["popularity"]
    if fits:
        assert len(make_model().fit(X, y).predict(X)) == n
    else:
        with pytest.raises(ValueError, match="at least 10 songs to learn from, found 9"):
            make_model().fit(X, y)


# --- comparisons --------------------------------------------------------------------------


def test_ways_to_handle_genres_beat_none_where_genre_is_all():
    models = make_genre_models(lambda genres: genres[0] if genres else None)
    above = make_songs(400)
    above = above[above["popularity"] > 0]
    # Each micro-genre keeps company with two of three variants of its own.
    variants = [(0, 1), (1, 2), (0, 2)]
    above["genres"] = [
        (name, *(f"{name} {v}" for v in variants[i % 3]))
        for i, (name,) in enumerate(above["genres"])
    ]
    X, y = above.drop(columns="popularity"), above["popularity"]
    table = compare_models(models, X, y, KFold(3, shuffle=True, random_state=0).split(X))
    assert table.index[:2].tolist() == ["mean popularity", "none"]
    assert (table["RMSE"].iloc[2:] < 0.8 * table.loc["none", "RMSE"]).all()
    assert table.loc["mean popularity", "R2"] < 0.01


def test_scores_of_folds_by_hand():
    y, predicted = np.array([0.0, 10, 20, 30]), np.array([1.0, 7, 20, 36])
    folds = [(np.array([2, 3]), np.array([0, 1])), (np.array([0, 1]), np.array([2, 3]))]
    rmse = np.sqrt([5, 18])
    scores = summarise_folds(y, predicted, folds)
    assert list(scores) == ["RMSE", "MAE", "R2", "sd"]
    expected = [rmse.mean(), 2.5, np.mean([1 - 10 / 50, 1 - 36 / 50]), abs(np.diff(rmse))[0]]
    assert list(scores.values()) == pytest.approx([*expected[:3], expected[3] / np.sqrt(2)])


def test_each_fold_has_a_seed_of_its_own():
    class Coin(BaseEstimator):
        def __init__(self, random_state=5):
            self.random_state = random_state

        def fit(self, X, y):
            return self

        def describe(self, X):
            return np.full((len(X), len(PARTS)), self.random_state)

    folds = [(np.array([2, 3]), np.array([0, 1])), (np.array([0, 1]), np.array([2, 3]))]
    parts = predict_parts_folds(Coin(), pd.DataFrame({"energy": np.zeros(4)}), np.zeros(4), folds)
    assert parts["mean"].tolist() == [5, 5, 6, 6]


def test_a_gain_is_that_of_the_errors_and_its_interval_draws_artists():
    rng = np.random.default_rng(0)
    y, noise = np.zeros(2000), rng.normal(0, 10, 2000)
    gain, low, high = measure_gain(y, noise, noise / 2, np.arange(2000))
    assert gain == pytest.approx(score(y, noise)["RMSE"] / 2)
    assert low < gain < high
    lost = np.where(np.arange(2000) == 7, np.nan, noise / 2)
    assert np.isfinite(measure_gain(y, noise, lost, np.arange(2000))).all()
    artists = np.repeat(np.arange(100), 20)
    album = np.repeat(rng.normal(0, 10, 100), 20)  # an artist's songs go wrong together
    none = [measure_gain(y, noise, rng.permutation(noise), np.arange(2000)) for _ in range(20)]
    assert sum(low < 0 < high for _, low, high in none) >= 17
    wide, narrow = (measure_gain(y, album, album / 2, groups) for groups in (artists, range(2000)))
    assert wide[2] - wide[1] > 3 * (narrow[2] - narrow[1])


def test_interval_of_a_median_holds_at_its_rate():
    rng = np.random.default_rng(0)
    draws = rng.normal(3, 2, (2000, 150))
    low, mid, high = np.quantile(draws, [0.25, 0.5, 0.75], axis=1)
    inside = np.abs(mid - 3) <= spread_of_median(low, high, 150)
    assert inside.mean() == pytest.approx(0.95, abs=0.015)
    early, late = rng.normal(0, 1, 400), rng.normal(2, 3, 900)
    change, spread = estimate_change(pd.Series(early), pd.Series(late))
    assert change == pytest.approx(np.median(late) - np.median(early))
    assert spread == pytest.approx(1.96 * 1.253 * np.hypot(1 / 20, 3 / 30), rel=0.1)


def test_interval_of_likeness_draws_artists():
    rng = np.random.default_rng(1)
    artist = np.repeat(np.arange(150), 4)
    fame = (50 + 8 * (rng.normal(0, 1, 150)[artist] + rng.normal(0, 1, 600))).round()
    df = pd.DataFrame({"artist_name": artist, "popularity": fame})
    value, low, high = estimate_likeness(df, "artist_name")
    assert value == measure_likeness(df, "artist_name")
    assert low < 0.5 < high and 0.1 < high - low < 0.3


def test_rows_that_no_fold_tests_stay_unknown(songs):
    folds = [(np.arange(100), np.arange(100, 120))]
    mean = make_genre_models(lambda genres: None)["mean popularity"]
    predicted = predict_folds(mean, songs, songs["popularity"], folds)
    assert np.flatnonzero(np.isfinite(predicted)).tolist() == list(range(100, 120))
    assert predicted[100] == songs["popularity"][:100].mean()
    rule = make_genre_models(lambda genres: genres[0] if genres else None)["macro-genre (rule)"]
    hot = rule.named_steps["encode"].fit(songs).transform(songs)[:, -4:]
    assert np.asarray(hot.todense()).sum(axis=1).ravel().tolist() == [1] * len(songs)


def test_importance_by_hand():
    """A model that adds two columns loses by each what its shuffling costs."""

    class Sum:
        def predict(self, X):
            return X["energy"].to_numpy() + X["loudness"].to_numpy() + X["tempo"].to_numpy()

    songs = make_songs(30).assign(tempo=0.0)
    y = songs["energy"] + songs["loudness"]
    table = measure_importance(Sum(), songs, y, n_repeats=3, random_state=4)
    rng = np.random.default_rng(4)
    parts = np.array_split(rng.permutation(30), 3)
    for name, columns in COLUMN_GROUPS.items():
        rises = []
        for part in parts:
            order = rng.permutation(part)
            moved = [songs[c].to_numpy()[order] - songs[c].to_numpy()[part] for c in columns
                     if c in MOVED]  # fmt: skip
            rises.append(np.sqrt(np.mean(np.square(sum(moved)))))
        assert table.loc[name].tolist() == pytest.approx([np.mean(rises), np.std(rises, ddof=1)])
    assert table["mean"].is_monotonic_decreasing


MOVED = ("energy", "loudness")


def test_importance_finds_the_genre(songs, model):
    other = make_songs(150, seed=9)
    table = measure_importance(model, other.drop(columns="popularity"), other["popularity"])
    assert table.index[0] == "genres"
    assert table.loc["key, mode", "mean"] < 0.2 * table.loc["genres", "mean"]


def test_dependence_of_a_line_is_the_line():
    class Line:
        def predict(self, X):
            return 3 * X["energy"].to_numpy() + X["tempo"].to_numpy()

    X = pd.DataFrame({"energy": np.linspace(0, 1, 101), "tempo": np.linspace(0, 100, 101)})
    table = measure_dependence(Line(), X, ["energy"], n_points=4)
    assert table["value"].tolist() == pytest.approx([0.05, 0.35, 0.65, 0.95])
    assert table["mean"].tolist() == pytest.approx([50 + 3 * v for v in table["value"]])


# --- genres -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def companies() -> pd.DataFrame:
    """Four families of six micro-genres; a song carries three of one family."""
    rng = np.random.default_rng(4)
    family = rng.integers(0, 4, 400)
    lists = [tuple(f"{GENRES[f]} {i}" for i in rng.permutation(6)[:3]) for f in family]
    return pd.DataFrame({"genres": lists, "popularity": 10 * family, "family": family})


def test_communities_are_the_families(companies):
    communities = GenreCommunities(n_communities=4).fit(companies)
    families = [{name.split()[0] for name in group} for group in communities.members_.values()]
    assert sorted(map(len, communities.members_.values())) == [6] * 4
    assert all(len(family) == 1 for family in families)
    table = summarise_communities(communities, companies)
    assert table["songs"].sum() == len(companies)
    assert table["popularity"].tolist() == [30, 20, 10, 0]
    assert all(GENRES[3 - i] in name for i, name in enumerate(table.index))


@pytest.mark.parametrize(
    "encoder",
    [GenreCommunities(n_communities=4), GenreEmbedding(n_components=3), GenreNMF(n_components=4)],
    ids=lambda encoder: type(encoder).__name__,
)
def test_genres_by_company_tell_families_apart(companies, encoder):
    encoder = clone(encoder).fit(companies)
    lists = [("polka 0", "polka 1"), ("polka 2",), ("fado 0",), (), ("never heard",)]
    out = np.asarray(encoder.transform(pd.DataFrame({"genres": lists})), dtype=float)
    assert np.isfinite(out).all()
    assert out[3] == pytest.approx(0, abs=1e-9) and out[4] == pytest.approx(0, abs=1e-9)
    unit = out[:3] / np.linalg.norm(out[:3], axis=1, keepdims=True)
    assert unit[0] @ unit[1] > 0.9 and abs(unit[0] @ unit[2]) < 0.5


@pytest.mark.parametrize("encoder", [GenreCommunities(), GenreEmbedding()], ids=repr)
def test_genres_by_company_where_there_are_none(encoder):
    X = pd.DataFrame({"genres": [()] * 5})
    assert np.asarray(clone(encoder).fit(X).transform(X)) == pytest.approx(0)


def test_songs_are_named_by_most_of_their_genres(companies):
    communities = GenreCommunities(n_communities=4).fit(companies)
    names = communities.name_songs(pd.DataFrame({"genres": [("tango 1", "tango 2", "fado 1"), ()]}))
    assert "tango" in names[0] and pd.isna(names[1])


def test_genres_of_one_graph_are_shares_of_communities(companies):
    communities = GenreCommunities(n_communities=4).fit(companies)
    lists = [("polka 0", "polka 1", "fado 0"), ("tango 3",), ()]
    shares = communities.transform(pd.DataFrame({"genres": lists}))
    assert np.sort(shares[0])[::-1].tolist() == pytest.approx([2 / 3, 1 / 3, 0, 0])
    assert shares[1:].sum(axis=1).tolist() == [1, 0]
    counts = count_values(companies["genres"])
    for name, members in communities.members_.items():
        assert name == " / ".join(members[:2])
        assert counts[members].is_monotonic_decreasing
    table = summarise_communities(communities, companies)
    assert table["micro-genres"].tolist() == [6] * 4
    first = communities.members_[table.index[0]]
    assert table["examples"].iloc[0] == ", ".join(first[2:5])


def test_a_genre_in_many_songs_of_another_is_placed_by_its_company():
    lists = [("a", "b")] * 6 + [("c", "d")] * 6 + [("rare", "a")] * 2
    X = pd.DataFrame({"genres": lists})
    counter, ppmi = relate_genres(X, min_count=3)
    assert list(counter.vocabulary_) == ["a", "b", "c", "d"]
    assert ppmi[2, 3] == pytest.approx(np.log2(6 * 14 / 36))
    assert ppmi[0, 1] == pytest.approx(np.log2(6 * 14 / (8 * 6)))
    embedding = GenreEmbedding(n_components=9).fit(X)
    assert embedding.places_.shape == (4, 3)  # four genres span no more directions
    places = embedding.transform(pd.DataFrame({"genres": [("a",), ("b",), ("a", "b"), ("a", "?")]}))
    assert places[2] == pytest.approx((places[0] + places[1]) / 2)
    assert places[3] == pytest.approx(places[0])
    # The two directions of the pair that is bound most, as long as its information.
    places = GenreEmbedding(n_components=2).fit(X).places_
    assert places @ places.T == pytest.approx(np.diag([0, 0, ppmi[2, 3], ppmi[2, 3]]), abs=1e-6)


def test_genre_map_counts_songs_and_popularity():
    lists = [("a", "b")] * 30 + [("c", "b")] * 10 + [("d",)] * 5 + [()] * 5
    df = pd.DataFrame({"genres": lists, "popularity": [10] * 30 + [50] * 10 + [7] * 10})
    table = map_genres(df, n_genres=3)
    assert table.index.tolist() == ["b", "a", "c"]
    assert table["songs"].tolist() == [40, 30, 10]
    assert table["popularity"].tolist() == [20, 10, 50]
    assert table["x"].tolist() == [0, 1, 2] and (table["y"] == 0).all()
    counted = summarise_genres(df)
    assert counted == {
        "micro-genres": 4, "empty lists (share)": 0.1, "mean length of a list": 85 / 50,
        "micro-genres in one song only (share)": 0,
    }  # fmt: skip


# --- patterns -----------------------------------------------------------------------------


def test_years_have_every_song_once(songs):
    table = summarise_years(songs, ["energy", "explicit"], min_songs=30)
    per_column = table.groupby("column")["songs"].sum()
    assert per_column.tolist() == [len(songs)] * 2
    assert table["songs"].min() >= 30
    assert ((table["low"] <= table["mid"]) & (table["mid"] <= table["high"])).all()


def test_sparse_years_join_their_neighbours():
    df = pd.DataFrame({"release_date": ["2003"] * 4 + ["2002"] + ["2001"] * 3 + ["2000", ""]})
    df["tempo"] = [1.0, 2, 3, 4, 10, 20, 30, 40, 50, 299]
    df["explicit"] = [True, False, False, False] + [True] * 6
    table = summarise_years(df, ["tempo", "explicit"], min_songs=4).set_index(["column", "year"])
    assert table.loc["tempo", "songs"].tolist() == [4, 5]
    later, earlier = (2003.0, (2002 + 3 * 2001 + 2000) / 5)
    assert table.loc[("tempo", later)].tolist() == [1.75, 2.5, 3.25, 4]
    assert table.loc[("tempo", earlier)].tolist() == [20, 30, 40, 5]
    assert summarise_years(df.iloc[:5], ["tempo"], min_songs=4)["songs"].tolist() == [5]
    _, low, high = estimate_share([True] + [False] * 3)
    assert table.loc[("explicit", later)].tolist() == pytest.approx([low, 0.25, high, 4])


def test_copies_of_a_recording_are_found_within_and_across_tables():
    songs = make_songs(6)
    copy = songs.iloc[[0]].assign(popularity=99, track_name="Song 0 - Remastered")
    close = songs.iloc[[1]].assign(tempo=songs["tempo"][1] + 0.001)
    pairs = find_same_recordings(songs, pd.concat([copy, close]))
    assert pairs.to_numpy().tolist() == [[songs["popularity"][0], 99, 0, 1, True]]
    late = find_same_recordings(songs, copy.assign(release_date="2031"), copy)
    assert late[["first", "second", "same_date"]].to_numpy().tolist() == [
        [0, 1, False], [0, 2, True], [1, 2, False]
    ]  # fmt: skip
    assert find_same_recordings(songs).empty


def test_a_copy_is_found_by_name_or_by_sound_and_no_song_is_its_own():
    songs = make_songs(40).assign(popularity=range(40))
    releases = Releases(songs)
    assert not releases.find(songs).found.any()
    other_day = songs.assign(release_date="1999-01-02")
    by_sound = releases.find(other_day.assign(track_name="another title"))
    assert by_sound.likeness == pytest.approx(1)
    assert by_sound.popularity.tolist() == list(range(40))
    by_name = releases.find(other_day.assign(energy=1 - songs["energy"]))
    assert by_name.likeness == pytest.approx(1)
    assert by_name.popularity.tolist() == list(range(40))
    remaster = other_day.assign(track_name="another title", energy=songs["energy"] + 0.03)
    assert releases.find(remaster).likeness == pytest.approx(np.exp(-1), rel=1e-4)
    assert not releases.find(remaster.assign(energy=songs["energy"] + 0.1)).found.any()


def test_the_nearest_of_several_copies_counts():
    songs = make_songs(4).assign(release_date="1999-01-02")
    one = songs.iloc[[0]]
    by_name = [one.assign(energy=one["energy"] + step, popularity=p)
               for step, p in [(0.4, 1), (0.2, 2), (0.2, 3)]]  # fmt: skip
    sounds_alike = one.assign(track_name="x", energy=one["energy"] + 0.01, popularity=9)
    asked = one.assign(release_date="2001-01-02")
    found = Releases(sounds_alike, *by_name).find(asked)
    assert (found.likeness[0], found.popularity[0]) == (1, 2)
    found = Releases(sounds_alike, songs[1:]).find(asked)
    assert found.likeness[0] == pytest.approx(np.exp(-0.01 / 0.03), rel=1e-4)
    assert found.popularity[0] == 9
    exact = one.assign(track_name="x", popularity=8)  # as sure as a name, and heard
    assert Releases(*by_name, exact).find(asked).popularity[0] == 8


def test_distance_of_copies_is_the_definition():
    one = make_songs(3).iloc[[0]].assign(release_date="1999-01-02")
    one = one.assign(tempo=120.0, duration_ms=200_000)
    releases = Releases(one.assign(track_name="other"))
    for change, distance in [
        ({"tempo": 122.0}, 1.4 * np.log2(122 / 120)),
        ({"duration_ms": 202_000}, 0.01 * 2),
        ({"liveness": one["liveness"] - 0.1}, 0.3 * 0.1),
        ({"danceability": one["danceability"] - 0.02}, 0.02),
    ]:
        found = releases.find(one.assign(**change))
        assert found.likeness[0] == pytest.approx(np.exp(-distance / 0.03), rel=1e-4)
    assert not releases.find(one.assign(danceability=one["danceability"] + 0.051)).found.any()


def test_the_rule_describes_what_the_copy_says():
    copies = Copies(np.array([1.0, 0.5]), np.array([0.0, 70.0]))
    y, few = np.array([0.0, 50.0] * 15), np.arange(30) % 2
    rule = CopyRule().fit(np.full(30, 0.3), np.full(30, 40.0), copies.take(few), y)
    assert rule.learnt  # fifteen of each kind are just enough
    zero, level = rule.apply(np.full(2, 0.3), np.full(2, 40.0), copies)
    features = np.array([[1, 1, 0], [0.5, 0, 0.5 * (70 - 40) / 30]])
    logit = np.full((2, 1), np.log(0.3 / 0.7))
    proba = 1 / (1 + np.exp(-np.hstack([logit, features]) @ rule.zero_))[:, 0]
    assert zero.tolist() == pytest.approx(proba.tolist())
    assert level.tolist() == pytest.approx((40 + features @ rule.level_)[:, 0].tolist())
    assert rule.apply(np.zeros(2), np.full(2, 100.0), copies)[1].max() <= 100


def test_songs_without_names_are_found_by_sound_even_on_one_day():
    songs = make_songs(40).assign(popularity=7)
    nameless = Releases(songs.drop(columns=["artist_name", "track_name"]))
    assert nameless.find(songs).found.all()
    untitled = songs.assign(track_name=None)
    assert not Releases(untitled).find(untitled).found.any()


def test_a_certain_copy_is_preferred():
    sure = Copies(np.array([1.0, 0.0]), np.array([5.0, 0.0]))
    vague = Copies(np.array([0.4, 0.3]), np.array([9.0, 8.0]))
    for both in (sure.prefer(vague), vague.prefer(sure)):
        assert both.likeness.tolist() == [1, 0.3]
        assert both.popularity.tolist() == [5, 8]


def make_copies(n: int = 300) -> tuple[Copies, np.ndarray]:
    """Songs whose popularity is 0 where the copy's is not, and 50 where it is."""
    rng = np.random.default_rng(5)
    popularity = np.where(rng.random(n) < 0.5, 0.0, 60.0)
    return Copies(np.ones(n), popularity), np.where(popularity > 0, 0.0, 50.0)


def test_the_rule_learns_that_one_copy_counts():
    copies, y = make_copies()
    zero, level = np.full(len(y), 0.3), np.full(len(y), 40.0)
    rule = CopyRule().fit(zero, level, copies, y)
    assert rule.learnt
    new_zero, new_level = rule.apply(zero, level, copies)
    assert new_zero[y == 0].min() > 0.9
    assert new_zero[y > 0].max() < 0.1
    assert new_level[y > 0] == pytest.approx(50, abs=1)
    # a constant would move songs of which the copy says nothing
    assert len(rule.zero_) == 4 and len(rule.level_) == 3
    nobody = Copies(np.zeros(len(y)), np.zeros(len(y)))
    unchanged = rule.apply(zero, level, nobody)
    assert np.array_equal(unchanged, (zero, level))


def test_the_rule_is_not_learnt_from_few_songs():
    copies, y = make_copies()
    few = np.arange(len(y)) < FEWEST_COPIES - 2
    zero, level = np.full(len(y), 0.3), np.full(len(y), 40.0)
    rule = CopyRule().fit(zero[few], level[few], copies.take(few), y[few])
    assert not rule.learnt
    assert np.array_equal(rule.apply(zero, level, copies)[0], zero)


def test_the_model_uses_copies_in_its_table_and_elsewhere():
    songs = make_songs(600)
    other = np.where(np.arange(600) % 2, 0, 55)  # one of two copies is counted
    songs.loc[::3, "popularity"] = np.where(other[::3], 0, 50)
    copies = songs.assign(popularity=other, release_date="1990-01-02").iloc[::3]
    X, y = songs.drop(columns="popularity"), songs["popularity"].to_numpy(float)
    train, test = np.arange(0, 400), np.arange(400, 600)
    fitted = make_model(releases=Releases(copies)).fit(X.iloc[train], y[train])
    told = fitted.describe(X.iloc[test])
    known = (told["likeness"] > 0).to_numpy()
    assert np.array_equal(known, test % 3 == 0)
    truth = y[test][known]
    assert score(truth, told["mean"][known])["R2"] > 0.6 > score(truth, told["alone"][known])["R2"]
    assert told["mean"][~known].tolist() == told["alone"][~known].tolist()
    plain = make_model().fit(X.iloc[train], y[train]).describe(X.iloc[test])
    assert plain["mean"].tolist() == plain["alone"].tolist()


def test_where_most_songs_have_copies_the_trees_learn_from_all():
    songs = make_songs(120)
    X, y = songs.drop(columns="popularity"), songs["popularity"].to_numpy(float)
    copies = songs.assign(release_date="1990-01-02")
    fitted = make_model(releases=Releases(copies)).fit(X, y)
    plain = make_model().fit(X, y)
    told = fitted.describe(X)
    assert (told["likeness"] > 0).all()
    assert told["alone"].tolist() == plain.describe(X)["alone"].tolist()


def test_no_songs_give_no_predictions(songs, model):
    assert len(model.predict(songs.drop(columns="popularity").iloc[:0])) == 0


def test_missing_numbers_are_told(songs):
    X, y = songs.drop(columns="popularity"), songs["popularity"].astype(float)
    with pytest.raises(DataError, match="y, row 1: .* found a missing value"):
        make_model().fit(X, y.where(y.index > 0))
    with pytest.raises(DataError, match="'tempo', row 1: expected a number, found a missing value"):
        make_model().fit(X.assign(tempo=X["tempo"].where(X.index > 0)), y)


def test_songs_of_unknown_artists_are_predicted_by_trees_of_their_own(songs, model):
    known = songs.drop(columns="popularity").iloc[:12]
    mixed = known.copy()
    mixed.loc[mixed.index[::2], "artist_name"] = "nobody ever"
    features = model.encoders_.transform(mixed)
    ours, strangers = (_blend(trees, features)[0] for trees in (model.hurdles_, model.strangers_))
    assert not np.allclose(ours, strangers)
    alone = model.describe(mixed)["alone"].to_numpy()
    assert alone[1::2] == pytest.approx(ours[1::2])
    assert alone[::2] == pytest.approx(strangers[::2])


def test_pair_correlation_of_known_pairs():
    one_counts = pd.DataFrame({"lower": [0.0] * 20, "higher": [50.0] * 20})
    value, low, high = measure_pair_correlation(one_counts)
    assert (value, low, high) == pytest.approx((-1, -1, -1))
    alike = pd.DataFrame({"lower": np.arange(30.0), "higher": np.arange(30.0)})
    assert measure_pair_correlation(alike)[0] == pytest.approx(1)
    assert np.isnan(measure_pair_correlation(alike.iloc[:2])[0])


def test_ppmi_of_independent_genres_is_zero():
    together = np.array([[50.0, 25.0, 0.0], [25.0, 50.0, 10.0], [0.0, 10.0, 10.0]])
    ppmi = compute_ppmi(together, 100)
    assert ppmi[0, 1] == pytest.approx(0.0)
    assert ppmi[1, 2] == pytest.approx(1.0)
    assert ppmi[0, 2] == 0 and (np.diag(ppmi) == 0).all()


def test_genre_map_puts_companions_together():
    lists = [("a", "b")] * 30 + [("c", "d")] * 30 + [("e", "f")] * 30 + [()] * 5
    df = pd.DataFrame({"genres": lists, "popularity": 10})
    table = map_genres(df)
    assert table.loc["a", "nearest"] == "b" and table.loc["f", "nearest"] == "e"
    assert np.isfinite(table[["x", "y"]].to_numpy()).all()
    assert summarise_genres(df)["empty lists (share)"] == pytest.approx(5 / 95)


def test_weekdays_leave_out_january_first_and_bare_years():
    dates = ["2010-01-01", "2010", "2010-05-03", "2018-05-04", "2018-05-11"]
    table = count_weekdays(pd.DataFrame({"release_date": dates}))
    assert table.attrs["n"] == {"before": 1, "since": 2}
    assert table.loc["Mon", "before"] == 1 and table.loc["Fri", "since"] == 1


def test_months_and_keys_sum_to_one(songs):
    months = summarise_months(songs)
    assert months["share"].sum() == pytest.approx(1)
    assert months["share"].idxmax() == 3
    assert months.attrs["explained"] == pytest.approx(0)  # all songs are from March
    keys = summarise_keys(songs)
    assert keys[["major", "minor"]].to_numpy().sum() == pytest.approx(1)
    assert keys.index[:3].tolist() == ["C", "G", "D"]


def test_explained_variance_of_a_cause_and_of_noise(songs):
    df = pd.DataFrame({"g": [0, 0, 1, 1], "h": [0, 1, 0, 1], "popularity": [0, 0, 8, 8]})
    assert measure_explained(df, ["g"]) == pytest.approx(1)
    assert measure_explained(df, ["h"]) == pytest.approx(0)


def test_a_correlation_that_is_all_age_vanishes_within_a_year():
    rng = np.random.default_rng(0)
    year = rng.integers(1960, 2020, 3000)
    df = pd.DataFrame({"release_date": [str(value) for value in year]})
    df["popularity"] = np.clip(20 + year - 1960 + rng.normal(0, 5, len(df)), 0, 100).astype(int)
    df["loudness"] = (year - 2020) / 5 + rng.normal(0, 2, len(df))
    df["valence"] = df["popularity"] / 200 + 0.2 + rng.normal(0, 0.01, len(df))
    table = compare_correlations(df, ["loudness", "valence"])
    assert table.loc["loudness", "all songs"] > 0.7
    assert abs(table.loc["loudness", "same year"]) < 0.06
    assert table.loc["valence", "same year"] > 0.8


def test_artists_are_summarised_and_alike():
    df = pd.DataFrame({"artist_name": ["a"] * 3 + ["b"] * 3 + ["c"] + ["", None, np.nan]})
    df["popularity"] = [0, 50, 70, 10, 20, 30, 99, 1, 2, 3]
    table = summarise_artists(df, min_songs=3)
    assert table.index.tolist() == ["a", "b"]
    assert table.loc["a"].tolist() == pytest.approx([3, 40, 1 / 3, 50, 70])
    alike = pd.DataFrame({"artist_name": list("aabbcc"), "popularity": [1, 1, 5, 5, 9, 9]})
    assert measure_likeness(alike, "artist_name") == pytest.approx(1)
    nobody = pd.DataFrame({"artist_name": ["", None], "popularity": [3, 90]})
    assert measure_likeness(pd.concat([alike, nobody]), "artist_name") == pytest.approx(1)
    rng = np.random.default_rng(0)
    noise = pd.DataFrame({"artist_name": rng.integers(0, 1500, 4000)})
    noise["popularity"] = rng.integers(0, 101, 4000)
    assert abs(measure_likeness(noise, "artist_name")) < 0.05
    assert measure_explained(noise, ["artist_name"]) > 0.3  # what likeness corrects
    assert np.isnan(measure_likeness(alike.iloc[::2], "artist_name"))
    assert np.isnan(measure_likeness(alike.assign(popularity=5), "artist_name"))


def test_residuals_of_a_biased_group():
    y, predicted = np.r_[np.zeros(40), np.full(40, 5.0)], np.zeros(80)
    groups = pd.Series(["fair"] * 40 + ["under"] * 39 + [None])
    table = summarise_residuals(y, predicted, groups)
    assert table["mean"].to_dict() == {"fair": 0.0, "under": 5.0}
    assert table["songs"].to_dict() == {"fair": 40, "under": 39}


def test_residuals_have_their_error():
    y = np.r_[np.zeros(18), np.full(18, 4.0)]
    table = summarise_residuals(y, np.ones(36), pd.Series(["b", "a"] * 18), min_songs=18)
    assert table.index.tolist() == ["a", "b"] and table["mean"].tolist() == [1, 1]
    assert table["error"].tolist() == pytest.approx([1.96 * np.sqrt(4 * 18 / 17 / 18)] * 2)


def test_months_have_their_mean_and_error():
    df = pd.DataFrame({"release_date": ["2001-02", "2001-02-01", "2001-01-01", "2002", "2003-01"]})
    table = summarise_months(df.assign(popularity=[1.0, 5, 99, 99, 7]))
    assert table["share"].iloc[:2].tolist() == pytest.approx([1 / 3, 2 / 3])
    assert table["popularity"].iloc[:2].tolist() == [7, 3]
    assert table.loc[2, "error"] == pytest.approx(1.96 * np.sqrt(8) / np.sqrt(2))
    assert table.attrs["explained"] == pytest.approx(1 - (8 / 3) / (56 / 9))


def test_keys_are_counted():
    df = pd.DataFrame({"key": [7, 7, 7, 0], "mode": [1, 1, 0, 0], "popularity": [1, 2, 6, 5]})
    table = summarise_keys(df)
    assert table.loc["G"].tolist() == [0.5, 0.25, 3] and table.loc["C"].tolist() == [0, 0.25, 5]
    assert table.index.tolist() == "C G D A E B F♯ C♯ A♭ E♭ B♭ F".split()


def test_pair_correlation_by_hand():
    pairs = pd.DataFrame({"lower": [0.0, 2, 4], "higher": [4.0, 2, 6]})
    # Deviations from 3: (-3, 1), (-1, -1), (1, 3).
    assert measure_pair_correlation(pairs)[0] == pytest.approx((-3 + 1 + 3) / 3 / (22 / 6))


def test_likeness_by_hand():
    df = pd.DataFrame({"artist_name": list("aabbbc"), "popularity": [1, 3, 4, 6, 8, 9]})
    overall, n, k = 31 / 6, 6, 3
    between = (2 * (2 - overall) ** 2 + 3 * (6 - overall) ** 2 + (9 - overall) ** 2) / (k - 1)
    within = (2 + 8) / (n - k)
    typical = (n - (4 + 9 + 1) / n) / (k - 1)
    expected = (between - within) / (between + (typical - 1) * within)
    assert measure_likeness(df, "artist_name") == pytest.approx(expected)


# --- the median, and intervals ------------------------------------------------------------


def test_median_of_a_mixture_is_the_median_of_draws():
    rng = np.random.default_rng(0)
    for zero, level in [(0.1, 50.0), (0.4, 30.0), (0.6, 60.0)]:
        draws = np.where(rng.random(200_000) < zero, 0, rng.normal(level, 10, 200_000))
        median = mix_quantile(np.array([zero]), np.array([level]), 10.0, 0.5)[0]
        assert median == pytest.approx(np.median(draws), abs=0.2)
    assert mix_quantile(np.array([0.0, 1.0]), np.array([99.0, 50.0]), 10.0, 0.99).tolist() == [
        100.0,
        0.0,
    ]


def test_the_absolute_loss_has_the_smaller_absolute_error():
    songs = make_songs(800)
    X, y = songs.drop(columns="popularity"), songs["popularity"].to_numpy(float)
    folds = list(KFold(2, shuffle=True, random_state=0).split(X))
    parts = predict_parts_folds(make_model(), X, y, folds)
    mean, median = score(y, parts["mean"]), score(y, parts["median"])
    assert median["MAE"] < mean["MAE"] and mean["RMSE"] < median["RMSE"]
    train, test = folds[0]
    absolute = make_model(loss="absolute").fit(X.iloc[train], y[train])
    assert absolute.predict(X.iloc[test]) == pytest.approx(parts["median"].to_numpy()[test])
    with pytest.raises(ValueError, match="loss: expected 'squared' or 'absolute', found 'cubic'"):
        make_model(loss="cubic").fit(X, y)


def test_a_song_learns_from_its_closest_neighbour_most():
    space = np.array([[0.0], [1.0]])
    known = Known(np.array(["d", "d"], dtype=object), space, np.array([[10.0, 0.0], [-10.0, 0.0]]))
    asked = np.array(["d", "d", "e", ""], dtype=object)
    found = krige(known, asked, np.array([[0.0], [1.0], [0.0], [0.0]]), lambda _: DAY)
    assert 0 < found[0, 0] < 10 and found[0, 0] == pytest.approx(-found[1, 0])
    assert found[2].tolist() == found[3].tolist() == list(NOBODY)


def test_neighbours_weigh_as_a_gaussian_process_has_it():
    rng = np.random.default_rng(1)
    space, y = rng.random((30, 2)), rng.normal(size=30)
    kernel = ConstantKernel(0.1) + ConstantKernel(0.6) * Matern(1.0, nu=0.5)
    theirs = GaussianProcessRegressor(kernel, alpha=1.0, optimizer=None).fit(space[:20], y[:20])
    keys = np.full(30, "d", dtype=object)
    known = Known(keys[:20], space[:20], np.column_stack([y, y])[:20])
    ours = krige(known, keys[20:], space[20:], lambda _: DAY)
    assert ours[:, 0] == pytest.approx(theirs.predict(space[20:]), abs=1e-6)


def test_covariance_is_the_sum_of_what_two_songs_share(songs):
    few = songs.iloc[:24].copy()
    few["artist_name"] = [f"artist {i % 5}" if i % 4 else "" for i in range(24)]
    few["release_date"] = ["2001-03-04", "2001-03-05", "2001", "2009-01-01"] * 6
    few["track_name"] = ["blue song", "red song"] * 12
    process = SongProcess(SoundRanks(songs))
    process.fit_folds(few, np.zeros((24, 2)), [])
    places, w = process.places_, process.weights
    found = compute_covariance(places, places.take(slice(3, 9)), w)
    genres, words = places.genres.toarray(), places.words.toarray()
    date = describe_date(few)["date"].to_numpy()
    for i in range(24):
        for j in range(3, 9):
            same = float(few["genres"].iloc[i] == few["genres"].iloc[j])
            artist = few["artist_name"].iloc[i] == few["artist_name"].iloc[j] != ""
            day = few["release_date"].iloc[i] == few["release_date"].iloc[j]
            day = day and not is_vague(few["release_date"].iloc[i])
            sound = np.exp(-np.linalg.norm(places.sound[i] - places.sound[j]) / w.reach_sound)
            years = np.exp(-abs(date[i] - date[j]) / w.reach_years)
            assert genres[i] @ genres[j] == pytest.approx(same)
            near = w.sound + w.sound_and_years * years + w.genres_and_sound * same
            near += artist * w.artist_and_sound + day * w.day_and_sound
            expected = same * (w.genres + w.genres_and_years * years) + near * sound
            expected += artist * w.artist + (artist and day) * w.artist_and_day
            expected += w.words * (words[i] @ words[j])
            assert found[i, j - 3] == pytest.approx(expected, rel=1e-4)


def test_a_process_predicts_in_blocks_as_at_once(songs, monkeypatch):
    y = np.random.default_rng(0).normal(size=(len(songs), 2))
    process = SongProcess(SoundRanks(songs))
    whole = process.fit_folds(songs, y, [[(np.arange(120), np.arange(120, 240))]])[0][120:]
    predicted = process.predict(songs)
    monkeypatch.setattr(gaussian, "ROWS", 50)
    parts = process.fit_folds(songs, y, [[(np.arange(120), np.arange(120, 240))]])[0][120:]
    assert parts == pytest.approx(whole, abs=1e-4)
    assert process.predict(songs) == pytest.approx(predicted, abs=1e-4)


def test_places_in_sound_are_ranks():
    known = make_songs(4).assign(energy=[0.1, 0.2, 0.2, 0.9], explicit=True)
    places = SoundRanks(known).place(known.assign(energy=[0.0, 0.2, 0.5, 1.0]))
    assert places[:, 1].tolist() == [0, 0.5, 0.75, 1]
    assert places.shape == (4, 11) and places[:, -1] == pytest.approx(0.3, abs=1e-6)


def test_neighbours_are_described():
    known = Known(np.array(["d", "d", ""], dtype=object), np.array([[0.0], [0.4], [0.0]]),
                  np.array([[2.0, 1.0], [4.0, 0.0], [9.0, 9.0]]))  # fmt: skip
    found = krige(known, np.array(["d", ""], dtype=object), np.array([[0.1], [0.1]]), lambda _: DAY)
    own = 0.1 + 0.6 * np.exp([[0, -0.4], [-0.4, 0]]) + np.eye(2)
    across = 0.1 + 0.6 * np.exp([-0.1, -0.3])
    weights = np.linalg.solve(own, across)
    expected = [*(weights @ known.residuals[:2]), weights @ across / 0.7, 0.1, np.log(3)]
    assert found[0].tolist() == pytest.approx(expected)
    assert found[1].tolist() == list(NOBODY)
    both = known.join(known.take(np.array([0])))
    assert both.blocks["d"].tolist() == [0, 1, 3] and "" not in both.blocks
    assert group_rows(np.array([], dtype=object)) == {}


def test_inner_folds_keep_groups_together():
    groups = np.array(list("aabbccdd"), dtype=object)
    for train, test in split_inner(8, groups, n_folds=3, random_state=0):
        assert not set(groups[train]) & set(groups[test])
    for _, test in split_inner(8, np.array(list("aaabbbbb")), n_folds=3, random_state=0):
        assert test.tolist() in ([0, 1, 2], [3, 4, 5, 6, 7])
    assert len(split_inner(8, groups, n_folds=3, random_state=0)) == 3
    assert len(split_inner(8, groups, n_folds=9, random_state=0)) == 4
    assert len(split_inner(8, np.array(["a"] * 8), n_folds=3, random_state=0)) == 3
    assert len(split_inner(2, None, n_folds=5, random_state=0)) == 2


def test_folds_of_the_process_are_those_of_fits_without_the_fold(songs):
    odd = songs.iloc[:150].copy()
    odd["genres"] = [() if i % 9 == 0 else genres for i, genres in enumerate(odd["genres"])]
    odd["release_date"] = odd["release_date"].astype(object).where(odd.index % 7 > 0, None)
    y = np.random.default_rng(0).normal(size=(len(odd), 2))
    artists = name_artists(odd)
    splits = [split_inner(len(odd), g, n_folds=3, random_state=0) for g in (None, artists)]
    process = SongProcess(SoundRanks(odd))
    found = process.fit_folds(odd, y, splits)
    own = compute_covariance(process.places_, process.places_, process.weights)
    assert np.linalg.eigvalsh(own).min() > -1e-9
    for folds, predicted in zip(splits, found, strict=True):
        for train, test in folds:
            noisy = own[np.ix_(train, train)] + np.eye(len(train))
            direct = own[np.ix_(test, train)] @ np.linalg.solve(noisy, y[train])
            assert predicted[test] == pytest.approx(direct, abs=1e-4)
    everything = own @ np.linalg.solve(own + np.eye(len(odd)), y)
    assert process.predict(odd) == pytest.approx(everything, abs=1e-4)


def test_a_song_of_the_same_artist_and_genre_counts_more(songs):
    y = np.column_stack([np.where(songs["genres"].map(lambda g: g[0]) == "fado", 1.0, -1.0)] * 2)
    process = SongProcess(SoundRanks(songs))
    process.fit_folds(songs, y, [])
    fado = songs[songs["genres"].map(lambda g: g[0]) == "fado"].iloc[[0]]
    stranger = fado.assign(artist_name="nobody ever", genres=[("unheard of",)])
    known, unknown = process.predict(fado)[0, 0], process.predict(stranger)[0, 0]
    assert known > 0.2 and known > unknown + 0.2


def test_vague_dates():
    assert [is_vague(day) for day in ("1999", "1999-05", "1999-01-01", "1999-05-01")] == [
        True,
        True,
        True,
        False,
    ]


def test_unknown_artists_are_shown_without_artist(songs):
    X, y = songs.drop(columns="popularity"), songs["popularity"].to_numpy(float)
    features = SongFeatures()
    known, unknown = features.fit_training(X, y)
    names = features.get_feature_names_out()
    assert known.shape == unknown.shape == (len(X), len(names))
    count = list(names).index("artist_name_count")
    assert known[:, count].max() > 0 and unknown[:, count].max() == -1
    stranger = X.iloc[[0]].assign(artist_name="nobody ever", track_name="no such song")
    for i, name in enumerate(names):
        if str(name).startswith("artist_name_"):
            assert unknown[:, i] == pytest.approx(features.transform(stranger)[0, i]), name


def test_bounds_are_scored_moved_and_measured_by_hand():
    bounds = np.array([[10.0, 20.0], [0.0, 30.0], [40.0, 50.0]])
    assert score_bounds([5, 5, 60], bounds).tolist() == [5, -25, 10]
    assert move_bounds(bounds, 5.0).tolist() == [[5, 25], [0, 35], [35, 55]]
    assert move_bounds(bounds, 60.0).tolist() == [[0, 80], [0, 90], [0, 100]]
    assert move_bounds(bounds, -8.0).tolist() == [[15, 15], [0, 22], [45, 45]]
    assert measure_intervals([10, 30.1, 50], bounds) == {
        "coverage": 2 / 3, "mean width": 50 / 3, "median width": 10
    }  # fmt: skip


def test_bounds_of_a_mixture_are_its_quantiles():
    zero, level = np.array([0.0, 0.2]), np.array([50.0, 50.0])
    bounds = mix_bounds(zero, level, 4.0, 0.9)
    assert bounds[0].tolist() == pytest.approx([50 - 1.644854 * 4, 50 + 1.644854 * 4], abs=1e-4)
    # A fifth of the songs at 0: the interval begins there, and holds 90 % from 0 up.
    assert bounds[1].tolist() == pytest.approx([0, 50 + 4 * 1.150349], abs=1e-4)


def test_both_halves_of_a_fold_are_judged_by_the_other():
    rng = np.random.default_rng(0)
    y = np.full(40, 50.0)
    parts = pd.DataFrame({"zero": 0.0, "level": 50.0, "spread": 1.0, "mean": rng.random(40) * 20})
    folds = [(np.arange(0), np.arange(20)), (np.arange(0), np.arange(20, 40))]
    table, bounds = compare_intervals(y, parts, folds, coverage=0.8)
    assert table.loc["quantile", "coverage"] == 1
    assert table.loc["quantile", "mean width"] == pytest.approx(0, abs=1e-9)
    assert bounds.shape == (40, 2)
    lowest, highest = table.loc["constant", ["lowest fold", "highest fold"]]
    assert lowest <= table.loc["constant", "coverage"] <= highest
    assert table.loc["constant", "coverage"] == (lowest + highest) / 2


def test_correction_is_the_ranked_score():
    scores = np.arange(1.0, 20.0)  # 19 songs: the 18th of them for 90 %
    assert find_correction(scores, 0.9) == 18
    assert find_correction(scores[:9], 0.9) == 9


@pytest.mark.parametrize(("n", "coverage", "least"), [(5, 0.9, 9), (0, 0.9, 9), (18, 0.95, 19)])
def test_infinite_intervals_are_told_with_the_number_that_would_do(n, coverage, least):
    with pytest.warns(TooFewExamplesWarning, match=f"n = {n} .* at least {least} would do"):
        assert find_correction(np.zeros(n), coverage) == float("inf")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert find_correction(np.zeros(least), coverage) == 0


def test_scores_and_coverage_that_are_none_are_an_error():
    with pytest.raises(ValueError, match="NaN in row 1"):
        find_correction(np.array([0.0, np.nan]), 0.9)
    for coverage in (0, 1, np.nan):
        with pytest.raises(ValueError, match="share between 0 and 1"):
            find_correction(np.zeros(3), coverage)


@pytest.mark.parametrize("method", ["quantile", "constant"])
def test_intervals_hold_as_often_as_promised(method):
    """Whatever the model is worth: here its zeros and its spread are wrong."""
    rng = np.random.default_rng(7)
    hits = []
    for _ in range(200):
        n = 400
        zero, level = rng.random(n) * 0.5, rng.random(n) * 80
        y = np.where(rng.random(n) < zero**2, 0, rng.normal(level, 5 + level / 4)).clip(0, 100)
        parts = pd.DataFrame({"zero": zero, "level": level, "spread": 8.0})
        parts["mean"] = (1 - zero) * level
        table, bounds = compare_intervals(y, parts, [(np.arange(0), np.arange(n))])
        assert (bounds >= 0).all() and (bounds <= 100).all()
        hits.append(table.loc[method, "coverage"])
    # Clipping and ties at 0 can only add to the promised 90 %.
    assert 0.895 < np.mean(hits) < 0.925


def test_quantile_intervals_agree_with_mapie_where_nothing_is_zero():
    mapie = pytest.importorskip("mapie.regression")
    rng = np.random.default_rng(3)
    X = rng.random((600, 1))
    y = 50 + 10 * X[:, 0] + rng.normal(0, 2 + 4 * X[:, 0])

    class Line(RegressorMixin, BaseEstimator):
        def __init__(self, slope=0.0, start=0.0):
            self.slope, self.start = slope, start

        def fit(self, X, y=None):
            self.fitted_ = True
            return self

        def predict(self, X):
            return self.start + self.slope * X[:, 0]

    lines = [Line(8.0, 49.0).fit(X), Line(12.0, 51.0).fit(X), Line(10.0, 50.0).fit(X)]
    theirs = mapie.ConformalizedQuantileRegressor(lines, confidence_level=0.9, prefit=True)
    theirs.conformalize(X[:300], y[:300])
    expected = theirs.predict_interval(X[300:], symmetric_correction=True)[1][:, :, 0]
    bounds = np.column_stack([line.predict(X) for line in lines[:2]])
    correction = find_correction(score_bounds(y[:300], bounds[:300]), 0.9)
    assert move_bounds(bounds[300:], correction) == pytest.approx(expected, abs=1e-6)


def test_intervals_of_the_model(songs):
    X, y = songs.drop(columns="popularity"), songs["popularity"]
    intervals = PopularityIntervals(make_model(), coverage=0.8).fit(X, y)
    other = make_songs(200, seed=5)
    bounds = intervals.predict_interval(other.drop(columns="popularity"))
    assert bounds.shape == (200, 2) and (bounds[:, 0] <= bounds[:, 1]).all()
    assert 0.65 < measure_intervals(other["popularity"], bounds)["coverage"] <= 1
    with pytest.raises(ValueError, match="coverage"):
        PopularityIntervals(make_model(), coverage=90).fit(X, y)
    with pytest.raises(ValueError, match="method"):
        PopularityIntervals(make_model(), method="guess").fit(X, y)
