"""What the data at hand are, held against what the assignment describes.

Used by the heads of the notebooks and by the report: whoever reads a result has to know when a table
is not the course's own, when listeners are none, or when songs are missing. Every sentence is made
from the files that are found; only the sizes of the course's files are known beforehand.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence

import pandas as pd

from aares.data.listening import PLAYLISTS, load_listening
from aares.data.sources import DataSource
from aares.data.tables import load_recommendation

N_RECOMMENDATION = 174_389
"""Songs in the course's table of exercise 3."""
N_SONGS = 13
"""Recordings in the course's folder of exercise 4."""
_MANY = 5_000  # songs from which a first letter that never occurs is no accident


def describe_recommendation(source: DataSource) -> str:
    """Say which songs exercise 3 recommends from.

    Parameters
    ----------
    source : DataSource

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> from aares.data.provenance import describe_songs_table
    >>> songs = pd.DataFrame({"name": ["Blue", "Red"], "popularity": [40, 70]})
    >>> print(describe_songs_table(songs))
    The table of exercise 3 is a stand-in with the columns of the course's: 2 songs where the \
course's has 174,389, with a popularity of 40 and more.
    """
    if source.kind == "demo":
        return "The songs of exercise 3 are invented, too."
    return describe_songs_table(load_recommendation(source))


def describe_songs_table(songs: pd.DataFrame) -> str:
    """Say how a table of exercise 3 differs from the course's.

    Parameters
    ----------
    songs : DataFrame
        ``name`` and ``popularity``.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> songs = pd.DataFrame({"name": ["Blue"], "popularity": [0]})
    >>> describe_songs_table(songs.loc[[0] * 174_389])
    'The table of exercise 3 has all 174,389 songs of the course.'
    """
    if len(songs) == N_RECOMMENDATION:
        return f"The table of exercise 3 has all {N_RECOMMENDATION:,} songs of the course."
    lacks = []
    if (least := int(songs["popularity"].min())) > 0:
        lacks.append(f"with a popularity of {least} and more")
    if missing := _find_missing_initials(songs["name"]):
        lacks.append(f"none with a title that begins with {missing}")
    return (
        "The table of exercise 3 is a stand-in with the columns of the course's: "
        f"{len(songs):,} songs where the course's has {N_RECOMMENDATION:,}"
        + "".join(f", {lack}" for lack in lacks)
        + "."
    )


def _find_missing_initials(titles: pd.Series) -> str:
    """Return the letters with which no title of many begins, and digits, as a list in words."""
    if len(titles) < _MANY:
        return ""
    found = set(titles.str.strip().str[:1].str.lower())
    missing = [letter for letter in string.ascii_lowercase if letter not in found]
    return join_words([*missing, *([] if found & set(string.digits) else ["a digit"])], last="or")


def describe_listeners(source: DataSource) -> str:
    """Say who the listeners of exercise 3 are.

    Parameters
    ----------
    source : DataSource

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from aares.data.schemas import AUDIO_FEATURES
    >>> song = {"track_id": "s1", "track_name": "Chiquitita", "track_artist": "ABBA"}
    >>> row = dict.fromkeys(AUDIO_FEATURES, 1) | song
    >>> table = pd.DataFrame([row | {"playlist_id": name} for name in ("party", "seventies")])
    >>> with TemporaryDirectory() as folder:
    ...     (Path(folder) / "playlists").mkdir()
    ...     table.to_csv(Path(folder) / "playlists" / "spotify_songs.csv", index=False)
    ...     print(describe_listeners(DataSource("course", Path(folder), users=Path(folder))))
    The course has no listeners: 2 real playlists stand for them, each for one.
    """
    name = load_listening(source).source_name
    if (source.users / PLAYLISTS).is_file():
        return f"The course has no listeners: {name} stand for them, each for one."
    return f"The course has no listeners: {name} stand for them."


def describe_recordings(source: DataSource) -> str:
    """Say how many of the course's recordings are at hand for exercises 4 and 5.

    Parameters
    ----------
    source : DataSource

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     (Path(folder) / "songs").mkdir()
    ...     (Path(folder) / "songs" / "a.mp3").touch()
    ...     describe_recordings(DataSource("course", Path(folder), users=Path(folder)))
    "1 of the course's 13 songs was at hand for exercises 4 and 5."
    """
    n = len(source.list_songs())
    if source.kind == "demo":
        return (
            f"The {n} songs of exercises 4 and 5 are pieces in the public domain, rendered by this "
            "project."
        )
    if n == N_SONGS:
        return f"All {n} songs of the course were at hand for exercises 4 and 5."
    if n > N_SONGS:
        return f"{n} songs were at hand for exercises 4 and 5, where the course has {N_SONGS}."
    verb = "was" if n == 1 else "were"
    return f"{n} of the course's {N_SONGS} songs {verb} at hand for exercises 4 and 5."


def join_words(words: Sequence[str], *, last: str = "and") -> str:
    """Write a list in words.

    Parameters
    ----------
    words : sequence of str
    last : str
        Before the last word.

    Returns
    -------
    str

    Examples
    --------
    >>> join_words(["a", "l", "t"], last="or"), join_words(["a"])
    ('a, l or t', 'a')
    """
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


DESCRIBE: dict[str, Callable[[DataSource], str]] = {
    "recommendation": describe_recommendation,
    "listeners": describe_listeners,
    "songs": describe_recordings,
}
"""What a notebook can name as its data, and who says what these are."""
