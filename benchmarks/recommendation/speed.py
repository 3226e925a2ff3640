"""How long a listener waits, on one thread: medians over many songs, all compiled before.

The 200 nearest of a song among all (`nearest`), beside scikit-learn's `cosine_similarity` and
`argsort` on the same points and in the same run, and with the same set as by brute force; a whole
ordered playlist with its reasons, from 1, 3 and 10 seeds; a song found by its title and artist, as
they are written and with a letter wrong; and how long learning takes, anew and with the ranking
from the cache.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from sklearn.metrics.pairwise import cosine_similarity
from threadpoolctl import threadpool_limits

from aares.data import load_recommendation
from aares.recommend import Recommender
from aares.recommend.space.nearest import NearestSongs
from workshop import config

K = 200
N_QUERIES = {"nearest": 300, "playlist": 100, "find": 100}
N_SEEDS = (1, 3, 10)


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield what is measured; for tuning, of other songs."""
    songs = load_recommendation(source)
    rng = np.random.default_rng(100 if tuning else 0)
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        anew_s, _ = time_once(lambda: Recommender(cache=folder).fit(songs))
        cached_s, recommender = time_once(lambda: Recommender(cache=folder).fit(songs))
        yield "fit", {"songs": len(songs), "learnt_anew_s": round_figure(anew_s),
                      "ranking_from_cache_s": round_figure(cached_s)}  # fmt: skip
        yield "nearest", compare_search(recommender.points_, rng)
        for n_seeds in N_SEEDS:
            yield f"playlist, seeds: {n_seeds}", time_playlists(recommender, n_seeds, rng)
        yield "find_songs", time_finding(recommender, rng)


def compare_search(points: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """Time the search and what is usually done instead, and check each answer by brute force."""
    songs, k = NearestSongs(points), min(K, len(points))
    queries = points[rng.integers(0, len(points), N_QUERIES["nearest"])]

    def rank_cosines(query: np.ndarray) -> np.ndarray:
        return np.argsort(-cosine_similarity(query[None], points)[0])[:k]

    same = sum(
        songs.search(query, k)[0].tolist() == sort_all(points, query)[:k].tolist()
        for query in queries
    )
    search_ms = time_median(lambda query: songs.search(query, k), queries)
    cosine_ms = time_median(rank_cosines, queries)
    return {"songs": len(points), "columns": points.shape[1], "k": k, "queries": len(queries),
            "as_by_brute_force": same, "search_ms": round_figure(search_ms),
            "cosine_argsort_ms": round_figure(cosine_ms),
            "times_faster": round_figure(cosine_ms / search_ms)}  # fmt: skip


def sort_all(points: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Sort all songs by their distance; of equal ones the first comes first."""
    return np.argsort(((points - query) ** 2).sum(axis=1), kind="stable")


def time_playlists(
    recommender: Recommender, n_seeds: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Time whole playlists of ten songs, from ids to reasons."""
    ids = recommender.songs_["id"].astype(str).to_numpy()
    queries = [list(rng.choice(ids, n_seeds, replace=False))
               for _ in range(N_QUERIES["playlist"])]  # fmt: skip
    ms = time_median(lambda seeds: recommender.playlist(seeds, n=10), queries)
    return {"playlists": len(queries), "ms": round_figure(ms)}


def time_finding(recommender: Recommender, rng: np.random.Generator) -> dict[str, Any]:
    """Time the search for songs by title and artist, as written and with two letters swapped."""
    songs = recommender.songs_
    rows = [row for row in rng.permutation(len(songs)) if len(songs["name"].iloc[row]) >= 6]
    rows = rows[: N_QUERIES["find"]]
    ids = songs["id"].astype(str).iloc[rows].tolist()
    artists = [recommender.catalogue_.artists[row][0] for row in rows]
    titles = songs["name"].iloc[rows].tolist()
    found: dict[str, Any] = {"songs": len(rows)}
    for how, names in (("exact", titles), ("misspelt", [misspell(name) for name in titles])):
        texts = [f"{name} - {artist}" for name, artist in zip(names, artists, strict=True)]
        hits = [song in set(recommender.find_songs(text, 10)["id"].astype(str))
                for song, text in zip(ids, texts, strict=True)]  # fmt: skip
        ms = time_median(lambda text: recommender.find_songs(text, 10), texts)
        found |= {f"{how}_ms": round_figure(ms), f"{how}_found": sum(hits)}
    return found


def misspell(title: str) -> str:
    """Swap the first two neighbouring letters, from the third on, that differ."""
    for i in range(2, len(title) - 1):
        if title[i : i + 2].isalpha() and title[i] != title[i + 1]:
            return title[:i] + title[i + 1] + title[i] + title[i + 2 :]
    return title[:2] + "x" + title[2:]


def time_once(function: Callable[[], Any]) -> tuple[float, Any]:
    """Return seconds and the result."""
    begin = time.perf_counter()
    result = function()
    return time.perf_counter() - begin, result


def time_median(function: Callable[[Any], Any], queries: Iterable[Any], warm: int = 3) -> float:
    """Return milliseconds, the median over queries, of which the first are asked before."""
    queries = list(queries)
    for query in queries[:warm]:
        function(query)
    return 1000 * float(np.median([time_once(lambda q=query: function(q))[0] for query in queries]))


def round_figure(value: float) -> float:
    """Round to three significant digits: no stopwatch here tells more."""
    return float(f"{value:.3g}")
