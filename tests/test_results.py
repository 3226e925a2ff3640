"""The stamp of results: it changes with all that a number depends on, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from aares import results
from aares.config import DataSource

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
def checkout(tmp_path, monkeypatch) -> DataSource:
    """A project of one line a file, and its data."""
    for name in (*CODE.values(), *OTHERS.values(), "data/songs.csv", "data/songs/a.ogg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name}\n", encoding="utf-8")
    monkeypatch.setattr(results, "ROOT", tmp_path)
    return DataSource("demo", tmp_path / "data", None, tmp_path / "build")


def find_changes(source: DataSource, path: Path, content: str) -> set[str]:
    """Return the parts of the stamp that another content of one file changes."""
    before = results.stamp(NOTEBOOK, source)
    path.write_text(content, encoding="utf-8")
    after = results.stamp(NOTEBOOK, source)
    return {part for part in before if before[part] != after[part]}


@pytest.mark.parametrize("name", CODE.values(), ids=CODE.keys())
def test_the_stamp_changes_with_the_code(checkout, name):
    assert find_changes(checkout, checkout.folder.parent / name, "other\n") == {"code"}


@pytest.mark.parametrize("name", ["songs.csv", "songs/a.ogg", "songs/new.ogg"])
def test_the_stamp_changes_with_the_data(checkout, name):
    assert find_changes(checkout, checkout.folder / name, "other\n") == {"data"}


def test_the_stamp_changes_with_the_listeners(checkout):
    users = checkout.folder.parent / "users"
    users.mkdir()
    source = DataSource("course", checkout.folder, users, checkout.out)
    assert find_changes(source, users / "playlists.csv", "a,b\n") == {"data"}


def test_the_stamp_changes_with_a_name(checkout):
    before = results.stamp(NOTEBOOK, checkout)
    module = checkout.folder.parent / "aares" / "genre" / "model.py"
    module.rename(module.with_name("models.py"))
    assert results.stamp(NOTEBOOK, checkout)["code"] != before["code"]


def test_the_stamp_tells_the_kind_of_data(checkout):
    course = DataSource("course", checkout.folder, None, checkout.out)
    kinds = [results.stamp(NOTEBOOK, source)["kind"] for source in (checkout, course)]
    assert kinds == ["demo", "course"]


@pytest.mark.parametrize("name", OTHERS.values(), ids=OTHERS.keys())
def test_the_stamp_ignores_what_no_number_depends_on(checkout, name):
    assert find_changes(checkout, checkout.folder.parent / name, "other\n") == set()


def test_the_stamp_ignores_a_file_browsers_notes(checkout):
    assert find_changes(checkout, checkout.folder / ".DS_Store", "icons\n") == set()


def test_the_stamp_ignores_the_line_ends_of_a_system(checkout):
    for name in (*CODE.values(), "data/songs.csv"):
        before = results.stamp(NOTEBOOK, checkout)
        (checkout.folder.parent / name).write_bytes(f"{name}\r\n".encode())
        assert results.stamp(NOTEBOOK, checkout) == before
