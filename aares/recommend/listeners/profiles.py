"""What the known songs of listeners tell a method, and what happens where they tell nothing.

Used by :mod:`aares.recommend.listeners.users` and :mod:`aares.recommend.listeners.evaluate`. One
rule for all methods and for listeners without songs as for those whose songs nobody else knows:
``score`` gives such a listener the popular songs and warns (:class:`NoHistoryWarning`);
``score_known`` leaves the row as it is, with equal scores for all songs that are not known.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from aares.recommend.listeners.ranking import EQUAL
from aares.recommend.space.content import FloatArray


class Scorer(Protocol):
    """Anything that scores songs for listeners."""

    def fit(self, matrix: sparse.csr_matrix) -> Scorer:
        """Learn from listeners x songs."""
        ...

    def score(self, profiles: sparse.csr_matrix) -> FloatArray:
        """Return scores, shape (u, n), of all songs for listeners with these known songs."""
        ...


class NoHistoryWarning(UserWarning):
    """A method had nothing to go by for some listeners: they got the popular songs.

    Parameters
    ----------
    method : str
        Name of the method.
    listeners : list of int
        Row numbers of these listeners.
    n_listeners : int
        How many were asked about.
    """

    def __init__(self, method: str, listeners: list[int], n_listeners: int) -> None:
        self.listeners = listeners
        super().__init__(
            f"{method}: the songs of {len(listeners)} of {n_listeners} listeners (first: row "
            f"{listeners[0]}) say nothing about others; they get the songs that most listeners know"
        )


def read_profiles(profiles: Any, *, n_songs: int | None = None) -> sparse.csr_matrix:
    """Return listeners x songs as a sparse matrix without stored zeros.

    Parameters
    ----------
    profiles : sparse matrix or array-like, shape (u, n)
    n_songs : int, optional
        How many columns there must be.

    Returns
    -------
    csr_matrix of float, shape (u, n)

    Raises
    ------
    ValueError
        No matrix, another number of songs, or an entry that is negative or no number.

    Examples
    --------
    >>> read_profiles([[1, 0, 2]]).indices.tolist()
    [0, 2]
    >>> read_profiles([[1, 0]], n_songs=3)
    Traceback (most recent call last):
    ValueError: profiles: expected 3 songs, one a column, found 2
    """
    try:
        if profiles is None:
            raise TypeError
        matrix = sparse.csr_matrix(profiles, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "profiles: expected a matrix of numbers, listeners x songs, such as make_matrix "
            f"returns, found {type(profiles).__name__}"
        ) from error
    if n_songs is not None and matrix.shape[1] != n_songs:
        raise ValueError(
            f"profiles: expected {n_songs} songs, one a column, found {matrix.shape[1]}"
        )
    if not (np.isfinite(matrix.data) & (matrix.data >= 0)).all():
        raise ValueError("profiles: expected 1 where a listener knows a song and 0 elsewhere")
    if not matrix.data.all():
        matrix = matrix.copy()
        matrix.eliminate_zeros()
    return matrix


def find_silent(scores: FloatArray, profiles: sparse.csr_matrix) -> npt.NDArray[np.bool_]:
    """Return for whom a method tells no song from another: all that are not known score the same.

    Parameters
    ----------
    scores : ndarray of float, shape (u, n)
    profiles : csr_matrix, shape (u, n)
        Known songs.

    Returns
    -------
    ndarray of bool, shape (u,)

    Examples
    --------
    >>> profiles = read_profiles([[1, 0, 0], [1, 0, 0]])
    >>> find_silent(np.array([[9.0, 0.0, 0.0], [9.0, 0.0, 0.1]]), profiles).tolist()
    [True, False]
    """
    is_known = np.asarray(profiles.todense()) != 0
    high = np.where(is_known, -np.inf, scores).max(axis=1)
    low = np.where(is_known, np.inf, scores).min(axis=1)
    is_open = (~is_known).sum(axis=1) > 1
    with np.errstate(invalid="ignore"):
        return is_open & (high - low <= EQUAL * np.abs(scores).max(axis=1))


def fall_back(
    scores: FloatArray, profiles: sparse.csr_matrix, count: npt.NDArray[Any]
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Give listeners for whom a method tells no song from another the popular songs.

    Parameters
    ----------
    scores : ndarray of float, shape (u, n)
    profiles : csr_matrix, shape (u, n)
        Known songs.
    count : ndarray, shape (n,)
        Listeners of each song.

    Returns
    -------
    scores : ndarray of float, shape (u, n)
    fell_back : ndarray of bool, shape (u,)

    Examples
    --------
    >>> nobody, count = read_profiles([[0, 0, 0]]), np.array([1, 4, 2])
    >>> scores, fell_back = fall_back(np.zeros((1, 3)), nobody, count)
    >>> scores.tolist(), fell_back.tolist()
    ([[1.0, 4.0, 2.0]], [True])
    """
    silent = find_silent(scores, profiles)
    return np.where(silent[:, None], np.asarray(count, dtype=float), scores), silent


class ListenerScorer(BaseEstimator, ABC):
    """What all methods share: they count listeners, and fall back to popular songs.

    A method of its own adds ``_score`` and, if it learns, ``_learn``.

    Attributes
    ----------
    is_sum : bool
        Whether the scores of a profile are the sum of those of its songs one by one.
    """

    _asks_history = True
    is_sum = False

    def fit(self, matrix: sparse.csr_matrix) -> Self:
        """Learn from listeners x songs.

        Parameters
        ----------
        matrix : csr_matrix, shape (u, n)

        Returns
        -------
        estimator
            Itself.
        """
        matrix = read_profiles(matrix)
        self.count_ = np.asarray(matrix.astype(bool).sum(axis=0)).ravel()
        self._learn(matrix)
        return self

    def score(self, profiles: sparse.csr_matrix) -> FloatArray:
        """Return scores of all songs; popular songs for whom the known ones say nothing.

        Parameters
        ----------
        profiles : csr_matrix, shape (u, n)
            Known songs.

        Returns
        -------
        ndarray of float, shape (u, n)

        Warns
        -----
        NoHistoryWarning
            Some listeners got the popular songs.
        """
        scores, silent = fall_back(self.score_known(profiles), read_profiles(profiles), self.count_)
        if silent.any() and self._asks_history:
            rows = np.flatnonzero(silent).tolist()
            warnings.warn(NoHistoryWarning(type(self).__name__, rows, len(silent)), stacklevel=2)
        return scores

    def score_known(self, profiles: sparse.csr_matrix) -> FloatArray:
        """Return scores of all songs from the known ones only; equal where these say nothing.

        Parameters
        ----------
        profiles : csr_matrix, shape (u, n)
            Known songs.

        Returns
        -------
        ndarray of float, shape (u, n)
        """
        check_is_fitted(self)
        return self._score(read_profiles(profiles, n_songs=len(self.count_)))

    def _learn(self, matrix: sparse.csr_matrix) -> None:
        """Learn more than the counts, if the method does."""

    @abstractmethod
    def _score(self, profiles: sparse.csr_matrix) -> FloatArray:
        """Return scores of all songs for profiles that were checked."""


def score_known(method: Scorer, profiles: sparse.csr_matrix) -> FloatArray:
    """Return a method's scores before any fallback, see :mod:`aares.recommend.listeners.profiles`.

    Parameters
    ----------
    method : scorer
        Fitted; one from elsewhere needs only ``score``.
    profiles : csr_matrix, shape (u, n)

    Returns
    -------
    ndarray of float, shape (u, n)
    """
    score = getattr(method, "score_known", method.score)
    return np.asarray(score(profiles), dtype=float)
