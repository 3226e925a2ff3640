"""Judge recommenders by songs that listeners really chose (exercise 3).

Used by notebook ``03_recommendation``. Part of each held-out listener's songs is hidden; a method
sees the rest and ranks all other songs; a hit is a hidden song among the first ten.

Conventions: listeners that a method is judged on are never in the matrix it learned from
("strong generalisation"). Recall is truncated: hits are divided by min(k, hidden songs), so that 1
can be reached. The ideal gain of NDCG is truncated in the same way.

Chance enters in three ways, and each number here takes account of all three. Which songs are
hidden, and with whom a listener is left out, is drawn several times, and a listener's measure is
the mean. Songs with equal scores: the measure is the mean over all their orders. Which listeners
there are: intervals draw listeners and hidings anew, see :func:`aares.scores.bootstrap_crossed`.

References
----------
Liang, Krishnan, Hoffman, Jebara, "Variational autoencoders for collaborative filtering", WWW
2018: section 4.2 (protocol, recall and NDCG).
Efron and Tibshirani, "An introduction to the bootstrap", 1993: chapter 13.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd

from aares import exact
from aares.recommend.listeners.profiles import Scorer, fall_back, score_known
from aares.recommend.listeners.ranking import (
    IntArray,
    expect_found,
    expect_hit,
    expect_places,
    group_songs,
)
from aares.recommend.listeners.tasks import Task, is_cold, make_tasks, split_users
from aares.recommend.listeners.users import HybridScorer, mix_scores
from aares.recommend.space.content import FloatArray
from aares.scores import bootstrap_crossed

__all__ = [
    "Task", "choose_weights", "compare_pair", "find_hidden", "is_cold", "judge",
    "judge_methods", "make_tasks", "share_found", "split_users", "summarise",
]  # fmt: skip

MEASURES = ("truncated_recall", "ndcg", "hit", "fell_back")


def judge(scores: FloatArray, task: Task, *, k: int = 10) -> pd.DataFrame:
    """Score the ranking of one method, listener by listener.

    Parameters
    ----------
    scores : ndarray of float, shape (u, n)
        Larger is better. Of equal scores any order is as good: the measures are means over all.
    task : Task
    k : int
        Length of the list.

    Returns
    -------
    DataFrame
        One row for each listener: ``truncated_recall`` (hits / min(k, hidden songs)), ``ndcg`` and
        ``hit`` (0-1), index row number.

    Raises
    ------
    ValueError
        A score is no finite number, or a listener has no hidden song.

    Examples
    --------
    >>> from scipy import sparse
    >>> from aares.recommend.listeners.evaluate import Task
    >>> known, hidden = sparse.csr_matrix([[1, 0, 0, 0]]), sparse.csr_matrix([[0, 1, 0, 1]])
    >>> task = Task(sparse.csr_matrix((0, 4)), known, hidden, np.array([7]))
    >>> judge(np.array([[0.9, 0.8, 0.7, 0.1]]), task, k=2).round(3)
       truncated_recall   ndcg  hit
    7               0.5  0.613  1.0
    """
    rows = []
    for user in range(scores.shape[0]):
        hidden = task.hidden[[user]].indices
        if not len(hidden):
            raise ValueError(f"task: listener {task.users[user]} has no hidden song to be found")
        groups = _group(scores, task, user, k=k)
        places = expect_places(groups, hidden, k=k)
        discount = 1 / exact.log(np.arange(max(k, 1)) + 2)
        best = min(k, len(hidden))
        gain = float(places @ discount[: len(places)])
        found = {"truncated_recall": places.sum() / best, "ndcg": gain / discount[:best].sum()}
        rows.append(found | {"hit": expect_hit(groups, hidden, k=k)})
    return pd.DataFrame(rows, index=task.users)


def _group(scores: FloatArray, task: Task, user: int, *, k: int) -> list[IntArray]:
    try:
        return group_songs(scores[user], task.known[[user]].indices, k=k)
    except ValueError as error:
        raise ValueError(f"listener {task.users[user]}: {error}") from error


def judge_methods(
    methods: Mapping[str, Scorer], tasks: list[Task], *, k: int = 10
) -> dict[str, pd.DataFrame]:
    """Fit each method on each task's other listeners and judge it.

    Parameters
    ----------
    methods : mapping of str to scorer
    tasks : list of Task
    k : int
        Length of the list.

    Returns
    -------
    dict of str to DataFrame
        See :func:`judge`; index ``listener`` (row number) and ``draw``, sorted. ``fell_back`` is 1
        where the method told no song from another, and the popular songs were judged. ``warm`` and
        ``cold`` count the hidden songs by whether another listener knows them, ``warm_found`` and
        ``cold_found`` those of them that are among the first k.

    Examples
    --------
    >>> from scipy import sparse
    >>> from aares.recommend.listeners.evaluate import make_tasks
    >>> from aares.recommend.listeners.users import PopularScorer, RandomScorer
    >>> matrix = sparse.csr_matrix(np.tril(np.ones((8, 8))))
    >>> tasks = make_tasks(matrix, np.arange(2, 8), n_folds=2)
    >>> judged = judge_methods({"popular": PopularScorer(), "random": RandomScorer()}, tasks, k=2)
    >>> {name: float(table["hit"].mean()) for name, table in judged.items()}
    {'popular': 1.0, 'random': 0.5}
    """
    judged: dict[str, list[pd.DataFrame]] = {name: [] for name in methods}
    for task in tasks:
        count = _count_listeners(task)
        kept: dict[int, FloatArray] = {}
        for name, method in methods.items():
            scores, silent = fall_back(_score_task(method, task, kept), task.known, count)
            found = _count_found(find_hidden(scores, task, k=k)).reindex(task.users)
            table = judge(scores, task, k=k).assign(fell_back=silent.astype(float))
            judged[name].append(_name_draw(table.join(found), task))
    return {name: pd.concat(parts).sort_index() for name, parts in judged.items()}


def _score_task(method: Scorer, task: Task, kept: dict[int, FloatArray]) -> FloatArray:
    """Return a method's scores; the parts of a hybrid that are judged themselves count once."""
    if id(method) not in kept and isinstance(method, HybridScorer):
        parts = {name: _score_task(part, task, kept) for name, part in method.parts.items()}
        kept[id(method)] = mix_scores(parts, method.weights)
    elif id(method) not in kept:
        kept[id(method)] = score_known(method.fit(task.train), task.known)
    return kept[id(method)]


