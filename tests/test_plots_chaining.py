"""Figures of the second document on made-up data, plain and awkward; see `figure_checks`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from figure_checks import DETAIL, FINDING, GENRES, NAMES, draws, read_line, read_names, read_spans
from numpy.testing import assert_allclose

from workshop.plots import chaining


def make_distances(n):
    rng = np.random.default_rng(0)
    means = rng.uniform(3, 12, size=(n, n))
    means = (means + means.T) / 2
    means[0, 0] = np.nan  # a group of one song
    return means


@draws(
    chaining.draw_distances,
    labels=[("", "")],
    data={"ten": 10, "many": 20, "two": 2},
    height=5.2,
)
def test_distances(draw, ax, n):
    means = make_distances(n)
    draw(means, GENRES[:n], ax, title=FINDING, detail=DETAIL)
    (mesh,) = ax.collections
    assert_allclose(np.ma.filled(mesh.get_array(), np.nan).reshape(n, n), means)
    assert read_names(ax.yaxis) == GENRES[:n]
    assert len(ax.texts) - 1 == (n * n - 1 if n <= 12 else 0)  # one is the detail


@draws(
    chaining.draw_threshold,
    labels=[("threshold of the distance", "share of the pairs")],
    data={"curve": np.linspace(0, 14, 40), "two": np.array([1.0, 9.0])},
)
def test_threshold(draw, ax, at):
    curve = pd.DataFrame({"threshold": at, "accuracy": 0.5 + 0.01 * at})
    curve["false_positives"], curve["false_negatives"] = at / 30, 0.5 - at / 30
    marks = {"slides' minimum": 3.6, "slides' maximum": 6.8}
    draw(curve, ax, marks=marks, title=FINDING, detail=DETAIL)
    for line, column in enumerate(("accuracy", "false_positives", "false_negatives")):
        assert_allclose(read_line(ax, line), curve[["threshold", column]])
    assert [read_line(ax, line)[0, 0] for line in (3, 4)] == list(marks.values())


def make_series(rows, n):
    rng = np.random.default_rng(0)
    tables = {}
    for k in range(n):
        value = rng.uniform(0.4, 0.9, len(rows))
        table = pd.DataFrame({"value": value, "low": value - 0.1, "high": value + 0.1}, index=rows)
        tables[f"series {k}"] = table if k else table.assign(value=[np.nan, *value[1:]])
    return tables


@draws(
    chaining.draw_series,
    labels=[("accuracy", "")],
    data={"one": (NAMES, 1), "three": (NAMES, 3), "many": (GENRES, 4)},
    height=6.4,
)
def test_series(draw, ax, data):
    rows, n = data
    series = make_series(rows, n)
    draw(series, ax, label="accuracy", title=FINDING, detail=DETAIL, chance=0.5)
    assert read_names(ax.yaxis) == rows
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "the first row is at the top"
    for k, table in enumerate(series.values()):
        lines, dots = ax.collections[2 * k : 2 * k + 2]
        shown = table.dropna()
        assert_allclose(read_spans(lines, 0), shown[["low", "high"]])
        assert_allclose(dots.get_offsets()[:, 0], shown["value"])
        assert_allclose(
            np.round(dots.get_offsets()[:, 1]), [rows.index(name) for name in shown.index]
        )


@draws(
    chaining.draw_reliability,
    labels=[("probability that was said", "share that was true")],
    data={"ten": 10, "one": 1},
    width=3.4, height=3.4,
)  # fmt: skip
def test_reliability(draw, ax, n):
    said = np.linspace(0.05, 0.95, n)
    curve = np.column_stack([said, said**2, np.linspace(0.1, 0.4, n)])
    draw(curve, ax, title="Said and true agree", detail="size: pairs")
    assert_allclose(ax.collections[0].get_offsets(), curve[:, :2])
    assert ax.collections[0].get_sizes().max() <= 128


@draws(
    chaining.draw_join,
    labels=[("time from the join (s)", "low to high")] * 3,
    data={"whole": 99, "short": 8},
    height=2.4, cols=3,
)  # fmt: skip
def test_join(draw, axes, n):
    rng = np.random.default_rng(0)
    end, start = rng.uniform(-80, 0, (n, 40)), rng.uniform(-80, 0, (99, 40))
    for ax in axes:
        draw(end, start, ax, seconds=0.1, title="12.3 %", detail="one → another")
        (image,) = ax.images
        assert_allclose(image.get_array(), np.vstack([end, start]).T)
        assert_allclose(image.get_extent()[:2], [-0.1 * n, 9.9])
        assert_allclose(read_line(ax)[:, 0], 0)


@draws(
    chaining.draw_times,
    labels=[("songs", "seconds")],
    data={"two": [5.5, 31, 57], "near": [5.0, 30, 55]},
    height=2.9,
)
def test_times(draw, ax, seconds):
    times = {"the slides": ((10, 50, 100), seconds), "here": ((10, 50, 100), [0.5, 2.5, 5])}
    draw(times, ax, xlabel="songs", title=FINDING, detail=DETAIL)
    for line, (songs, values) in enumerate(times.values()):
        assert_allclose(read_line(ax, line), np.column_stack([songs, values]))
