"""Find the song of a table that a query means, by id or by title and artist (exercise 3).

Used by notebook ``03_recommendation`` through :class:`aares.recommend.Recommender`. A query is
tried as an id, then as a whole title, then as title and artist in either order, with brackets,
versions and guests left out, and last as the beginning of a title by that artist. What is misspelt
is not guessed but suggested: :mod:`aares.recommend.finding.lookup` ranks what is near.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from numbers import Integral

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares.data.titles import normalise, strip_title
from aares.errors import AaresError
from aares.recommend.catalogue import normalise_name
from aares.recommend.finding.lookup import NearSongs
from aares.recommend.finding.releases import ReleaseGroups
from aares.recommend.finding.seeds import SPOTIFY_ID, Query, Seed, read_queries
from aares.recommend.finding.spelling import (
    GUESTS,
    is_by,
    loosen_asked,
    loosen_title,
    squash,
    squash_plain,
    strip_versions,
)

_LISTED = 5


class SongNotFoundError(AaresError, LookupError):
    """No song matches what was asked for; the message suggests the nearest names."""


class AmbiguousSongError(AaresError, LookupError):
    """Several different songs match what was asked for; the message lists them."""


class SongFinder:
    """The songs of a table by id, and by title and artist.

    Parameters
    ----------
    songs : DataFrame
        ``id``, ``name`` and, if there are any, ``popularity`` and ``year``.
    artists : sequence of tuple of str
        Names of each song's artists, at least one each.
    recording : array-like of int, shape (n,), optional
        Songs with equal numbers are releases of one recording; those with one title and a shared
        artist are taken for that, too.

    Attributes
    ----------
    by : list of tuple of str
        The same names, normalised.
    bare : list of str
        Titles without brackets and what follows a dash, see :func:`aares.data.titles.strip_title`.

    Examples
    --------
    >>> from aares.recommend.finding.seeds import read_queries
    >>> songs = pd.DataFrame({"id": ["s1", "s2"], "name": ["Under Pressure", "Creep"]})
    >>> finder = SongFinder(songs, [("Queen", "David Bowie"), ("TLC",)])
    >>> [finder.find(query) for query in read_queries(["TLC - Creep", "s1"])]
    [1, 0]
    """

    def __init__(
        self,
        songs: pd.DataFrame,
        artists: Sequence[tuple[str, ...]],
        recording: npt.ArrayLike | None = None,
    ) -> None:
        self._songs = songs
        self.rows = {str(song): row for row, song in enumerate(songs["id"])}
        self.ids = [str(song) for song in songs["id"]]
        self.titles = [str(title) for title in songs["name"]]
        self.artists = artists
        keys = {names: tuple(map(normalise_name, names)) for names in set(artists)}
        self.by = [keys[names] for names in artists]
        self.names = [normalise_name(title) for title in self.titles]
        self.bare = [strip_title(title) for title in self.titles]
        self.fame = _read_numbers(songs, "popularity")
        self.year = _read_numbers(songs, "year")
        self._releases = ReleaseGroups(
            self.titles, self.names, self.bare, self.by, self.fame, recording
        )
        self._exact = _group_rows(self.names)
        self._loose = _group_rows(map(loosen_title, self.titles, self.bare))
        self._sorted = sorted(self._exact)
        self._squashed: dict[str, list[str]] = defaultdict(list)
        for name in self._loose:
            self._squashed[squash_plain(name)].append(name)
        self._by_artist: dict[str, list[int]] = defaultdict(list)
        short = {names: dict.fromkeys(map(squash, names)) for names in keys}
        for row in np.argsort(-np.array(self.fame), kind="stable").tolist():
            for key in short[artists[row]]:
                self._by_artist[key].append(row)
        self._near = NearSongs(self.names, self.bare, self.by, self.fame)

    def find(self, query: Query, *, pick: str | None = None) -> int:
        """Return the row of the song that a query means.

        Parameters
        ----------
        query : Query
            From :func:`aares.recommend.finding.seeds.read_queries`.
        pick : {"popular"}, optional
            Take the most popular of several songs that match.

        Returns
        -------
        int
            Of several releases of the song the one with the exact title, then the most popular.

        Raises
        ------
        SongNotFoundError
            Nothing matches; the message suggests up to three near names.
        AmbiguousSongError
            Several different songs match, and `pick` does not say which; the message lists them.
        ValueError
            `pick` is something else.

        Examples
        --------
        >>> from aares.recommend.finding.seeds import read_queries
        >>> songs = pd.DataFrame({"id": ["s1", "s2"], "name": ["Hello", "Hello (Live)"]})
        >>> finder = SongFinder(songs.assign(popularity=[60, 70]), [("Adele",), ("Oasis",)])
        >>> [query] = read_queries("hello")
        >>> finder.find(query, pick="popular")
        1
        >>> finder.find(query)
        Traceback (most recent call last):
        aares.recommend.finding.finder.AmbiguousSongError: 2 songs match 'hello': Hello (Live) by \
