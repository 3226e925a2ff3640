"""The benchmark of scale measures what it says: indexes, sums over segments, readers."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from aares.identify import Index, Settings, make_query
from aares.identify.catalogue import fingerprint, make_part
from aares.identify.query import LOOKS
from aares.scale.simulated import gather_models, simulate_track
from benchmarks.scaling import catalogues, million, readers, unknown

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


@pytest.mark.skipif(sys.platform == "win32", reason="the benchmark forks its readers")
def test_readers_beside_a_writer_are_never_wrong(tmp_path):
    found = readers.read_beside(tmp_path / "music.index", 2, 1.5)
    assert found["errors"] == [] and found["wrong"] == 0, found
    assert found["n"] >= 4 and found["saved"] >= 1 and found["openings"] >= 1, found
