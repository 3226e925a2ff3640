"""Songs that are asked for by name: spelt well, misspelt, in part, or by a title of several."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from test_recommend import make_songs

from aares import data
from aares.errors import AaresError
from aares.recommend import AmbiguousSongError, Recommender, SongNotFoundError
from aares.recommend.catalogue import read_artists
from aares.recommend.finding.finder import SongFinder
from aares.recommend.finding.seeds import read_queries
from aares.recommend.finding.spelling import NameIndex, count_trigrams, squash
from workshop import config

SONGS = [
    ("Hallelujah", ("Jeff Buckley",), 73, 1994),
    ("Hallelujah - Live at Sin-é", ("Jeff Buckley",), 42, 1993),
    ("Hallelujah", ("Leonard Cohen",), 68, 1984),
    ("Hallelujah", ("k.d. lang",), 55, 2010),
    ("Hallelujah (feat. Natalia)", ("Gabriel Rios", "Natalia"), 42, 2011),
    ("Hallelujah", ("Stan Walker",), 34, 2009),
    ("Hallelujah", ("Alexandra Burke",), 64, 2009),
    ("Clair de Lune, L. 32", ("Claude Debussy", "Martin Jones"), 70, 1994),
    ("Clair de Lune, No. 3", ("Claude Debussy", "Isao Tomita"), 40, 1986),
    ("Clair de lune from Suite bergamasque", ("Claude Debussy",), 37, 1974),
    ("Nocturne No. 1 in B-Flat Minor, Op. 9", ("Frédéric Chopin",), 60, 1965),
    ("Nocturne No. 2 in E-Flat Major, Op. 9", ("Frédéric Chopin",), 71, 1965),
    ("Here Comes The Sun - Remastered 2009", ("The Beatles",), 85, 1969),
    ("Love Me Do", ("The Beatles",), 66, 1963),
    ("Love You To", ("The Beatles",), 50, 1966),
    ("Don’t Stop Me Now - Remastered 2011", ("Queen",), 80, 1978),
    ("Bohemian Rhapsody - Remastered 2011", ("Queen",), 79, 1975),
    ("Bohemian Rhapsody", ("Queen",), 77, 2018),
    ("Bohemian Rhapsody - Live Aid", ("Queen",), 70, 1985),
    ("99 Luftballons", ("Nena",), 70, 1983),
    ("7 Years", ("Lukas Graham",), 81, 2015),
    ("Crazy In Love (feat. JAY-Z)", ("Beyoncé", "JAY-Z"), 78, 2003),
    ("Praise The Lord", ("A$AP Rocky", "Skepta"), 82, 2018),
    ("Sweet Child O' Mine", ("Guns N' Roses",), 84, 1987),
    ("アイドル", ("YOASOBI",), 83, 2020),
    ("Группа крови", ("Кино",), 61, 1988),
    ("봄날", ("방탄소년단",), 74, 2017),
    ("حبيبي يا نور العين", ("عمرو دياب",), 55, 1996),
    ("♥", ("!!!",), 33, 2010),
    ("Despacito", ("Luis Fonsi",), 60, 2017),
    ("Despacito", ("Daddy Yankee",), 50, 2018),
    ("Despacito", ("Luis Fonsi", "Daddy Yankee"), 80, 2017),
    ("Intro", ("",), 40, 2001),
    ("Intro", ("",), 35, 2002),
]  # fmt: skip


@pytest.fixture(scope="module")
def songs() -> pd.DataFrame:
    table = make_songs(len(SONGS))
    names, artists, popularity, year = zip(*SONGS, strict=True)
    return table.assign(name=names, artists=list(artists), popularity=popularity, year=year)


@pytest.fixture(scope="module")
def recommender(songs) -> Recommender:
    return Recommender().fit(songs)


@pytest.fixture(scope="module")
def find(recommender) -> Callable[..., tuple[str, str]]:
    """Return title and artists of the song that a seed means."""

    def tell(seed, **options):
        [row] = recommender.find_rows(seed, **options)
        return SONGS[row][:2]

    return tell


# --- one song, however it is written ------------------------------------------------------


@pytest.mark.parametrize(
    ("seed", "title"),
    [
        (("Clair de Lune", "Claude Debussy"), "Clair de Lune, L. 32"),
        ("Claude Debussy - Clair de Lune", "Clair de Lune, L. 32"),
        ("Clair de Lune, No. 3", "Clair de Lune, No. 3"),
        ("Bohemian Rhapsody - Remastered 2011", "Bohemian Rhapsody - Remastered 2011"),
        ("Bohemian Rhapsody - 2011 Remaster", "Bohemian Rhapsody - Remastered 2011"),
        (
            "Queen - Bohemian Rhapsody (Official Video) [HD]",
            "Bohemian Rhapsody - Remastered 2011",
        ),
        ("Here Comes The Sun | The Beatles", "Here Comes The Sun - Remastered 2009"),
        ("  THE BEATLES - HERE COMES THE SUN  ", "Here Comes The Sun - Remastered 2009"),
        ("Dont Stop Me Now", "Don’t Stop Me Now - Remastered 2011"),
        ("Don't stop me now - Queen", "Don’t Stop Me Now - Remastered 2011"),
        ("Here Comes the Sun - Beatles", "Here Comes The Sun - Remastered 2009"),
        (("Here Comes the Sun", "Beatles, The"), "Here Comes The Sun - Remastered 2009"),
        ("99 luft balloons - Nena", None),
        ("99 Luft Ballons", "99 Luftballons"),
        ("Seven Years", "7 Years"),
        ("Beyonce ft. Jay Z - Crazy in Love", "Crazy In Love (feat. JAY-Z)"),
        ("Praise the Lord - ASAP Rocky", "Praise The Lord"),
        (("Sweet Child O Mine", "Guns and Roses"), "Sweet Child O' Mine"),
        ("YOASOBI - アイドル 🎵", "アイドル"),
        ("ГРУППА КРОВИ", "Группа крови"),
        ("봄날 - 방탄소년단", "봄날"),
        ("حبيبي يا نور العين", "حبيبي يا نور العين"),
        ("♥", "♥"),
        (("♥", "!!!"), "♥"),
        ("Despacito", "Despacito"),
    ],
    ids=str,
)
def test_one_song_is_found_however_it_is_written(find, recommender, seed, title):
    if title is None:
        with pytest.raises(SongNotFoundError, match="did you mean 99 Luftballons by Nena"):
            find(seed)
    else:
        assert find(seed)[0] == title
        assert recommender.find_songs(seed)["name"].iloc[0] == title


def test_of_releases_the_exact_title_comes_first_then_the_most_popular(find):
    assert find("bohemian rhapsody")[0] == find(("Bohemian Rhapsody", "Queen"))[0]
    assert find("bohemian rhapsody")[0] == "Bohemian Rhapsody"
    assert find("Bohemian Rhapsody (Karaoke)")[0] == "Bohemian Rhapsody - Remastered 2011"


def test_a_dash_before_another_name_is_no_version(find):
    with pytest.raises(SongNotFoundError, match=r"no song .*Hallelujah - Nobody.*did you mean"):
        find("Hallelujah - Nobody")
    assert find("7 Years - Live")[0] == "7 Years"


# --- several songs of one title -----------------------------------------------------------


def test_several_songs_of_a_title_are_listed(find):
    with pytest.raises(AmbiguousSongError) as caught:
        find("hallelujah")
    assert str(caught.value) == (
        "6 songs match 'hallelujah': Hallelujah by Jeff Buckley (1994), Hallelujah by Leonard "
        "Cohen (1984), Hallelujah by Alexandra Burke (2009), Hallelujah by k.d. lang (2010), "
        'Hallelujah (feat. Natalia) by Gabriel Rios (2011) and 1 more; say which, as ("Hallelujah",'
        ' "Jeff Buckley"), or take the most popular with pick="popular"'
    )
    assert isinstance(caught.value, AaresError) and isinstance(caught.value, LookupError)
    assert find("Hallelujah", pick="popular") == SONGS[0][:2]


@pytest.mark.parametrize(
    ("seed", "count", "first"),
    [
        (("Nocturne", "Frédéric Chopin"), 2, "Nocturne No. 2 in E-Flat Major, Op. 9"),
        (("Love", "The Beatles"), 2, "Love Me Do"),
        ("Hallelujah (Live)", 6, "Hallelujah"),
        ("Intro", 2, "Intro"),
    ],
)
def test_what_to_write_instead_means_the_first_that_is_listed(find, seed, count, first):
    with pytest.raises(AmbiguousSongError, match=f"^{count} songs match ") as caught:
        find(seed)
    written = re.search(r"say which, as (?:the id )?(.*), or take", str(caught.value))
    assert written is not None
    assert find(ast.literal_eval(written[1])) == find(seed, pick="popular")
    assert find(seed, pick="popular")[0] == first


def test_releases_of_one_recording_are_one_song(songs):
    titles = pd.DataFrame({"id": ["a", "b"], "name": ["Baby Boy", "Baby Boy"]})
    artists = [("Sean Paul",), ("Beyoncé",)]
    [query] = read_queries("Baby Boy")
    with pytest.raises(AmbiguousSongError):
        SongFinder(titles, artists, recording=[0, 1]).find(query)
    finder = SongFinder(titles.assign(popularity=[1, 2]), artists, recording=np.array([7, 7]))
    assert finder.find(query) == 1


def test_a_known_artist_settles_whatever_stands_in_the_table():
    names = ["Intro", "Intro", "Inside - Looking Out", "Inside Looking Out", "Footprints"] * 2
    artists = [("Various Artists",)] * 2 + [("The Animals",)] * 2 + [("T.O.K",)]
    artists += [*artists[:4], ("Tok",)]
    table = pd.DataFrame({"id": range(10), "name": names, "popularity": range(10)})
    finder = SongFinder(table, artists)
    pairs = [("Footprints", "T.O.K"), ("Footprints", "tok"), ("Intro", "various artists")]
    rows = [finder.find(query) for query in read_queries([*pairs, (names[2], "The Animals")])]
    assert rows == [4, 9, 6, 8]
    with pytest.raises(AmbiguousSongError, match="4 songs match 'Intro'"):
        finder.find(read_queries("Intro")[0])


def test_a_duet_is_the_song_of_each_of_its_singers():
    table = pd.DataFrame({"id": range(3), "name": ["Sway"] * 3, "popularity": [3, 2, 1]})
    finder = SongFinder(table, [("Ann",), ("Bob",), ("Ann", "Bob")])
    assert finder.find(read_queries("Sway")[0]) == 0


def test_the_row_of_a_table_that_is_ambiguous_is_named(recommender):
    table = pd.DataFrame({"name": ["7 Years", "Hallelujah"]})
    with pytest.raises(AmbiguousSongError, match="^seed, item 2: 6 songs match 'Hallelujah'"):
        recommender.playlist(table)
    with pytest.raises(SongNotFoundError, match=r"no song 'Nope Nope' \(seed, item 1\)"):
        recommender.playlist([{"name": "Nope Nope"}])
    assert len(recommender.find_rows(table, pick="popular")) == 2
    settled = table.assign(artist=["", "Stan Walker"])
    assert recommender.find_rows(settled).tolist() == [20, 5]
    assert recommender.find_rows(table.assign(id=["id20", "id3"])).tolist() == [20, 3]


@pytest.mark.parametrize(
    "pick", ["first", "", 1, True, ["popular"], np.array(["popular"])], ids=str
)
def test_other_ways_to_pick_are_refused(recommender, pick):
    for ask in (recommender.playlist, recommender.find_rows, recommender.find_song):
        with pytest.raises(ValueError, match="^pick: expected 'popular' or None, found"):
            ask("7 Years", pick=pick)


# --- find_songs ---------------------------------------------------------------------------


def test_a_table_of_what_a_text_may_mean(recommender):
    found = recommender.find_songs("jef bukley halelujah", 3)
    assert list(found) == ["id", "name", "artist", "year", "popularity", "match"]
    assert found.index.tolist() == [1, 2, 3]
    assert found.iloc[0].drop("match").tolist() == ["id0", "Hallelujah", "Jeff Buckley", 1994, 73]
    assert 85 <= found["match"].iloc[0] < 100 and found["match"].is_monotonic_decreasing


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hallelujah", ["Jeff Buckley", "Leonard Cohen", "Alexandra Burke", "k.d. lang",
                        "Gabriel Rios, Natalia", "Stan Walker"]),
        ("Leonard Cohen - Halleluja", ["Leonard Cohen"]),
        ("Leonrad Choen Halleluja", ["Leonard Cohen"]),
        ("clair de lune debussy", ["Claude Debussy"]),
        ("the beatles", ["The Beatles"]),
        ("beetles", ["The Beatles"]),
        ("id19", ["Nena"]),
        (("Luftbalons", ""), ["Nena"]),
        ("luftballons", ["Nena"]),
        ("группа кровь", ["Кино"]),
        ("bohemian rap", ["Queen"]),
    ],
    ids=str,
)  # fmt: skip
def test_titles_and_artists_in_either_order_or_in_part(recommender, text, expected):
    found = recommender.find_songs(text)["artist"].tolist()
    assert [artist.split(",")[0] for artist in found[: len(expected)]] == [
        artist.split(",")[0] for artist in expected
    ]


def test_each_song_is_found_once_by_its_best_release(recommender):
    found = recommender.find_songs("Bohemian Rhapsody Live Aid Queen")
    assert (found["name"] == "Bohemian Rhapsody - Live Aid").sum() == 1
    assert found["name"].str.startswith("Bohemian").sum() == 1


def test_songs_of_an_artist_come_most_popular_first(recommender):
    found = recommender.find_songs("Queen")
    assert found["popularity"].tolist() == [80, 79] and set(found["artist"]) == {"Queen"}


def test_nothing_near_is_an_empty_table(recommender):
    found = recommender.find_songs("zzzzzzzzz")
    assert found.empty and list(found) == list(recommender.find_songs("Queen"))


@pytest.mark.parametrize("text", [None, "", "  ", 2.5, [], ["7 Years", "Intro"], b"x"], ids=repr)
def test_what_is_no_text_is_refused(recommender, text):
    with pytest.raises(ValueError, match="^text"):
        recommender.find_songs(text)


@pytest.mark.parametrize("limit", [0, -1, 2.5, "10", None, True], ids=repr)
def test_what_is_no_limit_is_refused(recommender, limit):
    with pytest.raises(ValueError, match="^limit: expected a whole number from 1, found"):
        recommender.find_songs("Queen", limit)


# --- spelling -----------------------------------------------------------------------------


def test_trigrams_are_counted_as_a_set_would():
    names = ["hello", "help", "la la la", "", "봄날", "x"]
    index = NameIndex(names)

    def list_trigrams(name):
        return {f" {name} "[i : i + 3] for i in range(len(name))}

    assert index.sizes.tolist() == [len(list_trigrams(name)) for name in names]
    for text in [*names, "hel la", "yellow"]:
        shared = [len(list_trigrams(text) & list_trigrams(name)) for name in names]
        assert index.count_shared(text).tolist() == shared
        assert count_trigrams(text) == len(list_trigrams(text))


def test_names_that_are_spelt_by_taste():
    for names in (
        ("R.E.M.", "REM"), ("AC/DC", "ACDC", "AC DC"), ("P!nk", "Pink"), ("Ke$ha", "Kesha"),
        ("Beatles", "The Beatles", "Beatles, The"), ("Rock 'n' Roll", "Rock & Roll"),
        ("Trentemøller", "Trentemoller"), ("Part II", "Part Two", "Part 2"),
        ("Don’t", "Don't", "Dont"),
    ):  # fmt: skip
        assert len({squash(name) for name in names}) == 1, names
    assert squash("The The") != squash("The Who") and squash("!!!") == "!!!"


def misspell(text: str, rng: np.random.Generator) -> str:
    """Drop, add, change or swap one letter or two."""
    for _ in range(rng.integers(1, 3)):
        i, letter = int(rng.integers(len(text))), string.ascii_lowercase[rng.integers(26)]
        text = [
            text[:i] + text[i + 1 :] if len(text) > 1 else text,
            text[:i] + letter + text[i:],
            text[:i] + letter + text[i + 1 :],
            text[:i] + text[i : i + 2][::-1] + text[i + 2 :],
        ][rng.integers(4)]
    return text


@pytest.fixture(scope="module")
def demo() -> tuple[pd.DataFrame, SongFinder]:
    table = data.load_recommendation(config.find_data("demo")).reset_index(drop=True)
    return table, SongFinder(table, read_artists(table))


@pytest.mark.parametrize(
    ("ask", "floor"),
    [
        (lambda title, artist, rng: misspell(title, rng), 0.93),
        (lambda title, artist, rng: f"{misspell(title, rng)} - {artist}", 0.98),
        (lambda title, artist, rng: f"{artist} {misspell(title, rng)}", 0.98),
        (lambda title, artist, rng: f"{misspell(artist, rng)} - {misspell(title, rng)}", 0.98),
        (lambda title, artist, rng: (misspell(title, rng), misspell(artist, rng)), 0.98),
    ],
    ids=["title", "title - artist", "artist title", "both misspelt", "pair"],
)
def test_misspelt_songs_of_the_demo_are_found_first(demo, ask, floor):
    table, finder = demo
    rng = np.random.default_rng(0)
    rows = rng.choice(len(table), 300, replace=False)
    found = 0
    for row in rows:
        text = ask(table["name"][row].split(" - ")[0], table["artists"][row][0], rng)
        hits = finder.search(text, 1)
        found += bool(hits) and finder.bare[hits[0][0]] == finder.bare[row]
    assert found / len(rows) >= floor, found
