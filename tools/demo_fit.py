"""Fit the aggregates of the demo tables on the course's files.

Only needed to renew ``demo_model.npz``; everybody else samples from the committed file.

References
----------
R. B. Nelsen, An Introduction to Copulas, 2006, section 2.3 (Gaussian copula);
S. R. Searle et al., Variance Components, 1992, chapter 3 (intra-class correlation).
"""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from scipy.stats import norm, rankdata
from sklearn.cluster import KMeans
from sklearn.linear_model import Ridge
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from tools.demo_counts import (
    FIT_SEED,
    find_pairs,
    fit_dates,
    fit_keys,
    fit_kinds,
    fit_persistence,
    fit_structure,
    join_keys,
)
from tools.demo_model import (
    CATEGORIES,
    CLASSES,
    COLUMNS,
    GRID,
    KINDS,
    MODEL_FILE,
    find_era,
    label_genres,
    repair_correlation,
    stretch,
    to_values,
)

SHRINKAGE = 150  # songs that the pooled correlations weigh within a style
STYLES = 64
SHIFT_PRIOR = 25  # songs that the style's own mean weighs in the mean of a class


def read_tables(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the course's tables and add the model's columns and classes."""
    names = ("train", "test", "subset", "recommendation")
    tables = {name: pd.read_csv(folder / f"spotify_dataset_{name}.csv") for name in names}
    for frame in tables.values():
        add_model_columns(frame)
    subset = tables["subset"]
    subset["micro"] = subset["genres"].map(ast.literal_eval)
    subset["class"] = subset["micro"].map(lambda names: label_genres(names) or "none")
    subset.loc[subset["micro"].map(len) == 0, "class"] = "empty"
    subset["artist"] = subset["artist_name"]
    tables["train"]["class"] = tables["train"]["genre"]
    recommendation = tables["recommendation"]
    recommendation["all_artists"] = recommendation["artists"].map(ast.literal_eval)
    recommendation["artist"] = recommendation["all_artists"].str[0]
    recommendation["class"] = guess_classes(tables["train"], recommendation)
    return tables


def add_model_columns(frame: pd.DataFrame) -> None:
    """Add the year, the kind of date and whole numbers for the categories, in place."""
    date = frame["release_date"]
    frame["year"] = date.str[:4].astype(int)
    frame["date_kind"] = np.select(
        [date.str.len() == 4, date.str.len() == 7, date.str.endswith("-01-01")], [3, 2, 1], 0
    )
    frame["explicit"] = frame["explicit"].astype(int)
    if "time_signature" not in frame:
        frame["time_signature"] = 4


def make_classifier() -> LGBMClassifier:
    """Return the classifier whose probabilities define styles."""
    return LGBMClassifier(
        n_estimators=60, learning_rate=0.08, num_leaves=12, min_child_samples=20, reg_lambda=5.0,
        subsample=0.7, subsample_freq=1, colsample_bytree=0.6, n_jobs=2, verbose=-1,
        random_state=FIT_SEED,
    )  # fmt: skip


def guess_classes(train: pd.DataFrame, songs: pd.DataFrame) -> np.ndarray:
    """Draw a plausible class for each artist of a table that has none."""
    rng = np.random.default_rng(FIT_SEED)
    columns = [name for name in COLUMNS if KINDS[name] in ("plain", "log")] + ["year", "explicit"]
    model = make_classifier().fit(train[columns], train["genre"])
    chances = pd.DataFrame(np.asarray(model.predict_proba(songs[columns])), columns=model.classes_)
    chances = chances.groupby(songs["artist"].to_numpy()).mean()
    draws = (chances.to_numpy().cumsum(axis=1) < rng.random((len(chances), 1))).sum(axis=1)
    classes = pd.Series(model.classes_[np.minimum(draws, 21)], index=chances.index)
    classes[songs.groupby("artist")["speechiness"].mean() > 0.66] = "spoken"
    return songs["artist"].map(classes).to_numpy()


def find_styles(frame: pd.DataFrame) -> np.ndarray:
    """Group songs by what their features say about the class; return style numbers, shape (n,).

    Given the probabilities of the classes, features say nothing more about the class. So songs
    of one style, whatever their class, can share one model, and the classes of the demo are as
    hard to tell apart as the real ones.
    """
    folds = StratifiedKFold(3, shuffle=True, random_state=FIT_SEED)
    columns = [*COLUMNS, "key"]
    chances = cross_val_predict(
        make_classifier(), frame[columns], frame["class"], cv=folds, method="predict_proba"
    )
    groups = KMeans(STYLES, n_init=2, random_state=FIT_SEED)
    return groups.fit_predict(np.sqrt(chances))


def score_columns(frame: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Return normal scores within each style, ties broken at random, shape (n, columns)."""
    scores = np.empty((len(frame), len(COLUMNS)))
    for rows in frame.groupby("style").indices.values():
        block = frame[COLUMNS].to_numpy(dtype=float)[rows]
        scores[rows] = _normal_scores(block, rng)
    kind = frame["date_kind"].to_numpy()
    edges = np.pad(fit_kinds(frame), ((0, 0), (1, 0)))[find_era(frame["year"].to_numpy())]
    low, high = (np.take_along_axis(edges, kind[:, None] + k, axis=1)[:, 0] for k in (0, 1))
    share = low + (high - low) * rng.random(len(frame))
    scores[:, COLUMNS.index("date_kind")] = norm.ppf(np.clip(share, 1e-4, 1 - 1e-4))
    return scores


def _normal_scores(block: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    order = rng.permutation(len(block))
    ranks = rankdata(block[order], axis=0, method="ordinal")
    scores = np.empty(block.shape)
    scores[order] = norm.ppf((ranks - 0.5) / len(block))
    return scores


def fit_quantiles(frame: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Return each style's quantile functions, shape (styles, columns, len(GRID))."""
    tables = np.zeros((frame["style"].max() + 1, len(COLUMNS), len(GRID)))
    for style in range(len(tables)):
        part = frame[frame["style"] == style]
        if part.empty:
            continue
        for position, column in enumerate(COLUMNS):
            values = part[column].to_numpy(dtype=float)
            tables[style, position] = _quantiles(values, column, rng)
    return tables


def _quantiles(values: np.ndarray, column: str, rng: np.random.Generator) -> np.ndarray:
    if KINDS[column] == "category":
        counts = np.bincount(values.astype(int), minlength=CATEGORIES[column])
        return np.pad(np.cumsum(counts / counts.sum()), (0, len(GRID) - CATEGORIES[column]))
    if KINDS[column] == "integer":
        values = values + rng.random(len(values))
    table = np.quantile(stretch(values, column), GRID)
    # The ends are extrapolated, so that no single song's value is stored as a minimum or maximum.
    table[0] = max(2 * table[1] - table[2], table[0])
    table[-1] = min(2 * table[-2] - table[-3], table[-1])
    return table


def fit_effects(frame: pd.DataFrame, scores: np.ndarray) -> np.ndarray:
    """Return the share of variance between artists and between albums, shape (2, columns).

    Styles hold part of what the songs of an artist share, so the shares lie between the
    correlation of pairs of one style, within it, and that of all pairs.
    """
    artist_key, date, style = (
        frame[name].to_numpy() for name in ("artist", "release_date", "style")
    )
    pairs = find_pairs(artist_key, other=date), find_pairs(join_keys(artist_key, date))
    everywhere = np.zeros(len(style))
    overall = _normal_scores(frame[COLUMNS].to_numpy(dtype=float), np.random.default_rng(FIT_SEED))
    artist, album = (
        (pair_correlation(scores, pair, style) + pair_correlation(overall, pair, everywhere)) / 2
        for pair in pairs
    )
    album = np.clip(album, 0.02, 0.95)
    artist = np.clip(artist, 0.01, album - 0.01)
    effects = np.stack([artist, album - artist])
    dates = [COLUMNS.index("year"), COLUMNS.index("date_kind")]
    effects[1, dates] = 1 - effects[0, dates]  # an album has one date
    return effects


def pair_correlation(
    scores: np.ndarray, pairs: tuple[np.ndarray, np.ndarray], style: np.ndarray
) -> np.ndarray:
    """Return the correlation of each column over the pairs of rows of one style."""
    i, j = (rows[style[pairs[0]] == style[pairs[1]]] for rows in pairs)
    both = np.r_[scores[i], scores[j]].var(axis=0)
    return (scores[i] * scores[j]).mean(axis=0) / np.maximum(both, 1.0)


def fit_correlations(
    frame: pd.DataFrame, scores: np.ndarray, quantiles: np.ndarray, effects: np.ndarray
) -> np.ndarray:
    """Return each style's latent correlations, shape (styles, columns, columns).

    The latent matrix is adjusted until simulated songs, with their ties, show the correlations
    of the real ones; then for the part that random effects take away.
    """
    rng = np.random.default_rng(FIT_SEED)
    pooled = np.corrcoef(scores.T)
    latent = np.tile(np.eye(len(COLUMNS)), (len(quantiles), 1, 1))
    rest = np.sqrt(1 - effects.sum(axis=0))
    shares = np.sqrt(effects)
    kept = sum(np.outer(part, part) for part in (shares[0], shares[1], rest))
    for style in np.unique(frame["style"]):
        rows = np.flatnonzero(frame["style"] == style)
        weight = len(rows) / (len(rows) + SHRINKAGE)
        target = weight * np.corrcoef(scores[rows].T) + (1 - weight) * pooled
        matrix = _match_correlation(np.nan_to_num(target), quantiles[style], rng)
        matrix = np.clip(matrix / np.maximum(kept, 0.05), -0.98, 0.98)
        np.fill_diagonal(matrix, 1)
        latent[style] = repair_correlation(matrix)
    return latent


def _match_correlation(
    target: np.ndarray, table: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    latent = repair_correlation(target)
    noise = rng.standard_normal((8000, len(COLUMNS)))
    for _ in range(5):
        draws = noise @ np.linalg.cholesky(latent).T
        values = [to_values(draws[:, i], table[i], name) for i, name in enumerate(COLUMNS)]
        seen = np.corrcoef(_normal_scores(np.column_stack(values).astype(float), rng).T)
        latent = np.clip(latent + np.nan_to_num(target - seen), -0.97, 0.97)
        np.fill_diagonal(latent, 1)
        latent = repair_correlation(latent)
    return latent


def fit_micro_genres(subset: pd.DataFrame, scores: np.ndarray) -> dict[str, np.ndarray]:
    """Return vocabulary, co-occurrences, use by class and effect on features of micro-genres."""
    artists = subset.drop_duplicates("artist")
    counts = pd.Series([name for names in artists["micro"] for name in names]).value_counts()
    words = sorted(counts.index[counts >= 2])
    place = {word: i for i, word in enumerate(words)}
    member = np.zeros((len(subset), len(words)), dtype=np.float32)
    for row, names in enumerate(subset["micro"]):
        member[row, [place[name] for name in names if name in place]] = 1
    lists = member[~subset["artist"].duplicated().to_numpy()]
    together = (lists.T @ lists).astype(int)
    pairs = np.argwhere(np.triu(together, 1))
    by_class = np.array([lists[artists["class"] == name].sum(axis=0) for name in CLASSES])
    length = np.minimum([len(names) for names in artists["micro"]], 14)
    lengths = [np.bincount(length[artists["class"] == name], minlength=15) for name in CLASSES]
    # Half of what a micro-genre does to a feature comes through the style, half on top of it.
    overall = _normal_scores(subset[COLUMNS].to_numpy(dtype=float), np.random.default_rng(FIT_SEED))
    ridge = Ridge(alpha=25.0, fit_intercept=False).fit(member, (scores + overall) / 2)
    return {
        "words": np.array(words),
        "pairs": pairs.astype(np.int16),
        "pair_counts": together[pairs[:, 0], pairs[:, 1]].astype(np.int16),
        "by_class": by_class.astype(np.int16),
        "lengths": np.array(lengths, dtype=np.int16),
        "micro_styles": (member.T @ np.eye(STYLES)[subset["style"]]).astype(np.int16),
        "micro_effects": ridge.coef_.T.astype(np.float16),
    }


def fit_class_shifts(frame: pd.DataFrame, scores: np.ndarray) -> np.ndarray:
    """Return shrunk mean scores of each class in each style, (classes, styles, columns)."""
    place = (frame["class"].map(CLASSES.index).to_numpy(), frame["style"].to_numpy())
    sums = np.zeros((len(CLASSES), STYLES, len(COLUMNS)))
    counts = np.zeros((len(CLASSES), STYLES, 1))
    np.add.at(sums, place, scores)
    np.add.at(counts, place, 1)
    return sums / (counts + SHIFT_PRIOR)


def fit_block(frame: pd.DataFrame, effects: np.ndarray) -> dict[str, np.ndarray]:
    """Return what one population (labelled songs, or the recommendation table) needs."""
    rng = np.random.default_rng(FIT_SEED)
    scores = score_columns(frame, rng)
    quantiles = fit_quantiles(frame, rng)
    by_class = np.zeros((len(CLASSES), len(quantiles)))
    np.add.at(by_class, (frame["class"].map(CLASSES.index), frame["style"]), 1)
    return {
        "quantiles": quantiles.astype(np.float32),
        "correlations": fit_correlations(frame, scores, quantiles, effects).astype(np.float32),
        "keys": fit_keys(frame),
        "kinds": fit_kinds(frame),
        "styles": by_class.astype(np.int32),
    }


def fit_model(folder: Path, path: Path = MODEL_FILE) -> None:
    """Fit every aggregate on the course's tables and write the model file.

    Parameters
    ----------
    folder : Path
        Folder with the course's four tables.
    path : Path
        The file to write.
    """
    tables = read_tables(folder)
    rng = np.random.default_rng(FIT_SEED)
    subset, recommendation = tables["subset"], tables["recommendation"]
    labelled = pd.concat([tables["train"], subset], ignore_index=True)
    labelled["style"] = find_styles(labelled)
    subset["style"] = labelled["style"].to_numpy()[len(tables["train"]) :]
    recommendation["style"] = recommendation["class"].map(CLASSES.index)
    all_scores = score_columns(labelled, rng)
    scores = all_scores[len(tables["train"]) :]
    effects = fit_effects(subset, scores)
    model = {"effects": effects, "persistence": fit_persistence(subset)}
    model["class_shifts"] = fit_class_shifts(labelled, all_scores).astype(np.float16)
    model |= fit_micro_genres(subset, scores) | fit_structure(tables)
    model |= fit_dates(recommendation, labelled)
    for name, frame in (("main", labelled), ("rec", recommendation)):
        model |= {f"{name}_{key}": value for key, value in fit_block(frame, effects).items()}
    for name in ("train", "subset"):
        counts = tables[name]["class"].value_counts().reindex(CLASSES, fill_value=0)
        model[f"{name}_counts"] = counts.to_numpy()
    np.savez_compressed(path, **model)  # type: ignore[arg-type]
