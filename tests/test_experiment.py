"""Both experiments: pairs and splits, nothing learnt of what is judged, planted answers found."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from aares.audio.features import NAMES
from aares.audio.segments import SEGMENT
from aares.chaining import experiment
from aares.chaining.draws import SPLITS, SongPairs, sample_pairs, sample_split
from aares.chaining.experiment import compare_groups, run_methods
from aares.chaining.methods import CONCLUSION, METHODS, answer_pairs
from aares.chaining.slides import get_figure
from workshop.measured import RESULTS

GROUPS = np.repeat([f"album {i}" for i in range(6)], 8)
UNITS = np.array([0.1, 0.01, 800, 500, 1500, 0.05, *[20] * 20, 30])


def make_features(signal: float, *, seed: int = 0) -> pd.DataFrame:
    """Features of 48 songs, in units like those of sound; albums differ by `signal` spreads."""
    rng = np.random.default_rng(seed)
    shifts = signal * rng.normal(size=(6, 27))[np.repeat(np.arange(6), 8)]
    return pd.DataFrame((shifts + rng.normal(size=(48, 27)) + 5) * UNITS, columns=NAMES)


SIGNAL, NOISE = make_features(1.5), make_features(0.0)
QUICK = tuple(method for method in METHODS if method.table != "models") + tuple(
    method for method in METHODS if method.model in ("tree", "boosting")
)


def name_songs(pairs: SongPairs) -> set[int]:
    return {*pairs.a.tolist(), *pairs.b.tolist()}


# --- pairs and splits ---------------------------------------------------------------------


def test_half_of_the_pairs_are_of_one_group_and_none_comes_twice():
    pairs = sample_pairs(GROUPS, 300, rng=np.random.default_rng(0))
    assert len(pairs) == 300 and pairs.labels.sum() == 150
    np.testing.assert_array_equal(pairs.labels, GROUPS[pairs.a] == GROUPS[pairs.b])
    assert len({frozenset(pair) for pair in zip(pairs.a, pairs.b, strict=True)}) == 300
    assert 0.3 < np.mean(pairs.a < pairs.b) < 0.7  # which comes first is drawn


def test_where_pairs_are_few_all_of_the_rarer_kind_are_drawn():
    pairs = sample_pairs(["x", "x", "y", "y", "z"], 300, rng=np.random.default_rng(0))
    assert len(pairs) == 4 and pairs.labels.sum() == 2


@pytest.mark.parametrize("split", SPLITS)
def test_splits_keep_apart_what_they_say(split):
    for seed in range(20):
        train, test = sample_split(GROUPS, split, rng=np.random.default_rng(seed))
        pairs = [{frozenset(pair) for pair in zip(part.a, part.b, strict=True)}
                 for part in (train, test)]  # fmt: skip
        assert not pairs[0] & pairs[1]
        songs = [name_songs(part) for part in (train, test)]
        groups = [set(GROUPS[list(names)]) for names in songs]
        assert bool(songs[0] & songs[1]) == (split == "random pairs")
        assert bool(groups[0] & groups[1]) == (split != "unseen groups")
        for part in (train, test):
            assert part.labels.mean() == 0.5
            np.testing.assert_array_equal(part.labels, GROUPS[part.a] == GROUPS[part.b])


def test_a_random_split_is_as_large_as_the_slides():
    groups = np.repeat(["a", "b", "c", "d"], 20)
    train, test = sample_split(groups, "random pairs", rng=np.random.default_rng(0))
    assert len(train) + len(test) == get_figure("pairs")
    assert len(test) == get_figure("support: all")


def test_draws_are_the_same_by_the_same_seed():
    one, other, third = (
        sample_split(GROUPS, "unseen songs", rng=np.random.default_rng(seed))[1]
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.a, other.a)
    assert not np.array_equal(one.a, third.a)


# --- nothing is learnt of what is judged --------------------------------------------------


@pytest.mark.parametrize("method", METHODS, ids=lambda method: f"{method.table}: {method.name}")
def test_a_song_that_is_judged_changes_no_answer_about_others(method):
    """Means, spreads, weights, thresholds and models are those of the training pairs' songs."""
    train, test = sample_split(GROUPS, "unseen songs", rng=np.random.default_rng(5))
    changed = SIGNAL.copy()
    song = test.a[0]
    changed.loc[song] *= 1000
    features = [{method.segment: table} for table in (SIGNAL, changed)]
    before, after = (answer_pairs(method, table, train, test.a, test.b) for table in features)
    others = (test.a != song) & (test.b != song)
    np.testing.assert_array_equal(before[others], after[others])
    assert others.sum() > 60
    trained = SIGNAL.copy()
    trained.loc[list(name_songs(train))[:8]] *= 1000  # but those of training songs do
    assert (answer_pairs(method, {method.segment: trained}, train, test.a, test.b) != before).any()


