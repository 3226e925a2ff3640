"""Models in two steps, for a target of which a large part is 0: is it above 0, and how far.

Used by :class:`aares.popularity.PopularityRegressor`, which averages several of them.

References
----------
Mullahy, "Specification and testing of some modified count data models", Journal of Econometrics
33(3), 1986: section 2 (hurdle models).
Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS 2017.
Geurts, Ernst, Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006: section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from lightgbm import LGBMClassifier, LGBMRegressor
from scipy import stats
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.model_selection import KFold

from aares.popularity.features import BOOSTER, fit_zero_model, predict_zero
from aares.popularity.rows import FloatArray

# Coarse bins and few features a tree make the boosters quick and unlike each other, so that several
# of them fit into the time of one.
_BOOSTER: dict[str, Any] = {
    **BOOSTER,
    "learning_rate": 0.05,
    "colsample_bytree": 0.2,
    "max_bin": 63,
}
_LEAF = {"booster": 20, "trees": 4}  # fewest songs of a leaf, times the showings of each song
_RANDOM: dict[str, Any] = {"extra_trees": True, "num_leaves": 31}
_VARIANTS: dict[int, list[dict[str, Any]]] = {2: [{}, {}], 1: [{}, _RANDOM]}
"""What differs between the boosters, by showings: with half the rows, unlike ones help more."""
_DRAWS = {2: 1, 1: 4}
"""How many draws of all hurdle models are averaged, by showings: fewer rows, more chance."""
_TREES: dict[str, Any] = {"n_estimators": 30, "max_features": 0.3, "n_jobs": 1}


@dataclass(eq=False)
class HurdleRegressor:
    """Chance of being above zero, times the expected popularity of such a song.

    Parameters
    ----------
    classifier, regressor : estimator
        Fitted in place, not cloned: pass fresh ones.

    Examples
    --------
    A quarter of the songs are at 0, the others at 40 on average: 0.75 times 40 is 30.

    >>> from sklearn.dummy import DummyClassifier, DummyRegressor
    >>> songs = np.zeros((4, 1))
    >>> hurdle = HurdleRegressor(DummyClassifier(), DummyRegressor()).fit(songs, [0, 40, 60, 20])
    >>> hurdle.predict_zero_proba(songs)[0].item(), hurdle.predict(songs)[0].item()
    (0.25, 30.0)
    """

    classifier: Any
    regressor: Any

    def fit(self, X: Any, y: Any) -> HurdleRegressor:
        """Fit the classifier on all rows and the regressor on those above zero."""
        y = np.asarray(y, dtype=float)
        above = y > 0
        self.zero_ = fit_zero_model(self.classifier, X, ~above)
        # One song above zero is no sample: its popularity is all that is known of the level.
        self.level_ = self.regressor.fit(X[above], y[above]) if above.sum() > 1 else y.max()
        return self

    def predict_zero_proba(self, X: Any) -> FloatArray:
        """Return the chance that the popularity is 0, shape (n,).

        Parameters
        ----------
        X : array-like, shape (n, d)
            As for ``fit``.

        Returns
        -------
        ndarray of float, shape (n,)
            0-1.
        """
        return predict_zero(self.zero_, X)

    def predict_level(self, X: Any) -> FloatArray:
        """Return the expected popularity of a song that is above zero, shape (n,).

        Parameters
        ----------
        X : array-like, shape (n, d)
            As for ``fit``.

        Returns
        -------
        ndarray of float, shape (n,)
            Points, 0-100.
        """
        if isinstance(self.level_, float):
            return np.full(len(X), self.level_)
        return self.level_.predict(X)

    def predict(self, X: Any) -> FloatArray:
        """Return the expected popularity, shape (n,)."""
        return (1 - self.predict_zero_proba(X)) * self.predict_level(X)


def mix_quantile(zero: FloatArray, level: FloatArray, spread: Any, share: float) -> FloatArray:
    """Return a quantile of a mixture of an exact 0 and a normal distribution above it.

    Parameters
    ----------
    zero : ndarray of float, shape (n,)
        Chance of the 0.
    level : ndarray of float, shape (n,)
        Mean of the other part, points.
    spread : float or ndarray of float, shape (n,)
        Its standard deviation, points.
    share : float
        0-1.

    Returns
    -------
    ndarray of float, shape (n,)
        Points, clipped to 0-100.

    Examples
    --------
    >>> mix_quantile(np.array([0.0, 0.6]), np.array([50.0, 50.0]), 10.0, 0.5).tolist()
    [50.0, 0.0]
    """
    above = 1 - np.asarray(zero, dtype=float)
    rest = np.divide(share - zero, above, out=np.zeros_like(above), where=above > 0)
    values = level + spread * stats.norm.ppf(rest.clip(1e-6, 1 - 1e-6))
    return np.where(rest <= 0, 0.0, values).clip(0, 100)


def make_hurdles(random_state: int, showings: int) -> list[HurdleRegressor]:
    """Return the unfitted models of an average: boosters, and randomised trees.

    Parameters
    ----------
    random_state : int
    showings : {1, 2}
        How often each song stands in the rows to learn from.

    Returns
    -------
    list of HurdleRegressor

    Examples
    --------
    >>> len(make_hurdles(0, showings=2)), len(make_hurdles(0, showings=1))
    (3, 12)
    """
    hurdles = []
    for draw in range(_DRAWS[showings]):
        first_seed = random_state + 10 * draw
        for seed, variant in enumerate(_VARIANTS[showings], first_seed):
            settings = {**_BOOSTER, **variant, "random_state": seed}
            settings["min_child_samples"] = showings * _LEAF["booster"]
            zero = LGBMClassifier(n_estimators=240, **settings)
            level = LGBMRegressor(n_estimators=400, **settings)
            hurdles.append(HurdleRegressor(zero, level))
        options: dict[str, Any] = {**_TREES, "random_state": first_seed}
        options["min_samples_leaf"] = showings * _LEAF["trees"]
        trees = ExtraTreesClassifier(**options), ExtraTreesRegressor(**options)
        hurdles.append(HurdleRegressor(*trees))
    return hurdles


def measure_spread(features: FloatArray, y: FloatArray, *, random_state: int) -> float:
    """Measure the spread around the level on songs that a quick booster has not seen.

    Parameters
    ----------
    features : ndarray of float, shape (n, d)
    y : ndarray of float, shape (n,)
        Popularity; songs at 0 do not count.
    random_state : int

    Returns
    -------
    float
        Root of the mean squared error in points; 0 where fewer than ten songs are above 0.

    Examples
    --------
    >>> x = np.arange(400.0)
    >>> 0 < measure_spread(x[:, None], 50 + 10 * np.sin(x), random_state=0) < 15
    True
    """
    features, y = features[y > 0], y[y > 0]
    if len(y) < 10:
        return 0.0
    folds = KFold(4, shuffle=True, random_state=random_state)
    train, test = next(iter(folds.split(features)))
    options = {**_BOOSTER, "random_state": random_state}
    options["min_child_samples"] = 2 * _LEAF["booster"]
    booster = LGBMRegressor(n_estimators=240, **options).fit(features[train], y[train])
    return float(np.sqrt(np.mean((y[test] - booster.predict(features[test])) ** 2)))
