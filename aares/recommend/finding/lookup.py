"""Rank the songs whose title and artist are spelt nearly like a text (exercise 3).

Used by :mod:`aares.recommend.finding.finder`. Trigrams choose a few hundred songs of the table,
then letters are compared: of the title, of the artist, and of both in either order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process

from aares.recommend.catalogue import normalise_name
from aares.recommend.finding.spelling import NameIndex, count_trigrams, loosen_asked

FloatArray = npt.NDArray[np.float32]

_COARSE = 200
_TITLE, _ARTIST = 0.6, 0.4
_PART = 0.9  # what agrees with a part of a name only
_STRANGER = 50  # below it, what two names share is chance
_ALONE = 0.8  # what names the artist, and no title


class NearSongs:
    """Songs to look up by nearly their names.

    Parameters
    ----------
    names : sequence of str
        Normalised titles.
    bare : sequence of str
        Titles without brackets and what follows a dash.
    by : sequence of tuple of str
        Normalised names of each song's artists.
    fame : sequence of float
        Popularity: of songs that are equally near the most popular comes first.

    Examples
    --------
    >>> songs = NearSongs(["hello", "yellow live"], ["hello", "yellow"], [("adele",), ("x",)],
    ...                   [60, 70])
    >>> songs.rank([("yelow", "")]), songs.rank([("helo", "adel")])
    ([(1, 91), (0, 60)], [(0, 89)])
    """

    def __init__(
        self,
        names: Sequence[str],
        bare: Sequence[str],
        by: Sequence[tuple[str, ...]],
        fame: Sequence[float],
    ) -> None:
        self._names, self._bare, self._by, self._fame = names, bare, by, fame
        self._order = np.argsort(-np.asarray(fame, dtype=float), kind="stable")
        order = self._order.tolist()
        self._titles, self._title = _index([bare[row] for row in order])
        pairs = [(place, name) for place, row in enumerate(order) for name in by[row]]
        self._artists, self._artist = _index([name for _, name in pairs])
        self._holder = np.array([place for place, _ in pairs], dtype=np.int32)
        self._sizes = self._titles.sizes[self._title][self._holder]
        self._sizes = self._sizes + self._artists.sizes[self._artist]

    def rank(self, readings: Sequence[tuple[str, str]], least: int = 60) -> list[tuple[int, int]]:
        """Return the songs whose names are nearest to a text.

        Parameters
        ----------
        readings : sequence of (str, str)
            Title and artist that the text may mean; an empty artist is any, or part of the title.
        least : int, 0-100
            How well a song must match.

        Returns
        -------
        list of (int, int)
            Row and match (0-100), best first; of equal ones the most popular first.
        """
        chosen = [self._choose(loosen_asked(title), artist) for title, artist in readings]
        rows = self._order[np.unique(np.concatenate(chosen))].tolist()
        return [(row, match) for row, match in self.score(rows, readings) if match >= least]

    def score(
        self, rows: Sequence[int], readings: Sequence[tuple[str, str]]
    ) -> list[tuple[int, int]]:
        """Return how well songs match a text.

        Parameters
        ----------
        rows : sequence of int
        readings : sequence of (str, str)
            See :meth:`rank`.

        Returns
        -------
        list of (int, int)
            Row and match (0-100), in the order of :meth:`rank`.
        """
        if not rows:
            return []
        match = np.max([self._compare(rows, title, artist) for title, artist in readings], axis=0)
        found = zip(np.rint(match).astype(int).tolist(), rows, strict=True)
        best = sorted((-match, -self._fame[row], row) for match, row in found)
        return [(row, -match) for match, _, row in best]

    def _choose(self, title: str, artist: str) -> npt.NDArray[np.intp]:
        """Return the places of songs that share many trigrams with a title and an artist."""
        artist = normalise_name(artist)
        shared, size = self._titles.count_shared(title), count_trigrams(title)
        mine, by_size = self._artists.count_shared(artist or title), count_trigrams(artist)
        titled, theirs = shared[self._title], mine[self._artist]
        joint = (titled[self._holder] + theirs) / (self._sizes + size + by_size)
        theirs = theirs / (self._artists.sizes[self._artist] + (by_size or size))
        alone = titled / (self._titles.sizes[self._title] + size)
        return np.concatenate(
            [
                _take_best(alone, _COARSE),
                self._holder[_take_best(joint, _COARSE)],
                self._holder[_take_best(theirs, _COARSE)],
            ]
        )

    def _compare(self, rows: Sequence[int], title: str, artist: str) -> FloatArray:
        """Return how well songs match (0-100) a title and an artist, or a text that holds both."""
        plain, bare, artist = normalise_name(title), loosen_asked(title), normalise_name(artist)
        titles, by = [self._bare[row] for row in rows], [self._by[row] for row in rows]
        size = len(bare) + 1
        match = np.maximum.reduce(
            [
                _compare(plain, [self._names[row] for row in rows]),
                _compare(bare, titles),
                _PART * _compare(bare, [name[:size].strip() for name in titles]),
            ]
        )
        if artist:
            return _TITLE * match + _ARTIST * self._compare_artists(artist, by)
        match = np.maximum(match, _ALONE * self._compare_artists(bare, by))
        for names in ([" ".join(names) for names in by], [names[0] for names in by]):
            for pattern in ("{0} {1}", "{1} {0}"):
                both = [pattern.format(*pair) for pair in zip(titles, names, strict=True)]
                match = np.maximum(match, _compare(bare, both))
        return match

    def _compare_artists(self, artist: str, by: Sequence[tuple[str, ...]]) -> FloatArray:
        whole = _compare(artist, [" ".join(names) for names in by])
        flat = [name for names in by for name in names]
        longer = [name if len(name) > len(artist) else "" for name in flat]  # "debussy"
        starts = np.cumsum([0, *(len(names) for names in by[:-1])])
        single = np.maximum(
            _compare(artist, flat), _PART * _compare(artist, longer, fuzz.partial_ratio)
        )
        match = np.maximum(whole, np.maximum.reduceat(single, starts))
        return np.where(match < _STRANGER, np.float32(0), match)


def _compare(
    text: str, names: Sequence[str], scorer: Callable[..., float] = fuzz.ratio
) -> FloatArray:
    return process.cdist([text], names, scorer=scorer, dtype=np.float32)[0]


def _index(names: Sequence[str]) -> tuple[NameIndex, npt.NDArray[np.int32]]:
    """Index different names, and say which of them each is."""
    number: dict[str, int] = {}
    places = [number.setdefault(name, len(number)) for name in names]
    return NameIndex(list(number)), np.array(places, dtype=np.int32)


def _take_best(values: FloatArray, k: int) -> npt.NDArray[np.intp]:
    """Return the places of the k largest values; of equal ones those that come first."""
    if len(values) <= k:
        return np.arange(len(values))
    least = np.partition(values, len(values) - k)[len(values) - k]
    above = np.flatnonzero(values > least)
    return np.concatenate([above, np.flatnonzero(values == least)[: k - len(above)]])
