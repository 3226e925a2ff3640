"""Where this checkout is: for what must start at once, without the tables of :mod:`.config`."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "data" / "cache"
SKIPPED = 77  # status of a benchmark that lacks what it compares with
