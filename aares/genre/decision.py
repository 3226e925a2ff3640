"""The decision from everything known of a song, by three kinds of models that err differently.

Used by notebook 01. Boosted trees see each genre apart, a candidate model compares a song's likely
genres (:mod:`.candidates`), small neural networks draw smooth boundaries. The mean of their
probabilities is better than each of them.

References
----------
Wolpert, D. (1992). Stacked generalization, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.special import ndtri
from sklearn.preprocessing import QuantileTransformer

from aares import exact
from aares.genre.candidates import CandidateModel
from aares.genre.guess import fit_boosting, predict_boosting
from aares.genre.network import Network

WEIGHTS = {"candidates": 0.4, "networks": 0.3, "boosting": 0.3}


@dataclass(kw_only=True, eq=False)
class Networks:
    """Small neural networks on ranks and logarithms; their mean counts.

    Parameters
    ----------
    n_networks : int
    passes : int
        Passes over the songs.
    random_state : int
    """

    n_networks: int = 2
    passes: int = 20
    random_state: int = 0

    def fit(
        self, numbers: pd.DataFrame, guesses: np.ndarray, votes: list[np.ndarray], codes: np.ndarray
    ) -> Networks:
        """Learn from labelled songs; see `Decision.fit`."""
        self.medians_ = numbers.median().fillna(0)
        n_quantiles = max(1, min(200, len(numbers)))
        self.ranks_ = QuantileTransformer(n_quantiles=n_quantiles, subsample=None).fit(
            self._fill(numbers)
        )
        inputs = self._describe(numbers, guesses, votes)
        self.centre_, spread = exact.snap(inputs.mean(axis=0)), exact.snap(inputs.std(axis=0))
        self.spread_ = np.where(spread > 0, spread, 1.0)
        inputs = self._scale(inputs)
        # About 100 steps a pass, however few the songs.
        size = int(np.clip(len(codes) // 100, 8, 256))
        networks = (
            Network(batch_size=size, passes=self.passes, random_state=self.random_state + k)
            for k in range(self.n_networks)
        )
        self.models_ = [
            network.fit(inputs, codes, n_classes=guesses.shape[1]) for network in networks
        ]
        return self

    def predict_proba(
        self, numbers: pd.DataFrame, guesses: np.ndarray, votes: list[np.ndarray]
    ) -> np.ndarray:
        """Return the probability of each label, shape (n_songs, n_classes).

        Examples
        --------
        >>> codes = np.arange(40) % 2
        >>> guesses, right = np.full((40, 2), 0.5), np.eye(2)[codes]  # one tells nothing, one all
        >>> votes = [np.column_stack([right, right, np.ones(40)])]
        >>> numbers = pd.DataFrame({"year": np.full(40, 1999.0)})
        >>> networks = Networks(n_networks=1).fit(numbers, guesses, votes, codes)
        >>> networks.predict_proba(numbers, guesses, votes)[:2].argmax(axis=1).tolist()
        [0, 1]
        """
        inputs = self._scale(self._describe(numbers, guesses, votes))
        return np.mean([model.predict_proba(inputs) for model in self.models_], axis=0)

    def _describe(
        self, numbers: pd.DataFrame, guesses: np.ndarray, votes: list[np.ndarray]
    ) -> np.ndarray:
        ranks = ndtri(exact.snap(self.ranks_.transform(self._fill(numbers))))
        # Further out than 3 standard deviations is as far as 3.
        columns = [np.clip(ranks, -3, 3), exact.log(guesses + 0.01)]
        return exact.snap(np.concatenate([*columns, *(exact.log(1 + 4 * v) for v in votes)], 1))

    def _fill(self, numbers: pd.DataFrame) -> np.ndarray:
        return numbers.fillna(self.medians_).to_numpy()

    def _scale(self, inputs: np.ndarray) -> np.ndarray:
        return exact.snap(np.clip((inputs - self.centre_) / self.spread_, -6, 6))


@dataclass(kw_only=True, eq=False)
class Boosting:
    """Boosted trees on everything, a tree for each label; see `guess.fit_boosting`.

    Parameters
    ----------
    rounds : int
    random_state : int
    """

    rounds: int = 110
    random_state: int = 0

    def fit(
        self, numbers: pd.DataFrame, guesses: np.ndarray, votes: list[np.ndarray], codes: np.ndarray
    ) -> Boosting:
        """Learn from labelled songs; see `Decision.fit`."""
        self.model_ = fit_boosting(
            self._join(numbers, guesses, votes),
            codes,
            n_classes=guesses.shape[1],
            rounds=self.rounds,
            columns=0.3,
            random_state=self.random_state,
        )
        return self

    def predict_proba(
        self, numbers: pd.DataFrame, guesses: np.ndarray, votes: list[np.ndarray]
    ) -> np.ndarray:
        """Return the probability of each label, shape (n_songs, n_classes).

        Examples
        --------
        >>> codes = np.arange(200) % 2
        >>> numbers = pd.DataFrame({"year": 1960 + 40 * codes + np.arange(200) // 10})
        >>> guesses = np.full((200, 2), 0.5)
        >>> model = Boosting(rounds=20).fit(numbers, guesses, [], codes)
        >>> model.predict_proba(numbers, guesses, [])[:2].argmax(axis=1).tolist()
        [0, 1]
        """
        return predict_boosting(self.model_, self._join(numbers, guesses, votes))

    def _join(
        self, numbers: pd.DataFrame, guesses: np.ndarray, votes: list[np.ndarray]
    ) -> np.ndarray:
        return np.concatenate([numbers.to_numpy(), exact.log(guesses + 0.01), *votes], axis=1)


@dataclass(kw_only=True, eq=False)
class Decision:
    """Decide on labels by the weighted mean of boosted trees, candidate model and networks.

    Parameters
    ----------
    rounds : int
        Rounds of the boosted trees; 0 for none.
    candidate_rounds : int
        Rounds of the candidate model.
    n_networks : int
        Neural networks; 0 for none.
    n_jobs : int
        Models fitted at a time.
    random_state : int
    """

    rounds: int = 110
    candidate_rounds: int = 160
    n_networks: int = 2
    n_jobs: int = 2
    random_state: int = 0

    def fit(
        self, numbers: pd.DataFrame, guesses: np.ndarray, votes: list[np.ndarray], codes: np.ndarray
    ) -> Decision:
        """Learn from labelled songs.

        Parameters
        ----------
        numbers : DataFrame of float, shape (n_songs, n_columns)
            NaN where unknown.
        guesses : ndarray of float, shape (n_songs, n_classes)
            Probabilities; no song's come from a model that has seen its label.
        votes : list of ndarray of float, shape (n_songs, 2 * n_classes + 1)
            From `neighbors.NeighborVotes`.
        codes : ndarray of int, shape (n_songs,)
            Label codes; each of 0 .. n_classes - 1 occurs.

        Returns
        -------
        Decision
        """
        seed = {"random_state": self.random_state}
        models = {
            "boosting": Boosting(rounds=self.rounds, **seed) if self.rounds else None,
            "candidates": CandidateModel(rounds=self.candidate_rounds, **seed),
            "networks": Networks(n_networks=self.n_networks, **seed) if self.n_networks else None,
        }
        used = {name: model for name, model in models.items() if model is not None}
        jobs = (delayed(model.fit)(numbers, guesses, votes, codes) for model in used.values())
        fitted = Parallel(n_jobs=self.n_jobs, prefer="threads")(jobs)
        self.models_ = dict(zip(used, fitted, strict=True))
        return self

    def predict_proba(
        self, numbers: pd.DataFrame, guesses: np.ndarray, votes: list[np.ndarray]
    ) -> np.ndarray:
        """Return the probability of each label, shape (n_songs, n_classes).

        Examples
        --------
        >>> codes = np.arange(40) % 2
        >>> guesses, right = np.full((40, 2), 0.5), np.eye(2)[codes]  # one tells nothing, one all
        >>> votes = [np.column_stack([right, right, np.ones(40)])]
        >>> numbers = pd.DataFrame({"year": np.full(40, 1999.0)})
        >>> decision = Decision(rounds=0, candidate_rounds=20, n_networks=0)
        >>> decision = decision.fit(numbers, guesses, votes, codes)
        >>> decision.predict_proba(numbers, guesses, votes)[:2].argmax(axis=1).tolist()
        [0, 1]
        """
        weights = [WEIGHTS[name] for name in self.models_]
        found = [model.predict_proba(numbers, guesses, votes) for model in self.models_.values()]
        return np.average(found, axis=0, weights=weights)
