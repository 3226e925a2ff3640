"""Pictures of sound: where a tone, a click and a level stand, and what is refused."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from aares.audio.segments import read_segment
from aares.chaining.pictures import (
    COLUMNS,
    RANGE_DB,
    RATE_HZ,
    ROWS,
    SCALES,
    average_cells,
    paint_song,
    paint_sound,
)
from aares.errors import AudioError


def make_tone(hz, seconds=3.0, level=0.5):
    return level * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)


def make_noise(seconds=3.0):
    return np.random.default_rng(0).normal(size=int(seconds * RATE_HZ)) / 10


@pytest.mark.parametrize("hz", [60, 440, 3000, 10500])
def test_a_tone_is_a_bright_row_at_its_frequency(hz):
    linear, mel = (paint_sound(make_tone(hz), scale=scale) for scale in ("linear", "log-mel"))
    assert linear.shape == mel.shape == (ROWS, COLUMNS) and linear.dtype == np.uint8
    assert abs(linear.mean(axis=1).argmax() - hz / (RATE_HZ / 2 / ROWS)) <= 1
    centres = librosa.mel_frequencies(ROWS + 2, fmax=RATE_HZ / 2)[1:-1]
    assert abs(mel.mean(axis=1).argmax() - np.abs(centres - hz).argmin()) <= 2


@pytest.mark.parametrize("seconds", [2.0, 7.3])
def test_columns_share_the_sound_evenly(seconds):
    y = np.zeros(int(seconds * RATE_HZ))
    for share in (0.1, 0.5, 0.85):
        y[int(share * len(y))] = 1.0
        column = paint_sound(y, scale="linear").mean(axis=0)
        bright = np.flatnonzero(column > column.max() / 2)
        assert abs(bright.mean() / COLUMNS - share) < 0.01
        y[:] = 0


@pytest.mark.parametrize("scale", SCALES)
def test_a_picture_does_not_know_how_loud_its_song_is(scale):
    y = make_noise()
    loud, soft = paint_sound(y, scale=scale), paint_sound(y / 256, scale=scale)
    assert (loud == soft).all() and loud.max() == 255


def test_grey_levels_are_decibels_below_the_loudest():
    step_db = 30.0
    y = np.concatenate([make_tone(1000), make_tone(1000, level=0.5 * 10 ** (-step_db / 20))])
    picture = paint_sound(y, scale="linear").max(axis=0).astype(float)
    found_db = (picture[200] - picture[600]) / 255 * RANGE_DB
    assert found_db == pytest.approx(step_db, abs=0.5)
    wide = paint_sound(y, scale="linear", range_db=120).max(axis=0).astype(float)
    assert (wide[200] - wide[600]) / 255 * 120 == pytest.approx(step_db, abs=0.5)


@pytest.mark.parametrize("scale", SCALES)
def test_silence_is_dark(scale):
    assert not paint_sound(np.zeros(2 * RATE_HZ), scale=scale).any()


def test_a_smaller_picture_is_the_same_one():
    y = make_noise() * np.linspace(0, 1, len(make_noise()))
    small = paint_sound(y, scale="linear", rows=64, columns=100)
    assert small.shape == (64, 100)
    large = average_cells(paint_sound(y, scale="linear"), 8)
    assert np.std(small.astype(int) - large) < 5  # the loudest cell of small ones is less loud


def test_a_minute_of_a_song_is_painted_from_its_file(tmp_path):
    import soundfile

    y = np.concatenate([make_noise(4), make_tone(440, 6)]).astype(np.float32)
    soundfile.write(tmp_path / "song.wav", y, RATE_HZ, subtype="FLOAT")
    expected = paint_sound(read_segment(tmp_path / "song.wav", "0:30-1:30").y)
    assert (paint_song(tmp_path / "song.wav") == expected).all()
    assert (paint_song(y, sr=RATE_HZ) == expected).all()


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (np.zeros(100), "expected at least 1 s at 22050 Hz, found 0.00 s"),
        (np.zeros((2, 44100)), r"expected mono, shape \(n,\), found shape \(2, 44100\)"),
        (np.full(44100, np.nan), "expected finite samples"),
        (["a"] * 44100, "expected numbers, found list"),
        (None, "found shape"),
    ],
)
def test_what_is_no_sound_is_refused(y, said):
    with pytest.raises(AudioError, match=said):
        paint_sound(y)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"scale": "bark"}, "scale: expected one of log-mel, linear, found 'bark'"),
        ({"rows": 100}, "rows: expected 2, 4, 8 ... 512, found 100"),
        ({"rows": 1024}, "rows: expected"),
        ({"columns": 1}, "columns: expected 2 or more, found 1"),
        ({"range_db": 0}, "range_db: expected a positive number of dB, found 0"),
    ],
)
def test_what_is_no_picture_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        paint_sound(make_noise(), **options)
    with pytest.raises(ValueError, match="factor: expected 1 to 64, found 65"):
        average_cells(np.zeros((64, 100), np.uint8), 65)
