"""Figures of exercise 3: playlists on the map of songs, and how well methods find hidden songs.

Used by notebook ``03_recommendation``. Every function takes data and ``ax``, draws and returns
``ax``; titles state findings and are passed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from workshop.plots.labels import label_points
from workshop.plots.style import INK, MUTED, OKABE_ITO, set_title

FloatArray = npt.NDArray[np.float64]


def draw_route(
    near: FloatArray, seed: FloatArray, path: FloatArray, ax: Axes, *, title: str, detail: str = ""
) -> Axes:
    """Draw a playlist as a numbered path from its seed among the songs around.

    Parameters
    ----------
    near : ndarray, shape (n, 2)
        Songs around the seed.
    seed : ndarray, shape (2,)
    path : ndarray, shape (k, 2)
        Songs of the playlist in order.
    ax : Axes
    title : str
    detail : str

    Returns
    -------
    Axes
    """
    ax.scatter(near[:, 0], near[:, 1], s=5, color=MUTED, alpha=0.45, lw=0, rasterized=True)
    route = np.vstack([seed, path])
    ax.plot(route[:, 0], route[:, 1], color=OKABE_ITO["vermillion"], lw=1.0)
    ax.scatter(
        path[:, 0], path[:, 1], s=95, color="white", edgecolor=OKABE_ITO["vermillion"], zorder=3
    )
    ax.scatter(
        seed[0], seed[1], marker="*", s=210, color=OKABE_ITO["blue"], edgecolor="white", zorder=5
    )
    ax.annotate(
        "seed",
        (seed[0], seed[1]),
        xytext=(-8, -2),
        textcoords="offset points",
        ha="right",
        va="top",
        color=OKABE_ITO["blue"],
        fontweight="bold",
        zorder=6,
    )
    reach = 1.6 * float(np.abs(path - seed).max()) or 1.0
    ax.set_xlim(seed[0] - reach, seed[0] + reach)
    ax.set_ylim(seed[1] - reach, seed[1] + reach)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set(xlabel="local direction 1", ylabel="local direction 2")
    set_title(ax, title, detail)
    numbers = ["", *map(str, range(1, len(path) + 1))]  # nothing is written upon the seed's star
    radius = [7, *[5] * len(path)]
    label_points(ax, route, numbers, radius=radius, size=6.5, upon=True, zorder=6)
    return ax


def draw_map(
    background: FloatArray,
    groups: Sequence[tuple[str, FloatArray, FloatArray]],
    ax: Axes,
    *,
    labels: tuple[str, str],
    title: str,
    detail: str = "",
) -> Axes:
    """Draw seeds and the songs that each leads on the density of all songs.

    Parameters
    ----------
    background : ndarray, shape (n, 2)
        All songs on two axes.
    groups : sequence of (name, seed, songs)
        Name of a seed, its place (2,) and the places of its songs (k, 2).
    ax : Axes
    labels : tuple of str
        Names of the axes.
    title : str
    detail : str

    Returns
    -------
    Axes
    """
    x, y = background[:, 0], background[:, 1]
    colors = ("blue", "vermillion", "green")
    hexes = ax.hexbin(x, y, gridsize=45, bins="log", cmap="Greys", mincnt=1, linewidths=0)
    hexes.set(alpha=0.6, rasterized=True)
    for (_, seed, songs), color in zip(groups, colors, strict=False):
        ax.scatter(
            songs[:, 0],
            songs[:, 1],
            s=22,
            color=OKABE_ITO[color],
            edgecolor="white",
            lw=0.6,
            zorder=3,
        )
        ax.scatter(
            seed[0], seed[1], marker="*", s=190, color=OKABE_ITO[color], edgecolor="white", zorder=4
        )
    ax.set(xlabel=labels[0], ylabel=labels[1])
    ax.grid(visible=False)
    set_title(ax, title, detail)
    label_points(
        ax,
        np.array([seed for _, seed, _ in groups]),
        [name for name, _, _ in groups],
        color=[OKABE_ITO[color] for color in colors[: len(groups)]],
        radius=7,
        prefer=270,
        fontweight="bold",
        zorder=5,
        bbox={"facecolor": "white", "alpha": 0.8, "lw": 0, "pad": 1},
    )
    return ax


def draw_arcs(
    energies: Mapping[str, FloatArray], jumps: Mapping[str, float], axes: Sequence[Axes]
) -> Sequence[Axes]:
    """Draw the energy of the same songs along several playing orders.

    Parameters
    ----------
    energies : mapping of str to ndarray, shape (n,)
        Of each order, 0-1, in the order of playing.
    jumps : mapping of str to float
        Mean cost from a song to the next, see `aares.recommend.lists.transitions`.
    axes : sequence of Axes
        One for each order.

    Returns
    -------
    sequence of Axes
    """
    for ax, (name, energy) in zip(axes, energies.items(), strict=True):
        at = np.arange(1, len(energy) + 1)
        ax.plot(at, energy, color=OKABE_ITO["vermillion"], marker="o", ms=3, lw=1)
        ax.set(xlabel="place in the list", ylim=(-0.03, 1.03), xticks=[1, len(energy)])
        set_title(ax, name, f"mean jump {jumps[name]:.1f}")
    for ax in axes[1:]:
        ax.tick_params(labelleft=False)
    axes[0].set_ylabel("energy")
    return axes


def draw_methods(
    table: pd.DataFrame,
    ax: Axes,
    *,
    measure: str,
    label: str,
    title: str,
    detail: str = "",
    highlight: str = "",
    keep_order: bool = False,
) -> Axes:
    """Draw a measure of several methods with bootstrap intervals, best at the top.

    Parameters
    ----------
    table : DataFrame
        See :func:`aares.recommend.listeners.evaluate.summarise`.
    ax : Axes
    measure : str
        Column; ``<measure>_low`` and ``<measure>_high`` are its interval.
    label : str
        Name of the measure on the axis.
    title : str
    detail : str
    highlight : str
        Row to colour.
    keep_order : bool
        Leave the rows as they come, first at the bottom, for a second measure beside a first.

    Returns
    -------
    Axes
    """
    table = table if keep_order else table.sort_values(measure, kind="stable")
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
    ax.margins(x=0.12)  # the numbers stand clear of the axis
    ax.set_xlabel(label)
    return set_title(ax, title, detail)


def draw_cold(table: pd.DataFrame, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw the share of hidden songs found: known to other listeners against known to none.

    Parameters
    ----------
    table : DataFrame
        Index method; ``warm`` and ``cold`` (shares, 0-1).
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
    ax.set_xlim(0, 1.5 * float(table.to_numpy().max()) or 1)
    ticks = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(*ax.get_xlim())
    ax.set_xticks([tick for tick in ticks if 0 <= tick <= min(1, ax.get_xlim()[1])])
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.set_xlabel("share of the hidden songs that are among the first ten")
    ax.tick_params(axis="y", colors=INK)
    ax.spines["left"].set_color(MUTED)
    ax.grid(axis="y", visible=False)
    return set_title(ax, title, detail)
