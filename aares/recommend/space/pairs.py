"""What is known of two songs side by side: the inputs of the learnt ranking.

Used by notebook ``03_recommendation`` through :class:`aares.recommend.space.likeness.SongLikeness`.
An input depends on the two songs and on how crowded the space is around each, never on which other
songs are asked about; so neither does a score.

References
----------
Zelnik-Manor and Perona, "Self-tuning spectral clustering", NIPS 2004: section 2.1 (local scaling).
Schnitzer, Flexer, Schedl, Widmer, "Local and global scaling reduce hubs in space", JMLR 13, 2012.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import sparse

from aares import exact
from aares.recommend.space.columns import AUDIO, NO_DAY
from aares.recommend.space.content import FloatArray

IntArray = npt.NDArray[np.int64]

SAMPLE = 1024
"""Songs that the crowd around a song is measured with, whatever the catalogue's size."""

CROWD = (4, 16)
"""Which nearest of the sample tells how crowded it is: around, and far around."""

N_AXES = 8
"""Axes of the space whose differences are inputs of their own."""

CONTEXT = (
    "year", "popularity", "acousticness", "instrumentalness", "speechiness", "energy", "foreign",
    "duration_ms", "loudness",
)  # fmt: skip
"""Columns that are inputs themselves, of both songs: what is close for a chant is not for rap."""

_GROUPS = {"key_x": "key", "key_y": "key", "mode": "key", "duration_ms": "duration"}


@dataclass(frozen=True)
class Facts:
    """What pairs are described from; a row of each array is a song.

    Parameters
    ----------
    names : list of str
        Columns of `values`.
    values : ndarray of float, shape (n, c)
        Standardised columns.
    points : ndarray of float, shape (n, d)
        Coordinates in the space.
    crowd : ndarray of float, shape (n, 2)
        Distances to the nearest of a sample, see :data:`CROWD`.
    days : ndarray of int, shape (n,)
        Days of release, see :func:`aares.recommend.space.columns.read_days`.
    titles : list of csr_matrix of float, shape (n, p)
        Pieces of titles, and words; empty where titles are not read.
    """

    names: list[str]
    values: FloatArray
    points: FloatArray
    crowd: FloatArray
    days: IntArray
    titles: list[sparse.csr_matrix]


def name_inputs(names: list[str], *, use_release_day: bool) -> list[tuple[str, str]]:
    """Name the inputs of the ranking, in their order, and the group that each belongs to.

    Parameters
    ----------
    names : list of str
        Columns of :class:`Facts`.
    use_release_day : bool

    Returns
    -------
    list of (str, str)
        Input and group: ``closeness``, ``key``, ``duration``, ``title``, ``writing`` (how the title
        is written), ``release day``, or the column's name.

    Examples
    --------
    >>> [name for name, group in name_inputs(["energy", "tempo"], use_release_day=False)][:4]
    ['distance', 'distance / crowd of both 4', 'distance / crowd of both 16', \
'distance / crowd of seed 4']
    """
    plain = [name for name in names if not name.startswith("title_")]
    found = [("distance", "closeness")]
    found += [(f"distance / crowd of {who} {k}", "closeness")
              for who in ("both", "seed", "song") for k in CROWD]  # fmt: skip
    found += [(f"axis {axis} apart", "closeness") for axis in range(N_AXES)]
    found += [(f"{name} apart", _name_group(name)) for name in plain]
    context = [name for name in CONTEXT if name in plain]
    found += [(f"{name} of the {who}", _name_group(name))
              for who in ("seed", "song") for name in context]  # fmt: skip
    found += [("tempo apart, octaves aside", "tempo")]
    if len(plain) < len(names):
        found += [(f"title {how}", "title") for how in ("apart", "alike", "words alike")]
    if use_release_day:
        found += [("days apart", "release day"), ("songs of the day", "release day")]
    return found


