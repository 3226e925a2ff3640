"""From audio files to fingerprints: which files, their names, decoding, and those that fail.

Used by :class:`aares.identify.Index` and the command ``index``. A file is read as the command
``identify`` reads it: see :mod:`aares.audio.streams`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from aares.audio.sources import HEAD_BYTES, MEDIA, replace_undecodable, show_name, sniff_format
from aares.audio.streams import open_blocks
from aares.errors import AudioError
from aares.identify.catalogue import Prints, Settings, fingerprint
from aares.identify.peaks import RATE_HZ
from aares.identify.query import read_signal

OnError = Callable[[Path, Exception], None]
OnNote = Callable[[Path, str], None]


@dataclass(frozen=True)
class Folder:
    """What a folder holds for an index.

    Parameters
    ----------
    files : list of Path
        Sound, in the order of their names: by its suffix, or of another suffix by its content.
    skipped : list of (Path, str)
        What might be sound and cannot be read, and why.
    n_other : int
        Texts, pictures, playlists and the like.
    """

    files: list[Path]
    skipped: list[tuple[Path, str]]
    n_other: int


def search_folder(folder: str | Path) -> Folder:
    """Find the audio files below a folder; links to folders are followed, each folder once.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    Folder

    Raises
    ------
    AudioError
        There is no such folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, content in {"a.mp3": "", "track": "fLaC", "notes.txt": "Dear all"}.items():
    ...         _ = Path(folder, name).write_text(content)
    ...     found = search_folder(folder)
    >>> [path.name for path in found.files], found.n_other
    (['a.mp3', 'track'], 1)
    """
    folder = Path(folder)
    if not folder.is_dir():
        what = "a file" if folder.exists() else "none"
        raise AudioError(f"{show_name(folder)}: expected a folder with audio files, found {what}")
    found = Folder([], [], 0)
    n_other, seen, failed = 0, set[tuple[int, int]](), list[OSError]()
    _enter(folder, seen)

    for here, folders, names in os.walk(folder, followlinks=True, onerror=failed.append):
        folders[:] = sorted(name for name in folders if _enter(Path(here, name), seen))
        for path in (Path(here, name) for name in sorted(names)):
            reason = _judge(path)
            if reason is None:
                found.files.append(path)
            elif reason:
                found.skipped.append((path, reason))
            else:
                n_other += 1
    for error in failed:
        found.skipped.append((Path(error.filename), f"not readable ({error.strerror})"))
    return replace(found, files=sorted(found.files), n_other=n_other)


def _enter(folder: Path, seen: set[tuple[int, int]]) -> bool:
    """Tell whether a folder was not entered before, by a link that leads back."""
    try:
        about = folder.stat()
    except OSError:
        return True  # os.walk says what is wrong with it
    new = (about.st_dev, about.st_ino) not in seen
    seen.add((about.st_dev, about.st_ino))
    return new


def _judge(path: Path) -> str | None:
    """Return None for sound, why it cannot be read, or nothing for what is no sound."""
    media = path.suffix.lower() in MEDIA and not path.name.startswith("._")
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            return "a pipe, socket or device" if media else ""
        if media:
            return None
        with path.open("rb") as file:
            return "" if sniff_format(file.read(HEAD_BYTES)) is None else None
    except OSError as error:
        return f"not readable ({error.strerror})" if media else ""


def name_file(path: Path, root: str | Path | None = None) -> str:
    """Name a file for an index.

    Parameters
    ----------
    path : Path
    root : str or Path, optional
        Folder that holds it.

    Returns
    -------
    str
        Its path below `root` with ``/``; without `root`, its last part. What is no valid Unicode
        in it stands as ``\\xe9``.

    Examples
    --------
    >>> path = Path("music/album/01.mp3")
    >>> name_file(path), name_file(path, "music")
    ('01.mp3', 'album/01.mp3')
    """
    name = path.name if root is None else path.relative_to(root).as_posix()
    return replace_undecodable(name)


def read_file(path: Path) -> tuple[np.ndarray, list[str]]:
    """Decode a file to 8 kHz, as far as it can be.

    Parameters
    ----------
    path : Path

    Returns
    -------
    y : ndarray of float32, shape (n,)
    notes : list of str
        What is missing or was mended.

    Raises
    ------
    AudioError
        Nothing sensible can be decoded.

    Examples
    --------
    >>> read_file(Path("nowhere.mp3"))
    Traceback (most recent call last):
        ...
    aares.errors.AudioError: nowhere.mp3: expected an audio file, found no such file
    """
    blocks = open_blocks(path, sr=RATE_HZ)
    return np.concatenate(list(blocks)), blocks.notes


def fingerprint_file(path: Path, name: str, settings: Settings) -> Prints | Exception:
    """Fingerprint a file.

    Parameters
    ----------
    path : Path
    name : str
        In the index.
    settings : Settings

    Returns
    -------
    Prints or Exception
        What is wrong with the file, if something is: other files of a batch go on.

    Examples
    --------
    >>> fingerprint_file(Path("nowhere.mp3"), "nowhere", Settings())
    AudioError('nowhere.mp3: expected an audio file, found no such file')
    """
    try:
        y, notes = read_file(path)
        return fingerprint(name, read_signal(y), settings)._replace(notes=tuple(notes))
    except (AudioError, ValueError) as error:
        return error


def fingerprint_files(
    paths: Sequence[Path], names: Sequence[str], settings: Settings, *, n_jobs: int = 2
) -> Iterator[Prints | Exception]:
    """Fingerprint files side by side.

    Parameters
    ----------
    paths : sequence of Path
    names : sequence of str
        In the index, one for each file.
    settings : Settings
    n_jobs : int
        Files at a time.

    Returns
    -------
    iterator of (Prints or Exception)
        In the order of the files, each as soon as it is there.

    Examples
    --------
    >>> [str(one) for one in fingerprint_files([Path("a.mp3")], ["a"], Settings(), n_jobs=1)]
    ['a.mp3: expected an audio file, found no such file']
    """
    if n_jobs == 1 or len(paths) < 2:
        return (fingerprint_file(*pair, settings) for pair in zip(paths, names, strict=True))
    from joblib import Parallel, delayed  # who asks need not wait for it

    jobs = (delayed(fingerprint_file)(*pair, settings) for pair in zip(paths, names, strict=True))
    found: Iterator[Prints | Exception] = Parallel(n_jobs=n_jobs, return_as="generator")(jobs)
    return found


def keep_readable(
    results: Iterable[tuple[Path, Prints | Exception]],
    on_error: OnError | None,
    on_note: OnNote | None = None,
) -> Iterator[Prints]:
    """Pass on fingerprints, and report files that have none.

    Parameters
    ----------
    results : iterable of (Path, Prints or Exception)
        From `fingerprint_file`.
    on_error : callable or None
        Called with path and error; None raises the error.
    on_note : callable, optional
        Called with path and a sentence about what is missing or was mended.

    Yields
    ------
    Prints

    Examples
    --------
    Without `on_error` the first file that cannot be read would end the batch.

    >>> results = [(Path("nowhere.mp3"), AudioError("no such file"))]
    >>> list(keep_readable(results, lambda path, error: print(f"{path}: {error}")))
    nowhere.mp3: no such file
    []
    """
    for path, result in results:
        if isinstance(result, Prints):
            if on_note is not None:
                for note in result.notes:
                    on_note(path, f"{show_name(path.name)}: {note}")
            yield result
        elif on_error is None:
            raise result
        else:
            on_error(path, result)
