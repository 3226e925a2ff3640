"""From a score to audio: performance, synthesis, room, mastering.

Used by ``tools/demo_songs.py`` and ``tools/song_catalogue.py``; no notebook needs it.

Conventions: audio is float32 or float64 mono in [-1, 1] at `SAMPLE_RATE`; MIDI programs count
from 0. Every random choice comes from the `Generator` that is passed in, so a song is the same
each time.

References
----------
A. Friberg, R. Bresin, J. Sundberg, "Overview of the KTH rule system for musical performance",
Advances in Cognitive Psychology 2, 2006 (phrase arches, final ritardando, metrical accents).
"""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage, signal

from tools.song_scores import Note, Score

SAMPLE_RATE = 22050
DRUM_CHANNEL = 9
DRUM_BANK = 128
PEAK = 0.88
GRID_Q = 0.5

# (position in the bar as a fraction, General-MIDI drum key, velocity)
DRUM_PATTERNS: dict[str, tuple[tuple[float, int, int], ...]] = {
    "tambourine": ((0.0, 64, 84), (0.0, 54, 66), (0.25, 54, 40), (0.5, 63, 62), (0.5, 54, 58),
                   (0.75, 54, 44), (0.875, 63, 46)),
    "frame_drum": ((0.0, 41, 78), (0.5, 64, 56), (0.75, 63, 44)),
    "swing": ((0.0, 51, 70), (0.0, 36, 58), (0.25, 51, 62), (0.25, 44, 62), (0.417, 51, 48),
              (0.5, 51, 66), (0.5, 38, 40), (0.75, 51, 62), (0.75, 44, 62), (0.917, 51, 48)),
    "march": ((0.0, 36, 76), (0.0, 38, 50), (0.25, 38, 56), (0.5, 36, 66), (0.625, 38, 44),
              (0.75, 38, 60), (0.875, 38, 48)),
    "pop": ((0.0, 36, 84), (0.0, 42, 56), (0.125, 42, 44), (0.25, 38, 76), (0.25, 42, 54),
            (0.375, 42, 44), (0.5, 36, 78), (0.5, 42, 56), (0.625, 36, 60), (0.625, 42, 44),
            (0.75, 38, 78), (0.75, 42, 54), (0.875, 42, 46)),
}  # fmt: skip
DRUM_KITS = {"tambourine": 48, "frame_drum": 48, "swing": 40, "march": 48, "pop": 0}


@dataclass(frozen=True)
class Voice:
    """Who plays a part: MIDI program, relative loudness, octaves up, note length played."""

    part: int
    program: int
    level: float = 1.0
    octave: int = 0
    legato: float = 0.95


@dataclass(frozen=True)
class Arrangement:
    """How a score is played: voices, tempo in quarters a minute, semitones up, drums, freedom."""

    voices: tuple[Voice, ...]
    tempo: float
    transpose: int = 0
    drums: str | None = None
    rubato: float = 0.04
    loudness: float = 1.0


class Event(NamedTuple):
    """A key going down (velocity > 0) or up (velocity 0) at a time in seconds."""

    time_s: float
    velocity: int
    channel: int
    key: int


def map_time(length_q: float, arrangement: Arrangement, rng: np.random.Generator) -> np.ndarray:
    """Return when each half quarter of a performance sounds.

    Parameters
    ----------
    length_q : float
        Length of the score in quarter notes.
    arrangement : Arrangement
        Gives the tempo and the size of its slow random drift (`rubato`, 0.04 is 4 %).
    rng : numpy.random.Generator
        Source of the drift.

    Returns
    -------
    np.ndarray [shape=(n,)]
        Seconds, increasing; entry k belongs to quarter `k * GRID_Q`. The last quarters slow down.
    """
    n_steps = int(np.ceil((length_q + 4.0) / GRID_Q)) + 1
    drift = ndimage.gaussian_filter1d(rng.standard_normal(n_steps), 4.0 / GRID_Q, mode="wrap")
    factor = 1.0 + arrangement.rubato * drift / max(float(np.std(drift)), 1e-9)
    to_end_q = np.clip(length_q - GRID_Q * np.arange(n_steps), 0.0, 4.0)
    steps = GRID_Q * 60.0 / arrangement.tempo * np.clip(factor, 0.8, 1.2)
    steps *= 1.0 + 0.3 * (1.0 - to_end_q / 4.0) ** 2
    return np.concatenate(([0.0], np.cumsum(steps)[:-1]))


def _accent(onset_q: float, bar_q: float) -> float:
    """Return the metrical weight of an onset: the bar's first note, then whole beats."""
    if abs(onset_q % bar_q) < 1e-6:
        return 8.0
    return 3.0 if abs(onset_q % 1.0) < 1e-6 else -3.0


