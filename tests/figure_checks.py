"""What every figure must satisfy, measured from the boxes of the texts that are really drawn.

A box may lie upon a bar or a point; it may not lie upon another text nor leave the figure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import combinations
from unittest import mock

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import LineCollection
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.text import Text

from workshop.plots.style import MUTED, new_axes, use_style

LEAST_PT = 6.5  # figures stand in the report at their own size
SLACK_PX = 1.0  # boxes are as high as the tallest letter of the font, ink is a little smaller
FINDING = "A finding that takes its words from the data and so may be a good deal longer than usual"
DETAIL = (
    "how it was measured: five folds of 25 492 songs, 95 % intervals, all the same for every one"
)
NAMES = ["pop", "contemporary post-bop vocal jazz", "r&b", "hip hop", "A$AP & Ke$ha's $trap"]
GENRES = [f"genre no. {n} gy" for n in range(1, 23)]  # as many as the course has
NUMBER = re.compile(r"[≤≥]? ?[-−]?[\d.\u2009]+[%×]?")  # no decade such as 1950s
TESTED: set[Callable] = set()  # functions that have a test made by `draws`


def list_texts(fig: Figure) -> list[Text]:
    """Draw the figure and return its texts: no tick beyond a limit, nothing hidden or empty."""
    drawn: list[Text] = []
    draw_text = Text.draw

    def draw(text: Text, renderer: object) -> None:
        drawn.append(text)
        draw_text(text, renderer)

    with mock.patch.object(Text, "draw", draw):
        fig.canvas.draw()
    return [text for text in drawn if text.get_visible() and text.get_text().strip()]


def find_box(text: Text) -> np.ndarray:
    """Return the corners (4, 2) of a text's box in pixels, turned as the text is."""
    renderer = text.get_figure(root=True).canvas.get_renderer()
    around = Text.get_window_extent(text, renderer)  # an annotation's own adds its arrow
    angle = text.get_rotation()
    text.set_rotation(0)
    flat = Text.get_window_extent(text, renderer)
    text.set_rotation(angle)
    half = np.array([flat.width, flat.height]) / 2
    corners = (half - np.minimum(SLACK_PX, half / 2)) * [[-1, -1], [1, -1], [1, 1], [-1, 1]]
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return np.add(around.min, around.max) / 2 + corners @ [[cos, sin], [-sin, cos]]


def meet(a: np.ndarray, b: np.ndarray) -> bool:
    """Tell whether two boxes overlap: no side of either separates them."""
    for side in (*np.diff(a[:3], axis=0), *np.diff(b[:3], axis=0)):
        along_a, along_b = a @ side, b @ side
        if along_a.max() <= along_b.min() or along_b.max() <= along_a.min():
            return False
    return True


def check_texts(texts: list[Text]) -> None:
    """Fail if two texts overlap, if one leaves the figure or is too small for paper."""
    for text in texts:
        assert text.get_fontsize() >= LEAST_PT, f"too small: {text.get_text()!r}"
    boxes = [find_box(text) for text in texts]
    for text, box in zip(texts, boxes, strict=True):
        low, high = text.get_figure(root=True).bbox.get_points()
        outside = (box < low).any() or (box > high).any()
        assert not outside, f"leaves the figure: {text.get_text()!r}"
    for (a, b), pair in zip(combinations(boxes, 2), combinations(texts, 2), strict=True):
        assert not meet(a, b), f"overlap: {[text.get_text() for text in pair]}"


def check_axes(ax: Axes, texts: list[Text]) -> None:
    """Fail if an axis shows numbers and does not say of what."""
    for axis in (ax.xaxis, ax.yaxis):
        named = axis.get_label() in texts
        assert named or not _has_numbers(axis, texts), f"{axis.axis_name} axis without a label"


def _has_numbers(axis: Axis, texts: list[Text]) -> bool:
    """Tell whether an axis shows numbers; names of genres, keys or months speak for themselves."""
    shown = [label.get_text() for label in axis.get_ticklabels() if label in texts]
    return bool(shown) and all(NUMBER.fullmatch(text) for text in shown)


def check_figure(fig: Figure) -> None:
    """Draw a figure and check its texts and all its axes, those of colour bars too."""
    texts = list_texts(fig)
    check_texts(texts)
    for ax in fig.axes:
        check_axes(ax, texts)


def read_texts(ax: Axes) -> list[str]:
    """Return what is written in the axes, without the detail below the title."""
    return [text.get_text() for text in ax.texts if text.get_color() != MUTED]


def read_names(axis: Axis) -> list[str]:
    """Return the tick labels of an axis."""
    return [label.get_text() for label in axis.get_ticklabels()]


def read_line(drawn: Axes | ErrorbarContainer, line: int = 0) -> np.ndarray:
    """Return the points (n, 2) of a line."""
    return np.transpose(drawn.lines[line].get_data()).astype(float)


def read_spans(lines: LineCollection, column: int) -> np.ndarray:
    """Return where lines begin and end (n, 2), along x (0) or y (1)."""
    return np.array([np.asarray(path, dtype=float)[:, column] for path in lines.get_segments()])


def draws(
    function: Callable, *, labels: list[tuple[str, str]], data: Mapping[str, object], **size
) -> Callable:
    """Make a test of a function of `plots`: the size of the notebook, each of some data sets.

    Parameters
    ----------
    function : callable
        What is tested.
    labels : list of (x label, y label)
        One for each panel.
    data : dict of str to object
        Plain and awkward data.
    **size
        As of `style.new_axes`.

    Returns
    -------
    callable
        Decorates ``case(draw, axes, data)``, which draws, and compares artists with numbers.
    """
    TESTED.add(function)

    def make_test(case: Callable) -> Callable:
        @pytest.mark.parametrize("name", data)
        def test(name: str) -> None:
            with mpl.rc_context():
                use_style()
                fig, axes = new_axes(**size)
                draw = mock.Mock(wraps=function)
                case(draw, axes, data[name])
                draw.assert_called()
                assert [(ax.get_xlabel(), ax.get_ylabel()) for ax in np.ravel(axes)] == labels
                check_figure(fig)
                plt.close(fig)

        return test

    return make_test
