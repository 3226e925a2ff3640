"""All features of the popularity model, for songs of known and of unknown artists (exercise 2).

Used by notebook ``02_popularity``, through :func:`aares.popularity.make_model`.

A model must serve two kinds of new songs: those whose artist has other songs in the table, and
those whose artist has none. What the second kind looks like cannot be learnt from random inner
folds, where an artist without other songs is always an obscure one. So every training song is shown
twice: once encoded in random inner folds, and once as if its artist were unknown, in inner folds
that keep an artist's songs together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import KFold

from aares.popularity import neighbors
from aares.popularity.encoders import GenreSVD, TokenTargetEncoder
from aares.popularity.neighbors import Known, SoundSpace, join_known, krige
from aares.popularity.rows import (
    FloatArray,
    RowFeatures,
    count_genres,
    describe_audio,
    describe_date,
    describe_title,
)

Folds = list[tuple[np.ndarray, np.ndarray]]

BOOSTER: dict[str, Any] = {
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
"""Settings that all boosters of the model share."""


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
        """Learn from the reference; the table itself is not looked at.

        ``own_`` holds what models of the other folds say of the reference's songs.
        """
        # The order of a file may say where its songs come from: folds are random.
        features = self._describe(self.reference)
        target = self.reference["popularity"].to_numpy(float)
        self.level_, self.zero_ = self._learn(features, target)
        self.own_ = np.empty((len(target), 2))
        folds = KFold(min(3, len(target)), shuffle=True, random_state=self.random_state)
        for train, test in folds.split(features):
            models = self._learn(features.iloc[train], target[train])
            self.own_[test] = self._predict(models, features.iloc[test])
        return self

    def _learn(self, features: pd.DataFrame, target: FloatArray) -> tuple[Any, Any]:
        options = {**BOOSTER, "learning_rate": 0.08, "random_state": self.random_state}
        level = LGBMRegressor(n_estimators=200, **options).fit(features, target)
        zero = LGBMClassifier(n_estimators=120, **options)
        return level, fit_zero_model(zero, features, target == 0)

    @staticmethod
    def _predict(models: tuple[Any, Any], features: pd.DataFrame) -> FloatArray:
        level = np.asarray(models[0].predict(features), dtype=float)
        return np.column_stack([level, predict_zero(models[1], features)])

    def transform(self, X: pd.DataFrame) -> FloatArray:
        """Return predicted popularity (0-100) and chance of a zero, shape (n, 2)."""
        return self._predict((self.level_, self.zero_), self._describe(X))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the two names."""
        return np.array(["reference_level", "reference_zero"], dtype=object)

    @staticmethod
    def _describe(X: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([describe_audio(X), describe_date(X)], axis=1).reset_index(drop=True)


class SongFeatures(BaseEstimator):
    """Turn the raw table into the numbers that the trees read.

    Parameters
    ----------
    reference : DataFrame or None
        See :class:`aares.popularity.model.PopularityRegressor`.
    random_state : int
        Seed of inner folds, boosters and the SVD.
    """

    BLOCKS = (
        ("day", neighbors.name_days, neighbors.pick_day),
        ("artist", neighbors.name_artists, lambda _: neighbors.ARTIST),
        ("copy", neighbors.name_recordings, lambda _: neighbors.COPY),
    )

    def __init__(self, *, reference: pd.DataFrame | None = None, random_state: int = 0) -> None:
        self.reference = reference
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any) -> SongFeatures:
        """Learn every encoder from the training songs."""
        y = np.asarray(y, dtype=float)
        seed: dict[str, Any] = {"random_state": self.random_state}
        self.rows_ = [
            RowFeatures(function).fit(X)
            for function in (describe_audio, describe_date, describe_title, count_genres)
        ]
        self.svd_ = GenreSVD(n_components=24, **seed).fit(X)
        self.genres_ = TokenTargetEncoder(column="genres", smoothing=10.0, **seed).fit(X, y)
        self.artists_ = TokenTargetEncoder(column="artist_name", smoothing=3.0, **seed).fit(X, y)
        self.prior_ = np.array([y.mean(), (y == 0).mean()])
        self._fit_reference(X)
        residuals = _stack(y) - self._guess(X)
        space = self.space_.place(X)
        self.known_ = {name: Known(keys(X), space, residuals) for name, keys, _ in self.BLOCKS}
        return self

    def fit_training(self, X: pd.DataFrame, y: Any) -> tuple[FloatArray, FloatArray]:
        """Fit, and return features of the training songs without their own popularity.

        Parameters
        ----------
        X : DataFrame, shape (n, columns)
            Raw table.
        y : array-like, shape (n,)
            Popularity.

        Returns
        -------
        known, unknown : ndarray of float, shape (n, d)
            From random inner folds, and as if nothing were known of the artist.
        """
        y = np.asarray(y, dtype=float)
        self.fit(X, y)
        artists = neighbors.name_artists(X)
        both = []
        for groups in (None, artists):
            folds = neighbors.split_inner(len(X), groups, n_folds=5, random_state=self.random_state)
            both.append(self._encode_folds(X, y, folds, hide_artist=groups is not None))
        return both[0], both[1]

    def transform(self, X: pd.DataFrame) -> FloatArray:
        """Return the features of new songs, shape (n, d)."""
        space = self.space_.place(X)
        parts = [
            krige(self._add_reference(name, self.known_[name]), keys(X), space, pick)
            for name, keys, pick in self.BLOCKS
        ]
        encoders = (self.genres_, self.artists_)
        return self._join(X, space, [*(e.transform(X) for e in encoders), *parts])

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the name of each feature."""
        names: list[str] = []
        plain: list[Any] = [*self.rows_, self.svd_]
        for part in plain:
            names += map(str, part.get_feature_names_out())
        if self.model_ is not None:
            names += map(str, self.model_.get_feature_names_out())
            names += [f"reference_day_{name}" for name in neighbors.STATISTICS]
        for encoder in (self.genres_, self.artists_):
            names += map(str, encoder.get_feature_names_out())
        names += [f"{block}_near_{s}" for block, _, _ in self.BLOCKS for s in neighbors.STATISTICS]
        return np.array(names, dtype=object)

    def _fit_reference(self, X: pd.DataFrame) -> None:
        self.model_, self.others_ = None, None
        self.space_ = SoundSpace(X if self.reference is None else self.reference)
        if self.reference is None:
            return
        self.model_ = ReferenceModel(reference=self.reference, random_state=self.random_state)
        self.model_.fit(X)
        target = _stack(self.reference["popularity"].to_numpy(float))
        days = neighbors.name_days(self.reference)
        space = self.space_.place(self.reference)
        self.others_ = Known(days, space, target - self.model_.own_)

    def _guess(self, X: pd.DataFrame) -> FloatArray:
        if self.model_ is None:
            return np.tile(self.prior_, (len(X), 1))
        return self.model_.transform(X)

    def _add_reference(self, block: str, known: Known) -> Known:
        if block != "day" or self.others_ is None:
            return known
        return join_known(known, self.others_)

    def _encode_folds(
        self, X: pd.DataFrame, y: FloatArray, folds: Folds, *, hide_artist: bool
    ) -> FloatArray:
        space = self.space_.place(X)
        parts = [self.genres_.encode_folds(X, y, folds)]
        if hide_artist:
            nobody = X[["artist_name"]].assign(artist_name="")
            parts.append(self.artists_.transform(nobody))
        else:
            parts.append(self.artists_.encode_folds(X, y, folds))
        for name, _, pick in self.BLOCKS:
            known = self.known_[name]
            near = np.tile(neighbors.NOBODY, (len(X), 1))
            for train, test in folds:
                if name == "day" or not hide_artist:
                    part = self._add_reference(
                        name, Known(known.keys[train], known.space[train], known.residuals[train])
                    )
                    near[test] = krige(part, known.keys[test], space[test], pick)
            parts.append(near)
        return self._join(X, space, parts)

    def _join(self, X: pd.DataFrame, space: FloatArray, parts: list[FloatArray]) -> FloatArray:
        encoders: list[Any] = [*self.rows_, self.svd_]
        plain = [part.transform(X) for part in encoders]
        if self.model_ is not None and self.others_ is not None:
            days = neighbors.name_days(X)
            plain += [self.model_.transform(X)]
            plain += [krige(self.others_, days, space, neighbors.pick_day)]
        # A missing date part is -1, a value that trees can split off.
        return np.nan_to_num(np.hstack([*plain, *parts]), nan=-1.0)


def _stack(y: FloatArray) -> FloatArray:
    """Return popularity and whether it is 0, shape (n, 2)."""
    return np.column_stack([y, y == 0])
