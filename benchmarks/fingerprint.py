"""Time exercise 4 and 5: maxima, hashes and search, also against a loop in plain Python.

Run by ``python3 run.py bench fingerprint``. The sound is that of the songs at hand, repeated to the
length that is wanted, with a little noise so that no two minutes are equal. Times are the best of
three; a ratio compares with the literal implementation on the same machine.
"""

import sys
import time
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from aares import audio
from aares.fingerprints.experiments import cut_excerpts, vary_songs
from aares.fingerprints.inverted_index import InvertedIndex
from fingerprint import compute_spectrogram, process_signal
from utils_projet import get_maxima, search_song
from workshop import config

SR_HZ = audio.COURSE_RATE_HZ


def time_best(function, *arguments, repeats=3):
    """Return the shortest time in seconds and the result."""
    best = np.inf
    for _ in range(repeats):
        begin = time.perf_counter()
        result = function(*arguments)
        best = min(best, time.perf_counter() - begin)
    return best, result


def make_sound(songs, minutes, rng):
    """Return this many minutes of the songs, repeated, in different noise."""
    y = np.resize(np.concatenate(songs), int(minutes * 60 * SR_HZ))
    return y + (1e-3 * rng.standard_normal(len(y))).astype(np.float32)


def process_literally(x):
    """Do exercise 4 with loops over pixels and pairs."""
    S = compute_spectrogram(x)
    maxima = find_maxima_literally(S)
    hashes = {}
    for b, t in maxima:
        zone = [(i, j) for i, j in maxima if -10 <= i - b < 10 and 0 < j - t <= 300]
        for i, j in sorted(zone, key=lambda point: S[point], reverse=True)[:10]:
            hashes[b * 1000000 + i * 1000 + j - t] = t
    return hashes


def find_maxima_literally(S):
    """Find the maxima of exercise 4.2 with loops."""
    threshold = np.quantile(S, 0.9)
    found = []
    for b, t in np.argwhere(threshold < S).tolist():
        if S[b, t] == S[max(b - 1, 0) : b + 2, max(t - 1, 0) : t + 2].max():
            found.append((b, t))
    survivors = []
    for b, t in sorted(found, key=lambda point: (-S[point], point)):
        if all((b - i) ** 2 + (t - j) ** 2 >= 100 for i, j in survivors):
            survivors.append((b, t))
    return sorted(survivors)


def compare_with_loops(songs):
    """Time one song in both ways; the results must be equal."""
    y = songs[0][: 90 * SR_HZ]
    fast_s, fast = time_best(process_signal, y)
    slow_s, slow = time_best(process_literally, y, repeats=1)
    assert fast == slow
    print(f"process_signal, {len(y) / SR_HZ:.0f} s of sound: {fast_s * 1000:.1f} ms", end="; ")
    print(f"plain loops {slow_s:.2f} s: {slow_s / fast_s:.0f} times faster, same hashes")


def time_lengths(songs):
    """Time the steps on longer and longer sound."""
    rng = np.random.default_rng(0)
    for minutes in (1, 4, 16, 60):
        y = make_sound(songs, minutes, rng)
        stft_s, S = time_best(compute_spectrogram, y)
        maxima_s, maxima = time_best(get_maxima, S)
        all_s, hashes = time_best(process_signal, y)
        print(
            f"{minutes:3d} min: spectrogram {stft_s:6.3f} s, get_maxima {maxima_s:6.3f} s "
            f"({len(maxima):6d}), process_signal {all_s:6.3f} s ({len(hashes):7d} hashes), "
            f"{minutes * 60 / all_s:6.0f} x real time"
        )


def time_search(songs):
    """Time both searches of the same hashes, on pieces of the songs at random speeds.

    The inverted index must give the answers of `search_song`, songs and scores.
    """
    rng = np.random.default_rng(0)
    named = {str(number): y for number, y in enumerate(songs)}
    pieces = list(vary_songs(named, n=1000, length=80 * SR_HZ, rng=rng).values())
    database = [process_signal(y) for y in pieces]
    for n in (13, 100, 1000):
        index = InvertedIndex(database[:n])
        literal = partial(search_song, database[:n], return_scores=True)
        for seconds in (5, 10, 15):
            rows = []
            for excerpt in cut_excerpts(pieces[:n], length_s=seconds, n=20, rng=rng):
                query = process_signal(excerpt.y)
                slow_s, slow = time_best(literal, query)
                fast_s, fast = time_best(index.search, query, repeats=20)
                assert fast == slow
                rows.append((slow_s, fast_s, slow[0][0] == excerpt.song))
            slow, fast, first = np.array(rows).T
            print(
                f"{n:4d} songs, {seconds:2d} s: search_song {np.median(slow) * 1e3:6.2f} ms, "
                f"inverted {np.median(fast) * 1e6:5.1f} us: "
                f"{np.median(slow / fast):5.0f} times faster, same answers, "
                f"{first.mean():.0%} right first"
            )


if __name__ == "__main__":
    SONGS = [audio.load_audio(path) for path in config.find_data().list_songs()]
    process_signal(SONGS[0][: 20 * SR_HZ])  # compile before timing
    compare_with_loops(SONGS)
    time_lengths(SONGS)
    time_search(SONGS)
