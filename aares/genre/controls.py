"""What a score is worth: other seeds, dates never seen, labels without sense, the same data.

Used by notebook 01. Each control answers an objection to a score: that it is one lucky seed, that
it is made of albums which the folds tore apart, that answers leak, or that any classifier would
reach it with the same songs and the same dates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.model_selection import GroupKFold, KFold
from sklearn.pipeline import Pipeline, make_union
from sklearn.utils.validation import check_is_fitted

from aares.genre.labels import check_labels, label_songs, remove_songs
from aares.genre.songs import COLUMNS, check_table, name_albums
from aares.scores import Fold, predict_folds


def predict_seeds(
    model: BaseEstimator,
    X: pd.DataFrame,
    y: pd.Series,
    folds: Sequence[Fold],
    *,
    method: str = "predict_proba",
    n_jobs: int = 2,
) -> np.ndarray:
    """Predict each fold by a model with a seed of its own.

    So the spread between folds is that of songs, of what was learnt from, and of seeds.

    Parameters
    ----------
    model : classifier
        Has a ``random_state``: fold k gets ``random_state + k``.
    X : DataFrame, shape (n_songs, n_columns)
    y : Series of str, shape (n_songs,)
    folds : sequence
        No song is scored by two of them.
    method : str
    n_jobs : int
        Folds at a time.

    Returns
    -------
    ndarray, shape (n_songs,) or (n_songs, n_classes)
        See :func:`aares.scores.predict_folds`.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> X, y = pd.DataFrame({"energy": np.zeros(40)}), pd.Series(["jazz", "punk"] * 20)
    >>> folds = [(np.arange(20), np.arange(20, 40)), (np.arange(20, 40), np.arange(20))]
    >>> coin = DummyClassifier(strategy="uniform", random_state=0)
    >>> tossed = predict_seeds(coin, X, y, folds, method="predict", n_jobs=1)
    >>> (tossed[:20] == tossed[20:]).all()  # one seed would toss the same twice
    np.False_
    """

    def predict(k: int, fold: Fold) -> np.ndarray:
        seeded = clone(model).set_params(random_state=model.get_params()["random_state"] + k)
        return predict_folds(seeded, X, y, [fold], method=method)[fold[1]]

    jobs = [delayed(predict)(k, fold) for k, fold in enumerate(folds)]
    parts = Parallel(n_jobs=n_jobs, prefer="threads")(jobs)
    result = np.full((len(X), *parts[0].shape[1:]), np.nan, dtype=parts[0].dtype)
    for (_, rows), part in zip(folds, parts, strict=True):
        result[rows] = part
    return result


# --- songs of dates never seen ------------------------------------------------------------


def predict_new_dates(
    model: BaseEstimator,
    X: pd.DataFrame,
    y: pd.Series,
    *,
    n_draws: int = 5,
    n_folds: int = 5,
    n_jobs: int = 2,
) -> pd.DataFrame:
    """Predict songs by models that have seen no song of their date.

    Each draw shuffles the dates, holds out one of `n_folds` parts of them, and has a seed of its
    own. Songs of these dates are taken out of the model's ``extra`` songs, too.

    Parameters
    ----------
    model : GenreClassifier
    X : DataFrame, shape (n_songs, n_columns)
    y : Series of str, shape (n_songs,)
    n_draws, n_folds : int
    n_jobs : int
        Draws at a time.

    Returns
    -------
    DataFrame
        A row for each song held out: ``draw``, ``row`` (number in `X`), ``predicted``.

    Examples
    --------
    >>> from aares.genre.model import GenreClassifier
    >>> from aares.data import make_songs
    >>> dates = [str(1990 + k) for k in range(4)] * 10
    >>> songs = make_songs("test", 40, energy=np.arange(40) / 40, release_date=dates)
    >>> small = {"n_trees": 10, "n_folds": 2, "rounds": 0, "n_networks": 0}
    >>> model = GenreClassifier(votes=None, candidate_rounds=10, **small)
    >>> genres = pd.Series(["jazz", "punk"]).repeat(20)
    >>> answers = predict_new_dates(model, songs, genres, n_draws=1, n_folds=4, n_jobs=1)
    >>> len(answers), songs["release_date"].iloc[answers["row"]].nunique()
    (10, 1)
    """
    dates = name_albums(check_table(X))

    def predict(draw: int) -> pd.DataFrame:
        halves = GroupKFold(n_folds, shuffle=True, random_state=draw).split(X, groups=dates)
        fitted_on, rows = next(iter(halves))
        asked = clone(model).set_params(random_state=model.get_params()["random_state"] + draw)
        if asked.extra is not None:
            known = name_albums(check_table(asked.extra))
            asked.set_params(extra=asked.extra[~np.isin(known, dates[rows])])
        asked.fit(X.iloc[fitted_on], y.iloc[fitted_on])
        return pd.DataFrame({"draw": draw, "row": rows, "predicted": asked.predict(X.iloc[rows])})

    draws = (delayed(predict)(draw) for draw in range(n_draws))
    return pd.concat(Parallel(n_jobs=n_jobs, prefer="threads")(draws), ignore_index=True)


# --- labels without sense -----------------------------------------------------------------


def expect_unrelated(
    predicted: Sequence[str] | np.ndarray, truth: Sequence[str] | np.ndarray
) -> float:
    """Return the score to expect of answers that have nothing to do with the labels.

    An answer *g* is right as often as *g* is among the labels. So it is the share of the largest
    genre for whoever always answers that, and less for everybody else.

    Parameters
    ----------
    predicted, truth : sequence or ndarray of str

    Returns
    -------
    float
        The mean score over all orders of `truth`.

    Examples
    --------
    >>> expect_unrelated(["pop"] * 4, ["pop", "pop", "pop", "jazz"])
    0.75
    >>> expect_unrelated(["pop", "pop", "jazz", "jazz"], ["pop", "pop", "pop", "jazz"])
    0.5
    """
    answers = pd.Series(predicted).value_counts(normalize=True)
    labels = pd.Series(truth).value_counts(normalize=True)
    return float(answers.mul(labels, fill_value=0).sum())


def score_shuffled(
    model: BaseEstimator,
    X: pd.DataFrame,
    y: pd.Series,
    *,
    n_draws: int = 5,
    n_songs: int = 5000,
) -> pd.DataFrame:
    """Score a classifier that learns from shuffled labels, on shuffled labels.

    Parameters
    ----------
    model : classifier
        Has a ``random_state``.
    X : DataFrame, shape (n, n_columns)
    y : Series of str, shape (n,)
    n_draws : int
        Each with songs, an order of the labels and a seed of its own.
    n_songs : int
        Songs of a draw at most: one half is learnt from, the other scored.

    Returns
    -------
    DataFrame
        A row for each draw: ``score``, ``expected`` (:func:`expect_unrelated`), ``songs`` (scored).

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X = pd.DataFrame({"energy": np.arange(2000) % 2})
    >>> y = pd.Series(np.where(X["energy"], "punk", "jazz"))  # with labels in order: all right
    >>> scores = score_shuffled(DecisionTreeClassifier(random_state=0), X, y, n_draws=4)
    >>> scores.mean().round(1).to_dict()
    {'score': 0.5, 'expected': 0.5, 'songs': 1000.0}
    """
    results = []
    for draw in range(n_draws):
        rng = np.random.default_rng(draw)
        rows = rng.permutation(len(X))[:n_songs]
        shuffled, half = rng.permutation(y.iloc[rows].to_numpy()), len(rows) // 2
        blind = clone(model).set_params(random_state=draw)
        answers = blind.fit(X.iloc[rows[:half]], shuffled[:half]).predict(X.iloc[rows[half:]])
        truth = shuffled[half:]
        results.append((np.mean(answers == truth), expect_unrelated(answers, truth), len(truth)))
    return pd.DataFrame(results, columns=["score", "expected", "songs"])


# --- the same data for others -------------------------------------------------------------


class MoreSongs(ClassifierMixin, BaseEstimator):
    """Any classifier, learning from the songs that the rule labels, too.

    Parameters
    ----------
    model : classifier
    extra : DataFrame
        As for :class:`aares.genre.GenreClassifier`.
    """

    def __init__(self, model: Any, extra: pd.DataFrame) -> None:
        self.model = model
        self.extra = extra

    def fit(self, X: pd.DataFrame, y: Any) -> MoreSongs:
        """Learn from `X` and from the songs of `extra` that are not among them."""
        labels = check_labels(y, len(X))
        more = remove_songs(label_songs(self.extra), X)
        more = more[more["genre"].isin(labels)]
        labels = np.concatenate([labels, more["genre"].to_numpy(dtype=object)])
        table = pd.concat([X[list(COLUMNS)], more[list(COLUMNS)]], ignore_index=True)
        self.model_ = clone(self.model).fit(table, labels)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return a genre for each song.

        Examples
        --------
        The songs to learn from are all jazz but one; those of the other table know better.

        >>> from sklearn.neighbors import KNeighborsClassifier
        >>> from sklearn.pipeline import make_pipeline
        >>> from aares.genre.songs import SongNumbers
        >>> from aares.data import make_songs
        >>> songs, genres = make_songs("test", 6, energy=np.arange(6) / 6), ["jazz"] * 5 + ["punk"]
        >>> extra = songs.assign(genres=[("punk",)] * 6, tempo=songs["tempo"] + 0.01)
        >>> nearest = make_pipeline(SongNumbers(), KNeighborsClassifier(1))
        >>> MoreSongs(nearest, extra).fit(songs, genres).predict(extra).tolist()
        ['punk', 'punk', 'punk', 'punk', 'punk', 'punk']
        """
        check_is_fitted(self, "model_")
        return np.asarray(self.model_.predict(X))


