"""The table of the challenge as numbers: what a date says, and a space in which songs are close.

Used by notebook 01. `check_table` is the boundary: after it there are 16 columns, the date a text
(empty where missing), the others floating-point numbers (NaN where missing).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.preprocessing import QuantileTransformer
from sklearn.utils.validation import check_is_fitted

from aares import exact
from aares.data import parse_dates, read_dates
from aares.data.schemas import SCHEMAS, show_cell

COLUMNS: tuple[str, ...] = SCHEMAS["test"]
NUMBERS: tuple[str, ...] = tuple(name for name in COLUMNS if name != "release_date")

# What is alike for songs of one album; key, mode and time signature change within it.
SOUND: tuple[str, ...] = (
    "danceability", "energy", "loudness", "speechiness", "acousticness", "instrumentalness",
    "liveness", "valence", "tempo", "duration_ms", "popularity",
)  # fmt: skip
PRECISIONS: dict[str, int] = {"missing": 0, "year": 1, "month": 2, "day": 3}


def check_table(X: pd.DataFrame) -> pd.DataFrame:
    """Return the 16 columns of the challenge in their order, further columns left out.

    Parameters
    ----------
    X : DataFrame, shape (n_songs, >= 16)

    Returns
    -------
    DataFrame, shape (n_songs, 16)
        Fresh index; ``release_date`` is text, the rest is float.

    Raises
    ------
    TypeError
        `X` is not a DataFrame.
    ValueError
        A column is missing, or a numeric column holds text.
    DataError
        A date is neither text, nor a point in time, nor a year.

    Examples
    --------
    >>> from aares.genre.songs import COLUMNS
    >>> songs = pd.DataFrame({name: ["1", "0.5"] for name in COLUMNS})
    >>> table = check_table(songs.assign(release_date=["1977", None], mood="calm"))
    >>> table.shape, table["release_date"].tolist(), table["tempo"].tolist()
    ((2, 16), ['1977', ''], [1.0, 0.5])
    >>> check_table(songs.assign(tempo=["120", "fast"]))
    Traceback (most recent call last):
    ValueError: songs, column 'tempo', row 2: expected a number, found 'fast'
    """
    if not isinstance(X, pd.DataFrame):
        raise TypeError(f"songs: expected a DataFrame, found {type(X).__name__}")
    missing = [name for name in COLUMNS if name not in X.columns]
    if missing:
        raise ValueError(f"songs: missing column {missing[0]!r} ({len(missing)} of 16 missing)")
    numbers = {name: _as_numbers(X[name].reset_index(drop=True)) for name in NUMBERS}
    dates = read_dates(X["release_date"].reset_index(drop=True))
    return pd.DataFrame({"release_date": dates, **numbers})[list(COLUMNS)]


def _as_numbers(values: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    bad = (numbers.isna() & values.notna()).to_numpy()
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(
            f"songs, column {values.name!r}, row {row + 1}: "
            f"expected a number, found {show_cell(values.iloc[row])}"
        )
    return numbers.replace([np.inf, -np.inf], np.nan)


def describe_dates(dates: pd.Series) -> pd.DataFrame:
    """Take dates apart into the numbers that tell genres apart.

    Parameters
    ----------
    dates : Series of str

    Returns
    -------
    DataFrame of float
        ``year``, ``month``, ``day``, ``weekday`` (0 = Monday), ``precision`` (0 missing, 1 year,
        2 month, 3 day), ``new_year`` (1 on 1 January: often a date that nobody knew better) and
        ``time`` in years; NaN where unknown.

    Examples
    --------
    >>> describe_dates(pd.Series(["1977-10-28", "1984-01-01", "1999", ""])).round(2).T
                     0       1       2    3
    year       1977.00  1984.0  1999.0  NaN
    month        10.00     1.0     NaN  NaN
    day          28.00     1.0     NaN  NaN
    weekday       4.00     6.0     NaN  NaN
    precision     3.00     3.0     1.0  0.0
    new_year      0.00     1.0     0.0  0.0
    time       1977.83  1984.0  1999.5  NaN
    """
    dates = read_dates(dates)
    parts = parse_dates(dates)
    numbers = parts[["year", "month", "day"]].astype(float)
    days = pd.to_datetime(dates.where(parts["precision"] == "day"), errors="coerce")
    # A year alone stands for its middle, a month for its middle.
    month, day = numbers["month"].fillna(6.5), numbers["day"].fillna(15)
    return numbers.assign(
        weekday=days.dt.day_of_week.astype(float),
        precision=parts["precision"].map(PRECISIONS).astype(float),
        new_year=((numbers["month"] == 1) & (numbers["day"] == 1)).astype(float),
        time=numbers["year"] + (month - 1) / 12 + day / 365,
    )


def compute_numbers(table: pd.DataFrame, *, dates: bool = True) -> pd.DataFrame:
    """Turn a checked table into numbers: the parts of the date and the 15 numeric columns.

    Parameters
    ----------
    table : DataFrame
        From `check_table`.
    dates : bool
        Whether all parts of the date are given, or its year alone.

    Returns
    -------
    DataFrame of float, shape (n_songs, 22) or (n_songs, 16)

    Examples
    --------
    >>> from aares.genre.songs import COLUMNS, check_table
    >>> songs = pd.DataFrame({name: ["0.5"] for name in COLUMNS}).assign(release_date="1999-07")
    >>> table = check_table(songs)
    >>> compute_numbers(table, dates=False).iloc[0, :3].to_dict()
    {'year': 1999.0, 'explicit': 0.5, 'popularity': 0.5}
    >>> list(compute_numbers(table).columns[:7])
    ['year', 'month', 'day', 'weekday', 'precision', 'new_year', 'time']
    """
    parts = describe_dates(table["release_date"])
    return pd.concat([parts if dates else parts[["year"]], table[list(NUMBERS)]], axis=1)


def name_albums(table: pd.DataFrame) -> np.ndarray:
    """Return what songs of one album share, their date; an empty text where there is none.

    Parameters
    ----------
    table : DataFrame
        From `check_table`.

    Returns
    -------
    ndarray of str, shape (n_songs,)

    Examples
    --------
    >>> table = pd.DataFrame({"release_date": ["1977-10-28", "1984", "", "once"]})
    >>> name_albums(table).tolist()
    ['1977-10-28', '1984', '', '']
    """
    known = parse_dates(table["release_date"])["precision"] != "missing"
    return table["release_date"].where(known, "").to_numpy(dtype=str)


class SongNumbers(TransformerMixin, BaseEstimator):
    """Turn the raw table into numbers without gaps, for classifiers that need it so.

    Parameters
    ----------
    dates : bool
        See `compute_numbers`.
    """

    def __init__(self, *, dates: bool = True) -> None:
        self.dates = dates

    def fit(self, X: pd.DataFrame, y: object = None) -> SongNumbers:
        """Learn the medians that stand in for missing values."""
        numbers = compute_numbers(check_table(X), dates=self.dates)
        self.medians_ = numbers.median().fillna(0)
        self.feature_names_in_ = np.array(COLUMNS, dtype=object)
        self.n_features_in_ = len(COLUMNS)
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """Return the numbers of `compute_numbers`, shape (n_songs, n_columns).

        Examples
        --------
        >>> from aares.genre.songs import COLUMNS
        >>> songs = pd.DataFrame({name: [1.0, 3.0, None] for name in COLUMNS})
        >>> numbers = SongNumbers(dates=False).fit(songs).transform(songs)
        >>> numbers.shape, numbers[:, 1].tolist()
        ((3, 16), [1.0, 3.0, 2.0])
        """
        check_is_fitted(self)
        numbers = compute_numbers(check_table(X), dates=self.dates)
        return numbers.fillna(self.medians_).to_numpy()

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Return the names of the numbers."""
        check_is_fitted(self)
        return self.medians_.index.to_numpy(dtype=object)


