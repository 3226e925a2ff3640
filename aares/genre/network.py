"""A small neural network whose weights are the same bits on every machine.

Used by :mod:`.decision` and :mod:`.compare`. Training amplifies: after thousands of steps a last
digit of one matrix product decides for other labels. Here all products are exact (`aares.exact`),
and what is between them (sums in a fixed order, roots, quotients) is the same everywhere.

References
----------
.. [1] D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1.
.. [2] X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural
   networks", AISTATS 2010, equation 16 (the range of the first weights).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from threadpoolctl import threadpool_limits

from aares import exact

STEP, FADE, FADE_SQUARE, TINY = 0.001, 0.9, 0.999, 1e-8  # as [1]_ proposes


class Network:
    """One hidden layer of rectified units, fitted by Adam [1]_ on shuffled batches.

    Parameters
    ----------
    n_hidden : int
    penalty : float
        Of the squared weights.
    batch_size : int
    passes : int
        Passes over the rows.
    random_state : int

    Examples
    --------
    >>> X, codes = np.array([[-1.0], [-2.0], [1.0], [2.0]]), np.array([0, 0, 1, 1])
    >>> network = Network(n_hidden=8, penalty=0.01, batch_size=4, passes=500)
    >>> network = network.fit(X, codes, n_classes=2)
    >>> network.predict_proba(X).argmax(axis=1).tolist()
    [0, 0, 1, 1]
    """

    def __init__(
        self,
        *,
        n_hidden: int = 96,
        penalty: float = 0.3,
        batch_size: int = 256,
        passes: int = 20,
        random_state: int = 0,
    ) -> None:
        self.n_hidden = n_hidden
        self.penalty = penalty
        self.batch_size = batch_size
        self.passes = passes
        self.random_state = random_state

    def fit(self, X: np.ndarray, codes: np.ndarray, *, n_classes: int) -> Network:
        """Learn from rows with known classes.

        Parameters
        ----------
        X : ndarray of float, shape (n, d)
            Of order 1.
        codes : ndarray of int, shape (n,)
            In 0 .. `n_classes` - 1.
        n_classes : int

        Returns
        -------
        Network
        """
        rng = np.random.default_rng(self.random_state)
        sizes = (X.shape[1], self.n_hidden, n_classes)
        self.weights_ = [
            (2 * rng.random(shape) - 1) * np.sqrt(6 / (before + after))
            for before, after in pairwise(sizes)
            for shape in ((before, after), (after,))
        ]
        truth = np.eye(n_classes)[codes]
        adam = _Adam(self.weights_)
        # Small matrices: threads would cost more than they bring.
        with threadpool_limits(1):
            for _ in range(self.passes):
                order = rng.permutation(len(X))
                for start in range(0, len(X), self.batch_size):
                    rows = order[start : start + self.batch_size]
                    adam.step(self._measure_gradient(X[rows], truth[rows]))
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the probability of each class, shape (n, n_classes)."""
        return self._forward(X)[1]

    def _forward(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the hidden units and the probabilities."""
        first, bias, second, shift = self.weights_
        hidden = exact.multiply(X, first)
        hidden += bias
        np.maximum(hidden, 0, out=hidden)
        return hidden, exact.softmax(exact.multiply(hidden, second) + shift)

    def _measure_gradient(self, X: np.ndarray, truth: np.ndarray) -> list[np.ndarray]:
        """Return the slope of cross-entropy and penalty for each of the weights."""
        first, _, second, _ = self.weights_
        hidden, found = self._forward(X)
        miss = (found - truth) / len(X)
        back = exact.multiply(miss, second.T) * (hidden > 0)
        decay = self.penalty / len(X)
        return [
            exact.multiply(X.T, back) + decay * first,
            back.sum(axis=0),
            exact.multiply(hidden.T, miss) + decay * second,
            miss.sum(axis=0),
        ]


class _Adam:
    """Steps of a size that adapts to each weight [1]_; changes the weights in place."""

    def __init__(self, weights: list[np.ndarray]) -> None:
        self.weights = weights
        self.means = [np.zeros_like(values) for values in weights]
        self.squares = [np.zeros_like(values) for values in weights]
        self.faded, self.faded_square = 1.0, 1.0

    def step(self, gradients: list[np.ndarray]) -> None:
        # Powers by products: the last digit of pow() depends on the system.
        self.faded *= FADE
        self.faded_square *= FADE_SQUARE
        rate = STEP * np.sqrt(1 - self.faded_square) / (1 - self.faded)
        parts = zip(self.weights, gradients, self.means, self.squares, strict=True)
        for values, gradient, mean, square in parts:
            mean *= FADE
            mean += (1 - FADE) * gradient
            square *= FADE_SQUARE
            gradient *= gradient
            gradient *= 1 - FADE_SQUARE
            square += gradient
            root = np.sqrt(square)
            root += TINY
            values -= rate * mean / root
