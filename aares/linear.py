"""Linear algebra in a fixed order: the same bits on every machine, with any number of threads.

Used by the models of exercises 1 and 2, beside :mod:`aares.exact`, whose products round their
factors. Here nothing is rounded to a grid: each sum has one order, written in a loop that no
compiler may change (no ``fastmath``). That is slower than a linear algebra library, so it is for
matrices of hundreds of rows and for sparse ones.

References
----------
Golub and Van Loan, "Matrix computations", 4th edition, 2013: algorithms 4.2.2 (Cholesky), 5.2.6
(modified Gram-Schmidt) and 8.5.3 (Jacobi's eigenvalues).
Halko, Martinsson, Tropp, "Finding structure with randomness", SIAM Review 53(2), 2011: section 4.5
(subspace iteration from random vectors).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import sparse

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_OVERSAMPLING = 10
_ROUNDS = 12  # of the subspace iteration
_SWEEPS = 20  # Jacobi's method ends long before
_TINY = 1e-14  # of the largest: below, a direction is rounding only


def multiply(a: npt.ArrayLike | sparse.csr_matrix, b: npt.ArrayLike) -> Floats:
    """Return a matrix product, added up from the first column to the last.

    Unlike :func:`aares.exact.multiply` it is not rounded, and a row depends on no other row.

    Parameters
    ----------
    a : array-like of float or csr_matrix, shape (n, k)
    b : array-like of float, shape (k, m)

    Returns
    -------
    ndarray of float64, shape (n, m)

    Examples
    --------
    >>> multiply([[1.0, 2.0]], [[3.0], [4.0]]).tolist()
    [[11.0]]
    """
    if isinstance(a, sparse.csr_matrix):
        return _multiply_sparse(*_take_apart(a), _as_rows(b))
    return _multiply(_as_rows(a), _as_rows(b))


def measure_rows(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """Return the scalar product of each row with the same row of another matrix.

    Parameters
    ----------
    a, b : array-like of float, shape (n, k)

    Returns
    -------
    ndarray of float64, shape (n,)

    Examples
    --------
    >>> measure_rows([[1.0, 2.0], [0.0, 1.0]], [[3.0, 4.0], [5.0, 6.0]]).tolist()
    [11.0, 6.0]
    """
    return _measure_rows(_as_rows(a), _as_rows(b))


def solve(matrix: npt.ArrayLike, right: npt.ArrayLike) -> Floats:
    """Solve linear equations with a symmetric positive definite matrix.

    Parameters
    ----------
    matrix : array-like of float, shape (n, n)
        Only its upper half is read.
    right : array-like of float, shape (n, k)
        Each column is solved for by itself.

    Returns
    -------
    ndarray of float64, shape (n, k)

    Raises
    ------
    ValueError
        The matrix is not positive definite.

    Examples
    --------
    >>> solve([[4.0, 2.0], [2.0, 2.0]], [[8.0], [6.0]]).tolist()
    [[1.0], [2.0]]
    """
    upper, found = _as_rows(matrix).copy(), _as_rows(right).copy()
    failed = _factor(upper)
    if failed >= 0:
        raise ValueError(f"matrix: expected it positive definite, pivot {failed} is not above 0")
    _substitute(upper, found)
    return found


def find_axes(matrix: sparse.csr_matrix, n_axes: int, *, random_state: int = 0) -> Floats:
    """Find the directions in which the rows of a sparse matrix are longest (truncated SVD).

    Parameters
    ----------
    matrix : csr_matrix of float, shape (n, d)
    n_axes : int
        At most d.
    random_state : int
        Seed of the vectors that the iteration starts from.

    Returns
    -------
    ndarray of float64, shape (n_axes, d)
        Unit vectors at right angles, the longest direction first; zeros where the rows have no
        length left. The largest entry of each is above 0.

    Examples
    --------
    >>> rows = sparse.csr_matrix([[3.0, 0.0], [0.0, 2.0], [4.0, 0.0]])
    >>> axes = find_axes(rows, 2)
    >>> np.linalg.norm(rows @ axes.T, axis=0).round(6).tolist()
    [5.0, 2.0]
    """
    parts = _take_apart(matrix)
    size = min(n_axes + _OVERSAMPLING, matrix.shape[1])
    rows = np.random.default_rng(random_state).random((size, matrix.shape[1])) - 0.5
    _set_upright(rows)
    for _ in range(_ROUNDS):
        across = _multiply_sparse(*parts, _as_rows(rows.T))
        rows = _as_rows(_multiply_back(*parts, across, matrix.shape[1]).T)
        _set_upright(rows)
    across = _multiply_sparse(*parts, _as_rows(rows.T))
    lengths, turn = _diagonalise(_multiply(_as_rows(across.T), across))
    order = np.argsort(-lengths, kind="stable")[:n_axes]
    axes = _multiply(_as_rows(turn.T[order]), rows)
    largest = np.abs(axes).argmax(axis=1)
    signs = np.where(axes[np.arange(len(axes)), largest] < 0, -1.0, 1.0)
    return axes * signs[:, None]


def diagonalise(matrix: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Find eigenvalues and eigenvectors of a symmetric matrix.

    Parameters
    ----------
    matrix : array-like of float, shape (n, n)
        A hundred rows take a tenth of a second.

    Returns
    -------
    values : ndarray of float64, shape (n,)
        The largest first.
    vectors : ndarray of float64, shape (n, n)
        A unit vector in each column, its largest entry above 0.

    Examples
    --------
    >>> values, vectors = diagonalise([[2.0, 1.0], [1.0, 2.0]])
    >>> values.round(6).tolist(), vectors[:, 0].round(3).tolist()
    ([3.0, 1.0], [0.707, 0.707])
    """
    values, turn = _diagonalise(_as_rows(matrix).copy())
    order = np.argsort(-values, kind="stable")
    turn = turn[:, order]
    largest = np.abs(turn).argmax(axis=0)
    signs = np.where(turn[largest, np.arange(len(turn))] < 0, -1.0, 1.0)
    return values[order], turn * signs


