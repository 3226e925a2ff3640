"""What a row of the raw table says by itself: sound, date, title, number of genres (exercise 2).

Used by notebook ``02_popularity``. Functions are stateless; :class:`RowFeatures` makes transformers
of them. What needs other rows is in :mod:`aares.popularity.encoders`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from aares import data
from aares.data.schemas import AUDIO_FEATURES, COLUMNS, Names, read_names

FloatArray = npt.NDArray[np.float64]

TITLE_MARKS = {
    "live": r"\blive\b|en vivo|ao vivo|en directo",
    "remaster": r"remaster",
    "remix": r"remix|\bmix\b|edit\b",
    "version": r"version|acoustic|karaoke|instrumental",
    "featuring": r"\bfeat\b|\bft\.|\bwith\b",
    "bracket": r"[(\[]",
    "dash": r" - ",
    "non_latin": r"[^\x00-\u024f]",
}
"""Marks of a title that tell a release apart: name -> regular expression (case ignored)."""


def get_tokens(X: pd.DataFrame, column: str) -> list[tuple[str, ...]]:
    """Read a column as lists of tokens.

    In a column of names (``genres``, ``artists``) a text is that of a list, see
    :func:`aares.data.read_names`; elsewhere a plain value is a list of one. A missing one is empty.

    Parameters
    ----------
    X : DataFrame, shape (n, columns)
        Raw table.
    column : str
        A column of lists (``genres``) or of strings (``artist_name``, ``release_date``).

    Returns
    -------
    list of tuple of str, length n

    Examples
    --------
    >>> songs = pd.DataFrame({"genres": [("jazz", "bebop"), ()], "artist_name": ["Ella", None]})
    >>> get_tokens(songs, "genres")
    [('jazz', 'bebop'), ()]
    >>> get_tokens(songs, "artist_name")
    [('Ella',), ()]
    """
    if isinstance(COLUMNS.get(column), Names):
        return read_names(X[column]).tolist()
    values = data.read_dates(X[column]) if column == "release_date" else X[column]
    return [_read_tokens(value) for value in values]


def _read_tokens(value: Any) -> tuple[str, ...]:
    if isinstance(value, (tuple, list)):
        return tuple(value)
    return () if pd.isna(value) or value == "" else (str(value),)


def check_popularity(y: Any, n_songs: int) -> FloatArray:
    """Return popularities as numbers, or say what is wrong with them.

    Parameters
    ----------
    y : array-like, shape (n,)
        Popularity, 0-100.
    n_songs : int
        Songs of the table.

    Returns
    -------
    ndarray of float, shape (n,)

    Raises
    ------
    ValueError
        Another number of values, or one that is missing, text or out of range.

    Examples
    --------
    >>> check_popularity([0, 55], 2).tolist()
    [0.0, 55.0]
    >>> check_popularity([0, 155], 2)
    Traceback (most recent call last):
    ValueError: y, row 2: expected a popularity from 0 to 100, found 155
    """
    given = np.asarray(y, dtype=object)
    if given.shape != (n_songs,):
        raise ValueError(f"y: expected {n_songs} popularities, found shape {given.shape}")
    values = pd.to_numeric(pd.Series(given), errors="coerce").to_numpy(float, na_value=np.nan)
    bad = ~((values >= 0) & (values <= 100))
    if bad.any():
        row = int(np.argmax(bad))
        found = given[row]
        raise ValueError(f"y, row {row + 1}: expected a popularity from 0 to 100, found {found}")
    return values


class RowFeatures(TransformerMixin, BaseEstimator):
    """What a row says by itself: a stateless function of the raw table.

    Parameters
    ----------
    function : callable
        DataFrame -> DataFrame of floats, of the same length and always the same columns.

    Examples
    --------
    >>> songs = pd.DataFrame({"genres": [("jazz", "bebop"), ()]})
    >>> encoder = RowFeatures(count_genres).fit(songs)
    >>> encoder.get_feature_names_out().tolist(), encoder.transform(songs).tolist()
    (['n_genres'], [[2.0], [0.0]])
    """

    def __init__(self, function: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
        self.function = function

    def fit(self, X: pd.DataFrame, y: Any = None) -> RowFeatures:
        """Remember the names of the columns."""
        self.names_ = list(self.function(X.iloc[:1]).columns)
        return self

    def transform(self, X: pd.DataFrame) -> FloatArray:
        """Return the features, shape (n, k)."""
        check_is_fitted(self)
        return self.function(X).to_numpy(float)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the names of the columns."""
        check_is_fitted(self)
        return np.array(self.names_, dtype=object)


