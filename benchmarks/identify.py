"""The identifier on a thousand tracks and more: recognition, false alarms, time, memory.

    python benchmarks/identify.py calibrate   fits aares/identify/calibration.json
    python benchmarks/identify.py accuracy    recognition by noise, length, codec, room, speed
    python benchmarks/identify.py unknown     false acceptances, on tracks that are not in the index
    python benchmarks/identify.py time        indexing, a query and its search, memory

The catalogue is what ``python tools/make_demo_data.py render --count 1600`` renders into
``data/cache/catalogue``; folders with more music (one or more, such as those of Debian's game
soundtracks) may be named in the environment variable AARES_MUSIC, separated as in PATH. Without a
catalogue the demo songs are used, and the output says so.

Every third of the catalogue's remaining tracks (`CALIBRATION`) and seeds below 100 serve to choose
and to calibrate; what is reported comes from other tracks and other seeds. A track outside the
index that shares its score or melodies with one inside (its `family`) is left out.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from aares import distortions
from aares.audio import load_audio
from aares.config import CACHE, DEMO, ROOT
from aares.files import write_atomic
from aares.identify import Answer, Index, Settings, make_query
from aares.identify import answer as answering
from aares.identify.recordings import fingerprint
from aares.recognition import estimate_share

SR = 8000
N_INDEXED = 1000
MUSIC_S = 180.0  # of longer files the first three minutes are used
SUFFIXES = {".ogg", ".mp3", ".flac", ".wav", ".opus"}


@dataclass(frozen=True)
class Track:
    """A file of the catalogue."""

    path: Path
    family: str
    rendered: bool

    def load(self) -> np.ndarray:
        """Return the signal at 8 kHz, from a cache that is as fast as the disk."""
        kept = CACHE / "signals" / f"{self.path.stem}.npy"
        if not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            y = load_audio(self.path, sr=SR)[: int(MUSIC_S * SR)]
            np.save(kept, y.astype(np.float16))
        return np.load(kept).astype(np.float32)


@dataclass(frozen=True)
class Split:
    """Who is in the index, and who is not."""

    indexed: list[Track]
    calibration: list[Track]
    unknown: list[Track]


def list_tracks() -> list[Track]:
    """List rendered tracks first, then the other music."""
    table = CACHE / "catalogue" / "catalogue.csv"
    if table.is_file():
        rows = pd.read_csv(table)
        tracks = [
            Track(table.parent / file, f"catalogue {family}", True)
            for file, family in zip(rows["file"], rows["family"], strict=True)
        ]
    else:
        print("no catalogue: demo songs only; python tools/make_demo_data.py render --count 1600")
        demo = sorted((DEMO / "songs").glob("*.ogg"))
        tracks = [Track(path, path.stem, True) for path in demo]
    for folder in filter(None, os.environ.get("AARES_MUSIC", "").split(os.pathsep)):
        for path in sorted(Path(folder).rglob("*")):
            if path.suffix.lower() in SUFFIXES and path.stat().st_size > 400_000:
                # versions of one piece often have names that begin alike
                tracks.append(Track(path, f"music {path.stem[:6].lower()}", False))
    return tracks


def split_tracks(tracks: list[Track]) -> Split:
    """Put 1,000 rendered tracks and half of the music into the index, audit the rest."""
    rendered = [track for track in tracks if track.rendered]
    music = [track for track in tracks if not track.rendered]
    n = min(N_INDEXED, 2 * len(rendered) // 3)
    indexed = rendered[:n] + music[::2]
    families = {track.family for track in indexed}
    rest = [track for track in rendered[n:] + music[1::2] if track.family not in families]
    half = {family for family in sorted({t.family for t in rest})[::3]}
    return Split(
        indexed, [t for t in rest if t.family in half], [t for t in rest if t.family not in half]
    )


def build_index(tracks: list[Track]) -> Index:
    """Index the tracks."""
    signals = {track.path.name: track.load() for track in tracks}
    return Index.from_signals(signals)


@dataclass(frozen=True)
class Cell:
    """A condition under which excerpts are heard."""

    name: str
    length_s: float
    change: Callable[[np.ndarray, np.random.Generator], np.ndarray]
    speed: float = 1.0

    def cut(self, tracks: list[Track], rng: np.random.Generator) -> tuple[Track, int, np.ndarray]:
        """Return a track, the first sample of an excerpt of it, and the excerpt as heard."""
        while True:
            track = tracks[int(rng.integers(len(tracks)))]
            y = track.load()
            n = int(self.length_s * self.speed * SR) + 8
            if len(y) > n:
                start = int(rng.integers(len(y) - n))
                piece = y[start : start + n]
                if np.sqrt(np.mean(piece**2)) > 1e-3:  # not a pause
                    return track, start, self.change(piece, rng)[: int(self.length_s * SR)]


def noisy(kind: str, snr_db: float) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    """Return what adds noise."""
    return lambda y, rng: distortions.add_noise(y, kind, rng, snr_db=snr_db)


def coded(kbps: int) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    """Return what sends a signal through an mp3."""

    def change(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        high = librosa.resample(y, orig_sr=SR, target_sr=32_000)
        return librosa.resample(
            distortions.encode_mp3(high, 32_000, kbps=kbps), orig_sr=32_000, target_sr=SR
        )

    return change


def played(speed: float) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    """Return what plays a signal faster."""
    return lambda y, rng: distortions.change_speed(y, speed)


def list_cells() -> Iterator[Cell]:
    """List the conditions of the report."""
    clean = np.inf
    for length_s, levels in (
        (1, (clean,)),
        (2, (clean, 0)),
        (5, (clean, 0, -5, -10)),
        (10, (clean, 0, -5, -10, -15)),
        (15, (clean, -10, -15)),
    ):
        for snr_db in levels:
            noise = "clean" if snr_db == clean else f"white {snr_db:+d} dB"
            yield Cell(f"{noise}, {length_s} s", length_s, noisy("white", snr_db))
    for kind in ("pink", "babble"):
        for snr_db in (0, -5):
            yield Cell(f"{kind} {snr_db:+d} dB, 10 s", 10, noisy(kind, snr_db))
    yield Cell("mp3 64 kb/s, 10 s", 10, coded(64))
    yield Cell("mp3 32 kb/s, 10 s", 10, coded(32))
    yield Cell("room of 0.6 s, 10 s", 10, lambda y, rng: distortions.add_reverb(y, rng))
    yield Cell("telephone, 10 s", 10, lambda y, rng: distortions.telephone(y))
    yield Cell("clipped by 20 dB, 10 s", 10, lambda y, rng: distortions.clip(y))
    for percent in (-2.9, -1.77, -0.73, 0.23, 1.27, 2.21, 2.9):
        speed = 1 + percent / 100
        yield Cell(f"speed {percent:+.2f} %, 10 s", 10, played(speed), max(speed, 1.0))


def try_cell(index: Index, cell: Cell, tracks: list[Track], n: int, seed: int) -> pd.DataFrame:
    """Ask for excerpts of indexed tracks."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        track, _, y = cell.cut(tracks, rng)
        begin = time.perf_counter()
        answer = index.identify(y, SR)
        spent = time.perf_counter() - begin
        first = answer.candidates[0].song if answer.candidates else None
        right = first == track.path.name
        rows.append((right, right and answer.match is not None, spent, track.rendered))
    return pd.DataFrame(rows, columns=["first", "accepted", "seconds", "rendered"])


