"""A tempo that changes while the pitch is kept, as the key lock of a turntable does it.

References
----------
.. [1] J. L. Flanagan, R. M. Golden, "Phase vocoder", Bell System Technical Journal 45, 1966:
   sections II and V.
"""

from __future__ import annotations

import numpy as np
import scipy.fft

N_FFT = 1024
HOP_LENGTH = 256


def stretch(y: np.ndarray, first: float, last: float | None = None) -> np.ndarray:
    """Play a signal at another tempo, with its pitch kept.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
        At 8 kHz or so: the window of 1024 samples is to hold some periods of what sounds.
    first : float
        Tempo at the beginning; 1.05 is 5 % faster.
    last : float, optional
        Tempo at the end, which it drifts to; without it the tempo stays.

    Returns
    -------
    ndarray of float32, shape (about n over the mean tempo,)

    Raises
    ------
    ValueError
        A tempo is not positive.

    References
    ----------
    Flanagan and Golden 1966 [1]_.

    Examples
    --------
    A second of a tone of 500 Hz at a tempo of 1.25 lasts 0.8 s, and stays a tone of 500 Hz.

    >>> y = np.sin(2 * np.pi * 500 * np.arange(8000, dtype=np.float32) / 8000)
    >>> fast = stretch(y, 1.25)
    >>> spectrum = np.abs(np.fft.rfft(fast * np.hanning(len(fast))))
    >>> round(len(fast) / 8000, 1), round(spectrum.argmax() / len(fast) * 8000 / 10) * 10
    (0.8, 500)
    """
    last = first if last is None else last
    if not (first > 0 and last > 0):
        raise ValueError(f"expected tempi above 0, found {first} to {last}")
    y = np.pad(np.asarray(y, dtype=np.float32), (N_FFT, N_FFT))
    n_frames = max(1, int((len(y) - N_FFT) / HOP_LENGTH * 2 / (first + last)))
    tempi = np.linspace(first, last, n_frames)
    read = (np.concatenate(([0.0], np.cumsum(tempi)[:-1])) * HOP_LENGTH).astype(np.int64)
    read = np.minimum(read + HOP_LENGTH, len(y) - N_FFT)
    window = np.hanning(N_FFT + 1)[:-1].astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(y, N_FFT)
    now = scipy.fft.rfft(frames[read] * window, axis=1)
    before = scipy.fft.rfft(frames[read - HOP_LENGTH] * window, axis=1)
    phase = np.cumsum(np.angle(now * np.conj(before)), axis=0)
    pieces = scipy.fft.irfft(np.abs(now) * np.exp(1j * phase), axis=1) * window
    out = np.zeros(n_frames * HOP_LENGTH + N_FFT)
    for k, piece in enumerate(pieces):
        out[k * HOP_LENGTH : k * HOP_LENGTH + N_FFT] += piece
    lead = int(N_FFT / first)  # of the silence before
    return (out[lead : len(out) - N_FFT] / 1.5).astype(np.float32)
