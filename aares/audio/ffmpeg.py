"""What libsndfile cannot read, read by ffmpeg where that is installed.

Used by :mod:`aares.audio.streams`. ffmpeg is a program of its own that reads nearly every format.
It is asked for decoded samples through a pipe: no copy of the sound is written anywhere.

Safety
------
A file that came from somewhere may try to make ffmpeg open other files or addresses. It is run
without a shell, may use no protocol but files and pipes, opens only the formats listed here, among
which are no playlists, and is ended when nothing comes out of it any more.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections import deque
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np

from aares.audio.sources import Source
from aares.errors import AudioError

PROTOCOLS = "file,pipe"
FORMATS = (
    "aa,aac,aax,ac3,act,adx,aiff,amr,amrnb,amrwb,ape,asf,asf_o,au,avi,bfstm,brstm,caf,dff,dsf,dts,"
    "dtshd,dv,eac3,flac,flv,gsm,gxf,hca,iff,ircam,live_flv,loas,matroska,mlp,mov,mp3,mpc,mpc8,"
    "mpeg,mpegts,mxf,nistsphere,nsv,nut,ogg,oma,pva,qcp,rm,rso,shn,sol,sox,swf,tak,truehd,tta,voc,"
    "vqf,w64,wav,wsd,wtv,wv,xa,xwma"
)
STALL_S = 60.0  # nothing decoded for so long: something is wrong with the file
LONGEST_S = 400_000  # 111 h of sound: a few bytes may claim to be endless
MOST_BYTES = 1 << 28  # that ffmpeg may take at once
FLOAT32 = 6  # an encoding of the Sun format


@cache
def find_ffmpeg() -> str | None:
    """Find ffmpeg, once.

    Returns
    -------
    str or None
        Its path; None where it is not installed.

    Examples
    --------
    >>> find_ffmpeg() == shutil.which("ffmpeg")
    True
    """
    return shutil.which("ffmpeg")


class FfmpegSound:
    """The first sound track of a file, decoded by ffmpeg.

    Parameters
    ----------
    program : str
        From `find_ffmpeg`.
    source : Source

    Raises
    ------
    AudioError
        ffmpeg decodes nothing of it; the message says why.
    """

    def __init__(self, program: str, source: Source) -> None:
        self.name = source.name
        self._said = _Said()
        self._held: int | None = None
        self._stall_s = STALL_S if source.rest is None else None  # a live stream may wait
        self._process = self._start(program, source)
        threads = [threading.Thread(target=self._said.listen, args=[self._process.stderr])]
        if self._process.stdin is not None:
            threads.append(threading.Thread(target=_pump, args=[source, self._process.stdin]))
        for thread in threads:
            thread.daemon = True
            thread.start()
        self._listener = threads[0]
        try:
            self.samplerate, self.channels = self._read_header()
        except BaseException:
            self.close()
            raise

    def _start(self, program: str, source: Source) -> subprocess.Popen[bytes]:
        file, descriptors = "pipe:0", []
        if source.path is not None:
            file = f"file:{source.path.absolute()}"
        elif source.rest is None and Path("/proc/self/fd").is_dir():
            self._held = os.memfd_create("sound")  # ffmpeg can seek in it, which MP4 needs
            with open(self._held, "wb", closefd=False) as copy:
                copy.write(source.content)
            file, descriptors = f"file:/proc/self/fd/{self._held}", [self._held]
        return subprocess.Popen(
            list_arguments(program, file),
            stdin=subprocess.PIPE if file == "pipe:0" else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=descriptors,
        )

    def _read_header(self) -> tuple[int, int]:
        head = self._read_bytes(24)
        fields = np.frombuffer(head, ">u4") if len(head) == 24 else None
        if fields is None or fields[3] != FLOAT32 or not fields[4] or not fields[5]:
            self._wait()
            raise AudioError(f"{self.name}: {self._said.explain()}")
        self._read_bytes(int(fields[1]) - 24)
        self._said.began.wait(5)  # until it has said what it found
        return int(fields[4]), int(fields[5])

    @property
    def promised_s(self) -> float | None:
        """Return how long the file says that it is.

        Returns
        -------
        float or None
        """
        return self._said.promised_s

    @property
    def complaints(self) -> list[str]:
        """List what ffmpeg found damaged, the first few.

        Returns
        -------
        list of str
        """
        return list(self._said.errors)

    def read(self, n_frames: int) -> np.ndarray:
        """Decode the next samples.

        Parameters
        ----------
        n_frames : int

        Returns
        -------
        ndarray of float32, shape (n, channels)
            Fewer than asked for at the end, then none.

        Raises
        ------
        AudioError
            Nothing came for a minute.
        """
        content = self._read_bytes(4 * self.channels * n_frames)
        whole = len(content) // (4 * self.channels) * (4 * self.channels)
        samples = np.frombuffer(content[:whole], ">f4").astype(np.float32)
        return samples.reshape(-1, self.channels)

    def _read_bytes(self, size: int) -> bytes:
        output = self._process.stdout
        assert output is not None
        stalled = threading.Event()

        def end() -> None:
            stalled.set()
            self._process.kill()

        timer = threading.Timer(self._stall_s, end) if self._stall_s else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            content = output.read(size)
        finally:
            if timer:
                timer.cancel()
        if stalled.is_set():
            raise AudioError(f"{self.name}: not readable as audio (ffmpeg came to no end)")
        if len(content) < size:
            self._wait()
        return content

    def _wait(self) -> None:
        try:
            self._process.wait(STALL_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(5)

    def close(self) -> None:
        """End ffmpeg, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self._listener.join(5)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def __enter__(self) -> FfmpegSound:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def list_arguments(program: str, file: str) -> list[str]:
    """List the words of the command that decodes a file to its standard output.

    Parameters
    ----------
    program : str
        Path of ffmpeg.
    file : str
        With its protocol: ``file:/music/a.m4a`` or ``pipe:0``.

    Returns
    -------
    list of str

    Examples
    --------
    >>> words = list_arguments("ffmpeg", "file:/music/a.m4a")
    >>> words[words.index("-protocol_whitelist") + 1]
    'file,pipe'
    """
    return [
        program, "-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+info",
        "-max_alloc", str(MOST_BYTES), "-threads", "1",
        "-protocol_whitelist", PROTOCOLS, "-format_whitelist", FORMATS, "-i", file,
        "-map", "0:a:0", "-map_metadata", "-1", "-t", str(LONGEST_S),
        "-c:a", "pcm_f32be", "-f", "au", "pipe:1",
    ]  # fmt: skip


