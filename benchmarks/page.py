"""The static page in a browser: its identifier beside Python's, its map, and how long they take.

    python benchmarks/page.py identifier   the same answers, and the time from a file to an answer
    python benchmarks/page.py smoothness   first paint, frames a second while the map is dragged

Each name is a module of ``benchmarks/browsing``. It needs a Chromium and the package `playwright`.
Results are kept in ``benchmarks/results/page.json``, with date and machine, where the course's
files are the data; else they are printed only.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from _running import run_measures

NAMES = ("identifier", "smoothness")

if __name__ == "__main__":
    run_measures(str(__doc__), NAMES, folder="browsing", prefix="page", joined=True)
