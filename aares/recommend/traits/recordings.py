"""Which rows are one recording, so that a playlist holds it once.

Used by notebook ``03_recommendation`` through :func:`aares.recommend.traits.traits.read_traits`.
Two rows are one where they share a key of the title
(:func:`aares.recommend.traits.naming.list_keys`) and an artist, credited or named in the title, or
where they measure the same (:func:`aares.recommend.traits.sounds.find_same_sounds`); what is one
with one is one with all.
"""

from __future__ import annotations

from itertools import chain

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from aares.recommend.catalogue import Catalogue
from aares.recommend.traits.naming import (
    fold,
    list_guests,
    list_keys,
    may_split,
    read_names,
    split_names,
    squeeze,
)
from aares.recommend.traits.sounds import IntArray
from aares.recommend.traits.works import has_movement_behind_dash, is_classical, list_work_keys


def list_credits(catalogue: Catalogue) -> list[frozenset[str]]:
    """List everybody who may stand for each song: credited, part of a credit, or in the title.

    Parameters
    ----------
    catalogue : Catalogue

    Returns
    -------
    list of frozenset of str
        Normalised names, none for a song of nobody.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> from aares.recommend.catalogue import read_catalogue
    >>> songs = make_songs("recommendation", 1, name="Baby Boy (feat. Sean Paul)")
    >>> songs["artists"] = [("Beyoncé",)]
    >>> [sorted(names) for names in list_credits(read_catalogue(songs))]
    [['beyonce', 'sean paul']]
    """
    known = {
        names: frozenset(chain(by, *(split_names(name) for name in names if may_split(name))))
        for names, by in dict(zip(catalogue.artists, catalogue.by, strict=True)).items()
    }
    return [
        known[names] | frozenset(list_guests(title)) if _may_name(title) else known[names]
        for names, title in zip(catalogue.artists, read_names(catalogue), strict=True)
    ]


def tell_recordings(
    catalogue: Catalogue,
    people: list[frozenset[str]],
    same_sounds: IntArray,
) -> IntArray:
    """Number the recordings.

    Parameters
    ----------
    catalogue : Catalogue
    people : list of frozenset of str
        See :func:`list_credits`.
    same_sounds : ndarray of int, shape (pairs, 2)
        See :func:`aares.recommend.traits.sounds.find_same_sounds`.

    Returns
    -------
    ndarray of int, shape (N,)
        From 0, in order of first appearance.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> from aares.recommend.catalogue import read_catalogue
    >>> songs = make_songs("recommendation", 3, name=["SOS", "SOS - Live", "SOS"])
    >>> songs["artists"] = [("ABBA",), ("ABBA",), ("Rihanna",)]
    >>> catalogue = read_catalogue(songs)
    >>> no_pair = np.empty((0, 2), dtype=np.intp)
    >>> tell_recordings(catalogue, list_credits(catalogue), no_pair).tolist()
    [0, 0, 1]
    """
    titles = read_names(catalogue)
    keys = {title: name_song(title) for title in set(titles)}
    rows: list[int] = []
    names: list[str] = []
    for row, (title, credited) in enumerate(zip(titles, people, strict=True)):
        for key in keys[title]:
            for person in credited:
                rows.append(row)
                names.append(f"{key}\0{person}")
    return join_rows(len(catalogue), np.array(rows, dtype=np.intp), names, same_sounds)


def name_song(title: str) -> frozenset[str]:
    """List what a song may be called, see :mod:`aares.recommend.traits.naming` and :mod:`.works`.

    Parameters
    ----------
    title : str

    Returns
    -------
    frozenset of str

    Examples
    --------
    >>> sorted(name_song("Sommer - I. Allegro")), sorted(name_song("Sommer - Remix"))
    (['sommeriallegro'], ['sommer', 'sommerremix'])
    """
    if not is_classical(title):
        return list_keys(title)
    if has_movement_behind_dash(title):
        return list_work_keys(title) | {squeeze(fold(title))}
    return list_work_keys(title) | list_keys(title)


def join_rows(n: int, rows: IntArray, names: list[str], pairs: IntArray) -> IntArray:
    """Number the groups of rows that are joined by a common name or by a pair.

    Parameters
    ----------
    n : int
        Number of rows.
    rows : ndarray of int, shape (m,)
        The row of each name.
    names : list of str, length m
    pairs : ndarray of int, shape (p, 2)

    Returns
    -------
    ndarray of int, shape (n,)
        From 0, in order of first appearance.

    Examples
    --------
    >>> join_rows(4, np.array([1, 2]), ["a", "a"], np.array([[2, 3]])).tolist()
    [0, 1, 1, 1]
    """
    codes, told = pd.factorize(np.array(names, dtype=object))
    size = n + len(told)
    start = np.concatenate([rows, pairs[:, 0]])
    end = np.concatenate([n + codes, pairs[:, 1]])
    graph = coo_array((np.ones(len(start), dtype=bool), (start, end)), shape=(size, size))
    groups = connected_components(graph, directed=False)[1][:n]
    return pd.factorize(groups)[0].astype(np.intp)


def _may_name(title: str) -> bool:
    """Whether a title may name a guest: a quick look before the slow one."""
    return "(" in title or "[" in title or "eat" in title or "t." in title or " - " in title