class _Said:
    """What ffmpeg says while it works, as far as it matters."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.promised_s: float | None = None
        self.errors: list[str] = []
        self._last: deque[str] = deque(maxlen=2)
        self._facts: set[str] = set()

    def listen(self, stream: IO[bytes]) -> None:
        for raw in stream:
            self._take(raw[:1000].decode("utf-8", "backslashreplace").rstrip())
        self.began.set()

    def _take(self, line: str) -> None:
        if line.startswith("[info] Output #0"):
            self.began.set()
        elif found := re.match(r"\[info\]\s+Duration: (\d+):(\d+):([\d.]+)", line):
            hours, minutes, seconds = found.groups()
            if "estimated" not in self._facts:
                self.promised_s = 3600 * int(hours) + 60 * int(minutes) + float(seconds)
        elif "Estimating duration from bitrate" in line:
            self._facts.add("estimated")
        elif re.match(r"\[info\]\s+Stream #0:\d+.*: Video:", line) and "attached pic" not in line:
            self._facts.add("video")
            self.promised_s = None  # it is the length of the picture
        elif "not on whitelist" in line or "misdetection possible" in line:
            self._facts.add("foreign")
        elif re.search(r"DRM|activation_bytes|[Dd]ecryption|\(drms", line):
            self._facts.add("encrypted")
        elif "matches no streams" in line:
            self._facts.add("silent")
        if found := re.match(r"(?:\[[^]]* @ \w+\] )?\[(?:error|fatal)\] (.*)", line):
            self._last.append(found.group(1))
            if len(self.errors) < 5:
                self.errors.append(found.group(1))

    def explain(self) -> str:
        """Say why nothing was decoded."""
        if "encrypted" in self._facts:
            return "expected sound that may be read, found an encrypted file (DRM)"
        if "foreign" in self._facts:
            return "not readable as audio (a picture, a playlist or another format without sound)"
        if "silent" in self._facts:
            what = "a video without a sound track" if "video" in self._facts else "no sound track"
            return f"expected sound, found {what}"
        said = self._last[-1] if self._last else "nothing in it can be decoded"
        said = re.sub(r"^(file|pipe):.*: (?=[A-Z])", "", said)
        return f"not readable as audio (ffmpeg: {said})"


def _pump(source: Source, into: IO[bytes]) -> None:
    try:
        with into:
            into.write(source.content)
            while source.rest is not None and (part := source.rest.read(1 << 16)):
                into.write(part)
    except (BrokenPipeError, OSError, ValueError):  # it has heard enough
        return
