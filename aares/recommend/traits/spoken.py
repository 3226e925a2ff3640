"""Which items are spoken: audio dramas, audiobooks, comedy, interviews.

Used by notebook ``03_recommendation`` through :func:`aares.recommend.traits.traits.read_traits`.
Three kinds of evidence: the speechiness, of which Spotify says that above 0.66 a track is probably
made entirely of spoken words; the chapter in the title; and how many items of the artist are so.
Rap reaches the same speechiness, over a beat: what is in doubt is told apart from what is spoken.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from aares.recommend.catalogue import Catalogue
from aares.recommend.traits.naming import fold, number_owners, read_names

BoolArray = npt.NDArray[np.bool_]

TALK = 0.66
"""Speechiness above which a track is "probably made entirely of spoken words" (Spotify's Web API
reference, audio features)."""

_CHAPTER = re.compile(
    r"\b(?:kapitel|folge|teil|akt|chapter|capitulo|capitol[ou]|chapitre|hoofdstuk|kapitola|"
    r"rozdzial|czesc|luku|osa|episode|episodio|aflevering|deel|bolum|fejezet|lektion|lesson|bab)"
    r"\.? *(?:\#|nr\.? ?)?\d+|\btrack *\d\d|\b(?:глава|часть|серия) *\d|第\d+[章話回]|"
    r", del \d|\bhorspiel\b|\baudiobook\b|\baudiolibro\b|\blivre audio\b|\bhorbuch\b|\bpodcast\b|"
    r"\bungekurzt\b|\bunabridged\b|\blydbok\b|\bljudbok\b|\bluisterboek\b"
)
_MAY_CHAPTER = re.compile(r"\d|spiel|book|libro|livre|horb|podcast|kurzt|bridged|b[ol]?[oe]k|lydb")
_ASIDE = re.compile(
    r"\bskit\b|\binterview\b|\bvoice-?over\b|\bspoken word\b|\bmonologue?\b|\bspeech\b|"
    r"\berzahler\b|\bforteller\b|\bfortelling|\bwith dialogue\b|\bnarrat|\bdialog(?:ue)?\b"
)
_SERIES_SHARE, _SERIES_ITEMS = 0.4, 3


def find_spoken(catalogue: Catalogue) -> tuple[BoolArray, BoolArray]:
    """Find the spoken items, and those that may be.

    Parameters
    ----------
    catalogue : Catalogue
        The first artist of each song names the series.

    Returns
    -------
    spoken : ndarray of bool, shape (N,)
    maybe : ndarray of bool, shape (N,)
        Spoken, or with any sign of it: too wordy for a playlist of music.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> from aares.recommend.catalogue import read_catalogue
    >>> songs = make_songs("recommendation", 3, speechiness=[0.94, 0.3, 0.7])
    >>> songs["name"] = ["Kapitel 04 - im Orient", "Kapitel 05 - im Orient", "Rap God"]
    >>> songs["artists"], songs["acousticness"] = [("Bibi",), ("Bibi",), ("Eminem",)], 0.1
    >>> spoken, maybe = find_spoken(read_catalogue(songs))
    >>> spoken.tolist(), maybe.tolist()
    ([True, True, False], [True, True, True])
    """
    songs, titles = catalogue.songs, read_names(catalogue)
    speech = songs["speechiness"].to_numpy(float)
    wordy = speech > TALK
    chapter = np.array([_has_chapter(fold(title)) for title in titles], dtype=bool)
    aside = np.zeros(len(titles), dtype=bool)
    for row in np.flatnonzero(wordy):
        aside[row] = bool(_ASIDE.search(fold(titles[row])))
    # Beat and instruments keep rap from being acoustic; a voice in a room is.
    acoustic = songs["acousticness"].to_numpy(float)
    bare = (acoustic >= 0.6) | (acoustic >= 0.35) & (songs["energy"].to_numpy(float) < 0.8)
    series = number_owners(catalogue.by)
    share = _average(series, wordy & (bare | chapter | aside))
    chapters = _average(series, chapter & (speech > 0.2))
    items = np.bincount(series[series >= 0], minlength=1)[series]
    is_series = (series >= 0) & (share >= _SERIES_SHARE) & (items >= _SERIES_ITEMS)
    several = (items > 1) & (series >= 0)
    alone = (speech >= 0.9) & bare | (speech >= 0.8) & bare & several & (share > 0.5)
    spoken = (
        (chapter & ((speech > 0.5) | (several & (chapters >= 0.5)) | is_series))
        | (is_series & (speech > 0.4))
        | (aside & wordy)
        | alone
    )
    return spoken, spoken | wordy | chapter | is_series


def _has_chapter(folded: str) -> bool:
    """Whether a folded title names a chapter or an audiobook: a quick look before the slow one."""
    return bool(_MAY_CHAPTER.search(folded)) and bool(_CHAPTER.search(folded))


def _average(groups: npt.NDArray[np.intp], values: BoolArray) -> npt.NDArray[np.floating]:
    """Return for each row the mean of its group; 0 for one without (-1)."""
    rows = np.flatnonzero(groups >= 0)
    total = np.bincount(groups[rows], weights=values[rows].astype(float), minlength=1)
    size = np.bincount(groups[rows], minlength=1)
    return np.where(groups >= 0, (total / np.maximum(size, 1))[groups], 0.0)
