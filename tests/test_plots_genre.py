"""Figures of exercise 1 on made-up data, plain and awkward; see `figure_checks`."""

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

from workshop.plots import genre
from workshop.plots.style import OKABE_ITO

FEATURES = "year danceability energy loudness speechiness acousticness instrumentalness liveness \
valence tempo duration_ms popularity explicit mode".split()


def make_songs(*, popularity, tempo, day, minutes):
    dates = ["1999", *(f"2020-01-{d:02d}" for d in day)]
    rows = zip(dates, popularity, tempo, np.multiply(minutes, 60000.0), strict=False)
    return pd.DataFrame(rows, columns=["release_date", "popularity", "tempo", "duration_ms"])


SOME = np.linspace(1, 90, 31)
TRAPS = {
    "plain": make_songs(popularity=np.r_[[0] * 9, SOME], tempo=np.r_[0.0, 60 + SOME],
                        day=[1] * 5 + list(range(2, 29)), minutes=np.r_[60, SOME / 9]),
    "one song": make_songs(popularity=[0, 0], tempo=[0.0, 0.0], day=[1], minutes=[12, 99]),
    "no spike": make_songs(popularity=SOME, tempo=SOME + 90, day=range(2, 31), minutes=SOME / 20),
    "many": pd.concat([make_songs(popularity=[0] * 29, tempo=[0.0] * 29, day=[1] * 28,
                                  minutes=[90] * 29)] * 999),
}  # fmt: skip


@draws(
    genre.draw_traps,
    labels=[("popularity (points)", "songs"), ("tempo (beats/min)", "songs"),
            ("day of the month", "songs"), ("length (min, cut at 12)", "songs")],
    data=TRAPS, height=4.2, rows=2, cols=2,
)  # fmt: skip
def test_traps(draw, axes, train):
    draw(train, axes)
    heights = [[bar.get_height() for bar in ax.patches] for ax in axes.ravel()]
    dated = train["release_date"].str.len() == 10
    first = (train["release_date"].str[8:] == "01").sum()
    assert [sum(bars) for bars in heights] == [len(train)] * 2 + [dated.sum(), len(train)]
    assert heights[0][0] == (train["popularity"] < 1.5).sum()
    assert (heights[2][0], heights[3][-1]) == (first, (train["duration_ms"] >= 720000).sum())
    for ax, count in zip(axes.ravel()[2:], (first, heights[3][-1]), strict=True):
        assert ax.texts[0].get_text() == f"{count:,} songs".replace(",", "\u2009")


@draws(
    genre.draw_counts,
    labels=[("songs", "")],
    data={"22 genres": pd.Series(np.arange(22, 0, -1) ** 3, GENRES),
          "one": pd.Series([7], NAMES[1:2]), "equal": pd.Series(5, NAMES)},
    height=3.9,
)  # fmt: skip
def test_counts(draw, ax, counts):
    draw(counts, ax, title=FINDING)
    assert [bar.get_width() for bar in ax.patches] == list(counts)
    assert read_texts(ax) == [f"{n / counts.sum():.1%}" for n in counts]
    assert read_names(ax.yaxis) == list(counts.index)


def make_matrix(rows, columns):
    values = np.random.default_rng(0).normal(size=(len(rows), len(columns)))
    return pd.DataFrame(values, rows, columns)


@draws(
    genre.draw_matrix,
    labels=[("", "")],
    data={"profile": (make_matrix(GENRES, FEATURES), {"centered": True, "limit": 2}),
          "confusion": (make_matrix(GENRES, GENRES).abs(), {"detail": DETAIL}),
          "awkward names": (make_matrix(NAMES, NAMES), {"centered": True}),
          "zeros": (make_matrix(NAMES[:1], NAMES[:2]) * 0, {})},
    height=4.3,
)  # fmt: skip
def test_matrix(draw, ax, data):
    matrix, options = data
    draw(matrix, ax, title=FINDING, label="share of the genre's songs", **options)
    image = ax.images[0]
    assert_allclose(image.get_array(), matrix)
    top = options.get("limit", matrix.abs().to_numpy().max()) or 1
    assert image.get_clim() == (-top if options.get("centered") else 0, top)
    assert image.colorbar.ax.get_ylabel() == "share of the genre's songs"
    assert read_names(ax.yaxis) == list(matrix.index)
    assert read_names(ax.xaxis) == list(matrix.columns)


