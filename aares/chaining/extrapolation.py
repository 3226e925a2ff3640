"""From a few seconds to a catalogue: what the study's slides on time conclude, and what they omit.

Used by notebook 06. The times come from ``benchmarks/chainable.py``; nothing here reads a clock.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CATALOGUE = 40_000_000  # songs, on slide 17
DAY_S = 86_400.0


@dataclass(frozen=True)
class Line:
    """A straight line through times, and how far they are from it.

    Parameters
    ----------
    slope : float
        Seconds for each more.
    intercept : float
        Seconds for none.
    residual : float
        Root mean square distance of the times from the line, in seconds.
    """

    slope: float
    intercept: float
    residual: float


def fit_line(n: npt.ArrayLike, seconds: npt.ArrayLike) -> Line:
    """Fit a line to times by least squares.

    Parameters
    ----------
    n : array-like of float, shape (k,)
        Numbers of songs or pairs, at least two different ones.
    seconds : array-like of float, shape (k,)

    Returns
    -------
    Line

    Raises
    ------
    ValueError
        Fewer than two different numbers, or another number of times.

    Examples
    --------
    The slides' own times of extraction: 0.57 s a song, and an error of a second.

    >>> line = fit_line([10, 50, 100], [5.5, 31, 57])
    >>> round(line.slope, 2), round(line.intercept, 1), round(line.residual, 1)
    (0.57, 0.8, 1.2)
    """
    x, y = np.asarray(n, dtype=np.float64), np.asarray(seconds, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"expected a time for each number, found shapes {x.shape} and {y.shape}")
    if len(np.unique(x)) < 2:
        raise ValueError(f"expected two different numbers at least, found {np.unique(x).tolist()}")
    gap = x - x.mean()
    slope = float((gap * (y - y.mean())).sum() / (gap * gap).sum())
    intercept = float(y.mean() - slope * x.mean())
    residual = float(np.sqrt(np.mean((y - intercept - slope * x) ** 2)))
    return Line(slope, intercept, residual)


@dataclass(frozen=True)
class Extrapolation:
    """What a catalogue costs, on one core.

    Parameters
    ----------
    n_songs : int
    n_pairs : float
        All pairs of different songs, in one order.
    extraction_days, all_pairs_days, candidates_days : float
        Features of all songs; distances of all pairs; distances of each song's candidates.
    """

    n_songs: int
    n_pairs: float
    extraction_days: float
    all_pairs_days: float
    candidates_days: float


def extrapolate(
    seconds_a_song: float,
    seconds_a_pair: float,
    *,
    n_songs: int = CATALOGUE,
    n_candidates: int = 200,
) -> Extrapolation:
    """Return what a catalogue costs at a measured speed.

    The slides count extraction alone. All pairs grow with the square of the songs: 8e14 of 40
    million. So candidates come first (nearest neighbours), and only they meet a model of joins.

    Parameters
    ----------
    seconds_a_song, seconds_a_pair : float
        Not negative, on one core.
    n_songs : int
        At least 1; default the slides' catalogue.
    n_candidates : int
        Songs that each song is compared with where candidates come first.

    Returns
    -------
    Extrapolation

    Raises
    ------
    ValueError
        A time is negative, or there is no song.

    Examples
    --------
    The slides' 277 days are 0.6 s a song.

    >>> found = extrapolate(0.6, 20e-9)
    >>> round(found.extraction_days), f"{found.n_pairs:.0e}", round(found.all_pairs_days)
    (278, '8e+14', 185)
    """
    if not (seconds_a_song >= 0 and seconds_a_pair >= 0):
        raise ValueError(
            f"expected times that are not negative, found {seconds_a_song} and {seconds_a_pair}"
        )
    if n_songs < 1 or n_candidates < 0:
        raise ValueError(f"expected songs, found {n_songs} and {n_candidates} candidates")
    n_pairs = n_songs * (n_songs - 1) / 2
    return Extrapolation(
        n_songs,
        n_pairs,
        n_songs * seconds_a_song / DAY_S,
        n_pairs * seconds_a_pair / DAY_S,
        n_songs * min(n_candidates, n_songs - 1) * seconds_a_pair / DAY_S,
    )
