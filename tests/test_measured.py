"""What benchmarks measured: kept with date and machine, bound, and read from there only."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from datetime import date

import numpy as np
import pytest

from workshop import measured, notebooks
from workshop.config import ROOT
from workshop.measured import MeasuredError
from workshop.report import TEXT

CLOCKS = {"perf_counter", "process_time", "monotonic", "time_ns", "perf_counter_ns", "timeit",
          "default_timer", "now", "today", "utcnow", "thread_time"}  # fmt: skip


def load_benchmark(name):
    """Import a benchmark by its path: `fingerprint` is the hand-in's name too."""
    path = ROOT / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_thousand_tracks_belong_to_this_calibration(tmp_path, monkeypatch):
    found = measured.read_benchmark()
    assert {"accuracy", "unknown", "reliability", "nonmusic", "peers", "shared"} <= set(found)
    for name in ("accuracy", "unknown", "nonmusic"):
        assert 2 * found[name]["n_real"] >= found[name]["n_indexed"] > 600  # half of it is real
    for row in found["accuracy"]["rows"]:
        assert 0 <= row["accepted"] <= row["first"] <= found["accuracy"]["n"]
    found["peers"]["calibration"] = "another"
    (tmp_path / "identify.json").write_text(json.dumps(found))
    monkeypatch.setattr(measured, "BENCHMARK", tmp_path / "identify.json")
    with pytest.raises(MeasuredError, match="'peers' was measured with another calibration"):
        measured.read_benchmark()


def test_what_is_not_there_says_what_to_run(tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "TIMES", tmp_path / "fingerprint.json")
    with pytest.raises(MeasuredError, match=r"fingerprint.json: .* run.py bench fingerprint"):
        measured.read_times()


def test_the_figures_of_recommending_have_their_origin_and_say_what_to_run(monkeypatch, tmp_path):
    for name in ("rules", "language"):
        for section in measured.read_recommend(name).values():
            assert date.fromisoformat(section["date"]) and section["machine"]
    monkeypatch.setattr(measured, "RESULTS", tmp_path)
    with pytest.raises(MeasuredError, match=r"recommend-x.json: .* run benchmarks/recommend.py x"):
        measured.read_recommend("x")


def test_times_have_a_date_and_a_machine_and_both_ways_of_one_run():
    times = measured.read_times()
    assert set(times) == {"loops", "lengths", "growth"}
    for section in times.values():
        assert date.fromisoformat(section["date"]) and section["n_songs"] >= 7
        assert "cores" in section["machine"] and "Python" in section["machine"]
        assert section["date"] in measured.describe_origin(section)
    assert times["loops"]["loops_s"] > times["loops"]["compiled_s"] > 0
    rows = times["growth"]["rows"]
    assert [row["songs"] for row in rows] == sorted({row["songs"] for row in rows})
    assert all(value > 0 for row in rows for value in row.values())


def test_what_is_kept_has_its_origin_and_leaves_other_sections(tmp_path):
    path = tmp_path / "times.json"
    measured.keep(path, "one", ms=1.5)
    measured.keep(path, "two", ms=2.5)
    kept = json.loads(path.read_text())
    assert kept["one"]["ms"] == 1.5 and kept["two"]["ms"] == 2.5
    assert date.fromisoformat(kept["two"]["date"])
    assert kept["two"]["machine"] == measured.describe_machine()
    assert measured.describe_origin({"date": "2026-11-26"}) == "measured on 2026-11-26"


def test_searches_are_timed_on_songs_they_agree_on():
    rng = np.random.default_rng(0)
    songs = [rng.standard_normal(80 * 8000).astype("float32") for _ in range(2)]
    growth = load_benchmark("fingerprint").time_growth(songs, (2, 3), rng=rng)
    assert [row["songs"] for row in growth["rows"]] == [2, 3] and growth["n_excerpts"] == 3
    assert all(value > 0 for row in growth["rows"] for value in row.values())
    assert growth["rows"][0]["inverted_mb"] < growth["rows"][0]["dictionaries_mb"]


BENCHMARKED = {
    r'"(?:catalogue|growth)_': ("catalogue_date", "catalogue_unknown_date", "growth_origin"),
    r'"hit_': ("closeness_date",),
    r'"agree': ("rules_date",),
    r'"skipped_': ("lists_date",),
    r'"ranker_': ("ranker_date",),
    r'"artists_': ("artists_date",),
}
"""What names of numbers begin with in the report, and what its paragraph must give as well."""


@pytest.mark.parametrize("begin", BENCHMARKED)
def test_the_report_gives_the_date_of_what_a_benchmark_measured(begin):
    text = TEXT.read_text(encoding="utf-8")
    paragraphs = [part for part in text.split("\n\n") if re.search(begin, part)]
    assert len(paragraphs) >= 1
    for paragraph in paragraphs:
        assert any(name in paragraph for name in BENCHMARKED[begin]), paragraph


# --- no stopwatch in what must come out the same twice ----------------------------------------


def find_clocks(code):
    """Name what a program could read a clock by."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name in {"time", "timeit"}]
        elif isinstance(node, ast.ImportFrom):
            found += [node.module] if node.module in {"time", "timeit"} else []
        elif isinstance(node, ast.Attribute) and node.attr in CLOCKS:
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize(
    "code",
    ["import time", "from time import perf_counter", "import timeit", "x = datetime.now()",
     "from datetime import date\ndate.today()", "pd.Timestamp.now()", "shell.timeit('1')"],
)  # fmt: skip
def test_every_way_to_read_a_clock_is_seen(code):
    assert find_clocks(code) != []
    assert find_clocks("frames = peaks.time[rows]\nnow = today = 1") == []


@pytest.mark.parametrize("name", notebooks.list_names())
def test_no_notebook_reads_a_clock(name):
    for cell in notebooks.from_source(name).cells:
        if cell.cell_type == "code":
            assert "%time" not in cell.source
            assert find_clocks(cell.source) == [], cell.source


def test_nothing_that_notebooks_compute_with_reads_a_clock():
    alone = ("workshop/results.py", "fingerprint.py", "utils_projet.py", "submission/example.py")
    files = [*ROOT.glob("aares/**/*.py"), *ROOT.glob("workshop/plots/*.py")]
    files += [ROOT / name for name in alone]
    for name in ("indexing.py", "mapping.py"):  # say how far they are
        files.remove(ROOT / "aares" / "cli" / name)
    files.remove(ROOT / "aares" / "data" / "dates.py")  # a year after the next is none of a release
    clocks = {path.name: find_clocks(path.read_text(encoding="utf-8")) for path in files}
    assert {name: found for name, found in clocks.items() if found} == {}
