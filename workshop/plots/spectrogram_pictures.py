"""Pictures of songs and what an image classifier sees in them (notebook 06)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from aares.audio.segments import RATE_HZ
from workshop.plots.style import INK, set_title

TICKS_HZ = (200, 1000, 3000, 8000)
SEEN = ("edges", "onsets", "tones", "local patterns", "directions", "fourier", "wavelet")
"""What :func:`aares.chaining.visual.see_picture` returns beside the picture."""
BRIGHTEST = 99.5  # percentile that is drawn white: one cell shall not darken all others


def _place_frequencies(rows: int, scale: str, ticks_hz: tuple[int, ...] = TICKS_HZ) -> np.ndarray:
    """Return the rows of a picture at which some frequencies stand.

    Parameters
    ----------
    rows : int
        Of the picture.
    scale : {"log-mel", "linear"}
        As of :func:`aares.chaining.pictures.paint_sound`.
    ticks_hz : tuple of int
        Frequencies in Hz, rising.

    Returns
    -------
    ndarray of float, shape (n_ticks,)
        Row 0 is the middle of the lowest.
    """
    if scale == "linear":
        return np.asarray(ticks_hz) / (RATE_HZ / 2 / rows) - 0.5
    from librosa import hz_to_mel

    return hz_to_mel(np.asarray(ticks_hz)) / hz_to_mel(RATE_HZ / 2) * (rows + 1) - 1


def draw_picture(
    picture: np.ndarray, ax: Axes, *, seconds: float, title: str, scale: str = "log-mel"
) -> Axes:
    """Draw a song's picture with its time and frequencies.

    Parameters
    ----------
    picture : ndarray of uint8, shape (rows, columns)
        As of :func:`aares.chaining.pictures.paint_song`, or a smaller one.
    ax : Axes
    seconds : float
        What the columns share.
    title : str
    scale : {"log-mel", "linear"}

    Returns
    -------
    Axes
    """
    rows = len(picture)
    ax.imshow(
        picture,
        origin="lower",
        aspect="auto",
        extent=(0, seconds, -0.5, rows - 0.5),
        cmap="magma",
        vmin=0,
        vmax=255,
        interpolation="nearest",
    )
    ax.grid(False)
    ax.set_yticks(_place_frequencies(rows, scale), [str(hz) for hz in TICKS_HZ])
    ax.set(xlabel="time (s)", ylabel="frequency (Hz)")
    return set_title(ax, title)


def draw_seen(
    seen: Mapping[str, Mapping[str, np.ndarray]],
    axes: np.ndarray,
    *,
    seconds: float,
    views: tuple[str, ...] = SEEN,
) -> np.ndarray:
    """Draw songs side by side: the picture on top, below it what each family looks at.

    Parameters
    ----------
    seen : mapping of str to mapping of str to ndarray
        Song -> what :func:`aares.chaining.visual.see_picture` returns.
    axes : ndarray of Axes, shape (1 + n_views, n_songs)
    seconds : float
        What the columns of the pictures share.
    views : tuple of str
        Of `SEEN`, from top to bottom. Each view has one scale of brightness for all songs.

    Returns
    -------
    ndarray of Axes
    """
    for column, (song, images) in enumerate(seen.items()):
        draw_picture(images["picture"], axes[0, column], seconds=seconds, title=song)
    for row, view in enumerate(views, start=1):
        shown = [np.asarray(images[view]) for images in seen.values()]
        top = max(float(np.percentile(image, BRIGHTEST)) for image in shown)
        for image, ax in zip(shown, axes[row], strict=True):
            ax.imshow(
                image,
                origin="lower",
                aspect="auto",
                cmap="viridis",
                vmin=0,
                vmax=top or 1,
                interpolation="nearest",
            )
            ax.grid(False)
            ax.set(xticks=[], yticks=[])
        axes[row, 0].set_ylabel(view, rotation=0, ha="right", va="center", color=INK)
    for ax in axes[0, 1:]:
        ax.set(ylabel="", yticklabels=[])
    return axes
