"""One song through all exercises, a panel for each (notebook 07).

Every function draws on `ax` and returns it; titles are written by the caller from results.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from workshop.plots.style import GRID, INK, MUTED, OKABE_ITO, set_title


def draw_shares(
    shares: pd.Series, ax: Axes, *, title: str, label: str, line: float | None = None
) -> Axes:
    """Draw sorted bars of numbers from 0 to 1; those beyond a line are the chosen ones.

    Parameters
    ----------
    shares : Series of float, shape (n,)
        By name; the first is drawn on top.
    ax : Axes
    title : str
    label : str
        Of the axis.
    line : float, optional
        Bars that do not reach beyond it are grey; without one only the first is not.

    Returns
    -------
    Axes
    """
    chosen = shares.to_numpy() > line if line is not None else np.arange(len(shares)) == 0
    colours = np.where(chosen, OKABE_ITO["blue"], MUTED)
    ax.barh(range(len(shares))[::-1], shares, color=colours, height=0.72)
    if line is not None:
        ax.axvline(line, color=INK, lw=1, ls="--")
    ax.set_yticks(range(len(shares))[::-1], list(shares.index), fontsize=7)
    ax.set(xlabel=label, xlim=(0, max(1.05 * shares.max(), 0.1)))
    ax.grid(axis="y", visible=False)
    return set_title(ax, title)


def draw_interval(
    low: float, middle: float, high: float, truth: float, ax: Axes, *, title: str
) -> Axes:
    """Draw a predicted popularity with its interval, and what the table says.

    Parameters
    ----------
    low, middle, high, truth : float
        Points, 0 to 100.
    ax : Axes
    title : str

    Returns
    -------
    Axes
    """
    ax.plot([low, high], [0, 0], color=OKABE_ITO["sky"], lw=8, solid_capstyle="butt")
    ax.plot(middle, 0, "o", color=OKABE_ITO["blue"], ms=7)
    ax.plot(truth, 0, "D", color=OKABE_ITO["vermillion"], ms=6)
    for name, value, rise in (("expected", middle, 10), ("told", truth, -15)):
        side = "left" if value < 50 else "right"  # from the point inwards, never over the axis
        ax.annotate(name, (value, 0), (0, rise), textcoords="offset points", ha=side, size=7)
    ax.set(xlim=(-3, 103), ylim=(-1, 1), xlabel="popularity (points)", yticks=[])
    return set_title(ax, title)


def draw_years(seed: float, years: Sequence[float], ax: Axes, *, title: str) -> Axes:
    """Draw when the songs of a playlist were recorded, in playing order, and the seed.

    Parameters
    ----------
    seed : float
        Year.
    years : sequence of float, length n
    ax : Axes
    title : str

    Returns
    -------
    Axes
    """
    places = np.arange(1, len(years) + 1)
    ax.axhline(seed, color=OKABE_ITO["vermillion"], lw=1.2, ls="--")
    ax.plot(places, years, "-o", color=OKABE_ITO["blue"], ms=4, lw=0.8)
    beside = ax.get_yaxis_transform()
    ax.text(1.02, seed, "seed", transform=beside, ha="left", va="center", size=7)
    ax.set(xlabel="place in the playlist", ylabel="year", xticks=places[::3])
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    return set_title(ax, title)


def draw_recognition(rows: pd.DataFrame, ax: Axes, *, title: str) -> Axes:
    """Draw the share of excerpts that are named and accepted, by noise.

    Parameters
    ----------
    rows : DataFrame
        Index: level of noise as text, the quietest first; ``share``, ``low``, ``high``.
    ax : Axes
    title : str

    Returns
    -------
    Axes
    """
    places = np.arange(len(rows))
    ax.fill_between(places, rows["low"], rows["high"], color=GRID, lw=0)
    ax.plot(places, rows["share"], "-o", color=OKABE_ITO["blue"], ms=4)
    ax.set_xticks(places, list(rows.index), fontsize=7)
    ax.set(xlabel="signal-to-noise ratio (dB)", ylabel="named", ylim=(-0.03, 1.05))
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    return set_title(ax, title)
