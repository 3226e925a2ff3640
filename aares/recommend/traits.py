"""Stand-in until the traits of a song are read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from aares.recommend.catalogue import Catalogue


@dataclass(frozen=True)
class Traits:
    """What is known of each song beside its sound; arrays by row."""

    recording: np.ndarray
    era: np.ndarray
    version: np.ndarray
    spoken: np.ndarray
    language: np.ndarray


def read_traits(catalogue: Catalogue) -> Traits:
    """Read the traits of all songs."""
    n = len(catalogue)
    keys = [
        f"{title}\0{names[0]}" if names else f"\0{row}"
        for row, (title, names) in enumerate(zip(catalogue.titles, catalogue.by, strict=True))
    ]
    songs = catalogue.songs
    era = songs["year"].to_numpy(float) if "year" in songs else np.full(n, np.nan)
    return Traits(
        pd.factorize(np.array(keys, dtype=object))[0],
        era,
        np.zeros(n, int),
        np.zeros(n, bool),
        np.full(n, "", dtype=object),
    )
