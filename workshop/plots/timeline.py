"""The figure of a timeline (notebook 04): what was played, and what was heard of it.

Conventions: data comes in seconds. The function draws on `ax` and returns it; the title is a
sentence computed from results by the caller.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from workshop.plots.style import INK, MUTED, OKABE_ITO, set_title

HEIGHT = 0.36  # of a bar
LEGIBLE = 0.04  # of the whole: a shorter bar has no name
Stretch = tuple[float, float, str]


def draw_timeline(
    truth: Sequence[Stretch], answer: Sequence[Stretch], ax: Axes, *, title: str
) -> Axes:
    """Draw what was played as bars above what was recognised.

    Parameters
    ----------
    truth, answer : sequence of (float, float, str)
        Start and end in seconds, and a name of a few letters. Bars of one name have one colour;
        names without a colour, those of the answer that are not in the truth, are grey.
    ax : Axes
    title : str

    Returns
    -------
    Axes
    """
    names = list(dict.fromkeys(name for *_, name in truth))
    palette = [colour for name, colour in OKABE_ITO.items() if name != "black"]
    colours = {name: palette[k % len(palette)] for k, name in enumerate(names)}
    length_s = max((end_s for _, end_s, _ in (*truth, *answer)), default=1.0)
    for row, stretches in ((1, truth), (0, answer)):
        for k, (start_s, end_s, name) in enumerate(stretches):
            overlaps = k > 0 and stretches[k - 1][1] > start_s
            # bars that overlap lie a little lower, so that both of their ends are seen
            y = row - (0.12 if overlaps and k % 2 else 0.0)
            colour = colours.get(name, MUTED)
            ax.barh(y, end_s - start_s, HEIGHT, left=start_s, color=colour, edgecolor="white")
            if end_s - start_s >= LEGIBLE * length_s:
                ax.text((start_s + end_s) / 2, y, name, ha="center", va="center", color=INK,
                        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})  # fmt: skip
    ax.set(xlabel="time (s)", yticks=[1, 0], ylim=(-0.5, 1.5))
    ax.set_xlim(0, length_s)
    ax.set_yticklabels(["played", "recognised"])
    ax.grid(False)
    return set_title(ax, title)
