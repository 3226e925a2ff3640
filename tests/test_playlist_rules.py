"""Playlists keep their rules, by checks that share no code with what makes playlists."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aares.data import load_recommendation, make_songs
from aares.recommend import Recommender
from workshop.config import ROOT

sys.path.append(str(ROOT / "benchmarks"))
from recommendation import eye, independent, language, rules

N_PLAYLISTS = 150


@pytest.fixture(scope="module")
def songs(demo) -> pd.DataFrame:
    return load_recommendation(demo)


@pytest.fixture(scope="module")
def playlists(songs):
    seeds = independent.draw_seeds(len(songs))[:N_PLAYLISTS]
    rows, lists = independent.make_playlists(Recommender().fit(songs), songs, seeds)
    return seeds, rows, lists


def make_catalogue() -> pd.DataFrame:
    """Return twelve songs that no rule forbids beside each other."""
    songs = make_songs("recommendation", 12)
    songs["id"] = [f"s{i}" for i in range(12)]
    songs["name"] = [f"Song about {word}" for word in "abcdefghijkl"]
    songs["artists"] = [(f"Band {word}",) for word in "abcdefghijkl"]
    songs["duration_ms"] = 180_000 + 10_000 * np.arange(12)
    songs["speechiness"] = 0.05
    songs["year"] = 1990
    return songs


ALL = [np.arange(1, 11)]


def find_broken(songs, rows=None, seeds=(0,)):
    found = rules.check_playlists(songs, list(seeds), ALL if rows is None else rows)
    return {name for name, hits in found.items() if hits.any()}


# --- the demo's playlists ---------------------------------------------------------------------


def test_playlists_of_the_demo_keep_the_rules(songs, playlists):
    seeds, rows, _ = playlists
    found = rules.check_playlists(songs, seeds, rows)
    assert {name: int(hits.sum()) for name, hits in found.items() if hits.any()} == {}


def test_the_checks_share_no_code_with_what_they_check():
    for module in (independent, language, rules):
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        taken = {
            f"{node.module}.{name.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("aares")
            for name in node.names
        }
        allowed = {"aares.data", "aares.data.DataSource", "aares.recommend.Recommender"}
        allowed |= {f"aares.scores.{name}" for name in ("bootstrap", "estimate_share")}
        assert taken <= allowed


# --- each rule, broken by hand, is seen -------------------------------------------------------


def test_a_playlist_without_fault_is_passed():
    assert find_broken(make_catalogue()) == set()


def test_a_returned_seed_and_a_short_list_are_seen():
    broken = find_broken(make_catalogue(), [np.array([0, *range(2, 11)])])
    assert "seed returned" in broken
    assert find_broken(make_catalogue(), [np.arange(1, 9)]) == {"short"}
    repeated = [np.array([1, 1, *range(2, 10)])]
    assert "short" in find_broken(make_catalogue(), repeated)


def test_every_credited_artist_counts_but_nobody_does_not():
    songs = make_catalogue()
    songs["artists"] = [
        (f"Band {i}", "Guest") if i in (2, 5, 7) else (f"B {i}",) for i in range(12)
    ]
    assert find_broken(songs) == {"more than two of an artist"}
    for nobody in ("Various Artists", "Varios Artistas", "Traditional", ""):
        songs["artists"] = [(nobody,)] * 12
        assert find_broken(songs) == set()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Baby Boy (feat. Beyoncé)", ("Sean Paul", "Beyoncé")), ("Baby Boy", ("Beyonce",))),
        (("Hello - 2011 Remaster", ("Queen",)), ("Hello (Live at Wembley)", ("QUEEN",))),
        (("Don't Stop", ("ABBA",)), ("Dont stop [1999]", ("ABBA", "Guest"))),
    ],
)
def test_one_title_under_either_artist_is_seen(one, other):
    for first, second in ((0, 4), (3, 8)):  # with the seed, and within the list
        songs = make_catalogue()
        for row, (name, artists) in zip((first, second), (one, other), strict=True):
            songs.loc[row, "name"] = name
            songs.loc[[row], "artists"] = pd.Series([artists], index=[row])
        assert find_broken(songs) == {"title twice"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Symphony No. 5: I. Allegro", "Symphony No. 5: II. Andante"),
        ("Nocturne No. 1", "Nocturne No. 2"),
        ("Echoes (Part 1)", "Echoes (Part 2)"),
    ],
)
def test_numbers_and_movements_are_no_copies(one, other):
    songs = make_catalogue()
    songs.loc[[3, 8], "name"] = [one, other]
    songs.loc[8, "artists"] = songs.loc[3, "artists"]
    assert find_broken(songs) == set()


def test_the_same_sound_is_seen_under_any_name():
    songs = make_catalogue()
    songs.loc[8, "duration_ms"] = songs.loc[3, "duration_ms"] + 2500
    assert find_broken(songs) == {"same sound twice"}
    assert rules.find_same_sound(songs, [0, 8, 3]) == [(8, 3)]
    for column, by in (("duration_ms", 1000), ("tempo", 0.6), ("energy", 0.03)):
        other = songs.astype({column: float})
        other.loc[8, column] += by
        assert find_broken(other) == set()


def test_a_chapter_for_a_song_is_seen_and_for_a_chapter_is_not():
    songs = make_catalogue()
    songs.loc[[5, 6, 7], "speechiness"] = [0.95, 0.94, 0.3]
    songs.loc[[5, 6, 7], "name"] = ["Kapitel 01", "Kapitel 02", "Kapitel 03"]
    songs.loc[[5, 6, 7], "artists"] = pd.Series([("Hexe",)] * 3, index=[5, 6, 7])
    told = independent.tell_spoken(songs)
    assert told[[5, 6, 7]].tolist() == ["spoken"] * 3 and told.drop([5, 6, 7]).eq("music").all()
    assert "spoken for music" in find_broken(songs)
    assert "spoken for music" not in find_broken(songs, seeds=[5], rows=[np.array([6, 7])])
    assert independent.tell_spoken(songs.assign(speechiness=0.6)).eq("unsure").sum() >= 9


# --- what the checks read ---------------------------------------------------------------------


def test_an_era_is_the_first_year_of_the_title_by_an_artist():
    songs = make_catalogue().head(4)
    songs["name"] = ["Hello - Remastered 2011", "Hello", "HELLO", "Other"]
    songs["artists"] = [("Queen",), ("Queen", "Guest"), ("Adele",), ("Queen",)]
    songs["year"] = [2011, 1975, 2015, 1960]
    assert independent.find_eras(songs).tolist() == [1975, 1975, 2015, 1960]


def test_languages_are_told_by_three_titles_that_agree():
    songs = pd.concat([make_catalogue()] * 2, ignore_index=True).head(14)
    spanish = ["Como yo te amo", "Cuando te fuiste con el", "Eres mi vida", "Hello"]
    english = ["What is it about you", "All of the lights", "Let it be with you"]
    songs["name"] = [*spanish, *english, "Je ne sais pas", "Pour que tu m'aimes", *["Na"] * 5]
    songs["artists"] = [("A",)] * 4 + [("B",)] * 3 + [("C",)] * 2 + [("A", "B")] + [("D",)] * 4
    found = language.tell_languages(songs).tolist()
    assert found == ["es"] * 4 + ["en"] * 3 + [""] * 7  # two titles, or two tongues, tell nothing
    songs.loc[4, "name"] = "Como yo te amo"
    assert language.tell_languages(songs)[5] == ""  # two of three titles are less than 70 %


def test_agreement_of_languages_leaves_the_seeds_artist_out():
    songs = pd.concat([make_catalogue()] * 2, ignore_index=True).head(16)
    songs["name"] = ["Como yo te amo", "Cuando te fuiste con el"] * 4 + ["All of the lights"] * 8
    songs["artists"] = [("A",)] * 4 + [("B",)] * 4 + [("C",)] * 4 + [("D",)] * 4
    songs["year"] = np.arange(16) + 1990
    seeds, rows = np.array([0, 8]), [np.array([1, 4, 9]), np.array([9, 12, 13])]
    found = dict(language.check_languages(songs, seeds, rows))
    everything = found["all languages"]["all"]
    assert everything["n_songs"] == 4  # of the six, 0 with 1 and 8 with 9 are of one artist
    assert everything["mean"] == 0.75 and everything["chance"] == 0.5
    assert found["years"]["as in the file"]["mean"] == pytest.approx((4 + 9 + 4 + 5) / 4)


def test_nothing_seen_is_bounded_and_a_share_has_an_interval():
    none, some = independent.bound_count([False] * 5000), independent.bound_count([True, False])
    assert none == {"count": 0, "of": 5000, "high": 0.0006}
    assert some["count"] == 1 and some["low"] < 0.5 < some["high"]
    assert independent.bound_count([])["high"] is None


# --- the sheet for a listener -----------------------------------------------------------------


def test_the_first_versions_list_has_no_title_twice_and_two_of_an_artist():
    songs = make_catalogue()
    credits = [frozenset({"a"})] * 5 + [frozenset({"b"}), frozenset()] * 3 + [frozenset({"b"})]
    titles = ["x", "x", "y", "z", "w", "u", "v", "v", "v", "u", "t", "s"]
    chosen = eye.take_nearest(np.arange(12.0), 0, titles, credits[: len(songs)])
    assert chosen.tolist() == [
        2,
        3,
        5,
        6,
        7,
        8,
        10,
    ]  # 1 is the seed again; 4 a third of "a"; 9 is 5


def test_a_judgement_counts_for_the_lists_it_was_given_for_only(monkeypatch, tmp_path):
    songs, seeds = make_catalogue(), {"Song about a": 0}
    monkeypatch.setattr(eye, "BUILD", tmp_path)
    keys = {"Song about a": eye.order_methods("Song about a")}
    lists = {method: [np.arange(1, 11)] for method in eye.METHODS}
    eye.write_sheets(songs, seeds, lists, keys)
    judged = json.loads((tmp_path / "eye-judgement.json").read_text())
    letter = next(one for one, method in keys["Song about a"].items() if method == "recommender")
    judged["seeds"]["Song about a"][letter]["skipped"] = {"2": "another language"}
    found = eye.count_skipped(judged, songs, seeds, lists, keys)
    assert found["skipped"]["recommender"] == {"Song about a": 1}
    assert found["reasons"] == {"Song about a": ["another language"]}
    assert found["summary"]["recommender"] == {"judged": 1, "median": 1.0, "at most 3": 1}
    lists["recommender"] = [np.arange(2, 12)]
    found = eye.count_skipped(judged, songs, seeds, lists, keys)
    assert found["skipped"]["recommender"] == {"Song about a": None}
    assert found["summary"]["recommender"]["judged"] == 0


def test_the_sheet_hides_which_list_is_which():
    keys = {tuple(eye.order_methods(name).values()) for name, _, _ in eye.SEEDS}
    assert len(keys) > 2 and all(set(key) == set(eye.METHODS) for key in keys)
