"""What took too long for a notebook: results of ``benchmarks/``, bound to the code they are of."""

from __future__ import annotations

import json
from typing import Any

from aares.files import digest
from aares.identify.answer import load_calibration
from workshop.config import ROOT

BENCHMARK = ROOT / "benchmarks" / "results" / "identify.json"
NOISES = {"clean": "clean"} | {
    f"{level}".replace("-", "−"): f"white {level:+d} dB" for level in (0, -5, -10, -15)
}
"""White noise in dB as axes name it, and as the benchmark's conditions do."""


def digest_calibration() -> str:
    """Tell which calibration the identifier has.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    return digest(json.dumps(load_calibration(), sort_keys=True).encode())


def read_benchmark() -> dict[str, Any]:
    """Read what ``benchmarks/identify.py`` and ``peers.py`` measured on a thousand tracks.

    Returns
    -------
    dict
        ``accuracy`` (``rows`` with ``condition``, ``first`` and ``accepted``, counts of ``n``),
        ``unknown`` (``accepted`` of ``n`` excerpts of ``n_unknown`` tracks) and ``peers`` (``rows``
        with ``condition`` and the count of each method); each with ``n_indexed`` and ``date``.

    Raises
    ------
    ValueError
        It was measured with another calibration.
    """
    measured: dict[str, Any] = json.loads(BENCHMARK.read_text(encoding="utf-8"))
    for section, content in measured.items():
        if content["calibration"] != digest_calibration():
            raise ValueError(
                f"{BENCHMARK.name}: '{section}' was measured with another calibration; run "
                "benchmarks/identify.py accuracy unknown and benchmarks/peers.py again"
            )
    return measured
