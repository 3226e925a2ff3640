"""Decode sound block by block, from whatever holds it, and keep what can be decoded.

Used by :mod:`aares.identify`, and by :func:`aares.audio.load_audio` in its strict way. The content
of a file decides how it is read: by libsndfile where that reads it, else by ffmpeg where that is
installed. Hours of sound take the memory of a block.

Conventions
-----------
Blocks are mono, float32; times are in seconds. Put together, the blocks are the samples that
decoding at once gives, whatever their length.

Two ways: *strict*, for exercises, in which half a song or a wrong channel would be a wrong result
without a word: a damaged file is an error, and channels are averaged as the assignment says.
*Lenient*, for the identifier, to which any seconds of sound are welcome: what can be decoded is
kept, and `Blocks.notes` says what is missing or was mended.
"""

from __future__ import annotations

import io
import re
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr

from aares.audio import ffmpeg
from aares.audio.channels import Mixer, average_channels
from aares.audio.mpeg import measure_mpeg
from aares.audio.sources import (
    Source,
    encode_path,
    find_links,
    is_encrypted,
    open_source,
    sniff_format,
)
from aares.errors import AudioError

# An mp3's header counts the encoder's padding: whole files fall short of it by up to 0.17 s.
PADDING_S = 0.3
PADDING_SHARE = 0.001  # and where a header estimates the length from the rate, by this share
PIECE_FRAMES = 1 << 16  # decoded at a time: of a piece with damage in it nothing is kept
LOUDEST = 1e6  # no sample is louder; integers written as floats reach 2e9 / 2e3
SLOWEST_HZ, FASTEST_HZ = 100, 1_000_000  # rates of sound; others are damaged headers
UNKNOWN_BYTES = 0x7FFF0000  # a header written before its file's length was known says so
SENSIBLE_S = 1.0  # less than that out of a damaged file is noise that looks like sound
FOREIGN = frozenset({"aac", "ac3", "ape", "asf", "avi", "flv", "matroska", "mp4", "mpeg", "mpegts",
                     "wavpack"})  # fmt: skip


def open_blocks(
    source: str | Path, *, sr: int = 8000, block_s: float = 60.0, strict: bool = False
) -> Blocks:
    """Open sound to be decoded block by block.

    Parameters
    ----------
    source : str or Path
        A file, ``-`` for standard input, or a named pipe.
    sr : int
        Sampling rate of the blocks in Hz.
    block_s : float
        Length of a block in seconds; the last one may be shorter.
    strict : bool
        Refuse what is damaged.

    Returns
    -------
    Blocks
        To be iterated once.

    Raises
    ------
    AudioError
        Nothing sensible can be decoded; strict: not everything. Also while iterating.
    ValueError
        The rate or the length of a block is not positive.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sf.write(Path(folder) / "tone.wav", 0.1 * np.ones((20_000, 2)), 8000)
    ...     blocks = open_blocks(Path(folder) / "tone.wav", block_s=1.0)
    ...     [len(block) for block in blocks]
    [8000, 8000, 4000]
    >>> blocks.decoded_s, blocks.promised_s, blocks.decoder, blocks.notes
    (2.5, 2.5, 'libsndfile', [])
    """
    if not sr > 0 or not round(block_s * sr) > 0:
        raise ValueError(f"expected sr > 0 and block_s > 0, found {sr} Hz and {block_s} s")
    return Blocks(open_source(source), sr=sr, block_s=block_s, strict=strict)


