"""From a hundred tracks to a million: how fast an index answers, what it takes, what it confuses.

    python benchmarks/scale.py simulate    are simulated tracks to a search what real ones are?
    python benchmarks/scale.py large       100 to 100,000 tracks of 4 minutes: time, size, memory
    python benchmarks/scale.py million     a million tracks of 4 minutes, segment by segment
    python benchmarks/scale.py unknown     false matches as the catalogue grows
    python benchmarks/scale.py readers     eight readers beside a writer for a minute
    python benchmarks/scale.py cost        what a track costs to read and to fingerprint
    python benchmarks/scale.py engines     the same search on DuckDB and on Polars
    python benchmarks/scale.py neighbours  candidates of the chaining study: recall, time, loss
    python benchmarks/scale.py building    an index out of shards: memory that does not grow, time
    python benchmarks/scale.py service     fifty clients for a minute, and requests that cost much
    python benchmarks/scale.py             simulate, large, unknown and readers, in this order

Each name is a module of ``benchmarks/scaling``, whose docstring says what is measured and on what;
whatever module lies there is found by its name. Real music comes by ``python tools/fetch_music.py
--all`` (``AARES_MUSIC`` may name other folders for it, separated as in PATH, `neighbours` one).
Results are aggregates, kept in ``benchmarks/results/scale.json`` where the course's files are the
data; else they are printed only. Indexes are made in ``data/cache/scale``: 3 GB for 100,000 tracks.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from _running import run_measures

NAMES = ("simulate", "large", "unknown", "readers")
HELPERS = ("__init__", "catalogues")  # modules that measure nothing

if __name__ == "__main__":
    found = {path.stem for path in (Path(__file__).parent / "scaling").glob("*.py")}
    names = tuple(name for name in NAMES if name in found)
    others = tuple(sorted(found - {*NAMES, *HELPERS}))
    run_measures(str(__doc__), names, folder="scaling", prefix="scale", others=others, joined=True)
