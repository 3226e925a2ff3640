"""A space in which the songs of one listener are close, learnt from listeners.

Used by :mod:`aares.recommend.listeners.listener_ranker`. Listeners' lists are the groups of a
linear discriminant analysis of what songs sound like and are called: a song that nobody has heard
has its place as any other.

References
----------
Fisher, "The use of multiple measurements in taxonomic problems", Annals of Eugenics 7(2), 1936.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from aares import exact, linear
from aares.recommend.space.content import FloatArray
from aares.recommend.space.learnt import average_groups, measure_scatter

SPACE_BITS = 14
"""Coordinates are multiples of 2^-14: squared distances are exact."""

_SHRINK = 0.05
_LIMIT = 31.0


def place_songs(
    described: FloatArray, matrix: sparse.csr_matrix, *, n_axes: int = 20, min_songs: int = 5
) -> FloatArray:
    """Return coordinates of songs whose distance is small between songs of one listener.

    Parameters
    ----------
    described : ndarray of float, shape (n, d)
        On a grid, see :class:`aares.recommend.listeners.song_facts.SongFacts`.
    matrix : csr_matrix, shape (u, n)
        Listeners x songs; those with fewer than `min_songs` do not count.
    n_axes : int
    min_songs : int

    Returns
    -------
    ndarray of float, shape (n, <= n_axes)
        `described` itself where fewer than two listeners count.

    Examples
    --------
    >>> described = np.array([[0.0, 0.0], [0.25, 3.0], [2.0, 0.0], [2.25, 3.0]])
    >>> heard = sparse.csr_matrix([[1, 1, 0, 0], [0, 0, 1, 1]])
    >>> points = place_songs(described, heard, n_axes=1, min_songs=2)
    >>> bool(abs(points[0] - points[1]) < abs(points[0] - points[2]))
    True
    """
    lists = matrix[np.diff(matrix.indptr) >= min_songs]
    sizes = np.diff(lists.indptr)
    if len(sizes) < 2:
        return exact.snap(described, SPACE_BITS)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    points = described[lists.indices]
    means = exact.snap(average_groups(points, groups), SPACE_BITS)
    within = measure_scatter(points - means[groups], np.ones(len(points))) / len(points)
    ridge = _SHRINK * np.diag(within) + 1e-3 * np.trace(within) / len(within)
    within += np.diag(ridge + 1e-9)
    centred = exact.snap(means - means.sum(axis=0) / len(means), SPACE_BITS)
    between = measure_scatter(centred, np.ones(len(means))) / len(means)
    turn = linear.find_root(within)
    ratios, axes = linear.diagonalise(linear.multiply(linear.multiply(turn, between), turn))
    ratios = np.maximum(ratios[:n_axes], 0.0)
    axes = linear.multiply(turn, axes[:, :n_axes]) * np.sqrt(ratios / (ratios + 0.3))
    return exact.snap(np.clip(exact.multiply(described, axes), -_LIMIT, _LIMIT), SPACE_BITS)
