"""What people give as a seed, and the song that it means; and errors in our words for the rest."""

from __future__ import annotations

import math
from collections import OrderedDict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_recommend import make_songs

from aares.recommend import Recommender, SongNotFoundError
from aares.recommend.finding.seeds import read_queries
from aares.recommend.finding.spelling import is_by

LONG_ID = "4uLU6hMCjMI75M1A2tKUQC"
SONGS = [
    ("a1", "Under Pressure - Remastered 2011", ("Queen", "David Bowie"), 80),
    ("a2", "Under Pressure", ("Cover Club",), 90),
    ("a3", "The Sound of Silence", ("Simon & Garfunkel",), 70),
    ("a4", "Chiquitita", ("ABBA",), 60),
    ("a5", "Umbrella", ("Rihanna", "JAY-Z"), 75),
    ("a6", "Rock & Roll", ("The Velvet Underground",), 50),
    ("a7", "Old Town Road", ("Lil Nas X", "Billy Ray Cyrus"), 85),
    ("a8", "See You Again", ("Tyler, The Creator", "Kali Uchis"), 65),
    ("a9", "Stand by Me", ("Ben E. King",), 77),
    ("b1", "September - Live", ("Earth, Wind & Fire", "The Emotions"), 66),
    ("b2", "ABBA", ("Nobody Else",), 99),
    (LONG_ID, "Never Gonna Give You Up", ("Rick Astley",), 88),
]


@pytest.fixture(scope="module")
def songs() -> pd.DataFrame:
    table = make_songs(len(SONGS))
    table["id"], table["name"], table["artists"], table["popularity"] = zip(*SONGS, strict=True)
    return table


@pytest.fixture(scope="module")
def recommender(songs) -> Recommender:
    return Recommender().fit(songs)


@pytest.fixture(scope="module")
def find(recommender):
    """Return the ids of the songs that a seed means."""
    return lambda seed: recommender.songs_["id"].iloc[recommender.find_rows(seed)].tolist()


# --- artists ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "artist", "expected"),
    [
        ("Under Pressure", "Queen & David Bowie", "a1"),
        ("Under Pressure", "Queen, David Bowie", "a1"),
        ("Under Pressure", "David Bowie and Queen", "a1"),
        ("Under Pressure", "queen feat. david bowie", "a1"),
        ("Under Pressure", "Queen ft David Bowie", "a1"),
        ("Under Pressure", "Queen featuring David Bowie", "a1"),
        ("Under Pressure", "Queen with David Bowie", "a1"),
        ("Under Pressure", "Queen x David Bowie", "a1"),
        ("Under Pressure", "Queen / David Bowie", "a1"),
        ("Under Pressure", "Queen;David Bowie", "a1"),
        ("Under Pressure", "['Queen', 'David Bowie']", "a1"),
        ("Under Pressure", ("Queen", "David Bowie"), "a1"),
        ("Under Pressure", np.array(["Queen", "David Bowie"]), "a1"),
        ("Under Pressure", "Queen", "a1"),
        ("Under Pressure", "Queen feat. Somebody Else", "a1"),
        ("Under Pressure (feat. David Bowie)", "Queen", "a1"),
        ("Under Pressure feat. David Bowie", "Queen", "a1"),
        ("Chiquitita", "", "a4"),
        ("Chiquitita", None, "a4"),
        ("Chiquitita", math.nan, "a4"),
        ("The Sound of Silence", "Simon and Garfunkel", "a3"),
        ("The Sound of Silence", "simon garfunkel", "a3"),
        ("Rock and Roll", "The Velvet Underground", "a6"),
        ("Rock Roll", "The Velvet Underground", "a6"),
        ("Old Town Road", "Lil Nas X feat. Billy Ray Cyrus", "a7"),
        ("Old Town Road", "Billy Ray Cyrus & Lil Nas X", "a7"),
        ("See You Again", "Tyler, The Creator feat. Kali Uchis", "a8"),
        ("September", "Earth, Wind and Fire with The Emotions", "b1"),
    ],
)
def test_artists_as_people_write_them(find, title, artist, expected):
    assert find((title, artist)) == [expected]


