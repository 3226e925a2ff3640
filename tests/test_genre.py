"""Exercise 1: the labelling rule, the neighbours, the classifier, and what must not leak."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aares import config
from aares.genre import (
    KEYWORDS,
    GenreClassifier,
    label_from_genres,
    label_songs,
    make_model,
    remove_songs,
)
from aares.genre.candidates import REST, CandidateModel
from aares.genre.compare import (
    compare_classifiers,
    estimate_interval,
    make_classifiers,
    make_folds,
    measure_learning,
    predict_folds,
    score_folds,
    summarize_scores,
)
from aares.genre.decision import Decision
from aares.genre.explore import (
    confuse_genres,
    count_hits,
    count_neighbors,
    find_lookalikes,
    measure_album_effect,
    measure_reliability,
    measure_sound_effect,
    order_lookalikes,
    pair_tables,
    score_genres,
)
from aares.genre.guess import FirstGuess
from aares.genre.neighbors import NeighborVotes, Songs, find_neighbors, find_similar
from aares.genre.songs import (
    COLUMNS,
    SOUND,
    SoundSpace,
    check_table,
    describe_dates,
    describe_songs,
    name_albums,
)

LABELS = ("blues", "jazz", "metal")


def make_songs(*, n_albums=60, n_songs=6, noise=0.25, seed=0):
    """Invent albums: one date and one genre each; the sound tells the genre only vaguely."""
    rng = np.random.default_rng(seed)
    album = np.repeat(np.arange(n_albums), n_songs)
    n = len(album)
    genre = rng.integers(len(LABELS), size=n_albums)[album]
    days = pd.Timestamp("1990-01-02") + pd.to_timedelta(np.arange(n_albums) * 11, unit="D")
    unit = {
        name: np.clip(rng.normal(0.3 + 0.15 * genre, noise), 0, 1)
        for name in SOUND[:8]
        if name != "loudness"
    }
    table = pd.DataFrame(
        {
            "release_date": days.strftime("%Y-%m-%d").to_numpy()[album],
            "explicit": rng.random(n) < 0.2,
            "popularity": rng.integers(0, 100, n),
            "key": rng.integers(0, 12, n),
            "mode": rng.integers(0, 2, n),
            "loudness": rng.normal(-8, 3, n),
            "tempo": rng.normal(120, 20, n),
            "duration_ms": rng.integers(120_000, 300_000, n),
            "time_signature": 4,
            **unit,
        }
    )[list(COLUMNS)]
    return table, np.array(LABELS, dtype=object)[genre]


def make_small(**options):
    return GenreClassifier(n_trees=40, rounds=15, candidate_rounds=30, n_networks=1, **options)


@pytest.fixture(scope="module")
def split():
    X, y = make_songs()
    rows = np.random.default_rng(1).permutation(len(X))
    fitted_on, scored = np.sort(rows[:260]), np.sort(rows[260:])
    return X.iloc[fitted_on], y[fitted_on], X.iloc[scored], y[scored]


@pytest.fixture(scope="module")
def model(split):
    return make_small().fit(split[0], split[1])


# --- the rule -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("genres", "label"),
    [
        ([], None),
        (["schlager", "discofox"], "disco"),
        (["europop", "swedish pop"], "pop"),
        (["cello", "deep house"], None),
        (["atl hip hop", "pop rap"], "hip hop"),
        (["trap latino"], "rap"),
        (["dance pop"], "pop"),
        (["pop dance", "rock"], "pop"),
        (["dance rock"], "rock"),
        (("bebop", "jazz"), "jazz"),
        (["alternative r&b", "pop"], "r&b"),
    ],
)
def test_rule_takes_first_micro_genre_with_a_keyword(genres, label):
    assert label_from_genres(genres) == label


@pytest.mark.parametrize("wrong", ["pop", [3], [None]])
def test_rule_refuses_what_is_no_list_of_texts(wrong):
    with pytest.raises(TypeError, match="genres: expected"):
        label_from_genres(wrong)


@given(st.lists(st.text("aceoprkt &", max_size=12) | st.sampled_from(KEYWORDS), max_size=6))
def test_rule_gives_a_keyword_of_the_first_match(genres):
    label = label_from_genres(genres)
    matches = [name for name in genres if any(word in name for word in KEYWORDS)]
    assert (label is None) == (not matches)
    if label is not None:
        assert label in matches[0]
        assert label != "trap"


def test_keywords_are_the_assignments_genres():
    assert sorted(KEYWORDS) == sorted(config.GENRES)


def test_label_songs_keeps_what_the_rule_labels():
    subset = pd.DataFrame({"genres": [("pop",), (), ("cool jazz",)], "id": ["a", "b", "c"]})
    assert label_songs(subset)[["id", "genre"]].to_numpy().tolist() == [["a", "pop"], ["c", "jazz"]]


def test_remove_songs_drops_recordings_that_stand_elsewhere():
    X, _ = make_songs(n_albums=4)
    assert len(remove_songs(X, X.iloc[:5], X.iloc[10:12])) == len(X) - 7
    assert len(remove_songs(X)) == len(X)


# --- songs as numbers ---------------------------------------------------------------------


def test_dates_of_each_precision():
    parts = describe_dates(pd.Series(["2021-01-01", "1979", "2008-05", "", "soon", "2021-02-30"]))
    assert parts["precision"].tolist() == [3, 1, 2, 0, 0, 3]
    assert parts["new_year"].tolist() == [1, 0, 0, 0, 0, 0]
    assert parts["weekday"].iloc[0] == 4
    assert parts["weekday"].iloc[1:].isna().all()
    assert parts.loc[3, ["year", "time"]].isna().all()
    assert parts["time"].iloc[1] == pytest.approx(1979.5, abs=0.1)


def test_check_table_orders_columns_and_keeps_gaps():
    X, _ = make_songs(n_albums=2)
    mixed = X[list(COLUMNS)[::-1]].assign(title="x", index=3)
    mixed.loc[mixed.index[1], "tempo"] = np.nan
    mixed.loc[mixed.index[2], "release_date"] = None
    table = check_table(mixed)
    assert list(table.columns) == list(COLUMNS)
    assert np.isnan(table["tempo"].iloc[1])
    assert table["release_date"].iloc[2] == ""
    assert table["explicit"].dtype == float


def test_check_table_names_what_is_wrong():
    X, _ = make_songs(n_albums=2)
    with pytest.raises(TypeError, match="expected a DataFrame, found ndarray"):
        check_table(X.to_numpy())
    with pytest.raises(ValueError, match="missing column 'tempo'"):
        check_table(X.drop(columns="tempo"))
    with pytest.raises(ValueError, match=r"'energy', row 3: expected a number, found 'loud'"):
        check_table(X.astype({"energy": object}).assign(energy=[0.1, 0.2, "loud", *[0.5] * 9]))


def test_sound_space_counts_by_rank():
    X, _ = make_songs()
    table = check_table(X)
    space = SoundSpace().fit(table)
    stretched = table.assign(duration_ms=table["duration_ms"] ** 2)
    assert np.allclose(space.transform(table), SoundSpace().fit_transform(stretched), atol=0.01)
    gaps = space.transform(table.assign(tempo=np.nan))
    assert (gaps[:, SOUND.index("tempo")] == 0.5).all()


# --- neighbours ---------------------------------------------------------------------------


def make_view(X, *, n_classes=3):
    table = check_table(X)
    space = SoundSpace().fit_transform(table)
    guesses = np.full((len(X), n_classes), 1 / n_classes)
    return Songs(describe_songs(table), space, name_albums(table), guesses)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["2001", "2002-03-04", ""]), min_size=1, max_size=12))
def test_neighbors_are_the_closest_other_songs_of_the_date(dates):
    X = make_songs(n_albums=3)[0].iloc[: len(dates)].assign(release_date=dates)
    songs = make_view(X)
    pairs = find_neighbors(songs, limit=3)
    for i, date in enumerate(dates):
        others = [j for j, other in enumerate(dates) if other == date and j != i and date]
        apart = np.linalg.norm(songs.space[others] - songs.space[i], axis=1)
        mine = pairs.left == i
        assert mine.sum() == min(3, len(others))
        assert set(pairs.right[mine]) <= set(others)
        assert np.allclose(pairs.distance[mine], np.sort(apart)[:3])
        assert pairs.rank[mine].tolist() == list(range(mine.sum()))
        assert (pairs.count[mine] == len(others)).all()


def test_neighbors_of_new_songs_are_known_songs():
    X, _ = make_songs(n_albums=5)
    known, new = make_view(X.iloc[::2]), make_view(X.iloc[1::2])
    pairs = find_neighbors(new, known)
    assert (new.albums[pairs.left] == known.albums[pairs.right]).all()
    assert (np.bincount(pairs.left) == 3).all()


def test_similar_songs_are_of_other_dates():
    X, _ = make_songs(n_albums=20)
    songs = make_view(X)
    pairs = find_similar(songs, limit=5)
    assert (pairs.left != pairs.right).all()
    assert (songs.albums[pairs.left] != songs.albums[pairs.right]).all()
    apart = np.linalg.norm(songs.space[pairs.left] - songs.space[pairs.right], axis=1)
    assert np.allclose(apart, pairs.distance)
    assert len(find_similar(songs, limit=0).left) == 0


def test_a_copy_under_another_date_is_found():
    X, _ = make_songs(n_albums=20)
    copy = X.iloc[[7]].assign(release_date="2020-02-02")
    pairs = find_similar(make_view(copy), make_view(X), limit=1)
    assert pairs.left.tolist() == [0]
    assert find_similar(make_view(pd.concat([X, copy])), limit=1).right[-1] == 7


@pytest.mark.parametrize("learned", [True, False])
def test_a_song_does_not_vote_for_itself(learned):
    X, y = make_songs(n_albums=40)
    codes = np.searchsorted(LABELS, y.astype(str))
    votes = NeighborVotes(learned=learned, rounds=5).fit_transform(make_view(X), codes)
    alone = X.assign(release_date=[f"{1000 + i}-03-04" for i in range(len(X))])
    silent = NeighborVotes(learned=learned, rounds=5).fit_transform(make_view(alone), codes)
    assert (votes[:, :3].argmax(axis=1) == codes).all()
    assert (votes[:, -1] == 5).all()
    assert (silent == 0).all()


# --- the first guess ----------------------------------------------------------------------


def make_noise(n=120, *, seed=0):
    """Numbers that tell nothing about the labels: whoever guesses well has seen the answer."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 6)), rng.permutation(np.arange(n) % 3)


