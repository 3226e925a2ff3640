"""Neighbours by date and by sound, and how far each of them is to be believed.

Used by notebook 01. Songs of one album share their date and, as the label belongs to the artist,
their label; songs of other artists of that day do not. A song of another date that sounds nearly
alike may be by the same artist too. A boosted model learns for such pairs whether they share their
label; its probabilities weigh the neighbours' votes. A song never votes for itself, and the weights
for the songs of a date come from models fitted on other dates.

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
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from aares import exact

# What a pair's songs have in common, and what kind of songs they are.
CONTEXT = ("year", "precision", "month", "day", "weekday")
LEVELS = ("energy", "loudness", "speechiness", "acousticness", "instrumentalness", "danceability")
EQUAL = ("key", "mode", "time_signature", "explicit")
REACH = 0.15  # distance at which a vote falls to 37 %, where trust is not learnt
GAPS = ("time", "duration_ms", "tempo")


@dataclass(frozen=True)
class Songs:
    """What is known of songs before their neighbours are asked.

    Parameters
    ----------
    numbers : DataFrame of float, shape (n_songs, n_columns)
        From `songs.compute_numbers`.
    space : ndarray of float, shape (n_songs, 11)
        From `songs.RankSpace`.
    albums : ndarray of str, shape (n_songs,)
        From `songs.name_albums`.
    guesses : ndarray of float, shape (n_songs, n_classes)
        Probabilities of a model that did not see these songs' own labels, nor neighbours as
        features.
    """

    numbers: pd.DataFrame
    space: np.ndarray
    albums: np.ndarray
    guesses: np.ndarray


@dataclass(frozen=True)
class Pairs:
    """Songs and their neighbours, one row for each pair.

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

    Examples
    --------
    >>> from aares.genre.neighbors import Songs
    >>> numbers, guesses = pd.DataFrame(index=range(4)), np.ones((4, 1))
    >>> space = np.array([[0.0], [0.1], [0.3], [0.1]])
    >>> albums = np.array(["1977", "1977", "1977", "1984"])
    >>> pairs = find_neighbors(Songs(numbers, space, albums, guesses), limit=1)
    >>> pairs.left.tolist(), pairs.right.tolist(), pairs.count.tolist()
    ([0, 1, 2], [1, 0, 1], [2, 2, 2])
    >>> pairs.distance.round(2).tolist()
    [0.1, 0.1, 0.2]
    """
    others = left if right is None else right
    rows = _group_rows(others.albums)
    parts = [np.empty((5, 0))]
    for album, asked in _group_rows(left.albums).items():
        if album in rows:
            near = rows[album]
            apart = cdist(left.space[asked], others.space[near])
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


def find_similar(left: Songs, right: Songs | None = None, *, limit: int = 8) -> Pairs:
    """Pair each song with songs of other dates among those closest in sound.

    Parameters
    ----------
    left : Songs
    right : Songs, optional
        Where neighbours come from; without it, from the other songs of `left`.
    limit : int
        So many closest songs are looked at, >= 0; those of the same date are left out.

    Returns
    -------
    Pairs
        Ordered by `left`, then by `rank`.

    Examples
    --------
    >>> from aares.genre.neighbors import Songs
    >>> numbers, guesses = pd.DataFrame(index=range(4)), np.ones((4, 1))
    >>> space = np.array([[0.0], [0.1], [0.3], [0.7]])
    >>> albums = np.array(["1977", "1977", "1984", "1984"])
    >>> pairs = find_similar(Songs(numbers, space, albums, guesses), limit=2)
    >>> pairs.left.tolist(), pairs.right.tolist(), pairs.rank.tolist()
    ([0, 1, 2, 2, 3], [2, 2, 1, 0, 1], [2, 2, 1, 2, 2])
    """
    others = left if right is None else right
    # One more, as the closest to a song is the song itself.
    asked = min(limit + (right is None), len(others.space)) if limit else 0
    if asked == 0:
        none = np.zeros(0, dtype=np.int64)
        return Pairs(none, none, none, none, np.zeros(0))
    distance, rows = find_closest(left.space, others.space, asked)
    i, j = np.repeat(np.arange(len(rows)), asked), rows.ravel()
    rank = np.tile(np.arange(asked), len(rows))
    kept = (left.albums[i] != others.albums[j]) | (left.albums[i] == "")
    if right is None:
        kept &= i != j
    count = np.bincount(i[kept], minlength=len(rows))[i[kept]]
    return Pairs(i[kept], j[kept], rank[kept], count, distance.ravel()[kept])


def find_closest(left: np.ndarray, right: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the closest rows of `right` for each row of `left`; of equally close ones the first.

    Parameters
    ----------
    left : ndarray of float, shape (m, d)
        On a grid as that of `songs.RankSpace`, or all digits of a distance are not certain.
    right : ndarray of float, shape (k, d)
    n : int
        In 1 .. k.

    Returns
    -------
    distance : ndarray of float, shape (m, n)
    rows : ndarray of int, shape (m, n)
        By distance, then by row number.

    Examples
    --------
    >>> right = np.array([[0.5], [0.25], [0.75], [0.5]])
    >>> distance, rows = find_closest(np.array([[0.5]]), right, 3)
    >>> distance.tolist(), rows.tolist()
    ([[0.0, 0.0, 0.25]], [[0, 3, 1]])
    """
    # In eleven dimensions a search tree visits nearly every song, and slower.
    seen = min(n + 1, len(right))
    search = NearestNeighbors(n_neighbors=seen, algorithm="brute").fit(right)
    distance, rows = search.kneighbors(left)
    order = np.lexsort((rows, distance))
    distance, rows = (np.take_along_axis(found, order, axis=1) for found in (distance, rows))
    # Which of equals are among the last depends on the search's threads: look at all.
    for row in np.flatnonzero((distance[:, -1] == distance[:, n - 1]) & (seen > n)):
        apart = cdist(left[[row]], right)[0]
        rows[row, :n] = np.argsort(apart, kind="stable")[:n]
    return distance[:, :n], rows[:, :n]


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

    Examples
    --------
    >>> from aares.genre.neighbors import Songs, find_neighbors
    >>> from aares.data import make_songs
    >>> from aares.genre.songs import compute_numbers
    >>> table = make_songs("test", 2)
    >>> space, albums = np.array([[0.1], [0.4]]), np.array(["1977", "1977"])
    >>> songs = Songs(compute_numbers(table), space, albums, np.full((2, 3), 1 / 3))
    >>> features = describe_pairs(find_neighbors(songs), songs, songs, labels=np.array([2, 0]))
    >>> features[:, :4].astype(float).round(2).tolist()  # distance, rank, count, label
    [[0.3, 0.0, 1.0, 0.0], [0.3, 0.0, 1.0, 2.0]]
    """
    i, j = pairs.left, pairs.right
    known = labels[j]
    one, two = left.guesses[i], right.guesses[j]
    a, b = (
        {name: side.numbers[name].to_numpy(np.float32)[rows] for name in side.numbers}
        for side, rows in ((left, i), (right, j))
    )
    root_one, root_two = (exact.snap(np.sqrt(guesses)) for guesses in (one, two))
    # The guesses of both songs for the neighbour's label, and how alike the guesses are.
    columns = [
        pairs.distance, pairs.rank, pairs.count, known,
        one[np.arange(len(i)), known], two[np.arange(len(i)), known],
        np.einsum("ij,ij->i", one, two), np.einsum("ij,ij->i", root_one, root_two),
        (one * two).max(axis=1, initial=0), one.max(axis=1, initial=0),
        np.minimum(a["popularity"], b["popularity"]), np.maximum(a["popularity"], b["popularity"]),
        *(a[name] + b[name] for name in LEVELS),
        *(a[name] == b[name] for name in EQUAL),
        *(np.abs(a[name] - b[name]) for name in GAPS if name in a),
        *(a[name] for name in CONTEXT if name in a),
        b.get("precision", known), *_describe_company(pairs, known),
        *np.abs(left.space[i] - right.space[j]).T,
    ]  # fmt: skip
    table = np.empty((len(i), len(columns)), dtype=np.float32)
    for k, column in enumerate(columns):
        table[:, k] = column
    return table


def _describe_company(pairs: Pairs, known: np.ndarray) -> list[np.ndarray]:
    """Tell what the left song's other neighbours are like: several of one label make an album."""
    _, group = np.unique(pairs.left * (known.max(initial=0) + 1) + known, return_inverse=True)
    size = np.bincount(group, minlength=1)[group]
    nearest = np.full(len(known) + 1, np.inf)
    np.minimum.at(nearest, group, pairs.distance)
    mean = np.bincount(group, pairs.distance, minlength=1)[group] / size
    closest = np.full(pairs.left.max(initial=0) + 1, np.inf)
    np.minimum.at(closest, pairs.left, pairs.distance)
    return [size, nearest[group], mean, pairs.distance - closest[pairs.left]]


