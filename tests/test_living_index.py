"""Tests of an index that lives: folders that change, writers side by side, kills and full disks."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import re
import shutil
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from aares import files as atomic
from aares.audio import AudioError
from aares.cli import index_folder, main
from aares.cli.messages import describe_progress
from aares.identify import (
    Index,
    IndexBusyError,
    IndexFileError,
    Settings,
    Source,
    compaction,
    make_query,
    store,
    sync,
)
from aares.identify.catalogue import fingerprint, make_part
from aares.identify.collection import choose_name
from aares.identify.lock import describe_writer, is_locked, locked
from aares.identify.search import WAYS
from benchmarks.living import holds, kill_once, make_prints

syncing = sys.modules["aares.identify.sync"]
SR = 8000
posix = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and fork are for POSIX")


def make_noise(seed: int, *, seconds: float = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 0.1 * rng.standard_normal(round(seconds * SR), dtype=np.float32)


def write(path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, make_noise(seed), SR, subtype="FLOAT")


def ask(index: Index, seed: int) -> str | None:
    match = index.identify(make_noise(seed)[SR : 4 * SR], SR, bank=False).match
    return match and match.song


def names_of(file) -> list[str]:
    return [recording.name for recording in Index.open(file).recordings]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "music.index"


@pytest.fixture
def folder(tmp_path):
    for seed, name in enumerate(("one.wav", "two.wav", "CD1/one.wav")):
        write(tmp_path / "music" / name, seed)
    return tmp_path / "music"


@pytest.fixture
def decoded(monkeypatch):
    """The files that were decoded since."""
    paths = []
    original = syncing.fingerprint_files

    def note(files, *arguments, **options):
        paths.extend(path.name for path in files)
        return original(files, *arguments, **options)

    monkeypatch.setattr(syncing, "fingerprint_files", note)
    return paths


def follow(file, folder, **options):
    return sync(file, folder, n_jobs=1, **options)


# --- an index is equal to its folder ----------------------------------------------------------


def test_a_folder_is_indexed_once(file, folder, decoded):
    first = follow(file, folder)
    assert sorted(first.added) == ["CD1/one.wav", "one.wav", "two.wav"] and len(decoded) == 3
    assert [ask(Index.open(file), seed) for seed in range(3)] == [
        "one.wav",
        "two.wav",
        first.added[0],
    ]
    state = store.read_manifest(file)
    again = follow(file, folder)
    assert again.n_same == 3 and not again.added and len(decoded) == 3
    assert store.read_manifest(file) == state  # nothing was written


def test_a_deleted_song_is_not_matched_any_more(file, folder):
    follow(file, folder)
    (folder / "two.wav").unlink()
    changes = follow(file, folder)
    assert changes.removed == ["two.wav"] and changes.n_same == 2
    index = Index.open(file)
    assert [ask(index, seed) for seed in range(3)] == ["one.wav", None, "CD1/one.wav"]
    query = make_query(make_noise(1)[SR : 4 * SR])
    for way in WAYS:  # not even as a candidate
        assert "two.wav" not in [c.song for c in index.rank(query, way).candidates]


def test_a_replaced_file_gets_its_new_answer(file, folder, decoded):
    follow(file, folder)
    decoded.clear()
    write(folder / "two.wav", 7)
    changes = follow(file, folder)
    assert changes.changed == ["two.wav"] and decoded == ["two.wav"] and not changes.added
    index = Index.open(file)
    assert ask(index, 7) == "two.wav" and ask(index, 1) is None and len(index) == 3


def test_a_file_of_the_same_size_but_other_content_is_noticed(file, folder):
    follow(file, folder)
    facts = (folder / "two.wav").stat()
    write(folder / "two.wav", 8)
    assert (folder / "two.wav").stat().st_size == facts.st_size
    assert follow(file, folder).changed == ["two.wav"]


def test_a_touched_file_is_not_decoded_again(file, folder, decoded):
    follow(file, folder)
    decoded.clear()
    os.utime(folder / "two.wav", ns=(0, 10**18))
    changes = follow(file, folder)
    assert changes.n_same == 3 and decoded == []
    sources = {source.path: source for source in Index.open(file).sources}
    assert sources[str((folder / "two.wav").resolve())].changed_ns == 10**18
    state = store.read_manifest(file)
    follow(file, folder)
    assert store.read_manifest(file) == state  # and the next time it is as it was


def test_a_renamed_file_stands_once_and_is_not_decoded(file, folder, decoded):
    follow(file, folder)
    decoded.clear()
    (folder / "CD2").mkdir()
    (folder / "two.wav").rename(folder / "CD2" / "drei.wav")
    changes = follow(file, folder)
    assert changes.renamed == [("two.wav", "CD2/drei.wav")] and decoded == []
    assert not changes.added and not changes.removed
    index = Index.open(file)
    assert ask(index, 1) == "CD2/drei.wav" and len(index) == 3


def test_files_that_change_places_keep_their_sound(file, folder, decoded):
    follow(file, folder)
    decoded.clear()
    (folder / "one.wav").rename(folder / "x.wav")
    (folder / "two.wav").rename(folder / "one.wav")
    (folder / "x.wav").rename(folder / "two.wav")
    os.utime(folder / "two.wav", ns=(0, 10**18))
    os.utime(folder / "one.wav", ns=(0, 10**18 + 1))
    follow(file, folder)
    index = Index.open(file)
    assert decoded == [] and [ask(index, seed) for seed in (0, 1)] == ["two.wav", "one.wav"]


def test_a_renamed_file_takes_the_place_of_a_deleted_one(file, folder, decoded):
    follow(file, folder)
    decoded.clear()
    (folder / "two.wav").replace(folder / "one.wav")
    changes = follow(file, folder)
    index = Index.open(file)
    assert decoded == [] and ask(index, 1) == "one.wav" and ask(index, 0) is None
    assert changes.renamed == [("two.wav", "one.wav")] and len(index) == 2


def test_a_copy_is_another_recording(file, folder):
    follow(file, folder)
    shutil.copy(folder / "one.wav", folder / "copy.wav")
    assert follow(file, folder).added == ["copy.wav"] and len(Index.open(file)) == 4


def test_a_folder_that_moved_is_not_decoded_again(file, folder, decoded):
    follow(file, folder)
    decoded.clear()
    there = folder.rename(folder.with_name("elsewhere"))
    changes = follow(file, there)
    assert len(changes.renamed) == 3 and decoded == []
    assert sorted(names_of(file)) == ["CD1/one.wav", "one.wav", "two.wav"]


def test_two_folders_with_the_same_names_are_told_apart(file, folder, tmp_path):
    write(tmp_path / "other" / "one.wav", 11)
    follow(file, folder)
    assert follow(file, tmp_path / "other").added == ["other/one.wav"]
    index = Index.open(file)
    assert ask(index, 0) == "one.wav" and ask(index, 11) == "other/one.wav"
    paths = [source.path for source in index.sources]
    assert str((tmp_path / "other" / "one.wav").resolve()) in paths
    (folder / "one.wav").unlink()  # each folder is followed for itself
    follow(file, folder)
    follow(file, tmp_path / "other")
    assert ask(Index.open(file), 11) == "other/one.wav" and len(Index.open(file)) == 3


def test_a_folder_inside_a_folder_is_the_same_files(file, folder):
    follow(file, folder)
    assert follow(file, folder / "CD1").n_same == 1
    assert len(Index.open(file)) == 3
    (folder / "CD1" / "one.wav").unlink()
    write(folder / "CD1" / "new.wav", 12)
    changes = follow(file, folder / "CD1")
    assert changes.removed == ["CD1/one.wav"] and changes.added == ["new.wav"]


def test_what_cannot_be_read_is_reported_and_its_old_sound_gone(file, folder):
    follow(file, folder)
    (folder / "two.wav").write_bytes(b"no sound")
    failed = []
    changes = follow(
        file, folder, on_error=lambda path, error: failed.append((path.name, str(error)))
    )
    assert [name for name, _ in failed] == ["two.wav"] and changes.removed == ["two.wav"]
    assert [path.name for path, _ in changes.failed] == ["two.wav"]
    assert ask(Index.open(file), 1) is None
    with pytest.raises(AudioError, match=r"two\.wav"):
        follow(file, folder)


def test_an_empty_folder_does_not_empty_an_index(file, folder):
    follow(file, folder)
    for path in folder.rglob("*.wav"):
        path.unlink()
    with pytest.raises(AudioError, match="no audio file among 0 files; nothing was changed"):
        follow(file, folder)
    assert len(Index.open(file)) == 3


def test_what_was_reported_as_done_stays_when_interrupted(file, folder, monkeypatch):
    monkeypatch.setattr(syncing, "BATCH", 2)
    reported = []

    def stop(done, total):
        reported.append((done, total))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        follow(file, folder, on_progress=stop)
    assert reported == [(2, 3)] and len(names_of(file)) == 2
    assert follow(file, folder, on_progress=lambda *_: None).n_same == 2  # the lock is free again
    assert len(names_of(file)) == 3


# --- the commands -------------------------------------------------------------------------


def test_the_commands_keep_an_index(file, folder, tmp_path, capsys):
    (folder / "CD1" / "one.wav").unlink()
    (folder / "two.wav").unlink()
    assert main(["index", str(folder), "--out", str(file)]) == 0
    said = capsys.readouterr().out
    assert re.search(r"     1 of 1 +\d+\.\d a second   0:00:00 left\n", said)
    write(folder / "two.wav", 1)
    assert index_folder(folder, file) == 0
    assert main(["list", "--json", "--index", str(file)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()[-2:]]
    assert [row["name"] for row in rows] == ["one.wav", "two.wav"]
    assert rows[0]["seconds"] == 5 and rows[1]["file"].endswith("music/two.wav")
    assert main(["verify", "--index", str(file)]) == 0
    assert capsys.readouterr().out.endswith("MB, whole\n")
    other = tmp_path / "other.index"
    Index.from_signals({"one.wav": make_noise(5), "three": make_noise(6)}).save(other)
    assert main(["merge", str(other), "--index", str(file)]) == 0
    assert names_of(file) == ["one.wav", "two.wav", "other/one.wav", "three"]
    assert main(["merge", str(other), "--index", str(file)]) == 0
    said = capsys.readouterr().out
    assert "there already: one.wav" in said and said.endswith("MB; 0 added\n")
    assert main(["remove", "three", "o*/one.wav", "--index", str(file)]) == 0
    assert names_of(file) == ["one.wav", "two.wav"]
    (folder / "one.wav").rename(folder / "uno.wav")
    (folder / "two.wav").unlink()
    assert index_folder(folder, file) == 0
    said = capsys.readouterr().out
    assert "moved: one.wav -> uno.wav\n" in said and "removed: two.wav\n" in said
    assert main(["list", "--index", str(file)]) == 0
    assert re.fullmatch(r" +5\.0 s  uno\.wav  \(.*uno\.wav\)\n", capsys.readouterr().out)


def test_the_commands_say_what_is_wrong(file, tmp_path, capsys):
    for command in (["list"], ["verify"], ["remove", "a"]):
        assert main([*command, "--index", str(file)]) == 1
        assert "music.index: cannot be opened" in capsys.readouterr().err
    assert not file.exists()
    Index.from_signals({"a": make_noise(0)}).save(file)
    assert main(["remove", "a", "b", "--index", str(file)]) == 1
    assert "no recording is called 'b'" in capsys.readouterr().err and names_of(file) == ["a"]
    Index(Settings(fan_out=3)).save(tmp_path / "more.index")
    assert main(["merge", str(tmp_path / "more.index"), "--index", str(file)]) == 1
    assert "fan_out=3" in capsys.readouterr().err
    path = next(file.glob("*.segment"))
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert main(["verify", "--index", str(file)]) == 1
    assert "damaged" in capsys.readouterr().err
    assert describe_progress(1, 2, 3725.4).endswith("1:02:05 left")


# --- one writer ---------------------------------------------------------------------------


def test_a_second_writer_is_told_who_writes(file, folder, capsys):
    Index.from_signals({"a": make_noise(0)}).save(file)
    who = rf"music\.index: process {os.getpid()} on .* has been writing to it since 2\d\d\d-"
    with locked(file):
        assert is_locked(file)
        for act in (
            lambda: Index.open(file).save(file),
            lambda: Index.edit(file).__enter__(),
            lambda: sync(file, folder),
            lambda: locked(file, wait_s=0.1).__enter__(),
        ):
            with pytest.raises(IndexBusyError, match=who):
                act()
        assert main(["remove", "a", "--wait", "0.1", "--index", str(file)]) == 1
        said = capsys.readouterr().err
        assert "waiting up to 0.1 s" in said and re.search(who, said)
        assert names_of(file) == ["a"]  # who reads does not wait
    assert not is_locked(file)
    with Index.edit(file) as index:  # a lock ends with its process; so does what it says
        assert len(index) == 1 and "process" in describe_writer(file)
    assert describe_writer(file) == "another process is writing to it"


def test_a_writer_waits_for_another(file):
    Index().save(file)
    inside = threading.Event()

    def hold():
        with locked(file):
            inside.set()
            time.sleep(0.2)

    other = threading.Thread(target=hold)
    other.start()
    inside.wait()
    with Index.edit(file, wait_s=10) as index:
        index.add({"a": make_noise(0)})
        index.save(file)
    other.join()
    assert names_of(file) == ["a"]


def test_an_index_that_somebody_else_changed_is_not_written_over(file):
    Index.from_signals({"a": make_noise(0)}).save(file)
    one, two = Index.open(file), Index.open(file)
    one.add({"b": make_noise(1)})
    one.save(file)
    two.add({"c": make_noise(2)})
    with pytest.raises(IndexFileError, match="changed it since it was opened; open it again"):
        two.save(file)
    assert names_of(file) == ["a", "b"]
    one.add({"c": make_noise(2)})  # who saved last goes on
    one.save(file)
    assert names_of(file) == ["a", "b", "c"]


def add_some(file, number: int, n: int) -> None:
    """What a writing process does: a recording at a time, each for good."""
    for k in range(n):
        with Index.edit(file, wait_s=60) as index:
            index._add([make_prints(f"{number}/{k}", seed=100 * number + k)])
            index.save(file)


@posix
@pytest.mark.parametrize("n_writers", [2, 4])
def test_writers_at_once_lose_nothing(file, n_writers):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=add_some, args=(file, k, 6)) for k in range(n_writers)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):  # who reads meanwhile sees whole states
        if (file / store.MANIFEST).exists():
            names = names_of(file)
            assert len(set(names)) == len(names)
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    index = Index.open(file)
    assert {r.name for r in index.recordings} == {
        f"{w}/{k}" for w in range(n_writers) for k in range(6)
    }
    assert all(holds(index, 100 * w + k) for w in range(n_writers) for k in range(6))
    index.verify()


@posix
def test_two_commands_at_once_lose_nothing(file, folder, tmp_path):
    """Each follows a folder of its own into the same index."""
    for k in range(3):
        write(tmp_path / "more" / f"{k}.wav", 20 + k)
    context = multiprocessing.get_context("fork")
    options = {"n_jobs": 1, "wait_s": 60}
    two = [context.Process(target=sync, args=(file, f), kwargs=options)
           for f in (folder, tmp_path / "more")]  # fmt: skip
    for process in two:
        process.start()
    for process in two:
        process.join()
        assert process.exitcode == 0
    assert len(Index.open(file)) == 6 and ask(Index.open(file), 22) == "2.wav"


# --- readers ------------------------------------------------------------------------------


def test_readers_keep_the_state_that_they_opened(file):
    Index.from_signals({str(k): make_noise(k) for k in range(3)}).save(file)
    reader = Index.open(file)  # has touched nothing yet
    with Index.edit(file) as index:
        index.remove(["0", "1"])  # more than a quarter: the part is written anew
        index.save(file)
        assert [path.name for path in file.glob("*.segment")] != ["1.segment"]
        for k in range(3, 8):
            index.add({str(k): make_noise(k)})
            index.save(file)
    assert [ask(reader, k) for k in range(4)] == ["0", "1", "2", None]
    assert len(reader) == 3 and len(reader.recordings) == 3
    reader.verify()
    assert [ask(Index.open(file), k) for k in range(4)] == [None, None, "2", "3"]


def test_a_writer_between_manifest_and_files_does_not_disturb(file, monkeypatch):
    """The files that a reader has read of are gone when it opens them: it reads again."""
    Index.from_signals({"a": make_noise(0)}).save(file)
    original, calls = store.read_manifest, []

    def read_late(folder):
        manifest = original(folder)
        calls.append(manifest.state)
        if len(calls) == 1:
            monkeypatch.setattr(store, "read_manifest", original)
            index = Index.from_signals({"b": make_noise(1)})
            index.save(file)  # all files are new
        return manifest

    monkeypatch.setattr(store, "read_manifest", read_late)
    assert [r.name for r in Index.open(file).recordings] == ["b"] and calls == [1]


def test_where_open_files_cannot_be_deleted_they_are_later(file, monkeypatch):
    index = Index.from_signals({"a": make_noise(0)})
    index.save(file)
    reader = Index.open(file)
    with monkeypatch.context() as patch:
        patch.setattr(store.Path, "unlink", refuse_to_delete)
        index.remove(["a"])
        index.add({"b": make_noise(1)})
        index.save(file)
    assert len(list(file.glob("*.segment"))) == 2 and names_of(file) == ["b"]
    assert ask(reader, 0) == "a"
    index.add({"c": make_noise(2)})
    index.save(file)
    assert len(list(file.glob("*.segment"))) == 2 and names_of(file) == ["b", "c"]


def refuse_to_delete(path, missing_ok=False):
    raise PermissionError(errno.EACCES, "it is open elsewhere", str(path))


# --- what a crash leaves ------------------------------------------------------------------


def test_files_are_on_the_disk_before_the_manifest_names_them(file, monkeypatch):
    index = Index.from_signals({"a": make_noise(0)})
    index.save(file)
    events, names = [], {}
    sync_file, replace = os.fsync, atomic.Path.replace

    def note_sync(handle):
        events.append(("sync", Path(f"/proc/self/fd/{handle}").readlink().name))
        sync_file(handle)

    def note_replace(path, target):
        names[path.name] = target.name
        events.append(("replace", target.name))
        return replace(path, target)

    if sys.platform != "linux":
        pytest.skip("needs the names of open files")
    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(atomic.Path, "replace", note_replace)
    index.add({"b": make_noise(1)})
    index.save(file)
    done = [(what, names.get(name, name)) for what, name in events if "writer" not in name]
    assert done == [
        ("sync", "3.segment"), ("replace", "3.segment"), ("sync", "4.roll"), ("replace", "4.roll"),
        ("sync", "music.index"), ("sync", "manifest"), ("replace", "manifest"),
        ("sync", "music.index"),
    ]  # fmt: skip


@posix
def test_a_kill_at_any_moment_loses_nothing_that_was_reported(file):
    rng, held = np.random.default_rng(0), set()
    for seed in range(12):
        held = kill_once(file, seed, rng.uniform(0, 0.12), held)
    assert len(held) > 3
    with Index.edit(file) as index:  # what the killed left behind goes
        index.add({"last": make_noise(0)})
        index.save(file)
        parts = len(index._parts)
    assert len(list(file.glob("*.segment"))) == len(list(file.glob("*.roll"))) == parts
    assert not list(file.glob(".*")) and ask(Index.open(file), 0) == "last"


@pytest.mark.parametrize("call", range(5))
def test_a_full_disk_leaves_the_old_state(file, monkeypatch, call):
    index = Index.from_signals({"a": make_noise(0)})
    index.save(file)
    before = sorted(path.name for path in file.iterdir())
    state, calls, original = store.read_manifest(file), [], os.fsync

    def fill(handle):
        calls.append(handle)
        if len(calls) > call + 1:  # the first is of who writes
            raise OSError(errno.ENOSPC, "No space left on device")
        original(handle)

    index.add({"b": make_noise(1)})
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fill)
        with pytest.raises(OSError, match="No space left"):
            index.save(file)
    if call < 4:  # the last is of the folder, when the new state holds already
        assert store.read_manifest(file) == state and names_of(file) == ["a"]
        assert sorted(path.name for path in file.iterdir()) == before
    if call < 4:
        index.save(file)  # there is room again
    assert names_of(file) == ["a", "b"]


# --- tombstones, compaction and what it costs -------------------------------------------------


def test_removed_recordings_stay_in_the_file_until_they_are_many(file):
    index = Index.from_signals({str(k): make_noise(k) for k in range(8)})
    index.save(file)
    segment = next(file.glob("*.segment"))
    written = segment.stat().st_mtime_ns, segment.stat().st_size
    index.remove(["3"])
    index.save(file)
    assert (segment.stat().st_mtime_ns, segment.stat().st_size) == written
    assert ask(Index.open(file), 3) is None and ask(Index.open(file), 4) == "4"
    assert Index.open(file).recordings == index.recordings and len(index) == 7
    index.add({"3": make_noise(30)})  # its name is free
    index.remove(["0", "1"])
    index.save(file)
    [anew, _] = sorted(file.glob("*.segment"), key=lambda path: path.stat().st_size)[::-1]
    assert anew.stat().st_size < 0.75 * written[1]
    opened = Index.open(file)
    assert [ask(opened, k) for k in (0, 1, 2, 30)] == [None, None, "2", "3"]
    index.remove([recording.name for recording in index.recordings])
    index.save(file)
    assert len(Index.open(file)) == 0 and ask(Index.open(file), 4) is None
    assert store.measure_size(file) < 1000


def test_names_and_files_change_without_the_sound(file):
    index = Index.from_signals({"a": make_noise(0), "b": make_noise(1)})
    index.save(file)
    segment = next(file.glob("*.segment"))
    source = Source("/music/x", 3, 4, bytes(16))
    index.change({"a": ("x", source), "b": None})
    with pytest.raises(ValueError, match="no recording of the index is called 'a'"):
        index.change({"a": None})
    index.add({"b": make_noise(1)})
    for clash in ({"x": ("b", None)}, {"x": ("y", None), "b": ("y", None)}):
        with pytest.raises(ValueError, match="two recordings would be called"):
            index.change(clash)
    assert index.sources == [source, None] and ask(index, 0) == "x" and ask(index, 1) == "b"
    assert segment.exists()


def test_merged_indexes_answer_for_both(file):
    one = Index.from_signals({"a": make_noise(0), "b": make_noise(1)})
    two = Index.from_signals({"a": make_noise(2), "b": make_noise(1), "c": make_noise(3)})
    two.remove(["c"])
    two.save(file)
    assert one.merge(Index.open(file), name="two") == ["b"]
    assert [r.name for r in one.recordings] == ["a", "b", "two/a"]
    assert [ask(one, k) for k in range(4)] == ["a", "b", "two/a", None]
    digests = [Source("/x", 1, 1, bytes([k]) * 16) for k in (1, 1, 2)]
    rows = [fingerprint("s", make_noise(5), Settings())._replace(source=s) for s in digests]
    three, four, five = Index(), Index(), Index()
    for index, row in zip((three, four, five), rows, strict=True):
        index._add([row])
    assert three.merge(four) == ["s"] and three.merge(five) == []
    assert choose_name(["a", "b"], {"a", "b", "b (2)"}) == "b (3)"
    assert (
        store.find_manifest(file.with_name("none")) is None
        and store.find_manifest(file) is not None
    )


def test_ten_thousand_tracks_are_written_at_most_four_times():
    """In 64s, by the sizes of parts; `benchmarks/living.py` does it with real files."""
    for n_batches, most in ((157, 4.0), (60, 4.0), (1563, 5.0)):
        sizes, written = [], 0.0
        for _ in range(n_batches):
            sizes.append(64 / 20_000)
            first = compaction.choose_merge(sizes)
            if first is not None:
                sizes[first:] = [sum(sizes[first:])]
            written += sizes[-1]
        assert written <= most * sum(sizes) and len(sizes) <= 18
    assert max(sizes) < 1


def test_what_is_added_in_small_parts_is_written_few_times(file, monkeypatch):
    """Bytes that reach the disk, with all that goes with them."""
    written, original = [], atomic.Path.replace

    def weigh(path, target):
        written.append(path.stat().st_size)
        return original(path, target)

    monkeypatch.setattr(atomic.Path, "replace", weigh)
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    with Index.edit(file) as index:
        for k in range(40):
            index._add([make_prints(f"{k}/{i}", seed=2 * k + i, n=3000) for i in range(2)])
            index.save(file)
        assert len(index) == 80 and len(index._parts) <= 9
    assert sum(written) <= 4 * store.measure_size(file)
    assert all(holds(Index.open(file), k) is False for k in (1000, 1001))
    Index.open(file).verify()


def test_many_small_parts_become_few_and_lie_one_after_another():
    index, sizes = Index(), []
    for k in range(20):
        index._add([make_prints(f"song {k}", seed=k)])
        sizes.append(len(index._parts))
    assert len(index) == 20 and max(sizes) == 6 and sizes[15] == 1
    at_once = make_part([make_prints(f"song {k}", seed=k) for k in range(20)], 0)
    postings = sorted(
        part.first_block * 32 + frame
        for part in index._parts
        for frame in part.segment.postings.tolist()
    )
    assert postings == sorted(at_once.segment.postings.tolist())
    assert index.recordings == list(at_once.recordings)
    assert index.nbytes["peaks"] == at_once.segment.peaks.nbytes


def test_damage_does_not_get_a_new_checksum(file):
    """What is merged, or written into another folder, is checked first."""
    Index.from_signals({str(k): make_noise(k) for k in range(2)}).save(file)
    path = next(file.glob("*.segment"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    for act in (
        lambda index: index.save(file.with_name("copy.index")),
        lambda index: index.remove(["0"]),  # more than a quarter
        lambda index: Index().merge(index),
    ):
        with pytest.raises(IndexFileError, match="damaged"):
            act(Index.open(file))
