"""The second stage of a search: the peaks of a place are looked up in the query's spectrogram.

Used by :class:`aares.identify.Index`.

* *Evidence.* A pixel's evidence is its amplitude in units of what is usual in its bin, capped,
  minus the mean of its bin and of its step, over the spread of its bin: at a wrong place it is zero
  on average, whatever key or beat two pieces have in common. Peaks that noise hides from the votes
  still count here: it is a matched filter. Strong peaks weigh more, as noise hides them last.
* *Doubt.* The best place is looked at more closely (`examine`): another piece on the same
  instrument agrees in a few strong notes at one moment; the right one agrees a little everywhere,
  and does not lose all of it a few frames beside.

Conventions
-----------
A *place* is a time of the whole catalogue in steps (16 ms), see :mod:`.vote`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from aares.identify.peaks import BLOCK_FRAMES, FIRST_BIN, N_BINS, STEPS, Peaks, grade_peaks
from aares.identify.segment import Segment, read_bin, read_frame, read_strength

REFINE_STEPS = 2  # evidence is looked for this far around a candidate
SILENCE = 1e-6  # of the loudest frame's energy
CAP = 100.0  # no pixel counts as more than so many times the usual power of its bin
BESIDE = np.array([-14, -10, -8, 8, 10, 14])  # steps; windows share half of their sound, or less
EIGHTHS = 8  # evidence is kept in eighths
# Noise hides weak peaks first. In white noise at -15 dB the mean evidence of the four quarters is
# as 0.4 : 1.1 : 1.7 : 2.4, without noise all are equal: the best weights for noise, made milder.
STRENGTH_WEIGHTS = (1, 3, 5, 8)
_TILE = 16  # steps


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

    Examples
    --------
    A tone that begins half-way: evidence against its bin before, for it afterwards.

    >>> from aares.identify.peaks import compute_power
    >>> y = np.random.default_rng(0).standard_normal(16_000, dtype=np.float32)
    >>> y[8000:] += 5 * np.sin(2 * np.pi * 1000 * np.arange(8000, dtype=np.float32) / 8000)
    >>> excess = weigh_evidence(compute_power(y, hop_length=128)).excess
    >>> tone = excess[round(1000 / 8000 * 2048)]
    >>> bool(tone[:40].max() < 0 < tone[-40:].min())
    True
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


@njit(cache=True)
def _normalise(rows: np.ndarray, some: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Return the evidence of each pixel; `usual` is one over the geometric mean of each bin."""
    n_steps, n_bins = rows.shape
    used = len(some)
    mean, square = np.zeros(n_bins, dtype=np.float32), np.zeros(n_bins, dtype=np.float32)
    for t in range(used):
        for b in range(n_bins):
            value = np.sqrt(min(some[t, b] * usual[b], np.float32(CAP)))
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
                value = np.sqrt(min(rows[start + t, b] * usual[b], np.float32(CAP)))
                some_steps[t, b] = (value - mean[b]) * scale[b]
                total += some_steps[t, b]
            some_steps[t] -= total / np.float32(n_bins)
        for b in range(n_bins):
            for t in range(count):
                value = np.rint(some_steps[t, b] * np.float32(EIGHTHS))
                excess[b, start + t] = np.int8(max(min(value, 127), -127))
    return excess


