"""Execute a notebook top to bottom, and leave in it what two builds have in common."""

from __future__ import annotations

import base64
import io
import os
import re
import signal
import subprocess
from pathlib import Path

import nbclient
from nbformat import NotebookNode
from PIL import Image

from aares.errors import AaresError

TIMEOUT_S = 1800
DEPRECATION = re.compile(
    r"^\S+:\d+: (?:Pending)?(?:Deprecation|Pandas\d)Warning: .*\n?(?:  .*\n?)?", re.MULTILINE
)


class NotebookError(AaresError):
    """A notebook failed, or building it would lose an edit."""


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
    begun: list[tuple[int, subprocess.Popen | None]] = []
    client = nbclient.NotebookClient(
        notebook,
        timeout=TIMEOUT_S,
        kernel_name="python3",
        record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=40"],  # no advice about transports
        resources={"metadata": {"path": str(folder)}},
    )

    def _note(cell: NotebookNode, cell_index: int) -> None:
        started = getattr(client.km, "provisioner", None)
        begun.append((cell_index, getattr(started, "process", None)))

    client.on_cell_start = _note
    # Threads that wait for each other actively stall when anything else runs on the machine.
    fixed = {"PYTHONHASHSEED": "0", "OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"}
    try:
        client.execute(env={**os.environ, **fixed, **environment})
    except nbclient.exceptions.CellExecutionError as error:
        raise NotebookError(_describe_failure(notebook, name, error)) from error
    except nbclient.exceptions.DeadKernelError as error:
        position, kernel = begun[-1] if begun else (0, None)
        ended = _describe_end(kernel.poll() if kernel else None)
        raise NotebookError(f"{name}, cell {position}: the kernel {ended}") from error
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


def _describe_end(code: int | None) -> str:
    """Say how a kernel ended that was to go on."""
    if code is None or code >= 0:
        return "died" if code is None else f"ended by itself (exit code {code})"
    fates = {signal.SIGKILL: "stopped from outside, or out of memory",
             signal.SIGSEGV: "a compiled library read where it may not"}  # fmt: skip
    number = signal.Signals(-code)
    return f"ended by {number.name}" + (f": {fates[number]}" if number in fates else "")


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


def tidy(notebook: NotebookNode) -> None:
    """Leave out what differs between machines, and what is heavier than it needs to be.

    Parameters
    ----------
    notebook : NotebookNode
        Executed; it is changed in place.
    """
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
    >>> Image.effect_noise((90, 90), 60).convert("RGBA").save(stream, "PNG")
    >>> png = base64.b64encode(stream.getvalue()).decode()
    >>> len(shrink_picture(png)) < len(png) / 2
    True
    """
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    stream = io.BytesIO()
    picture.quantize(256, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode()
