"""The tree as a reader finds it: lint, types, docstrings, and nothing that must not be there."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from workshop.config import ROOT

LIBRARY = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("aares/**/*.py"))
PUBLIC = [
    *LIBRARY,
    *sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("workshop/**/*.py")),
    "utils_projet.py",
    "fingerprint.py",
]


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
    # The assignment imports its three tools from one file, which must stand alone.
    limits = {"utils_projet.py": 850}
    lines = {name: len((ROOT / name).read_text("utf-8").splitlines()) for name in PUBLIC}
    assert {name: n for name, n in lines.items() if n > limits.get(name, 450)} == {}


# --- one way only: notebooks -> workshop -> aares -> the two course files -------------------

DISPLAY = (
    "matplotlib", "seaborn", "IPython", "ipykernel", "jupyter", "jupyter_client", "jupyter_core",
    "jupytext", "nbformat", "nbclient", "nbconvert", "typst",
)  # fmt: skip


def list_imports(path: Path, *, root: Path = ROOT) -> set[str]:
    """Return the dotted names that a module imports anywhere, relative ones resolved.

    ``from a import b`` gives ``a`` and ``a.b``: what `b` is, the syntax does not tell.
    """
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            folder = path.relative_to(root).parts[: -node.level] if node.level else ()
            base = ".".join([*folder, *([node.module] if node.module else [])])
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            if name in {"import_module", "__import__", "require_package"}:
                found |= {str(x.value) for x in node.args[:1] if isinstance(x, ast.Constant)}
    return found


def is_part(name: str, packages: tuple[str, ...]) -> bool:
    """Tell whether a dotted name is one of some packages, or in one."""
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize(
    "code",
    [
        "import workshop.results",
        "import numpy, workshop.results as kept",
        "from workshop import results",
        "from workshop import config, results as kept",
        "from workshop.results import Notebook",
        "from workshop.results import *",
        "from ...workshop import results",
        "from ...workshop.results import Notebook",
        "def late():\n    from workshop import results",
        "if True:\n    import workshop.results.parts",
        "class Late:\n    def fit(self):\n        from ...workshop import results",
        "import importlib\nimportlib.import_module('workshop.results')",
        "__import__('workshop.results')",
    ],
)
def test_every_form_of_import_is_seen(tmp_path, code):
    path = tmp_path / "aares" / "genre" / "model.py"
    path.parent.mkdir(parents=True)
    path.write_text(f"import numpy\n{code}\n", encoding="utf-8")
    names = list_imports(path, root=tmp_path)
    assert [name for name in names if is_part(name, ("workshop.results",))] != []
    assert "numpy" in names


def test_what_is_no_import_is_not_seen(tmp_path):
    path = tmp_path / "aares" / "__init__.py"
    path.parent.mkdir()
    text = '"""import workshop.results"""\n# from workshop import results\n'
    code = "import results\nfrom . import resultsets\nfrom .genre import x\n"
    path.write_text(text + code, encoding="utf-8")
    expected = {"aares", "aares.resultsets", "aares.genre", "aares.genre.x", "results"}
    assert list_imports(path, root=tmp_path) == expected
    assert not any(is_part(name, ("workshop.results",)) for name in expected)


def test_science_does_not_import_what_shows_it():
    for name in LIBRARY:
        found = [x for x in list_imports(ROOT / name) if is_part(x, ("workshop", *DISPLAY))]
        assert found == [], f"{name} imports {found}"


@pytest.mark.parametrize("name", ["utils_projet.py", "fingerprint.py"])
def test_the_course_files_stand_alone(name):
    found = [x for x in list_imports(ROOT / name) if is_part(x, ("aares", "workshop", *DISPLAY))]
    assert found == []


def test_demo_data_stays_small():
    files = [path for path in (ROOT / "data" / "demo").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 12e6
