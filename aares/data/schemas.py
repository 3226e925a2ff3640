"""The columns of the assignment's tables: what each holds, and how its text is read.

Used by :mod:`aares.data.tables`. A column type has one method, ``parse(text, where)``: it turns text
cells into values, or raises :class:`DataError` with the first offending row, which ``where(row)``
names. Ranges are those of appendix A, with the widest values that the course's files hold (a
loudness of +3.7 dB exists).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from aares.data.dates import DATE_PATTERN
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
    """What every column type does: ``parse`` turns cells of text into values.

    It raises :class:`DataError` at the first cell that is none.
    """

    def parse(self, text: pd.Series, where: Callable[[int], str]) -> pd.Series: ...


@dataclass(frozen=True)
class Number:
    """A numeric column: closed range, whole numbers or not."""

    low: float
    high: float
    whole: bool = False

    def parse(self, text: pd.Series, where: Callable[[int], str]) -> pd.Series:
        """Return the numbers; see :class:`Column`.

        Examples
        --------
        >>> from aares.data.tables import name_row
        >>> Number(0, 1).parse(pd.Series(["0.25", "1"]), name_row("a.csv", "mode")).tolist()
        [0.25, 1.0]
        >>> Number(0, 1).parse(pd.Series(["0.25", "2"]), name_row("a.csv", "mode"))
        Traceback (most recent call last):
        aares.errors.DataError: a.csv, column 'mode', row 2: expected a number from 0 to 1, found '2'
        """
        values = pd.to_numeric(text, errors="coerce")
        bad = ~np.isfinite(values.to_numpy(dtype=float, na_value=np.nan))
        if bad.any():
            row = int(np.argmax(bad))
            raise DataError(f"{where(row)}: expected a number, found {show_cell(text.iloc[row])}")
        outside = (values < self.low) | (values > self.high)
        broken = (values % 1 != 0) & self.whole
        bad = (outside | broken).to_numpy()
        if bad.any():
            row = int(np.argmax(bad))
            kind = "a whole number" if self.whole else "a number"
            raise DataError(
                f"{where(row)}: expected {kind} from {self.low:g} to {self.high:g}, "
                f"found {show_cell(text.iloc[row])}"
            )
        return values.astype("int64" if self.whole else "float64")


@dataclass(frozen=True)
class Text:
    """A text column: any text, one of `choices`, or text of a `pattern`."""

    choices: tuple[str, ...] = ()
    pattern: str = ""
    meaning: str = "text"
    unique: bool = False

    def parse(self, text: pd.Series, where: Callable[[int], str]) -> pd.Series:
        """Return the texts as they are; see :class:`Column`.

        Examples
        --------
        >>> from aares.data.tables import name_row
        >>> genre = Text(choices=("jazz", "punk"), meaning="a genre")
        >>> genre.parse(pd.Series(["jazz", "punk"]), name_row("a.csv", "genre")).tolist()
        ['jazz', 'punk']
        >>> genre.parse(pd.Series(["jazz", "punc"]), name_row("a.csv", "genre"))
        Traceback (most recent call last):
        aares.errors.DataError: a.csv, column 'genre', row 2: expected a genre, found 'punc'
        """
        bad = np.zeros(len(text), dtype=bool)
        if self.choices:
            bad = ~text.isin(self.choices).to_numpy()
        elif self.pattern:
            bad = ~text.str.fullmatch(self.pattern).to_numpy(dtype=bool)
        if bad.any():
            row = int(np.argmax(bad))
            raise DataError(
                f"{where(row)}: expected {self.meaning}, found {show_cell(text.iloc[row])}"
            )
        if self.unique and text.duplicated().any():
            row = int(np.argmax(text.duplicated()))
            first = int(np.argmax(text == text.iloc[row])) + 1
            raise DataError(
                f"{where(row)}: {show_cell(text.iloc[row])} stands already in row {first}"
            )
        return text


class Flag:
    """A yes/no column, written as True/False or 1/0."""

    meanings = {"true": True, "1": True, "false": False, "0": False}  # noqa: RUF012

    def parse(self, text: pd.Series, where: Callable[[int], str]) -> pd.Series:
        """Return True and False; see :class:`Column`.

        Examples
        --------
        >>> from aares.data.tables import name_row
        >>> Flag().parse(pd.Series(["True", "0"]), name_row("a.csv", "explicit")).tolist()
        [True, False]
        """
        values = text.str.lower().map(self.meanings)
        if values.isna().any():
            row = int(np.argmax(values.isna()))
            raise DataError(
                f"{where(row)}: expected True, False, 1 or 0, found {show_cell(text.iloc[row])}"
            )
        return values.astype(bool)


class Names:
    """A list of names written as a Python list, such as ``['pop', 'rock']``; see `read_names`.

    No names are an empty list, not an empty cell.
    """

    def parse(self, text: pd.Series, where: Callable[[int], str]) -> pd.Series:
        """Return tuples of names; see :class:`Column`.

        Examples
        --------
        >>> from aares.data.tables import name_row
        >>> Names().parse(pd.Series(["['art rock']", "[]"]), name_row("a.csv", "genres")).tolist()
        [('art rock',), ()]
        """
        if (text == "").any():
            row = int(np.argmax(text == ""))
            raise DataError(
                f"{where(row)}: expected a list such as ['pop', 'rock'], found an empty cell"
            )
        return read_names(text, where)


_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_GAP = re.compile(r"""['"]\s+['"]""")
_NAME_AND_GAP = re.compile(rf"""({_QUOTED})(\s+(?=['"]))?""")


