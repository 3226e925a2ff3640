"""An index out of shards is the living one, whatever the memory, the readers and the machines."""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from scale_helpers import SR, TrackSize, make_catalogue, read_files, write_noise

pytest.importorskip("pyarrow", reason="shards are Parquet, of the extra [scale]")
pytest.importorskip("fsspec", reason="object storage is of the extra [scale]")

from aares.cli import main
from aares.identify import Index, IndexBusyError, IndexFileError, Settings, sync
from aares.identify.lock import locked
from aares.identify.storage import Pieces, read_arrays, write_arrays
from aares.scale import building, spilling
from aares.scale.building import build_index
from aares.scale.division import find_tracks
from aares.scale.mapping import map_tracks
from aares.scale.needs import ScaleError
from aares.scale.places import Place
from aares.scale.shards import open_shards
from aares.scale.tracks import TrackPrints

posix = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and fork are for POSIX")


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    return make_catalogue(tmp_path_factory.mktemp("music"))


@pytest.fixture(scope="module")
def shards(music, tmp_path_factory):
    out = tmp_path_factory.mktemp("shards")
    map_tracks(TrackPrints(), music, out, shard_tracks=2)
    return out


@pytest.fixture(scope="module")
def living(music, tmp_path_factory):
    """The index as it is built in memory."""
    index = Index()
    paths = [Path(track.address) for track in find_tracks(music).tracks]
    index.append(paths, root=music, n_jobs=1)
    return index.save(tmp_path_factory.mktemp("living") / "living.index")


def ask(index: Index, music: Path) -> list[list]:
    answers = []
    for track in find_tracks(music).tracks:
        y, _ = sf.read(track.address, dtype="float32")
        answer = index.identify(y[4000:], SR, bank=False)
        assert answer.candidates
        answers.append([answer.p_false, *answer.candidates])
    return answers


def test_it_is_the_index_that_is_built_in_memory(music, shards, living, tmp_path):
    seen = []
    built = build_index(
        shards, tmp_path / "a.index", readers=1, on_progress=lambda *now: seen.append(now)
    )
    assert (built.n_tracks, built.n_parts, built.n_failed) == (12, 1, 0)
    assert seen[-1] == (12, 12)
    assert read_files(tmp_path / "a.index", ".segment") == read_files(living, ".segment")
    one, other = Index.open(tmp_path / "a.index"), Index.open(living)
    one.verify()
    assert one.recordings == other.recordings and one.settings == other.settings
    assert ask(one, music) == ask(other, music)
    names = {"lock", "manifest", "1.segment", "2.roll"}
    assert {path.name for path in (tmp_path / "a.index").iterdir()} == names


def test_memory_readers_and_ranges_change_nothing(shards, living, tmp_path, monkeypatch):
    build_index(shards, tmp_path / "two.index", readers=2)
    assert read_files(tmp_path / "two.index", ".segment") == read_files(living, ".segment")
    monkeypatch.setattr(building, "LEAST_MB", 0.0)
    ranges = []
    real = spilling.cut_ranges
    monkeypatch.setattr(spilling, "cut_ranges", lambda *a: ranges.append(real(*a)) or ranges[-1])
    build_index(shards, tmp_path / "many.index", readers=1, memory_mb=0.001)
    assert len(ranges[0]) > 10
    assert read_files(tmp_path / "many.index", ".segment") == read_files(living, ".segment")


def test_shards_of_two_machines_are_one_catalogue(music, shards, tmp_path):
    paths = [Path(track.address) for track in find_tracks(music).tracks]
    for number in (0, 1):  # every other track: their names interleave
        map_tracks(TrackPrints(), paths[number::2], tmp_path / f"{number}", root=music)
    build_index(shards, tmp_path / "local.index", readers=1)
    built = build_index([tmp_path / "1", tmp_path / "0"], tmp_path / "both.index", readers=1)
    assert built.n_tracks == 12
    for ending in (".segment", ".roll"):
        both, local = (read_files(tmp_path / f"{n}.index", ending) for n in ("both", "local"))
        assert both == local and len(both) == 1


