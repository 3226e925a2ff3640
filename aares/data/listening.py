"""Who listened to what, for the part of exercise 3 that learns from all users.

Used by notebook ``03_recommendation``. The course has no such table.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from aares.data.cells import name_row
from aares.data.door import parse_columns
from aares.data.schemas import AUDIO_FEATURES, Number, Text
from aares.data.sources import DataSource
from aares.data.tables import load_recommendation, read_text_table
from aares.errors import DataError

PLAYLISTS = "playlists/spotify_songs.csv"
ORDERED = "playlists/polimi2018_playlist_track_pos.csv"
ORDERED_TRACKS = "playlists/polimi2018_tracks.csv"
_NAMED = Text(meaning="an id")
_PLACE, _SECONDS = Number(-1, 1e6, whole=True), Number(0, 1e6)
_OF_SONGS = {
    "track_album_id": "album_id",
    "track_album_release_date": "release_date",
    "track_popularity": "popularity",
}
"""What a song has by itself, where the file tells it; genres there are those of the playlist."""


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
        Columns ``id``, ``name``, ``artist`` and the audio features; one row for each song. Where
        the file has them, ``release_date``, ``popularity`` and ``album_id`` too.
    """

    source_name: str
    plays: pd.DataFrame
    songs: pd.DataFrame


def load_listening(source: DataSource) -> Listening:
    """Load who listened to what.

    Parameters
    ----------
    source : DataSource
        In its folder ``users``, ``playlists/spotify_songs.csv`` (real playlists with audio
        features) comes first: a playlist is a listener. Else the demo's ``listening.csv`` serves;
        `Listening.source_name` says which.

    Returns
    -------
    Listening

    Raises
    ------
    DataError
        Neither is there, or it is not what it should be.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from aares.data.schemas import AUDIO_FEATURES
    >>> from aares.data.sources import DataSource
    >>> song = {"track_id": "s1", "track_name": "Chiquitita", "track_artist": "ABBA"}
    >>> row = dict.fromkeys(AUDIO_FEATURES, 1) | song
    >>> table = pd.DataFrame([row | {"playlist_id": name} for name in ("party", "seventies")])
    >>> with TemporaryDirectory() as folder:
    ...     (Path(folder) / "playlists").mkdir()
    ...     table.to_csv(Path(folder) / "playlists" / "spotify_songs.csv", index=False)
    ...     listening = load_listening(DataSource("course", Path(folder), users=Path(folder)))
    >>> listening.source_name
    '2 real playlists'
    >>> listening.plays
         user_id  id  plays
    0      party  s1      1
    1  seventies  s1      1
    """
    playlists = source.users / PLAYLISTS
    return _load_playlists(playlists) if playlists.exists() else _load_demo(source.users)


def _load_playlists(path: Path) -> Listening:
    features = [name for name in AUDIO_FEATURES if name != "time_signature"]
    columns = ("track_id", "track_name", "track_artist", "playlist_id", *features)
    frame = read_text_table(path, columns)
    for column in ("track_id", "playlist_id"):
        frame[column] = _NAMED.parse(frame[column], name_row(path.name, column))
    frame[features] = parse_columns(frame, features, path.name)
    frame = frame.rename(columns={"track_id": "id", "track_name": "name", "track_artist": "artist"})
    more = [name for name in _OF_SONGS if name in frame]
    frame = frame.rename(columns=_OF_SONGS)
    known = [_OF_SONGS[name] for name in more]
    frame[known] = parse_columns(frame, known, path.name)
    songs = frame.drop_duplicates("id")[["id", "name", "artist", *features, *known]]
    pairs = frame[["playlist_id", "id"]].drop_duplicates()
    plays = pairs.rename(columns={"playlist_id": "user_id"}).assign(plays=1)
    return Listening(
        f"{plays['user_id'].nunique()} real playlists",
        plays.reset_index(drop=True),
        songs.reset_index(drop=True),
    )


