"""Whether the playlists of 5,000 random seeds keep the rules, read by other rules.

Seeds are drawn by ``default_rng(0)`` from the songs to recommend from; each gives a playlist of ten
with the options as they are. Counted are seeds that are returned, playlists with more than two
songs of a credited artist, short ones, a title twice with a shared artist (with the seed), the same
sound twice (duration within 3 s, tempo within 0.5, six features within 0.02; with the seed), and
spoken items for a seed that is music. The library's code for titles, recordings and speech is not
asked: :mod:`recommendation.independent` reads the table anew. Where nothing was found, the upper
bound of the share is 3 / n (95 %). The reasons of the first 1,000 playlists are read sentence by
sentence (:mod:`recommendation.sentences`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares.data import DataSource
from recommendation.independent import (
    Rows,
    bound_count,
    cut_title,
    draw_seeds,
    fit_recommender,
    make_playlists,
    read_credits,
    tell_spoken,
)
from recommendation.sentences import judge_reasons

SOUND = ("danceability", "energy", "valence", "acousticness", "speechiness", "liveness")
SIZE = 10
LISTED = 5
N_READ = 1000  # playlists whose reasons are read


def measure(source: DataSource, *, tuning: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the counts of broken rules, with examples of a sound that stands twice."""
    songs, recommender = fit_recommender(source)
    seeds = draw_seeds(len(songs), tuning=tuning)
    rows, lists = make_playlists(recommender, songs, seeds, n=SIZE)
    found = check_playlists(songs, seeds, rows)
    yield "playlists", {name: bound_count(hits) for name, hits in found.items()}
    yield "examples", list_examples(songs, seeds, rows, found)
    told = slice(N_READ)
    yield "reasons", judge_reasons(songs, seeds[told], lists[told], rows[told])


def check_playlists(
    songs: pd.DataFrame, seeds: Sequence[int] | Rows, rows: Sequence[Rows], *, size: int = SIZE
) -> dict[str, npt.NDArray[np.bool_]]:
    """Return for each rule which playlists break it; spoken items: of the music seeds only.

    Parameters
    ----------
    songs : DataFrame
    seeds : sequence of int, shape (n,)
        Row of each playlist's seed.
    rows : sequence of ndarray of int, shape (n,)
        Rows of each playlist's songs.
    size : int
        Songs that were asked for.

    Returns
    -------
    dict of str to ndarray of bool
    """
    credits, spoken = read_credits(songs), tell_spoken(songs).to_numpy()
    titles = songs["name"].map(cut_title).to_numpy()
    pairs = list(zip(seeds, rows, strict=True))
    music = [(seed, chosen) for seed, chosen in pairs if spoken[seed] == "music"]
    checks = {
        "seed returned": [seed in chosen for seed, chosen in pairs],
        "more than two of an artist": [
            max(Counter(name for row in chosen for name in credits[row]).values(), default=0) > 2
            for _, chosen in pairs
        ],
        "short": [len(set(chosen.tolist())) < size for _, chosen in pairs],
        "title twice": [bool(find_same_titles([s, *rest], titles, credits)) for s, rest in pairs],
        "same sound twice": [bool(find_same_sound(songs, [s, *rest])) for s, rest in pairs],
        "spoken for music": [bool((spoken[chosen] == "spoken").any()) for _, chosen in music],
    }
    return {name: np.array(hits, dtype=bool) for name, hits in checks.items()}


def list_examples(
    songs: pd.DataFrame,
    seeds: Rows,
    rows: Sequence[Rows],
    found: Mapping[str, npt.NDArray[np.bool_]],
) -> dict[str, list[str]]:
    """Name a few pairs of songs that are one by their title, or by their sound."""
    titles, credits = songs["name"].map(cut_title).to_numpy(), read_credits(songs)
    finders = {
        "title twice": lambda chosen: find_same_titles(chosen, titles, credits),
        "same sound twice": lambda chosen: find_same_sound(songs, chosen),
    }
    return {
        name: [
            describe_pair(songs, find([seeds[one], *rows[one]])[0])
            for one in np.flatnonzero(found[name])[:LISTED]
        ]
        for name, find in finders.items()
    }


def find_same_titles(
    rows: Sequence[int], titles: npt.NDArray[Any], credits: Sequence[frozenset[str]]
) -> list[tuple[int, int]]:
    """Return the pairs of songs that have one title and an artist in common."""
    return [
        (one, two)
        for one, two in combinations(rows, 2)
        if titles[one] == titles[two] and credits[one] & credits[two]
    ]


def find_same_sound(songs: pd.DataFrame, rows: Sequence[int]) -> list[tuple[int, int]]:
    """Return the pairs of songs that cannot be told apart by duration, tempo and six features."""
    columns = ["duration_ms", "tempo", *SOUND]
    values = songs[columns].to_numpy(dtype=float)[list(rows)]
    limits = np.array([3000, 0.5, *[0.02] * len(SOUND)])
    same = (np.abs(values[:, None] - values[None]) <= limits).all(axis=2)
    return [(rows[i], rows[j]) for i, j in zip(*np.nonzero(np.triu(same, 1)), strict=True)]


def describe_pair(songs: pd.DataFrame, pair: tuple[int, int]) -> str:
    """Name two songs."""
    names = [f"{songs['name'].iloc[row]} ({', '.join(songs['artists'].iloc[row])})" for row in pair]
    return " = ".join(names)
