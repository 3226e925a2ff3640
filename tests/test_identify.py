"""Tests of the identifier on synthetic songs whose answers are known, and of its commands."""

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile as sf
from scipy.ndimage import maximum_filter

from aares.audio import AudioError, distortions
from aares.cli import identify_files, index_folder
from aares.identify import (
    Candidate,
    Index,
    Settings,
    evidence,
    make_query,
    pairs,
    peaks,
    search,
    vote,
)
from aares.identify.answer import (
    LEAST_SCORE,
    SHARES,
    THRESHOLD,
    choose,
    estimate_p_false,
    extrapolate_tail,
    load_calibration,
)
from aares.identify.catalogue import BLOCK_STEPS, fingerprint
from aares.identify.hits import measure_hits
from aares.identify.query import QUICK
from aares.identify.ranking import Ranking
from aares.identify.search import WAYS
from aares.identify.segment import unpack_peaks
from benchmarks.identifying.sounds import make_sound

SR = 8000


def make_song(seed, *, seconds=40):
    """Return chords of decaying partials every 0.2 to 0.5 s, float32."""
    rng = np.random.default_rng(seed)
    y = 0.001 * rng.standard_normal(seconds * SR)
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


@pytest.fixture(scope="module")
def songs():
    return {f"song {seed}": make_song(seed) for seed in range(12)}


@pytest.fixture(scope="module")
def index(songs):
    return Index.from_signals(songs)


# --- peaks and pairs ----------------------------------------------------------------------


@pytest.mark.parametrize("n_frames", [1, 2, 8, 9, 31, 32, 33, 131])
@pytest.mark.parametrize("per_block", [1, 12, 200])
def test_maxima_are_those_of_scipys_filter(n_frames, per_block):
    rng = np.random.default_rng(n_frames)
    rows = rng.integers(0, 3000, (n_frames, peaks.N_BINS)).astype(np.float32)  # with ties
    size = (2 * peaks.REACH_FRAMES + 1, 2 * peaks.REACH_BINS + 1)
    highest = rows == maximum_filter(rows, size=size, mode="constant")
    highest[:, : peaks.FIRST_BIN] = highest[:, -1] = False
    expected = []
    for start in range(0, n_frames, peaks.BLOCK_FRAMES):
        places = np.argwhere(highest[start : start + peaks.BLOCK_FRAMES])
        places[:, 0] += start
        order = np.argsort(-rows[places[:, 0], places[:, 1]], kind="stable")[:per_block]
        expected += sorted(places[order].tolist())
    found = peaks.find_peaks(rows.T, per_block=per_block)
    assert [*map(list, zip(found.time.tolist(), found.bin.tolist(), strict=True))] == expected


