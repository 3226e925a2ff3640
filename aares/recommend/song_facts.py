"""What the ranker for listeners reads of songs: makers, albums, dates, popularity, sound, titles.

Used by :mod:`aares.recommend.listener_ranker`. Nothing here knows who listens to what.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from aares import exact
from aares.data.dates import parse_dates
from aares.data.door import read_column
from aares.recommend.catalogue import NOBODY, normalise_name, read_catalogue
from aares.recommend.columns import describe_catalogue
from aares.recommend.content import FloatArray
from aares.recommend.ngrams import TitleSpace
from aares.recommend.ranking import IntArray

SOUND = (
    "energy", "loudness", "danceability", "valence", "acousticness", "instrumentalness",
    "speechiness", "duration_ms",
)  # fmt: skip
"""Columns that are compared with a listener's songs one by one."""

_GUESTS = re.compile(r"[(\[]\s*(?:feat\.?|ft\.?|with|featuring)\s+([^)\]]+)|\s(?:feat|ft)\.\s+(.+)",
                     re.IGNORECASE)  # fmt: skip
_CLIP = 4.0


@dataclass(frozen=True)
class SongFacts:
    """Songs as arrays; one row for each song.

    Parameters
    ----------
    makers : csr_matrix of 0 and 1, shape (n, n_artists)
        Who is credited, guests named in the title included.
    artist : ndarray of int, shape (n,)
        The first of them.
    album : ndarray of int, shape (n,)
        Code of the album; by artist and date where the table names none.
    day : ndarray of float, shape (n,)
        Release, in days from 1970; the middle of what is known of it.
    is_day : ndarray of bool, shape (n,)
        Whether the date names a day.
    popularity : ndarray of float, shape (n,)
        0-100; 0 for all where the table has none.
    described : ndarray of float, shape (n, d)
        Standardised columns of sound, date, popularity and title, -4 to 4.
    sound : ndarray of float, shape (n, 8)
        Those of :data:`SOUND`.
    written : ndarray of float, shape (n, 2)
        Whether a title speaks of a mix, or of guests.
    titles : csr_matrix of float, shape (n, p)
        Weights of the pieces of titles, rows of length 1 or 0.
    """

    makers: sparse.csr_matrix
    artist: IntArray
    album: IntArray
    day: FloatArray
    is_day: npt.NDArray[np.bool_]
    popularity: FloatArray
    described: FloatArray
    sound: FloatArray
    written: FloatArray
    titles: sparse.csr_matrix

    def __len__(self) -> int:
        return len(self.artist)


def read_facts(songs: pd.DataFrame) -> SongFacts:
    """Read a table of songs.

    Parameters
    ----------
    songs : DataFrame
        ``id``, ``name``, ``artist`` (or ``artists``) and the audio features; ``release_date``,
        ``popularity`` and ``album_id`` where there are any.

    Returns
    -------
    SongFacts

    Raises
    ------
    ValueError
        As :func:`aares.recommend.catalogue.read_catalogue`.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> songs = make_songs("recommendation", 2, name=["SOS", "Duel (feat. Cher)"], artist="ABBA")
    >>> facts = read_facts(songs.drop(columns="artists"))
    >>> facts.makers.toarray().tolist(), facts.artist.tolist()
    ([[1.0, 0.0], [1.0, 1.0]], [0, 0])
    """
    catalogue = read_catalogue(songs)
    table = catalogue.songs
    names = [credit_artists(*one) for one in zip(catalogue.artists, table["name"], strict=True)]
    day, is_day = _read_days(table)
    makers, artist = _code_names(names)
    described = describe_catalogue(catalogue)
    space = TitleSpace().fit(table["name"].tolist())
    words = space.transform(table["name"].tolist())
    standard = _standardise(described)
    popularity = np.zeros(len(table))
    if "popularity" in table:
        popularity = read_column(table, "popularity").to_numpy(float)
    names_of = list(described.columns)
    return SongFacts(
        makers=makers,
        artist=artist,
        album=_code_albums(table, artist, day),
        day=day,
        is_day=is_day,
        popularity=popularity,
        described=np.hstack([standard, _standardise(pd.DataFrame(words))]),
        sound=standard[:, [names_of.index(name) for name in SOUND]],
        written=described[["mix", "feat"]].to_numpy(float),
        titles=space.weigh(table["name"].tolist()),
    )


def credit_artists(artists: tuple[str, ...], title: str) -> list[str]:
    """List who made a song: its artists, and the guests that its title names.

    Parameters
    ----------
    artists : tuple of str
    title : str

    Returns
    -------
    list of str
        Normalised, the first artist first; a name of its own if nobody is named.

    Examples
    --------
    >>> credit_artists(("Ed Sheeran",), "I Don't Care (with Justin Bieber & H.E.R.) - Remix")
    ['ed sheeran', 'justin bieber', 'h e r']
    """
    found = _GUESTS.search(str(title))
    text = (found[1] or found[2]).split(" - ")[0] if found else ""
    guests = re.split(r",|&| and ", text) if text else []
    names = [normalise_name(name) for name in (*artists, *guests)]
    known = list(dict.fromkeys(name for name in names if name not in NOBODY))
    return known or [f"\n{title}"]


def _code_names(names: list[list[str]]) -> tuple[sparse.csr_matrix, IntArray]:
    sizes = [len(some) for some in names]
    codes, known = pd.factorize(np.array([name for some in names for name in some], dtype=object))
    starts = np.concatenate([[0], np.cumsum(sizes)])
    shape = (len(names), len(known))
    makers = sparse.csr_matrix((np.ones(len(codes)), codes, starts), shape=shape)
    return makers, codes[starts[:-1]].astype(np.intp)


def _read_days(table: pd.DataFrame) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Return days from 1970; a month counts as its first day, a year as its July."""
    dates = table["release_date"] if "release_date" in table else pd.Series("", table.index)
    if "release_date" not in table and "year" in table:
        dates = table["year"].astype(int).astype(str)
    parts = parse_dates(dates)
    known = parts["year"].notna().to_numpy()
    days = np.zeros(len(table))
    if known.any():
        full = (
            parts.loc[known, ["year", "month", "day"]]
            .fillna({"month": 7, "day": 1})
            .astype(int)
            .astype(str)
        )
        text = full["year"] + "-" + full["month"].str.zfill(2) + "-" + full["day"].str.zfill(2)
        days[known] = text.to_numpy(dtype="datetime64[D]").astype(np.int64)
        days[~known] = np.median(days[known])
    return days, (parts["precision"] == "day").to_numpy()


def _code_albums(table: pd.DataFrame, artist: IntArray, day: FloatArray) -> IntArray:
    keys = pd.DataFrame({"artist": artist, "day": day}).groupby(["artist", "day"], sort=True)
    if "album_id" not in table:
        return np.asarray(keys.ngroup(), dtype=np.intp)
    return np.asarray(pd.factorize(table["album_id"].astype(str))[0])


def _standardise(table: pd.DataFrame) -> FloatArray:
    """Return columns of mean 0 and spread 1, on a grid; 0 where nothing is known."""
    values = exact.snap(table.to_numpy(float), 20)
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    apart = exact.snap(
        np.where(known, values - np.where(known, values, 0.0).sum(axis=0) / count, 0), 18
    )
    spread = np.sqrt((apart**2).sum(axis=0) / count)
    return exact.snap((apart / np.where(spread > 0, spread, 1.0)).clip(-_CLIP, _CLIP), 14)
