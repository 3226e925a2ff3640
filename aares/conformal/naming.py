"""Names for songs of tables that have none.

Notebook ``05_conformal``. The tables of exercise 1 hold numbers only. Some of their recordings also
stand, with artist and title, in the tables of exercises 2 and 3: equal duration, tempo and loudness
(:data:`aares.genre.labels.FINGERPRINT`) make them one recording.
"""

from __future__ import annotations

import pandas as pd

from aares.data.door import read_table
from aares.genre.labels import FINGERPRINT

LONGEST_NAME = 42  # characters that fit a column of a table


def name_songs(
    songs: pd.DataFrame, subset: pd.DataFrame, recommendation: pd.DataFrame, *, table: str
) -> pd.Series:
    """Name songs by artist and title where another table knows them, else by their row.

    Parameters
    ----------
    songs : DataFrame, shape (m, n_columns)
    subset : DataFrame
        Table of exercise 2: ``artist_name``, ``track_name``.
    recommendation : DataFrame
        Table of exercise 3: ``artists`` (lists of names), ``name``.
    table : str
        What the songs' table is called where a row has to do, such as ``"test"``.

    Returns
    -------
    Series of str, index of `songs`
        ``"Artist: Title"``, cut at 42 characters, or ``"test row 17"`` (the first row is 0).

    Examples
    --------
    >>> from aares.data import make_songs
    >>> songs = make_songs("test", 2, tempo=[98.5, 120.0])
    >>> subset = make_songs("subset", 1, tempo=98.5, artist_name="ABBA", track_name="Chiquitita")
    >>> others = make_songs("recommendation", 1, tempo=90.0)
    >>> name_songs(songs, subset, others, table="test").tolist()
    ['ABBA: Chiquitita', 'test row 1']
    """
    keys = list(FINGERPRINT)
    songs = read_table(songs, keys)
    subset = read_table(subset, [*keys, "artist_name", "track_name"])
    recommendation = read_table(recommendation, [*keys, "artists", "name"])
    first_artist = recommendation["artists"].map(lambda names: names[0] if names else "")
    titles = pd.concat(
        [
            subset[keys].assign(title=subset["artist_name"] + ": " + subset["track_name"]),
            recommendation[keys].assign(title=first_artist + ": " + recommendation["name"]),
        ]
    ).drop_duplicates(keys)
    known = songs[keys].merge(titles, on=keys, how="left")["title"].set_axis(songs.index)
    rows = pd.Series([f"{table} row {row}" for row in songs.index], index=songs.index)
    return known.astype(object).map(_cut_name, na_action="ignore").fillna(rows)


def _cut_name(name: str) -> str:
    """Return a name that fits a column."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"
