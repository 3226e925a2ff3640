"""What songs of the same release date reached, in a table too large for one Gaussian process.

Used by notebook ``02_popularity``, through :func:`aares.popularity.make_model`. Songs of one date
are often songs of one album, and the closer they sound, the more likely they are. A Gaussian
process with a block for each date weighs them: two songs of a block are alike by ``shared``, and
by ``close`` more the closer they sound, and all that is left is noise. Songs of the table itself
are alike in more ways: :mod:`aares.popularity.gaussian`.

Conventions: a block is a set of songs with the same key; sound is a row of ranks (0-1), so that a
distance of 1 is far; residuals are against what the song's own sound and date predict.

References
----------
Rasmussen and Williams, "Gaussian processes for machine learning", MIT Press 2006: section 2.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial.distance import cdist
from sklearn.model_selection import GroupKFold, KFold

from aares import exact, linear
from aares.data.door import read_column, read_table
from aares.data.titles import normalise
from aares.popularity.rows import FloatArray

SOUND = (
    "danceability", "energy", "loudness", "speechiness", "acousticness", "instrumentalness",
    "liveness", "valence", "tempo", "duration_ms",
)  # fmt: skip
EXPLICIT_STEP = 0.3  # how far apart explicit lyrics put two songs that sound the same


class Kernel(NamedTuple):
    """How alike two songs of a block are, in units of the noise variance.

    Examples
    --------
    >>> DAY(np.array([0.0, 1.0])).round(3).tolist()
    [0.7, 0.321]
    >>> round(0.1 + 0.6 / np.e, 3)
    0.321
    """

    shared: float
    close: float
    reach: float

    def __call__(self, distance: FloatArray) -> FloatArray:
        """Return the covariance at a distance in sound."""
        return self.shared + self.close * exact.exp(-distance / self.reach)


DAY = Kernel(0.1, 0.6, 1.0)
VAGUE = Kernel(0.01, 0.3, 0.6)
"""Where the date is a year, a month or a 1 January, sharing it says little."""
STATISTICS = ("level", "zero", "known", "nearest", "count")
NOBODY = (0.0, 0.0, 0.0, 2.0, 0.0)
"""What :func:`krige` says of a song without neighbours."""


def name_days(X: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Return the release date of each song, empty where it is missing.

    Parameters
    ----------
    X : DataFrame, shape (n, columns)
        Table with ``release_date``.

    Returns
    -------
    ndarray of str, shape (n,)

    Examples
    --------
    >>> name_days(pd.DataFrame({"release_date": ["2008-05-23", None]})).tolist()
    ['2008-05-23', '']
    """
    return read_column(X, "release_date").to_numpy(object)


