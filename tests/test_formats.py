"""Files as people have them: formats, damage, names; `index` and `identify` read the same."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from test_streams import convert, make_music, needs_ffmpeg

from aares.audio import AudioError, ffmpeg, load_audio
from aares.audio.streams import open_blocks
from aares.cli import identify_files, index_folder, main
from aares.identify import Index
from aares.identify.ingest import (
    fingerprint_file,
    keep_readable,
    name_file,
    read_file,
    search_folder,
)

SECONDS = 8.0
SR = 44100
PICTURE = np.random.default_rng(9).bytes(70_000)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The sound of all these files, as wav, flac, mp3 and ogg."""
    folder = tmp_path_factory.mktemp("sound")
    y = make_music(SECONDS, sr=SR, channels=2, seed=3)
    for suffix in ("wav", "flac", "mp3", "ogg", "aiff"):
        sf.write(folder / f"a.{suffix}", y, SR)
    return folder / "a.wav"


@pytest.fixture(scope="module")
def index(sound):
    other = make_music(SECONDS, seed=4)
    return Index.from_signals({"a": load_audio(sound, sr=8000), "other": other})


def check_agreement(path: Path, index: Index, *, least_s: float = 7.7) -> list[str]:
    """Both commands read a file, find in it what it holds, and say the same about it."""
    y, notes = read_file(path)
    np.testing.assert_array_equal(load_audio(path, sr=8000, strict=False), y)
    assert least_s <= len(y) / 8000 <= SECONDS + 0.3
    answer = index.identify(y, 8000)
    assert answer.match and answer.match.song == "a"
    said: list[str] = []
    made = Index()
    made.append([path], n_jobs=1, on_note=lambda _, note: said.append(note))
    assert [recording.name for recording in made.recordings] == [name_file(path)]
    assert [note.split(": ", 1)[1] for note in said] == notes
    return notes


def check_refusal(path: Path) -> str:
    """Both commands refuse a file, for the same reason."""
    with pytest.raises(AudioError) as refused:
        load_audio(path, sr=8000, strict=False)
    reasons: list[str] = []
    index = Index()
    index.append([path], n_jobs=1, on_error=lambda _, error: reasons.append(str(error)))
    assert reasons == [str(refused.value)] and not len(index)
    with pytest.raises(AudioError):
        load_audio(path)
    return reasons[0]


# --- formats ------------------------------------------------------------------------------------

MADE_BY_SNDFILE = [
    ("wav", "PCM_U8"), ("wav", "PCM_16"), ("wav", "PCM_24"), ("wav", "FLOAT"), ("wav", "DOUBLE"),
    ("wav", "ULAW"), ("wav", "ALAW"), ("wav", "IMA_ADPCM"), ("aiff", "PCM_16"), ("aiff", "FLOAT"),
    ("au", "ULAW"), ("au", "PCM_24"), ("caf", "PCM_16"), ("caf", "ALAC_16"), ("w64", "PCM_16"),
    ("rf64", "PCM_16"), ("flac", "PCM_24"), ("ogg", "VORBIS"), ("mp3", "MPEG_LAYER_III"),
    ("voc", "PCM_16"),
]  # fmt: skip


@pytest.mark.parametrize(("suffix", "subtype"), MADE_BY_SNDFILE)
def test_what_libsndfile_reads(tmp_path, sound, index, monkeypatch, suffix, subtype):
    monkeypatch.setattr(ffmpeg, "find_ffmpeg", lambda: None)
    samples, sr = sf.read(sound)
    path = tmp_path / f"a.{suffix}"
    sf.write(path, samples, sr, subtype, format=suffix.upper())
    assert check_agreement(path, index) == []


MADE_BY_FFMPEG = [
    ("m4a", "aac"), ("m4a", "alac"), ("wma", "wmav2"), ("aac", "aac"), ("mp4", "aac"),
    ("mkv", "aac"), ("mkv", "flac"), ("ac3", "ac3"), ("eac3", "eac3"), ("mp2", "mp2"),
    ("webm", "libopus"), ("opus", "libopus"), ("mov", "pcm_s16be"), ("avi", "libmp3lame"),
    ("flv", "libmp3lame"), ("ts", "mp2"), ("mpg", "mp2"), ("tta", "tta"), ("wv", "wavpack"),
    ("3gp", "aac"), ("mka", "libvorbis"), ("oga", "libspeex"), ("wav", "libmp3lame"),
    ("m4b", "aac"), ("dts", "dca"),
]  # fmt: skip


