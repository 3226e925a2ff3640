"""The door through which every table comes in: a file's, or one that pandas has read elsewhere.

Who takes a table (the loader of the assignment's files, estimators, functions) reads by
:func:`read_table` the columns that it needs. So the same file gives the same values to all,
whatever `pandas.read_csv` made of it: text, numbers, points in time, lists or their text, shuffled
columns, an index.

One rule holds for missing cells, in all columns, the loader and all models: they are refused, by
column and row. Only text that may be empty is read as empty: a release date, an artist, a title.
See :mod:`aares.data.schemas` for what each column holds, and :mod:`aares.data.dates` for dates.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from aares.data.cells import FILL, Where, name_row
from aares.data.schemas import COLUMNS, Number
from aares.errors import DataError

POPULARITY = Number(0, 100)
"""What is learnt or compared may be a mean, and not whole."""


def read_table(
    X: Any, columns: Iterable[str], *, optional: Iterable[str] = (), what: str = "songs"
) -> pd.DataFrame:
    """Read columns of a table as the loader reads them from a file.

    Parameters
    ----------
    X : DataFrame, shape (n, n_columns)
        Further columns do not matter, nor does the order.
    columns : iterable of str
        Those that are needed. One that the assignment's tables do not have is kept as it is, but
        no cell of it may be missing.
    optional : iterable of str
        Read too where the table has them.
    what : str
        What the rows are, for messages.

    Returns
    -------
    DataFrame, shape (n, <= n_columns)
        Fresh; the columns in the order asked for, the index of `X`.

    Raises
    ------
    TypeError
        `X` is no DataFrame.
    DataError
        A column is missing or stands twice, or a cell is missing or not what its column holds.

    Warns
    -----
    DataWarning
        Release dates in impossible years were read as unknown.

    Examples
    --------
    >>> songs = pd.DataFrame({"genres": ["['pop']", "[]"], "key": ["7", "11.0"], "mood": "calm"})
    >>> read_table(songs, ["key", "genres"], optional=["year"])
       key  genres
    0    7  (pop,)
    1   11      ()
    >>> read_table(songs.assign(tempo=["120,5", "98"]), ["tempo"])
    Traceback (most recent call last):
    aares.errors.DataError: songs, column 'tempo', row 1: expected a number, found '120,5'; \
write 120.5, or read the file with decimal=','
    """
    if not isinstance(X, pd.DataFrame):
        raise TypeError(f"{what}: expected a DataFrame, found {type(X).__name__}")
    names = list(dict.fromkeys([*columns, *(name for name in optional if name in X.columns)]))
    _check_columns(X, names, what)
    return parse_columns(X, names, what)


def read_column(X: Any, name: str, *, what: str = "songs") -> pd.Series:
    """Read one column of a table, see :func:`read_table`.

    Parameters
    ----------
    X : DataFrame, shape (n, n_columns)
    name : str
    what : str
        What the rows are, for messages.

    Returns
    -------
    Series, shape (n,)

    Examples
    --------
    >>> read_column(pd.DataFrame({"explicit": ["True", "0"]}), "explicit").tolist()
    [True, False]
    """
    return read_table(X, [name], what=what)[name]


def parse_columns(frame: pd.DataFrame, columns: Iterable[str], what: str) -> pd.DataFrame:
    """Parse columns that are there, see :func:`read_table`.

    Parameters
    ----------
    frame : DataFrame
    columns : iterable of str
    what : str
        What the rows are, or the name of their file.

    Returns
    -------
    DataFrame

    Examples
    --------
    >>> parse_columns(pd.DataFrame({"key": ["7"]}), ["key"], "songs.csv")["key"].tolist()
    [7]
    """
    parsed = {name: _parse(frame[name], _name_row(frame, what, name)) for name in columns}
    return pd.DataFrame(parsed, index=frame.index)


def read_popularity(y: Any, n_songs: int | None = None, *, what: str = "y") -> np.ndarray:
    """Read the popularities that a model learns from.

    Parameters
    ----------
    y : array-like, shape (n,)
        0-100, also as text.
    n_songs : int, optional
        Songs of the table that they are of.
    what : str
        What the popularities are, for messages.

    Returns
    -------
    ndarray of float, shape (n,)

    Raises
    ------
    DataError
        Another number of values, or one that is missing or no number from 0 to 100.

    Examples
    --------
    >>> read_popularity(["50", 12.5]).tolist()
    [50.0, 12.5]
    >>> read_popularity([50, 155])
    Traceback (most recent call last):
    aares.errors.DataError: y, row 2: expected a number from 0 to 100, found '155'
    """
    given = np.asarray(y, dtype=object)
    if given.shape != (given.size if n_songs is None else n_songs,):
        wanted = "one popularity a song" if n_songs is None else f"{n_songs} popularities"
        raise DataError(f"{what}: expected {wanted}, found shape {given.shape}")
    return POPULARITY.parse(pd.Series(given), lambda row: f"{what}, row {row + 1}").to_numpy()


def _name_row(frame: pd.DataFrame, what: str, column: str) -> Where:
    """Name rows by number, and those of a part of a table by their place in the whole too."""
    name = name_row(what, column)
    index = frame.index
    if isinstance(index, pd.RangeIndex) and (index.start, index.step) == (0, 1):
        return name
    return lambda row: f"{name(row)} (index {index[row]})"


def _parse(values: pd.Series, where: Where) -> pd.Series:
    column = COLUMNS.get(str(values.name))
    if column is not None:
        return column.parse(values, where)
    missing = values.isna().to_numpy()
    if missing.any():
        raise DataError(f"{where(int(np.argmax(missing)))}: found a missing value; {FILL}")
    return values


def _check_columns(X: pd.DataFrame, names: list[str], what: str) -> None:
    if X.columns.nlevels > 1:
        raise DataError(
            f"{what}: expected one row of names above the columns, found {X.columns.nlevels}; "
            "keep one by droplevel(0, axis=1)"
        )
    missing = [name for name in names if name not in X.columns]
    if missing:
        few = f" ({len(missing)} of {len(names)} missing)" if len(missing) > 1 else ""
        raise DataError(f"{what}: missing column {missing[0]!r}{few}{_help(X, missing[0])}")
    repeated = X.columns[X.columns.duplicated()]
    twice = [name for name in names if name in repeated]
    if twice:
        raise DataError(f"{what}: column {twice[0]!r} stands more than once; keep one of them")


def _help(X: pd.DataFrame, name: str) -> str:
    """Say where a missing column may be."""
    if name in X.index.names:
        return "; it is the index: reset_index() makes a column of it"
    alike = [found for found in X.columns if str(found).strip().lower() == name]
    return f"; rename {alike[0]!r}" if alike else ""
