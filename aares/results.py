"""What a notebook found: numbers, tables and figures, bound to the build that made them.

Used by every notebook and by the report. ``report/numbers.json`` has one section for each notebook.
A section is stamped with the state of the code and of the data it came from; the report
(:mod:`aares.report`) refuses sections of another state, so that no sentence outlives its number.
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import DisplayHandle, Markdown, display
from matplotlib.figure import Figure

from aares.config import ROOT, DataSource
from aares.files import digest, locked, write_atomic
from aares.plots.style import use_style

CODE = (
    "aares/**/*.py", "aares/**/*.json", "benchmarks/results/*.json",
    "utils_projet.py", "fingerprint.py", "requirements.lock",
)  # fmt: skip
# These run or print the notebooks; no number depends on them.
PRINTERS = {"__main__.py", "notebooks.py", "report.py", "handin.py"}


class Notebook:
    """The results of one notebook, and the sentences that state them.

    Parameters
    ----------
    name : str
        Name of the notebook without suffix, such as ``"01_genre"``.
    source : DataSource

    Examples
    --------
    >>> book = Notebook("01_genre", find_data())  # doctest: +SKIP
    >>> score = book.number("f1", 0.57)  # doctest: +SKIP
    >>> book.say(f"The score is **{score:.2f}**.")  # doctest: +SKIP
    """

    def __init__(self, name: str, source: DataSource) -> None:
        use_style()
        self.name = name
        self.source = source
        self._answer: DisplayHandle | None = None
        self._section: dict[str, Any] = {"stamp": stamp(name, source), "answer": ""}
        self._section |= {"numbers": {}, "tables": {}, "figures": {}}
        self.report = source.out / "report"
        _drop_files(self.report, name)
        self._save()

    def head(self) -> None:
        """Show the line that names the data, and leave room for the answer."""
        display(Markdown(f"*{self.source.describe()}*"))
        self._answer = display(Markdown("*The answer appears here at the end.*"), display_id=True)

    def answer(self, sentence: str) -> None:
        """Fill the room that :meth:`head` left with the answer.

        Parameters
        ----------
        sentence : str
            Markdown, one sentence; page 1 of the report prints it too.
        """
        self._section["answer"] = sentence
        self._save()
        if self._answer is not None:
            self._answer.update(Markdown(f"**Answer.** {sentence}"))

    def say(self, text: str) -> None:
        """Show Markdown that was written from results.

        Parameters
        ----------
        text : str
        """
        display(Markdown(text))

    def number(self, key: str, value: Any) -> Any:
        """Store a number or text for the report and return it.

        Parameters
        ----------
        key : str
        value : float, int, str or bool

        Returns
        -------
        float, int, str or bool
            `value`.

        Raises
        ------
        ValueError
            The value is not finite, or the key is taken.
        """
        if key in self._section["numbers"]:
            raise ValueError(f"number {key!r} is stored already")
        plain = value.item() if isinstance(value, np.generic) else value
        try:
            json.dumps(plain, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"number {key!r}: expected a finite JSON value: {value!r}") from error
        self._section["numbers"][key] = plain
        self._save()
        return value

    def table(self, name: str, frame: pd.DataFrame, *, index: bool = True) -> pd.DataFrame:
        """Store a table as ``report/tables/<notebook>_<name>.csv`` and return it to be shown.

        Parameters
        ----------
        name : str
        frame : DataFrame
        index : bool
            Whether the index is a column of the file.

        Returns
        -------
        DataFrame
            `frame`.
        """
        path = self.report / "tables" / f"{self.name[:2]}_{name}.csv"
        content = frame.to_csv(index=index, lineterminator="\n")
        write_atomic(path, content)
        self._section["tables"][name] = {"file": path.name, "sha256": digest(content.encode())}
        self._save()
        return frame

    def figure(self, name: str, fig: Figure, *, caption: str, alt: str) -> None:
        """Store a figure as ``report/figures/<notebook>_<name>.svg``.

        Parameters
        ----------
        name : str
        fig : Figure
        caption : str
            Printed below the figure in the report.
        alt : str
            What somebody who cannot see the figure needs to know.
        """
        path = self.report / "figures" / f"{self.name[:2]}_{name}.svg"
        stream = io.BytesIO()
        fig.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
        write_atomic(path, stream.getvalue())
        self._section["figures"][name] = {
            "file": path.name,
            "sha256": digest(stream.getvalue()),
            "caption": caption,
            "alt": alt,
        }
        self._save()

    def _save(self) -> None:
        _save_section(self.report, self.name, self._section)


def publish(name: str, source: DataSource, stage: Path) -> None:
    """Put what a notebook wrote to a folder of its own in the place of what it wrote before.

    Parameters
    ----------
    name : str
        Name of the notebook without suffix.
    source : DataSource
    stage : Path
        What ``out`` was while the notebook ran, to its end; see :data:`aares.config.STAGE`.
    """
    _drop_files(source.out / "report", name)
    numbers = stage / "report" / "numbers.json"
    for path in sorted(stage.rglob("*.*")):
        if path != numbers:
            write_atomic(source.out / path.relative_to(stage), path.read_bytes())
    if numbers.is_file():
        _save_section(source.out / "report", name, read_numbers(numbers)[name])


def _drop_files(report: Path, name: str) -> None:
    """Delete what an earlier run made and this one may not."""
    for old in report.glob(f"*/{name[:2]}_*.*"):
        old.unlink()


def _save_section(report: Path, name: str, section: dict[str, Any]) -> None:
    path = report / "numbers.json"
    with locked(path):
        sections = read_numbers(path) if path.is_file() else {}
        sections[name] = section
        text = json.dumps(dict(sorted(sections.items())), indent=1, ensure_ascii=False)
        write_atomic(path, text + "\n")


# --- stamps -------------------------------------------------------------------------------


def stamp(name: str, source: DataSource) -> dict[str, str]:
    """Return the state of code and data that a notebook's results belong to.

    Parameters
    ----------
    name : str
        Name of the notebook without suffix.
    source : DataSource

    Returns
    -------
    dict
        ``kind`` of the data, digest of the ``data``, digest of the ``code``.
    """
    notebook = ROOT / "notebooks" / "src" / f"{name}.py"
    return {
        "kind": source.kind,
        "data": _digest_data(source),
        "code": _digest_files([*_code_files(), *([notebook] if notebook.is_file() else [])]),
    }


def _code_files() -> list[Path]:
    found = (path for pattern in CODE for path in ROOT.glob(pattern))
    return sorted(path for path in found if path.name not in PRINTERS)


def _digest_data(source: DataSource) -> str:
    folders = [source.folder] + ([source.users] if source.users else [])
    found = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    # a file browser's notes, such as .DS_Store, are no data
    return _digest_files(sorted(path for path in found if not path.name.startswith(".")))


def _digest_files(paths: list[Path]) -> str:
    whole = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        # Git may check text out with other line ends on Windows: the state is the same.
        if path.suffix in {".py", ".csv", ".json", ".lock"}:
            content = content.replace(b"\r\n", b"\n")
        whole.update(f"{path.name}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.hexdigest()[:16]


def read_numbers(path: Path) -> dict[str, Any]:
    """Read ``numbers.json``.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict
        A section for each notebook.

    Raises
    ------
    ValueError
        The file is not what :class:`Notebook` writes.
    """
    try:
        sections = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name}: not readable, delete it and run again ({error})") from error
    if not isinstance(sections, dict) or not all("stamp" in part for part in sections.values()):
        raise ValueError(f"{path.name}: not written by this project, delete it and run again")
    return sections
