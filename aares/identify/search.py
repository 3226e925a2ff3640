"""Stages of a search: hashes vote for places, peaks decide between them, the best is doubted.

Used by notebook 04 through :class:`aares.identify.Index`.

1. *Votes.* Each hash of the query is looked up; each posting votes for the place in the catalogue
   at which the query would begin. A rare hash counts more than a common one. All votes are sorted
   once; where they crowd is a candidate.
2. *Evidence.* For each candidate every indexed peak of the recording is looked up in the query's
   spectrogram. A pixel's evidence is its power in units of what is usual in its bin, capped, minus
   the mean of its bin and of its step, over the spread of its bin: at a wrong place it is zero on
   average, whatever key or beat two pieces have in common. Peaks that noise hides from stage 1
   still count here: it is a matched filter. Strong peaks weigh more, as noise hides them last.
3. *Doubt.* The best place is looked at more closely (`examine`): another piece on the same
   instrument agrees in a few strong notes at one moment; the right one agrees a little everywhere,
   and does not lose all of it a few frames beside.

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

from typing import NamedTuple

import numpy as np
from numba import njit

from aares.identify.peaks import FIRST_BIN, N_BINS, STEPS, Peaks, grade_peaks

WINDOW_STEPS = 3  # votes within so many steps are for one place
REFINE_STEPS = 2  # evidence is looked for this far around a candidate
SILENCE = 1e-6  # of the loudest frame's energy
CAP = 10.0  # no pixel counts as more than so many times the usual power of its bin
BESIDE = np.array([-14, -10, -8, 8, 10, 14])  # steps; windows share half of their sound, or less
EIGHTHS = 8  # evidence is kept in eighths
# Noise hides weak peaks first. In white noise at -15 dB the mean evidence of the four quarters is
# as 0.4 : 1.1 : 1.7 : 2.4, without noise all are equal: the best weights for noise, made milder.
STRENGTH_WEIGHTS = (2, 4, 5, 7)
_WEIGHT_BITS = 12
_TILE = 16  # steps


class Segment(NamedTuple):
    """Postings and peaks of some recordings, as arrays that may lie on disk.

    Parameters
    ----------
    keys : ndarray of uint32, shape (n_keys,)
        Different hashes, ascending.
    starts : ndarray of uint32, shape (n_keys + 1,)
        Where the postings of each begin.
    postings : ndarray of uint32, shape (n_postings,)
        Frames of the anchors, counted through all recordings.
    blocks : ndarray of uint32, shape (n_blocks + 1,)
        Where the peaks of each block of 32 frames begin.
    peaks : ndarray of uint16, shape (n_peaks,)
        ``strength << 14 | frame in the block << 9 | bin``; strength is the quarter of the
        recording's peaks to which this one belongs, 0 for the weakest.
    """

    keys: np.ndarray
    starts: np.ndarray
    postings: np.ndarray
    blocks: np.ndarray
    peaks: np.ndarray


def make_table(keys: np.ndarray) -> np.ndarray:
    """Return where each run of 64 hashes begins in `keys`, to find a hash in one or two steps.

    Parameters
    ----------
    keys : ndarray of uint32, shape (n,)
        Ascending.

    Returns
    -------
    ndarray of uint32, shape (65537,)
    """
    return np.searchsorted(keys, np.arange(0, (1 << 22) + 1, 64)).astype(np.uint32)


def vote(
    segment: Segment,
    table: np.ndarray,
    hashes: np.ndarray,
    times: np.ndarray,
    *,
    budget: int,
    n_places: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the places for which most hashes vote.

    Parameters
    ----------
    segment : Segment
    table : ndarray
        From `make_table`.
    hashes : ndarray of uint32, shape (n,)
        Of the query.
    times : ndarray of int32, shape (n,)
        Their steps.
    budget : int
        At most so many postings vote; those of the rarest hashes go first.
    n_places : int
        At most so many places are returned.

    Returns
    -------
    places : ndarray of int64, shape (m,)
        Steps at which the query begins, best first; may be negative.
    scores : ndarray of float32, shape (m,)
        Sum of the votes' weights, in bits.
    """
    votes = _gather(segment.keys, segment.starts, segment.postings, table, hashes, times, budget)
    votes.sort()
    return _find_crowds(votes, n_places)


@njit(cache=True)
def _look_up(keys, starts, table, hashes):
    """Return the row of each hash and its number of postings, 0 for a hash that is not there."""
    rows = np.empty(len(hashes), dtype=np.int64)
    counts = np.zeros(len(hashes), dtype=np.int64)
    for i in range(len(hashes)):
        key = hashes[i]
        low, high = table[key >> 6], table[(key >> 6) + 1]
        for row in range(low, high):
            if keys[row] >= key:
                if keys[row] == key:
                    rows[i] = row
                    counts[i] = starts[row + 1] - starts[row]
                break
    return rows, counts


