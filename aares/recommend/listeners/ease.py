"""EASE on weighted plays, with rows that are no listeners (exercise 3).

Used by the measures ``hetrec`` and ``playlists`` of ``benchmarks/recommend.py``.
:class:`aares.recommend.listeners.users.EaseScorer` is the plain method, on 0 and 1.

References
----------
Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019: equations 4-8.
Jeunen, Van Balen, Goethals, "Closed-form models for collaborative filtering with side-information",
RecSys 2020: section 3 (rows of side information below those of the listeners).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from aares import exact
from aares.recommend.listeners.profiles import ListenerScorer
from aares.recommend.listeners.weights import LOG_BITS, weigh_binary, weigh_log
from aares.recommend.space.content import FloatArray

WEIGHTINGS = ("binary", "log")


class WeightedEaseScorer(ListenerScorer):
    """EASE through listeners: each listener's songs weighed, and further rows beside listeners.

    A row of another kind, such as the songs that bear a tag, is learnt from as a listener is. With
    K = X X' + strength I over all rows, the inverse of the matrix of songs x songs is
    (I - X' K^-1 X) / strength (Woodbury).

    Parameters
    ----------
    strength : float
        Regularisation; of ``log`` weights, about thirty times that of ``binary`` ones.
    weighting : {"log", "binary"}
        1 + the logarithm of the plays, or 1 for each song that was heard.
    evenness : float
        Rows are divided by their sum to this power and multiplied by the mean sum to it, so that
        listeners of many songs do not speak loudest; 0: as they are, 1: all alike.
    further : csr_matrix of float, shape (n_rows, n), optional
        Further rows, already weighed.

    References
    ----------
    Steck 2019, equations 4-8; Jeunen et al. 2020, section 3.

    Examples
    --------
    >>> heard, tagged = [[9, 2, 0], [1, 0, 0]], sparse.csr_matrix([[0.0, 2.0, 2.0]])
    >>> scorer = WeightedEaseScorer(strength=2.0, weighting="binary")
    >>> scorer.fit(heard).score([[0, 1, 0]]).round(2).tolist()
    [[0.33, 0.0, 0.0]]
    >>> (scorer.set_params(further=tagged).fit(heard).score([[0, 1, 0]]).round(2) + 0.0).tolist()
    [[0.23, 0.0, 0.59]]
    """

    def __init__(
        self,
        *,
        strength: float = 3000.0,
        weighting: str = "log",
        evenness: float = 0.0,
        further: sparse.csr_matrix | None = None,
    ) -> None:
        self.strength = strength
        self.weighting = weighting
        self.evenness = evenness
        self.further = further

    is_sum = True

    def _learn(self, matrix: sparse.csr_matrix) -> None:
        if self.weighting not in WEIGHTINGS:
            raise ValueError(f"weighting: expected one of {WEIGHTINGS}, found {self.weighting!r}")
        if self.further is not None and self.further.shape[1] != matrix.shape[1]:
            raise ValueError(
                f"further: expected {matrix.shape[1]} songs, one a column, found "
                f"{self.further.shape[1]}"
            )
        weights = self._weigh(matrix)
        total = float(weights.sum())
        self.mean_sum_ = total / matrix.shape[0] if total else 1.0
        rows = [self._even(weights)] + ([] if self.further is None else [self.further])
        self.rows_ = _put_on_grid(sparse.csr_matrix(sparse.vstack(rows)))
        gram = np.asarray((self.rows_ @ self.rows_.T).todense(), dtype=float)
        np.fill_diagonal(gram, gram.diagonal() + self.strength)
        self.inverse_ = exact.invert_large(gram)
        solved = (self.rows_.T @ self.inverse_).T
        explained = np.asarray(self.rows_.multiply(solved).sum(axis=0)).ravel()
        self.diagonal_ = (1.0 - explained) / self.strength

    def _weigh(self, matrix: sparse.csr_matrix) -> sparse.csr_matrix:
        return weigh_log(matrix) if self.weighting == "log" else weigh_binary(matrix)

    def _even(self, weights: sparse.csr_matrix) -> sparse.csr_matrix:
        """Make rows of many songs and of few count more alike; see `evenness`."""
        if not self.evenness:
            return weights
        length = np.asarray(weights.sum(axis=1)).ravel()
        ratio = self.mean_sum_ / np.where(length > 0, length, self.mean_sum_)
        factor = exact.exp(self.evenness * exact.log(ratio))
        return sparse.csr_matrix(sparse.diags(factor) @ weights)

    def _score(self, profiles: sparse.csr_matrix) -> FloatArray:
        """Return x B for each profile x, with B = I - P diag(P)^-1."""
        known = self._weigh(profiles)
        overlap = np.asarray((known @ self.rows_.T).todense(), dtype=float)
        through = (self.rows_.T @ exact.multiply_closely(overlap, self.inverse_).T).T
        return np.asarray((through - known) / self.strength / self.diagonal_ + known)


def _put_on_grid(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Round to the grid of :func:`weigh_log`: sums of products are exact, in any order."""
    matrix.data = exact.snap(matrix.data, LOG_BITS)
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix
