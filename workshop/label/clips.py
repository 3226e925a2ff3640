"""What is heard of a pair: the last ten seconds of A, the first ten of B, equally loud.

A clip ends, or begins, with the first sample that is no silence; nothing is faded or added, so that
a player joins two of them without a gap. All have two channels, since one channel played on both
sides is 3 dB louder than a measurement of it says.

Conventions: signals are float32, shape (n, 2), at :data:`RATE_HZ`; levels are in LUFS.
"""

from __future__ import annotations

import io
import os
import threading
import wave
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soxr

from aares.audio.decoding import open_sound
from aares.audio.levels import level_sound
from aares.errors import AudioError

Floats = npt.NDArray[np.floating]

CLIP_VERSION = "1"
RATE_HZ = 44_100
CLIP_S = 10.0
SHORTEST_S = 2.0  # of a clip: less is no end or start of a song
TARGET_LUFS, CEILING_DB = -20.0, -1.0
SILENCE_DB, BELOW_PEAK_DB = -70.0, 50.0  # as the model of joins has it (aares.chaining.edges)
FIRST_READ_S = 40.0  # of a song's edge; all of it where that is silent
AROUND_S = 1.0  # read beyond a cut, so that the filter of a new rate meets no edge there
KEPT = 48  # clips, 1.8 MB each
AHEAD = 8  # pairs whose clips are made before anybody asks


class Piece(NamedTuple):
    """What is heard on one side of a join.

    Attributes
    ----------
    path : Path
        Of the song.
    is_end : bool
        Whether the ten seconds before a place are heard, else those after it.
    at_s : float or None
        The place; None where the song's sound ends or begins.
    speed : float
        2 is twice as fast, and an octave higher.
    """

    path: Path
    is_end: bool
    at_s: float | None = None
    speed: float = 1.0


def cut_piece(piece: Piece) -> Floats:
    """Cut what is heard out of its song.

    Parameters
    ----------
    piece : Piece

    Returns
    -------
    ndarray of float32, shape (n, 2)
        At 44.1 kHz, ten seconds or what the song has.

    Raises
    ------
    AudioError
        The song cannot be read, is silent, or has less than two seconds there.
    """
    name = piece.path.name
    with open_sound(piece.path) as stream:
        sr, n_frames = stream.samplerate, stream.frames
        if piece.at_s is not None:
            return _require_length(_read_place(stream, piece), name)
        for length in (min(round(FIRST_READ_S * sr), n_frames), n_frames):
            start = n_frames - length if piece.is_end else 0
            sound = _trim(_read(stream, start, start + length), is_end=piece.is_end)
            if len(sound) >= CLIP_S * sr or length == n_frames:
                break
    sound = _change_rate(sound, sr, RATE_HZ / piece.speed)
    return _require_length(_keep_clip(sound, is_end=piece.is_end), name)


def _read_place(stream, piece: Piece) -> Floats:
    """Cut at a place in the middle, whose neighbours the new rate's filter is given."""
    sr, at_s, rate = stream.samplerate, float(piece.at_s or 0), RATE_HZ / piece.speed
    reach = CLIP_S * piece.speed
    from_s = max(at_s - (reach if piece.is_end else 0) - AROUND_S, 0.0)
    to_s = at_s + (0 if piece.is_end else reach) + AROUND_S
    start, stop = round(from_s * sr), min(round(to_s * sr), stream.frames)
    sound = _change_rate(_read(stream, start, stop), sr, rate)
    cut = round((at_s - start / sr) * rate)
    return _keep_clip(sound[:cut] if piece.is_end else sound[cut:], is_end=piece.is_end)


def _read(stream, start: int, stop: int) -> Floats:
    """Read frames as two channels; of more than two, both are their mean."""
    stream.seek(start)
    y = stream.read(max(stop - start, 0), "float32", always_2d=True)
    if not np.isfinite(y).all():
        raise AudioError(
            f"{Path(os.fsdecode(stream.name)).name}: expected finite samples, found NaN or inf"
        )
    return y if y.shape[1] == 2 else np.repeat(y.mean(axis=1, keepdims=True), 2, axis=1)


def _trim(y: Floats, *, is_end: bool) -> Floats:
    """Leave out silence at one side: what is 50 dB below the peak, or below -70 dB."""
    high = np.abs(y).max(axis=1, initial=0.0)
    least = max(high.max(initial=0.0) * 10 ** (-BELOW_PEAK_DB / 20), 10 ** (SILENCE_DB / 20))
    heard = np.flatnonzero(high > least)
    if not len(heard):
        return y[:0]
    return y[: heard[-1] + 1] if is_end else y[heard[0] :]


def _change_rate(y: Floats, orig_sr: int, target_sr: float) -> Floats:
    if orig_sr == target_sr or not len(y):
        return y
    return np.asarray(soxr.resample(y, orig_sr, target_sr, quality="soxr_hq"))


