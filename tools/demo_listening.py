"""Invent listeners of the recommendation table: long-tailed plays with clusters of taste.

The size of the tail follows aggregates of the HetRec 2011 Last.fm counts (Cantador et al., 2011).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tools.demo_model import COLUMNS

SONGS_PER_USER = 34  # mean number of songs of one listener
PLAYS_SIGMA = 0.8  # spread of log plays within one listener
HOMES = 3  # artists around which a listener's taste is centred
CONTRAST = 2.0  # how fast interest falls with the distance from a home artist
TASTE_COLUMNS = ("year", "energy", "acousticness", "valence")
BACKGROUND = 0.0002  # interest in everything else
FAME = 1.2  # how much a song's fame counts against taste
OTHER_CLASS = 0.02  # interest in artists of another class, at the same distance


def draw_listening(
    ids: np.ndarray,
    songs: pd.DataFrame,
    effects: np.ndarray,
    classes: np.ndarray,
    *,
    users: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Draw who plays which song how often.

    Parameters
    ----------
    ids : np.ndarray [shape=(n,), dtype=str]
        Ids of the songs.
    songs : pd.DataFrame
        Columns artist (a number) and popularity, in the order of `ids`.
    effects : np.ndarray [shape=(artists, columns)]
        Normal scores of each artist: closeness in them is closeness in style.
    classes : np.ndarray [shape=(artists,), dtype=str]
        Class of each artist.
    users : int
        Number of listeners.
    rng : np.random.Generator
        Source of randomness.

    Returns
    -------
    pd.DataFrame
        Columns user_id, id, plays (at least 1).
    """
    artist = songs["artist"].to_numpy()
    fame = _draw_fame(artist, songs["popularity"].to_numpy(), rng)
    effects = effects[:, [COLUMNS.index(name) for name in TASTE_COLUMNS]]
    rows = []
    for user in range(users):
        taste = _draw_taste(artist, fame, effects, classes, rng)
        count = int(np.clip(rng.lognormal(np.log(SONGS_PER_USER) - 0.08, 0.4), 8, 120))
        picks = _choose(taste, min(count, len(artist)), rng)
        plays = rng.lognormal(1.8 + 0.15 * np.log(taste[picks] / taste[picks].mean()), PLAYS_SIGMA)
        number = np.maximum(np.round(plays), 1).astype(int)
        rows.append(pd.DataFrame({"user_id": f"u{user:04d}", "id": ids[picks], "plays": number}))
    return pd.concat(rows, ignore_index=True)


def _draw_fame(artist: np.ndarray, popularity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return how likely a song is to be known at all: its popularity and its artist's luck."""
    luck = np.minimum(rng.gumbel(0, 1.0, artist.max() + 1), 3.5)
    return np.exp(0.06 * (popularity - popularity.mean()) + luck[artist])


def _draw_taste(
    artist: np.ndarray,
    fame: np.ndarray,
    effects: np.ndarray,
    classes: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return one listener's weight for each song: near a few home artists, in style and class."""
    homes = artist[_choose(np.sqrt(fame), HOMES, rng)]
    taste = np.full(len(artist), BACKGROUND)
    for home in homes:
        same_class = classes == classes[home]
        distance = np.square(effects - effects[home]).sum(axis=1)
        match = np.exp(-CONTRAST * distance) * np.where(same_class, 1.0, OTHER_CLASS)
        match[home] *= 6
        taste += match[artist] * rng.uniform(0.4, 1.6)
    return taste * fame**FAME


def _choose(weights: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw positions without repetition, with chances in proportion to the weights."""
    keys = np.log(weights) + rng.gumbel(size=len(weights))
    return np.argsort(-keys, kind="stable")[:count]
