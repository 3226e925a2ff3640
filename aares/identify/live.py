"""What begins and ends to play, told while it is heard.

Used by the command ``listen``. A timeline of what is still going on: the same windows are searched
as in :mod:`.timeline`, and what is recognised is followed to its end. A beginning is told when the
window that knows it and the sound that confirms it have been heard, an end when nothing more of the
recording was found for a while: both later by up to `DELAY_S`, or twice as late where only a longer
window is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from aares.identify.entries import drop_shadows
from aares.identify.following import HOP_S, MAX_MISSES
from aares.identify.index import Index
from aares.identify.lines import LOOK_S, Line
from aares.identify.timeline import LOOKAHEAD_S, STEP_S, WINDOW_S, Listener, check_windows

DELAY_S = max(WINDOW_S + LOOKAHEAD_S, (MAX_MISSES + 2) * HOP_S + LOOK_S / 2) + STEP_S
KEPT_S = 60.0  # a line that ended is kept so long: it may be another's shadow


@dataclass(frozen=True)
class Change:
    """A recording begins or ends.

    Parameters
    ----------
    kind : {"begins", "ends"}
    time_s : float
        When, in seconds of what was heard.
    song : str
    place_s : float
        Where in the recording that is.
    p_false : float
        Of the search that recognised it.
    speed, pitch : float
        See `entries.Played`.
    twins : tuple of str
        Other recordings that are the same there.
    told_s : float
        What was heard when it was told.
    """

    kind: str
    time_s: float
    song: str
    place_s: float
    p_false: float
    speed: float
    pitch: float
    twins: tuple[str, ...]
    told_s: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values.

        Returns
        -------
        dict

        Examples
        --------
        >>> Change("ends", 61.0, "a", 180.0, 1e-6, 1.0, 1.0, (), 75.0).to_dict()["place_s"]
        180.0
        """
        return vars(self) | {"twins": list(self.twins)}


class LiveTimeline:
    """Hears sound as it comes, and tells what has begun or ended.

    Parameters
    ----------
    index : Index
    window_s, step_s : float
        As of `timeline.make_timeline`.

    Raises
    ------
    ValueError
        The window or the step is out of range.

    Examples
    --------
    Ten seconds of noise that is not in the index, then 25 of one that is.

    >>> rng = np.random.default_rng(0)
    >>> known, other = (rng.standard_normal(30 * 8000, dtype=np.float32) for _ in range(2))
    >>> live = LiveTimeline(Index.from_signals({"known": known}))
    >>> sound = np.concatenate([other[:80_000], known[40_000:]])
    >>> told = [change for second in np.split(sound, 35) for change in live.hear(second)]
    >>> [(change.kind, abs(change.time_s - 10) < 1, change.told_s < 30) for change in told]
    [('begins', True, True)]
    >>> [(change.kind, round(change.time_s)) for change in live.finish()]
    [('ends', 35)]
    """

    def __init__(self, index: Index, *, window_s: float = WINDOW_S, step_s: float = STEP_S) -> None:
        check_windows(window_s, step_s)
        self._listener = Listener(index, window_s, step_s)
        self._begun: list[Line] = []
        self._ended: list[Line] = []

    def hear(self, y: np.ndarray) -> list[Change]:
        """Hear what follows.

        Parameters
        ----------
        y : ndarray of float32, shape (n,)
            Mono at 8 kHz; the shorter, the sooner something is told.

        Returns
        -------
        list of Change
            In the order of their times.
        """
        self._listener.hear(y)
        changes = self._compare()
        self._forget()
        return changes

    def finish(self) -> list[Change]:
        """Tell what is left to tell when nothing more will be heard.

        Returns
        -------
        list of Change
        """
        self._listener.finish()
        return self._compare()

    def _compare(self) -> list[Change]:
        """Tell what has begun or ended since this was called last."""
        changes = []
        for line in drop_shadows(self._listener.lines):
            if not any(_is_same(line, told) for told in (*self._begun, *self._ended)):
                self._begun.append(line)
                changes.append(self._tell("begins", line, line.start_s))
        for line in [line for line in self._begun if not line.is_open]:
            self._begun.remove(line)
            self._ended.append(line)
            changes.append(self._tell("ends", line, line.end_s))
        return sorted(changes, key=lambda change: (change.time_s, change.kind, change.song))

    def _tell(self, kind: str, line: Line, time_s: float) -> Change:
        tempo, pitch = line.tempo, line.knots[0].pitch
        return Change(
            kind, round(time_s, 2), line.song, round(max(line.place(time_s), 0.0), 2),
            line.p_false, round(tempo, 4), round(pitch / tempo, 4), tuple(line.twins),
            round(self._listener.tape.end_s, 2),
        )  # fmt: skip

    def _forget(self) -> None:
        """Forget what is over, so that days can be heard."""
        listener = self._listener
        since_s = min(listener.tape.start_s, listener.tape.end_s - KEPT_S)
        listener.lines = [one for one in listener.lines if one.is_open or one.end_s > since_s]
        self._ended = [one for one in self._ended if one.end_s > since_s]
        listener.heard.clear()
        names = {line.song for line in listener.lines}
        listener._stars = {song: s for song, s in listener._stars.items() if song in names}


def _is_same(line: Line, told: Line) -> bool:
    """Tell whether a line is one that was told, or its twin at the same time."""
    if line is told:
        return True
    shared_s = min(line.end_s, told.end_s) - max(line.start_s, told.start_s)
    if shared_s <= 0.5 * (line.end_s - line.start_s):
        return False
    return line.song == told.song or line.song in told.twins or told.song in line.twins
