"""Rank songs for a listener by all that is known of both, learnt from other listeners' lists.

Used by notebook ``03_recommendation`` and the measure ``playlists`` of ``benchmarks/recommend.py``.
A part of the songs of each listener who is learnt from is hidden; trees learn to put them before
other songs. What they read is in :mod:`aares.recommend.listeners.profile_features`, which says why
it holds no count: a song gains nothing by having no listener.

Trees that learn to find all hidden songs learn little of voices: few of those songs are heard by
anybody else, and no voice speaks for the others. So the support of a song by other listeners is
added to the trees' answer, with a weight that was chosen on the playlists nothing is reported on.
It is 0 for a song without a listener and never below: it favours songs that somebody has, where a
leak of counts would favour those that nobody has.

References
----------
Burges, "From RankNet to LambdaRank to LambdaMART: an overview", MSR-TR-2010-82, 2010: section 7.
Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS 2017.
"""

from __future__ import annotations

import lightgbm
import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from aares.recommend.listeners.profile_features import (
    FEATURES,
    NAMES,
    VOICES,
    Candidates,
    ProfileReader,
    measure_squares,
)
from aares.recommend.listeners.profiles import ListenerScorer, read_profiles
from aares.recommend.listeners.ranking import IntArray
from aares.recommend.listeners.song_facts import SongFacts, read_facts
from aares.recommend.listeners.tasks import hide_songs
from aares.recommend.space.content import FloatArray

FEWEST_ROWS = 100
"""Of fewer songs that were weighed nothing is learnt."""


