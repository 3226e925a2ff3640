"""Songs made of a few tones, for tests of joins: their tempo, notes and level are known."""

from __future__ import annotations

import numpy as np

RATE = 22_050


def make_song(seconds=12.0, *, root_hz=220.0, bpm=120.0, level=0.2, bright=3, seed=0, rate=RATE):
    """A chord that changes every second beat, and a click on each beat."""
    t = np.arange(int(seconds * rate)) / rate
    beat = 60 / bpm
    step = np.array([0, 5, 7, 3])[(t / (2 * beat)).astype(int) % 4]
    y = np.zeros_like(t)
    for note in (0, 4, 7):
        hz = root_hz * 2 ** ((note + step) / 12)
        for harmonic in range(1, bright + 1):
            y += np.sin(2 * np.pi * hz * harmonic * t) / harmonic
    noise = np.random.default_rng(seed).standard_normal(len(t))
    y += 4 * noise * np.exp(-(t % beat) / 0.02)
    return (level * y / 4).astype(np.float32)
