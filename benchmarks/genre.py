"""Exercise 1: scores of the genre classifier on the reported splits, its time and its memory.

    python benchmarks/genre.py split      train_test_split(train_size=0.8, random_state=17)
    python benchmarks/genre.py folds      StratifiedKFold(5, shuffle=True, random_state=0)
    python benchmarks/genre.py choices    variants, on splits 101 to 103 (where choices are made)
    python benchmarks/genre.py time       fit on everything and predict the test table

Choices are made on splits whose seeds differ from those that are reported. Songs of the subset that
stand in the train or test table too are removed first.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from aares import data
from aares.genre import LIGHT, GenreClassifier, make_model, remove_songs
from aares.genre.compare import make_folds, score_folds
from aares.scores import predict_folds
from workshop.config import find_data

REPORTED_SPLIT = 17
CHOICE_SPLITS = (101, 102, 103)
SOURCE = find_data()
TRAIN, TEST = data.load_train(SOURCE), data.load_test(SOURCE)
X, Y = TRAIN.drop(columns="genre"), TRAIN["genre"]
EXTRA = remove_songs(data.load_subset(SOURCE), TRAIN, TEST)


def score_split(model: GenreClassifier, seed: int) -> tuple[float, float]:
    """Return micro-F1 and mean log-loss on a fifth of the songs."""
    a, b, ya, yb = train_test_split(X, Y, train_size=0.8, random_state=seed)
    proba = model.fit(a, ya).predict_proba(b)
    codes = np.searchsorted(model.classes_, yb)
    right = proba[np.arange(len(codes)), codes]
    return float((proba.argmax(axis=1) == codes).mean()), float(-np.log(right).mean())


def report_split() -> None:
    """Print the score of the reported split."""
    score, loss = score_split(make_model(EXTRA), REPORTED_SPLIT)
    print(f"split {REPORTED_SPLIT}: micro-F1 {score:.4f}, log-loss {loss:.4f}")


def report_folds() -> None:
    """Print the scores of the reported folds."""
    folds = make_folds(Y, n_folds=5, random_state=0)
    for name, options in {"full": {}, "light": LIGHT}.items():
        predicted = predict_folds(GenreClassifier(EXTRA, **options), X, Y, folds)
        scores = score_folds(predicted, Y, folds)
        print(f"folds, {name} model:", " ".join(f"{score:.4f}" for score in scores))
        print(f"micro-F1 {scores.mean():.4f} +- {scores.std(ddof=1):.4f}", flush=True)


def report_choices() -> None:
    """Print what the parts of the model give."""
    variants = {
        "sound and year": GenreClassifier(votes=None, dates=False),
        "+ parts of the date": GenreClassifier(votes=None),
        "+ neighbours by distance": GenreClassifier(votes="distance"),
        "+ learnt trust": GenreClassifier(),
        "+ songs of exercise 2": GenreClassifier(EXTRA),
        "the same, light": GenreClassifier(EXTRA, **LIGHT),
        "without boosted trees": GenreClassifier(EXTRA, rounds=0),
        "without networks": GenreClassifier(EXTRA, n_networks=0),
        "half the models of the guess": GenreClassifier(EXTRA, n_folds=4),
    }
    for name, model in variants.items():
        results = [score_split(model, seed) for seed in CHOICE_SPLITS]
        text = ", ".join(f"{score:.4f} ({loss:.4f})" for score, loss in results)
        print(f"{name:26s} micro-F1 (log-loss) on splits {CHOICE_SPLITS}: {text}", flush=True)


def report_time() -> None:
    """Print time and peak memory of the challenge."""
    start, cpu = time.perf_counter(), time.process_time()
    labels = make_model(EXTRA).fit(X, Y).predict(TEST)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(f"{len(labels)} songs: {wall:.0f} s, {cpu:.0f} s of processor")
    if sys.platform != "win32":
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"peak memory {peak / (1 << 20 if sys.platform != 'darwin' else 1 << 30):.2f} GB")


REPORTS = {
    "split": report_split,
    "folds": report_folds,
    "choices": report_choices,
    "time": report_time,
}

if __name__ == "__main__":
    for wanted in sys.argv[1:] or list(REPORTS):
        REPORTS[wanted]()
