"""Figures of exercise 2: popularity, genres and a century of songs.

Used by notebook ``02_popularity``. Every function draws a small table that
:mod:`aares.popularity` computed, and returns its axes; titles state findings and are passed in.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.ticker import PercentFormatter

from aares.plots.style import INK, MUTED, OKABE_ITO, set_title

LABELS = {
    "energy": ("energy", "share, 0–1"),
    "acousticness": ("acousticness", "share, 0–1"),
    "loudness": ("loudness", "dB below full scale"),
    "duration_min": ("duration", "minutes"),
    "valence": ("valence (cheerfulness)", "share, 0–1"),
    "danceability": ("danceability", "share, 0–1"),
    "explicit": ("explicit lyrics", "share of songs"),
}


def draw_popularity(popularity: pd.Series, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw the distribution of popularity with the zeros apart."""
    counts = popularity.value_counts().reindex(range(101), fill_value=0)
    ax.bar(counts.index[1:], counts.iloc[1:], width=0.9, color=OKABE_ITO["sky"])
    ax.bar([0], [counts.iloc[0]], width=1.8, color=OKABE_ITO["vermillion"])
    share = counts.iloc[0] / counts.sum()
    ax.annotate(
        f"{share:.0%} of the songs\nhave popularity 0",
        (0, counts.iloc[0]),
        xytext=(14, -6),
        textcoords="offset points",
        va="top",
        color=OKABE_ITO["vermillion"],
        fontweight="bold",
    )
    ax.set(xlabel="popularity (points, 0–100)", ylabel="songs")
    ax.grid(axis="x", visible=False)
    return set_title(ax, title, detail)


def draw_scores(
    table: pd.DataFrame, ax: Axes, *, title: str, detail: str = "", highlight: str = ""
) -> Axes:
    """Draw the RMSE of models as points with the spread between folds, best at the top.

    Parameters
    ----------
    table : DataFrame
        Index model; ``RMSE`` and ``sd`` (points).
    ax : Axes
    title, detail : str
    highlight : str
        Row to colour.
    """
    table = table.sort_values("RMSE", ascending=False)
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
    """Draw how much the RMSE rises when a group of columns is shuffled; largest at the top."""
    table = table.iloc[::-1]
    rows = np.arange(len(table))
    ax.barh(rows, table["mean"], xerr=table["sd"], color=OKABE_ITO["blue"], ecolor=MUTED)
    ax.axvline(0, color=INK, lw=0.8)
    ax.set_yticks(rows, table.index)
    ax.set_xlabel("rise of the RMSE when shuffled (points)")
    ax.grid(axis="y", visible=False)
    return set_title(ax, title, detail)


def draw_years(table: pd.DataFrame, axes: np.ndarray) -> np.ndarray:
    """Draw each column's median by year with the middle half of the songs as a band.

    Parameters
    ----------
    table : DataFrame
        See :func:`aares.popularity.patterns.summarise_years`.
    axes : ndarray of Axes
        One for each column of the table, in the order of their first row.

    Returns
    -------
    ndarray of Axes
    """
    colors = list(OKABE_ITO.values())
    groups = table.groupby("column", sort=False)
    for (name, part), ax, color in zip(groups, np.ravel(axes), colors, strict=False):
        part = part.sort_values("year")
        label, unit = LABELS[str(name)]
        ax.fill_between(part["year"], part["low"], part["high"], color=color, alpha=0.25, lw=0)
        ax.plot(part["year"], part["mid"], color=color)
        ax.set_title(label, fontsize=9)
        ax.set_ylabel(unit, fontsize=8)
        if name == "explicit":
            ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return axes


