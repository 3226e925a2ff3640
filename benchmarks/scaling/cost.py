"""What a song costs: to read, its 27 features, its fingerprints, a distance between two.

Tracks of the packages `sources.REPORT` that last a minute or more, read from their files; times are
processor times of one core, the fastest of several for each track, for a song of 4 minutes. The
features are those of the study's 30 seconds: they do not grow with the song.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from scipy.spatial.distance import cdist

from aares.audio import features
from aares.audio.segments import SEGMENT, read_segment
from aares.identify import Settings
from aares.identify.catalogue import fingerprint
from aares.identify.ingest import read_file
from aares.identify.query import read_signal
from aares.scale.simulated import TRACK_S
from benchmarks.identifying import sources
from workshop import config

N = 24
REPEATS = 3
LEAST_S = 60.0
N_ROWS = 4_000  # songs whose distances to one are computed


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield what a song costs."""
    tracks = [
        track for track in sources.list_tracks("report")
        if sources.measure_length(track.path) >= LEAST_S
    ]  # fmt: skip
    order = np.random.default_rng(2 if tuning else 1).permutation(len(tracks))
    some = [tracks[row] for row in order[:N]]
    seconds = np.array([sources.measure_length(track.path) for track in some])
    longer = TRACK_S / seconds
    read = np.array([time_it(lambda: read_file(track.path)) for track in some])  # noqa: B023
    signals = [read_signal(read_file(track.path)[0]) for track in some]
    prints = np.array([time_it(lambda: fingerprint("", y, Settings())) for y in signals])  # noqa: B023
    segments = np.array([
        time_it(lambda: features.measure_segment(read_segment(track.path, SEGMENT)))  # noqa: B023
        for track in some
    ])  # fmt: skip
    size = np.array([track.path.stat().st_size for track in some])
    yield "cost", {
        "n_tracks": len(some), "track_s": TRACK_S,
        "features_s": round(float(segments.mean()), 4),
        "prints_s": round(float(((read + prints) * longer).mean()), 4),
        "reading_s": round(float((read * longer).mean()), 4),
        "sound_bytes": round(float((size * longer).mean())),
        "features_bytes": 8 * len(features.list_names(False)),
        "pair_s": float(f"{time_pair():.3g}"),
    }  # fmt: skip


def time_it(function: Callable[[], object]) -> float:
    """Return the least processor time of several calls."""
    spent = []
    for _ in range(REPEATS):
        begin = time.process_time()
        function()
        spent.append(time.process_time() - begin)
    return min(spent)


def time_pair() -> float:
    """Return the time of a Manhattan distance of 27 features, the cheapest, many at a time."""
    X = np.random.default_rng(0).standard_normal((N_ROWS, len(features.list_names(False))))
    return time_it(lambda: cdist(X, X, "cityblock")) / N_ROWS**2
