"""Both experiments of the study, on proxy labels: all songs against all, and chainable or not.

Used by notebook 06. The study's songs and labels are lost. Experiment 1 asks how far songs of one
genre are from each other, and from others. Experiment 2 judges every method of the slides
(:data:`METHODS`) on 300 pairs, half of one group: on random pairs, unseen songs and unseen groups
(:mod:`.draws`), each drawn anew several times. Whatever is fitted (means and spreads of features,
weights, thresholds, models) is fitted on the training pairs and their songs.

References
----------
.. [1] T. A. B. Snijders and S. P. Borgatti, "Non-Parametric Standard Errors and Tests for Network
   Statistics", Connections 22(2), 1999 (the bootstrap of songs where values belong to pairs).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares import exact
from aares.audio.features import NAMES
from aares.audio.segments import SEGMENT
from aares.chaining import models
from aares.chaining.distances import (
    Floats,
    Kind,
    Rows,
    fit_scale,
    measure_all_distances,
    measure_distances,
    weigh_features,
)
from aares.chaining.draws import N_TEST, N_TRAIN, SPLITS, Pairs, Split, draw_split
from aares.chaining.slides import read_slides
from aares.chaining.thresholds import READINGS, UNDECIDED, Reading, fit_thresholds, score_answers
from aares.scores import LEVEL

N_DRAWS, N_BOOTSTRAPS = 20, 1000
TAILS = (1 - LEVEL) / 2, (1 + LEVEL) / 2

# --- experiment 1 -------------------------------------------------------------------------


@dataclass(frozen=True)
class GroupDistances:
    """How far songs are within groups and between them.

    Parameters
    ----------
    names : list of str
        The groups, sorted.
    means : ndarray of float, shape (n_groups, n_groups)
        Mean distance of two different songs; NaN within a group of one.
    within, between : float
        Means over all pairs of one group, and of two.
    auc : tuple of float
        How often a pair of one group is nearer than a pair of two, and its 95 % interval by
        bootstrap of songs.
    """

    names: list[str]
    means: Floats
    within: float
    between: float
    auc: tuple[float, float, float]

    def order_pairs(self) -> pd.DataFrame:
        """Return pairs of groups, the farthest first: ``one``, ``other``, ``distance``."""
        a, b = np.triu_indices(len(self.names), 1)
        names = np.array(self.names)
        table = pd.DataFrame({"one": names[a], "other": names[b], "distance": self.means[a, b]})
        return table.sort_values("distance", ascending=False, kind="stable", ignore_index=True)


def compare_groups(
    features: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    kind: Kind = "euclidean",
    random_state: int = 0,
) -> GroupDistances:
    """Measure all songs against all: the first experiment.

    Parameters
    ----------
    features : array-like of float, shape (n_songs, d)
        As extracted. Nothing is learnt of groups, so all songs standardise.
    groups : array-like of str, shape (n_songs,)
        Genre or album; some song shares its group with another, and not all do.
    kind : {"euclidean", "manhattan", "minkowski"}
    random_state : int
        Of the bootstrap.

    Returns
    -------
    GroupDistances

    Raises
    ------
    ValueError
        Another number of groups than of songs, or no two kinds of pairs.

    Examples
    --------
    >>> found = compare_groups([[0.0], [1.0], [8.0], [9.0]], ["x", "x", "y", "y"])
    >>> found.auc[0], bool(found.within < found.between)
    (1.0, True)
    """
    values, labels = np.asarray(features, dtype=np.float64), np.asarray(groups).astype(str)
    if len(values) != len(labels):
        raise ValueError(f"expected a group for each of {len(values)} songs, found {len(labels)}")
    points = fit_scale(values).standardise(values)
    distances = measure_all_distances(points, kind=kind)
    names, codes = np.unique(labels, return_inverse=True)
    a, b = np.triu_indices(len(labels), 1)
    same, gaps = codes[a] == codes[b], distances[a, b]
    if same.all() or not same.any():
        raise ValueError(f"expected pairs of one group and of two, found {len(names)} groups")
    sums, counts = np.zeros((2, len(names), len(names)))
    np.add.at(sums, (codes[a], codes[b]), gaps)
    np.add.at(counts, (codes[a], codes[b]), 1)
    with np.errstate(invalid="ignore"):
        means = (sums + sums.T) / (counts + counts.T)  # within a group both double
    auc = _bootstrap_songs(a, b, len(labels), random_state, _rank_near(gaps, same))
    return GroupDistances(names.tolist(), means, gaps[same].mean(), gaps[~same].mean(), auc)


def _rank_near(gaps: Floats, same: npt.NDArray[np.bool_]) -> Callable[[Floats], float]:
    """Return the function that gives the AUC of nearness for pairs that count so often."""
    gaps = exact.snap(gaps)  # ties are ties on every machine
    levels, level = np.unique(gaps, return_inverse=True)

    def measure(counts: Floats) -> float:
        near = np.bincount(level, counts * same, minlength=len(levels))
        far = np.bincount(level, counts * ~same, minlength=len(levels))
        beyond = far.sum() - np.cumsum(far)
        total = near.sum() * far.sum()
        return float((near * (beyond + far / 2)).sum() / total) if total > 0 else float("nan")

    return measure


def _bootstrap_songs(
    a: Rows, b: Rows, n_songs: int, random_state: int, statistic: Callable[[Floats], float]
) -> tuple[float, float, float]:
    """Return a statistic of pairs and its interval: songs are drawn, pairs count by both [1]_."""
    rng = np.random.default_rng(random_state)
    used = np.unique(np.concatenate([a, b]))
    drawn = []
    for _ in range(N_BOOTSTRAPS):
        counts = np.zeros(n_songs)
        counts[used] = rng.multinomial(len(used), np.full(len(used), 1 / len(used)))
        drawn.append(statistic(counts[a] * counts[b]))
    low, high = np.nanquantile(drawn, TAILS)
    return statistic(np.ones(len(a))), float(low), float(high)


# --- experiment 2: the methods of the slides ----------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way to tell whether a pair is chainable.

    Parameters
    ----------
    name : str
    table : str
        The slides' table it belongs to.
    figure : tuple of (str, int), optional
        Quantity and slide of the figure it is compared with.
    segment : str
    columns : tuple of str
        The features it sees.
    kind : {"euclidean", "manhattan", "minkowski"}
    weighted : bool
        By weights of the training pairs.
    reading : {"max", "band", "undecided"}
    model : str, optional
        One of :data:`aares.chaining.models.MODELS` instead of a distance and thresholds.
    """

    name: str
    table: str
    figure: tuple[str, int] | None = None
    segment: str = SEGMENT
    columns: tuple[str, ...] = NAMES
    kind: Kind = "euclidean"
    weighted: bool = False
    reading: Reading = "max"
    model: models.Name | None = None


