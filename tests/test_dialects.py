"""Tables as people save them: read right, or refused in words that lead to the right file."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import os
import pickle
import re
import sqlite3
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from conftest import edit_csv
from hypothesis import given
from hypothesis import strategies as st

from aares import data
from aares.data import DataError
from aares.data.dialects import SIGNATURES, TEXTS
from aares.data.schemas import SCHEMAS
from aares.data.tables import read_text_table
from workshop.config import DEMO
from workshop.handin import HandinError, check_challenge_file

NAME = "spotify_dataset_subset.csv"
RAW = "expected UTF-8 text with commas, found what looks like"


@pytest.fixture
def path(tables):
    """The first songs of exercise 2, with a title and an artist that are hard to keep."""
    path = tables.folder / NAME
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.loc[0, ["track_name", "artist_name"]] = ["NA", "Beyoncé"]
    frame.loc[3, "track_name"] = "None"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture
def right(path, tables):
    return data.load_subset(tables)


def refuse(tables, path, content: str | bytes, *words: str) -> str:
    """Write the file, see it refused with these words, and return the message."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DataError) as caught:
        data.load_subset(tables)
    message = str(caught.value)
    assert message.startswith(NAME)
    for word in words:
        assert word in message, message
    for word in ("Error tokenizing", "C error", "codec can't", "Length of header", "line contains"):
        assert word not in message
    assert len(message) < 420
    return message


def follow(message: str, path, monkeypatch) -> None:
    """Do what the message says, by the line of pandas in it."""
    line = re.search(r"pd\.read_\w+\(.*\)\.to_csv\('fixed\.csv', index=False\)", message)
    assert line, message
    monkeypatch.chdir(path.parent)
    exec(line[0], {"pd": pd})
    (path.parent / "fixed.csv").replace(path)


def save(frame: pd.DataFrame, **options) -> str:
    return frame.to_csv(index=False, **options)


