"""Sound in blocks: the same samples as at once, in the memory of a block, from files and pipes."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from aares.audio import AudioError, ffmpeg, load_audio, sources
from aares.audio.channels import Mixer, average_channels
from aares.audio.content import open_content
from aares.audio.decoding import change_rate
from aares.audio.mpeg import measure_mpeg
from aares.audio.streams import Blocks, misses_sound, open_blocks

needs_ffmpeg = pytest.mark.skipif(
    ffmpeg.find_ffmpeg() is None, reason="ffmpeg is not installed: what it reads is not read here"
)


@pytest.fixture
def without_ffmpeg(monkeypatch):
    monkeypatch.setattr(ffmpeg, "find_ffmpeg", lambda: None)


def make_music(seconds: float, *, sr: int = 8000, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Notes of random pitches, three at a time: sound that codecs keep."""
    rng = np.random.default_rng(seed)
    n, note = int(seconds * sr), sr // 4
    y = np.zeros((n, channels))
    for start in range(0, n, note):
        t = np.arange(min(note, n - start)) / sr
        for pitch in rng.uniform(200, 1800, 3):
            tone = np.sin(2 * np.pi * pitch * t) * np.exp(-6 * t)
            y[start : start + len(t)] += 0.2 * tone[:, None] * rng.uniform(0.5, 1, channels)
    return (y if channels > 1 else y[:, 0]).astype(np.float32)


def read_all(source: object, **options: float) -> tuple[np.ndarray, Blocks]:
    blocks = open_blocks(source, **options)  # type: ignore[arg-type]
    return np.concatenate(list(blocks)), blocks


# --- blocks and the whole ---------------------------------------------------------------------


@pytest.mark.parametrize("sr", [8000, 11025, 44100, 48000])
@pytest.mark.parametrize("block_s", [0.37, 2.0, 60.0])
def test_blocks_are_the_samples_of_the_whole(tmp_path, sr, block_s):
    y = make_music(7.3, sr=sr, channels=2)
    sf.write(tmp_path / "a.wav", y, sr, subtype="FLOAT")
    found, blocks = read_all(tmp_path / "a.wav", block_s=block_s)
    whole = change_rate(average_channels(y), orig_sr=sr, target_sr=8000)
    np.testing.assert_array_equal(found, whole)
    assert blocks.decoded_s == pytest.approx(7.3, abs=1e-3)
    assert (blocks.decoder, blocks.notes) == ("libsndfile", [])


def test_pieces_do_not_show_in_the_samples(tmp_path, monkeypatch):
    y = make_music(4, sr=44100, channels=2)
    sf.write(tmp_path / "a.flac", y, 44100)
    whole = load_audio(tmp_path / "a.flac", sr=8000)
    monkeypatch.setattr("aares.audio.streams.PIECE_FRAMES", 5000)
    np.testing.assert_array_equal(read_all(tmp_path / "a.flac")[0], whole)
    np.testing.assert_array_equal(load_audio(tmp_path / "a.flac", sr=8000, strict=False), whole)


def test_all_blocks_but_the_last_have_the_length_asked_for(tmp_path):
    sf.write(tmp_path / "a.wav", make_music(5.2, sr=22050), 22050)
    assert [len(block) for block in open_blocks(tmp_path / "a.wav", block_s=2)] == [
        16_000, 16_000, 9_600,
    ]  # fmt: skip


def test_ten_minutes_take_the_memory_of_a_block(tmp_path):
    with sf.SoundFile(tmp_path / "long.wav", "w", 44100, 2, "PCM_16") as file:
        for _ in range(10):
            file.write(np.zeros((60 * 44100, 2), np.int16))
    tracemalloc.start()
    n = sum(len(block) for block in open_blocks(tmp_path / "long.wav", block_s=20))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n == 600 * 8000
    assert peak < 40e6  # the whole would take 212 MB decoded


@pytest.mark.parametrize(("sr", "block_s"), [(0, 60.0), (8000, 0.0), (-1, 1.0)])
def test_a_rate_or_length_of_nothing_is_refused(tmp_path, sr, block_s):
    with pytest.raises(ValueError, match="expected sr > 0 and block_s > 0"):
        open_blocks(tmp_path / "a.wav", sr=sr, block_s=block_s)


