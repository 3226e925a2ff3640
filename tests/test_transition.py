"""Can B follow A: the shipped model and its file, what it says and why, and the order it makes."""

from __future__ import annotations

import gzip
import itertools
import json
import re

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from made_songs import RATE, make_song

from aares.audio import AudioError
from aares.chaining import chainable, join_model, transition_cost
from aares.chaining.edges import describe_end, describe_start
from aares.chaining.join_model import (
    SHIPPED,
    ModelFileError,
    fit_join_model,
    load_join_model,
    measure_calibration,
    weigh_labels,
    weigh_score,
    write_join_model,
)
from aares.chaining.join_reasons import HEARD, STATEMENTS, name_heard, tell_reasons
from aares.chaining.joins import measure_joins, name_features
from aares.chaining.transition import describe_song, measure_transition_costs
from aares.errors import DataError
from aares.recommend.lists.arrange import order_playlist

NAMES = name_features()


@pytest.fixture(scope="module")
def cut():
    """The first and the second half of a song, half a second between them, and another song."""
    song = make_song(25, bpm=100)
    at = int(12.2 * RATE)
    return (
        song[:at],
        song[at + RATE // 2 :],
        make_song(12, root_hz=311, bpm=77, bright=8, level=0.03),
    )


# --- what it says -------------------------------------------------------------------------


def test_a_song_goes_on_in_itself_and_not_in_another(cut):
    first, second, other = cut
    assert chainable(first, second, sr=RATE).probability > 0.7
    assert chainable(first, other, sr=RATE).probability < 0.05


def test_the_judgement_is_directed_unless_it_is_asked_otherwise(cut):
    first, second, _ = cut
    there, back = chainable(first, second, sr=RATE), chainable(second, first, sr=RATE)
    assert there.probability != back.probability
    ways = [chainable(a, b, sr=RATE, symmetric=True) for a, b in ((first, second), (second, first))]
    assert ways[0].probability == ways[1].probability
    assert ways[0].probability == pytest.approx((there.probability + back.probability) / 2)


def test_a_file_is_heard_as_its_samples_are(cut, tmp_path):
    for name, y in zip("ab", cut, strict=False):
        sf.write(tmp_path / f"{name}.wav", y, RATE, subtype="FLOAT")
    of_files = chainable(tmp_path / "a.wav", str(tmp_path / "b.wav"))
    assert of_files == chainable(cut[0], cut[1], sr=RATE)


@pytest.mark.parametrize("rate", [8000, 96_000])
def test_any_rate_is_a_defined_value(rate):
    y = make_song(6, rate=rate)
    found = chainable(y, y, sr=rate)
    assert 0 < found.probability < 1
    assert found == chainable(y, y.copy(), sr=rate)


def test_what_is_no_song_is_said(cut, tmp_path):
    (tmp_path / "lie.mp3").write_text("no music\n" * 100)
    song, spoilt = cut[0], cut[0].copy()
    spoilt[-RATE] = np.nan
    for bad, said in (
        (np.zeros(6 * RATE, np.float32), "samples: expected sound, found silence"),
        (song[: RATE // 10], "0.1 s"),
        (spoilt, "finite"),
    ):
        for a, b in ((bad, song), (song, bad)):
            with pytest.raises(AudioError, match=said):
                chainable(a, b, sr=RATE)
    with pytest.raises(AudioError, match="lie.mp3"):
        chainable(tmp_path / "lie.mp3", tmp_path / "lie.mp3")
    with pytest.raises(ValueError, match="sr"):
        chainable(song, song)
    with pytest.raises(ValueError, match="gap_s: expected 0 to 2.5"):
        chainable(song, song, sr=RATE, gap_s=9)


# --- why ----------------------------------------------------------------------------------


def put(statement, value):
    """What a statement says of a value."""
    return (statement.yes if statement.goes_on(value) else statement.no)(value)


def test_reasons_are_the_heaviest_and_true_of_the_features(cut):
    model = load_join_model()
    ends, starts = [describe_end(y) for y in cut], [describe_start(y) for y in cut]
    joins = measure_joins(ends, starts, list(itertools.permutations(range(3), 2)))
    for features, parts in zip(joins, model.explain(joins), strict=True):
        reasons = tell_reasons(features, parts)
        assert len({reason.about for reason in reasons}) == 3
        weights = [abs(reason.weight) for reason in reasons]
        assert weights == sorted(weights, reverse=True)
        values = dict(zip(NAMES, features, strict=True))
        for reason in reasons:
            mine = np.array([name_heard(name) == reason.about for name in NAMES])
            assert reason.weight == pytest.approx(parts[:-1][mine].sum())
            said = [x for x in STATEMENTS if reason.text == put(x, values[x.feature])]
            assert said
            assert said[0].about == reason.about
            assert said[0].goes_on(values[said[0].feature]) == (reason.weight > 0)
            for number in re.findall(r"likeness (-?[\d.]+)", reason.text):
                assert float(number) == pytest.approx(values[said[0].feature], abs=0.006)


def test_a_thing_that_points_the_other_way_gives_way_to_the_next():
    features, parts = np.zeros(len(NAMES)), np.zeros(len(NAMES) + 1)
    features[NAMES.index("periods")] = 0.1  # another rhythm, which is said to speak for it
    parts[NAMES.index("periods")] = 3.0
    parts[NAMES.index("step level 1")] = 2.0
    assert [reason.about for reason in tell_reasons(features, parts, most=1)] == ["loudness"]


def test_contributions_add_up_to_the_log_odds(cut):
    model = load_join_model()
    joins = measure_joins([describe_end(cut[0])], [describe_start(cut[1])], [(0, 0)])
    odds = model.explain(joins).sum()
    assert 1 / (1 + np.exp(-odds)) == pytest.approx(model.predict_proba(joins)[0], abs=1e-9)
    assert {name_heard(name) for name in NAMES} == set(HEARD)


# --- calibration --------------------------------------------------------------------------


def make_joins(n, seed):
    """Joins of which one feature tells a little, and three false ones for each true one."""
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < 0.25).astype(int)
    X = rng.standard_normal((n, len(NAMES)))
    X[:, 0] += label
    return X, label, rng.integers(0, 4, n)


def test_probabilities_come_true_because_they_are_learnt_from_unseen_songs(monkeypatch):
    """Trees that learn by heart are sure of themselves; the curve knows what that is worth."""
    monkeypatch.setitem(join_model.TREES, "feature_fraction", 0.05)
    monkeypatch.setitem(join_model.TREES, "learning_rate", 0.3)
    model = fit_join_model(*make_joins(800, seed=0), n_trees=30)
    unseen, truth, _ = make_joins(4000, seed=1)
    error, curve = measure_calibration(model.predict_proba(unseen), truth)
    score = model.booster.predict(unseen, raw_score=True, num_threads=1)
    assert error < 0.03
    for slope, intercept in ((1.0, model.intercept), (model.slope, 0.0)):
        assert measure_calibration(weigh_score(score, slope, intercept), truth)[0] > error + 0.03
    assert curve[:, 2].sum() == pytest.approx(1)


def test_the_curve_is_laid_through_folds_that_the_trees_have_not_seen(monkeypatch):
    X, label, fold = make_joins(200, seed=2)
    seen = []

    class Trees:
        def __init__(self, rows):
            self.rows = {row.tobytes() for row in rows}

        def predict(self, rows, raw_score, num_threads):
            assert raw_score and num_threads == 1
            assert not any(row.tobytes() in self.rows for row in rows)
            return rows[:, 0]

        def model_to_string(self):
            return ""

    def grow(rows, labels, n_trees):
        seen.append(len(rows))
        return Trees(rows)

    monkeypatch.setattr(join_model, "_grow", grow)
    fit_join_model(X, label, fold)
    assert seen == [*(200 - np.bincount(fold)), 200]


def test_true_and_false_pairs_count_alike():
    label = np.array([1, 0, 0, 0, 0])
    weights = weigh_labels(label)
    assert weights[label == 1].sum() == weights[label == 0].sum()
    with pytest.raises(ValueError, match="at least two folds"):
        fit_join_model(np.zeros((5, len(NAMES))), label, np.zeros(5))
    with pytest.raises(ValueError, match="expected 0 and 1 in each fold, found only"):
        fit_join_model(np.zeros((5, len(NAMES))), label, np.arange(5) % 2)


# --- the model's file ---------------------------------------------------------------------


def test_the_shipped_model_is_text_and_small():
    content = json.loads(gzip.decompress(SHIPPED.read_bytes()))
    assert content["trees"].startswith("tree\n")
    assert content["features"] == list(NAMES)
    assert SHIPPED.stat().st_size < 400_000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 0}, "expected a model of version 1, found 0"),
        ({"slope": 2.0}, "its digest does not fit"),
        (None, "expected a model of joins"),
        ("features", "learnt from other features"),
    ],
)
def test_a_file_that_is_no_model_of_this_version_is_refused(tmp_path, change, said):
    path = tmp_path / "model.json.gz"
    if change is None:
        path.write_bytes(b"no model")
    elif change == "features":
        model = load_join_model()
        other = join_model.JoinModel(model.trees, 1.0, 0.0, model.features[:-1])
        write_join_model(other, path)
    else:
        content = json.loads(gzip.decompress(SHIPPED.read_bytes())) | change
        path.write_bytes(gzip.compress(json.dumps(content).encode()))
    with pytest.raises(ModelFileError, match=said):
        load_join_model(path)
    with pytest.raises(ModelFileError, match="found no file"):
        load_join_model(tmp_path / "nowhere.gz")