def test_a_text_names_artists_of_the_song_and_nobody_else():
    assert is_by("Queen", ("Queen", "David Bowie"))
    assert not is_by("Queen & Somebody", ("Queen", "David Bowie"))
    assert not is_by("Queen & Queen", ("Queen", "David Bowie"))
    assert not is_by("Queens", ("Queen",)) and not is_by("and", ("Queen",))
    assert not is_by("", ("Queen",)) and not is_by("Bowie", ("David Bowie",))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["Queen", "Earth, Wind & Fire", "X", "The The", "Y And T", "!!!"]),
             min_size=1, max_size=4, unique=True),
    st.sampled_from([" & ", ", ", " feat. ", " ft. ", " with ", " x ", " and ", " vs. ", "; "]),
    st.randoms(),
)  # fmt: skip
def test_any_order_of_the_artists_with_any_sign_between_names_them(names, sign, random):
    asked = random.sample(names, len(names))
    if "!!!" not in names:  # signs are told apart only where they stand alone
        assert is_by(sign.join(asked), names)
    assert all(is_by(name, names) for name in names)


# --- texts, links, rows -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a4", "a4"),
        (" a4 ", "a4"),
        ("chiquitita", "a4"),
        ("Chiquitita - ABBA", "a4"),
        ("ABBA - Chiquitita", "a4"),
        ("ABBA \u2013 Chiquitita", "a4"),
        ("Chiquitita by ABBA", "a4"),
        ("Under Pressure - Remastered 2011", "a1"),
        ("Queen - Under Pressure - Remastered 2011", "a1"),
        ("Under Pressure - Remastered 2011 - Queen & David Bowie", "a1"),
        ("David Bowie & Queen - Under Pressure", "a1"),
        ("Stand by Me", "a9"),
        ("Ben E. King - Stand By Me", "a9"),
        ("ABBA", "b2"),
        (f"spotify:track:{LONG_ID}", LONG_ID),
        (f"Spotify:Track:{LONG_ID}", LONG_ID),
        (f"https://open.spotify.com/track/{LONG_ID}", LONG_ID),
        (f"https://open.spotify.com/track/{LONG_ID}?si=9f1c&context=spotify%3Aplaylist", LONG_ID),
        (f"https://open.spotify.com/intl-fr/track/{LONG_ID}?si=12", LONG_ID),
        (f"https://open.spotify.com/intl-pt-BR/track/{LONG_ID}/", LONG_ID),
        (f"open.spotify.com/embed/track/{LONG_ID}#x", LONG_ID),
        (f"http://play.spotify.com/track/{LONG_ID}", LONG_ID),
        ("spotify:local:ABBA:Voulez-Vous:Chiquitita:325", "a4"),
        ("spotify:local:Queen+%26+David+Bowie::Under+Pressure:248", "a1"),
    ],
)
def test_texts_and_links(find, text, expected):
    assert find(text) == [expected]
    assert find([text]) == [expected]
    assert find(np.str_(text)) == [expected]


@pytest.mark.parametrize(
    ("link", "what"),
    [
        ("spotify:album:1", "an album"),
        ("spotify:artist:1", "an artist"),
        ("spotify:playlist:1", "a playlist"),
        ("spotify:user:me:playlist:1", "a playlist"),
        ("https://open.spotify.com/album/1?si=2", "an album"),
        ("https://open.spotify.com/intl-de/playlist/1", "a playlist"),
        ("https://open.spotify.com/episode/1", "an episode"),
        ("https://open.spotify.com/user/me/playlist/1", "a playlist"),
        ("https://open.spotify.com/", "a link"),
        ("https://spotify.link/Xy", "a short link"),
    ],
)
def test_links_to_something_else_are_told_apart(recommender, link, what):
    with pytest.raises(ValueError, match=f"seed, item 2: .*{what}"):
        recommender.playlist(["a4", link])


@pytest.mark.parametrize("link", ["spotify:track:", "spotify:track:a:b", "spotify:track:a b"])
def test_links_without_an_id(recommender, link):
    with pytest.raises(ValueError, match="seed: expected the id of a track in 'spotify:track"):
        recommender.playlist(link)


def test_a_link_to_a_song_that_is_not_in_the_table(recommender):
    with pytest.raises(SongNotFoundError, match=r"no song has the id 'zz' \('spotify:track:zz'\)"):
        recommender.playlist("spotify:track:zz")


def test_rows_of_a_playlist_are_seeds_again(recommender):
    playlist = recommender.playlist("a4", n=20)
    assert {"Queen, David Bowie", "Tyler, The Creator, Kali Uchis"} <= set(playlist["artist"])
    rows = recommender.find_rows(playlist).tolist()
    assert recommender.songs_["id"].iloc[rows].tolist() == playlist["id"].tolist()
    for row, (_, series) in zip(rows, playlist.iterrows(), strict=True):
        forms = [series, series.to_dict(), series[["name", "artist"]], OrderedDict(series)]
        forms += [tuple(series[["name", "artist"]]), f"{series['name']} - {series['artist']}"]
        assert [recommender.find_rows(form).tolist() for form in forms] == [[row]] * len(forms)
    for table in (
        playlist.to_dict("records"), playlist["id"], playlist["id"].to_numpy(),
        playlist.itertuples(),
        [series for _, series in playlist.iterrows()], playlist[["name", "artist"]],
        dict.fromkeys(playlist["id"]).keys(), (song for song in playlist["id"]),
    ):  # fmt: skip
        assert recommender.find_rows(table).tolist() == rows


