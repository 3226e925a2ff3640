"""Load and validate the tables and the songs of the assignment.

Used by every notebook. A loader returns the whole table or raises :class:`DataError`, which names
the file, the column and the first offending row; no row is ever dropped. Rows are counted from 1
below the header line.

Conventions
-----------
Columns and ranges stand in :mod:`aares.schema`. ``release_date`` stays text, since its precision
carries information: ``2008``, ``2008-05`` and ``2008-05-23`` all occur (:func:`parse_dates`).
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from aares.config import AUDIO_FEATURES, TABLES, DataSource, find_data
from aares.files import write_atomic
from aares.schema import COLUMNS, DATE_PATTERN, SCHEMAS, DataError, Number, show_cell

SONG_SUFFIXES = {".mp3", ".ogg", ".wav", ".flac", ".m4a"}


@dataclass(frozen=True)
class Listening:
    """Who listened to what, and what those songs sound like.

    Parameters
    ----------
    source_name : str
        Where the data comes from, for captions.
    plays : DataFrame
        Columns ``user_id``, ``id``, ``plays`` (>= 1); one row for each pair.
    songs : DataFrame
        Columns ``id``, ``name``, ``artist`` and the audio features; one row for each song.
    """

    source_name: str
    plays: pd.DataFrame
    songs: pd.DataFrame


# --- the four tables ----------------------------------------------------------------------


def load_train(source: DataSource) -> pd.DataFrame:
    """Load the labelled songs of exercise 1: the 16 columns of the test table and ``genre``.

    Parameters
    ----------
    source : DataSource

    Returns
    -------
    DataFrame of shape (n_songs, 17)

    Raises
    ------
    DataError
        The file is missing, or not what the assignment describes.
    """
    return _load(source, "train")


def load_test(source: DataSource) -> pd.DataFrame:
    """Load the unlabelled songs of the challenge (exercise 1), errors as in :func:`load_train`.

    Parameters
    ----------
    source : DataSource

    Returns
    -------
    DataFrame of shape (n_songs, 16)
    """
    return _load(source, "test")


def load_subset(source: DataSource) -> pd.DataFrame:
    """Load the songs of exercise 2; ``genres`` holds tuples of micro-genres.

    Parameters
    ----------
    source : DataSource

    Returns
    -------
    DataFrame of shape (n_songs, 20)
    """
    return _load(source, "subset")


def load_recommendation(source: DataSource) -> pd.DataFrame:
    """Load the songs of exercise 3; ``artists`` holds tuples of names.

    Parameters
    ----------
    source : DataSource

    Returns
    -------
    DataFrame of shape (n_songs, 19)
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
    """
    for table in TABLES:
        _load(source, table)
    list_songs(source)


def _load(source: DataSource, table: str) -> pd.DataFrame:
    path = find_table(source, table)
    frame = read_text_table(path, SCHEMAS[table])
    for column in SCHEMAS[table]:
        frame[column] = COLUMNS[column].parse(frame[column], _name_row(path.name, column))
    _check_dates(frame["release_date"], path.name)
    return frame


def _name_row(file: str, column: str) -> Callable[[int], str]:
    return lambda row: f"{file}, column {column!r}, row {row + 1}"


def find_table(source: DataSource, table: str) -> Path:
    """Return the path of one of the four tables.

    Parameters
    ----------
    source : DataSource
    table : {"train", "test", "subset", "recommendation"}

    Returns
    -------
    Path

    Raises
    ------
    DataError
        No file of that name is in the source's folder.
    """
    for name in TABLES[table]:
        if (source.folder / name).is_file():
            return source.folder / name
    names = " or ".join(TABLES[table])
    raise DataError(f"{names}: expected in {source.folder}, found no such file")


def read_text_table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read a comma-separated file as text, and check that it holds `columns`.

    Parameters
    ----------
    path : Path
    columns : tuple of str
        The expected columns; they come first in the result, in this order. Others are kept.

    Returns
    -------
    DataFrame of str

    Raises
    ------
    DataError
        Empty file, other separator, missing or repeated columns, ragged rows, not UTF-8.
    """
    header = _read_header(path)
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        raise DataError(
            f"{path.name}: expected commas between columns, found {show_cell(header[0])}"
        )
    missing = [name for name in columns if name not in header]
    if missing:
        raise DataError(
            f"{path.name}: missing column {missing[0]!r} "
            f"({len(missing)} of {len(columns)} missing; found {show_cell(', '.join(header))})"
        )
    repeated = [name for name in columns if header.count(name) > 1]
    if repeated:
        raise DataError(f"{path.name}: column {repeated[0]!r} stands more than once")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # cells beyond the header
            frame = pd.read_csv(
                path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise DataError(f"{path.name}: {str(error).strip()}") from error
    frame.columns = pd.Index(header)
    if frame.isna().any(axis=None):
        row = int(np.argmax(frame.isna().any(axis=1)))
        raise DataError(f"{path.name}, row {row + 1}: expected {len(header)} cells, found fewer")
    if frame.empty:
        raise DataError(f"{path.name}: expected songs below the header, found no row")
    return frame[[*columns, *(name for name in frame.columns if name not in columns)]]


def _read_header(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            first = next(csv.reader(stream), None)
            while stream.read(1 << 20):
                pass
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path.name}: expected UTF-8 text, found byte {error.start} unreadable"
        ) from error
    except csv.Error as error:
        raise DataError(f"{path.name}: unreadable header ({error})") from error
    if first is None:
        raise DataError(f"{path.name}: expected a table, found an empty file")
    return [name.strip() for name in first]


