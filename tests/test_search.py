"""What the search finds in noise, in large indexes, and at other speeds, tempi and pitches."""

from dataclasses import replace
from functools import cache, partial
from types import SimpleNamespace

import numpy as np
import pytest

from aares.audio import distortions
from aares.identify import Index, Settings, evidence, make_query, pairs, peaks, query, search, vote
from aares.identify.answer import Answer
from aares.identify.catalogue import fingerprint, make_part
from aares.identify.query import QUICK, THOROUGH, Look
from aares.identify.ranking import Candidate
from aares.identify.search import WAYS
from aares.identify.segment import make_segment, make_table
from benchmarks.identifying import large

SR = 8000


@cache
def make_tune(seed, *, seconds=25, speed=1.0, pitch=1.0):
    """Return decaying notes in any tempo and key: the same notes for the same seed."""
    rng = np.random.default_rng(seed)
    y = 0.001 * np.random.default_rng(seed + 99).standard_normal(int(seconds * SR / speed))
    time_s, start_s = np.arange(SR) / SR, 0.0
    while start_s < seconds - 1.2:
        for tone_hz in 110 * 2 ** (rng.integers(0, 36, size=2) / 12) * speed * pitch:
            for harmonic in (1, 2):
                note = np.exp(-rng.uniform(3, 8) * time_s * speed) / harmonic
                note *= np.sin(2 * np.pi * tone_hz * harmonic * time_s)
                start = round(start_s / speed * SR)
                room = y[start : start + SR]
                room += 0.1 * note[: len(room)]
        start_s += rng.uniform(0.2, 0.5)
    return y.astype(np.float32)


@pytest.fixture(scope="module")
def index():
    """Index twelve tunes."""
    return Index.from_signals({f"tune {seed}": make_tune(seed) for seed in range(12)})


def ask(index, y, way, **options):
    """Return the best candidate of 8 s."""
    return index.rank(make_query(y[5 * SR : 13 * SR]), way, **options).candidates[0]


@pytest.mark.parametrize("speed", [0.9225, 0.96, 1.0325, 1.0775])
def test_a_fader_is_followed_to_eight_per_cent(index, speed):
    best = ask(index, make_tune(4, speed=speed), "speeds")
    assert best.song == "tune 4" and best.pitch == 1
    assert best.speed == pytest.approx(speed, abs=0.005)
    assert best.offset_s == pytest.approx(5 * speed, abs=0.12)


@pytest.mark.parametrize("tempo", [0.925, 0.96, 1.04, 1.075])
def test_key_lock_is_another_tempo_at_the_same_pitch(index, tempo):
    best = ask(index, make_tune(7, speed=tempo, pitch=1 / tempo), "stretched")
    assert best.song == "tune 7" and best.speed == pytest.approx(tempo, abs=0.006)
    assert best.speed * best.pitch == pytest.approx(1, abs=1e-3)
    assert best.offset_s == pytest.approx(5 * tempo, abs=0.12)


@pytest.mark.parametrize("semitones", [-3, -2, -1, 1, 2, 3])
def test_a_transposed_recording_keeps_its_tempo(index, semitones):
    best = ask(index, make_tune(9, pitch=2 ** (semitones / 12)), "stretched")
    assert best.song == "tune 9" and best.speed == 1
    assert best.pitch == pytest.approx(2 ** (semitones / 12), abs=0.004)
    assert best.offset_s == pytest.approx(5, abs=0.1)


def test_pitch_counts_in_the_evidence():
    """A peak is looked for at its bin times speed and pitch, at its step over the speed."""
    packed = np.array([3 << 14 | 8 << 9 | 100, 3 << 14 | 20 << 9 | 200], dtype=np.uint16)
    blocks = np.array([0, 2], dtype=np.uint32)
    for speed, pitch in ((1.0, 1.1), (0.9, 1.2), (1.25, 0.8)):
        excess = np.zeros((512, 80), dtype=np.int8)
        for frame, b in ((8, 100), (20, 200)):
            excess[round(b * speed * pitch), round(2 * frame / speed)] = 80
        arrays = blocks, packed, np.array([0]), excess, speed, 0
        assert evidence.measure(*arrays, pitch)[0][0] == pytest.approx(10 * 2**0.5)
        plain = evidence.measure(*arrays)[0][0]
        assert plain < 1 or pitch * speed == 1 == pitch


