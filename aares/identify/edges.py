"""Where a recording that was followed through a long one starts and ends.

Used by :mod:`.following`. The evidence of its peaks ends where the recording does, give or take a
few peaks, if it is cut. Within a fade evidence ends before the recording: what is heard last is
hidden by what comes next. So a fade is fitted to what the peaks say, and its end is the edge. What
another recording that plays there has peaks of too is left out: it says nothing for this one.

References
----------
.. [1] E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954: section 3 (the sum that
   is highest where the evidence ends).
.. [2] D. V. Hinkley, "Inference in two-phase regression", Journal of the American Statistical
   Association 66, 1971 (one line up to a point, another behind it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from aares.identify.evidence import EIGHTHS
from aares.identify.lines import LOOK_S, Line
from aares.identify.peaks import N_BINS, RATE_HZ, STEP_LENGTH
from aares.identify.tape import Tape

STEP_S = STEP_LENGTH / RATE_HZ
STRONG = 0.6  # of the usual score of a line: where it plays for sure
EDGE_SHARE = 0.15  # of what peaks say there: as much is said where it plays too
EDGE_S = 9.0  # beyond the last look an end is looked for
NEAR_S = 1.0  # to an end of the recording: it is that end

N_STRAIGHT = 10  # looks, half a minute, in which the tempo hardly changes
LOOK_ERROR_S = 0.02  # of a look's place; twice as far it is one that errs
DRIFT = 4e-4  # change of the tempo in a second: 4 % in a hundred

BEFORE_S, AFTER_S = 9.0, 6.0  # of a first guess, are looked at to fit a fade
BESIDE_S = 2.5  # the edge is so far beside the guess at most
FADES_S = np.arange(0.0, 6.1)
FALL = 2  # power: what is said falls slowly at first, as strong peaks outlast half of a fade
ABSENT, N_ABSENT = -0.3, 30  # what peaks say where others play, of what they say where they do
LEAST_RISE = 0.3  # of what peaks say: less than this is no end
LOUDEST = 3.0  # no peak says more
ALIKE = 2  # peaks in a row of one note, which say one thing

NOTE_BINS, NOTE_S = 1.5, 1.0  # peaks so near are of one note, if it is repeated or held
EXPLAINED_S = 0.4  # so near to a peak of another recording, a peak may be that one's
SAME_MUSIC = 0.5  # a recording with so many of the peaks is the same music, and explains nothing


class Said(NamedTuple):
    """What a long recording says for the peaks of another.

    Parameters
    ----------
    times : ndarray of float, shape (n,)
        At which they must be, in seconds outwards: they rise towards the edge, whichever it is.
    weights : ndarray of float, shape (n,)
        By their strength.
    shares : ndarray of float, shape (n,)
        One over the root of the number of peaks of the same note: a few notes in a chord that
        others play too are not to outvote the rest.
    said : ndarray of float, shape (n,)
        In spreads of the bins, see `Tape.weigh_plainly`.
    """

    times: np.ndarray
    weights: np.ndarray
    shares: np.ndarray
    said: np.ndarray


def find_edge(line: Line, tape: Tape, direction: int, others: Sequence[Line] = ()) -> float:
    """Find where a line starts or ends.

    Parameters
    ----------
    line : Line
    tape : Tape
    direction : {-1, 1}
        Its start or its end.
    others : sequence of Line
        What else plays.

    Returns
    -------
    float
        Seconds of the long recording.
    """
    line = straighten(line, direction)
    last_s = direction * _find_last(line, tape, direction, others)
    border_s = direction * _find_border(line, direction)
    heard_s = tape.end_s if direction > 0 else -tape.start_s
    if border_s - last_s < NEAR_S or heard_s - last_s < NEAR_S / 2:
        return direction * min(border_s, heard_s)
    if line.knots[-1].time_s - line.knots[0].time_s < BEFORE_S:  # too short to fade
        return direction * last_s
    said = _ask(line, tape, direction, others, last_s - BEFORE_S, last_s + AFTER_S)
    return direction * min(find_end_of_fade(said, last_s), border_s, heard_s)


def straighten(line: Line, direction: int) -> Line:
    """Make the first or last looks of a line agree on a tempo that hardly changes.

    Parameters
    ----------
    line : Line
    direction : {-1, 1}
        The first or the last.

    Returns
    -------
    Line
        With the same looks at other places: a parabola through them is fitted again and again,
        with less weight of looks that are beside it.

    Examples
    --------
    The last look is a fifth of a second late. Its place is mended, and so is the tempo there.

    >>> from aares.identify.lines import Constellation, Knot
    >>> none = np.zeros(0)
    >>> knots = [Knot(t, t, 1.0, 1.0, 9.0) for t in np.arange(0.0, 30.0, 3.0)]
    >>> knots.append(Knot(30.0, 30.2, 1.03, 1.0, 5.0))
    >>> line = Line("a", Constellation(none, none, none, 60.0), knots, 1e-9)
    >>> last = straighten(line, 1).knots[-1]
    >>> abs(last.place_s - 30) < 0.02, abs(last.tempo - 1) < 0.002
    (True, True)
    """
    knots = line.knots[-N_STRAIGHT:] if direction > 0 else line.knots[:N_STRAIGHT]
    if len(knots) < 3:
        return line
    times, places, scores = (np.array([knot[i] for knot in knots]) for i in (0, 1, 4))
    times = times - times[-1 if direction > 0 else 0]
    terms = np.stack([np.ones_like(times), times, times**2 / 2], axis=1)
    drift = np.diag([0.0, 0.0, (LOOK_ERROR_S / DRIFT) ** 2])
    trust = np.clip(scores / np.median(scores), 0.0, 1.0) ** 2
    weights = trust
    for _ in range(8):
        weighted = (terms * weights[:, None]).T
        found = np.linalg.solve(weighted @ terms + drift, weighted @ places)
        beside = (places - terms @ found) / (2 * LOOK_ERROR_S)
        weights = trust / (1 + beside**2)
    straight = [
        knot._replace(place_s=float(place), tempo=float(tempo))
        for knot, place, tempo in zip(
            knots, terms @ found, found[1] + found[2] * times, strict=True
        )
    ]
    rest = len(line.knots) - len(straight)
    all_knots = line.knots[:rest] + straight if direction > 0 else straight + line.knots[-rest:]
    return replace(line, knots=all_knots if rest else straight)


def find_end_of_fade(heard: Said, guess_s: float) -> float:
    """Find where a recording is gone, having been cut or faded.

    Parameters
    ----------
    heard : Said
        Around the guess.
    guess_s : float
        Where the evidence ends.

    Returns
    -------
    float
        The guess, if too little is heard to tell.

    Notes
    -----
    Peaks say one thing while the recording plays and another when it is gone; what they say between
    falls as a parabola. Of each end and length of a fade the likelihood is that of the residuals;
    the edge is the mean end, so that a doubtful one is not far from any that is likely.
    Strength does not count: it tells which peaks outlast noise, and these are to be all there.

    References
    ----------
    Hinkley 1971 [2]_.

    Examples
    --------
    A fade of 4 s ends at 20 s; the last second says no more than is said by chance.

    >>> rng = np.random.default_rng(0)
    >>> times = np.arange(10.0, 26.0, 0.08)
    >>> level = 1 - np.clip((times - 16) / 4, 0, 1) ** 2
    >>> one = np.ones(len(times))
    >>> said = 2.4 * level - 0.6 + 0.8 * rng.standard_normal(len(times))
    >>> abs(find_end_of_fade(Said(times, one, one, said), 19.0) - 20) < 0.5
    True
    """
    times = heard.times - guess_s
    said, weights = np.clip(heard.said, -LOUDEST, LOUDEST), heard.shares
    sure = times < -BESIDE_S - 1
    if np.count_nonzero(sure) < 8:
        return guess_s
    weights = weights / weights.mean()
    usual = np.average(said[sure], weights=weights[sure])
    beside = np.arange(-BESIDE_S, BESIDE_S + 0.01, 0.125)
    ends, lengths = (grid.ravel()[:, None] for grid in np.meshgrid(beside, FADES_S))
    gone = np.clip((times - ends + lengths) / np.maximum(lengths, 1e-3), 0, 1) ** FALL
    residuals, rise = _fit_levels(said, weights, gone, ABSENT * usual)
    residuals[rise <= LEAST_RISE * usual] = np.inf
    least = residuals.min()
    if not 0 < least < np.inf:
        return guess_s
    likely = np.exp((least - residuals) / (2 * ALIKE * least / len(times)))
    return float(guess_s + np.average(ends[:, 0], weights=likely))


def _fit_levels(
    said: np.ndarray, weights: np.ndarray, gone: np.ndarray, absent: float
) -> tuple[np.ndarray, np.ndarray]:
    """Fit what is said before and behind each fade; return the squares left, and the difference."""
    there = 1 - gone
    both = (weights * there * gone).sum(axis=1)
    one = (weights * there**2).sum(axis=1)
    two = (weights * gone**2).sum(axis=1) + N_ABSENT
    first = (weights * there * said).sum(axis=1)
    second = (weights * gone * said).sum(axis=1) + N_ABSENT * absent
    scale = one * two - both**2
    before = (first * two - second * both) / scale
    behind = (second * one - first * both) / scale
    left = said - before[:, None] * there - behind[:, None] * gone
    squares = (weights * left**2).sum(axis=1) + N_ABSENT * (behind - absent) ** 2
    return squares, before - behind


def _find_last(line: Line, tape: Tape, direction: int, others: Sequence[Line]) -> float:
    """Find where the evidence of a line ends, after Page 1954, section 3.

    The sum of what the peaks say, less a share of what they say where the recording plays for
    sure, is highest there.
    """
    knots = line.knots if direction > 0 else line.knots[::-1]
    usual = float(np.median([knot.score for knot in knots]))
    strong = [knot for knot in knots if knot.score >= STRONG * usual]
    sure_s = direction * (strong[-1] if strong else knots[-1]).time_s
    last_s = direction * knots[-1].time_s
    heard = _ask(line, tape, direction, others, sure_s - LOOK_S, last_s + EDGE_S)
    times, weights, said = heard.times, heard.weights * heard.shares, heard.said
    if not len(times):
        return direction * sure_s
    sure = times <= sure_s
    limit = np.average(said[sure], weights=weights[sure]) * EDGE_SHARE if sure.any() else 0.5
    k = int(np.argmax(np.cumsum(weights * (said - max(limit, 0.1)))))
    border_s = direction * _find_border(line, direction)
    if k + 1 < len(times):  # the next peak is no longer there
        border_s = (times[k] + times[k + 1]) / 2
    # a frame lasts a quarter of a second, and its time is its beginning
    return direction * float(min(border_s, times[k] + 2.0))


def _find_border(line: Line, direction: int) -> float:
    """Return when the recording itself starts or ends."""
    return float(line.time(np.array([0.0 if direction < 0 else line.stars.seconds]))[0])


def _ask(
    line: Line, tape: Tape, direction: int, others: Sequence[Line], low_s: float, high_s: float
) -> Said:
    """Return what is said for the peaks between two times outwards."""
    start_s, end_s = sorted((direction * low_s, direction * high_s))
    start_s, end_s = max(start_s, tape.start_s), min(end_s, tape.end_s)
    excess = tape.weigh_plainly(start_s, end_s)
    stars = line.stars.cut(line.place(start_s), line.place(end_s))
    times = line.time(stars.places)
    tones = stars.bins * line.knots[-1 if direction > 0 else 0].pitch
    last = excess.shape[1] - 1
    steps = np.clip(np.rint((times - start_s) / STEP_S).astype(np.int64), 0, last)
    bins = np.minimum(np.rint(tones).astype(np.int64), N_BINS - 1)
    beside = np.clip(steps[:, None] + np.array([-1, 0, 1]), 0, last)
    said = excess[bins[:, None], beside].mean(axis=1) / EIGHTHS
    shares = 1 / np.sqrt(_match(times, tones, times, tones, NOTE_S).sum(axis=1))
    own = ~find_explained(times, tones, others)
    heard = (direction * times, stars.weights, shares, said)
    return Said(*(part[own][::direction] for part in heard))


def find_explained(times: np.ndarray, tones: np.ndarray, others: Sequence[Line]) -> np.ndarray:
    """Tell which peaks may be those of other recordings that play there.

    Parameters
    ----------
    times : ndarray of float, shape (n,)
        Of the long recording.
    tones : ndarray of float, shape (n,)
        Bins, in which they are to be heard.
    others : sequence of Line
        Those with half of the peaks are of the same music: they explain nothing.

    Returns
    -------
    ndarray of bool, shape (n,)

    Examples
    --------
    The second peak is in a bin of the other recording, a fifth of a second later.

    >>> from aares.identify.lines import Constellation, Knot
    >>> stars = Constellation(np.array([1.0, 2.0]), np.array([50, 70]), np.ones(2), 9.0)
    >>> other = Line("a", stars, [Knot(3.0, 1.0, 1.0, 1.0, 9.0)], 1e-9, 0.0, 9.0)
    >>> find_explained(np.array([3.0, 4.2, 5.0]), np.array([90.0, 70.4, 80.0]), [other]).tolist()
    [False, True, False]
    """
    explained = np.zeros(len(times), dtype=bool)
    if not len(times):
        return explained
    low_s, high_s = times[0] - 1, times[-1] + 1
    for other in others:
        if other.start_s - EDGE_S > high_s or other.end_s + EDGE_S < low_s:
            continue
        stars = other.stars.cut(other.place(low_s), other.place(high_s))
        pitch = other.knots[-1 if high_s > other.end_s else 0].pitch
        hits = _match(times, tones, other.time(stars.places), stars.bins * pitch, EXPLAINED_S)
        hit = hits.any(axis=1)
        if hit.mean() < SAME_MUSIC:
            explained |= hit
    return explained


def _match(
    times: np.ndarray, tones: np.ndarray, times_2: np.ndarray, tones_2: np.ndarray, within_s: float
) -> np.ndarray:
    """Tell which peaks are near which others."""
    near = np.abs(times[:, None] - times_2) <= within_s
    return np.asarray(near & (np.abs(tones[:, None] - tones_2) <= NOTE_BINS))
