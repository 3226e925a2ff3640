"""Find the song of a table that a query means, by id or by title and artist (exercise 3).

Used by notebook ``03_recommendation`` through :class:`aares.recommend.Recommender`. A query is
tried as an id, then as a whole title, then as title and artist in either order, and last with
brackets, versions and guests left out.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

import pandas as pd

from aares.data.titles import normalise, strip_title
from aares.errors import AaresError
from aares.recommend.catalogue import normalise_name
from aares.recommend.seeds import SPOTIFY_ID, Query

_GUESTS = re.compile(r"\s+[(\[]?(?:feat|ft|featuring)\b.*$", re.IGNORECASE)
_AND = re.compile(r"[&+]")
_JOINERS = frozenset(
    ("and", "feat", "ft", "featuring", "with", "x", "vs", "versus", "et", "und", "y")
)


class SongNotFoundError(AaresError, LookupError):
    """No song matches what was asked for; the message suggests the nearest names."""


class SongFinder:
    """The songs of a table by id, and by title and artist.

    Parameters
    ----------
    songs : DataFrame
        ``id``, ``name`` and, if there is one, ``popularity``.
    artists : sequence of tuple of str
        Names of each song's artists, at least one each.

    Attributes
    ----------
    by : list of tuple of str
        The same names, normalised.
    bare : list of str
        Titles without brackets and what follows a dash, see :func:`aares.data.titles.strip_title`.

    Examples
    --------
    >>> from aares.recommend.seeds import read_queries
    >>> songs = pd.DataFrame({"id": ["s1", "s2"], "name": ["Under Pressure", "Creep"]})
    >>> finder = SongFinder(songs, [("Queen", "David Bowie"), ("TLC",)])
    >>> [finder.find(query) for query in read_queries(["TLC - Creep", "s1"])]
    [1, 0]
    """

    def __init__(self, songs: pd.DataFrame, artists: Sequence[tuple[str, ...]]) -> None:
        self.rows = {str(song): row for row, song in enumerate(songs["id"])}
        self.titles = [str(title) for title in songs["name"]]
        self.artists = artists
        keys = {names: tuple(map(normalise_name, names)) for names in set(artists)}
        self.by = [keys[names] for names in artists]
        self._names = [normalise_name(title) for title in self.titles]
        self._fame = songs["popularity"].to_numpy() if "popularity" in songs else None
        self._exact = _group_rows(self._names)
        self.bare = [strip_title(title) for title in self.titles]
        self._loose = _group_rows(map(_loosen_title, self.titles, self.bare))

    def find(self, query: Query) -> int:
        """Return the row of the song that a query most likely means.

        Parameters
        ----------
        query : Query
            From :func:`aares.recommend.seeds.read_queries`.

        Returns
        -------
        int

        Raises
        ------
        SongNotFoundError
            Nothing matches; the message suggests up to three near names.
        """
        if query.id in self.rows:
            return self.rows[query.id]
        for title, artist in query.readings:
            if rows := self.list_candidates(title, artist, exact=True):
                return rows[0]
        for title, artist in (*query.readings[1:], *query.readings[:1]):  # the whole text last
            if rows := self.list_candidates(title, artist):
                return rows[0]
        raise SongNotFoundError(self._explain(query))

    def list_candidates(self, title: str, artist: str = "", *, exact: bool = False) -> list[int]:
        """Return the songs that a title and an artist may mean, likeliest first.

        Parameters
        ----------
        title : str
            Case, accents and signs do not matter; unless `exact`, neither do brackets, what
            follows a dash, and guests. Songs with the exact title come first.
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
        groups = [self._exact.get(normalise_name(title), [])]
        if not exact:
            groups.append(self._loose.get(_loosen_title(title), []))
        ordered = [row for group in groups for row in self._order_by_fame(group)]
        for by in dict.fromkeys((artist, _GUESTS.sub("", artist))):
            found = [row for row in ordered if not by.strip() or is_by(by, self.artists[row])]
            if found:
                return list(dict.fromkeys(found))
        return []

    def _order_by_fame(self, rows: list[int]) -> list[int]:
        fame = self._fame
        return rows if fame is None else sorted(rows, key=lambda row: -fame[row])

    def _explain(self, query: Query) -> str:
        """Write that no song matches, and what is near."""
        title, artist = query.readings[0] if query.readings else ("", "")
        if not title or (query.id and SPOTIFY_ID.fullmatch(query.id)):
            return f"no song has the id {query.id!r}" + (
                f" ({query.said})" if query.said.strip("'") != query.id else ""
            )
        if title in self.rows and artist in self.rows:
            return f"no song {query.said}; to begin with two songs, give a list: [id, id]"
        asked = f"has the id or the title {query.said}" if query.id else query.said
        return f"no song {asked}{self._suggest(title, artist)}"

    def _suggest(self, title: str, artist: str) -> str:
        by = normalise_name(artist)
        mine = [row for row, names in enumerate(self.by) if by in names] if by else []
        names: dict[str, int] = {}
        for row in mine or range(len(self._names)):
            names.setdefault(self._names[row], row)
        near = difflib.get_close_matches(normalise(title), list(names), 3, 0.6)
        lines = [f"{self.titles[names[hit]]} by {self.artists[names[hit]][0]}" for hit in near]
        if by and not mine:
            firsts = sorted({names[0] for names in self.by})
            lines += difflib.get_close_matches(normalise(artist), firsts, 3, 0.7)
        return f"; did you mean {' or '.join(dict.fromkeys(lines))}?" if lines else ""


def _group_rows(keys: Iterable[str]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        rows[key].append(row)
    return dict(rows)


def _loosen_title(title: str, bare: str = "") -> str:
    """Return a title without brackets, what follows a dash, and guests; "&" is "and".

    `bare` is the stripped title where it is at hand; stripping takes time.
    """
    spelt = _AND.sub(" and ", _GUESTS.sub("", title))
    return bare if bare and spelt == title else strip_title(spelt)


def is_by(asked: str, artists: Sequence[str]) -> bool:
    """Say whether a text names artists of a song, and nobody else.

    Parameters
    ----------
    asked : str
        One name or several, with "&", "and", "feat.", "with", "x", a comma, ... between them.
    artists : sequence of str

    Returns
    -------
    bool

    Examples
    --------
    >>> is_by("Queen & David Bowie", ("Queen", "David Bowie"))
    True
    >>> is_by("Simon and Garfunkel", ("Simon & Garfunkel",)), is_by("Simon", ("Paul Simon",))
    (True, False)
    """
    plain = normalise_name(asked), tuple(map(normalise_name, artists))
    if _is_made_of(*plain):
        return True
    spelt = [normalise_name(_AND.sub(" and ", name)) for name in (asked, *artists)]
    return _is_made_of(spelt[0], tuple(spelt[1:]))


def _is_made_of(asked: str, names: tuple[str, ...], *, begun: bool = False) -> bool:
    """Say whether a text is a row of some of the names, each once, with joiners between them."""
    if not asked:
        return begun
    for place, name in enumerate(names):
        if name and f"{asked} ".startswith(f"{name} "):
            others = names[:place] + names[place + 1 :]
            if _is_made_of(asked[len(name) + 1 :], others, begun=True):
                return True
    first, _, rest = asked.partition(" ")
    return begun and first in _JOINERS and _is_made_of(rest, names, begun=True)
