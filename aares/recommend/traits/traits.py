"""What a listener knows of each song and the sound does not say: one recording, kind, era, tongue.

Used by notebook ``03_recommendation``. A playlist holds a recording once, of the studio rather than
live; gives music for music, not chapters of an audio drama; and asks when a song was recorded, not
when it was issued again. Everything is read from the table itself: titles, artists, years, sound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares.recommend.catalogue import Catalogue
from aares.recommend.traits.eras import date_recordings
from aares.recommend.traits.languages import tell_languages
from aares.recommend.traits.naming import GENERIC, bare_title, fold, read_names, squeeze
from aares.recommend.traits.recordings import list_credits, tell_recordings
from aares.recommend.traits.sounds import find_same_sounds
from aares.recommend.traits.spoken import find_spoken
from aares.recommend.traits.versions import PREFERENCE, tell_versions
from aares.recommend.traits.works import is_classical


@dataclass(frozen=True)
class Traits:
    """What is known of each song of a catalogue; one entry for each row.

    Parameters
    ----------
    recording : ndarray of int, shape (N,)
        Number of the recording, see :mod:`aares.recommend.traits.recordings`; a playlist holds each
        once.
    preferred : ndarray of int, shape (N,)
        Row that stands for this one, with the same artists and title: of the studio, then the
        most popular.
    version : ndarray of int, shape (N,)
        Kind of recording: 0 studio, 1 live, 2 another version (remix, acoustic, demo ...),
        3 karaoke or tribute, see :mod:`aares.recommend.traits.versions`.
    spoken : ndarray of bool, shape (N,)
        Audio dramas, comedy, interviews ..., see :mod:`aares.recommend.traits.spoken`.
    wordy : ndarray of bool, shape (N,)
        Spoken, or with any sign of it: a playlist of a seed that is not spoken holds none.
    era : ndarray of float, shape (N,)
        Year of the recording, see :mod:`aares.recommend.traits.eras`; NaN without years.
    language : ndarray of str, shape (N,)
        Of the title: ISO 639-1 code or "", see :mod:`aares.recommend.traits.languages`.
    artist_language : ndarray of str, shape (N,)
        Of the first artist's titles together; "" for one with fewer than three.
    classical : ndarray of bool, shape (N,)
        Titles written like those of the classical repertoire, see
        :mod:`aares.recommend.traits.works`.
    """

    recording: npt.NDArray[np.intp]
    preferred: npt.NDArray[np.intp]
    version: npt.NDArray[np.int8]
    spoken: npt.NDArray[np.bool_]
    wordy: npt.NDArray[np.bool_]
    era: npt.NDArray[np.floating]
    language: npt.NDArray[np.object_]
    artist_language: npt.NDArray[np.object_]
    classical: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.recording)


def read_traits(catalogue: Catalogue) -> Traits:
    """Read the traits of all songs of a catalogue.

    Parameters
    ----------
    catalogue : Catalogue
        See :func:`aares.recommend.catalogue.read_catalogue`.

    Returns
    -------
    Traits

    Examples
    --------
    >>> from aares.data import make_songs
    >>> from aares.recommend.catalogue import read_catalogue
    >>> songs = make_songs("recommendation", 3, year=[2011, 1974, 1999])
    >>> songs["name"] = ["Waterloo - Remastered", "Waterloo", "Ne me quitte pas (Live)"]
    >>> songs["energy"] = songs["valence"] = songs["liveness"] = [0.1, 0.5, 0.9]
    >>> traits = read_traits(read_catalogue(songs))
    >>> traits.recording.tolist(), traits.era.tolist(), traits.version.tolist()
    ([0, 0, 1], [1974.0, 1974.0, 1999.0], [0, 0, 1])
    """
    titles = read_names(catalogue)
    people, same_sounds = list_credits(catalogue), find_same_sounds(catalogue)
    spoken, wordy = find_spoken(catalogue)
    classical = np.array([is_classical(title) for title in titles], dtype=bool)
    version = tell_versions(titles, catalogue.artists)
    recording = tell_recordings(catalogue, people, same_sounds)
    era = date_recordings(
        catalogue,
        people,
        versions=version,
        classical=classical,
        spoken=spoken,
        same_sounds=same_sounds,
    )
    language, artist_language = tell_languages(titles, catalogue.by)
    return Traits(
        recording=recording,
        preferred=_prefer(catalogue, recording, version),
        version=version,
        spoken=spoken,
        wordy=wordy,
        era=era,
        language=language,
        artist_language=artist_language,
        classical=classical,
    )


def _prefer(
    catalogue: Catalogue, recording: npt.NDArray[np.intp], version: npt.NDArray[np.int8]
) -> npt.NDArray[np.intp]:
    """Return the row that stands for each row's recording; of equals the first.

    Only one by the same artists: "Rasputin" by Majestic and Boney M. is another production.
    """
    songs, titles = catalogue.songs, read_names(catalogue)
    by = pd.factorize(np.array(["\0".join(sorted(names)) for names in catalogue.by], dtype=object))
    names = pd.factorize(np.array([_name_piece(title) for title in titles], dtype=object))
    keys = pd.DataFrame({"recording": recording, "by": by[0], "name": names[0]})
    piece = keys.groupby(list(keys), sort=False).ngroup().to_numpy()
    popularity = songs.get("popularity", np.zeros(len(songs)))
    likely_live = songs["liveness"].to_numpy(float) > 0.8
    rank = PREFERENCE[version]
    order = np.lexsort((-np.asarray(popularity, float), likely_live, rank, piece))
    best = order[np.unique(piece[order], return_index=True)[1]]
    return best[piece].astype(np.intp)


def _name_piece(title: str) -> str:
    """Return what must be the same for one row to stand for another: of a work all its numbers."""
    folded = fold(title)
    bare = bare_title(folded)
    return squeeze(folded) if bare in GENERIC or is_classical(title) else bare