def _name_group(name: str) -> str:
    plain = name in AUDIO or name in ("year", "popularity", "explicit")
    return _GROUPS.get(name, name if plain else "writing")


def measure_crowd(points: FloatArray) -> FloatArray:
    """Return how far the nearest songs of a sample are from each song, shape (n, 2).

    Parameters
    ----------
    points : ndarray of float, shape (n, d)
        On a grid, see :data:`aares.recommend.space.learnt.GRID_BITS`.

    Returns
    -------
    ndarray of float, shape (n, 2)
        Above 0.

    Examples
    --------
    >>> measure_crowd(np.arange(100.0)[:, None])[[0, 50]].tolist()
    [[4.0, 16.0], [2.0, 8.0]]
    """
    step = max(1, -(-len(points) // SAMPLE))
    sample = points[::step]
    norms = (sample**2).sum(axis=1)
    found = np.empty((len(points), len(CROWD)))
    places = [min(k, len(sample) - 1) for k in CROWD]
    last = max(places)
    for start in range(0, len(points), 512):
        some = points[start : start + 512]
        squares = norms - 2 * (some @ sample.T)
        squares += (some**2).sum(axis=1)[:, None]
        # Of one place numpy parts with vectors, of several it does not: six times slower.
        nearest = np.sort(np.partition(squares, last, axis=1)[:, : last + 1], axis=1)[:, places]
        found[start : start + 512] = np.sqrt(np.maximum(nearest, 0.0))
    return np.maximum(found, 2.0**-10)


class PairReader:
    """Describes pairs of songs of one catalogue, as :func:`name_inputs` names it.

    Parameters
    ----------
    facts : Facts
    use_release_day : bool

    Attributes
    ----------
    inputs : list of (str, str)
        Of :func:`name_inputs`.
    """

    def __init__(self, facts: Facts, *, use_release_day: bool) -> None:
        self.inputs = name_inputs(facts.names, use_release_day=use_release_day)
        words = np.array([name.startswith("title_") for name in facts.names], dtype=bool)
        plain = [name for name in facts.names if not name.startswith("title_")]
        self._plain = np.ascontiguousarray(facts.values[:, ~words])
        self._words = np.ascontiguousarray(facts.values[:, words])
        self._points, self._crowd = np.ascontiguousarray(facts.points), facts.crowd
        self._context = np.array([plain.index(name) for name in CONTEXT if name in plain])
        self._tempo = plain.index("tempo")
        titles = facts.titles or [sparse.csr_matrix((len(self._plain), 1))] * 2
        self._titles = tuple(_take_apart(weights) for weights in titles)
        self._days = facts.days
        self._busy = count_days(facts.days)
        self._use_release_day = use_release_day
        self._octave = 1.0

    def read(self, seeds: IntArray, songs: IntArray) -> FloatArray:
        """Return the inputs of pairs.

        Parameters
        ----------
        seeds, songs : ndarray of int, shape (m,)
            Rows.

        Returns
        -------
        ndarray of float32, shape (m, n_inputs)
            NaN where a day is not known.
        """
        found = np.empty((len(seeds), len(self.inputs)), dtype=np.float32)
        _read_pairs(
            found, np.asarray(seeds, np.int64), np.asarray(songs, np.int64), self._plain,
            self._words, self._points, self._crowd, self._context, self._tempo, self._octave,
            self._titles, self._days, self._busy, self._use_release_day,
        )  # fmt: skip
        return found


def count_days(days: IntArray) -> FloatArray:
    """Return how many songs were released on the day of each song, as a logarithm.

    Parameters
    ----------
    days : ndarray of int, shape (n,)

    Returns
    -------
    ndarray of float, shape (n,)
        NaN where the day is not known.

    Examples
    --------
    >>> count_days(np.array([7, 7, 9, -1])).round(2).tolist()
    [0.69, 0.69, 0.0, nan]
    """
    _, codes, counts = np.unique(days, return_inverse=True, return_counts=True)
    return np.where(days == NO_DAY, np.nan, exact.log(counts[codes]))


def compare_rows(matrix: sparse.csr_matrix, a: IntArray, b: IntArray) -> FloatArray:
    """Return the scalar products of pairs of rows of a sparse matrix with sorted indices.

    Parameters
    ----------
    matrix : csr_matrix of float, shape (n, c)
    a, b : ndarray of int, shape (m,)
        Rows.

    Returns
    -------
    ndarray of float, shape (m,)

    Examples
    --------
    >>> matrix = sparse.csr_matrix([[1.0, 2.0], [0.0, 3.0]])
    >>> compare_rows(matrix, np.array([0, 0]), np.array([0, 1])).tolist()
    [5.0, 6.0]
    """
    return _compare_rows(_take_apart(matrix), np.asarray(a, np.int64), np.asarray(b, np.int64))


def _take_apart(matrix: sparse.csr_matrix) -> tuple[FloatArray, IntArray, IntArray]:
    return matrix.data, matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)


@njit(cache=True, nogil=True)
def _compare_rows(rows, a, b):
    found = np.empty(len(a))
    for i in range(len(a)):
        found[i] = _compare(rows, a[i], b[i])
    return found


@njit(cache=True, nogil=True)
def _read_pairs(
    found, seeds, songs, plain, words, points, crowd, context, tempo, octave,
    titles, days, busy, use_day,
):  # fmt: skip
    for i in range(len(seeds)):
        a, b = seeds[i], songs[i]
        row = found[i]
        place = _read_distances(row, points[a], points[b], crowd[a], crowd[b])
        for j in range(plain.shape[1]):
            row[place + j] = abs(plain[a, j] - plain[b, j])
        place += plain.shape[1]
        for column in context:
            row[place] = plain[a, column]
            row[place + len(context)] = plain[b, column]
            place += 1
        place += len(context)
        apart = abs(plain[a, tempo] - plain[b, tempo]) / octave
        row[place] = abs(apart - np.rint(apart))
        place += 1
        if words.shape[1]:
            row[place] = _measure(words[a], words[b])
            row[place + 1] = _compare(titles[0], a, b)
            row[place + 2] = _compare(titles[1], a, b)
            place += 3
        if use_day:
            known = days[a] != -1 and days[b] != -1
            row[place] = abs(days[a] - days[b]) if known else np.nan
            row[place + 1] = busy[a] if known and days[a] == days[b] else np.nan


@njit(cache=True, nogil=True)
def _read_distances(row, a, b, crowd_a, crowd_b):
    """Write distance, distance by crowd, and axes; return the next place."""
    distance = _measure(a, b)
    row[0] = distance
    k = len(crowd_a)
    for j in range(k):
        row[1 + j] = distance / np.sqrt(crowd_a[j] * crowd_b[j])
        row[1 + k + j] = distance / crowd_a[j]
        row[1 + 2 * k + j] = distance / crowd_b[j]
    place = 1 + 3 * k
    for axis in range(8):
        row[place + axis] = abs(a[axis] - b[axis]) if axis < len(a) else 0.0
    return place + 8


@njit(cache=True, nogil=True)
def _measure(a, b):
    total = 0.0
    for j in range(len(a)):
        total += (a[j] - b[j]) ** 2
    return np.sqrt(total)


@njit(cache=True, nogil=True)
def _compare(rows, a, b):
    """Return the scalar product of two sparse rows whose indices are sorted."""
    weights, pieces, ends = rows
    i, j, total = ends[a], ends[b], 0.0
    while i < ends[a + 1] and j < ends[b + 1]:
        if pieces[i] == pieces[j]:
            total += weights[i] * weights[j]
            i += 1
            j += 1
        elif pieces[i] < pieces[j]:
            i += 1
        else:
            j += 1
    return total
