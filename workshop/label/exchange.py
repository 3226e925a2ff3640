"""Answers as a table: one row an answer, written and read again without loss.

:func:`aares.chaining.labels.read_labels` reads the same file for science. Names are what somebody
typed: who opens the table in a spreadsheet should have it take them for text.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from aares.errors import AaresError
from aares.files import write_atomic
from workshop.label import forms
from workshop.label.songs import answer_check
from workshop.label.store import Event, Shown, Store, read_store

COLUMNS = (
    "answer_id", "rater", "name", "a", "b", "kind", "presentation", "answer", "undone", "heard_ms",
    "replays", "reaction_ms", "join", "levels", "device", "headphones_right", "rate",
    "page_version", "clip_version", "answered_at", "at_s", "speed", "expected",
)  # fmt: skip
"""Of an answer. Where `at_s` is given, both songs are one, cut there, and B is played at `speed`;
`expected` is then the right answer."""


class ExchangeError(AaresError):
    """A file of answers is missing or not one."""


def export_answers(database: Path, path: Path) -> int:
    """Write all answers of a database as CSV; a server may have it open.

    Parameters
    ----------
    database : Path
    path : Path
        Appears in one step.

    Returns
    -------
    int
        How many answers, undone ones and those of the training among them.

    Raises
    ------
    StoreError
        See :func:`.store.read_store`.
    """
    events, shown = read_store(database)
    rows = list(_list_rows(events, shown))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomic(Path(path), text.getvalue())
    return len(rows)


def _list_rows(events: list[Event], shown: Mapping[str, Shown]) -> Iterator[dict[str, Any]]:
    names: dict[str, str] = {}
    for event in events:
        if event.kind == "rater":
            names.setdefault(event.rater, event.body["name"])
    undone = {event.body["of"] for event in events if event.kind == "undo"}
    for event in events:
        if event.kind != "answer":
            continue
        pair = shown[str(event.pair)]
        values = {
            "answer_id": event.uuid, "rater": event.rater, "name": names[event.rater],
            "a": pair.a, "b": pair.b, "kind": pair.kind, "presentation": pair.presentation,
            "undone": int(event.uuid in undone), "answered_at": event.at,
            "at_s": "" if pair.at_s is None else repr(pair.at_s),
            "speed": "" if pair.at_s is None else repr(pair.speed),
            "expected": "" if pair.at_s is None else answer_check(pair.speed),
        }  # fmt: skip
        values |= {name: event.body[name] for name in COLUMNS if name in event.body}
        yield {name: "" if values[name] is None else values[name] for name in COLUMNS}


def import_answers(path: Path, database: Path) -> tuple[int, int]:
    """Add the answers of an exported table to a database; known ones are passed over.

    Parameters
    ----------
    path : Path
    database : Path
        Made where there is none.

    Returns
    -------
    new, known : int
        How many answers were added, and how many were there.

    Raises
    ------
    ExchangeError
        The file is no table of answers: the message names the row, and nothing was added.
    StoreError
        See :class:`.store.Store`.
    """
    rows = _read_rows(Path(path))
    store = Store(Path(database))
    try:
        known_events, _ = read_store(store.path)
        known = {event.uuid: event for event in known_events}
        raters = {event.rater for event in known_events if event.kind == "rater"}
        undone = {event.body["of"] for event in known_events if event.kind == "undo"}
        events: list[Event] = []
        for row in rows:
            events += _make_events(row, known, raters, undone)
        shown = [_make_shown(row) for row in rows if row["answer_id"] not in known]
        store.append(events, shown).result()
    finally:
        store.close()
    return len(shown), len(rows) - len(shown)


def _make_events(
    row: dict[str, Any], known: Mapping[str, Event], raters: set[str], undone: set[str]
) -> Iterator[Event]:
    """Yield what has to happen for an answer to be there."""
    rater, answer, at = row["rater"], row["answer_id"], row["answered_at"]
    if rater not in raters:
        raters.add(rater)
        body = {name: row[name] for name in ("name", "device", "join")}
        yield Event(_derive("rater", rater), "rater", rater, None, body, at)
    if answer not in known:
        names = ("answer", "heard_ms", "replays", "reaction_ms", "join", "levels", "rate",
                 "page_version", "device", "headphones_right", "clip_version")  # fmt: skip
        body = {name: row[name] for name in names} | {"join_heard": True}
        yield Event(answer, "answer", rater, _derive("pair", answer), body, at)
    if row["undone"] and answer not in undone:
        pair = known[answer].pair if answer in known else _derive("pair", answer)
        yield Event(_derive("undo", answer), "undo", rater, pair, {"of": answer}, at)


def _make_shown(row: dict[str, Any]) -> Shown:
    pair = _derive("pair", row["answer_id"])
    return Shown(pair, row["rater"], row["a"], row["b"], row["at_s"], row["speed"], row["kind"],
                 row["presentation"], 0.0)  # fmt: skip


def _derive(what: str, name: str) -> str:
    """Return the same identifier for the same thing at each import."""
    return str(uuid5(NAMESPACE_URL, f"aares:{what}:{name}"))


def _read_rows(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ExchangeError(f"{path}: expected a table of answers ({error})") from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
        raise ExchangeError(f"{path.name}: expected a column {missing[0]!r}; export it again")
    rows, seen = [], set()
    try:
        for row in reader:
            rows.append(_read_row(row))
            if rows[-1]["answer_id"] in seen:
                raise ValueError("answer_id: expected each answer once")
            seen.add(rows[-1]["answer_id"])
    except (ValueError, csv.Error, forms.RequestError) as error:
        raise ExchangeError(f"{path.name}, line {reader.line_num}: {error}") from error
    return rows


def _read_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with each value of its kind."""
    if None in row or None in row.values():
        raise ValueError(f"expected {len(COLUMNS)} cells")
    found: dict[str, Any] = {name: row[name] for name in COLUMNS}
    for name in ("undone", "heard_ms", "replays", "reaction_ms", "rate", "headphones_right"):
        found[name] = _read_count(name, found[name])
    for name in ("at_s", "speed"):
        found[name] = _read_seconds(name, found[name])
    if (found["at_s"] is None) != (found["speed"] is None):
        raise ValueError("speed: expected beside at_s, and only there")
    found["speed"] = found["speed"] or 1.0
    return found | forms.read_form(found, OF_ROW)


