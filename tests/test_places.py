"""Songs near the known ones in ordered playlists, and what hides their ends."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from aares.recommend.listeners.places import PlaceScorer, fade_places
from aares.recommend.listeners.users import ItemCosineScorer
from benchmarks.recommendation.ordered import hide, hide_end

RNG = np.random.default_rng(0)
HEARD = RNG.random((30, 20)) < 0.3
PLACES = sparse.csr_matrix(HEARD * (1.0 + RNG.permuted(np.tile(np.arange(20), (30, 1)), axis=1)))
FEW = PLACES[:4]


def rank(row: np.ndarray) -> np.ndarray:
    """Places from 1 without gaps, 0 where there is no song."""
    return np.where(row > 0, np.argsort(np.argsort(row)) - (row == 0).sum() + 1, 0)


def test_near_songs_are_those_of_brute_force():
    near = np.zeros((20, 20))
    for row in map(rank, PLACES.toarray()):
        for i, j in np.argwhere(np.outer(row, row) > 0):
            if i != j:
                weight = np.exp(-(abs(row[j] - row[i]) - 1) / 3.0)
                near[i, j] += weight * (0.25 if row[j] < row[i] else 1.0)
    count = HEARD.sum(axis=0)
    near /= np.sqrt(np.outer(count, count)) + 2.0
    ranks = np.array([rank(row) for row in FEW.toarray()])
    last = ranks.max(axis=1, keepdims=True)
    mine = np.where(ranks > 0, np.exp((ranks - last) / 4.0), 0)
    scorer = PlaceScorer(reach=3.0, before=0.25, fade=4.0, shrinkage=2.0).fit(PLACES)
    assert scorer.score_known(FEW) == pytest.approx(mine @ near, abs=1e-4)


def test_without_end_of_reach_it_is_item_cosine():
    binary = PLACES.astype(bool).astype(float)
    cosine = ItemCosineScorer(shrinkage=5.0).fit(binary).score_known(binary[:4])
    assert PlaceScorer(reach=np.inf).fit(PLACES).score_known(FEW) == pytest.approx(cosine, abs=1e-9)


def test_a_gap_does_not_tell_that_a_song_is_hidden():
    wide = PLACES.copy()
    wide.data = wide.data * 7 + 3
    scores = PlaceScorer(reach=2.0, fade=3.0).fit(PLACES).score_known(FEW)
    assert (PlaceScorer(reach=2.0, fade=3.0).fit(wide).score_known(wide[:4]) == scores).all()


def test_the_last_song_says_most():
    assert fade_places(sparse.csr_matrix([[3.0, 1.0, 2.0]]), 1e9).toarray() == pytest.approx(1.0)
    faded = fade_places(sparse.csr_matrix([[3.0, 1.0, 2.0]]), 2.0).toarray()[0]
    assert faded.argsort().tolist() == [1, 2, 0]


@pytest.mark.parametrize("option", ["reach", "fade"])
def test_wrong_options_of_places_are_told(option):
    with pytest.raises(ValueError, match=f"{option}: expected places above 0, found 0"):
        PlaceScorer(**{option: 0}).fit(PLACES)


def test_the_end_of_a_playlist_is_hidden():
    """Whatever the order of the columns, and of places with gaps."""
    places = sparse.csr_matrix([[50.0, 10.0, 0.0, 30.0, 20.0, 40.0], [0, 2.0, 0, 0, 0, 0]])
    known, hidden = hide_end(places, 0.4)
    assert hidden.toarray().tolist() == [[1, 0, 0, 0, 0, 1], [0, 1, 0, 0, 0, 0]]
    assert known.toarray().tolist() == [[0, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0]]


@pytest.mark.parametrize("way", ["random", "last"])
def test_nothing_is_both_shown_and_hidden(way):
    known, hidden = hide(PLACES, way, random_state=0)
    assert not known.multiply(hidden).nnz
    assert known.nnz + hidden.nnz == PLACES.nnz
    kept = known.toarray() > 0
    assert (known.toarray()[kept] == PLACES.toarray()[kept]).all()
