"""Which songs may be recommended at all: what a listener asks for, and what nobody wants.

Used by notebook ``03_recommendation`` through :class:`aares.recommend.Recommender`. A filter looks
at one song by itself; what songs may not stand side by side is in :mod:`.choosing`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares.data.schemas import show_cell
from aares.errors import AaresError
from aares.recommend.catalogue import Catalogue, normalise_name
from aares.recommend.finding.finder import SongNotFoundError
from aares.recommend.traits.traits import Traits

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.intp]


class NoSongsLeftError(AaresError, LookupError):
    """The filters leave no song; the message names the one that removes most."""


def filter_songs(
    catalogue: Catalogue,
    traits: Traits,
    *,
    years: object = None,
    explicit: object = None,
    tempo: object = None,
    languages: object = None,
) -> dict[str, BoolArray]:
    """Find the songs that meet what is asked for.

    Parameters
    ----------
    catalogue : Catalogue
    traits : Traits
    years : pair of int, optional
        The first and the last year of the recordings, see :class:`Traits`; None is any.
    explicit : bool, optional
        False leaves out explicit songs, True all others.
    tempo : pair of float, optional
        Slowest and fastest, in beats per minute; None is any.
    languages : list of str, optional
        Codes such as ``["fr", "es"]``: of the title or, where it does not tell, of the artist.

    Returns
    -------
    dict of str to ndarray of bool, shape (n,)
        For each filter that was given whether a song may stay.

    Raises
    ------
    ValueError
        A filter is none, or the table lacks the column that it reads.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> from aares.recommend.catalogue import read_catalogue
    >>> from aares.recommend.traits.traits import read_traits
    >>> catalogue = read_catalogue(make_songs("recommendation", 3, tempo=[90, 120, 150]))
    >>> {name: keep.tolist() for name, keep in filter_songs(
    ...     catalogue, read_traits(catalogue), tempo=(100, None)).items()}
    {'tempo': [False, True, True]}
    """
    kept = {}
    if years is not None:
        low, high = _read_range("years", years)
        require_column("years", catalogue, "year")
        kept["years"] = (traits.era >= low) & (traits.era <= high)
    if explicit is not None:
        if not isinstance(explicit, (bool, np.bool_)):
            raise ValueError(f"explicit: expected True, False or None, found {explicit!r}")
        require_column("explicit", catalogue, "explicit")
        kept["explicit"] = catalogue.songs["explicit"].to_numpy(bool) == explicit
    if tempo is not None:
        low, high = _read_range("tempo", tempo)
        found = catalogue.songs["tempo"].to_numpy(float)
        kept["tempo"] = (found >= low) & (found <= high)
    if languages is not None:
        tongues = np.where(traits.language == "", traits.artist_language, traits.language)
        kept["languages"] = np.isin(tongues, _read_languages(languages, tongues))
    return kept


def require_column(name: str, catalogue: Catalogue, column: str) -> None:
    """Refuse an option that reads a column which the songs do not have.

    Parameters
    ----------
    name : str
        Of the option.
    catalogue : Catalogue
    column : str

    Raises
    ------
    ValueError
        They do not have it.
    """
    if column not in catalogue.songs:
        raise ValueError(f"{name}: the songs have no column {column!r} to read it from")


def _read_range(name: str, given: object) -> tuple[float, float]:
    expected = f"{name}: expected a pair (lowest, highest), of numbers or None, found {given!r}"
    if not isinstance(given, (tuple, list, np.ndarray)) or len(given) != 2:
        raise ValueError(expected)
    for end in given:
        is_number = isinstance(end, Real) and not isinstance(end, bool)
        if end is not None and (not is_number or np.isnan(float(end))):
            raise ValueError(expected)
    low, high = (default if end is None else float(end)
                 for end, default in zip(given, (-np.inf, np.inf), strict=True))  # fmt: skip
    if low > high:
        raise ValueError(f"{name}: expected the lowest first, found {tuple(given)!r}")
    return low, high


def _read_languages(given: object, tongues: npt.NDArray[Any]) -> list[str]:
    if isinstance(given, str):
        given = [given]
    if not isinstance(given, Iterable):
        raise ValueError(f"languages: expected a list of codes such as ['fr'], found {given!r}")
    codes, known = list(given), sorted(set(tongues.tolist()) - {""})
    if not codes:
        raise ValueError("languages: expected at least one code, found none")
    for code in codes:
        if code not in known:
            there = ", ".join(known) or "no song of known language"
            raise ValueError(f"languages: no song has {code!r}; there are {there}")
    return codes


def exclude_songs(
    exclude: Any, catalogue: Catalogue, traits: Traits, find_rows: Callable[[Any], IntArray]
) -> BoolArray:
    """Tell which songs are not excluded.

    Parameters
    ----------
    exclude : artist, song, playlist or list of these
        The name of an artist takes out all songs that credit it, and a song, as
        :func:`aares.recommend.finding.seeds.read_queries` reads one, all versions of its recording.
        A text that is the name of an artist means the artist. Of a table, such as an earlier
        playlist, songs that are not in the catalogue do not matter.
    catalogue : Catalogue
    traits : Traits
    find_rows : callable
        Song -> rows, or a :class:`SongNotFoundError`.

    Returns
    -------
    ndarray of bool, shape (n,)
        False for those excluded.

    Raises
    ------
    SongNotFoundError
        A name is neither an artist's nor a song's.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> from aares.recommend.catalogue import read_catalogue
    >>> from aares.recommend.traits.traits import read_traits
    >>> songs = make_songs("recommendation", 3, name=["SOS", "Creep", "Fernando"])
    >>> songs["artists"] = [("ABBA",), ("TLC",), ("ABBA",)]
    >>> catalogue = read_catalogue(songs)
    >>> exclude_songs(["abba"], catalogue, read_traits(catalogue), lambda song: []).tolist()
    [False, True, False]
    """
    artists: set[str] = set()
    rows: list[int] = []
    for item in _list_items(exclude):
        if isinstance(item, pd.DataFrame):
            rows += _find_known(item, find_rows)
        elif isinstance(item, str) and _is_artist(item, catalogue):
            artists.add(normalise_name(item))
        else:
            rows += _find_named(item, find_rows)
    keep = ~np.isin(traits.recording, traits.recording[np.array(rows, dtype=np.intp)])
    if artists:
        keep &= np.array([artists.isdisjoint(names) for names in catalogue.by])
    return keep


def _list_items(exclude: Any) -> list[Any]:
    single = isinstance(exclude, (str, dict, pd.DataFrame, pd.Series))
    pair = isinstance(exclude, tuple) and len(exclude) == 2
    return [exclude] if single or pair or not isinstance(exclude, Iterable) else list(exclude)


def _is_artist(name: str, catalogue: Catalogue) -> bool:
    key = normalise_name(name)
    return bool(key) and any(key in names for names in catalogue.by)


def _find_known(songs: pd.DataFrame, find_rows: Callable[[Any], IntArray]) -> list[int]:
    rows: list[int] = []
    for song in songs.to_dict("records"):
        try:
            rows += list(find_rows(song))
        except SongNotFoundError:
            continue
    return rows


def _find_named(item: Any, find_rows: Callable[[Any], IntArray]) -> list[int]:
    try:
        return list(find_rows(item))
    except SongNotFoundError as error:
        if isinstance(item, str):
            what = show_cell(item)
            raise SongNotFoundError(f"exclude: no artist is called {what}, and {error}") from None
        raise


def explain_filters(kept: dict[str, BoolArray]) -> str:
    """Write how many songs each filter removes by itself, the strictest first.

    Parameters
    ----------
    kept : dict of str to ndarray of bool, shape (n,)
        For each filter whether a song may stay.

    Returns
    -------
    str

    Examples
    --------
    >>> explain_filters({"tempo": np.array([True, False]), "years": np.array([False, False])})
    'years removes 2 of 2 songs, tempo 1'
    """
    counts = sorted((-int((~keep).sum()), name) for name, keep in kept.items())
    (most, first), *others = counts
    told = [f"{first} removes {-most:,} of {len(kept[first]):,} songs"]
    return ", ".join([*told, *(f"{name} {-count:,}" for count, name in others)])
