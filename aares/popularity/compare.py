"""Compare models and ways to handle ``genres`` on the same folds (exercise 2, questions 1 and 2).

Used by notebook ``02_popularity``. Popularity and errors are in points of 0-100.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from lightgbm import LGBMRegressor
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.dummy import DummyRegressor
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.metrics import root_mean_squared_error as rmse
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils.validation import check_is_fitted

from aares.data.door import read_column, read_table
from aares.popularity.encoders import GenreSVD, TokenCounter, TokenTargetEncoder
from aares.popularity.genres import GenreCommunities, GenreEmbedding, GenreNMF
from aares.popularity.rows import (
    FloatArray,
    RowFeatures,
    describe_audio,
    describe_date,
    describe_title,
    get_tokens,
)
from aares.scores import Fold, predict_folds, spread_of_mean

PARTS = ("mean", "median", "zero", "level", "spread", "alone", "likeness")


def score(y: Any, predicted: Any) -> dict[str, float]:
    """Return RMSE and MAE (points of popularity) and R2 of a prediction.

    Parameters
    ----------
    y : array-like, shape (n,)
        True popularity.
    predicted : array-like, shape (n,)
        Predicted popularity.

    Returns
    -------
    dict of str to float

    Examples
    --------
    Errors of 3 and 1: the root of their mean square is the root of 5.

    >>> {name: round(value, 2) for name, value in score([10, 20], [13, 19]).items()}
    {'RMSE': 2.24, 'MAE': 2.0, 'R2': 0.8}
    """
    return {
        "RMSE": float(rmse(y, predicted)),
        "MAE": float(mean_absolute_error(y, predicted)),
        "R2": float(r2_score(y, predicted)),
    }


def predict_parts_folds(
    model: Any, X: pd.DataFrame, y: Any, folds: Iterable[Fold], *, n_jobs: int = 1
) -> pd.DataFrame:
    """Predict what a hurdle model knows of each row, fitted without the row's fold.

    Parameters
    ----------
    model : PopularityRegressor
        Cloned for each fold, with a seed of its own where it has a ``random_state``: so folds
        differ by songs and seeds.
    X : DataFrame, shape (n, columns)
    y : array-like, shape (n,)
    folds : iterable of (train, test) row numbers
    n_jobs : int
        Folds fitted at the same time.

    Returns
    -------
    DataFrame, shape (n, 7)
        See :meth:`aares.popularity.PopularityRegressor.describe`; NaN for rows that no fold tests.

    Examples
    --------
    >>> class Mean(BaseEstimator):
    ...     def fit(self, X, y):
    ...         self.mean_ = float(np.mean(y))
    ...         return self
    ...     def describe(self, X):
    ...         return pd.DataFrame({name: [self.mean_] * len(X) for name in PARTS})
    >>> folds = [(np.array([1, 2]), np.array([0])), (np.array([0]), np.array([1]))]
    >>> songs = pd.DataFrame({"energy": [0.1, 0.5, 0.9]})
    >>> predict_parts_folds(Mean(), songs, [10, 20, 60], folds)["mean"].tolist()
    [40.0, 10.0, nan]
    """
    y, folds = np.asarray(y, dtype=float), list(folds)

    def predict(number: int) -> FloatArray:
        seeded = clone(model)
        if "random_state" in seeded.get_params():
            seeded.set_params(random_state=seeded.random_state + number)
        return predict_folds(seeded, X, y, [folds[number]], method="describe")

    jobs = (delayed(predict)(number) for number in range(len(folds)))
    parts = np.full((len(X), len(PARTS)), np.nan)
    for (_, rows), part in zip(folds, Parallel(n_jobs, prefer="threads")(jobs), strict=True):
        parts[rows] = part[rows]
    return pd.DataFrame(parts, columns=list(PARTS))


def compare_models(
    models: Mapping[str, Any], X: pd.DataFrame, y: Any, folds: Iterable[Fold]
) -> pd.DataFrame:
    """Score several models on the same folds.

    Parameters
    ----------
    models : mapping of name to estimator
    X : DataFrame, shape (n, columns)
        Raw table.
    y : array-like, shape (n,)
        Popularity.
    folds : iterable of (train, test)
        See :func:`aares.scores.predict_folds`.

    Returns
    -------
    DataFrame, shape (models, 4)
        One row for each model: mean over folds of RMSE, MAE and R2, and ``sd``, the standard
        deviation of the RMSE between folds.

    Examples
    --------
    >>> models = {name: DummyRegressor(strategy=name) for name in ("mean", "median")}
    >>> songs, y = pd.DataFrame({"energy": [0.1, 0.2, 0.3, 0.7, 0.9]}), [0, 10, 0, 60, 40]
    >>> folds = [(np.array([2, 3, 4]), np.array([0, 1])), (np.array([0, 1, 2]), np.array([3, 4]))]
    >>> compare_models(models, songs, y, folds)[["RMSE", "MAE", "sd"]].round(2)
             RMSE   MAE     sd
    mean    38.25  37.5  13.40
    median  43.17  42.5  11.06
    """
    y = np.asarray(y, dtype=float)
    folds = list(folds)
    rows = {}
    for name, model in models.items():
        predicted = predict_folds(model, X, y, folds)
        rows[name] = summarise_folds(y, predicted, folds)
    return pd.DataFrame(rows).T


def summarise_folds(
    y: FloatArray, predicted: FloatArray, folds: Iterable[Fold]
) -> dict[str, float]:
    """Return the mean of each fold's RMSE, MAE and R2, and ``sd`` of the RMSE between folds.

    Parameters
    ----------
    y : ndarray of float, shape (n,)
        True popularity.
    predicted : ndarray of float, shape (n,)
        Predicted popularity.
    folds : iterable of (train, test)
        Row numbers.

    Returns
    -------
    dict of str to float

    Examples
    --------
    The two folds have an error of 3 and of 1.

    >>> y, predicted = np.array([10.0, 20, 30, 40]), np.array([13.0, 17, 31, 39])
    >>> folds = [(np.array([2, 3]), np.array([0, 1])), (np.array([0, 1]), np.array([2, 3]))]
    >>> means = summarise_folds(y, predicted, folds)
    >>> means["RMSE"], round(means["sd"], 3)
    (2.0, 1.414)
    """
    scores = pd.DataFrame([score(y[test], predicted[test]) for _, test in folds])
    means = {str(name): float(value) for name, value in scores.mean().items()}
    return {**means, "sd": float(scores["RMSE"].std(ddof=1))}


class LabelEncoder(TransformerMixin, BaseEstimator):
    """One column for each macro-genre that a rule gives to a list of micro-genres.

    Parameters
    ----------
    rule : callable
        Tuple of micro-genres -> name of a macro-genre, or None.

    Examples
    --------
    >>> songs = pd.DataFrame({"genres": [("bebop", "swing"), ("punk",), ()]})
    >>> labels = {"bebop": "jazz", "punk": "rock"}
    >>> encoder = LabelEncoder(lambda genres: labels.get("".join(genres[:1])))
    >>> encoder.fit_transform(songs).toarray()
    array([[1., 0.],
           [0., 1.],
           [0., 0.]])
    """

    def __init__(self, rule: Callable[[tuple[str, ...]], str | None]) -> None:
        self.rule = rule

    def fit(self, X: pd.DataFrame, y: Any = None) -> LabelEncoder:
        """Give a column to each macro-genre that occurs."""
        self.counter_ = TokenCounter(column="label").fit(self._label(X))
        return self

    def transform(self, X: pd.DataFrame) -> Any:
        """Return the sparse one-hot matrix, shape (n, macro-genres); zeros where there is none."""
        check_is_fitted(self)
        return self.counter_.transform(self._label(X))

    def _label(self, X: pd.DataFrame) -> pd.DataFrame:
        labels = [self.rule(genres) or "" for genres in get_tokens(X, "genres")]
        return pd.DataFrame({"label": pd.Series(labels, dtype=object)})


def make_genre_models(
    rule: Callable[[tuple[str, ...]], str | None], *, random_state: int = 0
) -> dict[str, Any]:
    """Return one model for each way to handle ``genres``; all else in them is equal.

    Parameters
    ----------
    rule : callable
        Macro-genre rule, see :class:`LabelEncoder`.
    random_state : int
        Seed of inner folds and boosters.

    Returns
    -------
    dict of str to estimator
        The first is the mean, which ignores all features; the second ignores genres.

    Examples
    --------
    >>> models = make_genre_models(lambda genres: genres[0] if genres else None)
    >>> for name in list(models)[:4]:
    ...     print(name)
    mean popularity
    none
    macro-genre (rule)
    multi-hot, 100 frequent
    """
    seed: dict[str, Any] = {"random_state": random_state}
    target = TokenTargetEncoder(column="genres", **seed)
    svd = GenreSVD(**seed)
    ways: dict[str, list[Any]] = {
        "none": [],
        "macro-genre (rule)": [LabelEncoder(rule)],
        "multi-hot, 100 frequent": [TokenCounter(column="genres", max_tokens=100)],
        "graph communities, 16": [GenreCommunities(**seed)],
        "mutual information, 24 axes": [GenreEmbedding(**seed)],
        "NMF, 24 parts": [GenreNMF(**seed)],
        "target encoding": [target],
        "SVD, 24 axes": [svd],
        "target encoding + SVD": [target, svd],
    }
    models: dict[str, Any] = {"mean popularity": DummyRegressor()}
    for name, encoders in ways.items():
        models[name] = Pipeline([("encode", _join(encoders)), ("boost", _make_booster(**seed))])
    return models


def _join(encoders: list[Any]) -> FeatureUnion:
    base = [RowFeatures(describe_audio), RowFeatures(describe_date), RowFeatures(describe_title)]
    return FeatureUnion([(f"part_{i}", part) for i, part in enumerate([*base, *encoders])])


def _make_booster(*, random_state: int) -> LGBMRegressor:
    return LGBMRegressor(
        n_estimators=150,
        learning_rate=0.06,
        num_leaves=15,
        colsample_bytree=0.5,
        subsample=0.8,
        subsample_freq=1,
        deterministic=True,
        force_row_wise=True,
        n_jobs=1,
        verbose=-1,
        random_state=random_state,
    )


COLUMN_GROUPS: dict[str, tuple[str, ...]] = {
    "release date": ("release_date",),
    "genres": ("genres",),
    "artist": ("artist_name",),
    "title": ("track_name",),
    "explicit": ("explicit",),
    "loudness, energy": ("loudness", "energy"),
    "acoustic, instrumental, live": ("acousticness", "instrumentalness", "liveness"),
    "danceability, valence": ("danceability", "valence"),
    "speechiness": ("speechiness",),
    "key, mode": ("key", "mode"),
    "tempo, metre": ("tempo", "time_signature"),
    "duration": ("duration_ms",),
}
"""Columns of the raw table that are shuffled together: what they tell overlaps."""


def measure_importance(
    model: Any, X: pd.DataFrame, y: Any, *, n_repeats: int = 5, random_state: int = 0
) -> pd.DataFrame:
    """Measure how much worse a fitted model gets when a group of columns is shuffled.

    The songs are dealt into parts and each is shuffled once: the parts differ by the chance of
    songs and of shuffles. That of the songs which the model learnt from is not measured.

    Parameters
    ----------
    model : fitted estimator
    X : DataFrame, shape (n, columns)
        Songs that the model has not seen.
    y : array-like, shape (n,)
        Their popularity.
    n_repeats : int
        Parts of the songs.
    random_state : int
        Seed of the shuffles.

    Returns
    -------
    DataFrame, shape (groups, 2)
        ``mean`` and ``sd``, over the parts, of the rise of the RMSE (points) for each of
        :data:`COLUMN_GROUPS`, the largest first.

    References
    ----------
    Breiman, "Random forests", Machine Learning 45, 2001: section 10.

    Examples
    --------
    A model that reads nothing but energy: shuffling any other column costs nothing.

    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.preprocessing import FunctionTransformer
    >>> from aares.data import make_songs
    >>> songs = make_songs("subset", 50, energy=np.random.default_rng(0).random(50))
    >>> y, reader = songs["energy"], FunctionTransformer(lambda X: X[["energy"]])
    >>> model = Pipeline([("read", reader), ("line", LinearRegression())]).fit(songs, y)
    >>> table = measure_importance(model, songs, y)
    >>> table[table["mean"] > 1e-9].round(2)
                      mean    sd
    loudness, energy  0.38  0.09
    """
    read = read_table(X, [name for group in COLUMN_GROUPS.values() for name in group])
    X = X.assign(**{str(name): read[name] for name in read})
    rng, y = np.random.default_rng(random_state), np.asarray(y, dtype=float)
    parts = np.array_split(rng.permutation(len(X)), n_repeats)
    base, rises = np.asarray(model.predict(X), dtype=float), {}
    for name, columns in COLUMN_GROUPS.items():
        order = np.arange(len(X))
        for part in parts:
            order[part] = rng.permutation(part)
        shuffled = X.assign(**{key: X[key].iloc[order].set_axis(X.index) for key in columns})
        moved = model.predict(shuffled)
        losses = [rmse(y[part], moved[part]) - rmse(y[part], base[part]) for part in parts]
        rises[name] = {"mean": np.mean(losses), "sd": np.std(losses, ddof=1)}
    return pd.DataFrame(rises).T.sort_values("mean", ascending=False)


def measure_dependence(
    model: Any, X: pd.DataFrame, columns: Iterable[str], *, n_points: int = 8
) -> pd.DataFrame:
    """Return the mean prediction when a column has one value in all songs (partial dependence).

    Parameters
    ----------
    model : fitted estimator
    X : DataFrame, shape (n, columns)
        Raw table.
    columns : iterable of str
        Numeric columns; of those of whole numbers, whole ones are tried.
    n_points : int
        Values of each column, quantiles from 5 % to 95 %.

    Returns
    -------
    DataFrame, shape (points, 3)
        ``column``, ``value``, ``mean`` (points).

    References
    ----------
    Friedman, "Greedy function approximation", Annals of Statistics 29(5), 2001: section 8.2.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> songs = pd.DataFrame({"energy": [0.0, 0.5, 1.0], "tempo": [90.0, 120.0, 100.0]})
    >>> model = LinearRegression().fit(songs, 10 + 50 * songs["energy"])
    >>> measure_dependence(model, songs, ["energy"], n_points=3).round(2)
       column  value  mean
    0  energy   0.05  12.5
    1  energy   0.50  35.0
    2  energy   0.95  57.5
    """
    rows = []
    for column in columns:
        known = read_column(X, column)
        values = np.unique(np.quantile(known, np.linspace(0.05, 0.95, n_points)))
        if known.dtype.kind == "i":  # a key of 3.5 is none
            values = np.unique(values.round()).astype(int)
        tables = [X.assign(**{column: value}) for value in values]
        means = np.split(model.predict(pd.concat(tables)), len(values))
        rows += [
            (column, float(value), float(np.mean(part)))
            for value, part in zip(values, means, strict=True)
        ]
    return pd.DataFrame(rows, columns=["column", "value", "mean"])


def summarise_residuals(
    y: Any, predicted: Any, groups: pd.Series, *, min_songs: int = 30
) -> pd.DataFrame:
    """Return the mean residual (true - predicted, points) of groups of songs.

    Parameters
    ----------
    y, predicted : array-like, shape (n,)
    groups : Series, shape (n,)
        Label of each song's group; songs without a label are left out.
    min_songs : int

    Returns
    -------
    DataFrame, shape (groups, 3)
        Index label, sorted; ``mean``, ``error`` (half a 95 % interval) and ``songs``; groups of
        fewer than `min_songs` songs are left out.

    Examples
    --------
    >>> groups = pd.Series(["jazz", "jazz", "punk"])
    >>> summarise_residuals([50, 30, 20], [40, 28, 25], groups, min_songs=2)[["mean", "songs"]]
          mean  songs
    jazz   6.0      2
    """
    residual = pd.Series(np.asarray(y, dtype=float) - np.asarray(predicted, dtype=float))
    parts = residual.groupby(groups.to_numpy())
    table = pd.DataFrame({"mean": parts.mean(), "songs": parts.size()})
    table["error"] = spread_of_mean(parts.std(), table["songs"])
    return table[table["songs"] >= min_songs].sort_index()
