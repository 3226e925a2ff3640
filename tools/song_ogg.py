"""Ogg Vorbis files that are the same bytes each time, written whole or not at all.

Used by ``tools/demo_songs.py`` and ``tools/song_catalogue.py``; no notebook needs it.

Conventions: audio is mono in [-1, 1] at `song_synth.SAMPLE_RATE`. An encoder draws the serial
number of its stream at random; here it is replaced by one derived from the file's tags, so that
rendering again gives identical files as long as the encoder library is the same.

References
----------
RFC 3533, "The Ogg Encapsulation Format", section 6 (page header, serial number, checksum).
"""

from __future__ import annotations

import functools
import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf

from tools.song_synth import SAMPLE_RATE

BLOCK = 65536


def encode_ogg(y: np.ndarray, *, tags: dict[str, str], quality: float = 0.3) -> bytes:
    """Encode audio as Ogg Vorbis, the same bytes each time.

    Parameters
    ----------
    y : np.ndarray [shape=(n,)]
        Mono audio at `SAMPLE_RATE`.
    tags : dict
        Any of title, artist, album, license, comment, tracknumber, genre.
    quality : float
        Vorbis quality, 0 (smallest) to 1.

    Returns
    -------
    bytes
        The file; its stream number is derived from the title, not drawn at random.
    """
    buffer = io.BytesIO()
    options: dict[str, Any] = {"format": "OGG", "subtype": "VORBIS"}
    with sf.SoundFile(
        buffer, "w", SAMPLE_RATE, 1, compression_level=1.0 - quality, **options
    ) as file:
        for name, value in tags.items():
            setattr(file, name, value)
        # In one go, a long song overflows the stack of some versions of the encoder.
        for start in range(0, y.size, BLOCK):
            file.write(y[start : start + BLOCK])
    return set_stream_number(buffer.getvalue(), zlib.crc32(repr(sorted(tags.items())).encode()))


@functools.cache
def _crc_table() -> tuple[int, ...]:
    """Return the table of Ogg's checksum (polynomial 0x04c11db7, most significant bit first)."""
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
        table.append(value & 0xFFFFFFFF)
    return tuple(table)


def _checksum(page: bytes) -> int:
    """Return the checksum of a page whose own checksum field is zero."""
    table = _crc_table()
    value = 0
    for byte in page:
        value = ((value << 8) & 0xFFFFFFFF) ^ table[(value >> 24) ^ byte]
    return value


def set_stream_number(data: bytes, number: int) -> bytes:
    """Give all pages of an Ogg file a chosen stream serial number.

    Parameters
    ----------
    data : bytes
        An Ogg file with one stream.
    number : int
        New serial number, 0 to 2**32 - 1.

    Returns
    -------
    bytes
        The same file with new serial numbers and checksums.

    Raises
    ------
    ValueError
        If the bytes are not a whole number of Ogg pages.
    """
    pages = []
    position = 0
    while position < len(data):
        if data[position : position + 4] != b"OggS" or position + 27 > len(data):
            raise ValueError(f"expected an Ogg page at byte {position}")
        n_segments = data[position + 26]
        body = position + 27 + n_segments
        end = body + sum(data[position + 27 : body])
        if end > len(data):
            raise ValueError(f"the Ogg page at byte {position} is cut short")
        page = bytearray(data[position:end])
        page[14:18] = struct.pack("<I", number)
        page[22:26] = bytes(4)
        page[22:26] = struct.pack("<I", _checksum(bytes(page)))
        pages.append(bytes(page))
        position = end
    return b"".join(pages)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that it is either whole or absent.

    Parameters
    ----------
    path : Path
        File; its folder is made if it is not there.
    data : bytes
        Content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    partial.write_bytes(data)
    partial.replace(path)
