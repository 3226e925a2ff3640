"""Time exercise 4 and 5: maxima, hashes and search, also against a loop in plain Python.

Run by ``python3 run.py bench fingerprint``. The sound is that of the songs at hand, repeated to the
length that is wanted, with a little noise so that no two minutes are equal. Times are the best of
three; a ratio compares two ways in one run. On the course's songs all of it is kept, with date and
machine, in ``benchmarks/results/fingerprint.json``, which notebook 04 shows.
"""

import itertools
import sys
import time
from functools import partial
from pathlib import Path

import librosa
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from aares import audio
from aares.fingerprints.experiments import vary_songs
from aares.fingerprints.inverted_index import InvertedIndex
from aares.identify import Index, make_query
from fingerprint import compute_spectrogram, process_signal
from utils_projet import get_maxima, search_song
from workshop import config
from workshop.measured import TIMES, keep

SR_HZ = audio.COURSE_RATE_HZ
RATE_HZ = 8000  # of the identifier
SIZES = (10, 30, 100, 200)
N_EXCERPTS = 10
PIECE_S, EXCERPT_S = 60, 10


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
    return {"seconds": len(y) / SR_HZ, "compiled_s": round_figure(fast_s),
            "loops_s": round_figure(slow_s)}  # fmt: skip


def time_lengths(songs):
    """Time the steps on longer and longer sound."""
    rng, rows = np.random.default_rng(0), []
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
        rows.append({"minutes": minutes, "spectrogram_s": round_figure(stft_s),
                     "maxima_s": round_figure(maxima_s), "all_s": round_figure(all_s)})  # fmt: skip
    return {"rows": rows}


def time_growth(songs, sizes=SIZES, *, rng):
    """Time three searches in more and more pieces of the songs, and count what they keep in memory.

    Parameters
    ----------
    songs : list of ndarray of float
        At 8 kHz.
    sizes : tuple of int
        Numbers of pieces, rising.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``rows``, each with ``songs``, milliseconds of a search (median over the excerpts) and
        megabytes: ``dictionaries_``, ``inverted_``, ``identifier_`` with ``ms`` and ``mb``.
    """
    named = {str(number): y for number, y in enumerate(songs)}
    pieces = vary_songs(named, n=sizes[-1], length=PIECE_S * RATE_HZ, rng=rng)
    rough = [librosa.resample(y, orig_sr=RATE_HZ, target_sr=SR_HZ) for y in pieces.values()]
    database, index, rows = [process_signal(y) for y in rough], Index(), []
    start_s = 3.3
    heard = [
        (process_signal(cut(small, SR_HZ, start_s)), make_query(cut(y, RATE_HZ, start_s)))
        for small, y in list(zip(rough, pieces.values(), strict=True))[:N_EXCERPTS]
    ]
    for before, n in itertools.pairwise((0, *sizes)):
        index.add(dict(list(pieces.items())[before:n]))
        rows.append({"songs": n} | compare_searches(database[:n], index, heard))
        print("; ".join(f"{key} {value:g}" for key, value in rows[-1].items()), flush=True)
    return {"rows": rows, "piece_s": PIECE_S, "excerpt_s": EXCERPT_S, "n_excerpts": len(heard)}


def cut(y, sr, start_s):
    """Return an excerpt."""
    return y[round(start_s * sr) : round((start_s + EXCERPT_S) * sr)]


def compare_searches(database, index, excerpts):
    """Time three searches of the same songs; the inverted index must answer as `search_song`."""
    inverted = InvertedIndex(database)
    for hashes, _ in excerpts:
        literal = search_song(database, hashes, return_scores=True)
        np.testing.assert_array_equal(inverted.search(hashes), literal)
    # a dictionary's own table, and two numbers of 28 bytes for each entry
    held = sum(sys.getsizeof(one) + 56 * len(one) for one in database)
    costs = {
        "dictionaries_ms": time_median(partial(search_song, database), [h for h, _ in excerpts]),
        "inverted_ms": time_median(inverted.search, [h for h, _ in excerpts]),
        "identifier_ms": time_median(partial(index.ask, bank=False), [q for _, q in excerpts]),
        "dictionaries_mb": held / 1e6,
        "inverted_mb": inverted.nbytes / 1e6,
        "identifier_mb": sum(index.nbytes.values()) / 1e6,
    }
    return {key: round_figure(value) for key, value in costs.items()}


def time_median(search, queries, *, rounds=5):
    """Return milliseconds: the median over the queries of the fastest of some rounds."""
    spent = [[time_best(search, query, repeats=1)[0] for query in queries] for _ in range(rounds)]
    return float(np.median(np.min(spent, axis=0)) * 1000)


def round_figure(value):
    """Round to three significant digits: no stopwatch here tells more."""
    return float(f"{value:.3g}")


def main():
    """Measure everything, and keep it if the songs are the course's."""
    source = config.find_data()
    paths = source.list_songs()
    songs = [audio.load_audio(path) for path in paths]
    process_signal(songs[0][: 20 * SR_HZ])  # compile before timing
    measured = {"loops": compare_with_loops(songs), "lengths": time_lengths(songs)}
    sounds = [audio.load_audio(path, sr=RATE_HZ) for path in paths]
    measured["growth"] = time_growth(sounds, rng=np.random.default_rng(8))
    if source.kind != "course":
        print("not kept: not the course's songs")
        return
    for section, content in measured.items():
        keep(TIMES, section, n_songs=len(songs), **content)


if __name__ == "__main__":
    main()
