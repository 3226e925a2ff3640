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
from aares.identify.traits import Traits, measure_novelty, measure_traits
from fingerprint import check_signal

QUERY_S = 15.0  # a longer excerpt is looked at in windows of this length
WINDOW = int(QUERY_S * peaks.RATE_HZ)  # in samples
MAX_WINDOWS = 8


BASE_POSTINGS = 4_000_000  # of about a thousand recordings
MOST_VOTES = 5_000_000  # of all parts together: they are sorted in some 25 ms
MOST_PLACES = 4_000
MOST_GROWTH = 500  # of a look's votes: the first look at a million recordings is a quick one too
STEEP = 4  # see `Look.grow`
CROWDED = STEEP**2 * BASE_POSTINGS  # postings of an index whose parts share what is looked at
LEAST_VOTES, LEAST_PLACES = 6_000, 40  # of a part, however small it is: its recordings are found


class Look(NamedTuple):
    """How closely a query is looked at, in an index of up to `BASE_POSTINGS`.

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
    slack : int
        Frames by which noise may have moved a peak, see `pairs.blur_delays`.
    reach : tuple of two ints
        Bins and frames within which a peak is the highest: among noise, peaks of the music have
        higher ones near them.
    """

    peaks_per_block: int
    fan_out: int
    budget: int
    n_candidates: int
    slack: int = 0
    reach: tuple[int, int] = (peaks.REACH_BINS, peaks.REACH_FRAMES)

    def grow(self, n_postings: int, total: int = 0) -> Look:
        """Return the look at a part of a larger index.

        Parameters
        ----------
        n_postings : int
            In the part.
        total : int
            In the index, if it has other parts.

        Returns
        -------
        Look
            Each hash has more postings, in proportion: so has the budget, or only the rarest
            hashes would vote, up to `MOST_VOTES` and `MOST_GROWTH` times its own. The candidates
            grow with the root, as the best wrong places are better, but the right one is among the
            best; from sixteen times `BASE_POSTINGS` on, by a quarter of the proportion, as in noise
            it no longer is; up to `MOST_PLACES`. From `CROWDED` on both limits are those of all
            parts together, of which each has its share.

        Examples
        --------
        >>> QUICK.grow(1_000_000) == QUICK
        True
        >>> large = QUICK.grow(100 * BASE_POSTINGS)
        >>> large.budget // QUICK.budget, large.n_candidates // QUICK.n_candidates
        (100, 25)
        """
        growth = max(n_postings / BASE_POSTINGS, 1.0)
        whole = max(n_postings, total)
        share = n_postings / whole if whole > CROWDED else 1.0
        votes = min(MOST_VOTES, MOST_GROWTH * self.budget)
        n_candidates = round(self.n_candidates * max(growth**0.5, growth / STEEP))
        return self._replace(
            budget=min(round(self.budget * growth), max(round(votes * share), LEAST_VOTES)),
            n_candidates=min(n_candidates, max(round(MOST_PLACES * share), LEAST_PLACES)),
        )


class Hashed(NamedTuple):
    """Hashes of a query, as a recording has them.

    Parameters
    ----------
    hashes : ndarray of uint32, shape (n,)
    times : ndarray of int32, shape (n,)
        Steps of the anchors, at the recording's speed.
    weights : ndarray of float32, shape (n,)
        See `pairs.blur_delays`.
    """

    hashes: np.ndarray
    times: np.ndarray
    weights: np.ndarray


QUICK = Look(12, 4, LEAST_VOTES, LEAST_PLACES)
THOROUGH = Look(40, 8, 300_000, 2_000, slack=2, reach=(3, 2))
LOOKS = {"quick": QUICK, "thorough": THOROUGH}
CROWDED_LOOKS = {
    "quick": QUICK._replace(budget=3_500, n_candidates=24),
    "thorough": QUICK._replace(budget=300_000, n_candidates=2_000, slack=2),
}


def choose_look(way: str, total: int) -> Look:
    """Return how closely a query is looked at in an index of so many postings.

    Up to `CROWDED` a thorough look has more peaks than a quick one, as those of the music may be
    among the weaker. In a larger index not all of their hashes can vote, and the rarest, which do,
    are the noise's: there it has the peaks of the quick look, whose hashes are three times as often
    right, with delays blurred. What it finds the quick look need not: that one has fewer votes.

    Parameters
    ----------
    way : {"quick", "thorough"}
    total : int
        Postings of all parts.

    Returns
    -------
    Look
        Of an index of up to `BASE_POSTINGS`, see `Look.grow`.

    Examples
    --------
    >>> choose_look("thorough", CROWDED) == THOROUGH
    True
    >>> crowded = choose_look("thorough", CROWDED + 1)
    >>> crowded.peaks_per_block == QUICK.peaks_per_block, crowded.slack == THOROUGH.slack
    (True, True)
    """
    return (LOOKS if total <= CROWDED else CROWDED_LOOKS)[way]


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
    _found: dict[tuple[object, ...], list[peaks.Peaks]] = field(default_factory=dict, repr=False)
    _hashed: dict[tuple[object, ...], Hashed] = field(default_factory=dict, repr=False)

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
        kept = look.peaks_per_block, look.reach
        if kept not in self._found:
            power = self.evidence.power.T
            self._found[kept] = [_find_step(power, step, look) for step in range(peaks.STEPS)]
        return self._found[kept]

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

    @cached_property
    def novelty(self) -> float:
        """Return which share of the excerpt does not merely come again.

        Returns
        -------
        float
        """
        return measure_novelty(self.find_peaks(QUICK)[0], self.evidence.excess)

    def hash(self, look: Look = QUICK, speed: float = 1.0, pitch: float = 1.0) -> Hashed:
        """Return hashes and their steps as a recording has them, computed once.

        Parameters
        ----------
        look : Look
        speed : float
            Of the excerpt. At the recording's own speed all steps are used: one of them is nearly
            aligned with its frames. At other speeds frames drift against each other all the time,
            and one does as well.
        pitch : float
            Factor by which the excerpt is higher than at that speed.

        Returns
        -------
        Hashed
            ``hashes`` uint32, ``times`` int32 in steps, ``weights`` float32, each of shape (n,).

        Examples
        --------
        A closer look has more hashes.

        >>> query = make_query(np.random.default_rng(0).standard_normal(5 * 8000, dtype=np.float32))
        >>> len(query.hash(QUICK).hashes) < len(query.hash(THOROUGH).hashes)
        True
        """
        kept = look.peaks_per_block, look.fan_out, look.slack, look.reach, speed, pitch
        if kept not in self._hashed:
            used = self.find_peaks(look)[: None if speed == 1 else 1]
            parts = [
                pairs.hash_query(found, fan_out=look.fan_out, speed=speed, pitch=pitch)
                for found in used
            ]
            hashes, times = (np.concatenate(columns) for columns in zip(*parts, strict=True))
            blurred, rows, weights = pairs.blur_delays(hashes, slack=look.slack)
            self._hashed[kept] = Hashed(blurred, times[rows], weights)
        return self._hashed[kept]


def _find_step(power: np.ndarray, step: int, look: Look) -> peaks.Peaks:
    rows = power[:, step :: peaks.STEPS]
    one = peaks.find_peaks(rows, per_block=look.peaks_per_block, reach=look.reach)
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
