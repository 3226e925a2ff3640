"""The decision from everything known of a song: boosted trees, and a few randomised ones.

Used by notebook 01. The two kinds err differently: a quarter of the say for randomised trees is
worth about as much as twice the boosted models.

References
----------
Wolpert, D. (1992). Stacked generalization, section 2.
"""

from __future__ import annotations

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator
from sklearn.ensemble import ExtraTreesClassifier

from aares.genre.guess import fit_boosting

UNKNOWN = -1.0  # randomised trees take no NaN; no column has negative values where NaN occurs


class Decision(BaseEstimator):
    """Decide on labels by the weighted mean of boosted and randomised trees.

    Parameters
    ----------
    rounds : int
        Rounds of a boosted model.
    n_seeds : int
        Boosted models.
    n_trees : int
        Randomised trees; 0 for none.
    weight : float
        Say of the randomised trees, in [0, 1].
    n_jobs : int
    random_state : int
    """

    def __init__(
        self, *, rounds=110, n_seeds=2, n_trees=100, weight=0.25, n_jobs=2, random_state=0
    ) -> None:
        self.rounds = rounds
        self.n_seeds = n_seeds
        self.n_trees = n_trees
        self.weight = weight
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, inputs: np.ndarray, codes: np.ndarray) -> Decision:
        """Learn from labelled songs.

        Parameters
        ----------
        inputs : ndarray of float, shape (n_songs, n_columns)
            NaN where unknown.
        codes : ndarray of int, shape (n_songs,)
            Label codes; each of 0 .. n_classes - 1 occurs.

        Returns
        -------
        Decision
        """
        shared = {"n_classes": int(codes.max()) + 1, "rounds": self.rounds, "columns": 0.3}
        jobs = (
            delayed(fit_boosting)(inputs, codes, random_state=self.random_state + k, **shared)
            for k in range(self.n_seeds)
        )
        self.models_ = Parallel(n_jobs=self.n_jobs, prefer="threads")(jobs)
        if self.n_trees:
            self.trees_ = ExtraTreesClassifier(
                self.n_trees,
                min_samples_leaf=2,
                max_features=0.4,
                n_jobs=self.n_jobs,
                random_state=self.random_state,
            ).fit(np.nan_to_num(inputs, nan=UNKNOWN), codes)
        return self

    def predict_proba(self, inputs: np.ndarray) -> np.ndarray:
        """Return the probability of each label, shape (n_songs, n_classes)."""
        boosted = np.mean([model.predict(inputs) for model in self.models_], axis=0)
        if not self.n_trees:
            return boosted
        randomised = self.trees_.predict_proba(np.nan_to_num(inputs, nan=UNKNOWN))
        return (1 - self.weight) * boosted + self.weight * randomised
