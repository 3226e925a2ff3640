"""The rules of a playlist: what may stand together, what a listener asks for, what is left."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_recommend import make_songs

from aares.recommend import Recommender, SongNotFoundError
from aares.recommend.lists.choosing import Ranking, Rules, choose_songs
from aares.recommend.lists.filters import NoSongsLeftError
from aares.recommend.lists.telling import ShortPlaylistWarning


def rank(seed: int, rows: list[int], value: list[float]) -> Ranking:
    return Ranking(seed, np.array(rows), np.array(value), np.array(value))


def list_rows(chosen) -> list[int]:
    return [song.row for song in chosen]


# --- choosing by turns --------------------------------------------------------------------


@st.composite
def make_cases(draw):
    n = draw(st.integers(4, 30))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    by = [tuple(rng.choice(list("abcdef"), rng.integers(0, 3), replace=False)) for _ in range(n)]
    rankings = [
        rank(n + seed, rows.tolist(), rng.random(len(rows)).tolist())
        for seed in range(draw(st.integers(1, 3)))
        if len(rows := rng.choice(n, rng.integers(0, n), replace=False)) or True
    ]
    limit = draw(st.integers(1, 3))
    return rankings, Rules(rng.integers(0, n, n), by, limit), draw(st.integers(1, 12))


@settings(max_examples=200, deadline=None)
@given(make_cases())
def test_no_list_breaks_a_rule_and_none_is_short_without_need(case):
    rankings, rules, n = case
    chosen = choose_songs(rankings, n, rules.copy())
    rows = list_rows(chosen)
    recordings = rules.recording[rows].tolist()
    assert len(set(recordings)) == len(recordings) == min(n, len(recordings))
    credits = [name for row in rows for name in rules.by[row]]
    assert max(map(credits.count, credits), default=0) <= rules.max_per_artist
    if len(chosen) < n:
        used = rules.copy()
        for row in rows:
            used.take(row)
        assert not any(used.allows(row) for ranking in rankings for row in ranking.rows.tolist())
    for song in chosen:
        ranking = next(it for it in rankings if it.seed == song.seed)
        place = ranking.rows.tolist().index(song.row)
        assert song.closeness == ranking.closeness[place]


def test_each_seed_leads_its_share():
    near, far = list(range(20)), list(range(20, 40))
    rankings = [
        rank(50, near, np.linspace(1, 0.9, 20).tolist()),
        rank(51, far, np.linspace(0.2, 0.1, 20).tolist()),
    ]
    chosen = choose_songs(rankings, 7, Rules(np.arange(40), [()] * 40, 2))
    assert [song.seed for song in chosen] == [50, 51, 50, 51, 50, 51, 50]
    assert list_rows(chosen) == [0, 20, 1, 21, 2, 22, 3]


def test_what_one_seed_cannot_fill_goes_to_the_others():
    rankings = [rank(50, [0, 1, 2, 3, 4], [0.9, 0.8, 0.7, 0.6, 0.5]), rank(51, [5], [0.9])]
    chosen = choose_songs(rankings, 5, Rules(np.arange(6), [()] * 6, 2))
    assert sorted(list_rows(chosen)) == [0, 1, 2, 3, 5]


def test_guests_count_as_much_as_the_first_name():
    by = [("sean", "beyonce"), ("beyonce",), ("jay", "beyonce"), ("sean",)]
    rules = Rules(np.arange(4), by, 1)
    assert list_rows(choose_songs([rank(9, [0, 1, 2, 3], [4, 3, 2, 1])], 4, rules)) == [0]


def test_of_equal_songs_the_first_row_is_taken():
    rules = Rules(np.arange(9), [()] * 9, 2)
    assert list_rows(choose_songs([rank(9, [5, 2, 7], [1, 1, 1])], 2, rules)) == [2, 5]


@pytest.mark.parametrize("diversity", [0.3, 0.6, 1.0])
def test_diverse_songs_are_those_of_maximal_marginal_relevance(diversity):
    rng = np.random.default_rng(1)
    points, value = rng.normal(size=(30, 3)).round(2), rng.random(30).round(3)
    expected = [int(np.argmax(value))]
    while len(expected) < 8:
        gains = {}
        for row in set(range(30)) - set(expected):
            apart = min(np.linalg.norm(points[row] - points[other]) for other in expected)
            gains[row] = (1 - diversity) * value[row] + diversity * apart / 2.0
        expected.append(max(gains, key=gains.get))
    chosen = choose_songs(
        [rank(30, list(range(30)), value.tolist())], 8, Rules(np.arange(30), [()] * 30, 2),
        points=points, diversity=diversity, unit=2.0,
    )  # fmt: skip
    assert list_rows(chosen) == expected


# --- what a listener asks for -------------------------------------------------------------


@pytest.fixture(scope="module")
def songs() -> pd.DataFrame:
    table = make_songs(240)
    table["explicit"] = np.arange(240) % 5 == 0
    table.loc[3, ["name", "artists"]] = pd.Series(
        {"name": "Calm Song 0 (feat. Guest)", "artists": ("Guest", "calm band 0")}
    )
    table.loc[3, "year"] = table.loc[0, "year"]
    return table


@pytest.fixture(scope="module")
def recommender(songs) -> Recommender:
    return Recommender().fit(songs)


def look_up(songs: pd.DataFrame, playlist: pd.DataFrame) -> pd.DataFrame:
    return songs.set_index("id").loc[playlist["id"]]


def test_a_guest_makes_no_other_recording(recommender):
    playlist = recommender.playlist("id0", n=50)
    assert "id3" not in set(playlist["id"])
    assert "id0" not in set(recommender.playlist("id3", n=50)["id"])


@pytest.mark.parametrize(
    ("options", "is_right"),
    [
        ({"years": (1992, 1994)}, lambda found: found["year"].between(1992, 1994)),
        ({"years": (None, 1991)}, lambda found: found["year"] <= 1991),
        ({"explicit": False}, lambda found: ~found["explicit"]),
        ({"explicit": True}, lambda found: found["explicit"]),
        ({"tempo": (118, 122)}, lambda found: found["tempo"].between(118, 122)),
        ({"exclude": "calm band 9"}, lambda found: found["artists"] != ("calm band 9",)),
        ({"exclude": ["id6", ("Calm Song 9", "")]},
         lambda found: ~found.index.isin(["id6", "id9"])),
    ],
)  # fmt: skip
def test_filters(songs, recommender, options, is_right):
    without = look_up(songs, recommender.playlist("id12", n=30))
    assert not is_right(without).all()
    assert is_right(look_up(songs, recommender.playlist("id12", n=12, **options))).all()


def test_filters_are_filled_up_from_farther_away(recommender):
    """Two tenths of the songs, and a third of them calm: the list ends with other styles."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", ShortPlaylistWarning)
        assert len(recommender.playlist("id0", n=20, explicit=True, max_per_artist=9)) == 20


