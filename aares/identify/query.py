"""What is computed of an excerpt once, whatever it is compared with.

Used by notebook 04 through :class:`aares.identify.Index`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aares.identify import pairs, peaks, search

QUERY_S = 15.0  # a longer excerpt is looked at in windows of this length
PEAKS_PER_BLOCK = 40  # more than a recording keeps: noise adds peaks, and the right ones must stay
FAN_OUT = 8


@dataclass(frozen=True)
class Query:
    """Peaks of an excerpt, once for each step within a frame, and its evidence.

    Parameters
    ----------
    seconds : float
    peaks : tuple of Peaks
        Times in steps.
    evidence : Evidence
        See `search.weigh_evidence`.
    """

    seconds: float
    peaks: tuple[peaks.Peaks, ...]
    evidence: search.Evidence

    def hash(self, speed: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Return hashes and their steps as a recording has them.

        Parameters
        ----------
        speed : float
            Of the excerpt. At the recording's own speed all steps are used: one of them is nearly
            aligned with its frames. At other speeds frames drift against each other all the time,
            and one does as well.

        Returns
        -------
        hashes : ndarray of uint32, shape (n,)
        times : ndarray of int32, shape (n,)
        """
        used = self.peaks if speed == 1 else self.peaks[:1]
        parts = [pairs.hash_query(found, fan_out=FAN_OUT, speed=speed) for found in used]
        return np.concatenate([h for h, _ in parts]), np.concatenate([t for _, t in parts])


def make_query(y: np.ndarray) -> Query:
    """Fingerprint an excerpt.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
        Mono at 8 kHz, at most 15 s.

    Returns
    -------
    Query
    """
    if len(y) < peaks.N_FFT:
        y = np.pad(y, (0, peaks.N_FFT - len(y)))
    power = peaks.compute_power(y, hop_length=peaks.STEP_LENGTH)
    found = []
    for step in range(peaks.STEPS):
        one = peaks.find_peaks(power[:, step :: peaks.STEPS], per_block=PEAKS_PER_BLOCK)
        found.append(peaks.Peaks(one.time * peaks.STEPS + step, one.bin, one.fraction))
    seconds = len(y) / peaks.SAMPLE_RATE_HZ
    return Query(seconds, tuple(found), search.weigh_evidence(power))
