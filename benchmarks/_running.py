"""Run measures by name: each is a module of a folder, and its results are kept as they come."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path

from aares.errors import AaresError
from workshop import config
from workshop.measured import RESULTS, keep


def run_measures(
    text: str,
    names: tuple[str, ...],
    *,
    folder: str,
    prefix: str,
    others: tuple[str, ...] = (),
    joined: bool = False,
) -> None:
    """Read the command line, run what it names, print and keep what was measured.

    Parameters
    ----------
    text : str
        What ``--help`` says.
    names : tuple of str
        Modules of `folder`, each with ``measure(source, tuning=False)`` that yields pairs of a
        section's name and its content.
    folder : str
        Package beside this file.
    prefix : str
        Results are kept in ``benchmarks/results/PREFIX-NAME.json``.
    others : tuple of str
        Modules that run only if they are named.
    joined : bool
        Whether all results are kept in one file, ``PREFIX.json``.
    """
    known = (*names, *others)
    parser = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--tuning", action="store_true", help="on the part where choices are made")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in known]:
        parser.error(f"no measure {unknown[0]!r}; there are {', '.join(known)}")
    source = config.find_data()
    print(source.describe())
    try:
        for name in options.names or names:
            results = RESULTS / (f"{prefix}.json" if joined else f"{prefix}-{name}.json")
            run_measure(name, source, options.tuning, folder=folder, results=results)
    except AaresError as error:  # such as files that a step of their own fetches
        print(f"\n{error}", file=sys.stderr)
        sys.exit(getattr(error, "status", 1))


def run_measure(
    name: str, source: config.Workplace, tuning: bool, *, folder: str, results: Path
) -> None:
    """Print what a measure yields, and keep it where the data are the course's."""
    module = importlib.import_module(f"{folder}.{name}")
    for section, content in module.measure(source, tuning=tuning):
        print(f"{name}, {section}: {json.dumps(content, indent=1)}", flush=True)
        if source.kind == "course" and not tuning:
            keep(results, section, **content)
