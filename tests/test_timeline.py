"""Tests of what was played when, on made-up broadcasts whose truth is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from aares.audio import distortions
from aares.audio.stretching import stretch
from aares.identify import Index, make_timeline

SR = 8000


def make_song(seed: int, *, seconds: float = 40) -> np.ndarray:
    """Return chords of decaying partials every 0.2 to 0.5 s, float32."""
    rng = np.random.default_rng(seed)
    y = 0.001 * rng.standard_normal(int(seconds * SR))
    time_s = np.arange(SR) / SR
    start = 0
    while start < len(y) - SR:
        for tone_hz in 110 * 2 ** (rng.integers(0, 36, size=2) / 12):
            for partial in (1, 2, 3):
                decay = np.exp(-rng.uniform(3, 8) * time_s) / partial
                y[start : start + SR] += (
                    0.1 * decay * np.sin(2 * np.pi * tone_hz * partial * time_s)
                )
        start += int(SR * rng.uniform(0.2, 0.5))
    return y.astype(np.float32)


def make_talk(seconds: float, seed: int = 0) -> np.ndarray:
    return 0.1 * distortions.make_babble(int(seconds * SR), np.random.default_rng(seed))


@pytest.fixture(scope="module")
def songs() -> dict[str, np.ndarray]:
    return {f"song {seed}": make_song(seed) for seed in range(8)}


@pytest.fixture(scope="module")
def index(songs) -> Index:
    return Index.from_signals(songs)


def test_a_timeline_tells_what_was_played_when(songs, index):
    rng = np.random.default_rng(3)
    parts = [songs["song 1"][: 25 * SR], songs["song 5"][80_000 : 80_000 + 30 * SR]]
    y = np.concatenate([*parts, 0.05 * distortions.make_white(20 * SR, rng)])
    entries = make_timeline(index, y, SR)
    assert [entry.song for entry in entries] == ["song 1", "song 5", None]
    assert entries[0].start_s == 0 and entries[-1].end_s == 75
    for one, two in itertools.pairwise(entries):
        assert abs(one.end_s - two.start_s) <= 1 and one.start_s < one.end_s
    # the last second of a song is silent
    assert abs(entries[0].end_s - 25) <= 0.5 and abs(entries[1].end_s - 54.5) <= 0.7
    assert abs((entries[1].offset_s - 10) - (entries[1].start_s - 25)) < 0.2


@pytest.mark.parametrize(("window_s", "step_s"), [(10, 0), (5, 6), (16, 5)])
def test_windows_are_checked(index, window_s, step_s):
    with pytest.raises(ValueError, match=f"window_s {window_s} and step_s {step_s}"):
        make_timeline(index, np.ones(SR), SR, window_s=window_s, step_s=step_s)


def test_a_song_played_too_fast_is_one_entry(songs, index):
    fast = distortions.change_speed(songs["song 2"], 1.03)
    [entry] = make_timeline(index, fast, SR)
    assert entry.song == "song 2" and abs(entry.speed - 1.03) < 0.002
    assert (entry.start_s, entry.end_s) == (0, pytest.approx(len(fast) / SR, abs=1.5))


def test_a_drifting_tempo_under_key_lock_is_one_entry():
    song = make_song(50, seconds=82)[: 80 * SR]  # the last second of a made-up song is silent
    drifting = stretch(song, 1.0, 1.05)
    [entry] = make_timeline(Index.from_signals({"song": song}), drifting, SR)
    assert entry.song == "song" and entry.end_s == pytest.approx(len(drifting) / SR, abs=1.5)
    assert entry.speed == pytest.approx(1.025, abs=0.003)