def make_guess():
    return FirstGuess(n_trees=60, rounds=10, n_folds=4, n_jobs=1)


@pytest.mark.parametrize("part", ["fit_transform", "_fit_trees", "_fit_boosting"])
def test_a_guess_does_not_depend_on_the_songs_own_label(part):
    inputs, codes = make_noise()
    guess = make_guess()
    guess.fit_transform(inputs, codes)
    before = getattr(guess, part)(inputs, codes)
    for song in (0, 50, 119):
        other = codes.copy()
        other[song] = (codes[song] + 1) % 3
        after = getattr(guess, part)(inputs, other)
        assert (after[song] == before[song]).all()
        assert (after != before).any()


def test_guesses_from_noise_are_no_better_than_chance():
    inputs, codes = make_noise(300)
    guesses = make_guess().fit_transform(inputs, codes)
    assert np.mean(guesses.argmax(axis=1) == codes) < 0.45
    assert np.allclose(guesses.sum(axis=1), 1)


# --- the decision -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def evidence():
    """Guesses whose largest probability tells the label, and nothing else."""
    guesses = np.random.default_rng(0).dirichlet(np.ones(6), 900)
    numbers = pd.DataFrame({"year": np.full(900, 1999.0), "day": np.nan})
    votes = [np.zeros((900, 13))]
    return numbers, guesses, votes, guesses.argmax(axis=1)


