"""How likely a join is one that a song itself makes: boosted trees, calibrated, kept as text.

Used by notebook ``06_chainable`` through :mod:`.transition`. Trees add up to a score; what it is
worth as a probability is learnt from songs that the trees had not seen: each fold is predicted by
trees of the other folds, and a logistic curve is laid through all of it, :func:`fit_join_model`.

The model the project ships, :data:`SHIPPED`, is text, no pickle: its digest, its version and the
names of its features are checked before it is believed.

References
----------
.. [1] J. Platt, "Probabilistic Outputs for Support Vector Machines", 1999: section 2.1 (a logistic
   curve through the scores of held-out data).
.. [2] S. M. Lundberg et al., "From local explanations to global understanding with explainable AI
   for trees", Nature Machine Intelligence 2, 2020 (what each feature adds to a score).
.. [3] C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017: section 2 (ECE).
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from aares.chaining.joins import name_features
from aares.errors import AaresError

FloatArray = npt.NDArray[np.float64]

VERSION = 1
SHIPPED = Path(__file__).with_name("joins.json.gz")
N_TREES = 400
TREES: dict[str, Any] = {
    "objective": "binary", "learning_rate": 0.05, "num_leaves": 15, "min_data_in_leaf": 20,
    "feature_fraction": 0.3, "bagging_fraction": 0.7, "bagging_freq": 1, "lambda_l2": 5.0,
    "deterministic": True, "force_row_wise": True, "num_threads": 1, "seed": 0, "verbose": -1,
}  # fmt: skip
LARGEST_SCORE = 30.0  # beyond, a probability is 0 or 1 to the last digit
N_BINS = 10


class ModelFileError(AaresError):
    """A file is not a model of joins, or not one of this version."""


@dataclass(frozen=True)
class JoinModel:
    """Trees and what their score is worth.

    Attributes
    ----------
    trees : str
        Of LightGBM.
    slope, intercept : float
        Of the logistic curve: log-odds are ``slope * score + intercept``.
    features : tuple of str
        Columns of what is predicted.
    learnt_from : str
        Songs, in words.
    """

    trees: str
    slope: float
    intercept: float
    features: tuple[str, ...]
    learnt_from: str = ""

    @cached_property
    def booster(self) -> lgb.Booster:
        """The trees, read once.

        Returns
        -------
        lightgbm.Booster
        """
        return lgb.Booster(model_str=self.trees)

    def predict_proba(self, X: npt.ArrayLike) -> FloatArray:
        """Return how likely B goes on where A ends.

        Parameters
        ----------
        X : array-like of float, shape (n, n_features)
            Of :func:`.joins.measure_joins`.

        Returns
        -------
        ndarray of float, shape (n,)
            Where as many joins are a song's own as are not.

        Raises
        ------
        ValueError
            There are other columns.
        """
        X = self._check(X)
        if not len(X):
            return np.empty(0)
        score = np.asarray(self.booster.predict(X, raw_score=True, num_threads=1))
        return weigh_score(score, self.slope, self.intercept)

    def explain(self, X: npt.ArrayLike) -> FloatArray:
        """Return what each feature adds to the log-odds of each join.

        Parameters
        ----------
        X : array-like of float, shape (n, n_features)

        Returns
        -------
        ndarray of float, shape (n, n_features + 1)
            The last column is what all joins have; a row sums to the log-odds [2]_.
        """
        parts = np.asarray(self.booster.predict(self._check(X), pred_contrib=True, num_threads=1))
        parts = self.slope * parts
        parts[:, -1] += self.intercept
        return parts

    def _check(self, X: npt.ArrayLike) -> FloatArray:
        table = np.asarray(X, dtype=np.float64)
        if table.ndim != 2 or table.shape[1] != len(self.features):
            expected = f"expected {len(self.features)} columns, those of measure_joins"
            raise ValueError(f"X: {expected}, found the shape {table.shape}")
        return table


def weigh_score(score: FloatArray, slope: float, intercept: float) -> FloatArray:
    """Return the probability of a score.

    Parameters
    ----------
    score : ndarray of float, shape (n,)
    slope, intercept : float

    Returns
    -------
    ndarray of float, shape (n,)

    Examples
    --------
    >>> weigh_score(np.array([0.0, np.log(3)]), 1.0, 0.0).round(3).tolist()
    [0.5, 0.75]
    """
    odds = np.clip(slope * score + intercept, -LARGEST_SCORE, LARGEST_SCORE)
    return np.asarray(1 / (1 + np.exp(-odds)))


def fit_join_model(
    X: npt.ArrayLike,
    label: npt.ArrayLike,
    fold: npt.ArrayLike,
    *,
    n_trees: int = N_TREES,
    learnt_from: str = "",
) -> JoinModel:
    """Learn trees from pairs, and what their score is worth from songs they have not seen.

    Parameters
    ----------
    X : array-like of float, shape (n, n_features)
        Of :func:`.joins.measure_joins`.
    label : array-like of {0, 1}, shape (n,)
        1 where B follows A. True and false pairs count alike, however many there are.
    fold : array-like, shape (n,)
        Of both songs: no song is in two of them, see :func:`.pairs.split_songs`. At least two.
    n_trees : int
    learnt_from : str
        Kept with the model.

    Returns
    -------
    JoinModel

    Raises
    ------
    ValueError
        A fold has pairs of one label only, or there is one fold.

    References
    ----------
    Platt 1999 [1]_.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> label, fold = rng.integers(0, 2, 200), np.arange(200) % 4
    >>> X = rng.standard_normal((200, 314)) + 2 * label[:, None]
    >>> model = fit_join_model(X, label, fold, n_trees=5)
    >>> bool(model.predict_proba(X[label == 1]).mean() > 0.9)
    True
    """
    table, label, fold = np.asarray(X, dtype=np.float64), np.asarray(label), np.asarray(fold)
    folds = np.unique(fold)
    if len(folds) < 2:
        raise ValueError(f"fold: expected at least two folds of songs, found {len(folds)}")
    for part in folds:
        if len(found := np.unique(label[fold == part])) < 2:
            raise ValueError(f"label: expected 0 and 1 in each fold, found only {found} in {part}")
    score = np.empty(len(table))
    for part in folds:
        rest = fold != part
        trees = _grow(table[rest], label[rest], n_trees)
        score[~rest] = np.asarray(trees.predict(table[~rest], raw_score=True, num_threads=1))
    curve = LogisticRegression(C=np.inf).fit(
        score[:, None], label, sample_weight=weigh_labels(label)
    )
    return JoinModel(
        trees=_grow(table, label, n_trees).model_to_string(),
        slope=float(curve.coef_[0, 0]),
        intercept=float(curve.intercept_[0]),
        features=name_features(),
        learnt_from=learnt_from,
    )


def _grow(X: FloatArray, label: npt.NDArray[Any], n_trees: int) -> lgb.Booster:
    return lgb.train(TREES, lgb.Dataset(X, label, weight=weigh_labels(label)), n_trees)


def weigh_labels(label: npt.ArrayLike) -> FloatArray:
    """Return weights with which true and false pairs count alike.

    Parameters
    ----------
    label : array-like of {0, 1}, shape (n,)

    Returns
    -------
    ndarray of float, shape (n,)
        1 for false pairs.

    Examples
    --------
    >>> weigh_labels([1, 0, 0, 0]).tolist()
    [3.0, 1.0, 1.0, 1.0]
    """
    is_true = np.asarray(label) == 1
    return np.where(is_true, (~is_true).sum() / max(is_true.sum(), 1), 1.0)


def measure_calibration(
    probability: npt.ArrayLike, label: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> tuple[float, FloatArray]:
    """Compare what was said to be likely with what came true.

    Parameters
    ----------
    probability : array-like of float, shape (n,)
    label : array-like of {0, 1}, shape (n,)
    weights : array-like of float, shape (n,), optional
        Of the pairs; default: true and false pairs count alike.

    Returns
    -------
    error : float
        Expected calibration error: the mean distance, over the pairs of ten bins of equal width.
    curve : ndarray of float, shape (m, 3)
        Of each bin that is not empty: mean probability, share that came true, share of the pairs.

    References
    ----------
    Guo et al. 2017 [3]_, equation 3.

    Examples
    --------
    >>> error, curve = measure_calibration([0.1, 0.1, 0.9, 0.9], [0, 1, 1, 1])
    >>> curve.round(2).tolist()
    [[0.1, 0.25, 0.67], [0.9, 1.0, 0.33]]
    """
    p, label = np.asarray(probability, dtype=float), np.asarray(label)
    weights = weigh_labels(label) if weights is None else np.asarray(weights, dtype=float)
    bins = np.minimum((p * N_BINS).astype(int), N_BINS - 1)
    total = np.bincount(bins, weights, N_BINS)
    kept = total > 0
    said = np.bincount(bins, weights * p, N_BINS)[kept] / total[kept]
    true = np.bincount(bins, weights * (label == 1), N_BINS)[kept] / total[kept]
    share = total[kept] / total.sum()
    return float((share * np.abs(said - true)).sum()), np.column_stack([said, true, share])


# --- its file -----------------------------------------------------------------------------


def write_join_model(model: JoinModel, path: str | Path) -> None:
    """Write a model as compressed JSON; the same model gives the same bytes.

    Parameters
    ----------
    model : JoinModel
    path : str or Path

    Examples
    --------
    >>> import tempfile
    >>> model = load_join_model()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_join_model(model, Path(folder) / "copy.json.gz")
    ...     load_join_model(Path(folder) / "copy.json.gz") == model
    True
    """
    content = {
        "version": VERSION, "learnt_from": model.learnt_from, "slope": model.slope,
        "intercept": model.intercept, "features": list(model.features), "trees": model.trees,
    }  # fmt: skip
    content["digest"] = _take_digest(content)
    text = json.dumps(content, indent=0).encode("utf-8")
    Path(path).write_bytes(gzip.compress(text, mtime=0))


def load_join_model(path: str | Path | None = None) -> JoinModel:
    """Read a model, the one the project ships unless another is named.

    Parameters
    ----------
    path : str or Path, optional

    Returns
    -------
    JoinModel

    Raises
    ------
    ModelFileError
        The file is missing, not a model, of another version, changed, or of other features.

    Examples
    --------
    >>> len(load_join_model().features)
    314
    """
    return _load(Path(path or SHIPPED).resolve())


@cache
def _load(path: Path) -> JoinModel:
    try:
        content = json.loads(gzip.decompress(path.read_bytes()))
        version, digest = content["version"], content.pop("digest")
    except FileNotFoundError:
        raise ModelFileError(f"{path.name}: expected a model of joins, found no file") from None
    except (OSError, EOFError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelFileError(f"{path.name}: expected a model of joins ({error})") from error
    if version != VERSION:
        raise ModelFileError(
            f"{path.name}: expected a model of version {VERSION}, found {version}; learn it anew"
        )
    if digest != _take_digest(content):
        raise ModelFileError(f"{path.name}: its digest does not fit; it was changed, or cut short")
    features: Sequence[str] = content["features"]
    if tuple(features) != name_features():
        raise ModelFileError(f"{path.name}: learnt from other features; learn it anew")
    numbers = float(content["slope"]), float(content["intercept"])
    return JoinModel(content["trees"], *numbers, tuple(features), content["learnt_from"])


def _take_digest(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
