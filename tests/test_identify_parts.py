"""The identifier's steps by their definitions: slow and plain, on made-up peaks and sound."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aares.identify import (
    Candidate,
    Index,
    Settings,
    evidence,
    pairs,
    peaks,
    vote,
)
from aares.identify.answer import (
    SHARES,
    Answer,
    estimate_p_false,
    extrapolate_tail,
    load_calibration,
)
from aares.identify.catalogue import (
    Prints,
    Recording,
    make_part,
)
from aares.identify.hits import measure_hits
from aares.identify.query import QUICK, WINDOW, list_windows, make_query, read_signal, resample
from aares.identify.ranking import COVARIATES, FEATURES, Ranking, describe, list_covariates
from aares.identify.segment import pack_peaks, unpack_peaks

SR = 8000


def make_noise(n: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(n).astype(np.float32)


# --- pairs --------------------------------------------------------------------------------


def pair_slowly(time, position, fan_out):
    """Pair each anchor with the next partners inside its zone, word for word."""
    found = []
    for i, anchor in enumerate(np.rint(position).astype(int)):
        partners = []
        for j in range(i + 1, len(time)):
            delay, rise = int(np.rint(time[j] - time[i])), int(np.rint(position[j])) - anchor
            if anchor < 512 and 2 <= delay <= 63 and -64 <= rise < 64:
                partners.append((anchor << 13 | (rise + 64) << 6 | delay, i))
        found += partners[:fan_out]
    return found


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.sampled_from([1.0, 0.97, 1.03]))
def test_pairs_are_those_of_the_definition(seed, fan_out, speed):
    rng = np.random.default_rng(seed)
    times = np.sort(rng.integers(0, 400, 30)).astype(np.int32)
    bins = rng.integers(430, 512, 30).astype(np.int32)
    bins[::2] -= rng.integers(0, 140, 15).astype(np.int32)
    found = peaks.Peaks(times, bins, rng.uniform(-0.5, 0.5, 30).astype(np.float32))
    hashes, anchors = pairs.hash_recording(found, fan_out=fan_out)
    expected = pair_slowly(times, bins, fan_out)
    assert hashes.tolist() == [key for key, _ in expected]
    assert anchors.tolist() == [times[i] for _, i in expected]
    hashes, steps = pairs.hash_query(found, fan_out=fan_out, speed=speed)
    place = (bins + found.fraction) / speed if speed != 1 else bins
    expected = pair_slowly(
        (times * np.float32(speed / 2)).astype(np.float32), place.astype(np.float32), fan_out
    )
    assert hashes.tolist() == [key for key, _ in expected]
    assert steps.tolist() == [round(float(times[i]) * speed) for _, i in expected]


def test_the_zone_has_its_borders():
    for delay, rise, inside in [
        (1, 0, False), (2, 0, True), (63, 0, True), (64, 0, False),
        (5, -64, True), (5, -65, False), (5, 63, True), (5, 64, False),
    ]:  # fmt: skip
        times, bins = np.array([0, delay], np.int32), np.array([200, 200 + rise], np.int32)
        pair = peaks.Peaks(times, bins, np.zeros(2, np.float32))
        assert len(pairs.hash_recording(pair, fan_out=9)[0]) == inside, (delay, rise)


# --- peaks --------------------------------------------------------------------------------


def test_the_top_of_a_parabola_is_found():
    rows = np.zeros((20, 512))
    for frame, bin_, fraction in [(4, 100, 0.3), (15, 300, -0.2), (15, 400, 0.0)]:
        rows[frame, bin_ - 1 : bin_ + 2] = np.exp(5 - 2 * (np.arange(-1, 2) - fraction) ** 2)
    found = peaks.find_peaks(rows.T.astype(np.float32), per_block=9)
    assert found.time.tolist() == [4, 15, 15] and found.bin.tolist() == [100, 300, 400]
    assert found.fraction.tolist() == pytest.approx([0.3, -0.2, 0.0], abs=1e-3)


def test_quarters_of_peaks_by_hand():
    levels = np.array([5.0, 1, 2, 8, 3, 7, 4, 6], dtype=np.float32)
    assert peaks.grade_peaks(levels).tolist() == [2, 0, 0, 3, 1, 3, 1, 2]


def test_packed_peaks_are_read_again():
    found = peaks.Peaks(np.array([0, 31, 64]), np.array([9, 511, 130]), np.zeros(3))
    counts, packed = pack_peaks(found, np.array([3, 0, 2]), 4)
    assert counts.tolist() == [2, 0, 1, 0]
    assert packed.tolist() == [3 << 14 | 9, 31 << 9 | 511, 2 << 14 | 130]
    times, bins, strengths = unpack_peaks(counts, packed)
    assert (times.tolist(), bins.tolist()) == ([0, 31, 64], [9, 511, 130])
    assert strengths.tolist() == [3, 0, 2]


# --- votes --------------------------------------------------------------------------------


def make_prints(name: str, n_blocks: int, keys: list[int], times: list[int]) -> Prints:
    """Prints of one peak a block, at bin 100 + block."""
    counts = np.ones(n_blocks, dtype=np.uint32)
    packed = np.arange(100, 100 + n_blocks, dtype=np.uint16)
    recording = Recording(name, n_blocks, n_blocks * 1.024)
    return Prints(recording, np.array(keys, np.uint32), np.array(times, np.uint32), counts, packed)


def test_recordings_lie_one_after_another():
    added = [make_prints("a", 3, [70, 7, 70], [1, 2, 90]), make_prints("b", 2, [7, 64], [0, 5])]
    part = make_part(added, 40)
    gap = int(part.starts[1]) - 3
    assert part.first_block == 40 and gap > 0
    assert part.starts.tolist() == [0, 3 + gap, 5 + 2 * gap] and part.ends.tolist() == [3, 5 + gap]
    segment, later = part.segment, (3 + gap) * 32
    assert segment.keys.tolist() == [7, 64, 70] and segment.starts.tolist() == [0, 2, 3, 5]
    assert segment.postings.tolist() == [2, later, later + 5, 1, 90]
    blocks = [0, 1, 2, 3, *[3] * gap, 4, 5, *[5] * gap]
    assert segment.blocks.tolist() == blocks
    step = 32 * peaks.STEPS
    places = np.array([-5, 0, 3 * step - 1, 3 * step, (3 + gap) * step, 999 * step])
    assert part.locate(places).tolist() == [0, 0, 0, 1, 1, 1]
    assert part.table[[0, 1, 2, 65536]].tolist() == [0, 1, 3, 3]


def test_rare_hashes_weigh_more_and_votes_of_one_place_add_up():
    keys = [5] * 4 + [900] + [901]
    times = [10, 400, 800, 1200, 30, 31]
    part = make_part([make_prints("a", 50, keys, times)], 0)
    hashes = np.array([5, 900, 901, 902], dtype=np.uint32)
    steps = np.array([0, 40, 41, 42], dtype=np.int32)
    asked = part.segment, part.table, hashes, steps
    places, scores = vote.find_places(*asked, budget=99, n_places=9)
    # 10 * 2 - 0 = 30 * 2 - 40 = 20, 31 * 2 - 41 = 21: one place of three votes
    bits = [round(64 * max(np.log2(7 / count), 1)) / 64 for count in (4, 1, 1)]
    assert places[0] == 20 and scores[0] == pytest.approx(sum(bits))
    assert sorted(places[1:].tolist()) == [800, 1600, 2400]
    assert scores[1:].tolist() == pytest.approx(bits[:1] * 3)
    few, _ = vote.find_places(*asked, budget=2, n_places=9)
    assert few.tolist() == [20]
    best, _ = vote.find_places(*asked, budget=99, n_places=2)
    assert len(best) == 2 and best[0] == 20


@pytest.mark.parametrize(
    ("apart", "places", "scores"),
    [(3, [101], [11]), (4, [100], [10]), (6, [100], [10]), (7, [100, 107], [10, 1])],
)
def test_votes_within_three_steps_are_for_one_place(apart, places, scores):
    """Further votes make a place of their own only where windows do not overlap."""
    votes = np.array([100 << 12 | 640, (100 + apart) << 12 | 64], dtype=np.int64)
    found = vote._find_crowds(votes, 9)
    assert (found[0].tolist(), found[1].tolist()) == (places, scores)


def test_of_equal_scores_evenly_some_are_listed():
    scores = np.array([1.0, 5, 1, 1, 9, 1], dtype=np.float32)
    assert vote._list_highest(scores, 4).tolist() == [4, 1, 0, 3]
    assert vote._list_highest(scores, 2).tolist() == [4, 1]
    assert vote._list_highest(scores, 6).tolist() == [4, 1, 0, 2, 3, 5]
    assert vote._list_highest(scores, 0).tolist() == []


# --- evidence -----------------------------------------------------------------------------


@pytest.mark.parametrize("pause", [False, True])
def test_evidence_is_the_normalised_power(pause):
    rng = np.random.default_rng(0)
    power = rng.gamma(1.0, 1.0, (512, 70)).astype(np.float32)
    power[7] = 3.0  # a bin that never changes
    if pause:
        power[:, 30:50] = 1e-12
    weighed = evidence.weigh_evidence(power)
    rows = power.T.astype(float)
    some = rows[::2]
    some = some[some[:, peaks.FIRST_BIN :].sum(axis=1) > 1e-6]
    assert len(some) == (25 if pause else 35)
    bits = some.astype(np.float32).view(np.int32).mean(axis=0).astype(np.int32)
    relative = np.sqrt(np.minimum(rows / bits.view(np.float32), 100))
    known = np.sqrt(np.minimum(some / bits.view(np.float32), 100))
    spread = known.std(axis=0)
    scaled = np.where(spread > 0.01, (relative - known.mean(axis=0)) / np.maximum(spread, 1e-9), 0)
    scaled -= scaled.mean(axis=1, keepdims=True)
    expected = np.clip(np.rint(8 * scaled), -127, 127).T
    assert np.abs(weighed.excess - expected).max() <= 1
    assert np.mean(weighed.excess == expected) > 0.98
    assert (weighed.power == power.T).all()


def measure_slowly(blocks, packed, place, excess, speed):
    """Score one place: sum of weighted evidence over the root of the squared weights' sum."""
    total, squares = 0.0, 0.0
    for block in range(len(blocks) - 1):
        for word in packed[blocks[block] : blocks[block + 1]].tolist():
            t = (block * 32 + (word >> 9 & 31)) * 2 - place
            b, weight = word & 511, (1, 3, 5, 8)[word >> 14]
            step = int(np.rint(t / speed))
            b = b if speed == 1 else int(np.rint(b * speed))
            if 0 <= step < excess.shape[1] and b < 512:
                total += weight * float(excess[b, step])
                squares += weight**2
    return total / (8 * math.sqrt(squares)) if squares else -math.inf


