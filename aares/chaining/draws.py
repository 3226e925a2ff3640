"""Pairs to learn from and pairs to judge by: the study's 300, drawn and split in three ways.

Used by notebook 06. The study's labels are lost. Here a pair is called chainable by a proxy: two
songs of one group (an album, a genre). Half of the pairs are, as in the study.

A pair is not independent of another with the same song: what is learnt of songs helps with pairs
that were never seen. So the same is judged three times: on *random pairs* (songs and albums known,
which is what a random split of 300 pairs measures), on pairs of *unseen songs* (of known albums),
and of *unseen albums* (or genres).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from aares.chaining.distances import Rows

Split = Literal["random pairs", "unseen songs", "unseen groups"]
SPLITS: tuple[Split, ...] = ("random pairs", "unseen songs", "unseen groups")
N_TRAIN, N_TEST = 212, 88  # of 300 pairs; the slides' tree is tested on 88
_TRIES = 200


@dataclass(frozen=True)
class SongPairs:
    """Pairs, and whether they are called chainable.

    Parameters
    ----------
    a, b : ndarray of int, shape (n,)
        Rows of the songs; which comes first was drawn.
    labels : ndarray of bool, shape (n,)
    """

    a: Rows
    b: Rows
    labels: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.a)

    def take(self, rows: Rows) -> SongPairs:
        """Return some of the pairs.

        Parameters
        ----------
        rows : ndarray of int, shape (k,)

        Returns
        -------
        SongPairs
            In the order of `rows`.
        """
        return SongPairs(self.a[rows], self.b[rows], self.labels[rows])


def sample_pairs(
    groups: npt.ArrayLike, n: int, *, songs: Rows | None = None, rng: np.random.Generator
) -> SongPairs:
    """Draw different pairs, half of them of one group.

    Parameters
    ----------
    groups : array-like, shape (n_songs,)
        Album or genre of each song.
    n : int
        Even. Fewer are drawn where there are not so many of one kind.
    songs : ndarray of int, optional
        Rows to draw from; default all.
    rng : Generator

    Returns
    -------
    SongPairs
        As many of one group as of two.

    Raises
    ------
    ValueError
        No two songs are of one group, or all are.

    Examples
    --------
    >>> pairs = sample_pairs(["x", "x", "y", "y"], 4, rng=np.random.default_rng(0))
    >>> len(pairs), int(pairs.labels.sum())
    (4, 2)
    """
    _, codes = np.unique(np.asarray(groups), return_inverse=True)
    rows = np.arange(len(codes)) if songs is None else np.sort(songs)
    first, second = np.triu_indices(len(rows), 1)
    first, second = rows[first], rows[second]
    same = codes[first] == codes[second]
    kinds = [np.flatnonzero(same), np.flatnonzero(~same)]
    size = min(n // 2, *map(len, kinds))
    if size < 1:
        raise ValueError(
            f"expected pairs of one group and of two among {len(rows)} songs, found {len(kinds[0])}"
            f" and {len(kinds[1])}"
        )
    chosen = np.concatenate([rng.choice(kind, size, replace=False) for kind in kinds])
    turned = rng.random(2 * size) < 0.5
    a, b = np.where(turned, [second[chosen], first[chosen]], [first[chosen], second[chosen]])
    return SongPairs(a, b, same[chosen]).take(rng.permutation(2 * size))


def sample_split(
    groups: npt.ArrayLike,
    split: Split,
    *,
    n_train: int = N_TRAIN,
    n_test: int = N_TEST,
    rng: np.random.Generator,
) -> tuple[SongPairs, SongPairs]:
    """Draw pairs to learn from and pairs to judge by.

    Parameters
    ----------
    groups : array-like, shape (n_songs,)
        Album or genre of each song.
    split : {"random pairs", "unseen songs", "unseen groups"}
        The two latter halve each group's songs, or the groups, and draw from each half.
    n_train, n_test : int
        Even; fewer are drawn where there are not so many.
    rng : Generator

    Returns
    -------
    train, test : SongPairs
        Without a pair in common; by the two latter without a song, or a group, in common.

    Raises
    ------
    ValueError
        Unknown split, or too few songs for it.

    Examples
    --------
    >>> groups = np.repeat(["x", "y", "z", "w"], 6)
    >>> train, test = sample_split(groups, "unseen groups", rng=np.random.default_rng(0))
    >>> known = set(groups[train.a]) | set(groups[train.b])
    >>> known & (set(groups[test.a]) | set(groups[test.b]))
    set()
    """
    labels = np.asarray(groups)
    if split == "random pairs":
        return _halve_pairs(sample_pairs(labels, n_train + n_test, rng=rng), n_train, n_test)
    if split not in SPLITS:
        raise ValueError(f"split: expected one of {', '.join(SPLITS)}, found {split!r}")
    halve = _halve_songs if split == "unseen songs" else _halve_groups
    for _ in range(_TRIES):
        unseen = halve(labels, rng)
        seen = np.setdiff1d(np.arange(len(labels)), unseen)
        if _has_both(labels[seen]) and _has_both(labels[unseen]):
            return (
                sample_pairs(labels, n_train, songs=seen, rng=rng),
                sample_pairs(labels, n_test, songs=unseen, rng=rng),
            )
    raise ValueError(
        f"{split}: expected two halves with pairs of one group and of two, found none among "
        f"{len(labels)} songs of {len(set(labels.tolist()))} groups"
    )


def _halve_pairs(pairs: SongPairs, n_train: int, n_test: int) -> tuple[SongPairs, SongPairs]:
    """Split pairs, which stand in an order that was drawn, with as many of each label."""
    kinds = [np.flatnonzero(pairs.labels), np.flatnonzero(~pairs.labels)]
    size = round(len(kinds[0]) * n_train / (n_train + n_test))
    size = min(max(size, 1), len(kinds[0]) - 1)
    if size < 1:
        raise ValueError(f"expected at least 4 pairs to split, found {len(pairs)}")
    train = np.sort(np.concatenate([kind[:size] for kind in kinds]))
    test = np.sort(np.concatenate([kind[size:] for kind in kinds]))
    return pairs.take(train), pairs.take(test)


def _halve_songs(groups: npt.NDArray[np.generic], rng: np.random.Generator) -> Rows:
    """Return half of the songs of each group, one more or less by chance where it is odd."""
    chosen = []
    for name in np.unique(groups):
        rows = rng.permutation(np.flatnonzero(groups == name))
        chosen.append(rows[: (len(rows) + rng.integers(0, 2)) // 2])
    return np.concatenate(chosen)


def _halve_groups(groups: npt.NDArray[np.generic], rng: np.random.Generator) -> Rows:
    """Return the songs of half of the groups."""
    names = rng.permutation(np.unique(groups))
    return np.flatnonzero(np.isin(groups, names[: (len(names) + rng.integers(0, 2)) // 2]))


def _has_both(groups: npt.NDArray[np.generic]) -> bool:
    """Tell whether there are pairs of one group and pairs of two."""
    _, counts = np.unique(groups, return_counts=True)
    return len(counts) > 1 and bool(counts.max(initial=0) > 1)
