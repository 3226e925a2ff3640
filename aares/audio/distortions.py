"""What happens to sound on its way to a microphone: noise, rooms, codecs, telephones, speed.

Used by notebook 04 and ``benchmarks/identify.py``.

Conventions
-----------
Signals are mono float32. All randomness comes from a Generator. Noise has one definition for
notebook, report, benchmarks, tests and hand-in, :func:`add_noise`: it reaches the sound at
`NOISE_RATE_HZ`, so a signal-to-noise ratio compares powers up to 4 kHz, averaged over the excerpt.
What a method with a narrower band, such as the assignment's, leaves out of the noise is its own
merit; at another rate the same number of decibels would be another noise.

References
----------
.. [1] A. L.-C. Wang, "An Industrial-Strength Audio Search Algorithm", ISMIR 2003: section 3.1.
.. [2] M. R. Schroeder, "New method of measuring reverberation time", JASA 37, 1965 (a room's decay
   is exponential).
"""

from __future__ import annotations

import io
from functools import cache

import librosa
import numpy as np
import soundfile as sf
from scipy.signal import butter, fftconvolve, sosfilt

NOISE_RATE_HZ = 8000
ROOM_S = 60
N_VOICES = 12  # of babble
MP3_RATES = (320, 32)  # kb/s, MPEG 1: libsndfile's compression levels 0 and 1


