"""Learn the model of joins that the library ships, ``aares/chaining/joins.json.gz``.

    python tools/learn_joins.py

From the splices that ``benchmarks/chainable.py splices`` draws, all songs, both gaps; needs the
albums of free music (``tools/fetch_music.py``). What is kept of them is trees: thresholds and sums.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from chaining.pieces import load_songs
from chaining.splices import draw_pool, learn

from aares.chaining.join_model import SHIPPED, write_join_model

if __name__ == "__main__":
    pairs, X = draw_pool(load_songs())
    write_join_model(learn(pairs, X), SHIPPED)
    print(f"{SHIPPED.name}: {len(pairs)} pairs, {SHIPPED.stat().st_size / 1e3:.0f} kB")
