"""The classifier of the challenge: sound and date first, then the neighbours of the same date.

Used by notebook 01. Three steps, all learnt inside ``fit``:

1. *guess*: two kinds of trees on sound and date (:mod:`.guess`);
2. *votes*: neighbours by date and by sound, weighted by a learnt trust (:mod:`.neighbors`);
3. *decision*: three kinds of models weigh sound, date, guesses and votes (:mod:`.decision`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from aares.data import read_table
from aares.errors import FEWEST_SONGS, require_songs
from aares.genre.decision import Decision
from aares.genre.guess import FirstGuess
from aares.genre.labels import check_labels, label_songs, remove_songs
from aares.genre.neighbors import NeighborVotes, Songs
from aares.genre.songs import COLUMNS, RankSpace, check_table, compute_numbers, name_albums

# Arguments of a classifier that learns in half the time and scores a little less.
LIGHT = {"n_trees": 80, "n_folds": 3, "rounds": 0, "n_networks": 1}


class GenreClassifier(ClassifierMixin, BaseEstimator):
    """Predict a song's genre from its sound, its date and its neighbours of the same date.

    Parameters
    ----------
    extra : DataFrame, optional
        More songs, with the artists' micro-genres in a column ``genres``: those that the rule
        labels are learnt from too. Recordings that are among the songs of `fit` are left out.
    votes : {"learned", "distance", None}
        How neighbours of the same date count.
    dates : bool
        Whether all parts of the date are features, or its year alone.
    n_trees, n_folds : int
        Randomised trees and boosted models of the guess.
    rounds, candidate_rounds, n_networks : int
        Rounds of the boosted trees and of the candidate model, and neural networks of the
        decision; no trees with 0 rounds.
    n_jobs : int
        Threads.
    random_state : int

    Attributes
    ----------
    classes_ : ndarray of str, shape (n_classes,)
    n_extra_ : int
        Labelled songs that came from `extra`.
    feature_names_in_ : ndarray of str, shape (16,)
        The columns that are read, in whatever order they come.
    """

    def __init__(
        self,
        extra=None,
        *,
        votes="learned",
        dates=True,
        n_trees=200,
        n_folds=8,
        rounds=110,
        candidate_rounds=160,
        n_networks=4,
        n_jobs=2,
        random_state=0,
    ) -> None:
        self.extra = extra
        self.votes = votes
        self.dates = dates
        self.n_trees = n_trees
        self.n_folds = n_folds
        self.rounds = rounds
        self.candidate_rounds = candidate_rounds
        self.n_networks = n_networks
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y) -> GenreClassifier:
        """Learn from labelled songs.

        Parameters
        ----------
        X : DataFrame, shape (n_songs, >= 16)
        y : array-like of str, shape (n_songs,)

        Returns
        -------
        GenreClassifier

        Raises
        ------
        ValueError
            Fewer than ten songs, one genre only, a missing label, `X` and `y` of different lengths,
            or an option out of range; as :func:`aares.data.read_table` where a table is not what it
            should be.
        """
        self._check_options()
        table, labels = check_table(X), check_labels(y, len(X))
        require_songs(len(table), FEWEST_SONGS)
        self.classes_ = np.unique(labels)
        if len(self.classes_) < 2:
            raise ValueError(f"genres: expected two at least, found {list(self.classes_)}")
        table, labels = self._add_extra(table, labels)
        codes = np.searchsorted(self.classes_, labels)
        self.space_ = RankSpace().fit(table)
        numbers = compute_numbers(table, dates=self.dates)
        self.guess_ = FirstGuess(n_trees=self.n_trees, n_folds=self.n_folds, **self._shared())
        guesses = self.guess_.fit_transform(numbers.to_numpy(), codes)
        votes = self._fit_votes(self._describe(table, numbers, guesses), codes)
        self.feature_names_in_ = np.array(COLUMNS, dtype=object)
        self.n_features_in_ = len(COLUMNS)
        self.decision_ = Decision(
            rounds=self.rounds,
            candidate_rounds=self.candidate_rounds,
            n_networks=self.n_networks,
            **self._shared(),
        ).fit(numbers, guesses, votes, codes)
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return the probability of each genre, shape (n_songs, n_classes).

        Examples
        --------
        >>> from aares.data import make_songs
        >>> songs = make_songs("test", 40, energy=np.arange(40) / 40, valence=np.arange(40) / 40)
        >>> genres = np.repeat(["jazz", "punk"], 20)
        >>> small = {"n_trees": 10, "n_folds": 2, "rounds": 0, "n_networks": 0}
        >>> model = GenreClassifier(votes=None, candidate_rounds=10, **small).fit(songs, genres)
        >>> model.predict_proba(songs[::39]).round(1).tolist()  # of the first and the last song
        [[0.7, 0.3], [0.3, 0.7]]
        """
        check_is_fitted(self, "decision_")
        table = check_table(X)
        if table.empty:
            return np.empty((0, len(self.classes_)))
        numbers = compute_numbers(table, dates=self.dates)
        guesses = self.guess_.transform(numbers.to_numpy())
        songs = self._describe(table, numbers, guesses)
        votes = [voter.transform(songs) for voter in self.voters_]
        return self.decision_.predict_proba(numbers, guesses, votes)

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return the most probable genre of each song, shape (n_songs,).

        Examples
        --------
        >>> from aares.data import make_songs
        >>> songs = make_songs("test", 40, energy=np.arange(40) / 40, valence=np.arange(40) / 40)
        >>> genres = np.repeat(["jazz", "punk"], 20)
        >>> small = {"n_trees": 10, "n_folds": 2, "rounds": 0, "n_networks": 0}
        >>> model = GenreClassifier(votes=None, candidate_rounds=10, **small).fit(songs, genres)
        >>> model.predict(songs[::13]).tolist()
        ['jazz', 'jazz', 'punk', 'punk']
        """
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    def _add_extra(
        self, table: pd.DataFrame, labels: np.ndarray
    ) -> tuple[pd.DataFrame, np.ndarray]:
        self.n_extra_ = 0
        if self.extra is None:
            return table, labels
        extra = read_table(self.extra, [*COLUMNS, "genres"], what="extra songs")
        more = remove_songs(label_songs(extra), table)
        more = more[more["genre"].isin(self.classes_)]
        self.n_extra_ = len(more)
        labels = np.concatenate([labels, more["genre"].to_numpy(dtype=object)])
        return pd.concat([table, check_table(more)], ignore_index=True), labels

    def _describe(self, table: pd.DataFrame, numbers: pd.DataFrame, guesses: np.ndarray) -> Songs:
        return Songs(numbers, self.space_.transform(table), name_albums(table), guesses)

    def _fit_votes(self, songs: Songs, codes: np.ndarray) -> list[np.ndarray]:
        if self.votes not in ("learned", "distance", None):
            raise ValueError(f"votes: expected 'learned', 'distance' or None: {self.votes!r}")
        by_distance = NeighborVotes(learned=False, limit=60)
        by_trust = NeighborVotes(**self._shared())
        by_sound = NeighborVotes(by="sound", limit=8, rounds=60, **self._shared())
        self.voters_ = {
            None: [],
            "distance": [by_distance],
            "learned": [by_distance, by_trust, by_sound],
        }[self.votes]
        return [voter.fit_transform(songs, codes) for voter in self.voters_]

    def _check_options(self) -> None:
        least = {"n_trees": 1, "n_folds": 2, "rounds": 0, "candidate_rounds": 1, "n_networks": 0}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise ValueError(f"{name}: expected at least {low}, found {getattr(self, name)}")

    def _shared(self) -> dict[str, Any]:
        return {"n_jobs": self.n_jobs, "random_state": self.random_state}


def make_model(extra: pd.DataFrame | None = None, random_state: int = 0) -> GenreClassifier:
    """Return the project's unfitted classifier for exercise 1.

    Parameters
    ----------
    extra : DataFrame, optional
        The table of exercise 2: more songs, labelled by the rule.
    random_state : int

    Returns
    -------
    GenreClassifier
        ``fit(X, y)`` and ``predict(X)`` take the 16 columns of the challenge.

    Examples
    --------
    >>> model = make_model(random_state=7)
    >>> model.votes, model.n_networks, model.random_state
    ('learned', 4, 7)
    """
    return GenreClassifier(extra, random_state=random_state)
