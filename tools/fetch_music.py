"""Fetch the free game music that benchmarks measure on: an optional step.

    python tools/fetch_music.py [FOLDER]          for benchmarks/chainable.py, 1 GB
    python tools/fetch_music.py --all [FOLDER]    for benchmarks/identify.py too, 5 GB

The default folder is data/music, which git ignores; the packages of ``--all`` are those of
``benchmarks/identifying/sources.py``. Music in an archive (``.pk3``) is unpacked beside it.
The files come from Debian's packages, whose licences allow to share them; each package's own is in
``usr/share/doc``. Nothing is installed. Where there is no ``apt-get`` the albums can be fetched by
hand: https://packages.debian.org/bookworm/NAME, unpacked with ``dpkg -x`` or ``ar`` and ``tar``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "wesnoth-1.16-music", "warzone2100-music", "drascula-music", "singularity-music",
    "hyperrogue-music", "supertuxkart-data",
)  # fmt: skip


def main(arguments: list[str]) -> int:
    """Download and unpack each package that is not there yet; return the exit status."""
    named = [argument for argument in arguments if argument != "--all"]
    folder = Path(named[0]) if named else ROOT / "data" / "music"
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        print(f"apt-get and dpkg are needed, which Debian and Ubuntu have.\n{__doc__}")
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    packages = list_packages() if "--all" in arguments else PACKAGES
    for number, name in enumerate(packages, 1):
        print(f"[{number}/{len(packages)}] {name}", flush=True)
        if not (folder / name).is_dir() and not fetch(name, folder):
            print(f"{name} could not be fetched; what is there stays. Try again when online.")
            return 1
    return 0


def list_packages() -> tuple[str, ...]:
    """Return the packages of all benchmarks."""
    sys.path.insert(0, str(ROOT))
    from benchmarks.identifying.sources import ROLES

    return tuple(name for names in ROLES.values() for name in names)


def fetch(name: str, folder: Path) -> bool:
    """Unpack a package into a folder of its name, which appears only when it is whole."""
    with tempfile.TemporaryDirectory(dir=folder) as stage:
        if subprocess.call(["apt-get", "--quiet", "download", name], cwd=stage):
            return False
        (package,) = Path(stage).glob("*.deb")
        if subprocess.call(["dpkg", "-x", str(package), f"{stage}/{name}"]):
            return False
        for archive in sorted(Path(stage, name).rglob("*.pk3")):
            unpack_music(archive)
        Path(stage, name).rename(folder / name)
    return True


def unpack_music(archive: Path) -> None:
    """Unpack the music of a game's archive beside it; the archive leaves."""
    with zipfile.ZipFile(archive) as content:
        for member in content.namelist():
            if Path(member).suffix.lower() in {".ogg", ".mp3"}:
                content.extract(member, archive.parent)
    archive.unlink()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
