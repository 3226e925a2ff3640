"""Learn from listeners: songs that are heard together belong together (exercise 3, question 2).

Used by notebook ``03_recommendation``.

Conventions: a listener (or a playlist) is a row of a sparse matrix, a song a column; an entry is 1
if the listener played the song. A method is an object with ``score(profiles)``: sparse (u, n) known
songs -> dense (u, n) scores, larger is better. What a listener knows already is left out by
:mod:`aares.recommend.listeners.ranking`, not here. Who knows no song that tells a method anything
gets the popular songs, and a warning says so: see :mod:`aares.recommend.listeners.profiles`.

References
----------
Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019: equations 4-8.
Sarwar, Karypis, Konstan, Riedl, "Item-based collaborative filtering recommendation algorithms",
WWW 2001: section 3; Bell and Koren, "Scalable collaborative filtering with jointly derived
neighborhood interpolation weights", ICDM 2007: section 2 (shrinkage).
"""

from __future__ import annotations

import math
import numbers

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.base import clone

from aares import exact
from aares.recommend.listeners.profiles import ListenerScorer, Scorer, score_known
from aares.recommend.space.content import GRID_BITS, FloatArray, combine_seeds, measure_distances


def make_matrix(
    plays: pd.DataFrame, songs: pd.DataFrame, *, values: str | None = None
) -> tuple[sparse.csr_matrix, list[str]]:
    """Return listeners x songs as a sparse matrix of 0 and 1, or of numbers of plays.

    Parameters
    ----------
    plays : DataFrame
        ``user_id`` and ``id``.
    songs : DataFrame
        ``id``; its order is the order of the columns.
    values : str, optional
        Column of `plays` with the entries, numbers above 0. Pairs that stand several times are
        added up. Without it each pair is 1.

    Returns
    -------
    matrix : csr_matrix, shape (u, n)
    users : list of str
        Name of each row, sorted.

    Raises
    ------
    ValueError
        A listener or a song is missing, no text or number, or of both kinds; a song stands twice
        in the table, or is played and not in it; an entry is no number above 0.

    Examples
    --------
    >>> plays = pd.DataFrame({"user_id": ["u2", "u1", "u2"], "id": ["s1", "s3", "s3"]})
    >>> matrix, users = make_matrix(plays, pd.DataFrame({"id": ["s1", "s2", "s3"]}))
    >>> users, matrix.toarray().tolist()
    (['u1', 'u2'], [[0.0, 0.0, 1.0], [1.0, 0.0, 1.0]])
    """
    known = _check_ids(songs, "songs", "id")
    heard = {name: _check_ids(plays, "plays", name) for name in ("user_id", "id")}
    if known.duplicated().any():
        raise ValueError(f"songs: song {known[known.duplicated()].iloc[0]!r} stands twice")
    column = {song: i for i, song in enumerate(known)}
    unknown = ~heard["id"].isin(column)
    if unknown.any():
        raise ValueError(f"plays: song {heard['id'][unknown].iloc[0]!r} is not in the table")
    pairs = pd.DataFrame(heard)
    if values is None:
        pairs = pairs.drop_duplicates()
        entry: FloatArray = np.ones(len(pairs))
    else:
        entry = _read_entries(plays, values)
    rows, users = pd.factorize(pairs["user_id"], sort=True)
    entries = (entry, (rows, pairs["id"].map(column).to_numpy()))
    return sparse.csr_matrix(entries, shape=(len(users), len(songs))), list(users)


