"""What it costs to play one song right after another, and where an arc wants a song.

Costs for :mod:`.order`. A jump in tempo, key, loudness or energy is what a listener notices when a
song begins; each is counted in units of what is noticed at all.

References
----------
The Camelot wheel is Mark Davis's numbering of the circle of fifths for disc jockeys.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from aares.data.door import read_table

FloatArray = npt.NDArray[np.floating]

SOUNDS = ("tempo", "key", "mode", "loudness", "energy")
"""Columns that a transition is heard in, in the order of an array of them."""

TEMPO_STEP = 0.1
KEY_STEP = 2.0
LOUDNESS_STEP_DB = 6.0
ENERGY_STEP = 0.25
"""What a listener begins to notice: one unit of cost. Conventions of this project, not measured."""
FARTHEST = 2.0  # beyond two units a jump is a jump, and no other column may pay for it

ARCS = ("rise", "fall", "wave")
ARC_WEIGHT = 4.0
"""Units of cost of a song at the wrong end of an arc: as much as four steps that are noticed."""


def measure_transitions(songs: pd.DataFrame | FloatArray) -> FloatArray:
    """Return what it costs to play one song right after another.

    The sum of four jumps, each in units of what a listener begins to notice and two at most: tempo
    (10 %; half and double are the same beat), key (two steps on the Camelot wheel), loudness (6 dB)
    and energy (0.25). A tempo of 0 means that no beat was found: nothing jumps there.

    Parameters
    ----------
    songs : DataFrame, shape (n, columns), or ndarray of float, shape (n, 5)
        With ``tempo`` (beats per minute), ``key`` (0-11), ``mode`` (1 major, 0 minor), ``loudness``
        (dB) and ``energy`` (0-1); an array has these columns, :data:`SOUNDS`, of a table that was
        read already, and takes a tenth of the time.

    Returns
    -------
    ndarray of float, shape (n, n)
        0-8, symmetric.

    Raises
    ------
    DataError
        A column is missing, or a cell is missing or no such number.
    ValueError
        An array has other columns, or a cell is not finite.

    Examples
    --------
    A beat of 60 is one of 120; A minor is the relative of C major, one step away of the two that
    are noticed; 3 dB are half of six.

    >>> songs = pd.DataFrame({"tempo": [60.0, 120.0], "key": [0, 9], "mode": [1, 0]})
    >>> measure_transitions(songs.assign(loudness=[-6.0, -9.0], energy=0.5)).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    tempo, key, mode, loudness, energy = _read_sounds(songs).T
    jumps = (
        compare_tempos(tempo) / np.log2(1 + TEMPO_STEP),
        count_key_steps(key, mode) / KEY_STEP,
        np.abs(loudness[:, None] - loudness) / LOUDNESS_STEP_DB,
        np.abs(energy[:, None] - energy) / ENERGY_STEP,
    )
    # Rounded, so that the last digit of a logarithm decides no tie.
    return np.sum([np.minimum(jump, FARTHEST) for jump in jumps], axis=0).round(9)


def _read_sounds(songs: pd.DataFrame | FloatArray) -> FloatArray:
    if not isinstance(songs, np.ndarray):
        return read_table(songs, SOUNDS).to_numpy(float)
    if songs.ndim != 2 or songs.shape[1] != len(SOUNDS) or songs.dtype.kind not in "fiu":
        expected = f"expected numbers of the shape (n, {len(SOUNDS)}): {', '.join(SOUNDS)}"
        raise ValueError(f"songs: {expected}; found {songs.dtype} of the shape {songs.shape}")
    bad = np.argwhere(~np.isfinite(songs))
    if len(bad):
        row, column = bad[0]
        found = f"found {songs[row, column]} in column {SOUNDS[column]!r}, row {row}"
        raise ValueError(f"songs: expected finite numbers, {found}")
    return songs.astype(float)


def compare_tempos(tempo: FloatArray) -> FloatArray:
    """Return how far apart tempos are, in octaves, half and double tempo being the same.

    Parameters
    ----------
    tempo : ndarray of float, shape (n,)
        Beats per minute; 0 where no beat was found, which is far from nothing.

    Returns
    -------
    ndarray of float, shape (n, n)
        0-0.5.

    Examples
    --------
    >>> compare_tempos(np.array([90.0, 180.0, 0.0])).tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    found = tempo > 0
    octaves = np.log2(np.where(found, tempo, 1.0))
    apart = np.abs(octaves[:, None] - octaves) % 1.0
    return np.where(found[:, None] & found, np.minimum(apart, 1.0 - apart), 0.0)


def count_key_steps(key: FloatArray, mode: FloatArray) -> FloatArray:
    """Count the steps between keys on the Camelot wheel.

    A step goes to the neighbour on the circle of fifths, or from a key to its relative.

    Parameters
    ----------
    key : ndarray of float, shape (n,)
        Pitch class, 0 (C) to 11 (B).
    mode : ndarray of float, shape (n,)
        1 major, 0 minor.

    Returns
    -------
    ndarray of float, shape (n, n)
        0-7.

    Examples
    --------
    C major to G major, A minor and F sharp major:

    >>> count_key_steps(np.array([0, 7, 9, 6]), np.array([1, 1, 0, 1]))[0].tolist()
    [0.0, 1.0, 1.0, 6.0]
    """
    hours = 7 * np.where(mode == 1, key, key + 3) % 12
    apart = np.abs(hours[:, None] - hours)
    return np.minimum(apart, 12 - apart) + (mode[:, None] != mode).astype(float)


def place_arc(intensity: FloatArray, arc: str) -> FloatArray:
    """Return what it costs to play each song at each position of an arc.

    Parameters
    ----------
    intensity : ndarray of float, shape (n,)
        Of each song, such as its energy; only its rank counts.
    arc : {"rise", "fall", "wave"}
        Calm to intense, intense to calm, or up to a peak in the middle and down again.

    Returns
    -------
    ndarray of float, shape (n, n)
        Songs by positions, 0 to :data:`ARC_WEIGHT`.

    Raises
    ------
    ValueError
        Unknown `arc`.

    Examples
    --------
    >>> place_arc(np.array([0.9, 0.1]), "rise").tolist()
    [[4.0, 0.0], [0.0, 4.0]]
    """
    if arc not in ARCS:
        raise ValueError(f"arc: expected one of {', '.join(ARCS)}, found {arc!r}")
    n = len(intensity)
    if n < 2:
        return np.zeros((n, n))
    rank = (rankdata(intensity) - 1.0) / (n - 1)
    return (ARC_WEIGHT * np.abs(rank[:, None] - _rank_heights(n, arc))).round(9)


@cache
def _rank_heights(n: int, arc: str) -> FloatArray:
    """Return the rank, 0-1, that an arc wants at each of n positions, at least two."""
    steps = np.linspace(0.0, 1.0, n)
    height = {"rise": steps, "fall": 1.0 - steps, "wave": 1.0 - np.abs(2.0 * steps - 1.0)}[arc]
    return (rankdata(height) - 1.0) / (n - 1)
