"""Figures of exercise 1 (notebook 01): the data, the rule, the album effect, the classifiers.

Conventions: every function draws on `ax` and returns it; titles are sentences computed from results
by the caller. 22 genres are ordered bars, rows or small multiples, never 22 hues.
"""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from workshop.plots.labels import label_ends, label_pair
from workshop.plots.style import (
    GRID,
    INK,
    MUTED,
    OKABE_ITO,
    break_lines,
    lay_out,
    mark_signs,
    set_title,
    show_whole_numbers,
)


def draw_traps(train: pd.DataFrame, axes: np.ndarray) -> np.ndarray:
    """Draw the columns that do not mean what their name says: popularity, tempo, date, length.

    Parameters
    ----------
    train : DataFrame
        Has ``popularity``, ``tempo``, ``release_date`` (text) and ``duration_ms``.
    axes : ndarray of Axes, shape (2, 2)

    Returns
    -------
    ndarray of Axes
    """
    flat = axes.ravel()
    _draw_spike(
        flat[0], train["popularity"], np.arange(-0.5, 101, 2), "popularity (points)", spike=0
    )
    _draw_spike(flat[1], train["tempo"], np.arange(-1.5, 225, 3), "tempo (beats/min)", spike=0)
    days = train.loc[train["release_date"].str.len() == 10, "release_date"].str[8:].astype(int)
    _draw_spike(flat[2], days, np.arange(0.5, 32), "day of the month", spike=1)
    minutes = (train["duration_ms"] / 60000).clip(upper=12)
    _draw_spike(flat[3], minutes, np.arange(0, 12.3, 0.25), "length (min, cut at 12)", spike=12)
    return axes


def _draw_spike(ax: Axes, values: pd.Series, bins: np.ndarray, label: str, *, spike: float) -> None:
    counts, edges = np.histogram(values, bins)
    hit = (edges[:-1] <= spike) & (spike < edges[1:])
    colors = np.where(hit, OKABE_ITO["vermillion"], OKABE_ITO["blue"])
    ax.bar(edges[:-1], counts, np.diff(edges), align="edge", color=colors)
    reach = (float(edges[:-1][hit][0]), int(counts[hit][0]))
    text = f"{reach[1]:,} songs".replace(",", "\u2009")
    side = "left" if spike < edges.mean() else "right"
    shift = (9 if side == "left" else 4, 6 if reach[1] < counts.max() else -8)
    ax.annotate(
        text,
        reach,
        shift,
        textcoords="offset points",
        ha=side,
        fontsize=8,
        color=OKABE_ITO["vermillion"],
    )
    ax.set(xlabel=label, ylabel="songs")
    ax.grid(axis="x", visible=False)
    show_whole_numbers(ax)


def draw_counts(counts: pd.Series, ax: Axes, *, title: str) -> Axes:
    """Draw the number of songs of each genre as sorted bars, with their share.

    Parameters
    ----------
    counts : Series of int
        Index: genres, most frequent first.
    ax : Axes
    title : str

    Returns
    -------
    Axes
    """
    rows = range(len(counts))
    ax.barh(rows, counts, color=OKABE_ITO["blue"])
    for row, count in zip(rows, counts, strict=True):
        ax.annotate(
            f"{count / counts.sum():.1%}", (count, row), (3, 0), textcoords="offset points",
            va="center", fontsize=7, color=INK,
        )  # fmt: skip
    ax.set_yticks(rows, list(counts.index), fontsize=7)
    ax.invert_yaxis()
    ax.set(xlabel="songs", xlim=(0, counts.max() * 1.12))
    ax.grid(axis="y", visible=False)
    show_whole_numbers(ax, "x")
    return set_title(ax, title)


def draw_matrix(
    matrix: pd.DataFrame,
    ax: Axes,
    *,
    title: str,
    label: str,
    limit: float | None = None,
    centered: bool = False,
    detail: str = "",
) -> Axes:
    """Draw a table as a heat map, magnitude from dark to light or centred on zero.

    Parameters
    ----------
    matrix : DataFrame of float
    ax : Axes
    title : str
    label : str
        What the colours mean, with unit.
    limit : float, optional
        Value of the strongest colour; default: the largest magnitude.
    centered : bool
        Whether zero is the middle (red above, blue below).
    detail : str
        Printed small below the title.

    Returns
    -------
    Axes
    """
    values = matrix.to_numpy(dtype=float)
    top = limit if limit is not None else float(np.nanmax(np.abs(values)))
    top = top or 1.0  # nothing but zeros
    low, cmap = (-top, "RdBu_r") if centered else (0.0, "magma")
    image = ax.imshow(values, vmin=low, vmax=top, cmap=cmap, aspect="auto")
    ax.set_xticks(range(matrix.shape[1]), list(matrix.columns), rotation=55, ha="right", fontsize=7)
    ax.set_yticks(range(matrix.shape[0]), list(matrix.index), fontsize=7)
    for tick in ax.get_xticklabels():
        tick.set_rotation_mode("anchor")
    ax.grid(False)
    if centered:
        mark_signs(ax, values, above=top / 2)
    bar = ax.figure.colorbar(image, ax=ax, pad=0.01, aspect=40)
    bar.set_label(label, fontsize=8)
    return set_title(ax, title, detail)


