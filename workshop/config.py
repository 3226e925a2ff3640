"""Where things are in this checkout, and where results go.

Used by every notebook. Two sources of data exist and never mix:

* *course*: the files of the assignment, in ``data/course/``, in the folder that ``--data`` or the
  environment variable ``AARES_DATA`` names;
* *demo*: ``data/demo/``, made by the project and committed, used when there are no course files or
  when ``--data demo`` asks for it.

Course results go to ``notebooks/``, ``submission/`` and ``report/``; demo results go to the same
folders below ``build/demo/``. A notebook's kernel is told by environment variables of its own
(:meth:`Workplace.tell`) what its builder decided.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from aares.data.listening import PLAYLISTS
from aares.data.sources import TABLES, DataSource
from aares.errors import AaresError
from workshop.places import CACHE as CACHE
from workshop.places import ROOT as ROOT
from workshop.places import SKIPPED as SKIPPED

DEMO = ROOT / "data" / "demo"
COURSE = ROOT / "data" / "course"
SEED = 0


class ConfigError(AaresError):
    """Somebody asks for data that is not there."""


@dataclass(frozen=True)
class Workplace(DataSource):
    """A place of data, and the place where its results go.

    Parameters
    ----------
    kind : {"course", "demo"}
    folder : Path
    users : Path
        See :class:`aares.data.DataSource`.
    out : Path
        Results go to ``out/notebooks``, ``out/submission`` and ``out/report``.
    """

    out: Path

    def tell(self, out: Path) -> dict[str, str]:
        """Return the environment in which :func:`find_data` finds this data, with results in `out`.

        Parameters
        ----------
        out : Path

        Returns
        -------
        dict of str to str

        Examples
        --------
        >>> from pathlib import Path
        >>> place = Workplace("course", Path("songs"), Path("users"), Path("out"))
        >>> place.tell(Path("build"))
        {'AARES_SOURCE': 'course', 'AARES_OUT': 'build', 'AARES_DATA': 'songs'}
        """
        course = {"AARES_DATA": str(self.folder)} if self.kind == "course" else {}
        return {"AARES_SOURCE": self.kind, "AARES_OUT": str(out), **course}


def find_data(named: str | None = None) -> Workplace:
    """Find the course's files, or the demo data.

    Parameters
    ----------
    named : str, optional
        ``"course"``, ``"demo"`` or the course's folder. Default: the environment variable
        ``AARES_SOURCE``; without it, course where the course's files are found, else demo.

    Returns
    -------
    Workplace

    Raises
    ------
    ConfigError
        What is named is no folder, or course data is asked for but absent or has other names.
    """
    asked_by = "--data" if named else "AARES_SOURCE"
    named = named or os.environ.get("AARES_SOURCE") or None
    out = os.environ.get("AARES_OUT")
    if named == "demo":
        return Workplace("demo", DEMO, DEMO, Path(out or ROOT / "build" / "demo"))
    if named not in (None, "course"):
        folder: Path | None = _check_folder(named, asked_by)
    else:
        folder = _find_course()
    if folder is None and named is None:
        _check_names()
        return find_data("demo")
    if folder is None:
        names = ", ".join(names[0] for names in TABLES.values())
        raise ConfigError(
            f"no course data: put {names} and songs/ into {COURSE.relative_to(ROOT)}/, "
            "or name their folder: --data FOLDER"
        )
    users = folder.parent / "users"
    listened = (users / PLAYLISTS).is_file()  # a folder of that name may be anybody's
    return Workplace("course", folder, users if listened else DEMO, Path(out or ROOT))


def _check_names() -> None:
    """Say so if the course's folder holds tables, but none by the names of the assignment."""
    found = sorted(path.name for path in COURSE.glob("*.csv"))
    if found:
        names = ", ".join(names[0] for names in TABLES.values())
        raise ConfigError(
            f"{COURSE.relative_to(ROOT)}/: expected {names}, found {', '.join(found)}; "
            "for the demo data: --data demo"
        )


def _find_course() -> Path | None:
    named = os.environ.get("AARES_DATA")
    if named:
        return _check_folder(named, "AARES_DATA")
    found = any((COURSE / name).is_file() for names in TABLES.values() for name in names)
    return COURSE if found else None


def _check_folder(named: str, where: str) -> Path:
    folder = Path(named).expanduser().resolve()
    if not folder.is_dir():
        raise ConfigError(
            f"{where}: expected a folder with the course's files, found nothing at {named!r}"
        )
    return folder
