"""The rule that made the challenge's labels, and the songs it labels in addition.

Used by notebook 01. The rule is nowhere documented: the notebook finds it in the songs that stand
both in the labelled table and, with their artist's micro-genres, in the subset of exercise 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from aares.data import read_column, read_table
from aares.errors import DataError

# Exercise 1: a micro-genre such as "dance pop" contains several keywords; the first here wins.
# The assignment's list with "dance" moved to the end. "trap" contains "rap", so it is never given.
KEYWORDS: tuple[str, ...] = (
    "r&b", "rap", "classical", "salsa", "edm", "hip hop", "trap", "techno", "jazz", "metal",
    "country", "rock", "reggae", "latin", "disco", "soul", "chanson", "blues", "electro", "punk",
    "folk", "pop", "dance",
)  # fmt: skip

# Two rows that agree in these are one recording: measurements with five to seven digits.
FINGERPRINT: tuple[str, ...] = ("duration_ms", "tempo", "loudness")


def label_from_genres(genres: Iterable[str]) -> str | None:
    """Return the label that the challenge gives to an artist's micro-genres.

    The first micro-genre that contains a keyword decides; if it contains several, the order of
    `KEYWORDS` does.

    Parameters
    ----------
    genres : list or tuple of str
        Micro-genres in Spotify's (alphabetical) order, such as ``["album rock", "glam metal"]``.

    Returns
    -------
    str or None
        None where no micro-genre contains a keyword.

    Raises
    ------
    TypeError
        `genres` is one text, or holds something that is no text.

    Examples
    --------
    >>> label_from_genres(["album rock", "dance pop", "glam metal"])
    'rock'
    >>> label_from_genres(["atl trap", "pop"])
    'rap'
    >>> label_from_genres(["schlager"]) is None
    True
    """
    if isinstance(genres, str):
        raise TypeError(f"genres: expected a list of micro-genres, found the text {genres!r}")
    for micro_genre in genres:
        if not isinstance(micro_genre, str):
            raise TypeError(f"genres: expected texts, found {micro_genre!r}")
        for keyword in KEYWORDS:
            if keyword in micro_genre:
                return keyword
    return None


def label_songs(subset: pd.DataFrame) -> pd.DataFrame:
    """Return the songs of the subset that the rule labels, with a column ``genre``.

    Parameters
    ----------
    subset : DataFrame
        Has a column ``genres``, see :func:`aares.data.read_table`.

    Returns
    -------
    DataFrame, shape (<= n_songs, n_columns + 1)

    Examples
    --------
    >>> songs = pd.DataFrame({"track_name": ["A", "B"], "genres": [("dance pop",), ("schlager",)]})
    >>> label_songs(songs)
      track_name        genres genre
    0          A  (dance pop,)   pop
    """
    genres = read_column(subset, "genres")
    labels = genres.map(label_from_genres)
    return subset.assign(genres=genres, genre=labels)[labels.notna()].reset_index(drop=True)


def match_songs(left: pd.DataFrame, right: pd.DataFrame) -> np.ndarray:
    """Tell which rows of `left` are a recording that stands in `right` too.

    Parameters
    ----------
    left, right : DataFrame
        Have the columns of `FINGERPRINT`.

    Returns
    -------
    ndarray of bool, shape (n_left,)

    Examples
    --------
    >>> songs = pd.DataFrame(
    ...     {"duration_ms": [201_333, 187_400], "tempo": [120.02, 98.51], "loudness": [-7.2, -5.1]}
    ... )
    >>> match_songs(songs, songs[1:]).tolist()
    [False, True]
    """
    asked, known = (
        pd.MultiIndex.from_frame(read_table(table, FINGERPRINT).astype(float))
        for table in (left, right)
    )
    return np.asarray(asked.isin(known))


def remove_songs(extra: pd.DataFrame, *tables: pd.DataFrame) -> pd.DataFrame:
    """Return `extra` without the recordings that stand in one of `tables`.

    A song to be predicted must not bring its label along through another table.

    Parameters
    ----------
    extra : DataFrame
    *tables : DataFrame

    Returns
    -------
    DataFrame

    Examples
    --------
    >>> extra = pd.DataFrame(
    ...     {"duration_ms": [201_333, 187_400], "tempo": [120.02, 98.51], "loudness": [-7.2, -5.1]}
    ... )
    >>> remove_songs(extra, extra[:1])
       duration_ms  tempo  loudness
    0       187400  98.51      -5.1
    """
    for table in tables:
        extra = extra[~match_songs(extra, table)]
    return extra.reset_index(drop=True)


def check_labels(y: Any, n_songs: int) -> np.ndarray:
    """Return the genres that songs are learnt with, one for each, none missing.

    Parameters
    ----------
    y : array-like, shape (n_songs,)
    n_songs : int
        Songs of the table that they are of.

    Returns
    -------
    ndarray of object, shape (n_songs,)

    Raises
    ------
    ValueError
        Another number of labels; as :class:`~aares.errors.DataError`, one that is missing or of
        another kind than the others.

    Examples
    --------
    >>> check_labels(["jazz", "punk"], 2).tolist()
    ['jazz', 'punk']
    >>> check_labels(["jazz", None], 2)
    Traceback (most recent call last):
    aares.errors.DataError: genres, row 2: expected a genre, found a missing value; leave it out
    """
    given = np.asarray(y, dtype=object)
    if given.ndim != 1:
        raise ValueError(f"genres: expected one label for each song, found shape {given.shape}")
    labels = pd.Series(given)
    if len(labels) != n_songs:
        raise ValueError(f"genres: expected {n_songs} labels, found {len(labels)}")
    if labels.isna().any():
        row = int(np.argmax(labels.isna())) + 1
        raise DataError(f"genres, row {row}: expected a genre, found a missing value; leave it out")
    texts = labels.map(lambda label: isinstance(label, str))
    if (texts != texts[:1].all()).any():
        row = int(np.argmax(texts != texts[0]))
        raise DataError(f"genres, row {row + 1}: expected text as in all rows or in none, "
                        f"found {labels[row]!r}")  # fmt: skip
    return labels.to_numpy()
