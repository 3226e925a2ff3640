"""Tests of exercise 4 against a literal loop implementation and signals with a known answer."""

import pickle

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aares import audio
from fingerprint import (
    check_signal,
    compute_spectrogram,
    get_hashes,
    get_maxima_in_tz,
    process_signal,
)
from utils_projet import get_maxima, search_song
from workshop import config

SR_HZ = 3000


def find_zone_literally(S, maxima, anchor):
    """Filter all maxima by the zone's borders, then sort them."""
    zone = [
        (int(b), int(t))
        for b, t in maxima
        if -10 <= b - anchor[0] < 10 and 0 < t - anchor[1] <= 300
    ]
    return sorted(zone, key=lambda point: S[point], reverse=True)[:10]


def process_literally(x):
    """Follow exercise 4.5 word by word, in plain Python."""
    V = librosa.stft(x, win_length=1024, n_fft=2048, hop_length=512)
    S = np.abs(V) ** 2
    maxima = get_maxima(S)
    hashes = {}
    for anchor in maxima.tolist():
        for point in find_zone_literally(S, maxima, anchor):
            code = anchor[0] * 1000000 + point[0] * 1000 + point[1] - anchor[1]
            hashes[code] = anchor[1]
    return hashes


def make_melody(*, seed, seconds=20.0):
    """Return a decaying tone every 0.2 s over a little noise, float32 at 3 kHz."""
    rng = np.random.default_rng(seed)
    y = 0.01 * rng.standard_normal(int(seconds * SR_HZ))
    time_s = np.arange(SR_HZ) / SR_HZ
    for start in range(0, len(y) - SR_HZ, SR_HZ // 5):
        tone_hz = 110 * 2 ** (rng.integers(0, 36) / 12)
        y[start : start + SR_HZ] += np.exp(-5 * time_s) * np.sin(2 * np.pi * tone_hz * time_s)
    return (y / np.abs(y).max()).astype(np.float32)


# ---- 4.1


def test_spectrogram_is_the_squared_stft_of_the_assignment():
    y = make_melody(seed=0)
    V = librosa.stft(y, n_fft=2048, win_length=1024, hop_length=512)
    S = compute_spectrogram(y)
    assert S.shape == (1025, 1 + len(y) // 512)
    np.testing.assert_array_equal(S, np.abs(V) ** 2)


def test_a_sine_peaks_in_its_bin():
    time_s = np.arange(5 * SR_HZ) / SR_HZ
    S = compute_spectrogram(np.sin(2 * np.pi * 440 * time_s))
    assert (S[:, 3:-3].argmax(axis=0) == round(440 * 2048 / SR_HZ)).all()


# ---- 4.3


@pytest.mark.parametrize(
    ("point", "inside"),
    [
        ((100, 50), False),  # the anchor's own frame
        ((100, 49), False),
        ((100, 51), True),  # the first frame of the zone
        ((100, 350), True),  # the last of 300
        ((100, 351), False),
        ((90, 60), True),  # the lowest of 20 bins
        ((89, 60), False),
        ((109, 60), True),  # the highest
        ((110, 60), False),
    ],
)
def test_borders_of_the_target_zone(point, inside):
    S = np.ones((200, 400))
    assert get_maxima_in_tz(S, [point], (100, 50)) == [point] * inside


def test_the_zone_has_20_by_300_pixels():
    S = np.random.default_rng(0).random((60, 700))
    everything = np.argwhere(S > -1)
    inside = find_zone_literally(S, everything, (30, 100))
    assert get_maxima_in_tz(S, everything, (30, 100)) == inside
    count = sum(bool(get_maxima_in_tz(S, [pixel], (30, 100))) for pixel in everything)
    assert count == 20 * 300


def test_the_ten_highest_come_first_and_equal_heights_in_order():
    S = np.zeros((30, 100))
    points = [(10, frame) for frame in range(5, 75, 5)]
    for height, point in enumerate(points):
        S[point] = height
    assert get_maxima_in_tz(S, points, (10, 0)) == points[::-1][:10]
    S[:] = 1.0
    assert get_maxima_in_tz(S, points, (10, 0)) == points[:10]


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), levels=st.integers(1, 30), n=st.integers(0, 300))
def test_zone_equals_the_literal_filter(seed, levels, n):
    rng = np.random.default_rng(seed)
    S = rng.integers(0, levels, size=(50, 400)).astype(float)
    maxima = np.column_stack([rng.integers(0, 50, n), rng.integers(0, 400, n)])
    for anchor in [(25, 30), (0, 0), (49, 399), *maxima[:3].tolist()]:
        assert get_maxima_in_tz(S, maxima, anchor) == find_zone_literally(S, maxima, anchor)


def test_zone_of_no_maxima_is_empty():
    S = np.ones((10, 10))
    assert get_maxima_in_tz(S, [], (0, 0)) == []
    assert get_maxima_in_tz(S, np.empty((0, 2), dtype=int), (0, 0)) == []


