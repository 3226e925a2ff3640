"""What is playing, told while it is heard: from pipes, from a made-up microphone."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import soundfile as sf
from serve_helpers import make_index

from aares.audio import pcm
from aares.audio.ffmpeg import find_ffmpeg
from aares.cli import main
from aares.errors import AudioError
from aares.identify import Index
from aares.identify.lines import Knot, Line
from aares.identify.live import DELAY_S, LiveTimeline
from workshop.config import ROOT

SR = 8000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("listened")
    make_index(folder / "a.index", seconds=30)
    return folder


@pytest.fixture(scope="module")
def radio(folder):
    """Ten seconds of nothing known, 24 of one recording, 22 of another, a pause of 20."""
    parts = [np.random.default_rng(99).standard_normal(10 * SR) * 0.1]
    for number, start_s in ((0, 4), (2, 0)):
        y = 0.1 * np.random.default_rng(number).standard_normal(30 * SR).astype(np.float32)
        parts.append(y[start_s * SR :][: (24 - 2 * (number == 2)) * SR])
    parts.append(np.zeros(20 * SR))
    return np.concatenate(parts).astype(np.float32)


EXPECTED = [("begins", 10, "one", 4), ("ends", 34, "one", 28), ("begins", 34, "three", 0),
            ("ends", 56, "three", 22)]  # fmt: skip


def round_changes(changes):
    rounded = [(one["kind"], one["time_s"], one["song"], one["place_s"]) for one in changes]
    return sorted((k, round(t), s, round(abs(p))) for k, t, s, p in rounded)


def hear_all(index, y, *, block_s=1.0):
    live, changes = LiveTimeline(index), []
    for start in range(0, len(y), int(block_s * SR)):
        changes += live.hear(y[start : start + int(block_s * SR)])
    return changes, live.finish()


# --- the live timeline --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def index(folder):
    return Index.open(folder / "a.index")


@pytest.mark.parametrize("block_s", [1.0, 7.3])
def test_beginnings_and_ends_are_told_within_the_delay(index, radio, block_s):
    changes, rest = hear_all(index, radio, block_s=block_s)
    assert round_changes([one.to_dict() for one in changes]) == sorted(EXPECTED)
    assert rest == [], "the pause is long enough"
    for change in changes:
        assert 0 < change.told_s - change.time_s <= DELAY_S + block_s, change
        assert change.p_false < 1e-3 and change.speed == pytest.approx(1, abs=0.01)
    told = [change.told_s for change in changes]
    assert told == sorted(told) and DELAY_S <= 21


def test_what_still_plays_ends_with_the_sound(index, radio):
    changes, rest = hear_all(index, radio[: 30 * SR])
    assert [(one.kind, one.song) for one in changes] == [("begins", "one")]
    assert [(one.kind, one.song, round(one.time_s)) for one in rest] == [("ends", "one", 30)]
    changes, rest = hear_all(index, radio[: 16 * SR])
    assert changes == [], "too early to be sure"
    assert [(one.kind, one.song, round(one.time_s)) for one in rest] == [
        ("begins", "one", 10), ("ends", "one", 16)]  # fmt: skip


def test_a_twin_is_named_and_not_told_twice(radio):
    y = 0.1 * np.random.default_rng(0).standard_normal(30 * SR).astype(np.float32)
    index = Index.from_signals({"one": y, "one (remaster)": 0.5 * y})
    changes, rest = hear_all(index, radio[: 34 * SR])
    told = [*changes, *rest]
    assert [one.kind for one in told] == ["begins", "ends"]
    assert {told[1].song, *told[1].twins} == {"one", "one (remaster)"}


@pytest.mark.parametrize("start_s, n_told", [(1.0, 1), (40.0, 2)])
def test_a_twin_that_takes_over_is_the_same_and_one_that_comes_later_is_not(index, start_s, n_told):
    """Which of two twins has more evidence may change while they play."""
    live, told = LiveTimeline(index), []
    knots = [Knot(0.0, 0.0, 1.0, 1.0, 9.0)]
    one = Line("one", None, knots, 0.0, start_s=0.0, end_s=20.0, twins=["two"])
    two = Line("two", None, knots, 0.0, start_s=start_s, end_s=start_s + 20.0, twins=["one"])
    for lines in ([one], [two]):
        live._listener.lines = lines
        told += live.hear(np.zeros(0, dtype=np.float32))
    assert [(change.kind, change.song) for change in told] == [
        ("begins", "one"), ("begins", "two")][:n_told]  # fmt: skip


def test_days_take_no_more_memory_than_minutes(index, radio, monkeypatch):
    live = LiveTimeline(index)
    monkeypatch.setattr("aares.identify.live.KEPT_S", 10.0)
    live._listener.tape._kept = 20 * SR
    for _ in range(2):
        for start in range(0, len(radio), SR):
            live.hear(radio[start : start + SR])
    quiet = np.zeros(SR, dtype=np.float32)
    for _ in range(30):
        live.hear(quiet)
    listener = live._listener
    assert not listener.lines and not listener.heard and not listener._stars
    assert not live._begun and not live._ended


def test_windows_that_leave_something_out_are_refused(index):
    with pytest.raises(ValueError, match="0 < step_s <= window_s"):
        LiveTimeline(index, window_s=5, step_s=6)


# --- raw samples, streams ------------------------------------------------------------------------


class Trickle(io.BytesIO):
    """Gives less than is asked for, and never a whole frame."""

    def read(self, size=-1):
        return super().read(min(size, 7001))


@pytest.mark.parametrize("kind", ["s16le", "f32le"])
@pytest.mark.parametrize("channels", [1, 2])
def test_raw_samples_are_heard_as_they_are(kind, channels):
    y = 0.3 * np.sin(np.arange(3 * 16_000) / 5).astype(np.float32)
    raw = (y * 32768).astype("<i2") if kind == "s16le" else y.astype("<f4")
    stream = Trickle(np.repeat(raw, channels).tobytes() + b"x")
    blocks = pcm.open_pcm(stream, rate=16_000, channels=channels, kind=kind)
    found = np.concatenate(list(blocks))
    assert len(found) == 24_000 and blocks.decoded_s == pytest.approx(3)
    usual = np.concatenate(list(pcm.open_pcm(io.BytesIO(y.tobytes()), rate=16_000, kind="f32le")))
    np.testing.assert_allclose(found, usual, atol=2e-4)


def test_what_are_no_samples_is_refused():
    for wrong, reason in (
        ({"rate": 10}, "rate: expected 1000 to 1000000 Hz, found 10"),
        ({"rate": 8000, "channels": 0}, "channels: expected 1 to 64, found 0"),
        ({"rate": 8000, "kind": "u8"}, "format: expected one of s16le, f32le, found 'u8'"),
    ):
        with pytest.raises(ValueError, match=reason):
            pcm.open_pcm(io.BytesIO(bytes(100)), **wrong)
    with pytest.raises(AudioError, match="standard input: expected sound, found 0 samples"):
        pcm.open_pcm(io.BytesIO(b""), rate=8000)
    broken = np.full(8000, np.nan, dtype="<f4").tobytes()
    with pytest.raises(AudioError, match="only NaN or infinity"):
        list(pcm.open_pcm(io.BytesIO(broken), rate=8000, kind="f32le"))


def test_an_encoded_stream_wants_ffmpeg(monkeypatch):
    monkeypatch.setattr(pcm, "find_ffmpeg", lambda: None)
    with pytest.raises(AudioError, match="found an encoded stream; ffmpeg, which is not installed"):
        pcm.open_live(io.BytesIO(b"OggS" + bytes(5000)))


# --- the command ---------------------------------------------------------------------------------


@pytest.mark.skipif(
    find_ffmpeg() is None or not hasattr(os, "mkfifo"), reason="ffmpeg decodes what comes by and by"
)
def test_the_command_hears_an_encoded_stream(folder, radio, tmp_path, capsys):
    os.mkfifo(tmp_path / "radio")
    sf.write(tmp_path / "radio.ogg", radio, SR, format="OGG", subtype="VORBIS")
    content = (tmp_path / "radio.ogg").read_bytes()
    writer = threading.Thread(target=(tmp_path / "radio").write_bytes, args=[content], daemon=True)
    writer.start()
    index = ["--index", str(folder / "a.index")]
    assert main(["listen", str(tmp_path / "radio"), "--json", *index]) == 0
    changes = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert round_changes(changes) == sorted(EXPECTED)
    assert set(changes[0]) == {"kind", "time_s", "song", "place_s", "p_false", "speed", "pitch",
                               "twins", "told_s"}  # fmt: skip


def test_the_command_tells_as_it_goes_and_ends_by_ctrl_c(folder, radio):
    command = [sys.executable, "-m", "aares", "listen", "-", "--index", str(folder / "a.index"),
               "--rate", str(SR), "--format", "f32le"]  # fmt: skip
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:  # fmt: skip
        process.stdin.write(radio[: 31 * SR].tobytes())
        process.stdin.flush()
        first = process.stdout.readline().decode()
        assert re.match(r"0:00:(09.[89]|10.0)  begins  one  from 0:00:0(3.[89]|4.0)", first)
        assert "p of a false match" in first
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate()
        assert re.match(r"0:00:3\d.\d  ends    one\n$", rest.decode())
        assert process.returncode == 0 and "Traceback" not in said.decode()
        assert b"told within 21 s" in said


def test_the_command_refuses_what_contradicts_itself(folder, tmp_path, capsys):
    index = ["--index", str(folder / "a.index")]
    wrong = {
        ("--rate", "8000"): "expected a SOURCE of raw samples",
        ("-", "--channels", "2"): "expected --rate too",
        ("-", "--device", "hw:0"): "--device: expected no SOURCE",
    }
    for options, reason in wrong.items():
        assert main(["listen", *options, *index]) == 2
        assert reason in capsys.readouterr().err
    assert main(["listen", str(tmp_path / "none.raw"), "--rate", "8000", *index]) == 1
    assert "none.raw: not readable (No such file" in capsys.readouterr().err
    (tmp_path / "a.raw").write_bytes(bytes(16_000))
    assert main(["listen", str(tmp_path / "a.raw"), "--rate", "8", *index]) == 2
    assert "--rate, --channels, --format: rate: expected 1000" in capsys.readouterr().err
    assert main(["listen", str(tmp_path / "a.raw"), "--rate", "8000", *index]) == 0
    assert capsys.readouterr().out == ""
    assert main(["listen", "-", "--index", str(tmp_path / "none.index")]) == 1
    assert "none.index: cannot be opened" in capsys.readouterr().err


# --- the microphone ------------------------------------------------------------------------------


def put_program(folder, name, code):
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{code}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


FAILING = "import sys\nprint('no card\\n', file=sys.stderr)\nsys.exit(1)"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other programs")
def test_a_microphone_is_heard_by_the_first_program_that_hears_one(
    folder, radio, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("PATH", str(tmp_path))
    index = ["--index", str(folder / "a.index")]
    assert main(["listen", *index]) == 1
    said = capsys.readouterr().err
    assert "a program that records (parec or arecord or ffmpeg), found none installed" in said
    put_program(tmp_path, "parec", FAILING)
    assert main(["listen", *index]) == 1
    assert "found parec, which records nothing (no card)" in capsys.readouterr().err
    raw = np.repeat((radio[: 40 * SR] * 32768).astype("<i2"), 2)
    raw.tofile(tmp_path / "sound.raw")
    sound = repr(str(tmp_path / "sound.raw"))
    code = f"import sys\nsys.stdout.buffer.write(open({sound}, 'rb').read())"
    put_program(tmp_path, "arecord", code)
    assert main(["listen", *index]) == 0
    lines = capsys.readouterr().out.splitlines()
    told = [line.split()[1:3] for line in lines]
    assert told == [["begins", "one"], ["ends", "one"], ["begins", "three"], ["ends", "three"]]


def test_recorders_are_asked_for_the_device():
    for platform in ("linux", "darwin", "win32"):
        for words in pcm.list_recorders("Studio", platform=platform):
            assert any("Studio" in word for word in words), words
    assert "-list_devices" in pcm.list_recorders(platform="win32")[0]