@pytest.mark.parametrize("speed", [1.0, 0.98, 1.03])
def test_scores_of_places_are_those_of_the_definition(speed):
    rng = np.random.default_rng(1)
    blocks = np.concatenate([[0], np.cumsum(rng.integers(0, 9, 12))]).astype(np.uint32)
    packed = rng.integers(0, 1 << 16, blocks[-1]).astype(np.uint16)
    excess = rng.integers(-127, 128, (512, 150)).astype(np.int8)
    places = np.array([-149, -30, 0, 63, 64, 200, 500, 630, 5000])
    scores, best = evidence.measure(blocks, packed, places, excess, speed, 0)
    expected = [measure_slowly(blocks, packed, place, excess, speed) for place in places]
    assert scores.tolist() == pytest.approx(expected, rel=1e-4)
    assert best.tolist() == places.tolist()
    scores, best = evidence.measure(blocks, packed, places, excess, speed, 2)
    for place, score, found in zip(places, scores.tolist(), best.tolist(), strict=True):
        near = [measure_slowly(blocks, packed, place + r, excess, speed) for r in range(-2, 3)]
        assert score == pytest.approx(max(near), rel=1e-4)
        if score > -math.inf:
            assert found == place - 2 + near.index(max(near))


def test_a_close_look_is_two_measurements():
    rng = np.random.default_rng(2)
    part = make_part([make_prints("a", 20, [1], [0])], 0)
    excess = rng.integers(-60, 127, (512, 300)).astype(np.int8)
    blocks, packed = part.segment.blocks, part.segment.peaks
    breadth, beside = evidence.examine(part.segment, 200, excess, 1.0)
    clipped = np.clip(excess, -8, 8)
    assert breadth == pytest.approx(measure_slowly(blocks, packed, 200, clipped, 1), rel=1e-4)
    around = [
        measure_slowly(blocks, packed, 200 + away, excess, 1) for away in (-14, -10, -8, 8, 10, 14)
    ]
    assert beside == pytest.approx(max(around), rel=1e-4)
    assert evidence.examine(part.segment, 200, -np.abs(excess), 1.0) == (0, 0)