@dataclass(kw_only=True, eq=False)
class NeighborVotes:
    """Let neighbours vote for their label, weighted by a learnt trust.

    Parameters
    ----------
    by : {"date", "sound"}
        Whether the closest songs of the same date vote, or those of other dates.
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

    by: str = "date"
    learned: bool = True
    limit: int = 25
    n_folds: int = 2
    rounds: int = 80
    n_jobs: int = 2
    random_state: int = 0

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

        Examples
        --------
        >>> from aares.genre.neighbors import Songs
        >>> space, albums = np.array([[0.0], [0.15], [9.0]]), np.array(["1977", "1977", "1984"])
        >>> songs = Songs(pd.DataFrame(index=range(3)), space, albums, np.full((3, 2), 0.5))
        >>> votes = NeighborVotes(learned=False).fit_transform(songs, np.array([0, 1, 1]))
        >>> votes.round(2).tolist()  # sums, maxima, neighbours; exp(-0.15 / 0.15) is 0.37
        [[0.0, 0.37, 0.0, 0.37, 1.0], [0.37, 0.0, 0.37, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0, 0.0]]
        """
        self.songs_, self.labels_ = songs, y
        names = np.unique(songs.albums)
        folds = np.random.default_rng(self.random_state).integers(self.n_folds, size=len(names))
        self.folds_ = dict(zip(names, folds, strict=True))
        pairs = self._pair(songs, None)
        if self.learned:
            self._fit_pairs(pairs)
        return self._collect(pairs, songs)

    def transform(self, songs: Songs) -> np.ndarray:
        """Return the votes for songs whose labels are unknown; see `fit_transform`.

        Examples
        --------
        >>> from aares.genre.neighbors import Songs
        >>> space, albums = np.array([[0.0], [0.15], [9.0]]), np.array(["1977", "1977", "1984"])
        >>> songs = Songs(pd.DataFrame(index=range(3)), space, albums, np.full((3, 2), 0.5))
        >>> voter = NeighborVotes(learned=False)
        >>> _ = voter.fit_transform(songs, np.array([0, 1, 1]))
        >>> new = Songs(songs.numbers[:1], space[:1], albums[:1], songs.guesses[:1])
        >>> voter.transform(new).round(2).tolist()
        [[1.0, 0.37, 1.0, 0.37, 2.0]]
        """
        return self._collect(self._pair(songs, self.songs_), songs)

    def _pair(self, left: Songs, right: Songs | None) -> Pairs:
        find = find_neighbors if self.by == "date" else find_similar
        return find(left, right, limit=self.limit)

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
                "objective": "binary", "learning_rate": 0.12, "num_leaves": 31, "max_bin": 127,
                "min_data_in_leaf": 100, "feature_fraction": 0.6, "bagging_fraction": 0.5,
                "bagging_freq": 1, "lambda_l2": 5, "seed": self.random_state, "verbose": -1,
                "deterministic": True, "force_col_wise": True, "num_threads": 1,
            },
            lightgbm.Dataset(X[kept], shared[kept].astype(float)),
            num_boost_round=self.rounds,
        )  # fmt: skip

    def _find_folds(self, pairs: Pairs, songs: Songs) -> np.ndarray:
        # A date nobody has seen is in no fold's models: any of them may judge it.
        names = pd.Series(songs.albums)
        folds = names.map(self.folds_).fillna(0).astype(int).to_numpy()
        return folds[pairs.left]

    def _trust(self, pairs: Pairs, songs: Songs) -> np.ndarray:
        if not self.learned:
            return exact.snap(exact.exp(-pairs.distance / REACH))
        X = describe_pairs(pairs, songs, self.songs_, self.labels_)
        fold = self._find_folds(pairs, songs)
        trust = np.zeros(len(X))
        for k, model in enumerate(self.models_):
            rows = np.flatnonzero(fold == k)
            if len(rows):
                trust[rows] = model if isinstance(model, float) else _predict_pairs(model, X[rows])
        return exact.snap(trust)

    def _collect(self, pairs: Pairs, songs: Songs) -> np.ndarray:
        n_songs, n_classes = songs.guesses.shape
        total, best = np.zeros((2, n_songs, n_classes))
        count = np.zeros((n_songs, 1))
        trust = self._trust(pairs, songs)
        where = (pairs.left, self.labels_[pairs.right])
        np.add.at(total, where, trust)
        np.maximum.at(best, where, trust)
        np.maximum.at(count[:, 0], pairs.left, pairs.count)
        return np.concatenate([total, best, count], axis=1)


def _predict_pairs(model: lightgbm.Booster, X: np.ndarray) -> np.ndarray:
    return 1 / (1 + exact.exp(-np.asarray(model.predict(X, raw_score=True, num_threads=1))))
