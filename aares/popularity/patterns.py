"""What the songs show: years, zeros, copies, artists, seasons and keys (exercise 2, question 3).

Used by notebook ``02_popularity``. Every function takes the raw table and returns a small table
that a figure of :mod:`workshop.plots.popularity` draws.

References
----------
Fisher, "Statistical methods for research workers", 1925: chapter 7 (intraclass correlation).
Krumhansl, "Cognitive foundations of musical pitch", 1990: chapter 2 (key distances).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from aares.data.schemas import AUDIO_FEATURES
from aares.popularity.rows import FloatArray, describe_date
from aares.scores import bootstrap, estimate_share, spread_of_mean

KEYS = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
FRIDAY_DATE = pd.Timestamp("2015-07-10")
"""The industry's common release day moved to Friday on 10 July 2015 (IFPI, "New Music Fridays")."""


def summarise_years(
    df: pd.DataFrame, columns: Sequence[str], *, min_songs: int = 40
) -> pd.DataFrame:
    """Return quartiles of columns by year of release; sparse years are pooled.

    Parameters
    ----------
    df : DataFrame, shape (n, columns)
        Table with ``release_date`` and the columns.
    columns : sequence of str
        Numeric or boolean; a boolean gives its share and that share's 95 % interval.
    min_songs : int
        Neighbouring years are pooled until this many songs are together.

    Returns
    -------
    DataFrame, shape (k, 6)
        ``column``, ``year`` (mean of the pooled), ``low``, ``mid``, ``high``, ``songs``.

    Examples
    --------
    >>> songs = pd.DataFrame({"release_date": ["1970", "1971", "2010", "2011"]})
    >>> songs["energy"] = [0.2, 0.4, 0.8, 0.8]
    >>> summarise_years(songs, ["energy"], min_songs=2)
       column    year   low  mid  high  songs
    0  energy  2010.5  0.80  0.8  0.80      2
    1  energy  1970.5  0.25  0.3  0.35      2
    """
    years = describe_date(df)["year"]
    bins = _pool_years(years, min_songs)
    rows = []
    for _, part in df[years.notna()].groupby(bins[years.notna()].to_numpy()):
        year = float(years[part.index].mean())
        for column in columns:
            low, mid, high = _summarise(part[column])
            rows.append((column, year, low, mid, high, len(part)))
    return pd.DataFrame(rows, columns=["column", "year", "low", "mid", "high", "songs"])


def _pool_years(years: pd.Series, min_songs: int) -> pd.Series:
    """Name each year by its pool, walking back from the newest year."""
    pools: dict[float, int] = {}
    pool, size = 0, 0
    counts = years.value_counts().sort_index(ascending=False)
    for year, count in zip(counts.index.to_numpy(float), counts, strict=True):
        pools[year] = pool
        size += int(count)
        if size >= min_songs:
            pool, size = pool + 1, 0
    if 0 < size < min_songs and pool > 0:
        pools = {year: min(name, pool - 1) for year, name in pools.items()}
    return years.map(pools)


def _summarise(values: pd.Series) -> tuple[float, float, float]:
    if values.dtype == bool:
        share, low, high = estimate_share(values)
        return low, share, high
    low, mid, high = np.quantile(values.to_numpy(float), [0.25, 0.5, 0.75])
    return float(low), float(mid), float(high)


def find_same_recordings(*tables: pd.DataFrame) -> pd.DataFrame:
    """Find pairs of rows with the same measurements.

    Spotify measures the same sound to the same numbers: rows of one or several tables that agree
    in all audio features (seven digits of tempo, milliseconds of duration) are one recording. On
    different dates it stands on two releases; on one date, on two editions of one, perhaps.

    Parameters
    ----------
    *tables : DataFrame, shape (n, columns)
        With the audio features, ``popularity`` and ``release_date``.

    Returns
    -------
    DataFrame, shape (pairs, 5)
        ``lower`` and ``higher``: the popularities of each pair; ``first`` and ``second``: the
        numbers of the tables its rows are from; ``same_date``.

    Examples
    --------
    The first and the last row sound the same to the last digit.

    >>> songs = pd.DataFrame({name: [0.1, 0.2, 0.1] for name in AUDIO_FEATURES})
    >>> songs = songs.assign(popularity=[60, 30, 0], release_date=["1999", "1999", "2004"])
    >>> find_same_recordings(songs)
       lower  higher  first  second  same_date
    0    0.0    60.0      0       0      False
    """
    columns, told = [*AUDIO_FEATURES], ["popularity", "release_date", "table"]
    parts = [table.assign(table=number)[[*columns, *told]] for number, table in enumerate(tables)]
    rows = pd.concat(parts, ignore_index=True)
    copies = rows[rows.duplicated(columns, keep=False)]
    pairs = [
        (*sorted((float(one[0]), float(other[0]))), one[2], other[2], one[1] == other[1])
        for _, group in copies.groupby(columns)
        for one, other in combinations(group[told].to_numpy(dtype=object), 2)
    ]
    return pd.DataFrame(pairs, columns=["lower", "higher", "first", "second", "same_date"])


