"""Labels from ears: what the labelling page exported, as pairs, and what they teach.

Used by the labelling page (``python3 run.py label``) and notebook ``06_chainable``. The page writes
a row for each answer; :func:`read_labels` checks them, :func:`tabulate_answers` lays them out as
pairs by raters, :func:`label_pairs` makes them pairs of the kind of :mod:`.pairs`, whose ``source``
is "people". :func:`fit_people` learns from them, alone or beside the model that learnt from proxies
(splices), and :func:`update_probabilities` says what that means for all pairs.

Conventions: a pair is two songs in the order in which they are played, the whole of either; of a
rater's answers to a pair the first counts, checks and training pairs do not.

References
----------
.. [1] P. Geurts, D. Ernst and L. Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006.
.. [2] D. H. Wolpert, "Stacked Generalization", Neural Networks 5(2), 1992.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from aares.chaining.consensus import ANSWERS, fit_dawid_skene, vote
from aares.chaining.join_model import JoinModel
from aares.chaining.pairs import COLUMNS
from aares.errors import DataError

FloatArray = npt.NDArray[np.float64]

WORDS: dict[str, tuple[str, ...]] = {
    "kind": ("fresh", "uncertain", "coverage", "repeat", "check", "training"),
    "presentation": ("plain", "mirrored"),
    "answer": ANSWERS,
    "join": ("cut", "gap", "fade"),
    "levels": ("levelled", "record"),
    "device": ("headphones", "loudspeakers", ""),
}
"""Column of the page's file -> what may stand there."""
COUNTS = ("heard_ms", "replays", "reaction_ms", "rate")
NAMES = ("answer_id", "rater", "a", "b")
EXPORTED = (
    "answer_id", "rater", "name", "a", "b", "kind", "presentation", "answer", "undone", "heard_ms",
    "replays", "reaction_ms", "join", "levels", "device", "headphones_right", "rate",
    "page_version", "clip_version", "answered_at",
)  # fmt: skip
"""Columns of the page's file."""
QUESTIONS = ("fresh", "uncertain", "coverage")
"""Kinds of answers that are nobody's second and whose truth is not known."""
FEWEST = 5  # labels of either kind, below which people teach nothing
TREES: dict[str, Any] = {
    "n_estimators": 100, "min_samples_leaf": 2, "max_features": 0.1, "bootstrap": True,
    "class_weight": "balanced", "n_jobs": 1,
}  # fmt: skip
N_FOLDS = 5
SUREST = 0.99  # what a forest of few labels may claim


