"""Encoders of the popularity model: a raw table of songs becomes numbers (exercise 2).

Used by notebook ``02_popularity``, through :func:`aares.popularity.make_model`.

Conventions: every encoder is a scikit-learn transformer on the raw table; one that looks at the
target returns out-of-fold values from ``fit_transform`` and values of the whole training set
from ``transform``, as scikit-learn's ``TargetEncoder`` does, so that a booster trained on its
output never sees a row's own popularity.

References
----------
Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes in
classification and prediction problems", SIGKDD Explorations 3(1), 2001: section 3 (shrinkage).
Halko, Martinsson, Tropp, "Finding structure with randomness", SIAM Review 53(2), 2011:
section 4.5 (the SVD of the genre lists).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.model_selection import KFold
from sklearn.utils.validation import check_is_fitted

from aares import exact, linear
from aares.data.door import read_popularity, read_table
from aares.errors import require_songs
from aares.popularity.rows import FloatArray, get_tokens


class TokenCounter(TransformerMixin, BaseEstimator):
    """Multi-hot matrix of the tokens of a column, for those seen at least ``min_count`` times.

    Parameters
    ----------
    column : str
        Column to read, see :func:`get_tokens`.
    min_count : int
        A rarer token has no column of its own.
    max_tokens : int or None
        Keep the most frequent ones only.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        Column of each token.

    Examples
    --------
    >>> songs = pd.DataFrame({"genres": [("jazz", "bebop"), ("punk", "jazz"), ("punk",)]})
    >>> counter = TokenCounter(min_count=2).fit(songs)
    >>> counter.get_feature_names_out().tolist()
    ['genres=jazz', 'genres=punk']
    >>> counter.transform(songs).toarray()
    array([[1., 0.],
           [1., 1.],
           [0., 1.]])
    """

    def __init__(
        self, *, column: str = "genres", min_count: int = 1, max_tokens: int | None = None
    ) -> None:
        self.column = column
        self.min_count = min_count
        self.max_tokens = max_tokens

    def fit(self, X: pd.DataFrame, y: Any = None) -> TokenCounter:
        """Choose the tokens that get a column."""
        rows = get_tokens(X, self.column)
        counts = pd.Series([token for row in rows for token in row], dtype=object).value_counts()
        counts = (
            counts[counts >= self.min_count]
            .sort_index()
            .sort_values(ascending=False, kind="stable")
        )
        self.vocabulary_ = {
            str(token): i for i, token in enumerate(counts.index[: self.max_tokens])
        }
        return self

    def transform(self, X: pd.DataFrame) -> sparse.csr_matrix:
        """Return the multi-hot matrix, shape (n, tokens); unknown tokens are left out."""
        check_is_fitted(self)
        known = self.vocabulary_
        rows = [
            [known[token] for token in dict.fromkeys(row) if token in known]
            for row in get_tokens(X, self.column)
        ]
        indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
        indices = np.array([i for row in rows for i in row], dtype=np.int64)
        return sparse.csr_matrix(
            (np.ones(len(indices)), indices, indptr), shape=(len(rows), len(known))
        )

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return one name for each token."""
        check_is_fitted(self)
        return np.array([f"{self.column}={token}" for token in self.vocabulary_], dtype=object)


class _TokenValues(NamedTuple):
    """Mean popularity and share of zeros of each token and of all songs, songs of each token."""

    values: FloatArray
    prior: FloatArray
    songs: FloatArray


