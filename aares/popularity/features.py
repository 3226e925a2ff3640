"""All features of the popularity model, for songs of known and of unknown artists (exercise 2).

Used by notebook ``02_popularity``, through :func:`aares.popularity.make_model`.

A model must serve two kinds of new songs: those whose artist has other songs in the table, and
those whose artist has none. What the second kind looks like cannot be learnt from random inner
folds, where an artist without other songs is always an obscure one. So every training song is shown
twice: once encoded in random inner folds, and once as if its artist were unknown, in inner folds
that keep an artist's songs together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import KFold
from sklearn.utils.validation import check_is_fitted

from aares import exact
from aares.data.door import read_popularity, read_table
from aares.data.schemas import AUDIO_FEATURES
from aares.errors import FEWEST_SONGS, require_songs
from aares.popularity import kriging
from aares.popularity.encoders import GenreSVD, TokenTargetEncoder
from aares.popularity.gaussian import SongProcess
from aares.popularity.kriging import Known, SoundRanks, krige
from aares.popularity.rows import (
    FloatArray,
    RowFeatures,
    count_genres,
    describe_audio,
    describe_date,
    describe_title,
)

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

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> fit_zero_model(DummyClassifier(), [[0.1], [0.9]], [True, True])
    1.0
    >>> fit_zero_model(DummyClassifier(), [[0.1], [0.9]], [True, False])
    DummyClassifier()
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
    ndarray of float, shape (n,)
        0-1.

    Examples
    --------
    >>> predict_zero(0.25, [[0.1], [0.9]]).tolist()
    [0.25, 0.25]
    """
    if isinstance(model, float):
        return np.full(len(features), model)
    return model.predict_proba(features)[:, 1]


