"""A Gaussian process over all songs: what songs that are alike in several ways reached.

Used by notebook ``02_popularity``, through :func:`aares.popularity.make_model`. Two songs are alike
if they share micro-genres, sound close, come from the same years, from the same artist, from the
same release date (often the same album) or share words of the title; the covariance adds these up,
also as products: close in sound *and* of one date counts for more than either.

Conventions: residuals are against what the song's own sound and date predict; sound is a row of
ranks (0-1); covariances are in units of the noise variance. Memory grows with the square of the
songs (400 MB for 7,000), time with their cube (10 s on one core).

References
----------
Rasmussen and Williams, "Gaussian processes for machine learning", MIT Press 2006: sections 2.2,
4.2.4 (sums and products of kernels) and 5.4.2 (predictions that leave songs out, from one inverse).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve, lapack
from scipy.spatial.distance import cdist
from sklearn.feature_extraction.text import TfidfTransformer

from aares import exact
from aares.data.door import read_column
from aares.data.titles import normalise
from aares.popularity.encoders import TokenCounter
from aares.popularity.kriging import SoundRanks, is_vague, name_artists, name_days
from aares.popularity.rows import FloatArray, describe_date, get_tokens

Folds = list[tuple[np.ndarray, np.ndarray]]
MIDDLE_YEAR = 2000.0  # years are counted from here: powers of e are not too large for float32
_FARTHEST = 40.0
BITS = 18  # of a covariance behind the point
_ALL_BITS = BITS + 3  # with those before it: a song's covariance with itself and noise is below 8
_LIST_BITS = 11  # products have twice as many, as many as a sum of float32 keeps exact
_ROUNDS = 4  # three digits or more each
ROWS = 500  # songs whose covariances are computed at a time: bounds the memory


class Weights(NamedTuple):
    """Covariance of two songs that agree fully in one respect, in units of the noise variance."""

    genres: float = 0.15
    genres_and_years: float = 0.2
    sound: float = 0.07
    sound_and_years: float = 0.1
    genres_and_sound: float = 0.15
    artist: float = 0.6
    artist_and_sound: float = 0.8
    day_and_sound: float = 0.6
    artist_and_day: float = 0.4
    words: float = 0.1
    reach_sound: float = 1.0
    """Distance in sound at which the likeness has fallen to 1/e."""
    reach_years: float = 8.0
    """Years apart at which it has."""


class Places(NamedTuple):
    """What the covariance looks at; a code of -1 is shared with nobody."""

    genres: sparse.csr_matrix
    words: sparse.csr_matrix
    sound: FloatArray
    year: FloatArray
    artist: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]

    def take(self, rows: slice) -> Places:
        """Return some of the songs.

        Parameters
        ----------
        rows : slice

        Returns
        -------
        Places

        Examples
        --------
        >>> none = sparse.csr_matrix((3, 1))
        >>> codes = np.array([0, 0, -1])
        >>> year = np.array([1999.0, 2005.0, 2011.0])
        >>> places = Places(none, none, np.zeros((3, 11)), year, codes, codes)
        >>> places.take(slice(1, 3)).year.tolist()
        [2005.0, 2011.0]
        """
        return Places(
            self.genres[rows],
            self.words[rows],
            self.sound[rows],
            self.year[rows],
            self.artist[rows],
            self.day[rows],
        )


def compute_covariance(a: Places, b: Places, weights: Weights) -> npt.NDArray[np.float32]:
    """Return the covariance of each song of one set with each of another.

    Parameters
    ----------
    a, b : Places
        Of n and m songs.
    weights : Weights

    Returns
    -------
    ndarray of float32, shape (n, m)
        In units of the noise variance, rounded to multiples of 2 ** -:data:`BITS`.

    Examples
    --------
    Two songs of one artist and one day that sound the same and share all genres have the sum of
    all weights but that of the words. The third is of their year and 1 away in sound.

    >>> genres, words = sparse.csr_matrix([[1.0], [1.0], [0.0]]), sparse.csr_matrix((3, 1))
    >>> sound, year = np.array([[0.0], [0.0], [1.0]]), np.full(3, 1999.0)
    >>> codes = np.array([0, 0, -1])
    >>> places = Places(genres, words, sound, year, codes, codes)
    >>> compute_covariance(places, places, Weights()).astype(float).round(3).tolist()
    [[3.07, 3.07, 0.063], [3.07, 3.07, 0.063], [0.063, 0.063, 0.17]]
    >>> round(sum(Weights()[:9]), 3), round((0.07 + 0.1) / np.e, 3)
    (3.07, 0.063)
    """
    genres = (a.genres @ b.genres.T).toarray()
    sound = exact.exp(cdist(a.sound, b.sound) / -weights.reach_sound).astype(np.float32)
    years = _compare_years(a.year, b.year, weights.reach_years)
    artist = (a.artist[:, None] == b.artist[None, :]) & (a.artist >= 0)[:, None]
    day = (a.day[:, None] == b.day[None, :]) & (a.day >= 0)[:, None]
    near = weights.sound_and_years * years
    near += weights.genres_and_sound * genres
    near += weights.sound
    # Few songs share an artist or a date: adding where they do is quicker than everywhere.
    near[artist] += weights.artist_and_sound
    near[day] += weights.day_and_sound
    near *= sound
    out = years
    out *= weights.genres_and_years
    out += weights.genres
    out *= genres
    out += near
    out[artist] += weights.artist
    out[artist & day] += weights.artist_and_day
    out += weights.words * (a.words @ b.words.T).toarray()
    out *= 2.0**BITS
    np.rint(out, out=out)
    out *= 2.0**-BITS
    return out


def _compare_years(a: FloatArray, b: FloatArray, reach: float) -> npt.NDArray[np.float32]:
    """Return exp(-|a - b| / reach) of all pairs, the smaller of two products of few powers."""
    a, b = (((years - MIDDLE_YEAR) / reach).clip(-_FARTHEST, _FARTHEST) for years in (a, b))
    (up, down), (other_up, other_down) = (
        (exact.exp(years).astype(np.float32), exact.exp(-years).astype(np.float32))
        for years in (a, b)
    )
    return np.minimum(np.multiply.outer(up, other_down), np.multiply.outer(down, other_up))


class SongProcess:
    """Gaussian process on the raw table.

    Parameters
    ----------
    space : SoundRanks
        Places songs in sound.
    weights : Weights or None
        None: those chosen for this project.

    Examples
    --------
    What is known of the songs of one artist is expected, in part, of another song of theirs.

    >>> from aares.data import make_songs
    >>> songs = make_songs("subset", 4, genres=[()] * 4, track_name="")
    >>> songs["energy"], songs["artist_name"] = [0.2, 0.8, 0.2, 0.8], ["Ann", "Ann", "Bo", "Bo"]
    >>> process = SongProcess(SoundRanks(songs))
    >>> folds = [(np.delete(np.arange(4), i), np.array([i])) for i in range(4)]
    >>> residuals = np.array([[20.0], [20.0], [-20.0], [-20.0]])
    >>> [unseen] = process.fit_folds(songs, residuals, [folds])
    >>> unseen.ravel().round(1).tolist()
    [8.4, 8.4, -8.4, -8.4]
    >>> process.predict(songs.iloc[[0]].assign(artist_name="Bo")).round(1).tolist()
    [[-14.3]]
    """

    def __init__(self, space: SoundRanks, *, weights: Weights | None = None) -> None:
        self.space = space
        self.weights = Weights() if weights is None else weights

    def fit_folds(
        self, X: pd.DataFrame, residuals: FloatArray, splits: Sequence[Folds]
    ) -> list[FloatArray]:
        """Learn from songs, and predict them as if each one's fold were unknown.

        The folds need no fits of their own: all follow from the inverse of one matrix.

        Parameters
        ----------
        X : DataFrame, shape (n, columns)
            Raw table.
        residuals : ndarray of float, shape (n, k)
        splits : sequence of lists of (train, test) row numbers
            Train is all that is not test; the tests cover all rows.

        Returns
        -------
        list of ndarray of float, shape (n, k)
            One for each split.
        """
        self._learn_places(X)
        tests = [test for folds in splits for _, test in folds]
        equations = _Equations(self._compute_own(), tests)
        coefficients = equations.solve(residuals)
        self.coefficients_ = coefficients[-1]
        hidden = iter(equations.multiply(coefficients))
        predicted = []
        for folds in splits:
            out = np.empty(residuals.shape)
            for _, test in folds:
                out[test] = next(hidden)[test]
            predicted.append(out)
        return predicted

    def predict(self, X: pd.DataFrame) -> FloatArray:
        """Predict the residuals of new songs.

        Parameters
        ----------
        X : DataFrame, shape (m, columns)
            Raw table.

        Returns
        -------
        ndarray of float, shape (m, k)
        """
        places = self._place(X)
        chunks = [places.take(slice(i, i + ROWS)) for i in range(0, len(X), ROWS)]
        parts = [
            compute_covariance(chunk, self.places_, self.weights).astype(float) @ self.coefficients_
            for chunk in chunks
        ]
        return np.concatenate(parts)

    def _learn_places(self, X: pd.DataFrame) -> None:
        self.genres_ = _Lists(min_count=1).fit(get_tokens(X, "genres"))
        self.words_ = _Lists(min_count=4).fit(_split_titles(X))
        year = describe_date(X)["date"]
        self.middle_year_ = float(year.median()) if year.notna().any() else 2000.0
        self.codes_ = [
            {str(name): i for i, name in enumerate(pd.unique(names)) if name}
            for names in (name_artists(X), _name_exact_days(X))
        ]
        self.places_ = self._place(X)

    def _place(self, X: pd.DataFrame) -> Places:
        artist, day = (
            np.array([codes.get(str(name), -1) for name in names], dtype=np.int64)
            for codes, names in zip(
                self.codes_, (name_artists(X), _name_exact_days(X)), strict=True
            )
        )
        return Places(
            genres=self.genres_.place(get_tokens(X, "genres")),
            words=self.words_.place(_split_titles(X)),
            sound=self.space.place(X),
            year=describe_date(X)["date"].fillna(self.middle_year_).to_numpy(float),
            artist=artist,
            day=day,
        )

    def _compute_own(self) -> npt.NDArray[np.float32]:
        """Return covariance plus noise of the known songs."""
        n = len(self.places_.year)
        own = np.empty((n, n), dtype=np.float32)
        for start in range(0, n, ROWS):
            end = min(start + ROWS, n)
            left, right = self.places_.take(slice(start, end)), self.places_.take(slice(0, end))
            own[start:end, :end] = compute_covariance(left, right, self.weights)
            own[:end, start:end] = own[start:end, :end].T
        own[np.diag_indices(n)] += 1
        return own


class _Equations:
    """The equations of a process, once with all songs and once without those of each fold.

    An inverse in single precision, the linear algebra's own, finds a few digits of the solutions.
    They are rounded so that what is left of the right sides is known exactly, and the next digits
    follow from that. So the solutions are those of the equations to the last digit, whatever the
    linear algebra rounds on its way, and only the digits that products keep exact are returned.
    """

    def __init__(self, own: npt.NDArray[np.float32], tests: list[npt.NDArray[np.intp]]) -> None:
        self.own = own
        self.tests = tests
        self.bits = exact.MANTISSA - _ALL_BITS - len(own).bit_length()
        self.inverse = _invert(own)
        self.blocks = [
            cho_factor(self.inverse[np.ix_(test, test)], lower=True, overwrite_a=True)
            for test in tests
        ]

    def solve(self, right: FloatArray) -> FloatArray:
        """Return coefficients (n, k) without the songs of each fold, and last with all songs."""
        right = exact.snap(right)
        rest = self._hide(np.repeat(right[None], len(self.tests) + 1, axis=0))
        found = np.zeros_like(rest)
        for _ in range(_ROUNDS):
            step = self._shorten(self._guess(rest))
            found += step
            rest = self._hide(rest - self.multiply(step))
        return self._shorten(found)

    def multiply(self, systems: FloatArray) -> FloatArray:
        """Return covariance times coefficients that are short, of each system."""
        columns = np.concatenate(systems, axis=1)
        parts = [
            self.own[start : start + ROWS].astype(float) @ columns
            for start in range(0, len(self.own), ROWS)
        ]
        return np.stack(np.split(np.concatenate(parts), len(systems), axis=1))

    def _guess(self, rest: FloatArray) -> FloatArray:
        """Solve in single precision: by the inverse of a matrix without the rows of a fold."""
        found = self._apply(rest)
        shift = np.zeros_like(rest)
        for i, (test, block) in enumerate(zip(self.tests, self.blocks, strict=True)):
            shift[i, test] = cho_solve(block, found[i, test].astype(np.float32))
        return self._hide(found - self._apply(shift))

    def _apply(self, systems: FloatArray) -> FloatArray:
        columns = np.concatenate(systems, axis=1).astype(np.float32)
        return np.stack(np.split((self.inverse @ columns).astype(float), len(systems), axis=1))

    def _hide(self, systems: FloatArray) -> FloatArray:
        for values, test in zip(systems, self.tests, strict=False):
            values[test] = 0.0
        return systems

    def _shorten(self, systems: FloatArray) -> FloatArray:
        """Round each column to so few digits that its products with covariances are exact."""
        columns = systems.transpose(0, 2, 1)
        short = [[exact.shorten(column, self.bits) for column in system] for system in columns]
        return np.array(short).transpose(0, 2, 1)


def _invert(matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Invert a symmetric positive definite matrix."""
    factor, failed = lapack.spotrf(np.array(matrix, order="F"), lower=1, overwrite_a=1)
    if failed:
        raise np.linalg.LinAlgError("the covariance of the songs is not positive definite")
    inverse, _ = lapack.spotri(factor, lower=1, overwrite_c=1)
    for start in range(0, len(inverse), ROWS):
        end = start + ROWS
        block = np.tril(inverse[start:end, start:end])
        inverse[start:end, start:end] = block + np.tril(block, -1).T
        inverse[start:end, end:] = inverse[end:, start:end].T
    return inverse


