"""All tests in two processes: each test runs once, and whatever goes wrong in one of them is told.

The suites here are made up, with modules that write down what ran.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from workshop import testing
from workshop.config import ROOT

NOTE = """
from pathlib import Path
import time
import pytest

def note(name):
    with Path("ran.txt").open("a") as file:
        file.write(name + " ")

def meet(own, other):
    Path(own).touch()
    end = time.monotonic() + 60
    while not Path(other).exists():
        assert time.monotonic() < end, "nobody else is here"
        time.sleep(0.01)
"""
MODULE = """
from note import *

@pytest.fixture(scope="module", autouse=True)
def shared():
    note("{name}:made")
    yield
    note("{name}:left")

def test_one():
    note("{name}:1")
    {body}

def test_two():
    note("{name}:2")
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    """Run a suite, of each module what its first test does; return the status and what is told."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # starts in half the time

    def run_suite(**bodies: str) -> tuple[int, str]:
        (tmp_path / "note.py").write_text(NOTE)
        (tmp_path / "ran.txt").unlink(missing_ok=True)
        for name, body in bodies.items():
            text = MODULE.format(name=name, body=body)
            (tmp_path / f"test_{name}.py").write_text(text)
        status = testing.run_all(["-q"], tmp_path)
        told = capfd.readouterr()
        return status, told.out + told.err

    return run_suite


def read_ran(folder: Path) -> list[str]:
    return (folder / "ran.txt").read_text().split()


def test_two_modules_run_at_the_same_time_and_each_test_once(run, tmp_path):
    status, told = run(a="meet('a', 'b')", b="meet('b', 'a')", c="pass", d="pass")
    assert status == 0, told
    ran = read_ran(tmp_path)
    assert sorted(ran) == [f"{name}:{what}" for name in "abcd" for what in "1 2 left made".split()]
    for name in "abcd":  # made once for the tests of a module, and left when they are done
        own = [one.partition(":")[2] for one in ran if one[0] == name]
        assert own == ["made", "1", "2", "left"]


@pytest.mark.parametrize("process", ["run", "Popen"])  # how the first and the second are started
def test_a_failure_in_either_process_is_told_and_counts(run, tmp_path, monkeypatch, process):
    kinds = {name: getattr(subprocess, name) for name in ("run", "Popen", "STDOUT")}
    start = kinds[process]
    kinds[process] = lambda *words, env, **more: start(*words, env={**env, "FAIL": "1"}, **more)
    monkeypatch.setattr(testing, "subprocess", SimpleNamespace(**kinds))
    fail = "; import os; assert 'FAIL' not in os.environ, 'told'"
    status, told = run(a="meet('a', 'b')" + fail, b="meet('b', 'a')" + fail)
    assert status == 1
    assert len(re.findall(r"FAILED test_[ab].py::test_one - AssertionError: told", told)) == 1
    assert len(read_ran(tmp_path)) == 8


def test_a_process_that_ends_without_a_word_leaves_no_module_out(run):
    status, told = run(a="meet('a', 'b')", b="meet('b', 'a'); import os; os._exit(0)")
    assert status == 1
    assert "Begun and not finished: test_b" in told


def test_a_module_that_cannot_be_read_is_a_failure(run):
    status, told = run(a="pass", b="is no Python")
    assert status == 2
    assert "SyntaxError" in told and "test_b" in told


def test_the_slowest_begin_first_and_no_test_is_lost(monkeypatch):
    """Pytest may put tests of other modules between those of one that share a parameter."""
    monkeypatch.setattr(testing, "SLOWEST_FIRST", ("test_c",))
    items = [SimpleNamespace(path=Path(f"test_{name}.py")) for name in "abac"]
    modules = testing._list_modules(items)
    assert list(modules) == ["test_c", "test_a", "test_b"]
    assert modules["test_a"] == [items[0], items[2]]


def test_the_slowest_are_modules():
    found = {path.stem for path in (ROOT / "tests").glob("test_*.py")}
    assert set(testing.SLOWEST_FIRST) <= found
    assert len({*testing.SLOWEST_FIRST}) == len(testing.SLOWEST_FIRST)
