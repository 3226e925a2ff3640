"""A space in which songs of one artist are close, learnt from who made what.

Used by notebook ``03_recommendation``. An artist's songs share style, era and language, so the
artists of a catalogue are labels that nobody had to give. Linear discriminant analysis finds the
directions in which artists differ most, measured by how much one artist's songs differ.

Conventions: points lie on a grid (:data:`GRID_BITS`), so that distances are exact and the same on
every machine.

References
----------
Fisher, "The use of multiple measurements in taxonomic problems", Annals of Eugenics 7(2), 1936.
Friedman, "Regularized discriminant analysis", JASA 84(405), 1989: section 3 (shrinkage).
Hastie and Tibshirani, "Discriminant adaptive nearest neighbor classification", PAMI 18(6), 1996.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from aares import exact, linear
from aares.recommend.catalogue import Catalogue
from aares.recommend.space.columns import AUDIO, describe_catalogue
from aares.recommend.space.content import FloatArray
from aares.recommend.space.ngrams import TitleSpace

GRID_BITS = 16
"""Coordinates are multiples of 2^-16 and below 2^6: squared distances are exact."""

MIN_ARTISTS = 50
"""Artists with two songs or more, below which there is nothing to learn from."""

_CLIP = 4.0
_SHRINK = 0.01
_LIMIT = 31.0  # of a coordinate


class LearntSpace(BaseEstimator):
    """Coordinates of songs whose distance is small between songs of one artist.

    Parameters
    ----------
    n_axes : int
        Coordinates.
    columns : {"all", "audio"}
        ``audio`` reads the sound alone: neither year, popularity nor title.

    Attributes
    ----------
    names_ : list of str
        Columns that are read, see :meth:`describe`.
    axes_ : ndarray of float, shape (d, n_axes)
    ratios_ : ndarray of float, shape (n_axes,)
        How much more artists differ along an axis than the songs of one artist (eigenvalues).

    Examples
    --------
    >>> from aares.data import make_songs
    >>> from aares.recommend.catalogue import read_catalogue
    >>> songs = make_songs("recommendation", 4, energy=[0.1, 0.2, 0.8, 0.9], tempo=[90, 150] * 2)
    >>> songs["artists"] = [("A",), ("A",), ("B",), ("B",)]
    >>> points = LearntSpace(n_axes=1).fit(read_catalogue(songs)).transform(read_catalogue(songs))
    >>> bool(abs(points[0] - points[1]) < abs(points[0] - points[2]))
    True
    """

    def __init__(self, *, n_axes: int = 20, columns: str = "all") -> None:
        self.n_axes = n_axes
        self.columns = columns

    def fit(self, catalogue: Catalogue, eras: npt.ArrayLike | None = None) -> LearntSpace:
        """Learn from the artists of a catalogue.

        Parameters
        ----------
        catalogue : Catalogue
        eras : array-like of float, shape (n,), optional
            Years that replace the table's.

        Raises
        ------
        ValueError
            An option or a cell is wrong, or no artist has two songs.
        """
        self.fit_read(catalogue, eras)
        return self

    def fit_read(
        self, catalogue: Catalogue, eras: npt.ArrayLike | None = None
    ) -> tuple[FloatArray, list[sparse.csr_matrix]]:
        """Learn from a catalogue, and return of it what :meth:`read` does: it is read once.

        Parameters
        ----------
        catalogue : Catalogue
        eras : array-like of float, shape (n,), optional
            Years that replace the table's.

        Returns
        -------
        values : ndarray of float, shape (n, d)
        titles : list of csr_matrix of float

        Raises
        ------
        ValueError
            As :meth:`fit`.
        """
        if self.columns not in ("all", "audio"):
            raise ValueError(f"columns: expected 'all' or 'audio', found {self.columns!r}")
        self._titles = TitleSpace() if self.columns == "all" else None
        titles = []
        if self._titles is not None:
            titles = self._titles.fit_weigh(catalogue.songs["name"].tolist())
        table = self._read(catalogue, eras, titles)
        self.names_ = list(table.columns)
        self._measure_spread(table.to_numpy(float))
        values = self._standardise(table)
        self._fit_axes(values, code_artists(catalogue))
        return values, titles

    def _measure_spread(self, table: FloatArray) -> None:
        """Keep mean and deviation of each column, of what is known."""
        known = np.isfinite(table)
        count = np.maximum(known.sum(axis=0), 1)
        total = exact.snap(np.where(known, table, 0.0), 20)
        self.centre_ = total.sum(axis=0) / count
        apart = exact.snap(np.where(known, table - self.centre_, 0.0), 18)
        spread = np.sqrt((apart**2).sum(axis=0) / count)
        self.spread_ = np.where(spread > 0, spread, 1.0)

    def _fit_axes(self, points: FloatArray, artists: npt.NDArray[np.intp]) -> None:
        sizes = np.bincount(artists, minlength=1)
        if not (sizes >= 2).any():
            raise ValueError("catalogue: expected an artist with two songs, found none")
        means = average_groups(points, artists)
        weights = np.where(sizes >= 2, 1 / np.sqrt(np.maximum(sizes - 1, 1)), 0.0)
        within = measure_scatter(points - means[artists], weights[artists])
        within /= (weights * (sizes - 1)).sum()
        between = measure_scatter(points, np.ones(len(points))) / len(points)
        within += _SHRINK * np.trace(within) / len(within) * np.eye(len(within))
        turn = linear.find_root(within)
        ratios, axes = linear.diagonalise(linear.multiply(linear.multiply(turn, between), turn))
        found = slice(0, min(self.n_axes, len(ratios)))
        self.ratios_ = np.maximum(ratios[found] - 1, 0.0)
        # Squared differences count by what of them is of artists, not of an artist's songs.
        self.axes_ = linear.multiply(turn, axes[:, found]) * np.sqrt(
            self.ratios_ / (1 + self.ratios_)
        )

    def describe(self, catalogue: Catalogue, eras: npt.ArrayLike | None = None) -> FloatArray:
        """Return the standardised columns.

        Parameters
        ----------
        catalogue : Catalogue
        eras : array-like of float, shape (n,), optional
            Years that replace the table's.

        Returns
        -------
        ndarray of float, shape (n, d)
            From -4 to 4; 0 where nothing is known.
        """
        check_is_fitted(self)
        return self._standardise(self._read(catalogue, eras, self._weigh(catalogue)))

    def place(self, described: FloatArray) -> FloatArray:
        """Return the coordinates of songs that are described already.

        Parameters
        ----------
        described : ndarray of float, shape (n, d)
            Of :meth:`describe`.

        Returns
        -------
        ndarray of float, shape (n, n_axes)
        """
        found = exact.multiply(described, self.axes_)
        return exact.snap(np.clip(found, -_LIMIT, _LIMIT), GRID_BITS)

    def transform(self, catalogue: Catalogue, eras: npt.ArrayLike | None = None) -> FloatArray:
        """Return the coordinates of songs, shape (n, n_axes)."""
        return self.place(self.describe(catalogue, eras))

    def read(
        self, catalogue: Catalogue, eras: npt.ArrayLike | None = None
    ) -> tuple[FloatArray, list[sparse.csr_matrix]]:
        """Return what :meth:`describe` does, and weights of pieces and of words of titles.

        Parameters
        ----------
        catalogue : Catalogue
        eras : array-like of float, shape (n,), optional
            Years that replace the table's.

        Returns
        -------
        values : ndarray of float, shape (n, d)
        titles : list of csr_matrix of float
            Of pieces and of words, a row for each song; empty where titles are not read.
        """
        check_is_fitted(self)
        titles = self._weigh(catalogue)
        values = self._standardise(self._read(catalogue, eras, titles))
        if self._titles is not None:
            titles.append(self._titles.weigh_words(catalogue.songs["name"].tolist()))
        return values, titles

    def _weigh(self, catalogue: Catalogue) -> list[sparse.csr_matrix]:
        names = catalogue.songs["name"].tolist()
        return [] if self._titles is None else [self._titles.weigh(names)]

    def _read(
        self,
        catalogue: Catalogue,
        eras: npt.ArrayLike | None,
        titles: list[sparse.csr_matrix],
    ) -> pd.DataFrame:
        table = describe_catalogue(catalogue, eras)
        if self._titles is None:
            return table[list(AUDIO)]
        words = self._titles.place(titles[0])
        names = [f"title_{axis}" for axis in range(words.shape[1])]
        return pd.concat([table, pd.DataFrame(words, columns=names)], axis=1)

    def _standardise(self, table: pd.DataFrame) -> FloatArray:
        values = (table.to_numpy(float) - self.centre_) / self.spread_
        return exact.snap(np.nan_to_num(values.clip(-_CLIP, _CLIP)), 14)


def code_artists(catalogue: Catalogue) -> npt.NDArray[np.intp]:
    """Number the first artist of each song; who is nobody is alone.

    Parameters
    ----------
    catalogue : Catalogue

    Returns
    -------
    ndarray of int, shape (n,)

    Examples
    --------
    >>> from aares.data import make_songs
    >>> from aares.recommend.catalogue import read_catalogue
    >>> songs = make_songs("recommendation", 3)
    >>> songs["artists"] = [("ABBA",), ("Various Artists",), ("Abba", "Cher")]
    >>> code_artists(read_catalogue(songs)).tolist()
    [0, 1, 0]
    """
    names = [by[0] if by else f"\n{row}" for row, by in enumerate(catalogue.by)]
    return np.asarray(pd.factorize(np.array(names, dtype=object))[0], dtype=np.intp)


def average_groups(points: FloatArray, groups: npt.NDArray[np.intp]) -> FloatArray:
    """Return the mean of the points of each group, which are on a grid: their sums are exact.

    Parameters
    ----------
    points : ndarray of float, shape (n, d)
    groups : ndarray of int, shape (n,)
        0 to g - 1.

    Returns
    -------
    ndarray of float, shape (g, d)

    Examples
    --------
    >>> average_groups(np.array([[1.0], [3.0], [5.0]]), np.array([0, 0, 1])).tolist()
    [[2.0], [5.0]]
    """
    sizes = np.bincount(groups)
    sums = np.stack([np.bincount(groups, weights=column) for column in points.T], axis=1)
    return np.asarray(sums / np.maximum(sizes, 1)[:, None])


def measure_scatter(points: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the weighted sum of outer products, the same bits on every machine.

    Parameters
    ----------
    points : ndarray of float, shape (n, d)
    weights : ndarray of float, shape (n,)
        From 0.

    Returns
    -------
    ndarray of float, shape (d, d)

    Examples
    --------
    >>> measure_scatter(np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([1.0, 4.0])).tolist()
    [[37.0, 2.0], [2.0, 4.0]]
    """
    scaled = points * np.sqrt(weights)[:, None]
    return exact.multiply(scaled.T, scaled)
