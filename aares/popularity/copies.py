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
from sklearn.linear_model import LogisticRegression, Ridge

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
_CHANCES = (1e-3, 1 - 1e-3)
_POINTS = 30.0  # a difference of popularity that is large


class Copies(NamedTuple):
    """The closest copy of each of n songs.

    Parameters
    ----------
    likeness : ndarray, shape (n,)
        0-1; 0 where no copy is known.
    popularity : ndarray, shape (n,)
        Of the copy, points; 0 where there is none.
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
    *tables : DataFrame
        With the audio features, ``release_date`` and ``popularity``. A table without
        ``artist_name`` and ``track_name`` is searched by sound only.
    """

    def __init__(self, *tables: pd.DataFrame) -> None:
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
        """
        places, names = _place(X), _name(X)
        pairs = pd.concat([self._hear(places), self._read(names)], ignore_index=True)
        song, row = pairs["song"].to_numpy(int), pairs["row"].to_numpy(int)
        pairs["distance"] = np.linalg.norm(self.places_[row] - places[song], axis=1)
        alike = np.exp(-pairs["distance"] / REACH)
        pairs["likeness"] = alike.where(~pairs["sure"], 1.0)
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
    """

    zero_: LogisticRegression | None = None
    level_: Ridge | None = None

    @property
    def learnt(self) -> bool:
        """Whether there were enough songs to learn from.

        Returns
        -------
        bool
        """
        return self.level_ is not None

    def fit(self, zero: FloatArray, level: FloatArray, copies: Copies, y: FloatArray) -> CopyRule:
        """Learn from songs with copies; from fewer than :data:`FEWEST_COPIES`, nothing.

        Parameters
        ----------
        zero, level : ndarray, shape (n,)
            Predicted by a model that has not seen these songs.
        copies : Copies
            Of these songs.
        y : ndarray, shape (n,)
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
        self.zero_ = LogisticRegression(C=3.0, fit_intercept=False).fit(
            np.column_stack([_to_logit(zero), features]), ~above
        )
        self.level_ = Ridge(alpha=3.0, fit_intercept=False)
        self.level_.fit(features[above], (y - level)[above])
        return self

    def apply(
        self, zero: FloatArray, level: FloatArray, copies: Copies
    ) -> tuple[FloatArray, FloatArray]:
        """Return both parts with what the copies say; songs without copies stay as they are.

        Parameters
        ----------
        zero, level : ndarray, shape (n,)
        copies : Copies

        Returns
        -------
        zero, level : ndarray, shape (n,)
        """
        found = copies.found
        if self.zero_ is None or self.level_ is None or not found.any():
            return zero, level
        zero, level = zero.copy(), level.copy()
        features = _describe(level[found], copies.take(found))
        known = np.column_stack([_to_logit(zero[found]), features])
        zero[found] = self.zero_.predict_proba(known)[:, 1]
        level[found] += self.level_.predict(features)
        return zero, level.clip(0, 100)


def _describe(level: FloatArray, copies: Copies) -> FloatArray:
    """Return what a copy says, shape (n, 3): it exists, it is at 0, it is more popular."""
    at_zero = copies.popularity == 0
    more = np.where(at_zero, 0.0, (copies.popularity - level) / _POINTS)
    return copies.likeness[:, None] * np.column_stack([np.ones(len(level)), at_zero, more])


def _to_logit(chance: FloatArray) -> FloatArray:
    chance = chance.clip(*_CHANCES)
    return np.log(chance / (1 - chance))


def _place(X: pd.DataFrame) -> FloatArray:
    """Return places whose distance is small for one recording on two releases, shape (n, 9)."""
    sound = [weight * X[name].to_numpy(float) for name, weight in WEIGHTS.items()]
    octaves = np.log2(X["tempo"].to_numpy(float).clip(LEAST_BPM))
    seconds = X["duration_ms"].to_numpy(float) / 1000
    return np.column_stack([*sound, PER_SECOND * seconds, PER_OCTAVE_OF_TEMPO * octaves])


def _name(X: pd.DataFrame) -> Names:
    """Return artist and title of each song, normalised; empty where unknown, None without both."""
    names = np.full(len(X), None, dtype=object)
    if "artist_name" not in X or "track_name" not in X:
        return names
    for i, pair in enumerate(zip(X["artist_name"], X["track_name"], strict=True)):
        parts = [normalise(part) if isinstance(part, str) else "" for part in pair]
        names[i] = "\n".join(parts) if all(parts) else ""
    return names
