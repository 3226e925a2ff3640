"""Songs that stand near the known ones in other playlists (exercise 3, ordered playlists).

Used by the measure ``playlists`` of ``benchmarks/recommend.py``. An entry of a matrix is here the
place of a song in its playlist. Places are counted anew among the songs that are shown: a song that
is hidden between two others must leave no gap that tells of it.

References
----------
Bonnin and Jannach, "Automated generation of music playlists: survey and experiments", ACM Computing
Surveys 47(2), 2014: section 4 (songs together in playlists, and one after the other).
Ding and Li, "Time weight collaborative filtering", CIKM 2005: section 4 (what is older says less).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from aares import exact
from aares.recommend.listeners.profiles import ListenerScorer
from aares.recommend.space.content import FloatArray

Entries = npt.NDArray[np.integer]
PLACE_BITS = 20  # of a weight: sums of thousands of them are exact


class PlaceScorer(ListenerScorer):
    """Songs near the known ones in other playlists: cosine, where nearness weighs being together.

    Two songs d places apart in a playlist count exp(-(d - 1) / reach) instead of 1. The sum over
    playlists is divided by sqrt(c_i c_j) + shrinkage, with c the numbers of playlists.

    Parameters
    ----------
    reach : float
        Places; infinite: being in one playlist is all that counts.
    before : float
        How much a song counts that stands before the known one, 0-1; one behind it counts 1.
    fade : float
        Places from the end after which a known song says 1 / e of what the last says; infinite: all
        say the same.
    shrinkage : float
        Distrust of songs in few playlists.

    References
    ----------
    Bonnin and Jannach 2014, section 4; Ding and Li 2005, section 4.

    Examples
    --------
    >>> places = [[1, 2, 3, 0], [1, 2, 0, 3]]
    >>> scorer = PlaceScorer(reach=1.0, before=0.0, shrinkage=0.0).fit(places)
    >>> scorer.score([[0, 1, 0, 0]]).round(2).tolist()  # both stand right behind the second song
    [[0.0, 0.0, 0.71, 0.71]]
    """

    def __init__(
        self,
        *,
        reach: float = 10.0,
        before: float = 1.0,
        fade: float = np.inf,
        shrinkage: float = 5.0,
    ) -> None:
        self.reach = reach
        self.before = before
        self.fade = fade
        self.shrinkage = shrinkage

    def _learn(self, matrix: sparse.csr_matrix) -> None:
        for name in ("reach", "fade"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: expected places above 0, found {getattr(self, name)!r}")
        n_songs = matrix.shape[1]
        together = sparse.csr_matrix((n_songs, n_songs))
        for start in range(0, matrix.shape[0], 1000):  # pairs of a thousand playlists at a time
            pairs = [self._pair(row) for row in number_places(matrix[start : start + 1000])]
            one, other, weight = (np.concatenate(part) for part in zip(*pairs, strict=True))
            together = together + sparse.csr_matrix((weight, (one, other)), shape=(n_songs,) * 2)
        near = sparse.coo_matrix(together)
        norm = np.sqrt(self.count_[near.row] * self.count_[near.col]) + self.shrinkage
        entries = (near.data / norm, (near.row, near.col))
        self.similarity_ = sparse.csr_matrix(entries, shape=together.shape)

    def _pair(self, row: sparse.csr_matrix) -> tuple[Entries, Entries, FloatArray]:
        """Return the songs of each pair of a playlist, and what the second is to the first."""
        behind = row.data[None] - row.data[:, None]
        weight = exact.exp(-np.maximum(np.abs(behind) - 1.0, 0.0) / self.reach)
        weight = exact.snap(np.where(behind < 0, self.before * weight, weight), PLACE_BITS)
        one, other = np.nonzero(~np.eye(row.nnz, dtype=bool))
        return row.indices[one], row.indices[other], weight[one, other]

    def _score(self, profiles: sparse.csr_matrix) -> FloatArray:
        return np.asarray((fade_places(profiles, self.fade) @ self.similarity_).todense())


def number_places(places: sparse.csr_matrix) -> list[sparse.csr_matrix]:
    """Return each row with its places counted anew from 1, without gaps.

    Parameters
    ----------
    places : csr_matrix of float, shape (u, n)
        Larger is later; equal places stay equal.

    Returns
    -------
    list of csr_matrix of float, shape (1, n)

    Examples
    --------
    >>> number_places(sparse.csr_matrix([[9, 0, 4]]))[0].toarray().tolist()
    [[2.0, 0.0, 1.0]]
    """
    rows = [sparse.csr_matrix(places[[row]], dtype=float) for row in range(places.shape[0])]
    for row in rows:
        row.data = np.unique(row.data, return_inverse=True)[1] + 1.0
    return rows


def fade_places(places: sparse.csr_matrix, fade: float) -> sparse.csr_matrix:
    """Return how much each song says of what comes next: the last 1, earlier ones less.

    Parameters
    ----------
    places : csr_matrix of float, shape (u, n)
        Larger is later.
    fade : float
        Places from the end after which a song says 1 / e.

    Returns
    -------
    csr_matrix of float, shape (u, n)

    Examples
    --------
    >>> fade_places(sparse.csr_matrix([[9, 0, 4]]), 1.0).toarray().round(2).tolist()
    [[1.0, 0.0, 0.37]]
    """
    rows = number_places(places)
    for row in rows:
        row.data = exact.snap(exact.exp((row.data - row.data.max(initial=0)) / fade), PLACE_BITS)
    return sparse.csr_matrix(sparse.vstack(rows)) if rows else sparse.csr_matrix(places, copy=True)
