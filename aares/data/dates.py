"""Release dates, whose precision carries information: ``2008``, ``2008-05``, ``2008-05-23``.

One reader serves the loader and all exercises. It understands text (also of one digit,
``2008-5-3``, and with a time of day, ``2008-05-23T00:00:00Z``), whole numbers of years (``2008``,
``2008.0``), points in time and pandas' periods. It refuses what could mean two things (05/06/2008) or is no day
of the calendar. A year before `EARLIEST_YEAR`, or after next year, is no release of a recording
(Spotify writes 0000 for "unknown"): such dates count as missing, and a
:class:`~aares.errors.DataWarning` says how many.

A column that `pandas.read_csv(..., parse_dates=...)` made of such text has lost its precision: a
year alone became its 1 January, and nothing can tell the two apart afterwards. Who lets this column
be text gives the models more.
"""

from __future__ import annotations

import calendar
import datetime
import numbers
import re
import warnings

import numpy as np
import pandas as pd

from aares.data.cells import Where, find_none, map_cells, name_row, show_cell
from aares.errors import DataError, DataWarning

EARLIEST_YEAR = 1860  # "Au clair de la lune", the oldest recorded sound that can be heard
DATE_PATTERN = r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2}))?)?"
EXPECTED = "a date such as 2008, 2008-05 or 2008-05-23"
_TIME = r"[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)? ?(?:Z|UTC|[+-]\d{2}:?\d{2})?"
_WRITTEN = re.compile(rf"(\d{{4}})(?:\.0+|-(\d{{1,2}})(?:-(\d{{1,2}})(?:{_TIME})?)?)?", re.ASCII)
_PERIODS = {"Y": "%Y", "A": "%Y", "M": "%Y-%m", "Q": None, "W": None}  # shorter ones lie in a day


def read_dates(dates: pd.Series, where: Where | None = None) -> pd.Series:
    """Write release dates as the assignment's files do, whatever a reader made of them.

    Parameters
    ----------
    dates : Series of str, datetime, period, int or float
        See the head of this module. A point in time becomes its day, whatever precision the date
        once had.
    where : callable, optional
        Names a row, counted from 0, for a message; without it, by column and row.

    Returns
    -------
    Series of str
        Empty where missing, with the index of `dates`.

    Raises
    ------
    DataError
        A value is none of these: it names column and row.

    Warns
    -----
    DataWarning
        Some years are impossible.

    Examples
    --------
    >>> read_dates(pd.Series([2008.0, "2008-5", pd.Timestamp("2008-05-23"), None])).tolist()
    ['2008', '2008-05', '2008-05-23', '']
    >>> read_dates(pd.Series(["2008", "23/05/2008"], name="release_date"))
    Traceback (most recent call last):
    aares.errors.DataError: songs, column 'release_date', row 2: expected a date such as 2008, \
2008-05 or 2008-05-23, found '23/05/2008'; write year-month-day
    """
    where = where or name_row("songs", str(dates.name or "release_date"))
    written = map_cells(dates, _write_date, missing="")
    refused = find_none(written)
    if refused.any():
        row = int(np.argmax(refused))
        cell = dates.iloc[row]
        raise DataError(f"{where(row)}: expected {EXPECTED}, found {show_cell(cell)}{_help(cell)}")
    texts = pd.Series(written, index=dates.index, name=dates.name, dtype="str")
    return _drop_impossible(texts, where)


def find_latest_year() -> int:
    """Return the last year that a release date may have: the next one.

    Returns
    -------
    int
    """
    return datetime.datetime.now(tz=datetime.UTC).year + 1


def _write_date(date: object) -> str | None:
    """Write a date as year-month-day or a part of it; None where it is not understood."""
    if isinstance(date, str):
        return _rewrite_date(date.strip())
    if isinstance(date, np.datetime64):
        date = pd.Timestamp(date)
    if isinstance(date, datetime.date):  # a Timestamp is one too
        return date.isoformat()[:10]
    if isinstance(date, pd.Period):
        pattern = _PERIODS.get(date.freqstr[0], "%Y-%m-%d")
        return None if pattern is None else date.strftime(pattern)
    if isinstance(date, (bool, np.bool_)) or not isinstance(date, numbers.Real):
        return None
    year = float(date)
    return f"{int(year):04d}" if 0 <= year < 10_000 and year.is_integer() else None


def _rewrite_date(text: str) -> str | None:
    if not text:
        return ""
    found = _WRITTEN.fullmatch(text)
    if not found:
        return None
    year, month, day = found[1], found[2], found[3]
    parts = [year, *(f"{int(part):02d}" for part in (month, day) if part)]
    return "-".join(parts) if not _is_possible(year) or _is_day(*parts) else None


def _is_possible(year: str) -> bool:
    return EARLIEST_YEAR <= int(year) <= find_latest_year()


def _is_day(year: str, month: str = "01", day: str = "01") -> bool:
    if not 1 <= int(month) <= 12:
        return False
    return 1 <= int(day) <= calendar.monthrange(int(year), int(month))[1]


def _help(cell: object) -> str:
    text = str(cell)
    if re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}.*", text):
        return "; there is no such day in the calendar"
    return "; write year-month-day" if re.search(r"\d", text) else "; empty it if it is unknown"


def _drop_impossible(texts: pd.Series, where: Where) -> pd.Series:
    """Empty the dates of impossible years, and say how many."""
    known = texts.to_numpy(object)
    years = {text[:4] for text in pd.unique(known) if text}
    wrong = {year for year in years if not _is_possible(year)}
    if not wrong:
        return texts
    rows = np.flatnonzero([text[:4] in wrong for text in known])
    some = "1 date counts" if len(rows) == 1 else f"{len(rows)} dates count"
    warnings.warn(
        f"{where(rows[0])}: found {known[rows[0]]!r}; {some} as missing, as no recording was "
        f"released before {EARLIEST_YEAR} or after {find_latest_year()}",
        DataWarning,
        stacklevel=4,
    )
    texts = texts.copy()
    texts.iloc[rows] = ""
    return texts


def parse_dates(dates: pd.Series) -> pd.DataFrame:
    """Take release dates apart.

    Parameters
    ----------
    dates : Series of str
        ``2008``, ``2008-05`` or ``2008-05-23``; empty or missing is allowed. Or what `read_dates`
        takes for them.

    Returns
    -------
    DataFrame
        Columns ``year``, ``month``, ``day`` (Int64, missing where not given) and ``precision``
        (``"year"``, ``"month"``, ``"day"`` or ``"missing"``), with the index of `dates`.

    Examples
    --------
    >>> parse_dates(pd.Series(["2008-05-23", "2008-05", ""]))
       year  month   day precision
    0  2008      5    23       day
    1  2008      5  <NA>     month
    2  <NA>   <NA>  <NA>   missing
    """
    parts = read_dates(dates).str.extract(f"^{DATE_PATTERN}$")
    result = parts.apply(pd.to_numeric).astype("Int64")
    names = np.array(["missing", "year", "month", "day"])
    return result.assign(precision=names[result.notna().sum(axis=1).to_numpy()])