def read_labels(path: str | Path) -> pd.DataFrame:
    """Read the page's file (``python3 run.py label --export``), every cell checked.

    Parameters
    ----------
    path : str or Path
        A CSV with the columns :data:`EXPORTED`; others are kept as text.

    Returns
    -------
    DataFrame
        One row an answer, in order of time. ``undone`` is bool, counts are int,
        ``headphones_right`` is 0-6 or missing, ``answered_at`` a time in UTC.

    Raises
    ------
    DataError
        The file is missing or no table, a column is missing, an answer stands there twice, or a
        cell holds what it cannot: the message names line, column and cell.
    """
    path = Path(path)
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path.name}: expected an exported file, found none") from None
    except (OSError, UnicodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(f"{path.name}: expected a table of answers ({error})") from None
    if missing := [name for name in EXPORTED if name not in table]:
        raise DataError(f"{path.name}: expected a column {missing[0]!r}; export the answers again")
    for name, words in WORDS.items():
        expected = ", ".join(word or "nothing" for word in words)
        _refuse(path, table, name, ~table[name].isin(words), expected)
    for name in NAMES:
        _refuse(path, table, name, table[name] == "", "a name")
    _refuse(path, table, "answer_id", table["answer_id"].duplicated(), "each answer once")
    return _convert(path, table).sort_values("answered_at", kind="stable", ignore_index=True)


def _convert(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Turn cells into truths, numbers and times."""
    truths = {"1": True, "0": False, "true": True, "false": False, "": False}
    undone = table["undone"].str.lower()
    _refuse(path, table, "undone", ~undone.isin(list(truths)), "0 or 1")
    columns: dict[str, Any] = {"undone": undone.map(truths).astype(bool)}
    for name in COUNTS:
        number = pd.to_numeric(table[name], errors="coerce")
        _refuse(path, table, name, ~((number >= 0) & (number < 2**53)), "a number from 0")
        columns[name] = number.round().astype(np.int64)
    right = pd.to_numeric(table["headphones_right"], errors="coerce")
    fits = right.isin(range(7)) | (table["headphones_right"] == "")
    _refuse(path, table, "headphones_right", ~fits, "0 to 6, or nothing")
    columns["headphones_right"] = right.astype("Int64")
    times = pd.to_datetime(table["answered_at"], errors="coerce", utc=True, format="ISO8601")
    _refuse(path, table, "answered_at", times.isna(), "a time such as 2026-11-27T21:00:00Z")
    return table.assign(**columns, answered_at=times)


def _refuse(path: Path, table: pd.DataFrame, name: str, wrong: pd.Series, expected: str) -> None:
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        cell = table[name].iloc[row]
        raise DataError(f"{path.name}, line {row + 2}, {name}: expected {expected}, found {cell!r}")


def tabulate_answers(labels: pd.DataFrame, *, kinds: Sequence[str] = QUESTIONS) -> pd.DataFrame:
    """Lay answers out as pairs by raters, as :mod:`.consensus` and :mod:`.agreement` take them.

    Parameters
    ----------
    labels : DataFrame
        Of :func:`read_labels`: ``a``, ``b``, ``rater``, ``answer``, and where they are known
        ``kind`` and ``undone``.
    kinds : sequence of str
        Of the answers that count.

    Returns
    -------
    DataFrame
        Index ``a`` and ``b``, a column for each rater, both in order; 0 "no", 1 "unsure", 2 "yes",
        NaN where the rater was not asked. Of several answers the first counts; undone ones do not.

    Raises
    ------
    DataError
        A column is missing, or an answer is none of the three.

    Examples
    --------
    >>> labels = pd.DataFrame({"a": list("xxy"), "b": list("yyx"), "rater": ["r", "s", "r"],
    ...                        "answer": ["yes", "no", "unsure"]})
    >>> tabulate_answers(labels).to_numpy().tolist()
    [[2.0, 0.0], [1.0, nan]]
    """
    if missing := [name for name in ("a", "b", "rater", "answer") if name not in labels]:
        found = ", ".join(map(str, labels))
        raise DataError(f"labels: expected a column {missing[0]!r}, found {found}")
    if len(odd := labels["answer"][~labels["answer"].isin(ANSWERS)]):
        raise DataError(f"labels: expected {', '.join(ANSWERS)}, found {odd.iloc[0]!r}")
    counted = labels[~labels["undone"]] if "undone" in labels else labels
    counted = counted[counted["kind"].isin(kinds)] if "kind" in labels else counted
    counted = counted.drop_duplicates(["a", "b", "rater"])
    values = counted.assign(value=counted["answer"].map(ANSWERS.index).astype(float))
    return values.pivot_table("value", ["a", "b"], "rater")  # one value each: nothing is averaged


def label_pairs(labels: pd.DataFrame, songs: pd.DataFrame | None = None) -> pd.DataFrame:
    """Make pairs to learn from of answers: what raters say together.

    Parameters
    ----------
    labels : DataFrame
        See :func:`tabulate_answers`.
    songs : DataFrame, optional
        ``song`` (unique; what ``a`` and ``b`` name), and where they are known ``seconds``,
        ``album``, ``group`` and ``fold``, as of :mod:`.pairs`.

    Returns
    -------
    DataFrame
        :data:`.pairs.COLUMNS`, one row a pair: A's ``end`` is its length (NaN where it is not
        known), B's ``start`` 0, ``source`` "people", ``fold`` that of A, -1 where B is of another.
        ``label`` is 1 where ``probability`` (Dawid and Skene) is above a half; beside it stand
        ``votes`` (the share of raters who say yes, an unsure one by half) and ``raters``.

    Raises
    ------
    DataError
        A song of the labels is not among `songs`, or stands there twice.

    Examples
    --------
    >>> labels = pd.DataFrame({"a": list("xxy"), "b": list("yyx"), "rater": list("rsr"),
    ...                        "answer": ["yes", "yes", "no"]})
    >>> label_pairs(labels)[["a", "b", "label", "source", "raters"]].to_numpy().tolist()
    [['x', 'y', 1, 'people', 2], ['y', 'x', 0, 'people', 1]]
    """
    table = tabulate_answers(labels)
    a, b = (table.index.get_level_values(name).astype(str) for name in ("a", "b"))
    known = _look_up(songs, a.append(b).unique())
    of_a, of_b = known.loc[a].reset_index(drop=True), known.loc[b].reset_index(drop=True)
    probability = fit_dawid_skene(table).probability if len(table) else np.empty(0)
    pairs = pd.DataFrame({
        "a": a, "b": b, "end": of_a["seconds"], "start": 0.0,
        "label": (probability > 0.5).astype(int), "source": "people",
        "group_song": of_a["group"], "group_album": of_a["album"],
        "fold": of_a["fold"].where(of_a["fold"] == of_b["fold"], -1).astype(int),
    })  # fmt: skip
    raters = table.notna().sum(axis=1).to_numpy()
    return pairs[list(COLUMNS)].assign(
        probability=probability, votes=vote(table.to_numpy()), raters=raters
    )


def _look_up(songs: pd.DataFrame | None, names: pd.Index) -> pd.DataFrame:
    """Return what is known of songs by name, and what stands for the rest."""
    if songs is None:
        songs = pd.DataFrame({"song": names})
    elif (twice := songs["song"][songs["song"].duplicated()]).size:
        raise DataError(f"songs: expected each song once, found {twice.iloc[0]!r} twice")
    elif len(missing := names.difference(pd.Index(songs["song"]))):
        raise DataError(f"songs: expected the song {missing[0]!r} of the labels, found it not")
    defaults: dict[str, Any] = {"seconds": np.nan, "album": "", "group": songs["song"], "fold": 0}
    absent = {name: value for name, value in defaults.items() if name not in songs}
    return songs.assign(**absent).set_index("song")


@dataclass(frozen=True)
class PeopleModel:
    """What people's labels teach about joins.

    Attributes
    ----------
    forest : ExtraTreesClassifier
        Of the labels alone.
    proxies : JoinModel or None
        What was known without people.
    curve : LogisticRegression or None
        How much either counts.
    """

    forest: ExtraTreesClassifier
    proxies: JoinModel | None = None
    curve: LogisticRegression | None = None

    def predict_proba(self, joins: npt.ArrayLike) -> FloatArray:
        """Return how likely people call joins chainable.

        Parameters
        ----------
        joins : array-like of float, shape (n, n_features)
            Of :func:`.joins.measure_joins`.

        Returns
        -------
        ndarray of float, shape (n,)
            Where as many joins are chainable as are not.
        """
        X = _fill(joins)
        if not len(X):
            return np.empty(0)
        likely = self.forest.predict_proba(X)[:, 1]
        if self.proxies is None or self.curve is None:
            return np.asarray(likely)
        both = np.column_stack([_to_odds(likely), _to_odds(self.proxies.predict_proba(joins))])
        return np.asarray(self.curve.predict_proba(both)[:, 1])


def fit_people(
    joins: npt.ArrayLike,
    label: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    proxies: JoinModel | None = None,
    random_state: int = 0,
) -> PeopleModel:
    """Learn from people's labels only, or from both, people and what proxies taught.

    A forest of the labels [1]_; beside it the score of the model of proxies, which alone is the
    third model. How much either counts is learnt from labels that the trees had not seen [2]_.

    Parameters
    ----------
    joins : array-like of float, shape (n, n_features)
        Of :func:`.joins.measure_joins`.
    label : array-like of {0, 1}, shape (n,)
        At least two of either.
    weights : array-like of float, shape (n,), optional
        How sure each label is.
    proxies : JoinModel, optional
    random_state : int

    Returns
    -------
    PeopleModel

    Raises
    ------
    ValueError
        Shapes differ, or there are fewer than two labels of a kind.

    References
    ----------
    Geurts et al. 2006 [1]_; Wolpert 1992 [2]_.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> label = np.arange(40) % 2
    >>> joins = rng.standard_normal((40, 314)) + label[:, None]
    >>> likely = fit_people(joins, label).predict_proba(joins)
    >>> bool(likely[label == 1].min() > likely[label == 0].max())
    True
    """
    X, label = _fill(joins), np.asarray(label)
    weights = np.ones(len(label)) if weights is None else np.asarray(weights, dtype=float)
    if not len(X) == len(label) == len(weights):
        raise ValueError(
            f"expected as many labels and weights as joins, found {len(X)} joins, "
            f"{len(label)} labels and {len(weights)} weights"
        )
    if min((label == 0).sum(), (label == 1).sum()) < 2:
        raise ValueError(f"label: expected at least two 0 and two 1, found {label.tolist()}")
    forest = ExtraTreesClassifier(**TREES, random_state=random_state)
    if proxies is None:
        return PeopleModel(forest.fit(X, label, weights))
    folds = StratifiedKFold(min(N_FOLDS, np.bincount(label).min()))
    unseen = cross_val_predict(
        forest, X, label, cv=folds, method="predict_proba", params={"sample_weight": weights}
    )[:, 1]
    forest.fit(X, label, weights)
    both = np.column_stack([_to_odds(unseen), _to_odds(proxies.predict_proba(joins))])
    curve = LogisticRegression(class_weight="balanced").fit(both, label, sample_weight=weights)
    return PeopleModel(forest, proxies, curve)


def _fill(joins: npt.ArrayLike) -> FloatArray:
    """Return joins for trees that know no gaps: what is not known is far below all that is."""
    X = np.asarray(joins, dtype=float)
    if X.ndim != 2:
        raise ValueError(f"joins: expected two axes, found the shape {X.shape}")
    return np.nan_to_num(X, nan=-1e3)


def _to_odds(likely: FloatArray) -> FloatArray:
    clipped = np.clip(likely, 1 - SUREST, SUREST)
    return np.asarray(np.log(clipped / (1 - clipped)))


def update_probabilities(
    pairs: pd.DataFrame,
    answers: pd.DataFrame,
    joins: npt.ArrayLike,
    *,
    proxies: JoinModel | None = None,
    random_state: int = 0,
) -> FloatArray | None:
    """Return how likely each pair is chainable, by what was answered so far.

    Parameters
    ----------
    pairs : DataFrame, shape (n_pairs, n_columns)
        As of :func:`.choice.choose_next`: ``kind`` "question" or "check".
    answers : DataFrame
        As there: ``rater``, ``row`` and ``answer``, in order of time. Checks teach nothing.
    joins : array-like of float, shape (n_pairs, n_features)
        Of :func:`.joins.measure_joins`.
    proxies : JoinModel, optional
        What is known without people; default: nothing.
    random_state : int

    Returns
    -------
    ndarray of float, shape (n_pairs,), or None
        Of the proxies only while there are fewer than :data:`FEWEST` labels of either kind; None
        where there are none, either.

    Examples
    --------
    >>> pairs = pd.DataFrame({"a": list("xyz"), "b": list("yzx"), "kind": "question"})
    >>> answers = pd.DataFrame({"rater": ["me"], "row": [0], "answer": ["yes"]})
    >>> update_probabilities(pairs, answers, np.zeros((3, 314))) is None
    True
    """
    X = np.asarray(joins, dtype=float)
    if len(X) != len(pairs):
        raise ValueError(f"joins: expected those of {len(pairs)} pairs, found {len(X)}")
    kinds = pairs["kind"].to_numpy()[answers["row"].to_numpy(np.intp)]
    heard = answers[["rater", "answer"]].assign(a=answers["row"].to_numpy(np.intp), b="")
    table = tabulate_answers(heard[kinds == "question"])
    if len(table):
        p = fit_dawid_skene(table).probability
        rows, label = table.index.get_level_values("a").to_numpy(np.intp), (p > 0.5).astype(int)
        if np.bincount(label, minlength=2).min() >= FEWEST:
            model = fit_people(
                X[rows], label, weights=np.abs(2 * p - 1), proxies=proxies,
                random_state=random_state,
            )  # fmt: skip
            return model.predict_proba(X)
    return None if proxies is None else proxies.predict_proba(X)
