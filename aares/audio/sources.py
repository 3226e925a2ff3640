"""Where sound comes from: a file, standard input or a pipe, and what its content says it is.

Used by :mod:`aares.audio.streams`. Names say little about content (an m4a is often called .mp3),
so the first bytes decide.
"""

from __future__ import annotations

import os
import stat
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from aares.audio.content import Content, open_content
from aares.errors import AudioError

HELD_BYTES = 1 << 26  # of a pipe, kept in memory, so that formats can be read that need seeking
HEAD_BYTES = 4096  # enough to tell a format
MEDIA = frozenset(
    ".3g2 .3gp .aac .ac3 .adts .aif .aifc .aiff .alac .amr .ape .asf .au .avi .caf .dff .dsf .dts "
    ".eac3 .f4a .f4v .flac .flv .m2ts .m4a .m4b .m4p .m4r .m4v .mka .mkv .mov .mp2 .mp3 .mp4 .mpa "
    ".mpc .mpeg .mpg .mts .mxf .oga .ogg .ogm .ogv .ogx .opus .ra .rf64 .rm .rmvb .snd .spx .tak "
    ".tta .vob .voc .w64 .wav .wave .webm .weba .wma .wmv .wv".split()
)


@dataclass
class Source:
    """Something to decode.

    Parameters
    ----------
    name : str
        For messages; printable.
    path : Path or None
        Of a regular file.
    content : bytes
        Of a pipe, as far as it is held; of a file its first bytes.
    rest : binary file or None
        Of a pipe: what follows the content.
    size : int or None
        In bytes; None where the end of a pipe is not known yet.
    """

    name: str
    path: Path | None
    content: bytes
    rest: BinaryIO | None
    size: int | None


def show_name(name: str | Path) -> str:
    r"""Return a file's name as it can be printed anywhere: on one line, in valid Unicode.

    Parameters
    ----------
    name : str or Path

    Returns
    -------
    str

    Examples
    --------
    A name in Latin-1, as Python reads it from a disk whose names are in UTF-8, and a line break:

    >>> print(show_name(b"caf\xe9.mp3".decode("utf-8", "surrogateescape")))
    caf\xe9.mp3
    >>> print(show_name("two\nlines.mp3"))
    two\nlines.mp3
    """
    return "".join(
        c if c.isprintable() or unicodedata.category(c) == "Zs" else _escape(c)
        for c in replace_undecodable(str(name))
    )


def replace_undecodable(name: str) -> str:
    r"""Return a name in valid Unicode: bytes that are none stand as escapes.

    Parameters
    ----------
    name : str

    Returns
    -------
    str

    Examples
    --------
    >>> print(replace_undecodable(b"caf\xe9.mp3".decode("utf-8", "surrogateescape")))
    caf\xe9.mp3
    """
    return "".join(_escape(c) if "\ud800" <= c <= "\udfff" else c for c in name)


def _escape(c: str) -> str:
    if "\udc80" <= c <= "\udcff":
        return f"\\x{ord(c) - 0xDC00:02x}"
    return c.encode("unicode_escape").decode()


def open_source(source: str | Path) -> Source:
    """Find what is to be decoded, and read its first bytes.

    Parameters
    ----------
    source : str or Path
        A file, ``-`` for standard input, or a named pipe.

    Returns
    -------
    Source

    Raises
    ------
    AudioError
        It is missing, empty, a folder, a device, a terminal, or must not be read.

    Examples
    --------
    >>> open_source("nowhere.mp3")
    Traceback (most recent call last):
        ...
    aares.errors.AudioError: nowhere.mp3: expected an audio file, found no such file
    """
    if str(source) == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise AudioError(
                "-: expected sound on standard input, found none; pipe a file into it, or name one"
            )
        return _hold("standard input", sys.stdin.buffer)
    path = Path(source)
    name = show_name(path.name or path)
    try:
        if not path.exists():  # a dangling link too
            raise AudioError(f"{name}: expected an audio file, found no such file")
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            with path.open("rb") as file:
                content = file.read(HEAD_BYTES)
        elif stat.S_ISFIFO(mode):
            return _hold(name, path.open("rb"))
        else:
            raise AudioError(f"{name}: expected an audio file, found {_name_kind(mode)}")
    except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise AudioError(f"{name}: not readable ({reason})") from error
    if not content:
        raise AudioError(f"{name}: expected an audio file, found an empty one")
    return Source(name, path, content, None, path.stat().st_size)


def encode_path(path: Path) -> str | bytes:
    """Return a path as C libraries take it: soundfile itself refuses names that are no Unicode.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str or bytes

    Examples
    --------
    >>> os.fsdecode(encode_path(Path("a.mp3")))
    'a.mp3'
    """
    return str(path) if os.name == "nt" else os.fsencode(path)


