"""Where things are, and the constants of the assignment.

Used by every notebook. Two sources of data exist and never mix:

* *course*: the files of the assignment, in ``data/course/`` or in the folder that the environment
  variable ``AARES_DATA`` names;
* *demo*: ``data/demo/``, made by the project and committed, used when there are no course files or
  when ``AARES_SOURCE=demo`` asks for it.

Course results go to ``notebooks/``, ``submission/`` and ``report/``; demo results go to the same
folders below ``build/demo/``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "data" / "demo"
COURSE = ROOT / "data" / "course"
STAGE = "AARES_STAGE"  # environment variable: where a build that may still fail puts its results
CACHE = ROOT / "data" / "cache"
SKIPPED = 77  # status of a benchmark that lacks what it compares with
SEED = 0

# Preliminaries of the assignment: the 23 genres, in its order.
GENRES: tuple[str, ...] = (
    "r&b", "rap", "classical", "salsa", "edm", "hip hop", "trap", "techno", "jazz", "metal",
    "country", "rock", "reggae", "latin", "disco", "soul", "chanson", "blues", "dance", "electro",
    "punk", "folk", "pop",
)  # fmt: skip

# Appendix A: what Spotify computed from the sound.
AUDIO_FEATURES: tuple[str, ...] = (
    "danceability", "energy", "key", "loudness", "mode", "speechiness", "acousticness",
    "instrumentalness", "liveness", "valence", "tempo", "duration_ms", "time_signature",
)  # fmt: skip

TABLES: dict[str, tuple[str, ...]] = {
    "train": ("spotify_dataset_train.csv",),
    "test": ("spotify_dataset_test.csv",),
    "subset": ("spotify_dataset_subset.csv",),
    "recommendation": ("spotify_dataset_recommendation.csv", "recommendation_spotify.csv"),
}


class ConfigError(Exception):
    """The environment asks for data that is not there."""


@dataclass(frozen=True)
class DataSource:
    """A place of data, and the place where its results go.

    Parameters
    ----------
    kind : {"course", "demo"}
    folder : Path
        Holds the four tables and ``songs/``.
    users : Path or None
        Folder with listening data (``playlists/spotify_songs.csv``), beside the course folder.
    out : Path
        Results go to ``out/notebooks``, ``out/submission`` and ``out/report``.
    """

    kind: str
    folder: Path
    users: Path | None
    out: Path

    def describe(self) -> str:
        """One sentence for the first line of a notebook and page 1 of the report.

        Returns
        -------
        str
        """
        if self.kind == "demo":
            return (
                "Demo data: synthetic songs made by this project "
                "(put the course's files into data/course/ for the real ones)."
            )
        return "Course data: the files of the assignment."


def find_data(kind: str | None = None) -> DataSource:
    """Find the course's files, or the demo data.

    Parameters
    ----------
    kind : {"course", "demo"}, optional
        Default: the environment variable ``AARES_SOURCE``; without it, course where the course's
        files are found, else demo.

    Returns
    -------
    DataSource

    Raises
    ------
    ConfigError
        ``AARES_DATA`` names no folder, course data is asked for but absent or has other names, or
        `kind` is unknown.
    """
    kind = kind or os.environ.get("AARES_SOURCE") or None
    out = os.environ.get(STAGE)
    if kind not in (None, "course", "demo"):
        raise ConfigError(f"data source: expected 'course' or 'demo', found {kind!r}")
    if kind == "demo":
        return DataSource("demo", DEMO, None, Path(out or ROOT / "build" / "demo"))
    folder = _course_folder()
    if folder is None and kind is None:
        _check_names()
        return find_data("demo")
    if folder is None:
        names = ", ".join(names[0] for names in TABLES.values())
        raise ConfigError(
            f"no course data: put {names} and songs/ into {COURSE.relative_to(ROOT)}/, "
            "or name their folder in the environment variable AARES_DATA"
        )
    users = folder.parent / "users"
    return DataSource("course", folder, users if users.is_dir() else None, Path(out or ROOT))


def _check_names() -> None:
    """Say so if the course's folder holds tables, but none by the names of the assignment."""
    found = sorted(path.name for path in COURSE.glob("*.csv"))
    if found:
        names = ", ".join(names[0] for names in TABLES.values())
        raise ConfigError(
            f"{COURSE.relative_to(ROOT)}/: expected {names}, found {', '.join(found)}; "
            "for the demo data: --data demo"
        )


def _course_folder() -> Path | None:
    named = os.environ.get("AARES_DATA")
    if named:
        folder = Path(named).expanduser().resolve()
        if not folder.is_dir():
            raise ConfigError(f"AARES_DATA: expected a folder, found nothing at {named!r}")
        return folder
    found = any((COURSE / name).is_file() for names in TABLES.values() for name in names)
    return COURSE if found else None