def _list_methods() -> tuple[Method, ...]:
    kinds: tuple[Kind, ...] = ("euclidean", "manhattan", "minkowski")
    singles = {name: (name,) for name in ("bpm", *NAMES[:6])}
    singles["mfcc"] = tuple(name for name in NAMES if name.startswith("mfcc"))
    figures = {"network": ("accuracy: network", 29), "tree": ("accuracy: tree", 27)}
    return (
        *(Method(name=f"{kind}, {reading}", table="distances", kind=kind, reading=reading,
                 figure=(f"accuracy: {kind}", 22)) for kind in kinds for reading in READINGS),
        *(Method(name=segment, table="segments", segment=segment,
                 figure=(f"accuracy: segment {segment}", 20))
          for segment in ("0:00-0:30", "0:30-1:00", "1:00-1:30", "0:30-1:30")),
        *(Method(name=name, table="features", columns=columns, figure=(f"accuracy: {name}", 21))
          for name, columns in singles.items()),
        Method(name="without weights", table="weights", figure=("accuracy: without weights", 21)),
        Method(name="with weights", table="weights", weighted=True,
               figure=("accuracy: with weights", 21)),
        Method(name="optimised", table="conclusion", kind="manhattan", weighted=True,
               figure=("accuracy: optimised", 23)),
        *(Method(name=name, table="models", model=name, figure=figures.get(name))
          for name in models.MODELS),
    )  # fmt: skip


