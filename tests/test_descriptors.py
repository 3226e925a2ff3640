"""Flux, band energy and pitch of sounds whose answer is known, and the table of features."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from aares.audio import descriptors
from aares.audio.spectra import compute_spectrogram

SR = 22_050
TIME_S = np.arange(2 * SR) / SR


def make_tone(*partials_hz):
    return sum(np.sin(2 * np.pi * hz * TIME_S) for hz in partials_hz).astype(np.float32) / 10


def make_noise(seed=0):
    noise = 0.1 * np.random.default_rng(seed).standard_normal(len(TIME_S))
    return noise.astype(np.float32)


def find_pitch(y):
    return descriptors.find_pitch(compute_spectrogram(y), SR)


def test_the_table_is_of_what_is_computed():
    described = descriptors.describe_sound(make_noise(), SR)
    assert list(described) == [row.name for row in descriptors.ROWS]
    assert all(type(value) is float for value in described.values())
    assert all(all(row) for row in descriptors.ROWS)


def test_a_spectrogram_that_is_there_is_taken():
    y = make_tone(330, 660)
    magnitude = np.abs(librosa.stft(y))
    np.testing.assert_array_equal(magnitude, compute_spectrogram(y))
    assert descriptors.describe_sound(y, SR, magnitude) == descriptors.describe_sound(y, SR)
    other = descriptors.describe_sound(y, SR, np.abs(librosa.stft(make_noise())))
    assert other["pitch_strength"] < 0.5 < descriptors.describe_sound(y, SR)["pitch_strength"]


def test_the_level_does_not_matter_to_the_spectrum():
    y = make_tone(220, 440) + make_noise()
    loud, quiet = (compute_spectrogram(gain * y) for gain in (1, 0.001))
    for measure in (descriptors.measure_flux, lambda m: descriptors.measure_band_ratio(m, SR)):
        assert measure(loud) == pytest.approx(measure(quiet), rel=1e-5)
    assert descriptors.find_pitch(loud, SR) == pytest.approx(
        descriptors.find_pitch(quiet, SR), rel=1e-4
    )


def test_flux_against_its_definition():
    magnitude = np.random.default_rng(0).random((1025, 20))
    norms = np.linalg.norm(magnitude, axis=0)
    change = np.linalg.norm(magnitude[:, 1:] - magnitude[:, :-1], axis=0)
    assert descriptors.measure_flux(magnitude) == pytest.approx(change.sum() / norms.sum())
    assert descriptors.measure_flux(magnitude[:, :1]) == 0


def test_flux_tells_change_from_what_stays():
    steady, noise = (compute_spectrogram(y) for y in (make_tone(440), make_noise()))
    clicks = np.zeros(2 * SR, dtype=np.float32)
    clicks[::5000] = 1
    fluxes = [descriptors.measure_flux(m) for m in (steady, noise)]
    assert fluxes[0] < 0.1 < fluxes[1] < descriptors.measure_flux(compute_spectrogram(clicks))


def test_band_ratio_is_the_share_below_2_khz():
    for low, high in ((1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.5)):
        y = low * make_tone(500) + high * make_tone(5000)
        expected = low**2 / (low**2 + high**2)
        # the first and last frame hold the tone's edges, at all frequencies
        ratio = descriptors.measure_band_ratio(compute_spectrogram(y)[:, 2:-3], SR)
        assert ratio == pytest.approx(expected, abs=0.001)


def test_silent_frames_have_no_band_ratio():
    y = np.concatenate([make_tone(500), np.zeros(4 * SR, dtype=np.float32)])
    assert descriptors.measure_band_ratio(compute_spectrogram(y), SR) > 0.98


@pytest.mark.parametrize("pitch_hz", [65.4, 110, 220, 440.0, 523.3, 987.8])
def test_pitch_of_a_rich_tone(pitch_hz):
    found_hz, strength = find_pitch(make_tone(*pitch_hz * np.arange(1, 9)))
    assert found_hz == pytest.approx(pitch_hz, rel=0.005)
    assert strength > 0.95


def test_a_missing_fundamental_is_heard():
    assert find_pitch(make_tone(600, 800, 1000))[0] == pytest.approx(200, rel=0.005)


def test_pitch_is_a_geometric_mean_over_time():
    y = np.concatenate([make_tone(*hz * np.arange(1, 5)) for hz in (200, 800)])
    assert find_pitch(y)[0] == pytest.approx(400, rel=0.02)


def test_noise_has_hardly_any_pitch():
    strengths = [find_pitch(make_tone(220, 440) + gain * make_noise())[1] for gain in (0, 1, 10)]
    assert strengths[0] > 0.95 > strengths[1] > strengths[2]
    assert strengths[2] < 0.3


def test_pitch_of_one_voice_is_that_of_yin():
    glide = np.sin(2 * np.pi * 150 * TIME_S + 40 * np.sin(2 * np.pi * 0.5 * TIME_S))
    y = (glide + 0.5 * glide**2).astype(np.float32)
    yin_hz = librosa.yin(y, fmin=60, fmax=1000, sr=SR)
    assert find_pitch(y)[0] == pytest.approx(np.exp(np.log(yin_hz).mean()), rel=0.01)


def test_silence_has_zeros():
    described = descriptors.describe_sound(np.zeros(SR, dtype=np.float32), SR)
    assert set(described.values()) == {0.0}


@pytest.mark.parametrize("y", [1e-30 * make_noise(), np.full(SR, 0.5), np.r_[1.0, np.zeros(SR)]])
def test_what_is_hardly_a_sound_has_numbers_all_the_same(y):
    described = descriptors.describe_sound(y, SR)
    assert all(np.isfinite(value) for value in described.values())


@pytest.mark.parametrize("sr", [8000, 44_100])
def test_other_rates(sr):
    time_s = np.arange(sr) / sr
    y = 0.1 * np.sin(2 * np.pi * np.outer([220, 440, 660], time_s)).sum(axis=0)
    described = descriptors.describe_sound(y, sr)
    assert described["pitch"] == pytest.approx(220, rel=0.01)
    assert described["band_energy_ratio"] > 0.98


@pytest.mark.parametrize(
    "magnitude",
    [
        np.zeros(1025),
        np.zeros((1025, 0)),
        np.zeros((1025, 4), dtype=complex),
        np.full((1025, 4), np.nan),
        np.full((1025, 4), -1.0),
        np.full((1025, 4), np.inf),
        [["a"]],
    ],
)
def test_what_is_no_spectrogram_is_refused(magnitude):
    y = make_tone(440)
    for call in (
        lambda: descriptors.measure_flux(magnitude),
        lambda: descriptors.measure_band_ratio(magnitude, SR),
        lambda: descriptors.find_pitch(magnitude, SR),
        lambda: descriptors.describe_sound(y, SR, magnitude),
    ):
        with pytest.raises(ValueError, match="magnitude: expected"):
            call()


def test_frames_too_short_for_a_pitch_are_refused():
    with pytest.raises(ValueError, match="two periods of 60 Hz at 22050 Hz, found 512"):
        descriptors.find_pitch(np.ones((257, 4)), SR)


def test_bad_sounds_are_refused():
    with pytest.raises(ValueError, match="finite samples"):
        descriptors.describe_sound(np.full(SR, np.nan), SR)
    with pytest.raises(ValueError, match=r"at least 0\.2 s"):
        descriptors.describe_sound(np.zeros(10), SR)
