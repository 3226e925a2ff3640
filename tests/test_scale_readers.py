"""Readers beside a writer: no wrong answer, no error."""

from __future__ import annotations

import sys

import pytest

from benchmarks.scaling import readers


@pytest.mark.skipif(sys.platform == "win32", reason="the benchmark forks its readers")
def test_readers_beside_a_writer_are_never_wrong(tmp_path):
    found = readers.read_beside(tmp_path / "music.index", 2, 2.5)
    assert found["errors"] == [] and found["wrong"] == 0, found
    assert found["n"] >= 8 and found["saved"] >= 2 and found["openings"] >= 2, found
