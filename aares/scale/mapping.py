"""One function over a catalogue: what was found of each track, in shards that survive a kill.

Used by the command ``map``. A shard is done when its hash holds and the files of its tracks are as
they were; all others are made again, from rows that still fit where there are some. So the same
call goes on after whatever ended it, and does nothing where nothing is left to do.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aares.audio.sources import show_name
from aares.errors import AaresError, AudioError
from aares.identify.lock import locked
from aares.identify.sync import read_source
from aares.scale.dispatch import run_tasks
from aares.scale.division import SHARD_TRACKS, Track, Tracks, divide, find_tracks, name_shard
from aares.scale.needs import ScaleError, require_scale
from aares.scale.parquet import make_row, make_schema, write_table
from aares.scale.places import Place, fetch_file, is_url
from aares.scale.shards import (
    DRAFT,
    KeptTrack,
    ShardEntry,
    ShardManifest,
    ShardNote,
    find_shards,
    list_shards,
    read_shard,
    read_whole,
    write_manifest,
    write_shard,
)
from aares.scale.tracks import TrackFunction

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Progress:
    """How far a catalogue is.

    Parameters
    ----------
    done : int
        Tracks that have their row on the disk.
    kept : int
        Those of them that had it before this call.
    total : int
    failed : int
        Of those done, the ones that could not be read.
    """

    done: int
    kept: int
    total: int
    failed: int


@dataclass(frozen=True)
class Mapped:
    """What a catalogue became.

    Parameters
    ----------
    n_tracks : int
    n_new : int
        Tracks whose shard was written by this call.
    n_shards : int
    failed : list of (str, str)
        Tracks that could not be read, and why.
    """

    n_tracks: int
    n_new: int
    n_shards: int
    failed: list[tuple[str, str]]


@dataclass(frozen=True)
class ShardTask:
    """A shard that is to be made.

    Parameters
    ----------
    function : TrackFunction
    about : dict
        What the function must say of itself, wherever it runs.
    place : Place
        Where the shard belongs.
    tracks : list of Track
    kept : dict of str to KeptTrack
        Rows of these names that exist already, and may still fit.
    homes : dict of str to ShardNote
        The shard in which each of these rows is.
    """

    function: TrackFunction
    about: dict[str, Any]
    place: Place
    tracks: list[Track]
    kept: dict[str, KeptTrack] = field(default_factory=dict)
    homes: dict[str, ShardEntry] = field(default_factory=dict)


def map_tracks(
    function: TrackFunction,
    paths: str | Path | Iterable[str | Path],
    out: str | Path,
    *,
    root: str | Path | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    shard_tracks: int = SHARD_TRACKS,
    retry: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> Mapped:
    """Apply a function to each track of a catalogue, and keep what it found.

    Parameters
    ----------
    function : TrackFunction
        Such as `tracks.TrackPrints` and `tracks.TrackFeatures`.
    paths : str, Path or iterable of these
        See `division.find_tracks`.
    out : str or Path
        Folder or URL of the shards, see :mod:`.shards`; made where it is missing. It becomes equal
        to the catalogue: rows of tracks that are gone go too.
    root : str or Path, optional
        See `division.find_tracks`.
    workers : int
        Processes of this machine.
    scheduler : str, optional
        See `dispatch.run_tasks`. Its workers must see tracks and `out` under the same names.
    shard_tracks : int
        See `division.divide`. Neither this nor the order of work changes any row.
    retry : bool
        Try tracks again that could not be read and did not change since.
    on_progress : callable, optional
        Called at first, and whenever a shard is on the disk.

    Returns
    -------
    Mapped

    Raises
    ------
    AudioError
        There are no tracks.
    ScaleError
        `out` holds something else, cannot be written to, or workers are gone; the message says
        what was kept, and the same call goes on from there.
    IndexBusyError
        Another process of this machine writes to `out`.
    ValueError
        A number is out of its range.

    References
    ----------
    .. [1] J. Dean and S. Ghemawat, "MapReduce: Simplified Data Processing on Large Clusters",
       OSDI 2004: section 3.3 (tasks done again, their output put in place in one step).
    """
    require_scale("pyarrow")
    place, about = Place(out), function.describe()
    found = find_tracks(paths, root=root)
    shards = divide(found.tracks, shard_tracks)
    with _keep_out_others(place):
        asked = ShardManifest(about, shard_tracks, found.root)
        run = _Run(function, place, asked, on_progress, len(found.tracks))
        tasks = run.plan(shards, found, retry=retry)
        run.finish(tasks, workers, scheduler)
        return run.close(shards)


@contextmanager
def _keep_out_others(place: Place) -> Iterator[None]:
    """Be the only one on this machine who writes there; object storage has no locks."""
    lock: AbstractContextManager[None] = (
        nullcontext() if place.is_remote else locked(Path(place.address))
    )
    try:
        with lock:
            yield
    except OSError as error:
        raise ScaleError(
            f"{place.address}: cannot be written to ({error.strerror or error})"
        ) from error


class _Run:
    """A call of `map_tracks`: `notes` are the shards that are done."""

    def __init__(
        self,
        function: TrackFunction,
        place: Place,
        asked: ShardManifest,
        on_progress: Callable[[Progress], None] | None,
        total: int,
    ) -> None:
        self.function, self.place, self.asked = function, place, asked
        self.on_progress, self.total = on_progress, total
        self.notes: dict[str, ShardNote] = {}
        self.old: dict[str, ShardNote] = {}  # all that are there, whole or not
        self.n_kept = 0

    def plan(
        self, shards: Sequence[Sequence[Track]], found: Tracks, *, retry: bool
    ) -> list[ShardTask]:
        """Find what is done, and return what is left to do."""
        before = find_shards(self.place)
        self.old = {note.id: note for note in list_shards(self.place)}
        _check_asked(self.place, self.asked, before, self.old, found)
        homes = {
            track.name: (note, track) for note in self.old.values() for track in note.tracks
            if note.about == self.asked.about and not (retry and track.error)
        }  # fmt: skip
        whole: dict[str, bool] = {}

        def _is_whole(note: ShardNote) -> bool:
            if note.id not in whole:
                whole[note.id] = read_whole(self.place, note) is not None
            return whole[note.id]

        tasks = []
        for tracks in shards:
            id = name_shard(track.name for track in tracks)
            note = self.old.get(id)
            if note and _is_same(note, tracks, self.asked.about, retry) and _is_whole(note):
                self.notes[id] = note
                continue
            mine = {t.name: homes[t.name] for t in tracks if t.name in homes}
            mine = {name: home for name, home in mine.items() if _is_whole(home[0])}
            tasks.append(
                ShardTask(
                    self.function, self.asked.about, self.place, list(tracks),
                    {name: kept for name, (_, kept) in mine.items()},
                    {name: _enter(home) for name, (home, _) in mine.items()},
                )
            )  # fmt: skip
        self.n_kept = sum(len(note.tracks) for note in self.notes.values())
        if before is None or (tasks and before.complete):
            write_manifest(self.place, self.asked)
        return tasks

    def finish(self, tasks: Sequence[ShardTask], workers: int, scheduler: str | None) -> None:
        """Do what is left."""
        self._tell()
        try:
            for note in run_tasks(make_shard, tasks, workers=workers, scheduler=scheduler):
                self.notes[note.id] = note
                self._tell()
        except ScaleError as error:
            done = sum(len(note.tracks) for note in self.notes.values())
            left = [task for task in tasks if _name_task(task) not in self.notes]
            done += sum(len(task.kept) for task in left)  # rows of older shards still count
            raise ScaleError(
                f"{error}; {done:,} of {self.total:,} tracks are kept in {self.place.address}: "
                "the same command goes on from there"
            ) from error

    def close(self, shards: Sequence[Sequence[Track]]) -> Mapped:
        """Say that all is there, then delete the shards that no longer are."""
        notes = [self.notes[name_shard(track.name for track in tracks)] for tracks in shards]
        entries = tuple(_enter(note) for note in notes)
        write_manifest(self.place, replace(self.asked, complete=True, shards=entries))
        for id in self.old.keys() - self.notes.keys():
            self.place.delete(f"{id}.json")  # first: without it, the other is no shard
            self.place.delete(f"{id}.parquet")
        for name in self.place.list_names():
            if DRAFT.fullmatch(name):
                self.place.delete(name)
        failed = [(one.name, one.error) for note in notes for one in note.tracks if one.error]
        return Mapped(self.total, self.total - self.n_kept, len(notes), failed)

    def _tell(self) -> None:
        if self.on_progress:
            done = sum(len(note.tracks) for note in self.notes.values())
            failed = sum(note.n_failed for note in self.notes.values())
            self.on_progress(Progress(done, self.n_kept, self.total, failed))


def _enter(note: ShardNote) -> ShardEntry:
    return ShardEntry(note.id, note.sha256, len(note.tracks), note.n_failed)


def _check_asked(
    place: Place,
    asked: ShardManifest,
    before: ShardManifest | None,
    notes: Mapping[str, ShardNote],
    found: Tracks,
) -> None:
    """Refuse a folder of shards that hold something else."""
    if before is None:
        return
    one = {**before.about, "shard_tracks": before.shard_tracks}
    two = {**asked.about, "shard_tracks": asked.shard_tracks}
    if one != two:
        names = sorted(key for key in one.keys() | two.keys() if one.get(key) != two.get(key))
        raise ScaleError(
            f"{place.address}: holds what was found with "
            + ", ".join(f"{key} {one.get(key)!r}" for key in names) + "; asked is "
            + ", ".join(f"{key} {two.get(key)!r}" for key in names) + "; choose another folder"
        )  # fmt: skip
    known = {track.name for note in notes.values() for track in note.tracks}
    if known and known.isdisjoint(track.name for track in found.tracks):
        raise ScaleError(
            f"{place.address}: holds {len(known):,} tracks of {before.root}, and none of "
            f"{found.root}; choose another folder"
        )


def _is_same(
    note: ShardNote, tracks: Sequence[Track], about: Mapping[str, Any], retry: bool
) -> bool:
    """Tell whether a shard holds these tracks as they are now."""
    if note.about != about or (retry and note.n_failed):
        return False
    now = [(track.name, track.size, track.stamp) for track in tracks]
    return now == [(track.name, track.size, track.stamp) for track in note.tracks]


def make_shard(task: ShardTask) -> ShardNote:
    """Make a shard: rows that still fit are taken over, all others are computed.

    Parameters
    ----------
    task : ShardTask

    Returns
    -------
    ShardNote

    Raises
    ------
    ScaleError
        It cannot be written, or this process would compute something else than was asked.
    """
    about = task.function.describe()
    if about != task.about:
        raise ScaleError(f"a worker computes {about}, asked is {task.about}: versions differ")
    schema = make_schema(task.function.columns, about)
    tables: dict[str, pa.Table] = {}
    rows, tracks = [], []
    for track in task.tracks:
        old = task.kept.get(track.name)
        if old is None or (old.size, old.stamp) != (track.size, track.stamp):
            row, now = _make_anew(task, track, old, schema)
        else:
            row, now = None, old
        if row is None:  # its file is as it was
            row = _take_over(task, track.name, tables)
        rows.append(row)
        tracks.append(now)
    return write_shard(task.place, _name_task(task), about, write_table(rows, schema), tracks)


def _name_task(task: ShardTask) -> str:
    return name_shard(track.name for track in task.tracks)


def _take_over(task: ShardTask, name: str, tables: dict[str, pa.Table]) -> pa.Table:
    home = task.homes[name]
    if home.id not in tables:
        tables[home.id] = read_shard(task.place, home)
    return tables[home.id].slice(tables[home.id]["name"].to_pylist().index(name), 1)


def _make_anew(
    task: ShardTask, track: Track, old: KeptTrack | None, schema: pa.Schema
) -> tuple[pa.Table | None, KeptTrack]:
    """Return a row and how the file was; no row where it holds what an older row was made of."""
    size, digest, stamp = track.size, "", track.stamp
    try:
        with _hold(track) as (path, size, digest, stamp):
            if old and old.digest == digest and not old.error:
                return None, old._replace(stamp=stamp)
            values, error = dict(task.function(path)), ""
    except ScaleError:
        raise
    except (AaresError, ValueError, OSError, ArithmeticError, LookupError, TypeError) as problem:
        if isinstance(problem, OSError) and problem.errno == errno.ENOSPC:
            raise ScaleError(f"{track.name}: no room to read it ({problem.strerror})") from problem
        values, error = {}, _explain(track.name.rpartition("/")[2], problem)
    head = {"name": track.name, "size": size, "digest": digest, "error": error}
    row = make_row({**values, **head}, schema)
    return row, KeptTrack(track.name, size, stamp, digest, error)


def _explain(name: str, problem: Exception) -> str:
    """Say why a file is bad, the same on every machine: without its folder."""
    if isinstance(problem, OSError):
        return f"{name}: cannot be read ({problem.strerror})"
    text = show_name(str(problem))
    if not isinstance(problem, AaresError | ValueError):
        text = f"unexpected {type(problem).__name__}: {text}"
    return text if text.startswith(name) else f"{name}: {text}"


@contextmanager
def _hold(track: Track) -> Iterator[tuple[Path, int, str, str]]:
    """Have a track as a file of this machine, with its size, digest and stamp."""
    if is_url(track.address):
        with fetch_file(track.address) as (path, digest):
            yield path, path.stat().st_size, digest.hex(), track.stamp
        return
    path = Path(track.address)
    try:
        source = read_source(path)
    except FileNotFoundError as error:
        raise AudioError(
            f"{show_name(path.name)}: expected an audio file, found no such file"
        ) from error
    yield path, source.size, source.digest.hex(), str(source.changed_ns)
