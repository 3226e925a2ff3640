"""The stamp of results: it changes with all that a number depends on, and with nothing else."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from workshop import notebooks, stamps
from workshop.config import ROOT, Workplace

NOTEBOOK = "01_genre"
CODE = {
    "notebook": ("notebooks/src/01_genre.py", "import utils_projet\nfrom aares import genre"),
    "package": ("aares/genre/__init__.py", "from aares.genre.model import fit"),
    "package around it": ("aares/__init__.py", ""),
    "module": ("aares/genre/model.py", "def fit():\n    from workshop.measured import read"),
    "its table": ("aares/genre/model.json", "{}"),
    "measured": ("workshop/measured.py", "import fingerprint"),
    "benchmark": ("benchmarks/results/identify.json", "{}"),
    "toolbox": ("utils_projet.py", ""),
    "fingerprint": ("fingerprint.py", ""),
    "lock": ("requirements.lock", "numpy==2"),
}
OTHERS = {
    "other notebook": "notebooks/src/02_popularity.py",
    "rendered notebook": "notebooks/01_genre.ipynb",
    "module that is not imported": "aares/identify/index.py",
    "table beside it": "aares/identify/calibration.json",
    "what hands on": "workshop/report.py",
    "readme": "README.md",
    "test": "tests/test_genre.py",
}
DATA = ("data/songs.csv", *(f"data/songs/{letter}.ogg" for letter in "abcdefgh"))


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Workplace:
    """A project of one line a file, and its data."""
    monkeypatch.setattr(stamps, "ROOT", tmp_path)
    return write_project(tmp_path)


def write_project(folder: Path) -> Workplace:
    others = {name: "text" for name in (*OTHERS.values(), *DATA)}
    for name, text in [*CODE.values(), *others.items()]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n", encoding="utf-8")
    return Workplace("demo", folder / "data", folder / "users", folder / "build")


def find_changes(source: Workplace, path: Path) -> set[str]:
    """Return the parts of the stamp that change with a file."""
    before = stamps.stamp(NOTEBOOK, source)
    text = path.read_text(encoding="utf-8") if path.is_file() else "new"
    path.write_text(text + "# new\n", encoding="utf-8")
    after = stamps.stamp(NOTEBOOK, source)
    return {part for part in before if before[part] != after[part]}


@pytest.mark.parametrize("name", [name for name, _ in CODE.values()], ids=CODE.keys())
def test_the_stamp_changes_with_the_code(checkout, name):
    assert find_changes(checkout, checkout.folder.parent / name) == {"code"}


@pytest.mark.parametrize("name", ["songs.csv", "songs/a.ogg", "songs/new.ogg"])
def test_the_stamp_changes_with_the_data(checkout, name):
    assert find_changes(checkout, checkout.folder / name) == {"data"}


@pytest.mark.parametrize("name", OTHERS.values(), ids=OTHERS.keys())
def test_the_stamp_ignores_what_no_number_depends_on(checkout, name):
    assert find_changes(checkout, checkout.folder.parent / name) == set()


@pytest.mark.parametrize("name", notebooks.list_names())
def test_whatever_a_notebook_imports_is_in_its_stamp(name):
    """Python itself says what its imports run, those of the modules that it imports too."""
    tree = ast.parse((ROOT / "notebooks" / "src" / f"{name}.py").read_text(encoding="utf-8"))
    lines = [ast.unparse(x) for x in tree.body if isinstance(x, ast.Import | ast.ImportFrom)]
    lines += ["import sys", "for module in list(sys.modules.values()): print(module.__file__)"
              " if getattr(module, '__file__', None) else None"]  # fmt: skip
    told = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=ROOT, check=True, text=True,
        capture_output=True, env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )  # fmt: skip
    paths = {Path(line) for line in told.stdout.splitlines()}
    ours = {
        path for path in paths
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0][0] not in ".<"
    }  # fmt: skip
    listed = set(stamps.list_code(ROOT / "notebooks" / "src" / f"{name}.py", ROOT))
    assert len(ours) > 10
    assert ours - listed <= {ROOT / other for other in stamps.NOT_CODE}


def test_what_cannot_be_read_may_import_anything(checkout):
    (checkout.folder.parent / CODE["notebook"][0]).write_text("def (", encoding="utf-8")
    assert find_changes(checkout, checkout.folder.parent / "aares/identify/index.py") == {"code"}


FOREIGN = ROOT / "aares" / "chaining" / "families.py"  # asks for packages of an extra by name


def test_imports_are_written_so_that_they_can_be_followed():
    """No relative import, none of ours by a name that is made at run time."""
    for package in stamps.PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                assert not (isinstance(node, ast.ImportFrom) and node.level), path
                called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
                by_name = called.rpartition(".")[2] in {"import_module", "__import__"}
                assert not by_name or path == FOREIGN, path


def test_the_stamp_does_not_tell_in_which_order_a_folder_lists_its_files(checkout, monkeypatch):
    before = stamps.stamp(NOTEBOOK, checkout)
    listed = Path.rglob
    monkeypatch.setattr(Path, "rglob", lambda path, pattern: reversed([*listed(path, pattern)]))
    assert stamps.stamp(NOTEBOOK, checkout) == before


def test_the_stamp_changes_with_the_listeners(checkout):
    users = checkout.folder.parent / "users"
    users.mkdir()
    source = Workplace("course", checkout.folder, users, checkout.out)
    assert find_changes(source, users / "playlists.csv") == {"data"}


def test_the_stamp_changes_with_a_name(checkout):
    before = stamps.stamp(NOTEBOOK, checkout)
    module = checkout.folder.parent / "aares" / "genre" / "model.py"
    module.rename(module.with_name("models.py"))
    assert stamps.stamp(NOTEBOOK, checkout)["code"] != before["code"]


def test_the_stamp_tells_the_kind_of_data(checkout):
    course = Workplace("course", checkout.folder, checkout.users, checkout.out)
    kinds = [stamps.stamp(NOTEBOOK, source)["kind"] for source in (checkout, course)]
    assert kinds == ["demo", "course"]


def test_the_stamp_is_the_same_wherever_the_project_lies(checkout, tmp_path, monkeypatch):
    before, listed = stamps.stamp(NOTEBOOK, checkout), Path.glob
    moved = write_project(tmp_path / "elsewhere")
    monkeypatch.setattr(stamps, "ROOT", tmp_path / "elsewhere")
    monkeypatch.setattr(Path, "glob", lambda self, name: reversed(list(listed(self, name))))
    assert stamps.stamp(NOTEBOOK, moved) == before


def test_the_stamp_needs_no_notebook(checkout):
    (checkout.folder.parent / CODE["notebook"][0]).unlink()
    assert len(stamps.stamp(NOTEBOOK, checkout)["code"]) == 16


def test_the_stamp_ignores_a_file_browsers_notes(checkout):
    assert find_changes(checkout, checkout.folder / ".DS_Store") == set()


def test_the_stamp_ignores_the_line_ends_of_a_system(checkout):
    names = [name for name, _ in CODE.values()]
    for name in (*names, "data/songs.csv"):
        before = stamps.stamp(NOTEBOOK, checkout)
        path = checkout.folder.parent / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        assert stamps.stamp(NOTEBOOK, checkout) == before
