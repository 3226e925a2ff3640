"""Do songs of an album sound alike? Copies, same-album pairs, and the tree of albums.

On the albums of free game music: their copies (by the fingerprint index) and jingles under 30 s are
left out. Same-album pairs: all pairs of a fold's songs, on three splits into four folds of unseen
songs, and on all choices of three of the seven albums as unseen ones; the intervals draw songs.
*Made equal* is without the songs' levels and above 6 kHz: what is left is not the mastering's
level or bandwidth. Halves of albums: 100 random halvings; the interval draws halvings and albums.
Shrinkages, and what is compared how, were chosen on other splits and halvings (``--tuning``); of
unseen albums there are no others: there the measures stand side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile as sf
from joblib import Memory
from sklearn.model_selection import StratifiedKFold

from aares.audio.features import NAMES, extract_many
from aares.audio.segments import read_segment
from aares.chaining.albums import (
    COMPARISONS,
    grow_album_tree,
    measure_albums,
    place_songs,
    score_halvings,
)
from aares.chaining.alike import MEASURES, SEEN_ONLY, score_measure, split_unseen_albums
from aares.chaining.copies import drop_copies
from aares.chaining.portraits import cut_bands, measure_bands, summarise
from aares.chaining.trees import METHODS
from aares.scores import Fold, bootstrap_crossed
from chaining.music import list_music, load_albums, read_copies
from workshop.config import CACHE, Workplace

SEGMENTS = ("whole", "0:30-1:30", "0:30-1:00")
LEAST_S = 30.0
N_SPLITS, N_HALVINGS, N_RESAMPLED = 3, 100, 300
CHOICES = [
    *((comparison, "ward") for comparison in COMPARISONS),
    ("whitened means", "average"), ("whitened means", "neighbours"),
]  # fmt: skip
memory = Memory(CACHE / "albums", verbose=0)


@memory.cache
def portray(path: str, size: int) -> dict[tuple[str, bool], dict[str, float]]:
    """Return a file's portraits for each segment, as it is and with level and bandwidth equal."""
    bands = measure_bands(read_segment(path, "whole").y)
    return {
        (segment, equal): summarise(cut_bands(bands, segment), equal=equal)
        for segment in SEGMENTS
        for equal in (False, True)
    }


def list_sizes(songs: pd.DataFrame) -> list[int]:
    """Return the bytes of each file: what is cached is of the file as it was."""
    return [Path(path).stat().st_size for path in songs["path"]]


def read_songs() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the songs of the albums without copies and jingles, and the copies."""
    kept = load_albums()
    kept["path"] = kept["path"].astype(str)
    seconds = np.array([sf.info(path).duration for path in kept["path"]])
    return kept[seconds >= LEAST_S].reset_index(drop=True), read_copies(list_music())


def tabulate(songs: pd.DataFrame, segment: str, *, equal: bool) -> pd.DataFrame:
    """Return the portraits of songs, a row for each."""
    sizes = list_sizes(songs)
    rows = [portray(path, size) for path, size in zip(songs["path"], sizes, strict=True)]
    return pd.DataFrame([row[segment, equal] for row in rows], index=songs["song"])


def measure(source: Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield what is measured; for tuning, on other folds and halvings."""
    songs, copies = read_songs()
    albums = songs["album"].tolist()
    yield "copies", {
        "songs": len(list_music()), "kept": len(drop_copies(list_music(), copies)),
        "kept_of_30_s": dict(Counter(albums)),
        "copies": copies.round({"share": 3}).to_dict("records"),
    }  # fmt: skip
    first = 1000 if tuning else 0
    yield from measure_trees(songs, albums, first)
    seen = [
        fold
        for draw in range(N_SPLITS)
        for fold in split_seen_albums(albums, random_state=first + draw)
    ]
    unseen = list(split_unseen_albums(albums))
    for name, X in list_tables(songs):
        yield f"same album, {name}", {
            measure: {
                "unseen songs": describe(score_measure(measure, X, albums, seen)),
                "unseen albums": None if measure in SEEN_ONLY
                else describe(score_measure(measure, X, albums, unseen)),
            }
            for measure in MEASURES
            if measure != "boosting" or "equal" not in name
        }  # fmt: skip


def list_tables(songs: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each table of features with its name: the study's 27, then the portraits."""
    study = extract_many(songs["path"], "0:30-1:00", cache=CACHE / "features")[list(NAMES)]
    yield "27 features, 0:30-1:00", study.to_numpy(float)
    for segment in SEGMENTS:
        for equal in (False, True):
            table = tabulate(songs, segment, equal=equal)
            name = f"{table.shape[1]} features, {segment}" + (", made equal" if equal else "")
            yield name, table.to_numpy(float)


def measure_trees(songs: pd.DataFrame, albums: list[str], first: int) -> Iterator[tuple[str, dict]]:
    """Yield halvings, the tree, the distances and the songs nearer to another album."""
    for segment in SEGMENTS:
        found = {}
        for equal in (False, True):
            X = tabulate(songs, segment, equal=equal).to_numpy()
            for comparison, method in CHOICES:
                joined = score_halvings(X, albums, comparison=comparison, method=method,
                                        n_draws=N_HALVINGS, random_state=first)  # fmt: skip
                way = f"{comparison}, {method}" + (", made equal" if equal else "")
                found[way] = {"joined first": describe(bootstrap_crossed(joined.to_numpy(float)))}
                found[way] |= {"albums": joined.mean().round(3).to_dict()}
        yield f"halves, {segment}", found
    X = tabulate(songs, "whole", equal=True).to_numpy()
    yield (
        "distances",
        {
            comparison: measure_albums(X, albums, comparison=comparison).round(4).to_dict()
            for comparison in COMPARISONS
        },
    )
    yield (
        "trees",
        {
            method: grow_album_tree(X, albums, method=method, n_draws=N_RESAMPLED).write_newick()
            for method in METHODS
        },
    )
    table = place_songs(X, albums, songs["song"].tolist())
    away = table[table["margin"] < 0]
    yield "songs nearer to another album", {
        "songs": len(table), "nearer to another": len(away),
        "between albums": away.groupby(["album", "nearest"]).size().map(int)
        .rename(lambda x: x).reset_index(name="songs").to_dict("records"),
        "farthest": away.head(20).round(3).to_dict("records"),
    }  # fmt: skip


def split_seen_albums(albums: list[str], *, random_state: int) -> list[Fold]:
    """Return four folds that each hold a quarter of the songs of every album."""
    split = StratifiedKFold(4, shuffle=True, random_state=random_state).split(albums, albums)
    return list(split)


def describe(estimate: tuple[float, float, float]) -> list[float]:
    """Return a figure and its interval with three digits."""
    return [round(float(value), 3) for value in estimate]