@njit(cache=True)
def _choose_rare(counts, budget):
    """Return which hashes vote: the rarest, and of equally rare ones the first, within budget."""
    chosen = counts > 0
    if counts.sum() <= budget:
        return chosen
    # how many hashes have so many postings; none of more than the budget can vote
    tally = np.zeros(budget + 2, dtype=np.int64)
    for count in counts:
        tally[min(count, budget + 1)] += 1
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
def _gather(keys, starts, postings, table, hashes, times, budget):
    """Return votes, place above weight: sorting them sorts the places."""
    rows, counts = _look_up(keys, starts, table, hashes)
    chosen = _choose_rare(counts, budget)
    votes = np.empty(counts[chosen].sum(), dtype=np.int64)
    total = np.log2(len(postings) + 1.0)
    filled = 0
    for i in range(len(rows)):
        if not chosen[i]:
            continue
        bits = max(total - np.log2(counts[i] + 0.0), 1.0)
        weight = np.int64(min(bits * 64, (1 << _WEIGHT_BITS) - 1.0))
        for k in range(starts[rows[i]], starts[rows[i]] + counts[i]):
            place = np.int64(postings[k]) * STEPS - times[i]
            votes[filled] = (place << _WEIGHT_BITS) | weight
            filled += 1
    return votes


@njit(cache=True)
def _find_crowds(votes, n_places):
    """Return the places around which the sum of weights is highest, and these sums; best first."""
    n = len(votes)
    mask = (1 << _WEIGHT_BITS) - 1
    places = np.empty(n, dtype=np.int64)
    scores = np.empty(n, dtype=np.float32)
    filled, first, total = 0, 0, 0
    for last in range(n):
        total += votes[last] & mask
        place = votes[last] >> _WEIGHT_BITS
        while (votes[first] >> _WEIGHT_BITS) < place - WINDOW_STEPS:
            total -= votes[first] & mask
            first += 1
        centre = ((votes[first] >> _WEIGHT_BITS) + place) // 2
        score = total / np.float32(64)
        if filled and centre - places[filled - 1] <= 2 * WINDOW_STEPS:
            if score > scores[filled - 1]:
                places[filled - 1], scores[filled - 1] = centre, score
        else:
            places[filled], scores[filled] = centre, score
            filled += 1
    order = _list_highest(scores[:filled], min(n_places, filled))
    return places[order], scores[order]


