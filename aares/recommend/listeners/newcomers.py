"""Somebody new, known by a few likes and dislikes; and which likes carried a recommendation.

Used by the measure ``hetrec`` of ``benchmarks/recommend.py``. Items are artists or songs: the
columns that a method has learnt.

References
----------
Hu, Koren, Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008: section 5
(a score of factors as a sum over what was heard).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from aares import linear
from aares.data.door import read_table
from aares.errors import AaresError
from aares.recommend.listeners.factors import AlsScorer
from aares.recommend.listeners.profiles import ListenerScorer, find_silent, score_known
from aares.recommend.listeners.ranking import IntArray, rank_songs
from aares.recommend.listeners.users import HybridScorer, mix_scores
from aares.recommend.space.content import FloatArray

REST = "what cannot be told apart"


class TasteError(AaresError):
    """Likes or dislikes that are none, or that nothing can be recommended from."""


def recommend_for(
    scorer: ListenerScorer,
    items: pd.DataFrame,
    likes: Sequence[str],
    dislikes: Sequence[str] = (),
    *,
    n: int = 10,
    weight: float = 0.5,
) -> pd.DataFrame:
    """Recommend to somebody who is known by a few likes and dislikes only.

    Parameters
    ----------
    scorer : ListenerScorer
        Fitted on listeners x items.
    items : DataFrame
        ``id`` and ``name`` of each column.
    likes : sequence of str
        Ids or names, at least one.
    dislikes : sequence of str
        What is like these comes later; they themselves do not come.
    n : int
        How many to recommend.
    weight : float
        Of the scores of what is disliked against those of what is liked.

    Returns
    -------
    DataFrame, shape (<= n, 4)
        ``id``, ``name``, ``score``, and ``because``: the like that carried it, or "" where the
        method cannot tell. Best first.

    Raises
    ------
    TasteError
        Nothing is liked, a like or dislike is not among the items, or is both, or the likes say
        nothing about other items.
    ValueError
        `n` is no whole number from 1.

    Examples
    --------
    >>> from aares.recommend.listeners.ease import WeightedEaseScorer
    >>> heard = [[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [1, 0, 0, 0]]
    >>> items = pd.DataFrame({"id": list("abcd"), "name": ["ABBA", "Blur", "Cher", "Doves"]})
    >>> scorer = WeightedEaseScorer(strength=1.0).fit(heard)
    >>> recommend_for(scorer, items, ["ABBA"], dislikes=["Cher"], n=1)[["name", "because"]]
       name because
    0  Blur    ABBA
    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise ValueError(f"n: expected a whole number from 1, found {n!r}")
    names = read_table(items, ["id", "name"], what="items")
    liked, disliked = (
        _find_items(names, wanted, what)
        for wanted, what in ((likes, "likes"), (dislikes, "dislikes"))
    )
    if not len(liked):
        found = f"only {len(disliked)} dislikes" if len(disliked) else "nothing"
        raise TasteError(f"likes: expected at least one, found {found}; name something liked")
    if both := np.intersect1d(liked, disliked).tolist():
        raise TasteError(f"{names['name'].iloc[both[0]]!r}: is among likes and dislikes; decide")
    profile = _make_profile(liked, len(names))
    scores = score_known(scorer, profile)
    if find_silent(scores, profile)[0]:
        raise TasteError(
            "likes: expected something that other listeners know, too; name a further like"
        )
    if len(disliked):
        against = score_known(scorer, _make_profile(disliked, len(names)))
        scores = mix_scores({"+": scores, "-": against}, {"+": 1.0, "-": -weight})
    best = rank_songs(scores[0], np.concatenate([liked, disliked]), k=n)
    listed = names.iloc[best][["id", "name"]].reset_index(drop=True)
    return listed.assign(score=scores[0, best], because=_find_reasons(scorer, names, profile, best))


def explain_score(
    scorer: ListenerScorer, items: pd.DataFrame, likes: Sequence[str], item: str
) -> pd.DataFrame:
    """Split the score of an item into what each like contributes, exactly.

    EASE, cosine of items, BM25 and tags are sums over likes anyway; implicit ALS is one for the
    listener's own matrix (Hu et al., section 5). Parts of a hybrid that are none are a row of
    their own.

    Parameters
    ----------
    scorer : ListenerScorer
        Fitted.
    items : DataFrame
        ``id`` and ``name`` of each column.
    likes : sequence of str
        Ids or names.
    item : str
        Id or name of what was recommended.

    Returns
    -------
    DataFrame
        ``name`` of each like and its ``contribution``, largest first; they sum to the score.

    Raises
    ------
    TasteError
        Nothing is liked, something is not among the items, or the method is no sum over likes.

    Examples
    --------
    >>> from aares.recommend.listeners.users import EaseScorer
    >>> heard = [[1, 1, 0], [1, 1, 1], [0, 0, 1], [1, 0, 0]]
    >>> items = pd.DataFrame({"id": list("abc"), "name": ["ABBA", "Blur", "Cher"]})
    >>> scorer = EaseScorer(strength=1.0).fit(heard)
    >>> explain_score(scorer, items, ["ABBA", "Cher"], "Blur").round(2)
       name  contribution
    0  ABBA          0.45
    1  Cher          0.18
    """
    names = read_table(items, ["id", "name"], what="items")
    liked = _find_items(names, likes, "likes")
    if not len(liked):
        raise TasteError("likes: expected at least one, found nothing; name something liked")
    column = int(_find_items(names, [item], "item")[0])
    profile = _make_profile(liked, len(names))
    parts = split_scores(scorer, profile)
    if parts is None:
        raise TasteError(
            f"{type(scorer).__name__}: its scores are no sums over likes; EASE, ItemCosineScorer, "
            "ItemBm25Scorer, TagScorer, AlsScorer and hybrids of them can be explained"
        )
    carriers = names["name"].iloc[np.sort(liked)].tolist()
    contributions = parts[:, column].tolist()
    rest = float(score_known(scorer, profile)[0, column]) - float(parts[:, column].sum())
    if isinstance(scorer, HybridScorer) and abs(rest) > 1e-9:
        carriers, contributions = [*carriers, REST], [*contributions, rest]
    table = pd.DataFrame({"name": carriers, "contribution": contributions})
    return table.sort_values("contribution", ascending=False, kind="stable", ignore_index=True)


def split_scores(scorer: ListenerScorer, profile: sparse.csr_matrix) -> FloatArray | None:
    """Return what each known item contributes to the scores of all, or None of no such sum.

    Parameters
    ----------
    scorer : ListenerScorer
        Fitted.
    profile : csr_matrix, shape (1, n)

    Returns
    -------
    ndarray of float, shape (n_known, n), or None
        Rows in the order of columns. They sum to the scores; of a hybrid, to those of its parts
        that are such sums.
    """
    if isinstance(scorer, HybridScorer):
        return _split_hybrid(scorer, profile)
    if isinstance(scorer, AlsScorer):
        return _split_als(scorer, profile)
    if not getattr(scorer, "is_sum", False):
        return None
    each = sparse.csr_matrix(
        (profile.data, (np.arange(profile.nnz), profile.indices)),
        shape=(profile.nnz, profile.shape[1]),
    )
    return score_known(scorer, each)


def _split_hybrid(scorer: HybridScorer, profile: sparse.csr_matrix) -> FloatArray | None:
    total = np.zeros((profile.nnz, profile.shape[1]))
    found = False
    for name, part in scorer.parts_.items():
        parts = split_scores(part, profile)
        if parts is not None and scorer.weights[name]:
            found = True
            spread = float(score_known(part, profile).std()) or 1.0
            centred = parts - parts.mean(axis=1, keepdims=True)
            total += scorer.weights[name] * centred / spread
    return total if found else None


def _split_als(scorer: AlsScorer, profile: sparse.csr_matrix) -> FloatArray:
    trust = scorer._trust(profile)
    songs, data = scorer.songs_, trust.data[:, None]
    known = songs[trust.indices]
    matrix = linear.multiply(songs.T, songs) + linear.multiply((data * known).T, known)
    matrix += scorer.strength * np.eye(len(matrix))
    return linear.multiply(songs, linear.solve(matrix, ((1.0 + data) * known).T)).T


def _find_items(names: pd.DataFrame, wanted: Sequence[str], what: str) -> IntArray:
    """Return the columns of ids or names, each once."""
    if isinstance(wanted, str) or not isinstance(wanted, (list, tuple, np.ndarray, pd.Series)):
        raise TasteError(f"{what}: expected a list of ids or names, found {wanted!r}")
    columns = []
    for item in wanted:
        by_id = np.flatnonzero((names["id"] == item).to_numpy())
        same = names["name"].str.casefold() == str(item).casefold()
        found = by_id if len(by_id) else np.flatnonzero(same.to_numpy())
        if not len(found):
            raise TasteError(f"{what}: {item!r} is no id or name of an item")
        if len(found) > 1:
            ids = ", ".join(map(str, names["id"].iloc[found[:3]]))
            raise TasteError(f"{what}: {item!r} is the name of several items; take an id: {ids}")
        columns.append(int(found[0]))
    return np.array(list(dict.fromkeys(columns)), dtype=np.intp)


def _make_profile(columns: IntArray, n_items: int) -> sparse.csr_matrix:
    ones = (np.ones(len(columns)), (np.zeros(len(columns), dtype=int), np.sort(columns)))
    return sparse.csr_matrix(ones, shape=(1, n_items))


def _find_reasons(
    scorer: ListenerScorer, names: pd.DataFrame, profile: sparse.csr_matrix, best: IntArray
) -> list[str]:
    parts = split_scores(scorer, profile)
    if parts is None:
        return [""] * len(best)
    carrier = profile.indices[parts[:, best].argmax(axis=0)]
    return names["name"].iloc[carrier].tolist()