class ListenerRanker(ListenerScorer):
    """Songs for listeners, by trees that read makers, albums, dates, sound, titles, and others.

    Parameters
    ----------
    songs : DataFrame or SongFacts
        See :func:`aares.recommend.listeners.song_facts.read_facts`, or what that returned.
    n_listeners : int
        Of more, so many drawn ones are learnt from.
    rounds : int
        Trees.
    hidden_share : float
        Of the songs of a listener who is learnt from, 0-1.
    n_folds : int
        Parts of the listeners: what is known from listeners about a song that is learnt from is
        known from the other parts.
    min_songs : int
        Listeners with fewer are not learnt from.
    support : float
        Weight of other listeners' support, from 0; on the validation playlists 3 to 7 do alike.
    random_state : int
        Seed of what is hidden and of the trees.

    Attributes
    ----------
    reader_ : ProfileReader
    booster_ : lightgbm.Booster or None
        None where there was too little to learn from: the artist, then the distance, decide.

    References
    ----------
    Burges 2010, section 7.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> songs = make_songs("recommendation", 4, artists=[["A"], ["A"], ["B"], ["C"]])
    >>> heard = sparse.csr_matrix([[0, 1, 1, 0], [1, 0, 1, 0.0]])
    >>> ranker = ListenerRanker(songs).fit(heard)
    >>> int(ranker.score([[1, 0, 0, 0]])[0, 1:].argmax()) + 1  # the other song of artist A
    1
    """

    def __init__(
        self,
        songs: pd.DataFrame | SongFacts,
        *,
        n_listeners: int = 400,
        rounds: int = 200,
        hidden_share: float = 0.2,
        n_folds: int = 3,
        min_songs: int = 10,
        support: float = 4.0,
        random_state: int = 0,
    ) -> None:
        self.songs = songs
        self.n_listeners = n_listeners
        self.rounds = rounds
        self.hidden_share = hidden_share
        self.n_folds = n_folds
        self.min_songs = min_songs
        self.support = support
        self.random_state = random_state

    def _learn(self, matrix: sparse.csr_matrix) -> None:
        songs = self.songs
        if not (isinstance(self.support, (int, float)) and self.support >= 0):
            raise ValueError(f"support: expected a number from 0, found {self.support!r}")
        self._facts = songs if isinstance(songs, SongFacts) else read_facts(songs)
        if len(self._facts) != matrix.shape[1]:
            raise ValueError(
                f"songs: expected {matrix.shape[1]}, one a column, found {len(self._facts)}"
            )
        self.matrix_ = matrix
        self.booster_ = self._fit_trees(self._collect(matrix))
        self.reader_ = ProfileReader(self._facts, matrix)

    def _collect(self, matrix: sparse.csr_matrix) -> list[tuple[FloatArray, FloatArray]]:
        """Return inputs and whether a song was hidden, for each listener who is learnt from."""
        rng = np.random.default_rng(self.random_state)
        listeners = np.flatnonzero(np.diff(matrix.indptr) >= self.min_songs)
        listeners = rng.permutation(listeners)[: self.n_listeners]
        heard = np.asarray(matrix.sum(axis=0)).ravel() > 0
        collected = []
        for fold in np.array_split(listeners, self.n_folds):
            if not len(fold):
                continue
            fold = np.sort(fold)
            others = matrix[np.setdiff1d(np.arange(matrix.shape[0]), fold)]
            known, hidden = hide_songs(matrix[fold], self.hidden_share, rng)
            for user, found in enumerate(ProfileReader(self._facts, others).read(known)):
                kept = heard[found.rows]
                is_hidden = np.isin(found.rows[kept], hidden[[user]].indices)
                if is_hidden.any():
                    collected.append((found.inputs[kept], is_hidden.astype(float)))
        return collected

    def _fit_trees(self, lists: list[tuple[FloatArray, FloatArray]]) -> lightgbm.Booster | None:
        sizes = [len(labels) for _, labels in lists]
        if sum(sizes) < FEWEST_ROWS:
            return None
        options = {
            "objective": "lambdarank", "lambdarank_truncation_level": 20, "learning_rate": 0.05,
            "num_leaves": 15, "min_data_in_leaf": min(60, 1 + sum(sizes) // 100), "max_bin": 63,
            "feature_fraction": 0.5, "bagging_fraction": 0.7, "bagging_freq": 1, "lambda_l2": 5,
            "seed": self.random_state, "verbose": -1, "num_threads": 1, "deterministic": True,
            "force_row_wise": True, "monotone_constraints": [int(name in VOICES) for name in NAMES],
        }  # fmt: skip
        inputs = np.concatenate([inputs for inputs, _ in lists])
        labels = np.concatenate([labels for _, labels in lists])
        data = lightgbm.Dataset(inputs, labels, group=sizes)
        return lightgbm.train(options, data, num_boost_round=self.rounds)

    def _score(self, profiles: sparse.csr_matrix) -> FloatArray:
        """Return the trees' answers; songs that are no candidate share the last place."""
        scores = np.zeros(profiles.shape)
        for user, found in enumerate(self.reader_.read(profiles)):
            if len(found.rows):
                values = self.weigh(found)
                scores[user] = values.min() - 1.0
                scores[user, found.rows] = values
        return scores

    def weigh(self, found: Candidates) -> FloatArray:
        """Return the scores of candidates.

        Parameters
        ----------
        found : Candidates
            Of one listener, see :class:`aares.recommend.listeners.profile_features.ProfileReader`.

        Returns
        -------
        ndarray of float, shape (m,)
            Larger is better; where too few listeners taught trees, the artist's share counts, and
            nearness after it.
        """
        if self.booster_ is not None:
            answers = np.asarray(self.booster_.predict(found.inputs, num_threads=1))
            return answers + self.support * found.support
        table = dict(zip(NAMES, found.inputs.T, strict=True))
        return table["artist share"] + 0.1 / (1.0 + table["nearest"])

    def explain(self, profile: sparse.csr_matrix, song: int, *, n: int = 3) -> pd.DataFrame:
        """Return the known songs that carried a song: by its makers, of its album, or near it.

        Parameters
        ----------
        profile : csr_matrix, shape (1, n)
            Known songs of one listener.
        song : int
            Column.
        n : int
            Most songs to return.

        Returns
        -------
        DataFrame
            The first is the most telling: ``song`` (column), ``artist`` and ``album`` (whether it
            is the same), ``distance`` in the space of the listeners' lists.

        Raises
        ------
        ValueError
            Not one listener, or no such song.
        """
        known = self._read_one(profile, song)
        facts, points = self._facts, self.reader_.points
        shared = (facts.makers[[song]] @ facts.makers[known].T).toarray()[0] > 0
        distance = np.sqrt(measure_squares(points[[song]], points[known])[0])
        table = pd.DataFrame(
            {
                "song": known,
                "artist": shared,
                "album": facts.album[known] == facts.album[song],
                "distance": distance,
            }
        )
        order = ["album", "artist", "distance", "song"]
        ascending = [False, False, True, True]
        return table.sort_values(order, ascending=ascending, ignore_index=True).head(n)

    def explain_score(self, profile: sparse.csr_matrix, song: int) -> pd.Series:
        """Return what each kind of knowledge added to a song's score, the largest first.

        Parameters
        ----------
        profile : csr_matrix, shape (1, n)
            Known songs of one listener.
        song : int
            Column.

        Returns
        -------
        Series of float
            Index: names of :data:`aares.recommend.listeners.profile_features.FEATURES`, and
            ``base``, what all songs start from. The values sum to the score.

        Raises
        ------
        ValueError
            Not one listener, no such song, or nothing was learnt.
        """
        known = self._read_one(profile, song)
        if self.booster_ is None:
            raise ValueError("ranker: expected trees to explain, found too few listeners for any")
        rows = np.array([song])
        voices, support = self.reader_.hear(read_profiles(profile))
        inputs = self.reader_.describe(known, rows, voices[:, 0, rows])
        parts = np.asarray(self.booster_.predict(inputs, pred_contrib=True, num_threads=1))[0]
        added = pd.Series(parts[:-1], index=NAMES)
        groups = {name: float(added[list(names)].sum()) for name, names in FEATURES.items()}
        groups["other listeners"] += self.support * float(support[0, song])
        by_size = sorted(groups, key=lambda name: -abs(groups[name]))
        return pd.Series({name: groups[name] for name in by_size} | {"base": float(parts[-1])})

    def _read_one(self, profile: sparse.csr_matrix, song: int) -> IntArray:
        check_is_fitted(self)
        read = read_profiles(profile, n_songs=len(self._facts))
        if read.shape[0] != 1 or not read.nnz:
            raise ValueError(
                f"profile: expected the songs of one listener, found {read.shape[0]} listeners "
                f"with {read.nnz} songs"
            )
        if isinstance(song, bool) or not isinstance(song, (int, np.integer)):
            raise ValueError(f"song: expected a column number, found {song!r}")
        if not 0 <= song < len(self._facts):
            raise ValueError(f"song: expected 0 to {len(self._facts) - 1}, found {song}")
        return read.indices.astype(np.intp)
