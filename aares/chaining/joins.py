"""The join itself: what of the end of A goes on in the start of B.

Used by notebook ``06_chainable``. :func:`measure_joins` compares the edge at which A ends with the
one at which B starts (:mod:`.edges`) at four lengths from the join outwards, and asks whether what
repeats in either repeats across the join, at the pace that it has on either side.

Conventions: differences are B less A; likenesses are correlations, -1 to 1. Values lie on a grid of
1/4096, so that trees decide alike on every machine.

References
----------
.. [1] M. Mueller, "Fundamentals of Music Processing", 2015: sections 4.2 (similarity matrices,
   diagonals as repetitions) and 6.2 (tempo and its octaves).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from aares.chaining.edges import (
    N_CHANGES,
    N_FFT,
    NEAREST_S,
    RATE_HZ,
    SCALES_S,
    SHAPE,
    STATISTICS,
    STEP_S,
    VIEWS,
    Edge,
)
from aares.exact import snap

FloatArray = npt.NDArray[np.float64]

GAP_S = 0.5
"""Pause between A and B: that of the splices the shipped model learnt from."""
LONGEST_GAP_S = 2.5
GRID_BITS = 12
LONGEST_LAG = 80  # cells, 8 s
FEWEST_LAGS = 8
AT_JOIN = (
    "mel distance", "mel likeness", "mel largest", "mfcc distance",
    "chroma", "rotation", "chroma rotated", "tuning",
)  # fmt: skip
"""Of each length; `rotation` is in semitones, 0 to 6, `tuning` compares thirds of a semitone."""
EXTREMES = ("floor distance", "floor likeness", "ceiling distance", "ceiling likeness")
ACROSS = (
    "lags", "lags A", "lags B", "above", "near", "near above", "best", "best own", "own best",
    "B first", "A last", "all",
)  # fmt: skip
"""Of each view. The likeness at each lag across the join, against that within A and B: its
correlation with both, A's, B's; how far above them, over all lags and the nearest; the best lag's,
theirs at it, and that at their best. Then what of B's first second, A's last and all of B was heard
on the other side."""
CHANGE = ("change", "change above A", "change above B", "change ratio")
"""Distance across the join in dB, and against the usual one within A and B at this lag."""
BEAT = ("tempo ratio", "tempo sure", "phase A", "phase B", "phase A sure", "periods")
"""Ratio in octaves, folded to 0-0.5; B's beat off A's, in beats, 0-0.5; likeness of rhythms."""


@cache
def name_features() -> tuple[str, ...]:
    """Return the names of the columns of :func:`measure_joins`, in order.

    Returns
    -------
    tuple of str
        Those of a length end with it, in seconds.

    Examples
    --------
    >>> names = name_features()
    >>> len(names), names[0], names[-1]
    (314, 'mean level 0.25', 'periods')
    """
    names: list[str] = []
    for scale in SCALES_S:
        of_scale = [f"{what} {x}" for what in ("mean", "spread") for x in STATISTICS]
        of_scale += [f"step {x}" for x in SHAPE]
        names += [f"{x} {scale:g}" for x in (*of_scale, *AT_JOIN)]
    names += EXTREMES
    names += [f"{view} {x}" for view in VIEWS for x in ACROSS]
    return (*names, *CHANGE, *BEAT)


def measure_joins(
    ends: Sequence[Edge],
    starts: Sequence[Edge],
    pairs: npt.ArrayLike,
    *,
    gap_s: float = GAP_S,
) -> FloatArray:
    """Measure what is heard where one song follows another.

    Parameters
    ----------
    ends, starts : sequence of Edge
        Of :func:`.edges.describe_end` and :func:`.edges.describe_start`.
    pairs : array-like of int, shape (n, 2)
        Which end and which start.
    gap_s : float
        Pause between the two, 0 to 2.5 s.

    Returns
    -------
    ndarray of float, shape (n, 314)
        :func:`name_features`; NaN where an edge is too short to say.

    Raises
    ------
    ValueError
        The gap is out of its range, or there is no such edge.

    Examples
    --------
    Noise goes on as noise, not as a tone.

    >>> from aares.chaining.edges import describe_end, describe_start
    >>> noise = np.random.default_rng(0).standard_normal(2 * RATE_HZ)
    >>> tone = np.sin(np.arange(2.0 * RATE_HZ))
    >>> joins = measure_joins(
    ...     [describe_end(noise)], [describe_start(noise), describe_start(tone)], [(0, 0), (0, 1)]
    ... )
    >>> distance = joins[:, name_features().index("mel distance 1")]
    >>> bool(distance[0] < 1), bool(distance[1] > 20)
    (True, True)
    """
    first, second = _read_pairs(pairs, len(ends), len(starts))
    if not 0 <= gap_s <= LONGEST_GAP_S:
        raise ValueError(f"gap_s: expected 0 to {LONGEST_GAP_S} s, found {gap_s}")
    if not len(first):
        return np.empty((0, len(name_features())))
    a, b = _stack(ends), _stack(starts)
    offset = (gap_s + NEAREST_S) / STEP_S
    columns = [*_compare_scales(a, b, first, second), *_compare_extremes(a, b, first, second)]
    for row, view in enumerate(VIEWS):
        across = np.full((len(first), len(ACROSS)), np.nan)
        sides = (getattr(a, view), getattr(b, view), a.n_cells, b.n_cells)
        _compare_views(*sides, a.lags[:, row], b.lags[:, row], first, second, offset, across)
        columns.append(across)
    change = np.full((len(first), len(CHANGE)), np.nan)
    _compare_changes(a.cells, b.cells, a.changes, b.changes, first, second, offset, change)
    columns += [change, *_compare_beats(a, b, first, second, gap_s)]
    return snap(np.column_stack(columns), GRID_BITS)


def _stack(edges: Sequence[Edge]) -> Any:
    """Return an edge whose every field holds those of all edges."""
    return Edge._make(np.array(values) for values in zip(*edges, strict=True))


def _read_pairs(
    pairs: npt.ArrayLike, n_ends: int, n_starts: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    table = np.asarray(pairs, dtype=np.intp).reshape(-1, 2)
    for name, rows, n in (("end", table[:, 0], n_ends), ("start", table[:, 1], n_starts)):
        if len(bad := rows[(rows < 0) | (rows >= n)]):
            raise ValueError(f"pairs: expected a number of one of {n} {name}s, found {bad[0]}")
    return table[:, 0], table[:, 1]


def correlate(x: npt.NDArray[np.floating], y: npt.NDArray[np.floating]) -> FloatArray:
    """Return the correlation of rows; near 0 where one of them hardly varies.

    Parameters
    ----------
    x, y : ndarray of float, shape (..., n)

    Returns
    -------
    ndarray of float, shape (...)

    Examples
    --------
    >>> correlate(np.array([1.0, 2.0, 3.0]), np.array([[2.0, 4.0, 6.0], [5.0, 5.0, 5.0]])).round(3)
    array([1., 0.])
    """
    x = x - x.mean(axis=-1, keepdims=True)
    y = y - y.mean(axis=-1, keepdims=True)
    norm = np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1))
    return np.asarray((x * y).sum(axis=-1) / (norm + 1e-6))


def _compare_scales(a: Edge, b: Edge, first, second):
    """Yield columns of each length: differences of mean and spread, mel bands, chroma."""
    steps = b.statistics[second] - a.statistics[first]
    mel = b.mel[second] - a.mel[first]
    for scale in range(len(SCALES_S)):
        step, apart = steps[:, scale], mel[:, scale]
        yield from (np.abs(step[:, :, 0]), np.abs(step[:, :, 1]), step[:, : len(SHAPE), 0])
        yield np.sqrt((apart**2).mean(axis=1))
        yield correlate(a.mel[first, scale], b.mel[second, scale])
        yield np.abs(apart).max(axis=1)
        yield np.sqrt((step[:, len(SHAPE) + 1 :, 0] ** 2).sum(axis=1))  # mfcc1 is level once more
        fine_a, fine_b = a.chroma[first, scale], b.chroma[second, scale]
        notes_a, notes_b = (x.reshape(len(x), 12, 3).mean(axis=2) for x in (fine_a, fine_b))
        turns = [correlate(notes_a, np.roll(notes_b, -r, axis=1)) for r in range(12)]
        best = np.argmax(turns, axis=0)
        yield from (turns[0], np.minimum(best, 12 - best), np.max(turns, axis=0))
        yield correlate(fine_a, fine_b)


def _compare_extremes(a: Edge, b: Edge, first, second):
    for row in range(2):
        of_a, of_b = a.extremes[first, row], b.extremes[second, row]
        yield from (np.sqrt(((of_a - of_b) ** 2).mean(axis=1)), correlate(of_a, of_b))


def _compare_beats(a: Edge, b: Edge, first, second, gap_s):
    """Yield the columns of BEAT."""
    of_a, of_b = a.beat[first], b.beat[second]
    octaves = np.abs(np.log2(of_a[:, 0] / of_b[:, 0])) % 1
    yield np.minimum(octaves, 1 - octaves)
    yield np.minimum(of_a[:, 1], of_b[:, 1])
    between = (
        of_a[:, 2] + of_b[:, 2] + gap_s + N_FFT / RATE_HZ
    )  # s, from A's last beat to B's first
    off_a, off_b = (0.5 - np.abs(between / x[:, 0] % 1 - 0.5) for x in (of_a, of_b))
    yield from (off_a, off_b, off_a * of_a[:, 1])
    yield correlate(a.periods[first], b.periods[second])


@njit(cache=True)
def _correlate_weighted(x, y, weights):
    total = weights.sum()
    x = x - (weights * x).sum() / total
    y = y - (weights * y).sum() / total
    norm = np.sqrt((weights * x**2).sum() * (weights * y**2).sum())
    return (weights * x * y).sum() / (norm + 1e-9)


@njit(cache=True)
def _sum_diagonals(likeness, n):
    """Return the mean likeness at each lag across the join, and how much each mean weighs."""
    mean, weights = np.zeros(n), np.zeros(n)
    for lag in range(n):
        total = 0.0
        for row in range(lag + 1):
            total += likeness[row, lag - row]
        mean[lag] = total / (lag + 1)
        weights[lag] = min(lag + 1, 20)
    return mean, weights


@njit(cache=True)
def _compare_views(a, b, n_a, n_b, lags_a, lags_b, first, second, offset, out):
    """Fill in the columns of ACROSS; rows of edges too short for it stay NaN.

    Cells `i` of A and `j` of B are ``offset + i + j`` cells apart, so lags within a song are read
    between two whole ones.
    """
    whole = int(offset)
    part = offset - whole
    for pair in range(len(first)):
        i, j = first[pair], second[pair]
        n = min(min(n_a[i], n_b[j]) - 1, LONGEST_LAG) - whole - 1
        if n < FEWEST_LAGS + 2:
            continue
        likeness = np.dot(a[i, : n_a[i]], b[j, : n_b[j]].T)
        across, weights = _sum_diagonals(likeness, n)
        of_a = (1 - part) * lags_a[i, whole : whole + n] + part * lags_a[
            i, whole + 1 : whole + n + 1
        ]
        of_b = (1 - part) * lags_b[j, whole : whole + n] + part * lags_b[
            j, whole + 1 : whole + n + 1
        ]
        own = (0.5 * (of_a + of_b)).astype(np.float64)
        above = across - own
        out[pair, 0] = _correlate_weighted(across, own, weights)
        out[pair, 1] = _correlate_weighted(across, of_a.astype(np.float64), weights)
        out[pair, 2] = _correlate_weighted(across, of_b.astype(np.float64), weights)
        out[pair, 3] = (weights * above).sum() / weights.sum()
        out[pair, 4] = across[:FEWEST_LAGS].mean()
        out[pair, 5] = above[:FEWEST_LAGS].mean()
        best = 5 + np.argmax(across[5:])  # beyond what is alike because it is near
        out[pair, 6] = across[best]
        out[pair, 7] = own[best] - own.mean()
        out[pair, 8] = across[5 + np.argmax(own[5:])] - across.mean()
        heard = np.zeros(likeness.shape[1])
        for column in range(len(heard)):
            heard[column] = likeness[:, column].max()
        out[pair, 9] = heard[:10].mean()
        total = 0.0
        for row in range(10):
            total += likeness[row].max()
        out[pair, 10] = total / 10
        out[pair, 11] = heard.mean()


@njit(cache=True)
def _compare_changes(a, b, changes_a, changes_b, first, second, offset, out):
    """Fill in the columns of CHANGE: of the three cells on either side."""
    lag = min(int(round(offset)) + 2, N_CHANGES - 1)  # noqa: RUF046 - numba rounds to a float
    for pair in range(len(first)):
        i, j = first[pair], second[pair]
        total = 0.0
        for row in range(3):
            for column in range(3):
                square = 0.0
                for band in range(a.shape[2]):
                    square += (a[i, row, band] - b[j, column, band]) ** 2
                total += np.sqrt(square / a.shape[2])
        total /= 9
        out[pair, 0] = total
        out[pair, 1] = total - changes_a[i, lag]
        out[pair, 2] = total - changes_b[j, lag]
        out[pair, 3] = total / (0.5 * (changes_a[i, lag] + changes_b[j, lag]) + 0.5)
