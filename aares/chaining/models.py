"""The models of the study: its network of 1,541 parameters, a decision tree, and twins beside them.

Used by notebook 06. The network is 54 -> 27 -> 2, so what goes in is the vectors of both songs side
by side (twice 27): its answer depends on which song comes first. The symmetric twins see |A - B|.

scikit-learn's `MLPClassifier` has one logistic output for two classes, 1,513 parameters; the
slides' softmax has two. :class:`PairNetwork` is therefore the project's own network
(:mod:`aares.genre.network`), with Keras's settings: batches of 32, Adam with steps of 0.001, no
penalty. Its first biases are random, where Keras has zeros.

References
----------
.. [1] L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and Regression Trees", 1984.
.. [2] G. Ke et al., "LightGBM: A Highly Efficient Gradient Boosting Decision Tree", NIPS 2017.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import classification_report
from sklearn.tree import DecisionTreeClassifier

from aares import exact
from aares.chaining.distances import Floats, check_pair_labels
from aares.genre.network import Network

N_HIDDEN, PASSES, BATCH = 27, 75, 32
Name = Literal["network", "symmetric network", "tree", "symmetric tree", "boosting"]
MODELS: tuple[Name, ...] = ("network", "symmetric network", "tree", "symmetric tree", "boosting")
"""Those of the slides are 'network' and 'tree'; they, and no other, see which song comes first."""
DIRECTED = ("network", "tree")


def join_vectors(points: Floats, a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """Return the features of both songs side by side.

    Parameters
    ----------
    points : ndarray of float, shape (n_songs, d)
        Standardised features.
    a, b : array-like of int, shape (n,)
        The first and the second song of each pair.

    Returns
    -------
    ndarray of float, shape (n, 2 * d)

    Examples
    --------
    >>> join_vectors(np.array([[1.0, 2.0], [5.0, 7.0]]), [0], [1]).tolist()
    [[1.0, 2.0, 5.0, 7.0]]
    """
    return np.hstack([points[np.asarray(a)], points[np.asarray(b)]])


def subtract_vectors(points: Floats, a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """Return by how much the songs of each pair differ in each feature.

    Parameters
    ----------
    points : ndarray of float, shape (n_songs, d)
        Standardised features.
    a, b : array-like of int, shape (n,)

    Returns
    -------
    ndarray of float, shape (n, d)
        Not negative; the same for (a, b) and (b, a).

    Examples
    --------
    >>> subtract_vectors(np.array([[1.0, 2.0], [5.0, 7.0]]), [0], [1]).tolist()
    [[4.0, 5.0]]
    """
    return np.abs(points[np.asarray(a)] - points[np.asarray(b)])


class PairNetwork(ClassifierMixin, BaseEstimator):
    """A hidden layer of rectified units and a softmax of two: chainable or not.

    Parameters
    ----------
    n_hidden : int
    passes : int
        Passes over the pairs.
    random_state : int

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(64, 54))
    >>> network = PairNetwork(passes=5).fit(X, X[:, 0] > 0)
    >>> network.n_parameters_, network.predict_proba(X).shape
    (1541, (64, 2))
    """

    def __init__(
        self, *, n_hidden: int = N_HIDDEN, passes: int = PASSES, random_state: int = 0
    ) -> None:
        self.n_hidden = n_hidden
        self.passes = passes
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> PairNetwork:
        """Learn from labelled pairs.

        Parameters
        ----------
        X : array-like of float, shape (n, d)
            Of order 1.
        y : array-like of bool, shape (n,)
            Chainable or not; both occur.

        Returns
        -------
        PairNetwork
        """
        inputs = np.asarray(X, dtype=np.float64)
        labels = check_pair_labels(y, len(inputs))
        self.classes_ = np.array([False, True])
        self.network_ = Network(
            n_hidden=self.n_hidden,
            penalty=0.0,
            batch_size=BATCH,
            passes=self.passes,
            random_state=self.random_state,
        ).fit(inputs, labels.astype(np.intp), n_classes=2)
        return self

    @property
    def n_parameters_(self) -> int:
        """Number of weights and biases that were learnt.

        Returns
        -------
        int
        """
        return sum(values.size for values in self.network_.weights_)

    def predict_proba(self, X: npt.ArrayLike) -> Floats:
        """Return the probability of not chainable and of chainable, shape (n, 2)."""
        return self.network_.predict_proba(np.asarray(X, dtype=np.float64))

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Tell which pairs are rather chainable, shape (n,)."""
        return self.predict_proba(X)[:, 1] > 0.5


