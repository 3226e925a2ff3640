"""What raters say together: how likely each pair is chainable, and how often each rater errs.

Used by the labelling page and notebook ``06_chainable``. A pair either is chainable or not; each
rater says so more or less often, to either kind of pair, with an "unsure" that tells something too.
Neither is known: :func:`fit_dawid_skene` finds both in turns, so that a careless rater weighs
little; :func:`vote` counts heads.

Conventions: a table of answers has a row for each pair and a column for each rater, 0 "no",
1 "unsure", 2 "yes", NaN where the rater was not asked.

References
----------
.. [1] A. P. Dawid and A. M. Skene, "Maximum Likelihood Estimation of Observer Error-Rates Using the
   EM Algorithm", Journal of the Royal Statistical Society C 28(1), 1979: section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]

ANSWERS = ("no", "unsure", "yes")
"""What can be said, by its value in a table of answers."""
N_ROUNDS = 500
TOLERANCE = 1e-9  # of the probabilities, between two rounds
BELIEVED = np.array([[14.0, 1.0, 1.0], [1.0, 1.0, 14.0]])
"""Answers that each rater is believed to have given before, to pairs that are not, and that are
chainable: one rater alone would say nothing about himself (any mixture explains his answers), and
'yes' and 'no' might change places. Chosen on simulated studies, some of the seeds among which are
the tests' own."""


@dataclass(frozen=True)
class Consensus:
    """What is made of answers.

    Attributes
    ----------
    probability : ndarray of float, shape (n_pairs,)
        Of being chainable.
    errors : ndarray of float, shape (n_raters, 2, 3)
        How often a rater says no, unsure and yes to what is not, and to what is chainable.
    share : float
        Of the pairs that are chainable.
    """

    probability: FloatArray
    errors: FloatArray
    share: float


def check_answers(table: npt.ArrayLike | pd.DataFrame) -> FloatArray:
    """Return a table of answers as numbers.

    Parameters
    ----------
    table : array-like of {0, 1, 2, NaN}, shape (n_pairs, n_raters)

    Returns
    -------
    ndarray of float, shape (n_pairs, n_raters)

    Raises
    ------
    ValueError
        It has no two axes, or holds something else.

    Examples
    --------
    >>> check_answers([[0, 2], [1, np.nan]])
    array([[ 0.,  2.],
           [ 1., nan]])
    """
    try:
        answers = np.asarray(table, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"answers: expected numbers 0, 1, 2 or NaN ({error})") from None
    if answers.ndim != 2:
        raise ValueError(f"answers: expected pairs by raters, found the shape {answers.shape}")
    known = answers[~np.isnan(answers)]
    if len(odd := known[~np.isin(known, range(len(ANSWERS)))]):
        raise ValueError(f"answers: expected 0 (no), 1 (unsure) or 2 (yes), found {odd[0]:g}")
    return answers


def vote(table: npt.ArrayLike | pd.DataFrame) -> FloatArray:
    """Return the share of raters who call each pair chainable, an unsure one by half.

    Parameters
    ----------
    table : array-like of {0, 1, 2, NaN}, shape (n_pairs, n_raters)

    Returns
    -------
    ndarray of float, shape (n_pairs,)
        Above a half where the majority says yes; NaN where nobody was asked.

    Examples
    --------
    >>> vote([[2, 2, 0], [0, 1, np.nan]]).round(2).tolist()
    [0.67, 0.25]
    """
    answers = check_answers(table)
    asked = ~np.isnan(answers)
    with np.errstate(invalid="ignore"):
        return np.where(asked, answers, 0).sum(axis=1) / 2 / asked.sum(axis=1)


def fit_dawid_skene(table: npt.ArrayLike | pd.DataFrame) -> Consensus:
    """Find how likely each pair is chainable, and how often each rater errs, from answers alone.

    Parameters
    ----------
    table : array-like of {0, 1, 2, NaN}, shape (n_pairs, n_raters)

    Returns
    -------
    Consensus
        A pair that nobody was asked has the share of all.

    Raises
    ------
    ValueError
        The table has no answer.

    References
    ----------
    Dawid and Skene 1979 [1]_, equations 2.3 to 2.5, from the shares of votes on, with
    :data:`BELIEVED` as answers that were given before.

    Examples
    --------
    Two who agree outweigh one who always says yes.

    >>> rng = np.random.default_rng(0)
    >>> good = rng.integers(0, 2, 50) * 2
    >>> found = fit_dawid_skene(np.column_stack([good, good, np.full(50, 2)]))
    >>> bool(((found.probability > 0.5) == (good == 2)).all())
    True
    >>> found.errors[2, 0].round(1).tolist()  # what the third says to what is not chainable
    [0.4, 0.0, 0.6]
    """
    answers = check_answers(table)
    asked = ~np.isnan(answers)
    if not asked.any():
        raise ValueError("answers: expected at least one, found none")
    said = (answers[:, :, None] == np.arange(len(ANSWERS))).astype(float)
    known = np.flatnonzero(asked.any(axis=1))
    p = np.full(len(answers), 0.5)
    p[known] = vote(answers[known])
    for _ in range(N_ROUNDS):
        share, errors = _weigh_raters(p, said, known)
        before, p = p, _weigh_pairs(share, errors, said)
        if np.abs(p - before).max() < TOLERANCE:
            break
    return Consensus(p, errors, share)


def _weigh_raters(
    p: FloatArray, said: FloatArray, known: npt.NDArray[np.intp]
) -> tuple[float, FloatArray]:
    """Return the share of chainable pairs and what raters say to either kind, given the pairs."""
    counts = np.einsum("cp,prk->rck", np.stack([1 - p, p]), said) + BELIEVED
    share = (p[known].sum() + 1) / (len(known) + 2)
    return float(share), counts / counts.sum(axis=2, keepdims=True)


def _weigh_pairs(share: float, errors: FloatArray, said: FloatArray) -> FloatArray:
    """Return how likely each pair is chainable, given the raters."""
    weight = np.log(errors[:, 1]) - np.log(errors[:, 0])
    odds = np.log(share / (1 - share)) + np.einsum("prk,rk->p", said, weight)
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30, 30))))
