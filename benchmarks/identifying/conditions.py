"""How excerpts are heard: noise, codecs, rooms, other voices, other speeds. All of it is simulated.

A level of noise is that in the identifier's band, up to 4 kHz. White noise up to 11 kHz at a level
of -10 dB has 4.4 dB less in that band: -5.6 dB there.

References
----------
.. [1] J. B. Allen and D. A. Berkley, "Image method for efficiently simulating small-room
   acoustics", Journal of the Acoustical Society of America 65, 1979.
.. [2] ITU-T G.711, 1988 (the codec of telephones: mu-law).
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import librosa
import numpy as np
from scipy import signal

from aares.audio import distortions
from benchmarks.identifying import sounds
from benchmarks.identifying.sources import SR, Track

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]
CLEAN = np.inf
BAND_DB = 10 * np.log10(11_025 / 4000)  # noise up to 11 kHz over its part up to 4 kHz
QUIET = 1e-3  # below this an excerpt is a pause


@dataclass(frozen=True)
class Condition:
    """A condition under which excerpts are heard.

    Parameters
    ----------
    name : str
    length_s : float
        Of what is heard.
    change : callable
        From a signal and a `Generator` to what is heard of it.
    speed : float
        So many times as long a piece of the track is needed.
    """

    name: str
    length_s: float
    change: Change
    speed: float = 1.0

    def cut(self, track: Track, rng: np.random.Generator) -> np.ndarray | None:
        """Return an excerpt of a track as heard; None where the track is too short or silent."""
        y = track.load()
        n = int(self.length_s * self.speed * SR) + 8
        for _ in range(20):
            if len(y) <= n:
                return None
            start = int(rng.integers(len(y) - n))
            piece = y[start : start + n]
            if np.sqrt(np.mean(piece**2)) > QUIET:
                return self.change(piece, rng)[: int(self.length_s * SR)].astype(np.float32)
        return None

    def draw(self, tracks: list[Track], rng: np.random.Generator) -> tuple[Track, np.ndarray]:
        """Return a track, and an excerpt of it as heard."""
        while True:
            track = tracks[int(rng.integers(len(tracks)))]
            y = self.cut(track, rng)
            if y is not None:
                return track, y


def add_noise(kind: str, snr_db: float) -> Change:
    """Return what adds noise."""
    return lambda y, rng: distortions.add_noise(y, kind, rng, snr_db=snr_db)


def encode_mp3(kbps: int) -> Change:
    """Return what sends a signal through an mp3."""

    def change(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        high = librosa.resample(y, orig_sr=SR, target_sr=32_000)
        coded = distortions.encode_mp3(high, 32_000, kbps=kbps)
        return librosa.resample(coded, orig_sr=32_000, target_sr=SR)

    return change


def encode_opus(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Send a signal through Opus at 16 kb/s; needs ffmpeg."""
    raw = ["-f", "f32le", "-ac", "1", "-ar", str(SR)]
    code = ["ffmpeg", "-v", "error", *raw, "-i", "-", "-c:a", "libopus", "-b:a", "16k"]
    coded = subprocess.run([*code, "-f", "ogg", "-"], input=y.astype("<f4").tobytes(),
                           capture_output=True, check=True).stdout  # fmt: skip
    heard = subprocess.run(["ffmpeg", "-v", "error", "-i", "-", *raw, "-"], input=coded,
                           capture_output=True, check=True).stdout  # fmt: skip
    return np.frombuffer(heard, "<f4")


def play_faster(speed: float) -> Change:
    """Return what plays a signal faster, pitch and all."""
    return lambda y, rng: distortions.change_speed(y, speed)


def stretch(tempo: float) -> Change:
    """Return what plays a signal faster at its pitch."""
    return lambda y, rng: librosa.effects.time_stretch(y, rate=tempo)


def transpose(semitones: float) -> Change:
    """Return what shifts the pitch at the same tempo."""
    return lambda y, rng: librosa.effects.pitch_shift(y, sr=SR, n_steps=semitones)


