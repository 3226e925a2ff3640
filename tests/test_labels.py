"""Answers that the page exported: read with care, made pairs, learnt from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from aares.chaining.join_model import fit_join_model
from aares.chaining.labels import (
    EXPORTED,
    FEWEST,
    fit_people,
    label_pairs,
    read_labels,
    tabulate_answers,
    update_probabilities,
)
from aares.chaining.pairs import COLUMNS
from aares.errors import DataError

ROW = {
    "answer_id": "1", "rater": "r", "name": "Ada", "a": "x", "b": "y", "kind": "fresh",
    "presentation": "plain", "answer": "yes", "undone": "0", "heard_ms": "12000", "replays": "0",
    "reaction_ms": "850.4", "join": "gap", "levels": "levelled", "device": "headphones",
    "headphones_right": "6", "rate": "48000", "page_version": "1", "clip_version": "1",
    "answered_at": "2026-11-27T21:00:00Z",
}  # fmt: skip


def write(path, *changes, **columns):
    rows = [{**ROW, "answer_id": str(k), **change} for k, change in enumerate(changes or [{}])]
    pd.DataFrame(rows).assign(**columns).to_csv(path, index=False)
    return path


def test_a_file_is_read_in_order_of_time(tmp_path):
    path = write(
        tmp_path / "labels.csv",
        {"answered_at": "2026-11-27T21:00:02.5+00:00", "headphones_right": "", "device": ""},
        {"answered_at": "2026-11-27T21:00:01Z", "undone": "1", "name": "=cmd, \"x\"\n'y'"},
        {"answered_at": "2026-11-27T23:00:00+02:00"},
        note="kept",
    )
    labels = read_labels(path)
    assert labels["answer_id"].tolist() == ["2", "1", "0"]
    assert labels["undone"].tolist() == [False, True, False]
    assert labels["headphones_right"].isna().tolist() == [False, False, True]
    assert labels["reaction_ms"].tolist() == [850] * 3
    assert str(labels["answered_at"].dtype).endswith("UTC]")
    assert labels["name"][1] == "=cmd, \"x\"\n'y'"
    assert labels["note"].tolist() == ["kept"] * 3
    assert list(labels)[: len(EXPORTED)] == list(EXPORTED)


def test_a_file_without_answers_is_read(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(",".join(EXPORTED) + "\n", encoding="utf-8")
    labels = read_labels(path)
    assert len(labels) == 0
    assert len(tabulate_answers(labels)) == 0
    assert list(label_pairs(labels)[list(COLUMNS)]) == list(COLUMNS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"answer": "maybe"}, "line 3, answer: expected no, unsure, yes, found 'maybe'"),
        ({"kind": "odd"}, "line 3, kind"),
        ({"presentation": ""}, "line 3, presentation"),
        ({"join": "jump"}, "line 3, join"),
        ({"levels": "loud"}, "line 3, levels"),
        ({"device": "ears"}, "line 3, device: expected headphones, loudspeakers, nothing"),
        ({"undone": "2"}, "line 3, undone"),
        ({"heard_ms": "-1"}, "line 3, heard_ms: expected a number from 0, found '-1'"),
        ({"replays": ""}, "line 3, replays"),
        ({"rate": "inf"}, "line 3, rate"),
        ({"headphones_right": "7"}, "line 3, headphones_right"),
        ({"answered_at": "yesterday"}, "line 3, answered_at"),
        ({"rater": ""}, "line 3, rater: expected a name"),
        ({"a": ""}, "line 3, a: expected a name"),
        ({"answer_id": "0"}, "line 3, answer_id: expected each answer once"),
    ],
)
def test_a_cell_that_cannot_be_is_named(tmp_path, change, words):
    path = write(tmp_path / "labels.csv", {}, change)
    with pytest.raises(DataError, match="labels.csv, " + words):
        read_labels(path)


def test_a_file_that_is_none_is_told(tmp_path):
    with pytest.raises(DataError, match="none.csv: expected an exported file"):
        read_labels(tmp_path / "none.csv")
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(DataError, match="empty.csv"):
        read_labels(tmp_path / "empty.csv")
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\xff\x00")
    with pytest.raises(DataError, match="picture.csv"):
        read_labels(tmp_path / "picture.csv")
    (tmp_path / "other.csv").write_text("a,b\nx,y\n", encoding="utf-8")
    with pytest.raises(DataError, match="column 'answer_id'"):
        read_labels(tmp_path / "other.csv")
    with pytest.raises(DataError, match="expected"):
        read_labels(tmp_path)


def make_labels(rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["a", "b", "rater", "answer", "kind", "undone"])


LABELS = make_labels([
    ("x", "y", "r", "yes", "uncertain", False),
    ("x", "y", "s", "unsure", "coverage", False),
    ("x", "y", "r", "no", "repeat", False),
    ("y", "x", "r", "yes", "fresh", True),
    ("y", "x", "r", "no", "fresh", False),
    ("z", "z", "r", "yes", "check", False),
    ("t", "t", "r", "yes", "training", False),
])  # fmt: skip


def test_answers_as_pairs_by_raters():
    table = tabulate_answers(LABELS)
    assert table.index.tolist() == [("x", "y"), ("y", "x")]  # directed; no check, no training
    assert table["r"].tolist() == [2, 0]  # not the repeat, not the undone one
    assert table["s"].tolist()[0] == 1
    assert np.isnan(table["s"].tolist()[1])
    assert tabulate_answers(LABELS, kinds=("repeat",)).to_numpy().tolist() == [[0]]
    with pytest.raises(DataError, match="'rater'"):
        tabulate_answers(LABELS.drop(columns="rater"))
    with pytest.raises(DataError, match="maybe"):
        tabulate_answers(LABELS.assign(answer="maybe"))


def test_labels_become_pairs_of_the_chaining_table():
    songs = pd.DataFrame({"song": list("xyz"), "seconds": [60.0, 70, 80], "album": list("AAB")})
    songs["fold"] = [0, 0, 1]
    more = make_labels([("x", "z", "r", "yes", "fresh", False)])
    pairs = label_pairs(pd.concat([LABELS, more]), songs)
    assert list(pairs)[: len(COLUMNS)] == list(COLUMNS)
    assert pairs[["a", "b"]].to_numpy().tolist() == [["x", "y"], ["x", "z"], ["y", "x"]]
    assert pairs["label"].tolist() == [1, 1, 0]
    assert pairs["end"].tolist() == [60, 60, 70]
    assert (pairs["start"] == 0).all()
    assert set(pairs["source"]) == {"people"}
    assert pairs["group_album"].tolist() == ["A", "A", "A"]
    assert pairs["fold"].tolist() == [0, -1, 0]  # songs of two folds: in none
    assert pairs["votes"].tolist() == [0.75, 1, 0]
    assert pairs["raters"].tolist() == [2, 1, 1]
    assert ((pairs["probability"] > 0.5) == (pairs["label"] == 1)).all()
    with pytest.raises(DataError, match="song 'y'"):
        label_pairs(LABELS, songs.iloc[:1])
    with pytest.raises(DataError, match="'x' twice"):
        label_pairs(LABELS, songs.iloc[[0, 1, 0]])


def test_a_careless_rater_does_not_decide_a_label():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 80)
    rows = []
    for pair, good in enumerate(truth):
        for rater, wrong in (("p", 0.05), ("q", 0.05), ("careless", 0.5)):
            said = good if rng.random() > wrong else 1 - good
            rows.append((f"a{pair:02}", "b", rater, ("no", "yes")[said], "fresh", False))
    pairs = label_pairs(make_labels(rows))
    assert (pairs["label"] == truth).mean() > 0.94


# --- learning -----------------------------------------------------------------------------

N_FEATURES = 314


def make_joins(n: int, *, told: int, seed: int):
    """Return labels, and joins of which one feature tells, another of what proxies know."""
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    joins = rng.standard_normal((n, N_FEATURES))
    joins[:, told : told + 8] += 1.2 * label[:, None]
    return joins, label


def test_people_teach_what_proxies_do_not_know():
    of_splices, spliced = make_joins(400, told=0, seed=0)
    proxies = fit_join_model(of_splices, spliced, np.arange(400) // 2 % 4, n_trees=40)
    rng = np.random.default_rng(1)
    # People care for what splices tell, and for something else.
    label = rng.integers(0, 2, 300)
    joins = rng.standard_normal((300, N_FEATURES))
    joins[:, :8] += 0.35 * label[:, None]
    joins[:, 100:140] += 0.8 * label[:, None]
    known, unseen = slice(0, 60), slice(60, 300)
    area = {
        name: roc_auc_score(label[unseen], model.predict_proba(joins[unseen]))
        for name, model in {
            "proxies": proxies,
            "people": fit_people(joins[known], label[known]),
            "both": fit_people(joins[known], label[known], proxies=proxies),
        }.items()
    }
    assert area["both"] > area["proxies"] + 0.05
    assert area["both"] > area["people"] - 0.01


def test_the_same_labels_teach_the_same():
    joins, label = make_joins(40, told=3, seed=2)
    first, second = (fit_people(joins, label, random_state=1) for _ in range(2))
    assert (first.predict_proba(joins) == second.predict_proba(joins)).all()
    assert fit_people(joins, label).predict_proba(joins[:0]).shape == (0,)


def test_gaps_and_weights_are_taken():
    joins, label = make_joins(60, told=3, seed=2)
    joins[::7, 100:] = np.nan
    wrong = np.where(np.arange(60) < 20, 1 - label, label)
    weights = np.where(np.arange(60) < 20, 0.0, 1.0)
    found = fit_people(joins, wrong, weights=weights).predict_proba(joins[:20])
    assert roc_auc_score(label[:20], found) > 0.9


@pytest.mark.parametrize(
    ("joins", "label", "weights", "words"),
    [
        (np.zeros((3, 2)), [0, 1], None, "3 joins, 2 labels"),
        (np.zeros((4, 2)), [0, 1, 0, 1], [1], "1 weights"),
        (np.zeros((4, 2)), [0, 1, 1, 1], None, "at least two"),
        (np.zeros(4), [0, 1, 1, 0], None, "two axes"),
    ],
)
def test_what_cannot_be_learnt_from_is_told(joins, label, weights, words):
    with pytest.raises(ValueError, match=words):
        fit_people(joins, label, weights=weights)


def test_probabilities_follow_the_answers():
    joins, label = make_joins(120, told=3, seed=4)
    pairs = pd.DataFrame({"a": "x", "b": "y", "kind": ["question"] * 110 + ["check"] * 10})
    said = np.where(label, "yes", "no")
    answers = pd.DataFrame({"rater": "r", "row": np.arange(60), "answer": said[:60]})
    p = update_probabilities(pairs, answers, joins)
    assert p.shape == (120,)
    assert roc_auc_score(label[60:], p[60:]) > 0.9
    few = answers.iloc[: 2 * FEWEST - 1]
    assert update_probabilities(pairs, few, joins) is None
    checks = pd.DataFrame({"rater": "r", "row": np.arange(110, 120), "answer": said[110:]})
    assert update_probabilities(pairs, pd.concat([few, checks]), joins) is None
    unsure = answers.assign(answer="unsure")
    assert update_probabilities(pairs, unsure, joins) is None
    with pytest.raises(ValueError, match="120 pairs"):
        update_probabilities(pairs, answers, joins[:5])


def test_proxies_speak_until_people_do():
    joins, label = make_joins(160, told=3, seed=5)
    proxies = fit_join_model(joins, label, np.arange(160) // 2 % 4, n_trees=10)
    pairs = pd.DataFrame({"a": "x", "b": "y", "kind": ["question"] * 160})
    nothing = pd.DataFrame(columns=["rater", "row", "answer"])
    before = update_probabilities(pairs, nothing, joins, proxies=proxies)
    assert (before == proxies.predict_proba(joins)).all()
    against = np.where(label, "no", "yes")  # people who say the opposite are believed
    answers = pd.DataFrame({"rater": "r", "row": np.arange(60), "answer": against[:60]})
    after = update_probabilities(pairs, answers, joins, proxies=proxies)
    assert roc_auc_score(label[60:], after[60:]) < 0.2
