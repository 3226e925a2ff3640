"""A result is read, never typed: digits in the text of report and notebooks, and why they stand.

A number that somebody typed stays as it is when the result changes. So every number in prose is
read from a result (``#num``, an f-string), or it is a parameter that stands in the notebook's own
code, or it is on a list here with the reason why no run can change it. What has a percent sign is
never taken for a parameter: it has to be on the list.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

import pytest

from workshop import notebooks
from workshop.report import TEXT

NUMBER = re.compile(r"(?<![\w.])(?P<value>\d+(?:[.,]\d+)*)(?!\w)(?P<share>\s?%)?")
COMMON = {
    r"(?m)^#+ .*$": "a heading has the number of its exercise or question",
    r"\*\*Exercises?[^*]*\*\*\s+\*[^*]*\*": "the assignment's words",
    r"(?i)\b(?:exercises?|questions?|sections?|figures?)\s\d(?:\.\d)?(?: and \d)?": "a place",
    r"\b(?:in|of)\s5\.\d\b": "a section of the notebook",
    r"95\s%": "the level of every interval",
    r"`[^`]*`": "code",
    r"(?m)^\d\. ": "an enumeration",
    r"recall\\?@10|\bF1\b|\b\w+-\d\b": "a name",
    r"\bet al\. \d{4}": "the year of a paper",
}
ALLOWED = {
    "01_genre": {
        "the same 16 columns": "checked by the door of the tables",
        "in all 16 columns": "checked by the door of the tables",
        "50%": "a column of pandas",
        "15-60": "a bin",
        "says 70 %, is it right in 70 of": "what a probability means",
    },
    "02_popularity": {
        "the model's 5 %": "the quantiles of the intervals",
        "90 % intervals": "what the intervals promise",
        "Promised are 90 %": "what the intervals promise",
        "groups with 30 songs": "the smallest group",
        "Among the 1 % of songs": "who is counted",
        "July 2015": "when the common release day was agreed on",
        "since 2015": "when the common release day was agreed on",
        "24 groups": "twelve keys, major and minor",
    },
    "03_recommendation": {
        "20 % of a playlist's": "how many are hidden",
    },
    "04_fingerprints": {
        "3000 samples a second": "exercise 4.1",
        "1500 Hz": "half of that",
        "by 1,001,000": "arithmetic of hashes, asserted below it",
        "by less than 20,000": "arithmetic of hashes, asserted below it",
        "from 8000 samples a second": "the identifier's rate",
        "plays 6 % too fast": "how the made-up programme is played",
        "drifts by 5 %": "how the made-up programme is played",
        "p_false at most 1%": "the level that is asked for",
    },
    "05_conformal": {
        "(1,000 ms)": "a unit",
        "13 columns": "checked by the door of the tables",
        "above 90 %": "the confidence asked for",
        "below 5 %": "the credibility asked for",
        "credibility 5 %": "the credibility asked for",
        "strangest 5 %": "the credibility asked for",
        "than 5 %": "what the guarantee says",
    },
    "06_chainable": {
        "300 labelled pairs": "the slides' words",
        "An accuracy of 300 answers": "the slides' words",
        "one of 88 answers": "the slides' words",
        "27 features": "the study's vector, counted by a test",
        "and 6.8*, says the slide, and 6.03 is chainable, 12.01 is not": "the slides' words",
        "300 pairs": "the slides' words",
        "thousands instead of 300": "the slides' words",
        "learns from 212 pairs and answers 88": "the slides' words: 88 of 300 were tested",
        "has 1,541 parameters": "counted by a test",
        "54 inputs": "counted by a test",
        "about 80 % and the tree 84 %": "the slides' words",
        "five of the 27 numbers": "the study's vector, counted by a test",
        "15 % false negatives and 20 %": "the slides' words",
        "56 of the tree's 88 pairs": "the slides' words",
        "40 million songs, 277 days": "the slides' words",
        "for 200 of each song": "a parameter of the extrapolation",
        "nothing above 5 kHz": "what the equalised pieces are",
        "800 by 512 points": "the slides' words",
        "is heard (27)": "the study's vector, counted by a test",
        "is seen (27 features": "as many as are heard",
        "212 pairs to learn from": "of the slides' 300",
        "Shamir 2014": "the year of a paper",
    },
    "report": {
        "eps = 0.05": "the level that the assignment asks for",
        "spike at 0": "the popularity that is meant",
        "In the summer of 2015": "when the industry agreed, see notebook 02",
        "approx. 10 songs": "the assignment's words",
        "of 27 audio features": "the study's vector, counted by a test",
        "chance of 300 pairs": "the slides' words",
        "announces 23 genres": "the assignment's words",
        "popularity 0": "the popularity that is meant",
        "is at 0": "the popularity that is meant",
        "begin at 0": "the popularity that is meant",
        "before 1980": "the two periods compared",
        "since 2010": "the two periods compared",
        "300 frames long and 20 bins high": "exercise 4.3",
        "For 10 s": "length of an excerpt",
        "the 10 s excerpts": "length of an excerpt",
        "excerpts of 10 s": "length of an excerpt",
        "excerpts of 5 s": "length of an excerpt",
        "of 512 samples at 3 kHz": "exercise 4.1",
        "0 dB": "a level of noise",
        "−10 dB": "a level of noise",
        "up to 4 kHz": "the definition of the noise",
        "1 − ε": "the level promised",
        "best of 113 teams": "published, Zamani et al. 2019, abstract",
        "R-precision of 0.224": "published, Zamani et al. 2019, abstract",
        "of 10 s at about −6 dB": "published, Wang 2003, section 3.1",
        "among 10 000 tracks": "published, Wang 2003, section 3.1",
        "15 s at about −9 dB": "published, Wang 2003, section 3.1",
        "road to 40 million songs": "the slides' words",
        "(the slides: 277)": "the slides' words",
        "set at 95%": "the level that the assignment asks for",
    },
    "07_one_song": {
        "notebooks 01 to 06": "names of notebooks",
        "space of notebook 05": "the name of a notebook",
        "4, 5 · in noise": "exercises",
        "with 90 % between": "the coverage that is asked for",
        "at −10 dB": "a level of noise",
        "at −20 dB": "a level of noise",
    },
}


def read_prose(name: str) -> Iterator[str]:
    """Yield what somebody typed into a notebook to be read: prose, and the texts of its code."""
    for cell in notebooks.from_source(name).cells:
        if cell.cell_type == "markdown":
            yield cell.source
        else:
            yield from list_texts(ast.parse(cell.source))


def list_texts(tree: ast.AST) -> Iterator[str]:
    """Yield the texts of a program; what an f-string reads stands as braces."""
    if isinstance(tree, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in tree.values]
        yield "".join(map(str, parts))
        read = [part.value for part in tree.values if isinstance(part, ast.FormattedValue)]
        yield from (text for part in read for text in list_texts(part))  # and not the formats
    elif isinstance(tree, ast.Constant):
        if isinstance(tree.value, str):
            yield tree.value
    else:
        yield from (text for child in ast.iter_child_nodes(tree) for text in list_texts(child))


def list_parameters(name: str) -> set[float]:
    """Return the numbers that stand in a notebook's code."""
    code = [cell.source for cell in notebooks.from_source(name).cells if cell.cell_type == "code"]
    nodes = [node for source in code for node in ast.walk(ast.parse(source))]
    values = [node.value for node in nodes if isinstance(node, ast.Constant)]
    return {float(value) for value in values if isinstance(value, int | float)}


