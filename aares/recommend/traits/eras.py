"""When a recording is from: the earliest year that the catalogue has of it, not its re-issue's.

Used by notebook ``03_recommendation`` through :func:`aares.recommend.traits.traits.read_traits`.
The year of a row is its release's; "Bohemian Rhapsody" stands there with 1975, 1981, 2006 and 2018.
Its era is the earliest year of a row with that title, one of its artists and its kind (a live
recording of 1986 is not of 1975), or of one that measures the same. A title of the classical
repertoire is played by many: only the same artists, all of them, make it one recording. Chapters
and titles such as "Intro" tell nothing.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares.recommend.catalogue import Catalogue
from aares.recommend.traits.naming import GENERIC, bare_title, fold, read_names
from aares.recommend.traits.sounds import IntArray
from aares.recommend.traits.versions import LIVE, list_notes

FloatArray = npt.NDArray[np.floating]

_YEAR = re.compile(r"\b(19[2-9]\d|20[0-4]\d)\b|(?<=['/])([2-9]\d)\b")


def date_recordings(
    catalogue: Catalogue,
    people: list[frozenset[str]],
    *,
    versions: npt.NDArray[np.int8],
    classical: npt.NDArray[np.bool_],
    spoken: npt.NDArray[np.bool_],
    same_sounds: IntArray,
) -> FloatArray:
    """Return the year that each recording is from.

    Parameters
    ----------
    catalogue : Catalogue
    people : list of frozenset of str
        See :func:`aares.recommend.traits.recordings.list_credits`.
    versions : ndarray of int, shape (N,)
        See :func:`aares.recommend.traits.versions.tell_versions`.
    classical, spoken : ndarray of bool, shape (N,)
        Rows of the classical repertoire, and spoken ones.
    same_sounds : ndarray of int, shape (pairs, 2)
        See :func:`aares.recommend.traits.sounds.find_same_sounds`.

    Returns
    -------
    ndarray of float, shape (N,)
        Never later than the row's own year; NaN everywhere for a table without years.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> from aares.recommend.catalogue import read_catalogue
    >>> from aares.recommend.traits.traits import read_traits
    >>> names = ["SOS - Remastered 2001", "SOS", "SOS - Live 1979"]
    >>> songs = make_songs("recommendation", 3, name=names, year=[2001, 1975, 2014])
    >>> read_traits(read_catalogue(songs.assign(energy=[0.1, 0.5, 0.9]))).era.tolist()
    [1975.0, 1975.0, 1979.0]
    """
    if "year" not in catalogue.songs:
        return np.full(len(catalogue), np.nan)
    titles = read_names(catalogue)
    year = catalogue.songs["year"].to_numpy(float)
    known = year.copy()
    for row in np.flatnonzero(versions == LIVE):
        known[row] = min(year[row], _read_year(titles[row], year[row]))
    rows, names = _name_songs(catalogue, people, versions, classical, spoken)
    codes = pd.factorize(np.array(names, dtype=object))[0]
    first = np.full(codes.max(initial=-1) + 1, np.inf)
    np.minimum.at(first, codes, known[rows])
    era = known.copy()
    np.minimum.at(era, rows, first[codes])
    one, other = _keep_shared(same_sounds, people, versions).T
    before = era.copy()
    np.minimum.at(era, one, before[other])
    np.minimum.at(era, other, before[one])
    return era


def _name_songs(
    catalogue: Catalogue,
    people: list[frozenset[str]],
    versions: npt.NDArray[np.int8],
    classical: npt.NDArray[np.bool_],
    spoken: npt.NDArray[np.bool_],
) -> tuple[IntArray, list[str]]:
    """List (row, name) pairs: rows with a common name are one recording."""
    titles = read_names(catalogue)
    rows: list[int] = []
    names: list[str] = []
    for row, title in enumerate(titles):
        key = bare_title(fold(title))
        if spoken[row] or key in GENERIC or not key:
            continue
        by = ["\1".join(sorted(catalogue.by[row]))] if classical[row] else people[row]
        key = fold(title) if classical[row] else key
        names += [f"{key}\0{person}\0{versions[row]}" for person in by if person]
        rows += [row] * sum(1 for person in by if person)
    return np.array(rows, dtype=np.intp), names


def _read_year(title: str, released: float) -> float:
    """Return the year that a live recording's title names, else infinity."""
    for note in list_notes(fold(title)):
        for full, short in _YEAR.findall(note):
            year = int(full) if full else 1900 + int(short)
            if year <= released and "master" not in note:
                return float(year)
    return np.inf


def _keep_shared(
    pairs: IntArray, people: list[frozenset[str]], versions: npt.NDArray[np.int8]
) -> IntArray:
    """Keep the pairs of one kind that share somebody: chance makes a few others sound the same."""
    keep = [
        versions[one] == versions[other] and not people[one].isdisjoint(people[other])
        for one, other in pairs
    ]
    return pairs[np.array(keep, dtype=bool)]