def test_the_ceiling_is_the_score_of_the_own_peaks():
    power = np.zeros((512, 8), dtype=np.float32)
    found = peaks.Peaks(np.array([1, 2, 3, 4]), np.array([10, 20, 30, 40]), np.zeros(4))
    power[found.bin, found.time] = [1, 2, 3, 4]
    excess = np.zeros((512, 8), dtype=np.int8)
    excess[found.bin, found.time] = [8, 16, 24, 80]
    heard = evidence.Evidence(power.T, excess)
    expected = (1 * 8 + 3 * 16 + 5 * 24 + 8 * 80) / (8 * math.sqrt(1 + 9 + 25 + 64))
    assert evidence.measure_own(found, heard) == pytest.approx(expected)
    nothing = peaks.Peaks(*np.zeros((2, 0), dtype=int), np.zeros(0))
    assert evidence.measure_own(nothing, heard) == 0


def test_hits_are_the_best_of_each_recording():
    rng = np.random.default_rng(3)
    part = make_part([make_prints(name, 4, [1], [0]) for name in "abc"], 0)
    query = make_query(make_noise(SR))
    excess = rng.integers(1, 60, query.evidence.excess.shape).astype(np.int8)
    query = replace(query, evidence=query.evidence._replace(excess=excess))
    starts = part.starts[:-1] * 64
    places = np.array([starts[0] + 10, starts[0] + 40, starts[1] + 20, starts[2] + 9000])
    votes = np.array([1.0, 90, 5, 700], dtype=np.float32)
    hits = measure_hits(part, query, 1.0, places, votes)
    scores, found = evidence.measure(*part.segment[3:], places, excess, 1.0, 2)
    merits = scores + (hits[0].merit - hits[0].score) / np.log1p(hits[0].votes) * np.log1p(votes)
    assert {hit.song for hit in hits} == {"a", "b"}  # at the last place nothing was heard
    for hit in hits:
        row = found.tolist().index(hit.place)
        assert hit.merit == pytest.approx(merits[row]) and hit.votes == votes[row]
        step = hit.place - starts["abc".index(hit.song)]
        assert hit.locate().offset_s == round(step * 0.016, 3)
    own = max(k for k in (0, 1) if merits[k] == max(merits[:2]))
    assert next(hit.place for hit in hits if hit.song == "a") == found[own]
    assert [hit.merit for hit in hits] == sorted((hit.merit for hit in hits), reverse=True)