def perform(score: Score, arrangement: Arrangement, rng: np.random.Generator) -> list[Event]:
    """Play a score with drifting tempo, phrase arches, accents and uneven fingers.

    Parameters
    ----------
    score : Score
        What is played.
    arrangement : Arrangement
        Who plays it; voices beyond the fifteenth are refused.
    rng : numpy.random.Generator
        Source of all unevenness.

    Returns
    -------
    list of Event
        Sorted by time, a key's release before its next stroke.

    Raises
    ------
    ValueError
        If there are more voices than melodic MIDI channels.
    """
    if len(arrangement.voices) > 15:
        raise ValueError(f"an arrangement has at most 15 voices, found {len(arrangement.voices)}")
    clock = map_time(score.length_q, arrangement, rng)
    phase = rng.uniform(0.0, 2.0 * np.pi)
    events: list[Event] = []
    for index, voice in enumerate(arrangement.voices):
        notes = [note for note in score.notes if note.part == voice.part]
        channel = index + (index >= DRUM_CHANNEL)
        events += _play_voice(notes, voice, arrangement, (channel, score.bar_q, phase, clock), rng)
    if arrangement.drums:
        events += _play_drums(score, arrangement, clock, rng)
    return sorted(events)


def _play_voice(
    notes: list[Note],
    voice: Voice,
    arrangement: Arrangement,
    setting: tuple[int, float, float, np.ndarray],
    rng: np.random.Generator,
) -> list[Event]:
    """Return the strokes and releases of one voice."""
    channel, bar_q, phase, clock = setting
    grid = GRID_Q * np.arange(clock.size)
    shift = arrangement.transpose + 12 * voice.octave
    strokes: dict[int, list[tuple[float, float, int]]] = {}
    for note in notes:
        start_s = float(np.interp(note.onset_q, grid, clock)) + abs(rng.normal(0.0, 0.007))
        end_q = note.onset_q + voice.legato * note.length_q
        end_s = max(float(np.interp(end_q, grid, clock)), start_s + 0.06)
        arch = 9.0 * np.sin(2.0 * np.pi * note.onset_q / (4.0 * bar_q) + phase)
        loud = 74.0 + _accent(note.onset_q, bar_q) + arch + rng.normal(0.0, 3.5)
        loud *= voice.level * arrangement.loudness
        stroke = (start_s, end_s, int(np.clip(round(loud), 20, 120)))
        strokes.setdefault(int(np.clip(note.pitch + shift, 21, 108)), []).append(stroke)
    return [event for key, row in strokes.items() for event in _key_events(row, channel, key)]


def _key_events(row: list[tuple[float, float, int]], channel: int, key: int) -> list[Event]:
    """Return one key's events; it is released shortly before it is struck again."""
    row = sorted(row)
    events = []
    for k, (start_s, end_s, velocity) in enumerate(row):
        if k + 1 < len(row):
            end_s = max(min(end_s, row[k + 1][0] - 0.01), start_s + 0.002)
        events += [Event(start_s, velocity, channel, key), Event(end_s, 0, channel, key)]
    return events


