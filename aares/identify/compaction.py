"""Few parts out of many: which to make one, and how, without those that were removed.

Used by :class:`aares.identify.Index`. Parts grow by a factor of about four from one tier to the
next: four alike become one, so that what is added is written again once for each tier, and no call
makes a part of more than `MAX_POSTINGS`.

References
----------
.. [1] P. O'Neil et al., "The log-structured merge-tree", Acta Informatica 33, 1996: section 2
   (small parts are written at once and merged later).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from aares.identify import peaks
from aares.identify.catalogue import GAP_BLOCKS, Part, count_starts
from aares.identify.roll import Roll
from aares.identify.segment import Segment

ALIKE = 4  # parts of a tier that become one
TIER = 2.0  # a part more than this many times larger than the last one is of another tier
MAX_POSTINGS = 100_000_000  # of a part: 20,000 tracks, 0.5 GB, some seconds of work
STALE = 0.25  # share of a part that may belong to removed recordings


def choose_merge(sizes: Sequence[float]) -> int | None:
    """Tell from which part on the last ones become one.

    Parameters
    ----------
    sizes : sequence of float
        How much of what a part may hold each does, in their order; from `measure_part`.

    Returns
    -------
    int or None
        None where they stay as they are.

    Examples
    --------
    Four of one size become one; with it, there are four of the next size. No part gets too large.

    >>> choose_merge([0.08, 0.08, 0.08, 0.01, 0.01, 0.01]), choose_merge([0.5, *[0.01] * 4])
    (None, 1)
    >>> choose_merge([0.5, *[0.04] * 3, *[0.01] * 4]), choose_merge([0.3] * 4)
    (1, None)
    """
    stack = list(sizes)
    while len(stack) >= ALIKE and stack[-ALIKE] <= TIER * stack[-1] and sum(stack[-ALIKE:]) < 1:
        stack[-ALIKE:] = [sum(stack[-ALIKE:])]
    return None if len(stack) == len(sizes) else len(stack) - 1


def measure_part(part: Part) -> float:
    """Tell how much of what a part may hold it does: of the postings, or of the frames.

    Parameters
    ----------
    part : Part

    Returns
    -------
    float
        Parts of less than 1 together can become one.

    Examples
    --------
    Two years of silence have no postings, and half of the frames that can be counted.

    >>> from aares.identify.catalogue import Recording, make_part
    >>> years = Part([Recording("silence", 1 << 26, 6.9e7)], make_part([], 0).segment)
    >>> round(measure_part(years), 3)
    0.5
    """
    frames = int(part.starts[-1]) * peaks.BLOCK_FRAMES
    return max(part.count_present() / MAX_POSTINGS, frames / (1 << 32))


def choose_stale(shares: Sequence[float]) -> int | None:
    """Tell which part is written anew without its removed recordings: the one with most of them.

    Parameters
    ----------
    shares : sequence of float
        Of each part, how much of it was removed.

    Returns
    -------
    int or None
        None where little was removed.

    Examples
    --------
    >>> choose_stale([0.1, 0.5, 1.0]), choose_stale([0.1, 0.25])
    (2, None)
    """
    row = max(range(len(shares)), key=lambda k: shares[k], default=None)
    return row if row is not None and shares[row] > STALE else None


def compact(parts: Sequence[Part]) -> list[Part]:
    """Do what is due: make one part of the last ones, and drop what was removed from another.

    Parameters
    ----------
    parts : sequence of Part

    Returns
    -------
    list of Part
        They find the same; those that did not change are the same objects.

    Raises
    ------
    IndexFileError
        A part that is read for this is damaged.

    Examples
    --------
    >>> from aares.identify.catalogue import Settings, fingerprint, make_part
    >>> y = np.random.default_rng(0).standard_normal(3 * 8000, dtype=np.float32)
    >>> parts = [make_part([fingerprint(name, y, Settings())], 0) for name in "abcd"]
    >>> [len(part) for part in compact(parts)], [len(part) for part in compact(parts[1:])]
    ([4], [1, 1, 1])
    """
    parts = [part for part in parts if len(part)]
    first = choose_merge([measure_part(part) for part in parts])
    if first is not None:
        parts[first:] = [merge_parts(parts[first:])]
    row = choose_stale([1 - len(part) / len(part.recordings) for part in parts])
    if row is not None:
        parts[row] = merge_parts([parts[row]])
    return lay(parts)


def lay(parts: Sequence[Part]) -> list[Part]:
    """Let each part begin where the one before it ends.

    Parameters
    ----------
    parts : sequence of Part
        Their `first_block` is set.

    Returns
    -------
    list of Part

    Examples
    --------
    >>> lay([])
    []
    """
    first_block = 0
    for part in parts:
        part.first_block = first_block
        first_block += int(part.starts[-1])
    return list(parts)


def merge_parts(parts: Sequence[Part]) -> Part:
    """Make one part of several, in their order, without the recordings that were removed.

    Parameters
    ----------
    parts : sequence of Part
        At least one.

    Returns
    -------
    Part
        Finds what they find.

    Raises
    ------
    ValueError
        It would be longer than 2 ** 32 frames.
    IndexFileError
        A part is damaged.

    Examples
    --------
    >>> from aares.identify.catalogue import Settings, fingerprint, make_part
    >>> y = np.random.default_rng(0).standard_normal(3 * 8000, dtype=np.float32)
    >>> one, two = (make_part([fingerprint(name, y, Settings())], 0) for name in "ab")
    >>> merged = merge_parts([one.replace_roll(one.recordings.change(removed=[0])), two])
    >>> [r.name for r in merged.recordings], bool((merged.segment.keys == two.segment.keys).all())
    (['b'], True)
    """
    for part in parts:
        part.check_all()
    present = [(part.recordings, row) for part in parts for row in part.list_present()]
    roll = Roll.make([r[row] for r, row in present], [r.get_source(row) for r, row in present])
    starts = count_starts(roll)  # refuses what would wrap, before anything is computed
    rows = np.cumsum([0, *(len(part) for part in parts)])
    moved = [
        _move(part, starts[first:last]) for part, (first, last) in
        zip(parts, pairwise(rows), strict=True)
    ]  # fmt: skip
    counts = np.concatenate([one[0] for one in moved])
    keys, key_starts, postings = _merge_postings(
        [(part.segment.keys, tally, frames) for part, (_, _, tally, frames)
         in zip(parts, moved, strict=True)]
    )  # fmt: skip
    segment = Segment(
        keys,
        key_starts,
        postings,
        np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.uint32),
        np.concatenate([one[1] for one in moved]),
    )
    return Part(roll, segment, parts[0].first_block)


def _move(part: Part, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return what is left of a part, its recordings beginning elsewhere.

    Peaks of each block, the peaks, how many postings each hash has, and these.
    """
    segment, removed = part.segment, part.recordings.removed
    counts = np.diff(segment.blocks)
    per_hash = np.diff(segment.starts).astype(np.int64)
    lengths = part.recordings.n_blocks + GAP_BLOCKS
    shift = np.zeros(len(removed), dtype=np.int64)
    shift[~removed] = (starts - part.starts[:-1][~removed]) * peaks.BLOCK_FRAMES
    by_block = np.repeat(shift, lengths)
    of_block = segment.postings // np.uint32(peaks.BLOCK_FRAMES)
    frames = (segment.postings + by_block[of_block]).astype(np.uint32)
    if not removed.any():
        return counts, np.asarray(segment.peaks), per_hash, frames
    stays = np.repeat(~removed, lengths)
    kept = stays[of_block]
    hashes = np.repeat(np.arange(len(per_hash)), per_hash)[kept]
    return (
        counts[stays],
        segment.peaks[np.repeat(stays, counts)],
        np.bincount(hashes, minlength=len(per_hash)),
        frames[kept],
    )


def _merge_postings(
    lists: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Merge lists of (keys, postings of each, postings), those of a key in the lists' order."""
    keys = np.unique(np.concatenate([one[0][one[1] > 0] for one in lists]))
    counts = np.zeros(len(keys), dtype=np.int64)
    for own, tally, _ in lists:
        some = tally > 0
        counts[np.searchsorted(keys, own[some])] += tally[some]
    starts = np.concatenate([[0], np.cumsum(counts)])
    postings, free = np.empty(starts[-1], dtype=np.uint32), starts[:-1].copy()
    for own, tally, frames in lists:
        some = tally > 0
        rows, sizes = np.searchsorted(keys, own[some]), tally[some]
        where = np.repeat(free[rows] - np.cumsum(sizes) + sizes, sizes) + np.arange(len(frames))
        postings[where] = frames
        free[rows] += sizes
    return keys.astype(np.uint32), starts.astype(np.uint32), postings