def find_root(matrix: npt.ArrayLike) -> Floats:
    """Find the symmetric matrix whose square is the inverse of a positive definite one.

    Parameters
    ----------
    matrix : array-like of float, shape (n, n)

    Returns
    -------
    ndarray of float64, shape (n, n)

    Raises
    ------
    ValueError
        The matrix is not positive definite.

    Examples
    --------
    >>> find_root([[4.0, 0.0], [0.0, 25.0]]).tolist()
    [[0.5, 0.0], [0.0, 0.2]]
    """
    values, vectors = diagonalise(matrix)
    if not values.min(initial=np.inf) > 0:
        raise ValueError(f"matrix: expected it positive definite, found eigenvalue {values.min()}")
    return multiply(vectors / np.sqrt(values), vectors.T)


def _as_rows(values: npt.ArrayLike) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float64)


def _take_apart(matrix: sparse.csr_matrix) -> tuple[Floats, Integers, Integers]:
    matrix = sparse.csr_matrix(matrix, dtype=np.float64, copy=True)
    matrix.sum_duplicates()
    return matrix.data, matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)


@njit(cache=True, nogil=True)
def _multiply(a: Floats, b: Floats) -> Floats:
    out = np.zeros((a.shape[0], b.shape[1]))
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            for j in range(b.shape[1]):
                out[i, j] += a[i, k] * b[k, j]
    return out


@njit(cache=True, nogil=True)
def _factor(upper: Floats) -> int:
    """Replace a matrix by its Cholesky factor, in place; return the pivot that fails, or -1."""
    n = len(upper)
    for k in range(n):
        if not upper[k, k] > 0:
            return k
        root = np.sqrt(upper[k, k])
        for j in range(k, n):
            upper[k, j] /= root
        for i in range(k + 1, n):
            factor = upper[k, i]
            for j in range(i, n):
                upper[i, j] -= factor * upper[k, j]
    return -1