@needs_ffmpeg
@pytest.mark.parametrize(("suffix", "codec"), MADE_BY_FFMPEG)
def test_what_ffmpeg_reads(tmp_path, sound, index, suffix, codec):
    options = ["-c:a", codec, "-strict", "-2"] + (["-ar", "16000"] if codec == "libspeex" else [])
    path = convert(sound, tmp_path / f"a.{suffix}", *options)
    assert check_agreement(path, index) == []
    assert [found.name for found in search_folder(tmp_path).files] == [path.name]


@needs_ffmpeg
def test_video_with_sound_and_without(tmp_path, sound, index):
    picture = ["-f", "lavfi", "-i", "color=s=32x32:d=12:r=5", "-shortest"]
    film = convert(sound, tmp_path / "film.mp4", *picture, "-c:v", "mpeg4")
    assert check_agreement(film, index) == []
    silent = convert(film, tmp_path / "silent.mkv", "-an", "-c:v", "copy")
    assert "expected sound, found a video without a sound track" in check_refusal(silent)


@needs_ffmpeg
def test_an_encrypted_file_is_refused(tmp_path, sound):
    key = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "12" * 16]
    path = convert(sound, tmp_path / "a.mp4", *key, "-encryption_kid", "34" * 16)
    assert "an encrypted file (DRM)" in check_refusal(path)


# --- names that lie, junk, holes, cuts ----------------------------------------------------------


@needs_ffmpeg
def test_content_decides_and_not_the_name(tmp_path, sound, index):
    convert(sound, tmp_path / "a.m4a").rename(tmp_path / "a.mp3")
    assert check_agreement(tmp_path / "a.mp3", index) == []


@pytest.mark.parametrize(("content", "name"), [("flac", "a.mp3"), ("mp3", "a.wav"), ("ogg", "a")])
def test_content_decides_without_ffmpeg(tmp_path, sound, index, monkeypatch, content, name):
    monkeypatch.setattr(ffmpeg, "find_ffmpeg", lambda: None)
    (tmp_path / name).write_bytes(sound.with_suffix(f".{content}").read_bytes())
    assert check_agreement(tmp_path / name, index) == []


