"""Stand-in until likeness is learnt: distance in the hand-weighted space."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from aares.recommend.catalogue import Catalogue
from aares.recommend.content import SongSpace, measure_distances


class SongLikeness(BaseEstimator):
    """How alike songs are."""

    def __init__(self, *, weights=None, random_state=0, cache=None):
        self.weights = weights
        self.random_state = random_state
        self.cache = cache

    def fit(self, catalogue: Catalogue, eras=None) -> SongLikeness:
        """Learn."""
        self.space_ = SongSpace(weights=self.weights).fit(catalogue.songs)
        return self

    def index(self, catalogue: Catalogue, eras=None) -> SongIndex:
        """Index songs."""
        return SongIndex(self.space_.transform(catalogue.songs), self.space_.names_)


class SongIndex:
    """Songs that are searched."""

    def __init__(self, points, names):
        self.points = points
        self.names = names

    def candidates(self, row: int, k: int):
        """Return the nearest rows."""
        distance = measure_distances(self.points, self.points[[row]])[:, 0]
        order = np.argsort(distance, kind="stable")
        return order[order != row][:k]

    def score(self, row: int, rows):
        """Return the likeness of songs, larger is closer."""
        return -measure_distances(self.points[rows], self.points[[row]])[:, 0]

    def explain(self, row: int, rows) -> pd.DataFrame:
        """Return what each feature does."""
        squared = (self.points[rows] - self.points[row]) ** 2
        return pd.DataFrame(1 - squared, columns=self.names)
