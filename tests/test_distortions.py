"""Tests of noise, rooms, codecs and speed."""

import numpy as np
import pytest

from aares.audio import distortions

SR = 8000


def make_tone(tone_hz=440.0, seconds=2.0, sr=SR):
    return (0.3 * np.sin(2 * np.pi * tone_hz * np.arange(int(seconds * sr)) / sr)).astype("float32")


@pytest.mark.parametrize("kind", ["white", "pink", "babble"])
@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 12.0])
def test_noise_has_the_power_that_was_asked_for(kind, snr_db):
    y = make_tone()
    heard = distortions.add_noise(y, kind, np.random.default_rng(0), snr_db=snr_db)
    noise = heard.astype(float) - y
    assert heard.dtype == np.float32
    assert 10 * np.log10(np.mean(y**2) / np.mean(noise**2)) == pytest.approx(snr_db, abs=0.01)
    again = distortions.add_noise(y, kind, np.random.default_rng(0), snr_db=snr_db)
    np.testing.assert_array_equal(heard, again)
    assert distortions.add_noise(y, kind, np.random.default_rng(0), snr_db=np.inf) is y
    silence = np.zeros(50, dtype=np.float32)
    assert not distortions.add_noise(silence, kind, np.random.default_rng(0), snr_db=0).any()


def test_pink_noise_falls_by_three_decibels_an_octave():
    power = np.abs(np.fft.rfft(distortions.make_pink(1 << 18, np.random.default_rng(0)))) ** 2
    octaves = [power[n : 2 * n].mean() for n in (1 << 10, 1 << 12, 1 << 14)]
    steps_db = -10 * np.diff(np.log10(octaves)) / 2
    np.testing.assert_allclose(steps_db, 3.01, atol=0.4)


def test_babble_lies_where_speech_does_and_changes_with_time():
    y = distortions.make_babble(10 * SR, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(y)) ** 2
    hertz = np.fft.rfftfreq(len(y), 1 / SR)
    assert power[(hertz > 200) & (hertz < 3400)].sum() > 0.7 * power.sum()
    levels = (y[: len(y) // 800 * 800].reshape(-1, 800) ** 2).mean(axis=1)
    assert levels.std() > 0.2 * levels.mean()


def test_speed_moves_pitch_and_length():
    faster = distortions.change_speed(make_tone(), 1.03)
    assert len(faster) == pytest.approx(2 * SR / 1.03, abs=2)
    top = np.argmax(np.abs(np.fft.rfft(faster)))
    assert top * SR / len(faster) == pytest.approx(440 * 1.03, abs=0.6)


def test_a_room_rings_on_and_a_telephone_is_narrow():
    click = np.zeros(SR, dtype=np.float32)
    click[100] = 1
    heard = distortions.add_reverb(click, np.random.default_rng(0), decay_s=0.5)
    early, late = np.mean(heard[200:1000] ** 2), np.mean(heard[3000:4000] ** 2)
    assert early > 100 * late > 0
    kept = {f: np.std(distortions.telephone(make_tone(f))[SR:]) for f in (100.0, 1000.0, 3800.0)}
    assert kept[1000.0] > 0.2 > 0.05 > max(kept[100.0], kept[3800.0])


def test_clipping_keeps_the_peak_and_squares_the_wave():
    y = make_tone()
    heard = distortions.clip(y, gain_db=20)
    assert np.abs(heard).max() == pytest.approx(np.abs(y).max())
    assert np.mean(np.abs(heard) > 0.99 * np.abs(y).max()) > 0.8


def test_an_mp3_of_fewer_bits_is_worse():
    rng = np.random.default_rng(0)
    y = make_tone(sr=32_000) + 0.05 * distortions.make_white(64_000, rng)
    errors = []
    for kbps in (32, 64, 320):
        heard = distortions.encode_mp3(y, 32_000, kbps=kbps)
        n = min(len(heard), len(y))
        lag = np.argmax(np.correlate(heard[2000:10_000], y[2000:6000], "valid"))
        shifted = heard[lag:n]
        errors.append(np.mean((shifted[2000:40_000] - y[2000:40_000]) ** 2))
    assert errors[0] > errors[1] > errors[2]
    with pytest.raises(ValueError, match="32000"):
        distortions.encode_mp3(y, 8000, kbps=32)