def test_candidates_are_the_likeliest_labels(evidence):
    *known, codes = evidence
    proba = CandidateModel(n_candidates=3, rounds=30).fit(*known, codes).predict_proba(*known)
    assert np.allclose(proba.sum(axis=1), 1)
    assert (np.isclose(proba, REST / 6).sum(axis=1) == 3).all()
    assert np.mean(proba.argmax(axis=1) == codes) > 0.95


def test_songs_whose_label_is_no_candidate_are_left_out(evidence):
    numbers, guesses, votes, codes = evidence
    unlikely = np.where(np.arange(900) < 100, guesses.argmin(axis=1), codes)
    model = CandidateModel(n_candidates=3, rounds=30).fit(numbers, guesses, votes, unlikely)
    assert np.mean(model.predict_proba(numbers, guesses, votes).argmax(axis=1) == codes) > 0.9


@pytest.mark.parametrize("options", [{"n_networks": 0}, {"rounds": 0}, {"rounds": 20}])
def test_decision_is_a_mean_of_what_is_asked_for(evidence, options):
    *known, codes = evidence
    decision = Decision(candidate_rounds=20, n_jobs=1, **{"rounds": 20, **options})
    proba = decision.fit(*known, codes).predict_proba(*known)
    assert np.allclose(proba.sum(axis=1), 1)
    assert np.mean(proba.argmax(axis=1) == codes) > 0.9


# --- the classifier -----------------------------------------------------------------------


def test_classifier_uses_albums(split, model):
    X, y, new, truth = split
    without = make_small(votes=None).fit(X, y)
    score, plain = (np.mean(m.predict(new) == truth) for m in (model, without))
    assert score > 0.8
    assert score > plain + 0.05


