"""Load and validate the four tables of the assignment.

Used by every notebook. A loader returns the whole table or raises :class:`DataError`, which names
the file, the column and the first offending row; no row is ever dropped. Rows are counted from 1
below the header line.

Conventions
-----------
Columns and ranges stand in :mod:`aares.data.schemas`, the rule for missing cells in
:mod:`aares.data.door`. ``release_date`` stays text, since its precision carries information:
``2008``, ``2008-05`` and ``2008-05-23`` all occur (:func:`aares.data.parse_dates`).
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd

from aares.data.dialects import AGAIN, check_rows, read_header, read_text
from aares.data.door import parse_columns
from aares.data.schemas import SCHEMAS
from aares.data.sources import TABLES, DataSource
from aares.errors import DataError


def load_train(source: DataSource) -> pd.DataFrame:
    """Load the labelled songs of exercise 1: the 16 columns of the test table and ``genre``.

    Parameters
    ----------
    source : DataSource

    Returns
    -------
    DataFrame, shape (n_songs, 17)

    Raises
    ------
    DataError
        The file is missing, or not what the assignment describes.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from aares.data.schemas import SCHEMAS
    >>> from aares.data.sources import DataSource
    >>> song = dict.fromkeys(SCHEMAS["train"], "1") | {"release_date": "1977", "genre": "punk"}
    >>> with TemporaryDirectory() as folder:
    ...     pd.DataFrame([song]).to_csv(Path(folder) / "spotify_dataset_train.csv", index=False)
    ...     train = load_train(DataSource("course", Path(folder), users=Path(folder)))
    >>> train[["release_date", "explicit", "popularity", "tempo", "genre"]]
      release_date  explicit  popularity  tempo genre
    0         1977      True           1    1.0  punk
    """
    return _load(source, "train")


def load_test(source: DataSource) -> pd.DataFrame:
    """Load the unlabelled songs of the challenge (exercise 1), errors as in :func:`load_train`.

    Parameters
    ----------
    source : DataSource

    Returns
    -------
    DataFrame, shape (n_songs, 16)

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from aares.data.schemas import SCHEMAS
    >>> from aares.data.sources import DataSource
    >>> song = dict.fromkeys(SCHEMAS["test"], "1") | {"release_date": "1977-10"}
    >>> with TemporaryDirectory() as folder:
    ...     pd.DataFrame([song]).to_csv(Path(folder) / "spotify_dataset_test.csv", index=False)
    ...     load_test(DataSource("course", Path(folder), users=Path(folder))).shape
    (1, 16)
    """
    return _load(source, "test")


def load_subset(source: DataSource) -> pd.DataFrame:
    """Load the songs of exercise 2; ``genres`` holds tuples of micro-genres.

    Parameters
    ----------
    source : DataSource

    Returns
    -------
    DataFrame, shape (n_songs, 20)

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from aares.data.schemas import SCHEMAS
    >>> from aares.data.sources import DataSource
    >>> song = dict.fromkeys(SCHEMAS["subset"], "1") | {"release_date": "1977"}
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "spotify_dataset_subset.csv"
    ...     pd.DataFrame([song | {"genres": "['art rock', 'punk']"}]).to_csv(path, index=False)
    ...     subset = load_subset(DataSource("course", Path(folder), users=Path(folder)))
    >>> subset.shape, subset["genres"].tolist()
    ((1, 20), [('art rock', 'punk')])
    """
    return _load(source, "subset")


def load_recommendation(source: DataSource) -> pd.DataFrame:
    """Load the songs of exercise 3; ``artists`` holds tuples of names.

    Parameters
    ----------
    source : DataSource

    Returns
    -------
    DataFrame, shape (n_songs, 19)

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from aares.data.schemas import SCHEMAS
    >>> from aares.data.sources import DataSource
    >>> song = dict.fromkeys(SCHEMAS["recommendation"], "1") | {"year": "1979", "release_date": ""}
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "spotify_dataset_recommendation.csv"
    ...     pd.DataFrame([song | {"artists": "['ABBA']"}]).to_csv(path, index=False)
    ...     songs = load_recommendation(DataSource("course", Path(folder), users=Path(folder)))
    >>> songs.shape, songs["artists"].tolist()
    ((1, 19), [('ABBA',)])
    """
    return _load(source, "recommendation")


def check(source: DataSource) -> None:
    """Read all that the notebooks need, so that what is wrong is said before hours of work.

    Parameters
    ----------
    source : DataSource

    Raises
    ------
    DataError
        A table or the songs are missing, or not what the assignment describes.

    Examples
    --------
    >>> from pathlib import Path
    >>> from aares.data.sources import DataSource
    >>> check(DataSource("course", Path("nowhere"), users=Path("nowhere")))
    Traceback (most recent call last):
    aares.errors.DataError: spotify_dataset_train.csv: expected in nowhere, found no such file
    """
    for table in TABLES:
        _load(source, table)
    source.list_songs()


def _load(source: DataSource, table: str) -> pd.DataFrame:
    path = source.find_table(table)
    frame = read_text_table(path, SCHEMAS[table])
    known = parse_columns(frame, SCHEMAS[table], path.name)
    return pd.concat([known, frame.drop(columns=known.columns)], axis=1)


def read_text_table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read a comma-separated file as text, and check that it holds `columns`.

    Parameters
    ----------
    path : Path
    columns : tuple of str
        The expected columns; they come first in the result, in this order. Others are kept if they
        have a name. Empty lines, and rows of empty cells at the end, are no rows.

    Returns
    -------
    DataFrame of str

    Raises
    ------
    DataError
        It is no such file (see :mod:`aares.data.dialects`), a column is missing or repeated, a row
        does not fit the header, or there is none.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "songs.csv"
    ...     pd.DataFrame({"id": ["s1"], "mood": "calm", "tempo": 120.0}).to_csv(path, index=False)
    ...     read_text_table(path, ("tempo", "id"))
       tempo  id  mood
    0  120.0  s1  calm
    """
    text = read_text(path)
    header = read_header(text, path.name, columns)
    check_rows(text, path.name, len(header))
    frame = pd.read_csv(
        io.StringIO(text, newline=""),
        dtype=str,
        keep_default_na=False,
        index_col=False,
        usecols=range(len(header)),  # empty cells may stand beyond the header
    )
    frame.columns = pd.Index(header)
    frame = frame[(frame != "").any(axis=1)[::-1].cummax()[::-1]]
    again = (frame == header).all(axis=1).to_numpy()
    if again.any():
        raise DataError(
            f"{path.name}, row {int(again.argmax()) + 1}: found the names of the columns again, as "
            "where two files were joined; delete that line"
        )
    if frame.empty:
        raise DataError(f"{path.name}: expected songs below the header, found no row; {AGAIN}")
    return frame[[*columns, *(name for name in header if name and name not in columns)]]
