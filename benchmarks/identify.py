"""The identifier on a thousand tracks and more: recognition, false alarms, time, memory.

    python benchmarks/identify.py calibrate   fits aares/identify/calibration.json
    python benchmarks/identify.py accuracy    recognition by noise, length, codec, room, speed
    python benchmarks/identify.py unknown     false acceptances, on tracks that are not in the index
    python benchmarks/identify.py time        indexing, a query and its search, memory

The catalogue is what ``python tools/make_demo_data.py render --count 1600`` renders into
``data/cache/catalogue``; folders with more music (one or more, such as those of Debian's game
soundtracks) may be named in the environment variable AARES_MUSIC, separated as in PATH. Without a
catalogue the demo songs are used, and the output says so. What `accuracy` and `unknown` measure on
a thousand tracks is kept in ``benchmarks/results/identify.json``, which notebook 04 shows.

To choose and to calibrate serve seeds below 100, the indexed tracks (each as unknown too, with its
family left out of the answer) and every third of the families outside (`Split.development`). What
is reported comes from other seeds, for unknown tracks also from other families. A track outside the
index that shares its score, melodies or sound with one inside (its `family`) is left out.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from aares.audio import distortions, load_audio
from aares.files import write_atomic
from aares.identify import Index, Query, Settings, make_query
from aares.identify import answer as answering
from aares.identify.catalogue import (
    Prints,
    Recording,
    fingerprint,
)
from aares.identify.pairs import hash_recording
from aares.identify.peaks import BLOCK_FRAMES, N_BINS, Peaks
from aares.identify.search import WAYS
from aares.identify.segment import pack_peaks, unpack_peaks
from aares.scores import estimate_share
from workshop.config import CACHE, DEMO, ROOT
from workshop.measured import BENCHMARK, digest_calibration, keep

SR = distortions.NOISE_RATE_HZ
N_INDEXED = 1000
N_LARGE = 10_000
MUSIC_S = 180.0  # of longer files the first three minutes are used
# The audit of the music: pairs of which ten seconds agree in 80 % of Chromaprint's bits (unrelated
# ones in 61 to 66 %); both are of one family.
VERSIONS = {
    "menu_enhanced": "menu",
    "track30": "track1",
    "March Thee to Dis": "Advanced Simulacra",
}
SUFFIXES = {".ogg", ".mp3", ".flac", ".wav", ".opus"}


@dataclass(frozen=True)
class Track:
    """A file of the catalogue."""

    path: Path
    family: str
    rendered: bool

    @property
    def name(self) -> str:
        """Name in the index: two games may have a track of one name."""
        return f"{self.path.parent.name}/{self.path.name}"

    def load(self) -> np.ndarray:
        """Return the signal at 8 kHz, from a cache that is as fast as the disk."""
        kept = CACHE / "signals" / f"{self.name.replace('/', ' ')}.npy"
        if not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            y = load_audio(self.path, sr=SR)[: int(MUSIC_S * SR)]
            np.save(kept, y.astype(np.float16))
        return np.load(kept).astype(np.float32)


@dataclass(frozen=True)
class Split:
    """Who is in the index, and who is not."""

    indexed: list[Track]
    development: list[Track]
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
                tracks.append(Track(path, f"music {name_family(path.stem)}", False))
    return tracks


def name_family(stem: str) -> str:
    """Tell versions of one piece by names that begin alike, or that the audit found."""
    name = VERSIONS.get(stem, stem).lower()
    return name.split("_")[0] if name.startswith("track") else name[:6]


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
    signals = {track.name: track.load() for track in tracks}
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
        right = first == track.name
        rows.append((right, right and answer.match is not None, spent, track.rendered))
    return pd.DataFrame(rows, columns=["first", "accepted", "seconds", "rendered"])


def record(section: str, n_indexed: int, **measured: object) -> None:
    """Keep what was measured on the whole catalogue, and with which calibration."""
    if n_indexed < N_INDEXED:
        print("not kept: too few tracks")
        return
    origin = {"calibration": digest_calibration(), "n_indexed": n_indexed}
    keep(BENCHMARK, section, **origin, **measured)


def report_accuracy(n: int = 300) -> None:
    """Print recognition in each condition, with 95 % Wilson intervals."""
    split = split_tracks(list_tracks())
    index = build_index(split.indexed)
    print(f"{len(index)} tracks in the index; {n} excerpts in each row")
    rows = []
    for number, cell in enumerate(list_cells()):
        tried = try_cell(index, cell, split.indexed, n, seed=1000 + number)
        first, accepted = int(tried["first"].sum()), int(tried["accepted"].sum())
        milliseconds = tried["seconds"].median() * 1000
        rows.append({"condition": cell.name, "first": first, "accepted": accepted})
        share, low, high = estimate_share(tried["first"])
        print(f"{cell.name:26s} first {share:6.1%} ({low:.1%} to {high:.1%})   accepted "
              f"{accepted / n:6.1%}   {milliseconds:5.1f} ms", flush=True)  # fmt: skip
    record("accuracy", len(index), n=n, rows=rows)


SHORT_WEIGHT = 0.3  # of an excerpt that is too short to be sure of, when features are weighed
ASKED = (
    ("white", np.inf),
    ("white", 0),
    ("white", -10),
    ("white", -15),
    ("pink", 0),
    ("babble", 0),
)


def cut_many(
    tracks: list[Track], n: int, seed: int, *, speeds: bool = False
) -> Iterator[tuple[Track, Query]]:
    """Cut excerpts of 2 to 15 s, in all kinds of noise, at speeds of their own if wanted."""
    rng = np.random.default_rng(seed)
    for number in range(n):
        noise = noisy(*ASKED[number % len(ASKED)])
        length_s = (5, 10, 15, 5, 10, 15, 2)[number // len(ASKED) % 7]
        speed = float(rng.uniform(0.97, 1.03)) if speeds else 1.0
        cell = Cell("", length_s, lambda y, rng, s=speed, f=noise: f(played(s)(y, rng), rng))
        track, _, y = replace(cell, speed=max(speed, 1.0)).cut(tracks, rng)
        yield track, make_query(y)


def report_unknown(n: int = 6000) -> None:
    """Print how many excerpts of tracks outside the index are accepted."""
    split = split_tracks(list_tracks())
    index = build_index(split.indexed)
    answers = [(track, index.ask(query)) for track, query in cut_many(split.unknown, n, seed=2000)]
    wrong = [(t, a) for t, a in answers if a.match is not None]
    share, low, high = estimate_share([a.match is not None for _, a in answers])
    print(f"{n} excerpts of {len(split.unknown)} tracks that are not in the index of {len(index)}")
    print(f"accepted: {len(wrong)} = {share:.3%} ({low:.3%} to {high:.3%})")
    record("unknown", len(index), n=n, accepted=len(wrong), n_unknown=len(split.unknown))
    for track, answer in wrong:
        print(f"  {track.name} -> {answer.match}")
    for level in (0.1, 0.01, 0.001, 0.0001):
        below = np.mean([a.p_false <= level for _, a in answers])
        print(f"p_false <= {level:g}: {below:.3%}")


def vary(one: Prints, name: str, rng: np.random.Generator) -> Prints:
    """Make another track of a track: its peaks at another speed, and in another key."""
    speed, shift = rng.uniform(0.7, 1.4), rng.uniform(0.75, 1.33)
    times, bins, strengths = unpack_peaks(one.counts, one.peaks)
    times, bins = np.rint(times * speed).astype(np.int32), np.rint(bins * shift).astype(np.int32)
    order = np.lexsort((bins, times))
    order = order[(bins[order] >= 16) & (bins[order] < N_BINS - 1)]
    found = Peaks(times[order], bins[order], np.zeros(len(order), dtype=np.float32))
    hashes, anchors = hash_recording(found, fan_out=Settings().fan_out)
    n_blocks = int(found.time.max()) // BLOCK_FRAMES + 1
    counts, places = pack_peaks(found, strengths[order], n_blocks)
    recording = Recording(name, n_blocks, one.recording.seconds * speed)
    return Prints(recording, hashes, anchors, counts, places)


def report_time(n: int = 100) -> None:
    """Print how fast it indexes and answers, and how large the index is."""
    tracks = split_tracks(list_tracks()).indexed
    fingerprint("warm up", tracks[0].load(), Settings())
    prints, spent = [], 0.0
    for track in tracks:
        y = track.load()
        begin = time.process_time()
        prints.append(fingerprint(track.name, y, Settings()))
        spent += time.process_time() - begin
    hours = sum(one.recording.seconds for one in prints) / 3600
    print(f"fingerprints: {hours * 3600 / spent:,.0f} x real time on a core")
    rng = np.random.default_rng(3000)
    queries = [Cell("", 10, noisy("white", 0)).cut(tracks, rng)[2] for _ in range(n)]
    for size in (len(prints), N_LARGE):
        while len(prints) < size:
            one = prints[len(prints) % len(tracks)]
            prints.append(vary(one, f"varied {len(prints)}", rng))
        index = Index()
        index._add(prints)
        hours = sum(one.recording.seconds for one in prints) / 3600
        sizes = ", ".join(f"{key} {n / 1e6 / hours:.3f}" for key, n in index.nbytes.items())
        print(f"{size} tracks, {hours:.0f} h; MB an hour: {sizes}")
        time_queries(index, queries)


def time_queries(index: Index, queries: list[np.ndarray]) -> None:
    """Print how long queries of 10 s take, from samples to answer, and their search alone."""
    spent = []
    for y in queries:
        begin = time.perf_counter()
        query = make_query(y)
        query.hash(), query.ceiling  # what a query has before it meets an index
        made = time.perf_counter()
        index.ask(query, bank=False)
        spent.append((time.perf_counter() - begin, time.perf_counter() - made))
    for name, times in zip(("whole", "search"), np.array(spent).T * 1000, strict=True):
        low, middle, high = np.quantile(times, (0.1, 0.5, 0.9))
        print(f"  {name}: median {middle:.2f} ms, 10 to 90 %: {low:.2f} to {high:.2f} ms")


def calibrate(n: int = 4800) -> None:
    """Fit how the best candidate of a known excerpt differs from that of an unknown one.

    Each excerpt of an indexed track serves twice: as it is, and as one of an unknown track, with
    its family left out of the answer. So every track is once the unknown one.
    """
    split = split_tracks(list_tracks())
    index = build_index(split.indexed)
    families: dict[str, set[str]] = {}
    for track in split.indexed:
        families.setdefault(track.family, set()).add(track.name)
    calibration: dict[str, object] = {"features": list(answering.FEATURES)}
    for way in WAYS:
        inside, outside, pairs, seconds = [], [], [], ([], [])
        for track, query in cut_many(split.indexed, n, seed=10, speeds=way == "speeds"):
            known = index.rank(query, way)
            if known.candidates and known.candidates[0].song == track.name:
                inside.append(answering.describe(known))
                seconds[0].append(query.seconds)
            unknown = index.rank(query, way, without=families[track.family])
            if unknown.candidates:
                outside.append(answering.describe(unknown))
                seconds[1].append(query.seconds)
                pairs.append(f"{track.name} taken for {unknown.candidates[0].song}")
        calibration[way] = fit_tail(
            np.array(inside), np.array(outside), np.concatenate(seconds), pairs, way
        )
    path = ROOT / "aares" / "identify" / "calibration.json"
    write_atomic(path, json.dumps(calibration, indent=1) + "\n")


def fit_tail(
    inside: np.ndarray, outside: np.ndarray, seconds: np.ndarray, pairs: list[str], way: str
) -> dict[str, object]:
    """Weigh the features, and fit the tail of the unknown excerpts' sums.

    Excerpts of 2 s, many of them hopeless, weigh less: what tells longer ones apart is learnt.
    """
    features = np.concatenate([inside, outside])
    known = np.repeat([1, 0], [len(inside), len(outside)])
    scale = features.std(axis=0)
    weight = np.where(seconds < answering.SECONDS[0], SHORT_WEIGHT, 1.0)
    model = LogisticRegression(C=1.0, max_iter=5000)
    model.fit(features / scale, known, sample_weight=weight)
    weights = model.coef_[0] / scale
    totals = outside @ weights
    order = np.argsort(totals)
    for row in order[:-7:-1]:  # to be audited: is it the same music?
        print(f"  {totals[row]:6.2f} {pairs[row]}")
    totals = totals[order]
    start = float(totals[int(0.97 * len(totals))])
    excess = totals[totals >= start] - start
    print(f"{way}: {len(inside)} known, {len(outside)} unknown excerpts")
    level = start + excess.mean() * np.log(len(excess) / len(totals) / answering.THRESHOLD)
    print(f"  accepted from {level:.2f} on: {np.mean(inside @ weights >= level):.2%} of the known,"
          f" {np.mean(totals >= level):.3%} of the unknown")  # fmt: skip
    return {
        "weights": [round(float(weight), 5) for weight in weights],
        "start": round(start, 4),
        "scale": round(float(excess.mean()), 4),
        "rate": round(len(excess) / len(totals), 5),
        "n_known": len(inside),
        "n_unknown": len(outside),
    }


COMMANDS: dict[str, Callable[[], None]] = {
    "calibrate": calibrate,
    "accuracy": report_accuracy,
    "unknown": report_unknown,
    "time": report_time,
}

if __name__ == "__main__":
    for wanted in sys.argv[1:] or ["accuracy", "unknown", "time"]:
        COMMANDS[wanted]()
