"""One writer for each index: a lock of the system, which ends with the process that holds it.

Used by :class:`aares.identify.Index`.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from aares.errors import AaresError
from aares.files import write_atomic

LOCK, HOLDER = "lock", "writer"
POLL_S = 0.05


class IndexBusyError(AaresError):
    """Another process writes to the index."""


@contextmanager
def locked(folder: Path, *, wait_s: float = 0.0) -> Iterator[None]:
    """Be the only one who writes to an index; readers are not kept out.

    Parameters
    ----------
    folder : Path
        Of the index; it is made where it is missing.
    wait_s : float
        How long to wait for another writer.

    Yields
    ------
    None

    Raises
    ------
    IndexBusyError
        Another one is at it: the message says who, and since when.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name, locked(Path(name)):
    ...     try:
    ...         with locked(Path(name)):
    ...             pass
    ...     except IndexBusyError as error:
    ...         "has been writing to it since" in str(error)
    True
    """
    from filelock import FileLock, Timeout  # readers need not wait for it

    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=max(wait_s, 0.0), poll_interval=POLL_S)
    except Timeout:
        raise IndexBusyError(
            f"{folder.name}: {describe_writer(folder)}; try again when it is done"
        ) from None
    try:
        about = {"process": os.getpid(), "host": platform.node()}
        write_atomic(folder / HOLDER, json.dumps(about))
        yield
    finally:
        with suppress(OSError):
            (folder / HOLDER).unlink(missing_ok=True)
        lock.release()


def is_locked(folder: Path) -> bool:
    """Tell whether somebody writes to an index now.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    bool

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name, locked(Path(name)):
    ...     is_locked(Path(name))
    True
    """
    from filelock import FileLock, Timeout

    if not (folder / LOCK).is_file():
        return False
    try:
        with FileLock(folder / LOCK, timeout=0):
            return False
    except Timeout:
        return True


def describe_writer(folder: Path) -> str:
    """Say who writes to an index.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    str

    Examples
    --------
    >>> describe_writer(Path("nowhere.index"))
    'another process is writing to it'
    """
    try:
        about = json.loads((folder / HOLDER).read_bytes())
        since = datetime.fromtimestamp((folder / HOLDER).stat().st_mtime)
        who = f"process {int(about['process'])} on {str(about['host'])[:80]}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process is writing to it"
    return f"{who} has been writing to it since {since:%Y-%m-%d %H:%M:%S}"
