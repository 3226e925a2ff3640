"""What students have in their hands, given to every public function of the course's two files."""

from __future__ import annotations

import copy
import math
import pickle
import warnings
from fractions import Fraction

import joblib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

from fingerprint import (
    check_signal,
    compute_spectrogram,
    get_hashes,
    get_maxima_in_tz,
    process_signal,
)
from utils_projet import (
    ConformalPrediction,
    TooFewExamplesWarning,
    check_eps,
    get_maxima,
    search_song,
)

# --- search_song --------------------------------------------------------------------------

NAMES = ["La Mer", "Habanera", "Prelude", "Menuet"]
DATASET = [{7: 0, 8: 3}, {7: 40, 8: 41, 9: 44}, {1: 5}, {9: 9}]
EXCERPT = {7: 10, 8: 11, 9: 14}


def test_what_is_done_with_the_answer_of_a_search():
    r = search_song(DATASET, EXCERPT)
    assert isinstance(r, np.ndarray)
    assert (r.shape, r.dtype) == ((3,), np.int64)
    assert r.tolist() == [1, 0, 3]
    assert (r == 0).tolist() == [False, True, False]
    assert (np.array(r) == r).all()
    assert NAMES[r[0]] == "Habanera"
    assert [NAMES[i] for i in r] == ["Habanera", "La Mer", "Menuet"]
    assert np.array(NAMES)[r][0] == "Habanera"
    assert int(r[0]) == 1
    assert 1 in r
    assert sorted(r) == [0, 1, 3]
    assert len(r[:1]) == 1
    assert f"{r}" == "[1 0 3]"
    assert np.where(r == 0)[0][0] == 1


@pytest.mark.parametrize(
    "make",
    [
        list,
        tuple,
        iter,
        np.array,
        pd.Series,
        lambda songs: pd.Series(songs, index=NAMES),
        lambda songs: dict(zip(NAMES, songs, strict=True)).values(),
        lambda songs: (song for song in songs),
        lambda songs: pd.DataFrame({"hashes": songs})["hashes"].values,
        lambda songs: map(pd.Series, songs),
        lambda songs: pickle.loads(pickle.dumps(songs)),
        lambda songs: [{np.int64(h): np.int32(t) for h, t in song.items()} for song in songs],
    ],
)
def test_a_database_may_be_any_iterable_of_dictionaries(make):
    assert search_song(make(DATASET), EXCERPT).tolist() == [1, 0, 3]
    assert search_song(make(DATASET), pd.Series(EXCERPT)).tolist() == [1, 0, 3]


# --- get_maxima ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "convert",
    [
        np.asarray,
        np.asfortranarray,
        np.float32,
        np.ndarray.tolist,
        pd.DataFrame,
        lambda S: np.round(S * 1e6).astype(int),
        lambda S: 10 * np.log10(S),
        lambda S: S[None][0],
    ],
)
def test_a_spectrogram_may_be_any_table_of_numbers(convert):
    S = np.random.default_rng(0).random((40, 60))
    maxima = get_maxima(convert(S))
    assert maxima.tolist() == get_maxima(S).tolist()
    assert maxima.dtype == np.int64
    assert S[maxima[:, 0], maxima[:, 1]].min() > np.quantile(S, 0.9)


def test_maxima_are_drawn_over_the_spectrogram():
    S = np.random.default_rng(0).random((40, 60))
    maxima = get_maxima(S)
    ax = Figure().add_subplot()
    ax.imshow(10 * np.log10(S), origin="lower")
    ax.plot(maxima[:, 1], maxima[:, 0], "rx")
    ax.scatter(*zip(*get_maxima_in_tz(S, maxima, maxima[0]), strict=True))
    assert len(ax.lines[0].get_xdata()) == len(maxima)


# --- fingerprint --------------------------------------------------------------------------

RATE_HZ = 3000


def make_song(dtype=np.float32):
    y = np.random.default_rng(1).uniform(-0.9, 0.9, 8 * RATE_HZ)
    scale = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    return (y * scale).astype(dtype)


