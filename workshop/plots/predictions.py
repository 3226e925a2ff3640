"""Figures of exercise 2 about a model: scores, importance, residuals, intervals.

Used by notebook ``02_popularity``; conventions as in :mod:`workshop.plots.popularity`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from workshop.plots.popularity import LABELS
from workshop.plots.style import INK, MUTED, OKABE_ITO, set_title


def draw_scores(
    table: pd.DataFrame, ax: Axes, *, title: str, detail: str = "", highlight: str = ""
) -> Axes:
    """Draw the RMSE of models as points with the spread between folds, best at the top.

    Parameters
    ----------
    table : DataFrame
        Index model; ``RMSE`` and ``sd`` (points).
    ax : Axes
    title : str
    detail : str
    highlight : str
        Row to colour.

    Returns
    -------
    Axes
    """
    table = table.sort_values("RMSE", ascending=False, kind="stable")
    rows = np.arange(len(table))
    colors = [OKABE_ITO["vermillion" if n == highlight else "blue"] for n in table.index]
    ax.hlines(rows, table["RMSE"] - table["sd"], table["RMSE"] + table["sd"], color=colors, lw=2)
    ax.scatter(table["RMSE"], rows, color=colors, zorder=3, s=36)
    for row, value in zip(rows, table["RMSE"], strict=True):
        ax.annotate(
            f"{value:.1f}", (value, row), xytext=(0, 6), textcoords="offset points", ha="center"
        )
    ax.set_yticks(rows, table.index)
    ax.set_ylim(-0.6, len(table) - 0.2)
    ax.set_xlabel("RMSE (points of popularity), mean ± sd over folds")
    return set_title(ax, title, detail)


def draw_importance(table: pd.DataFrame, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw how much the RMSE rises when a group of columns is shuffled; largest at the top.

    Parameters
    ----------
    table : DataFrame
        See :func:`aares.popularity.measure_importance`.
    ax : Axes
    title : str
        The finding.
    detail : str
        How it was measured.

    Returns
    -------
    Axes
    """
    table = table.iloc[::-1]
    rows = np.arange(len(table))
    ax.barh(rows, table["mean"], xerr=table["sd"], color=OKABE_ITO["blue"], ecolor=MUTED)
    ax.axvline(0, color=INK, lw=0.8)
    ax.set_yticks(rows, table.index)
    ax.set_xlabel("rise of the RMSE when shuffled (points)")
    ax.grid(axis="y", visible=False)
    return set_title(ax, title, detail)


def draw_residuals(table: pd.DataFrame, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw the mean residual by decade with 95 % intervals.

    Parameters
    ----------
    table : DataFrame
        Index label; ``mean`` and ``error`` (points).
    ax : Axes
    title : str
        The finding.
    detail : str
        How it was measured.

    Returns
    -------
    Axes
    """
    at = np.arange(len(table))
    ax.axhline(0, color=INK, lw=0.8)
    ax.errorbar(at, table["mean"], yerr=table["error"], fmt="o", color=OKABE_ITO["purple"])
    ax.set_xticks(at, table.index)
    if sum(map(len, map(str, table.index))) > 90:  # names that need more than the width
        ax.set_xticks(at, table.index, rotation=45, ha="right", rotation_mode="anchor")
    ax.set_ylabel("true − predicted (points)")
    ax.grid(axis="x", visible=False)
    return set_title(ax, title, detail)


def draw_intervals(
    table: pd.DataFrame, ax: Axes, *, title: str, detail: str = "", step: int = 10
) -> Axes:
    """Draw prediction intervals in the order of the prediction, and the truth as points.

    Parameters
    ----------
    table : DataFrame
        ``mean``, ``low``, ``high`` and ``y`` of each song (points).
    ax : Axes
    title : str
        The finding.
    detail : str
        How it was measured.
    step : int
        Only every so many songs are drawn.

    Returns
    -------
    Axes
    """
    table = table.sort_values("mean", kind="stable").iloc[::step]
    at = np.arange(len(table))
    inside = table["y"].between(table["low"], table["high"]).to_numpy()
    ax.vlines(at, table["low"], table["high"], color=OKABE_ITO["sky"], alpha=0.35, lw=0.8)
    ax.plot(at, table["mean"], color=INK, lw=1.2)
    ax.scatter(at[inside], table["y"][inside], s=7, color=OKABE_ITO["blue"], lw=0)
    ax.scatter(at[~inside], table["y"][~inside], s=16, marker="x", color=OKABE_ITO["vermillion"])
    ax.annotate("expected", (at[-1], table["mean"].iloc[-1]), xytext=(4, -3),
                textcoords="offset points", color=INK, fontsize=8)  # fmt: skip
    ax.set_xlim(-0.01 * len(at), 1.09 * len(at))
    ax.set_xticks([])
    ax.set(xlabel="songs, from low to high expectation (× outside)", ylabel="popularity (points)")
    ax.grid(axis="x", visible=False)
    return set_title(ax, title, detail)


def draw_dependence(table: pd.DataFrame, axes: np.ndarray) -> np.ndarray:
    """Draw partial dependence, one column of the table in each panel on one scale.

    Parameters
    ----------
    table : DataFrame
        See :func:`aares.popularity.measure_dependence`.
    axes : ndarray of Axes

    Returns
    -------
    ndarray of Axes
    """
    groups = table.groupby("column", sort=False)
    for (name, part), ax in zip(groups, np.ravel(axes), strict=False):
        label, unit = LABELS.get(str(name), (str(name), ""))
        ax.plot(part["value"], part["mean"], "o-", ms=3.5, color=OKABE_ITO["blue"])
        ax.set_xlabel(f"{label} ({unit})" if unit else label)
    np.ravel(axes)[0].set_ylabel("mean prediction (points)")
    return axes
