"""Tests of get_maxima and search_song, against literal implementations and known answers."""

import json
import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from utils_projet import get_maxima, search_song


def find_maxima_literally(S):
    """Compare every pixel with its neighbours and every maximum with all higher ones."""
    threshold = np.quantile(S, 0.9)
    bins, frames = S.shape
    found = []
    for b in range(bins):
        for t in range(frames):
            square = S[max(b - 1, 0) : b + 2, max(t - 1, 0) : t + 2]
            if S[b, t] > threshold and S[b, t] == square.max():
                found.append((b, t))
    survivors = []
    for b, t in sorted(found, key=lambda p: (-S[p], p)):
        if all(np.hypot(b - i, t - j) >= 10 for i, j in survivors):
            survivors.append((b, t))
    return sorted(survivors)


def as_pairs(maxima):
    return [tuple(pair) for pair in maxima.tolist()]


shapes = hnp.array_shapes(min_dims=2, max_dims=2, max_side=40)
# few distinct heights make plateaus and ties; many make neither
plateaus = hnp.arrays(np.float32, shapes, elements=st.integers(0, 4).map(float))
mountains = st.builds(
    lambda shape, seed: np.random.default_rng(seed).exponential(size=shape),
    shapes,
    st.integers(0, 2**32 - 1),
)


@settings(deadline=None, max_examples=150)
@given(S=st.one_of(plateaus, mountains))
def test_maxima_equal_the_literal_definition(S):
    assert as_pairs(get_maxima(S)) == find_maxima_literally(S)


@settings(deadline=None, max_examples=50)
@given(S=mountains)
def test_maxima_do_not_depend_on_memory_order_or_scale(S):
    maxima = get_maxima(S)
    np.testing.assert_array_equal(get_maxima(np.asfortranarray(S)), maxima)
    np.testing.assert_array_equal(get_maxima(S * 4.0), maxima)
    assert maxima.dtype == np.int64
    assert maxima.shape[1] == 2


def test_maxima_include_borders_and_corners():
    S = np.zeros((60, 60))
    expected = [(0, 0), (0, 30), (0, 59), (30, 59), (59, 0), (59, 59)]
    for pair in expected:
        S[pair] = 1.0
    assert as_pairs(get_maxima(S)) == expected


@pytest.mark.parametrize(
    ("other", "survives"),
    [((10, 19), False), ((10, 20), True), ((16, 18), True), ((15, 18), False)],
)
def test_a_maximum_suppresses_within_less_than_ten_bins(other, survives):
    S = np.zeros((40, 40))
    S[10, 10], S[other] = 2.0, 1.0
    assert as_pairs(get_maxima(S)) == [(10, 10)] + [other] * survives


def test_a_suppressed_maximum_suppresses_nothing():
    S = np.zeros((5, 60))
    S[2, 10], S[2, 18], S[2, 26] = 3.0, 2.0, 1.0
    assert as_pairs(get_maxima(S)) == [(2, 10), (2, 26)]


def test_a_plateau_keeps_its_first_pixel_and_those_ten_bins_on():
    S = np.zeros((9, 200))
    S[4, 20:45] = 1.0
    assert as_pairs(get_maxima(S)) == [(4, 20), (4, 30), (4, 40)]


def test_the_quantile_silences_low_maxima():
    S = np.zeros((20, 20))
    S[:3] = 5.0  # 15 % of the pixels: the 0.9 quantile is 5, which nothing exceeds
    S[15, 15] = 4.0
    assert get_maxima(S).shape == (0, 2)


@pytest.mark.parametrize("shape", [(0, 0), (1025, 0), (1, 1), (1, 7), (7, 1), (1025, 300)])
def test_constant_and_silent_spectrograms_have_no_maxima(shape):
    for value in (0.0, 3.5):
        maxima = get_maxima(np.full(shape, value))
        assert maxima.shape == (0, 2)
        assert maxima.dtype == np.int64


@pytest.mark.parametrize("shape", [(1, 12), (12, 1), (1, 2), (2, 1), (2, 2)])
def test_tiny_spectrograms(shape):
    S = np.zeros(shape)
    S[-1, -1] = 1.0
    assert as_pairs(get_maxima(S)) == [(shape[0] - 1, shape[1] - 1)]


def test_integer_spectrograms_work():
    S = np.zeros((12, 12), dtype=np.int16)
    S[3, 4] = 7
    assert as_pairs(get_maxima(S)) == [(3, 4)]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_maxima_refuse_what_is_not_finite(value):
    S = np.zeros((4, 5))
    S[2, 3] = value
    with pytest.raises(ValueError, match=r"finite.*bin 2, frame 3"):
        get_maxima(S)


