"""Edges and joins of sounds whose level, notes and tempo are known."""

from __future__ import annotations

import numpy as np
import pytest
from made_songs import RATE, make_song

from aares.audio import AudioError
from aares.chaining.edges import (
    N_CELLS,
    SCALES_S,
    STATISTICS,
    describe_end,
    describe_start,
    equalise,
)
from aares.chaining.joins import measure_joins, name_features

NAMES = name_features()


def measure(a, b, **options):
    """What is heard where `a` is followed by `b`, by name."""
    joins = measure_joins([describe_end(a)], [describe_start(b)], [(0, 0)], **options)
    return dict(zip(NAMES, joins[0].tolist(), strict=True))


@pytest.fixture(scope="module")
def song():
    return make_song(24)


def test_silence_at_the_join_is_trimmed(song):
    silence = np.zeros(2 * RATE, np.float32)
    for describe, heard, padded in (
        (describe_end, song, np.r_[song, silence]),
        (describe_start, song, np.r_[silence, song]),
    ):
        plain, trimmed = describe(heard).statistics, describe(padded).statistics
        # A frame of 25 ms may be cut otherwise.
        assert np.allclose(plain[1:, 0], trimmed[1:, 0], atol=1.5)
        assert trimmed[0, 0, 0] > -40


def test_an_edge_is_told_from_the_join_outwards():
    """An end runs backwards: its first quarter of a second is the last that is heard."""
    y = make_song(12, level=0.02)
    y[-RATE // 4 :] *= 10
    level = STATISTICS.index("level")
    end, start = describe_end(y).statistics[:, level, 0], describe_start(y).statistics[:, level, 0]
    assert end[0] > end[1] + 3 > end[3] + 3
    assert abs(start[0] - start[1]) < 6
    mirrored = describe_start(y[::-1])
    assert np.allclose(mirrored.statistics[:, level, 0], end, atol=0.5)


def test_nothing_is_heard_beyond_ten_seconds(song):
    assert np.array_equal(describe_end(song).mel, describe_end(song[-10 * RATE :]).mel)
    assert np.array_equal(describe_start(song).mel, describe_start(song[: 10 * RATE]).mel)
    assert describe_end(song).n_cells == N_CELLS


@pytest.mark.parametrize("step_db", [6.0, -6.0])
def test_a_step_of_level_is_measured_with_its_sign(song, step_db):
    a, b = song[: 12 * RATE], song[12 * RATE :] * 10 ** (step_db / 20)
    found = measure(a, b)
    for scale in SCALES_S[1:]:
        assert found[f"step level {scale:g}"] == pytest.approx(step_db, abs=1.5)
        assert found[f"mean level {scale:g}"] == pytest.approx(abs(step_db), abs=1.5)


def test_notes_are_compared_and_turned():
    a = make_song(8, root_hz=220)
    b = make_song(8, root_hz=220 * 2 ** (3 / 12))
    same, up = measure(a, a), measure(a, b)
    assert same["chroma 10"] > 0.95
    assert same["rotation 10"] == 0
    assert up["chroma 10"] < same["chroma 10"] - 0.2
    assert up["rotation 10"] == 3
    assert up["chroma rotated 10"] > 0.8


def test_tempo_is_found_and_half_the_tempo_is_the_same():
    a, b, c = (make_song(10, bpm=bpm) for bpm in (120, 60, 90))
    assert describe_end(a).beat[0] == pytest.approx(0.5, rel=0.02)
    assert measure(a, a)["tempo ratio"] < 0.03
    assert measure(a, b)["tempo ratio"] < 0.03
    assert measure(a, c)["tempo ratio"] == pytest.approx(np.log2(120 / 90), abs=0.03)


@pytest.mark.parametrize("gap_s", [0.0, 0.5, 0.7])
def test_the_beat_goes_on_across_the_gap_or_does_not(gap_s):
    song = make_song(24, bpm=100)
    cut = int(11.13 * RATE)
    on, off = (cut + int((gap_s + late) * RATE) for late in (0.0, 0.3))
    assert measure(song[:cut], song[on:], gap_s=gap_s)["phase A"] < 0.06
    assert measure(song[:cut], song[off:], gap_s=gap_s)["phase A"] > 0.4


def test_what_repeats_repeats_across_the_join_only_where_the_song_goes_on():
    song = make_song(30, bpm=100)
    cut = 12 * RATE
    on, later = cut + RATE // 2, cut + RATE // 2 + int(1.7 * RATE)
    true, false = measure(song[:cut], song[on:]), measure(song[:cut], song[later:])
    for name in ("timbre lags", "notes lags"):
        assert true[name] > 0.8 > false[name]


def test_a_join_is_directed(song):
    other = make_song(12, root_hz=300, bpm=90, bright=6, level=0.05)
    there, back = measure(song, other), measure(other, song)
    assert there["step level 1"] == pytest.approx(-back["step level 1"], abs=3)
    assert sum(there[name] != back[name] for name in NAMES) > 200


def test_many_pairs_at_once_are_as_one_by_one(song):
    parts = [song[: 8 * RATE], song[8 * RATE : 11 * RATE], make_song(6, bpm=80)[: RATE * 4]]
    ends, starts = [describe_end(y) for y in parts], [describe_start(y) for y in parts]
    pairs = [(i, j) for i in range(3) for j in range(3)]
    together = measure_joins(ends, starts, pairs)
    for row, (i, j) in enumerate(pairs):
        assert np.array_equal(together[row], measure_joins([ends[i]], [starts[j]], [(0, 0)])[0],
                              equal_nan=True)  # fmt: skip
    assert measure_joins(ends, starts, []).shape == (0, len(NAMES))


def test_a_short_sound_is_compared_as_far_as_it_goes():
    found = measure(make_song(1), make_song(1, seed=1))
    assert np.isfinite(found["mel distance 10"])
    assert np.isnan(found["timbre lags"])


def test_equalised_pieces_have_one_level_and_no_treble():
    loud = equalise(make_song(3, level=0.8, bright=8))
    soft = equalise(make_song(3, level=0.08, bright=8))
    assert np.allclose(loud, soft, atol=1e-5)
    spectrum = np.abs(np.fft.rfft(loud))
    hz = np.fft.rfftfreq(len(loud), 1 / RATE)
    assert spectrum[hz > 5100].max() < 1e-3 * spectrum.max()
    assert not equalise(np.zeros(RATE)).any()


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (np.zeros(RATE), "expected sound, found silence"),
        (np.full(RATE, 1e-5), "expected sound, found silence"),
        (np.ones(RATE // 10), "at least 0.5 s of sound, found 0.10 s"),
        (np.r_[np.ones(RATE), np.nan], "expected finite samples"),
        (np.ones((2, RATE)), r"one channel of samples, found float64, shape \(2, 22050\)"),
        (np.array(["a"] * RATE), "one channel of samples, found <U1"),
    ],
)
def test_what_is_no_sound_is_said(y, said):
    for describe in (describe_end, describe_start):
        with pytest.raises(AudioError, match=said):
            describe(y)


def test_edges_that_are_not_there_and_gaps_out_of_range_are_said(song):
    end, start = describe_end(song), describe_start(song)
    with pytest.raises(ValueError, match="one of 1 starts, found 1"):
        measure_joins([end], [start], [(0, 1)])
    with pytest.raises(ValueError, match=r"gap_s: expected 0 to 2.5 s, found 3.0"):
        measure_joins([end], [start], [(0, 0)], gap_s=3.0)
