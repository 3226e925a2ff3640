"""The identifier beside others: the same real recordings, the same excerpts, each by its own rule.

* *Chromaprint* (Debian: libchromaprint-tools) is made for whole files; its raw fingerprints are
  compared as its own matcher does, bit by bit at every offset. A match is accepted below 35 % of
  differing bits, as Haitsma and Kalker found for such fingerprints (ISMIR 2002, section 4).
* *audfprint* (``pip install audfprint2`` in an environment of its own, named in PYTHONPATH) with
  its command's settings: 20 landmarks a second, four shifts of the query, at least five that agree.
* the *assignment's* method accepts whatever comes first.

A program that is not there is left out, and ``left_out`` says why. *Dejavu* (PyDejavu 0.1.3) is for
Python 2 and MySQL, *Panako* needs Java and *Olaf* a compiler, and no package installs either.
What was published of neural ones is of other music, noise and protocols: PeakNetFP keeps more than
90 % first at tempos of 50 to 200 % (arXiv 2506.21086, abstract), which this identifier does not
look for. The catalogue is that of `sources.INDEXED`.
"""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import soundfile as sf
from numba import njit

from aares.audio import COURSE_RATE_HZ
from aares.fingerprints.inverted_index import InvertedIndex
from aares.identify import make_query
from benchmarks.identifying import catalogue, conditions, sources
from benchmarks.identifying.conditions import BAND_DB, CLEAN, Condition
from benchmarks.identifying.sources import SR, Track
from fingerprint import process_signal
from workshop import config