def test_other_columns_are_refused():
    with pytest.raises(ValueError, match=r"expected 314 columns.*found the shape \(1, 3\)"):
        load_join_model().predict_proba(np.zeros((1, 3)))


# --- the order of a playlist --------------------------------------------------------------


def test_costs_are_what_is_said_of_each_pair(cut):
    costs = measure_transition_costs([describe_song(y, sr=RATE) for y in cut])
    for i, j in itertools.permutations(range(3), 2):
        likely = chainable(cut[i], cut[j], sr=RATE).probability
        assert costs[i, j] == pytest.approx(-np.log(likely), abs=1e-6)


def test_pieces_of_a_song_come_back_in_order_between_the_first_and_the_last():
    """The song grows louder; the way from its first piece to its last is its own."""
    song = make_song(42, bpm=100) * np.linspace(0.2, 1, 42 * RATE)
    pieces = {str(k): song[int(10.5 * k * RATE) :][: 10 * RATE] for k in range(4)}
    songs = pd.DataFrame({"path": ["2", "3", "0", "1"], "artist": ["x", "y", "y", "x"]})
    cost = transition_cost(pieces, sr=RATE)
    order = order_playlist(songs, cost=cost, start=2, end=1)
    assert songs["path"].iloc[order].tolist() == ["0", "1", "2", "3"]
    back = order_playlist(songs, cost=cost, start=1, end=2)
    assert (back[0], back[-1]) == (1, 2)
    apart = order_playlist(songs, cost=cost, start=2, apart="artist")
    assert songs["artist"].iloc[apart].tolist() == ["y", "x", "y", "x"]


def test_a_table_without_paths_is_refused_and_a_file_is_read_once(cut, tmp_path):
    cost = transition_cost()
    with pytest.raises(DataError, match="column 'path', found title"):
        cost(pd.DataFrame({"title": ["x"]}))
    with pytest.raises(DataError, match="found none in row 1"):
        cost(pd.DataFrame({"path": ["x", None]}))
    paths = [str(tmp_path / f"{k}.wav") for k in range(3)]
    for path, y in zip(paths, cut, strict=True):
        sf.write(path, y, RATE)
    found = cost(pd.DataFrame({"path": paths}))
    for path in paths:
        (tmp_path / path).unlink()
    assert np.array_equal(cost(pd.DataFrame({"path": paths[::-1]})), found[::-1, ::-1])
