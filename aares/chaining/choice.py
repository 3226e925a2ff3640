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

from collections import Counter
from collections.abc import Collection, Hashable
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
    tally = Tally(pairs)
    rows = _check_answers(answers, len(pairs))
    given = zip(answers["rater"], rows.tolist(), answers["presentation"], strict=True)
    for number, answer in enumerate(given):
        tally.add(number, *answer)
    return tally.choose(rater, probabilities=probabilities, held=held, rng=rng)


class Tally:
    """What a choice follows from, counted up as answers come and go.

    Where many are asked at once, :func:`choose_next` would count all answers for each of them. Both
    choose alike.

    Parameters
    ----------
    pairs : DataFrame
        As of :func:`choose_next`.

    Raises
    ------
    DataError
        A column is missing, or a kind unknown.

    Examples
    --------
    >>> tally = Tally(pd.DataFrame({"a": ["x", "y"], "b": ["y", "x"], "kind": "question"}))
    >>> tally.add("first", "me", 0, "plain")
    >>> tally.choose("me", probabilities=None, held=(), rng=np.random.default_rng(0)).row
    1
    """

    def __init__(self, pairs: pd.DataFrame) -> None:
        _require_columns("pairs", pairs, ("a", "b", "kind"))
        self._is_question = (pairs["kind"] == "question").to_numpy(bool)
        is_known = self._is_question | (pairs["kind"] == "check").to_numpy(bool)
        if len(other := pairs["kind"][~is_known]):
            raise DataError(
                f'pairs: expected the kind "question" or "check", found {other.iloc[0]!r}'
            )
        self._own: dict[Hashable, dict[Hashable, tuple[int, str]]] = {}  # rater -> his answers
        self._raters: dict[Hashable, Hashable] = {}  # answer -> its rater
        self._times: Counter[tuple[Hashable, int]] = Counter()  # that a rater answered a row
        n = len(pairs)
        self._n_answers, self._n_raters = np.zeros(n, dtype=np.intp), np.zeros(n, dtype=np.intp)
        names = [name for name in ("a", "b", "region") if name in pairs]
        self._codes = [
            pd.factorize(pairs[name].to_numpy(), use_na_sentinel=False)[0] for name in names
        ]
        self._heard = [np.zeros(codes.max(initial=0) + 1, dtype=np.intp) for codes in self._codes]

    def add(self, key: Hashable, rater: Hashable, row: int, presentation: str) -> None:
        """Count an answer.

        Parameters
        ----------
        key : hashable
            By which it may be taken back.
        rater : hashable
        row : int
            Of the table of pairs, from 0.
        presentation : {"plain", "mirrored"}

        Raises
        ------
        ValueError
            The key was given to another answer, there is no such row, or no such presentation.
        """
        if key in self._raters:
            raise ValueError(f"key: expected a new one, found {key!r} again")
        n = len(self._is_question)
        if not _is_row(row, n):
            raise ValueError(f"row: expected a whole number from 0 to {n - 1}, found {row!r}")
        if presentation not in SIDES:
            raise ValueError(f"presentation: expected {' or '.join(SIDES)}, found {presentation!r}")
        self._raters[key] = rater
        self._own.setdefault(rater, {})[key] = (row, presentation)
        self._count(rater, row, 1)

    def remove(self, key: Hashable) -> None:
        """Take an answer back, as if it had not been given.

        Parameters
        ----------
        key : hashable

        Raises
        ------
        ValueError
            There is no such answer.
        """
        if key not in self._raters:
            raise ValueError(f"key: expected that of an answer, found {key!r}")
        rater = self._raters.pop(key)
        row, _ = self._own[rater].pop(key)
        self._count(rater, row, -1)

    def _count(self, rater: Hashable, row: int, step: int) -> None:
        self._n_answers[row] += step
        for codes, heard in zip(self._codes, self._heard, strict=True):
            heard[codes[row]] += step
        self._times[rater, row] += step
        if self._times[rater, row] == (step > 0):  # the first one came, or the last one went
            self._n_raters[row] += step

    def choose(
        self,
        rater: Hashable,
        *,
        probabilities: npt.ArrayLike | None,
        held: Collection[int],
        rng: np.random.Generator,
    ) -> Choice | None:
        """Choose what a rater is asked next.

        Parameters
        ----------
        rater : hashable
        probabilities : array-like of float, shape (n_pairs,), optional
        held : collection of int
        rng : Generator

        Returns
        -------
        Choice or None
            As of :func:`choose_next`.

        Raises
        ------
        ValueError
            As of :func:`choose_next`.
        """
        n = len(self._is_question)
        p = _check_probabilities(probabilities, n)
        own = list(self._own.get(rater, {}).values())
        mine = np.array([row for row, _ in own], dtype=np.intp)
        free = ~_mark(_check_held(held, n), n)
        again = free & _mark(_find_repeats(mine, self._is_question), n)
        fresh = free & ~_mark(mine, n)
        checks = fresh & ~self._is_question
        kind = _draw_kind(mine, self._is_question, bool(again.any()), bool(checks.any()), rng)
        if kind == "repeat":
            row = _pick(again, np.zeros(n), rng)
            before = next(side for answered, side in own if answered == row)
            return Choice(row, kind, SIDES[before == SIDES[0]])
        side, by_model = SIDES[rng.integers(2)], rng.random() < 0.5
        if kind == "check":
            return Choice(_pick(checks, self._n_answers, rng), kind, side)
        open_to = _list_open(fresh & self._is_question, self._n_raters)
        if not open_to.any():
            return None
        if by_model and p is not None:
            return Choice(_pick(open_to, np.abs(p - 0.5), rng), "uncertain", side)
        return Choice(_pick(open_to, -self._weigh_novelty(), rng), "coverage", side)

    def _weigh_novelty(self) -> FloatArray:
        """Return how little each pair's end of A, start of B and region were heard."""
        novelty = np.zeros(len(self._is_question))
        for codes, heard in zip(self._codes, self._heard, strict=True):
            novelty += (1 / (1 + heard))[codes]
        return novelty


