"""The identifier beside Chromaprint and the assignment's method: same tracks, same excerpts.

    python benchmarks/peers.py

Needs `fpcalc` (Debian: libchromaprint-tools); without it the benchmark says so and is skipped.
Chromaprint is made to recognise whole files; here its raw fingerprints are compared as its own
matcher does, bit by bit at every offset, and the track with the fewest differing bits comes first.
Tracks, noise and seeds are those of `benchmarks/identify.py`; what is measured is kept there, too.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import soundfile as sf
from identify import SR, Cell, Track, build_index, list_tracks, noisy, played, record, split_tracks
from numba import njit

from aares.audio import COURSE_RATE_HZ
from aares.fingerprints.inverted_index import InvertedIndex
from aares.scores import describe_share
from fingerprint import process_signal
from workshop.config import SKIPPED

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


def prepare_assignment(tracks: list[Track]) -> Callable[[np.ndarray], str | None]:
    """Return what names the track of an excerpt as exercises 4 and 5 do."""

    def hash_signal(y: np.ndarray) -> dict[int, int]:
        return process_signal(librosa.resample(y, orig_sr=SR, target_sr=COURSE_RATE_HZ))

    index = InvertedIndex([hash_signal(track.load()) for track in tracks])

    def ask(y: np.ndarray) -> str | None:
        [best, *_], [score, *_] = index.search(hash_signal(y))
        return tracks[best].name if score > 0 else None

    return ask


def prepare_chromaprint(tracks: list[Track]) -> Callable[[np.ndarray], str | None]:
    """Return what names the track with the fewest differing bits."""
    prints = [run_chromaprint(track.load()) for track in tracks]
    starts = np.concatenate([[0], np.cumsum([len(one) for one in prints])])
    joined = np.concatenate(prints)

    def ask(y: np.ndarray) -> str | None:
        query = run_chromaprint(y)
        return tracks[int(count_bits(joined, starts, query).argmin())].name if len(query) else None

    return ask


def prepare_identifier(tracks: list[Track]) -> Callable[[np.ndarray], str | None]:
    """Return what names the identifier's best candidate."""
    index = build_index(tracks)

    def ask(y: np.ndarray) -> str | None:
        found = index.identify(y, SR).candidates
        return found[0].song if found else None

    return ask


def compare() -> None:
    """Print who names the right track first."""
    tracks = split_tracks(list_tracks()).indexed
    methods = {
        "identifier": prepare_identifier(tracks),
        "Chromaprint": prepare_chromaprint(tracks),
        "assignment": prepare_assignment(tracks),
    }
    print(f"{len(tracks)} tracks, {N_EXCERPTS} excerpts in each row")
    cells = [
        Cell(f"{'clean' if snr_db == np.inf else f'white {snr_db:+d} dB'}, {length} s",
             length, noisy("white", snr_db))
        for length in (5, 10)
        for snr_db in LEVELS
    ]  # fmt: skip
    cells += [Cell(f"speed {p:+.1f} %, 10 s", 10, played(1 + p / 100), 1.03) for p in (-2.9, 1.3)]
    rows = []
    for number, cell in enumerate(cells):
        rng = np.random.default_rng(4000 + number)
        right: dict[str, list[bool]] = {name: [] for name in methods}
        for _ in range(N_EXCERPTS):
            track, _, y = cell.cut(tracks, rng)
            for name, ask in methods.items():
                right[name].append(ask(y) == track.name)
        rows.append({"condition": cell.name} | {name: sum(found) for name, found in right.items()})
        shares = "; ".join(f"{name} {describe_share(found)}" for name, found in right.items())
        print(f"{cell.name:22s} {shares}", flush=True)
    record("peers", len(tracks), n=N_EXCERPTS, rows=rows)


if __name__ == "__main__":
    if shutil.which("fpcalc") is None:
        print("fpcalc is not installed (Debian: apt install libchromaprint-tools): skipped")
        sys.exit(SKIPPED)
    compare()
