"""Figures of exercise 3 on made-up data, plain and awkward; see `figure_checks`."""

from __future__ import annotations

import matplotlib as mpl
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

from workshop.plots import recommend
from workshop.plots.style import OKABE_ITO


@draws(
    recommend.draw_route,
    labels=[("local direction 1", "local direction 2")] * 2,
    data={"plain": ([0.1, -0.2], np.linspace([0.2, 0.1], [3, -2], 10)),
          "one song": ([0, 0], np.array([[1.0, 0.0]])),
          "far seed": ([9, 9], np.linspace([0, 0], [5, 0], 10)),
          "one place": ([0, 0], np.zeros((3, 2))),
          "seed inside": ([0, 0], np.array([[-0.5, 0], [-4, 0.2], [4, 4]]))},
    height=3.3, cols=2,
)  # fmt: skip
def test_route(draw, axes, data):
    seed, path = np.array(data[0]), data[1]
    near = np.random.default_rng(0).normal(size=(50, 2))
    for ax in axes:
        draw(near, seed, path, ax, title="One seed: a short path around it")
        around, songs, star = (part.get_offsets() for part in ax.collections)
        assert_allclose(around, near)
        assert_allclose(songs, path)
        assert_allclose(star, [seed])
        assert_allclose(read_line(ax), [seed, *path])
        assert read_texts(ax) == ["seed", *(str(k + 1) for k in range(len(path)))]
        (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
        assert left < path[:, 0].min() and path[:, 0].max() < right
        assert low < path[:, 1].min() and path[:, 1].max() < high


@draws(
    recommend.draw_map,
    labels=[("component 1 (mostly energy)", "component 2 (mostly acousticness)")] * 2,
    data={"plain": ([-2, 0], [2, 1], [0, -2]), "one place": ([0, 0], [0, 0], [0, 0]),
          "edges": ([-3, -3], [3, 3], [3, -3]), "close": ([0, 0], [0.3, 0.1], [0.1, 0.3])},
    height=3.3, cols=2,
)  # fmt: skip
def test_song_map(draw, axes, seeds):
    background = np.random.default_rng(0).uniform(-3, 3, size=(500, 2))
    labels = ("component 1 (mostly energy)", "component 2 (mostly acousticness)")
    names = ("acoustic", "old", "energetic")
    songs = np.array([[0.1, 0.2], [0.3, -0.2]])
    groups = [(n, np.array(at), songs + at) for n, at in zip(names, seeds, strict=True)]
    for ax in axes:
        draw(background, groups, ax, labels=labels, title="Three seeds: each leads its share")
        hexes, *places = ax.collections
        assert hexes.get_array().sum() == 500
        for (_, seed, led), dots, star in zip(groups, places[::2], places[1::2], strict=True):
            assert_allclose(dots.get_offsets(), led)
            assert_allclose(star.get_offsets(), [seed])
        assert read_texts(ax)[:3] == list(names)


@draws(
    recommend.draw_arcs,
    labels=[("place in the list", "energy"), *[("place in the list", "")] * 3],
    data={"plain": 20, "two": 2},
    height=1.9, cols=4,
)  # fmt: skip
def test_arcs(draw, axes, n):
    rng = np.random.default_rng(0)
    names = ("closest first", "least jumps", "rise", "wave")
    energies = {name: rng.uniform(0, 1, n) for name in names}
    draw(energies, dict.fromkeys(names, 1.23), axes)
    for ax, name in zip(axes, names, strict=True):
        assert_allclose(read_line(ax)[:, 1], energies[name])
        assert ax.get_title(loc="left") == name and ax.get_ylim() == (-0.03, 1.03)


@draws(
    recommend.draw_methods,
    labels=[("recall@10 of hidden songs, 95 % intervals", "")],
    data={"plain": [0.159, 0.145, 0.027, 0.022, 0.012, 0.001, 0.0], "equal": [0.1] * 5,
          "one": [0.0], "negative": [-0.5, 0.5]},
    height=3.1,
)  # fmt: skip
def test_methods(draw, ax, recall):
    names = [*NAMES, *GENRES][: len(recall)]
    table = pd.DataFrame({"recall": recall}, names)
    table["recall_low"], table["recall_high"] = table["recall"] - 0.01, table["recall"] + 0.02
    label = "recall@10 of hidden songs, 95 % intervals"
    draw(table, ax, measure="recall", label=label, title=FINDING, detail=DETAIL,
         highlight=names[0])  # fmt: skip
    ordered = table.sort_values("recall")
    spans, points = ax.collections
    assert_allclose(points.get_offsets(), np.c_[ordered["recall"], range(len(recall))])
    ends = read_spans(spans, 0)
    assert_allclose(ends, ordered[["recall_low", "recall_high"]])
    assert read_texts(ax) == [f"{value:.3f}" for value in ordered["recall"]]
    assert read_names(ax.yaxis) == list(ordered.index)
    assert (points.get_facecolors() == mpl.colors.to_rgba(OKABE_ITO["vermillion"])).all(
        1
    ).sum() == 1


@draws(
    recommend.draw_cold,
    labels=[("share of the hidden songs that are among the first ten", "")],
    data={"plain": ([0.002, 0.095, 0.029, 0.056], [0.008, 0.0, 0.106, 0.11]),
          "all found": ([0.5, 1.0], [0.5, 1.0]), "none found": ([0.0] * 4, [0.0] * 4),
          "one": ([0.3], [0.0])},
    height=2.4,
)  # fmt: skip
def test_cold(draw, ax, data):
    table = pd.DataFrame({"warm": data[0], "cold": data[1]}, NAMES[: len(data[0])])
    draw(table, ax, title=FINDING, detail=DETAIL)
    assert [bar.get_width() for bar in ax.patches] == [*data[0], *data[1]]
    notes = {
        k: text.split(maxsplit=1)[1] for k, text in enumerate(read_texts(ax)) if " known" in text
    }
    last = len(table) - 1
    assert notes == {last: "known to other listeners", last + len(table): "known to no other"}
    shares = [text.split()[0] for text in read_texts(ax)]
    assert shares == [f"{value:.1%}" for value in (*data[0], *data[1])]