def zip_up(**files: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return stream.getvalue()


def as_text(path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


# --- other formats and encodings, mended by the line of pandas in the message -------------


def with_decimal_commas(frame: pd.DataFrame) -> pd.DataFrame:
    numbers = ["danceability", "energy", "loudness", "tempo", "valence"]
    return frame.assign(**{name: frame[name].str.replace(".", ",") for name in numbers})


FOLLOWED: dict[str, tuple[Callable[[pd.DataFrame], str | bytes], str]] = {
    "utf-16": (lambda frame: save(frame).encode("utf-16"), "UTF-16 text"),
    "utf-16, tabs": (lambda frame: save(frame, sep="\t").encode("utf-16"), "UTF-16 text"),
    "utf-16-le": (lambda frame: save(frame).encode("utf-16-le"), "UTF-16 text"),
    "utf-16-be": (lambda frame: save(frame).encode("utf-16-be"), "UTF-16 text"),
    "utf-32": (lambda frame: save(frame).encode("utf-32"), "UTF-32 text"),
    "cp1252": (lambda frame: save(frame).encode("cp1252"), "line 2: .* 0xE9 .'Beyoncé' in Windows"),
    "Excel in France": (
        lambda frame: save(with_decimal_commas(frame), sep=";").encode("cp1252"),
        "'Beyoncé' in Windows-1252, Latin-1",
    ),
    "Unicode Text in France": (
        lambda frame: save(with_decimal_commas(frame), sep="\t").encode("utf-16"),
        "UTF-16 text",
    ),
    "semicolons": (lambda frame: save(frame, sep=";"), "found semicolons; "),
    "tabs": (lambda frame: save(frame, sep="\t"), "found tabs; "),
    "pipes": (lambda frame: save(frame, sep="|"), "found pipes; "),
    "decimal commas": (
        lambda frame: save(with_decimal_commas(frame), sep=";"),
        "found semicolons, and commas in numbers; ",
    ),
    "json": (lambda frame: frame.to_json(orient="records"), "JSON"),
    "json, lines": (lambda frame: frame.to_json(orient="records", lines=True), "JSON, an object"),
}


@pytest.mark.parametrize("kind", FOLLOWED)
def test_the_line_in_the_message_makes_the_right_file(tables, path, right, kind, monkeypatch):
    write, words = FOLLOWED[kind]
    message = refuse(tables, path, write(as_text(path)))
    assert re.search(words, message), message
    follow(message, path, monkeypatch)
    pd.testing.assert_frame_equal(data.load_subset(tables), right)


ARCHIVES: dict[str, tuple[Callable[[str], bytes], str]] = {
    "gzip": (lambda text: gzip.compress(text.encode()), "a gzip archive; unpack it"),
    "bzip2": (lambda text: bz2.compress(text.encode()), "a bzip2 archive; unpack it"),
    "xz": (lambda text: lzma.compress(text.encode()), "an xz archive; unpack it"),
    "zip": (lambda text: zip_up(**{NAME: text}), "a zip archive; unpack it"),
    "xlsx": (
        lambda text: zip_up(**{"[Content_Types].xml": "", "xl/workbook.xml": text}),
        "an Excel workbook (.xlsx); save it in Excel as 'CSV UTF-8 (Comma delimited)', or pd.r",
    ),
    "ods": (
        lambda text: zip_up(mimetype="application/vnd.oasis.opendocument.spreadsheet", body=text),
        "a spreadsheet of LibreOffice (.ods); save it as 'Text CSV'",
    ),
    "pickle": (lambda text: pickle.dumps(text), "a pickle of Python; write the table itself"),
    "numpy": (lambda text: save_array(text), "an array of numpy (.npy)"),
    "sqlite": (lambda text: make_database(text), "an SQLite database"),
}


def save_array(text: str) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array([text]))
    return stream.getvalue()


def make_database(text: str) -> bytes:
    with sqlite3.connect(":memory:") as database:
        database.execute("create table songs (name)")
        return database.serialize()


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_archive_is_not_taken_for_a_table(tables, path, kind):
    write, words = ARCHIVES[kind]
    refuse(tables, path, write(path.read_text()), f"{RAW} {words}")


@pytest.mark.parametrize("start", SIGNATURES)
def test_each_signature_is_told_by_its_first_bytes(tables, path, start):
    kind, _ = SIGNATURES[start]
    refuse(tables, path, start + b"more" + path.read_bytes(), f"{RAW} {kind}; ")


@pytest.mark.parametrize("start", TEXTS)
def test_each_other_text_is_told_by_its_beginning(tables, path, start):
    kind, _ = TEXTS[start]
    refuse(tables, path, f"\n {start.upper()} ...\n{path.read_text()}", f"{RAW} {kind}; ")


def test_a_pointer_is_no_file(tables, path):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 2445720\n"
    refuse(tables, path, pointer, "a pointer of Git LFS, not the file itself; git lfs pull")


# --- damaged files ------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"\n\r\n", b" \n\t", codecs.BOM_UTF8], ids=repr)
def test_an_empty_file_is_named(tables, path, content):
    refuse(tables, path, content, "expected a table, found an empty file; download or copy it")


def test_a_header_alone_is_no_table(tables, path):
    header = path.read_text().splitlines()[0]
    for rest in ("", "\n", "\n\n", "\n" + "," * (len(SCHEMAS["subset"]) - 1)):
        refuse(tables, path, header + rest, "expected songs below the header, found no row")


def test_a_byte_0_is_damage(tables, path):
    spoilt = path.read_bytes().replace(b"NA", b"N\0", 1)
    refuse(tables, path, spoilt, "line 2: found a byte 0, which no text holds: damaged")


def test_a_file_that_ends_within_a_character_is_cut_off(tables, path):
    content = path.read_bytes()
    cut = content[: content.index("é".encode()) + 1]
    refuse(tables, path, cut, "cut off in the middle of a character; download or copy it again")


def test_a_file_that_ends_within_a_row_is_cut_off(tables, path):
    cut = "\n".join(path.read_text().splitlines()[:5]).rsplit(",", 4)[0]
    refuse(tables, path, cut, "row 4: expected 20 cells, found 16; the file seems cut off")


def test_two_files_in_one_are_noticed(tables, path):
    content = path.read_bytes()
    joined = content + codecs.BOM_UTF8 + content
    refuse(tables, path, joined, "line 10: found a byte order mark, as where two files were joined")
    refuse(tables, path, content * 2, "row 9: found the names of the columns again")


@pytest.mark.parametrize("where", [1, 4])
def test_a_quotation_mark_that_is_not_closed_is_named(tables, path, where):
    lines = path.read_text().splitlines()
    lines[where] = '"' + lines[where]
    words = f"row {where}: a quotation mark is not closed, or stands alone within a cell"
    refuse(tables, path, "\n".join(lines), words)


def test_a_quotation_mark_not_closed_in_names_or_at_the_end_is_named(tables, path):
    lines = path.read_text().replace('"', "").splitlines()
    refuse(tables, path, '"' + "\n".join(lines), "a quotation mark in line 1 is not closed")
    plain = [line.replace(", ", " ") for line in lines]
    plain[-1] = '"' + plain[-1]
    refuse(tables, path, "\n".join(plain), "row 8: a quotation mark is not closed")


def test_a_comma_within_a_cell_is_named(tables, path):
    lines = path.read_text().splitlines()
    lines[6] = "Hello, Goodbye," + lines[6]
    hint = "a cell with a comma needs quotation marks around it"
    refuse(tables, path, "\n".join(lines), f"row 6: expected 20 cells, found 22; {hint}")


def test_cells_that_are_missing_within_the_file_are_named(tables, path):
    lines = path.read_text().splitlines()
    lines[6] = "Goodbye"
    message = refuse(tables, path, "\n".join(lines), "row 6: expected 20 cells, found 1")
    assert "cut off" not in message


# --- the first line -----------------------------------------------------------------------


@pytest.mark.parametrize("note", ["sep=;", "SEP=,", '"sep=,"', "sep=,,,,", "sep=\t"])
def test_a_note_to_excel_is_told(tables, path, note):
    refuse(tables, path, f"{note}\r\n{path.read_text()}", "a note to Excel; delete that line")


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_names_of_rows_without_a_name_are_told(tables, path, ends):
    header, *rows = path.read_text().splitlines()
    text = ends.join([header, *(f'"{k}",{row}' for k, row in enumerate(rows, 1))])
    words = "found 20 and 21: the numbers of the rows come first, without a name; write it with"
    refuse(tables, path, text, words, "to_csv(..., index=False), in R with row.names=FALSE")


@pytest.mark.parametrize("name", ["Tempo", "TEMPO", "tempo:", "temp", "te mpo"])
def test_a_name_that_is_nearly_right_is_told(tables, path, name):
    text = path.read_text().replace("tempo", name, 1)
    refuse(tables, path, text, "missing column 'tempo' (1 of 20", f"; rename '{name}' to 'tempo'")


@pytest.mark.parametrize(
    ("instead", "words"), [("", "line 1 has 19 names, row 1 has 20 cells"), (",", "has no name")]
)
def test_a_header_one_cell_short_is_told(tables, path, instead, words):
    header, rest = path.read_text().split("\n", 1)
    short = header.rsplit(",", 1)[0] + instead
    refuse(tables, path, f"{short}\n{rest}", "missing column", words)


def test_lines_above_the_names_are_told(tables, path):
    text = "Songs of exercise 2\n\n" + path.read_text()
    refuse(tables, path, text, "missing column", "the names stand in line 3: delete what is above")


def test_a_table_without_names_is_told(tables, path):
    text = path.read_text().split("\n", 1)[1]
    refuse(tables, path, text, "20 of 20 missing", "first line must hold the names of the columns")


def test_a_name_that_stands_twice_is_told(tables, path):
    for name in ("tempo", "mood"):
        again = as_text(path)
        for _ in range(2 - (name in again)):
            again.insert(0, name, "1", allow_duplicates=True)
        refuse(tables, path, save(again), f"column '{name}' stands more than once")


def test_lines_in_quotation_marks_are_told(tables, path):
    lines = path.read_text().splitlines()
    text = "\n".join('"' + line.replace('"', '""') + '"' for line in lines)
    refuse(tables, path, text, "found each line in one pair of quotation marks; delete")


# --- what lies in the place of a file -----------------------------------------------------


def test_a_folder_in_the_place_of_a_file_is_told(tables, path):
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError, match=f"{NAME}: expected a file, found a folder of that name"):
        data.load_subset(tables)


