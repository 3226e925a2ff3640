"""Writing files so that nothing is ever half there."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Write a file that appears when it is complete and on the disk.

    Until then, and if anything goes wrong, an older file of that name stays as it was.

    Parameters
    ----------
    path : Path
        Missing parent folders are made.

    Yields
    ------
    binary stream
        To write to.

    Examples
    --------
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = write_atomic(Path(folder.name) / "note.txt", "old")
    >>> with replacing(path) as stream:
    ...     _ = stream.write(b"half of the n")
    ...     raise OSError("the disk is full")
    Traceback (most recent call last):
        ...
    OSError: the disk is full
    >>> path.read_text(), [child.name for child in path.parent.iterdir()]
    ('old', ['note.txt'])
    >>> folder.cleanup()
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_atomic(path: Path, content: str | bytes) -> Path:
    """Write `content` to `path` in one step: readers see the old file or the new one.

    Parameters
    ----------
    path : Path
        Missing parent folders are made.
    content : str or bytes
        Text is written as UTF-8 with ``\\n`` line ends on every system.

    Returns
    -------
    Path
        `path`.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomic(Path(folder) / "new" / "note.txt", "café").read_bytes().hex(" ")
    '63 61 66 c3 a9'
    """
    with replacing(path) as stream:
        stream.write(content.encode("utf-8") if isinstance(content, str) else content)
    return path


def digest(content: bytes) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of `content`.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    str

    Examples
    --------
    >>> digest(b"AARES"), digest(b"AARES ")
    ('5dbf198e5fbceae2', 'ebd46793fa953c5f')
    """
    return hashlib.sha256(content).hexdigest()[:16]
