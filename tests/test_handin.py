"""The files to hand in are made, named, and checked as their receiver would."""

from __future__ import annotations

import io
import re
import shutil
import zipfile

import numpy as np
import pytest

from aares import data
from workshop import challenge, execution, handin, notebooks, report
from workshop.handin import HandinError


@pytest.fixture
def finished(source):
    """A main job that has run: a report, a rendered notebook, a challenge file."""
    rendered = source.out / "notebooks" / "99_story.ipynb"
    rendered.parent.mkdir()
    rendered.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    genres = data.load_train(source)["genre"].unique()
    challenge.write_challenge(np.resize(genres, len(data.load_test(source))), source)
    return source


def test_the_five_files_are_written(finished):
    paths = handin.make(["Dupont", "Martin"], finished)
    assert [path.name for path in paths] == [
        "Dupont_Martin_challenge.csv",
        "Dupont_Martin_report.pdf",
        "Dupont_Martin_code.zip",
        "fingerprint_Dupont_Martin.py",
        "fingerprint_example_Dupont_Martin.ipynb",
    ]
    assert all(path.stat().st_size > 0 for path in paths)
    names = set(zipfile.ZipFile(paths[2]).namelist())
    assert {"run.py", "fingerprint.py", "utils_projet.py", "notebooks/99_story.ipynb"} <= names
    assert {"aares/data/tables.py", "aares/genre/model.py", "report/report.typ"} <= names
    assert not any("__pycache__" in name or name.startswith("data/course") for name in names)
    example = notebooks.read(paths[4])
    code = "\n".join(cell.source for cell in example.cells)
    assert "from fingerprint_Dupont_Martin import process_signal" in code
    assert execution.find_noise(example) == ""
    for case in ("start on a frame: ", "start at any sample: ", "the same in noise: "):
        assert re.search(rf"{case} *right at the first guess: ", str(example.cells)), case
    assert handin._zip_code(finished) == paths[2].read_bytes(), "the same bytes each time"


@pytest.mark.parametrize(
    ("authors", "expected"),
    [
        (["Dupont"], "Dupont"),
        (["Dupont", "Martin"], "Dupont_Martin"),
        (["Léa d'Or"], "LeadOr"),
        (["Œuvrard", "Ørsted", "Łukasz", "Weiß"], "Oeuvrard_Orsted_Lukasz_Weiss"),
    ],
)
def test_names_are_joined(authors, expected):
    assert handin.join_names(authors) == expected


def test_the_page_comes_along_and_older_names_are_told(finished, monkeypatch):
    page = {"index.html": b'<a href="../report.pdf">report</a></body>'}
    monkeypatch.setattr(handin.build, "read_page", lambda source: page)
    monkeypatch.setattr(handin, "check_archive", lambda content: None)
    monkeypatch.setattr(handin, "_zip_code", lambda source: b"")
    monkeypatch.setattr(handin, "_render_example", lambda module, source: b"{}")
    older = handin.make(["Martin"], finished)
    paths = handin.make(["Dupont"], finished)
    assert paths[-1].name == "Dupont_page.html"
    assert b'href="Dupont_report.pdf"' in paths[-1].read_bytes()
    assert handin.find_old(finished, paths) == sorted(older)
    assert (finished.out / "submission" / "challenge.csv") not in handin.find_old(finished, paths)


def test_names_with_another_separator_are_refused():
    with pytest.raises(HandinError, match="expected commas between names"):
        handin.join_names(["Dupont;Martin"])


def test_a_name_that_would_lose_letters_is_refused():
    with pytest.raises(HandinError, match="without a Latin form: Д"):
        handin.join_names(["Дюпон"])


@pytest.mark.parametrize("authors", [[], [""], ["Dupont", "  "], ["../x", "/"], ["1st"]])
def test_what_is_no_name_is_refused(authors):
    with pytest.raises(HandinError, match=r'expected names such as "Dupont,Martin"'):
        handin.join_names(authors)


def test_what_was_not_run_yet_is_named(source):
    with pytest.raises(HandinError, match=r"challenge.csv: not there yet"):
        handin.make(["Dupont"], source)


def test_a_report_without_the_authors_is_refused(source):
    handin.check_pdf(report.render(source, authors=("Dupont",))[0], ["Dupont"])
    with pytest.raises(HandinError, match="does not name the author 'Martin'"):
        handin.check_pdf(report.render(source, authors=("Dupont",))[0], ["Dupont", "Martin"])
    with pytest.raises(HandinError, match="does not open"):
        handin.check_pdf(b"%PDF-1.7 cut", ["Dupont"])


def test_a_challenge_file_with_a_wrong_row_is_refused(finished):
    content = (finished.out / "submission" / "challenge.csv").read_bytes()
    handin.check_challenge_file(content, finished)
    with pytest.raises(HandinError, match="expected one column 'genre'"):
        handin.check_challenge_file(content.replace(b"genre", b"label", 1), finished)
    with pytest.raises(HandinError, match="labels, found"):
        handin.check_challenge_file(content + b"pop\n", finished)


def test_an_archive_that_misses_a_module_is_refused(finished, tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.write(handin.ROOT / "submission" / "example.py", "submission/example.py")
        shutil.copytree(finished.folder / "songs", tmp_path / "songs")
        song = next((tmp_path / "songs").iterdir())
        archive.write(song, f"data/demo/songs/{song.name}")
        archive.writestr("fingerprint.py", "import module_that_is_not_there\n")
    with pytest.raises(HandinError, match="module_that_is_not_there"):
        handin.check_archive(stream.getvalue())
