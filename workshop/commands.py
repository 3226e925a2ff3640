"""The commands behind ``run.py``: build (the main job), test, bench, handin, identify, label, ...

``run.py`` makes the environment and hands its arguments over; ``python -m workshop`` does the same
inside an environment that exists.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aares import cli
from aares.arguments import Parser
from aares.errors import AaresError
from workshop.places import CACHE, ROOT, SKIPPED

if TYPE_CHECKING:
    from workshop.config import Workplace

INDEX = CACHE / "music.index"
LABELS = CACHE / "labels.sqlite"
Command = Callable[[argparse.Namespace], int]


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return the exit status."""
    return cli.run_quietly(lambda: _run(arguments))


def _run(arguments: list[str] | None) -> int:
    parser = _make_parser()
    options, rest = parser.parse_known_args(arguments)
    if options.run is not _test:
        parser.refuse(rest, options)
    options.rest = rest
    try:
        return options.run(options)
    except BaseException as error:
        if _was_interrupted(error):
            logging.getLogger("asyncio").disabled = True  # what the kernel's client says to its end
            print(
                "\nInterrupted; what was finished stays, and all else is as it was.",
                file=sys.stderr,
            )
            return 130
        if not isinstance(error, AaresError):
            raise
        print(f"\n{error}", file=sys.stderr)
        return 1


