"""Exercise 4: from a signal to the hashes that identify it.

The notebook ``04_fingerprints`` goes through these functions one by one. The module reads on its
own: it needs numpy, librosa, numba and the course's ``utils_projet``.

Conventions
-----------
The assignment loads songs at 3 kHz; its parameters then mean bins of 1.46 Hz and frames of
170.7 ms. A spectrogram has the axis order (frequency bin, frame), a point is (bin, frame).

The hash of an anchor and a point is ``anchor_bin * 1_000_000 + point_bin * 1000 + frame
difference``. Bins go up to 1024, so ``point_bin * 1000`` can carry into the digits of the anchor.
Inside the target zone this never makes two pairs equal: the frame difference stays below 1000 and
thus readable, and one bin more for the anchor adds 1,001,000 if the point follows it, while the
point's place in the zone moves the hash by less than 20,000.

References
----------
.. [1] A. L.-C. Wang, "An Industrial-Strength Audio Search Algorithm", ISMIR 2003: section 2.1
   (constellation), section 2.2 (combinatorial hashing).
"""

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, SupportsIndex

import librosa
import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from utils_projet import get_maxima

WIN_LENGTH = 1024  # exercise 4.1: samples under the window
N_FFT = 2048  # exercise 4.1: samples of the transform, the window padded with zeros
HOP_LENGTH = 512  # exercise 4.1: samples from frame to frame
ZONE_FRAMES = 300  # exercise 4.3a: the target zone's length in time
ZONE_BINS = 20  # exercise 4.3a: the target zone's height in frequency
ZONE_MAXIMA = 10  # exercise 4.3b: how many of the highest maxima of the zone are kept
ANCHOR_FACTOR = 1_000_000  # exercise 4.4
POINT_FACTOR = 1000  # exercise 4.4

MAX_CHANNELS = 8  # more than this is a wrongly shaped array rather than sound

Floats = NDArray[np.float32] | NDArray[np.float64]
Ints = NDArray[np.int64]
Point = Sequence[float] | NDArray[Any]  # (bin, frame), whole numbers


def compute_spectrogram(x: ArrayLike) -> Floats:
    """Compute the power spectrogram of a signal (exercise 4.1, appendix B).

    Parameters
    ----------
    x : ndarray of float, signed int or uint8, shape (n,), (channels, n) or (n, channels)
        Signal at 3 kHz; `check_signal` reads it.

    Returns
    -------
    ndarray of float32 or float64, shape (1025, 1 + n // 512)
        Squared magnitude of the short-time Fourier transform, frames centred on their samples.

    Raises
    ------
    ValueError
        When `x` is empty, not finite, not real, or not shaped like sound.

    Examples
    --------
    >>> import numpy as np
    >>> from fingerprint import compute_spectrogram
    >>> compute_spectrogram(np.zeros(3000)).shape
    (1025, 6)
    """
    y = check_signal(x)
    with warnings.catch_warnings():
        # a clip shorter than a frame is padded with zeros, which is what we want: no warning
        warnings.filterwarnings("ignore", message="n_fft=.* is too large")
        V = librosa.stft(y, win_length=WIN_LENGTH, n_fft=N_FFT, hop_length=HOP_LENGTH)
    S: Floats = np.abs(V) ** 2
    return S


