"""The albums that the figures are measured on: free game music of Debian's packages.

``tools/fetch_music.py`` unpacks the packages into a folder; this module says which of the files are
songs of an album. Copies are left out later, by the fingerprint index
(:mod:`aares.chaining.copies`).
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from aares.errors import AaresError
from workshop.config import ROOT

FOLDERS = {
    "Battle for Wesnoth": "usr/share/games/wesnoth/*/data/core/music",
    "Warzone 2100: legacy": "usr/share/games/warzone2100/music/albums/legacy_soundtrack",
    "Warzone 2100: aftermath": "usr/share/games/warzone2100/music/albums/aftermath_soundtrack",
    "Drascula": "usr/share/scummvm/drascula/audio",
    "Endgame: Singularity": "usr/share/games/singularity/music",
    "HyperRogue": "usr/share/hyperrogue/music",
    "SuperTuxKart": "usr/share/games/supertuxkart/data/music",
}
"""Album -> where its files lie in whatever package holds them."""
SUFFIXES = {".ogg", ".opus", ".mp3", ".flac", ".wav"}


class MusicError(AaresError):
    """The albums are not there."""


def find_music() -> Path:
    """Return the folder of the albums; `MusicError` with the step that makes it where it is not."""
    folder = Path(os.environ.get("AARES_MUSIC") or ROOT / "data" / "music")
    if not folder.is_dir():
        raise MusicError(
            f"{folder.name}: expected a folder of albums, found none; python tools/fetch_music.py "
            "fetches them (on Debian or Ubuntu, 1 GB), or set AARES_MUSIC"
        )
    return folder


def list_music(folder: Path | None = None) -> pd.DataFrame:
    """Return the songs of the albums.

    Parameters
    ----------
    folder : Path, optional
        Default: :func:`find_music`.

    Returns
    -------
    DataFrame
        ``path``, ``song`` (unique) and ``album``, by album and file name. Links are left out.
    """
    folder = folder or find_music()
    rows = [
        {"path": path, "song": f"{album} / {path.stem}", "album": album}
        for album, pattern in FOLDERS.items()
        for path in sorted([*folder.glob(pattern + "/*.*"), *folder.glob("*/" + pattern + "/*.*")])
        if path.suffix.lower() in SUFFIXES and not path.is_symlink()
    ]
    if not rows:
        raise MusicError(f"{folder.name}: expected the albums {', '.join(FOLDERS)}, found no song")
    return pd.DataFrame(rows)
