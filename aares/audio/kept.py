"""Numbers of a file that are kept in a folder, so that no song is measured twice.

Used by :func:`aares.audio.features.extract_many`. A row is found by what the file holds and by what
was asked of it, not by the file's name or date; it is written in one step, so that a run that was
killed leaves whole rows only, and a row that does not fit is not believed.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aares.files import digest, write_atomic

Row = dict[str, float | bool]


@dataclass(frozen=True)
class KeptRows:
    """Rows of one kind in a folder, one file each.

    Attributes
    ----------
    folder : Path
        Is made when the first row is written.
    parameters : dict
        What was asked, as JSON can hold it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows = KeptRows(Path(folder), {"segment": "intro"})
    ...     rows.write(b"a song", {"rms": 0.1})
    ...     again = rows.read(b"a song", {"rms"}), rows.read(b"another song", {"rms"})
    >>> again
    ({'rms': 0.1}, None)
    """

    folder: Path
    parameters: dict[str, Any]

    def read(self, content: bytes, names: Collection[str]) -> Row | None:
        """Return what is kept of a file, if it is whole and has the names.

        Parameters
        ----------
        content : bytes
            Of the file.
        names : collection of str

        Returns
        -------
        dict or None
        """
        about = self._describe(content)
        try:
            kept = json.loads(self._place(about).read_text(encoding="utf-8"))
            numbers = kept["numbers"]
            fits = kept == self._seal(about, numbers) and set(numbers) == set(names)
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return numbers if fits else None

    def write(self, content: bytes, numbers: Row) -> None:
        """Keep what was measured of a file.

        Parameters
        ----------
        content : bytes
            Of the file.
        numbers : dict of float or bool
        """
        about = self._describe(content)
        write_atomic(self._place(about), json.dumps(self._seal(about, numbers), indent=1))

    def _describe(self, content: bytes) -> dict[str, Any]:
        return {"content": digest(content), "parameters": self.parameters}

    def _place(self, about: dict[str, Any]) -> Path:
        return self.folder / f"{_digest_json(about)}.json"

    @staticmethod
    def _seal(about: dict[str, Any], numbers: Row) -> dict[str, Any]:
        whole = {**about, "numbers": numbers}
        return {**whole, "seal": _digest_json(whole)}


def _digest_json(value: Any) -> str:
    return digest(json.dumps(value, sort_keys=True).encode())