def measure_pair_correlation(
    pairs: pd.DataFrame, *, random_state: int = 0
) -> tuple[float, float, float]:
    """Correlate the popularities of two copies; each pair counts both ways.

    Parameters
    ----------
    pairs : DataFrame, shape (pairs, 2)
        See :func:`find_same_recordings`.
    random_state : int
        Seed of the bootstrap.

    Returns
    -------
    value, low, high : float
        The correlation and its 95 % bootstrap interval over pairs; NaN for fewer than three pairs.

    Examples
    --------
    >>> pairs = pd.DataFrame({"lower": [0.0, 10, 20, 30], "higher": [60.0, 40, 25, 30]})
    >>> value, low, high = measure_pair_correlation(pairs)
    >>> round(value, 2), low < value < high
    (-0.93, True)
    """
    values = pairs[["lower", "higher"]].to_numpy(float)
    if len(values) < 3:
        return float("nan"), float("nan"), float("nan")
    value, low, high = bootstrap(_correlate, *values.T, random_state=random_state)
    return float(value), float(low), float(high)


def _correlate(lower: FloatArray, higher: FloatArray, axis: int) -> FloatArray:
    """Return the correlation of pairs that count both ways, NaN where all values are equal."""
    mean = (lower + higher).mean(axis=axis, keepdims=True) / 2
    lower, higher = lower - mean, higher - mean
    variance = (lower**2 + higher**2).mean(axis=axis) / 2
    with np.errstate(invalid="ignore"):
        return (lower * higher).mean(axis=axis) / variance


def count_weekdays(df: pd.DataFrame) -> pd.DataFrame:
    """Return the share of releases by weekday before and since Friday became the day of releases.

    Only dates with a day count, and 1 January does not: there it often means "some day".

    Parameters
    ----------
    df : DataFrame, shape (n, columns)
        Table with ``release_date``.

    Returns
    -------
    DataFrame, shape (7, 2)
        Index weekday; columns ``before`` and ``since`` (shares, 0-1), attribute ``n`` in ``attrs``.

    Examples
    --------
    Two Mondays and a Tuesday before, a Friday since; a 1 January does not count.

    >>> dates = ["2014-03-03", "2014-03-10", "2014-03-11", "2016-03-04", "2016-01-01"]
    >>> table = count_weekdays(pd.DataFrame({"release_date": dates})).round(2)
    >>> table.loc[["Mon", "Tue", "Fri"]]
         before  since
    Mon    0.67    0.0
    Tue    0.33    0.0
    Fri    0.00    1.0
    >>> table.attrs["n"]
    {'before': 3, 'since': 1}
    """
    exact = describe_date(df).dropna()
    exact = exact[~((exact["month"] == 1) & (exact["day"] == 1))]
    when = pd.to_datetime(exact[["year", "month", "day"]].astype(int))
    late = when >= FRIDAY_DATE
    shares = {
        name: exact.loc[mask, "weekday"]
        .value_counts(normalize=True)
        .reindex(range(7), fill_value=0)
        for name, mask in {"before": ~late, "since": late}.items()
    }
    table = pd.DataFrame(shares).set_axis(list(WEEKDAYS))
    table.attrs["n"] = {"before": int((~late).sum()), "since": int(late.sum())}
    return table