def _play_drums(
    score: Score, arrangement: Arrangement, clock: np.ndarray, rng: np.random.Generator
) -> list[Event]:
    """Return the drum strokes of all bars."""
    grid = GRID_Q * np.arange(clock.size)
    events = []
    for bar in range(int(score.length_q // score.bar_q)):
        for position, key, velocity in DRUM_PATTERNS[str(arrangement.drums)]:
            onset_q = (bar + position) * score.bar_q
            start_s = float(np.interp(onset_q, grid, clock)) + abs(rng.normal(0.0, 0.005))
            loud = arrangement.loudness * (velocity + rng.normal(0.0, 5.0))
            stroke = int(np.clip(round(loud), 15, 120))
            events.append(Event(start_s, stroke, DRUM_CHANNEL, key))
            events.append(Event(start_s + 0.2, 0, DRUM_CHANNEL, key))
    return events


@functools.cache
def _read_soundfont() -> bytes:
    """Return the SoundFont that comes with pretty_midi."""
    # Only the file is wanted: importing the package would need its MIDI readers as well.
    found = importlib.util.find_spec("pretty_midi")
    if found is None or not found.origin:
        raise ModuleNotFoundError("pretty_midi, which holds the SoundFont, is not installed")
    return (Path(found.origin).parent / "TimGM6mb.sf2").read_bytes()


def synthesise(events: list[Event], arrangement: Arrangement, *, tail_s: float = 2.0) -> np.ndarray:
    """Let the SoundFont play a list of events.

    Parameters
    ----------
    events : list of Event
        Sorted by time.
    arrangement : Arrangement
        Its voices name the programs, its drums the kit.
    tail_s : float
        Seconds for the last notes to ring, in s.

    Returns
    -------
    np.ndarray [shape=(n,)]
        Mono audio, float32, not yet normalised.
    """
    import tinysoundfont

    synth: Any = tinysoundfont.Synth(gain=-6, samplerate=SAMPLE_RATE)
    font = synth.sfload(_read_soundfont())
    for index, voice in enumerate(arrangement.voices):
        synth.program_select(index + (index >= DRUM_CHANNEL), font, 0, voice.program)
    if arrangement.drums:
        kit = DRUM_KITS[arrangement.drums]
        synth.program_select(DRUM_CHANNEL, font, DRUM_BANK, kit, True)
    blocks: list[np.ndarray] = []
    now = 0
    for event in events:
        then = round(event.time_s * SAMPLE_RATE)
        blocks.append(_generate(synth, then - now))
        now = max(now, then)
        if event.velocity:
            synth.noteon(event.channel, event.key, event.velocity)
        else:
            synth.noteoff(event.channel, event.key)
    blocks.append(_generate(synth, round(tail_s * SAMPLE_RATE)))
    return np.concatenate(blocks)


def _generate(synth: Any, n_samples: int) -> np.ndarray:
    """Return the next samples of the synthesiser as mono."""
    if n_samples <= 0:
        return np.zeros(0, dtype=np.float32)
    stereo = np.frombuffer(bytes(synth.generate_simple(n_samples)), dtype=np.float32)
    return stereo.reshape(-1, 2).mean(axis=1)


def add_room(y: np.ndarray, *, wet: float, decay_s: float = 1.4, seed: int = 0) -> np.ndarray:
    """Add the reverberation of a small hall.

    Parameters
    ----------
    y : np.ndarray [shape=(n,)]
        Dry audio.
    wet : float
        Energy of the reverberation relative to the dry sound, 0 to 1.
    decay_s : float
        Time to fall by 60 dB, in s.
    seed : int
        Seed of the noise that stands for the reflections.

    Returns
    -------
    np.ndarray [shape=(n,)]
        Audio of the same length.
    """
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(decay_s * SAMPLE_RATE)) / SAMPLE_RATE
    response = rng.standard_normal(time_s.size) * 10.0 ** (-3.0 * time_s / decay_s)
    b, a = signal.butter(1, 3500.0, fs=SAMPLE_RATE)
    response = signal.lfilter(b, a, response)
    response[: int(0.012 * SAMPLE_RATE)] = 0.0
    response *= np.sqrt(wet / np.sum(response**2))
    return y + signal.fftconvolve(y, response)[: y.size]


def master(y: np.ndarray, *, seconds: float, fade_s: float = 5.0) -> np.ndarray:
    """Trim, cut to length, fade and normalise.

    Parameters
    ----------
    y : np.ndarray [shape=(n,)]
        Audio.
    seconds : float
        Longest duration wanted, in s.
    fade_s : float
        Length of the fade-out of audio that is longer, in s.

    Returns
    -------
    np.ndarray [shape=(m,)]
        Samples in float32 with peak `PEAK`; begins within 50 ms of the first sound and ends when
        sound ends.

    Raises
    ------
    ValueError
        If the audio is silent.
    """
    envelope = ndimage.maximum_filter1d(np.abs(y), 441)
    audible = np.flatnonzero(envelope > 0.004 * envelope.max(initial=0.0))
    if not audible.size or not envelope[audible[0]]:
        raise ValueError("nothing to hear: the audio is silent")
    y = np.array(y[max(0, audible[0] - 200) : audible[-1] + 1], dtype=np.float64)
    limit = round(seconds * SAMPLE_RATE)
    fade = round(fade_s * SAMPLE_RATE) if y.size > limit else round(0.4 * SAMPLE_RATE)
    y = y[:limit]
    fade = min(fade, y.size)
    y[y.size - fade :] *= np.cos(np.linspace(0.0, np.pi / 2.0, fade)) ** 2
    rise = min(100, y.size)
    y[:rise] *= np.linspace(0.0, 1.0, rise)
    return (PEAK * y / np.abs(y).max()).astype(np.float32)


def render(
    passes: list[tuple[Score, Arrangement]], *, seconds: float, seed: int, wet: float = 0.12
) -> np.ndarray:
    """Play one arrangement after the other and master the result.

    Parameters
    ----------
    passes : list of (Score, Arrangement)
        What is played, in order; each pass starts while the one before dies away.
    seconds : float
        Longest duration, in s.
    seed : int
        Seed of the performance.
    wet : float
        Amount of room.

    Returns
    -------
    np.ndarray [shape=(n,)]
        Mono audio, float32, at `SAMPLE_RATE`.
    """
    rng = np.random.default_rng(seed)
    mix = np.zeros(0)
    for score, arrangement in passes:
        events = perform(score, arrangement, rng)
        start = max(0, mix.size - round(1.6 * SAMPLE_RATE))
        events = [event for event in events if event.time_s < seconds + 6.0 - start / SAMPLE_RATE]
        if not events:
            break
        sound = synthesise(events, arrangement)
        mix = np.concatenate((mix, np.zeros(max(0, start + sound.size - mix.size))))
        mix[start : start + sound.size] += sound
    return master(add_room(mix, wet=wet), seconds=seconds)
