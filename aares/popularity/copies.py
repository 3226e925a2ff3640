"""Other releases of a recording: where one copy counts, the others do not (exercise 2).

Used by notebook ``02_popularity``, through :func:`aares.popularity.make_model`. Plays are counted
for one release of a recording, and its copies on other releases stay at 0. So a popular copy speaks
*against* a song, and a copy at 0 for it: the opposite of what holds for all other neighbours. A
song is a copy of another if artist and title are the same, or if the sound is measured nearly the
same; how near says how much the copy counts.

Conventions: likeness is 1 for a certain copy and 0 without any; popularity is in points.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree
from sklearn.linear_model import LogisticRegression

from aares import exact, linear
from aares.data.door import read_table
from aares.data.titles import normalise
from aares.popularity.kriging import name_days
from aares.popularity.rows import FloatArray

Names = npt.NDArray[np.object_]

WEIGHTS = {
    "danceability": 1.0,
    "energy": 1.0,
    "speechiness": 1.0,
    "acousticness": 0.7,
    "instrumentalness": 0.55,
    "liveness": 0.3,
    "valence": 0.7,
}
"""How much a difference of 1 counts: a new master changes liveness more than danceability."""
PER_SECOND = 0.01
PER_OCTAVE_OF_TEMPO = 1.4
LEAST_BPM = 20.0
FARTHEST = 0.05  # songs that are further apart are no copies
REACH = 0.03  # distance at which the likeness has fallen to 1/e
FEWEST_COPIES = 30  # a rule is not learnt from fewer songs
_RIDGE = 3.0  # how strongly a slope is drawn to 0, in songs
_CHANCES = (1e-3, 1 - 1e-3)
_POINTS = 30.0  # a difference of popularity that is large


class Copies(NamedTuple):
    """The closest copy of each of n songs.

    Parameters
    ----------
    likeness : ndarray of float, shape (n,)
        0-1; 0 where no copy is known.
    popularity : ndarray of float, shape (n,)
        Of the copy, points; 0 where there is none.

    Examples
    --------
    >>> copies = Copies(likeness=np.array([1.0, 0.0]), popularity=np.array([70.0, 0.0]))
    >>> copies.found.tolist()
    [True, False]
    """

    likeness: FloatArray
    popularity: FloatArray

    @property
    def found(self) -> npt.NDArray[np.bool_]:
        """Where a copy is known.

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        return self.likeness > 0

    def take(self, rows: npt.NDArray[np.bool_]) -> Copies:
        """Return those of some songs.

        Parameters
        ----------
        rows : ndarray of bool, shape (n,)

        Returns
        -------
        Copies

        Examples
        --------
        >>> copies = Copies(np.array([1.0, 0.0]), np.array([70.0, 0.0]))
        >>> copies.take(copies.found).popularity.tolist()
        [70.0]
        """
        return Copies(self.likeness[rows], self.popularity[rows])

    def prefer(self, other: Copies) -> Copies:
        """Return the more certain copy of each song, this one where they are alike.

        Parameters
        ----------
        other : Copies
            Of the same songs, found elsewhere.

        Returns
        -------
        Copies

        Examples
        --------
        >>> heard = Copies(np.array([0.8, 0.4]), np.array([70.0, 0.0]))
        >>> read = Copies(np.array([0.0, 1.0]), np.array([0.0, 55.0]))
        >>> heard.prefer(read)
        Copies(likeness=array([0.8, 1. ]), popularity=array([70., 55.]))
        """
        mine = self.likeness >= other.likeness
        return Copies(
            np.where(mine, self.likeness, other.likeness),
            np.where(mine, self.popularity, other.popularity),
        )