def test_reading_may_end_early(tmp_path):
    sf.write(tmp_path / "a.wav", make_music(5), 8000)
    blocks = open_blocks(tmp_path / "a.wav", block_s=1)
    next(iter(blocks))
    blocks.close()
    assert list(blocks) == []


def test_little_may_be_missing():
    assert not misses_sound(59.8, 60.0)
    assert misses_sound(59.0, 60.0)
    assert not misses_sound(10_795.0, 10_800.0)  # a thousandth of three hours


# --- channels -------------------------------------------------------------------------------


def test_channels_that_cancel_each_other_are_heard(tmp_path):
    left = make_music(6)
    sf.write(tmp_path / "wide.wav", np.stack([left, -left], axis=1), 8000, subtype="FLOAT")
    y, blocks = read_all(tmp_path / "wide.wav")
    np.testing.assert_array_equal(y, left)
    assert any("channels cancel each other for 6 s" in note for note in blocks.notes)
    assert not load_audio(tmp_path / "wide.wav", sr=8000).any()  # an exercise asks for the mean


def test_only_the_seconds_that_cancel_are_mended():
    left = make_music(6)
    right = left.copy()
    right[16_000:32_000] *= -1
    mixer = Mixer(8000)
    pieces = [mixer.mix(p) for p in np.array_split(np.stack([left, right], axis=1), 7)]
    y = np.concatenate([*pieces, mixer.mix(np.zeros((0, 2), np.float32), last=True)])
    np.testing.assert_array_equal(y, left)
    assert mixer.cancelled_s == 2.0


def test_the_loudest_of_channels_that_cancel_is_taken():
    y = make_music(2)
    mixed = Mixer(8000).mix(np.stack([0.2 * y, -y, 0.81 * y], axis=1))
    np.testing.assert_array_equal(mixed, -y)


def test_ordinary_stereo_silence_and_one_channel_are_averaged():
    rng = np.random.default_rng(0)
    stereo = rng.standard_normal((16_000, 2)).astype(np.float32)
    np.testing.assert_array_equal(Mixer(8000).mix(stereo), average_channels(stereo))
    assert not Mixer(8000).mix(np.zeros((16_000, 2), np.float32)).any()
    half = np.stack([stereo[:, 0], 0 * stereo[:, 0]], axis=1)
    np.testing.assert_array_equal(Mixer(8000).mix(half), average_channels(half))


# --- pipes, folders, devices ----------------------------------------------------------------


class Stdin:
    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)

    def isatty(self) -> bool:
        return not self.buffer.getbuffer()


def test_standard_input_is_read_as_a_file_is(tmp_path, monkeypatch, without_ffmpeg):
    sf.write(tmp_path / "a.flac", make_music(3, sr=22050), 22050)
    monkeypatch.setattr(sys, "stdin", Stdin((tmp_path / "a.flac").read_bytes()))
    np.testing.assert_array_equal(read_all("-")[0], load_audio(tmp_path / "a.flac", sr=8000))


def test_a_terminal_and_an_empty_pipe_are_no_sound(monkeypatch):
    monkeypatch.setattr(sys, "stdin", Stdin(b""))
    with pytest.raises(AudioError, match="expected sound on standard input, found none; pipe a"):
        open_blocks("-")
    monkeypatch.setattr(Stdin, "isatty", lambda _: False)
    with pytest.raises(AudioError, match="standard input: expected sound, found nothing in"):
        open_blocks("-")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_is_read(tmp_path, without_ffmpeg):
    sf.write(tmp_path / "a.ogg", make_music(3, sr=22050), 22050)
    os.mkfifo(tmp_path / "pipe")
    content = (tmp_path / "a.ogg").read_bytes()
    threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(content)).start()
    y, _ = read_all(tmp_path / "pipe")
    np.testing.assert_array_equal(y, load_audio(tmp_path / "a.ogg", sr=8000))


@needs_ffmpeg
def test_a_pipe_longer_than_what_is_kept_goes_through_ffmpeg(tmp_path, monkeypatch):
    sf.write(tmp_path / "a.wav", make_music(5), 8000, subtype="FLOAT")
    monkeypatch.setattr(sys, "stdin", Stdin((tmp_path / "a.wav").read_bytes()))
    monkeypatch.setattr(sources, "HELD_BYTES", 9999)
    y, blocks = read_all("-")
    np.testing.assert_allclose(y, load_audio(tmp_path / "a.wav", sr=8000), atol=1e-6)
    assert blocks.decoder == "ffmpeg"