class Blocks:
    """Blocks of sound; see `open_blocks`.

    Parameters
    ----------
    source : Source
    sr : int
    block_s : float
    strict : bool

    Attributes
    ----------
    decoded_s : float
        What was decoded so far; of the whole after the last block.
    promised_s : float or None
        What the file says that it holds; None where it does not say, or not so that one can tell.
    decoder : {"libsndfile", "ffmpeg"}
    notes : list of str
        What is missing or was mended, a sentence each.
    """

    def __init__(self, source: Source, *, sr: int, block_s: float, strict: bool) -> None:
        self.decoded_s = 0.0
        self.promised_s: float | None = None
        self.decoder = "libsndfile"
        self.notes: list[str] = []
        self._source, self._sr, self._strict = source, sr, strict
        self._done: tuple[int, int] = (0, 1)  # frames that were decoded, at which rate
        self._unreal = 0
        self._blocks = _cut(self._resample(), round(block_s * sr))
        self._first: list[np.ndarray] = []
        self._first = [next(self._blocks)]  # what cannot be opened is said at once

    def __iter__(self) -> Iterator[np.ndarray]:
        while self._first:
            yield self._first.pop()
            yield from self._blocks

    def close(self) -> None:
        """End decoding before its end."""
        self._blocks.close()

    # --- from native samples to blocks ----------------------------------------------------------

    def _resample(self) -> Iterator[np.ndarray]:
        voice: _Voice | None = None
        for rate, samples in self._decode():
            if voice is None or (voice.rate, voice.channels) != (rate, samples.shape[1]):
                if voice is not None:
                    yield self._count(voice.push(samples[:0, :1], last=True))
                    self._note_cancelling(voice)
                    self._note(f"its sampling rate or channels change after {self.decoded_s:.1f} s")
                voice = _Voice(rate, samples.shape[1], self._sr, plain=self._strict)
            yield self._count(voice.push(self._mend(samples)))
        if voice is not None:
            yield self._count(voice.push(np.zeros((0, voice.channels), np.float32), last=True))
            self._note_cancelling(voice)
        self._conclude()

    def _count(self, y: np.ndarray) -> np.ndarray:
        self.decoded_s += len(y) / self._sr
        return y

    def _mend(self, samples: np.ndarray) -> np.ndarray:
        if len(samples) == 0 or -LOUDEST < samples.min() <= samples.max() < LOUDEST:
            return samples
        if self._strict:
            if np.isfinite(samples).all():
                return samples
            raise AudioError(f"{self._source.name}: expected finite samples, found NaN or infinity")
        unreal = ~(np.abs(samples) < LOUDEST)
        self._unreal += int(unreal.any(axis=1).sum())
        return np.where(unreal, np.float32(0), samples)

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes and len(self.notes) < 20:
            self.notes.append(sentence)

    def _note_cancelling(self, voice: _Voice) -> None:
        if voice.mixer.cancelled_s >= 1:
            self._note(
                f"its channels cancel each other for {voice.mixer.cancelled_s:.0f} s: "
                "there the loudest one is taken, not their mean"
            )

    def _conclude(self) -> None:
        """Say what is missing, or refuse."""
        name, promised_s = self._source.name, self.promised_s
        frames, rate = self._done
        missing = misses_sound(frames / rate, promised_s)
        if frames == 0:
            raise AudioError(f"{name}: expected sound, found 0 samples")
        if self._unreal == frames:
            raise AudioError(f"{name}: expected finite samples, found only NaN or infinity")
        if self._strict and missing:
            raise AudioError(
                f"{name}: truncated, {frames / rate:.1f} s of {promised_s:.1f} s can be decoded"
            )
        if (missing or self.notes) and self.decoded_s < min(SENSIBLE_S, promised_s or SENSIBLE_S):
            raise AudioError(
                f"{name}: expected sound, found {self.decoded_s:.2f} s in a damaged file"
                + (f" ({self.notes[0]})" if self.notes else "")
            )
        if missing:
            self._note(f"{self.decoded_s:.1f} s of {promised_s:.1f} s can be decoded")
        if self._unreal:
            self._note(f"{self._unreal} samples are not numbers and were taken for silence")

    # --- from files to native samples -----------------------------------------------------------

    def _decode(self) -> Iterator[tuple[int, np.ndarray]]:
        source, program = self._source, ffmpeg.find_ffmpeg()
        kind = sniff_format(source.content)
        if kind == "mp4" and is_encrypted(source):
            raise AudioError(
                f"{source.name}: expected sound that may be read, found an encrypted file (DRM)"
            )
        reason = None
        if source.rest is not None:
            reason = "it is longer than what is kept of a pipe"
        elif kind in FOREIGN:
            reason = f"the format is {kind}"
        else:
            try:
                yield from self._ask_libsndfile(kind)
            except sf.LibsndfileError as error:
                reason = _explain(error)
            except _ShortenedError as error:
                reason = str(error)
        frames, rate = self._done
        if reason is None:
            if self._strict or program is None or not misses_sound(frames / rate, self.promised_s):
                return
        elif frames and self._strict:
            raise AudioError(f"{source.name}: not readable as audio ({reason})")
        elif program is None:
            if not frames:
                raise AudioError(
                    f"{source.name}: not readable as audio ({reason}); "
                    "ffmpeg, which is not installed here, may read it"
                )
            self._note(f"libsndfile gave up after {frames / rate:.1f} s ({reason})")
            return
        yield from self._ask_ffmpeg(program, reason)

    def _ask_libsndfile(self, kind: str | None) -> Iterator[tuple[int, np.ndarray]]:
        source = self._source
        promised_s: float | None = 0.0
        for file in _list_parts(source, kind):
            with _Forward(file) as sound:
                rate, frames = self._check_rate(sound.samplerate), sound.frames
                known = 0 <= frames < ffmpeg.LONGEST_S * rate
                promised_s = (
                    promised_s + frames / rate if known and promised_s is not None else None
                )
                if sound.format == "MP3" and source.path is not None:
                    promised_s = self._check_mpeg(source.path, frames / rate)
                elif promised_s is not None:
                    promised_s += _measure_lack(sound.extra_info, frames) / rate
                self.promised_s = promised_s
                size = _limit_piece(sound.channels)
                while len(samples := sound.read(size, "float32", always_2d=True)):
                    self._advance(len(samples), rate)
                    yield rate, samples

    def _ask_ffmpeg(self, program: str, reason: str | None) -> Iterator[tuple[int, np.ndarray]]:
        """Decode from where libsndfile ended."""
        frames, rate = self._done
        try:
            sound = ffmpeg.FfmpegSound(program, self._source)
        except AudioError as error:
            if frames:
                self._note(f"libsndfile gave up after {frames / rate:.1f} s ({reason})")
                return
            if reason and self._source.rest is None and "readable" in str(error):
                raise AudioError(f"{error}; libsndfile: {reason}") from error
            raise
        with sound:
            skip = round(frames * sound.samplerate / rate)
            self._check_rate(sound.samplerate)
            while len(samples := sound.read(4 * _limit_piece(sound.channels))):
                if skip >= len(samples):
                    skip -= len(samples)
                    continue
                samples, skip = samples[skip:], 0
                self.decoder = "ffmpeg"
                self._advance(len(samples), sound.samplerate)
                yield sound.samplerate, samples
            if not frames:
                self.promised_s = sound.promised_s or self.promised_s
            if sound.complaints and self._strict:
                raise AudioError(f"{self._source.name}: damaged ({sound.complaints[0]})")
            if self.decoder == "ffmpeg" and sound.complaints:
                self._note(f"it is damaged ({sound.complaints[0]})")
            elif reason and frames:
                self._note(f"libsndfile gave up after {frames / rate:.1f} s ({reason})")

    def _check_mpeg(self, path: Path, claimed_s: float) -> float:
        """Return what an mp3 promises: what its header counts, or else what its frames come to."""
        real_s, counted = measure_mpeg(path)
        self.promised_s = max(claimed_s, real_s) if counted else real_s
        if misses_sound(claimed_s, real_s) and ffmpeg.find_ffmpeg():
            raise _ShortenedError(f"it would read {claimed_s:.1f} s of {real_s:.1f} s")
        return self.promised_s

    def _check_rate(self, rate: int) -> int:
        if not SLOWEST_HZ <= rate <= FASTEST_HZ:
            raise AudioError(
                f"{self._source.name}: expected {SLOWEST_HZ} to {FASTEST_HZ} samples a second, "
                f"found {rate}"
            )
        return rate

    def _advance(self, frames: int, rate: int) -> None:
        done, before = self._done
        self._done = (frames + (done if before == rate else round(done * rate / before)), rate)


