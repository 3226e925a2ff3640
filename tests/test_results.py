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


DATA = ("data/songs.csv", *(f"data/songs/{letter}.ogg" for letter in "abcdefgh"))


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Workplace:
    """A project of one line a file, and its data."""
    monkeypatch.setattr(results, "ROOT", tmp_path)
    return write_project(tmp_path)


def write_project(folder: Path) -> Workplace:
    for name in (*CODE.values(), *OTHERS.values(), *DATA):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name}\n", encoding="utf-8")
    return Workplace("demo", folder / "data", folder / "users", folder / "build")


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


def test_the_stamp_does_not_tell_in_which_order_a_folder_lists_its_files(checkout, monkeypatch):
    before = results.stamp(NOTEBOOK, checkout)
    listed = Path.rglob
    monkeypatch.setattr(Path, "rglob", lambda path, pattern: reversed([*listed(path, pattern)]))
    assert results.stamp(NOTEBOOK, checkout) == before


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


def test_the_stamp_is_the_same_wherever_the_project_lies(checkout, tmp_path, monkeypatch):
    before, listed = results.stamp(NOTEBOOK, checkout), Path.glob
    moved = write_project(tmp_path / "elsewhere")
    monkeypatch.setattr(results, "ROOT", tmp_path / "elsewhere")
    monkeypatch.setattr(Path, "glob", lambda self, name: reversed(list(listed(self, name))))
    assert results.stamp(NOTEBOOK, moved) == before


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


def test_the_answer_takes_the_room_that_the_head_left(demo, tmp_path, monkeypatch):
    shown: list[str] = []

    class Handle:
        def update(self, text):
            shown.append(text.data)

    def show(text, *, display_id=False):
        shown.append(text.data)
        return Handle() if display_id else None

    monkeypatch.setattr(results, "display", show)
    book = results.Notebook(NOTEBOOK, Workplace("demo", demo.folder, demo.users, tmp_path))
    book.head()
    book.say("Counted.")
    book.answer("Seven.")
    assert shown[0].startswith("*Demo data") and "appears here" in shown[1]
    assert shown[2:] == ["Counted.", "**Answer.** Seven."]


def test_a_section_is_the_same_whatever_was_built_before(demo, tmp_path):
    for order in ("ab", "ba"):
        source = Workplace("demo", demo.folder, demo.users, tmp_path / order)
        for letter in order:
            results.Notebook(f"0{'ab'.index(letter) + 1}_{letter}", source).answer("Déjà vu.")
    one, two = (tmp_path / order / "report" / "results" / "01_a.json" for order in ("ab", "ba"))
    assert one.read_bytes() == two.read_bytes()
    assert "Déjà vu." in one.read_text(encoding="utf-8")


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
