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

# %%
first_guess, among_three = 0, 0
for truth, signal in enumerate(signals):
    # Start on a frame of the song: an excerpt that starts between two frames has other peaks.
    start = len(signal) // 2 // HOP_LENGTH * HOP_LENGTH
    excerpt = signal[start : start + 10 * SAMPLE_RATE_HZ]
    guesses = search_song(database, process_signal(excerpt))
    first_guess += int(guesses[0] == truth)
    among_three += int(truth in guesses)
print(f"right at the first guess: {first_guess} of {len(paths)}")
print(f"among the three guesses:  {among_three} of {len(paths)}")
assert among_three == len(paths), "an excerpt cut on the frame grid always finds its song"

# %% [markdown]
# Why it works (appendix C): in the right song the shared hashes agree on one offset, in any other
# song they do not.

# %%
hashes = process_signal(excerpt)
truth, other = len(paths) - 1, next(i for i in guesses if i != len(paths) - 1)
fig, axes = plt.subplots(1, 2, figsize=(8, 3), sharey=True, constrained_layout=True)
for ax, song, title in zip(axes, (truth, other), ("the right song", "another song"), strict=True):
    shared = hashes.keys() & database[song].keys()
    offsets = [database[song][h] - hashes[h] for h in shared]
    values, counts = np.unique(offsets, return_counts=True)
    ax.bar(values * HOP_LENGTH / SAMPLE_RATE_HZ, counts, width=0.5)
    ax.set(title=f"{title}: tallest bar {counts.max(initial=0)}", xlabel="offset (s)")
axes[0].set_ylabel("shared hashes")
plt.show()