@njit(cache=True)
def _list_highest(scores, n):
    """Return where the highest scores are, falling; where not all equal ones fit, evenly some."""
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    limit = np.partition(scores, len(scores) - n)[-n]
    above = np.flatnonzero(scores > limit)
    level = np.flatnonzero(scores == limit)
    left = n - len(above)
    above = above[np.argsort(-scores[above], kind="mergesort")]
    return np.concatenate((above, level[np.arange(left) * len(level) // left]))


class Evidence(NamedTuple):
    """What a query says of each pixel.

    Parameters
    ----------
    power : ndarray of float32, shape (n_steps, 512)
    excess : ndarray of int8, shape (512, n_steps)
        How far a pixel lies above the mean of its bin and of its step, in eighths of its bin's
        spread: small enough for a core's cache, with the steps around a place side by side.
    """

    power: np.ndarray
    excess: np.ndarray


def weigh_evidence(power: np.ndarray) -> Evidence:
    """Prepare a query's spectrogram for `measure`.

    Parameters
    ----------
    power : ndarray of float32, shape (512, n_steps)
        From `peaks.compute_power` with a hop of one step.

    Returns
    -------
    Evidence
    """
    rows = np.ascontiguousarray(power.T)
    some = rows[::STEPS]
    energy = some[:, FIRST_BIN:].sum(axis=1)
    loud = energy > np.float32(SILENCE) * energy.max(initial=0)
    if not loud.all():  # a pause would pull every mean down
        some = some[loud] if loud.any() else some[:1]
    # the bits of a float are nearly its logarithm
    levels = some.view(np.int32).mean(axis=0, dtype=np.float32)
    usual = 1 / np.maximum(levels.astype(np.int32).view(np.float32), np.float32(1e-20))
    return Evidence(rows, _normalise(rows, np.ascontiguousarray(some), usual))


@njit(cache=True, fastmath=True)
def _normalise(rows, some, usual):
    """Return the evidence of each pixel; `usual` is one over the geometric mean of each bin."""
    n_steps, n_bins = rows.shape
    used = len(some)
    mean, square = np.zeros(n_bins, dtype=np.float32), np.zeros(n_bins, dtype=np.float32)
    for t in range(used):
        for b in range(n_bins):
            value = min(some[t, b] * usual[b], np.float32(CAP))
            mean[b] += value
            square[b] += value * value
    scale = np.zeros(n_bins, dtype=np.float32)
    for b in range(n_bins):
        mean[b] /= used
        variance = square[b] / used - mean[b] * mean[b]
        # a bin that never changes says nothing
        if variance > np.float32(1e-4):
            scale[b] = np.float32(1) / np.sqrt(variance)
    excess = np.empty((n_bins, n_steps), dtype=np.int8)
    some_steps = np.empty((_TILE, n_bins), dtype=np.float32)
    for start in range(0, n_steps, _TILE):
        count = min(_TILE, n_steps - start)
        for t in range(count):
            total = np.float32(0)
            for b in range(n_bins):
                value = min(rows[start + t, b] * usual[b], np.float32(CAP))
                some_steps[t, b] = (value - mean[b]) * scale[b]
                total += some_steps[t, b]
            some_steps[t] -= total / np.float32(n_bins)
        for b in range(n_bins):
            for t in range(count):
                value = np.rint(some_steps[t, b] * np.float32(EIGHTHS))
                excess[b, start + t] = np.int8(max(min(value, 127), -127))
    return excess


@njit(cache=True, fastmath=True)
def measure(blocks, peaks, places, excess, speed, refine):
    """Sum the evidence of the indexed peaks at each place, each weighted by its strength.

    Parameters
    ----------
    blocks, peaks : ndarray
        Of a `Segment`.
    places : ndarray of int64, shape (m,)
    excess : ndarray of int8, shape (512, n_steps)
        Of an `Evidence`.
    speed : float
        Of the query.
    refine : int
        So many steps to either side are tried.

    Returns
    -------
    scores : ndarray of float32, shape (m,)
        Sum over the root of the squared weights' sum: of order 1 at a wrong place.
    best : ndarray of int64, shape (m,)
        The place with that score.
    """
    scores = np.full(len(places), -np.inf, dtype=np.float32)
    best = places.copy()
    length = int(excess.shape[1] * speed)
    sums = np.zeros((2, 2 * refine + 1), dtype=np.int64)  # of evidence, of squared weights
    for i in range(len(places)):
        sums[:] = 0
        low = max((places[i] - refine) // (STEPS * 32), 0)
        high = min((places[i] + refine + length) // (STEPS * 32) + 1, len(blocks) - 1)
        for block in range(low, high):
            for k in range(blocks[block], blocks[block + 1]):
                t = (block * 32 + (peaks[k] >> 9 & 31)) * STEPS - places[i]
                weight = STRENGTH_WEIGHTS[peaks[k] >> 14]
                if speed == 1:
                    _add(sums, excess[peaks[k] & 511], t, weight)
                else:
                    b = int(np.rint((peaks[k] & 511) * speed))
                    if b < N_BINS:
                        _add_at_speed(sums, excess[b], t, weight, speed)
        for r in range(2 * refine + 1):
            score = sums[0, r] / (EIGHTHS * np.sqrt(np.float32(max(sums[1, r], 1))))
            if sums[1, r] > 0 and score > scores[i]:
                scores[i] = score
                best[i] = places[i] + r - refine
    return scores, best


@njit(cache=True, inline="always")
def _add(sums, row, t, weight):
    """Add the evidence of a peak `t` steps into the query, and of one a few steps beside it."""
    refine = sums.shape[1] // 2
    if refine <= t < len(row) - refine:
        for r in range(2 * refine + 1):
            sums[0, r] += weight * np.int64(row[t + refine - r])
            sums[1, r] += weight * weight
    else:
        _add_at_speed(sums, row, t, weight, 1.0)


@njit(cache=True)
def _add_at_speed(sums, row, t, weight, speed):
    """Do the same at another speed, or at the ends of the query."""
    refine = sums.shape[1] // 2
    for r in range(2 * refine + 1):
        step = int(np.rint((t + refine - r) / speed))
        if 0 <= step < len(row):
            sums[0, r] += weight * np.int64(row[step])
            sums[1, r] += weight * weight


def examine(segment: Segment, place: int, excess: np.ndarray, speed: float) -> tuple[float, float]:
    """Look closely at one place, which may only resemble the query.

    Parameters
    ----------
    segment : Segment
    place : int
    excess : ndarray of int8, shape (512, n_steps)
        Of an `Evidence`.
    speed : float
        Of the query.

    Returns
    -------
    breadth : float
        Score if no pixel counted for more than its bin's spread.
    beside : float
        Highest score 0.13 to 0.22 s beside the place.
    """
    blocks, packed = segment.blocks, segment.peaks
    little = np.clip(excess, -EIGHTHS, EIGHTHS)
    breadth, _ = measure(blocks, packed, np.array([place]), little, speed, 0)
    beside, _ = measure(blocks, packed, place + BESIDE, excess, speed, 0)
    return max(float(breadth[0]), 0.0), max(float(beside.max()), 0.0)


def measure_own(found: Peaks, evidence: Evidence) -> float:
    """Return the score that `measure` would give to a recording with the query's own peaks.

    Parameters
    ----------
    found : Peaks
        Of the query, in steps.
    evidence : Evidence

    Returns
    -------
    float
        0 without peaks.
    """
    weights = np.array(STRENGTH_WEIGHTS)[grade_peaks(evidence.power[found.time, found.bin])]
    total = np.dot(weights, evidence.excess[found.bin, found.time].astype(np.int64))
    return float(total / (EIGHTHS * np.sqrt(max((weights**2).sum(), 1))))
