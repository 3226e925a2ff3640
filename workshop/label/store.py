"""What raters did, in one SQLite file that only grows.

Everything that happens is an event with a UUID that the page made: a rater, a headphone check, an
answer, its undoing, a skip. A repeated request brings the same UUID and is stored once. What was
shown is kept beside: an opaque name for each presentation of a pair. One thread writes, and all
that waits for it goes to the disk in one transaction; nothing is acknowledged before it is there.

Conventions: times are ISO 8601 in UTC, except ``until``, in seconds since 1970.
"""

from __future__ import annotations

import json
import queue
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from aares.errors import AaresError

APPLICATION = 0x4C41424C  # "LABL": whose file it is, in SQLite's header
KINDS = ("rater", "headphones", "answer", "undo", "skip")
STEPS = (
    """
    CREATE TABLE shown (
        id TEXT PRIMARY KEY,
        rater TEXT NOT NULL,
        a TEXT NOT NULL,
        b TEXT NOT NULL,
        at_s REAL,
        speed REAL NOT NULL,
        kind TEXT NOT NULL
            CHECK (kind IN ('uncertain', 'coverage', 'repeat', 'check', 'training', 'fresh')),
        presentation TEXT NOT NULL CHECK (presentation IN ('plain', 'mirrored')),
        until REAL NOT NULL
    ) STRICT;
    CREATE TABLE events (
        number INTEGER PRIMARY KEY,
        uuid TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL CHECK (kind IN ('rater', 'headphones', 'answer', 'undo', 'skip')),
        rater TEXT NOT NULL,
        pair TEXT REFERENCES shown (id),
        body TEXT NOT NULL CHECK (json_valid(body)),
        at TEXT NOT NULL
    ) STRICT;
    CREATE TRIGGER events_stay BEFORE DELETE ON events
        BEGIN SELECT RAISE(ABORT, 'events are only appended'); END;
    CREATE TRIGGER events_are_final BEFORE UPDATE ON events
        BEGIN SELECT RAISE(ABORT, 'events are only appended'); END;
    """,
)
"""What makes a database of version n + 1 out of one of version n."""
REST_S = 1.0
LARGEST_LOG = 20_000  # pages of 4 kB, where nobody rests
OLDEST_SQLITE = (3, 37, 0)  # STRICT tables


class StoreError(AaresError):
    """A database is not one of labels, not readable, in use, or cannot be written."""


class Event(NamedTuple):
    """Something that a rater did.

    Attributes
    ----------
    uuid : str
    kind : str
        One of :data:`KINDS`.
    rater : str
    pair : str or None
        Of :class:`Shown`.
    body : dict
        JSON values.
    at : str
    """

    uuid: str
    kind: str
    rater: str
    pair: str | None
    body: dict[str, Any]
    at: str


class Shown(NamedTuple):
    """A pair as it was given to a rater.

    Attributes
    ----------
    id : str
        Opaque.
    rater : str
    a, b : str
        Names of songs.
    at_s : float or None
        Where both were cut, if they are one recording.
    speed : float
        Of B.
    kind : str
        "uncertain", "coverage", "repeat", "check": why it was chosen; "training"; or "fresh".
    presentation : str
        "plain" or "mirrored".
    until : float
        Reserved until then.
    """

    id: str
    rater: str
    a: str
    b: str
    at_s: float | None
    speed: float
    kind: str
    presentation: str
    until: float