class DateGenres(TransformerMixin, BaseEstimator):
    """Share of each genre among the labelled songs of a song's date (target encoding).

    Parameters
    ----------
    weight : float
        Songs of the shares among all songs that are added to each date's own.
    random_state : int
        Seed of the inner folds.

    References
    ----------
    Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes in
    classification and prediction problems", SIGKDD Explorations 3(1), 2001: section 3.
    """

    def __init__(self, *, weight: float = 3.0, random_state: int = 0) -> None:
        self.weight = weight
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any) -> DateGenres:
        """Count the genres of each date."""
        labels, dates = check_labels(y, len(X)), name_albums(check_table(X))
        # Songs without a date are on no date.
        self.counts_ = pd.crosstab(dates, labels).drop("", errors="ignore")
        self.prior_ = pd.Series(labels).value_counts(normalize=True).sort_index()
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """Return the shares, shape (n_songs, n_genres); those of all songs where there is no date.

        Examples
        --------
        >>> from aares.data import make_songs
        >>> songs = make_songs("test", 4, release_date=["1999", "1999", "1999", "2000"])
        >>> dates = DateGenres(weight=1).fit(songs, ["jazz", "jazz", "jazz", "punk"])
        >>> dates.transform(songs.iloc[2:]).round(2).tolist()  # of 1999 and of 2000
        [[0.94, 0.06], [0.38, 0.62]]
        """
        check_is_fitted(self)
        dates, genres = name_albums(check_table(X)), self.prior_.index
        counts = self.counts_.reindex(index=dates, columns=genres, fill_value=0).to_numpy(float)
        added = self.weight * self.prior_.to_numpy(float)
        return (counts + added) / (counts.sum(axis=1, keepdims=True) + self.weight)

    def fit_transform(self, X: pd.DataFrame, y: Any) -> np.ndarray:
        """Return the shares for the songs that are learnt from: no song counts itself."""
        labels = check_labels(y, len(X))
        shares = np.empty((len(X), len(self.fit(X, y).prior_)))
        parts = KFold(5, shuffle=True, random_state=self.random_state)
        for others, rows in parts.split(labels):
            inner = clone(self).fit(X.iloc[others], labels[others])
            # The same for each song: shares of a part would tell what it left out.
            inner.prior_ = self.prior_
            shares[rows] = inner.transform(X.iloc[rows])
        return shares


def add_date_genres(model: Pipeline, *, random_state: int = 0) -> Pipeline:
    """Give a standard classifier the genres of each date as columns, one for each genre.

    Parameters
    ----------
    model : Pipeline
        Of :func:`aares.genre.compare.make_classifiers`: its first step is `SongNumbers`.
    random_state : int

    Returns
    -------
    Pipeline

    Examples
    --------
    Sound says nothing here, the date everything.

    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from aares.genre.songs import SongNumbers
    >>> from aares.data import make_songs
    >>> dates = ["1999-01", "1999-02", "1999-03", "1999-04"] * 10
    >>> songs = make_songs("test", 40, release_date=dates)
    >>> genres = np.array(["jazz", "punk", "jazz", "punk"] * 10)
    >>> tree = make_pipeline(SongNumbers(dates=False), DecisionTreeClassifier(max_depth=1))
    >>> float((tree.fit(songs, genres).predict(songs) == genres).mean())
    0.5
    >>> float((add_date_genres(tree).fit(songs, genres).predict(songs) == genres).mean())
    1.0
    """
    (_, numbers), *rest = model.steps
    both = make_union(numbers, DateGenres(random_state=random_state))
    return clone(Pipeline([("numbers", both), *rest]))