class _Forward(sf.SoundFile):
    """Reads straight on: soundfile seeks after each piece, which fails where a file is damaged."""

    def seekable(self) -> bool:
        return False


class _ShortenedError(Exception):
    """libsndfile would take the first part of a file for the whole."""


class _Voice:
    """A stretch of one rate and number of channels on its way to the blocks."""

    def __init__(self, rate: int, channels: int, target: int, *, plain: bool) -> None:
        self.rate, self.channels, self._target = rate, channels, target
        self.mixer = Mixer(rate)
        self._plain = plain
        self._taken = self._given = 0
        same = rate == target
        self._stream = None if same else soxr.ResampleStream(rate, target, 1, "float32", "HQ")

    def push(self, samples: np.ndarray, *, last: bool = False) -> np.ndarray:
        """Take native samples; return what is finished of them at the new rate."""
        if self._plain:
            y = average_channels(samples) if len(samples) else np.zeros(0, np.float32)
        else:
            y = self.mixer.mix(samples, last=last)
        self._taken += len(y)
        if self._stream is not None:
            y = self._stream.resample_chunk(np.ascontiguousarray(y), last=last)
        if last:  # as many as change_rate gives
            left = int(np.ceil(self._taken * (self._target / self.rate))) - self._given
            y = np.pad(y[:left], (0, max(0, left - len(y))))
        self._given += len(y)
        return y


