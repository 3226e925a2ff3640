"""The benchmark of scale measures what it says: indexes, sums over segments, readers."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import benchmarks.scaling
from aares.identify import Index, Settings, make_query
from aares.identify.catalogue import fingerprint, make_part
from aares.identify.query import LOOKS
from aares.scale.simulated import gather_models, simulate_track
from benchmarks.scaling import catalogues, million, readers, service, unknown

RNG = np.random.default_rng(11)
NOISES = RNG.standard_normal((6, 80_000), dtype=np.float32)


def test_a_segment_made_in_two_passes_is_what_memory_would_hold():
    models = gather_models([fingerprint("noise", NOISES[0], Settings())])

    def make(number):
        return simulate_track(models, number, seconds=20.0 + number)

    part, expected = catalogues.build_part(range(3, 9), make), make_part(map_all(make, 3, 9), 0)
    for name, array in expected.segment._asdict().items():
        np.testing.assert_array_equal(getattr(part.segment, name), array, err_msg=name)
        assert getattr(part.segment, name).dtype == array.dtype
    assert list(part.recordings) == list(expected.recordings)


def map_all(make, first, last):
    return [make(number) for number in range(first, last)]


def test_segments_asked_one_by_one_say_what_the_index_says():
    index = Index()
    for first in (0, 3):
        index._add(fingerprint(str(k), NOISES[k], Settings()) for k in range(first, first + 3))
    assert len(index._parts) == 2
    total = sum(len(part.segment.postings) for part in index._parts)
    for row, heard in enumerate((NOISES[4][16_000:56_000], RNG.standard_normal(40_000))):
        query = make_query(heard.astype(np.float32))
        for way in LOOKS:
            found = [million.ask_part(part, query, way, total) for part in index._parts]
            assert million.join(found, query, len(index)) == index.rank(query, way)
            assert all(one.spent_s >= 0 for one in found)
        parts = [
            {"n": len(part), "said": {way: [million.ask_part(part, query, way, total)]
                                      for way in LOOKS}}
            for part in index._parts
        ]  # fmt: skip
        answer, _ = million.answer(parts, 0, query)
        assert answer == index.ask(query, bank=False)
        assert (answer.match is not None) == (row == 0)


def test_what_is_below_a_level_is_counted_by_track():
    tails, names = np.array([0.5, 0.001, 0.5, 0.002]), ["a", "a", "b", "b"]
    told = unknown.count(tails, names, 0.01)
    assert (told["below"], told["share"]) == (2, 0.5) and told["low"] == told["high"] == 0.5


def test_where_no_excerpt_is_below_the_interval_is_not_nothing():
    told = unknown.count(np.ones(200), [str(k // 2) for k in range(200)], 0.01)
    assert (told["below"], told["low"]) == (0, 0.0)
    assert told["high"] == pytest.approx(0.0362, abs=1e-4)  # Clopper and Pearson: 0 of 100


def test_unknown_music_is_in_no_index_and_in_no_model(monkeypatch):
    rng = np.random.default_rng(0)

    def list_tracks(role):
        noise = rng.standard_normal(12 * 8000, dtype=np.float32)
        names = (f"{role}-{k}" for k in range(4))
        return [SimpleNamespace(name=name, load=lambda: noise) for name in names]

    pairs = [("report-1", "indexed-0"), ("choose-2", "report-3"), ("report-0", "report-2"),
             ("indexed-1", "choose-1")]  # fmt: skip
    monkeypatch.setattr(unknown.sources, "list_tracks", list_tracks)
    monkeypatch.setattr(unknown.catalogue, "list_shared", lambda: pairs)
    known = unknown.list_known()
    assert known == [("report-1", "indexed-0"), ("report-3", "choose-2")]
    asked = [name for name, _ in unknown.draw_unknown({a for a, _ in known}, 1)]
    assert asked == ["report-0", "report-2"] * unknown.EACH


def test_recall_counts_what_is_as_near_as_the_nearest(monkeypatch):
    pytest.importorskip("usearch", reason="the graph is of the extra [scale]")
    monkeypatch.syspath_prepend(Path(benchmarks.scaling.__file__).parent.parent)
    from benchmarks.scaling import neighbours

    points = np.random.default_rng(2).standard_normal((900, 5))
    points[450:] = points[:450]  # each twice: which of the two is found is all the same
    rows = neighbours.summarise([neighbours.search(points, draw) for draw in range(2)])["rows"]
    told = {row["way"]: row for row in rows}
    assert {"graph, 16", "graph, 256", "all, on the grid", "k-d tree"} <= set(told)
    for row in told.values():
        mean, low, high = row["recall_low_high"]
        assert low <= mean <= high <= 1 and row["query_ms"] > 0
    assert told["k-d tree"]["recall_low_high"] == [1.0, 1.0, 1.0]
    assert told["all, on the grid"]["recall_low_high"][0] > 0.99
    assert told["all, on the grid"]["faster"] == 1 and told["graph, 256"]["faster"] > 0
    assert told["graph, 16"]["mb"] > told["all, on the grid"]["mb"]


def test_the_round_in_the_middle_stands_for_the_three():
    rounds = [
        {"single": {"n": k}, "load_average": 2.0 * k,
         "listeners": {"p95_over_single": ratio, "delay_ms_each": 1.0 * k}}
        for k, ratio in enumerate((9.0, 1.5, 2.0))
    ]  # fmt: skip
    told = service.join_rounds(rounds)
    assert told["single"] == {"n": 2} and told["load_average"] == 4.0
    assert told["p95_over_single_of_rounds"] == [9.0, 1.5, 2.0]
    assert told["load_average_of_rounds"] == [0.0, 2.0, 4.0]


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="only Linux counts it")
def test_who_has_no_core_waits():
    before = service.read_delay_s(os.getpid()), service.read_cpu_s(os.getpid())
    sum(range(2_000_000))
    assert service.read_delay_s(os.getpid()) >= before[0] >= 0
    assert 0 <= service.read_delay_s(os.getpid()) < 1e6 and before[1] > 0


@pytest.mark.skipif(sys.platform == "win32", reason="the benchmark forks its readers")
def test_readers_beside_a_writer_are_never_wrong(tmp_path):
    found = readers.read_beside(tmp_path / "music.index", 2, 1.5)
    assert found["errors"] == [] and found["wrong"] == 0, found
    assert found["n"] >= 4 and found["saved"] >= 1 and found["openings"] >= 1, found
