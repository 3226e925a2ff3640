"""How long an MPEG audio file really is: its frames, counted.

Used by :mod:`aares.audio.streams`. The header of an mp3 counts the frames of the file that an
encoder wrote, or is missing: of files put together, cut or of a changing bit rate, libsndfile then
takes the first part for the whole without a word.

References
----------
.. [1] ISO/IEC 11172-3:1993, section 2.4.2.3, and 13818-3: the header of a frame.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from aares.audio.content import Content, open_content

RATES_HZ = (44100, 48000, 32000)  # of version 1; halves and quarters in versions 2 and 2.5
KBITS = {
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),  # version 1, layer II
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
IN_A_ROW = 3  # frames that follow one another, before bytes are taken for frames


class Frames(NamedTuple):
    """What the frames of a file come to.

    Parameters
    ----------
    seconds : float
        With the padding of the encoder; tags and junk between frames do not count.
    counted : bool
        A header states how many there are: fewer are a truncated file. Without it the length that
        a library reports is a guess from the rate of the first frame.
    """

    seconds: float
    counted: bool


def measure_mpeg(path: str | Path) -> Frames:
    """Measure an mp3 or mp2 file frame by frame.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Frames

    Examples
    --------
    Forty frames of 1152 samples at 44.1 kHz and 128 kb/s, with a tag in their middle:

    >>> import tempfile
    >>> frame = b"\\xff\\xfb\\x90\\x00" + bytes(413)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "two.mp3")
    ...     _ = file.write_bytes(20 * frame + b"TAG" + bytes(125) + 20 * frame)
    ...     seconds, counted = measure_mpeg(file)
    >>> round(seconds * 44100 / 1152, 6), counted
    (40.0, False)
    """
    with open_content(path) as content:
        return _walk(content)


def _walk(content: Content) -> Frames:
    seconds, place, end = 0.0, 0, len(content)
    synchronous = counted = False
    while 0 <= place < end - 4:
        length, duration_s = _read_header(content[place : place + 4])
        if length and (synchronous or _runs_on(content, place)):
            if place + length > end:
                break  # cut in this frame
            if not seconds:
                first = content[place : place + length]
                counted = any(mark in first for mark in (b"Xing", b"Info", b"VBRI"))
            seconds += duration_s
            place += length
            synchronous = True
        else:
            synchronous = False
            place = content.find(b"\xff", place + 1)
    return Frames(seconds, counted)


def _runs_on(content: Content, place: int) -> bool:
    for _ in range(IN_A_ROW):
        length, _duration_s = _read_header(content[place : place + 4])
        if not length:
            return False
        place += length
        if place >= len(content) - 4:
            break
    return True


@lru_cache(1 << 12)  # a file has few different ones
def _read_header(head: bytes) -> tuple[int, float]:
    """Return a frame's length in bytes and in seconds, 0 where these are no header."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0, 0.0
    version = {3: 1, 2: 2, 0: 4}.get(head[1] >> 3 & 3, 0)  # 1, 2 and 2.5, which has a quarter
    layer = {2: 2, 1: 3}.get(head[1] >> 1 & 3, 0)
    rate_code, kbit_code = head[2] >> 2 & 3, head[2] >> 4
    if not version or not layer or rate_code == 3 or kbit_code in (0, 15):
        return 0, 0.0
    rate = RATES_HZ[rate_code] // version
    samples = 576 if layer == 3 and version > 1 else 1152
    kbits = KBITS[min(version, 2), layer][kbit_code - 1]
    return samples * kbits * 125 // rate + (head[2] >> 1 & 1), samples / rate
