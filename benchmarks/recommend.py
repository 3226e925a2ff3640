"""The figures of exercise 3: songs, playlists, and what listeners know of each other.

    python benchmarks/recommend.py subset       songs of the query's artist, by methods
    python benchmarks/recommend.py --tuning subset    the same where choices are made
    python benchmarks/recommend.py              all, in this order

Each name is a module of ``benchmarks/recommendation``, whose docstring says what is measured and
on what. The results of the course's files are kept in ``benchmarks/results/recommend-NAME.json``,
section by section as they come; those of the demo, and of ``--tuning``, are printed only.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from workshop import config
from workshop.measured import RESULTS, keep

NAMES = ("subset", "rules", "language", "speed", "order", "hetrec", "playlists", "eye")


def main() -> None:
    """Run what is named, print and keep what it measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--tuning", action="store_true", help="on the part where choices are made")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in NAMES]:
        parser.error(f"no measure {unknown[0]!r}; there are {', '.join(NAMES)}")
    source = config.find_data()
    print(source.describe())
    for name in options.names or NAMES:
        module = importlib.import_module(f"recommendation.{name}")
        for section, content in module.measure(source, tuning=options.tuning):
            print(f"{name}, {section}: {json.dumps(content, indent=1)}", flush=True)
            if source.kind == "course" and not options.tuning:
                keep(RESULTS / f"recommend-{name}.json", section, **content)


if __name__ == "__main__":
    main()
