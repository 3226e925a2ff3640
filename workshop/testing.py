"""All tests, in two processes that take one module after the other, the slowest first.

A test keeps one core busy, and the other waits: :func:`run_all` starts pytest twice. Both collect
all tests, and each runs the modules that it is the first to take. What tests of one module share,
such as a fitted model, is made once; no two tests of a module run at the same time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.places import ROOT

if TYPE_CHECKING:
    import pytest

AT_ONCE = 2
SLOWEST_FIRST = (
    "test_notebooks", "test_determinism_genre", "test_determinism", "test_style", "test_label_page",
    "test_run", "test_popularity", "test_reasons", "test_page_browser", "test_scale_mapping",
    "test_genre", "test_examples",
)  # fmt: skip
"""Order of starting, so that no long module is left to run alone at the end."""
TAKEN = "AARES_TESTS_TAKEN"
"""Names the folder with a file for each module that a process has taken."""
DONE = "done"
# Threads that wait for each other actively stall when anything else runs on the machine.
ALONE = {"OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"}


def run_all(options: list[str], folder: Path = ROOT) -> int:
    """Run all tests of a folder; what the second process said is printed after the first's.

    Parameters
    ----------
    options : list of str
        For pytest.
    folder : Path
        Where pytest starts.

    Returns
    -------
    int
        Exit status: 0 if each test was run and passed.
    """
    command = [sys.executable, "-m", "pytest", "-p", "workshop.testing", *options]
    # neither process knows all that failed, for which pytest's cache is asked later
    command += ["-p", "no:cacheprovider"]
    with tempfile.TemporaryDirectory() as place:
        taken, log = Path(place, "taken"), Path(place, "log")
        taken.mkdir()
        environment = {**os.environ, **ALONE, TAKEN: str(taken)}
        with log.open("wb") as said:
            second = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=said, stderr=subprocess.STDOUT
            )
        try:
            first = subprocess.run(command, cwd=folder, env=environment)
            second.wait()
        finally:
            second.kill()
        print(f"\nAt the same time:\n{log.read_text('utf-8', 'replace')}", flush=True)
        unfinished = [path.name for path in taken.iterdir() if path.read_text("utf-8") != DONE]
    if unfinished:
        print(f"Begun and not finished: {', '.join(sorted(unfinished))}", file=sys.stderr)
    return first.returncode or second.returncode or int(bool(unfinished))


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run the modules that no other process has taken (a hook of pytest).

    Parameters
    ----------
    session : pytest.Session

    Returns
    -------
    bool or None
        None leaves the tests to pytest: there is nothing to share, or it was only to collect.
    """
    taken = os.environ.get(TAKEN)
    if taken is None or session.testsfailed or session.config.option.collectonly:
        return None
    left: list[pytest.Item] = []
    modules = _list_modules(session.items)
    following = [tests[0] for tests in modules.values()][1:]
    for (name, tests), after in zip_longest(modules.items(), following):
        mark = Path(taken, name)
        try:
            mark.touch(exist_ok=False)
        except FileExistsError:
            left += tests
            continue
        _run(session, [*tests, after])
        mark.write_text(DONE, "utf-8")
    session.config.hook.pytest_deselected(items=left)
    return True


def _list_modules(items: list[pytest.Item]) -> dict[str, list[pytest.Item]]:
    """Return the tests of each module, the slowest first, else in the order of collection."""
    rank = {name: place for place, name in enumerate(SLOWEST_FIRST)}
    modules: dict[str, list[pytest.Item]] = {}
    for item in sorted(items, key=lambda item: rank.get(item.path.stem, len(rank))):
        modules.setdefault(item.path.stem, []).append(item)
    return modules


def _run(session: pytest.Session, items: list[pytest.Item | None]) -> None:
    """Run all but the last, which tells what need not be torn down before it."""
    for item, following in pairwise(items):
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
