"""The demo tables: schemas, repeatability, the labelling rule, and what a sampler must keep."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aares.data.schemas import COLUMNS as TYPES
from aares.data.schemas import SCHEMAS
from tools import demo_model, demo_tables
from tools.demo_fidelity import count_copies, share_genre
from workshop.config import DEMO

SCALE = 0.03
TABLES = ("train", "test", "subset", "recommendation")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, dict[str, pd.DataFrame]]:
    folder = tmp_path_factory.mktemp("demo")
    return folder, demo_tables.make_tables(folder, scale=SCALE)


def read_text(name: str) -> pd.DataFrame:
    return pd.read_csv(DEMO / f"spotify_dataset_{name}.csv", dtype=str, keep_default_na=False)


def test_tables_are_byte_identical_when_made_again(made, tmp_path):
    folder, _ = made
    demo_tables.make_tables(tmp_path, scale=SCALE)
    for path in sorted(folder.glob("*.csv")):
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_another_seed_makes_other_songs(made, tmp_path):
    other = demo_tables.make_tables(tmp_path, scale=SCALE, seed=demo_tables.SEED + 1)
    assert set(other["subset"]["id"]).isdisjoint(made[1]["subset"]["id"])


@pytest.mark.parametrize("name", TABLES)
def test_sampled_tables_have_the_course_columns(made, name):
    frame = made[1][name]
    assert tuple(frame.columns) == SCHEMAS[name]
    assert len(frame) == max(int(demo_tables.SIZES[name] * SCALE), 20)


@pytest.mark.parametrize("name", TABLES)
def test_committed_tables_are_valid_and_of_full_size(name):
    frame = read_text(name)
    assert tuple(frame.columns) == SCHEMAS[name]
    assert len(frame) == demo_tables.SIZES[name]
    for column in frame:
        TYPES[column].parse(frame[column], lambda row: f"row {row}")


def test_explicit_is_written_as_in_the_course_files():
    for name, texts in (("train", {"True", "False"}), ("recommendation", {"0", "1"})):
        assert set(read_text(name)["explicit"]) == texts


def test_dates_have_three_precisions_and_agree_with_the_year():
    frame = read_text("recommendation")
    assert set(frame["release_date"].str.len()) == {4, 7, 10}
    assert (frame["release_date"].str[:4] == frame["year"]).all()


@pytest.mark.parametrize(
    ("genres", "label"),
    [
        (["dutch trap pop"], "rap"),
        (["canadian hip hop", "pop"], "hip hop"),
        (["album rock", "soul"], "rock"),
        (["dance pop"], "pop"),
        (["lo-fi beats"], None),
        ([], None),
    ],
)
def test_label_is_the_first_keyword_of_the_first_matching_genre(genres, label):
    assert demo_model.label_genres(genres) == label


def test_lists_of_genres_are_alphabetical_and_shared_by_an_artist():
    frame = read_text("subset")
    lists = frame["genres"].map(ast.literal_eval)
    assert all(names == sorted(set(names)) for names in lists)
    assert frame.groupby("artist_name")["genres"].nunique().max() == 1


def test_songs_in_train_and_subset_follow_the_rule():
    keys = ["release_date", "loudness", "tempo", "duration_ms"]
    both = read_text("train").merge(read_text("subset"), on=keys)
    assert len(both) >= 5
    labels = both["genres"].map(ast.literal_eval).map(demo_model.label_genres)
    assert (labels == both["genre"]).all()


def test_classes_of_the_world_follow_the_rule(made):
    frame = made[1]["subset"]
    labels = frame["genres"].map(ast.literal_eval).map(demo_model.label_genres)
    assert set(labels.dropna()) <= set(made[1]["train"]["genre"]) | set(demo_model.CLASSES)
    assert labels.isna().any()
    assert labels.notna().mean() > 0.5


def test_ids_are_distinct_and_look_like_spotify_ids():
    for name in ("subset", "recommendation"):
        ids = read_text(name)["id"]
        assert ids.is_unique
        assert ids.str.fullmatch(r"[0-9A-Za-z]{22}").all()


def test_songs_of_one_day_share_their_genre_more_often_than_chance():
    train = read_text("train")
    chance = (train["genre"].value_counts(normalize=True) ** 2).sum()
    assert share_genre(train) > 1.5 * chance


def test_listening_names_known_songs_and_has_a_long_tail():
    plays = pd.read_csv(DEMO / "listening.csv")
    assert list(plays.columns) == ["user_id", "id", "plays"]
    assert set(plays["id"]) <= set(read_text("recommendation")["id"])
    assert not plays.duplicated(["user_id", "id"]).any()
    assert plays["plays"].min() >= 1
    listeners = plays["id"].value_counts()
    assert listeners.head(len(listeners) // 10).sum() > 0.3 * len(plays)


def test_demo_data_stays_small():
    sizes = {path: path.stat().st_size for path in DEMO.rglob("*") if path.is_file()}
    assert sum(sizes.values()) < 12e6
    assert sum(size for path, size in sizes.items() if path.suffix == ".csv") < 3.8e6


def test_values_follow_the_quantile_function():
    table = np.interp(demo_model.GRID, [0, 1], [0.0, 1.0])
    scores = np.random.default_rng(0).standard_normal(20_000)
    values = demo_model.to_values(scores, table, "danceability")
    assert np.abs(np.quantile(values, [0.1, 0.5, 0.9]) - [0.1, 0.5, 0.9]).max() < 0.01


def test_repaired_correlation_is_positive_definite():
    broken = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])
    fixed = demo_model.repair_correlation(broken)
    assert np.linalg.eigvalsh(fixed).min() > 0
    assert np.allclose(np.diag(fixed), 1)


def test_copies_are_counted(made):
    frame = made[1]["train"].astype({"explicit": int})
    moved = frame.assign(tempo=frame["tempo"] + 40, loudness=frame["loudness"] * 3)
    assert count_copies(frame, frame) >= 0.9 * len(frame)
    assert count_copies(moved.assign(energy=0.5, valence=0.5), frame) == 0
