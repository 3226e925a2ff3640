"""The tool that makes small faults: what it makes, where, and how it reads its reasons."""

from __future__ import annotations

import ast

import pytest

from tools import mutate
from workshop.config import ROOT

MODULE = '''
"""A docstring with 1 < 2."""
LIMIT = 3


def count(rows: list[int], *, least: int = 2) -> int:
    """Count rows, at least 2."""
    rows = sorted(rows)[:9]
    if not rows or rows[0] < LIMIT:
        raise ValueError(f"expected {least + 1} rows")
    total = sum(row for row in rows if row != 5)
    total += max(rows)
    print(total, sep=" ", flush=True)
    return -total
'''
EXPECTED = {
    "rows = list(rows)[:9]", "rows = sorted(rows)[:10]", "rows = sorted(rows)[:]",
    "if rows or rows[0] < LIMIT:", "if not rows and rows[0] < LIMIT:",
    "if not rows or rows[0] <= LIMIT:", "if not rows or rows[1] < LIMIT:",
    "if not (not rows or rows[0] < LIMIT):", "pass",
    "total = mean(row for row in rows if row != 5)",
    "total = sum(row for row in rows if row == 5)",
    "total = sum(row for row in rows if not (row != 5))",
    "total = sum(row for row in rows if row != 6)",
    "total -= max(rows)", "total += min(rows)",
    'print(total, sep=" ", flush=False)', "return total",
}  # fmt: skip


@pytest.fixture
def faults(tmp_path):
    path = tmp_path / "aares" / "genre" / "songs.py"
    path.parent.mkdir(parents=True)
    path.write_text(MODULE, encoding="utf-8")
    return mutate.make_faults("genre", path, root=tmp_path)


def test_each_fault_is_one_change_of_a_function(faults):
    assert {fault.after for fault in faults} == EXPECTED
    assert sorted(fault.before for fault in faults if fault.after == "pass") == [
        'print(total, sep=" ", flush=True)',
        'raise ValueError(f"expected {least + 1} rows")',
        "total += max(rows)",
    ]
    for fault in faults:
        assert fault.module == "genre/songs"
        assert MODULE.splitlines()[fault.line - 1].strip() == fault.before
        assert fault.source.splitlines()[fault.line - 1].strip() == fault.after
        assert ast.dump(ast.parse(fault.source)) != ast.dump(ast.parse(MODULE))


def test_an_edit_without_another_meaning_is_no_fault():
    text = "LIMIT = 1\n\n\ndef add(a, b):\n    return (a + b)\n"
    source = mutate.Source(text)
    for old, new, is_fault in (("+", "-", True), ("(a + b)", "a + b", False), ("+", "+ *", False)):
        start = text.index(old)
        assert source.is_changed(start, start + len(old), new) == is_fault


def test_each_package_gives_as_many_faults_of_different_modules():
    for package in mutate.PACKAGES:
        drawn = mutate.draw_faults(package, 6, 0)
        assert drawn == mutate.draw_faults(package, 6, 0)
        modules = {fault.module for fault in drawn}
        assert modules == {package} if package in ("results", "scores") else len(modules) >= 4
        assert mutate.find_tests(package) != []


def test_reasons_are_read_as_they_are_written(tmp_path):
    row = ("genre/songs", "a = b | c", "a = b & c", "no test can see it")
    cells = [row[0], *map(mutate.quote, row[1:3]), row[3]]
    path = tmp_path / "reasons.md"
    path.write_text(f"| module | before |\n| --- | --- |\n| {' | '.join(cells)} |\n", "utf-8")
    assert mutate.read_excuses(path) == {row[:3]: row[3]}
    assert all(reason for reason in mutate.read_excuses().values())


def test_the_copy_leaves_out_what_is_large_or_private(tmp_path):
    copy = mutate.copy_project(tmp_path / "copy")
    assert (copy / "data" / "demo").is_dir() and (copy / "tests").is_dir()
    assert not any((copy / name).exists() for name in (".git", ".venv", "build", "data/course"))
    assert (copy / "aares").samefile(ROOT / "aares") is False
