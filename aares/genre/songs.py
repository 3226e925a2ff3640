"""The table of the challenge as numbers: what a date says, and a space in which songs are close.

Used by notebook 01. `check_table` is the boundary: after it there are 16 columns, the date a text
(empty where unknown), the others floating-point numbers.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.preprocessing import QuantileTransformer
from sklearn.utils.validation import check_is_fitted

from aares import exact
from aares.data import parse_dates, read_column, read_dates, read_table
from aares.data.schemas import SCHEMAS
from aares.errors import require_songs

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
    TypeError, DataError
        As :func:`aares.data.read_table`: no cell may be missing but a date.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> songs = make_songs("train", 2, tempo=["98", "120.5"], release_date=["1977", None])
    >>> table = check_table(songs.assign(mood="calm"))
    >>> table.shape, table["release_date"].tolist(), table["tempo"].tolist()
    ((2, 16), ['1977', ''], [98.0, 120.5])
    >>> check_table(songs.assign(tempo=["120", "fast"]))
    Traceback (most recent call last):
    aares.errors.DataError: songs, column 'tempo', row 2: expected a number, found 'fast'
    """
    table = read_table(X, COLUMNS).reset_index(drop=True)
    return table.astype(dict.fromkeys(NUMBERS, float))


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
    """Turn a table into numbers: the parts of the date and the 15 numeric columns.

    Parameters
    ----------
    table : DataFrame
        See `check_table`.
    dates : bool
        Whether all parts of the date are given, or its year alone.

    Returns
    -------
    DataFrame of float, shape (n_songs, 22) or (n_songs, 16)

    Examples
    --------
    >>> from aares.data import make_songs
    >>> songs = make_songs("test", 1, release_date="1999-07")
    >>> compute_numbers(songs, dates=False).iloc[0, :3].to_dict()
    {'year': 1999.0, 'explicit': 0.0, 'popularity': 50.0}
    >>> list(compute_numbers(songs).columns[:7])
    ['year', 'month', 'day', 'weekday', 'precision', 'new_year', 'time']
    """
    table = check_table(table)
    parts = describe_dates(table["release_date"])
    return pd.concat([parts if dates else parts[["year"]], table[list(NUMBERS)]], axis=1)


def name_albums(table: pd.DataFrame) -> np.ndarray:
    """Return what songs of one album share, their date; an empty text where there is none.

    Parameters
    ----------
    table : DataFrame
        Has a column ``release_date``.

    Returns
    -------
    ndarray of str, shape (n_songs,)

    Examples
    --------
    >>> table = pd.DataFrame({"release_date": ["1977-10-28", "1984-1", None]})
    >>> name_albums(table).tolist()
    ['1977-10-28', '1984-01', '']
    """
    return read_column(table, "release_date").to_numpy(dtype=str)


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
        """Learn the medians that stand in for what a date does not say."""
        numbers = compute_numbers(X, dates=self.dates)
        require_songs(len(numbers))
        self.medians_ = numbers.median().fillna(0)
        self.feature_names_in_ = np.array(COLUMNS, dtype=object)
        self.n_features_in_ = len(COLUMNS)
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """Return the numbers of `compute_numbers`, shape (n_songs, n_columns).

        Examples
        --------
        >>> from aares.data import make_songs
        >>> songs = make_songs("test", 3, release_date=["1971", "1973", None])
        >>> numbers = SongNumbers(dates=False).fit(songs).transform(songs)
        >>> numbers.shape, numbers[:, 0].tolist()
        ((3, 16), [1971.0, 1973.0, 1972.0])
        """
        check_is_fitted(self)
        numbers = compute_numbers(X, dates=self.dates)
        return numbers.fillna(self.medians_).to_numpy()

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Return the names of the numbers."""
        check_is_fitted(self)
        return self.medians_.index.to_numpy(dtype=object)


class RankSpace(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Place songs in a space in which columns count by rank, so that no outlier counts more.

    Coordinates are multiples of 2^-20: sums of their squared differences are exact, so what is
    equally far is so on every machine.
    """

    def fit(self, table: pd.DataFrame, y: object = None) -> RankSpace:
        """Learn the ranks of the columns `SOUND`."""
        values = read_table(table, SOUND).to_numpy(dtype=float)
        require_songs(len(values))
        n_quantiles = min(1000, len(values))
        self.ranks_ = QuantileTransformer(n_quantiles=n_quantiles, subsample=None).fit(values)
        self.feature_names_in_ = np.array(SOUND, dtype=object)
        self.n_features_in_ = len(SOUND)
        return self

    def transform(self, table: pd.DataFrame) -> np.ndarray:
        """Return coordinates in [0, 1], shape (n_songs, 11).

        Examples
        --------
        >>> from aares.data import make_songs
        >>> songs = make_songs("test", 3, duration_ms=[100_000, 110_000, 9_000_000])
        >>> RankSpace().fit(songs).transform(songs)[:, SOUND.index("duration_ms")].tolist()
        [0.0, 0.5, 1.0]
        """
        check_is_fitted(self)
        values = read_table(table, SOUND).to_numpy(dtype=float)
        return exact.snap(self.ranks_.transform(values)) if len(values) else values
