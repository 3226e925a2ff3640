"""The columns of the assignment's tables: what each holds, and how its cells are read.

Used by :mod:`aares.data.door`. A column type has one method, ``parse(values, where)``: it turns the
cells of a file, or what pandas made of them, into values, or raises :class:`DataError` with the
first offending row, which ``where(row)`` names. Ranges are those of appendix A, with the widest
values that the course's files hold (a loudness of +3.7 dB exists).

A missing cell is refused, in every column and by all who read it. Three kinds of text may be empty,
and a missing cell is read so there: a release date (unknown), an artist and a title (pandas also
takes the titles "None", "NaN" and "NA" for missing).
"""

from __future__ import annotations

import ast
import decimal
import numbers
import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol

import numpy as np
import pandas as pd

from aares.data.cells import FILL, Where, find_none, is_missing, map_cells, name_row, show_cell
from aares.data.dates import EARLIEST_YEAR, find_latest_year, read_dates
from aares.errors import DataError

# Preliminaries of the assignment: the 23 genres, in its order.
GENRES: tuple[str, ...] = (
    "r&b", "rap", "classical", "salsa", "edm", "hip hop", "trap", "techno", "jazz", "metal",
    "country", "rock", "reggae", "latin", "disco", "soul", "chanson", "blues", "dance", "electro",
    "punk", "folk", "pop",
)  # fmt: skip

# Appendix A: what Spotify computed from the sound.
AUDIO_FEATURES: tuple[str, ...] = (
    "danceability", "energy", "key", "loudness", "mode", "speechiness", "acousticness",
    "instrumentalness", "liveness", "valence", "tempo", "duration_ms", "time_signature",
)  # fmt: skip


class Column(Protocol):
    """What every column type does: ``parse`` turns cells into values.

    It raises :class:`DataError` at the first cell that is none.
    """

    def parse(self, values: pd.Series, where: Where) -> pd.Series: ...


_NOTHING = {"", "nan", "na", "n/a", "#n/a", "<na>", "nat", "null", "none", "-", "?"}
"""Text by which people and programs say that there is no value, in small letters."""


def _refuse(
    bad: np.ndarray, values: pd.Series, where: Where, expected: str, remedy: str = ""
) -> None:
    """Raise at the first of the bad cells, if there is one."""
    if bad.any():
        row = int(np.argmax(bad))
        cell = values.iloc[row]
        if is_missing(cell) or (isinstance(cell, str) and cell.strip().lower() in _NOTHING):
            remedy = FILL
        found = f"expected {expected}, found {show_cell(cell)}"
        raise DataError(f"{where(row)}: {found}{remedy and f'; {remedy}'}")


@dataclass(frozen=True)
class Number:
    """A numeric column: closed range, whole numbers or not."""

    low: float
    high: float
    whole: bool = False

    def parse(self, values: pd.Series, where: Where) -> pd.Series:
        """Return the numbers; see :class:`Column`.

        Examples
        --------
        >>> from aares.data.cells import name_row
        >>> Number(0, 1).parse(pd.Series(["0.25", "1"]), name_row("a.csv", "mode")).tolist()
        [0.25, 1.0]
        >>> Number(0, 1).parse(pd.Series(["0.25", "2"]), name_row("a.csv", "key"))
        Traceback (most recent call last):
        aares.errors.DataError: a.csv, column 'key', row 2: expected a number from 0 to 1, found '2'
        """
        read = _read_numbers(values)
        bad = ~np.isfinite(read)
        _refuse(bad, values, where, "a number", _explain(values, bad))
        outside = (read < self.low) | (read > self.high)
        broken = (read % 1 != 0) & self.whole
        kind = "a whole number" if self.whole else "a number"
        _refuse(outside | broken, values, where, f"{kind} from {self.low:.9g} to {self.high:.9g}")
        dtype = "int64" if self.whole else "float64"
        return pd.Series(read.astype(dtype), index=values.index, name=values.name)


def _read_numbers(values: pd.Series) -> np.ndarray:
    """Return float64; NaN where a cell is no number, or missing."""
    if pd.api.types.is_numeric_dtype(values.dtype) and values.dtype.kind in "iuf":
        return values.to_numpy(dtype=float, na_value=np.nan)
    cells = values.astype(object)
    if pd.api.types.infer_dtype(cells, skipna=True) == "string":
        return pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    return np.array([_read_number(cell) for cell in cells], dtype=float)


def _read_number(cell: object) -> float:
    if isinstance(cell, str):
        return float(pd.to_numeric(pd.Series([cell], dtype=object), errors="coerce").iloc[0])
    is_number = isinstance(cell, (numbers.Real, decimal.Decimal)) and not isinstance(cell, (bool, np.bool_))
    return float(cell) if is_number else np.nan  # type: ignore[arg-type]


def _explain(values: pd.Series, bad: np.ndarray) -> str:
    """Return the remedy for the first bad cell, where it is known."""
    cell = str(values.iloc[int(np.argmax(bad))]) if bad.any() else ""
    if not re.fullmatch(r"\s*[-+]?\d*,\d+\s*", cell):
        return "write digits and a point, as -1234.5" if re.search(r"\d", cell) else ""
    return f"write {cell.strip().replace(',', '.')}, or read the file with decimal=','"