def _require_columns(name: str, table: pd.DataFrame, columns: tuple[str, ...]) -> None:
    if not isinstance(table, pd.DataFrame):
        raise DataError(f"{name}: expected a DataFrame, found {type(table).__name__}")
    if missing := [column for column in columns if column not in table]:
        found = ", ".join(map(str, table))
        raise DataError(f"{name}: expected a column {missing[0]!r}, found {found}")


def _check_answers(answers: pd.DataFrame, n: int) -> IntArray:
    """Return the rows of answers to `n` pairs."""
    _require_columns("answers", answers, ("rater", "row", "presentation", "answer"))
    if len(other := answers["presentation"][~answers["presentation"].isin(SIDES)]):
        raise DataError(f"answers: expected {' or '.join(SIDES)}, found {other.iloc[0]!r}")
    rows = pd.to_numeric(answers["row"], errors="coerce").to_numpy(float)
    if len(wrong := answers["row"][~((rows >= 0) & (rows < n) & (rows % 1 == 0))]):
        raise DataError(f"answers: expected rows from 0 to {n - 1}, found {wrong.tolist()[0]!r}")
    if answers["rater"].isna().any():  # each would be somebody else
        place = int(answers["rater"].isna().to_numpy().argmax())
        raise DataError(f"answers: expected a rater for each, found none in row {place}")
    return rows.astype(np.intp)


def _is_row(row: Any, n: int) -> bool:
    whole = isinstance(row, int | np.integer) and not isinstance(row, bool)
    return whole and bool(0 <= row < n)


def _check_held(held: Collection[int], n: int) -> IntArray:
    if wrong := [row for row in held if not _is_row(row, n)]:
        raise ValueError(f"held: expected rows from 0 to {n - 1}, found {wrong[0]!r}")
    return np.array(list(held), dtype=np.intp)


def _check_probabilities(probabilities: npt.ArrayLike | None, n: int) -> FloatArray | None:
    if probabilities is None:
        return None
    try:
        p = np.asarray(probabilities, dtype=float)
    except (TypeError, ValueError):
        raise ValueError("probabilities: expected numbers, found something else") from None
    if p.shape != (n,) or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(
            f"probabilities: expected {n} numbers from 0 to 1, found the shape {p.shape}"
            + (f" from {p.min():g} to {p.max():g}" if p.size else "")
        )
    return p


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


def _list_open(fresh: npt.NDArray[np.bool_], raters: IntArray) -> npt.NDArray[np.bool_]:
    """Mark what a rater may be asked, so that each pair gets two raters before others begin."""
    waiting = fresh & (raters == 1)
    if waiting.sum() >= MOST_OPEN:
        return waiting
    if (young := fresh & (raters <= 1)).any():
        return young
    return fresh & (raters == raters[fresh].min(initial=len(raters)))


def _pick(candidates: npt.NDArray[np.bool_], cost: npt.NDArray[Any], rng: Any) -> int:
    """Return a candidate of least cost, drawn where there are several."""
    rows = np.flatnonzero(candidates)
    least = rows[cost[rows] == cost[rows].min()]
    return int(least[rng.integers(len(least))])
