"""The folder of an index: immutable files of segments, and a manifest that says which count.

Used by :class:`aares.identify.Index`.

A writer adds files, brings them to the disk, and then replaces the manifest in one step: until
that moment the old state holds, from then on the new one. Files that no manifest names any more are
deleted by the writer that holds the lock; whoever opened them keeps them (where the system does not
delete open files, a later writer does it). A reader takes no lock.

Conventions
-----------
``manifest`` is a line with the format's version and the CRC-32 of the rest, which is JSON.
``N.segment`` holds the arrays of a part, ``N.roll`` its recordings and which of them are removed.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from aares.errors import IndexFileError
from aares.files import write_atomic
from aares.identify.catalogue import Part, Settings, count_starts
from aares.identify.compaction import lay
from aares.identify.guards import N_RUNS, SegmentGuard
from aares.identify.lock import HOLDER, LOCK
from aares.identify.roll import Roll
from aares.identify.storage import MAGIC, REMEDY, VERSION, Origin, read_arrays, write_arrays

MANIFEST = "manifest"
WORK = ".building"  # folder of a writer that sorts outside of memory
MAX_MANIFEST = 1 << 20  # bytes
_HEAD = re.compile(rb"AARESIDX (\d{1,9}) ([0-9a-f]{8})\n")
_OURS = re.compile(r"\d+\.(segment|roll)|\.(\d+\.(segment|roll)|manifest|writer)\..*\.tmp")
_ATTEMPTS = 20  # of a reader whose files a writer replaces


@dataclass(frozen=True)
class Entry:
    """The files of a part.

    Parameters
    ----------
    segment, roll : int
        Numbers of its two files.
    segment_crc, roll_crc : int
        CRC-32 of their headers.
    """

    segment: int
    segment_crc: int
    roll: int
    roll_crc: int


@dataclass(frozen=True)
class Manifest:
    """A state of an index.

    Parameters
    ----------
    state : int
        Counts the changes.
    free : int
        The lowest number that no file had.
    settings : Settings
    entries : tuple of Entry
        The parts in their order.
    """

    state: int = 0
    free: int = 1
    settings: Settings = field(default_factory=Settings)
    entries: tuple[Entry, ...] = ()


def read_manifest(folder: Path) -> Manifest:
    """Read which files of an index count.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Manifest

    Raises
    ------
    IndexFileError
        The folder is missing, no index, of another version, or its manifest damaged.

    Examples
    --------
    >>> read_manifest(Path("nowhere.index"))
    Traceback (most recent call last):
        ...
    aares.errors.IndexFileError: nowhere.index: cannot be opened (No such file or directory)
    """
    name = folder.name
    try:
        if folder.is_file():
            _refuse_file(folder)
        with (folder / MANIFEST).open("rb") as stream:
            content = stream.read(MAX_MANIFEST + 1)
    except FileNotFoundError as error:
        if folder.is_dir():
            raise IndexFileError(f"{name}: expected an index, found a folder without one") from None
        raise IndexFileError(f"{name}: cannot be opened ({error.strerror})") from None
    except OSError as error:
        raise IndexFileError(f"{name}: cannot be opened ({error.strerror})") from error
    head = _HEAD.match(content)
    if head is None or len(content) > MAX_MANIFEST:
        raise IndexFileError(f"{name}: its manifest is not an index's")
    if int(head[1]) != VERSION:
        raise IndexFileError(
            f"{name}: version {int(head[1])} of the format, this reads {VERSION}; {REMEDY}"
        )
    if zlib.crc32(content[head.end() :]) != int(head[2], 16):
        raise IndexFileError(f"{name}: its manifest is damaged, the checksum is wrong; {REMEDY}")
    try:
        return _parse(json.loads(content[head.end() :]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IndexFileError(f"{name}: the manifest contradicts itself ({error})") from error


def find_manifest(path: Path) -> Manifest | None:
    """Return the state of the index in a folder, or None where there is none yet.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Manifest or None

    Raises
    ------
    IndexFileError
        There is something that is no index.

    Examples
    --------
    >>> find_manifest(Path("nowhere.index")) is None
    True
    """
    return read_manifest(path) if (path / MANIFEST).exists() else None


def _refuse_file(path: Path) -> None:
    with path.open("rb") as stream:
        start = stream.read(len(MAGIC) + 4)
    if start[: len(MAGIC)] != MAGIC or len(start) < len(MAGIC) + 4:
        raise IndexFileError(f"{path.name}: not an index of this project")
    version = int.from_bytes(start[len(MAGIC) :], "little")
    raise IndexFileError(
        f"{path.name}: version {version} of the format, this reads {VERSION}; {REMEDY}"
    )


def refuse_foreign(path: Path) -> None:
    """Make sure that a place is free for an index, or holds one: others' files get no lock.

    Parameters
    ----------
    path : Path

    Raises
    ------
    IndexFileError
        There is a file, or a folder with something else in it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     (Path(name) / "photo.jpg").touch()
    ...     try:
    ...         refuse_foreign(Path(name))
    ...     except IndexFileError as error:
    ...         print(str(error).partition(": ")[2])
    expected an index, found a folder without one
    """
    if path.is_file():
        _refuse_file(path)
    if path.is_dir() and not (path / MANIFEST).exists():
        ours = {LOCK, HOLDER, MANIFEST, WORK}  # of a writer who is about to begin it
        if any(p.name not in ours and not _OURS.fullmatch(p.name) for p in path.iterdir()):
            read_manifest(path)


def _parse(found: Any) -> Manifest:
    if not isinstance(found, dict) or not isinstance(found["entries"], list):
        raise TypeError("no list of entries")
    entries = tuple(Entry(**entry) for entry in found["entries"])
    numbers = [found["state"], found["free"], *(n for e in entries for n in asdict(e).values())]
    if not all(type(number) is int and 0 <= number < 1 << 63 for number in numbers):
        raise ValueError("a number is none")
    return Manifest(found["state"], found["free"], Settings(**found["settings"]), entries)


def open_parts(folder: Path) -> tuple[Manifest, list[Part]]:
    """Open the state of an index that holds now.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    manifest : Manifest
    parts : list of Part
        They stay as they are, whatever writers do later.

    Raises
    ------
    IndexFileError
        As `read_manifest`, or a file is missing, foreign, cut off or contradicts itself.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     written = write_state(Path(name), Settings(), [], None)
    ...     open_parts(Path(name)) == (written, [])
    True
    """
    manifest = read_manifest(folder)
    for _ in range(_ATTEMPTS):
        try:
            return manifest, lay([_open_part(folder, entry) for entry in manifest.entries])
        except FileNotFoundError as error:
            newer = read_manifest(folder)
            if newer == manifest:
                missing = Path(error.filename).name
                raise IndexFileError(f"{folder.name}: {missing} is missing; {REMEDY}") from None
            manifest = newer  # a writer went on between the manifest and its files
    raise IndexFileError(f"{folder.name}: changed too often while it was opened; try again")


def _open_part(folder: Path, entry: Entry) -> Part:
    try:
        _, rows = read_arrays(folder / f"{entry.roll}.roll", entry.roll_crc)
        _, arrays = read_arrays(folder / f"{entry.segment}.segment", entry.segment_crc)
        roll = Roll(rows)
        guard = SegmentGuard(arrays, int(count_starts(roll)[-1]))
    except IndexFileError as error:
        raise IndexFileError(f"{folder.name}, {error}") from error
    except (ValueError, OverflowError) as error:
        raise IndexFileError(f"{folder.name}: the index contradicts itself ({error})") from error
    roll.origin = Origin(folder.resolve(), entry.roll, entry.roll_crc)
    guard.origin = Origin(folder.resolve(), entry.segment, entry.segment_crc)
    return Part(roll, guard.segment, 0, guard)


def write_state(
    folder: Path, settings: Settings, parts: Sequence[Part], before: Manifest | None
) -> Manifest:
    """Make these parts the state of an index; only what is not in its folder yet is written.

    Only for who holds the lock.

    Parameters
    ----------
    folder : Path
        It is made where it is missing.
    settings : Settings
    parts : sequence of Part
    before : Manifest or None
        The state that holds now.

    Returns
    -------
    Manifest

    Raises
    ------
    IndexFileError
        There are more parts than a manifest names.
    OSError
        The disk is full, or the folder cannot be written to; the old state still holds.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     write_state(Path(name), Settings(), [], None).state
    1
    """
    folder.mkdir(parents=True, exist_ok=True)
    old = before or Manifest()
    free, entries = old.free, []
    try:
        for part in parts:
            entry = _find_entry(folder, part, old)
            if entry.segment == 0:
                entry = replace(entry, segment=free, segment_crc=_write_segment(folder, free, part))
                free += 1
            if entry.roll == 0:
                path = folder / f"{free}.roll"
                entry = replace(
                    entry, roll=free, roll_crc=write_arrays(path, {}, part.recordings.arrays)
                )
                free += 1
            entries.append(entry)
        new = Manifest(old.state + 1, free, settings, tuple(entries))
        publish(folder, new)
    except BaseException:
        with suppress(OSError, IndexFileError):  # what was written for nothing makes room
            delete_unused(folder, read_manifest(folder) if before else Manifest())
        raise
    delete_unused(folder, new)
    return new


def publish(folder: Path, manifest: Manifest) -> None:
    """Let a state hold whose files are there.

    Only for who holds the lock.

    Parameters
    ----------
    folder : Path
    manifest : Manifest

    Raises
    ------
    IndexFileError
        There are more parts than a manifest names.
    OSError
        The disk is full, or the folder cannot be written to; the old state still holds.
    """
    body = json.dumps(asdict(manifest)).encode()
    head = f"{MAGIC.decode()} {VERSION} {zlib.crc32(body):08x}\n".encode()
    if len(head) + len(body) > MAX_MANIFEST:
        raise IndexFileError(f"{folder.name}: expected fewer parts than {len(manifest.entries):,}")
    flush_folder(folder)  # the files' names are on the disk before one of them counts
    write_atomic(folder / MANIFEST, head + body)
    flush_folder(folder)


def _find_entry(folder: Path, part: Part, old: Manifest) -> Entry:
    """Return which files hold the part already, with 0 for one that is still to be written."""
    home = folder.resolve()
    entry = Entry(0, 0, 0, 0)
    segment, roll = part.guard and part.guard.origin, part.recordings.origin
    for one in old.entries:
        if segment == Origin(home, one.segment, one.segment_crc):
            entry = replace(entry, segment=one.segment, segment_crc=one.segment_crc)
        if roll == Origin(home, one.roll, one.roll_crc):
            entry = replace(entry, roll=one.roll, roll_crc=one.roll_crc)
    return entry


def _write_segment(folder: Path, number: int, part: Part) -> int:
    if part.guard is not None:  # damage must not get a new checksum
        part.guard.check_all()
    arrays = part.segment._asdict()
    if len(part.segment.keys) > N_RUNS:  # of a smaller one the table is made in no time
        arrays["table"] = part.table
    return write_arrays(folder / f"{number}.segment", {}, arrays)


def flush_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system does so on request.

    Parameters
    ----------
    folder : Path

    Examples
    --------
    >>> flush_folder(Path())
    """
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def delete_unused(folder: Path, manifest: Manifest) -> None:
    """Delete the files of older states, and what a writer left that was killed.

    Only for who holds the lock. What the system does not delete while it is open stays until later;
    files of other names are nobody's business here.

    Parameters
    ----------
    folder : Path
    manifest : Manifest
        The state that holds.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     for file in ("7.segment", "notes.txt"):
    ...         (Path(name) / file).touch()
    ...     delete_unused(Path(name), Manifest())
    ...     [path.name for path in Path(name).iterdir()]
    ['notes.txt']
    """
    used = {f"{entry.segment}.segment" for entry in manifest.entries}
    used |= {f"{entry.roll}.roll" for entry in manifest.entries}
    for path in folder.iterdir():
        if _OURS.fullmatch(path.name) and path.name not in used:
            with suppress(OSError):
                path.unlink()


def measure_size(folder: Path) -> int:
    """Return how many bytes the files of an index take.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    int

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     _ = (Path(name) / "7.segment").write_bytes(bytes(100))
    ...     measure_size(Path(name))
    100
    """
    return sum(
        path.stat().st_size
        for path in folder.iterdir()
        if _OURS.fullmatch(path.name) or path.name == MANIFEST
    )
