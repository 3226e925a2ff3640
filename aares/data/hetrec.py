"""Who listened to which artist, how they tagged them, and who is whose friend (exercise 3).

Used by the measure ``hetrec`` of ``benchmarks/recommend.py``. The course has no such table: the
data set of the HetRec workshop of 2011 holds 1,892 listeners of Last.fm, for non-commercial use.

References
----------
Cantador, Brusilovsky, Kuflik, "Second workshop on information heterogeneity and fusion in
recommender systems (HetRec 2011)", RecSys 2011; the format stands in the archive's ``readme.txt``.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from aares.data.cells import name_row
from aares.data.dialects import AGAIN, read_text
from aares.data.listening import load_listening
from aares.data.schemas import Number, Text
from aares.data.sources import DataSource
from aares.errors import DataError

HETREC = "hetrec2011-lastfm-2k"
FILES: dict[str, tuple[str, ...]] = {
    "user_artists.dat": ("userID", "artistID", "weight"),
    "artists.dat": ("id", "name"),
    "user_taggedartists.dat": ("userID", "artistID", "tagID"),
    "tags.dat": ("tagID", "tagValue"),
    "user_friends.dat": ("userID", "friendID"),
}
_ID = Text(meaning="an id", pattern=r"\d+")
_NAME = Text(meaning="a name")
_PLAYS = Number(1, 1e9, whole=True)
Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class ArtistListening:
    """Who listened to which artist, and what else is known of both.

    Parameters
    ----------
    source_name : str
        Where the data comes from, for captions.
    plays : DataFrame
        Columns ``user_id``, ``id`` (of the artist) and ``plays`` (>= 1); one row for each pair.
    artists : DataFrame
        Columns ``id`` and ``name``; one row for each artist that somebody listened to.
    taggings : DataFrame
        Columns ``user_id``, ``id``, ``tag``: who gave which artist which tag, each once. Only
        artists of the table; none where the source has no tags.
    friends : DataFrame
        Columns ``user_id``, ``friend_id``, each pair in both directions; none where the source has
        no friends.
    """

    source_name: str
    plays: pd.DataFrame
    artists: pd.DataFrame
    taggings: pd.DataFrame
    friends: pd.DataFrame


def load_artists(source: DataSource) -> ArtistListening:
    """Load who listened to which artist.

    Parameters
    ----------
    source : DataSource
        In its folder ``users``, ``hetrec2011-lastfm-2k``, unpacked or with the archive
        ``hetrec2011-lastfm-2k.zip`` in it or beside it, comes first. Else the listeners of
        :func:`aares.data.load_listening` serve: the artists of their songs, without tags and
        friends; `ArtistListening.source_name` says which.

    Returns
    -------
    ArtistListening

    Raises
    ------
    DataError
        A file is missing or not what the archive's ``readme.txt`` describes.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> texts = {
    ...     "user_artists.dat": "userID\\tartistID\\tweight\\n2\\t51\\t13883\\n4\\t51\\t7\\n",
    ...     "artists.dat": "id\\tname\\turl\\n51\\tDuran Duran\\thttp://www.last.fm\\n",
    ...     "user_taggedartists.dat": "userID\\tartistID\\ttagID\\n4\\t51\\t1\\n",
    ...     "tags.dat": "tagID\\ttagValue\\n1\\tnew wave\\n",
    ...     "user_friends.dat": "userID\\tfriendID\\n2\\t4\\n4\\t2\\n",
    ... }
    >>> with TemporaryDirectory() as users:
    ...     (Path(users) / HETREC).mkdir()
    ...     for name, text in texts.items():
    ...         _ = (Path(users) / HETREC / name).write_text(text)
    ...     listening = load_artists(DataSource("course", Path(users), Path(users)))
    >>> listening.source_name
    '2 listeners of Last.fm (HetRec 2011)'
    >>> listening.taggings.to_numpy().tolist(), len(listening.friends)
    ([['4', '51', 'new wave']], 2)
    """
    folder = source.users / HETREC
    if (archive := _find_archive(folder)) is not None:
        return _arrange(_read_archive(archive))
    if folder.is_dir():
        return _arrange({name: _read_table(read_text(folder / name), name) for name in FILES})
    return _count_artists(source)


def _find_archive(folder: Path) -> Path | None:
    places = (folder / f"{HETREC}.zip", folder.with_suffix(".zip"))
    return next((path for path in places if path.exists()), None)


def _read_archive(path: Path) -> Tables:
    try:
        with zipfile.ZipFile(path) as archive:
            inside = {Path(name).name: name for name in archive.namelist()}
            missing = [name for name in FILES if name not in inside]
            if missing:
                raise DataError(f"{path.name}: expected {missing[0]} in it, found none; {AGAIN}")
            raw = {name: archive.read(inside[name]) for name in FILES}
    except (zipfile.BadZipFile, OSError, RuntimeError) as error:
        raise DataError(f"{path.name}: expected a zip archive, found {error}; {AGAIN}") from error
    return {name: _read_table(_decode(content), name) for name, content in raw.items()}


def _decode(raw: bytes) -> str:
    """Return text: of one archive, the names of artists are UTF-8, those of tags Latin-1."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _read_table(text: str, name: str) -> pd.DataFrame:
    """Read a table with tabs between its cells; quotation marks are part of names."""
    header, *lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    columns = FILES[name]
    found = tuple(header.split("\t"))
    if missing := [column for column in columns if column not in found]:
        raise DataError(f"{name}: missing column {missing[0]!r}, found {', '.join(found)}; {AGAIN}")
    rows = [line.split("\t") for line in lines]
    wrong = [number for number, row in enumerate(rows, 1) if len(row) != len(found)]
    if wrong:
        width = len(rows[wrong[0] - 1])
        raise DataError(
            f"{name}, row {wrong[0]}: expected {len(found)} cells between tabs, found {width}; "
            f"{AGAIN}"
        )
    frame = pd.DataFrame(rows, columns=list(found), dtype=str)[list(columns)]
    for column in columns:
        kind: Number | Text = _PLAYS if column == "weight" else _ID
        kind = _NAME if column in ("name", "tagValue") else kind
        frame[column] = kind.parse(frame[column], name_row(name, column))
    return frame