@draws(
    genre.draw_album_effect,
    labels=[("rank of the neighbour (1 = closest in sound)", "same genre")],
    data={"plain": (np.linspace(0.46, 0.2, 10), 0.1, 0.3), "flat": ([0.3] * 10, 0.3, 0.3),
          "one rank": ([0.5], 0.1, 0.2), "close levels": (np.linspace(0.46, 0.2, 10), 0.3, 0.29),
          "rising": (np.linspace(0.1, 0.6, 10), 0.05, 0.1), "none": ([0.0] * 10, 0.1, 0.0)},
    height=3.0,
)  # fmt: skip
def test_album_effect(draw, ax, data):
    shares, chance, anywhere = data
    ranks = range(1, len(shares) + 1)
    effect = pd.DataFrame({"same_genre": shares}, index=ranks)
    draw(effect, ax, chance=chance, anywhere=anywhere, title=FINDING, detail=DETAIL)
    assert_allclose(read_line(ax), np.c_[list(ranks), shares])
    assert [line.get_ydata()[0] for line in ax.lines[1:]] == [chance, anywhere]
    low, high = ax.get_ylim()
    assert low <= min([chance, *shares]) and high >= max([anywhere, *shares])


@draws(
    genre.draw_map,
    labels=[("", "")] * 18,
    data={"plain": GENRES[:18], "awkward names": [*NAMES, *GENRES[5:18]]},
    height=3.5, rows=3, cols=6,
)  # fmt: skip
def test_genre_maps(draw, axes, genres):
    at = np.random.default_rng(1).normal(size=(90, 2))
    points = pd.DataFrame(at, columns=["x", "y"]).assign(genre=np.resize(genres[1:], 90))
    draw(points, genres, axes)
    for ax, name in zip(axes.ravel(), genres, strict=True):
        everything, inside = (part.get_offsets() for part in ax.collections)
        assert_allclose(everything, at)
        assert_allclose(inside, at[points["genre"] == name])
        assert ax.get_title(loc="left").endswith(f"({len(inside)})")


@draws(
    genre.draw_scores,
    labels=[("micro-F1 (bar: mean of the folds, line: standard deviation)", "")],
    data={"plain": (np.linspace(0.2, 0.57, 11), 0.005), "one": ([0.5], 0.0),
          "equal": ([0.4] * 11, 0.01), "wide": ([0.1, 0.2, 0.3], 0.2), "zero": ([0.0, 0.0], 0.0)},
    height=3.3,
)  # fmt: skip
def test_classifier_scores(draw, ax, data):
    scores, sd = data
    names = ["ours", *NAMES, *GENRES][: len(scores)][::-1]
    draw(pd.DataFrame({"micro-F1": scores, "sd": sd}, names), ax, ours="ours", title=FINDING)
    assert_allclose([bar.get_width() for bar in ax.patches], scores)
    spread = [np.ptp(path[:, 0]) / 2 for path in ax.collections[0].get_segments()]
    assert_allclose(spread, [sd] * len(scores), atol=1e-9)
    assert read_texts(ax) == [f"{score:.3f}" for score in scores]
    colors = [mpl.colors.to_hex(bar.get_facecolor()).upper() for bar in ax.patches]
    assert colors[-1] == OKABE_ITO["vermillion"]
    assert set(colors[:-1]) <= {OKABE_ITO["blue"]}


STEPS = ["sound,\nyear", "+ month, day,\nprecision", "+ neighbours\nby distance",
         "+ learnt trust,\nsimilar songs", "+ songs of\nexercise 2"]  # fmt: skip


@draws(
    genre.draw_steps,
    labels=[("", "micro-F1")],
    data={"plain": [0.461, 0.47, 0.5, 0.506, 0.531], "equal": [0.5] * 5, "one": [0.4],
          "falling": [0.9, 0.6, 0.3, 0.2, 0.0], "steep": [0.1, 0.1, 0.2, 0.5, 0.95]},
    height=2.9,
)  # fmt: skip
def test_steps(draw, ax, values):
    gains = np.diff(values, prepend=values[0])
    table = pd.DataFrame({"micro-F1": values, "gain": gains, "sd": 0.012}, STEPS[: len(values)])
    draw(table, ax, title=FINDING, detail=DETAIL)
    assert ax.lines[0].get_ydata().tolist() == [*values, values[-1]]
    texts = read_texts(ax)[: len(values)]
    gains = [f"\n{gain:+.3f} ± 0.012".replace("-", "−") for gain in np.diff(values)]
    assert texts == [f"{v:.3f}{gain}" for v, gain in zip(values, ["", *gains], strict=True)]


