"""Shares and counts that ``demo_fit`` takes from the course's tables: dates, keys, structure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tools.demo_model import CATEGORIES, ERAS, FIRST_YEAR, LAST_YEAR, find_era

FIT_SEED = 20
SIZES = {"train": 6700, "subset": 3000, "recommendation": 12000}  # of the draws that are counted


def fit_kinds(frame: pd.DataFrame) -> np.ndarray:
    """Return the cumulated shares of the kinds of date for each era, shape (eras, 4)."""
    counts = np.full((ERAS, CATEGORIES["date_kind"]), 0.05)
    np.add.at(counts, (find_era(frame["year"].to_numpy()), frame["date_kind"].to_numpy()), 1)
    return np.cumsum(counts / counts.sum(axis=1, keepdims=True), axis=1)


def fit_keys(frame: pd.DataFrame) -> np.ndarray:
    """Return the shares of the 12 keys for each style and mode, shape (styles, 2, 12)."""
    counts = np.full((frame["style"].max() + 1, 2, 12), 1.0)
    np.add.at(
        counts, (frame["style"].to_numpy(), frame["mode"].to_numpy(), frame["key"].to_numpy()), 1
    )
    return (counts / counts.sum(axis=2, keepdims=True)).astype(np.float32)


def fit_dates(songs: pd.DataFrame, labelled: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return how many releases each day of each year has, shape (years, 366)."""
    releases = songs.drop_duplicates(["artist", "release_date"])
    dates = pd.concat([frame.loc[frame["date_kind"] == 0] for frame in (releases, labelled)])
    day = pd.to_datetime(dates["release_date"])
    counts = np.zeros((LAST_YEAR - FIRST_YEAR + 1, 366), dtype=np.uint16)
    np.add.at(counts, (day.dt.year - FIRST_YEAR, day.dt.dayofyear - 1), 1)
    return {"days": counts}


def fit_structure(tables: dict[str, pd.DataFrame]) -> dict[str, np.ndarray]:
    """Return how many albums an artist and how many songs an album has in each table."""
    found = {}
    sources = {
        "train": tables["subset"].sample(SIZES["train"], random_state=FIT_SEED),
        "subset": tables["subset"].sample(SIZES["subset"], random_state=FIT_SEED),
        "recommendation": tables["recommendation"].sample(
            SIZES["recommendation"], random_state=FIT_SEED
        ),
    }
    for name, frame in sources.items():
        songs = frame.groupby(["artist", "release_date"]).size()
        albums = songs.groupby("artist").size()
        found[f"{name}_albums"] = np.bincount(np.minimum(albums, 12), minlength=13)
        found[f"{name}_songs"] = np.bincount(np.minimum(songs, 10), minlength=11)
    found["guests"] = np.bincount(
        np.minimum(tables["recommendation"]["all_artists"].map(len), 6), minlength=7
    )
    return found


def fit_persistence(frame: pd.DataFrame) -> np.ndarray:
    """Return how likely a song keeps its album's style, and an album its artist's, shape (2,)."""
    artist, date, style = (frame[name].to_numpy() for name in ("artist", "release_date", "style"))
    shares = pd.crosstab(frame["class"], frame["style"], normalize="index")
    chance = frame["class"].map(np.square(shares).sum(axis=1)).to_numpy()
    pairs = [
        find_pairs(join_keys(artist, date)),
        find_pairs(artist, other=date),
    ]
    excess = [
        ((style[i] == style[j]).mean() - chance[i].mean()) / (1 - chance[i].mean())
        for i, j in pairs
    ]
    return np.sqrt(np.clip([excess[0], excess[1] / excess[0]], 0.01, 1))


def find_pairs(
    key: np.ndarray, *, other: np.ndarray | None = None, largest: int = 15
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of all pairs of rows that agree in `key` and differ in `other`."""
    left, right = [], []
    for rows in pd.Series(np.arange(len(key))).groupby(key).indices.values():
        if 1 < len(rows) <= largest:
            first, second = np.triu_indices(len(rows), 1)
            left.append(rows[first])
            right.append(rows[second])
    i, j = np.concatenate(left), np.concatenate(right)
    if other is None:
        return i, j
    apart = other[i] != other[j]
    return i[apart], j[apart]


def join_keys(artist: np.ndarray, date: np.ndarray) -> np.ndarray:
    """Return one key for each album: songs of one artist and one date."""
    return np.array([f"{a}|{b}" for a, b in zip(artist, date, strict=True)])
