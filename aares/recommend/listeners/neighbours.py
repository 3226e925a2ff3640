"""Listeners like this one, and songs with the same listeners (exercise 3).

Used by the measures ``hetrec`` and ``playlists`` of ``benchmarks/recommend.py``. Matrices may hold
plays or other weights of 1 and more.

References
----------
Herlocker, Konstan, Borchers, Riedl, "An algorithmic framework for performing collaborative
filtering", SIGIR 1999: sections 3 to 5 (neighbourhoods of users).
Robertson and Zaragoza, "The probabilistic relevance framework: BM25 and beyond", Foundations and
Trends in Information Retrieval 3(4), 2009: section 3.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from aares import exact
from aares.recommend.listeners.profiles import ListenerScorer
from aares.recommend.listeners.weights import (
    keep_nearest,
    measure_rarity,
    weigh_binary,
    weigh_bm25,
    weigh_log,
    weigh_rare,
)
from aares.recommend.space.content import FloatArray


class UserNeighbourScorer(ListenerScorer):
    """Songs of the listeners who are most like this one: cosine of tf-idf or BM25 weights.

    Parameters
    ----------
    n_neighbours : int
        Listeners asked; those as like as the last of them are, too.
    weighting : {"tfidf", "bm25"}
        Of a listener's songs, with the logarithm of plays as frequency. ``bm25``: see
        :func:`aares.recommend.listeners.weights.weigh_bm25`.
    power : int
        The voice of a neighbour is the likeness to this power.

    References
    ----------
    Herlocker et al. 1999, sections 3 to 5.

    Examples
    --------
    >>> heard = [[1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 1, 1]]
    >>> UserNeighbourScorer().fit(heard).score([[1, 1, 0, 0]]).round(2).tolist()
    [[1.43, 1.0, 0.43, 0.0]]
    """

    def __init__(
        self, *, n_neighbours: int = 100, weighting: str = "tfidf", power: int = 1
    ) -> None:
        self.n_neighbours = n_neighbours
        self.weighting = weighting
        self.power = power

    def _learn(self, matrix: sparse.csr_matrix) -> None:
        if self.weighting not in ("tfidf", "bm25"):
            raise ValueError(f"weighting: expected 'tfidf' or 'bm25', found {self.weighting!r}")
        frequency = weigh_log(matrix)
        self.rarity_ = measure_rarity(matrix)
        self.mean_length_ = float(frequency.sum()) / max(matrix.shape[0], 1)
        self.heard_ = weigh_binary(matrix)
        self.weighted_ = self._weigh(frequency)

    def _weigh(self, frequency: sparse.csr_matrix) -> sparse.csr_matrix:
        if self.weighting == "bm25":
            bm25 = weigh_bm25(frequency, self.rarity_, mean_length=self.mean_length_)
            return weigh_rare(bm25, np.ones(bm25.shape[1]))
        return weigh_rare(frequency, self.rarity_)

    def _score(self, profiles: sparse.csr_matrix) -> FloatArray:
        likeness = sparse.csr_matrix(self._weigh(weigh_log(profiles)) @ self.weighted_.T)
        near = keep_nearest(likeness, self.n_neighbours)
        near.data = exact.snap(near.data**self.power, 30)
        return np.asarray((near @ self.heard_).todense())


class ItemBm25Scorer(ListenerScorer):
    """Songs with the listeners of the known songs, where BM25 weighs who listens.

    A song is a document, its listeners are the terms: a song that all know is a long one, a
    listener of many songs a frequent term. Likeness is the scalar product of two songs.

    Parameters
    ----------
    n_neighbours : int
        Songs that a known song speaks for; those as like as the last of them are, too.
    saturation : float
        How much many plays count more than one; 0: not at all.
    share : float
        How much songs of many listeners are made light of, 0-1.

    References
    ----------
    Robertson and Zaragoza 2009, section 3.

    Examples
    --------
    >>> heard = [[1, 1, 0], [1, 1, 0], [0, 1, 1]]
    >>> scorer = ItemBm25Scorer().fit(heard)
    >>> scorer.score([[1, 0, 0]]).round(2).tolist()
    [[0.0, 2.75, 0.0]]
    """

    def __init__(
        self, *, n_neighbours: int = 100, saturation: float = 1.2, share: float = 0.75
    ) -> None:
        self.n_neighbours = n_neighbours
        self.saturation = saturation
        self.share = share

    is_sum = True

    def _learn(self, matrix: sparse.csr_matrix) -> None:
        by_song = sparse.csr_matrix(weigh_log(matrix).T)
        weighted = weigh_bm25(
            by_song,
            measure_rarity(by_song),
            saturation=self.saturation,
            share=self.share,
            mean_length=float(by_song.sum()) / max(by_song.shape[0], 1),
        )
        likeness = sparse.csr_matrix(weighted @ weighted.T)
        likeness.setdiag(0.0)
        likeness.eliminate_zeros()
        self.similarity_ = keep_nearest(likeness, self.n_neighbours)

    def _score(self, profiles: sparse.csr_matrix) -> FloatArray:
        return np.asarray((weigh_log(profiles) @ self.similarity_).todense())