def report_accuracy(n: int = 300) -> None:
    """Print recognition in each condition, with 95 % Wilson intervals."""
    split = split_tracks(list_tracks())
    index = build_index(split.indexed)
    print(f"{len(index)} tracks in the index; {n} excerpts in each row")
    rows = []
    for number, cell in enumerate(list_cells()):
        tried = try_cell(index, cell, split.indexed, n, seed=1000 + number)
        share, low, high = estimate_share(tried["first"])
        rows.append((cell.name, share, low, high, tried["accepted"].mean(),
                     tried["seconds"].median() * 1000))  # fmt: skip
        print(f"{cell.name:26s} first {share:6.1%} ({low:.1%} to {high:.1%})   accepted "
              f"{tried['accepted'].mean():6.1%}   {rows[-1][-1]:5.1f} ms", flush=True)  # fmt: skip
    columns = ["condition", "first", "low", "high", "accepted", "milliseconds"]
    path = CACHE / "identify_accuracy.csv"
    write_atomic(path, pd.DataFrame(rows, columns=columns).to_csv(index=False))


ASKED = (
    ("white", np.inf),
    ("white", 0),
    ("white", -10),
    ("white", -15),
    ("pink", 0),
    ("babble", 0),
)


def ask_many(
    index: Index, tracks: list[Track], n: int, seed: int, *, bank: bool
) -> Iterator[tuple[Track, Answer]]:
    """Ask for excerpts of all kinds of noise and of 5, 10 and 15 s."""
    rng = np.random.default_rng(seed)
    for number in range(n):
        kind, snr_db = ASKED[number % len(ASKED)]
        length_s = (5, 10, 15)[number // len(ASKED) % 3]
        track, _, y = Cell("", length_s, noisy(kind, snr_db)).cut(tracks, rng)
        yield track, index.ask(make_query(y), bank=bank)


def report_unknown(n: int = 6000) -> None:
    """Print how many excerpts of tracks outside the index are accepted."""
    split = split_tracks(list_tracks())
    index = build_index(split.indexed)
    answers = list(ask_many(index, split.unknown, n, seed=2000, bank=True))
    wrong = [(t, a) for t, a in answers if a.match is not None]
    share, low, high = estimate_share([a.match is not None for _, a in answers])
    print(f"{n} excerpts of {len(split.unknown)} tracks that are not in the index of {len(index)}")
    print(f"accepted: {len(wrong)} = {share:.3%} ({low:.3%} to {high:.3%})")
    for track, answer in wrong:
        print(f"  {track.path.name} -> {answer.match}")
    for level in (0.1, 0.01, 0.001, 0.0001):
        below = np.mean([a.p_false <= level for _, a in answers])
        print(f"p_false <= {level:g}: {below:.3%}")


def report_time(n: int = 60) -> None:
    """Print how fast it indexes and answers, and how large the index is."""
    split = split_tracks(list_tracks())
    signals = [track.load() for track in split.indexed]
    seconds = sum(map(len, signals)) / SR
    fingerprint("warm up", signals[0], Settings())
    begin = time.process_time()
    for y in signals[:200]:
        fingerprint("", y, Settings())
    spent = time.process_time() - begin
    print(f"fingerprints: {sum(map(len, signals[:200])) / SR / spent:,.0f} x real time on a core")
    index = build_index(split.indexed)
    for name, size in index.nbytes.items():
        print(f"{name}: {size / 1e6:.2f} MB, {size / 1e6 / (seconds / 3600):.3f} MB an hour")
    rng = np.random.default_rng(3000)
    cell = Cell("", 10, noisy("white", 0))
    whole, search = [], []
    for _ in range(n):
        _, _, y = cell.cut(split.indexed, rng)
        begin = time.perf_counter()
        query = make_query(y)
        made = time.perf_counter()
        index.ask(query, bank=False)
        search.append(time.perf_counter() - made)
        whole.append(time.perf_counter() - begin)
    middle, fastest = np.median(whole) * 1000, min(whole) * 1000
    print(f"10 s query: median {middle:.1f} ms, fastest {fastest:.1f} ms;"
          f" search among {len(index)} tracks: {np.median(search) * 1000:.2f} ms")  # fmt: skip


def calibrate(n: int = 3600) -> None:
    """Fit how the best candidate of a known excerpt differs from that of an unknown one."""
    split = split_tracks(list_tracks())
    index = build_index(split.indexed)
    inside, outside = [], []
    for track, answer in ask_many(index, split.indexed, n, seed=10, bank=False):
        if answer.candidates and answer.candidates[0].song == track.path.name:
            inside.append(answering.describe(answer.candidates))
    for _, answer in ask_many(index, split.calibration, n, seed=11, bank=False):
        if answer.candidates:
            outside.append(answering.describe(answer.candidates))
    features = np.array(inside + outside)
    known = np.repeat([1, 0], [len(inside), len(outside)])
    scale = features.std(axis=0)
    np.savez(CACHE / "identify_calibration.npz", inside=inside, outside=outside)
    model = LogisticRegression(C=1.0, max_iter=2000).fit(features / scale, known)
    weights = model.coef_[0] / scale
    totals = np.sort(np.array(outside) @ weights)
    start = float(totals[int(0.97 * len(totals))])
    excess = totals[totals >= start] - start
    calibration = {
        "features": list(answering.FEATURES),
        "weights": [round(float(weight), 5) for weight in weights],
        "start": round(start, 4),
        "scale": round(float(excess.mean()), 4),
        "rate": round(len(excess) / len(totals), 5),
        "n_known": len(inside),
        "n_unknown": len(outside),
    }
    path = ROOT / "aares" / "identify" / "calibration.json"
    write_atomic(path, json.dumps(calibration, indent=1) + "\n")
    print(json.dumps(calibration, indent=1))
    print("highest totals of unknown excerpts:", np.round(totals[-8:], 2))
    low = np.quantile(np.array(inside) @ weights, [0.001, 0.01, 0.02, 0.05, 0.1])
    print("lowest of known ones:", np.round(low, 2))


COMMANDS: dict[str, Callable[[], None]] = {
    "calibrate": calibrate,
    "accuracy": report_accuracy,
    "unknown": report_unknown,
    "time": report_time,
}

if __name__ == "__main__":
    for wanted in sys.argv[1:] or ["accuracy", "unknown", "time"]:
        COMMANDS[wanted]()
