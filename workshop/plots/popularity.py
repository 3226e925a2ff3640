"""Figures of exercise 2: popularity, genres and a century of songs.

Used by notebook ``02_popularity``. Every function draws a small table that
:mod:`aares.popularity` computed, and returns its axes; titles state findings and are passed in.
"""

from __future__ import annotations

from textwrap import shorten

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from workshop.plots.labels import label_pair, label_points
from workshop.plots.style import INK, MUTED, OKABE_ITO, set_title

LABELS = {
    "energy": ("energy", "0–1"),
    "acousticness": ("acousticness", "0–1"),
    "loudness": ("loudness", "dB"),
    "duration_min": ("duration", "minutes"),
    "valence": ("valence (cheerfulness)", "0–1"),
    "danceability": ("danceability", "0–1"),
    "explicit": ("explicit lyrics", "share of songs"),
    "tempo": ("tempo", "beats/min"),
}


def draw_popularity(popularity: pd.Series, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw the distribution of popularity with the zeros apart.

    Parameters
    ----------
    popularity : Series of int, shape (n,)
        Points, 0-100.
    ax : Axes
    title : str
        The finding.
    detail : str
        How it was measured.

    Returns
    -------
    Axes
    """
    counts = popularity.value_counts().reindex(range(101), fill_value=0)
    ax.bar(counts.index[1:], counts.iloc[1:], width=0.9, color=OKABE_ITO["sky"])
    ax.bar([0], [counts.iloc[0]], width=1.8, color=OKABE_ITO["vermillion"])
    share = counts.iloc[0] / counts.sum()
    ax.annotate(
        f"{share:.0%} of the songs\nhave popularity 0",
        (0, max(counts.iloc[0], 0.4 * counts.max())),
        xytext=(14, -6),
        textcoords="offset points",
        va="top",
        color=OKABE_ITO["vermillion"],
        fontweight="bold",
    )
    ax.set(xlabel="popularity (points, 0–100)", ylabel="songs")
    ax.locator_params("y", integer=True)
    ax.grid(axis="x", visible=False)
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
        if ax.get_subplotspec().is_last_row():
            ax.set_xlabel("year of release", fontsize=8)
        if name == "explicit":
            ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return axes


def draw_pairs(pairs: pd.DataFrame, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw both popularities of one recording on two releases, the lower against the higher.

    Parameters
    ----------
    pairs : DataFrame
        See :func:`aares.popularity.patterns.find_same_recordings`.
    ax : Axes
    title : str
        The finding.
    detail : str
        How it was measured.

    Returns
    -------
    Axes
    """
    jitter = np.random.default_rng(0).normal(0, 0.5, (2, len(pairs)))
    ax.scatter(
        pairs["higher"] + jitter[0],
        pairs["lower"] + jitter[1],
        s=26,
        color=OKABE_ITO["vermillion"],
        alpha=0.6,
        lw=0,
    )
    top = max(10, float(pairs["higher"].max()) + 3)
    ax.plot([0, top], [0, top], color=MUTED, lw=1)
    ax.annotate("equally popular", (top * 0.66, top * 0.69), rotation=35, color=MUTED, fontsize=8)
    ax.set(
        xlabel="popularity of the more popular release (points)",
        ylabel="of the other release (points)",
        xlim=(-3, top),
        ylim=(-3, top),
    )
    return set_title(ax, title, detail)


def draw_genre_map(places: pd.DataFrame, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw the genre map: place by company, size by songs, colour by popularity.

    Parameters
    ----------
    places : DataFrame
        See :func:`aares.popularity.genres.map_genres`.
    ax : Axes
    title : str
        The finding.
    detail : str
        How it was measured.

    Returns
    -------
    Axes
    """
    size = 10 + 160 * places["songs"] / places["songs"].max()
    points = ax.scatter(
        places["x"], places["y"], s=size, c=places["popularity"], cmap="viridis", lw=0
    )
    ax.figure.colorbar(points, ax=ax, label="mean popularity (points)", shrink=0.6, pad=0.01)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.margins(0.2, 0.05)
    set_title(ax, title, detail)
    radius = np.sqrt(size.to_numpy(float)) / 2
    names = list(map(str, places.index))
    label_points(ax, places[["x", "y"]].to_numpy(float), names, radius=radius, size=6.5)
    return ax


def draw_weekdays(table: pd.DataFrame, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw the share of releases by weekday before and since the move to Friday.

    Parameters
    ----------
    table : DataFrame
        See :func:`aares.popularity.patterns.count_weekdays`.
    ax : Axes
    title : str
        The finding.
    detail : str
        How it was measured.

    Returns
    -------
    Axes
    """
    at = np.arange(7)
    ax.bar(at - 0.2, table["before"], width=0.38, color=MUTED)
    ax.bar(at + 0.2, table["since"], width=0.38, color=OKABE_ITO["blue"])
    best = {name: int(np.argmax(table[name])) for name in ("before", "since")}
    top = float(table.to_numpy().max())
    close = abs(best["before"] - best["since"]) < 3  # one name above the other
    for name, shift, color in (("before", -0.2, INK), ("since", 0.2, OKABE_ITO["blue"])):
        ax.annotate(
            f"{name}\nJuly 2015",
            (best[name] + shift, top if close else table[name].iloc[best[name]]),
            xytext=(0, 26 if close and name == "since" else 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            color=color,
            fontsize=8,
        )
    ax.set_xticks(at, table.index)
    ax.set_xlim(-1.4, 7.4)
    ax.set_ylim(0, (1.6 if close else 1.25) * top)
    ax.set_yticks([tick for tick in ax.get_yticks() if tick <= min(1, ax.get_ylim()[1])])
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set_ylabel("share of releases")
    ax.grid(axis="x", visible=False)
    return set_title(ax, title, detail)


def draw_months(table: pd.DataFrame, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw mean popularity by month of release with 95 % intervals.

    Parameters
    ----------
    table : DataFrame
        See :func:`aares.popularity.patterns.summarise_months`.
    ax : Axes
    title : str
        The finding.
    detail : str
        How it was measured.

    Returns
    -------
    Axes
    """
    ax.errorbar(
        table.index, table["popularity"], yerr=table["error"], fmt="o", color=OKABE_ITO["green"]
    )
    ax.set_xticks(range(1, 13), list("JFMAMJJASOND"))
    ax.set(xlabel="month of release", ylabel="mean popularity (points)")
    ax.grid(axis="x", visible=False)
    return set_title(ax, title, detail)


def draw_keys(table: pd.DataFrame, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw the share of songs by key on the circle of fifths, major above and minor below.

    Parameters
    ----------
    table : DataFrame
        See :func:`aares.popularity.patterns.summarise_keys`.
    ax : Axes
    title : str
        The finding.
    detail : str
        How it was measured.

    Returns
    -------
    Axes
    """
    at = np.arange(12)
    ax.bar(at, table["major"], color=OKABE_ITO["orange"], width=0.75)
    ax.bar(at, -table["minor"], color=OKABE_ITO["blue"], width=0.75)
    ax.axhline(0, color=INK, lw=0.8)
    ax.set_xticks(at, table.index)
    ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 3, 5, 10]))
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * abs(value):.3g}%")
    for name, side, color in (("major", 1, "orange"), ("minor", -1, "blue")):
        ax.annotate(
            name, (11.6, side * table[name].max() / 3), va="center", color=OKABE_ITO[color],
            fontweight="bold",
        )  # fmt: skip
    ax.set_xlim(-0.7, 12.7)
    ax.set(xlabel="key, in the order of the circle of fifths", ylabel="share of songs")
    ax.grid(axis="x", visible=False)
    return set_title(ax, title, detail)


