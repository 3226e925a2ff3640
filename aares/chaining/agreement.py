"""Do people agree? With themselves, with each other, and how well could a model agree with them.

Used by notebook ``06_chainable`` on what the labelling page exports. Agreement is what is left when
chance is taken away: 1 is perfect, 0 what answering by chance would give, below that they disagree.
:func:`measure_alpha` is for any number of raters and for gaps; :func:`measure_cohen` for two,
:func:`measure_fleiss` for a table without gaps. What raters agree about is as far as any model can
get: :func:`measure_ceiling`.

Conventions: a table of answers has a row for each pair and a column for each rater, NaN where the
rater was not asked (:func:`.labels.tabulate_answers`): 0 "no", 1 "unsure", 2 "yes". Coefficients
take any other numbers, too. Raters in examples and tests are simulated (:mod:`.simulated`).

References
----------
.. [1] K. Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011: sections C and D.
.. [2] J. L. Fleiss, "Measuring nominal scale agreement among many raters", Psychological Bulletin
   76(5), 1971.
.. [3] J. Cohen, "A Coefficient of Agreement for Nominal Scales", Educational and Psychological
   Measurement 20(1), 1960; weighted: the same, Psychological Bulletin 70(4), 1968.
.. [4] A. P. Dawid and A. M. Skene, 1979, see :mod:`.consensus`.
.. [5] B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993: chapter 13.
"""

from __future__ import annotations

from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_auc_score

from aares.chaining.consensus import ANSWERS, check_answers, fit_dawid_skene
from aares.chaining.labels import QUESTIONS, tabulate_answers
from aares.scores import LEVEL, estimate_share

FloatArray = npt.NDArray[np.float64]
Level = Literal["nominal", "ordinal"]
Table = npt.ArrayLike | pd.DataFrame

# --- coefficients -------------------------------------------------------------------------


def measure_alpha(table: Table, level: Level = "ordinal") -> float:
    """Return Krippendorff's alpha of raters, whoever answered what.

    Parameters
    ----------
    table : array-like of float, shape (n_pairs, n_raters)
        NaN where there is no answer; pairs of one answer tell nothing.
    level : {"nominal", "ordinal"}
        Whether answers only differ, or stand in an order, so that "no" is further from "yes" than
        from "unsure".

    Returns
    -------
    float
        1 at most; NaN where no pair has two answers, or all answers are the same.

    Raises
    ------
    ValueError
        The table has no two axes, or the level is another one.

    References
    ----------
    Krippendorff 2011 [1]_, section C.

    Examples
    --------
    >>> table = [[0, 0, 0], [2, 2, np.nan], [0, 2, 2], [1, 1, 1]]
    >>> round(measure_alpha(table, "nominal"), 3), round(measure_alpha(table), 3)
    (0.75, 0.545)
    """
    coincidences = _count_coincidences(table)
    return float(_weigh_disagreement(coincidences.sum(axis=0)[None], level)[0])


def estimate_alpha(
    table: Table, level: Level = "ordinal", *, n_draws: int = 2000, random_state: int = 0
) -> tuple[float, float, float]:
    """Return Krippendorff's alpha and its 95 % interval by bootstrap over pairs.

    Raters stay those who they are: the interval says what other pairs would have given.

    Parameters
    ----------
    table : array-like of float, shape (n_pairs, n_raters)
    level : {"nominal", "ordinal"}
    n_draws : int
    random_state : int

    Returns
    -------
    value, low, high : float

    References
    ----------
    Krippendorff 2011 [1]_; Efron and Tibshirani 1993 [5]_.

    Examples
    --------
    >>> table = np.repeat([[0, 0], [2, 2], [0, 2], [2, 2]], 10, axis=0)
    >>> value, low, high = estimate_alpha(table)
    >>> bool(low < value < high)
    True
    """
    coincidences = _count_coincidences(table)
    n = len(coincidences)
    value = measure_alpha(table, level)
    if n < 2 or np.isnan(value):
        return value, np.nan, np.nan
    rng = np.random.default_rng(random_state)
    draws = rng.multinomial(n, np.full(n, 1 / n), size=n_draws)
    drawn = np.tensordot(draws, coincidences, axes=1)
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(_weigh_disagreement(drawn, level), [tail, 1 - tail])
    return value, float(low), float(high)


