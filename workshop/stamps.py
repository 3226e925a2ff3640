"""The state of code and data that results belong to.

A notebook depends on what it imports, and on what that imports: a change elsewhere leaves its
results as they are, and the notebook need not be built again. Imports are read from the syntax
trees, those inside functions too.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

from workshop.config import ROOT, Workplace

# These run, print or hand on what notebooks found; no number depends on them.
NOT_CODE = (
    "workshop/__main__.py", "workshop/commands.py", "workshop/handin.py",
    "workshop/notebooks.py", "workshop/precompile.py", "workshop/report.py", "workshop/stamps.py",
)  # fmt: skip
PACKAGES = ("aares", "workshop")
MEASURED, RESULTS = "workshop/measured.py", "benchmarks/results/*.json"
CONTENT = {".json", ".csv", ".txt", ".npz"}
"""What modules read that lies beside them."""
TEXT = {".py", ".csv", ".json", ".lock", ".txt"}


def stamp(name: str, source: Workplace) -> dict[str, str]:
    """Return the state of code and data that a notebook's results belong to.

    Parameters
    ----------
    name : str
        Name of the notebook without suffix.
    source : Workplace

    Returns
    -------
    dict
        ``kind`` of the data, digest of the ``data``, digest of the ``code``.
    """
    return stamp_script(ROOT / "notebooks" / "src" / f"{name}.py", source)


def stamp_script(script: Path, source: Workplace) -> dict[str, str]:
    """Return the state of code and data that the results of a script belong to.

    Parameters
    ----------
    script : Path
    source : Workplace

    Returns
    -------
    dict
        As :func:`stamp`.
    """
    return {
        "kind": source.kind,
        "data": _digest_data(source),
        "code": _digest_files(list_code(script, ROOT), ROOT),
    }


def list_code(start: Path, root: Path) -> list[Path]:
    """Return the files that decide what a script computes.

    Parameters
    ----------
    start : Path
        The script; need not be there.
    root : Path
        Folder of the project: its packages are followed, others are in the lock file.

    Returns
    -------
    list of Path
        The script, the modules that it and they import, the files beside these that are read, the
        lock file, and what benchmarks measured where :mod:`workshop.measured` is among the modules.
    """
    modules: set[Path] = set()
    waiting = [start] if start.is_file() else []
    while waiting:
        module = waiting.pop()
        if module not in modules:
            modules.add(module)
            waiting += _follow(module, root)
    beside = {
        path
        for folder in {module.parent for module in modules - {start}} - {root}
        for path in folder.glob("*.*")
        if path.suffix in CONTENT
    }
    measured = set(root.glob(RESULTS)) if root / MEASURED in modules else set()
    lock = {root / "requirements.lock"} & set(root.glob("*.lock"))
    left_out = {root / name for name in NOT_CODE}
    return sorted((modules | beside | measured | lock) - left_out)


def _follow(module: Path, root: Path) -> list[Path]:
    """Return the project's files that a module imports."""
    try:
        tree = ast.parse(module.read_text(encoding="utf-8"))
    except SyntaxError:  # what cannot be read may import anything
        return [path for package in PACKAGES for path in (root / package).rglob("*.py")]
    return [path for name in _list_names(tree) for path in _find(name, root)]


def _list_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):  # the house writes whole names
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _find(name: str, root: Path) -> Iterator[Path]:
    """Yield the files that an import of a dotted name runs: each package on the way, and its end.

    The last part may be a module or what a module defines.
    """
    parts = name.split(".")
    for size in range(1, len(parts) + 1):
        path = root.joinpath(*parts[:size])
        for file in (path / "__init__.py", path.with_name(path.name + ".py")):
            if file.is_file():
                yield file


def _digest_data(source: Workplace) -> str:
    return "-".join(
        # a file browser's notes, such as .DS_Store, are no data
        _digest_files([p for p in sorted(folder.rglob("[!.]*")) if p.is_file()], folder)
        for folder in dict.fromkeys([source.folder, source.users])
    )


def _digest_files(paths: list[Path], root: Path) -> str:
    whole = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        # Git may check text out with other line ends on Windows: the state is the same.
        if path.suffix in TEXT:
            content = content.replace(b"\r\n", b"\n")
        whole.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.hexdigest()[:16]
