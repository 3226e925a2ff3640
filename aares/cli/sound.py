"""How the commands read sound: as :mod:`aares.audio.streams` does, imported when there is some."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def read_sound(file: str | Path) -> np.ndarray:
    """Decode a file to 8 kHz, as far as it can be.

    Parameters
    ----------
    file : str or Path
        Or ``-`` for standard input.

    Returns
    -------
    ndarray of float32, shape (n,)

    Raises
    ------
    AudioError
        The file is missing, or nothing sensible can be decoded.

    Examples
    --------
    Two seconds at 8 kHz.

    >>> import tempfile, wave
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

    return load_audio(file, sr=RATE_HZ, strict=False)
