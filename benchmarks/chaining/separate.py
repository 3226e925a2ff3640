"""The 27 features as the study computed them: a call of librosa for each.

What :func:`aares.audio.features.extract` is compared with, in time and in value.
"""

from __future__ import annotations

import warnings

import librosa
import numpy as np

from aares.audio.features import NAMES


def call_librosa(y: np.ndarray) -> dict[str, float]:
    """Return the mean of each feature over the frames.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
        At 22,050 Hz, as ``librosa.load`` gives it.

    Returns
    -------
    dict of float
        By `NAMES`.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Trying to estimate tuning from empty")
        frames = [
            librosa.feature.chroma_stft(y=y),
            librosa.feature.rms(y=y),
            librosa.feature.spectral_centroid(y=y),
            librosa.feature.spectral_bandwidth(y=y),
            librosa.feature.spectral_rolloff(y=y),
            librosa.feature.zero_crossing_rate(y),
            *librosa.feature.mfcc(y=y, n_mfcc=20),
            librosa.beat.beat_track(y=y)[0],
        ]
    return {name: float(np.mean(values)) for name, values in zip(NAMES, frames, strict=True)}
