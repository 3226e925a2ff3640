"""The command line: ``aares index FOLDER`` and ``aares identify FILE...``.

The only module of the library that prints. It is thin: :class:`aares.identify.Index` does the
work, and is imported when there is some.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aares.arguments import Parser
from aares.errors import AaresError, AudioError, IndexFileError

if TYPE_CHECKING:
    import numpy as np

    from aares.identify import Played

AUDIO = {".aif", ".aiff", ".au", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".w64"}
BATCH = 64  # files between two writes: what was indexed by then survives an interruption
LONG_S = 60.0  # of a longer file a timeline is shown too


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command of ``aares``; return the exit status.

    Examples
    --------
    Without an index there is no answer; the reason goes to standard error.

    >>> main(["identify", "excerpt.wav", "--index", "nowhere.index"])
    1
    """
    return run_quietly(lambda: _run(arguments))


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
        return _fail(str(error))
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
    """Add ``index`` and ``identify`` to a command line.

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
    >>> options.folder, options.out.name
    ('albums', 'music.index')
    """
    make = commands.add_parser(
        "index", help="index the audio files of a folder, to identify excerpts of them"
    )
    make.add_argument("folder", metavar="FOLDER")
    make.add_argument("--out", default=index, type=Path, metavar="INDEX", help=f"default: {index}")
    make.set_defaults(run=lambda options: index_folder(options.folder, options.out))
    ask = commands.add_parser(
        "identify", help="tell which recordings of an index files come from, and where in them"
    )
    ask.add_argument("files", nargs="+", metavar="FILE")
    ask.add_argument("--index", default=index, type=Path, metavar="INDEX", help=f"default: {index}")
    ask.add_argument("--json", action="store_true", help="one JSON object for each file")
    ask.set_defaults(
        run=lambda options: identify_files(options.files, options.index, as_json=options.json)
    )


def index_folder(folder: str | Path, out: str | Path) -> int:
    """Index the audio files below a folder; files that the index holds already are passed over.

    Parameters
    ----------
    folder : str or Path
    out : str or Path
        File of the index; it is written every 64 files, each time in one step.

    Returns
    -------
    int
        Exit status: 0, or 1 where a file could not be read or nothing was found.

    Examples
    --------
    A folder without audio files makes no index; the reason goes to standard error.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     index_folder(folder, Path(folder) / "music.index")
    1
    """
    from aares.identify import Index
    from aares.identify.ingest import name_file

    folder, out = Path(folder), Path(out)
    if not folder.is_dir():
        return _fail(f"{folder}: expected a folder with audio files, found none")
    try:
        index = Index.open(out) if out.exists() else Index()
    except IndexFileError as error:
        return _fail(f"{error}; delete the file, or name another with --out")
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in AUDIO]
    files = {name_file(path, folder): path for path in paths}  # an album each: 01.mp3 occurs twice
    known = {recording.name for recording in index.recordings}
    todo = [path for name, path in files.items() if name not in known]
    if not files:
        return _fail(f"{folder}: no audio file ({', '.join(sorted(AUDIO))})")
    if len(todo) < len(files):
        print(f"{len(files) - len(todo)} files are in the index already")
    failed: list[Path] = []
    begin = time.perf_counter()
    for start in range(0, len(todo), BATCH):
        batch = todo[start : start + BATCH]
        index.append(
            batch, root=folder, on_error=lambda path, error: failed.append(_report(path, error))
        )
        index.save(out)
        print(f"{start + len(batch):6d} of {len(todo)}   {time.perf_counter() - begin:5.0f} s")
    hours = sum(recording.seconds for recording in index.recordings) / 3600
    size = out.stat().st_size / 1e6 if out.exists() else 0.0
    print(f"{out}: {len(index)} recordings, {hours:.2f} h, {size:.1f} MB"
          + (f"; {len(failed)} files could not be read" if failed else ""))  # fmt: skip
    return 1 if failed else 0


