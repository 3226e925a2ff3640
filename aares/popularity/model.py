"""The popularity model: encoders, a hurdle for the zeros, and a blend of two kinds of trees.

Used by notebook ``02_popularity``. More than a quarter of the songs have popularity 0, mostly
because another release of the same recording is the one that counts. One regression smears over
that gap; a hurdle model answers two questions, *is it zero?* and *how popular if not?*, and
multiplies.

References
----------
Mullahy, "Specification and testing of some modified count data models", Journal of Econometrics
33(3), 1986: section 2 (hurdle models).
Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS 2017.
Geurts, Ernst, Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006: section 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.pipeline import FeatureUnion

from aares.config import AUDIO_FEATURES
from aares.popularity.encoders import GenreSVD, TokenTargetEncoder
from aares.popularity.rows import (
    FloatArray,
    RowFeatures,
    count_genres,
    describe_audio,
    describe_date,
    describe_title,
)

COLUMNS = (
    "artist_name",
    "track_name",
    "release_date",
    "genres",
    "explicit",
    *AUDIO_FEATURES,
)
"""What the model reads of a song: the columns of the subset file but ``popularity`` and ``id``."""

_BOOSTER: dict[str, Any] = {
    "learning_rate": 0.03,
    "num_leaves": 15,
    "min_child_samples": 20,
    "subsample": 0.7,
    "subsample_freq": 1,
    "colsample_bytree": 0.4,
    "reg_lambda": 5.0,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
    "n_jobs": 1,
}
_TREES: dict[str, Any] = {"n_estimators": 150, "max_features": 0.4, "n_jobs": 1}


class ReferenceModel(TransformerMixin, BaseEstimator):
    """Popularity and chance of a zero that a booster learned from other songs: two features.

    Parameters
    ----------
    reference : DataFrame
        Songs with audio features, ``explicit``, ``release_date`` and ``popularity``.
    random_state : int
        Seed of the boosters.
    """

    def __init__(self, *, reference: pd.DataFrame, random_state: int = 0) -> None:
        self.reference = reference
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any = None) -> ReferenceModel:
        """Learn from the reference; the table itself is not looked at."""
        options = {**_BOOSTER, "learning_rate": 0.08, "random_state": self.random_state}
        features = self._describe(self.reference)
        target = self.reference["popularity"].to_numpy(float)
        self.level_ = LGBMRegressor(n_estimators=200, **options).fit(features, target)
        self.zero_ = fit_zero_model(
            LGBMClassifier(n_estimators=120, **options), features, target == 0
        )
        return self

    def transform(self, X: pd.DataFrame) -> FloatArray:
        """Return predicted popularity (0-100) and chance of a zero, shape (n, 2)."""
        features = self._describe(X)
        level = np.asarray(self.level_.predict(features), dtype=float)
        return np.column_stack([level, predict_zero(self.zero_, features)])

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the two names."""
        return np.array(["reference_level", "reference_zero"], dtype=object)

    @staticmethod
    def _describe(X: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([describe_audio(X), describe_date(X)], axis=1).reset_index(drop=True)


def fit_zero_model(classifier: Any, features: Any, is_zero: Any) -> Any:
    """Fit a classifier of the zeros; where all songs are alike, return that share instead.

    Parameters
    ----------
    classifier : estimator
        Fitted in place.
    features : array-like, shape (n, d)
    is_zero : array-like of bool, shape (n,)

    Returns
    -------
    estimator or float
    """
    share = float(np.mean(is_zero))
    return classifier.fit(features, is_zero) if 0 < share < 1 else share


def predict_zero(model: Any, features: Any) -> FloatArray:
    """Return the chance of a zero, shape (n,), from what :func:`fit_zero_model` returned.

    Parameters
    ----------
    model : estimator or float
        From :func:`fit_zero_model`.
    features : array-like, shape (n, d)

    Returns
    -------
    ndarray, shape (n,)
        0-1.
    """
    if isinstance(model, float):
        return np.full(len(features), model)
    return model.predict_proba(features)[:, 1]


class HurdleRegressor(RegressorMixin, BaseEstimator):
    """Chance of being above zero, times the expected popularity of such a song.

    Parameters
    ----------
    classifier, regressor : estimator
        Cloned by nobody: pass fresh ones.
    """

    def __init__(self, classifier: Any, regressor: Any) -> None:
        self.classifier = classifier
        self.regressor = regressor

    def fit(self, X: Any, y: Any) -> HurdleRegressor:
        """Fit the classifier on all rows and the regressor on those above zero."""
        y = np.asarray(y, dtype=float)
        above = y > 0
        self.zero_ = fit_zero_model(self.classifier, X, ~above)
        self.level_ = self.regressor.fit(X[above], y[above]) if above.any() else None
        return self

    def predict_zero_proba(self, X: Any) -> FloatArray:
        """Return the chance that the popularity is 0, shape (n,).

        Parameters
        ----------
        X : table
            As for ``fit``.

        Returns
        -------
        ndarray, shape (n,)
            0-1.
        """
        return predict_zero(self.zero_, X)

    def predict_level(self, X: Any) -> FloatArray:
        """Return the expected popularity of a song that is above zero, shape (n,).

        Parameters
        ----------
        X : table
            As for ``fit``.

        Returns
        -------
        ndarray, shape (n,)
            Points, 0-100.
        """
        return np.zeros(len(X)) if self.level_ is None else self.level_.predict(X)

    def predict(self, X: Any) -> FloatArray:
        """Return the expected popularity, shape (n,)."""
        return (1 - self.predict_zero_proba(X)) * self.predict_level(X)


class PopularityRegressor(RegressorMixin, BaseEstimator):
    """Predict the popularity (0-100) of songs from the raw table.

    Parameters
    ----------
    reference : DataFrame or None
        Songs outside the table with audio features, ``explicit``, ``release_date`` and
        ``popularity`` (the files of exercise 1): they tell what a release date is worth.
    random_state : int
        Seed of folds, boosters and trees.

    Attributes
    ----------
    encoders_ : FeatureUnion
        Raw table -> features; each encoder is fitted inside ``fit``, with inner folds.
    hurdles_ : list of HurdleRegressor
        Boosted and extremely randomised trees, averaged.
    """

    def __init__(self, *, reference: pd.DataFrame | None = None, random_state: int = 0) -> None:
        self.reference = reference
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any) -> PopularityRegressor:
        """Learn encoders and both hurdle models.

        Parameters
        ----------
        X : DataFrame, shape (n, columns)
            Raw table with :data:`COLUMNS`; others are ignored.
        y : array-like, shape (n,)
            Popularity, 0-100.

        Raises
        ------
        ValueError
            A column is missing, or there are fewer than ten songs.
        """
        y = np.asarray(y, dtype=float)
        X = _check_table(X)
        if len(X) < 10:
            raise ValueError(f"expected at least 10 songs to learn from, found {len(X)}")
        self.encoders_ = make_encoders(reference=self.reference, random_state=self.random_state)
        features = _fill(self.encoders_.fit_transform(X, y))
        self.hurdles_ = [hurdle.fit(features, y) for hurdle in _make_hurdles(self.random_state)]
        return self

    def predict(self, X: pd.DataFrame) -> FloatArray:
        """Return the expected popularity, 0-100, shape (n,)."""
        features = self._encode(X)
        return np.mean([hurdle.predict(features) for hurdle in self.hurdles_], axis=0).clip(0, 100)

    def predict_zero_proba(self, X: pd.DataFrame) -> FloatArray:
        """Return the chance that the popularity is 0, shape (n,).

        Parameters
        ----------
        X : table
            As for ``fit``.

        Returns
        -------
        ndarray, shape (n,)
            0-1.
        """
        features = self._encode(X)
        return np.mean([hurdle.predict_zero_proba(features) for hurdle in self.hurdles_], axis=0)

    def predict_level(self, X: pd.DataFrame) -> FloatArray:
        """Return the expected popularity of a song that is above zero, shape (n,).

        Parameters
        ----------
        X : table
            As for ``fit``.

        Returns
        -------
        ndarray, shape (n,)
            Points, 0-100.
        """
        features = self._encode(X)
        return np.mean([hurdle.predict_level(features) for hurdle in self.hurdles_], axis=0)

    def _encode(self, X: pd.DataFrame) -> FloatArray:
        return _fill(self.encoders_.transform(_check_table(X)))


