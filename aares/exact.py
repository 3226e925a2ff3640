"""Arithmetic that gives the same bits on every machine, with any number of threads.

``+ - * /`` and square roots are the same on every processor (IEEE 754). What differs is the order
in which a matrix product adds up (it depends on the processor, the library and its threads), and
the last digit of ``exp`` and ``log``. A model that decides by comparing amplifies both: a last
digit becomes another branch of a tree, another branch another answer.

* `multiply` rounds both factors to so few bits that every product and every sum is exact, and
  what is exact does not depend on its order;
* `exp`, `log` and `softmax` use the exact operations only;
* `invert` eliminates in a fixed order;
* `snap` rounds to a grid: sums of grid points are exact, equal distances are equal, and what two
  machines compute almost alike becomes alike, but for the rare value halfway between two points.

References
----------
.. [1] K. Ozaki, T. Ogita, S. Oishi and S. M. Rump, "Error-free transformations of matrix
   multiplication by using fast routines of matrix multiplication and its applications", Numerical
   Algorithms 59, 2012, section 2.
.. [2] P. T. P. Tang, "Table-driven implementation of the exponential function in IEEE
   floating-point arithmetic", ACM TOMS 15, 1989, section 2 (the reduction of the argument).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]

MANTISSA = 53  # bits of a double
SUM_BITS = 40  # of the terms of a softmax: 2^13 of them add up exactly
_BLOCK = 4096
_ROUND = 1.5 * 2.0**52  # added to a smaller number it leaves no place for digits behind the point
_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 0.693147180369123816490, 1.90821492927058770002e-10  # 33 bits and the rest
_SQRT2 = 1.4142135623730951
_EXP = tuple(1.0 / math.factorial(k) for k in range(13, -1, -1))
_LOG = tuple(2.0 / k for k in range(21, 0, -2))  # log((1 + s) / (1 - s)) = 2s + 2s^3/3 + ...


def snap(values: npt.ArrayLike, bits: int = 20) -> Floats:
    """Round to multiples of ``2 ** -bits``.

    Parameters
    ----------
    values : array-like of float
        NaN and infinity stay.
    bits : int
        Binary digits behind the point.

    Returns
    -------
    ndarray of float64

    Examples
    --------
    >>> snap([0.3, 0.30000001, -1.2], bits=2).tolist()
    [0.25, 0.25, -1.25]
    """
    scale = 2.0**bits
    scaled = np.asarray(np.asarray(values, dtype=np.float64) * scale)
    np.rint(scaled, out=scaled)
    scaled /= scale
    return scaled


def shorten(values: npt.ArrayLike, bits: int = 20) -> Floats:
    """Round to `bits` binary digits of the largest magnitude: to a grid that fits the values.

    Parameters
    ----------
    values : array-like of float
        Finite.
    bits : int

    Returns
    -------
    ndarray of float64

    Examples
    --------
    >>> shorten([100.0, 33.3, 0.3], bits=8).tolist()  # 128 is the next power of two
    [100.0, 33.5, 0.5]
    """
    values = np.asarray(values, dtype=np.float64)
    top = max(values.max(initial=0.0), -values.min(initial=0.0))
    if top == 0:
        return values
    magic = math.ldexp(_ROUND, math.frexp(top)[1] - bits)
    return (values + magic) - magic


def multiply(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """Return a matrix product whose bits do not depend on the order of its sums.

    Both factors are rounded to about 20 bits of their largest magnitude, so few that all products
    and sums are exact: [1]_ with the leading term only. It takes little longer than ``a @ b``.

    Parameters
    ----------
    a : array-like of float, shape (n, k)
    b : array-like of float, shape (k, m)

    Returns
    -------
    ndarray of float64, shape (n, m)

    Examples
    --------
    >>> a, b = np.array([[0.1, 0.2, 0.3]]), np.array([[0.4], [0.5], [0.6]])
    >>> product = multiply(a, b)
    >>> bool(product == multiply(a[:, ::-1], b[::-1])), bool(a @ b == a[:, ::-1] @ b[::-1])
    (True, False)
    >>> bool(abs(product - 0.32) < 1e-6)
    True
    """
    a, b = np.asarray(a), np.asarray(b)
    bits = (MANTISSA - max(b.shape[0] - 1, 0).bit_length()) // 2
    return np.asarray(shorten(a, bits) @ shorten(b, bits))


def multiply_closely(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """Return a matrix product as :func:`multiply` does, of factors of twice as many bits.

    Each factor is split into two of half the bits; of the four products, each exact, the smallest
    is left out: [1]_. About 40 bits are right, in three times the time of ``a @ b``.

    Parameters
    ----------
    a : array-like of float, shape (n, k)
    b : array-like of float, shape (k, m)

    Returns
    -------
    ndarray of float64, shape (n, m)

    Examples
    --------
    >>> a, b = np.array([[0.1, 0.2, 0.3]]), np.array([[0.4], [0.5], [0.6]])
    >>> product = multiply_closely(a, b)
    >>> bool(product == multiply_closely(a[:, ::-1], b[::-1])), bool(abs(product - 0.32) < 1e-12)
    (True, True)
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    bits = (MANTISSA - max(b.shape[0] - 1, 0).bit_length()) // 2
    a_high, b_high = shorten(a, bits), shorten(b, bits)
    a_low, b_low = shorten(a - a_high, bits), shorten(b - b_high, bits)
    return np.asarray(a_high @ b_high + (a_high @ b_low + a_low @ b_high))


