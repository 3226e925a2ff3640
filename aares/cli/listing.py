"""How a timeline is written: for people, as a table (CSV), as a cue sheet.

References
----------
.. [1] "CDRWIN User's Guide", Golden Hawk Technology, 1998: commands of a cue sheet (at most 99
   tracks; times in minutes, seconds and frames, 75 a second; quotation marks end a text).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aares.identify import Played

COLUMNS = (
    "file", "start_s", "end_s", "reason", "song", "offset_s", "speed", "pitch", "p_false", "twins",
)  # fmt: skip
NAMES = {"unknown": "unknown", "nothing": "nothing to identify"}
CUE_TRACKS = 99
CUE_TYPES = {".mp3": "MP3", ".aif": "AIFF", ".aiff": "AIFF"}  # others: WAVE


def list_entries(entries: Sequence[Played]) -> list[str]:
    """Write a timeline for people, a line each.

    Parameters
    ----------
    entries : sequence of Played

    Returns
    -------
    list of str
        Times, recording, where in it, speed and pitch if they are changed, twins.

    Examples
    --------
    >>> from aares.identify import Played
    >>> first = Played(0.0, 61.0, "a.mp3", 5.0, 1e-9, twins=("a (remaster).mp3",))
    >>> fast = Played(61.0, 4000.0, "long.mp3", 0.0, 1e-9, speed=1.06, pitch=1 / 1.06)
    >>> pause = Played(4000.0, 4010.5, None, None, 1.0, reason="nothing")
    >>> print(*list_entries([first, fast, pause]), sep="\\n")
    0:00:00.0  0:01:01.0  a.mp3     from 0:00:05.0  the same as a (remaster).mp3
    0:01:01.0  1:06:40.0  long.mp3  from 0:00:00.0  speed +6.0 %, key kept
    1:06:40.0  1:06:50.5  nothing to identify
    """
    width = max((len(entry.song) for entry in entries if entry.song is not None), default=0)
    return [_describe(entry, width) for entry in entries]


def _describe(entry: Played, width: int) -> str:
    times = f"{show_time(entry.start_s)}  {show_time(entry.end_s)}"
    if entry.song is None:
        return f"{times}  {NAMES[entry.reason]}"
    line = f"{times}  {entry.song:{width}}  from {show_time(entry.offset_s or 0)}"
    changes = describe_changes(entry.speed, entry.pitch)
    twins = f"the same as {', '.join(entry.twins)}" if entry.twins else ""
    return "  ".join(filter(None, (line, changes, twins)))


def describe_changes(speed: float, pitch: float) -> str:
    """Tell how a recording is played otherwise than it is.

    Parameters
    ----------
    speed, pitch : float
        See `aares.identify.Candidate`.

    Returns
    -------
    str
        Empty where it is played as it is.

    Examples
    --------
    >>> describe_changes(0.98, 1.0), describe_changes(1.04, 1 / 1.04), describe_changes(1.001, 1.0)
    ('speed -2.0 %', 'speed +4.0 %, key kept', '')
    """
    changes = []
    if abs(speed - 1) >= 0.004:
        changes.append(f"speed {100 * (speed - 1):+.1f} %")
    if abs(pitch - 1) >= 0.008:
        key = speed * pitch
        changes.append("key kept" if abs(key - 1) < 0.008 else f"key {100 * (key - 1):+.1f} %")
    return ", ".join(changes)


def show_time(seconds: float) -> str:
    """Write a time as hours, minutes and seconds.

    Parameters
    ----------
    seconds : float

    Returns
    -------
    str

    Examples
    --------
    >>> [show_time(s) for s in (0, 59.96, 3661.25, -0.04, -61)]
    ['0:00:00.0', '0:01:00.0', '1:01:01.2', '0:00:00.0', '-0:01:01.0']
    """
    tenths = round(abs(seconds) * 10)
    minutes, rest = divmod(tenths, 600)
    sign = "-" if seconds < 0 and tenths else ""
    return f"{sign}{minutes // 60}:{minutes % 60:02}:{rest / 10:04.1f}"


def write_csv(timelines: Iterable[tuple[str, Sequence[Played]]]) -> str:
    """Write timelines as a table.

    Parameters
    ----------
    timelines : iterable of (str, sequence of Played)
        The name of a file, and its entries.

    Returns
    -------
    str
        A line of names (`COLUMNS`), then a line for each entry; what is not known is empty, twins
        are separated by ``" | "``.

    Examples
    --------
    >>> from aares.identify import Played
    >>> print(write_csv([("radio.mp3", [Played(0.0, 61.0, 'the "a", live', 5.0, 1e-9)])]).strip())
    file,start_s,end_s,reason,song,offset_s,speed,pitch,p_false,twins
    radio.mp3,0.0,61.0,match,"the ""a"", live",5.0,1.0,1.0,1e-09,
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for file, entries in timelines:
        for entry in entries:
            row = {"file": file, **entry.to_dict()}
            writer.writerow({**row, "twins": " | ".join(entry.twins)})
    return out.getvalue()


def write_cue(timelines: Iterable[tuple[str, Sequence[Played]]]) -> tuple[str, int]:
    """Write timelines as a cue sheet: a track where an entry starts.

    Parameters
    ----------
    timelines : iterable of (str, sequence of Played)
        The name of a file, and its entries.

    Returns
    -------
    sheet : str
        Stretches that are unknown are tracks too: a track lasts until the next one.
    left_out : int
        Entries beyond the 99 tracks of a sheet [1]_.

    Examples
    --------
    >>> from aares.identify import Played
    >>> sheet, left_out = write_cue([("radio.mp3", [Played(60.52, 90.0, 'the "a"', 5.0, 1e-9)])])
    >>> print(sheet.strip())
    FILE "radio.mp3" MP3
      TRACK 01 AUDIO
        TITLE "the 'a'"
        INDEX 01 01:00:39
    """
    lines: list[str] = []
    tracks = left_out = 0
    for file, entries in timelines:
        kind = CUE_TYPES.get(Path(file).suffix.lower(), "WAVE")
        lines.append(f"FILE {_quote(file)} {kind}")
        for entry in entries:
            if tracks == CUE_TRACKS:
                left_out += 1
                continue
            tracks += 1
            seconds, frames = divmod(round(entry.start_s * 75), 75)
            lines += [
                f"  TRACK {tracks:02} AUDIO",
                f"    TITLE {_quote(entry.song or NAMES[entry.reason])}",
                f"    INDEX 01 {seconds // 60:02}:{seconds % 60:02}:{frames:02}",
            ]
    return "\n".join(lines) + "\n", left_out


def _quote(text: str) -> str:
    plain = " ".join(text.split()).replace('"', "'")
    return f'"{plain}"'