def _read_count(name: str, cell: str) -> int | None:
    if not re.fullmatch(r"\d{0,15}", cell, re.ASCII):
        raise ValueError(f"{name}: expected a whole number, found {cell!r}")
    return int(cell) if cell else None


def _read_seconds(name: str, cell: str) -> float | None:
    if not re.fullmatch(r"(\d{1,7}(\.\d{1,12})?)?", cell, re.ASCII):
        raise ValueError(f"{name}: expected a number, found {cell!r}")
    return float(cell) if cell else None


def _read_file_name(value: Any) -> str:
    if not 1 <= len(value) <= 1024 or "\0" in value:
        raise ValueError("the name of a file")
    return str(value)


def _read_time(value: Any) -> str:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value, re.ASCII):
        raise ValueError("a time such as 2026-11-27T21:00:00.000Z")
    return str(value)


def _read_right(value: Any) -> int | None:
    return None if value is None else forms.count(6)(value)


OF_ROW: Mapping[str, forms.Reader] = {
    **{name: read for name, read in forms.OF_ANSWER.items() if name in COLUMNS},
    "answer_id": forms.read_uuid,
    "rater": forms.read_text,
    "name": forms.read_text,
    "a": _read_file_name,
    "b": _read_file_name,
    "kind": forms.one_of("uncertain", "coverage", "repeat", "check", "training", "fresh"),
    "presentation": forms.one_of("plain", "mirrored"),
    "undone": forms.count(1),
    "device": forms.one_of("headphones", "loudspeakers"),
    "headphones_right": _read_right,
    "clip_version": forms.read_text,
    "answered_at": _read_time,
}
