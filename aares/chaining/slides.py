"""What the slides of the study say: every figure, every line, and what their numbers carry.

Used by notebook 06. The document is text taken from slides: its pictures are lost, and no number
is invented for them. ``slides.csv`` has every figure that is left (``slide``, ``quantity``,
``value``, and ``n`` where it is a share of so many trials), ``slide_lines.csv`` every line with the
section of the notebook that answers it. A quantity of one name is one thing: where two slides give
it two values, they contradict each other, and both stay.

Conventions
-----------
Slides are counted from 1 in the order of the document. Shares are in 0 .. 1, times in s or days.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from aares.scores import estimate_share, spread_of_share

SECTIONS = (
    "The question", "The features", "Experiment 1", "Experiment 2", "The threshold", "Time",
    "The scores", "Network and tree", "What the numbers can carry", "Visual features",
    "Tree of albums", "Limits and wishes",
)  # fmt: skip
"""Sections of notebook 06 that answer the slides; others go further than these."""
_FOLDER = Path(__file__).parent


def read_slides() -> pd.DataFrame:
    """Return every figure of the slides, with the interval that its number of trials allows.

    Returns
    -------
    DataFrame
        ``slide``, ``quantity``, ``value``, ``n`` (NaN where the slide does not say, or the value is
        no share) and ``low``, ``high``: Wilson's 95 % interval of the share, NaN without `n`.

    Examples
    --------
    >>> slides = read_slides().set_index("quantity")
    >>> slides.loc["accuracy: tree"].iloc[0].round(2).tolist()
    [27.0, 0.84, 88.0, 0.75, 0.9]
    """
    table = pd.read_csv(_FOLDER / "slides.csv")
    shares = table["n"].notna()
    table[["low", "high"]] = np.nan
    table.loc[shares, ["low", "high"]] = [
        estimate_of(value, int(n))[1:]
        for value, n in zip(table["value"][shares], table["n"][shares], strict=True)
    ]
    return table


def estimate_of(share: float, n: int) -> tuple[float, float, float]:
    """Return a stated share and the 95 % interval of what it estimates.

    Parameters
    ----------
    share : float
        In 0 .. 1, rounded as the slides do: the number of hits is the nearest one.
    n : int
        Trials, at least 1.

    Returns
    -------
    share, low, high : float
        Wilson's interval, of :func:`aares.scores.estimate_share`.

    Raises
    ------
    ValueError
        The share is no share, or there is no trial.

    Examples
    --------
    >>> [round(x, 2) for x in estimate_of(0.65, 300)]
    [0.65, 0.59, 0.7]
    """
    if not 0 <= share <= 1 or n < 1:
        raise ValueError(f"expected a share in 0 .. 1 of at least 1 trial, found {share} of {n}")
    hits = round(share * n)
    _, low, high = estimate_share([True] * hits + [False] * (n - hits))
    return share, low, high


def get_figure(quantity: str, slide: int | None = None) -> float:
    """Return the value of one figure.

    Parameters
    ----------
    quantity : str
        As in ``slides.csv``.
    slide : int, optional
        Needed where slides differ.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        No slide has the quantity, or several give it different values.

    Examples
    --------
    >>> get_figure("accuracy: network")
    0.8
    >>> get_figure("accuracy: manhattan")
    Traceback (most recent call last):
    ValueError: 'accuracy: manhattan': slides 22, 29 say 0.68, 0.66; name one of the slides
    """
    table = pd.read_csv(_FOLDER / "slides.csv")
    rows = table[table["quantity"].eq(quantity) & (slide is None or table["slide"].eq(slide))]
    if rows.empty:
        where = "the slides" if slide is None else f"slide {slide}"
        raise ValueError(f"{quantity!r}: expected a quantity of {where}, found none of that name")
    if len(set(rows["value"])) > 1:
        slides, values = (", ".join(map(str, rows[name])) for name in ("slide", "value"))
        raise ValueError(f"{quantity!r}: slides {slides} say {values}; name one of the slides")
    return float(rows["value"].iloc[0])


def read_slide_lines() -> pd.DataFrame:
    """Return every line of the document and the section of notebook 06 that answers it.

    Returns
    -------
    DataFrame
        ``slide``, ``line`` (as it stands, without blanks at its ends; empty lines left out) and
        ``section``, one of `SECTIONS`.

    Examples
    --------
    >>> lines = read_slide_lines()
    >>> int(lines["slide"].max()), set(lines["section"]) == set(SECTIONS)
    (41, True)
    """
    return pd.read_csv(_FOLDER / "slide_lines.csv", keep_default_na=False)


def list_slides() -> pd.DataFrame:
    """Return one row a slide: its title, and the sections that answer its lines.

    Returns
    -------
    DataFrame
        ``slide``, ``title``, ``lines`` (their number) and ``sections`` (joined by ``"; "``).

    Examples
    --------
    >>> list_slides().loc[12, ["title", "sections"]].tolist()
    ['Contribution : 2ème Expérience', 'Experiment 2; The threshold']
    """
    groups = read_slide_lines().groupby("slide", sort=True)
    return pd.DataFrame(
        [
            {
                "slide": slide,
                "title": rows["line"].iloc[0].removeprefix("# "),
                "lines": len(rows),
                "sections": "; ".join(dict.fromkeys(rows["section"])),
            }
            for slide, rows in groups
        ]
    )


def add_up() -> pd.DataFrame:
    """Return the sums that the slides' counts must give.

    Returns
    -------
    DataFrame
        ``parts`` (as text), ``sum`` and ``stated``: equal where the slides are right.

    Examples
    --------
    >>> add_up()[["parts", "stated"]].values.tolist()
    [['195 + 45 + 60', 300], ['52 + 4 + 10 + 22', 88], ['1485 + 56', 1541], ['56 + 32', 88]]
    """
    right = get_figure("accuracy: euclidean", 14) * get_figure("pairs")
    wrong = [get_figure(name, 14) for name in ("false negatives", "false positives")]
    kinds = ("true negatives", "false positives", "false negatives", "true positives")
    sums = [
        ([right, *wrong], get_figure("pairs")),
        ([get_figure(f"tree: {kind}") for kind in kinds], get_figure("support: all")),
        ([get_figure(f"parameters: dense_{i}") for i in (6, 7)], get_figure("parameters: total")),
        ([get_figure(f"support: class {i}") for i in (0, 1)], get_figure("support: all")),
    ]
    rows = [([round(part) for part in parts], round(stated)) for parts, stated in sums]
    return pd.DataFrame(
        {"parts": " + ".join(map(str, parts)), "sum": sum(parts), "stated": stated}
        for parts, stated in rows
    )


def find_contradictions() -> pd.DataFrame:
    """Return the quantities to which slides give different values, and what else does not fit.

    Returns
    -------
    DataFrame
        ``quantity``, ``slides`` and ``values`` (tuples, in the order of the slides), ``remark``.

    Examples
    --------
    >>> found = find_contradictions().set_index("quantity")["values"]
    >>> found["accuracy: euclidean"], found["accuracy: manhattan"]
    ((0.65, 0.66), (0.68, 0.66))
    """
    table = pd.read_csv(_FOLDER / "slides.csv")
    rows = []
    for quantity, found in table.groupby("quantity", sort=False):
        found = found.drop_duplicates("value")
        if len(found) > 1:
            rows.append((quantity, tuple(found["slide"]), tuple(found["value"]), "two values"))
    rows += [_compare_optimised(), _compare_shares(), _compare_days()]
    return pd.DataFrame(rows, columns=["quantity", "slides", "values", "remark"])


def _compare_optimised() -> tuple[str, tuple[int, ...], tuple[float, ...], str]:
    values = get_figure("accuracy: optimised"), get_figure("accuracy: with weights")
    return "optimised below weights alone", (23, 21), values, "the best choices together score less"


def _compare_shares() -> tuple[str, tuple[int, ...], tuple[float, ...], str]:
    no = get_figure("support: class 0") / get_figure("support: all")
    remark = "half of 300 pairs are chainable, of the tree's 88 fewer: 'always no' scores this"
    return "share not chainable", (13, 27), (1 - get_figure("share chainable"), no), remark


def _compare_days() -> tuple[str, tuple[int, ...], tuple[float, ...], str]:
    seconds = get_figure("extraction in days") * 86400 / get_figure("songs of the catalogue")
    measured = get_figure("extraction in s: 100 songs") / 100
    return "extraction in s a song", (17, 17), (seconds, measured), "277 days, and 100 songs"


def compare_rankings() -> pd.DataFrame:
    """Tell which rankings of the slides their number of pairs can carry.

    Returns
    -------
    DataFrame
        For any two accuracies of one slide with the same known `n`: ``slide``, ``better``,
        ``worse``, ``difference``, ``spread`` (half of the 95 % interval of a difference of two
        equal accuracies on as many pairs each) and ``is_inside``: chance alone gives as much. Where
        both were judged on the same pairs the spread may be smaller; the slides do not say how
        often they agree.

    Examples
    --------
    >>> found = compare_rankings()
    >>> bool(found["is_inside"].mean() > 0.5)
    True
    """
    table = read_slides()
    table = table[table["quantity"].str.startswith("accuracy") & table["n"].notna()]
    rows = []
    for slide, found in table.groupby("slide", sort=True):
        found = found.sort_values("value", ascending=False, kind="stable")
        figures = zip(found["quantity"], found["value"], found["n"], strict=True)
        for (better, high, n), (worse, low, n_other) in combinations(figures, 2):
            if n == n_other and high > low:
                spread = float(spread_of_share((high + low) / 2, n, n))
                rows.append((slide, better, worse, high - low, spread))
    result = pd.DataFrame(rows, columns=["slide", "better", "worse", "difference", "spread"])
    return result.assign(is_inside=result["difference"] <= result["spread"])
