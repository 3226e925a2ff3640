"""What a learnt space reads of each song: sound, year, popularity, and how the title is written.

Used by notebook ``03_recommendation`` through :class:`aares.recommend.space.learnt.LearntSpace`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares import exact
from aares.data.dates import parse_dates
from aares.data.door import read_column
from aares.recommend.catalogue import Catalogue
from aares.recommend.space.content import FloatArray, transform_columns

FLAGS = {
    "remaster": r"remaster",
    "live": r"\blive\b|en vivo|ao vivo|en directo",
    "feat": r"\bfeat\b|\bft\b|\bwith\b",
    "mix": r"\b(?:re)?mix",
    "version": r"\bversion\b|\bedit\b",
    "dash": r" - ",
    "bracket": r"[(\[]",
    "number": r"\d",
    "colon": r":",
    "work": r"\b(?:op|no|nr|bwv|kv?|hob|act|scene)\b\.? ?\d",
    "mark": r"[!?\"&/]",
    "apostrophe": r"['’]",
}
"""What a title says beside its words, as patterns of lower case."""

AUDIO = (
    "danceability", "energy", "valence", "loudness", "speechiness", "acousticness",
    "instrumentalness", "liveness", "tempo", "duration_ms", "mode", "key_x", "key_y",
    "instrumental trace", "acoustic trace",
)  # fmt: skip
"""Columns of sound, as :func:`aares.recommend.space.content.transform_columns` names them, and
traces: on a scale of factors, the little that a studio leaves of what is hardly there."""

TRACES = {"instrumental trace": "instrumentalness", "acoustic trace": "acousticness"}
_TRACE_FLOOR = 1e-6
_LAST_ASCII = 0x7F

NO_DAY = -1
"""Where a release date names no day."""


def describe_catalogue(catalogue: Catalogue, eras: npt.ArrayLike | None = None) -> pd.DataFrame:
    """Return what is read of each song but the words of its title.

    Parameters
    ----------
    catalogue : Catalogue
    eras : array-like of float, shape (n,), optional
        Years that replace those of the table; where NaN, the table's count.

    Returns
    -------
    DataFrame of float, shape (n, d)
        NaN where a table does not say.

    Raises
    ------
    ValueError
        `eras` has another length, or a column or cell is wrong, see :func:`aares.data.read_table`.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> from aares.recommend.catalogue import read_catalogue
    >>> songs = make_songs("recommendation", 2, name=["One - Live", "Two"], year=[1990, 2000])
    >>> described = describe_catalogue(read_catalogue(songs), eras=[1988, np.nan])
    >>> described[["live", "year"]].to_numpy().tolist()
    [[1.0, 1988.0], [0.0, 2000.0]]
    """
    songs = catalogue.songs
    table = transform_columns(songs)
    for trace, name in TRACES.items():
        table[trace] = exact.snap(exact.log(read_column(songs, name) + _TRACE_FLOOR), 30)
    table = table[list(AUDIO)]
    table["year"] = read_years(catalogue, eras)
    for name in ("popularity", "explicit"):
        table[name] = read_column(songs, name).astype(float) if name in songs else np.nan
    return table.assign(**_describe_writing(songs["name"].tolist()))


def read_years(catalogue: Catalogue, eras: npt.ArrayLike | None = None) -> FloatArray:
    """Return the year of each song: of `eras`, else ``year``, else the release date's, else NaN.

    Parameters
    ----------
    catalogue : Catalogue
    eras : array-like of float, shape (n,), optional

    Returns
    -------
    ndarray of float, shape (n,)

    Raises
    ------
    ValueError
        `eras` has another length, or a cell is wrong.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> from aares.recommend.catalogue import read_catalogue
    >>> songs = make_songs("recommendation", 2, release_date=["1999-05", ""]).drop(columns="year")
    >>> read_years(read_catalogue(songs)).tolist()
    [1999.0, nan]
    """
    songs = catalogue.songs
    years = np.full(len(songs), np.nan)
    if "year" in songs:
        years = read_column(songs, "year").to_numpy(float)
    elif "release_date" in songs:
        years = parse_dates(songs["release_date"])["year"].to_numpy(float, na_value=np.nan)
    if eras is None:
        return years
    given = np.asarray(eras, dtype=float)
    if given.shape != years.shape:
        raise ValueError(f"eras: expected one year for each of {len(songs)} songs, found shape "
                         f"{given.shape}")  # fmt: skip
    return np.where(np.isfinite(given), given, years)


def read_days(catalogue: Catalogue) -> npt.NDArray[np.int64]:
    """Return the day of each release, counted from 1970, or :data:`NO_DAY`.

    A date of the first of January counts as a year: that is how a year alone is often written.

    Parameters
    ----------
    catalogue : Catalogue
        With ``release_date`` or without.

    Returns
    -------
    ndarray of int, shape (n,)

    Examples
    --------
    >>> from aares.data import make_songs
    >>> from aares.recommend.catalogue import read_catalogue
    >>> songs = make_songs("recommendation", 3, release_date=["1970-01-03", "1970", ""])
    >>> read_days(read_catalogue(songs)).tolist()
    [2, -1, -1]
    """
    songs = catalogue.songs
    days = np.full(len(songs), NO_DAY, dtype=np.int64)
    if "release_date" not in songs:
        return days
    texts = read_column(songs, "release_date").to_numpy(object)
    known = np.array([len(text) == 10 and text[5:] != "01-01" for text in texts], dtype=bool)
    days[known] = np.array(list(texts[known]), dtype="datetime64[D]").astype(np.int64)
    return days


def _describe_writing(names: Sequence[str]) -> dict[str, FloatArray]:
    """Describe titles, all in one text: a loop over its letters is one over letters, not titles."""
    written = _find_flags([str(name).lower() for name in names])
    size = np.array([len(name) for name in names], dtype=np.intp)
    letters = np.frombuffer("".join(names).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    owner = np.repeat(np.arange(len(names)), size)
    capital, is_space = _ask_letters(letters, str.isupper), _ask_letters(letters, str.isspace)
    begins = ~is_space
    begins[1:] &= is_space[:-1] | (owner[1:] != owner[:-1])
    begins &= _ask_letters(letters, str.isalpha)
    foreign, capitals, words, titled = (
        np.bincount(owner[of], minlength=len(names)).astype(float)
        for of in (letters > _LAST_ASCII, capital, begins, begins & capital)
    )
    some = np.maximum(size, 1)
    return written | {
        "length": exact.snap(exact.log(1.0 + size), 30),
        "foreign": foreign / some,
        "capitals": capitals / some,
        "capital words": titled / np.maximum(words, 1),
        "words": words,
    }


def _find_flags(titles: Sequence[str]) -> dict[str, FloatArray]:
    """Return 1 for each of :data:`FLAGS` that a title has; no pattern reaches over a line's end."""
    text = "\n".join(titles)
    starts = np.cumsum([0, *(len(title) + 1 for title in titles)])
    flags: dict[str, FloatArray] = {}
    for flag, pattern in FLAGS.items():
        places = [match.start() for match in re.finditer(pattern, text)]
        flags[flag] = np.zeros(len(titles))
        flags[flag][np.searchsorted(starts, places, side="right") - 1] = 1.0
    return flags


def _ask_letters(
    letters: npt.NDArray[np.uint32], ask: Callable[[str], bool]
) -> npt.NDArray[np.bool_]:
    """Return what is true of each letter, by asking about each different one."""
    count = np.bincount(letters)
    told = np.zeros(len(count), dtype=bool)
    different = np.flatnonzero(count)
    told[different] = [ask(chr(letter)) for letter in different]
    return told[letters]
