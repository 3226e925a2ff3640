"""Few songs, one genre, songs that are all alike: the right answer, or an error of the project's.

What a library says of such tables ("Check failed: (num_data) > (0)") helps nobody. A message counts
as the project's own if it says what was expected and what was found.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from test_estimators import CASES, SMALL, make_songs

from aares import conformal, genre
from aares.conformal import evaluate
from aares.data.schemas import AUDIO_FEATURES
from aares.errors import FEWEST_SONGS
from aares.genre import compare, explore
from aares.genre.candidates import CandidateModel
from aares.genre.guess import fit_boosting
from aares.genre.model import GenreClassifier
from aares.popularity import PopularityIntervals, PopularityRegressor, learn_reference, make_model
from aares.popularity.compare import summarise_residuals
from aares.popularity.hurdle import HurdleRegressor

SIZES = (0, 1, 2, 3, 5, 10)
SONGS, NEW = make_songs(40), make_songs(4, seed=9)


def make_alike(n: int) -> pd.DataFrame:
    """Songs that differ in their names only: one sound, no date, no genres, popularity 0."""
    songs = SONGS.iloc[:n].assign(**dict.fromkeys(AUDIO_FEATURES, 1), popularity=0, explicit=True)
    return songs.assign(
        release_date="", genre="jazz", genres=[()] * n, artists=[("A",)] * n, artist_name="A"
    )


TABLES = [
    pytest.param(make(n), id=f"{n} songs{suffix}")
    for make, suffix in ((SONGS.head, ""), (make_alike, " alike"))
    for n in SIZES
]


def ask(answer: Callable[[], Any]) -> Any:
    """Return an answer, or None if it is refused in the project's own words."""
    try:
        return answer()
    except ValueError as error:
        assert "expected" in str(error) and "found" in str(error), error
        return None


def learn_genres(labels: Any, songs: pd.DataFrame, **options: Any) -> np.ndarray:
    """Fit a small classifier; return its probabilities of new songs."""
    options = {**SMALL, "n_jobs": 1, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few trees some songs are in every bag
        model = GenreClassifier(**options).fit(songs, labels)
    chances = model.predict_proba(NEW)
    assert np.isfinite(chances).all() and chances.sum(axis=1) == pytest.approx(1)
    return chances


# --- exercise 1 ---------------------------------------------------------------------------


@pytest.mark.parametrize("n", range(1, FEWEST_SONGS))
def test_fewer_than_ten_songs_teach_no_genre(n):
    with pytest.raises(ValueError, match=rf"at least 10 songs to learn from, found {n}"):
        learn_genres(np.resize(["jazz", "punk"], n), SONGS[:n])


def test_ten_songs_teach_something():
    chances = learn_genres(SONGS["genre"][:10], SONGS[:10])
    assert chances.shape == (4, 2)
    assert chances[1, 0] - chances[0, 0] > 0.05  # jazz is where the rows have odd numbers


@pytest.mark.parametrize("votes", ["learned", "distance", None])
@pytest.mark.parametrize("n_folds", [2, 8])
def test_a_genre_of_one_song_is_learnt_with_the_others(votes, n_folds):
    labels = np.array(["jazz", "punk"] * 5 + ["ska"])
    chances = learn_genres(labels, SONGS[:11], votes=votes, n_folds=n_folds)
    assert chances.shape == (4, 3)
    assert (chances[:, 2] < 0.3).all()


@pytest.mark.parametrize("n", [10, 11, 14, 20, 30])
def test_each_song_may_be_the_only_one_of_its_genre(n):
    labels = [f"genre {i}" for i in range(n)]
    assert learn_genres(labels, make_songs(n, seed=n)).shape == (4, n)


@pytest.mark.parametrize("seed", range(8))
def test_genres_of_any_sizes_are_learnt(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(10, 36))
    n_genres = int(rng.integers(2, n + 1))
    codes = np.concatenate([np.arange(n_genres), rng.integers(n_genres, size=n - n_genres)])
    dates = rng.choice(["", "1999", "1999-05-01"], n)
    songs = make_songs(n, seed=seed).assign(release_date=dates)
    chances = learn_genres([f"genre {code}" for code in codes], songs, n_folds=2 + 6 * (seed % 2))
    assert chances.shape == (4, n_genres)


def test_songs_that_are_alike_have_the_shares_of_the_genres():
    chances = learn_genres(["jazz"] * 30 + ["punk"] * 10, make_alike(40), n_networks=0)
    assert (chances[:, 0] > 0.6).all()


def test_a_candidate_model_of_too_few_rows_holds_all_candidates_alike():
    guesses = np.array([[0.8, 0.2]] * 9)
    model = CandidateModel(rounds=5).fit(
        pd.DataFrame(index=range(9)), guesses, [], np.arange(9) % 2
    )
    assert model.model_ is None
    assert model.predict_proba(pd.DataFrame(index=range(9)), guesses, []) == pytest.approx(0.5)
    enough = np.array([[0.8, 0.2]] * 10)
    model.fit(pd.DataFrame(index=range(10)), enough, [], np.arange(10) % 2)
    assert model.model_ is not None


def test_two_songs_are_the_fewest_that_a_booster_takes():
    model = fit_boosting(
        np.ones((2, 1)), np.array([0, 1]), n_classes=2, rounds=2, columns=1.0, random_state=0
    )
    assert model.predict(np.ones((1, 1)), num_threads=1) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["jazz", "punk"] * 19, "expected 40 labels, found 38"),
        ([], "expected 40 labels, found 0"),
        (None, r"expected one label for each song, found shape \(\)"),
        ("jazz", r"expected one label for each song, found shape \(\)"),
        ([["jazz"]] * 40, r"expected one label for each song, found shape \(40, 1\)"),
        (["jazz"] * 40, r"expected two at least, found \['jazz'\]"),
        (["jazz", 1] * 20, "row 2: expected text as in all rows or in none, found 1"),
        (["jazz", None] * 20, "row 2: expected a genre"),
    ],
)
def test_labels_that_are_none_are_told(labels, words):
    with pytest.raises(ValueError, match=f"genres.*{words}"):
        learn_genres(labels, SONGS)


