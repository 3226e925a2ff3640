"""Sound that is no music: what a microphone hears between two songs.

Ten kinds (`KINDS`) are reported; eleven others (`OTHER_KINDS`), made by other functions, serve to
calibrate and to choose. A function takes the number of samples at 8 kHz and a `Generator`, which
draws frequencies, rates, levels and moments anew for each signal.

References
----------
D. H. Klatt, "Software for a cascade/parallel formant synthesizer", Journal of the Acoustical
Society of America 67, 1980 (speech as pulses through resonances). ITU-T Q.23 (the pairs of tones of
telephone keys), ITU-T E.180 (dial, ringing and busy tones).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import signal

from aares.audio import distortions

SR = distortions.NOISE_RATE_HZ
Make = Callable[[int, np.random.Generator], np.ndarray]
KEYS_HZ = ((697, 770, 852, 941), (1209, 1336, 1477, 1633))
VOWELS_HZ = np.array([[730, 1090, 2440], [270, 2290, 3010], [300, 870, 2240], [530, 1840, 2480],
                      [570, 840, 2410], [660, 1720, 2410], [490, 1350, 1690]])  # fmt: skip


def make_sound(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Make a signal of a kind: float32, its loudest sample between 0.03 and 0.9."""
    y = (KINDS | OTHER_KINDS)[kind](n, rng)
    peak = float(np.abs(y).max()) or 1.0
    return (y * (rng.uniform(0.03, 0.9) / peak)).astype(np.float32)


def _time(n: int) -> np.ndarray:
    return np.arange(n) / SR


def _sing(frequency: np.ndarray | float, n: int) -> np.ndarray:
    """Return a sine of a frequency in Hz that may change."""
    return np.sin(2 * np.pi * np.cumsum(np.broadcast_to(frequency, n)) / SR)


def _stack(base: float, n: int, rng: np.random.Generator, count: int, fall: float) -> np.ndarray:
    """Return harmonics below 4 kHz, each with its phase, weaker by `fall` dB an octave."""
    t, y = _time(n), np.zeros(n)
    for k in range(1, count + 1):
        if base * k < 0.49 * SR:
            gain = 10 ** (-fall * np.log2(k) / 20) * rng.uniform(0.3, 1)
            y += gain * np.sin(2 * np.pi * base * k * t + rng.uniform(0, 2 * np.pi))
    return y


def _colour(n: int, rng: np.random.Generator, low: float, high: float) -> np.ndarray:
    """Return noise between two frequencies."""
    sos = signal.butter(2, [low, min(high, 0.48 * SR)], "bandpass", fs=SR, output="sos")
    return signal.sosfilt(sos, rng.standard_normal(n))


def _decay(seconds: float) -> np.ndarray:
    n = max(int(4 * seconds * SR), 4)
    return np.exp(-_time(n) / seconds)


def _place(y: np.ndarray, start: int, part: np.ndarray) -> None:
    stop = start + len(part)
    y[start:stop] += part[: len(y[start:stop])]


# --- ten kinds that are reported ------------------------------------------------------------


