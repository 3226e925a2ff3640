"""Filters that sum the bins of a spectrum to mel bands and to pitch classes.

Used by :mod:`aares.audio.spectra`. They are those of librosa, which takes more than a second to
load: as long as thirty songs take.

References
----------
M. Slaney: Auditory Toolbox, version 2. Interval Research, report 1998-010 (mel bands). D. Ellis:
Chroma feature analysis and synthesis. 2007, https://www.ee.columbia.edu/~dpwe/resources/matlab/
"""

from __future__ import annotations

import numpy as np

A0_HZ = 27.5
LINEAR_HZ, MELS_PER_HZ = 1000.0, 3 / 200  # below, mels are proportional to Hz
MELS_PER_E = 27 / np.log(6.4)  # above, 27 mels are a factor of 6.4
CENTRE_OCTAVE, OCTAVES = 5.0, 2.0  # where pitch classes are heard, above A0, and how far around


def make_mel_filters(rate: int, n_fft: int, n_bands: int = 128) -> np.ndarray:
    """Return triangular bands that are equally wide in mels, each of area 1 in Hz.

    Parameters
    ----------
    rate : int
        In Hz; the bands reach from 0 to half of it.
    n_fft : int
    n_bands : int

    Returns
    -------
    ndarray of float32, shape (n_bands, 1 + n_fft // 2)
        ``librosa.filters.mel``.

    Examples
    --------
    >>> filters = make_mel_filters(22050, 2048)
    >>> (filters.sum(axis=1) * 22050 / 2048).round(1)[[40, 127]].tolist()
    [1.0, 1.0]
    """
    highest = (LINEAR_HZ * MELS_PER_HZ) + MELS_PER_E * np.log(rate / 2 / LINEAR_HZ)
    mels = np.linspace(0, highest, n_bands + 2)
    beyond = mels - LINEAR_HZ * MELS_PER_HZ
    corners = np.where(beyond < 0, mels / MELS_PER_HZ, LINEAR_HZ * np.exp(beyond / MELS_PER_E))
    distances = corners[:, None] - np.fft.rfftfreq(n_fft, 1 / rate)
    widths = np.diff(corners)[:, None]
    triangles = np.minimum(-distances[:-2] / widths[:-1], distances[2:] / widths[1:])
    areas = (corners[2:] - corners[:-2])[:, None] / 2
    return (np.maximum(triangles, 0) / areas).astype(np.float32)


def make_chroma_filters(rate: int, n_fft: int, tuning: float = 0.0) -> np.ndarray:
    """Return the share of each bin in the 12 pitch classes, from C to B.

    Parameters
    ----------
    rate : int
        In Hz.
    n_fft : int
    tuning : float
        How far above A4 = 440 Hz the music is, in semitones.

    Returns
    -------
    ndarray of float32, shape (12, 1 + n_fft // 2)
        ``librosa.filters.chroma``.

    Examples
    --------
    >>> filters = make_chroma_filters(22050, 2048)
    >>> filters[:, round(440 * 2048 / 22050)].argmax().item()  # A
    9
    """
    hz = np.arange(1, n_fft // 2 + 2) * (rate / n_fft)
    semitones = 12 * np.log2(hz / (A0_HZ * 2 ** (tuning / 12)))
    semitones = np.concatenate([[semitones[0] - 18], semitones])  # bin 0: an octave and a half down
    widths = np.maximum(np.diff(semitones), 1)
    semitones = semitones[:-1]
    distances = (semitones - np.arange(12)[:, None] + 126) % 12 - 6
    shares = np.exp(-0.5 * (2 * distances / widths) ** 2)
    shares /= np.sqrt((shares**2).sum(axis=0))
    shares *= np.exp(-0.5 * ((semitones / 12 - CENTRE_OCTAVE) / OCTAVES) ** 2)
    return np.roll(shares, -3, axis=0).astype(np.float32)  # from A to C