class TokenTargetEncoder(TransformerMixin, BaseEstimator):
    """Mean popularity of the songs that share a token, shrunk to the overall mean.

    A token seen n times with mean m is worth (n m + smoothing * prior) / (n + smoothing). A row
    gets the mean, the smallest and the largest of its tokens, the mean share of popularity 0, and
    the logarithm of the largest count. A row without a known token gets the prior.

    Parameters
    ----------
    column : str
        Column to read, see :func:`get_tokens`.
    smoothing : float
        Strength of the shrinkage, in songs.
    n_folds : int
        Inner folds of ``fit_transform``.
    reference : DataFrame or None
        Songs that are not in the table, with the column and ``popularity``; they always count.
    random_state : int
        Seed of the inner folds.

    References
    ----------
    Micci-Barreca 2001, section 3.

    Examples
    --------
    Three songs have the mean 30, the prior. Jazz is worth (60 + 30 + 30) / 3 = 40, punk 15:

    >>> songs = pd.DataFrame({"genres": [("jazz",), ("jazz",), ("punk",)]})
    >>> encoder = TokenTargetEncoder(smoothing=1.0).fit(songs, [60, 30, 0])
    >>> new = pd.DataFrame({"genres": [("jazz", "punk"), ("unheard of",)]})
    >>> pd.DataFrame(encoder.transform(new), columns=encoder.STATISTICS).round(2)
       mean   min   max  zeros  count
    0  27.5  15.0  40.0   0.39    1.1
    1  30.0  30.0  30.0   0.33    0.0
    """

    STATISTICS = ("mean", "min", "max", "zeros", "count")

    def __init__(
        self,
        *,
        column: str = "genres",
        smoothing: float = 10.0,
        n_folds: int = 5,
        reference: pd.DataFrame | None = None,
        random_state: int = 0,
    ) -> None:
        self.column = column
        self.smoothing = smoothing
        self.n_folds = n_folds
        self.reference = reference
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any) -> TokenTargetEncoder:
        """Learn the value of every token."""
        require_songs(len(X))
        self.counter_ = TokenCounter(column=self.column).fit(self._join(X))
        self.table_ = self._learn(self.counter_.transform(self._join(X)), self._join_target(y))
        return self

    def transform(self, X: pd.DataFrame) -> FloatArray:
        """Return the five statistics of each row, shape (n, 5)."""
        check_is_fitted(self)
        return _aggregate(self.counter_.transform(X), self.table_)

    def fit_transform(self, X: pd.DataFrame, y: Any = None, **fit_params: Any) -> FloatArray:
        """Fit, and return statistics that leave out each row's own inner fold, shape (n, 5).

        Examples
        --------
        Two genres of two songs each, one song a fold: each is told the other one's popularity.

        >>> songs = pd.DataFrame({"genres": [("jazz",), ("jazz",), ("ska",), ("ska",)]})
        >>> encoder, y = TokenTargetEncoder(smoothing=0.0, n_folds=4), [10, 30, 50, 70]
        >>> encoder.fit_transform(songs, y)[:, 0].tolist(), encoder.transform(songs)[:, 0].tolist()
        ([30.0, 10.0, 70.0, 50.0], [20.0, 20.0, 60.0, 60.0])
        """
        self.fit(X, y)
        folds = KFold(min(self.n_folds, len(X)), shuffle=True, random_state=self.random_state)
        return self.encode_folds(X, y, list(folds.split(np.zeros(len(X)))))

    def encode_folds(
        self, X: pd.DataFrame, y: Any, folds: list[tuple[np.ndarray, np.ndarray]]
    ) -> FloatArray:
        """Return statistics of the rows that the encoder was fitted on, each without its fold.

        Parameters
        ----------
        X : DataFrame, shape (n, columns)
            As for ``fit``.
        y : array-like, shape (n,)
        folds : list of (train, test) row numbers
            Their tests cover all rows.

        Returns
        -------
        ndarray of float, shape (n, 5)

        Examples
        --------
        Without its own popularity, the first song gets the mean of the other two: (30 + 15) / 2.

        >>> songs, y = pd.DataFrame({"genres": [("jazz",), ("jazz",), ("punk",)]}), [60, 30, 0]
        >>> encoder = TokenTargetEncoder(smoothing=1.0).fit(songs, y)
        >>> folds = [(np.array([1, 2]), np.array([0])), (np.array([0]), np.array([1, 2]))]
        >>> encoder.encode_folds(songs, y, folds)[:, 0].tolist()
        [22.5, 60.0, 60.0]
        """
        check_is_fitted(self)
        tokens = self.counter_.transform(self._join(X))
        target = self._join_target(y)
        encoded = np.empty((len(X), len(self.STATISTICS)))
        for train, test in folds:
            rows = np.concatenate([train, np.arange(len(X), tokens.shape[0])])
            encoded[test] = _aggregate(tokens[test], self._learn(tokens[rows], target[rows]))
        return encoded

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the names of the five statistics."""
        check_is_fitted(self)
        return np.array([f"{self.column}_{name}" for name in self.STATISTICS], dtype=object)

    def _join(self, X: pd.DataFrame) -> pd.DataFrame:
        tables = [read_table(X, [self.column])]
        if self.reference is not None:
            tables.append(read_table(self.reference, [self.column], what="reference"))
        return pd.concat(tables)

    def _join_target(self, y: Any) -> FloatArray:
        if self.reference is None:
            return read_popularity(y)
        return np.concatenate(
            [read_popularity(y), read_popularity(self.reference["popularity"], what="reference")]
        )

    def _learn(self, tokens: sparse.csr_matrix, target: FloatArray) -> _TokenValues:
        count = np.asarray(tokens.sum(axis=0), dtype=float).ravel()
        both = np.column_stack([target, target == 0])
        prior = both.mean(axis=0)
        values = (tokens.T @ both + self.smoothing * prior) / (count + self.smoothing)[:, None]
        # On a grid: sums over the tokens of a row are exact.
        return _TokenValues(exact.snap(values, 30), exact.snap(prior, 30), count)


def _aggregate(tokens: sparse.csr_matrix, known: _TokenValues) -> FloatArray:
    """Statistics of each row's tokens, see :class:`TokenTargetEncoder`; shape (n, 5)."""
    values, prior, count = known
    lengths = np.diff(tokens.indptr)
    some = lengths > 0
    out = np.tile([prior[0], prior[0], prior[0], prior[1], 0.0], (tokens.shape[0], 1))
    if not some.any():
        return out
    starts = tokens.indptr[:-1][some]
    mean, zeros = values[tokens.indices].T
    out[some, 0] = np.add.reduceat(mean, starts) / lengths[some]
    out[some, 1] = np.minimum.reduceat(mean, starts)
    out[some, 2] = np.maximum.reduceat(mean, starts)
    out[some, 3] = np.add.reduceat(zeros, starts) / lengths[some]
    out[some, 4] = exact.log(1.0 + np.maximum.reduceat(count[tokens.indices], starts))
    return out


