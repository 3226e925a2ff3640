"""The recommender: a playlist from a song or a list of songs (exercise 3, question 1).

Used by notebook ``03_recommendation``. Four steps, a module each:
:mod:`aares.recommend.space.likeness` finds and ranks the songs around each seed,
:mod:`aares.recommend.lists.choosing` takes those that make a list together,
:mod:`aares.recommend.lists.order` puts them in playing order, and
:mod:`aares.recommend.lists.reasons` says why each is there.

References
----------
Flexer, Schnitzer, Gasser, Widmer, "Playlist generation using start and end songs", ISMIR 2008.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from aares.recommend.catalogue import leave_out_missing, read_catalogue
from aares.recommend.finding.asking import SongAsker
from aares.recommend.finding.finder import AmbiguousSongError, SongFinder, SongNotFoundError
from aares.recommend.finding.seeds import Seed
from aares.recommend.lists.arrange import order_playlist
from aares.recommend.lists.choosing import Choice, Rules
from aares.recommend.lists.closeness import POOL, Closeness, Taste
from aares.recommend.lists.filters import (
    NoSongsLeftError,
    exclude_songs,
    explain_filters,
    filter_songs,
    require_column,
)
from aares.recommend.lists.gathering import Limits, gather_songs, gather_way
from aares.recommend.lists.options import check_count, check_options, check_order, draw_luck
from aares.recommend.lists.telling import ShortPlaylistWarning, Teller, warn_short
from aares.recommend.lists.transitions import SOUNDS, place_arc
from aares.recommend.space.content import FloatArray
from aares.recommend.space.likeness import SongLikeness
from aares.recommend.traits.traits import read_traits

__all__ = [
    "AmbiguousSongError",
    "NoSongsLeftError",
    "Recommender",
    "ShortPlaylistWarning",
    "SongNotFoundError",
]


class Recommender(SongAsker, BaseEstimator):
    """Recommend songs that go with given ones.

    Parameters
    ----------
    weights : mapping of str to float, optional
        Weights of the features, see :data:`aares.recommend.space.content.WEIGHTS`: likeness is then
        a distance in these, and nothing is learnt.
    random_state : int
        Seed of what is learnt.
    cache : path, optional
        Folder that keeps what was learnt, for the next time.

    Attributes
    ----------
    songs_ : DataFrame
        The songs, rows numbered from 0.
    left_out_ : int
        Songs that were kept out since a cell that is needed is missing.
    points_ : ndarray of float, shape (n, d)
        Their coordinates in the space that is searched.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> songs = make_songs("recommendation", 4, speechiness=0.1, tempo=[90, 99, 140, 120])
    >>> songs["name"] = ["Chiquitita", "Fernando", "Commando", "Creep"]
    >>> songs["artists"] = [("ABBA",), ("ABBA",), ("Ramones",), ("TLC",)]
    >>> recommender = Recommender().fit(songs)
    >>> recommender.playlist(("chiquitita", "ABBA"), n=2)[["name", "artist", "reason"]]
           name artist                              reason
    1  Fernando   ABBA  as energetic, faster than the seed
    2     Creep    TLC  as energetic, faster than the seed
    """

    def __init__(
        self,
        *,
        weights: Mapping[str, float] | None = None,
        random_state: int = 0,
        cache: str | Path | None = None,
    ) -> None:
        self.weights = weights
        self.random_state = random_state
        self.cache = cache

    def fit(self, songs: pd.DataFrame) -> Recommender:
        """Learn what makes songs alike, and index them.

        Parameters
        ----------
        songs : DataFrame
            ``id``, ``name``, ``artists`` (list of names) or ``artist``, and the audio features;
            ``year``, ``popularity``, ``explicit`` and ``release_date`` where there are any.

        Returns
        -------
        Recommender

        Raises
        ------
        ValueError
            No song, or a column is missing or a cell is wrong, see :func:`aares.data.read_table`.

        Warns
        -----
        DataWarning
            Songs were kept out, of which a cell that is needed is missing.
        """
        whole, self.left_out_ = leave_out_missing(songs)
        self.catalogue_ = read_catalogue(whole)
        self.songs_ = self.catalogue_.songs
        self.traits_ = read_traits(self.catalogue_)
        self.likeness_ = SongLikeness(
            weights=self.weights, random_state=self.random_state, cache=self.cache
        )
        self.index_ = self.likeness_.fit_index(self.catalogue_, self.traits_.era)
        self.points_ = self.index_.points
        known = self.songs_.get("popularity")
        popularity = None if known is None else known.to_numpy(float)
        self._closeness = Closeness(self.index_, self.traits_, popularity)
        self._finder = SongFinder(self.songs_, self.catalogue_.artists, self.traits_.recording)
        self._sounds = self.songs_[list(SOUNDS)].to_numpy(float)
        self._teller = Teller(self.catalogue_, self._closeness)
        return self

    def playlist(
        self,
        seeds: Seed,
        n: int = 10,
        *,
        max_per_artist: int = 2,
        diversity: float = 0.0,
        novelty: float = 0.0,
        years: tuple[float | None, float | None] | None = None,
        explicit: bool | None = None,
        tempo: tuple[float | None, float | None] | None = None,
        languages: list[str] | None = None,
        exclude: Any = None,
        dislikes: Seed | None = None,
        to: Seed | None = None,
        arc: str | None = None,
        cost: str | None = "transition",
        pick: str | None = None,
        random_state: int | np.random.Generator | None = None,
    ) -> pd.DataFrame:
        """Return a playlist of songs that go with the seeds, in playing order.

        Each seed leads its share of the songs. Neither the seeds nor a second version of a
        recording come into the list; the studio version comes before a concert, a remix or a
        karaoke; who speaks (audio books, comedy) only follows who speaks.

        Parameters
        ----------
        seeds : str, pair, row or list of these
            A song's id, title, pair (title, artist) or link, a row of a table such as a playlist of
            this method, or several; see :func:`aares.recommend.finding.seeds.read_queries`. Of more
            seeds than songs, `n` that are spread over the list lead a song each.
        n : int
            Number of songs, from 1.
        max_per_artist : int
            At most so many songs in the list that credit an artist, as a guest too; "Various
            Artists" and the like are none. The seeds do not count.
        diversity : float, 0-1
            0 takes the closest songs; more prefers songs that differ from those already taken.
        novelty : float, 0-1
            More prefers songs that fewer people know.
        years : pair of int, optional
            First and last year, of the recording and not of a re-issue; None is any.
        explicit : bool, optional
            False leaves out explicit songs, True all others.
        tempo : pair of float, optional
            Slowest and fastest, in beats per minute; None is any.
        languages : list of str, optional
            Codes such as ``["fr"]``: of the title or, where it does not tell, of the artist.
        exclude : artist, song, playlist or list of these, optional
            What is not to come, see :func:`aares.recommend.lists.filters.exclude_songs`.
        dislikes : song or list of songs, optional
            What is close to these is moved away.
        to : song, optional
            The list leads from the seed to this song.
        arc : {"rise", "fall", "wave"}, optional
            Energy along the list.
        cost : {"transition", "distance"} or None
            What the order saves: jumps of tempo, key, loudness and energy, or distance. None puts
            the closest first.
        pick : {"popular"}, optional
            Of several songs that a title may mean take the most popular; otherwise it is an error.
        random_state : int or Generator, optional
            Each gives another list that is nearly as close. Without, the list is always the same.

        Returns
        -------
        DataFrame
            Numbered from 1: ``id``, ``name``, ``artist``, ``year`` (of the recording), ``score``
            (0-100: closer than so many of a hundred pairs of a song of the catalogue and one of the
            hundred songs around it), ``seed`` (the name of the seed that led to the song) and
            ``reason``, see :mod:`aares.recommend.lists.reasons`.

        Raises
        ------
        SongNotFoundError
            A seed, or what is excluded or disliked, is not in the table.
        AmbiguousSongError
            Several songs have the title of one of these, and `pick` does not say which.
        NoSongsLeftError
            The filters leave no song.
        ValueError
            The seed names no song, or an option is out of range.
        NotFittedError
            There are no songs yet to choose from.

        Warns
        -----
        ShortPlaylistWarning
            There are fewer than `n` songs that qualify.

        Examples
        --------
        >>> from aares.data import make_songs
        >>> songs = make_songs("recommendation", 4, speechiness=0.1, tempo=[90, 99, 110, 140])
        >>> songs["id"] = ["s1", "s2", "s3", "s4"]
        >>> songs["name"] = ["One", "Two", "One (Live)", "Four"]
        >>> recommender = Recommender().fit(songs)
        >>> recommender.playlist("s1", n=2, cost=None)[["name", "id"]]  # no other release of it
           name  id
        1   Two  s2
        2  Four  s4
        >>> recommender.playlist("s1", n=1, max_per_artist=1)["name"].tolist()
        ['Two']
        """
        check_is_fitted(self)
        check_options(n, max_per_artist, diversity, novelty, cost, arc)
        if novelty:
            require_column("novelty", self.catalogue_, "popularity")
        rows = self._find_seeds(seeds, dislikes, pick)
        disliked, goal = self._find_others(rows, dislikes, to, pick)
        kept = filter_songs(
            self.catalogue_, self.traits_, years=years, explicit=explicit, tempo=tempo,
            languages=languages,
        )  # fmt: skip
        if exclude is not None:
            find = partial(self.find_rows, pick=pick)
            kept["exclude"] = exclude_songs(exclude, self.catalogue_, self.traits_, find)
        allowed = np.logical_and.reduce([np.ones(len(self.songs_), dtype=bool), *kept.values()])
        rules = Rules(self.traits_.recording, self.catalogue_.by, max_per_artist)
        rules.taken.update(self.traits_.recording[[*rows, *disliked, *goal]].tolist())
        taste = Taste(disliked, novelty, draw_luck(random_state, len(self.songs_)))
        limits = Limits(allowed, rules)
        if goal:
            chosen = gather_way(self._closeness, int(rows[0]), goal[0], n, limits)
        else:
            chosen = gather_songs(self._closeness, rows, n, limits, taste, diversity=diversity)
        if not chosen and kept:
            raise NoSongsLeftError(f"the filters leave no song: {explain_filters(kept)}")
        if len(chosen) < n:
            warn_short(len(chosen), n, len(self.songs_), kept)
        ordered = self._order(chosen, rows.tolist(), goal, cost, arc)
        return self._teller.tell(ordered, near=len(rows) > 1 or bool(goal))

    def neighbours(self, song: Seed, k: int = 10, *, pick: str | None = None) -> pd.DataFrame:
        """Return the songs that are most like a song, closest first, whatever they are.

        No rule of a playlist holds here: a second version of the song is its first neighbour.

        Parameters
        ----------
        song : str, pair or row
            As a seed of :meth:`playlist`.
        k : int
            Number of songs, from 1.
        pick : {"popular"}, optional
            See :meth:`playlist`.

        Returns
        -------
        DataFrame
            As :meth:`playlist`; fewer than `k` rows if there are no more songs.

        Raises
        ------
        SongNotFoundError, ValueError
            As :meth:`playlist`; or there are several songs.

        Examples
        --------
        >>> from aares.data import make_songs
        >>> songs = make_songs("recommendation", 3, energy=[0.2, 0.9, 0.3])
        >>> songs["name"] = ["One", "Two", "One (Live)"]
        >>> Recommender().fit(songs).neighbours("One", k=1)["name"].tolist()
        ['One (Live)']
        """
        check_is_fitted(self)
        check_count("k", k)
        row = self._find_one("song", song, pick)
        near = self.index_.candidates(row, max(k, POOL))
        closeness = self._closeness.measure(row, near)
        first = np.lexsort((near, -closeness))[:k]
        found = zip(near[first].tolist(), closeness[first].tolist(), strict=True)
        return self._teller.tell([Choice(other, row, close) for other, close in found])

    def order_playlist(
        self,
        songs: Seed,
        *,
        cost: str = "transition",
        arc: str | None = None,
        start: Seed | None = None,
        end: Seed | None = None,
        pick: str | None = None,
    ) -> pd.DataFrame:
        """Put songs into playing order.

        Parameters
        ----------
        songs : DataFrame or list of songs
            Songs of the catalogue, such as a playlist of :meth:`playlist`.
        cost : {"transition", "distance"}
        arc : {"rise", "fall", "wave"}, optional
            See :meth:`playlist`.
        start, end : song, optional
            What is played before and after.
        pick : {"popular"}, optional
            See :meth:`playlist`.

        Returns
        -------
        DataFrame
            Numbered from 1: the rows of the table that was given, or ``id``, ``name``, ``artist``
            and ``year`` of the songs.

        Raises
        ------
        SongNotFoundError, ValueError
            As :meth:`playlist`.

        Examples
        --------
        >>> from aares.data import make_songs
        >>> songs = make_songs("recommendation", 3, energy=[0.9, 0.1, 0.5], name=["A", "B", "C"])
        >>> Recommender().fit(songs).order_playlist(songs, arc="rise")["name"].tolist()
        ['B', 'C', 'A']
        """
        check_is_fitted(self)
        check_order(cost, arc)
        rows = self._list_rows(songs, pick)
        before = [] if start is None else [self._find_one("start", start, pick)]
        after = [] if end is None else [self._find_one("end", end, pick)]
        order = self._arrange(rows, cost, arc, before, after)
        table = songs if isinstance(songs, pd.DataFrame) else self._teller.show(rows)
        return table.iloc[order].set_axis(pd.RangeIndex(1, len(rows) + 1), axis=0)

    def _find_seeds(
        self, seeds: Seed, dislikes: Seed | None, pick: str | None
    ) -> npt.NDArray[np.intp]:
        if dislikes is not None and isinstance(seeds, Sized) and not len(seeds):
            raise ValueError(
                "seed: expected at least one song beside the dislikes, found none: what to keep "
                "away from does not say where to go"
            )
        return self.find_rows(seeds, pick=pick)

    def _find_others(
        self, seeds: npt.NDArray[np.intp], dislikes: Seed | None, to: Seed | None, pick: str | None
    ) -> tuple[list[int], list[int]]:
        """Return the rows of what is disliked, and of the song to end at, if there is one."""
        disliked = [] if dislikes is None else self.find_rows(dislikes, pick=pick).tolist()
        goal = [] if to is None else [self._find_one("to", to, pick)]
        if goal and len(seeds) != 1:
            raise ValueError(f"seed: expected one song to go from, found {len(seeds)}")
        for name, rows in (("dislikes", disliked), ("to", goal)):
            if both := set(rows) & set(seeds.tolist()):
                song = self._teller.columns["name"][min(both)]
                raise ValueError(f"{name}: {song!r} is a seed, too; it can be only one of them")
        return disliked, goal

    def _order(
        self,
        chosen: list[Choice],
        seeds: Sequence[int],
        goal: Sequence[int],
        cost: str | None,
        arc: str | None,
    ) -> list[Choice]:
        """Put what was chosen into playing order; a way to a song keeps its direction."""
        n = len(chosen)
        if n < 2 or (cost is None and goal):
            return chosen
        if cost is None:
            return sorted(chosen, key=lambda song: (-song.closeness, song.row))
        place = place_arc(np.arange(float(n)), "rise") if goal and arc is None else None
        rows = [song.row for song in chosen]
        return [chosen[i] for i in self._arrange(rows, cost, arc, seeds, goal, place)]

    def _arrange(
        self,
        rows: Sequence[int],
        cost: str,
        arc: str | None,
        before: Sequence[int],
        after: Sequence[int],
        place: FloatArray | None = None,
    ) -> list[int]:
        sounds = self.points_ if cost == "distance" else self._sounds
        if arc is not None:
            place = place_arc(self._sounds[rows, SOUNDS.index("energy")], arc)
        order = order_playlist(
            sounds[rows],
            cost=cost,
            start=sounds[before] if len(before) else None,
            end=sounds[after] if len(after) else None,
            place=place,
        )
        return order.tolist()
