"""Songs as points: a space in which close songs sound alike (exercise 3, question 1).

Used by notebook ``03_recommendation``.

Conventions: a song is a row of a table with ``id``, ``name``, ``artists`` (tuple) or ``artist``
(text) and the audio features of appendix A. Distances have no unit: 1 is one standard deviation
of one feature.

References
----------
Shepard, "Geometrical approximations to the structure of musical pitch", Psychological Review
89(4), 1982 (keys on the circle of fifths).
Krumhansl, "Cognitive foundations of musical pitch", 1990: chapter 2 (a minor key stands with its
relative major).
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from aares import exact
from aares.data.door import read_table
from aares.errors import require_songs
from aares.recommend.lists.order import find_order

FloatArray = npt.NDArray[np.floating]

WEIGHTS: dict[str, float] = {
    "danceability": 1.0,
    "energy": 1.0,
    "valence": 1.0,
    "loudness": 1.0,
    "speechiness": 1.0,
    "acousticness": 1.0,
    "instrumentalness": 1.0,
    "liveness": 0.5,
    "tempo": 0.5,
    "duration_ms": 0.5,
    "key": 0.3,
    "mode": 0.3,
    "year": 1.0,
}
"""Weight of each column in the distance; ``year`` counts where the table has it."""

SHARES = ("speechiness", "acousticness", "instrumentalness", "liveness")
"""Columns of 0-1 that crowd at an end; their log-odds spread the crowd."""

GRID_BITS = 18
"""Coordinates are multiples of 2^-18: so few digits that distances are exact, and thus the same on
every machine, in whatever order a matrix product adds up (weights up to 16)."""

_ODDS_FLOOR = 0.02
_CLIP = 3.0


def read_weights(weights: Mapping[str, float] | None) -> dict[str, float]:
    """Return the weight of each feature.

    Parameters
    ----------
    weights : mapping of str to float, optional
        Replaces some of :data:`WEIGHTS`.

    Returns
    -------
    dict of str to float

    Raises
    ------
    ValueError
        There is no such feature, or a weight is no number from 0.

    Examples
    --------
    >>> read_weights({"tempo": 2})["tempo"]
    2
    >>> read_weights({"tempo": -1})
    Traceback (most recent call last):
    ValueError: weights: expected a number from 0 for 'tempo', found -1
    """
    if weights is not None and not isinstance(weights, Mapping):
        raise ValueError(f"weights: expected a dict {{feature: weight}}, found {weights!r}")
    for name, weight in (weights or {}).items():
        if name not in WEIGHTS:
            raise ValueError(f"weights: no feature {name!r}; there are {', '.join(WEIGHTS)}")
        is_number = isinstance(weight, numbers.Real) and not isinstance(weight, bool)
        if not is_number or not 0 <= weight < math.inf:
            raise ValueError(f"weights: expected a number from 0 for {name!r}, found {weight!r}")
    return {**WEIGHTS, **(weights or {})}


class SongSpace(TransformerMixin, BaseEstimator):
    """Turn the audio features of songs into coordinates whose distance is dissimilarity.

    Shares that crowd at 0 become log-odds; tempo and duration become octaves; the key becomes a
    point on the circle of fifths, with a minor key at its relative major; every column is
    standardised, cut at three standard deviations and weighted.

    Parameters
    ----------
    weights : mapping of str to float, optional
        Replaces some of :data:`WEIGHTS`.

    Attributes
    ----------
    names_ : list of str
        Name of each coordinate.
    feature_names_in_ : ndarray of str
        The columns that are read, in whatever order they come.
    """

    def __init__(self, *, weights: Mapping[str, float] | None = None) -> None:
        self.weights = weights

    def fit(self, songs: pd.DataFrame, y: object = None) -> SongSpace:
        """Learn centre and spread of each coordinate.

        Raises
        ------
        ValueError
            A column is missing or a cell is wrong, see :func:`aares.data.read_table`, or a weight
            is, see :func:`read_weights`.

        Examples
        --------
        >>> from aares.data import make_songs
        >>> songs = make_songs("recommendation", 3, danceability=[0.2, 0.4, 0.9], energy=0.5)
        >>> space = SongSpace().fit(songs)
        >>> space.names_[:2], space.names_[-2:], space.centre_[:2].round(2).tolist()
        (['danceability', 'energy'], ['key_x', 'key_y'], [0.5, 0.5])
        """
        columns = transform_columns(songs)
        require_songs(len(songs))
        values = columns.to_numpy(float)
        self.names_ = list(columns.columns)
        self.centre_ = values.mean(axis=0)
        self.spread_ = np.where(values.std(axis=0) > 0, values.std(axis=0), 1.0)
        weights = read_weights(self.weights)
        self.scale_ = np.array(
            [weights[name.removesuffix("_x").removesuffix("_y")] for name in self.names_]
        )
        read = [name for name in WEIGHTS if name in songs]
        self.feature_names_in_, self.n_features_in_ = np.array(read, dtype=object), len(read)
        return self

    def transform(self, songs: pd.DataFrame) -> FloatArray:
        """Return the coordinates, shape (n, d).

        Examples
        --------
        >>> from aares.data import make_songs
        >>> songs = make_songs("recommendation", 3, tempo=[20.0, 30.0, 40.0])
        >>> songs = songs.assign(danceability=[0.2, 0.4, 0.6], energy=[0.2, 0.4, 0.6])
        >>> space = SongSpace(weights={"energy": 2.0}).fit(songs)
        >>> columns = [space.names_.index(name) for name in ("danceability", "energy", "tempo")]
        >>> space.transform(songs)[2, columns].round(2).tolist()  # all below 40 beats count as 40
        [1.22, 2.45, 0.0]
        """
        check_is_fitted(self)
        read = read_table(songs, self.feature_names_in_)
        values = transform_columns(read)[self.names_].to_numpy(float)
        coordinates = ((values - self.centre_) / self.spread_).clip(-_CLIP, _CLIP) * self.scale_
        return exact.snap(coordinates, GRID_BITS)

    def get_feature_names_out(self, input_features: object = None) -> npt.NDArray[np.object_]:
        """Return the name of each coordinate."""
        check_is_fitted(self)
        return np.array(self.names_, dtype=object)


def transform_columns(songs: pd.DataFrame) -> pd.DataFrame:
    """Put each audio feature on a scale where equal steps sound equally large.

    Parameters
    ----------
    songs : DataFrame
        Columns of :data:`WEIGHTS`; ``year`` is optional.

    Returns
    -------
    DataFrame of float
        As :data:`WEIGHTS`, with ``key_x`` and ``key_y`` instead of ``key``.

    Raises
    ------
    TypeError, DataError
        As :func:`aares.data.read_table`.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> songs = make_songs("recommendation", 2, tempo=[60, 120])
    >>> transform_columns(songs)[["energy", "tempo"]].diff().iloc[1].tolist()  # tempo in octaves
    [0.0, 1.0]
    """
    needed = [name for name in WEIGHTS if name != "year"]
    table = read_table(songs, needed, optional=["year"]).astype(float)
    for name in SHARES:
        table[name] = exact.log((table[name] + _ODDS_FLOOR) / (1 + _ODDS_FLOOR - table[name]))
    for name, lowest in {"tempo": 40.0, "duration_ms": 1000.0}.items():
        table[name] = exact.log(table[name].clip(lower=lowest)) / exact.log(2.0)
    angle = compute_key_angle(table.pop("key").to_numpy(), table["mode"].to_numpy())
    table = table.assign(key_x=np.cos(angle), key_y=np.sin(angle))
    # The last digits of logarithm, sine and cosine differ between machines.
    return pd.DataFrame(exact.snap(table, 30), index=table.index, columns=table.columns)


def compute_key_angle(key: FloatArray, mode: FloatArray) -> FloatArray:
    """Return the angle of a key on the circle of fifths, in radians.

    Parameters
    ----------
    key : ndarray of float, shape (n,)
        Pitch class, 0 (C) to 11 (B).
    mode : ndarray of float, shape (n,)
        1 major, 0 minor; a minor key has the angle of its relative major.

    Returns
    -------
    ndarray of float, shape (n,)

    Examples
    --------
    >>> keys, modes = np.array([0, 7, 9]), np.array([1, 1, 0])  # C major, G major, A minor
    >>> np.degrees(compute_key_angle(keys, modes)).round().tolist()
    [0.0, 30.0, 0.0]
    """
    relative = np.where(mode == 1, key, key + 3)
    return 2 * np.pi * ((7 * relative) % 12) / 12


def measure_distances(points: FloatArray, seeds: FloatArray) -> FloatArray:
    """Return Euclidean distances of all points to all seeds, shape (n, k).

    Exact brute force: one matrix product; 145,000 songs take some milliseconds for each seed. For
    points of :class:`SongSpace` no digit is lost in it.

    Parameters
    ----------
    points : ndarray of float, shape (n, d)
    seeds : ndarray of float, shape (k, d)

    Returns
    -------
    ndarray of float, shape (n, k)

    Examples
    --------
    >>> measure_distances(np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[0.0, 0.0]])).tolist()
    [[0.0], [5.0]]
    """
    squared = (points**2).sum(axis=1)[:, None] + (seeds**2).sum(axis=1) - 2 * points @ seeds.T
    return np.sqrt(np.maximum(squared, 0.0))


def combine_seeds(distances: FloatArray, how: str) -> FloatArray:
    """Make one distance of the distances to several seeds.

    Parameters
    ----------
    distances : ndarray of float, shape (n, k)
    how : {"nearest", "mean", "soft"}
        Distance to the closest seed; to all on average; or in between: the soft minimum, which
        prefers songs that are close to several seeds.

    Returns
    -------
    ndarray of float, shape (n,)

    Raises
    ------
    ValueError
        Unknown `how`.

    Examples
    --------
    >>> distances = np.array([[1.0, 3.0], [2.0, 2.0]])
    >>> for how in ("nearest", "mean", "soft"):
    ...     print(how, combine_seeds(distances, how).round(2).tolist())
    nearest [1.0, 2.0]
    mean [2.0, 2.0]
    soft [1.57, 2.0]
    """
    if how == "nearest":
        return distances.min(axis=1)
    if how == "mean":
        return distances.mean(axis=1)
    if how == "soft":
        low = distances.min(axis=1)
        nearness = exact.snap(exact.exp(low[:, None] - distances), 40)
        return low - exact.log(nearness.mean(axis=1))
    raise ValueError(f"how: expected 'nearest', 'mean' or 'soft', found {how!r}")


def order_smoothly(points: FloatArray, start: FloatArray) -> npt.NDArray[np.intp]:
    """Order songs into a short path from a start, so that neighbours sound alike.

    Up to a dozen songs there is no shorter path, see
    :func:`aares.recommend.lists.order.find_order`.

    Parameters
    ----------
    points : ndarray of float, shape (n, d)
    start : ndarray of float, shape (d,)
        Where the path begins: the seed.

    Returns
    -------
    ndarray of int, shape (n,)
        Row numbers of `points`.

    Examples
    --------
    >>> order_smoothly(np.array([[5.0], [1.0], [3.0]]), np.array([0.0])).tolist()
    [1, 2, 0]
    """
    steps = measure_distances(points, np.vstack([points, start]))
    return find_order(steps[:, :-1], start=steps[:, -1])


def measure_path(points: FloatArray) -> float:
    """Return the length of the path through points in their order.

    Parameters
    ----------
    points : ndarray of float, shape (n, d)

    Returns
    -------
    float

    Examples
    --------
    >>> measure_path(np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 6.0]]))
    7.0
    """
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
