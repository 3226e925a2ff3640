"""What is usually handed in, to hold playlists against: cosine on nine standardised features.

Used by notebook ``03_recommendation`` and ``benchmarks/recommend.py eye``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares import exact
from aares.data.door import read_table

NINE = (
    "danceability", "energy", "loudness", "speechiness", "acousticness", "instrumentalness",
    "liveness", "valence", "tempo",
)  # fmt: skip
"""The audio features of a table of songs that are no category."""
GRID_BITS = 20


def list_by_cosine(songs: pd.DataFrame, row: int, n: int = 10) -> npt.NDArray[np.intp]:
    """List the songs with the largest cosine to one on the nine standardised features.

    No rule keeps out copies of the seed, spoken items or ten songs of one artist.

    Parameters
    ----------
    songs : DataFrame
        With the columns :data:`NINE`.
    row : int
        Of the seed.
    n : int
        Number of songs.

    Returns
    -------
    ndarray of int, shape (min(n, len(songs) - 1),)
        Rows, closest first, without the seed; equal cosines in the order of rows.

    Raises
    ------
    ValueError
        There is no such row, or a column or cell is missing or wrong, see
        :func:`aares.data.read_table`.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> songs = make_songs("recommendation", 4, energy=[0.1, 0.9, 0.2, 0.8])
    >>> list_by_cosine(songs, 0, n=2).tolist()
    [2, 1]
    """
    values = read_table(songs, NINE).to_numpy(dtype=float)
    if not 0 <= row < len(values):
        raise ValueError(f"row: expected 0 to {len(values) - 1}, found {row!r}")
    spread = values.std(axis=0)
    centred = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)
    length = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    unit = centred / np.where(length > 0, length, 1)
    cosine = exact.snap(exact.multiply(unit, unit[row][:, None])[:, 0], GRID_BITS)
    order = np.argsort(-cosine, kind="stable")
    return order[order != row][:n]
