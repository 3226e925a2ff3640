"""How recordings are heard elsewhere: rooms, speakers' voices, compressors, codecs, key lock.

Used by ``benchmarks/identify.py``. Nothing here was recorded by a microphone: rooms, voices and
devices are simulated. Signals are mono float32; randomness comes from a Generator.

References
----------
.. [1] J. B. Allen, D. A. Berkley, "Image method for efficiently simulating small-room acoustics",
   JASA 65(4), 1979: section I.
.. [2] D. Giannoulis, M. Massberg, J. D. Reiss, "Digital dynamic range compressor design", JAES
   60(6), 2012: section 2.
.. [3] J.-M. Valin, K. Vos, T. Terriberry, "Definition of the Opus audio codec", RFC 6716, 2012.
"""

from __future__ import annotations

import io
import shutil
import subprocess
from functools import cache

import librosa
import numpy as np
import soundfile as sf
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

SOUND_M_S = 343.0
LOWEST_HZ = 60.0  # of a room's response
OPUS_RATE_HZ = 48_000
OPUS_BITS = (6_000, 256_000)  # a second: libsndfile's compression levels 1 and 0
TELEPHONES = {"gsm": ("WAV", "GSM610"), "mu-law": ("WAV", "ULAW"), "g721": ("AU", "G721_32")}


def make_room(rng: np.random.Generator, *, decay_s: float = 0.8, sr: int = 8000) -> np.ndarray:
    """Make the response of a room by image sources.

    A source and a microphone stand at random places of a room of about 8 by 6 by 3 m, whose walls
    reflect as much as its reverberation time asks for.

    Parameters
    ----------
    rng : numpy.random.Generator
    decay_s : float
        Time in which the sound falls by 60 dB (Eyring).
    sr : int

    Returns
    -------
    ndarray of float32, shape (n,)
        The direct sound comes first; n is the decay time.

    References
    ----------
    Allen and Berkley 1979 [1]_, section I.

    Examples
    --------
    The energy that is left falls with time, 60 dB in about the decay time.

    >>> room = make_room(np.random.default_rng(0), decay_s=0.5)
    >>> left_db = 10 * np.log10(np.cumsum(room[::-1] ** 2)[::-1] / np.sum(room**2))
    >>> float(room[0]) != 0, bool(-45 < left_db[2000] < -20)
    (True, True)
    """
    size = np.array([8.0, 6.0, 3.0]) * rng.uniform(0.8, 1.2, 3)
    source, heard = (size * rng.uniform(0.2, 0.8, 3) for _ in range(2))
    volume, walls = size.prod(), 2 * (size[0] * size[1] + size[1] * size[2] + size[0] * size[2])
    reflected = np.exp(-0.5 * 24 * np.log(10) * volume / (SOUND_M_S * walls * decay_s))
    distances, bounces = [], []
    for axis in range(3):
        order = int(np.ceil(0.5 * SOUND_M_S * decay_s / size[axis]))
        count = np.arange(-order, order + 1)
        even = 2 * count * size[axis] + source[axis] - heard[axis]
        odd = 2 * count * size[axis] - source[axis] - heard[axis]
        distances.append(np.concatenate([even, odd]))
        bounces.append(np.concatenate([np.abs(2 * count), np.abs(count) + np.abs(count - 1)]))
    x, y, z = np.meshgrid(*distances, indexing="ij", sparse=True)
    far = np.sqrt(x**2 + y**2 + z**2).ravel()
    n_bounces = np.add.outer(np.add.outer(bounces[0], bounces[1]), bounces[2]).ravel()
    delays = np.rint((far - far.min()) / SOUND_M_S * sr).astype(np.int64)
    n = int(decay_s * sr)
    near = delays < n
    response = np.bincount(
        delays[near], (reflected**n_bounces / np.maximum(far, 0.3))[near], minlength=n
    )
    # all echoes are positive: what they have in common is no sound
    response = sosfilt(butter(2, LOWEST_HZ, "highpass", fs=sr, output="sos"), response)
    return (response / np.abs(response).max()).astype(np.float32)


