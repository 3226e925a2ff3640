"""The albums that the figures are measured on: free game music of Debian's packages.

``tools/fetch_music.py`` unpacks the packages into a folder; this module says which of the files are
songs of an album. Copies are left out by the fingerprint index (:mod:`aares.chaining.copies`), once
for all measures: what it finds is kept in ``data/cache`` by names and sizes of the files.
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from aares.chaining.copies import drop_copies, find_copies
from aares.errors import AaresError
from aares.files import digest
from workshop.config import CACHE, DEMO, ROOT, SKIPPED, Workplace

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

    status = SKIPPED


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


def read_copies(songs: pd.DataFrame) -> pd.DataFrame:
    """Return which of the songs hold another one, looked for once."""
    files = zip(songs["song"], songs["path"], strict=True)
    sizes = [f"{song} {Path(path).stat().st_size}" for song, path in files]
    kept = CACHE / "copies" / f"{digest('|'.join(sizes).encode())}.csv"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        find_copies(songs).to_csv(kept, index=False)
    return pd.read_csv(kept)


def load_albums() -> pd.DataFrame:
    """Return the songs of the albums, one of each group of copies."""
    songs = list_music()
    return drop_copies(songs, read_copies(songs))


def list_renderings() -> pd.DataFrame:
    """Return the project's own renderings as such songs, by the album in their names."""
    paths = sorted((DEMO / "songs").glob("*.ogg"))
    songs = pd.DataFrame({"path": paths, "song": [f"demo / {path.stem}" for path in paths]})
    songs["composer"] = [path.stem.split(" - ")[0] for path in paths]
    songs["album"] = [path.stem.split(" - ")[1] for path in paths]
    return songs


def list_clips(source: Workplace) -> pd.DataFrame:
    """Return the clips beside the listeners' data, by genre; none where they are not there."""
    paths = sorted((source.users.parent / "audio" / "clips").glob("*.wav"))
    genres = [path.name.split(".")[0] for path in paths]
    return pd.DataFrame({"path": paths, "song": [p.stem for p in paths], "genre": genres})
