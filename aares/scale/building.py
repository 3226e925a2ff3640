"""An index out of shards of fingerprints, in bounded memory.

Used by the command ``build``. Shards of one machine or of several are taken together: recordings
are laid in the order of their names, and cut into parts as an index has them. For each part readers
sort its shards into runs (:mod:`.spilling`), and this process, the one writer, merges the runs a
range of hashes at a time and writes the segment in pieces: byte for byte what
:class:`aares.identify.Index` writes of the same recordings, whatever the memory, the readers and
the shards.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from aares.errors import IndexFileError
from aares.identify.catalogue import GAP_BLOCKS, Settings, count_starts
from aares.identify.collection import choose_name
from aares.identify.compaction import MAX_POSTINGS
from aares.identify.guards import N_RUNS
from aares.identify.lock import locked
from aares.identify.peaks import BLOCK_FRAMES
from aares.identify.roll import Recording, Roll, Source
from aares.identify.segment import make_table
from aares.identify.storage import Pieces, write_arrays
from aares.identify.store import (
    WORK,
    Entry,
    Manifest,
    delete_unused,
    find_manifest,
    publish,
    refuse_foreign,
)
from aares.scale.dispatch import run_tasks
from aares.scale.needs import ScaleError
from aares.scale.places import Place, is_url
from aares.scale.shards import ShardEntry, ShardManifest, open_shards, read_shard
from aares.scale.spilling import (
    N_BUCKETS,
    SpillTask,
    find_stretches,
    read_blocks,
    read_pieces,
    read_words,
    sort_runs,
    spill,
)
from aares.scale.tracks import PRINTS

if TYPE_CHECKING:
    import pyarrow as pa

MEMORY_MB = 512.0
LEAST_MB = 16.0
_MOST_BLOCKS = (1 << 32) // BLOCK_FRAMES - 1  # of a part, with the gaps: frames have 32 bits
_MOST = (1 << 32) - 1  # postings and peaks of a part
_LIGHT = ("name", "size", "digest", "error", "seconds", "n_blocks", "n_hashes", "n_peaks")


@dataclass(frozen=True)
class Built:
    """What shards became.

    Parameters
    ----------
    n_tracks, n_parts : int
        Of the index.
    n_failed : int
        Tracks without fingerprints.
    passed : list of str
        Recordings that several shards have: the same under the same name.
    renamed : list of (str, str)
        Recordings that are called as another one, and their names in the index.
    """

    n_tracks: int
    n_parts: int
    n_failed: int
    passed: list[str]
    renamed: list[tuple[str, str]]


class _Shard(NamedTuple):
    place: Place
    entry: ShardEntry
    root: str


class _Asked(NamedTuple):
    folder: Path
    memory_mb: float
    readers: int
    tell: Callable[[int], None]


def build_index(
    shards: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    memory_mb: float = MEMORY_MB,
    readers: int = 2,
    part_postings: int = MAX_POSTINGS,
    replace: bool = False,
    wait_s: float = 0.0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Built:
    """Make an index of the fingerprints of a catalogue.

    Parameters
    ----------
    shards : str, Path or sequence of these
        Folders or URLs that `mapping.map_tracks` filled with `tracks.TrackPrints`, on this machine
        or others: together they are one catalogue. A recording that is called as another one gets
        its folder's name in front, as `Index.merge` does it; the same is taken once.
    out : str or Path
        Folder of the index.
    memory_mb : float
        What the writer holds at a time, beside the program and what the index knows of each
        recording (0.5 kB); 16 or more. Each reader holds a shard.
    readers : int
        Processes.
    part_postings : int
        Of a part at most; fewer parts are searched faster, and changed with more memory. As many as
        the living index makes where nothing is said.
    replace : bool
        Take the place of an index that is there: it holds until the new one is complete.
    wait_s : float
        How long to wait for another writer.
    on_progress : callable, optional
        Called with how many of how many recordings were read.

    Returns
    -------
    Built

    Raises
    ------
    ScaleError
        Shards are missing, damaged, of features, or fingerprints of different settings; or a disk
        is full. An older index is as it was.
    IndexFileError
        There is an index already, or a file that is none.
    IndexBusyError
        Another process writes to it.
    ValueError
        A number is out of its range.
    """
    _check_numbers(memory_mb, readers, part_postings)
    given = [shards] if isinstance(shards, str | Path) else list(shards)
    sources, settings = _open_all(given)
    path = Path(out)
    refuse_foreign(path)
    with _writing(path, wait_s) as before:
        if before.entries and not replace:
            raise IndexFileError(
                f"{path.name}: holds an index already; build another, or let it be replaced"
            )
        table, n_failed, passed, renamed = _gather(sources, readers)
        parts = cut_parts(table, part_postings)
        done = 0

        def _tell(n: int) -> None:
            nonlocal done
            done += n
            if on_progress:
                on_progress(done, len(table))

        asked = _Asked(path, memory_mb, readers, _tell)
        entries, free = [], before.free
        for first, last in parts:
            entries.append(_write_part(asked, sources, table.slice(first, last - first), free))
            free += 2
        new = Manifest(before.state + 1, free, settings, tuple(entries))
        publish(path, new)
        delete_unused(path, new)
    return Built(len(table), len(parts), n_failed, passed, renamed)


def _check_numbers(memory_mb: float, readers: int, part_postings: int) -> None:
    if not LEAST_MB <= memory_mb < np.inf:
        raise ValueError(f"memory_mb: expected {LEAST_MB:.0f} or more, found {memory_mb}")
    for name, value in (("readers", readers), ("part_postings", part_postings)):
        if type(value) is not int or not 1 <= value <= _MOST:
            raise ValueError(f"{name}: expected 1 or more, found {value!r}")


@contextmanager
def _writing(path: Path, wait_s: float) -> Iterator[Manifest]:
    """Be the one writer of an index; what was written for nothing makes room again."""
    with locked(path, wait_s=wait_s):
        before = find_manifest(path) or Manifest()
        work = path / WORK
        shutil.rmtree(work, ignore_errors=True)  # of a builder that was killed
        try:
            work.mkdir()
            yield before
        except BaseException as error:
            with suppress(OSError, IndexFileError):
                delete_unused(path, find_manifest(path) or Manifest())
            if isinstance(error, OSError):
                raise ScaleError(
                    f"{path.name}: cannot be written ({error.strerror or error}); the shards are "
                    "as they were, and so is an older index: make room, and build again"
                ) from error
            raise
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _open_all(addresses: Sequence[str | Path]) -> tuple[list[_Shard], Settings]:
    """Return all shards, and how much of a recording they keep."""
    if not addresses:
        raise ValueError("shards: expected at least one folder, found none")
    found: list[_Shard] = []
    first: ShardManifest | None = None
    for address in addresses:
        place, manifest = open_shards(address)
        if manifest.about.get("name") != PRINTS:
            raise ScaleError(
                f"{place.address}: expected {PRINTS}, found {manifest.about.get('name')}"
            )
        first = first or manifest
        if manifest.about != first.about:
            raise ScaleError(
                f"{place.address}: expected what was found with {first.about}, as in "
                f"{addresses[0]}, found {manifest.about}"
            )
        found += [_Shard(place, entry, manifest.root) for entry in manifest.shards]
    assert first is not None
    about = first.about
    return found, Settings(about["peaks_per_block"], about["fan_out"])


# --- which recordings, in which order -------------------------------------------------------------


def _gather(
    sources: Sequence[_Shard], readers: int
) -> tuple[pa.Table, int, list[str], list[tuple[str, str]]]:
    """Return what is known of each recording, without its fingerprints, in the index's order."""
    import pyarrow as pa
    import pyarrow.compute as pc

    numbered = [(number, one.place, one.entry) for number, one in enumerate(sources)]
    tables = dict(run_tasks(_read_light, numbered, workers=readers))
    table = pa.concat_tables([tables[number] for number in range(len(sources))])
    bad = pc.not_equal(table["error"], "")
    n_failed = pc.sum(bad).as_py() or 0
    table = table.filter(pc.invert(bad))
    order = [("name", "ascending"), ("shard", "ascending")]
    table = table.sort_by(order).combine_chunks()
    if pc.count_distinct(table["name"]).as_py() == len(table):
        return table, n_failed, [], []
    table, passed, renamed = _part_names(table, sources)
    return table.sort_by(order).combine_chunks(), n_failed, passed, renamed