def name_artists(X: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Return the artist of each song, empty where it is missing.

    Parameters
    ----------
    X : DataFrame, shape (n, columns)
        Table with ``artist_name``.

    Returns
    -------
    ndarray of str, shape (n,)

    Examples
    --------
    >>> name_artists(pd.DataFrame({"artist_name": ["Édith  PIAF", None]})).tolist()
    ['edith piaf', '']
    """
    return read_column(X, "artist_name").map(normalise).to_numpy(object)


def is_vague(day: str) -> bool:
    """Tell whether a date names no day, or 1 January, which often means "some day".

    Parameters
    ----------
    day : str
        As in ``release_date``.

    Returns
    -------
    bool

    Examples
    --------
    >>> [is_vague(day) for day in ("2008-05-23", "2008-05", "2008-01-01")]
    [False, True, True]
    """
    return len(day) < 10 or day.endswith("-01-01")


class SoundRanks:
    """Ranks of the audio features among known songs, so that all weigh alike.

    Parameters
    ----------
    known : DataFrame, shape (n, columns)
        Songs whose values make the ranks.

    Examples
    --------
    A rank is the share of the known songs that lie below, with half of the equal ones.

    >>> from aares.data import make_songs
    >>> songs = make_songs("subset", 4, duration_ms=[100_000, 200_000, 300_000, 400_000])
    >>> asked = songs.assign(explicit=[False, True, False, False])
    >>> SoundRanks(songs).place(asked)[:, -2:].round(3).tolist()
    [[0.125, 0.0], [0.375, 0.3], [0.625, 0.0], [0.875, 0.0]]
    """

    def __init__(self, known: pd.DataFrame) -> None:
        known = read_table(known, SOUND)
        self.sorted_ = {name: np.sort(known[name].to_numpy(float)) for name in SOUND}

    def place(self, X: pd.DataFrame) -> FloatArray:
        """Return the place of each song.

        Parameters
        ----------
        X : DataFrame, shape (n, columns)
            Table with the audio features and ``explicit``.

        Returns
        -------
        ndarray of float, shape (n, 11)
            Ranks (0-1), and the step of explicit lyrics.

        Examples
        --------
        Explicit lyrics are a step of their own.

        >>> from aares.data import make_songs
        >>> songs = make_songs("subset", 2, explicit=[False, True])
        >>> SoundRanks(songs).place(songs)[:, -1].round(3).tolist()
        [0.0, 0.3]
        """
        X = read_table(X, [*SOUND, "explicit"])
        ranks = []
        for name, known in self.sorted_.items():
            values = X[name].to_numpy(float)
            # The middle of equal values: instrumentalness is 0 in a third of the songs.
            rank = np.searchsorted(known, values) + np.searchsorted(known, values, side="right")
            ranks.append(rank / (2 * len(known)))
        places = np.column_stack([*ranks, EXPLICIT_STEP * X["explicit"].to_numpy(float)])
        return exact.snap(places)  # squares of differences add up exactly, in any order


@dataclass(frozen=True)
class Known:
    """Songs whose popularity is known: key, place in sound, residuals (n, 2).

    Examples
    --------
    >>> songs = Known(np.array(["2008", "1999", "2008"]), np.zeros((3, 11)), np.zeros((3, 2)))
    >>> songs.blocks["2008"].tolist()
    [0, 2]
    """

    keys: npt.NDArray[np.object_]
    space: FloatArray
    residuals: FloatArray

    @cached_property
    def blocks(self) -> dict[str, npt.NDArray[np.intp]]:
        """Return the row numbers of each key.

        Returns
        -------
        dict of str to ndarray of int
        """
        return group_rows(self.keys)

    def take(self, rows: npt.NDArray[np.intp]) -> Known:
        """Return some of the songs.

        Parameters
        ----------
        rows : ndarray of int, shape (m,)

        Returns
        -------
        Known

        Examples
        --------
        >>> songs = Known(np.array(["2008", "1999"]), np.array([[0.5], [0.2]]), np.eye(2))
        >>> songs.take(np.array([1])).residuals.tolist()
        [[0.0, 1.0]]
        """
        return Known(self.keys[rows], self.space[rows], self.residuals[rows])

    def join(self, other: Known) -> Known:
        """Return both sets of songs as one.

        Parameters
        ----------
        other : Known

        Returns
        -------
        Known

        Examples
        --------
        >>> songs = Known(np.array(["2008"]), np.array([[0.5]]), np.array([[10.0, 0.0]]))
        >>> songs.join(songs).keys.tolist()
        ['2008', '2008']
        """
        return Known(
            np.concatenate([self.keys, other.keys]),
            np.concatenate([self.space, other.space]),
            np.concatenate([self.residuals, other.residuals]),
        )


def group_rows(keys: npt.NDArray[np.object_]) -> dict[str, npt.NDArray[np.intp]]:
    """Return the row numbers of each key that is not empty.

    Parameters
    ----------
    keys : ndarray of str, shape (n,)

    Returns
    -------
    dict of str to ndarray of int

    Examples
    --------
    >>> group_rows(np.array(["2008", "", "1999", "2008"], dtype=object))
    {'2008': array([0, 3]), '1999': array([2])}
    """
    if not len(keys):
        return {}
    codes, names = pd.factorize(keys)
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))
    parts = np.split(order, ends[:-1])
    return {str(name): part for name, part in zip(names, parts, strict=True) if name}


def pick_day(day: str) -> Kernel:
    """Return the kernel of a release date.

    Parameters
    ----------
    day : str
        As in ``release_date``.

    Returns
    -------
    Kernel

    Examples
    --------
    >>> pick_day("2008-05-23") == DAY, pick_day("2008") == VAGUE
    (True, True)
    """
    return VAGUE if is_vague(day) else DAY


def krige(
    known: Known, keys: npt.NDArray[np.object_], space: FloatArray, pick: Callable[[str], Kernel]
) -> FloatArray:
    """Predict residuals of songs from the known songs of their blocks.

    Parameters
    ----------
    known : Known
    keys : ndarray of str, shape (n,)
        Block of each song; an empty key belongs to none.
    space : ndarray of float, shape (n, d)
        Place of each song in sound.
    pick : callable
        Key -> kernel.

    Returns
    -------
    ndarray of float, shape (n, 5)
        Mean of both residuals, share of the variance explained (0-1), distance to the closest
        known song of the block (2 where there is none), and log(1 + known songs).

    Examples
    --------
    One song of that day, of the same sound, was 17 points better than expected: 0.7 / 1.7 of it
    counts, the covariance over covariance and noise.

    >>> known = Known(np.array(["2008-05-23"]), np.array([[0.5]]), np.array([[17.0, 0.0]]))
    >>> days = np.array(["2008-05-23", "2009-05-23"])
    >>> krige(known, days, np.array([[0.5], [0.5]]), pick_day).round(2).tolist()
    [[7.0, 0.0, 0.41, 0.0, 0.69], [0.0, 0.0, 0.0, 2.0, 0.0]]
    """
    out = np.tile(NOBODY, (len(keys), 1))
    for key, rows in group_rows(keys).items():
        near = known.blocks.get(key)
        if near is None:
            continue
        kernel = pick(key)
        own = kernel(cdist(known.space[near], known.space[near])) + np.eye(len(near))
        distance = cdist(space[rows], known.space[near])
        across = kernel(distance)
        weights = linear.solve(own, across.T)
        out[rows, :2] = linear.multiply(weights.T, known.residuals[near])
        prior = kernel.shared + kernel.close
        out[rows, 2] = linear.measure_rows(across, weights.T) / prior
        out[rows, 3] = distance.min(axis=1)
        out[rows, 4] = exact.log(1.0 + len(near))
    return out


def split_inner(
    n: int, groups: npt.NDArray[np.object_] | None, *, n_folds: int, random_state: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return inner folds: random ones, or folds that keep the songs of a group together.

    Parameters
    ----------
    n : int
        Songs.
    groups : ndarray of str or None
    n_folds : int
    random_state : int

    Returns
    -------
    list of (train, test) row numbers

    Examples
    --------
    >>> artists = np.array(["ella", "ella", "ella", "miles", "miles"])
    >>> for train, test in split_inner(5, artists, n_folds=2, random_state=0):
    ...     print(train, test)
    [0 1 2] [3 4]
    [3 4] [0 1 2]
    """
    rows = np.zeros(n)
    if groups is None or len(np.unique(groups)) < 2:
        folds = KFold(min(n_folds, n), shuffle=True, random_state=random_state)
        return list(folds.split(rows))
    size = min(n_folds, len(np.unique(groups)))
    grouped = GroupKFold(size, shuffle=True, random_state=random_state)
    return list(grouped.split(rows, groups=groups))
