"""Exercise 5: how often the assignment's method finds the song of an excerpt.

Used by notebook 04. The method itself is in ``fingerprint.py`` and ``utils_projet.py``; here are
excerpts to try it on, noise, and the scores.

Conventions
-----------
Signals are mono at 3 kHz, positions in samples, hashes as `fingerprint.process_signal` returns
them; a database is a list with one dictionary of hashes for each song. Random excerpts start at
any sample, as a microphone would, not at multiples of the hop.

References
----------
.. [1] A. L.-C. Wang, "An Industrial-Strength Audio Search Algorithm", ISMIR 2003: section 2.3
   (offsets of shared hashes), section 3.1 (recognition against noise).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from aares.audio import COURSE_RATE_HZ
from aares.audio.distortions import add_noise
from aares.fingerprints.database import SongHashes
from aares.fingerprints.inverted_index import InvertedIndex
from aares.identify import Index, Query
from fingerprint import HOP_LENGTH, compute_spectrogram, process_signal
from utils_projet import get_maxima, search_song

STEP_FRAMES = 20  # from one excerpt of `measure_kept_maxima` to the next


@dataclass(frozen=True)
class Excerpt:
    """A piece of a song of the database.

    Parameters
    ----------
    song : int
        Index of the song.
    start : int
        First sample.
    y : ndarray of float, shape (n,)
        Signal at 3 kHz.
    """

    song: int
    start: int
    y: np.ndarray


def cut_excerpts(
    songs: Sequence[np.ndarray], *, length_s: float, n: int, rng: np.random.Generator
) -> list[Excerpt]:
    """Cut excerpts at random: first a song, all equally likely, then a start.

    Parameters
    ----------
    songs : sequence of ndarray of float, shape (n_samples,)
    length_s : float
        Length of each excerpt in seconds.
    n : int
        Number of excerpts.
    rng : numpy.random.Generator

    Returns
    -------
    list of Excerpt

    Raises
    ------
    ValueError
        A song is shorter than an excerpt.

    Examples
    --------
    >>> songs = [np.zeros(9000), np.ones(9000)]
    >>> excerpts = cut_excerpts(songs, length_s=2.0, n=3, rng=np.random.default_rng(0))
    >>> [(one.song, len(one.y), bool(one.y[0] == one.song)) for one in excerpts]
    [(1, 6000, True), (1, 6000, True), (0, 6000, True)]
    """
    length = round(length_s * COURSE_RATE_HZ)
    for index, y in enumerate(songs):
        if len(y) < length:
            raise ValueError(f"song {index}: expected at least {length} samples, found {len(y)}")
    excerpts = []
    for _ in range(n):
        song = int(rng.integers(len(songs)))
        start = int(rng.integers(len(songs[song]) - length + 1))
        excerpts.append(Excerpt(song, start, songs[song][start : start + length]))
    return excerpts


def try_excerpts(
    database: Sequence[SongHashes],
    excerpts: Sequence[Excerpt],
    *,
    snr_db: float = np.inf,
    rng: np.random.Generator | None = None,
    hide_song: bool = False,
) -> pd.DataFrame:
    """Search for each excerpt and look where its song comes.

    Parameters
    ----------
    database : sequence of dict
    excerpts : sequence of Excerpt
    snr_db : float
        White noise added to the excerpts, see `distortions.mix`.
    rng : numpy.random.Generator, optional
        Needed for noise.
    hide_song : bool
        Search in the database without the excerpt's song, as if it had never been recorded.

    Returns
    -------
    DataFrame, shape (excerpts, 4)
        ``song``; ``rank`` 1 to 3, or 0 when the song is not among the three or shares no hash;
        ``score``, the height of the tallest bar of the best song; ``n_hashes`` of the excerpt.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> songs = [rng.standard_normal(30_000) for _ in range(2)]
    >>> database = [process_signal(y) for y in songs]
    >>> excerpts = [Excerpt(1, 8 * HOP_LENGTH, songs[1][8 * HOP_LENGTH : 20_000])]
    >>> try_excerpts(database, excerpts)[["song", "rank"]]
       song  rank
    0     1     1
    """
    rows = []
    for excerpt in excerpts:
        y = excerpt.y
        if np.isfinite(snr_db):
            if rng is None:
                raise ValueError("noise needs a random generator: pass rng")
            y = add_noise(y, "white", rng, snr_db=snr_db)
        hashes = process_signal(y)
        hidden = excerpt.song if hide_song else None
        known: list[SongHashes] = [{} if i == hidden else d for i, d in enumerate(database)]
        guesses, scores = search_song(known, hashes, return_scores=True)
        # three songs always come back: one that shares nothing is there by its place in the list
        found = [guess for guess, score in zip(guesses, scores, strict=True) if score > 0]
        rank = found.index(excerpt.song) + 1 if excerpt.song in found else 0
        rows.append((excerpt.song, rank, max(scores, default=0), len(hashes)))
    return pd.DataFrame(rows, columns=["song", "rank", "score", "n_hashes"])


def retry_excerpts(
    database: Sequence[SongHashes], excerpts: Sequence[Excerpt], *, drops: Sequence[int]
) -> pd.DataFrame:
    """Search for each excerpt several times, dropping samples at its start, and keep the best try.

    With steps smaller than the hop, one of the tries is nearly aligned with the song's frames.

    Parameters
    ----------
    database : sequence of dict
    excerpts : sequence of Excerpt
    drops : sequence of int
        How many samples each try leaves out.

    Returns
    -------
    DataFrame, shape (excerpts, 4)
        Of each, the row of `try_excerpts` with the highest score; the first of equals.

    Examples
    --------
    An excerpt that begins 100 samples before a frame is aligned by the second try.

    >>> rng = np.random.default_rng(0)
    >>> songs = [rng.standard_normal(30_000) for _ in range(2)]
    >>> database = [process_signal(y) for y in songs]
    >>> start = 8 * HOP_LENGTH - 100
    >>> excerpts = [Excerpt(1, start, songs[1][start:20_000])]
    >>> for drops in ([0], [0, 100]):
    ...     print(retry_excerpts(database, excerpts, drops=drops)["score"].item())
    32
    177
    """
    tries = []
    for drop in drops:
        cut = [Excerpt(e.song, e.start + drop, e.y[drop:]) for e in excerpts]
        tries.append(try_excerpts(database, cut))
    best = np.argmax([tried["score"] for tried in tries], axis=0)
    rows = [tries[k].iloc[row] for row, k in enumerate(best)]
    return pd.DataFrame(rows, columns=tries[0].columns).reset_index(drop=True)


def match_hashes(song: SongHashes, excerpt: SongHashes) -> np.ndarray:
    """Return where the hashes that an excerpt shares with a song are, in both.

    Parameters
    ----------
    song, excerpt : dict
        {hash: anchor frame}.

    Returns
    -------
    ndarray of int64, shape (n_shared, 2)
        (frame in the song, frame in the excerpt), sorted.

    Examples
    --------
    Hash 7 is at frame 40 of the song and at frame 0 of the excerpt.

    >>> match_hashes({7: 40, 8: 41, 9: 50}, {7: 0, 8: 1, 5: 2}).tolist()
    [[40, 0], [41, 1]]
    """
    shared = sorted((song[key], excerpt[key]) for key in song.keys() & excerpt.keys())
    return np.array(shared, dtype=np.int64).reshape(-1, 2)


def measure_misalignment(
    songs: Sequence[np.ndarray],
    database: Sequence[SongHashes],
    *,
    shifts: Sequence[int],
    length_s: float,
    n: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Start excerpts beside the song's frames and count the hashes that still land on one offset.

    Parameters
    ----------
    songs : sequence of ndarray of float, shape (n_samples,)
    database : sequence of dict
        SongHashes of `songs`.
    shifts : sequence of int
        Distance of the start from the song's last frame in samples, 0 to 512 (the hop).
    length_s : float
    n : int
        Number of places; each is tried with every shift.
    rng : numpy.random.Generator

    Returns
    -------
    DataFrame, shape (places * shifts, 2)
        ``shift`` in samples; ``share``, the tallest bar of the right song over the number of the
        excerpt's hashes, 0 to 1; excerpts without a hash are left out.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> songs = [rng.standard_normal(30_000)]
    >>> database = [process_signal(y) for y in songs]
    >>> options = {"length_s": 4.0, "n": 5, "rng": rng}
    >>> table = measure_misalignment(songs, database, shifts=[0, 256], **options)
    >>> table.groupby("shift")["share"].mean().round(2).to_dict()
    {0: 0.45, 256: 0.0}
    """
    length = round(length_s * COURSE_RATE_HZ)
    rows = []
    # one hop more than needed, so that going back to a frame and forth by a shift stays inside
    for place in cut_excerpts(songs, length_s=length_s + HOP_LENGTH / COURSE_RATE_HZ, n=n, rng=rng):
        frame_start = place.start // HOP_LENGTH * HOP_LENGTH
        for shift in shifts:
            start = frame_start + shift
            hashes = process_signal(songs[place.song][start : start + length])
            if hashes:
                _, [bar] = search_song([database[place.song]], hashes, return_scores=True)
                rows.append((shift, bar / len(hashes)))
    return pd.DataFrame(rows, columns=["shift", "share"])


