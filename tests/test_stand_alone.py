"""The course's two files alone: copied into an empty folder they need five packages and no more."""

from __future__ import annotations

import doctest
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import fingerprint
import utils_projet
from workshop.config import DEMO, ROOT

FILES = [utils_projet, fingerprint]
PACKAGES = ["numpy", "scipy", "scikit-learn", "librosa", "numba"]

EXAMPLE = '''
import json
import sys


class Gate:
    """The first to be asked for any module: what is refused is not there."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


refused = set(json.loads(sys.argv[1]))
sys.meta_path.insert(0, Gate())

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from fingerprint import process_signal
from utils_projet import ConformalPrediction, search_song

assert process_signal.__code__.co_filename.startswith(sys.path[0])
for name in ("pandas", "matplotlib", "aares"):
    try:
        __import__(name)
    except ModuleNotFoundError:
        continue
    raise SystemExit(f"{name} came through")

songs = [np.random.default_rng(seed).standard_normal(90_000) for seed in range(5)]
excerpt = songs[3][512 * 40 : 512 * 100] + 0.1 * songs[0][: 512 * 60]
database = [process_signal(song) for song in songs]
indices, scores = search_song(database, process_signal(excerpt), return_scores=True)
assert indices[0] == 3, indices
assert scores[0] > 10 * scores[1], scores

y = np.repeat(["jazz", "punk"], 20)
X = np.random.default_rng(0).standard_normal((40, 2)) + 9.0 * (y == "punk")[:, None]
predictor = ConformalPrediction(KNeighborsClassifier().fit(X, y), X, y)
assert predictor.predict([9.0, 9.0])["punk"] > 0.05
assert predictor.compute_interval(0.05) == ["punk"]
assert predictor.predict_many(X).shape == (40, 2)
print("found and predicted")
'''


def list_other_modules(packages: list[str]) -> list[str]:
    """Name all installed modules but those of the packages and of what these require."""
    seen: set[str] = set()
    waiting = list(packages)
    while waiting:
        package = canonicalize_name(waiting.pop())
        if package in seen:
            continue
        try:
            needs = [Requirement(text) for text in requires(package) or []]
        except PackageNotFoundError:  # a requirement of another platform
            continue
        seen.add(package)
        waiting += [need.name for need in needs if not need.marker or need.marker.evaluate()]
    alone = {module.__name__ for module in FILES}
    return [
        name
        for name, owners in packages_distributions().items()
        if name not in alone and not seen & set(map(canonicalize_name, owners))
    ]


def test_the_two_files_run_with_the_courses_packages_only(tmp_path: Path) -> None:
    for module in FILES:
        shutil.copy(str(module.__file__), tmp_path)
    (tmp_path / "example.py").write_text(EXAMPLE, encoding="utf-8")
    # the project itself can be on the path of the environment
    refused = [*list_other_modules(PACKAGES), "aares", "workshop"]
    command = [sys.executable, "-E", "example.py", json.dumps(refused)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("found and predicted\n", "")


HARDER = """
assert FULL_RATE_HZ == 8000, "where noise is defined"
noise = add_noise(full[0]) - full[0]
assert abs(10 * np.log10(np.mean(full[0] ** 2) / np.mean(noise**2))) < 0.05
assert any(round(start * 3 / 8) % HOP_LENGTH for start in any_start), "not all on a frame"
for case in ("start at any sample", "the same in noise"):
    assert [len(y) for y in excerpts[case]] == [30_000] * len(paths)
    assert not np.allclose(excerpts[case][0], excerpts["start on a frame"][0])
assert not np.allclose(excerpts["start at any sample"][0], excerpts["the same in noise"][0])
"""


def test_the_example_shows_the_easy_case_and_the_harder_ones(tmp_path: Path) -> None:
    for module in FILES:
        shutil.copy(str(module.__file__), tmp_path)
    (tmp_path / "songs").mkdir()
    for song in sorted((DEMO / "songs").iterdir())[:4]:
        shutil.copy(song, tmp_path / "songs")
    code = (ROOT / "submission" / "example.py").read_text(encoding="utf-8")
    (tmp_path / "example.py").write_text(code + HARDER, encoding="utf-8")
    command = [sys.executable, "-E", "example.py"]
    environment = {**os.environ, "MPLBACKEND": "agg"}
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stderr
    line = re.compile(r"(.*?): +right at the first guess: (\d) of 4, among .*: (\d) of 4")
    counts = line.findall(run.stdout)
    cases = ["start on a frame", "start at any sample", "the same in noise"]
    assert [case for case, _, _ in counts] == cases
    assert counts[0][1:] == ("4", "4")
    assert all(int(first) <= int(three) for _, first, three in counts)


def find_public(module: ModuleType) -> Iterator[str]:
    """Name what a module defines for its readers: functions, classes and their methods."""
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", "") != module.__name__:
            continue
        if inspect.isfunction(value) or inspect.isclass(value):
            yield f"{module.__name__}.{name}"
        if inspect.isclass(value):
            methods = [m for m in vars(value) if not m.startswith("_")]
            yield from (f"{module.__name__}.{name}.{method}" for method in methods)


@pytest.mark.parametrize("module", FILES)
def test_whatever_is_public_has_an_example_that_can_be_pasted(module: ModuleType) -> None:
    # without globals an example has only what it imports itself, like a reader who pastes it
    found = {test.name: test for test in doctest.DocTestFinder().find(module, globs={})}
    public = list(find_public(module))
    assert len(public) >= 5
    shown = {name: "".join(example.source for example in found[name].examples) for name in public}
    assert [name for name in public if f"{name.rpartition('.')[2]}(" not in shown[name]] == []
    runner = doctest.DocTestRunner()
    for test in found.values():
        assert not any(doctest.SKIP in example.options for example in test.examples), test.name
        assert runner.run(test).failed == 0, test.name
