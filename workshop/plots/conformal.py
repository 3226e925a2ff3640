"""Figures of the bonus exercise (notebook 05): p-values, sets, validity, coverage by genre.

Conventions: eps is the accepted error rate, a set holds the labels with p > eps. Every function
draws on `ax` and returns it; the title is a sentence computed from results by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from workshop.plots.labels import label_points
from workshop.plots.style import GRID, INK, LINES, MUTED, OKABE_ITO, mark_signs, set_title


def draw_p_values(
    p: Mapping[str, float], eps: Sequence[float], ax: Axes, *, title: str, detail: str = ""
) -> Axes:
    """Draw the p-value of every label of one song, and the thresholds of some sets.

    Parameters
    ----------
    p : dict of str to float
    eps : sequence of float
        Thresholds; the set at eps is what reaches beyond its line.
    ax : Axes
    title, detail : str

    Returns
    -------
    Axes
    """
    ranked = pd.Series(p).sort_values(ascending=False, kind="stable")
    inside = ranked > min(eps)
    ax.barh(ranked.index, ranked, color=np.where(inside, OKABE_ITO["blue"], MUTED), height=0.7)
    for level in eps:
        ax.axvline(level, color=OKABE_ITO["vermillion"], linewidth=1, linestyle="--")
    ax.set(xlabel="p-value", xlim=(0, 1), ylim=(len(ranked) + 0.6, -0.6))
    ax.tick_params(axis="y", labelsize=7)
    ax.grid(axis="y", visible=False)
    set_title(ax, title, detail)
    label_points(
        ax,
        np.array([(level, len(ranked)) for level in eps]),
        [f"ε = {level:g}" for level in eps],
        radius=0,
        size=7,
        color=OKABE_ITO["vermillion"],
    )
    return ax


def draw_set_sizes(sizes: np.ndarray, ax: Axes, *, n_labels: int, title: str, detail: str) -> Axes:
    """Draw how many songs have sets of each size.

    Parameters
    ----------
    sizes : ndarray of int, shape (m,)
    ax : Axes
    n_labels : int
        Labels that there are.
    title, detail : str

    Returns
    -------
    Axes
    """
    counts = np.bincount(sizes, minlength=n_labels + 1)
    ax.bar(np.arange(n_labels + 1), counts / len(sizes), color=OKABE_ITO["blue"], width=0.8)
    ax.axvline(sizes.mean(), color=OKABE_ITO["vermillion"], linestyle="--", linewidth=1)
    ax.annotate(
        f"mean {sizes.mean():.1f}",
        xy=(sizes.mean(), 1),
        xycoords=("data", "axes fraction"),
        xytext=(4, -8),
        textcoords="offset points",
        color=OKABE_ITO["vermillion"],
        fontsize=8,
    )
    ax.set(xlabel="genres in the set", ylabel="share of songs", xlim=(-0.7, n_labels + 0.7))
    ax.set_ylim(0, 1.15 * counts.max() / len(sizes))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(axis="x", visible=False)
    return set_title(ax, title, detail)


def draw_size_curves(
    curves: Mapping[str, pd.Series], ax: Axes, *, title: str, detail: str = ""
) -> Axes:
    """Draw the mean set size against eps, one line for each method.

    Parameters
    ----------
    curves : dict of str to Series
        Mean size, indexed by eps.
    ax : Axes
    title, detail : str

    Returns
    -------
    Axes
    """
    colours = [OKABE_ITO[name] for name in ("blue", "vermillion", "green", "purple", "orange")]
    for (name, sizes), colour, style in zip(curves.items(), colours, LINES, strict=False):
        ax.plot(sizes.index, sizes, color=colour, linestyle=style, label=name)
    ax.axhline(1, color=MUTED, linewidth=0.8)
    ax.set(xlabel="accepted error rate ε", ylabel="mean number of genres in the set")
    ax.set(xlim=(0, max(sizes.index.max() for sizes in curves.values())), ylim=(0, None))
    if len(curves) > 1:
        ax.legend()
    return set_title(ax, title, detail)


def draw_lift(lift: pd.DataFrame, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw how much more often than by chance two labels share a set.

    Parameters
    ----------
    lift : DataFrame, shape (n_labels, n_labels)
        Positive; in the order in which it is to be drawn.
    ax : Axes
    title, detail : str

    Returns
    -------
    Axes
    """
    # 1/4 is the lowest colour: log 0 is no number, and rarer pairs differ by chance
    values = np.log2(lift.clip(lower=0.25))
    limit = min(2.0, float(np.nanmax(np.abs(values))))
    image = ax.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit)
    ax.set_xticks(range(len(lift)), lift.columns, rotation=90)
    ax.set_yticks(range(len(lift)), lift.index)
    ax.grid(False)
    mark_signs(ax, np.asarray(values), above=limit / 2)
    ticks = np.arange(-2.0, 3.0) if limit == 2 else np.array([-limit, 0.0, limit])
    bar = ax.figure.colorbar(image, ax=ax, ticks=ticks, pad=0.02, shrink=0.85)
    names = [f"{2.0**tick:.3g}×" for tick in ticks]
    if limit == 2:  # more extreme lifts have the same colour
        names = [f"≤ {names[0]}", *names[1:-1], f"≥ {names[-1]}"]
    bar.ax.set_yticklabels(names)
    bar.set_label("lift: 1 = independent")
    return set_title(ax, title, detail)