def test_a_file_that_may_not_be_read_is_told(tables, path, monkeypatch):
    path.chmod(0)
    if os.access(path, os.R_OK):  # the administrator may read everything

        def refuse_read(self):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(type(path), "read_bytes", refuse_read)
    with pytest.raises(DataError, match=f"no permission to read it; chmod u\\+r {NAME}"):
        data.load_subset(tables)


def test_a_disk_that_fails_is_told(tables, path, monkeypatch):
    def fail(self):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(type(path), "read_bytes", fail)
    with pytest.raises(DataError, match=r"not readable \(Input/output error\); download or copy"):
        data.load_subset(tables)


# --- what makes no difference -------------------------------------------------------------


def pad_rows(text: str, *, header: bool) -> str:
    first, *rows = text.splitlines()
    return "\n".join([first + ",," * header, *(f"{row},{',' * header}" for row in rows)])


@pytest.mark.parametrize(
    "write",
    [
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: 2 * codecs.BOM_UTF8 + text.encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r\r\n").encode(),
        lambda text: ("\n\r\n" + text + "\n\n").encode(),
        lambda text: text.rstrip("\n").encode(),
        lambda text: (text + ("," * 19 + "\n") * 3).encode(),
        lambda text: pad_rows(text, header=False).encode(),
        lambda text: pad_rows(text, header=True).encode(),
        lambda text: save(as_text(io.StringIO(text)), quoting=1).encode(),
        lambda text: as_text(io.StringIO(text)).to_csv().encode(),
        lambda text: text.replace(",", " ,", 3).encode(),
    ],
    ids=["mark", "two marks", "Mac", "Windows", "Windows twice", "empty lines", "no last end",
         "empty rows", "trailing commas", "empty columns", "all quoted", "index", "spaces"],
)  # fmt: skip
def test_what_tells_nothing_makes_no_difference(tables, path, right, write):
    path.write_bytes(write(path.read_text()))
    pd.testing.assert_frame_equal(data.load_subset(tables), right)