def make_tag(size: int) -> bytes:
    """An ID3v2 tag that holds a picture of so many random bytes."""
    body = b"\0image/jpeg\0\3\0" + (PICTURE * (size // len(PICTURE) + 1))[:size]
    frame = b"APIC" + len(body).to_bytes(4, "big") + b"\0\0" + body
    return b"ID3\3\0\0" + bytes(len(frame) >> shift & 127 for shift in (21, 14, 7, 0)) + frame


JUNK: dict[str, Callable[[bytes], bytes]] = {
    "picture before": lambda mp3: make_tag(500_000) + mp3,
    "two tags": lambda mp3: make_tag(10) + make_tag(20) + mp3,
    "junk before": lambda mp3: PICTURE[:30_000] + mp3,
    "junk behind": lambda mp3: mp3 + PICTURE,
    "APE tag behind": lambda mp3: mp3 + b"APETAGEX\xd0\7\0\0" + bytes(84),
    "ID3v1 behind": lambda mp3: mp3 + b"TAG" + bytes(125),
}


@pytest.mark.parametrize("kind", JUNK)
def test_an_mp3_with_junk_is_whole(tmp_path, sound, index, monkeypatch, kind):
    monkeypatch.setattr(ffmpeg, "find_ffmpeg", lambda: None)
    path = tmp_path / "a.mp3"
    path.write_bytes(JUNK[kind](sound.with_suffix(".mp3").read_bytes()))
    assert check_agreement(path, index) == []


@needs_ffmpeg
@pytest.mark.parametrize("before", [bytes(70_000), PICTURE])
def test_an_mp3_far_behind_junk_is_read(tmp_path, sound, index, before):
    (tmp_path / "a.mp3").write_bytes(before + sound.with_suffix(".mp3").read_bytes())
    check_agreement(tmp_path / "a.mp3", index)


HOLES: dict[str, Callable[[bytes], bytes]] = {
    "zeros": lambda content: replace_middle(content, bytes(9_000)),
    "noise": lambda content: replace_middle(content, PICTURE[:9_000]),
}


def replace_middle(content: bytes, hole: bytes) -> bytes:
    start = len(content) // 2
    return content[:start] + hole + content[start + len(hole) :]


@needs_ffmpeg
@pytest.mark.parametrize("hole", HOLES)
@pytest.mark.parametrize("suffix", ["mp3", "flac"])
def test_of_a_file_with_a_hole_the_rest_is_kept(tmp_path, sound, index, suffix, hole):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(HOLES[hole](sound.with_suffix(f".{suffix}").read_bytes()))
    assert check_agreement(path, index, least_s=6.5) != []
    with pytest.raises(AudioError, match="truncated|not readable|damaged"):
        load_audio(path)  # an exercise wants all of it


@pytest.mark.parametrize("suffix", ["mp3", "flac", "wav", "ogg", "aiff"])
def test_of_a_truncated_file_the_beginning_is_kept(tmp_path, sound, index, monkeypatch, suffix):
    monkeypatch.setattr(ffmpeg, "find_ffmpeg", lambda: None)
    path = tmp_path / f"a.{suffix}"
    content = sound.with_suffix(f".{suffix}").read_bytes()
    path.write_bytes(content[: len(content) * 3 // 4])
    notes = check_agreement(path, index, least_s=3.5)
    if suffix in ("mp3", "flac"):  # these say how long they are
        with pytest.raises(AudioError, match=r"a\.(mp3: truncated|flac: (truncated|not readable))"):
            load_audio(path)
    if suffix in ("mp3", "flac", "wav", "aiff"):
        assert any(re.search(r"\d\.\d s of 8\.\d s can be decoded", note) for note in notes)


@needs_ffmpeg
@pytest.mark.parametrize("suffix", ["m4a", "wma", "mkv", "ac3", "tta"])
def test_of_what_ffmpeg_reads_the_beginning_is_kept(tmp_path, sound, index, suffix):
    options = ["-movflags", "faststart"] if suffix == "m4a" else []
    path = convert(sound, tmp_path / f"a.{suffix}", *options)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 4])
    notes = check_agreement(path, index, least_s=5.0)
    if suffix in ("m4a", "tta"):
        assert any(re.search(r"\d\.\d s of 8\.\d s can be decoded", note) for note in notes)
        with pytest.raises(AudioError, match="truncated|damaged"):
            load_audio(path)


@needs_ffmpeg
def test_an_mp3_without_its_first_bytes_is_read(tmp_path, sound, index):
    (tmp_path / "a.mp3").write_bytes(sound.with_suffix(".mp3").read_bytes()[999:])
    check_agreement(tmp_path / "a.mp3", index)


@needs_ffmpeg
def test_parts_copied_out_of_an_mp3_are_whole(tmp_path, sound, index):
    whole = sound.with_suffix(".mp3")
    copy = convert(whole, tmp_path / "copy.mp3", "-ss", "2", "-c", "copy")
    assert check_agreement(copy, index, least_s=5.5) == []
    bare = ["-ss", "2", "-c", "copy", "-write_xing", "0", "-id3v2_version", "0"]
    assert check_agreement(convert(whole, tmp_path / "b.mp3", *bare), index, least_s=5.5) == []


@needs_ffmpeg
def test_an_mp3_of_changing_rate_without_a_header_is_read_to_its_end(tmp_path, sound, index):
    options = ["-q:a", "0", "-write_xing", "0", "-af", "volume='if(lt(t,2),0,1)':eval=frame"]
    path = convert(sound, tmp_path / "vbr.mp3", *options)
    assert sf.info(path).duration != pytest.approx(SECONDS, abs=0.5)  # what libsndfile believes
    check_agreement(path, index)
    assert len(load_audio(path, sr=8000)) == pytest.approx(SECONDS * 8000, abs=800)


@needs_ffmpeg
def test_mp3s_put_together_are_read_to_their_end(tmp_path, sound):
    content = sound.with_suffix(".mp3").read_bytes()
    (tmp_path / "two.mp3").write_bytes(content + content)
    assert len(read_file(tmp_path / "two.mp3")[0]) / 8000 == pytest.approx(2 * SECONDS, abs=0.3)


def test_mp3s_put_together_are_cut_with_a_word_without_ffmpeg(tmp_path, sound, monkeypatch):
    monkeypatch.setattr(ffmpeg, "find_ffmpeg", lambda: None)
    content = sound.with_suffix(".mp3").read_bytes()
    (tmp_path / "two.mp3").write_bytes(content + content)
    assert any("s of 16" in note for note in read_file(tmp_path / "two.mp3")[1])


def test_a_chain_of_ogg_files_is_read_though_its_rates_and_channels_change(tmp_path, monkeypatch):
    monkeypatch.setattr(ffmpeg, "find_ffmpeg", lambda: None)
    parts = [(22050, 2), (44100, 1), (44100, 2)]
    content, expected = b"", []
    for number, (sr, channels) in enumerate(parts):
        path = tmp_path / f"{number}.ogg"
        sf.write(path, make_music(3, sr=sr, channels=channels, seed=number), sr)
        expected.append(load_audio(path, sr=8000))
        content += path.read_bytes()
    (tmp_path / "chain.ogg").write_bytes(content)
    y, notes = read_file(tmp_path / "chain.ogg")
    np.testing.assert_array_equal(y, np.concatenate(expected))
    assert notes == [
        "its sampling rate or channels change after 3.0 s",
        "its sampling rate or channels change after 6.0 s",
    ]


# --- samples that are none, and sound that is none ------------------------------------------------


def test_samples_that_are_not_numbers_are_silence_and_counted(tmp_path, index, sound):
    samples, sr = sf.read(sound, dtype="float32")
    samples[1000:1010, 0] = np.nan
    samples[2000, 1] = np.inf
    samples[3000] = 1e30
    sf.write(tmp_path / "a.wav", samples, sr, subtype="FLOAT")
    notes = ["12 samples are not numbers and were taken for silence"]
    assert check_agreement(tmp_path / "a.wav", index) == notes
    sf.write(tmp_path / "none.wav", np.full(9000, np.nan), 8000, subtype="FLOAT")
    assert "found only NaN or infinity" in check_refusal(tmp_path / "none.wav")


REFUSED = {
    "empty.mp3": (b"", "found an empty one"),
    "text.mp3": (b"Dear all,\n" * 99, "not readable as audio"),
    "page.mp3": (b"<!DOCTYPE html><html>404</html>" * 30, "not readable as audio"),
    "picture.wav": (b"\x89PNG\r\n\x1a\n" + PICTURE, "not readable as audio"),
    "list.m3u8": (b"#EXTM3U\n#EXTINF:3,\na.mp3\n", "not readable as audio"),
    "header.wav": (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0"
                   b"data\0\0\0\0", "found 0 samples|not readable"),
    "begun.mp4": (b"\0\0\0\x20ftypisom" + bytes(999), "not readable as audio"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_sound_is_refused_by_both(tmp_path, name):
    content, reason = REFUSED[name]
    (tmp_path / name).write_bytes(content)
    assert re.search(reason, check_refusal(tmp_path / name))


def test_a_rate_that_cannot_be_is_refused(tmp_path):
    sf.write(tmp_path / "slow.wav", np.zeros(99), 7)
    assert "expected 100 to 1000000 samples a second, found 7" in check_refusal(
        tmp_path / "slow.wav"
    )


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_damaged_bytes_give_sound_or_an_audio_error(tmp_path, sound, suffix, monkeypatch):
    monkeypatch.setattr(ffmpeg, "find_ffmpeg", lambda: None)  # it has its turn below
    check_damaged(tmp_path, sound.with_suffix(f".{suffix}").read_bytes()[:200_000], suffix, 25)


@needs_ffmpeg
@pytest.mark.parametrize("suffix", ["m4a", "mkv", "mp3"])
def test_damaged_bytes_give_sound_or_an_audio_error_of_ffmpeg(tmp_path, sound, suffix):
    content = convert(sound, tmp_path / f"whole.{suffix}").read_bytes()
    check_damaged(tmp_path, content, suffix, 4)


def check_damaged(folder: Path, content: bytes, suffix: str, n: int) -> None:
    rng = np.random.default_rng(len(content))
    for number in range(n):
        damaged = bytearray(content)
        if number % 4 == 0:
            damaged = damaged[: rng.integers(1, len(damaged))]
        elif number % 4 == 1:
            damaged = bytearray(rng.bytes(20_000))
        else:
            reach = 200 if number % 4 == 2 else len(damaged)
            for place in rng.integers(0, reach, 9):
                damaged[place] = rng.integers(256)
        path = folder / f"damaged{number}.{suffix}"
        path.write_bytes(damaged)
        begin = time.monotonic()
        try:
            for block in open_blocks(path):
                assert block.dtype == np.float32 and np.isfinite(block).all()
        except AudioError as error:
            assert str(error).startswith(f"{path.name}: ")
        assert time.monotonic() - begin < 20


# --- folders and names -------------------------------------------------------------------------


def test_a_folder_is_searched_by_content_and_what_is_skipped_is_named(tmp_path, sound):
    wav = sound.read_bytes()
    (tmp_path / "album").mkdir()
    for name in ("b.mp3", "album/a.wav", "track07", "x.unknown"):
        (tmp_path / name).write_bytes(wav)
    (tmp_path / "._b.mp3").write_bytes(b"\0\5\x16\7")  # what a Mac leaves on other disks
    for name in ("cover.jpg", "list.m3u", "notes.txt", "main.ts"):
        (tmp_path / name).write_text("no sound")
    (tmp_path / "album" / "back").symlink_to(tmp_path)
    (tmp_path / "gone.mp3").symlink_to(tmp_path / "nowhere.mp3")
    os.mkfifo(tmp_path / "pipe.wav")
    found = search_folder(tmp_path)
    names = [path.relative_to(tmp_path).as_posix() for path in found.files]
    assert names == ["album/a.wav", "b.mp3", "track07", "x.unknown"]
    assert found.n_other == 5
    skipped = {path.name: reason for path, reason in found.skipped}
    assert skipped == {
        "gone.mp3": "not readable (No such file or directory)",
        "pipe.wav": "a pipe, socket or device",
    }
    with pytest.raises(AudioError, match="expected a folder with audio files, found none"):
        search_folder(tmp_path / "none")
    with pytest.raises(AudioError, match="expected a folder with audio files, found a file"):
        search_folder(tmp_path / "b.mp3")


NAMES = [
    b"caf\xe9.wav", b"two\nlines.wav", b"-i.wav", b"http:a.wav", b"%s%n.wav", "日本.wav".encode(),
    b"n" * 251 + b".wav", b"\x1b[31mred.wav", b"'quoted' \"$(x)\".wav",
]  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="names are no bytes there")
def test_any_name_is_indexed_identified_and_printed(tmp_path, sound, capfd):
    folder = tmp_path / "songs"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        y = make_music(5, seed=number)
        sf.write(folder / "made.wav", y, 8000)
        (folder / "made.wav").rename(os.fsdecode(os.fsencode(folder) + b"/" + name))
    broken = os.fsdecode(os.fsencode(folder) + b"/brok\xe9n.mp3")
    Path(broken).write_text("no sound")
    out = str(tmp_path / "a.index")
    assert main(["index", str(folder), "--out", out]) == 1
    assert r"brok\xe9n.mp3: not readable as audio" in capfd.readouterr().err
    latin = os.fsdecode(os.fsencode(folder) + b"/caf\xe9.wav")
    assert main(["identify", latin, broken, "--index", out]) == 1
    said = capfd.readouterr()
    assert re.search(r"caf\\xe9.wav from -?0.0", said.out)
    assert r"brok\xe9n.mp3: not readable as audio" in said.err
    table = tmp_path / "played.csv"
    assert main(["identify", latin, "--index", out, "--csv", str(table)]) == 0
    assert r"caf\xe9.wav" in table.read_text("utf-8")
    assert len(Index.open(out)) == len(NAMES)


def test_the_two_commands_say_the_same_of_a_folder(tmp_path, sound, capsys):
    folder = tmp_path / "songs"
    folder.mkdir()
    (folder / "good.wav").write_bytes(sound.read_bytes())
    mp3 = sound.with_suffix(".mp3").read_bytes()
    (folder / "cut.mp3").write_bytes(mp3[: len(mp3) * 3 // 4])
    (folder / "text.mp3").write_bytes(b"Dear all\n" * 99)
    assert index_folder(folder, tmp_path / "a.index") == 1
    said = capsys.readouterr()
    reason = next(line for line in said.err.splitlines() if line.startswith("text.mp3"))
    assert re.search(r"cut\.mp3: \d\.\d s of 8\.0 s can be decoded", said.err)
    files = [str(folder / name) for name in ("good.wav", "cut.mp3")]
    assert identify_files(files, tmp_path / "a.index", as_json=False) == 0
    assert " unknown" not in capsys.readouterr().out
    assert identify_files([str(folder / "text.mp3")], tmp_path / "a.index", as_json=False) == 1
    assert reason in capsys.readouterr().err


def test_notes_go_with_the_fingerprints(tmp_path, sound):
    mp3 = sound.with_suffix(".mp3").read_bytes()
    (tmp_path / "cut.mp3").write_bytes(mp3[: len(mp3) * 3 // 4])
    prints = fingerprint_file(tmp_path / "cut.mp3", "cut", Index().settings)
    said: list[str] = []
    kept = list(keep_readable([(tmp_path / "cut.mp3", prints)], None, lambda _, n: said.append(n)))
    assert len(kept) == len(said) == 1 and said[0].startswith("cut.mp3: ")
    assert list(keep_readable([(tmp_path / "cut.mp3", prints)], None)) == kept