def draw_last_genre(table: pd.DataFrame, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw how often the last remaining label is right, by the confidence it remained with.

    Parameters
    ----------
    table : DataFrame
        From :func:`aares.conformal.judge_singletons`: classes of confidence as index.
    ax : Axes
    title, detail : str

    Returns
    -------
    Axes
    """
    seen = table[table["songs"] > 0]
    names = [f"{max(group.left, 0):g} to {group.right:g}" for group in seen.index]
    ax.bar(names, seen["right"], color=OKABE_ITO["blue"], width=0.7)
    error = [seen["right"] - seen["low"], seen["high"] - seen["right"]]
    ax.errorbar(names, seen["right"], yerr=error, fmt="none", ecolor=INK, capsize=3, linewidth=1)
    for place, (songs, top) in enumerate(zip(seen["songs"], seen["high"], strict=True)):
        ax.annotate(
            f"n = {songs:,}",
            xy=(place, top),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    ax.set(xlabel="confidence 1 − ε at which one genre is left", ylabel="that genre is right")
    ax.set(ylim=(0, 1.14), yticks=np.linspace(0, 1, 6))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(axis="x", visible=False)
    return set_title(ax, title, detail)


def draw_validity(
    gaps: Mapping[str, pd.DataFrame], ax: Axes, *, title: str, detail: str = ""
) -> Axes:
    """Draw how far coverage is from 1 - eps, with two standard errors and a band.

    Parameters
    ----------
    gaps : dict of str to DataFrame
        One for each measure; index eps, columns ``gap``, ``error`` (one standard error), ``low``
        and ``high`` (band in which the gap of a valid method lies).
    ax : Axes
    title, detail : str

    Returns
    -------
    Axes
    """
    ax.axhline(0, color=INK, linewidth=1)
    band = 100 * next(iter(gaps.values()))[["low", "high"]]
    ax.bar(range(len(band)), band["high"] - band["low"], bottom=band["low"], color=GRID, width=0.6)
    looks = zip(("blue", "vermillion"), ("o", "s"), strict=True)
    for shift, ((name, table), (colour, marker)) in enumerate(
        zip(gaps.items(), looks, strict=True)
    ):
        places = np.arange(len(table)) + 0.16 * (shift - 0.5)
        ax.errorbar(
            places,
            100 * table["gap"],
            yerr=200 * table["error"],
            fmt=marker,
            color=OKABE_ITO[colour],
            capsize=3,
            markersize=5,
            label=name,
        )
        ax.set_xticks(range(len(table)), [f"{eps:g}" for eps in table.index])
    ax.set(xlabel="accepted error rate ε", ylabel="coverage − (1 − ε), points")
    ax.grid(axis="x", visible=False)
    ax.use_sticky_edges = False  # the band shall not touch the frame
    ax.margins(y=0.08)
    ax.legend()
    return set_title(ax, title, detail)


def draw_bags(coverage: np.ndarray, promised: float, ax: Axes, *, title: str, detail: str) -> Axes:
    """Draw the coverage that each of several fixed bags achieves.

    Parameters
    ----------
    coverage : ndarray, shape (n_bags,)
    promised : float
        1 - eps.
    ax : Axes
    title, detail : str

    Returns
    -------
    Axes
    """
    ranked = np.sort(coverage)
    colours = np.where(ranked < promised, OKABE_ITO["vermillion"], OKABE_ITO["blue"])
    ax.scatter(ranked, np.arange(1, len(ranked) + 1), c=colours, s=22, zorder=3)
    ax.axvline(promised, color=INK, linewidth=1)
    left = promised > np.mean(ax.get_xlim())  # the label goes where there is more room
    ax.annotate(
        f"promised on average: {promised:.0%}",
        xy=(promised, len(ranked)),
        xytext=(-4 if left else 4, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        fontsize=8,
    )
    ax.set_ylim(0, len(ranked) + 1)
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    ax.set(xlabel="coverage of this bag's sets", ylabel="bag, ranked")
    ax.grid(axis="y", visible=False)
    return set_title(ax, title, detail)


def draw_label_coverage(
    tables: Mapping[str, pd.DataFrame], promised: float, ax: Axes, *, title: str, detail: str = ""
) -> Axes:
    """Draw coverage within each label for two methods, one row for each label.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Two, from :func:`aares.conformal.cover_by_label`, with the same labels.
    promised : float
        1 - eps.
    ax : Axes
    title, detail : str

    Returns
    -------
    Axes
    """
    order = next(iter(tables.values())).sort_values("n", ascending=False, kind="stable").index
    ax.axvline(promised, color=INK, linewidth=1)
    looks = zip(("vermillion", "blue"), ("s", "o"), (-0.16, 0.16), strict=True)
    for (name, table), (colour, marker, shift) in zip(tables.items(), looks, strict=True):
        table = table.loc[order]
        error = [table["coverage"] - table["low"], table["high"] - table["coverage"]]
        ax.errorbar(
            table["coverage"],
            np.arange(len(table)) + shift,
            xerr=np.clip(error, 0, None),
            fmt=marker,
            color=OKABE_ITO[colour],
            markersize=3.5,
            linewidth=0.9,
            label=name,
        )
    sizes = next(iter(tables.values())).loc[order, "n"]
    ax.set_yticks(range(len(order)), [f"{label} ({n})" for label, n in sizes.items()])
    ax.set(xlabel="coverage", ylim=(len(order) - 0.4, -0.6))
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(axis="y", visible=False)
    ax.legend(loc="upper left")
    return set_title(ax, title, detail)


def draw_confidence(
    confidence: np.ndarray,
    credibility: np.ndarray,
    right: np.ndarray,
    ax: Axes,
    *,
    title: str,
    detail: str = "",
) -> Axes:
    """Draw confidence against credibility, and which forced predictions are right.

    Parameters
    ----------
    confidence, credibility : ndarray, shape (m,)
    right : ndarray of bool, shape (m,)
    ax : Axes
    title, detail : str

    Returns
    -------
    Axes
    """
    for value, name, colour, marker in (
        (False, "wrong", "orange", "x"),
        (True, "right", "blue", "."),
    ):
        chosen = right == value
        ax.scatter(
            credibility[chosen],
            confidence[chosen],
            s=9,
            alpha=0.45,
            linewidths=0.7,
            marker=marker,
            color=OKABE_ITO[colour],
            label=f"prediction {name} ({chosen.mean():.0%})",
            rasterized=True,
        )
    ax.axvline(0.05, color=OKABE_ITO["vermillion"], linewidth=1, linestyle="--")
    ax.axhline(0.95, color=OKABE_ITO["vermillion"], linewidth=1, linestyle="--")
    ax.set(xlabel="credibility: largest p-value", ylabel="confidence: 1 − second largest")
    ax.set(xlim=(0, 1.01), ylim=(0, 1.01))
    ax.legend(loc="lower left", markerscale=1.8, frameon=True, framealpha=0.9)
    return set_title(ax, title, detail)
