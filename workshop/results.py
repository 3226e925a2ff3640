"""What a notebook found: numbers, tables and figures, bound to the build that made them.

Used by every notebook and by the report. Each notebook has a file of its own, its *section*:
``report/results/<notebook>.json``. A section is stamped with the state of the code and of the data
it came from; the report (:mod:`workshop.report`) refuses sections of another state, so that no
sentence outlives its number.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import DisplayHandle, Markdown, display
from matplotlib.figure import Figure

from aares.data.provenance import DESCRIBE
from aares.errors import AaresError
from aares.files import digest, write_atomic
from workshop.config import Workplace
from workshop.plots.style import use_style
from workshop.stamps import stamp


class Notebook:
    """The results of one notebook, and the sentences that state them.

    Parameters
    ----------
    name : str
        Name of the notebook without suffix, such as ``"01_genre"``.
    source : Workplace

    Attributes
    ----------
    facts : dict of str to str
        What the head said about the data that it names.
    """

    def __init__(self, name: str, source: Workplace) -> None:
        use_style()
        self.name = name
        self.source = source
        self.facts: dict[str, str] = {}
        self._answer: DisplayHandle | None = None
        self._section: dict[str, Any] = {"stamp": stamp(name, source), "answer": ""}
        self._section |= {"numbers": {}, "tables": {}, "figures": {}}
        self.report = source.out / "report"
        _drop_files(self.report, name)
        self._save()

    def head(self, *uses: str) -> None:
        """Show the line that names the data, and leave room for the answer.

        Parameters
        ----------
        *uses : {"recommendation", "listeners", "songs"}
            Data that may not be the course's own: a sentence says what they are, and is stored as
            number ``source_...`` for the report.
        """
        self.facts = {name: DESCRIBE[name](self.source) for name in uses}
        for name, fact in self.facts.items():
            self.number(f"source_{name}", fact)
        display(Markdown(f"*{' '.join([self.source.describe(), *self.facts.values()])}*"))
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
        text = json.dumps(self._section, indent=1, ensure_ascii=False)
        write_atomic(_section_file(self.report, self.name), text + "\n")


def publish(name: str, source: Workplace, stage: Path) -> None:
    """Put what a notebook wrote to a folder of its own in the place of what it wrote before.

    Parameters
    ----------
    name : str
        Name of the notebook without suffix.
    source : Workplace
    stage : Path
        What ``out`` was while the notebook ran, to its end.
    """
    _drop_files(source.out / "report", name)
    for path in sorted(stage.rglob("*.*")):
        write_atomic(source.out / path.relative_to(stage), path.read_bytes())


def _section_file(report: Path, name: str) -> Path:
    return report / "results" / f"{name}.json"


def _drop_files(report: Path, name: str) -> None:
    """Delete what an earlier run made and this one may not."""
    for old in report.glob(f"*/{name[:2]}_*.*"):
        old.unlink()


class ResultsError(AaresError):
    """A section is missing, or not what a notebook wrote."""


def read_section(report: Path, name: str) -> dict[str, Any]:
    """Read what a notebook found.

    Parameters
    ----------
    report : Path
        Folder of the report.
    name : str
        Name of the notebook without suffix.

    Returns
    -------
    dict
        ``stamp``, ``answer``, ``numbers``, ``tables`` and ``figures``.

    Raises
    ------
    ResultsError
        The file is missing, or not what :class:`Notebook` writes.
    """
    path = _section_file(report, name)
    if not path.is_file():
        raise ResultsError(f"no results of {name} yet")
    try:
        section = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ResultsError(f"{path.name}: not readable, delete it ({error})") from error
    if not isinstance(section, dict) or "stamp" not in section:
        raise ResultsError(f"{path.name}: not written by this project, delete it")
    return section
