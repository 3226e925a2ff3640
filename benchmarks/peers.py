"""The identifier beside Chromaprint, on the same tracks and the same excerpts.

    python benchmarks/peers.py

Needs `fpcalc` (Debian: libchromaprint-tools); without it the benchmark says so and is skipped.
Chromaprint is made to recognise whole files; here its raw fingerprints are compared as its own
matcher does, bit by bit at every offset, and the track with the fewest differing bits comes first.
Tracks, noise and seeds are those of `benchmarks/identify.py`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile as sf
from identify import SR, Cell, build_index, list_tracks, noisy, played, split_tracks
from numba import njit

from aares.config import SKIPPED
from aares.recognition import describe_share

N_EXCERPTS = 100
LEVELS = (np.inf, 10, 0, -5, -10, -15)


def run_chromaprint(y: np.ndarray) -> np.ndarray:
    """Return the raw fingerprint of a signal: one number of 32 bits each 0.124 s."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.wav"
        sf.write(path, y / max(1.0, float(np.abs(y).max())), SR)
        command = ["fpcalc", "-raw", "-plain", "-length", "0", str(path)]
        # its status is 3 where the decoder mentions the end of the file
        output = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return np.array([number for number in output.strip().split(",") if number], dtype=np.uint32)


@njit(cache=True)
def count_bits(tracks, starts, query):
    """Return the smallest share of differing bits between a query and each track."""
    best = np.ones(len(starts) - 1)
    for i in range(len(starts) - 1):
        n = starts[i + 1] - starts[i]
        for offset in range(max(n - len(query) + 1, 0)):
            total = 0
            for k in range(len(query)):
                bits = tracks[starts[i] + offset + k] ^ query[k]
                bits -= (bits >> np.uint32(1)) & np.uint32(0x55555555)
                bits = (bits & np.uint32(0x33333333)) + (
                    (bits >> np.uint32(2)) & np.uint32(0x33333333)
                )
                bits = (bits + (bits >> np.uint32(4))) & np.uint32(0x0F0F0F0F)
                total += np.uint32(bits * np.uint32(0x01010101)) >> np.uint32(24)
            best[i] = min(best[i], total / (32 * len(query)))
    return best


def compare() -> None:
    """Print who names the right track first."""
    tracks = split_tracks(list_tracks()).indexed
    index = build_index(tracks)
    prints = [run_chromaprint(track.load()) for track in tracks]
    starts = np.concatenate([[0], np.cumsum([len(one) for one in prints])])
    joined = np.concatenate(prints)
    print(f"{len(tracks)} tracks, {N_EXCERPTS} excerpts in each row")
    cells = [
        Cell(f"white {snr_db:+.0f} dB, {length} s", length, noisy("white", snr_db))
        for length in (5, 10)
        for snr_db in LEVELS
    ]
    cells += [Cell(f"speed {p:+.1f} %, 10 s", 10, played(1 + p / 100), 1.03) for p in (-2.9, 1.3)]
    for number, cell in enumerate(cells):
        rng = np.random.default_rng(4000 + number)
        ours, theirs, spent = [], [], np.zeros(2)
        for _ in range(N_EXCERPTS):
            track, _, y = cell.cut(tracks, rng)
            begin = time.perf_counter()
            found = index.identify(y, SR).candidates
            spent[0] += time.perf_counter() - begin
            query = run_chromaprint(y)
            begin = time.perf_counter()
            differing = count_bits(joined, starts, query)
            spent[1] += time.perf_counter() - begin
            ours.append(bool(found) and found[0].song == track.name)
            theirs.append(len(query) > 0 and tracks[int(differing.argmin())] == track)
        ours_ms, theirs_ms = spent / N_EXCERPTS * 1000
        print(
            f"{cell.name:22s} identifier {describe_share(ours)}, {ours_ms:.0f} ms;"
            f" Chromaprint {describe_share(theirs)}, {theirs_ms:.0f} ms for the search alone",
            flush=True,
        )


if __name__ == "__main__":
    if shutil.which("fpcalc") is None:
        print("fpcalc is not installed (Debian: apt install libchromaprint-tools): skipped")
        sys.exit(SKIPPED)
    compare()