@pytest.mark.parametrize("maxima", [[(10, 0)], [(0, 10)], [(-1, 0)]])
def test_zone_refuses_maxima_outside_the_spectrogram(maxima):
    with pytest.raises(ValueError, match="inside the spectrogram"):
        get_maxima_in_tz(np.ones((10, 10)), maxima, (0, 0))


@pytest.mark.parametrize("maxima", [[1, 2, 3], [(1, 2, 3)]])
def test_zone_refuses_what_is_not_pairs(maxima):
    with pytest.raises(ValueError, match="pairs"):
        get_maxima_in_tz(np.ones((10, 10)), maxima, (0, 0))


# ---- 4.4


def test_hashes_follow_the_formula():
    hashes = get_hashes((200, 7), [(195, 10), (203, 57)])
    assert hashes == [(200195003, 7), (200203050, 7)]
    assert get_hashes((200, 7), []) == []


def test_hashes_of_numpy_points_are_plain_ints():
    [(code, frame)] = get_hashes(np.array([1024, 7]), np.array([[1020, 307]]))
    assert (code, frame) == (1024 * 1_000_000 + 1020 * 1000 + 300, 7)
    assert type(code) is int
    assert type(frame) is int


def test_two_pairs_of_the_target_zone_never_share_a_hash():
    anchor, rise = np.meshgrid(np.arange(1025), np.arange(-10, 10), indexing="ij")
    point = anchor + rise
    exists = (point >= 0) & (point < 1025)
    base = (anchor * 1_000_000 + point * 1000)[exists]
    codes = np.sort((base[:, None] + np.arange(1, 301)).ravel())
    assert np.diff(codes).min() > 0
    assert codes[-1] < 2**31


def test_outside_the_zone_hashes_do_collide():
    assert get_hashes((0, 0), [(1000, 5)]) == get_hashes((1, 0), [(0, 5)])


# ---- 4.5


@pytest.mark.parametrize("seed", range(4))
def test_process_signal_equals_the_literal_loop(seed):
    y = make_melody(seed=seed, seconds=30 + 40 * seed)
    literal = process_literally(y)
    assert len(literal) > 300
    hashes = process_signal(y)
    assert hashes == literal
    assert list(hashes) == list(literal)


def test_process_signal_equals_its_own_parts():
    y = make_melody(seed=5)
    S = compute_spectrogram(y)
    maxima = get_maxima(S)
    hashes = {}
    for anchor in maxima:
        hashes.update(get_hashes(anchor, get_maxima_in_tz(S, maxima, anchor)))
    assert process_signal(y) == hashes


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 40_000))
def test_noise_of_any_length_equals_the_literal_loop(seed, n):
    y = np.random.default_rng(seed).standard_normal(n + 2048).astype(np.float32)
    assert process_signal(y) == process_literally(y)


@pytest.mark.parametrize("kind", ["demo", "course"])
def test_songs_equal_the_literal_loop(kind):
    try:
        source = config.find_data(kind)
    except config.ConfigError:
        pytest.skip("the course's data are not there")
    for path in source.list_songs():
        y = audio.load_audio(path)
        assert process_signal(y) == process_literally(y), path.name


def test_a_repeated_hash_keeps_its_latest_anchor():
    y = make_melody(seed=1, seconds=10)
    period = 512 * 80
    twice = np.zeros(3 * period, dtype=np.float32)
    twice[: len(y)] = y
    twice[2 * period : 2 * period + len(y)] = y
    once = np.zeros_like(twice)
    once[: len(y)] = y
    late, early = process_signal(twice), process_signal(once)
    moved = [late[code] - early[code] for code in late.keys() & early.keys()]
    assert moved.count(160) > 0.8 * len(moved)


def test_a_shifted_excerpt_on_the_grid_lands_on_one_offset():
    y = make_melody(seed=2, seconds=60)
    first_frame = 80
    excerpt = y[512 * first_frame :][: 10 * SR_HZ]
    database = [process_signal(make_melody(seed=s, seconds=60)) for s in (8, 9, 2)]
    indices, scores = search_song(database, process_signal(excerpt), return_scores=True)
    assert indices[0] == 2
    assert scores[0] > 3 * scores[1]


def test_hashes_are_plain_ints_and_survive_pickle():
    hashes = process_signal(make_melody(seed=0))
    assert all(type(code) is int and type(frame) is int for code, frame in hashes.items())
    assert pickle.loads(pickle.dumps(hashes)) == hashes


# ---- what people pass in


@pytest.mark.parametrize("channels_first", [True, False])
def test_stereo_is_averaged(channels_first):
    left, right = make_melody(seed=0), make_melody(seed=1)
    stereo = np.stack([left, right], axis=0 if channels_first else 1)
    assert process_signal(stereo) == process_signal((left + right) / 2)


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_pcm_gives_the_hashes_of_the_floats(dtype):
    pcm = np.round(make_melody(seed=0) * 32000).astype(dtype)
    full_scale = -float(np.iinfo(dtype).min)
    assert process_signal(pcm) == process_signal((pcm / full_scale).astype(np.float32))
    assert compute_spectrogram(pcm).dtype == np.float32