@dataclass(frozen=True)
class Year(Number):
    """A year of release, from the oldest sound recording to the next year."""

    low: float = EARLIEST_YEAR
    high: float = np.inf
    whole: bool = True

    def parse(self, values: pd.Series, where: Where) -> pd.Series:
        """Return the years; see :class:`Column`.

        Examples
        --------
        >>> from aares.data.cells import name_row
        >>> Year().parse(pd.Series(["1979", "2008.0"]), name_row("a.csv", "year")).tolist()
        [1979, 2008]
        """
        return Number(self.low, find_latest_year(), self.whole).parse(values, where)


@dataclass(frozen=True)
class Text:
    """A text column: any text, one of `choices`, or text of a `pattern`.

    `empty` tells whether a cell may be empty or missing.
    """

    choices: tuple[str, ...] = ()
    pattern: str = r"(?s).*\S.*"
    meaning: str = "text"
    unique: bool = False
    empty: bool = False

    def parse(self, values: pd.Series, where: Where) -> pd.Series:
        """Return the texts as they are; see :class:`Column`.

        Examples
        --------
        >>> from aares.data.cells import name_row
        >>> genre = Text(choices=("jazz", "punk"), meaning="a genre")
        >>> genre.parse(pd.Series(["jazz", "punk"]), name_row("a.csv", "genre")).tolist()
        ['jazz', 'punk']
        >>> genre.parse(pd.Series(["jazz", "punc"]), name_row("a.csv", "genre"))
        Traceback (most recent call last):
        aares.errors.DataError: a.csv, column 'genre', row 2: expected a genre, found 'punc'
        """
        written = map_cells(values, _write_text, missing="" if self.empty else None)
        bad = find_none(written)
        text = pd.Series(written, index=values.index, name=values.name, dtype="str")
        if self.choices:
            bad |= ~text.isin(self.choices).to_numpy()
        elif not self.empty:
            bad |= ~text.str.fullmatch(self.pattern).to_numpy(dtype=bool)
        _refuse(bad, values, where, self.meaning, self._suggest(written, bad))
        if self.unique and text.duplicated().any():
            row = int(np.argmax(text.duplicated()))
            first = int(np.argmax(text == text.iloc[row])) + 1
            raise DataError(
                f"{where(row)}: {show_cell(text.iloc[row])} stands already in row {first}; keep one of them"
            )
        return text


    def _suggest(self, written: np.ndarray, bad: np.ndarray) -> str:
        """Return the choice that the first bad cell looks like."""
        cell = str(written[int(np.argmax(bad))]) if bad.any() else ""
        like = get_close_matches(re.sub(r"[\W_]+", " ", cell.lower()).strip(), self.choices, 1, 0.8)
        return f"write {like[0]!r}" if like else ""


def _write_text(cell: object) -> str | None:
    """Return the text that a file had; None of what is no text. A title may be 1979 or True."""
    if isinstance(cell, (str, bool, np.bool_)):
        return str(cell)
    if isinstance(cell, numbers.Integral):
        return str(int(cell))
    if isinstance(cell, numbers.Real) and np.isfinite(float(cell)):
        return f"{float(cell):.0f}" if float(cell).is_integer() else str(cell)
    return None


class Flag:
    """A yes/no column, written as True/False or 1/0."""

    meanings = {"true": True, "1": True, "false": False, "0": False}  # noqa: RUF012

    def parse(self, values: pd.Series, where: Where) -> pd.Series:
        """Return True and False; see :class:`Column`.

        Examples
        --------
        >>> from aares.data.cells import name_row
        >>> cells = pd.Series(["True", "0", 1.0, False], dtype=object)
        >>> Flag().parse(cells, name_row("a.csv", "explicit")).tolist()
        [True, False, True, False]
        """
        if values.dtype == bool:
            return values
        read = map_cells(values, self._read)
        _refuse(find_none(read), values, where, "True, False, 1 or 0")
        return pd.Series(read.astype(bool), index=values.index, name=values.name)

    def _read(self, cell: object) -> bool | None:
        return self.meanings.get(re.sub(r"(?<=^[01])\.0+$", "", str(cell).strip().lower()))


class Date:
    """Release dates of any precision, empty where unknown; see :func:`aares.data.read_dates`."""

    def parse(self, values: pd.Series, where: Where) -> pd.Series:
        """Return the dates as text; see :class:`Column`.

        Examples
        --------
        >>> from aares.data.cells import name_row
        >>> Date().parse(pd.Series([1977, 1984]), name_row("a.csv", "release_date")).tolist()
        ['1977', '1984']
        """
        return read_dates(values, where)


class Names:
    """A list of names written as a Python list, such as ``['pop', 'rock']``; see `read_names`.

    No names are an empty list, not a missing cell.
    """

    def parse(self, values: pd.Series, where: Where) -> pd.Series:
        """Return tuples of names; see :class:`Column`.

        Examples
        --------
        >>> from aares.data.cells import name_row
        >>> Names().parse(pd.Series(["['art rock']", "[]"]), name_row("a.csv", "genres")).tolist()
        [('art rock',), ()]
        """
        return _read_lists(values, where, nothing=None)


