"""Exercises 4 and 5 around ``fingerprint.py`` and ``utils_projet.py``, for notebook 04.

:mod:`.database` keeps hashes on disk, :mod:`.inverted_index` searches them without walking through
all songs, :mod:`.experiments` measures how often the assignment's method finds a song.
"""