def test_rows_of_the_songs_table_are_seeds(recommender, songs):
    assert recommender.find_rows(songs).tolist() == list(range(len(songs)))
    assert recommender.find_rows(songs.iloc[0]).tolist() == [0]
    assert recommender.find_rows(songs.drop(columns="id").iloc[[0, 4]]).tolist() == [0, 4]


@pytest.mark.parametrize(
    "row",
    [
        {"Track URI": f"spotify:track:{LONG_ID}", "Track Name": "x", "Artist Name(s)": "y"},
        {"track_name": "never gonna give you up", "artist_name": "Rick Astley"},
        {"id": "not-here", "name": "Never Gonna Give You Up", "artists": ["Rick Astley"]},
        {"id": None, "title": "Never Gonna Give You Up"},
        {"id": math.nan, "name": "Never Gonna Give You Up", "artist": math.nan},
        {"url": f"https://open.spotify.com/track/{LONG_ID}"},
    ],
    ids=str,
)
def test_rows_of_other_tables_are_seeds(find, row):
    assert find(row) == find(pd.Series(row)) == find(pd.DataFrame([row])) == [LONG_ID]


def test_a_pair_is_one_song_and_two_links_are_two(find):
    assert find(("Chiquitita", "ABBA")) == ["a4"]
    assert find((LONG_ID, f"spotify:track:{LONG_ID}")) == [LONG_ID]
    assert find((("Chiquitita", "ABBA"), ("ABBA", "Nobody Else"))) == ["a4", "b2"]
    assert find([["Chiquitita", "ABBA"], "a1"]) == ["a4", "a1"]
    assert find(("a4", "a1", "a4")) == ["a4", "a1"]


def test_a_set_of_seeds_has_one_order(find):
    assert find({"a4", "a1", "b2"}) == ["a1", "a4", "b2"]


def test_tables_whose_ids_are_numbers(songs):
    recommender = Recommender().fit(songs.assign(id=range(100, 100 + len(songs))))
    playlist = recommender.playlist(np.int64(103))
    assert recommender.find_rows([101, "102", 101]).tolist() == [1, 2]
    assert len(recommender.find_rows(playlist)) == len(playlist) == 10


# --- errors -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seed", "found"),
    [
        (None, "found None"),
        (2.5, r"found '2.5' \(float\)"),
        (True, r"found 'True' \(bool\)"),
        (b"a4", r"found .* \(bytes\)"),
        (math.nan, r"found a missing value \(float\)"),
        ("", "found an empty text"),
        ("  ", "found an empty text"),
        ([], "expected at least one song, found none"),
        ((), "expected at least one song, found none"),
        (pd.DataFrame(), "expected at least one song, found none"),
        (["a4", None], "seed, item 2: .*found None"),
        (["a4", ["a1", 3]], r"seed, item 2: .*\(list\)"),
        ([["a1", "a2", "a3"]], r"seed, item 1: .*\(list\)"),
        (pd.Series(["a4", math.nan]), "seed, item 2"),
        (np.array(2.5), "seed, item 1"),
        ({}, "found the columns 'none'"),
        ({"tempo": 120, "key": 3}, "found the columns 'tempo, key'"),
        ({"name": None}, "expected a row with 'id' or 'name'"),
        (("", "ABBA"), "expected a title, found an empty text"),
        (object(), r"\(object\)"),
        (len, r"\(builtin_function_or_method\)"),
    ],
    ids=repr,
)
def test_what_is_no_seed_is_refused_in_our_words(recommender, seed, found):
    with pytest.raises(ValueError, match=found):
        recommender.playlist(seed)


def test_a_row_number_is_no_id(recommender):
    with pytest.raises(SongNotFoundError, match="no song has the id '3'"):
        recommender.playlist(3)


def test_two_ids_in_a_tuple_are_told_that_a_list_is_meant(recommender):
    with pytest.raises(SongNotFoundError, match=r"no song 'a4' by 'a1'; .*list"):
        recommender.playlist(("a4", "a1"))


@pytest.mark.parametrize("name", [None, 7, "", math.nan, ["Chiquitita"]])
def test_a_title_is_a_text(recommender, name):
    with pytest.raises(ValueError, match="expected a title"):
        recommender.find_song(name)