def test_parts_are_those_of_so_many_postings(music, shards, tmp_path):
    n_hashes = [row for table in read_hashes(shards) for row in table]
    built = build_index(
        shards, tmp_path / "parts.index", readers=1, part_postings=sum(n_hashes[:5])
    )
    assert built.n_parts == 3
    index = Index.open(tmp_path / "parts.index")
    index.verify()
    assert [len(part) for part in index._parts] == [5, 4, 3]
    build_index(shards, tmp_path / "one.index", readers=1)
    for one, other in zip(
        ask(index, music), ask(Index.open(tmp_path / "one.index"), music), strict=True
    ):  # how rare a hash is, each part says of itself: votes differ
        assert (one[1].song, one[1].offset_s) == (other[1].song, other[1].offset_s)
    build_index(shards, tmp_path / "each.index", readers=1, part_postings=1)
    assert len(Index.open(tmp_path / "each.index")._parts) == 12


def read_hashes(shards):
    from aares.scale.shards import read_shards

    return [table["n_hashes"].to_pylist() for table in read_shards(shards, ["n_hashes"])]


def test_the_index_lives_on(music, shards, tmp_path):
    """`sync` knows the files, decodes none of them again, and changes what changed."""
    folder, file = tmp_path / "music", tmp_path / "a.index"
    shutil.copytree(music, folder)
    map_tracks(TrackPrints(), folder, tmp_path / "out", shard_tracks=2)
    build_index(tmp_path / "out", file, readers=1)
    assert sync(file, folder, n_jobs=1).n_same == 12
    write_noise(folder / "album 0" / "00.wav", 77)
    (folder / "album 1" / "01.wav").unlink()
    changes = sync(file, folder, n_jobs=1)
    assert (changes.changed, changes.removed) == (["album 0/00.wav"], ["album 1/01.wav"])
    assert len(Index.open(file)) == 11


def test_the_same_recording_counts_once_and_others_get_a_name(tmp_path):
    for number, seeds in enumerate(((1, 2), (1, 3))):
        for name, seed in zip("ab", seeds, strict=True):
            write_noise(tmp_path / f"disk{number}" / f"{name}.wav", seed)
        map_tracks(TrackPrints(), tmp_path / f"disk{number}", tmp_path / f"s{number}")
    built = build_index([tmp_path / "s0", tmp_path / "s1"], tmp_path / "a.index", readers=1)
    assert (built.n_tracks, built.passed) == (3, ["a.wav"])
    assert built.renamed == [("b.wav", "s1/b.wav")]
    index = Index.open(tmp_path / "a.index")
    assert [one.name for one in index.recordings] == ["a.wav", "b.wav", "s1/b.wav"]
    y, _ = sf.read(tmp_path / "disk1" / "b.wav", dtype="float32")
    assert index.identify(y, SR, bank=False).candidates[0].song == "s1/b.wav"


def test_bad_files_are_left_out_and_silence_is_kept(tmp_path):
    write_noise(tmp_path / "music" / "a.wav", 1)
    (tmp_path / "music" / "bad.wav").write_text("nothing")
    sf.write(tmp_path / "music" / "still.wav", np.zeros(2 * SR), SR)
    map_tracks(TrackPrints(), tmp_path / "music", tmp_path / "out")
    built = build_index(tmp_path / "out", tmp_path / "a.index", readers=1)
    assert (built.n_tracks, built.n_failed) == (2, 1)
    index = Index.open(tmp_path / "a.index")
    index.verify()
    assert [one.name for one in index.recordings] == ["a.wav", "still.wav"]
    (tmp_path / "music" / "a.wav").unlink()
    (tmp_path / "music" / "still.wav").unlink()
    map_tracks(TrackPrints(), tmp_path / "music", tmp_path / "out")
    assert build_index(tmp_path / "out", tmp_path / "none.index", readers=1).n_tracks == 0
    assert len(Index.open(tmp_path / "none.index")) == 0


# --- what is refused ------------------------------------------------------------------------