QUESTION = r"(?m)^== (Questions? )?[0-9.]+( (to|and) [0-9.]+)?"  # the assignment's numbers


def read_report(text: str) -> str:
    """Return the report's prose: without comments, definitions, and what its code reads."""
    text = re.sub(r"(?m)^//.*$", "", text)
    text = re.sub(QUESTION, "== ", text)
    text = re.sub(r"(?ms)^#let exercises = .*?^\)$", "", text)
    kept, open_brackets = [], []
    for before, sign in zip(" " + text, text, strict=False):
        in_code = bool(open_brackets) and open_brackets[-1] == "("
        if sign == "(" and (in_code or re.match(r"[\w-]", before)):  # a call, and what is in it
            open_brackets.append("(")
        elif sign == "[" and open_brackets:
            open_brackets.append("[")
        elif open_brackets and sign == {"(": ")", "[": "]"}[open_brackets[-1]]:
            open_brackets.pop()
        elif not in_code:
            kept.append(sign)
    assert open_brackets == [], "brackets of the report do not match"
    return "".join(kept)


def find_typed(
    prose: Iterable[str], allowed: Iterable[str], parameters: set[float] | None = None
) -> tuple[list[str], set[str]]:
    """Return the numbers that have no reason, with the words around, and the reasons not needed."""
    typed, unused = [], set(allowed)
    for text in prose:
        for pattern in COMMON:
            text = re.sub(pattern, " ", text)
        text = " ".join(text.split())
        for phrase in sorted(allowed, key=len, reverse=True):
            if phrase in text:
                unused.discard(phrase)
                text = text.replace(phrase, "…")
        for match in NUMBER.finditer(text):
            value = float(match["value"].replace(",", ""))
            if match["share"] or value not in (parameters or ()):
                typed.append(text[max(match.start() - 30, 0) : match.end() + 20])
    return typed, unused


