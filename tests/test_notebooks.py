"""The builder of notebooks, and the notebooks as they lie in the repository."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from jupytext.cli import jupytext as run_jupytext

from tools.mutate import copy_project
from workshop import commands, execution, notebooks, results
from workshop.config import DEMO, ROOT, Workplace
from workshop.notebooks import NotebookError

STORY = """# %% [markdown]
# # A story

# %%
total = sum(range(10))

# %%
assert total == 45
"""
TOLD = """# %%
import os
from pathlib import Path
from workshop import config, results
source = config.Workplace("demo", config.DEMO, config.DEMO, Path(os.environ["AARES_TEST_OUT"]))
book = results.Notebook("99_story", source)
book.head()

# %%
book.say(f"The sum is **{sum(range(10))}**.")
book.answer(f"It is {sum(range(10))}.")
"""
RENDERED = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = sorted(path.stem for path in notebooks.SOURCES.glob("*.py"))


@pytest.fixture
def story(tmp_path, monkeypatch):
    """A folder of sources with one notebook, and a place for what it makes."""
    monkeypatch.setattr(notebooks, "SOURCES", tmp_path / "src")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "99_story.py").write_text(STORY)
    return Workplace("demo", DEMO, DEMO, tmp_path / "out")


def build(text: str, source: Workplace):
    (notebooks.SOURCES / "99_story.py").write_text(text)
    return notebooks.build("99_story", source)


def outputs(path) -> str:
    cells = notebooks.read(path).cells
    return str([cell.get("outputs") for cell in cells])


def test_two_builds_are_identical_and_the_head_holds_the_answer(story, monkeypatch):
    monkeypatch.setenv("AARES_TEST_OUT", str(story.out))
    path = build(TOLD, story)
    first = path.read_bytes()
    assert notebooks.build("99_story", story).read_bytes() == first
    text = outputs(path)
    assert "**Answer.** It is 45." in text
    assert "appears here" not in text
    assert "The sum is **45**." in text
    assert b"iopub" not in first, "no times are recorded"


def test_a_failing_cell_is_shown_with_its_traceback(story):
    text = STORY + "\n# %%\nvalues = [1]\nvalues[total]\n"
    with pytest.raises(NotebookError) as caught:
        build(text, story)
    message = str(caught.value)
    assert "99_story, cell 3 failed" in message
    assert "values[total]" in message
    assert "IndexError: list index out of range" in message
    assert not (story.out / "notebooks" / "99_story.ipynb").exists()


@pytest.mark.parametrize(("number", "words"), [(9, "SIGKILL: .*out of memory"), (11, "SIGSEGV")])
def test_a_kernel_that_dies_is_said_to_have_died_of_what(story, number, words):
    text = STORY + f"\n# %%\nimport os\n\nos.kill(os.getpid(), {number})\n"
    with pytest.raises(NotebookError, match=f"99_story, cell 3: the kernel ended by {words}"):
        build(text, story)


PROGRAMS = {
    "01": "print('done')",
    "02": "import time; time.sleep(1)",
    "03": "import sys; sys.exit('cell 3 failed')",
    "04": "print('done, too')",
}


def run_programs(monkeypatch):
    monkeypatch.setattr(
        notebooks, "_command", lambda name, _: [sys.executable, "-c", PROGRAMS[name]]
    )


def test_a_failure_leaves_the_others_to_their_work(story, monkeypatch):
    run_programs(monkeypatch)
    found = {name: (seconds, failure) for name, seconds, failure in
             notebooks.build_all(list(PROGRAMS), story)}  # fmt: skip
    assert {name: failure for name, (_, failure) in found.items()} == {
        "01": "", "02": "", "03": "cell 3 failed", "04": ""
    }  # fmt: skip
    assert all(seconds > 0 for seconds, _ in found.values())


def test_a_failure_is_shown_and_raised_at_the_end(story, monkeypatch, capsys):
    run_programs(monkeypatch)
    with pytest.raises(NotebookError, match=r"Not built: 03. .* run.py --only 03, and"):
        commands._build_all(list(PROGRAMS), story)
    told = capsys.readouterr()
    assert "cell 3 failed" in told.err and "[4/4]" in told.out


def test_the_others_end_when_the_build_is_interrupted(story, monkeypatch):
    monkeypatch.setitem(PROGRAMS, "02", "import time; time.sleep(600)")
    run_programs(monkeypatch)
    started = []
    begin = notebooks._start
    monkeypatch.setattr(
        notebooks, "_start", lambda command: started.append(begin(command)) or started[-1]
    )
    building = notebooks.build_all(["02", "01"], story)
    assert next(building)[0] == "01"
    building.close()
    assert started[0][0].wait(timeout=30) != 0


def test_the_slowest_begin_first():
    names = ["01_genre", "02_popularity", "03_recommendation", "04_fingerprints", "99_story"]
    assert notebooks.order_by_time(names) == [names[i] for i in (4, 0, 3, 1, 2)]


@pytest.mark.parametrize(
    "noise", ["import warnings; warnings.warn('careful')", "import sys; print(1, file=sys.stderr)"]
)
def test_a_warning_fails_the_build(story, noise):
    with pytest.raises(NotebookError, match="cell 3 wrote to stderr"):
        build(STORY + f"\n# %%\n{noise}\n", story)


def test_a_deprecation_that_python_would_hide_is_left_out(story):
    show = "import warnings; warnings.simplefilter('always')\n"
    notice = "warnings.warn_explicit('old', DeprecationWarning, 'm.py', 3)\n"
    path = build(STORY + f"\n# %%\n{show}{notice}{notice}", story)
    assert "stderr" not in outputs(path)
    with pytest.raises(NotebookError, match="UserWarning: careful"):
        build(STORY + f"\n# %%\n{show}{notice}warnings.warn('careful')\n", story)


def test_an_edit_by_hand_is_never_lost(story):
    path = build(STORY, story)
    notebook = notebooks.read(path)
    notebook.cells[2].source += "\nextra = 'mine'"
    nbformat.write(notebook, path)
    edited = path.read_bytes()
    with pytest.raises(NotebookError, match=r"edited by hand.*run.py sync 99"):
        notebooks.build("99_story", story)
    assert path.read_bytes() == edited
    notebooks.sync("99_story", story)
    assert "extra = 'mine'" in (notebooks.SOURCES / "99_story.py").read_text()
    assert "extra = 'mine'" in nbformat.writes(notebooks.read(notebooks.build("99_story", story)))


def test_a_source_that_was_changed_meanwhile_is_never_lost(story):
    path = build(STORY, story)
    source = notebooks.SOURCES / "99_story.py"
    source.write_text(newer := STORY + "\n# %%\nnewer = 1\n")
    notebooks.sync("99_story", story)  # the notebook is as it was built: nothing to bring back
    assert source.read_text() == newer
    notebook = notebooks.read(path)
    notebook.cells[2].source += "\nextra = 'mine'"
    nbformat.write(notebook, path)
    with pytest.raises(NotebookError, match=r"99_story.py was changed since .*99_story.ipynb"):
        notebooks.sync("99_story", story)
    assert source.read_text() == newer


def test_a_build_that_fails_leaves_results_as_they_were(story):
    keep = "\n# %%\nfrom workshop import results\nfrom workshop.config import find_data\n"
    keep += "book = results.Notebook('99_story', find_data())\nbook.number('n', {0})\n"
    keep += "folder = find_data().out / 'submission'\nfolder.mkdir()\n"
    keep += "_ = (folder / 'challenge.csv').write_text('{0}')\n"
    build(STORY + keep.format(1), story)
    numbers = story.out / "report" / "results" / "99_story.json"
    challenge = story.out / "submission" / "challenge.csv"
    before = numbers.read_bytes()
    with pytest.raises(NotebookError, match="ZeroDivisionError"):
        build(STORY + keep.format(2) + "1 / 0\n", story)
    assert numbers.read_bytes() == before and challenge.read_text() == "1"
    build(STORY + keep.format(3), story)
    assert challenge.read_text() == "3"
    assert results.read_section(story.out / "report", "99_story")["numbers"] == {"n": 3}


def test_running_again_by_hand_is_no_edit(story):
    path = build(STORY, story)
    notebook = notebooks.read(path)
    notebook.cells[1].outputs = []
    notebook.cells[1].execution_count = 7
    nbformat.write(notebook, path)
    assert not notebooks.was_edited(notebooks.read(path))


def test_source_to_notebook_to_source_changes_nothing(story):
    path = build(STORY, story)
    before = notebooks.digest_cells(notebooks.from_source("99_story"))
    notebooks.sync("99_story", story)
    assert path.is_file()
    assert notebooks.digest_cells(notebooks.from_source("99_story")) == before


def test_jupytext_finds_the_source_and_writes_what_sync_writes(story, monkeypatch, capsys):
    folder = story.out / "notebooks"
    source = folder / "src" / "99_story.py"
    source.parent.mkdir(parents=True)
    monkeypatch.setattr(notebooks, "SOURCES", source.parent)
    shutil.copy(ROOT / "pyproject.toml", story.out)
    shutil.copy(notebooks.PAIRING, folder)
    path = build(STORY, story)
    notebook = notebooks.read(path)
    notebook.cells[2].source += "\nextra = 'mine'"
    notebook.cells[2].metadata = {"scrolled": True, "tags": ["kept"]}
    notebook.metadata["kernelspec"]["display_name"] = "Python of this machine"
    nbformat.write(notebook, path)
    edited = notebooks.digest_cells(notebook)
    notebooks.sync("99_story", story)
    wanted = STORY.replace("%%\nassert", '%% tags=["kept"]\nassert') + "extra = 'mine'\n"
    assert source.read_text() == wanted

    source.write_text(STORY)
    os.utime(source, (0, 0))  # the newer file wins
    monkeypatch.chdir(story.out)
    run_jupytext(["--sync", "notebooks/99_story.ipynb"])
    assert source.read_text() == wanted
    assert notebooks.digest_cells(notebooks.read(path)) == edited

    stray = story.out / "build" / "demo" / "notebooks" / path.name
    stray.parent.mkdir(parents=True)
    shutil.copy(path, stray)
    run_jupytext(["--sync", "build/demo/notebooks/99_story.ipynb"])
    assert "is not a paired notebook" in capsys.readouterr().err
    found = {found.relative_to(story.out).as_posix() for found in story.out.rglob("*99_story*")}
    name = "notebooks/99_story.ipynb"
    assert found == {name, "notebooks/src/99_story.py", f"build/demo/{name}"}


def test_an_unknown_or_foreign_notebook_is_an_error(story):
    with pytest.raises(NotebookError, match="no notebook '12'; there are 99_story"):
        notebooks.list_names("12")
    (notebooks.SOURCES / "04_other.py").touch()
    assert notebooks.list_names("4") == ["04_other"]
    path = story.out / "notebooks" / "99_story.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    with pytest.raises(NotebookError, match=r"99_story.ipynb"):
        notebooks.build("99_story", story)
    with pytest.raises(NotebookError, match="found no such file"):
        notebooks.sync("98_absent", story)


# --- the notebooks of the repository ------------------------------------------------------


IS_CHECKOUT = shutil.which("git") is not None and (ROOT / ".git").exists()


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """What git tracks, at another place, and how a notebook was built there: a minute, once."""
    folder = tmp_path_factory.mktemp("elsewhere") / "clone"
    if IS_CHECKOUT:
        take = ["git", "clone", "-q", "--depth", "1", f"file://{ROOT}", str(folder)]
        subprocess.run(take, check=True)
        edits = subprocess.check_output(["git", "diff", "--binary", "HEAD"], cwd=ROOT)
        if edits:
            subprocess.run(["git", "apply"], cwd=folder, input=edits, check=True)
    else:
        copy_project(folder)
    program = [sys.executable, "-m", "workshop", "--data", "demo", "--only", "04"]
    return folder, subprocess.run(program, cwd=folder, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
@pytest.mark.skipif(not IS_CHECKOUT, reason="not a git checkout")
def test_a_clean_clone_builds_a_notebook(clone):
    """What git does not track is not needed."""
    folder, done = clone
    assert done.returncode == 0, done.stderr
    assert "build/demo/notebooks/04_fingerprints.ipynb" in done.stdout
    assert (folder / "build/demo/notebooks/04_fingerprints.ipynb").is_file()


@pytest.mark.slow
def test_two_builds_of_a_notebook_on_the_demo_write_the_same_bytes(tmp_path, clone):
    """One here, one in another place by a process of its own."""
    notebooks.build("04_fingerprints", Workplace("demo", DEMO, DEMO, tmp_path))
    first, second = read_files(tmp_path), read_files(clone[0] / "build" / "demo")
    kinds = {"notebooks/04_fingerprints.ipynb", "report/results/04_fingerprints.json"}
    kinds |= {"report/figures/04_growth.svg", "report/tables/04_lengths.csv"}
    assert kinds <= set(first)
    assert [name for name in first if first[name] != second.get(name)] == []
    assert set(first) == set(second)


def read_files(folder: Path) -> dict[str, bytes]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("name", NAMES)
def test_sources_follow_the_style(name):
    notebook = notebooks.from_source(name)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    prose = " ".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith("# ")
    longest = max(code, key=lambda source: source.count("\n"))
    assert longest.count("\n") < 20, f"a cell of {longest.count(chr(10)) + 1} lines:\n{longest}"
    trees = [ast.parse(source) for source in code]
    assert not any(isinstance(node, ast.ClassDef) for tree in trees for node in ast.walk(tree))
    assert any(isinstance(node, ast.Assert) for tree in trees for node in ast.walk(tree))
    assert len(prose.split()) > 250
    assert not re.search(r"/(home|root|tmp|Users)/", "".join(code))


@pytest.mark.parametrize("name", NAMES)
def test_a_sentence_stands_before_every_code_cell(name):
    cells = notebooks.from_source(name).cells
    assert cells[0].cell_type == "markdown"
    for before, cell in pairwise(cells):
        if cell.cell_type == "code":
            assert before.cell_type == "markdown", f"code after code:\n{cell.source}"
            sentences = re.sub(r"^#.*$", "", before.source, flags=re.MULTILINE)
            assert sentences.strip(), f"{before.source!r} is a heading only"


@pytest.mark.parametrize("name", NAMES)
def test_sources_are_as_sync_writes_them(name, tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "SOURCES", tmp_path)
    source = ROOT / "notebooks" / "src" / f"{name}.py"
    shutil.copy(source, tmp_path)
    notebook = notebooks.from_source(name)
    notebook.cells[0].source += " Edited."
    out = tmp_path / "notebooks" / f"{name}.ipynb"
    out.parent.mkdir()
    nbformat.write(notebook, out)
    notebooks.sync(name, Workplace("demo", tmp_path, tmp_path, tmp_path))
    assert (tmp_path / source.name).read_text().replace(" Edited.", "") == source.read_text()


def test_every_source_is_rendered_and_nothing_else():
    assert [path.stem for path in RENDERED] == NAMES


@pytest.mark.parametrize("path", RENDERED, ids=lambda path: path.stem)
def test_rendered_notebooks_are_in_sync_and_clean(path):
    notebook = notebooks.read(path)
    source = notebooks.from_source(path.stem)
    assert not notebooks.was_edited(notebook), "edited by hand: python3 run.py sync"
    assert notebooks.same_cells(notebook, source), "source is newer"
    assert execution.find_noise(notebook) == ""
    assert path.stat().st_size < 1_000_000
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"[\"' ](/(home|root|tmp|Users)/|C:\\\\)", text)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1)), "run top to bottom"