def draw_pairs(pairs: pd.DataFrame, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw both popularities of one recording on two releases, the lower against the higher."""
    jitter = np.random.default_rng(0).normal(0, 0.5, (2, len(pairs)))
    ax.scatter(
        pairs["popularity_second"] + jitter[0],
        pairs["popularity_first"] + jitter[1],
        s=26,
        color=OKABE_ITO["vermillion"],
        alpha=0.6,
        lw=0,
    )
    top = max(10, float(pairs[["popularity_first", "popularity_second"]].to_numpy().max()) + 3)
    ax.plot([0, top], [0, top], color=MUTED, lw=1)
    ax.annotate("equally popular", (top * 0.66, top * 0.69), rotation=35, color=MUTED, fontsize=8)
    ax.set(
        xlabel="popularity of the more popular release",
        ylabel="of the other release",
        xlim=(-3, top),
        ylim=(-3, top),
    )
    return set_title(ax, title, detail)


def draw_genre_map(
    places: pd.DataFrame, ax: Axes, *, title: str, detail: str = ""
) -> PathCollection:
    """Draw the genre map: place by company, size by songs, colour by popularity.

    Returns
    -------
    PathCollection
        The points, for a colour bar.
    """
    points = ax.scatter(
        places["x"],
        places["y"],
        s=10 + 160 * places["songs"] / places["songs"].max(),
        c=places["popularity"],
        cmap="viridis",
        alpha=0.9,
        lw=0,
    )
    for name, place in places.iterrows():
        ax.annotate(
            str(name),
            (place["x"], place["y"]),
            xytext=(4, 3),
            textcoords="offset points",
            fontsize=6.5,
        )
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.margins(0.12, 0.06)
    set_title(ax, title, detail)
    return points


def draw_weekdays(table: pd.DataFrame, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw the share of releases by weekday before and since the move to Friday."""
    at = np.arange(7)
    ax.bar(at - 0.2, table["before"], width=0.38, color=MUTED)
    ax.bar(at + 0.2, table["since"], width=0.38, color=OKABE_ITO["blue"])
    best = {name: int(np.argmax(table[name])) for name in ("before", "since")}
    for name, shift, color in (("before", -0.2, INK), ("since", 0.2, OKABE_ITO["blue"])):
        ax.annotate(
            f"{name}\nJuly 2015",
            (best[name] + shift, table[name].iloc[best[name]]),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            color=color,
            fontsize=8,
        )
    ax.set_xticks(at, table.index)
    ax.set_ylim(0, 1.25 * float(table.to_numpy().max()))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set_ylabel("share of releases")
    ax.grid(axis="x", visible=False)
    return set_title(ax, title, detail)


def draw_months(table: pd.DataFrame, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw mean popularity by month of release with 95 % intervals."""
    ax.errorbar(
        table.index, table["popularity"], yerr=table["error"], fmt="o", color=OKABE_ITO["green"]
    )
    ax.set_xticks(range(1, 13), list("JFMAMJJASOND"))
    ax.set(xlabel="month of release", ylabel="mean popularity (points)")
    ax.grid(axis="x", visible=False)
    return set_title(ax, title, detail)


def draw_keys(table: pd.DataFrame, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw the share of songs by key on the circle of fifths, major above and minor below."""
    at = np.arange(12)
    ax.bar(at, table["major"], color=OKABE_ITO["orange"], width=0.75)
    ax.bar(at, -table["minor"], color=OKABE_ITO["blue"], width=0.75)
    ax.axhline(0, color=INK, lw=0.8)
    ax.set_xticks(at, table.index)
    ax.yaxis.set_major_formatter(lambda value, _: f"{abs(value):.0%}")
    ax.annotate(
        "major",
        (11.5, table["major"].max()),
        ha="right",
        va="top",
        color=OKABE_ITO["orange"],
        fontweight="bold",
    )
    ax.annotate(
        "minor",
        (11.5, -table["minor"].max()),
        ha="right",
        va="bottom",
        color=OKABE_ITO["blue"],
        fontweight="bold",
    )
    ax.set(xlabel="key, in the order of the circle of fifths", ylabel="share of songs")
    ax.grid(axis="x", visible=False)
    return set_title(ax, title, detail)


def draw_residuals(table: pd.DataFrame, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw the mean residual by decade with 95 % intervals.

    Parameters
    ----------
    table : DataFrame
        Index label; ``mean`` and ``error`` (points).
    """
    at = np.arange(len(table))
    ax.axhline(0, color=INK, lw=0.8)
    ax.errorbar(at, table["mean"], yerr=table["error"], fmt="o", color=OKABE_ITO["purple"])
    ax.set_xticks(at, table.index)
    ax.set_ylabel("true − predicted (points)")
    ax.grid(axis="x", visible=False)
    return set_title(ax, title, detail)
