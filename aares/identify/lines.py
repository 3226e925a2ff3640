"""A recording as it was followed through a long one: its peaks, and where it was when.

Used by :mod:`.following`.

Conventions
-----------
A *time* is of the long recording, a *place* of the recording that is followed, both in seconds. The
tempo is the places that pass in a second; the pitch is the factor of the frequencies.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from aares.identify.catalogue import Part
from aares.identify.evidence import STRENGTH_WEIGHTS
from aares.identify.peaks import BLOCK_FRAMES, HOP_LENGTH, RATE_HZ
from aares.identify.segment import read_bin, read_frame, read_strength

LOOK_S = 6.0  # a look at a place


class Constellation(NamedTuple):
    """The peaks of one recording.

    Parameters
    ----------
    places : ndarray of float, shape (n,)
        Seconds, ascending.
    bins : ndarray of int, shape (n,)
    weights : ndarray of float, shape (n,)
    seconds : float
        Length of the recording.
    """

    places: np.ndarray
    bins: np.ndarray
    weights: np.ndarray
    seconds: float

    def cut(self, start_s: float, end_s: float) -> Constellation:
        """Return the peaks between two places.

        Parameters
        ----------
        start_s, end_s : float

        Returns
        -------
        Constellation
        """
        low, high = np.searchsorted(self.places, (start_s, end_s))
        part = slice(low, high)
        return Constellation(self.places[part], self.bins[part], self.weights[part], self.seconds)


def read_constellation(part: Part, row: int) -> Constellation:
    """Read the peaks of a recording from its part of the catalogue.

    Parameters
    ----------
    part : Part
    row : int
        Of the recording in the part.

    Returns
    -------
    Constellation

    Examples
    --------
    Twelve peaks in each of three blocks of 1.02 s.

    >>> from aares.identify.catalogue import Settings, fingerprint, make_part
    >>> y = np.random.default_rng(0).standard_normal(3 * 8000, dtype=np.float32)
    >>> stars = read_constellation(make_part([fingerprint("a", y, Settings())], 0), 0)
    >>> len(stars.places), stars.seconds, bool(0 < stars.places[0] < stars.places[-1] < 3)
    (36, 3.0, True)
    """
    counts, words = part.read_peaks(row)
    block = np.repeat(np.arange(len(counts)), counts)
    frames = block * BLOCK_FRAMES + read_frame(words)
    order = np.argsort(frames, kind="stable")
    return Constellation(
        (frames * (HOP_LENGTH / RATE_HZ))[order],
        read_bin(words).astype(np.int64)[order],
        np.array(STRENGTH_WEIGHTS)[read_strength(words)][order],
        part.recordings[row].seconds,
    )


class Knot(NamedTuple):
    """Where a recording is at a moment.

    Parameters
    ----------
    time_s, place_s, tempo, pitch : float
        See the conventions of the module.
    score : float
        Evidence within three seconds: about 1 where the recording does not play.
    """

    time_s: float
    place_s: float
    tempo: float
    pitch: float
    score: float

    def predict(self, time_s: float) -> float:
        """Return the place at another time, if the tempo stays.

        Parameters
        ----------
        time_s : float

        Returns
        -------
        float
        """
        return self.place_s + (time_s - self.time_s) * self.tempo


@dataclass
class Line:
    """A recording as it was followed.

    Parameters
    ----------
    song : str
    stars : Constellation
    knots : list of Knot
        In the order of time.
    p_false : float
        Of the search that recognised it.
    start_s, end_s : float
        As far as the evidence goes.
    twins : list of str
        Recordings with the same peaks.
    is_open : bool
        It may go on.
    is_begun, is_settled : bool
        Its start, or its end, is known as well as it can be.
    """

    song: str
    stars: Constellation
    knots: list[Knot]
    p_false: float
    start_s: float = 0.0
    end_s: float = 0.0
    twins: list[str] = field(default_factory=list)
    is_open: bool = True
    is_begun: bool = False
    is_settled: bool = False

    @property
    def evidence(self) -> float:
        """Return the sum of the scores.

        Returns
        -------
        float
        """
        return sum(knot.score for knot in self.knots)

    def place(self, time_s: float) -> float:
        """Return the place at a time, between the looks and beyond them.

        Parameters
        ----------
        time_s : float

        Returns
        -------
        float
        """
        return float(self._place(np.array([time_s]))[0])

    def _place(self, times_s: np.ndarray) -> np.ndarray:
        times, places = (np.array([k[i] for k in self.knots]) for i in (0, 1))
        inside = np.interp(times_s, times, places)
        before = np.minimum(times_s - times[0], 0) * self.knots[0].tempo
        return np.asarray(
            inside + before + np.maximum(times_s - times[-1], 0) * self.knots[-1].tempo
        )

    def time(self, places_s: np.ndarray) -> np.ndarray:
        """Return the times at which places are reached.

        Parameters
        ----------
        places_s : ndarray of float, shape (n,)

        Returns
        -------
        ndarray of float, shape (n,)
        """
        times, places = (np.array([k[i] for k in self.knots]) for i in (0, 1))
        inside = np.interp(places_s, places, times)
        before = np.minimum(places_s - places[0], 0) / self.knots[0].tempo
        return np.asarray(
            inside + before + np.maximum(places_s - places[-1], 0) / self.knots[-1].tempo
        )

    @property
    def tempo(self) -> float:
        """Return the mean tempo.

        Returns
        -------
        float
        """
        times, places = (np.array([k[i] for k in self.knots]) for i in (0, 1))
        if times[-1] - times[0] < 2 * LOOK_S:
            return float(np.median([knot.tempo for knot in self.knots]))
        return float(np.polyfit(times, places, 1)[0])