def test_an_index_is_replaced_only_when_asked(music, shards, tmp_path):
    file = tmp_path / "a.index"
    Index.from_signals({"old": np.ones(SR)}).save(file)
    with pytest.raises(IndexFileError, match="holds an index already"):
        build_index(shards, file, readers=1)
    assert len(Index.open(file)) == 1
    reader = Index.open(file)
    build_index(shards, file, readers=1, replace=True)
    assert len(Index.open(file)) == 12 and len(reader) == 1
    reader.verify()
    with locked(file), pytest.raises(IndexBusyError):
        build_index(shards, file, readers=1, replace=True)


def test_shards_of_something_else_are_refused(music, shards, tmp_path):
    map_tracks(TrackSize(), music, tmp_path / "sizes")
    map_tracks(TrackPrints(Settings(fan_out=3)), music, tmp_path / "more")
    for given, match in (
        (tmp_path / "sizes", "expected fingerprints, found size"),
        ([shards, tmp_path / "more"], "'fan_out': 2.*found .*'fan_out': 3"),
        (tmp_path / "nowhere", "expected shards"),
    ):
        with pytest.raises(ScaleError, match=match):
            build_index(given, tmp_path / "a.index")
    assert not (tmp_path / "a.index").exists()
    build_index(tmp_path / "more", tmp_path / "more.index", readers=1)
    assert Index.open(tmp_path / "more.index").settings == Settings(fan_out=3)
    with pytest.raises(ValueError, match="at least one folder"):
        build_index([], tmp_path / "a.index")
    for wrong in ({"memory_mb": 1}, {"readers": 0}, {"part_postings": 0}, {"memory_mb": np.nan}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            build_index(shards, tmp_path / "a.index", **wrong)


def test_damage_is_found_and_an_older_index_stays(shards, tmp_path):
    shutil.copytree(shards, tmp_path / "shards")
    file = tmp_path / "a.index"
    Index.from_signals({"old": np.ones(SR)}).save(file)
    before = read_files(file, ".segment", ".roll", "")
    path = sorted((tmp_path / "shards").glob("*.parquet"))[-1]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ScaleError, match=r"parquet: missing or damaged"):
        build_index(tmp_path / "shards", file, readers=1, replace=True)
    assert read_files(file, ".segment", ".roll", "") == before


def test_fingerprints_that_contradict_themselves_are_refused(tmp_path, monkeypatch):
    write_noise(tmp_path / "music" / "a.wav", 1)
    real = TrackPrints.__call__
    for k, (key, change) in enumerate(
        {
            "hashes": lambda a: a[:-1],
            "times": lambda a: a + np.uint32(96),
            "counts": lambda a: a + np.uint32(1),
            "n_blocks": lambda n: n + 1,
        }.items()
    ):
        out = tmp_path / f"out{k}"
        with monkeypatch.context() as patch:
            patch.setattr(
                TrackPrints, "__call__",
                lambda self, path, key=key, change=change: {
                    **(found := real(self, path)), key: change(found[key])
                },
            )  # fmt: skip
            map_tracks(TrackPrints(), tmp_path / "music", out)
        with pytest.raises(ScaleError, match="contradict themselves"):
            build_index(out, tmp_path / "a.index", readers=1)


# --- kills and full disks -------------------------------------------------------------------


@pytest.mark.parametrize("step", ["spill", "sort_runs", "write_arrays", "publish"])
def test_a_full_disk_leaves_all_as_it_was(shards, tmp_path, monkeypatch, step):
    file = tmp_path / "a.index"
    Index.from_signals({"old": np.ones(SR)}).save(file)
    before = read_files(file, ".segment", ".roll", "")
    real = getattr(building, step)

    def fill(*arguments):
        result = real(*arguments) if step != "publish" else None
        del result
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(building, step, fill)
        with pytest.raises(ScaleError, match=r"No space left .*shards are as they were.*again"):
            build_index(shards, file, readers=1, replace=True)
    assert read_files(file, ".segment", ".roll", "") == before
    build_index(shards, file, readers=1, replace=True)
    assert len(Index.open(file)) == 12


