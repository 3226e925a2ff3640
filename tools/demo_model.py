"""Columns, transforms and file of the statistical model behind the demo tables.

The model holds aggregates only: quantile functions, correlation matrices, category shares,
co-occurrence counts of micro-genres. It is fitted on the course's tables by ``demo_fit`` and
sampled by ``demo_tables``; no row of the course's files can be rebuilt from it.

Conventions
-----------
Every song is a vector of ``len(COLUMNS)`` normal scores; the quantile function of its class
turns each score into a value. Classes are the 22 labels of exercise 1, ``none`` (micro-genres
without a keyword), ``empty`` (no micro-genre) and, in the recommendation table, ``spoken``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.stats import norm

MODEL_FILE = Path(__file__).with_name("demo_model.npz")
# The rule that made the course's labels: for each micro-genre, in this order, the first keyword
# that it contains. 'trap' contains 'rap', hence 22 labels for 23 keywords.
KEYWORDS = (
    "r&b rap classical salsa edm hip_hop trap techno jazz metal country rock reggae latin "
    "disco soul chanson blues electro punk folk pop dance"
).split()
KEYWORDS = [word.replace("_", " ") for word in KEYWORDS]
CLASSES = [word for word in KEYWORDS if word != "trap"] + ["none", "empty", "spoken"]
# (column, how its quantile function is stored)
KINDS = {
    "year": "integer",
    "date_kind": "category",
    "popularity": "integer",
    "explicit": "category",
    "mode": "category",
    "time_signature": "category",
    "danceability": "plain",
    "energy": "plain",
    "loudness": "plain",
    "speechiness": "log",
    "acousticness": "log",
    "instrumentalness": "log",
    "liveness": "log",
    "valence": "plain",
    "tempo": "plain",
    "duration_ms": "log",
}
COLUMNS = list(KINDS)
CATEGORIES = {"date_kind": 4, "explicit": 2, "mode": 2, "time_signature": 6}
UNIT = (
    "danceability",
    "energy",
    "speechiness",
    "acousticness",
    "instrumentalness",
    "liveness",
    "valence",
)
LOG_FLOOR = 1e-7
FIRST_YEAR, LAST_YEAR = 1900, 2022
ERAS = 20  # of four years each, the first before 1950
GRID = np.r_[0, 0.002, 0.005, 0.01, np.linspace(0.02, 0.98, 65), 0.99, 0.995, 0.998, 1]


def label_genres(genres: Sequence[str]) -> str | None:
    """Return the course's label of an artist.

    Parameters
    ----------
    genres : sequence of str
        Micro-genres of the artist, in the order of the list.

    Returns
    -------
    str or None
        First keyword found, or None where no micro-genre contains one.
    """
    for genre in genres:
        for word in KEYWORDS:
            if word in genre:
                return word
    return None


def find_era(year: np.ndarray) -> np.ndarray:
    """Return the number of the four-year era of each year."""
    return np.clip((year - 1946) // 4, 0, ERAS - 1)


def stretch(values: np.ndarray, column: str) -> np.ndarray:
    """Map a column to the scale on which its quantile function is close to linear."""
    if KINDS[column] == "log":
        return np.log10(np.maximum(values, LOG_FLOOR))
    return np.asarray(values, dtype=float)


def unstretch(values: np.ndarray, column: str) -> np.ndarray:
    """Undo `stretch` and round as the course's files do.

    Features between 0 and 1 carry three significant digits, loudness and tempo three decimals.
    """
    if KINDS[column] == "integer":
        return np.floor(values).astype(int)
    if column == "duration_ms":
        return np.round(10**values).astype(int)
    if KINDS[column] == "log":
        values = 10**values
        values = np.where(values < 1e-6, 0.0, values)
    if column in UNIT:
        return round_significant(np.clip(values, 0, 1))
    return np.round(values, 3)


def round_significant(values: np.ndarray, digits: int = 3) -> np.ndarray:
    """Round to significant digits, so that the shortest decimal text is exact."""
    return np.array([float(f"{value:.{digits}g}") for value in values])


def to_values(scores: np.ndarray, table: np.ndarray, column: str) -> np.ndarray:
    """Turn normal scores into values of a column.

    Parameters
    ----------
    scores : np.ndarray [shape=(n,)]
        Normal scores.
    table : np.ndarray [shape=(len(GRID),)]
        Quantile function on `GRID` (stretched), or cumulated shares of the categories.
    column : str
        One of `COLUMNS`.

    Returns
    -------
    np.ndarray [shape=(n,)]
        Values, rounded as in the course's files.
    """
    share = norm.cdf(scores)
    if KINDS[column] == "category":
        return np.searchsorted(table[: CATEGORIES[column] - 1], share, side="right")
    return unstretch(np.interp(share, GRID, table), column)


def repair_correlation(matrix: np.ndarray, floor: float = 0.02) -> np.ndarray:
    """Return the nearby correlation matrix whose eigenvalues are at least `floor`."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    fixed = (vectors * np.maximum(values, floor)) @ vectors.T
    scale = np.sqrt(np.diag(fixed))
    return fixed / np.outer(scale, scale)


def load_model(path: Path = MODEL_FILE) -> dict[str, np.ndarray]:
    """Load the fitted aggregates."""
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}