def test_probabilities_are_probabilities(split, model):
    proba = model.predict_proba(split[2])
    assert proba.shape == (len(split[2]), 3)
    assert np.allclose(proba.sum(axis=1), 1)
    assert (model.predict(split[2]) == model.classes_[proba.argmax(axis=1)]).all()
    assert list(model.classes_) == sorted(set(split[1]))


def test_fit_is_deterministic(split, model):
    again = make_small().fit(split[0], split[1])
    assert (again.predict_proba(split[2]) == model.predict_proba(split[2])).all()


def test_a_fitted_classifier_can_be_kept(split, model):
    again = pickle.loads(pickle.dumps(model))
    assert (again.predict_proba(split[2]) == model.predict_proba(split[2])).all()


def test_order_and_company_of_the_predicted_songs_do_not_matter(split, model):
    new = split[2]
    whole = model.predict_proba(new)
    assert np.allclose(model.predict_proba(new.iloc[::-1])[::-1], whole)
    alone = np.concatenate([model.predict_proba(new.iloc[[i]]) for i in range(5)])
    assert np.allclose(alone, whole[:5])


def test_shuffled_labels_score_like_chance(split):
    X, y, new, truth = split
    shuffled = np.random.default_rng(0).permutation(y)
    score = np.mean(make_small().fit(X, shuffled).predict(new) == truth)
    assert score < 0.5


def test_robust_to_odd_rows(split, model):
    new = split[2].reset_index(drop=True).iloc[:6].astype({"release_date": object})
    odd = new.copy()
    odd.loc[0, "time_signature"] = 7
    odd.loc[1, "release_date"] = None
    odd.loc[2, "release_date"] = "1900"
    odd = odd.astype({name: object for name in COLUMNS})
    odd.loc[3] = np.nan
    labels = model.predict(odd)
    assert len(labels) == 6
    assert set(labels) <= set(LABELS)
    assert (labels[4:] == model.predict(new)[4:]).all()


def test_columns_may_be_shuffled_and_more(split, model):
    new = split[2]
    mixed = new[list(COLUMNS)[::-1]].assign(genre="pop", note=1)
    assert (model.predict(mixed) == model.predict(new)).all()


def test_empty_table_gives_no_labels(split, model):
    empty = split[2].iloc[:0]
    assert model.predict(empty).shape == (0,)
    assert model.predict_proba(empty).shape == (0, 3)


def test_fit_accepts_gaps_and_lone_songs(split):
    X, y = split[0].reset_index(drop=True), split[1]
    gaps = X.astype({"release_date": object, "tempo": float})
    gaps.loc[::7, "tempo"] = np.nan
    gaps.loc[::5, "release_date"] = None
    assert np.mean(make_small().fit(gaps, y).predict(split[2]) == split[3]) > 0.7
    lone = X.assign(release_date=[f"{1000 + i}" for i in range(len(X))])
    assert len(make_small().fit(lone, y).predict(split[2])) == len(split[2])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["jazz"] * 260, "expected two at least"),
        (["jazz", "pop"], "expected 260 labels, found 2"),
        ([None] + ["jazz"] * 259, "no label in row 1"),
    ],
)
def test_fit_refuses_wrong_labels(split, y, message):
    with pytest.raises(ValueError, match=message):
        make_small().fit(split[0], y)


def test_unknown_option_is_refused(split):
    with pytest.raises(ValueError, match="votes: expected"):
        make_small(votes="loud").fit(split[0], split[1])


def test_extra_songs_are_labelled_and_never_repeated(split):
    X, y = split[0], split[1]
    genres = [(label,) for label in split[3]]
    extra = split[2].assign(genres=genres)
    repeated = X.iloc[:20].assign(genres=[("pop",)] * 20)
    unknown = split[2].iloc[:3].assign(genres=[("polka",)] * 3, tempo=1.0)
    fitted = make_small(extra=pd.concat([extra, repeated, unknown])).fit(X, y)
    assert fitted.n_extra_ == len(extra)
    assert make_model(extra).get_params()["random_state"] == 0


# --- comparison and exploration -----------------------------------------------------------


def test_every_compared_classifier_beats_the_most_frequent_genre():
    X, y = make_songs(n_albums=200, noise=0.2)
    folds = make_folds(y, n_folds=2)
    models = make_classifiers()
    scores = compare_classifiers(models, X, pd.Series(y), folds, n_jobs=1)
    table = summarize_scores(scores)
    assert list(scores.columns) == list(models)
    assert table.index[0] == "most frequent genre"
    assert (table["micro-F1"].iloc[1:] > table["micro-F1"].iloc[0] + 0.1).all()


