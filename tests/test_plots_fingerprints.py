"""Figures of exercises 4 and 5 on made-up data, plain and awkward; see `figure_checks`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from figure_checks import FINDING, NAMES, draws, read_line, read_names, read_spans, read_texts
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from workshop.plots import fingerprints
from workshop.plots.fingerprints import BIN_HZ, FRAME_S


def make_spectrogram(bins=1025, frames=59):
    return np.random.default_rng(0).exponential(size=(bins, frames)) ** 4


TIME_HZ = ("time (s)", "frequency (Hz)")


@draws(
    fingerprints.draw_spectrogram,
    labels=[TIME_HZ] * 3,
    data={"plain": make_spectrogram(), "silence": np.zeros((1025, 20)),
          "one frame": make_spectrogram(frames=1)},
    height=7.2, rows=3,
)  # fmt: skip
def test_spectrogram(draw, axes, S):
    for ax in axes:
        draw(S, ax, title=f"10 s of {NAMES[-1]}")
        image = ax.images[0]
        S_db = image.get_array()
        assert (S_db.max(), image.get_clim()) == (0 if S.any() else -80, (-80, 0))
        assert_allclose(10 ** (S_db / 10) * S.max(), np.maximum(S, S.max() / 1e8), atol=1e-12)
        left, right, low, high = image.get_extent()
        assert_allclose([left + right, low + high],
                        [(S.shape[1] - 1) * FRAME_S, (S.shape[0] - 1) * BIN_HZ])  # fmt: skip


@draws(
    fingerprints.draw_maxima,
    labels=[TIME_HZ] * 3,
    data={"plain": [[3, 1], [500, 40], [1024, 58]], "none": np.empty((0, 2), int)},
    height=7.2, rows=3,
)  # fmt: skip
def test_maxima(draw, axes, maxima):
    for ax in axes:
        fingerprints.draw_spectrogram(make_spectrogram(), ax, title=f"{len(maxima)} maxima")
        draw(np.array(maxima), ax)
        assert_allclose(read_line(ax), np.array(maxima)[:, ::-1] * [FRAME_S, BIN_HZ])


@draws(
    fingerprints.draw_target_zone,
    labels=[TIME_HZ] * 3,
    data={"plain": ((180, 4), [(175, 20), (180, 52), (184, 30), (173, 9)], 10),
          "anchor first": ((180, 0), [(180, 1), (180, 2), (181, 2)], 10),
          "anchor last": ((180, 58), [], 10), "low": ((2, 3), [(0, 9)], 10),
          "high": ((1024, 3), [(1024, 9)], 10), "zone inside": ((180, 4), [(180, 52)], 90),
          "close": ((180, 4), [(180 + k % 3, 20 + k // 3) for k in range(10)], 10)},
    height=7.2, rows=3,
)  # fmt: skip
def test_target_zone(draw, axes, data):
    anchor, points, end_s = data
    maxima = np.array([anchor, *points, (500, 30)])
    for ax in axes:
        draw(maxima, anchor, points, ax, end_s=end_s, title=FINDING)
        crosses, *marks, dot = (read_line(ax, k) for k in range(len(ax.lines)))
        unit = [FRAME_S, BIN_HZ]
        assert_allclose(crosses, maxima[:, ::-1] * unit)
        assert_allclose(np.reshape(marks, (-1, 2)), np.reshape(points, (-1, 2))[:, ::-1] * unit)
        assert_allclose(dot, [np.array(anchor)[::-1] * unit])
        zone = ax.patches[0].get_bbox().get_points() / unit
        assert_allclose(zone, [[anchor[1] + 0.5, anchor[0] - 10.5],
                               [anchor[1] + 300.5, anchor[0] + 9.5]])  # fmt: skip
        assert ax.get_xlim() == (0, end_s)


MATCHES = np.c_[np.arange(50) + 400, np.arange(50)]
MATCHED = {
    "right": MATCHES,
    "wrong": np.random.default_rng(0).integers([400, 0], [800, 400], (19, 2)),
    "none": np.empty((0, 2), int),
    "at the start": MATCHES - [400, 0],
    "at the end": MATCHES - [-400, 0],
    "before": MATCHES - [400, -7],
}


@draws(
    fingerprints.draw_matches,
    labels=[("time in song (s)", "time in excerpt (s)")] * 4,
    data=MATCHED, height=4.4, rows=2, cols=2, sharey="row",
)  # fmt: skip
def test_matches(draw, axes, matches):
    for ax in axes.ravel():
        draw(matches, ax, title=f"Right song: {len(matches)} shared hashes", end_s=140.0)
        assert_allclose(read_line(ax), matches * FRAME_S)


@draws(
    fingerprints.draw_offsets,
    labels=[("offset (s)", "shared hashes")] * 4,
    data=MATCHED, height=4.4, rows=2, cols=2, sharey="row",
)  # fmt: skip
def test_offsets(draw, axes, matches):
    offsets = matches[:, 0] - matches[:, 1]
    for ax in axes.ravel():
        draw(matches, ax, end_s=140.0)
        bars = [path[1] for path in ax.collections[0].get_segments()]
        counts = [(offset * FRAME_S, (offsets == offset).sum()) for offset in np.unique(offsets)]
        assert_allclose(np.reshape(bars, (-1, 2)), np.reshape(counts, (-1, 2)))
        if counts:
            at, count = max(counts, key=lambda pair: pair[1])
            assert read_texts(ax)[0] == f"{count} at {at:.1f} s"


@draws(
    fingerprints.draw_misalignment,
    labels=[("excerpt starts this long after a frame of the song (ms)", "hashes on one offset")],
    data={"plain": np.linspace(0.4, 0.04, 9), "all": [1.0] * 9, "none": [0.0] * 9},
    height=2.9,
)
def test_misalignment(draw, ax, shares):
    shift = np.arange(9) * 64
    table = pd.DataFrame({"shift": np.repeat(shift, 5)})
    table["share"] = np.ravel([np.add([-0.2, -0.1, 0, 0.1, 0.2], s) for s in shares])
    draw(table, ax, title=FINDING)
    ms = shift / 3000 * 1000
    assert_allclose(read_line(ax), np.c_[ms, shares])
    (band,) = ax.collections[0].get_paths()
    assert_allclose(band.vertices[1:10], np.c_[ms, np.subtract(shares, 0.1)])


LEVELS = ["clean", "10 dB", "0 dB", "−5 dB", "−10 dB"]


def make_hits(*shares, names=("5 s", "10 s", "15 s")):
    """Return hits of 20 excerpts: a line for each list of shares."""
    return {
        name: {level: np.arange(20) < 20 * s for level, s in zip(LEVELS, line, strict=True)}
        for name, line in zip(names, shares, strict=False)
    }


METHODS = ("identifier", "Chromaprint", "assignment")
NOISY = {
    "plain": make_hits([0.8, 0.75, 0.55, 0.4, 0.3], [1, 1, 0.9, 0.75, 0.5], [1, 1, 1, 0.9, 0.7]),
    "all": make_hits(*[[1.0] * 5] * 3, names=METHODS),
    "none": make_hits(*[[0.0] * 5] * 3, names=METHODS),
    "at chance": make_hits(*[[0.15] * 5] * 3, names=METHODS),
    "one": make_hits([0.5] * 5),
    "low and high": make_hits([1, 1, 1, 1, 1], [1, 1, 0.2, 0, 0], [0.6, 0.4, 0.2, 0.1, 0]),
}


def check_noise_curves(ax, hits, also=("chance",)):
    for container, cells in zip(ax.containers, hits.values(), strict=True):
        assert_allclose(read_line(container)[:, 1], [np.mean(cell) for cell in cells.values()])
        ends = read_spans(container[2][0], 1)
        for (low, high), cell in zip(ends, cells.values(), strict=True):
            assert low <= np.mean(cell) <= high and high - low > 0.1
    assert set(read_texts(ax)) >= {*hits, *also}


@draws(
    fingerprints.draw_noise_curves,
    labels=[("white noise: signal-to-noise ratio", "right song first")],
    data=NOISY, height=3.4,
)  # fmt: skip
def test_noise_curves(draw, ax, hits):
    draw(hits, ax, chance=1 / 7, title=FINDING)
    check_noise_curves(ax, hits)
    assert read_names(ax.xaxis) == LEVELS
    assert read_line(ax, -1)[0, 1] == 1 / 7


def test_intervals_over_songs_are_drawn_wider_where_songs_differ():
    hits = {"10 s": {level: np.arange(20) < 10 for level in LEVELS}}
    heights = []
    for groups in (None, {"10 s": np.arange(20) // 5}, {"10 s": np.arange(20) % 10}):
        ax = Figure().subplots()
        fingerprints.draw_noise_curves(hits, ax, chance=0.1, title="t", groups=groups)
        (low, high), *_ = read_spans(ax.containers[0][2][0], 1)
        heights.append(high - low)
    assert heights[1] > 1.5 * max(heights[0], heights[2])


@draws(
    fingerprints.draw_noise_curves,
    labels=[("signal-to-noise ratio (dB)", "right song first")] * 2,
    data=NOISY, height=3.0, cols=2, sharey=True,
)  # fmt: skip
def test_noise_curves_side_by_side(draw, axes, hits):
    for ax in axes:
        draw(hits, ax, chance=1 / 1000, title="10 s, 1,066 tracks")
        ax.set_xlabel("signal-to-noise ratio (dB)")
        check_noise_curves(ax, hits, also=())
        assert "chance" not in read_texts(ax)  # its line is the axis: no place for a word


@draws(
    fingerprints.draw_scores,
    labels=[("score: hashes on one offset", "excerpts that reach it")],
    data={"plain": (np.arange(5, 150, 3), [1, 2, 2, 3, 6]), "low": ([3], [1]), "zero": ([0], [0]),
          "high": ([2500, 40], [2, 900])},
    height=3.0,
)  # fmt: skip
def test_excerpt_scores(draw, ax, data):
    known, unknown = map(np.array, data)
    draw(known, unknown, ax, title=FINDING)
    for line, scores in zip(ax.lines, (known, unknown), strict=True):
        for threshold, share in np.transpose(line.get_data()):
            assert share == np.mean(scores >= threshold)
    assert ax.lines[0].get_xdata()[-1] > max(known.max(), unknown.max())


def make_growth(sizes, scale=1.0):
    names = [f"{way}_{unit}" for way in ("dictionaries", "inverted", "identifier")
             for unit in ("ms", "mb")]  # fmt: skip
    times = np.outer(sizes, [0.01, 0.5, 0.001, 0.3, 0.002, 0.02]) * scale
    return pd.DataFrame(times, sizes, names)


@draws(
    fingerprints.draw_growth,
    labels=[("songs", "one search (ms)"), ("songs", "memory (MB)")],
    data={"plain": make_growth([10, 30, 100, 200]), "close sizes": make_growth([5, 6, 7]),
          "equal": make_growth([10, 30, 100], 0) + 1, "one": make_growth([7]),
          "large": make_growth([10, 1000, 100000], 10)},
    height=3.1, cols=2,
)  # fmt: skip
def test_growth(draw, axes, table):
    draw(table, axes, titles=["200 songs: 151 times faster inverted",
                              "The identifier holds 3% of the memory"])  # fmt: skip
    for ax, unit in zip(axes, ("ms", "mb"), strict=True):
        for line, way in zip(ax.lines, ("dictionaries", "inverted", "identifier"), strict=True):
            assert_allclose(line.get_data(), [table.index, table[f"{way}_{unit}"]])


CONDITIONS = [f"{kind} {level} dB, {s} s" for kind in ("white", "pink", "babble") for level in
              ("+0", "-5", "-10") for s in (5, 10, 15)] + ["clipped by 20 dB, 10 s"]  # fmt: skip


@draws(
    fingerprints.draw_conditions,
    labels=[("share of 300 excerpts (bars: 95 % intervals)", "")],
    data={"plain": (range(300, 272, -1), range(299, 271, -1)), "all": ([300], [300]),
          "none": ([0] * 5, [0] * 5)},
    height=5.6,
)  # fmt: skip
def test_conditions(draw, ax, data):
    first, accepted = map(list, data)
    names = CONDITIONS[: len(first)]
    draw(pd.DataFrame({"first": first, "accepted": accepted}, names), 300, ax, title=FINDING)
    rows = np.arange(len(first))[::-1]
    for container, counts, nudge in zip(
        ax.containers, (first, accepted), (0.14, -0.14), strict=True
    ):
        assert_allclose(read_line(container), np.c_[np.divide(counts, 300), rows + nudge])
        for (low, high), count in zip(read_spans(container[2][0], 0), counts, strict=True):
            assert low - 1e-9 <= count / 300 <= high + 1e-9 and high - low > 0.01
    assert read_names(ax.yaxis) == [name.replace("-", "−") for name in names]