_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_TOUCHING = re.compile(rf"(?:{_QUOTED})(?P<next>['\"])?")
_GAP = re.compile(r"""['"]\s+['"]""")
_NAME_AND_GAP = re.compile(rf"""({_QUOTED})(\s+(?=['"]))?""")


def read_names(values: pd.Series, where: Where | None = None) -> pd.Series:
    """Read lists of names, such as ``genres`` and ``artists``, whatever a reader made of them.

    Parameters
    ----------
    values : Series
        Tuples, lists or arrays of str, or their text: ``['pop', 'rock']`` as in the assignment's
        files, ``('pop', 'rock')`` as a loaded table is saved, or ``['pop' 'rock']`` as numpy
        writes it. Empty or missing is an empty list here; the
        tables' door, :func:`aares.data.read_table`, refuses it.
    where : callable, optional
        Names a row, counted from 0, for an error message; without it, by column and row.

    Returns
    -------
    Series of tuple of str
        With the index of `values`.

    Raises
    ------
    DataError
        A value is none of these.

    Examples
    --------
    >>> read_names(pd.Series(["['pop', 'rock']", "['pop' 'rock']", ["pop"], None])).tolist()
    [('pop', 'rock'), ('pop', 'rock'), ('pop',), ()]
    """
    return _read_lists(values, where or name_row("songs", str(values.name)), nothing=())


def _read_lists(values: pd.Series, where: Where, nothing: tuple[str, ...] | None) -> pd.Series:
    """Read lists; a cell without any is `nothing`, or refused where that is None."""
    parsed: dict[str, tuple[str, ...] | None] = {"": nothing}
    read = []
    for row, value in enumerate(values):
        if isinstance(value, str):
            if value not in parsed:
                parsed[value] = _parse_names(value) if value.strip() else nothing
            names = parsed[value]
        else:
            names = nothing if is_missing(value) else _collect_names(value)
        if names is None:
            remedy = "; no names are []" if is_missing(value) or not str(value).strip() else ""
            raise DataError(
                f"{where(row)}: expected a list such as ['pop', 'rock'], "
                f"found {show_cell(value)}{remedy}"
            )
        read.append(names)
    return pd.Series(read, index=values.index, name=values.name, dtype=object)


def _parse_names(text: str) -> tuple[str, ...] | None:
    # Python joins names without a comma between: ['pop' 'rock'], as numpy writes it, is 'poprock'.
    if any(found["next"] for found in _TOUCHING.finditer(text)):
        return None  # 'it''s' may be a name or two
    if _GAP.search(text):
        text = _NAME_AND_GAP.sub(lambda found: found[1] + ("," if found[2] else ""), text)
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    return _collect_names(value)


def _collect_names(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (tuple, list)):
        return tuple(value) if all(isinstance(item, str) for item in value) else None
    return None


_UNIT = Number(0, 1)
_NAME = Text(empty=True)
COLUMNS: dict[str, Column] = {
    "release_date": Date(),
    "explicit": Flag(),
    "popularity": Number(0, 100, whole=True),
    "danceability": _UNIT,
    "energy": _UNIT,
    "key": Number(0, 11, whole=True),
    "loudness": Number(-80, 10),
    "mode": Number(0, 1, whole=True),
    "speechiness": _UNIT,
    "acousticness": _UNIT,
    "instrumentalness": _UNIT,
    "liveness": _UNIT,
    "valence": _UNIT,
    "tempo": Number(0, 300),
    "duration_ms": Number(1, 24 * 3600 * 1000, whole=True),
    "time_signature": Number(0, 16, whole=True),
    "genre": Text(choices=GENRES, meaning="one of the 23 genres of the assignment"),
    "genres": Names(),
    "artists": Names(),
    "artist": _NAME,
    "artist_name": _NAME,
    "track_name": _NAME,
    "name": _NAME,
    "id": Text(meaning="an id", unique=True),
    "year": Year(),
}
_CHALLENGE = (
    "release_date", "explicit", "popularity", "danceability", "energy", "key", "loudness", "mode",
    "speechiness", "acousticness", "instrumentalness", "liveness", "valence", "tempo",
    "duration_ms", "time_signature",
)  # fmt: skip
SCHEMAS: dict[str, tuple[str, ...]] = {
    "train": (*_CHALLENGE, "genre"),
    "test": _CHALLENGE,
    "subset": (
        "artist_name", "track_name", "release_date", "genres", "explicit", "popularity",
        "danceability", "energy", "key", "loudness", "mode", "speechiness", "acousticness",
        "instrumentalness", "liveness", "valence", "tempo", "id", "duration_ms", "time_signature",
    ),
    "recommendation": (
        "acousticness", "artists", "danceability", "duration_ms", "energy", "explicit", "id",
        "instrumentalness", "key", "liveness", "loudness", "mode", "name", "popularity",
        "release_date", "speechiness", "tempo", "valence", "year",
    ),
}  # fmt: skip
