"""Sound that is still coming: raw samples of a pipe, encoded streams, a microphone.

Used by the command ``listen``. Where :mod:`aares.audio.streams` may wait until a pipe has given
enough, here a block goes out as soon as its samples are there.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Protocol

import numpy as np

from aares.audio.ffmpeg import FfmpegSound, find_ffmpeg
from aares.audio.sources import HEAD_BYTES, Source
from aares.audio.streams import Blocks
from aares.errors import AudioError

FORMATS = {"s16le": ("<i2", 1 / 32768), "f32le": ("<f4", 1.0)}
SLOWEST_HZ, FASTEST_HZ, MOST_CHANNELS = 1000, 1_000_000, 64
PIECE_S = 0.25  # read at a time
MICROPHONE_HZ = 16_000


class MicrophoneError(AudioError):
    """Nothing can be recorded."""


class Readable(Protocol):
    """Something that gives bytes as soon as it has some."""

    def read(self, size: int, /) -> bytes | None:
        """Return at most so many bytes; none at the end.

        Parameters
        ----------
        size : int

        Returns
        -------
        bytes or None
        """


def open_pcm(
    stream: Readable,
    *,
    rate: int,
    channels: int = 1,
    kind: str = "s16le",
    name: str = "standard input",
    sr: int = 8000,
    block_s: float = 1.0,
) -> Blocks:
    """Open raw samples to be heard block by block.

    Parameters
    ----------
    stream : readable
        Of bytes.
    rate : int
        Of the samples, in Hz.
    channels : int
        Interleaved.
    kind : {"s16le", "f32le"}
        Whole numbers of 16 bits, or floats of 32, the lowest byte first.
    name : str
        For messages.
    sr : int
        Of the blocks, in Hz.
    block_s : float
        Length of a block in seconds.

    Returns
    -------
    Blocks

    Raises
    ------
    AudioError
        There are no samples.
    ValueError
        Rate, channels or format are none that sound has.

    Examples
    --------
    >>> import io
    >>> sound = np.full(16_000, 0.5, dtype="<f4").tobytes()
    >>> blocks = open_pcm(io.BytesIO(sound), rate=8000, kind="f32le")
    >>> [(len(block), float(block[9])) for block in blocks]
    [(8000, 0.5), (8000, 0.5)]
    """
    if kind not in FORMATS:
        raise ValueError(f"format: expected one of {', '.join(FORMATS)}, found {kind!r}")
    if not SLOWEST_HZ <= rate <= FASTEST_HZ:
        raise ValueError(f"rate: expected {SLOWEST_HZ} to {FASTEST_HZ} Hz, found {rate}")
    if not 1 <= channels <= MOST_CHANNELS:
        raise ValueError(f"channels: expected 1 to {MOST_CHANNELS}, found {channels}")
    source = Source(name, None, b"", None, None)
    pieces = _read_pieces(stream, rate, channels, kind)
    return _LiveBlocks(source, pieces, sr=sr, block_s=block_s)


def open_live(
    stream: Readable, *, name: str = "standard input", sr: int = 8000, block_s: float = 1.0
) -> Blocks:
    """Open an encoded stream, such as a radio's, to be heard while it comes.

    Parameters
    ----------
    stream : readable
        Of bytes, in any format that ffmpeg reads without going back.
    name : str
        For messages.
    sr : int
        Of the blocks, in Hz.
    block_s : float
        Length of a block in seconds.

    Returns
    -------
    Blocks

    Raises
    ------
    AudioError
        Nothing can be decoded, or ffmpeg is not installed.

    Examples
    --------
    >>> import io
    >>> open_live(io.BytesIO(b""))
    Traceback (most recent call last):
        ...
    aares.errors.AudioError: standard input: expected sound, found nothing in the pipe
    """
    head = b""
    while len(head) < HEAD_BYTES and (part := stream.read(HEAD_BYTES - len(head))):
        head += part
    if not head:
        raise AudioError(f"{name}: expected sound, found nothing in the pipe")
    program = find_ffmpeg()
    if program is None:
        raise AudioError(
            f"{name}: expected raw samples (--rate), found an encoded stream; ffmpeg, which is not "
            "installed here, would decode it"
        )
    source = Source(name, None, head, stream, None)  # type: ignore[arg-type]
    return _LiveBlocks(source, _decode_pieces(program, source), sr=sr, block_s=block_s)


class _LiveBlocks(Blocks):
    """Blocks of pieces that come from elsewhere."""

    def __init__(
        self,
        source: Source,
        pieces: Iterator[tuple[int, np.ndarray]],
        *,
        sr: int,
        block_s: float,
    ) -> None:
        self._pieces = pieces
        super().__init__(source, sr=sr, block_s=block_s, strict=False)

    def _decode(self) -> Iterator[tuple[int, np.ndarray]]:
        for rate, samples in self._pieces:
            self._advance(len(samples), rate)
            yield rate, samples


def _read_pieces(
    stream: Readable, rate: int, channels: int, kind: str
) -> Iterator[tuple[int, np.ndarray]]:
    dtype, scale = FORMATS[kind]
    width = np.dtype(dtype).itemsize * channels
    size, rest = max(1, round(PIECE_S * rate)) * width, b""
    while part := stream.read(size):
        content = rest + part
        whole = len(content) // width * width
        samples, rest = np.frombuffer(content[:whole], dtype), content[whole:]
        if len(samples):
            yield rate, samples.reshape(-1, channels).astype(np.float32) * np.float32(scale)


def _decode_pieces(program: str, source: Source) -> Iterator[tuple[int, np.ndarray]]:
    with FfmpegSound(program, source) as sound:
        while len(samples := sound.read(max(1, round(PIECE_S * sound.samplerate)))):
            yield sound.samplerate, samples


def list_recorders(device: str | None = None, *, platform: str = sys.platform) -> list[list[str]]:
    """List the commands that record from a microphone, the best first.

    Parameters
    ----------
    device : str, optional
        As the programs name it.
    platform : str
        As in `sys.platform`.

    Returns
    -------
    list of list of str
        Each writes whole numbers of 16 bits, one channel at 16 kHz, to its standard output.

    Examples
    --------
    >>> [words[0] for words in list_recorders(platform="linux")]
    ['parec', 'arecord', 'ffmpeg']
    >>> "avfoundation" in list_recorders(platform="darwin")[0]
    True
    """
    rate = str(MICROPHONE_HZ)
    convert = ["-ac", "1", "-ar", rate, "-f", "s16le", "pipe:1"]
    quiet = ["ffmpeg", "-nostdin", "-nostats", "-loglevel", "error"]
    if platform == "darwin":
        return [[*quiet, "-f", "avfoundation", "-i", device or ":default", *convert]]
    if platform == "win32":
        # Windows knows no default by name: without one, ffmpeg says what is there
        name = ["-i", f"audio={device}"] if device else ["-list_devices", "true", "-i", "dummy"]
        return [[*quiet, "-f", "dshow", *name, *convert]]
    pulse = [f"--device={device}"] if device else []
    return [
        ["parec", "--format=s16le", f"--rate={rate}", "--channels=1", "--latency-msec=200", *pulse],
        ["arecord", "-q", "-t", "raw", "-f", "S16_LE", "-r", rate, "-c", "1",
         *(["-D", device] if device else [])],
        [*quiet, "-f", "alsa", "-i", device or "default", *convert],
    ]  # fmt: skip


@contextmanager
def open_microphone(device: str | None = None, *, block_s: float = 1.0) -> Iterator[Blocks]:
    """Record from a microphone, as long as it is wanted.

    Parameters
    ----------
    device : str, optional
    block_s : float
        Length of a block in seconds.

    Yields
    ------
    Blocks
        At 8 kHz.

    Raises
    ------
    MicrophoneError
        No program that records is installed, or it finds no microphone.
    """
    recorders = list_recorders(device)
    reasons = []
    for words in recorders:
        if not shutil.which(words[0]):
            continue
        with tempfile.TemporaryFile() as said, _start(words, said) as process:
            try:
                blocks = _hear_recorder(process, words[0], said, block_s)
            except MicrophoneError as error:
                reasons.append(str(error))
                continue
            try:
                yield blocks
            finally:
                process.terminate()
            return
    names = " or ".join(words[0] for words in recorders)
    found = "; ".join(reasons) or "none installed"
    raise MicrophoneError(f"expected a program that records ({names}), found {found}")


def _start(words: list[str], said: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, bufsize=0
    )


def _hear_recorder(
    process: subprocess.Popen[bytes], name: str, said: IO[bytes], block_s: float
) -> Blocks:
    assert process.stdout is not None
    try:
        return open_pcm(process.stdout, rate=MICROPHONE_HZ, name=name, block_s=block_s)
    except AudioError as error:
        process.wait()
        said.seek(0)
        lines = said.read().decode("utf-8", "backslashreplace").split("\n")
        reason = next((line.strip() for line in reversed(lines) if line.strip()), "")
        raise MicrophoneError(f"{name}, which records nothing ({reason or error})") from error
