"""One function over a catalogue: the same bytes whoever computes, and nothing lost by a kill."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from scale_helpers import TrackSize, make_catalogue, read_files, write_noise

pytest.importorskip("pyarrow", reason="shards are Parquet, of the extra [scale]")
pytest.importorskip("fsspec", reason="object storage is of the extra [scale]")

from aares import files as atomic
from aares.audio.features import NAMES, extract
from aares.cli import main
from aares.errors import AudioError
from aares.identify import IndexBusyError
from aares.identify.catalogue import Settings, fingerprint
from aares.identify.lock import locked
from aares.scale import places
from aares.scale.building import build_index
from aares.scale.dispatch import run_tasks
from aares.scale.division import Track, divide, find_tracks, name_shard
from aares.scale.mapping import Progress, map_tracks
from aares.scale.needs import ScaleError
from aares.scale.places import Place
from aares.scale.shards import find_shards, open_shards, read_shards
from aares.scale.tracks import TrackFeatures, TrackPrints

posix = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is for POSIX")


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    return make_catalogue(tmp_path_factory.mktemp("music"))


@pytest.fixture(scope="module")
def cluster():
    """Two workers of a Dask cluster on this machine, for all tests that need one."""
    distributed = pytest.importorskip("distributed", reason="a cluster is of the extra [scale]")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as local:
        yield local


def read_rows(out) -> list[dict]:
    return [row for table in read_shards(out) for row in table.to_pylist()]


def list_made(log) -> list[str]:
    return sorted(log.read_text().split()) if log.exists() else []


# --- a run that is killed (first: it is forked while no cluster runs here) -------------------


def run_slowly(music, out) -> None:
    map_tracks(TrackSize(slow_s=0.05), music, out, shard_tracks=2)


@posix
def test_a_run_that_is_killed_goes_on(music, tmp_path):
    out, log = tmp_path / "out", tmp_path / "log"
    process = multiprocessing.get_context("fork").Process(target=run_slowly, args=(music, out))
    process.start()
    deadline = time.monotonic() + 30
    while len(list(out.glob("*.json"))) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    kept = len(list(out.glob("*.json"))) - 1
    with pytest.raises(ScaleError, match="not complete"):
        open_shards(out)
    mapped = map_tracks(TrackSize(log=str(log)), music, out, shard_tracks=2)
    assert kept >= 3 and len(list_made(log)) == mapped.n_new <= 12 - kept
    check_whole(music, out, tmp_path)


# --- the same bytes -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def prints(music, tmp_path_factory):
    out = tmp_path_factory.mktemp("prints")
    map_tracks(TrackPrints(), music, out, shard_tracks=2)
    return out


def test_a_cluster_writes_the_bytes_of_a_local_run(music, prints, cluster, tmp_path):
    map_tracks(TrackPrints(), music, tmp_path, shard_tracks=2, scheduler=cluster.scheduler_address)
    assert len(read_files(prints, ".parquet")) > 3
    assert read_files(tmp_path, ".parquet", ".json") == read_files(prints, ".parquet", ".json")


def test_a_cluster_that_is_started_here_writes_the_same_and_ends(music, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="a cluster is of the extra [scale]")
    started, workers = [], set()

    class Seen(distributed.LocalCluster):
        def __init__(self, **options):
            super().__init__(**options)
            started.append(self)

    def look(now: Progress) -> None:
        workers.update(worker.pid for one in started for worker in one.workers.values())

    monkeypatch.setattr(distributed, "LocalCluster", Seen)
    out = tmp_path / "out"
    map_tracks(
        TrackSize(), music, out, shard_tracks=2, workers=2, scheduler="local", on_progress=look
    )
    check_whole(music, out, tmp_path)
    assert len(started) == 1 and len(workers) == 2 and os.getpid() not in workers
    assert started[0].status == distributed.Status.closed


def test_processes_write_the_bytes_of_one(music, prints, tmp_path):
    map_tracks(TrackPrints(), music, tmp_path, shard_tracks=2, workers=2)
    assert read_files(tmp_path, ".parquet", ".json") == read_files(prints, ".parquet", ".json")


def test_the_order_of_work_and_of_names_changes_nothing(music, prints, tmp_path, monkeypatch):
    import aares.scale.mapping as mapping

    def backwards(do, tasks, **options):
        return (do(task) for task in reversed(list(tasks)))

    monkeypatch.setattr(mapping, "run_tasks", backwards)
    given = list(reversed([Path(track.address) for track in find_tracks(music).tracks]))
    map_tracks(TrackPrints(), given, tmp_path, shard_tracks=2)
    assert read_files(tmp_path, ".parquet", ".json") == read_files(prints, ".parquet", ".json")


def test_a_row_holds_what_an_index_keeps(music, prints):
    import soundfile as sf

    rows = read_rows(prints)
    assert [row["name"] for row in rows] == sorted(row["name"] for row in rows)
    y, _ = sf.read(music / rows[3]["name"], dtype="float32")
    found = fingerprint("", y, Settings())
    assert rows[3]["hashes"] == found.hashes.tolist() and len(found.hashes)
    assert rows[3]["times"] == found.times.tolist()
    assert rows[3]["peaks"] == found.peaks.tolist() and rows[3]["error"] == ""
    assert rows[3]["n_blocks"] == len(rows[3]["counts"]) == 3
    assert (rows[3]["n_hashes"], rows[3]["n_peaks"]) == (len(found.hashes), len(found.peaks))


def test_features_come_on_the_same_road(tmp_path):
    long = write_noise(tmp_path / "music" / "long.wav", 1, seconds=6)
    write_noise(tmp_path / "music" / "short.wav", 2, seconds=1)
    mapped = map_tracks(TrackFeatures("0:00-0:30"), tmp_path / "music", tmp_path / "out")
    one, other = read_rows(tmp_path / "out")
    assert {name: one[name] for name in NAMES} == extract(long, "0:00-0:30") and one["is_short"]
    assert other["bpm"] is None and "short.wav" in other["error"]
    assert mapped.failed == [("short.wav", other["error"])]
    with pytest.raises(ValueError, match="segment"):
        TrackFeatures("sometime")


def test_a_manifest_says_what_was_asked_and_what_is_there(prints):
    place, manifest = open_shards(prints)
    assert manifest.complete and manifest.n_tracks == 12 and place.name == prints.name
    assert manifest.about["name"] == "fingerprints" and manifest.about["fan_out"] == 2
    assert "libsndfile" in manifest.about["decoder"]
    content = (prints / f"{manifest.shards[0].id}.parquet").read_bytes()
    import hashlib

    assert manifest.shards[0].sha256 == hashlib.sha256(content).hexdigest()


# --- nothing twice --------------------------------------------------------------------------


def test_the_same_call_again_does_nothing(music, tmp_path):
    log, seen = tmp_path / "log", []
    first = map_tracks(TrackSize(log=str(log)), music, tmp_path / "out", shard_tracks=2)
    before = read_files(tmp_path / "out", ".parquet", ".json")
    again = map_tracks(
        TrackSize(log=str(log)), music, tmp_path / "out", shard_tracks=2, on_progress=seen.append
    )
    assert (first.n_new, again.n_new, len(list_made(log))) == (12, 0, 12)
    assert seen == [Progress(12, 12, 12, 0)]
    assert read_files(tmp_path / "out", ".parquet", ".json") == before


def test_what_changed_is_made_anew_and_nothing_else(tmp_path):
    music, out, log = make_catalogue(tmp_path / "music"), tmp_path / "out", tmp_path / "log"
    map_tracks(TrackSize(log=str(log)), music, out, shard_tracks=3)
    log.unlink()
    write_noise(music / "album 0" / "04.wav", 99, seconds=1)  # another content
    (music / "album 1" / "05.wav").unlink()
    write_noise(music / "album 1" / "05b.wav", 100)
    os.utime(music / "album 0" / "00.wav", (1, 1))  # another date of the same content
    mapped = map_tracks(TrackSize(log=str(log)), music, out, shard_tracks=3)
    assert list_made(log) == ["04.wav", "05b.wav"]
    assert mapped.n_tracks == 12 and len(read_rows(out)) == 12
    fresh = tmp_path / "fresh"
    map_tracks(TrackSize(), music, fresh, shard_tracks=3)
    assert read_files(out, ".parquet") == read_files(fresh, ".parquet")
    assert find_shards(Place(out)) == find_shards(Place(fresh))


def test_a_shard_that_is_damaged_is_made_anew(music, tmp_path):
    log = tmp_path / "log"
    map_tracks(TrackSize(log=str(log)), music, tmp_path / "out", shard_tracks=2)
    before = read_files(tmp_path / "out", ".parquet", ".json")
    log.unlink()
    first, second, *_ = sorted((tmp_path / "out").glob("*.parquet"))
    first.write_bytes(first.read_bytes()[:-1] + b"!")
    second.unlink()
    with pytest.raises(ScaleError, match="missing or damaged"):
        read_rows(tmp_path / "out")
    map_tracks(TrackSize(log=str(log)), music, tmp_path / "out", shard_tracks=2)
    assert 2 <= len(list_made(log)) <= 8
    assert read_files(tmp_path / "out", ".parquet", ".json") == before


def test_a_bad_file_is_a_row_with_its_reason(tmp_path):
    music, out, log = make_catalogue(tmp_path / "music", 4), tmp_path / "out", tmp_path / "log"
    (music / "x.wav").write_text("not sound")
    (music / "y.wav").write_text("bug")
    mapped = map_tracks(TrackSize(log=str(log)), music, out)
    assert mapped.failed == [
        ("x.wav", "x.wav: expected a RIFF header"),
        ("y.wav", "y.wav: unexpected LookupError: a bug of the function"),
    ]
    assert [row["half"] for row in read_rows(out)][-2:] == [None, None]
    log.unlink()
    assert map_tracks(TrackSize(log=str(log)), music, out).failed == mapped.failed
    assert list_made(log) == []
    (music / "x.wav").write_bytes(next(music.rglob("00.wav")).read_bytes())
    assert map_tracks(TrackSize(log=str(log)), music, out).failed == mapped.failed[1:]
    assert list_made(log) == ["x.wav"]


def test_what_could_not_be_read_is_tried_again_when_asked(tmp_path, monkeypatch):
    music = make_catalogue(tmp_path / "music", 4)
    real = TrackSize.__call__

    def refuse(self, path):
        if path.name == "02.wav":
            raise AudioError("02.wav: its decoder is not installed")
        return real(self, path)

    monkeypatch.setattr(TrackSize, "__call__", refuse)
    assert len(map_tracks(TrackSize(), music, tmp_path / "out").failed) == 1
    monkeypatch.setattr(TrackSize, "__call__", real)
    assert len(map_tracks(TrackSize(), music, tmp_path / "out").failed) == 1
    assert map_tracks(TrackSize(), music, tmp_path / "out", retry=True).failed == []


# --- what is refused ------------------------------------------------------------------------


def test_other_parameters_are_refused(music, tmp_path):
    map_tracks(TrackSize(), music, tmp_path)
    before = read_files(tmp_path, ".parquet", ".json")
    for function, options, match in (
        (TrackSize(flavour="sour"), {}, "flavour 'plain'; asked is flavour 'sour'; choose another"),
        (TrackSize(), {"shard_tracks": 3}, "shard_tracks 16; asked is shard_tracks 3"),
        (TrackPrints(), {}, "name 'size'"),
    ):
        with pytest.raises(ScaleError, match=match):
            map_tracks(function, music, tmp_path, **options)
    assert read_files(tmp_path, ".parquet", ".json") == before


def test_another_catalogue_is_refused(music, tmp_path):
    map_tracks(TrackSize(), music, tmp_path / "out")
    write_noise(tmp_path / "other" / "tone.wav", 1)
    with pytest.raises(ScaleError, match="holds 12 tracks of .*, and none of"):
        map_tracks(TrackSize(), tmp_path / "other", tmp_path / "out")
    assert len(read_rows(tmp_path / "out")) == 12


def test_the_files_of_others_are_left_alone(music, tmp_path):
    strange = ("notes.txt", "0123.parquet", "0" * 16 + ".json", "1" * 16 + ".parquet")
    for name in strange:
        (tmp_path / name).write_text("mine")
    (tmp_path / f".{'a' * 16}.parquet.x.tmp").write_text("of a run that was killed")
    map_tracks(TrackSize(), music, tmp_path)
    assert all((tmp_path / name).read_text() == "mine" for name in strange)
    assert list(tmp_path.glob(".*.tmp")) == []
    assert len(read_rows(tmp_path)) == 12


def test_a_manifest_of_something_else_is_refused(music, tmp_path):
    for content in ("{}", '{"format": "aares shards 99"}', "[", '{"format": "aares shards 1"}'):
        (tmp_path / "manifest.json").write_text(content)
        with pytest.raises(ScaleError, match="not that of shards"):
            map_tracks(TrackSize(), music, tmp_path)
        assert (tmp_path / "manifest.json").read_text() == content


def test_one_writer_at_a_time(music, tmp_path):
    with locked(tmp_path), pytest.raises(IndexBusyError, match="has been writing to it since"):
        map_tracks(TrackSize(), music, tmp_path)


def test_catalogues_that_are_none(tmp_path):
    with pytest.raises(AudioError, match="expected a folder with audio files, found none"):
        map_tracks(TrackSize(), tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(AudioError, match="no audio file among 0 files"):
        map_tracks(TrackSize(), tmp_path / "empty", tmp_path / "out")
    with pytest.raises(AudioError, match="at least one"):
        map_tracks(TrackSize(), [], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    mapped = map_tracks(TrackSize(), [tmp_path / "gone.wav"], tmp_path / "out")
    assert mapped.failed == [("gone.wav", "gone.wav: expected an audio file, found no such file")]
    with pytest.raises(ValueError, match="root: expected a folder that holds"):
        find_tracks([tmp_path / "a.wav"], root=tmp_path / "empty")
    with pytest.raises(ValueError, match="workers: expected 1 or more"):
        list(run_tasks(abs, [1], workers=0))
    with pytest.raises(ValueError, match="shard_tracks"):
        divide([], 0)
    with pytest.raises(ScaleError, match=r"nowhere: expected shards, found no manifest.json"):
        open_shards("nowhere")


def test_a_worker_of_another_version_is_refused(music, tmp_path, monkeypatch):
    import aares.scale.mapping as mapping

    def age(do, tasks, **options):
        monkeypatch.setattr(TrackSize, "describe", lambda self: {"name": "size", "version": 0})
        return (do(task) for task in tasks)

    monkeypatch.setattr(mapping, "run_tasks", age)
    with pytest.raises(ScaleError, match="versions differ"):
        map_tracks(TrackSize(), music, tmp_path)


# --- how tracks are divided -----------------------------------------------------------------


def test_shards_are_of_about_the_size_that_was_asked():
    tracks = [Track(f"{n:05}.mp3", "") for n in range(5000)]
    for asked in (1, 2, 16):
        sizes = [len(shard) for shard in divide(tracks, asked)]
        assert 0.85 * asked <= np.mean(sizes) <= 1.15 * asked
        assert max(sizes) <= 2 * asked and min(sizes[:-1]) >= asked // 2
    assert [t for shard in divide(tracks, 16) for t in shard] == tracks


def test_a_track_more_or_less_changes_few_shards():
    tracks = [Track(f"{n:05}.mp3", "") for n in range(2000)]
    before = {name_shard(t.name for t in shard) for shard in divide(tracks)}
    changed = []
    for row in range(0, 2000, 100):
        rest = tracks[:row] + tracks[row + 1 :]
        changed.append(len(before - {name_shard(t.name for t in shard) for shard in divide(rest)}))
    assert np.mean(changed) < 4 and len(before) > 100


# --- object storage -------------------------------------------------------------------------


def test_object_storage_gives_the_same_shards(music, prints, tmp_path):
    store = Place("memory://archive/music")
    for track in find_tracks(music).tracks:
        album, _, name = track.name.partition("/")
        Place(f"{store.address}/{album}").write(name, Path(track.address).read_bytes())
    Place("memory://archive/music").write("cover.jpg", b"")
    out = Place("memory://results/prints")
    map_tracks(TrackPrints(), store.address, out.address, shard_tracks=2)
    wanted = read_files(prints, ".parquet")
    assert {n: out.read(n) for n in out.list_names() if n.endswith(".parquet")} == wanted
    assert map_tracks(TrackPrints(), store.address, out.address, shard_tracks=2).n_new == 0
    assert not [name for name in out.list_names() if name.endswith(".tmp")]
    urls = [f"{store.address}/{track.name}" for track in find_tracks(music).tracks]
    assert [t.name for t in find_tracks(urls).tracks] == [t.name for t in find_tracks(music).tracks]
    map_tracks(TrackPrints(), urls, tmp_path, shard_tracks=2)
    assert read_files(tmp_path, ".parquet") == wanted


def test_what_is_written_there_is_whole_or_not_at_all(monkeypatch):
    import fsspec

    place = Place("memory://whole")
    place.write("a.txt", b"old")

    def fail(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fsspec.filesystem("memory").__class__, "mv", fail)
    with pytest.raises(OSError, match="No space"):
        place.write("a.txt", b"new")
    assert place.read("a.txt") == b"old" and place.list_names() == ["a.txt"]
    place.delete("a.txt")
    place.delete("a.txt")
    assert place.list_names() == []


def test_storage_without_its_package_or_tracks_is_told(tmp_path):
    with pytest.raises(ScaleError, match=r"nowhere://x: cannot be opened"):
        find_tracks("nowhere://x")
    with pytest.raises(AudioError, match="no audio file among 0 files"):
        find_tracks("memory://empty")
    Place("memory://some").write("a.wav", b"RIFF")
    mapped = map_tracks(TrackSize(), ["memory://some/a.wav", "memory://some/b.wav"], tmp_path)
    assert mapped.failed == [("b.wav", "b.wav: expected an audio file, found none to read")]
    with pytest.raises(ValueError, match="root: expected a URL that holds all files"):
        find_tracks(["memory://some/a.wav"], root="memory://other")


# --- kills and full disks -------------------------------------------------------------------


def fill_disk(monkeypatch, after: int) -> None:
    """Let the disk be full when `after` more files were written."""
    real, left = atomic.os.fsync, [after]

    def fsync(handle):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    monkeypatch.setattr(atomic.os, "fsync", fsync)


@pytest.mark.parametrize("after", [0, 2, 3, 8])
def test_a_full_disk_keeps_what_is_done_and_says_so(music, tmp_path, monkeypatch, after):
    log = tmp_path / "log"
    function = TrackSize(log=str(log))
    with monkeypatch.context() as patch:
        fill_disk(patch, after)
        with pytest.raises(ScaleError, match="No space left on device") as caught:
            map_tracks(function, music, tmp_path / "out", shard_tracks=2)
    if after >= 4:
        assert "of 12 tracks are kept in" in str(caught.value)
        assert "the same command goes on from there" in str(caught.value)
    whole = {path.stem for path in (tmp_path / "out").glob("*.json")} - {"manifest"}
    assert list((tmp_path / "out").glob(".*.tmp")) == []
    kept = [row.name for id in whole for row in read_shard_names(tmp_path / "out", id)]
    log.unlink(missing_ok=True)
    map_tracks(function, music, tmp_path / "out", shard_tracks=2)
    assert len(list_made(log)) == 12 - len(kept)
    map_tracks(TrackSize(), music, tmp_path / "fresh", shard_tracks=2)
    assert read_files(tmp_path / "out", ".parquet", ".json") == read_files(
        tmp_path / "fresh", ".parquet", ".json"
    )


def read_shard_names(out, id):
    from aares.scale.shards import read_note

    return read_note(Place(out), id).tracks


def check_whole(music, out, tmp_path) -> None:
    """Assert that what was gone on with is what a run in one go gives."""
    map_tracks(TrackSize(), music, tmp_path / "fresh", shard_tracks=2)
    assert read_files(out, ".parquet") == read_files(tmp_path / "fresh", ".parquet")
    assert find_shards(Place(out)).complete and len(read_rows(out)) == 12
    assert list(out.glob(".*.tmp")) == []


@posix
def test_a_process_that_is_killed_ends_the_run_and_loses_nothing(music, tmp_path):
    kill = tmp_path / "kill"
    kill.touch()
    with pytest.raises(ScaleError, match=r"a worker process ended, .*tracks are kept in"):
        map_tracks(TrackSize(kill=str(kill)), music, tmp_path / "out", shard_tracks=2, workers=2)
    map_tracks(TrackSize(), music, tmp_path / "out", shard_tracks=2)
    check_whole(music, tmp_path / "out", tmp_path)


@posix
def test_a_worker_of_a_cluster_that_is_killed_is_replaced(music, cluster, tmp_path):
    kill = tmp_path / "kill"
    kill.touch()
    out, address = tmp_path / "out", cluster.scheduler_address
    map_tracks(TrackSize(kill=str(kill)), music, out, shard_tracks=2, scheduler=address)
    assert not kill.exists()
    check_whole(music, out, tmp_path)


@posix
def test_a_scheduler_that_is_killed_ends_the_run_and_loses_nothing(music, tmp_path):
    pytest.importorskip("distributed", reason="a cluster is of the extra [scale]")
    out, about = tmp_path / "out", tmp_path / "about"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1",
             "--port", "0", "--no-dashboard", "--scheduler-file", str(about)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
        )
    ]  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not about.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        address = json.loads(about.read_text())["address"]
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny",
                 "--nthreads", "1", "--no-dashboard", "--local-directory", str(tmp_path)],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
            )
        )  # fmt: skip

        def kill(now: Progress) -> None:
            if now.done:
                started[0].kill()

        with pytest.raises(ScaleError, match=r"the scheduler is gone; .* tracks are kept in"):
            map_tracks(
                TrackSize(slow_s=0.05), music, out, shard_tracks=2, scheduler=address,
                on_progress=kill,
            )  # fmt: skip
    finally:
        for process in started:
            process.kill()
            process.wait()
    assert find_shards(Place(out)) is not None and not find_shards(Place(out)).complete
    map_tracks(TrackSize(), music, out, shard_tracks=2)
    check_whole(music, out, tmp_path)


def test_a_scheduler_that_does_not_answer_is_told(music, tmp_path, monkeypatch):
    pytest.importorskip("distributed", reason="a cluster is of the extra [scale]")
    with pytest.raises(ScaleError, match="nonsense: no scheduler answers there"):
        map_tracks(TrackSize(), music, tmp_path, scheduler="nonsense")


def test_without_the_extra_the_message_says_how_it_comes(music, tmp_path, monkeypatch):
    from aares.scale import needs

    monkeypatch.setattr(needs, "find_spec", lambda name: None)
    with pytest.raises(ScaleError, match=r"pyarrow, .* run.py add scale, or pip install 'aares\["):
        map_tracks(TrackSize(), music, tmp_path / "out")
    with pytest.raises(ScaleError, match="fsspec"):
        places.open_filesystem("memory://x")


def test_whoever_stops_listening_is_no_full_disk(music, tmp_path):
    def hang_up(now: Progress) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    with pytest.raises(BrokenPipeError):
        map_tracks(TrackSize(), music, tmp_path / "out", on_progress=hang_up)
    map_tracks(TrackPrints(), music, tmp_path / "prints")
    with pytest.raises(BrokenPipeError):
        build_index(
            tmp_path / "prints", tmp_path / "a.index", readers=1,
            on_progress=lambda *now: hang_up(Progress(0, 0, 0, 0)),
        )  # fmt: skip


# --- the command ----------------------------------------------------------------------------


def test_the_command_says_how_far_it_is_and_what_was_bad(tmp_path, capsys):
    write_noise(tmp_path / "music" / "a.wav", 1)
    (tmp_path / "music" / "sub").mkdir()
    (tmp_path / "music" / "sub" / "bad.wav").write_text("nothing")
    arguments = ["map", str(tmp_path / "music"), "--out", str(tmp_path / "out")]
    assert main(arguments) == 1
    said = capsys.readouterr()
    assert "0 of 2\n" in said.out and "2 of 2 " in said.out and "a second" in said.out
    assert "1 not read" in said.out and "sub/bad.wav: " in said.err
    assert "2 tracks in 1 shards, 2 of them now; 1 could not be read" in said.out
    assert main(arguments) == 1
    assert "0 of them now" in capsys.readouterr().out
    assert main([*arguments, "--features"]) == 1
    assert "name 'fingerprints'" in capsys.readouterr().err
    assert main([*arguments, "--segment", "intro"]) == 1
    assert "--segment is for --features" in capsys.readouterr().err
    assert main([*arguments, "--workers", "0"]) == 1
    assert "workers: expected 1 or more" in capsys.readouterr().err


def test_the_command_measures_features(tmp_path, capsys):
    write_noise(tmp_path / "music" / "a.wav", 1, seconds=6)
    out = str(tmp_path / "out")
    arguments = ["map", str(tmp_path / "music"), "--out", out, "--features"]
    assert main([*arguments, "--segment", "0:00-0:30"]) == 0
    assert read_rows(out)[0]["bpm"] is not None
    assert main([*arguments, "--segment", "sometime"]) == 1
    assert "sometime" in capsys.readouterr().err
