"""Pairs of songs whose answer is known without asking anybody: splices, albums, genres.

Nobody labelled our songs, so a label stands in for 'B can follow A':

* *splice*: A ends at a random cut, and B is the same song half a second later. It proves that a
  join is heard as one, not that two songs would be liked in a row. Three kinds of false pairs are
  ever nearer: a song of another album, another song of the album, another place of the same song.
* *same album* or *same genre*: what belongs together. Songs of an album share a composer and its
  mastering; which of the two was found, the pair does not tell (:func:`.joins.equalise` helps).

What would give the answer away is kept out. Each start of B is the start of one true and of one
false pair of every kind, so an intro, an outro or a loud place tells nothing. False pairs are drawn
among songs of one fold, so a model meets no song that it learnt from. Copies belong to one group,
are never a false pair, and lie in one fold.

Used by notebook ``06_chainable``. Conventions: a row of `songs` is a song; times are in seconds
from its beginning; A is played up to ``end``, B from ``start``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares.errors import DataError

COLUMNS = ("a", "b", "end", "start", "label", "source", "group_song", "group_album", "fold")
KINDS = ("other album", "same album", "other place")
"""Of false splices, from far to near: their ``source``; that of true ones is "splice"."""
PIECE_S = 10.0  # of A before its cut, and of B after its start
LONGEST_GAP_S = 2.0  # all starts of B leave room for it, so that they do not tell the gap
APART_S = 20.0  # of two places of one song


def split_songs(
    songs: pd.DataFrame, n_folds: int = 4, *, random_state: int = 0
) -> npt.NDArray[np.intp]:
    """Deal songs into folds: copies together, the songs of an album over all of them.

    Parameters
    ----------
    songs : DataFrame
        ``album`` and, where there are copies, ``group``: what songs that are copies share.
    n_folds : int
    random_state : int

    Returns
    -------
    ndarray of int, shape (n,)
        The fold of each song, from 0.

    Raises
    ------
    ValueError
        There are fewer groups than folds.

    Examples
    --------
    >>> songs = pd.DataFrame({"album": ["x"] * 4, "group": [1, 1, 2, 3]})
    >>> folds = split_songs(songs, 3)
    >>> bool(folds[0] == folds[1]), sorted(set(folds.tolist()))
    (True, [0, 1, 2])
    """
    _require(songs, ["album"])
    group = songs["group"] if "group" in songs else pd.Series(np.arange(len(songs)))
    first = ~group.duplicated().to_numpy()
    if not 1 < n_folds <= first.sum():
        raise ValueError(f"n_folds: expected 2 to {first.sum()} (groups of songs), found {n_folds}")
    rng = np.random.default_rng(random_state)
    heads = pd.DataFrame(
        {"album": songs["album"].to_numpy()[first], "draw": rng.random(first.sum())}
    )
    dealt = heads.sort_values(["album", "draw"], kind="stable").index
    fold = pd.Series(np.arange(len(heads)) % n_folds, index=group.to_numpy()[first][dealt])
    return group.map(fold).to_numpy(np.intp)


def draw_splices(
    songs: pd.DataFrame,
    *,
    gap_s: float = 0.5,
    n_places: int = 8,
    control: bool = False,
    random_state: int = 0,
) -> pd.DataFrame:
    """Draw true splices, and as many false ones of each kind, from songs and their folds.

    Places of a song come in couples, at least :data:`APART_S` apart; both are cuts, and each is the
    false other place of its fellow. Starts of other songs are theirs.

    Parameters
    ----------
    songs : DataFrame
        ``song`` (unique), ``seconds``, ``album``, and optionally ``fold`` and ``group``. Songs too
        short for two places, of 42 s and less, are left out.
    gap_s : float
        From the end of A to the start of B in a true pair, 0 to 2.
    n_places : int
        Of each song; even.
    control : bool
        A ends anywhere: the "true" B is a random place like the false one, of the same kind (its
        ``source``), and nothing can tell them apart. What scores other than 0.5 leaks.
    random_state : int

    Returns
    -------
    DataFrame
        :data:`COLUMNS`; ``label`` 1 where B follows. ``group_song`` and ``group_album`` are A's.

    Raises
    ------
    ValueError
        A number is out of its range.
    DataError
        A column is missing, or a song stands there twice.

    Examples
    --------
    >>> songs = pd.DataFrame({"song": list("abcd"), "seconds": 90.0, "album": list("xxyy")})
    >>> pairs = draw_splices(songs, n_places=2)
    >>> pairs["source"].value_counts().to_dict()
    {'splice': 8, 'other album': 8, 'same album': 8, 'other place': 8}
    >>> true = pairs[pairs["label"] == 1]
    >>> set((true["start"] - true["end"]).round(9))
    {0.5}
    """
    _require(songs, ["song", "seconds", "album"])
    if not 0 <= gap_s <= LONGEST_GAP_S:
        raise ValueError(f"gap_s: expected 0 to {LONGEST_GAP_S}, found {gap_s}")
    if n_places < 2 or n_places % 2:
        raise ValueError(f"n_places: expected an even number from 2, found {n_places}")
    if songs["song"].duplicated().any():
        twice = songs["song"][songs["song"].duplicated()].iloc[0]
        raise DataError(f"songs: expected each song once, found {twice!r} twice")
    rng = np.random.default_rng(random_state)
    known = _complete(songs[songs["seconds"] > 2 * PIECE_S + LONGEST_GAP_S + APART_S])
    seconds = known["seconds"].to_numpy(float)
    starts = _draw_places(seconds, n_places, rng)
    ends = (_draw_places(seconds, n_places, rng) if control else starts) - gap_s
    parts = []
    for place in range(n_places):
        end = ends[:, place]
        if not control:
            start = starts[:, place]
            parts.append(_lay_out(known, known, end, start, label=1, source="splice"))
        for kind in KINDS:
            others = [_draw_others(known, kind, rng) for _ in range(2)]
            for label in (1, 0) if control else (0,):
                rows, at = (
                    others[label],
                    place ^ 1 if kind == "other place" and not label else place,
                )
                other = known.iloc[rows]
                part = _lay_out(known, other, end, starts[rows, at], label=label, source=kind)
                parts.append(part[_differ(known, other, kind)])
    return pd.concat(parts, ignore_index=True)


def draw_alike(
    songs: pd.DataFrame, by: str = "album", *, n_pairs: int = 1000, random_state: int = 0
) -> pd.DataFrame:
    """Draw pairs of songs that share an album or a genre, and as many that do not.

    Parameters
    ----------
    songs : DataFrame
        ``song``, ``seconds``, `by`, and optionally ``album``, ``fold`` (both songs are of one) and
        ``group`` (two copies are no pair).
    by : str
        A column, such as "album" or "genre".
    n_pairs : int
        At most so many of either label, each pair once.
    random_state : int

    Returns
    -------
    DataFrame
        :data:`COLUMNS`; whole songs: A's ``end`` is its length, B's ``start`` 0. ``source`` is
        "same" or "other" and `by`.

    Raises
    ------
    DataError
        A column is missing.

    Examples
    --------
    >>> songs = pd.DataFrame({"song": list("abcd"), "seconds": 90.0, "genre": list("xxyy")})
    >>> draw_alike(songs, "genre", n_pairs=2)[["a", "b", "label"]].to_numpy().tolist()
    [['a', 'b', 1], ['c', 'd', 1], ['a', 'd', 0], ['b', 'd', 0]]
    """
    _require(songs, ["song", "seconds", by])
    rng = np.random.default_rng(random_state)
    known = _complete(songs if "album" in songs else songs.assign(album=songs[by]))
    first, second = np.triu_indices(len(known), 1)
    keep = known["fold"].to_numpy()[first] == known["fold"].to_numpy()[second]
    keep &= known["group"].to_numpy()[first] != known["group"].to_numpy()[second]
    first, second = first[keep], second[keep]
    same = known[by].to_numpy()[first] == known[by].to_numpy()[second]
    parts = []
    for label in (1, 0):
        rows = np.flatnonzero(same == bool(label))
        rows = np.sort(rng.choice(rows, min(n_pairs, len(rows)), replace=False))
        a, b = known.iloc[first[rows]], known.iloc[second[rows]]
        source = f"{'same' if label else 'other'} {by}"
        parts.append(_lay_out(a, b, a["seconds"].to_numpy(), 0.0, label=label, source=source))
    return pd.concat(parts, ignore_index=True)


def _require(songs: pd.DataFrame, columns: list[str]) -> None:
    if missing := [name for name in columns if name not in songs]:
        raise DataError(
            f"songs: expected a column {missing[0]!r}, found {', '.join(map(str, songs))}"
        )


def _complete(songs: pd.DataFrame) -> pd.DataFrame:
    """Give songs a group of their own and one fold where the table does not say them."""
    songs = songs.reset_index(drop=True)
    songs = songs if "fold" in songs else songs.assign(fold=0)
    return songs if "group" in songs else songs.assign(group=songs["song"])


def _draw_places(
    seconds: npt.NDArray[np.float64], n_places: int, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Draw couples of places that are far enough apart, either of them first."""
    least = PIECE_S + LONGEST_GAP_S
    free = (seconds - PIECE_S - least - APART_S)[:, None, None]
    couples = np.sort(rng.random((len(seconds), n_places // 2, 2)), axis=2) * free + least
    couples[:, :, 1] += APART_S
    return rng.permuted(couples, axis=2).reshape(len(seconds), n_places)


def _draw_others(songs: pd.DataFrame, kind: str, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Return for each song the one that the false B is of, itself where there is none.

    A rotation, so that each song is the other one once.
    """
    others = np.arange(len(songs))
    if kind == "other place":
        return others
    columns = ["fold", "album"] if kind == "same album" else ["fold"]
    draw = songs.assign(draw=rng.random(len(songs)))
    for _, part in draw.groupby(columns, sort=True):
        rows = part.sort_values(["album", "draw"], kind="stable").index.to_numpy()
        largest = part["album"].value_counts().iloc[0]
        least, most = (1, len(rows)) if kind == "same album" else (largest, len(rows) - largest + 1)
        others[rows] = np.roll(rows, int(rng.integers(least, most)) if least < most else least)
    return others


def _lay_out(
    a: pd.DataFrame,
    b: pd.DataFrame,
    end: npt.ArrayLike,
    start: npt.ArrayLike,
    *,
    label: int,
    source: str,
) -> pd.DataFrame:
    return pd.DataFrame({
        "a": a["song"].to_numpy(), "b": b["song"].to_numpy(), "end": end, "start": start,
        "label": label, "source": source, "group_song": a["group"].to_numpy(),
        "group_album": a["album"].to_numpy(), "fold": a["fold"].to_numpy(),
    })  # fmt: skip


def _differ(a: pd.DataFrame, b: pd.DataFrame, kind: str) -> npt.NDArray[np.bool_]:
    """Tell which pairs are of a kind: a song that has no other one has none of it."""
    names = {"other place": [], "same album": ["group"], "other album": ["group", "album"]}[kind]
    apart = [a[name].to_numpy() != b[name].to_numpy() for name in names]
    return np.logical_and.reduce(apart, initial=True) & np.ones(len(a), dtype=bool)
