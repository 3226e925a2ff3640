"""Songs cut into pieces: what the measures of joins share.

Sounds, copies and features are kept in ``data/cache``, for one measure after another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile as sf

from aares.audio import load_audio
from aares.chaining.copies import drop_copies, find_copies
from aares.chaining.edges import RATE_HZ, Edge, describe_end, describe_start
from aares.chaining.joins import measure_joins
from aares.chaining.pairs import PIECE_S, split_songs
from aares.errors import AudioError
from chaining.music import list_music
from workshop import config

N_FOLDS = 4
SOUNDS = config.CACHE / "sounds"
COPIES = config.CACHE / "copies.csv"


def load_songs() -> pd.DataFrame:
    """Return the albums' songs with their length and fold, one of each group of copies."""
    songs = list_music()
    songs["seconds"] = [sf.info(str(path)).duration for path in songs["path"]]
    if not COPIES.is_file():
        COPIES.parent.mkdir(parents=True, exist_ok=True)
        find_copies(songs).to_csv(COPIES, index=False)
    songs = drop_copies(songs, pd.read_csv(COPIES))
    return songs.assign(fold=split_songs(songs, N_FOLDS))


def load_demo() -> pd.DataFrame:
    """Return the project's own renderings as such songs."""
    paths = sorted((config.DEMO / "songs").glob("*.ogg"))
    songs = pd.DataFrame({"path": paths, "song": [f"demo / {path.stem}" for path in paths]})
    songs["album"] = [path.stem.split(" - ")[1] for path in paths]
    songs["seconds"] = [sf.info(str(path)).duration for path in paths]
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
    ends, starts = {}, {}
    for song, path in zip(songs["song"], songs["path"], strict=True):
        y = load_sound(song, path)
        for at in sorted(set(every.loc[every["a"] == song, "end"])):
            cut = int(at * RATE_HZ)
            piece = y[max(cut - int(PIECE_S * RATE_HZ), 0) : cut]
            ends[song, at] = describe(describe_end, change(np.array(piece)))
        for at in sorted(set(every.loc[every["b"] == song, "start"])):
            cut = int(at * RATE_HZ)
            piece = y[cut : cut + int(PIECE_S * RATE_HZ)]
            starts[song, at] = describe(describe_start, change(np.array(piece)))
    kept, joins = [], []
    for gap_s, pairs in tables:
        found = [(ends[row.a, row.end], starts[row.b, row.start]) for row in pairs.itertuples()]
        heard = np.array([a is not None and b is not None for a, b in found])
        numbers = (
            {key: row for row, key in enumerate(ends)},
            {k: row for row, k in enumerate(starts)},
        )
        pairs = pairs[heard].assign(gap_s=gap_s)
        rows = [
            (numbers[0][row.a, row.end], numbers[1][row.b, row.start]) for row in pairs.itertuples()
        ]
        joins.append(measure_rows(list(ends.values()), list(starts.values()), rows, gap_s))
        kept.append(pairs)
    return pd.concat(kept, ignore_index=True), np.vstack(joins)


def describe(way: Callable[[np.ndarray], Edge], y: np.ndarray) -> Edge | None:
    """Return the edge of a piece, None of a silent one."""
    try:
        return way(y)
    except AudioError:
        return None


def measure_rows(
    ends: list[Edge | None], starts: list[Edge | None], rows: list[tuple[int, int]], gap_s: float
) -> np.ndarray:
    """Measure joins of edges that are there."""
    used = [sorted({row[side] for row in rows}) for side in range(2)]
    at = [{number: row for row, number in enumerate(numbers)} for numbers in used]
    first, second = (
        [edges[k] for k in numbers] for edges, numbers in zip((ends, starts), used, strict=True)
    )
    return measure_joins(first, second, [(at[0][i], at[1][j]) for i, j in rows], gap_s=gap_s)