METHODS = _list_methods()
"""Every row of the slides' tables, each distance in three readings, and the symmetric twins."""
CONCLUSION = {
    "euclidean, max": "accuracy: euclidean",
    "0:30-1:00": "accuracy: segment 0:30-1:00",
    "with weights": "accuracy: with weights",
    "manhattan, max": "accuracy: manhattan",
    "optimised": "accuracy: optimised",
    "network": "accuracy: network",
    "tree": "accuracy: tree",
}
"""Methods of the slides' last table, in its order, and their quantities on slide 29."""


def answer_pairs(
    method: Method,
    features: Mapping[str, pd.DataFrame],
    train: Pairs,
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    *,
    random_state: int = 0,
) -> npt.NDArray[np.int8]:
    """Learn from the training pairs, and answer other pairs.

    Parameters
    ----------
    method : Method
    features : mapping of str to DataFrame, shape (n_songs, d)
        Of each segment, as extracted, songs in one order.
    train : Pairs
        All that is fitted is fitted on these and on their songs.
    a, b : array-like of int, shape (n,)
        The pairs to answer.
    random_state : int
        Of models.

    Returns
    -------
    ndarray of int8, shape (n,)
        1 chainable, 0 not, -1 undecided.

    Examples
    --------
    >>> table = pd.DataFrame(np.repeat([0.0, 9.0], 4)[:, None] + np.arange(27), columns=NAMES)
    >>> train = Pairs(np.array([0, 4, 0, 1]), np.array([1, 5, 4, 5]), np.array([1, 1, 0, 0]) == 1)
    >>> answer_pairs(METHODS[0], {SEGMENT: table}, train, [2, 2], [3, 6]).tolist()
    [1, 0]
    """
    values = features[method.segment][list(method.columns)].to_numpy(dtype=np.float64)
    songs = np.unique(np.concatenate([train.a, train.b]))
    points = fit_scale(values[songs]).standardise(values)
    if method.model is not None:
        model = models.PairModel(method.model, random_state=random_state)
        model.fit(points, train.a, train.b, train.labels)
        return (model.predict_proba(points, a, b) > 0.5).astype(np.int8)
    weights = weigh_features(points, train.a, train.b, train.labels) if method.weighted else None
    known, asked = (
        exact.snap(measure_distances(points, *pairs, kind=method.kind, weights=weights))
        for pairs in ((train.a, train.b), (a, b))
    )
    return fit_thresholds(known, train.labels, method.reading).decide(asked)


def run_methods(
    features: Mapping[str, pd.DataFrame],
    groups: npt.ArrayLike,
    methods: Iterable[Method] = METHODS,
    *,
    splits: Iterable[Split] = SPLITS,
    n_draws: int = N_DRAWS,
    n_train: int = N_TRAIN,
    n_test: int = N_TEST,
    random_state: int = 0,
) -> pd.DataFrame:
    """Ask all methods for the same pairs, on several draws of each split.

    Parameters
    ----------
    features : mapping of str to DataFrame, shape (n_songs, d)
        Of each segment; methods of a segment that is not there are left out.
    groups : array-like, shape (n_songs,)
        The proxy: two songs of one group are called chainable.
    methods : iterable of Method
    splits : iterable of str
        Of :data:`aares.chaining.draws.SPLITS`.
    n_draws, n_train, n_test : int
        As of :func:`aares.chaining.draws.draw_split`.
    random_state : int
        Of draws and models.

    Returns
    -------
    DataFrame
        A row for each answer: ``method``, ``split``, ``draw``, ``a``, ``b``, ``label``, ``answer``.

    Raises
    ------
    ValueError
        Tables of different songs, features that are missing, or too few songs for a split.
    """
    chosen = [method for method in methods if method.segment in features]
    _check_tables(features, np.asarray(groups), chosen)
    parts = []
    for split in splits:
        for draw in range(n_draws):
            rng = np.random.default_rng([random_state, SPLITS.index(split), draw])
            train, test = draw_split(groups, split, n_train=n_train, n_test=n_test, rng=rng)
            pairs = {"split": split, "draw": draw, "a": test.a, "b": test.b, "label": test.labels}
            for method in chosen:
                answer = answer_pairs(method, features, train, test.a, test.b, random_state=draw)
                parts.append(pd.DataFrame({"method": method.name, **pairs, "answer": answer}))
    return pd.concat(parts, ignore_index=True)


