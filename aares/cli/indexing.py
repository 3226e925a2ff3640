"""The commands that keep an index of recordings: index, remove, merge, list, verify."""

from __future__ import annotations

import fnmatch
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aares.cli.messages import describe_progress, fail
from aares.errors import AaresError, IndexFileError

if TYPE_CHECKING:
    from aares.identify import Index

WAIT_S = 60.0  # for another writer, where nothing else is said


def add_index_commands(commands: Any, *, index: Path) -> None:
    """Add what makes and changes an index to a command line.

    Parameters
    ----------
    commands : argparse subparsers
    index : Path
        The index where none is named.

    Examples
    --------
    >>> from aares.arguments import Parser
    >>> parser = Parser()
    >>> add_index_commands(parser.add_commands(), index=Path("music.index"))
    >>> parser.parse_args(["remove", "a.mp3", "--wait", "5"]).wait
    5.0
    """

    def _add(name: str, text: str, option: str = "--index", *, writes: bool = True) -> Any:
        command = commands.add_parser(name, help=text)
        command.add_argument(
            option, dest="index", default=index, type=Path, metavar="INDEX",
            help=f"default: {index}",
        )  # fmt: skip
        if writes:
            command.add_argument(
                "--wait", type=float, default=WAIT_S, metavar="SECONDS",
                help=f"for another process that writes to it; default: {WAIT_S:.0f}",
            )  # fmt: skip
        return command

    make = _add("index", "make an index equal to the audio files of a folder", "--out")
    make.add_argument("folder", metavar="FOLDER")
    make.set_defaults(run=lambda o: index_folder(o.folder, o.index, wait_s=o.wait))
    drop = _add("remove", "take recordings out of an index")
    drop.add_argument("names", nargs="+", metavar="NAME", help="or a pattern, such as 'album/*'")
    drop.set_defaults(run=lambda o: remove_recordings(o.names, o.index, wait_s=o.wait))
    join = _add("merge", "take up the recordings of another index")
    join.add_argument("other", metavar="OTHER", type=Path)
    join.set_defaults(run=lambda o: merge_index(o.other, o.index, wait_s=o.wait))
    show = _add("list", "list the recordings of an index", writes=False)
    show.add_argument("--json", action="store_true", help="one JSON object for each")
    show.set_defaults(run=lambda o: list_recordings(o.index, as_json=o.json))
    check = _add("verify", "check every byte of an index", writes=False)
    check.set_defaults(run=lambda o: verify_index(o.index))


def index_folder(folder: str | Path, out: str | Path, *, wait_s: float = WAIT_S) -> int:
    """Make an index equal to the audio files below a folder, as far as it is about this folder.

    Parameters
    ----------
    folder : str or Path
    out : str or Path
        The index; what is decoded is on the disk for good after each 64 files.
    wait_s : float
        For another process that writes to it.

    Returns
    -------
    int
        Exit status: 0, or 1 where a file could not be read or nothing was found.

    Examples
    --------
    A folder without audio files makes no index; the reason goes to standard error.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     index_folder(folder, Path(folder) / "music.index")
    1
    """
    from aares.audio.sources import show_name
    from aares.identify.sync import sync

    out = Path(out)
    begin = time.perf_counter()

    def _show(done: int, total: int) -> None:
        print(describe_progress(done, total, time.perf_counter() - begin), flush=True)

    try:
        _announce_wait(out, wait_s)
        changes = sync(
            out, folder, wait_s=wait_s, on_progress=_show,
            on_error=lambda _, error: print(error, file=sys.stderr),
            on_note=lambda _, note: print(note, file=sys.stderr),
        )  # fmt: skip
    except IndexFileError as error:
        return fail(f"{error}; or name another with --out")
    except (AaresError, OSError) as error:
        return fail(_explain(out, error))
    for path, reason in changes.skipped:
        print(f"{show_name(path.name)}: {reason}", file=sys.stderr)
    for old, new in changes.renamed:
        print(f"moved: {old} -> {new}")
    for word, names in (("changed", changes.changed), ("removed", changes.removed)):
        for name in names:
            print(f"{word}: {name}")
    if changes.n_same:
        print(f"{changes.n_same} files are in the index already")
    n_failed = len(changes.failed) + len(changes.skipped)
    _describe(
        out,
        (f"; {n_failed} files could not be read" if n_failed else "")
        + (f"; {changes.n_other} other files passed over" if changes.n_other else ""),
    )
    return 1 if n_failed else 0