class Releases:
    """Songs of known popularity, among which copies are looked up.

    Parameters
    ----------
    *tables : DataFrame, shape (n, columns)
        With the audio features, ``release_date`` and ``popularity``. A table without
        ``artist_name`` and ``track_name`` is searched by sound only.

    Examples
    --------
    Another release of a recording is found by its name; the song itself is no copy of itself.

    >>> from aares.data import make_songs
    >>> known = make_songs("subset", 1, popularity=70)
    >>> asked = make_songs("subset", 2, release_date=["2005", "1999"], energy=[0.9, 0.5])
    >>> Releases(known).find(asked)
    Copies(likeness=array([1., 0.]), popularity=array([70.,  0.]))
    """

    def __init__(self, *tables: pd.DataFrame) -> None:
        self._learn([_read_songs(table, popularity=True) for table in tables])

    @classmethod
    def from_checked(cls, table: pd.DataFrame, y: FloatArray) -> Releases:
        """Return those of a table that has been read, whose popularities need not be whole.

        Parameters
        ----------
        table : DataFrame, shape (n, columns)
            From :func:`aares.data.read_table`.
        y : ndarray of float, shape (n,)
            Popularity.

        Returns
        -------
        Releases

        Examples
        --------
        >>> from aares.data import make_songs
        >>> Releases.from_checked(make_songs("subset", 2), np.array([12.5, 40])).popularity_
        array([12.5, 40. ])
        """
        releases = cls.__new__(cls)
        releases._learn([table.assign(popularity=y)])
        return releases

    def _learn(self, tables: list[pd.DataFrame]) -> None:
        self.popularity_ = np.concatenate([t["popularity"].to_numpy(float) for t in tables])
        self.places_ = np.concatenate([_place(table) for table in tables])
        self.tree_ = cKDTree(self.places_)
        self.days_ = np.concatenate([name_days(table) for table in tables])
        self.names_ = np.concatenate([_name(table) for table in tables])

    def __sklearn_clone__(self) -> Releases:
        """Return itself: nothing in it is fitted to a fold."""
        return self

    def find(self, X: pd.DataFrame) -> Copies:
        """Find the closest copy of each song.

        A row that agrees in sound, artist, title and date is the song itself and no copy.

        Parameters
        ----------
        X : DataFrame, shape (n, columns)
            Songs with the audio features, ``release_date``, ``artist_name`` and ``track_name``.

        Returns
        -------
        Copies

        Examples
        --------
        >>> from aares.data import make_songs
        >>> releases = Releases(make_songs("subset", 1))
        >>> other = make_songs("subset", 1, track_name="Harbor", duration_ms=201_000)
        >>> copies = releases.find(other)
        >>> copies.likeness.round(3).tolist(), float(np.exp(-PER_SECOND / REACH).round(3))
        ([0.717], 0.717)
        """
        X = _read_songs(X)
        places, names = _place(X), _name(X)
        pairs = pd.concat([self._hear(places), self._read(names)], ignore_index=True)
        song, row = pairs["song"].to_numpy(int), pairs["row"].to_numpy(int)
        apart = self.places_[row] - places[song]
        pairs["distance"] = np.sqrt((apart**2).sum(axis=1))
        alike = exact.exp(-pairs["distance"] / REACH)
        pairs["likeness"] = np.where(pairs["sure"], 1.0, alike)
        itself = (pairs["distance"] == 0) & self._agree(row, names[song], name_days(X)[song])
        order = ["likeness", "sure", "distance", "row"]
        pairs = pairs[~itself].sort_values(order, ascending=[False, True, True, True])
        best = pairs.drop_duplicates("song")
        likeness, popularity = np.zeros(len(X)), np.zeros(len(X))
        likeness[best["song"]] = best["likeness"]
        popularity[best["song"]] = self.popularity_[best["row"]]
        return Copies(likeness, popularity)

    def _hear(self, places: FloatArray) -> pd.DataFrame:
        """Return pairs of a song and a row that sounds nearly the same."""
        nearest = self.tree_.query(places, k=2, distance_upper_bound=FARTHEST)
        distances, rows = (np.asarray(values) for values in nearest)
        song, rank = np.nonzero(np.isfinite(distances))
        return pd.DataFrame({"song": song, "row": rows[song, rank], "sure": False})

    def _read(self, names: Names) -> pd.DataFrame:
        """Return pairs of a song and a row of the same artist and title."""
        songs = pd.DataFrame({"name": names, "song": np.arange(len(names))})
        songs = songs[songs["name"].astype(bool)]
        rows = pd.DataFrame({"name": self.names_, "row": np.arange(len(self.names_))})
        return songs.merge(rows, on="name")[["song", "row"]].assign(sure=True)

    def _agree(self, row: npt.NDArray[np.int_], names: Names, days: Names) -> npt.NDArray[np.bool_]:
        return pd.notna(names) & (names == self.names_[row]) & (days == self.days_[row])


