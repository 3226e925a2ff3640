"""What a method may see of a listener, and what it has to find (exercise 3).

Used by :mod:`aares.recommend.listeners.evaluate` and notebook ``03_recommendation``, which take
these names from there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.model_selection import KFold

from aares.recommend.listeners.profiles import read_profiles
from aares.recommend.listeners.ranking import IntArray


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
    draw : int
        Which of several drawings of hidden songs this is.
    """

    train: sparse.csr_matrix
    known: sparse.csr_matrix
    hidden: sparse.csr_matrix
    users: IntArray
    draw: int = 0

    def __post_init__(self) -> None:
        """Drop stored zeros: they are no songs."""
        for name in ("train", "known", "hidden"):
            matrix = read_profiles(getattr(self, name), n_songs=self.train.shape[1])
            object.__setattr__(self, name, matrix)


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
    n_draws: int = 1,
    random_state: int = 0,
) -> list[Task]:
    """Judge each listener once a draw: folds of listeners, a share of each one's songs hidden.

    Parameters
    ----------
    matrix : csr_matrix, shape (u, n)
    users : ndarray of int, shape (n_users,)
        Listeners to judge; all others are always learned from.
    n_folds : int
    hidden_share : float
        Share of a listener's songs to hide, at least one song.
    n_draws : int
        How often folds and hidden songs are drawn.
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
    for draw in range(n_draws):
        folds = KFold(n_folds, shuffle=True, random_state=int(rng.integers(2**31)))
        for _, fold in folds.split(users):
            judged = users[fold]
            train = matrix[np.setdiff1d(np.arange(matrix.shape[0]), judged)]
            known, hidden = hide_songs(matrix[judged], hidden_share, rng)
            tasks.append(Task(train, known, hidden, judged, draw))
    return tasks


def hide_songs(
    profiles: sparse.csr_matrix, share: float, rng: np.random.Generator
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Hide a share of each listener's songs, at least one song.

    Parameters
    ----------
    profiles : csr_matrix, shape (u, n)
    share : float
        0-1.
    rng : Generator

    Returns
    -------
    known, hidden : csr_matrix, shape (u, n)

    Examples
    --------
    >>> heard, rng = sparse.csr_matrix(np.ones((1, 5))), np.random.default_rng(0)
    >>> known, hidden = hide_songs(heard, 0.2, rng)
    >>> known.nnz, hidden.nnz
    (4, 1)
    """
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
