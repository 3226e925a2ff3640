"""Exercise 1: the labelling rule, the neighbours, the classifier, and what must not leak."""

import pickle
from dataclasses import replace

import lightgbm
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import train_test_split

from aares import data
from aares.genre import (
    KEYWORDS,
    GenreClassifier,
    label_from_genres,
    label_songs,
    make_model,
    remove_songs,
)
from aares.genre.candidates import REST, CandidateModel, _make_objective
from aares.genre.compare import (
    compare_classifiers,
    estimate_interval,
    make_classifiers,
    make_folds,
    measure_learning,
    predict_folds,
    score_folds,
    score_splits,
    summarise_scores,
)
from aares.genre.decision import Decision, Networks
from aares.genre.explore import (
    confuse_genres,
    count_hits,
    count_neighbors,
    find_lookalikes,
    map_songs,
    measure_album_effect,
    measure_reliability,
    measure_sound_effect,
    order_lookalikes,
    pair_tables,
    profile_genres,
    score_genres,
)
from aares.genre.guess import FirstGuess, fit_boosting
from aares.genre.neighbors import (
    EQUAL,
    GAPS,
    LEVELS,
    NeighborVotes,
    Songs,
    describe_pairs,
    find_neighbors,
    find_similar,
)
from aares.genre.songs import (
    COLUMNS,
    SOUND,
    RankSpace,
    SongNumbers,
    check_table,
    compute_numbers,
    describe_dates,
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
    assert sorted(KEYWORDS) == sorted(data.GENRES)


def test_label_songs_keeps_what_the_rule_labels():
    subset = pd.DataFrame({"genres": [("pop",), (), ("cool jazz",)], "id": ["a", "b", "c"]})
    assert label_songs(subset)[["id", "genre"]].to_numpy().tolist() == [["a", "pop"], ["c", "jazz"]]


def test_remove_songs_drops_recordings_that_stand_elsewhere():
    X, _ = make_songs(n_albums=4)
    assert len(remove_songs(X, X.iloc[:5], X.iloc[10:12])) == len(X) - 7
    assert len(remove_songs(X)) == len(X)
    kept = remove_songs(X, X.iloc[:5])
    assert list(kept.columns) == list(X.columns)
    assert kept.index.tolist() == list(range(len(X) - 5))


# --- songs as numbers ---------------------------------------------------------------------


def test_dates_of_each_precision():
    parts = describe_dates(pd.Series(["2021-01-01", "1979", "2008-05", ""]))
    assert parts["precision"].tolist() == [3, 1, 2, 0]
    assert parts["new_year"].tolist() == [1, 0, 0, 0]
    assert parts["weekday"].iloc[0] == 4
    assert parts["weekday"].iloc[1:].isna().all()
    assert parts.loc[3, ["year", "time"]].isna().all()
    assert parts["time"].iloc[:3].tolist() == pytest.approx(
        [2021 + 1 / 365, 1979 + 5.5 / 12 + 15 / 365, 2008 + 4 / 12 + 15 / 365]
    )


def test_songs_are_described_with_or_without_the_parts_of_their_date():
    table = check_table(make_songs(n_albums=2)[0].assign(release_date="2008-05"))
    whole, year = compute_numbers(table), compute_numbers(table, dates=False)
    assert list(whole.columns[:7]) == "year month day weekday precision new_year time".split()
    assert list(whole.columns[7:]) == list(year.columns[1:])
    assert year.shape == (12, 16) and (year["year"] == 2008).all()


def test_what_a_date_does_not_say_is_filled_with_what_was_learnt():
    X, _ = make_songs(n_albums=4)
    numbers = SongNumbers().fit(X)
    row = numbers.transform(X.iloc[:1].assign(release_date=""))[0]
    names = list(compute_numbers(X).columns)
    assert row[names.index("month")] == pd.to_datetime(X["release_date"]).dt.month.median()


def test_check_table_orders_columns_and_reads_an_unknown_date_as_empty():
    X, _ = make_songs(n_albums=2)
    mixed = X[list(COLUMNS)[::-1]].assign(title="x", index=3)
    mixed.loc[mixed.index[2], "release_date"] = None
    table = check_table(mixed)
    assert list(table.columns) == list(COLUMNS)
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
    space = RankSpace().fit(table)
    stretched = table.assign(duration_ms=(table["duration_ms"] / 100).round() ** 2)
    assert np.allclose(space.transform(table), RankSpace().fit_transform(stretched), atol=0.01)
    far = space.transform(table.assign(tempo=300))
    assert (far[:, SOUND.index("tempo")] == 1).all()


# --- neighbours ---------------------------------------------------------------------------


def make_view(X, *, n_classes=3):
    table = check_table(X)
    space = RankSpace().fit_transform(table)
    guesses = np.full((len(X), n_classes), 1 / n_classes)
    return Songs(compute_numbers(table), space, name_albums(table), guesses)


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
    days = pd.date_range("1990-01-02", periods=len(X))
    alone = X.assign(release_date=days.strftime("%Y-%m-%d"))
    silent = NeighborVotes(learned=learned, rounds=5).fit_transform(make_view(alone), codes)
    assert (votes[:, :3].argmax(axis=1) == codes).all()
    assert (votes[:, -1] == 5).all()
    assert (silent == 0).all()


def make_pairs(*, limit=4):
    """Invent pairs of songs of three dates, with guesses that differ from song to song."""
    X, _ = make_songs(n_albums=3)
    view = make_view(X)
    rng = np.random.default_rng(0)
    view = replace(view, guesses=rng.dirichlet(np.ones(3), len(X)))
    labels = rng.integers(3, size=len(X))
    return view, find_neighbors(view, limit=limit), labels


def test_pairs_are_described_as_the_definition_says():
    songs, pairs, labels = make_pairs()
    found = describe_pairs(pairs, songs, songs, labels)
    number = songs.numbers.astype(np.float32)
    for row, (i, j) in enumerate(zip(pairs.left, pairs.right, strict=True)):
        mine = [k for k in range(len(pairs.left)) if pairs.left[k] == i]
        same = [pairs.distance[k] for k in mine if labels[pairs.right[k]] == labels[j]]
        first = min(pairs.distance[k] for k in mine)
        one, two, a, b = songs.guesses[i], songs.guesses[j], number.iloc[i], number.iloc[j]
        popular = sorted([a["popularity"], b["popularity"]])
        expected = [pairs.distance[row], pairs.rank[row], pairs.count[row], labels[j]]
        expected += [one[labels[j]], two[labels[j]], one @ two, np.sqrt(one) @ np.sqrt(two)]
        expected += [max(one * two), max(one), *popular, *(a[name] + b[name] for name in LEVELS)]
        expected += [float(a[name] == b[name]) for name in EQUAL]
        expected += [abs(a[name] - b[name]) for name in GAPS]
        expected += [a["year"], a["precision"], a["month"], a["day"], a["weekday"], b["precision"]]
        expected += [len(same), min(same), np.mean(same), pairs.distance[row] - first]
        expected += np.abs(songs.space[i] - songs.space[j]).tolist()
        assert found[row].tolist() == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_songs_of_another_date_are_counted_and_ranked():
    """Five songs on a line; the two at 0.0 and 0.1 are of one date, one has none."""
    songs = make_view(make_songs(n_albums=1)[0].iloc[:5])
    line = np.array([[0.0], [0.1], [0.3], [0.7], [1.2]])
    songs = replace(songs, space=line, albums=np.array(["a", "a", "b", "c", ""]))
    pairs = find_similar(songs, limit=2)
    assert pairs.left.tolist() == [0, 1, 2, 2, 3, 3, 4, 4]
    assert pairs.right.tolist() == [2, 2, 1, 0, 2, 4, 3, 2]
    assert pairs.rank.tolist() == [2, 2, 1, 2, 1, 2, 1, 2]
    assert pairs.count.tolist() == [1, 1, 2, 2, 2, 2, 2, 2]
    assert pairs.distance.tolist() == pytest.approx([0.3, 0.2, 0.2, 0.3, 0.4, 0.5, 0.5, 0.9])
    new = replace(songs, space=line + 0.01)
    assert find_similar(new, songs, limit=1).left.tolist() == [4]
    assert len(find_similar(songs, limit=9).left) == 18


def test_votes_by_distance_are_sums_and_maxima():
    songs, _, labels = make_pairs()
    votes = NeighborVotes(learned=False, limit=4).fit_transform(songs, labels)
    pairs = find_neighbors(songs, limit=4)
    for i in range(len(labels)):
        mine = pairs.left == i
        trust = np.exp(-pairs.distance[mine] / 0.15)
        voted = [trust[labels[pairs.right[mine]] == k] for k in range(3)]
        expected = [*(v.sum() for v in voted), *(v.max(initial=0) for v in voted), 5]
        assert votes[i].tolist() == pytest.approx(expected, abs=1e-5)


def test_trust_within_a_date_is_learnt_on_other_dates():
    X, _ = make_songs(n_albums=60)
    songs, codes = make_view(X), np.random.default_rng(0).integers(3, size=len(X))
    votes = NeighborVotes(rounds=3)
    votes.fit_transform(songs, codes)
    before = [model.model_to_string() for model in votes.models_]
    held_out = np.array([votes.folds_[album] == 0 for album in songs.albums])
    votes.fit_transform(songs, np.where(held_out, (codes + 1) % 3 // 2, codes))
    assert 0.2 < held_out.mean() < 0.8
    assert votes.models_[0].model_to_string() == before[0]
    assert votes.models_[1].model_to_string() != before[1]


def test_without_contrast_trust_is_the_share():
    """Where all pairs of the other folds agree there is nothing to learn."""
    X, _ = make_songs(n_albums=4)
    songs = make_view(X)
    votes = NeighborVotes(rounds=3).fit_transform(songs, np.zeros(len(X), dtype=int))
    assert votes[:, 3].tolist() == [1.0] * len(X)
    assert votes[:, 0].tolist() == [5.0] * len(X)


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


def test_gaps_count_as_the_median_of_what_is_known():
    inputs, codes = make_noise()
    inputs[::3, 1], inputs[:, 4] = np.nan, np.nan
    guess = make_guess()
    assert np.isfinite(guess.fit_transform(inputs, codes)).all()
    medians = np.nanmedian(inputs[:, [0, 1, 2, 3, 5]], axis=0)
    assert guess.fill_.tolist() == [*medians[:4], 0, medians[4]]


def test_new_songs_are_guessed_by_the_mean_of_both_kinds_of_trees():
    inputs, codes = make_noise()
    guess = make_guess()
    guess.fit_transform(inputs, codes)
    boosted = np.mean([model.predict(inputs, num_threads=1) for model in guess.models_], axis=0)
    expected = (guess.trees_.predict_proba(inputs) + boosted) / 2
    assert np.allclose(guess.transform(inputs), expected)
    gaps = np.where(np.arange(6) == 2, np.nan, inputs)
    filled = np.where(np.arange(6) == 2, np.median(inputs[:, 2]), inputs)
    boosted = np.mean([model.predict(gaps, num_threads=1) for model in guess.models_], axis=0)
    assert np.allclose(guess.transform(gaps), (guess.trees_.predict_proba(filled) + boosted) / 2)


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


def make_evidence(*, n=6, seed=1):
    """Invent guesses and two kinds of votes for four labels."""
    rng = np.random.default_rng(seed)
    names = ["year", "popularity", "energy"]
    numbers = pd.DataFrame(rng.random((n, 3)), columns=names).assign(note=1.0)
    votes = [rng.random((n, 9)), np.zeros((n, 9))]
    return numbers, rng.dirichlet(np.ones(4), n), votes, np.arange(n) % 4


def test_candidates_are_described_as_the_definition_says():
    numbers, guesses, votes, codes = make_evidence()
    model = CandidateModel(n_candidates=3, rounds=1).fit(numbers, guesses, votes, codes)
    rows, candidates = model._describe(numbers, guesses, votes)
    frequency = np.log(np.bincount(codes) / len(codes))
    for i, guess in enumerate(guesses):
        belief = guess + sum(v[i, :4] / (v[i, :4].sum() + 0.5) for v in votes)
        order = np.argsort(-belief)[:3]
        assert candidates[i].tolist() == order.tolist()
        context = [max(guess), -sum(p * np.log(p + 1e-9) for p in guess)]
        context += [x for v in votes for x in (v[i, :4].sum(), v[i, 4:8].max(), v[i, 8])]
        context += numbers.loc[i, ["year", "popularity", "energy"]].tolist()
        for place, c in enumerate(order):
            expected = [np.log(guess[c] + 0.01), guess[c] / max(guess)]
            for total, best in ((v[i, :4], v[i, 4:8]) for v in votes):
                share = total[c] / total.sum() if total.any() else 0
                expected += [total[c], best[c], share, best[c] - sorted(best)[-2]]
                expected += [np.log(guess[c] + 0.01) + np.log(total[c] + 0.1)]
            expected += [belief[c] / belief.sum(), frequency[c], c, place, *context]
            assert rows[i, place].tolist() == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_candidate_scores_follow_the_slope_of_their_cross_entropy():
    rng = np.random.default_rng(0)
    scores, chosen = rng.normal(size=(5, 3)), np.eye(3)[[0, 2, 1, 1, 0]]

    def measure_loss(values):
        return -np.log(softmax(values.reshape(5, 3), axis=1)[chosen == 1]).sum()

    gradient, curvature = _make_objective(chosen)(scores.ravel(), None)
    for k, step in enumerate(1e-4 * np.eye(15)):
        above, at, below = (measure_loss(scores.ravel() + s) for s in (step, 0 * step, -step))
        assert gradient[k] == pytest.approx((above - below) / 2e-4, abs=1e-6)
        assert curvature[k] == pytest.approx((above - 2 * at + below) / 1e-8, abs=1e-4)


def test_a_prediction_that_leaves_its_threads_open_is_refused():
    """The claim of all tests, see ``tests/conftest.py``: no call raises LightGBM's own number."""
    inputs, codes = np.arange(60.0)[:, None], np.repeat([0, 1], 30)
    model = fit_boosting(inputs, codes, n_classes=2, rounds=2, columns=1.0, random_state=0)
    for options in ({}, {"num_threads": 2}):
        with pytest.raises(AssertionError, match="num_threads=1"):
            model.predict(inputs, **options)
        with pytest.raises(AssertionError, match="num_threads=1"):
            lightgbm.train({"verbose": -1, **options}, lightgbm.Dataset(inputs, codes))


def test_other_labels_share_what_is_left(evidence):
    *known, codes = evidence
    model = CandidateModel(n_candidates=3, rounds=5).fit(*known, codes)
    proba = model.predict_proba(*known)
    rows, candidates = model._describe(*known)
    scores = model.model_.predict(rows.reshape(-1, rows.shape[-1]), num_threads=1)
    expected = 0.002 / 6 + 0.998 * softmax(scores.reshape(candidates.shape), axis=1)
    assert np.allclose(np.take_along_axis(proba, candidates, axis=1), expected)


def test_the_decision_is_the_weighted_mean_of_its_models():
    numbers, guesses, votes, codes = make_evidence(n=60)
    known = (numbers, guesses, votes)
    decision = Decision(rounds=3, candidate_rounds=3, n_networks=1, n_jobs=1).fit(*known, codes)
    parts = {name: model.predict_proba(*known) for name, model in decision.models_.items()}
    expected = 0.4 * parts["candidates"] + 0.3 * parts["networks"] + 0.3 * parts["boosting"]
    assert np.allclose(decision.predict_proba(*known), expected)


def test_networks_see_ranks_and_logarithms_within_bounds():
    numbers, guesses, votes, codes = make_evidence(n=40)
    networks = Networks(n_networks=2, passes=1).fit(numbers, guesses, votes, codes)
    assert networks.medians_["year"] == numbers["year"].median()
    far = numbers.assign(year=[1e9, -1e9, np.nan, *numbers["year"][3:]])
    inputs = networks._describe(far, guesses, votes)
    assert inputs[:2, 0].tolist() == [3, -3]
    assert inputs[2, 0] == pytest.approx(0, abs=0.1)
    assert np.allclose(inputs[:, 4:8], np.log(guesses + 0.01), atol=1e-6)
    assert np.allclose(inputs[:, 8:17], np.log1p(4 * votes[0]), atol=1e-6)
    scaled = np.clip((inputs - networks.centre_) / networks.spread_, -6, 6)
    expected = np.mean([model.predict_proba(scaled) for model in networks.models_], axis=0)
    assert np.allclose(networks.predict_proba(far, guesses, votes), expected, atol=1e-5)
    assert not np.allclose(*(model.predict_proba(scaled) for model in networks.models_))


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
    odd.loc[3] = odd.loc[3].astype(str)
    labels = model.predict(odd)
    assert len(labels) == 6
    assert set(labels) <= set(LABELS)
    assert (labels[3:] == model.predict(new)[3:]).all()


def test_columns_may_be_shuffled_and_more(split, model):
    new = split[2]
    mixed = new[list(COLUMNS)[::-1]].assign(genre="pop", note=1)
    assert (model.predict(mixed) == model.predict(new)).all()


def test_empty_table_gives_no_labels(split, model):
    empty = split[2].iloc[:0]
    assert model.predict(empty).shape == (0,)
    assert model.predict_proba(empty).shape == (0, 3)


def test_fit_accepts_unknown_dates_and_lone_songs(split):
    X, y = split[0].reset_index(drop=True), split[1]
    gaps = X.astype({"release_date": object})
    gaps.loc[::5, "release_date"] = None
    assert np.mean(make_small().fit(gaps, y).predict(split[2]) == split[3]) > 0.7
    days = pd.date_range("1990-01-02", periods=len(X))
    lone = X.assign(release_date=days.strftime("%Y-%m-%d"))
    assert len(make_small().fit(lone, y).predict(split[2])) == len(split[2])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["jazz"] * 260, "expected two at least"),
        (["jazz", "pop"], "expected 260 labels, found 2"),
        ([None] + ["jazz"] * 259, "genres, row 1: expected a genre"),
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


def test_every_compared_classifier_beats_the_most_frequent_genre(capfd):
    X, y = make_songs(n_albums=200, noise=0.2)
    folds = make_folds(y, n_folds=2)
    models = make_classifiers()
    scores = compare_classifiers(models, X, pd.Series(y), folds, n_jobs=1)
    assert capfd.readouterr().out == ""
    table = summarise_scores(scores)
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


def test_scores_are_those_of_each_fold():
    truth = pd.Series(["pop", "rap", "pop", "rap"])
    folds = [(np.array([2, 3]), np.array([0, 1])), (np.array([0, 1]), np.array([2, 3]))]
    predicted = np.array(["pop", "rap", "pop", "pop"])
    assert score_folds(predicted, truth, folds).tolist() == [1.0, 0.5]
    table = summarise_scores(pd.DataFrame({"a": [0.5, 0.6, 0.7], "b": [0.1, 0.1, 0.1]}))
    assert table.index.tolist() == ["b", "a"]
    assert table.to_numpy() == pytest.approx(np.array([[0.1, 0.0], [0.6, 0.1]]))
    fine = summarise_scores(pd.DataFrame({"a": [1 / 3, 1 / 3]}))
    assert fine.loc["a", "micro-F1"] == 1 / 3  # whoever shows it rounds it, once


def test_folds_give_probabilities_in_the_order_of_the_songs():
    X, y = make_songs(n_albums=20)
    y = pd.Series(y)
    folds = make_folds(y, n_folds=2)
    model = make_classifiers()["decision tree"]
    proba = predict_folds(model, X, y, folds, method="predict_proba")
    fitted_on, scored = folds[1]
    alone = clone(model).fit(X.iloc[fitted_on], y.iloc[fitted_on].to_numpy())
    assert (proba[scored] == alone.predict_proba(X.iloc[scored])).all()


def test_interval_of_known_numbers():
    assert estimate_interval(0.5, 10_000, 2_500) == pytest.approx((0.478087, 0.521913), abs=1e-6)


def test_learning_curve_rises(split):
    X, y, new, truth = split
    curve = measure_learning(
        make_small(votes=None), X, pd.Series(y), (new, pd.Series(truth)), parts=(0.1, 1.0)
    )
    assert curve.index.tolist() == [26, 260]
    assert curve.iloc[0] < curve.iloc[1]


def test_splits_have_songs_and_models_of_their_own(split):
    X, y = split[0], pd.Series(split[1])
    models = {"all": make_small(votes=None), "year": make_small(votes=None, dates=False)}
    table = score_splits(models, X, y, seeds=[3, 5], size=100, parts=(0.5, 1.0), n_jobs=1)
    assert table.index.tolist() == [(3, 50), (3, 100), (5, 50), (5, 100)]
    a, b, ya, yb = train_test_split(X, y, train_size=100, test_size=0.2, random_state=5)
    order = np.random.default_rng(5).permutation(100)
    alone = make_small(votes=None, random_state=5).fit(a.iloc[order], ya.iloc[order])
    assert table.loc[(5, 100), "all"] == np.mean(alone.predict(b) == yb)
    coin = DummyClassifier(strategy="uniform", random_state=0)
    tossed = score_splits({"coin": coin}, X, y, seeds=[5], size=100, n_jobs=1).iloc[0, 0]
    again = DummyClassifier(strategy="uniform", random_state=5).fit(a, ya).predict(b)
    assert tossed == np.mean(again == yb)  # and not as seed 0 tosses
    assert tossed != np.mean(coin.fit(a, ya).predict(b) == yb)


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


def test_genres_are_profiled_by_standard_deviations():
    X, _ = make_songs(n_albums=4)
    X = X.assign(genre=["rap"] * 6 + ["pop"] * 18, mode=1)
    profile = profile_genres(X)
    assert profile.index.tolist() == ["pop", "rap"]
    energy = (X["energy"] - X["energy"].mean()) / X["energy"].std()
    assert profile.loc["rap", "energy"] == pytest.approx(energy[:6].mean())
    assert profile["mode"].tolist() == [0, 0]


def test_songs_of_one_sound_are_close_on_the_map():
    X, y = make_songs(n_albums=40, noise=0.02)
    table = map_songs(X.assign(genre=y), n_songs=90)
    assert len(table) == 90
    centres = table.groupby("genre")[["x", "y"]].transform("mean").to_numpy()
    inside = np.linalg.norm(table[["x", "y"]] - centres, axis=1).mean()
    assert inside < np.linalg.norm(table[["x", "y"]], axis=1).mean() / 1.5
    assert len(map_songs(X.assign(genre=y).iloc[:20])) == 20


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
    scores = score_genres(pd.Series(list("aabb")), np.array(list("cabb")))
    assert scores["f1"].tolist() == [1, pytest.approx(2 / 3)]
    assert scores.index.tolist() == ["b", "a"]  # the best first


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


def test_reliability_of_known_answers():
    claimed = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9])
    bins = measure_reliability(claimed, np.array([0, 1, 0, 1, 1, 1, 1, 0]), n_bins=2)
    assert bins["claimed"].tolist() == pytest.approx([0.25, 0.75])
    assert bins["right"].tolist() == [0.5, 0.75] and bins["songs"].tolist() == [4, 4]
    spread = [1.96 * np.sqrt(0.25 / 4), 1.96 * np.sqrt(0.1875 / 4)]
    assert (bins["right"] - bins["low"]).tolist() == pytest.approx(spread)
    assert (bins["high"] - bins["right"]).tolist() == pytest.approx(spread)


def test_hits_grow_with_depth():
    proba = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    codes = np.array([1, 2])
    assert count_hits(proba, codes, depth=1).tolist() == [False, True]
    assert count_hits(proba, codes, depth=2).tolist() == [True, True]
