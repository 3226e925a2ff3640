"""Decode audio files, whole or a part of them.

Used by notebooks 04 and 06. ``librosa.load`` is what the assignment prescribes; this module does
the same and turns what can go wrong with somebody's file into an error that says so.

Conventions
-----------
Signals are mono, float32, in [-1, 1]; `sr` is in Hz.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr

from aares.audio.channels import average_channels
from aares.audio.sources import encode_path, show_name
from aares.audio.streams import misses_sound, open_blocks
from aares.errors import AudioError

COURSE_RATE_HZ = 3000  # exercise 4.1


def load_audio(path: str | Path, *, sr: int = COURSE_RATE_HZ, strict: bool = True) -> np.ndarray:
    """Decode a file to a mono signal; several channels are averaged.

    Parameters
    ----------
    path : str or Path
        Any format that libsndfile reads: mp3, ogg, flac, wav, aiff; where ffmpeg is installed also
        m4a, wma, videos and whatever else that reads.
    sr : int
        Sampling rate of the result in Hz; the assignment uses 3000.
    strict : bool
        Refuse a damaged file, of which half a song would be a wrong result of an exercise. False
        keeps what can be decoded, as the identifier wants it: see :mod:`aares.audio.streams`.

    Returns
    -------
    ndarray of float32, shape (n,)

    Raises
    ------
    AudioError
        The file is missing, empty, not audio, or (strict) not finite or not whole.

    Examples
    --------
    Two channels become their mean.

    >>> import tempfile
    >>> stereo = np.column_stack([np.full(3000, 0.5), np.zeros(3000)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sf.write(Path(folder) / "tone.wav", stereo, 3000)
    ...     y = load_audio(Path(folder) / "tone.wav")
    >>> y.shape, y.dtype, float(y[0])
    ((3000,), dtype('float32'), 0.25)
    >>> load_audio("nowhere.mp3")
    Traceback (most recent call last):
        ...
    aares.errors.AudioError: nowhere.mp3: expected an audio file, found no such file
    """
    return np.concatenate(list(open_blocks(path, sr=sr, strict=strict)))


@contextmanager
def open_sound(path: str | Path) -> Iterator[sf.SoundFile]:
    """Open a file to read sound from; what is wrong with it is said in one way.

    Parameters
    ----------
    path : str or Path

    Yields
    ------
    SoundFile
        With ``frames`` as the header promises them and ``samplerate`` in Hz.

    Raises
    ------
    AudioError
        The file is missing, empty or not audio; also where reading within the block fails.

    Examples
    --------
    >>> with open_sound("nowhere.mp3"):
    ...     pass
    Traceback (most recent call last):
        ...
    aares.errors.AudioError: nowhere.mp3: expected an audio file, found no such file
    """
    path = _require_file(path)
    try:
        with sf.SoundFile(encode_path(path)) as stream:
            yield stream
    except sf.LibsndfileError as error:
        raise AudioError(
            f"{show_name(path.name)}: not readable as audio ({error.error_string})"
        ) from error


def read_content(path: str | Path) -> bytes:
    """Return the bytes of an audio file, undecoded.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    bytes

    Raises
    ------
    AudioError
        The file is missing, empty or must not be read.

    Examples
    --------
    >>> read_content("nowhere.mp3")
    Traceback (most recent call last):
        ...
    aares.errors.AudioError: nowhere.mp3: expected an audio file, found no such file
    """
    path = _require_file(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise AudioError(f"{show_name(path.name)}: not readable ({error.strerror})") from error


def _require_file(path: str | Path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise AudioError(f"{show_name(path.name)}: expected an audio file, found no such file")
    if path.stat().st_size == 0:
        raise AudioError(f"{show_name(path.name)}: expected an audio file, found an empty one")
    return path


def read_mono(stream: sf.SoundFile, start: int = 0, stop: int | None = None) -> np.ndarray:
    """Read a part of an open file, its channels averaged; only this part is decoded.

    Parameters
    ----------
    stream : SoundFile
        From :func:`open_sound`.
    start, stop : int
        Frames of the file, `stop` not included; by default the end that the header promises.

    Returns
    -------
    ndarray of float32, shape (stop - start,)
        At the file's own rate.

    Raises
    ------
    AudioError
        There is no sound, less of it than promised, or not only numbers.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sf.write(Path(folder) / "ramp.wav", np.arange(8) / 8, 8000)
    ...     with open_sound(Path(folder) / "ramp.wav") as stream:
    ...         read_mono(stream, 2, 4).tolist()
    [0.25, 0.375]
    """
    name, sr = show_name(Path(os.fsdecode(stream.name)).name), stream.samplerate
    promised = (stream.frames if stop is None else stop) - start
    if start:
        stream.seek(start)
    y = average_channels(stream.read(-1 if stop is None else promised, "float32", always_2d=True))
    if len(y) == 0 and not start:
        raise AudioError(f"{name}: expected sound, found 0 samples")
    if misses_sound(len(y) / sr, promised / sr):
        where = f" from {start / sr:.1f} s" if start else ""
        raise AudioError(
            f"{name}: truncated, {len(y) / sr:.1f} s of {promised / sr:.1f} s can be decoded{where}"
        )
    if not np.isfinite(y).all():
        raise AudioError(f"{name}: expected finite samples, found NaN or infinity")
    return y


def change_rate(y: np.ndarray, *, orig_sr: int, target_sr: int) -> np.ndarray:
    """Bring a signal to another sampling rate, as ``librosa.load`` does, which loads longer.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
    orig_sr, target_sr : int
        In Hz.

    Returns
    -------
    ndarray of float32, shape (ceil(n * target_sr / orig_sr),)

    Examples
    --------
    >>> change_rate(np.zeros(8000, np.float32), orig_sr=8000, target_sr=3000).shape
    (3000,)
    """
    if orig_sr == target_sr:
        return y
    resampled = np.zeros(int(np.ceil(len(y) * (target_sr / orig_sr))), np.float32)
    found = soxr.resample(y, orig_sr, target_sr, quality="soxr_hq")[: len(resampled)]
    resampled[: len(found)] = found
    return resampled
