"""Simulated raters: answers whose truth is known, because nobody has rated yet.

Used by tests, ``benchmarks/chaining/ears.py`` and notebook ``06_chainable``, wherever something is
said about raters before there are any; what comes of it is called simulated everywhere. A simulated
rater errs by chance, at a rate of his own, and has no taste, no ear and no bad day: real ones agree
less, and their errors fall on the same pairs (``hard``).

References
----------
.. [1] A. P. Dawid and A. M. Skene, 1979, see :mod:`.consensus`: the model that answers are drawn
   from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares.chaining.agreement import Level, measure_alpha
from aares.chaining.choice import Tally
from aares.chaining.consensus import ANSWERS

FloatArray = npt.NDArray[np.float64]


class Simulated(NamedTuple):
    """Answers of simulated raters, and what is true of them.

    Attributes
    ----------
    answers : ndarray of float, shape (n_pairs, n_raters)
        0 "no", 1 "unsure", 2 "yes", NaN where the rater was not asked.
    truth : ndarray of {0, 1}, shape (n_pairs,)
    errors : ndarray of float, shape (n_raters, 2, 3)
        What each rater says to what is not, and to what is chainable.
    """

    answers: FloatArray
    truth: npt.NDArray[np.intp]
    errors: FloatArray


def lay_out_errors(wrong: npt.ArrayLike, unsure: npt.ArrayLike = 0.0) -> FloatArray:
    """Return how simulated raters answer who err alike on both kinds of pairs.

    Parameters
    ----------
    wrong : array-like of float, shape (n_raters,)
        Share of the answers that are wrong; 0.5 guesses.
    unsure : array-like of float, shape (n_raters,) or ()
        Share that are "unsure".

    Returns
    -------
    ndarray of float, shape (n_raters, 2, 3)
        As of :class:`.consensus.Consensus`.

    Raises
    ------
    ValueError
        Shares are below 0, or sum to more than 1.

    Examples
    --------
    >>> lay_out_errors([0.25], 0.5)
    array([[[0.25, 0.5 , 0.25],
            [0.25, 0.5 , 0.25]]])
    """
    wrong = np.atleast_1d(np.asarray(wrong, dtype=float))
    unsure = np.broadcast_to(np.asarray(unsure, dtype=float), wrong.shape)
    right = 1 - wrong - unsure
    if not ((wrong >= 0) & (unsure >= 0) & (right >= 0)).all():
        raise ValueError(
            "wrong, unsure: expected shares from 0 that sum to at most 1, found "
            f"{wrong.tolist()} and {unsure.tolist()}"
        )
    no, yes = np.stack([right, unsure, wrong], axis=1), np.stack([wrong, unsure, right], axis=1)
    return np.stack([no, yes], axis=1)


def simulate_raters(
    n_pairs: int,
    errors: npt.ArrayLike,
    *,
    raters_per_pair: int | None = None,
    share: float = 0.5,
    hard: float = 0.0,
    random_state: int | np.random.Generator = 0,
) -> Simulated:
    """Let simulated raters answer pairs.

    Parameters
    ----------
    n_pairs : int
    errors : array-like of float, shape (n_raters, 2, 3)
        Such as :func:`lay_out_errors` makes; each row sums to 1.
    raters_per_pair : int, optional
        Who are drawn for each pair; default: all.
    share : float
        Of the pairs that are chainable.
    hard : float
        Share of the pairs that all raters guess, so that errors fall together.
    random_state : int or Generator

    Returns
    -------
    Simulated

    Raises
    ------
    ValueError
        Errors of another shape, or more raters for a pair than there are.

    Examples
    --------
    >>> found = simulate_raters(4, lay_out_errors([0.0, 0.0]), random_state=1)
    >>> bool((found.answers == 2 * found.truth[:, None]).all())
    True
    """
    said = np.asarray(errors, dtype=float)
    if said.ndim != 3 or said.shape[1:] != (2, 3) or not np.allclose(said.sum(axis=2), 1):
        raise ValueError(
            f"errors: expected raters by 2 by 3, each row a sum of 1, found the shape {said.shape}"
        )
    n_raters = len(said)
    per_pair = n_raters if raters_per_pair is None else raters_per_pair
    if not 1 <= per_pair <= n_raters:
        raise ValueError(f"raters_per_pair: expected 1 to {n_raters}, found {per_pair}")
    rng = np.random.default_rng(random_state)
    truth = (rng.random(n_pairs) < share).astype(np.intp)
    guessed = rng.random(n_pairs) < hard
    heard = np.where(guessed[:, None], rng.integers(2, size=(n_pairs, n_raters)), truth[:, None])
    steps = np.cumsum(said, axis=2)[np.arange(n_raters), heard]  # pairs by raters by answers
    answers = (rng.random((n_pairs, n_raters, 1)) > steps[:, :, :-1]).sum(axis=2).astype(float)
    order = np.argsort(rng.random((n_pairs, n_raters)), axis=1, kind="stable")
    answers[np.argsort(order, axis=1, kind="stable") >= per_pair] = np.nan
    return Simulated(answers, truth, said)


def simulate_session(
    pairs: pd.DataFrame,
    truth: npt.ArrayLike,
    errors: npt.ArrayLike,
    *,
    n_answers: int,
    probabilities: npt.ArrayLike | None = None,
    random_state: int = 0,
) -> pd.DataFrame:
    """Let simulated raters use the page in turns, each asked what :mod:`.choice` chooses.

    Parameters
    ----------
    pairs : DataFrame
        As of :func:`.choice.choose_next`.
    truth : array-like of {0, 1}, shape (n_pairs,)
    errors : array-like of float, shape (n_raters, 2, 3)
    n_answers : int
        Of each rater.
    probabilities : array-like of float, shape (n_pairs,), optional
        Of a model, for the choice.
    random_state : int

    Returns
    -------
    DataFrame
        ``rater`` ("simulated 1", ...), ``row``, ``a``, ``b``, ``kind``, ``presentation``,
        ``answer`` and ``expected`` (of checks, else empty), in order of time.

    Examples
    --------
    >>> pairs = pd.DataFrame({"a": list("xyz"), "b": list("yzx"), "kind": "question"})
    >>> session = simulate_session(pairs, [1, 0, 0], lay_out_errors([0.0, 0.0]), n_answers=2)
    >>> session["rater"].tolist()
    ['simulated 1', 'simulated 2', 'simulated 1', 'simulated 2']
    """
    said, truth = np.asarray(errors, dtype=float), np.asarray(truth, dtype=np.intp)
    rng = np.random.default_rng(random_state)
    rows: list[tuple[str, int, str, str, str]] = []
    columns, tally = ["rater", "row", "kind", "presentation", "answer"], Tally(pairs)
    for turn in range(n_answers * len(said)):
        rater = f"simulated {turn % len(said) + 1}"
        choice = tally.choose(rater, probabilities=probabilities, held=(), rng=rng)
        if choice is not None:
            answer = rng.choice(ANSWERS, p=said[turn % len(said), truth[choice.row]])
            rows.append((rater, choice.row, choice.kind, choice.presentation, str(answer)))
            tally.add(turn, rater, choice.row, choice.presentation)
    session = pd.DataFrame(rows, columns=columns)
    songs = pairs[["a", "b"]].iloc[session["row"]].reset_index(drop=True)
    right = np.where(truth[session["row"]] == 1, "yes", "no")
    expected = np.where(session["kind"] == "check", right, "")
    return pd.concat([session, songs], axis=1).assign(expected=expected)


def simulate_sample_sizes(
    n_pairs: Sequence[int],
    n_raters: Sequence[int],
    *,
    wrong: float,
    unsure: float = 0.0,
    level: Level = "ordinal",
    n_draws: int = 500,
    random_state: int = 0,
) -> pd.DataFrame:
    """Tell how far alpha may be off with so many pairs and raters, by simulated raters.

    Parameters
    ----------
    n_pairs, n_raters : sequence of int
        Each rater answers each pair.
    wrong, unsure : float
        Of all raters, see :func:`lay_out_errors`.
    level : {"nominal", "ordinal"}
    n_draws : int
        Simulated studies of each size.
    random_state : int

    Returns
    -------
    DataFrame
        ``pairs``, ``raters``, ``alpha`` (mean over the studies) and ``half_width`` of the range
        that holds 95 % of them.

    Examples
    --------
    >>> found = simulate_sample_sizes([20, 200], [3], wrong=0.1, n_draws=100)
    >>> bool(found["half_width"].is_monotonic_decreasing)
    True
    """
    rows = []
    for raters in n_raters:
        errors = lay_out_errors(np.full(raters, wrong), unsure)
        for pairs in n_pairs:
            rng = np.random.default_rng([random_state, raters, pairs])
            studies = (simulate_raters(pairs, errors, random_state=rng) for _ in range(n_draws))
            alphas = [measure_alpha(study.answers, level) for study in studies]
            low, high = np.nanquantile(alphas, [0.025, 0.975])
            rows.append((pairs, raters, float(np.nanmean(alphas)), float(high - low) / 2))
    return pd.DataFrame(rows, columns=["pairs", "raters", "alpha", "half_width"])
