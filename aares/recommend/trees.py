"""Boosted trees as arrays: scores, and what moved them, in microseconds.

Used by notebook ``03_recommendation`` through :class:`aares.recommend.likeness.SongIndex`. A
playlist asks for a few hundred scores at a time; here they are summed in a fixed order, and the
reasons of ten songs cost no more than their scores.

References
----------
Palczewska, Palczewski, Marchese Robinson, Neagu, "Interpreting random forest classification models
using a feature contribution method", 2014, section 3: what a decision adds is the difference of the
mean answer of the trees before and after it, which belongs to the input decided by.
"""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
from numba import njit

from aares.errors import AaresError
from aares.recommend.content import FloatArray


class TreesError(AaresError):
    """Trees of a kind that is not known here."""


class Trees:
    """The trees of a booster of numerical inputs.

    Parameters
    ----------
    booster : lightgbm.Booster

    Raises
    ------
    TreesError
        A decision is no threshold.

    Examples
    --------
    >>> X = np.arange(200.0)[:, None] % 7
    >>> data = lightgbm.Dataset(X, X[:, 0] > 3)
    >>> booster = lightgbm.train({"verbosity": -1, "num_threads": 1}, data, num_boost_round=5)
    >>> trees = Trees(booster)
    >>> bool(np.allclose(trees.score(X), booster.predict(X)))
    True
    >>> parts, base = trees.explain(X)
    >>> parts.shape, bool(np.allclose(parts.sum(axis=1) + base, trees.score(X)))
    ((200, 1), True)
    """

    def __init__(self, booster: lightgbm.Booster) -> None:
        self.n_inputs = booster.num_feature()
        nodes: list[tuple[int, float, bool, int, int, float]] = []
        roots = [_flatten(tree["tree_structure"], nodes)
                 for tree in booster.dump_model()["tree_info"]]  # fmt: skip
        kinds = ("int32", "float64", "int32", "int32", "int32", "float64")
        columns = zip(zip(*nodes, strict=True), kinds, strict=True)
        features, thresholds, unknown, left, right, values = (
            np.array(column, dtype=kind) for column, kind in columns
        )
        children = np.stack([left, right], axis=1).ravel()  # of a node: at 2 node, 2 node + 1
        self._arrays = (
            np.array(roots, dtype=np.int32), features, thresholds, unknown, children, values
        )  # fmt: skip
        self.base = float(sum(values[root] for root in roots))

    def score(self, inputs: FloatArray) -> FloatArray:
        """Return the sum of the trees' answers.

        Parameters
        ----------
        inputs : ndarray of float, shape (m, n_inputs)
            NaN where unknown.

        Returns
        -------
        ndarray of float, shape (m,)
        """
        found: FloatArray = _score(inputs, *self._arrays)
        return found

    def explain(self, inputs: FloatArray) -> tuple[FloatArray, float]:
        """Return what each input adds to the scores, shape (m, n_inputs), and what all start from.

        Parameters
        ----------
        inputs : ndarray of float, shape (m, n_inputs)

        Returns
        -------
        parts : ndarray of float, shape (m, n_inputs)
        base : float
            A row of `parts` and `base` sum to the score.
        """
        parts = np.zeros((len(inputs), self.n_inputs))
        _explain(parts, inputs, *self._arrays)
        return parts, self.base


def _flatten(node: dict[str, Any], nodes: list[Any]) -> int:
    """Append a tree's nodes, its root first; return the root's number.

    A node is its input (-1 for a leaf), its threshold, whether an unknown value goes right, its
    children, and the mean answer of what is below.
    """
    place = len(nodes)
    if "leaf_value" in node:
        nodes.append((-1, 0.0, False, -1, -1, node["leaf_value"]))
        return place
    if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
        raise TreesError(
            f"trees: expected decisions by '<=', found {node['decision_type']!r} with missing "
            f"values {node['missing_type']!r}; train without categories and zero_as_missing"
        )
    nodes.append(None)
    left = _flatten(node["left_child"], nodes)
    right = _flatten(node["right_child"], nodes)
    # Where no value was missing when it was learnt, a missing one counts as 0.
    learnt = node["missing_type"] == "NaN"
    unknown = not node["default_left"] if learnt else node["threshold"] < 0
    nodes[place] = (
        node["split_feature"], node["threshold"], unknown, left, right, node["internal_value"]
    )  # fmt: skip
    return place


@njit(cache=True, nogil=True)
def _score(inputs, roots, features, thresholds, unknown, children, values):
    found = np.zeros(len(inputs))
    for root in roots:  # one tree at a time stays in the cache; each sum is by tree all the same
        for i in range(len(inputs)):
            node = root
            while features[node] >= 0:
                value = float(inputs[i, features[node]])
                goes = unknown[node] if np.isnan(value) else np.int32(value > thresholds[node])
                node = children[2 * node + goes]
            found[i] += values[node]
    return found


@njit(cache=True, nogil=True)
def _explain(parts, inputs, roots, features, thresholds, unknown, children, values):
    for root in roots:
        for i in range(len(inputs)):
            node = root
            while features[node] >= 0:
                before, feature = values[node], features[node]
                value = float(inputs[i, feature])
                goes = unknown[node] if np.isnan(value) else np.int32(value > thresholds[node])
                node = children[2 * node + goes]
                parts[i, feature] += values[node] - before