@pytest.mark.parametrize(
    "option", ["n_trees", "n_folds", "rounds", "candidate_rounds", "n_networks"]
)
def test_options_out_of_range_are_told(option):
    with pytest.raises(ValueError, match=f"{option}: expected at least [012], found -1"):
        learn_genres(SONGS["genre"], SONGS, **{option: -1})
    with pytest.raises(ValueError, match="n_folds: expected at least 2, found 1"):
        learn_genres(SONGS["genre"], SONGS, n_folds=1)


@pytest.mark.parametrize("songs", TABLES)
@pytest.mark.parametrize(
    "answer",
    [
        lambda songs: explore.pair_tables(songs, songs),
        explore.measure_album_effect,
        explore.measure_sound_effect,
        lambda songs: explore.count_neighbors(songs, songs),
        explore.profile_genres,
        explore.map_songs,
        lambda songs: explore.confuse_genres(songs["genre"], songs["genre"]),
        lambda songs: explore.order_lookalikes(
            explore.confuse_genres(songs["genre"], songs["genre"])
        ),
        lambda songs: explore.find_lookalikes(
            explore.confuse_genres(songs["genre"], songs["genre"])
        ),
        lambda songs: explore.score_genres(songs["genre"], songs["genre"]),
        genre.label_songs,
        lambda songs: genre.remove_songs(songs, songs),
        lambda songs: compare.make_folds(list(songs["genre"]), n_folds=2),
        lambda songs: compare.make_classifiers()["decision tree"].fit(songs, songs["genre"]),
        lambda songs: summarise_residuals([0] * len(songs), [0] * len(songs), songs["genre"]),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore")
def test_what_looks_at_songs_takes_few_or_says_how_many(songs, answer):
    found = ask(lambda: answer(songs))
    assert found is not None or len(songs) < 5 or set(songs["genre"]) == {"jazz"}


def test_songs_that_are_all_alike_have_no_map():
    with pytest.raises(ValueError, match="expected some that differ, found all alike"):
        explore.map_songs(make_alike(40))


def test_a_single_genre_needs_no_order():
    shares = pd.DataFrame([[1.0]], index=["jazz"], columns=["jazz"])
    assert explore.order_lookalikes(shares) is shares


# --- exercise 2 ---------------------------------------------------------------------------


def describe(songs: pd.DataFrame, y: Any, **options: Any) -> pd.DataFrame:
    told = make_model(**options).fit(songs, y).describe(SONGS.head(6))
    assert np.isfinite(told.to_numpy(float)).all()
    return told


@pytest.mark.parametrize(
    ("above", "level"), [({}, 0.0), ({3: 30.0}, 30.0), ({3: 30.0, 4: 20.0}, 25.0)]
)
def test_few_songs_above_zero_are_all_that_is_known_of_the_level(above, level):
    y = np.zeros(24)
    y[list(above)] = list(above.values())
    told = describe(SONGS[:24], y)
    assert told["level"].to_numpy() == pytest.approx(level, abs=2)
    assert (told["mean"] < 12).all()


def test_one_song_at_zero_is_learnt():
    told = describe(SONGS[:24], [0.0] + [30.0] * 23)
    assert told["level"].to_numpy() == pytest.approx(30)
    assert (told["zero"] < 0.3).all()


def test_a_hurdle_over_one_song_is_its_popularity():
    hurdle = HurdleRegressor(DummyRegressor(), None)  # the regressor is not asked
    hurdle.classifier = type("Never", (), {"fit": lambda self, X, y: 0.75})()
    assert (
        hurdle.fit(np.zeros((4, 1)), [0, 40, 0, 0]).predict(np.zeros((2, 1))).tolist() == [10] * 2
    )


def test_songs_that_are_alike_have_one_popularity():
    songs = make_alike(12).assign(popularity=[10, 50] * 6)
    told = make_model().fit(songs, songs["popularity"]).describe(songs)
    assert told["alone"].min() > 10 and told["alone"].max() < 50


@pytest.mark.parametrize(
    ("y", "words"),
    [
        ([30] * 39, r"expected 40 popularities, found shape \(39,\)"),
        (3, r"expected 40 popularities, found shape \(\)"),
        (None, r"expected 40 popularities, found shape \(\)"),
        (np.ones((40, 2)), r"expected 40 popularities, found shape \(40, 2\)"),
        ([5, "hit"] * 20, "row 2: expected a number, found 'hit'"),
        ([5, np.nan] * 20, "row 2: expected a number, found a missing value"),
        ([5, None] * 20, "row 2: expected a number, found a missing value"),
        ([5, -1] * 20, "row 2: expected a number from 0 to 100, found '-1'"),
        ([5, 101] * 20, "row 2: expected a number from 0 to 100, found '101'"),
        ([5, np.inf] * 20, "row 2: expected a number, found 'inf'"),
    ],
)
def test_popularities_that_are_none_are_told(y, words):
    model = PopularityRegressor()
    for estimator in (model, PopularityIntervals(model)):
        with pytest.raises(ValueError, match=f"^y[:,] ?{words}"):
            estimator.fit(SONGS, y)


@pytest.mark.parametrize("n", SIZES)
def test_a_reference_is_ten_songs_at_least(n):
    if n < FEWEST_SONGS:
        with pytest.raises(ValueError, match=f"at least 10 songs of the reference, found {n}"):
            learn_reference(SONGS[:n])
    else:
        assert np.isfinite(learn_reference(SONGS[:n]).transform(NEW)).all()
        assert learn_reference(make_alike(n)).transform(NEW).tolist() == [[0.0, 1.0]] * 4


@pytest.mark.parametrize("n", SIZES)
def test_intervals_say_how_many_songs_they_need(n):
    intervals = PopularityIntervals(DummyRegressor(), method="constant", coverage=0.5)
    if n < 2:
        with pytest.raises(ValueError, match="at least 1 songs to learn from, found 0"):
            intervals.fit(SONGS[:n], SONGS["popularity"][:n])
    else:
        bounds = intervals.fit(SONGS[:n], SONGS["popularity"][:n]).predict_interval(NEW)
        assert (bounds[:, 0] <= bounds[:, 1]).all() and not np.isnan(bounds).any()
    with pytest.raises(ValueError, match="at least 10 songs to learn from, found"):
        PopularityIntervals(PopularityRegressor()).fit(SONGS[:12], SONGS["popularity"][:12])


def test_intervals_that_are_corrected_by_nothing_say_so():
    intervals = PopularityIntervals(DummyRegressor(), method="constant")
    intervals.fit(SONGS, SONGS["popularity"])
    with pytest.raises(ValueError, match="at least 1 songs to correct the bounds, found 0"):
        intervals.calibrate(SONGS[:0], [])
    with pytest.raises(ValueError, match="expected 40 popularities"):
        intervals.calibrate(SONGS, [3])
    for share in (0, 1, -0.5, 2):
        with pytest.raises(ValueError, match="calibration_share: expected a share between 0 and 1"):
            PopularityIntervals(DummyRegressor(), calibration_share=share).fit(SONGS, [1] * 40)


# --- all estimators of tables -------------------------------------------------------------

ENCODERS = [case for case in CASES if hasattr(case.estimator, "transform")]


@pytest.mark.parametrize("songs", TABLES)
@pytest.mark.parametrize("case", ENCODERS, ids=lambda case: case.name)
def test_encoders_take_few_songs_or_say_how_many(case, songs):
    encoder = clone(case.estimator)
    if case.name == "ReferenceModel":
        encoder.set_params(reference=songs)
    target = songs["popularity"]
    if ask(lambda: encoder.fit(songs, target)) is None:
        assert len(songs) < FEWEST_SONGS
        return
    for asked in (NEW, NEW[:1], NEW[:0]):
        values = encoder.transform(asked)
        values = values.toarray() if hasattr(values, "toarray") else np.asarray(values)
        assert len(values) == len(asked)
        if values.dtype.kind == "f" and case.name != "RowFeatures":
            assert np.isfinite(values).all()
    assert encoder.transform(NEW[:0]).shape[1:] == encoder.transform(NEW).shape[1:]


# --- conformal prediction -----------------------------------------------------------------


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_p_values_of_few_songs_are_shares(n, spread):
    X, y = spread * np.arange(n)[:, None], np.resize(["jazz", "punk"], n)
    for compute in (
        conformal.p_values,
        conformal.compute_mondrian,
        conformal.compute_shortcut,
        lambda *data: conformal.compute_smoothed(*data, rng=np.random.default_rng(0)),
    ):
        if n == 0:
            with pytest.raises(ValueError, match="at least 1 songs to learn from, found 0"):
                compute(X, y, [[0.5]])
        elif n == 1 and compute is not conformal.compute_shortcut:
            with pytest.raises(ValueError, match="at least two labels, found"):
                compute(X, y, [[0.5]])
        else:
            p = compute(X, y, [[0.5]])
            assert p.shape == (1, len(set(y)))
            assert ((p >= 0) & (p <= 1)).all()


@pytest.mark.parametrize("n", SIZES)
def test_sets_of_no_songs_are_not_judged(n):
    p, codes, labels = np.full((n, 2), 0.5), np.zeros(n, int), ["jazz", "punk"]
    for judge in (
        lambda: evaluate.measure_sets(p, codes, [0.1]),
        lambda: evaluate.cover_by_label(p, codes, labels, 0.1),
        lambda: evaluate.measure_lift(p > 0.1, labels),
    ):
        if n:
            judge()
        else:
            with pytest.raises(ValueError, match="at least 1 songs to judge, found 0"):
                judge()


def test_calibration_by_no_song_is_told():
    scores = conformal.score_labels(np.array([[0.7, 0.3]]))
    with pytest.raises(ValueError, match="calibration: expected at least one song, found none"):
        conformal.split_p_values(np.empty((0, 2)), np.empty(0, int), scores)
