"""Figures of exercises 4 and 5 (notebook 04): spectrogram, maxima, target zone, offsets, noise.

Conventions: data comes in bins and frames, axes are in Hz and seconds. Every function draws on
`ax` and returns it; the title is a sentence computed from results by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, PercentFormatter

from aares.audio import COURSE_RATE_HZ
from aares.scores import estimate_grouped_share, estimate_share
from fingerprint import HOP_LENGTH, N_FFT, ZONE_BINS, ZONE_FRAMES
from workshop.plots.labels import label_ends, label_points
from workshop.plots.style import INK, LINES, MARKERS, MUTED, OKABE_ITO, set_title

BIN_HZ = COURSE_RATE_HZ / N_FFT
FRAME_S = HOP_LENGTH / COURSE_RATE_HZ
RANGE_DB = 80.0  # what lies further below the highest value is drawn black


def draw_spectrogram(S: np.ndarray, ax: Axes, *, title: str) -> Axes:
    """Draw a power spectrogram in dB below its highest value.

    Parameters
    ----------
    S : ndarray, shape (bins, frames)
    ax : Axes
    title : str

    Returns
    -------
    Axes
    """
    share = S / S.max() if S.max() > 0 else S  # silence is black
    S_db = 10 * np.log10(np.maximum(share, 10 ** (-RANGE_DB / 10)))
    # pixels are centred on their bin and frame
    extent = np.array([-0.5, S.shape[1] - 0.5, -0.5, S.shape[0] - 0.5])
    extent *= [FRAME_S, FRAME_S, BIN_HZ, BIN_HZ]
    image = ax.imshow(
        S_db,
        origin="lower",
        aspect="auto",
        extent=tuple(extent),
        vmin=-RANGE_DB,
        vmax=0,
        cmap="magma",
        interpolation="nearest",
    )
    ax.figure.colorbar(image, ax=ax, label="power (dB)", pad=0.01)
    ax.set(xlabel="time (s)", ylabel="frequency (Hz)")
    ax.grid(False)
    return set_title(ax, title)


def draw_maxima(maxima: np.ndarray, ax: Axes) -> Axes:
    """Mark maxima with dots on a spectrogram.

    Parameters
    ----------
    maxima : ndarray, shape (n, 2)
        (bin, frame).
    ax : Axes

    Returns
    -------
    Axes
    """
    ax.plot(
        maxima[:, 1] * FRAME_S,
        maxima[:, 0] * BIN_HZ,
        "o",
        ms=2.6,
        mfc="red",
        mec="white",
        mew=0.4,
    )
    return ax


def draw_target_zone(
    maxima: np.ndarray,
    anchor: Sequence[int],
    points: Sequence[Sequence[int]],
    ax: Axes,
    *,
    end_s: float,
    title: str,
) -> Axes:
    """Draw an anchor, its target zone and the maxima paired with it.

    Parameters
    ----------
    maxima : ndarray, shape (n, 2)
        All maxima, drawn as small crosses.
    anchor : pair of int
    points : list of pairs
        The highest maxima of the zone, numbered in their order.
    ax : Axes
    end_s : float
        Where the signal ends, in seconds.
    title : str

    Returns
    -------
    Axes
    """
    bin_, frame = anchor
    corner = ((frame + 0.5) * FRAME_S, (bin_ - ZONE_BINS / 2 - 0.5) * BIN_HZ)
    zone = Rectangle(corner, ZONE_FRAMES * FRAME_S, ZONE_BINS * BIN_HZ)
    zone.set(facecolor=OKABE_ITO["sky"], alpha=0.25, edgecolor=OKABE_ITO["blue"])
    ax.add_patch(zone)
    ax.plot(maxima[:, 1] * FRAME_S, maxima[:, 0] * BIN_HZ, "+", color=MUTED, ms=5, mew=0.8)
    for point in points:
        ax.plot(point[1] * FRAME_S, point[0] * BIN_HZ, "x", color="red", ms=6, mew=1.6)
    ax.plot(frame * FRAME_S, bin_ * BIN_HZ, "o", color="red", ms=6)
    zone_end_s = (frame + ZONE_FRAMES) * FRAME_S
    if zone_end_s > end_s:
        below = bin_ >= ZONE_BINS  # below a low zone is no room
        ax.annotate(f"the zone ends at {zone_end_s:.0f} s →", (end_s, max(corner[1], 0.0)),
                    xytext=(-4, -4 if below else 4), textcoords="offset points", ha="right",
                    va="top" if below else "bottom", fontsize=8)  # fmt: skip
    ax.set(xlabel="time (s)", ylabel="frequency (Hz)", xlim=(0, end_s))
    ax.set_ylim(max(bin_ - 3 * ZONE_BINS, -0.5) * BIN_HZ, (bin_ + 3 * ZONE_BINS) * BIN_HZ)
    set_title(ax, title)
    marks = np.array([anchor, *points], dtype=float)[:, ::-1] * [FRAME_S, BIN_HZ]
    names = ["anchor", *map(str, range(1, len(points) + 1))]
    label_points(ax, marks, names, radius=2, size=7, prefer=45)
    return ax


def draw_matches(matches: np.ndarray, ax: Axes, *, title: str, end_s: float) -> Axes:
    """Draw where shared hashes are in the song and in the excerpt (figure 2, above).

    Parameters
    ----------
    matches : ndarray, shape (n, 2)
        (frame in the song, frame in the excerpt).
    ax : Axes
    title : str
    end_s : float
        Length of the song in seconds.

    Returns
    -------
    Axes
    """
    times_s = matches * FRAME_S
    ax.plot(times_s[:, 0], times_s[:, 1], "o", ms=2.5, alpha=0.6, mew=0, rasterized=True)
    ax.set(xlabel="time in song (s)", ylabel="time in excerpt (s)", xlim=(0, end_s))
    return set_title(ax, title)


def draw_offsets(matches: np.ndarray, ax: Axes, *, end_s: float) -> Axes:
    """Draw the histogram of time offsets, a bar for each exact offset (figure 2, below).

    Parameters
    ----------
    matches : ndarray, shape (n, 2)
        (frame in the song, frame in the excerpt).
    ax : Axes
    end_s : float
        Length of the song in seconds.

    Returns
    -------
    Axes
    """
    offsets, counts = np.unique(matches[:, 0] - matches[:, 1], return_counts=True)
    ax.vlines(offsets * FRAME_S, 0, counts, color=OKABE_ITO["blue"], lw=1.2)
    if len(counts):
        top = int(np.argmax(counts))
        at_s = float(offsets[top] * FRAME_S)
        ax.annotate(
            f"{counts[top]} at {at_s:.1f} s",
            (at_s, counts[top]),
            xytext=(0, 2),
            textcoords="offset points",
            fontsize=8,
            ha="left" if at_s < 0.2 * end_s else "right" if at_s > 0.8 * end_s else "center",
        )
    # the panels may share their axis: never lower what another panel needs
    ax.set_ylim(0, max(ax.get_ylim()[1], 1.15 * counts.max(initial=1)))
    ax.set(xlabel="offset (s)", ylabel="shared hashes", xlim=(0, end_s))
    return ax


def draw_misalignment(result: pd.DataFrame, ax: Axes, *, title: str) -> Axes:
    """Draw the share of hashes on one offset against where the excerpt starts.

    Parameters
    ----------
    result : DataFrame
        ``shift`` in samples and ``share``, from `experiments.measure_misalignment`.
    ax : Axes
    title : str

    Returns
    -------
    Axes
    """
    share = result.groupby("shift")["share"]
    shift_ms = share.median().index.to_numpy() / COURSE_RATE_HZ * 1000
    low, high = share.quantile(0.25), share.quantile(0.75)
    ax.fill_between(shift_ms, low, high, color=OKABE_ITO["sky"], alpha=0.3, lw=0)
    ax.plot(shift_ms, share.median(), "o-", color=OKABE_ITO["blue"], ms=4)
    ax.set(xlabel="excerpt starts this long after a frame of the song (ms)")
    ax.set(ylabel="hashes on one offset", ylim=(0, None), xlim=(0, shift_ms.max()))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return set_title(ax, title, "median; band: middle half of the places")


def draw_noise_curves(
    hits: Mapping[str, Mapping[str, Sequence[bool]]],
    ax: Axes,
    *,
    chance: float,
    title: str,
    groups: Mapping[str, Sequence[int]] | None = None,
) -> Axes:
    """Draw the share of songs found against the noise, a line for each excerpt length.

    Parameters
    ----------
    hits : {length: {noise: list of bool}}
        Keys are what is written at the line and at the axis.
    ax : Axes
    chance : float
        What guessing reaches.
    title : str
    groups : {length: list of int}, optional
        The song of each excerpt: intervals are over songs, see `aares.scores`.

    Returns
    -------
    Axes
    """
    colours = [OKABE_ITO[name] for name in ("blue", "vermillion", "green", "purple")]
    nudge = np.linspace(-0.06, 0.06, len(hits))
    ends = {}
    for line, (length, cells) in enumerate(hits.items()):
        estimates = [
            estimate_grouped_share(cell, groups[length]) if groups else estimate_share(cell)
            for cell in cells.values()
        ]
        share, low, high = np.array(estimates).T
        x = np.arange(len(cells)) + nudge[line]
        bars = np.clip([share - low, high - share], 0, None)
        ax.errorbar(
            x, share, yerr=bars, ls=LINES[line], marker=MARKERS[line], ms=4, color=colours[line],
            capsize=2, elinewidth=1,
        )  # fmt: skip
        ends[length] = (len(cells) - 1 + nudge[-1], float(share[-1]))
    ax.axhline(chance, color=MUTED, ls="--", lw=1)
    if chance > 0.05:  # lower, it lies on the axis, where lines cross whatever is written
        ax.annotate("chance", (0, chance), xytext=(0, 3), textcoords="offset points", color=INK)
    ax.set_xticks(range(len(cells)), list(cells))
    ax.set(xlabel="white noise: signal-to-noise ratio", ylabel="right song first")
    ax.set(ylim=(0, 1.03), xlim=(-0.3, len(cells) - 0.85))  # the names of lines stand beyond
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    set_title(ax, title)
    label_ends(ax, ends, colours, size=9)
    return ax


def draw_scores(known: np.ndarray, unknown: np.ndarray, ax: Axes, *, title: str) -> Axes:
    """Draw how many excerpts reach a score, with their song in the database and without it.

    Parameters
    ----------
    known, unknown : ndarray of int, shape (n,)
        Score of the best song.
    ax : Axes
    title : str

    Returns
    -------
    Axes
    """
    curves = (
        ("song in the database", known, OKABE_ITO["blue"], "-"),
        ("song unknown", unknown, OKABE_ITO["vermillion"], "--"),
    )
    for label, scores, colour, style in curves:
        threshold = np.arange(0, max(known.max(), unknown.max()) + 2)
        reached = (scores[:, None] >= threshold).mean(axis=0)
        ax.step(threshold, reached, where="pre", color=colour, ls=style, label=label)
    ax.set_xscale("symlog", linthresh=10)
    ticks = [t for t in (0, 2, 5, *(k * 10**e for e in (1, 2, 3) for k in (1, 2, 5)))
             if t <= threshold[-1]]  # fmt: skip
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.set(xlabel="score: hashes on one offset", ylabel="excerpts that reach it")
    ax.set(ylim=(0, 1.03), xlim=(0, threshold[-1]))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.legend(loc="upper right")
    return set_title(ax, title)


def draw_growth(table: pd.DataFrame, axes: Sequence[Axes], *, titles: Sequence[str]) -> None:
    """Draw time and memory of three searches against the number of songs.

    Parameters
    ----------
    table : DataFrame
        Index: number of songs; columns as `benchmarks/fingerprint.py` keeps them.
    axes : sequence of two Axes
    titles : sequence of two str
    """
    ways = (
        ("dictionaries", "dictionaries, one by one", "vermillion"),
        ("inverted", "same hashes, inverted", "green"),
        ("identifier", "identifier", "blue"),
    )
    for ax, unit, label, title in zip(
        axes, ("ms", "mb"), ("one search (ms)", "memory (MB)"), titles, strict=True
    ):
        for line, (name, text, colour) in enumerate(ways):
            ax.plot(table.index, table[f"{name}_{unit}"], ls=LINES[line], ms=4,
                    marker=MARKERS[line], color=OKABE_ITO[colour], label=text)  # fmt: skip
        ax.set(xscale="log", yscale="log", xlabel="songs", ylabel=label)
        ax.set_xticks(table.index, [f"{n}" for n in table.index])
        ax.minorticks_off()
        low, high = ax.get_ylim()
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 3) if high < 1000 * low else (1,)))
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        set_title(ax, title)
    axes[0].legend(loc="upper left", fontsize=7)


def draw_conditions(counts: pd.DataFrame, n: int, ax: Axes, *, title: str) -> Axes:
    """Draw how often the right song comes first and is accepted, a row for each condition.

    Parameters
    ----------
    counts : DataFrame
        Index: conditions; columns ``first`` and ``accepted``, counts of `n` excerpts.
    n : int
    ax : Axes
    title : str

    Returns
    -------
    Axes
    """
    rows = np.arange(len(counts))[::-1]
    for column, label, nudge, colour, marker in (
        ("first", "right song first", 0.14, OKABE_ITO["blue"], "o"),
        ("accepted", "and accepted", -0.14, OKABE_ITO["vermillion"], "D"),
    ):
        shares = [estimate_share(np.arange(n) < count) for count in counts[column]]
        share, low, high = np.array(shares).T
        bars = np.clip([share - low, high - share], 0, None)
        ax.errorbar(
            share,
            rows + nudge,
            xerr=bars,
            fmt=marker,
            ms=3.5,
            color=colour,
            elinewidth=1,
            label=label,
        )
    ax.set_yticks(rows, [name.replace("-", "−") for name in counts.index], fontsize=7)
    ax.set(xlabel=f"share of {n} excerpts (bars: 95 % intervals)")
    ax.set(ylim=(-0.7 - 0.09 * len(counts), len(counts) - 0.3))  # room for the legend
    ax.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g}%")
    ax.legend(loc="lower left", fontsize=7)
    return set_title(ax, title)
