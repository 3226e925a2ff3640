"""Build the files to hand in, and check them as whoever receives them would.

Part 1 of the assignment asks for a CSV, a PDF and a zip; part 2 for a ``.py`` file and an example.
The page, where ``python3 run.py page`` has made it, comes along as one file. All carry the authors'
names joined by ``_`` in their file names, and are written to ``submission/`` only after every check
has passed.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from pathlib import Path

import jupytext
import nbformat
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from aares.data.dialects import decode_text
from aares.errors import AaresError, DataError
from aares.files import write_atomic
from workshop import challenge, execution, notebooks, report
from workshop.config import ROOT, Workplace
from workshop.page import build

CODE = (
    "*.py", "*.toml", "requirements*", "README.md", "CONTRIBUTING.md", "aares/**/*.py",
    "aares/**/*.json", "aares/py.typed", "workshop/**/*.py", "workshop/label/page/*",
    "workshop/label/*.png", "workshop/page/web/*", "notebooks/src/*.py",
    "notebooks/*.toml", "tests/*.py", "tools/*", "benchmarks/*.py", "benchmarks/results/*.json",
    "report/*.typ", "report/*.bib", "submission/example.py", "data/README.md", "data/demo/**/*",
)  # fmt: skip
KINDS = (
    "*_challenge.csv", "*_report.pdf", "*_code.zip", "fingerprint_*.py",
    "fingerprint_example_*.ipynb", "*_page.html",
)  # fmt: skip
"""Names of what is handed in."""
ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # the same content gives the same archive

LETTERS = str.maketrans(
    {"œ": "oe", "Œ": "Oe", "æ": "ae", "Æ": "Ae", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L",
     "ß": "ss", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i"}
)  # fmt: skip
"""Letters that are no accented ones, for file names."""


class HandinError(AaresError):
    """A file to hand in cannot be made, or fails its check."""


def make(authors: list[str], source: Workplace) -> list[Path]:
    """Write the files to hand in to ``submission/``: five, and the page where it was made.

    Parameters
    ----------
    authors : list of str
        Family names, in the order they shall appear.
    source : Workplace

    Returns
    -------
    list of Path
        CSV, PDF, zip, .py, .ipynb, and .html.

    Raises
    ------
    HandinError
        A name cannot stand in a file name, a result is missing, or a check fails.
    PageError
        The page is of another state of data or code.
    """
    names = join_names(authors)
    challenge = source.out / "submission" / "challenge.csv"
    if not challenge.is_file():
        raise HandinError("submission/challenge.csv: not there yet, run python3 run.py first")
    pdf = report.render(source, authors=tuple(authors))[0]
    check_pdf(pdf, authors)
    check_challenge_file(challenge.read_bytes(), source)
    archive = _zip_code(source)
    check_archive(archive)
    files = {
        f"{names}_challenge.csv": challenge.read_bytes(),
        f"{names}_report.pdf": pdf,
        f"{names}_code.zip": archive,
        f"fingerprint_{names}.py": (ROOT / "fingerprint.py").read_bytes(),
        f"fingerprint_example_{names}.ipynb": _render_example(f"fingerprint_{names}", source),
    }
    page = build.read_page(source)
    if page:
        report_link = f"{names}_report.pdf"
        files[f"{names}_page.html"] = build.render_single(page, report=report_link)
    folder = source.out / "submission"
    return [write_atomic(folder / name, content) for name, content in files.items()]


def find_old(source: Workplace, written: list[Path]) -> list[Path]:
    """Find what an earlier call wrote to ``submission/`` under other names.

    Parameters
    ----------
    source : Workplace
    written : list of Path
        What this call wrote.

    Returns
    -------
    list of Path
        In the order of their names; they stay, since somebody may want them.
    """
    found = {path for kind in KINDS for path in (source.out / "submission").glob(kind)}
    return sorted(found - set(written))


def join_names(authors: list[str]) -> str:
    """Join names by ``_`` so that they can stand in a file name and in a Python module's name.

    Accents are kept out of the file name, spaces, hyphens and apostrophes too: `Léa d'Or` becomes
    ``LeadOr``.

    Parameters
    ----------
    authors : list of str

    Returns
    -------
    str

    Raises
    ------
    HandinError
        No name, a name without a letter, or one with letters of another alphabet.

    Examples
    --------
    >>> join_names(["Léa d'Or", "Jean-Luc Bo"])
    'LeadOr_JeanLucBo'
    """
    joined = []
    for name in authors:
        if ";" in name:
            raise HandinError(f"authors: expected commas between names, found {name!r}")
        plain = unicodedata.normalize("NFKD", name.translate(LETTERS))
        lost = [c for c in plain if c.isalpha() and not c.isascii()]
        if lost:
            raise HandinError(f"authors: {name!r} has letters without a Latin form: {lost[0]}")
        plain = re.sub(r"[^A-Za-z0-9]", "", plain)
        if not plain or not plain[0].isalpha():
            raise HandinError(f'authors: expected names such as "Dupont,Martin", found {name!r}')
        joined.append(plain)
    if not joined:
        raise HandinError('authors: expected names such as "Dupont,Martin", found none')
    return "_".join(joined)


def check_challenge_file(content: bytes, source: Workplace) -> None:
    """Check rows and labels of the challenge file.

    Parameters
    ----------
    content : bytes
        The whole file.
    source : Workplace

    Raises
    ------
    HandinError
        It has another column, other rows, or a label that is no training genre.
    """
    try:
        lines = decode_text(content, "challenge.csv").splitlines()
        if lines[:1] != ["genre"]:
            raise HandinError(f"challenge.csv: expected one column 'genre', found {lines[:1]}")
        challenge.check_challenge(lines[1:], source)
    except DataError as error:
        raise HandinError(str(error)) from error


def check_pdf(content: bytes, authors: list[str]) -> None:
    """Check that a PDF opens, is tagged, and names its authors on page 1 and in its metadata.

    Parameters
    ----------
    content : bytes
        The whole file.
    authors : list of str

    Raises
    ------
    HandinError
        One of these does not hold.
    """
    try:
        reader = PdfReader(io.BytesIO(content))
        first_page = reader.pages[0].extract_text()
        metadata = reader.metadata
    except (PyPdfError, IndexError) as error:
        raise HandinError(f"report.pdf does not open: {error}") from error
    stated = metadata.author or "" if metadata else ""
    for name in authors:
        if name not in first_page or name not in stated:
            raise HandinError(f"report.pdf does not name the author {name!r}")
    if "/StructTreeRoot" not in reader.trailer["/Root"]:  # type: ignore[operator]
        raise HandinError("report.pdf is not tagged")


def check_archive(content: bytes) -> None:
    """Unpack the code in an empty folder, and run its fingerprint example there.

    Parameters
    ----------
    content : bytes
        The whole zip.

    Raises
    ------
    HandinError
        The example fails, or imports the project from elsewhere.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(folder)
        program = (
            "import sys, runpy, matplotlib; sys.path[:0] = ['.']; matplotlib.use('Agg');"
            "runpy.run_path('submission/example.py');"
            "print(sys.modules['fingerprint'].__file__)"
        )
        run = subprocess.run(
            [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=600
        )
        if run.returncode:
            raise HandinError(f"code.zip: its fingerprint example fails:\n{run.stderr}")
        imported = Path(run.stdout.splitlines()[-1]).resolve()
        if not imported.is_relative_to(folder):
            raise HandinError(f"code.zip: the example imports {imported.name} from elsewhere")


def _zip_code(source: Workplace) -> bytes:
    rendered = sorted((source.out / "notebooks").glob("*.ipynb"))
    if len(rendered) < len(notebooks.list_names()):
        raise HandinError("notebooks: some are not rendered yet, run python3 run.py first")
    entries = {path.relative_to(ROOT).as_posix(): path for item in CODE for path in ROOT.glob(item)}
    entries |= {f"notebooks/{path.name}": path for path in rendered}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(entries.items()):
            if path.is_file() and "__pycache__" not in path.parts:
                entry = zipfile.ZipInfo(name, ZIP_DATE)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes())
    return stream.getvalue()


def _render_example(module: str, source: Workplace) -> bytes:
    """Execute the example beside the renamed module, as it will lie in the receiver's folder."""
    text = (ROOT / "submission" / "example.py").read_text(encoding="utf-8")
    notebook = jupytext.reads(
        text.replace("from fingerprint ", f"from {module} ").replace(
            "`fingerprint.py`", f"`{module}.py`"
        ),
        fmt="py:percent",
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(ROOT / "fingerprint.py", folder / f"{module}.py")
        shutil.copy(ROOT / "utils_projet.py", folder)
        shutil.copytree(source.folder / "songs", folder / "songs")
        execution.execute(notebook, "fingerprint example", folder, {})
    return (nbformat.writes(notebook) + "\n").encode()
