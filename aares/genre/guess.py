"""A first guess from sound and date alone, honest for the songs it learns from.

Used by notebook 01. Two kinds of trees guess, and the mean of their probabilities counts:
extremely randomised trees, out of bag, and boosted trees, cross-validated. So no song's guess comes
from a tree that has seen its label.

References
----------
Geurts, P., Ernst, D. and Wehenkel, L. (2006). Extremely randomized trees, section 2.
Breiman, L. (1996). Out-of-bag estimation, section 2.
Ke, G. et al. (2017). LightGBM: a highly efficient gradient boosting decision tree, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm
import numpy as np
from joblib import Parallel, delayed
from sklearn.ensemble import ExtraTreesClassifier

from aares import exact


def fit_boosting(
    inputs: np.ndarray,
    codes: np.ndarray,
    *,
    n_classes: int,
    rounds: int,
    columns: float,
    random_state: int,
) -> lightgbm.Booster:
    """Fit shallow boosted trees; `predict_boosting` gives their probabilities.

    Parameters
    ----------
    inputs : ndarray of float, shape (n_songs, n_columns)
        NaN where unknown.
    codes : ndarray of int, shape (n_songs,)
        In 0 .. `n_classes` - 1.
    n_classes : int
    rounds : int
        Rounds of one tree for each class.
    columns : float
        Share of the columns that each tree sees, in (0, 1].
    random_state : int

    Returns
    -------
    lightgbm.Booster

    Examples
    --------
    >>> inputs = np.arange(200.0)[:, None]
    >>> codes = (inputs[:, 0] >= 100).astype(int)
    >>> model = fit_boosting(inputs, codes, n_classes=2, rounds=30, columns=1.0, random_state=0)
    >>> predict_boosting(model, np.array([[10.0], [190.0]])).round(1).tolist()
    [[0.9, 0.1], [0.1, 0.9]]
    """
    options = {
        "objective": "multiclass", "num_class": n_classes, "learning_rate": 0.1, "num_leaves": 7,
        "max_bin": 63, "min_data_in_leaf": 30, "feature_fraction": columns,
        "bagging_fraction": 0.5, "bagging_freq": 1, "lambda_l2": 5, "seed": random_state,
        # One thread each, and several models at a time: faster, and the same on every machine.
        "num_threads": 1, "deterministic": True, "force_col_wise": True, "verbose": -1,
    }  # fmt: skip
    return lightgbm.train(options, lightgbm.Dataset(inputs, codes), num_boost_round=rounds)


def predict_boosting(model: lightgbm.Booster, inputs: np.ndarray) -> np.ndarray:
    """Return the probabilities of boosted trees, with the same last digits everywhere.

    Parameters
    ----------
    model : lightgbm.Booster
        From `fit_boosting`.
    inputs : ndarray of float, shape (n_songs, n_columns)

    Returns
    -------
    ndarray of float, shape (n_songs, n_classes)

    Examples
    --------
    >>> inputs, codes = np.arange(200.0)[:, None], np.repeat([0, 1], 100)
    >>> model = fit_boosting(inputs, codes, n_classes=2, rounds=30, columns=1.0, random_state=0)
    >>> predict_boosting(model, inputs[::199]).argmax(axis=1).tolist()
    [0, 1]
    """
    return exact.softmax(np.asarray(model.predict(inputs, raw_score=True, num_threads=1)))


@dataclass(kw_only=True, eq=False)
class FirstGuess:
    """Guess label probabilities from the numbers of songs.

    Parameters
    ----------
    n_trees : int
        Randomised trees.
    rounds : int
        Rounds of each boosted model.
    n_folds : int
        Boosted models; each guesses for the songs that it did not learn from.
    n_jobs : int
    random_state : int
    """

    n_trees: int = 200
    rounds: int = 90
    n_folds: int = 8
    n_jobs: int = 2
    random_state: int = 0

    def fit_transform(self, inputs: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Learn from labelled songs, and guess for each without its own label.

        Parameters
        ----------
        inputs : ndarray of float, shape (n_songs, n_columns)
            NaN where unknown.
        codes : ndarray of int, shape (n_songs,)
            Label codes; each of 0 .. n_classes - 1 occurs.

        Returns
        -------
        ndarray of float, shape (n_songs, n_classes)
            Probabilities, multiples of 2^-20: sums of their products are exact.

        Examples
        --------
        Song 9 is labelled wrongly; its guess does not know its label.

        >>> inputs = np.arange(200.0)[:, None]
        >>> codes = (inputs[:, 0] >= 100).astype(int)
        >>> codes[9] = 1
        >>> guess = FirstGuess(n_trees=30, rounds=20, n_folds=2)
        >>> guess.fit_transform(inputs, codes)[[8, 9, 190]].argmax(axis=1).tolist()
        [0, 0, 1]
        """
        self.n_classes_ = int(codes.max()) + 1
        known = np.isfinite(inputs)
        self.fill_ = np.array(
            [np.median(x[k]) if k.any() else 0.0 for x, k in zip(inputs.T, known.T, strict=True)]
        )
        return exact.snap((self._fit_trees(inputs, codes) + self._fit_boosting(inputs, codes)) / 2)

    def transform(self, inputs: np.ndarray) -> np.ndarray:
        """Guess for songs whose labels are unknown, shape (n_songs, n_classes)."""
        boosted = np.mean([predict_boosting(model, inputs) for model in self.models_], axis=0)
        return exact.snap((self.trees_.predict_proba(self._fill(inputs)) + boosted) / 2)

    def _fit_trees(self, inputs: np.ndarray, codes: np.ndarray) -> np.ndarray:
        self.trees_ = ExtraTreesClassifier(
            self.n_trees,
            min_samples_leaf=2,
            max_features=0.5,
            bootstrap=True,
            oob_score=True,
            n_jobs=self.n_jobs,
            random_state=self.random_state,
        ).fit(self._fill(inputs), codes)
        # Threads would add the trees' probabilities in any order, with other last digits each time.
        self.trees_.set_params(n_jobs=1)
        return np.nan_to_num(self.trees_.oob_decision_function_, nan=1 / self.n_classes_)

    def _fit_boosting(self, inputs: np.ndarray, codes: np.ndarray) -> np.ndarray:
        folds = np.random.default_rng(self.random_state).permutation(len(codes)) % self.n_folds
        jobs = (
            delayed(fit_boosting)(
                inputs[folds != k],
                codes[folds != k],
                n_classes=self.n_classes_,
                rounds=self.rounds,
                columns=0.5,
                random_state=self.random_state,
            )
            for k in range(self.n_folds)
        )
        self.models_ = Parallel(n_jobs=self.n_jobs, prefer="threads")(jobs)
        guesses = np.empty((len(codes), self.n_classes_))
        for k, model in enumerate(self.models_):
            if (folds == k).any():
                guesses[folds == k] = predict_boosting(model, inputs[folds == k])
        return guesses

    def _fill(self, inputs: np.ndarray) -> np.ndarray:
        return np.where(np.isfinite(inputs), inputs, self.fill_)
