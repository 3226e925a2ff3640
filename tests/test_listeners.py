"""Listeners who give a method nothing to go by, songs with equal scores, and several draws."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from test_recommend import make_listeners

from aares.recommend.listeners.evaluate import (
    Task,
    choose_weights,
    compare_pair,
    find_hidden,
    judge,
    judge_methods,
    make_tasks,
    share_found,
    summarise,
)
from aares.recommend.listeners.profiles import NoHistoryWarning, read_profiles
from aares.recommend.listeners.ranking import (
    expect_found,
    expect_hit,
    expect_places,
    group_songs,
    rank_songs,
)
from aares.recommend.listeners.users import (
    ArtistScorer,
    ContentScorer,
    EaseScorer,
    HybridScorer,
    ItemCosineScorer,
    PopularScorer,
    RandomScorer,
    make_matrix,
    mix_scores,
)
from aares.scores import bootstrap, bootstrap_crossed

# Songs 0-7; nobody knows the last two; song 6 has an artist and a place of its own.
HEARD = sparse.csr_matrix(
    np.array([[1, 1, 0, 0, 1, 0, 0, 0], [1, 0, 1, 0, 1, 0, 0, 0], [0, 1, 0, 1, 1, 1, 0, 0.0]])
)
POPULAR = [2, 2, 1, 1, 3, 1, 0, 0]
POINTS = np.array([[0.0], [0.2], [3.0], [3.5], [9.0], [1.0], [2.0], [7.0]])
ARTISTS = ["a", "a", "b", "b", "c", "a", "only", "d"]
HYBRID = {"ease": EaseScorer(strength=2.0), "artist": ArtistScorer(ARTISTS)}
NEEDY = {
    "item cosine": ItemCosineScorer(),
    "ease": EaseScorer(strength=2.0),
    "artist": ArtistScorer(ARTISTS),
    **{how: ContentScorer(POINTS, combine=how) for how in ("nearest", "mean", "soft", "centroid")},
    "hybrid": HybridScorer(HYBRID, {"ease": 1.0, "artist": 1.0}),
}
each_needy = pytest.mark.parametrize("method", NEEDY.values(), ids=NEEDY.keys())


# --- one rule for listeners without history -----------------------------------------------


@each_needy
def test_a_listener_without_songs_gets_the_popular_ones_and_it_is_said(method):
    profiles = sparse.csr_matrix(np.array([[1.0] + [0] * 7, [0.0] * 8]))
    with pytest.warns(NoHistoryWarning, match=r"1 of 2 listeners \(first: row 1\)") as said:
        scores = method.fit(HEARD).score(profiles)
    assert said[0].message.listeners == [1]
    assert scores[1].tolist() == POPULAR
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (scores[0] == method.score(profiles[[0]])[0]).all()


@pytest.mark.parametrize("name", ["item cosine", "ease", "artist", "hybrid"])
def test_songs_that_nobody_else_knows_are_no_history(name):
    profile = sparse.csr_matrix(np.array([[0.0] * 6 + [1, 0]]))
    method = NEEDY[name].fit(HEARD)
    with pytest.warns(NoHistoryWarning):
        assert method.score(profile)[0].tolist() == POPULAR
    raw = method.score_known(profile)[0]
    assert np.delete(raw, 6) == pytest.approx(raw[0])


def test_songs_that_nobody_else_knows_do_have_a_sound():
    profile = sparse.csr_matrix(np.array([[0.0] * 6 + [1, 0]]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ContentScorer(POINTS).fit(HEARD).score(profile)[0, :6].argmax() in (2, 5)


@pytest.mark.parametrize("method", [PopularScorer(), RandomScorer()], ids=["popular", "random"])
def test_methods_without_a_question_do_not_warn(method):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for heard in (HEARD, HEARD * 0):
            assert np.isfinite(method.fit(heard).score(HEARD * 0)).all()


def test_a_silent_part_of_a_hybrid_adds_nothing():
    profile = sparse.csr_matrix(np.array([[0.0] * 6 + [1, 0]]))
    parts = {"ease": EaseScorer(strength=2.0), "sound": ContentScorer(POINTS)}
    both = HybridScorer(parts, {"ease": 5.0, "sound": 1.0}).fit(HEARD).score(profile)
    alone = HybridScorer(parts, {"ease": 0.0, "sound": 1.0}).fit(HEARD).score(profile)
    assert both == pytest.approx(alone)


def test_stored_zeros_are_no_songs():
    stored = sparse.csr_matrix(([0.0, 1.0], ([0, 0], [0, 2])), shape=(1, 8))
    plain = sparse.csr_matrix(np.array([[0, 0, 1.0, 0, 0, 0, 0, 0]]))
    for method in NEEDY.values():
        method.fit(HEARD)
        assert method.score(stored) == pytest.approx(method.score(plain))
    assert stored.nnz == 2  # as it came


@each_needy
@pytest.mark.parametrize(
    ("profiles", "match"),
    [([[1.0, 0]], "expected 8 songs"), ([[np.nan] * 8], "expected 1 where"),
     ([[-1.0] * 8], "expected 1 where")],
)  # fmt: skip
def test_profiles_that_are_none(method, profiles, match):
    with pytest.raises(ValueError, match=match):
        method.fit(HEARD).score(profiles)


def test_a_listener_has_a_name():
    plays = pd.DataFrame({"user_id": ["u1", None], "id": ["s1", "s1"]})
    with pytest.raises(ValueError, match="'user_id', row 2: expected an id"):
        make_matrix(plays, pd.DataFrame({"id": ["s1"]}))


def test_evaluation_judges_popular_songs_for_listeners_without_history():
    hidden = sparse.csr_matrix(np.array([[0, 0, 0, 0, 1.0, 0, 0, 0]]))
    task = Task(HEARD, HEARD[[0]] * 0, hidden, np.array([3]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        judged = judge_methods({**NEEDY, "popular": PopularScorer()}, [task], k=1)
    for name, table in judged.items():
        assert table["hit"].tolist() == [1], name
        assert table["fell_back"].tolist() == [name != "popular"], name
    _, table = choose_weights({"ease": EaseScorer()}, [task], {"ease": [1.0]})
    assert table["ndcg"].tolist() == [1]


def test_a_method_from_elsewhere_needs_only_fit_and_score():
    class Mine:
        def fit(self, matrix):
            return self

        def score(self, profiles):
            return np.tile(np.arange(8), (profiles.shape[0], 1))

    hidden = sparse.csr_matrix(np.array([[0] * 7 + [1.0]]))
    task = Task(HEARD, HEARD[[0]] * 0, hidden, np.array([3]))
    assert judge_methods({"mine": Mine()}, [task], k=1)["mine"]["hit"].tolist() == [1]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers_are_refused(bad):
    scores = np.array([[1.0, bad, 0, 0, 0, 0, 0, 0]])
    task = Task(HEARD, HEARD[[0]], HEARD[[1]], np.array([3]))
    with pytest.raises(ValueError, match="song 1: expected a finite number"):
        rank_songs(scores[0], np.array([0]))
    for ask in (judge, find_hidden):
        with pytest.raises(ValueError, match="listener 3: scores, song 1"):
            ask(scores, task)
    with pytest.raises(ValueError, match="scores of 'one': expected finite"):
        mix_scores({"one": scores}, {"one": 1.0})


def test_nothing_hidden_cannot_be_found():
    task = Task(HEARD, HEARD[[0]], HEARD[[0]] * 0, np.array([3]))
    with pytest.raises(ValueError, match="listener 3 has no hidden song"):
        judge(np.zeros((1, 8)), task)


# --- equal scores -------------------------------------------------------------------------


def list_orders(scores, known):
    """Return every order of the unknown songs in which no song comes before a better one."""
    songs = [song for song in range(len(scores)) if song not in set(known)]
    for order in itertools.permutations(songs):
        values = [scores[song] for song in order]
        if values == sorted(values, reverse=True):
            yield order


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 2), min_size=2, max_size=7),
    st.integers(1, 5),
    st.sets(st.integers(0, 6), min_size=1, max_size=3),
    st.sets(st.integers(0, 6), max_size=2),
)
def test_measures_are_means_over_all_orders_of_equal_scores(values, k, hidden, known):
    hidden = sorted(song for song in hidden - known if song < len(values))
    known = sorted(song for song in known if song < len(values))
    if not hidden:
        return
    scores = np.array(values, dtype=float)
    lists = [list(order[:k]) for order in list_orders(values, known)]
    groups = group_songs(scores, np.array(known, dtype=int), k=k)
    at = np.array([[song in hidden for song in order] for order in lists], dtype=float)
    assert expect_places(groups, np.array(hidden), k=k) == pytest.approx(at.mean(axis=0))
    assert expect_hit(groups, np.array(hidden), k=k) == pytest.approx(at.max(axis=1).mean())
    found = [np.mean([song in order for order in lists]) for song in hidden]
    assert expect_found(groups, np.array(hidden), k=k) == pytest.approx(found)
    drawn = rank_songs(scores, np.array(known, dtype=int), k=k, random_state=7).tolist()
    assert drawn in lists


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_no_measure_depends_on_the_order_of_the_table(seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(8)
    scores = rng.integers(0, 3, (2, 8)).astype(float)
    task = Task(HEARD, HEARD[[0, 0]] * 0, HEARD[[1, 2]], np.array([1, 2]))
    other = Task(*(part[:, order] for part in (task.train, task.known, task.hidden)), task.users)
    pd.testing.assert_frame_equal(judge(scores[:, order], other, k=3), judge(scores, task, k=3))


def test_all_equal_scores_find_what_chance_finds():
    n, k, n_hidden = 50, 10, 4
    nothing = sparse.csr_matrix((1, n))
    hidden = sparse.csr_matrix(np.isin(np.arange(n), [0, 1, 2, 3])[None].astype(float))
    table = judge(np.zeros((1, n)), Task(nothing, nothing, hidden, np.array([0])), k=k)
    assert table["truncated_recall"].tolist() == pytest.approx([k / n])
    misses = np.prod([(n - k - i) / (n - i) for i in range(n_hidden)])
    assert table["hit"].tolist() == pytest.approx([1 - misses])


def test_equal_scores_are_listed_in_random_order():
    firsts = [rank_songs(np.zeros(6), np.array([2]), k=1, random_state=s)[0] for s in range(300)]
    counts = np.bincount(firsts, minlength=6)
    assert counts[2] == 0 and counts[[0, 1, 3, 4, 5]].min() > 30
    twice = [rank_songs(np.zeros(6), np.array([2]), random_state=3).tolist() for _ in range(2)]
    assert twice[0] == twice[1] and sorted(twice[0]) == [0, 1, 3, 4, 5]
    assert rank_songs(np.zeros(2), np.array([0, 1])).tolist() == []


def test_rounding_makes_no_difference_between_songs():
    scores = np.array([0.1 + 0.2, 0.3, 0.0, 1.0])
    assert [len(group) for group in group_songs(scores, np.array([], int), k=3)] == [1, 2]


# --- several draws ------------------------------------------------------------------------


def test_each_draw_hides_other_songs_from_everybody():
    users = np.arange(20)
    tasks = make_tasks(make_listeners(), users, n_folds=2, n_draws=3)
    assert [task.draw for task in tasks] == [0, 0, 1, 1, 2, 2]
    hidden = []
    for draw in range(3):
        parts = [task for task in tasks if task.draw == draw]
        assert sorted(np.concatenate([task.users for task in parts]).tolist()) == users.tolist()
        order = np.argsort(np.concatenate([task.users for task in parts]))
        hidden.append(sparse.vstack([task.hidden for task in parts])[order].toarray())
    assert (hidden[0] != hidden[1]).any() and (hidden[1] != hidden[2]).any()
    judged = judge_methods({"it": RandomScorer()}, tasks)["it"]
    assert judged.index.tolist() == list(itertools.product(range(20), range(3)))


def test_a_summary_is_of_all_draws():
    index = pd.MultiIndex.from_product([range(30), range(4)], names=["listener", "draw"])
    hit = pd.DataFrame({"hit": np.random.default_rng(0).random(120)}, index)
    assert summarise({"it": hit}).loc["it", "hit"] == pytest.approx(hit["hit"].mean())
    shuffled = hit.sample(frac=1, random_state=1)
    assert compare_pair(shuffled, hit, measure="hit") == (0, 0, 0)
    with pytest.raises(ValueError, match="every listener once in every draw"):
        summarise({"it": hit.iloc[:-1]})


def test_an_interval_covers_listeners_and_draws():
    """One of two sources of chance alone gives intervals that miss the truth far too often."""
    rng = np.random.default_rng(0)
    missed = dict.fromkeys(("both", "listeners", "one draw"), 0)
    for k in range(200):
        listeners, draws = rng.normal(0, 1, (40, 1)), rng.normal(0, 0.4, 8)
        values = listeners + draws + rng.normal(0, 1, (40, 8))
        intervals = {
            "both": bootstrap_crossed(values, n_draws=400, random_state=k)[1:],
            "listeners": bootstrap(np.mean, values.mean(axis=1), n_draws=400, random_state=k)[1:],
            "one draw": bootstrap(np.mean, values[:, 0], n_draws=400, random_state=k)[1:],
        }
        for name, (low, high) in intervals.items():
            missed[name] += not low <= 0 <= high
    assert missed["both"] <= 16  # 5 % would be 10; the two others miss 20 and more
    assert missed["listeners"] >= 20 and missed["one draw"] >= 30


def test_a_crossed_interval_of_one_column_is_the_interval_over_rows():
    values = np.random.default_rng(0).random(300)
    crossed = bootstrap_crossed(values[:, None], n_draws=4000)
    assert crossed == pytest.approx(bootstrap(np.mean, values, n_draws=4000), abs=0.004)
    with pytest.raises(ValueError, match="at least two"):
        bootstrap_crossed(values[:1, None])


def test_a_crossed_share_weighs_rows_by_their_songs():
    sums, songs = np.array([[1.0, 1.0], [6.0, 6.0]]), np.array([[2.0, 2.0], [8.0, 8.0]])
    assert bootstrap_crossed(sums, songs) == (0.7, 0.5, 0.75)


def test_shares_of_found_songs_are_compared_song_by_song():
    index = pd.MultiIndex.from_product([[1, 2], [0, 1]], names=["listener", "draw"])
    first = pd.DataFrame({"cold": [2.0, 2, 1, 3], "cold_found": [1.0, 2, 1, 0]}, index)
    assert share_found(first, "cold")[0] == pytest.approx(4 / 8)
    second = first.assign(cold_found=[0.0, 2, 1, 0])
    gain, low, high = share_found(first, "cold", less=second)
    assert gain == pytest.approx(1 / 8) and low == 0 and high > 1 / 8
    assert np.isnan(share_found(first * 0, "cold")).all()


def test_found_songs_are_counted_by_whether_others_know_them():
    tasks = make_tasks(make_listeners(), np.arange(20), n_folds=2, n_draws=2)
    parts = {"ease": EaseScorer(strength=10.0), "noise": RandomScorer()}
    methods = {**parts, "hybrid": HybridScorer(parts, {"ease": 1.0, "noise": 0.1})}
    judged = judge_methods(methods, tasks)
    for name, table in judged.items():
        alone = [methods[name].fit(task.train).score(task.known) for task in tasks]
        hidden = pd.concat(map(find_hidden, alone, tasks))
        assert table["warm"].sum() + table["cold"].sum() == len(hidden)
        assert table["warm_found"].sum() == pytest.approx(hidden["found"][~hidden["cold"]].sum())
        assert table["cold_found"].sum() == pytest.approx(hidden["found"][hidden["cold"]].sum())


def test_profiles_may_be_plain_lists():
    assert read_profiles([[0, 3, 1]]).toarray().tolist() == [[0, 3, 1]]
