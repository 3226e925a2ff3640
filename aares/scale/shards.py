"""What was found of the tracks of a catalogue: Parquet files, and what says that they are whole.

Conventions
-----------
A folder of shards holds ``manifest.json`` (what was asked, and the shards in the order of their
tracks, each with the SHA-256 of its file) and for each shard ``<id>.parquet``, one row a track in
the order of names, with ``<id>.json`` beside it (its SHA-256, and of each track how its file was).
The id is a hash of the names. Columns: ``name``, ``size`` and ``digest`` of the file (BLAKE2, 16
bytes), ``error`` (empty where all went well; else the rest is null), then what was found.

The Parquet file depends on nothing but the files of its tracks, the function and pyarrow's version.
Files of other names in the folder are nobody's business here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from aares.scale.needs import ScaleError, require_scale
from aares.scale.places import Place

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = "aares shards 1"
MANIFEST = "manifest.json"
OURS = re.compile(r"[0-9a-f]{16}\.json")
DRAFT = re.compile(r"\.([0-9a-f]{16}\.(parquet|json)|manifest\.json)\..*\.tmp")


class KeptTrack(NamedTuple):
    """How the file of a row was when it was read.

    Parameters
    ----------
    name : str
    size : int
    stamp : str
        See `division.Track`.
    digest : str
    error : str
    """

    name: str
    size: int
    stamp: str
    digest: str
    error: str


@dataclass(frozen=True)
class ShardNote:
    """What stands beside a shard.

    Parameters
    ----------
    id : str
    sha256 : str
        Of the Parquet file.
    about : dict
        What was asked, from `TrackFunction.describe`.
    tracks : tuple of KeptTrack
    """

    id: str
    sha256: str
    about: dict[str, Any]
    tracks: tuple[KeptTrack, ...]

    @property
    def n_failed(self) -> int:
        """Return how many of the tracks could not be read.

        Returns
        -------
        int
        """
        return sum(bool(track.error) for track in self.tracks)


@dataclass(frozen=True)
class ShardEntry:
    """A shard as the manifest has it.

    Parameters
    ----------
    id, sha256 : str
    n_tracks, n_failed : int
    """

    id: str
    sha256: str
    n_tracks: int
    n_failed: int


@dataclass(frozen=True)
class ShardManifest:
    """What a folder of shards holds.

    Parameters
    ----------
    about : dict
        What was asked, from `TrackFunction.describe`.
    shard_tracks : int
        See `division.divide`.
    root : str
        Folder or URL of the tracks.
    complete : bool
        Whether every track has its row.
    shards : tuple of ShardEntry
        In the order of their tracks' names.
    format : str
    """

    about: dict[str, Any]
    shard_tracks: int
    root: str
    complete: bool = False
    shards: tuple[ShardEntry, ...] = ()
    format: str = field(default=FORMAT)

    @property
    def n_tracks(self) -> int:
        """Return how many tracks there are.

        Returns
        -------
        int
        """
        return sum(shard.n_tracks for shard in self.shards)


def read_shard(
    place: Place, entry: ShardEntry | ShardNote, columns: Sequence[str] | None = None
) -> pa.Table:
    """Read a shard whose file is as it was written.

    Parameters
    ----------
    place : Place
    entry : ShardEntry or ShardNote
    columns : sequence of str, optional
        All without.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    ScaleError
        The file is missing or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = read_whole(place, entry)
    if content is None:
        raise ScaleError(
            f"{place.name}, {entry.id}.parquet: missing or damaged; map the tracks again, only "
            "what is missing is made anew"
        )
    return pq.read_table(pa.BufferReader(content), columns=columns and list(columns))


def read_whole(place: Place, entry: ShardEntry | ShardNote) -> bytes | None:
    """Return the file of a shard if its hash holds.

    Parameters
    ----------
    place : Place
    entry : ShardEntry or ShardNote

    Returns
    -------
    bytes or None

    Examples
    --------
    >>> read_whole(Place("nowhere"), ShardEntry("0" * 16, "", 1, 0)) is None
    True
    """
    try:
        content = place.read(f"{entry.id}.parquet")
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == entry.sha256 else None


