"""Tables: the right ones load whole, the wrong ones say what is wrong and where."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from conftest import edit_csv

from aares import data
from aares.data import DataError
from aares.data.schemas import GENRES, SCHEMAS
from workshop import challenge

TRAIN = "spotify_dataset_train.csv"
LOADERS = {
    "train": data.load_train,
    "test": data.load_test,
    "subset": data.load_subset,
    "recommendation": data.load_recommendation,
}


@pytest.mark.parametrize("table", SCHEMAS)
def test_demo_tables_load_whole(demo, table):
    frame = LOADERS[table](demo)
    path = demo.find_table(table)
    assert tuple(frame.columns) == SCHEMAS[table]
    assert len(frame) == len(pd.read_csv(path)), "no row is dropped"
    assert frame["explicit"].dtype == bool
    assert frame["danceability"].between(0, 1).all()


def test_lists_of_names_become_tuples(demo):
    assert all(isinstance(names, tuple) for names in data.load_subset(demo)["genres"])
    assert all(len(names) >= 1 for names in data.load_recommendation(demo)["artists"])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("tempo", "fast", "column 'tempo', row 3: expected a number, found 'fast'"),
        ("tempo", "", "column 'tempo', row 3: expected a number, found an empty cell"),
        ("energy", "inf", "column 'energy', row 3: expected a number"),
        ("energy", "1.5", "column 'energy', row 3: expected a number from 0 to 1, found '1.5'"),
        ("key", "12", "column 'key', row 3: expected a whole number from 0 to 11"),
        ("key", "2.5", "column 'key', row 3: expected a whole number"),
        ("explicit", "maybe", "column 'explicit', row 3: expected True, False, 1 or 0"),
        ("genre", "polka", "column 'genre', row 3: expected one of the 23 genres"),
        ("release_date", "May 2008", "column 'release_date', row 3: expected a date such as 2008"),
        ("release_date", "2009-02-30", "found '2009-02-30'; there is no such day in the calendar"),
    ],
)
def test_a_wrong_cell_is_named(tables, column, value, message):
    edit_csv(tables.folder / TRAIN, 2, column, value)
    with pytest.raises(DataError) as caught:
        data.load_train(tables)
    assert message in str(caught.value)
    assert TRAIN in str(caught.value)


@pytest.mark.parametrize("date", ["2008", "2008-05", "2008-05-23", ""])
def test_every_precision_of_a_date_loads(tables, date):
    edit_csv(tables.folder / TRAIN, 2, "release_date", date)
    assert data.load_train(tables)["release_date"].iloc[2] == date


def test_a_missing_file_is_named(tables):
    (tables.folder / TRAIN).unlink()
    with pytest.raises(DataError, match=rf"{TRAIN}: expected in .*{re.escape(tables.folder.name)}"):
        data.load_train(tables)


def test_the_other_name_of_the_recommendation_table_is_accepted(tables):
    path = tables.folder / "spotify_dataset_recommendation.csv"
    path.rename(tables.folder / "recommendation_spotify.csv")
    assert len(data.load_recommendation(tables)) == 8


def test_a_missing_column_is_named(tables):
    path = tables.folder / TRAIN
    pd.read_csv(path).drop(columns="tempo").to_csv(path, index=False)
    with pytest.raises(DataError, match="missing column 'tempo'"):
        data.load_train(tables)


def test_further_columns_and_another_order_are_kept(tables):
    path = tables.folder / TRAIN
    frame = pd.read_csv(path, dtype=str).assign(comment="mine")
    frame[frame.columns[::-1]].to_csv(path, index=False)
    assert tuple(data.load_train(tables).columns) == (*SCHEMAS["train"], "comment")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found an empty file"),
        (b"a,b\n", "missing column 'release_date'"),
        (b"release_date;explicit\n2008;True\n", "expected commas between columns"),
        (b"release_date\texplicit\n2008\tTrue\n", "expected commas between columns"),
        (b"\xff\xfe\x00bad", "expected UTF-8"),
    ],
)
def test_a_file_that_is_no_table_is_named(tables, content, message):
    (tables.folder / TRAIN).write_bytes(content)
    with pytest.raises(DataError, match=message):
        data.load_train(tables)


def test_a_table_without_rows_is_an_error(tables):
    path = tables.folder / TRAIN
    path.write_text(path.read_text().splitlines()[0] + "\n")
    with pytest.raises(DataError, match="found no row"):
        data.load_train(tables)


@pytest.mark.parametrize("row", ["2008,True,3\n", "2008," * 30 + "\n"])
def test_a_ragged_row_is_an_error(tables, row):
    path = tables.folder / TRAIN
    path.write_text(path.read_text() + row)
    with pytest.raises(DataError, match=TRAIN):
        data.load_train(tables)


def test_a_byte_order_mark_does_not_matter(tables):
    path = tables.folder / TRAIN
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(data.load_train(tables)) == 8


def test_duplicate_ids_are_named(tables):
    path = tables.folder / "spotify_dataset_subset.csv"
    edit_csv(path, 5, "id", pd.read_csv(path)["id"].iloc[1])
    with pytest.raises(DataError, match=r"column 'id', row 6: .* stands already in row 2"):
        data.load_subset(tables)


@pytest.mark.parametrize("value", ["pop", "['pop'", "[1]", "__import__('os')", "[" * 500])
def test_a_genre_list_that_is_none_is_named(tables, value):
    path = tables.folder / "spotify_dataset_subset.csv"
    edit_csv(path, 0, "genres", value)
    with pytest.raises(DataError, match=r"column 'genres', row 1: expected a list such as"):
        data.load_subset(tables)


def test_titles_that_look_like_missing_values_stay_text(tables):
    path = tables.folder / "spotify_dataset_subset.csv"
    edit_csv(path, 0, "track_name", "NA")
    edit_csv(path, 1, "track_name", "null")
    assert data.load_subset(tables)["track_name"].iloc[:2].tolist() == ["NA", "null"]


def test_dates_are_taken_apart():
    dates = pd.Series(["2008", "2008-05", "2008-05-23", "", None], index=list("abcde"))
    parts = data.parse_dates(dates)
    assert parts["precision"].tolist() == ["year", "month", "day", "missing", "missing"]
    assert parts["year"].tolist()[:3] == [2008] * 3
    assert parts.loc["c", ["month", "day"]].tolist() == [5, 23]
    assert parts.isna().sum().tolist() == [2, 3, 4, 0]
    assert list(parts.index) == list("abcde")


def test_listeners_and_their_songs_fit(demo):
    listening = data.load_listening(demo)
    assert set(listening.plays["id"]) <= set(listening.songs["id"])
    assert not listening.plays.duplicated(["user_id", "id"]).any()
    assert (listening.plays["plays"] >= 1).all()
    assert listening.songs["id"].is_unique


def test_real_playlists_serve_as_listeners_where_they_are(demo, tables, tmp_path):
    folder = tmp_path / "users" / "playlists"
    folder.mkdir(parents=True)
    songs = data.load_recommendation(demo).head(4)
    frame = songs.drop(columns=["artists", "explicit"]).rename(
        columns={"id": "track_id", "name": "track_name"}
    )
    frame = frame.assign(track_artist="A", playlist_id=["p", "p", "q", "q"])
    pd.concat([frame, frame.head(1)]).to_csv(folder / "spotify_songs.csv", index=False)
    source = type(tables)("course", tables.folder, tmp_path / "users", tables.out)
    listening = data.load_listening(source)
    assert listening.source_name == "2 real playlists"
    assert len(listening.plays) == len(listening.songs) == 4


def test_the_challenge_file_is_checked_and_written(tables):
    train, test = data.load_train(tables), data.load_test(tables)
    labels = np.resize(train["genre"].unique(), len(test))
    path = challenge.write_challenge(labels, tables)
    assert path.read_text().splitlines() == ["genre", *labels]
    with pytest.raises(DataError, match="expected 8 labels, found 7"):
        challenge.write_challenge(labels[1:], tables)
    absent = next(name for name in GENRES if name not in set(train["genre"]))
    with pytest.raises(DataError, match=f"row 2: expected one of .* found '{absent}'"):
        challenge.write_challenge([labels[0], absent, *labels[2:]], tables)
    assert path.read_text().splitlines() == ["genre", *labels], "a refused file changes nothing"


def test_songs_are_sorted_and_their_absence_is_an_error(demo, tables):
    songs = demo.list_songs()
    assert len(songs) >= 13
    assert songs == sorted(songs, key=lambda path: path.name)
    with pytest.raises(DataError, match="expected audio files"):
        tables.list_songs()


def test_names_in_the_header_may_have_spaces_around_them(tables):
    path = tables.folder / TRAIN
    header, rest = path.read_text().split("\n", 1)
    path.write_text(header.replace(",", ", ") + "\n" + rest)
    assert list(data.load_train(tables).columns) == header.split(",")


def test_cells_beyond_the_header_are_an_error(tables):
    path = tables.folder / TRAIN
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *(row + ",more" for row in rows)]))
    with pytest.raises(DataError, match=TRAIN):
        data.load_train(tables)


def test_everything_is_checked_before_the_work_begins(tables):
    (tables.folder / TRAIN).unlink()
    with pytest.raises(DataError, match=TRAIN):
        data.check(tables)
