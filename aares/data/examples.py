"""Songs of plain, valid values, for examples and tests."""

from __future__ import annotations

from typing import Any

import pandas as pd

from aares.data.schemas import SCHEMAS

_SONG: dict[str, Any] = {
    "artist": "Ann",
    "artist_name": "Ann",
    "artists": ("Ann",),
    "track_name": "Harbour",
    "name": "Harbour",
    "genre": "pop",
    "genres": ("pop",),
    "release_date": "1999",
    "year": 1999,
    "explicit": False,
    "popularity": 50,
    "danceability": 0.5,
    "energy": 0.5,
    "key": 0,
    "loudness": -8.0,
    "mode": 1,
    "speechiness": 0.05,
    "acousticness": 0.2,
    "instrumentalness": 0.0,
    "liveness": 0.1,
    "valence": 0.5,
    "tempo": 120.0,
    "duration_ms": 200_000,
    "time_signature": 4,
}


def make_songs(table: str, n: int, **cells: Any) -> pd.DataFrame:
    """Make songs that are alike in all but what is given.

    Parameters
    ----------
    table : {"train", "test", "subset", "recommendation"}
        Whose columns the songs have.
    n : int
    **cells : value or sequence of values
        Column -> a value for all songs, or one for each; also of a column that is not the table's.

    Returns
    -------
    DataFrame, shape (n, n_columns)
        As the loader returns it; the ids are ``s0``, ``s1``, ...

    Examples
    --------
    >>> songs = make_songs("subset", 2, energy=[0.2, 0.9], genres=[("jazz",), ()])
    >>> songs[["id", "genres", "energy", "key"]]
       id   genres  energy  key
    0  s0  (jazz,)     0.2    0
    1  s1       ()     0.9    0
    """
    rows: dict[str, Any] = {name: [_SONG.get(name)] * n for name in SCHEMAS[table]}
    if "id" in rows:
        rows["id"] = [f"s{row}" for row in range(n)]
    return pd.DataFrame(rows).assign(**cells)
