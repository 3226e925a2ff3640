"""What was played when: a long recording, such as a broadcast, against an index.

Used by notebook 04. The recording is looked at in overlapping windows; neighbouring windows that
agree on recording and offset are one entry.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from aares.identify.index import Index
from aares.identify.query import read_signal

TOLERANCE_S = 0.5  # offsets of one entry agree this closely


@dataclass(frozen=True)
class Played:
    """A stretch of a long recording.

    Parameters
    ----------
    start_s, end_s : float
        Where it lies in the long recording, to the step of the windows.
    song : str or None
        None where nothing of the index was recognised.
    offset_s : float or None
        Where in the song it begins.
    p_false : float
        Of its surest window.
    speed : float
        Of its first window.
    """

    start_s: float
    end_s: float
    song: str | None
    offset_s: float | None
    p_false: float
    speed: float = 1.0


def make_timeline(
    index: Index,
    y: np.ndarray,
    sr: int,
    *,
    window_s: float = 10.0,
    step_s: float = 5.0,
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
        In order, without gaps, from 0 to the end.

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
    >>> for played in make_timeline(index, y, 8000, window_s=5.0, step_s=5.0):
    ...     print(played.start_s, played.end_s, played.song)
    0.0 5.0 None
    5.0 15.0 known
    """
    if not 0 < step_s <= window_s <= 15:
        raise ValueError(
            f"expected 0 < step_s <= window_s <= 15, found {step_s} s and {window_s} s"
        )
    y = read_signal(y)
    length = max(1, round(window_s * sr))
    starts = range(0, max(1, len(y) - length + 1), max(1, round(step_s * sr)))
    entries: list[Played] = []
    for start in starts:
        answer = index.identify(y[start : start + length], sr)
        start_s, end_s = start / sr, min(start + length, len(y)) / sr
        match = answer.match
        new = Played(start_s, end_s, None, None, answer.p_false)
        if match:
            new = replace(new, song=match.song, offset_s=match.offset_s, speed=match.speed)
        _append(entries, new)
    return [*entries[:-1], replace(entries[-1], end_s=len(y) / sr)]


def _append(entries: list[Played], new: Played) -> None:
    """Add a window: it prolongs the last entry, or it ends that entry and begins another."""
    if not entries:
        entries.append(new)
        return
    last = entries[-1]
    if _agree(last, new):
        p_false = min(last.p_false, new.p_false)
        entries[-1] = replace(last, end_s=new.end_s, p_false=p_false)
        return
    # two windows overlap: what was recognised keeps the overlap, else its middle divides them
    border = (new.start_s + last.end_s) / 2
    if last.song is None:
        border = new.start_s
    elif new.song is None:
        border = last.end_s
    entries[-1] = replace(last, end_s=border)
    if border <= last.start_s:  # nothing is left of it: the entry before may go on
        entries.pop()
        _append(entries, new)
        return
    offset_s = new.offset_s
    if offset_s is not None:
        offset_s = round(offset_s + (border - new.start_s) * new.speed, 3)
    entries.append(replace(new, start_s=border, offset_s=offset_s))


def _agree(last: Played, new: Played) -> bool:
    if last.song != new.song:
        return False
    if last.offset_s is None or new.offset_s is None:
        return True
    elapsed_s = (new.start_s - last.start_s) * last.speed
    return abs(new.offset_s - last.offset_s - elapsed_s) <= TOLERANCE_S