class CopyRule:
    """What a copy's popularity does to the two parts of a hurdle model.

    Two regressions of few coefficients, so that a hundred songs with copies are enough: logistic
    for the zero, linear for the level above it.

    Examples
    --------
    Forty songs have a copy: it is at 0 or at 60, and the song itself is then at 40 or at 0.

    >>> at_zero = np.arange(40) % 2 == 0
    >>> copies = Copies(np.ones(40), np.where(at_zero, 0.0, 60.0))
    >>> zero, level, y = np.full(40, 0.3), np.full(40, 30.0), np.where(at_zero, 40.0, 0.0)
    >>> zero, level = CopyRule().fit(zero, level, copies, y).apply(zero, level, copies)
    >>> zero[:2].round(2).tolist(), level[:2].round(1).tolist()
    ([0.05, 0.95], [39.3, 34.7])
    """

    zero_: FloatArray | None = None
    level_: FloatArray | None = None

    @property
    def learnt(self) -> bool:
        """Whether there were enough songs to learn from.

        Returns
        -------
        bool

        Examples
        --------
        >>> CopyRule().learnt
        False
        """
        return self.level_ is not None

    def fit(self, zero: FloatArray, level: FloatArray, copies: Copies, y: FloatArray) -> CopyRule:
        """Learn from songs with copies; from fewer than :data:`FEWEST_COPIES`, nothing.

        Parameters
        ----------
        zero, level : ndarray of float, shape (n,)
            Predicted by a model that has not seen these songs.
        copies : Copies
            Of these songs.
        y : ndarray of float, shape (n,)
            Popularity.

        Returns
        -------
        CopyRule
            Itself.
        """
        above = y > 0
        if min(above.sum(), (~above).sum()) < FEWEST_COPIES / 2:
            return self
        features = _describe(level, copies)
        # To many more digits than are kept: what is kept does not depend on the machine.
        rule = LogisticRegression(C=3.0, fit_intercept=False, solver="newton-cholesky", tol=1e-10)
        rule.fit(np.column_stack([_to_logit(zero), features]), ~above)
        self.zero_ = exact.snap(rule.coef_.T)
        features, rest = features[above], (y - level)[above, None]
        square = linear.multiply(features.T, features) + _RIDGE * np.eye(features.shape[1])
        self.level_ = linear.solve(square, linear.multiply(features.T, rest))
        return self

    def apply(
        self, zero: FloatArray, level: FloatArray, copies: Copies
    ) -> tuple[FloatArray, FloatArray]:
        """Return both parts with what the copies say; songs without copies stay as they are.

        Parameters
        ----------
        zero, level : ndarray of float, shape (n,)
        copies : Copies

        Returns
        -------
        zero, level : ndarray of float, shape (n,)

        Examples
        --------
        A rule that has learnt nothing changes nothing.

        >>> copies = Copies(np.array([1.0]), np.array([60.0]))
        >>> CopyRule().apply(np.array([0.3]), np.array([30.0]), copies)
        (array([0.3]), array([30.]))
        """
        found = copies.found
        if self.zero_ is None or self.level_ is None or not found.any():
            return zero, level
        zero, level = zero.copy(), level.copy()
        features = _describe(level[found], copies.take(found))
        known = np.column_stack([_to_logit(zero[found]), features])
        zero[found] = 1 / (1 + exact.exp(-linear.multiply(known, self.zero_)[:, 0]))
        level[found] += linear.multiply(features, self.level_)[:, 0]
        return zero, level.clip(0, 100)


def _describe(level: FloatArray, copies: Copies) -> FloatArray:
    """Return what a copy says, shape (n, 3): it exists, it is at 0, it is more popular."""
    at_zero = copies.popularity == 0
    more = np.where(at_zero, 0.0, (copies.popularity - level) / _POINTS)
    return copies.likeness[:, None] * np.column_stack([np.ones(len(level)), at_zero, more])


def _to_logit(chance: FloatArray) -> FloatArray:
    chance = chance.clip(*_CHANCES)
    return exact.log(chance / (1 - chance))


def _read_songs(X: pd.DataFrame, *, popularity: bool = False) -> pd.DataFrame:
    needed = [*WEIGHTS, "tempo", "duration_ms", "release_date", *["popularity"] * popularity]
    return read_table(X, needed, optional=("artist_name", "track_name"))


def _place(X: pd.DataFrame) -> FloatArray:
    """Return places whose distance is small for one recording on two releases, shape (n, 9)."""
    sound = [weight * X[name].to_numpy(float) for name, weight in WEIGHTS.items()]
    octaves = exact.log(X["tempo"].to_numpy(float).clip(LEAST_BPM)) / np.log(2)
    seconds = X["duration_ms"].to_numpy(float) / 1000
    places = np.column_stack([*sound, PER_SECOND * seconds, PER_OCTAVE_OF_TEMPO * octaves])
    return exact.snap(places)  # squares of differences add up exactly, in any order


def _name(X: pd.DataFrame) -> Names:
    """Return artist and title of each song, normalised; empty where unknown, None without both."""
    names = np.full(len(X), None, dtype=object)
    if "artist_name" not in X or "track_name" not in X:
        return names
    for i, pair in enumerate(zip(X["artist_name"], X["track_name"], strict=True)):
        parts = [normalise(part) for part in pair]
        names[i] = "\n".join(parts) if all(parts) else ""
    return names