def _hold(name: str, stream: BinaryIO) -> Source:
    content = stream.read(HELD_BYTES)
    if not content:
        raise AudioError(f"{name}: expected sound, found nothing in the pipe")
    if len(content) < HELD_BYTES:
        return Source(name, None, content, None, len(content))
    return Source(name, None, content, stream, None)


def _name_kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder; name a file in it, or index the folder"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


def sniff_format(head: bytes) -> str | None:
    """Tell a format from the first bytes of a file.

    Parameters
    ----------
    head : bytes
        At least the first 200, where there are so many.

    Returns
    -------
    str or None
        One of "aac", "ac3", "aiff", "ape", "asf", "au", "avi", "caf", "flac", "flv", "matroska",
        "mp3", "mp4", "mpeg", "mpegts", "ogg", "wav", "wavpack"; None where it is none of them.

    Examples
    --------
    >>> sniff_format(b"RIFF....WAVEfmt "), sniff_format(b"....ftypM4A "), sniff_format(b"Dear all")
    ('wav', 'mp4', None)
    """
    if head[:3] == b"ID3" and len(head) >= 10:  # the tag may stand before any format
        after = head[10 + sum((byte & 127) << shift for byte, shift in _list_size(head)) :]
        return sniff_format(after) or "mp3" if after[:3] != b"ID3" else "mp3"
    if head[4:8] == b"ftyp" and head[8:12] in PICTURES:
        return None
    for place, magic, name in MAGIC:
        if head[place : place + len(magic)] == magic:
            return name
    if head[:1] == b"G" and head[188:189] == b"G":
        return "mpegts"
    if len(head) > 3 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        layer, rate = head[1] >> 1 & 3, head[2] >> 2 & 3
        if layer == 0:
            return "aac" if head[1] & 0xF0 == 0xF0 else None
        known = layer != 3 and head[1] >> 3 & 3 != 1  # layer I is extinct: FF FE begins a text
        return "mp3" if known and head[2] >> 4 not in (0, 15) and rate != 3 else None
    return None


def _list_size(head: bytes) -> list[tuple[int, int]]:
    return list(zip(head[6:10], (21, 14, 7, 0), strict=True))


MAGIC = (
    (4, b"ftyp", "mp4"), (4, b"moov", "mp4"), (4, b"mdat", "mp4"), (4, b"wide", "mp4"),
    (0, b"\x1aE\xdf\xa3", "matroska"), (0, b"0&\xb2u\x8ef\xcf\x11", "asf"), (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"), (8, b"WAVE", "wav"), (0, b"riff.\x91\xcf\x11", "wav"),
    (8, b"AVI ", "avi"), (8, b"AIFF", "aiff"), (8, b"AIFC", "aiff"), (0, b".snd", "au"),
    (0, b"caff", "caf"),
    (0, b"FLV\x01", "flv"), (0, b"\x0bw", "ac3"), (0, b"MAC ", "ape"), (0, b"wvpk", "wavpack"),
    (0, b"\x00\x00\x01\xba", "mpeg"),
)  # fmt: skip


PICTURES = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis")


def find_links(path: Path) -> list[tuple[int, int]]:
    """Find where the streams of a chained Ogg file lie, which may differ in rate and channels.

    Parameters
    ----------
    path : Path
        A file that begins with ``OggS``.

    Returns
    -------
    list of (int, int)
        First byte and end of each; one pair where nothing is chained.

    Examples
    --------
    Pages are marked by their sixth byte: 2 begins a stream.

    >>> import tempfile
    >>> first, later = b"OggS\\0\\2first", b"OggS\\0\\0later"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "chained.ogg")
    ...     _ = file.write_bytes((first + later) * 2)
    ...     find_links(file)
    [(0, 22), (22, 44)]
    """
    begin, later = b"OggS\x00\x02", b"OggS\x00\x00"
    with open_content(path) as content:
        starts, end = [0], len(content)
        while (place := content.find(later, starts[-1])) >= 0:
            if (place := content.find(begin, place)) < 0:
                break
            starts.append(place)
    return list(zip(starts, [*starts[1:], end], strict=True))


def is_encrypted(source: Source) -> bool:
    """Tell whether an MP4 file says that its sound is encrypted.

    Parameters
    ----------
    source : Source

    Returns
    -------
    bool

    Examples
    --------
    >>> is_encrypted(Source("a.m4p", None, b"....ftypM4P ........enca....sinf", None, 32))
    True
    """
    if source.path is None:
        return _find_lock(source.content)
    with open_content(source.path) as content:
        return _find_lock(content)


def _find_lock(content: bytes | Content) -> bool:
    for entry in (b"enca", b"drms"):
        place = content.find(entry, 0)
        if place >= 0 and b"sinf" in content[place : place + 600]:
            return True
    return False
