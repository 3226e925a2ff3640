"""The two commands: run.py on its own, the command line behind it, and a clean clone."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import signal
import subprocess
import sys
from contextlib import nullcontext

import pytest

import run
from aares import cli as library
from workshop import commands as cli
from workshop.config import ROOT

README = ROOT / "README.md"
COMMAND = re.compile(r"^\s*(?:AARES_DATA=\S+ )?python3 run\.py([^#\n]*)", re.MULTILINE)


def test_run_imports_the_standard_library_only():
    tree = ast.parse((ROOT / "run.py").read_text(encoding="utf-8"))
    modules = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert modules <= set(sys.stdlib_module_names)


def test_an_old_python_is_told_what_is_needed(monkeypatch, capsys):
    monkeypatch.setattr(run.sys, "version_info", (3, 9, 1))
    assert run.main([]) == 1
    assert "Python 3.11 or newer is needed, this is 3.9.1" in capsys.readouterr().err


def test_a_python_without_ensurepip_is_told_what_to_install(monkeypatch, tmp_path):
    find = importlib.util.find_spec
    monkeypatch.setattr(run, "VENV", tmp_path / "none")
    monkeypatch.setattr(
        run.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else find(name)
    )
    with pytest.raises(SystemExit, match="no ensurepip.*python3-venv"):
        run._make_environment()


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A place for an environment, and a record of the commands that would make it."""
    commands: list[tuple[str, ...]] = []
    monkeypatch.setattr(run, "VENV", tmp_path)
    monkeypatch.setattr(run, "STAMP", tmp_path / "aares-lock.txt")
    monkeypatch.setattr(run, "LOCK", tmp_path / "requirements.lock")
    monkeypatch.setattr(run, "PYTHON", tmp_path / "python")
    monkeypatch.setattr(run, "LOG", tmp_path / "build" / "install.log")
    monkeypatch.setattr(run, "_run", lambda *command: commands.append(command))
    run.LOCK.write_text("numpy==2\n")
    run.PYTHON.write_text("")
    return commands


def test_a_changed_lock_makes_the_environment_anew(machine):
    assert not run._is_current(), "an installation without stamp was cut off"
    run.STAMP.write_text(run._describe_state(), "utf-8")
    assert run._is_current()
    run.LOCK.write_text("numpy==2\r\n", newline="")
    assert run._is_current(), "line ends are no change"
    run.LOCK.write_text("numpy==3\n")
    assert not run._is_current()


def test_functions_are_compiled_before_the_installation_counts_as_done(machine, monkeypatch):
    monkeypatch.setattr(run, "_add_root_to_path", lambda: None)
    monkeypatch.setattr(run.shutil, "rmtree", lambda path: None)
    run._make_environment()
    assert machine[-1] == (str(run.PYTHON), "-m", "workshop.precompile")
    assert run._is_current()


