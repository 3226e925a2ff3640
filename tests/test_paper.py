"""The report as it lies in the repository: what a grader opens, looks for, and prints in grey."""

from __future__ import annotations

import re

import pytest
from figure_checks import LEAST_PT
from pypdf import PdfReader

from workshop.config import ROOT

TEXT = (ROOT / "report" / "report.typ").read_text(encoding="utf-8")
QUESTIONS = ("1.1", "1.2", "1.3", "2.1", "2.2", "2.3", "3.1", "3.2", "4.1", "4.5", "5.1", "5.2")


@pytest.fixture(scope="module")
def paper() -> PdfReader:
    return PdfReader(ROOT / "report" / "report.pdf")


def test_each_figure_and_table_is_cited():
    labels, cited = set(re.findall(r"<([\w-]+)>", TEXT)), set(re.findall(r"@([\w-]+)", TEXT))
    assert len(labels) > 30
    assert {label for label in labels if label.startswith(("fig-", "tbl-"))} - cited == set()
    shown = re.findall(r'(?m)^#result-figure\("(\w+)", "(\w+)".*$', TEXT)
    assert len(shown) == len(set(shown)) == len(re.findall(r"<fig-[\w-]+>", TEXT))


def test_headings_bear_the_numbers_of_the_assignment():
    headings = " ".join(re.findall(r"(?m)^==? (.*)$", TEXT))
    assert [number for number in QUESTIONS if number not in headings] == []
    assert all(f"Question{text}" in headings for text in ("s 1 to 4", " 5", " 6"))


def test_no_letter_is_too_small_for_paper(paper):
    small = []

    def look(text, page, line, font, size):
        scale = [(matrix[0] ** 2 + matrix[1] ** 2) ** 0.5 for matrix in (page, line)]
        if text.strip() and size * scale[0] * scale[1] < LEAST_PT - 0.05:
            small.append((text, round(size * scale[0] * scale[1], 1)))

    for page in paper.pages:
        page.extract_text(visitor_text=look)
    assert small == []


def test_words_in_figures_are_found(paper):
    text = "\n".join(page.extract_text() for page in paper.pages)
    for words in ("danceability", "accepted error rate", "RMSE (points of popularity)", "minor"):
        assert words in text, words


def test_it_is_small_tagged_and_has_addresses(paper):
    path = ROOT / "report" / "report.pdf"
    assert path.stat().st_size < 5_000_000
    assert "/StructTreeRoot" in paper.trailer["/Root"]
    links = [
        note["/A"]["/URI"] for page in paper.pages
        for note in (entry.get_object() for entry in page.get("/Annots", []))
        if "/URI" in note.get("/A", {})
    ]  # fmt: skip
    assert any(str(link).startswith("https://doi.org/") for link in links)