def draw_album_effect(
    effect: pd.DataFrame, ax: Axes, *, chance: float, anywhere: float, title: str, detail: str
) -> Axes:
    """Draw how often the closest songs of one date share their genre.

    Parameters
    ----------
    effect : DataFrame
        From `explore.measure_album_effect`.
    ax : Axes
    chance : float
        Share for two songs drawn at random.
    anywhere : float
        Share for the closest song of any date.
    title : str
    detail : str

    Returns
    -------
    Axes
    """
    ax.plot(effect.index, effect["same_genre"], "o-", color=OKABE_ITO["vermillion"])
    levels = {"two songs\nat random": chance, "closest song\nof any date": anywhere}
    for level in levels.values():
        ax.axhline(level, color=MUTED, ls="--", lw=1)
    first = effect["same_genre"].iloc[0]
    ax.annotate(
        f"closest of the date: {first:.0%}", (effect.index[0], first), (8, 2),
        textcoords="offset points", fontsize=8, color=OKABE_ITO["vermillion"],
    )  # fmt: skip
    ax.set(xlabel="rank of the neighbour (1 = closest in sound)", ylabel="same genre")
    top = max(effect["same_genre"].max(), *levels.values())
    ax.set(ylim=(0, 1.15 * top or 1), xticks=list(effect.index))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    set_title(ax, title, detail)
    right = ax.get_xlim()[1]
    label_ends(ax, {text: (right, level) for text, level in levels.items()}, [INK, INK])
    return ax


def draw_map(points: pd.DataFrame, genres: list[str], axes: np.ndarray) -> np.ndarray:
    """Draw where genres lie on a map of songs, one small map for each.

    Parameters
    ----------
    points : DataFrame
        From `explore.map_songs`.
    genres : list of str
    axes : ndarray of Axes
        As many as genres.

    Returns
    -------
    ndarray of Axes
    """
    names = []
    for ax, genre in zip(axes.ravel(), genres, strict=True):
        inside = points["genre"] == genre
        ax.scatter(points["x"], points["y"], s=0.4, color=GRID, rasterized=True)
        ax.scatter(
            points.loc[inside, "x"], points.loc[inside, "y"], s=1.6,
            color=OKABE_ITO["vermillion"], rasterized=True,
        )  # fmt: skip
        names.append(ax.set_title(f"{genre} ({inside.sum()})", fontsize=8, pad=2))
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        ax.grid(False)
    lay_out(axes.flat[0])
    for ax, name in zip(axes.flat, names, strict=True):
        break_lines(name, ax.bbox.width)
    return axes


def draw_scores(table: pd.DataFrame, ax: Axes, *, ours: str, title: str, detail: str = "") -> Axes:
    """Draw scores with their spread over folds, ours highlighted.

    Parameters
    ----------
    table : DataFrame
        Columns ``micro-F1`` and ``sd``; index: names, lowest first.
    ax : Axes
    ours : str
        Row to highlight.
    title : str
    detail : str

    Returns
    -------
    Axes
    """
    rows = np.arange(len(table))
    colors = [OKABE_ITO["vermillion" if name == ours else "blue"] for name in table.index]
    ax.barh(rows, table["micro-F1"], xerr=table["sd"], color=colors, error_kw={"ecolor": INK})
    for row, (score, sd) in enumerate(zip(table["micro-F1"], table["sd"], strict=True)):
        ax.text(score + sd + 0.006, row, f"{score:.3f}", va="center", fontsize=8)
    ax.set_yticks(rows, list(table.index))
    ax.set(xlabel="micro-F1 (bar: mean of the folds, line: standard deviation)")
    ax.set_xlim(0, 1.12 * (table["micro-F1"] + table["sd"]).max() or 1)
    ax.grid(axis="y", visible=False)
    return set_title(ax, title, detail)


def draw_steps(scores: pd.DataFrame, ax: Axes, *, title: str, detail: str) -> Axes:
    """Draw what each added step gains, as a staircase from left to right.

    Parameters
    ----------
    scores : DataFrame of float
        Index: steps, in the order they were added; columns ``micro-F1``, ``gain`` over the step
        before and ``sd`` of that gain between splits.
    ax : Axes
    title : str
    detail : str

    Returns
    -------
    Axes
    """
    columns = range(len(scores))
    values = scores["micro-F1"].to_numpy()
    ax.step(np.arange(len(scores) + 1) - 0.5, np.r_[values, values[-1]], where="post", lw=2.2)
    for column, (value, gain, sd) in enumerate(
        zip(values, scores["gain"], scores["sd"], strict=True)
    ):
        text = f"{value:.3f}" + (f"\n{gain:+.3f} ± {sd:.3f}" if column else "").replace("-", "−")
        ax.annotate(text, (column, value), (0, 3), textcoords="offset points", ha="center",
                    va="bottom", fontsize=8)  # fmt: skip
    ax.set_xticks(columns, list(scores.index), fontsize=8)
    low, high = values.min(), values.max()
    ax.set(ylabel="micro-F1", ylim=(low - 0.02, high + 0.4 * (high - low) + 0.02))
    ax.grid(axis="x", visible=False)
    return set_title(ax, title, detail)


