"""Does human order carry information? Lists of songs that people made, in their order.

``ordered``: 5,000 ordered playlists of anonymous songs, without near copies. The song after another
is held against one of the same playlist that does not touch it, and against one of another
playlist: share of the same artist, and how often it scores higher (an AUC given the first song) by
the cosine of the other playlists, or as the song's neighbour there; with and without pairs of one
artist. ``by gap``: the same artist, so many places later. ``spotify``: playlists without a stated
order; rows beside each other, by audio features. ``mixes``: track lists of DJ mixes, where
``AARES_DJMIX`` names the folder that

    pip download --no-deps --dest FOLDER djmix

has put its wheel into (no licence is stated: read there, never kept here). ``recurrence``: whether
lists agree on who stands beside whom and on who comes first, against the same lists shuffled.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aares import data
from aares.chaining import sequences
from aares.data.listening import ORDERED
from aares.data.sources import DataSource
from aares.errors import DataError

PARTNERS = sequences.KINDS
PAIRS = (("next", "same"), ("same", "other"), ("next", "other"))
GAPS = (1, 2, 3, 5, 10, 20)
N_DRAWS = 5
AUDIO = [
    "danceability", "energy", "loudness", "speechiness", "acousticness", "instrumentalness",
    "liveness", "valence", "tempo",
]  # fmt: skip


def measure(source: DataSource, *, tuning: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the sections one by one; there is nothing to tune."""
    if (source.users / ORDERED).is_file():
        listening = data.load_ordered(source)
        artists = listening.songs.set_index("id")["artist"]
        yield "ordered", judge_order(listening.plays, artists)
        yield "by gap", follow_gaps(listening.plays, artists)
        yield "recurrence, ordered", judge_recurrence(listening.plays, artists)
    yield "spotify", judge_features(data.load_listening(source))
    if os.environ.get("AARES_DJMIX"):
        mixes = read_mixes(Path(os.environ["AARES_DJMIX"]))
        yield "mixes", judge_order(mixes, None)
        yield "recurrence, mixes", judge_recurrence(mixes, None)


def judge_order(plays: pd.DataFrame, artists: pd.Series | None) -> dict[str, Any]:
    """Compare neighbours with others by artist and by the other lists; copies are left out."""
    kept = sequences.drop_near_copies(plays)
    read = sequences.read_sequences(kept)
    found: dict[str, Any] = {
        "n_lists": int(kept["user_id"].nunique()),
        "n_near_copies": int(plays["user_id"].nunique() - kept["user_id"].nunique()),
    }
    draws = []
    for seed in range(N_DRAWS):
        triples = sequences.draw_triples(read, random_state=seed)
        draws.append(judge_triples(read, triples, artists))
    found["n_triples"] = len(triples)
    return found | average(draws)


def judge_triples(
    read: sequences.Sequences, triples: pd.DataFrame, artists: pd.Series | None
) -> dict[str, Any]:
    """Return the shares of one draw."""
    scores = sequences.score_by_lists(read, triples)
    found: dict[str, Any] = {}
    subsets = {"all": np.ones(len(triples), dtype=bool)}
    if artists is not None:
        name = artists.loc[read.songs].to_numpy()
        same = {kind: name[triples["a"]] == name[triples[kind]] for kind in PARTNERS}
        found["same artist"] = {kind: float(hits.mean()) for kind, hits in same.items()}
        subsets["different artists"] = ~np.any(list(same.values()), axis=0)
    for subset, rows in subsets.items():
        groups = triples["group"].to_numpy()[rows]
        found[subset] = {name: compare(table[rows], groups) for name, table in scores.items()}
    return found


def average(draws: list[Any]) -> Any:
    """Average numbers of the same place, the ends of intervals too."""
    first = draws[0]
    if isinstance(first, dict):
        return {name: average([draw[name] for draw in draws]) for name in first}
    if isinstance(first, tuple):
        return [average([draw[place] for draw in draws]) for place in range(len(first))]
    return round(float(np.mean(draws)), 4)


def follow_gaps(plays: pd.DataFrame, artists: pd.Series) -> dict[str, Any]:
    """Return how often the song so many places later is by the same artist."""
    read = sequences.read_sequences(sequences.drop_near_copies(plays))
    name = artists.loc[read.songs].to_numpy()[read.song]
    shares = {}
    for gap in GAPS:
        entry = read.find_neighbours(gap)
        if len(entry):
            shares[str(gap)] = round(float((name[entry] == name[entry + gap]).mean()), 4)
    return {"same artist": shares}


def judge_recurrence(plays: pd.DataFrame, artists: pd.Series | None) -> dict[str, Any]:
    """Ask whether lists agree on neighbours; with copies and pairs of one artist, and without."""
    read = sequences.read_sequences(sequences.drop_near_copies(plays))
    found = {
        "all": sequences.measure_recurrence(sequences.read_sequences(plays)),
        "without copies": sequences.measure_recurrence(read),
    }
    if artists is not None:
        labels = artists.loc[read.songs].to_numpy()
        found["different artists"] = sequences.measure_recurrence(read, labels=labels)
    return {
        name: {key: round(value, 4) for key, value in asdict(recurrence).items()}
        for name, recurrence in found.items()
    }


def judge_features(listening: data.Listening) -> dict[str, Any]:
    """Compare rows beside each other by the distance of their audio features."""
    place = listening.plays.groupby("user_id").cumcount()
    read = sequences.read_sequences(listening.plays.assign(place=place))
    songs = listening.songs.set_index("id").loc[read.songs]
    values = songs[[name for name in AUDIO if name in songs]].to_numpy(float)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    draws, artist = [], songs["artist"].to_numpy()
    for seed in range(N_DRAWS):
        triples = sequences.draw_triples(read, random_state=seed)
        a, groups = triples["a"], triples["group"].to_numpy()
        far = {kind: np.abs(values[a] - values[triples[kind]]).sum(axis=1) for kind in PARTNERS}
        same = {kind: artist[a] == artist[triples[kind]] for kind in PARTNERS}
        rows = ~np.any(list(same.values()), axis=0)
        draws.append(
            {
                "same artist": {kind: float(hits.mean()) for kind, hits in same.items()},
                "all": compare(-pd.DataFrame(far), groups),
                "different artists": compare(-pd.DataFrame(far)[rows], groups[rows]),
            }
        )
    return {"lists": listening.source_name, "n_triples": len(triples), **average(draws)}


def compare(scores: pd.DataFrame, groups: np.ndarray) -> dict[str, tuple[float, float, float]]:
    """Return for each pair of partners how often the first scores higher, with its interval."""
    return {
        f"{winner} against {loser}": sequences.estimate_win_share(scores, groups, winner, loser)
        for winner, loser in PAIRS
    }


def read_mixes(folder: Path) -> pd.DataFrame:
    """Read the track lists of the wheel; tracks without an id leave a gap."""
    wheels = sorted(folder.glob("djmix-*.whl"))
    if not wheels:
        raise DataError(
            f"{folder.name}: expected a wheel djmix-*.whl, found none; "
            "pip download --no-deps --dest FOLDER djmix fetches it"
        )
    with zipfile.ZipFile(wheels[-1]) as wheel:
        mixes = json.loads(wheel.read("dataset/djmix-dataset.json"))
    rows = [
        (mix["id"], track["id"], place)
        for mix in mixes
        for place, track in enumerate(mix["tracklist"])
        if track.get("id")
    ]
    return pd.DataFrame(rows, columns=["user_id", "id", "place"])
