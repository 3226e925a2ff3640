"""The methods of the slides: every row of their tables as one setting, and how it answers a pair.

Used by notebook 06. A method is a distance with thresholds, or a model. Whatever is fitted (means
and spreads of features, weights, thresholds, models) is fitted on training pairs and their songs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares import exact
from aares.audio.features import NAMES
from aares.audio.segments import SEGMENT
from aares.chaining import models
from aares.chaining.distances import Kind, fit_scale, measure_pair_distances, weigh_by_pairs
from aares.chaining.draws import SongPairs
from aares.chaining.thresholds import READINGS, Reading, fit_thresholds


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way to tell whether a pair is chainable.

    Parameters
    ----------
    name : str
    table : str
        The slides' table it belongs to.
    figure : tuple of (str, int), optional
        Quantity and slide of the figure it is compared with.
    segment : str
    columns : tuple of str
        The features it sees.
    kind : {"euclidean", "manhattan", "minkowski"}
    weighted : bool
        By weights of the training pairs.
    reading : {"max", "band", "undecided"}
    model : str, optional
        One of :data:`aares.chaining.models.MODELS` instead of a distance and thresholds.
    """

    name: str
    table: str
    figure: tuple[str, int] | None = None
    segment: str = SEGMENT
    columns: tuple[str, ...] = NAMES
    kind: Kind = "euclidean"
    weighted: bool = False
    reading: Reading = "max"
    model: models.Name | None = None


def _list_methods() -> tuple[Method, ...]:
    kinds: tuple[Kind, ...] = ("euclidean", "manhattan", "minkowski")
    singles: dict[str, tuple[str, ...]] = {name: (name,) for name in ("bpm", *NAMES[:6])}
    singles["mfcc"] = tuple(name for name in NAMES if name.startswith("mfcc"))
    figures = {"network": ("accuracy: network", 29), "tree": ("accuracy: tree", 27)}
    return (
        *(Method(name=f"{kind}, {reading}", table="distances", kind=kind, reading=reading,
                 figure=(f"accuracy: {kind}", 22)) for kind in kinds for reading in READINGS),
        *(Method(name=segment, table="segments", segment=segment,
                 figure=(f"accuracy: segment {segment}", 20))
          for segment in ("0:00-0:30", "0:30-1:00", "1:00-1:30", "0:30-1:30")),
        *(Method(name=name, table="features", columns=columns, figure=(f"accuracy: {name}", 21))
          for name, columns in singles.items()),
        Method(name="without weights", table="weights", figure=("accuracy: without weights", 21)),
        Method(name="with weights", table="weights", weighted=True,
               figure=("accuracy: with weights", 21)),
        Method(name="optimised", table="conclusion", kind="manhattan", weighted=True,
               figure=("accuracy: optimised", 23)),
        *(Method(name=name, table="models", model=name, figure=figures.get(name))
          for name in models.MODELS),
    )  # fmt: skip


METHODS = _list_methods()
"""Every row of the slides' tables, each distance in three readings, and the symmetric twins."""
CONCLUSION = {
    "euclidean, max": "accuracy: euclidean",
    "0:30-1:00": "accuracy: segment 0:30-1:00",
    "with weights": "accuracy: with weights",
    "manhattan, max": "accuracy: manhattan",
    "optimised": "accuracy: optimised",
    "network": "accuracy: network",
    "tree": "accuracy: tree",
}
"""Methods of the slides' last table, in its order, and their quantities on slide 29."""


def answer_pairs(
    method: Method,
    features: Mapping[str, pd.DataFrame],
    train: SongPairs,
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    *,
    random_state: int = 0,
) -> npt.NDArray[np.int8]:
    """Learn from the training pairs, and answer other pairs.

    Parameters
    ----------
    method : Method
    features : mapping of str to DataFrame, shape (n_songs, d)
        Of each segment, as extracted, songs in one order.
    train : SongPairs
        All that is fitted is fitted on these and on their songs.
    a, b : array-like of int, shape (n,)
        The pairs to answer.
    random_state : int
        Of models.

    Returns
    -------
    ndarray of int8, shape (n,)
        1 chainable, 0 not, -1 undecided.

    Examples
    --------
    >>> table = pd.DataFrame(np.repeat([0.0, 9.0], 4)[:, None] + np.arange(27), columns=NAMES)
    >>> a, b, labels = np.array([[0, 4, 0, 1], [1, 5, 4, 5], [1, 1, 0, 0]])
    >>> train = SongPairs(a, b, labels == 1)
    >>> answer_pairs(METHODS[0], {SEGMENT: table}, train, [2, 2], [3, 6]).tolist()
    [1, 0]
    """
    values = features[method.segment][list(method.columns)].to_numpy(dtype=np.float64)
    songs = np.unique(np.concatenate([train.a, train.b]))
    points = fit_scale(values[songs]).standardise(values)
    if method.model is not None:
        model = models.PairModel(method.model, random_state=random_state)
        model.fit(points, train.a, train.b, train.labels)
        return (model.predict_proba(points, a, b) > 0.5).astype(np.int8)
    weights = weigh_by_pairs(points, train.a, train.b, train.labels) if method.weighted else None
    known, asked = (
        exact.snap(measure_pair_distances(points, *pairs, kind=method.kind, weights=weights))
        for pairs in ((train.a, train.b), (a, b))
    )
    return fit_thresholds(known, train.labels, method.reading).decide(asked)
