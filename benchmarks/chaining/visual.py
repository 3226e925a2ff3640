"""What is heard, what is seen, and both: does a picture of the sound know more than 27 numbers?

Songs of the albums without their copies (same album: the proxy for chainable), 0:30 to 1:30, and
the 60 clips (same genre), 0:00 to 0:15. Each representation answers the same pairs, by the study's
network (27 features of each kind) and by boosting, on random pairs, unseen songs and unseen groups,
ten draws of each; intervals by bootstrap of songs. Sections:

``albums_300`` the study's size, 212 pairs to learn from; ``albums_many`` 1,200; ``albums_long``
the same without songs under a minute, whose pictures are stretched; ``albums_chosen`` boosting on
300 features of each kind instead of 27; ``control`` albums whose songs were shuffled, where unseen
songs must give 0.5; ``families`` each family alone; ``clips`` genres; ``cost`` processor time a
song; ``cnn`` the features of a small network, where torch is installed; ``linear`` the same songs
on linear spectrograms.

The number of features was set beforehand: 27, as many as are heard. ``--tuning`` shows others, on
the clips. On the demo it runs with its 18 songs in a minute and shows how, not what.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile as sf
from joblib import Memory

from aares.audio.features import NAMES, extract_many
from aares.chaining.cnn import PictureNetwork
from aares.chaining.distances import fit_scale
from aares.chaining.draws import sample_split
from aares.chaining.families import FAMILIES
from aares.chaining.pictures import SEGMENT, paint_song
from aares.chaining.representations import (
    N_CHOSEN,
    N_DRAWS,
    choose_features,
    compare_representations,
    summarise_representations,
)
from aares.chaining.visual import describe_picture, extract_visual, list_features
from aares.exact import snap
from chaining.music import list_clips, list_renderings, load_albums
from workshop import config

KEPT = config.CACHE / "visual"
CLIP = "0:00-0:15"
DIGITS = 4
MINUTE_S = 60.0
MANY = {"n_train": 1200, "n_test": 400}
REST = ["is_short", "error"]
paint = Memory(KEPT, verbose=0).cache(paint_song)


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield sections of results, see the module's docstring."""
    clips = list_clips(source).rename(columns={"genre": "album"})
    if tuning:
        yield from try_counts(clips)
        return
    songs = list_renderings() if source.kind == "demo" else load_albums()
    groups, heard, seen = describe(songs, SEGMENT)
    both = {"audio": [heard], "visual": [seen], "both": [heard, seen]}
    yield "albums_300", compare(both, groups) | count(songs)
    yield "albums_many", compare(both, groups, **MANY)
    whole = np.array([sf.info(str(path)).duration >= MINUTE_S for path in songs["path"]])
    long = {name: [table[whole] for table in tables] for name, tables in both.items()}
    yield "albums_long", compare(long, groups[whole], **MANY)
    yield "albums_chosen", compare(both, groups, **MANY, n_chosen=300, names=["boosting"])
    yield "control", compare(both, shuffle(groups), **MANY, names=["boosting"])
    yield "families", compare_families(groups, seen)
    if len(clips):
        kinds, heard_clips, seen_clips = describe(clips, CLIP)
        tables = {"audio": [heard_clips], "visual": [seen_clips], "both": [heard_clips, seen_clips]}
        yield "clips", compare(tables, kinds)
    yield "cost", time_features(songs["path"].iloc[0])
    if importlib.util.find_spec("torch"):
        yield "cnn", compare_networks(songs, groups, heard, seen)
    linear = describe(songs, SEGMENT, scale="linear")[2]
    yield "linear", compare({"visual": [seen], "linear": [linear]}, groups, **MANY)


def describe(
    songs: pd.DataFrame, segment: str, **options: Any
) -> tuple[np.ndarray, pd.DataFrame, pd.DataFrame]:
    """Return the groups of songs, their 27 features that are heard, and those that are seen."""
    heard = extract_many(songs["path"], segment, cache=KEPT / "heard")
    seen = extract_visual(songs["path"], segment, cache=KEPT, progress=say, **options)
    wrong = [*heard["error"], *seen["error"]]
    assert not any(wrong), [error for error in wrong if error]
    return songs["album"].to_numpy(), heard[list(NAMES)], seen.drop(columns=REST)


