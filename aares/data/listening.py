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

PLAYLISTS = "playlists/spotify_songs.csv"
_NAMED = Text(meaning="an id")


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
    songs = frame.drop_duplicates("id")[["id", "name", "artist", *features]]
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
        songs[["id", "name", "artist", *features]],
    )