def _explain(file: Path, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{file}: {error.strerror}; what it held before, it holds still"
    return str(error)


def _describe(file: Path, rest: str = "") -> None:
    from aares.identify import Index
    from aares.identify.store import measure_size

    index = Index.open(file)
    hours = sum(recording.seconds for recording in index.recordings) / 3600
    size = measure_size(file) / 1e6
    print(f"{file}: {len(index)} recordings, {hours:.2f} h, {size:.1f} MB{rest}")


def _announce_wait(file: Path, wait_s: float) -> None:
    """Say that another process is waited for, if there is one."""
    from aares.identify.lock import describe_writer, is_locked

    if wait_s > 0 and is_locked(file):
        print(f"{file}: {describe_writer(file)}; waiting up to {wait_s:g} s", file=sys.stderr)


def remove_recordings(names: Sequence[str], file: str | Path, *, wait_s: float = WAIT_S) -> int:
    """Take recordings out of an index.

    Parameters
    ----------
    names : sequence of str
        Names of recordings, or patterns of them.
    file : str or Path
    wait_s : float

    Returns
    -------
    int
        Exit status: 0, or 1 where there is no such recording; nothing is removed then.

    Examples
    --------
    >>> remove_recordings(["a.mp3"], "nowhere.index")
    1
    """
    from aares.identify import Index

    file = Path(file)
    try:
        Index.open(file)  # no index, no lock
        _announce_wait(file, wait_s)
        with Index.edit(file, wait_s=wait_s) as index:
            known = [recording.name for recording in index.recordings]
            chosen: dict[str, None] = {}
            for name in names:
                found = [name] if name in known else fnmatch.filter(known, name)
                if not found:
                    return fail(f"{file}: no recording is called {name!r}; see list")
                chosen |= dict.fromkeys(found)
            index.remove(chosen)
            index.save(file)
    except (AaresError, OSError) as error:
        return fail(_explain(file, error))
    _describe(file, f"; {len(chosen)} removed")
    return 0


def merge_index(other: str | Path, file: str | Path, *, wait_s: float = WAIT_S) -> int:
    """Take up the recordings of another index.

    Parameters
    ----------
    other, file : str or Path
        From the one into the other, which is begun where it is missing.
    wait_s : float

    Returns
    -------
    int
        Exit status: 0, or 1 where one of them cannot be opened.

    Examples
    --------
    >>> merge_index("nowhere.index", "nowhere else.index")
    1
    """
    from aares.identify import Index

    other, file = Path(other), Path(file)
    try:
        added = Index.open(other)
        _announce_wait(file, wait_s)
        with Index.edit(file, wait_s=wait_s) as index:
            passed = index.merge(added, name=other.stem)
            index.save(file)
    except (AaresError, OSError, ValueError) as error:
        return fail(_explain(file, error))
    for name in passed:
        print(f"there already: {name}")
    _describe(file, f"; {len(added) - len(passed)} added")
    return 0


def list_recordings(file: str | Path, *, as_json: bool) -> int:
    """List the recordings of an index.

    Parameters
    ----------
    file : str or Path
    as_json : bool
        Print one JSON object a line instead of text.

    Returns
    -------
    int
        Exit status: 0, or 1 where it cannot be opened.

    Examples
    --------
    >>> list_recordings("nowhere.index", as_json=False)
    1
    """
    from aares.audio.sources import show_name
    from aares.identify import Index

    try:
        index = Index.open(file)
        rows = list(zip(index.recordings, index.sources, strict=True))
    except IndexFileError as error:
        return fail(str(error))
    for recording, source in rows:
        path = source.path if source else None
        if as_json:  # in ASCII: a name may be of characters that cannot be printed
            about = {"name": recording.name, "seconds": recording.seconds, "file": path}
            print(json.dumps(about))
        else:
            print(f"{recording.seconds:9.1f} s  {show_name(recording.name)}"
                  + (f"  ({show_name(path)})" if path else ""))  # fmt: skip
    return 0


def verify_index(file: str | Path) -> int:
    """Check every byte of an index, and that it does not contradict itself.

    Parameters
    ----------
    file : str or Path

    Returns
    -------
    int
        Exit status: 0, or 1 where something is damaged.

    Examples
    --------
    >>> verify_index("nowhere.index")
    1
    """
    from aares.identify import Index

    try:
        index: Index = Index.open(file)
        index.verify()
    except IndexFileError as error:
        return fail(str(error))
    _describe(Path(file), ", whole")
    return 0
