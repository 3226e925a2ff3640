"""What is computed of an excerpt once, whatever it is compared with.

Used by notebook 04 through :class:`aares.identify.Index`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from aares.identify import pairs, peaks
from aares.identify.evidence import Evidence, measure_own, weigh_evidence
from aares.identify.traits import Traits, measure_traits
from fingerprint import check_signal

QUERY_S = 15.0  # a longer excerpt is looked at in windows of this length
WINDOW = int(QUERY_S * peaks.RATE_HZ)  # in samples
MAX_WINDOWS = 8


class Look(NamedTuple):
    """How closely a query is looked at.

    Parameters
    ----------
    peaks_per_block : int
        Of the query. Noise adds peaks, and those of the music must stay among them.
    fan_out : int
        Partners of each peak.
    budget : int
        Postings that vote.
    n_candidates : int
        Places whose evidence is measured.
    """

    peaks_per_block: int
    fan_out: int
    budget: int
    n_candidates: int


HashedQuery = tuple[np.ndarray, np.ndarray]
QUICK = Look(12, 4, 6_000, 40)
THOROUGH = Look(40, 8, 60_000, 400)


@dataclass(frozen=True)
class Query:
    """An excerpt as it is looked for.

    Parameters
    ----------
    seconds : float
    evidence : Evidence
        See `evidence.weigh_evidence`.

    Examples
    --------
    An excerpt of 5 s has a column each 16 ms, as long as 256 ms fit.

    >>> query = make_query(np.random.default_rng(0).standard_normal(5 * 8000, dtype=np.float32))
    >>> query.seconds, query.evidence.excess.shape
    (5.0, (512, 297))
    """

    seconds: float
    evidence: Evidence
    _found: dict[int, list[peaks.Peaks]] = field(default_factory=dict, repr=False)
    _hashed: dict[tuple[Look, float], HashedQuery] = field(default_factory=dict, repr=False)

    def find_peaks(self, look: Look) -> list[peaks.Peaks]:
        """Return the peaks once for each step within a frame.

        Parameters
        ----------
        look : Look

        Returns
        -------
        list of Peaks
            Times in steps.

        Examples
        --------
        Steps are looked at in turn, those of whole frames and those between.

        >>> query = make_query(np.random.default_rng(0).standard_normal(5 * 8000, dtype=np.float32))
        >>> [set((found.time % peaks.STEPS).tolist()) for found in query.find_peaks(QUICK)]
        [{0}, {1}]
        """
        if look.peaks_per_block not in self._found:
            power = self.evidence.power.T
            self._found[look.peaks_per_block] = [
                _find_step(power, step, look.peaks_per_block) for step in range(peaks.STEPS)
            ]
        return self._found[look.peaks_per_block]

    @cached_property
    def ceiling(self) -> float:
        """Return the score of a recording that would have the excerpt's own peaks.

        Returns
        -------
        float
        """
        return measure_own(self.find_peaks(QUICK)[0], self.evidence)

    @cached_property
    def traits(self) -> Traits:
        """Return how noisy and how steady the excerpt is.

        Returns
        -------
        Traits
        """
        return measure_traits(self.evidence.power)

    def hash(self, look: Look = QUICK, speed: float = 1.0) -> HashedQuery:
        """Return hashes and their steps as a recording has them, computed once.

        Parameters
        ----------
        look : Look
        speed : float
            Of the excerpt. At the recording's own speed all steps are used: one of them is nearly
            aligned with its frames. At other speeds frames drift against each other all the time,
            and one does as well.

        Returns
        -------
        hashes : ndarray of uint32, shape (n,)
        times : ndarray of int32, shape (n,)

        Examples
        --------
        A closer look has more hashes.

        >>> query = make_query(np.random.default_rng(0).standard_normal(5 * 8000, dtype=np.float32))
        >>> len(query.hash(QUICK)[0]) < len(query.hash(THOROUGH)[0])
        True
        """
        if (look, speed) not in self._hashed:
            used = self.find_peaks(look)[: None if speed == 1 else 1]
            parts = [pairs.hash_query(found, fan_out=look.fan_out, speed=speed) for found in used]
            hashes, times = zip(*parts, strict=True)
            self._hashed[look, speed] = np.concatenate(hashes), np.concatenate(times)
        return self._hashed[look, speed]


def _find_step(power: np.ndarray, step: int, per_block: int) -> peaks.Peaks:
    one = peaks.find_peaks(power[:, step :: peaks.STEPS], per_block=per_block)
    return peaks.Peaks(one.time * peaks.STEPS + step, one.bin, one.fraction)


def make_query(y: np.ndarray) -> Query:
    """Fingerprint an excerpt.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
        Mono at 8 kHz, at most 15 s.

    Returns
    -------
    Query

    Examples
    --------
    >>> query = make_query(np.random.default_rng(0).standard_normal(5 * 8000, dtype=np.float32))
    >>> query.seconds, query.ceiling > 10
    (5.0, True)
    """
    if len(y) < peaks.N_FFT:
        y = np.pad(y, (0, peaks.N_FFT - len(y)))
    power = peaks.compute_power(y, hop_length=peaks.STEP_LENGTH)
    return Query(len(y) / peaks.RATE_HZ, weigh_evidence(power))


def list_windows(n: int) -> list[int]:
    """Tell where the windows of a long excerpt begin: spread evenly, at most eight.

    Parameters
    ----------
    n : int
        Samples of the excerpt.

    Returns
    -------
    list of int

    Examples
    --------
    Of 40 s, three windows of 15 s overlap a little; 5 s are one window.

    >>> [start / peaks.RATE_HZ for start in list_windows(40 * peaks.RATE_HZ)], list_windows(40_000)
    ([0.0, 12.5, 25.0], [0])
    """
    if n <= WINDOW:
        return [0]
    count = min(MAX_WINDOWS, -(-n // WINDOW))
    return [round(start) for start in np.linspace(0, n - WINDOW, count)]


def read_signal(y: np.ndarray) -> np.ndarray:
    """Return a mono float32 signal, or say what is wrong with it.

    Parameters
    ----------
    y : ndarray of float or int, shape (n,), (channels, n) or (n, channels)
        See `fingerprint.check_signal`.

    Returns
    -------
    ndarray of float32, shape (n,)

    Raises
    ------
    ValueError
        `y` is empty, not finite, or not shaped like sound.

    Examples
    --------
    >>> read_signal(np.array([[0, 16384], [0, 0]] * 2, dtype=np.int16)).tolist()
    [0.25, 0.0, 0.25, 0.0]
    """
    return np.ascontiguousarray(check_signal(y), dtype=np.float32)


def resample(y: np.ndarray, sr: int) -> np.ndarray:
    """Bring a signal to 8 kHz.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
    sr : int

    Returns
    -------
    ndarray of float32, shape (n_resampled,)

    Raises
    ------
    ValueError
        The rate is not positive.

    Examples
    --------
    >>> len(resample(np.zeros(24_000, dtype=np.float32), 16_000))
    12000
    """
    if sr <= 0:
        raise ValueError(f"sr: expected a sampling rate in Hz, found {sr}")
    if sr == peaks.RATE_HZ:
        return y
    import librosa  # half a second, which excerpts at 8 kHz need not wait for

    return librosa.resample(y, orig_sr=sr, target_sr=peaks.RATE_HZ)