@needs_ffmpeg
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs files in memory, as of Linux")
def test_an_m4a_whose_directory_stands_at_its_end_is_read_from_a_pipe(tmp_path, monkeypatch):
    sf.write(tmp_path / "a.wav", make_music(3, sr=22050), 22050)
    convert(tmp_path / "a.wav", tmp_path / "a.m4a")
    monkeypatch.setattr(sys, "stdin", Stdin((tmp_path / "a.m4a").read_bytes()))
    np.testing.assert_array_equal(read_all("-")[0], read_all(tmp_path / "a.m4a")[0])


def test_what_is_no_file_is_said(tmp_path):
    with pytest.raises(AudioError, match="expected an audio file, found a folder; name a file in"):
        open_blocks(tmp_path)
    with pytest.raises(AudioError, match="found no such file"):
        open_blocks(tmp_path / "none.mp3")
    with pytest.raises(AudioError, match=r"a\\x00b\.mp3: expected an audio file"):
        open_blocks("a\0b.mp3")
    with pytest.raises(AudioError, match="not readable|no such file"):
        open_blocks(tmp_path / ("x" * 5000))
    (tmp_path / "loop.mp3").symlink_to(tmp_path / "loop.mp3")
    with pytest.raises(AudioError, match=r"loop\.mp3: "):
        open_blocks(tmp_path / "loop.mp3")
    if Path("/dev/zero").exists():
        with pytest.raises(AudioError, match="zero: expected an audio file, found a device"):
            open_blocks("/dev/zero")


def test_a_file_that_must_not_be_read_is_said(tmp_path):
    path = tmp_path / "secret.wav"
    sf.write(path, make_music(1), 8000)
    path.chmod(0)
    if os.access(path, os.R_OK):  # the administrator may read everything
        assert len(read_all(path)[0]) == 8000
    else:
        with pytest.raises(AudioError, match=r"secret\.wav: not readable \(Permission denied\)"):
            open_blocks(path)


# --- ffmpeg -----------------------------------------------------------------------------------


def convert(source: Path, target: Path, *options: str) -> Path:
    """Make a file with ffmpeg."""
    program = ffmpeg.find_ffmpeg()
    assert program is not None
    command = [program, "-nostdin", "-v", "error", "-y", "-i", source, *options, target]
    subprocess.run(command, check=True, timeout=60)
    return target


@needs_ffmpeg
@pytest.mark.parametrize("kind", ["m3u8", "concat", "sdp"])
def test_a_playlist_opens_no_other_file(tmp_path, kind):
    sf.write(tmp_path / "private.wav", make_music(3), 8000)
    text = {
        "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nprivate.wav\n#EXT-X-ENDLIST\n",
        "concat": "ffconcat version 1.0\nfile private.wav\n",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        "m=audio 9 RTP/AVP 0\n",
    }[kind]
    for name in (f"list.{kind}", "list.mp3"):
        (tmp_path / name).write_text(text)
        with pytest.raises(AudioError, match="not readable as audio"):
            open_blocks(tmp_path / name)


@needs_ffmpeg
@pytest.mark.parametrize("protocol", ["http", "tcp"])
def test_no_address_is_opened_even_if_ffmpeg_were_led_to_one(protocol):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"{protocol}://127.0.0.1:{server.getsockname()[1]}/a.wav"
        command = ffmpeg.list_arguments(ffmpeg.find_ffmpeg() or "", address)
        done = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with contextlib.suppress(subprocess.TimeoutExpired):  # if it waits for an answer
            done.wait(3)
        done.kill()
        assert done.wait() != 0
        with pytest.raises(TimeoutError):
            server.accept()


@needs_ffmpeg
def test_names_are_words_and_not_options(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sf.write(tmp_path / "a.wav", make_music(2), 8000)
    for name in ("-i", "http:a.m4a", "a;b $(c) `d`\n%03d.m4a", "pipe:0.m4a"):
        convert(tmp_path / "a.wav", tmp_path / "made.m4a")
        (tmp_path / "made.m4a").rename(tmp_path / name)
        assert len(read_all(name)[0]) == pytest.approx(16_000, abs=400)


def test_ffmpeg_that_comes_to_no_end_is_ended(tmp_path, monkeypatch):
    if os.name == "nt":
        pytest.skip("the stand-in for ffmpeg is a shell script")
    stuck = tmp_path / "ffmpeg"
    stuck.write_text("#!/bin/sh\nexec sleep 60\n")
    stuck.chmod(0o755)
    monkeypatch.setattr(ffmpeg, "find_ffmpeg", lambda: str(stuck))
    monkeypatch.setattr(ffmpeg, "STALL_S", 0.2)
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(99))
    with pytest.raises(AudioError, match=r"a\.m4a: .*ffmpeg came to no end"):
        open_blocks(tmp_path / "a.m4a")