def draw_genre_scores(table: pd.DataFrame, ax: Axes, *, title: str, detail: str) -> Axes:
    """Draw precision and recall of each genre, one row each, joined by a line.

    Parameters
    ----------
    table : DataFrame
        From `explore.score_genres`.
    ax : Axes
    title : str
    detail : str

    Returns
    -------
    Axes
    """
    rows = np.arange(len(table))
    ax.hlines(rows, table["precision"], table["recall"], color=MUTED, lw=1.2)
    ax.plot(table["precision"], rows, "o", color=OKABE_ITO["blue"], ms=5)
    ax.plot(table["recall"], rows, "s", color=OKABE_ITO["orange"], ms=5)
    ax.set_yticks(rows, [f"{name} ({n})" for name, n in table["songs"].items()], fontsize=7)
    names = {"precision": "blue", "recall": "orange"}
    label_pair(ax, {name: table[name].iloc[0] for name in names}, names, row=-0.5)
    ax.set(xlim=(0, 1), ylim=(len(table) - 0.3, -0.8 - 0.04 * len(table)), xlabel="share")
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return set_title(ax, title, detail)


def draw_reliability(bins: pd.DataFrame, ax: Axes, *, title: str, detail: str) -> Axes:
    """Draw claimed probability against how often the answer is right.

    Parameters
    ----------
    bins : DataFrame
        From `explore.measure_reliability`.
    ax : Axes
    title : str
    detail : str

    Returns
    -------
    Axes
    """
    ax.plot([0, 1], [0, 1], color=MUTED, ls="--", lw=1)
    ax.text(0.04, 0.93, "dashed: right as often as claimed", fontsize=8, color=INK)
    reach = [bins["right"] - bins["low"], bins["high"] - bins["right"]]
    ax.errorbar(bins["claimed"], bins["right"], yerr=reach, fmt="o-", ms=4, color=OKABE_ITO["blue"])
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    ax.set(xlabel="probability of the answer", ylabel="share of right answers")
    return set_title(ax, title, detail)


def draw_groups(groups: pd.DataFrame, ax: Axes, *, title: str, detail: str) -> Axes:
    """Draw scores of groups of songs, with their size.

    Parameters
    ----------
    groups : DataFrame
        Columns ``score``, ``low``, ``high`` (95 % interval) and ``songs``; index: names of the
        groups.
    ax : Axes
    title : str
    detail : str

    Returns
    -------
    Axes
    """
    columns = range(len(groups))
    reach = [groups["score"] - groups["low"], groups["high"] - groups["score"]]
    ax.bar(columns, groups["score"], yerr=reach, color=OKABE_ITO["blue"], width=0.7,
           error_kw={"ecolor": INK})  # fmt: skip
    for column, (score, high) in enumerate(zip(groups["score"], groups["high"], strict=True)):
        ax.annotate(f"{score:.2f}", (column, high), (0, 2), textcoords="offset points",
                    ha="center", fontsize=8)  # fmt: skip
    ax.set_xticks(columns, [f"{name}\nn = {songs}" for name, songs in groups["songs"].items()])
    ax.set(ylabel="micro-F1", xlabel="labelled songs of the same date (n: songs in the group)")
    ax.set_ylim(0, groups["high"].max() * 1.15 or 1)
    ax.grid(axis="x", visible=False)
    return set_title(ax, title, detail)


def draw_learning(curves: Mapping[str, pd.Series], ax: Axes, *, title: str, detail: str) -> Axes:
    """Draw scores against the number of songs learnt from.

    Parameters
    ----------
    curves : mapping of str to Series of float
        Index of each: numbers of songs.
    ax : Axes
    title : str
    detail : str

    Returns
    -------
    Axes
    """
    for curve, color in zip(curves.values(), OKABE_ITO.values(), strict=False):
        ax.plot(curve.index, curve, "o-", color=color)
    sizes = next(iter(curves.values())).index
    ax.set_xscale("log")
    ax.set_xticks(list(sizes), [f"{size:,}".replace(",", "\u2009") for size in sizes])
    ax.xaxis.set_minor_locator(plt.NullLocator())
    ax.set(xlabel="songs learnt from", ylabel="micro-F1", xlim=(sizes[0] * 0.9, sizes[-1] * 1.6))
    set_title(ax, title, detail)
    ends = {name: (curve.index[-1], curve.iloc[-1]) for name, curve in curves.items()}
    label_ends(ax, ends, list(OKABE_ITO.values()))
    return ax
