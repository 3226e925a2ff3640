"""Which albums sound alike, and which songs sit nearer to another album than to their own.

After George and Shamir, who drew trees of the albums of a band: features are weighed by how well
they tell groups apart (Fisher), a song is compared with all songs of an album, near ones first, and
distances between albums become a tree (:mod:`.trees`). Halves of albums show what such a tree is
worth: cut each album into two at random and call both halves albums; the tree should join them
before anything else. Nothing that is fitted knows which halves belong together: weights and
spreads are those of the halves.

Used by notebook 06. Conventions: `X` has a row for each song, such as
:func:`.portraits.summarise_songs` makes; `groups` names the album, or half, of each.

References
----------
.. [1] J. George and L. Shamir, "Computer analysis of similarities between albums in popular
   music", Pattern Recognition Letters 45, 2014: section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares.chaining.comparisons import COMPARISONS, Floats, measure_nearness, rank_songs
from aares.chaining.trees import Tree, add_support, grow_tree, list_twins
from aares.errors import DataError
from aares.exact import snap


def place_songs(X: npt.ArrayLike, albums: Sequence[str], songs: Sequence[str]) -> pd.DataFrame:
    """Tell how near each song is to each album, and so which songs sit nearer to another one.

    A song is compared with the others only: neither the weights nor the songs of its album hold it.

    Parameters
    ----------
    X : array-like of float, shape (n_songs, n_features)
    albums, songs : sequence of str, length n_songs
        Albums have at least two songs each.

    Returns
    -------
    DataFrame
        ``song``, ``album``, ``nearest`` (of the other albums), ``own`` and ``other`` (how near
        the song is to its album and to that one: shares of all albums' nearness, 0 to 1), and
        ``margin``, own less other: below 0 the song sits nearer to another album. By margin.

    Raises
    ------
    DataError
        An album has one song, or there is only one album.

    References
    ----------
    George and Shamir 2014 [1]_, section 3: the weighted nearest distance.

    Examples
    --------
    The last song of the second album sounds like the first album.

    >>> X = [[0.0], [0.1], [0.1], [0.2], [1.0], [1.1], [1.2], [0.1]]
    >>> table = place_songs(X, list("aaaabbbb"), [f"song {i}" for i in range(8)])
    >>> table.iloc[0][["song", "album", "nearest"]].tolist()
    ['song 7', 'b', 'a']
    """
    Z, names = rank_songs(X), np.asarray(albums)
    counts = pd.Series(names).value_counts()
    if len(counts) < 2 or counts.min() < 2:
        raise DataError("albums: expected two or more, of two songs or more each")
    rows = []
    for row, (song, album) in enumerate(zip(songs, map(str, albums), strict=True)):
        others = np.arange(len(Z)) != row
        near = measure_nearness(Z[row], Z[others], list(names[others]))
        own = near.pop(album)
        rival = max(near, key=lambda name: near[name])
        rows.append((song, album, rival, own, near[rival]))
    table = pd.DataFrame(rows, columns=["song", "album", "nearest", "own", "other"])
    table["margin"] = snap(table["own"] - table["other"])
    return table.sort_values(["margin", "song"], kind="stable").reset_index(drop=True)


def halve_albums(albums: Sequence[str], *, random_state: int) -> list[str]:
    """Cut each album into two halves at random.

    Parameters
    ----------
    albums : sequence of str, length n_songs
    random_state : int

    Returns
    -------
    list of str
        "album | 1" or "album | 2" for each song; of an odd number one half has a song more.

    Examples
    --------
    >>> sorted(halve_albums(["a", "a", "b", "b"], random_state=0))
    ['a | 1', 'a | 2', 'b | 1', 'b | 2']
    """
    rng = np.random.default_rng(random_state)
    halves = [""] * len(albums)
    for album in sorted(set(albums)):
        rows = rng.permutation([row for row, name in enumerate(albums) if name == album])
        for place, row in enumerate(rows):
            halves[row] = f"{album} | {1 if place < len(rows) / 2 else 2}"
    return halves


def score_halvings(
    X: npt.ArrayLike,
    albums: Sequence[str],
    *,
    comparison: str = "whitened means",
    method: str = "ward",
    n_draws: int = 100,
    random_state: int = 0,
) -> pd.DataFrame:
    """Tell whether both halves of an album are joined first, over many random halvings.

    Parameters
    ----------
    X : array-like of float, shape (n_songs, n_features)
    albums : sequence of str, length n_songs
    comparison : str
        Of `COMPARISONS`.
    method : str
        Of :func:`.trees.grow_tree`.
    n_draws : int
    random_state : int
        Of the first draw; the others have the numbers after it.

    Returns
    -------
    DataFrame of bool, shape (n_draws, n_albums)
        True where the halves are joined with each other before anything else.

    Raises
    ------
    ValueError
        There is no such comparison or method.

    Examples
    --------
    Three albums that have nothing in common.

    >>> X = np.repeat(np.eye(3), 6, axis=0) + np.random.default_rng(0).normal(0, 0.1, (18, 3))
    >>> score_halvings(X, list("a" * 6 + "b" * 6 + "c" * 6), n_draws=5).mean().tolist()
    [1.0, 1.0, 1.0]
    """
    compare = _find_comparison(comparison)
    Z, names = rank_songs(X), sorted(set(albums))
    rows = []
    for draw in range(n_draws):
        halves = halve_albums(albums, random_state=random_state + draw)
        tree = grow_tree(snap(compare(Z, halves)), sorted(set(halves)), method=method)
        twins = {frozenset(pair) for pair in list_twins(tree)}
        rows.append([frozenset({f"{name} | 1", f"{name} | 2"}) in twins for name in names])
    return pd.DataFrame(rows, columns=names)


def measure_albums(
    X: npt.ArrayLike, albums: Sequence[str], *, comparison: str = "whitened means"
) -> pd.DataFrame:
    """Return the distances between albums.

    Parameters
    ----------
    X : array-like of float, shape (n_songs, n_features)
    albums : sequence of str, length n_songs
    comparison : str
        Of `COMPARISONS`.

    Returns
    -------
    DataFrame, shape (n_albums, n_albums)
        By name.

    Raises
    ------
    ValueError
        There is no such comparison.

    Examples
    --------
    >>> X = [[0.0], [0.1], [1.0], [1.2], [5.0], [7.0]]
    >>> D = measure_albums(X, list("aabbcc"))
    >>> bool(D.loc["a", "b"] < D.loc["a", "c"])
    True
    """
    names = sorted(set(albums))
    D = snap(_find_comparison(comparison)(rank_songs(X), albums))
    return pd.DataFrame((D + D.T) / 2, index=names, columns=names)


def grow_album_tree(
    X: npt.ArrayLike,
    albums: Sequence[str],
    *,
    comparison: str = "whitened means",
    method: str = "ward",
    n_draws: int = 200,
    random_state: int = 0,
) -> Tree:
    """Draw the tree of albums; support is what is left of a branch when songs are drawn anew.

    Parameters
    ----------
    X : array-like of float, shape (n_songs, n_features)
    albums : sequence of str, length n_songs
    comparison : str
        Of `COMPARISONS`.
    method : str
        Of :func:`.trees.grow_tree`.
    n_draws : int
        In each, every album has as many songs drawn from its own with replacement.
    random_state : int

    Returns
    -------
    Tree

    Raises
    ------
    ValueError
        There is no such comparison or method.

    Examples
    --------
    >>> tree = grow_album_tree(np.arange(18.0)[:, None], list("ababababababcccccc"), n_draws=20)
    >>> [(node.list_leaves(), node.support) for node in tree.children]
    [(['c'], None), (['a', 'b'], 1.0)]
    """
    compare = _find_comparison(comparison)
    Z, names = rank_songs(X), np.asarray(albums)
    leaves = sorted(set(albums))
    members = [np.flatnonzero(names == name) for name in leaves]
    rng = np.random.default_rng(random_state)

    def _grow(rows: npt.NDArray[np.intp]) -> Tree:
        return grow_tree(snap(compare(Z[rows], list(names[rows]))), leaves, method=method)

    draws = (
        _grow(np.concatenate([rng.choice(rows, len(rows)) for rows in members]))
        for _ in range(n_draws)
    )
    tree = _grow(np.arange(len(Z)))
    return add_support(tree, draws, rooted=method != "neighbours")


def _find_comparison(name: str) -> Callable[[Floats, Sequence[str]], Floats]:
    if name not in COMPARISONS:
        raise ValueError(f"comparison: expected one of {', '.join(COMPARISONS)}, found {name!r}")
    return COMPARISONS[name]
