"""Somebody new with a few likes and dislikes, and which likes carried a recommendation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from aares.recommend.listeners.ease import WeightedEaseScorer
from aares.recommend.listeners.factors import AlsScorer
from aares.recommend.listeners.neighbours import ItemBm25Scorer, UserNeighbourScorer
from aares.recommend.listeners.newcomers import REST, TasteError, explain_score, recommend_for
from aares.recommend.listeners.tagged import TagScorer
from aares.recommend.listeners.users import EaseScorer, HybridScorer, ItemCosineScorer

RNG = np.random.default_rng(0)
N = 20
HEARD = sparse.csr_matrix((RNG.random((40, N)) < 0.3).astype(float))
TAGS = sparse.csr_matrix((RNG.random((N, 6)) < 0.4).astype(float))
ITEMS = pd.DataFrame({"id": [f"a{i}" for i in range(N)], "name": [f"Band {i}" for i in range(N)]})
SUMS = {
    "ease": EaseScorer(strength=3.0),
    "weighted": WeightedEaseScorer(strength=3.0),
    "cosine": ItemCosineScorer(),
    "bm25": ItemBm25Scorer(n_neighbours=5),
    "tags": TagScorer(TAGS, fame=1.0),
    "als": AlsScorer(n_factors=4, strength=0.5, n_rounds=3),
}
LIKES = ["Band 3", "a7", "band 12"]


@pytest.mark.parametrize("scorer", SUMS.values(), ids=SUMS.keys())
def test_contributions_sum_to_the_score(scorer):
    scorer.fit(HEARD)
    profile = np.isin(np.arange(N), [3, 7, 12]).astype(float)[None]
    for column in (0, 5, 19):
        table = explain_score(scorer, ITEMS, LIKES, f"Band {column}")
        assert set(table["name"]) == {"Band 3", "Band 7", "Band 12"}
        assert table["contribution"].sum() == pytest.approx(scorer.score_known(profile)[0, column])
        assert table["contribution"].is_monotonic_decreasing


def test_a_contribution_is_what_is_missing_without_the_like():
    scorer = SUMS["weighted"].fit(HEARD)
    table = explain_score(scorer, ITEMS, LIKES, "Band 0").set_index("name")["contribution"]
    fewer = explain_score(scorer, ITEMS, ["Band 3", "Band 12"], "Band 0")["contribution"].sum()
    assert table["Band 7"] == pytest.approx(table.sum() - fewer)


def test_a_hybrid_is_explained_with_what_cannot_be_told_apart():
    parts = {"ease": SUMS["ease"], "als": SUMS["als"], "users": UserNeighbourScorer()}
    hybrid = HybridScorer(parts, {"ease": 1.0, "als": 0.5, "users": 0.5}).fit(HEARD)
    profile = np.isin(np.arange(N), [3, 7, 12]).astype(float)[None]
    table = explain_score(hybrid, ITEMS, LIKES, "Band 0")
    assert REST in set(table["name"]) and len(table) == 4
    assert table["contribution"].sum() == pytest.approx(hybrid.score_known(profile)[0, 0])
    whole = HybridScorer({"ease": SUMS["ease"]}, {"ease": 1.0}).fit(HEARD)
    assert REST not in set(explain_score(whole, ITEMS, LIKES, "Band 0")["name"])


def test_recommendations_are_ranked_and_new_and_say_why():
    scorer = SUMS["weighted"].fit(HEARD)
    found = recommend_for(scorer, ITEMS, LIKES, ["a1"], n=N)
    assert len(found) == N - 4 and not set(found["id"]) & {"a3", "a7", "a12", "a1"}
    assert found["score"].is_monotonic_decreasing
    for name, because in zip(found["name"].head(3), found["because"].head(3), strict=True):
        assert explain_score(scorer, ITEMS, LIKES, name)["name"].iloc[0] == because


def test_what_is_like_a_dislike_comes_later():
    """Band 3 is heard with Band 0 oftener than Band 2 is, but also with Band 1."""
    rows = [[1, 1, 0, 1, 0], [1, 0, 1, 0, 1], [1, 0, 0, 1, 0], [0, 1, 0, 1, 0.0]]
    scorer = EaseScorer(strength=1.0).fit(sparse.csr_matrix(rows))
    liked = recommend_for(scorer, ITEMS.head(5), ["a0"])["id"].tolist()
    both = recommend_for(scorer, ITEMS.head(5), ["a0"], ["a1"], weight=2.0)["id"].tolist()
    assert liked.index("a3") < liked.index("a2") and both.index("a3") > both.index("a2")


def test_a_method_that_cannot_tell_gives_no_reason():
    scorer = UserNeighbourScorer().fit(HEARD)
    assert set(recommend_for(scorer, ITEMS, LIKES)["because"]) == {""}
    with pytest.raises(TasteError, match="UserNeighbourScorer: its scores are no sums"):
        explain_score(scorer, ITEMS, LIKES, "Band 0")


@pytest.mark.parametrize(
    ("likes", "dislikes", "match"),
    [
        ([], [], "likes: expected at least one, found nothing"),
        ([], ["a1"], "found only 1 dislikes"),
        (["Nobody"], [], "likes: 'Nobody' is no id or name"),
        (["a1"], ["Nobody"], "dislikes: 'Nobody' is no id"),
        (["a1"], ["Band 1"], "'Band 1': is among likes and dislikes"),
        ("a1", [], "likes: expected a list of ids or names, found 'a1'"),
        (None, [], "likes: expected a list"),
        ([3], [], "likes: 3 is no id"),
        ([None], [], "likes: None is no id"),
    ],
)
def test_likes_that_are_none_are_told(likes, dislikes, match):
    with pytest.raises(TasteError, match=match):
        recommend_for(SUMS["ease"].fit(HEARD), ITEMS, likes, dislikes)


@pytest.mark.parametrize("n", [0, -1, 2.5, "10", None, True])
def test_a_length_that_is_none_is_told(n):
    with pytest.raises(ValueError, match="n: expected a whole number from 1"):
        recommend_for(SUMS["ease"].fit(HEARD), ITEMS, ["a1"], n=n)


def test_likes_that_nobody_else_knows_are_told():
    heard = HEARD.tolil()
    heard[:, 3] = 0
    with pytest.raises(TasteError, match="something that other listeners know"):
        recommend_for(EaseScorer().fit(heard.tocsr()), ITEMS, ["a3"])


def test_a_name_of_several_items_is_told():
    items = ITEMS.assign(name=["Nirvana", "nirvana", *ITEMS["name"][2:]])
    with pytest.raises(TasteError, match="several items; take an id: a0, a1"):
        recommend_for(SUMS["ease"].fit(HEARD), items, ["Nirvana"])
    with pytest.raises(TasteError, match="likes: expected at least one"):
        explain_score(SUMS["ease"], items, [], "a5")
