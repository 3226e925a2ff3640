"""The command ``identify``: which recordings of an index files come from, and when."""

from __future__ import annotations

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

    from aares.identify import Answer, Index, Played
    from aares.identify.hearing import Hearing

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
            print(*(_list_json(heard) if wishes.as_json else _list_text(heard)), sep="\n")
    return max(status, _write_lists(timelines, wishes))


def _list_json(heard: Hearing) -> list[str]:
    return [json.dumps(heard.to_dict(), ensure_ascii=False)]


def _list_text(heard: Hearing) -> list[str]:
    """Return the answer of a short file; the timeline of one that is long, or has several."""
    n = len({entry.song for entry in heard.songs})
    lines = []
    if heard.answer:
        lines.append(f"{heard.file}: {_describe_answer(heard.answer)}")
        if n < 2:
            return lines
    else:
        named = f"{n} recording{'s' * (n != 1)} recognised" if n else "nothing is recognised"
        lines.append(f"{heard.file}: {show_time(heard.seconds)}, {named}")
    return [*lines, *(f"  {line}" for line in list_entries(heard.entries))]


def _hear(index: Index, file: str, wishes: Wishes) -> Hearing:
    from aares.identify.hearing import hear_file

    show = _show_progress if sys.stderr.isatty() else None
    heard = hear_file(index, file, windows=wishes.windows, on_progress=show)
    if show and heard.answer is None:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    for note in heard.notes:
        print(f"{file}: {note}", file=sys.stderr)
    return heard


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
