"""Songs cut into pieces: what the measures of joins share.

Sounds, copies and features are kept in ``data/cache``, for one measure after another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile as sf

from aares.audio import load_audio
from aares.chaining.edges import RATE_HZ, Edge, describe_end, describe_start
from aares.chaining.joins import measure_joins
from aares.chaining.pairs import PIECE_S, split_songs
from aares.errors import AudioError
from chaining.music import list_renderings, load_albums
from workshop import config

N_FOLDS = 4
SOUNDS = config.CACHE / "sounds"


def load_songs() -> pd.DataFrame:
    """Return the albums' songs with their length and fold."""
    return complete(load_albums())


def load_demo() -> pd.DataFrame:
    """Return the project's own renderings as such songs."""
    return complete(list_renderings())


def complete(songs: pd.DataFrame) -> pd.DataFrame:
    """Add the length and the fold of songs."""
    songs["seconds"] = [sf.info(str(path)).duration for path in songs["path"]]
    return songs.assign(fold=split_songs(songs, N_FOLDS))


def load_sound(song: str, path: Path) -> np.ndarray:
    """Return a song at 22,050 Hz, decoded once."""
    kept = SOUNDS / (song.replace(" / ", " - ").replace("/", "_") + ".npy")
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, load_audio(path, sr=RATE_HZ))
    return np.load(kept, mmap_mode="r")


def measure_pairs(
    songs: pd.DataFrame,
    tables: Iterable[tuple[float, pd.DataFrame]],
    change: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the pairs whose pieces hold sound, and what is heard at their joins.

    Parameters
    ----------
    songs : DataFrame
    tables : iterable of (float, DataFrame)
        A gap, and pairs that were drawn with it.
    change : callable
        Of the samples of each piece, before it is described.
    """
    tables = list(tables)
    every = pd.concat([pairs for _, pairs in tables])
    length = int(PIECE_S * RATE_HZ)
    ends: dict[tuple[str, float], Edge] = {}
    starts: dict[tuple[str, float], Edge] = {}
    for song, path in zip(songs["song"], songs["path"], strict=True):
        y = load_sound(song, path)
        for at in sorted(set(every.loc[every["a"] == song, "end"])):
            cut = int(at * RATE_HZ)
            with suppress(AudioError):  # silence is no piece
                ends[song, at] = describe_end(change(np.array(y[max(cut - length, 0) : cut])))
        for at in sorted(set(every.loc[every["b"] == song, "start"])):
            cut = int(at * RATE_HZ)
            with suppress(AudioError):
                starts[song, at] = describe_start(change(np.array(y[cut : cut + length])))
    row_of_end, row_of_start = ({key: row for row, key in enumerate(x)} for x in (ends, starts))
    kept, joins = [], []
    for gap_s, pairs in tables:
        pairs = pairs[
            [at in ends for at in zip(pairs["a"], pairs["end"], strict=True)]
            & np.array([at in starts for at in zip(pairs["b"], pairs["start"], strict=True)])
        ]
        rows = [
            (row_of_end[pair.a, pair.end], row_of_start[pair.b, pair.start])
            for pair in pairs.itertuples()
        ]
        joins.append(measure_joins([*ends.values()], [*starts.values()], rows, gap_s=gap_s))
        kept.append(pairs.assign(gap_s=gap_s))
    return pd.concat(kept, ignore_index=True), np.vstack(joins)