def squash(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Compress the loudness as a loud broadcast does, and clip by 6 dB."""
    level = np.sqrt(signal.lfilter([0.002], [1, -0.998], y.astype(float) ** 2) + 1e-8)
    return distortions.clip((y / level**0.7).astype(np.float32), gain_db=6.0)


def control_gain(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Bring a signal to one loudness within half a second, as recorders do."""
    level = np.sqrt(signal.lfilter([2.5e-4], [1, -0.99975], y.astype(float) ** 2) + 1e-8)
    return (0.1 * y / level).astype(np.float32)


def call(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Send a signal through a telephone's band and its codec of 8 bits."""
    narrow = distortions.telephone(y)
    narrow = narrow / max(float(np.abs(narrow).max()), 1e-9)
    coded = np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)
    coded = np.round(coded * 127) / 127
    return (np.sign(coded) * (256 ** np.abs(coded) - 1) / 255).astype(np.float32)


def speak_over(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Put one speaker over it, 5 dB above the music."""
    return distortions.mix(y, sounds.make_voice(len(y), rng), snr_db=-5.0)


def hear_in_room(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Hear it from a small loudspeaker in a room of 0.8 s, among others who talk as loudly."""
    wet = signal.fftconvolve(y, simulate_room(int(rng.integers(8))))[: len(y)]
    heard = distortions.add_noise(wet.astype(np.float32), "babble", rng, snr_db=0.0)
    high = signal.butter(4, 200, "highpass", fs=SR, output="sos")
    return signal.sosfilt(high, heard).astype(np.float32)


@cache
def simulate_room(number: int, decay_s: float = 0.8) -> np.ndarray:
    """Return the response of a rectangular room by its image sources [1]_, Sabine's absorption."""
    rng = np.random.default_rng(number)
    size = np.array([rng.uniform(4, 8), rng.uniform(3, 6), rng.uniform(2.4, 3.5)])
    source, heard = (size * rng.uniform(0.15, 0.85, 3) for _ in range(2))
    surface = 2 * (size[0] * size[1] + size[0] * size[2] + size[1] * size[2])
    reflection = np.sqrt(max(1 - 0.161 * size.prod() / (surface * decay_s), 0.05))
    reach, (nx, ny, nz) = 343 * decay_s, np.ceil(343 * decay_s / size / 2).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in (nx, ny, nz)), indexing="ij"), -1)
    response = np.zeros(int(decay_s * SR) + 1)
    for mirrored in np.ndindex(2, 2, 2):
        sign = 1 - 2 * np.array(mirrored)
        images = sign * source + 2 * grid * size - heard
        distance = np.sqrt((images**2).sum(axis=-1))
        bounces = np.abs(2 * grid - np.array(mirrored)).sum(axis=-1)
        near = distance < reach
        weight = reflection ** bounces[near] / np.maximum(distance[near], 0.3)
        np.add.at(response, (distance[near] / 343 * SR).astype(int), weight)
    return response / np.sqrt((response**2).sum())


def list_noises() -> Iterator[Condition]:
    """List the conditions of white noise by length."""
    for length_s, levels in (
        (1, (CLEAN,)),
        (2, (CLEAN, 0)),
        (5, (CLEAN, 0, -5, -10)),
        (10, (CLEAN, 0, -5, -10, -15)),
        (15, (CLEAN, -10, -15)),
    ):
        for snr_db in levels:
            noise = "clean" if snr_db == CLEAN else f"white {snr_db:+d} dB"
            yield Condition(f"{noise}, {length_s} s", length_s, add_noise("white", snr_db))


def list_conditions() -> Iterator[Condition]:
    """List the conditions of the report."""
    yield from list_noises()
    for kind in ("pink", "babble"):
        for snr_db in (0, -5):
            yield Condition(f"{kind} {snr_db:+d} dB, 10 s", 10, add_noise(kind, snr_db))
    for name, change in (
        ("mp3 64 kb/s", encode_mp3(64)),
        ("mp3 32 kb/s", encode_mp3(32)),
        ("Opus 16 kb/s", encode_opus),
        ("room of 0.6 s", lambda y, rng: distortions.add_reverb(y, rng)),
        ("room of 0.8 s, babble +0 dB, from 200 Hz", hear_in_room),
        ("telephone", lambda y, rng: distortions.telephone(y)),
        ("telephone codec", call),
        ("gain control", control_gain),
        ("clipped by 20 dB", lambda y, rng: distortions.clip(y)),
        ("compressed and clipped", squash),
        ("a speaker 5 dB above", speak_over),
    ):
        yield Condition(f"{name}, 10 s", 10, change)
    for percent in (-8.0, -6.0, -2.9, -1.77, -0.73, 0.23, 1.27, 2.21, 2.9, 6.0, 8.0):
        speed = 1 + percent / 100
        yield Condition(f"speed {percent:+.2f} %, 10 s", 10, play_faster(speed), max(speed, 1.0))
    for percent in (-4.0, 4.0):
        tempo = 1 + percent / 100
        yield Condition(f"tempo {percent:+.0f} %, 10 s", 10, stretch(tempo), max(tempo, 1.0))
    for semitones in (-2, 2):
        yield Condition(f"pitch {semitones:+d} semitones, 10 s", 10, transpose(semitones))
