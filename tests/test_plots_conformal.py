"""Figures of the bonus exercise on made-up data, plain and awkward; see `figure_checks`."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
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

from workshop.plots import conformal
from workshop.plots.style import OKABE_ITO


@draws(
    conformal.draw_p_values,
    labels=[("p-value", "")],
    data={"22 genres": pd.Series(np.geomspace(0.74, 0.001, 22), GENRES).to_dict(),
          "close": pd.Series([0.21, 0.2, 0.2, 0.05, 0.0], NAMES).to_dict(), "one": {NAMES[1]: 1.0},
          "all empty": dict.fromkeys(GENRES, 0.0)},
    height=3.6,
)  # fmt: skip
def test_p_values(draw, ax, p):
    levels = [0.05, 0.2, 0.5]
    draw(p, levels, ax, title=FINDING, detail=DETAIL)
    ranked = sorted(p.values(), reverse=True)
    assert [bar.get_width() for bar in ax.patches] == ranked
    blue = [
        mpl.colors.to_hex(bar.get_facecolor()).upper() == OKABE_ITO["blue"] for bar in ax.patches
    ]
    assert blue == [value > 0.05 for value in ranked]
    assert [line.get_xdata()[0] for line in ax.lines] == levels
    assert read_texts(ax)[:3] == ["ε = 0.05", "ε = 0.2", "ε = 0.5"]
    assert read_names(ax.yaxis) == sorted(p, key=p.get, reverse=True)


@draws(
    conformal.draw_p_values,
    labels=[("p-value", "")],
    data={"close levels": [0.01, 0.02, 0.05], "ends": [0.0, 1.0]},
    height=3.6,
)
def test_thresholds_of_p_values(draw, ax, levels):
    draw(pd.Series([0.8, 0.4, 0.3, 0.0, 0.0], NAMES).to_dict(), levels, ax, title=FINDING)
    assert [line.get_xdata()[0] for line in ax.lines] == levels


@draws(
    conformal.draw_set_sizes,
    labels=[("genres in the set", "share of songs")],
    data={"plain": np.random.default_rng(0).binomial(22, 0.45, 500), "all": np.full(9, 22),
          "empty": np.zeros(9, int), "one": np.array([1])},
    height=2.6,
)  # fmt: skip
def test_set_sizes(draw, ax, sizes):
    draw(sizes, ax, n_labels=22, title=FINDING, detail=DETAIL)
    heights = [bar.get_height() for bar in ax.patches]
    assert_allclose(heights, [(sizes == k).mean() for k in range(23)])
    assert ax.lines[0].get_xdata()[0] == sizes.mean()
    assert read_texts(ax)[0] == f"mean {sizes.mean():.1f}"


EPS = np.linspace(0.01, 0.8, 20)


@draws(
    conformal.draw_size_curves,
    labels=[("accepted error rate ε", "mean number of genres in the set")],
    data={"one": ["mean set size"], "five": ["textbook", "Mondrian", "split LAC", *NAMES[-2:]]},
    height=2.8,
)
def test_size_curves(draw, ax, names):
    curves = {name: pd.Series((15 + k) * (1 - EPS) ** 3, EPS) for k, name in enumerate(names)}
    draw(curves, ax, title=FINDING, detail=DETAIL)
    for line, curve in zip(ax.lines, curves.values(), strict=False):
        assert_allclose(line.get_data(), [EPS, curve])
    assert ax.lines[-1].get_ydata()[0] == 1
    if len(names) > 1:
        assert [text.get_text() for text in ax.get_legend().get_texts()] == names


@draws(
    conformal.draw_lift,
    labels=[("", "")],
    data={"22 genres": (GENRES, 4.0), "few": (NAMES, 9.0), "weak": (NAMES, 1.5)},
    height=5.4,
)
def test_lift(draw, ax, data):
    names, most = data
    values = np.geomspace(1 / most, most, len(names) ** 2).reshape(len(names), -1)
    values[0, 0] = np.nan
    draw(pd.DataFrame(values, names, names), ax, title=FINDING, detail=DETAIL)
    image = ax.images[0]
    assert_allclose(image.get_array().filled(np.nan), np.log2(np.maximum(values, 0.25)))
    low, high = image.get_clim()
    assert low == -high == pytest.approx(-min(2, np.log2(most)))
    assert image.colorbar.ax.get_ylabel() == "lift: 1 = independent"
    assert read_names(ax.xaxis) == read_names(ax.yaxis) == list(names)


def make_singletons(right, songs):
    edges = [0, 0.5, 0.7, 0.8, 0.9, 0.95, 1][: len(right) + 1]
    columns = {"songs": songs, "right": right, "low": np.maximum(np.subtract(right, 0.1), 0),
               "high": np.minimum(np.add(right, 0.2), 1)}  # fmt: skip
    return pd.DataFrame(columns, pd.IntervalIndex.from_breaks(edges))


@draws(
    conformal.draw_last_genre,
    labels=[("confidence 1 − ε at which one genre is left", "that genre is right")],
    data={"plain": ([0.3, 0.4, 0.57, 0.5, 0.9, 0.95], [1145, 1476, 270, 70, 9, 25]),
          "one": ([1.0], [25492]), "an empty class": ([0.5, np.nan, 0.0], [1000000, 0, 3])},
    height=2.8,
)  # fmt: skip
def test_last_genre(draw, ax, data):
    table = make_singletons(*data)
    draw(table, ax, title=FINDING, detail=DETAIL)
    seen = table[table["songs"] > 0]
    assert [bar.get_height() for bar in ax.patches] == list(seen["right"])
    assert_allclose(read_spans(ax.containers[-1][2][0], 1), seen[["low", "high"]])
    assert read_texts(ax) == [f"n = {n:,}" for n in seen["songs"]]


def make_gaps(gap, error):
    gap = np.array(gap)
    levels = [0.01, 0.05, 0.1, 0.2, 0.5][: len(gap)]
    return pd.DataFrame({"gap": gap, "error": error, "low": -0.006, "high": 0.006}, levels)


@draws(
    conformal.draw_validity,
    labels=[("accepted error rate ε", "coverage − (1 − ε), points")],
    data={"plain": ([0.001, -0.002, -0.003, -0.002, 0.006], 0.004), "one": ([0.0], 0.0),
          "invalid": ([-0.2] * 5, 0.001)},
    height=3.0,
)  # fmt: skip
def test_validity(draw, ax, data):
    gaps = {"textbook": make_gaps(*data), "shortcut": make_gaps(np.negative(data[0]), data[1])}
    draw(gaps, ax, title=FINDING, detail=DETAIL)
    for container, table in zip(ax.containers[1:], gaps.values(), strict=True):
        assert_allclose(read_line(container)[:, 1], 100 * table["gap"])
        ends = np.c_[table["gap"] - 2 * table["error"], table["gap"] + 2 * table["error"]]
        assert_allclose(read_spans(container[2][0], 1), 100 * ends, atol=1e-9)
    assert_allclose([bar.get_bbox().intervaly for bar in ax.patches], [[-0.6, 0.6]] * len(data[0]))


@draws(
    conformal.draw_bags,
    labels=[("coverage of this bag's sets", "bag, ranked")],
    data={"plain": np.linspace(0.93, 0.965, 20), "one": [0.95], "above": np.linspace(0.97, 1, 20),
          "below": np.linspace(0.5, 0.9, 20), "equal": [0.95] * 20,
          "just above": np.linspace(0.949, 0.99, 20)},
    height=2.6,
)  # fmt: skip
def test_bags(draw, ax, coverage):
    coverage = np.array(coverage)[::-1]
    draw(coverage, 0.95, ax, title=FINDING, detail=DETAIL)
    points = ax.collections[0]
    assert_allclose(points.get_offsets(), np.c_[np.sort(coverage), np.arange(len(coverage)) + 1])
    orange = (points.get_facecolors() == mpl.colors.to_rgba(OKABE_ITO["vermillion"])).all(1)
    assert orange.sum() == (coverage < 0.95).sum()
    assert ax.lines[0].get_xdata()[0] == 0.95
    name = ax.texts[0]
    assert (name.xyann[0] < 0) == (name.get_horizontalalignment() == "right")


def make_coverage(names, coverage, reach):
    coverage = np.resize(coverage, len(names))
    table = pd.DataFrame({"coverage": coverage, "n": range(600, 600 - len(names), -1)}, names)
    return table.assign(low=(coverage - reach).clip(0), high=(coverage + reach).clip(max=1))


@draws(
    conformal.draw_label_coverage,
    labels=[("coverage", "")] * 2,
    data={"22 genres": (GENRES, np.linspace(1, 0.3, 22), 0.1), "long names": (NAMES, [0.9], 0.02),
          "none": (NAMES, [0.0], 0.0), "one": (NAMES[:1], [1.0], 0.0)},
    height=5.0, cols=2, sharey=True, sharex=True,
)  # fmt: skip
def test_label_coverage(draw, axes, data):
    tables = {"textbook": make_coverage(*data), "Mondrian": make_coverage(data[0], [0.95], 0.01)}
    for ax in axes:
        draw(tables, 0.95, ax, title="split LAC: 7 genres short",
             detail="split Mondrian: 0; in brackets: songs")  # fmt: skip
        for container, table, shift in zip(
            ax.containers, tables.values(), (-0.16, 0.16), strict=True
        ):
            at = np.c_[table["coverage"], np.arange(len(table)) + shift]
            assert_allclose(read_line(container), at)
            assert_allclose(read_spans(container[2][0], 0), table[["low", "high"]])
    names = [f"{name} ({n})" for name, n in table["n"].items()]
    assert (read_names(axes[0].yaxis), read_names(axes[1].yaxis)) == (names, [])


@draws(
    conformal.draw_confidence,
    labels=[("credibility: largest p-value", "confidence: 1 − second largest")],
    data={"plain": np.random.default_rng(0).uniform(size=90) > 0.4, "all right": [True] * 90,
          "all wrong": [False] * 90, "one": [True]},
    height=3.6,
)  # fmt: skip
def test_confidence(draw, ax, right):
    right = np.array(right)
    confidence, credibility = np.random.default_rng(1).uniform(size=(2, len(right)))
    draw(confidence, credibility, right, ax, title=FINDING, detail=DETAIL)
    at = np.c_[credibility, confidence]
    for cloud, chosen in zip(ax.collections, (~right, right), strict=True):
        assert_allclose(cloud.get_offsets(), at[chosen])
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == [
        f"prediction wrong ({(~right).mean():.0%})",
        f"prediction right ({right.mean():.0%})",
    ]
