"""The invented artists behind the demo tables: class, micro-genres, style, effect on features."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tools.demo_model import CLASSES, COLUMNS, label_genres

KNOWN_ARTISTS = 0.25  # artists of the subset that stand in the recommendation table too
MICRO_PRIOR = 20  # songs that the overall shares of styles weigh within a micro-genre
RAKING_STEPS = 5


@dataclass
class World:
    """The artists that all tables share, and the aggregates that they are drawn from."""

    model: dict[str, np.ndarray]
    rng: np.random.Generator
    classes: list[str] = field(default_factory=list)
    genres: list[list[str]] = field(default_factory=list)
    effects: list[np.ndarray] = field(default_factory=list)
    styles: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)


def style_shares(world: World, artists: np.ndarray) -> np.ndarray:
    """Return how likely each style is for each artist, given class and micro-genres.

    The shares are raked, so that over the artists of a class they add up to those of the class.
    """
    model = world.model
    place = np.array([CLASSES.index(world.classes[i]) for i in artists])
    of_class = model["main_styles"] / np.maximum(model["main_styles"].sum(axis=1), 1)[:, None]
    shares = of_class[place]
    for row, artist in enumerate(artists):
        words = np.searchsorted(model["words"], world.genres[artist])
        if len(words):
            seen = model["micro_styles"][words] + MICRO_PRIOR * of_class[place[row]]
            shares[row] = (seen / seen.sum(axis=1, keepdims=True)).mean(axis=0)
    for _ in range(RAKING_STEPS):
        for label in np.unique(place):
            rows = place == label
            shares[rows] *= of_class[label] / np.maximum(shares[rows].mean(axis=0), 1e-9)
        shares /= shares.sum(axis=1, keepdims=True)
    return shares


def pick_each(shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one column for each row, with the row's shares as chances."""
    draws = (shares.cumsum(axis=1) < rng.random((len(shares), 1))).sum(axis=1)
    return np.minimum(draws, shares.shape[1] - 1)


def add_artists(world: World, count: int, shares: np.ndarray, block: str) -> np.ndarray:
    """Add artists to the world, or reuse some for the recommendation table; return numbers."""
    rng = world.rng
    labels = np.array(CLASSES)[rng.choice(len(CLASSES), size=count, p=shares)]
    numbers = np.arange(count) + len(world.classes)
    if block == "rec":
        known = _pick_known(world, count // 4)
        numbers = np.r_[known, numbers[: count - len(known)]]
        labels = labels[len(known) :]
    fresh = np.arange(len(labels)) + len(world.classes)
    world.classes += [str(label) for label in labels]
    world.genres += [draw_genres(world, str(label)) for label in labels]
    if block == "rec":
        world.styles += [CLASSES.index(label) for label in labels]
    else:
        world.styles += pick_each(style_shares(world, fresh), rng).tolist()
    world.effects += list(draw_artist_effects(world, fresh, f"{block}_correlations"))
    return rng.permutation(numbers)


def _pick_known(world: World, most: int) -> np.ndarray:
    """Pick artists of the other tables whose class the recommendation table has too."""
    share = int(KNOWN_ARTISTS * len(world.classes))
    picks = world.rng.permutation(len(world.classes))[:share]
    usable = [i for i in picks if world.classes[i] not in ("none", "empty")]
    return np.array(usable[:most], dtype=int)


def draw_genres(world: World, label: str) -> list[str]:
    """Draw an alphabetical list of micro-genres whose label, by the course's rule, is `label`."""
    if label in ("empty", "spoken"):
        return []
    model, rng = world.model, world.rng
    position = CLASSES.index(label)
    start = model["by_class"][position].astype(float)
    lengths = model["lengths"][position]
    wanted = None if label == "none" else label
    while True:
        size = int(rng.choice(len(lengths), p=lengths / lengths.sum()))
        genres = _grow_list(world, start, max(size, 1))
        if label_genres(genres) == wanted:
            return genres


def _grow_list(world: World, start: np.ndarray, size: int) -> list[str]:
    near = _neighbours(world)
    chosen = [int(world.rng.choice(len(start), p=start / start.sum()))]
    while len(chosen) < size:
        weights = np.prod([near[i] + 0.02 for i in chosen], axis=0) ** (1 / len(chosen)) - 0.02
        weights = np.maximum(weights, 0) * (start + 0.01)
        weights[chosen] = 0
        if weights.sum() <= 0:
            break
        chosen.append(int(world.rng.choice(len(start), p=weights / weights.sum())))
    return sorted(str(world.model["words"][i]) for i in chosen)


def _neighbours(world: World) -> np.ndarray:
    if "near" not in world.model:
        size = len(world.model["words"])
        near = np.zeros((size, size), dtype=np.float32)
        first, second = world.model["pairs"].astype(int).T
        near[first, second] = near[second, first] = world.model["pair_counts"]
        use = np.sqrt(world.model["by_class"].sum(axis=0).astype(np.float32))
        world.model["near"] = near / np.outer(use, use)
    return world.model["near"]


def draw_artist_effects(world: World, artists: np.ndarray, matrices: str) -> np.ndarray:
    """Return the artists' normal scores: what their micro-genres explain, and the rest."""
    model = world.model
    roots = np.linalg.cholesky(model[matrices].astype(float))[np.array(world.styles)[artists]]
    noise = world.rng.standard_normal((len(artists), len(COLUMNS)))
    noise = np.einsum("nij,nj->ni", roots, noise)
    known = np.zeros_like(noise)
    for row, artist in enumerate(artists):
        words = np.searchsorted(model["words"], world.genres[artist])
        known[row] = model["micro_effects"][words].astype(float).sum(axis=0)
    known /= np.sqrt(np.maximum(model["effects"][0], 0.02))
    classes = np.array(world.classes)[artists]
    known -= pd.DataFrame(known).groupby(classes).transform("mean").to_numpy()
    known = np.clip(known, -0.9, 0.9)
    return known + np.sqrt(1 - known**2) * noise
