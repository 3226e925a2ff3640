"""Figures of exercise 3: playlists on the map of songs, and how well methods find hidden songs.

Used by notebook ``03_recommendation``. Every function takes data and ``ax``, draws and returns
``ax``; titles state findings and are passed in.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from aares.plots.style import INK, MUTED, OKABE_ITO, set_title

FloatArray = npt.NDArray[np.float64]


def draw_map(
    background: FloatArray,
    seeds: FloatArray,
    path: FloatArray,
    ax: Axes,
    *,
    labels: tuple[str, str],
    title: str,
    detail: str = "",
) -> Axes:
    """Draw a playlist as a numbered path on the density of all songs.

    Parameters
    ----------
    background : ndarray, shape (n, 2)
        All songs on two axes.
    seeds, path : ndarray, shape (k, 2)
        Seeds, and the songs of the playlist in order.
    ax : Axes
    labels : tuple of str
        Names of the axes.
    title, detail : str
    """
    ax.hexbin(*background.T, gridsize=55, bins="log", cmap="Greys", mincnt=1, lw=0, rasterized=True)
    route = np.vstack([seeds.mean(axis=0), path])
    ax.plot(*route.T, color=OKABE_ITO["vermillion"], lw=1.2)
    ax.scatter(*path.T, s=90, color="white", edgecolor=OKABE_ITO["vermillion"], zorder=3)
    for number, place in enumerate(path, start=1):
        ax.annotate(str(number), place, ha="center", va="center", fontsize=6.5, zorder=4)
    ax.scatter(*seeds.T, marker="*", s=190, color=OKABE_ITO["blue"], edgecolor="white", zorder=5)
    ax.annotate(
        "seed" if len(seeds) == 1 else "seeds",
        seeds[0],
        xytext=(8, 8),
        textcoords="offset points",
        color=OKABE_ITO["blue"],
        fontweight="bold",
        zorder=6,
    )
    ax.set(xlabel=labels[0], ylabel=labels[1])
    ax.grid(visible=False)
    return set_title(ax, title, detail)


def draw_profile(
    ranks: pd.DataFrame,
    seeds: Sequence[int],
    songs: Sequence[int],
    ax: Axes,
    *,
    title: str,
    detail: str = "",
) -> Axes:
    """Draw percentiles of the audio features: seeds as bold lines, the playlist's songs as thin.

    Parameters
    ----------
    ranks : DataFrame, shape (n, features)
        Percentile of each song in all songs, 0-100.
    seeds, songs : sequence of int
        Row numbers.
    ax : Axes
    title, detail : str
    """
    at = np.arange(ranks.shape[1])
    values = ranks.to_numpy()
    for row in songs:
        ax.plot(at, values[row], color=OKABE_ITO["vermillion"], lw=0.9, alpha=0.6)
    for row in seeds:
        ax.plot(at, values[row], color=OKABE_ITO["blue"], lw=2.6, marker="*", ms=9)
    ax.set_xticks(at, list(ranks.columns), rotation=25, ha="right")
    ax.set(ylabel="percentile among all songs", ylim=(-3, 103))
    ax.annotate(
        "seed",
        (at[-1], values[seeds[0], -1]),
        xytext=(8, 0),
        va="center",
        textcoords="offset points",
        color=OKABE_ITO["blue"],
        fontweight="bold",
    )
    return set_title(ax, title, detail)


def draw_tradeoff(table: pd.DataFrame, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw how far playlists are from the seed and how far their songs are apart.

    Parameters
    ----------
    table : DataFrame
        Index diversity (0-1); ``distance`` to the seed and ``spread`` between songs.
    """
    ax.plot(table["distance"], table["spread"], color=OKABE_ITO["green"], marker="o")
    for diversity, row in table.iterrows():
        ax.annotate(
            f"{diversity:g}",
            (row["distance"], row["spread"]),
            xytext=(6, -10),
            textcoords="offset points",
            fontsize=8,
        )
    ax.set(
        xlabel="mean distance to the seed (standard deviations)",
        ylabel="mean distance between songs",
    )
    return set_title(ax, title, detail)


def draw_methods(
    table: pd.DataFrame,
    ax: Axes,
    *,
    measure: str,
    label: str,
    title: str,
    detail: str = "",
    highlight: str = "",
) -> Axes:
    """Draw a measure of several methods with bootstrap intervals, best at the top.

    Parameters
    ----------
    table : DataFrame
        See :func:`aares.recommend.evaluate.summarise`.
    ax : Axes
    measure : str
        Column; ``<measure>_low`` and ``<measure>_high`` are its interval.
    label : str
        Name of the measure on the axis.
    title, detail : str
    highlight : str
        Row to colour.
    """
    table = table.sort_values(measure)
    at = np.arange(len(table))
    colors = [OKABE_ITO["vermillion" if n == highlight else "blue"] for n in table.index]
    ax.hlines(at, table[f"{measure}_low"], table[f"{measure}_high"], color=colors, lw=2)
    ax.scatter(table[measure], at, color=colors, s=38, zorder=3)
    for row, value in zip(at, table[measure], strict=True):
        ax.annotate(
            f"{value:.3f}",
            (value, row),
            xytext=(0, 6),
            ha="center",
            textcoords="offset points",
            fontsize=8,
        )
    ax.set_yticks(at, table.index)
    ax.set_ylim(-0.6, len(table) - 0.2)
    ax.set_xlabel(label)
    return set_title(ax, title, detail)


def draw_cold(table: pd.DataFrame, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw the share of hidden songs found: known to other listeners against known to none.

    Parameters
    ----------
    table : DataFrame
        Index method; ``warm`` and ``cold`` (shares, 0-1).
    """
    at = np.arange(len(table))
    ax.barh(at + 0.2, table["warm"], height=0.38, color=OKABE_ITO["orange"])
    ax.barh(at - 0.2, table["cold"], height=0.38, color=OKABE_ITO["sky"])
    for shift, name in ((0.2, "warm"), (-0.2, "cold")):
        for row, value in zip(at, table[name], strict=True):
            note = {"warm": " known to other listeners", "cold": " known to no other"}[name]
            ax.annotate(
                f" {value:.1%}" + (note if row == at[-1] else ""),
                (value, row + shift),
                va="center",
                fontsize=8,
                color=INK,
            )
    ax.set_yticks(at, table.index)
    ax.set_xlim(0, 1.5 * float(table.to_numpy().max()) + 1e-6)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.set_xlabel("share of the hidden songs that are among the first ten")
    ax.tick_params(axis="y", colors=INK)
    ax.spines["left"].set_color(MUTED)
    ax.grid(axis="y", visible=False)
    return set_title(ax, title, detail)
