"""What all figures share: style, titles, labels; and that each function of `plots` has a test.

The functions of a module `plots.x` are tested in `test_plots_x`.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from figure_checks import DETAIL, FINDING, NAMES, TESTED, draws, read_texts
from numpy.testing import assert_allclose

from workshop import plots
from workshop.config import ROOT
from workshop.plots import labels, style


def test_every_public_function_is_tested():
    names = [module.name for module in pkgutil.iter_modules(plots.__path__)]
    for name in set(names) - {"style", "labels"}:
        importlib.import_module(f"test_plots_{name}")
    modules = [importlib.import_module(f"{plots.__name__}.{name}") for name in names]
    public = {
        function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_") and function.__module__ == module.__name__
    }
    assert len(modules) > 1
    assert {f"{f.__module__}.{f.__name__}" for f in public - TESTED} == set()


@draws(style.use_style, labels=[("", "")], data={"": None})
def test_style(draw, ax, _):
    draw()
    assert mpl.rcParams["figure.constrained_layout.use"]
    assert ax.text(0.5, 0.5, "A$AP and Ke$ha").get_parse_math() is False
    assert mpl.rcParams["text.hinting"] == "none"  # else what fits here may not fit the report
    assert mpl.rcParams["axes.prop_cycle"].by_key()["color"][:2] == ["#0072B2", "#E69F00"]
    ax.set(xticks=[], yticks=[])


@draws(style.new_axes, labels=[("", "")], data={"one": (1, 1), "panels": (2, 3)})
def test_new_axes(draw, ax, data):
    rows, cols = data
    fig, axes = draw(height=2.5, rows=rows, cols=cols)
    assert (fig.get_size_inches() == [style.REPORT_WIDTH_IN, 2.5]).all()
    assert np.shape(axes) == ((rows, cols) if rows * cols > 1 else ())
    ax.set(xticks=[], yticks=[])


@draws(
    style.set_title,
    labels=[("", "")] * 2,
    data={"short": ("A finding", "a detail"), "bare": ("A finding", ""),
          "long": (FINDING, DETAIL), "dollars": ("Ke$ha and A$AP", "$1 and $2")},
    height=2.4, cols=2,
)  # fmt: skip
def test_titles(draw, axes, data):
    for ax in axes:
        ax.set_yticks([0], ["jazz"])
        ax.set_xticks([])
        assert draw(ax, *data) is ax
        assert ax.get_title(loc="left").split() == data[0].split()
        assert [text.get_text().split() for text in ax.texts] == [data[1].split()] * bool(data[1])


@draws(style.show_whole_numbers, labels=[("songs", "songs")], data={"x": "x", "y": "y"})
def test_whole_numbers(draw, ax, axis):
    ax.set(xlim=(0, 25492), ylim=(0, 25492), xlabel="songs", ylabel="songs")
    draw(ax, axis)
    assert getattr(ax, f"{axis}axis").get_major_formatter()(25492) == "25\u2009492"


@draws(
    style.mark_signs,
    labels=[("column", "row")],
    data={"mixed": [[2, -0.5], [0.9, -1.0]], "nan": [[np.nan]]},
)
def test_signs_stand_where_colours_are_strong(draw, ax, values):
    values = np.array(values, dtype=float)
    ax.imshow(values)
    ax.set(xlabel="column", ylabel="row")
    draw(ax, values, above=1.0)
    told = [(*text.get_position(), text.get_text()) for text in ax.texts]
    assert told == ([(0, 0, "+"), (1, 1, "−")] if values.size > 1 else [])


@pytest.mark.parametrize("room", [60, 200, 1000])
def test_lines_are_broken_between_words(room):
    fig, ax = plt.subplots()
    text = ax.text(0, 0, FINDING)
    assert style.break_lines(text, room) == text.get_text().count("\n") + 1
    assert text.get_text().split() == FINDING.split()
    assert text.get_window_extent().width <= max(room, 90)
    plt.close(fig)


TESTED.add(style.break_lines)


def test_laid_out_axes_leave_room_for_their_labels():
    with mpl.rc_context():
        style.use_style()
        fig, ax = style.new_axes()
        assert style.lay_out(ax) is fig
        before = ax.bbox.x0
        ax.set_ylabel("songs")
        style.lay_out(ax)
        assert ax.bbox.x0 > before + 10
        plt.close(fig)


TESTED.add(style.lay_out)


def test_titles_over_several_panels_break_their_lines_too():
    calls = [
        ast.unparse(node)
        for path in (ROOT / "notebooks" / "src").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "suptitle"
    ]
    assert calls
    assert [call for call in calls if "wrap=True" not in call] == []


@draws(
    labels.label_points,
    labels=[("", "")],
    data={"apart": np.eye(5)[:, :2], "one place": np.zeros((5, 2)), "one": np.zeros((1, 2)),
          "row": np.c_[np.linspace(0, 1, 5), np.zeros(5)]},
    height=2.8,
)  # fmt: skip
def test_names_beside_points(draw, ax, places):
    ax.scatter(*places.T)
    ax.set(xticks=[], yticks=[])
    names = NAMES[: len(places)]
    written = draw(ax, places, names)
    assert read_texts(ax) == names
    assert_allclose([label.xy for label in written], places)
    ax.figure.draw_without_rendering()
    for label, place in zip(written, ax.transData.transform(places), strict=True):
        box = mpl.text.Text.get_window_extent(label)
        gap = np.maximum(np.maximum(box.min - place, place - box.max), 0)
        assert 0 < np.hypot(*gap) < 150


def test_names_of_crowded_points_have_lines():
    fig, ax = plt.subplots()
    ax.set(xlim=(-1, 1), ylim=(-1, 1))
    written = labels.label_points(ax, np.zeros((30, 2)), [f"name {k}" for k in range(30)])
    assert written[0].arrow_patch is None
    assert written[-1].arrow_patch is not None
    plt.close(fig)


@draws(
    labels.label_ends,
    labels=[("", "share")],
    data={"apart": [0.1, 0.5, 0.9], "equal": [0.5] * 3, "top": [1.0] * 3, "bottom": [0.0] * 3,
          "crossed": [0.5, 0.51, 0.49]},
    height=2.8,
)  # fmt: skip
def test_names_at_ends(draw, ax, heights):
    ax.set(xticks=[], ylim=(0, 1), ylabel="share")
    ends = {name: (0.8, height) for name, height in zip("abc", heights, strict=True)}
    written = draw(ax, ends, ["red", "green", "blue"])
    assert [label.get_color() for label in written] == ["red", "green", "blue"]
    lifts = [label.xyann[1] for label in written]
    at = np.add(np.multiply(heights, 200), lifts)
    assert [*np.argsort(at, kind="stable")] == [*np.argsort(heights, kind="stable")]
    if heights == [0.1, 0.5, 0.9]:
        assert_allclose(lifts, 0, atol=1e-9)


@draws(
    labels.label_pair,
    labels=[("share", "")],
    data={"apart": (0.2, 0.8), "swapped": (0.8, 0.2), "equal": (0.5, 0.5), "ends": (0, 1)},
    height=2.0,
)  # fmt: skip
def test_names_of_a_pair(draw, ax, data):
    ax.set(xlabel="share", yticks=[], xlim=(0, 1))
    draw(ax, {"first": data[0], "second": data[1]}, {"first": "blue", "second": "orange"}, row=0.5)
    sides = {text.get_text(): text.get_horizontalalignment() for text in ax.texts}
    assert sides["first"] == ("right" if data[0] <= data[1] else "left")
    assert {text.get_text(): text.xy[0] for text in ax.texts} == dict(first=data[0], second=data[1])
