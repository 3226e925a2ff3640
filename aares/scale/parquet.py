"""Rows of tracks as Parquet: the same rows are the same bytes, whoever writes them, in what order.

Each row has ``name``, ``size``, ``digest`` and ``error`` (see :mod:`.shards`), then what was found.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

HEAD = {"name": "string", "size": "uint64", "digest": "string", "error": "string"}
# Whatever pyarrow's own choices become: the same rows are the same bytes.
WRITING: Mapping[str, Any] = {
    "version": "2.6", "data_page_version": "1.0", "compression": "zstd", "compression_level": 3,
    "use_dictionary": False, "write_statistics": False, "row_group_size": 1 << 20,
    "data_page_size": 1 << 20, "write_batch_size": 1024, "store_schema": True,
}  # fmt: skip


def make_schema(columns: Mapping[str, str], about: Mapping[str, Any]) -> pa.Schema:
    """Return the columns of a shard.

    Parameters
    ----------
    columns : mapping of str to str
        From `TrackFunction.columns`.
    about : mapping
        From `TrackFunction.describe`; it stands in each file.

    Returns
    -------
    pyarrow.Schema

    Examples
    --------
    >>> make_schema({"rms": "double", "times": "list<uint32>"}, {"name": "x"}).names
    ['name', 'size', 'digest', 'error', 'rms', 'times']
    """
    import pyarrow as pa

    def _read(kind: str) -> Any:
        if kind.startswith("list<"):
            return pa.list_(pa.type_for_alias(kind[5:-1]))
        return pa.type_for_alias(kind)

    fields = [pa.field(name, _read(kind)) for name, kind in {**HEAD, **columns}.items()]
    return pa.schema(fields, {"aares": json.dumps(dict(about), sort_keys=True)})


def make_row(values: Mapping[str, Any], schema: pa.Schema) -> pa.Table:
    """Return a track's row; what is not given is null.

    Parameters
    ----------
    values : mapping of str to object
        Of lists: ndarray.
    schema : pyarrow.Schema

    Returns
    -------
    pyarrow.Table, shape (1, columns)

    Examples
    --------
    >>> schema = make_schema({"times": "list<uint32>"}, {})
    >>> make_row({"name": "a", "times": np.arange(2, dtype=np.uint32)}, schema).to_pylist()
    [{'name': 'a', 'size': None, 'digest': None, 'error': None, 'times': [0, 1]}]
    """
    import pyarrow as pa

    columns = []
    for column in schema:
        value = values.get(column.name)
        if isinstance(value, np.ndarray):
            flat = pa.array(value, column.type.value_type)
            ends = pa.array([0, len(value)], pa.int32())
            columns.append(pa.ListArray.from_arrays(ends, flat))
        else:
            columns.append(pa.array([value], column.type))
    return pa.Table.from_arrays(columns, schema=schema)


def write_table(rows: Sequence[pa.Table], schema: pa.Schema) -> bytes:
    """Write rows as the bytes of a Parquet file: the same rows are the same bytes.

    Parameters
    ----------
    rows : sequence of pyarrow.Table
    schema : pyarrow.Schema

    Returns
    -------
    bytes

    Examples
    --------
    >>> schema = make_schema({}, {})
    >>> write_table([make_row({"name": "a"}, schema)], schema)[:4]
    b'PAR1'
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.concat_tables([row.cast(schema) for row in rows]).combine_chunks()
    out = io.BytesIO()
    pq.write_table(table, out, **WRITING)
    return out.getvalue()
