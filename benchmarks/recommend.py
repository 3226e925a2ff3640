"""The figures of exercise 3: songs, playlists, and what listeners know of each other.

    python benchmarks/recommend.py subset       songs of the query's artist, by methods
    python benchmarks/recommend.py --tuning subset    the same where choices are made
    python benchmarks/recommend.py              all, in this order

Each name is a module of ``benchmarks/recommendation``, whose docstring says what is measured and
on what. The results of the course's files are kept in ``benchmarks/results/recommend-NAME.json``,
section by section as they come; those of the demo, and of ``--tuning``, are printed only.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from _running import run_measures

NAMES = ("subset", "rules", "language", "speed", "order", "hetrec", "playlists", "eye")

if __name__ == "__main__":
    run_measures(str(__doc__), NAMES, folder="recommendation", prefix="recommend")
