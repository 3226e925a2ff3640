"""Print the figures of exercise 2: the reported split, random folds, folds by artist, intervals.

    .venv/bin/python benchmarks/popularity.py            what is reported
    .venv/bin/python benchmarks/popularity.py --tuning   folds of another seed, for choices

The reported rows are ``train_test_split(df, test_size=0.2, random_state=17)``,
``KFold(5, shuffle=True, random_state=0)`` and ``GroupKFold(5, shuffle=True, random_state=0)`` by
artist. Choices are made with ``--tuning``, on ``random_state=3``.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import GroupKFold, KFold, train_test_split

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from aares import data
from aares.genre.labels import remove_songs
from aares.popularity import (
    Releases,
    compare_intervals,
    learn_reference,
    make_model,
    predict_parts_folds,
    score,
)
from aares.scores import predict_folds
from workshop import config

TUNING_SEED = 3


def main() -> None:
    """Load the tables, run every split, print the scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tuning", action="store_true", help="folds of another seed")
    parser.add_argument("--jobs", type=int, default=1, help="folds at the same time")
    options = parser.parse_args()
    source = config.find_data()
    df = data.load_subset(source)
    labelled = pd.concat([data.load_train(source), data.load_test(source)])
    X, y = df.drop(columns="popularity"), df["popularity"].to_numpy(float)
    start = time.process_time()
    reference = learn_reference(remove_songs(labelled, df))
    model = make_model(reference=reference, releases=Releases(labelled))
    print(f"reference: {time.process_time() - start:.1f} s of CPU")
    splits = make_splits(df, TUNING_SEED if options.tuning else 0)
    if not options.tuning:
        one = tuple(train_test_split(np.arange(len(df)), test_size=0.2, random_state=17))
        splits = {"split 17": [one], **splits}
    for name, folds in splits.items():
        report(f"{name:10s} mean       ", y, predict_folds(DummyRegressor(), X, y, folds))
        start = time.process_time()
        parts = predict_parts_folds(model, X, y, folds, n_jobs=options.jobs)
        seconds = (time.process_time() - start) / len(folds)
        report(f"{name:10s} model      ", y, parts["mean"], f"  {seconds:.1f} s of CPU a fit")
        report(f"{name:10s} its median ", y, parts["median"])
        report(f"{name:10s} without copies", y, parts["alone"])
        if name == "5 folds":
            print(compare_intervals(y, parts, folds)[0].round(4).to_string())


def make_splits(df: pd.DataFrame, seed: int) -> dict[str, list]:
    """Return random folds and folds by artist."""
    by_artist = GroupKFold(5, shuffle=True, random_state=seed)
    return {
        "5 folds": list(KFold(5, shuffle=True, random_state=seed).split(df)),
        "by artist": list(by_artist.split(df, groups=df["artist_name"])),
    }


def report(name: str, y: np.ndarray, predicted, note: str = "") -> None:
    """Print the scores over all tested rows."""
    predicted = np.asarray(predicted, dtype=float)
    tested = ~np.isnan(predicted)
    values = "  ".join(f"{k} {v:7.3f}" for k, v in score(y[tested], predicted[tested]).items())
    print(f"{name} {values}{note}", flush=True)


if __name__ == "__main__":
    main()
