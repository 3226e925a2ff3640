"""Make an index equal to a folder: what is new, changed, moved or gone since the last time.

Used by ``python3 run.py index``. A file whose size and time of change are as they were is not read.
Of others the content decides: where it is that of a recording whose file is gone, the file was
moved, and nothing is decoded.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aares.audio.sources import show_name
from aares.errors import AudioError
from aares.identify.catalogue import Prints
from aares.identify.collection import choose_name
from aares.identify.index import Index
from aares.identify.ingest import (
    Folder,
    OnError,
    OnNote,
    fingerprint_files,
    keep_readable,
    name_file,
    search_folder,
)
from aares.identify.roll import Source

BATCH = 64  # files between two states: what was indexed by then survives an interruption
OnProgress = Callable[[int, int], None]


@dataclass
class Changes:
    """What became of the files of a folder.

    Parameters
    ----------
    added, changed, removed : list of str
        Names of recordings.
    renamed : list of (str, str)
        Old and new name.
    n_same : int
        Files that are as they were.
    failed, skipped : list of (Path, str)
        Files that cannot be read as sound, and why; those that were skipped were not tried.
    n_other : int
        Files that are no sound.
    """

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    n_same: int = 0
    failed: list[tuple[Path, str]] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    n_other: int = 0


def read_source(path: Path) -> Source:
    """Describe a file by its place, size, time of change and content.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Source

    Raises
    ------
    OSError
        It cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a.wav").write_bytes(b"RIFF")
    ...     source = read_source(Path(folder) / "a.wav")
    >>> Path(source.path).name, source.size, source.digest.hex()[:8]
    ('a.wav', 4, 'f9d45a7b')
    """
    facts = path.stat()  # before it is read: a change meanwhile is seen the next time
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).digest()
    return Source(str(path), facts.st_size, max(facts.st_mtime_ns, 0), digest)


def sync(
    file: str | Path,
    folder: str | Path,
    *,
    wait_s: float = 0.0,
    n_jobs: int = 2,
    on_error: OnError | None = None,
    on_note: OnNote | None = None,
    on_progress: OnProgress | None = None,
) -> Changes:
    """Make what an index holds of a folder equal to it.

    Recordings of other folders stay. A name is the path below the folder; where another recording
    has it, the folder's own name stands before it.

    Parameters
    ----------
    file : str or Path
        The index; begun where there is none.
    folder : str or Path
    wait_s : float
        How long to wait for another writer.
    n_jobs : int
        Files at a time.
    on_error : callable, optional
        Called with the path and the error of a file that cannot be read; without it, it is raised.
    on_note : callable, optional
        Called with the path and a sentence about a file of which something is missing.
    on_progress : callable, optional
        Called with how many of how many files were decoded, when they are on the disk for good.

    Returns
    -------
    Changes

    Raises
    ------
    AudioError
        There is no such folder, or no sound in it: whoever unplugged a disk does not want its index
        emptied. Or a file cannot be read, and there is no `on_error`.
    IndexBusyError, IndexFileError, OSError
        As `Index.edit` and `Index.save`; what was reported as done stays.

    Examples
    --------
    >>> sync("a.index", "nowhere")
    Traceback (most recent call last):
        ...
    aares.errors.AudioError: nowhere: expected a folder with audio files, found none
    """
    found, root = search_folder(folder), Path(folder).resolve()
    if not found.files:
        raise AudioError(
            f"{show_name(folder)}: no audio file among {found.n_other} files; nothing was changed "
            "(remove '*' empties an index)"
        )
    with Index.edit(file, wait_s=wait_s) as index:
        plan = _Plan(index, Path(folder), root, found)
        if plan.updates:
            index.change(plan.updates)
            index.save(file)
        run = _Run(index, Path(file), plan.changes, on_error, on_note)
        for start in range(0, len(plan.todo), BATCH):
            run.take(plan.todo[start : start + BATCH], root, plan.replaced, n_jobs)
            if on_progress:
                on_progress(min(start + BATCH, len(plan.todo)), len(plan.todo))
    return plan.changes


class _Plan:
    """What has to be done to files: `updates` at once, `todo` by decoding them."""

    def __init__(self, index: Index, folder: Path, root: Path, found: Folder) -> None:
        paths = [root / path.relative_to(folder) for path in found.files]
        self.changes = Changes(skipped=found.skipped, n_other=found.n_other)
        self.updates: dict[str, tuple[str, Source | None] | None] = {}
        self.todo: list[Path] = []
        self.replaced: dict[Path, str] = {}  # recordings whose file has another content now
        names = {recording.name for recording in index.recordings}
        self._known = {
            Path(source.path): (recording.name, source)
            for recording, source in zip(index.recordings, index.sources, strict=True)
            if source
        }
        unread = [root / path.relative_to(folder) for path, _ in found.skipped]
        present = set(paths)
        gone = [p for p in self._known if p not in present and p.is_relative_to(root)]
        if unread:  # what cannot be read now, such as a whole folder, may be later
            gone = [p for p in gone if not any(p.is_relative_to(one) for one in unread)]
        rest = [path for path in paths if not self._is_same(path)]
        if rest:  # a file that another folder lost may have come here
            gone += [p for p in self._known if not p.is_relative_to(root) and not p.exists()]
        moved = self._find_moves(rest, gone)
        came = {Path(source.path) for source in moved.values()}
        for path in [*gone, *(p for p in self.replaced if p in came)]:
            name = self._known[path][0]
            if name not in moved and path.is_relative_to(root):
                self.updates[name] = None
                self.changes.removed.append(name)
        taken = names - moved.keys() - self.updates.keys()
        for name, source in moved.items():
            new = name_below(Path(source.path), root, taken)
            taken.add(new)
            self.updates[name] = new, source
            self.changes.renamed.append((name, new))
        self.replaced = {p: name for p, name in self.replaced.items() if name not in moved}

    def _is_same(self, path: Path) -> bool:
        """Tell whether a file holds what its recording was made of."""
        if path not in self._known:
            return False
        name, source = self._known[path]
        try:
            facts = path.stat()
            same = (facts.st_size, max(facts.st_mtime_ns, 0)) == source[1:3]
            if not same and facts.st_size == source.size:
                now = read_source(path)
                same = now.digest == source.digest
                if same:
                    self.updates[name] = name, now
        except OSError:
            same = False
        if not same:
            self.replaced[path] = name
        self.changes.n_same += same
        return same

    def _find_moves(self, paths: Sequence[Path], gone: Sequence[Path]) -> dict[str, Source]:
        """Find the files whose content is that of a recording that lost its own."""
        lost = defaultdict(list)
        for old in [*gone, *self.replaced]:
            name, source = self._known[old]
            lost[source.size].append((name, source.digest))
        moved = {}
        for path in paths:
            now = None
            try:
                if path.stat().st_size in lost:
                    now = read_source(path)
            except OSError:
                pass  # it is reported when it is decoded
            same = [one for one in lost[now.size] if one[1] == now.digest] if now else []
            if now and same:
                lost[now.size].remove(same[0])
                moved[same[0][0]] = now
            else:
                self.todo.append(path)
        return moved


class _Run:
    """Files are decoded and added, a batch at a time."""

    def __init__(
        self,
        index: Index,
        file: Path,
        changes: Changes,
        on_error: OnError | None,
        on_note: OnNote | None,
    ) -> None:
        self.index, self.file, self.changes = index, file, changes
        self.on_error, self.on_note = on_error, on_note

    def take(self, paths: Sequence[Path], root: Path, replaced: dict[Path, str], n: int) -> None:
        sources: dict[Path, Source] = {}
        for path in paths:
            try:
                sources[path] = read_source(path)
            except OSError as error:
                self._fail(
                    path, AudioError(f"{show_name(path.name)}: cannot be read ({error.strerror})")
                )
        old = {replaced[path]: path for path in paths if path in replaced}
        taken = {recording.name for recording in self.index.recordings} - set(old)
        names: dict[Path, str] = {}
        for path in sources:
            names[path] = name_below(path, root, taken)
            taken.add(names[path])
        results = fingerprint_files(
            list(sources), list(names.values()), self.index.settings, n_jobs=n
        )
        found: list[Prints] = []
        for (path, source), result in zip(sources.items(), results, strict=True):
            for one in keep_readable([(path, result)], self._fail, self.on_note):
                found.append(one._replace(source=source))
        self.index.remove(old)
        self.index._add(found)
        self.index.save(self.file)
        for one in found:
            path = Path(one.source.path) if one.source else self.file
            kind = self.changes.changed if path in replaced else self.changes.added
            kind.append(one.recording.name)
        lost = set(old) - {replaced.get(Path(s.path)) for one in found if (s := one.source)}
        self.changes.removed += sorted(lost)

    def _fail(self, path: Path, error: Exception) -> None:
        if self.on_error is None:
            raise error
        self.changes.failed.append((path, str(error)))
        self.on_error(path, error)


def name_below(path: Path, root: Path, taken: set[str]) -> str:
    """Name a file by its path below a folder, so that no other recording has the name.

    Parameters
    ----------
    path, root : Path
    taken : set of str

    Returns
    -------
    str

    Examples
    --------
    >>> root = Path("music")
    >>> name_below(root / "a.mp3", root, set()), name_below(root / "a.mp3", root, {"a.mp3"})
    ('a.mp3', 'music/a.mp3')
    """
    below = name_file(path, root)
    return choose_name([below, name_file(path, root.parent), name_file(path, path.anchor)], taken)
