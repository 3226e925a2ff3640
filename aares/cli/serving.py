"""The command ``serve``: the identifier by HTTP."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aares.cli.messages import fail
from aares.errors import IndexFileError

if TYPE_CHECKING:
    import argparse

PORT = 8009
MANUAL = """
POST /identify   a file as the body; replies as identify --json does
                 ?window=S&step=S as there; timeline=false: the answer alone; name=TEXT: its name
GET /recordings  the index in pages: ?offset=0&limit=100
GET /health      200 where files can be answered for
GET /metrics     counts, for Prometheus

  curl --data-binary @excerpt.mp3 http://127.0.0.1:8009/identify

What is refused has a status and a sentence: 400 the request, 403 the token, 408 too slow, 413 too
large or too long, 415 a form or compressed, 422 no sound, 503 too busy (Retry-After), 504 the
search takes too long. Where others can reach the address each request needs a token:
--token, or AARES_TOKEN of the environment, or one that is made at the start.
"""


def add_serve(commands: Any, *, index: Path) -> None:
    """Add ``serve`` to a command line.

    Parameters
    ----------
    commands : argparse subparsers
    index : Path
        The index where none is named.

    Examples
    --------
    >>> from aares.arguments import Parser
    >>> parser = Parser()
    >>> add_serve(parser.add_commands(), index=Path("music.index"))
    >>> parser.parse_args(["serve", "--workers", "4"]).workers
    4
    """
    import argparse

    serve = commands.add_parser(
        "serve",
        help="answer by HTTP which recordings of an index files come from",
        epilog=MANUAL,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    serve.add_argument("--index", default=index, type=Path, help=f"default: {index}")
    serve.add_argument("--host", default="127.0.0.1", help="address; default: this computer only")
    serve.add_argument("--port", type=int, default=PORT, help=f"default: {PORT}; 0: any")
    serve.add_argument(
        "--workers", type=int, default=count_cores(), metavar="N",
        help="processes that search; default: one for each core",
    )  # fmt: skip
    serve.add_argument(
        "--limit-mb", type=float, default=64, metavar="MB", help="of a file; default: 64"
    )
    serve.add_argument(
        "--limit-s", type=float, default=600, metavar="S", help="of sound in it; default: 600"
    )
    serve.add_argument(
        "--timeout", type=float, default=30, metavar="S", help="of a search; default: 30"
    )
    serve.add_argument("--token", default=os.environ.get("AARES_TOKEN"), help="that requests need")
    serve.set_defaults(run=_serve)


def count_cores() -> int:
    """Count the cores that this process may use.

    Returns
    -------
    int

    Examples
    --------
    >>> count_cores() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _serve(options: argparse.Namespace) -> int:
    try:
        from aares.serve.limits import Limits
        from aares.serve.running import serve_index
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn"):
            raise
        return fail(f"{error.name} is missing: pip install 'aares[serve]'")
    if options.token is not None and not re.fullmatch(r"[\x21-\x7e]{8,}", options.token):
        fail("--token: expected 8 characters or more, letters, digits and signs without spaces")
        return 2
    try:
        limits = Limits(
            most_bytes=int(options.limit_mb * 1e6),
            longest_s=options.limit_s,
            search_s=options.timeout,
        )
        serve_index(
            options.index, host=options.host, port=options.port, n_searchers=options.workers,
            limits=limits, token=options.token, say=lambda line: print(line, flush=True),
        )  # fmt: skip
    except ValueError as error:
        fail(f"--workers, --limit-mb, --limit-s, --timeout: {error}")
        return 2
    except IndexFileError as error:
        if options.index.exists():
            return fail(str(error))
        return fail(f"{error}; make one with the command index FOLDER --out {options.index}")
    return 0
