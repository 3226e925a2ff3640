"""Where files lie: a folder of this machine, or one of object storage by its URL.

A URL is what `fsspec` knows (``s3://``, ``gs://``, ``abfs://``, ``memory://``, ...); its settings
and keys come from fsspec's own configuration files and variables, never from here. What is written
appears whole or not at all, on either side.
"""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aares.errors import AudioError
from aares.files import write_atomic
from aares.scale.needs import ScaleError, require_scale

if TYPE_CHECKING:
    import fsspec

PIECE = 1 << 22  # bytes that are copied at a time


def is_url(address: str | Path) -> bool:
    """Tell whether an address is for `fsspec`, not a path of this machine.

    Parameters
    ----------
    address : str or Path

    Returns
    -------
    bool

    Examples
    --------
    >>> is_url("s3://archive/tracks"), is_url("archive/tracks"), is_url(Path("memory:/x"))
    (True, False, False)
    """
    return isinstance(address, str) and "://" in address


def open_filesystem(address: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """Find who keeps the files of a URL.

    Parameters
    ----------
    address : str

    Returns
    -------
    filesystem : fsspec.AbstractFileSystem
    path : str
        The URL without its protocol, as the filesystem has it.

    Raises
    ------
    ScaleError
        There is no such protocol, or its package is missing.

    Examples
    --------
    >>> open_filesystem("nowhere://x")
    Traceback (most recent call last):
        ...
    aares.scale.needs.ScaleError: nowhere://x: cannot be opened (Protocol not known: nowhere)
    """
    require_scale("fsspec")
    import fsspec

    try:
        found: tuple[fsspec.AbstractFileSystem, str] = fsspec.core.url_to_fs(address)
    except (ValueError, ImportError) as error:
        raise ScaleError(f"{address}: cannot be opened ({error})") from error
    return found


class Place:
    """A folder whose files are written whole or not at all.

    Parameters
    ----------
    address : str or Path
        A path, or a URL.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     place = Place(folder)
    ...     place.write("a.txt", b"all of it")
    ...     place.read("a.txt"), place.list_names()
    (b'all of it', ['a.txt'])
    """

    def __init__(self, address: str | Path) -> None:
        self.is_remote = is_url(address)
        self.address = str(address).rstrip("/") if self.is_remote else str(Path(address))
        self._found: tuple[Any, str] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_found": None}  # each process has its own connections

    @property
    def name(self) -> str:
        """Return the last part of the address.

        Returns
        -------
        str
        """
        return Path(self.address.rpartition("/")[2] if self.is_remote else self.address).name

    def _open(self) -> tuple[Any, str]:
        self._found = self._found or open_filesystem(self.address)
        return self._found

    def list_names(self) -> list[str]:
        """List the files of the folder, not those below it.

        Returns
        -------
        list of str
            Sorted; empty where there is no such folder.

        Raises
        ------
        OSError
            It cannot be read.
        """
        if not self.is_remote:
            folder = Path(self.address)
            return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        filesystem, path = self._open()
        filesystem.invalidate_cache()
        try:
            found = filesystem.ls(path, detail=True)
        except FileNotFoundError:
            return []
        return sorted(one["name"].rpartition("/")[2] for one in found if one["type"] == "file")

    def read(self, name: str) -> bytes:
        """Return what a file holds.

        Parameters
        ----------
        name : str

        Returns
        -------
        bytes

        Raises
        ------
        OSError
            It is missing, or cannot be read.
        """
        if not self.is_remote:
            return Path(self.address, name).read_bytes()
        filesystem, path = self._open()
        content: bytes = filesystem.cat_file(f"{path}/{name}")
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write a file in one step: it appears when it is complete.

        Parameters
        ----------
        name : str
        content : bytes

        Raises
        ------
        OSError
            The disk is full, or the folder cannot be written to; an older file stays.
        """
        if not self.is_remote:
            write_atomic(Path(self.address, name), content)
            return
        filesystem, path = self._open()
        draft = f"{path}/.{name}.{uuid.uuid4().hex}.tmp"
        try:
            filesystem.makedirs(path, exist_ok=True)
            filesystem.pipe_file(draft, content)
            filesystem.mv(draft, f"{path}/{name}")
        except BaseException:
            with suppress(Exception):
                filesystem.rm_file(draft)
            raise

    def delete(self, name: str) -> None:
        """Delete a file, if it is there.

        Parameters
        ----------
        name : str

        Raises
        ------
        OSError
            It cannot be deleted.
        """
        if not self.is_remote:
            Path(self.address, name).unlink(missing_ok=True)
            return
        filesystem, path = self._open()
        with suppress(FileNotFoundError):
            filesystem.rm_file(f"{path}/{name}")


@contextmanager
def fetch_file(address: str) -> Iterator[tuple[Path, bytes]]:
    """Have a file of object storage on this machine for a while.

    Parameters
    ----------
    address : str
        A URL.

    Yields
    ------
    path : Path
        Of the same name.
    digest : bytes
        16 bytes of its content's BLAKE2.

    Raises
    ------
    AudioError
        It is missing, or cannot be read.
    ScaleError
        There is no room for it here.

    Examples
    --------
    >>> Place("memory://fetching").write("a.txt", b"some text")
    >>> with fetch_file("memory://fetching/a.txt") as (path, digest):
    ...     path.name, path.read_bytes(), digest.hex()[:8]
    ('a.txt', b'some text', 'f4059a63')
    """
    filesystem, source = open_filesystem(address)
    name = source.rpartition("/")[2]
    total = hashlib.blake2b(digest_size=16)
    with tempfile.TemporaryDirectory(prefix="aares-") as folder:
        try:
            stream = filesystem.open(source, "rb")
        except OSError as error:
            raise AudioError(f"{name}: expected an audio file, found none to read") from error
        path = Path(folder, name)
        with stream, path.open("wb") as copy:
            for piece in _read_pieces(stream, name):
                total.update(piece)
                try:
                    copy.write(piece)
                except OSError as error:
                    raise ScaleError(
                        f"{folder}: no room for a copy of {name} ({error.strerror})"
                    ) from error
        yield path, total.digest()


def _read_pieces(stream: Any, name: str) -> Iterator[bytes]:
    while True:
        try:
            piece = stream.read(PIECE)
        except OSError as error:
            raise AudioError(f"{name}: cannot be read to its end ({error})") from error
        if not piece:
            return
        yield piece
