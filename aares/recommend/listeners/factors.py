"""Listeners and songs as points of one space: implicit alternating least squares (exercise 3).

Used by the measures ``hetrec`` and ``playlists`` of ``benchmarks/recommend.py``.

References
----------
Hu, Koren, Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008: section 4.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import sparse

from aares import exact
from aares.recommend.listeners.profiles import ListenerScorer
from aares.recommend.listeners.weights import weigh_log
from aares.recommend.space.content import FloatArray

Integers = npt.NDArray[np.int64]


class AlsScorer(ListenerScorer):
    """Implicit ALS: a listener's score of a song is the scalar product of two vectors.

    An entry r is trusted with 1 + confidence (1 + log r), a song that was not heard with 1. Each
    half of a round solves one small system of equations a listener, or a song, exactly and in a
    fixed order. A new listener's vector is one such solution: nothing is learnt anew.

    Parameters
    ----------
    n_factors : int
        Coordinates of the space.
    strength : float
        Regularisation.
    confidence : float
        How much more than silence a heard song counts.
    n_rounds : int
    random_state : int
        Seed of the songs' first vectors.
    further : csr_matrix of float, shape (n_rows, n), optional
        Rows of another kind, such as the songs that bear a tag, already weighed (1 is one play):
        songs are learnt from them as from listeners.

    References
    ----------
    Hu, Koren, Volinsky 2008, section 4: equations 4 and 5.

    Examples
    --------
    >>> heard = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]]
    >>> scores = AlsScorer(n_factors=2, strength=0.1).fit(heard).score([[1, 0, 0, 0]])
    >>> [round(abs(score), 1) for score in scores[0].tolist()]
    [0.6, 0.6, 0.0, 0.0]
    """

    def __init__(
        self,
        *,
        n_factors: int = 64,
        strength: float = 10.0,
        confidence: float = 1.0,
        n_rounds: int = 10,
        random_state: int = 0,
        further: sparse.csr_matrix | None = None,
    ) -> None:
        self.n_factors = n_factors
        self.strength = strength
        self.confidence = confidence
        self.n_rounds = n_rounds
        self.random_state = random_state
        self.further = further

    def _learn(self, matrix: sparse.csr_matrix) -> None:
        heard = self._trust(matrix)
        if self.further is not None:
            heard = sparse.csr_matrix(sparse.vstack([heard, self.confidence * self.further]))
        heard_by = sparse.csr_matrix(heard.T)
        rng = np.random.default_rng(self.random_state)
        first = rng.random((matrix.shape[1], self.n_factors)) - 0.5
        self.songs_: FloatArray = first / self.n_factors
        for _ in range(self.n_rounds):
            listeners = self._solve(heard, self.songs_)
            self.songs_ = self._solve(heard_by, listeners)

    def _trust(self, profiles: sparse.csr_matrix) -> sparse.csr_matrix:
        trust = weigh_log(profiles)
        trust.data = trust.data * self.confidence
        return trust

    def _solve(self, trust: sparse.csr_matrix, others: FloatArray) -> FloatArray:
        indices, indptr = trust.indices.astype(np.int64), trust.indptr.astype(np.int64)
        return _solve_rows(trust.data, indices, indptr, others, self.strength)

    def _score(self, profiles: sparse.csr_matrix) -> FloatArray:
        listeners = self._solve(self._trust(profiles), self.songs_)
        return exact.multiply(listeners, self.songs_.T)


# No fastmath below: it would allow to fuse and to reorder, differently on each processor.


@njit(cache=True, nogil=True)
def _solve_rows(
    data: FloatArray, indices: Integers, indptr: Integers, others: FloatArray, strength: float
) -> FloatArray:
    """Return the vector of each row, given those of its columns.

    A row of fewer entries than factors is solved among its entries (Woodbury): most songs have few
    listeners.
    """
    n_factors = others.shape[1]
    base = np.zeros((n_factors, n_factors))
    for row in range(others.shape[0]):
        _add_square(base, others[row], 1.0)
    for i in range(n_factors):
        base[i, i] += strength
    through = _divide(base.copy(), others)
    found = np.zeros((len(indptr) - 1, n_factors))
    for row in range(len(found)):
        entries = slice(indptr[row], indptr[row + 1])
        songs, trust = indices[entries], data[entries]
        if len(songs) < n_factors:
            _solve_few(found[row], songs, trust, others, through)
            continue
        upper = base.copy()
        for t in range(len(songs)):
            _add_square(upper, others[songs[t]], trust[t])
            for j in range(n_factors):
                found[row, j] += (1.0 + trust[t]) * others[songs[t], j]
        _solve_one(upper, found[row])
    return found


@njit(cache=True, nogil=True)
def _divide(upper: FloatArray, others: FloatArray) -> FloatArray:
    """Return the inverse of a positive definite matrix times each vector."""
    n = len(upper)
    inverse = np.zeros((n, n))
    for i in range(n):
        inverse[i, i] = 1.0
        _solve_one(upper.copy(), inverse[i])
    found = np.zeros(others.shape)
    for row in range(len(others)):
        for i in range(n):
            for j in range(n):
                found[row, j] += others[row, i] * inverse[i, j]
    return found


@njit(cache=True, nogil=True)
def _solve_few(
    found: FloatArray, songs: Integers, trust: FloatArray, others: FloatArray, through: FloatArray
) -> None:
    """Write the vector of one row of few entries."""
    n = len(songs)
    upper, right = np.empty((n, n)), np.empty(n)
    for s in range(n):
        for t in range(s, n):
            total = 0.0
            for j in range(len(found)):
                total += others[songs[s], j] * through[songs[t], j]
            upper[s, t] = total
        upper[s, s] += 1.0 / trust[s]
        right[s] = (1.0 + trust[s]) / trust[s]
    _solve_one(upper, right)
    for s in range(n):
        for j in range(len(found)):
            found[j] += right[s] * through[songs[s], j]


@njit(cache=True, nogil=True)
def _add_square(upper: FloatArray, vector: FloatArray, weight: float) -> None:
    """Add weight v v' to the upper half of a matrix, in place."""
    for i in range(len(vector)):
        factor = weight * vector[i]
        for j in range(i, len(vector)):
            upper[i, j] += factor * vector[j]


@njit(cache=True, nogil=True)
def _solve_one(upper: FloatArray, right: FloatArray) -> None:
    """Solve a positive definite system of which the upper half is given, in place (Cholesky)."""
    n = len(right)
    for k in range(n):
        root = np.sqrt(upper[k, k])
        for j in range(k, n):
            upper[k, j] /= root
        for i in range(k + 1, n):
            factor = upper[k, i]
            for j in range(i, n):
                upper[i, j] -= factor * upper[k, j]
    for k in range(n):
        right[k] /= upper[k, k]
        for i in range(k + 1, n):
            right[i] -= upper[k, i] * right[k]
    for k in range(n - 1, -1, -1):
        total = right[k]
        for j in range(k + 1, n):
            total -= upper[k, j] * right[j]
        right[k] = total / upper[k, k]
