"""Each measure can be started: what a benchmark imports is there, under that name."""

from __future__ import annotations

import subprocess
import sys

import pytest

from workshop.config import ROOT

FOLDER = ROOT / "benchmarks"
SCRIPT = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


def test_every_measure_finds_what_it_imports():
    for package in ("dask", "ibis", "usearch"):
        pytest.importorskip(package, reason="the measures of scale need the extra [scale]")
    names = [
        ".".join(path.relative_to(FOLDER).with_suffix("").parts)
        for path in sorted(FOLDER.glob("*/*.py"))
        if path.name != "__init__.py"
    ]
    assert len(names) > 40
    program = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(FOLDER)!r}]\n{SCRIPT}"
    done = subprocess.run([sys.executable, "-c", program, *names], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
