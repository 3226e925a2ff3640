"""The bytes of a large file, of which a few are in memory.

Used by :mod:`aares.audio.sources` and :mod:`aares.audio.mpeg`. A mapped file would be simpler, but
what was looked at of it counts as memory of the program: 400 MB for three hours of music.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

WINDOW = 1 << 20


class Content:
    """A file whose bytes are asked for as of ``bytes``, mostly one after another.

    Parameters
    ----------
    file : binary file
        Open as long as this is used; see `open_content`.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, 2)
        self._start, self._window = 0, b""

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        start, stop = part.start, min(part.stop, self._size)
        if not self._start <= start <= stop <= self._start + len(self._window):
            self._load(start, stop - start)
        return self._window[start - self._start : stop - self._start]

    def find(self, wanted: bytes, start: int) -> int:
        """Return where bytes occur next.

        Parameters
        ----------
        wanted : bytes
        start : int

        Returns
        -------
        int
            -1 where they do not.
        """
        while start + len(wanted) <= self._size:
            if not self._start <= start <= self._start + len(self._window) - len(wanted):
                self._load(start, len(wanted))
                if len(self._window) < len(wanted):  # the file became shorter meanwhile
                    return -1
            place = self._window.find(wanted, start - self._start)
            if place >= 0:
                return self._start + place
            start = self._start + len(self._window) - len(wanted) + 1
        return -1

    def _load(self, start: int, size: int) -> None:
        self._file.seek(start)
        self._start, self._window = start, self._file.read(max(size, WINDOW))


@contextmanager
def open_content(path: str | Path) -> Iterator[Content]:
    """Open the bytes of a file.

    Parameters
    ----------
    path : str or Path

    Yields
    ------
    Content

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "a")
    ...     _ = file.write_bytes(b"one two")
    ...     with open_content(file) as content:
    ...         len(content), content[4:9], content.find(b"o", 1), content.find(b"x", 0)
    (7, b'two', 6, -1)
    """
    with Path(path).open("rb") as file:
        yield Content(file)
