"""The report as it lies in the repository: what a grader opens, looks for, and prints in grey."""

from __future__ import annotations

import io
import re
from itertools import pairwise

import numpy as np
import pytest
from figure_checks import LEAST_PT
from PIL import Image
from pypdf import PdfReader

from workshop import notebooks, report, results
from workshop.config import ROOT

TEXT = (ROOT / "report" / "report.typ").read_text(encoding="utf-8")
BODY_PT, PITCH_PT = 10.5, 15.0  # letters of the text, and less than from one paragraph to the next
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


def test_numbers_have_one_form_in_text_tables_and_figures(paper):
    text = "\n".join(page.extract_text() for page in paper.pages)
    for form in (r"\d[ \u202f]%", r"\d,\d{3}", r"(?<![\w/])-\d", r"\w'\w"):
        found = [text[max(at.start() - 20, 0) : at.end() + 20] for at in re.finditer(form, text)]
        assert found == [], form
    assert re.search(r"\d\u202f\d{3} songs", text) and "−0." in text and "R²" in text


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


# --- pages, as they look

TOP, BOTTOM = 0.08, 0.925  # of a page: where its text begins and ends
FULL, BLANK = 0.8, 0.2


def measure_page(png: bytes) -> tuple[float, float]:
    """Return where the ink of a page ends and its tallest blank, as shares of the text's height."""
    page = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
    rows = page[round(TOP * len(page)) : round(BOTTOM * len(page))].min(axis=1) < 200
    inked = np.flatnonzero(rows) / len(rows)
    if not len(inked):
        return 0.0, 1.0
    return float(inked[-1]), float(np.diff(inked, prepend=0.0).max())


@pytest.fixture(scope="module")
def pages() -> list[bytes]:
    """The committed results as pages, whatever the state of the code."""
    folder = ROOT / "report"
    sections = {name: results.read_section(folder, name) for name in notebooks.list_names()}
    return report.compile_text(sections, folder, format="png")


def test_no_page_is_left_empty(pages, paper):
    """But the last of a part; in the appendix of figures, which are not cut, a quarter may be."""
    texts = [page.extract_text() for page in paper.pages]
    parts = re.findall(r"(?m)^= (.*)$", TEXT)
    heads = [text[:60] for text in texts[1:]] + [parts[0]]
    figures = max(number for number, text in enumerate(texts) if parts[-1] in text)
    short = {}
    for number, (page, head) in enumerate(zip(pages, heads, strict=True)):
        full, blank = measure_page(page)
        is_last = any(head.startswith(part[:20]) for part in parts) or number == len(pages) - 1
        least = FULL - 0.05 if number >= figures else FULL
        if (round(full, 2) < least and not is_last) or blank > BLANK:
            short[number + 1] = round(full, 2), round(blank, 2)
    assert short == {}


def test_paragraphs_are_short(paper):
    """Lines of one paragraph follow each other closely, paragraphs do not."""
    longest = 0
    for page in paper.pages:
        heights: set[int] = set()

        def look(text, matrix, line, font, size, heights=heights):
            scale = (line[0] ** 2 + line[1] ** 2) ** 0.5 * (matrix[0] ** 2 + matrix[1] ** 2) ** 0.5
            if text.strip() and abs(size * scale - BODY_PT) < 0.1:
                heights.add(round(matrix[5] + line[5] * matrix[3]))

        if "Contents" not in page.extract_text(visitor_text=look) and heights:
            longest = max(longest, count_run(sorted(heights, reverse=True)))
    assert 3 < longest <= 7


def count_run(heights: list[int]) -> int:
    """Return how many lines follow each other without the space between paragraphs."""
    longest = run = 1
    for above, below in pairwise(heights):
        run = run + 1 if above - below < PITCH_PT else 1
        longest = max(longest, run)
    return longest