# --- the answer ---------------------------------------------------------------------------


def test_a_ranking_is_described_by_hand():
    candidates = [Candidate("a", 0.0, 9.0, 99.0, 1.0), Candidate("b", 0.0, 4.0, 9.0, 1.0)]
    candidates += [Candidate("c", 0.0, 1.0, 0.0, 1.0)]
    ranking = Ranking(candidates, 7.0, 3.0, 18.0, 30.0)
    rivals = (math.log1p(40) * 5 + 0) / 6
    lead = math.log(100) - rivals
    expected = [9, 9 - (1 + 5 * 3) / 6, math.log(100), lead, lead**2, 18, 0.5]
    expected += [math.log(15), 7, 3 / 9]
    expected += [1.5, 1.5 * 9, 1.5 * (9 - (1 + 5 * 3) / 6), 1.5 * lead, 1.5 * 7]  # at 15 dB
    assert describe(ranking) == pytest.approx(expected)
    weak = replace(ranking, candidates=[replace(candidates[0], votes=1.0)], ceiling=0.5, seconds=1)
    lead = math.log(2) - math.log1p(40)
    told = describe(weak)
    assert told[1] == pytest.approx(6) and told[3:5] == pytest.approx((lead, -(lead**2)))
    assert told[6:8] == pytest.approx((1, math.log(1)))  # a share is at most 1