def measure_kept_maxima(y: np.ndarray, *, shift: int, length_s: float) -> tuple[float, float]:
    """Measure how many maxima of excerpts are maxima of the whole song too.

    Parameters
    ----------
    y : ndarray of float, shape (n,)
        Song at 3 kHz, longer than an excerpt and a hop.
    shift : int
        The excerpts start this many samples after a frame of the song, 0 to 512.
    length_s : float

    Returns
    -------
    same, later : float
        Share of the excerpts' maxima at the same bin of the song's frame before the shift, and at
        that of the frame after it.

    Examples
    --------
    Excerpts that begin at a frame have the song's maxima, but for their ends.

    >>> y = np.random.default_rng(0).standard_normal(30_000)
    >>> same, later = measure_kept_maxima(y, shift=0, length_s=4.0)
    >>> round(same, 2), round(later, 2)
    (0.78, 0.0)
    """
    length = round(length_s * COURSE_RATE_HZ)
    in_song = set(map(tuple, get_maxima(compute_spectrogram(y)).tolist()))
    same, later = [], []
    for frame in range(0, (len(y) - length - shift) // HOP_LENGTH + 1, STEP_FRAMES):
        start = frame * HOP_LENGTH + shift
        for b, t in get_maxima(compute_spectrogram(y[start : start + length])).tolist():
            same.append((b, t + frame) in in_song)
            later.append((b, t + frame + 1) in in_song)
    return float(np.mean(same)), float(np.mean(later))


def vary_songs(
    songs: Mapping[str, np.ndarray], *, n: int, length: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Make many recordings out of a few: pieces of songs, each at a speed of its own.

    Parameters
    ----------
    songs : mapping of str to ndarray of float, shape (n_samples,)
    n : int
        Number of recordings.
    length : int
        Samples of each, at most.
    rng : numpy.random.Generator

    Returns
    -------
    dict of str to ndarray of float32, shape (at most length,)
        Recordings that share no hashes by more than chance: speeds lie between 0.8 and 1.25, and
        pitch changes with them.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> varied = vary_songs({"noise": rng.standard_normal(9000)}, n=2, length=3000, rng=rng)
    >>> {name: len(y) for name, y in varied.items()}
    {'0 noise': 3000, '1 noise': 3000}
    """
    names = list(songs)
    varied = {}
    for number in range(n):
        y = songs[names[number % len(names)]]
        speed = float(2 ** rng.uniform(-0.32, 0.32))
        count = min(length, int((len(y) - 1) / speed))
        start = rng.uniform(0, len(y) - 1 - count * speed)
        steps = start + np.arange(count) * speed
        varied[f"{number} {names[number % len(names)]}"] = np.interp(
            steps, np.arange(len(y)), y
        ).astype(np.float32)
    return varied


def time_growth(
    database: Sequence[SongHashes],
    index: Index,
    excerpts: Sequence[tuple[SongHashes, Query]],
    *,
    repeats: int = 3,
) -> dict[str, float]:
    """Time three searches of the same songs, and count what they keep in memory.

    Parameters
    ----------
    database : sequence of dict
    index : Index
        Of the same songs.
    excerpts : sequence of (dict, Query)
        Fingerprints of excerpts, for the one and for the other.
    repeats : int
        The fastest counts.

    Returns
    -------
    dict
        Milliseconds of a search (median over the excerpts): ``dictionaries_ms``,
        ``inverted_ms``, ``identifier_ms``; megabytes: ``dictionaries_mb``, ``inverted_mb``,
        ``identifier_mb``.

    Examples
    --------
    >>> from aares.identify import make_query
    >>> rng = np.random.default_rng(0)
    >>> songs = {name: rng.standard_normal(30_000) for name in "ab"}
    >>> database = [process_signal(y) for y in songs.values()]
    >>> excerpts = [(process_signal(songs["a"][:9000]), make_query(songs["a"][:9000]))]
    >>> costs = time_growth(database, Index.from_signals(songs), excerpts)
    >>> costs["inverted_mb"] < costs["dictionaries_mb"]
    True
    """
    inverted = InvertedIndex(database)
    for hashes, _ in excerpts:
        expected = search_song(database, hashes, return_scores=True)
        if inverted.search(hashes) != tuple(part.tolist() for part in expected):
            raise AssertionError("the inverted index and the dictionaries disagree")
    # a dictionary's own table, and two numbers of 28 bytes for each entry
    held = sum(sys.getsizeof(one) + 56 * len(one) for one in database)
    return {
        "dictionaries_ms": _time([h for h, _ in excerpts], partial(search_song, database), repeats),
        "inverted_ms": _time([h for h, _ in excerpts], inverted.search, repeats),
        "identifier_ms": _time([q for _, q in excerpts], partial(index.ask, bank=False), repeats),
        "dictionaries_mb": held / 1e6,
        "inverted_mb": inverted.nbytes / 1e6,
        "identifier_mb": sum(index.nbytes.values()) / 1e6,
    }


def _time(queries: Sequence[Any], search: Callable[[Any], object], repeats: int) -> float:
    """Return milliseconds: the median over the queries of the fastest of some repetitions."""
    spent = np.empty((repeats, len(queries)))
    for row in range(repeats):
        for column, query in enumerate(queries):
            begin = time.perf_counter()
            search(query)
            spent[row, column] = time.perf_counter() - begin
    return float(np.median(spent.min(axis=0)) * 1000)