@pytest.mark.parametrize("S", [np.zeros(4), np.zeros((2, 3, 4)), 1.0])
def test_maxima_refuse_other_dimensions(S):
    with pytest.raises(ValueError, match="shape \\(bins, frames\\)"):
        get_maxima(S)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_complex_numbers_give_the_maxima_of_their_modulus_and_a_warning(dtype):
    rng = np.random.default_rng(0)
    S = (rng.normal(size=(60, 80)) * np.exp(1j * rng.uniform(0, 7, size=(60, 80)))).astype(dtype)
    with pytest.warns(UserWarning, match="S is complex: its modulus is taken") as told:
        maxima = get_maxima(S)
    assert told[0].filename == __file__  # the caller's line
    assert len(maxima) > 10
    np.testing.assert_array_equal(maxima, get_maxima(np.abs(S)))
    assert maxima.tolist() != get_maxima(S.real).tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_logarithm_of_silence_is_low(dtype):
    S = np.random.default_rng(1).random((40, 90)).astype(dtype)
    S[:, 30:] = np.random.default_rng(2).random((40, 60)) * (np.arange(60) < 40)
    with np.errstate(divide="ignore"):
        S_db = 10 * np.log10(S)
    assert np.isneginf(S_db).any()
    floor = np.maximum(S_db, S_db[np.isfinite(S_db)].min() - 100)
    np.testing.assert_array_equal(get_maxima(S_db), get_maxima(floor))
    assert get_maxima(np.full((4, 5), -np.inf)).shape == (0, 2)


def test_maxima_refuse_text():
    with pytest.raises(ValueError, match="S must hold numbers, found dtype <U1"):
        get_maxima([["a", "b"]])


# ---- search_song


def score_literally(hashes, song_hashes):
    """Build the whole histogram of offsets and return its tallest bar."""
    offsets = [hashes[h] - song_hashes[h] for h in hashes if h in song_hashes]
    return max((offsets.count(offset) for offset in offsets), default=0)


dictionaries = st.dictionaries(st.integers(0, 30), st.integers(0, 8), max_size=20)


@settings(deadline=None)
@given(database=st.lists(dictionaries, max_size=8), song=dictionaries)
def test_search_ranks_by_the_tallest_bar_then_by_the_order_of_the_database(database, song):
    scores = [score_literally(hashes, song) for hashes in database]
    expected = sorted(range(len(database)), key=lambda index: (-scores[index], index))[:3]
    assert search_song(database, song).tolist() == expected
    indices, heights = search_song(database, song, return_scores=True)
    assert indices.tolist() == expected
    assert heights.tolist() == [scores[index] for index in expected]
    assert indices.dtype == heights.dtype == np.int64


def test_an_excerpt_finds_its_song():
    rng = random.Random(0)
    database = [{rng.randrange(10**6): rng.randrange(500) for _ in range(800)} for _ in range(12)]
    excerpt = {key: frame - 40 for key, frame in database[7].items() if 40 <= frame < 100}
    indices, scores = search_song(database, excerpt, return_scores=True)
    assert indices[0] == 7
    assert scores[0] == len(excerpt)


def test_a_bar_is_one_exact_offset():
    neighbours = {1: 10, 2: 11, 3: 12}  # three offsets side by side: bars of height 1
    together = {1: 50, 2: 50}  # one bar of height 2
    song = {1: 0, 2: 0, 3: 0}
    indices, scores = search_song([neighbours, together], song, return_scores=True)
    assert (indices.tolist(), scores.tolist()) == ([1, 0], [2, 1])


def test_no_shared_hash_gives_the_first_songs_with_score_zero():
    database = [{1: 0}, {2: 0}, {3: 0}, {4: 0}]
    assert search_song(database, {99: 0}).tolist() == [0, 1, 2]
    indices, scores = search_song(database, {}, return_scores=True)
    assert (indices.tolist(), scores.tolist()) == ([0, 1, 2], [0, 0, 0])


@pytest.mark.parametrize("size", [0, 1, 2])
def test_small_databases(size):
    database = [{key: 5} for key in range(size)]
    assert sorted(search_song(database, {1: 2})) == list(range(size))


@pytest.mark.parametrize(
    "database",
    [{1: 0}, {"a": {1: 0}}, 5, None, "songs", pd.DataFrame({"hashes": [{1: 0}]}), np.array({1: 0})],
)
def test_search_refuses_what_is_no_database(database):
    with pytest.raises(TypeError, match=r"db_hashes must hold one dict.*values\(\) of a dict"):
        search_song(database, {1: 0})


def test_search_refuses_what_is_not_a_dictionary():
    with pytest.raises(TypeError, match=r"db_hashes\[1\].*found list"):
        search_song([{}, [1, 2]], {})
    with pytest.raises(TypeError, match=r"song_hashes.*found list"):
        search_song([{}], [(1, 0)])
    with pytest.raises(TypeError, match=r"song_hashes.*found DataFrame"):
        search_song([{}], pd.DataFrame({1: [0]}))


def test_search_refuses_hashes_that_can_never_be_equal():
    database = [{}, json.loads(json.dumps({200_195_003: 7}))]
    with pytest.raises(TypeError, match=r"db_hashes\[1\] has hashes like '200195003'.*json"):
        search_song(database, {200_195_003: 0})
    with pytest.raises(TypeError, match="song_hashes like '200195003'"):
        search_song([{200_195_003: 7}], database[1])
    assert search_song([{"a-b": 3}], {"a-b": 1}, return_scores=True)[1].tolist() == [1]


@pytest.mark.parametrize("frames", [[3, 9], "3", None, np.array([3, 9])])
def test_search_refuses_more_than_one_frame_for_a_hash(frames):
    with pytest.raises(TypeError, match="a hash must map to one number.*7 has"):
        search_song([{7: frames}], {7: 1})
