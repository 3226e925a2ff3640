"""What was played when: a long recording, such as a broadcast, against an index.

Used by notebook 04. The recording is heard in blocks, so that its length costs no memory. Short
windows are searched quickly, where that fails longer ones more closely; whatever is accepted is
followed to both of its ends (:mod:`.following`) and not searched for again. Where something plays
already, the windows are searched for what plays besides. :mod:`.entries` makes the list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from aares.identify.answer import THRESHOLD, Answer, choose
from aares.identify.entries import Heard, Played, make_entries
from aares.identify.following import ENOUGH, begin_line, follow_on, settle
from aares.identify.index import Index
from aares.identify.lines import Constellation, Knot, Line, read_constellation
from aares.identify.peaks import RATE_HZ
from aares.identify.query import QUERY_S, make_query, read_signal, resample
from aares.identify.search import WAYS
from aares.identify.tape import Tape

WINDOW_S, STEP_S = 5.0, 2.5  # finds 4 s
BLOCK_S = 30.0
LOOKAHEAD_S = 12.0  # of sound beyond a window, to follow what is found in it
BEGUN_S, SETTLED_S = 30.0, 20.0  # after a start, or an end, what plays there is known
CLOSER = 2  # windows that are looked at closely are so much longer, and their steps
STRICTNESS = 100  # there are many windows


def make_timeline(
    index: Index,
    y: np.ndarray,
    sr: int,
    *,
    window_s: float = WINDOW_S,
    step_s: float = STEP_S,
) -> list[Played]:
    """Tell what was played when.

    Parameters
    ----------
    index : Index
    y : ndarray of float, shape (n,) or (channels, n)
    sr : int
    window_s, step_s : float
        Length of a window, at most 15, and distance of their starts, in seconds.

    Returns
    -------
    list of Played
        In the order of their starts, without gaps from 0 to the end. Recordings that are heard at
        the same time overlap.

    Raises
    ------
    ValueError
        As `Index.identify`; or the window or the step is out of range.

    Examples
    --------
    Five seconds of a noise that is not in the index, then ten of one that is.

    >>> rng = np.random.default_rng(0)
    >>> known, other = (rng.standard_normal(12 * 8000, dtype=np.float32) for _ in range(2))
    >>> y = np.concatenate([other[:40_000], known[16_000:]])
    >>> index = Index.from_signals({"known": known})
    >>> for played in make_timeline(index, y, 8000):
    ...     print(round(played.start_s), round(played.end_s), played.song)
    0 5 None
    5 15 known
    """
    check_windows(window_s, step_s)
    y = resample(read_signal(y), sr)
    length = int(BLOCK_S * RATE_HZ)
    blocks = (y[start : start + length] for start in range(0, len(y), length))
    return trace_blocks(index, blocks, window_s=window_s, step_s=step_s)


def trace_blocks(
    index: Index,
    blocks: Iterable[np.ndarray],
    *,
    window_s: float = WINDOW_S,
    step_s: float = STEP_S,
    on_progress: Callable[[float], None] | None = None,
) -> list[Played]:
    """Tell what was played when in a recording that comes block by block.

    Parameters
    ----------
    index : Index
    blocks : iterable of ndarray of float32, shape (n,)
        Mono at 8 kHz, one after another; no more than some minutes of it are kept.
    window_s, step_s : float
        As of `make_timeline`.
    on_progress : callable, optional
        Called with the seconds that were heard.

    Returns
    -------
    list of Played
        As of `make_timeline`; empty without sound.

    Raises
    ------
    ValueError
        The window or the step is out of range.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(20 * 8000, dtype=np.float32)
    >>> index = Index.from_signals({"noise": noise})
    >>> [played] = trace_blocks(index, iter([noise[:80_000], noise[80_000:]]))
    >>> played.song, played.start_s, played.end_s
    ('noise', 0.0, 20.0)
    """
    check_windows(window_s, step_s)
    listener = Listener(index, window_s, step_s)
    for block in blocks:
        for start in range(0, len(block), int(BLOCK_S * RATE_HZ)):
            listener.hear(block[start : start + int(BLOCK_S * RATE_HZ)])
        if on_progress:
            on_progress(listener.tape.end_s)
    return listener.finish()


def check_windows(window_s: float = WINDOW_S, step_s: float = STEP_S) -> None:
    """Refuse windows that are too long, or leave something out.

    Parameters
    ----------
    window_s, step_s : float
        As of `make_timeline`.

    Raises
    ------
    ValueError
        They are not ``0 < step_s <= window_s <= 15``.

    Examples
    --------
    >>> check_windows(10.0, 20.0)
    Traceback (most recent call last):
        ...
    ValueError: expected 0 < step_s <= window_s <= 15, found window_s 10 and step_s 20
    """
    if not 0 < step_s <= window_s <= QUERY_S:
        raise ValueError(
            f"expected 0 < step_s <= window_s <= {QUERY_S:g}, "
            f"found window_s {window_s:g} and step_s {step_s:g}"
        )


class Listener:
    """Goes through a recording: what was recognised, and what was heard where nothing was.

    Parameters
    ----------
    index : Index
    window_s, step_s : float
        As of `make_timeline`.
    """

    def __init__(self, index: Index, window_s: float, step_s: float) -> None:
        self.index, self.window_s, self.step_s = index, window_s, step_s
        self.tape = Tape()
        self.lines: list[Line] = []
        self.heard: list[Heard] = []
        self._stars: dict[str, Constellation] = {}
        self._next = 0  # window
        self._closely_s = 0.0  # so far was looked closely

    def hear(self, y: np.ndarray) -> None:
        """Hear what follows, and search as far as enough of it is known.

        Parameters
        ----------
        y : ndarray of float32, shape (n,)
            Mono at 8 kHz.
        """
        self.tape.append(y)
        self._search(until_s=self.tape.end_s - LOOKAHEAD_S)

    def finish(self) -> list[Played]:
        """Search what is left, and tell what was played.

        Returns
        -------
        list of Played
            In the order of their beginnings.
        """
        end_s = self.tape.end_s
        self._search(until_s=end_s)
        start_s = self._next * self.step_s
        if end_s > 0 and (start_s == 0 or start_s + self.window_s - self.step_s < end_s):
            self._look_at(max(0.0, end_s - self.window_s), end_s)  # less than a window is left
        if self._closely_s < end_s:
            self._look_closely(max(0.0, end_s - CLOSER * self.window_s), end_s)
        for line in self.lines:
            follow_on(line, self.tape, is_last=True)
        self._settle(until_s=np.inf)
        return make_entries(self.lines, self.heard, end_s)

    def _search(self, until_s: float) -> None:
        while (start_s := self._next * self.step_s) + self.window_s <= until_s:
            self._look_at(start_s, start_s + self.window_s)
            self._next += 1
            long_s = min(CLOSER * self.window_s, QUERY_S)
            if start_s + self.window_s - self._closely_s >= long_s:
                self._look_closely(start_s + self.window_s - long_s, start_s + self.window_s)

    def _look_at(self, start_s: float, end_s: float) -> None:
        """Search a short window quickly, unless it is known what plays all the time."""
        for line in self.lines:
            follow_on(line, self.tape)
        self._settle(until_s=start_s)
        if self._measure_cover(start_s, end_s) >= 0.9:
            return
        answer = self._ask(start_s, end_s, ("quick",))
        if answer.reason != "match":
            self.heard.append(Heard(start_s, end_s, answer.reason, answer.p_false))

    def _settle(self, until_s: float) -> None:
        """Find starts and ends again where what is known of them will not change."""
        for line in self.lines:
            others = [one for one in self.lines if one.song != line.song]
            long = line.knots[-1].time_s - line.start_s >= BEGUN_S
            if not line.is_begun and (long or not line.is_open):
                settle(line, self.tape, others, -1)
            if not (line.is_open or line.is_settled) and line.end_s + SETTLED_S <= until_s:
                settle(line, self.tape, others, 1)

    def _look_closely(self, start_s: float, end_s: float) -> None:
        """Search a longer window in all ways; where something plays, for what plays besides."""
        covered = self._measure_cover(start_s, end_s)
        ways = WAYS if covered < 0.5 else WAYS[:2]
        answer = self._ask(start_s, end_s, ways)
        if covered < 0.5 and answer.reason != "match":
            self.heard.append(Heard(start_s, end_s, answer.reason, answer.p_false))
        self._closely_s = end_s

    def _ask(self, start_s: float, end_s: float, ways: tuple[str, ...]) -> Answer:
        """Search a window for what is not known to play in it; follow what is found."""
        query = make_query(self.tape.cut(start_s, end_s))
        known = {
            name for line in self._list_lines(start_s, end_s) for name in (line.song, *line.twins)
        }
        answer = None
        for way in ways:
            ranking = self.index.rank(query, way, without=known)
            answer = choose(ranking, way=way, threshold=THRESHOLD)
            if answer.match and self._begin(answer, start_s, end_s):
                break
        assert answer is not None
        return answer

    def _begin(self, answer: Answer, start_s: float, end_s: float) -> bool:
        match = answer.match
        assert match is not None
        middle_s = (start_s + end_s) / 2
        place_s = match.offset_s + (middle_s - start_s) * match.speed
        guess = Knot(middle_s, place_s, match.speed, match.speed * match.pitch, match.score)
        new = begin_line(self.tape, match.song, self._read_stars(match.song), guess, answer.p_false)
        if not self._is_sure(new, answer):
            return False
        self.lines.append(new)
        return True

    def _is_sure(self, line: Line, answer: Answer) -> bool:
        """Of many windows some are accepted by chance: such a place is not confirmed beside it."""
        if answer.tail <= THRESHOLD / min(max(self.tape.end_s / QUERY_S, 1.0), STRICTNESS):
            return True
        return sum(knot.score >= ENOUGH for knot in line.knots) >= 3

    def _list_lines(self, start_s: float, end_s: float) -> list[Line]:
        return [
            line
            for line in self.lines
            if min(end_s, line.end_s) - max(start_s, line.start_s) > 0.2 * (end_s - start_s)
        ]

    def _measure_cover(self, start_s: float, end_s: float) -> float:
        """Return the share of a stretch in which something is known to play."""
        pieces = sorted(
            (max(line.start_s, start_s), min(line.end_s, end_s))
            for line in self.lines
            if line.start_s < end_s and line.end_s > start_s
        )
        covered, reached = 0.0, start_s
        for low, high in pieces:
            covered += max(0.0, high - max(low, reached))
            reached = max(reached, high)
        return covered / max(end_s - start_s, 1e-9)

    def _read_stars(self, song: str) -> Constellation:
        if song not in self._stars:
            self._stars[song] = next(
                read_constellation(part, row)
                for part in self.index.parts
                for row in part.list_present()
                if part.recordings[row].name == song
            )
        return self._stars[song]
