"""Compiled loops over the blocks of an array in a file: which were not checked, which are damaged.

Used by :mod:`.storage`, whose conventions hold.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def list_unchecked(
    first: np.ndarray, last: np.ndarray, done: np.ndarray, length: int, per_block: int
) -> np.ndarray:
    """List the blocks that hold some ranges of elements and were not checked.

    Parameters
    ----------
    first, last : ndarray of int64, shape (n,)
        Ranges, the last of each excluded; what lies outside the array is cut off.
    done : ndarray of bool, shape (n_blocks,)
        Which blocks were checked.
    length, per_block : int
        Elements of the array, and of a block.

    Returns
    -------
    ndarray of int64, shape (m,)
        Ascending.

    Examples
    --------
    >>> done = np.array([True, False, False, False])
    >>> list_unchecked(np.array([3, -5]), np.array([12, 2]), done, 18, 5).tolist()
    [1, 2]
    """
    todo = np.empty(0, dtype=np.int64)
    filled = 0
    for i in range(len(first)):
        low, high = min(max(first[i], 0), length), min(max(last[i], 0), length)
        if low >= high:
            continue
        for block in range(low // per_block, (high - 1) // per_block + 1):
            if not done[block]:
                if filled == len(todo):
                    todo = np.concatenate((todo, np.empty(filled + 64, dtype=np.int64)))
                todo[filled] = block
                filled += 1
    return np.unique(todo[:filled])


@njit(cache=True)
def find_damaged(
    words: np.ndarray, sums: np.ndarray, blocks: np.ndarray, weights: np.ndarray
) -> int:
    """Return the first of some blocks whose sum is another one, -1 if there is none.

    Parameters
    ----------
    words : ndarray of uint64, shape (n,)
    sums : ndarray of uint64, shape (n_blocks,)
        What each block must sum up to, weighted, with its number times the first weight.
    blocks : ndarray of int64, shape (m,)
    weights : ndarray of uint64, shape (per_block,)

    Returns
    -------
    int

    Examples
    --------
    Two blocks of two words: 1 * 5 + 3 * 7, and 1 * 9 + 3 * 2 + 1.

    >>> words, weights = np.array([5, 7, 9, 2], np.uint64), np.array([1, 3], np.uint64)
    >>> sums, blocks = np.array([26, 99], np.uint64), np.arange(2)
    >>> find_damaged(words, sums, blocks, weights), find_damaged(words, sums, blocks[:1], weights)
    (1, -1)
    """
    for block in blocks:
        first = block * len(weights)
        total = np.uint64(block) * weights[0]
        for k in range(min(len(weights), len(words) - first)):
            total += words[first + k] * weights[k]
        if total != sums[block]:
            return int(block)
    return -1


@njit(cache=True)
def find_misplaced(
    array: np.ndarray, blocks: np.ndarray, per_block: int, limit: np.uint64
) -> tuple[bool, bool]:
    """Tell whether a number of some blocks is less than the one before it, or above a limit.

    Parameters
    ----------
    array : ndarray of unsigned int, shape (n,)
    blocks : ndarray of int64, shape (m,)
    per_block : int
        Elements of a block.
    limit : uint64

    Returns
    -------
    falls, exceeds : bool

    Examples
    --------
    >>> array = np.array([1, 5, 4, 9], np.uint32)
    >>> [find_misplaced(array, np.array([k]), 2, np.uint64(8)) for k in range(2)]
    [(False, False), (True, True)]
    """
    falls = exceeds = False
    for block in blocks:
        for k in range(block * per_block, min((block + 1) * per_block, len(array))):
            if array[k] < array[max(k - 1, 0)]:
                falls = True
            if np.uint64(array[k]) > limit:
                exceeds = True
    return falls, exceeds
