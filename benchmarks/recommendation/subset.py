"""Songs of the query's artist among the first ten, for artists that were never learnt from.

Each song of the subset is a query once in each draw of five folds by artist: what finds its list
was learnt without its fold's artists, from the large catalogue less every song that credits one of
them, and from the subset less theirs. All songs of the subset are searched. Genres of the subset
judge; where the ranking is learnt they are labels, of a query or of a song they are never read.

Measured for each way: the share of queries, of those with another song of their artist, whose
first ten hold one (`hit`); the same without other releases of the query's recording, which nobody
wants (`hit_without_versions`); the mean Jaccard index of the genres of query and of the first ten
by other artists (`genres`); and which share of the subset is in some first ten (`coverage`).
Intervals draw artists and draws of folds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.preprocessing import StandardScaler

from aares import data, exact
from aares.recommend.catalogue import Catalogue, read_catalogue, take_songs
from aares.recommend.space.content import SongSpace, measure_distances
from aares.recommend.space.likeness import SongLikeness
from aares.scores import bootstrap_crossed

DRAWS = (0, 1)
"""Seeds of the folds and of the model for what is reported."""

TUNING = (100,)
"""Where settings are chosen: other folds."""

N_FOLDS = 5
N_CANDIDATES = 500
K = 10
NINE = [
    "danceability", "energy", "loudness", "speechiness", "acousticness", "instrumentalness",
    "liveness", "valence", "tempo",
]  # fmt: skip

Lists = Callable[[int], npt.NDArray[np.intp]]
"""Ranks all songs, or enough of them, for a query."""


@dataclass(frozen=True)
class Subset:
    """The songs that are asked about, and what judges the answers."""

    catalogue: Catalogue
    artists: npt.NDArray[np.intp]
    genres: list[frozenset[str]]


def measure(source: Any, *, tuning: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """Measure each way over all draws of the folds."""
    subset, large = read_songs(source)
    draws = TUNING if tuning else DRAWS
    ways = {
        "learnt": SongLikeness(),
        "learnt, year only": SongLikeness(use_release_day=False),
        "learnt, audio columns only": SongLikeness(columns="audio", use_release_day=False),
    }
    fixed = {
        "weights by hand": rank_by_hand(subset, year=True),
        "weights by hand, audio columns only": rank_by_hand(subset, year=False),
        "cosine of nine features": rank_by_cosine(subset),
    }
    for name, lists in fixed.items():
        yield name, summarise([judge(subset, lists, np.arange(len(subset.artists)))])
    judged: dict[str, list[pd.DataFrame]] = {name: [] for name in ways}
    for draw in draws:
        for name, model in ways.items():
            judged[name].append(judge_folds(subset, large, model, draw))
            yield name, summarise(judged[name])  # more draws follow, and replace it


def read_songs(source: Any) -> tuple[Subset, Catalogue]:
    """Read the subset and the large catalogue."""
    names = {"artist_name": "artist", "track_name": "name"}
    catalogue = read_catalogue(data.load_subset(source).rename(columns=names))
    artists = pd.factorize(np.array([" & ".join(by) for by in catalogue.by], dtype=object))[0]
    genres = [frozenset(names) for names in catalogue.songs["genres"]]
    large = read_catalogue(data.load_recommendation(source))
    return Subset(catalogue, artists, genres), large


def judge_folds(subset: Subset, large: Catalogue, model: SongLikeness, draw: int) -> pd.DataFrame:
    """Judge a way on each fold, learnt without the fold's artists."""
    folds = np.random.default_rng(draw).permutation(subset.artists.max() + 1) % N_FOLDS
    judged = []
    for fold in range(N_FOLDS):
        asked = np.flatnonzero(folds[subset.artists] == fold)
        unseen = {name for row in asked for name in subset.catalogue.by[row]}
        model.set_params(random_state=draw)
        model.fit(leave_out(large, unseen), more=[leave_out(subset.catalogue, unseen)])
        index = model.index(subset.catalogue)

        def rank(row: int, index: Any = index) -> npt.NDArray[np.intp]:
            rows = np.sort(index.candidates(row, N_CANDIDATES))
            return rows[np.argsort(-index.score(row, rows), kind="stable")]

        judged.append(judge(subset, rank, asked))
    return pd.concat(judged)


def leave_out(catalogue: Catalogue, artists: set[str]) -> Catalogue:
    """Return the songs that credit none of these artists."""
    kept = [row for row, by in enumerate(catalogue.by) if artists.isdisjoint(by)]
    return take_songs(catalogue, kept)


def rank_by_hand(subset: Subset, *, year: bool) -> Lists:
    """Rank by the distance of the space with weights by hand."""
    songs = subset.catalogue.songs
    years = songs.assign(year=data.parse_dates(songs["release_date"])["year"].astype(float))
    points = SongSpace().fit_transform(years if year else songs)
    return lambda row: np.argsort(measure_distances(points, points[[row]])[:, 0], kind="stable")


def rank_by_cosine(subset: Subset) -> Lists:
    """Rank by the cosine of nine standardised features, as is often done."""
    points = StandardScaler().fit_transform(subset.catalogue.songs[NINE])
    points = exact.snap(points / np.linalg.norm(points, axis=1, keepdims=True), 20)
    return lambda row: np.argsort(-(points @ points[row]), kind="stable")


def judge(subset: Subset, lists: Lists, asked: npt.NDArray[np.intp]) -> pd.DataFrame:
    """Judge the list of each query."""
    artists, titles = subset.artists, np.array(subset.catalogue.titles, dtype=object)
    several = np.bincount(artists)[artists] > 1
    rows = []
    for row in asked:
        ranked = lists(int(row))
        ranked = ranked[ranked != row]
        same = artists[ranked] == artists[row]
        version = same & (titles[ranked] == titles[row])
        others = ranked[~same][:K]
        judged = subset.catalogue.by[row] and several[row]
        rows.append({
            "artist": artists[row],
            "hit": float(same[:K].any()) if judged else np.nan,
            "hit_without_versions": float(same[~version][:K].any()) if judged else np.nan,
            "genres": compare_genres(subset, row, others) if subset.genres[row] else np.nan,
            "listed": ranked[:K],
        })  # fmt: skip
    return pd.DataFrame(rows)


def compare_genres(subset: Subset, row: int, others: npt.NDArray[np.intp]) -> float:
    """Return the mean Jaccard index of a song's genres and those of others."""
    mine = subset.genres[row]
    shares = [len(mine & subset.genres[i]) / len(mine | subset.genres[i]) for i in others]
    return float(np.mean(shares)) if shares else 0.0


def summarise(draws: list[pd.DataFrame]) -> dict[str, Any]:
    """Return each measure with its interval over artists and draws."""
    summary: dict[str, Any] = {"draws": len(draws), "songs": len(draws[0])}
    for name in ("hit", "hit_without_versions", "genres"):
        sums, counts = (
            pd.concat([one.groupby("artist")[name].agg(how) for one in draws], axis=1).to_numpy()
            for how in ("sum", "count")
        )
        kept = counts.sum(axis=1) > 0
        mean, low, high = bootstrap_crossed(sums[kept], counts[kept].astype(float))
        summary[name] = {
            "mean": round(mean, 4), "low": round(low, 4), "high": round(high, 4),
            "queries": int(counts[:, 0].sum()),
            "by_draw": [round(float(one[name].mean()), 4) for one in draws],
        }  # fmt: skip
    covered = [len(np.unique(np.concatenate(list(one["listed"])))) / len(one) for one in draws]
    return summary | {"coverage": [round(share, 4) for share in covered]}
