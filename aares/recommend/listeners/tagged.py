"""What tags and friends say of artists that a listener does not know yet (exercise 3).

Used by the measure ``hetrec`` of ``benchmarks/recommend.py``. Tags come as a matrix of artists x
tags, how many listeners gave an artist a tag;
:func:`aares.recommend.listeners.artists.hide_taggings` says which of them a method may see.

References
----------
Hung, Huang, Hsu, Wu, "Tag-based user profiling for social media recommendation", AAAI workshop on
intelligent techniques for web personalization, 2008 (profiles of tags).
Jeunen, Van Balen, Goethals, "Closed-form models for collaborative filtering with side-information",
RecSys 2020: section 3 (tags as rows).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from aares import exact
from aares.recommend.listeners.profiles import ListenerScorer
from aares.recommend.listeners.ranking import IntArray
from aares.recommend.listeners.weights import measure_rarity, weigh_log, weigh_rare
from aares.recommend.space.content import FloatArray

FRIEND_BITS = 20


def make_tag_rows(
    tags: sparse.csr_matrix, *, n_rows: int = 1200, weight: float = 6.0
) -> sparse.csr_matrix:
    """Return the artists of each of the commonest tags as rows to learn from, as of listeners.

    Parameters
    ----------
    tags : csr_matrix of float, shape (n, n_tags)
        How many listeners gave an artist a tag.
    n_rows : int
        How many tags; the commoner come first, of equally common ones the first.
    weight : float
        Of a tag that one listener gave; further ones add by their logarithm.

    Returns
    -------
    csr_matrix of float, shape (<= n_rows, n)

    Examples
    --------
    >>> tags = sparse.csr_matrix([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    >>> make_tag_rows(tags, n_rows=1, weight=2.0).toarray().tolist()
    [[2.0, 2.0, 0.0]]
    """
    given = np.asarray(tags.sum(axis=0)).ravel()
    commonest = np.argsort(-given, kind="stable")[:n_rows]
    rows = weigh_log(sparse.csr_matrix(tags[:, commonest].T))
    return sparse.csr_matrix(weight * rows)


class TagScorer(ListenerScorer):
    """Artists with the tags of those whom a listener plays: scalar product of tf-idf profiles.

    Parameters
    ----------
    tags : csr_matrix of float, shape (n, n_tags)
        How many listeners gave an artist a tag.
    fame : float
        Scores are multiplied by log(1 + listeners) to this power.

    Examples
    --------
    >>> tags = sparse.csr_matrix([[2.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> TagScorer(tags).fit([[1, 0, 1]]).score([[1, 0, 0]]).tolist()
    [[1.0, 1.0, 0.0]]
    """

    def __init__(self, tags: sparse.csr_matrix, *, fame: float = 0.0) -> None:
        self.tags = tags
        self.fame = fame

    is_sum = True

    def _learn(self, matrix: sparse.csr_matrix) -> None:
        self.described_ = describe_by_tags(self.tags)
        listened = exact.log(1.0 + self.count_)
        self.boost_ = listened**self.fame if self.fame else np.ones(len(listened))

    def _score(self, profiles: sparse.csr_matrix) -> FloatArray:
        taste = weigh_log(profiles) @ self.described_
        return np.asarray((taste @ self.described_.T).todense()) * self.boost_


def describe_by_tags(tags: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return the tf-idf of each artist's tags, rows of length 1.

    Parameters
    ----------
    tags : csr_matrix of float, shape (n, n_tags)

    Returns
    -------
    csr_matrix of float, shape (n, n_tags)

    Examples
    --------
    >>> describe_by_tags(sparse.csr_matrix([[3.0, 0.0], [0.0, 0.0]])).toarray().tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    return weigh_rare(weigh_log(tags), measure_rarity(tags))


class FriendScorer(ListenerScorer):
    """Artists that friends play: the sum of the logarithms of their plays.

    Parameters
    ----------
    friends : csr_matrix of float, shape (u, u_learnt)
        Who of the listeners learnt from is a friend of each listener that is asked about, in the
        order of the profiles.

    Examples
    --------
    >>> friends = sparse.csr_matrix([[0.0, 1.0], [1.0, 0.0]])
    >>> heard = [[1, 1, 0], [0, 1, 1]]
    >>> FriendScorer(friends).fit(heard).score(heard).tolist()
    [[0.0, 1.0, 1.0], [1.0, 1.0, 0.0]]
    """

    def __init__(self, friends: sparse.csr_matrix) -> None:
        self.friends = friends

    def _learn(self, matrix: sparse.csr_matrix) -> None:
        if self.friends.shape[1] != matrix.shape[0]:
            raise ValueError(
                f"friends: expected {matrix.shape[0]} listeners, one a column, found "
                f"{self.friends.shape[1]}"
            )
        self.played_ = weigh_log(matrix)

    def _score(self, profiles: sparse.csr_matrix) -> FloatArray:
        if self.friends.shape[0] != profiles.shape[0]:
            raise ValueError(
                f"profiles: expected {self.friends.shape[0]} listeners, those whose friends are "
                f"known, found {profiles.shape[0]}"
            )
        return np.asarray((self.friends @ self.played_).todense())


def score_new_artists(
    scores: FloatArray, tags: sparse.csr_matrix, new: IntArray, *, power: int = 4, base: float = 2.0
) -> FloatArray:
    """Score artists without listeners by those with the same tags.

    A new artist gets the mean of a listener's scores of all artists, weighed by the likeness of
    their tags, and plus `base` is multiplied by the logarithm of 1 + its tags: what nobody tagged
    is little known.

    Parameters
    ----------
    scores : ndarray of float, shape (u, n)
        Of a method that learnt from listeners.
    tags : csr_matrix of float, shape (n, n_tags)
        How many listeners gave an artist a tag.
    new : ndarray of int, shape (n_new,)
        Columns of artists without listeners: their scores are not looked at.
    power : int
        Of the likeness (cosine of tf-idf).
    base : float
        In standard deviations of a listener's scores.

    Returns
    -------
    ndarray of float, shape (u, n_new)

    Examples
    --------
    >>> tags = sparse.csr_matrix([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    >>> score_new_artists(np.array([[3.0, 1.0, 0.0]]), tags, np.array([2])).round(2).tolist()
    [[2.08]]
    """
    described = describe_by_tags(tags)
    old = np.setdiff1d(np.arange(tags.shape[0]), new)
    likeness = np.asarray((described[new] @ described[old].T).todense()) ** power
    likeness /= np.maximum(likeness.sum(axis=1, keepdims=True), 1e-9)
    known = scores[:, old]
    spread = known.std(axis=1, keepdims=True)
    known = (known - known.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
    given = np.asarray(tags[new].sum(axis=1)).ravel()
    return (exact.multiply(known, likeness.T) + base) * exact.log(1.0 + given)
