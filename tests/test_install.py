"""The library as somebody installs it who has no checkout: one wheel, and what it starts with."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import write_tone

from aares.identify import Index
from workshop.config import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder with what the wheel installs, and nothing else of the project."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    compiled = shutil.ignore_patterns("__pycache__")  # where other tests may write just now
    shutil.copytree(ROOT / "aares", source / "aares", ignore=compiled)
    for name in ("fingerprint.py", "utils_projet.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", folder, source], check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("aares-*.whl"))) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def run_installed(site: Path, folder: Path, code: str) -> str:
    """Run code in a folder, with the installed library in front of the checkout's."""
    program = f"import sys; sys.path.insert(0, {str(site)!r})\n{code}"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_the_library_and_nothing_of_the_workshop(site):
    names = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    wanted = {
        "aares/py.typed", "aares/identify/calibration.json", "aares/chaining/joins.json.gz",
        "aares/chaining/slides.csv", "aares/chaining/slide_lines.csv", "fingerprint.py",
        "utils_projet.py",
    }  # fmt: skip
    assert wanted <= names
    modules = {f"aares/{path.relative_to(ROOT / 'aares').as_posix()}" for path in
               (ROOT / "aares").rglob("*.py")}  # fmt: skip
    installed = {name for name in names if not re.match(r"aares-[^/]*/", name)}
    assert installed == wanted | modules
    script = next(site.glob("aares-*/entry_points.txt")).read_text(encoding="utf-8")
    assert "aares = aares.cli:start" in script


def test_the_commands_work_where_there_is_no_checkout(site, tmp_path):
    (tmp_path / "music").mkdir()
    write_tone(tmp_path / "music" / "tone.wav", seconds=8)
    code = """
import pathlib, aares.cli, fingerprint, utils_projet
for module in (aares.cli, fingerprint, utils_projet):
    assert pathlib.Path(module.__file__).is_relative_to(sys.path[0]), module
assert aares.cli.main(["index", "music"]) == 0
assert aares.cli.main(["identify", "music/tone.wav", "--json"]) == 0
"""
    *said, answer = run_installed(site, tmp_path, code).splitlines()
    assert said[-1].startswith("music.index: 1 recordings")
    assert json.loads(answer)["file"] == "music/tone.wav"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["music", "music.index"]


def test_the_identifier_starts_without_tables_figures_and_notebooks(site, tmp_path):
    code = "import aares.identify; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = set(run_installed(site, tmp_path, code).split())
    assert "numba" in loaded
    assert not loaded & {"pandas", "sklearn", "matplotlib", "IPython", "jupytext", "typst"}


def test_identifying_a_short_file_imports_little(tmp_path):
    """What the shell waits for is counted in modules: a clock would tell of the machine."""
    y = np.random.default_rng(0).standard_normal(10 * 8000, dtype=np.float32) / 9
    soundfile.write(tmp_path / "noise.wav", y, 8000, subtype="FLOAT")
    Index.from_signals({"noise": y}).save(tmp_path / "a.index")
    code = (
        "import sys; from aares.cli import main;"
        "assert main(['identify', 'noise.wav', '--index', 'a.index']) == 0;"
        "print(len(sys.modules), *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    answer, loaded = done.stdout.splitlines()
    count, *names = loaded.split()
    assert "noise from" in answer and int(count) < 900
    dear = {"pandas", "sklearn", "matplotlib", "joblib", "scipy.stats", "librosa.core", "workshop"}
    assert not dear & {*names, *(name.partition(".")[0] for name in names)}


EXTRAS = ("course", "test", "visual", "label")  # those that requirements.txt lists
OPTIONAL = {
    "aares/genre/compare.py": ("xgboost",),
    "aares/chaining/families.py": ("mahotas", "skimage"),
    "aares/chaining/visual.py": ("mahotas", "pywt"),
    "aares/chaining/cnn.py": ("torch",),
    "aares/scale/building.py": ("pyarrow",),
    "aares/scale/candidates.py": ("usearch",),
    "aares/scale/dispatch.py": ("distributed",),
    "aares/scale/mapping.py": ("pyarrow",),
    "aares/scale/parquet.py": ("pyarrow",),
    "aares/scale/places.py": ("fsspec",),
    "aares/scale/postings.py": ("ibis", "pyarrow"),
    "aares/scale/relational.py": ("ibis", "pyarrow"),
    "aares/scale/shards.py": ("pyarrow",),
    "aares/scale/spilling.py": ("pyarrow",),
    "aares/serve/app.py": ("starlette",),
    "aares/serve/connections.py": ("uvicorn",),
    "aares/serve/guard.py": ("starlette",),
    "aares/serve/running.py": ("starlette", "uvicorn"),
    "aares/serve/uploads.py": ("starlette",),
}
"""What a module of the library imports when it is asked for it, beside its own dependencies."""


def test_every_package_that_is_imported_is_declared():
    """The extras and the base together are what requirements.txt lists, with reasons."""
    extras = PROJECT["optional-dependencies"]
    groups = [
        {re.split(r"[\[<>=]", item)[0] for item in items}
        for items in (PROJECT["dependencies"], *(extras[name] for name in EXTRAS))
    ]
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    listed = {re.split(r"[<>= ]", line)[0] for line in lines if line and line[0] != "#"}
    assert set().union(*groups) == listed
    assert sum(map(len, groups)) == len(listed)


def test_an_extra_of_its_own_is_declared_as_its_file_lists_it():
    lines = (ROOT / "requirements-scale.txt").read_text(encoding="utf-8").splitlines()
    listed = [line.partition(" ")[0] for line in lines if line and line[0] != "#"]
    assert sorted(listed) == PROJECT["optional-dependencies"]["scale"]


def test_the_library_imports_its_own_dependencies_only():
    from test_style import LIBRARY, list_imports

    packages = {"scikit-learn": "sklearn"}
    base = {re.split(r"[\[<>=]", item)[0] for item in PROJECT["dependencies"]}
    known = {packages.get(name, name) for name in base} | set(sys.stdlib_module_names)
    for name in LIBRARY:
        found = {module.partition(".")[0] for module in list_imports(ROOT / name)}
        strange = found - known - {"aares", "fingerprint", "utils_projet"}
        assert strange == set(OPTIONAL.get(name, ())), name
    names = {"ibis": "ibis-framework", "pywt": "PyWavelets", "skimage": "scikit-image"}
    extras = {item for items in PROJECT["optional-dependencies"].values() for item in items}
    declared = {re.split(r"[\[<>=]", item)[0] for item in extras}
    assert {names.get(name, name) for parts in OPTIONAL.values() for name in parts} <= declared
