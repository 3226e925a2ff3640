"""Figures of the identifier in the field, on made-up data; see `figure_checks`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from figure_checks import FINDING, draws, read_line, read_names
from numpy.testing import assert_allclose

from workshop.plots import identifier

LEVELS = [0.03, 0.01, 0.003, 0.001, 0.0005]
CELLS = [f"{noise}, {s} s" for noise in ("clean", "noisy") for s in (2, 5, 10)] + ["all"]
KINDS = ["steady tones", "telephone tones", "silence with clicks", "machines and rain"]


def make_rows(factor, cells=CELLS):
    rows = [(cell, level, factor * level) for cell in cells for level in LEVELS]
    table = pd.DataFrame(rows, columns=["cell", "level", "share"])
    return table.assign(low=table["share"] / 2, high=table["share"] * 2)


@draws(
    identifier.draw_reliability,
    labels=[("p_false at most", "unknown excerpts")],
    data={"plain": make_rows(0.8), "none": make_rows(0.0), "too many": make_rows(5.0),
          "all only": make_rows(1.0, ["all"])},
    height=3.4,
)  # fmt: skip
def test_reliability(draw, ax, rows):
    draw(rows, ax, title=FINDING)
    told, twice, clean, noisy, every = (read_line(ax, line) for line in range(5))
    assert_allclose(told, np.c_[sorted(LEVELS), sorted(LEVELS)])
    assert_allclose(twice[:, 1], 2 * told[:, 1])
    seen = rows[rows["share"] > 0]
    assert len(clean) == seen["cell"].str.startswith("clean").sum()
    assert len(noisy) == seen["cell"].str.startswith("noisy").sum()
    assert_allclose(every[:, 1], sorted(seen.loc[seen["cell"] == "all", "share"]))


@draws(
    identifier.draw_kinds,
    labels=[("share of the sounds", "")],
    data={"plain": ([60, 50, 0, 10], [40, 50, 100, 90]), "accepted": ([0] * 4, [99, 100, 3, 50])},
    height=3.0,
)  # fmt: skip
def test_kinds(draw, ax, data):
    nothing, unknown = map(np.array, data)
    rows = pd.DataFrame({"kind": KINDS, "n": 100, "nothing": nothing, "unknown": unknown})
    rows["accepted"] = 100 - nothing - unknown
    draw(rows, ax, title=FINDING)
    widths = np.array([bar.get_width() for bar in ax.patches]).reshape(3, 4)
    assert_allclose(widths, np.array([nothing, unknown, rows["accepted"]]) / 100)
    assert read_names(ax.yaxis) == KINDS
