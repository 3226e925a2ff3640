"""The recommender: a playlist from a song or a list of songs (exercise 3, question 1).

Used by notebook ``03_recommendation``.

References
----------
Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering documents and
producing summaries", SIGIR 1998: section 2.
Flexer, Schnitzer, Gasser, Widmer, "Playlist generation using start and end songs", ISMIR 2008.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from aares import exact
from aares.recommend.catalogue import read_catalogue
from aares.recommend.content import (
    GRID_BITS,
    FloatArray,
    SongSpace,
    combine_seeds,
    measure_distances,
    order_smoothly,
)
from aares.recommend.finder import AmbiguousSongError, SongFinder, SongNotFoundError
from aares.recommend.seeds import Seed, read_pair, read_queries

__all__ = ["AmbiguousSongError", "Recommender", "SongNotFoundError", "choose_diverse"]

_POOL = 60


class Recommender(BaseEstimator):
    """Recommend songs that sound like given ones.

    Parameters
    ----------
    weights : mapping of str to float, optional
        Weights of the features, see :data:`aares.recommend.content.WEIGHTS`.
    combine : {"nearest", "mean", "soft"}
        What "close to a list" means, see :func:`aares.recommend.content.combine_seeds`.

    Attributes
    ----------
    songs_ : DataFrame
        The songs, rows numbered from 0.
    points_ : ndarray of float, shape (n, d)
        Their coordinates.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> songs = make_songs("recommendation", 3, energy=[0.2, 0.3, 0.9])
    >>> songs["name"] = ["Chiquitita", "Fernando", "Commando"]
    >>> songs["artists"] = [("ABBA",), ("ABBA",), ("Ramones",)]
    >>> recommender = Recommender().fit(songs)
    >>> recommender.playlist(("chiquitita", "ABBA"), n=2)[["name", "artist"]]
           name   artist
    1  Fernando     ABBA
    2  Commando  Ramones
    """

    def __init__(
        self, *, weights: Mapping[str, float] | None = None, combine: str = "soft"
    ) -> None:
        self.weights = weights
        self.combine = combine

    def fit(self, songs: pd.DataFrame) -> Recommender:
        """Learn the space and index the songs.

        Parameters
        ----------
        songs : DataFrame
            ``id``, ``name``, ``artists`` (list of names) or ``artist``, and the audio features.

        Raises
        ------
        ValueError
            No song, or a column or cell is missing or wrong, see :func:`aares.data.read_table`.
        """
        self.catalogue_ = read_catalogue(songs)
        self.songs_ = self.catalogue_.songs
        self.space_ = SongSpace(weights=self.weights).fit(self.songs_)
        self.points_ = self.space_.transform(self.songs_)
        self._finder = SongFinder(self.songs_, self.catalogue_.artists)
        self.recordings_ = _tell_recordings(self.catalogue_.titles, self.catalogue_.by)
        return self

    def playlist(
        self,
        seed: Seed,
        n: int = 10,
        *,
        max_per_artist: int = 2,
        diversity: float = 0.0,
        smooth: bool = True,
        pick: str | None = None,
    ) -> pd.DataFrame:
        """Return a playlist of songs close to the seed.

        The seeds, other releases of their recordings and second releases of a chosen recording
        are left out. Of a list of seeds, each leads its share of the candidates: a seed among many
        songs of its kind does not crowd out one with few. Without `diversity` the candidates are
        the playlist.

        Parameters
        ----------
        seed : str, pair, row or list of these
            A song's id, title, pair (title, artist) or link, a row of a table such as a playlist
            of this method, or several; see :func:`aares.recommend.seeds.read_queries`.
        n : int
            Number of songs, from 1.
        max_per_artist : int
            At most so many songs of one artist; "Various Artists" and the like are none.
        diversity : float, 0-1
            0 takes the closest songs; more prefers songs that differ from those already taken.
        smooth : bool
            Order the songs into a short path that begins near the seed; otherwise by distance.
        pick : {"popular"}, optional
            Take the most popular of several songs that a seed may mean.

        Returns
        -------
        DataFrame
            ``name``, ``artist``, ``distance`` to the seeds, ``step`` (distance to the song
            before), ``seed`` (name of the nearest seed), ``id``; fewer
            than `n` rows if the table has no more that qualify.

        Raises
        ------
        SongNotFoundError
            A seed is not in the table.
        AmbiguousSongError
            Several songs have the title of a seed, and `pick` does not say which.
        ValueError
            The seed names no song, or `n` or another option is out of range.
        NotFittedError
            There are no songs yet to choose from.

        Examples
        --------
        >>> from aares.data import make_songs
        >>> songs = make_songs("recommendation", 4, energy=[0.2, 0.3, 0.4, 0.9])
        >>> songs["id"] = ["s1", "s2", "s3", "s4"]
        >>> songs["name"] = ["One", "Two", "One (Live)", "Four"]
        >>> recommender = Recommender().fit(songs)
        >>> recommender.playlist("s1")[["name", "id"]]  # no other release of the seed
           name  id
        1   Two  s2
        2  Four  s4
        >>> recommender.playlist("s1", max_per_artist=1)["name"].tolist()
        ['Two']
        """
        check_is_fitted(self)
        _check_options(n, max_per_artist, diversity, smooth)
        seeds = self.find_rows(seed, pick=pick)
        to_seeds = measure_distances(self.points_, self.points_[seeds])
        distance = combine_seeds(to_seeds, self.combine)
        leader = seeds[to_seeds.argmin(axis=1)]
        size = n if diversity == 0 else max(n, _POOL)
        candidates = self._list_candidates(
            distance, seeds, leader, size=size, max_per_artist=max_per_artist
        )
        chosen = choose_diverse(self.points_, distance, candidates, n=n, diversity=diversity)
        start = exact.snap(self.points_[seeds].mean(axis=0), GRID_BITS)
        if smooth and len(chosen) > 1:
            chosen = chosen[order_smoothly(self.points_[chosen], start)]
        playlist = self._describe(chosen, distance, start)
        playlist.insert(4, "seed", self.songs_["name"].to_numpy()[leader[chosen]])
        return playlist

    def find_song(self, name: str, artist: str = "", *, pick: str | None = None) -> str:
        """Return the id of a song by title and artist; case, accents and brackets do not matter.

        Of several releases, an exact title comes first, then the most popular.

        Parameters
        ----------
        name : str
            Title.
        artist : str
            One of its artists, or several ("Queen & David Bowie"); empty for any.
        pick : {"popular"}, optional
            Take the most popular of several songs.

        Returns
        -------
        str

        Raises
        ------
        SongNotFoundError
            Nothing matches; the message suggests up to three near names.
        AmbiguousSongError
            Several songs have the title, and `pick` does not say which; the message lists them.
        ValueError
            The title is none, or `pick` is something else.

        Examples
        --------
        >>> from aares.data import make_songs
        >>> songs = make_songs("recommendation", 2, name=["Chiquitita (Live)", "Creep"])
        >>> songs["id"], songs["artists"] = ["s1", "s2"], [("ABBA",), ("TLC",)]
        >>> recommender = Recommender().fit(songs)
        >>> recommender.find_song("chiquitita", "Abba")
        's1'
        >>> recommender.find_song("Crep")
        Traceback (most recent call last):
        aares.recommend.finder.SongNotFoundError: no song 'Crep'; did you mean Creep by TLC?
        """
        check_is_fitted(self)
        return str(self.songs_["id"].iloc[self._finder.find(read_pair(name, artist), pick=pick)])

    def find_songs(self, text: Seed, limit: int = 10) -> pd.DataFrame:
        """Return the songs that a text may mean, spelt well or not, best first.

        Parameters
        ----------
        text : str or pair
            A title, an artist, both in either order, an id or a link.
        limit : int
            Number of songs, from 1.

        Returns
        -------
        DataFrame
            See :meth:`aares.recommend.finder.SongFinder.find_songs`.

        Examples
        --------
        >>> from aares.data import make_songs
        >>> songs = make_songs("recommendation", 2, name=["Chiquitita (Live)", "Creep"])
        >>> songs["artists"] = [("ABBA",), ("TLC",)]
        >>> Recommender().fit(songs).find_songs("aba chikitita", 1)["name"].tolist()
        ['Chiquitita (Live)']
        """
        check_is_fitted(self)
        return self._finder.find_songs(text, limit)

    def find_rows(self, seed: Seed, *, pick: str | None = None) -> npt.NDArray[np.intp]:
        """Return the row numbers of the seeds, see :meth:`playlist`.

        Parameters
        ----------
        seed : str, pair, row or list of these
            See :meth:`playlist`.
        pick : {"popular"}, optional
            Take the most popular of several songs that a seed may mean.

        Returns
        -------
        ndarray of int, shape (n_seeds,)
            Each song once.

        Raises
        ------
        SongNotFoundError
            A seed is not in the table.
        AmbiguousSongError
            Several songs have the title of a seed, and `pick` does not say which.
        ValueError
            The seed names no song.

        Examples
        --------
        >>> from aares.data import make_songs
        >>> songs = make_songs("recommendation", 2, name=["Chiquitita", "Commando"])
        >>> songs["id"], songs["artists"] = ["s1", "s2"], [("ABBA",), ("Ramones",)]
        >>> recommender = Recommender().fit(songs)
        >>> recommender.find_rows(["s2", ("Chiquitita", "ABBA"), "s2"]).tolist()
        [1, 0]
        """
        check_is_fitted(self)
        rows = [self._finder.find(query, pick=pick) for query in read_queries(seed)]
        return np.array(list(dict.fromkeys(rows)), dtype=np.intp)

    def _list_candidates(
        self,
        distance: FloatArray,
        seeds: npt.NDArray[np.intp],
        leader: npt.NDArray[np.intp],
        *,
        size: int,
        max_per_artist: int,
    ) -> npt.NDArray[np.intp]:
        """Return the closest songs that may be in the playlist, closest first.

        `leader` is the row of each song's nearest seed; each seed leads an equal share, and what a
        seed cannot fill goes to the others.
        """
        share, rest = divmod(size, len(seeds))
        quota = Counter({int(seed): share + (i < rest) for i, seed in enumerate(seeds)})
        taken = set(self.recordings_[seeds].tolist())
        used: Counter[str] = Counter()
        chosen: list[int] = []
        order = np.argsort(distance, kind="stable").tolist()
        for shared in (True, False) if len(seeds) > 1 else (False,):
            for row in order:
                if len(chosen) == size:
                    break
                if (shared and not quota[int(leader[row])]) or self.recordings_[row] in taken:
                    continue
                if any(used[name] >= max_per_artist for name in self.catalogue_.by[row]):
                    continue
                taken.add(self.recordings_[row])
                used.update(self.catalogue_.by[row])
                quota[int(leader[row])] -= 1
                chosen.append(row)
        return np.array(sorted(chosen, key=lambda row: (distance[row], row)), dtype=np.intp)

    def _describe(
        self, chosen: npt.NDArray[np.intp], distance: FloatArray, start: FloatArray
    ) -> pd.DataFrame:
        path = np.vstack([start, self.points_[chosen]])
        return pd.DataFrame(
            {
                "name": self.songs_["name"].to_numpy()[chosen],
                "artist": [", ".join(self.catalogue_.artists[row]) for row in chosen],
                "distance": distance[chosen],
                "step": np.linalg.norm(np.diff(path, axis=0), axis=1),
                "id": self.songs_["id"].to_numpy()[chosen],
            },
            index=pd.RangeIndex(1, len(chosen) + 1),
        )


def choose_diverse(
    points: FloatArray,
    distance: FloatArray,
    candidates: npt.NDArray[np.intp],
    *,
    n: int,
    diversity: float = 0.0,
) -> npt.NDArray[np.intp]:
    """Choose songs that are close to the seed and differ from one another.

    One after the other, the song with the smallest (1 - diversity) * distance to the seed -
    diversity * distance to the nearest chosen song is taken.

    Parameters
    ----------
    points : ndarray of float, shape (N, d)
    distance : ndarray of float, shape (N,)
        To the seed.
    candidates : ndarray of int, shape (m,)
        Row numbers, closest first.
    n : int
        How many to choose.
    diversity : float, 0-1

    Returns
    -------
    ndarray of int, shape (min(n, m),)

    References
    ----------
    Carbonell and Goldstein 1998, section 2, with distances in place of similarities.

    Examples
    --------
    >>> points = np.array([[1.0], [1.1], [3.0]])
    >>> for diversity in (0.0, 0.6):
    ...     chosen = choose_diverse(points, points[:, 0], np.arange(3), n=2, diversity=diversity)
    ...     print(diversity, chosen.tolist())
    0.0 [0, 1]
    0.6 [0, 2]
    """
    if diversity == 0 or len(candidates) <= 1:
        return candidates[:n]
    between = measure_distances(points[candidates], points[candidates])
    chosen = [0]
    while len(chosen) < min(n, len(candidates)):
        loss = (1 - diversity) * distance[candidates] - diversity * between[:, chosen].min(axis=1)
        loss[chosen] = np.inf
        chosen.append(int(loss.argmin()))
    return candidates[chosen]


def _tell_recordings(titles: list[str], artists: list[tuple[str, ...]]) -> npt.NDArray[np.intp]:
    """Number the recordings: one title by one artist; a song of nobody is one of its own."""
    keys = [
        f"{title}\0{names[0]}" if names else f"\0{row}"
        for row, (title, names) in enumerate(zip(titles, artists, strict=True))
    ]
    return pd.factorize(np.array(keys, dtype=object))[0]


def _check_options(n: object, max_per_artist: object, diversity: object, smooth: object) -> None:
    for name, value in (("n", n), ("max_per_artist", max_per_artist)):
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name}: expected a whole number from 1, found {value!r}")
    is_number = isinstance(diversity, Real) and not isinstance(diversity, bool)
    if not is_number or not 0 <= float(diversity) <= 1:  # type: ignore[arg-type]
        raise ValueError(f"diversity: expected a number from 0 to 1, found {diversity!r}")
    if not isinstance(smooth, (bool, np.bool_)):
        raise ValueError(f"smooth: expected True or False, found {smooth!r}")
