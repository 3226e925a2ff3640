"""The identifier on hundreds of tracks: recognition, false alarms, probabilities, peers, time.

    python benchmarks/identify.py audit       which tracks share music, so that none is wronged
    python benchmarks/identify.py calibrate   fits aares/identify/calibration.json
    python benchmarks/identify.py accuracy    recognition by noise, length, codec, room, speed
    python benchmarks/identify.py unknown     false alarms on music that calibration never heard
    python benchmarks/identify.py nonmusic    false alarms on a thousand sounds that are no music
    python benchmarks/identify.py mix         timelines of mixes of twelve songs; three hours
    python benchmarks/identify.py peers       other programs on the same excerpts
    python benchmarks/identify.py speed       indexing, a query and its search, memory
    python benchmarks/identify.py large       recognition and time among 100,000 recordings
    python benchmarks/identify.py hours       three hours of sound: memory and time
    python benchmarks/identify.py             audit to peers, in this order

Each name is a module of ``benchmarks/identifying``, whose docstring says what is measured and on
what. Real music comes by ``python tools/fetch_music.py --all`` (Debian's packages; ``AARES_MUSIC``
may name other folders for them, separated as in PATH), rendered tracks by ``python
tools/make_demo_data.py render --count 360``. Results are aggregates, kept in
``benchmarks/results/identify.json``, which notebook 04 shows, where the course's files are the
data; else they are printed only. Long measures keep what they have in ``data/cache/identify``, and
go on there when they are called again.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from _running import run_measures

NAMES = ("audit", "accuracy", "unknown", "nonmusic", "mix", "peers")
OTHERS = ("calibrate", "speed", "large", "hours")

if __name__ == "__main__":
    run_measures(
        str(__doc__), NAMES, folder="identifying", prefix="identify", others=OTHERS, joined=True
    )