class GenreSVD(TransformerMixin, BaseEstimator):
    """Coordinates of the genre lists: truncated SVD of their tf-idf matrix.

    Parameters
    ----------
    n_components : int
        Number of coordinates (fewer if there are fewer genres).
    min_count : int
        Rarer genres are left out.
    random_state : int
        Seed of the vectors that the search for the directions starts from.

    References
    ----------
    Halko, Martinsson, Tropp 2011, section 4.5; see :func:`aares.linear.find_axes`.

    Examples
    --------
    Lists that share their genres lie in one place, lists that share none at right angles.

    >>> songs = pd.DataFrame({"genres": [("jazz", "bebop"), ("bebop", "jazz"), ("ska",), ("ska",)]})
    >>> places = GenreSVD(n_components=2).fit_transform(songs)
    >>> np.abs((places @ places.T).round(5))
    array([[1., 1., 0., 0.],
           [1., 1., 0., 0.],
           [0., 0., 1., 1.],
           [0., 0., 1., 1.]])
    """

    def __init__(
        self, *, n_components: int = 24, min_count: int = 2, random_state: int = 0
    ) -> None:
        self.n_components = n_components
        self.min_count = min_count
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any = None) -> GenreSVD:
        """Learn the directions."""
        self.counter_ = TokenCounter(column="genres", min_count=self.min_count).fit(X)
        size = min(self.n_components, len(self.counter_.vocabulary_) - 1, len(X) - 1)
        self.axes_: FloatArray | None = None
        if size >= 1:
            self.tfidf_ = TfidfTransformer(sublinear_tf=True).fit(self.counter_.transform(X))
            self.axes_ = linear.find_axes(self._weigh(X), size, random_state=self.random_state)
        return self

    def transform(self, X: pd.DataFrame) -> FloatArray:
        """Return the coordinates, shape (n, n_components); zeros for an empty list."""
        check_is_fitted(self)
        if self.axes_ is None or X.empty:
            return np.zeros((len(X), len(self.get_feature_names_out())))
        return linear.multiply(self._weigh(X), self.axes_.T)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return one name for each coordinate."""
        check_is_fitted(self)
        size = 1 if self.axes_ is None else len(self.axes_)
        return np.array([f"genre_svd_{i + 1}" for i in range(size)], dtype=object)

    def _weigh(self, X: pd.DataFrame) -> sparse.csr_matrix:
        weights = self.tfidf_.transform(self.counter_.transform(X))
        weights.data = exact.snap(weights.data)
        return weights