def _keep_clip(y: Floats, *, is_end: bool) -> Floats:
    n = round(CLIP_S * RATE_HZ)
    return y[-n:] if is_end else y[:n]


def _require_length(y: Floats, name: str) -> Floats:
    if len(y) < SHORTEST_S * RATE_HZ:
        found = f"found {len(y) / RATE_HZ:.1f} s" if len(y) else "found silence"
        raise AudioError(f"{name}: expected at least {SHORTEST_S:.0f} s of sound, {found}")
    return y


def level_pieces(a: Floats, b: Floats, *, together: bool = False) -> tuple[Floats, Floats]:
    """Bring both sides of a join to -20 LUFS.

    Parameters
    ----------
    a, b : ndarray of float, shape (n, 2)
    together : bool
        The two are one recording: one gain for both, so that nothing jumps.

    Returns
    -------
    a, b : ndarray of float, shape (n, 2)
        Their true peaks are under -1 dB.
    """
    options = {"target_lufs": TARGET_LUFS, "ceiling_db": CEILING_DB}
    if together:
        whole = level_sound(np.concatenate([a, b]), RATE_HZ, **options)
        return whole[: len(a)], whole[len(a) :]
    return level_sound(a, RATE_HZ, **options), level_sound(b, RATE_HZ, **options)


def encode_wav(y: Floats) -> bytes:
    """Return sound as a wav file of 16 bits.

    Parameters
    ----------
    y : ndarray of float, shape (n, 2)
        Beyond [-1, 1] it is clipped.

    Returns
    -------
    bytes

    Examples
    --------
    >>> content = encode_wav(np.zeros((4, 2)))
    >>> content[:4], len(content) - 44
    (b'RIFF', 16)
    """
    stream = io.BytesIO()
    with wave.open(stream, "wb") as sound:
        sound.setnchannels(y.shape[1])
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        sound.writeframes(np.clip(np.round(y * 32_768), -32_768, 32_767).astype("<i2").tobytes())
    return stream.getvalue()


class ClipMaker:
    """Makes wav files of both sides of joins, and keeps the last of them.

    Two who ask for one clip at the same time wait for one cut.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple, Future] = OrderedDict()
        self._guard = threading.Lock()
        self._free = threading.Semaphore(AHEAD)
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="clips")

    def make(self, a: Piece, b: Piece, *, as_recorded: bool = False) -> tuple[bytes, bytes]:
        """Return both sides of a join as wav files.

        Parameters
        ----------
        a, b : Piece
        as_recorded : bool
            As loud as on the record.

        Returns
        -------
        a, b : bytes

        Raises
        ------
        AudioError
            A song cannot be read, see :func:`cut_piece`.
        """
        if is_one_recording(a, b):
            key = (a, b, as_recorded)
            return self._once(key, lambda: _make_together(a, b, as_recorded=as_recorded))
        return (
            self._once((a, as_recorded), lambda: _make_alone(a, as_recorded=as_recorded)),
            self._once((b, as_recorded), lambda: _make_alone(b, as_recorded=as_recorded)),
        )

    def prepare(self, a: Piece, b: Piece) -> None:
        """Begin to make what will be asked for soon, unless much else waits.

        Parameters
        ----------
        a, b : Piece
        """
        if self._free.acquire(blocking=False):
            self._ahead.submit(self.make, a, b).add_done_callback(lambda _: self._free.release())

    def _once(self, key: tuple, work: Callable):
        with self._guard:
            future = self._kept.get(key)
            is_mine = future is None
            if future is None:
                future = self._kept[key] = Future()
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
        if is_mine:
            try:
                future.set_result(work())
            except BaseException as error:
                with self._guard:
                    self._kept.pop(key, None)
                future.set_exception(error)
        return future.result()


def is_one_recording(a: Piece, b: Piece) -> bool:
    """Tell whether B goes on where A was cut.

    Parameters
    ----------
    a, b : Piece

    Returns
    -------
    bool

    Examples
    --------
    >>> song = Path("a.ogg")
    >>> is_one_recording(Piece(song, True, 9.0), Piece(song, False, 9.0))
    True
    >>> is_one_recording(Piece(song, True), Piece(song, False))
    False
    """
    return a.path == b.path and a.at_s is not None and a.at_s == b.at_s


def _make_together(a: Piece, b: Piece, *, as_recorded: bool) -> tuple[bytes, bytes]:
    first, second = cut_piece(a), cut_piece(b)
    if not as_recorded:
        first, second = level_pieces(first, second, together=True)
    return encode_wav(first), encode_wav(second)


def _make_alone(piece: Piece, *, as_recorded: bool) -> bytes:
    y = cut_piece(piece)
    if not as_recorded:
        y = level_sound(y, RATE_HZ, target_lufs=TARGET_LUFS, ceiling_db=CEILING_DB)
    return encode_wav(y)
