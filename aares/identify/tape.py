"""The last minutes of a long recording, by their time.

Used by :mod:`.timeline`: a broadcast of any length takes the memory of a few minutes.
"""

from __future__ import annotations

import numpy as np

from aares.identify.evidence import weigh_evidence
from aares.identify.peaks import N_FFT, RATE_HZ, STEP_LENGTH, compute_power

KEPT_S = 150.0  # so far back a song is followed that was recognised late


class Tape:
    """What was heard last of a recording.

    Parameters
    ----------
    kept_s : float
        At least so much is kept.

    Examples
    --------
    >>> tape = Tape(kept_s=2.0)
    >>> for second in range(10):
    ...     tape.append(np.full(8000, second, dtype=np.float32))
    >>> tape.end_s, tape.start_s, tape.cut(8.5, 9.5)[[0, -1]].tolist()
    (10.0, 8.0, [8.0, 9.0])
    """

    def __init__(self, kept_s: float = KEPT_S) -> None:
        self._kept = round(kept_s * RATE_HZ)
        self._y = np.zeros(0, dtype=np.float32)
        self._first = 0  # sample

    @property
    def start_s(self) -> float:
        """Return where what is kept begins.

        Returns
        -------
        float
        """
        return self._first / RATE_HZ

    @property
    def end_s(self) -> float:
        """Return how much was heard.

        Returns
        -------
        float
        """
        return (self._first + len(self._y)) / RATE_HZ

    def append(self, y: np.ndarray) -> None:
        """Hear what follows, and forget what is older than is kept.

        Parameters
        ----------
        y : ndarray of float32, shape (n,)
            Mono at 8 kHz.
        """
        kept = self._y[max(0, len(self._y) + len(y) - max(self._kept, len(y))) :]
        self._first += len(self._y) - len(kept)
        self._y = np.concatenate((kept, y))

    def cut(self, start_s: float, end_s: float) -> np.ndarray:
        """Return what was heard between two times, as far as it is there.

        Parameters
        ----------
        start_s, end_s : float

        Returns
        -------
        ndarray of float32, shape (n,)
        """
        start = max(0, round(start_s * RATE_HZ) - self._first)
        return self._y[start : max(start, round(end_s * RATE_HZ) - self._first)]

    def weigh(self, start_s: float, end_s: float) -> np.ndarray:
        """Return the evidence of each pixel between two times.

        Parameters
        ----------
        start_s, end_s : float

        Returns
        -------
        ndarray of int8, shape (512, n_steps)
            See `evidence.Evidence`; at least one step.

        Examples
        --------
        >>> tape = Tape()
        >>> tape.append(np.random.default_rng(0).standard_normal(80_000, dtype=np.float32))
        >>> tape.weigh(2.0, 8.0).shape
        (512, 360)
        """
        y = self.cut(start_s, end_s)
        if len(y) < N_FFT:
            y = np.pad(y, (0, N_FFT - len(y)))
        return weigh_evidence(compute_power(y, hop_length=STEP_LENGTH)).excess
