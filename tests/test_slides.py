"""The figures and lines of the slides: none missing, sums right, contradictions kept."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from aares.chaining import slides
from workshop.config import ROOT

TITLES = """
Recommandation|Plan|Contexte - Objectif|Plan|Articles - Features - Audio - Extraction
Articles - Features - Audio - Extraction
Article : Comparaison non supervisée d'albums - Visuel|Article : Résultats expérimentaux
Article : Comparaison non supervisée d'albums - Visuel - Conclusions|Plan
Contribution : 1ère Expérience|Contribution : Résultats obtenus|Contribution : 2ème Expérience
Contribution : Analyse des résultats obtenus|Contribution : Focus sur le seuil|Plan
Temps - Extraction|Temps - Calcul des distances (euclidienne)|Plan
Score - Secondes pris en compte|Score - Différentes features - Pondération|Score - Distances
Score Optimisé|Plan|Réseau de neurone|Résultat : Réseau de neurone|Decision Tree|Plan
Contribution - Conclusion|Plan|Nombre de musiques & objectivité|Ajout de musiques|Plan
Vers une approche visuelle - Idée|Vers une approche visuelle - Objectif
Vers une approche visuelle - Résultat|Plan|Conclusion - Apport pour Lusion
Conclusion - Apport personnel|Conclusion - Pour aller plus loin...|Merci de votre attention
""".strip().replace("\n", "|").split("|")  # fmt: skip
DOCUMENT = "ba304dad9bf4e9b3"
"""Of the document's lines that are not empty, stripped and joined: taken from the document."""
NO_FIGURES = r"\b[12](?:ère|ème)\b|\bU2\b|\b2D\b|(?:flatten|dense|sequential)\W*_\d"


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return slides.read_slides()


# --- nothing is missing -------------------------------------------------------------------


def test_every_slide_is_there_by_its_title():
    found = slides.list_slides()
    assert found["title"].tolist() == TITLES
    assert found["slide"].tolist() == list(range(1, 42))
    assert (found["sections"] != "").all()


def test_every_line_of_the_document_is_there_and_has_a_section():
    lines = slides.read_slide_lines()
    text = "\n".join(lines["line"]).encode()
    assert hashlib.sha256(text).hexdigest()[:16] == DOCUMENT
    assert set(lines["section"]) == set(slides.SECTIONS)


def list_figures(line: str) -> list[float]:
    """Return the numbers of a line: m:ss in seconds, words for numbers and names left out."""
    line = re.sub(NO_FIGURES, "", re.sub(r"^\d+\. ", "", line)).replace("40 Millions", "40000000")
    line = re.sub(r"(?<=\d),(?=\d{3}\b)", "", line)
    times = [60 * int(m) + int(s) for m, s in re.findall(r"\b(\d?\d):(\d\d)\b", line)]
    numbers = re.findall(r"\d+(?:\.\d+)?", re.sub(r"\b\d?\d:\d\d\b", "", line))
    return [float(number) for number in [*times, *numbers]]


def test_every_number_of_the_document_is_a_figure_of_its_slide(table):
    lines = slides.read_slide_lines()
    plans = lines.loc[lines["line"] == "# Plan", "slide"]
    texts = lines[~lines["slide"].isin(plans) & ~lines["line"].str.startswith("Layer")]
    checked = 0
    for slide, line in zip(texts["slide"], texts["line"], strict=True):
        rows = table[table["slide"] == slide]
        known = {*rows["value"], *(round(100 * value, 6) for value in rows["value"])}  # or in %
        known |= {number for name in rows["quantity"] for number in list_figures(name)}
        missing = set(list_figures(line)) - known
        assert missing == set(), f"slide {slide}: {line}"
        checked += len(list_figures(line))
    assert checked > 110


# --- what the figures say -----------------------------------------------------------------


def test_counts_add_up():
    found = slides.add_up()
    assert found["sum"].tolist() == found["stated"].tolist() == [300, 88, 1541, 88]
    assert found["parts"].tolist()[:3] == ["195 + 45 + 60", "52 + 4 + 10 + 22", "1485 + 56"]


def test_the_contradictions_stand_in_the_table():
    found = slides.find_contradictions().set_index("quantity")["values"]
    assert found["accuracy: euclidean"] == (0.65, 0.66)
    assert found["accuracy: manhattan"] == (0.68, 0.66)
    assert found["threshold min: euclidean"] == (3.6, 3.5)
    assert found["threshold max: euclidean"] == (6.8, 8.0)
    assert found["optimised below weights alone"] == (0.68, 0.71)
    half, no = found["share not chainable"]
    assert half == 0.5 and no == pytest.approx(56 / 88)
    stated, measured = found["extraction in s a song"]
    assert stated == pytest.approx(0.6, abs=0.002) and measured == 0.57
    assert len(found) == 8


def test_shares_have_their_binomial_interval(table):
    rows = table.dropna(subset=["n"])
    for row in rows.itertuples():
        hits, n = round(row.value * row.n), int(row.n)
        interval = stats.binomtest(hits, n).proportion_ci(method="wilson")
        assert (row.low, row.high) == pytest.approx((interval.low, interval.high))
    assert rows["value"].between(rows["low"], rows["high"]).all()
    assert table.loc[table["n"].isna(), ["low", "high"]].isna().all(axis=None)
    first, tree = (slides.estimate_of(*pair) for pair in ((0.65, 300), (0.84, 88)))
    assert np.round(first, 2).tolist() == [0.65, 0.59, 0.7]
    assert np.round(tree, 2).tolist() == [0.84, 0.75, 0.9]


def test_the_trees_report_is_that_of_its_counts():
    no, wrong, missed, yes = (
        slides.get_figure(f"tree: {kind}")
        for kind in ("true negatives", "false positives", "false negatives", "true positives")
    )
    assert slides.get_figure("accuracy: tree") == round((no + yes) / 88, 2)
    assert slides.get_figure("precision: class 1") == round(yes / (yes + wrong), 2)
    assert slides.get_figure("recall: class 1") == round(yes / (yes + missed), 2)
    assert slides.get_figure("precision: class 0") == round(no / (no + missed), 2)
    assert slides.get_figure("recall: class 0") == round(no / (no + wrong), 2)


def test_most_rankings_are_within_chance():
    found = slides.compare_rankings()
    assert found["is_inside"].mean() > 2 / 3
    segments = found[found["slide"] == 20]
    assert segments["is_inside"].all() and len(segments) == 4
    far = found[(found["better"] == "accuracy: chroma_stft") & (found["worse"] == "accuracy: bpm")]
    assert not far["is_inside"].item()


@pytest.mark.parametrize(("share", "n"), [(1.2, 300), (-0.1, 300), (0.5, 0)])
def test_what_is_no_share_is_refused(share, n):
    with pytest.raises(ValueError, match=rf"a share in 0 .. 1 .* found {share} of {n}"):
        slides.estimate_of(share, n)


def test_a_figure_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="'speed': expected a quantity of slide 3, found none"):
        slides.get_figure("speed", 3)
    assert slides.get_figure("accuracy: manhattan", 29) == 0.66


def test_every_section_that_answers_a_slide_is_a_heading_of_the_notebook():
    text = (ROOT / "notebooks" / "src" / "06_chainable.py").read_text(encoding="utf-8")
    headings = {line.lstrip("# ") for line in text.splitlines() if line.startswith("# ##")}
    assert set(slides.SECTIONS) <= headings
