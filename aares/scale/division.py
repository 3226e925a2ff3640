"""Which tracks there are, and which of them share a shard.

Tracks are ordered by name, and a shard is a run of them. Where one ends is told by the names alone:
a name whose hash is small ends it, as in content-defined chunking [1]_. A track that comes or goes
changes the shards around it and no other, whoever divides, on whatever machine.

References
----------
.. [1] A. Muthitacharoen et al., "A Low-bandwidth Network File System", SOSP 2001: section 3.1.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from itertools import pairwise, takewhile
from pathlib import Path
from typing import NamedTuple

from aares.audio.sources import MEDIA, replace_undecodable, show_name
from aares.errors import AudioError
from aares.identify.ingest import name_file, search_folder
from aares.scale.needs import ScaleError
from aares.scale.places import is_url, open_filesystem

SHARD_TRACKS = 16
"""Tracks of a shard: some seconds of work, and 0.7 MB of fingerprints."""
_STAMPS = ("ETag", "etag", "mtime", "LastModified", "last_modified", "updated", "created")


class Track(NamedTuple):
    """A file of a catalogue.

    Parameters
    ----------
    name : str
        Its path below the catalogue's root, with ``/``.
    address : str
        Its path on this machine, or its URL.
    size : int
        Bytes.
    stamp : str
        When it was changed last, or what else its place says of that.
    """

    name: str
    address: str
    size: int = 0
    stamp: str = ""


class Tracks(NamedTuple):
    """The files of a catalogue.

    Parameters
    ----------
    root : str
        The folder or URL that holds them.
    tracks : list of Track
        Ordered by name; no two have one name.
    """

    root: str
    tracks: list[Track]


def find_tracks(
    paths: str | Path | Iterable[str | Path], *, root: str | Path | None = None
) -> Tracks:
    """Find the tracks of a folder, or describe those that are named.

    Parameters
    ----------
    paths : str, Path or iterable of these
        A folder or the URL of one, which is searched for sound; or files, or URLs of files.
    root : str or Path, optional
        Folder or URL of all these files: their names are the paths below it. Without it, the
        deepest folder that holds them all.

    Returns
    -------
    Tracks

    Raises
    ------
    AudioError
        There is no such folder, or no sound in it.
    ScaleError
        Two files have one name, or the folder cannot be read.
    ValueError
        A file is not below `root`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b.mp3", "a.ogg", "notes.txt"):
    ...         _ = Path(folder, name).write_text("")
    ...     [track.name for track in find_tracks(folder).tracks]
    ['a.ogg', 'b.mp3']
    """
    if isinstance(paths, str | Path):
        found = _search_remote(str(paths)) if is_url(paths) else _search_local(paths)
    else:
        found = _describe_files([str(path) for path in paths], root)
    tracks = sorted(found.tracks)
    for one, other in pairwise(tracks):
        if one.name == other.name:
            raise ScaleError(f"{found.root}: two files are called {one.name!r}: names must differ")
    return Tracks(found.root, tracks)


def _search_local(folder: str | Path) -> Tracks:
    found, root = search_folder(folder), Path(folder).resolve()
    if not found.files:
        raise AudioError(f"{show_name(folder)}: no audio file among {found.n_other} files")
    paths = [root / path.relative_to(folder) for path in found.files]
    return Tracks(str(root), [_describe_local(path, name_file(path, root)) for path in paths])


def _describe_local(path: Path, name: str) -> Track:
    try:
        facts = path.stat()
    except OSError:
        return Track(name, str(path))  # what is wrong with it, its row will say
    return Track(name, str(path), facts.st_size, str(facts.st_mtime_ns))


def _search_remote(url: str) -> Tracks:
    filesystem, path = open_filesystem(url)
    protocol = url.partition("://")[0]
    try:
        found = filesystem.find(path, detail=True)
    except OSError as error:
        raise ScaleError(f"{url}: cannot be listed ({error})") from error
    tracks = [
        _describe_remote(f"{protocol}://{file.lstrip('/')}", file[len(path) :].lstrip("/"), facts)
        for file, facts in found.items() if Path(file).suffix.lower() in MEDIA
    ]  # fmt: skip
    if not tracks:
        raise AudioError(f"{url}: no audio file among {len(found)} files")
    return Tracks(url.rstrip("/"), tracks)


def _describe_remote(url: str, name: str, facts: dict[str, object]) -> Track:
    stamp = next((str(facts[key]) for key in _STAMPS if facts.get(key)), "")
    return Track(replace_undecodable(name), url, int(str(facts.get("size") or 0)), stamp)


def _describe_files(paths: Sequence[str], root: str | Path | None) -> Tracks:
    if not paths:
        raise AudioError("expected at least one audio file, found none")
    if any(is_url(path) for path in paths):
        return _describe_urls(paths, root)
    files = [Path(path).absolute() for path in paths]
    if root is None:
        root = os.path.commonpath([file.parent for file in files])
    base = Path(root).absolute()
    for file in files:
        if not file.is_relative_to(base):
            raise ValueError(f"root: expected a folder that holds {file}, found {base}")
    return Tracks(str(base), [_describe_local(file, name_file(file, base)) for file in files])


def _describe_urls(paths: Sequence[str], root: str | Path | None) -> Tracks:
    if root is None:
        levels = zip(*(path.split("/")[:-1] for path in paths), strict=False)
        root = "/".join(level[0] for level in takewhile(lambda level: len(set(level)) == 1, levels))
    base = str(root).rstrip("/") + "/"
    if not is_url(base) or not all(path.startswith(base) for path in paths):
        raise ValueError(f"root: expected a URL that holds all files, found {base!r}")
    tracks = []
    for path in paths:
        filesystem, inner = open_filesystem(path)
        try:
            facts = filesystem.info(inner)
        except OSError:
            facts = {}
        tracks.append(_describe_remote(path, path[len(base) :], facts))
    return Tracks(base.rstrip("/"), tracks)


def divide(tracks: Sequence[Track], shard_tracks: int = SHARD_TRACKS) -> list[list[Track]]:
    """Divide tracks into shards by their names.

    Parameters
    ----------
    tracks : sequence of Track
        Ordered by name.
    shard_tracks : int
        About how many are in a shard: at least half, at most twice as many, the last one excepted.

    Returns
    -------
    list of list of Track

    Raises
    ------
    ValueError
        `shard_tracks` is less than 1.

    Examples
    --------
    A track that is new changes its own shard; the others stay.

    >>> tracks = [Track(f"{n:03}.mp3", "") for n in range(300)]
    >>> before, after = divide(tracks, 8), divide(sorted([*tracks, Track("100 bis.mp3", "")]), 8)
    >>> len(before), len([shard for shard in after if shard not in before])
    (43, 1)
    """
    if type(shard_tracks) is not int or shard_tracks < 1:
        raise ValueError(f"shard_tracks: expected 1 or more, found {shard_tracks!r}")
    least = max(shard_tracks // 2, 1)
    one_in = shard_tracks - least + 1  # names that end a shard: then its mean is `shard_tracks`
    shards: list[list[Track]] = [[]]
    for track in tracks:
        shards[-1].append(track)
        n = len(shards[-1])
        if n >= 2 * shard_tracks or (n >= least and _hash_name(track.name) % one_in == 0):
            shards.append([])
    return [shard for shard in shards if shard]


def _hash_name(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")


def name_shard(names: Iterable[str]) -> str:
    """Name the shard of some tracks.

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    str
        16 hexadecimal digits.

    Examples
    --------
    >>> name_shard(["a.mp3", "b.mp3"]), name_shard(["a.mp3"])
    ('a3a6f00393413fc3', 'fad0a445c9c4d182')
    """
    total = hashlib.blake2b(digest_size=8)
    for name in names:
        total.update(name.encode() + b"\0")
    return total.hexdigest()
