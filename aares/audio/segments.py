"""The part of a song that its features are measured on.

Used by notebook 06. The 'chainable songs' study compares 0:00-0:30, 0:30-1:00 (its choice),
1:00-1:30 and 0:30-1:30; `intro` and `outro` are where two songs meet. Of a file only the segment is
decoded.

Conventions
-----------
Signals are mono, float32, at 22,050 Hz unless another rate is asked for. A song that ends before
the segment does gives the last seconds that it has, as many as the segment has, and says so; a song
under 5 s gives none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aares.audio.decoding import change_rate, open_sound, read_mono
from aares.errors import AudioError

RATE_HZ = 22050  # librosa's default, at which the study's features are defined
SEGMENT = "0:30-1:00"  # the study's choice
SEGMENTS = ("0:00-0:30", "0:30-1:00", "1:00-1:30", "0:30-1:30", "intro", "outro", "whole")
EDGE_S = 30.0  # of intro and outro
SHORTEST_S = 5.0  # of a song: less is reported and skipped


@dataclass(frozen=True)
class Segment:
    """A part of a song.

    Attributes
    ----------
    y : ndarray of float32, shape (n,)
    rate : int
        Samples a second, in Hz.
    start_s : float
        Where it begins in the song.
    is_short : bool
        The song ends before the segment does: these are the last seconds that it has.
    """

    y: np.ndarray
    rate: int
    start_s: float
    is_short: bool


def parse_segment(segment: str) -> tuple[float, float]:
    """Return where a segment begins and how long it is.

    Parameters
    ----------
    segment : str
        One of `SEGMENTS`, or any other ``m:ss-m:ss``.

    Returns
    -------
    start_s : float
        Negative: before the end of the song.
    length_s : float
        Infinite: all of the song.

    Raises
    ------
    ValueError
        It is none.

    Examples
    --------
    >>> parse_segment("0:30-1:00"), parse_segment("outro"), parse_segment("whole")
    ((30.0, 30.0), (-30.0, 30.0), (0.0, inf))
    >>> parse_segment("1:00-0:30")
    Traceback (most recent call last):
    ValueError: segment: expected one of 0:00-0:30, 0:30-1:00, 1:00-1:30, 0:30-1:30, intro, outro, \
whole, or another m:ss-m:ss that ends after it begins, found '1:00-0:30'
    """
    named = {"intro": (0.0, EDGE_S), "outro": (-EDGE_S, EDGE_S), "whole": (0.0, np.inf)}
    if segment in named:
        return named[segment]
    times = re.fullmatch(r"(\d+):([0-5]\d)-(\d+):([0-5]\d)", str(segment), re.ASCII)
    start_s, end_s = 0.0, 0.0
    if times:
        minutes, seconds, to_minutes, to_seconds = map(int, times.groups())
        start_s, end_s = 60.0 * minutes + seconds, 60.0 * to_minutes + to_seconds
    if start_s >= end_s:
        raise ValueError(
            f"segment: expected one of {', '.join(SEGMENTS)}, or another m:ss-m:ss that ends "
            f"after it begins, found {segment!r}"
        )
    return start_s, end_s - start_s


def place_segment(segment: str, n_frames: int, rate: int) -> tuple[int, int, bool]:
    """Return the frames of a segment in a song of a known length.

    Parameters
    ----------
    segment : str
        See :func:`parse_segment`.
    n_frames : int
        Of the song.
    rate : int
        Frames a second.

    Returns
    -------
    start, stop : int
    is_short : bool
        The song ends before the segment does.

    Examples
    --------
    >>> place_segment("0:30-1:00", 100 * 8000, 8000)
    (240000, 480000, False)
    >>> place_segment("0:30-1:00", 40 * 8000, 8000)  # the last 30 s of 40
    (80000, 320000, True)
    >>> place_segment("outro", 20 * 8000, 8000)  # all of 20
    (0, 160000, True)
    """
    start_s, length_s = parse_segment(segment)
    if length_s == np.inf:
        return 0, n_frames, False
    length = int(length_s * rate)
    start = int(start_s * rate) if start_s >= 0 else max(n_frames - length, 0)
    if start + length <= n_frames:
        return start, start + length, False
    return max(n_frames - length, 0), n_frames, True


def read_segment(
    song: str | Path | np.ndarray,
    segment: str = SEGMENT,
    *,
    sr: int | None = None,
    rate: int = RATE_HZ,
) -> Segment:
    """Return a part of a song, of which no more than this is decoded.

    Parameters
    ----------
    song : str, Path or ndarray of float, shape (n,)
        A file, or the samples of a whole song.
    segment : str
        One of `SEGMENTS`, or any other ``m:ss-m:ss``.
    sr : int, optional
        Of samples, and needed for them: their rate in Hz.
    rate : int
        Of the result, in Hz.

    Returns
    -------
    Segment
        Of a file, the samples of ``librosa.load(song, sr=rate, offset=..., duration=...)``.

    Raises
    ------
    AudioError
        The file cannot be read up to the end of the segment, samples are not finite, or the song is
        shorter than 5 s.
    ValueError
        There is no such segment; samples without `sr`, a file with one, or several channels.

    Examples
    --------
    >>> song = np.zeros(70 * 8000)
    >>> part = read_segment(song, "1:00-1:30", sr=8000, rate=8000)
    >>> part.y.shape, part.start_s, part.is_short
    ((240000,), 40.0, True)
    """
    parse_segment(segment)
    if not isinstance(song, str | Path):
        song = np.asarray(song)
        _check_samples(song, sr)
        name, native_sr, n_frames = "these samples", int(sr or 0), len(song)
        _require_length(name, n_frames, native_sr)
        start, stop, is_short = place_segment(segment, n_frames, native_sr)
        y = song[start:stop].astype(np.float32)
        if not np.isfinite(y).all():
            raise AudioError(f"{name}: expected finite samples, found NaN or infinity")
    else:
        if sr is not None:
            raise ValueError(f"sr: expected none beside a file, which has its own, found {sr}")
        with open_sound(song) as stream:
            native_sr, n_frames = stream.samplerate, stream.frames
            _require_length(Path(song).name, n_frames, native_sr)
            start, stop, is_short = place_segment(segment, n_frames, native_sr)
            y = read_mono(stream, start, stop)
            _require_length(Path(song).name, start + len(y), native_sr)
    y = change_rate(y, orig_sr=native_sr, target_sr=rate)
    return Segment(y, rate, start / native_sr, is_short)


def _check_samples(song: np.ndarray, sr: int | None) -> None:
    if sr is None or not sr > 0:
        raise ValueError(f"sr: expected the rate of the samples in Hz, found {sr}")
    if song.ndim != 1:
        raise ValueError(
            f"song: expected samples of one channel, shape (n,), found {song.shape}; "
            "average the channels"
        )
    if not np.issubdtype(song.dtype, np.floating):
        raise ValueError(f"song: expected samples as float in [-1, 1], found {song.dtype}")


def _require_length(name: str, n_frames: int, sr: int) -> None:
    if n_frames < SHORTEST_S * sr:
        raise AudioError(
            f"{name}: expected at least {SHORTEST_S:.0f} s of sound, found {n_frames / sr:.1f} s"
        )
