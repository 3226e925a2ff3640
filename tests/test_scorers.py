"""Listeners like this one, songs with the same listeners, factors, EASE with weights and tags."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from aares.recommend.listeners.ease import WeightedEaseScorer
from aares.recommend.listeners.factors import AlsScorer
from aares.recommend.listeners.neighbours import ItemBm25Scorer, UserNeighbourScorer
from aares.recommend.listeners.places import PlaceScorer
from aares.recommend.listeners.users import EaseScorer
from aares.recommend.listeners.weights import keep_nearest, weigh_log

RNG = np.random.default_rng(0)
PLAYS = sparse.csr_matrix(
    (RNG.random((30, 20)) < 0.3) * np.ceil(np.exp(RNG.normal(3, 2, (30, 20))))
)
FEW = sparse.csr_matrix((RNG.random((4, 20)) < 0.2) * 5.0 + np.eye(4, 20))
SCORERS = {
    "user": UserNeighbourScorer(n_neighbours=5),
    "user bm25": UserNeighbourScorer(n_neighbours=5, weighting="bm25", power=2),
    "bm25": ItemBm25Scorer(n_neighbours=4),
    "als": AlsScorer(n_factors=4, n_rounds=3),
    "ease": WeightedEaseScorer(strength=50.0, evenness=0.5),
    "places": PlaceScorer(reach=5.0, before=0.5, fade=9.0),
    "tags": WeightedEaseScorer(strength=50.0, further=FEW),
}
each_scorer = pytest.mark.parametrize("scorer", SCORERS.values(), ids=SCORERS.keys())


def weigh_rows(plays: np.ndarray) -> np.ndarray:
    return weigh_log(sparse.csr_matrix(plays)).toarray()


def test_user_neighbours_are_those_of_brute_force():
    heard, few = PLAYS.toarray(), FEW.toarray()
    rarity = np.log((1 + len(heard)) / (1 + (heard > 0).sum(0))) + 1
    others, mine = weigh_rows(heard) * rarity, weigh_rows(few) * rarity
    others /= np.linalg.norm(others, axis=1, keepdims=True).clip(1e-9)
    mine /= np.linalg.norm(mine, axis=1, keepdims=True)
    likeness = mine @ others.T
    likeness[likeness < np.sort(likeness, axis=1)[:, [-5]]] = 0
    scores = SCORERS["user"].fit(PLAYS).score_known(FEW)
    assert scores == pytest.approx(likeness @ (heard > 0), abs=1e-6)


def test_bm25_is_that_of_the_formula():
    heard = weigh_rows(PLAYS.toarray()).T  # a song is a document, a listener a term
    rarity = np.log((1 + len(heard)) / (1 + (heard > 0).sum(0))) + 1
    length = heard.sum(axis=1, keepdims=True)
    norm = 1.2 * (0.25 + 0.75 * length / length.mean())
    weights = heard * 2.2 / (heard + norm) * rarity
    likeness = weights @ weights.T
    np.fill_diagonal(likeness, 0)
    likeness[likeness < np.sort(likeness, axis=1)[:, [-4]]] = 0
    scores = SCORERS["bm25"].fit(PLAYS).score_known(FEW)
    assert scores == pytest.approx(weigh_rows(FEW.toarray()) @ likeness, abs=1e-6)


def test_neighbours_beyond_the_last_are_not_asked():
    heard = sparse.csr_matrix(np.array([[1, 1, 1, 0], [1, 0, 0, 1.0]]))
    profile = sparse.csr_matrix(np.array([[1, 1, 0, 0.0]]))
    assert UserNeighbourScorer(n_neighbours=1).fit(heard).score(profile)[0, 3] == 0
    assert UserNeighbourScorer(n_neighbours=2).fit(heard).score(profile)[0, 3] > 0


def test_equally_near_neighbours_are_all_asked():
    kept = keep_nearest(sparse.csr_matrix([[0.3, 0.3, 0.2, 0.4], [0.1, 0.0, 0.0, 0.0]]), 2)
    assert (kept.toarray() > 0).astype(int).tolist() == [[1, 1, 0, 1], [1, 0, 0, 0]]


@pytest.mark.parametrize("n_factors", [2, 4, 12])  # more and fewer than the songs of a listener
def test_a_vector_of_als_solves_its_equations(n_factors):
    options = {"strength": 0.5, "confidence": 3.0, "n_rounds": 2}
    scorer = AlsScorer(n_factors=n_factors, **options).fit(PLAYS)
    songs, trust = scorer.songs_, 3.0 * weigh_rows(FEW.toarray())
    for row, scores in zip(trust, scorer.score_known(FEW), strict=True):
        matrix = songs.T @ np.diag(1 + row) @ songs + 0.5 * np.eye(n_factors)
        vector = np.linalg.solve(matrix, songs.T @ ((1 + row) * (row > 0)))
        assert scores == pytest.approx(songs @ vector, abs=1e-5)


def test_als_learns_from_further_rows_as_from_listeners():
    both = sparse.csr_matrix(sparse.vstack([PLAYS, FEW > 0], dtype=float))
    options = {"n_factors": 4, "strength": 0.5, "n_rounds": 3}
    alone = AlsScorer(**options).fit(both).score_known(FEW)
    further = AlsScorer(**options, further=sparse.csr_matrix(FEW > 0, dtype=float))
    assert further.fit(PLAYS).score_known(FEW) == pytest.approx(alone, abs=1e-9)


def test_rounds_of_als_lower_what_they_minimise():
    trust = 3.0 * weigh_rows(PLAYS.toarray())
    losses = []
    for n_rounds in (1, 2, 4, 8):
        scorer = AlsScorer(n_factors=4, strength=0.5, confidence=3.0, n_rounds=n_rounds).fit(PLAYS)
        listeners = np.linalg.lstsq(scorer.songs_, scorer.score_known(PLAYS).T)[0].T
        gap = (1 + trust) * ((trust > 0) - listeners @ scorer.songs_.T) ** 2
        losses.append(gap.sum() + 0.5 * ((listeners**2).sum() + (scorer.songs_**2).sum()))
    assert losses == sorted(losses, reverse=True)


def test_weighted_ease_without_weights_is_ease():
    plain = EaseScorer(strength=7.0).fit(PLAYS.astype(bool).astype(float))
    weighted = WeightedEaseScorer(strength=7.0, weighting="binary").fit(PLAYS)
    assert weighted.score_known(FEW) == pytest.approx(plain.score_known(FEW > 0), abs=1e-6)


@pytest.mark.parametrize("evenness", [0.0, 0.5])
def test_weighted_ease_inverts_the_matrix_of_songs(evenness):
    rows = weigh_rows(PLAYS.toarray())
    length = rows.sum(axis=1, keepdims=True)
    rows = np.vstack([rows * (length.mean() / length.clip(1)) ** evenness, FEW.toarray()])
    inverse = np.linalg.inv(rows.T @ rows + 50.0 * np.eye(20))
    model = np.eye(20) - inverse / np.diag(inverse)
    assert np.diag(model) == pytest.approx(0, abs=1e-12)
    scorer = WeightedEaseScorer(strength=50.0, evenness=evenness, further=FEW).fit(PLAYS)
    expected = weigh_rows(FEW.toarray()) @ model
    assert scorer.score_known(FEW) == pytest.approx(expected, abs=0.02 if evenness else 1e-9)


def test_wrong_options_are_told():
    for scorer in (WeightedEaseScorer(weighting="tf"), UserNeighbourScorer(weighting="tf")):
        with pytest.raises(ValueError, match="weighting: expected"):
            scorer.fit(PLAYS)
    with pytest.raises(ValueError, match="further: expected 20 songs"):
        WeightedEaseScorer(further=FEW[:, :5]).fit(PLAYS)


@each_scorer
def test_no_scorer_depends_on_the_order_of_listeners_or_songs(scorer):
    """Nor on where a listener stands among those that are asked about."""
    scores = scorer.fit(PLAYS).score_known(FEW)
    order = np.random.default_rng(1).permutation(PLAYS.shape[0])
    assert scorer.fit(PLAYS[order]).score_known(FEW) == pytest.approx(scores, abs=1e-6)
    alone = np.vstack([scorer.score_known(FEW[[row]]) for row in range(4)])
    assert alone == pytest.approx(scorer.score_known(FEW), abs=1e-6)


@each_scorer
def test_nobody_heard_anything(scorer):
    nothing = sparse.csr_matrix((3, 20))
    if getattr(scorer, "further", None) is not None:  # tags still say what belongs together
        assert scorer.fit(nothing).score_known(FEW).any()
        return
    with pytest.warns(UserWarning, match="say nothing about others"):
        assert (scorer.fit(nothing).score(FEW) == 0).all()
