"""Shards of fingerprints, sorted into runs on the disk: the first half of an external sort [1]_.

A run is what one shard has for one part of an index: its postings as ascending numbers of 64 bits
(hash, then frame), the peaks of its blocks and their words. Each is made by one process, which
holds no more than one shard.

References
----------
.. [1] D. E. Knuth, "The Art of Computer Programming" 3, 1998: section 5.4 (external sorting).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from aares.identify.catalogue import GAP_BLOCKS
from aares.identify.pairs import N_HASHES
from aares.identify.peaks import BLOCK_FRAMES
from aares.scale.needs import ScaleError
from aares.scale.places import Place
from aares.scale.shards import ShardEntry, read_shard

if TYPE_CHECKING:
    import pyarrow as pa

N_BUCKETS = 1 << 13  # of hashes: in how many pieces postings can be sorted at most
BUCKET = N_HASHES // N_BUCKETS
PER_POSTING = 16  # bytes of memory while it is sorted: 8 of its own, 4 as it is written, flags
COPY = 1 << 20  # numbers that are copied at a time
_LISTS = ("hashes", "times", "counts", "peaks")


class SpillTask(NamedTuple):
    """What of a shard belongs to a part.

    Parameters
    ----------
    place : Place
    entry : ShardEntry
    rows : ndarray of int64, shape (n,)
        Of the shard, in the order of the part.
    frames : ndarray of uint64, shape (n,)
        Where in the part each begins.
    out : str
        Path of the run, without its endings.
    """

    place: Place
    entry: ShardEntry
    rows: np.ndarray
    frames: np.ndarray
    out: str


def spill(task: SpillTask) -> tuple[str, np.ndarray]:
    """Write the run of a shard.

    Parameters
    ----------
    task : SpillTask

    Returns
    -------
    out : str
        That of the task.
    counts : ndarray of int64, shape (N_BUCKETS,)
        How many postings each bucket of hashes has.

    Raises
    ------
    ScaleError
        The shard is damaged, or the disk is full.
    """
    table = read_shard(task.place, task.entry, [*_LISTS, "n_blocks"]).take(task.rows)
    lists = {key: _flatten(table, key) for key in _LISTS}
    n_blocks = table["n_blocks"].to_numpy().astype(np.int64)
    hashes, lengths = lists["hashes"]
    times = lists["times"][0]
    limits = np.repeat(n_blocks * BLOCK_FRAMES, lengths)
    if (
        len(times) != len(hashes)
        or (len(hashes) and (hashes.max() >= N_HASHES or (times >= limits).any()))
        or (lists["counts"][1] != n_blocks).any()
        or lists["counts"][0].sum() != len(lists["peaks"][0])
    ):
        raise ScaleError(f"{task.entry.id}.parquet: its fingerprints contradict themselves")
    keys = hashes.astype(np.uint64) << np.uint64(32)
    keys |= times + np.repeat(task.frames, lengths)
    keys.sort()
    try:
        keys.tofile(f"{task.out}.postings")
        lists["counts"][0].astype(np.uint32).tofile(f"{task.out}.blocks")
        lists["peaks"][0].tofile(f"{task.out}.peaks")
    except OSError as error:
        raise ScaleError(f"{task.out}: cannot be written ({error.strerror or error})") from error
    return task.out, np.bincount(hashes // BUCKET, minlength=N_BUCKETS)


def _flatten(table: pa.Table, key: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of a column of lists, and the length of each."""
    import pyarrow.compute as pc

    column = table[key].combine_chunks()
    lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False).astype(np.int64)
    return column.flatten().to_numpy(zero_copy_only=False), lengths


def cut_ranges(counts: np.ndarray, memory_mb: float) -> list[int]:
    """Cut the buckets of hashes into ranges whose postings fit into memory.

    Parameters
    ----------
    counts : ndarray of int64, shape (N_BUCKETS,)
    memory_mb : float

    Returns
    -------
    list of int
        Buckets at which ranges begin, and `N_BUCKETS`.

    Examples
    --------
    Half a million postings take 8 MB while they are sorted.

    >>> counts = np.zeros(N_BUCKETS, dtype=np.int64)
    >>> counts[[0, 1, 2, 5000]] = 200_000
    >>> cut_ranges(counts, 8)
    [0, 2, 8192]
    """
    most = int(memory_mb * (1 << 20)) // PER_POSTING
    ends = np.cumsum(counts)
    cuts, done = [0], 0
    while cuts[-1] < N_BUCKETS:
        cut = int(np.searchsorted(ends, done + most, side="right"))
        cuts.append(max(cut, cuts[-1] + 1))
        done = int(ends[cuts[-1] - 1])
    return cuts