def misses_sound(decoded_s: float, promised_s: float | None) -> bool:
    """Tell whether a file gave less sound than it promised.

    Parameters
    ----------
    decoded_s : float
    promised_s : float or None
        None: it did not say.

    Returns
    -------
    bool

    Examples
    --------
    Encoders pad: a little is always missing.

    >>> misses_sound(59.9, 60.0), misses_sound(30.0, 60.0), misses_sound(30.0, None)
    (False, True, False)
    """
    if promised_s is None:
        return False
    return promised_s - decoded_s > max(PADDING_S, PADDING_SHARE * promised_s)


def _limit_piece(channels: int) -> int:
    return max(1, 2 * PIECE_FRAMES // max(2, channels))


def _measure_lack(log: str, frames: int) -> float:
    """Return how many frames a header claims beyond the end of the file, as libsndfile logs it."""
    found = re.search(
        r"^\s*(?:data|SSND|Data Size)\s*: (\d+) \(should be (\d+)\)", log, re.MULTILINE
    )
    if found is None:
        return 0.0
    claimed, there = int(found[1]), int(found[2])
    if there == 0 or claimed >= UNKNOWN_BYTES:
        return 0.0
    return max(0.0, frames * (claimed / there - 1))


def _explain(error: sf.LibsndfileError) -> str:
    reason = str(error.error_string).strip().rstrip(".")
    return "no sound in it" if "does not exist" in reason else reason  # it does: it is no mp3


def _list_parts(source: Source, kind: str | None) -> Iterator[str | bytes | io.BytesIO]:
    """List what libsndfile is to read one after another: it ends with the first link of a chain."""
    if source.path is None:
        yield io.BytesIO(source.content)
        return
    links = find_links(source.path) if kind == "ogg" else []
    if len(links) < 2:
        yield encode_path(source.path)
        return
    for start, end in links:
        with source.path.open("rb") as file:
            file.seek(start)
            yield io.BytesIO(file.read(end - start))


def _cut(pieces: Iterator[np.ndarray], length: int) -> Generator[np.ndarray, None, None]:
    """Cut what comes into blocks of one length."""
    held: list[np.ndarray] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= length:
            y = np.concatenate(held)
            whole = size // length * length
            yield from (y[start : start + length] for start in range(0, whole, length))
            held, size = [y[whole:]], size - whole
    if size:
        yield np.concatenate(held)