def test_silence_has_no_hashes():
    assert process_signal(np.zeros(10 * SR_HZ)) == {}
    assert process_signal(np.zeros(10 * SR_HZ, dtype=np.int16)) == {}


@pytest.mark.parametrize("n", [1, 300, 511])
@pytest.mark.filterwarnings("error")
def test_a_clip_of_one_frame_has_no_pair(n):
    y = make_melody(seed=0)[:n]
    assert compute_spectrogram(y).shape == (1025, 1)
    assert process_signal(y) == {}


def test_an_excerpt_without_hashes_matches_nothing():
    database = [process_signal(make_melody(seed=s)) for s in range(4)]
    found = search_song(database, process_signal(np.zeros(SR_HZ)), return_scores=True)
    assert [part.tolist() for part in found] == [[0, 1, 2], [0, 0, 0]]


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros(0), "at least one sample"),
        (np.zeros((2, 0)), "at least one sample"),
        (np.zeros((2, 3, 4)), "shape"),
        (np.float32(1.0), "shape"),
        (np.zeros((400, 500)), "channels"),
        (np.zeros((2, 2)), "channels"),
        (np.zeros(9, dtype=complex), "complex128"),
        (np.zeros((9, 400)), "channels"),
        (np.zeros(9, dtype=np.uint16), "dtype uint16"),
        (np.zeros(9, dtype=bool), "dtype bool"),
        (np.zeros(9, dtype=object), "dtype object"),
        ([0.0, None], "dtype object"),
        (np.array(["a", "b"]), "dtype"),
        (np.array([0.0, 1.0, np.nan]), "nan at sample 2"),
        (np.array([0.0, np.inf, 1.0]), "inf at sample 1"),
    ],
)
@pytest.mark.parametrize("function", [check_signal, compute_spectrogram, process_signal])
def test_bad_signals_are_refused(function, x, message):
    with pytest.raises(ValueError, match=message):
        function(x)


def test_lists_and_half_precision_work():
    y = make_melody(seed=0).astype(np.float16)
    assert process_signal(y) == process_signal(y.astype(np.float32))
    assert process_signal(y.astype(float).tolist()) == process_signal(y.astype(float))


@pytest.mark.parametrize(
    ("dtype", "silence", "full_scale"),
    [
        (np.int8, 0, 2**7),
        (np.int16, 0, 2**15),
        (">i2", 0, 2**15),
        (np.int32, 0, 2**31),
        (np.int64, 0, 2**63),
        (np.uint8, 128, 2**7),
    ],
)
def test_pcm_is_scaled_by_its_full_scale_before_channels_are_averaged(dtype, silence, full_scale):
    info = np.iinfo(dtype)
    left = np.array([info.min, info.max, info.min, silence], dtype=dtype)
    right = np.array([info.min, info.max, info.max, silence], dtype=dtype)
    floats = [(side.astype(float) - silence) / full_scale for side in (left, right)]
    for x, expected in [(left, floats[0]), (np.stack([left, right]), sum(floats) / 2)]:
        y = check_signal(x)
        assert y.dtype == np.float32
        assert y.min() == -1
        np.testing.assert_allclose(y, expected, rtol=1e-7, atol=1e-7)
        np.testing.assert_array_equal(check_signal(x.T), y)


def test_stereo_pcm_gives_the_hashes_of_its_mean():
    stereo = np.stack([make_melody(seed=0), make_melody(seed=1)]) * 32000
    pcm = stereo.round().astype(np.int16)
    mean = (pcm / np.float32(32768)).mean(axis=0)
    assert process_signal(pcm) == process_signal(pcm.T) == process_signal(mean)


def test_bytes_of_a_wav_file_sound_like_the_floats():
    y = make_melody(seed=0)
    pcm = np.round(y * 127 + 128).astype(np.uint8)
    kept = process_signal(pcm).items() & process_signal(y).items()
    assert len(kept) > 0.5 * len(process_signal(y))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_signal_that_needs_no_change_is_not_copied(dtype):
    y = make_melody(seed=0).astype(dtype)
    assert check_signal(y) is y
    assert check_signal(y[None]).tolist() == check_signal(y[:, None]).tolist() == y.tolist()


@pytest.mark.parametrize("dtype", [np.float16, np.longdouble])
def test_other_floats_become_float32(dtype):
    y = check_signal(np.array([[0.5, -1.0, 0.25], [0.0, -1.0, 0.25]], dtype=dtype))
    assert y.dtype == np.float32
    assert y.tolist() == [0.25, -1.0, 0.25]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.array([[0, np.inf, 0], [0, -np.inf, 0]]), "nan at sample 1"),
        (np.array([[0, 3e38, 0], [0, 3e38, 0]], dtype=np.float32), "inf at sample 1"),
        (np.array([0, 1e39, 0], dtype=np.longdouble), "inf at sample 1"),
    ],
)
def test_what_overflows_is_refused_without_a_warning(x, message):
    with pytest.raises(ValueError, match=message):
        check_signal(x)
