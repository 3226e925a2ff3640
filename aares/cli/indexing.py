"""The command ``index``: what keeps an index of recordings."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from aares.cli.messages import fail
from aares.errors import IndexFileError

BATCH = 64  # files between two writes: what was indexed by then survives an interruption


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

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     index_folder(folder, Path(folder) / "music.index")
    1
    """
    from aares.audio.sources import show_name
    from aares.identify import Index
    from aares.identify.ingest import name_file, search_folder

    folder, out = Path(folder), Path(out)
    if not folder.is_dir():
        return fail(f"{folder}: expected a folder with audio files, found none")
    try:
        index = Index.open(out) if out.exists() else Index()
    except IndexFileError as error:
        return fail(f"{error}; delete the file, or name another with --out")
    found = search_folder(folder)
    for path, reason in found.skipped:
        print(f"{show_name(path.name)}: {reason}", file=sys.stderr)
    files = {
        name_file(path, folder): path for path in found.files
    }  # an album each: 01.mp3 occurs twice
    known = {recording.name for recording in index.recordings}
    todo = [path for name, path in files.items() if name not in known]
    if not files:
        return fail(f"{folder}: no audio file among {found.n_other} files")
    if len(todo) < len(files):
        print(f"{len(files) - len(todo)} files are in the index already")
    failed = [path for path, _ in found.skipped]
    begin = time.perf_counter()
    for start in range(0, len(todo), BATCH):
        batch = todo[start : start + BATCH]
        index.append(
            batch,
            root=folder,
            on_error=lambda path, error: failed.append(_report(path, error)),
            on_note=lambda _, note: print(note, file=sys.stderr),
        )
        index.save(out)
        print(f"{start + len(batch):6d} of {len(todo)}   {time.perf_counter() - begin:5.0f} s")
    hours = sum(recording.seconds for recording in index.recordings) / 3600
    size = out.stat().st_size / 1e6 if out.exists() else 0.0
    print(f"{out}: {len(index)} recordings, {hours:.2f} h, {size:.1f} MB"
          + (f"; {len(failed)} files could not be read" if failed else "")
          + (f"; {found.n_other} other files passed over" if found.n_other else ""))  # fmt: skip
    return 1 if failed else 0


def _report(path: Path, error: Exception) -> Path:
    print(error, file=sys.stderr)
    return path
