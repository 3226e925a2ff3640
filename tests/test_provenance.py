"""What is said of the data at hand: true of the course's own files, of parts, and of the demo."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from aares.data.provenance import (
    DESCRIBE,
    N_RECOMMENDATION,
    N_SONGS,
    describe_recordings,
    describe_songs_table,
)
from aares.data.sources import DataSource
from workshop import results
from workshop.config import ROOT, Workplace

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def make_table(n: int, *, initials: str = LETTERS + "7", popularity: int = 0) -> pd.DataFrame:
    names = pd.Series([f"{initials[i % len(initials)].upper()} song" for i in range(n)])
    return pd.DataFrame({"name": names, "popularity": popularity})


def test_the_courses_own_table_is_said_to_be_whole():
    text = describe_songs_table(make_table(N_RECOMMENDATION, popularity=31))
    assert text == "The table of exercise 3 has all 174,389 songs of the course."


def test_a_part_of_the_table_is_said_to_be_one():
    initials = "".join(letter for letter in LETTERS if letter not in "almst")
    text = describe_songs_table(make_table(6000, initials=initials, popularity=31))
    assert text == (
        "The table of exercise 3 is a stand-in with the columns of the course's: 6,000 songs where "
        "the course's has 174,389, with a popularity of 31 and more, none with a title that begins "
        "with a, l, m, s, t or a digit."
    )
    whole = describe_songs_table(make_table(6000))
    assert "stand-in" in whole and "popularity" not in whole and "title" not in whole
    assert "title" not in describe_songs_table(make_table(30, initials="xyz"))


@pytest.mark.parametrize(
    ("n", "said"),
    [(1, "1 of the course's 13 songs was"), (7, "7 of the course's 13 songs were"),
     (N_SONGS, "All 13 songs of the course were"), (20, "20 songs were at hand")],
)  # fmt: skip
def test_songs_at_hand_are_counted(tmp_path, n, said):
    (tmp_path / "songs").mkdir()
    for k in range(n):
        (tmp_path / "songs" / f"{k}.mp3").touch()
    assert describe_recordings(DataSource("course", tmp_path, tmp_path)).startswith(said)


def test_the_demo_is_said_to_be_invented(demo):
    for name, what in (("recommendation", "invented"), ("listeners", "400 invented listeners"),
                       ("songs", "rendered by this project")):  # fmt: skip
        text = DESCRIBE[name](demo)
        assert what in text and "stand-in" not in text and "course's 13" not in text


def test_course_files_with_the_demos_listeners_say_so(demo):
    mixed = DataSource("course", demo.folder, demo.users)
    assert "400 invented listeners of the demo stand for them" in DESCRIBE["listeners"](mixed)


def test_the_head_says_what_the_data_are_and_keeps_it_for_the_report(demo, tmp_path, monkeypatch):
    shown: list[str] = []
    monkeypatch.setattr(results, "display", lambda text, **_: shown.append(text.data))
    book = results.Notebook("04_x", Workplace("demo", demo.folder, demo.users, tmp_path))
    book.head("songs")
    fact = DESCRIBE["songs"](demo)
    assert shown[0] == f"*{demo.describe()} {fact}*"
    assert results.read_section(tmp_path / "report", "04_x")["numbers"] == {"source_songs": fact}


def test_heads_and_report_name_what_is_not_the_courses_own():
    heads = {"03_recommendation": ("recommendation", "listeners"), "04_fingerprints": ("songs",)}
    report = Path(ROOT / "report" / "report.typ").read_text(encoding="utf-8")
    for name, uses in heads.items():
        source = (ROOT / "notebooks" / "src" / f"{name}.py").read_text(encoding="utf-8")
        named = ", ".join(f'"{use}"' for use in uses)
        assert f"book.head({named})" in source
        for use in uses:
            assert f'#num("{name}", "source_{use}")' in report