class ReferenceModel(TransformerMixin, BaseEstimator):
    """Popularity and chance of a zero that a booster learned from other songs: two features.

    None of these songs is in a table that is split into folds, so one fitted reference serves all
    folds: a clone of a fitted one is itself. See :func:`learn_reference`.

    Parameters
    ----------
    reference : DataFrame, shape (n, columns)
        Songs with audio features, ``explicit``, ``release_date`` and ``popularity``.
    random_state : int
        Seed of the boosters.

    Attributes
    ----------
    space_ : SoundRanks
        Ranks of the audio features among these songs.
    known_ : Known
        Release date, place in sound and residuals of these songs.

    Examples
    --------
    Folds share what was learnt once:

    >>> from sklearn.base import clone
    >>> from aares.data import make_songs
    >>> songs = make_songs("subset", 12, energy=np.linspace(0, 1, 12))
    >>> model = ReferenceModel(reference=songs)
    >>> clone(model) is model, clone(model.fit()) is model
    (False, True)
    """

    def __init__(self, *, reference: pd.DataFrame, random_state: int = 0) -> None:
        self.reference = reference
        self.random_state = random_state

    def __sklearn_clone__(self) -> ReferenceModel:
        """Return itself if it is fitted."""
        if hasattr(self, "known_"):
            return self
        return ReferenceModel(reference=self.reference, random_state=self.random_state)

    def fit(self, X: pd.DataFrame | None = None, y: Any = None) -> ReferenceModel:
        """Learn from the reference; the table itself is not looked at."""
        # The order of a file may say where its songs come from: folds are random.
        needed = [*AUDIO_FEATURES, "explicit", "release_date", "popularity"]
        reference = read_table(self.reference, needed, what="reference")
        require_songs(len(reference), FEWEST_SONGS, what="songs of the reference")
        features = self._describe(reference)
        target = reference["popularity"].to_numpy(float)
        self.level_, self.zero_ = self._learn(features, target)
        own = np.empty((len(target), 2))
        folds = KFold(min(3, len(target)), shuffle=True, random_state=self.random_state)
        for train, test in folds.split(features):
            models = self._learn(features.iloc[train], target[train])
            own[test] = self._predict(models, features.iloc[test])
        self.space_ = SoundRanks(reference)
        space = self.space_.place(reference)
        self.known_ = Known(kriging.name_days(reference), space, _stack(target) - own)
        return self

    def _learn(self, features: pd.DataFrame, target: FloatArray) -> tuple[Any, Any]:
        options = {**BOOSTER, "learning_rate": 0.08, "random_state": self.random_state}
        level = LGBMRegressor(n_estimators=200, **options).fit(features, target)
        zero = LGBMClassifier(n_estimators=120, **options)
        return level, fit_zero_model(zero, features, target == 0)

    @staticmethod
    def _predict(models: tuple[Any, Any], features: pd.DataFrame) -> FloatArray:
        level = np.asarray(models[0].predict(features), dtype=float)
        # The last digit of a chance is that of the machine's exp: neighbours must not inherit it.
        return exact.snap(np.column_stack([level, predict_zero(models[1], features)]))

    def transform(self, X: pd.DataFrame) -> FloatArray:
        """Return predicted popularity (0-100) and chance of a zero, shape (n, 2)."""
        check_is_fitted(self, "known_")
        if X.empty:
            return np.empty((0, 2))
        return self._predict((self.level_, self.zero_), self._describe(X))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the two names."""
        check_is_fitted(self, "known_")
        return np.array(["reference_level", "reference_zero"], dtype=object)

    @staticmethod
    def _describe(X: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([describe_audio(X), describe_date(X)], axis=1).reset_index(drop=True)


def learn_reference(reference: pd.DataFrame, *, random_state: int = 0) -> ReferenceModel:
    """Learn once from songs outside the table what many models of the table may use.

    Parameters
    ----------
    reference : DataFrame, shape (n, columns)
        See :class:`ReferenceModel`.
    random_state : int
        Seed of the boosters.

    Returns
    -------
    ReferenceModel
        Fitted; give it to :func:`aares.popularity.make_model` as its reference.

    Examples
    --------
    Old songs at 20 and new ones at 60 tell what a release date is worth:

    >>> from aares.data import make_songs
    >>> new = np.arange(100) >= 50
    >>> songs = make_songs("subset", 100, energy=np.random.default_rng(0).random(100))
    >>> songs["release_date"] = np.where(new, "2015", "1975")
    >>> songs["popularity"] = np.where(new, 60, 20)
    >>> learn_reference(songs).transform(songs.iloc[[0, 99]]).round(1).tolist()
    [[19.9, 0.0], [60.0, 0.0]]
    """
    return ReferenceModel(reference=reference, random_state=random_state).fit()


@dataclass(kw_only=True, eq=False)
class SongFeatures:
    """Turn the raw table into the numbers that the trees read.

    Parameters
    ----------
    reference : DataFrame, ReferenceModel or None
        See :class:`aares.popularity.model.PopularityRegressor`.
    random_state : int
        Seed of inner folds, boosters and the SVD.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> songs = make_songs("subset", 10, energy=np.random.default_rng(0).random(10))
    >>> songs["artist_name"], songs["genres"] = ["Ann", "Bo"] * 5, [("jazz",), ("punk",)] * 5
    >>> features = SongFeatures()
    >>> known, unknown = features.fit_training(songs, [10, 50] * 5)

    Of a known artist the other songs count; of an unknown one nothing is known, which is -1:

    >>> column = features.get_feature_names_out().tolist().index("artist_name_mean")
    >>> known[:2, column].round(1).tolist(), unknown[:2, column].tolist()
    ([18.6, 41.4], [-1.0, -1.0])
    """

    reference: pd.DataFrame | ReferenceModel | None = None
    random_state: int = 0

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
        y = read_popularity(y)
        self._fit_encoders(X, y)
        splits = [
            kriging.split_inner(len(X), groups, n_folds=5, random_state=self.random_state)
            for groups in (None, kriging.name_artists(X))
        ]
        asked = self._ask_reference(X)
        plain, guess = self._describe(X, asked), _guess(asked)
        self.process_ = SongProcess(self.space_)
        near = self.process_.fit_folds(X, _stack(y) - guess, splits)
        space, days = self.space_.place(X), kriging.name_days(X)
        own = Known(days, space, _stack(y) - asked[:, :2])
        self.known_ = self._add_reference(own)
        nobody = self.artists_.transform(X[["artist_name"]].assign(artist_name=""))
        artists = [
            _mark_unknown(self.artists_.encode_folds(X, y, splits[0])),
            _mark_unknown(nobody),
        ]
        encoded = []
        for folds, artist, residuals in zip(splits, artists, near, strict=True):
            day = np.empty((len(X), len(kriging.STATISTICS)))
            for train, test in folds:
                known = self._add_reference(own.take(train))
                day[test] = krige(known, days[test], space[test], kriging.pick_day)
            genres = self.genres_.encode_folds(X, y, folds)
            encoded.append(_join([plain, genres, artist, day, residuals, guess + residuals]))
        return encoded[0], encoded[1]

    def transform(self, X: pd.DataFrame) -> FloatArray:
        """Return the features of new songs, shape (n, d)."""
        asked = self._ask_reference(X)
        days, space = kriging.name_days(X), self.space_.place(X)
        day = krige(self.known_, days, space, kriging.pick_day)
        near = self.process_.predict(X)
        tokens = [self.genres_.transform(X), _mark_unknown(self.artists_.transform(X))]
        return _join([self._describe(X, asked), *tokens, day, near, _guess(asked) + near])

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the name of each feature."""
        names: list[str] = []
        plain: list[Any] = [*self.rows_, self.svd_]
        for part in plain:
            names += map(str, part.get_feature_names_out())
        names += ["reference_level", "reference_zero"]
        names += [f"reference_day_{name}" for name in kriging.STATISTICS]
        for encoder in (self.genres_, self.artists_):
            names += map(str, encoder.get_feature_names_out())
        names += [f"day_{name}" for name in kriging.STATISTICS]
        names += ["near_level_residual", "near_zero_residual", "near_level", "near_zero"]
        return np.array(names, dtype=object)

    def _fit_encoders(self, X: pd.DataFrame, y: FloatArray) -> None:
        seed: dict[str, Any] = {"random_state": self.random_state}
        self.rows_ = [
            RowFeatures(function).fit(X)
            for function in (describe_audio, describe_date, describe_title, count_genres)
        ]
        self.svd_ = GenreSVD(n_components=24, **seed).fit(X)
        self.genres_ = TokenTargetEncoder(column="genres", smoothing=10.0, **seed).fit(X, y)
        self.artists_ = TokenTargetEncoder(column="artist_name", smoothing=3.0, **seed).fit(X, y)
        self.prior_ = np.array([y.mean(), (y == 0).mean()])
        self.model_: ReferenceModel | None = None
        if isinstance(self.reference, pd.DataFrame):
            self.model_ = learn_reference(self.reference, random_state=self.random_state)
        elif self.reference is not None:
            self.model_ = self.reference
        self.space_ = SoundRanks(X) if self.model_ is None else self.model_.space_

    def _ask_reference(self, X: pd.DataFrame) -> FloatArray:
        """Return what is known of songs without this table, shape (n, 7).

        Popularity and chance of a zero by sound and date, and what songs of the date add to it.
        """
        if self.model_ is None:
            return np.tile([*self.prior_, *kriging.NOBODY], (len(X), 1))
        near = krige(
            self.model_.known_, kriging.name_days(X), self.space_.place(X), kriging.pick_day
        )
        return np.hstack([self.model_.transform(X), near])

    def _add_reference(self, known: Known) -> Known:
        """Return known songs and those of the reference."""
        return known if self.model_ is None else known.join(self.model_.known_)

    def _describe(self, X: pd.DataFrame, asked: FloatArray) -> FloatArray:
        """Return what does not depend on the popularity of this table."""
        encoders: list[Any] = [*self.rows_, self.svd_]
        return np.hstack([*(part.transform(X) for part in encoders), asked])


def _guess(asked: FloatArray) -> FloatArray:
    return asked[:, :2] + asked[:, 2:4]


def _mark_unknown(artists: FloatArray) -> FloatArray:
    """Return statistics of artists, missing where no song of the artist counts.

    The mean of all songs would stand there, and with it the popularity of the song itself.
    """
    return np.where(artists[:, -1:] > 0, artists, np.nan)


def _join(parts: list[FloatArray]) -> FloatArray:
    """Return all features; what is missing is -1, a value that trees can split off."""
    return np.nan_to_num(np.hstack(parts), nan=-1.0)


def _stack(y: FloatArray) -> FloatArray:
    """Return popularity and whether it is 0, shape (n, 2)."""
    return np.column_stack([y, y == 0])
