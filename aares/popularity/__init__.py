"""Exercise 2: predict popularity, handle ``genres``, show what the data tells.

Notebook ``02_popularity``. :mod:`.rows`, :mod:`.encoders`, :mod:`.kriging` and :mod:`.features`
turn the table into numbers, :mod:`.copies` finds other releases, :mod:`.model` predicts by the
average of several of :mod:`.hurdle`, :mod:`.intervals` says how surely, :mod:`.compare` scores
models and ways to handle genres on the same folds, :mod:`.genres` and :mod:`.patterns` describe,
:mod:`.evidence` says how sure differences are.
Popularity is in points, 0-100.
"""

from aares.popularity.compare import (
    compare_models,
    make_genre_models,
    measure_dependence,
    measure_importance,
    predict_parts_folds,
    score,
    summarise_folds,
    summarise_residuals,
)
from aares.popularity.copies import Releases
from aares.popularity.features import learn_reference
from aares.popularity.intervals import PopularityIntervals, compare_intervals
from aares.popularity.model import PopularityRegressor, make_model

__all__ = [
    "PopularityIntervals",
    "PopularityRegressor",
    "Releases",
    "compare_intervals",
    "compare_models",
    "learn_reference",
    "make_genre_models",
    "make_model",
    "measure_dependence",
    "measure_importance",
    "predict_parts_folds",
    "score",
    "summarise_folds",
    "summarise_residuals",
]
