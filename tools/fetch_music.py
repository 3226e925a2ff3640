"""Fetch the free game music that ``benchmarks/chainable.py`` measures on: an optional step, 1 GB.

    python tools/fetch_music.py [FOLDER]      default: data/music, which git ignores

The files come from Debian's packages, whose licences allow to share them; each package's own is in
``usr/share/doc``. Nothing is installed. Where there is no ``apt-get`` the albums can be fetched by
hand: https://packages.debian.org/bookworm/NAME, unpacked with ``dpkg -x`` or ``ar`` and ``tar``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "wesnoth-1.16-music", "warzone2100-music", "drascula-music", "singularity-music",
    "hyperrogue-music", "supertuxkart-data",
)  # fmt: skip


def main(arguments: list[str]) -> int:
    """Download and unpack each package that is not there yet; return the exit status."""
    folder = Path(arguments[0]) if arguments else ROOT / "data" / "music"
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        print(f"apt-get and dpkg are needed, which Debian and Ubuntu have.\n{__doc__}")
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(PACKAGES, 1):
        print(f"[{number}/{len(PACKAGES)}] {name}", flush=True)
        if not (folder / name).is_dir() and not fetch(name, folder):
            print(f"{name} could not be fetched; what is there stays. Try again when online.")
            return 1
    return 0


def fetch(name: str, folder: Path) -> bool:
    """Unpack a package into a folder of its name, which appears only when it is whole."""
    with tempfile.TemporaryDirectory(dir=folder) as stage:
        if subprocess.call(["apt-get", "--quiet", "download", name], cwd=stage):
            return False
        (package,) = Path(stage).glob("*.deb")
        if subprocess.call(["dpkg", "-x", str(package), f"{stage}/{name}"]):
            return False
        Path(stage, name).rename(folder / name)
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
