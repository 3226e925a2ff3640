"""One look for every figure: colours, sizes, fonts, and SVG that is the same in every build.

References
----------
Okabe, M. and Ito, K. (2008). Color Universal Design: how to make figures and presentations that
are friendly to colorblind people.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import matplotlib.ticker
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

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
FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"  # of the letters in the SVGs
MARKERS = ("o", "s", "^", "D", "v", "P")  # and lines: what tells series apart where all is grey
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))


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
            "text.hinting": "none",  # as wide in PNG as in SVG, at any resolution
            "text.parse_math": False,  # A$AP Rocky and Ke$ha are names, no formula
            "xtick.color": INK,
            "ytick.color": INK,
            "xtick.labelsize": 8,
            "ytick.labelsize": 8,
            "legend.frameon": False,
            "legend.fontsize": 8,
            "lines.linewidth": 1.6,
            "image.cmap": "magma",
            "svg.fonttype": "none",  # words that can be searched and copied, in the PDF too
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

    Lines are broken where the figure ends or, with a panel to the right, where the axes end.
    Called when the rest of the axes is drawn: what stands left of them takes room.

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
    lines = 0
    ax.set_title("")  # half of a long one would press the axes together too
    if detail:
        small = ax.annotate(
            detail,
            xy=(0, 1),
            xycoords="axes fraction",
            xytext=(0, 5),
            textcoords="offset points",
            fontsize=8,
            color=MUTED,
            va="bottom",
        )
        small.set_in_layout(False)  # its width shall not press the axes together
    cell = ax.get_subplotspec()
    for _ in range(1 if ax.get_aspect() == "auto" else 3):  # less height, less width: again
        figure = lay_out(ax)
        frame = ax.get_window_extent()
        end = frame.x1 if cell and not cell.is_last_col() else 0.99 * figure.bbox.x1
        if detail:
            lines = break_lines(small, end - frame.x0)
        break_lines(ax.set_title(finding, pad=8 + 10 * lines), end - frame.x0)
    return ax


def lay_out(ax: Axes) -> Figure:
    """Lay the figure of some axes out, so that axes and texts have a place and a size.

    Parameters
    ----------
    ax : Axes

    Returns
    -------
    Figure
    """
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    return figure


def break_lines(text: Text, room: float) -> int:
    """Break a text between words so that no line is wider than the room.

    Parameters
    ----------
    text : Text
    room : float
        Pixels.

    Returns
    -------
    int
        Number of lines.
    """
    words = text.get_text()
    width = text.get_window_extent().width
    columns = int(len(words) * min(1.0, room / width)) + 1 if width else 0
    while columns > 1 and text.get_window_extent().width > room:
        columns -= 1
        text.set_text(textwrap.fill(words, columns, break_on_hyphens=False))
    return text.get_text().count("\n") + 1


def mark_signs(ax: Axes, values: np.ndarray, *, above: float) -> Axes:
    """Write + and − into the strong cells of a heat map whose two ends are equally dark in grey.

    Parameters
    ----------
    ax : Axes
        Of the heat map, a cell each unit.
    values : ndarray of float, shape (n_rows, n_columns)
        Centred on zero.
    above : float
        Smallest magnitude that gets a sign.

    Returns
    -------
    Axes
    """
    for row, column in np.argwhere(np.abs(values) >= above):
        sign = "+" if values[row, column] > 0 else "−"
        ax.text(column, row, sign, ha="center", va="center", color="white", fontsize=7)
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
    getattr(ax, f"{axis}axis").get_major_locator().set_params(integer=True)
    return ax