@pytest.mark.parametrize("artist", [7, True, ["ABBA", 3], {"ABBA": 1}])
def test_an_artist_is_a_text(recommender, artist):
    with pytest.raises(ValueError, match="expected the name of an artist"):
        recommender.find_song("Chiquitita", artist)


@pytest.mark.parametrize("n", ["10", 2.5, 0, -1, True, None, math.nan, np.float64(3), [3], 10.0])
def test_what_is_no_number_of_songs(recommender, n):
    for option in ("n", "max_per_artist"):
        with pytest.raises(ValueError, match=f"^{option}: expected a whole number from 1, found"):
            recommender.playlist("a4", **{option: n})


@pytest.mark.parametrize("n", [3, np.int64(3), np.uint8(3)])
def test_any_whole_number_of_songs(recommender, n):
    assert len(recommender.playlist("a4", n)) == 3


@pytest.mark.parametrize(
    "options",
    [{"diversity": "0.5"}, {"diversity": math.nan}, {"diversity": True}, {"diversity": None},
     {"diversity": -0.1}, {"novelty": "new"}, {"cost": "no"}, {"arc": "up"}, {"years": 1990},
     {"tempo": (160, 80)}, {"random_state": -1}, {"explicit": "no"}, {"languages": []}],
    ids=str,
)  # fmt: skip
def test_other_options_are_checked(recommender, options):
    with pytest.raises(ValueError, match=f"^{next(iter(options))}: expected"):
        recommender.playlist("a4", **options)


def test_more_songs_than_there_are(recommender, songs):
    playlist = recommender.playlist("a4", n=10**9)
    assert len(playlist) == len(songs) - 1  # all but the seed
    assert playlist["id"].is_unique


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
        | st.binary(max_size=4) | st.sampled_from(["a1", "ABBA", "spotify:x", "Chiquitita - ABBA"]),
        lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner)
        | st.dictionaries(st.sampled_from(["id", "name", "artist", "x"]), inner, max_size=3),
        max_leaves=6,
    )
)  # fmt: skip
def test_any_seed_gives_songs_or_an_error_of_ours(seed):
    recommender = _fit_once()
    try:
        rows = recommender.find_rows(seed)
    except SongNotFoundError as error:
        assert str(error).startswith("no song ")
    except ValueError as error:
        assert str(error).startswith("seed")
    else:
        assert len(rows) >= 1 and set(rows.tolist()) <= set(range(len(SONGS)))


_FITTED: list[Recommender] = []


def _fit_once() -> Recommender:
    if not _FITTED:
        table = make_songs(len(SONGS))
        table["id"], table["name"], table["artists"], table["popularity"] = zip(*SONGS, strict=True)
        _FITTED.append(Recommender().fit(table))
    return _FITTED[0]


def test_queries_know_no_table():
    texts = ["Hello", "a - b", f"spotify:track:{LONG_ID}", LONG_ID]
    hello, pair, link, song = read_queries(texts)
    assert hello.readings == (("Hello", ""),)
    assert pair.readings == (("a - b", ""), ("a", "b"), ("b", "a"))
    assert (link.id, link.readings) == (LONG_ID, ()) and song.id == LONG_ID


# --- artists who are nobody ---------------------------------------------------------------


@pytest.mark.parametrize(
    "nobody",
    [(), ("",), ("Various Artists",), ("various artists",), ("Unknown",), ("Traditional",),
     ("Various Artists", ""), ("V.A.",), ("Artistes variés",), ("Verschiedene Künstler",)],
    ids=str,
)  # fmt: skip
def test_many_and_none_are_no_artist_of_their_own(nobody):
    table = make_songs(30).iloc[::3].reset_index(drop=True)
    table["artists"] = [nobody] * len(table)
    recommender = Recommender().fit(table)
    assert len(recommender.playlist("id0", n=9, max_per_artist=1)) == 9
    assert len(Recommender().fit(table.assign(name="Intro")).playlist("id0", n=9)) == 9


def test_a_named_artist_beside_many_counts():
    table = make_songs(30).iloc[::3].reset_index(drop=True)
    table["artists"] = [("Various Artists", "ABBA")] * len(table)
    assert len(Recommender().fit(table).playlist("id0", n=9, max_per_artist=2)) == 2
    again = table.assign(name="Intro")
    assert len(Recommender().fit(again).playlist("id0", n=9)) == 0


def test_an_artist_is_one_however_the_name_is_written():
    table = make_songs(30).iloc[::3].reset_index(drop=True)
    table["artists"] = [("Beyoncé",), ("BEYONCE",)] * 5
    assert len(Recommender().fit(table).playlist("id0", n=9, max_per_artist=2)) == 2