def test_folds_predict_each_song_once():
    X, y = make_songs(n_albums=12)
    y = pd.Series(y)
    folds = make_folds(y)
    predicted = predict_folds(make_classifiers()["most frequent genre"], X, y, folds)
    assert predicted.shape == y.shape
    assert (score_folds(y.to_numpy(), y, folds) == 1).all()
    assert sorted(np.concatenate([rows for _, rows in folds])) == list(range(len(y)))


def test_learning_curve_rises(split):
    X, y, new, truth = split
    curve = measure_learning(
        make_small(votes=None), X, pd.Series(y), (new, pd.Series(truth)), parts=(0.1, 1.0)
    )
    assert curve.index.tolist() == [26, 260]
    assert curve.iloc[0] < curve.iloc[1]


@settings(deadline=None)
@given(st.floats(0.01, 0.99), st.integers(10, 10**6), st.integers(10, 10**6))
def test_interval_is_wider_than_the_draw_alone(score, n_scored, n_new):
    low, high = estimate_interval(score, n_scored, n_new)
    assert low < score < high
    assert high - low > 2 * 1.96 * np.sqrt(score * (1 - score) / n_new)


def test_interval_covers_at_its_rate():
    rng = np.random.default_rng(0)
    first, second = rng.binomial(2000, 0.57, 4000) / 2000, rng.binomial(800, 0.57, 4000) / 800
    bounds = [estimate_interval(p, 2000, 800) for p in first]
    inside = [low <= p <= high for (low, high), p in zip(bounds, second, strict=True)]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.02)


def test_album_effect_is_measured():
    X, y = make_songs()
    effect = measure_album_effect(X.assign(genre=y), limit=3)
    assert effect["same_genre"].tolist() == [1, 1, 1]
    assert effect["pairs"].tolist() == [len(X)] * 3
    assert 1 / 3 < measure_sound_effect(X.assign(genre=y)) < 0.9
    years = X.assign(genre=y, release_date="1999")
    assert measure_album_effect(years).empty


def test_neighbors_are_counted():
    X, _ = make_songs(n_albums=3)
    assert count_neighbors(X.iloc[:7], X).tolist() == [6] * 7
    assert count_neighbors(X.assign(release_date=""), X).sum() == 0


def test_songs_of_both_tables_are_paired():
    X, y = make_songs(n_albums=3)
    genres = [("indie", f"cool {label}") for label in y]
    subset = X.assign(genres=genres, artist_name="A").iloc[:9]
    both = pair_tables(X.assign(genre=y), subset)
    assert len(both) == 9
    assert both["agree"].all()


def test_confusions_and_genre_scores_are_counted():
    truth = pd.Series(["pop"] * 4 + ["rap"] * 2)
    predicted = np.array(["pop", "pop", "pop", "rap", "rap", "pop"])
    confusion = confuse_genres(truth, predicted)
    assert confusion.loc["pop"].tolist() == [0.75, 0.25]
    worst = find_lookalikes(confusion).iloc[0]
    assert worst.tolist() == ["rap", "pop", 0.5, 0.25]
    scores = score_genres(truth, predicted)
    assert scores.loc["pop", ["precision", "recall", "songs"]].tolist() == [0.75, 0.75, 4]


def test_lookalikes_stand_side_by_side():
    names = ["a", "b", "c", "d"]
    shares = [[0.6, 0, 0.4, 0], [0, 0.5, 0, 0.5], [0.5, 0, 0.5, 0], [0, 0.4, 0, 0.6]]
    ordered = order_lookalikes(pd.DataFrame(shares, index=names, columns=names))
    assert {frozenset(ordered.index[:2]), frozenset(ordered.index[2:])} == {
        frozenset("ac"),
        frozenset("bd"),
    }
    assert ordered.loc["a", "c"] == 0.4


def test_reliability_of_an_honest_forecaster():
    rng = np.random.default_rng(0)
    claimed = rng.random(20_000)
    bins = measure_reliability(claimed, rng.random(20_000) < claimed)
    assert len(bins) == 10
    assert np.abs(bins["claimed"] - bins["right"]).max() < 0.04
    assert (bins["low"] < bins["claimed"]).mean() >= 0.8


def test_hits_grow_with_depth():
    proba = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    codes = np.array([1, 2])
    assert count_hits(proba, codes, depth=1).tolist() == [False, True]
    assert count_hits(proba, codes, depth=2).tolist() == [True, True]
