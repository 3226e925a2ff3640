"""The same data and seed give the same answer on any number of threads and on other machines.

Genres, prediction sets, playlists and fingerprints; `tests/environments.py` says how another
machine is played. Each case has what amplifies: ties, training, trees.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from tests.environments import PROCESSORS, THREADS, compare_environments

N_LEARNT = 600  # songs to learn a ranking from: more than a query's candidates, of which some count
ENVIRONMENTS = {"here": THREADS["one thread"], "threads": THREADS["four threads"], **PROCESSORS}


@pytest.fixture(scope="module")
def gaps() -> dict[str, float]:
    """All that differs from one thread here, measured once: a process costs seconds to start."""
    return compare_environments("tests.test_determinism_genre", "compute_everything", ENVIRONMENTS)


def compute_everything() -> dict[str, np.ndarray]:
    return {
        f"{name}, {key}": np.asarray(value)
        for name, compute in CASES.items()
        for key, value in compute().items()
    }


def make_songs(n: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return songs with genres that are hard to tell, every fifth like another but for its date."""
    from aares.genre.songs import COLUMNS

    rng = np.random.default_rng(0)
    table = pd.DataFrame({name: rng.random(n) for name in COLUMNS})
    table.iloc[::5] = table.iloc[1::5].to_numpy()
    table["tempo"], table["loudness"] = 60 + 120 * table["tempo"], -20 * table["loudness"]
    table["duration_ms"] = (100_000 + 200_000 * table["duration_ms"]).round()
    table["popularity"] = (100 * table["popularity"]).round()
    table["explicit"], table["time_signature"] = table["explicit"] > 0.5, 4
    table["key"], table["mode"] = (12 * table["key"]) // 1, (2 * table["mode"]) // 1
    table["release_date"] = [f"{1960 + k % 40}-0{1 + k % 9}-11" for k in rng.integers(360, size=n)]
    score = 4 * table["energy"] + table["valence"] + rng.normal(size=n)
    return table, np.array(["jazz", "punk", "rock"])[np.digitize(score, [1.8, 3.2])]


def compute_genres() -> dict[str, np.ndarray]:
    from aares.genre import GenreClassifier

    songs, genres = make_songs(1500)
    small = {"n_trees": 25, "n_folds": 2, "rounds": 10, "candidate_rounds": 20, "n_networks": 1}
    model = GenreClassifier(**small).fit(songs[:1200], genres[:1200])
    proba = model.predict_proba(songs[1200:])
    return {"probabilities": proba, "labels": proba.argmax(axis=1)}


def compute_neighbors() -> dict[str, np.ndarray]:
    """Ties among the last neighbours and elsewhere: which of them are kept?"""
    from aares.genre.neighbors import find_closest
    from aares.genre.songs import RankSpace, check_table

    songs, _ = make_songs(1500)
    space = RankSpace().fit_transform(check_table(songs))
    space = np.concatenate([space, space])  # a copy of each
    distance, rows = find_closest(space[:700], space, 5)
    return {"distance": distance, "rows": rows}


def compute_map() -> dict[str, np.ndarray]:
    from aares.genre import explore

    songs, genres = make_songs(300)
    table = explore.map_songs(songs.assign(genre=genres), n_songs=200)
    return {"places": table[["x", "y"]].to_numpy()}


def compute_sets() -> dict[str, np.ndarray]:
    from aares import conformal

    songs, genres = make_songs(900)
    space = conformal.choose_space(songs[:300], pd.Series(genres[:300]))
    model = conformal.make_space_model(space, songs[300:700], pd.Series(genres[300:700]))
    p = conformal.p_values(songs[300:700], genres[300:700], songs[700:], model=model)
    sets = p > 0.3
    lift = conformal.measure_lift(sets, ["jazz", "punk", "rock"])
    return {"space": space.transform(songs), "p": p, "order": conformal.order_labels(lift)}


