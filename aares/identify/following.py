"""A recording that was recognised is followed through a long one, at the place where it must be.

Used by :mod:`.timeline`. To search a whole catalogue is dear and doubtful, to look whether a song
goes on is neither: its peaks are looked up around the predicted place, at speeds near the last one.
So a song is followed through noise, talk and a drifting speed, forwards and backwards from where it
was recognised, and its ends are where the evidence ends (:mod:`.edges`), not where a window does.

Conventions
-----------
A *time* is of the long recording, a *place* of the recording that is followed, both in seconds. The
tempo is the places that pass in a second; the pitch is the factor of the frequencies.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aares.identify.edges import EDGE_S, STEP_S, find_edge
from aares.identify.evidence import EIGHTHS
from aares.identify.lines import LOOK_S, Constellation, Knot, Line
from aares.identify.peaks import N_BINS
from aares.identify.tape import Tape

HOP_S = 3.0  # between two looks
ENOUGH = 3.5  # score of a look where the recording goes on
FAINT = 0.3  # of the highest score of a line: less is chance
MAX_MISSES = 3  # looks in a row that may fail, as under talk
CHANGES = (-0.02, -0.01, -0.005, 0.0, 0.005, 0.01, 0.02)  # of the tempo, from look to look
FIRST_CHANGES = tuple(k / 200 for k in range(-8, 9))  # where nothing is known of it yet
REACH_STEPS = 8  # a look finds a place so far beside the predicted one
N_KNOTS = 3  # looks that tell the tempo, with the new one
LAGS_S = np.concatenate([sign * np.arange(0.2, 3.0, 0.13) for sign in (-1, 1)])
COMMON = 1.5  # of the most that is in common by chance
LEAST_COMMON = 8  # peaks


def look(
    tape: Tape,
    stars: Constellation,
    guess: Knot,
    *,
    changes: Sequence[float] = CHANGES,
    pitches: Sequence[float] | None = None,
) -> Knot:
    """Look for a recording around a guess.

    Parameters
    ----------
    tape : Tape
    stars : Constellation
    guess : Knot
        Its score does not matter.
    changes : sequence of float
        Of the tempo, that are tried.
    pitches : sequence of float, optional
        That are tried; without any, the pitch of the guess.

    Returns
    -------
    Knot
        The best; its score is -inf where the recording has too few peaks to tell.
    """
    start_s = max(guess.time_s - LOOK_S / 2, tape.start_s)
    excess = tape.weigh(start_s, guess.time_s + LOOK_S / 2)
    best = guess._replace(score=-np.inf)
    shifts = np.arange(-REACH_STEPS, REACH_STEPS + 1)
    near = stars.cut(guess.place_s - LOOK_S, guess.place_s + LOOK_S)
    for tempo in (guess.tempo + change for change in changes):
        times = guess.time_s - start_s + (near.places - guess.place_s) / tempo
        steps = np.rint(times / STEP_S).astype(np.int64)
        inside = (steps >= REACH_STEPS) & (steps < excess.shape[1] - REACH_STEPS)
        if np.count_nonzero(inside) < 8:
            continue
        columns = steps[inside, None] + shifts
        for pitch in pitches or (guess.pitch,):
            bins = np.minimum(np.rint(near.bins[inside] * pitch).astype(np.int64), N_BINS - 1)
            weights = near.weights[inside]
            sums = weights @ excess[bins[:, None], columns].astype(np.int64)
            scores = sums / (EIGHTHS * np.sqrt(np.sum(weights**2)))
            k = int(np.argmax(scores))
            if scores[k] > best.score:
                shift = shifts[k] + _find_top(scores, k)
                place_s = guess.place_s - shift * STEP_S * tempo
                best = Knot(guess.time_s, place_s, tempo, pitch, float(scores[k]))
    return best


def _find_top(scores: np.ndarray, k: int) -> float:
    """Return where the parabola through the highest score and its neighbours has its top."""
    if not 0 < k < len(scores) - 1:
        return 0.0
    before, top, after = (float(score) for score in scores[k - 1 : k + 2])
    bend = before - 2 * top + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0


def begin_line(tape: Tape, song: str, stars: Constellation, guess: Knot, p_false: float) -> Line:
    """Follow a recording from where it was recognised, back to its start and as far as is heard.

    Parameters
    ----------
    tape : Tape
    song : str
    stars : Constellation
    guess : Knot
        From a search.
    p_false : float

    Returns
    -------
    Line
    """
    pitches = sorted({1.0, guess.pitch, guess.tempo})
    found = look(tape, stars, guess, changes=FIRST_CHANGES, pitches=pitches)
    line = Line(song, stars, [found if found.score >= ENOUGH else guess], p_false)
    _follow(line, tape, -1)
    line.start_s = max(find_edge(line, tape, -1), tape.start_s)
    follow_on(line, tape)
    return line


def follow_on(line: Line, tape: Tape, *, is_last: bool = False) -> None:
    """Follow a line as far as something is heard.

    Parameters
    ----------
    line : Line
        Changed in place.
    tape : Tape
    is_last : bool
        Nothing more will be heard.
    """
    if not line.is_open:
        return
    line.is_open = _follow(line, tape, 1) and not is_last
    line.end_s = line.knots[-1].time_s + LOOK_S / 2
    if not line.is_open:
        line.end_s = min(find_edge(line, tape, 1), tape.end_s)


def settle(line: Line, tape: Tape, others: Sequence[Line], direction: int) -> None:
    """Find the start or the end of a line again, now that it is known what else played there.

    Parameters
    ----------
    line : Line
        Changed in place.
    tape : Tape
        An end of the line that it no longer holds stays where it was.
    others : sequence of Line
        What else plays.
    direction : {-1, 1}
        The start or the end.
    """
    if direction > 0:
        line.is_settled = True
        line.end_s = min(find_edge(line, tape, 1, others), tape.end_s)
        return
    line.is_begun = True
    if tape.start_s == 0 or line.start_s - EDGE_S > tape.start_s:
        line.start_s = max(find_edge(line, tape, -1, others), tape.start_s)


def _follow(line: Line, tape: Tape, direction: int) -> bool:
    """Add knots until the recording or what is heard ends; return whether it may go on."""
    misses = 0
    last = line.knots[-1 if direction > 0 else 0]
    while misses <= MAX_MISSES:
        time_s = last.time_s + direction * (misses + 1) * HOP_S
        place_s = last.predict(time_s)
        if not -HOP_S <= place_s <= line.stars.seconds + HOP_S:
            return False
        if time_s + LOOK_S / 2 > tape.end_s:
            return True
        if time_s - LOOK_S / 2 < tape.start_s:
            return False
        new = look(tape, line.stars, last._replace(time_s=time_s, place_s=place_s))
        if new.score < max(ENOUGH, FAINT * max(knot.score for knot in line.knots)):
            misses += 1
            continue
        misses = 0
        last = _settle(line, new, direction)
    return False


def _settle(line: Line, new: Knot, direction: int) -> Knot:
    """Add a knot; its tempo is that of the last few, which say more than one look."""
    far = line.knots[-N_KNOTS:][0] if direction > 0 else line.knots[:N_KNOTS][-1]
    tempo = (new.place_s - far.place_s) / (new.time_s - far.time_s)
    new = new._replace(tempo=tempo)
    line.knots.insert(len(line.knots) if direction > 0 else 0, new)
    return new


def share_music(one: Line, other: Line) -> bool:
    """Tell whether two recordings that are heard at the same time have music in common there.

    Parameters
    ----------
    one, other : Line
        At least one of them has peaks where both are heard.

    Returns
    -------
    bool
        Whether they share more peaks, within 50 ms and a bin, than if one were moved by any time up
        to 3 s: two pieces on the same beat share as many then, a remaster of the one or a piece
        with the same loop does not. Of a minute at most.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> def make_line(name: str, bins: np.ndarray) -> Line:
    ...     stars = Constellation(np.arange(200) * 0.17, bins, np.ones(200), 34.0)
    ...     return Line(name, stars, [Knot(10.0, 10.0, 1.0, 1.0, 9.0)], 1e-9, 0.0, 34.0)
    >>> bins, others = rng.integers(20, 500, (2, 200))
    >>> one = make_line("a", bins)
    >>> share_music(one, make_line("remaster", bins)), share_music(one, make_line("b", others))
    (True, False)
    """
    start_s, end_s = max(one.start_s, other.start_s), min(one.end_s, other.end_s)
    middle_s, half_s = (start_s + end_s) / 2, min(end_s - start_s, 60.0) / 2
    low, high = middle_s - half_s, middle_s + half_s
    stars = [line.stars.cut(line.place(low), line.place(high)) for line in (one, other)]
    times = [line.time(s.places) for line, s in zip((one, other), stars, strict=True)]
    bins = [s.bins * line.knots[0].pitch for line, s in zip((one, other), stars, strict=True)]
    rows, columns = np.nonzero(np.abs(bins[0][:, None] - bins[1]) <= 1.5)
    lags = times[1][columns] - times[0][rows]
    moved = [_count_common(rows, lags - lag) for lag in LAGS_S]
    return _count_common(rows, lags) >= max(LEAST_COMMON, COMMON * max(moved))


def _count_common(rows: np.ndarray, lags: np.ndarray) -> int:
    return len(np.unique(rows[np.abs(lags) <= 0.05]))
