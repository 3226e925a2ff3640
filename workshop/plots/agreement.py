"""Figures of labels from ears: what is learnt from how many, and how sure agreement is.

Used by notebook ``06_chainable``. Every function takes numbers and ``ax``, draws and returns
``ax``; titles state findings and are passed in.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes

from workshop.plots.labels import label_ends
from workshop.plots.style import INK, MUTED, OKABE_ITO, lay_out, set_title

WAYS = (OKABE_ITO["blue"], MUTED, OKABE_ITO["orange"])
STEPS = tuple(OKABE_ITO[name] for name in ("vermillion", "orange", "green", "sky", "blue"))


def draw_learning(
    curves: Mapping[str, pd.DataFrame], ax: Axes, *, goal: float, title: str, detail: str = ""
) -> Axes:
    """Draw what is learnt from ever more labels, in several ways of choosing them.

    Parameters
    ----------
    curves : mapping of str to DataFrame
        Of each way, at most three. Index: number of labels; columns ``value`` (area under the
        curve), ``low`` and ``high``.
    ax : Axes
    goal : float
        An area that is to be reached, drawn as a line.
    title : str
    detail : str

    Returns
    -------
    Axes
    """
    for (name, curve), color, style in zip(curves.items(), WAYS, ("-", "--", "-."), strict=False):
        ax.fill_between(curve.index, curve["low"], curve["high"], color=color, alpha=0.18, lw=0)
        ax.plot(curve.index, curve["value"], color=color, ls=style, label=name)
    ax.axhline(goal, color=INK, lw=0.8, ls=":")
    lowest = min(float(curve["value"].iloc[len(curve) // 10 :].min()) for curve in curves.values())
    ax.set_ylim(min(lowest - 0.02, goal - 0.05), min(1.0, goal + 0.05))
    ax.set(xlabel="labels", ylabel="area under the curve")
    lay_out(ax).legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return set_title(ax, title, detail)


def draw_sample_sizes(
    sizes: pd.DataFrame, ax: Axes, *, wanted: float, title: str, detail: str = ""
) -> Axes:
    """Draw how far alpha may be off with so many pairs and raters.

    Parameters
    ----------
    sizes : DataFrame
        ``pairs``, ``raters`` (at most five numbers) and ``half_width``, see
        :func:`aares.chaining.simulated.simulate_sample_sizes`.
    ax : Axes
    wanted : float
        How far it may be, drawn as a line.
    title : str
    detail : str

    Returns
    -------
    Axes
    """
    ends, colors = {}, []
    for (raters, part), color in zip(sizes.groupby("raters", sort=True), STEPS, strict=False):
        part = part.sort_values("pairs")
        ax.plot(part["pairs"], part["half_width"], color=color, marker="o", ms=3)
        ends[f"{raters} raters"] = (
            float(part["pairs"].iloc[-1]),
            float(part["half_width"].iloc[-1]),
        )
        colors.append(color)
    ax.axhline(wanted, color=INK, lw=0.8, ls=":")
    ax.set_ylim(0, None)
    ax.set_xlim(0, float(sizes["pairs"].max()) * 1.02)
    ax.set(xlabel="pairs that each rater answers", ylabel="alpha may be off by ±")
    label_ends(ax, ends, colors)
    return set_title(ax, title, detail)