@njit(cache=True, nogil=True)
def _substitute(upper: Floats, right: Floats) -> None:
    """Solve with a Cholesky factor, in place: forwards, then backwards."""
    n, m = right.shape
    for k in range(n):
        for j in range(m):
            right[k, j] /= upper[k, k]
        for i in range(k + 1, n):
            for j in range(m):
                right[i, j] -= upper[k, i] * right[k, j]
    for k in range(n - 1, -1, -1):
        for i in range(k + 1, n):
            for j in range(m):
                right[k, j] -= upper[k, i] * right[i, j]
        for j in range(m):
            right[k, j] /= upper[k, k]


@njit(cache=True, nogil=True)
def _multiply_sparse(data: Floats, indices: Integers, indptr: Integers, columns: Floats) -> Floats:
    out = np.zeros((len(indptr) - 1, columns.shape[1]))
    for i in range(len(out)):
        for t in range(indptr[i], indptr[i + 1]):
            for j in range(columns.shape[1]):
                out[i, j] += data[t] * columns[indices[t], j]
    return out


@njit(cache=True, nogil=True)
def _multiply_back(
    data: Floats, indices: Integers, indptr: Integers, across: Floats, size: int
) -> Floats:
    """Return the transpose of a sparse matrix, of so many rows, times a matrix."""
    out = np.zeros((size, across.shape[1]))
    for i in range(len(across)):
        for t in range(indptr[i], indptr[i + 1]):
            for j in range(across.shape[1]):
                out[indices[t], j] += data[t] * across[i, j]
    return out


@njit(cache=True, nogil=True)
def _set_upright(rows: Floats) -> None:
    """Make rows unit vectors at right angles, in place, one after the other (Gram-Schmidt)."""
    n, d = rows.shape
    for i in range(n):
        before = _measure(rows[i], rows[i])
        # Twice: once leaves as much of the others as the row loses of its length.
        for _ in range(2):
            for k in range(i):
                shared = _measure(rows[i], rows[k])
                for j in range(d):
                    rows[i, j] -= shared * rows[k, j]
        after = _measure(rows[i], rows[i])
        scale = 1 / np.sqrt(after) if after > _TINY * _TINY * before else 0.0
        for j in range(d):
            rows[i, j] *= scale


@njit(cache=True, nogil=True)
def _measure(a: Floats, b: Floats) -> float:
    total = 0.0
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


@njit(cache=True, nogil=True)
def _measure_rows(a: Floats, b: Floats) -> Floats:
    out = np.empty(len(a))
    for i in range(len(a)):
        out[i] = _measure(a[i], b[i])
    return out


@njit(cache=True, nogil=True)
def _diagonalise(matrix: Floats) -> tuple[Floats, Floats]:
    """Return eigenvalues and eigenvectors (columns) of a symmetric matrix, by Jacobi's method."""
    n = len(matrix)
    turn = np.eye(n)
    limit = 0.0
    for i in range(n):
        limit = max(limit, _TINY * abs(matrix[i, i]))
    for _ in range(_SWEEPS):
        done = True
        for p in range(n - 1):
            for q in range(p + 1, n):
                if abs(matrix[p, q]) <= limit:
                    continue
                done = False
                slope = (matrix[q, q] - matrix[p, p]) / (2 * matrix[p, q])
                t = 1 / (abs(slope) + np.sqrt(1 + slope * slope))
                t = t if slope >= 0 else -t
                c = 1 / np.sqrt(1 + t * t)
                _rotate(matrix, p, q, c, t * c)
                _rotate(matrix.T, p, q, c, t * c)
                _rotate(turn, p, q, c, t * c)
        if done:
            break
    return np.diag(matrix).copy(), turn


@njit(cache=True, nogil=True)
def _rotate(matrix: Floats, p: int, q: int, c: float, s: float) -> None:
    for i in range(len(matrix)):
        one, other = matrix[i, p], matrix[i, q]
        matrix[i, p] = c * one - s * other
        matrix[i, q] = s * one + c * other