def check(where: str, prose: Iterable[str], parameters: set[float] | None = None) -> None:
    allowed = ALLOWED.get(where, {})
    typed, unused = find_typed(prose, allowed, parameters)
    assert typed == [], f"{where}: read it from a result, or say here why no run can change it"
    assert unused == set(), f"{where}: these phrases are gone, delete their reasons here"


@pytest.mark.parametrize("name", notebooks.list_names())
def test_notebooks_state_no_typed_result(name):
    check(name, read_prose(name), list_parameters(name))


def test_the_report_states_no_typed_result():
    check("report", [read_report(TEXT.read_text(encoding="utf-8"))])


def test_chance_has_one_value_in_text_and_figure():
    code = "".join(cell.source for cell in notebooks.from_source("03_recommendation").cells)
    assert code.count("chance = ") == 1 and "RandomScorer" not in code
    assert 'book.number("recall_random", chance)' in code and "chance {chance:" in code
    report = TEXT.read_text(encoding="utf-8")
    assert report.count('"recall_random", digits: 2') == 1 and "{chance:.2%}" in code


@pytest.mark.parametrize(
    "text",
    ["faster among 200 songs", "3 kHz, 171 ms. If the", "wins with **14.98** points",
     "in about 70 % of the cases", "reaches 0.572, not more", "keeps 1,234 of them"],
)  # fmt: skip
def test_a_typed_result_is_found(text):
    assert find_typed([text], {}, {3.0, 70.0})[0] != []
    assert find_typed([read_report(f"#takeaway[{text}]")], {}, {3.0, 70.0})[0] != []


def test_what_is_read_or_explained_is_not_found():
    report = 'found #num("04", "share_0_db", digits: 2) at #fixed(100 * (1 - f("x")), digits: 0) %'
    assert find_typed([read_report(report)], {})[0] == []
    code = 'book.say(f"{share:.1%} of {n:,}, in `bins[12]` of figure 2")'
    assert find_typed(list_texts(ast.parse(code)), {})[0] == []
    assert find_typed(["We cut 280 excerpts"], {}, {280.0}) == ([], set())
    assert find_typed(["since July 2015"], {"July 2015": "", "of 7": ""}) == ([], {"of 7"})
