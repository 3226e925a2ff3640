"""Put small faults into the science, one at a time, and see whether a test turns red.

    python tools/mutate.py                     # 72 faults, as many in each package
    python tools/mutate.py --only genre --n 6  # six faults of one package
    python tools/mutate.py --seed 1            # another draw, or several: --seed 0 1

Faults are made inside functions: a comparison or an operator flipped, a constant off by one,
``min`` for ``max``, ``and`` for ``or``, a condition negated, a slice cut open, an axis or a boolean
keyword swapped, a statement left out. Settings are left alone (defaults, numbers given by keyword
or in a dictionary): 201 trees instead of 200 are another choice, not a fault. So are annotations,
decorators and the texts of messages.

Each fault is put into a copy of the project, never into the working tree, and the tests of its
package run there (``tests/test_<package>*.py`` and :data:`MORE_TESTS`). What was run stays in
``build/mutants.jsonl``: a run that was interrupted goes on, and a fault that survived is run again
when tests have changed.

**A survivor is a task**: it gets a test that fails with the fault and passes without. Only where
no test can see it (a parameter of speed, a bound that is never reached, a value that any choice
serves) it gets a row in ``tools/mutate_survivors.md`` with the reason; such a fault is marked
'excused' and still counts as not caught.

mutmut 3 and Cosmic Ray were looked at: the first makes faults in plain functions only, where here
compiled functions and data classes carry the identifier; neither draws as many faults from each
package.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECORDS = ROOT / "build" / "mutants.jsonl"
TABLE = ROOT / "build" / "mutants.md"
EXCUSES = ROOT / "tools" / "mutate_survivors.md"
PACKAGES = ("genre", "popularity", "conformal", "recommend", "identify", "results", "scores")
TOPS = ("aares", "workshop")  # folders that may hold a package
MORE_TESTS = {"results": ("test_report.py",)} | dict.fromkeys(
    ("genre", "popularity", "recommend", "conformal"), ("test_estimators.py",)
)
LEFT_OUT = (
    ".git", ".venv", "build", "course", "users", "cache", "__pycache__", ".*_cache", ".hypothesis",
)  # fmt: skip

OPERATORS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"), ast.Is: ("is", "is not"), ast.IsNot: ("is not", "is"),
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "/"), ast.Mod: ("%", "//"), ast.Pow: ("**", "*"),
    ast.BitAnd: ("&", "|"), ast.BitOr: ("|", "&"), ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"), ast.And: ("and", "or"), ast.Or: ("or", "and"),
}  # fmt: skip
TWINS = ("min max", "argmin argmax", "minimum maximum", "any all", "floor ceil", "sum mean",
         "zeros ones", "median mean", "left right")  # fmt: skip
NAMES = {a: b for pair in TWINS for a, b in (pair.split(), pair.split()[::-1])}
DROPPED = {"clip", "sort_values", "sort_index", "fillna", "cumsum", "copy", "strip", "lower"}


# --- making faults ------------------------------------------------------------------------

Edit = tuple[int, int, str]
"""First and last byte to replace, and the text to put there."""


@dataclass(frozen=True)
class Fault:
    """One small fault of a module.

    Parameters
    ----------
    package : str
    module : str
        Path below its top folder without suffix, such as ``genre/guess``.
    path : Path
    line : int
    before, after : str
        The lines concerned, on one line.
    source : str
        The whole module with the fault.
    """

    package: str
    module: str
    path: Path
    line: int
    before: str
    after: str
    source: str

    @property
    def key(self) -> str:
        """Digest of the module with the fault."""
        return hashlib.sha256(f"{self.module}\0{self.source}".encode()).hexdigest()[:16]


class Source:
    """The text of a module, by the positions that syntax trees give."""

    def __init__(self, text: str) -> None:
        self.content = text.encode()
        self._starts = [0]
        for line in self.content.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self.tree = ast.parse(text)
        self._parts = [(self.start(x), self.stop(x), ast.dump(x)) for x in self.tree.body]

    def is_changed(self, start: int, stop: int, new: str) -> bool:
        """Tell whether an edit has a meaning, and another one than what was there.

        Only the statement of the module is read that the edit lies in: of a module of 400 lines
        there are a thousand edits.
        """
        first, last, before = next(part for part in self._parts if start < part[1])
        content = self.content[first:start] + new.encode() + self.content[stop:last]
        try:
            return [ast.dump(x) for x in ast.parse(content).body] != [before]
        except SyntaxError:
            return False

    def start(self, node: ast.AST) -> int:
        return self._starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]

    def stop(self, node: ast.AST) -> int:
        return self._starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]

    def text(self, node: ast.AST) -> str:
        return self.content[self.start(node) : self.stop(node)].decode()

    def swap(self, op: ast.AST, left: ast.AST, right: ast.AST) -> Iterator[Edit]:
        """Swap the operator that stands between two nodes."""
        if type(op) in OPERATORS:
            old, new = OPERATORS[type(op)]
            begin = self.content.find(old.encode(), self.stop(left), self.start(right))
            if begin >= 0:
                yield begin, begin + len(old), new

    def replace(self, node: ast.AST, text: str) -> Iterator[Edit]:
        yield self.start(node), self.stop(node), text


def find_edits(node: ast.AST, source: Source) -> Iterator[Edit]:
    """Yield the faults that one node can have."""
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            yield from source.swap(op, left, right)
        case ast.BinOp(left=left, op=op, right=right) if not (is_text(left) or is_text(right)):
            yield from source.swap(op, left, right)
        case ast.BoolOp(op=op, values=values):
            for left, right in pairwise(values):
                yield from source.swap(op, left, right)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield from source.replace(node, source.text(operand))
        case ast.If(test=test) | ast.IfExp(test=test):
            yield from source.replace(test, f"not ({source.text(test)})")
        case ast.comprehension(ifs=[test]):
            yield from source.replace(test, f"not ({source.text(test)})")
        case ast.Constant(value=bool(value)):
            yield from source.replace(node, str(not value))
        case ast.Constant(value=int(value)):
            yield from source.replace(node, str(value + 1))
        case ast.Constant(value=float(value)):
            yield from source.replace(node, str(2 * value or 1.0))
        case ast.Slice():
            yield from open_slice(node, source)
        case ast.Call():
            yield from change_call(node, source)
        case ast.AugAssign(target=left, op=op, value=right):
            yield from source.swap(op, left, right)
            yield from source.replace(node, "pass")
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.Continue() | ast.Break():
            yield from source.replace(node, "pass")
        case ast.Assign(targets=[ast.Subscript()]):
            yield from source.replace(node, "pass")


def open_slice(node: ast.Slice, source: Source) -> Iterator[Edit]:
    """Yield slices that lack their begin, their end or their step."""
    for part in (node.lower, node.upper, node.step):
        if part is not None:
            yield from source.replace(part, "")


def change_call(node: ast.Call, source: Source) -> Iterator[Edit]:
    """Yield calls of the opposite function, without a step of a chain, with a keyword swapped."""
    name = source.text(node.func).rpartition(".")[2]
    if name in NAMES:
        yield source.stop(node.func) - len(name), source.stop(node.func), NAMES[name]
    if name == "sorted" and not node.keywords:
        yield from source.replace(node.func, "list")
    if name in DROPPED and isinstance(node.func, ast.Attribute):
        yield from source.replace(node, source.text(node.func.value))
    for keyword in node.keywords:
        match keyword:
            case ast.keyword(value=ast.Constant(value=bool(value))):
                yield from source.replace(keyword.value, str(not value))
            case ast.keyword(arg="axis", value=ast.Constant(value=0 | 1 as value)):
                yield from source.replace(keyword.value, str(1 - value))
            case ast.keyword(arg="side", value=ast.Constant(value=str(value))):
                yield from source.replace(keyword.value, repr(NAMES[value]))


def is_text(node: ast.AST) -> bool:
    """Tell whether an operand is a text or a list: no other operator has a meaning for it."""
    return isinstance(node, ast.JoinedStr | ast.List | ast.Tuple) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def walk_code(node: ast.AST, *, inside: bool = False) -> Iterator[ast.AST]:
    """Yield the nodes of function bodies, without settings, annotations and messages."""
    if inside:
        yield node
    if isinstance(node, ast.JoinedStr | ast.Raise):
        return
    function = isinstance(node, ast.FunctionDef | ast.Lambda)
    for field, value in ast.iter_fields(node):
        if function and field != "body":
            continue
        if field in {"decorator_list", "annotation"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            setting = isinstance(node, ast.keyword | ast.Dict) and isinstance(child, ast.Constant)
            if isinstance(child, ast.AST) and not setting:
                yield from walk_code(child, inside=inside or function)


def make_faults(package: str, path: Path, root: Path = ROOT) -> list[Fault]:
    """Return all faults of one module whose syntax is right.

    Parameters
    ----------
    package : str
    path : Path
    root : Path
        The project.
    """
    text = path.read_text(encoding="utf-8")
    source = Source(text)
    edits = {edit for node in walk_code(source.tree) for edit in find_edits(node, source)}
    module = path.relative_to(root).with_suffix("").as_posix().partition("/")[2]
    faults = []
    for start, stop, new in sorted(edits):
        content = source.content[:start] + new.encode() + source.content[stop:]
        if source.is_changed(start, stop, new):
            begin = source.content.rfind(b"\n", 0, start) + 1
            end = source.content.find(b"\n", stop)
            before, after = (
                " ".join(part.decode().split())
                for part in (source.content[begin:end],
                             content[begin : end + len(content) - len(source.content)])
            )  # fmt: skip
            line = source.content.count(b"\n", 0, start) + 1
            faults.append(Fault(package, module, path, line, before, after, content.decode()))
    return faults


def find_modules(package: str, root: Path = ROOT) -> list[Path]:
    """Return the modules of a package, or the module of that name, wherever they are."""
    found = [path for top in TOPS for path in (root / top / package).glob("**/*.py")]
    return sorted(found + [p for top in TOPS if (p := root / top / f"{package}.py").is_file()])


def draw_faults(package: str, n: int, seed: int) -> list[Fault]:
    """Draw faults of a package, one after the other from each of its modules."""
    rng = random.Random(f"{seed} {package}")
    modules = [make_faults(package, path) for path in find_modules(package)]
    rng.shuffle(modules)
    for faults in modules:
        rng.shuffle(faults)
    turns = [(i, faults[i]) for faults in modules for i in range(len(faults))]
    return [fault for _, fault in sorted(turns, key=lambda turn: turn[0])[:n]]


# --- running tests ------------------------------------------------------------------------


def find_tests(package: str) -> list[str]:
    """Return the test modules of a package, the shortest first: most faults are caught there."""
    paths = sorted((ROOT / "tests").glob(f"test_{package}*.py"), key=lambda p: p.stat().st_size)
    return [f"tests/{name}" for name in [*(p.name for p in paths), *MORE_TESTS.get(package, ())]]


def digest_tests(package: str) -> str:
    """Return the state of the tests of a package."""
    names = [*find_tests(package), "tests/conftest.py"]
    return hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in names)).hexdigest()[:16]


def run_tests(tree: Path, package: str, *, limit_s: float, fault: Fault | None = None) -> str:
    """Run the tests of a package in a copy of the project, with a fault in it or none.

    Returns
    -------
    str
        The test that failed first, empty if none did.
    """
    # numba does not see that a function calls one that has changed: such faults compile anew
    compiled = tree / ("numba-fault" if fault and "numba" in fault.source else "numba")
    shutil.rmtree(tree / "numba-fault", ignore_errors=True)
    environment = os.environ | {
        "PYTHONPATH": str(tree), "AARES_SOURCE": "demo", "NUMBA_CACHE_DIR": str(compiled),
        # a fault may leave the file's size and second as they were: no compiled files
        "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    options = ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0", "--tb=no"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, *find_tests(package)],
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return f"time limit of {limit_s:.0f} s"
    if process.returncode == 0:
        return ""
    failed = re.search(r"^(?:FAILED|ERROR) (?:tests/)?(.+?)(?: - .*)?$", output, re.MULTILINE)
    return failed[1] if failed else f"status {process.returncode}"


def copy_project(folder: Path) -> Path:
    """Copy what the tests need, and return where it is."""
    return Path(shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT)))


@contextmanager
def put_in(fault: Fault | None, tree: Path) -> Iterator[None]:
    """Put a fault into a copy of the project, and take it out again."""
    if fault is None:
        yield
        return
    place = tree / fault.path.relative_to(ROOT)
    kept = place.with_name(f"{place.name}.kept")
    place.rename(kept)
    place.write_bytes(fault.source.encode())
    try:
        yield
    finally:
        kept.replace(place)  # with its time: what was compiled from it stays valid


class Bench:
    """Copies of the project in which tests run, one for each job.

    Parameters
    ----------
    folder : Path
    jobs : int
    """

    def __init__(self, folder: Path, jobs: int) -> None:
        self._trees: queue.Queue[Path] = queue.Queue()
        self._limits: dict[str, float] = {}
        for job in range(jobs):
            self._trees.put(copy_project(folder / str(job)))

    def run(self, package: str, fault: Fault | None = None) -> str:
        """Return the test that fails first, empty if none does."""
        tree = self._trees.get()
        try:
            with put_in(fault, tree):
                limit_s = self._limits.get(package, 900.0)
                return run_tests(tree, package, limit_s=limit_s, fault=fault)
        finally:
            self._trees.put(tree)

    def check_clean(self, package: str) -> None:
        """Stop if a test fails without a fault; measure how long the tests may take with one."""
        began = time.monotonic()
        if failed := self.run(package):
            raise SystemExit(f"{package}: {failed} fails without a fault")
        seconds = time.monotonic() - began
        self._limits[package] = 30 + 4 * seconds
        print(f"{package}: {seconds:.0f} s without a fault", flush=True)


def check_faults(faults: list[Fault], *, jobs: int) -> None:
    """Run the tests of each fault, and add what they say to the records."""
    packages = list(dict.fromkeys(fault.package for fault in faults))
    tests = {package: digest_tests(package) for package in packages}
    with (
        tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as folder,
        ThreadPoolExecutor(jobs) as pool,
    ):
        bench = Bench(Path(folder), jobs)
        list(pool.map(bench.check_clean, packages))
        results = pool.map(lambda fault: bench.run(fault.package, fault), faults)
        for i, (fault, caught) in enumerate(zip(faults, results, strict=True), start=1):
            add_record(fault, caught, tests[fault.package])
            say = f"caught by {caught}" if caught else "SURVIVED"
            print(f"{i}/{len(faults)} {fault.module}:{fault.line}  {fault.before}  ->  "
                  f"{fault.after}  {say}", flush=True)  # fmt: skip


# --- records and the table ----------------------------------------------------------------


def add_record(fault: Fault, caught: str, tests: str) -> None:
    """Write what the tests, in the state of that digest, said about a fault."""
    row = {"key": fault.key, "tests": tests, "caught": caught}
    RECORDS.parent.mkdir(exist_ok=True)
    with RECORDS.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(row | {"module": fault.module, "after": fault.after}) + "\n")


def read_records() -> dict[str, dict[str, str]]:
    """Read what is known, the latest for each fault."""
    lines = RECORDS.read_text(encoding="utf-8").splitlines() if RECORDS.is_file() else []
    return {row["key"]: row for row in map(json.loads, lines)}


def read_excuses(path: Path = EXCUSES) -> dict[tuple[str, str, str], str]:
    """Read the reasons why a fault cannot be seen: module, before, after -> reason."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    cells = [[part.strip() for part in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    rows = [row for row in cells if len(row) == 4 and row[1].startswith("`")]
    return {(row[0], *map(unquote, row[1:3])): row[3] for row in rows}  # type: ignore[misc]


def quote(code: str) -> str:
    """Write code as a cell of a Markdown table."""
    return f"`` {code} ``".replace("|", r"\|")


def unquote(cell: str) -> str:
    """Read what :func:`quote` wrote."""
    return cell.replace(r"\|", "|").strip("`").strip()


