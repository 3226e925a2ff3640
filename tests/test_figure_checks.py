"""The checks of figures: each finds the fault it is for, and nothing in a good figure."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest
from figure_checks import check_axes, check_figure, check_texts, list_texts
from matplotlib.figure import Figure


@pytest.fixture
def fig():
    fig, ax = plt.subplots(figsize=(4, 3), layout="constrained")
    ax.set(xlabel="time (s)", ylabel="songs", title="A finding")
    ax.plot([0, 1], [0, 1])
    yield fig
    plt.close(fig)


def test_a_good_figure_passes(fig):
    check_figure(fig)


def test_a_title_that_leaves_the_figure_is_found(fig):
    fig.axes[0].set_title("a finding that is told in far too many words for so small a figure")
    with pytest.raises(AssertionError, match="leaves the figure.*far too many words"):
        check_texts(list_texts(fig))


@pytest.mark.parametrize("place", [(0.5, 0.5), (0.53, 0.52)])
def test_texts_that_overlap_are_found(fig, place):
    fig.axes[0].text(0.5, 0.5, "one")
    fig.axes[0].text(*place, "two")
    with pytest.raises(AssertionError, match=r"overlap: \['one', 'two'\]"):
        check_texts(list_texts(fig))


def test_tick_labels_that_overlap_are_found(fig):
    fig.axes[0].set_xticks([0.0, 0.5, 1.0], ["a rather long name"] * 3)
    with pytest.raises(AssertionError, match="overlap"):
        check_texts(list_texts(fig))


def test_turned_texts_are_measured_as_turned(fig):
    ax = fig.axes[0]
    ax.text(0.1, 0.1, "a long rising text", rotation=45, rotation_mode="anchor")
    inside = ax.text(0.35, 0.12, "corner")  # in the upright box around the other, not upon it
    check_texts(list_texts(fig))
    inside.set_position((0.2, 0.25))
    with pytest.raises(AssertionError, match="overlap"):
        check_texts(list_texts(fig))


def test_numbers_without_a_label_are_found(fig):
    fig.axes[0].set_ylabel("")
    with pytest.raises(AssertionError, match="y axis without a label"):
        check_axes(fig.axes[0], list_texts(fig))
    fig.axes[0].set_yticks([0, 1], ["jazz", "r&b"])
    check_axes(fig.axes[0], list_texts(fig))


def test_a_colour_bar_needs_a_label_too(fig):
    bar = fig.colorbar(fig.axes[0].imshow([[0, 1]]), ax=fig.axes[0])
    with pytest.raises(AssertionError, match="y axis without a label"):
        check_figure(fig)
    bar.set_label("share")
    check_figure(fig)


def test_what_is_not_drawn_does_not_count(fig):
    ax = fig.axes[0]
    ax.text(0.5, 0.5, "hidden", visible=False)
    ax.text(0.5, 0.5, "   ")
    ax.set(xticks=[0, 0.5, 7.5], xlim=(0, 1))  # a tick beyond the limit
    texts = {text.get_text() for text in list_texts(fig)}
    assert "A finding" in texts
    assert not texts & {"hidden", "   ", "7.5"}
    assert list_texts(Figure()) == []
