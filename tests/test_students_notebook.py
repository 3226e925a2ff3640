"""A notebook written for the course's own toolbox runs beside our two files, cell by cell."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import pytest

import fingerprint
import utils_projet
from workshop.config import ROOT

NOTEBOOK = Path(__file__).parent / "data" / "students_notebook.py"
TABLES = ["spotify_dataset_train.csv", "spotify_dataset_test.csv"]
N_SONGS = 4
CELLS = [
    cell.source
    for cell in jupytext.read(NOTEBOOK, fmt="py:percent").cells
    if cell.cell_type == "code"
]
KERNEL = """
import json
import sys
import warnings

names, told = {"__name__": "__main__"}, []
for number, cell in enumerate(json.load(sys.stdin)):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(compile(cell, f"cell {number}", "exec"), names)
        except BaseException as error:
            raise SystemExit(f"cell {number}:\\n{cell}\\n{type(error).__name__}: {error}")
    here = [w for w in caught if w.filename == f"cell {number}"]
    told += [f"{w.category.__name__}: {w.message}" for w in here]
for module in ("aares", "workshop"):
    assert module not in sys.modules, module
print("warned:", json.dumps(told))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The two files, a few songs, two tables, and nothing else."""
    for module in (fingerprint, utils_projet):
        shutil.copy(str(module.__file__), tmp_path)
    demo = ROOT / "data" / "demo"
    (tmp_path / "songs").mkdir()
    for song in sorted((demo / "songs").iterdir())[:N_SONGS]:
        shutil.copy(song, tmp_path / "songs")
    for name in TABLES:
        shutil.copy(demo / name, tmp_path)
    return tmp_path


def run_cells(folder: Path, cells: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
    return subprocess.run(
        [sys.executable, "-c", KERNEL],
        cwd=folder,
        env=environment | {"MPLBACKEND": "agg"},
        input=json.dumps(cells),
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_a_students_notebook_runs_cell_by_cell(folder: Path) -> None:
    assert len(CELLS) >= 15
    run = run_cells(folder, CELLS)
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout.rpartition("warned:")[2])
    # of all its cells only the one that passes complex numbers is warned
    assert [text.partition(",")[0].partition(";")[0] for text in told] == [
        "UserWarning: S is complex: its modulus is taken"
    ]
    assert (folder / "scores.png").stat().st_size > 1000


def test_a_broken_cell_is_told_with_its_number(folder: Path) -> None:
    run = run_cells(folder, ["from utils_projet import search_song", "search_song(1, {})"])
    assert run.returncode == 1
    assert run.stderr.startswith("cell 1:\nsearch_song(1, {})\nTypeError: db_hashes must hold")
