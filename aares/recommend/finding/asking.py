"""Ask for songs of a catalogue by id, title, artist or link (exercise 3, question 1).

Used by notebook ``03_recommendation`` through :class:`aares.recommend.Recommender`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from aares.recommend.finding.finder import SongFinder
from aares.recommend.finding.seeds import Seed, read_pair, read_queries


class SongAsker:
    """The part of a recommender that knows which songs are meant.

    Attributes
    ----------
    songs_ : DataFrame
        The songs, rows numbered from 0.
    """

    songs_: pd.DataFrame
    _finder: SongFinder

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
        >>> from aares.recommend import Recommender
        >>> songs = make_songs("recommendation", 2, name=["Chiquitita (Live)", "Creep"])
        >>> songs["id"], songs["artists"] = ["s1", "s2"], [("ABBA",), ("TLC",)]
        >>> recommender = Recommender().fit(songs)
        >>> recommender.find_song("chiquitita", "Abba")
        's1'
        >>> recommender.find_song("Crep")
        Traceback (most recent call last):
        aares.recommend.finding.finder.SongNotFoundError: no song 'Crep'; did you mean Creep by TLC?
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
            See :meth:`aares.recommend.finding.finder.SongFinder.find_songs`.

        Examples
        --------
        >>> from aares.data import make_songs
        >>> from aares.recommend import Recommender
        >>> songs = make_songs("recommendation", 2, name=["Chiquitita (Live)", "Creep"])
        >>> songs["artists"] = [("ABBA",), ("TLC",)]
        >>> Recommender().fit(songs).find_songs("aba chikitita", 1)["name"].tolist()
        ['Chiquitita (Live)']
        """
        check_is_fitted(self)
        return self._finder.find_songs(text, limit)

    def find_rows(self, seed: Seed, *, pick: str | None = None) -> npt.NDArray[np.intp]:
        """Return the row numbers of songs.

        Parameters
        ----------
        seed : str, pair, row or list of these
            See :func:`aares.recommend.finding.seeds.read_queries`.
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
        >>> from aares.recommend import Recommender
        >>> songs = make_songs("recommendation", 2, name=["Chiquitita", "Commando"])
        >>> songs["id"], songs["artists"] = ["s1", "s2"], [("ABBA",), ("Ramones",)]
        >>> recommender = Recommender().fit(songs)
        >>> recommender.find_rows(["s2", ("Chiquitita", "ABBA"), "s2"]).tolist()
        [1, 0]
        """
        return np.array(list(dict.fromkeys(self._list_rows(seed, pick))), dtype=np.intp)

    def _list_rows(self, seed: Seed, pick: str | None) -> list[int]:
        check_is_fitted(self)
        return [self._finder.find(query, pick=pick) for query in read_queries(seed)]

    def _find_one(self, name: str, song: Seed, pick: str | None) -> int:
        rows = self.find_rows(song, pick=pick)
        if len(rows) != 1:
            raise ValueError(f"{name}: expected one song, found {len(rows)}")
        return int(rows[0])