class Store:
    """A database of labels, open for one server.

    Parameters
    ----------
    path : Path
        Made where there is none. Another version's is brought up to date; what is no database of
        labels is left as it is.

    Raises
    ------
    StoreError
        It is damaged, of a newer version or somebody else's, or another server has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._lock = _take_lock(self.path)
        try:
            self._connection = _open(self.path)
        except BaseException:
            self._lock.release()
            raise
        self._jobs: queue.SimpleQueue = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="labels", daemon=True)
        self._writer.start()

    def append(self, events: Sequence[Event], shown: Sequence[Shown] = ()) -> Future:
        """Put events, and before them what was shown, on the disk.

        Parameters
        ----------
        events : sequence of Event
        shown : sequence of Shown

        Returns
        -------
        Future of list of bool
            For each event whether it is new: one with a known UUID is passed over.
        """
        future: Future = Future()
        self._jobs.put((list(shown), list(events), future))
        return future

    def close(self) -> None:
        """Write what waits, and let others have the file."""
        self._jobs.put(None)
        self._writer.join()
        self._connection.close()
        self._lock.release()

    def _write(self) -> None:
        is_open, rest_s = True, None
        while is_open:
            try:
                jobs = [self._jobs.get(timeout=rest_s)]
            except queue.Empty:  # the log goes into the database while nobody waits
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                rest_s = None
                continue
            while not self._jobs.empty():
                jobs.append(self._jobs.get())
            is_open = None not in jobs
            self._commit([job for job in jobs if job is not None])
            rest_s = REST_S

    def _commit(self, jobs: list[tuple[list[Shown], list[Event], Future]]) -> None:
        """Write several jobs in one transaction; one that fails leaves the others alone."""
        answers: list[Any] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for shown, events, _ in jobs:
                self._connection.execute("SAVEPOINT job")
                try:
                    answers.append(_insert(self._connection, shown, events))
                except sqlite3.IntegrityError as error:
                    answers.append(error)
                    self._connection.execute("ROLLBACK TO job")
                self._connection.execute("RELEASE job")
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            answers = [error] * len(jobs)
        for (_, _, future), answer in zip(jobs, answers, strict=True):
            if isinstance(answer, sqlite3.Error):
                future.set_exception(StoreError(f"{self.path.name}: not written ({answer})"))
            else:
                future.set_result(answer)


def _insert(
    connection: sqlite3.Connection, shown: Iterable[Shown], events: Iterable[Event]
) -> list[bool]:
    connection.executemany("INSERT INTO shown VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", shown)
    new = []
    for event in events:
        values = (*event[:4], json.dumps(event.body, ensure_ascii=False), event.at)
        done = connection.execute(
            "INSERT INTO events (uuid, kind, rater, pair, body, at) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (uuid) DO NOTHING",
            values,
        )
        new.append(done.rowcount == 1)
    return new


def read_store(path: Path) -> tuple[list[Event], dict[str, Shown]]:
    """Read all that a database holds; a server may have it open.

    Parameters
    ----------
    path : Path

    Returns
    -------
    events : list of Event
        As they were written.
    shown : dict of str to Shown

    Raises
    ------
    StoreError
        There is none, or see :class:`Store`.
    """
    path = Path(path)
    if not path.is_file():
        raise StoreError(f"{path}: expected a database of labels, found no such file")
    _check(path)
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        connection.execute("BEGIN")  # both tables as they are at one time
        shown = {row[0]: Shown(*row) for row in connection.execute("SELECT * FROM shown")}
        rows = connection.execute(
            "SELECT uuid, kind, rater, pair, body, at FROM events ORDER BY number"
        )
        events = [
            Event(uuid, kind, rater, pair, json.loads(body), at)
            for uuid, kind, rater, pair, body, at in rows
        ]
    except sqlite3.Error as error:
        raise StoreError(f"{path.name}: not readable ({error})") from error
    finally:
        connection.close()
    return events, shown


def _take_lock(path: Path) -> FileLock:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StoreError(f"SQLite 3.37 or newer is needed, this is {sqlite3.sqlite_version}")
    lock = FileLock(f"{path}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise StoreError(
            f"{path.name}: another labelling server has it open; stop that one, or name another "
            "file with --database"
        ) from error
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from error
    return lock


def _open(path: Path) -> sqlite3.Connection:
    """Open a database, make it, or bring it up to date."""
    version = _check(path) if path.exists() and path.stat().st_size else 0
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA wal_autocheckpoint = {LARGEST_LOG}")
        if version < len(STEPS):
            steps = "".join(STEPS[version:])
            heads = f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {len(STEPS)};"
            connection.executescript(f"BEGIN IMMEDIATE; {steps} {heads} COMMIT;")
    except sqlite3.Error as error:
        connection.close()  # and what a step began is undone
        raise StoreError(f"{path}: cannot be opened ({error})") from error
    return connection


def _check(path: Path) -> int:
    """Return a database's version; what is none of ours is only read."""
    remedy = "it was left as it is: name another file with --database"
    if not path.is_file():
        raise StoreError(f"{path}: expected a file, found a folder; {remedy}")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            damage = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StoreError(f"{path.name}: not a readable database ({error}); {remedy}") from error
    if damage != "ok":
        raise StoreError(f"{path.name}: damaged ({' '.join(damage.split())}); {remedy}")
    if application != APPLICATION:
        raise StoreError(f"{path.name}: a database, but not one of labels; {remedy}")
    if version > len(STEPS):
        raise StoreError(
            f"{path.name}: of version {version}, made by a newer program; this one knows "
            f"{len(STEPS)}; {remedy}"
        )
    return int(version)