def _check_dates(dates: pd.Series, file: str) -> None:
    parts = dates.str.extract(DATE_PATTERN)
    full = parts["year"] + "-" + parts["month"].fillna("01") + "-" + parts["day"].fillna("01")
    days = pd.to_datetime(full, format="%Y-%m-%d", errors="coerce")
    bad = (days.isna() & (dates != "")).to_numpy(dtype=bool)
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"{file}, column 'release_date', row {row + 1}: "
            f"expected a day of the calendar, found {show_cell(dates.iloc[row])}"
        )


def parse_dates(dates: pd.Series) -> pd.DataFrame:
    """Take release dates apart.

    Parameters
    ----------
    dates : Series of str
        ``2008``, ``2008-05`` or ``2008-05-23``; empty or missing is allowed.

    Returns
    -------
    DataFrame
        Columns ``year``, ``month``, ``day`` (Int64, missing where not given) and ``precision``
        (``"year"``, ``"month"``, ``"day"`` or ``"missing"``), with the index of `dates`.

    Examples
    --------
    >>> parse_dates(pd.Series(["2008-05"])).iloc[0].tolist()
    [2008, 5, <NA>, 'month']
    """
    parts = dates.astype("str").str.extract(f"^{DATE_PATTERN}$")
    result = parts.apply(pd.to_numeric).astype("Int64")
    names = np.array(["missing", "year", "month", "day"])
    return result.assign(precision=names[result.notna().sum(axis=1).to_numpy()])


# --- songs and listeners ------------------------------------------------------------------


def list_songs(source: DataSource) -> list[Path]:
    """Return the audio files of exercise 4 and 5, sorted by name.

    Parameters
    ----------
    source : DataSource

    Returns
    -------
    list of Path

    Raises
    ------
    DataError
        There is no folder ``songs`` or no audio file in it.
    """
    folder = source.folder / "songs"
    songs = [path for path in folder.glob("*") if path.suffix.lower() in SONG_SUFFIXES]
    if not songs:
        kinds = ", ".join(sorted(SONG_SUFFIXES))
        raise DataError(f"songs/: expected audio files ({kinds}) in {source.folder}")
    return sorted(songs, key=lambda path: path.name)


def load_listening(source: DataSource) -> Listening:
    """Load who listened to what, for the users' part of exercise 3.

    The course has no such table. Beside course data, ``users/playlists/spotify_songs.csv`` (real
    playlists with audio features) serves: a playlist is a listener. Without it, and for the demo,
    the demo's invented listeners serve; `Listening.source_name` says which.

    Parameters
    ----------
    source : DataSource

    Returns
    -------
    Listening
    """
    if source.users and (source.users / "playlists" / "spotify_songs.csv").is_file():
        return _load_playlists(source.users / "playlists" / "spotify_songs.csv")
    return _load_demo_listening()


def _load_playlists(path: Path) -> Listening:
    features = [name for name in AUDIO_FEATURES if name != "time_signature"]
    columns = ("track_id", "track_name", "track_artist", "playlist_id", *features)
    frame = read_text_table(path, columns).rename(
        columns={"track_id": "id", "track_name": "name", "track_artist": "artist"}
    )
    frame[features] = frame[features].apply(pd.to_numeric)
    songs = frame.drop_duplicates("id")[["id", "name", "artist", *features]]
    pairs = frame[["playlist_id", "id"]].drop_duplicates()
    plays = pairs.rename(columns={"playlist_id": "user_id"}).assign(plays=1)
    return Listening(
        f"{plays['user_id'].nunique()} real playlists",
        plays.reset_index(drop=True),
        songs.reset_index(drop=True),
    )


def _load_demo_listening() -> Listening:
    demo = find_data("demo")
    path = demo.folder / "listening.csv"
    if not path.is_file():
        raise DataError("listening.csv: expected in the demo data folder, found no such file")
    plays = read_text_table(path, ("user_id", "id", "plays"))
    plays["plays"] = Number(1, 1e9, whole=True).parse(plays["plays"], _name_row(path.name, "plays"))
    songs = load_recommendation(demo)
    songs = songs.assign(artist=songs["artists"].map(lambda names: ", ".join(names)))
    features = [name for name in AUDIO_FEATURES if name in songs]
    return Listening(
        f"{plays['user_id'].nunique()} invented listeners of the demo",
        plays,
        songs[["id", "name", "artist", *features]],
    )


# --- the challenge ------------------------------------------------------------------------


def write_challenge(labels: np.ndarray | list[str], source: DataSource) -> Path:
    """Write ``submission/challenge.csv``: one column ``genre`` in the order of the test table.

    Parameters
    ----------
    labels : array-like of str, shape (n_test,)
    source : DataSource

    Returns
    -------
    Path

    Raises
    ------
    DataError
        The number of labels is not that of the test songs, or a label is no training genre.
    """
    path = source.out / "submission" / "challenge.csv"
    text = "\n".join(["genre", *map(str, labels)]) + "\n"
    check_challenge([str(label) for label in labels], source)
    return write_atomic(path, text)


def check_challenge(labels: list[str], source: DataSource) -> None:
    """Check predicted labels against the test and train tables.

    Parameters
    ----------
    labels : list of str, shape (n_test,)
    source : DataSource

    Raises
    ------
    DataError
        See :func:`write_challenge`.
    """
    expected = len(load_test(source))
    if len(labels) != expected:
        raise DataError(f"challenge: expected {expected} labels, found {len(labels)}")
    genres = set(load_train(source)["genre"])
    wrong = [i for i, label in enumerate(labels) if label not in genres]
    if wrong:
        raise DataError(
            f"challenge, row {wrong[0] + 1}: expected one of the {len(genres)} training genres, "
            f"found {show_cell(labels[wrong[0]])}"
        )