def compute_playlists() -> dict[str, np.ndarray]:
    from aares.recommend import Recommender

    songs, _ = make_songs(1500)
    songs = songs.assign(id=[f"s{k}" for k in range(1500)], artist="a" + songs.index.astype(str))
    words = "love night the rain of you and fire la vie est el corazon de mi".split()
    names = [f"{words[k % 15]} {words[k % 11]} {words[k % 7]}" for k in range(N_LEARNT)]
    artists = [f"a{k % (N_LEARNT // 5)}" for k in range(N_LEARNT)]
    learnt = songs[:N_LEARNT].assign(name=names, artist=artists)
    fitted = {
        "plain": Recommender().fit(songs.assign(name=songs["id"], year=1990)),
        "learnt": Recommender().fit(learnt.assign(year=learnt["release_date"].str[:4].astype(int))),
    }
    assert fitted["plain"].likeness_.ranker_ is None
    assert fitted["learnt"].likeness_.ranker_ is not None
    return {
        f"{kind} {name}": values
        for kind, recommender in fitted.items()
        for name, values in list_answers(recommender).items()
    }


def compute_order() -> dict[str, np.ndarray]:
    """So many songs that their order is searched, and another search would find another."""
    from aares.recommend.lists.order import find_order

    return {"order": find_order(np.random.default_rng(3).random((150, 150)))}


def list_answers(recommender) -> dict[str, np.ndarray]:
    lists = [
        recommender.playlist(["s3", "s70", "s99"], n=20),
        recommender.playlist("s8", n=20, diversity=0.4, random_state=1),
        recommender.playlist("s8", n=9, to="s9"),
        recommender.neighbours("s5", 30),
    ]
    answers = {
        name: np.concatenate([one[name] for one in lists]).astype(str) for name in ("id", "reason")
    }
    scores = np.concatenate([one["score"].to_numpy() for one in lists])
    return {**answers, "points": recommender.points_, "score": scores}


def compute_scorers() -> dict[str, np.ndarray]:
    """Many songs have the same listeners: their scores tie, and a tie has one order."""
    from aares.recommend.listeners import users
    from aares.recommend.listeners.ranking import rank_songs
    from aares.recommend.listeners.tasks import make_tasks
    from aares.recommend.space.content import SongSpace

    songs, _ = make_songs(900)
    heard = np.repeat(np.random.default_rng(1).random((80, 300)) < 0.08, 3, axis=1)
    (task, *_) = make_tasks(sparse.csr_matrix(heard.astype(float)), np.arange(30), n_folds=3)
    content = users.ContentScorer(SongSpace().fit_transform(songs.assign(year=1990)))
    parts = {"ease": users.EaseScorer(), "content": content, "cosine": users.ItemCosineScorer()}
    weights = {"ease": 1.0, "content": 0.3, "cosine": 0.5}
    found = {}
    for name, scorer in {**parts, "hybrid": users.HybridScorer(parts, weights)}.items():
        scores = scorer.fit(task.train).score(task.known)
        ranks = [rank_songs(scores[k], task.known[[k]].indices) for k in range(len(scores))]
        found |= {f"{name} scores": scores, f"{name} ranks": np.array(ranks)}
    return found


def compute_prints() -> dict[str, np.ndarray]:
    from aares.identify.catalogue import Settings, fingerprint
    from aares.identify.query import make_query
    from fingerprint import process_signal

    rng = np.random.default_rng(2)
    y = rng.standard_normal(20 * 8000) * np.hanning(20 * 8000)
    y += np.sin(2 * np.pi * 440 * np.arange(len(y)) / 8000)
    y = y.astype(np.float32)
    prints = fingerprint("noise", y, Settings())
    found = {
        f"catalogue {key}": value
        for key, value in prints._asdict().items()
        if isinstance(value, np.ndarray)
    }
    hashes = process_signal(y)
    return {
        **found,
        "evidence": make_query(y).evidence.excess,
        "hashes": np.array(list(hashes.items())),
    }


CASES = {
    "genres": compute_genres,
    "neighbors": compute_neighbors,
    "map": compute_map,
    "sets": compute_sets,
    "playlists": compute_playlists,
    "order": compute_order,
    "scorers": compute_scorers,
    "prints": compute_prints,
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_threads_and_processors_change_no_bit(gaps, case):
    assert {k: gap for k, gap in gaps.items() if k.split(": ")[1].startswith(f"{case},")} == {}


def test_the_seed_counts():
    """What never changes would pass everything above."""
    from aares.genre.network import Network

    X = np.random.default_rng(0).normal(size=(60, 5))
    codes = (X[:, 0] > 0).astype(int)
    one, same, other = (
        Network(passes=2, random_state=k).fit(X, codes, n_classes=2).predict_proba(X)
        for k in (0, 0, 1)
    )
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)
