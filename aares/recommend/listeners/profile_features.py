"""What a listener's songs say about another song: the numbers that the ranker reads.

Used by :mod:`aares.recommend.listeners.listener_ranker`.

**No count.** A catalogue that was made of listeners' lists holds no song without a listener: a song
that none of the *other* listeners has must be hidden in a list that is judged. Whoever sees how
many listeners a song has finds such songs by that, and nobody is helped. So of all that is read
here only the :data:`VOICES` know listeners. They are 0 for a song that nobody has and more for
others, and the ranker may only ever raise a score by them: being unheard never helps a song.

Voices are as loud as the loudest for one listener, so they tell an order and not how sure it is.
What others say in earnest, the score of EASE as it is and never below 0, is the *support* of a
song: it stands beside the inputs, and the ranker adds it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from aares import exact
from aares.recommend.listeners.listener_space import place_songs
from aares.recommend.listeners.ranking import IntArray
from aares.recommend.listeners.song_facts import SOUND, SongFacts
from aares.recommend.listeners.users import EaseScorer, ItemCosineScorer
from aares.recommend.space.content import FloatArray

VOICES = ("songs heard together", "songs of the same listeners", "artists heard together")
"""What other listeners say, from 0; the first columns of what :class:`ProfileReader` returns."""

FEATURES: dict[str, tuple[str, ...]] = {
    "other listeners": VOICES,
    "artist": ("artist share", "artist songs", "artist known", "artist distance", "artist days",
               "artist popularity"),
    "album": ("album share", "album songs", "same day"),
    "taste": ("likelihood", "nearest", "three nearest", "all", "centre", "place of artist",
              "three artists", "all artists", "from centre to artist"),
    "time": ("days to nearest", "within a month", "within a year", "later than", "year"),
    "popularity": ("alike popular", "more popular than", "popularity"),
    "title": ("nearest title", "titles", "mix", "guests"),
    "sound": (*SOUND, "sound"),
    "list": ("songs", "artists", "largest artist", "years", "breadth"),
}  # fmt: skip
"""Columns by what they are about."""

NAMES = [name for names in FEATURES.values() for name in names]
BITS = 14
_FAR = 9.0


@dataclass(frozen=True)
class Candidates:
    """Songs that are weighed for one listener.

    Parameters
    ----------
    rows : ndarray of int, shape (m,)
        Songs, ascending.
    inputs : ndarray of float, shape (m, n_features)
        Columns as :data:`NAMES`.
    support : ndarray of float, shape (m,)
        From 0, see :meth:`ProfileReader.hear`.
    """

    rows: IntArray
    inputs: FloatArray
    support: FloatArray


class ProfileReader:
    """Read profiles with what some listeners taught: a space, and voices.

    Parameters
    ----------
    facts : SongFacts
    matrix : csr_matrix, shape (u, n)
        Listeners x songs to learn from; not those who are asked about.
    sizes : tuple of int
        Candidates by artist and album, by taste, and by each voice.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> from aares.recommend.listeners.song_facts import read_facts
    >>> songs = make_songs("recommendation", 4, artists=[["A"], ["A"], ["B"], ["C"]])
    >>> heard = sparse.csr_matrix([[0, 1, 1, 0], [1, 0, 1, 0.0]])
    >>> found = ProfileReader(read_facts(songs), heard).read(sparse.csr_matrix([[1, 0, 0, 0.0]]))[0]
    >>> table = dict(zip(NAMES, found.inputs.T, strict=True))
    >>> found.rows.tolist(), table["artist share"].tolist(), table["songs heard together"].tolist()
    ([1, 2, 3], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    """

    def __init__(
        self,
        facts: SongFacts,
        matrix: sparse.csr_matrix,
        *,
        sizes: tuple[int, int, int] = (200, 120, 60),
    ) -> None:
        self.facts, self.sizes = facts, sizes
        self.points = place_songs(facts.described, matrix)
        self.spread = np.maximum(self.points.std(axis=0), 1e-6)
        self.centre = self.points.mean(axis=0)
        of = np.asarray(facts.makers.sum(axis=0)).ravel()
        self.homes = exact.snap((facts.makers.T @ self.points) / of[:, None], BITS)
        self._ease = EaseScorer(strength=10.0).fit(matrix)
        self._alike = ItemCosineScorer(shrinkage=5.0).fit(matrix)
        self._artists = EaseScorer(strength=20.0).fit(self._count_artists(matrix))

    def _count_artists(self, profiles: sparse.csr_matrix) -> sparse.csr_matrix:
        return sparse.csr_matrix((profiles @ self.facts.makers) > 0, dtype=float)

    def hear(self, profiles: sparse.csr_matrix) -> tuple[FloatArray, FloatArray]:
        """Return how loudly other listeners speak for each song.

        Parameters
        ----------
        profiles : csr_matrix, shape (u, n)
            Known songs.

        Returns
        -------
        voices : ndarray of float, shape (n_voices, u, n)
            0-1, in the order of :data:`VOICES`; 0 where no listener has the song or artist.
        support : ndarray of float, shape (u, n)
            The score of EASE through other listeners; 0 where it is below, or nobody has the song.
        """
        known = self._count_artists(profiles)
        artists = np.where(known.toarray() > 0, 0.0, self._artists.score_known(known).clip(0.0))
        makers = self.facts.makers
        credited = np.asarray(makers.sum(axis=1)).ravel()
        support = self._ease.score_known(profiles).clip(0.0)
        voices = [
            support,
            self._alike.score_known(profiles),
            np.asarray((makers @ artists.T).T) / credited,
        ]
        largest = [voice.max(axis=1, keepdims=True) for voice in voices]
        pairs = zip(voices, largest, strict=True)
        heard = exact.snap([voice / np.where(top > 0, top, 1.0) for voice, top in pairs], BITS)
        return heard, exact.snap(support, BITS)

    def read(self, profiles: sparse.csr_matrix) -> list[Candidates]:
        """Return candidates with their inputs.

        Parameters
        ----------
        profiles : csr_matrix, shape (u, n)
            Known songs.

        Returns
        -------
        list of Candidates
            One for each profile; of a profile without songs there are none.
        """
        voices, support = self.hear(profiles)
        return [
            self._read_one(profiles[[user]].indices.astype(np.intp), voices[:, user], support[user])
            for user in range(profiles.shape[0])
        ]

    def _read_one(self, known: IntArray, voices: FloatArray, support: FloatArray) -> Candidates:
        rows = np.zeros(0, dtype=np.intp)
        if len(known):
            rows = self._find_candidates(known, voices)
        if not len(rows):
            return Candidates(rows, np.zeros((0, len(NAMES))), np.zeros(0))
        return Candidates(rows, self.describe(known, rows, voices[:, rows]), support[rows])

    def _find_candidates(self, known: IntArray, voices: FloatArray) -> IntArray:
        facts, points = self.facts, self.points
        squared = measure_squares(points, points[known])
        few = min(3, len(known))
        near = np.partition(squared, few - 1, axis=1)[:, :few].sum(axis=1) / few
        shared = facts.makers @ np.asarray(facts.makers[known].sum(axis=0)).ravel()
        albums = np.isin(facts.album, facts.album[known]) + 0.5 * (
            facts.is_day & np.isin(facts.day, facts.day[known][facts.is_day[known]])
        )
        kin = shared + 0.5 * albums + 0.001 / (1.0 + near)
        is_known = np.zeros(len(facts), dtype=bool)
        is_known[known] = True
        by_kin, by_taste, by_voice = self.sizes
        found = [_find_top(kin, by_kin), _find_top(-near, by_taste)]
        for voice in voices:
            top = _find_top(voice, by_voice)
            found.append(top[voice[top] > 0])
        rows = np.unique(np.concatenate(found))
        return rows[~is_known[rows]]

    def describe(self, known: IntArray, rows: IntArray, voices: FloatArray) -> FloatArray:
        """Return the inputs of some songs for a profile.

        Parameters
        ----------
        known : ndarray of int, shape (k,)
        rows : ndarray of int, shape (m,)
        voices : ndarray of float, shape (n_voices, m)
            From :meth:`hear`.

        Returns
        -------
        ndarray of float, shape (m, n_features)
        """
        distances = np.sqrt(measure_squares(self.points[rows], self.points[known]))
        columns = [
            *voices,
            *self._describe_artist(known, rows, distances),
            *self._describe_album(known, rows),
            *self._describe_taste(known, rows, distances),
            *self._describe_time(known, rows),
            *self._describe_popularity(known, rows),
            *self._describe_title(known, rows),
            *self._describe_sound(known, rows),
            *self._describe_list(known, rows),
        ]
        return exact.snap(np.column_stack(columns), BITS)

    def _describe_artist(
        self, known: IntArray, rows: IntArray, distances: FloatArray
    ) -> list[FloatArray]:
        facts = self.facts
        shared = facts.makers[rows] @ np.asarray(facts.makers[known].sum(axis=0)).ravel()
        any_shared = (facts.makers[rows] @ facts.makers[known].T).toarray() > 0
        same = facts.artist[rows][:, None] == facts.artist[known]
        apart = np.abs(facts.day[rows][:, None] - facts.day[known])
        n_same = same.sum(axis=1)
        popular = np.where(same, facts.popularity[known], 0.0).sum(axis=1) / np.maximum(n_same, 1)
        return [
            shared / len(known),
            exact.log(1.0 + shared),
            any_shared.sum(axis=1) / len(known),
            np.where(same, distances, np.inf).min(axis=1).clip(max=_FAR),
            exact.log(1.0 + np.where(same, apart, np.inf).min(axis=1).clip(max=1e5)),
            np.where(n_same > 0, popular - facts.popularity[rows], 0.0),
        ]

    def _describe_album(self, known: IntArray, rows: IntArray) -> list[FloatArray]:
        facts = self.facts
        same = (facts.album[rows][:, None] == facts.album[known]).sum(axis=1)
        days = facts.day[rows][:, None] == facts.day[known]
        days &= facts.is_day[rows][:, None] & facts.is_day[known]
        return [same / len(known), same, days.sum(axis=1)]

    def _describe_taste(
        self, known: IntArray, rows: IntArray, distances: FloatArray
    ) -> list[FloatArray]:
        points, homes = self.points, self.homes
        centre = exact.snap(points[known].mean(axis=0), BITS)
        near = np.sort(distances, axis=1)
        of, others = homes[self.facts.artist[rows]], homes[self.facts.artist[known]]
        to_home = measure_squares(of, points[known]).min(axis=1)
        homely = np.sort(np.sqrt(measure_squares(of, others)), axis=1)
        return [
            self._measure_likelihood(points[known], points[rows]),
            near[:, 0],
            near[:, :3].mean(axis=1),
            near.mean(axis=1),
            np.sqrt(measure_squares(points[rows], centre[None])[:, 0]),
            np.sqrt(to_home),
            homely[:, :3].mean(axis=1),
            homely.mean(axis=1),
            np.sqrt(measure_squares(of, centre[None])[:, 0]),
        ]

    def _measure_likelihood(self, known: FloatArray, points: FloatArray) -> FloatArray:
        """Return how much likelier songs are among the known ones than among all (log ratio)."""
        centre, weight = known.mean(axis=0), len(known) / (len(known) + 5.0)
        narrow = weight * known.var(axis=0) + (1 - weight) * 0.3 * self.spread**2
        spread = np.sqrt(narrow) + 0.05
        own = ((points - centre) / spread) ** 2
        among_all = ((points - self.centre) / self.spread) ** 2
        constant = exact.log(self.spread / spread).sum()
        return 0.5 * (among_all - own).sum(axis=1) + constant

    def _describe_time(self, known: IntArray, rows: IntArray) -> list[FloatArray]:
        day = self.facts.day
        apart = np.abs(day[rows][:, None] - day[known])
        years = day[known] / 365.25
        return [
            exact.log(1.0 + apart.min(axis=1)),
            (apart <= 31).mean(axis=1),
            (apart <= 366).mean(axis=1),
            (day[known] < day[rows][:, None]).mean(axis=1),
            (day[rows] / 365.25 - years.mean()) / np.sqrt(years.var() + 1.0),
        ]

    def _describe_popularity(self, known: IntArray, rows: IntArray) -> list[FloatArray]:
        mine, theirs = self.facts.popularity[rows], self.facts.popularity[known]
        spread = np.sqrt(theirs.var() + 50.0)
        return [
            (np.abs(mine[:, None] - theirs) <= 5).mean(axis=1),
            (theirs < mine[:, None]).mean(axis=1),
            (mine - theirs.mean()) / spread,
        ]

    def _describe_title(self, known: IntArray, rows: IntArray) -> list[FloatArray]:
        facts = self.facts
        alike = (facts.titles[rows] @ facts.titles[known].T).toarray()
        written = facts.written[rows] - facts.written[known].mean(axis=0)
        return [alike.max(axis=1), alike.mean(axis=1), *written.T]

    def _describe_sound(self, known: IntArray, rows: IntArray) -> list[FloatArray]:
        mine, theirs = self.facts.sound[rows], self.facts.sound[known]
        apart = (mine - theirs.mean(axis=0)) / np.sqrt(theirs.var(axis=0) + 0.1)
        return [*apart.T, np.abs(apart).mean(axis=1)]

    def _describe_list(self, known: IntArray, rows: IntArray) -> list[FloatArray]:
        facts = self.facts
        by = np.bincount(facts.artist[known])
        values = (
            len(known),
            (by > 0).sum() / len(known),
            by.max() / len(known),
            (facts.day[known] / 365.25).std(),
            self.points[known].std(axis=0).mean(),
        )
        return [np.full(len(rows), float(value)) for value in values]


def measure_squares(points: FloatArray, others: FloatArray) -> FloatArray:
    """Return squared distances of points on a grid, exact, shape (n, k).

    Parameters
    ----------
    points : ndarray of float, shape (n, d)
    others : ndarray of float, shape (k, d)

    Returns
    -------
    ndarray of float, shape (n, k)

    Examples
    --------
    >>> measure_squares(np.array([[0.0], [3.0]]), np.array([[1.0]])).tolist()
    [[1.0], [4.0]]
    """
    squares = (points**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)
    squares -= 2 * (points @ others.T)
    return np.maximum(squares, 0.0)


def _find_top(values: FloatArray, size: int) -> IntArray:
    """Return the largest values' places; of equal ones those that come first."""
    size = min(size, len(values))
    floor = np.partition(values, len(values) - size)[len(values) - size]
    above = np.flatnonzero(values > floor)
    equal = np.flatnonzero(values == floor)[: size - len(above)]
    return np.concatenate([above, equal])
