"""An index that is opened again when somebody has changed it."""

from __future__ import annotations

from pathlib import Path

from aares.errors import IndexFileError
from aares.identify import Index
from aares.identify.store import MANIFEST, measure_size


class LivingIndex:
    """The state of an index that holds now.

    A state that was opened stays whole whatever a writer does, so a search that runs is not
    disturbed; the next one finds the new state. Where that cannot be opened, the old one goes on.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    IndexFileError
        There is no index.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "music.index"
    ...     _ = Index.from_signals({"a": np.ones(8000)}).save(path)
    ...     living = LivingIndex(path)
    ...     first = living.get()
    ...     with Index.edit(path) as index:
    ...         index.add({"b": np.ones(8000)})
    ...         _ = index.save(path)
    ...     len(first), len(living.get())
    (1, 2)
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._mark = self._read_mark()
        self._index = Index.open(self.path)
        self.n_opened = 1

    def get(self) -> Index:
        """Return the index as it is now.

        Returns
        -------
        Index
        """
        mark = self._read_mark()
        if mark is not None and mark != self._mark:
            try:
                self._index = Index.open(self.path)
            except IndexFileError:
                return self._index
            self._mark = mark
            self.n_opened += 1
        return self._index

    def _read_mark(self) -> tuple[int, int, int] | None:
        try:
            about = (self.path / MANIFEST).stat()
        except OSError:
            return None
        return about.st_mtime_ns, about.st_size, about.st_ino

    def count_bytes(self) -> int:
        """Return how much its files take.

        Returns
        -------
        int
            Bytes; 0 where they are gone.
        """
        try:
            return measure_size(self.path)
        except OSError:  # a writer deletes what it replaced
            return 0