def make_model(reference: pd.DataFrame | None = None, random_state: int = 0) -> PopularityRegressor:
    """Return the unfitted popularity model.

    Parameters
    ----------
    reference : DataFrame or None
        See :class:`PopularityRegressor`.
    random_state : int
        Seed of all that is random in it.

    Returns
    -------
    PopularityRegressor
        A scikit-learn regressor on the raw table.
    """
    return PopularityRegressor(reference=reference, random_state=random_state)


def make_encoders(*, reference: pd.DataFrame | None = None, random_state: int = 0) -> FeatureUnion:
    """Return the unfitted encoders of the model, raw table -> features.

    Parameters
    ----------
    reference : DataFrame or None
        See :class:`PopularityRegressor`.
    random_state : int
        Seed of inner folds and of the SVD.

    Returns
    -------
    FeatureUnion
    """
    options: dict[str, Any] = {"random_state": random_state}
    parts: list[tuple[str, Any]] = [
        ("audio", RowFeatures(describe_audio)),
        ("date", RowFeatures(describe_date)),
        ("title", RowFeatures(describe_title)),
        ("n_genres", RowFeatures(count_genres)),
        ("genres", TokenTargetEncoder(column="genres", smoothing=10.0, **options)),
        ("genre_svd", GenreSVD(n_components=24, **options)),
        ("artist", TokenTargetEncoder(column="artist_name", smoothing=3.0, **options)),
        (
            "day",
            TokenTargetEncoder(
                column="release_date", smoothing=5.0, reference=reference, **options
            ),
        ),
    ]
    if reference is not None:
        parts.append(("reference", ReferenceModel(reference=reference, **options)))
    return FeatureUnion(parts)


def _make_hurdles(random_state: int) -> list[HurdleRegressor]:
    seed: dict[str, Any] = {"random_state": random_state}
    return [
        HurdleRegressor(
            LGBMClassifier(n_estimators=300, **_BOOSTER, **seed),
            LGBMRegressor(n_estimators=500, **_BOOSTER, **seed),
        ),
        HurdleRegressor(
            ExtraTreesClassifier(min_samples_leaf=3, **_TREES, **seed),
            ExtraTreesRegressor(min_samples_leaf=2, **_TREES, **seed),
        ),
    ]


def _fill(features: FloatArray) -> FloatArray:
    """Write a missing date part as -1, a value that trees can split off."""
    return np.nan_to_num(features, nan=-1.0)


def _check_table(X: Any) -> pd.DataFrame:
    if not isinstance(X, pd.DataFrame):
        raise ValueError(f"expected a DataFrame with the raw columns, found {type(X).__name__}")
    missing = [column for column in COLUMNS if column not in X]
    if missing:
        raise ValueError(f"expected the columns of the subset file, missing: {', '.join(missing)}")
    return X
