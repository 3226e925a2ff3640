"""The database of answers: it only grows, loses nothing, doubles nothing, overwrites nothing."""

from __future__ import annotations

import csv
import hashlib
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from label_helpers import make_uuid

from aares.chaining.labels import read_labels
from workshop.label import store as stores
from workshop.label.exchange import COLUMNS, ExchangeError, export_answers, import_answers
from workshop.label.store import Event, Shown, Store, StoreError, read_store

AT = "2026-11-27T21:00:00.000Z"
PAIR = Shown("p1", "r1", "a.ogg", "b.ogg", None, 1.0, "coverage", "plain", 0.0)
CHECK = Shown("p2", "r1", "a.ogg", "a.ogg", 20.125, 0.6, "check", "mirrored", 0.0)
HEARD = {
    "heard_ms": 20_000, "join_heard": True, "replays": 0, "reaction_ms": 5, "join": "cut",
    "levels": "levelled", "rate": 48_000, "page_version": "1", "device": "headphones",
    "headphones_right": None, "clip_version": "1",
}  # fmt: skip


def make_event(kind="answer", pair="p1", uuid=None, **body):
    bodies = {"answer": {"answer": "yes", **HEARD}, "rater": {"name": "Ann", "join": "cut",
              "device": "headphones"}}  # fmt: skip
    return Event(uuid or make_uuid(), kind, "r1", pair, bodies.get(kind, {}) | body, AT)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "labels.sqlite")
    yield store
    store.close()


def fill(store):
    """A rater, an answer that was undone, a check, and a name that a table has to quote."""
    rater = make_event("rater", None, name='Ann, "the ear" =1+1')
    answers = [make_event(), make_event(pair="p2", answer="no", headphones_right=5)]
    undo = make_event("undo", of=answers[0].uuid)
    store.append([rater, *answers, undo], [PAIR, CHECK]).result()
    return answers


def test_what_is_acknowledged_is_there(store):
    answers = fill(store)
    events, shown = read_store(store.path)
    assert [event.kind for event in events] == ["rater", "answer", "answer", "undo"]
    assert events[1] == answers[0] and shown == {"p1": PAIR, "p2": CHECK}


def test_a_repeated_request_is_one_answer(store):
    fill(store)
    event = make_event()
    with ThreadPoolExecutor(8) as pool:
        futures = list(pool.map(lambda _: store.append([event]), range(40)))
    assert sum(future.result() == [True] for future in futures) == 1
    assert sum(known.uuid == event.uuid for known in read_store(store.path)[0]) == 1


def test_the_first_of_two_with_one_uuid_stays(store):
    fill(store)
    first = make_event(answer="yes")
    assert store.append([first]).result() == [True]
    assert store.append([first._replace(body={"answer": "no"})]).result() == [False]
    assert first in read_store(store.path)[0]


def test_what_cannot_be_written_leaves_what_waits_with_it_alone(store):
    fill(store)
    bad = store.append([make_event(), make_event(pair="never shown")])
    good = store.append([make_event()])
    with pytest.raises(StoreError, match="labels.sqlite: not written .FOREIGN KEY"):
        bad.result()
    assert good.result() == [True]
    assert len(read_store(store.path)[0]) == 5, "nothing of the bad job"


def test_events_are_only_appended(store):
    fill(store)
    with sqlite3.connect(store.path) as connection:
        for change in ("DELETE FROM events", "UPDATE events SET at = ''"):
            with pytest.raises(sqlite3.IntegrityError, match="only appended"):
                connection.execute(change)
        with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT value in REAL"):
            connection.execute("UPDATE shown SET until = 'soon'")
    connection.close()


def test_it_is_on_the_disk_before_it_is_acknowledged(store):
    for name, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
        assert store._connection.execute(f"PRAGMA {name}").fetchone()[0] == value


def test_the_log_goes_into_the_database_while_nobody_waits(tmp_path, monkeypatch):
    monkeypatch.setattr(stores, "REST_S", 0.01)
    fill(store := Store(tmp_path / "labels.sqlite"))
    size = store.path.stat().st_size
    store.append([make_event() for _ in range(200)]).result()
    begin = time.monotonic()
    while store.path.stat().st_size == size and time.monotonic() < begin + 10:
        time.sleep(0.01)
    assert store.path.stat().st_size > size
    store.close()


def test_a_database_has_one_server_and_any_number_of_readers(store):
    fill(store)
    with pytest.raises(StoreError, match="another labelling server has it open.*--database"):
        Store(store.path)
    assert len(read_store(store.path)[0]) == 4


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make_foreign(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()


def make_newer(path):
    fill(store := Store(path))
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def make_damaged(path):
    fill(store := Store(path))
    store.append([make_event() for _ in range(300)]).result()
    store.close()
    content = bytearray(path.read_bytes())
    content[8192:12_288] = b"\xa5" * 4096
    path.write_bytes(content)


def make_truncated(path):
    make_damaged(path)
    path.write_bytes(path.read_bytes()[:9000])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.write_text("answers\n" * 200), "not a readable database"),
        (make_foreign, "a database, but not one of labels"),
        (make_newer, "of version 99, made by a newer program; this one knows 1"),
        (make_damaged, "damaged|not a readable database"),
        (make_truncated, "damaged|not a readable database"),
    ],
    ids=["text", "foreign", "newer", "damaged", "truncated"],
)
def test_what_is_no_database_of_labels_is_told_and_left_as_it_is(tmp_path, spoil, message):
    path = tmp_path / "labels.sqlite"
    spoil(path)
    before = digest(path)
    for use in (Store, read_store):
        with pytest.raises(StoreError, match=rf"labels.sqlite: ({message}).*it was left as it is"):
            use(path)
    assert digest(path) == before