def _arrange(tables: Tables) -> ArtistListening:
    """Bring the tables of the archive to the names of this project, and check their references."""
    names = {"userID": "user_id", "artistID": "id", "weight": "plays", "friendID": "friend_id"}
    plays, artists, taggings, tags, friends = (tables[name].rename(columns=names) for name in FILES)
    _refuse_twice(plays, ["user_id", "id"], "user_artists.dat")
    _refuse_twice(artists, ["id"], "artists.dat")
    _refuse_unknown(plays["id"], artists["id"], "user_artists.dat", "artistID")
    _refuse_unknown(taggings["tagID"], tags["tagID"], "user_taggedartists.dat", "tagID")
    _refuse_unknown(friends["user_id"], plays["user_id"], "user_friends.dat", "userID")
    _refuse_unknown(friends["friend_id"], plays["user_id"], "user_friends.dat", "friendID")
    heard = artists[artists["id"].isin(plays["id"])].reset_index(drop=True)
    named = taggings.assign(tag=taggings["tagID"].map(tags.set_index("tagID")["tagValue"]))
    # Some tags are on artists that nobody listened to: these cannot be recommended.
    of_heard = named["id"].isin(heard["id"]) & named["user_id"].isin(plays["user_id"])
    return ArtistListening(
        f"{plays['user_id'].nunique():,} listeners of Last.fm (HetRec 2011)",
        plays,
        heard,
        named.loc[of_heard, ["user_id", "id", "tag"]].drop_duplicates(ignore_index=True),
        friends.drop_duplicates(ignore_index=True),
    )


def _refuse_twice(table: pd.DataFrame, columns: list[str], name: str) -> None:
    again = table.duplicated(columns).to_numpy()
    if again.any():
        row = int(again.argmax())
        cells = ", ".join(table[columns].iloc[row])
        raise DataError(f"{name}, row {row + 1}: {cells} stands a second time; keep one of them")


def _refuse_unknown(values: pd.Series, known: pd.Series, name: str, column: str) -> None:
    unknown = (~values.isin(known)).to_numpy()
    if unknown.any():
        row = int(unknown.argmax())
        where: Callable[[int], str] = name_row(name, column)
        raise DataError(f"{where(row)}: {values.iloc[row]!r} is in no other table; {AGAIN}")


def _count_artists(source: DataSource) -> ArtistListening:
    """Count the plays of each artist where only songs are known."""
    listening = load_listening(source)
    songs = listening.songs[["id", "artist"]]
    plays = listening.plays.merge(songs, on="id")
    counted = plays.groupby(["user_id", "artist"])["plays"].sum().reset_index()
    names = counted["artist"].drop_duplicates().sort_values().to_numpy()
    return ArtistListening(
        f"the artists of {listening.source_name}, without tags and friends",
        counted.set_axis(["user_id", "id", "plays"], axis=1),
        pd.DataFrame({"id": names, "name": names}),
        pd.DataFrame({"user_id": [], "id": [], "tag": []}, dtype=str),
        pd.DataFrame({"user_id": [], "friend_id": []}, dtype=str),
    )