def test_no_function_is_left_to_compile(tmp_path):
    """A second process with the first one's cache compiles nothing."""
    count = (
        "from numba.core import event\n"
        "from workshop import precompile\n"
        "with event.install_recorder('numba:compile') as seen:\n"
        "    precompile.compile_functions()\n"
        "print(len(seen.buffer))"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    counts = [
        int(subprocess.check_output([sys.executable, "-c", count], cwd=ROOT, env=environment))
        for _ in range(2)
    ]
    assert counts[0] > 0
    assert counts[1] == 0


def test_files_are_seen_from_where_the_command_was_typed(machine, monkeypatch):
    called = []
    run.STAMP.write_text(run._describe_state(), "utf-8")

    class Process(nullcontext):
        def __init__(self, command, *, env, cwd=None):
            called.append((command, cwd))
            super().__init__(self)

        def wait(self):
            return 0

    monkeypatch.setattr(run.subprocess, "Popen", Process)
    assert run.main(["identify", "sound.wav"]) == 0
    command, cwd = called[0]
    assert command[1:] == ["-P", "-m", "workshop", "identify", "sound.wav"]
    assert cwd is None


def test_a_folder_called_as_ours_is_not_taken_for_it(tmp_path):
    (tmp_path / "workshop").mkdir()
    (tmp_path / "workshop" / "__init__.py").write_text("raise SystemExit('a stranger')")
    ours = [sys.executable, "-P", "-m", "workshop", "--help"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(ours, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_pip_installs_where_uv_cannot(machine, monkeypatch):
    def refuse_uv(*command):
        machine.append(command)
        if "uv" in command:
            raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(run, "_run", refuse_uv)
    run._install(run.LOCK)
    assert machine[-1][1:4] == ("-m", "pip", "install")
    assert str(run.LOCK) in machine[-1]


def test_a_failed_installation_says_so_and_leaves_no_stamp(machine, monkeypatch, capsys):
    def refuse(*command):
        raise subprocess.CalledProcessError(7, command)

    monkeypatch.setattr(run, "_run", refuse)
    assert run.main(["test"]) == 1
    assert "installation failed (exit status 7)" in capsys.readouterr().err
    assert not run.STAMP.exists()


WORDS = "import sys; print('Prepared 161 packages'); print(' + numpy==2', file=sys.stderr)"


@pytest.fixture
def log(monkeypatch, tmp_path):
    monkeypatch.setattr(run, "LOG", tmp_path / "install.log")
    monkeypatch.setattr(run, "PAUSE_S", 0.05)
    return run.LOG


def test_an_installation_shows_that_it_goes_on_and_keeps_its_words(log, capfd):
    run._run(sys.executable, "-c", f"{WORDS}; import time; time.sleep(0.5)")
    shown = capfd.readouterr()
    assert shown.out.startswith("..") and not shown.out.strip(".")
    assert shown.err == ""
    assert "Prepared 161 packages" in log.read_text() and " + numpy==2" in log.read_text()


def test_a_failed_installation_shows_its_last_words_and_names_the_log(
    log, monkeypatch, capfd, tmp_path
):
    def refuse():
        run._run(sys.executable, "-c", f"{WORDS}; raise SystemExit('no network')")

    monkeypatch.setattr(run, "STAMP", tmp_path / "none")
    monkeypatch.setattr(run, "_make_environment", refuse)
    assert run.main(["test"]) == 1
    said = capfd.readouterr().err
    assert "no network" in said and "$ " not in said
    assert f"failed (exit status 1); all of it is in {log}" in said


def test_an_environment_is_told_in_one_line(machine, monkeypatch, capsys):
    monkeypatch.setattr(run, "_add_root_to_path", lambda: None)
    monkeypatch.setattr(run.shutil, "rmtree", lambda path: None)
    packages = run.VENV / "lib" / "python3" / "site-packages"
    for name in ("numpy-2.dist-info", "scipy-1.dist-info", "scipy/vendored/six-1.dist-info"):
        (packages / name).mkdir(parents=True)
    with (packages / "large").open("wb") as stream:
        stream.truncate(1_500_000_000)
    run._make_environment()
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == f"2 packages are in {run.VENV}, 1.5 GB."
    assert len(lines) == 3


def test_all_say_the_same_size_of_the_environment():
    told = [
        re.findall(r"([0-9.]+) GB", (ROOT / name).read_text()) for name in ("README.md", "run.py")
    ]
    assert set(told[0]) == set(told[1]) == {"1.7"}


def test_an_interrupted_installation_ends_in_one_line(machine, monkeypatch, capsys):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "_make_environment", interrupt)
    assert run.main(["test"]) == 130
    assert capsys.readouterr().err.splitlines()[1:] == [
        "Interrupted; the same command installs anew."
    ]


def test_a_command_that_is_none_is_told_before_anything_is_installed(machine, capsys):
    assert run.main(["identfy", "x.wav"]) == 2
    assert "no command 'identfy'; did you mean 'identify'?" in capsys.readouterr().err
    assert run.main(["xyz"]) == 2
    assert "no command 'xyz'; there are test, report" in capsys.readouterr().err
    assert machine == []


def test_the_help_of_the_installer_names_every_command():
    assert {*run.COMMANDS} == {*cli._make_parser().names, "add", "lock"}


@pytest.mark.parametrize("name", ["requirements", "requirements-scale"])
def test_the_lock_holds_every_direct_dependency(name):
    lock = (ROOT / f"{name}.lock").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([A-Za-z0-9_.-]+)==", lock, re.MULTILINE))
    lines = (ROOT / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    direct = [line for line in lines if line and not line.startswith("#")]
    assert len(direct) > 5
    for line in direct:
        name, _, reason = line.partition("#")
        assert re.split(r"[\[<>=!~ ]", name)[0].lower() in pinned  # as the lock writes names
        assert len(reason.split()) >= 2, f"{name.strip()}: why?"
    assert "http" not in re.sub(r"^http\w*==.*$", "", lock, flags=re.MULTILINE)


def test_an_extra_has_the_versions_of_the_lock_beside_it():
    lock, extra = (
        set(
            re.findall(
                r"^[\w.-]+==[\w.]+", (ROOT / f"{name}.lock").read_text("utf-8"), re.MULTILINE
            )
        )
        for name in ("requirements", "requirements-scale")
    )
    known = {pin.partition("==")[0] for pin in lock}
    both = {pin for pin in extra if pin.partition("==")[0] in known}
    assert len(both) > 10
    assert both <= lock


def test_an_extra_is_added_to_the_environment_that_is_there(machine, monkeypatch, capsys):
    monkeypatch.setattr(run, "_is_current", lambda: True)
    assert run.main(["add", "scale"]) == 0
    assert str(run.EXTRAS["scale"]) in machine[-1] and "--no-deps" in machine[-1]
    assert "Installing the extra scale" in capsys.readouterr().out
    before = len(machine)
    for wrong in ([], ["scales"], ["scale", "scale"]):
        assert run.main(["add", *wrong]) == 2
        assert "an extra is asked for (scale)" in capsys.readouterr().err
    assert len(machine) == before


# --- the command line ---------------------------------------------------------------------


def test_unknown_commands_and_notebooks_are_errors(capsys):
    with pytest.raises(SystemExit):
        cli.main(["bogus"])
    with pytest.raises(SystemExit):
        cli.main(["report", "--fast"])
    assert cli.main(["--data", "demo", "--only", "77"]) == 1
    assert "no notebook '77'; there are 01_genre" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["reprot"], "no command 'reprot'; did you mean 'report'?"),
        (["--data", "demo", "reprot"], "no command 'reprot'; did you mean 'report'?"),
        (["xyz"], "no command 'xyz'; there are test, bench, handin"),
        (["--ony", "04"], "unknown option '--ony'; did you mean '--only'?"),
        (["--ony=04"], "unknown option '--ony'; did you mean '--only'?"),
        (["report", "--dta", "demo"], "unknown option '--dta'; did you mean '--data'?"),
        (
            ["handin", "--authors", "A", "--fast"],
            "unknown option '--fast'; there are --data, --onl",
        ),
        (["identify", "x.wav", "--jsn"], "unknown option '--jsn'; did you mean '--json'?"),
        (["report", "twice"], "unknown argument 'twice'"),
    ],
)
def test_what_may_have_been_meant_is_said(words, message, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    assert f"run.py: error: {message}" in capsys.readouterr().err


def test_the_library_says_what_may_have_been_meant(capsys):
    for words, message in (
        (["identfy"], "no command 'identfy'; did you mean 'identify'?"),
        (["index", "music", "--ouf", "x"], "unknown option '--ouf'; did you mean '--out'?"),
    ):
        with pytest.raises(SystemExit) as ended:
            library.main(words)
        assert ended.value.code == 2
        assert f"aares: error: {message}" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="no signal of a closed pipe there")
