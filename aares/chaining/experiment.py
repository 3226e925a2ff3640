"""Both experiments of the study, on proxy labels: all songs against all, and chainable or not.

Used by notebook 06. The study's songs and labels are lost. Experiment 1 asks how far songs of one
genre are from each other, and from others. Experiment 2 judges every method of the slides
(:mod:`.methods`) on 300 pairs, half of one group: on random pairs, unseen songs and unseen groups
(:mod:`.draws`), each drawn anew several times.

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
from aares.chaining.distances import Floats, Kind, Rows, fit_scale, measure_all_distances
from aares.chaining.draws import N_TEST, N_TRAIN, SPLITS, Split, sample_split
from aares.chaining.methods import CONCLUSION, METHODS, Method, answer_pairs
from aares.chaining.slides import read_slides
from aares.chaining.thresholds import UNDECIDED, score_answers
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
        """Return pairs of different groups, the farthest first.

        Returns
        -------
        DataFrame
            ``one``, ``other`` and ``distance``.
        """
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
    measure = _rank_near(gaps, same)
    drawn = [measure(songs[a] * songs[b]) for songs in _draw_songs(a, b, random_state)]
    low, high = np.nanquantile(drawn, TAILS)
    auc = measure(np.ones(len(a))), float(low), float(high)
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


def _draw_songs(a: Rows, b: Rows, random_state: int) -> Floats:
    """Return how often each song is drawn, shape (N_BOOTSTRAPS, n_songs): pairs count by both [1]_.

    Counts are whole numbers, so what is summed by them is the same in every order.
    """
    songs = np.unique(np.concatenate([a, b]))
    counts = np.zeros((N_BOOTSTRAPS, songs[-1] + 1))
    rng = np.random.default_rng(random_state)
    chances = np.full(len(songs), 1 / len(songs))
    counts[:, songs] = rng.multinomial(len(songs), chances, size=N_BOOTSTRAPS)
    return counts


# --- experiment 2 -------------------------------------------------------------------------


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
        As of :func:`aares.chaining.draws.sample_split`.
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
            train, test = sample_split(groups, split, n_train=n_train, n_test=n_test, rng=rng)
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
    rows: list[dict[str, Any]] = []
    methods, slides = {method.name: method for method in METHODS}, read_slides()
    for split, asked in answers.groupby("split", sort=False):
        one = asked[asked["method"] == asked["method"].iloc[0]]
        a, b = one["a"].to_numpy(), one["b"].to_numpy()
        songs = _draw_songs(a, b, random_state)
        counts = songs[:, a] * songs[:, b]  # all methods were asked for the same pairs
        for name, found in asked.groupby("method", sort=False):
            method = methods[str(name)]
            row: dict[str, Any] = {"table": method.table, "method": method.name, "split": split}
            row |= {"proxy": proxy, **_score(found, counts)}
            if method.figure:
                row |= {"slide": method.figure[1], **_quote(slides, *method.figure)}
            rows.append(row)
    order = list(methods)
    rows.sort(key=lambda entry: order.index(entry["method"]))
    return pd.DataFrame(rows)


def _quote(slides: pd.DataFrame, quantity: str, slide: int) -> dict[str, float]:
    """Return what a slide states of a quantity, with its interval."""
    row = slides[(slides["quantity"] == quantity) & (slides["slide"] == slide)].iloc[0]
    return {"stated": row["value"], "stated_low": row["low"], "stated_high": row["high"]}


def _score(found: pd.DataFrame, counts: Floats) -> dict[str, Any]:
    answer, label = found["answer"].to_numpy(), found["label"].to_numpy()
    decided = answer != UNDECIDED
    right = decided & ((answer == 1) == label)
    with np.errstate(invalid="ignore"):
        drawn = (counts @ right) / (counts @ decided)
    low, high = np.nanquantile(drawn, TAILS)
    each = [
        score_answers(rows["answer"], rows["label"])["accuracy"]
        for _, rows in found.groupby("draw", sort=True)
    ]
    one_low, one_high = np.nanquantile(each, TAILS)
    return {
        "pairs": len(found) / len(each),
        "draws": len(each),
        **score_answers(answer, label),
        "low": float(low),
        "high": float(high),
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
    rows: list[dict[str, Any]] = []
    slides = read_slides()
    for method, quantity in CONCLUSION.items():
        found = summary[summary["method"] == method]
        if found.empty:
            continue
        row = {"method": method, "proxy": found["proxy"].iloc[0], **_quote(slides, quantity, 29)}
        rows.append(row | dict(zip(found["split"], found["accuracy"], strict=True)))
    return pd.DataFrame(rows)
