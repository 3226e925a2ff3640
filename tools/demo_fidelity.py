"""Compare the demo tables with the course's: marginals, correlations, genres, score, dates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from scipy.stats import ks_2samp
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold, cross_val_score

NUMERIC = (
    "popularity danceability energy key loudness mode speechiness acousticness instrumentalness "
    "liveness valence tempo duration_ms"
).split()
CLOSE = 0.002  # relative difference below which two values count as near-equal
NEAR_COLUMNS = 8


def compare_tables(demo: Path, course: Path) -> dict[str, float]:
    """Measure how faithful the demo tables are.

    Parameters
    ----------
    demo, course : Path
        Folders with the tables.

    Returns
    -------
    dict of str to float
        One figure for each comparison. Course figures come from a random draw of train rows of
        the demo's size.
    """
    figures: dict[str, float] = {}
    for name in ("train", "test", "subset", "recommendation"):
        ours, real = (_read(folder, name) for folder in (demo, course))
        figures |= {f"{name}: {k}": v for k, v in compare_marginals(ours, real).items()}
        figures[f"{name}: rows also in the course's table"] = count_copies(ours, real)
        figures |= {f"{name}: {k}": v for k, v in compare_dates(ours, real).items()}
    return figures | compare_scores(_read(demo, "train"), _read(course, "train"))


def _read(folder: Path, name: str) -> pd.DataFrame:
    frame = pd.read_csv(folder / f"spotify_dataset_{name}.csv")
    frame["explicit"] = frame["explicit"].astype(int)
    return frame


def compare_marginals(ours: pd.DataFrame, real: pd.DataFrame) -> dict[str, float]:
    """Return Kolmogorov-Smirnov distances and the largest difference of Spearman correlations."""
    frames = [_add_year(frame) for frame in (ours, real)]
    columns = [*NUMERIC, "explicit", "year"]
    columns += [name for name in ("time_signature",) if name in ours]
    distances = [ks_2samp(frames[0][name], frames[1][name]).statistic for name in columns]
    plain = [name for name in columns if name != "time_signature"]
    gap = frames[0][plain].corr("spearman") - frames[1][plain].corr("spearman")
    return {
        "KS distance, median of columns": float(np.median(distances)),
        "KS distance, largest": float(np.max(distances)),
        "Spearman correlation, largest difference": float(np.abs(gap.to_numpy()).max()),
        "Spearman correlation, mean difference": float(np.abs(gap.to_numpy()).mean()),
    }


def _add_year(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(year=frame["release_date"].str[:4].astype(int))


def count_copies(ours: pd.DataFrame, real: pd.DataFrame) -> float:
    """Count demo rows that equal a real one, or nearly do in at least eight continuous columns.

    Eight of ten near-equal columns leave two others, so one of any three is near-equal: real rows
    are looked up by three columns of many distinct values.
    """
    columns = [name for name in NUMERIC if name not in ("key", "mode", "popularity")]
    a, b = (frame[columns].to_numpy() for frame in (ours, real))
    found = np.zeros(len(a), dtype=bool)
    for name in ("loudness", "tempo", "duration_ms"):
        i = columns.index(name)
        near = b[np.argsort(b[:, i])]
        margin = CLOSE * np.abs(a[:, i]) * 1.01
        low = np.searchsorted(near[:, i], a[:, i] - margin)
        high = np.searchsorted(near[:, i], a[:, i] + margin, side="right")
        for row in np.flatnonzero(~found):
            part = near[low[row] : high[row]]
            close = (np.abs(part - a[row]) <= CLOSE * np.abs(part)) & (part != 0)
            found[row] = (close.sum(axis=1) >= NEAR_COLUMNS).any()
    return float(found.sum())


def compare_dates(ours: pd.DataFrame, real: pd.DataFrame) -> dict[str, float]:
    """Return how many rows share their date, and how often the pairs of one day share a genre."""
    draw = real.sample(len(ours), random_state=0) if len(real) > len(ours) else real
    figures = {}
    for who, frame in (("demo", ours), ("course", draw)):
        same = frame["release_date"].map(frame["release_date"].value_counts()) > 1
        figures[f"{who}, rows with a same-date neighbour"] = float(same.mean())
        if "genre" in frame:
            figures[f"{who}, same-day pairs of one genre"] = share_genre(frame)
            figures[f"{who}, popularity 0"] = float((frame["popularity"] == 0).mean())
    if "genre" in ours:
        shares = [f["genre"].value_counts(normalize=True) for f in (ours, real)]
        figures["genre share, largest difference"] = float((shares[0] - shares[1]).abs().max())
    return figures


def share_genre(frame: pd.DataFrame, *, largest: int = 9) -> float:
    """Return how often two songs of one exact day (at most `largest` songs) share the genre."""
    full = frame["release_date"].str.len() == 10
    days = frame[full & ~frame["release_date"].str.endswith("-01-01")]
    equal = total = 0
    for rows in days.groupby("release_date").indices.values():
        if 1 < len(rows) <= largest:
            counts = days["genre"].iloc[rows].value_counts()
            equal += int((counts * (counts - 1) // 2).sum())
            total += len(rows) * (len(rows) - 1) // 2
    return equal / max(total, 1)


def compare_scores(ours: pd.DataFrame, real: pd.DataFrame, *, seed: int = 0) -> dict[str, float]:
    """Return micro-F1 of one classifier on raw numeric columns, trained and tested each way."""
    picks = real.sample(frac=1, random_state=seed)
    draw, rest = picks.iloc[: len(ours)], picks.iloc[len(ours) : 3 * len(ours)]
    columns = [*NUMERIC, "explicit", "time_signature", "year"]
    (X, y), (X_real, y_real), (X_rest, y_rest) = (
        (_add_year(frame)[columns], frame["genre"]) for frame in (ours, draw, rest)
    )
    model = LGBMClassifier(
        n_estimators=50, learning_rate=0.1, num_leaves=10, reg_lambda=5.0, subsample=0.7,
        subsample_freq=1, colsample_bytree=0.6, n_jobs=2, verbose=-1, random_state=seed,
    )  # fmt: skip
    folds = StratifiedKFold(3, shuffle=True, random_state=seed)
    return {
        "micro-F1 in folds, demo": float(_cross_validate(model, X, y, folds)),
        "micro-F1 in folds, course": float(_cross_validate(model, X_real, y_real, folds)),
        "micro-F1 on course rows, trained on demo": _score(model.fit(X, y), X_rest, y_rest),
        "micro-F1 on course rows, trained on course": _score(
            model.fit(X_real, y_real), X_rest, y_rest
        ),
    }


def _cross_validate(
    model: LGBMClassifier, X: pd.DataFrame, y: pd.Series, folds: StratifiedKFold
) -> float:
    return cross_val_score(model, X, y, cv=folds, scoring="f1_micro").mean()


def _score(model: LGBMClassifier, X: pd.DataFrame, y: pd.Series) -> float:
    return float(f1_score(y, model.predict(X), average="micro"))
