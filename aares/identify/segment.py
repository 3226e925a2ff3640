"""The arrays of a part of the catalogue: postings by hash, and the words of its peaks.

Used by :class:`aares.identify.Index`; the conventions are those of :mod:`.index`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba.extending import register_jitable

from aares.identify import pairs, peaks

RUN = 64  # hashes of a run of `make_table`


class Segment(NamedTuple):
    """Postings and peaks of some recordings, as arrays that may lie on disk.

    Parameters
    ----------
    keys : ndarray of uint32, shape (n_keys,)
        Different hashes, ascending.
    starts : ndarray of uint32, shape (n_keys + 1,)
        Where the postings of each begin.
    postings : ndarray of uint32, shape (n_postings,)
        Frames of the anchors, counted through all recordings.
    blocks : ndarray of uint32, shape (n_blocks + 1,)
        Where the peaks of each block of 32 frames begin.
    peaks : ndarray of uint16, shape (n_peaks,)
        See :func:`pack_word`.
    """

    keys: np.ndarray
    starts: np.ndarray
    postings: np.ndarray
    blocks: np.ndarray
    peaks: np.ndarray


# --- the word of a peak: 2 bits of strength, 5 of the frame in its block, 9 of the bin -----------


@register_jitable
def pack_word(strength: Any, frame: Any, bin_: Any) -> Any:
    """Pack what is known of a peak into 16 bits.

    Parameters
    ----------
    strength : int or ndarray of int, shape (n,)
        Quarter of the recording's peaks to which this one belongs, 0 for the weakest.
    frame : int or ndarray of int, shape (n,)
        In its block, 0 to 31.
    bin_ : int or ndarray of int, shape (n,)
        0 to 511.

    Returns
    -------
    int or ndarray of int, shape (n,)

    Examples
    --------
    >>> word = pack_word(3, 31, 100)
    >>> read_strength(word), read_frame(word), read_bin(word)
    (3, 31, 100)
    """
    return (strength << 14) | (frame << 9) | bin_


@register_jitable
def read_strength(word: Any) -> Any:
    """Return the strength of a peak.

    Parameters
    ----------
    word : int or ndarray of int, shape (n,)
        From :func:`pack_word`.

    Returns
    -------
    int or ndarray of int, shape (n,)

    Examples
    --------
    >>> read_strength(pack_word(3, 31, 100))
    3
    """
    return word >> 14


@register_jitable
def read_frame(word: Any) -> Any:
    """Return the frame of a peak.

    Parameters
    ----------
    word : int or ndarray of int, shape (n,)
        From :func:`pack_word`.

    Returns
    -------
    int or ndarray of int, shape (n,)

    Examples
    --------
    >>> read_frame(pack_word(3, 31, 100))
    31
    """
    return (word >> 9) & 31


@register_jitable
def read_bin(word: Any) -> Any:
    """Return the bin of a peak.

    Parameters
    ----------
    word : int or ndarray of int, shape (n,)
        From :func:`pack_word`.

    Returns
    -------
    int or ndarray of int, shape (n,)

    Examples
    --------
    >>> read_bin(pack_word(np.array([0, 3]), 31, 100)).tolist()
    [100, 100]
    """
    return word & 511


def pack_peaks(
    found: peaks.Peaks, strengths: np.ndarray, n_blocks: int
) -> tuple[np.ndarray, np.ndarray]:
    """Write peaks as a segment holds them, two bytes each.

    Parameters
    ----------
    found : Peaks
        Times in frames.
    strengths : ndarray of int, shape (n,)
        From `peaks.grade_peaks`.
    n_blocks : int

    Returns
    -------
    counts : ndarray of uint32, shape (n_blocks,)
        Peaks in each block.
    packed : ndarray of uint16, shape (n,)
        See `Segment`.

    Examples
    --------
    Frame 40 is frame 8 of the second block.

    >>> time, bins = np.array([3, 40], dtype=np.int32), np.array([100, 200], dtype=np.int32)
    >>> found = peaks.Peaks(time, bins, np.zeros(2, dtype=np.float32))
    >>> counts, packed = pack_peaks(found, np.array([0, 3]), n_blocks=2)
    >>> counts.tolist(), read_frame(packed).tolist(), packed.dtype
    ([1, 1], [3, 8], dtype('uint16'))
    """
    blocks, frames = np.divmod(found.time, peaks.BLOCK_FRAMES)
    counts = np.bincount(blocks, minlength=n_blocks).astype(np.uint32)
    return counts, pack_word(strengths, frames, found.bin).astype(np.uint16)


def unpack_peaks(
    counts: np.ndarray, packed: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read what `pack_peaks` wrote.

    Parameters
    ----------
    counts : ndarray of uint32, shape (n_blocks,)
    packed : ndarray of uint16, shape (n,)

    Returns
    -------
    times, bins, strengths : ndarray of int64, shape (n,)
        Times in frames.

    Examples
    --------
    >>> packed = np.array([pack_word(0, 3, 100), pack_word(3, 8, 200)], dtype=np.uint16)
    >>> [part.tolist() for part in unpack_peaks(np.array([1, 1]), packed)]
    [[3, 40], [100, 200], [0, 3]]
    """
    blocks, words = np.repeat(np.arange(len(counts)), counts), packed.astype(np.int64)
    times = blocks * peaks.BLOCK_FRAMES + read_frame(words)
    return times, read_bin(words), read_strength(words)


def make_segment(
    hashes: np.ndarray, times: np.ndarray, counts: np.ndarray, places: np.ndarray
) -> Segment:
    """Sort postings by hash.

    Parameters
    ----------
    hashes, times : ndarray of uint32, shape (n,)
    counts : ndarray of uint32, shape (n_blocks,)
        Peaks of each block.
    places : ndarray of uint16, shape (n_peaks,)
        See `Segment`.

    Returns
    -------
    Segment

    Raises
    ------
    ValueError
        There are 2 ** 32 hashes or peaks, or more.

    Examples
    --------
    Hash 7 occurs at frames 0 and 5, hash 9 at frame 2.

    >>> hashes, times = np.array([7, 9, 7], dtype=np.uint32), np.array([0, 2, 5], dtype=np.uint32)
    >>> segment = make_segment(hashes, times, np.array([0]), np.array([], dtype=np.uint16))
    >>> segment.keys.tolist(), segment.starts.tolist(), segment.postings.tolist()
    ([7, 9], [0, 2, 3], [0, 5, 2])
    """
    if len(hashes) >= 1 << 32 or len(places) >= 1 << 32:
        raise ValueError(f"expected fewer than 2 ** 32 hashes in a segment, found {len(hashes):,}")
    order = np.argsort(hashes, kind="stable")
    keys, starts = np.unique(hashes[order], return_index=True)
    return Segment(
        keys.astype(np.uint32),
        np.append(starts, len(hashes)).astype(np.uint32),
        times[order].astype(np.uint32),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32),
        places,
    )


def make_table(keys: np.ndarray) -> np.ndarray:
    """Return where each run of `RUN` hashes begins in `keys`, to find a hash in one or two steps.

    Parameters
    ----------
    keys : ndarray of uint32, shape (n,)
        Ascending.

    Returns
    -------
    ndarray of uint32, shape (65537,)

    Examples
    --------
    Hashes 64 to 127 are the second run: they begin at row 1 of these keys, and end before row 3.

    >>> make_table(np.array([7, 64, 100, 128], dtype=np.uint32))[:4].tolist()
    [0, 1, 3, 4]
    """
    return np.searchsorted(keys, np.arange(0, pairs.N_HASHES + 1, RUN)).astype(np.uint32)
