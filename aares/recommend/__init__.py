"""Exercise 3: a playlist from a song or a list of songs, then from all listeners' experience.

Notebook ``03_recommendation``. :mod:`.content` is the space of songs, :mod:`.playlist` the
recommender, :mod:`.seeds` and :mod:`.finder` read and find what it is asked for, :mod:`.users`
learns from listeners, :mod:`.evaluate` judges with hidden songs.
"""

from aares.recommend.content import SongSpace
from aares.recommend.playlist import AmbiguousSongError, Recommender, SongNotFoundError

__all__ = ["AmbiguousSongError", "Recommender", "SongNotFoundError", "SongSpace"]
