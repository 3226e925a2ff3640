"""What a notebook stored, and that nothing else passes for it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workshop import results, stamps
from workshop.config import Workplace

NOTEBOOK = "01_genre"


def read_section(folder: Path, name: str = NOTEBOOK) -> dict:
    return results.read_section(folder / "report", name)


def test_the_section_says_what_was_stored(demo, tmp_path):
    source = Workplace("demo", demo.folder, demo.users, tmp_path)
    book = results.Notebook(NOTEBOOK, source)
    empty = read_section(tmp_path)
    assert empty["stamp"] == stamps.stamp(NOTEBOOK, source)
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
