"""The tree of albums (notebook 06): which sound alike, and how sure each branch is."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes

from aares.chaining.trees import Tree
from workshop.plots.style import GRID, INK, MUTED, OKABE_ITO

SURE = 0.7  # of resampled trees: below, a branch may as well be another


def draw_album_tree(tree: Tree, ax: Axes, years: Mapping[str, int] | None = None) -> Axes:
    """Draw a tree of albums from left to right, with the support of its branches.

    Branches that most resampled trees have are strong lines, others dashed; a point with its share
    stands where the branch ends.

    Parameters
    ----------
    tree : Tree
        Of :func:`aares.chaining.albums.grow_album_tree`.
    ax : Axes
    years : mapping of str to int, optional
        When an album came out, for those where it is known.

    Returns
    -------
    Axes
    """
    rows = {name: row for row, name in enumerate(tree.list_leaves())}
    deepest = max(_draw_node(tree, ax, rows, 0.0))
    for name, row in rows.items():
        label = f"{name} ({years[name]})" if years and name in years else name
        ax.text(1.02, row, label, va="center", ha="left", color=INK, transform=_across(ax))
    ax.set_xlim(-0.02 * deepest, deepest * 1.02)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_yticks([])
    ax.grid(axis="x", color=GRID)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("distance from the root")
    return ax


def _across(ax: Axes):
    return ax.get_yaxis_transform()


def _draw_node(tree: Tree, ax: Axes, rows: Mapping[str, int], start: float) -> list[float]:
    """Draw a branch and what is behind it; return where its leaves end."""
    end, row = start + tree.length, _find_row(tree, rows)
    sure = tree.support is None or tree.support >= SURE
    colour = OKABE_ITO["blue"] if sure else MUTED
    ax.plot([start, end], [row, row], color=colour, ls="-" if sure else "--", lw=2, zorder=2)
    if not tree.children:
        ax.plot(end, row, "o", color=OKABE_ITO["blue"], ms=5, zorder=3)
        ax.plot([end, 1e9], [row, row], color=GRID, lw=1, ls=":", zorder=1, scalex=False)
        return [end]
    ends = [_find_row(child, rows) for child in tree.children]
    ax.plot([end, end], [min(ends), max(ends)], color=OKABE_ITO["blue"], lw=2, zorder=2)
    if tree.support is not None:
        ax.plot(end, row, "o", color=colour, ms=5, zorder=3)
        ax.annotate(f"{tree.support:.0%}", (end, row), xytext=(5, 3), ha="left", va="bottom",
                    textcoords="offset points", fontsize=8, color=INK)  # fmt: skip
    return [x for child in tree.children for x in _draw_node(child, ax, rows, end)]


def _find_row(tree: Tree, rows: Mapping[str, int]) -> float:
    if not tree.children:
        return rows[tree.name]
    ends = [_find_row(child, rows) for child in tree.children]
    return (min(ends) + max(ends)) / 2
