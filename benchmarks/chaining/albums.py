"""Do songs of an album sound alike? Copies, same-album pairs, and the tree of albums."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from joblib import Memory

from aares.audio.segments import read_segment
from aares.chaining.copies import find_copies
from aares.chaining.portraits import cut_bands, measure_bands, summarise
from workshop.config import ROOT

SEGMENTS = ("whole", "0:30-1:30", "0:30-1:00")
memory = Memory(ROOT / "data" / "cache" / "albums", verbose=0)


@memory.cache
def portray(path: str, size: int) -> dict[tuple[str, bool], dict[str, float]]:
    """Return a file's portraits for each segment, as it is and with level and bandwidth equal."""
    bands = measure_bands(read_segment(path, "whole").y)
    return {
        (segment, equal): summarise(cut_bands(bands, segment), equal=equal)
        for segment in SEGMENTS
        for equal in (False, True)
    }


@memory.cache
def search_copies(paths: list[str], names: list[str], sizes: list[int]) -> pd.DataFrame:
    """Return what `find_copies` finds among files."""
    return find_copies(pd.DataFrame({"path": paths, "song": names}))


def list_sizes(songs: pd.DataFrame) -> list[int]:
    """Return the bytes of each file: what is cached is of the file as it was."""
    return [Path(path).stat().st_size for path in songs["path"]]
