"""From a distance to an answer: what 'thresholds min and max 3.6 and 6.8' may mean.

Used by notebook 06. The slides call a pair at distance 6.03 chainable and one at 12.01 not, and do
not say how. Three readings are built, each fitted on training pairs only:

* ``"max"``: chainable up to the maximum (the minimum is not needed);
* ``"band"``: chainable from the minimum to the maximum, for songs may be too alike;
* ``"undecided"``: chainable below the minimum, not above the maximum, no answer between.

References
----------
.. [1] J. Bentley, "Programming pearls: algorithm design techniques", Communications of the ACM
   27(9), 1984 (the best run of a sequence).
.. [2] C. K. Chow, "On optimum recognition error and reject tradeoff", IEEE Transactions on
   Information Theory 16, 1970.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares.chaining.distances import Floats, check_pair_labels
from aares.chaining.slides import get_figure

Reading = Literal["max", "band", "undecided"]
READINGS: tuple[Reading, ...] = ("max", "band", "undecided")
YES, NO, UNDECIDED = 1, 0, -1
COVERAGE = 0.5  # of the training pairs at least so many are decided
_GRID = 200  # thresholds that the search of two looks at, at most


@dataclass(frozen=True)
class Thresholds:
    """A reading and its two thresholds.

    Parameters
    ----------
    reading : {"max", "band", "undecided"}
    low, high : float
        Distances, low <= high; ``"max"`` has no use for `low`.
    """

    reading: Reading
    low: float
    high: float

    def __post_init__(self) -> None:
        if self.reading not in READINGS:
            raise ValueError(f"reading: expected {', '.join(READINGS)}, found {self.reading!r}")
        if not self.low <= self.high:
            raise ValueError(f"expected low <= high, found {self.low} and {self.high}")

    def decide(self, distances: npt.ArrayLike) -> npt.NDArray[np.int8]:
        """Return an answer for each distance.

        Parameters
        ----------
        distances : array-like of float, shape (n,)

        Returns
        -------
        ndarray of int8, shape (n,)
            1 chainable, 0 not, -1 undecided.

        Examples
        --------
        >>> Thresholds("undecided", 3.6, 6.8).decide([2.0, 6.03, 12.01]).tolist()
        [1, -1, 0]
        """
        values = _check_distances(distances)
        if self.reading == "max":
            return (values <= self.high).astype(np.int8)
        if self.reading == "band":
            return ((self.low <= values) & (values <= self.high)).astype(np.int8)
        answers = np.where(values > self.high, NO, UNDECIDED)
        return np.where(values < self.low, YES, answers).astype(np.int8)


def fit_thresholds(
    distances: npt.ArrayLike,
    labels: npt.ArrayLike,
    reading: Reading = "max",
    *,
    coverage: float = COVERAGE,
) -> Thresholds:
    """Find the thresholds under which most training pairs are answered rightly.

    Parameters
    ----------
    distances : array-like of float, shape (n,)
        Of training pairs.
    labels : array-like of bool, shape (n,)
        Chainable or not; both occur.
    reading : {"max", "band", "undecided"}
    coverage : float
        In 0 .. 1, of ``"undecided"``: so many training pairs get an answer at least, and among
        these answers most are right. Without such a bound the best is to answer the easiest pair.

    Returns
    -------
    Thresholds
        Halfway between two distances, or infinite. Of equally good ones the lowest maximum, then
        the lowest minimum.

    Raises
    ------
    ValueError
        Only one kind of pairs, distances that are no numbers, an unknown reading.

    References
    ----------
    Two thresholds of a band are the best run of rights and wrongs [1]_; answers with a right to
    silence: [2]_.

    Examples
    --------
    >>> fit_thresholds([1.0, 2.0, 3.0, 4.0], [True, True, False, False])
    Thresholds(reading='max', low=-inf, high=2.5)
    >>> fit_thresholds([1.0, 2.0, 3.0, 4.0], [False, True, True, False], "band")
    Thresholds(reading='band', low=1.5, high=3.5)
    """
    values = _check_distances(distances)
    chainable = check_pair_labels(labels, len(values))
    if reading not in READINGS:
        raise ValueError(f"reading: expected {', '.join(READINGS)}, found {reading!r}")
    if not 0 <= coverage <= 1:
        raise ValueError(f"coverage: expected a share in 0 .. 1, found {coverage}")
    cuts, gains, counts = _sum_up(values, chainable)
    if reading == "max":
        return Thresholds("max", -np.inf, float(cuts[np.argmax(gains)]))
    if reading == "band":
        low, high = _find_run(gains)
        return Thresholds("band", float(cuts[low]), float(cuts[high]))
    low, high = _find_silence(gains, counts, coverage)
    return Thresholds("undecided", float(cuts[low]), float(cuts[high]))


def _sum_up(
    values: Floats, chainable: npt.NDArray[np.bool_]
) -> tuple[Floats, npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return cuts between distances and, of the pairs below each, yes less no, and their number."""
    order = np.argsort(values, kind="stable")
    values, steps = values[order], np.where(chainable[order], 1, -1)
    ends = np.flatnonzero(np.append(values[1:] > values[:-1], True)) + 1  # equal ones stay together
    cuts = np.append((values[ends[:-1] - 1] + values[ends[:-1]]) / 2, np.inf)
    gains = np.append(0, np.cumsum(steps)[ends - 1])
    return np.append(-np.inf, cuts), gains, np.append(0, ends)


