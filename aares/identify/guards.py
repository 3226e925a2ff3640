"""What a search is about to read of a segment on the disk is checked first, and only that.

Used by :class:`aares.identify.Index`: the compiled loops of :mod:`.vote` and :mod:`.evidence` trust
the numbers they are given.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from aares.identify import pairs, peaks
from aares.identify.segment import RUN, Segment
from aares.identify.storage import Guarded, Origin

N_RUNS = pairs.N_HASHES // RUN
TYPES = dict(zip(Segment._fields, ("uint32",) * 4 + ("uint16",), strict=True))
BLOCK_STEPS = peaks.BLOCK_FRAMES * peaks.STEPS


@njit(cache=True)
def _find_rows(
    keys: np.ndarray, low: np.ndarray, high: np.ndarray, hashes: np.ndarray
) -> np.ndarray:
    """Return the rows of the hashes that there are, each looked for in its run."""
    rows = np.empty(len(hashes), dtype=np.int64)
    filled = 0
    for i in range(len(hashes)):
        row = low[i]
        while row < high[i] and keys[row] < hashes[i]:
            row += 1
        if row < high[i] and keys[row] == hashes[i]:
            rows[filled] = row
            filled += 1
    return rows[:filled]


class SegmentGuard:
    """The arrays of a segment in a file, each with the sums of its blocks.

    Parameters
    ----------
    arrays : mapping of str to Guarded
        Those of a `Segment` and, if it is large, its ``table``.
    n_blocks : int
        Blocks that its recordings take, with the gaps after them.

    Raises
    ------
    ValueError
        Types or lengths contradict each other.

    Examples
    --------
    One hash, at frame 5 of three blocks.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from aares.identify.segment import make_segment
    >>> from aares.identify.storage import read_arrays, write_arrays
    >>> hashes, frames = np.array([7], dtype=np.uint32), np.array([5], dtype=np.uint32)
    >>> segment = make_segment(hashes, frames, np.zeros(3, int), np.zeros(0, dtype=np.uint16))
    >>> folder = tempfile.TemporaryDirectory()
    >>> _ = write_arrays(Path(folder.name) / "a.segment", {}, segment._asdict())
    >>> guard = SegmentGuard(read_arrays(Path(folder.name) / "a.segment")[1], 3)
    >>> guard.check_all().postings.tolist()
    [5]
    >>> folder.cleanup()
    """

    def __init__(self, arrays: Mapping[str, Guarded], n_blocks: int) -> None:
        kinds = TYPES | ({"table": "uint32"} if "table" in arrays else {})
        for key, kind in kinds.items():
            if key not in arrays or arrays[key].array.dtype != kind:
                raise ValueError(f"{key} must be {kind}")
        self.origin: Origin | None = None
        self._arrays = dict(arrays)
        self.segment = Segment(**{key: arrays[key].array for key in Segment._fields})
        n_keys, n_postings = len(self.segment.keys), len(self.segment.postings)
        if len(self.segment.blocks) != n_blocks + 1:
            raise ValueError("blocks do not fit the recordings")
        if len(self.segment.starts) != n_keys + 1:
            raise ValueError("starts do not fit the keys")
        arrays["keys"].expect(rising=True, limit=pairs.N_HASHES - 1)
        arrays["starts"].expect(rising=True, limit=n_postings)
        arrays["postings"].expect(limit=max(n_blocks * peaks.BLOCK_FRAMES - 1, 0))
        arrays["blocks"].expect(rising=True, limit=len(self.segment.peaks))
        if "table" in arrays:
            if len(arrays["table"].array) != N_RUNS + 1:
                raise ValueError(f"table: expected {N_RUNS + 1:,} runs")
            self.table: np.ndarray | None = (
                arrays["table"].expect(rising=True, limit=n_keys).check_all()
            )
        else:
            self.table = None

    @property
    def is_checked(self) -> bool:
        """Tell whether all of it was checked.

        Returns
        -------
        bool
        """
        return all(one.is_checked for one in self._arrays.values())

    def check_all(self) -> Segment:
        """Check every block, and that the arrays fit each other.

        Returns
        -------
        Segment

        Raises
        ------
        IndexFileError
            Something is damaged.
        """
        for one in self._arrays.values():
            one.check_all()
        segment = self.segment
        if (segment.keys[1:] == segment.keys[:-1]).any():
            self._arrays["keys"].refuse("contradicts itself, a hash stands there twice")
        for key, offsets, count in (
            ("starts", segment.starts, len(segment.postings)),
            ("blocks", segment.blocks, len(segment.peaks)),
        ):
            if offsets[0] != 0 or offsets[-1] != count:
                self._arrays[key].refuse("contradicts itself, it does not end where it should")
        return segment

    def check_keys(self) -> np.ndarray:
        """Check the hashes, and return them.

        Returns
        -------
        ndarray of uint32, shape (n_keys,)

        Raises
        ------
        IndexFileError
            They are damaged.
        """
        return self._arrays["keys"].check_all()

    def check_hashes(self, table: np.ndarray, hashes: np.ndarray) -> None:
        """Check what is read to find the postings of some hashes.

        Parameters
        ----------
        table : ndarray of uint32, shape (65537,)
            From `segment.make_table`.
        hashes : ndarray of uint32, shape (n,)

        Raises
        ------
        IndexFileError
            Some of it is damaged.
        """
        keys = self.segment.keys
        low = table[hashes // RUN].astype(np.int64)
        high = table[hashes // RUN + 1].astype(np.int64)
        if (high - low > RUN).any():
            self._arrays["keys"].refuse(f"contradicts itself, more than {RUN} hashes in a run")
        self._arrays["keys"].check(low, high)
        rows = _find_rows(keys, low, high, hashes)
        self._arrays["starts"].check(rows, rows + 2)

    def check_postings(self, first: np.ndarray, last: np.ndarray) -> None:
        """Check some postings.

        Parameters
        ----------
        first, last : ndarray of int64, shape (n,)
            Ranges of them, the last of each excluded.

        Raises
        ------
        IndexFileError
            Some of them are damaged.
        """
        self._arrays["postings"].check(first, last)

    def check_places(self, places: np.ndarray, n_steps: int) -> None:
        """Check what `evidence.measure` reads around some places.

        Parameters
        ----------
        places : ndarray of int64, shape (n,)
            Steps at which the query begins.
        n_steps : int
            Its length.

        Raises
        ------
        IndexFileError
            Some of it is damaged.
        """
        last = len(self.segment.blocks) - 1
        # a block more at either end: places are tried a few steps beside
        first = np.clip(places // BLOCK_STEPS - 1, 0, last)
        end = np.clip((places + n_steps) // BLOCK_STEPS + 2, 0, last)
        self._arrays["blocks"].check(first, end + 1)
        self._arrays["peaks"].check(self.segment.blocks[first], self.segment.blocks[end])
