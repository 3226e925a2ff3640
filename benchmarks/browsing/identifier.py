"""The identifier of the page: the same answers as Python's, and the time it takes in a browser.

`answers`: excerpts of the 16 demo songs that the page knows, clean and in noise, from a codec, too
fast or stretched; of the two demo songs that it leaves out, and of the course's songs, neither of
which it can know; and sounds that are no music. Each has 2, 5, 10 or 15 s. An answer is the same
where the reason and all candidates are, with every digit of their scores, votes, places and speeds,
and `p_false` to nine digits.

`times`: from the bytes of a WAV file of 10 s (44.1 kHz, stereo) to the answer, by the browser's
clock: decoded, resampled, fingerprinted and searched in as many ways as it takes. Where the machine
is shared, the processor's time is what counts: that of the browser's process, as it tells itself.
"""

from __future__ import annotations

import base64
import io
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import librosa
import numpy as np
import soundfile as sf

from aares.audio.decoding import load_audio
from aares.audio.sources import MEDIA
from aares.errors import AaresError
from aares.identify import Answer, Index, peaks
from benchmarks.identifying import conditions
from benchmarks.identifying.sounds import KINDS, make_sound
from workshop import config
from workshop.label.picture import FLAGS, find_browser
from workshop.page import build, sounds

SR = peaks.RATE_HZ
LENGTHS_S = (2, 5, 10, 15)
N_KNOWN, N_UNKNOWN, N_OTHER, N_TIMED = 78, 30, 20, 12
FILE_HZ, FILE_S = 44_100, 10
CHANGES = (
    lambda y, rng: y,
    *(conditions.add_noise("white", snr_db) for snr_db in (0, -5, -10, -15)),
    conditions.add_noise("pink", -5), conditions.add_noise("babble", 0),
    conditions.encode_mp3(32),
    *(conditions.play_faster(speed) for speed in (0.94, 0.99, 1.03)),
    conditions.stretch(tempo=1.04), conditions.stretch(pitch=2 ** (1 / 12)),
)  # fmt: skip
ASK = """async (text) => {
  const y = new Float32Array(AARES.decode(text));
  const { reason, p_false, candidates } = await AARES.identifier.identify(y);
  const tell = (c) => [c.song.name, c.offset_s, c.score, c.votes, c.speed, c.pitch];
  return JSON.stringify({ reason, p_false, candidates: candidates.map(tell) });
}"""
TIME = """async (text) => {
  const content = AARES.decode(text), start = performance.now();
  const y = await AARES.sound.decode(content, AARES.data.identifier.rate_hz);
  const { reason, match } = await AARES.identifier.identify(y);
  return { reason, song: match && match.song.name, ms: performance.now() - start };
}"""


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield in how many answers the page and Python agree, and the page's times."""
    songs = {path.stem: load_audio(path, sr=SR) for path in sorted(sounds.SONGS.glob("*.ogg"))}
    known = {path.stem: songs[path.stem] for path in sounds.list_songs()}
    foreign = {
        path.name: load_audio(path, sr=SR)
        for path in sorted((source.folder / "songs").glob("*"))
        if path.suffix.lower() in MEDIA
    }
    unknown = [y for name, y in songs.items() if name not in known] + list(foreign.values())
    with open_identifier() as (page, version):
        yield "times", time_files(page, known, unknown) | {"browser": version}
        yield "answers", compare(page, known, unknown) | {"browser": version}


@contextmanager
def open_identifier() -> Iterator[tuple[Any, str]]:
    """Open a browser that has the scripts of the identifier; yield its page and its version."""
    path = find_browser()
    if path is None:
        raise AaresError("benchmarks/page.py: expected a Chromium, found none: install one")
    from playwright.sync_api import sync_playwright

    scripts = [
        (build.WEB / "base.js").read_text(encoding="utf-8"),
        build.encode_data("identifier", sounds.make_identifier()).decode(),
        *((build.WEB / f"{name}.js").read_text(encoding="utf-8")
          for name in ("decode", "fourier", "hear", "identify")),
    ]  # fmt: skip
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        page = browser.new_page()
        page.set_default_timeout(60_000)
        for script in scripts:
            page.add_script_tag(content=script)
        yield page, f"Chromium {browser.version}"
        browser.close()


