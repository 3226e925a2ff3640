"""The file of an index: arrays behind a header, read in place and replaced in one step.

Used by notebook 04 through :class:`aares.identify.Index`.

Layout (little endian): 8 bytes of magic, the format's version, the header's length and its CRC-32
(three uint32), the header as JSON, then the arrays, each at a multiple of 64 bytes. The header
names each array with its type, length, position and CRC-32. Whatever somebody else's file
holds, reading it runs no code and allocates no more than the file's size.
"""

from __future__ import annotations

import json
import mmap
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from aares.errors import IndexFileError
from aares.files import replacing

MAGIC = b"AARESIDX"
VERSION = 2
ALIGNMENT = 64
TYPES: dict[str, np.dtype[Any]] = {"uint16": np.dtype("<u2"), "uint32": np.dtype("<u4")}
MAX_HEADER = 1 << 28
_PREFIX = len(MAGIC) + 12


def write_arrays(path: Path, about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Path:
    """Write arrays and what is to be known about them in one step.

    The file appears when it is complete and on the disk; until then, and if anything goes wrong,
    an older file of that name stays as it was.

    Parameters
    ----------
    path : Path
        Missing parent folders are made.
    about : mapping
        Of JSON values.
    arrays : mapping of str to ndarray of uint16 or uint32, shape (n,)
        The types of `TYPES`.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    OSError
        The disk is full, or the folder cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> arrays = {"keys": np.arange(3, dtype=np.uint32)}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_arrays(Path(folder) / "a.index", {}, arrays)
    ...     path.read_bytes()[:8]
    b'AARESIDX'
    """
    prefix, positions = _make_header(about, arrays)
    with replacing(path) as stream:
        stream.write(prefix)
        for key, array in arrays.items():
            stream.write(bytes(positions[key] - stream.tell()))
            stream.write(_as_bytes(array))
    return path


def _make_header(
    about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> tuple[bytes, dict[str, int]]:
    entries: dict[str, dict[str, Any]] = {}
    for key, array in arrays.items():
        data = np.ascontiguousarray(array)
        entries[key] = {
            "type": data.dtype.name,
            "length": len(data),
            "crc32": zlib.crc32(_as_bytes(data)),
            "position": 0,
        }
    # positions count from the end of the header, so that its length does not depend on them
    position = 0
    for entry in entries.values():
        entry["position"] = position
        position += _align(entry["length"] * TYPES[entry["type"]].itemsize)
    header = json.dumps({"about": dict(about), "arrays": entries}).encode()
    words = np.array([VERSION, len(header), zlib.crc32(header)], dtype="<u4")
    prefix = MAGIC + words.tobytes() + header
    start = _align(len(prefix))
    return prefix, {key: start + entry["position"] for key, entry in entries.items()}


def _as_bytes(array: np.ndarray) -> memoryview:
    view: Any = np.ascontiguousarray(array)
    return memoryview(view).cast("B")


def _align(position: int) -> int:
    return -(-position // ALIGNMENT) * ALIGNMENT


def read_arrays(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Open a file of `write_arrays`; the arrays stay on the disk, and are read once to check them.

    Parameters
    ----------
    path : Path

    Returns
    -------
    about : dict
    arrays : dict of str to ndarray of uint16 or uint32, shape (n,)
        Read-only.

    Raises
    ------
    IndexFileError
        The file is missing, of another kind or version, cut off, or damaged.

    Examples
    --------
    One byte is changed: the checksum tells.

    >>> import tempfile
    >>> arrays = {"keys": np.arange(3, dtype=np.uint32)}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_arrays(Path(folder) / "a.index", {}, arrays)
    ...     read_arrays(path)[1]["keys"].tolist()
    [0, 1, 2]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_arrays(Path(folder) / "a.index", {}, arrays)
    ...     _ = path.write_bytes(path.read_bytes()[:-1] + b"!")
    ...     read_arrays(path)
    Traceback (most recent call last):
        ...
    aares.errors.IndexFileError: a.index, keys: damaged, the checksum is wrong
    """
    name = Path(path).name
    try:
        with Path(path).open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size < _PREFIX:
                raise IndexFileError(f"{name}: not an index, only {size} bytes long")
            view = np.frombuffer(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
    except OSError as error:
        raise IndexFileError(f"{name}: cannot be opened ({error.strerror})") from error
    header, start = _read_header(name, view)
    arrays = {}
    for key, entry in header["arrays"].items():
        arrays[key] = _read_array(f"{name}, {key}", view, entry, start)
    return header["about"], arrays


def _read_header(name: str, view: np.ndarray) -> tuple[dict[str, Any], int]:
    if view[: len(MAGIC)].tobytes() != MAGIC:
        raise IndexFileError(f"{name}: not an index of this project")
    version, length, crc = (int(word) for word in view[len(MAGIC) : _PREFIX].view("<u4"))
    if version != VERSION:
        raise IndexFileError(f"{name}: version {version} of the format, this reads {VERSION}")
    if length > min(MAX_HEADER, len(view) - _PREFIX):
        raise IndexFileError(f"{name}: cut off inside its header")
    text = view[_PREFIX : _PREFIX + length].tobytes()
    if zlib.crc32(text) != crc:
        raise IndexFileError(f"{name}: damaged, the header's checksum is wrong")
    try:
        header = json.loads(text)
        entries = header["arrays"]
        if not isinstance(header["about"], dict) or not isinstance(entries, dict):
            raise TypeError("about, arrays")
        for entry in entries.values():
            numbers = [entry["length"], entry["position"], entry["crc32"]]
            if not all(type(number) is int and number >= 0 for number in numbers):
                raise TypeError("arrays")
            TYPES[entry["type"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IndexFileError(f"{name}: the header is not an index's ({error})") from error
    return header, _align(_PREFIX + length)


def _read_array(name: str, view: np.ndarray, entry: Mapping[str, Any], start: int) -> np.ndarray:
    dtype = TYPES[entry["type"]]
    first = start + entry["position"]
    last = first + entry["length"] * dtype.itemsize
    if last > len(view):
        raise IndexFileError(f"{name}: cut off, {last:,} bytes expected, {len(view):,} found")
    if first % ALIGNMENT:
        raise IndexFileError(f"{name}: the array does not begin where arrays do")
    data = view[first:last]
    if zlib.crc32(_as_bytes(data)) != entry["crc32"]:
        raise IndexFileError(f"{name}: damaged, the checksum is wrong")
    return data.view(dtype)
