"""Tests of the recognition experiments on synthetic songs whose answers are known."""

import re

import librosa
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from aares.audio.distortions import NOISE_RATE_HZ
from aares.fingerprints.experiments import (
    Excerpt,
    cut_excerpts,
    drown_excerpts,
    hash_excerpt,
    match_hashes,
    measure_kept_maxima,
    measure_misalignment,
    retry_excerpts,
    try_excerpts,
    vary_songs,
)
from aares.scores import describe_share, estimate_grouped_share, estimate_share
from fingerprint import process_signal
from workshop.config import ROOT
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


def test_an_excerpt_at_another_rate_finds_its_song(songs, database):
    full = [librosa.resample(y, orig_sr=SR_HZ, target_sr=8000) for y in songs]
    rng = np.random.default_rng(0)
    excerpts = cut_excerpts(full, length_s=15, n=20, rng=rng, sr=8000)
    assert {(len(excerpt.y), excerpt.sr) for excerpt in excerpts} == {(120_000, 8000)}
    assert (try_excerpts(database, excerpts)["rank"] == 1).mean() > 0.9
    dropped = hash_excerpt(excerpts[0], drop=100)
    lowered = librosa.resample(excerpts[0].y, orig_sr=8000, target_sr=SR_HZ)
    assert dropped == process_signal(lowered[100:]) != process_signal(lowered)


def test_noise_costs_recognition(songs, database):
    full = [librosa.resample(y, orig_sr=SR_HZ, target_sr=8000) for y in songs]
    excerpts = cut_excerpts(full, length_s=10, n=30, rng=np.random.default_rng(0), sr=8000)
    noisy = drown_excerpts(excerpts, snr_db=-30, rng=np.random.default_rng(1))
    assert [(e.song, e.start) for e in noisy] == [(e.song, e.start) for e in excerpts]
    found, lost = (try_excerpts(database, tried)["rank"] == 1 for tried in (excerpts, noisy))
    assert lost.mean() < found.mean()


# --- one definition of noise ----------------------------------------------------------------


def test_the_ratio_counts_powers_up_to_four_kilohertz():
    tone = Excerpt(0, 0, np.sin(2 * np.pi * 440 * np.arange(80_000) / 8000), sr=8000)
    (heard,) = drown_excerpts([tone], snr_db=-10, rng=np.random.default_rng(0))
    noise = heard.y - tone.y
    assert 10 * np.log10(np.mean(tone.y**2) / np.mean(noise**2)) == pytest.approx(-10, abs=0.01)
    # the assignment's method hears 1500 of the 4000 Hz: three eighths of the noise, all of the tone
    lower = librosa.resample(noise, orig_sr=8000, target_sr=SR_HZ)
    assert np.mean(lower**2) / np.mean(noise**2) == pytest.approx(3 / 8, rel=0.1)


def test_noise_at_another_rate_would_be_another_noise(songs):
    excerpts = cut_excerpts(songs, length_s=5, n=1, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"at 8000 Hz: expected .*sr=8000.*found one at 3000 Hz"):
        drown_excerpts(excerpts, snr_db=0, rng=np.random.default_rng(0))


def test_noise_is_mixed_in_one_place_only():
    # called by its module's name, or the method that averages channels, it is not made anew
    called = r"(?<!distortions\.)(?<!mixer\.)"
    mixing = re.compile(rf"snr\w* */ *[12]0\b|(?<!\?){called}\bmix\((?!self)")
    folders = ("aares", "workshop", "benchmarks", "notebooks/src")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    found = [path.name for path in files if mixing.search(path.read_text(encoding="utf-8"))]
    assert found == ["distortions.py"]
    catalogue = (ROOT / "benchmarks" / "identifying" / "sources.py").read_text(encoding="utf-8")
    assert "\nSR = distortions.NOISE_RATE_HZ\n" in catalogue and NOISE_RATE_HZ == 8000


# --- what is counted ------------------------------------------------------------------------


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


def test_an_interval_over_songs_is_wider_where_songs_differ():
    songs = np.repeat(np.arange(8), 20)
    alike = np.tile([True, False], 80)
    apart = np.repeat([True, False], 80)
    for hits in (alike, apart):
        assert estimate_grouped_share(hits, songs)[0] == 0.5
    widths = [np.ptp(estimate_grouped_share(hits, songs)[1:]) for hits in (alike, apart)]
    # eight songs of which four are always right say no more than eight excerpts, and less
    eight = np.ptp(estimate_share([True] * 4 + [False] * 4)[1:])
    assert np.ptp(estimate_share(alike)[1:]) < widths[0] < 0.25 < eight < widths[1] < 0.8
    with pytest.raises(ValueError, match="at least two"):
        estimate_grouped_share([True, False], [3, 3])


def test_an_interval_over_songs_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = []
    for _ in range(400):
        easy = rng.beta(6, 2, size=12)  # how often excerpts of each song are right: 0.75 on average
        hits = rng.random((12, 20)) < easy[:, None]
        songs = np.repeat(np.arange(12), 20)
        _, low, high = estimate_grouped_share(hits.ravel(), songs)
        _, low_alone, high_alone = estimate_share(hits.ravel())
        held.append((low <= 0.75 <= high, low_alone <= 0.75 <= high_alone))
    by_song, by_excerpt = np.mean(held, axis=0)
    assert by_song > 0.92 and by_excerpt < 0.85


@pytest.mark.parametrize("hit", [True, False])
def test_where_no_song_differs_excerpts_count(hit):
    share, low, high = estimate_grouped_share([hit] * 60, np.repeat(np.arange(6), 10))
    assert share == hit and low <= share <= high
    assert 1.2 * np.ptp(estimate_share([hit] * 60)[1:]) < high - low < 0.12


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
    assert set(result["song"]) <= set(range(5)) and result["song"].nunique() > 2
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


def test_conditions_are_drawn_as_shares_of_the_excerpts():
    counts = pd.DataFrame({"first": [300, 270], "accepted": [300, 150]}, index=["a", "b -5 dB"])
    ax = draw_conditions(counts, 300, Figure().subplots(), title="t")
    first, accepted = (ax.containers[k].lines[0].get_xdata().tolist() for k in (0, 1))
    assert first == [1.0, 0.9] and accepted == [1.0, 0.5]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b −5 dB"]
