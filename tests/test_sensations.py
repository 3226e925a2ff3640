"""Sharpness and roughness: what standards define, mosqito's values, sounds at the border."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from scipy.signal import butter, resample_poly, sosfiltfilt

from aares.audio import distortions, loudness, sensations

SR = 22_050
FULL = 48_000  # what mosqito asks for
PASCAL_DB = 20 * np.log10(1 / loudness.REFERENCE_PA)  # a sample of 1 is 1 pascal


def set_level(y, level_db):
    """Return a sound in pascal."""
    return y * (loudness.REFERENCE_PA * 10 ** (level_db / 20) / np.sqrt(np.mean(y**2)))


def make_band(low_hz, high_hz, *, sr=FULL, seed=0):
    noise = np.random.default_rng(seed).standard_normal(sr)
    return sosfiltfilt(butter(4, (low_hz, high_hz), "bandpass", fs=sr, output="sos"), noise)


def make_modulated(carrier_hz, rate_hz, *, sr=FULL, seconds=0.5, depth=1.0):
    time_s = np.arange(int(seconds * sr)) / sr
    envelope = 1 + depth * np.sin(2 * np.pi * rate_hz * time_s)
    return envelope * np.sin(2 * np.pi * carrier_hz * time_s)


def make_chord(root_hz, *, sr=FULL, seconds=0.5):
    time_s = np.arange(int(seconds * sr)) / sr
    tones = [(root_hz * 2 ** (step / 12) * h, h) for step in (0, 4, 7) for h in range(1, 9)]
    return sum(np.sin(2 * np.pi * hz * time_s) / h for hz, h in tones)


def halve_rate(y):
    return resample_poly(y, 147, 320)


SOUNDS = {
    "1 kHz band": (make_band(920, 1080), 60),
    "white": (np.random.default_rng(0).standard_normal(FULL), 60),
    "pink": (distortions.make_pink(FULL, np.random.default_rng(0)).astype(float), 70),
    "chord": (make_chord(220, seconds=1.0), 70),
}
MODULATED = {
    "1 kHz": (make_modulated(1000, 70), 60, 0.03),
    "500 Hz": (make_modulated(500, 50), 70, 0.01),
    "250 Hz": (make_modulated(250, 40), 60, 0.02),
    "slow": (make_modulated(1000, 30), 60, 0.03),
    "fast": (make_modulated(1000, 150), 60, 0.08),
    "low chord": (make_chord(55), 70, 0.02),
}


def follow_mosqito(kind, y):
    """Return the mean that mosqito finds; it prints."""
    from mosqito import sq_metrics

    with contextlib.redirect_stdout(io.StringIO()):
        if kind == "roughness":
            return float(np.mean(sq_metrics.roughness_dw(y, FULL, overlap=0.5)[0]))
        if kind == "stationary":
            return float(sq_metrics.sharpness_din_st(y, FULL))
        return float(np.mean(sq_metrics.sharpness_din_tv(y, FULL, skip=0.2)[0]))


# --- loudness --------------------------------------------------------------------------------


def test_loudness_is_that_of_mosqito_for_any_spectrum():
    from mosqito.sq_metrics.loudness.loudness_zwst._calc_slopes import _calc_slopes
    from mosqito.sq_metrics.loudness.loudness_zwst._main_loudness import _main_loudness

    level_db = np.random.default_rng(0).uniform(-10, 90, (40, loudness.N_BANDS))
    total, specific = loudness.spread_loudness(loudness.REFERENCE_PA**2 * 10 ** (level_db / 10))
    expected, expected_specific = _calc_slopes(_main_loudness(level_db.T, "free"))
    np.testing.assert_allclose(total, expected, atol=0.007)  # mosqito rounds to 0.01 sone
    gap = np.abs(specific - expected_specific.T)
    assert np.mean(gap > 0.001) < 0.01  # on a border of two bands mosqito takes the next
    np.testing.assert_allclose(specific.sum(axis=1) * loudness.STEP_BARK, total, rtol=0.02)


def test_nothing_is_no_loudness():
    total, specific = loudness.spread_loudness(np.zeros((2, loudness.N_BANDS)))
    assert not total.any()
    assert not specific.any()


def test_filters_share_the_power_of_noise():
    """Each filter lets through about what a third of an octave is wide."""
    frequencies_hz = np.arange(0, 40_000, 1.0)
    passed_hz = loudness.weigh_bands(frequencies_hz).sum(axis=0)[10:]
    width_hz = loudness.BAND_CENTRES_HZ[10:] * (10**0.05 - 10**-0.05)
    np.testing.assert_allclose(passed_hz / width_hz, 1.047, atol=0.01)


# --- sharpness -------------------------------------------------------------------------------


def test_a_narrow_band_at_1_khz_and_60_db_has_1_acum():
    y = set_level(halve_rate(SOUNDS["1 kHz band"][0]), 60)
    sharp = sensations.follow_sharpness(y, SR, full_scale_db=PASCAL_DB)
    assert sharp.mean() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("name", SOUNDS)
def test_sharpness_is_that_of_mosqito(name):
    sound, level_db = SOUNDS[name]
    y = set_level(sound, level_db)
    sharp = sensations.follow_sharpness(y, FULL, full_scale_db=PASCAL_DB).mean()
    assert sharp == pytest.approx(follow_mosqito("stationary", y), rel=0.01)


def test_sharpness_is_about_that_of_a_method_for_varying_sounds():
    y = set_level(SOUNDS["pink"][0][: FULL // 2], 70)  # mosqito takes 5 s for a second
    sharp = sensations.follow_sharpness(y, FULL, full_scale_db=PASCAL_DB).mean()
    assert sharp == pytest.approx(follow_mosqito("varying", y), rel=0.02)


def test_what_the_rate_of_the_study_loses():
    found = {}
    for name, (sound, level_db) in SOUNDS.items():
        y = set_level(sound, level_db)
        whole = sensations.follow_sharpness(y, FULL, full_scale_db=PASCAL_DB).mean()
        half = sensations.follow_sharpness(halve_rate(y), SR, full_scale_db=PASCAL_DB).mean()
        found[name] = half / whole - 1
    assert found == pytest.approx(
        {"1 kHz band": 0, "white": -0.04, "pink": -0.03, "chord": 0}, abs=0.01
    )


# --- roughness -------------------------------------------------------------------------------


def test_the_reference_sound_has_1_asper():
    y = set_level(make_modulated(1000, 70, sr=SR), 60)
    rough = sensations.follow_roughness(y, SR, full_scale_db=PASCAL_DB)
    np.testing.assert_allclose(rough, 1, atol=0.01)


@pytest.mark.parametrize("name", MODULATED)
def test_roughness_is_that_of_mosqito(name):
    sound, level_db, tolerance = MODULATED[name]
    y = set_level(sound, level_db)
    rough = sensations.follow_roughness(halve_rate(y), SR, full_scale_db=PASCAL_DB).mean()
    assert rough == pytest.approx(follow_mosqito("roughness", y), rel=tolerance)


def test_roughness_is_largest_at_70_hz_and_grows_with_depth():
    by_rate = [
        sensations.follow_roughness(make_modulated(1000, rate, sr=SR), SR).mean()
        for rate in (10, 30, 70, 150, 300)
    ]
    assert np.argmax(by_rate) == 2
    assert by_rate[0] < 0.1 * by_rate[2]
    by_depth = [
        sensations.follow_roughness(make_modulated(1000, 70, sr=SR, depth=depth), SR).mean()
        for depth in (0, 0.3, 0.6, 1)
    ]
    assert by_depth[0] < 0.002
    assert (np.diff(by_depth) > 0).all()


def test_a_low_tone_is_no_fluctuation():
    """Rectified, 80 Hz would be one at 160 Hz: 0.11 asper."""
    time_s = np.arange(SR // 2) / SR
    y = set_level(np.sin(2 * np.pi * 80 * time_s), 70)
    assert sensations.follow_roughness(y, SR, full_scale_db=PASCAL_DB).max() < 0.005


def test_an_envelope_of_512_samples_is_enough(monkeypatch):
    y = set_level(halve_rate(SOUNDS["pink"][0]), 70)
    few = sensations.follow_roughness(y, SR, full_scale_db=PASCAL_DB)
    monkeypatch.setattr(sensations, "N_ENVELOPE", 4096)
    many = sensations.follow_roughness(y, SR, full_scale_db=PASCAL_DB)
    np.testing.assert_allclose(few.mean(), many.mean(), rtol=0.02)


# --- both ------------------------------------------------------------------------------------


def test_the_summary_is_of_the_frames():
    y = np.concatenate([0.1 * make_modulated(1000, 70, sr=SR), np.zeros(SR)])
    summary = sensations.summarise_sensations(y, SR)
    sharp, rough = sensations.follow_sharpness(y, SR), sensations.follow_roughness(y, SR)
    assert len(sharp) == len(rough) == 14
    assert sharp[-5:].tolist() == rough[-5:].tolist() == [0] * 5
    assert summary["sharpness"] == pytest.approx(sharp[sharp > 0].mean())
    assert summary["roughness"] == pytest.approx(rough.mean())
    assert summary["roughness_std"] == pytest.approx(rough.std())


def test_the_level_that_is_assumed_counts():
    y = 0.1 * SOUNDS["pink"][0][:SR]
    quiet, loud = (sensations.follow_sharpness(y, SR, full_scale_db=db).mean() for db in (60, 90))
    assert loud > 1.02 * quiet
    one_step = sensations.follow_sharpness(y * np.sqrt(10), SR, full_scale_db=80)
    np.testing.assert_allclose(
        one_step, sensations.follow_sharpness(y, SR, full_scale_db=90), rtol=1e-4
    )


def test_more_frames_a_second_are_the_same_frames_and_others():
    y = halve_rate(SOUNDS["pink"][0])
    ten = sensations.follow_roughness(y, SR)
    twenty = sensations.follow_roughness(y, SR, frames_per_s=2 * sensations.FRAMES_PER_S)
    np.testing.assert_allclose(twenty[0], ten[0], rtol=1e-6)
    assert len(twenty) in (2 * len(ten) - 1, 2 * len(ten))


@pytest.mark.parametrize("sr", [8000, 22_050, 44_100, 96_000])
def test_any_rate_of_music_gives_the_same(sr):
    y = set_level(make_modulated(1000, 70, sr=sr), 60)
    summary = sensations.summarise_sensations(y, sr, full_scale_db=PASCAL_DB)
    assert summary["roughness"] == pytest.approx(1, abs=0.02)
    assert summary["sharpness"] == pytest.approx(1.03, abs=0.03)
    assert summary["roughness_std"] < 0.01


@pytest.mark.parametrize(
    ("y", "sr", "message"),
    [
        (np.full(9000, np.nan), SR, "y: expected finite samples, found nan at sample 0"),
        (np.r_[np.zeros(8999), np.inf], SR, "found inf at sample 8999"),
        (np.zeros(2205), SR, r"at least 0.2 s of sound \(4410 samples at 22050 Hz\), found 2205"),
        (np.zeros(0), SR, "found 0 samples"),
        (np.zeros((2, 9000)), SR, "one channel of numbers"),
        (np.zeros(9000, dtype=np.int16), SR, "divide by full scale"),
        (np.full(9000, -32_768.0), SR, "found -32768.0; divide by full scale"),
        (np.array(["a"] * 9000), SR, "one channel of numbers"),
        (np.zeros(9000), 0, "sr: expected a sampling rate"),
        (np.zeros(9000), np.nan, "sr: expected a sampling rate"),
        (np.zeros(9000), "22050", "sr: expected a sampling rate"),
        (np.zeros(9000), None, "sr: expected a sampling rate"),
    ],
)
def test_what_is_no_sound_is_refused(y, sr, message):
    for follow in (sensations.follow_sharpness, sensations.summarise_sensations):
        with pytest.raises(ValueError, match=message):
            follow(y, sr)


@pytest.mark.parametrize("frames_per_s", [0, -1, np.nan])
def test_a_hop_that_is_none_is_refused(frames_per_s):
    with pytest.raises(ValueError, match="frames_per_s: expected more than 0"):
        sensations.follow_roughness(np.zeros(SR), SR, frames_per_s=frames_per_s)