def test_power_is_that_of_a_plain_transform():
    y = make_song(0, seconds=2)
    power = peaks.compute_power(y)
    assert power.shape == (512, 1 + (len(y) - 2048) // 256)
    window = np.hanning(2049)[:-1]
    expected = np.abs(np.fft.rfft(y[2560 : 2560 + 2048] * window))[:512] ** 2
    np.testing.assert_allclose(power[:, 10], expected, rtol=1e-3, atol=1e-4)


def test_a_tone_has_its_peak_at_its_frequency():
    tone_hz = 700.0
    y = np.sin(2 * np.pi * tone_hz * np.arange(2 * SR) / SR).astype(np.float32)
    found = peaks.find_peaks(peaks.compute_power(y), per_block=1)
    place = found.bin + found.fraction
    np.testing.assert_allclose(place * SR / peaks.N_FFT, tone_hz, atol=0.4)


def test_a_block_keeps_its_strongest_peaks():
    power = peaks.compute_power(make_song(1, seconds=10))
    few, many = (peaks.find_peaks(power, per_block=n) for n in (5, 20))
    kept, all_ = ({*zip(p.time.tolist(), p.bin.tolist(), strict=True)} for p in (few, many))
    assert kept <= all_
    assert np.bincount(few.time // peaks.BLOCK_FRAMES).max() == 5


def test_a_hash_spells_its_pair_and_ignores_where_it_is():
    times, bins = np.array([3, 13], dtype=np.int32), np.array([200, 190], dtype=np.int32)
    pair = peaks.Peaks(times, bins, np.zeros(2, dtype=np.float32))
    hashes, anchors = pairs.hash_recording(pair, fan_out=3)
    assert hashes.tolist() == [200 << 13 | (64 - 10) << 6 | 10] and anchors.tolist() == [3]
    later = peaks.Peaks(times + 500, bins, pair.fraction)
    assert pairs.hash_recording(later, fan_out=3)[0].tolist() == hashes.tolist()


def test_a_faster_query_has_the_recordings_hashes():
    times, bins = np.array([0, 100], dtype=np.int32), np.array([200, 220], dtype=np.int32)
    slow = peaks.Peaks(times, bins, np.zeros(2, dtype=np.float32))
    fast = peaks.Peaks(
        np.rint(times * 2 / 1.25).astype(np.int32), (bins * 1.25).astype(np.int32), slow.fraction
    )
    expected = pairs.hash_recording(peaks.Peaks(times // 2, bins, slow.fraction), fan_out=1)[0]
    assert len(expected) == 1
    query = peaks.Peaks(fast.time // 2, fast.bin, fast.fraction)
    assert pairs.hash_query(query, fan_out=1, speed=1.25)[0].tolist() == expected.tolist()


def test_votes_equal_counting_by_hand(songs):
    index = Index.from_signals(dict(list(songs.items())[:3]))
    part = index._parts[0]
    query = make_query(songs["song 1"][: 6 * SR])
    hashes, times, _ = query.hash()
    where = {}
    for row, key in enumerate(part.segment.keys.tolist()):
        first, last = part.segment.starts[row], part.segment.starts[row + 1]
        where[key] = part.segment.postings[first:last].tolist()
    places = sorted(
        posting * peaks.STEPS - step
        for key, step in zip(hashes.tolist(), times.tolist(), strict=True)
        for posting in where.get(key, [])
    )
    weights = np.ones(len(times))
    first, counts = vote._look_up(*part.segment[:2], part.table, hashes)
    weighed = vote._weigh_chosen(counts, weights, len(part.segment.postings), len(places))
    votes = vote._gather(part.segment.postings, first, counts, weighed, times)
    assert sorted((votes >> 12).tolist()) == places and len(places) > 20


def test_the_rarest_hashes_vote_within_the_budget():
    counts = np.array([3, 0, 1, 3, 2, 3, 90])
    for budget, chosen in (
        (0, ""),
        (1, "2"),
        (5, "2 4"),
        (6, "0 2 4"),
        (9, "0 2 3 4"),
        (102, "all"),
    ):
        expected = {0, 2, 3, 4, 5, 6} if chosen == "all" else {int(k) for k in chosen.split()}
        assert set(np.flatnonzero(vote._choose_rare(counts, budget))) == expected, budget


def test_peaks_are_graded_by_their_power(songs):
    y = songs["song 2"]
    prints = fingerprint("it", y, Settings())
    times, bins, strengths = unpack_peaks(prints.counts, prints.peaks)
    assert np.bincount(strengths).min() > 0.2 * len(strengths)
    levels = peaks.compute_power(y)[bins, times]
    assert levels[strengths == 0].max() <= levels[strengths == 1].min()
    assert levels[strengths == 2].max() <= levels[strengths == 3].min()
    assert peaks.grade_peaks(np.zeros(0, dtype=np.float32)).size == 0
    found = peaks.find_peaks(peaks.compute_power(y), per_block=Settings().peaks_per_block)
    assert times.tolist() == found.time.tolist() and bins.tolist() == found.bin.tolist()


def test_strong_peaks_count_more():
    blocks, places = np.array([0, 2], dtype=np.uint32), np.array([0])
    loud, soft = 3 << 14 | 5 << 9 | 100, 0 << 14 | 6 << 9 | 200
    excess = np.zeros((512, 64), dtype=np.int8)
    scores = {}
    for name, frame, row in (("loud", 10, 100), ("soft", 12, 200)):
        heard = excess.copy()
        heard[row, frame] = 80
        packed = np.array([loud, soft], dtype=np.uint16)
        [scores[name]], _ = evidence.measure(blocks, packed, places, heard, 1.0, 0)
    weights = evidence.STRENGTH_WEIGHTS
    assert scores["loud"] / scores["soft"] == pytest.approx(weights[3] / weights[0])


# --- identification -----------------------------------------------------------------------


def test_excerpts_are_found_with_their_offset(songs, index):
    rng = np.random.default_rng(0)
    for name, y in songs.items():
        start = int(rng.integers(len(y) - 8 * SR))  # at any sample
        answer = index.identify(y[start : start + 8 * SR], SR)
        assert answer.match is not None and answer.match.song == name
        assert abs(answer.match.offset_s - start / SR) <= 0.05  # refined to steps of 16 ms
        assert answer.p_false <= THRESHOLD and answer.match.speed == 1


@pytest.mark.parametrize("kind", ["white", "pink", "babble"])
def test_noise_as_loud_as_the_music_does_not_hide_it(songs, index, kind):
    rng = np.random.default_rng(1)
    for name in ("song 3", "song 7"):
        y = distortions.add_noise(songs[name][100_011:180_011], kind, rng, snr_db=0)
        assert index.identify(y, SR).match.song == name


@pytest.mark.parametrize("speed", [0.971, 0.9873, 1.0077, 1.0291])
def test_other_speeds_are_found_and_told(songs, index, speed):
    y = distortions.change_speed(songs["song 5"], speed)[50_001:130_001]
    match = index.identify(y, SR).match
    assert match.song == "song 5" and abs(match.speed - speed) <= abs(speed - 1) + 0.001
    assert abs(match.offset_s - 50_001 / SR * speed) < 0.4  # also the error of the speed adds up
    query = make_query(y)
    tuned, untuned = (
        search.search_part(index._parts[0], query, QUICK, 0, speed=at)
        for at in (round(speed, 3), 1.0)
    )
    others = max((hit.votes for hit in untuned), default=0)
    assert tuned[0].song == "song 5" and tuned[0].votes > 3 * others
    assert index.rank(query, "speeds").candidates[0].song == "song 5"
    assert index.rank(query, "speeds", without={"song 5"}).candidates[0].song != "song 5"


def test_unknown_sound_is_unknown(index):
    rng = np.random.default_rng(2)
    for y in (make_song(99), make_song(98)[: 5 * SR], distortions.make_white(10 * SR, rng)):
        answer = index.identify(y, SR)
        assert answer.match is None and answer.p_false > THRESHOLD


@pytest.mark.parametrize("y", [np.zeros(SR), np.ones(3 * SR), np.zeros(1), np.zeros(SR // 10)])
def test_silence_and_tiny_clips_are_unknown(index, y):
    answer = index.identify(y, SR)
    assert answer.match is None and answer.p_false == 1


def test_stereo_integers_and_other_rates_are_the_same_song(songs, index):
    y = songs["song 2"][80_000:160_000]
    stereo = np.stack([y, y])
    for same, sr in (
        (stereo, SR),
        (stereo.T, SR),
        ((y * 20_000).astype(np.int16), SR),
        (np.repeat(y, 2), 2 * SR),
    ):
        assert index.identify(same, sr).match.song == "song 2"


def test_a_whole_song_is_found_from_its_beginning(songs, index):
    match = index.identify(songs["song 4"], SR).match
    assert match.song == "song 4" and abs(match.offset_s) < 0.05


def test_an_excerpt_may_begin_before_the_recording(songs, index):
    y = np.concatenate([0.001 * np.ones(3 * SR, dtype=np.float32), songs["song 6"][: 9 * SR]])
    match = index.identify(y, SR).match
    assert match.song == "song 6" and abs(match.offset_s + 3) < 0.05


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.array([]), "at least one sample"),
        (np.zeros((9, 9, 9)), "shape"),
        (np.array([0.0, np.nan]), "finite"),
        (np.array(["a"]), "floats"),
    ],
)
def test_what_is_no_signal_is_refused(index, y, message):
    with pytest.raises(ValueError, match=message):
        index.identify(y, SR)
    with pytest.raises(ValueError, match="sampling rate"):
        index.identify(np.zeros(10), 0)


def test_an_empty_index_knows_nothing():
    answer = Index().identify(make_song(1), SR)
    assert answer.match is None and answer.candidates == () and answer.p_false == 1


def test_a_recording_that_is_there_twice_is_still_accepted(songs):
    index = Index.from_signals({**songs, "again": songs["song 0"]})
    answer = index.identify(songs["song 0"][70_007:150_007], SR)
    assert answer.match is not None
    assert {c.song for c in answer.candidates[:2]} == {"song 0", "again"}


def rank_best(score: float, **facts: float) -> Ranking:
    rivals = [Candidate(f"rival {k}", 0.0, 3.5, 40.0, 1.0) for k in range(7)]
    best = Candidate("a", 0.0, score, 10 * score, 1.0)
    usual = {"breadth": 0.8 * score, "beside": 0.5 * score, "ceiling": 20.0, "seconds": 10.0}
    return Ranking([best, *rivals], **usual | {"n_recordings": 1000} | facts)


@pytest.mark.parametrize("way", SHARES)
def test_the_tail_falls_with_the_score_and_grows_with_the_length(way):
    def estimate(score: float, **facts: float) -> float:
        return extrapolate_tail(rank_best(score, **facts), way=way)

    tails = [estimate(score) for score in (3.6, 6.0, 9.0, 15.0, 40.0)]
    assert tails == sorted(tails, reverse=True) and tails[-1] < THRESHOLD / 100 < tails[0]
    lengths = [estimate(12.0, seconds=s) for s in (2, 5, 10, 15, 60)]
    assert lengths[0] < lengths[1] < lengths[2] < lengths[3] == lengths[4]
    assert estimate(9.0, breadth=9.0) < estimate(9.0, breadth=3.0)
    sure = rank_best(40.0)
    assert choose(sure, way=way, threshold=THRESHOLD).match == sure.candidates[0]
    assert choose(sure, way=way, threshold=0).match is None
    assert choose(replace(sure, candidates=[]), way=way, threshold=1).p_false == 1


@pytest.mark.parametrize("way", SHARES)
def test_more_evidence_is_never_worse_in_noise_or_without(way):
    """A score, and a breadth, that is higher makes no candidate less likely, at any level."""
    for level_db in (-15.0, -5.0, 0.0, 15.0, 30.0):
        facts = {"level_db": level_db, "breadth": 5.0, "beside": 0.0}
        tails = [
            extrapolate_tail(rank_best(score, **facts), way=way) for score in (4.0, 6.0, 9.0, 14.0)
        ]
        assert tails == sorted(tails, reverse=True) and tails[-1] < tails[0]
        broad = [
            extrapolate_tail(rank_best(9.0, **facts | {"breadth": breadth}), way=way)
            for breadth in (2.0, 4.0, 8.0)
        ]
        assert broad == sorted(broad, reverse=True)


def make_yelp(rng: np.random.Generator, *, seconds: float = 10.0) -> np.ndarray:
    """A sound of a third of a second, again and again."""
    return np.resize(rng.standard_normal(2800).astype(np.float32), int(seconds * SR))


def test_what_resembles_a_song_once_and_comes_again_is_not_the_song():
    """A siren on the beat of a song has something in common with each bar: the same thing."""
    rng = np.random.default_rng(0)
    common = make_yelp(rng, seconds=20.0)
    song = common + rng.standard_normal(20 * SR).astype(np.float32)
    index = Index.from_signals({"song": song})
    query = make_query(2 * common[: 10 * SR] + make_yelp(rng))
    ranking = index.rank(query, "thorough")
    assert query.novelty < 0.1
    assert choose(replace(ranking, novelty=1.0), way="thorough", threshold=THRESHOLD).match
    assert index.ask(query).reason == "unknown"
    assert index.identify(song[: 10 * SR], SR).match.song == "song"


def test_music_is_new_all_the_time(songs):
    """Held notes come again too, but not after a time in which they were away."""
    for song in songs.values():
        assert make_query(song[20_000:60_000]).novelty > 0.5
    short = make_query(np.zeros(300, dtype=np.float32))
    assert short.novelty == make_query(songs["song 0"][:2048]).novelty == 1.0


@pytest.mark.parametrize("way", SHARES)
def test_a_score_that_any_wrong_place_has_is_no_evidence(way):
    """Votes alone, as a drone has them that holds a recording's note, do not name it."""
    held = rank_best(LEAST_SCORE - 0.01, breadth=30.0, beside=0.0)
    held = replace(held, candidates=[replace(held.candidates[0], votes=1e6), *held.candidates[1:]])
    assert extrapolate_tail(held, way=way) == 1
    heard = replace(held.candidates[0], score=LEAST_SCORE)
    assert extrapolate_tail(replace(held, candidates=[heard]), way=way) < 1


@pytest.mark.parametrize("way", SHARES)
def test_no_probability_is_lower_than_the_sample_can_carry(way):
    calibration = load_calibration()
    sizes = [calibration[one]["n_unknown"] for one in SHARES if one in calibration]
    assert 1 / max(sizes) <= calibration["floor"] < THRESHOLD
    sure = choose(rank_best(60.0), way=way, threshold=THRESHOLD)
    assert sure.tail < 1e-9 and sure.p_false == calibration["floor"]
    assert estimate_p_false(rank_best(60.0), way=way) == calibration["floor"]


@pytest.mark.parametrize("way", SHARES)
def test_a_larger_index_has_as_many_times_more_chances(way):
    size = load_calibration()["n_recordings"]
    tails = [extrapolate_tail(rank_best(12.0, n_recordings=n * size), way=way) for n in (1, 10, 90)]
    assert tails[1] == pytest.approx(10 * tails[0]) and tails[2] == pytest.approx(90 * tails[0])
    small = [extrapolate_tail(rank_best(12.0, n_recordings=n), way=way) for n in (1, 60, size)]
    assert small[0] == small[1] and 0.1 < small[2] / small[1] <= size / 60 * (1 + 1e-9)


def test_the_ways_share_the_false_alarms():
    assert sum(SHARES.values()) == pytest.approx(1) and set(WAYS) <= set(SHARES)


@pytest.mark.parametrize(
    "kind",
    [
        "steady tones",
        "random chords",
        "mains hum",
        "drones",
        "alarms",
        "telephone tones",
        "silence with clicks",
        "test signals",
    ],
)
def test_where_nothing_plays_nothing_is_named(index, kind):
    for number in range(6):
        y = make_sound(kind, (2, 5, 10)[number % 3] * SR, np.random.default_rng(number))
        answer = index.ask(make_query(y))
        assert answer.match is None and answer.reason in {"unknown", "nothing"}


def test_silence_and_a_held_tone_are_nothing_to_identify(index):
    tone = np.sin(2 * np.pi * 440 * np.arange(5 * SR) / SR)
    for y in (np.zeros(5 * SR), tone):
        answer = index.identify(y, SR)
        assert answer.reason == "nothing" and answer.p_false == 1


def test_where_evidence_is_silent_votes_decide(songs, index):
    query = make_query(songs["song 1"][: 10 * SR])
    silent = replace(
        query, evidence=query.evidence._replace(excess=np.zeros_like(query.evidence.excess))
    )
    part = index._parts[0]
    places = part.starts[[1, 4]] * BLOCK_STEPS
    for votes in ([100, 10], [10, 100]):
        best, *_ = measure_hits(part, silent, 1.0, places, np.array(votes, dtype=np.float32))
        assert best.row == (1, 4)[int(np.argmax(votes))] and best.score == 0
    heard = measure_hits(part, query, 1.0, places, np.array([10, 100], dtype=np.float32))
    assert heard[0].song == part.recordings[1].name == "song 1"


def test_a_place_is_looked_at_closely(songs):
    """Few strong pixels have little breadth; what moves on in time leaves nothing beside."""
    index = Index.from_signals({"it": songs["song 3"]})
    part, n_steps = index._parts[0], 600
    blocks = part.segment.blocks
    times, bins, _ = unpack_peaks(np.diff(blocks)[:10], part.segment.peaks[: blocks[10]])
    steps = times * peaks.STEPS
    heard = steps < n_steps
    for strength, share in ((8, 1.0), (80, 0.1)):
        chosen = np.flatnonzero(heard)[:: round(1 / share)]
        excess = np.zeros((512, n_steps), dtype=np.int8)
        excess[bins[chosen], steps[chosen]] = strength
        [score], _ = evidence.measure(*part.segment[3:], np.array([0]), excess, 1.0, 0)
        breadth, beside = evidence.examine(part.segment, 0, excess, 1.0)
        assert breadth == pytest.approx(score * min(1.0, 8 / strength), rel=1e-3)
        assert beside < 0.5 * score


def test_a_query_is_its_own_ceiling(songs):
    query = make_query(songs["song 9"][80_000 : 80_000 + 8 * SR])  # aligned with the frames
    index = Index.from_signals({"itself": songs["song 9"][80_000 : 80_000 + 8 * SR]})
    segment, start = index._parts[0].segment, np.array([0])
    [score], _ = evidence.measure(
        segment.blocks, segment.peaks, start, query.evidence.excess, 1.0, 0
    )
    assert score == pytest.approx(query.ceiling, rel=1e-4) and query.ceiling > 5


# --- changing ---------------------------------------------------------------------------


def test_appending_gives_the_answers_of_building_at_once(songs, index, tmp_path):
    paths = []
    for name, y in songs.items():
        paths.append(tmp_path / f"{name}.wav")
        sf.write(paths[-1], y, SR, subtype="FLOAT")
    whole = Index.build(paths, n_jobs=1)
    grown = Index()
    for path in paths:  # twelve segments: merged on the way
        grown.append([path], n_jobs=1)
    assert [r.name for r in grown.recordings] == [path.name for path in paths]
    sizes = [len(part.segment.postings) for part in grown._parts]
    assert len(sizes) == 3  # of four songs each
    for path, y in zip(paths, songs.values(), strict=True):
        excerpt = y[60_013:140_013]
        one, two = whole.identify(excerpt, SR), grown.identify(excerpt, SR)
        assert one.match.song == two.match.song == path.name
        assert one.match.offset_s == two.match.offset_s and one.match.score == two.match.score
    assert grown.nbytes["peaks"] == whole.nbytes["peaks"]


def test_names_must_differ_and_settings_be_in_range(songs, tmp_path):
    index = Index.from_signals(dict(list(songs.items())[:1]))
    with pytest.raises(ValueError, match="called 'song 0'"):
        index._check_names(["song 0"])
    for wrong in ({"peaks_per_block": 0}, {"fan_out": 21}, {"fan_out": 1.5}):
        with pytest.raises(ValueError, match="expected 1 to"):
            Settings(**wrong)
    missing = tmp_path / "none.wav"
    with pytest.raises(AudioError, match=r"none\.wav"):
        index.append([missing])
    left_out = []
    index.append([missing], on_error=lambda path, error: left_out.append((path, str(error))))
    assert left_out[0][0] == missing and len(index) == 1


# --- the command line ---------------------------------------------------------------------


@pytest.fixture
def folder(songs, tmp_path):
    folder = tmp_path / "music"
    folder.mkdir()
    for name in ("song 0", "song 1", "song 2"):
        sf.write(folder / f"{name}.flac", songs[name], SR)
    return folder


def test_a_folder_is_indexed_and_files_identified(songs, folder, tmp_path, capsys):
    out = tmp_path / "new" / "a.index"
    assert index_folder(folder, out) == 0
    assert "3 recordings" in capsys.readouterr().out
    query, noise = tmp_path / "query.wav", tmp_path / "noise.wav"
    sf.write(query, songs["song 1"][90_000:170_000], SR)
    sf.write(noise, distortions.make_white(SR, np.random.default_rng(0)) * 0.1, SR)
    assert identify_files([str(query), str(noise)], out, as_json=True) == 0
    known, unknown = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert known["file"] == str(query) and known["match"] == "song 1.flac"
    assert abs(known["offset_s"] - 90_000 / SR) < 0.05 and known["p_false"] <= THRESHOLD
    assert known["score"] == known["candidates"][0]["score"]
    assert unknown["match"] is None and unknown["offset_s"] is None
    assert identify_files([str(query)], out, as_json=False) == 0
    assert "song 1.flac from 11.2" in capsys.readouterr().out


def test_indexing_again_adds_what_is_new(songs, folder, tmp_path, capsys):
    out = tmp_path / "a.index"
    index_folder(folder, out)
    sf.write(folder / "later.flac", songs["song 5"], SR)
    (folder / "broken.mp3").write_bytes(b"no sound")
    assert index_folder(folder, out) == 1  # one file could not be read, the others are there
    shown = capsys.readouterr()
    assert "4 recordings" in shown.out and "broken.mp3" in shown.err
    assert len(Index.open(out)) == 4


def test_files_of_one_name_in_two_folders_are_two_recordings(songs, tmp_path, capsys):
    for folder, song in (("CD1", "song 1"), ("CD2", "song 2")):
        (tmp_path / folder).mkdir()
        sf.write(tmp_path / folder / "01.flac", songs[song], SR)
    out = tmp_path / "a.index"
    assert index_folder(tmp_path, out) == index_folder(tmp_path, out) == 0  # again: nothing to do
    capsys.readouterr()
    index = Index.open(out)
    assert [recording.name for recording in index.recordings] == ["CD1/01.flac", "CD2/01.flac"]
    assert index.identify(songs["song 2"][90_000:170_000], SR).match.song == "CD2/01.flac"


def test_the_command_line_says_what_is_wrong(tmp_path, capsys):
    assert index_folder(tmp_path / "none", tmp_path / "a.index") == 1
    (tmp_path / "empty").mkdir()
    assert index_folder(tmp_path / "empty", tmp_path / "a.index") == 1
    assert identify_files(["x.wav"], tmp_path / "a.index", as_json=False) == 1
    said = capsys.readouterr().err
    assert (
        "expected a folder" in said
        and "no audio file" in said
        and "the command index FOLDER" in said
    )
    (tmp_path / "song.mp3").write_text("music")
    assert identify_files(["x.wav"], tmp_path / "song.mp3", as_json=False) == 1
    said = capsys.readouterr().err
    assert "song.mp3: not an index" in said and "--out" not in said
    Index().save(tmp_path / "a.index")
    assert identify_files([str(tmp_path / "x.wav")], tmp_path / "a.index", as_json=True) == 1
    assert "no such file" in json.loads(capsys.readouterr().out)["error"]
