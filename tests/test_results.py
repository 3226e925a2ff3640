"""The stamp of results: it changes with all that a number depends on, and with nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workshop import results
from workshop.config import Workplace

NOTEBOOK = "01_genre"
CODE = {
    "notebook": "notebooks/src/01_genre.py",
    "package": "aares/genre/model.py",
    "calibration": "aares/identify/calibration.json",
    "toolbox": "utils_projet.py",
    "fingerprint": "fingerprint.py",
    "lock": "requirements.lock",
    "benchmark": "benchmarks/results/identify.json",
}
OTHERS = {
    "other notebook": "notebooks/src/02_popularity.py",
    "rendered notebook": "notebooks/01_genre.ipynb",
    "readme": "README.md",
    "test": "tests/test_genre.py",
}


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Workplace:
    """A project of one line a file, and its data."""
    for name in (*CODE.values(), *OTHERS.values(), "data/songs.csv", "data/songs/a.ogg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name}\n", encoding="utf-8")
    monkeypatch.setattr(results, "ROOT", tmp_path)
    return Workplace("demo", tmp_path / "data", tmp_path / "users", tmp_path / "build")


def find_changes(source: Workplace, path: Path) -> set[str]:
    """Return the parts of the stamp that change with a file, whose length stays the same."""
    before = results.stamp(NOTEBOOK, source)
    text = path.read_text(encoding="utf-8") if path.is_file() else "new"
    path.write_text(text.upper(), encoding="utf-8")
    after = results.stamp(NOTEBOOK, source)
    return {part for part in before if before[part] != after[part]}


@pytest.mark.parametrize("name", CODE.values(), ids=CODE.keys())
def test_the_stamp_changes_with_the_code(checkout, name):
    assert find_changes(checkout, checkout.folder.parent / name) == {"code"}


@pytest.mark.parametrize("name", ["songs.csv", "songs/a.ogg", "songs/new.ogg"])
def test_the_stamp_changes_with_the_data(checkout, name):
    assert find_changes(checkout, checkout.folder / name) == {"data"}


def test_the_stamp_changes_with_the_listeners(checkout):
    users = checkout.folder.parent / "users"
    users.mkdir()
    source = Workplace("course", checkout.folder, users, checkout.out)
    assert find_changes(source, users / "playlists.csv") == {"data"}


def test_the_stamp_changes_with_a_name(checkout):
    before = results.stamp(NOTEBOOK, checkout)
    module = checkout.folder.parent / "aares" / "genre" / "model.py"
    module.rename(module.with_name("models.py"))
    assert results.stamp(NOTEBOOK, checkout)["code"] != before["code"]


def test_the_stamp_tells_the_kind_of_data(checkout):
    course = Workplace("course", checkout.folder, checkout.users, checkout.out)
    kinds = [results.stamp(NOTEBOOK, source)["kind"] for source in (checkout, course)]
    assert kinds == ["demo", "course"]


@pytest.mark.parametrize("name", OTHERS.values(), ids=OTHERS.keys())
def test_the_stamp_ignores_what_no_number_depends_on(checkout, name):
    assert find_changes(checkout, checkout.folder.parent / name) == set()


def test_the_stamp_needs_no_notebook(checkout):
    (checkout.folder.parent / CODE["notebook"]).unlink()
    assert len(results.stamp(NOTEBOOK, checkout)["code"]) == 16


def test_the_stamp_ignores_a_file_browsers_notes(checkout):
    assert find_changes(checkout, checkout.folder / ".DS_Store") == set()


def test_the_stamp_ignores_the_line_ends_of_a_system(checkout):
    for name in (*CODE.values(), "data/songs.csv"):
        before = results.stamp(NOTEBOOK, checkout)
        (checkout.folder.parent / name).write_bytes(f"{name}\r\n".encode())
        assert results.stamp(NOTEBOOK, checkout) == before


# --- what a notebook stored ---------------------------------------------------------------


def read_section(folder: Path, name: str = NOTEBOOK) -> dict:
    return results.read_section(folder / "report", name)


def test_the_section_says_what_was_stored(demo, tmp_path):
    source = Workplace("demo", demo.folder, demo.users, tmp_path)
    book = results.Notebook(NOTEBOOK, source)
    empty = read_section(tmp_path)
    assert empty["stamp"] == results.stamp(NOTEBOOK, source)
    assert [empty[part] for part in ("answer", "numbers", "tables", "figures")] == ["", {}, {}, {}]
    assert book.number("songs", np.int64(7)) == 7
    assert read_section(tmp_path)["numbers"] == {"songs": 7}
    book.answer("Seven.")
    assert read_section(tmp_path)["answer"] == "Seven."
    book.table("all", pd.DataFrame({"n": [7]}))
    content = (tmp_path / "report" / "tables" / "01_all.csv").read_bytes()
    assert content == b",n\n0,7\n"
    stored = {"file": "01_all.csv", "sha256": hashlib.sha256(content).hexdigest()[:16]}
    assert read_section(tmp_path)["tables"] == {"all": stored}


def test_what_a_build_staged_takes_the_place_of_what_was_there(demo, tmp_path):
    source = Workplace("demo", demo.folder, demo.users, tmp_path / "out")
    staged = Workplace("demo", demo.folder, demo.users, tmp_path / "stage")
    results.Notebook(NOTEBOOK, source).table("old", pd.DataFrame())
    results.Notebook("02_other", source).number("x", 1)
    book = results.Notebook(NOTEBOOK, staged)
    book.table("new", pd.DataFrame())
    book.number("x", 2)
    results.publish(NOTEBOOK, source, staged.out)
    assert read_section(source.out)["numbers"] == {"x": 2}
    assert read_section(source.out, "02_other")["numbers"] == {"x": 1}
    assert [path.name for path in (source.out / "report" / "tables").iterdir()] == ["01_new.csv"]


def test_a_build_that_stored_no_number_publishes_its_files(demo, tmp_path):
    source = Workplace("demo", demo.folder, demo.users, tmp_path / "out")
    path = tmp_path / "stage" / "submission" / "challenge.csv"
    path.parent.mkdir(parents=True)
    path.write_text("genre\n", encoding="utf-8")
    results.publish(NOTEBOOK, source, tmp_path / "stage")
    assert (source.out / "submission" / "challenge.csv").read_text() == "genre\n"
    with pytest.raises(results.ResultsError, match="no results of 01_genre yet"):
        read_section(source.out)


@pytest.mark.parametrize("text", ["[]", '{"numbers": {}}'])
def test_sections_without_a_stamp_are_not_read(tmp_path, text):
    path = tmp_path / "report" / "results" / f"{NOTEBOOK}.json"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(results.ResultsError, match=r"01_genre.json: not written by this project"):
        read_section(tmp_path)
