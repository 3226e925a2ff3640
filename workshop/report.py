"""Compile the report from the results of the notebooks.

``report/report.typ`` holds the text; every number, table and figure in it is read from what the
notebooks stored (:mod:`workshop.results`), merged here. Typst comes as a wheel and needs no
network, no LaTeX and no fonts of the system. The PDF is tagged (PDF/UA-1): it has a title, a
language, and alternative texts for all figures.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import typst

from aares.errors import AaresError
from aares.files import digest, write_atomic
from workshop import notebooks, results, stamps
from workshop.answered import read_answered
from workshop.config import ROOT, Workplace
from workshop.plots.style import FONTS

TEXT = ROOT / "report" / "report.typ"
PAGE_PPI = 110


class ReportError(AaresError):
    """The results are not those of this code and data, or the text does not fit them."""


def compile_report(source: Workplace, *, authors: tuple[str, ...] = ()) -> Path:
    """Write ``report/report.pdf`` below ``source.out``, and its first page as ``summary.png``.

    Parameters
    ----------
    source : Workplace
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
    source: Workplace, *, authors: tuple[str, ...] = (), format: Literal["pdf", "png"] = "pdf"
) -> list[bytes]:
    """Compile the report without writing it; errors as in :func:`compile_report`.

    Parameters
    ----------
    source : Workplace
    authors : tuple of str
    format : {"pdf", "png"}

    Returns
    -------
    list of bytes
        The PDF, or a picture of each page.
    """
    return compile_text(
        check_results(source), source.out / "report", authors=authors, format=format
    )


def compile_text(
    sections: dict[str, Any],
    folder: Path,
    *,
    authors: tuple[str, ...] = (),
    format: Literal["pdf", "png"] = "pdf",
) -> list[bytes]:
    """Compile the report from results that are taken as they are.

    Parameters
    ----------
    sections : dict
        As :func:`check_results` returns.
    folder : Path
        With ``figures/`` and ``tables/``, inside the project.
    authors : tuple of str
    format : {"pdf", "png"}

    Returns
    -------
    list of bytes
        The PDF, or a picture of each page.

    Raises
    ------
    ReportError
        Typst refuses the text.
    """
    try:
        compiled = typst.compile(
            TEXT,
            root=ROOT,
            ignore_system_fonts=True,
            font_paths=[FONTS],
            sys_inputs={
                "results": "/" + folder.relative_to(ROOT).as_posix(),
                "sections": json.dumps(sections),
                "answered": json.dumps(read_answered(ROOT)),
                "authors": ",".join(authors),
            },
            format=format,
            ppi=PAGE_PPI,
            pdf_standards=["ua-1"] if format == "pdf" else [],
        )
    except typst.TypstError as error:
        hints = "".join(f"\n  hint: {hint}" for hint in error.hints)
        raise ReportError(f"report.typ: {error.message}\n{error.diagnostic}{hints}") from error
    return compiled if isinstance(compiled, list) else [compiled]


def check_results(source: Workplace) -> dict[str, Any]:
    """Check that all stored results belong to the code and the data as they are now.

    Parameters
    ----------
    source : Workplace

    Returns
    -------
    dict
        A section for each notebook, see :func:`workshop.results.read_section`.

    Raises
    ------
    ReportError
        A section, figure or table is missing, changed, or of another state.
    """
    folder = source.out / "report"
    again = "run python3 run.py" + (" --data demo" if source.kind == "demo" else "")
    sections = {}
    for name in notebooks.list_names():
        try:
            section = results.read_section(folder, name)
        except results.ResultsError as error:
            raise ReportError(f"{error}: {again}") from error
        found, now = section["stamp"], stamps.stamp(name, source)
        for key, what in (("kind", "kind of data"), ("data", "data"), ("code", "build")):
            if found.get(key) != now[key]:
                raise ReportError(f"the results of {name} are of another {what}: {again}")
        _check_files(folder, name, section, again)
        sections[name] = section
    return sections


def _check_files(folder: Path, name: str, section: dict[str, Any], again: str) -> None:
    for kind in ("figures", "tables"):
        for entry in section[kind].values():
            path = folder / kind / entry["file"]
            if not path.is_file() or digest(path.read_bytes()) != entry["sha256"]:
                raise ReportError(f"{kind}/{entry['file']} is not what {name} stored: {again}")
