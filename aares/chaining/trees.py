"""Trees of distances: clusters that join, neighbours that join, and how sure each branch is.

Used by notebook 06 through :mod:`.albums`. Average and Ward linkage assume that all leaves are
equally far from the root; neighbour joining does not, and finds the tree again where distances are
sums of branch lengths.

References
----------
.. [1] R. R. Sokal and C. D. Michener, "A statistical method for evaluating systematic
   relationships", University of Kansas Science Bulletin 38, 1958 (average linkage).
.. [2] J. H. Ward, "Hierarchical Grouping to Optimize an Objective Function", Journal of the
   American Statistical Association 58, 1963.
.. [3] N. Saitou and M. Nei, "The Neighbor-joining Method", Molecular Biology and Evolution 4, 1987;
   the formulas are those of J. A. Studier and K. J. Keppler, same journal 5, 1988.
.. [4] J. Felsenstein, "Confidence Limits on Phylogenies: An Approach Using the Bootstrap",
   Evolution 39, 1985.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from aares.exact import snap

METHODS = ("average", "ward", "neighbours")


@dataclass(frozen=True)
class Tree:
    """A leaf, or a place where branches meet.

    Parameters
    ----------
    name : str
        Of a leaf; "" where branches meet.
    length : float
        Of the branch that leads here.
    children : tuple of Tree
        None for a leaf.
    support : float or None
        Share of resampled trees that have a branch with the same leaves behind it, where known.

    Examples
    --------
    >>> tree = Tree(children=(Tree("a", 1.0), Tree("b", 2.0)))
    >>> tree.list_leaves(), tree.write_newick()
    (['a', 'b'], "('a':1,'b':2);")
    """

    name: str = ""
    length: float = 0.0
    children: tuple[Tree, ...] = ()
    support: float | None = None

    def list_leaves(self) -> list[str]:
        """Return the names of the leaves, as they are drawn from top to bottom.

        Returns
        -------
        list of str
        """
        if not self.children:
            return [self.name]
        return [name for child in self.children for name in child.list_leaves()]

    def walk(self) -> Iterator[Tree]:
        """Yield this node and all behind it.

        Yields
        ------
        Tree
        """
        yield self
        for child in self.children:
            yield from child.walk()

    def write_newick(self) -> str:
        """Write the tree in the Newick format, with support as labels of the inner nodes.

        Returns
        -------
        str

        Examples
        --------
        >>> inner = Tree(length=0.5, children=(Tree("it's", 1.0), Tree("b", 1.0)), support=0.97)
        >>> Tree(children=(inner, Tree("c", 1.5))).write_newick()
        "(('it''s':1,'b':1)0.97:0.5,'c':1.5);"
        """
        return f"{_write(self)};"


def _write(tree: Tree, *, is_root: bool = True) -> str:
    label = "'" + tree.name.replace("'", "''") + "'"
    if tree.children:
        support = "" if tree.support is None else f"{tree.support:.3g}"
        label = f"({','.join(_write(child, is_root=False) for child in tree.children)}){support}"
    return label if is_root else f"{label}:{tree.length:.4g}"


def grow_tree(distances: npt.ArrayLike, names: Sequence[str], *, method: str = "average") -> Tree:
    """Make a tree of distances.

    Parameters
    ----------
    distances : array-like of float, shape (n, n)
        Symmetric, not negative, zero between a leaf and itself; n is at least 2.
    names : sequence of str, length n
        Of the leaves; they differ.
    method : {"average", "ward", "neighbours"}

    Returns
    -------
    Tree
        Of linkage: rooted, both children of a node are equally far from the leaves. Of neighbours:
        unrooted, drawn from where the last three branches meet; a length is never negative.

    Raises
    ------
    ValueError
        Distances are not as above, or there is no such method.

    References
    ----------
    Sokal and Michener 1958 [1]_, Ward 1963 [2]_, Saitou and Nei 1987 [3]_.

    Examples
    --------
    >>> distances = [[0, 2, 6], [2, 0, 6], [6, 6, 0]]
    >>> grow_tree(distances, list("abc")).write_newick()
    "('c':3,('a':1,'b':1):2);"
    """
    D = _check_distances(distances, names)
    if method not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}, found {method!r}")
    if method == "neighbours":
        return _join_neighbours(D, names)
    nodes, heights = [Tree(name) for name in names], [0.0] * len(names)
    joins = linkage(squareform(D, checks=False), "ward" if method == "ward" else "average")
    for a, b, distance, _ in joins:
        height = float(distance) / 2
        children = tuple(
            replace(nodes[int(i)], length=height - heights[int(i)]) for i in sorted((a, b))
        )
        nodes.append(Tree(children=children))
        heights.append(height)
    return nodes[-1]


def _check_distances(distances: npt.ArrayLike, names: Sequence[str]) -> npt.NDArray[np.float64]:
    D = np.asarray(distances, dtype=float)
    n = len(names)
    if D.shape != (n, n) or n < 2:
        raise ValueError(f"distances: expected ({n}, {n}) of 2 leaves or more, found {D.shape}")
    if len(set(names)) < n:
        raise ValueError("names: expected leaves that differ, found one twice")
    if not np.isfinite(D).all() or (D < 0).any() or np.diag(D).any():
        raise ValueError("distances: expected finite ones, not negative, 0 to oneself")
    if not np.allclose(D, D.T):
        raise ValueError("distances: expected the same both ways")
    return snap((D + D.T) / 2)


def _join_neighbours(D: npt.NDArray[np.float64], names: Sequence[str]) -> Tree:
    nodes = [Tree(name) for name in names]
    while len(nodes) > 3:
        n, sums = len(D), D.sum(axis=1)
        Q = snap((n - 2) * D - sums[:, None] - sums[None])
        np.fill_diagonal(Q, np.inf)
        i, j = sorted(divmod(int(Q.argmin()), n))
        to_i = float(D[i, j] / 2 + (sums[i] - sums[j]) / (2 * (n - 2)))
        to_i = min(max(to_i, 0.0), float(D[i, j]))  # what one branch lacks is the other's
        joined = Tree(
            children=(
                replace(nodes[i], length=to_i),
                replace(nodes[j], length=float(D[i, j]) - to_i),
            )
        )
        to_joined = np.maximum((D[i] + D[j] - D[i, j]) / 2, 0)
        kept = [k for k in range(n) if k not in (i, j)]
        D = np.block([[D[np.ix_(kept, kept)], to_joined[kept, None]], [to_joined[kept], 0.0]])
        nodes = [*(nodes[k] for k in kept), joined]
    if len(nodes) == 2:
        halves = (replace(node, length=float(D[0, 1]) / 2) for node in nodes)
        return Tree(children=tuple(halves))
    around = D[0, 1] + D[0, 2] + D[1, 2]
    lengths = [max(float(D[k].sum() - around / 2), 0.0) for k in range(3)]
    return Tree(children=tuple(replace(x, length=y) for x, y in zip(nodes, lengths, strict=True)))


def list_splits(tree: Tree, *, rooted: bool) -> set[frozenset[str]]:
    """Return what each branch divides.

    Parameters
    ----------
    tree : Tree
    rooted : bool
        A branch is told by the leaves behind it; else, where nobody knows which side is behind, by
        the side without the first name in the alphabet.

    Returns
    -------
    set of frozenset of str
        Without branches that lead to one leaf, which every tree has.

    Examples
    --------
    >>> tree = grow_tree([[0, 2, 6], [2, 0, 6], [6, 6, 0]], list("abc"))
    >>> [sorted(split) for split in list_splits(tree, rooted=True)]
    [['a', 'b']]
    """
    return {split for node in tree.walk() if (split := _tell_split(tree, node, rooted))}


def _tell_split(tree: Tree, node: Tree, rooted: bool) -> frozenset[str] | None:
    everything, behind = frozenset(tree.list_leaves()), frozenset(node.list_leaves())
    if not rooted and min(everything) in behind:
        behind = everything - behind
    least_left = 1 if rooted else 2
    if len(behind) < 2 or len(everything) - len(behind) < least_left:
        return None
    return behind


def add_support(tree: Tree, draws: Iterable[Tree], *, rooted: bool) -> Tree:
    """Tell of each branch in how many other trees it is.

    Parameters
    ----------
    tree : Tree
    draws : iterable of Tree
        Of the same leaves, from data drawn anew.
    rooted : bool
        As for `list_splits`: True for linkage, False for neighbours.

    Returns
    -------
    Tree
        The same, with ``support``.

    References
    ----------
    Felsenstein 1985 [4]_.

    Examples
    --------
    >>> one = grow_tree([[0, 2, 6], [2, 0, 6], [6, 6, 0]], list("abc"))
    >>> other = grow_tree([[0, 6, 2], [6, 0, 6], [2, 6, 0]], list("abc"))
    >>> add_support(one, [one, one, one, other], rooted=True).children[1].support
    0.75
    """
    found, n = Counter[frozenset[str]](), 0
    for draw in draws:
        found.update(list_splits(draw, rooted=rooted))
        n += 1

    def _add(node: Tree) -> Tree:
        split = _tell_split(tree, node, rooted)
        support = found[split] / n if split and n else None
        return replace(node, children=tuple(map(_add, node.children)), support=support)

    return _add(tree)


def list_twins(tree: Tree) -> list[tuple[str, str]]:
    """Return the pairs of leaves that are joined with each other before anything else.

    Parameters
    ----------
    tree : Tree

    Returns
    -------
    list of (str, str)

    Examples
    --------
    >>> list_twins(grow_tree([[0, 2, 6], [2, 0, 6], [6, 6, 0]], list("abc")))
    [('a', 'b')]
    """
    leaves = [[x.name for x in node.children if not x.children] for node in tree.walk()]
    return [(pair[0], pair[1]) for pair in leaves if len(pair) == 2]
