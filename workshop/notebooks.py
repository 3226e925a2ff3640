"""Build the notebooks: source, executed, rendered; and back again.

``notebooks/src/NN_name.py`` (jupytext percent format) is what people edit. :func:`build` executes
it top to bottom and writes ``NN_name.ipynb``. Two builds on the same data are byte-identical: cell
ids are the cells' positions, and no time or machine is recorded. A notebook that was edited by hand
since its build is never overwritten: :func:`build` stops and names the command that brings the edit
back into the source (:func:`sync`).
"""

from __future__ import annotations

import base64
import io
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import jupytext
import nbclient
import nbformat
from jupytext.config import load_jupytext_configuration_file
from nbformat import NotebookNode
from PIL import Image

from aares.errors import AaresError
from aares.files import digest, write_atomic
from workshop import results
from workshop.config import ROOT, Workplace

SOURCES = ROOT / "notebooks" / "src"
PAIRING = ROOT / "notebooks" / "jupytext.toml"
"""What jupytext keeps of a notebook when it writes the source."""
TIMEOUT_S = 1800
AT_ONCE = 2
DEPRECATION = re.compile(
    r"^\S+:\d+: (?:Pending)?(?:Deprecation|Pandas\d)Warning: .*\n?(?:  .*\n?)?", re.MULTILINE
)
SLOWEST_FIRST = ("01", "04", "02", "05", "03")
"""Order of starting, so that no long notebook is left to run alone at the end."""
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


class NotebookError(AaresError):
    """A notebook failed, or building it would lose an edit."""


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


def build_all(names: list[str], source: Workplace) -> Iterator[tuple[str, float]]:
    """Build several notebooks, two at a time, and say as each is done.

    Each has a process of its own; the first failure stops the others.

    Parameters
    ----------
    names : list of str
        In the order of starting.
    source : Workplace

    Yields
    ------
    name : str
    seconds : float

    Raises
    ------
    NotebookError
        That of the first notebook that fails.
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
                    _check_end(name, process, log)
                    yield name, time.perf_counter() - start
            time.sleep(0.1)
    finally:
        for process, _, _ in running.values():
            process.kill()  # its kernel ends by itself when it misses its parent


def _command(name: str, source: Workplace) -> list[str]:
    data = "demo" if source.kind == "demo" else str(source.folder)
    return [sys.executable, "-m", "workshop", "--data", data, "--only", name]


def _start(command: list[str]) -> tuple[subprocess.Popen, IO[bytes]]:
    # A file and not a pipe: a traceback longer than a pipe's buffer would block the process.
    log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by _check_end)
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=ROOT, stdout=quiet, stderr=log), log


def _check_end(name: str, process: subprocess.Popen, log: IO[bytes]) -> None:
    with log:
        log.seek(0)
        said = log.read().decode("utf-8", "replace").strip()
    if process.returncode:
        raise NotebookError(said or f"{name}: stopped with exit status {process.returncode}")


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
    _tidy(notebook)
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


def execute(notebook: NotebookNode, name: str, folder: Path, environment: dict[str, str]) -> None:
    """Execute a notebook top to bottom, in place.

    Parameters
    ----------
    notebook : NotebookNode
    name : str
        For messages.
    folder : Path
        Where the kernel works.
    environment : dict
        Variables beside those of this process.

    Raises
    ------
    NotebookError
        A cell raised, or wrote to stderr.
    """
    client = nbclient.NotebookClient(
        notebook,
        timeout=TIMEOUT_S,
        kernel_name="python3",
        record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=40"],  # no advice about transports
        resources={"metadata": {"path": str(folder)}},
    )
    # Threads that wait for each other actively stall when anything else runs on the machine.
    fixed = {"PYTHONHASHSEED": "0", "OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"}
    try:
        client.execute(env={**os.environ, **fixed, **environment})
    except nbclient.exceptions.CellExecutionError as error:
        raise NotebookError(_describe_failure(notebook, name, error)) from error
    except nbclient.exceptions.DeadKernelError as error:
        raise NotebookError(f"{name}: stopped, or out of memory ({error})") from error
    except nbclient.exceptions.CellTimeoutError as error:
        raise NotebookError(f"{name}: a cell took more than {TIMEOUT_S} s") from error
    _drop_deprecations(notebook)
    noise = find_noise(notebook)
    if noise:
        raise NotebookError(f"{name}: {noise}")


def _drop_deprecations(notebook: NotebookNode) -> None:
    """Leave out what Python hides by default.

    Threads that change the warning filters at the same time can lose that default, so that a
    deprecation shows in one run of a hundred.
    """
    for cell in notebook.cells:
        for output in list(cell.get("outputs", [])):
            if output.get("name") == "stderr":
                output.text = DEPRECATION.sub("", output.text)
                if not output.text.strip():
                    cell.outputs.remove(output)


def _describe_failure(notebook: NotebookNode, name: str, error: Exception) -> str:
    traceback = re.sub(r"\x1b\[[0-9;]*m", "", getattr(error, "traceback", "") or str(error))
    for position, cell in enumerate(notebook.cells):
        if any(output.output_type == "error" for output in cell.get("outputs", [])):
            rule = "-" * 70
            return f"{name}, cell {position} failed:\n{rule}\n{cell.source}\n{rule}\n{traceback}"
    return f"{name} failed:\n{traceback}"


def find_noise(notebook: NotebookNode) -> str:
    """Describe the first error or stderr output of a rendered notebook.

    Parameters
    ----------
    notebook : NotebookNode

    Returns
    -------
    str
        Empty if there is none.
    """
    for position, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                return f"cell {position} raised {output.ename}: {output.evalue}"
            if output.get("name") == "stderr":
                return f"cell {position} wrote to stderr:\n{output.text.strip()}"
    return ""


def _tidy(notebook: NotebookNode) -> None:
    """Leave out what differs between machines: widths of plain-text fallbacks stay, ids go."""
    notebook.metadata = {
        key: notebook.metadata[key] for key in ("aares", "kernelspec", "language_info")
    }
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key == "tags"}
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if re.search(r" at 0x[0-9a-f]+", data.get("text/plain", "")):
                data["text/plain"] = re.sub(r" at 0x[0-9a-f]+", "", data["text/plain"])
            if "image/png" in data:
                data["image/png"] = shrink_picture(data["image/png"])


def shrink_picture(png: str) -> str:
    """Keep 256 colours of a figure: a third of the bytes, and nothing that an eye would miss.

    Parameters
    ----------
    png : str
        As a notebook holds it, in base64.

    Returns
    -------
    str

    Examples
    --------
    >>> stream = io.BytesIO()
    >>> Image.linear_gradient("L").convert("RGBA").save(stream, "PNG")
    >>> small = shrink_picture(base64.b64encode(stream.getvalue()).decode())
    >>> Image.open(io.BytesIO(base64.b64decode(small))).getpixel((0, 0))
    0
    """
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    stream = io.BytesIO()
    picture.quantize(256, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode()
