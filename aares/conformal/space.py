"""The space in which the conformal predictor measures distances between songs.

Notebook ``05_conformal``. A nearest neighbour depends on units: unscaled, ``duration_ms`` decides
alone. Here the columns are described on scales where equal steps mean something, standardised,
and weighted by how well each tells the genres apart. Weights come from songs outside the bag and
outside the evaluation: a distance that had seen the labels of the bag, but not the new song's,
would treat the two differently and void the guarantee.

References
----------
R. A. Fisher, "Statistical Methods for Research Workers", 1925, chapter 7 (the F statistic).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.feature_selection import f_classif
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from aares import exact
from aares.data.door import read_table
from aares.data.schemas import SCHEMAS

NEIGHBORS = 5  # votes of the KNN model; the conformal measure has a k of its own
PLAIN_RATIOS = ("danceability", "energy", "valence")
USUAL_YEAR = 2000  # of a song without a date
LATEST_YEAR = 2023  # the data ends in 2022: the age of a song stays positive


def describe_songs(songs: pd.DataFrame) -> pd.DataFrame:
    """Describe songs by numbers on scales where equal steps mean equal differences.

    Logarithms where the ear or the table works in ratios (duration, age of the song, the skewed
    shares), clipping where single outliers would stretch a scale. The key is left out: it tells
    genres apart hardly at all, and adds its noise to every distance.

    Parameters
    ----------
    songs : DataFrame, shape (m, n_columns)
        Columns of the course's test table; others are ignored.

    Returns
    -------
    DataFrame of float, shape (m, 19)
        Same index.

    Raises
    ------
    TypeError, DataError
        As :func:`aares.data.read_table`.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> songs = make_songs("test", 1, release_date="1984-01-01", duration_ms=180_000, loudness=-40)
    >>> described = describe_songs(songs)
    >>> described.shape
    (1, 19)
    >>> described[["year", "loudness", "duration"]].iloc[0].round(2).tolist()
    [1984.0, -25.0, 12.1]
    """
    number = read_table(songs, SCHEMAS["test"])
    date = number.pop("release_date")
    year = pd.to_numeric(date.str[:4], errors="coerce").fillna(USUAL_YEAR)
    number = number.astype(float)
    columns: dict[str, Any] = {name: number[name] for name in PLAIN_RATIOS}
    columns |= {
        "loudness": number["loudness"].clip(-25, 0),
        "quietness": exact.log(2 - number["loudness"].clip(upper=0)),
        "speechiness": exact.log(number["speechiness"] + 0.02),
        "acousticness": number["acousticness"],
        "acoustic_ratio": exact.log(number["acousticness"] + 1e-3),
        "instrumentalness": number["instrumentalness"],
        "instrumental_ratio": exact.log(number["instrumentalness"] + 1e-5),
        "liveness": exact.log(number["liveness"] + 0.02),
        "duration": exact.log(number["duration_ms"].clip(lower=1)),
        "tempo": exact.log(number["tempo"].clip(50, 220)),
        "mode": number["mode"],
        "popularity": number["popularity"],
        "unpopular": (number["popularity"] == 0).astype(float),
        "explicit": number["explicit"],
        "year": year.clip(lower=1950),
        "newness": -exact.log((LATEST_YEAR + 0.5 - year).clip(lower=0.5)),
    }
    return pd.DataFrame(columns, index=songs.index)


class SongDescription(TransformerMixin, BaseEstimator):
    """Describe songs as :func:`describe_songs` does; nothing is learnt."""

    def __sklearn_tags__(self) -> Tags:
        """Return what scikit-learn asks of an estimator."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags

    def fit(self, songs: pd.DataFrame, y: object = None) -> SongDescription:
        """Learn nothing."""
        return self

    def transform(self, songs: pd.DataFrame) -> pd.DataFrame:
        """Return the description, shape (m, 19).

        Examples
        --------
        >>> from aares.data import make_songs
        >>> SongDescription().transform(make_songs("test", 2)).shape
        (2, 19)
        """
        return describe_songs(songs)


class FisherScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Standardise columns and weight each by how well it separates given classes.

    A column is divided by its standard deviation and multiplied by ``sqrt(F / max F)`` with F the
    ratio of its variance between classes to that within classes: where the genres do not differ,
    the column hardly counts in a distance. What comes out are multiples of 2^-20: sums of their
    differences are exact, so what is equally far is so on every machine.

    Attributes
    ----------
    scaler_ : StandardScaler
    weights_ : ndarray of float, shape (d,), in [0, 1]
    """

    def __sklearn_tags__(self) -> Tags:
        """Return what scikit-learn asks of an estimator: labels are needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def fit(self, X, y):
        """Learn location, scale and weight of each column.

        Parameters
        ----------
        X : array-like or DataFrame, shape (n, d)
        y : array-like, shape (n,)
            Labels.

        Returns
        -------
        FisherScaler
            This object.

        Examples
        --------
        >>> X = [[0.0, 3.0], [1.0, 5.0], [9.0, 5.0], [10.0, 3.0]]
        >>> FisherScaler().fit(X, ["jazz", "jazz", "punk", "punk"]).weights_.tolist()
        [1.0, 0.0]
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        self.scaler_ = StandardScaler().fit(X)
        with warnings.catch_warnings():  # a column that never changes separates nothing
            warnings.simplefilter("ignore")
            scores = np.nan_to_num(f_classif(self.scaler_.transform(X), y)[0])
        self.weights_ = np.sqrt(scores / (scores.max() or 1.0))  # all 0: no column separates
        return self

    def transform(self, X) -> np.ndarray:
        """Return the weighted columns.

        Parameters
        ----------
        X : array-like or DataFrame, shape (m, d)

        Returns
        -------
        ndarray of float, shape (m, d)

        Examples
        --------
        >>> X = [[0.0, 3.0], [1.0, 5.0], [9.0, 5.0], [10.0, 3.0]]
        >>> scaler = FisherScaler().fit(X, ["jazz", "jazz", "punk", "punk"])
        >>> np.ptp(scaler.transform(X), axis=0).round(1).tolist()
        [2.2, 0.0]
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return exact.snap(self.scaler_.transform(X) * self.weights_)


def choose_space(songs: pd.DataFrame, genre: pd.Series) -> Pipeline:
    """Learn the space from songs that are neither in the bag nor evaluated.

    Parameters
    ----------
    songs : DataFrame, shape (n, n_columns)
    genre : Series, shape (n,)

    Returns
    -------
    Pipeline
        Fitted: description, then :class:`FisherScaler`; transforms tables of songs to (m, d).

    Examples
    --------
    >>> from aares.data import make_songs
    >>> songs = make_songs("test", 4, release_date=["1969", "1970", "1979", "1980"])
    >>> songs["loudness"], songs["popularity"] = [-9.0, -8.0, -3.0, -2.0], [0, 50, 0, 50]
    >>> space = choose_space(songs, pd.Series(["jazz", "jazz", "punk", "punk"]))
    >>> space.transform(songs).shape
    (4, 19)
    """
    steps = [("describe", SongDescription()), ("scale", FisherScaler())]
    return Pipeline(steps).fit(songs, genre)


def make_space_model(space: Pipeline, songs: pd.DataFrame, genre: pd.Series) -> Pipeline:
    """Fit the KNN model of the assignment on the bag, in a space that is learnt already.

    Parameters
    ----------
    space : Pipeline
        From :func:`choose_space`; stays as it is.
    songs : DataFrame, shape (n, n_columns)
        The bag.
    genre : Series, shape (n,)

    Returns
    -------
    Pipeline
        The steps of the space, then a fitted KNeighborsClassifier with Manhattan distances; what
        ``utils_projet.ConformalPrediction`` takes together with `songs` and `genre`.

    Examples
    --------
    >>> from aares.conformal.space import choose_space
    >>> from aares.data import make_songs
    >>> songs = make_songs("test", 6)
    >>> songs["release_date"] = ["1969", "1970", "1971", "1979", "1980", "1981"]
    >>> songs["loudness"] = [-9.0, -8.0, -7.0, -3.0, -2.0, -1.0]
    >>> songs["popularity"] = [0, 50, 60, 0, 50, 60]
    >>> genre = pd.Series(["jazz", "jazz", "jazz", "punk", "punk", "punk"])
    >>> model = make_space_model(choose_space(songs, genre), songs, genre)
    >>> model.predict(songs[::5]).tolist()
    ['jazz', 'punk']
    >>> list(model.named_steps)
    ['describe', 'scale', 'knn']
    """
    knn = KNeighborsClassifier(n_neighbors=NEIGHBORS, metric="manhattan")
    knn.fit(space.transform(songs), genre)
    return Pipeline([*space.steps, ("knn", knn)])
