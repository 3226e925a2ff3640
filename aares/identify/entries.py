"""The list of what was played when, from the lines that were followed.

Used by :mod:`.timeline`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from aares.identify.following import share_music
from aares.identify.lines import Line

SHORT_S = 1.0  # a shorter gap between two entries is none
GAP_S = 30.0  # a recording that goes on where it must after so long never stopped
TOLERANCE_S, DRIFT = 0.5, 0.05  # of the place after a gap, and for each second of the gap


@dataclass(frozen=True)
class Played:
    """A stretch of a long recording.

    Parameters
    ----------
    start_s, end_s : float
        Where it lies in the long recording.
    song : str or None
        None where nothing of the index was recognised.
    offset_s : float or None
        Where in the song it begins.
    p_false : float
        Of its surest window.
    speed : float
        Of the song, on average: places that pass in a second.
    pitch : float
        Factor by which it is higher than at that speed, see `ranking.Candidate`.
    twins : tuple of str
        Other recordings of the index that have the same music there, such as a remaster, or
        another piece with the same loop.
    reason : {"match", "unknown", "nothing"}
        See `answer.Answer.reason`.
    """

    start_s: float
    end_s: float
    song: str | None
    offset_s: float | None
    p_false: float
    speed: float = 1.0
    pitch: float = 1.0
    twins: tuple[str, ...] = ()
    reason: str = "match"

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as JSON values.

        Returns
        -------
        dict
            ``start_s``, ``end_s``, ``reason``, ``song``, ``offset_s``, ``speed``, ``pitch``,
            ``p_false``, ``twins``; of what was not recognised all between but the probability are
            None.

        Examples
        --------
        >>> Played(0.0, 5.0, "a", 3.0, 1e-9, speed=1.02).to_dict()["speed"]
        1.02
        """
        known = self.song is not None
        return {
            "start_s": self.start_s,
            "end_s": self.end_s,
            "reason": self.reason,
            "song": self.song,
            "offset_s": self.offset_s,
            "speed": self.speed if known else None,
            "pitch": self.pitch if known else None,
            "p_false": self.p_false,
            "twins": list(self.twins),
        }


class Heard(NamedTuple):
    """A window in which nothing new was recognised.

    Parameters
    ----------
    start_s, end_s : float
    reason : {"unknown", "nothing"}
    p_false : float
        See `answer.Answer`.
    """

    start_s: float
    end_s: float
    reason: str
    p_false: float


def make_entries(lines: Sequence[Line], heard: Sequence[Heard], end_s: float) -> list[Played]:
    """Make a timeline of what was followed.

    Parameters
    ----------
    lines : sequence of Line
    heard : sequence of Heard
    end_s : float
        Length of the long recording.

    Returns
    -------
    list of Played
        In the order of their starts, without gaps.
    """
    kept = join_lines(drop_shadows(lines))
    songs = sorted((_tell(line) for line in kept), key=lambda one: (one.start_s, one.end_s))
    return _fill(songs, heard, end_s)


def drop_shadows(lines: Sequence[Line]) -> list[Line]:
    """Leave out lines that lie under a surer one of the same recording, or of a twin.

    Parameters
    ----------
    lines : sequence of Line
        A twin's name is added to the line that stays.

    Returns
    -------
    list of Line
        In the order of their starts.
    """
    kept: list[Line] = []
    for line in sorted(lines, key=lambda one: (-one.evidence, one.start_s, one.song)):
        for other in kept:
            shared_s = min(line.end_s, other.end_s) - max(line.start_s, other.start_s)
            if shared_s <= 0.5 * (line.end_s - line.start_s):
                continue
            if line.song == other.song:
                break
            if line.song in other.twins or share_music(line, other):
                other.twins = sorted({*other.twins, line.song})
                break
        else:
            kept.append(line)
    return sorted(kept, key=lambda one: (one.start_s, one.song))


