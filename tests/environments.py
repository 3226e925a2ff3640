"""Run a function as other machines would: other linear algebra, vector units, threads, libm.

A process reads these settings when it starts, so each environment is a process of its own:

    gaps = compare_environments("tests.test_x", "compute_something", THREADS)

compares what ``compute_something()`` (a dict of arrays) returns in each. What is not about threads
stands for another processor: OpenBLAS has kernels for each, numpy picks its vector loops and glibc
its ``exp`` by what the processor can, numba compiles for it. Where a setting is unknown (another
system, another BLAS) it changes nothing.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from workshop.config import ROOT

VECTORS = ",".join(np.show_config(mode="dicts")["SIMD Extensions"].get("found", []))
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
OLD_LIBRARIES = {
    "NPY_DISABLE_CPU_FEATURES": VECTORS,
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F,-FMA4",
}

THREADS: dict[str, dict[str, str]] = {
    "one thread": ONE_THREAD,
    "two threads": {
        "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "NUMBA_NUM_THREADS": "2",
    },
    "four threads": {
        "OMP_NUM_THREADS": "4", "OPENBLAS_NUM_THREADS": "4", "NUMBA_NUM_THREADS": "2",
    },
}  # fmt: skip
PROCESSORS: dict[str, dict[str, str]] = {
    "old processor": {
        **ONE_THREAD, **OLD_LIBRARIES, "OPENBLAS_CORETYPE": "Prescott",
        "NUMBA_CPU_NAME": "generic",
    },
    "other processor": {**ONE_THREAD, **OLD_LIBRARIES, "OPENBLAS_CORETYPE": "Sandybridge"},
    "new processor": {**ONE_THREAD, "OPENBLAS_CORETYPE": "SkylakeX"},
}  # fmt: skip


def run_in(settings: dict[str, str], module: str, function: str) -> dict[str, np.ndarray]:
    """Return what a function returns in a process with these settings of the environment."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "found.npz"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **settings}
        command = [sys.executable, "-W", "ignore", "-m", "tests.environments", module, function]
        run = subprocess.run(
            [*command, str(place)], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr
        with np.load(place) as found:
            return dict(found)


def compare_environments(
    module: str, function: str, environments: dict[str, dict[str, str]]
) -> dict[str, float]:
    """Return the largest difference from the first environment, for each array that differs.

    Keys read ``environment: array``; arrays of text or of other shapes differ by infinity.
    """
    results = {name: run_in(settings, module, function) for name, settings in environments.items()}
    first = next(iter(results.values()))
    assert first, "nothing was computed"
    return {
        f"{name}: {key}": gap
        for name, found in results.items()
        for key in sorted(first.keys() | found.keys())
        if (gap := _measure_gap(first.get(key), found.get(key))) > 0
    }


def _measure_gap(one: np.ndarray | None, other: np.ndarray | None) -> float:
    if one is None or other is None or one.shape != other.shape:
        return np.inf
    if one.dtype.kind not in "fiub":
        return 0.0 if np.array_equal(one, other) else np.inf
    if np.array_equal(one, other, equal_nan=one.dtype.kind == "f"):
        return 0.0
    gap = np.abs(one.astype(float) - other.astype(float))
    return float(np.where(np.isnan(gap), np.inf, gap).max())


if __name__ == "__main__":
    name, wanted, target = sys.argv[1:]
    np.savez(target, **getattr(importlib.import_module(name), wanted)())
