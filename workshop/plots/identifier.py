"""Figures of the identifier in the field (notebook 04): what its probabilities are worth.

Conventions: rows come from ``benchmarks/results/identify.json``. Every function draws on `ax` and
returns it; the title is a sentence computed from results by the caller.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from workshop.plots.style import INK, MUTED, OKABE_ITO, set_title


def draw_reliability(rows: pd.DataFrame, ax: Axes, *, title: str) -> Axes:
    """Draw how often unknown excerpts get a probability of at most each level.

    Parameters
    ----------
    rows : DataFrame
        ``cell`` ("all", or one that begins with "clean" or "noisy"), ``level`` (in (0, 1]),
        ``share`` of the excerpts whose probability is at most the level, and its 95 % interval,
        ``low`` and ``high``.
    ax : Axes
        Both axes become logarithmic; a share of 0 is not drawn.
    title : str

    Returns
    -------
    Axes
    """
    levels = np.sort(rows["level"].unique())
    ax.plot(levels, levels, color=INK, lw=1, ls="--", label="as told", zorder=1)
    ax.plot(levels, 2 * levels, color=MUTED, lw=1, ls=":", label="twice as many", zorder=1)
    seen = rows[rows["share"] > 0].sort_values("level")
    for word, colour, marker in (
        ("clean", OKABE_ITO["blue"], "o"),
        ("noisy", OKABE_ITO["orange"], "^"),
    ):
        part = seen[seen["cell"].str.startswith(word)]
        ax.plot(
            part["level"], part["share"], marker, ms=4, color=colour, label=f"{word}, each length"
        )
    every = seen[seen["cell"] == "all"]
    colour = OKABE_ITO["vermillion"]
    ax.plot(every["level"], every["share"], lw=2, color=colour, label="all, with 95 % interval")
    ax.fill_between(every["level"], every["low"], every["high"], color=colour, alpha=0.2, lw=0)
    ax.set(xscale="log", yscale="log", xlabel="p_false at most", ylabel="unknown excerpts")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(lambda value, _: f"{100 * value:.3g}%")
        axis.set_minor_formatter(NullFormatter())
    ax.legend(loc="upper left", fontsize=7)
    return set_title(ax, title)


def draw_kinds(rows: pd.DataFrame, ax: Axes, *, title: str) -> Axes:
    """Draw what is said of sounds that are no music, a bar for each kind.

    Parameters
    ----------
    rows : DataFrame
        ``kind``, and counts ``nothing``, ``unknown`` and ``accepted`` that sum to ``n``.
    ax : Axes
    title : str

    Returns
    -------
    Axes
    """
    places = np.arange(len(rows))[::-1]
    left = np.zeros(len(rows))
    for column, label, colour in (
        ("nothing", "nothing to identify", OKABE_ITO["sky"]),
        ("unknown", "unknown", OKABE_ITO["blue"]),
        ("accepted", "a recording", OKABE_ITO["vermillion"]),
    ):
        share = rows[column].to_numpy() / rows["n"].to_numpy()
        ax.barh(places, share, left=left, color=colour, label=label, height=0.7)
        left = left + share
    ax.set_yticks(places, rows["kind"])
    ax.set(xlabel="share of the sounds", xlim=(0, 1), ylim=(-0.6, len(rows) + 0.8))
    ax.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g}%")
    ax.legend(loc="upper center", fontsize=7, ncols=3)
    return set_title(ax, title)
