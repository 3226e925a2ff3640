"""One look for every figure: colours, sizes, fonts, and SVG that is the same in every build.

References
----------
Okabe, M. and Ito, K. (2008). Color Universal Design: how to make figures and presentations that
are friendly to colorblind people.
"""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import matplotlib.ticker
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

OKABE_ITO: dict[str, str] = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "yellow": "#F0E442",
    "black": "#000000",
}
INK = "#222222"
MUTED = "#8A8F98"  # what is there for comparison: baselines, other classes
GRID = "#E3E6EA"
REPORT_WIDTH_IN = 6.3


def use_style() -> None:
    """Set matplotlib's parameters for the whole notebook; called by ``results.Notebook``."""
    mpl.rcParams.update(
        {
            "figure.dpi": 110,
            "savefig.dpi": 160,
            "figure.constrained_layout.use": True,
            "font.family": "DejaVu Sans",
            "font.size": 9,
            "axes.titlesize": 10,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.labelsize": 9,
            "axes.edgecolor": MUTED,
            "axes.labelcolor": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.prop_cycle": cycler(color=list(OKABE_ITO.values())),
            "grid.color": GRID,
            "grid.linewidth": 0.7,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "xtick.labelsize": 8,
            "ytick.labelsize": 8,
            "legend.frameon": False,
            "legend.fontsize": 8,
            "lines.linewidth": 1.6,
            "image.cmap": "magma",
            "svg.fonttype": "path",
            "svg.hashsalt": "aares",
        }
    )


def new_axes(
    *, width: float = REPORT_WIDTH_IN, height: float = 3.2, rows: int = 1, cols: int = 1, **options
) -> tuple[Figure, Axes]:
    """Make a figure of report width and its axes.

    Parameters
    ----------
    width, height : float
        Inches.
    rows, cols : int
        With more than one of either, an array of axes is returned.
    **options
        Passed to ``plt.subplots``.

    Returns
    -------
    fig : Figure
    ax : Axes or ndarray of Axes
    """
    return plt.subplots(rows, cols, figsize=(width, height), **options)


def set_title(ax: Axes, finding: str, detail: str = "") -> Axes:
    """Write the finding as title and, smaller below it, how it was measured.

    Parameters
    ----------
    ax : Axes
    finding : str
        One statement.
    detail : str
        Data, counts, method.

    Returns
    -------
    Axes
    """
    ax.set_title(finding, pad=18 if detail else 8)
    if detail:
        ax.annotate(
            detail,
            xy=(0, 1),
            xycoords="axes fraction",
            xytext=(0, 5),
            textcoords="offset points",
            fontsize=8,
            color=MUTED,
            va="bottom",
        )
    return ax


def show_whole_numbers(ax: Axes, axis: str = "y") -> Axes:
    """Write thousands with a thin space: 25 492.

    Parameters
    ----------
    ax : Axes
    axis : {"x", "y"}

    Returns
    -------
    Axes
    """
    formatter = mpl.ticker.FuncFormatter(lambda value, _: f"{value:,.0f}".replace(",", "\u2009"))
    getattr(ax, f"{axis}axis").set_major_formatter(formatter)
    return ax
