"""Figures of the model of exercise 2 on made-up data; see `figure_checks`."""

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

from workshop.plots import predictions


@draws(
    predictions.draw_scores,
    labels=[("RMSE (points of popularity), mean ± sd over folds", "")],
    data={"plain": (np.linspace(22.6, 21.1, 9), 0.4), "one": ([21.0], 0.0), "equal": ([0] * 9, 0)},
    height=3.8,
)
def test_model_scores(draw, ax, data):
    errors, sd = data
    names = [*NAMES, *GENRES][: len(errors)]
    table = pd.DataFrame({"RMSE": errors, "sd": sd}, names)
    draw(table, ax, title=FINDING, detail=DETAIL, highlight=names[-1])
    rows = np.arange(len(errors))
    spans, points = ax.collections
    assert_allclose(points.get_offsets(), np.c_[errors, rows])
    assert_allclose(read_spans(spans, 0), np.add.outer(errors, [-sd, sd]))
    assert read_texts(ax) == [f"{error:.1f}" for error in errors]
    assert read_names(ax.yaxis) == names


@draws(
    predictions.draw_importance,
    labels=[("rise of the RMSE when shuffled (points)", "")],
    data={"plain": np.linspace(3.5, -0.1, 12), "one": [0.0], "negative": [-1.0, -2.0, -3.0]},
    height=3.2,
)
def test_importance(draw, ax, means):
    names = [*NAMES, *GENRES][: len(means)]
    draw(pd.DataFrame({"mean": means, "sd": 0.2}, names), ax, title=FINDING, detail=DETAIL)
    assert_allclose([bar.get_width() for bar in ax.patches], means[::-1])
    spread = [np.ptp(path[:, 0]) / 2 for path in ax.collections[0].get_segments()]
    assert_allclose(spread, 0.2)
    assert read_names(ax.yaxis) == names[::-1]


@draws(
    predictions.draw_residuals,
    labels=[("", "true − predicted (points)")] * 2,
    data={"decades": [f"{decade}s" for decade in range(1920, 2030, 10)], "genres": GENRES,
          "one": NAMES[1:2]},
    height=4.6, rows=2,
)  # fmt: skip
def test_residuals(draw, axes, names):
    means = np.linspace(-5, 2, len(names))
    table = pd.DataFrame({"mean": means, "error": 1.5}, names)
    for ax in axes:
        draw(table, ax, title=FINDING, detail=DETAIL)
        assert_allclose(read_line(ax, 1), np.c_[np.arange(len(names)), means])
        ends = read_spans(ax.collections[0], 1)
        assert_allclose(ends, np.add.outer(means, [-1.5, 1.5]))
        assert read_names(ax.xaxis) == names


@draws(
    predictions.draw_intervals,
    labels=[("songs, from low to high expectation (× outside)", "popularity (points)")],
    data={"plain": (np.linspace(60, 2, 400), 25), "one": ([30.0], 5), "equal": ([0.0] * 90, 0)},
    height=3.2,
)
def test_intervals(draw, ax, data):
    mean, reach = np.array(data[0]), data[1]
    y = mean + np.where(np.arange(len(mean)) % 20 == 0, 30, 1 if reach else 0)
    table = pd.DataFrame({"mean": mean, "low": mean - reach, "high": mean + reach, "y": y})
    draw(table, ax, title=FINDING, detail=DETAIL)
    shown = table.sort_values("mean", kind="stable").iloc[::10]
    spans, inside, outside = ax.collections
    assert_allclose(read_spans(spans, 1), shown[["low", "high"]])
    assert_allclose(ax.lines[0].get_ydata(), shown["mean"])
    right = (shown["y"] - shown["mean"]).abs() <= reach
    assert_allclose(inside.get_offsets()[:, 1], shown["y"][right])
    assert_allclose(outside.get_offsets()[:, 1], shown["y"][~right])


@draws(
    predictions.draw_dependence,
    labels=[("loudness (dB)", "mean prediction (points)"), ("danceability (0–1)", ""),
            ("tempo (beats/min)", "")],
    data={"plain": np.linspace(26, 29, 7), "equal": [30.0] * 7, "one": [0.0]},
    height=2.4, cols=3, sharey=True,
)  # fmt: skip
def test_dependence(draw, axes, means):
    names = ("loudness", "danceability", "tempo")
    grid = {name: np.linspace(-12 - k, 0.125, len(means)) for k, name in enumerate(names)}
    parts = [pd.DataFrame({"column": n, "value": x, "mean": means}) for n, x in grid.items()]
    draw(pd.concat(parts), axes)
    for ax, name in zip(axes, names, strict=True):
        assert_allclose(read_line(ax), np.c_[grid[name], means])