N = 60
DIFFERING_BITS = 0.35
Found = tuple[str | None, bool]  # the first track, and whether it is accepted
Ask = Callable[[np.ndarray], Found]
REASONS = {
    "Dejavu": "PyDejavu 0.1.3, the package there is, is for Python 2 and MySQL",
    "Panako": "needs Java; no package",
    "Olaf": "needs a compiler; no package of pip or Debian 12",
}


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield who names the right track first, and who accepts it; for tuning, other excerpts."""
    tracks = sources.list_tracks("indexed")
    makers = {"identifier": prepare_identifier, "assignment": prepare_assignment}
    left_out = dict(REASONS)
    if shutil.which("fpcalc"):
        makers["Chromaprint"] = prepare_chromaprint
    else:
        left_out["Chromaprint"] = "fpcalc is not installed"
    if importlib.util.find_spec("audfprint2"):
        makers["audfprint"] = prepare_audfprint
    else:
        left_out["audfprint"] = "audfprint2 is not installed"
    rows: list[dict[str, Any]] = [{} for _ in list_conditions()]
    for name, prepare in makers.items():
        own = catalogue.digest_answers() if name == "identifier" else ""
        counts = catalogue.remember(
            f"peers-{name}", f"{own} {N} {tuning} {'|'.join(t.name for t in tracks)}",
            lambda prepare=prepare: list(try_conditions(prepare(tracks), tracks, tuning)),
        )  # fmt: skip
        for row, (condition, first, accepted, wrong) in zip(rows, counts, strict=True):
            row |= {"condition": condition, name: first, f"{name} accepted": accepted,
                    f"{name} wrong": wrong}  # fmt: skip
        print(name, counts, flush=True)
    about = catalogue.describe_catalogue(tracks)
    yield "peers", about | {"n": N, "methods": list(makers), "left_out": left_out, "rows": rows}


def list_conditions() -> list[Condition]:
    """List the conditions: white noise up to 4 kHz, and once up to 11 kHz, and two speeds."""
    rows = [
        Condition(f"{'clean' if snr_db == CLEAN else f'white {snr_db:+d} dB'}, {length} s",
                  length, conditions.add_noise("white", snr_db))
        for length in (5, 10)
        for snr_db in (CLEAN, 0, -5, -10, -15)
    ]  # fmt: skip
    wide = conditions.add_noise("white", -10 + BAND_DB)
    rows += [
        Condition(f"white -10 dB up to 11 kHz, {length} s", length, wide) for length in (5, 10)
    ]
    for percent in (-2.9, 1.3):
        change = conditions.play_faster(1 + percent / 100)
        rows.append(Condition(f"speed {percent:+.1f} %, 10 s", 10, change, 1.03))
    return rows


def try_conditions(
    ask: Ask, tracks: list[Track], tuning: bool
) -> Iterator[tuple[str, int, int, int]]:
    """Yield each condition, and the counts of right first, accepted right and wrong ones."""
    for number, condition in enumerate(list_conditions()):
        rng = np.random.default_rng((80 if tuning else 4000) + number)
        first = right = wrong = 0
        for _ in range(N):
            track, y = condition.draw(tracks, rng)
            found, accepted = ask(y)
            first += found == track.name
            right += found == track.name and accepted
            wrong += found != track.name and accepted
        print(condition.name, first, right, wrong, flush=True)
        yield condition.name, first, right, wrong


def prepare_identifier(tracks: list[Track]) -> Ask:
    """Return what asks the identifier."""
    index = catalogue.build_index(tracks)

    def ask(y: np.ndarray) -> Found:
        answer = index.ask(make_query(y))
        first = answer.candidates[0].song if answer.candidates else None
        return first, answer.match is not None

    return ask


def prepare_assignment(tracks: list[Track]) -> Ask:
    """Return what names the track of an excerpt as exercises 4 and 5 do."""

    def hash_signal(y: np.ndarray) -> dict[int, int]:
        return process_signal(librosa.resample(y, orig_sr=SR, target_sr=COURSE_RATE_HZ))

    index = InvertedIndex([hash_signal(track.load()) for track in tracks])

    def ask(y: np.ndarray) -> Found:
        [best, *_], [score, *_] = index.search(hash_signal(y))
        return (tracks[best].name, True) if score > 0 else (None, False)

    return ask


def prepare_audfprint(tracks: list[Track]) -> Ask:
    """Return what asks audfprint."""
    analysis = importlib.import_module("audfprint2.core.analyzer")
    table = importlib.import_module("audfprint2.core.hash_table").HashTable()
    matcher = importlib.import_module("audfprint2.core.matcher").Matcher()
    analyzer = analysis.Analyzer()

    def hash_signal(y: np.ndarray, shifts: int) -> np.ndarray:
        high = librosa.resample(y, orig_sr=SR, target_sr=11_025)
        step = analyzer.n_hop // shifts
        parts = [
            analysis.landmarks2hashes(
                analyzer.peaks2landmarks(analyzer.find_peaks(high[shift * step :], 11_025))
            )
            for shift in range(shifts)
        ]
        return np.unique(np.concatenate([np.reshape(part, (-1, 2)) for part in parts]), axis=0)

    for track in tracks:
        table.store(track.name, hash_signal(track.load(), 1))

    def ask(y: np.ndarray) -> Found:
        found = matcher.match_hashes(table, hash_signal(y, 4))
        return (str(table.names[int(found[0][0])]), True) if len(found) else (None, False)

    return ask


def prepare_chromaprint(tracks: list[Track]) -> Ask:
    """Return what names the track with the fewest differing bits."""
    prints = [run_chromaprint(track.load()) for track in tracks]
    starts = np.concatenate([[0], np.cumsum([len(one) for one in prints])])
    joined = np.concatenate(prints)

    def ask(y: np.ndarray) -> Found:
        query = run_chromaprint(y)
        if not len(query):
            return None, False
        best, bits = find_least(joined, starts, query)
        return tracks[best].name, bits < DIFFERING_BITS

    return ask


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
def find_least(tracks, starts, query):
    """Return the track with the smallest share of differing bits at any offset, and that share."""
    best, least = 0, 33 * len(query)
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
                if total >= least:  # it cannot become the best any more
                    break
            if total < least:
                best, least = i, total
    return best, least / (32 * len(query))