def _was_interrupted(error: BaseException | None) -> bool:
    """Say whether Ctrl-C began what ended in this error."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _make_parser() -> Parser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--data",
        metavar="demo|course|FOLDER",
        default=argparse.SUPPRESS,
        help="which data; default: course where its files are in place, else demo",
    )
    parser = Parser(prog="run.py", parents=[shared], description=__doc__)
    parser.add_argument("--only", metavar="NN", help="build one notebook, such as 04")
    parser.set_defaults(run=_build)
    commands = parser.add_commands(title="commands (without one: the main job)")

    def add(name: str, run: Command, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text, parents=[shared])
        command.set_defaults(run=run)
        return command

    add("test", _test, "run the tests; what follows goes to pytest")
    add("bench", _bench, "run the benchmarks").add_argument("names", nargs="*")
    handin = add("handin", _handin, "write the files to hand in, and check them")
    handin.add_argument("--authors", required=True, metavar="NAME,NAME")
    add("notebook", _notebook, "open the notebooks in Jupyter Lab")
    add("report", _report, "compile the report from the results that are there")
    add("page", _page, "write the page beside the report, which opens from the disk")
    sync = add("sync", _sync, "bring a notebook edited by hand back into notebooks/src")
    sync.add_argument("only", metavar="NN")
    cli.add_commands(commands, index=INDEX)
    _add_label(add("label", _label, "open the page where songs are paired by ear"))
    return parser


def _add_label(command: argparse.ArgumentParser) -> None:
    command.add_argument("--songs", type=Path, metavar="FOLDER", help="default: the demo songs")
    command.add_argument(
        "--database", type=Path, default=LABELS, metavar="FILE", help=f"default: {LABELS.name}"
    )
    files = command.add_mutually_exclusive_group()
    files.add_argument("--export", type=Path, metavar="CSV", help="write all answers, and end")
    files.add_argument(
        "--import", type=Path, metavar="CSV", dest="imported", help="add answers, and end"
    )
    command.add_argument("--port", type=int, default=8008, help="default: 8008; 0: any")
    command.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS",
        help="of this machine, for others to come in: 0.0.0.0 is all; default: 127.0.0.1, nobody",
    )  # fmt: skip
    command.add_argument("--no-browser", action="store_true", help="only print the address")


def _build(options: argparse.Namespace) -> int:
    from aares import data
    from workshop import notebooks

    source = _find_data(options)
    print(source.describe(), flush=True)
    names = notebooks.list_names(options.only)
    if len(names) == 1:
        print(f"Building {names[0]} ...", flush=True)
        start = time.perf_counter()
        notebooks.build(names[0], source)
        _show_step(names[0], time.perf_counter() - start)
    else:
        data.check(source)
        data.load_listening(source)
        print(f"Building {len(names)} notebooks, two at a time ...", flush=True)
        _build_all(names, source)
    written = [source.out / "notebooks" / f"{name}.ipynb" for name in names]
    if options.only:
        print("The report is compiled by a run of all notebooks (or: python3 run.py report).")
    else:
        written.append(_compile_report(source))
    challenge = source.out / "submission" / "challenge.csv"
    _list_written([*written, *([challenge] if challenge.is_file() else [])], source)
    return 0


def _build_all(names: list[str], source: Workplace) -> None:
    """Build the notebooks; a failure is shown at once, and raised when the others are done."""
    from workshop import notebooks

    failed = []
    done = notebooks.build_all(notebooks.order_by_time(names), source)
    for number, (name, seconds, failure) in enumerate(done, 1):
        _show_step(f"[{number}/{len(names)}] {name}", seconds)
        if failure:
            failed.append(name)
            print(f"\n{failure}\n", file=sys.stderr, flush=True)
    if failed:
        again = " and ".join(f"python3 run.py --only {name[:2]}" for name in sorted(failed))
        raise notebooks.NotebookError(
            f"Not built: {', '.join(sorted(failed))}. What is wrong stands above; the others are "
            f"built. Then: {again}, and python3 run.py report."
        )


def _find_data(options: argparse.Namespace) -> Workplace:
    from workshop import config  # reads tables, for which the identifier does not wait

    return config.find_data(getattr(options, "data", None))


def _report(options: argparse.Namespace) -> int:
    source = _find_data(options)
    _list_written([_compile_report(source)], source)
    return 0


def _page(options: argparse.Namespace) -> int:
    from workshop.page import build

    source = _find_data(options)
    print(source.describe(), flush=True)
    start = time.perf_counter()
    written = build.write_page(source)
    _show_step("page", time.perf_counter() - start)
    _list_written(written, source, with_figures=False)
    print(f"\nIt opens by a double click: {_relative(written[0])}")
    return 0


def _compile_report(source: Workplace) -> Path:
    from workshop import report

    start = time.perf_counter()
    path = report.compile_report(source)
    _show_step("report", time.perf_counter() - start)
    return path


def _show_step(name: str, seconds: float) -> None:
    print(f"{name} ".ljust(34, "."), f"{seconds:5.0f} s", flush=True)


def _list_written(paths: list[Path], source: Workplace, *, with_figures: bool = True) -> None:
    figures = sorted((source.out / "report" / "figures").glob("*.svg")) if with_figures else []
    print("\nWritten:")
    for path in sorted(paths):
        print(f"  {_relative(path):<44}{path.stat().st_size / 1e3:>8,.0f} kB")
    if figures:
        total = sum(path.stat().st_size for path in figures)
        print(f"  {_relative(figures[0].parent) + f' ({len(figures)})':<44}{total / 1e3:>8,.0f} kB")


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


def _test(options: argparse.Namespace) -> int:
    if all(word.startswith("--durations") for word in options.rest):  # of all tests
        from workshop import testing

        return testing.run_all(options.rest)
    return subprocess.call([sys.executable, "-m", "pytest", *options.rest], cwd=ROOT)


def _bench(options: argparse.Namespace) -> int:
    folder = ROOT / "benchmarks"
    found = {path.stem: path for path in sorted(folder.glob("[!_]*.py"))}
    unknown = [name for name in options.names if name not in found]
    if unknown:
        print(f"no benchmark {unknown[0]!r}; there are {', '.join(found)}", file=sys.stderr)
        return 2
    for name in options.names or found:
        print(f"\n=== {name}", flush=True)
        status = subprocess.call([sys.executable, str(found[name])], cwd=ROOT)
        if status == SKIPPED and not options.names:
            continue
        if status:
            return status
    return 0


def _handin(options: argparse.Namespace) -> int:
    from workshop import handin

    source = _find_data(options)
    authors = [name.strip() for name in options.authors.split(",")]
    written = handin.make(authors, source)
    print("Authors: " + ", ".join(f"{k}. {name}" for k, name in enumerate(authors, 1)))
    _list_written(written, source, with_figures=False)
    if old := handin.find_old(source, written):
        print(
            "\nThere from before, and not of these names: " + ", ".join(path.name for path in old)
        )
    if not any(path.suffix == ".html" for path in written):
        print(
            "\nWithout the page: python3 run.py page makes it, and the next hand-in takes it along."
        )
    if source.kind == "demo":
        print("\nThis is the DEMO data: try it, but do not hand it in.", file=sys.stderr)
    return 0


def _label(options: argparse.Namespace) -> int:
    if options.export or options.imported:
        from workshop.label import exchange

        if options.export:
            n = exchange.export_answers(options.database, options.export)
            print(f"{n} answers are in {options.export}")
        else:
            n, known = exchange.import_answers(options.imported, options.database)
            print(f"{n} answers are new in {options.database}, {known} were there")
        return 0
    from workshop.config import DEMO

    try:
        from workshop.label import serve
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        print(f"{error.name} is missing: pip install 'aares[label]'", file=sys.stderr)
        return 1
    serve.serve(
        options.songs or DEMO / "songs", options.database, host=options.host,
        port=options.port, browse=not options.no_browser, say=lambda line: print(line, flush=True),
    )  # fmt: skip
    return 0


def _notebook(options: argparse.Namespace) -> int:
    return subprocess.call([sys.executable, "-m", "jupyterlab"], cwd=ROOT / "notebooks")


def _sync(options: argparse.Namespace) -> int:
    from workshop import notebooks

    source = _find_data(options)
    for name in notebooks.list_names(options.only):
        print(f"{_relative(notebooks.sync(name, source))} has the notebook's cells")
    return 0