def join_lines(lines: Sequence[Line]) -> list[Line]:
    """Join lines of one recording where it goes on as it must: it was only not heard between.

    Parameters
    ----------
    lines : sequence of Line
        In the order of their starts.

    Returns
    -------
    list of Line
    """
    joined: list[Line] = []
    for line in lines:
        last = next((one for one in reversed(joined) if one.song == line.song), None)
        if last is not None and _goes_on(last, line):
            joined.remove(last)
            twins = sorted({*last.twins, *line.twins})
            line = replace(
                last,
                knots=[*last.knots, *line.knots],
                p_false=min(last.p_false, line.p_false),
                end_s=max(last.end_s, line.end_s),
                twins=twins,
            )
        joined.append(line)
    return joined


def _goes_on(last: Line, line: Line) -> bool:
    gap_s = max(0.0, line.start_s - last.end_s)
    missed_s = last.place(line.start_s) - line.place(line.start_s)
    return gap_s <= GAP_S and abs(missed_s) <= TOLERANCE_S + DRIFT * gap_s


def _tell(line: Line) -> Played:
    tempo, pitch = line.tempo, line.knots[0].pitch
    return Played(
        round(line.start_s, 2),
        round(line.end_s, 2),
        line.song,
        round(max(line.place(line.start_s), 0.0), 2),
        line.p_false,
        round(tempo, 4),
        round(pitch / tempo, 4),
        tuple(line.twins),
    )


def _fill(songs: list[Played], heard: Sequence[Heard], end_s: float) -> list[Played]:
    """Put what was heard between the songs, and close what is too short to be anything."""
    entries: list[Played] = []
    reached_s, last = 0.0, None  # the entry that reaches furthest
    for song in songs:
        gap_s = song.start_s - reached_s
        if gap_s >= SHORT_S:
            entries += _describe_gap(reached_s, song.start_s, heard)
        elif gap_s > 0:
            border_s = round(reached_s + gap_s / 2, 2) if last is not None else 0.0
            song = _begin_at(song, border_s)
            if last is not None:
                entries[last] = replace(entries[last], end_s=border_s)
        entries.append(song)
        if song.end_s > reached_s:
            reached_s, last = song.end_s, len(entries) - 1
    if end_s - reached_s >= SHORT_S or not songs:
        entries += _describe_gap(reached_s, end_s, heard)
    elif last is not None:
        entries[last] = replace(entries[last], end_s=end_s)
    return entries


def _begin_at(song: Played, start_s: float) -> Played:
    moved = (song.offset_s or 0.0) + (start_s - song.start_s) * song.speed
    return replace(song, start_s=start_s, offset_s=round(max(moved, 0.0), 2))


def _describe_gap(start_s: float, end_s: float, heard: Sequence[Heard]) -> list[Played]:
    """Divide a stretch into what is unknown and where there is nothing to identify."""
    windows = [one for one in heard if one.start_s < end_s and one.end_s > start_s]
    borders = {t for w in windows for t in (w.start_s, w.end_s) if start_s < t < end_s}
    pieces: list[Played] = []
    for low, high in itertools.pairwise(sorted({start_s, end_s, *borders})):
        over = [w for w in windows if w.start_s < high and w.end_s > low]
        reasons = {w.reason for w in over}
        if not reasons and pieces:  # beside a song, as before
            reasons = {pieces[-1].reason}
        reason = "nothing" if "nothing" in reasons else "unknown"
        p_false = min((w.p_false for w in over), default=1.0)
        if pieces and reason != pieces[-1].reason and high - low < SHORT_S:
            reason = pieces[-1].reason
        if pieces and pieces[-1].reason == reason:
            p_false = min(p_false, pieces[-1].p_false)
            pieces[-1] = replace(pieces[-1], end_s=high, p_false=p_false)
        else:
            pieces.append(Played(low, high, None, None, p_false, reason=reason))
    return pieces