def test_pitch_counts_in_the_hashes():
    found = peaks.Peaks(np.array([0, 16], np.int32), np.array([120, 132], np.int32), np.zeros(2))
    hashes, times = pairs.hash_query(found, fan_out=1, speed=1.0, pitch=1.2)
    assert [(h >> 13, (h >> 6 & 127) - 64, h & 63) for h in hashes.tolist()] == [(100, 10, 8)]
    assert times.tolist() == [0]
    kept, _ = pairs.hash_query(found, fan_out=1, speed=1.25, pitch=0.8)
    assert [(h >> 13, (h >> 6 & 127) - 64, h & 63) for h in kept.tolist()] == [(120, 12, 10)]


@pytest.mark.parametrize("way", WAYS)
def test_what_is_left_out_is_never_answered(index, way):
    y = make_tune(2)[5 * SR : 13 * SR]
    found = index.rank(make_query(y), way).candidates
    left = index.rank(make_query(y), way, without={"tune 2"}).candidates
    assert found[0].song == "tune 2"
    assert left and all(candidate.song != "tune 2" for candidate in left)


def test_twins_have_the_same_evidence():
    again = make_tune(3)
    index = Index.from_signals({"original": again, "other": make_tune(5), "remaster": 0.5 * again})
    first, second, *_ = index.rank(make_query(again[5 * SR : 13 * SR]), "quick").candidates
    assert {first.song, second.song} == {"original", "remaster"}
    assert second.score == pytest.approx(first.score, rel=0.01)
    assert second.votes == pytest.approx(first.votes, rel=0.01)


# --- noise --------------------------------------------------------------------------------


def test_delays_are_blurred():
    hashes = np.array([100 << 13 | 64 << 6 | 63, 7 << 13 | 3], dtype=np.uint32)
    blurred, rows, weights = pairs.blur_delays(hashes, slack=2)
    assert blurred[:2].tolist() == hashes.tolist()
    delays = sorted(
        zip(
            rows.tolist(),
            (blurred & 63).tolist(),
            np.round(weights.astype(float), 2).tolist(),
            strict=True,
        )
    )
    assert delays == [(0, 61, 0.49), (0, 62, 0.7), (0, 63, 1.0),
                      (1, 2, 0.7), (1, 3, 1.0), (1, 4, 0.7), (1, 5, 0.49)]  # fmt: skip
    assert ((blurred >> 6) == hashes[rows] >> 6).all()
    same, rows, weights = pairs.blur_delays(hashes, slack=0)
    assert same.tolist() == hashes.tolist() and rows.tolist() == [0, 1] and weights.min() == 1


def test_a_note_that_noise_moved_still_votes():
    """Delays of 20 frames were indexed; of the query's pairs one has a delay of 21."""
    hashes = np.array([9 << 13 | 64 << 6 | 20], dtype=np.uint32)
    times = np.array([50], dtype=np.uint32)
    segment = make_segment(hashes, times, np.array([0]), np.array([], dtype=np.uint16))
    table, moved = make_table(segment.keys), hashes + np.uint32(1)
    options = {"budget": 99, "n_places": 9}
    steps = np.zeros(1, dtype=np.int32)
    assert len(vote.find_places(segment, table, moved, steps, **options)[0]) == 0
    blurred, rows, weights = pairs.blur_delays(moved, slack=1)
    places, scores = vote.find_places(
        segment, table, blurred, steps[rows], weights=weights, slack=1, **options
    )
    assert places.tolist() == [100] and scores[0] == pytest.approx(pairs.BLUR, abs=0.02)


def test_heard_hashes_vote_before_blurred_ones():
    counts, weights = np.array([5, 1, 3, 2]), np.array([1, 0.7, 1, 0.7], dtype=np.float32)
    for budget, chosen in ((3, [2]), (4, [1, 2]), (8, [0, 2]), (9, [0, 1, 2]), (11, [0, 1, 2, 3])):
        assert np.flatnonzero(vote._choose_weighty(counts, weights, budget)).tolist() == chosen


def test_the_closer_look_finds_what_the_quick_one_loses_in_noise(index):
    """At -21 dB, of 12 excerpts."""
    found = {"quick": 0, "thorough": 0}
    rng = np.random.default_rng(0)
    for number in range(12):
        y = make_tune(number)[(4 + number) * SR + 77 :][: 6 * SR]
        noisy = make_query(distortions.add_noise(y, "white", rng, snr_db=-21))
        for way in found:
            candidates = index.rank(noisy, way).candidates
            found[way] += bool(candidates) and candidates[0].song == f"tune {number}"
    assert found["thorough"] >= found["quick"] + 3, found


# --- a large index ------------------------------------------------------------------------


