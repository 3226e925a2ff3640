"""The command line: ``aares index FOLDER``, ``aares identify FILE...``, and what keeps an index.

The only package of the library that prints. It is thin: :class:`aares.identify.Index` does the
work, and is imported when there is some.
"""

from __future__ import annotations

import gc
import io
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from aares.arguments import Parser
from aares.cli.identifying import add_identify, identify_files
from aares.cli.indexing import add_index_commands, index_folder
from aares.cli.mapping import add_map_commands
from aares.cli.messages import fail
from aares.errors import AaresError

__all__ = [
    "add_commands", "identify_files", "index_folder", "leave", "main", "run_quietly", "start"
]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command of ``aares``; return the exit status.

    Examples
    --------
    Without an index there is no answer; the reason goes to standard error.

    >>> main(["identify", "excerpt.wav", "--index", "nowhere.index"])
    1
    """
    _print_any_name()
    return run_quietly(lambda: _run(arguments))


def start() -> NoReturn:
    """Run the command that the shell names, and end the process."""
    gc.set_threshold(200_000)  # what is imported is no garbage, and looking for it takes a tenth
    leave(main())


def leave(status: int) -> NoReturn:
    """End the process at once: tidying up compiled code takes longer than identifying a file.

    Parameters
    ----------
    status : int
        Its exit status.

    Raises
    ------
    SystemExit
        Where other processes have to be told first.
    """
    if "joblib" in sys.modules or threading.active_count() > 1:
        sys.exit(status)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def _print_any_name() -> None:
    """Let names be printed that the terminal's encoding does not have."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _run(arguments: Sequence[str] | None) -> int:
    parser = Parser(
        prog="aares", description="Index recordings, and tell which of them a file comes from."
    )
    add_commands(parser.add_commands(required=True), index=Path("music.index"))
    try:
        options, rest = parser.parse_known_args(arguments)
        parser.refuse(rest, options)
        status: int = options.run(options)
    except AaresError as error:
        return fail(str(error))
    except KeyboardInterrupt:
        print("interrupted; what the index holds already stays", file=sys.stderr)
        return 130
    return status


def run_quietly(command: Callable[[], int]) -> int:
    """Run a command that ends without a word when nobody reads on, as in ``aares --help | head``.

    Parameters
    ----------
    command : callable
        Returns the exit status.

    Returns
    -------
    int
        That status, or 141, as of other tools whose reader went away.

    Examples
    --------
    >>> run_quietly(lambda: 0)
    0
    """
    try:
        try:
            return command()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        try:
            print(flush=True)
        except BrokenPipeError:  # what is still to be said goes nowhere, now and at the end
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.dup2(nowhere, sys.stderr.fileno())
            return 141
        raise  # another pipe, which is another matter


def add_commands(commands: Any, *, index: Path) -> None:
    """Add the commands of the identifier to a command line.

    Parameters
    ----------
    commands : argparse subparsers
    index : Path
        The index where none is named.

    Examples
    --------
    >>> parser = Parser()
    >>> add_commands(parser.add_commands(), index=Path("music.index"))
    >>> options = parser.parse_args(["index", "albums"])
    >>> options.folder, options.index.name
    ('albums', 'music.index')
    """
    add_index_commands(commands, index=index)
    add_identify(commands, index=index)
    add_map_commands(commands, index=index)