def test_evidence_that_repeats_counts_once():
    """The scores and their lead shrink, what is a share of the score itself does not."""
    scores = {"a": 9.0, "b": 4.0, "c": 1.0}
    candidates = [Candidate(name, 0.0, score, 99.0, 1.0) for name, score in scores.items()]
    once = Ranking(candidates, 7.0, 3.0, 18.0, 30.0)
    told, again = (dict(zip(FEATURES, describe(one), strict=True))
                   for one in (once, replace(once, novelty=0.25)))  # fmt: skip
    halved = {"score", "stand_out", "breadth", "score_level", "stand_out_level", "breadth_level"}
    for name in FEATURES:
        assert again[name] == pytest.approx(told[name] / 2 if name in halved else told[name])
    behind = replace(once, candidates=[replace(candidates[0], score=1.0), *candidates[1:]])
    row = FEATURES.index("stand_out")  # a lead that is none gets no better
    assert describe(replace(behind, novelty=0.25))[row] == describe(behind)[row] < 0


def test_the_bend_with_the_length_ends_where_no_excerpt_was_measured():
    """Between 2 and 15 s it is a parabola about 5 s; a second is as 2 s, not far up its arm."""
    row = COVARIATES.index("log_seconds_squared")
    bends = {
        seconds: list_covariates(Ranking([], 0.0, 0.0, ceiling=9.0, seconds=seconds))[row]
        for seconds in (1.0, 2.0, 5.0, 15.0, 60.0)
    }
    assert bends[1.0] == bends[2.0] == pytest.approx((math.log(2) - 1.6) ** 2)
    assert bends[5.0] < 0.001 < bends[15.0] == bends[60.0]


def test_a_false_match_is_as_likely_as_the_calibration_says():
    ranking = Ranking([Candidate("a", 0.0, 12.0, 300.0, 1.0)], 9.0, 3.0, 20.0, 10.0)
    ranking = replace(ranking, n_recordings=load_calibration()["n_recordings"])
    known = load_calibration()["quick"]
    total = sum(w * x for w, x in zip(known["weights"], describe(ranking), strict=True))
    length, ceiling = math.log(10), math.log(21)
    inputs = (1.0, length, 1.5, 0.3, ceiling, (length - 1.6) ** 2, ceiling**2, length * ceiling)
    start = sum(c * x for c, x in zip(known["start"], inputs, strict=True))
    scale = math.exp(sum(c * x for c, x in zip(known["scale"], inputs, strict=True)))
    assert total > start
    expected = known["rate"] / SHARES["quick"] * math.exp((start - total) / scale)
    assert extrapolate_tail(ranking, way="quick") == pytest.approx(expected)
    floor = load_calibration()["floor"]
    assert estimate_p_false(ranking, way="quick") == pytest.approx(max(expected, floor))
    hopeless = replace(ranking, candidates=[Candidate("a", 0.0, 0.1, 0.0, 1.0)], breadth=0.0)
    assert estimate_p_false(hopeless, way="quick") == 1


def test_an_answer_moves_with_its_window_and_becomes_json():
    best, other = Candidate("a", 10.0, 9.0, 99.0, 1.02), Candidate("b", 3.0, 4.0, 9.0, 1.0)
    answer = Answer(best, 1e-6, (best, other))
    moved = answer.shift(-5.0)
    assert [c.offset_s for c in moved.candidates] == [4.9, -2.0]
    assert moved.match == moved.candidates[0]
    told = json.loads(json.dumps(answer.to_dict()))
    first = {"song": "a", "offset_s": 10.0, "score": 9.0, "votes": 99.0, "speed": 1.02}
    assert told.pop("candidates")[0] == first | {"pitch": 1.0}
    best_only = {"match": "a", "offset_s": 10, "score": 9, "p_false": 1e-6, "speed": 1.02}
    assert told == best_only | {"reason": "match", "pitch": 1.0, "twins": []}
    twin = replace(answer, twins=(other,)).shift(-5.0)
    assert twin.twins == (moved.candidates[1],) and twin.to_dict()["twins"] == ["b"]
    unknown = replace(answer, match=None)
    assert unknown.shift(1.0).match is None and unknown.to_dict()["reason"] == "unknown"
    assert replace(unknown, heard=False).to_dict()["reason"] == "nothing"
    told = unknown.to_dict()
    assert [told[k] for k in ("match", "offset_s", "score", "speed")] == [None] * 4


