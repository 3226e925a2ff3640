"""Read what somebody names as a seed: an id, a title, a link, a row (exercise 3, question 1).

Used by notebook ``03_recommendation`` through :class:`aares.recommend.Recommender`. This module
knows no table: which song a query means, :mod:`aares.recommend.finding.finder` says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Any
from urllib.parse import unquote_plus

import numpy as np
import pandas as pd

from aares.data.schemas import show_cell
from aares.data.titles import normalise

Seed = str | int | tuple[str, str] | Mapping[str, Any] | pd.Series | pd.DataFrame | Iterable[Any]
"""One song or several, see :func:`read_queries`."""

EXPECTED = (
    "an id, a title, a pair (title, artist), a Spotify link, a row with 'id' or 'name', "
    "or a list of these"
)
ID_COLUMNS = ("id", "track_id", "spotify_id", "uri", "track_uri", "spotify_uri", "url")
TITLE_COLUMNS = ("name", "track_name", "title")
ARTIST_COLUMNS = ("artists", "artist", "artist_name", "artist_name_s", "artist_names",
                  "track_artist")  # fmt: skip

_LINK = re.compile(
    r"(?:spotify:|(?:https?://)?(?:open|play)\.spotify\.com/(?:intl-[\w-]+/)?(?:embed/)?)"
    r"(?P<path>[^?#]*)",
    re.IGNORECASE,
)
_SHORT_LINK = re.compile(r"(?:https?://)?(?:spotify\.link|spotify\.app\.link|spoti\.fi)/", re.I)
_BETWEEN = re.compile(r"\s+[-\u2013\u2014|]\s+|\s+by\s+", re.IGNORECASE)
SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")


@dataclass(frozen=True)
class Query:
    """One song that is asked for.

    Parameters
    ----------
    said : str
        As it was given, for messages.
    id : str
        The id that it may be; empty for none.
    readings : tuple of (str, str)
        Title and artist that it may mean, the whole text first; an empty artist is any.
    where : str
        Which of several it is, for messages; empty if it is the only one.
    """

    said: str
    id: str = ""
    readings: tuple[tuple[str, str], ...] = ()
    where: str = field(default="", repr=False)


def read_queries(seed: Seed, *, what: str = "seed") -> list[Query]:
    """Read a seed, whatever form it has.

    Parameters
    ----------
    seed : str, int, pair, row, table or iterable of these
        An id (``"4uLU6hMCjMI75M1A2tKUQC"``), a title, ``"title - artist"`` in either order or
        ``"title by artist"``, a pair (title, artist), a link (``spotify:track:...`` or
        ``https://open.spotify.com/track/...``), a row of a table as a mapping, Series or named
        tuple with ``id`` or ``name`` and ``artist`` or ``artists``; a table or list of these.
    what : str
        What it is, for messages.

    Returns
    -------
    list of Query
        In the order given; those of a set sorted, so that each run gives the same.

    Raises
    ------
    ValueError
        It is none of these, nothing at all, or a link to something else than a song.

    Examples
    --------
    >>> read_queries("https://open.spotify.com/intl-fr/track/0abc?si=12")[0].id
    '0abc'
    >>> read_queries([("Chiquitita", "ABBA"), {"id": "s1", "name": "One"}])[1]
    Query(said="'s1'", id='s1', readings=(('One', ''),))
    >>> read_queries(None)
    Traceback (most recent call last):
    ValueError: seed: expected an id, a title, a pair (title, artist), a Spotify link, a row with \
'id' or 'name', or a list of these, found None
    """
    if _is_single(seed):
        return [_read_query(seed, what)]
    queries = [
        replace(_read_query(item, where := f"{what}, item {i}"), where=where)
        for i, item in enumerate(_list_items(seed), 1)
    ]
    if not queries:
        raise ValueError(f"{what}: expected at least one song, found none")
    return queries


def _is_single(seed: object) -> bool:
    if isinstance(seed, pd.Series):
        return _names_columns(seed.index)
    if isinstance(seed, (str, bytes, Mapping)) or not isinstance(seed, Iterable):
        return True
    return isinstance(seed, tuple) and (hasattr(seed, "_asdict") or _is_pair(seed))


def _is_pair(item: object) -> bool:
    """Tell (title, artist) from a tuple of two seeds; the artist may be several, or missing."""
    if not isinstance(item, (tuple, list)) or len(item) != 2 or not isinstance(item[0], str):
        return False
    if isinstance(item[1], str):  # no name of an artist looks like a second song
        return _read_link(item[1]) is None and not SPOTIFY_ID.fullmatch(item[1])
    return _is_missing(item[1]) or _is_names(item[1])


def _is_names(value: object) -> bool:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return isinstance(value, (tuple, list)) and all(isinstance(name, str) for name in value)


def _is_missing(value: Any) -> bool:
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def _names_columns(names: Iterable[object]) -> bool:
    """Say whether these are names of columns that tell a song."""
    return any(_plain(name) in (*ID_COLUMNS, *TITLE_COLUMNS) for name in names)


def _plain(column: object) -> str:
    return normalise(str(column)).replace(" ", "_")


def _list_items(seed: Any) -> Iterator[object]:
    if isinstance(seed, pd.DataFrame):
        return iter(seed.to_dict("records"))
    if isinstance(seed, (set, frozenset)):
        return iter(sorted(seed, key=repr))
    if isinstance(seed, np.ndarray):
        return iter(seed.tolist() if seed.ndim else [seed.item()])
    return iter(seed)


def _read_query(item: object, where: str) -> Query:
    if isinstance(item, str):
        return _read_text(item, where)
    if isinstance(item, tuple) and hasattr(item, "_asdict"):
        item = item._asdict()
    if isinstance(item, pd.Series) and _names_columns(item.index):
        item = item.to_dict()
    if isinstance(item, Mapping):
        return _read_row(item, where)
    if _is_pair(item):
        return read_pair(*item, where=where)  # type: ignore[misc]
    if isinstance(item, Integral) and not isinstance(item, bool):
        return Query(str(item), id=str(item))
    raise ValueError(f"{where}: expected {EXPECTED}, found {_show(item)}")


def _show(item: object) -> str:
    if item is None or isinstance(item, str):
        return show_cell(item) if item else "None" if item is None else "an empty text"
    return f"{show_cell(item)} ({type(item).__name__})"


def _read_text(text: str, where: str) -> Query:
    text = text.strip()
    if not text:
        raise ValueError(f"{where}: expected {EXPECTED}, found an empty text")
    link = _read_link(text)
    if link is not None:
        return _read_link_path(link, text, where)
    if _SHORT_LINK.match(text):
        raise ValueError(
            f"{where}: {show_cell(text)} is a short link, whose song only Spotify knows: open it, "
            "and give the address that it leads to"
        )
    if SPOTIFY_ID.fullmatch(text):
        return Query(repr(text), id=text, readings=((text, ""),))
    readings = [(text, "")]
    for gap in _BETWEEN.finditer(text):
        left, right = text[: gap.start()], text[gap.end() :]
        readings += [(left, right), (right, left)]
    return Query(repr(text), id=text, readings=tuple(readings))


def _read_link(text: str) -> str | None:
    """Return what a Spotify link names, its parts joined by colons; None if it is no link."""
    link = _LINK.match(text.strip())
    return link["path"].strip("/").replace("/", ":") if link else None


def _read_link_path(path: str, said: str, where: str) -> Query:
    kind, *parts = path.split(":")
    kind = kind.lower()
    if kind == "local" and len(parts) == 4:  # artist, album, title, seconds
        artist, _, title, _ = map(unquote_plus, parts)
        return read_pair(title, artist, where=where)
    if kind == "track" and len(parts) == 1 and re.fullmatch(r"\w+", parts[0]):
        return Query(show_cell(said), id=parts[0])
    if kind == "track":
        found = "none" if not any(parts) else repr(":".join(parts))
        raise ValueError(f"{where}: expected the id of a track in {show_cell(said)}, found {found}")
    kind = next((part.lower() for part in parts if part.lower() == "playlist"), kind) or "link"
    raise ValueError(
        f"{where}: expected a link to a track, found one to {_name_kind(kind)}: {show_cell(said)}; "
        "give its tracks"
    )


def _name_kind(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeio" else f"a {kind}"


def read_pair(title: str, artist: object = "", *, where: str = "seed") -> Query:
    """Read a title and an artist.

    Parameters
    ----------
    title : str
    artist : str, sequence of str or None
        One name or several; empty or missing is any.
    where : str
        What is read, for messages.

    Returns
    -------
    Query

    Raises
    ------
    ValueError
        The title is empty, or one of the two is no text.

    Examples
    --------
    >>> read_pair("Under Pressure", ("Queen", "David Bowie")).readings
    (('Under Pressure', 'Queen, David Bowie'),)
    """
    if not isinstance(title, str) or not title.strip():
        raise ValueError(f"{where}: expected a title, found {_show(title)}")
    if not (isinstance(artist, str) or _is_missing(artist) or _is_names(artist)):
        raise ValueError(f"{where}: expected the name of an artist, found {_show(artist)}")
    by = ", ".join(artist) if _is_names(artist) else artist  # type: ignore[arg-type]
    by = "" if _is_missing(by) else str(by).strip()
    said = repr(title.strip()) + (f" by {by!r}" if by else "")
    return Query(said, readings=((title.strip(), by),))


def _read_row(row: Mapping[Any, Any], where: str) -> Query:
    """Read a row of a table: by its id, and by title and artist where no song has that id."""
    cells = {_plain(column): value for column, value in row.items() if not _is_missing(value)}
    song = next((cells[name] for name in ID_COLUMNS if name in cells), None)
    title = next((cells[name] for name in TITLE_COLUMNS if name in cells), None)
    artist = next((cells[name] for name in ARTIST_COLUMNS if name in cells), None)
    named = read_pair(str(title), artist, where=where) if title is not None else None
    if song is None and named is None:
        columns = ", ".join(map(str, row)) or "none"
        raise ValueError(
            f"{where}: expected a row with 'id' or 'name', found the columns {show_cell(columns)}"
        )
    if song is None:
        return named  # type: ignore[return-value]
    found = _read_text(str(song), where)
    return Query(found.said, id=found.id, readings=named.readings if named else ())
