"""The command ``listen``: what is playing, from a microphone or a pipe, told as it goes."""

from __future__ import annotations

import json
import math
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aares.cli.listing import describe_changes, show_time
from aares.cli.messages import fail
from aares.errors import AudioError, IndexFileError

if TYPE_CHECKING:
    import argparse

    import numpy as np

    from aares.audio.streams import Blocks
    from aares.identify.live import Change

MANUAL = """
Without SOURCE the microphone is heard, through parec, arecord or ffmpeg, whichever is installed.
SOURCE is a pipe or a file, - standard input: raw samples where --rate is given, else whatever
ffmpeg decodes as it comes. A line is printed when a recording begins or ends, with its time since
the start; --json prints an object a line: kind ("begins", "ends"), time_s, song, place_s (where in
the recording), p_false, speed, pitch, twins, told_s (what was heard by then). Ctrl-C ends it.

  aares listen
  curl -s http://radio.example/stream.mp3 | aares listen - --json
  parec --format=s16le --rate=44100 --channels=2 | aares listen - --rate 44100 --channels 2
"""


def add_listen(commands: Any, *, index: Path) -> None:
    """Add ``listen`` to a command line.

    Parameters
    ----------
    commands : argparse subparsers
    index : Path
        The index where none is named.

    Examples
    --------
    >>> from aares.arguments import Parser
    >>> parser = Parser()
    >>> add_listen(parser.add_commands(), index=Path("music.index"))
    >>> parser.parse_args(["listen", "-", "--rate", "44100"]).rate
    44100
    """
    import argparse

    listen = commands.add_parser(
        "listen",
        help="tell what is playing, from a microphone or a pipe, as it goes",
        epilog=MANUAL,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    listen.add_argument("source", nargs="?", metavar="SOURCE")
    listen.add_argument("--index", default=index, type=Path, help=f"default: {index}")
    listen.add_argument("--json", action="store_true", help="one JSON object a line")
    listen.add_argument("--rate", type=int, metavar="HZ", help="of raw samples")
    listen.add_argument("--channels", type=int, metavar="N", help="of raw samples; default: 1")
    listen.add_argument(
        "--format", choices=("s16le", "f32le"), help="of raw samples; default: s16le"
    )
    listen.add_argument("--device", metavar="NAME", help="of the microphone")
    listen.set_defaults(run=_listen)


def _listen(options: argparse.Namespace) -> int:
    from aares.identify import Index
    from aares.identify.live import DELAY_S, LiveTimeline

    if wrong := _find_contradiction(options):
        fail(wrong)
        return 2
    try:
        index = Index.open(options.index)
    except IndexFileError as error:
        return fail(str(error))
    live = LiveTimeline(index)
    try:
        with ExitStack() as stack:
            stop = stack.enter_context(_stopping())
            blocks = stack.enter_context(_open(options))
            print(
                f"Listening; what begins or ends is told within {math.ceil(DELAY_S)} s, or twice "
                "that where it is hard to hear. Ctrl-C ends it.", file=sys.stderr,
            )  # fmt: skip
            for block in stop.take(blocks):
                _print(live.hear(block), as_json=options.json)
            _print(live.finish(), as_json=options.json)
            for note in blocks.notes:
                print(note, file=sys.stderr)
    except KeyboardInterrupt:  # before anything was heard
        return 0
    except ValueError as error:
        fail(f"--rate, --channels, --format: {error}")
        return 2
    except AudioError as error:
        _print(live.finish(), as_json=options.json)
        return fail(str(error))
    return 0


def _find_contradiction(options: argparse.Namespace) -> str:
    is_raw = options.channels is not None or options.format is not None
    if options.source is None and (is_raw or options.rate is not None):
        return "--rate, --channels, --format: expected a SOURCE of raw samples, such as -"
    if is_raw and options.rate is None:
        return "--channels, --format: expected --rate too"
    if options.source is not None and options.device is not None:
        return "--device: expected no SOURCE beside a microphone"
    return ""


@contextmanager
def _open(options: argparse.Namespace) -> Iterator[Blocks]:
    from aares.audio.pcm import open_live, open_microphone, open_pcm
    from aares.audio.sources import show_name

    if options.source is None:
        with open_microphone(options.device) as blocks:
            yield blocks
        return
    name = "standard input" if options.source == "-" else show_name(options.source)
    if options.source == "-" and sys.stdin.isatty():
        raise AudioError(f"{name}: expected sound in a pipe, found a terminal")
    place: int | str = sys.stdin.fileno() if options.source == "-" else options.source
    try:
        stream = open(place, "rb", buffering=0, closefd=options.source != "-")  # noqa: SIM115
    except OSError as error:
        raise AudioError(f"{name}: not readable ({error.strerror})") from error
    with stream:
        if options.rate is None:
            yield open_live(stream, name=name)
        else:
            yield open_pcm(
                stream, rate=options.rate, name=name,
                channels=1 if options.channels is None else options.channels,
                kind=options.format or "s16le",
            )  # fmt: skip


class _Stop:
    """Ends listening by Ctrl-C at once, but not in the middle of a search."""

    def __init__(self) -> None:
        self.is_waiting, self.is_wanted = True, False

    def take(self, blocks: Blocks) -> Iterator[np.ndarray]:
        sound = iter(blocks)
        while not self.is_wanted:
            self.is_waiting = True
            try:
                block = next(sound)
            except (StopIteration, KeyboardInterrupt):
                return
            finally:
                self.is_waiting = False
            yield block

    def handle(self, *_: Any) -> None:
        self.is_wanted = True
        if self.is_waiting:
            raise KeyboardInterrupt


@contextmanager
def _stopping() -> Iterator[_Stop]:
    stop = _Stop()
    before = signal.signal(signal.SIGINT, stop.handle)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _print(changes: list[Change], *, as_json: bool) -> None:
    for change in changes:
        if as_json:
            print(json.dumps(change.to_dict()), flush=True)
        else:
            print(_describe(change), flush=True)


def _describe(change: Change) -> str:
    told = f"{show_time(change.time_s)}  {change.kind:6}  {change.song}"
    if change.kind == "ends":
        return told
    told += f"  from {show_time(change.place_s)}"
    if changes := describe_changes(change.speed, change.pitch):
        told += f", {changes}"
    told += f" (p of a false match {change.p_false:.1g})"
    return told + (f"; the same as {', '.join(change.twins)}" if change.twins else "")