def test_groups_that_say_nothing_score_one_half():
    answers = run_methods({SEGMENT: NOISE}, GROUPS, QUICK[::3], n_draws=3)
    found = experiment.summarise_methods(answers, proxy="same album")
    whole = found[found["coverage"] == 1]
    assert whole["accuracy"].between(0.4, 0.6).all()
    assert whole["accuracy"].mean() == pytest.approx(0.5, abs=0.03)
    assert (whole["low"] < 0.5).mean() > 0.9 and (whole["high"] > 0.5).mean() > 0.9


# --- what is planted is found -------------------------------------------------------------


@pytest.fixture(scope="module")
def summary() -> pd.DataFrame:
    tables = {SEGMENT: SIGNAL, "1:00-1:30": NOISE}
    answers = run_methods(tables, GROUPS, QUICK, n_draws=2)
    return experiment.summarise_methods(answers, proxy="same album")


def test_albums_that_differ_are_found_and_a_segment_of_noise_is_not(summary):
    found = summary.set_index(["method", "split"])["accuracy"]
    assert (found["euclidean, max"] > 0.8).all() and (found["manhattan, max"] > 0.8).all()
    assert found["boosting", "random pairs"] > 0.8
    assert (found["1:00-1:30"] < 0.6).all()
    assert not set(found.index.get_level_values(0)) & {"0:00-0:30", "0:30-1:30"}


def test_each_row_says_on_what_with_intervals_and_the_slides_figure(summary):
    assert set(summary["proxy"]) == {"same album"}
    for _, rows in summary.groupby("method"):
        assert rows["split"].tolist() == list(SPLITS)
    assert (summary["low"] <= summary["accuracy"]).all()
    assert (summary["accuracy"] <= summary["high"]).all()
    assert (summary["one_low"] <= summary["one_high"]).all()
    whole = summary[summary["coverage"] == 1]
    wrong = whole["false_positives"] + whole["false_negatives"]
    np.testing.assert_allclose(whole["accuracy"] + wrong, 1)
    assert (summary["coverage"] < 1).equals(summary["method"].str.endswith("undecided"))
    stated = summary.drop_duplicates("method").set_index("method")["stated"]
    assert stated["manhattan, max"] == 0.68 and stated["tree"] == 0.84
    assert stated["optimised"] == 0.68 and np.isnan(stated["boosting"])


def test_every_table_of_the_slides_has_its_rows():
    names = {method.table: 0 for method in METHODS}
    for method in METHODS:
        names[method.table] += 1
    assert names == {
        "distances": 9, "segments": 4, "features": 8, "weights": 2, "conclusion": 1, "models": 5
    }  # fmt: skip
    columns = {method.name: method.columns for method in METHODS}
    assert len(columns["mfcc"]) == 20 and columns["bpm"] == ("bpm",)
    assert set(CONCLUSION) <= set(columns)


def test_the_conclusion_has_the_slides_last_table_beside(summary):
    found = experiment.conclude(summary)
    assert found["method"].tolist() == [
        "euclidean, max", "0:30-1:00", "with weights", "manhattan, max", "optimised", "tree"
    ]  # fmt: skip
    assert found["stated"].tolist() == [0.65, 0.65, 0.71, 0.66, 0.68, 0.84]
    assert set(SPLITS) <= set(found.columns)


def test_the_interval_is_wider_where_few_songs_make_many_pairs():
    rng = np.random.default_rng(0)
    quality = np.where(rng.random(40) < 0.5, 0.95, 0.3)  # of songs: hits of one song are alike
    a, b = np.triu_indices(40, 1)
    hits = rng.random(len(a)) < np.sqrt(quality[a] * quality[b])
    frame = pd.DataFrame({"method": "tree", "split": "random pairs", "draw": 0, "a": a, "b": b,
                          "label": True, "answer": hits.astype(int)})  # fmt: skip
    row = experiment.summarise_methods(frame, proxy="none").iloc[0]
    binomial = 2 * 1.96 * np.sqrt(hits.mean() * (1 - hits.mean()) / len(hits))
    assert row["high"] - row["low"] > 2 * binomial


def test_the_same_seed_gives_the_same_answers():
    one, other = (
        run_methods({SEGMENT: SIGNAL}, GROUPS, METHODS[:2], n_draws=2, random_state=7)
        for _ in range(2)
    )
    pd.testing.assert_frame_equal(one, other)


