"""Can B be played right after A? How likely, why, and as the cost of a playlist's order.

Used by notebook ``06_chainable``, and open to all as :func:`aares.chaining.chainable`. A song is
judged by its last and its first seconds only (:mod:`.edges`), the way a listener meets the next
one. The model that the project ships was learnt from splices (:mod:`.pairs`): it says how likely B
is the music that goes on where A ended, where half of all joins are of this kind. Two different
songs seldom come near a half; which of them come nearest is what it tells.

Conventions: the judgement is directed, that of B before A is another. Songs are files, or arrays of
mono samples with their rate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares.audio.segments import read_segment
from aares.chaining.edges import RATE_HZ, Edge, describe_end, describe_start
from aares.chaining.join_model import JoinModel, load_join_model
from aares.chaining.join_reasons import Reason, tell_reasons
from aares.chaining.joins import GAP_S, measure_joins
from aares.errors import AudioError, DataError

FloatArray = npt.NDArray[np.float64]
Song = str | Path | npt.NDArray[np.floating]


class SongEdges(NamedTuple):
    """Both edges of a song."""

    start: Edge
    end: Edge


@dataclass(frozen=True)
class Chainable:
    """Whether B can follow A.

    Attributes
    ----------
    probability : float
        0-1.
    reasons : tuple of Reason
        The three that weigh most, the heaviest first.
    """

    probability: float
    reasons: tuple[Reason, ...]


def chainable(
    a: Song,
    b: Song,
    *,
    sr: int | None = None,
    gap_s: float = GAP_S,
    symmetric: bool = False,
    model: JoinModel | None = None,
) -> Chainable:
    """Say how likely a song can follow another one, and why.

    Parameters
    ----------
    a, b : str, Path or ndarray of float, shape (n,)
        Files or samples; `a` is played first.
    sr : int, optional
        Rate of samples in Hz, and needed for them.
    gap_s : float
        Pause between the two, 0 to 2.5 s; the shipped model was learnt from 0.5 and 2 s.
    symmetric : bool
        Judge the pair, whichever is played first: the mean of both ways. The reasons are told of
        `a` before `b`.
    model : JoinModel, optional
        Default: the one that the project ships.

    Returns
    -------
    Chainable

    Raises
    ------
    AudioError
        A song cannot be read, is silent, not finite, or shorter than 5 s.
    ValueError
        Samples without a rate, or a gap out of its range.

    Examples
    --------
    A chord after itself, and noise after the chord:

    >>> t = np.arange(10 * 8000) / 8000
    >>> chord = sum(np.sin(2 * np.pi * hz * t) for hz in (262, 330, 392)) / 4
    >>> noise = np.random.default_rng(0).standard_normal(len(t)) / 4
    >>> same, other = chainable(chord, chord, sr=8000), chainable(chord, noise, sr=8000)
    >>> same.probability > other.probability, len(other.reasons)
    (True, 3)
    """
    model = model or load_join_model()
    first, second = (describe_song(x, sr=sr) for x in (a, b))
    ways = [(first, second), (second, first)] if symmetric else [(first, second)]
    joins = np.vstack([measure_joins([x.end], [y.start], [(0, 0)], gap_s=gap_s) for x, y in ways])
    reasons = tell_reasons(joins[0], model.explain(joins).mean(axis=0))
    return Chainable(float(model.predict_proba(joins).mean()), tuple(reasons))


def describe_song(song: Song, *, sr: int | None = None) -> SongEdges:
    """Describe both edges of a song.

    Parameters
    ----------
    song : str, Path or ndarray of float, shape (n,)
        Of a file, only its first and its last half minute are decoded.
    sr : int, optional
        Rate of samples in Hz.

    Returns
    -------
    SongEdges

    Raises
    ------
    AudioError
        The song cannot be read, is silent, not finite, or shorter than 5 s.
    ValueError
        Samples without a rate.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(6 * 8000) / 4
    >>> describe_song(noise, sr=8000).end.cells.shape
    (99, 40)
    """
    intro, outro = (read_segment(song, x, sr=sr, rate=RATE_HZ).y for x in ("intro", "outro"))
    try:
        return SongEdges(describe_start(intro), describe_end(outro))
    except AudioError as error:
        name = "samples" if isinstance(song, np.ndarray) else Path(song).name
        raise AudioError(f"{name}: {error}") from error


def measure_transition_costs(
    songs: Sequence[SongEdges],
    *,
    gap_s: float = GAP_S,
    symmetric: bool = False,
    model: JoinModel | None = None,
) -> FloatArray:
    """Return what it costs to play each song right after each other one.

    Parameters
    ----------
    songs : sequence of SongEdges
    gap_s : float
    symmetric : bool
    model : JoinModel, optional
        See :func:`chainable`.

    Returns
    -------
    ndarray of float, shape (n, n)
        Minus the logarithm of the probability that song `j` goes on where song `i` ended, 0 to 30,
        so that the cheapest order is the most likely one; 0 from a song to itself.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> songs = [describe_song(rng.standard_normal(5 * 8000) / 9, sr=8000) for _ in range(3)]
    >>> costs = measure_transition_costs(songs)
    >>> costs.shape, costs.diagonal().tolist(), bool((costs >= 0).all())
    ((3, 3), [0.0, 0.0, 0.0], True)
    """
    n = len(songs)
    pairs = np.argwhere(~np.eye(n, dtype=bool))
    joins = measure_joins(
        [song.end for song in songs], [song.start for song in songs], pairs, gap_s=gap_s
    )
    likely = np.ones((n, n))
    likely[pairs[:, 0], pairs[:, 1]] = (model or load_join_model()).predict_proba(joins)
    if symmetric:
        likely = (likely + likely.T) / 2
    return np.asarray(-np.log(likely)).round(9) + 0.0


def transition_cost(
    sounds: Mapping[str, Song] | None = None,
    *,
    sr: int | None = None,
    gap_s: float = GAP_S,
    symmetric: bool = False,
    model: JoinModel | None = None,
) -> Callable[[pd.DataFrame], FloatArray]:
    """Make the cost by which :func:`.lists.arrange.order_playlist` orders songs by their joins.

    Parameters
    ----------
    sounds : mapping of str to Song, optional
        What is heard of a song whose ``path`` is a key here; other paths are files.
    sr : int, optional
        Of samples in `sounds`.
    gap_s : float
    symmetric : bool
    model : JoinModel, optional
        See :func:`chainable`.

    Returns
    -------
    callable
        Of a table of songs with a column ``path``; returns
        :func:`measure_transition_costs`. Each song is read once, at once where it is in `sounds`,
        else when it is first asked for.

    Raises
    ------
    AudioError
        A song cannot be read, see :func:`chainable`.
    DataError
        The table has no column ``path``, or an empty cell there.

    Examples
    --------
    >>> from aares.recommend.lists.arrange import order_playlist
    >>> rng = np.random.default_rng(0)
    >>> sounds = {name: rng.standard_normal(5 * 8000) * level for name, level in
    ...           {"soft": 0.01, "loud": 0.3, "middle": 0.05}.items()}
    >>> cost = transition_cost(sounds, sr=8000)
    >>> songs = pd.DataFrame({"path": list(sounds)})
    >>> order_playlist(songs, cost=cost, start=0, end=1).tolist()
    [0, 2, 1]
    """
    known = {str(path): describe_song(x, sr=sr) for path, x in (sounds or {}).items()}
    model = model or load_join_model()

    def _measure(songs: pd.DataFrame) -> FloatArray:
        paths = _read_paths(songs)
        for path in paths:
            if path not in known:
                known[path] = describe_song(path)
        edges = [known[path] for path in paths]
        return measure_transition_costs(edges, gap_s=gap_s, symmetric=symmetric, model=model)

    return _measure


def _read_paths(songs: pd.DataFrame) -> list[str]:
    if not isinstance(songs, pd.DataFrame) or "path" not in songs:
        found = ", ".join(map(str, songs)) if isinstance(songs, pd.DataFrame) else type(songs)
        raise DataError(f"songs: expected a table with a column 'path', found {found}")
    if songs["path"].isna().any():
        row = int(np.flatnonzero(songs["path"].isna())[0])
        raise DataError(f"songs: expected a path in each row, found none in row {row}")
    return [str(path) for path in songs["path"]]
