"""Sounds before the first pair: to set the loudness by, and to hear whether headphones are worn.

References
----------
.. [1] K. J. P. Woods, M. H. Siegel, J. Traer, J. H. McDermott, "Headphone screening to facilitate
   web-based auditory experiments", Attention, Perception & Psychophysics 79, 2017: three tones, of
   which one is 6 dB softer and another one in antiphase. Over loudspeakers the antiphase tone is
   the softest, since it cancels in the air.
"""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aares.audio.decoding import open_sound
from aares.audio.levels import level_sound
from workshop.label.clips import CEILING_DB, CLIP_S, RATE_HZ, TARGET_LUFS, Piece, cut_piece

Floats = npt.NDArray[np.floating]

TONE_HZ, TONE_S, RAMP_S, PAUSE_S = 200.0, 1.0, 0.1, 0.5
SOFTER_DB = -6.0
TONES = ("loud", "softer", "antiphase")
ORDERS = tuple(permutations(TONES))
"""Of the three tones in each of the six trials."""
PASSED = 5  # right ones of six, as in the paper
PINK_S = 8.0


def make_pink_noise(seconds: float = PINK_S) -> Floats:
    """Make noise of equal power in each octave, as loud as the clips.

    Parameters
    ----------
    seconds : float

    Returns
    -------
    ndarray of float, shape (n, 2)
        The same in both channels, at 44.1 kHz; it begins and ends softly.

    Examples
    --------
    >>> make_pink_noise(1.0).shape
    (44100, 2)
    """
    n = round(seconds * RATE_HZ)
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(n))
    hz = np.fft.rfftfreq(n, 1 / RATE_HZ)
    spectrum *= (hz >= 30) / np.sqrt(np.maximum(hz, 30))
    y = np.fft.irfft(spectrum, n) * _make_ramps(n)
    stereo = np.column_stack([y, y]) / np.abs(y).max() / 4
    return level_sound(stereo, RATE_HZ, target_lufs=TARGET_LUFS, ceiling_db=CEILING_DB)


def cut_sample(song: Path) -> Floats:
    """Cut ten seconds out of the middle of a song, as loud as the clips.

    Parameters
    ----------
    song : Path

    Returns
    -------
    ndarray of float, shape (n, 2)

    Raises
    ------
    AudioError
        It cannot be read.
    """
    with open_sound(song) as stream:
        middle = stream.frames / stream.samplerate / 2
    y = cut_piece(Piece(song, False, max(middle - CLIP_S / 2, 0.0)))
    return level_sound(y, RATE_HZ, target_lufs=TARGET_LUFS, ceiling_db=CEILING_DB)


def make_trial(order: tuple[str, ...]) -> Floats:
    """Make three tones in a row, one of them softer and one in antiphase [1]_.

    Parameters
    ----------
    order : tuple of str
        Of :data:`TONES`.

    Returns
    -------
    ndarray of float, shape (n, 2)

    Examples
    --------
    >>> y = make_trial(("loud", "antiphase", "softer"))
    >>> second = y[round(1.6 * RATE_HZ) : round(2.4 * RATE_HZ)]
    >>> bool(np.abs(second.sum(axis=1)).max() < 1e-9)
    True
    """
    n = round(TONE_S * RATE_HZ)
    tone = 0.25 * np.sin(2 * np.pi * TONE_HZ * np.arange(n) / RATE_HZ) * _make_ramps(n)
    sides = {"loud": (1.0, 1.0), "softer": (10 ** (SOFTER_DB / 20),) * 2, "antiphase": (1.0, -1.0)}
    pause = np.zeros((round(PAUSE_S * RATE_HZ), 2))
    parts = [part for name in order for part in (tone[:, None] * np.array(sides[name]), pause)]
    return np.concatenate(parts[:-1])


def find_softest(order: tuple[str, ...]) -> int:
    """Return which of the three tones is the softest over headphones.

    Parameters
    ----------
    order : tuple of str

    Returns
    -------
    int
        1 to 3.

    Examples
    --------
    >>> find_softest(("loud", "antiphase", "softer"))
    3
    """
    return order.index("softer") + 1


def _make_ramps(n: int) -> Floats:
    ramp = np.sin(np.pi / 2 * np.arange(round(RAMP_S * RATE_HZ)) / round(RAMP_S * RATE_HZ)) ** 2
    return np.concatenate([ramp, np.ones(n - 2 * len(ramp)), ramp[::-1]])
