"""The arithmetic to 40 million songs, and that the page says what was measured."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from aares.scale import projection
from aares.scale.projection import Costs, Prices, count_pairs, project
from workshop import measured, road

ROOT = Path(__file__).resolve().parent.parent
COSTS = Costs(0.6, 0.2, 1e-3, 28_000, 216, 4e6, 1_000_000, 60.0)
PRICES = Prices(0.05, 20.0, "USD", "made up", "2026-01-01")


def test_the_slides_days_are_their_seconds_a_song():
    """40 million songs in 277 days are 0.6 s a song, with one core."""
    found = project(COSTS, PRICES, n_cores=1)
    assert round(found.extraction_days, 1) == 277.8
    assert int(found.extraction_days) == projection.SLIDES_DAYS


def test_each_figure_is_its_product():
    found = project(COSTS, PRICES, n_songs=10_000_000, n_cores=10)
    assert found.extraction_days == pytest.approx(10_000_000 * 0.6 / 10 / 86_400)
    assert found.prints_days == pytest.approx(10_000_000 * 0.2 / 10 / 86_400)
    assert found.core_years == pytest.approx(8_000_000 / 86_400 / 365.25)
    assert found.index_tb == pytest.approx(0.28) and found.sound_tb == pytest.approx(40)
    assert found.features_tb == pytest.approx(0.00216)
    assert (found.n_machines, found.query_ms) == (10, 60.0)
    assert found.n_pairs == count_pairs(10_000_000) == 49_999_995_000_000
    assert found.pairs_core_years == pytest.approx(found.n_pairs * 1e-3 / 86_400 / 365.25)
    assert found.compute_money == pytest.approx(8_000_000 / 3600 * 0.05)
    machines = 10 * 2 * 730 * 0.05
    assert found.month_money == pytest.approx(machines + (0.28 + 0.00216) * 20)


def test_cores_share_songs_and_pairs_do_not_grow_with_them():
    one, many = project(COSTS, PRICES, n_cores=1), project(COSTS, PRICES, n_cores=64)
    assert one.extraction_days == pytest.approx(64 * many.extraction_days)
    assert one.compute_money == many.compute_money
    assert project(COSTS, PRICES, n_songs=1_000_001).n_machines == 2
    assert project(COSTS, PRICES, n_songs=13).n_machines == 1


@pytest.mark.parametrize("change", [{"features_s": 0.0}, {"pair_s": -1.0}, {"shard_songs": 0}])
def test_a_cost_of_nothing_is_refused(change):
    with pytest.raises(ValueError, match=f"{next(iter(change))}: expected a number above 0"):
        replace(COSTS, **change)


def test_prices_and_numbers_are_checked():
    with pytest.raises(ValueError, match="core_hour: expected a number above 0, found 0"):
        replace(PRICES, core_hour=0)
    with pytest.raises(ValueError, match="expected songs and cores, found 0 and 64"):
        project(COSTS, n_songs=0)
    with pytest.raises(ValueError, match="n_songs: expected at least 0"):
        count_pairs(-1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", projection.PRICES.date) and projection.PRICES.source


def test_the_page_has_the_measured_rows():
    page = (ROOT / "aares" / "scale" / "README.md").read_text(encoding="utf-8")
    scale = measured.read_scale()
    rows = road.list_sizes(scale) + road.list_projection(scale)
    assert len(rows) == 3 + 8
    for list_rows, least in (
        (road.list_building, 3), (road.list_false, 4), (road.list_near, 3), (road.list_votes, 6)
    ):  # fmt: skip
        found = list_rows(scale)
        assert len(found) >= least, list_rows
        rows += found
    for row in rows:
        assert f"| {' | '.join(row)} |" in page, row
    service, told = scale["service"], " ".join(page.split())
    ratios = ", ".join(map(str, service["p95_over_single_of_rounds"]))
    assert f"within {ratios} times the median of a single client" in told
    listeners = service["listeners"]
    assert f"{listeners['errors']} errors, and 95 of 100" in told
    assert (
        f"takes {listeners['p50_ms']} ms, {listeners['cpu_ms_each']} ms of which are work" in told
    )
    assert f"ready for {listeners['delay_ms_each']} ms" in told
    assert f"load {service['load_average']} on two" in told
    sorted_ = scale["building"]["in_memory"][-1]
    held = sorted_["peak_mb"] - sorted_["program_mb"]
    assert f"{sorted_['n_tracks']:,} songs held {held:,} MB" in told
    unknown = scale["unknown"]
    assert f"{unknown['n']} of {unknown['n_tracks']} tracks" in told
    for pair in unknown["left_out"]:
        assert pair["unknown"].partition("__")[0].removesuffix("-data") in told
    assert projection.PRICES.date in page and projection.PRICES.source in page


def test_the_road_is_the_projection_of_what_was_measured():
    scale = measured.read_scale()
    costs = road.read_costs(scale)
    assert costs.index_bytes == pytest.approx(scale["million"]["mb"] * 1e6 / 1_000_000)
    told = dict(road.list_projection(scale))
    days = project(costs, n_cores=1).extraction_days
    assert f"= {days:.0f} days (the slides: 277)" in told["features, one core"]
    assert told["all pairs"].startswith("800 trillion × ")


def test_a_row_that_was_not_measured_is_named():
    rows = measured.read_scale()["transitions"]["rows"]
    assert road.find_row(rows, way="all pairs")["found"] == [1.0, 1.0, 1.0]
    with pytest.raises(measured.MeasuredError, match="expected a row of .'way': 'fortune'"):
        road.find_row(rows, way="fortune")


def test_what_the_page_says_of_false_matches_and_candidates_was_measured():
    scale = measured.read_scale()
    for row in scale["unknown"]["rows"]:  # the probability keeps what it promises, at each size
        assert row["low"] <= row["nominal"], row
    few, many = (road.find_row(scale["unknown"]["rows"], level=0.1, n_indexed=n)
                 for n in (1_000, 100_000))  # fmt: skip
    assert many["high"] < many["nominal"] / 2 and many["share"] < few["share"]
    near = {row[0]: float(row[3]) for row in road.list_near(scale)}
    assert near["10,000"] < 1.2 and near["100,000"] > 2