def write_shard(
    place: Place,
    id: str,
    about: Mapping[str, Any],
    content: bytes,
    tracks: Sequence[KeptTrack],
) -> ShardNote:
    """Write a shard and what stands beside it, each in one step.

    Parameters
    ----------
    place : Place
    id : str
        From `division.name_shard`.
    about : mapping
    content : bytes
        From `write_table`.
    tracks : sequence of KeptTrack

    Returns
    -------
    ShardNote

    Raises
    ------
    ScaleError
        The disk is full, or the folder cannot be written to.
    """
    note = ShardNote(id, hashlib.sha256(content).hexdigest(), dict(about), tuple(tracks))
    try:
        place.write(f"{id}.parquet", content)
        place.write(f"{id}.json", json.dumps(asdict(note)).encode())
    except OSError as error:
        raise ScaleError(
            f"{place.address}: a shard cannot be written ({error.strerror or error})"
        ) from error
    return note


def read_note(place: Place, id: str) -> ShardNote | None:
    """Read what stands beside a shard, if it is one of ours.

    Parameters
    ----------
    place : Place
    id : str

    Returns
    -------
    ShardNote or None

    Examples
    --------
    >>> read_note(Place("nowhere"), "0" * 16) is None
    True
    """
    try:
        found = json.loads(place.read(f"{id}.json"))
        tracks = tuple(KeptTrack(*track) for track in found["tracks"])
        note = ShardNote(str(found["id"]), str(found["sha256"]), dict(found["about"]), tracks)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return note if note.id == id else None


def list_shards(place: Place) -> Iterator[ShardNote]:
    """Read what stands beside the shards of a folder, those that no manifest names among them.

    Parameters
    ----------
    place : Place

    Yields
    ------
    ShardNote

    Examples
    --------
    >>> list(list_shards(Place("nowhere")))
    []
    """
    for name in place.list_names():
        if OURS.fullmatch(name) and (note := read_note(place, name[:16])):
            yield note


def find_shards(place: Place) -> ShardManifest | None:
    """Read what a folder of shards holds, or None where it holds none yet.

    Parameters
    ----------
    place : Place

    Returns
    -------
    ShardManifest or None

    Raises
    ------
    ScaleError
        There is a manifest of something else, or of another version.

    Examples
    --------
    >>> find_shards(Place("nowhere")) is None
    True
    """
    try:
        content = place.read(MANIFEST)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ScaleError(
            f"{place.address}: cannot be opened ({error.strerror or error})"
        ) from error
    try:
        found = json.loads(content)
        if found["format"] != FORMAT:
            raise ValueError(f"format {found['format']!r}, this reads {FORMAT!r}")
        shards = tuple(ShardEntry(**entry) for entry in found.pop("shards"))
        return ShardManifest(**found, shards=shards)
    except (ValueError, TypeError, KeyError) as error:
        raise ScaleError(
            f"{place.address}: its {MANIFEST} is not that of shards ({error}); choose "
            "another folder"
        ) from error


def write_manifest(place: Place, manifest: ShardManifest) -> None:
    """Write what a folder of shards holds, in one step.

    Parameters
    ----------
    place : Place
    manifest : ShardManifest

    Raises
    ------
    ScaleError
        The disk is full, or the folder cannot be written to.
    """
    try:
        place.write(MANIFEST, (json.dumps(asdict(manifest), indent=1) + "\n").encode())
    except OSError as error:
        raise ScaleError(
            f"{place.address}: cannot be written to ({error.strerror or error})"
        ) from error


def open_shards(address: str | Path) -> tuple[Place, ShardManifest]:
    """Open shards that are complete.

    Parameters
    ----------
    address : str or Path

    Returns
    -------
    place : Place
    manifest : ShardManifest

    Raises
    ------
    ScaleError
        There are none, or some are still missing.

    Examples
    --------
    >>> open_shards("nowhere")
    Traceback (most recent call last):
        ...
    aares.scale.needs.ScaleError: nowhere: expected shards, found no manifest.json
    """
    require_scale("pyarrow")
    place = Place(address)
    manifest = find_shards(place)
    if manifest is None:
        raise ScaleError(f"{place.address}: expected shards, found no {MANIFEST}")
    if not manifest.complete:
        raise ScaleError(
            f"{place.address}: the shards are not complete; map the tracks again, it goes on"
        )
    return place, manifest


def read_shards(address: str | Path, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Read shards one after another, in the order of their tracks' names.

    Parameters
    ----------
    address : str or Path
        Folder or URL.
    columns : sequence of str, optional
        All without.

    Yields
    ------
    pyarrow.Table

    Raises
    ------
    ScaleError
        As `open_shards`, or a file is missing or damaged.
    """
    place, manifest = open_shards(address)
    for entry in manifest.shards:
        yield read_shard(place, entry, columns)
