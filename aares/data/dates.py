"""Release dates, whose precision carries information: ``2008``, ``2008-05``, ``2008-05-23``."""

from __future__ import annotations

import numpy as np
import pandas as pd

DATE_PATTERN = r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2}))?)?"


def parse_dates(dates: pd.Series) -> pd.DataFrame:
    """Take release dates apart.

    Parameters
    ----------
    dates : Series of str
        ``2008``, ``2008-05`` or ``2008-05-23``; empty or missing is allowed.

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
    parts = dates.astype("str").str.extract(f"^{DATE_PATTERN}$")
    result = parts.apply(pd.to_numeric).astype("Int64")
    names = np.array(["missing", "year", "month", "day"])
    return result.assign(precision=names[result.notna().sum(axis=1).to_numpy()])
