"""Loudness against the standard's own signals and pyloudnorm, true peaks, and the limiter."""

from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest

from aares.audio.levels import level_sound, limit_peaks, measure_lufs, measure_true_peak
from aares.errors import AudioError

SR = 48_000


def make_tone(*parts, hz=1000.0, sr=SR):
    """The same tone in both channels: parts of a level in dB and seconds."""
    level = np.concatenate([np.full(round(s * sr), 10 ** (db / 20)) for db, s in parts])
    y = level * np.sin(2 * np.pi * hz * np.arange(len(level)) / sr)
    return np.column_stack([y, y])


def make_music(seed, *, sr=44_100, seconds=10.0):
    """Noise and tones that swell and pause, in two channels."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * sr)) / sr
    swell = 0.02 + np.abs(np.sin(t * rng.uniform(0.2, 3))) ** rng.uniform(1, 20)
    hz = rng.uniform(40, 6000, (4, 2))
    y = np.sin(2 * np.pi * t[:, None, None] * hz).sum(axis=1)
    return swell[:, None] * (y + rng.standard_normal((len(t), 2))) * rng.uniform(0.01, 0.3)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [  # EBU Tech 3341, minimum requirements 1 to 5
        ([(-23.0, 20)], -23.0),
        ([(-33.0, 20)], -33.0),
        ([(-36.0, 10), (-23.0, 60), (-36.0, 10)], -23.0),
        ([(-72.0, 10), (-36.0, 10), (-23.0, 60), (-36.0, 10), (-72.0, 10)], -23.0),
        ([(-26.0, 20), (-20.0, 20.1), (-26.0, 20)], -23.0),
    ],
    ids=["tone", "softer", "relative gate", "both gates", "three levels"],
)
def test_tones_of_the_ebu_have_the_loudness_it_says(parts, expected):
    assert measure_lufs(make_tone(*parts), SR) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("sr", [22_050, 44_100, 48_000])
def test_loudness_is_that_of_pyloudnorm(sr):
    """Its filters differ a little from the standard's, which ours are at 48 kHz."""
    for seed in range(4):
        y = make_music(seed, sr=sr, seconds=4)
        expected = pyloudnorm.Meter(sr).integrated_loudness(y)
        assert measure_lufs(y, sr) == pytest.approx(expected, abs=0.2)


def test_silence_has_no_loudness_and_no_peak():
    assert measure_lufs(np.zeros((SR, 2)), SR) == -np.inf
    assert measure_true_peak(np.zeros((SR, 2))) == -np.inf
    with pytest.raises(AudioError, match="nothing above -70 LUFS"):
        level_sound(np.zeros((SR, 2)), SR)


@pytest.mark.parametrize("phase", [0.0, 30.0, 45.0, 60.0])
def test_a_peak_between_samples_is_found(phase):
    """A quarter of the rate: the samples of 45 degrees miss the peak by 3 dB (EBU Tech 3341)."""
    t = np.arange(4800)
    y = 0.5 * np.sin(np.pi / 2 * t + np.deg2rad(phase)) * np.minimum(1, (4800 - t) / 500)
    y *= np.minimum(1, t / 500)
    assert measure_true_peak(y[:, None]) == pytest.approx(-6.0, abs=0.2)


def test_levelled_sound_is_as_loud_as_it_should_be_and_under_the_ceiling():
    for seed in range(3):
        y = level_sound(make_music(seed), 44_100, target_lufs=-20.0, ceiling_db=-1.0)
        assert pyloudnorm.Meter(44_100).integrated_loudness(y) == pytest.approx(-20, abs=0.3)
        assert measure_true_peak(y) < -1


def test_clicks_are_turned_down_so_that_the_rest_may_be_loud():
    y = make_music(0)
    y[::22_050] = 40.0
    y = level_sound(y, 44_100, target_lufs=-20.0, ceiling_db=-1.0)
    assert measure_lufs(y, 44_100) == pytest.approx(-20, abs=0.3)
    assert measure_true_peak(y) < -1


def test_a_limiter_moves_nothing_and_leaves_what_is_low_enough():
    y = make_music(1, seconds=2)
    y *= 0.5 / np.abs(y).max()
    assert limit_peaks(y, 44_100, ceiling_db=-1.0) is y
    y[40_000] = 3.0
    limited = limit_peaks(y, 44_100, ceiling_db=-1.0)
    far = np.abs(np.arange(len(y)) - 40_000) > 500
    assert limited.shape == y.shape and np.array_equal(limited[far], y[far])
    ratio = limited[~far] / y[~far]
    assert np.allclose(ratio[:, 0], ratio[:, 1]), "no side is moved"


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros(SR), "one channel or two, found the shape"),
        (np.zeros((SR, 3)), r"one channel or two, found the shape \(48000, 3\)"),
        (np.zeros((100, 2)), "0.4 s of sound at least, found 0.00 s"),
        (np.full((SR, 2), np.nan), "finite samples"),
    ],
)
def test_what_is_no_programme_is_refused(y, message):
    with pytest.raises(AudioError, match=message):
        measure_lufs(y, SR)
