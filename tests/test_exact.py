"""Arithmetic that must not depend on the machine, against fractions and against numpy."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from aares import exact
from tests.environments import PROCESSORS, THREADS, compare_environments


def compute_everything() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    values = rng.uniform(-30, 30, 50_000)
    a, b = rng.normal(size=(300, 257)), rng.normal(size=(257, 90))
    return {
        "exp": exact.exp(values),
        "log": exact.log(np.abs(values)),
        "softmax": exact.softmax(values.reshape(-1, 25)),
        "multiply": exact.multiply(a, b),
        "invert": exact.invert(exact.multiply(b.T, b)),
        "snap": exact.snap(values, 12),
    }


def test_the_same_bits_on_every_machine():
    settings = {"here": THREADS["one thread"], "threads": THREADS["four threads"], **PROCESSORS}
    gaps = compare_environments("tests.test_exact", "compute_everything", settings)
    assert gaps == {}


def test_sums_of_a_product_are_exact():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(3, 200)), rng.normal(size=(200, 2)) * 1e5
    bits = (exact.MANTISSA - 8) // 2  # 200 terms need 8
    short_a, short_b = exact.shorten(a, bits), exact.shorten(b, bits)
    true = [
        [
            sum(Fraction(x) * Fraction(y) for x, y in zip(row, column, strict=True))
            for column in short_b.T
        ]
        for row in short_a
    ]
    assert [[Fraction(value) for value in row] for row in exact.multiply(a, b)] == true
    np.testing.assert_allclose(exact.multiply(a, b), a @ b, atol=1e-6 * 1e5 * 200)


def test_the_order_of_a_product_does_not_matter():
    rng = np.random.default_rng(2)
    a, b, order = rng.normal(size=(40, 999)), rng.normal(size=(999, 30)), rng.permutation(999)
    assert np.array_equal(exact.multiply(a, b), exact.multiply(a[:, order], b[order]))
    assert not np.array_equal(a @ b, a[:, order] @ b[order])


def test_exp_and_log_are_those_of_numpy_but_for_last_digits():
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.uniform(-700, 700, 20_000), rng.uniform(-1, 1, 20_000), [0.0]])
    np.testing.assert_allclose(exact.exp(values), np.exp(values), rtol=5e-16, atol=0)
    positive = np.concatenate([exact.exp(values), [1.0, 2.0, 0.5]])
    np.testing.assert_allclose(exact.log(positive), np.log(positive), rtol=8e-16, atol=0)


def test_odd_arguments_give_what_numpy_gives():
    odd = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, -1.0, 5e-324, 1e308, -1e308])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(exact.log(odd), np.log(odd))
        np.testing.assert_array_equal(exact.exp(odd[:3]), np.exp(odd[:3]))
        np.testing.assert_array_equal(exact.exp(odd[-2:]), np.exp(odd[-2:]))
    assert exact.exp(np.zeros((0, 3))).shape == (0, 3)
    assert exact.log(4.0).shape == ()


@pytest.mark.parametrize("bits", [0, 1, 12])
def test_a_grid_keeps_its_own_points(bits):
    points = np.arange(-50, 50) * 2.0**-bits
    assert np.array_equal(exact.snap(points, bits), points)
    assert np.array_equal(exact.snap(points + 2.0 ** -(bits + 2), bits), points)
    np.testing.assert_array_equal(exact.snap([np.nan, np.inf]), [np.nan, np.inf])


def test_shortened_numbers_have_few_bits():
    values = np.random.default_rng(4).normal(size=1000) * 1e-7
    short = exact.shorten(values, 10)
    step = 2.0 ** np.ceil(np.log2(np.abs(values).max())) * 2.0**-10
    assert np.array_equal(short, np.rint(values / step) * step)
    assert exact.shorten(np.zeros(3)).tolist() == [0.0] * 3


def test_the_inverse_is_one():
    rng = np.random.default_rng(5)
    root = rng.normal(size=(60, 40))
    matrix = root.T @ root + np.eye(40)
    np.testing.assert_allclose(exact.invert(matrix) @ matrix, np.eye(40), atol=1e-12)
    with pytest.raises(ValueError, match="positive definite, pivot 1"):
        exact.invert([[1.0, 2.0], [2.0, 1.0]])


@pytest.mark.parametrize("size", [1, 7, 40, 100])
def test_large_matrices_are_inverted_by_blocks(size):
    rows = np.random.default_rng(0).normal(size=(60, 40))
    matrix = rows.T @ rows + np.eye(40)
    found = exact.invert_large(matrix, size=size)
    assert found == pytest.approx(np.linalg.inv(matrix), abs=1e-9)
    with pytest.raises(ValueError, match="expected it positive definite"):
        exact.invert_large(matrix - 100 * np.eye(40), size=size)


def test_close_products_do_not_depend_on_the_order_of_their_sums():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(30, 500)), np.exp(rng.normal(size=(500, 20)))
    order = rng.permutation(500)
    product = exact.multiply_closely(a, b)
    assert (exact.multiply_closely(a[:, order], b[order]) == product).all()
    assert (a[:, order] @ b[order] != a @ b).any()
    assert product == pytest.approx(a @ b, abs=1e-7)
