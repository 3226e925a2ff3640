"""Tracks that nobody played: alike the real ones in what a search meets, made anew by number."""

from __future__ import annotations

import numpy as np
import pytest

from aares.identify.catalogue import Prints, Settings, fingerprint
from aares.identify.pairs import hash_recording
from aares.identify.peaks import BLOCK_FRAMES, Peaks
from aares.identify.segment import unpack_peaks
from aares.scale.simulated import KEYS, Models, gather_models, move_bins, simulate_track


@pytest.fixture(scope="module")
def models():
    """Return the peaks of three noises of 8 s."""
    rng = np.random.default_rng(3)
    signals = rng.standard_normal((3, 64_000), dtype=np.float32)
    return gather_models([fingerprint(str(k), y, Settings()) for k, y in enumerate(signals)])


def test_a_number_is_a_track_whatever_else_is_made(models):
    first, again = simulate_track(models, 7), simulate_track(models, 7)
    for one, other in zip(first[1:5], again[1:5], strict=True):
        np.testing.assert_array_equal(one, other)
    assert first.recording == again.recording
    assert not np.array_equal(first.hashes[:500], simulate_track(models, 8).hashes[:500])
    assert not np.array_equal(first.hashes[:500], simulate_track(models, 7, seed=1).hashes[:500])


def test_hashes_are_those_of_the_peaks(models):
    track = simulate_track(models, 5, seconds=100.0, name="five")
    times, bins, _ = unpack_peaks(track.counts, track.peaks)
    assert (np.diff(times * 512 + bins) >= 0).all()
    found = Peaks(times.astype(np.int32), bins.astype(np.int32), np.zeros(len(times), np.float32))
    hashes, anchors = hash_recording(found, fan_out=Settings().fan_out)
    np.testing.assert_array_equal(track.hashes, hashes)
    np.testing.assert_array_equal(track.times, anchors)
    assert track.recording.name == "five" and track.recording.seconds == 100.0
    assert track.times.max() < track.recording.n_blocks * BLOCK_FRAMES == 98 * BLOCK_FRAMES


def test_a_long_track_repeats_its_model_to_the_end(models):
    tracks = [simulate_track(models, number, seconds=240.0) for number in range(20)]
    for track in tracks:
        per_block = np.add.reduceat(track.counts, np.arange(0, 232, 8)) / 8
        assert per_block.min() > 0.5 * per_block.max()
    assert len({len(track.peaks) for track in tracks}) > 10  # tempi differ


def test_peaks_that_fall_together_are_one_and_no_posting_stands_twice():
    times, bins = np.repeat(np.arange(320), 2), np.tile([100, 110], 320)  # frames without a gap
    crowded = Models(times, bins, np.ones(640, dtype=int), np.array([0, 640]), np.array([320]))
    for number in range(12):  # those that are played faster lose frames
        track = simulate_track(crowded, number, seconds=9.0)
        found, heights, _ = unpack_peaks(track.counts, track.peaks)
        assert len(np.unique(found * 512 + heights)) == len(found) > 0
        rows = np.column_stack([track.hashes, track.times])
        assert len(np.unique(rows, axis=0)) == len(rows) > 0
    loud = Models(*(np.array(x) for x in ([5, 5], [100, 100], [1, 3], [0, 2], [160])))
    _, _, strengths = unpack_peaks(*simulate_track(loud, 3)[3:5])
    assert set(strengths.tolist()) == {3}


def test_tuned_notes_stay_tuned():
    notes = np.rint(440 * 2 ** (np.arange(-24, 20) / 12) * 2048 / 8000).astype(int)
    for key in KEYS:
        low = max(0, -key)
        moved = move_bins(key)[notes[low : len(notes) - max(0, key)]]
        assert abs(moved - notes[low + key : len(notes) + min(0, key)]).max() <= 1
    assert (move_bins(0) == np.arange(512)).all()


def test_nothing_is_no_model():
    silence = fingerprint("silence", np.zeros(16_000, dtype=np.float32), Settings())
    with pytest.raises(ValueError, match="expected recordings with peaks, found none in 1"):
        gather_models([silence])
    noise = np.random.default_rng(0).standard_normal(16_000, dtype=np.float32)
    models = gather_models([silence, fingerprint("noise", noise, Settings())])
    assert isinstance(simulate_track(models, 0), Prints)
    with pytest.raises(ValueError, match="seconds: expected a length above 0 s, found 0"):
        simulate_track(models, 0, seconds=0)
