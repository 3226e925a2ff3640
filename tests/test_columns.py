"""Columns: what each takes of what pandas makes of a file, and what it refuses, where and why."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import edit_csv
from hypothesis import given, settings
from hypothesis import strategies as st

from aares import data
from aares.data import DataError, DataWarning, make_songs, read_column, read_dates, read_table
from aares.data.dates import EARLIEST_YEAR, find_latest_year
from aares.data.schemas import COLUMNS
from aares.errors import AaresError
from aares.genre.songs import compute_numbers

TRAIN = "spotify_dataset_train.csv"


def read_cells(column: str, *cells: Any, dtype: Any = object) -> list[Any]:
    values = pd.Series(list(cells), dtype=dtype, name=column)
    return read_column(values.to_frame(), column).tolist()


@pytest.mark.parametrize(
    "dtype", ["int64", "Int64", "float32", "Float64", "uint8", "category", str]
)
def test_numbers_of_every_type(dtype):
    assert read_cells("key", 7, 11, dtype=dtype) == [7, 11]


@pytest.mark.parametrize(
    "cell", ["7", " 7 ", "7.0", "7e0", 7, 7.0, Decimal(7), np.int8(7), np.float32(7)]
)
def test_numbers_of_every_shape_even_in_one_column(cell):
    assert read_cells("key", cell, "3", 4) == [7, 3, 4]
    assert read_cells("key", cell) == [7]


@pytest.mark.parametrize(
    "cell",
    ["", None, np.nan, pd.NA, pd.NaT, np.inf, "inf", "-inf", "nan", "seven", True, "True", b"7",
     7j, [7], (7,), pd.Timestamp("2007-07-07"), 7.5, 12, -1, "0x7", "1_1"],
    ids=repr,
)  # fmt: skip
def test_what_is_no_such_number_is_named(cell):
    for others in (["3"], [4], ["3", 4]):
        with pytest.raises(DataError, match=r"^songs, column 'key', row \d: expected a .*number"):
            read_cells("key", *others, cell)
    with pytest.raises(DataError, match=r"column 'key', row 1: expected"):
        read_column(pd.DataFrame({"key": pd.Series([cell]).infer_objects()}), "key")


@pytest.mark.parametrize(
    "cell", [True, False, "True", "FALSE", " true ", 1, 0, 1.0, "1.0", "0", "00"]
)
def test_flags_of_every_shape(cell):
    if cell == "00":
        with pytest.raises(DataError, match="expected True, False, 1 or 0, found '00'"):
            read_cells("explicit", cell)
        return
    expected = str(cell).strip().lower() in {"true", "1", "1.0"}
    assert read_cells("explicit", cell, "0", 1) == [expected, False, True]
    assert read_cells("explicit", cell) == [expected]


@pytest.mark.parametrize("dtype", ["bool", "boolean", "Int64", "float64", "category"])
def test_flags_of_every_type(dtype):
    assert read_cells("explicit", True, False, dtype=dtype) == [True, False]


@pytest.mark.parametrize("cell", ["", None, np.nan, "yes", "t", 2, 0.5, -1, np.inf, [True], "10"])
def test_what_is_no_flag_is_named(cell):
    with pytest.raises(DataError, match=r"'explicit', row 2: expected True, False, 1 or 0"):
        read_cells("explicit", True, cell)


@pytest.mark.parametrize(
    ("cell", "text"),
    [("Harbour", "Harbour"), (1979, "1979"), (1979.0, "1979"), (0.5, "0.5"), (True, "True"),
     (10**18 + 1, "1000000000000000001"), ("", ""), (None, ""), (np.nan, ""), (pd.NA, "")],
)  # fmt: skip
def test_a_title_may_look_like_anything(cell, text):
    assert read_cells("track_name", cell, "x") == [text, "x"]
    assert read_cells("track_name", cell) == [text]


@pytest.mark.parametrize("column", ["id", "genre"])
@pytest.mark.parametrize("cell", ["", " ", None, np.nan, ["pop"], b"pop", np.inf])
def test_other_text_is_never_empty(column, cell):
    with pytest.raises(DataError, match=rf"'{column}', row 2: expected (an id|one of the 23)"):
        read_cells(column, "rock", cell)


def test_an_id_stands_once():
    with pytest.raises(DataError, match="'id', row 3: 's1' stands already in row 1"):
        read_cells("id", "s1", "s2", "s1")


@pytest.mark.parametrize("cell", [None, np.nan, pd.NA, "", "  "])
def test_a_missing_list_is_no_empty_one(cell):
    with pytest.raises(DataError, match=r"'genres', row 2: expected a list .*; no names are \[\]"):
        read_cells("genres", [], cell)


def test_a_column_that_no_table_has_is_kept_but_for_missing_cells():
    moods = pd.DataFrame({"mood": ["calm", 3]})
    assert read_column(moods, "mood").tolist() == ["calm", 3]
    with pytest.raises(DataError, match="'mood', row 2: found a missing value"):
        read_column(moods.replace(3, None), "mood")


CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(), st.text(max_size=8),
    st.binary(max_size=3), st.lists(st.text(max_size=3), max_size=2), st.complex_numbers(),
    st.dates(), st.datetimes(), st.sampled_from(["nan", "1,5", "2008-5", "['a']", "0000", "1e999"]),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
    st.decimals(allow_nan=False), st.sampled_from([np.array([]), np.array(["a", "b"])]),
)  # fmt: skip


@pytest.mark.filterwarnings("ignore::aares.errors.DataWarning")
@settings(deadline=None)
@given(st.sampled_from(sorted(COLUMNS)), st.lists(CELLS, max_size=4))
def test_any_cells_are_read_or_refused_with_their_place(column, cells):
    values = pd.Series(cells, dtype=object, name=column)
    try:
        read = read_column(values.to_frame(), column)
    except DataError as error:
        assert f"column '{column}', row " in str(error)
    else:
        assert read_column(read.to_frame(), column).tolist() == read.tolist()


# --- messages -----------------------------------------------------------------------------


def test_a_message_says_what_to_do():
    songs = make_songs("train", 3)
    for cell, remedy in {
        "0,5": "found '0,5'; write 0.5, or read the file with decimal=','",
        None: "found a missing value; fill it in or leave the song out",
        "NULL": "found 'NULL'; fill it in or leave the song out",
        "1,000.5": "found '1,000.5'; write digits and a point, as -1234.5",
        "\u22120.5": "found '\u22120.5'; write digits and a point, as -1234.5",
    }.items():
        with pytest.raises(DataError) as caught:
            read_table(songs.assign(energy=["0.1", cell, "0.3"]), ["energy"])
        assert str(caught.value).endswith(remedy)
    with pytest.raises(
        DataError, match=r"missing column 'tempo'; it is the index: reset_index\(\)"
    ):
        read_table(songs.set_index("tempo"), ["tempo"])
    with pytest.raises(
        DataError, match=r"missing column 'tempo' \(2 of 3 missing\); rename ' Tempo'"
    ):
        read_table(songs.rename(columns={"tempo": " Tempo"}), ["tempo", "energy", "mood"])
    with pytest.raises(TypeError, match="bag: expected a DataFrame, found Series"):
        read_table(songs["tempo"], ["tempo"], what="bag")


@pytest.mark.parametrize("cell", ["Hip Hop", "hip-hop", " hip hop", "hip_hop", "HIP HOP"])
def test_a_genre_that_is_nearly_right_is_told(cell):
    with pytest.raises(DataError, match=r"row 2: expected one of the 23 .*; write 'hip hop'$"):
        read_cells("genre", "pop", cell)


def test_names_of_two_levels_are_told():
    songs = pd.concat({"songs": make_songs("train", 2)}, axis=1)
    with pytest.raises(DataError, match=r"one row of names .*, found 2; keep one by droplevel"):
        read_table(songs, ["tempo"])


def test_a_loaded_table_that_was_saved_is_read_again():
    lists = [("art rock", "pop"), (), ("children's music",)]
    assert read_cells("genres", *map(str, lists)) == lists


@pytest.mark.parametrize("cell", ["['pop''rock']", "['it''s']", """['a' "b"'c']"""])
def test_names_that_touch_are_not_joined(cell):
    with pytest.raises(DataError, match="row 1: expected a list such as"):
        read_cells("genres", cell)


def test_digits_of_other_scripts_are_no_year():
    with pytest.raises(DataError, match=r"expected a date such as 2008.*; write year-month-day"):
        read_cells("release_date", "\uff12\uff10\uff10\uff18")


def test_a_part_of_a_table_names_the_row_in_the_whole():
    songs = make_songs("train", 9, tempo=[*range(1, 8), -5, 9])
    with pytest.raises(DataError, match=r"'tempo', row 2 \(index 7\): .*, found '-5"):
        read_table(songs.iloc[[2, 7]], ["tempo"])


def test_an_error_of_a_table_is_a_wrong_argument_too():
    assert issubclass(DataError, AaresError) and issubclass(DataError, ValueError)


def test_the_table_given_stays_as_it_is():
    songs = make_songs("subset", 4, key=["1", "2", "3", "4"], genres="['pop']", release_date=1999)
    before = songs.copy(deep=True)
    read = read_table(songs, songs.columns)
    read.loc[0, "tempo"] = 1.0
    pd.testing.assert_frame_equal(songs, before)


# --- impossible years ---------------------------------------------------------------------

NEXT = datetime.datetime.now(tz=datetime.UTC).year + 1
WRONG = ["0000", "0000-00-00", "1859-12-31", f"{NEXT + 1}", "9999-12-31", "0001-01-01"]


def test_years_in_which_nothing_was_released_are_missing_and_counted():
    dates = pd.Series(["1999", *WRONG, f"{EARLIEST_YEAR}-04-09", f"{NEXT}-12"], name="release_date")
    assert find_latest_year() == NEXT
    with pytest.warns(DataWarning) as told:
        read = read_dates(dates)
    assert read.tolist() == ["1999", *[""] * len(WRONG), "1860-04-09", f"{NEXT}-12"]
    assert [str(warning.message) for warning in told] == [
        "songs, column 'release_date', row 2: found '0000'; 6 dates count as missing, as no "
        f"recording was released before 1860 or after {NEXT}"
    ]


@pytest.mark.parametrize(
    "date", [0, 1859.0, 9999, pd.Timestamp("1700-01-01"), pd.Period(1500, "Y")]
)
def test_impossible_years_of_every_type(date):
    with pytest.warns(DataWarning, match="1 date counts as missing"):
        assert read_cells("release_date", date) == [""]


def test_the_loader_says_in_which_file_a_year_is_impossible(tables):
    edit_csv(tables.folder / TRAIN, 2, "release_date", "0000")
    with pytest.warns(DataWarning, match=rf"^{TRAIN}, column 'release_date', row 3: found '0000'"):
        assert data.load_train(tables)["release_date"].iloc[2] == ""


def test_an_impossible_year_tells_a_model_nothing():
    songs = make_songs("test", 3, release_date=["1999", "0000", "9999-01-01"])
    with pytest.warns(DataWarning) as told:
        numbers = compute_numbers(songs)
    unknown = compute_numbers(songs.assign(release_date=["1999", "", ""]))
    pd.testing.assert_frame_equal(numbers, unknown)
    assert len(told) == 1


def test_a_year_of_its_own_column_must_be_possible():
    for year in (1859, NEXT + 1, "0"):
        with pytest.raises(DataError, match=f"expected a whole number from 1860 to {NEXT}"):
            read_cells("year", year)