def test_the_surest_window_of_a_long_excerpt_answers(monkeypatch):
    best, chances = Candidate("a", 20.0, 9.0, 99.0, 1.0), [0.5, 1e-6, 0.9]

    def ask(parts, query, **options):
        return Answer(best, chances.pop(0), (best,))

    monkeypatch.setattr("aares.identify.search.answer_query", ask)
    answer = Index().identify(make_noise(3 * WINDOW), SR)
    assert (answer.p_false, answer.match.offset_s, chances) == (1e-6, 5.0, [])


@pytest.mark.parametrize(("bank", "p_false"), [(True, 0.02), (False, 0.3)])
def test_the_closer_look_answers_where_nothing_is_accepted(monkeypatch, bank, p_false):
    asked, chances = [], {"quick": 0.6, "thorough": 0.3, "speeds": 0.02, "stretched": 0.4}

    def choose(ranking, *, way, threshold):
        asked.append((way, threshold))
        return Answer(None, chances[way], ())

    monkeypatch.setattr("aares.identify.search.choose", choose)
    answer = Index().ask(make_query(make_noise(SR)), threshold=1e-3, bank=bank)
    assert answer.p_false == p_false
    assert asked == [(way, 1e-3) for way in chances][: 4 if bank else 2]


# --- queries and signals ------------------------------------------------------------------


def test_windows_are_spread_evenly():
    assert list_windows(10) == list_windows(WINDOW) == [0]
    assert list_windows(WINDOW + 1) == [0, 1]
    assert list_windows(3 * WINDOW) == [0, WINDOW, 2 * WINDOW]
    assert list_windows(100 * WINDOW)[-1] == 99 * WINDOW and len(list_windows(100 * WINDOW)) == 8


def test_signals_become_mono_floats():
    y = np.array([[1.0, 3.0, 5.0], [3.0, 3.0, 5.0]])
    assert read_signal(y).tolist() == read_signal(y.T).tolist() == [2, 3, 5]
    assert read_signal(np.array([-32768, 16384], dtype=np.int16)).tolist() == [-1, 0.5]
    assert read_signal(np.array([0, 128], dtype=np.uint8)).tolist() == [-1, 0]
    with pytest.raises(ValueError, match="uint16"):
        read_signal(np.zeros(3, dtype=np.uint16))
    assert len(read_signal(np.zeros((8, 90)))) == 90
    with pytest.raises(ValueError, match="shape"):
        read_signal(np.zeros((9, 90)))
    same = make_noise(9)
    assert resample(same, SR) is same
    assert len(resample(make_noise(400), 16_000)) == 200
    with pytest.raises(ValueError, match="sampling rate in Hz, found -1"):
        resample(same, -1)


def test_a_query_hashes_every_step_at_its_own_speed_and_one_at_others():
    query = make_query(make_noise(3 * SR))
    found = query.find_peaks(QUICK._replace(peaks_per_block=5))
    assert [set((one.time % 2).tolist()) for one in found] == [{0}, {1}]
    power = query.evidence.power.T
    for step, one in enumerate(found):
        plain = peaks.find_peaks(power[:, step::2], per_block=5)
        assert one.bin.tolist() == plain.bin.tolist()
        assert one.time.tolist() == (2 * plain.time + step).tolist()
    both, single = query.hash(), query.hash(speed=1.01)
    assert len(single[0]) < 0.7 * len(both[0]) and query.hash() is both
    short = make_query(np.ones(10, dtype=np.float32))
    assert short.seconds == peaks.N_FFT / SR


# --- settings ---------------------------------------------------------------------------


def test_settings_have_their_range():
    for name, highest in [("peaks_per_block", 200), ("fan_out", 20)]:
        for value in (1, highest):
            assert getattr(Settings(**{name: value}), name) == value
        for value in (0, highest + 1, 2.0):
            with pytest.raises(ValueError, match=f"{name}: expected 1 to {highest}"):
                Settings(**{name: value})