def _read_numbers(answers: npt.ArrayLike | pd.DataFrame) -> FloatArray:
    """Return answers as numbers, or say that words are none."""
    try:
        return np.asarray(answers, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"answers: expected numbers, NaN where there is none ({error}); "
            "labels.tabulate_answers makes them of an exported table"
        ) from None


def _read_table(table: Table) -> tuple[FloatArray, FloatArray]:
    """Return how often each answer was given to each pair, and the answers in order."""
    answers = _read_numbers(table)
    if answers.ndim != 2:
        raise ValueError(f"answers: expected pairs by raters, found the shape {answers.shape}")
    known = np.unique(answers[~np.isnan(answers)])
    return (answers[:, :, None] == known).sum(axis=1).astype(float), known


def _count_coincidences(table: Table) -> FloatArray:
    """Return for each pair of two answers and more how often an answer met another one."""
    counts, known = _read_table(table)
    counts = counts[counts.sum(axis=1) >= 2]
    met = counts[:, :, None] * (counts[:, None, :] - np.eye(len(known)))
    return np.asarray(met / (counts.sum(axis=1) - 1)[:, None, None])


def _weigh_disagreement(met: FloatArray, level: Level) -> FloatArray:
    """Return alpha of each matrix of coincidences, shape (n, k, k)."""
    if level not in ("nominal", "ordinal"):
        raise ValueError(f"level: expected nominal or ordinal, found {level!r}")
    of_each = met.sum(axis=2)  # how often an answer is among those that met
    if level == "nominal":
        apart = np.broadcast_to(1 - np.eye(met.shape[1]), met.shape)
    else:
        rank = np.cumsum(of_each, axis=1) - of_each / 2
        apart = (rank[:, :, None] - rank[:, None, :]) ** 2
    total = of_each.sum(axis=1)
    found = (met * apart).sum(axis=(1, 2))
    expected = (of_each[:, :, None] * of_each[:, None, :] * apart).sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(expected > 0, 1 - (total - 1) * found / expected, np.nan)


def measure_cohen(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    weights: Literal["linear", "quadratic"] | None = None,
) -> float:
    """Return Cohen's kappa of two raters over the pairs that both answered.

    Parameters
    ----------
    first, second : array-like of float, shape (n_pairs,)
        NaN where there is no answer.
    weights : {"linear", "quadratic"}, optional
        How much worse it is to be further apart; default: any difference is one.

    Returns
    -------
    float
        NaN where they share no pair, or both always say the same.

    Raises
    ------
    ValueError
        Shapes differ, or the weights are other ones.

    References
    ----------
    Cohen 1960 and 1968 [3]_.

    Examples
    --------
    >>> round(measure_cohen([0, 0, 2, 2, np.nan], [0, 2, 2, 2, 0]), 2)
    0.5
    """
    x, y = _read_numbers(first), _read_numbers(second)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"expected two rows of one length, found {x.shape} and {y.shape}")
    if weights not in (None, "linear", "quadratic"):
        raise ValueError(f"weights: expected linear, quadratic or None, found {weights!r}")
    both = ~np.isnan(x) & ~np.isnan(y)
    known, codes = np.unique(np.concatenate([x[both], y[both]]), return_inverse=True)
    n, k = int(both.sum()), len(known)
    met = np.zeros((k, k))
    np.add.at(met, (codes[:n], codes[n:]), 1)
    steps = np.abs(np.subtract.outer(np.arange(k), np.arange(k)))
    apart = steps**2 if weights == "quadratic" else steps if weights else (steps > 0)
    expected = (np.outer(met.sum(axis=1), met.sum(axis=0)) * apart).sum()
    return float(1 - n * (met * apart).sum() / expected) if expected else np.nan