def draw_correlations(table: pd.DataFrame, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw correlations with popularity over all songs and within a year, joined by a line.

    Parameters
    ----------
    table : DataFrame
        See :func:`aares.popularity.patterns.compare_correlations`.
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
    ax.axvline(0, color=INK, lw=0.8)
    ax.hlines(at, table["all songs"], table["same year"], color=MUTED, lw=1.5)
    for name, mark, color in (("all songs", "o", "vermillion"), ("same year", "D", "blue")):
        ax.scatter(table[name], at, marker=mark, s=34, color=OKABE_ITO[color], zorder=3)
    ax.set_yticks(at, table.index)
    colors = {"all songs": "vermillion", "same year": "blue"}
    top = {name: table[name].iloc[-1] for name in colors}
    label_pair(ax, top, colors, row=len(table) - 0.65)
    ax.set_ylim(-0.6, len(table) - 0.05)
    ax.set_xlabel("correlation with popularity")
    ax.grid(axis="y", visible=False)
    return set_title(ax, title, detail)


def draw_artists(table: pd.DataFrame, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw for each artist the span of the songs above 0, their mean, and the share at 0.

    Parameters
    ----------
    table : DataFrame
        See :func:`aares.popularity.patterns.summarise_artists`; the first row is drawn at the top.
    ax : Axes
    title : str
        The finding.
    detail : str
        How it was measured.

    Returns
    -------
    Axes
    """
    at = np.arange(len(table))[::-1]
    ax.hlines(at, table["low"], table["high"], color=OKABE_ITO["sky"], lw=4)
    ax.scatter(table["popularity"], at, color=OKABE_ITO["blue"], s=34, zorder=3)
    for row, zero in zip(at, table["zero"], strict=True):
        ax.annotate(
            f"{zero:.0%}", (0, row), xytext=(-8, 0), textcoords="offset points",
            ha="right", va="center", fontsize=8, color=OKABE_ITO["vermillion"],
        )  # fmt: skip
    ax.annotate("at 0", (0, len(table)), xytext=(-8, -4), textcoords="offset points", ha="right",
                va="center", fontsize=8, color=OKABE_ITO["vermillion"])  # fmt: skip
    names = [shorten(str(name), 26, placeholder=" …") for name in table.index]
    ax.set_yticks(at, [f"{n} ({k})" for n, k in zip(names, table["songs"], strict=True)])
    ax.set(xlim=(-15, 100), ylim=(-0.7, len(table)), xlabel="popularity (points)")
    ax.grid(axis="y", visible=False)
    return set_title(ax, title, detail)


def draw_loudness(years: pd.DataFrame, ax: Axes, *, title: str, detail: str = "") -> Axes:
    """Draw the loudness war: median and middle half by year, the loudest year marked.

    Parameters
    ----------
    years : DataFrame
        See :func:`aares.popularity.patterns.summarise_years`.
    ax : Axes
    title : str
        The finding.
    detail : str
        How it was measured.

    Returns
    -------
    Axes
    """
    part = years[years["column"] == "loudness"].sort_values("year")
    color = OKABE_ITO["vermillion"]
    ax.fill_between(part["year"], part["low"], part["high"], color=color, alpha=0.2, lw=0)
    ax.plot(part["year"], part["mid"], "o-", ms=3, color=color)
    top = int(part["mid"].argmax())
    year, level = float(part["year"].iloc[top]), float(part["mid"].iloc[top])
    low, high = part["low"].min(), part["high"].max()
    first, last = part["year"].min(), part["year"].max()
    place = (year - first) / (last - first) if last > first else 0.5
    ax.annotate(
        f"{year:.0f}: {level:.1f} dB",
        (year, level),
        xytext=(year, high + 0.04 * (high - low)),
        ha="left" if place < 0.1 else "right" if place > 0.9 else "center",
        fontweight="bold",
        arrowprops={"arrowstyle": "-", "color": INK},
    )
    ax.set(xlabel="year of release", ylabel="loudness (dB)")
    ax.margins(x=0.02)
    ax.locator_params("x", integer=True)
    ax.set_ylim(low - 0.1 * (high - low), high + 0.25 * (high - low))
    return set_title(ax, title, detail)
