"""Does the order of a list that people made say anything? Neighbours against the rest of the list.

Used by notebook 06 and ``benchmarks/chaining/listeners.py``.

Conventions
-----------
`plays` is a table as :func:`aares.data.load_ordered` returns it: ``user_id`` (the list), ``id``
(the song) and ``place``; two songs are neighbours where their places differ by one, so that a gap
in a list parts them. Chance is what the same list gives out of order: its songs go together anyway.

References
----------
.. [1] B. McFee and G. Lanckriet, "The natural language of playlists", ISMIR 2011.
.. [2] P. Knees et al., "Towards an understanding of song order in playlists", and A. Vall et al.,
   "Order, context and popularity bias in next-song recommendations", IJMIR 8, 2019: order tells
   little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from aares.recommend.listeners.users import ItemCosineScorer
from aares.scores import bootstrap

IntArray = NDArray[np.intp]
FloatArray = NDArray[np.float64]
KINDS = ("next", "same", "other")
"""The song after `a`, one of the same list that does not touch it, one of another list."""


@dataclass(frozen=True)
class Sequences:
    """Lists of songs as numbers, by list and place; a song that stands twice counts once.

    Parameters
    ----------
    songs : Index
        The ids that the numbers stand for.
    song, group, place : ndarray of int, shape (n,)
        Of each entry: its song, its list and its place there.
    """

    songs: pd.Index
    song: IntArray
    group: IntArray
    place: IntArray

    @property
    def starts(self) -> IntArray:
        """Where each list starts, and the end of the last."""
        return np.flatnonzero(np.diff(self.group, prepend=-1, append=-1))

    def find_neighbours(self, gap: int = 1) -> IntArray:
        """Return the entries whose list has one `gap` places later, at the entry `gap` on."""
        here, there = slice(None, len(self.song) - gap), slice(gap, None)
        is_near = self.place[there] - self.place[here] == gap
        return np.flatnonzero(is_near & (self.group[there] == self.group[here]))


def read_sequences(plays: pd.DataFrame) -> Sequences:
    """Read lists of songs.

    Parameters
    ----------
    plays : DataFrame
        Columns ``user_id``, ``id`` and ``place`` (whole numbers), in any order of rows.

    Returns
    -------
    Sequences

    Raises
    ------
    ValueError
        A column is missing, a cell is empty, or a place is no whole number.

    Examples
    --------
    >>> plays = pd.DataFrame({"user_id": "x", "id": list("abc"), "place": [2, 1, 4]})
    >>> sequences = read_sequences(plays)
    >>> sequences.songs[sequences.song].tolist(), sequences.find_neighbours().tolist()
    (['b', 'a', 'c'], [0])
    """
    names = ["user_id", "id", "place"]
    if missing := [name for name in names if name not in plays]:
        raise ValueError(f"plays: expected the columns {', '.join(names)}, found no {missing[0]}")
    empty = plays[names].isna().to_numpy()
    if empty.any():
        row, column = (int(where) for where in np.argwhere(empty)[0])
        raise ValueError(f"plays, row {row}: expected a {names[column]}, found an empty cell")
    place = pd.to_numeric(plays["place"], errors="coerce").to_numpy(float)
    is_odd = (place != np.round(place)) | ~np.isfinite(place)
    if is_odd.any():
        row = int(is_odd.argmax())
        raise ValueError(
            f"plays, row {row}: expected a whole number as place, found {plays['place'].iloc[row]}"
        )
    table = plays[names[:2]].astype(str).assign(place=place.astype(np.intp))
    table = table.sort_values(["user_id", "place"], kind="stable")
    table = table.drop_duplicates(["user_id", "id"])
    song, songs = pd.factorize(table["id"], sort=True)
    group = pd.factorize(table["user_id"])[0]
    return Sequences(pd.Index(songs), song, group, table["place"].to_numpy())


def drop_near_copies(plays: pd.DataFrame, *, share: float = 0.5) -> pd.DataFrame:
    """Drop lists that share songs with an earlier one: the same set twice is no agreement.

    Parameters
    ----------
    plays : DataFrame
        Columns ``user_id``, ``id`` and ``place``.
    share : float
        Of the shorter list's songs; from this on, the later list is dropped.

    Returns
    -------
    DataFrame
        Rows of `plays`.

    Raises
    ------
    ValueError
        :func:`read_sequences`.

    Examples
    --------
    >>> plays = pd.DataFrame({"user_id": [*"xxxyyyz"], "id": [*"abcabdd"], "place": 0})
    >>> drop_near_copies(plays)["user_id"].unique().tolist()
    ['x', 'z']
    """
    sequences = read_sequences(plays)
    matrix = _count_songs(sequences)
    size = np.asarray(matrix.sum(axis=1)).ravel()
    both = sparse.coo_matrix(sparse.triu(matrix @ matrix.T, k=1))
    is_copy = both.data >= share * np.minimum(size[both.row], size[both.col])
    kept = np.ones(len(size), dtype=bool)
    earlier, later = both.row[is_copy], both.col[is_copy]
    for here, there in sorted(zip(earlier.tolist(), later.tolist(), strict=True)):
        kept[there] &= not kept[here]
    names = plays["user_id"].astype(str)
    return plays[names.isin(np.unique(names)[kept])]


def draw_triples(sequences: Sequences, *, random_state: int = 0) -> pd.DataFrame:
    """Draw two songs to hold against each song's follower: of the same list, and of another.

    Parameters
    ----------
    sequences : Sequences
    random_state : int

    Returns
    -------
    DataFrame
        ``group``, ``a``, ``next``, ``same``, ``other``, all numbers of `sequences`; a row for each
        song that has a follower and a list of at least four. ``same`` stands at least two places
        from ``a``; ``other`` is drawn from all entries, so a song as often as it is listed, and is
        not in the list.

    Raises
    ------
    ValueError
        There is only one list, or one holds all songs.

    Examples
    --------
    >>> names, songs = [*"xxxxyyyy"], [*"abcdefgh"]
    >>> plays = pd.DataFrame({"user_id": names, "id": songs, "place": [*range(4)] * 2})
    >>> triples = draw_triples(read_sequences(plays))
    >>> triples.shape, triples.loc[0, ["a", "next"]].tolist()
    ((6, 5), [0, 1])
    >>> bool(triples.loc[0, "same"] in (2, 3)), bool(triples.loc[0, "other"] > 3)
    (True, True)
    """
    rng = np.random.default_rng(random_state)
    starts = sequences.starts
    entry = sequences.find_neighbours()
    start = starts[sequences.group[entry]]
    size = np.diff(starts)[sequences.group[entry]]
    entry, start, size = (values[size >= 4] for values in (entry, start, size))
    at = entry - start
    first = np.maximum(at - 1, 0)  # of those that touch, up to at + 1
    drawn = rng.integers(size - (at + 2 - first))
    same = start + np.where(drawn < first, drawn, drawn + at + 2 - first)
    group, song = sequences.group[entry], sequences.song
    return pd.DataFrame(
        {
            "group": group,
            "a": song[entry],
            "next": song[entry + 1],
            "same": song[same],
            "other": _draw_strangers(sequences, group, rng),
        }
    )


def _draw_strangers(sequences: Sequences, group: IntArray, rng: np.random.Generator) -> IntArray:
    """Return a song for each list that is not in it."""
    n_songs = len(sequences.songs)
    held = np.sort(sequences.group * n_songs + sequences.song)
    found = np.full(len(group), -1)
    for _ in range(200):
        rows = np.flatnonzero(found < 0)
        if not len(rows):
            return found
        song = sequences.song[rng.integers(len(sequences.song), size=len(rows))]
        key = group[rows] * n_songs + song
        is_new = held[np.minimum(np.searchsorted(held, key), len(held) - 1)] != key
        found[rows[is_new]] = song[is_new]
    raise ValueError("sequences: expected lists that leave songs to others, found one with all")


def score_by_lists(
    sequences: Sequences, triples: pd.DataFrame, *, n_folds: int = 5, shrinkage: float = 5.0
) -> dict[str, pd.DataFrame]:
    """Score the pairs of each list by what the lists of other folds say.

    Parameters
    ----------
    sequences : Sequences
    triples : DataFrame
        :func:`draw_triples`.
    n_folds : int
        A list is in the fold of its number modulo `n_folds`.
    shrinkage : float
        Of the cosine.

    Returns
    -------
    dict of str to DataFrame
        ``together``: the cosine of the lists that hold two songs; ``beside``: in how many lists
        they are neighbours, in either order; ``follows``: in how many the second comes right after
        the first. Columns `KINDS`, rows as in `triples`.

    Raises
    ------
    ValueError
        `n_folds` is not between 2 and the number of lists.

    Examples
    --------
    >>> names, songs = [*"xxxxyyyyzzzz"], [*"abcdabcdefgh"]
    >>> plays = pd.DataFrame({"user_id": names, "id": songs, "place": [*range(4)] * 3})
    >>> sequences = read_sequences(plays)
    >>> scores = score_by_lists(sequences, draw_triples(sequences), n_folds=3)
    >>> scores["follows"].loc[0, ["next", "same"]].tolist()
    [1.0, 0.0]
    """
    matrix = _count_songs(sequences)
    if not 2 <= n_folds <= matrix.shape[0]:
        raise ValueError(f"n_folds: expected 2 to {matrix.shape[0]} (lists), found {n_folds}")
    names = ("together", "beside", "follows")
    scores = {name: pd.DataFrame(0.0, triples.index, list(KINDS)) for name in names}
    for fold in range(n_folds):
        rows = np.flatnonzero(triples["group"].to_numpy() % n_folds == fold)
        is_known = np.arange(matrix.shape[0]) % n_folds != fold
        cosine = ItemCosineScorer(shrinkage=shrinkage).fit(matrix[is_known]).similarity_
        follows = _count_followers(sequences, is_known)
        tables = (cosine, follows + follows.T, follows)
        first = triples["a"].to_numpy()[rows]
        for name, table in zip(names, tables, strict=True):
            for column, kind in enumerate(KINDS):
                second = triples[kind].to_numpy()[rows]
                scores[name].iloc[rows, column] = np.asarray(table.tocsr()[first, second]).ravel()
    return scores


def _count_songs(sequences: Sequences) -> sparse.csr_matrix:
    """Return lists x songs, 1 where a list holds a song."""
    shape = (len(sequences.starts) - 1, len(sequences.songs))
    entries = (np.ones(len(sequences.song)), (sequences.group, sequences.song))
    return sparse.csr_matrix(entries, shape=shape)


def _count_followers(sequences: Sequences, is_known: NDArray[np.bool_]) -> sparse.csr_matrix:
    """Return songs x songs: in how many of the known lists the second comes right after."""
    entry = sequences.find_neighbours()
    entry = entry[is_known[sequences.group[entry]]]
    pairs = (sequences.song[entry], sequences.song[entry + 1])
    n_songs = len(sequences.songs)
    return sparse.csr_matrix((np.ones(len(entry)), pairs), shape=(n_songs, n_songs))


def estimate_win_share(
    scores: pd.DataFrame, groups: NDArray[np.intp], winner: str, loser: str
) -> tuple[float, float, float]:
    """Return how often one song of a triple scores higher than the other, and its 95 % interval.

    It is the AUC of telling the two apart with the first song given; equal scores count half.

    Parameters
    ----------
    scores : DataFrame
        Columns `KINDS`.
    groups : ndarray of int, shape (n,)
        The list of each row; lists are drawn for the interval.
    winner, loser : str
        Columns of `scores`.

    Returns
    -------
    share, low, high : float

    Raises
    ------
    ValueError
        There are fewer than two lists.

    Examples
    --------
    >>> scores = pd.DataFrame({"next": [3.0, 2.0, 1.0, 4.0], "same": [1.0, 2.0, 0.0, 0.0]})
    >>> estimate_win_share(scores, np.array([0, 0, 1, 1]), "next", "same")[0]
    0.875
    """
    better, worse = scores[winner].to_numpy(), scores[loser].to_numpy()
    wins = (better > worse) + 0.5 * (better == worse)
    _, group = np.unique(groups, return_inverse=True)
    sums, counts = np.bincount(group, wins), np.bincount(group).astype(float)
    share, low, high = bootstrap(_divide_sums, sums, counts, n_draws=1000)
    return float(share), float(low), float(high)


def _divide_sums(sums: FloatArray, counts: FloatArray, axis: int = -1) -> FloatArray:
    return np.asarray(sums.sum(axis=axis) / counts.sum(axis=axis))


@dataclass(frozen=True)
class Recurrence:
    """How often neighbours are neighbours elsewhere.

    Parameters
    ----------
    n_pairs : int
        Neighbours, counted in each list.
    share : float
        Of those whose two songs are neighbours in another list too.
    chance, chance_low, chance_high : float
        The mean and the extremes of that share with each list's songs shuffled.
    n_recurring : int
        Different pairs that are neighbours in two lists or more.
    same_direction, same_direction_low, same_direction_high : float
        Of two lists that have such a pair, how often the same song comes first, averaged over
        pairs, with its interval; by chance a half. NaN where there are fewer than two pairs.
    """

    n_pairs: int
    share: float
    chance: float
    chance_low: float
    chance_high: float
    n_recurring: int
    same_direction: float
    same_direction_low: float
    same_direction_high: float


def measure_recurrence(
    sequences: Sequences,
    *,
    labels: NDArray[Any] | None = None,
    n_shuffles: int = 20,
    random_state: int = 0,
) -> Recurrence:
    """Ask whether lists agree on which song stands beside which, and on which comes first.

    Parameters
    ----------
    sequences : Sequences
        Without copies (:func:`drop_near_copies`): two of one list agree in everything.
    labels : ndarray, shape (songs,), optional
        Of each song (its artist): pairs of one label are left out, so that an album in its own
        order is no agreement.
    n_shuffles : int
    random_state : int

    Returns
    -------
    Recurrence

    Raises
    ------
    ValueError
        No list has two neighbours (of different labels).

    Examples
    --------
    >>> names, songs = [*"xxxxyyyy"], [*"abcdabef"]
    >>> plays = pd.DataFrame({"user_id": names, "id": songs, "place": [*range(4)] * 2})
    >>> found = measure_recurrence(read_sequences(plays))
    >>> found.n_pairs, round(found.share, 2), found.n_recurring
    (6, 0.33, 1)
    """
    entry = sequences.find_neighbours()
    rng = np.random.default_rng(random_state)
    chances = []
    for _ in range(n_shuffles):
        order = np.lexsort((rng.random(len(sequences.song)), sequences.group))
        chances.append(_share_recurring(_number_pairs(sequences.song[order], entry, labels)[0]))
    pair, is_forward = _number_pairs(sequences.song, entry, labels)
    if not len(pair):
        raise ValueError("sequences: expected lists with neighbours, found none")
    agreement = _agree(pair, is_forward)
    direction = (np.nan, np.nan, np.nan)
    if len(agreement) > 1:
        direction = bootstrap(np.mean, agreement, n_draws=1000)
    return Recurrence(
        len(pair),
        _share_recurring(pair),
        float(np.mean(chances)),
        min(chances),
        max(chances),
        len(agreement),
        *(float(value) for value in direction),
    )


def _number_pairs(
    song: IntArray, entry: IntArray, labels: NDArray[Any] | None
) -> tuple[IntArray, NDArray[np.bool_]]:
    """Return a number for each pair, whichever comes first, and whether the smaller does."""
    if labels is not None:
        entry = entry[labels[song[entry]] != labels[song[entry + 1]]]
    first, second = song[entry], song[entry + 1]
    pair = np.minimum(first, second) * (song.max() + 1) + np.maximum(first, second)
    return pair, first < second


def _share_recurring(pair: IntArray) -> float:
    _, counts = np.unique(pair, return_counts=True)
    return float(counts[counts > 1].sum() / max(len(pair), 1))


def _agree(pair: IntArray, is_forward: NDArray[np.bool_]) -> FloatArray:
    """Return for each pair of several lists how often two of them have it in the same order."""
    _, which, counts = np.unique(pair, return_inverse=True, return_counts=True)
    forward = np.bincount(which, is_forward)
    backward = counts - forward
    several = counts > 1
    alike = forward * (forward - 1) + backward * (backward - 1)
    return np.asarray(alike[several] / (counts * (counts - 1))[several])
