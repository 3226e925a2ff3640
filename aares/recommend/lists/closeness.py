"""How close songs are to a seed, as a listener would read it, and which may follow at all.

Used by notebook ``03_recommendation`` through :class:`aares.recommend.Recommender`. Likeness is a
number without a unit, in which only larger and smaller mean something. Here it becomes a share: of
the songs that are candidates anywhere in the catalogue, how many are less close to their seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from aares.recommend.lists.choosing import Ranking
from aares.recommend.space.likeness import SongIndex
from aares.recommend.traits.traits import Traits
from aares.recommend.traits.versions import PREFERENCE

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Taste:
    """What counts beside closeness to a seed.

    Parameters
    ----------
    disliked : sequence of int
        Rows of songs: what is close to one of them is worth that much less.
    novelty : float
        What the best known song is worth less, 0-1; others by their rank.
    luck : ndarray of float, shape (n,), or float
        What each song is worth more by chance.
    """

    disliked: Sequence[int] = ()
    novelty: float = 0.0
    luck: FloatArray | float = 0.0


POOL = 200
"""Songs around a seed that are ranked; more only where the rules leave too few."""

TONGUE = 0.1
"""What a song in the seed's language adds to closeness, and one in another takes away."""

_SAMPLE = 128  # seeds that scales are read from, spread over the catalogue


class Scale:
    """Numbers without a unit as shares: how many known ones are smaller.

    Parameters
    ----------
    known : ndarray of float, shape (k,)

    Examples
    --------
    >>> Scale(np.arange(101.0)).place(np.array([0.0, 25.0, 100.0, 110.0])).tolist()
    [0.0, 0.25, 1.0, 1.1]
    """

    def __init__(self, known: FloatArray) -> None:
        self.shares = np.linspace(0.0, 1.0, 101)
        self.levels = np.quantile(known, self.shares) if len(known) else self.shares
        self.spread = float(self.levels[-1] - self.levels[0]) or 1.0

    def place(self, values: FloatArray) -> FloatArray:
        """Return shares, 0-1; what is beyond all known numbers is beyond by its share of them.

        Parameters
        ----------
        values : ndarray of float, shape (m,)

        Returns
        -------
        ndarray of float, shape (m,)
        """
        beyond = values - values.clip(self.levels[0], self.levels[-1])
        return np.interp(values, self.levels, self.shares) + beyond / self.spread


