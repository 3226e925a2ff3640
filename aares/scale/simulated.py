"""Recordings that nobody played: what an index of a million holds, made of the peaks of real ones.

Used by ``benchmarks/scale.py``. How fast a search is and what it confuses depend on how common
each hash is, and on how hashes of one piece go together. Both are taken from real recordings: a
simulated track is a passage of one of them, repeated until it is long enough, up to a tenth faster
or slower, and in one of three cases a fifth higher or lower. Its hashes are made of the moved peaks
by the code that makes those of an indexed file, and its peaks are kept as well, so that both stages
of a search meet what they meet in real music.

Keys are not drawn evenly, because music's are not: the same notes, tuned alike, occur in all of it.
Tracks moved by any number of semitones have a third less postings in the buckets that real excerpts
ask for, and make a search look faster than it is; a fifth shares six notes of seven. So tracks of
one model are alike: excerpts must be of other recordings than the models.

References
----------
.. [1] S. Chang et al., "Neural Audio Fingerprint for High-specific Audio Retrieval based on
   Contrastive Learning", ICASSP 2021: section 4.1 (a large catalogue of dummies around the asked).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numba import njit

from aares.identify.catalogue import Prints, Recording, Settings
from aares.identify.pairs import hash_recording
from aares.identify.peaks import BLOCK_FRAMES, FIRST_BIN, HOP_LENGTH, N_BINS, N_FFT, RATE_HZ, Peaks
from aares.identify.segment import pack_peaks, unpack_peaks

KEYS = (0, 0, 0, 0, -7, 7)  # semitones, each as likely
FASTER = 0.1  # at most
TRACK_S = 240.0
TUNING_HZ = 440.0


class Models(NamedTuple):
    """Peaks of real recordings, one after another.

    Parameters
    ----------
    times, bins, strengths : ndarray of int64, shape (n,)
        Times in frames from the start of each recording.
    starts : ndarray of int64, shape (n_models + 1,)
        Where the peaks of each begin.
    n_frames : ndarray of int64, shape (n_models,)
    """

    times: np.ndarray
    bins: np.ndarray
    strengths: np.ndarray
    starts: np.ndarray
    n_frames: np.ndarray


def gather_models(prints: Sequence[Prints]) -> Models:
    """Read the peaks of real recordings.

    Parameters
    ----------
    prints : sequence of Prints
        Of at least one recording with peaks; those without are left out.

    Returns
    -------
    Models

    Raises
    ------
    ValueError
        There are no peaks.

    Examples
    --------
    >>> from aares.identify.catalogue import fingerprint
    >>> y = np.random.default_rng(0).standard_normal(3 * 8000, dtype=np.float32)
    >>> models = gather_models([fingerprint("noise", y, Settings())])
    >>> models.starts.tolist(), models.n_frames.tolist()
    ([0, 36], [96])
    """
    some = [one for one in prints if len(one.peaks)]
    if not some:
        raise ValueError(f"expected recordings with peaks, found none in {len(prints)}")
    columns = [unpack_peaks(one.counts, one.peaks) for one in some]
    times, bins, strengths = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    starts = np.cumsum([0, *(len(one.peaks) for one in some)])
    n_frames = np.array([one.recording.n_blocks * BLOCK_FRAMES for one in some])
    return Models(times, bins, strengths, starts, n_frames)


def simulate_track(
    models: Models, number: int, *, seconds: float = TRACK_S, seed: int = 0, name: str = ""
) -> Prints:
    """Make the prints of a track that nobody played.

    Parameters
    ----------
    models : Models
    number : int
        Which: the same number and seed give the same track, whatever else is made.
    seconds : float
        Of the track, above 0.
    seed : int
        Of the catalogue.
    name : str
        Of the recording, ``simulated 12`` for number 12 without.

    Returns
    -------
    Prints
        With the default settings of an index.

    Examples
    --------
    Eight seconds of noise, as a track of a minute in another key.

    >>> from aares.identify.catalogue import fingerprint
    >>> y = np.random.default_rng(0).standard_normal(8 * 8000, dtype=np.float32)
    >>> models = gather_models([fingerprint("noise", y, Settings())])
    >>> track = simulate_track(models, 12, seconds=60.0)
    >>> track.recording.name, track.recording.n_blocks, round(len(track.peaks) / 59)
    ('simulated 12', 59, 7)
    """
    if not 0 < seconds < 1e6:
        raise ValueError(f"seconds: expected a length above 0 s, found {seconds}")
    rng = np.random.default_rng((seed, number))
    row = int(rng.integers(len(models.n_frames)))
    key = KEYS[int(rng.integers(len(KEYS)))]
    speed = float(np.exp(rng.uniform(-1, 1) * np.log(1 + FASTER)))
    part = slice(models.starts[row], models.starts[row + 1])
    n_frames = int(seconds * RATE_HZ / HOP_LENGTH)
    times, bins, strengths = _play(
        models.times[part], move_bins(key)[models.bins[part]], models.strengths[part],
        int(rng.integers(models.n_frames[row])), int(models.n_frames[row]), n_frames, speed,
    )  # fmt: skip
    found = Peaks(times, bins, np.zeros(len(times), dtype=np.float32))
    hashes, anchors = hash_recording(found, fan_out=Settings().fan_out)
    n_blocks = -(-n_frames // BLOCK_FRAMES)
    counts, words = pack_peaks(found, strengths, n_blocks)
    recording = Recording(name or f"simulated {number}", n_blocks, seconds)
    return Prints(recording, hashes, anchors, counts, words)


@cache
def move_bins(semitones: int) -> np.ndarray:
    """Tell to which bin each one goes in another key.

    Parameters
    ----------
    semitones : int
        Up.

    Returns
    -------
    ndarray of int64, shape (512,)
        The bin of a note's frequency goes to that of the other note's, a bin beside it to the bin
        beside: tuned music stays tuned, which scaled bins would not. Some are outside 0 to 511.

    Examples
    --------
    440 Hz is bin 113 of 3.9 Hz each; a fifth higher, 659 Hz, is bin 169.

    >>> move_bins(7)[[112, 113, 114]].tolist(), bool((move_bins(0) == np.arange(512)).all())
    ([168, 169, 170], True)
    """
    notes = np.arange(-72, 72)
    centres = np.rint(TUNING_HZ * 2 ** (notes / 12) * N_FFT / RATE_HZ).astype(np.int64)
    bins = np.arange(N_BINS)
    nearest = np.abs(centres - bins[:, None]).argmin(axis=1)
    return centres[nearest + semitones] + bins - centres[nearest]


@njit(cache=True)
def _play(
    times: np.ndarray,
    bins: np.ndarray,
    strengths: np.ndarray,
    begin: int,
    length: int,
    n_frames: int,
    speed: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the peaks from frame `begin` on, again from the start after `length`, moved.

    Each place (frame, bin) has one: of those that fall together the strongest.
    """
    rounds = int(n_frames * speed) // length + 2
    size = rounds * len(times)
    found = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.int32)
    grades, filled = np.empty(size, dtype=np.int64), 0
    for turn in range(rounds):
        for k in range(len(times)):
            at = turn * length + times[k] - begin
            time, bin_ = int(np.rint(at / speed)), bins[k]
            if at < 0 or time >= n_frames or not FIRST_BIN <= bin_ < N_BINS - 1:
                continue
            j = filled  # frames that fall together now hold their bins in order
            while j > 0 and found[0][j - 1] == time and found[1][j - 1] > bin_:
                j -= 1
            if j > 0 and found[0][j - 1] == time and found[1][j - 1] == bin_:
                grades[j - 1] = max(grades[j - 1], strengths[k])
                continue
            for i in range(filled, j, -1):
                found[0][i], found[1][i] = found[0][i - 1], found[1][i - 1]
                grades[i] = grades[i - 1]
            found[0][j], found[1][j], grades[j] = time, bin_, strengths[k]
            filled += 1
    return found[0][:filled], found[1][:filled], grades[:filled]