def get_maxima_in_tz(S: ArrayLike, maxima: Iterable[Point], anchor: Point) -> list[tuple[int, int]]:
    """Find the highest maxima in the target zone of an anchor (exercise 4.3).

    The zone starts with the frame after the anchor and is 300 frames long and 20 bins high: it
    holds the frames ``anchor[1] + 1`` to ``anchor[1] + 300`` and the bins ``anchor[0] - 10`` to
    ``anchor[0] + 9``, ends included. An even height has no middle bin; the odd one lies below.

    Parameters
    ----------
    S : array-like, shape (bins, frames)
        Spectrogram, where the heights are read; of complex numbers the modulus.
    maxima : ndarray, shape (n, 2), or iterable of pairs
        (bin, frame) of all maxima, as `get_maxima` returns them; whole numbers of any type.
    anchor : pair of int
        (bin, frame) of the anchor; never in its own zone.

    Returns
    -------
    list of tuple
        (bin, frame) of at most 10 maxima, the highest first; equal heights in the order of
        `maxima`.

    Raises
    ------
    ValueError
        When `S` has not two dimensions, `maxima` or `anchor` are no pairs of whole numbers, or a
        maximum lies outside `S`.

    References
    ----------
    Wang 2003 [1]_, section 2.2.

    Examples
    --------
    >>> import numpy as np
    >>> from fingerprint import get_maxima_in_tz
    >>> S = np.array([[9.0, 1.0, 2.0, 3.0]])
    >>> get_maxima_in_tz(S, [(0, 0), (0, 1), (0, 3)], (0, 0))
    [(0, 3), (0, 1)]
    """
    S = np.asarray(S)
    if S.ndim != 2:
        raise ValueError(f"S must have the shape (bins, frames), found {S.ndim} dimension(s)")
    points = _read_maxima(maxima, S.shape)
    b, t = _read_point(anchor, "anchor")
    heights = S[points[:, 0], points[:, 1]]
    if heights.dtype.kind == "c":
        heights = np.abs(heights)
    top = np.empty(ZONE_MAXIMA, dtype=np.int64)
    count = _keep_highest(points, heights, b, t, 0, len(points), top, 0)
    return [(bin_, frame) for bin_, frame in points[top[:count]].tolist()]


def get_hashes(anchor: Point, maxima_in_tz: Iterable[Point]) -> list[tuple[int, int]]:
    """Make the hashes of an anchor and the maxima in its target zone (exercise 4.4).

    The assignment words the result for one point: the tuple of a hash and the anchor's frame.
    An anchor has up to ten points, so this returns a list with one such tuple for each point.

    Parameters
    ----------
    anchor : pair of int
        (bin, frame) of the anchor.
    maxima_in_tz : iterable of pairs
        (bin, frame) of the points, as `get_maxima_in_tz` returns them.

    Returns
    -------
    list of tuple
        (hash, anchor frame) for each point, in the order of the points; plain ints.

    Raises
    ------
    ValueError
        When `anchor` or a point is no pair of whole numbers.

    References
    ----------
    Wang 2003 [1]_, section 2.2.

    Examples
    --------
    >>> from fingerprint import get_hashes
    >>> get_hashes((200, 7), [(195, 10), (203, 57)])
    [(200195003, 7), (200203050, 7)]
    """
    b, t = _read_point(anchor, "anchor")
    points = [_read_point(point, "each of maxima_in_tz") for point in _list_points(maxima_in_tz)]
    return [(_hash_pair(b, t, *point), t) for point in points]


def process_signal(x: ArrayLike) -> dict[int, int]:
    """Compute all hashes of a signal (exercise 4.5).

    The result is that of looping over `get_maxima`, `get_maxima_in_tz` and `get_hashes`, but the
    loop is compiled. A hash that occurs more than once in the signal keeps one anchor, as in any
    dictionary the last one written: since the maxima come in raster order and a hash fixes its
    anchor's bin, that is the latest in time.

    Parameters
    ----------
    x : ndarray of float, signed int or uint8, shape (n,), (channels, n) or (n, channels)
        Signal at 3 kHz; `check_signal` reads it.

    Returns
    -------
    dict of int to int
        {hash: anchor frame}. Empty for silence and for clips too short to hold a pair.

    Raises
    ------
    ValueError
        When `x` is empty, not finite, not real, or not shaped like sound.

    Examples
    --------
    A tone in bin 300 around frame 10, and a softer one 8 bins higher and 10 frames later:

    >>> import numpy as np
    >>> from fingerprint import process_signal
    >>> n = np.arange(1024)
    >>> x = np.zeros(30_000)
    >>> x[9 * 512 : 11 * 512] = np.sin(2 * np.pi * 300 * n / 2048)
    >>> x[19 * 512 : 21 * 512] = 0.5 * np.sin(2 * np.pi * 308 * n / 2048)
    >>> process_signal(x)[300_308_010]
    10
    """
    S = compute_spectrogram(x)
    maxima = get_maxima(S)
    heights = S[maxima[:, 0], maxima[:, 1]]
    hashes, times = _hash_all_anchors(maxima, heights, S.shape[1])
    return dict(zip(hashes.tolist(), times.tolist(), strict=True))