class Closeness:
    """The songs of a catalogue by their closeness to one of them.

    Parameters
    ----------
    index : SongIndex
        Likeness of the songs.
    traits : Traits
    popularity : ndarray of float, shape (n,), optional

    Attributes
    ----------
    unit : float
        Distance of a song from the middle of its candidates, on average.
    """

    def __init__(
        self, index: SongIndex, traits: Traits, popularity: FloatArray | None = None
    ) -> None:
        self.index, self.traits = index, traits
        n = len(index.points)
        self._fame = np.zeros(n) if popularity is None else rankdata(popularity) / n
        self._music = ~traits.wordy
        self._tongues = _number_languages(traits)
        # Songs by recording, the preferred version of each first.
        self._order = np.lexsort((np.arange(n), PREFERENCE[traits.version], traits.recording))
        self._first = np.searchsorted(traits.recording[self._order], traits.recording)
        sample = np.unique(np.linspace(0, n - 1, _SAMPLE).astype(int)).tolist()
        pairs = [(row, self.index.candidates(row, POOL // 2)) for row in sample]
        self._likeness = Scale(_pool([index.score(*pair) for pair in pairs]))
        self._shown = Scale(_pool([self.measure(*pair) for pair in pairs]))
        points = index.points
        apart = _pool([((points[near] - points[row]) ** 2).sum(axis=1) for row, near in pairs])
        self.unit = float(np.sqrt(np.median(apart))) if len(apart) else 1.0
        self.unit = self.unit or 1.0

    def rank(self, seed: int, allowed: BoolArray, size: int, taste: Taste) -> Ranking:
        """Rank the songs around a seed that may follow it.

        Parameters
        ----------
        seed : int
        allowed : ndarray of bool, shape (n,)
        size : int
            About so many songs, where there are so many.
        taste : Taste

        Returns
        -------
        Ranking
        """
        allowed = self.limit_to_kind(allowed, seed)
        rows = self.list_near(seed, allowed, size)
        closeness = self.measure(seed, rows)
        value = closeness - taste.novelty * self._fame[rows]
        if isinstance(taste.luck, np.ndarray):
            value = value + taste.luck[rows]
        for other in taste.disliked:
            value = value - self.measure(other, rows).clip(0.0)
        return Ranking(seed, rows, value, closeness)

    def limit_to_kind(self, allowed: BoolArray, *seeds: int) -> BoolArray:
        """Return the allowed songs without those that are spoken, unless a seed is.

        Parameters
        ----------
        allowed : ndarray of bool, shape (n,)
        *seeds : int

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        return allowed if self.traits.spoken[list(seeds)].any() else allowed & self._music

    def list_near(self, seed: int, allowed: BoolArray, size: int) -> IntArray:
        """Return the allowed songs around a seed, each once, by row.

        Of a recording that stands several times in the catalogue its studio version comes in the
        place of a concert, a remix or a karaoke.

        Parameters
        ----------
        seed : int
        allowed : ndarray of bool, shape (n,)
        size : int
            About so many songs, where there are so many.

        Returns
        -------
        ndarray of int
        """
        near = self.index.candidates(seed, size, allowed=allowed)
        version = self.traits.version
        rows = [self._prefer(row, allowed) if version[row] else row for row in near.tolist()]
        return np.unique(np.array(rows, dtype=np.intp))

    def _prefer(self, row: int, allowed: BoolArray) -> int:
        """Return the best allowed version of a recording, one of which is allowed."""
        place = self._first[row]
        while not allowed[self._order[place]]:
            place += 1
        return int(self._order[place])

    def _compare_languages(self, seed: int, rows: IntArray) -> FloatArray:
        """Return 1 for songs in the seed's language, -1 in another, 0 where nobody can tell.

        Titles count half and artists half: many a Spanish singer has a title in English.
        """
        found = np.zeros(len(rows))
        for tongues in self._tongues:
            known = (tongues[rows] > 0) & (tongues[seed] > 0)
            found += np.where(tongues[rows] == tongues[seed], 0.5, -0.5) * known
        return found

    def measure(self, seed: int, rows: IntArray) -> FloatArray:
        """Return how close songs are to a seed.

        Parameters
        ----------
        seed : int
        rows : ndarray of int, shape (m,)

        Returns
        -------
        ndarray of float, shape (m,)
            0.9: more alike than 90 % of the pairs of a song of the catalogue and one of the hundred
            around it; and :data:`TONGUE` more or less for the language.
        """
        tongue = TONGUE * self._compare_languages(seed, rows)
        return self._likeness.place(self.index.score(seed, rows)) + tongue

    def show(self, closeness: FloatArray) -> FloatArray:
        """Return closeness as a listener reads it, in the same order.

        Parameters
        ----------
        closeness : ndarray of float, shape (m,)

        Returns
        -------
        ndarray of float, shape (m,)
            0-100: of the pairs of a song of the catalogue and one of the hundred around it, so many
            of a hundred are less close.
        """
        return (100.0 * self._shown.place(closeness)).clip(0.0, 100.0).round(1)


def _pool(parts: Sequence[FloatArray]) -> FloatArray:
    return np.concatenate([np.zeros(0), *parts])


def _number_languages(traits: Traits) -> list[IntArray]:
    """Return numbers of the languages of titles, and of artists; each for the other if need be."""
    title, artist = traits.language.astype(str), traits.artist_language.astype(str)
    title, artist = np.where(title == "", artist, title), np.where(artist == "", title, artist)
    names = ["", *sorted({*title.tolist(), *artist.tolist()} - {""})]
    return [np.searchsorted(names, tongues) for tongues in (title, artist)]
