"""Results are bound to their build, and the report refuses any other."""

from __future__ import annotations

import io
import json
import re

import pytest
from conftest import write_results
from pypdf import PdfReader

from workshop import notebooks, report, results, stamps
from workshop.config import Workplace
from workshop.report import ReportError


def test_the_report_states_the_numbers(source):
    path = report.compile_report(source, authors=("Dupont", "Martin"))
    reader = PdfReader(io.BytesIO(path.read_bytes()))
    text = "\n".join(page.extract_text() for page in reader.pages)
    assert reader.metadata.title == "A title"
    assert reader.metadata.author.replace(",", "").split() == ["Dupont", "Martin"]
    assert "Dupont" in reader.pages[0].extract_text()
    assert "It is 0.57." in reader.pages[0].extract_text()
    for stated in ("0.568", "57%", "25\u202f492", "\u22120.3", "A rising line", "0.12"):
        assert stated in text, stated
    assert "/StructTreeRoot" in reader.trailer["/Root"]
    assert reader.trailer["/Root"]["/Lang"] == "en"


def test_the_same_results_give_the_same_pdf(source):
    assert report.render(source) == report.render(source)


def test_results_of_other_data_are_refused(source, monkeypatch):
    monkeypatch.setattr(stamps, "_digest_data", lambda _: "other")
    with pytest.raises(ReportError, match=r"99_story are of another data: run python3 run.py --da"):
        report.render(source)


def test_results_of_another_build_are_refused(source):
    notebook = notebooks.SOURCES / "99_story.py"
    path = source.out / "report" / "results" / "99_story.json"
    section = json.loads(path.read_text())
    section["stamp"]["code"] = "0" * 16
    path.write_text(json.dumps(section))
    assert notebook.is_file()
    with pytest.raises(ReportError, match="99_story are of another build"):
        report.render(source)


def test_results_of_the_other_kind_are_refused(source):
    course = Workplace("course", source.folder, source.users, source.out)
    with pytest.raises(ReportError, match="another kind of data"):
        report.render(course)


@pytest.mark.parametrize("file", ["figures/99_line.svg", "tables/99_scores.csv"])
def test_a_file_that_was_changed_or_lost_is_refused(source, file):
    path = source.out / "report" / file
    path.write_text(path.read_text().replace("1", "2"))
    with pytest.raises(ReportError, match="is not what 99_story stored"):
        report.render(source)
    path.unlink()
    with pytest.raises(ReportError, match="is not what 99_story stored"):
        report.render(source)


def test_a_number_that_no_notebook_stored_stops_the_report(source):
    report.TEXT.write_text(report.TEXT.read_text() + '#num("99_story", "absent")')
    with pytest.raises(ReportError, match="absent"):
        report.render(source)


def test_missing_and_unreadable_results_say_what_to_run(source):
    path = source.out / "report" / "results" / "99_story.json"
    path.write_text("{")
    with pytest.raises(ReportError, match=r"99_story.json: not readable, delete it.*run python3"):
        report.render(source)
    path.write_text("{}")
    with pytest.raises(ReportError, match="99_story.json: not written by this project"):
        report.render(source)
    path.unlink()
    with pytest.raises(
        ReportError, match="no results of 99_story yet: run python3 run.py --data demo"
    ):
        report.render(source)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_what_is_no_number_is_not_stored(source, value):
    book = results.Notebook("99_story", source)
    with pytest.raises(ValueError, match="expected a finite JSON value"):
        book.number("x", value)


def test_a_key_is_stored_once(source):
    book = results.Notebook("99_story", source)
    book.number("x", 1)
    with pytest.raises(ValueError, match="'x' is stored already"):
        book.number("x", 2)


def test_a_figure_is_the_same_in_every_build(source):
    figure = source.out / "report" / "figures" / "99_line.svg"
    first = figure.read_bytes()
    write_results(source)
    assert figure.read_bytes() == first
    assert b"<dc:date>" not in first


def test_what_an_earlier_run_made_does_not_stay(source):
    old = source.out / "report" / "figures" / "99_renamed.svg"
    old.write_text("<svg/>")
    other = old.with_name("98_other.svg")
    other.write_text("<svg/>")
    write_results(source)
    assert not old.exists()
    assert other.exists()


def test_a_semicolon_behind_a_number_is_printed():
    """Typst takes it for the end of the call; a backslash keeps it."""
    lost = re.findall(r'#\w+\((?:[^()"]|"[^"]*")*\);', report.TEXT.read_text(encoding="utf-8"))
    assert lost == []
