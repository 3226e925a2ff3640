"""Neighbours of one release date, and how far each of them is to be believed.

Used by notebook 01. Songs of one album share their date and, as the label belongs to the artist,
their label; songs of other artists of that day do not. A boosted model learns for pairs of songs of
one date whether they share their label; its probabilities weigh the neighbours' votes. A song never
votes for itself, and the weights of a date come from models fitted on other dates.

Conventions
-----------
In a pair, `left` is the song asked about (its label is unknown) and `right` the neighbour whose
label is known; both are row numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm
import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator

from aares.genre.songs import SOUND

# What a pair's songs have in common, and what kind of songs they are.
CONTEXT = ("year", "precision", "month", "day", "weekday")
LEVELS = ("energy", "loudness", "speechiness", "acousticness", "instrumentalness", "danceability")
EQUAL = ("key", "mode", "time_signature", "explicit")


@dataclass(frozen=True)
class Songs:
    """What is known of songs before their neighbours are asked.

    Parameters
    ----------
    numbers : DataFrame of float, shape (n_songs, n_columns)
        From `songs.describe_songs`.
    space : ndarray of float, shape (n_songs, 11)
        From `songs.SoundSpace`.
    albums : ndarray of str, shape (n_songs,)
        From `songs.name_albums`.
    guesses : ndarray of float, shape (n_songs, n_classes)
        Probabilities of a model that saw neither these songs' labels nor their neighbours.
    """

    numbers: pd.DataFrame
    space: np.ndarray
    albums: np.ndarray
    guesses: np.ndarray


@dataclass(frozen=True)
class Pairs:
    """Songs and their neighbours of the same date, one row for each pair.

    Parameters
    ----------
    left, right : ndarray of int, shape (n_pairs,)
    rank : ndarray of int, shape (n_pairs,)
        0 for the closest neighbour.
    count : ndarray of int, shape (n_pairs,)
        How many neighbours the left song has, further ones included.
    distance : ndarray of float, shape (n_pairs,)
    """

    left: np.ndarray
    right: np.ndarray
    rank: np.ndarray
    count: np.ndarray
    distance: np.ndarray


def find_neighbors(left: Songs, right: Songs | None = None, *, limit: int = 40) -> Pairs:
    """Pair each song with the closest songs of its date.

    Parameters
    ----------
    left : Songs
    right : Songs, optional
        Where neighbours come from; without it, from the other songs of `left`.
    limit : int
        At most so many neighbours for each song, >= 1.

    Returns
    -------
    Pairs
        Ordered by `left`, then by `rank`.
    """
    others = left if right is None else right
    rows = _group_rows(others.albums)
    parts = [np.empty((5, 0))]
    for album, asked in _group_rows(left.albums).items():
        if album in rows:
            near = rows[album]
            apart = np.linalg.norm(left.space[asked][:, None] - others.space[near][None], axis=2)
            if right is None:
                np.fill_diagonal(apart, np.inf)
            parts.append(_pair_closest(asked, near, apart, own=right is None, limit=limit))
    found = np.concatenate(parts, axis=1)
    found = found[:, np.lexsort((found[2], found[0]))]
    i, j, rank, count = found[:4].astype(np.int64)
    return Pairs(i, j, rank, count, distance=found[4])


def _group_rows(albums: np.ndarray) -> dict[str, np.ndarray]:
    order = np.argsort(albums, kind="stable")
    names, starts = np.unique(albums[order], return_index=True)
    groups = zip(names, np.split(order, starts[1:]), strict=True)
    return {str(name): rows for name, rows in groups if name}


def _pair_closest(
    asked: np.ndarray, near: np.ndarray, apart: np.ndarray, *, own: bool, limit: int
) -> np.ndarray:
    count = len(near) - own
    kept = min(count, limit)
    order = np.argsort(apart, axis=1, kind="stable")[:, :kept]
    distance = np.take_along_axis(apart, order, axis=1)
    rank = np.tile(np.arange(kept), len(asked))
    counts = np.full(len(rank), count)
    return np.stack([np.repeat(asked, kept), near[order].ravel(), rank, counts, distance.ravel()])


def describe_pairs(pairs: Pairs, left: Songs, right: Songs, labels: np.ndarray) -> np.ndarray:
    """Describe pairs for the model that tells whether they share their label.

    Parameters
    ----------
    pairs : Pairs
    left, right : Songs
    labels : ndarray of int, shape (n_right,)
        Label codes of the right songs.

    Returns
    -------
    ndarray of float32, shape (n_pairs, n_features)
    """
    i, j = pairs.left, pairs.right
    known = labels[j]
    one, two = left.guesses[i], right.guesses[j]
    a, b = (
        side.numbers[list(SOUND + EQUAL)].to_numpy(np.float32)[rows]
        for side, rows in ((left, i), (right, j))
    )
    names = list(SOUND + EQUAL)
    level = [names.index(name) for name in LEVELS]
    equal = [names.index(name) for name in EQUAL]
    popularity = np.stack([a[:, names.index("popularity")], b[:, names.index("popularity")]])
    # The guesses of both songs for the neighbour's label, and how alike the guesses are.
    columns = [
        pairs.distance, pairs.rank, pairs.count, known,
        one[np.arange(len(i)), known], two[np.arange(len(i)), known],
        np.einsum("ij,ij->i", one, two), np.einsum("ij,ij->i", np.sqrt(one), np.sqrt(two)),
        (one * two).max(axis=1, initial=0), one.max(axis=1, initial=0),
        popularity.min(axis=0), popularity.max(axis=0),
    ]  # fmt: skip
    context = [name for name in CONTEXT if name in left.numbers]
    return np.concatenate(
        [
            np.stack(columns, axis=1).astype(np.float32),
            np.abs(left.space[i] - right.space[j]).astype(np.float32),
            a[:, level] + b[:, level],
            a[:, equal] == b[:, equal],
            left.numbers[context].to_numpy(np.float32)[i],
        ],
        axis=1,
    )


class AlbumVotes(BaseEstimator):
    """Let neighbours of the same date vote for their label, weighted by a learnt trust.

    Parameters
    ----------
    learned : bool
        Whether the trust is learnt from pairs, or falls with the distance alone.
    limit : int
        At most so many neighbours for each song.
    n_folds : int
        The trust within a date comes from a model fitted on the other folds of dates.
    rounds : int
        Trees of a pair model.
    n_jobs : int
        Pair models fitted at a time.
    random_state : int
    """

    def __init__(
        self, *, learned=True, limit=25, n_folds=3, rounds=80, n_jobs=2, random_state=0
    ) -> None:
        self.learned = learned
        self.limit = limit
        self.n_folds = n_folds
        self.rounds = rounds
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit_transform(self, songs: Songs, y: np.ndarray) -> np.ndarray:
        """Learn from labelled songs, and return the votes for these songs.

        Parameters
        ----------
        songs : Songs
        y : ndarray of int, shape (n_songs,)
            Label codes; class k is column k of ``songs.guesses``.

        Returns
        -------
        ndarray of float, shape (n_songs, 2 * n_classes + 1)
            Sum and maximum of the trust for each class, and the number of neighbours.
        """
        self.songs_, self.labels_ = songs, y
        names = np.unique(songs.albums)
        folds = np.random.default_rng(self.random_state).integers(self.n_folds, size=len(names))
        self.folds_ = dict(zip(names, folds, strict=True))
        pairs = find_neighbors(songs, limit=self.limit)
        if self.learned:
            self._fit_pairs(pairs)
        return self._collect(pairs, songs)

    def transform(self, songs: Songs) -> np.ndarray:
        """Return the votes for songs whose labels are unknown; see `fit_transform`."""
        return self._collect(find_neighbors(songs, self.songs_, limit=self.limit), songs)

    def _fit_pairs(self, pairs: Pairs) -> None:
        X = describe_pairs(pairs, self.songs_, self.songs_, self.labels_)
        shared = self.labels_[pairs.left] == self.labels_[pairs.right]
        fold = self._find_folds(pairs, self.songs_)
        jobs = (delayed(self._fit_fold)(X, shared, fold != k) for k in range(self.n_folds))
        self.models_ = Parallel(n_jobs=self.n_jobs, prefer="threads")(jobs)

    def _fit_fold(self, X: np.ndarray, shared: np.ndarray, kept: np.ndarray):
        if len(np.unique(shared[kept])) < 2:
            return float(shared[kept].mean()) if kept.any() else 0.5
        return lightgbm.train(
            {
                "objective": "binary", "learning_rate": 0.12, "num_leaves": 31, "max_bin": 63,
                "min_data_in_leaf": 100, "feature_fraction": 0.6, "bagging_fraction": 0.5,
                "bagging_freq": 1, "lambda_l2": 5, "seed": self.random_state, "verbose": -1,
                "deterministic": True, "force_col_wise": True, "num_threads": 1,
            },
            lightgbm.Dataset(X[kept], shared[kept].astype(float)),
            num_boost_round=self.rounds,
        )  # fmt: skip

    def _find_folds(self, pairs: Pairs, songs: Songs) -> np.ndarray:
        return np.array([self.folds_[name] for name in songs.albums[pairs.left]], dtype=int)

    def _trust(self, pairs: Pairs, songs: Songs) -> np.ndarray:
        if not self.learned:
            return np.exp(-pairs.distance / 0.3)
        X = describe_pairs(pairs, songs, self.songs_, self.labels_)
        fold = self._find_folds(pairs, songs)
        trust = np.zeros(len(X))
        for k, model in enumerate(self.models_):
            rows = np.flatnonzero(fold == k)
            if len(rows):
                trust[rows] = model if isinstance(model, float) else model.predict(X[rows])
        return trust

    def _collect(self, pairs: Pairs, songs: Songs) -> np.ndarray:
        n_songs, n_classes = songs.guesses.shape
        total, best = np.zeros((2, n_songs, n_classes))
        count = np.zeros((n_songs, 1))
        trust = self._trust(pairs, songs)
        where = (pairs.left, self.labels_[pairs.right])
        np.add.at(total, where, trust)
        np.maximum.at(best, where, trust)
        count[pairs.left, 0] = pairs.count
        return np.concatenate([total, best, count], axis=1)
