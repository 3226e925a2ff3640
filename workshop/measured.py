"""What no run of the notebooks measures: results of ``benchmarks/``, with their date and machine.

Two kinds. What takes too long, or needs files that are not here, is bound to the code that it is
of. Times are not: a stopwatch reads something else in each run, so none stands in a notebook, and
a text that states a time says when and where it was measured.
"""

from __future__ import annotations

import json
import os
import platform
from datetime import date
from pathlib import Path
from typing import Any

from aares.errors import AaresError
from aares.files import digest, write_atomic
from aares.identify.answer import load_calibration
from workshop.config import ROOT

RESULTS = ROOT / "benchmarks" / "results"
BENCHMARK = RESULTS / "identify.json"
TIMES = RESULTS / "fingerprint.json"
NOISES = {"clean": "clean"} | {
    f"{level}".replace("-", "−"): f"white {level:+d} dB" for level in (0, -5, -10, -15)
}
"""White noise in dB as axes name it, and as the benchmark's conditions do."""


class MeasuredError(AaresError):
    """A benchmark's results are missing, or of another state."""


def digest_calibration() -> str:
    """Tell which calibration the identifier has.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    return digest(json.dumps(load_calibration(), sort_keys=True).encode())


def read_benchmark() -> dict[str, Any]:
    """Read what ``benchmarks/identify.py`` measured on hundreds of tracks.

    Returns
    -------
    dict
        ``accuracy`` (``rows`` with ``condition``, ``first`` and ``accepted``, counts of ``n``);
        ``unknown`` (``accepted`` of ``n`` excerpts of ``n_unknown`` tracks, and by ``cell`` in
        ``rows``); ``reliability`` (``rows`` with ``cell``, ``level``, ``share``, ``low``, ``high``)
        and ``sizes`` (the same for smaller indexes); ``nonmusic`` (``rows`` with ``kind`` and what
        is said of each); ``peers`` (``rows`` with ``condition`` and the count of each method);
        ``shared`` (``pairs`` of tracks with music in common); ``calibration``. Each has its
        ``date``, those of an index ``n_indexed``.

    Raises
    ------
    MeasuredError
        The file is missing, or was measured with another calibration.
    """
    measured = _read(BENCHMARK)
    for section, content in measured.items():
        if content.get("calibration", digest_calibration()) != digest_calibration():
            raise MeasuredError(
                f"{BENCHMARK.name}: '{section}' was measured with another calibration; run "
                "benchmarks/identify.py again"
            )
    return measured


def read_times() -> dict[str, Any]:
    """Read what ``benchmarks/fingerprint.py`` measured with a stopwatch.

    Returns
    -------
    dict
        ``loops``, ``lengths`` and ``growth`` (``rows`` with ``songs`` and the columns of
        `workshop.plots.fingerprints.draw_growth`), each with ``date`` and ``machine``.

    Raises
    ------
    MeasuredError
        The file is missing.
    """
    return _read(TIMES)


def read_recommend(name: str) -> dict[str, Any]:
    """Read what ``benchmarks/recommend.py`` measured on the course's files.

    Parameters
    ----------
    name : str
        Of the measure, such as ``"subset"``.

    Returns
    -------
    dict
        Its sections, each with ``date`` and ``machine``.

    Raises
    ------
    MeasuredError
        The file is missing.
    """
    return _read(RESULTS / f"recommend-{name}.json", f"benchmarks/recommend.py {name}")


def read_chainable(name: str) -> dict[str, Any]:
    """Read what ``benchmarks/chainable.py`` measured on albums of free music.

    Parameters
    ----------
    name : str
        Of the measure, such as ``"splices"``.

    Returns
    -------
    dict
        Its sections, each with ``date`` and ``machine``.

    Raises
    ------
    MeasuredError
        The file is missing.
    """
    return _read(RESULTS / f"chainable-{name}.json", f"benchmarks/chainable.py {name}")


def read_scale() -> dict[str, Any]:
    """Read what ``benchmarks/scale.py`` measured on indexes of a hundred to a million tracks.

    Returns
    -------
    dict
        Its sections, each with ``date`` and ``machine``.

    Raises
    ------
    MeasuredError
        The file is missing.
    """
    return _read(RESULTS / "scale.json")


def describe_origin(section: dict[str, Any]) -> str:
    """Say when, and if it was kept, where a section was measured.

    Parameters
    ----------
    section : dict
        As of :func:`read_benchmark` or :func:`read_times`.

    Returns
    -------
    str

    Examples
    --------
    >>> describe_origin({"date": "2026-11-27", "machine": "a laptop, 2 cores"})
    'measured on 2026-11-27, a laptop, 2 cores'
    """
    where = f", {section['machine']}" if "machine" in section else ""
    return f"measured on {section['date']}{where}"


def keep(path: Path, section: str, **content: Any) -> None:
    """Keep what a benchmark measured, with the day and the machine; other sections stay.

    Parameters
    ----------
    path : Path
        A file of :data:`RESULTS`.
    section : str
    **content : Any
        What JSON can hold.
    """
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    kept[section] = {"date": date.today().isoformat(), "machine": describe_machine()} | content
    write_atomic(path, json.dumps(kept, indent=1) + "\n")


def describe_machine() -> str:
    """Tell what a stopwatch's figures depend on, without the machine's name.

    Returns
    -------
    str
        Processor, number of cores, system and Python.
    """
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.processor() or platform.machine()
    python = ".".join(platform.python_version_tuple()[:2])
    return f"{processor}, {os.cpu_count()} cores, {platform.system()}, Python {python}"


def _read(path: Path, command: str = "") -> dict[str, Any]:
    if not path.is_file():
        raise MeasuredError(
            f"benchmarks/results/{path.name}: expected what a benchmark measured, found no such "
            f"file; check it out again, or run {command or f'python3 run.py bench {path.stem}'}"
        )
    measured: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return measured
