"""The last minutes of a long recording, by their time.

Used by :mod:`.timeline`: a broadcast of any length takes the memory of a few minutes.
"""

from __future__ import annotations

import numpy as np

from aares.identify.evidence import CAP, EIGHTHS, weigh_evidence
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
        return weigh_evidence(self._transform(start_s, end_s)).excess

    def weigh_plainly(self, start_s: float, end_s: float) -> np.ndarray:
        """Return how far each pixel lies above the mean of its bin, in eighths of its spread.

        Where all is quiet, as beside a song, a pixel lies above the mean of its step if its bin
        sounds seldom. So that no peak is seen there, it is to lie above the mean of its bin too.

        Parameters
        ----------
        start_s, end_s : float

        Returns
        -------
        ndarray of float32, shape (512, n_steps)
            No more than the evidence of `weigh`.

        Examples
        --------
        Two seconds of noise between silence: beside it nothing is said for anything.

        >>> tape, y = Tape(), np.zeros(48_000, dtype=np.float32)
        >>> y[16_000:32_000] = np.random.default_rng(0).standard_normal(16_000)
        >>> tape.append(y)
        >>> said = tape.weigh_plainly(0.0, 6.0)
        >>> bool(said[:, :90].max() <= 0 < said[:, 140:220].max())
        True
        """
        power = self._transform(start_s, end_s)
        rows = power.T + np.float32(1e-12) * max(float(power.max()), 1e-20)
        level = rows * np.exp(-np.log(rows).mean(axis=0))
        level = np.sqrt(np.minimum(level, np.float32(CAP)))
        spread = level.std(axis=0)
        scale = np.divide(EIGHTHS, spread, out=np.zeros_like(spread), where=spread > 1e-2)
        plain = (level - level.mean(axis=0)) * scale
        return np.asarray(np.minimum(plain.T, weigh_evidence(power).excess))

    def _transform(self, start_s: float, end_s: float) -> np.ndarray:
        y = self.cut(start_s, end_s)
        if len(y) < N_FFT:
            y = np.pad(y, (0, N_FFT - len(y)))
        return compute_power(y, hop_length=STEP_LENGTH)