@pytest.mark.parametrize(
    "convert",
    [
        np.ndarray.tolist,
        pd.Series,
        np.int32,
        np.int64,
        np.float32,
        np.float64,
        lambda y: y[:, None],
        lambda y: np.stack([y, y]),
    ],
)
def test_a_song_may_be_any_sequence_of_samples(convert):
    y = make_song(np.int16)
    expected = process_signal(y)
    assert len(expected) > 100
    assert process_signal(convert(y)) == expected
    assert compute_spectrogram(convert(y)).shape == (1025, 1 + len(y) // 512)


@pytest.mark.parametrize("call", [process_signal, compute_spectrogram, check_signal])
@pytest.mark.parametrize(
    ("x", "message"),
    [
        ((make_song(), RATE_HZ), "librosa.load returns the samples and their rate"),
        ("songs/Habanera.mp3", r"found 'songs/Habanera.mp3': song, fs = librosa.load"),
        (None, "x must be samples, found None"),
    ],
)
def test_what_is_no_song_is_told_with_the_remedy(call, x, message):
    with pytest.raises(ValueError, match=message):
        call(x)


@pytest.mark.parametrize(
    "convert",
    [
        np.ndarray.tolist,
        lambda maxima: list(map(tuple, maxima)),
        lambda maxima: zip(maxima[:, 0], maxima[:, 1], strict=True),
        lambda maxima: (point for point in maxima),
        np.float64,
        np.int32,
        pd.DataFrame,
    ],
)
def test_maxima_may_be_any_iterable_of_pairs(convert):
    S = compute_spectrogram(make_song())
    maxima = get_maxima(S)
    for anchor in (maxima[3], tuple(maxima[3]), maxima[3].astype(float), pd.Series(maxima[3])):
        zone = get_maxima_in_tz(S, convert(maxima), anchor)
        assert zone == get_maxima_in_tz(S, maxima, maxima[3])
        assert get_hashes(anchor, convert(np.array(zone))) == get_hashes(maxima[3], zone)
    assert len(zone) > 1
    assert get_maxima_in_tz(S.tolist(), maxima, anchor) == zone


def test_the_zone_of_complex_numbers_ranks_by_their_modulus():
    S = np.array([[0, 5j, -3, 4 + 4j, 1]])
    maxima = [(0, 1), (0, 2), (0, 3), (0, 4)]
    assert get_maxima_in_tz(S, maxima, (0, 0)) == [(0, 3), (0, 1), (0, 2), (0, 4)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((9, 9)), np.where(np.eye(9)), (0, 0)), "np.argwhere gives pairs"),
        ((np.ones((9, 9)), [(1.5, 2)], (0, 0)), r"maxima must be whole numbers, found \[1.5"),
        ((np.ones((9, 9)), [("1", "2")], (0, 0)), "maxima must be whole numbers"),
        ((np.ones((9, 9)), [(1, 2)], 0), "anchor must be a pair"),
        ((np.ones((9, 9)), [(1, 2)], (0, 0.5)), "anchor must be whole numbers"),
        ((np.ones(9), [(1, 2)], (0, 0)), "S must have the shape"),
    ],
)
def test_what_is_no_pair_is_told(arguments, message):
    with pytest.raises(ValueError, match=message):
        get_maxima_in_tz(*arguments)


def test_one_point_is_no_list_of_points():
    with pytest.raises(ValueError, match=r"each of maxima_in_tz must be a pair .*, found 195"):
        get_hashes((200, 7), (195, 10))
    assert get_hashes((200, 7), [(195, 10)]) == [(200_195_003, 7)]


# --- ConformalPrediction ------------------------------------------------------------------

RNG = np.random.default_rng(2)
GENRE = np.repeat(["jazz", "punk", "rap"], 20)
TABLE = pd.DataFrame(
    RNG.normal(size=(60, 3)) * [1, 5, 20] + np.repeat([0, 2, 4], 20)[:, None] * [1, 5, 20],
    columns=["energy", "tempo", "duration"],
)
SONG = TABLE.iloc[25] + 0.1
SHUFFLED = ["tempo", "duration", "energy"]


def fit_predictor(X=TABLE, y=GENRE, *, steps=(), known=None):
    model = make_pipeline(*steps, KNeighborsClassifier(5)).fit(X if known is None else known, y)
    return ConformalPrediction(model if steps else model[-1], X, y)


def test_the_predictor_keeps_what_it_was_given():
    model = KNeighborsClassifier(5).fit(TABLE, GENRE)
    predictor = ConformalPrediction(KNNmodel=model, X=TABLE, y=GENRE)
    assert predictor.model is model
    assert predictor.X is TABLE
    assert predictor.y is GENRE
    assert predictor.pz is None
    answer = predictor.predict(SONG)
    assert predictor.pz == list(answer.values())
    assert dict(zip(np.unique(predictor.y), predictor.pz, strict=True)) == answer


@pytest.mark.parametrize(
    "convert",
    [
        np.ndarray.tolist,
        pd.Series,
        pd.Categorical,
        lambda y: y.astype(object),
        lambda y: y[:, None],
        lambda y: pd.DataFrame({"genre": y}),
        lambda y: pd.Series(y, index=np.arange(60)[::-1]),
    ],
)
def test_labels_may_be_any_list(convert):
    expected = fit_predictor().predict(SONG)
    model = KNeighborsClassifier(5).fit(TABLE, GENRE)
    assert ConformalPrediction(model, TABLE, convert(GENRE)).predict(SONG) == expected


