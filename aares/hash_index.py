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

import operator
import struct
import threading
from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
from numba import njit

from utils_projet import BEST_SONGS

GAP = 256  # frames between two songs, 44 s: longer excerpts move them apart
_HIGHEST = np.iinfo(np.uint32).max
_HIGHEST_FRAME = np.iinfo(np.int32).max
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
        self._lock = threading.Lock()  # searches share the bars and the answer
        self._best = np.zeros((2, min(BEST_SONGS, len(self))), dtype=np.int64)
        self._make_room(GAP)

    def _make_room(self, gap: int) -> None:
        """Lay out the bars of all songs side by side, for excerpts of at most `gap` frames."""
        ends = np.cumsum(self.lengths + gap)
        bars = np.zeros(ends[-1] if len(ends) else 0, dtype=np.uint32)  # there may be no room
        self._gap, self._bars = gap, bars
        self._first = ends - self.lengths  # bar of offset 0 of each song
        self._base = 0  # a bar of this height or less is empty: bars need no clearing

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def nbytes(self) -> int:
        """Count the bytes of its arrays.

        Returns
        -------
        int
        """
        arrays = (self._slots, self._postings, self.lengths, self._first, self._bars)
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
        MemoryError
            The excerpt is so long that no bars for its offsets fit into memory.
        """
        query = _pack(song_hashes)
        with self._lock:
            if self._base + len(song_hashes) >= _HIGHEST:
                self._make_room(self._gap)
            lowest, last = self._count(query)
            if lowest < 0 or last > _HIGHEST_FRAME:
                wrong = lowest if lowest < 0 else last
                raise ValueError(
                    f"hashes must be from 0, frames within 0 and 2 ** 31; found {wrong}"
                )
            if last >= self._gap:
                self._make_room(last + GAP)
                self._count(query)
            best, scores = self._best.tolist()
            self._base += scores[0] if scores else 0
        return best, scores

    def _count(self, query: np.ndarray) -> tuple[int, int]:
        """Write the best songs into `_best`, see :func:`_search`."""
        base = np.uint32(self._base)
        return _search(
            self._slots, self._postings, self._first, self._bars, base, self._gap, query, self._best
        )


def _read(values, count, dtype):
    """Return numbers as an array, or say which is out of range."""
    try:
        numbers = np.fromiter(map(operator.index, values), dtype=dtype, count=int(count))
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"hashes and frames must be whole numbers: {error}") from error
    if len(numbers) and numbers.min() < 0:
        raise ValueError(f"hashes and frames must not be negative, found {numbers.min()}")
    return numbers


def _pack(hashes: Mapping[int, int]) -> np.ndarray:
    """Return all hashes and then their frames: faster than two arrays for a few hundred."""
    try:
        packed = struct.pack(f"{2 * len(hashes)}q", *hashes, *hashes.values())
    except struct.error as error:
        raise ValueError(f"hashes and frames must be whole numbers: {error}") from error
    return np.frombuffer(packed, dtype=np.int64)


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
def _search(slots, postings, first, bars, base, gap, query, best):
    """Write songs and scores into `best`, and return the lowest number and the highest frame.

    Where a number is negative, or a frame does not fit into the gaps, nothing is written. The bars
    of all songs lie side by side and are counted from `base` up: what is lower is of the past.
    """
    n, size = len(query) // 2, len(slots)
    lowest, last = np.int64(0), np.int64(-1)
    for i in range(n):
        lowest = min(lowest, query[i], query[n + i])
        last = max(last, query[n + i])
    if lowest < 0 or last >= gap:
        return lowest, last
    scores = np.zeros(len(first), dtype=np.uint32)
    runs = np.zeros((n, 2), dtype=np.int64)
    for i in range(n):
        slot = _choose_slot(query[i], size)
        while slots[slot, 0] >= 0:
            if slots[slot, 0] == query[i]:
                runs[i, 0], runs[i, 1] = slots[slot, 1], slots[slot, 2]
                break
            slot = (slot + 1) & (size - 1)
    for i in range(n):
        frame = query[n + i]
        for k in range(runs[i, 0], runs[i, 1]):
            song = postings[k, 0]
            bar = first[song] + postings[k, 1] - frame
            height = max(bars[bar], base) + np.uint32(1)
            bars[bar] = height
            scores[song] = max(scores[song], height - base)
    _list_best(scores, best[0], best[1])
    return lowest, last


@njit(cache=True)
def _list_best(scores, best, highest):
    """Write the highest scores and where they are; of equal ones the first."""
    highest[:] = -1
    for song in range(len(scores)):
        score = np.int64(scores[song])
        if len(best) and score > highest[-1]:
            k = len(best) - 1
            while k > 0 and highest[k - 1] < score:
                highest[k], best[k] = highest[k - 1], best[k - 1]
                k -= 1
            highest[k], best[k] = score, song