def make_genre_scores(precision, recall, names=GENRES):
    names = list(names)[: len(precision)]
    return pd.DataFrame({"precision": precision, "recall": recall, "songs": 5181}, names)


@draws(
    genre.draw_genre_scores,
    labels=[("share", "")],
    data={"22 genres": make_genre_scores(np.linspace(0.8, 0.3, 22), np.linspace(0.83, 0.1, 22)),
          "equal at the top": make_genre_scores([1.0] * 5, [1.0] * 5, NAMES),
          "zeros": make_genre_scores([0.0] * 5, [0.0, 0.1, 0.2, 0.0, 0.0], NAMES),
          "one": make_genre_scores([0.97], [0.2]), "close": make_genre_scores([0.5], [0.5])},
    height=4.3,
)  # fmt: skip
def test_genre_scores(draw, ax, table):
    draw(table, ax, title=FINDING, detail=DETAIL)
    assert_allclose(ax.lines[0].get_xdata(), table["precision"])
    assert_allclose(ax.lines[1].get_xdata(), table["recall"])
    names = [f"{name} ({n})" for name, n in table["songs"].items()]
    assert read_names(ax.yaxis) == names
    spans = read_spans(ax.collections[0], 0)
    assert_allclose(spans, table[["precision", "recall"]])


@draws(
    genre.draw_reliability,
    labels=[("probability of the answer", "share of right answers")],
    data={"plain": np.linspace(0.25, 0.97, 10), "too sure": np.full(10, 0.95), "one": [0.0]},
    width=3.6, height=3.4,
)  # fmt: skip
def test_reliability(draw, ax, right):
    right = np.array(right)
    claimed = np.linspace(0.3, 1, len(right))
    reach = {"low": np.maximum(right - 0.1, 0), "high": np.minimum(right + 0.02, 1)}
    bins = pd.DataFrame({"claimed": claimed, "right": right, **reach})
    draw(bins, ax, title="Probabilities are off by 0.04 at most", detail=DETAIL)
    assert_allclose(read_line(ax, 1), np.c_[claimed, right])
    ends = read_spans(ax.collections[0], 1)
    assert_allclose(ends, bins[["low", "high"]], atol=1e-9)


@draws(
    genre.draw_groups,
    labels=[("labelled songs of the same date (n: songs in the group)", "micro-F1")],
    data={"plain": ([0.44, 0.59, 0.63, 0.66, 0.54, 0.54], 25492), "one": ([0.5], 1),
          "low": ([0.0, 0.02, 0.9], 4102), "all zero": ([0.0, 0.0], 3)},
    width=5.2, height=2.8,
)  # fmt: skip
def test_groups(draw, ax, data):
    scores, songs = data
    names = ["none", "1", "2-4", "5-14", "15-60", "> 60"][: len(scores)]
    groups = pd.DataFrame({"score": scores, "songs": songs}, names)
    groups = groups.assign(low=groups["score"] * 0.9, high=groups["score"] * 0.9 + 0.1)
    draw(groups, ax, title=FINDING, detail=DETAIL)
    ends = read_spans(ax.collections[0], 1)
    assert_allclose(ends, groups[["low", "high"]], atol=1e-9)
    assert [bar.get_height() for bar in ax.patches] == scores
    assert read_texts(ax) == [f"{score:.2f}" for score in scores]
    assert read_names(ax.xaxis) == [f"{name}\nn = {songs}" for name in names]


@draws(
    genre.draw_learning,
    labels=[("songs learnt from", "micro-F1")],
    data={"plain": ([0.45, 0.47, 0.51], [0.444, 0.451, 0.47]), "same": ([0.5] * 3, [0.5] * 3),
          "close ends": ([0.2, 0.3, 0.4], [0.1, 0.3, 0.405]), "one size": ([0.5], [0.4])},
    height=2.8,
)  # fmt: skip
def test_learning(draw, ax, data):
    sizes = [2250, 4500, 9000][: len(data[0])]
    names = ("with neighbours", "without")
    curves = {name: pd.Series(y, sizes) for name, y in zip(names, data, strict=True)}
    draw(curves, ax, title=FINDING, detail=DETAIL)
    for line, values in zip(ax.lines, data, strict=True):
        assert_allclose(line.get_data(), [sizes, values])
    assert {text.get_text() for text in ax.texts} >= set(names)