class PairModel:
    """One of `MODELS`: it sees songs and pairs of them, and says how chainable these are.

    Parameters
    ----------
    name : str
        One of `MODELS`.
    random_state : int

    Examples
    --------
    >>> points = np.random.default_rng(0).normal(size=(40, 3))
    >>> a, b = np.triu_indices(40, 1)
    >>> near = np.abs(points[a] - points[b]).max(axis=1) < 1
    >>> model = PairModel("boosting").fit(points, a, b, near)
    >>> bool(np.mean((model.predict_proba(points, a, b) > 0.5) == near) > 0.95)
    True
    """

    def __init__(self, name: Name, *, random_state: int = 0) -> None:
        if name not in MODELS:
            raise ValueError(f"model: expected one of {', '.join(MODELS)}, found {name!r}")
        self.name = name
        self.random_state = random_state

    def fit(
        self, points: Floats, a: npt.ArrayLike, b: npt.ArrayLike, labels: npt.ArrayLike
    ) -> PairModel:
        """Learn from labelled pairs.

        Parameters
        ----------
        points : ndarray of float, shape (n_songs, d)
            Standardised features.
        a, b : array-like of int, shape (n,)
            The songs of each training pair.
        labels : array-like of bool, shape (n,)
            Chainable or not; both occur.

        Returns
        -------
        PairModel
        """
        inputs = self._describe(points, a, b)
        self.estimator_ = _make_estimator(self.name, self.random_state)
        self.estimator_.fit(inputs, check_pair_labels(labels, len(inputs)))
        return self

    def predict_proba(self, points: Floats, a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
        """Return how probably each pair is chainable, shape (n,)."""
        found = self.estimator_.predict_proba(self._describe(points, a, b))
        return np.asarray(found)[:, 1]

    def _describe(self, points: Floats, a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
        describe = join_vectors if self.name in DIRECTED else subtract_vectors
        return exact.snap(describe(np.asarray(points, dtype=np.float64), a, b))


def _make_estimator(name: Name, random_state: int) -> Any:
    if name.endswith("network"):
        return PairNetwork(random_state=random_state)
    if name.endswith("tree"):
        return DecisionTreeClassifier(random_state=random_state)
    return LGBMClassifier(
        n_estimators=100,
        num_leaves=7,
        learning_rate=0.1,
        min_child_samples=5,
        random_state=random_state,
        deterministic=True,
        force_row_wise=True,
        num_threads=1,
        verbosity=-1,
    )


def report_classes(labels: npt.ArrayLike, answers: npt.ArrayLike) -> pd.DataFrame:
    """Return the report that the slide 'Decision Tree' shows, as scikit-learn makes it.

    Parameters
    ----------
    labels, answers : array-like of bool, shape (n,)
        Chainable or not.

    Returns
    -------
    DataFrame
        Rows ``0``, ``1``, ``accuracy``, ``macro avg`` and ``weighted avg``, columns ``precision``,
        ``recall``, ``f1-score`` (the accuracy stands in each) and ``support``. A class that is
        never answered has precision 0.

    Examples
    --------
    >>> report_classes([1, 1, 0, 0], [1, 0, 0, 0]).loc["1"].tolist()
    [1.0, 0.5, 0.6666666666666666, 2.0]
    """
    truth, found = np.asarray(labels).astype(int), np.asarray(answers).astype(int)
    if truth.shape != found.shape or truth.ndim != 1 or not len(truth):
        raise ValueError(
            f"expected as many answers as labels, found shapes {found.shape} and {truth.shape}"
        )
    report = classification_report(truth, found, labels=[0, 1], output_dict=True, zero_division=0.0)
    rows = {name: report.get(name) for name in ("0", "1", "macro avg", "weighted avg")}
    accuracy = float(np.mean(truth == found))
    columns = ["precision", "recall", "f1-score", "support"]
    table = pd.DataFrame(rows, index=columns).T
    table.loc["accuracy"] = [accuracy] * 3 + [len(truth)]
    return table.loc[["0", "1", "accuracy", "macro avg", "weighted avg"]]
