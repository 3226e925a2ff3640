"""The first stage of a search: hashes vote for places in the catalogue.

Used by :class:`aares.identify.Index`. Each hash of the query is looked up; each posting votes for
the place at which the query would begin. A rare hash counts more than a common one. All votes are
sorted once; where they crowd is a candidate, which :mod:`.evidence` weighs.

Conventions
-----------
A *place* is a time of the whole catalogue in steps (16 ms): the recordings lie one after another.

References
----------
.. [1] A. L.-C. Wang, "An Industrial-Strength Audio Search Algorithm", ISMIR 2003: section 2.3.
.. [2] G. Salton and C. Buckley, "Term-weighting approaches in automatic text retrieval",
   Information Processing & Management 24(5), 1988: section 2 (rare terms count more).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit

from aares.identify.peaks import STEPS
from aares.identify.segment import Segment

Check = Callable[[np.ndarray, np.ndarray], None]
WINDOW_STEPS = 3  # votes within so many steps are for one place, at sharp times
_WEIGHT_BITS = 12
_HEIGHTS = 4096  # of crowds, in bits; higher ones count as these


def find_places(
    segment: Segment,
    table: np.ndarray,
    hashes: np.ndarray,
    times: np.ndarray,
    *,
    budget: int,
    n_places: int,
    weights: np.ndarray | None = None,
    slack: int = 0,
    check: Check | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the places for which most hashes vote.

    Parameters
    ----------
    segment : Segment
    table : ndarray of uint32, shape (65537,)
        From `segment.make_table`.
    hashes : ndarray of uint32, shape (n,)
        Of the query.
    times : ndarray of int32, shape (n,)
        Their steps.
    budget : int
        At most so many postings vote; those of the rarest hashes go first.
    n_places : int
        At most so many places are returned.
    weights : ndarray of float32, shape (n,), optional
        From `pairs.blur_delays`; each hash has its whole weight without.
    slack : int
        Frames by which the times are uncertain, beside the 3 steps within which votes agree.
    check : callable, optional
        Called with where the postings that vote begin and end, before they are read.

    Returns
    -------
    places : ndarray of int64, shape (m,)
        Steps at which the query begins, best first; may be negative.
    scores : ndarray of float32, shape (m,)
        Sum of the votes' weights, in bits.

    Examples
    --------
    Hashes 7 and 9 were indexed at frames 100 and 110, the query has them at steps 4 and 24: both
    vote for step 200 - 4, with log2(2 + 1) bits each.

    >>> from aares.identify.segment import make_segment, make_table
    >>> hashes, frames = np.array([7, 9], dtype=np.uint32), np.array([100, 110], dtype=np.uint32)
    >>> segment = make_segment(hashes, frames, np.array([0]), np.array([], dtype=np.uint16))
    >>> table, steps = make_table(segment.keys), np.array([4, 24], dtype=np.int32)
    >>> places, scores = find_places(segment, table, hashes, steps, budget=10, n_places=3)
    >>> places.tolist(), round(float(scores[0]), 1)
    ([196], 3.2)
    """
    if weights is None:
        weights = np.ones(len(hashes), dtype=np.float32)
    first, counts = _look_up(segment.keys, segment.starts, table, hashes)
    weighed = _weigh_chosen(counts, weights, len(segment.postings), budget)
    if check is not None:
        check(first, first + np.where(weighed, counts, 0))
    votes = _gather(segment.postings, first, counts, weighed, times)
    votes.sort()
    places, scores = _find_crowds(votes, n_places, measure_window(slack))
    return places, scores


def measure_window(slack: int) -> int:
    """Return how far apart two votes for one place may be.

    Parameters
    ----------
    slack : int
        See `find_places`.

    Returns
    -------
    int
        In steps.

    Examples
    --------
    >>> measure_window(0), measure_window(2)
    (3, 7)
    """
    return WINDOW_STEPS + STEPS * slack


# --- the halves of `find_places`, for postings that are looked up elsewhere ----------------------