def _count_found(hidden: pd.DataFrame) -> pd.DataFrame:
    """Count hidden and found songs of each listener, those known to others and those to none."""
    by = hidden["listener"]
    return pd.DataFrame(
        {
            "warm": (~hidden["cold"]).astype(float).groupby(by).sum(),
            "warm_found": hidden["found"].where(~hidden["cold"], 0.0).groupby(by).sum(),
            "cold": hidden["cold"].astype(float).groupby(by).sum(),
            "cold_found": hidden["found"].where(hidden["cold"], 0.0).groupby(by).sum(),
        }
    )


def _count_listeners(task: Task) -> IntArray:
    return np.asarray(task.train.astype(bool).sum(axis=0)).ravel()


def _name_draw(table: pd.DataFrame, task: Task) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([table.index, [task.draw]], names=["listener", "draw"])
    return table.set_index(index)


def _spread_draws(values: pd.Series) -> FloatArray:
    """Return a measure as listeners x draws; without draws, one column."""
    if values.index.nlevels == 1:
        return values.to_numpy(float)[:, None]
    n_draws = values.index.get_level_values("draw").nunique()
    table = values.sort_index().to_numpy(float)
    if len(table) != n_draws * values.index.get_level_values("listener").nunique():
        raise ValueError("judged: expected every listener once in every draw")
    return table.reshape(-1, n_draws)


def summarise(judged: Mapping[str, pd.DataFrame], *, random_state: int = 0) -> pd.DataFrame:
    """Return the mean of each measure and its 95 % interval over listeners and draws.

    Parameters
    ----------
    judged : mapping of str to DataFrame
        From :func:`judge_methods`.
    random_state : int
        Seed.

    Returns
    -------
    DataFrame
        Index method; ``ndcg``, ``ndcg_low``, ``ndcg_high``, and so on.

    Examples
    --------
    >>> judged = {"popular": pd.DataFrame({"hit": [1.0, 0.0, 1.0, 1.0]})}
    >>> summarise(judged)
              hit  hit_low  hit_high
    popular  0.75     0.25       1.0
    """
    rows = {}
    for name, table in judged.items():
        row: dict[str, float] = {}
        for measure in (name for name in MEASURES if name in table):
            values = _spread_draws(table[measure])
            mean, low, high = bootstrap_crossed(values, random_state=random_state)
            row |= {measure: mean, f"{measure}_low": low, f"{measure}_high": high}
        rows[name] = row
    return pd.DataFrame(rows).T


def compare_pair(
    first: pd.DataFrame,
    second: pd.DataFrame,
    *,
    measure: str = "ndcg",
    random_state: int = 0,
) -> tuple[float, float, float]:
    """Return the mean gain of the first method over the second and its 95 % interval.

    The same listeners are judged by both on the same hidden songs: differences are paired. The
    interval is over listeners and draws.

    Parameters
    ----------
    first : DataFrame
        From :func:`judge_methods`.
    second : DataFrame
        Of the same listeners and draws.
    measure : str
        Column to compare.
    random_state : int
        Seed.

    Returns
    -------
    gain, low, high : float

    Examples
    --------
    >>> first = pd.DataFrame({"ndcg": [0.5, 0.7, 0.4, 0.6]})
    >>> compare_pair(first, first - 0.25)
    (0.25, 0.25, 0.25)
    """
    gain = _spread_draws(first[measure] - second[measure])
    return bootstrap_crossed(gain, random_state=random_state)


