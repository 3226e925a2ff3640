"""The search of exercise 5 over an inverted index: the same answer, without looking at each song.

Used by notebook 04. `utils_projet.search_song` walks through one dictionary for each song; here the
hashes of all songs lie in one table, and a hash of the excerpt finds the songs that have it.

References
----------
.. [1] J. Zobel and A. Moffat, "Inverted files for text search engines", ACM Computing Surveys
   38(2), 2006: section 2.
.. [2] D. E. Knuth, "The Art of Computer Programming" 3, section 6.4 (linear probing,
   multiplicative hashing).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
from numba import njit

from utils_projet import BEST_SONGS

_HIGHEST = np.iinfo(np.uint32).max
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2 ** 64 over the golden ratio


class HashIndex:
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
    >>> HashIndex([{7: 0, 8: 3}, {7: 40, 8: 41}]).search({7: 10, 8: 11})
    ([1, 0], [2, 1])
    """

    def __init__(self, db_hashes: Sequence[Mapping[int, int]]) -> None:
        counts = np.array([len(song) for song in db_hashes], dtype=np.int64)
        hashes = _read(chain.from_iterable(db_hashes), counts.sum(), np.int64)
        frames = _read(chain.from_iterable(d.values() for d in db_hashes), counts.sum(), np.int32)
        songs = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        self.lengths = np.zeros(len(counts), dtype=np.int64)  # frames of each song
        np.maximum.at(self.lengths, songs, frames.astype(np.int64) + 1)
        order = np.argsort(hashes, kind="stable")
        keys, starts = np.unique(hashes[order], return_index=True)
        self._postings = np.stack([songs[order], frames[order]], axis=1)
        runs = np.append(starts, len(order)).astype(np.int64)
        self._slots = _fill_slots(keys, runs, 1 << max(4, int(2 * len(keys)).bit_length()))
        self._bars = np.zeros(0, dtype=np.uint32)
        self._base = 0  # a bar of this height or less is empty: bars need no clearing
        self._lock = threading.Lock()  # the bars are shared by searches

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def nbytes(self) -> int:
        """Count the bytes of its arrays.

        Returns
        -------
        int
        """
        arrays = (self._slots, self._postings, self.lengths, self._bars)
        return sum(array.nbytes for array in arrays)

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
            Both as of ``search_song(..., return_scores=True)``.

        Raises
        ------
        ValueError
            As for the constructor.
        """
        n = len(song_hashes)
        hashes = _read(song_hashes, n, np.int64)
        frames = _read(song_hashes.values(), n, np.int32)
        span = int(frames.max(initial=0)) + 1
        with self._lock:
            size = int(self.lengths.sum()) + len(self) * span
            if size > len(self._bars) or self._base + n >= _HIGHEST:
                self._bars = np.zeros(max(size, len(self._bars)), dtype=np.uint32)
                self._base = 0
            best, scores = _search(
                self._slots,
                self._postings,
                self.lengths,
                self._bars,
                np.uint32(self._base),
                hashes,
                frames,
                span,
                BEST_SONGS,
            )
            self._base += int(scores.max(initial=0))
        return best.tolist(), scores.tolist()


def _read(values, count, dtype):
    """Return numbers as an array, or say which is out of range."""
    try:
        numbers = np.fromiter(values, dtype=dtype, count=int(count))
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"hashes and frames must be whole numbers: {error}") from error
    if len(numbers) and numbers.min() < 0:
        raise ValueError(f"hashes and frames must not be negative, found {numbers.min()}")
    return numbers


@njit(cache=True)
def _fill_slots(keys, runs, size):
    """Return a table of keys and where the postings of each begin and end; no key is -1.

    What belongs together lies together: a key costs one access to memory, seldom two.
    """
    slots = np.full((size, 3), -1, dtype=np.int64)
    for row in range(len(keys)):
        slot = _choose_slot(keys[row], size)
        while slots[slot, 0] >= 0:
            slot = (slot + 1) & (size - 1)
        slots[slot, 0], slots[slot, 1], slots[slot, 2] = keys[row], runs[row], runs[row + 1]
    return slots


@njit(cache=True, inline="always")
def _choose_slot(key, size):
    return np.int64(((np.uint64(key) * _SPREAD) >> np.uint64(24)) & np.uint64(size - 1))


@njit(cache=True)
def _search(slots, postings, lengths, bars, base, hashes, frames, span, n_best):
    """Count the bars of all songs side by side, from `base` up: what is lower is of the past."""
    n_songs, size = len(lengths), len(slots)
    first = np.empty(n_songs, dtype=np.int64)  # bar of offset 0 of each song
    total = span - 1
    for song in range(n_songs):
        first[song] = total
        total += lengths[song] + span
    scores = np.zeros(n_songs, dtype=np.int64)
    runs = np.zeros((len(hashes), 2), dtype=np.int64)
    for i in range(len(hashes)):
        slot = _choose_slot(hashes[i], size)
        while slots[slot, 0] >= 0:
            if slots[slot, 0] == hashes[i]:
                runs[i, 0], runs[i, 1] = slots[slot, 1], slots[slot, 2]
                break
            slot = (slot + 1) & (size - 1)
    for i in range(len(hashes)):
        for k in range(runs[i, 0], runs[i, 1]):
            song = postings[k, 0]
            bar = first[song] + postings[k, 1] - frames[i]
            height = max(bars[bar], base) + np.uint32(1)
            bars[bar] = height
            if height - base > scores[song]:
                scores[song] = height - base
    return _list_best(scores, min(n_best, n_songs))


@njit(cache=True)
def _list_best(scores, n_best):
    """Return the highest scores and where they are; of equal ones the first."""
    best = np.full(n_best, -1, dtype=np.int64)
    highest = np.full(n_best, -1, dtype=np.int64)
    for song in range(len(scores)):
        if n_best and scores[song] > highest[n_best - 1]:
            k = n_best - 1
            while k > 0 and highest[k - 1] < scores[song]:
                highest[k], best[k] = highest[k - 1], best[k - 1]
                k -= 1
            highest[k], best[k] = scores[song], song
    return best, highest
