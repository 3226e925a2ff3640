"""The figure of the tree of albums on made-up trees, plain and awkward; see `figure_checks`."""

import numpy as np
from figure_checks import DETAIL, FINDING, draws, read_texts

from aares.chaining.trees import Tree, add_support, grow_tree
from workshop.plots.album_tree import draw_album_tree
from workshop.plots.style import set_title

ALBUMS = ["Battle for Wesnoth", "Drascula", "Endgame: Singularity", "A$AP & Ke$ha's $trap",
          "SuperTuxKart", "Warzone 2100: aftermath", "Warzone 2100: legacy"]  # fmt: skip


def make_distances(n, seed=0):
    places = np.random.default_rng(seed).random((n, 6))
    return np.abs(places[:, None] - places[None]).sum(axis=2)


def make_tree(n, method):
    draws = [grow_tree(make_distances(n, seed), ALBUMS[:n], method=method) for seed in range(9)]
    return add_support(draws[0], draws, rooted=method != "neighbours")


TREES = {
    "average": (make_tree(7, "average"), None),
    "neighbours, years": (make_tree(7, "neighbours"), {"Drascula": 1996, "SuperTuxKart": 2012}),
    "two": (make_tree(2, "average"), {"Drascula": 1996}),
}


@draws(draw_album_tree, labels=[("distance from the root", "")], data=TREES, height=3.2)
def test_album_tree(draw, ax, case):
    tree, years = case
    draw(tree, ax, years)
    set_title(ax, FINDING, DETAIL)
    texts = read_texts(ax)
    names = [f"{x} ({years[x]})" if x in (years or {}) else x for x in tree.list_leaves()]
    known = [node.support for node in tree.walk() if node.support is not None]
    assert sorted(texts) == sorted([*names, *(f"{share:.0%}" for share in known)])


def measure_leaves(tree: Tree, start=0.0):
    end = start + tree.length
    if not tree.children:
        return {tree.name: end}
    return {name: x for child in tree.children for name, x in measure_leaves(child, end).items()}


def test_a_leaf_lies_as_far_to_the_right_as_its_branches_are_long():
    import matplotlib.pyplot as plt

    tree = make_tree(7, "neighbours")
    fig, ax = plt.subplots()
    draw_album_tree(tree, ax)
    ends = [line.get_xydata()[0] for line in ax.lines if len(line.get_xydata()) == 1]
    drawn = {tuple(np.round(point, 9)) for point in ends}
    for row, (name, x) in enumerate(measure_leaves(tree).items()):
        assert (round(x, 9), row) in drawn, name
    plt.close(fig)
