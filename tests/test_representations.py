"""Comparing what is heard and seen: what is planted is found, and nothing of the test is known."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from aares.chaining.draws import SPLITS, SongPairs, sample_pairs
from aares.chaining.representations import (
    choose_features,
    compare_representations,
    join_tables,
    summarise_representations,
)
from aares.chaining.visual import list_features
from workshop.measured import RESULTS

GROUPS = np.repeat(list("abcdefgh"), 10)
RNG = np.random.default_rng(0)
NOISE = RNG.normal(size=(80, 400))
TELLING = NOISE.copy()
TELLING[:, 7] = RNG.permutation(8).repeat(10) + RNG.normal(0, 0.1, 80)
HEARD = RNG.normal(size=(80, 5))
QUICK = {"names": ["boosting"], "n_draws": 4, "n_chosen": 10}


def test_a_feature_that_tells_is_chosen_and_found_in_unseen_songs():
    train = sample_pairs(GROUPS, 200, rng=np.random.default_rng(1))
    assert 7 in choose_features(TELLING, train, 3)
    answers = compare_representations({"audio": [HEARD], "visual": [TELLING],
                                       "both": [HEARD, TELLING]}, GROUPS, **QUICK)  # fmt: skip
    table = summarise_representations(answers).set_index(["split", "representation"])
    for split in ("unseen songs", "unseen groups"):
        assert table.loc[(split, "audio"), "auc"] < 0.62
        for name in ("visual", "both"):
            row = table.loc[(split, name)]
            assert row["auc"] > 0.9 and row["gain_low"] > 0.2
            assert row["low"] <= row["auc"] <= row["high"]


def test_choosing_among_many_says_nothing_of_unseen_songs():
    answers = compare_representations({"noise": [NOISE]}, GROUPS, splits=["unseen songs"], **QUICK)
    (row,) = summarise_representations(answers).to_dict("records")
    assert 0.4 < row["auc"] < 0.6
    assert row["low"] < 0.5 < row["high"]


def test_only_training_songs_scale_choose_and_teach():
    train = SongPairs(np.array([0, 1, 2, 3]), np.array([1, 2, 3, 0]), np.array([1, 0, 1, 0]) == 1)
    values = np.random.default_rng(2).normal(size=(6, 30))
    other = values.copy()
    other[4:] = 1e3 * other[4:] + 5
    points = join_tables([values], train, n_chosen=8)
    assert (join_tables([other], train, n_chosen=8)[:4] == points[:4]).all()
    asked = []

    def learn(songs, seed):
        asked.append((songs.tolist(), seed))
        return values

    learnt = join_tables([learn], train, n_chosen=8, random_state=5)
    assert asked == [([0, 1, 2, 3], 5)] and (learnt == points).all()


def test_the_score_is_the_auc_and_pairs_of_the_same_songs_count_once():
    rng = np.random.default_rng(3)
    found = pd.DataFrame({"representation": "x", "model": "boosting", "split": "random pairs",
                          "draw": 0, "a": np.arange(60), "b": np.arange(60, 120),
                          "label": rng.random(60) < 0.5})  # fmt: skip
    found["probability"] = np.round(rng.random(60), 1)
    (row,) = summarise_representations(found).to_dict("records")
    assert row["auc"] == pytest.approx(roc_auc_score(found["label"], found["probability"]))
    assert row["gain"] == 0 and row["draws"] == 1 and row["pairs"] == 60
    assert row["high"] - row["low"] > 0.2
    (again,) = summarise_representations(pd.concat([found] * 9)).to_dict("records")
    assert (again["low"], again["high"]) == pytest.approx((row["low"], row["high"]))


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="visual: expected features of 80 songs, found 79"):
        compare_representations({"audio": [HEARD], "visual": [NOISE[:79]]}, GROUPS)
    with pytest.raises(ValueError, match="expected representations and draws, found 0 and 10"):
        compare_representations({}, GROUPS)
    train = sample_pairs(GROUPS, 20, rng=np.random.default_rng(1))
    with pytest.raises(ValueError, match="n_chosen: expected 1 or more, found 0"):
        join_tables([HEARD], train, n_chosen=0)


def test_the_committed_figures_are_of_these_features_and_hold_together():
    found = json.loads((RESULTS / "chainable-visual.json").read_text(encoding="utf-8"))
    first = found["albums_300"]
    assert first["features"] == len(list_features())
    assert sum(first["songs"].values()) == first["n_songs"]
    for section in found.values():
        for row in section.get("rows", []):
            assert row["low"] <= row["auc"] <= row["high"] and row["draws"] >= 2, row
            assert row["gain_low"] <= row["gain"] <= row["gain_high"], row
    table = pd.DataFrame(first["rows"])
    assert set(table["representation"]) == {"audio", "visual", "both"}
    assert set(table["split"]) == set(SPLITS)