def check_signal(x: ArrayLike) -> Floats:
    """Return a signal as one channel of floats, or say what is wrong with it.

    Parameters
    ----------
    x : ndarray of float, signed int or uint8, shape (n,), (channels, n) or (n, channels)
        Signal, as decoders give it. Integers are PCM: the full scale of their dtype becomes -1..1,
        and unsigned bytes are centred at 128, as in a WAV file. Lists of whole numbers become int64
        like everywhere in numpy; their full scale is then 2**63. Channels, the shorter axis and at
        most 8, are averaged.

    Returns
    -------
    ndarray of float32 or float64, shape (n,)
        Float64 for float64, otherwise float32. `x` itself, not a copy, where nothing is to change.

    Raises
    ------
    ValueError
        When `x` is empty, not finite, not real, or not shaped like sound.

    Examples
    --------
    >>> import numpy as np
    >>> from fingerprint import check_signal
    >>> stereo = np.array([[16384, 0, -32768], [0, 0, -32768]], dtype=np.int16)
    >>> check_signal(stereo).tolist()
    [0.25, 0.0, -1.0]
    >>> check_signal(np.array([0, 128, 192], dtype=np.uint8)).tolist()
    [-1.0, 0.0, 0.5]
    """
    try:
        x = np.asarray(x)
    except ValueError:
        raise ValueError(
            f"x must be one array of samples, found a {type(x).__name__} of different parts: "
            "librosa.load returns the samples and their rate, of which x is the first"
        ) from None
    if x.dtype.kind in "OSU" and x.ndim == 0:
        raise ValueError(
            f"x must be samples, found {x.item()!r}: song, fs = librosa.load(path, sr=3000) "
            "reads them from a file"
        )
    if x.ndim not in (1, 2):
        raise ValueError(f"x must have the shape (n,) or be stereo, found the shape {x.shape}")
    if x.size == 0:
        raise ValueError("x must hold at least one sample, found none")
    # an overflow is told as infinity below, with its sample, and needs no warning
    with np.errstate(over="ignore", invalid="ignore"):
        y = _average_channels(_scale_samples(x))
    if not np.isfinite(y).all():
        first = int(np.argmin(np.isfinite(y)))
        raise ValueError(f"x must be finite, found {y[first]} at sample {first}")
    return y


def _scale_samples(x: NDArray[Any]) -> Floats:
    """Return samples as float32 or float64, PCM in -1..1."""
    if x.dtype in (np.float32, np.float64):
        return x
    if x.dtype.kind == "f":
        return x.astype(np.float32)
    if x.dtype.kind == "i":
        return x.astype(np.float32) / np.float32(-float(np.iinfo(x.dtype).min))
    if x.dtype == np.uint8:
        return (x.astype(np.float32) - np.float32(128)) / np.float32(128)
    raise ValueError(f"x must hold floats, signed integers or uint8, found dtype {x.dtype}")


def _average_channels(x: Floats) -> Floats:
    """Return the mean over the channels, the shorter of the two axes."""
    if x.ndim == 1:
        return x
    channels = min(x.shape)
    if channels > MAX_CHANNELS or (channels > 1 and x.shape[0] == x.shape[1]):
        raise ValueError(
            f"x must be (channels, n) or (n, channels) with at most {MAX_CHANNELS} channels, "
            f"found the shape {x.shape}"
        )
    y: Floats = x.mean(axis=int(np.argmin(x.shape)))
    return y


def _list_points(points: Iterable[Point]) -> Iterable[Point]:
    """Return points as something that numpy reads row by row: tables iterate over columns."""
    rows: Iterable[Point] = np.asarray(points) if hasattr(points, "__array__") else list(points)
    return rows


