"""What is heard, what is seen, and both: the study's last figure, with its question asked in full.

Used by notebook 06. The slides pass visual features on to their network, and compare them with the
27 of the sound and with both side by side; the results are lost. Here each representation of the
songs answers the same pairs (:mod:`aares.chaining.draws`), on random pairs, unseen songs and unseen
groups, by the study's network and by boosting (:mod:`aares.chaining.models`).

A picture has thousands of features and the network room for 27, so the best are chosen by Fisher's
ratio (:func:`aares.chaining.distances.weigh_by_pairs`). Choosing, scaling and training see the
training pairs and their songs only.

References
----------
.. [1] J. George and L. Shamir, "Computer analysis of similarities between albums in popular
   music", Pattern Recognition Letters 45, 2014, section 3 (Fisher scores of visual features).
.. [2] A. B. Owen, "The Pigeonhole Bootstrap", Annals of Applied Statistics 1(2), 2007 (intervals
   where pairs share songs).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares import exact
from aares.chaining import models
from aares.chaining.distances import Floats, Rows, fit_scale, weigh_by_pairs
from aares.chaining.draws import N_TEST, N_TRAIN, SPLITS, SongPairs, Split, sample_split
from aares.scores import LEVEL

Learner = Callable[[Rows, int], npt.ArrayLike]
"""Called with the training songs and a seed, returns features of all songs, shape (n_songs, d)."""
N_CHOSEN = 27  # features of a table that has more: as many as the study has of the sound
N_DRAWS, N_BOOTSTRAPS = 10, 1000
TAILS = (1 - LEVEL) / 2, (1 + LEVEL) / 2


def choose_features(points: Floats, train: SongPairs, n_chosen: int) -> npt.NDArray[np.intp]:
    """Choose the features whose differences tell the training pairs apart best.

    Parameters
    ----------
    points : ndarray of float, shape (n_songs, d)
        Standardised.
    train : SongPairs
    n_chosen : int
        At least 1.

    Returns
    -------
    ndarray of int, shape (min(n_chosen, d),)
        Columns, rising; of equally good ones the first.

    Examples
    --------
    >>> points = np.array([[0.0, 0.0, 1.0], [0.1, 5.0, 1.0], [3.0, 1.0, 1.0], [3.2, 4.0, 1.0]])
    >>> train = SongPairs(np.array([0, 2, 0]), np.array([1, 3, 2]), np.array([True, True, False]))
    >>> choose_features(points, train, 1).tolist()
    [0]
    """
    if n_chosen < 1:
        raise ValueError(f"n_chosen: expected 1 or more, found {n_chosen}")
    weights = weigh_by_pairs(points, train.a, train.b, train.labels)
    return np.sort(np.argsort(-weights, kind="stable")[:n_chosen])


def join_tables(
    tables: Sequence[npt.ArrayLike | Learner],
    train: SongPairs,
    *,
    n_chosen: int = N_CHOSEN,
    random_state: int = 0,
) -> Floats:
    """Scale the features of some tables on the training songs, choose the best, join them.

    Parameters
    ----------
    tables : sequence of (array-like of float, shape (n_songs, d)) or :data:`Learner`
        Each gives up to `n_chosen` features.
    train : SongPairs
        The training pairs.
    n_chosen : int
    random_state : int
        Of learners.

    Returns
    -------
    ndarray of float, shape (n_songs, n_features)
        Standardised, rounded to a grid of 2 ** -20.

    Examples
    --------
    >>> train = SongPairs(np.array([0, 1]), np.array([1, 2]), np.array([True, False]))
    >>> heard, seen = [[0.0], [2.0], [4.0]], [[0.0, 1.0], [0.0, 2.0], [8.0, 3.0]]
    >>> join_tables([heard, seen], train, n_chosen=1).round(2).tolist()
    [[-1.22, -0.71], [0.0, -0.71], [1.22, 1.41]]
    """
    songs = np.unique(np.concatenate([train.a, train.b]))
    parts = []
    for table in tables:
        made = table(songs, random_state) if callable(table) else table
        values = np.asarray(made, dtype=np.float64)
        points = exact.snap(fit_scale(values[songs]).standardise(values))
        # A feature that hardly varied among the training songs may be anything in others.
        points = np.clip(points, -10, 10)
        parts.append(points[:, choose_features(points, train, n_chosen)])
    return np.hstack(parts)


def compare_representations(
    representations: Mapping[str, Sequence[npt.ArrayLike | Learner]],
    groups: npt.ArrayLike,
    *,
    names: Iterable[models.Name] = ("network", "boosting"),
    splits: Iterable[Split] = SPLITS,
    n_draws: int = N_DRAWS,
    n_train: int = N_TRAIN,
    n_test: int = N_TEST,
    n_chosen: int = N_CHOSEN,
    random_state: int = 0,
) -> pd.DataFrame:
    """Ask each representation for the same pairs, by each model, on several draws of each split.

    Parameters
    ----------
    representations : mapping of str to sequence of tables
        As of :func:`join_tables`, such as ``{"audio": [heard], "both": [heard, seen]}``.
    groups : array-like, shape (n_songs,)
        The proxy: two songs of one group (album, genre) are called chainable.
    names : iterable of str
        Of :data:`aares.chaining.models.MODELS`.
    splits : iterable of str
        Of :data:`aares.chaining.draws.SPLITS`.
    n_draws, n_train, n_test : int
        As of :func:`aares.chaining.draws.sample_split`.
    n_chosen : int
        Features of each table.
    random_state : int
        Of draws, learners and models.

    Returns
    -------
    DataFrame
        A row for each answer: ``representation``, ``model``, ``split``, ``draw``, ``a``, ``b``,
        ``label``, ``probability``.

    Raises
    ------
    ValueError
        No representation, a table of another number of songs, or too few songs for a split.
    """
    n_songs = len(np.asarray(groups))
    for representation, tables in representations.items():
        for table in tables:
            if not callable(table) and len(np.asarray(table)) != n_songs:
                raise ValueError(
                    f"{representation}: expected features of {n_songs} songs, "
                    f"found {len(np.asarray(table))}"
                )
    if not representations or not n_draws > 0:
        raise ValueError(
            f"expected representations and draws, found {len(representations)} and {n_draws}"
        )
    names, parts = list(names), []
    for split in splits:
        for draw in range(n_draws):
            rng = np.random.default_rng([random_state, SPLITS.index(split), draw])
            train, test = sample_split(groups, split, n_train=n_train, n_test=n_test, rng=rng)
            pairs = {"split": split, "draw": draw, "a": test.a, "b": test.b, "label": test.labels}
            for representation, tables in representations.items():
                points = join_tables(tables, train, n_chosen=n_chosen, random_state=draw)
                for name in names:
                    model = models.PairModel(name, random_state=draw)
                    model.fit(points, train.a, train.b, train.labels)
                    found = exact.snap(model.predict_proba(points, test.a, test.b))
                    what = {"representation": representation, "model": name}
                    parts.append(pd.DataFrame({**what, **pairs, "probability": found}))
    return pd.concat(parts, ignore_index=True)


def summarise_representations(answers: pd.DataFrame, *, random_state: int = 0) -> pd.DataFrame:
    """Score what :func:`compare_representations` returned.

    Parameters
    ----------
    answers : DataFrame
    random_state : int
        Of the bootstrap of songs.

    Returns
    -------
    DataFrame
        For each split, model and representation: ``auc`` (mean over the draws), ``low``, ``high``
        (95 %, bootstrap of songs [2]_, the same for all), ``gain``, ``gain_low``, ``gain_high``
        (over the first representation, on the same pairs), ``accuracy`` (of calling chainable what
        is rather so than not), ``spread`` (standard deviation of the AUC over draws), ``pairs``
        (judged in each draw) and ``draws``.
    """
    rows = []
    n_songs = 1 + int(answers[["a", "b"]].to_numpy().max())
    rng = np.random.default_rng(random_state)
    counts = rng.multinomial(n_songs, np.full(n_songs, 1 / n_songs), size=N_BOOTSTRAPS)
    weights = np.vstack([np.ones(n_songs), counts])
    for (split, model), asked in answers.groupby(["split", "model"], sort=False):
        first: Floats | None = None
        for representation, found in asked.groupby("representation", sort=False):
            draws = [_rank_pairs(part, weights) for _, part in found.groupby("draw")]
            # A bootstrap of few songs may leave a draw without a pair of one kind.
            known = np.isfinite(draws)
            aucs = np.where(known, draws, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
            aucs = np.where(known.any(axis=0), aucs, np.nan)
            first = aucs if first is None else first
            (auc, *drawn), (gain, *gained) = aucs, aucs - first
            right = (found["probability"] > 0.5) == found["label"]
            rows.append({
                "split": split, "model": model, "representation": representation, "auc": auc,
                **_cut_tails("", drawn), "gain": gain, **_cut_tails("gain_", gained),
                "accuracy": float(right.mean()), "spread": float(np.std([d[0] for d in draws])),
                "pairs": len(found) / len(draws), "draws": len(draws),
            })  # fmt: skip
    return pd.DataFrame(rows)


def _rank_pairs(found: pd.DataFrame, counts: Floats) -> Floats:
    """Return the AUC where songs count so often, shape (n_bootstraps,): a pair counts by both."""
    label = found["label"].to_numpy(dtype=bool)
    value = found["probability"].to_numpy()
    weight = counts[:, found["a"]] * counts[:, found["b"]]
    lead = np.sign(value[label][:, np.newaxis] - value[~label])
    yes, no = weight[:, label], weight[:, ~label]
    total = yes.sum(axis=1) * no.sum(axis=1)
    won = ((yes @ (lead + 1) / 2) * no).sum(axis=1)
    return np.divide(won, total, out=np.full(len(total), np.nan), where=total > 0)


def _cut_tails(name: str, drawn: Iterable[Any]) -> dict[str, float]:
    low, high = np.nanquantile(list(drawn), TAILS)
    return {f"{name}low": float(low), f"{name}high": float(high)}
