"""Which pair is asked next: the rules hold over whole sessions, for every seed."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from aares.chaining.choice import CHECKS, LATER, REPEATS, SIDES, Choice, Tally, choose_next
from aares.errors import DataError

N_SONGS = 12
COLUMNS = ["rater", "row", "presentation", "answer"]


def make_pairs(n_songs: int = N_SONGS, n_checks: int = 20) -> pd.DataFrame:
    """All ordered pairs of some songs as questions, and checks of songs of their own."""
    rows = [
        (f"s{a}", f"s{b}", "question") for a in range(n_songs) for b in range(n_songs) if a != b
    ]
    rows += [(f"c{k}", f"d{k}", "check") for k in range(n_checks)]
    return pd.DataFrame(rows, columns=["a", "b", "kind"])


def make_answers(rows: list[tuple[str, int, str]]) -> pd.DataFrame:
    return pd.DataFrame([(*row, "yes") for row in rows], columns=COLUMNS)


def ask(pairs, answers, rater, *, held=(), probabilities=None, seed=0) -> Choice | None:
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
    return choose_next(pairs, answers, rater, probabilities=probabilities, held=held, rng=rng)


def play(pairs, raters, n_answers, *, seed=0, order="turns", probabilities="drawn"):
    """Return what raters were asked, and after each choice how many pairs waited for the rater."""
    rng = np.random.default_rng(seed)
    p = rng.random(len(pairs)) if probabilities == "drawn" else probabilities
    tally, asked = Tally(pairs), []
    for k in range(n_answers):
        rater = raters[k % len(raters)] if order == "turns" else raters[rng.integers(len(raters))]
        choice = tally.choose(rater, probabilities=p, held=(), rng=rng)
        if choice is None:
            break
        asked.append((rater, *choice))
        tally.add(k, rater, choice.row, choice.presentation)
    return pd.DataFrame(asked, columns=["rater", "row", "kind", "presentation"])


@pytest.mark.parametrize("seed", range(4))
def test_no_rater_is_asked_a_fresh_pair_twice(seed):
    asked = play(make_pairs(6, 4), ["x", "y"], 80, seed=seed)
    fresh = asked[asked["kind"] != "repeat"]
    assert not fresh.duplicated(["rater", "row"]).any()
    assert not asked[asked["kind"] == "repeat"].duplicated(["rater", "row"]).any()


@pytest.mark.parametrize("seed", range(4))
def test_two_raters_before_a_third_pair_is_opened(seed):
    pairs = make_pairs()
    asked = play(pairs, ["x", "y", "z"], 150, seed=seed, order="drawn")
    questions = asked[asked["kind"].isin(["uncertain", "coverage"])]
    heard: dict[int, set[str]] = {}
    opened = 0
    for rater, row in zip(questions["rater"], questions["row"], strict=True):
        waiting = [k for k, by in heard.items() if len(by) == 1 and rater not in by]
        if row not in heard:
            opened += 1
            assert len(waiting) < 2, f"{row} was opened while {waiting} waited for {rater}"
        heard.setdefault(row, set()).add(rater)
    assert opened > 20
    assert max(map(len, heard.values())) == 2


def test_a_pair_of_two_raters_is_asked_again_when_all_have_two():
    pairs = make_pairs(3, 0)
    rows = [(rater, row, "plain") for rater in "xy" for row in range(6)]
    assert ask(pairs, make_answers(rows), "z").kind == "coverage"
    rows += [("z", row, "plain") for row in range(5)]
    assert ask(pairs, make_answers(rows), "z").row == 5
    assert ask(pairs, make_answers([*rows, ("z", 5, "plain")]), "z") is None


@pytest.mark.parametrize("seed", range(4))
def test_shares_of_a_long_session(seed):
    asked = play(make_pairs(20, 30), ["x"], 240, seed=seed)
    share = asked["kind"].value_counts(normalize=True)
    assert abs(share["repeat"] - REPEATS) < 0.02
    assert abs(share["check"] - CHECKS) < 0.02
    ratio = share["uncertain"] / (share["uncertain"] + share["coverage"])
    assert abs(ratio - 0.5) < 0.12


@pytest.mark.parametrize("seed", range(4))
def test_a_repeat_is_own_late_and_on_the_other_side(seed):
    asked = play(make_pairs(), ["x", "y"], 160, seed=seed)
    n_repeats = 0
    for _, own in asked.groupby("rater"):
        own = own.reset_index(drop=True)
        for at in np.flatnonzero(own["kind"] == "repeat"):
            (first,) = np.flatnonzero(own["row"][:at] == own["row"][at])
            assert at - first >= LATER
            assert own["presentation"][first] != own["presentation"][at]
            n_repeats += 1
    assert n_repeats >= 12
    fresh = asked[asked["kind"] != "repeat"]["presentation"].value_counts(normalize=True)
    assert fresh.between(0.35, 0.65).all()  # so that a side does not tell a repeat


def test_a_check_is_no_repeat():
    pairs = make_pairs(1, 30)
    rows = [("x", row, "plain") for row in range(25)]
    assert {ask(pairs, make_answers(rows), "x", seed=seed).kind for seed in range(40)
            if ask(pairs, make_answers(rows), "x", seed=seed)} <= {"check"}  # fmt: skip


def test_uncertain_is_what_the_model_is_least_sure_of():
    pairs = make_pairs(5, 0)
    p = np.linspace(0, 1, 20) ** 2
    choices = [ask(pairs, make_answers([]), "x", probabilities=p, seed=seed) for seed in range(40)]
    rows = {choice.row for choice in choices if choice.kind == "uncertain"}
    assert rows == {int(np.argmin(np.abs(p - 0.5)))}
    assert 10 < sum(choice.kind == "uncertain" for choice in choices) < 30
    without = [ask(pairs, make_answers([]), "x", seed=seed) for seed in range(20)]
    assert {choice.kind for choice in without} == {"coverage"}


def test_coverage_takes_songs_and_regions_not_yet_heard():
    pairs = pd.DataFrame({"a": list("uuvw"), "b": list("xyzx"), "kind": "question"})
    answers = make_answers([("x", 0, "plain")])
    assert {ask(pairs, answers, "x", seed=seed).row for seed in range(30)} == {2}
    pairs = pd.DataFrame({"a": list("uvw"), "b": list("xyz"), "kind": "question"})
    pairs["region"] = [0, 0, 1]
    assert {ask(pairs, answers, "x", seed=seed).row for seed in range(30)} == {2}


def test_what_is_held_is_not_chosen():
    pairs = make_pairs(4, 4)
    for seed in range(20):
        held = set(range(len(pairs))) - {7}
        assert ask(pairs, make_answers([]), "x", held=held, seed=seed).row == 7
    assert ask(pairs, make_answers([]), "x", held=range(len(pairs))) is None
    rows = [("x", row, "plain") for row in range(12)] + [("y", row, "plain") for row in range(12)]
    assert ask(pairs, make_answers(rows), "x", held=range(12, 16)) is None


def test_both_orders_are_two_questions():
    pairs = pd.DataFrame({"a": ["x", "y"], "b": ["y", "x"], "kind": "question"})
    assert ask(pairs, make_answers([("me", 0, "plain")]), "me").row == 1


def test_the_same_seed_chooses_alike():
    first, second = (play(make_pairs(), ["x", "y"], 60, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_counted_up_or_from_the_table_the_choice_is_the_same():
    """Answers come, also again, and go in any order; after each both ways choose alike."""
    rng, seen = np.random.default_rng(0), set()
    pairs = make_pairs(12, 8).assign(region=lambda pairs: np.arange(len(pairs)) % 5)
    tally, rows = Tally(pairs), {}
    for key in range(250):
        rater = "xy"[rng.integers(2)]
        if rows and rng.random() < 0.25:
            gone = list(rows)[rng.integers(len(rows))]
            del rows[gone]
            tally.remove(gone)
        else:
            own = [] if key % 20 == 0 else [row for who, row, _ in rows.values() if who == rater]
            row = int(rng.choice(np.setdiff1d(np.arange(len(pairs)), own)))
            rows[key] = (rater, row, SIDES[rng.integers(2)])
            tally.add(key, *rows[key])
        held = set(rng.integers(len(pairs), size=3).tolist())
        p = None if key % 5 == 0 else rng.random(len(pairs)).round(1)
        answers = make_answers(list(rows.values()))
        counted = tally.choose(rater, probabilities=p, held=held, rng=np.random.default_rng(key))
        assert counted == ask(pairs, answers, rater, held=held, probabilities=p, seed=key)
        seen.add(counted and counted.kind)
    assert seen >= {"uncertain", "coverage", "repeat", "check"}


def test_a_tally_refuses_what_it_cannot_count():
    tally = Tally(make_pairs(3, 0))
    tally.add("k", "x", 1, "plain")
    for given, words in (
        (("k", "x", 2, "plain"), "found 'k' again"),
        (("l", "x", 6, "plain"), "from 0 to 5, found 6"),
        (("l", "x", 0.5, "plain"), "whole number"),
        (("l", "x", True, "plain"), "whole number"),
        (("l", "x", 2, "upside"), "upside"),
    ):
        with pytest.raises(ValueError, match=words):
            tally.add(*given)
    with pytest.raises(ValueError, match="'l'"):
        tally.remove("l")
    tally.remove("k")
    tally.add("k", "x", 2, "plain")  # taken back, it may be given again


def test_ten_thousand_pairs_are_chosen_from_in_time():
    """From a table of answers within 20 ms; counted up, as the page does it, in a tenth of that."""
    rng = np.random.default_rng(0)
    pairs = pd.DataFrame(rng.integers(0, 300, (10_000, 2)).astype(str), columns=["a", "b"])
    pairs["kind"] = np.where(np.arange(10_000) % 50, "question", "check")
    raters = rng.integers(0, 20, 1000).astype(str)
    rows = [(rater, int(rng.integers(10_000)), "plain") for rater in raters]
    answers, p, tally = make_answers(rows), rng.random(10_000), Tally(pairs)
    for key, row in enumerate(rows):
        tally.add(key, *row)
    times = []
    for seed in range(15):
        rater, given = str(seed % 20), {"probabilities": p, "held": range(40)}
        times.append([time.process_time()])
        ask(pairs, answers, rater, seed=seed, **given)
        times[-1].append(time.process_time())
        tally.choose(rater, rng=np.random.default_rng(seed), **given)
        times[-1].append(time.process_time())
    from_table, counted = np.median(np.diff(times), axis=0)
    assert from_table <= 0.020
    assert counted <= 0.002


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"pairs": pd.DataFrame({"a": ["x"], "b": ["y"]})}, DataError, "'kind'"),
        ({"pairs": pd.DataFrame({"a": ["x"], "b": ["y"], "kind": ["odd"]})}, DataError, "'odd'"),
        ({"answers": pd.DataFrame({"rater": ["x"]})}, DataError, "'row'"),
        ({"answers": make_answers([("x", 99, "plain")])}, DataError, "99"),
        ({"answers": make_answers([("x", "many", "plain")])}, DataError, "many"),
        ({"answers": make_answers([("x", 1, "upside")])}, DataError, "upside"),
        ({"answers": make_answers([("x", np.nan, "plain")])}, DataError, "found nan"),
        ({"answers": make_answers([("x", 1, "plain"), (np.nan, 2, "plain")])}, DataError, "row 1"),
        ({"answers": None}, DataError, "expected a DataFrame, found NoneType"),
        ({"pairs": {"a": ["x"]}}, DataError, "expected a DataFrame, found dict"),
        ({"held": ["one"]}, ValueError, "found 'one'"),
        ({"probabilities": ["likely"] * 16}, ValueError, "expected numbers"),
        ({"probabilities": [0.5]}, ValueError, "6 numbers"),
        ({"probabilities": [0.5, 0.5, 0.5, 0.5, 0.5, 1.5]}, ValueError, "1.5"),
        ({"probabilities": [np.nan] * 6}, ValueError, "nan"),
        ({"held": [6]}, ValueError, "6"),
    ],
)
def test_what_does_not_fit_is_told(change, error, words):
    given = {"pairs": make_pairs(3, 0), "answers": make_answers([]), "probabilities": None,
             "held": [], **change}  # fmt: skip
    rng = np.random.default_rng(0)
    with pytest.raises(error, match=words):
        choose_next(given.pop("pairs"), given.pop("answers"), "x", rng=rng, **given)