def choose_weights(
    parts: Mapping[str, Scorer],
    tasks: list[Task],
    grid: Mapping[str, Sequence[float]],
    *,
    measure: str = "ndcg",
) -> tuple[dict[str, float], pd.DataFrame]:
    """Find the weights of a hybrid that serve the listeners of some tasks best.

    Parameters
    ----------
    parts : mapping of name to scorer
    tasks : list of Task
        Of listeners that nothing is reported on.
    grid : mapping of name to sequence of float
        Weights to try for each part; all combinations are.
    measure : str
        Column of :func:`judge`.

    Returns
    -------
    weights : dict of str to float
    table : DataFrame
        Each combination with its mean measure, best first.

    Examples
    --------
    >>> from scipy import sparse
    >>> from aares.recommend.listeners.evaluate import make_tasks
    >>> from aares.recommend.listeners.users import PopularScorer, RandomScorer
    >>> matrix = sparse.csr_matrix(np.tril(np.ones((8, 8))))
    >>> tasks = make_tasks(matrix, np.arange(2, 8), n_folds=2)
    >>> parts = {"popular": PopularScorer(), "random": RandomScorer()}
    >>> weights, table = choose_weights(parts, tasks, {"popular": [0, 1], "random": [0, 1]})
    >>> weights, len(table)
    ({'popular': 1.0, 'random': 0.0}, 3)
    """
    scores = [{name: _score_task(part, task, {}) for name, part in parts.items()} for task in tasks]
    counts = [_count_listeners(task) for task in tasks]
    rows = []
    for values in product(*grid.values()):
        weights = dict(zip(grid, values, strict=True))
        if any(values):
            judged = [
                judge(fall_back(mix_scores(part, weights), task.known, count)[0], task)
                for part, task, count in zip(scores, tasks, counts, strict=True)
            ]
            rows.append({**weights, measure: float(pd.concat(judged)[measure].mean())})
    table = pd.DataFrame(rows).sort_values(measure, ascending=False, kind="stable")
    return {name: float(table.iloc[0][name]) for name in grid}, table


def find_hidden(scores: FloatArray, task: Task, *, k: int = 10) -> pd.DataFrame:
    """Return for each hidden song whether it was found, and whether it is cold.

    Parameters
    ----------
    scores : ndarray of float, shape (u, n)
        Larger is better.
    task : Task
    k : int
        Length of the list.

    Returns
    -------
    DataFrame
        ``found`` (among the listener's first k; of equal scores, in how many of their orders, 0-1),
        ``cold`` (no other listener knows it), ``listener`` (row number) and ``draw``.

    Examples
    --------
    >>> from scipy import sparse
    >>> from aares.recommend.listeners.evaluate import Task
    >>> known, hidden = sparse.csr_matrix([[1, 0, 0, 0]]), sparse.csr_matrix([[0, 1, 0, 1]])
    >>> task = Task(sparse.csr_matrix([[1, 1, 0, 0]]), known, hidden, np.array([7]))
    >>> find_hidden(np.array([[0.9, 0.8, 0.7, 0.1]]), task, k=2)
       found   cold  listener  draw
    0    1.0  False         7     0
    1    0.0   True         7     0
    """
    found = [
        expect_found(_group(scores, task, user, k=k), task.hidden[[user]].indices, k=k)
        for user in range(scores.shape[0])
    ]
    listener = np.repeat(task.users, np.diff(task.hidden.indptr))
    columns = {"found": np.concatenate(found), "cold": is_cold(task), "listener": listener}
    return pd.DataFrame(columns).assign(draw=task.draw)


def share_found(
    judged: pd.DataFrame, kind: str, *, less: pd.DataFrame | None = None
) -> tuple[float, float, float]:
    """Return the share of hidden songs of a kind that were found, with its 95 % interval.

    Parameters
    ----------
    judged : DataFrame
        From :func:`judge_methods`.
    kind : {"warm", "cold"}
        Songs that another listener knows, or that none does.
    less : DataFrame, optional
        Of another method on the same songs: its share is taken off, song by song.

    Returns
    -------
    share, low, high : float
        The interval is over listeners and draws; all NaN where there is no song of that kind.

    Examples
    --------
    >>> judged = pd.DataFrame({"cold": [2.0, 1.0], "cold_found": [2.0, 1.0]})
    >>> share_found(judged, "cold", less=judged.assign(cold_found=[1.0, 0.5]))
    (0.5, 0.5, 0.5)
    """
    found = judged[f"{kind}_found"] - (0.0 if less is None else less[f"{kind}_found"])
    songs = _spread_draws(judged[kind])
    if not songs.any():
        return (np.nan, np.nan, np.nan)
    return bootstrap_crossed(_spread_draws(found), songs)
