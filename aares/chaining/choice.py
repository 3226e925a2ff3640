"""Which pair a rater is asked next: what teaches most, what nobody heard, and what tests raters.

Used by the labelling page. Half of the questions are those the model is least sure of, half those
whose songs and regions were heard least; among the answers of a rater, a tenth are own ones asked
again at least :data:`LATER` answers later, and a twentieth are checks whose answer is known.

The rules, whatever is drawn:

* no rater is asked a fresh pair twice, nor a pair again more than once;
* a pair is *open* while one rater has answered it. Where two open pairs wait for a rater, no third
  is opened: he closes one of them first. Pairs of two raters are asked again when all are;
* A before B and B before A are two rows, and two questions;
* nothing is chosen that is held: in somebody's page, or reserved.

Answers stand on either side of the page: in half of the fresh questions "mirrored", and in a repeat
on the other side than before, so that a habit of the hand shows, and no side tells a repeat.

References
----------
.. [1] D. D. Lewis and W. A. Gale, "A Sequential Algorithm for Training Text Classifiers", SIGIR
   1994: section 3 (ask what the classifier is least sure of).
.. [2] B. Settles, "Active Learning Literature Survey", 2009: section 5.2 (what is uncertain only is
   often alike: cover the space, too).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares.errors import DataError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

REPEATS = 0.10  # of a rater's answers, once there are enough of them
CHECKS = 0.05
LATER = 20  # answers of the rater from one to its repeat
MOST_OPEN = 2
CATCH_UP = 10  # answers within which a share that lags is made good
LIKELIEST = 0.5  # no kind is drawn more often, however far it lags
SIDES = ("plain", "mirrored")


class Choice(NamedTuple):
    """What a rater is asked.

    Attributes
    ----------
    row : int
        Of the table of pairs, from 0.
    kind : str
        "uncertain", "coverage", "repeat" or "check": why it is asked.
    presentation : str
        "plain" or "mirrored".
    """

    row: int
    kind: str
    presentation: str


def choose_next(
    pairs: pd.DataFrame,
    answers: pd.DataFrame,
    rater: str,
    *,
    probabilities: npt.ArrayLike | None,
    held: Collection[int],
    rng: np.random.Generator,
) -> Choice | None:
    """Choose what a rater is asked next.

    Parameters
    ----------
    pairs : DataFrame
        ``a``, ``b`` (what is played first and second), ``kind`` ("question" or "check") and, where
        they are known, ``region``: what pairs that sound alike share.
    answers : DataFrame
        ``rater``, ``row`` (of `pairs`), ``presentation``, ``answer``, of all raters in order of
        time. Undone ones are left out.
    rater : str
        Who is asked; one without answers is new.
    probabilities : array-like of float, shape (n_pairs,), optional
        Of the model, 0-1; None while there is none: all questions are chosen by coverage.
    held : collection of int
        Rows that are reserved for anybody or in a page, or that this rater skipped.
    rng : Generator
        Decides kinds, presentations and ties.

    Returns
    -------
    Choice or None
        None where nothing is left for this rater.

    Raises
    ------
    DataError
        A column is missing, a kind or a presentation unknown, an answer to no pair.
    ValueError
        Probabilities of another number of pairs or beyond 0-1, or a held row that is not there.

    References
    ----------
    Lewis and Gale 1994 [1]_ (uncertainty), Settles 2009 [2]_ (coverage).

    Examples
    --------
    >>> pairs = pd.DataFrame({"a": list("xyz"), "b": list("yzx"), "kind": "question"})
    >>> answers = pd.DataFrame(columns=["rater", "row", "presentation", "answer"])
    >>> choice = choose_next(pairs, answers, "me", probabilities=[0.9, 0.5, 0.1], held={1},
    ...                      rng=np.random.default_rng(0))
    >>> choice.row in (0, 2)
    True
    """
    rows, is_question, p = _check(pairs, answers, probabilities, held)
    own = answers["rater"].to_numpy() == rater
    mine = rows[own]
    free = np.ones(len(pairs), dtype=bool)
    free[list(held)] = False
    again = free & _mark(_find_repeats(mine, is_question), len(pairs))
    fresh = free & ~_mark(mine, len(pairs))
    checks = fresh & ~is_question
    kind = _draw_kind(mine, is_question, bool(again.any()), bool(checks.any()), rng)
    if kind == "repeat":
        row = _pick(again, np.zeros(len(pairs)), rng)
        before = answers["presentation"].to_numpy()[own][mine == row][0]
        return Choice(row, kind, SIDES[before == SIDES[0]])
    side, by_model = SIDES[rng.integers(2)], rng.random() < 0.5
    if kind == "check":
        return Choice(_pick(checks, np.bincount(rows, minlength=len(pairs)), rng), kind, side)
    open_to = _list_open(fresh & is_question, _count_raters(answers, rows, len(pairs)))
    if not open_to.any():
        return None
    if by_model and p is not None:
        return Choice(_pick(open_to, np.abs(p - 0.5), rng), "uncertain", side)
    return Choice(_pick(open_to, -_weigh_novelty(pairs, rows), rng), "coverage", side)


def _check(
    pairs: pd.DataFrame,
    answers: pd.DataFrame,
    probabilities: npt.ArrayLike | None,
    held: Collection[int],
) -> tuple[IntArray, npt.NDArray[np.bool_], FloatArray | None]:
    """Return rows of the answers, which pairs are questions, and the probabilities."""
    for name, table, columns in (
        ("pairs", pairs, ("a", "b", "kind")),
        ("answers", answers, ("rater", "row", "presentation", "answer")),
    ):
        if missing := [column for column in columns if column not in table]:
            found = ", ".join(map(str, table))
            raise DataError(f"{name}: expected a column {missing[0]!r}, found {found}")
    is_question = (pairs["kind"] == "question").to_numpy(bool)
    if len(other := pairs["kind"][~is_question & (pairs["kind"] != "check").to_numpy(bool)]):
        raise DataError(f'pairs: expected the kind "question" or "check", found {other.iloc[0]!r}')
    if len(other := answers["presentation"][~answers["presentation"].isin(SIDES)]):
        raise DataError(f"answers: expected {' or '.join(SIDES)}, found {other.iloc[0]!r}")
    rows = pd.to_numeric(answers["row"], errors="coerce").to_numpy(float)
    if len(wrong := answers["row"][~((rows >= 0) & (rows < len(pairs)) & (rows % 1 == 0))]):
        raise DataError(
            f"answers: expected rows from 0 to {len(pairs) - 1}, found {wrong.iloc[0]!r}"
        )
    if wrong_rows := [row for row in held if not 0 <= row < len(pairs)]:
        raise ValueError(f"held: expected rows from 0 to {len(pairs) - 1}, found {wrong_rows[0]!r}")
    if probabilities is None:
        return rows.astype(np.intp), is_question, None
    p = np.asarray(probabilities, dtype=float)
    if p.shape != (len(pairs),) or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(
            f"probabilities: expected {len(pairs)} numbers from 0 to 1, found the shape {p.shape}"
            + (f" from {p.min():g} to {p.max():g}" if p.size else "")
        )
    return rows.astype(np.intp), is_question, p


def _mark(rows: IntArray, n: int) -> npt.NDArray[np.bool_]:
    marked = np.zeros(n, dtype=bool)
    marked[rows] = True
    return marked


def _find_repeats(mine: IntArray, is_question: npt.NDArray[np.bool_]) -> IntArray:
    """Return what a rater answered once, long enough ago."""
    once = np.bincount(mine, minlength=len(is_question)) == 1
    long_ago = mine[: max(len(mine) - LATER + 1, 0)]
    return long_ago[once[long_ago] & is_question[long_ago]]


def _draw_kind(
    mine: IntArray,
    is_question: npt.NDArray[np.bool_],
    can_repeat: bool,
    can_check: bool,
    rng: np.random.Generator,
) -> str:
    """Draw a repeat, a check or a question; a share that lags is drawn more often."""
    asked = mine[is_question[mine]]
    done = {"repeat": len(asked) - len(np.unique(asked)), "check": len(mine) - len(asked)}
    draw = rng.random()
    for kind, share, can in (("repeat", REPEATS, can_repeat), ("check", CHECKS, can_check)):
        lag = share * len(mine) - done[kind]
        chance = float(np.clip(share + lag / CATCH_UP, 0, LIKELIEST)) if can else 0.0
        if draw < chance:
            return kind
        draw -= chance
    return "question"


def _count_raters(answers: pd.DataFrame, rows: IntArray, n: int) -> IntArray:
    """Return how many raters answered each pair."""
    codes, _ = pd.factorize(answers["rater"].to_numpy())
    return np.bincount(np.unique(codes * n + rows) % max(n, 1), minlength=n)


def _list_open(fresh: npt.NDArray[np.bool_], raters: IntArray) -> npt.NDArray[np.bool_]:
    """Mark what a rater may be asked, so that each pair gets two raters before others begin."""
    waiting = fresh & (raters == 1)
    if waiting.sum() >= MOST_OPEN:
        return waiting
    if (young := fresh & (raters <= 1)).any():
        return young
    return fresh & (raters == raters[fresh].min(initial=len(raters)))


def _weigh_novelty(pairs: pd.DataFrame, rows: IntArray) -> FloatArray:
    """Return how little each pair's end of A, start of B and region were heard."""
    novelty = np.zeros(len(pairs))
    for column in ("a", "b", "region"):
        if column in pairs:
            codes, _ = pd.factorize(pairs[column].to_numpy())
            heard = np.bincount(codes[rows], minlength=codes.max(initial=0) + 1)
            novelty += 1 / (1 + heard[codes])
    return novelty


def _pick(candidates: npt.NDArray[np.bool_], cost: npt.NDArray[Any], rng: Any) -> int:
    """Return a candidate of least cost, drawn where there are several."""
    rows = np.flatnonzero(candidates)
    least = rows[cost[rows] == cost[rows].min()]
    return int(least[rng.integers(len(least))])