def say(done: int, n: int) -> None:
    """Say how far the pictures are: they take minutes."""
    if done % 20 == 0:
        print(f"{done} of {n} songs described", flush=True)


def compare(
    tables: dict[str, list], groups: np.ndarray, *, splits: tuple[str, ...] = (), **options: Any
) -> dict[str, Any]:
    """Return the scores of representations as rows."""
    if splits:
        options["splits"] = splits
    answers = compare_representations(tables, groups, **options)
    table = summarise_representations(answers)
    return {"n_songs": len(groups), "n_groups": len(set(groups)), "options": options,
            "rows": table.round(DIGITS).to_dict("records")}  # fmt: skip


def count(songs: pd.DataFrame) -> dict[str, Any]:
    """Return how many songs each album has, and how many features are seen."""
    features = list_features()
    return {
        "songs": songs.groupby("album").size().to_dict(),
        "features": len(features),
        "features_without_hog": int((features["family"] != "hog").sum()),
    }


def shuffle(groups: np.ndarray) -> np.ndarray:
    """Return albums whose songs are others: nothing of an unseen one can be known."""
    return np.random.default_rng(0).permutation(groups)


def compare_families(groups: np.ndarray, seen: pd.DataFrame) -> dict[str, Any]:
    """Return the scores of each family alone, by boosting, on songs and albums that are new."""
    features = list_features()
    tables = {name: [seen.loc[:, (features["family"] == name).to_numpy()]] for name in FAMILIES}
    splits = ("unseen songs", "unseen groups")
    found = compare(tables, groups, splits=splits, names=["boosting"], **MANY)
    return found | {"chosen": count_chosen(groups, seen)}


def count_chosen(groups: np.ndarray, seen: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return of which families and transforms the 27 features of ten draws are."""
    features, values = list_features(), seen.to_numpy()
    chosen: list[int] = []
    for draw in range(N_DRAWS):
        rng = np.random.default_rng([1, draw])
        train, _ = sample_split(groups, "unseen songs", rng=rng, **MANY)
        songs = np.unique(np.concatenate([train.a, train.b]))
        points = snap(fit_scale(values[songs]).standardise(values))
        chosen += choose_features(points, train, N_CHOSEN).tolist()
    columns = features.iloc[chosen]
    return {name: columns[name].value_counts().to_dict() for name in ("family", "transform")}


def compare_networks(
    songs: pd.DataFrame, groups: np.ndarray, heard: pd.DataFrame, seen: pd.DataFrame
) -> dict[str, Any]:
    """Return the scores with features of a network that is trained on the training songs' albums.

    It sees the albums of the training songs, which the others know by pairs only.
    """
    pictures = [paint(path) for path in songs["path"]]

    def learn(rows: np.ndarray, seed: int) -> np.ndarray:
        network = PictureNetwork(random_state=seed)
        return network.fit([pictures[row] for row in rows], groups[rows]).transform(pictures)

    tables = {"audio": [heard], "cnn": [learn], "audio, cnn": [heard, learn]}
    return compare(tables, groups, n_draws=4, **MANY)


def try_counts(clips: pd.DataFrame) -> Iterator[tuple[str, dict]]:
    """Yield the scores with other numbers of features, on the clips."""
    genres, heard, seen = describe(clips, CLIP)
    tables = {"visual": [seen], "both": [heard, seen]}
    for n_chosen in (10, 27, 100, 300, 1000):
        yield f"chosen_{n_chosen}", compare(tables, genres, n_chosen=n_chosen)


def time_features(path: Path) -> dict[str, Any]:
    """Return the least of five times, in seconds of processor, that a song of a minute takes."""
    picture = paint_song(path)

    def least(run: Callable[[], Any]) -> float:
        times = []
        for _ in range(5):
            start = time.process_time()
            run()
            times.append(time.process_time() - start)
        return round(min(times), 3)

    cheap = [name for name in FAMILIES if name not in ("zernike", "moments", "gabor")]
    return {
        "paint_s": least(lambda: paint_song(path)),
        "describe_s": least(lambda: describe_picture(picture)),
        "describe_small_s": least(lambda: describe_picture(picture, shrink=4)),
        "describe_cheap_s": least(lambda: describe_picture(picture, shrink=4, families=cheap)),
        "note": "least of five; other work ran on the machine",
    }
