"""Linear algebra in a fixed order, against numpy and in other environments."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from aares import linear
from tests.environments import PROCESSORS, THREADS, compare_environments


def make_rows() -> sparse.csr_matrix:
    return sparse.random(200, 60, 0.05, format="csr", rng=np.random.default_rng(0))


def compute_everything() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(70, 50)), rng.normal(size=(50, 3))
    return {
        "multiply": linear.multiply(a, b),
        "measure_rows": linear.measure_rows(a, a[::-1]),
        "solve": linear.solve(linear.multiply(a.T, a), b),
        "find_axes": linear.find_axes(make_rows(), 7),
        "axes of equal length": linear.find_axes(sparse.eye(40, format="csr"), 5),
    }


def test_the_same_bits_on_every_machine():
    settings = {"here": THREADS["one thread"], "threads": THREADS["four threads"], **PROCESSORS}
    assert compare_environments("tests.test_linear", "compute_everything", settings) == {}


@pytest.mark.parametrize("n", [0, 1, 40])
def test_solutions_are_those_of_numpy(n):
    rng = np.random.default_rng(2)
    root = rng.normal(size=(n, n))
    matrix, right = root @ root.T + np.eye(n), rng.normal(size=(n, 3))
    np.testing.assert_allclose(linear.solve(matrix, right), np.linalg.solve(matrix, right))
    np.testing.assert_allclose(linear.multiply(root, right), root @ right, atol=1e-12)
    thin = sparse.csr_matrix(np.where(root > 0.5, root, 0.0))
    np.testing.assert_allclose(linear.multiply(thin, right), thin @ right, atol=1e-12)
    np.testing.assert_allclose(linear.measure_rows(root, matrix), (root * matrix).sum(axis=1))


def test_a_column_is_solved_for_by_itself():
    rng = np.random.default_rng(3)
    matrix, right = np.eye(30) + 0.1, rng.normal(size=(30, 9))
    alone = np.hstack([linear.solve(matrix, right[:, [i]]) for i in range(9)])
    assert np.array_equal(linear.solve(matrix, right), alone)


def test_what_is_not_positive_definite_is_refused():
    with pytest.raises(ValueError, match="positive definite, pivot 1"):
        linear.solve([[1.0, 2.0], [2.0, 1.0]], [[0.0], [0.0]])


def test_axes_are_those_of_the_full_decomposition():
    rng = np.random.default_rng(4)
    # Lengths that fall by half from one to the next leave no doubt about the directions.
    left, right = (np.linalg.qr(rng.normal(size=(n, 20)))[0] for n in (90, 50))
    rows = left * 0.5 ** np.arange(20) @ right.T
    axes = linear.find_axes(sparse.csr_matrix(rows), 6)
    np.testing.assert_allclose(np.abs(axes @ right[:, :6]), np.eye(6), atol=1e-9)
    assert (axes[np.arange(6), np.abs(axes).argmax(axis=1)] > 0).all()


def test_axes_hold_nearly_all_that_so_many_can():
    rows = make_rows()
    axes = linear.find_axes(rows, 7)
    np.testing.assert_allclose(axes @ axes.T, np.eye(7), atol=1e-12)
    held = np.linalg.norm(rows @ axes.T, axis=0)
    best = np.linalg.svd(rows.toarray(), compute_uv=False)[:7]
    assert (np.diff(held) <= 1e-12).all()
    np.testing.assert_allclose(held, best, rtol=0.01)


def test_where_no_length_is_left_an_axis_is_zero():
    axes = linear.find_axes(sparse.csr_matrix(np.ones((4, 3))), 3)
    np.testing.assert_allclose(axes[0], np.full(3, 3**-0.5))
    assert not axes[1:].any()
