"""Names beside points and lines, placed so that no two of them touch.

Every function here measures the figure as it is, so it is called when the rest is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.text import Annotation

from workshop.plots.style import INK, MUTED, OKABE_ITO, lay_out

Box = tuple[float, float, float, float]  # left, bottom, right, top in pixels
FAR = 1e6
RINGS = (0.0, 1.0, 2.0, 3.5, 5.0, 7.0)  # distances that are tried, in heights of the text
ARROW = {"arrowstyle": "-", "color": MUTED, "lw": 0.6, "shrinkA": 0, "shrinkB": 0}
ANGLES = np.radians([0, 180, 90, 270, 45, 135, 315, 225, 20, 160, 340, 200, 70, 110, 250, 290])


def label_points(
    ax: Axes,
    places: npt.NDArray[np.float64],
    names: Sequence[str],
    *,
    radius: npt.ArrayLike = 3.0,
    size: float = 8.0,
    color: str | Sequence[str] = INK,
    prefer: float = 0.0,
    upon: bool = False,
    **look,
) -> list[Annotation]:
    """Write names beside points; where neighbours leave no room, further off with a line.

    Parameters
    ----------
    ax : Axes
    places : ndarray, shape (n, 2)
        In the coordinates of the data.
    names : sequence of str
        Empty where a point is only to be kept free.
    radius : float or ndarray, shape (n,)
        Of the marks, in points.
    size : float
        Of the letters, in points.
    color : str or sequence of str
    prefer : float
        Where a name stands if there is room: 0 to the right of its point, 90 above it.
    upon : bool
        Whether a name may stand upon its own mark; tried first.
    **look
        Passed to ``ax.annotate``.

    Returns
    -------
    list of Annotation
    """
    places = np.reshape(places, (-1, 2))
    pixel = lay_out(ax).dpi / 72
    at = ax.transData.transform(places)
    reach = np.broadcast_to(radius, len(at)) * pixel
    colors = [color] * len(at) if isinstance(color, str) else color
    marks = [(x - r, y - r, x + r, y + r) for (x, y), r in zip(at, reach, strict=True)]
    written, labels = _list_written(ax), []
    for k, name in enumerate(names):
        if not name:
            continue
        look_k = {"fontsize": size, "color": colors[k], "annotation_clip": False, **look}
        boxes = _list_boxes(
            at[k], _measure(ax, name, look_k), reach[k] + 2 * pixel, prefer, upon=upon
        )
        box, ring = _choose(boxes, written, marks[:k] + marks[k + 1 :])
        written.append(box)
        offset = tuple((np.array(box[:2]) - at[k]) / pixel)
        label = ax.annotate(
            name, tuple(places[k]), offset, textcoords="offset points", va="bottom",
            arrowprops=ARROW if ring > 0 else None, **look_k,
        )  # fmt: skip
        label.set_in_layout(False)
        labels.append(label)
    return labels


def label_ends(
    ax: Axes, ends: Mapping[str, tuple[float, float]], colors: Sequence[str], *, size: float = 8.0
) -> list[Annotation]:
    """Write names at the right ends of lines, moved up or down where they would touch.

    Parameters
    ----------
    ax : Axes
    ends : dict of str to (x, y)
        Last point of each line, in the coordinates of the data.
    colors : sequence of str
    size : float
        Of the letters, in points.

    Returns
    -------
    list of Annotation
    """
    pixel = lay_out(ax).dpi / 72
    at = ax.transData.transform(np.array(list(ends.values()), dtype=float))
    gaps = [1.5 * size * (name.count("\n") + 1) * pixel for name in ends]
    order = np.argsort(at[:, 1], kind="stable")
    heights = at[:, 1].copy()
    for below, above in pairwise(order):
        least = heights[below] + (gaps[below] + gaps[above]) / 2
        heights[above] = max(heights[above], least)
    heights[order[-1]] = min(heights[order[-1]], ax.bbox.y1 - gaps[order[-1]] / 3)
    for above, below in pairwise(order[::-1]):  # nor out of the axes
        most = heights[above] - (gaps[below] + gaps[above]) / 2
        heights[below] = min(heights[below], most)
    labels = []
    for (name, end), lift, color in zip(ends.items(), heights - at[:, 1], colors, strict=False):
        offset = (7, lift / pixel)
        labels.append(
            ax.annotate(name, end, offset, textcoords="offset points", va="center", color=color,
                        fontsize=size, annotation_clip=False)
        )  # fmt: skip
    return labels


def label_pair(
    ax: Axes, values: Mapping[str, float], colors: Mapping[str, str], *, row: float
) -> None:
    """Write the names of two points of one row above them, the left one to the left.

    Parameters
    ----------
    ax : Axes
    values : dict of str to float
        Two names and their x.
    colors : dict of str to str
        Names of colours in ``OKABE_ITO``.
    row : float
        Where the names stand.
    """
    for name, side, shift in zip(
        sorted(values, key=values.__getitem__), ("right", "left"), (-2, 2), strict=True
    ):
        ax.annotate(
            name, (values[name], row), (shift, 0), textcoords="offset points", ha=side,
            color=OKABE_ITO[colors[name]], fontsize=8, annotation_clip=False,
        )  # fmt: skip


def _list_written(ax: Axes) -> list[Box]:
    """Return boxes of what is written in the axes, and of all that is beside them."""
    frame = ax.bbox
    beside = [
        (-FAR, -FAR, frame.x0, FAR), (frame.x1, -FAR, FAR, FAR),
        (-FAR, -FAR, FAR, frame.y0), (-FAR, frame.y1, FAR, FAR),
    ]  # fmt: skip
    texts = [text.get_window_extent() for text in ax.texts if text.get_text()]
    return [*beside, *((box.x0, box.y0, box.x1, box.y1) for box in texts)]


def _measure(ax: Axes, name: str, look: Mapping) -> tuple[float, float]:
    """Return width and height of a text in pixels, with a little air."""
    text = ax.text(0, 0, name, fontsize=look["fontsize"], fontweight=look.get("fontweight"))
    box = text.get_window_extent()
    text.remove()
    return box.width + 2, box.height + 1


def _list_boxes(
    point: npt.NDArray[np.float64],
    size: tuple[float, float],
    gap: float,
    prefer: float,
    *,
    upon: bool,
) -> list[tuple[Box, float]]:
    """Return boxes around a point with their ring, the preferred first."""
    size_px = np.array(size)
    corners = [(point - size_px / 2, 0.0)] if upon else []
    for ring in RINGS:
        for angle in (np.radians(prefer), *ANGLES):
            away = size_px / 2 + gap + ring * size_px[1]
            centre = point + away * [np.cos(angle), np.sin(angle)]
            corners.append((centre - size_px / 2, ring))
    return [((*corner, *(corner + size_px)), ring) for corner, ring in corners]


def _choose(
    boxes: Sequence[tuple[Box, float]], written: Sequence[Box], marks: Sequence[Box]
) -> tuple[Box, float]:
    """Return the first box of those that cover least; texts count far more than marks."""
    costs = [100 * _sum_overlaps(box, written) + _sum_overlaps(box, marks) for box, _ in boxes]
    return boxes[int(np.argmin(np.round(costs, 3)))]


def _sum_overlaps(box: Box, others: Sequence[Box]) -> float:
    """Return the area of a box that others cover, in square pixels."""
    if not others:
        return 0.0
    left, bottom, right, top = np.transpose(others)
    width = np.minimum(box[2], right) - np.maximum(box[0], left)
    height = np.minimum(box[3], top) - np.maximum(box[1], bottom)
    return float((width.clip(0) * height.clip(0)).sum())