def identify_files(files: Sequence[str], index_file: str | Path, *, as_json: bool) -> int:
    """Identify files, one after another.

    Parameters
    ----------
    files : sequence of str
        Audio; where ffmpeg is installed also videos and whatever else it reads.
    index_file : str or Path
    as_json : bool
        Print one JSON object a line instead of text.

    Returns
    -------
    int
        Exit status: 0, or 1 where a file could not be read.

    Examples
    --------
    >>> identify_files(["excerpt.wav"], "nowhere.index", as_json=True)
    1
    """
    from aares.identify import Index, make_timeline
    from aares.identify.peaks import RATE_HZ

    try:
        index = Index.open(index_file)
    except IndexFileError as error:
        if Path(index_file).exists():  # somebody's file: no advice to write over it
            return _fail(str(error))
        return _fail(f"{error}; make one with the command index FOLDER --out {index_file}")
    status = 0
    for file in files:
        try:
            y = read_sound(file)
        except AudioError as error:
            status = 1
            print(json.dumps({"file": file, "error": str(error)}) if as_json else str(error),
                  file=sys.stdout if as_json else sys.stderr)  # fmt: skip
            continue
        answer = index.identify(y, RATE_HZ)
        if as_json:
            print(json.dumps({"file": file, **answer.to_dict()}, ensure_ascii=False))
            continue
        best = answer.match
        if best is None:
            print(f"{file}: unknown (p of a false match {answer.p_false:.2g})")
        else:
            print(f"{file}: {best.song} from {best.offset_s:.2f} s, speed {best.speed:.3f} "
                  f"(p of a false match {answer.p_false:.1g})")  # fmt: skip
        if len(y) > LONG_S * RATE_HZ:
            for played in make_timeline(index, y, RATE_HZ):
                print(f"  {_describe(played)}")
    return status


def read_sound(file: str | Path) -> np.ndarray:
    """Decode a file to 8 kHz; what libsndfile cannot read goes through ffmpeg if that is there.

    Parameters
    ----------
    file : str or Path

    Returns
    -------
    ndarray of float32, shape (n,)

    Raises
    ------
    AudioError
        The file is missing, or neither can read it.

    Examples
    --------
    Two seconds at 8 kHz.

    >>> import wave
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with wave.open(f"{folder}/silence.wav", "wb") as sound:
    ...         sound.setparams((1, 2, 8000, 0, "NONE", ""))
    ...         sound.writeframes(bytes(32_000))
    ...     y = read_sound(f"{folder}/silence.wav")
    >>> len(y), float(y.max())
    (16000, 0.0)
    """
    from aares.audio import load_audio
    from aares.identify.peaks import RATE_HZ

    path = Path(file)
    try:
        return load_audio(path, sr=RATE_HZ)
    except AudioError:
        ffmpeg = shutil.which("ffmpeg")
        if ffmpeg is None or path.suffix.lower() in AUDIO or not path.is_file():
            raise
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / f"{path.stem}.wav"
        command = [ffmpeg, "-nostdin", "-v", "error", "-i", str(path.resolve()), "-vn", "-ac", "1"]
        done = subprocess.run(
            [*command, "-ar", str(RATE_HZ), str(sound)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not sound.is_file():
            last = done.stderr.strip().splitlines()[-1:] or ["no sound track"]
            raise AudioError(f"{path.name}: not readable as audio ({last[0]})")
        return load_audio(sound, sr=RATE_HZ)


def _describe(played: Played) -> str:
    times = f"{_clock(played.start_s)} to {_clock(played.end_s)}"
    if played.song is None:
        return f"{times}  unknown"
    return f"{times}  {played.song} from {_clock(played.offset_s or 0)}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(abs(seconds), 1), 60)
    sign = "-" if seconds < 0 and (minutes or rest) else ""
    return f"{sign}{int(minutes)}:{rest:04.1f}"


def _report(path: Path, error: Exception) -> Path:
    print(error, file=sys.stderr)
    return path


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1
