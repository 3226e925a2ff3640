"""Tests of get_maxima and search_song, against literal implementations and known answers."""

import random

import numpy as np
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


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_maxima_refuse_what_is_not_finite(value):
    S = np.zeros((4, 5))
    S[2, 3] = value
    with pytest.raises(ValueError, match=r"finite.*bin 2, frame 3"):
        get_maxima(S)


@pytest.mark.parametrize("S", [np.zeros(4), np.zeros((2, 3, 4)), 1.0])
def test_maxima_refuse_other_dimensions(S):
    with pytest.raises(ValueError, match="shape \\(bins, frames\\)"):
        get_maxima(S)


def test_maxima_refuse_complex_numbers():
    with pytest.raises(ValueError, match=r"real.*complex128"):
        get_maxima(np.zeros((3, 3), dtype=complex))


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
    assert search_song(database, song) == expected
    assert search_song(database, song, return_scores=True) == (
        expected,
        [scores[index] for index in expected],
    )


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
    assert search_song([neighbours, together], song, return_scores=True) == ([1, 0], [2, 1])


def test_no_shared_hash_gives_the_first_songs_with_score_zero():
    database = [{1: 0}, {2: 0}, {3: 0}, {4: 0}]
    assert search_song(database, {99: 0}) == [0, 1, 2]
    assert search_song(database, {}, return_scores=True) == ([0, 1, 2], [0, 0, 0])


@pytest.mark.parametrize("size", [0, 1, 2])
def test_small_databases(size):
    database = [{key: 5} for key in range(size)]
    assert sorted(search_song(database, {1: 2})) == list(range(size))


def test_search_refuses_a_single_song_as_database():
    with pytest.raises(TypeError, match="db_hashes must be a list"):
        search_song({1: 0}, {1: 0})


def test_search_refuses_what_is_not_a_dictionary():
    with pytest.raises(TypeError, match=r"db_hashes\[1\].*found list"):
        search_song([{}, [1, 2]], {})
    with pytest.raises(TypeError, match=r"song_hashes.*found list"):
        search_song([{}], [(1, 0)])
