"""Time the bonus exercise: p-values of all test songs, beside the definition taken literally.

Run by ``python3 run.py bench conformal``. The bag is the first 1,500 training songs, standardised
on the 13 columns of sound; every test song is tried with every genre. Times are processor time of
one thread, the best of five, fit included. The literal method recomputes all distances and all
neighbours for each song and each genre; it is timed on two songs and extrapolated.
"""

import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from aares import conformal, data
from utils_projet import ConformalPrediction
from workshop import config

N_BAG = 1500  # bonus exercise: "use the first 1500 examples, no more"
N_LITERAL = 2


def load_songs():
    """Return the bag's features and genres, and the test songs' features, standardised."""
    source = config.find_data()
    print(source.describe())
    columns = list(data.AUDIO_FEATURES)
    train, test = data.load_train(source), data.load_test(source)
    scaler = StandardScaler().fit(train[columns][:N_BAG])
    bag = scaler.transform(train[columns][:N_BAG])
    return bag, train["genre"][:N_BAG].to_numpy(), scaler.transform(test[columns])


def time_best(function, *arguments, repeats=5):
    """Return the shortest processor time in seconds and the result."""
    best = np.inf
    for _ in range(repeats):
        begin = time.process_time()
        result = function(*arguments)
        best = min(best, time.process_time() - begin)
    return best, result


def compute_p_values(X, y, X_new, k):
    """Do what the course's class does for many songs, from scratch."""
    model = KNeighborsClassifier(n_neighbors=1).fit(X, y)
    return ConformalPrediction(model, X, y, k=k).predict_many(X_new)


def compute_literally(X, y, X_new):
    """Make the bag of n + 1 examples for every song and every label, and measure all of it."""
    labels = np.unique(y)
    p = np.empty((len(X_new), len(labels)))
    for row, column in np.ndindex(p.shape):
        bag, own = np.vstack([X, X_new[row]]), np.append(y, labels[column])
        distances = cdist(bag, bag)
        np.fill_diagonal(distances, np.inf)
        alike = own[:, None] == own
        same = np.where(alike, distances, np.inf).min(axis=1)
        other = np.where(alike, np.inf, distances).min(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            alphas = np.where(same == 0, 0.0, same / other)
        p[row, column] = np.mean(alphas >= alphas[-1])
    return p


def main() -> None:
    """Print times, memory, and that both methods agree."""
    X, y, X_new = load_songs()
    size = f"{len(X_new):,} songs x {len(np.unique(y))} genres against {len(X):,}"
    for k in (1, 5):
        seconds, p = time_best(compute_p_values, X, y, X_new, k)
        print(f"k = {k}: {size}: {seconds:.3f} s")
    tracemalloc.start()
    compute_p_values(X, y, X_new, 1)
    print(f"largest extra memory: {tracemalloc.get_traced_memory()[1] / 1e6:.0f} MB")
    tracemalloc.stop()
    seconds, literal = time_best(compute_literally, X, y, X_new[:N_LITERAL], repeats=1)
    total = seconds / N_LITERAL * len(X_new)
    print(f"literal: {seconds / N_LITERAL:.1f} s a song, {total / 3600:.1f} h for all of them")
    p = conformal.p_values(X, y, X_new[:N_LITERAL])
    print(f"both agree on {N_LITERAL} songs: {np.array_equal(p, literal)}")


if __name__ == "__main__":
    main()