def _find_run(gains: npt.NDArray[np.intp]) -> tuple[int, int]:
    """Return the cuts between which yes exceeds no by most."""
    lowest = np.minimum.accumulate(gains)
    high = int(np.argmax(gains - lowest))
    return int(np.argmax(gains[: high + 1] == lowest[high])), high


def _find_silence(
    gains: npt.NDArray[np.intp], counts: npt.NDArray[np.intp], coverage: float
) -> tuple[int, int]:
    """Return the cuts outside of which enough pairs lie, and most of them are right."""
    n = counts[-1]
    grid = np.unique(np.linspace(0, len(gains) - 1, min(len(gains), _GRID)).round().astype(int))
    low, high = (side.ravel() for side in np.meshgrid(grid, grid, indexing="ij"))
    low, high = low[low <= high], high[low <= high]
    decided = counts[low] + n - counts[high]
    # Right answers: half of those decided, and half of the lead of yes below and of no above.
    right = (decided + gains[low] - (gains[-1] - gains[high])) / 2
    share = np.where(decided >= max(coverage * n, 1), right / np.maximum(decided, 1), -1.0)
    best = np.lexsort((low, high, -decided, -share))[0]
    return int(low[best]), int(high[best])


def score_answers(answers: npt.ArrayLike, labels: npt.ArrayLike) -> dict[str, float]:
    """Count how answers and labels agree.

    Parameters
    ----------
    answers : array-like of int, shape (n,)
        1 chainable, 0 not, -1 undecided.
    labels : array-like of bool, shape (n,)

    Returns
    -------
    dict
        ``accuracy`` among the decided pairs (NaN without any), ``coverage`` (the share decided),
        ``false_positives`` and ``false_negatives`` as shares of all pairs, as the slides have them.

    Examples
    --------
    >>> score_answers([1, 0, 0, -1], [True, True, False, True])["false_negatives"]
    0.25
    """
    found, truth = np.asarray(answers), np.asarray(labels).astype(bool)
    if found.shape != truth.shape or found.ndim != 1 or not len(found):
        raise ValueError(
            f"expected as many answers as labels, found shapes {found.shape} and {truth.shape}"
        )
    decided = found != UNDECIDED
    right = (found == YES) == truth
    return {
        "accuracy": float(right[decided].mean()) if decided.any() else float("nan"),
        "coverage": float(decided.mean()),
        "false_positives": float(np.mean((found == YES) & ~truth)),
        "false_negatives": float(np.mean((found == NO) & truth)),
    }


def trace_threshold(distances: npt.ArrayLike, labels: npt.ArrayLike) -> pd.DataFrame:
    """Return accuracy and errors for each place of one threshold: the slide 'Focus sur le seuil'.

    Parameters
    ----------
    distances : array-like of float, shape (n,)
    labels : array-like of bool, shape (n,)
        Chainable or not; both occur.

    Returns
    -------
    DataFrame
        ``threshold`` (rising, halfway between two distances; the first is below all, the last above
        all), ``accuracy``, ``false_positives`` and ``false_negatives``, shares of all pairs.

    Examples
    --------
    >>> curve = trace_threshold([1.0, 2.0, 3.0, 4.0], [True, True, False, False])
    >>> curve["threshold"].tolist(), curve["accuracy"].tolist()
    ([1.0, 1.5, 2.5, 3.5, 4.0], [0.5, 0.75, 1.0, 0.75, 0.5])
    """
    values = _check_distances(distances)
    chainable = check_pair_labels(labels, len(values))
    cuts, gains, counts = _sum_up(values, chainable)
    hits = (counts + gains) / 2  # chainable pairs below each cut
    wrong, missed = counts - hits, chainable.sum() - hits
    cuts[0], cuts[-1] = values.min(), values.max()
    return pd.DataFrame(
        {
            "threshold": cuts,
            "accuracy": 1 - (wrong + missed) / len(values),
            "false_positives": wrong / len(values),
            "false_negatives": missed / len(values),
        }
    )


def check_examples() -> pd.DataFrame:
    """Ask each reading, with the slides' own thresholds, for the slides' two examples.

    Returns
    -------
    DataFrame
        ``slide`` (of the thresholds), ``reading`` (the three, and ``"min only"``: chainable below
        the minimum, else not), the answers to ``6.03`` (the slides: 1) and ``12.01`` (0), and
        ``reproduces``.

    Examples
    --------
    >>> found = check_examples()
    >>> sorted(set(found["reading"][found["reproduces"]]))
    ['band', 'max']
    """
    examples = [
        get_figure(f"distance: {name}")
        for name in ("Californication / Lili", "Nocturne / Raining Blood")
    ]
    rows = []
    for slide in (13, 22):
        low, high = (get_figure(f"threshold {end}: euclidean", slide) for end in ("min", "max"))
        rules = [(str(reading), Thresholds(reading, low, high)) for reading in READINGS]
        for name, rule in [*rules, ("min only", Thresholds("max", low, low))]:
            near, far = rule.decide(examples).tolist()
            rows.append((slide, name, near, far, (near, far) == (YES, NO)))
    return pd.DataFrame(rows, columns=["slide", "reading", *map(str, examples), "reproduces"])


def _check_distances(distances: npt.ArrayLike) -> Floats:
    try:
        values = np.asarray(distances, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"distances: expected numbers, found {error}") from error
    if values.ndim != 1:
        raise ValueError(f"distances: expected one row of numbers, found {values.ndim} axes")
    if np.isnan(values).any():
        raise ValueError("distances: expected numbers, found NaN")
    return values