def test_the_look_grows_by_its_rule():
    look = Look(12, 4, 6_000, 40)
    assert look.grow(0) == look.grow(query.BASE_POSTINGS) == look
    assert look.grow(9 * query.BASE_POSTINGS) == look._replace(budget=54_000, n_candidates=120)
    most = THOROUGH.grow(10**12)
    assert (most.budget, most.n_candidates) == (query.MOST_VOTES, query.MOST_PLACES)
    assert QUICK.grow(10**12).peaks_per_block == QUICK.peaks_per_block


@pytest.mark.parametrize(
    ("n_places", "window"), [(1, 3), (7, 3), (40, 7), (100, 3), (200, 3), (900, 3)]
)
def test_crowds_are_those_of_all_votes(n_places, window):
    """What is passed over as too low changes neither which crowds are the highest, nor ties."""
    rng = np.random.default_rng(n_places)
    places = np.sort(np.concatenate([
        rng.integers(-50, 6_000, 2_500),
        *(rng.normal(centre, 3, size).astype(int) for centre, size in rng.integers(1, 90, (40, 2))),
    ]))  # fmt: skip
    weights = rng.integers(1, 6, len(places)) * 64  # many crowds are equal
    crowds = []
    for last, place in enumerate(places):
        inside = (places[: last + 1] >= place - window).nonzero()[0]
        score = np.float32(weights[inside].sum() / 64)
        centre = (places[inside[0]] + place) // 2
        if crowds and centre - crowds[-1][0] <= 2 * window:
            crowds[-1] = max(crowds[-1], (centre, score), key=lambda crowd: crowd[1])
        else:
            crowds.append((centre, score))
    scores = np.array([score for _, score in crowds], dtype=np.float32)
    order = vote._list_highest(scores, min(n_places, len(scores)))
    found, heights = vote._find_crowds(places << 12 | weights, n_places, window)
    assert found.tolist() == np.array([centre for centre, _ in crowds])[order].tolist()
    assert heights.tolist() == scores[order].tolist()


