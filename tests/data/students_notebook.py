# %% [markdown]
# # AARES: exercises 4 and 5, bonus
#
# As students write it for the course's own `utils_projet.py`: by hand, with what is at hand.
# `tests/test_students_notebook.py` runs it cell by cell beside the two files alone.

# %%
import os
import pickle

import librosa
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import LabelEncoder, StandardScaler

from fingerprint import *
from utils_projet import *

# %% [markdown]
# ## Exercise 4

# %%
names = sorted(os.listdir("songs"))
song, fs = librosa.load("songs/" + names[0], sr=3000)
S = compute_spectrogram(song)
print(S.shape, S.dtype)

# %%
maxima = get_maxima(S)
print("Number of maxima:", len(maxima), "the first:", maxima[0, 0], maxima[0, 1])
plt.imshow(10 * np.log10(S + 1e-10), origin="lower", aspect="auto")
plt.plot(maxima[:, 1], maxima[:, 0], "r.")
plt.show()

# %%
S_db = librosa.amplitude_to_db(np.sqrt(S), ref=np.max)
maxima_db = get_maxima(S_db)
plt.imshow(S_db)
plt.scatter(*maxima_db.T[::-1])

# %%
V = librosa.stft(song, win_length=1024, n_fft=2048, hop_length=512)
maxima_V = get_maxima(V)
assert maxima_V.shape[1] == 2

# %%
anchor = maxima[10]
zone = get_maxima_in_tz(S, maxima, anchor)
plt.scatter(np.array(zone)[:, 1], np.array(zone)[:, 0], marker="x")
for point in zone:
    hash = anchor[0] * 1000000 + point[0] * 1000 + point[1] - anchor[1]
    assert (hash, anchor[1]) in get_hashes(anchor, zone)

# %%
hashes = {}
for anchor in maxima:
    for h, t in get_hashes(anchor, get_maxima_in_tz(S, maxima, anchor)):
        hashes[h] = t
assert hashes == process_signal(song)

# %% [markdown]
# ## Exercise 5

# %%
dataset = []
for name in names:
    x, fs = librosa.load(os.path.join("songs", name), sr=3000)
    dataset.append(process_signal(x))

with open("dataset.pickle", "wb") as handle:
    pickle.dump(dataset, handle)
with open("dataset.pickle", "rb") as handle:
    dataset = pickle.load(handle)

# %%
true_index = 2
full, fs = librosa.load("songs/" + names[true_index], sr=3000)
excerpt = full[20 * 512 : 20 * 512 + 10 * fs]
r = search_song(dataset, process_signal(excerpt))
print(r)
print(r.tolist(), r.shape, r == true_index)
print("Best match:", names[r[0]])
assert true_index in r
assert (r == true_index).any() and np.where(r == true_index)[0][0] == 0

# %%
top_matches = [names[i] for i in r]
for rank, index in enumerate(r):
    print(f"{rank + 1}. {names[index]} {'<-' if index == true_index else ''}")
assert top_matches[0] == names[true_index] and int(r[0]) == true_index
assert sorted(r) == sorted(set(r)) and np.array(r).dtype.kind == "i"

# %%
songs = pd.DataFrame({"name": names, "hashes": dataset})
by_name = dict(zip(names, dataset))
for database in (songs["hashes"], songs["hashes"].values, by_name.values(), iter(dataset)):
    assert search_song(database, process_signal(excerpt)).tolist() == r.tolist()

# %%
scores = []
for name, song_hashes in by_name.items():
    offsets = [song_hashes[h] - hashes[h] for h in hashes if h in song_hashes]
    scores.append(len(offsets))
plt.bar(range(len(scores)), scores)
plt.savefig("scores.png")

# %% [markdown]
# ## Bonus

# %%
df_train = pd.read_csv("spotify_dataset_train.csv")
df_test = pd.read_csv("spotify_dataset_test.csv")
features = ["danceability", "energy", "loudness", "speechiness", "acousticness", "valence", "tempo"]
X_train, y_train = df_train[features][:1500], df_train["genre"][:1500]
X_test = df_test[features]

# %%
scaler = StandardScaler()
X = scaler.fit_transform(X_train)
X_new = scaler.transform(X_test)
KNNmodel = KNeighborsClassifier(n_neighbors=5)
KNNmodel.fit(X, y_train)
predictor = ConformalPrediction(KNNmodel, X, y_train)

# %%
predictor.predict(X_new[0])
for eps in [0.05, 0.1, 0.2, 0.3, 0.4, 0.5]:
    interval = predictor.compute_interval(eps)
    print(f"{eps:<10} | {(1 - eps) * 100:.0f}% | {len(interval):<4} | {interval}")

# %%
for genre, p in zip(np.unique(predictor.y), predictor.pz):
    print(f"{genre:>12} {p:.3f}")
best = np.unique(y_train)[predictor.pz.index(max(predictor.pz))]
assert best == predictor.compute_interval()[0]
plt.barh(np.unique(y_train), predictor.pz)

# %%
for idx in [1, 100, len(X_new) - 1]:
    predictor.predict(X_new[idx].reshape(1, -1))
    eps = 0
    interval = predictor.compute_interval(eps)
    while len(interval) > 1:
        eps += 0.01
        interval = predictor.compute_interval(eps)
    print(f"song {idx}: {interval} with {(1 - eps) * 100:.0f}% of confidence")

# %%
sizes = []
eps = 0
for _ in range(11):
    sizes.append(len(predictor.compute_interval(eps)))
    eps += 0.1
assert sizes[0] == len(set(y_train)) and sizes[-1] == 0
assert predictor.compute_interval(sum([0.1] * 3) + 0.7 + 2e-16) == []

# %%
encoder = LabelEncoder()
codes = encoder.fit_transform(y_train)
predictor = ConformalPrediction(KNeighborsClassifier(5).fit(X, codes), X, codes)
predictor.predict(X_new[0])
interval = predictor.compute_interval(0.2)
print([encoder.classes_[i] for i in interval], encoder.inverse_transform(interval))

# %%
accuracy = predictor.model.score(predictor.X, predictor.y)
print(predictor.X.shape, predictor.y[:5], f"{accuracy:.2f}")
with open("predictor.pickle", "wb") as handle:
    pickle.dump(predictor, handle)
with open("predictor.pickle", "rb") as handle:
    loaded = pickle.load(handle)
assert loaded.pz == predictor.pz and loaded.compute_interval(0.2) == interval
