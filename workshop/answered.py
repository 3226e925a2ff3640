"""Where each question of the two documents is answered: ``report/answered.csv``, checked.

The table at the end of the report is made from it. A row whose section, figure, notebook cell,
module or test is not there stops the compilation: the table cannot promise what nobody has.
"""

from __future__ import annotations

import ast
import csv
import re
from pathlib import Path

from aares.errors import AaresError

COLUMNS = ("asked", "what", "section", "shown", "notebook", "cell", "module", "test")


class AnsweredError(AaresError):
    """A row of the table names something that is not there."""


def read_answered(root: Path) -> list[dict[str, str]]:
    """Read the table and check that everything it names exists.

    Parameters
    ----------
    root : Path
        Folder of the project.

    Returns
    -------
    list of dict
        With the keys of `COLUMNS`, in the order of the documents.

    Raises
    ------
    AnsweredError
        The table has other columns, or a row names what is not there; the message says which.
    """
    with (root / "report" / "answered.csv").open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise AnsweredError(f"answered.csv: expected the columns {', '.join(COLUMNS)}")
        rows = list(reader)
    report = (root / "report" / "report.typ").read_text(encoding="utf-8")
    headings = set(re.findall(r"(?m)^==? (.*)$", report))
    labels = set(re.findall(r"<([\w-]+)>", report))
    for number, row in enumerate(rows, 2):
        missing = _find_missing(row, headings, labels, root)
        if missing:
            raise AnsweredError(f"answered.csv, line {number}: {missing} is not there")
    return rows


def _find_missing(
    row: dict[str, str], headings: set[str], labels: set[str], root: Path
) -> str | None:
    """Return what a row names in vain, or None."""
    if row["section"] not in headings:
        return f"section {row['section']!r}"
    if row["shown"] not in labels:
        return f"figure or table <{row['shown']}>"
    source = root / "notebooks" / "src" / f"{row['notebook']}.py"
    if not source.is_file() or row["cell"] not in _list_headings(source):
        return f"heading {row['cell']!r} of {row['notebook']}"
    if not (root / row["module"]).is_file():
        return f"module {row['module']}"
    file, _, name = row["test"].partition("::")
    if not (root / file).is_file() or name not in _list_functions(root / file):
        return f"test {row['test']}"
    return None


def _list_headings(source: Path) -> set[str]:
    return set(re.findall(r"(?m)^# #+ (.*)$", source.read_text(encoding="utf-8")))


def _list_functions(module: Path) -> set[str]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