def compare(page: Any, known: dict[str, np.ndarray], unknown: list[np.ndarray]) -> dict[str, Any]:
    """Ask the page and Python for the same excerpts."""
    index = Index.from_signals(known)
    counts, reasons = Counter[str](), Counter[str]()
    for kind, name, y in list_excerpts(known, unknown):
        said = index.identify(y, SR)
        found = json.loads(page.evaluate(ASK, encode(y)))
        counts["n"] += 1
        counts["same"] += is_same(said, found)
        reasons[f"{kind}: {said.reason}"] += 1
        counts["wrong"] += said.match is not None and said.match.song != name
    return {
        "n": counts["n"], "same": counts["same"], "wrong_matches": counts["wrong"],
        "reasons": dict(sorted(reasons.items())),
    }  # fmt: skip


def list_excerpts(
    known: dict[str, np.ndarray], unknown: list[np.ndarray]
) -> Iterator[tuple[str, str | None, np.ndarray]]:
    """Yield kind, name of the song that it is to be known by, and signal."""
    rng, names = np.random.default_rng(0), list(known)
    for number in range(N_KNOWN):
        name = names[number % len(names)]
        change = CHANGES[number % len(CHANGES)]
        yield "known", name, cut(known[name], LENGTHS_S[number % 4], rng, change)
    for number in range(N_UNKNOWN):
        song = unknown[number % len(unknown)]
        yield "unknown", None, cut(song, LENGTHS_S[number % 4], rng, CHANGES[number % 5])
    for number in range(N_OTHER):
        kind = list(KINDS)[number % len(KINDS)]
        yield "no music", None, make_sound(kind, LENGTHS_S[number % 4] * SR, rng).astype(np.float32)


def cut(
    song: np.ndarray, length_s: float, rng: np.random.Generator, change: conditions.Change
) -> np.ndarray:
    """Return an excerpt as it is heard."""
    n = int(length_s * SR)
    start = int(rng.integers(len(song) - int(1.1 * n)))
    return change(song[start : start + int(1.1 * n)], rng)[:n].astype(np.float32)


def is_same(said: Answer, found: dict[str, Any]) -> bool:
    """Tell whether the page says what Python says."""
    rows = [[c.song, c.offset_s, c.score, c.votes, c.speed, c.pitch] for c in said.candidates]
    close = abs(found["p_false"] - said.p_false) <= 1e-9 * said.p_false
    return bool(close and found["reason"] == said.reason and found["candidates"] == rows)


def time_files(
    page: Any, known: dict[str, np.ndarray], unknown: list[np.ndarray]
) -> dict[str, Any]:
    """Time files of 10 s that the page knows, and others, which are searched in all ways."""
    rng, names = np.random.default_rng(1), list(known)
    rows, processes = {}, page.context.browser.new_browser_cdp_session()
    for kind in ("known", "unknown"):
        found, before_s = [], read_cpu_s(processes)
        for number in range(N_TIMED):
            name = names[number % len(names)]
            song = known[name] if kind == "known" else unknown[number % len(unknown)]
            found.append(page.evaluate(TIME, write_file(cut(song, FILE_S, rng, CHANGES[0]))))
            if kind == "known" and found[-1]["song"] != name:
                raise AaresError(f"benchmarks/page.py: expected {name}, found {found[-1]}")
        rows[kind] = {
            "n": len(found),
            "mean_cpu_ms": round(1000 * (read_cpu_s(processes) - before_s) / len(found)),
            **{f"{word}_ms": round(float(value)) for word, value in (
                ("min", np.min([row["ms"] for row in found])),
                ("median", np.median([row["ms"] for row in found])),
                ("max", np.max([row["ms"] for row in found])))},
        }  # fmt: skip
    return {"seconds": FILE_S, "rate_hz": FILE_HZ, "channels": 2, **rows}


def read_cpu_s(processes: Any) -> float:
    """Return the processor's time of all that run pages, in seconds."""
    told = processes.send("SystemInfo.getProcessInfo")["processInfo"]
    return float(sum(one["cpuTime"] for one in told if one["type"] == "renderer"))


def write_file(y: np.ndarray) -> str:
    """Return a WAV file as text."""
    content = io.BytesIO()
    high = librosa.resample(y, orig_sr=SR, target_sr=FILE_HZ)
    sf.write(content, np.stack([high, high], axis=1), FILE_HZ, format="WAV", subtype="PCM_16")
    return base64.b64encode(content.getvalue()).decode()


def encode(y: np.ndarray) -> str:
    """Return single-precision samples as text."""
    return base64.b64encode(np.ascontiguousarray(y, dtype="<f4").tobytes()).decode()