def invert_large(matrix: npt.ArrayLike, *, size: int = 256) -> Floats:
    """Invert a symmetric positive definite matrix by blocks, for thousands of rows.

    Parameters
    ----------
    matrix : array-like of float, shape (n, n)
    size : int
        Rows of a block.

    Returns
    -------
    ndarray of float64, shape (n, n)
        To about 40 bits of the largest entry, less the condition of the matrix.

    Raises
    ------
    ValueError
        The matrix is not positive definite.

    Examples
    --------
    >>> invert_large([[4.0, 2.0], [2.0, 2.0]], size=1).round(9).tolist()
    [[0.5, -0.5], [-0.5, 1.0]]
    """
    rest = np.array(matrix, dtype=np.float64)
    for start in range(0, len(rest), size):
        block = slice(start, start + size)
        inverse = invert(rest[block, block])
        columns, row = rest[:, block].copy(), multiply_closely(inverse, rest[block])
        row[:, block], columns[block] = inverse, 0.0
        rest[:, block] = 0.0
        rest -= multiply_closely(columns, row)
        rest[block] = row
    return rest


def invert(matrix: npt.ArrayLike) -> Floats:
    """Invert a symmetric positive definite matrix by elimination in a fixed order.

    Parameters
    ----------
    matrix : array-like of float, shape (n, n)
        A thousand rows take some seconds.

    Returns
    -------
    ndarray of float64, shape (n, n)

    Raises
    ------
    ValueError
        The matrix is not positive definite.

    Examples
    --------
    >>> invert([[4.0, 2.0], [2.0, 2.0]]).tolist()
    [[0.5, -0.5], [-0.5, 1.0]]
    """
    rest = np.array(matrix, dtype=np.float64)
    for k in range(len(rest)):
        pivot = rest[k, k]
        if not pivot > 0:
            raise ValueError(f"matrix: expected it positive definite, pivot {k} is {pivot}")
        row, column = rest[k] / pivot, rest[:, k].copy()
        row[k], column[k] = 1 / pivot, 0.0
        rest[:, k] = 0.0
        rest -= np.multiply.outer(column, row)
        rest[k] = row
    return rest


def exp(values: npt.ArrayLike) -> Floats:
    """Return e to the power of each value, the same bits everywhere.

    Parameters
    ----------
    values : array-like of float
        Below -708 the result is 0, above 709 infinite.

    Returns
    -------
    ndarray of float64
        To a few units in the last place.

    References
    ----------
    Tang 1989 [2]_.

    Examples
    --------
    >>> exp([0.0, 1.0, -1000.0]).round(6).tolist()
    [1.0, 2.718282, 0.0]
    """
    values = np.asarray(values, dtype=np.float64)
    if values.min(initial=0.0) >= -708.0 and values.max(initial=0.0) <= 709.0:
        return np.asarray(_raise_e(values.ravel()).reshape(values.shape))
    found = _raise_e(np.clip(values, -708.0, 709.0).ravel()).reshape(values.shape)
    return np.where(values < -708.0, 0.0, np.where(values > 709.0, np.inf, found))


