"""Compile the report from the results of the notebooks.

``report/report.typ`` holds the text; every number, table and figure in it is read from what the
notebooks stored (:mod:`aares.results`). Typst comes as a wheel and needs no network, no LaTeX and
no fonts of the system. The PDF is tagged (PDF/UA-1): it has a title, a language, and alternative
texts for all figures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import typst

from aares import notebooks, results
from aares.config import ROOT, DataSource
from aares.files import digest, write_atomic

TEXT = ROOT / "report" / "report.typ"
PAGE_PPI = 110


class ReportError(Exception):
    """The results are not those of this code and data, or the text does not fit them."""


def compile_report(source: DataSource, *, authors: tuple[str, ...] = ()) -> Path:
    """Write ``report/report.pdf`` below ``source.out``, and its first page as ``summary.png``.

    Parameters
    ----------
    source : DataSource
    authors : tuple of str
        Printed on page 1 and stored in the PDF's metadata.

    Returns
    -------
    Path

    Raises
    ------
    ReportError
        Results are missing, of another build or of other data, or Typst refuses the text.
    """
    pages = render(source, authors=authors, format="png")
    write_atomic(source.out / "report" / "summary.png", pages[0])
    return write_atomic(source.out / "report" / "report.pdf", render(source, authors=authors)[0])


def render(
    source: DataSource, *, authors: tuple[str, ...] = (), format: Literal["pdf", "png"] = "pdf"
) -> list[bytes]:
    """Compile the report without writing it; errors as in :func:`compile_report`.

    Parameters
    ----------
    source : DataSource
    authors : tuple of str
    format : {"pdf", "png"}

    Returns
    -------
    list of bytes
        The PDF, or a picture of each page.
    """
    check_results(source)
    folder = "/" + (source.out / "report").relative_to(ROOT).as_posix()
    try:
        compiled = typst.compile(
            TEXT,
            root=ROOT,
            ignore_system_fonts=True,
            sys_inputs={"results": folder, "authors": ",".join(authors)},
            format=format,
            ppi=PAGE_PPI,
            pdf_standards=["ua-1"] if format == "pdf" else [],
        )
    except typst.TypstError as error:
        hints = "".join(f"\n  hint: {hint}" for hint in error.hints)
        raise ReportError(f"report.typ: {error.message}\n{error.diagnostic}{hints}") from error
    return compiled if isinstance(compiled, list) else [compiled]


def check_results(source: DataSource) -> dict[str, Any]:
    """Check that all stored results belong to the code and the data as they are now.

    Parameters
    ----------
    source : DataSource

    Returns
    -------
    dict
        The sections of ``numbers.json``.

    Raises
    ------
    ReportError
        A section, figure or table is missing, changed, or of another state.
    """
    folder = source.out / "report"
    again = "python3 run.py" + (" --data demo" if source.kind == "demo" else "")
    if not (folder / "numbers.json").is_file():
        raise ReportError(f"no results yet: run {again}")
    try:
        sections = results.read_numbers(folder / "numbers.json")
    except ValueError as error:
        raise ReportError(str(error)) from error
    for name in notebooks.list_names():
        if name not in sections:
            raise ReportError(f"no results of {name}: run {again}")
        found, now = sections[name]["stamp"], results.stamp(name, source)
        for key, what in (("kind", "kind of data"), ("data", "data"), ("code", "build")):
            if found.get(key) != now[key]:
                raise ReportError(f"the results of {name} are of another {what}: run {again}")
        _check_files(folder, name, sections[name], again)
    return sections


def _check_files(folder: Path, name: str, section: dict[str, Any], again: str) -> None:
    for kind in ("figures", "tables"):
        for entry in section[kind].values():
            path = folder / kind / entry["file"]
            if not path.is_file() or digest(path.read_bytes()) != entry["sha256"]:
                raise ReportError(f"{kind}/{entry['file']} is not what {name} stored: run {again}")
