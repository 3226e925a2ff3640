"""From several channels to one, also where they cancel each other.

Used by :mod:`aares.audio.decoding` and :mod:`aares.audio.streams`.

Conventions
-----------
Samples have the shape (n, channels), float32.
"""

from __future__ import annotations

import numpy as np

CANCELLED = 0.01  # the mean has less than this share of the channels' power (-20 dB)
RESTORED = 0.1  # ... and it is taken again above this share (-10 dB)
SILENCE = 1e-10  # power (-100 dB) below which nothing is decided


def average_channels(samples: np.ndarray) -> np.ndarray:
    """Return the mean of the channels.

    Parameters
    ----------
    samples : ndarray of float32, shape (n, channels)

    Returns
    -------
    ndarray of float32, shape (n,)

    Examples
    --------
    >>> average_channels(np.array([[0.5, 0.0], [1.0, 0.5]], np.float32)).tolist()
    [0.25, 0.75]
    """
    if samples.shape[1] == 2:  # the same bits as the mean, in a thirtieth of its time
        return (samples[:, 0] + samples[:, 1]) * np.float32(0.5)
    return samples.mean(axis=1)


class Mixer:
    """Mix the channels of a sound that comes in pieces.

    The mean is taken; where it is silence although the channels are not (one of them is the other
    upside down), the loudest channel. That is decided for each second from the beginning of the
    sound, whatever the pieces are, so that a file and its blocks give the same samples.

    Parameters
    ----------
    sr : int
        Rate of the samples in Hz.

    Examples
    --------
    Two seconds whose channels cancel each other:

    >>> left = np.full(16_000, 0.5, np.float32)
    >>> mixer = Mixer(8000)
    >>> y = mixer.mix(np.stack([left, -left], axis=1))
    >>> float(y.min()), mixer.cancelled_s
    (0.5, 2.0)
    """

    def __init__(self, sr: int) -> None:
        self.sr = sr
        self.cancelled_s = 0.0
        self._rest: list[np.ndarray] = []
        self._taken: int | None = None  # the channel taken instead of the mean

    def mix(self, samples: np.ndarray, *, last: bool = False) -> np.ndarray:
        """Mix the next piece.

        Parameters
        ----------
        samples : ndarray of float32, shape (n, channels)
        last : bool
            No more follow: also mix the part of a second at the end.

        Returns
        -------
        ndarray of float32, shape (n_mixed,)
            What is left of a second comes with the next piece.

        Examples
        --------
        >>> mixer = Mixer(8000)
        >>> mixer.mix(np.zeros((10_000, 2), np.float32)).shape
        (8000,)
        >>> mixer.mix(np.zeros((0, 2), np.float32), last=True).shape
        (2000,)
        """
        if samples.shape[1] == 1:
            return samples[:, 0]
        if self._rest:
            samples = np.concatenate([*self._rest, samples])
        whole = len(samples) // self.sr * self.sr
        self._rest = [samples[whole:].copy()]
        y = average_channels(samples[:whole])
        self._mend(samples[:whole], y)
        if last:
            end = average_channels(self._rest[0])
            self._mend(self._rest[0], end)
            self._rest = []
            y = np.concatenate([y, end])
        return y

    def _mend(self, samples: np.ndarray, y: np.ndarray) -> None:
        for start in range(0, len(y), self.sr):
            second = samples[start : start + self.sr]
            mid = y[start : start + self.sr]
            power = float(np.dot(mid, mid)) / len(mid)
            loud = float(np.vdot(second, second)) / second.size
            if loud > SILENCE:
                limit = CANCELLED if self._taken is None else RESTORED
                if power >= limit * loud:
                    self._taken = None
                elif self._taken is None:
                    self._taken = int(np.argmax(np.einsum("nc,nc->c", second, second)))
            if self._taken is not None:
                mid[:] = second[:, self._taken]
                self.cancelled_s += len(mid) / self.sr
