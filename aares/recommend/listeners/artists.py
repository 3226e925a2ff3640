"""Artists for listeners: what may be seen of plays, tags and friends, and what has to be found.

Used by the measure ``hetrec`` of ``benchmarks/recommend.py``. Here all listeners are learnt from,
and a share of each one's artists is hidden ("weak generalisation"), or artists are hidden from all
(cold start).

A tag that a listener gave an artist says that the listener knows the artist. So the taggings of
hidden pairs are hidden, too (:func:`hide_taggings`): else tags tell what is to be found.

References
----------
Liang, Krishnan, Hoffman, Jebara, "Variational autoencoders for collaborative filtering", WWW
2018: section 4.2 (weak and strong generalisation).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from aares import exact
from aares.data.hetrec import ArtistListening
from aares.recommend.listeners.ranking import IntArray
from aares.recommend.listeners.tasks import Task
from aares.recommend.listeners.users import make_matrix, mix_scores
from aares.recommend.space.content import FloatArray


@dataclass(frozen=True)
class ArtistTables:
    """Plays, tags and friends by row of a listener and column of an artist.

    Parameters
    ----------
    plays : csr_matrix of float, shape (u, n)
        Numbers of plays.
    listeners, artists, tags : list of str
        Ids of rows and of columns, and the tags.
    taggings : ndarray of int, shape (n_taggings, 3)
        Listener, artist and tag of each, by number.
    friends : csr_matrix of float, shape (u, u)
        1 for each pair.
    """

    plays: sparse.csr_matrix
    listeners: list[str]
    artists: list[str]
    tags: list[str]
    taggings: IntArray
    friends: sparse.csr_matrix

    def count_tags(self) -> sparse.csr_matrix:
        """Return how many listeners gave each artist each tag.

        Returns
        -------
        csr_matrix of float, shape (n, n_tags)
        """
        shape = (len(self.artists), len(self.tags))
        ones = np.ones(len(self.taggings))
        return sparse.csr_matrix((ones, (self.taggings[:, 1], self.taggings[:, 2])), shape=shape)


def index_artists(listening: ArtistListening) -> ArtistTables:
    """Number listeners, artists and tags.

    Parameters
    ----------
    listening : ArtistListening

    Returns
    -------
    ArtistTables

    Examples
    --------
    >>> plays = pd.DataFrame({"user_id": ["u1", "u2"], "id": ["a2", "a1"], "plays": [7, 1]})
    >>> taggings = pd.DataFrame({"user_id": ["u1"], "id": ["a1"], "tag": ["punk"]})
    >>> friends = pd.DataFrame({"user_id": ["u1", "u2"], "friend_id": ["u2", "u1"]})
    >>> names = pd.DataFrame({"id": ["a1", "a2"], "name": ["Ramones", "ABBA"]})
    >>> tables = index_artists(ArtistListening("two", plays, names, taggings, friends))
    >>> tables.plays.toarray().tolist(), tables.taggings.tolist()
    ([[0.0, 7.0], [1.0, 0.0]], [[0, 0, 0]])
    """
    plays, listeners = make_matrix(listening.plays, listening.artists, values="plays")
    artists = listening.artists["id"].tolist()
    tag_codes, tags = pd.factorize(listening.taggings["tag"], sort=True)
    row = {name: i for i, name in enumerate(listeners)}
    column = {name: i for i, name in enumerate(artists)}
    numbers = [
        listening.taggings["user_id"].map(row).to_numpy(dtype=np.intp),
        listening.taggings["id"].map(column).to_numpy(dtype=np.intp),
        tag_codes.astype(np.intp),
    ]
    one = listening.friends["user_id"].map(row).to_numpy(dtype=np.intp)
    other = listening.friends["friend_id"].map(row).to_numpy(dtype=np.intp)
    friends = sparse.csr_matrix((np.ones(len(one)), (one, other)), shape=(len(row),) * 2)
    taggings = np.column_stack(numbers)
    return ArtistTables(plays, listeners, artists, list(tags), taggings, friends)


def hide_artists(
    tables: ArtistTables, *, share: float = 0.2, random_state: int = 0
) -> tuple[ArtistTables, Task]:
    """Hide a share of each listener's artists, and the tags that would tell which.

    Parameters
    ----------
    tables : ArtistTables
    share : float
        Share of a listener's artists to hide, at least one; of a listener of one artist, none.
    random_state : int
        Seed; the task's number of drawing.

    Returns
    -------
    seen : ArtistTables
        What may be learnt from, all listeners.
    task : Task
        Of the listeners of two artists and more; ``train`` holds all listeners.

    Examples
    --------
    >>> plays = sparse.csr_matrix(np.arange(1.0, 11.0)[None])
    >>> nobody = sparse.csr_matrix((1, 1))
    >>> taggings = np.array([[0, artist, 0] for artist in range(10)])
    >>> names = [str(artist) for artist in range(10)]
    >>> tables = ArtistTables(plays, ["u"], names, ["punk"], taggings, nobody)
    >>> seen, task = hide_artists(tables)
    >>> seen.plays.nnz, len(seen.taggings), task.hidden.nnz
    (8, 8, 2)
    """
    rng = np.random.default_rng(random_state)
    plays = tables.plays
    hide = np.zeros(plays.nnz, dtype=bool)
    for start, stop in zip(plays.indptr[:-1], plays.indptr[1:], strict=True):
        size = max(1, round(share * (stop - start))) if stop - start > 1 else 0
        hide[start + rng.permutation(stop - start)[:size]] = True
    known, hidden = _split(plays, hide)
    seen = hide_taggings(replace(tables, plays=known), hidden)
    judged = np.flatnonzero(np.diff(hidden.indptr))
    return seen, Task(known, known[judged], hidden[judged], judged, random_state)


def hide_taggings(tables: ArtistTables, hidden: sparse.csr_matrix) -> ArtistTables:
    """Leave out the taggings by a listener of an artist that is hidden from that listener.

    Parameters
    ----------
    tables : ArtistTables
    hidden : csr_matrix, shape (u, n)

    Returns
    -------
    ArtistTables
    """
    if not len(tables.taggings):
        return tables
    listener, artist, _ = tables.taggings.T
    tells = np.asarray(hidden.astype(bool)[listener, artist]).ravel()
    return replace(tables, taggings=tables.taggings[~tells])


def hide_new_artists(
    tables: ArtistTables, *, share: float = 0.2, min_listeners: int = 3, random_state: int = 0
) -> tuple[ArtistTables, Task, IntArray]:
    """Hide some artists from all listeners, as if they were new.

    Parameters
    ----------
    tables : ArtistTables
    share : float
        Share of the artists to hide.
    min_listeners : int
        Artists of fewer listeners are not hidden.
    random_state : int
        Seed; the task's number of drawing.

    Returns
    -------
    seen : ArtistTables
        Without listeners of the hidden artists, and without the tags that these gave them: what is
        left are tags by people who do not have the artist on their list.
    task : Task
        The new artists only, among themselves: nothing is known. Of the listeners of one at least.
    new : ndarray of int, shape (n_new,)
        Columns of the new artists.
    """
    rng = np.random.default_rng(random_state)
    plays = tables.plays
    count = np.bincount(plays.indices, minlength=plays.shape[1])
    enough = np.flatnonzero(count >= min_listeners)
    new = np.sort(rng.permutation(enough)[: round(share * len(enough))])
    known, hidden = _split(plays, np.isin(plays.indices, new))
    seen = hide_taggings(replace(tables, plays=known), hidden)
    judged = np.flatnonzero(np.diff(hidden.indptr))
    found = hidden[judged][:, new]
    return seen, Task(known[:, new], found * 0, found, judged, random_state), new


def _split(
    plays: sparse.csr_matrix, hide: npt.NDArray[np.bool_]
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Return the entries that are not hidden, and those that are."""
    parts = []
    for kept in (~hide, hide):
        part = plays.copy()
        part.data = np.where(kept, plays.data, 0.0)
        part.eliminate_zeros()
        parts.append(part)
    return parts[0], parts[1]


def prefer_unknown(
    scores: FloatArray, count: npt.NDArray[np.integer], *, amount: float = 0.5
) -> FloatArray:
    """Take fame off scores, for who wants to discover: lists of less known artists.

    Parameters
    ----------
    scores : ndarray of float, shape (u, n)
        Larger is better.
    count : ndarray of int, shape (n,)
        Listeners of each artist.
    amount : float
        Weight of the logarithm of 1 + listeners; both are standardised, the scores for each
        listener.

    Returns
    -------
    ndarray of float, shape (u, n)

    Examples
    --------
    >>> prefer_unknown(np.array([[3.0, 2.0, 1.0]]), np.array([7, 0, 0]), amount=1.0).round(2)
    array([[-0.19,  0.71, -0.52]])
    """
    fame = np.broadcast_to(exact.log(1.0 + np.asarray(count, dtype=float)), scores.shape)
    return mix_scores({"method": scores, "fame": fame}, {"method": 1.0, "fame": -amount})
