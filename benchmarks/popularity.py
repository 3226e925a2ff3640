"""Print the figures of exercise 2: the reported split, random folds, folds by artist.

    .venv/bin/python benchmarks/popularity.py            all three
    .venv/bin/python benchmarks/popularity.py --tuning   folds of another seed, for choices

The reported rows are ``train_test_split(df, test_size=0.2, random_state=17)`` and
``KFold(5, shuffle=True, random_state=0)``; choices are made with ``--tuning``.
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
from aares import config, datasets
from aares.genre.labels import remove_songs
from aares.popularity import make_model, predict_folds, score


def main() -> None:
    """Load the tables, run every split, print one line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tuning", action="store_true", help="folds of another seed")
    parser.add_argument("--jobs", type=int, default=2, help="folds at the same time")
    options = parser.parse_args()
    source = config.find_data()
    df = datasets.load_subset(source)
    labelled = pd.concat([datasets.load_train(source), datasets.load_test(source)])
    reference = remove_songs(labelled, df)
    X, y = df.drop(columns="popularity"), df["popularity"].to_numpy(float)
    splits = make_tuning_splits(df) if options.tuning else make_reported_splits(df)
    for name, folds in splits.items():
        for label, model in {
            "mean": DummyRegressor(),
            "model, this table only": make_model(),
            "model": make_model(reference=reference),
        }.items():
            report(f"{name:16s} {label:24s}", model, X, y, folds, options.jobs)


def make_reported_splits(df: pd.DataFrame) -> dict[str, list]:
    """Return the splits whose scores are published."""
    rows = np.arange(len(df))
    return {
        "split 17": [tuple(train_test_split(rows, test_size=0.2, random_state=17))],
        "5 folds": list(KFold(5, shuffle=True, random_state=0).split(df)),
        "5 folds, artist": list(
            GroupKFold(5, shuffle=True, random_state=0).split(df, groups=df["artist_name"])
        ),
    }


def make_tuning_splits(df: pd.DataFrame) -> dict[str, list]:
    """Return the splits that choices are made on."""
    return {"tuning folds": list(KFold(5, shuffle=True, random_state=11).split(df))}


def report(name, model, X, y, folds, n_jobs) -> None:
    """Print the scores over all tested rows and the time."""
    start = time.perf_counter()
    predicted = predict_folds(model, X, y, folds, n_jobs=n_jobs)
    tested = ~np.isnan(predicted)
    values = "  ".join(f"{k} {v:7.3f}" for k, v in score(y[tested], predicted[tested]).items())
    print(f"{name} {values}  {time.perf_counter() - start:6.1f} s", flush=True)


if __name__ == "__main__":
    main()