def build_slowly(shards, file, flag) -> None:
    real = building.sort_runs

    def wait(*arguments):
        flag.touch()
        time.sleep(60)
        return real(*arguments)

    building.sort_runs = wait
    build_index(shards, file, readers=1)


@posix
def test_a_builder_that_is_killed_begins_again(shards, living, tmp_path):
    file, flag = tmp_path / "a.index", tmp_path / "flag"
    process = multiprocessing.get_context("fork").Process(
        target=build_slowly, args=(shards, file, flag)
    )
    process.start()
    deadline = time.monotonic() + 30
    while not flag.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert (file / ".building").is_dir()
    build_index(shards, file, readers=1)
    assert not (file / ".building").exists()
    assert read_files(file, ".segment") == read_files(living, ".segment")


# --- arrays in pieces -----------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 100, 2047, 2048, 2049, 10_000])
def test_an_array_in_pieces_is_the_same_file(tmp_path, n):
    array = np.random.default_rng(n).integers(0, 1 << 16, n).astype(np.uint16)
    cuts = np.sort(np.random.default_rng(1).integers(0, n + 1, 5))
    pieces = Pieces(array.dtype, n, np.split(array, cuts))
    whole = write_arrays(tmp_path / "a.segment", {}, {"one": array, "two": array})
    parts = write_arrays(tmp_path / "b.segment", {}, {"one": pieces, "two": array})
    assert whole == parts
    assert (tmp_path / "a.segment").read_bytes() == (tmp_path / "b.segment").read_bytes()
    assert (read_arrays(tmp_path / "b.segment")[1]["one"].check_all() == array).all()


def test_pieces_that_are_not_as_long_as_said_write_nothing(tmp_path):
    pieces = Pieces(np.dtype(np.uint16), 3, [np.zeros(2, dtype=np.uint16)])
    with pytest.raises(ValueError, match="one: expected 3 numbers in pieces"):
        write_arrays(tmp_path / "a.segment", {}, {"one": pieces})
    assert list(tmp_path.iterdir()) == []


# --- the command ----------------------------------------------------------------------------


def test_the_command_builds_and_says_what_it_made(shards, tmp_path, capsys):
    file = str(tmp_path / "a.index")
    arguments = ["build", str(shards), "--out", file, "--workers", "1", "--memory", "32"]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "12 of 12 " in said and "a second" in said and f"{file}: 12 recordings, " in said
    assert main(["verify", "--index", file]) == 0
    assert main(arguments) == 1
    assert "--replace takes its place, or name another" in capsys.readouterr().err
    assert main([*arguments, "--replace"]) == 0
    assert main(["build", str(tmp_path / "nowhere"), "--out", file, "--replace"]) == 1
    assert "expected shards" in capsys.readouterr().err
    assert main([*arguments, "--replace", "--memory", "1"]) == 1
    assert "memory_mb: expected 16 or more" in capsys.readouterr().err


def test_the_command_says_what_is_there_twice(tmp_path, capsys):
    for number, seeds in enumerate(((1, 2), (1, 3))):
        for name, seed in zip("ab", seeds, strict=True):
            write_noise(tmp_path / f"disk{number}" / f"{name}.wav", seed)
        map_tracks(TrackPrints(), tmp_path / f"disk{number}", tmp_path / f"s{number}")
    out = str(tmp_path / "a.index")
    given = [str(tmp_path / "s0"), str(tmp_path / "s1")]
    assert main(["build", *given, "--out", out, "--workers", "1"]) == 0
    said = capsys.readouterr().out
    assert "renamed: b.wav -> s1/b.wav" in said
    assert "1 recordings are there several times, taken once" in said


def test_shards_in_object_storage_are_built_from(music, living, tmp_path):
    map_tracks(TrackPrints(), music, "memory://built/shards", shard_tracks=3)
    assert open_shards("memory://built/shards")[0].name == Place("memory://built/shards").name
    build_index("memory://built/shards", tmp_path / "a.index", readers=1)
    assert read_files(tmp_path / "a.index", ".segment") == read_files(living, ".segment")
