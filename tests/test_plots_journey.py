"""One song's panels, on made-up data; see `figure_checks`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from figure_checks import FINDING, draws, read_line, read_names, read_texts
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose

from workshop.plots import journey
from workshop.plots.style import MUTED

LEVELS = ["clean", "0", "−5", "−10", "−15", "−20"]


@draws(
    journey.draw_shares,
    labels=[("p-value", "")],
    data={"sorted": [0.9, 0.3, 0.06, 0.05, 0.01], "one": [1.0], "none": [0.0, 0.0]},
    height=2.3,
)
def test_shares(draw, ax, shares):
    names = [f"genre {n}" for n in range(len(shares))]
    draw(pd.Series(shares, names), ax, title=FINDING, label="p-value", line=0.05)
    assert sorted(read_names(ax.yaxis)) == names
    tops = sorted(ax.patches, key=lambda bar: -bar.get_y())
    assert_allclose([bar.get_width() for bar in tops], shares)
    grey = [to_hex(bar.get_facecolor()).upper() == MUTED for bar in tops]
    assert grey == [share <= 0.05 for share in shares]


@draws(
    journey.draw_interval,
    labels=[("popularity (points)", "")],
    data={"inside": (10, 42, 80, 50), "outside": (0, 20, 40, 100), "same": (0, 0, 0, 0)},
    height=2.3,
)
def test_interval(draw, ax, points):
    draw(*points, ax, title=FINDING)
    low, middle, high, truth = points
    assert_allclose(read_line(ax)[:, 0], [low, high])
    assert_allclose([read_line(ax, line)[0, 0] for line in (1, 2)], [middle, truth])
    assert {"expected", "told"} <= set(read_texts(ax))


@draws(
    journey.draw_years,
    labels=[("place in the playlist", "year")],
    data={"near": (1964, [1960, 1970, 1964]), "far": (2021, list(range(1930, 1940)))},
    height=2.3,
)
def test_years(draw, ax, data):
    seed, years = data
    draw(seed, years, ax, title=FINDING)
    assert_allclose(read_line(ax)[:, 1], seed)
    assert_allclose(read_line(ax, 1), np.c_[np.arange(len(years)) + 1, years])


@draws(
    journey.draw_recognition,
    labels=[("signal-to-noise ratio (dB)", "named")],
    data={"falls": [1.0, 1.0, 1.0, 0.9, 0.6, 0.1], "never": [0.0] * 6},
    height=2.3,
)
def test_recognition(draw, ax, shares):
    rows = pd.DataFrame({"share": shares, "low": 0.0, "high": 1.0}, LEVELS)
    draw(rows, ax, title=FINDING)
    assert_allclose(read_line(ax), np.c_[range(6), shares])
    assert read_names(ax.xaxis) == LEVELS