def _read_light(task: tuple[int, Place, ShardEntry]) -> tuple[int, pa.Table]:
    import pyarrow as pa

    number, place, entry = task
    table = read_shard(place, entry, _LIGHT)
    table = table.append_column("shard", pa.array(np.full(len(table), number, dtype=np.int32)))
    return number, table.append_column("row", pa.array(np.arange(len(table), dtype=np.int32)))


def _part_names(
    table: pa.Table, sources: Sequence[_Shard]
) -> tuple[pa.Table, list[str], list[tuple[str, str]]]:
    """Take the same recording once, and give others of one name names of their own."""
    import pyarrow as pa

    names, digests = table["name"].to_pylist(), table["digest"].to_pylist()
    shards = table["shard"].to_pylist()
    counts, taken = Counter(names), set(names)
    seen: dict[str, set[str]] = {}
    keep, passed, renamed = np.ones(len(names), dtype=bool), [], []
    for row, name in enumerate(names):
        if counts[name] == 1:
            continue
        others = seen.setdefault(name, set())
        if digests[row] in others:
            keep[row] = False
            passed.append(name)
        elif others:
            names[row] = choose_name([f"{sources[shards[row]].place.name}/{name}"], taken)
            taken.add(names[row])
            renamed.append((name, names[row]))
        others.add(digests[row])
    at = table.schema.get_field_index("name")
    table = table.set_column(at, "name", pa.array(names, pa.string()))
    return table.filter(pa.array(keep)), passed, renamed