def sort_runs(
    runs: Sequence[str], counts: np.ndarray, out: Path, memory_mb: float
) -> tuple[np.ndarray, np.ndarray]:
    """Merge the postings of runs into a file, ordered by hash, then frame.

    Parameters
    ----------
    runs : sequence of str
        From `spill`.
    counts : ndarray of int64, shape (N_BUCKETS,)
        Postings of all runs in each bucket.
    out : Path
        Of the frames, uint32.
    memory_mb : float

    Returns
    -------
    keys : ndarray of uint32, shape (n_keys,)
        Different hashes, ascending.
    starts : ndarray of uint32, shape (n_keys + 1,)
        Where the postings of each begin.
    """
    cuts = cut_ranges(counts, memory_mb)
    borders = np.array(cuts, dtype=np.uint64) * np.uint64(BUCKET) << np.uint64(32)
    places = [_find_borders(f"{run}.postings", borders) for run in runs]
    keys, starts, done = [], [], 0
    with out.open("wb") as stream:
        for number in range(len(cuts) - 1):
            parts = [(place[number], place[number + 1]) for place in places]
            numbers = np.empty(sum(last - first for first, last in parts), dtype="<u8")
            filled = 0
            for run, (first, last) in zip(runs, parts, strict=True):
                with Path(f"{run}.postings").open("rb") as file:
                    file.seek(8 * first)
                    file.readinto(numbers[filled : filled + last - first].data)
                filled += last - first
            numbers.sort()
            words = numbers.view("<u4").reshape(-1, 2)
            np.ascontiguousarray(words[:, 0]).tofile(stream)
            first_of = np.ones(len(words), dtype=bool)
            np.not_equal(words[1:, 1], words[:-1, 1], out=first_of[1:])
            rows = np.flatnonzero(first_of)
            keys.append(words[rows, 1])
            starts.append((rows + done).astype(np.uint32))
            done += len(numbers)
    end = np.array([done], dtype=np.uint32)
    return np.concatenate(keys).astype(np.uint32), np.concatenate([*starts, end])


def _find_borders(path: str, borders: np.ndarray) -> list[int]:
    if not Path(path).stat().st_size:
        return [0] * len(borders)
    found: list[int] = np.searchsorted(np.memmap(path, "<u8", "r"), borders).tolist()
    return found


def read_pieces(path: Path) -> Iterator[np.ndarray]:
    """Read the frames of `sort_runs` a few at a time.

    Parameters
    ----------
    path : Path

    Yields
    ------
    ndarray of uint32, shape (n,)
    """
    with path.open("rb") as stream:
        while len(piece := np.fromfile(stream, "<u4", COPY)):
            yield piece


class Stretch(NamedTuple):
    """Recordings that follow each other in a part and in a run.

    Parameters
    ----------
    run : str
    first_block, first_peak : int
        Where in the run they begin.
    n_blocks : ndarray of int64, shape (n,)
        Of each of them.
    n_peaks : int
        Of all.
    """

    run: str
    first_block: int
    first_peak: int
    n_blocks: np.ndarray
    n_peaks: int


def find_stretches(
    runs: np.ndarray, names: Sequence[str], n_blocks: np.ndarray, n_peaks: np.ndarray
) -> list[Stretch]:
    """Find which recordings of a part can be read in one go.

    Parameters
    ----------
    runs : ndarray of int64, shape (n,)
        Number of the run in which each recording is; a run has its own in the order of the part.
    names : sequence of str
        Of the runs.
    n_blocks, n_peaks : ndarray of int64, shape (n,)
        Of each recording.

    Returns
    -------
    list of Stretch

    Examples
    --------
    >>> two = find_stretches(np.array([0, 0, 1, 0]), ["a", "b"], np.full(4, 3), np.full(4, 36))
    >>> [(one.run, one.first_block, len(one.n_blocks)) for one in two]
    [('a', 0, 2), ('b', 0, 1), ('a', 6, 1)]
    """
    cuts = [0, *(np.flatnonzero(np.diff(runs)) + 1).tolist(), len(runs)]
    blocks, words = np.zeros(len(names), dtype=np.int64), np.zeros(len(names), dtype=np.int64)
    found = []
    for first, last in pairwise(cuts):
        if first == last:
            continue
        run, n = int(runs[first]), int(n_peaks[first:last].sum())
        found.append(
            Stretch(names[run], int(blocks[run]), int(words[run]), n_blocks[first:last], n)
        )
        blocks[run] += n_blocks[first:last].sum()
        words[run] += n
    return found


def read_blocks(stretches: Sequence[Stretch]) -> Iterator[np.ndarray]:
    """Read where the peaks of each block begin, as `Segment` has them: a gap after each recording.

    Parameters
    ----------
    stretches : sequence of Stretch

    Yields
    ------
    ndarray of uint32, shape (n,)
    """
    done = 0
    yield np.zeros(1, dtype=np.uint32)
    for one in stretches:
        count, offset = int(one.n_blocks.sum()), 4 * one.first_block
        counts = np.fromfile(f"{one.run}.blocks", "<u4", count, offset=offset)
        laid = np.zeros(count + GAP_BLOCKS * len(one.n_blocks), dtype=np.int64)
        gaps = np.repeat(np.arange(len(one.n_blocks)) * GAP_BLOCKS, one.n_blocks)
        laid[np.arange(count) + gaps] = counts
        ends = np.cumsum(laid) + done
        done = int(ends[-1]) if len(ends) else done
        yield ends.astype(np.uint32)


def read_words(stretches: Sequence[Stretch]) -> Iterator[np.ndarray]:
    """Read the words of peaks, as `Segment` has them.

    Parameters
    ----------
    stretches : sequence of Stretch

    Yields
    ------
    ndarray of uint16, shape (n,)
    """
    for one in stretches:
        yield np.fromfile(f"{one.run}.peaks", "<u2", one.n_peaks, offset=2 * one.first_peak)
