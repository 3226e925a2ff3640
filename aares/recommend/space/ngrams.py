"""Titles as weighted pieces of two and three letters, and as few coordinates.

Used by notebook ``03_recommendation`` through :class:`aares.recommend.space.learnt.LearntSpace`.
Pieces of words tell languages and series of titles apart without a word list. They are taken inside
words, with the space before and after a word as a letter, and counted as sets of integers: no hash,
no order of a dictionary, the same on every machine.

References
----------
Manning, Raghavan, Schütze, "Introduction to information retrieval", 2008: sections 6.2 and 6.4
(inverse document frequency, sublinear counts, cosine).
Deerwester et al., "Indexing by latent semantic analysis", JASIS 41(6), 1990.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from aares import exact, linear
from aares.data.titles import normalise
from aares.recommend.space.content import FloatArray

_BITS = 21  # of a letter: Unicode ends at 0x10FFFF
_SPACE, _END = ord(" "), ord("\n")
_LEARNT_FROM = 40_000  # titles that the axes are found from


def list_pieces(titles: Sequence[str]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """List the pieces of two and three letters of each title.

    Parameters
    ----------
    titles : sequence of str
        Normalised here, see :func:`aares.data.titles.normalise`.

    Returns
    -------
    rows : ndarray of int, shape (m,)
        Which title a piece is of.
    pieces : ndarray of int, shape (m,)
        Its letters, 21 bits each.

    Examples
    --------
    >>> rows, pieces = list_pieces(["so", "So so"])
    >>> np.bincount(rows).tolist(), len(set(pieces.tolist()))  # " s", "so", "o ", " so", "so "
    ([5, 10], 5)
    """
    text = "".join(f" {normalise(title)} \n" for title in titles)
    letters = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.int64)
    rows = np.cumsum(letters == _END)
    ends, spaces = letters == _END, letters == _SPACE
    two = (letters[:-1] << _BITS) | letters[1:]
    is_two = ~(ends[:-1] | ends[1:] | (spaces[:-1] & spaces[1:]))
    three = (letters[:-2] << 2 * _BITS) | two[1:]
    is_three = is_two[:-1] & is_two[1:] & ~spaces[1:-1]
    return (
        np.concatenate([rows[:-1][is_two], rows[:-2][is_three]]),
        np.concatenate([two[is_two], three[is_three]]),
    )


class TitleSpace:
    """Learn which pieces tell titles apart, and the directions in which titles differ most.

    Parameters
    ----------
    n_axes : int
        Coordinates of a title.
    min_titles : int
        A piece of fewer titles is left out.
    max_pieces : int
        Of more, the most frequent count.

    Attributes
    ----------
    pieces_ : ndarray of int
        Known pieces, sorted.
    rarity_ : ndarray of float
        Weight of each: 1 + log of the inverse share of titles.
    axes_ : ndarray of float, shape (n_axes, n_pieces)
    words_ : Counter
        Titles with each word.

    Examples
    --------
    >>> titles = ["Bella", "Bella ciao", "Love", "Love you"]
    >>> space = TitleSpace(n_axes=2, min_titles=2).fit(titles)
    >>> places = space.transform(titles)
    >>> bool(abs(places[0] - places[1]).max() < abs(places[0] - places[2]).max())
    True
    """

    def __init__(self, *, n_axes: int = 24, min_titles: int = 20, max_pieces: int = 20_000) -> None:
        self.n_axes = n_axes
        self.min_titles = min_titles
        self.max_pieces = max_pieces

    def fit(self, titles: Sequence[str]) -> TitleSpace:
        """Learn pieces, their weights, and the axes."""
        self.fit_weigh(titles)
        return self

    def fit_weigh(self, titles: Sequence[str]) -> list[sparse.csr_matrix]:
        """Learn from titles, and return their weights: one reading for both.

        Parameters
        ----------
        titles : sequence of str

        Returns
        -------
        list of csr_matrix of float
            Of pieces, see :meth:`weigh`, and of words, see :meth:`weigh_words`.
        """
        rows, pieces = list_pieces(titles)
        places, known = pd.factorize(pieces, sort=True)
        found = _count_pairs(rows, places, (len(titles), len(known)))
        count = np.bincount(found.indices, minlength=len(known))
        order = np.argsort(-count, kind="stable")[: self.max_pieces]
        kept = np.sort(order[count[order] >= self.min_titles])
        self.pieces_ = known[kept]
        self.rarity_ = 1 + exact.log((1 + len(titles)) / (1 + count[kept]))
        held, names = _find_words(titles)
        self.words_ = Counter(dict(zip(names, np.bincount(held.indices).tolist(), strict=True)))
        self._n_titles = len(titles)
        weights = self._weigh(found[:, kept])
        n_axes = min(self.n_axes, len(self.pieces_))
        self.axes_ = np.zeros((self.n_axes, len(self.pieces_)))
        if n_axes:
            every = -(-len(titles) // _LEARNT_FROM)
            self.axes_[:n_axes] = linear.find_axes(weights[::every], n_axes)
        return [weights, self._weigh_words(held, names)]

    def weigh(self, titles: Sequence[str]) -> sparse.csr_matrix:
        """Return the weight of each known piece in each title, rows of length 1 (or 0).

        Parameters
        ----------
        titles : sequence of str

        Returns
        -------
        csr_matrix of float, shape (n, n_pieces)
            Indices sorted.
        """
        rows, pieces = list_pieces(titles)
        shape = (len(titles), len(self.pieces_))
        if not len(self.pieces_):
            return sparse.csr_matrix(shape)
        places = np.searchsorted(self.pieces_, pieces).clip(max=len(self.pieces_) - 1)
        known = self.pieces_[places] == pieces
        return self._weigh(_count_pairs(rows[known], places[known], shape))

    def _weigh(self, count: sparse.csr_matrix) -> sparse.csr_matrix:
        """Return the weights of counted pieces."""
        count.data = (1 + exact.log(count.data)) * self.rarity_[count.indices]
        return _set_length(count)

    def weigh_words(self, titles: Sequence[str]) -> sparse.csr_matrix:
        """Return the weight of each word in each title, known or not, rows of length 1 (or 0).

        Parameters
        ----------
        titles : sequence of str

        Returns
        -------
        csr_matrix of float, shape (n, n_words)
            Columns are the words of these titles, sorted.
        """
        return self._weigh_words(*_find_words(titles))

    def _weigh_words(self, held: sparse.csr_matrix, names: list[str]) -> sparse.csr_matrix:
        """Return the weights of words that titles hold."""
        count = np.array([self.words_[word] for word in names], dtype=float)
        rarity = 1 + exact.log((1 + self._n_titles) / (1 + count))
        held.data = rarity[held.indices]
        return _set_length(held)

    def transform(self, titles: Sequence[str]) -> FloatArray:
        """Return coordinates of titles, shape (n, n_axes), each -1 to 1."""
        return self.place(self.weigh(titles))

    def place(self, weights: sparse.csr_matrix) -> FloatArray:
        """Return the coordinates of titles that are weighed already.

        Parameters
        ----------
        weights : csr_matrix of float, shape (n, n_pieces)
            Of :meth:`weigh`.

        Returns
        -------
        ndarray of float, shape (n, n_axes)
        """
        return linear.multiply(weights, self.axes_.T)


def _find_words(titles: Sequence[str]) -> tuple[sparse.csr_matrix, list[str]]:
    """Return which words each title holds, and the words, sorted."""
    lists = [normalise(title).split() for title in titles]
    words = np.array([word for of in lists for word in of], dtype=object)
    columns, names = pd.factorize(words, sort=True)
    rows = np.repeat(np.arange(len(lists)), [len(of) for of in lists])
    return _count_pairs(rows, columns, (len(lists), max(len(names), 1))), list(names)


def _count_pairs(
    rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp], shape: tuple[int, int]
) -> sparse.csr_matrix:
    """Return how often each pair stands in the lists; indices sorted."""
    found = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
    found.sum_duplicates()
    return found


def _set_length(rows: sparse.csr_matrix) -> sparse.csr_matrix:
    squares = sparse.csr_matrix((rows.data**2, rows.indices, rows.indptr), shape=rows.shape)
    length = np.sqrt(linear.multiply(squares, np.ones((rows.shape[1], 1))))[:, 0]
    rows.data /= np.repeat(np.where(length > 0, length, 1.0), np.diff(rows.indptr))
    return rows