def make_white(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make white Gaussian noise.

    Parameters
    ----------
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float32, shape (n,)

    Examples
    --------
    >>> noise = make_white(10_000, np.random.default_rng(0))
    >>> round(float(noise.std()), 1), noise.dtype
    (1.0, dtype('float32'))
    """
    return rng.standard_normal(n, dtype=np.float32)


def make_pink(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make noise whose power falls as one over the frequency.

    Parameters
    ----------
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float32, shape (n,)

    Examples
    --------
    Each octave holds the same power:

    >>> power = np.abs(np.fft.rfft(make_pink(2**16, np.random.default_rng(0)))) ** 2
    >>> round(float(power[1024:2048].sum() / power[8192:16384].sum()), 1)
    1.0
    """
    spectrum = np.fft.rfft(make_white(n, rng))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    return np.fft.irfft(spectrum, n).astype(np.float32)


def make_babble(n: int, rng: np.random.Generator, *, sr: int = 8000) -> np.ndarray:
    """Make the sound of a room full of people: voices that speak syllables at once.

    A voice is a pulse train whose pitch wanders, sent through three resonances that jump from
    syllable to syllable, with pauses.

    Parameters
    ----------
    n : int
    rng : numpy.random.Generator
    sr : int

    Returns
    -------
    ndarray of float32, shape (n,)

    Examples
    --------
    The twelve voices are equally loud: their powers add up.

    >>> babble = make_babble(16_000, np.random.default_rng(0))
    >>> round(float(np.mean(babble**2)), 1)
    11.8
    """
    return np.sum([_make_voice(n, rng, sr) for _ in range(N_VOICES)], axis=0).astype(np.float32)


def _make_voice(n: int, rng: np.random.Generator, sr: int) -> np.ndarray:
    pitch_hz, place, syllables = rng.uniform(90, 250), 0, []
    while place < n:
        length = int(sr * rng.uniform(0.12, 0.3))
        bend = 1 + 0.1 * np.sin(np.linspace(0, np.pi, length) * rng.uniform(0.5, 2))
        phase = np.cumsum(pitch_hz * rng.uniform(0.85, 1.2) * bend) / sr
        source = np.diff(np.floor(phase), prepend=0) + 0.02 * rng.standard_normal(length)
        sound = np.zeros(length)
        for low_hz, high_hz in ((280, 850), (900, 2200), (2200, 3200)):
            centre = rng.uniform(low_hz, high_hz)
            edges = (centre - 60, min(centre + 60, 0.49 * sr))
            sound += sosfilt(butter(1, edges, "bandpass", fs=sr, output="sos"), source)
        loud = rng.uniform(0.3, 1) * (rng.random() > 0.15)
        syllables.append(loud * sound * np.hanning(length))
        place += length
    voice = np.concatenate(syllables)[:n]
    return voice / max(np.sqrt(np.mean(voice**2)), 1e-9)


def mix(y: np.ndarray, noise: np.ndarray, *, snr_db: float) -> np.ndarray:
    """Add noise at a signal-to-noise ratio.

    Parameters
    ----------
    y, noise : ndarray of float, shape (n,)
    snr_db : float
        Infinity returns `y`.

    Returns
    -------
    ndarray of the type of `y`, shape (n,)

    Examples
    --------
    10 dB below the signal is a tenth of its power, however loud the noise was.

    >>> y, noise = np.ones(8), np.full(8, 5.0)
    >>> (mix(y, noise, snr_db=10) - y)[:2].round(3).tolist(), round(0.1**0.5, 3)
    ([0.316, 0.316], 0.316)
    """
    if not np.isfinite(snr_db):
        return y
    power = np.mean(np.square(y, dtype=float)) / np.mean(np.square(noise, dtype=float))
    return (y + np.sqrt(power / 10 ** (snr_db / 10)) * noise).astype(y.dtype)


def change_speed(y: np.ndarray, speed: float) -> np.ndarray:
    """Play a signal faster or slower, pitch and all, like a turntable.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
    speed : float
        1.03 is 3 % faster.

    Returns
    -------
    ndarray of float32, shape (about n / speed,)

    Examples
    --------
    A second of 440 Hz, a quarter faster: 0.8 s of 550 Hz.

    >>> y = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000).astype(np.float32)
    >>> fast = change_speed(y, 1.25)
    >>> len(fast), float(np.abs(np.fft.rfft(fast)).argmax() * 8000 / len(fast))
    (6400, 550.0)
    """
    return librosa.resample(y, orig_sr=round(100_000 * speed), target_sr=100_000)


def add_reverb(
    y: np.ndarray, rng: np.random.Generator, *, sr: int = 8000, decay_s: float = 0.6
) -> np.ndarray:
    """Put a signal into a room: a direct sound and an exponentially decaying tail.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
    rng : numpy.random.Generator
    sr : int
    decay_s : float
        Time in which the tail falls by 60 dB.

    Returns
    -------
    ndarray of float32, shape (n,)

    Examples
    --------
    The tail of a click falls by 60 dB in 0.6 s, hence by 30 dB in 0.3 s.

    >>> y = np.zeros(8000, dtype=np.float32)
    >>> y[0] = 1
    >>> tail = add_reverb(y, np.random.default_rng(0), decay_s=0.6)[1:]
    >>> early, late = np.sum(tail[:800] ** 2), np.sum(tail[2400:3200] ** 2)
    >>> round(float(10 * np.log10(early / late)))
    30
    """
    time_s = np.arange(int(1.2 * decay_s * sr)) / sr
    tail = rng.standard_normal(len(time_s)) * 10 ** (-3 * time_s / decay_s)
    tail *= 1 / np.sqrt(np.sum(tail**2))  # as loud as the direct sound
    tail[0] += 1
    return fftconvolve(y, tail)[: len(y)].astype(np.float32)


def telephone(y: np.ndarray, *, sr: int = 8000) -> np.ndarray:
    """Keep 300 to 3400 Hz.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
    sr : int

    Returns
    -------
    ndarray of float32, shape (n,)

    Examples
    --------
    A hum of 50 Hz is lost, a tone of 1 kHz is not.

    >>> time_s = np.arange(8000) / 8000
    >>> [round(float(telephone(np.sin(2 * np.pi * hz * time_s)).std()), 2) for hz in (50, 1000)]
    [0.0, 0.71]
    """
    band = butter(4, (300, 3400), "bandpass", fs=sr, output="sos")
    return sosfilt(band, y).astype(np.float32)


def clip(y: np.ndarray, *, gain_db: float = 20.0) -> np.ndarray:
    """Overdrive a signal: amplified beyond its peak, and cut off there.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
    gain_db : float

    Returns
    -------
    ndarray of float32, shape (n,)

    Examples
    --------
    >>> clip(np.array([0.01, -0.2, 0.5], dtype=np.float32), gain_db=20.0).round(2)
    array([ 0.1, -0.5,  0.5], dtype=float32)
    """
    peak = np.abs(y).max(initial=0)
    return np.clip(y * 10 ** (gain_db / 20), -peak, peak).astype(np.float32)


def encode_mp3(y: np.ndarray, sr: int, *, kbps: int) -> np.ndarray:
    """Encode a signal as mp3 with a constant rate, and decode it.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
    sr : int
        32000, 44100 or 48000.
    kbps : int
        32 to 320.

    Returns
    -------
    ndarray of float32, shape (about n,)

    Raises
    ------
    ValueError
        The sampling rate is not one of MPEG 1.

    Examples
    --------
    >>> y = np.sin(2 * np.pi * 440 * np.arange(32_000) / 32_000).astype(np.float32)
    >>> coded = encode_mp3(y, 32_000, kbps=128)
    >>> round(float(coded.std()), 1), np.array_equal(coded[:1000], y[:1000])
    (0.7, False)
    >>> encode_mp3(y, 8000, kbps=128)
    Traceback (most recent call last):
        ...
    ValueError: sr: expected 32000, 44100 or 48000, found 8000
    """
    if sr not in (32_000, 44_100, 48_000):
        raise ValueError(f"sr: expected 32000, 44100 or 48000, found {sr}")
    level = (MP3_RATES[0] - kbps) / (MP3_RATES[0] - MP3_RATES[1])
    level = min(level, 0.999)  # LAME refuses the end of the scale
    stream = io.BytesIO()
    sf.write(stream, y, sr, format="MP3", compression_level=level, bitrate_mode="CONSTANT")
    stream.seek(0)
    return sf.read(stream, dtype="float32")[0]


def add_noise(y: np.ndarray, kind: str, rng: np.random.Generator, *, snr_db: float) -> np.ndarray:
    """Add noise of a kind.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
        At `NOISE_RATE_HZ`.
    kind : {"white", "pink", "babble"}
    rng : numpy.random.Generator
    snr_db : float
        Power of the signal over that of the noise, both up to 4 kHz; infinity returns `y`.

    Returns
    -------
    ndarray of float32, shape (n,)

    Examples
    --------
    At 0 dB the noise has the power of the signal, 0.5 squared.

    >>> y = np.full(8000, 0.5, dtype=np.float32)
    >>> noisy = add_noise(y, "pink", np.random.default_rng(0), snr_db=0.0)
    >>> round(float(np.mean((noisy - y) ** 2)), 3)
    0.25
    """
    if not np.isfinite(snr_db):
        return y
    if kind == "babble":
        start = int(rng.integers(ROOM_S * NOISE_RATE_HZ))
        noise = np.take(_record_room(), np.arange(start, start + len(y)), mode="wrap")
    else:
        noise = {"white": make_white, "pink": make_pink}[kind](len(y), rng)
    return mix(y, noise, snr_db=snr_db)


@cache
def _record_room() -> np.ndarray:
    """Return a minute of babble, made once: excerpts hear it from a random moment on."""
    n = ROOM_S * NOISE_RATE_HZ
    return make_babble(n, np.random.default_rng(0), sr=NOISE_RATE_HZ)