def log(values: npt.ArrayLike) -> Floats:
    """Return the natural logarithm of each value, the same bits everywhere.

    Parameters
    ----------
    values : array-like of float
        0 gives minus infinity, a negative number NaN, as in numpy.

    Returns
    -------
    ndarray of float64
        To a few units in the last place.

    Examples
    --------
    >>> log([1.0, 8.0, 0.0]).round(6).tolist()
    [0.0, 2.079442, -inf]
    """
    values = np.asarray(values, dtype=np.float64)
    normal = (values >= np.finfo(float).tiny) & (values < np.inf)
    if normal.all():
        return np.asarray(_take_log(values.ravel()).reshape(values.shape))
    found = _take_log(np.where(normal, values, 1.0).ravel()).reshape(values.shape)
    with np.errstate(divide="ignore", invalid="ignore"):  # what is odd has one answer everywhere
        return np.where(normal, found, np.log(values))


def softmax(scores: npt.ArrayLike) -> Floats:
    """Turn scores into probabilities, row by row.

    Parameters
    ----------
    scores : array-like of float, shape (..., n)

    Returns
    -------
    ndarray of float64, shape (..., n)
        Each row sums to 1.

    Examples
    --------
    >>> softmax([[0.0, 0.0], [0.0, np.log(3)]]).round(3).tolist()
    [[0.5, 0.5], [0.25, 0.75]]
    """
    scores = np.asarray(scores, dtype=np.float64)
    terms = snap(exp(scores - scores.max(axis=-1, keepdims=True)), SUM_BITS)
    return np.asarray(terms / terms.sum(axis=-1, keepdims=True))


# No fastmath below: it would allow to fuse and to reorder, differently on each processor.


@njit(cache=True, nogil=True)
def _raise_e(values: Floats) -> Floats:
    """Return exp of values in -708 .. 709: 2^k times a polynomial of the rest, at most ln(2)/2."""
    found = np.empty(len(values))
    places = np.empty(_BLOCK)  # a block stays in the cache
    powers = places.view(np.int64)
    for start in range(0, len(values), _BLOCK):
        size = min(_BLOCK, len(values) - start)
        for i in range(size):
            places[i] = values[start + i] * _LOG2_E + _ROUND
            k = places[i] - _ROUND
            rest = (values[start + i] - k * _LN2_HIGH) - k * _LN2_LOW
            total = 0.0
            for factor in _EXP:
                total = total * rest + factor
            found[start + i] = total
        # The last bits of k + _ROUND are k; with 1023 on top they are the exponent of 2^k.
        for i in range(size):
            powers[i] = (powers[i] + 1023) << 52
        for i in range(size):
            found[start + i] *= places[i]
    return found


@njit(cache=True, nogil=True)
def _take_log(values: Floats) -> Floats:
    """Return log of positive normal values: k ln(2) plus a series in s of the rest, (1+s)/(1-s)."""
    found = np.empty(len(values))
    bits = values.view(np.int64)
    rests = np.empty(_BLOCK)
    parts = rests.view(np.int64)
    for start in range(0, len(values), _BLOCK):
        size = min(_BLOCK, len(values) - start)
        for i in range(size):
            parts[i] = (bits[start + i] & 0xFFFFFFFFFFFFF) | (1023 << 52)
        for i in range(size):
            halved = rests[i] > _SQRT2
            rest = rests[i] * 0.5 if halved else rests[i]
            k = float((bits[start + i] >> 52) - 1023 + (1 if halved else 0))
            s = (rest - 1.0) / (rest + 1.0)
            square = s * s
            total = 0.0
            for factor in _LOG:
                total = total * square + factor
            found[start + i] = k * _LN2_HIGH + (s * total + k * _LN2_LOW)
    return found
