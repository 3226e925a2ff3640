#!/usr/bin/env python3
"""Make the environment once, then run the project: two commands do everything.

    python3 run.py                    every notebook, the challenge file, the figures, the report
    python3 run.py test               the tests

    python3 run.py --only 04          one notebook
    python3 run.py --data demo        on the demo data; or --data FOLDER, with the course's files
    python3 run.py report             the report again, from the results that are there
    python3 run.py page               the page beside it: songs to look at, join, hear and identify
    python3 run.py handin --authors "Name,Name"
                                      the files to hand in, with the names in their names
    python3 run.py notebook           Jupyter Lab
    python3 run.py sync 04            bring a notebook edited by hand back into notebooks/src
    python3 run.py index FOLDER [--out INDEX] [--wait SECONDS]
                                      make an index equal to the audio files of a folder
    python3 run.py remove NAME...     take recordings out of an index; --index as for identify
    python3 run.py merge OTHER        take up the recordings of another index
    python3 run.py list [--json]      the recordings of an index
    python3 run.py verify             check every byte of an index
    python3 run.py identify FILE... [--index INDEX] [--json]
                                      which recordings of the index the files come from
    python3 run.py serve [--index INDEX] [--port PORT] [--workers N]
                                      the same by HTTP: POST a file to /identify
    python3 run.py listen [SOURCE]    what is playing, from the microphone or a pipe, as it goes
    python3 run.py map FOLDER --out SHARDS
                                      fingerprints of many tracks as Parquet, resumed where cut off
    python3 run.py build SHARDS --out INDEX
                                      an index out of them in bounded memory; both: add scale first
    python3 run.py label [--songs FOLDER]
                                      the page where songs are paired by ear; its answers:
                                      label --export FILE.csv, label --import FILE.csv
    python3 run.py bench [NAME]       timed comparisons and long experiments
    python3 run.py add scale          install the extra [scale], for more songs than one machine has
    python3 run.py lock               requirements.txt -> requirements.lock, and those of extras

Needs Python 3.11 or newer and nothing else; only the standard library is imported here. The
environment is .venv beside this file, 1.7 GB. It is made anew whenever requirements.lock or the
Python changes; an installation that was cut off is noticed and repeated. What the installers said
is in build/install.log.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
EXTRAS = {"scale": ROOT / "requirements-scale.lock"}
LOG = ROOT / "build" / "install.log"
STAMP = VENV / "aares-lock.txt"  # written last: its absence means an unfinished installation
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
COMMANDS = re.findall(r"python3 run\.py ([a-z]+)", __doc__)
PAUSE_S = 2  # between two dots of an installation that goes on
# XGBoost asks for a GPU library of 300 MB on Linux; it is only used with a GPU.
LEFT_OUT = ("nvidia-nccl-cu12", "nvidia-nccl-cu13")


def main(arguments: list[str]) -> int:
    """Make the environment if needed, then hand the arguments to the package."""
    if sys.version_info < (3, 11):
        found = ".".join(map(str, sys.version_info[:3]))
        return _fail(f"Python 3.11 or newer is needed, this is {found}.")
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    if arguments[:1] and re.match(r"\w", arguments[0]) and arguments[0] not in COMMANDS:
        near = difflib.get_close_matches(arguments[0], COMMANDS, 1)
        meant = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(COMMANDS)}."
        return _fail(f"run.py: no command {arguments[0]!r}{meant}", status=2)
    try:
        if not _is_current():
            _make_environment()
        if arguments[:1] == ["lock"]:
            return _lock()
        if arguments[:1] == ["add"]:
            return _add(arguments[1:])
    except KeyboardInterrupt:
        return _fail("\nInterrupted; the same command installs anew.", status=130)
    except subprocess.CalledProcessError as error:
        return _fail(
            f"\n{_read_last_words()}\n"
            f"The installation failed (exit status {error.returncode}); all of it is in {LOG}. "
            "Without a network, nothing can be installed: run it once with one. "
            "Nothing outside .venv and build was changed; the same command tries again."
        )
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
    # -P: a folder of the same name where the command was typed is not ours
    command = [str(PYTHON), "-P", "-m", "workshop", *arguments]
    with subprocess.Popen(command, env=environment) as process:
        while True:
            try:
                status = process.wait()
                return status if status >= 0 else 128 - status  # as a shell tells of a signal
            except KeyboardInterrupt:  # the package got it, too, and says what it leaves
                continue


def _is_current() -> bool:
    return PYTHON.exists() and STAMP.is_file() and STAMP.read_text("utf-8") == _describe_state()


def _describe_state() -> str:
    digest = hashlib.sha256(LOCK.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
    return f"{digest}\n{sys.version}\n{ROOT}\n"


def _make_environment() -> None:
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        raise SystemExit(
            "This Python cannot make virtual environments (no ensurepip). "
            "On Debian and Ubuntu: sudo apt install python3-venv. "
            "Elsewhere: install Python from python.org."
        )
    LOG.parent.mkdir(exist_ok=True)
    LOG.write_bytes(b"")
    print("Installing the packages into .venv, once (about 1.7 GB) .", end="", flush=True)
    if VENV.exists():
        shutil.rmtree(VENV)
    _run(sys.executable, "-m", "venv", str(VENV))
    _install(LOCK)
    _add_root_to_path()
    print(f"\n{_describe_environment()}\nCompiling, once (a minute) .", end="", flush=True)
    _run(str(PYTHON), "-m", "workshop.precompile")
    print(flush=True)
    STAMP.write_text(_describe_state(), "utf-8")


def _describe_environment() -> str:
    block = 4096  # what a disk gives to a file is a multiple of it
    files = [path.lstat().st_size for path in VENV.rglob("*") if not path.is_dir()]
    size = sum((length + block - 1) // block * block for length in files)
    n_packages = len(list(VENV.glob("**/site-packages/*.dist-info")))
    return f"{n_packages} packages are in {VENV}, {size / 1e9:.1f} GB."


def _install(lock: Path) -> None:
    """Install a lock with uv; with pip where there is no uv for this machine."""
    # --no-deps: the lock is complete, and what LEFT_OUT names must not come back.
    packages = ["--no-deps", "-r", str(lock)]
    try:
        _run(str(PYTHON), "-m", "pip", "install", "--quiet", *_pip_options(), "uv")
        uv = [str(PYTHON), "-m", "uv", "pip", "install", "--python", str(PYTHON)]
        # As pip does: otherwise the first notebooks, side by side, would each compile everything.
        _run(*uv, "--compile-bytecode", *packages)
    except subprocess.CalledProcessError:
        print("\nuv did not do it; trying with pip, which takes longer .", end="", flush=True)
        _run(str(PYTHON), "-m", "pip", "install", *_pip_options(), *packages)


def _pip_options() -> list[str]:
    return ["--disable-pip-version-check", "--no-input"]


def _add_root_to_path() -> None:
    """Let notebooks import the project wherever they lie."""
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    answer = subprocess.run(
        [str(PYTHON), "-c", query], check=True, capture_output=True, text=True, encoding="utf-8"
    )
    Path(answer.stdout.strip(), "aares_project.pth").write_text(f"{ROOT}\n", "utf-8")


def _add(names: list[str]) -> int:
    """Install an extra beside what is there, of the same versions."""
    if len(names) != 1 or names[0] not in EXTRAS:
        said = " ".join(names) or "nothing"
        return _fail(f"run.py add: an extra is asked for ({', '.join(EXTRAS)}), not {said}.", 2)
    print(f"Installing the extra {names[0]} into .venv .", end="", flush=True)
    _install(EXTRAS[names[0]])
    print(f"\n{_describe_environment()}")
    return 0


def _lock() -> int:
    override = VENV / "left-out.txt"
    override.write_text("".join(f"{name}; sys_platform == 'never'\n" for name in LEFT_OUT), "utf-8")
    command = [str(PYTHON), "-m", "uv", "pip", "compile", "--universal", "--python-version", "3.11"]
    command += ["--fork-strategy", "fewest", "--override", str(override), "--no-annotate"]
    command += ["--no-header", "--quiet"]
    status = subprocess.call([*command, "requirements.txt", "-o", LOCK.name], cwd=ROOT)
    for lock in EXTRAS.values():
        asked = [lock.with_suffix(".txt").name, "-c", LOCK.name, "-o", lock.name]
        status = status or subprocess.call([*command, *asked], cwd=ROOT)
    return status


def _run(*command: str) -> None:
    """Run a command, what it says into the log; a dot on the screen from time to time."""
    with LOG.open("ab") as log:
        log.write(f"$ {' '.join(command)}\n".encode())
        log.flush()
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        ) as process:
            while True:
                try:
                    status = process.wait(PAUSE_S)
                    break
                except subprocess.TimeoutExpired:
                    print(".", end="", flush=True)
    if status:
        raise subprocess.CalledProcessError(status, command)


def _read_last_words() -> str:
    lines = LOG.read_text("utf-8", "replace").splitlines() if LOG.is_file() else []
    start = max((row for row, line in enumerate(lines, 1) if line.startswith("$ ")), default=0)
    return "\n".join(lines[start:][-12:])


def _fail(message: str, status: int = 1) -> int:
    print(message, file=sys.stderr)
    return status


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):  # | head ends the program, as it does other tools
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main(sys.argv[1:]))