def test_what_cannot_be_opened_is_told(tmp_path):
    with pytest.raises(StoreError, match="expected a file, found a folder"):
        (tmp_path / "folder").mkdir()
        Store(tmp_path / "folder")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        Store(tmp_path / "file" / "labels.sqlite")
    with pytest.raises(StoreError, match="found no such file"):
        read_store(tmp_path / "none.sqlite")


def test_an_older_version_is_brought_up_to_date_or_stays_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "labels.sqlite"
    answers = fill(store := Store(path))
    store.close()
    wrong = "ALTER TABLE shown ADD COLUMN note TEXT; ALTER TABLE nowhere ADD COLUMN x TEXT;"
    monkeypatch.setattr(stores, "STEPS", (*stores.STEPS, wrong))
    with pytest.raises(StoreError, match="cannot be opened .no such table: nowhere"):
        Store(path)
    step = "CREATE TABLE notes (id TEXT PRIMARY KEY) STRICT;"
    monkeypatch.setattr(stores, "STEPS", (*stores.STEPS[:1], step))
    Store(path).close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 2
        assert connection.execute("SELECT count(*) FROM notes").fetchone()[0] == 0
    connection.close()
    assert answers[0] in read_store(path)[0]


# --- as a table -------------------------------------------------------------------------------


@pytest.fixture
def table(store, tmp_path):
    answers = fill(store)
    assert export_answers(store.path, tmp_path / "labels.csv") == 2
    return tmp_path / "labels.csv", answers


def test_what_is_exported_and_imported_is_exported_the_same(table, tmp_path):
    path, _ = table
    assert import_answers(path, tmp_path / "new.sqlite") == (2, 0)
    assert import_answers(path, tmp_path / "new.sqlite") == (0, 2)
    export_answers(tmp_path / "new.sqlite", tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == path.read_bytes()


def test_a_row_says_all_of_an_answer(table):
    path, answers = table
    with path.open(encoding="utf-8", newline="") as stream:
        first, second = csv.DictReader(stream)
    assert tuple(first) == COLUMNS
    assert first["answer_id"] == answers[0].uuid and first["name"] == 'Ann, "the ear" =1+1'
    assert (first["undone"], first["answered_at"], first["headphones_right"]) == ("1", AT, "")
    assert (first["at_s"], first["expected"]) == ("", "")
    assert (second["at_s"], second["speed"], second["expected"]) == ("20.125", "0.6", "no")
    assert (second["kind"], second["presentation"], second["undone"]) == ("check", "mirrored", "0")


def test_the_library_reads_the_table(table):
    labels = read_labels(table[0])
    assert labels["undone"].tolist() == [True, False]
    assert labels["answer"].tolist() == ["yes", "no"]


def test_an_import_adds_to_what_is_there_and_takes_over_what_was_undone(table, store, tmp_path):
    path, answers = table
    import_answers(path, tmp_path / "new.sqlite")
    store.append([make_event("undo", "p2", of=answers[1].uuid), make_event()]).result()
    export_answers(store.path, path)
    assert import_answers(path, tmp_path / "new.sqlite") == (1, 2)
    export_answers(tmp_path / "new.sqlite", tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("answer", "maybe", "answer: expected one of yes, no, unsure"),
        ("heard_ms", "-1", "heard_ms: expected a whole number, found '-1'"),
        ("rate", "", "rate: expected a whole number from 8000 to 768000"),
        ("answer_id", "1", "answer_id: expected a UUID"),
        ("answered_at", "yesterday", "answered_at: expected a time such as"),
        ("at_s", "1e9", "at_s: expected a number"),
        ("at_s", "3.0", "speed: expected beside at_s"),
        ("headphones_right", "7", "headphones_right: expected a whole number from 0 to 6"),
        ("undone", "2", "undone: expected a whole number from 0 to 1"),
        ("name", "", "name: expected a text of 1 to 64 characters"),
        ("a", "", "a: expected the name of a file"),
        ("kind", "odd", "kind: expected one of"),
    ],
)
def test_a_wrong_cell_is_told_and_nothing_is_imported(table, tmp_path, column, cell, message):
    path, _ = table
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows[0][column] = cell
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(rows[::-1])
    with pytest.raises(ExchangeError, match=f"labels.csv, line 3: {message}"):
        import_answers(path, tmp_path / "new.sqlite")
    assert not (tmp_path / "new.sqlite").exists()


def test_what_is_no_table_of_answers_is_told(table, tmp_path):
    path, _ = table
    text = path.read_text(encoding="utf-8")
    for content, message in (
        (b"\xff\xfe", "expected a table of answers"),
        (b"", "expected a column 'answer_id'"),
        (text.replace("replays", "plays").encode(), "expected a column 'replays'; export it again"),
        (text.replace(",21", ",21,21").encode() + b"1,2\n", "line"),
        ((text + text.splitlines()[1] + "\n").encode(), "line 4: answer_id: expected each answer"),
    ):
        path.write_bytes(content)
        with pytest.raises(ExchangeError, match=message):
            import_answers(path, tmp_path / "new.sqlite")
    with pytest.raises(ExchangeError, match="expected a table of answers"):
        import_answers(tmp_path / "none.csv", tmp_path / "new.sqlite")
