"""Micro-genres by the company they keep: embeddings and communities (exercise 2, question 2).

Used by notebook ``02_popularity``. Two micro-genres are close if songs carry both more often than
chance has it; popularity is not looked at.

References
----------
Church and Hanks, "Word association norms, mutual information, and lexicography", Computational
Linguistics 16(1), 1990: section 3 (pointwise mutual information).
Levy and Goldberg, "Neural word embedding as implicit matrix factorization", NeurIPS 2014: section
4 (SVD of the positive mutual information).
Ng, Jordan, Weiss, "On spectral clustering", NeurIPS 2001: section 2.
Lee and Seung, "Learning the parts of objects by non-negative matrix factorization", Nature 1999.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans, SpectralClustering
from sklearn.decomposition import NMF
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.manifold import TSNE
from sklearn.utils.validation import check_is_fitted

from aares import exact, linear
from aares.data.door import read_column
from aares.popularity.encoders import TokenCounter
from aares.popularity.rows import FloatArray, count_values, get_tokens


class GenreNMF(TransformerMixin, BaseEstimator):
    """Weights of non-negative parts of the genre lists; zeros for an empty list.

    Parameters
    ----------
    n_components : int
    random_state : int

    Examples
    --------
    Two parts: the songs of the one have nothing of the other.

    >>> songs = pd.DataFrame({"genres": [("jazz", "bebop"), ("bebop",), ("punk", "ska")] * 2})
    >>> (GenreNMF(n_components=2).fit_transform(songs) > 0.1).astype(int)
    array([[1, 0],
           [1, 0],
           [0, 1],
           [1, 0],
           [1, 0],
           [0, 1]])
    """

    def __init__(self, *, n_components: int = 24, random_state: int = 0) -> None:
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any = None) -> GenreNMF:
        """Learn the parts."""
        self.counter_ = TokenCounter(column="genres", min_count=2).fit(X)
        self.nmf_ = None
        if not self.counter_.vocabulary_:  # no genre occurs twice
            return self
        size = max(1, min(self.n_components, len(self.counter_.vocabulary_) - 1, len(X)))
        self.weights_ = TfidfTransformer(sublinear_tf=True)
        hot = self.weights_.fit_transform(self.counter_.transform(X))
        self.nmf_ = NMF(size, init="nndsvd", max_iter=500, tol=1e-2, random_state=self.random_state)
        self.nmf_.fit(hot)
        return self

    def transform(self, X: pd.DataFrame) -> FloatArray:
        """Return the weights, shape (n, n_components), or fewer where there are few genres."""
        check_is_fitted(self)
        if self.nmf_ is None or X.empty:
            return np.zeros((len(X), 1 if self.nmf_ is None else self.nmf_.n_components_))
        parts = self.nmf_.transform(self.weights_.transform(self.counter_.transform(X)))
        return exact.snap(parts, 16)  # without the last digits, which are the machine's


class GenreEmbedding(TransformerMixin, BaseEstimator):
    """Mean place of a song's micro-genres, from an SVD of their mutual information.

    Parameters
    ----------
    n_components : int
        Coordinates.
    min_count : int
        Rarer genres have no place.
    random_state : int

    Examples
    --------
    >>> songs = pd.DataFrame({"genres": [("jazz", "bop"), ("bop", "jazz"), ("punk", "ska")] * 2})
    >>> places = GenreEmbedding(n_components=2, min_count=2).fit(songs).transform(songs)
    >>> np.allclose(places[0], places[1]), np.allclose(places[0] @ places[2], 0)
    (True, True)
    """

    def __init__(
        self, *, n_components: int = 24, min_count: int = 3, random_state: int = 0
    ) -> None:
        self.n_components = n_components
        self.min_count = min_count
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any = None) -> GenreEmbedding:
        """Place every micro-genre."""
        self.counter_, ppmi = relate_genres(X, min_count=self.min_count)
        size = min(self.n_components, len(ppmi) - 1)
        if size < 1 or not ppmi.any():  # no micro-genre keeps company
            self.places_ = np.zeros((len(ppmi), 1))
            return self
        axes = linear.find_axes(sparse.csr_matrix(ppmi), size, random_state=self.random_state)
        scale = linear.multiply(ppmi, axes.T)
        lengths = np.sqrt((scale**2).sum(axis=0))
        self.places_ = scale / np.sqrt(np.maximum(lengths, 1e-12))
        return self

    def transform(self, X: pd.DataFrame) -> FloatArray:
        """Return the mean places, shape (n, n_components); the origin for an empty list."""
        check_is_fitted(self)
        hot = self.counter_.transform(X)
        lengths = np.maximum(np.diff(hot.indptr), 1)
        return linear.multiply(hot, self.places_) / lengths[:, None]


class GenreCommunities(TransformerMixin, BaseEstimator):
    """Share of a song's micro-genres in each community of the genre graph.

    Edges of the graph are mutual information; spectral clustering cuts it where few songs cross.

    Parameters
    ----------
    n_communities : int
    min_count : int
        Rarer genres are in no community.
    random_state : int

    Attributes
    ----------
    members_ : dict of str to list of str
        Name of a community (its two most frequent micro-genres) -> members, most frequent first.

    Examples
    --------
    >>> genres = [("jazz", "bebop"), ("punk", "ska"), ("punk", "ska", "jazz")]
    >>> songs = pd.DataFrame({"genres": genres * 5})
    >>> communities = GenreCommunities(n_communities=2).fit(songs)
    >>> communities.members_
    {'jazz / bebop': ['jazz', 'bebop'], 'punk / ska': ['punk', 'ska']}
    >>> communities.transform(songs.iloc[:3]).round(2)
    array([[1.  , 0.  ],
           [0.  , 1.  ],
           [0.33, 0.67]])
    >>> communities.name_songs(songs.iloc[:3]).tolist()
    ['jazz / bebop', 'punk / ska', 'punk / ska']
    """

    def __init__(
        self, *, n_communities: int = 16, min_count: int = 5, random_state: int = 0
    ) -> None:
        self.n_communities = n_communities
        self.min_count = min_count
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any = None) -> GenreCommunities:
        """Cut the graph."""
        self.counter_, ppmi = relate_genres(X, min_count=self.min_count)
        labels = self._cut(ppmi)
        names = np.array(list(self.counter_.vocabulary_), dtype=object)
        groups = [list(names[labels == label]) for label in pd.unique(labels)]
        self.members_ = {" / ".join(members[:2]): members for members in groups}
        self.belongs_ = np.array([[n in group for group in groups] for n in names], dtype=float)
        return self

    def transform(self, X: pd.DataFrame) -> FloatArray:
        """Return the shares, shape (n, communities); zeros for an empty list."""
        check_is_fitted(self)
        hot = self.counter_.transform(X)
        lengths = np.maximum(np.diff(hot.indptr), 1)
        return (hot @ self.belongs_) / lengths[:, None]

    def name_songs(self, X: pd.DataFrame) -> pd.Series:
        """Return the community that most of a song's micro-genres belong to.

        Parameters
        ----------
        X : DataFrame, shape (n, columns)
            Raw table.

        Returns
        -------
        Series of str, shape (n,)
            Missing where no micro-genre is in a community.

        Examples
        --------
        >>> songs = pd.DataFrame({"genres": [("jazz", "bop"), ("punk", "ska"), ("unheard of",)]})
        >>> communities = GenreCommunities(n_communities=2, min_count=1).fit(songs[:2])
        >>> communities.name_songs(songs).isna().tolist()
        [False, False, True]
        """
        shares = self.transform(X)
        names = np.array(list(self.members_), dtype=object)[shares.argmax(axis=1)]
        return pd.Series(np.where(shares.max(axis=1) > 0, names, None), index=X.index)

    def _cut(self, ppmi: FloatArray) -> np.ndarray:
        n = min(self.n_communities, len(ppmi) // 2)
        if n < 2:
            return np.zeros(len(ppmi), dtype=int)
        # A trace of weight everywhere keeps the graph in one piece.
        affinity = ppmi + 1e-3 + np.eye(len(ppmi))
        if len(ppmi) < 20:
            return KMeans(n, n_init=10, random_state=self.random_state).fit_predict(affinity)
        cluster = SpectralClustering(
            n, affinity="precomputed", assign_labels="cluster_qr", random_state=self.random_state
        )
        return cluster.fit_predict(affinity)


def relate_genres(X: pd.DataFrame, *, min_count: int) -> tuple[TokenCounter, FloatArray]:
    """Return the counter of the frequent micro-genres and their positive mutual information.

    Parameters
    ----------
    X : DataFrame, shape (n, columns)
        Table with ``genres``.
    min_count : int
        Songs of a frequent micro-genre.

    Returns
    -------
    counter : TokenCounter
    ppmi : ndarray of float, shape (g, g)
        Bits; 0 on the diagonal.

    Examples
    --------
    >>> songs = pd.DataFrame({"genres": [("jazz", "bop"), ("jazz", "bop"), ("punk",), ("punk",)]})
    >>> counter, ppmi = relate_genres(songs, min_count=2)
    >>> list(counter.vocabulary_), ppmi.tolist()
    (['bop', 'jazz', 'punk'], [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    """
    counter = TokenCounter(column="genres", min_count=min_count).fit(X)
    hot = counter.transform(X)
    if not counter.vocabulary_:
        counter.vocabulary_ = {"": 0}
        return counter, np.zeros((1, 1))
    return counter, compute_ppmi(np.asarray((hot.T @ hot).todense(), dtype=float), len(X))


def summarise_communities(communities: GenreCommunities, df: pd.DataFrame) -> pd.DataFrame:
    """Return size, popularity and members of each community, most popular first.

    Parameters
    ----------
    communities : GenreCommunities
        Fitted.
    df : DataFrame, shape (n, columns)
        Table with ``genres`` and ``popularity``.

    Returns
    -------
    DataFrame, shape (communities, 4)
        Index community; ``songs``, ``popularity`` (mean), ``micro-genres`` (how many),
        ``examples``.

    Examples
    --------
    >>> songs = pd.DataFrame({"genres": [("jazz", "bebop"), ("punk", "ska")] * 5})
    >>> songs["popularity"] = [20, 60] * 5
    >>> communities = GenreCommunities(n_communities=2).fit(songs)
    >>> summarise_communities(communities, songs).drop(columns="examples")
                  songs  popularity  micro-genres
    punk / ska        5        60.0             2
    bebop / jazz      5        20.0             2
    """
    groups = read_column(df, "popularity").groupby(communities.name_songs(df).to_numpy())
    table = pd.DataFrame({"songs": groups.size(), "popularity": groups.mean()})
    members = communities.members_
    table["micro-genres"] = [len(members[name]) for name in table.index]
    table["examples"] = [", ".join(members[name][2:5]) for name in table.index]
    return table.sort_values("popularity", ascending=False)


def map_genres(df: pd.DataFrame, *, n_genres: int = 45, random_state: int = 0) -> pd.DataFrame:
    """Place the frequent micro-genres on a plane: those that share artists and songs are close.

    Parameters
    ----------
    df : DataFrame, shape (n, columns)
        Table with ``genres`` and ``popularity``.
    n_genres : int
        How many, by frequency.
    random_state : int
        Seed of the layout.

    Returns
    -------
    DataFrame, shape (n_genres, 5)
        Index genre; ``x``, ``y`` (no unit), ``songs``, ``popularity`` (mean), ``nearest`` (the
        genre with the highest pointwise mutual information).

    References
    ----------
    Church and Hanks 1990, section 3; van der Maaten and Hinton, "Visualizing data using t-SNE",
    JMLR 9, 2008.

    Examples
    --------
    >>> songs = pd.DataFrame({"genres": [("jazz", "bebop"), ("jazz", "bebop"), ("punk",)]})
    >>> songs["popularity"] = [20, 40, 60]
    >>> map_genres(songs)[["songs", "popularity", "nearest"]].round(1)
           songs  popularity nearest
    bebop    2.0        30.0    jazz
    jazz     2.0        30.0   bebop
    punk     1.0        60.0   bebop
    """
    counter = TokenCounter(column="genres", max_tokens=n_genres).fit(df)
    hot = counter.transform(df)
    names = list(counter.vocabulary_)
    ppmi = compute_ppmi(np.asarray((hot.T @ hot).todense(), dtype=float), len(df))
    songs = np.asarray(hot.sum(axis=0)).ravel()
    popularity = (hot.T @ read_column(df, "popularity").to_numpy(float)) / songs
    nearest = [names[i] for i in ppmi.argmax(axis=1)]
    place = _lay_out(ppmi, random_state)
    table = {"x": place[:, 0], "y": place[:, 1], "songs": songs, "popularity": popularity}
    return pd.DataFrame({**table, "nearest": nearest}, index=names)


def compute_ppmi(together: FloatArray, n_songs: int) -> FloatArray:
    """Return positive pointwise mutual information of co-occurrence counts, in bits.

    The diagonal is 0.

    Parameters
    ----------
    together : ndarray of float, shape (g, g)
        Songs with both genres; on the diagonal, songs with the genre.
    n_songs : int
        All songs.

    Returns
    -------
    ndarray of float, shape (g, g)

    Examples
    --------
    Of eight songs two carry both genres, which two and four songs have: chance would give one.

    >>> compute_ppmi(np.array([[2.0, 2.0], [2.0, 4.0]]), 8).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    count = np.diag(together)
    with np.errstate(divide="ignore"):
        pmi = exact.snap(np.log2(together * n_songs / np.outer(count, count)))
    np.fill_diagonal(pmi, 0.0)
    return np.maximum(pmi, 0.0)


def _lay_out(ppmi: FloatArray, random_state: int) -> FloatArray:
    distance = ppmi.max() - ppmi
    np.fill_diagonal(distance, 0.0)
    if len(ppmi) < 4 or distance.max() == 0:
        return np.column_stack([np.arange(len(ppmi)), np.zeros(len(ppmi))]).astype(float)
    perplexity = min(8.0, (len(ppmi) - 1) / 3)
    layout = TSNE(
        metric="precomputed", init="random", perplexity=perplexity, random_state=random_state
    )
    return layout.fit_transform(distance / distance.max()).astype(float)


def summarise_genres(df: pd.DataFrame) -> dict[str, float]:
    """Count what is in the ``genres`` lists: micro-genres, empty lists, rare ones, list length.

    Parameters
    ----------
    df : DataFrame, shape (n, columns)
        Raw table.

    Returns
    -------
    dict of str to float

    Examples
    --------
    >>> songs = pd.DataFrame({"genres": [("jazz", "bebop"), ("jazz",), (), ("jazz",)]})
    >>> for name, value in summarise_genres(songs).items():
    ...     print(value, name)
    2.0 micro-genres
    0.25 empty lists (share)
    0.5 micro-genres in one song only (share)
    1.0 mean length of a list
    """
    lists = get_tokens(df, "genres")
    counts = count_values(lists)
    lengths = pd.Series([len(names) for names in lists])
    return {
        "micro-genres": float(len(counts)),
        "empty lists (share)": float((lengths == 0).mean()),
        "micro-genres in one song only (share)": float((counts == 1).mean()),
        "mean length of a list": float(lengths.mean()),
    }
