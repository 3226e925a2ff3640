"""From audio files to fingerprints: names, decoding, and what to do with a file that is none.

Used by :class:`aares.identify.Index`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from aares.audio import load_audio
from aares.errors import AudioError
from aares.identify.catalogue import Prints, Settings, fingerprint
from aares.identify.peaks import RATE_HZ
from aares.identify.query import read_signal

OnError = Callable[[Path, Exception], None]


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
        Its path below `root` with ``/``; without `root`, its last part.

    Examples
    --------
    >>> path = Path("music/album/01.mp3")
    >>> name_file(path), name_file(path, "music")
    ('01.mp3', 'album/01.mp3')
    """
    return path.name if root is None else path.relative_to(root).as_posix()


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
        y = load_audio(path, sr=RATE_HZ)
        return fingerprint(name, read_signal(y), settings)
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
    results: Iterable[tuple[Path, Prints | Exception]], on_error: OnError | None
) -> Iterator[Prints]:
    """Pass on fingerprints, and report files that have none.

    Parameters
    ----------
    results : iterable of (Path, Prints or Exception)
        From `fingerprint_file`.
    on_error : callable or None
        Called with path and error; None raises the error.

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
            yield result
        elif on_error is None:
            raise result
        else:
            on_error(path, result)
