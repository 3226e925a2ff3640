"""Exercise 1: predict the genre of the challenge's songs.

Notebook ``01_genre``. :mod:`.labels` holds the rule that made the labels, :mod:`.songs` turns the
table into numbers, :mod:`.guess` guesses from them, :mod:`.neighbors` asks similar songs,
:mod:`.decision` weighs it all, with :mod:`.candidates` among its models, :mod:`.model` is the
classifier, :mod:`.compare` compares it with others, :mod:`.explore` looks at data and errors.
Scores are micro-averaged F1, which for one label a song is the accuracy.
"""

from aares.genre.labels import KEYWORDS, label_from_genres, label_songs, match_songs, remove_songs
from aares.genre.model import LIGHT, GenreClassifier, make_model

__all__ = [
    "KEYWORDS",
    "LIGHT",
    "GenreClassifier",
    "label_from_genres",
    "label_songs",
    "make_model",
    "match_songs",
    "remove_songs",
]
