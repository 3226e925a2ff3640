"""Segments: the seconds that are meant, no others decoded, and what a short song gives."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import soundfile as sf

from aares.audio import AudioError
from aares.audio.segments import SEGMENTS, parse_segment, place_segment, read_segment

SR = 8000
SECONDS = 100


def make_ramp(seconds: float, sr: int = SR) -> np.ndarray:
    """Return samples of which each says its own time in the song of 100 s."""
    return np.arange(round(seconds * sr)) / (SECONDS * sr)


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """One song of 100 s in several formats."""
    folder = tmp_path_factory.mktemp("songs")
    rng = np.random.default_rng(0)
    y = rng.uniform(-0.5, 0.5, (SECONDS * SR, 2)) * np.linspace(0, 1, SECONDS * SR)[:, None]
    paths = {suffix: folder / f"song.{suffix}" for suffix in ("mp3", "ogg", "flac", "wav")}
    for path in paths.values():
        sf.write(path, y, SR)
    return paths


@pytest.mark.parametrize("suffix", ["mp3", "ogg", "flac", "wav"])
@pytest.mark.parametrize(("segment", "offset"), [("0:00-0:30", 0), ("0:30-1:00", 30)])
def test_a_segment_is_what_librosa_loads(songs, suffix, segment, offset):
    part = read_segment(songs[suffix], segment)
    expected, _ = librosa.load(songs[suffix], offset=offset, duration=30)
    np.testing.assert_array_equal(part.y, expected)
    assert (part.rate, part.start_s, part.is_short) == (22050, offset, False)


@pytest.mark.parametrize("suffix", ["mp3", "ogg", "flac", "wav"])
def test_a_segment_is_the_whole_song_cut(songs, suffix):
    """The formats differ in how they find a place: none is off by a sample."""
    whole = read_segment(songs[suffix], "whole", rate=SR).y
    for segment in ("0:30-1:00", "1:00-1:30", "0:30-1:30", "1:07-1:11"):
        part = read_segment(songs[suffix], segment, rate=SR)
        start = round(part.start_s * SR)
        np.testing.assert_allclose(part.y, whole[start : start + len(part.y)], atol=2e-7)


def test_only_the_segment_is_decoded(songs, monkeypatch):
    decoded = []

    class Counting(sf.SoundFile):
        def read(self, *args, **kwargs):
            samples = super().read(*args, **kwargs)
            decoded.append(len(samples))
            return samples

    monkeypatch.setattr(sf, "SoundFile", Counting)
    for segment in ("0:30-1:00", "intro", "outro"):
        read_segment(songs["mp3"], segment, rate=SR)
    assert len(decoded) == 3 and max(decoded) <= 30 * SR


@pytest.mark.parametrize(
    ("segment", "start_s", "end_s"),
    [
        ("0:00-0:30", 0, 30), ("0:30-1:00", 30, 60), ("1:00-1:30", 60, 90), ("0:30-1:30", 30, 90),
        ("intro", 0, 30), ("outro", 70, 100), ("whole", 0, 100), ("1:05-1:10", 65, 70),
    ],
)  # fmt: skip
def test_names_mean_seconds(segment, start_s, end_s):
    part = read_segment(make_ramp(SECONDS), segment, sr=SR, rate=SR)
    np.testing.assert_allclose(part.y[[0, -1]], [start_s / 100, end_s / 100], atol=2e-6)
    assert part.start_s == start_s and not part.is_short


@pytest.mark.parametrize(
    ("segment", "seconds", "start_s"),
    [("0:30-1:00", 59.9, 29.9), ("1:00-1:30", 31, 1), ("0:30-1:30", 75, 15), ("intro", 20, 0),
     ("outro", 20, 0), ("0:30-1:00", 5, 0), ("1:05-1:10", 60, 55)],
)  # fmt: skip
def test_a_song_that_ends_before_gives_its_last_seconds(segment, seconds, start_s):
    part = read_segment(make_ramp(seconds), segment, sr=SR, rate=SR)
    assert part.is_short
    assert part.start_s == pytest.approx(start_s)
    assert part.y[0] == pytest.approx(start_s / 100, abs=2e-6)
    assert part.y[-1] == pytest.approx(seconds / 100, abs=2e-6)


def test_a_file_that_ends_before_says_so(songs, tmp_path):
    assert read_segment(songs["mp3"], "1:30-2:00").is_short
    sf.write(tmp_path / "short.wav", make_ramp(42), SR, subtype="FLOAT")
    part = read_segment(tmp_path / "short.wav", rate=SR)
    assert (part.start_s, part.is_short, len(part.y)) == (12, True, 30 * SR)
    np.testing.assert_array_equal(part.y, read_segment(make_ramp(42), sr=SR, rate=SR).y)


@pytest.mark.parametrize("seconds", [0.1, 4.99])
def test_a_song_under_five_seconds_is_refused(tmp_path, seconds):
    sf.write(tmp_path / "blip.wav", make_ramp(seconds), SR)
    message = f"expected at least 5 s of sound, found {seconds:.1f} s"
    with pytest.raises(AudioError, match=f"blip.wav: {message}"):
        read_segment(tmp_path / "blip.wav")
    with pytest.raises(AudioError, match=message):
        read_segment(make_ramp(seconds), sr=SR)


def test_no_samples_are_refused(tmp_path):
    sf.write(tmp_path / "none.wav", np.zeros(0), SR)
    with pytest.raises(AudioError, match="found 0.0 s"):
        read_segment(tmp_path / "none.wav")
    with pytest.raises(AudioError, match="found 0.0 s"):
        read_segment(np.zeros(0), sr=SR)


def test_a_truncated_mp3_gives_what_lies_before_the_cut(songs, tmp_path):
    content = songs["mp3"].read_bytes()
    cut = tmp_path / "cut.mp3"
    cut.write_bytes(content[: len(content) * 7 // 10])
    whole = read_segment(songs["mp3"], "0:00-0:30")
    np.testing.assert_array_equal(read_segment(cut, "0:00-0:30").y, whole.y)
    with pytest.raises(AudioError, match=r"cut.mp3: truncated, \d+.\d s of 30.0 s .* from 60.0 s"):
        read_segment(cut, "1:00-1:30")
    for segment in ("outro", "whole"):
        with pytest.raises(AudioError, match="cut.mp3: truncated"):
            read_segment(cut, segment)


def test_samples_that_are_no_numbers_are_refused_where_they_are_needed(tmp_path):
    song = make_ramp(70)
    song[40 * SR] = np.nan
    sf.write(tmp_path / "nan.wav", song, SR, subtype="FLOAT")
    for read in (
        lambda s: read_segment(tmp_path / "nan.wav", s),
        lambda s: read_segment(song, s, sr=SR),
    ):
        with pytest.raises(AudioError, match="expected finite samples"):
            read("0:30-1:00")
        assert np.isfinite(read("0:00-0:30").y).all()


@pytest.mark.parametrize("sr", [8000, 11025, 44100, 96000])
def test_any_rate_becomes_the_one_that_is_asked_for(sr):
    tone = np.sin(2 * np.pi * 1000 * np.arange(6 * sr) / sr)
    y = read_segment(tone, "whole", sr=sr).y
    assert len(y) == 6 * 22050 and y.dtype == np.float32
    expected = np.sin(2 * np.pi * 1000 * np.arange(6 * 22050) / 22050)
    np.testing.assert_allclose(y[2000:-2000], expected[2000:-2000], atol=1e-3)


@pytest.mark.parametrize("sr", [8000, 44100, 48000])
def test_resampling_is_that_of_librosa_to_the_last_sample(sr):
    y = np.random.default_rng(0).uniform(-0.5, 0.5, 5 * sr + 17).astype(np.float32)
    expected = librosa.resample(y, orig_sr=sr, target_sr=22050)
    np.testing.assert_array_equal(read_segment(y, "whole", sr=sr).y, expected)


@pytest.mark.parametrize(
    "segment", ["", "0:30", "1:00-0:30", "0:30-0:30", "0:70-1:30", "refrain", None, 30]
)
def test_what_is_no_segment_is_refused(segment):
    with pytest.raises(ValueError, match="segment: expected one of 0:00-0:30, 0:30-1:00"):
        parse_segment(segment)
    with pytest.raises(ValueError, match="segment: expected one of"):
        read_segment("nowhere.mp3", segment)


@pytest.mark.parametrize(
    ("song", "sr", "message"),
    [
        (np.zeros(SR * 6), None, "sr: expected the rate"),
        (np.zeros(SR * 6), 0, "sr: expected the rate"),
        (np.zeros((SR * 6, 2)), SR, "expected samples of one channel"),
        (np.zeros(SR * 6, np.int16), SR, r"expected samples as float in \[-1, 1\], found int16"),
        (None, SR, "expected samples"),
        ("song.mp3", SR, "sr: expected none beside a file"),
    ],
)
def test_wrong_arguments_are_refused(song, sr, message):
    with pytest.raises(ValueError, match=message):
        read_segment(song, sr=sr)


def test_every_named_segment_can_be_placed():
    for segment in SEGMENTS:
        start, stop, is_short = place_segment(segment, 90 * SR, SR)
        assert 0 <= start < stop <= 90 * SR and not is_short
