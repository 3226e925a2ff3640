"""How alike the popularity of the songs of one artist is: the intraclass correlation (exercise 2).

Used by notebook ``02_popularity`` through :mod:`aares.popularity.evidence`.

References
----------
Fisher, "Statistical methods for research workers", 1925: chapter 7.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from aares.data.door import read_table
from aares.popularity.rows import FloatArray


def measure_likeness(df: pd.DataFrame, column: str) -> float:
    """Return the intraclass correlation: how alike two songs of one group are in popularity.

    Unlike eta squared it does not grow with the number of groups: without any likeness it is 0.

    Parameters
    ----------
    df : DataFrame, shape (n, columns)
        Raw table.
    column : str
        Column that makes the groups, such as ``artist_name``.

    Returns
    -------
    float
        At most 1; NaN if no group has two songs, or all are equally popular.

    Examples
    --------
    >>> songs = pd.DataFrame({"artist_name": ["Ann", "Ann", "Bo", "Bo"]})
    >>> measure_likeness(songs.assign(popularity=[10, 10, 60, 60]), "artist_name")
    1.0
    >>> round(measure_likeness(songs.assign(popularity=[10, 20, 30, 40]), "artist_name"), 2)
    0.78
    """
    size, means, squares = describe_groups(df, column).to_numpy(float).T
    return float(compute_likeness(size, means, squares, axis=-1))


def describe_groups(df: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return what :func:`compute_likeness` asks of each group.

    Parameters
    ----------
    df : DataFrame
        Songs with ``popularity`` and `column`.
    column : str

    Returns
    -------
    DataFrame, shape (groups, 3)
        ``size``, ``mean`` and ``squares``: the sum of squares around the mean.
    """
    df = read_table(df, [column, "popularity"])
    df = df[df[column] != ""]  # songs whose group is unknown have nothing in common
    groups = df["popularity"].astype(float).groupby(df[column])
    squares = groups.var().fillna(0.0) * (groups.size() - 1)
    return pd.DataFrame({"size": groups.size(), "mean": groups.mean(), "squares": squares})


def compute_likeness(
    size: FloatArray, means: FloatArray, squares: FloatArray, axis: int
) -> FloatArray:
    """Return the intraclass correlation of groups, see :func:`measure_likeness`.

    Parameters
    ----------
    size, means, squares : ndarray of float, shape (..., groups)
        Songs of each group, their mean popularity, and the sum of squares around it.
    axis : int
        That of the groups.

    Returns
    -------
    ndarray of float, shape (...)
    """
    n, k = size.sum(axis=axis), size.shape[axis]
    overall = np.expand_dims((size * means).sum(axis=axis) / n, axis)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (size * (means - overall) ** 2).sum(axis=axis) / (k - 1)
        within = squares.sum(axis=axis) / (n - k)
        typical = (n - (size**2).sum(axis=axis) / n) / (k - 1)
        total = between + (typical - 1) * within
        return np.where(total > 0, (between - within) / total, np.nan)