def put_into_room(
    y: np.ndarray, rng: np.random.Generator, *, decay_s: float = 0.8, sr: int = 8000
) -> np.ndarray:
    """Play a signal in a room of `make_room`.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
    rng : numpy.random.Generator
    decay_s : float
    sr : int

    Returns
    -------
    ndarray of float32, shape (n,)

    Examples
    --------
    A click is followed by its echoes.

    >>> click = np.eye(1, 8000, dtype=np.float32)[0]
    >>> heard = put_into_room(click, np.random.default_rng(0))
    >>> len(heard), int((np.abs(heard) > 1e-3).sum()) > 500
    (8000, True)
    """
    return fftconvolve(y, make_room(rng, decay_s=decay_s, sr=sr))[: len(y)].astype(np.float32)


def filter_band(y: np.ndarray, *, low_hz: float, high_hz: float, sr: int = 8000) -> np.ndarray:
    """Keep a band, as a small loudspeaker does.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
    low_hz, high_hz : float
        An edge of half the sampling rate or more does nothing.
    sr : int

    Returns
    -------
    ndarray of float32, shape (n,)

    Examples
    --------
    >>> time_s = np.arange(8000) / 8000
    >>> tones = [np.sin(2 * np.pi * hz * time_s).astype(np.float32) for hz in (50, 1000)]
    >>> [round(float(filter_band(y, low_hz=200, high_hz=4000).std()), 1) for y in tones]
    [0.0, 0.7]
    """
    if high_hz < 0.499 * sr:
        sos = butter(4, (low_hz, high_hz), "bandpass", fs=sr, output="sos")
    else:
        sos = butter(4, low_hz, "highpass", fs=sr, output="sos")
    return sosfilt(sos, y).astype(np.float32)


def follow_level(y: np.ndarray, *, seconds: float, sr: int = 8000) -> np.ndarray:
    """Follow the level of a signal.

    Parameters
    ----------
    y : ndarray of float, shape (n,)
    seconds : float
        Time constant of the mean of squares.
    sr : int

    Returns
    -------
    ndarray of float64, shape (n,)
        Root of the mean.

    Examples
    --------
    >>> follow_level(np.full(8000, 0.5), seconds=0.05)[[0, -1]].round(2).tolist()
    [0.02, 0.5]
    """
    keep = np.exp(-1 / (seconds * sr))
    return np.sqrt(lfilter([1 - keep], [1, -keep], np.square(y, dtype=float)))


def compress(
    y: np.ndarray, *, ratio: float = 8.0, drive_db: float = 12.0, sr: int = 8000
) -> np.ndarray:
    """Compress a signal as loud broadcasts are, and drive it into clipping.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
    ratio : float
        So many dB more at the input are one more at the output, above a threshold 20 dB below
        the signal's own level.
    drive_db : float
        The level afterwards over that at which a sine would just not clip, plus 12.
    sr : int

    Returns
    -------
    ndarray of float32, shape (n,)
        In [-1, 1].

    References
    ----------
    Giannoulis et al. 2012 [2]_, section 2.

    Examples
    --------
    20 dB between two halves are 2.5 afterwards.

    >>> y = np.sin(np.arange(16_000, dtype=np.float32)) * np.repeat([0.1, 1.0], 8000)
    >>> soft, loud = (part.std() for part in np.split(compress(y, drive_db=-20), 2))
    >>> bool(1 < 20 * np.log10(loud / soft) < 5)
    True
    """
    level = follow_level(y, seconds=0.03, sr=sr)
    whole = max(float(np.sqrt(np.mean(np.square(y, dtype=float)))), 1e-9)
    over = np.maximum(level / (0.1 * whole), 1.0)
    squeezed = y * over ** (1 / ratio - 1)
    gain = 10 ** ((drive_db - 12) / 20) * 0.7 / max(float(squeezed.std()), 1e-9)
    return np.clip(gain * squeezed, -1, 1).astype(np.float32)


def control_gain(y: np.ndarray, *, seconds: float = 0.5, sr: int = 8000) -> np.ndarray:
    """Control the gain as a telephone's microphone does: everything becomes as loud.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
    seconds : float
        In which the gain follows.
    sr : int

    Returns
    -------
    ndarray of float32, shape (n,)

    Examples
    --------
    >>> y = np.sin(np.arange(32_000, dtype=np.float32)) * np.repeat([0.01, 1.0], 16_000)
    >>> soft, loud = (part[-4000:].std() for part in np.split(control_gain(y), 2))
    >>> bool(0.9 < loud / soft < 1.5)
    True
    """
    level = follow_level(y, seconds=seconds, sr=sr)
    lowest = 1e-3 * max(float(level.max(initial=0)), 1e-9)
    return np.asarray(0.1 * y / np.maximum(level, lowest), dtype=np.float32)