class _Lists:
    """Lists of tokens as rows of length 1, rare tokens weighing more (tf-idf)."""

    def __init__(self, *, min_count: int) -> None:
        self.min_count = min_count

    def fit(self, rows: list[tuple[str, ...]]) -> _Lists:
        """Choose the tokens and their weights."""
        table = _as_table(rows)
        self.counter = TokenCounter(column="tokens", min_count=self.min_count).fit(table)
        self.weights = None
        if self.counter.vocabulary_:
            self.weights = TfidfTransformer(sublinear_tf=True).fit(self.counter.transform(table))
        return self

    def place(self, rows: list[tuple[str, ...]]) -> sparse.csr_matrix:
        """Return the rows; zeros where no token is known."""
        if self.weights is None:
            return sparse.csr_matrix(np.zeros((len(rows), 1), dtype=np.float32))
        found = self.weights.transform(self.counter.transform(_as_table(rows)))
        found.data = exact.snap(found.data, _LIST_BITS)
        return found.astype(np.float32)


def _as_table(rows: list[tuple[str, ...]]) -> pd.DataFrame:
    return pd.DataFrame({"tokens": pd.Series(rows, dtype=object)})


def _split_titles(X: pd.DataFrame) -> list[tuple[str, ...]]:
    return [tuple(normalise(title).split()) for title in read_column(X, "track_name")]


def _name_exact_days(X: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Return release dates; empty where the date names no day."""
    days = name_days(X)
    return np.array(["" if is_vague(day) else day for day in days], dtype=object)
