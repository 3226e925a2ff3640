"""Decoding: what somebody's folder of music may hold."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import soundfile as sf
from conftest import SR, write_tone

from aares.audio import AudioError, load_audio


def test_it_equals_what_the_assignment_prescribes(demo):
    path = sorted((demo.folder / "songs").glob("*.ogg"))[0]
    expected, _ = librosa.load(path, sr=SR)
    np.testing.assert_array_equal(load_audio(path), expected)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_formats(tmp_path, suffix):
    y = load_audio(write_tone(tmp_path / f"tone.{suffix}"))
    assert y.dtype == np.float32
    assert len(y) == pytest.approx(2 * SR, rel=0.05)
    spectrum = np.abs(np.fft.rfft(y[:SR]))
    assert sorted(np.argsort(spectrum)[-3:]) == [220, 440, 660]


def test_sound_that_is_not_finite_is_an_error(tmp_path):
    sf.write(tmp_path / "nan.wav", np.array([0.0, np.nan, 0.1] * 999), 8000, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"nan\.wav: expected finite samples"):
        load_audio(tmp_path / "nan.wav")


def test_channels_are_averaged(tmp_path):
    left, right = np.full(8000, 0.5), np.full(8000, -0.5)
    sf.write(tmp_path / "wide.wav", np.stack([left, right], axis=1), 8000)
    assert np.abs(load_audio(tmp_path / "wide.wav")).max() < 1e-4


def test_a_tenth_of_a_second_and_silence_load(tmp_path):
    assert len(load_audio(write_tone(tmp_path / "short.wav", seconds=0.1))) == 300
    sf.write(tmp_path / "silent.wav", np.zeros(8000), 8000)
    assert not load_audio(tmp_path / "silent.wav").any()


def test_a_truncated_mp3_is_an_error(tmp_path):
    path = write_tone(tmp_path / "whole.mp3", seconds=20)
    content = path.read_bytes()
    (tmp_path / "cut.mp3").write_bytes(content[: len(content) // 2])
    with pytest.raises(AudioError, match=r"cut.mp3: truncated, \d+\.\d s of 20\.\d s"):
        load_audio(tmp_path / "cut.mp3")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "found an empty one"), (b"this is a text\n" * 99, "not readable as audio")],
)
def test_what_is_no_audio_is_an_error(tmp_path, content, message):
    (tmp_path / "x.mp3").write_bytes(content)
    with pytest.raises(AudioError, match=f"x.mp3: .*{message}"):
        load_audio(tmp_path / "x.mp3")


def test_a_missing_file_and_no_samples_are_errors(tmp_path):
    with pytest.raises(AudioError, match="found no such file"):
        load_audio(tmp_path / "absent.ogg")
    sf.write(tmp_path / "none.wav", np.zeros(0), 8000)
    with pytest.raises(AudioError, match="found 0 samples"):
        load_audio(tmp_path / "none.wav")
