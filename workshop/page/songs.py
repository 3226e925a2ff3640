"""What the map shows: where songs lie, which genres they may have, what is near, what comes next.

The songs are those of exercise 3, whose titles people know. Their genre is told by the classifier
of exercise 1, which learns from none of their recordings, and by sets as in the bonus exercise;
neighbours and playlists are those of a recommender that has learnt from these songs alone, so that
every playlist stays on the map.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Memory

from aares import data
from aares.conformal.halves import UNKNOWN, HalfRanks, rank_in_halves, split_by_name
from aares.conformal.split import score_labels
from aares.genre import LIGHT, GenreClassifier, label_songs, remove_songs
from aares.genre.labels import FINGERPRINT
from aares.layout import lay_out_songs
from aares.recommend import Recommender
from workshop.config import CACHE, Workplace
from workshop.page.lists import list_others
from workshop.stamps import stamp_script

N_SONGS = {"course": 25_000, "demo": 2_000}
LONGEST = 90
USUAL_METER = 4
"""The table of exercise 3 has no time signature, and a column of one value tells nothing."""
Bytes = npt.NDArray[np.uint16]


class Judged(NamedTuple):
    """What is known and said of the genre of songs.

    Attributes
    ----------
    labels : list of str
    codes : ndarray of int, shape (m,)
        Position of the known label, :data:`aares.conformal.halves.UNKNOWN` where there is none.
    ranks : HalfRanks
    """

    labels: list[str]
    codes: npt.NDArray[np.int64]
    ranks: HalfRanks


def make_songs(source: Workplace) -> dict[str, Any]:
    """Make all that the map shows.

    Parameters
    ----------
    source : Workplace

    Returns
    -------
    dict
        ``names``, ``artists``, ``years``; ``x`` and ``y`` (0-65535, one scale); ``labels``,
        ``known`` (position of the label, 255 without), ``counts`` and ``sizes`` of
        :class:`aares.conformal.halves.HalfRanks`; ``near`` and ``lists`` (rows of the songs, eight
        and ten for each, 65535 where there are fewer). Songs come by popularity.
    """
    train, subset = data.load_train(source), data.load_subset(source)
    chosen = choose_songs(data.load_recommendation(source), train, subset, N_SONGS[source.kind])
    recommender = Recommender(cache=CACHE).fit(chosen)
    songs = recommender.songs_
    keep = _open_cache(source)
    judged = keep(judge_genres)(songs, train, subset)
    x, y = _scale(keep(lay_out_songs)(recommender.points_))
    near, lists = keep(list_others, ignore=["recommender"])(recommender, songs)
    return {
        "names": [_cut(name) for name in songs["name"]],
        "artists": [_cut(", ".join(names)) for names in songs["artists"]],
        "years": recommender.traits_.era.round().astype(np.uint16),
        "x": x, "y": y, "labels": judged.labels,
        "known": judged.codes.astype(np.uint8),  # -1 becomes 255
        "counts": judged.ranks.counts.astype(np.uint16),
        "sizes": judged.ranks.sizes.astype(np.uint16),
        "near": near, "lists": lists,
    }  # fmt: skip


def choose_songs(
    songs: pd.DataFrame, train: pd.DataFrame, subset: pd.DataFrame, n_songs: int
) -> pd.DataFrame:
    """Choose the songs of the map: those whose genre is known first, the best known ones of them.

    Parameters
    ----------
    songs, train, subset : DataFrame
        Tables of exercises 3, 1 and 2.
    n_songs : int

    Returns
    -------
    DataFrame, shape (<= n_songs, n_columns)
        The most popular first; a title by an artist once.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> songs = make_songs("recommendation", 3, popularity=[40, 80, 60], tempo=[90, 98.5, 120])
    >>> songs["name"] = ["Fernando", "Chiquitita", "Waterloo"]
    >>> train = make_songs("train", 1, tempo=90, genre="pop")
    >>> subset = make_songs("subset", 1, artist_name="ABBA", tempo=3)
    >>> choose_songs(songs, train, subset, 2)["name"].tolist()
    ['Chiquitita', 'Fernando']
    """
    first = songs["artists"].map(lambda names: names[0] if names else "")
    order = np.lexsort((np.arange(len(songs)), -songs["popularity"]))
    songs = songs.iloc[order][~_is_repeated(first.iloc[order], songs["name"].iloc[order])]
    known = find_labels(songs, train, subset).notna().to_numpy()
    kept = np.sort(np.argsort(~known, kind="stable")[:n_songs])
    return songs.iloc[kept].reset_index(drop=True)


def find_labels(songs: pd.DataFrame, train: pd.DataFrame, subset: pd.DataFrame) -> pd.Series:
    """Find the genre that a song has in the labelled table, or that the rule gives its artist.

    Parameters
    ----------
    songs, train, subset : DataFrame
        Tables of exercises 3, 1 and 2.

    Returns
    -------
    Series of str, index of `songs`
        Missing where neither is known.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> songs = make_songs("recommendation", 2, tempo=[90, 98.5])
    >>> songs["artists"] = [("TLC",), ("ABBA", "Cher")]
    >>> subset = make_songs("subset", 1, artist_name="ABBA", genres=[("europop",)], tempo=7)
    >>> find_labels(songs, make_songs("train", 1, tempo=90, genre="r&b"), subset).tolist()
    ['r&b', 'pop']
    """
    keys = list(FINGERPRINT)
    given = train[[*keys, "genre"]].drop_duplicates(keys).astype(dict.fromkeys(keys, float))
    found = songs[keys].astype(float).merge(given, on=keys, how="left")["genre"]
    by_rule = label_songs(subset).drop_duplicates("artist_name").set_index("artist_name")["genre"]
    first = songs["artists"].map(lambda names: names[0] if names else None)
    found = found.astype(object).set_axis(songs.index)
    return found.where(found.notna(), first.map(by_rule))


def judge_genres(
    songs: pd.DataFrame,
    train: pd.DataFrame,
    subset: pd.DataFrame,
    *,
    model: Callable[..., Any] = GenreClassifier,
) -> Judged:
    """Say how well each genre fits each song, without having seen any of their recordings.

    The classifier learns from the songs of exercises 1 and 2 that are not among `songs`. Its
    probabilities are ranked among those of songs with a known genre, by other artists, of the other
    half of `songs`.

    Parameters
    ----------
    songs, train, subset : DataFrame
        Tables of exercises 3, 1 and 2.
    model : callable
        Makes the classifier; tests take a quick one.

    Returns
    -------
    Judged
    """
    asked, learnt, more = (
        table.assign(time_signature=USUAL_METER) for table in (songs, train, subset)
    )
    learnt, more = remove_songs(learnt, asked), remove_songs(more, asked)
    classifier = model(more, **LIGHT, n_jobs=1).fit(learnt, learnt["genre"])
    scores = score_labels(classifier.predict_proba(asked))
    labels = [str(name) for name in classifier.classes_]
    known = find_labels(songs, train, subset)
    places = {name: code for code, name in enumerate(labels)}
    codes = np.array([places.get(name, UNKNOWN) for name in known], dtype=np.int64)
    first = [names[0] if names else "" for names in songs["artists"]]
    ranks = rank_in_halves(scores, codes, split_by_name(first))
    return Judged(labels, codes, ranks)


def _open_cache(source: Workplace) -> Callable[..., Any]:
    """Return what keeps the slow steps, by what they are given and by the code behind them."""
    code = stamp_script(Path(__file__), source)["code"]
    for old in (CACHE / "page").glob("*"):
        if old.name != code:
            shutil.rmtree(old)
    return Memory(CACHE / "page" / code, verbose=0).cache


def _is_repeated(artists: pd.Series, names: pd.Series) -> npt.NDArray[np.bool_]:
    both = pd.DataFrame({"artist": artists.str.casefold(), "name": names.str.casefold()})
    return both.duplicated().to_numpy()


def _scale(points: npt.NDArray[np.floating]) -> tuple[Bytes, Bytes]:
    """Return coordinates on a grid of 65,536 steps, one scale for both axes."""
    low, high = points.min(axis=0), points.max(axis=0)
    reach = float((high - low).max()) or 1.0
    middle = (points - (low + high) / 2) / reach + 0.5
    x, y = np.rint(middle.astype(float) * 65_535).clip(0, 65_535).astype(np.uint16).T
    return x, y


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"
