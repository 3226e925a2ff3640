"""Which of its likely genres does a song have? One model for all genres, asked for each candidate.

Used by notebook 01. A multiclass model learns for each genre anew what many votes mean. Here each
song has one row for each of its candidates, and a row says how its candidate stands among the
others: one tree learns from all genres. The scores of a song's candidates become probabilities by
a softmax, and their cross-entropy is what the trees minimise.

References
----------
McFadden, D. (1974). Conditional logit analysis of qualitative choice behavior, section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import lightgbm
import numpy as np
import pandas as pd

from aares import exact

# What kind of song is asked about.
CONTEXT = (
    "year", "precision", "new_year", "popularity", "duration_ms", "explicit", "speechiness",
    "energy", "acousticness", "danceability", "instrumentalness",
)  # fmt: skip
REST = 0.002  # probability shared by all genres, as those that are no candidate are not impossible

# Of fewer rows no column can be split into two leaves: all candidates are then alike. So it is
# where nearly every song is the only one of its genre.
FEWEST_ROWS = 20


@dataclass(kw_only=True, eq=False)
class CandidateModel:
    """Choose among the most likely labels of each song by how they compare.

    Parameters
    ----------
    n_candidates : int
        Labels that are weighed for each song.
    rounds : int
    random_state : int
    """

    n_candidates: int = 10
    rounds: int = 160
    random_state: int = 0

    def fit(
        self, numbers: pd.DataFrame, guesses: np.ndarray, votes: list[np.ndarray], codes: np.ndarray
    ) -> CandidateModel:
        """Learn from labelled songs.

        Parameters
        ----------
        numbers : DataFrame of float, shape (n_songs, n_columns)
            From `songs.compute_numbers`.
        guesses : ndarray of float, shape (n_songs, n_classes)
            Probabilities.
        votes : list of ndarray of float, shape (n_songs, 2 * n_classes + 1)
            From `neighbors.NeighborVotes`.
        codes : ndarray of int, shape (n_songs,)
            Label codes; each of 0 .. n_classes - 1 occurs.

        Returns
        -------
        CandidateModel
        """
        self.frequency_ = exact.log(np.bincount(codes) / len(codes))
        rows, candidates = self._describe(numbers, guesses, votes)
        chosen = candidates == codes[:, None]
        kept = chosen.any(axis=1)  # the others' answer cannot be learnt
        table = rows[kept].reshape(-1, rows.shape[-1])
        self.model_ = None
        if len(table) < FEWEST_ROWS:
            return self
        options = {
            "objective": _make_objective(chosen[kept].astype(float)), "learning_rate": 0.07,
            "num_leaves": 31, "max_bin": 127, "feature_fraction": 0.5,
            "min_data_in_leaf": int(np.clip(len(table) // 100, 5, 300)),
            "min_sum_hessian_in_leaf": min(5, len(table) / 1000), "bagging_fraction": 0.5,
            "bagging_freq": 1, "lambda_l2": 5, "seed": self.random_state, "verbose": -1,
            "num_threads": 1, "deterministic": True, "force_col_wise": True,
        }  # fmt: skip
        data = lightgbm.Dataset(table, chosen[kept].ravel().astype(float))
        self.model_ = lightgbm.train(options, data, num_boost_round=self.rounds)
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
        >>> model = CandidateModel(rounds=20).fit(numbers, guesses, votes, codes)
        >>> model.predict_proba(numbers, guesses, votes)[:2].round(1).tolist()
        [[0.9, 0.1], [0.1, 0.9]]
        """
        rows, candidates = self._describe(numbers, guesses, votes)
        scores = np.zeros(candidates.size)
        if self.model_ is not None:
            inputs = rows.reshape(-1, rows.shape[-1])
            scores = np.asarray(self.model_.predict(inputs, num_threads=1))
        shares = (1 - REST) * exact.softmax(scores.reshape(candidates.shape))
        found = np.full(guesses.shape, REST / guesses.shape[1])
        np.put_along_axis(found, candidates, shares + found[0, 0], axis=1)
        return found

    def _describe(
        self, numbers: pd.DataFrame, guesses: np.ndarray, votes: list[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return features (n_songs, n_candidates, n_features) and the candidates' codes."""
        n_songs, n_classes = guesses.shape
        likely = exact.log(guesses + 0.01)
        columns = [likely, guesses / guesses.max(axis=1, keepdims=True)]
        belief = guesses.copy()
        surprise = exact.snap(-guesses * exact.log(guesses + 1e-9))
        context = [guesses.max(axis=1), surprise.sum(axis=1)]
        for found in votes:
            total, best = found[:, :n_classes], found[:, n_classes : 2 * n_classes]
            together = total.sum(axis=1, keepdims=True)
            rival = np.sort(best, axis=1)[:, -2:-1]
            share = total / np.maximum(together, 1e-9)
            columns += [total, best, share, best - rival, likely + exact.log(total + 0.1)]
            belief += total / (together + 0.5)
            context += [together[:, 0], best.max(axis=1), found[:, -1]]
        belief /= belief.sum(axis=1, keepdims=True)
        columns += [belief, np.tile(self.frequency_, (n_songs, 1))]
        candidates = np.argsort(-belief, axis=1, kind="stable")[:, : self.n_candidates]
        context += [numbers[name].to_numpy() for name in CONTEXT if name in numbers]
        shape = (*candidates.shape, len(columns) + len(context) + 2)
        rows = np.empty(shape, dtype=np.float32)
        for k, column in enumerate(columns):
            rows[:, :, k] = np.take_along_axis(column, candidates, axis=1)
        rows[:, :, len(columns)] = candidates
        rows[:, :, len(columns) + 1] = np.arange(shape[1])
        rows[:, :, len(columns) + 2 :] = np.stack(context, axis=1)[:, None]
        return rows, candidates


def _make_objective(chosen: np.ndarray) -> Callable:
    def measure_gradient(scores: np.ndarray, data: lightgbm.Dataset):
        shares = exact.softmax(scores.reshape(chosen.shape))
        gradient, curvature = shares - chosen, np.maximum(shares * (1 - shares), 1e-6)
        return gradient.ravel(), curvature.ravel()

    return measure_gradient
