"""Where the assignment's files are: the names of the tables, and a folder that holds them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aares.errors import DataError

TABLES: dict[str, tuple[str, ...]] = {
    "train": ("spotify_dataset_train.csv",),
    "test": ("spotify_dataset_test.csv",),
    "subset": ("spotify_dataset_subset.csv",),
    "recommendation": ("spotify_dataset_recommendation.csv", "recommendation_spotify.csv"),
}
SONG_SUFFIXES = (".flac", ".m4a", ".mp3", ".ogg", ".wav")


@dataclass(frozen=True)
class DataSource:
    """A place of data.

    Parameters
    ----------
    kind : {"course", "demo"}
        The files of the assignment, or invented ones.
    folder : Path
        Holds the four tables and ``songs/``.
    users : Path
        Folder with listening data: ``playlists/spotify_songs.csv``, or the demo's
        ``listening.csv``, see :func:`aares.data.load_listening`; and
        ``hetrec2011-lastfm-2k``, see :func:`aares.data.load_artists`.
    """

    kind: str
    folder: Path
    users: Path

    def describe(self) -> str:
        """Write one sentence for the first line of a notebook and page 1 of the report.

        Returns
        -------
        str

        Examples
        --------
        >>> from pathlib import Path
        >>> DataSource("course", Path("course"), Path("users")).describe()
        'Course data: the files of the assignment.'
        """
        if self.kind == "demo":
            return (
                "Demo data: synthetic songs made by this project "
                "(put the course's files into data/course/ for the real ones)."
            )
        return "Course data: the files of the assignment."

    def find_table(self, table: str) -> Path:
        """Return the path of one of the four tables.

        Parameters
        ----------
        table : {"train", "test", "subset", "recommendation"}

        Returns
        -------
        Path

        Raises
        ------
        DataError
            No file of that name is in the folder.

        Examples
        --------
        >>> from pathlib import Path
        >>> DataSource("course", Path("nowhere"), Path("users")).find_table("train")
        Traceback (most recent call last):
        aares.errors.DataError: spotify_dataset_train.csv: expected in nowhere, found no such file
        """
        for name in TABLES[table]:
            if (self.folder / name).exists():  # what it is, its reader says
                return self.folder / name
        names = " or ".join(TABLES[table])
        raise DataError(f"{names}: expected in {self.folder}, found no such file")

    def list_songs(self) -> list[Path]:
        """Return the audio files of exercises 4 and 5, sorted by name.

        Returns
        -------
        list of Path

        Raises
        ------
        DataError
            There is no folder ``songs`` or no audio file in it.

        Examples
        --------
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     (Path(folder) / "songs").mkdir()
        ...     for name in ("b.wav", "a.MP3", "cover.jpg"):
        ...         (Path(folder) / "songs" / name).touch()
        ...     songs = DataSource("course", Path(folder), Path("users")).list_songs()
        >>> [path.name for path in songs]
        ['a.MP3', 'b.wav']
        """
        folder = self.folder / "songs"
        songs = [path for path in folder.glob("*") if path.suffix.lower() in SONG_SUFFIXES]
        if not songs:
            kinds = ", ".join(SONG_SUFFIXES)
            raise DataError(f"songs/: expected audio files ({kinds}) in {self.folder}")
        return sorted(songs, key=lambda path: path.name)