def summarise_months(df: pd.DataFrame) -> pd.DataFrame:
    """Return releases and mean popularity by month, without 1 January.

    Parameters
    ----------
    df : DataFrame, shape (n, columns)
        Raw table.

    Returns
    -------
    DataFrame, shape (12, 3)
        Index month, 1-12; ``share`` of releases (0-1), ``popularity`` (mean), ``error`` (half a
        95 % interval); in ``attrs``, ``explained``: the share of the variance between months (0-1).

    Examples
    --------
    >>> dates = ["2014-03-03", "2015-03-10", "2016-07-11", "2016-07-15", "2016-01-01"]
    >>> songs = pd.DataFrame({"release_date": dates, "popularity": [20, 40, 60, 80, 0]})
    >>> table = summarise_months(songs)
    >>> table["popularity"].dropna().to_dict()
    {3: 30.0, 7: 70.0}
    >>> table.attrs["explained"]
    0.8
    """
    parts = describe_date(df)
    kept = parts["month"].notna() & ~((parts["month"] == 1) & (parts["day"] == 1))
    groups = df.loc[kept, "popularity"].groupby(parts.loc[kept, "month"].astype(int))
    table = pd.DataFrame({"share": groups.size() / kept.sum(), "popularity": groups.mean()})
    table["error"] = spread_of_mean(groups.std(), groups.size())
    table = table.reindex(range(1, 13))
    month = df.loc[kept, ["popularity"]].assign(month=parts.loc[kept, "month"])
    table.attrs["explained"] = measure_explained(month, ["month"])
    return table


def summarise_keys(df: pd.DataFrame) -> pd.DataFrame:
    """Return the share of songs by key and mode, in the order of the circle of fifths.

    Parameters
    ----------
    df : DataFrame, shape (n, columns)
        Raw table.

    Returns
    -------
    DataFrame, shape (12, 3)
        Index key name; ``major`` and ``minor`` (shares of all songs), ``popularity`` (mean).

    Examples
    --------
    >>> songs = pd.DataFrame({"key": [0, 0, 7, 9], "mode": [1, 0, 1, 0]})
    >>> songs["popularity"] = [10, 30, 50, 0]
    >>> summarise_keys(songs).loc[["C", "G", "A"]]
       major  minor  popularity
    C   0.25   0.25        20.0
    G   0.25   0.00        50.0
    A   0.00   0.25         0.0
    """
    order = [(7 * i) % 12 for i in range(12)]
    share = pd.crosstab(df["key"], df["mode"], normalize="all").reindex(
        index=order, columns=[1, 0], fill_value=0.0
    )
    share.columns = ["major", "minor"]
    share["popularity"] = df.groupby("key")["popularity"].mean().reindex(order)
    return share.set_axis([KEYS[key] for key in order])


def measure_explained(df: pd.DataFrame, columns: Sequence[str]) -> float:
    """Return eta squared: the share of the variance of popularity between groups (0-1).

    Parameters
    ----------
    df : DataFrame, shape (n, columns)
        Raw table.
    columns : sequence of str
        Columns that make the groups.

    Returns
    -------
    float

    Examples
    --------
    The means of the groups are 20 and 60, their variance 400; within, each song is 10 away.

    >>> songs = pd.DataFrame({"mode": [0, 0, 1, 1], "popularity": [10, 30, 50, 70]})
    >>> measure_explained(songs, ["mode"])
    0.8
    """
    means = df.groupby(list(columns))["popularity"].transform("mean")
    return float(means.var(ddof=0) / df["popularity"].var(ddof=0))


