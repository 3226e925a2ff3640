"""Tests of the recognition experiments on synthetic songs whose answers are known."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from aares.fingerprints.experiments import (
    cut_excerpts,
    match_hashes,
    measure_kept_maxima,
    measure_misalignment,
    retry_excerpts,
    time_growth,
    try_excerpts,
    vary_songs,
)
from aares.identify import Index, make_query
from aares.scores import describe_share, estimate_share
from fingerprint import process_signal
from workshop import measured
from workshop.plots.fingerprints import draw_conditions

SR_HZ = 3000


def make_song(seed, *, seconds=40):
    """Return a decaying tone every 0.15 s, float32."""
    rng = np.random.default_rng(seed)
    y = 0.003 * rng.standard_normal(seconds * SR_HZ)
    time_s = np.arange(SR_HZ) / SR_HZ
    for start in range(0, len(y) - SR_HZ, 450):
        tone_hz = 110 * 2 ** (rng.integers(0, 40) / 12)
        y[start : start + SR_HZ] += np.exp(-4 * time_s) * np.sin(2 * np.pi * tone_hz * time_s)
    return y.astype(np.float32)


@pytest.fixture(scope="module")
def songs():
    return [make_song(seed) for seed in range(5)]


@pytest.fixture(scope="module")
def database(songs):
    return [process_signal(y) for y in songs]


def test_excerpts_are_pieces_of_their_songs(songs):
    excerpts = cut_excerpts(songs, length_s=10, n=60, rng=np.random.default_rng(0))
    assert {excerpt.song for excerpt in excerpts} == set(range(5))
    for excerpt in excerpts:
        piece = songs[excerpt.song][excerpt.start : excerpt.start + 30_000]
        np.testing.assert_array_equal(excerpt.y, piece)
        assert len(excerpt.y) == 30_000
    on_grid = np.mean([excerpt.start % 512 == 0 for excerpt in excerpts])
    assert on_grid < 0.1


def test_excerpts_are_repeatable_and_may_be_the_whole_song(songs):
    first, second = (
        cut_excerpts(songs, length_s=40, n=3, rng=np.random.default_rng(1)) for _ in range(2)
    )
    assert [excerpt.song for excerpt in first] == [excerpt.song for excerpt in second]
    assert {excerpt.start for excerpt in first} == {0}


def test_excerpts_longer_than_a_song_are_refused(songs):
    with pytest.raises(ValueError, match="song 0: expected at least 120300 samples"):
        cut_excerpts(songs, length_s=40.1, n=1, rng=np.random.default_rng(0))


def test_excerpts_find_their_songs(songs, database):
    excerpts = cut_excerpts(songs, length_s=15, n=30, rng=np.random.default_rng(0))
    tried = try_excerpts(database, excerpts)
    assert tried["song"].tolist() == [excerpt.song for excerpt in excerpts]
    assert (tried["rank"] == 1).mean() > 0.9
    assert (tried["score"] <= tried["n_hashes"]).all()


def test_a_hidden_song_is_never_found_and_its_score_falls(songs, database):
    excerpts = cut_excerpts(songs, length_s=15, n=20, rng=np.random.default_rng(0))
    known, unknown = (try_excerpts(database, excerpts, hide_song=hide) for hide in (False, True))
    assert (unknown["rank"] == 0).all()
    assert unknown["score"].median() < known["score"].median()


def test_noise_costs_recognition(songs, database):
    excerpts = cut_excerpts(songs, length_s=10, n=30, rng=np.random.default_rng(0))
    clean = try_excerpts(database, excerpts)
    noisy = try_excerpts(database, excerpts, snr_db=-30, rng=np.random.default_rng(1))
    assert (noisy["rank"] == 1).mean() < (clean["rank"] == 1).mean()


def test_noise_needs_a_generator(songs, database):
    excerpts = cut_excerpts(songs, length_s=5, n=1, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="pass rng"):
        try_excerpts(database, excerpts, snr_db=0)


def test_a_song_without_a_shared_hash_does_not_count_as_found(database):
    silence = cut_excerpts([np.zeros(9000)], length_s=2, n=1, rng=np.random.default_rng(0))
    tried = try_excerpts(database, silence)
    assert tried[["song", "rank", "score", "n_hashes"]].to_numpy().tolist() == [[0, 0, 0, 0]]


def test_one_try_is_the_plain_search_and_more_never_lower_the_score(songs, database):
    excerpts = cut_excerpts(songs, length_s=5, n=30, rng=np.random.default_rng(0))
    plain = try_excerpts(database, excerpts)
    once = retry_excerpts(database, excerpts, drops=(0,))
    assert once.to_numpy().tolist() == plain.to_numpy().tolist()
    four = retry_excerpts(database, excerpts, drops=(0, 128, 256, 384))
    assert (four["score"] >= plain["score"]).all()
    assert four["song"].tolist() == plain["song"].tolist()
    assert four["score"].median() > plain["score"].median()


def test_half_a_hop_moves_maxima_to_either_frame(songs):
    aligned, nothing = measure_kept_maxima(songs[0], shift=0, length_s=10)
    earlier, later = measure_kept_maxima(songs[0], shift=256, length_s=10)
    moved, whole = measure_kept_maxima(songs[0], shift=512, length_s=10)
    assert aligned > 0.7
    assert whole > 0.7
    assert max(nothing, moved) < 0.1
    assert 0 < earlier < aligned / 2
    assert 0 < later < aligned / 2


def test_shares_are_written_with_their_interval():
    assert describe_share([True] * 8 + [False] * 2) == "80% (49% to 94%)"


def test_wilson_interval_of_a_known_case():
    # Wilson's formula at 8 of 10 and z = 1.96
    share, low, high = estimate_share([True] * 8 + [False] * 2)
    assert (share, low, high) == pytest.approx((0.8, 0.4902, 0.9433), abs=2e-4)


@given(hits=st.lists(st.booleans(), min_size=1, max_size=200))
def test_the_interval_holds_the_share(hits):
    share, low, high = estimate_share(hits)
    assert share == pytest.approx(np.mean(hits))
    assert -1e-12 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1 + 1e-12
    assert high - low > 0


def test_matches_are_the_shared_hashes():
    song, excerpt = {1: 50, 2: 60, 3: 70}, {3: 20, 1: 0, 9: 4}
    np.testing.assert_array_equal(match_hashes(song, excerpt), [[50, 0], [70, 20]])
    assert match_hashes(song, {}).shape == (0, 2)


def test_misalignment_is_worst_at_half_a_hop(songs, database):
    result = measure_misalignment(
        songs,
        database,
        shifts=[0, 256, 512],
        length_s=10,
        n=15,
        rng=np.random.default_rng(0),
    )
    assert set(result["shift"]) == {0, 256, 512}
    assert result["share"].between(0, 1).all()
    share = result.groupby("shift")["share"].median()
    assert share[256] < 0.6 * min(share[0], share[512])


def test_pieces_have_the_length_and_differ_in_speed(songs):
    named = {"a": songs[0], "b": songs[1]}
    pieces = vary_songs(named, n=5, length=10 * SR_HZ, rng=np.random.default_rng(0))
    assert [name.split()[1] for name in pieces] == ["a", "b", "a", "b", "a"]
    assert all(abs(len(y) - 10 * SR_HZ) <= 1 and y.dtype == np.float32 for y in pieces.values())
    short = vary_songs({"a": songs[0][:500]}, n=3, length=SR_HZ, rng=np.random.default_rng(0))
    assert all(300 < len(y) < 700 for y in short.values())


def test_growth_times_searches_that_agree(songs):
    named = {str(number): y for number, y in enumerate(songs)}
    pieces = vary_songs(named, n=6, length=20 * SR_HZ, rng=np.random.default_rng(0))
    entries = [process_signal(y) for y in pieces.values()]
    sounds = {name: np.repeat(y, 3)[: 10 * 8000] for name, y in pieces.items()}
    heard = [(entries[0], make_query(sounds["0 0"]))]
    row = time_growth(entries, Index.from_signals(sounds), heard, repeats=1)
    assert all(value > 0 for value in row.values()) and len(row) == 6


def test_the_benchmark_belongs_to_this_calibration(tmp_path, monkeypatch):
    found = measured.read_benchmark()
    assert set(found) == {"accuracy", "unknown", "peers"}
    for row in found["accuracy"]["rows"]:
        assert 0 <= row["accepted"] <= row["first"] <= found["accuracy"]["n"]
    found["peers"]["calibration"] = "another"
    (tmp_path / "identify.json").write_text(json.dumps(found))
    monkeypatch.setattr(measured, "BENCHMARK", tmp_path / "identify.json")
    with pytest.raises(ValueError, match="'peers' was measured with another calibration"):
        measured.read_benchmark()


def test_conditions_are_drawn_as_shares_of_the_excerpts():
    counts = pd.DataFrame({"first": [300, 270], "accepted": [300, 150]}, index=["a", "b -5 dB"])
    ax = draw_conditions(counts, 300, Figure().subplots(), title="t")
    first, accepted = (ax.containers[k].lines[0].get_xdata().tolist() for k in (0, 1))
    assert first == [1.0, 0.9] and accepted == [1.0, 0.5]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b −5 dB"]
