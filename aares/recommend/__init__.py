"""Exercise 3: a playlist from a song or a list of songs, then from all listeners' experience.

Notebook ``03_recommendation``. :mod:`.playlist` is the recommender, :mod:`.catalogue` what it reads
of a table of songs. The packages are its steps: ``finding`` finds the songs that somebody asks for,
``traits`` says what is known of each beside its sound, ``space`` how alike two are, ``lists`` which
of many alike make a playlist, in what order and why. ``listeners`` learns from all users'
experience and judges every method with songs that they chose.
"""

from aares.recommend.playlist import AmbiguousSongError, Recommender, SongNotFoundError
from aares.recommend.space.content import SongSpace

__all__ = ["AmbiguousSongError", "Recommender", "SongNotFoundError", "SongSpace"]
