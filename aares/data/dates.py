"""Release dates, whose precision carries information: ``2008``, ``2008-05``, ``2008-05-23``.

A table that was read elsewhere may hold them as points in time or as numbers of years;
:func:`read_dates` is where all of these become text.
"""

from __future__ import annotations

import datetime
import numbers

import numpy as np
import pandas as pd

from aares.errors import DataError

DATE_PATTERN = r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2}))?)?"


def read_dates(dates: pd.Series) -> pd.Series:
    """Write release dates as the assignment's files do, whatever a reader made of them.

    Parameters
    ----------
    dates : Series of str, datetime, int or float
        A point in time becomes a day, a whole number a year. Text is kept as it is; where it is no
        date, :func:`parse_dates` counts it as missing.

    Returns
    -------
    Series of str
        Empty where missing, with the index of `dates`.

    Raises
    ------
    DataError
        A value is none of these: it names column and row.

    Examples
    --------
    >>> read_dates(pd.Series([2008.0, "2008-05", pd.Timestamp("2008-05-23"), None])).tolist()
    ['2008', '2008-05', '2008-05-23', '']
    """
    texts = dates.astype(object)
    texts = texts.where(texts.notna(), "")
    if pd.api.types.infer_dtype(texts, skipna=False) == "string":  # as the files have it
        return texts.astype(str)
    written = [_write_date(date) for date in texts]
    if None in written:
        row = written.index(None)
        raise DataError(
            f"column {dates.name!r}, row {row + 1}: "
            f"expected a date such as 2008, 2008-05 or 2008-05-23, found {texts.iloc[row]!r}"
        )
    return pd.Series(written, index=dates.index, name=dates.name, dtype=object).astype(str)


def _write_date(date: object) -> str | None:
    if isinstance(date, str):
        return date
    if isinstance(date, np.datetime64):
        date = pd.Timestamp(date)
    if isinstance(date, datetime.date):  # a Timestamp is one too
        return date.isoformat()[:10]
    if isinstance(date, bool) or not isinstance(date, numbers.Real):
        return None
    year = float(date)
    return f"{int(year):04d}" if 0 <= year < 10_000 and year.is_integer() else None


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