def measure_fleiss(table: Table) -> float:
    """Return Fleiss' kappa of raters who each answered all pairs.

    Parameters
    ----------
    table : array-like of float, shape (n_pairs, n_raters)
        Each pair with the same number of answers, at least two.

    Returns
    -------
    float
        NaN where all answers are the same.

    Raises
    ------
    ValueError
        Pairs have different numbers of answers: :func:`measure_alpha` is for these.

    References
    ----------
    Fleiss 1971 [2]_. Nominal alpha of the same table of N pairs and m raters is
    ``kappa + (1 - kappa) / (N * m)``.

    Examples
    --------
    >>> round(measure_fleiss([[0, 0, 0], [2, 2, 2], [0, 2, 2]]), 2)
    0.55
    """
    counts, _ = _read_table(table)
    numbers = np.unique(counts.sum(axis=1))
    if len(numbers) != 1 or numbers[0] < 2:
        raise ValueError(
            "answers: expected as many raters for each pair, at least two, found "
            f"{', '.join(f'{n:g}' for n in numbers) or 'none'}; measure_alpha takes gaps"
        )
    m = numbers[0]
    share = counts.mean(axis=0) / m
    agreed = ((counts**2).sum(axis=1) - m) / (m * (m - 1))
    chance = float((share**2).sum())
    return float((agreed.mean() - chance) / (1 - chance)) if chance < 1 else np.nan


# --- raters -------------------------------------------------------------------------------


def compare_raters(table: pd.DataFrame) -> pd.DataFrame:
    """Compare each two raters.

    Parameters
    ----------
    table : DataFrame, shape (n_pairs, n_raters)
        Of :func:`.labels.tabulate_answers`.

    Returns
    -------
    DataFrame
        ``first``, ``second``, ``pairs`` that both answered, ``same`` (share) and ``kappa``.

    Examples
    --------
    >>> table = pd.DataFrame({"x": [0, 0, 2, 2], "y": [0, 2, 2, 2]}, dtype=float)
    >>> compare_raters(table).to_numpy().tolist()
    [['x', 'y', 4, 0.75, 0.5]]
    """
    rows = []
    for first, second in combinations(table.columns, 2):
        both = table[[first, second]].dropna()
        same = float((both[first] == both[second]).mean()) if len(both) else np.nan
        kappa = measure_cohen(table[first].to_numpy(), table[second].to_numpy())
        rows.append((first, second, len(both), same, kappa))
    return pd.DataFrame(rows, columns=["first", "second", "pairs", "same", "kappa"])


