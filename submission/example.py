# %% [markdown]
# # Exercise 5 · A database of songs, and how an excerpt finds its song
#
# The short example to hand in with `fingerprint.py`. It needs the files of part 2 side by side:
# `fingerprint.py`, `utils_projet.py` and the folder `songs`.

# %%
import pickle
from pathlib import Path

import librosa
import matplotlib.pyplot as plt
import numpy as np

from fingerprint import process_signal
from utils_projet import search_song

SAMPLE_RATE_HZ = 3000  # exercise 4.1: music keeps its strongest partials below 1.5 kHz
HOP_LENGTH = 512  # one frame of the spectrogram lasts 512 / 3000 = 0.17 s
SONGS = next(folder for folder in (Path("songs"), Path("data/demo/songs")) if folder.is_dir())

# %% [markdown]
# ## 5.1 The database
#
# One dictionary for each song: a hash names a *pair* of spectral peaks (both frequencies and the
# time between them), and points to the frame of the first peak. A hash says nothing about where in
# the song it stands, which is why an excerpt can share it.

# %%
kinds = {".mp3", ".ogg", ".wav", ".flac"}
paths = sorted(path for path in SONGS.iterdir() if path.suffix.lower() in kinds)
signals = [librosa.load(path, sr=SAMPLE_RATE_HZ)[0] for path in paths]
database = [process_signal(signal) for signal in signals]
for path, hashes in zip(paths, database, strict=True):
    print(f"{len(hashes):6d} hashes  {path.stem}")

# %% [markdown]
# The database goes through a file, as the assignment asks. A pickle can run any code when it is
# loaded: never open one that somebody else made.

# %%
with open("dataset.pickle", "wb") as handle:
    pickle.dump(database, handle)
with open("dataset.pickle", "rb") as handle:
    loaded = pickle.load(handle)
assert loaded == database

# %% [markdown]
# ## 5.2 Searching for an excerpt
#
# Ten seconds from the middle of each song. Each shared hash votes for one offset (its frame in the
# song less its frame in the excerpt); the song whose tallest offset bar is highest wins.
#
# Where the excerpt starts matters. On a frame of the song its frames are the song's own, and so are
# its peaks: the easy case. A recording starts at any sample, half a frame beside at worst, where
# many peaks move to another frame. And it is noisy: white noise as strong as the music (0 dB, both
# counted up to 4 kHz), added at 8 kHz, before the sound is brought to 3 kHz.

# %%
FULL_RATE_HZ = 8000
rng = np.random.default_rng(0)
full = [librosa.load(path, sr=FULL_RATE_HZ)[0] for path in paths]
any_start = [int(rng.integers(len(y) - 10 * FULL_RATE_HZ)) for y in full]


def add_noise(y):
    return y + np.sqrt(np.mean(y**2)) * rng.standard_normal(len(y))


def lower_rate(y):
    return librosa.resample(y, orig_sr=FULL_RATE_HZ, target_sr=SAMPLE_RATE_HZ)


middles = [len(signal) // 2 // HOP_LENGTH * HOP_LENGTH for signal in signals]
heard = [y[start : start + 10 * FULL_RATE_HZ] for y, start in zip(full, any_start, strict=True)]
excerpts = {
    "start on a frame": [
        y[m : m + 10 * SAMPLE_RATE_HZ] for y, m in zip(signals, middles, strict=True)
    ],
    "start at any sample": [lower_rate(y) for y in heard],
    "the same in noise": [lower_rate(add_noise(y)) for y in heard],
}

# %%
for case, cut in excerpts.items():
    first_guess, among_three = 0, 0
    for truth, excerpt in enumerate(cut):
        guesses, scores = search_song(database, process_signal(excerpt), return_scores=True)
        # three songs always come back: one that shares no hash is there by its place in the list
        found = [guess for guess, score in zip(guesses, scores, strict=True) if score > 0]
        first_guess += int(found[:1] == [truth])
        among_three += int(truth in found)
    print(
        f"{case + ':':20s} right at the first guess: {first_guess} of {len(paths)}, "
        f"among the three guesses: {among_three} of {len(paths)}"
    )
    if case == "start on a frame":
        assert among_three == len(paths), "an excerpt cut on the frame grid always finds its song"

# %% [markdown]
# Why it works (appendix C): in the right song the shared hashes agree on one offset, in any other
# song they do not. Above for the easy start, below for the start at any sample.

# %%
truth = len(paths) - 1
fig, rows = plt.subplots(2, 2, figsize=(8, 5), sharey="row", constrained_layout=True)
for axes, case in zip(rows, ("start on a frame", "start at any sample"), strict=True):
    hashes = process_signal(excerpts[case][truth])
    other = next(int(i) for i in search_song(database, hashes) if i != truth)
    for ax, song, title in zip(
        axes, (truth, other), ("the right song", "another song"), strict=True
    ):
        shared = hashes.keys() & database[song].keys()
        offsets = [database[song][h] - hashes[h] for h in shared]
        values, counts = np.unique(offsets, return_counts=True)
        ax.bar(values * HOP_LENGTH / SAMPLE_RATE_HZ, counts, width=0.5)
        ax.set(title=f"{title}: tallest bar {counts.max(initial=0)}", xlabel="offset (s)")
    axes[0].set_ylabel(f"shared hashes,\n{case}")
plt.show()
