"""Which songs of one title are releases of one song, and which are different songs (exercise 3).

Used by :mod:`aares.recommend.finding.finder`. Releases share an artist or a recording. "Symphony
No. 5" and "Symphony No. 9" are two works by one composer, "Clair de Lune, No. 3" and "Clair de
Lune, L. 32" need not be: only numbers of one kind tell them apart.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from aares.data.titles import normalise
from aares.recommend.catalogue import NOBODY

_KINDS = {
    "nr": "no", "opus": "op", "kv": "k", "k": "k", "pt": "part", "teil": "part", "vol": "part",
    "kapitel": "chapter", "folge": "episode",
}  # fmt: skip
_NUMBER = re.compile(
    r"\b(no|nr|op|opus|bwv|kv?|l|d|hwv|rv|hob|woo|act|part|pt|teil|vol|chapter|kapitel|episode"
    r"|folge|scene)\s(\d+[a-z]?|[ivxl]+)\b"
)
_MOVEMENT = re.compile(r"(?:[:;,/-]|\bNo\. ?\d+)\s*([IVX]+)\b")
_KEY = re.compile(r"\bin ([a-g](?: flat| sharp)?) (major|minor)\b")
_NUMBERING = re.compile(
    r"(?:(?:no|nr|op|opus|bwv|kv?|l|d|hwv|rv|hob|woo|act|part|pt|teil|vol)\s\w+|from|aus"
    r"|in [a-h]|[ivx]+|\d+)\b"
)


@lru_cache(maxsize=10_000)
def read_numbers(title: str) -> dict[str, frozenset[str]]:
    """Return the numbers of a work that a title gives, by kind.

    Parameters
    ----------
    title : str

    Returns
    -------
    dict of str to frozenset of str
        Kinds are ``"no"``, ``"op"``, ``"bwv"``, ``"movement"``, ``"key"``, ``"chapter"``, ...

    Examples
    --------
    >>> numbers = read_numbers("Symphony No. 5 in C Minor, Op. 67: II. Andante")
    >>> {kind: sorted(found) for kind, found in sorted(numbers.items())}
    {'key': ['c minor'], 'movement': ['II'], 'no': ['5'], 'op': ['67']}
    """
    found: dict[str, set[str]] = defaultdict(set)
    plain = normalise(title)
    for kind, number in _NUMBER.findall(plain):
        found[_KINDS.get(kind, kind)].add(number.lstrip("0") or number)
    found["movement"].update(_MOVEMENT.findall(title))
    found["key"].update(" ".join(key) for key in _KEY.findall(plain))
    return {kind: frozenset(numbers) for kind, numbers in found.items() if numbers}


def is_other_work(title: str, other: str) -> bool:
    """Say whether two titles number different works, movements, parts or chapters.

    Parameters
    ----------
    title, other : str

    Returns
    -------
    bool

    Examples
    --------
    >>> is_other_work("Nocturne No. 1", "Nocturne No. 2"), is_other_work("Gigue, No. 3", "Gigue")
    (True, False)
    """
    mine, theirs = read_numbers(title), read_numbers(other)
    return any(mine[kind].isdisjoint(theirs[kind]) for kind in mine.keys() & theirs.keys())


def is_numbering(rest: str) -> bool:
    """Say whether what follows a title only says which work, part or key it is.

    Parameters
    ----------
    rest : str
        Normalised.

    Returns
    -------
    bool

    Examples
    --------
    >>> [is_numbering(rest) for rest in ("no 3", "from suite bergamasque", "me do")]
    [True, True, False]
    """
    return bool(_NUMBERING.match(rest))


class ReleaseGroups:
    """Tell releases of one song from different songs.

    Parameters
    ----------
    titles, names, bare : sequence of str
        Titles as they are written, normalised, and without brackets and what follows a dash.
    by : sequence of tuple of str
        Normalised names of each song's artists.
    fame : sequence of float
        Popularity.
    recording : array-like of int, shape (n,), optional
        Songs with equal numbers are one recording.

    Examples
    --------
    >>> titles = ["Etude", "Etude (Live)", "Etude", "Prelude No. 1", "Prelude No. 2"]
    >>> by = [("liszt",), ("liszt",), ("alkan",), ("bach",), ("bach",)]
    >>> names = [normalise(title) for title in titles]
    >>> bare = ["etude", "etude", "etude", "prelude no 1", "prelude no 2"]
    >>> releases = ReleaseGroups(titles, names, bare, by, [5, 6, 7, 8, 9])
    >>> releases.group([0, 1, 2], "etude"), releases.group([3, 4], "prelude")
    ([[2], [0, 1]], [[4], [3]])
    """

    def __init__(
        self,
        titles: Sequence[str],
        names: Sequence[str],
        bare: Sequence[str],
        by: Sequence[tuple[str, ...]],
        fame: Sequence[float],
        recording: npt.ArrayLike | None = None,
    ) -> None:
        self._titles, self._names, self._bare, self._by = titles, names, bare, by
        self._fame = fame
        self._recording = None if recording is None else np.asarray(recording).tolist()

    def group(
        self, rows: Sequence[int], title: str, *, one_artist: bool = False
    ) -> list[list[int]]:
        """Group songs that may be meant by a title into releases of one song each.

        Parameters
        ----------
        rows : sequence of int
        title : str
            What was asked for, normalised: a title that goes on with other words than numbers is
            of another song.
        one_artist : bool
            Whether the songs are by one artist, whatever stands in their table: "Various Artists"
            are nobody otherwise.

        Returns
        -------
        list of list of int
            The song with the most popular release first; its releases in the order given.
        """
        songs: list[tuple[set[object], list[int]]] = []
        for row in rows:
            mine = set(self._name_keys(row, title, one_artist=one_artist))
            same = [
                not mine.isdisjoint(keys) and not self._is_other(row, members)
                for keys, members in songs
            ]
            joined = [(mine, [row]), *itertools.compress(songs, same)]
            songs = [song for song, one in zip(songs, same, strict=True) if not one]
            keys = set[object]().union(*(keys for keys, _ in joined))
            songs.append((keys, [row for _, members in joined for row in members]))
        place = {row: i for i, row in enumerate(rows)}
        groups = [sorted(members, key=place.__getitem__) for _, members in songs]
        return sorted(
            groups, key=lambda group: (-max(self._fame[row] for row in group), place[group[0]])
        )

    def keep_first(self, found: Iterable[tuple[int, int]], limit: int) -> list[tuple[int, int]]:
        """Keep the first release of each song.

        Parameters
        ----------
        found : iterable of (int, int)
            Row and match, best first.
        limit : int
            How many to keep.

        Returns
        -------
        list of (int, int)
        """
        kept: list[tuple[int, int]] = []
        holders: dict[object, list[int]] = defaultdict(list)
        for row, match in found:
            keys = [(self._bare[row], key) for key in self._name_keys(row, self._bare[row])]
            known = [other for key in keys for other in holders[key]]
            if not known or self._is_other(row, known):
                kept.append((row, match))
                for key in keys:
                    holders[key].append(row)
            if len(kept) == limit:
                break
        return kept

    def _is_other(self, row: int, others: Iterable[int]) -> bool:
        """Say whether a song is another work than each of some others."""
        return all(is_other_work(self._titles[row], self._titles[other]) for other in others)

    def _name_keys(self, row: int, title: str, *, one_artist: bool = False) -> list[object]:
        """Name what releases of a song share: the title and an artist, or a recording."""
        name, bare = self._names[row], self._bare[row]
        rest = name[len(title) + 1 :] if name.startswith(f"{title} ") else ""
        kept = "" if not rest or is_numbering(rest) or bare == title else bare
        keys: list[object] = [(kept, artist) for artist in self._by[row] if artist not in NOBODY]
        if one_artist:
            keys.append(kept)
        if self._recording is not None:
            keys.append(self._recording[row])
        return keys