def test_codes_of_an_encoder_index_its_classes():
    encoder = LabelEncoder()
    predictor = fit_predictor(y=encoder.fit_transform(GENRE))
    predictor.predict(SONG)
    interval = predictor.compute_interval(0.3)
    expected = fit_predictor()
    expected.predict(SONG)
    assert [encoder.classes_[i] for i in interval] == expected.compute_interval(0.3)
    assert encoder.inverse_transform(interval).tolist() == expected.compute_interval(0.3)
    assert len(interval) >= 1


@pytest.mark.parametrize("steps", [(), (StandardScaler(),)])
@pytest.mark.parametrize(
    "convert",
    [
        lambda song: song,
        lambda song: song[SHUFFLED],
        lambda song: song.astype(object)[SHUFFLED],
        lambda song: song.to_dict(),
        lambda song: song[SHUFFLED].to_dict(),
        lambda song: pd.concat([pd.Series({"id": "x"}), song[SHUFFLED]]),
        lambda song: song.to_frame().T,
        lambda song: song.to_frame().T[SHUFFLED],
        lambda song: pd.DataFrame([song[SHUFFLED]]).assign(id="x"),
        lambda song: song.to_frame().T.to_numpy(),
        lambda song: song.to_numpy(),
        lambda song: song.tolist(),
        lambda song: next(song[SHUFFLED].to_frame().T.itertuples()),
        lambda song: next(song[SHUFFLED].to_frame().T.itertuples(index=False)),
        lambda song: song.set_axis(range(3)),
        lambda song: np.float32(song.to_numpy()) * np.ones(3, np.float32),
    ],
)
def test_a_song_is_read_by_the_names_of_its_columns(steps, convert):
    predictor = fit_predictor(steps=steps)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        expected = predictor.predict(SONG.to_numpy())
        assert predictor.predict(convert(SONG)) == expected
    assert expected["punk"] > 0.2 > expected["jazz"]


@pytest.mark.parametrize("steps", [(), (StandardScaler(),)])
def test_tables_are_read_by_the_names_of_their_columns(steps):
    expected = fit_predictor(steps=steps).predict_many(TABLE)
    shuffled = fit_predictor(TABLE[SHUFFLED], steps=steps, known=TABLE)
    assert shuffled.predict_many(TABLE).tolist() == expected.tolist()
    assert fit_predictor(steps=steps).predict_many(TABLE[SHUFFLED]).tolist() == expected.tolist()
    plain = KNeighborsClassifier(5).fit(TABLE.to_numpy(), GENRE)
    named = ConformalPrediction(plain, TABLE, GENRE)  # the names are those of X
    assert named.predict(SONG[SHUFFLED]) == fit_predictor().predict(SONG)


@pytest.mark.parametrize("steps", [(), (StandardScaler(),)])
@pytest.mark.parametrize(
    "song",
    [
        SONG.rename({"tempo": "bpm"}),
        SONG.drop("tempo"),
        {"energy": 1.0, "duration": 2.0},
        SONG.rename({"tempo": "bpm"}).to_frame().T,
    ],
)
def test_names_that_do_not_match_are_told(steps, song):
    with pytest.raises(ValueError, match="tempo"):
        fit_predictor(steps=steps).predict(song)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, None, "loud"])
def test_a_song_with_a_hole_is_an_error(wrong):
    for song in (SONG.astype(object), SONG.to_dict(), SONG.to_list()):
        song[1 if isinstance(song, list) else "tempo"] = wrong
        with pytest.raises((ValueError, TypeError)):
            fit_predictor().predict(song)


@pytest.mark.parametrize("convert", [pickle.dumps, copy.deepcopy, joblib.dump])
def test_a_predictor_can_be_kept(convert, tmp_path):
    predictor = fit_predictor(steps=(StandardScaler(),))
    answer = predictor.predict(SONG)
    if convert is joblib.dump:
        joblib.dump(predictor, tmp_path / "predictor.joblib")
        kept = joblib.load(tmp_path / "predictor.joblib")
    else:
        kept = convert(predictor)
        kept = pickle.loads(kept) if isinstance(kept, bytes) else kept
    assert kept.pz == predictor.pz
    assert kept.predict(SONG) == answer