def _check_tables(
    features: Mapping[str, pd.DataFrame], groups: npt.NDArray[Any], methods: list[Method]
) -> None:
    if not methods:
        raise ValueError(f"expected features of segment {SEGMENT}, found {', '.join(features)}")
    for segment, table in features.items():
        if len(table) != len(groups):
            raise ValueError(
                f"{segment}: expected a row for each of {len(groups)} songs, found {len(table)}"
            )
        if missing := [name for name in NAMES if name not in table.columns]:
            raise ValueError(
                f"{segment}: expected the study's 27 features, {missing[0]} is missing"
            )


def summarise_methods(answers: pd.DataFrame, *, proxy: str, random_state: int = 0) -> pd.DataFrame:
    """Score what :func:`run_methods` returned, beside the slides' figures.

    Parameters
    ----------
    answers : DataFrame
    proxy : str
        What the labels are, such as ``"same album"``: it stands in every row.
    random_state : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        For each method and split: ``table``, ``method``, ``split``, ``proxy``, ``pairs`` (judged in
        each draw), ``accuracy`` (of all that were decided, 0.5 by guessing), ``low`` and ``high``
        (95 %, bootstrap of songs), ``one_low`` and ``one_high`` (where 95 % of single draws lie:
        what one experiment as large as the study's may find), ``coverage``, ``false_positives``,
        ``false_negatives`` (shares of all pairs), and the slides' ``slide``, ``stated``,
        ``stated_low``, ``stated_high``.
    """
    rows = []
    slides = read_slides().set_index(["quantity", "slide"])
    for method in METHODS:
        mine = answers[answers["method"] == method.name]
        for split, found in mine.groupby("split", sort=False):
            row = {"table": method.table, "method": method.name, "split": split, "proxy": proxy}
            row |= _score(found, random_state)
            if method.figure:
                stated = slides.loc[method.figure, ["value", "low", "high"]].tolist()
                names = ("stated", "stated_low", "stated_high")
                row |= {"slide": method.figure[1], **dict(zip(names, stated, strict=True))}
            rows.append(row)
    return pd.DataFrame(rows)


def _score(found: pd.DataFrame, random_state: int) -> dict[str, Any]:
    answer, label = found["answer"].to_numpy(), found["label"].to_numpy()
    a, b, decided = found["a"].to_numpy(), found["b"].to_numpy(), answer != UNDECIDED
    right = decided & ((answer == 1) == label)

    def share(counts: Floats) -> float:
        total = (counts * decided).sum()
        return float((counts * right).sum() / total) if total > 0 else float("nan")

    n_songs = int(max(a.max(), b.max())) + 1
    accuracy, low, high = _bootstrap_songs(a, b, n_songs, random_state, share)
    each = [
        score_answers(rows["answer"], rows["label"])["accuracy"]
        for _, rows in found.groupby("draw", sort=True)
    ]
    one_low, one_high = np.nanquantile(each, TAILS)
    scores = score_answers(answer, label) | {"accuracy": accuracy, "low": low, "high": high}
    draws = found["draw"].drop_duplicates()
    return {
        "pairs": len(found) / len(draws),
        "draws": len(draws),
        **scores,
        "one_low": float(one_low),
        "one_high": float(one_high),
    }


def conclude(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the slides' last table with what was found beside it.

    Parameters
    ----------
    summary : DataFrame
        Of :func:`summarise_methods`.

    Returns
    -------
    DataFrame
        For each method of :data:`CONCLUSION`: ``method``, ``stated`` (slide 29), ``stated_low``,
        ``stated_high``, ``proxy``, and the accuracy on each split, a column each.
    """
    slides = read_slides().set_index(["quantity", "slide"])
    rows = []
    for method, quantity in CONCLUSION.items():
        found = summary[summary["method"] == method]
        if found.empty:
            continue
        stated = slides.loc[(quantity, 29), ["value", "low", "high"]].tolist()
        row = {"method": method, "proxy": found["proxy"].iloc[0]}
        row |= dict(zip(("stated", "stated_low", "stated_high"), stated, strict=True))
        rows.append(row | dict(zip(found["split"], found["accuracy"], strict=True)))
    return pd.DataFrame(rows)
