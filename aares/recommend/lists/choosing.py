"""Which songs of many alike make a playlist: the rules that a list must keep.

Used by notebook ``03_recommendation`` through :class:`aares.recommend.Recommender`. Likeness says
which songs are close to a seed; a list of the closest would hold one recording three times and one
artist ten times. Each seed leads its share of the songs, and no seed is averaged with another: what
lies between a ballad and a march is neither.

Conventions: songs are row numbers of a :class:`aares.recommend.catalogue.Catalogue`.

References
----------
Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering documents and
producing summaries", SIGIR 1998: section 2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aares import exact

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Ranking:
    """The songs that may follow one seed.

    Parameters
    ----------
    seed : int
        The row of the seed.
    rows : ndarray of int, shape (m,)
        The songs, each once.
    value : ndarray of float, shape (m,)
        The larger, the sooner a song is taken; of equal songs the lower row is.
    closeness : ndarray of float, shape (m,)
        To the seed, whatever else `value` counts.
    """

    seed: int
    rows: IntArray
    value: FloatArray
    closeness: FloatArray


class Choice(NamedTuple):
    """A song of a playlist, the seed that led to it, and how close it is to that (0-1)."""

    row: int
    seed: int
    closeness: float


@dataclass
class Rules:
    """What may stand in one list together, and what has been taken into it.

    Parameters
    ----------
    recording : ndarray of int, shape (N,)
        Songs of equal numbers are one recording: only one of them may be taken.
    by : sequence of tuple of str
        The credited artists of each song; each of them counts.
    max_per_artist : int
    taken : set of int
        Recordings that may not be taken (any more): those of the seeds.

    Examples
    --------
    >>> rules = Rules(np.array([0, 1, 1, 2]), [("a", "b"), ("b",), ("c",), ("a",)], 1)
    >>> rules.take(0)
    >>> [rules.allows(row) for row in range(4)]
    [False, False, True, False]
    """

    recording: IntArray
    by: Sequence[tuple[str, ...]]
    max_per_artist: int
    taken: set[int] = field(default_factory=set)
    heard: Counter[str] = field(default_factory=Counter)

    def copy(self) -> Rules:
        """Return the same rules for another attempt.

        Returns
        -------
        Rules
        """
        return replace(self, taken=set(self.taken), heard=Counter(self.heard))

    def allows(self, row: int) -> bool:
        """Say whether a song may be taken beside those that are.

        Parameters
        ----------
        row : int

        Returns
        -------
        bool
        """
        return int(self.recording[row]) not in self.taken and all(
            self.heard[name] < self.max_per_artist for name in self.by[row]
        )

    def take(self, row: int) -> None:
        """Note that a song is in the list.

        Parameters
        ----------
        row : int
        """
        self.taken.add(int(self.recording[row]))
        self.heard.update(self.by[row])


def choose_songs(
    rankings: Sequence[Ranking],
    n: int,
    rules: Rules,
    *,
    points: FloatArray | None = None,
    diversity: float = 0.0,
    unit: float = 1.0,
) -> list[Choice]:
    """Choose songs by turns: each seed takes the best that the rules allow.

    Of n songs and k seeds each seed leads n / k, the first ones the rest; what a seed cannot fill
    is left to the others. With `diversity` the best is that with the largest
    (1 - diversity) * value + diversity * distance to the nearest song chosen.

    Parameters
    ----------
    rankings : sequence of Ranking
        One for each seed.
    n : int
    rules : Rules
        Takes note of what is chosen.
    points : ndarray of float, shape (N, d), optional
        Where songs are; needed for `diversity`.
    diversity : float
        0-1.
    unit : float
        The distance that counts as much as a value of 1.

    Returns
    -------
    list of Choice
        In the order of choice; fewer than `n` where no more may be taken.

    Examples
    --------
    Two seeds; song 1 is close to both and taken once:

    >>> first = Ranking(8, np.array([1, 2]), *np.array([[0.9, 0.5]] * 2))
    >>> second = Ranking(9, np.array([1, 3]), *np.array([[0.8, 0.7]] * 2))
    >>> rules = Rules(np.arange(10), [()] * 10, 2)
    >>> [(song.row, song.seed) for song in choose_songs([first, second], 3, rules)]
    [(1, 8), (3, 9), (2, 8)]

    Song 2 is nearly song 1:

    >>> points = np.array([[0.0], [1.0], [1.1], [5.0]])
    >>> ranking = Ranking(0, np.array([1, 2, 3]), *np.array([[0.9, 0.8, 0.1]] * 2))
    >>> for diversity in (0.0, 0.5):
    ...     rules = Rules(np.arange(4), [()] * 4, 2)
    ...     chosen = choose_songs([ranking], 2, rules, points=points, diversity=diversity)
    ...     print([song.row for song in chosen])
    [1, 2]
    [1, 3]
    """
    turns = [_Turn(ranking, points, diversity, unit) for ranking in rankings]
    chosen: list[Choice] = []
    waiting = list(turns)
    while waiting and len(chosen) < n:
        for turn in waiting[: n - len(chosen)]:
            song = turn.take_best(rules)
            if song is None:
                waiting.remove(turn)
                continue
            chosen.append(song)
            for other in turns:
                other.keep_away(song.row)
    return chosen


class _Turn:
    """One seed's songs in the order in which it would take them."""

    def __init__(
        self, ranking: Ranking, points: FloatArray | None, diversity: float, unit: float
    ) -> None:
        self.ranking, self.points = ranking, points
        self.diversity, self.unit = diversity, unit
        self.apart = np.full(len(ranking.rows), np.inf)
        self.order = np.lexsort((ranking.rows, -ranking.value))

    def take_best(self, rules: Rules) -> Choice | None:
        """Take the first song that the rules allow; what they refuse they never allow again.

        Parameters
        ----------
        rules : Rules

        Returns
        -------
        Choice or None
        """
        for place, number in enumerate(self.order.tolist()):
            row = int(self.ranking.rows[number])
            if rules.allows(row):
                rules.take(row)
                self.order = self.order[place + 1 :]
                return Choice(row, self.ranking.seed, float(self.ranking.closeness[number]))
        self.order = self.order[:0]
        return None

    def keep_away(self, row: int) -> None:
        """Put what is far from the songs taken before what is near, as far as is asked.

        Parameters
        ----------
        row : int
            Of the song that was taken.
        """
        if self.points is None or not self.diversity:
            return
        rows, value = self.ranking.rows, self.ranking.value
        squared = ((self.points[rows] - self.points[row]) ** 2).sum(axis=1)
        self.apart = np.minimum(self.apart, np.sqrt(squared) / self.unit)
        gain = exact.snap((1.0 - self.diversity) * value + self.diversity * self.apart, 30)
        self.order = self.order[np.lexsort((rows[self.order], -gain[self.order]))]
