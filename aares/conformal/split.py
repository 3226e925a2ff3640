"""Split conformal prediction on the class probabilities of any classifier.

Notebook ``05_conformal``; conventions and references in :mod:`aares.conformal`. The classifier
never saw the calibration songs, and treats them exactly as it treats new ones. A score says how
badly a label fits a song; the p-value of a label is the rank of its score among the calibration
songs' scores for their true labels.

Conventions
-----------
The set ``{y: p(y) > eps}`` is the usual ``{y: score(y) <= q}`` with q the
``ceil((n + 1)(1 - eps))``-th smallest of n calibration scores: one array of p-values therefore
holds the sets of all eps.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from aares.conformal.checks import read_codes
from utils_projet import TooFewExamplesWarning

SCORES = ("lac", "aps", "raps")


def score_labels(
    probabilities: np.ndarray,
    *,
    score: str = "lac",
    rng: np.random.Generator | None = None,
    penalty: float = 0.01,
    free_labels: int = 5,
) -> np.ndarray:
    """Score how badly every label fits every song.

    Parameters
    ----------
    probabilities : ndarray of float, shape (m, n_labels), rows sum to 1
    score : {"lac", "aps", "raps"}
        "lac": 1 minus the label's probability [3]_. "aps": the sum of the probabilities of all
        labels that are more probable, plus the label's own [4]_. "raps": the same plus `penalty`
        for each rank beyond `free_labels` [5]_. Equal probabilities rank in label order.
    rng : np.random.Generator, optional
        Counts only a uniform share of the label's own probability, one share for each song, which
        makes "aps" and "raps" exact on average. Without it all of it counts. Unused by "lac".
    penalty : float, >= 0
    free_labels : int, >= 0

    Returns
    -------
    ndarray of float, shape (m, n_labels)

    Raises
    ------
    ValueError
        When the name of the score is unknown or `probabilities` are none.

    References
    ----------
    Romano et al. 2020 [4]_, equation 5; Angelopoulos et al. 2021 [5]_, section 2.

    Examples
    --------
    >>> probabilities = np.array([[0.6, 0.3, 0.1]])
    >>> score_labels(probabilities).round(2).tolist()
    [[0.4, 0.7, 0.9]]
    >>> score_labels(probabilities, score="aps").round(2).tolist()
    [[0.6, 0.9, 1.0]]
    >>> score_labels(probabilities, score="raps", free_labels=1).round(2).tolist()
    [[0.6, 0.91, 1.02]]
    """
    if score not in SCORES:
        raise ValueError(f"score: expected one of {', '.join(SCORES)}, found {score!r}")
    probabilities = _check_probabilities(probabilities)
    if score == "lac":
        return 1 - probabilities
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ranked = np.take_along_axis(probabilities, order, axis=1)
    share = np.ones((len(ranked), 1)) if rng is None else rng.uniform(size=(len(ranked), 1))
    totals = np.cumsum(ranked, axis=1) - (1 - share) * ranked
    if score == "raps":
        totals += penalty * np.maximum(np.arange(1, ranked.shape[1] + 1) - free_labels, 0)
    scores = np.empty_like(totals)
    np.put_along_axis(scores, order, totals, axis=1)
    return scores


def split_p_values(
    calibration: np.ndarray, codes: np.ndarray, scores: np.ndarray, *, mondrian: bool = False
) -> np.ndarray:
    """Rank every label's score among the calibration songs'.

    Parameters
    ----------
    calibration : array-like or DataFrame, shape (n, n_labels), n >= 1
        Scores of the calibration songs, see :func:`score_labels`.
    codes : array-like of int, shape (n,)
        Columns of the calibration songs' true labels.
    scores : array-like or DataFrame, shape (m, n_labels)
        Scores of the new songs. Of two DataFrames the columns are put in one order.
    mondrian : bool
        Rank among the calibration songs of the label in question only. A label without any has
        p = 1 and is in every set.

    Returns
    -------
    ndarray of float, shape (m, n_labels), in (0, 1]
        ``(#{calibration score >= score} + 1) / (n + 1)``.

    Raises
    ------
    ValueError
        When shapes or columns do not match, there is no calibration song, a score is NaN, or a code
        is no column.

    Warns
    -----
    TooFewExamplesWarning
        When `mondrian` meets labels without a calibration song.

    References
    ----------
    Vovk, Gammerman and Shafer 2005 [2]_, section 4.1 (inductive conformal predictors).

    Examples
    --------
    >>> from aares.conformal.split import score_labels
    >>> calibration = score_labels(np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]))
    >>> split_p_values(calibration, np.array([0, 0, 1]), score_labels(np.array([[0.7, 0.3]])))
    array([[0.5 , 0.25]])
    """
    calibration, scores = _read_scores(calibration, scores)
    codes = read_codes(codes, *calibration.shape)
    if mondrian:
        _warn_of_unknown(np.bincount(codes, minlength=scores.shape[1]))
    own = calibration[np.arange(len(codes)), codes]
    p = np.empty(scores.shape)
    for label in range(scores.shape[1]):
        ranked = np.sort(own[codes == label] if mondrian else own)
        at_least = len(ranked) - np.searchsorted(ranked, scores[:, label], "left")
        p[:, label] = (at_least + 1) / (len(ranked) + 1)
    return p


def _read_scores(calibration: Any, scores: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores of calibration and new songs with the same columns, none of them NaN."""
    if isinstance(calibration, pd.DataFrame) and isinstance(scores, pd.DataFrame):
        if set(calibration.columns) != set(scores.columns):
            names = [", ".join(map(str, table.columns)) for table in (calibration, scores)]
            raise ValueError(f"scores: expected the columns {names[0]}, found {names[1]}")
        scores = scores[calibration.columns]
    calibration, scores = np.asarray(calibration, float), np.asarray(scores, float)
    if calibration.ndim != 2 or scores.ndim != 2 or calibration.shape[1] != scores.shape[1]:
        raise ValueError(
            "expected calibration and scores of shapes (n, n_labels) and (m, n_labels), "
            f"found {calibration.shape} and {scores.shape}"
        )
    if not len(calibration):
        raise ValueError("calibration: expected at least one song, found none")
    for name, values in (("calibration", calibration), ("scores", scores)):
        for row in np.flatnonzero(np.isnan(values).any(axis=1))[:1]:
            raise ValueError(f"{name}: expected numbers, found NaN in row {row}")
    return calibration, scores


def _warn_of_unknown(counts: np.ndarray) -> None:
    """Warn of labels without a calibration song: no set can exclude them."""
    unknown = np.flatnonzero(counts == 0)
    if len(unknown):
        text = (
            f"no calibration song has a label of the columns {unknown.tolist()}: at any eps these "
            "are in every set; an eps needs at least 1 / eps - 1 songs of each label"
        )
        warnings.warn(text, TooFewExamplesWarning, stacklevel=3)


def _check_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """Return class probabilities as floats, or say what is wrong with them."""
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if probabilities.ndim != 2:
        raise ValueError(f"probabilities: expected 2 dimensions, found {probabilities.ndim}")
    good = np.isclose(probabilities.sum(axis=1), 1, atol=1e-4) & (probabilities >= 0).all(axis=1)
    if not good.all():
        row = int(np.argmin(good))
        raise ValueError(f"probabilities: expected rows >= 0 that sum to 1, row {row} does not")
    return probabilities
