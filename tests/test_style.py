"""The tree as a reader finds it: lint, types, docstrings, and nothing that must not be there."""

from __future__ import annotations

import subprocess
import sys

import pytest

from workshop.config import ROOT

PUBLIC = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("aares/**/*.py", "utils_projet.py", "fingerprint.py")
    for path in ROOT.glob(pattern)
)


def check(*arguments: str) -> str:
    """Run a tool of the environment; return what it says, empty where it is content."""
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    return "" if result.returncode == 0 else result.stdout + result.stderr


def test_ruff():
    assert check("ruff", "check", ".") == ""
    assert check("ruff", "format", "--check", ".") == ""


@pytest.mark.slow
def test_mypy():
    assert check("mypy") == ""


def test_numpydoc():
    assert check("numpydoc", "lint", "--config", ".", *PUBLIC) == ""


def test_modules_stay_readable():
    # The assignment imports its three tools from one file.
    limits = {"utils_projet.py": 700}
    lines = {name: len((ROOT / name).read_text("utf-8").splitlines()) for name in PUBLIC}
    assert {name: n for name, n in lines.items() if n > limits.get(name, 450)} == {}


def test_science_does_not_import_what_shows_it():
    """One way only: notebooks -> aares -> the two course files."""
    shows = (
        "workshop.plots",
        "workshop.results",
        "workshop.report",
        "workshop.notebooks",
        "workshop.handin",
    )
    may_show = {"results", "report", "notebooks", "handin", "__main__"}
    for name in PUBLIC:
        module = (ROOT / name).stem
        if module in may_show or "plots" in name:
            continue
        text = (ROOT / name).read_text(encoding="utf-8")
        found = [other for other in shows if f"import {other}" in text or f"from {other}" in text]
        assert found == [], f"{name} imports {found}"
    for name in ("utils_projet.py", "fingerprint.py"):
        assert "aares" not in (ROOT / name).read_text(encoding="utf-8").replace("AARES", "")


def test_demo_data_stays_small():
    files = [path for path in (ROOT / "data" / "demo").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 12e6