def describe_audio(X: pd.DataFrame) -> pd.DataFrame:
    """Return the audio features and the explicit mark as floats.

    Parameters
    ----------
    X : DataFrame, shape (n, columns)
        Raw table.

    Returns
    -------
    DataFrame of float, shape (n, k)

    Examples
    --------
    >>> songs = pd.DataFrame(dict.fromkeys(AUDIO_FEATURES, [0.5, 0.25]))
    >>> describe_audio(songs.assign(explicit=[True, False]))[["energy", "explicit"]]
       energy  explicit
    0    0.50       1.0
    1    0.25       0.0
    """
    return X[[*AUDIO_FEATURES, "explicit"]].astype(float)


def describe_date(X: pd.DataFrame) -> pd.DataFrame:
    """Return the parts of the release date; NaN where the date does not say.

    Parameters
    ----------
    X : DataFrame, shape (n, columns)
        Table with ``release_date`` (``2008``, ``2008-05``, ``2008-05-23`` or missing).

    Returns
    -------
    DataFrame of float, shape (n, 5)
        ``year``, ``month``, ``day``, ``weekday`` (0 Monday), ``date`` (years, with fraction).

    Examples
    --------
    >>> songs = pd.DataFrame({"release_date": ["2015-07-10", "2008-05", None]})
    >>> describe_date(songs).round(2)
         year  month   day  weekday     date
    0  2015.0    7.0  10.0      4.0  2015.52
    1  2008.0    5.0   NaN      NaN  2008.33
    2     NaN    NaN   NaN      NaN      NaN
    """
    parts = data.parse_dates(X["release_date"])[["year", "month", "day"]]
    parts = parts.astype("Float64").astype(float)
    date = pd.to_datetime(
        parts.fillna({"month": 1, "day": 1})[["year", "month", "day"]], errors="coerce"
    )
    exact = parts["day"].notna()
    return pd.DataFrame(
        {
            "year": parts["year"],
            "month": parts["month"],
            "day": parts["day"],
            "weekday": date.dt.day_of_week.where(exact),
            "date": parts["year"] + (date.dt.day_of_year - 1) / 366.0,
        }
    ).astype(float)


def describe_title(X: pd.DataFrame) -> pd.DataFrame:
    """Return marks and lengths of the title and of the artist's name (0/1 and characters).

    Parameters
    ----------
    X : DataFrame, shape (n, columns)
        Raw table.

    Returns
    -------
    DataFrame of float, shape (n, k)

    Examples
    --------
    >>> songs = pd.DataFrame({"track_name": ["Harbour (Live)", "Harbour"], "artist_name": "Lamps"})
    >>> describe_title(songs)[["title_live", "title_bracket", "title_length", "artist_length"]]
       title_live  title_bracket  title_length  artist_length
    0         1.0            1.0          14.0            5.0
    1         0.0            0.0           7.0            5.0
    """
    title = X["track_name"].astype("string").fillna("")
    marks = {
        f"title_{name}": title.str.contains(pattern, case=False, regex=True).astype(float)
        for name, pattern in TITLE_MARKS.items()
    }
    marks["title_length"] = title.str.len().astype(float)
    marks["artist_length"] = X["artist_name"].astype("string").fillna("").str.len().astype(float)
    return pd.DataFrame(marks)


def count_genres(X: pd.DataFrame) -> pd.DataFrame:
    """Return the number of micro-genres of each song; 0 for an empty or missing list.

    Parameters
    ----------
    X : DataFrame, shape (n, columns)
        Raw table.

    Returns
    -------
    DataFrame of float, shape (n, 1)
        Column ``n_genres``.

    Examples
    --------
    >>> count_genres(pd.DataFrame({"genres": [("jazz", "bebop"), ()]}))["n_genres"].tolist()
    [2.0, 0.0]
    """
    lengths = [float(len(row)) for row in get_tokens(X, "genres")]
    return pd.DataFrame({"n_genres": lengths}, index=X.index)


def count_values(tokens: Iterable[Sequence[str]]) -> pd.Series:
    """Count tokens over rows, most frequent first (ties in alphabetical order).

    Parameters
    ----------
    tokens : iterable of sequences of str
        The tokens of each row.

    Returns
    -------
    Series of int, shape (tokens,)
        Its index holds the tokens.

    Examples
    --------
    >>> count_values([("jazz", "bebop"), ("punk", "jazz"), ()]).to_dict()
    {'jazz': 2, 'bebop': 1, 'punk': 1}
    """
    counts = pd.Series([token for row in tokens for token in row], dtype=object).value_counts()
    return counts.sort_index().sort_values(ascending=False, kind="stable")