def test_a_seed_among_many_songs_of_one_artist_looks_farther(songs, monkeypatch):
    """Forty songs are ranked at first, all of one band: three of five must come from beyond."""
    monkeypatch.setattr("aares.recommend.lists.gathering.POOL", 1)
    calm = songs["name"].str.startswith("Calm")
    band = songs["artists"].where(~calm, pd.Series([("one band",)] * len(songs)))
    playlist = Recommender().fit(songs.assign(artists=band)).playlist("id0", n=5)
    assert len(playlist) == 5 and (playlist["artist"] == "one band").sum() == 2


def test_languages():
    table = make_songs(90)
    table["name"] = [
        f"{'La vie est dans le coeur' if i % 2 else 'The way you love me'} {i}" for i in range(90)
    ]
    recommender = Recommender().fit(table)
    assert set(recommender.traits_.language) == {"en", "fr"}
    playlist = recommender.playlist("id0", n=10, languages=["fr"])
    assert playlist["name"].str.startswith("La vie").all()
    with pytest.raises(ValueError, match=r"languages: no song has 'de'; there are en, fr"):
        recommender.playlist("id0", languages=["de"])


def test_earlier_playlists_are_not_repeated(recommender):
    first = recommender.playlist("id0")
    second = recommender.playlist("id0", exclude=[first])
    third = recommender.playlist("id0", exclude=[first, second, "calm band 27"])
    assert len({*first["id"], *second["id"], *third["id"]}) == 30
    assert recommender.playlist("id0", exclude=first)["id"].tolist() == second["id"].tolist()
    elsewhere = pd.DataFrame({"id": ["not here"], "name": ["Nor this"], "artist": ["Nobody"]})
    assert recommender.playlist("id0", exclude=elsewhere)["id"].tolist() == first["id"].tolist()


def test_what_is_excluded_must_be_known(recommender):
    with pytest.raises(SongNotFoundError, match=r"exclude: no artist is called 'Nobody', and no"):
        recommender.playlist("id0", exclude=["Nobody"])


def test_filters_that_leave_nothing_name_the_strictest(recommender):
    with pytest.raises(NoSongsLeftError, match=r"years removes 240 of 240 songs, tempo"):
        recommender.playlist("id0", years=(1950, 1960), tempo=(60, 200))