def _read_entries(plays: pd.DataFrame, values: str) -> FloatArray:
    if values not in plays:
        raise ValueError(f"plays: expected a column {values!r}, found none")
    entry = pd.to_numeric(plays[values], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = ~(np.isfinite(entry) & (entry > 0))
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(
            f"plays, column {values!r}, row {row + 1}: expected a number above 0, found "
            f"{plays[values].iloc[row]!r}"
        )
    return entry


def _check_ids(table: pd.DataFrame, name: str, column: str) -> pd.Series:
    """Return ids as they are; a listener without one would be another row, or no row at all."""
    if not isinstance(table, pd.DataFrame) or column not in table:
        raise ValueError(f"{name}: expected a DataFrame with a column {column!r}, found none")
    ids = table[column].astype(object).reset_index(drop=True)
    kinds = [_name_kind(value) for value in ids]
    wrong = [row for row, kind in enumerate(kinds) if kind is None or kind != kinds[0]]
    if wrong:
        row = kinds.index(None) if None in kinds else wrong[0]
        expected = "an id, text or a number" if kinds[row] is None else f"{kinds[0]} as in row 1"
        raise ValueError(
            f"{name}, column {column!r}, row {row + 1}: expected {expected}, found {ids[row]!r}"
        )
    return ids


def _name_kind(value: object) -> str | None:
    if isinstance(value, str):
        return "text" if value.strip() else None
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    return "a number" if math.isfinite(value) else None


class RandomScorer(ListenerScorer):
    """Scores without meaning: the floor of every comparison.

    Parameters
    ----------
    random_state : int
        Seed.

    Examples
    --------
    >>> heard = [[1, 0, 0]]
    >>> RandomScorer().fit(heard).score(heard).round(2).tolist()
    [[0.64, 0.27, 0.04]]
    """

    def __init__(self, *, random_state: int = 0) -> None:
        self.random_state = random_state

    _asks_history = False

    def _score(self, profiles: sparse.csr_matrix) -> FloatArray:
        return np.random.default_rng(self.random_state).random(profiles.shape)


class PopularScorer(ListenerScorer):
    """The songs that most listeners know, for everybody alike.

    Examples
    --------
    >>> PopularScorer().fit([[1, 1, 0], [1, 0, 0]]).score([[0, 0, 1]]).tolist()
    [[2.0, 1.0, 0.0]]
    """

    _asks_history = False

    def _score(self, profiles: sparse.csr_matrix) -> FloatArray:
        return np.tile(self.count_.astype(float), (profiles.shape[0], 1))


class ContentScorer(ListenerScorer):
    """Songs that sound like those a listener knows; needs no other listener.

    Parameters
    ----------
    points : ndarray of float, shape (n, d)
        Coordinates of :class:`aares.recommend.space.content.SongSpace`.
    combine : {"nearest", "mean", "soft", "centroid"}
        ``centroid`` measures to the mean of the known songs, the others combine distances.

    Examples
    --------
    >>> scorer = ContentScorer(np.array([[0.0], [1.0], [5.0]]), combine="nearest")
    >>> scorer.fit([[1, 1, 0]]).score([[1, 0, 1]]).round(1).tolist()  # minus the distance
    [[-0.0, -1.0, -0.0]]
    """

    def __init__(self, points: FloatArray, *, combine: str = "soft") -> None:
        self.points = points
        self.combine = combine

    def _score(self, profiles: sparse.csr_matrix) -> FloatArray:
        scores = np.zeros(profiles.shape)
        points = self.points
        for user in range(profiles.shape[0]):
            known = points[profiles[[user]].indices]
            if len(known) and self.combine == "centroid":
                centre = exact.snap(known.mean(axis=0, keepdims=True), GRID_BITS)
                scores[user] = -measure_distances(points, centre)[:, 0]
            elif len(known):
                scores[user] = -combine_seeds(measure_distances(points, known), self.combine)
        return scores


class ArtistScorer(ListenerScorer):
    """Songs by artists whom a listener knows: the share of known songs by the song's artist.

    Parameters
    ----------
    artists : array-like of str, shape (n,)
        Artist of each song.

    Examples
    --------
    >>> scorer = ArtistScorer(["ABBA", "ABBA", "Ramones"]).fit([[1, 0, 1]])
    >>> scorer.score([[1, 0, 0], [1, 0, 1]]).tolist()  # the artist's share of the known songs
    [[1.0, 1.0, 0.0], [0.5, 0.5, 0.5]]
    """

    def __init__(self, artists: npt.ArrayLike) -> None:
        self.artists = artists

    def _score(self, profiles: sparse.csr_matrix) -> FloatArray:
        codes = pd.factorize(np.asarray(self.artists, dtype=object))[0]
        by = sparse.csr_matrix((np.ones(len(codes)), (np.arange(len(codes)), codes)))
        known = np.asarray(profiles.sum(axis=1)).clip(1)
        share = np.asarray((profiles @ by).todense()) / known
        return share[:, codes]


class ItemCosineScorer(ListenerScorer):
    """Songs whose listeners are those of the known songs: cosine with shrinkage.

    Similarity of songs i and j is c_ij / (sqrt(c_i c_j) + shrinkage), with c the numbers of
    listeners of both and of each.

    Parameters
    ----------
    shrinkage : float
        Distrust of songs with few listeners.

    Examples
    --------
    >>> heard = [[1, 1, 0], [1, 1, 0], [0, 1, 1]]
    >>> scorer = ItemCosineScorer(shrinkage=0.0).fit(heard)
    >>> scorer.score([[1, 0, 0]]).round(2).tolist()  # 2 / sqrt(2 * 3)
    [[0.0, 0.82, 0.0]]
    """

    def __init__(self, *, shrinkage: float = 5.0) -> None:
        self.shrinkage = shrinkage

    is_sum = True

    def _learn(self, matrix: sparse.csr_matrix) -> None:
        together = sparse.coo_matrix(matrix.T @ matrix)
        count = np.asarray(matrix.sum(axis=0)).ravel()
        norm = np.sqrt(count[together.row] * count[together.col]) + self.shrinkage
        other = together.row != together.col
        entries = (
            (together.data / norm)[other],
            (together.row[other], together.col[other]),
        )
        self.similarity_ = sparse.csr_matrix(entries, shape=together.shape)

    def _score(self, profiles: sparse.csr_matrix) -> FloatArray:
        return np.asarray((profiles @ self.similarity_).todense())


class EaseScorer(ListenerScorer):
    """EASE: the linear autoencoder with a zero diagonal, in closed form.

    Steck inverts the regularised matrix of songs x songs. With many songs and few listeners the
    same inverse follows from one of listeners x listeners (Woodbury): with
    K = X X' + strength I, it is P = (I - X' K^-1 X) / strength. So 28,000 songs and 471
    playlists take well under a second, exactly.

    Parameters
    ----------
    strength : float
        Regularisation.

    References
    ----------
    Steck 2019, equations 4-8.

    Examples
    --------
    >>> heard = [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    >>> EaseScorer(strength=2.0).fit(heard).score([[1, 0, 0]]).round(2).tolist()
    [[0.0, 0.5, 0.0]]
    """

    def __init__(self, *, strength: float = 100.0) -> None:
        self.strength = strength

    is_sum = True

    def _learn(self, matrix: sparse.csr_matrix) -> None:
        self.matrix_ = matrix
        gram = np.asarray((matrix @ matrix.T).todense(), dtype=float)
        np.fill_diagonal(gram, gram.diagonal() + self.strength)
        # Of few digits, as profiles are of 0 and 1: sums of them are exact, and songs with the same
        # listeners tie on every machine.
        self.inverse_ = exact.shorten(exact.invert(gram), 38)
        solved = (matrix.T @ self.inverse_).T
        explained = np.asarray(matrix.multiply(solved).sum(axis=0)).ravel()
        self.diagonal_ = (1.0 - explained) / self.strength

    def _score(self, profiles: sparse.csr_matrix) -> FloatArray:
        """Return x B for each profile x, with B = I - P diag(P)^-1."""
        known = np.asarray(profiles.todense(), dtype=float)
        overlap = np.asarray((profiles @ self.matrix_.T).todense(), dtype=float)
        through = (self.matrix_.T @ (overlap @ self.inverse_).T).T
        return known - (known - through) / self.strength / self.diagonal_


class HybridScorer(ListenerScorer):
    """A weighted sum of methods, each put on one scale for each listener first.

    Parameters
    ----------
    parts : dict of str to scorer
        Cloned.
    weights : dict of str to float
        One for each part.

    Attributes
    ----------
    parts_ : dict of str to scorer
        Fitted.

    Examples
    --------
    >>> parts = {"popular": PopularScorer(), "random": RandomScorer()}
    >>> hybrid = HybridScorer(parts, {"popular": 1.0, "random": 0.0}).fit([[1, 1, 0], [1, 0, 0]])
    >>> hybrid.score([[0, 1, 0]]).round(2).tolist()
    [[1.22, 0.0, -1.22]]
    """

    def __init__(self, parts: dict[str, Scorer], weights: dict[str, float]) -> None:
        self.parts = parts
        self.weights = weights

    def _learn(self, matrix: sparse.csr_matrix) -> None:
        self.parts_ = {name: clone(part).fit(matrix) for name, part in self.parts.items()}

    def _score(self, profiles: sparse.csr_matrix) -> FloatArray:
        """Return the weighted sum; a part that tells no song from another adds nothing."""
        return mix_scores(
            {name: score_known(part, profiles) for name, part in self.parts_.items()}, self.weights
        )


def mix_scores(scores: dict[str, FloatArray], weights: dict[str, float]) -> FloatArray:
    """Standardise each method's scores for each listener and add them up, weighted.

    Parameters
    ----------
    scores : dict of str to ndarray of float, shape (u, n)
        Of each method.
    weights : dict of str to float
        Of each method.

    Returns
    -------
    ndarray of float, shape (u, n)

    Raises
    ------
    ValueError
        A score is no finite number, or a method has no weight.

    Examples
    --------
    >>> scores = {"one": np.array([[0.0, 2.0]]), "other": np.array([[500.0, 100.0]])}
    >>> mix_scores(scores, {"one": 1.0, "other": 0.25}).tolist()
    [[-0.75, 0.75]]
    """
    total = np.zeros_like(next(iter(scores.values())), dtype=float)
    for name, values in scores.items():
        if name not in weights:
            raise ValueError(f"weights: expected one for {name!r}, found {', '.join(weights)}")
        if weights[name]:
            if not np.isfinite(values).all():
                raise ValueError(f"scores of {name!r}: expected finite numbers")
            spread = values.std(axis=1, keepdims=True)
            centred = values - values.mean(axis=1, keepdims=True)
            total += weights[name] * centred / np.where(spread > 0, spread, 1.0)
    return total