def test_a_mark_within_a_title_stays(tables, path):
    path.write_bytes(path.read_bytes().replace(b"NA", "N\ufeffA".encode(), 1))
    assert data.load_subset(tables)["track_name"][0] == "N\ufeffA"


def test_a_row_of_empty_cells_between_songs_is_no_end(tables, path):
    lines = path.read_text().splitlines()
    lines.insert(4, "," * 19)
    refuse(tables, path, "\n".join(lines), "row 4")


DAMAGE = st.sampled_from(
    [b'"', b"'", b",", b"\n", b"\r", b"\0", b"\xe9", codecs.BOM_UTF8, b";", b"\t", b"sep=;\n",
     b"<", b"\x1a", "\u2028".encode(), b"PK\x03\x04"]
)  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 300), DAMAGE), max_size=4))
def test_any_damage_is_read_or_told(damages):
    content = (DEMO / NAME).read_bytes()[:3000]
    for place, cut, put in damages:
        content = content[:place] + put + content[place + cut :]
    with TemporaryDirectory() as folder:
        (Path(folder) / NAME).write_bytes(content)
        try:
            frame = read_text_table(Path(folder) / NAME, SCHEMAS["subset"])
        except DataError as error:
            assert str(error).startswith(NAME)
        else:
            assert not frame.isna().any(axis=None)