class RankSpace(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Place songs in a space in which each column counts by rank, so that no outlier counts more.

    Missing values stand in the middle. Coordinates are multiples of 2^-20: sums of their squared
    differences are exact, so what is equally far is so on every machine.
    """

    def fit(self, table: pd.DataFrame, y: object = None) -> RankSpace:
        """Learn the ranks of the columns `SOUND`."""
        values = table[list(SOUND)].to_numpy(dtype=float)
        n_quantiles = max(1, min(1000, len(values)))
        self.ranks_ = QuantileTransformer(n_quantiles=n_quantiles, subsample=None).fit(values)
        self.feature_names_in_ = np.array(SOUND, dtype=object)
        self.n_features_in_ = len(SOUND)
        return self

    def transform(self, table: pd.DataFrame) -> np.ndarray:
        """Return coordinates in [0, 1], shape (n_songs, 11).

        Examples
        --------
        >>> from aares.genre.songs import SOUND
        >>> songs = pd.DataFrame({name: [1.0, 2.0, 9000.0, None] for name in SOUND})
        >>> RankSpace().fit(songs[:3]).transform(songs)[:, 0].tolist()
        [0.0, 0.5, 1.0, 0.5]
        """
        check_is_fitted(self)
        values = self.ranks_.transform(table[list(SOUND)].to_numpy(dtype=float))
        return np.nan_to_num(exact.snap(values), nan=0.5)
