"""Cells of a table: how they are read one by one, and how a message names them.

A leaf below :mod:`.dates` and :mod:`.schemas`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

Where = Callable[[int], str]
"""Names the row of a cell, counted from 0, for a message."""
FILL = "fill it in or leave the song out"
_ALIKE = {"string", "integer", "floating", "datetime64", "datetime", "date", "period", "boolean"}


def name_row(table: str, column: str) -> Where:
    """Return a function that names a row of a table for an error message.

    Parameters
    ----------
    table : str
        Name of a file, or what the rows are.
    column : str

    Returns
    -------
    callable
        Of the row's number from 0.

    Examples
    --------
    >>> name_row("songs.csv", "tempo")(0)
    "songs.csv, column 'tempo', row 1"
    """
    return lambda row: f"{table}, column {column!r}, row {row + 1}"


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
    >>> show_cell("fast"), show_cell(""), show_cell(None), len(show_cell("la" * 999))
    ("'fast'", 'an empty cell', 'a missing value', 62)
    """
    if is_missing(value):
        return "a missing value"
    text = str(value)
    return "an empty cell" if text == "" else repr(text if len(text) <= 60 else text[:57] + "...")


def is_missing(value: Any) -> bool:
    """Tell whether a cell is what pandas calls missing.

    Parameters
    ----------
    value : object

    Returns
    -------
    bool

    Examples
    --------
    >>> [is_missing(value) for value in (None, float("nan"), pd.NaT, pd.NA, "", (), 0)]
    [True, True, True, True, False, False, False]
    """
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def map_cells(values: pd.Series, read: Callable[[Any], Any], *, missing: Any = None) -> np.ndarray:
    """Read every cell; cells that are equal are read once where all are of one type.

    Parameters
    ----------
    values : Series, shape (n,)
    read : callable
        Cell -> value.
    missing : object
        Value of a missing cell.

    Returns
    -------
    ndarray of object, shape (n,)

    Examples
    --------
    >>> map_cells(pd.Series(["a", "b", None, "a"]), str.upper, missing="").tolist()
    ['A', 'B', '', 'A']
    """
    cells = values.astype(object)
    if pd.api.types.infer_dtype(cells, skipna=True) in _ALIKE:
        codes, distinct = pd.factorize(cells)  # a missing cell has the code -1: the last value
        return _collect([*map(read, distinct), missing])[codes]
    return _collect([missing if is_missing(cell) else read(cell) for cell in cells])


def find_none(values: np.ndarray) -> np.ndarray:
    """Tell which values are None, what `map_cells` was to read and could not.

    Parameters
    ----------
    values : ndarray of object, shape (n,)

    Returns
    -------
    ndarray of bool, shape (n,)

    Examples
    --------
    >>> find_none(np.array(["a", None], dtype=object)).tolist()
    [False, True]
    """
    return np.array([value is None for value in values], dtype=bool)


def _collect(values: list[Any]) -> np.ndarray:
    """Return an array of objects; tuples stay tuples."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
