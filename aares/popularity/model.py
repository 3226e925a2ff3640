"""The popularity model: encoders, a hurdle for the zeros, a blend of trees, a rule for copies.

Used by notebook ``02_popularity``. More than a quarter of the songs have popularity 0, mostly
because another release of the same recording is the one that counts. One regression smears over
that gap; a hurdle model answers two questions, *is it zero?* and *how popular if not?*, and
multiplies. Where another release is known, its popularity changes both answers.

References
----------
Those of :mod:`aares.popularity.hurdle`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from aares.data.door import read_popularity, read_table
from aares.data.schemas import AUDIO_FEATURES
from aares.errors import FEWEST_SONGS, require_songs
from aares.popularity.copies import Copies, CopyRule, Releases
from aares.popularity.features import (
    ReferenceModel,
    SongFeatures,
)
from aares.popularity.hurdle import HurdleRegressor, make_hurdles, measure_spread, mix_quantile
from aares.popularity.kriging import name_artists
from aares.popularity.rows import FloatArray

COLUMNS = (
    "artist_name",
    "track_name",
    "release_date",
    "genres",
    "explicit",
    *AUDIO_FEATURES,
)
"""What the model reads of a song: the columns of the subset file but ``popularity`` and ``id``."""

TOLD = ["mean", "median", "zero", "level", "spread", "alone", "likeness"]
"""What the model says of a song, see :meth:`PopularityRegressor.describe`."""
LEAST_ALONE = 0.5  # where more songs than this have copies, the trees keep them all
WEIGHTS = np.array([0.3, 0.3, 0.4])
"""Share of each hurdle model of a draw in the average: two boosters and the randomised trees."""


class PopularityRegressor(RegressorMixin, BaseEstimator):
    """Predict the popularity (0-100) of songs from the raw table.

    Parameters
    ----------
    reference : DataFrame, ReferenceModel or None
        Songs outside the table with audio features, ``explicit``, ``release_date`` and
        ``popularity`` (the files of exercise 1): they tell what a release date is worth. Or what
        was learnt from them already, see :func:`aares.popularity.learn_reference`.
    releases : Releases or None
        Songs outside the table among which other releases of a recording are looked up; those of
        the table itself are known anyway.
    loss : {"squared", "absolute"}
        What ``predict`` aims at: the mean of the distribution of a song's popularity, which has
        the smallest squared error, or its median, which has the smallest absolute error.
    random_state : int
        Seed of folds, boosters and trees.

    Attributes
    ----------
    encoders_ : SongFeatures
        Raw table -> features; each encoder is fitted inside ``fit``, with inner folds.
    hurdles_ : list of HurdleRegressor
        Boosters and, last, extremely randomised trees.
    strangers_ : list of HurdleRegressor
        The same, several times, for songs of artists who are not in the table.
    rule_ : CopyRule
        What a known copy changes.
    spread_ : float
        Standard deviation (points) of the popularity of a song above zero around its prediction.
    feature_names_in_ : ndarray of str, shape (18,)
        The columns that are read, in whatever order they come.
    """

    def __init__(
        self,
        *,
        reference: pd.DataFrame | ReferenceModel | None = None,
        releases: Releases | None = None,
        loss: str = "squared",
        random_state: int = 0,
    ) -> None:
        self.reference = reference
        self.releases = releases
        self.loss = loss
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any) -> PopularityRegressor:
        """Learn encoders, hurdle models and the rule for copies.

        Every song is shown twice, see :mod:`aares.popularity.features`. Songs of artists who are
        not in the table are predicted by trees that saw the second showing only. Trees would learn
        from a song with a copy what the copy did to it: such songs are few, so the trees do
        without them, and the rule learns from them what is left.

        Parameters
        ----------
        X : DataFrame, shape (n, columns)
            Raw table with :data:`COLUMNS`; others are ignored.
        y : array-like, shape (n,)
            Popularity, 0-100.

        Raises
        ------
        ValueError
            A column or a value is missing or wrong (see :func:`aares.data.read_table`), there are
            fewer than ten songs, or the loss is unknown.
        """
        if self.loss not in ("squared", "absolute"):
            raise ValueError(f"loss: expected 'squared' or 'absolute', found {self.loss!r}")
        X, y = read_table(X, COLUMNS), read_popularity(y, len(X))
        require_songs(len(X), FEWEST_SONGS)
        self.encoders_ = SongFeatures(reference=self.reference, random_state=self.random_state)
        known, unknown = self.encoders_.fit_training(X, y)
        self.own_ = Releases.from_checked(X, y)
        copies = self._find_copies(X)
        alone = ~copies.found
        if alone.mean() < LEAST_ALONE:
            alone[:] = True
        features = np.vstack([known[alone], unknown[alone]])
        twice = np.concatenate([y[alone], y[alone]])
        self.hurdles_ = self._fit_hurdles(features, twice, showings=2)
        self.strangers_ = self._fit_hurdles(unknown[alone], y[alone], showings=1)
        self.spread_ = measure_spread(known, y, random_state=self.random_state)
        rest = ~alone
        self.artists_ = frozenset(name_artists(X)) - {""}
        _, zero, level = _blend(self.hurdles_, known[rest])
        self.rule_ = CopyRule().fit(zero, level, copies.take(rest), y[rest])
        self.feature_names_in_ = np.array(COLUMNS, dtype=object)
        self.n_features_in_ = len(COLUMNS)
        return self

    def predict(self, X: pd.DataFrame) -> FloatArray:
        """Return the expected popularity (or the median, see ``loss``), 0-100, shape (n,)."""
        column = "median" if self.loss == "absolute" else "mean"
        return self.describe(X)[column].to_numpy(float)

    def describe(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return all that the model says of each song.

        Parameters
        ----------
        X : DataFrame, shape (n, columns)
            As for ``fit``.

        Returns
        -------
        DataFrame, shape (n, 7)
            ``mean`` and ``median`` of the predicted distribution, ``zero`` (chance of a 0),
            ``level`` (expected popularity above 0) and ``spread`` around it; points. ``alone`` is
            the mean before copies are looked at, ``likeness`` (0-1) that of the closest copy.
        """
        check_is_fitted(self, "rule_")
        X = read_table(X, COLUMNS)
        if X.empty:
            return pd.DataFrame(columns=TOLD, dtype=float)
        features = self.encoders_.transform(X)
        stranger = np.array([artist not in self.artists_ for artist in name_artists(X)])
        alone, zero, level = np.empty((3, len(X)))
        for hurdles, rows in ((self.hurdles_, ~stranger), (self.strangers_, stranger)):
            alone[rows], zero[rows], level[rows] = _blend(hurdles, features[rows])
        copies = self._find_copies(X)
        changed_zero, changed_level = self.rule_.apply(zero, level, copies)
        mean = np.where(copies.found & self.rule_.learnt, (1 - changed_zero) * changed_level, alone)
        median = mix_quantile(changed_zero, changed_level, self.spread_, 0.5)
        spread = np.full(len(X), self.spread_)
        told = (mean.clip(0, 100), median, changed_zero, changed_level, spread)
        rows = np.column_stack([*told, alone.clip(0, 100), copies.likeness])
        return pd.DataFrame(rows, columns=TOLD)

    def _fit_hurdles(
        self, features: FloatArray, y: FloatArray, *, showings: int
    ) -> list[HurdleRegressor]:
        hurdles = make_hurdles(self.random_state, showings)
        return [hurdle.fit(features, y) for hurdle in hurdles]

    def _find_copies(self, X: pd.DataFrame) -> Copies:
        copies = self.own_.find(X)
        return copies if self.releases is None else copies.prefer(self.releases.find(X))

    def predict_zero_proba(self, X: pd.DataFrame) -> FloatArray:
        """Return the chance that the popularity is 0, shape (n,).

        Parameters
        ----------
        X : DataFrame, shape (n, columns)
            As for ``fit``.

        Returns
        -------
        ndarray of float, shape (n,)
            0-1.
        """
        return self.predict_parts(X)[0]

    def predict_level(self, X: pd.DataFrame) -> FloatArray:
        """Return the expected popularity of a song that is above zero, shape (n,).

        Parameters
        ----------
        X : DataFrame, shape (n, columns)
            As for ``fit``.

        Returns
        -------
        ndarray of float, shape (n,)
            Points, 0-100.
        """
        return self.predict_parts(X)[1]

    def predict_parts(self, X: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
        """Return the chance of a zero and the expected popularity of a song above zero.

        Parameters
        ----------
        X : DataFrame, shape (n, columns)
            As for ``fit``.

        Returns
        -------
        zero, level : ndarray of float, shape (n,)
        """
        table = self.describe(X)
        return table["zero"].to_numpy(float), table["level"].to_numpy(float)


def make_model(
    reference: pd.DataFrame | ReferenceModel | None = None,
    random_state: int = 0,
    *,
    releases: Releases | None = None,
    loss: str = "squared",
) -> PopularityRegressor:
    """Return the unfitted popularity model.

    Parameters
    ----------
    reference : DataFrame, ReferenceModel or None
        See :class:`PopularityRegressor`.
    random_state : int
        Seed of all that is random in it.
    releases : Releases or None
        See :class:`PopularityRegressor`.
    loss : {"squared", "absolute"}
        See :class:`PopularityRegressor`.

    Returns
    -------
    PopularityRegressor
        A scikit-learn regressor on the raw table.

    Examples
    --------
    What the songs of an artist reached is expected of another one, less surely:

    >>> from aares.data import make_songs
    >>> songs = make_songs("subset", 40, energy=np.random.default_rng(0).random(40))
    >>> songs["artist_name"], songs["genres"] = ["Ann", "Bo"] * 20, [("jazz",), ("punk",)] * 20
    >>> model = make_model().fit(songs, [20, 60] * 20)
    >>> ann, bo = model.predict(songs.iloc[:2])
    >>> bool(ann < 40 < bo)
    True
    """
    return PopularityRegressor(
        reference=reference, releases=releases, loss=loss, random_state=random_state
    )


def _blend(
    hurdles: list[HurdleRegressor], features: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return expected popularity, chance of a zero and level, averaged over the hurdles."""
    if not len(features):
        return np.empty(0), np.empty(0), np.empty(0)
    draws = len(hurdles) // len(WEIGHTS)
    weights = np.tile(WEIGHTS, draws)[:, None] / draws
    # One pass for each hurdle: the trees are what takes time.
    zero = np.array([hurdle.predict_zero_proba(features) for hurdle in hurdles])
    level = np.array([hurdle.predict_level(features) for hurdle in hurdles])
    # Not by a matrix product: the order of its sums depends on the machine.
    mean, zero, level = ((weights * part).sum(axis=0) for part in ((1 - zero) * level, zero, level))
    return mean, zero, level
