"""How excerpts are heard: noise, codecs, rooms, other voices, other speeds. All of it is simulated.

A level of noise is that in the identifier's band, up to 4 kHz. White noise up to 11 kHz at a level
of -10 dB has 4.4 dB less in that band: -5.6 dB there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import librosa
import numpy as np

from aares.audio import distortions, playback
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


def play_faster(speed: float) -> Change:
    """Return what plays a signal faster, pitch and all."""
    return lambda y, rng: distortions.change_speed(y, speed)


def stretch(*, tempo: float = 1.0, pitch: float = 1.0) -> Change:
    """Return what changes tempo or pitch apart from each other."""
    return lambda y, rng: playback.stretch(y, SR, tempo=tempo, pitch=pitch)


def speak_over(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Put one speaker over it, 5 dB above the music."""
    return distortions.mix(y, sounds.make_voice(len(y), rng), snr_db=-5.0)


def hear_in_room(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Hear it from a small loudspeaker in a room of 0.8 s, among others who talk as loudly."""
    wet = playback.put_into_room(y, rng, decay_s=0.8)
    heard = distortions.add_noise(wet, "babble", rng, snr_db=0.0)
    return playback.filter_band(heard, low_hz=200, high_hz=3999)


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
        ("Opus 16 kb/s", lambda y, rng: playback.encode_opus(y, SR, kbps=16)),
        ("room of 0.6 s", lambda y, rng: distortions.add_reverb(y, rng)),
        ("room of 0.8 s, babble +0 dB, from 200 Hz", hear_in_room),
        ("telephone", lambda y, rng: distortions.telephone(y)),
        ("telephone codec (GSM)", lambda y, rng: playback.encode_telephone(y)),
        ("gain control", lambda y, rng: playback.control_gain(y)),
        ("clipped by 20 dB", lambda y, rng: distortions.clip(y)),
        ("compressed and clipped", lambda y, rng: playback.compress(y)),
        ("a speaker 5 dB above", speak_over),
    ):
        yield Condition(f"{name}, 10 s", 10, change)
    for percent in (-8.0, -6.0, -2.9, -1.77, -0.73, 0.23, 1.27, 2.21, 2.9, 6.0, 8.0):
        speed = 1 + percent / 100
        yield Condition(f"speed {percent:+.2f} %, 10 s", 10, play_faster(speed), max(speed, 1.0))
    for percent in (-4.0, 4.0):
        tempo = 1 + percent / 100
        yield Condition(f"tempo {percent:+.0f} %, 10 s", 10, stretch(tempo=tempo), max(tempo, 1.0))
    for semitones in (-2, 2):
        yield Condition(
            f"pitch {semitones:+d} semitones, 10 s", 10, stretch(pitch=2 ** (semitones / 12))
        )
