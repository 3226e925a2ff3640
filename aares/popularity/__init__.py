"""Exercise 2: predict popularity, handle ``genres``, show what the data tells.

Notebook ``02_popularity``. :mod:`.rows` and :mod:`.encoders` turn the table into numbers,
:mod:`.model` predicts, :mod:`.compare` scores models and ways to handle genres on the same folds,
:mod:`.patterns` describes. Popularity is in points, 0-100.
"""

from aares.popularity.compare import (
    compare_models,
    make_genre_models,
    measure_importance,
    predict_folds,
    score,
    score_folds,
    summarise_residuals,
)
from aares.popularity.model import PopularityRegressor, make_model

__all__ = [
    "PopularityRegressor",
    "compare_models",
    "make_genre_models",
    "make_model",
    "measure_importance",
    "predict_folds",
    "score",
    "score_folds",
    "summarise_residuals",
]