# --- the same reader for all files --------------------------------------------------------


SPOILT: dict[str, Callable[[str], bytes]] = {
    "found semicolons": lambda text: text.replace(",", ";").encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "a gzip archive": lambda text: gzip.compress(text.encode()),
    "a note to Excel": lambda text: f"sep=,\n{text}".encode(),
    "an empty file": lambda text: b"",
}


@pytest.mark.parametrize("words", SPOILT)
@pytest.mark.parametrize("name", ["listening.csv", "playlists/spotify_songs.csv"])
def test_listening_files_go_through_the_same_reader(tables, tmp_path, name, words):
    path = tmp_path / "users" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(SPOILT[words]("user_id,id,plays\nu1,s1,3\n"))
    source = replace(tables, users=tmp_path / "users")
    with pytest.raises(DataError, match=f"^{path.name}.*{words}"):
        data.load_listening(source)


@pytest.fixture
def listened(tables, tmp_path):
    """Both files of listeners, small and right; the playlists count while they are there."""
    songs = data.load_recommendation(tables)
    frame = songs.rename(columns={"id": "track_id", "name": "track_name"})
    frame = frame.assign(track_artist="A", playlist_id=list("ppppqqqq"))
    (tmp_path / "playlists").mkdir()
    frame.to_csv(tmp_path / "playlists" / "spotify_songs.csv", index=False)
    plays = pd.DataFrame({"user_id": list("ppqq"), "id": songs["id"].head(4), "plays": 2})
    plays.to_csv(tmp_path / "listening.csv", index=False)
    return replace(tables, users=tmp_path)


@pytest.mark.parametrize(
    ("file", "column", "value", "words"),
    [
        ("playlists/spotify_songs.csv", "playlist_id", "", "expected an id, found an empty cell"),
        ("playlists/spotify_songs.csv", "track_id", " ", "expected an id, found ' '"),
        ("playlists/spotify_songs.csv", "tempo", "fast", "expected a number, found 'fast'"),
        ("playlists/spotify_songs.csv", "energy", "", "expected a number, found an empty cell"),
        ("listening.csv", "user_id", "", "expected an id, found an empty cell"),
        ("listening.csv", "id", "", "expected an id, found an empty cell"),
        ("listening.csv", "plays", "0", "expected a whole number from 1"),
    ],
)
def test_a_wrong_cell_of_a_listening_file_is_named(listened, file, column, value, words):
    edit_csv(listened.users / file, 2, column, value)
    if file == "listening.csv":
        (listened.users / "playlists" / "spotify_songs.csv").unlink()
    name = file.rpartition("/")[2]
    with pytest.raises(DataError, match=f"^{name}, column '{column}', row 3: {words}"):
        data.load_listening(listened)


@pytest.mark.parametrize("words", ["UTF-16", "a gzip archive", "an empty file"])
def test_a_challenge_file_that_was_saved_otherwise_is_refused(tables, words):
    with pytest.raises(HandinError, match=f"^challenge.csv.*{words}"):
        check_challenge_file(SPOILT[words]("genre\npop\n"), tables)


def test_a_challenge_file_with_a_byte_order_mark_is_read(tables):
    genres = data.load_train(tables)["genre"]
    content = codecs.BOM_UTF8 + "\n".join(["genre", *genres]).encode()
    check_challenge_file(content, tables)
    with pytest.raises(HandinError, match="expected 8 labels, found 9"):
        check_challenge_file(content + b"\npop", tables)
