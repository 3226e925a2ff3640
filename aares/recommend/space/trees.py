"""Boosted trees as arrays: scores, and what moved them, in microseconds.

Used by notebook ``03_recommendation`` through :class:`aares.recommend.space.likeness.SongIndex`. A
playlist asks for a few hundred scores at a time; here they are summed in a fixed order, and the
reasons of ten songs cost no more than their scores. Inputs are of single precision. For a score
all decisions of a tree are taken for all songs, one decision after the other: what each takes away
of the leaves is a number of 32 bits, and the first leaf that is left is the one that walking down
would reach.

References
----------
Lucchese et al., "QuickScorer: a fast algorithm to rank documents with additive ensembles of
regression trees", SIGIR 2015: section 3 (leaves as bits).
Palczewska, Palczewski, Marchese Robinson, Neagu, "Interpreting random forest classification models
using a feature contribution method", 2014, section 3: what a decision adds is the difference of the
mean answer of the trees before and after it, which belongs to the input decided by.
"""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
from numba import njit

from aares.errors import AaresError
from aares.recommend.space.content import FloatArray

MAX_LEAVES = 32
"""Leaves of a tree, which is a bit each of one number."""

# Which bit of 32 is set, by the five highest bits of its product with a de Bruijn sequence.
_PLACES = np.zeros(32, dtype=np.int64)
_PLACES[[(0x077CB531 << bit & 0xFFFFFFFF) >> 27 for bit in range(32)]] = np.arange(32)


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
    >>> bool(np.allclose(trees.score(X), booster.predict(X, num_threads=1)))
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
        self._tests = _list_tests(roots, self._arrays[1:])
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
        columns = np.ascontiguousarray(np.asarray(inputs, dtype=np.float32).T)
        found: FloatArray = _score(columns, _PLACES, *self._tests)
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


def _list_tests(
    roots: list[int], arrays: tuple[npt.NDArray[Any], ...]
) -> tuple[npt.NDArray[Any], ...]:
    """List the decisions of all trees, each with the leaves that are left when it goes right."""
    features, thresholds, unknown, children, values = arrays
    tests: list[tuple[int, float, int, int]] = []
    leaves: list[float] = []
    ends, firsts = [], []

    def walk(node: int, first: int) -> int:
        """Number the leaves below from the left; return the next number."""
        if features[node] < 0:
            leaves.append(values[node])
            return first + 1
        place = len(tests)
        tests.append((0, 0.0, 0, 0))
        middle = walk(children[2 * node], first)
        cut = (1 << middle) - (1 << first)
        tests[place] = (features[node], thresholds[node], unknown[node], 0xFFFFFFFF ^ cut)
        return walk(children[2 * node + 1], middle)

    for root in roots:
        firsts.append(len(leaves))
        if walk(root, 0) > MAX_LEAVES:
            raise TreesError(f"trees: expected at most {MAX_LEAVES} leaves; set num_leaves")
        ends.append(len(tests))
    columns = zip(*tests, strict=True) if tests else ((), (), (), ())
    asked, limits, unknowns, kept = (np.array(column) for column in columns)
    # A number of single precision is above a threshold if it is above the next lower of its kind.
    with np.errstate(over="ignore"):  # beyond the largest number: infinite, as it must be
        rounded = limits.astype(np.float32)
    above = rounded.astype(np.float64) > limits
    rounded[above] = np.nextafter(rounded[above], np.float32(-np.inf))
    return (
        np.array(ends, dtype=np.int64), np.array(firsts, dtype=np.int64), asked.astype(np.int64),
        rounded, unknowns.astype(np.bool_), kept.astype(np.uint32), np.array(leaves),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _score(columns, places, ends, firsts, features, thresholds, unknown, kept, leaves):
    """Return the sums of leaves; of each tree, the first leaf that no decision took away."""
    n = columns.shape[1]
    found = np.zeros(n)
    left = np.empty(n, dtype=np.uint32)
    test = 0
    for tree in range(len(ends)):
        left[:] = np.uint32(0xFFFFFFFF)
        while test < ends[tree]:
            column, threshold = columns[features[test]], thresholds[test]
            mask, goes = kept[test], unknown[test]
            for i in range(n):
                right = (column[i] > threshold) | (goes & (column[i] != column[i]))
                left[i] &= mask if right else np.uint32(0xFFFFFFFF)
            test += 1
        for i in range(n):
            lowest = left[i] & (~left[i] + np.uint32(1))
            leaf = places[np.uint32(lowest * np.uint32(0x077CB531)) >> np.uint32(27)]
            found[i] += leaves[firsts[tree] + leaf]
    return found


@njit(cache=True, nogil=True)
def _explain(parts, inputs, roots, features, thresholds, unknown, children, values):
    for root in roots:
        for i in range(len(inputs)):
            node = root
            while features[node] >= 0:
                before, feature = values[node], features[node]
                value = float(np.float32(inputs[i, feature]))
                goes = unknown[node] if np.isnan(value) else np.int32(value > thresholds[node])
                node = children[2 * node + goes]
                parts[i, feature] += values[node] - before
