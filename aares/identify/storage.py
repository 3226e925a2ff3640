"""The files of an index: arrays behind a header, read in place, each block with its own checksum.

Used by :mod:`.store`.

Layout (little endian): 8 bytes of magic, the format's version, the header's length and its CRC-32
(three uint32), the header as JSON, then the arrays, each at a multiple of 64 bytes, then a sum for
each block of 4 KiB of each array (uint64). The header names each array with its type, length and
position. Opening reads the header only; a block is checked when somebody is about to use it.
Whatever somebody else's file holds, reading it runs no code and allocates no more than its size.
"""

from __future__ import annotations

import json
import mmap
import os
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from aares.errors import IndexFileError
from aares.files import replacing
from aares.identify.blocks import find_damaged, find_misplaced, list_unchecked

MAGIC = b"AARESIDX"
VERSION = 3
ALIGNMENT = 64
BLOCK = 4096  # bytes that share a sum: what a disk reads at least
TYPES: dict[str, np.dtype[Any]] = {
    "uint8": np.dtype("<u1"),
    "uint16": np.dtype("<u2"),
    "uint32": np.dtype("<u4"),
    "uint64": np.dtype("<u8"),
}
MAX_HEADER = 1 << 20
REMEDY = "index the folder anew: index FOLDER --out NEW"
_PREFIX = len(MAGIC) + 12
_WORDS = BLOCK // 8
_ANY = (1 << 64) - 1
# Odd numbers have an inverse modulo 2 ** 64: a change of one word always changes the sum.
_ODD = np.uint64(0x9E3779B97F4A7C15)
_WEIGHTS = (np.arange(_WORDS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)) * _ODD


class Pieces(NamedTuple):
    """An array that is written without ever being whole in memory.

    Parameters
    ----------
    dtype : numpy.dtype
    length : int
        Of all pieces together.
    pieces : iterable of ndarray
    """

    dtype: np.dtype[Any]
    length: int
    pieces: Iterable[np.ndarray]


class Origin(NamedTuple):
    """The file in which something lies.

    Parameters
    ----------
    folder : Path
        Resolved.
    number : int
        In its name.
    crc : int
        Of its header.
    """

    folder: Path
    number: int
    crc: int


def write_arrays(
    path: Path, about: Mapping[str, Any], arrays: Mapping[str, np.ndarray | Pieces]
) -> int:
    """Write arrays and what is to be known about them in one step.

    The file appears when it is complete and on the disk; until then, and if anything goes wrong,
    an older file of that name stays as it was.

    Parameters
    ----------
    path : Path
        Missing parent folders are made.
    about : mapping
        Of JSON values.
    arrays : mapping of str to ndarray, shape (n,), or Pieces
        Of the types of `TYPES`.

    Returns
    -------
    int
        CRC-32 of the header, by which `read_arrays` knows the file again.

    Raises
    ------
    IndexFileError
        The header would be longer than what is read again.
    ValueError
        Pieces are not as long together as they should be.
    OSError
        The disk is full, or the folder cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> arrays = {"keys": np.arange(3, dtype=np.uint32)}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_arrays(Path(folder) / "a.segment", {}, arrays)
    ...     (Path(folder) / "a.segment").read_bytes()[:8]
    b'AARESIDX'
    """
    entries, position = {}, 0
    parts = {
        key: array if isinstance(array, Pieces) else Pieces(array.dtype, len(array), [array])
        for key, array in arrays.items()
    }
    for key, part in parts.items():
        entries[key] = {"type": part.dtype.name, "length": part.length, "position": position}
        position += _align(part.length * part.dtype.itemsize)
    header = json.dumps({"about": dict(about), "arrays": entries}).encode()
    if len(header) > MAX_HEADER:
        raise IndexFileError(
            f"{path.name}: expected a header of at most {MAX_HEADER:,} bytes, found {len(header):,}"
        )
    crc = zlib.crc32(header)
    prefix = MAGIC + np.array([VERSION, len(header), crc], dtype="<u4").tobytes() + header
    with replacing(path) as stream:
        stream.write(prefix.ljust(_align(len(prefix)), b"\0"))
        sums = [_write_pieces(stream, key, part) for key, part in parts.items()]
        stream.write(np.concatenate([*sums, np.zeros(0, dtype=np.uint64)]).tobytes())
    return crc


