"""How the commands read sound: libsndfile first, ffmpeg where it is there."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aares.errors import AudioError

if TYPE_CHECKING:
    import numpy as np

AUDIO = {".aif", ".aiff", ".au", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".w64"}


def read_sound(file: str | Path) -> np.ndarray:
    """Decode a file to 8 kHz; what libsndfile cannot read goes through ffmpeg if that is there.

    Parameters
    ----------
    file : str or Path

    Returns
    -------
    ndarray of float32, shape (n,)

    Raises
    ------
    AudioError
        The file is missing, or neither can read it.

    Examples
    --------
    Two seconds at 8 kHz.

    >>> import wave
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with wave.open(f"{folder}/silence.wav", "wb") as sound:
    ...         sound.setparams((1, 2, 8000, 0, "NONE", ""))
    ...         sound.writeframes(bytes(32_000))
    ...     y = read_sound(f"{folder}/silence.wav")
    >>> len(y), float(y.max())
    (16000, 0.0)
    """
    from aares.audio import load_audio
    from aares.identify.peaks import RATE_HZ

    path = Path(file)
    try:
        return load_audio(path, sr=RATE_HZ)
    except AudioError:
        ffmpeg = shutil.which("ffmpeg")
        if ffmpeg is None or path.suffix.lower() in AUDIO or not path.is_file():
            raise
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / f"{path.stem}.wav"
        command = [ffmpeg, "-nostdin", "-v", "error", "-i", str(path.resolve()), "-vn", "-ac", "1"]
        done = subprocess.run(
            [*command, "-ar", str(RATE_HZ), str(sound)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not sound.is_file():
            last = done.stderr.strip().splitlines()[-1:] or ["no sound track"]
            raise AudioError(f"{path.name}: not readable as audio ({last[0]})")
        return load_audio(sound, sr=RATE_HZ)
