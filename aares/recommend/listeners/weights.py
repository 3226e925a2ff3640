"""How much a song says of its listener: weights of the entries of listeners x songs (exercise 3).

Used by :mod:`aares.recommend.listeners.neighbours`, :mod:`aares.recommend.listeners.factors` and
:mod:`aares.recommend.listeners.artists`. A *document* is a row, a *term* a column, as in the search
for texts: for a listener's likeness to others, songs that everybody knows say little.

References
----------
Robertson and Zaragoza, "The probabilistic relevance framework: BM25 and beyond", Foundations and
Trends in Information Retrieval 3(4), 2009: section 3.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from aares import exact
from aares.recommend.space.content import FloatArray

LOG_BITS = 8  # of a logarithm of plays: sums of products of two of them are exact
LIKENESS_BITS = 30


def weigh_log(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return 1 + the logarithm of each entry: one play is 1, a thousand are 8.

    Parameters
    ----------
    matrix : csr_matrix of float, shape (n, m)
        Entries of 1 and more.

    Returns
    -------
    csr_matrix of float, shape (n, m)
        On a grid of 1 / 256.

    Examples
    --------
    >>> weigh_log(sparse.csr_matrix([[1.0, 0.0, 1000.0]])).toarray().tolist()
    [[1.0, 0.0, 7.90625]]
    """
    weighted = matrix.copy()
    weighted.data = 1.0 + exact.snap(exact.log(matrix.data), LOG_BITS)
    return weighted


def weigh_binary(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return 1 for each entry.

    Parameters
    ----------
    matrix : csr_matrix of float, shape (n, m)

    Returns
    -------
    csr_matrix of float, shape (n, m)

    Examples
    --------
    >>> weigh_binary(sparse.csr_matrix([[0.0, 7.0]])).toarray().tolist()
    [[0.0, 1.0]]
    """
    return sparse.csr_matrix(matrix.astype(bool), dtype=float)


def measure_rarity(matrix: sparse.csr_matrix) -> FloatArray:
    """Return the inverse document frequency of each term: log((1 + n) / (1 + documents)) + 1.

    Parameters
    ----------
    matrix : csr_matrix, shape (n, m)

    Returns
    -------
    ndarray of float, shape (m,)

    Examples
    --------
    >>> measure_rarity(sparse.csr_matrix([[1.0, 1.0], [1.0, 0.0]])).round(3).tolist()
    [1.0, 1.405]
    """
    documents = np.asarray(matrix.astype(bool).sum(axis=0)).ravel()
    return exact.log((1.0 + matrix.shape[0]) / (1.0 + documents)) + 1.0


def weigh_rare(matrix: sparse.csr_matrix, rarity: FloatArray) -> sparse.csr_matrix:
    """Return rows of tf-idf: entries times the rarity of their term, each row of length 1.

    Parameters
    ----------
    matrix : csr_matrix of float, shape (n, m)
    rarity : ndarray of float, shape (m,)
        From :func:`measure_rarity`.

    Returns
    -------
    csr_matrix of float, shape (n, m)

    Examples
    --------
    >>> weigh_rare(sparse.csr_matrix([[3.0, 2.0], [0.0, 0.0]]), np.array([1.0, 2.0])).toarray()
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    return normalise_rows(sparse.csr_matrix(matrix @ sparse.diags(rarity)))


def weigh_bm25(
    matrix: sparse.csr_matrix,
    rarity: FloatArray,
    *,
    saturation: float = 1.2,
    share: float = 0.75,
    mean_length: float,
) -> sparse.csr_matrix:
    """Return entries as BM25 weighs them: the more often the more, but less and less.

    Parameters
    ----------
    matrix : csr_matrix of float, shape (n, m)
    rarity : ndarray of float, shape (m,)
        From :func:`measure_rarity`.
    saturation : float
        ``k1``: with 0 an entry counts 1, however large.
    share : float
        ``b``, 0-1: how much long documents are made light of.
    mean_length : float
        Mean sum of a row of the matrix that is learnt from.

    Returns
    -------
    csr_matrix of float, shape (n, m)

    References
    ----------
    Robertson and Zaragoza 2009, equation 3.15.

    Examples
    --------
    >>> rows = sparse.csr_matrix([[1.0, 0.0], [1.0, 2.0]])
    >>> weigh_bm25(rows, np.ones(2), saturation=1.0, mean_length=2.0).toarray().round(2)
    array([[1.23, 0.  ],
           [0.84, 1.19]])
    """
    weighted = sparse.csr_matrix(matrix, dtype=float, copy=True)
    length = np.asarray(weighted.sum(axis=1)).ravel()
    norm = saturation * (1.0 - share + share * length / (mean_length or 1.0))
    found = weighted.data
    base = np.repeat(norm, np.diff(weighted.indptr))
    weighted.data = found * (saturation + 1.0) / (base + found) * rarity[weighted.indices]
    return weighted


def normalise_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return rows of length 1; a row of zeros stays one.

    Parameters
    ----------
    matrix : csr_matrix of float, shape (n, m)

    Returns
    -------
    csr_matrix of float, shape (n, m)

    Examples
    --------
    >>> normalise_rows(sparse.csr_matrix([[3.0, 4.0]])).toarray().round(3).tolist()
    [[0.6, 0.8]]
    """
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.csr_matrix(sparse.diags(1.0 / np.where(length > 0, length, 1.0)) @ matrix)


def keep_nearest(likeness: sparse.csr_matrix, n_neighbours: int) -> sparse.csr_matrix:
    """Keep the largest entries of each row, and all that equal the last of them.

    Parameters
    ----------
    likeness : csr_matrix of float, shape (n, m)
        0 and more; rounded to 30 binary digits behind the point, so that equal ones are equal.
    n_neighbours : int

    Returns
    -------
    csr_matrix of float, shape (n, m)

    Examples
    --------
    >>> keep_nearest(sparse.csr_matrix([[0.5, 0.25, 0.5, 0.125]]), 1).toarray().tolist()
    [[0.5, 0.0, 0.5, 0.0]]
    """
    kept = sparse.csr_matrix(likeness, copy=True)
    kept.data = exact.snap(kept.data, LIKENESS_BITS)
    for start, stop in zip(kept.indptr[:-1], kept.indptr[1:], strict=True):
        if stop - start > n_neighbours:
            values = kept.data[start:stop]
            place = len(values) - n_neighbours
            values[values < np.partition(values, place)[place]] = 0.0
    kept.eliminate_zeros()
    kept.sort_indices()
    return kept
