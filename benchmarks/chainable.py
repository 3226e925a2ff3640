"""The figures of the 'chainable songs' study, on albums of free game music.

    python benchmarks/chainable.py splices      is the join heard?
    python benchmarks/chainable.py              all, in this order

Each name is a module of ``benchmarks/chaining``, whose docstring says what is measured and on what.
The albums come by a step of their own, ``python tools/fetch_music.py`` (1 GB, Debian's packages);
``AARES_MUSIC`` may name another folder for them. Results are aggregates, kept in
``benchmarks/results/chainable-NAME.json`` section by section where the course's files are the data;
else they are printed only.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from _running import run_measures

NAMES = ("extraction", "study", "splices", "albums", "visual", "listeners", "order", "ears")

if __name__ == "__main__":
    run_measures(str(__doc__), NAMES, folder="chaining", prefix="chainable")
