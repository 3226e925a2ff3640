"""The examples in docstrings: each says what it claims, and most functions have one."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
import warnings
from types import ModuleType

import pytest
from test_install import OPTIONAL

from workshop.config import ROOT

SHARE = 0.6  # of the library's public functions and methods
LOOSE = re.compile(r"doctest:.*\+\s*(SKIP|ELLIPSIS)")
# One dialect: `ndarray of float, shape (n, d)`, `DataFrame, shape (n, columns)`.
OTHER_DIALECTS = re.compile(r"\[shape\s*=|(DataFrame|Series|ndarray|array)( of \w+)? of shape \(")


def list_modules(*patterns: str) -> list[str]:
    """Return the dotted names of modules, without those that run when they are imported."""
    paths = sorted(path.relative_to(ROOT) for pattern in patterns for path in ROOT.glob(pattern))
    names = [".".join(path.with_suffix("").parts) for path in paths if path.stem != "__main__"]
    return [name.removesuffix(".__init__") for name in names]


LIBRARY = list_modules("aares/**/*.py", "utils_projet.py", "fingerprint.py")
WORKSHOP = list_modules("workshop/**/*.py")


def list_functions(module: ModuleType) -> dict[str, str]:
    """Return the docstrings of a module's public functions and of its public classes' methods."""
    found = {}
    for name, thing in vars(module).items():
        if getattr(thing, "__module__", None) != module.__name__:
            continue
        members = {name: thing}
        if inspect.isclass(thing):
            members = {f"{name}.{key}": value for key, value in vars(thing).items()}
        for key, value in members.items():
            function = inspect.unwrap(getattr(value, "__func__", value))
            if inspect.isfunction(function) and not re.search(r"(^|\.)_", key):
                found[f"{module.__name__}.{key}"] = function.__doc__ or ""
    return found


@pytest.mark.parametrize("name", [*LIBRARY, *WORKSHOP])
def test_examples_run(name):
    for package in OPTIONAL.get(name.replace(".", "/") + ".py", ()):
        pytest.importorskip(package, reason=f"the example needs {package}, which is an extra's")
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE, verbose=False)
    said: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # nobody wants to paste one
        warnings.simplefilter("error", RuntimeWarning)
        for test in doctest.DocTestFinder().find(module, name):
            assert LOOSE.search(test.docstring or "") is None, f"{test.name} claims nothing"
            runner.run(test, out=said.append)
    assert runner.failures == 0, "".join(said)


def test_most_functions_have_an_example():
    functions: dict[str, str] = {}
    for name in LIBRARY:
        functions |= list_functions(importlib.import_module(name))
    without = [name for name, text in functions.items() if ">>>" not in text]
    share = 1 - len(without) / len(functions)
    assert share >= SHARE, f"{share:.1%} have an example; these lack one:\n" + "\n".join(without)


def test_shapes_are_written_one_way():
    found = {
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for folder in ("aares", "workshop", ".")
        for path in (ROOT / folder).glob("*.py" if folder == "." else "**/*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if OTHER_DIALECTS.search(line)
    }
    assert found == set()
