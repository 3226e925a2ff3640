"""The command ``identify``: which recordings of an index files come from."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aares.cli.messages import fail
from aares.cli.sound import read_sound
from aares.errors import AudioError, IndexFileError

if TYPE_CHECKING:
    from aares.identify import Played

LONG_S = 60.0  # of a longer file a timeline is shown too


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
            return fail(str(error))
        return fail(f"{error}; make one with the command index FOLDER --out {index_file}")
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


def _describe(played: Played) -> str:
    times = f"{_clock(played.start_s)} to {_clock(played.end_s)}"
    if played.song is None:
        return f"{times}  unknown"
    return f"{times}  {played.song} from {_clock(played.offset_s or 0)}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(abs(seconds), 1), 60)
    sign = "-" if seconds < 0 and (minutes or rest) else ""
    return f"{sign}{int(minutes)}:{rest:04.1f}"
