"""Figures of exercise 2 on made-up data, plain and awkward; see `figure_checks`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from figure_checks import (
    DETAIL,
    FINDING,
    GENRES,
    NAMES,
    draws,
    read_line,
    read_names,
    read_spans,
    read_texts,
)
from numpy.testing import assert_allclose

from workshop.plots import popularity

YEARS = ("energy", "acousticness", "loudness", "duration_min", "valence", "explicit")


@draws(
    popularity.draw_popularity,
    labels=[("popularity (points, 0–100)", "songs")],
    data={"plain": [0] * 250 + list(range(100)) * 3, "no zero": [50, 50, 60],
          "one": [0], "few zeros": [0] + [1] * 99},
    height=2.7,
)  # fmt: skip
def test_popularity(draw, ax, values):
    draw(pd.Series(values), ax, title=FINDING, detail=DETAIL)
    heights = [bar.get_height() for bar in ax.patches]
    assert heights[:100] == [values.count(points) for points in range(1, 101)]
    assert heights[100:] == [values.count(0)]
    assert ax.texts[0].get_text().startswith(f"{values.count(0) / len(values):.0%} of the songs")


def make_years(year, mid, columns=YEARS):
    rows = [
        (name, y, m - 0.2, m, m + 0.3) for name in columns for y, m in zip(year, mid, strict=True)
    ]
    return pd.DataFrame(rows, columns=["column", "year", "low", "mid", "high"])


def check_years(ax, part):
    assert_allclose(read_line(ax), np.c_[part["year"], part["mid"]])
    (band,) = ax.collections[0].get_paths()
    n = len(part)
    assert_allclose(band.vertices[1 : n + 1, 1], part["low"])
    assert_allclose(band.vertices[n + 2 : 2 * n + 2, 1], part["high"].iloc[::-1])


@draws(
    popularity.draw_years,
    labels=[("", "0–1"), ("", "0–1"), ("", "dB"), ("year of release", "minutes"),
            ("year of release", "0–1"), ("year of release", "share of songs")],
    data={"plain": make_years(range(1960, 2021), np.linspace(0.2, 0.6, 61)),
          "one year": make_years([2020], [0.5]),
          "negative": make_years([1921.5, 2020], [-60.25, -5.125])},
    height=4.2, rows=2, cols=3, sharex=True,
)  # fmt: skip
def test_years(draw, axes, table):
    draw(table, axes)
    for ax, name in zip(axes.ravel(), YEARS, strict=True):
        check_years(ax, table[table["column"] == name])
        assert ax.get_title(loc="left") == popularity.LABELS[name][0]


@draws(
    popularity.draw_pairs,
    labels=[("popularity of the more popular release (points)", "of the other release (points)")],
    data={"plain": (np.linspace(0, 88, 40), np.r_[np.zeros(30), np.linspace(1, 60, 10)]),
          "one": ([3], [3]), "all zero": ([0] * 5, [0] * 5), "top": ([100] * 3, [100, 0, 1])},
    width=4.2, height=3.4,
)  # fmt: skip
def test_pairs(draw, ax, data):
    pairs = pd.DataFrame({"higher": data[0], "lower": data[1]})
    draw(pairs, ax, title="In 73% of the pairs, one of two copies is at 0", detail=DETAIL)
    assert_allclose(ax.collections[0].get_offsets(), pairs, atol=2.5)
    low, high = ax.get_xlim()
    assert low < 0 and high >= max(data[0]) and ax.get_ylim() == (low, high)


def make_places(names, spread):
    at = np.random.default_rng(3).normal(scale=spread, size=(len(names), 2))
    table = pd.DataFrame(at, names, ["x", "y"])
    return table.assign(songs=range(900, 900 - len(names), -1), popularity=np.arange(len(names)))


MICRO = [f"{kind} {name}" for name in ("rock", "electro house", "pop", "soul jazz", "hip hop")
         for kind in ("modern", "progressive", "southern", "neo", "classic", "adult", "mellow",
                      "contemporary")]  # fmt: skip


@draws(
    popularity.draw_genre_map,
    labels=[("", "")],
    data={"40 genres": make_places(MICRO, 1.0), "one": make_places(NAMES[1:2], 1.0),
          "one place": make_places(NAMES, 0.0),
          "two families": pd.concat([make_places(MICRO[:20], 1.0),
                                     make_places(MICRO[20:], 1.0).add([9, 9, 0, 0])])},
    height=5.4,
)  # fmt: skip
def test_genre_map(draw, ax, places):
    draw(places, ax, title=FINDING, detail=DETAIL)
    points = ax.collections[0]
    assert_allclose(points.get_offsets(), places[["x", "y"]])
    assert_allclose(points.get_array(), places["popularity"])
    assert points.get_sizes().argmax() == places["songs"].argmax()
    assert points.colorbar.ax.get_ylabel() == "mean popularity (points)"
    assert {text.get_text() for text in ax.texts} >= set(places.index)


DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


@draws(
    popularity.draw_weekdays,
    labels=[("", "share of releases")] * 2,
    data={"plain": ([0.3, 0.32, 0.06, 0.06, 0.18, 0.04, 0.04], [0.1, 0.1, 0, 0, 0.7, 0.1, 0]),
          "same day": ([0, 0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 1, 0, 0]),
          "neighbours": ([0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0]),
          "first and last": ([1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 1]),
          "equal": ([1 / 7] * 7, [1 / 7] * 7)},
    height=2.8, cols=2,
)  # fmt: skip
def test_weekdays(draw, axes, data):
    table = pd.DataFrame({"before": data[0], "since": data[1]}, DAYS)
    for ax in axes:
        draw(table, ax, title="Friday: 18% → 68%", detail="6,799 dated releases")
        assert [bar.get_height() for bar in ax.patches] == [*data[0], *data[1]]
        assert read_names(ax.xaxis) == DAYS


@draws(
    popularity.draw_months,
    labels=[("month of release", "mean popularity (points)")] * 2,
    data={"plain": (range(1, 13), np.linspace(26, 33, 12), 2.0), "one": ([12], [30.0], 0.0),
          "below 0": (range(1, 13), np.linspace(-1, 1, 12), 3.0)},
    height=2.8, cols=2,
)  # fmt: skip
def test_months(draw, axes, data):
    months, values, error = data
    for ax in axes:
        table = pd.DataFrame({"popularity": values, "error": error}, index=months)
        draw(table, ax, title="No month stands out from all the others", detail=DETAIL)
        assert_allclose(read_line(ax), np.c_[list(months), values])
        ends = read_spans(ax.collections[0], 1)
        assert_allclose(ends, np.add.outer(values, [-error, error]))


@draws(
    popularity.draw_keys,
    labels=[("key, in the order of the circle of fifths", "share of songs")],
    data={"plain": np.linspace(0.085, 0.02, 12), "one key": np.eye(12)[11], "small": [0.002] * 12},
    height=2.6,
)
def test_keys(draw, ax, shares):
    keys = ["C", "G", "D", "A", "E", "B", "F♯", "C♯", "A♭", "E♭", "B♭", "F"]
    table = pd.DataFrame({"major": shares, "minor": np.divide(shares, 2)}, keys)
    draw(table, ax, title=FINDING, detail=DETAIL)
    assert_allclose([bar.get_height() for bar in ax.patches], [*table["major"], *-table["minor"]])
    assert read_names(ax.xaxis) == keys


@draws(
    popularity.draw_correlations,
    labels=[("correlation with popularity", "")],
    data={"plain": ([-0.06, 0.13, -0.05, -0.05, 0.05, -0.11], [0.0, 0.1, -0.03, 0, 0, -0.2]),
          "one": ([0.5], [-0.5]), "zero": ([0.0] * 6, [0.0] * 6)},
    height=2.8,
)  # fmt: skip
def test_correlations(draw, ax, data):
    table = pd.DataFrame(
        {"all songs": data[0], "same year": data[1]}, [*NAMES, "energy"][: len(data[0])]
    )
    draw(table, ax, title=FINDING, detail=DETAIL)
    at = np.arange(len(table))
    spans, before, within = ax.collections
    assert_allclose(read_spans(spans, 0), table)
    assert_allclose(before.get_offsets(), np.c_[data[0], at])
    assert_allclose(within.get_offsets(), np.c_[data[1], at])


def make_artists(names, low, high, zero):
    columns = {"popularity": np.add(low, high) / 2, "low": low, "high": high, "zero": zero}
    return pd.DataFrame({**columns, "songs": 12}, names)


@draws(
    popularity.draw_artists,
    labels=[("popularity (points)", "")],
    data={"plain": make_artists(GENRES[:12], np.arange(12), np.arange(12) * 8, 0.3),
          "long names": make_artists(
              ["The Lord's Own Orchestra & Choir of a Very Long Name", *NAMES], [0] * 6,
              [100] * 6, 1.0),
          "one": make_artists(["A$AP Rocky and Ke$ha"], [0], [0], 0.0)},
    height=3.6,
)  # fmt: skip
def test_artists(draw, ax, table):
    draw(table, ax, title=FINDING, detail=DETAIL)
    at = np.arange(len(table))[::-1]
    spans, means = ax.collections
    assert_allclose(read_spans(spans, 0), table[["low", "high"]])
    assert_allclose(means.get_offsets(), np.c_[table["popularity"], at])
    shares = [f"{zero:.0%}" for zero in table["zero"]]
    assert read_texts(ax)[: len(table) + 1] == [*shares, "at 0"]


@draws(
    popularity.draw_loudness,
    labels=[("year of release", "loudness (dB)")],
    data={"plain": make_years(range(1960, 2022), -10 + np.sin(np.arange(62) / 12), YEARS),
          "first year": make_years([1950, 1951, 1952], [-3, -9, -12], ["loudness"]),
          "last year": make_years([1950, 1951, 1952], [-12, -9, -3], ["loudness"]),
          "equal": make_years([1950, 1951], [-9, -9], ["loudness"]),
          "one": make_years([2000], [-60], ["loudness"])},
    height=2.8,
)  # fmt: skip
def test_loudness(draw, ax, years):
    draw(years, ax, title=FINDING, detail=DETAIL)
    part = years[years["column"] == "loudness"]
    check_years(ax, part)
    top = part.loc[part["mid"].idxmax()]
    assert ax.texts[0].get_text() == f"{top['year']:.0f}: {top['mid']:.1f} dB"