@njit(cache=True)
def measure(
    blocks: np.ndarray,
    peaks: np.ndarray,
    places: np.ndarray,
    excess: np.ndarray,
    speed: float,
    refine: int,
    pitch: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Sum the evidence of the indexed peaks at each place, each weighted by its strength.

    Parameters
    ----------
    blocks : ndarray of uint32, shape (n_blocks + 1,)
    peaks : ndarray of uint16, shape (n_peaks,)
        Both of a `Segment`.
    places : ndarray of int64, shape (m,)
    excess : ndarray of int8, shape (512, n_steps)
        Of an `Evidence`.
    speed : float
        Of the query.
    refine : int
        So many steps to either side are tried.
    pitch : float
        Factor by which the query is higher than at that speed.

    Returns
    -------
    scores : ndarray of float32, shape (m,)
        Sum over the root of the squared weights' sum: of order 1 at a wrong place.
    best : ndarray of int64, shape (m,)
        The place with that score.

    Examples
    --------
    A place scores far above 1 where the query is, and about 0 where it is not.

    >>> from aares.identify.catalogue import Settings, fingerprint, make_part
    >>> from aares.identify.query import make_query
    >>> y = np.random.default_rng(0).standard_normal(6 * 8000, dtype=np.float32)
    >>> segment = make_part([fingerprint("noise", y, Settings())], 0).segment
    >>> excess = make_query(y).evidence.excess
    >>> places = np.array([1, 60])
    >>> scores, best = measure(segment.blocks, segment.peaks, places, excess, 1.0, REFINE_STEPS)
    >>> scores.round().tolist(), best[0].item()
    ([26.0, -1.0], 0)
    """
    scores = np.full(len(places), -np.inf, dtype=np.float32)
    best = places.copy()
    length = int(excess.shape[1] * speed)
    plain = speed == 1 and pitch == 1
    sums = np.zeros((2, 2 * refine + 1), dtype=np.int64)  # of evidence, of squared weights
    inner = np.zeros(2 * refine + 1, dtype=np.int32)  # of evidence, of peaks that no end cuts off
    for i in range(len(places)):
        sums[:], inner[:], squares = 0, 0, 0
        low = max((places[i] - refine) // (STEPS * BLOCK_FRAMES), 0)
        high = min((places[i] + refine + length) // (STEPS * BLOCK_FRAMES) + 1, len(blocks) - 1)
        for block in range(low, high):
            for k in range(blocks[block], blocks[block + 1]):
                t = (block * BLOCK_FRAMES + read_frame(peaks[k])) * STEPS - places[i]
                weight = STRENGTH_WEIGHTS[read_strength(peaks[k])]
                if plain and refine <= t < excess.shape[1] - refine:
                    row = excess[read_bin(peaks[k]), t - refine : t + refine + 1]
                    for r in range(2 * refine + 1):
                        inner[r] += weight * np.int32(row[r])
                    squares += weight * weight
                elif plain:
                    _add_at_speed(sums, excess[read_bin(peaks[k])], t, weight, 1.0)
                else:
                    b = int(np.rint(read_bin(peaks[k]) * (speed * pitch)))
                    if b < N_BINS:
                        _add_at_speed(sums, excess[b], t, weight, speed)
        for r in range(2 * refine + 1):
            sums[0, r] += inner[2 * refine - r]
            sums[1, r] += squares
            score = sums[0, r] / (EIGHTHS * np.sqrt(np.float32(max(sums[1, r], 1))))
            if sums[1, r] > 0 and score > scores[i]:
                scores[i] = score
                best[i] = places[i] + r - refine
    return scores, best


@njit(cache=True)
def _add_at_speed(sums: np.ndarray, row: np.ndarray, t: int, weight: int, speed: float) -> None:
    """Add the evidence of a peak `t` steps into the query, and of one a few steps beside it."""
    refine = sums.shape[1] // 2
    for r in range(2 * refine + 1):
        step = int(np.rint((t + refine - r) / speed))
        if 0 <= step < len(row):
            sums[0, r] += weight * np.int64(row[step])
            sums[1, r] += weight * weight


def examine(
    segment: Segment, place: int, excess: np.ndarray, speed: float, pitch: float = 1.0
) -> tuple[float, float]:
    """Look closely at one place, which may only resemble the query.

    Parameters
    ----------
    segment : Segment
    place : int
    excess : ndarray of int8, shape (512, n_steps)
        Of an `Evidence`.
    speed, pitch : float
        Of the query, as for `measure`.

    Returns
    -------
    breadth : float
        Score if no pixel counted for more than its bin's spread.
    beside : float
        Highest score 0.13 to 0.22 s beside the place.

    Examples
    --------
    The right place keeps its score where every pixel counts little, and loses it beside.

    >>> from aares.identify.catalogue import Settings, fingerprint, make_part
    >>> from aares.identify.query import make_query
    >>> y = np.random.default_rng(0).standard_normal(6 * 8000, dtype=np.float32)
    >>> part, query = make_part([fingerprint("noise", y, Settings())], 0), make_query(y)
    >>> breadth, beside = examine(part.segment, 0, query.evidence.excess, 1.0)
    >>> breadth > 2 * beside
    True
    """
    blocks, packed = segment.blocks, segment.peaks
    little = np.clip(excess, -EIGHTHS, EIGHTHS)
    breadth, _ = measure(blocks, packed, np.array([place]), little, speed, 0, pitch)
    beside, _ = measure(blocks, packed, place + BESIDE, excess, speed, 0, pitch)
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

    Examples
    --------
    The score of a recording that is the query: `Query.ceiling`.

    >>> from aares.identify.query import QUICK, make_query
    >>> query = make_query(np.random.default_rng(0).standard_normal(6 * 8000, dtype=np.float32))
    >>> own = measure_own(query.find_peaks(QUICK)[0], query.evidence)
    >>> own == query.ceiling, round(own)
    (True, 26)
    """
    weights = np.array(STRENGTH_WEIGHTS)[grade_peaks(evidence.power[found.time, found.bin])]
    total = np.dot(weights, evidence.excess[found.bin, found.time].astype(np.int64))
    return float(total / (EIGHTHS * np.sqrt(max((weights**2).sum(), 1))))
