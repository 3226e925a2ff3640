"""The database of exercise 5 on disk: our own format, and pickles of others without their code.

Used by notebook 04. A pickle is a small program that may call any function of the machine that
loads it; an npz of whole numbers is only data.
"""

from __future__ import annotations

import io
import pickle
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from aares.errors import HashFileError
from aares.files import replacing

SongHashes = dict[int, int]


def save_hashes(path: Path, db_hashes: Sequence[Mapping[int, int]]) -> Path:
    """Write a database of hashes as an npz, in one step.

    Parameters
    ----------
    path : Path
    db_hashes : sequence of dict
        One dictionary {hash: anchor frame} for each song.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    HashFileError
        Something else than whole numbers, or no list of dictionaries.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     load_hashes(save_hashes(Path(folder) / "songs.npz", [{7: 0, 8: 3}, {}]))
    [{7: 0, 8: 3}, {}]
    """
    checked = _check_database(list(db_hashes), path.name)
    counts = [len(song) for song in checked]
    hashes = np.array([key for song in checked for key in song], dtype=np.int64)
    frames = np.array([t for song in checked for t in song.values()], dtype=np.int64)
    with replacing(path) as stream:
        np.savez_compressed(
            stream, counts=np.array(counts, dtype=np.int64), hashes=hashes, frames=frames
        )
    return path


def load_hashes(path: Path) -> list[SongHashes]:
    """Read a file of `save_hashes`.

    Parameters
    ----------
    path : Path

    Returns
    -------
    list of dict

    Raises
    ------
    HashFileError
        The file is missing, foreign, cut off or damaged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/songs.npz", counts=[2], hashes=[7], frames=[0])
    ...     load_hashes(Path(folder) / "songs.npz")
    Traceback (most recent call last):
        ...
    aares.errors.HashFileError: songs.npz: its arrays contradict each other
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            counts, hashes, frames = (file[key] for key in ("counts", "hashes", "frames"))
    except (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile,
            zlib.error) as error:  # fmt: skip
        raise HashFileError(f"{path.name}: no readable file of hashes ({error})") from error
    whole = all(a.dtype == np.int64 and a.ndim == 1 for a in (counts, hashes, frames))
    if not whole or (counts < 0).any() or not counts.sum() == len(hashes) == len(frames):
        raise HashFileError(f"{path.name}: its arrays contradict each other")
    ends = np.cumsum(counts)
    return [
        dict(zip(hashes[end - n : end].tolist(), frames[end - n : end].tolist(), strict=True))
        for n, end in zip(counts, ends, strict=True)
    ]


def load_pickle(path: Path) -> list[SongHashes]:
    """Read the assignment's ``dataset.pickle`` without running what is in it.

    Parameters
    ----------
    path : Path
        A pickled list of dictionaries {hash: anchor frame}.

    Returns
    -------
    list of dict

    Raises
    ------
    HashFileError
        The pickle asks for a function or a class, or holds something else than dictionaries of
        whole numbers, or is no pickle.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "dataset.pickle"
    ...     _ = path.write_bytes(pickle.dumps([{7: 0, 8: 3}]))
    ...     load_pickle(path)
    [{7: 0, 8: 3}]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "x"
    ...     _ = path.write_bytes(pickle.dumps([id]))
    ...     load_pickle(path)
    Traceback (most recent call last):
        ...
    aares.errors.HashFileError: x: not loaded (it asks for builtins.id: a pickle may run any code)
    """
    try:
        content = _PlainUnpickler(io.BytesIO(path.read_bytes())).load()
    except (OSError, pickle.UnpicklingError, EOFError, ValueError, IndexError, KeyError,
            AttributeError, TypeError, OverflowError, MemoryError) as error:  # fmt: skip
        raise HashFileError(f"{path.name}: not loaded ({error})") from error
    return _check_database(content, path.name)


class _PlainUnpickler(pickle.Unpickler):
    """Builds lists, dictionaries and numbers; whatever has to be looked up is refused."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}: a pickle may run any code")


def _check_database(content: Any, name: str) -> list[SongHashes]:
    if not isinstance(content, list):
        raise HashFileError(f"{name}: expected a list of songs, found {type(content).__name__}")
    for number, song in enumerate(content):
        if not isinstance(song, dict):
            raise HashFileError(f"{name}: song {number} is no dictionary")
        for pair in song.items():
            if not all(type(value) is int and 0 <= value < 1 << 63 for value in pair):
                raise HashFileError(
                    f"{name}: song {number} holds {pair[0]!r}: {pair[1]!r}, expected whole numbers"
                )
    return content