def test_what_was_measured_has_every_method_on_every_split_and_says_on_what():
    found = json.loads((RESULTS / "chainable-study.json").read_text(encoding="utf-8"))
    for section, proxy in (("albums", "same album"), ("clips", "same genre")):
        rows = pd.DataFrame(found[f"experiment 2, {section}"]["rows"])
        assert set(rows["proxy"]) == {proxy}
        segments = {method.segment for method in METHODS} if section == "albums" else {SEGMENT}
        wanted = [method.name for method in METHODS if method.segment in segments]
        for split in SPLITS:
            assert rows.loc[rows["split"] == split, "method"].tolist() == wanted
        assert rows["accuracy"].between(rows["low"], rows["high"]).all()


def test_with_many_pairs_a_random_split_flatters_what_learns_songs_by_heart():
    """The slides' 0.80 and 0.84 are within reach of songs that are known, and of no others."""
    found = json.loads((RESULTS / "chainable-study.json").read_text(encoding="utf-8"))
    rows = pd.DataFrame(found["all pairs, albums"]["rows"])
    scores = rows.set_index(["method", "split"])[["low", "high"]]
    for method in ("network", "tree"):
        known = scores.loc[(method, "random pairs"), "low"]
        assert known > scores.loc[(method, "unseen songs"), "high"]
        assert known > scores.loc[(method, "unseen groups"), "high"]
    distance = [scores.loc[("euclidean, max", split), "low"] for split in SPLITS]
    assert max(distance) < min(rows.loc[rows["method"] == "euclidean, max", "high"])


# --- experiment 1 -------------------------------------------------------------------------


def test_distances_of_groups_are_means_over_their_pairs():
    found = compare_groups(SIGNAL, GROUPS, kind="manhattan")
    points = (SIGNAL.to_numpy() - SIGNAL.to_numpy().mean(axis=0)) / SIGNAL.to_numpy().std(axis=0)
    gaps = np.abs(points[:, None] - points[None]).sum(axis=2)
    assert found.means[0, 1] == pytest.approx(gaps[:8, 8:16].mean(), rel=1e-5)
    assert found.means[2, 2] == pytest.approx(gaps[16:24, 16:24].sum() / 56, rel=1e-5)
    a, b = np.triu_indices(48, 1)
    same = GROUPS[a] == GROUPS[b]
    assert found.within == pytest.approx(gaps[a, b][same].mean(), rel=1e-5)
    assert found.between == pytest.approx(gaps[a, b][~same].mean(), rel=1e-5)
    assert found.auc[0] == pytest.approx(roc_auc_score(same, -gaps[a, b]), abs=1e-4)
    assert found.auc[1] < found.auc[0] < found.auc[2]
    order = found.order_pairs()
    assert len(order) == 15 and order["distance"].is_monotonic_decreasing
    assert order["distance"].iloc[0] == pytest.approx(
        np.nanmax(np.where(np.eye(6, dtype=bool), np.nan, found.means))
    )


def test_groups_by_chance_have_an_auc_of_one_half():
    auc, low, high = compare_groups(NOISE, GROUPS).auc
    assert low < 0.5 < high and auc == pytest.approx(0.5, abs=0.05)
    assert compare_groups(SIGNAL, GROUPS).auc[1] > 0.9


def test_ties_count_half():
    found = compare_groups([[0.0], [0.0], [0.0], [0.0]], ["x", "x", "y", "y"])
    assert found.auc[0] == 0.5


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: sample_pairs(["x", "y"], 4, rng=np.random.default_rng(0)), "found 0 and 1"),
        (lambda: sample_split(GROUPS, "by hand", rng=np.random.default_rng(0)), "found 'by hand'"),
        (lambda: sample_split(["x", "x", "y"], "unseen groups", rng=np.random.default_rng(0)),
         "two halves with pairs of one group and of two, found none among 3 songs of 2 groups"),
        (lambda: sample_split(["x", "x", "y"], "random pairs", rng=np.random.default_rng(0)),
         "at least 4 pairs to split, found 2"),
        (lambda: compare_groups(SIGNAL, GROUPS[:5]), "each of 48 songs, found 5"),
        (lambda: compare_groups(SIGNAL, ["x"] * 48), "found 1 groups"),
        (lambda: run_methods({SEGMENT: SIGNAL}, GROUPS[:5]), "each of 5 songs, found 48"),
        (lambda: run_methods({"intro": SIGNAL}, GROUPS), "segment 0:30-1:00, found intro"),
        (lambda: run_methods({SEGMENT: SIGNAL[["bpm"]]}, GROUPS), "chroma_stft is missing"),
    ],
)  # fmt: skip
def test_wrong_arguments_say_what_is_wrong(call, says):
    with pytest.raises(ValueError, match=says):
        call()