def _write_pieces(stream: BinaryIO, key: str, part: Pieces) -> np.ndarray:
    """Write an array, padded with zeros, and return the sums of its blocks."""
    sums: list[np.ndarray] = []
    rest, n_bytes = np.zeros(0, dtype=np.uint8), 0
    for piece in part.pieces:
        data = np.ascontiguousarray(piece, dtype=part.dtype).view(np.uint8)
        n_bytes += len(data)
        data = np.concatenate([rest, data]) if len(rest) else data
        whole = len(data) // BLOCK * BLOCK
        stream.write(data[:whole].data)
        sums.append(data[:whole].view(np.uint64).reshape(-1, _WORDS) @ _WEIGHTS)
        rest = data[whole:]
    if n_bytes != part.length * part.dtype.itemsize:
        raise ValueError(f"{key}: expected {part.length:,} numbers in pieces, found another count")
    if len(rest):
        tail = np.zeros(_align(len(rest)), dtype=np.uint8)
        tail[: len(rest)] = rest
        stream.write(tail.data)
        sums.append(np.atleast_1d(tail.view(np.uint64) @ _WEIGHTS[: len(tail) // 8]))
    total = np.concatenate([*sums, np.zeros(0, dtype=np.uint64)])
    total += np.arange(len(total), dtype=np.uint64) * _ODD  # blocks cannot change places
    return total


def _align(position: int) -> int:
    return -(-position // ALIGNMENT) * ALIGNMENT


class Guarded:
    """An array of a file whose blocks are checked before they are used first.

    Parameters
    ----------
    name : str
        For messages.
    array : ndarray, shape (n,)
        In the file, read-only.
    words : ndarray of uint64, shape (m,)
        The same bytes with their padding.
    sums : ndarray of uint64, shape (n_blocks,)
        What the blocks must sum up to.

    Examples
    --------
    Offsets must rise; one of the second block is damaged, which those of the first do not know.

    >>> import tempfile
    >>> offsets = np.arange(2000, dtype=np.uint32)
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "a.segment"
    >>> _ = write_arrays(path, {}, {"starts": offsets})
    >>> data = bytearray(path.read_bytes())
    >>> data[data.index(offsets[1500:1510].tobytes())] ^= 1
    >>> _ = path.write_bytes(data)
    >>> starts = read_arrays(path)[1]["starts"].expect(rising=True, limit=2000)
    >>> starts.check(np.array([5]), np.array([9]))
    >>> try:
    ...     starts.check_all()
    ... except IndexFileError as error:
    ...     print(str(error).partition(";")[0])
    a.segment, starts: damaged, block 1 of 2 has another checksum
    >>> folder.cleanup()
    """

    def __init__(self, name: str, array: np.ndarray, words: np.ndarray, sums: np.ndarray) -> None:
        self.name, self.array = name, array
        self._words, self._sums = words, sums
        self._done = np.zeros(len(sums), dtype=bool)
        self._rising = False
        self._limit: int | None = None

    def expect(self, *, rising: bool = False, limit: int | None = None) -> Guarded:
        """Set what the numbers must be, whatever their sum.

        Parameters
        ----------
        rising : bool
            None is smaller than the one before it.
        limit : int, optional
            None is larger.

        Returns
        -------
        Guarded
            Itself.
        """
        self._rising, self._limit = rising, limit
        return self

    @property
    def is_checked(self) -> bool:
        """Tell whether all of it was checked.

        Returns
        -------
        bool
        """
        return bool(self._done.all())

    def check_all(self) -> np.ndarray:
        """Check what was not yet, and return the array.

        Returns
        -------
        ndarray, shape (n,)

        Raises
        ------
        IndexFileError
            A block is damaged.
        """
        todo = np.flatnonzero(~self._done)
        for start in range(0, len(todo), 1024):  # 4 MiB at a time
            self._check_blocks(todo[start : start + 1024])
        return self.array

    def check(self, first: np.ndarray, last: np.ndarray) -> None:
        """Check the blocks that hold some ranges.

        Parameters
        ----------
        first, last : ndarray of int, shape (n,)
            Ranges of elements, the last of each excluded; what lies outside the array is cut off.

        Raises
        ------
        IndexFileError
            A block is damaged.
        """
        todo = list_unchecked(
            np.asarray(first, dtype=np.int64), np.asarray(last, dtype=np.int64),
            self._done, len(self.array), BLOCK // self.array.itemsize,
        )  # fmt: skip
        self._check_blocks(todo)

    def _check_blocks(self, blocks: np.ndarray) -> None:
        if not len(blocks):
            return
        bad = find_damaged(self._words, self._sums, blocks, _WEIGHTS)
        if bad >= 0:
            self.refuse(f"damaged, block {bad} of {len(self._done)} has another checksum")
        if self._rising or self._limit is not None:
            self._check_numbers(blocks)
        self._done[blocks] = True

    def _check_numbers(self, blocks: np.ndarray) -> None:
        limit = np.uint64(_ANY if self._limit is None else self._limit)
        falls, exceeds = find_misplaced(self.array, blocks, BLOCK // self.array.itemsize, limit)
        if self._rising and falls:
            self.refuse("contradicts itself, its numbers are out of order")
        if exceeds:
            self.refuse(f"contradicts itself, a number is larger than {self._limit:,}")

    def refuse(self, reason: str) -> None:
        """Raise the error that says what is wrong with the array.

        Parameters
        ----------
        reason : str

        Raises
        ------
        IndexFileError
            Always.
        """
        raise IndexFileError(f"{self.name}: {reason}; {REMEDY}")


def read_arrays(path: Path, crc: int | None = None) -> tuple[dict[str, Any], dict[str, Guarded]]:
    """Open a file of `write_arrays`; the arrays stay on the disk, and no block of them is read.

    Parameters
    ----------
    path : Path
    crc : int, optional
        What `write_arrays` returned, to notice a file of another index.

    Returns
    -------
    about : dict
    arrays : dict of str to Guarded

    Raises
    ------
    FileNotFoundError
        There is no such file.
    IndexFileError
        The file is of another kind or version, cut off, or its header damaged.

    Examples
    --------
    >>> import tempfile
    >>> arrays = {"keys": np.arange(3, dtype=np.uint32)}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.segment"
    ...     _ = write_arrays(path, {}, arrays)
    ...     read_arrays(path)[1]["keys"].check_all().tolist()
    [0, 1, 2]
    """
    name = path.name
    try:
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size < _PREFIX:
                raise IndexFileError(f"{name}: not of an index, only {size} bytes long")
            view = np.frombuffer(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise IndexFileError(f"{name}: cannot be opened ({error.strerror})") from error
    header, start, found = _read_header(name, view)
    if crc is not None and crc != found:
        raise IndexFileError(f"{name}: of another index than the files beside it")
    return header["about"], _guard_arrays(name, view[start:], header["arrays"])


def _read_header(name: str, view: np.ndarray) -> tuple[dict[str, Any], int, int]:
    if view[: len(MAGIC)].tobytes() != MAGIC:
        raise IndexFileError(f"{name}: not of an index of this project")
    version, length, crc = (int(word) for word in view[len(MAGIC) : _PREFIX].view("<u4"))
    if version != VERSION:
        raise IndexFileError(
            f"{name}: version {version} of the format, this reads {VERSION}; {REMEDY}"
        )
    if length > min(MAX_HEADER, len(view) - _PREFIX):
        raise IndexFileError(f"{name}: cut off inside its header; {REMEDY}")
    text = view[_PREFIX : _PREFIX + length].tobytes()
    if zlib.crc32(text) != crc:
        raise IndexFileError(f"{name}: damaged, the header's checksum is wrong; {REMEDY}")
    try:
        header = json.loads(text)
        if not isinstance(header["about"], dict) or not isinstance(header["arrays"], dict):
            raise TypeError("about, arrays")
        for entry in header["arrays"].values():
            numbers = [entry["length"], entry["position"]]
            if not all(type(number) is int and number >= 0 for number in numbers):
                raise TypeError("arrays")
            TYPES[entry["type"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IndexFileError(f"{name}: the header is not an index's ({error})") from error
    return header, _align(_PREFIX + length), crc


def _guard_arrays(
    name: str, view: np.ndarray, entries: Mapping[str, Mapping[str, Any]]
) -> dict[str, Guarded]:
    sizes = {k: _align(e["length"] * TYPES[e["type"]].itemsize) for k, e in entries.items()}
    n_sums = {key: -(-size // BLOCK) for key, size in sizes.items()}
    data = sum(sizes.values())
    if len(view) != data + 8 * sum(n_sums.values()):
        raise IndexFileError(
            f"{name}: cut off or damaged, expected {data + 8 * sum(n_sums.values()):,} bytes "
            f"behind its header, found {len(view):,}; {REMEDY}"
        )
    arrays, position, row = {}, 0, 0
    sums = view[data:].view(np.uint64)
    for key, entry in entries.items():
        if entry["position"] != position:
            raise IndexFileError(f"{name}, {key}: the array does not begin where it should")
        dtype = TYPES[entry["type"]]
        words = view[position : position + sizes[key]]
        array = words[: entry["length"] * dtype.itemsize].view(dtype)
        one = sums[row : row + n_sums[key]]
        arrays[key] = Guarded(f"{name}, {key}", array, words.view(np.uint64), one)
        position, row = position + sizes[key], row + n_sums[key]
    return arrays