def make_tones(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make one to three tones that stay, with or without harmonics."""
    parts = [
        _stack(float(np.exp(rng.uniform(np.log(60), np.log(3000)))), n, rng,
               int(rng.choice([1, 3, 12])), rng.uniform(3, 15))
        for _ in range(int(rng.integers(1, 4)))
    ]  # fmt: skip
    return sum(parts, np.zeros(n)) + 10 ** rng.uniform(-6, -2) * rng.standard_normal(n)


def make_chords(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make chords of random notes, held from 0.2 s to the whole excerpt."""
    y, start = np.zeros(n), 0
    length = int(rng.choice([0.2, 0.5, 1, 3, 20]) * SR)
    while start < n:
        count = min(int(length * rng.uniform(0.7, 1.3)), n - start)
        for _ in range(int(rng.integers(1, 6))):
            base = 440 * 2 ** (rng.integers(-30, 20) / 12)
            part = _stack(base, count, rng, int(rng.choice([1, 4, 10])), rng.uniform(4, 12))
            y[start : start + count] += part * np.minimum(1, _time(count) / 0.01)
        start += max(count, 1)
    return y


def make_hum(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make the hum of the mains with its harmonics, and some hiss."""
    base = float(rng.choice([50, 60])) * rng.uniform(0.998, 1.002)
    hum = _stack(base, n, rng, int(rng.integers(3, 40)), rng.uniform(2, 12))
    return hum + 10 ** rng.uniform(-4, -0.5) * rng.standard_normal(n)


def make_siren(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make a siren that wails, yelps, or has two tones."""
    low, high = rng.uniform(300, 700), rng.uniform(900, 1800)
    rate, shape = rng.choice([0.15, 0.25, 0.5, 3.0]) * rng.uniform(0.8, 1.2), rng.integers(3)
    turn = rate * _time(n) + rng.random()
    wave = (np.sin(2 * np.pi * turn), signal.sawtooth(2 * np.pi * turn, 0.7),
            signal.square(2 * np.pi * turn))[shape]  # fmt: skip
    frequency = low + (high - low) * (wave + 1) / 2
    harmonics = sum(_sing(frequency * k, n) / k**1.5 for k in (1, 2, 3) if high * k < 0.49 * SR)
    return harmonics + 10 ** rng.uniform(-4, -1) * distortions.make_pink(n, rng)


def make_telephone_tones(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make dial, ringing or busy tones, or keys that are pressed."""
    t, kind = _time(n), rng.integers(4)
    if kind == 3:
        y, start = np.zeros(n), int(rng.integers(SR // 2))
        held, pause = rng.uniform(0.06, 0.4), rng.uniform(0.05, 0.6)
        while start < n:
            part = np.arange(int(held * SR)) / SR
            pair = [rng.choice(row) for row in KEYS_HZ]
            _place(y, start, sum(np.sin(2 * np.pi * f * part) for f in pair))
            start += int((held + pause * rng.uniform(0.5, 1.5)) * SR)
        return y + 10 ** rng.uniform(-5, -2) * rng.standard_normal(n)
    pair, on, off = (((350, 440), 1, 0), ((440, 480), 2, 4), ((480, 620), 0.5, 0.5))[kind]
    if rng.random() < 0.4:
        pair = (425,)  # most of Europe
    gate = (t + rng.uniform(0, on)) % (on + off or 1) < on
    tone = sum(np.sin(2 * np.pi * f * t + rng.uniform(0, 6)) for f in pair)
    return gate * tone + 10 ** rng.uniform(-5, -2) * rng.standard_normal(n)


def make_speech(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make one to eight voices: pulses through three resonances, hisses, pauses."""
    voices = int(rng.choice([1, 1, 1, 2, 4, 8]))
    return sum((make_voice(n, rng) for _ in range(voices)), np.zeros(n))


def make_voice(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make one voice that says nothing."""
    y, start = np.zeros(n), -int(rng.uniform(0, 0.5) * SR)
    base, size = rng.uniform(85, 260), rng.uniform(0.9, 1.2)
    while start < n:
        count = int(rng.uniform(0.08, 0.35) * SR)
        contour = base * 2 ** (np.linspace(*rng.uniform(-0.3, 0.3, 2), count))
        phase = np.cumsum(contour) / SR
        part = np.diff(np.floor(phase), prepend=0) + 0.02 * rng.standard_normal(count)
        if rng.random() < 0.25:
            part = _colour(count, rng, 1500, 3800) * 0.15
        else:
            ends = size * VOWELS_HZ[rng.integers(len(VOWELS_HZ), size=2)].mean(axis=0)
            for f, width in zip(ends, (80, 110, 160), strict=True):
                r = np.exp(-np.pi * width / SR)
                part = signal.lfilter(
                    [1 - r], [1, -2 * r * np.cos(2 * np.pi * f / SR), r * r], part
                )
        part = part / max(np.abs(part).max(), 1e-9) * np.hanning(count) ** 0.5 * rng.uniform(0.4, 1)
        if start >= 0:
            _place(y, start, part)
        start += count + int(SR * (rng.uniform(0.2, 0.7) if rng.random() < 0.15 else 0.01))
    return y


def make_applause(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make the claps of two to three hundred pairs of hands."""
    hands = int(np.exp(rng.uniform(np.log(2), np.log(300))))
    y, strokes = np.zeros(n), [_clap(rng) for _ in range(min(hands, 30))]
    for hand in range(hands):
        rate, level = rng.uniform(2.5, 5), rng.uniform(0.1, 1)
        moments = np.cumsum(rng.normal(1 / rate, 0.03, int(n / SR * rate) + 2).clip(0.1))
        for moment in moments - rng.uniform(0, 1 / rate):
            if moment >= 0:
                _place(y, int(moment * SR), level * strokes[hand % len(strokes)])
    return y + 0.01 * rng.standard_normal(n)


def _clap(rng: np.random.Generator) -> np.ndarray:
    envelope = _decay(rng.uniform(0.004, 0.02))
    low = rng.uniform(400, 1200)
    return _colour(len(envelope), rng, low, low * rng.uniform(1.6, 2.8)) * envelope


def make_clicks(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make silence, or nearly, with clicks at random moments or at equal distances."""
    y = rng.choice([0, 1e-5, 1e-3]) * rng.standard_normal(n)
    count = int(rng.integers(1, 30))
    places = rng.integers(n, size=count)
    if rng.random() < 0.4:
        places = np.arange(0, n, max(n // count, 1))
    for place in places:
        part = np.ones(int(rng.integers(1, 4)))
        if rng.random() < 0.5:
            part = rng.standard_normal(40) * _decay(0.00125)
        _place(y, int(place), rng.uniform(0.2, 1) * part)
    return y


def make_test_signal(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make a sweep, a maximum-length sequence, bursts of noise, steps of tones, or pulses."""
    t, kind = _time(n), rng.integers(5)
    if kind == 0:
        low, high = rng.uniform(20, 200), rng.uniform(2000, 3900)
        method, repeats = rng.choice(["linear", "logarithmic"]), int(rng.choice([1, 2, 5]))
        last = t[-1] / repeats + 1e-9
        return signal.chirp(t % last, low, last, high, method=method)
    if kind == 1:
        bits = int(rng.integers(9, 16))
        return np.resize(2.0 * signal.max_len_seq(bits)[0] - 1, n)
    if kind == 2:
        period = rng.uniform(0.1, 1.5)
        noise = _colour(n, rng, *(rng.uniform(50, 800), rng.uniform(1500, 3900)))
        return noise * (t % period < period * rng.uniform(0.1, 0.7))
    if kind == 3:
        steps = 100 * 2 ** (np.floor(t / rng.uniform(0.1, 1.0)) / rng.choice([3, 12]) % 5)
        return _sing(steps, n)
    return (np.arange(n) % int(rng.integers(40, 4000)) == 0).astype(float)


def make_machine(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make an engine, a fan, rain, or noise of a colour."""
    kind = rng.integers(4)
    if kind == 0:
        drift = np.cumsum(rng.standard_normal(n)) * 1e-4
        rate = rng.uniform(15, 90) * (1 + drift.clip(-0.2, 0.2))
        engine = sum(rng.uniform(0.2, 1) * _sing(rate * k, n) for k in range(1, 16))
        return engine + rng.uniform(0.1, 2) * distortions.make_pink(n, rng)
    if kind == 1:
        blades = 1 + rng.uniform(0.1, 0.9) * _sing(rng.uniform(5, 40), n)
        return blades * _colour(n, rng, rng.uniform(50, 200), rng.uniform(600, 3000))
    if kind == 2:
        y, drops = 0.02 * rng.standard_normal(n), int(n / SR * rng.uniform(20, 400))
        for place in rng.integers(n, size=drops):
            tail = _decay(rng.uniform(0.001, 0.008))
            ring = np.sin(2 * np.pi * rng.uniform(800, 3800) * _time(len(tail)))
            _place(y, int(place), rng.exponential(0.3) * ring * tail)
        return y
    tilt = rng.uniform(0, 0.99)
    return signal.lfilter([1], [1, -tilt], rng.standard_normal(n))


# --- other kinds, for choices ---------------------------------------------------------------


def make_drone(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make tones slightly out of tune, which beat."""
    base = rng.uniform(50, 1500)
    return sum(_stack(base * (1 + d), n, rng, 6, 8) for d in rng.uniform(-0.01, 0.01, 4))


def make_whistle(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make a whistle that glides without scale or beat."""
    knots = rng.uniform(600, 2600, int(n / SR * rng.uniform(0.5, 4)) + 3)
    frequency = np.interp(np.linspace(0, len(knots) - 1, n), np.arange(len(knots)), knots)
    return _sing(frequency, n) + 0.05 * _colour(n, rng, 800, 3000)


def make_morse(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make a tone that is keyed on and off."""
    unit = rng.uniform(0.04, 0.12)
    keys = np.concatenate([[1] * int(rng.choice([1, 3])) + [0] * int(rng.choice([1, 1, 3]))
                           for _ in range(int(n / SR / unit))])  # fmt: skip
    gate = keys[(np.arange(n) / (unit * SR)).astype(int) % len(keys)]
    return gate * _sing(rng.uniform(400, 1200), n) + 1e-3 * rng.standard_normal(n)


def make_murmur(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make noise in the bands and at the rate of syllables."""
    y = np.zeros(n)
    for _ in range(int(rng.integers(1, 6))):
        envelope = np.abs(signal.lfilter([0.001], [1, -0.999], rng.standard_normal(n)))
        low = rng.uniform(200, 2000)
        y += envelope * _colour(n, rng, low, 1.3 * low)
    return y


def make_steps(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make dull knocks, as of feet and doors."""
    y, period = 1e-3 * rng.standard_normal(n), rng.uniform(0.3, 1.2)
    for moment in np.arange(0, n / SR, period):
        tail = _decay(rng.uniform(0.02, 0.1))
        knock = np.sin(2 * np.pi * rng.uniform(60, 300) * _time(len(tail)))
        part = (knock + 0.3 * rng.standard_normal(len(tail))) * tail
        _place(y, int((moment + rng.uniform(0, 0.1)) * SR), part)
    return y


def make_wind(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make gusts, some of which whistle."""
    knots = rng.uniform(0.05, 1, int(n / SR) + 3)
    gust = np.interp(np.linspace(0, len(knots) - 1, n), np.arange(len(knots)), knots)
    return gust * _colour(n, rng, 80, 600) + gust**3 * _colour(n, rng, *(700, 800)) * rng.random()


def make_insects(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make chirps of crickets and birds."""
    y, kinds = 1e-3 * rng.standard_normal(n), int(rng.integers(1, 4))
    for _ in range(kinds):
        pitch, length = rng.uniform(1500, 3500), rng.uniform(0.03, 0.2)
        count = int(length * SR)
        chirp = _sing(np.linspace(pitch, pitch * rng.uniform(0.7, 1.15), count), count)
        for moment in np.cumsum(rng.exponential(rng.uniform(0.1, 1), 60)):
            if moment * SR < n:
                _place(y, int(moment * SR), chirp * np.hanning(count))
    return y


def make_alarm(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make beeps, as of clocks, ovens and lorries."""
    on, off = rng.uniform(0.05, 0.6), rng.uniform(0.05, 0.8)
    gate = (_time(n) + rng.random()) % (on + off) < on
    return gate * _stack(rng.uniform(500, 2500), n, rng, 5, 10)


def make_glide(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make one pure tone that glides up or down as a slide does, once or again and again."""
    turn = (_time(n) / _time(n)[-1] * rng.choice([1, 1, 2, 4])) % 1
    low, high = rng.uniform(50, 500), rng.uniform(1000, 3800)
    turn = turn if rng.random() < 0.7 else 1 - turn
    return _sing(low + (high - low) * turn ** rng.uniform(0.5, 4), n)


def make_engine(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make an engine that is revved: harmonics that rise and fall together, and some hiss."""
    knots = rng.uniform(60, 500, 2 + int(rng.integers(1, 6)))
    base = np.interp(_time(n), np.linspace(0, n / SR, len(knots)), knots)
    whole = sum(_sing(base * k, n) / k ** rng.uniform(0.3, 1.5) for k in range(1, 8))
    return whole + 10 ** rng.uniform(-4, -1) * rng.standard_normal(n)


def make_howl(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make howls, as of dogs and feedback: a few harmonics, each call rising and falling."""
    length = rng.uniform(0.3, 2.5)
    moment = (_time(n) / length + rng.random()) % 1
    arch = np.sin(np.pi * moment) ** rng.uniform(0.3, 2)
    frequency = rng.uniform(250, 900) * (1 + rng.uniform(0.1, 1.2) * arch)
    whole = sum(_sing(frequency * k, n) / k**2 for k in range(1, 1 + int(rng.integers(1, 5))))
    return arch ** rng.uniform(0, 1) * whole + 10 ** rng.uniform(-4, -1) * rng.standard_normal(n)


KINDS: dict[str, Make] = {
    "steady tones": make_tones,
    "random chords": make_chords,
    "mains hum": make_hum,
    "sirens": make_siren,
    "telephone tones": make_telephone_tones,
    "speech and babble": make_speech,
    "applause": make_applause,
    "silence with clicks": make_clicks,
    "test signals": make_test_signal,
    "machines and rain": make_machine,
}
OTHER_KINDS: dict[str, Make] = {
    "drones": make_drone,
    "whistles": make_whistle,
    "morse": make_morse,
    "murmurs": make_murmur,
    "steps": make_steps,
    "wind": make_wind,
    "insects": make_insects,
    "alarms": make_alarm,
    "glides": make_glide,
    "engines": make_engine,
    "howls": make_howl,
}