def weigh_hashes(
    counts: np.ndarray, weights: np.ndarray, *, n_postings: int, budget: int
) -> np.ndarray:
    """Tell which hashes of a query vote, and with how much.

    Parameters
    ----------
    counts : ndarray of int64, shape (n,)
        Postings of each hash.
    weights : ndarray of float32, shape (n,)
    n_postings : int
        Of the whole catalogue.
    budget : int
        See `find_places`.

    Returns
    -------
    ndarray of int64, shape (n,)
        In 64ths of a bit; 0 for a hash that does not vote.

    Examples
    --------
    Of 1024 postings, one of 4 tells 8 bits; the hash that is not there tells nothing, and the
    commonest one does not fit into the budget.

    >>> counts, weights = np.array([4, 0, 512]), np.ones(3, dtype=np.float32)
    >>> weigh_hashes(counts, weights, n_postings=1023, budget=100).tolist()
    [512, 0, 0]
    """
    weights = np.asarray(weights, dtype=np.float32)
    return _weigh_chosen(np.asarray(counts, dtype=np.int64), weights, n_postings, budget)


def find_crowds(
    places: np.ndarray, weights: np.ndarray, *, n_places: int, slack: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Find the places around which votes crowd.

    Parameters
    ----------
    places : ndarray of int64, shape (n,)
        Rising: those that have votes, in steps.
    weights : ndarray of int64, shape (n,)
        Sum of the votes of each, in 64ths of a bit, at least 1.
    n_places, slack : int
        See `find_places`.

    Returns
    -------
    places, scores : ndarray, shape (m,)
        As of `find_places`.

    Examples
    --------
    Two votes a step apart are for one place.

    >>> places, scores = find_crowds(np.array([5, 6, 90]), np.array([64, 128, 64]), n_places=9)
    >>> places.tolist(), scores.tolist()
    ([5, 90], [3.0, 1.0])
    """
    most = (1 << _WEIGHT_BITS) - 1  # of one vote; a heavier place is several votes
    repeats = -(-weights // most)
    votes = np.repeat(places << _WEIGHT_BITS, repeats) | most
    votes[np.cumsum(repeats) - 1] -= repeats * most - weights
    found, scores = _find_crowds(votes, n_places, measure_window(slack))
    return found, scores


@njit(cache=True)
def _look_up(
    keys: np.ndarray, starts: np.ndarray, table: np.ndarray, hashes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return where the postings of each hash begin, and their number: 0 where there are none."""
    first = np.zeros(len(hashes), dtype=np.int64)
    counts = np.zeros(len(hashes), dtype=np.int64)
    for i in range(len(hashes)):
        key = hashes[i]
        low, high = table[key >> 6], table[(key >> 6) + 1]
        for row in range(low, high):
            if keys[row] >= key:
                if keys[row] == key:
                    first[i] = starts[row]
                    counts[i] = starts[row + 1] - starts[row]
                break
    return first, counts


@njit(cache=True)
def _choose_rare(counts: np.ndarray, budget: int) -> np.ndarray:
    """Return which hashes vote: the rarest, and of equally rare ones the first, within budget."""
    chosen = counts > 0
    if counts.sum() <= budget:
        return chosen
    # how many hashes have so many postings; none of more than the budget can vote
    most = min(budget, counts.max()) + 1
    tally = np.zeros(most + 1, dtype=np.int64)
    for count in counts:
        tally[min(count, most)] += 1
    limit, left = 1, budget
    while tally[limit] * limit <= left:
        left -= tally[limit] * limit
        limit += 1
    quota = left // limit
    for i in range(len(counts)):
        if counts[i] == limit and quota:
            quota -= 1
        elif counts[i] >= limit:
            chosen[i] = False
    return chosen


@njit(cache=True)
def _choose_weighty(counts: np.ndarray, weights: np.ndarray, budget: int) -> np.ndarray:
    """Let hashes as they were heard vote before blurred ones, which have what is left."""
    heard = weights >= 1
    chosen = _choose_rare(np.where(heard, counts, 0), budget)
    left = budget - counts[chosen].sum()
    chosen |= _choose_rare(np.where(heard, 0, counts), left)
    return chosen


@njit(cache=True)
def _gather(
    postings: np.ndarray,
    first: np.ndarray,
    counts: np.ndarray,
    weighed: np.ndarray,
    times: np.ndarray,
) -> np.ndarray:
    """Return votes, place above weight: sorting them sorts the places."""
    votes = np.empty(counts[weighed > 0].sum(), dtype=np.int64)
    filled = 0
    for i in range(len(first)):
        if not weighed[i]:
            continue
        for k in range(first[i], first[i] + counts[i]):
            place = np.int64(postings[k]) * STEPS - times[i]
            votes[filled] = (place << _WEIGHT_BITS) | weighed[i]
            filled += 1
    return votes


@njit(cache=True)
def _weigh_chosen(
    counts: np.ndarray, weights: np.ndarray, n_postings: int, budget: int
) -> np.ndarray:
    """Return the weight of each hash that votes, at least 1, and 0 for the others."""
    chosen = _choose_weighty(counts, weights, budget)
    weighed = np.zeros(len(counts), dtype=np.int64)
    total = np.log2(n_postings + 1.0)
    for i in range(len(counts)):
        if chosen[i]:
            bits = max(total - np.log2(counts[i] + 0.0), 1.0)
            # Rounded: a power of two is a whole number of bits, which cut off could lose one of 64.
            weighed[i] = max(min(np.rint(bits * 64 * weights[i]), (1 << _WEIGHT_BITS) - 1.0), 1.0)
    return weighed


@njit(cache=True)
def _find_crowds(
    votes: np.ndarray, n_places: int, window: int = WINDOW_STEPS
) -> tuple[np.ndarray, np.ndarray]:
    """Return the places around which the sum of weights is highest, and these sums; best first.

    Most votes are alone. Once `n_places` crowds of some height are behind, what is lower changes
    nothing: it cannot be among the highest, and cannot take the place of one that is. Where too few
    votes are near, even of the heaviest, they are not summed.
    """
    n = len(votes)
    mask = (1 << _WEIGHT_BITS) - 1
    places = np.empty(n, dtype=np.int64)
    scores = np.empty(n, dtype=np.float32)
    tally = np.zeros(_HEIGHTS, dtype=np.int64)  # of the crowds behind, by whole bits
    floor, above = 0, 0  # bits that `above` of them have, at most `n_places` a bit more
    heaviest = 1
    for vote in votes:
        heaviest = max(heaviest, vote & mask)
    others = 0  # votes that a crowd of `floor` has at least, beside the last one
    filled, first, added, total = 0, 0, 0, 0  # `total` is of the votes from `first` to `added`
    for last in range(n):
        place = votes[last] >> _WEIGHT_BITS
        if last < others or (votes[last - others] >> _WEIGHT_BITS) < place - window:
            continue
        start, more = last + 1, 0
        while start > added and (votes[start - 1] >> _WEIGHT_BITS) >= place - window:
            start -= 1
            more += votes[start] & mask
        if start > added:
            first, total = start, 0
        while (votes[first] >> _WEIGHT_BITS) < place - window:
            total -= votes[first] & mask
            first += 1
        total += more
        added = last + 1
        if total < floor << 6:
            continue
        centre = ((votes[first] >> _WEIGHT_BITS) + place) // 2
        score = total / np.float32(64)
        if filled and centre - places[filled - 1] <= 2 * window:
            if score > scores[filled - 1]:
                places[filled - 1], scores[filled - 1] = centre, score
            continue
        if filled:
            height = min(int(scores[filled - 1]), _HEIGHTS - 1)
            tally[height] += 1
            above += height >= floor
            while floor < _HEIGHTS - 1 and above - tally[floor] >= n_places:
                above -= tally[floor]
                floor += 1
            others = max((floor << 6) - 1, 0) // heaviest
        places[filled], scores[filled] = centre, score
        filled += 1
    order = _list_highest(scores[:filled], min(n_places, filled))
    return places[order], scores[order]


@njit(cache=True)
def _list_highest(scores: np.ndarray, n: int) -> np.ndarray:
    """Return where the highest scores are, falling; where not all equal ones fit, evenly some."""
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    limit = np.partition(scores, len(scores) - n)[-n]
    above = np.flatnonzero(scores > limit)
    level = np.flatnonzero(scores == limit)
    left = n - len(above)
    above = above[np.argsort(-scores[above], kind="mergesort")]
    return np.concatenate((above, level[np.arange(left) * len(level) // left]))