Oasis, Hello by Adele; say which, as ("Hello (Live)", "Oasis"), or take the most popular with \
pick="popular"
        """
        check_pick(pick)
        if query.id in self.rows:
            return self.rows[query.id]
        for title, artist, exact in _list_readings(query):
            if rows := self.list_candidates(title, artist, exact=exact):
                if not artist and normalise(title) == loosen_title(title):
                    rows = self.list_candidates(title)  # "Hello - Live" is a "Hello", too
                return self._settle(query, title, artist, rows, pick)
        raise SongNotFoundError(self._explain(query))

    def find_songs(self, text: Seed, limit: int = 10) -> pd.DataFrame:
        """Return the songs that a text may mean, spelt well or not, best first.

        Parameters
        ----------
        text : str or pair
            A title, an artist, both in either order, an id or a link.
        limit : int
            Number of songs, from 1.

        Returns
        -------
        DataFrame
            ``id``, ``name``, ``artist``, ``year`` and ``popularity`` where there are any, and
            ``match`` (0-100); each song once, by the release that matches best. Empty if nothing
            is near.

        Raises
        ------
        ValueError
            The text names no song or several, or `limit` is no whole number from 1.

        Examples
        --------
        >>> songs = pd.DataFrame({"id": ["s1", "s2"], "name": ["Hello - Live", "Creep"]})
        >>> SongFinder(songs, [("Adele",), ("TLC",)]).find_songs("creap")
           id   name artist  match
        1  s2  Creep    TLC     80
        """
        found = self.search(text, limit)
        rows = [row for row, _ in found]
        table = pd.DataFrame(
            {
                "id": [self.ids[row] for row in rows],
                "name": [self.titles[row] for row in rows],
                "artist": [", ".join(self.artists[row]) for row in rows],
            },
            index=pd.RangeIndex(1, len(rows) + 1),
        )
        for column in ("year", "popularity"):
            if column in self._songs:
                table[column] = self._songs[column].to_numpy()[rows]
        table["match"] = np.array([match for _, match in found], dtype=np.int64)
        return table

    def search(self, text: Seed, limit: int = 10) -> list[tuple[int, int]]:
        """Return row and match (0-100) of the songs of :meth:`find_songs`.

        Parameters
        ----------
        text : str or pair
        limit : int

        Returns
        -------
        list of (int, int)
        """
        if not isinstance(limit, Integral) or isinstance(limit, bool) or limit < 1:
            raise ValueError(f"limit: expected a whole number from 1, found {limit!r}")
        query, *others = read_queries(text, what="text")
        if others:
            raise ValueError(f"text: expected one song, found {len(others) + 1}")
        if query.id in self.rows:
            return [(self.rows[query.id], 100)]
        if not query.readings:
            return []
        rows: dict[int, None] = {}
        for title, artist, exact in _list_readings(query):
            rows |= dict.fromkeys(self.list_candidates(title, artist, exact=exact))
            if not artist:
                rows |= dict.fromkeys(self.list_longer(loosen_asked(title)))
                rows |= dict.fromkeys(self._by_artist.get(squash(title), []))
        found = self._near.score(list(rows), query.readings) if rows else []
        return self._releases.keep_first(found or self._near.rank(query.readings), int(limit))

    def list_candidates(self, title: str, artist: str = "", *, exact: bool = False) -> list[int]:
        """Return the songs that a title and an artist may mean, likeliest first.

        Parameters
        ----------
        title : str
            Case, accents and signs do not matter; unless `exact`, neither do brackets, what
            follows a dash, and guests. Songs with the exact title come first. Without such a song,
            titles that differ in spaces or an article do, and with an artist those that begin so.
        artist : str
            One of the song's artists, or several as people write them: "Queen & David Bowie",
            "Queen feat. David Bowie"; empty for any.
        exact : bool
            Only songs with the whole title.

        Returns
        -------
        list of int
            Row numbers; of songs with equal titles the most popular first.

        Examples
        --------
        >>> songs = pd.DataFrame({"id": ["s1", "s2"], "name": ["Hello (Live)", "Hello"]})
        >>> finder = SongFinder(songs, [("Adele",), ("Lionel Richie",)])
        >>> finder.list_candidates("hello"), finder.list_candidates("hello", "Adele")
        ([1, 0], [0])
        """
        for rows in self._list_levels(title, bool(artist.strip()), exact):
            for by, exactly in itertools.product((artist, GUESTS.sub("", artist)), (True, False)):
                found = [
                    row
                    for row in rows
                    if not by.strip() or is_by(by, self.artists[row], exactly=exactly)
                ]
                if found:
                    return list(dict.fromkeys(found))
        return []

    def _list_levels(self, title: str, has_artist: bool, exact: bool) -> Iterator[list[int]]:
        """List songs ever further from a title, the most popular of each group first."""
        same = self.order_by_fame(self._exact.get(normalise_name(title), []))
        if exact or (has_artist and same):
            yield same
        if exact:
            return
        loose = loosen_title(title)
        yield same + self.order_by_fame(self._loose.get(loose, []))
        spelt = self._squashed.get(squash_plain(loose), [])
        yield self.order_by_fame([row for name in spelt for row in self._loose[name]])
        if has_artist:
            yield self.order_by_fame(self.list_longer(loose))

    def list_longer(self, title: str) -> list[int]:
        """Return the songs whose title begins with another and goes on with a new word.

        Parameters
        ----------
        title : str
            Normalised.

        Returns
        -------
        list of int
            Row numbers, by title.

        Examples
        --------
        >>> songs = pd.DataFrame({"id": ["s1", "s2"], "name": ["Gigue, No. 3", "Gigues"]})
        >>> SongFinder(songs, [("Bach",), ("Debussy",)]).list_longer("gigue")
        [0]
        """
        first, end = bisect_left(self._sorted, f"{title} "), bisect_left(self._sorted, f"{title}!")
        return [row for name in self._sorted[first:end] for row in self._exact[name]]

    def order_by_fame(self, rows: Iterable[int]) -> list[int]:
        """Return rows, the most popular first, in the order of the table where they are equal.

        Parameters
        ----------
        rows : iterable of int

        Returns
        -------
        list of int
        """
        return sorted(rows, key=lambda row: (-self.fame[row], row))

    def _settle(
        self, query: Query, title: str, artist: str, rows: list[int], pick: str | None
    ) -> int:
        """Return the one song among candidates, or say that there are several."""
        songs = self._group(rows, title, artist)
        if len(songs) == 1 or pick == "popular":
            return songs[0][0]
        heads = [song[0] for song in songs]
        listed = ", ".join(map(self.describe, heads[:_LISTED]))
        where = f"{query.where}: " if query.where else ""
        more = f" and {len(heads) - _LISTED} more" if len(heads) > _LISTED else ""
        raise AmbiguousSongError(
            f"{where}{len(heads)} songs match {query.said}: {listed}{more}; say which, "
            f'as {self._write_seed(heads[0])}, or take the most popular with pick="popular"'
        )

    def _group(self, rows: list[int], title: str, artist: str) -> list[list[int]]:
        """Group the candidates for a title and an artist into songs."""
        plain = normalise_name(title)
        if not any(self.names[row] == plain for row in rows):
            plain = loosen_title(title)
        return self._releases.group(rows, plain, one_artist=bool(artist.strip()))

    def _write_seed(self, row: int) -> str:
        """Write a seed that means this song alone: title and artist if they do, else its id."""
        title, artist = self.titles[row], self.artists[row][0]
        rows = self.list_candidates(title, artist) if artist.strip() else []
        if rows and rows[0] == row and len(self._group(rows, title, artist)) == 1:
            return f"({_quote(title)}, {_quote(artist)})"
        return f"the id {_quote(self.ids[row])}"

    def describe(self, row: int, *, year: bool = True) -> str:
        """Write a song's title, artist and year.

        Parameters
        ----------
        row : int
        year : bool
            Whether to write the year.

        Returns
        -------
        str

        Examples
        --------
        >>> songs = pd.DataFrame({"id": ["s1"], "name": ["Creep"], "year": [1994]})
        >>> SongFinder(songs, [("TLC",)]).describe(0)
        'Creep by TLC (1994)'
        """
        by = f" by {self.artists[row][0]}" if self.artists[row][0].strip() else ""
        when = f" ({self.year[row]:.0f})" if year and self.year[row] > 0 else ""
        return f"{self.titles[row]}{by}{when}"

    def _explain(self, query: Query) -> str:
        """Write that no song matches, and what is near."""
        where = f" ({query.where})" if query.where else ""
        title, artist = query.readings[0] if query.readings else ("", "")
        if not title or (query.id and SPOTIFY_ID.fullmatch(query.id)):
            said = f" ({query.said})" if query.said.strip("'") != query.id else ""
            return f"no song has the id {query.id!r}{said}{where}"
        if title in self.rows and artist in self.rows:
            return f"no song {query.said}{where}; to begin with two songs, give a list: [id, id]"
        asked = f"has the id or the title {query.said}" if query.id else query.said
        near = self._releases.keep_first(self._near.rank(query.readings), 3)
        lines = dict.fromkeys(self.describe(row, year=False) for row, _ in near)
        hint = f"; did you mean {' or '.join(lines)}?" if lines else ""
        return f"no song {asked}{where}{hint}"


def check_pick(pick: object) -> None:
    """Refuse what is no way to pick one of several songs.

    Parameters
    ----------
    pick : {"popular"}, optional

    Raises
    ------
    ValueError
        It is something else.

    Examples
    --------
    >>> check_pick("first")
    Traceback (most recent call last):
    ValueError: pick: expected 'popular' or None, found 'first'
    """
    if pick is not None and not (isinstance(pick, str) and pick == "popular"):
        raise ValueError(f"pick: expected 'popular' or None, found {pick!r}")


def _list_readings(query: Query) -> Iterator[tuple[str, str, bool]]:
    """List title, artist, and whether the whole title is meant, likeliest first."""
    for title, artist in query.readings:
        yield title, artist, True
    for title, artist in query.readings[1:]:
        yield title, artist, False
    for title, artist in query.readings[:1]:  # "Hello - Nobody" is no "Hello"
        if len(query.readings) == 1 or " - " not in strip_versions(title):
            yield title, artist, False


def _quote(text: str) -> str:
    """Write a text as Python reads it, in double quotes where that is simple."""
    return repr(text) if '"' in text or "\\" in text else f'"{text}"'


def _read_numbers(songs: pd.DataFrame, column: str) -> list[float]:
    """Read a column of numbers; -1 where there is none."""
    if column not in songs:
        return [-1.0] * len(songs)
    return songs[column].astype(float).fillna(-1.0).tolist()


def _group_rows(keys: Iterable[str]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        rows[key].append(row)
    return dict(rows)
