"""What an index knows of its recordings besides their peaks: names, lengths, files, who is left.

Used by :class:`aares.identify.Index`. The table lies in arrays, so that one of a hundred thousand
recordings is opened without reading their names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, overload

import numpy as np

from aares.errors import IndexFileError
from aares.identify.storage import Guarded, Origin

MAX_BLOCKS = (1 << 27) - 64  # of a recording: its frames, and the gap behind them, fit 32 bits
MAX_NAME = 1 << 16  # bytes
TYPES = {
    "n_blocks": "uint32", "ms": "uint64", "removed": "uint8", "names": "uint8",
    "name_ends": "uint64", "files": "uint8", "file_ends": "uint64", "facts": "uint64",
}  # fmt: skip
_N_FACTS = 4  # of a file: size, time of change, two halves of its digest
_TEXT = "utf-8", "surrogatepass"  # a file's name may be any bytes, or half a pair on Windows


class Recording(NamedTuple):
    """What an index knows of a recording besides its peaks.

    Parameters
    ----------
    name : str
    n_blocks : int
        Blocks of 32 frames that it takes, without the gap.
    seconds : float
    """

    name: str
    n_blocks: int
    seconds: float


class Source(NamedTuple):
    """The file that a recording was read from, as it was then.

    Parameters
    ----------
    path : str
        Absolute.
    size : int
        Bytes.
    changed_ns : int
        When it was changed last, in nanoseconds since 1970.
    digest : bytes
        16 bytes of its content's BLAKE2.
    """

    path: str
    size: int
    changed_ns: int
    digest: bytes


class Roll(Sequence[Recording]):
    """The recordings of a part in their order, those that were removed among them.

    Parameters
    ----------
    arrays : mapping of str to ndarray or Guarded
        Those of `TYPES`, as `arrays` has them.

    Raises
    ------
    ValueError
        Their lengths contradict each other.

    Examples
    --------
    >>> roll = Roll.make([Recording("a", 3, 3.0), Recording("b", 2, 1.5)])
    >>> roll[1], roll.change(removed=[0]).removed.tolist()
    (Recording(name='b', n_blocks=2, seconds=1.5), [True, False])
    """

    def __init__(self, arrays: Mapping[str, np.ndarray | Guarded]) -> None:
        self.arrays = {key: _unwrap(array) for key, array in arrays.items()}
        self.origin: Origin | None = None
        self._guards = {key: one for key, one in arrays.items() if isinstance(one, Guarded)}
        for key, kind in TYPES.items():
            if key not in self.arrays or self.arrays[key].dtype != kind:
                raise ValueError(f"{key} must be {kind}")
        n = len(self.arrays["n_blocks"])
        lengths = {"ms": n, "removed": n, "name_ends": n, "file_ends": n, "facts": _N_FACTS * n}
        for key, length in lengths.items():
            if len(self.arrays[key]) != length:
                raise ValueError(f"{key}: expected {length:,} numbers, found another count")
        for text, ends in (("names", "name_ends"), ("files", "file_ends")):
            if ends in self._guards:
                self._guards[ends].expect(rising=True, limit=len(self.arrays[text]))
        for key, limit in (("n_blocks", MAX_BLOCKS), ("removed", 1)):
            if key in self._guards:
                self._guards[key].expect(limit=limit).check_all()
        self.removed = self.arrays["removed"].astype(bool)
        self.n_blocks = self.arrays["n_blocks"].astype(np.int64)

    @classmethod
    def make(
        cls,
        recordings: Sequence[Recording],
        sources: Sequence[Source | None] | None = None,
        removed: Iterable[bool] | None = None,
    ) -> Roll:
        """Write a table.

        Parameters
        ----------
        recordings : sequence of Recording
        sources : sequence of Source or None, optional
            The file of each, if it came from one.
        removed : iterable of bool, optional

        Returns
        -------
        Roll

        Raises
        ------
        ValueError
            A recording or its name is longer than an index holds.
        """
        found = list(sources) if sources is not None else [None] * len(recordings)
        gone = [False] * len(recordings) if removed is None else list(removed)
        facts = []
        for one in recordings:
            if not 0 <= one.n_blocks <= MAX_BLOCKS:
                raise ValueError(
                    f"{one.name}: expected a recording of at most {MAX_BLOCKS:,} blocks of 1.02 s, "
                    f"found {one.n_blocks:,}"
                )
        for source in found:
            digest = np.frombuffer(source.digest if source else bytes(16), dtype="<u8")
            numbers = (source.size, max(source.changed_ns, 0)) if source else (0, 0)
            facts += [*numbers, *digest.tolist()]
        names, name_ends = _write_texts([one.name for one in recordings])
        files, file_ends = _write_texts([source.path if source else "" for source in found])
        arrays = {
            "n_blocks": [one.n_blocks for one in recordings],
            "ms": [round(one.seconds * 1000) for one in recordings],
            "removed": gone, "names": names, "name_ends": name_ends,
            "files": files, "file_ends": file_ends, "facts": facts,
        }  # fmt: skip
        return cls({key: np.array(arrays[key], dtype=kind) for key, kind in TYPES.items()})

    def __len__(self) -> int:
        return len(self.n_blocks)

    @overload
    def __getitem__(self, row: int) -> Recording: ...
    @overload
    def __getitem__(self, row: slice) -> list[Recording]: ...
    def __getitem__(self, row: int | slice) -> Recording | list[Recording]:
        if isinstance(row, slice):
            return [self[k] for k in range(*row.indices(len(self)))]
        row = range(len(self))[row]
        self._check(["ms"], row)
        seconds = int(self.arrays["ms"][row]) / 1000
        return Recording(self._read("names", row), int(self.n_blocks[row]), seconds)

    def get_source(self, row: int) -> Source | None:
        """Return the file that a recording was read from.

        Parameters
        ----------
        row : int

        Returns
        -------
        Source or None
            None for a signal that came from memory.
        """
        path = self._read("files", row)
        if not path:
            return None
        if "facts" in self._guards:
            self._guards["facts"].check(_N_FACTS * np.array([row]), _N_FACTS * np.array([row + 1]))
        facts = self.arrays["facts"][_N_FACTS * row : _N_FACTS * (row + 1)]
        return Source(path, int(facts[0]), int(facts[1]), facts[2:].astype("<u8").tobytes())

    def change(
        self,
        *,
        removed: Iterable[int] = (),
        renamed: Mapping[int, tuple[str, Source | None]] | None = None,
    ) -> Roll:
        """Return the table after recordings were removed or got another name or file.

        Parameters
        ----------
        removed : iterable of int
            Rows.
        renamed : mapping of int to (str, Source or None), optional
            New name and file of rows.

        Returns
        -------
        Roll
        """
        gone = self.removed.copy()
        gone[list(removed)] = True
        if not renamed:
            self.check_all()
            return Roll(self.arrays | {"removed": gone.astype(np.uint8)})
        rows, sources = list(self), [self.get_source(row) for row in range(len(self))]
        for row, (name, source) in renamed.items():
            rows[row], sources[row] = rows[row]._replace(name=name), source
        return Roll.make(rows, sources, gone)

    def check_all(self) -> None:
        """Check what lies on the disk.

        Raises
        ------
        IndexFileError
            Some of it is damaged.
        """
        for guard in self._guards.values():
            guard.check_all()

    def _check(self, keys: Sequence[str], row: int) -> None:
        for key in keys:
            if key in self._guards:
                self._guards[key].check(np.array([max(row - 1, 0)]), np.array([row + 1]))

    def _read(self, texts: str, row: int) -> str:
        ends = {"names": "name_ends", "files": "file_ends"}[texts]
        self._check([ends], row)
        first = int(self.arrays[ends][row - 1]) if row else 0
        last = int(self.arrays[ends][row])
        if texts in self._guards:
            self._guards[texts].check(np.array([first]), np.array([last]))
        try:
            return self.arrays[texts][first:last].tobytes().decode(*_TEXT)
        except UnicodeDecodeError as error:
            raise IndexFileError(f"{texts} of an index: not text ({error.reason})") from error


def _unwrap(array: np.ndarray | Guarded) -> np.ndarray:
    return array.array if isinstance(array, Guarded) else array


def _write_texts(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    encoded = [text.encode(*_TEXT) for text in texts]
    for text in encoded:
        if len(text) > MAX_NAME:
            raise ValueError(
                f"expected names of at most {MAX_NAME:,} bytes, found one of {len(text):,}"
            )
    ends = np.cumsum([len(text) for text in encoded], dtype=np.uint64)
    return np.frombuffer(b"".join(encoded), dtype=np.uint8), ends