def test_without_ffmpeg_the_error_names_it(tmp_path, without_ffmpeg):
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(99))
    with pytest.raises(AudioError, match=r"a\.m4a: .*ffmpeg, which is not installed here, may"):
        load_audio(tmp_path / "a.m4a")


# --- what content says ------------------------------------------------------------------------


def test_formats_are_told_by_their_first_bytes(tmp_path):
    for suffix in ("wav", "flac", "ogg", "mp3", "aiff", "au", "caf", "w64"):
        sf.write(tmp_path / f"a.{suffix}", make_music(1, sr=44100), 44100)
        head = (tmp_path / f"a.{suffix}").read_bytes()[:200]
        assert sources.sniff_format(head) == {"w64": "wav"}.get(suffix, suffix)
        tagged = b"ID3\x03\0\0\0\0\0\x05" + bytes(5) + head
        assert sources.sniff_format(tagged) == {"w64": "wav"}.get(suffix, suffix)
    for text in (b"", b"Dear all", "Dear all".encode("utf-16"), b"\x89PNG", b"\xff\xd8\xff\xe0JFIF",
                 b"#EXTM3U", b"\0\0\0\x18ftypheic", b"PK\3\4", bytes(500)):  # fmt: skip
        assert sources.sniff_format(text) is None


def test_the_links_of_a_chain_are_found(tmp_path):
    sf.write(tmp_path / "a.ogg", make_music(2), 8000)
    content = (tmp_path / "a.ogg").read_bytes()
    (tmp_path / "chain.ogg").write_bytes(content * 3)
    n = len(content)
    assert sources.find_links(tmp_path / "a.ogg") == [(0, n)]
    assert sources.find_links(tmp_path / "chain.ogg") == [(0, n), (n, 2 * n), (2 * n, 3 * n)]


def test_frames_of_an_mp3_are_counted_whatever_lies_between_them(tmp_path):
    sf.write(tmp_path / "a.mp3", make_music(10, sr=44100), 44100)
    content = (tmp_path / "a.mp3").read_bytes()
    whole = measure_mpeg(tmp_path / "a.mp3")
    assert whole.seconds == pytest.approx(10, abs=0.15) and whole.counted
    junk = np.random.default_rng(0).bytes(30_000)
    (tmp_path / "junk.mp3").write_bytes(junk + content + junk + content + junk)
    assert measure_mpeg(tmp_path / "junk.mp3").seconds == pytest.approx(2 * whole.seconds, abs=0.1)
    (tmp_path / "cut.mp3").write_bytes(content[len(content) // 2 :])
    half = measure_mpeg(tmp_path / "cut.mp3")
    assert half.seconds == pytest.approx(5, abs=0.7) and not half.counted


def test_bytes_of_a_file_are_found_across_its_windows(tmp_path, monkeypatch):
    monkeypatch.setattr("aares.audio.content.WINDOW", 64)
    whole = np.random.default_rng(0).integers(0, 3, 5000, np.uint8).tobytes()
    (tmp_path / "a").write_bytes(whole)
    with open_content(tmp_path / "a") as content:
        for start in range(0, 5000, 77):
            wanted = whole[start + 30 : start + 38]
            assert content.find(wanted, start) == whole.find(wanted, start)
            assert content[start : start + 99] == whole[start : start + 99]
            assert content.find(b"\7", start) == -1


def test_names_are_printable_whatever_they_are():
    latin = b"caf\xe9 \x1b[31m.mp3".decode("utf-8", "surrogateescape")
    assert sources.show_name(latin) == r"caf\xe9 \x1b[31m.mp3"
    assert sources.show_name("été 日本.mp3") == "été 日本.mp3"
    sources.show_name("\ud800\n\0.mp3").encode("utf-8")
