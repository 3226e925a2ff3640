"""What is near each song of the map, and what to play after it: the recommender's, without words.

:meth:`aares.recommend.Recommender.playlist` also says why each song is there, which takes longer
than to choose it. Here 25,000 songs are asked about and only the choice is kept: the same steps,
each pair of songs measured once for both lists.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares.recommend import Recommender
from aares.recommend.lists.arrange import order_playlist
from aares.recommend.lists.choosing import Ranking, Rules
from aares.recommend.lists.closeness import POOL, Closeness, Taste
from aares.recommend.lists.gathering import Limits, gather_songs
from aares.recommend.lists.transitions import SOUNDS

N_NEIGHBOURS, N_PLAYLIST = 8, 10
MAX_PER_ARTIST = 2
NOBODY = 65_535
"""In the place of a song where a list is short."""
Rows = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint16]


def list_others(recommender: Recommender, songs: pd.DataFrame) -> tuple[Bytes, Bytes]:
    """List for each song its nearest ones, and the playlist that it leads.

    Parameters
    ----------
    recommender : Recommender
        Fitted, with at most 65,535 songs.
    songs : DataFrame
        Its songs.

    Returns
    -------
    near : ndarray of uint16, shape (n, 8)
        Rows of `songs`, the nearest first: those that ``recommender.neighbours`` tells.
    lists : ndarray of uint16, shape (n, 10)
        In playing order: that of ``recommender.playlist``. :data:`NOBODY` where a list is short.

    Raises
    ------
    ValueError
        There are more songs.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> songs = make_songs("recommendation", 3, energy=[0.2, 0.9, 0.3])
    >>> songs["artists"] = [("ABBA",), ("TLC",), ("Cher",)]
    >>> recommender = Recommender().fit(songs)
    >>> near, lists = list_others(recommender, recommender.songs_)
    >>> near[0, :3].tolist(), lists.shape
    ([2, 1, 65535], (3, 10))
    """
    if len(songs) > NOBODY:
        raise ValueError(f"recommender: expected at most {NOBODY:,} songs, found {len(songs):,}")
    closeness = _Closeness(recommender.index_, recommender.traits_)
    recording, by = recommender.traits_.recording, recommender.catalogue_.by
    sounds, everyone = songs[list(SOUNDS)].to_numpy(float), np.ones(len(songs), dtype=bool)
    near = np.full((len(songs), N_NEIGHBOURS), NOBODY, dtype=np.uint16)
    lists = np.full((len(songs), N_PLAYLIST), NOBODY, dtype=np.uint16)
    for row in range(len(songs)):
        rules = Rules(recording, by, MAX_PER_ARTIST, taken={int(recording[row])})
        chosen = gather_songs(
            closeness, np.array([row]), N_PLAYLIST, Limits(everyone, rules), Taste()
        )
        rows = np.array([song.row for song in chosen], dtype=np.intp)
        if len(rows) > 1:
            rows = rows[order_playlist(sounds[rows], start=sounds[[row]])]
        lists[row, : len(rows)] = rows
        found = closeness.list_nearest()[:N_NEIGHBOURS]
        near[row, : len(found)] = found
    return near, lists


class _Closeness(Closeness):
    """Closeness that is asked about one song after another: what was measured last is kept."""

    last: Ranking

    def rank(self, seed: int, allowed: BoolArray, size: int, taste: Taste) -> Ranking:
        self.last = super().rank(seed, allowed, size, taste)
        return self.last

    def list_nearest(self) -> Rows:
        """Return the songs around the last seed, closest first, whatever they are."""
        near = self.index.candidates(self.last.seed, POOL)
        closeness = np.full(len(self.index.points), np.nan)
        closeness[self.last.rows] = self.last.closeness
        new = near[np.isnan(closeness[near])]
        closeness[new] = self.measure(self.last.seed, new)
        return near[np.lexsort((near, -closeness[near]))]