def _read_maxima(maxima: Iterable[Point], shape: tuple[int, ...]) -> Ints:
    """Return `maxima` as an int array (n, 2) inside a spectrogram of this shape."""
    found = np.asarray(_list_points(maxima))
    if found.size == 0:
        return np.empty((0, 2), dtype=np.int64)
    if found.ndim != 2 or found.shape[1] != 2:
        raise ValueError(
            f"maxima must be pairs (bin, frame), found the shape {found.shape}: "
            "np.argwhere gives pairs where np.where gives rows and columns"
        )
    points = _read_whole(found, "maxima")
    if (points < 0).any() or (points >= shape).any():
        raise ValueError(f"maxima must lie inside the spectrogram of shape {shape}")
    return np.ascontiguousarray(points)


def _read_point(point: Point, name: str) -> tuple[int, int]:
    """Return a pair (bin, frame) as plain ints, or say what it is instead."""
    found = np.asarray(point)
    if found.shape != (2,):
        raise ValueError(f"{name} must be a pair (bin, frame), found {point!r}")
    b, t = _read_whole(found, name).tolist()
    return b, t


def _read_whole(values: NDArray[Any], name: str) -> Ints:
    """Return whole numbers of any type as int64."""
    if values.dtype.kind not in "iuf" or (values.dtype.kind == "f" and (values % 1 != 0).any()):
        raise ValueError(f"{name} must be whole numbers, found {values.ravel()[:4].tolist()}")
    return values.astype(np.int64)


@njit(cache=True)
def _keep_highest(
    maxima: Ints,
    heights: Floats,
    anchor_bin: int,
    anchor_frame: int,
    start: SupportsIndex,
    stop: SupportsIndex,
    top: Ints,
    count: int,
) -> int:
    """Merge those of maxima[start:stop] that lie in the anchor's zone into the ranking `top`.

    `top` holds the indices of the `count` highest so far, the highest first, and is changed in
    place; returns the new count. Of equal heights the one seen first stays in front.
    """
    for i in range(start, stop):
        rise = maxima[i, 0] - anchor_bin
        delay = maxima[i, 1] - anchor_frame
        if not (-ZONE_BINS // 2 <= rise < ZONE_BINS // 2 and 1 <= delay <= ZONE_FRAMES):
            continue
        place = count
        while place > 0 and heights[i] > heights[top[place - 1]]:
            place -= 1
        if place == ZONE_MAXIMA:
            continue
        count = min(count + 1, ZONE_MAXIMA)
        for k in range(count - 1, place, -1):
            top[k] = top[k - 1]
        top[place] = i
    return count


@njit(cache=True)
def _hash_pair(anchor_bin: int, anchor_frame: int, point_bin: int, point_frame: int) -> int:
    """Return the assignment's hash of an anchor and a point."""
    return anchor_bin * ANCHOR_FACTOR + point_bin * POINT_FACTOR + point_frame - anchor_frame


@njit(cache=True)
def _hash_all_anchors(maxima: Ints, heights: Floats, n_frames: int) -> tuple[Ints, Ints]:
    """Return the hashes of all anchors and their frames; the maxima come in raster order.

    Raster order makes the zone's part of each row a short slice, found by bisection: an anchor
    looks at its neighbours only, and the cost grows linearly with the signal.
    """
    raster = maxima[:, 0] * n_frames + maxima[:, 1]
    hashes = np.empty(len(maxima) * ZONE_MAXIMA, dtype=np.int64)
    times = np.empty(len(maxima) * ZONE_MAXIMA, dtype=np.int64)
    top = np.empty(ZONE_MAXIMA, dtype=np.int64)
    filled = 0
    for b, t in maxima:
        count = 0
        last = min(t + ZONE_FRAMES, n_frames - 1)
        for row in range(b - ZONE_BINS // 2, b + ZONE_BINS // 2):
            start = np.searchsorted(raster, row * n_frames + t + 1)
            stop = np.searchsorted(raster, row * n_frames + last, side="right")
            count = _keep_highest(maxima, heights, b, t, start, stop, top, count)
        for i in top[:count]:
            hashes[filled] = _hash_pair(b, t, maxima[i, 0], maxima[i, 1])
            times[filled] = t
            filled += 1
    return hashes[:filled], times[:filled]
