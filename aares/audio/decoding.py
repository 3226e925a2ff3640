"""Decode audio files to what the fingerprints need.

Used by notebook 04. ``librosa.load`` is what the assignment prescribes; this module calls it and
turns what can go wrong with somebody's file into an error that says so.

Conventions
-----------
Signals are mono, float32, in [-1, 1]; `sr` is in Hz.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile as sf

from aares.errors import AudioError

COURSE_RATE_HZ = 3000  # exercise 4.1
# An mp3's header counts the encoder's padding: whole files fall short of it by up to 0.17 s.
PADDING_S = 0.3
PADDING_SHARE = 0.001  # and where a header estimates the length from the rate, by this share


def load_audio(path: str | Path, *, sr: int = COURSE_RATE_HZ) -> np.ndarray:
    """Decode a file to a mono signal; several channels are averaged.

    Parameters
    ----------
    path : str or Path
        Any format that libsndfile reads: mp3, ogg, flac, wav, aiff.
    sr : int
        Sampling rate of the result in Hz; the assignment uses 3000.

    Returns
    -------
    ndarray of float32, shape (n,)

    Raises
    ------
    AudioError
        The file is missing, empty, not audio, not finite, or cannot be decoded to its end.

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
    path = Path(path)
    if not path.is_file():
        raise AudioError(f"{path.name}: expected an audio file, found no such file")
    if path.stat().st_size == 0:
        raise AudioError(f"{path.name}: expected an audio file, found an empty one")
    try:
        with sf.SoundFile(path) as stream:
            promised, native_sr = stream.frames, stream.samplerate
            y = stream.read(dtype="float32", always_2d=True).mean(axis=1)
    except sf.LibsndfileError as error:
        raise AudioError(f"{path.name}: not readable as audio ({error.error_string})") from error
    if len(y) == 0:
        raise AudioError(f"{path.name}: expected sound, found 0 samples")
    if promised - len(y) > max(PADDING_S * native_sr, PADDING_SHARE * promised):
        raise AudioError(
            f"{path.name}: truncated, {len(y) / native_sr:.1f} s of "
            f"{promised / native_sr:.1f} s can be decoded"
        )
    if not np.isfinite(y).all():
        raise AudioError(f"{path.name}: expected finite samples, found NaN or infinity")
    if native_sr == sr:
        return y
    import librosa  # half a second, which files at this rate need not wait for

    return librosa.resample(y, orig_sr=native_sr, target_sr=sr)