@pytest.mark.parametrize(
    "command",
    [
        ["run.py", "--help"],
        ["-m", "aares", "--help"],
        ["-m", "workshop", "--help"],
        ["-m", "workshop", "identify", "--help"],
        ["-m", "aares", "identify", "--json", "--index", "{index}", *["none.wav"] * 3],
    ],
    ids=" ".join,
)
def test_a_reader_that_goes_away_ends_a_command_without_a_word(command, tmp_path):
    from aares.identify import Index

    index = tmp_path / "music.index"
    Index().save(index)
    words = [word.format(index=index) for word in command]
    for unbuffered in ("1", ""):  # a text is written at once, or waits for the end of the program
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": unbuffered}
        end, start = os.pipe()
        os.close(end)  # nobody reads, from the beginning
        done = subprocess.run(
            [sys.executable, *words], stdout=start, stderr=subprocess.PIPE, cwd=ROOT,
            env=environment, text=True,
        )  # fmt: skip
        os.close(start)
        assert done.stderr == ""
        # argparse itself passes over what it cannot print
        assert done.returncode in (141, -signal.SIGPIPE, *[0] * ("--help" in command))


def test_another_broken_pipe_is_no_reader_that_goes_away():
    def fail():
        raise BrokenPipeError("of a kernel")

    with pytest.raises(BrokenPipeError, match="of a kernel"):
        library.run_quietly(fail)


def test_an_interrupted_identification_is_told_in_one_line(monkeypatch, capsys):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("aares.cli.identifying.identify_files", interrupt)
    assert library.main(["identify", "x.wav"]) == 130
    assert capsys.readouterr().err == "interrupted; what the index holds already stays\n"


def test_absent_course_data_is_an_error(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("AARES_SOURCE", "demo")
    monkeypatch.setenv("AARES_DATA", str(tmp_path / "nowhere"))
    assert cli.main(["--data", "course"]) == 1
    assert "AARES_DATA: expected a folder" in capsys.readouterr().err


def test_arguments_of_test_go_to_pytest(monkeypatch):
    called = []
    monkeypatch.setattr(cli.subprocess, "call", lambda command, **_: called.append(command) or 0)
    assert cli.main(["test", "-k", "audio", "-x"]) == 0
    assert called[0][1:] == ["-m", "pytest", "-k", "audio", "-x"]


@pytest.mark.parametrize("words", [[], ["--durations=8"]])
def test_all_tests_run_in_two_processes(monkeypatch, words):
    called = []
    monkeypatch.setattr("workshop.testing.run_all", lambda options: called.append(options) or 0)
    assert cli.main(["test", *words]) == 0
    assert called == [words]


def test_the_commands_of_the_readme_are_understood():
    commands = COMMAND.findall(README.read_text(encoding="utf-8"))
    assert "" in [command.strip() for command in commands]
    assert "test" in [command.strip() for command in commands]
    parser = cli._make_parser()
    for command in commands:
        words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', command)]
        if words[:1] not in (["add"], ["lock"]):  # run.py's own
            assert parser.parse_args(words).run


def test_an_interruption_is_told_in_one_line(monkeypatch, capsys):
    def clean_up_badly(options):
        try:
            raise KeyboardInterrupt
        finally:
            raise AssertionError("what a library does when it is interrupted")

    monkeypatch.setattr(cli, "_report", clean_up_badly)
    assert cli.main(["report"]) == 130
    assert "Interrupted" in capsys.readouterr().err

    def fail(options):
        raise AssertionError("not interrupted")

    monkeypatch.setattr(cli, "_report", fail)
    with pytest.raises(AssertionError, match="not interrupted"):
        cli.main(["report"])
