"""Real music in four sets of sources that share none: who is indexed, and who decides what.

A source is a package of Debian 12, the soundtrack of one free game (``tools/fetch_music.py --all``
unpacks them). Excerpts of one track are alike, and so are tracks of one composer, so sets differ by
package:

* `INDEXED` packages are what known excerpts come from;
* `CALIBRATE` is unknown music on which probabilities are fitted;
* `CHOOSE` is unknown music on which anything is chosen, such as a threshold;
* `REPORT` is unknown music that only reported figures have heard.

A signal is kept in ``data/cache/signals`` at 8 kHz; of longer tracks the first three minutes are
used.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf

from aares.audio import distortions
from aares.audio.decoding import change_rate, open_sound, read_mono
from aares.errors import AaresError
from workshop.config import CACHE, ROOT, SKIPPED

SR = distortions.NOISE_RATE_HZ
MUSIC_S = 180.0
LEAST_S = 30.0  # shorter files are jingles and noises
SUFFIXES = {".ogg", ".opus", ".mp3", ".flac", ".wav"}
INDEXED = (
    "drascula-music", "hyperrogue-music", "singularity-music", "supertuxkart-data",
    "warzone2100-music", "wesnoth-1.16-music",
)  # fmt: skip
CALIBRATE = (
    "a7xpg-data", "asc-music", "brainparty-data", "caveexpress-data", "cavepacker-data",
    "colobot-common-sounds", "enigma-data", "extremetuxracer-data",
    "fretsonfire-songs-muldjord", "fretsonfire-songs-sectoid", "frozen-bubble-data", "funnyboat",
    "gunroar-data", "hannah-data", "holotz-castle-data", "lincity-ng-data", "lordsawar-data",
    "lugaru-data", "mu-cade-data", "noiz2sa-data", "openarena-088-data", "parsec47-data",
    "powermanga-data", "rrootage-data", "scorched3d-data", "titanion-data", "torcs-data",
    "torus-trooper-data", "tumiki-fighters-data", "xmoto-data",
)  # fmt: skip
CHOOSE = ("megaglest-data", "naev-data")
REPORT = (
    "ardentryst", "fillets-ng-data", "flare-game", "freedroidrpg-data", "hedgewars-data",
    "marsshooter-data", "nexuiz-data", "nexuiz-music", "openclonk-data", "pushover-data",
    "redeclipse-data", "starfighter-data", "supertux-data", "ufoai-music", "unknown-horizons",
    "warmux-data", "widelands-data",
)  # fmt: skip
ROLES = {"indexed": INDEXED, "calibrate": CALIBRATE, "choose": CHOOSE, "report": REPORT}
OMITTED = (
    "/tilesets/", "/soundfx/", "/ambience/", "/sfx/", "/ambient/", "/ardentryst/Sounds/",
    "/library/", "/steamLocomotive", "/audio/sounds/", "/sounds/tada",
    "/Wind.", "/wind_ambient", "/DesertAmbient",
)  # fmt: skip
"""Parts of paths that hold no music of their own: weather, machines."""


class SourceError(AaresError):
    """The music is not there."""

    status = SKIPPED


@dataclass(frozen=True)
class Track:
    """A recording of the catalogue, or of the music outside it.

    Parameters
    ----------
    path : Path
    source : str
        Package, or "rendered".
    name : str
        Unique; ``package__stem`` for a package's.
    family : str
        Recordings of one family share music: they are never called unknown to each other.
    """

    path: Path
    source: str
    name: str
    family: str

    @property
    def rendered(self) -> bool:
        """Tell whether this project made it."""
        return self.source == "rendered"

    def load(self) -> np.ndarray:
        """Return the signal at 8 kHz, from a cache that is as fast as the disk."""
        kept = CACHE / "signals" / f"{self.name}.npy"
        if not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            stage = kept.with_suffix(f".{os.getpid()}.npy")
            np.save(stage, decode_start(self.path).astype(np.float16))
            stage.rename(kept)
        return np.load(kept).astype(np.float32)


def decode_start(path: Path) -> np.ndarray:
    """Decode the first three minutes at 8 kHz."""
    with open_sound(path) as stream:
        rate = stream.samplerate
        y = read_mono(stream, 0, min(stream.frames, int((MUSIC_S + 0.5) * rate)))
    return change_rate(y, orig_sr=rate, target_sr=SR)[: int(MUSIC_S * SR)]


def find_folders() -> list[Path]:
    """Return the folders of packages: those in AARES_MUSIC, separated as in PATH, or data/music."""
    named = list(filter(None, os.environ.get("AARES_MUSIC", "").split(os.pathsep)))
    folders = [Path(folder) for folder in named or [str(ROOT / "data" / "music")]]
    found = [folder for folder in folders if folder.is_dir()]
    if not found:
        raise SourceError(
            f"{folders[0].name}: expected a folder of music, found none; "
            "python tools/fetch_music.py --all fetches it (on Debian or Ubuntu), "
            "or set AARES_MUSIC"
        )
    return found


def list_tracks(role: str) -> list[Track]:
    """List the tracks of a set of sources: "indexed", "calibrate", "choose" or "report"."""
    return [track for package in ROLES[role] for track in list_package(package)]


def list_package(package: str) -> list[Track]:
    """List the music of a package, by name; none where it is not there.

    Parameters
    ----------
    package : str

    Returns
    -------
    list of Track
        Of at least 30 s, without links, and without what `OMITTED` names.
    """
    folders = [folder / package for folder in find_folders() if (folder / package).is_dir()]
    files = sorted(path for folder in folders[:1] for path in folder.rglob("*"))
    files = [p for p in files if p.suffix.lower() in SUFFIXES and not p.is_symlink()]
    lasting = [p for p in files if measure_length(p) >= LEAST_S]
    stems = Counter(path.stem for path in lasting)
    tracks = {}
    for path in lasting:
        stem, depth = path.stem, 1
        while stems[path.stem] > 1 and (depth == 1 or f"{package}__{stem}" in tracks):
            depth += 1
            stem = "-".join([*path.parts[-depth:-1], path.stem])
        name = f"{package}__{stem}"
        tracks[name] = Track(path, package, name, name)
    return [track for track in tracks.values() if is_music(track.path)]


def is_music(path: Path) -> bool:
    """Tell whether a file is a track of its own."""
    text = path.as_posix()
    return not any(part in text for part in OMITTED)


def measure_length(path: Path) -> float:
    """Return the seconds of a file; 0 where it is no sound."""
    try:
        return float(sf.info(str(path)).duration)
    except sf.LibsndfileError:
        return 0.0
