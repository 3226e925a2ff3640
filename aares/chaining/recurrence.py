"""Whether people's lists agree on which song stands beside which, and on which comes first.

Used by notebook 06 and ``benchmarks/chaining/listeners.py``; lists are those of :mod:`.sequences`.

Conventions
-----------
A pair is two neighbours, whichever comes first. It recurs where they are neighbours in another list
too; chance is how often pairs do once the songs of each list are shuffled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aares.chaining.sequences import FloatArray, IntArray, Sequences
from aares.scores import bootstrap


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
        Without copies (:func:`.drop_near_copies`): two of one list agree in everything.
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
    >>> import pandas as pd
    >>> from aares.chaining.sequences import read_sequences
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
