"""The models give the same answer on any number of threads, and nearly so on other processors.

Each model has a function that fits it on the demo tables and returns what it says, which
:mod:`tests.environments` runs in processes with other settings.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pytest

from aares import data
from aares.genre.labels import remove_songs
from aares.popularity import Releases, learn_reference, make_model
from aares.popularity.genres import GenreCommunities, GenreEmbedding, GenreNMF
from tests.environments import PROCESSORS, THREADS, compare_environments
from workshop.config import find_data

SAME = 1e-6  # largest difference between two processors


def predict_popularity() -> dict[str, np.ndarray]:
    source = find_data("demo")
    songs = data.load_subset(source)
    labelled = pd.concat([data.load_train(source), data.load_test(source)])
    train, test = songs.iloc[::3], songs.iloc[1::3]
    again = songs.iloc[:200].assign(release_date="2001-02-03", popularity=songs["popularity"][::-1])
    reference = learn_reference(remove_songs(labelled, songs))
    model = make_model(reference, releases=Releases(labelled, again))
    model.fit(train.drop(columns="popularity"), train["popularity"])
    told = model.describe(test)
    assert model.rule_.learnt, "too few copies to learn what they say"
    features = model.encoders_.transform(test)
    names = model.encoders_.get_feature_names_out()
    return {f"feature {name}": column for name, column in zip(names, features.T, strict=True)} | {
        name: told[name].to_numpy(float) for name in told
    }


def place_genres() -> dict[str, np.ndarray]:
    songs = data.load_subset(find_data("demo"))
    ways = {"parts": GenreNMF(), "places": GenreEmbedding(), "groups": GenreCommunities()}
    return {name: way.fit_transform(songs) for name, way in ways.items()}


@pytest.fixture(scope="module")
def gaps() -> dict[str, float]:
    """All that differs in popularity from one thread here, measured once for the tests below."""
    return compare_environments(
        "tests.test_determinism", "predict_popularity", {**THREADS, **PROCESSORS}
    )


def select(gaps: dict[str, float], environments: Iterable[str]) -> dict[str, float]:
    return {key: gap for key, gap in gaps.items() if key.partition(": ")[0] in environments}


def test_popularity_is_the_same_on_any_number_of_threads(gaps):
    assert select(gaps, THREADS) == {}


def test_popularity_is_nearly_the_same_on_other_processors(gaps):
    others = select(gaps, PROCESSORS)
    assert {name: gap for name, gap in others.items() if gap > SAME} == {}
    # Only the chances of a zero go through an exp that is not our own, and only at the very end.
    assert not [name for name in others if "feature" in name]


def test_places_of_genres_are_the_same_everywhere():
    settings = {"here": THREADS["one thread"], "threads": THREADS["two threads"]}
    settings["old"] = PROCESSORS["old processor"]
    assert compare_environments("tests.test_determinism", "place_genres", settings) == {}