def test_models_of_other_forms_are_opened():
    expected = fit_predictor().predict(SONG)
    again = clone(KNeighborsClassifier(5)).fit(TABLE, GENRE)
    assert ConformalPrediction(again, TABLE, GENRE).predict(SONG) == expected
    grid = {"n_neighbors": [3, 5]}
    search = GridSearchCV(KNeighborsClassifier(), grid, cv=2).fit(TABLE, GENRE)
    assert ConformalPrediction(search, TABLE, GENRE).predict(SONG) == expected
    scaled = GridSearchCV(
        make_pipeline(StandardScaler(), KNeighborsClassifier()),
        {"kneighborsclassifier__n_neighbors": [3]},
        cv=2,
    ).fit(TABLE, GENRE)
    found = ConformalPrediction(scaled, TABLE, GENRE).predict(SONG[SHUFFLED])
    assert found == fit_predictor(steps=(StandardScaler(),)).predict(SONG)


def test_encoded_columns_may_be_sparse():
    table = TABLE.assign(key=["C", "G", "A"] * 20)
    encoder = OneHotEncoder(sparse_output=True)
    steps = make_column_transformer(
        (encoder, ["key"]), remainder="passthrough", sparse_threshold=1.0
    )
    assert sparse.issparse(steps.fit_transform(table))
    predictor = fit_predictor(table, steps=(steps,))
    dense = pd.get_dummies(table["key"], dtype=float).join(TABLE).to_numpy()
    expected = fit_predictor(dense).predict_many(dense)
    assert predictor.predict_many(table[table.columns[::-1]]).tolist() == expected.tolist()


def test_a_model_that_is_not_fitted_is_told():
    with pytest.raises(NotFittedError, match="call its fit"):
        ConformalPrediction(KNeighborsClassifier(), TABLE, GENRE)


# --- eps ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("eps", "value"),
    [
        (0, 0.0),
        (1, 1.0),
        (1.0000000000000002, 1.0),
        (-1e-17, 0.0),
        (sum([0.1] * 3) + 0.7, 1.0),
        (sum([0.1] * 10), 1.0),
        (1 - sum([0.1] * 10), 0.0),
        (np.float32(0.25), 0.25),
        (np.array(0.25), 0.25),
        (Fraction(1, 4), 0.25),
        (np.linspace(0, 1, 11)[-1], 1.0),
    ],
)
def test_eps_may_be_any_number_up_to_rounding(eps, value):
    assert check_eps(eps) == value
    predictor = fit_predictor()
    predictor.predict(SONG)
    assert predictor.compute_interval(eps) == predictor.compute_interval(value)


@pytest.mark.parametrize(
    "eps", ["0.05", None, math.nan, math.inf, -0.01, 1.01, [0.05], np.array([0.1, 0.2]), 5, 1j]
)
def test_eps_that_is_no_rate_is_told(eps):
    predictor = fit_predictor()
    predictor.predict(SONG)
    for call in (check_eps, predictor.compute_interval):
        with pytest.raises(ValueError, match=r"eps must lie in \[0, 1\], found"):
            call(eps)


@pytest.mark.parametrize(
    ("n", "eps", "least"),
    [(10, 0.05, 19), (18, 0.05, 19), (98, 0.01, 99), (8, 0.1, 9), (2, 0.3, 3), (0, 0.5, 1)],
)
def test_too_few_examples_are_told_with_the_number_that_would_do(n, eps, least):
    with pytest.warns(TooFewExamplesWarning) as told:
        check_eps(eps, n)
    (text,) = [str(warning.message) for warning in told]
    assert f"eps = {eps:g}" in text
    assert f"n = {n} " in text
    assert f"at least {least} examples" in text
    assert 1 / (least + 1) <= eps < 1 / least  # what is said is the least
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_eps(eps, least)
        check_eps(0, n)  # at 0 every set must hold every label


def test_a_set_is_told_to_be_empty_of_meaning_once_for_each_call():
    X, y = np.arange(18.0)[:, None], ["jazz"] * 9 + ["punk"] * 9
    predictor = fit_predictor(X, y)
    predictor.predict([1e6])
    with pytest.warns(TooFewExamplesWarning, match="n = 18 .* at least 19 examples") as told:
        assert set(predictor.compute_interval()) == {"jazz", "punk"}
    assert [warning.filename for warning in told] == [__file__]
    bigger = fit_predictor(np.arange(19.0)[:, None], ["jazz"] * 9 + ["punk"] * 10)
    bigger.predict([-1e6])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert bigger.compute_interval() != ["jazz", "punk"]


def test_labels_of_two_kinds_are_told():
    X, y = [[0.0], [1.0]], np.array([1, "jazz"], dtype=object)
    model = KNeighborsClassifier(1).fit(X, [0, 1])
    with pytest.raises(ValueError, match="y must hold labels of one kind, found int and str"):
        ConformalPrediction(model, X, y)