def describe_raters(labels: pd.DataFrame) -> pd.DataFrame:
    """Tell how steady and how attentive each rater is.

    Parameters
    ----------
    labels : DataFrame
        Of :func:`.labels.read_labels`; undone answers do not count. ``expected``, where it is
        there, holds the right answers to checks.

    Returns
    -------
    DataFrame
        Index: raters, in order. ``answers`` to fresh pairs; ``repeats``, the share that was
        answered as before, ``same``, with its interval ``low`` to ``high``, and ``kappa`` of the
        rater with himself; ``checks`` and how many of them were ``failed`` (an unsure answer is);
        ``yes_plain`` and ``yes_mirrored``, shares of yes by the side where it stood: apart, they
        show a habit of the hand. NaN where there is nothing to tell.

    References
    ----------
    Wilson's interval, see :func:`aares.scores.estimate_share`; Cohen 1960 [3]_.
    """
    counted = labels[~labels["undone"]] if "undone" in labels else labels
    fresh = tabulate_answers(counted)
    again = tabulate_answers(counted, kinds=("repeat",)).reindex(fresh.index)
    rows = {}
    for rater, own in counted.groupby("rater", sort=True):
        asked = own[own["kind"].isin(QUESTIONS)]
        first, second = (
            table[rater].to_numpy() if rater in table else np.full(len(fresh), np.nan)
            for table in (fresh, again)
        )
        both = ~np.isnan(first) & ~np.isnan(second)
        hits = first[both] == second[both]
        same = estimate_share(hits) if len(hits) else (np.nan,) * 3
        yes = asked.assign(yes=asked["answer"] == "yes").groupby("presentation")["yes"].mean()
        rows[rater] = {
            "answers": len(asked), "repeats": int(both.sum()),
            **dict(zip(("same", "low", "high"), same, strict=True)),
            "kappa": measure_cohen(first, second), **_count_failed(own),
            "yes_plain": yes.get("plain", np.nan), "yes_mirrored": yes.get("mirrored", np.nan),
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("rater")


def _count_failed(own: pd.DataFrame) -> dict[str, int]:
    checks = own[own["kind"] == "check"]
    known = checks[checks["expected"].isin(ANSWERS)] if "expected" in checks else checks[:0]
    return {"checks": len(known), "failed": int((known["answer"] != known.get("expected")).sum())}


def measure_ceiling(
    table: pd.DataFrame, scores: npt.ArrayLike, *, n_draws: int = 300, random_state: int = 0
) -> pd.DataFrame:
    """Compare a model with raters, and raters with each other: their agreement is its ceiling.

    Parameters
    ----------
    table : DataFrame of {0, 1, 2, NaN}, shape (n_pairs, n_raters)
        Of :func:`.labels.tabulate_answers`.
    scores : array-like of float, shape (n_pairs,)
        Of the model, higher where it says yes; learnt from other answers.
    n_draws : int
        Of the bootstrap over pairs.
    random_state : int

    Returns
    -------
    DataFrame
        Areas under the curve, ``value``, ``low`` and ``high``: "model, consensus" (of all, by Dawid
        and Skene); "model, a rater", mean over the raters' own yes and no; and "the others, a
        rater", each by the consensus of the others: what the one before is to be compared with.

    Raises
    ------
    ValueError
        There are as many scores as pairs, and at least two raters, only elsewhere.

    References
    ----------
    Dawid and Skene 1979 [4]_; Efron and Tibshirani 1993 [5]_.
    """
    answers, scores = check_answers(table).copy(), np.asarray(scores, dtype=float)
    if scores.shape != (len(answers),) or answers.shape[1] < 2:
        raise ValueError(
            f"expected {len(answers)} scores and at least two raters, found "
            f"{scores.shape} and {answers.shape[1]}"
        )
    together = fit_dawid_skene(answers).probability
    others = np.column_stack([
        fit_dawid_skene(np.delete(answers, rater, axis=1)).probability
        for rater in range(answers.shape[1])
    ])  # fmt: skip
    of_model = np.tile(scores[:, None], answers.shape[1])
    consensus = np.where(together > 0.5, 2.0, 0.0)[:, None]
    lone = (~np.isnan(answers)).sum(axis=1) < 2
    answers[lone] = np.nan  # of which the others know nothing
    sides = {
        "model, consensus": (consensus, scores[:, None]),
        "model, a rater": (answers, of_model),
        "the others, a rater": (answers, others),
    }
    n, rng = len(answers), np.random.default_rng(random_state)
    draws = rng.multinomial(n, np.full(n, 1 / n), size=n_draws)
    tail, rows = (1 - LEVEL) / 2, {}
    for name, (said, score) in sides.items():
        drawn = [_average_areas(said, score, weights) for weights in draws]
        low, high = np.nanquantile(drawn, [tail, 1 - tail])
        rows[name] = (_average_areas(said, score, np.ones(n)), float(low), float(high))
    return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high"])


def _average_areas(said: FloatArray, scores: FloatArray, weights: npt.NDArray[np.number]) -> float:
    """Return the mean area over raters; unsure answers tell no side."""
    areas = []
    for one, score in zip(said.T, scores.T, strict=True):
        rows = np.isin(one, (0, 2)) & (weights > 0)
        if len(np.unique(one[rows])) == 2:
            areas.append(roc_auc_score(one[rows] == 2, score[rows], sample_weight=weights[rows]))
    return float(np.mean(areas)) if areas else np.nan
