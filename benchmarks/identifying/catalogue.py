"""The catalogues of the identifier's figures, and a store for what takes long.

The catalogue of the report holds the packages `sources.INDEXED`, `CALIBRATE` and `CHOOSE` and as
many rendered tracks (``python tools/make_demo_data.py render --count 360``), so that at least half
of it is real. For calibration and choices, which need those packages as unknown music, it holds
`INDEXED` and the rendered tracks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from aares.files import digest, write_atomic
from aares.identify import Index
from benchmarks.identifying import sources
from benchmarks.identifying.sources import SourceError, Track
from workshop.config import CACHE, ROOT
from workshop.measured import BENCHMARK, digest_calibration

N_RENDERED = 360
FASTER = ("_fast", "_f")  # ends of names
KEPT = CACHE / "identify"
SEARCH = ("evidence", "hits", "pairs", "peaks", "query", "search", "traits", "vote")
"""Modules that decide what is found; what else there is decides where it is kept."""
INDEXING = ("catalogue", "index", "pairs", "peaks", "segment", "storage")
"""Modules that decide what an index holds."""


def list_rendered() -> list[Track]:
    """List the rendered tracks."""
    table = CACHE / "catalogue" / "catalogue.csv"
    if not table.is_file():
        raise SourceError(
            "data/cache/catalogue: expected rendered tracks, found none; "
            f"python tools/make_demo_data.py render --count {N_RENDERED} makes them"
        )
    rows = pd.read_csv(table).head(N_RENDERED)
    return [
        Track(table.parent / file, "rendered", f"rendered {Path(file).stem}", f"score {family}")
        for file, family in zip(rows["file"], rows["family"], strict=True)
    ]


def list_reported() -> list[Track]:
    """List the catalogue of the report."""
    real = [track for role in ("indexed", "calibrate", "choose")
            for track in sources.list_tracks(role)]  # fmt: skip
    return real + list_rendered()[: len(real)]


def list_calibrating() -> list[Track]:
    """List the catalogue in which choices are made."""
    return sources.list_tracks("indexed") + list_rendered()


def build_index(tracks: list[Track]) -> Index:
    """Index tracks, or open the index that was made of them by the same code."""
    names = "|".join(track.name for track in tracks)
    file = KEPT / f"{digest(f'{digest_code(INDEXING)} {names}'.encode())}.aares"
    if file.exists():
        return Index.open(file)
    index = Index.from_signals({track.name: track.load() for track in tracks})
    index.save(file)
    return index


def digest_code(names: Sequence[str]) -> str:
    """Tell what the identifier computes with: the code of some of its modules."""
    files = [ROOT / "aares" / "identify" / f"{name}.py" for name in names]
    return digest("".join(path.read_text(encoding="utf-8") for path in files).encode())


def digest_answers() -> str:
    """Tell what an answer depends on: the code that finds it, and the calibration."""
    return f"{digest_code((*SEARCH, 'answer', 'ranking'))} {digest_calibration()}"


def remember(name: str, key: str, compute: Callable[[], Any]) -> Any:
    """Return what was computed before of the same key, or compute it: JSON, in data/cache."""
    file = KEPT / f"{name}-{digest(key.encode())}.json"
    if not file.is_file():
        write_atomic(file, json.dumps(compute()))
    return json.loads(file.read_text(encoding="utf-8"))


def describe_catalogue(tracks: list[Track]) -> dict[str, Any]:
    """Tell what a figure was measured with."""
    return {
        "calibration": digest_calibration(),
        "n_indexed": len(tracks),
        "n_real": sum(not track.rendered for track in tracks),
    }


def group_families(tracks: list[Track]) -> dict[str, int]:
    """Number the families of tracks: scores in common, or music in common.

    Music is in common where the audit found it, and where a game names a track for its last lap
    as another one played faster.
    """
    numbers = {track.name: row for row, track in enumerate(tracks)}
    ends = [(numbers[a], numbers[b]) for a, b in list_shared() if a in numbers and b in numbers]
    families = [cut_end(track.family) for track in tracks]
    first = dict(zip(reversed(families), reversed(range(len(tracks))), strict=True))
    ends += [(row, first[family]) for row, family in enumerate(families)]
    pairs = np.array(ends, dtype=int).reshape(-1, 2)
    graph = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(tracks),) * 2)
    groups = connected_components(graph, directed=False)[1]
    return dict(zip(numbers, groups.tolist(), strict=True))


def cut_end(name: str) -> str:
    """Return the name of the track that a faster one is made of."""
    for end in FASTER:
        name = name.removesuffix(end)
    return name


def list_shared() -> list[tuple[str, str]]:
    """List the pairs of tracks that the audit found to share music."""
    if not BENCHMARK.is_file():
        return []
    kept = json.loads(BENCHMARK.read_text(encoding="utf-8"))
    return [(pair["a"], pair["b"]) for pair in kept.get("shared", {}).get("pairs", [])]