def write_table(faults: list[Fault], command: str, path: Path) -> int:
    """Write the table of faults, print the shares, and return how many survived unexplained."""
    records, excuses = read_records(), read_excuses()
    caught = {fault.key: records[fault.key]["caught"] for fault in faults}
    reasons = {f.key: excuses.get((f.module, f.before, f.after), "") for f in faults}
    lines = [f"# Small faults and the tests that catch them\n\n`{command}`, {date.today()}.\n",
             "| package | faults | caught | share | excused | unexplained |",
             "| --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    for name in [*dict.fromkeys(fault.package for fault in faults), "all"]:
        keys = [fault.key for fault in faults if name in (fault.package, "all")]
        seen, excused = (sum(map(bool, part)) for part in (
            [caught[key] for key in keys], [reasons[key] and not caught[key] for key in keys]
        ))  # fmt: skip
        lines.append(f"| {name} | {len(keys)} | {seen} | {seen / len(keys):.0%} | {excused} "
                     f"| {len(keys) - seen - excused} |")  # fmt: skip
    print("\n".join(lines))
    lines += ["", "| module | before | after | seen by |", "| --- | --- | --- | --- |"]
    for fault in faults:
        verdict = caught[fault.key] or (reasons[fault.key] and "excused") or "**survived**"
        cells = (f"{fault.module}:{fault.line}", quote(fault.before), quote(fault.after), verdict)
        lines.append("| " + " | ".join(cells) + " |")
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return sum(not caught[fault.key] and not reasons[fault.key] for fault in faults)


def warn_of_stale_excuses() -> None:
    """Name the reasons whose line of code is gone."""
    texts = {path.relative_to(ROOT).with_suffix("").as_posix().partition("/")[2]:
             " ".join(path.read_text(encoding="utf-8").split())
             for package in PACKAGES for path in find_modules(package)}  # fmt: skip
    for module, before, _ in read_excuses():
        if before not in texts.get(module, ""):
            print(f"{EXCUSES.name}: {module} has no line {before!r} any more")


def main() -> int:
    """Draw, run and report; status 1 if a fault survived without a reason."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--n", type=int, default=72, help="how many faults of each draw")
    parser.add_argument("--seed", type=int, nargs="+", default=[0], help="which draws")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument("--only", choices=PACKAGES, help="faults of one package")
    parser.add_argument("--table", type=Path, default=TABLE, help="file to write")
    options = parser.parse_args()
    packages = [options.only] if options.only else list(PACKAGES)
    share = -(-options.n // len(packages))
    draws = [draw_faults(name, share, seed) for name in packages for seed in options.seed]
    faults = list({fault.key: fault for drawn in draws for fault in drawn}.values())
    warn_of_stale_excuses()
    records, tests = read_records(), {name: digest_tests(name) for name in packages}
    known = {key for key, row in records.items() if row["caught"] or row["tests"] in tests.values()}
    todo = [fault for fault in faults if fault.key not in known]
    print(f"{len(faults)} faults, {len(todo)} to run", flush=True)
    if todo:
        check_faults(todo, jobs=options.jobs)
    command = " ".join(["python tools/mutate.py", *sys.argv[1:]])
    return int(write_table(faults, command, options.table) > 0)


if __name__ == "__main__":
    sys.exit(main())
