"""What the tests of shards share: small catalogues, and functions that workers import by name."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf

SR = 8000


def write_noise(path: Path, seed: int, *, seconds: float = 2.5) -> Path:
    """Write a sound that no other seed has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    y = 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * SR), dtype=np.float32)
    sf.write(path, y, SR, subtype="PCM_16")
    return path


def make_catalogue(folder: Path, n: int = 12) -> Path:
    """Write `n` sounds in two albums."""
    for k in range(n):
        write_noise(folder / f"album {k % 2}" / f"{k:02}.wav", k)
    return folder


def read_files(folder: Path, *endings: str) -> dict[str, bytes]:
    """Return what the files of a folder hold, those of some endings."""
    return {
        path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix in endings
    }


@dataclass(frozen=True)
class TrackSize:
    """A function of a track that costs nothing, and may be asked to go wrong.

    Parameters
    ----------
    slow_s : float
        How long each track takes.
    kill : str
        A file: where it is there, it is removed and this process killed.
    log : str
        A file that gets the name of each track that is read.
    """

    slow_s: float = 0.0
    kill: str = ""
    log: str = ""
    flavour: str = "plain"

    @property
    def columns(self) -> Mapping[str, str]:
        return {"half": "double", "head": "list<uint32>"}

    def describe(self) -> dict[str, Any]:
        return {"name": "size", "version": 1, "flavour": self.flavour}

    def __call__(self, path: Path) -> Mapping[str, Any]:
        content = path.read_bytes()
        if content.startswith(b"bug"):
            raise LookupError("a bug of the function")
        if not content.startswith(b"RIFF"):
            raise ValueError("expected a RIFF header")
        if self.log:
            with Path(self.log).open("a") as stream:
                stream.write(f"{path.name}\n")
        time.sleep(self.slow_s)
        if self.kill:
            with suppress(FileNotFoundError):  # one of two that see it at once removes it
                Path(self.kill).unlink()
                os.kill(os.getpid(), signal.SIGKILL)
        head = np.frombuffer(content[:64], dtype=np.uint8).astype(np.uint32)
        return {"half": len(content) / 2, "head": head}
