"""From scores to a list: equal scores are equal, whatever their place in the table (exercise 3).

Used by :mod:`aares.recommend.listeners.evaluate` and notebook ``03_recommendation``. A method often
cannot tell songs apart, for instance all that no listener knows. Their order in a list is then
drawn at random; what is measured is the mean over all such orders, which needs no drawing.

References
----------
McSherry and Najork, "Computing information retrieval performance measures efficiently in the
presence of tied scores", ECIR 2008.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aares.recommend.space.content import FloatArray

IntArray = npt.NDArray[np.intp]

EQUAL = 1e-9
"""Scores that differ by less than this share of their range are equal: it is rounding."""


def group_songs(
    scores: FloatArray, known: npt.NDArray[np.integer], *, k: int = 10
) -> list[IntArray]:
    """Return the songs (column numbers) that compete for the first k places, best first.

    Parameters
    ----------
    scores : ndarray of float, shape (n,)
        Larger is better.
    known : ndarray of int, shape (n_known,)
        Columns to leave out.
    k : int
        Length of the list.

    Returns
    -------
    list of ndarray of int
        Groups of songs with equal scores; the last may have more songs than places are left.

    Raises
    ------
    ValueError
        A score is no finite number.

    Examples
    --------
    >>> scores = np.array([0.1, 0.9, 0.5, 0.5, 0.7])
    >>> [group.tolist() for group in group_songs(scores, np.array([1]), k=2)]
    [[4], [2, 3]]
    """
    if not np.isfinite(scores).all():
        place = int(np.flatnonzero(~np.isfinite(scores))[0])
        raise ValueError(f"scores, song {place}: expected a finite number, found {scores[place]}")
    candidates = np.delete(np.arange(len(scores)), known)
    k = min(k, len(candidates))
    if k == 0:
        return []
    values = scores[candidates]
    tolerance = EQUAL * float(np.ptp(values))
    floor = np.partition(values, len(values) - k)[len(values) - k]
    near = candidates[values >= floor - tolerance]
    near = near[np.argsort(-scores[near], kind="stable")]
    begins = np.flatnonzero(np.diff(scores[near]) < -tolerance) + 1
    return [group for group in np.split(near, begins[begins < k])]


def rank_songs(
    scores: FloatArray,
    known: npt.NDArray[np.integer],
    *,
    k: int = 10,
    random_state: int | np.random.Generator = 0,
) -> IntArray:
    """Return the k best songs (column numbers) that are not known yet, best first.

    Parameters
    ----------
    scores : ndarray of float, shape (n,)
        Larger is better; equal scores come in random order.
    known : ndarray of int, shape (n_known,)
        Columns to leave out.
    k : int
        Length of the list.
    random_state : int or Generator
        For the order of equal scores.

    Returns
    -------
    ndarray of int, shape (<= k,)

    Raises
    ------
    ValueError
        A score is no finite number.

    Examples
    --------
    >>> rank_songs(np.array([0.1, 0.9, 0.5, 0.5]), np.array([1]), k=3, random_state=1).tolist()
    [2, 3, 0]
    """
    rng = np.random.default_rng(random_state)
    groups = group_songs(scores, known, k=k)
    return np.concatenate([*map(rng.permutation, groups), np.array([], dtype=np.intp)])[:k].astype(
        np.intp
    )


def expect_places(
    groups: list[IntArray], hidden: npt.NDArray[np.integer], *, k: int = 10
) -> FloatArray:
    """Return the chance of each place to hold a hidden song, over all orders of equal scores.

    Parameters
    ----------
    groups : list of ndarray of int
        From :func:`group_songs`.
    hidden : ndarray of int, shape (n_hidden,)
        Columns.
    k : int
        Length of the list.

    Returns
    -------
    ndarray of float, shape (<= k,)

    Examples
    --------
    >>> expect_places([np.array([4]), np.array([2, 3])], np.array([3, 4]), k=2).tolist()
    [1.0, 0.5]
    """
    sizes = np.array([len(group) for group in groups], dtype=np.intp)
    return np.repeat(_count_hidden(groups, hidden) / sizes, sizes)[:k]


def expect_hit(groups: list[IntArray], hidden: npt.NDArray[np.integer], *, k: int = 10) -> float:
    """Return the chance that the list holds a hidden song, over all orders of equal scores.

    Parameters
    ----------
    groups : list of ndarray of int
        From :func:`group_songs`.
    hidden : ndarray of int, shape (n_hidden,)
        Columns.
    k : int
        Length of the list.

    Returns
    -------
    float
        Between 0 and 1.

    Examples
    --------
    >>> round(expect_hit([np.array([1, 2, 3])], np.array([3]), k=2), 3)
    0.667
    """
    miss = 1.0
    counts = _count_hidden(groups, hidden).tolist()
    for group, places, count in zip(groups, _count_places(groups, k), counts, strict=True):
        if places == 1 and len(group) == 1:
            if count:
                return 1.0
            continue
        others = len(group) - count
        drawn = np.arange(places)
        miss *= float((np.maximum(others - drawn, 0) / (len(group) - drawn)).prod())
    return 1.0 - miss


def expect_found(
    groups: list[IntArray], hidden: npt.NDArray[np.integer], *, k: int = 10
) -> FloatArray:
    """Return the chance of each hidden song to be in the list, over all orders of equal scores.

    Parameters
    ----------
    groups : list of ndarray of int
        From :func:`group_songs`.
    hidden : ndarray of int, shape (n_hidden,)
        Columns.
    k : int
        Length of the list.

    Returns
    -------
    ndarray of float, shape (n_hidden,)

    Examples
    --------
    >>> expect_found([np.array([4]), np.array([2, 3])], np.array([1, 3, 4]), k=2).tolist()
    [0.0, 0.5, 1.0]
    """
    found = np.zeros(len(hidden))
    for group, places in zip(groups, _count_places(groups, k), strict=True):
        found[np.isin(hidden, group)] = places / len(group)
    return found


def _count_hidden(groups: list[IntArray], hidden: npt.NDArray[np.integer]) -> IntArray:
    """Return how many hidden songs each group holds, looking all up at once."""
    if not groups:
        return np.zeros(0, dtype=np.intp)
    found = np.isin(np.concatenate(groups), hidden).astype(np.intp)
    starts = np.cumsum([0, *map(len, groups[:-1])])
    return np.add.reduceat(found, starts)


def _count_places(groups: list[IntArray], k: int) -> list[int]:
    """Return how many of the k places each group takes."""
    before = np.cumsum([0, *map(len, groups)])[: len(groups)]
    return [min(len(group), k - int(first)) for group, first in zip(groups, before, strict=True)]
