"""Figures of labels from ears on made-up data, plain and awkward; see `figure_checks`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from figure_checks import DETAIL, FINDING, draws, read_line
from numpy.testing import assert_allclose

from workshop.plots import agreement


def make_curve(n, top):
    labels = np.arange(1, n + 1) * 20
    value = top - 0.4 / np.sqrt(labels)
    table = {"value": value, "low": value - 0.03, "high": np.minimum(value + 0.03, 1)}
    return pd.DataFrame(table, index=labels)


@draws(
    agreement.draw_learning,
    labels=[("labels", "area under the curve")],
    data={"two": (30, ["chosen", "at random"]), "three": (5, ["a way of choosing", "b", "c"]),
          "short": (1, ["chosen"])},
)  # fmt: skip
def test_learning(draw, ax, given):
    n, names = given
    curves = {name: make_curve(n, 0.99 - 0.02 * k) for k, name in enumerate(names)}
    draw(curves, ax, goal=0.96, title=FINDING, detail=DETAIL)
    for k, curve in enumerate(curves.values()):
        assert_allclose(read_line(ax, k), curve["value"].reset_index())
        band = ax.collections[k].get_paths()[0].vertices
        assert_allclose([band[:, 1].min(), band[:, 1].max()],
                        [curve["low"].min(), curve["high"].max()])  # fmt: skip
    assert_allclose(ax.lines[len(curves)].get_ydata(), 0.96)
    low, high = ax.get_ylim()
    assert low < 0.96 <= high


@draws(
    agreement.draw_sample_sizes,
    labels=[("pairs that each rater answers", "alpha may be off by ±")],
    data={"five": [2, 3, 4, 6, 8], "one": [3]},
)
def test_sample_sizes(draw, ax, raters):
    pairs = [25, 50, 100, 200, 400, 600]
    sizes = pd.DataFrame([(n, r) for r in raters for n in pairs], columns=["pairs", "raters"])
    sizes["half_width"] = 1.5 / np.sqrt(sizes["pairs"] * (sizes["raters"] - 1))
    draw(sizes, ax, wanted=0.1, title=FINDING, detail=DETAIL)
    for k, number in enumerate(raters):
        part = sizes[sizes["raters"] == number]
        assert_allclose(read_line(ax, k), part[["pairs", "half_width"]])
    assert_allclose(ax.lines[len(raters)].get_ydata(), 0.1)
    names = [text.get_text() for text in ax.texts]
    assert [f"{number} raters" in names for number in raters] == [True] * len(raters)
