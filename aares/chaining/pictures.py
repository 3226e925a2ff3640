"""A minute of a song as a picture: its spectrogram, 800 columns of time by 512 rows of frequency.

Used by notebook 06. What is made of the picture is for :mod:`aares.chaining.visual`, the families
of an image classifier, and for :mod:`aares.chaining.cnn`, a network that learns its own.

Conventions
-----------
A picture is an array of uint8, shape (rows, columns): row 0 is the lowest frequency, column 0 the
first moment. 255 is the loudest cell, 0 is 80 dB below it or less: a picture does not know how loud
its song is. The columns share the sound evenly among them (75 ms each for a minute); a shorter
sound is stretched, so compare sounds of one length.

References
----------
J. George and L. Shamir, "Computer analysis of similarities between albums in popular music",
Pattern Recognition Letters 45, 2014, section 2: spectrograms of 0:30 to 1:30 as images.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from aares.audio.segments import RATE_HZ, read_segment
from aares.errors import AudioError

Picture = npt.NDArray[np.uint8]

ROWS, COLUMNS = 512, 800
SCALES = ("log-mel", "linear")
RANGE_DB = 80.0
SEGMENT = "0:30-1:30"
N_FFT = 4096  # 186 ms: bins of 5.4 Hz, narrower than the narrowest of 512 mel bands
SHORTEST_S = 1.0


def paint_sound(
    y: npt.ArrayLike,
    *,
    scale: str = "log-mel",
    rows: int = ROWS,
    columns: int = COLUMNS,
    range_db: float = RANGE_DB,
) -> Picture:
    """Paint the spectrogram of a sound.

    Parameters
    ----------
    y : array-like of float, shape (n,)
        Mono at 22,050 Hz, at least a second.
    scale : {"log-mel", "linear"}
        Rows are mel bands, or equal steps of frequency; from 0 to 11,025 Hz both.
    rows : int
        At most 512; a divisor of 2048.
    columns : int
        At least 2.
    range_db : float
        From the darkest value to the loudest, dB.

    Returns
    -------
    ndarray of uint8, shape (rows, columns)
        0 is `range_db` or more below the loudest cell, 255 that cell. Silence is 0 everywhere.

    Raises
    ------
    AudioError
        The sound is shorter than a second, or not finite.
    ValueError
        An argument is none of these.

    Examples
    --------
    A tone of 2,756 Hz is one bright row at a quarter of the height.

    >>> y = np.sin(2 * np.pi * 2756 * np.arange(2 * RATE_HZ) / RATE_HZ)
    >>> picture = paint_sound(y, scale="linear")
    >>> picture.shape, int(picture.mean(axis=1).argmax()), int(picture.max())
    ((512, 800), 127, 255)
    """
    y = _check_sound(y)
    _check_shape(scale, rows, columns, range_db)
    power = _compute_power(y, columns)
    if scale == "linear":
        cells = power[1:].reshape(rows, -1, columns).mean(axis=1)
    else:
        cells = _make_mel(rows) @ power
    top = cells.max()
    if not top > 0:
        return np.zeros((rows, columns), np.uint8)
    level_db = 10 * np.log10(np.maximum(cells / top, 10 ** (-range_db / 10)))
    return np.rint(255 * (1 + level_db / range_db)).astype(np.uint8)


def paint_song(
    song: str | Path | npt.NDArray[np.floating[Any]],
    segment: str = SEGMENT,
    *,
    sr: int | None = None,
    scale: str = "log-mel",
    rows: int = ROWS,
    columns: int = COLUMNS,
    range_db: float = RANGE_DB,
) -> Picture:
    """Paint the spectrogram of a part of a song.

    Parameters
    ----------
    song : str, Path or ndarray of float, shape (n,)
        A file, or the samples of a whole song.
    segment : str
        As of :func:`aares.audio.segments.read_segment`; of a song that ends before, its last
        minute.
    sr : int, optional
        Of samples, and needed for them: their rate in Hz.
    scale : {"log-mel", "linear"}
        Rows are mel bands, or equal steps of frequency.
    rows, columns : int
    range_db : float
        As of :func:`paint_sound`.

    Returns
    -------
    ndarray of uint8, shape (rows, columns)

    Raises
    ------
    AudioError
        The song cannot be read, or is too short.
    ValueError
        There is no such segment, or an argument is not as :func:`paint_sound` takes it.

    Examples
    --------
    >>> paint_song(np.zeros(6 * 8000), sr=8000, rows=64, columns=100).shape
    (64, 100)
    """
    _check_shape(scale, rows, columns, range_db)
    y = read_segment(song, segment, sr=sr).y
    return paint_sound(y, scale=scale, rows=rows, columns=columns, range_db=range_db)


def average_cells(picture: Picture, factor: int) -> Picture:
    """Make a picture smaller: each cell is the mean of ``factor * factor`` cells.

    Parameters
    ----------
    picture : ndarray of uint8, shape (rows, columns)
    factor : int
        1 or more; what is left over at the upper and right edge is cut off.

    Returns
    -------
    ndarray of uint8, shape (rows // factor, columns // factor)

    Raises
    ------
    ValueError
        `factor` is not positive, or the picture smaller than it.

    Examples
    --------
    >>> average_cells(np.array([[0, 10, 99], [20, 30, 99]], np.uint8), 2).tolist()
    [[15]]
    """
    height, width = picture.shape
    if not 1 <= factor <= min(height, width):
        raise ValueError(f"factor: expected 1 to {min(height, width)}, found {factor}")
    height, width = height // factor, width // factor
    cells = picture[: height * factor, : width * factor].astype(np.float64)
    cells = cells.reshape(height, factor, width, factor).mean(axis=(1, 3))
    return np.rint(cells).astype(np.uint8)


def _compute_power(y: npt.NDArray[np.float32], columns: int) -> npt.NDArray[np.float32]:
    """Return the power spectrum around `columns` moments that share the sound evenly."""
    from librosa import stft

    # Of no fixed hop: the columns shall share the sound evenly, to its last sample.
    middle = np.rint((np.arange(columns) + 0.5) * len(y) / columns).astype(int)
    padded = np.pad(y, N_FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[middle]
    spectrum = stft(frames, n_fft=N_FFT, hop_length=N_FFT, center=False)[:, :, 0]
    return np.square(np.abs(spectrum)).T.astype(np.float32)


@lru_cache(maxsize=4)
def _make_mel(rows: int) -> csr_array:
    """Return the mel filters, sparse: their product adds up in one order on any threads."""
    from librosa.filters import mel

    return csr_array(mel(sr=RATE_HZ, n_fft=N_FFT, n_mels=rows, dtype=np.float64))


def _check_sound(y: Any) -> npt.NDArray[np.float32]:
    try:
        sound = np.asarray(y, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise AudioError(f"sound: expected numbers, found {type(y).__name__} ({error})") from error
    if sound.ndim != 1:
        raise AudioError(f"sound: expected mono, shape (n,), found shape {sound.shape}")
    if len(sound) < SHORTEST_S * RATE_HZ:
        raise AudioError(
            f"sound: expected at least {SHORTEST_S:g} s at {RATE_HZ} Hz, "
            f"found {len(sound) / RATE_HZ:.2f} s"
        )
    if not np.isfinite(sound).all():
        raise AudioError("sound: expected finite samples, found NaN or infinity")
    return sound


def _check_shape(scale: str, rows: int, columns: int, range_db: float) -> None:
    if scale not in SCALES:
        raise ValueError(f"scale: expected one of {', '.join(SCALES)}, found {scale!r}")
    if not 2 <= rows <= ROWS or (N_FFT // 2) % rows:
        raise ValueError(f"rows: expected 2, 4, 8 ... 512, found {rows}")
    if columns < 2:
        raise ValueError(f"columns: expected 2 or more, found {columns}")
    if not range_db > 0:
        raise ValueError(f"range_db: expected a positive number of dB, found {range_db}")