def compare_correlations(df: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Correlate columns with popularity, over all songs and among songs of one year.

    Parameters
    ----------
    df : DataFrame, shape (n, columns)
        Raw table.
    columns : sequence of str
        Numeric columns.

    Returns
    -------
    DataFrame, shape (columns, 2)
        Index column; ``all songs`` and ``same year`` (means of both sides by year are taken out),
        -1 to 1.

    Examples
    --------
    Newer songs are louder and more popular, but among songs of one year the louder ones are not.

    >>> songs = pd.DataFrame({"release_date": ["1970", "1970", "2010", "2010"]})
    >>> songs = songs.assign(loudness=[-12, -10, -6, -4], popularity=[20, 10, 60, 50])
    >>> compare_correlations(songs, ["loudness"]).round(2)
              all songs  same year
    loudness       0.84       -1.0
    """
    year = describe_date(df)["year"]
    kept = df.loc[year.notna(), [*columns, "popularity"]].astype(float)
    within = kept - kept.groupby(year[kept.index]).transform("mean")
    table = {
        "all songs": kept[[*columns]].corrwith(kept["popularity"]),
        "same year": within[[*columns]].corrwith(within["popularity"]),
    }
    return pd.DataFrame(table)


def summarise_artists(df: pd.DataFrame, *, min_songs: int = 10) -> pd.DataFrame:
    """Return songs and popularity of each artist with enough songs, the most popular first.

    Parameters
    ----------
    df : DataFrame, shape (n, columns)
        Raw table.
    min_songs : int
        Artists of fewer songs are left out.

    Returns
    -------
    DataFrame, shape (artists, 5)
        Index artist; ``songs``, ``zero`` (share at popularity 0), ``popularity`` (mean of all
        songs), ``low`` and ``high`` (smallest and largest popularity above 0; NaN where there is
        none).

    Examples
    --------
    >>> songs = pd.DataFrame({"artist_name": ["Ann", "Ann", "Bo"], "popularity": [0, 40, 50]})
    >>> table = summarise_artists(songs, min_songs=1)
    >>> list(table.index), table.loc["Ann", ["popularity", "zero", "low"]].tolist()
    (['Bo', 'Ann'], [20.0, 0.5, 40.0])
    """
    groups = df["popularity"].groupby(df["artist_name"])
    table = pd.DataFrame({"songs": groups.size(), "popularity": groups.mean()})
    table["zero"] = (df["popularity"] == 0).groupby(df["artist_name"]).mean()
    above = df[df["popularity"] > 0].groupby("artist_name")["popularity"]
    table["low"], table["high"] = above.min(), above.max()
    table = table[table["songs"] >= min_songs].sort_index()
    return table.sort_values("popularity", ascending=False, kind="stable")


def measure_likeness(df: pd.DataFrame, column: str) -> float:
    """Return the intraclass correlation: how alike two songs of one group are in popularity.

    Unlike eta squared it does not grow with the number of groups: without any likeness it is 0.

    Parameters
    ----------
    df : DataFrame, shape (n, columns)
        Raw table.
    column : str
        Column that makes the groups, such as ``artist_name``.

    Returns
    -------
    float
        At most 1; NaN if no group has two songs, or all are equally popular.

    Examples
    --------
    >>> songs = pd.DataFrame({"artist_name": ["Ann", "Ann", "Bo", "Bo"]})
    >>> measure_likeness(songs.assign(popularity=[10, 10, 60, 60]), "artist_name")
    1.0
    >>> round(measure_likeness(songs.assign(popularity=[10, 20, 30, 40]), "artist_name"), 2)
    0.78
    """
    size, means, squares = describe_groups(df, column).to_numpy(float).T
    return float(compute_likeness(size, means, squares, axis=-1))


def describe_groups(df: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return what :func:`compute_likeness` asks of each group.

    Parameters
    ----------
    df : DataFrame, shape (n, columns)
    column : str

    Returns
    -------
    DataFrame, shape (groups, 3)
        ``size``, ``mean`` and ``squares`` (their sum around the mean).
    """
    groups = df["popularity"].astype(float).groupby(df[column])
    squares = groups.var().fillna(0.0) * (groups.size() - 1)
    return pd.DataFrame({"size": groups.size(), "mean": groups.mean(), "squares": squares})


def compute_likeness(
    size: FloatArray, means: FloatArray, squares: FloatArray, axis: int
) -> FloatArray:
    """Return the intraclass correlation of groups, see :func:`measure_likeness`.

    Parameters
    ----------
    size, means, squares : ndarray of float, shape (..., groups)
        Songs of each group, their mean popularity, and the sum of squares around it.
    axis : int
        That of the groups.

    Returns
    -------
    ndarray of float, shape (...)
    """
    n, k = size.sum(axis=axis), size.shape[axis]
    overall = np.expand_dims((size * means).sum(axis=axis) / n, axis)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (size * (means - overall) ** 2).sum(axis=axis) / (k - 1)
        within = squares.sum(axis=axis) / (n - k)
        typical = (n - (size**2).sum(axis=axis) / n) / (k - 1)
        total = between + (typical - 1) * within
        return np.where(total > 0, (between - within) / total, np.nan)
