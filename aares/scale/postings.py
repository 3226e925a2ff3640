"""Postings of an index as a table: what any engine that reads Parquet can be asked.

Used by :mod:`.relational`. A folder holds ``postings-0000.parquet`` for the first part of the
index, and so on, and ``recordings.parquet``, which says what the numbers are.

Conventions
-----------
A row of `COLUMNS` says that a recording has a hash (22 bits, :mod:`aares.identify.pairs`) at a
time, in frames of 32 ms from its beginning. Rows are sorted by hash, recording and time, so that an
engine skips most groups of rows for a query's hashes. All numbers are integers: engines agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aares.files import replacing
from aares.identify import Index
from aares.identify.catalogue import Part
from aares.identify.pairs import N_HASHES
from aares.identify.peaks import BLOCK_FRAMES
from aares.scale.needs import ScaleError, require_scale

if TYPE_CHECKING:
    import pyarrow as pa
    from ibis.expr.types import Table

COLUMNS = ("hash", "recording", "time")
LIMITS = (N_HASHES, 1 << 31, 1 << 31)
NAMES = "recordings.parquet"
ABOUT = {"part": "int32", "recording": "int32", "name": "string", "seconds": "double"}
ENGINES = ("duckdb", "polars")
GROUP = 1 << 17  # rows that an engine reads or skips together
CHUNK = 1 << 20  # rows in memory while they are written
REMEDY = "export_postings writes them anew from an index"


# --- writing --------------------------------------------------------------------------------------


def export_postings(index: Index, folder: str | Path) -> Path:
    """Write the postings of an index as tables.

    Parameters
    ----------
    index : Index
    folder : str or Path
        It is made where it is missing; an older export is replaced.

    Returns
    -------
    Path

    Raises
    ------
    ScaleError
        The extra ``[scale]`` is not installed, or something else lies in the folder.
    IndexFileError
        The index is damaged.
    OSError
        The disk is full; there is then no export in the folder, rather than half of one.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> index = Index.from_signals({"hiss": np.random.default_rng(0).standard_normal(80_000)})
    >>> with TemporaryDirectory() as name:
    ...     folder = export_postings(index, f"{name}/hiss")
    ...     sorted(path.name for path in folder.iterdir())
    ['postings-0000.parquet', 'recordings.parquet']
    """
    require_scale("pyarrow")
    import pyarrow as pa

    home = Path(folder)
    if home.is_dir() and (found := [x.name for x in home.iterdir() if not _is_ours(x)]):
        raise ScaleError(
            f"{home.name}: expected an empty folder or older postings, found {min(found)}"
        )
    home.mkdir(parents=True, exist_ok=True)
    (home / NAMES).unlink(missing_ok=True)  # what says that the folder is whole goes first
    for path in home.iterdir():
        path.unlink()
    rows: dict[str, list[Any]] = {name: [] for name in ABOUT}
    for number, part in enumerate(index.parts):
        _write_part(part, home / f"postings-{number:04d}.parquet")
        for row, recording in enumerate(part.recordings):
            about = (number, row, recording.name, recording.seconds)
            for name, value in zip(ABOUT, about, strict=True):
                rows[name].append(value)
    types = [pa.field(name, pa.type_for_alias(kind)) for name, kind in ABOUT.items()]
    _write_table(home / NAMES, pa.schema(types), [rows])
    return home


def _is_ours(path: Path) -> bool:
    return path.name == NAMES or path.match("postings-*.parquet")


def _write_part(part: Part, path: Path) -> None:
    import pyarrow as pa

    schema = pa.schema([pa.field(name, pa.int32(), nullable=False) for name in COLUMNS])
    deltas = dict.fromkeys(COLUMNS, "DELTA_BINARY_PACKED")
    options = {"use_dictionary": False, "column_encoding": deltas}
    chunks = (dict(zip(COLUMNS, columns, strict=True)) for columns in _read_chunks(part))
    _write_table(path, schema, chunks, **options)


def _write_table(
    path: Path, schema: pa.Schema, chunks: Iterable[Mapping[str, Any]], **options: Any
) -> None:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    with (
        replacing(path) as stream,
        ParquetWriter(stream, schema, compression="zstd", **options) as writer,
    ):
        for chunk in chunks:
            writer.write_table(pa.table(dict(chunk), schema=schema), row_group_size=GROUP)


def _read_chunks(part: Part) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield hashes, recordings and times of some keys after others."""
    part.check_all()
    keys, starts = part.segment.keys, part.segment.starts.astype(np.int64)
    edges = np.searchsorted(starts, np.arange(0, starts[-1] + CHUNK, CHUNK))
    for first, last in zip(edges[:-1], np.minimum(edges[1:], len(keys)), strict=True):
        frames = part.segment.postings[starts[first] : starts[last]].astype(np.int64)
        rows = np.searchsorted(part.starts, frames // BLOCK_FRAMES, side="right") - 1
        hashes = np.repeat(keys[first:last], np.diff(starts[first : last + 1]))
        columns = hashes, rows, frames - part.starts[rows] * BLOCK_FRAMES
        yield tuple(column.astype(np.int32) for column in columns)


# --- reading --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Postings:
    """A table of postings on an engine.

    Parameters
    ----------
    table : ibis Table
        Bound to an engine, with `COLUMNS`, whole numbers of any width.
    name : str
        For messages.

    Examples
    --------
    >>> import ibis, pyarrow
    >>> rows = pyarrow.table({"hash": [7, 7, 9], "recording": [0, 1, 1], "time": [5, 5, 8]})
    >>> postings = Postings(ibis.duckdb.connect().create_view("rows", ibis.memtable(rows)))
    >>> postings.check().n_rows, postings.counts[[7, 8, 9]].tolist()
    (3, [2, 0, 1])
    """

    table: Table
    name: str = "postings"

    def fetch(self, expression: Any) -> dict[str, np.ndarray]:
        """Let the engine compute an expression.

        Parameters
        ----------
        expression : ibis Table

        Returns
        -------
        dict of str to ndarray of int64, shape (n,)
            By column.
        """
        found = self.table.get_backend().to_pyarrow(expression)
        return {name: found[name].to_numpy().astype(np.int64) for name in found.column_names}

    @cached_property
    def counts(self) -> np.ndarray:
        """Return how many postings each hash has, counted once by the engine.

        Returns
        -------
        ndarray of int64, shape (2 ** 22,)
        """
        rows = self.table.group_by("hash").aggregate(count=self.table.count())
        found, counts = self.fetch(rows), np.zeros(N_HASHES, dtype=np.int64)
        counts[found["hash"]] = found["count"]
        return counts

    @property
    def n_rows(self) -> int:
        """Return how many postings there are.

        Returns
        -------
        int
        """
        return int(self.counts.sum())

    def check(self) -> Postings:
        """Check the table: columns, types, missing values, ranges, rows that stand there twice.

        Returns
        -------
        Postings
            The same.

        Raises
        ------
        ScaleError
            It is no table of postings; says which column, what was expected and what was found.
        """
        schema = self.table.schema()
        for name in COLUMNS:
            if name not in schema:
                self._refuse(f"the columns {', '.join(COLUMNS)}", ", ".join(schema))
            if not schema[name].is_integer():
                self._refuse(f"whole numbers in {name}", str(schema[name]))
        columns = [self.table[name] for name in COLUMNS]
        measures = {"rows": self.table.count()}
        for name, column in zip(COLUMNS, columns, strict=True):
            measures |= {f"{name} missing": column.isnull().sum(), f"{name} least": column.min(),
                         f"{name} most": column.max()}  # fmt: skip
        found = self.table.get_backend().to_pyarrow(self.table.aggregate(**measures)).to_pylist()[0]
        if not found["rows"]:
            return self
        for name, limit in zip(COLUMNS, LIMITS, strict=True):
            if missing := found[f"{name} missing"]:
                self._refuse(f"a {name} in each row", f"{missing:,} rows without")
            least, most = found[f"{name} least"], found[f"{name} most"]
            if least < 0 or most >= limit:
                self._refuse(f"{name} from 0 to {limit - 1:,}", f"{least:,} to {most:,}")
        different = self.table.select(*COLUMNS).distinct()
        if twice := found["rows"] - self.fetch(different.aggregate(n=different.count()))["n"][0]:
            self._refuse("each posting once", f"{twice:,} rows that stand there before")
        return self

    def _refuse(self, expected: str, found: str) -> None:
        raise ScaleError(f"{self.name}: expected {expected}, found {found}; {REMEDY}")


def connect_engine(engine: str = "duckdb") -> Any:
    """Start an engine in this process.

    Parameters
    ----------
    engine : {"duckdb", "polars"}

    Returns
    -------
    ibis backend

    Raises
    ------
    ScaleError
        The extra ``[scale]`` is not installed.
    ValueError
        There is no such engine.

    Examples
    --------
    >>> connect_engine("polars").name, connect_engine().name
    ('polars', 'duckdb')
    """
    if engine not in ENGINES:
        raise ValueError(f"engine: expected {' or '.join(ENGINES)}, found {engine!r}")
    require_scale("ibis", engine)
    import ibis

    return getattr(ibis, engine).connect()


def open_postings(folder: str | Path, *, engine: str = "duckdb") -> list[Postings]:
    """Open what `export_postings` wrote; the rows stay on the disk.

    Parameters
    ----------
    folder : str or Path
    engine : {"duckdb", "polars"}

    Returns
    -------
    list of Postings
        One for each part of the index, not checked.

    Raises
    ------
    ScaleError
        A file is no Parquet, or the extra ``[scale]`` is not installed.
    """
    connection, home = connect_engine(engine), Path(folder)
    files = sorted(home.glob("postings-*.parquet"))
    return [Postings(_read_file(connection, file), file.name) for file in files]


def _read_file(connection: Any, file: Path) -> Table:
    from pyarrow import ArrowException
    from pyarrow.parquet import read_schema

    try:
        read_schema(file)
        return connection.read_parquet(file, table_name=file.stem.replace("-", "_"))
    except (ArrowException, OSError) as error:
        raise ScaleError(f"{file.name}: expected a Parquet file ({error}); {REMEDY}") from error


def read_names(folder: str | Path) -> list[list[str]]:
    """Read which recordings the numbers of an export mean.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    list of list of str
        Names by part and row.

    Raises
    ------
    ScaleError
        The file is missing or damaged, or holds other columns.
    """
    require_scale("pyarrow")
    from pyarrow import ArrowException
    from pyarrow.parquet import read_table

    home = Path(folder)
    try:
        table = read_table(home / NAMES)
    except (ArrowException, OSError) as error:
        raise ScaleError(
            f"{home.name}: expected {NAMES} and postings ({error}); {REMEDY}"
        ) from error
    if not {"part", "name"} <= set(table.column_names):
        found = ", ".join(table.column_names)
        raise ScaleError(f"{NAMES}: expected the columns part and name, found {found}; {REMEDY}")
    names: dict[int, list[str]] = {}
    for part, name in zip(table["part"].to_pylist(), table["name"].to_pylist(), strict=True):
        names.setdefault(part, []).append(name)
    return [names[part] for part in sorted(names)]
