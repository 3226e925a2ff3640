"""Judge recommenders by songs that listeners really chose (exercise 3).

Used by notebook ``03_recommendation``. Part of each held-out listener's songs is hidden; a method
sees the rest and ranks all other songs; a hit is a hidden song among the first ten.

Conventions: listeners that a method is judged on are never in the matrix it learned from
("strong generalisation"). Recall is truncated: hits are divided by min(k, hidden songs), so that 1
can be reached. The ideal gain of NDCG is truncated in the same way.

References
----------
Liang, Krishnan, Hoffman, Jebara, "Variational autoencoders for collaborative filtering", WWW
2018: section 4.2 (protocol, recall and NDCG).
Efron and Tibshirani, "An introduction to the bootstrap", 1993: chapter 13.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.model_selection import KFold

from aares import exact
from aares.recommend.content import FloatArray
from aares.recommend.users import Scorer, mix_scores
from aares.scores import bootstrap

IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Task:
    """What a method may see of some listeners, and what it has to find.

    Parameters
    ----------
    train : csr_matrix
        Other listeners x songs.
    known : csr_matrix, shape (u, n)
        Shown songs of the judged listeners.
    hidden : csr_matrix, shape (u, n)
        Their hidden songs.
    users : ndarray of int, shape (u,)
        Row numbers of the judged listeners in the whole matrix.
    """

    train: sparse.csr_matrix
    known: sparse.csr_matrix
    hidden: sparse.csr_matrix
    users: IntArray


def split_users(
    matrix: sparse.csr_matrix, *, share: float = 0.3, min_songs: int = 10, random_state: int = 0
) -> tuple[IntArray, IntArray]:
    """Split the listeners with enough songs into those to choose on and those to report on.

    Parameters
    ----------
    matrix : csr_matrix, shape (u, n)
        Listeners x songs.
    share : float
        Share of the listeners to choose on, 0-1.
    min_songs : int
        Listeners with fewer songs are in neither part.
    random_state : int
        Seed.

    Returns
    -------
    validation, reported : ndarray of int, shape (n_users,)
        Row numbers.

    Examples
    --------
    >>> from scipy import sparse
    >>> matrix = sparse.csr_matrix(np.triu(np.ones((20, 20))))  # listeners of 20, 19, ... songs
    >>> validation, reported = split_users(matrix, min_songs=11)
    >>> len(validation), len(reported), sorted([*validation.tolist(), *reported.tolist()])
    (3, 7, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    size = np.diff(matrix.indptr)
    users = np.random.default_rng(random_state).permutation(np.flatnonzero(size >= min_songs))
    cut = round(share * len(users))
    return np.sort(users[:cut]), np.sort(users[cut:])


def make_tasks(
    matrix: sparse.csr_matrix,
    users: IntArray,
    *,
    n_folds: int = 5,
    hidden_share: float = 0.2,
    random_state: int = 0,
) -> list[Task]:
    """Judge each listener once: folds of listeners, with a share of each one's songs hidden.

    Parameters
    ----------
    matrix : csr_matrix, shape (u, n)
    users : ndarray of int, shape (n_users,)
        Listeners to judge; all others are always learned from.
    n_folds : int
    hidden_share : float
        Share of a listener's songs to hide, at least one song.
    random_state : int

    Returns
    -------
    list of Task

    Examples
    --------
    >>> from scipy import sparse
    >>> matrix = sparse.csr_matrix(np.ones((6, 10)))
    >>> tasks = make_tasks(matrix, np.arange(4), n_folds=2)
    >>> [(task.train.shape, task.known.nnz, task.hidden.nnz) for task in tasks]
    [((4, 10), 16, 4), ((4, 10), 16, 4)]
    """
    rng = np.random.default_rng(random_state)
    tasks = []
    for _, fold in KFold(n_folds, shuffle=True, random_state=random_state).split(users):
        judged = users[fold]
        train = matrix[np.setdiff1d(np.arange(matrix.shape[0]), judged)]
        known, hidden = _hide(matrix[judged], hidden_share, rng)
        tasks.append(Task(train, known, hidden, judged))
    return tasks


def _hide(
    profiles: sparse.csr_matrix, share: float, rng: np.random.Generator
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    hide = np.zeros(profiles.nnz, dtype=bool)
    for start, stop in zip(profiles.indptr[:-1], profiles.indptr[1:], strict=True):
        size = max(1, round(share * (stop - start)))
        hide[start + rng.permutation(stop - start)[:size]] = True
    known, hidden = profiles.copy(), profiles.copy()
    known.data = np.where(hide, 0.0, 1.0)
    hidden.data = np.where(hide, 1.0, 0.0)
    known.eliminate_zeros()
    hidden.eliminate_zeros()
    return known, hidden


def judge(scores: FloatArray, task: Task, *, k: int = 10) -> pd.DataFrame:
    """Score the ranking of one method, listener by listener.

    Parameters
    ----------
    scores : ndarray of float, shape (u, n)
        Larger is better; equal scores rank by column.
    task : Task
    k : int
        Length of the list.

    Returns
    -------
    DataFrame
        One row for each listener: ``truncated_recall`` (hits / min(k, hidden songs)), ``ndcg`` and
        ``hit`` (0-1), index row number.

    Examples
    --------
    >>> from scipy import sparse
    >>> from aares.recommend.evaluate import Task
    >>> known, hidden = sparse.csr_matrix([[1, 0, 0, 0]]), sparse.csr_matrix([[0, 1, 0, 1]])
    >>> task = Task(sparse.csr_matrix((0, 4)), known, hidden, np.array([7]))
    >>> judge(np.array([[0.9, 0.8, 0.7, 0.1]]), task, k=2).round(3)
       truncated_recall   ndcg  hit
    7               0.5  0.613  1.0
    """
    rows = []
    for user in range(scores.shape[0]):
        hidden = task.hidden[[user]].indices
        top = rank_songs(scores[user], task.known[[user]].indices, k=k)
        hits = np.isin(top, hidden)
        gain = (hits / exact.log(np.arange(len(top)) + 2)).sum()
        best = min(k, len(hidden))
        ideal = (1 / exact.log(np.arange(best) + 2)).sum()
        found = {"truncated_recall": hits.sum() / best, "ndcg": gain / ideal}
        rows.append(found | {"hit": float(hits.any())})
    return pd.DataFrame(rows, index=task.users)


def rank_songs(scores: FloatArray, known: npt.NDArray[np.integer], *, k: int = 10) -> IntArray:
    """Return the k best songs (column numbers) that are not known yet, best first.

    Parameters
    ----------
    scores : ndarray of float, shape (n,)
        Larger is better; equal scores rank by column.
    known : ndarray of int, shape (n_known,)
        Columns to leave out.
    k : int
        Length of the list.

    Returns
    -------
    ndarray of int, shape (<= k,)

    Examples
    --------
    >>> rank_songs(np.array([0.1, 0.9, 0.5, 0.5]), np.array([1]), k=2).tolist()
    [2, 3]
    """
    open_scores = scores.astype(float, copy=True)
    open_scores[known] = -np.inf
    k = min(k, len(scores) - len(known))
    top = np.argpartition(-open_scores, min(k, len(scores) - 1))[: k + 1]
    floor = np.sort(open_scores[top])[::-1][k - 1]
    near = np.flatnonzero(open_scores >= floor)
    return near[np.argsort(-open_scores[near], kind="stable")][:k]


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
        See :func:`judge`; all tasks' listeners, sorted by row number.

    Examples
    --------
    >>> from scipy import sparse
    >>> from aares.recommend.evaluate import make_tasks
    >>> from aares.recommend.users import PopularScorer, RandomScorer
    >>> matrix = sparse.csr_matrix(np.tril(np.ones((8, 8))))
    >>> tasks = make_tasks(matrix, np.arange(2, 8), n_folds=2)
    >>> judged = judge_methods({"popular": PopularScorer(), "random": RandomScorer()}, tasks, k=2)
    >>> {name: float(table["hit"].mean()) for name, table in judged.items()}
    {'popular': 1.0, 'random': 0.5}
    """
    judged: dict[str, list[pd.DataFrame]] = {name: [] for name in methods}
    for task in tasks:
        for name, method in methods.items():
            scores = method.fit(task.train).score(task.known)
            judged[name].append(judge(scores, task, k=k))
    return {name: pd.concat(parts).sort_index() for name, parts in judged.items()}


def summarise(judged: Mapping[str, pd.DataFrame], *, random_state: int = 0) -> pd.DataFrame:
    """Return the mean of each measure and its 95 % bootstrap interval over listeners.

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
        values = table.to_numpy(float).T
        means, low, high = bootstrap(np.mean, values, random_state=random_state)
        row: dict[str, float] = {}
        for place, measure in enumerate(map(str, table.columns)):
            row |= {
                measure: means[place],
                f"{measure}_low": low[place],
                f"{measure}_high": high[place],
            }
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

    The same listeners are judged by both: differences are paired.

    Parameters
    ----------
    first : DataFrame
        From :func:`judge_methods`.
    second : DataFrame
        Of the same listeners.
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
    gain = (first[measure] - second[measure]).to_numpy()
    value, low, high = bootstrap(np.mean, gain, random_state=random_state)
    return float(value), float(low), float(high)


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
    >>> from aares.recommend.evaluate import make_tasks
    >>> from aares.recommend.users import PopularScorer, RandomScorer
    >>> matrix = sparse.csr_matrix(np.tril(np.ones((8, 8))))
    >>> tasks = make_tasks(matrix, np.arange(2, 8), n_folds=2)
    >>> parts = {"popular": PopularScorer(), "random": RandomScorer()}
    >>> weights, table = choose_weights(parts, tasks, {"popular": [0, 1], "random": [0, 1]})
    >>> weights, len(table)
    ({'popular': 1.0, 'random': 0.0}, 3)
    """
    scores = [
        {name: part.fit(task.train).score(task.known) for name, part in parts.items()}
        for task in tasks
    ]
    rows = []
    for values in product(*grid.values()):
        weights = dict(zip(grid, values, strict=True))
        if any(values):
            mixed = [mix_scores(part, weights) for part in scores]
            judged = [judge(mix, task) for mix, task in zip(mixed, tasks, strict=True)]
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
        ``found`` (among the listener's first k) and ``cold`` (no other listener knows it).

    Examples
    --------
    >>> from scipy import sparse
    >>> from aares.recommend.evaluate import Task
    >>> known, hidden = sparse.csr_matrix([[1, 0, 0, 0]]), sparse.csr_matrix([[0, 1, 0, 1]])
    >>> task = Task(sparse.csr_matrix([[1, 1, 0, 0]]), known, hidden, np.array([7]))
    >>> find_hidden(np.array([[0.9, 0.8, 0.7, 0.1]]), task, k=2)
       found   cold
    0   True  False
    1  False   True
    """
    found = [
        np.isin(
            task.hidden[[user]].indices, rank_songs(scores[user], task.known[[user]].indices, k=k)
        )
        for user in range(scores.shape[0])
    ]
    return pd.DataFrame({"found": np.concatenate(found), "cold": is_cold(task)})


def is_cold(task: Task) -> npt.NDArray[np.bool_]:
    """Return which hidden songs no other listener knows, in the order of ``hidden.indices``.

    Parameters
    ----------
    task : Task

    Returns
    -------
    ndarray of bool, shape (n_hidden,)
    """
    heard = np.asarray(task.train.sum(axis=0)).ravel() > 0
    return ~heard[task.hidden.indices]
