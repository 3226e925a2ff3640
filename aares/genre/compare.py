"""Classifiers on the same folds: from the most frequent genre to ours.

Used by notebook 01. The score is the micro-averaged F1 of the challenge; where every song has one
label it is the share of songs whose label is right. All preprocessing is inside the estimators.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import lightgbm
import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from aares.errors import require_songs
from aares.genre.songs import SongNumbers
from aares.scores import Fold, predict_folds, spread_of_share


class NamedBoosting(ClassifierMixin, BaseEstimator):
    """XGBoost for labels that are text.

    Parameters
    ----------
    rounds : int
    random_state : int
    """

    def __init__(self, *, rounds: int = 60, random_state: int = 0) -> None:
        self.rounds = rounds
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> NamedBoosting:
        """Fit depth-4 trees (Chen and Guestrin 2016)."""
        import xgboost  # comes with the extra [course]: no other model needs it

        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.model_ = xgboost.XGBClassifier(
            n_estimators=self.rounds,
            max_depth=4,
            learning_rate=0.15,
            subsample=0.8,
            colsample_bytree=0.5,
            max_bin=64,
            n_jobs=1,
            random_state=self.random_state,
        ).fit(X, codes)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return a label for each row.

        Examples
        --------
        >>> X, y = np.arange(20.0)[:, None], np.repeat(["jazz", "punk"], 10)
        >>> NamedBoosting(rounds=5).fit(X, y).predict(X[::6]).tolist()
        ['jazz', 'jazz', 'punk', 'punk']
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        return self.classes_[self.model_.predict_proba(X).argmax(axis=1)]


def make_classifiers(*, random_state: int = 0) -> dict[str, BaseEstimator]:
    """Return the classifiers that ours is compared with, from simple to strong.

    Each takes the raw table; none knows which songs share a date.

    Parameters
    ----------
    random_state : int

    Returns
    -------
    dict of str to classifier

    Examples
    --------
    >>> models = make_classifiers()
    >>> len(models), list(models)[:3]
    (10, ['most frequent genre', 'decision tree', 'random forest'])
    >>> list(models["naive Bayes"].named_steps)
    ['songnumbers', 'quantiletransformer', 'standardscaler', 'gaussiannb']
    """
    trees = RandomForestClassifier(
        100, min_samples_leaf=2, max_features=0.3, random_state=random_state
    )
    boosting = lightgbm.LGBMClassifier(
        n_estimators=100, learning_rate=0.1, num_leaves=7, max_bin=63, min_child_samples=30,
        colsample_bytree=0.5, subsample=0.7, subsample_freq=1, reg_lambda=5, n_jobs=1,
        random_state=random_state, deterministic=True, force_col_wise=True, verbose=-1,
    )  # fmt: skip
    network = MLPClassifier(
        (64,), alpha=0.01, batch_size=256, max_iter=60, early_stopping=True,
        n_iter_no_change=5, random_state=random_state,
    )  # fmt: skip
    # A kernel machine costs the square of the songs: it sees a tenth of them.
    kernel = BaggingClassifier(
        SVC(C=3), n_estimators=1, max_samples=0.1, bootstrap=False, random_state=random_state
    )
    plain = {
        "most frequent genre": DummyClassifier(strategy="most_frequent"),
        "decision tree": DecisionTreeClassifier(min_samples_leaf=30, random_state=random_state),
        "random forest": trees,
        "XGBoost": NamedBoosting(random_state=random_state),
        "LightGBM": boosting,
    }
    ranked = {
        # A quantile that many songs share (0, no month) has no width: smoothing gives it some.
        "naive Bayes": GaussianNB(var_smoothing=0.1),
        "k nearest neighbours": KNeighborsClassifier(25, weights="distance"),
        "logistic regression": LogisticRegression(max_iter=300),
        "SVM (a tenth of the songs)": kernel,
        "neural network": network,
    }
    models = {name: make_pipeline(SongNumbers(), model) for name, model in plain.items()}
    for name, model in ranked.items():
        ranks = QuantileTransformer(n_quantiles=200, subsample=None)
        models[name] = make_pipeline(SongNumbers(), ranks, StandardScaler(), model)
    return models


def make_folds(y: Sequence[str], *, n_folds: int = 5, random_state: int = 0) -> list[Fold]:
    """Return stratified folds as pairs of row numbers (fitted on, scored on).

    Parameters
    ----------
    y : sequence of str
    n_folds : int
    random_state : int

    Returns
    -------
    list of (ndarray of int, ndarray of int)

    Examples
    --------
    >>> y = ["jazz", "jazz", "jazz", "jazz", "punk", "punk"]
    >>> for _, scored in make_folds(y, n_folds=2):
    ...     print(sorted(y[row] for row in scored))
    ['jazz', 'jazz', 'punk']
    ['jazz', 'jazz', 'punk']
    """
    largest = pd.Series(list(y), dtype=object).value_counts().max() if len(y) else 0
    require_songs(int(largest), n_folds, what=f"songs of a genre for {n_folds} folds")
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=random_state)
    return list(folds.split(np.zeros(len(y)), y))


def score_folds(predicted: np.ndarray, y: pd.Series, folds: list[Fold]) -> np.ndarray:
    """Return the micro-F1 of each fold.

    Parameters
    ----------
    predicted : ndarray of str, shape (n_songs,)
    y : Series of str, shape (n_songs,)
    folds : list

    Returns
    -------
    ndarray of float, shape (n_folds,)

    Examples
    --------
    >>> y = pd.Series(["jazz", "jazz", "punk", "punk"])
    >>> folds = [(np.array([2, 3]), np.array([0, 1])), (np.array([0, 1]), np.array([2, 3]))]
    >>> score_folds(np.array(["jazz", "punk", "punk", "punk"]), y, folds).tolist()
    [0.5, 1.0]
    """
    truth = y.to_numpy()
    return np.array([f1_score(truth[rows], predicted[rows], average="micro") for _, rows in folds])


def compare_classifiers(
    models: dict[str, BaseEstimator],
    X: pd.DataFrame,
    y: pd.Series,
    folds: list[Fold],
    *,
    n_jobs: int = 2,
) -> pd.DataFrame:
    """Score classifiers on the same folds.

    Parameters
    ----------
    models : dict of str to classifier
    X : DataFrame, shape (n_songs, n_columns)
    y : Series of str, shape (n_songs,)
    folds : list
    n_jobs : int
        Folds at a time.

    Returns
    -------
    DataFrame of float
        One row for each fold, one column for each model: micro-F1.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> X, y = pd.DataFrame({"energy": np.arange(8.0)}), pd.Series(["jazz"] * 5 + ["punk"] * 3)
    >>> folds = [(np.arange(0, 8, 2), np.arange(1, 8, 2)), (np.arange(1, 8, 2), np.arange(0, 8, 2))]
    >>> models = {"most frequent": DummyClassifier(), "nearest": KNeighborsClassifier(1)}
    >>> compare_classifiers(models, X, y, folds)
       most frequent  nearest
    0           0.50     0.75
    1           0.75     1.00
    """
    scores = {
        name: score_folds(predict_folds(model, X, y, folds, n_jobs=n_jobs), y, folds)
        for name, model in models.items()
    }
    return pd.DataFrame(scores)


def measure_learning(
    model: BaseEstimator,
    X: pd.DataFrame,
    y: pd.Series,
    scored: tuple[pd.DataFrame, pd.Series],
    *,
    parts: Sequence[float] = (0.25, 0.5),
    random_state: int = 0,
) -> pd.Series:
    """Score a classifier that learnt from parts of the songs.

    Parameters
    ----------
    model : classifier
    X : DataFrame, shape (n_songs, n_columns)
    y : Series of str, shape (n_songs,)
    scored : tuple of (DataFrame, Series)
        Songs and labels of the score, the same for each part.
    parts : sequence of float
        Shares of the songs, in (0, 1]; smaller parts are inside larger ones.
    random_state : int

    Returns
    -------
    Series of float
        Micro-F1; index: numbers of songs.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> X, y = pd.DataFrame({"energy": np.arange(40.0)}), pd.Series(["jazz", "punk"]).repeat(20)
    >>> measure_learning(KNeighborsClassifier(1), X, y, (X + 0.1, y), parts=(0.05, 1.0))
    2     0.975
    40    1.000
    dtype: float64
    """
    order = np.random.default_rng(random_state).permutation(len(X))
    scores = {}
    for part in parts:
        rows = order[: int(part * len(X))]
        fitted = clone(model).fit(X.iloc[rows], y.iloc[rows].to_numpy())
        right = fitted.predict(scored[0]) == scored[1].to_numpy()
        scores[len(rows)] = float(np.mean(right))
    return pd.Series(scores)


def score_splits(
    models: Mapping[str, BaseEstimator],
    X: pd.DataFrame,
    y: pd.Series,
    *,
    seeds: Sequence[int],
    size: int,
    parts: Sequence[float] = (1.0,),
    n_jobs: int = 2,
) -> pd.DataFrame:
    """Score classifiers on several splits, each with a seed of its own for songs and models.

    Parameters
    ----------
    models : mapping of str to classifier
        Each has a ``random_state``.
    X : DataFrame, shape (n_songs, n_columns)
    y : Series of str, shape (n_songs,)
    seeds : sequence of int
    size : int
        Songs learnt from; a fifth of all songs is scored.
    parts : sequence of float
        Shares of these songs, see :func:`measure_learning`.
    n_jobs : int
        Splits at a time.

    Returns
    -------
    DataFrame of float
        Micro-F1; index ``split`` and ``songs``, a column for each model. Within a split all models
        are asked for the same songs: compare them split by split.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = pd.DataFrame({"energy": np.arange(40.0)}), pd.Series(["jazz", "punk"]).repeat(20)
    >>> models = {"tree": DecisionTreeClassifier()}
    >>> table = score_splits(models, X, y, seeds=[1, 2], size=20, parts=(0.5, 1.0))
    >>> table.index.tolist()
    [(1, 10), (1, 20), (2, 10), (2, 20)]
    >>> table["tree"].tolist()
    [1.0, 1.0, 1.0, 1.0]
    """

    def score(seed: int) -> pd.DataFrame:
        a, b, ya, yb = train_test_split(X, y, train_size=size, test_size=0.2, random_state=seed)
        table = {}
        for name, model in models.items():
            seeded = clone(model).set_params(random_state=seed)
            table[name] = measure_learning(seeded, a, ya, (b, yb), parts=parts, random_state=seed)
        return pd.DataFrame(table)

    scored = Parallel(n_jobs=n_jobs, prefer="threads")(delayed(score)(seed) for seed in seeds)
    return pd.concat(dict(zip(seeds, scored, strict=True)), names=["split", "songs"])


def summarise_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard deviation over folds, lowest first.

    Parameters
    ----------
    scores : DataFrame, shape (n_folds, n_models)

    Returns
    -------
    DataFrame
        Columns ``micro-F1`` and ``sd``; the index names the models.

    Examples
    --------
    >>> table = summarise_scores(pd.DataFrame({"forest": [0.5, 0.54], "most frequent": [0.2, 0.2]}))
    >>> table.round(3)
                   micro-F1     sd
    most frequent      0.20  0.000
    forest             0.52  0.028
    """
    table = pd.DataFrame({"micro-F1": scores.mean(), "sd": scores.std(ddof=1)})
    return table.sort_values("micro-F1", kind="stable")


def estimate_interval(score: float, n_scored: int, n_new: int) -> tuple[float, float]:
    """Return where the score of new songs is expected, with 95 % probability.

    Two errors add up: that of the estimate, and the chance of the draw of new songs. Both are
    binomial (normal approximation).

    Parameters
    ----------
    score : float
        Share of right answers among `n_scored` songs.
    n_scored, n_new : int

    Returns
    -------
    low, high : float

    Examples
    --------
    >>> low, high = estimate_interval(0.5, 10_000, 2_500)
    >>> round(low, 3), round(high, 3)
    (0.478, 0.522)
    """
    spread = float(spread_of_share(score, n_scored, n_new))
    return score - spread, score + spread
