"""The command ``identify``: which recordings of an index files come from, and when."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aares.cli.listing import describe_changes, list_entries, show_time, write_csv, write_cue
from aares.cli.messages import fail
from aares.errors import AudioError, IndexFileError

if TYPE_CHECKING:
    import argparse

    import numpy as np

    from aares.identify import Answer, Index, Played

LONG_S = 60.0  # of a longer file there is a timeline, and no one answer
MANUAL = """
A file of up to a minute has one answer; a longer one, or one with several recordings, a timeline.
FILE may be - for standard input. With --csv - or --cue - nothing else is printed.

--json prints an object a line: file, seconds, reason ("match", "several", "unknown", "nothing" to
identify), match (the recording, if it is one), offset_s, score, p_false, speed, pitch, twins,
candidates; timeline: start_s, end_s, reason, song, offset_s, speed, pitch, p_false, twins of each
entry; notes on what could not be decoded. A file that cannot be read has file and error.

exit status: 0, also where nothing is recognised; 1 where a file or the index cannot be read;
2 where the command is wrong
"""


@dataclass(frozen=True)
class Wishes:
    """What is to be shown of the files.

    Parameters
    ----------
    as_json : bool
        One JSON object a line instead of text.
    window_s, step_s : float or None
        As of `aares.identify.make_timeline`; None: as there.
    csv, cue : str or None
        Where to write the timelines of all files too; ``-`` is standard output.
    """

    as_json: bool = False
    window_s: float | None = None
    step_s: float | None = None
    csv: str | None = None
    cue: str | None = None

    @property
    def is_silent(self) -> bool:
        """Tell whether standard output is for a table or a cue sheet.

        Returns
        -------
        bool
        """
        return "-" in (self.csv, self.cue)

    @property
    def windows(self) -> dict[str, float]:
        """Return the options of `make_timeline` that are given.

        Returns
        -------
        dict of str to float
            Of a window alone, the step is half of it.
        """
        given = {"window_s": self.window_s, "step_s": self.step_s}
        if self.window_s is not None and self.step_s is None:
            given["step_s"] = self.window_s / 2
        return {name: value for name, value in given.items() if value is not None}


def add_identify(commands: Any, *, index: Path) -> None:
    """Add ``identify`` to a command line.

    Parameters
    ----------
    commands : argparse subparsers
    index : Path
        The index where none is named.

    Examples
    --------
    >>> from aares.arguments import Parser
    >>> parser = Parser()
    >>> add_identify(parser.add_commands(), index=Path("music.index"))
    >>> parser.parse_args(["identify", "radio.mp3", "--window", "8"]).window
    8.0
    """
    import argparse

    ask = commands.add_parser(
        "identify",
        help="tell which recordings of an index files come from, and where in them",
        epilog=MANUAL,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ask.add_argument("files", nargs="+", metavar="FILE")
    ask.add_argument("--index", default=index, type=Path, metavar="INDEX", help=f"default: {index}")
    ask.add_argument("--json", action="store_true", help="one JSON object for each file")
    ask.add_argument(
        "--window", type=float, metavar="S",
        help="seconds that are looked at, at most 15 (default: 5, which finds 4 s)",
    )  # fmt: skip
    ask.add_argument(
        "--step", type=float, metavar="S", help="between windows (default: half a window)"
    )
    ask.add_argument("--csv", metavar="FILE", help="write the timeline as a table (-: print it)")
    ask.add_argument("--cue", metavar="FILE", help="write it as a cue sheet")
    ask.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    wishes = Wishes(options.json, options.window, options.step, options.csv, options.cue)
    return identify_files(options.files, options.index, wishes=wishes)


def identify_files(
    files: Sequence[str],
    index_file: str | Path,
    *,
    as_json: bool = False,
    wishes: Wishes | None = None,
) -> int:
    """Identify files, one after another.

    Parameters
    ----------
    files : sequence of str
        Audio, or ``-``; where ffmpeg is installed also videos and whatever else it reads.
    index_file : str or Path
    as_json : bool
        Print one JSON object a line instead of text, and nothing else.
    wishes : Wishes, optional
        What else is wanted; it goes before `as_json`.

    Returns
    -------
    int
        Exit status: 0, or 1 where a file could not be read, 2 where windows are impossible.

    Examples
    --------
    >>> identify_files(["excerpt.wav"], "nowhere.index", as_json=True)
    1
    """
    from aares.identify import Index
    from aares.identify.timeline import check_windows

    wishes = wishes or Wishes(as_json)
    try:
        check_windows(**wishes.windows)
    except ValueError as error:
        fail(f"--window, --step: {error}")
        return 2
    try:
        index = Index.open(index_file)
    except IndexFileError as error:
        if Path(index_file).exists():  # somebody's file: no advice to write over it
            return fail(str(error))
        return fail(f"{error}; make one with the command index FOLDER --out {index_file}")
    status = 0
    timelines: list[tuple[str, list[Played]]] = []
    for file in files:
        try:
            heard = _hear(index, file, wishes)
        except AudioError as error:
            status = 1
            if wishes.as_json and not wishes.is_silent:
                print(json.dumps({"file": file, "error": str(error)}, ensure_ascii=False))
            else:
                fail(str(error))
            continue
        timelines.append((file, heard.entries))
        if not wishes.is_silent:
            print(*(heard.list_json() if wishes.as_json else heard.list_text()), sep="\n")
    return max(status, _write_lists(timelines, wishes))


@dataclass(frozen=True)
class _Heard:
    """What was recognised in a file."""

    file: str
    seconds: float
    answer: Answer | None  # of a short file
    entries: list[Played]
    notes: list[str]

    @property
    def songs(self) -> list[Played]:
        return [entry for entry in self.entries if entry.song is not None]

    def list_json(self) -> list[str]:
        told: dict[str, Any] = {"file": self.file, "seconds": round(self.seconds, 2)}
        told |= self.answer.to_dict() if self.answer else self._summarise()
        told |= {"timeline": [entry.to_dict() for entry in self.entries], "notes": self.notes}
        return [json.dumps(told, ensure_ascii=False)]

    def _summarise(self) -> dict[str, Any]:
        """Return the answer of a long file: one recording, if it is the only one."""
        names = {entry.song for entry in self.songs}
        first = self.songs[0].to_dict() if len(names) == 1 else {}
        nothing = all(entry.reason == "nothing" for entry in self.entries)
        reason = "match" if first else "several" if names else "nothing" if nothing else "unknown"
        return {
            "match": first.get("song"),
            "reason": reason,
            "offset_s": first.get("offset_s"),
            "score": None,
            "p_false": min((entry.p_false for entry in self.entries), default=1.0),
            "speed": first.get("speed"),
            "pitch": first.get("pitch"),
            "twins": first.get("twins", []),
            "candidates": [],
        }

    def list_text(self) -> list[str]:
        """Return the answer of a short file; the timeline of one that is long, or has several."""
        lines = []
        if self.answer:
            lines.append(f"{self.file}: {_describe_answer(self.answer)}")
            if len({entry.song for entry in self.songs}) < 2:
                return lines
        else:
            n = len({entry.song for entry in self.songs})
            named = f"{n} recording{'s' * (n != 1)} recognised" if n else "nothing is recognised"
            lines.append(f"{self.file}: {show_time(self.seconds)}, {named}")
        return [*lines, *(f"  {line}" for line in list_entries(self.entries))]


def _hear(index: Index, file: str, wishes: Wishes) -> _Heard:
    from aares.audio.streams import open_blocks
    from aares.identify import trace_blocks
    from aares.identify.peaks import RATE_HZ

    blocks = open_blocks(file, sr=RATE_HZ, block_s=LONG_S)
    rest = iter(blocks)
    first = list(itertools.islice(rest, 2))
    answer = index.identify(first[0], RATE_HZ) if len(first) == 1 else None
    sound: itertools.chain[np.ndarray] = itertools.chain(first, rest)
    show = _show_progress if answer is None and sys.stderr.isatty() else None
    entries = trace_blocks(index, sound, on_progress=show, **wishes.windows)
    if show:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    for note in blocks.notes:
        print(f"{file}: {note}", file=sys.stderr)
    return _Heard(file, blocks.decoded_s, answer, entries, list(blocks.notes))


def _show_progress(seconds: float) -> None:
    print(f"\r{show_time(seconds)} heard", end="", file=sys.stderr, flush=True)


def _describe_answer(answer: Answer) -> str:
    best = answer.match
    if best is None:
        if answer.reason == "nothing":
            return "nothing to identify (silence, or a sound that stays)"
        return f"unknown (p of a false match {answer.p_false:.2g})"
    told = f"{best.song} from {best.offset_s:.2f} s"
    if changes := describe_changes(best.speed, best.pitch):
        told += f", {changes}"
    told += f" (p of a false match {answer.p_false:.1g})"
    if answer.twins:
        told += f"; the same as {', '.join(twin.song for twin in answer.twins)}"
    return told


def _write_lists(timelines: list[tuple[str, list[Played]]], wishes: Wishes) -> int:
    """Write the table and the cue sheet; return the exit status."""
    sheets = []
    if wishes.csv is not None:
        sheets.append((wishes.csv, write_csv(timelines)))
    if wishes.cue is not None:
        sheet, left_out = write_cue(timelines)
        if left_out:
            fail(f"a cue sheet holds 99 tracks: {left_out} entries are left out")
        sheets.append((wishes.cue, sheet))
    for file, text in sheets:
        if file == "-":
            print(text, end="")
            continue
        try:
            Path(file).write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            return fail(f"{file}: cannot be written ({error.strerror})")
    return 0