def _load_demo(folder: Path) -> Listening:
    path = folder / "listening.csv"
    plays = read_text_table(path, ("user_id", "id", "plays"))
    for column in ("user_id", "id"):
        plays[column] = _NAMED.parse(plays[column], name_row(path.name, column))
    plays["plays"] = Number(1, 1e9, whole=True).parse(plays["plays"], name_row(path.name, "plays"))
    songs = load_recommendation(DataSource("demo", folder, folder))
    songs = songs.assign(artist=songs["artists"].map(lambda names: ", ".join(names)))
    features = [name for name in AUDIO_FEATURES if name in songs]
    return Listening(
        f"{plays['user_id'].nunique()} invented listeners of the demo",
        plays,
        songs[["id", "name", "artist", *features, "release_date", "popularity"]],
    )


def load_ordered(source: DataSource) -> Listening:
    """Load the ordered playlists of people and songs without names (Politecnico di Milano, 2018).

    Parameters
    ----------
    source : DataSource
        Its folder ``users`` has both files of :data:`ORDERED` and :data:`ORDERED_TRACKS`.

    Returns
    -------
    Listening
        ``plays`` has ``user_id``, ``id`` and ``place`` (larger is later; some are left out), by
        playlist and place; ``songs`` has ``id``, ``artist``, ``album_id`` (numbers as text) and
        ``duration_ms``.

    Raises
    ------
    DataError
        A file is not there, or not what it should be.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from aares.data.sources import DataSource
    >>> track = {"track_id": "5", "album_id": "7", "artist_id": "2", "duration_sec": "100"}
    >>> rows = [{"playlist_id": "p", "track_id": "5", "pos": pos} for pos in (3, 0)]
    >>> with TemporaryDirectory() as folder:
    ...     (Path(folder) / "playlists").mkdir()
    ...     pd.DataFrame([track]).to_csv(Path(folder) / ORDERED_TRACKS, index=False)
    ...     pd.DataFrame(rows).to_csv(Path(folder) / ORDERED, index=False)
    ...     load_ordered(DataSource("course", Path(folder), users=Path(folder))).plays
      user_id id  place
    0       p  5      0
    1       p  5      3
    """
    path, about = source.users / ORDERED, source.users / ORDERED_TRACKS
    plays = read_text_table(path, ("playlist_id", "track_id", "pos"))
    songs = read_text_table(about, ("track_id", "artist_id", "album_id", "duration_sec"))
    for frame, name in ((plays, path.name), (songs, about.name)):
        for column in [str(column) for column in frame if str(column).endswith("_id")]:
            frame[column] = _NAMED.parse(frame[column], name_row(name, column))
    plays["pos"] = _PLACE.parse(plays["pos"], name_row(path.name, "pos"))
    seconds = _SECONDS.parse(songs["duration_sec"], name_row(about.name, "duration_sec"))
    songs = songs.assign(duration_ms=1000 * seconds).drop(columns="duration_sec")
    _check_known(plays["track_id"], songs["track_id"], path.name, about.name)
    plays = plays.sort_values(["playlist_id", "pos"], kind="stable", ignore_index=True)
    return Listening(
        f"{plays['playlist_id'].nunique()} ordered playlists",
        plays.rename(columns={"playlist_id": "user_id", "track_id": "id", "pos": "place"}),
        songs.rename(columns={"track_id": "id", "artist_id": "artist"}),
    )


def _check_known(played: pd.Series, known: pd.Series, name: str, about: str) -> None:
    twice, strange = known.duplicated().to_numpy(), ~played.isin(known).to_numpy()
    if twice.any():
        where = name_row(about, "track_id")(int(twice.argmax()))
        raise DataError(f"{where}: {known[twice].iloc[0]!r} stands already above; keep one of them")
    if strange.any():
        where = name_row(name, "track_id")(int(strange.argmax()))
        raise DataError(
            f"{where}: expected a track of {about}, found {played[strange].iloc[0]!r}; the two "
            "files may be of different downloads"
        )
