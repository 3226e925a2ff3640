"""Figures of the second document: distances, thresholds, scores beside the slides', and joins.

Used by notebook ``06_chainable``. Every function takes numbers and ``ax``, draws and returns
``ax``; titles state findings and are passed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from workshop.plots.style import INK, LINES, MUTED, OKABE_ITO, lay_out, set_title

SERIES = (MUTED, *(OKABE_ITO[name] for name in ("blue", "orange", "vermillion", "green")))
MARKS = ("s", "o", "D", "^", "v")
BREADTH = 0.62  # of a row that its series share


def draw_distances(
    means: npt.NDArray[np.float64],
    names: Sequence[str],
    ax: Axes,
    *,
    title: str,
    detail: str = "",
    label: str = "mean distance",
) -> Axes:
    """Draw how far groups of songs are from each other, and within themselves.

    Parameters
    ----------
    means : ndarray of float, shape (n, n)
        Symmetric; NaN where there is no pair.
    names : sequence of str
        Of the rows and columns.
    ax : Axes
    title : str
    detail : str
    label : str
        Of the scale of colours.

    Returns
    -------
    Axes
    """
    table = pd.DataFrame(means, index=list(names), columns=list(names))
    numbers = len(names) <= 12  # more would be too small to be read
    sns.heatmap(
        table, ax=ax, cmap="magma_r", square=True, annot=numbers, fmt=".1f", linewidths=0.5,
        annot_kws={"fontsize": 7}, cbar_kws={"label": label, "shrink": 0.8},
        xticklabels=True, yticklabels=True,
    )  # fmt: skip
    ax.tick_params(axis="x", rotation=90)
    ax.tick_params(axis="y", rotation=0)
    ax.set(xlabel="", ylabel="")
    return set_title(ax, title, detail)


def draw_threshold(
    curve: pd.DataFrame, ax: Axes, *, marks: Mapping[str, float], title: str, detail: str = ""
) -> Axes:
    """Draw what a threshold costs: accuracy and both kinds of errors.

    Parameters
    ----------
    curve : DataFrame
        ``threshold``, ``accuracy``, ``false_positives`` and ``false_negatives`` (shares of all
        pairs), see :func:`aares.chaining.thresholds.trace_threshold`.
    ax : Axes
    marks : mapping of str to float
        Distances to be named.
    title : str
    detail : str

    Returns
    -------
    Axes
    """
    lines = {
        "accuracy": ("blue", "right"),
        "false_positives": ("vermillion", "wrongly called chainable"),
        "false_negatives": ("orange", "wrongly called not chainable"),
    }
    for line, (column, (color, name)) in enumerate(lines.items()):
        ax.plot(
            curve["threshold"], curve[column], ls=LINES[line], color=OKABE_ITO[color], label=name
        )
    for name, distance in marks.items():
        ax.axvline(distance, color=MUTED, lw=0.8, ls=":")
        ax.annotate(
            name, (distance, 1), xycoords=("data", "axes fraction"), xytext=(2, -2),
            textcoords="offset points", rotation=90, va="top", fontsize=7, color=MUTED,
        )  # fmt: skip
    ax.set(xlabel="threshold of the distance", ylabel="share of the pairs", ylim=(0, 1))
    lay_out(ax).legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return set_title(ax, title, detail)


def draw_series(
    series: Mapping[str, pd.DataFrame],
    ax: Axes,
    *,
    label: str,
    title: str,
    detail: str = "",
    chance: float | None = None,
) -> Axes:
    """Draw values with intervals, a row for each thing and a mark for each series.

    Parameters
    ----------
    series : mapping of str to DataFrame
        At most five. Index: names of rows, in the order of the first series from the top; columns
        ``value``, ``low`` and ``high``; what is NaN, or not there, is left out.
    ax : Axes
    label : str
        Of the axis of values.
    title : str
    detail : str
    chance : float, optional
        What guessing gives, drawn as a line.

    Returns
    -------
    Axes
    """
    rows = list(dict.fromkeys(name for table in series.values() for name in table.index))
    step = BREADTH / max(len(series), 1)
    for k, (name, table) in enumerate(series.items()):
        shown = table.dropna(subset=["value"])
        at = np.array([rows.index(row) for row in shown.index]) + step * (k - (len(series) - 1) / 2)
        ax.hlines(at, shown["low"], shown["high"], color=SERIES[k], lw=2)
        ax.scatter(shown["value"], at, color=SERIES[k], marker=MARKS[k], s=20, label=name, zorder=3)
    if chance is not None:
        ax.axvline(chance, color=INK, lw=0.8, ls="--")
    ax.set_yticks(range(len(rows)), rows)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(label)
    if len(series) > 1:
        lay_out(ax).legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return set_title(ax, title, detail)


def draw_reliability(
    curve: npt.NDArray[np.float64], ax: Axes, *, title: str, detail: str = ""
) -> Axes:
    """Draw how often a join that is called so likely is the song's own.

    Parameters
    ----------
    curve : ndarray of float, shape (n, 3)
        Mean probability that was said, share that was true, and number of pairs of each bin; see
        :func:`aares.chaining.join_model.measure_calibration`.
    ax : Axes
    title : str
    detail : str

    Returns
    -------
    Axes
    """
    said, true, count = np.asarray(curve, dtype=float).T[:3]
    ax.plot([0, 1], [0, 1], color=MUTED, lw=0.8, ls="--")
    ax.plot(said, true, color=OKABE_ITO["blue"], lw=1)
    ax.scatter(said, true, s=8 + 120 * count / count.max(), color=OKABE_ITO["blue"], zorder=3)
    ax.set(xlabel="probability that was said", ylabel="share that was true")
    ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    return set_title(ax, title, detail)


def draw_join(
    end: npt.NDArray[np.floating],
    start: npt.NDArray[np.floating],
    ax: Axes,
    *,
    seconds: float,
    title: str,
    detail: str = "",
) -> Axes:
    """Draw the last seconds of a song and the first of the next as one picture.

    Parameters
    ----------
    end, start : ndarray of float, shape (n_frames, n_bands)
        Levels of mel bands in dB, in the order of playing; the join lies between the two.
    ax : Axes
    seconds : float
        Of a frame.
    title : str
    detail : str

    Returns
    -------
    Axes
    """
    both = np.vstack([end, start]).T
    ax.imshow(
        both, origin="lower", aspect="auto", cmap="magma", interpolation="nearest",
        vmin=np.percentile(both, 5), vmax=both.max(),
        extent=(-len(end) * seconds, len(start) * seconds, 0, len(both)),
    )  # fmt: skip
    ax.axvline(0, color="white", lw=1.2)
    ax.grid(visible=False)
    ax.set_yticks([])
    ax.set(xlabel="time from the join (s)", ylabel="low to high")
    return set_title(ax, title, detail)


def draw_times(
    times: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]],
    ax: Axes,
    *,
    xlabel: str,
    title: str,
    detail: str = "",
) -> Axes:
    """Draw seconds against the number of songs, on two logarithmic axes.

    Parameters
    ----------
    times : mapping of str to pair of array-like
        Name -> numbers of songs, and seconds (above 0).
    ax : Axes
    xlabel : str
    title : str
    detail : str

    Returns
    -------
    Axes
    """
    for k, (name, (songs, seconds)) in enumerate(times.items()):
        ax.plot(songs, seconds, color=SERIES[k], marker=MARKS[k], ms=4, label=name)
    ax.set(xscale="log", yscale="log", xlabel=xlabel, ylabel="seconds")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_minor_formatter("")
    ax.legend()
    return set_title(ax, title, detail)