def read_names(values: pd.Series, where: Callable[[int], str] | None = None) -> pd.Series:
    """Read lists of names, such as ``genres`` and ``artists``, whatever a reader made of them.

    Parameters
    ----------
    values : Series
        Tuples, lists or arrays of str, or their text: ``['pop', 'rock']`` as in the assignment's
        files, or ``['pop' 'rock']`` as numpy writes it. Empty or missing is an empty list.
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
    parsed: dict[str, tuple[str, ...] | None] = {}
    read = []
    for row, value in enumerate(values):
        if isinstance(value, str):
            if value not in parsed:
                parsed[value] = _parse_names(value)
            names = parsed[value]
        else:
            names = _collect_names(value)
        if names is None:
            place = where(row) if where else f"column {values.name!r}, row {row + 1}"
            raise DataError(
                f"{place}: expected a list such as ['pop', 'rock'], found {show_cell(value)}"
            )
        read.append(names)
    return pd.Series(read, index=values.index, name=values.name, dtype=object)


def _parse_names(text: str) -> tuple[str, ...] | None:
    if not text.strip():
        return ()
    # Python joins the names that numpy writes without commas: ['pop' 'rock'] is one, 'poprock'.
    if _GAP.search(text):
        text = _NAME_AND_GAP.sub(lambda found: found[1] + ("," if found[2] else ""), text)
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    return _collect_names(value) if isinstance(value, list) else None


def _collect_names(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (tuple, list)):
        return tuple(value) if all(isinstance(item, str) for item in value) else None
    return () if pd.api.types.is_scalar(value) and pd.isna(value) else None


def show_cell(value: object) -> str:
    """Write a cell as an error message shows it.

    Parameters
    ----------
    value : object

    Returns
    -------
    str
        At most 62 characters.

    Examples
    --------
    >>> show_cell("fast"), show_cell(""), len(show_cell("la" * 999))
    ("'fast'", 'an empty cell', 62)
    """
    text = str(value)
    return "an empty cell" if text == "" else repr(text if len(text) <= 60 else text[:57] + "...")


_UNIT = Number(0, 1)
_DATE = Text(pattern=f"(?:{DATE_PATTERN})?", meaning="a date such as 2008, 2008-05 or 2008-05-23")
_ID = Text(pattern=r".+", meaning="an id", unique=True)
COLUMNS: dict[str, Column] = {
    "release_date": _DATE,
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
    "artist_name": Text(),
    "track_name": Text(),
    "name": Text(),
    "id": _ID,
    "year": Number(1900, 2100, whole=True),
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
