"""The table of answers names what is there, and nothing else lands."""

from __future__ import annotations

import csv
import shutil

import pytest

from workshop import answered
from workshop.answered import AnsweredError
from workshop.config import ROOT

PARTS = {"1.1", "1.2", "1.3", "2.1", "2.2", "2.3", "3.1", "3.2", "4.1", "4.2", "4.3", "4.4", "4.5",
         "5.1", "5.2", "Bonus 1", "Bonus 2", "Bonus 3, 4", "Bonus 5", "Bonus 6", "Hand in",
         "Slides"}  # fmt: skip


@pytest.fixture
def project(tmp_path):
    """What the table is checked against, in a folder that may be broken."""
    for folder in ("report", "notebooks/src", "tests", "workshop", "aares"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("report/answered.csv", "report/report.typ"):
        shutil.copy(ROOT / name, tmp_path / name)
    for pattern in ("notebooks/src/*.py", "tests/test_*.py"):
        for path in ROOT.glob(pattern):
            shutil.copy(path, tmp_path / path.relative_to(ROOT))
    for row in csv.DictReader((ROOT / "report" / "answered.csv").open(encoding="utf-8")):
        path = tmp_path / row["module"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def test_each_question_of_both_documents_is_in_the_table():
    assert {row["asked"] for row in answered.read_answered(ROOT)} == PARTS


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("section", "9.9 Nothing", "section '9.9 Nothing'"),
        ("shown", "fig-nothing", "<fig-nothing>"),
        ("notebook", "09_nothing", "of 09_nothing"),
        ("cell", "Nothing", "heading 'Nothing'"),
        ("module", "aares/nothing.py", "module aares/nothing.py"),
        ("test", "tests/test_genre.py::test_nothing", "::test_nothing"),
        ("test", "tests/test_nothing.py::test_nothing", "test tests/test_nothing.py"),
    ],
)
def test_what_is_not_there_is_named_with_its_line(project, column, value, told):
    table = project / "report" / "answered.csv"
    rows = answered.read_answered(project)
    rows[1][column] = value
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, answered.COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(AnsweredError, match="line 3") as error:
        answered.read_answered(project)
    assert told in str(error.value)


def test_another_table_is_refused(project):
    (project / "report" / "answered.csv").write_text("asked,what\n1.1,all\n", encoding="utf-8")
    with pytest.raises(AnsweredError, match="expected the columns asked, what, section"):
        answered.read_answered(project)
