"""Build the notebooks: source, executed, rendered; and back again.

``notebooks/src/NN_name.py`` (jupytext percent format) is what people edit. :func:`build` executes
it top to bottom and writes ``NN_name.ipynb``. Two builds on the same data are byte-identical: cell
ids are the cells' positions, and no time or machine is recorded. A notebook that was edited by hand
since its build is never overwritten: :func:`build` stops and names the command that brings the edit
back into the source (:func:`sync`).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import jupytext
import nbformat
from jupytext.config import load_jupytext_configuration_file
from nbformat import NotebookNode

from aares.files import digest, write_atomic
from workshop import results
from workshop.config import ROOT, Workplace
from workshop.execution import NotebookError, execute, tidy

SOURCES = ROOT / "notebooks" / "src"
PAIRING = ROOT / "notebooks" / "jupytext.toml"
"""What jupytext keeps of a notebook when it writes the source."""
AT_ONCE = 2
SLOWEST_FIRST = ("01", "04", "02", "05", "03", "06")
"""Order of starting, so that no long notebook is left to run alone at the end."""
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def list_names(only: str | None = None) -> list[str]:
    """Return the names of all notebooks, or of those that begin with `only`.

    Parameters
    ----------
    only : str, optional
        Such as ``"04"``.

    Returns
    -------
    list of str

    Raises
    ------
    NotebookError
        No notebook's name begins with `only`.

    Examples
    --------
    >>> list_names("4")
    ['04_fingerprints']
    """
    names = sorted(path.stem for path in SOURCES.glob("*.py"))
    wanted = only.zfill(2) if only and only.isdigit() else only or ""  # 4 is 04
    chosen = [name for name in names if name.startswith(wanted)]
    if not chosen:
        raise NotebookError(f"no notebook {only!r}; there are {', '.join(names)}")
    return chosen


def order_by_time(names: list[str]) -> list[str]:
    """Return the names with the slowest notebook first.

    Parameters
    ----------
    names : list of str

    Returns
    -------
    list of str
        Those that :data:`SLOWEST_FIRST` does not know come first: they may take any time.

    Examples
    --------
    >>> order_by_time(["03_recommendation", "01_genre", "07_new"])
    ['07_new', '01_genre', '03_recommendation']
    """
    rank = {number: place for place, number in enumerate(SLOWEST_FIRST)}
    return sorted(names, key=lambda name: rank.get(name[:2], -1))


def build_all(names: list[str], source: Workplace) -> Iterator[tuple[str, float, str]]:
    """Build several notebooks, two at a time, and say as each is done.

    Each has a process of its own; the failure of one leaves the others to their work.

    Parameters
    ----------
    names : list of str
        In the order of starting.
    source : Workplace

    Yields
    ------
    name : str
    seconds : float
    failure : str
        What was wrong; empty for a notebook that was built.
    """
    waiting = list(names)
    running: dict[str, tuple[subprocess.Popen, IO[bytes], float]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                name = waiting.pop(0)
                running[name] = (*_start(_command(name, source)), time.perf_counter())
            for name, (process, log, start) in list(running.items()):
                if process.poll() is not None:
                    del running[name]
                    yield name, time.perf_counter() - start, _read_end(name, process, log)
            time.sleep(0.1)
    finally:
        for process, _, _ in running.values():
            process.kill()  # its kernel ends by itself when it misses its parent


def _command(name: str, source: Workplace) -> list[str]:
    data = "demo" if source.kind == "demo" else str(source.folder)
    return [sys.executable, "-m", "workshop", "--data", data, "--only", name]


def _start(command: list[str]) -> tuple[subprocess.Popen, IO[bytes]]:
    # A file and not a pipe: a traceback longer than a pipe's buffer would block the process.
    log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by _read_end)
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=ROOT, stdout=quiet, stderr=log), log


def _read_end(name: str, process: subprocess.Popen, log: IO[bytes]) -> str:
    with log:
        log.seek(0)
        said = log.read().decode("utf-8", "replace").strip()
    if not process.returncode:
        return ""
    return said or f"{name}: stopped with exit status {process.returncode}"


def build(name: str, source: Workplace) -> Path:
    """Execute a notebook on `source` and write it to ``source.out/notebooks``.

    Parameters
    ----------
    name : str
        Without suffix.
    source : Workplace

    Returns
    -------
    Path
        The rendered notebook.

    Raises
    ------
    NotebookError
        A cell raised or warned (the message has the cell's source and the traceback), or the
        rendered notebook was edited by hand.
    """
    path = source.out / "notebooks" / f"{name}.ipynb"
    notebook = from_source(name)
    if path.is_file() and was_edited(old := read(path)) and not same_cells(old, notebook):
        raise NotebookError(
            f"{path.name} was edited by hand since it was built. To keep the edit: "
            f"python3 run.py sync {name[:2]}. To drop it: delete the file."
        )
    with tempfile.TemporaryDirectory() as stage:  # a build that fails leaves all as it was
        execute(notebook, name, ROOT / "notebooks", source.tell(Path(stage)))
        results.publish(name, source, Path(stage))
    tidy(notebook)
    write_atomic(path, nbformat.writes(notebook) + "\n")
    return path


def sync(name: str, source: Workplace) -> Path:
    """Bring the cells of an edited notebook back into its source.

    The source becomes what ``jupytext --sync`` makes of it, but nothing is lost on the way: that
    command lets the newer file win, and an edit of the older one is gone.

    Parameters
    ----------
    name : str
        Without suffix.
    source : Workplace
        Says where the notebook lies; one in ``notebooks/`` of the project counts, too.

    Returns
    -------
    Path
        The source; it has been written unless the notebook was as it was built.

    Raises
    ------
    NotebookError
        The notebook is not there, was edited in two places, or its source was changed, too.
    """
    folders = dict.fromkeys([source.out / "notebooks", ROOT / "notebooks"])
    paths = [folder / f"{name}.ipynb" for folder in folders]
    found = {path: read(path) for path in paths if path.is_file()}
    if not found:
        raise NotebookError(f"{name}.ipynb: expected beside the sources, found no such file")
    target = SOURCES / f"{name}.py"
    now = from_source(name) if target.is_file() else None
    edited = {
        path: notebook
        for path, notebook in found.items()
        if now is None or (was_edited(notebook) and not same_cells(notebook, now))
    }
    if not edited:
        return target
    path, notebook = next(iter(edited.items()))
    if len(edited) > 1:
        raise NotebookError(f"edited in two places, delete one: {', '.join(map(str, edited))}")
    if now is not None and digest_cells(now) != notebook.metadata.get("aares", {}).get("cells"):
        raise NotebookError(
            f"{name}.py was changed since {path} was built from it, and that would be lost. "
            "Move one of the two changes by hand."
        )
    notebook.metadata = {}  # an editor's own ideas of format or kernel
    pairing = load_jupytext_configuration_file(str(PAIRING))
    return write_atomic(target, jupytext.writes(notebook, fmt="py:percent", config=pairing))


def from_source(name: str) -> NotebookNode:
    """Read a source as a notebook without outputs, with fixed cell ids and a stamp of its cells.

    Parameters
    ----------
    name : str
        Without suffix.

    Returns
    -------
    NotebookNode
    """
    notebook = jupytext.read(SOURCES / f"{name}.py", fmt="py:percent")
    for position, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{position:03d}"
    notebook.metadata = {
        "kernelspec": KERNEL,
        "language_info": {"name": "python"},
        "aares": {"cells": digest_cells(notebook)},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def read(path: Path) -> NotebookNode:
    """Read a rendered notebook.

    Parameters
    ----------
    path : Path

    Returns
    -------
    NotebookNode

    Raises
    ------
    NotebookError
        The file is not a notebook.
    """
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises many kinds
        raise NotebookError(f"{path.name}: not readable as a notebook ({error})") from error


def was_edited(notebook: NotebookNode) -> bool:
    """Say whether the cells differ from those that the notebook was built from.

    Parameters
    ----------
    notebook : NotebookNode

    Returns
    -------
    bool
    """
    return notebook.metadata.get("aares", {}).get("cells") != digest_cells(notebook)


def same_cells(one: NotebookNode, other: NotebookNode) -> bool:
    """Say whether two notebooks have the same cells, whatever their outputs.

    Parameters
    ----------
    one, other : NotebookNode

    Returns
    -------
    bool
    """
    return digest_cells(one) == digest_cells(other)


def digest_cells(notebook: NotebookNode) -> str:
    """Return a digest of the sources of all cells; outputs do not matter.

    Parameters
    ----------
    notebook : NotebookNode

    Returns
    -------
    str
    """
    cells = [f"{cell.cell_type}\0{cell.source.strip()}" for cell in notebook.cells]
    return digest("\0\0".join(cells).encode())
