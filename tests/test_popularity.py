"""Exercise 2: encoders that do not leak, a model for any row, patterns with known answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import KFold

from aares.config import AUDIO_FEATURES
from aares.popularity import (
    compare_models,
    make_genre_models,
    make_model,
    measure_importance,
    predict_folds,
    score,
    summarise_residuals,
)
from aares.popularity.encoders import (
    GenreSVD,
    TokenCounter,
    TokenTargetEncoder,
)
from aares.popularity.model import HurdleRegressor
from aares.popularity.patterns import (
    compute_ppmi,
    count_weekdays,
    find_same_recordings,
    map_genres,
    measure_explained,
    measure_pair_correlation,
    summarise_genres,
    summarise_keys,
    summarise_months,
    summarise_years,
    wilson,
)
from aares.popularity.rows import describe_date, describe_title

GENRES = ("polka", "tango", "fado", "samba")


def make_songs(n: int = 240, *, seed: int = 0) -> pd.DataFrame:
    """Songs whose popularity is 20 points a genre and 1 a year after 2000, zero every fourth."""
    rng = np.random.default_rng(seed)
    genre = rng.integers(0, len(GENRES), n)
    year = rng.integers(2000, 2020, n)
    songs = pd.DataFrame({name: rng.random(n) for name in AUDIO_FEATURES})
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


def test_title_marks():
    titles = ["Hello (Live)", "Hello - Remastered 2009", "Alive", None]
    marks = describe_title(pd.DataFrame({"track_name": titles, "artist_name": "x"}))
    assert marks["title_live"].tolist() == [1, 0, 0, 0]
    assert marks["title_remaster"].tolist() == [0, 1, 0, 0]
    assert marks["title_length"].iloc[3] == 0


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
    assert "reference__reference_level" in fitted.encoders_.get_feature_names_out()


def test_model_names_the_missing_column(songs):
    with pytest.raises(ValueError, match="genres"):
        make_model().fit(songs.drop(columns="genres"), songs["popularity"])
    with pytest.raises(ValueError, match="DataFrame"):
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


# --- comparisons --------------------------------------------------------------------------


def test_ways_to_handle_genres_beat_none_where_genre_is_all(songs):
    models = make_genre_models(lambda genres: genres[0] if genres else None)
    above = songs[songs["popularity"] > 0]
    X, y = above.drop(columns="popularity"), above["popularity"]
    table = compare_models(models, X, y, KFold(3, shuffle=True, random_state=0).split(X))
    assert table.index[:2].tolist() == ["mean popularity", "none"]
    assert (table["RMSE"].iloc[2:] < 0.8 * table.loc["none", "RMSE"]).all()
    assert table.loc["mean popularity", "R2"] < 0.01


def test_importance_finds_the_genre(songs, model):
    other = make_songs(150, seed=9)
    table = measure_importance(model, other.drop(columns="popularity"), other["popularity"])
    assert table.index[0] == "genres"
    assert table.loc["key, mode", "mean"] < 0.2 * table.loc["genres", "mean"]


# --- patterns -----------------------------------------------------------------------------


def test_years_have_every_song_once(songs):
    table = summarise_years(songs, ["energy", "explicit"], min_songs=30)
    per_column = table.groupby("column")["songs"].sum()
    assert per_column.tolist() == [len(songs)] * 2
    assert table["songs"].min() >= 30
    assert ((table["low"] <= table["mid"]) & (table["mid"] <= table["high"])).all()


def test_copies_of_a_recording_are_found_within_and_across_tables():
    songs = make_songs(6)
    copy = songs.iloc[[0]].assign(popularity=99, track_name="Song 0 - Remastered")
    close = songs.iloc[[1]].assign(tempo=songs["tempo"][1] + 0.001)
    pairs = find_same_recordings(songs, pd.concat([copy, close]))
    assert pairs.to_numpy().tolist() == [[songs["popularity"][0], 99]]


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


@given(st.integers(1, 200), st.data())
def test_wilson_interval_holds_the_share(n, data):
    k = data.draw(st.integers(0, n))
    low, high = wilson(k, n)
    assert 0 <= low <= k / n <= high <= 1


def test_residuals_of_a_biased_group():
    y, predicted = np.r_[np.zeros(40), np.full(40, 5.0)], np.zeros(80)
    groups = pd.Series(["fair"] * 40 + ["under"] * 39 + [None])
    table = summarise_residuals(y, predicted, groups)
    assert table["mean"].to_dict() == {"fair": 0.0, "under": 5.0}
    assert table["songs"].to_dict() == {"fair": 40, "under": 39}