def test_the_parts_of_a_large_index_share_what_is_looked_at():
    base, crowd = query.BASE_POSTINGS, 100 * query.CROWDED
    assert THOROUGH.grow(base, 2 * base) == THOROUGH.grow(base) == THOROUGH  # of a small one, not
    tenth = THOROUGH.grow(crowd // 10, crowd)
    assert (tenth.budget, tenth.n_candidates) == (query.MOST_VOTES // 10, query.MOST_PLACES // 10)
    new = THOROUGH.grow(1000, crowd)  # what was added last is found as well
    assert (new.budget, new.n_candidates) == (query.LEAST_VOTES, query.LEAST_PLACES)


def test_a_crowded_index_is_looked_at_by_its_own_looks():
    """Up to a size all is as probabilities were fitted; beyond it few peaks, delays blurred."""
    for way, look in query.LOOKS.items():
        assert query.choose_look(way, query.CROWDED) == look
    quick, thorough = (query.choose_look(way, query.CROWDED + 1) for way in query.LOOKS)
    peaks_of = [(look.peaks_per_block, look.fan_out, look.reach) for look in (quick, thorough)]
    assert peaks_of == [(QUICK.peaks_per_block, QUICK.fan_out, QUICK.reach)] * 2
    assert (quick.slack, thorough.slack) == (0, THOROUGH.slack)
    hundred_thousand, share = 133 * query.BASE_POSTINGS, 66 * query.BASE_POSTINGS
    assert 200_000 <= quick.grow(share, hundred_thousand).budget < QUICK.grow(share).budget
    assert thorough.grow(share, hundred_thousand).budget > 0.49 * query.MOST_VOTES


def test_a_crowded_search_has_its_own_looks(monkeypatch):
    parts, looks = Index.from_signals({"it": make_tune(1)})._parts, []
    asked = make_query(make_tune(1)[5 * SR : 13 * SR])
    monkeypatch.setattr(query, "CROWDED", 1)
    monkeypatch.setattr(search, "search_part", lambda *given, **_: looks.append(given[2]) or [])
    for way in query.LOOKS:
        search.rank_candidates(parts, asked, way)
    assert looks == list(query.CROWDED_LOOKS.values())


def test_where_few_can_vote_the_strongest_peaks_hashes_find_more_in_noise():
    """Others share the music's hashes, and few those of noise: the rarest are the noise's."""
    rng, found = np.random.default_rng(3), {"many peaks": 0, "few": 0}
    looks = {"many peaks": THOROUGH, "few": query.CROWDED_LOOKS["thorough"]}
    for number in range(8):
        part = Index.from_signals({"it": make_tune(number)})._parts[0]
        heard = distortions.add_noise(make_tune(number)[5 * SR : 13 * SR], "white", rng, snr_db=-13)
        asked, segment = make_query(heard), part.segment
        keys = np.unique(np.concatenate([asked.hash(look).hashes for look in looks.values()]))
        counts = np.where(np.isin(keys, segment.keys), 400, 40)
        first = 32 * len(segment.blocks)
        frames = rng.integers(first, first + 2_000_000, counts.sum()).astype(np.uint32)
        all_keys = np.concatenate([np.repeat(segment.keys, np.diff(segment.starts)),
                                   np.repeat(keys, counts)])  # fmt: skip
        large = make_segment(
            all_keys, np.append(segment.postings, frames), np.zeros(9, int), segment.peaks
        )
        table = make_table(large.keys)
        for name, look in looks.items():
            places, _ = vote.find_places(
                large, table, *asked.hash(look)[:2], weights=asked.hash(look).weights,
                budget=100_000, n_places=100, slack=look.slack,
            )  # fmt: skip
            found[name] += bool((np.abs(places - 5 * SR / 128) < 8).any())
    assert found["few"] >= found["many peaks"] + 3, found


def test_one_place_may_have_all_votes():
    """Votes that were passed over where they could not be high are summed where they can."""
    votes = np.sort(
        np.concatenate([np.full(100_000, 5 << 12 | 64), np.arange(90, 9000, 9) << 12 | 1])
    )
    places, scores = vote._find_crowds(votes, 3)
    assert places[0] == 5 and scores[0] == 100_000


def test_a_crowded_index_does_not_forget(monkeypatch):
    """Each hash of the query has 400 postings elsewhere, as in an index of very many recordings."""
    y, rng = make_tune(1), np.random.default_rng(1)
    part = Index.from_signals({"it": y})._parts[0]
    heard = distortions.add_noise(y[5 * SR : 13 * SR], "white", rng, snr_db=-3)
    asked = make_query(heard)
    hashes, times, _ = asked.hash()
    n_blocks, segment = 40_000, part.segment
    n = 400 * len(np.unique(hashes))
    crowd = np.repeat(np.unique(hashes), 400)
    frames = rng.integers(32 * len(segment.blocks), 32 * n_blocks, n).astype(np.uint32)
    keys = np.concatenate([np.repeat(segment.keys, np.diff(segment.starts)), crowd])
    counts = np.append(np.diff(segment.blocks), np.zeros(n_blocks, dtype=np.uint32))
    large = make_segment(keys, np.append(segment.postings, frames), counts, segment.peaks)
    table = make_table(large.keys)

    def find(look):
        options = {"budget": look.budget, "n_places": look.n_candidates}
        places, _ = vote.find_places(large, table, hashes, times, **options)
        return bool((np.abs(places - 5 * SR / 128) < 5).any())

    monkeypatch.setattr(query, "BASE_POSTINGS", n // 100)
    assert not find(QUICK)
    assert find(QUICK.grow(n))


def test_a_large_part_is_what_memory_would_hold(tmp_path, monkeypatch):
    """Sorted by counting, chunk by chunk: the arrays are those of `make_part`."""
    monkeypatch.setattr(large, "CHUNK", 4)
    tracks = [
        SimpleNamespace(name=f"tune {seed}", load=partial(make_tune, seed)) for seed in (0, 1)
    ]
    part = large.build_part(tracks, 6, tmp_path)
    prints = [fingerprint(track.name, track.load(), Settings()) for track in tracks]
    chunks = [large.make_chunk(prints, range(4)), large.make_chunk(prints, range(4, 6))]
    expected = make_part([one for chunk in chunks for one in chunk], 0)
    for name, array in expected.segment._asdict().items():
        found = getattr(part.segment, name)
        assert found.dtype == array.dtype and np.array_equal(found, array), name
    assert [r.n_blocks for r in part.recordings] == [r.n_blocks for r in expected.recordings]
    assert [r.name for r in part.recordings[:3]] == ["tune 0", "tune 1", "varied 2"]
    again = large.build_part(tracks, 6, tmp_path)  # from what is kept
    assert np.array_equal(again.segment.postings, part.segment.postings)


def test_of_equally_unsure_answers_the_closer_look_counts():
    best = Candidate("a", 0.0, 3.0, 40.0, 1.0)
    quick, thorough, speeds = (
        Answer(None, 1.0, (replace(best, song=way),)) for way in ("quick", "thorough", "speeds")
    )
    assert search.choose_answer([quick, thorough, speeds]) is thorough
    assert search.choose_answer([quick]) is quick
    surer = replace(quick, p_false=0.2, tail=0.2)
    assert search.choose_answer([surer, thorough, speeds]) is surer
    accepted = replace(speeds, match=speeds.candidates[0])
    assert search.choose_answer([surer, thorough, accepted]) is accepted
