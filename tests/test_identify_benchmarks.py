"""What the identifier's benchmarks count, on made-up answers: cells, levels, families, tails."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from aares.identify import Index, Played, make_query, traits
from aares.identify.answer import THRESHOLD
from aares.identify.ranking import COVARIATES, FEATURES
from benchmarks.identifying import (
    accuracy,
    audit,
    calibrate,
    catalogue,
    conditions,
    mix,
    nonmusic,
    sounds,
    trials,
    unknown,
)
from benchmarks.identifying.sources import SR, Track


class Fake(Track):
    """A track of noise, as long as wanted."""

    def load(self):
        return make_noise(self.name)


def make_noise(name, seconds=20):
    rng = np.random.default_rng(list(name.encode()))
    return 0.1 * rng.standard_normal(seconds * SR, dtype=np.float32)


def make_tracks(names):
    return [Fake(None, "made", name, name) for name in names]


def test_ten_kinds_of_sound_and_others_for_choices_have_no_maker_in_common():
    assert len(sounds.KINDS) == 10 and nonmusic.N * len(sounds.KINDS) == 1000
    assert not set(sounds.KINDS) & set(sounds.OTHER_KINDS)
    assert not set(sounds.KINDS.values()) & set(sounds.OTHER_KINDS.values())


@pytest.mark.parametrize("kind", sounds.KINDS | sounds.OTHER_KINDS)
def test_a_sound_is_audible_finite_and_the_same_again(kind):
    for seed in range(4):
        y, again = (sounds.make_sound(kind, 2 * SR, np.random.default_rng(seed)) for _ in range(2))
        assert y.dtype == np.float32 and y.shape == (2 * SR,) and np.array_equal(y, again)
        assert 0.02 < np.abs(y).max() < 1


def test_an_excerpt_has_its_length_in_every_condition_and_a_pause_is_none():
    names = [condition.name for condition in conditions.list_conditions()]
    assert len(set(names)) == len(names) > 40
    [track] = make_tracks(["a"])
    for condition in conditions.list_conditions():
        if condition.name.startswith(("white", "speed", "clean", "clipped", "telephone, ")):
            y = condition.cut(track, np.random.default_rng(0))
            assert y.shape == (condition.length_s * SR,) and y.dtype == np.float32
    short = conditions.Condition("", 30, conditions.add_noise("white", np.inf))
    assert short.cut(track, np.random.default_rng(0)) is None


def test_noise_up_to_11_khz_has_less_in_the_band():
    assert pytest.approx(-5.6, abs=0.05) == -10 + conditions.BAND_DB


def test_shared_music_makes_one_family(monkeypatch, tmp_path):
    tracks = make_tracks("abcde")
    file = tmp_path / "identify.json"
    monkeypatch.setattr(catalogue, "BENCHMARK", file)
    assert len(set(catalogue.group_families(tracks).values())) == 5
    pairs = [{"a": "a", "b": "c"}, {"a": "c", "b": "e"}, {"a": "b", "b": "elsewhere"}]
    file.write_text(json.dumps({"shared": {"pairs": pairs}}))
    families = catalogue.group_families(tracks)
    assert families["a"] == families["c"] == families["e"]
    assert len(set(families.values())) == 3


def test_the_audit_finds_a_copy_and_nothing_else():
    tracks = make_tracks(["a", "b", "c"])
    signals = {track.name: track.load() for track in tracks}
    signals["copy of a"] = signals["a"][3 * SR :]
    pairs = audit.find_pairs(Index.from_signals(signals), tracks)
    assert [(pair["a"], pair["b"]) for pair in pairs] in ([], [("a", "copy of a")])
    [(name, offset_s)] = audit.find_others(Index.from_signals(signals), signals["a"][5 * SR :], "a")
    assert name == "copy of a" and offset_s == pytest.approx(2, abs=0.05)


def test_right_ones_of_a_family_count_and_wrong_ones_do_not(monkeypatch):
    monkeypatch.setattr(accuracy, "N", 6)
    tracks = make_tracks("ab")
    index = Index.from_signals({track.name: track.load() for track in tracks})
    heard = conditions.Condition("clean", 5, conditions.add_noise("white", np.inf))

    def count(index: Index, families: dict[str, int]) -> tuple[int, int, int]:
        asked = accuracy.ask_all(index, heard, tracks, 0, families)
        row = accuracy.count_right("clean", asked)
        return row["first"], row["accepted"], row["wrong"]

    assert count(index, {"a": 0, "b": 1}) == (6, 6, 0)
    swapped = Index.from_signals({"b": make_noise("a"), "a": make_noise("b")})
    assert count(swapped, {"a": 0, "b": 1}) == (0, 0, 6)
    assert count(swapped, {"a": 0, "b": 0}) == (6, 6, 0)


def test_the_draws_of_a_condition_are_counted_together_with_an_interval_over_tracks():
    asked = [("a", True, True), ("b", True, False), ("a", False, True), ("b", True, True)]
    row = accuracy.count_right("clean", asked * 50)
    assert (row["first"], row["accepted"], row["wrong"]) == (150, 100, 50)
    assert row["low"] < 0.2 and row["high"] > 0.8  # two tracks tell little


def test_unknown_excerpts_come_from_each_track_alike_and_are_not_accepted():
    index = Index.from_signals({"a": make_noise("a")})
    for cell in ((False, 2), (True, 5)):
        rows = list(unknown.ask_excerpts(index, make_tracks("bcd"), cell, 6))
        assert sorted(row[0] for row in rows) == list("bbccdd")
        assert [row[2] for row in rows] == [None] * 6
    known = list(unknown.ask_excerpts(index, make_tracks("a"), (False, 5), 2))
    assert [row[2] for row in known] == ["a", "a"] and known[0][1] <= THRESHOLD


def test_false_alarms_and_levels_are_counted_by_cell():
    table = pd.DataFrame({"track": list("aabb"), "p_false": [1.0, 0.02, THRESHOLD, THRESHOLD],
                          "match": [None, None, "x", "x"]})  # fmt: skip
    asked = {(False, 2): table, (True, 2): table.assign(match=None, p_false=1.0)}
    found = unknown.count_accepted(asked)
    assert [row["accepted"] for row in found["rows"]] == [2, 0, 2]
    assert found["taken"] == [["b", "x", 2]] and found["n"] == 8
    rows = {(r["cell"], r["level"]): r["share"] for r in unknown.draw_reliability(asked)}
    assert rows["clean, 2 s", 0.03] == 0.75 and rows["noisy, 2 s", 0.03] == 0
    assert rows["all", THRESHOLD] == 0.25


def make_table(rng, n, right):
    """Return features that are higher where right, and a tail whose scale grows with the level."""
    table = pd.DataFrame(rng.standard_normal((n, len(FEATURES))), columns=list(FEATURES))
    for name in COVARIATES:
        table[name] = rng.uniform(0, 2, n)
    table["score"] = 9 * right + rng.exponential(1 + table["level"])
    table["n_recordings"], table["track"] = 100, [f"track {k % 50}" for k in range(n)]
    return table


def test_a_fitted_tail_holds_where_it_was_not_fitted_in_noise_and_without():
    rng = np.random.default_rng(0)
    fitted = calibrate.fit_way(make_table(rng, 800, True), make_table(rng, 6000, False))
    other = make_table(rng, 20_000, False)
    totals = other[list(FEATURES)].to_numpy() @ fitted["weights"]
    inputs = np.column_stack([np.ones(len(other)), other[list(COVARIATES)]])
    scale = np.exp(inputs @ fitted["scale"])
    tail = fitted["rate"] * np.exp((inputs @ fitted["start"] - totals) / scale)
    for part in (other["level"] < 1, other["level"] >= 1):
        assert 0.003 < np.mean(tail[part] <= 0.005) < 0.008
    assert 1 / 6000 <= fitted["floor"] < 1 / 3000


def test_a_tail_that_bends_with_the_length_is_followed():
    """Wrong ones score higher where short and where long: a tail linear in the length misses it."""
    rng = np.random.default_rng(1)

    def make_bent(n, right):
        table = make_table(rng, n, right)
        table["log_seconds"] = rng.uniform(0.7, 2.7, n)
        table["log_seconds_squared"] = (table["log_seconds"] - 1.6) ** 2
        table["score"] += 6 * table["log_seconds_squared"]
        return table

    fitted = calibrate.fit_way(make_bent(500, True), make_bent(3000, False))
    other = make_bent(20_000, False)
    totals = other[list(FEATURES)].to_numpy() @ fitted["weights"]
    inputs = np.column_stack([np.ones(len(other)), other[list(COVARIATES)]])
    over = totals > inputs @ fitted["start"]
    middle = other["log_seconds_squared"] < 0.1
    assert 0.035 < np.mean(over[middle]) < 0.065 and 0.035 < np.mean(over[~middle]) < 0.065


def test_evidence_never_weighs_against_a_candidate():
    """Even where the sample says so: known ones that score less without noise than unknown ones."""
    rng = np.random.default_rng(2)
    known, unknown = make_table(rng, 500, True), make_table(rng, 2000, False)
    known["score_level"], unknown["score_level"] = -known["score"], unknown["score"]
    known["breadth"], unknown["breadth"] = -1.0, 1.0 + rng.random(2000)
    weights = dict(zip(FEATURES, calibrate.weigh_features(known, unknown), strict=True))
    for name in calibrate.MONOTONE:
        for level in np.array(traits.LEVELS_DB) / 10:
            assert weights[name] + level * weights[f"{name}_level"] > -1e-9
    assert weights["score"] > 0


def test_excerpts_that_are_alike_carry_less():
    tracks = np.repeat(np.arange(50), 40)
    mixed = np.tile(np.arange(40) < 2, 50)
    alike = np.repeat(np.arange(50) < 3, 40)
    assert calibrate.count_independent(alike, tracks) < 100
    assert calibrate.count_independent(mixed, tracks) > 1500


def test_a_trial_is_asked_without_its_own_family():
    index = Index.from_signals({name: make_noise(name) for name in "ab"})
    [excerpt] = trials.cut_excerpts(make_tracks("a"), 1, 0)
    [known] = trials.ask(index, excerpt, ["quick"])
    assert known["found"] == "a" and known["n_recordings"] == 2
    assert set(FEATURES) | set(COVARIATES) <= set(known)
    assert [row["found"] for row in trials.ask(index, excerpt, ["quick"], without={"a"})] in (
        [], ["b"],
    )  # fmt: skip
    assert len(list(trials.make_sounds(9, 0))) == 9


def test_what_was_computed_is_not_computed_again(monkeypatch, tmp_path):
    monkeypatch.setattr(catalogue, "KEPT", tmp_path)
    assert catalogue.remember("x", "key", lambda: [1]) == [1]
    assert catalogue.remember("x", "key", lambda: 1 / 0) == [1]
    assert catalogue.remember("x", "other", lambda: [2]) == [2]
    tracks = make_tracks("ab")
    first = catalogue.build_index(tracks)
    monkeypatch.setattr(Index, "from_signals", lambda signals: 1 / 0)
    again = catalogue.build_index(tracks)
    query = make_query(make_noise("a")[: 5 * SR])
    assert first.ask(query).match == again.ask(query).match


def judge(*entries):
    """Judge entries of a mix in which "a" plays from 10 to 60 s, "b" from 55 to 100 s."""
    truth = [mix.Truth("a", 10, 60, 0, "plain"), mix.Truth("b", 55, 100, 0, "fader")]
    played = [
        Played(start, end, song, 0.0, 1e-6, twins=tuple(twins))
        for start, end, song, *twins in entries
    ]
    rows, n_others = mix.judge(played, truth, {"a": 0, "b": 1, "c": 2, "a again": 0})
    return [row["right"] for row in rows], [row["n_entries"] for row in rows], n_others


def test_a_song_of_a_mix_is_right_if_one_entry_has_its_name_and_both_its_ends():
    b = (55, 100, "b")
    assert judge((10, 60, "a"), b) == ([True, True], [1, 1], 0)
    assert judge((8.6, 61.4, "a"), b, (100, 120, None)) == ([True, True], [1, 1], 0)
    for late in ((8.4, 60, "a"), (10, 61.6, "a"), (11.6, 60, "a"), (10, 58.4, "a")):
        assert judge(late, b) == ([False, True], [1, 1], 0)
    assert judge(b) == ([False, True], [0, 1], 0)
    assert judge((10, 60, "c"), b) == ([False, True], [0, 1], 1)  # another song, so one too many
    assert judge((10, 60, "c", "a"), b) == ([True, True], [1, 1], 0)  # named as its twin
    assert judge((10, 60, "a again"), b) == ([True, True], [1, 1], 0)  # made of it


def test_an_entry_too_many_is_counted_wherever_it_is():
    a, b = (10, 60, "a"), (55, 100, "b")
    assert judge(a, b, (20, 40, "c")) == ([True, True], [1, 1], 1)
    assert judge(a, b, (200, 240, "a")) == ([True, True], [1, 1], 1)  # not where it plays
    assert judge((10, 30, "a"), (30, 60, "a"), b) == ([False, True], [2, 1], 1)  # in two pieces
    assert judge(a, b, (30, 40, "a")) == ([False, True], [2, 1], 1)  # and once more


def test_a_summary_counts_what_is_right_and_keeps_what_is_not():
    errors = {"start_error_s": -1.0, "end_error_s": 0.5}
    found = {"mix": 0, "kind": "plain", "n_entries": 1, "right": True} | errors
    missed = {"mix": 1, "kind": "fader", "n_entries": 0, "right": False}
    told = mix.summarise([found, missed])
    assert (told["n_songs"], told["n_right"], told["n_named"], told["n_one_entry"]) == (2, 1, 1, 1)
    assert told["kinds"]["plain"] == {"n": 1, "right": 1} and told["missed"] == [missed]
    assert told["error_median_s"] == 0.75
