"""Which items are spoken: audio dramas, audiobooks, comedy, interviews.

Used by notebook ``03_recommendation`` through :func:`aares.recommend.traits.read_traits`. Three
kinds of evidence: the speechiness, of which Spotify says that above 0.66 a track is probably made
entirely of spoken words; the chapter in the title; and how many items of the artist are so. Rap
reaches the same speechiness, over a beat: what is in doubt is told apart from what is spoken.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares.recommend.naming import fold

BoolArray = npt.NDArray[np.bool_]

TALK = 0.66
"""Speechiness above which a track is "probably made entirely of spoken words" (Spotify's Web API
reference, audio features)."""

_CHAPTER = re.compile(
    r"\b(?:kapitel|kap|folge|teil|akt|chapter|capitulo|capitol[ou]|chapitre|hoofdstuk|kapitola|"
    r"rozdzial|czesc|luku|osa|episode|episodio|aflevering|deel|bolum|fejezet|lektion|lesson|bab)"
    r"\.? *(?:\#|nr\.? ?)?\d+|\btrack *\d\d|\b(?:глава|часть|серия) *\d|第\d+[章話回]|"
    r"\bh[o]rspiel\b|\baudiobook\b|\baudiolibro\b|\blivre audio\b|\bhorbuch\b|\bpodcast\b|"
    r"\bungekurzt\b|\bunabridged\b|\blydbok\b|\bljudbok\b|\bluisterboek\b"
)
_ASIDE = re.compile(
    r"\bskit\b|\binterview\b|\bvoice-?over\b|\bspoken word\b|\bmonologue?\b|\bspeech\b|"
    r"\berzahler\b|\bforteller\b|\bfortelling|\bwith dialogue\b|\bnarrat|\bdialog(?:ue)?\b"
)
_SERIES_SHARE, _SERIES_ITEMS = 0.4, 3


def find_spoken(songs: pd.DataFrame, artists: list[tuple[str, ...]]) -> tuple[BoolArray, BoolArray]:
    """Find the spoken items, and those that may be.

    Parameters
    ----------
    songs : DataFrame, shape (N, columns)
        ``name``, ``speechiness``, ``acousticness`` and ``energy``.
    artists : list of tuple of str
        The first of each names the series.

    Returns
    -------
    spoken : ndarray of bool, shape (N,)
    maybe : ndarray of bool, shape (N,)
        Spoken, or with any sign of it: too wordy for a playlist of music.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> songs = make_songs("recommendation", 3, speechiness=[0.94, 0.3, 0.7])
    >>> songs["name"] = ["Kapitel 04 - im Orient", "Kapitel 05 - im Orient", "Rap God"]
    >>> songs["acousticness"] = 0.1
    >>> spoken, maybe = find_spoken(songs, [("Bibi",), ("Bibi",), ("Eminem",)])
    >>> spoken.tolist(), maybe.tolist()
    ([True, True, False], [True, True, True])
    """
    folded = [fold(title) for title in songs["name"]]
    chapter = np.array([bool(_CHAPTER.search(title)) for title in folded])
    aside = np.array([bool(_ASIDE.search(title)) for title in folded])
    speech = songs["speechiness"].to_numpy(float)
    wordy = speech > TALK
    series = pd.factorize(np.array([names[0] for names in artists], dtype=object))[0]
    share = _average(series, wordy)
    chapters = _average(series, chapter & (speech > 0.3))
    is_series = (share >= _SERIES_SHARE) & (np.bincount(series)[series] >= _SERIES_ITEMS)
    # Beat and instruments keep rap from being acoustic; a voice in a room is.
    bare = (songs["acousticness"].to_numpy(float) >= 0.35) & (songs["energy"].to_numpy(float) < 0.8)
    alone = (speech >= 0.9) & bare | (speech >= 0.8) & bare & (aside | (share > 0.5))
    spoken = (
        (chapter & ((speech > 0.3) | (chapters >= 0.5) | is_series))
        | (is_series & (speech > 0.4))
        | (aside & wordy)
        | alone
    )
    return spoken, spoken | wordy | chapter | is_series


def _average(groups: npt.NDArray[np.intp], values: BoolArray) -> npt.NDArray[np.floating]:
    """Return for each row the mean of its group."""
    total = np.bincount(groups, weights=values.astype(float))
    return np.asarray((total / np.bincount(groups))[groups])
