"""The recommender: a playlist from a song or a list of songs (exercise 3, question 1).

Used by notebook ``03_recommendation``.

References
----------
Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering documents and
producing summaries", SIGIR 1998: section 2.
Flexer, Schnitzer, Gasser, Widmer, "Playlist generation using start and end songs", ISMIR 2008.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from aares import exact
from aares.data.door import read_column, read_table
from aares.data.titles import normalise, strip_title
from aares.errors import AaresError, DataError
from aares.recommend.content import (
    GRID_BITS,
    WEIGHTS,
    FloatArray,
    SongSpace,
    combine_seeds,
    measure_distances,
    order_smoothly,
)

Seed = str | tuple[str, str] | Sequence[str | tuple[str, str]]

_POOL = 60


class SongNotFoundError(AaresError, LookupError):
    """No song matches what was asked for; the message suggests the nearest names."""


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
        self.songs_ = _check_songs(songs)
        self.space_ = SongSpace(weights=self.weights).fit(self.songs_)
        self.points_ = self.space_.transform(self.songs_)
        self.artists_ = read_artists(self.songs_)
        self._rows = {str(song): row for row, song in enumerate(self.songs_["id"])}
        self._names = np.array([_name(name) for name in self.songs_["name"]], dtype=object)
        self._bare = np.array([strip_title(name) for name in self.songs_["name"]], dtype=object)
        keys = {names: tuple(map(_name, names)) for names in set(self.artists_)}
        self._by = [keys[names] for names in self.artists_]
        self._firsts = np.array([names[0] for names in self._by], dtype=object)
        self.recordings_ = pd.factorize(self._bare + "\0" + self._firsts)[0]
        return self

    def playlist(
        self,
        seed: Seed,
        n: int = 10,
        *,
        max_per_artist: int = 2,
        diversity: float = 0.0,
        smooth: bool = True,
    ) -> pd.DataFrame:
        """Return a playlist of songs close to the seed.

        The seeds, other releases of their recordings and second releases of a chosen recording
        are left out. Of a list of seeds, each leads its share of the candidates: a seed among many
        songs of its kind does not crowd out one with few. Without `diversity` the candidates are
        the playlist.

        Parameters
        ----------
        seed : str, tuple or list of these
            A song's id, a pair (name, artist), or several.
        n : int
            Number of songs.
        max_per_artist : int
            At most so many songs of one artist.
        diversity : float, 0-1
            0 takes the closest songs; more prefers songs that differ from those already taken.
        smooth : bool
            Order the songs into a short path that begins near the seed; otherwise by distance.

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
        ValueError
            `n` or another option is out of range.
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
        _check_options(n, max_per_artist, diversity)
        seeds = self.find_rows(seed)
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

    def find_song(self, name: str, artist: str = "") -> str:
        """Return the id of a song by title and artist; case, accents and brackets do not matter.

        Of several that match, an exact title comes first, then the most popular.

        Parameters
        ----------
        name : str
            Title.
        artist : str
            Name of one of its artists; empty for any.

        Returns
        -------
        str

        Raises
        ------
        SongNotFoundError
            Nothing matches; the message suggests up to three near names.

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
        aares.recommend.playlist.SongNotFoundError: no song 'Crep'; did you mean Creep by TLC?
        """
        check_is_fitted(self)
        wanted, by = _name(name), _name(artist)
        mine = np.array([not by or by in names for names in self._by])
        for same in (self._names == wanted, self._bare == strip_title(name)):
            rows = np.flatnonzero(same & mine)
            if len(rows):
                return str(self.songs_["id"].iloc[self._most_popular(rows)])
        raise SongNotFoundError(self._suggest(name, artist, mine))

    def find_rows(self, seed: Seed) -> npt.NDArray[np.intp]:
        """Return the row numbers of the seeds, see :meth:`playlist`.

        Parameters
        ----------
        seed : str, tuple or list of these
            See :meth:`playlist`.

        Returns
        -------
        ndarray of int, shape (n_seeds,)

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
        single = isinstance(seed, str) or (isinstance(seed, tuple) and seed not in self._rows)
        queries: Iterable[str | tuple[str, str]] = [seed] if single else seed  # type: ignore[list-item]
        rows = [self._find_row(query) for query in queries]
        if not rows:
            raise ValueError("seed: expected at least one song, found none")
        return np.array(list(dict.fromkeys(rows)), dtype=np.intp)

    def _find_row(self, query: str | tuple[str, str]) -> int:
        if isinstance(query, tuple):
            return self._rows[self.find_song(*query)]
        if query not in self._rows:
            raise SongNotFoundError(
                f"no song has the id {query!r}; to search by title, give (name, artist)"
            )
        return self._rows[query]

    def _most_popular(self, rows: npt.NDArray[np.intp]) -> int:
        if "popularity" not in self.songs_:
            return int(rows[0])
        return int(rows[self.songs_["popularity"].to_numpy()[rows].argmax()])

    def _suggest(self, name: str, artist: str, mine: npt.NDArray[np.bool_]) -> str:
        wanted = f"{name!r}" + (f" by {artist!r}" if artist else "")
        rows = np.flatnonzero(mine) if mine.any() else np.arange(len(self._names))
        near = difflib.get_close_matches(normalise(name), self._names[rows].tolist(), 3, 0.6)
        lines = [
            f"{self.songs_['name'].iloc[row]} by {self.artists_[row][0]}"
            for row in (rows[np.flatnonzero(self._names[rows] == hit)[0]] for hit in near)
        ]
        if artist and not mine.any():
            firsts = sorted(set(self._firsts.tolist()))
            lines += difflib.get_close_matches(normalise(artist), firsts, 3, 0.7)
        hint = f"; did you mean {' or '.join(dict.fromkeys(lines))}?" if lines else ""
        return f"no song {wanted}{hint}"

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
                if any(used[name] >= max_per_artist for name in self.artists_[row]):
                    continue
                taken.add(self.recordings_[row])
                used.update(self.artists_[row])
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
                "artist": [", ".join(self.artists_[row]) for row in chosen],
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


def read_artists(songs: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return the names of each song's artists, at least one (possibly empty) name each.

    Parameters
    ----------
    songs : DataFrame
        With ``artists`` (lists of names) or ``artist`` (text), see :func:`aares.data.read_table`.

    Returns
    -------
    list of tuple of str

    Examples
    --------
    >>> read_artists(pd.DataFrame({"artists": [("ABBA",), ()]}))
    [('ABBA',), ('',)]
    >>> read_artists(pd.DataFrame({"artist": ["ABBA"]}))
    [('ABBA',)]
    """
    if "artists" in songs:
        return [names or ("",) for names in read_column(songs, "artists")]
    return [(name,) for name in read_column(songs, "artist")]


def _check_songs(songs: pd.DataFrame) -> pd.DataFrame:
    """Return the songs with the columns that are read as the loader reads them."""
    needed = ["id", "name", *(name for name in WEIGHTS if name != "year")]
    known = read_table(songs, needed, optional=["year", "popularity", "artists", "artist"])
    if known.empty:
        raise ValueError("songs: expected at least one song, found none")
    if "artists" not in known and "artist" not in known:
        raise DataError("songs: missing column 'artists' (or 'artist')")
    return songs.assign(**{str(name): known[name] for name in known}).reset_index(drop=True)


def _name(text: str) -> str:
    """Return a normalised name; one of symbols only, such as "!!!", is kept."""
    return normalise(text) or str(text).strip()


def _check_options(n: int, max_per_artist: int, diversity: float) -> None:
    if n < 1:
        raise ValueError(f"n: expected at least 1 song, found {n}")
    if max_per_artist < 1:
        raise ValueError(f"max_per_artist: expected at least 1, found {max_per_artist}")
    if not 0 <= diversity <= 1:
        raise ValueError(f"diversity: expected 0 to 1, found {diversity}")