def test_a_filter_without_its_column_is_told(songs):
    recommender = Recommender().fit(songs.drop(columns=["explicit", "year", "popularity"]))
    for options in ({"explicit": False}, {"years": (1990, 1991)}, {"novelty": 0.5}):
        name = next(iter(options))
        with pytest.raises(ValueError, match=f"{name}: the songs have no column"):
            recommender.playlist("id0", **options)
    assert recommender.playlist("id0")["year"].isna().all()


def test_a_short_list_says_why(recommender):
    with pytest.warns(ShortPlaylistWarning, match=r"expected 500 songs, found \d+: .* 240 songs"):
        playlist = recommender.playlist("id0", n=500)
    assert playlist["id"].is_unique
    with pytest.warns(ShortPlaylistWarning, match="years removes"):
        recommender.playlist("id0", n=100, years=(1990, 1991))


# --- dislikes, novelty, variety -----------------------------------------------------------


def measure_mean_distance(recommender, playlist, song) -> float:
    points = recommender.points_[recommender.find_rows(playlist["id"].tolist())]
    return float(
        np.linalg.norm(points - recommender.points_[recommender.find_rows(song)], axis=1).mean()
    )


def test_what_is_close_to_a_dislike_is_moved_away(recommender):
    disliked = recommender.playlist("id0", cost=None)["id"].iloc[0]
    plain = recommender.playlist("id0", exclude=disliked, cost=None)
    other = recommender.playlist("id0", dislikes=disliked, cost=None)
    assert disliked not in set(other["id"])
    here, there = (measure_mean_distance(recommender, it, disliked) for it in (plain, other))
    assert there > here


def test_dislikes_alone_say_nothing(recommender):
    with pytest.raises(ValueError, match="at least one song beside the dislikes"):
        recommender.playlist([], dislikes=["id0"])
    with pytest.raises(ValueError, match="dislikes: 'Calm Song 6' is a seed, too"):
        recommender.playlist(["id6"], dislikes=["id9", "id6"])


def test_novelty_prefers_songs_that_fewer_know(songs, recommender):
    fame = [
        look_up(songs, recommender.playlist("id0", novelty=novelty))["popularity"].mean()
        for novelty in (0.0, 0.3, 1.0)
    ]
    assert fame[0] > fame[1] > fame[2]


def test_chance_gives_other_lists_that_are_nearly_as_close(recommender):
    plain = recommender.playlist("id0")
    pd.testing.assert_frame_equal(plain, recommender.playlist("id0"))
    lists = [recommender.playlist("id0", random_state=seed) for seed in range(6)]
    pd.testing.assert_frame_equal(lists[3], recommender.playlist("id0", random_state=3))
    assert len({tuple(sorted(it["id"])) for it in lists}) == 6
    scores = [it["score"].mean() for it in lists]
    assert plain["score"].mean() - 15 < np.mean(scores) <= plain["score"].mean()


def test_more_seeds_than_songs_lead_from_all_over_the_list(recommender):
    seeds = [f"id{i}" for i in range(0, 60, 3)]
    playlist = recommender.playlist(seeds, n=3, cost=None)
    assert set(playlist["seed"]) == {"Calm Song 0", "Calm Song 27", "Calm Song 57"}
    assert not set(playlist["id"]) & set(seeds)


# --- kinds of songs -----------------------------------------------------------------------


def test_the_studio_version_comes_in_the_place_of_the_concert(songs):
    live = songs.assign(id="live-" + songs["id"], name=songs["name"] + " - Live")
    studio = songs.assign(energy=1 - songs["energy"], valence=1 - songs["valence"])
    both = pd.concat([live, studio], ignore_index=True)
    playlist = Recommender().fit(both).playlist("live-id0", n=15)
    assert not playlist["id"].str.startswith("live-").any()
    only = Recommender().fit(live).playlist("live-id0", n=15)
    assert only["id"].str.startswith("live-").all()


def test_who_speaks_follows_only_who_speaks():
    table = make_songs(90)
    spoken = table.index[table["name"].str.startswith("Calm")][:20]
    table.loc[spoken, "name"] = [f"Die drei ??? - Kapitel {i:02}" for i in range(20)]
    table.loc[spoken, "speechiness"] = 0.95
    recommender = Recommender().fit(table)
    assert recommender.traits_.spoken[spoken].all()
    for seed in ("id75", "id1"):
        playlist = recommender.playlist(seed, n=40)
        assert not playlist["id"].isin(table["id"][spoken]).any()
    assert recommender.playlist("id0", n=5)["id"].isin(table["id"][spoken]).any()
