"""Make the demo data: ``python tools/make_demo_data.py COMMAND``.

fit COURSE       fit the aggregates on the course's tables (writes tools/demo_model.npz)
tables           sample the tables from the aggregates alone
songs            render the demo songs
render           render a larger catalogue for the scale experiments
fidelity COURSE  compare the demo tables with the course's
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "data" / "demo"
CACHE = ROOT / "data" / "cache"


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    fit = commands.add_parser("fit", help="fit the aggregates on the course's tables")
    fit.add_argument("course", type=Path)
    tables = commands.add_parser("tables", help="sample the tables")
    tables.add_argument("--out", type=Path, default=DEMO)
    tables.add_argument("--scale", type=float, default=1.0, help="factor on all sizes")
    songs = commands.add_parser("songs", help="render the demo songs")
    songs.add_argument("--out", type=Path, default=DEMO / "songs")
    render = commands.add_parser("render", help="render a larger catalogue of songs")
    render.add_argument("--out", type=Path, default=CACHE / "catalogue")
    render.add_argument("--count", type=int, default=1000)
    render.add_argument("--seed", type=int, default=0)
    fidelity = commands.add_parser("fidelity", help="compare the tables with the course's")
    fidelity.add_argument("course", type=Path)
    fidelity.add_argument("--demo", type=Path, default=DEMO)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the modules behind it are imported only when it needs them."""
    chosen = make_parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if chosen.command == "fit":
        from tools.demo_fit import fit_model

        fit_model(chosen.course)
    elif chosen.command == "tables":
        from tools.demo_tables import make_tables

        for name, frame in make_tables(chosen.out, scale=chosen.scale).items():
            print(f"{name}: {len(frame)} rows")
    elif chosen.command == "songs":
        from tools.demo_songs import make_songs

        make_songs(chosen.out)
    elif chosen.command == "render":
        from tools.demo_songs import render_catalogue

        render_catalogue(chosen.out, chosen.count, chosen.seed)
    else:
        from tools.demo_fidelity import compare_tables

        for name, value in compare_tables(chosen.demo, chosen.course).items():
            print(f"{name:75s} {value:.4f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