def encode_opus(y: np.ndarray, sr: int, *, kbps: float = 16.0) -> np.ndarray:
    """Encode a signal as Opus and decode it.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
    sr : int
    kbps : float
        6 to 256.

    Returns
    -------
    ndarray of float32, shape (about n,)
        At the rate `sr`.

    References
    ----------
    RFC 6716 [3]_.

    Examples
    --------
    >>> y = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000).astype(np.float32)
    >>> coded = encode_opus(y, 8000)
    >>> abs(len(coded) - 8000) < 400, round(float(coded[2000:6000].std()), 1)
    (True, 0.4)
    """
    high = librosa.resample(y, orig_sr=sr, target_sr=OPUS_RATE_HZ)
    level = (OPUS_BITS[1] - 1000 * kbps) / (OPUS_BITS[1] - OPUS_BITS[0])
    stream = io.BytesIO()
    sf.write(stream, high, OPUS_RATE_HZ, format="OGG", subtype="OPUS", compression_level=level)
    stream.seek(0)
    decoded, _ = sf.read(stream, dtype="float32")
    return librosa.resample(decoded, orig_sr=OPUS_RATE_HZ, target_sr=sr)


def encode_telephone(y: np.ndarray, *, codec: str = "gsm") -> np.ndarray:
    """Send a signal through a telephone's codec.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
        At 8 kHz, within [-1, 1].
    codec : {"gsm", "mu-law", "g721"}
        GSM 06.10, G.711 or G.721.

    Returns
    -------
    ndarray of float32, shape (n,)

    Raises
    ------
    ValueError
        No such codec.

    Examples
    --------
    >>> y = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000).astype(np.float32)
    >>> [round(float(encode_telephone(y, codec=name).std()), 1) for name in TELEPHONES]
    [0.3, 0.4, 0.4]
    """
    if codec not in TELEPHONES:
        raise ValueError(f"codec: expected one of {', '.join(TELEPHONES)}, found {codec!r}")
    container, subtype = TELEPHONES[codec]
    stream = io.BytesIO()
    sf.write(stream, y, 8000, format=container, subtype=subtype)
    stream.seek(0)
    return sf.read(stream, dtype="float32")[0][: len(y)]


def stretch(y: np.ndarray, sr: int, *, tempo: float = 1.0, pitch: float = 1.0) -> np.ndarray:
    """Change tempo and pitch apart from each other, as key lock and transposition do.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
    sr : int
    tempo : float
        1.04 is 4 % faster; the pitch is kept.
    pitch : float
        Factor of the frequencies; the tempo is kept.

    Returns
    -------
    ndarray of float32, shape (about n / tempo,)
        By Rubber Band where ffmpeg has it, otherwise by librosa's phase vocoder.

    Examples
    --------
    >>> y = np.sin(2 * np.pi * 440 * np.arange(16_000) / 8000).astype(np.float32)
    >>> slow = stretch(y, 8000, tempo=0.8, pitch=1.25)
    >>> round(len(slow) / 16_000, 1), round(np.abs(np.fft.rfft(slow)).argmax() * 8000 / len(slow))
    (1.2, 550)
    """
    if find_rubberband():
        command = ["-af", f"rubberband=tempo={tempo:.6f}:pitch={pitch:.6f}"]
        form = ["-f", "f32le", "-ar", str(sr), "-ac", "1"]
        done = subprocess.run(
            ["ffmpeg", "-v", "error", *form, "-i", "-", *command, *form, "-"],
            input=y.astype("<f4").tobytes(),
            capture_output=True,
            check=True,
        )
        return np.frombuffer(done.stdout, dtype="<f4").astype(np.float32)
    slower = librosa.effects.time_stretch(y, rate=tempo / pitch)
    moved = librosa.resample(slower, orig_sr=round(100_000 * pitch), target_sr=100_000)
    return np.asarray(moved, dtype=np.float32)


@cache
def find_rubberband() -> bool:
    """Tell whether an ffmpeg with the filter ``rubberband`` is on this machine.

    Returns
    -------
    bool

    Examples
    --------
    >>> find_rubberband() in (True, False)
    True
    """
    if shutil.which("ffmpeg") is None:
        return False
    asked = ["ffmpeg", "-hide_banner", "-filters"]
    listed = subprocess.run(asked, capture_output=True, check=False, text=True)
    return " rubberband " in listed.stdout
