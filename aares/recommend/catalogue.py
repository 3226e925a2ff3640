"""The songs that are recommended from, read once: who made them and what they are called.

Used by notebook ``03_recommendation`` through :class:`aares.recommend.Recommender`. Everything that
knows more than a song's sound starts from a :class:`Catalogue`, and speaks of a song by its row.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares.data.door import read_column, read_table
from aares.data.titles import normalise, strip_title
from aares.errors import DataError, DataWarning
from aares.recommend.space.content import WEIGHTS

NOBODY = frozenset(
    ("", "various", "various artists", "various interprets", "unknown", "unknown artist",
     "anonymous", "traditional", "trad", "n a", "none", "null", "nan", "v a", "artistes varies",
     "artistes divers", "varios artistas", "varios", "vari artisti", "artisti vari",
     "verschiedene interpreten", "verschiedene kunstler", "diverse", "anonyme", "anonym", "anonimo")
)  # fmt: skip
"""Normalised names that stand for many people or for none: they are no artist of their own."""


_NEEDED = ("id", *(name for name in WEIGHTS if name != "year"))
_READ_TOO = ("year", "popularity", "explicit", "artists")


@dataclass(frozen=True)
class Catalogue:
    """A table of songs with what is read from its names; lists have one entry for each row.

    Parameters
    ----------
    songs : DataFrame
        The songs, rows numbered from 0, columns as the loader gives them.
    artists : list of tuple of str
        Names of each song's artists as they are written, at least one (possibly empty) each.
    by : list of tuple of str
        The same, normalised, without those who are many or nobody (:data:`NOBODY`).
    titles : list of str
        Bare titles, see :func:`aares.data.titles.strip_title`.
    """

    songs: pd.DataFrame
    artists: list[tuple[str, ...]]
    by: list[tuple[str, ...]]
    titles: list[str]

    def __len__(self) -> int:
        return len(self.songs)


def read_catalogue(songs: pd.DataFrame) -> Catalogue:
    """Read a table of songs.

    Parameters
    ----------
    songs : DataFrame
        ``id``, ``name``, ``artists`` (lists of names) or ``artist``, and the audio features;
        ``year``, ``popularity``, ``explicit`` and ``release_date`` where there are any.

    Returns
    -------
    Catalogue

    Raises
    ------
    ValueError
        No song, or a column or cell is missing or wrong, see :func:`aares.data.read_table`.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> songs = make_songs("recommendation", 1, name="SOS - Live")
    >>> songs["artists"] = [("ABBA", "Various Artists")]
    >>> catalogue = read_catalogue(songs)
    >>> catalogue.titles, catalogue.artists, catalogue.by
    (['sos'], [('ABBA', 'Various Artists')], [('abba',)])
    """
    known = read_table(songs, ["name", *_NEEDED], optional=[*_READ_TOO, "artist"])
    if known.empty:
        raise ValueError("songs: expected at least one song, found none")
    if "artists" not in known and "artist" not in known:
        raise DataError("songs: missing column 'artists' (or 'artist')")
    table = songs.assign(**{str(name): known[name] for name in known}).reset_index(drop=True)
    artists = read_artists(table)
    keys = {names: _normalise_names(names) for names in set(artists)}
    titles = [strip_title(title) for title in table["name"]]
    return Catalogue(table, artists, [keys[names] for names in artists], titles)


def leave_out_missing(songs: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Keep the songs of which no cell is missing that a catalogue needs.

    Parameters
    ----------
    songs : DataFrame

    Returns
    -------
    whole : DataFrame
        The others, as they are; whether their cells are right, :func:`read_catalogue` sees.
    left_out : int

    Raises
    ------
    DataError
        No song is left.

    Warns
    -----
    DataWarning
        Songs were kept out: how many, and for which columns.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> leave_out_missing(make_songs("recommendation", 2))[1]
    0
    """
    if not isinstance(songs, pd.DataFrame) or not songs.columns.is_unique or songs.empty:
        return songs, 0  # said by the door
    names = [name for name in (*_NEEDED, *_READ_TOO) if name in songs]
    missing = songs[names].isna()
    bad = missing.any(axis=1).to_numpy()
    if not bad.any():
        return songs, 0
    counts = missing.sum()
    told = ", ".join(f"{name!r} of {count}" for name, count in counts[counts > 0].items())
    if bad.all():
        raise DataError(f"songs: expected at least one without a missing value, found {told}")
    left_out = int(bad.sum())
    warnings.warn(
        f"songs: {left_out:,} of {len(songs):,} were kept out, whose cells are missing: {told}; "
        "fill them in to have these songs recommended",
        DataWarning,
        stacklevel=3,
    )
    return songs[~bad], left_out


def take_songs(catalogue: Catalogue, rows: npt.ArrayLike) -> Catalogue:
    """Return some songs of a catalogue, as one of their own.

    Parameters
    ----------
    catalogue : Catalogue
    rows : array-like of int, shape (m,)

    Returns
    -------
    Catalogue

    Examples
    --------
    >>> from aares.data import make_songs
    >>> catalogue = read_catalogue(make_songs("recommendation", 3, name=["One", "Two", "Three"]))
    >>> take_songs(catalogue, [2, 0]).titles
    ['three', 'one']
    """
    wanted = np.asarray(rows, dtype=np.intp)
    return Catalogue(
        catalogue.songs.iloc[wanted].reset_index(drop=True),
        [catalogue.artists[row] for row in wanted],
        [catalogue.by[row] for row in wanted],
        [catalogue.titles[row] for row in wanted],
    )


def read_artists(songs: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return the names of each song's artists, at least one (possibly empty) name each.

    Parameters
    ----------
    songs : DataFrame
        With ``artists`` (lists of names) or ``artist`` (text), see :func:`aares.data.read_table`.

    Returns
    -------
    list of tuple of str

    Examples
    --------
    >>> read_artists(pd.DataFrame({"artists": [("ABBA",), ()]}))
    [('ABBA',), ('',)]
    >>> read_artists(pd.DataFrame({"artist": ["ABBA"]}))
    [('ABBA',)]
    """
    if "artists" in songs:
        return [names or ("",) for names in read_column(songs, "artists")]
    return [(name,) for name in read_column(songs, "artist")]


def _normalise_names(names: tuple[str, ...]) -> tuple[str, ...]:
    plain = (normalise_name(name) for name in names)
    return tuple(name for name in plain if name not in NOBODY)


def normalise_name(text: str) -> str:
    """Return a normalised name; one of symbols only, such as "!!!", is kept.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> normalise_name("Beyoncé"), normalise_name("!!!")
    ('beyonce', '!!!')
    """
    return normalise(text) or str(text).strip()
