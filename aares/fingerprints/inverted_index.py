"""The search of exercise 5 over an inverted index: the same answer, without looking at each song.

Used by notebook 04. `utils_projet.search_song` walks through one dictionary for each song; here the
hashes of all songs lie in one sorted array, in which bisection finds the songs that have a hash.

A sorted array is enough. A hash table with bars laid out for all songs (commit 8344f64) answered
four times sooner: 12 instead of 50 microseconds among 1,000 songs, for excerpts of 10 s that take
milliseconds to hash (both in one run on two cores, 2026-11-27). That is not worth twice the code.
``benchmarks/fingerprint.py`` compares this with the dictionaries.

References
----------
.. [1] J. Zobel and A. Moffat, "Inverted files for text search engines", ACM Computing Surveys
   38(2), 2006: section 2.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import numpy as np
from numba import njit

from utils_projet import BEST_SONGS

HIGHEST_FRAME = (1 << 31) - 1


class InvertedIndex:
    """Hashes of a database, ready to be searched.

    Parameters
    ----------
    db_hashes : sequence of dict
        One dictionary {hash: anchor frame} for each song, as of `fingerprint.process_signal`.

    Raises
    ------
    ValueError
        A hash or a frame is no whole number of at most 63 (31) bits, or is negative.

    Examples
    --------
    >>> InvertedIndex([{7: 0, 8: 3}, {7: 40, 8: 41}]).search({7: 10, 8: 11})
    ([1, 0], [2, 1])
    """

    def __init__(self, db_hashes: Sequence[Mapping[int, int]]) -> None:
        self.n_songs = len(db_hashes)
        hashes = _read_numbers(chain.from_iterable(db_hashes))
        frames = _read_numbers(chain.from_iterable(song.values() for song in db_hashes))
        _check_frames(frames)
        songs = np.repeat(np.arange(self.n_songs), [len(song) for song in db_hashes])
        order = np.argsort(hashes, kind="stable")
        self._hashes = hashes[order]
        # song and frame in one number, so that a vote is one subtraction
        self._places = (songs[order] << 32) + frames[order]

    def __len__(self) -> int:
        return self.n_songs

    @property
    def nbytes(self) -> int:
        """Count the bytes of its arrays.

        Returns
        -------
        int

        Examples
        --------
        >>> InvertedIndex([{7: 0, 8: 3}]).nbytes
        32
        """
        return self._hashes.nbytes + self._places.nbytes

    def search(self, song_hashes: Mapping[int, int]) -> tuple[list[int], list[int]]:
        """Name the three songs that an excerpt resembles most.

        Parameters
        ----------
        song_hashes : dict
            {hash: anchor frame} of the excerpt.

        Returns
        -------
        indices : list of int
        scores : list of int
            The numbers of ``search_song(..., return_scores=True)``.

        Raises
        ------
        ValueError
            As for the constructor.

        Examples
        --------
        >>> InvertedIndex([{7: 0}, {8: 1}]).search({8: 0})
        ([1, 0], [1, 0])
        """
        hashes = _read_numbers(song_hashes)
        frames = _read_numbers(song_hashes.values())
        _check_frames(frames)
        scores = _count_bars(self._hashes, self._places, hashes, frames, self.n_songs)
        best = np.argsort(-scores, kind="stable")[:BEST_SONGS]
        return best.tolist(), scores[best].tolist()


def _read_numbers(values: Iterable[int]) -> np.ndarray:
    """Return numbers as an array, or say which is out of range."""
    try:
        numbers = np.fromiter(map(operator.index, values), dtype=np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"hashes and frames must be whole numbers: {error}") from error
    if len(numbers) and numbers.min() < 0:
        raise ValueError(f"hashes and frames must not be negative, found {numbers.min()}")
    return numbers


def _check_frames(frames: np.ndarray) -> None:
    if frames.max(initial=0) > HIGHEST_FRAME:
        raise ValueError(f"frames must be below 2 ** 31, found {frames.max()}")


@njit(cache=True)
def _count_bars(
    hashes: np.ndarray, places: np.ndarray, query: np.ndarray, frames: np.ndarray, n_songs: int
) -> np.ndarray:
    """Return the height of each song's tallest bar.

    A vote is the song and the offset, moved by 2 ** 31 to be positive; equal votes are a bar.
    """
    first = np.searchsorted(hashes, query)
    last = np.searchsorted(hashes, query, side="right")
    votes = np.empty((last - first).sum(), dtype=np.int64)
    filled = 0
    for i in range(len(query)):
        for k in range(first[i], last[i]):
            votes[filled] = places[k] - frames[i] + (1 << 31)
            filled += 1
    votes.sort()
    scores = np.zeros(n_songs, dtype=np.int64)
    height = 0
    for i in range(len(votes)):
        height = height + 1 if i and votes[i] == votes[i - 1] else 1
        song = votes[i] >> 32
        scores[song] = max(scores[song], height)
    return scores