def cut_parts(table: pa.Table, part_postings: int) -> list[tuple[int, int]]:
    """Cut a catalogue into parts of an index.

    Parameters
    ----------
    table : pyarrow.Table
        Columns ``n_hashes``, ``n_peaks`` and ``n_blocks`` of each recording.
    part_postings : int
        Of a part at most, unless one recording has more.

    Returns
    -------
    list of (int, int)
        First row of each part, and the row after its last.

    Examples
    --------
    >>> import pyarrow as pa
    >>> counts = {"n_hashes": [50, 40, 30, 90], "n_peaks": [9] * 4, "n_blocks": [3] * 4}
    >>> cut_parts(pa.table(counts), 100)
    [(0, 2), (2, 3), (3, 4)]
    """
    limits = {"n_hashes": part_postings, "n_peaks": _MOST, "n_blocks": _MOST_BLOCKS}
    ends = []
    for key, limit in limits.items():
        sizes = table[key].to_numpy().astype(np.int64) + (GAP_BLOCKS if key == "n_blocks" else 0)
        ends.append((np.cumsum(sizes), limit))
    parts, first = [], 0
    while first < len(table):
        last = min(
            int(np.searchsorted(end, (end[first - 1] if first else 0) + limit, side="right"))
            for end, limit in ends
        )
        parts.append((first, max(last, first + 1)))
        first = parts[-1][1]
    return parts


# --- a part ---------------------------------------------------------------------------------------


def _write_part(asked: _Asked, sources: Sequence[_Shard], part: pa.Table, number: int) -> Entry:
    """Write the two files of a part; `number` is that of the first."""
    roll = make_roll(part, [one.root for one in sources])
    starts = count_starts(roll)
    shards, runs = np.unique(part["shard"].to_numpy(), return_inverse=True)
    work = asked.folder / WORK
    names = [str(work / str(shard)) for shard in shards]
    rows, frames = part["row"].to_numpy(), (starts[:-1] * BLOCK_FRAMES).astype(np.uint64)
    tasks = [
        SpillTask(sources[shard].place, sources[shard].entry, rows[runs == k], frames[runs == k], n)
        for k, (shard, n) in enumerate(zip(shards.tolist(), names, strict=True))
    ]
    sizes = {task.out: len(task.rows) for task in tasks}
    counts = np.zeros(N_BUCKETS, dtype=np.int64)
    for out, found in run_tasks(spill, tasks, workers=asked.readers):
        counts += found
        asked.tell(sizes[out])
    keys, key_starts = sort_runs(names, counts, work / "frames", asked.memory_mb)
    n_peaks = part["n_peaks"].to_numpy().astype(np.int64)
    stretches = find_stretches(runs, names, roll.n_blocks, n_peaks)
    arrays: dict[str, Any] = {
        "keys": keys,
        "starts": key_starts,
        "postings": Pieces(np.dtype(np.uint32), int(counts.sum()), read_pieces(work / "frames")),
        "blocks": Pieces(np.dtype(np.uint32), int(starts[-1]) + 1, read_blocks(stretches)),
        "peaks": Pieces(np.dtype(np.uint16), int(n_peaks.sum()), read_words(stretches)),
    }
    if len(keys) > N_RUNS:  # as `store.write_state` decides it
        arrays["table"] = make_table(keys)
    crc = write_arrays(asked.folder / f"{number}.segment", {}, arrays)
    for path in work.iterdir():
        path.unlink()
    roll_crc = write_arrays(asked.folder / f"{number + 1}.roll", {}, roll.arrays)
    return Entry(number, crc, number + 1, roll_crc)


def make_roll(part: pa.Table, roots: Sequence[str]) -> Roll:
    """Write what an index knows of recordings besides their peaks.

    Parameters
    ----------
    part : pyarrow.Table
        Columns ``name``, ``seconds``, ``n_blocks``, ``size``, ``digest`` and ``shard``.
    roots : sequence of str
        Folder or URL of the tracks of each shard.

    Returns
    -------
    Roll
        A recording has its file where it lies on a machine and its name is not written otherwise
        than on the disk. When that was changed is not said: `sync` compares its content then.
    """
    columns = (part[key].to_pylist() for key in ("name", "n_blocks", "seconds"))
    recordings = [Recording(*row) for row in zip(*columns, strict=True)]
    facts = (part[key].to_pylist() for key in ("name", "size", "digest", "shard"))
    sources = [
        None if is_url(roots[shard]) or "\\" in name
        else Source(str(Path(roots[shard], name)), size, 0, bytes.fromhex(digest))
        for name, size, digest, shard in zip(*facts, strict=True)
    ]  # fmt: skip
    return Roll.make(recordings, sources)
