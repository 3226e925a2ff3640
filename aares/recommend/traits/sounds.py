"""Rows that measure the same: one recording under whatever names.

Used by notebook ``03_recommendation`` through :func:`aares.recommend.traits.traits.read_traits`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree

from aares.recommend.catalogue import Catalogue

IntArray = npt.NDArray[np.intp]

SHARES = (
    "danceability", "energy", "speechiness", "acousticness", "instrumentalness", "liveness",
    "valence",
)  # fmt: skip
"""Measures of 0-1 that tell sounds apart, beside duration, tempo and loudness."""

DURATION_MS, TEMPO, SHARE = 3000.0, 0.5, 0.02
"""How far two measurements of one sound may lie apart: releases fade and are trimmed."""

ENOUGH = 6
"""So many of the seven shares and the loudness must agree: a re-issue may move one or two."""

_SLACK = 1 + 1e-9  # a difference of exactly 0.02 counts, in whatever way it is rounded


def find_same_sounds(catalogue: Catalogue, *, enough: int = ENOUGH) -> IntArray:
    """Find the pairs of rows with the same sound.

    Parameters
    ----------
    catalogue : Catalogue
    enough : int
        How many of the seven shares and the loudness must agree.

    Returns
    -------
    ndarray of int, shape (pairs, 2)
        Row numbers, the lower first, in order.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> from aares.recommend.catalogue import read_catalogue
    >>> songs = make_songs("recommendation", 3, energy=[0.5, 0.51, 0.9], tempo=[100, 100.4, 100])
    >>> songs = songs.assign(valence=[0.5, 0.5, 0.9], danceability=[0.5, 0.5, 0.9])
    >>> find_same_sounds(read_catalogue(songs)).tolist()
    [[0, 1]]
    """
    songs = catalogue.songs
    frame = songs[["duration_ms", "tempo"]].to_numpy(float) / (DURATION_MS, TEMPO)
    pairs = cKDTree(frame).query_pairs(_SLACK, p=np.inf, output_type="ndarray")
    first, second = pairs[:, 0], pairs[:, 1]
    agree = _are_close(songs["loudness"], first, second).astype(np.int8)
    for name in SHARES:
        agree += _are_close(songs[name], first, second)
    same = np.sort(pairs[agree >= enough], axis=1).astype(np.intp)
    return same[np.lexsort((same[:, 1], same[:, 0]))]


def _are_close(column: pd.Series, first: IntArray, second: IntArray) -> npt.NDArray[np.bool_]:
    values = column.to_numpy(float) / (SHARE * _SLACK)
    return np.asarray(np.abs(values[first] - values[second]) <= 1)
