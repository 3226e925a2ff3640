"""Exercise 3: what is known of each song: one recording, its kind, its year, spoken, language."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aares.data import load_recommendation, make_songs
from aares.recommend.catalogue import Catalogue, read_catalogue
from aares.recommend.traits.languages import CODES, tell_languages
from aares.recommend.traits.naming import bare_title, fold, list_guests, list_keys
from aares.recommend.traits.recordings import join_rows
from aares.recommend.traits.sounds import SHARES, find_same_sounds
from aares.recommend.traits.spoken import find_spoken
from aares.recommend.traits.traits import Traits, read_traits
from aares.recommend.traits.versions import IMITATION, LIVE, OTHER, STUDIO, tell_version
from aares.recommend.traits.works import is_classical, list_work_keys
from workshop import config

PLAIN = {"speechiness": 0.05, "liveness": 0.1}


def make_catalogue(rows: list[tuple], **columns) -> Catalogue:
    """Songs (title, artists, year) whose sounds all differ."""
    names, artists, years = zip(*rows, strict=True)
    count = len(rows)
    songs = make_songs("recommendation", count, name=list(names), year=list(years))
    songs = songs.assign(artists=[(it,) if isinstance(it, str) else it for it in artists])
    songs = songs.assign(duration_ms=np.arange(count) * 5000 + 120_000, **PLAIN)
    songs["id"] = [f"id{row}" for row in range(count)]
    return read_catalogue(songs.assign(**columns))


def read(rows: list[tuple], **columns) -> Traits:
    return read_traits(make_catalogue(rows, **columns))


def are_one(*songs: tuple) -> bool:
    """Whether all songs (title, artists) are one recording."""
    return len(set(read([(*song, 2000) for song in songs]).recording)) == 1


def partition(labels: np.ndarray, order: np.ndarray) -> set[frozenset[int]]:
    """Groups of the rows that `order` had put in a row."""
    groups: dict[int, set[int]] = {}
    for label, row in zip(labels, order, strict=True):
        groups.setdefault(int(label), set()).add(int(row))
    return {frozenset(group) for group in groups.values()}


# --- one recording ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "one, other",
    [
        (("Baby Boy (feat. Sean Paul)", "Beyoncé"), ("Baby Boy", "Sean Paul")),
        (("Baby Boy", ("Beyoncé", "Sean Paul")), ("Baby Boy (feat. Beyonce)", "Sean Paul")),
        (("Let It Be", "The Beatles"), ("Let It Be - Remastered 2009", "The Beatles")),
        (("Let It Be", "The Beatles"), ("Let It Be 2009 Remaster", "The Beatles")),
        (("Let It Be", "The Beatles"), ("LET IT BE (Live) [Mono]", "The Beatles")),
        (("Let It Be", "The Beatles"), ("Let It Be — Naked", "The Beatles")),
        (("Déjà vu", "Beyoncé"), ("Deja Vu", "Beyonce")),
        (("Rock & Roll", "Led Zeppelin"), ("Rock and Roll", "Led Zeppelin")),
        (("The Boxer", "Simon & Garfunkel"), ("Boxer", "Garfunkel")),
        (("(I Can't Get No) Satisfaction", "X"), ("I Can't Get No Satisfaction - Mono", "X")),
        (("Evidências - Ao Vivo", "X"), ("Evidências", "X")),
        (("One feat. Mary J. Blige", "U2"), ("One", "Mary J. Blige")),
        (("???", "X"), ("???", "X")),
    ],
)
def test_one_title_with_a_shared_artist_is_one_recording(one, other):
    assert are_one(one, other)


@pytest.mark.parametrize(
    "one, other",
    [
        (("Hallelujah", "Jeff Buckley"), ("Hallelujah", "Leonard Cohen")),
        (("Hallelujah", "Various Artists"), ("Hallelujah", "Various Artists")),
        (("Hallelujah", ""), ("Hallelujah", "")),
        (("", "X"), ("", "X")),
        (("Hallelujah", "Traditional & Ann"), ("Hallelujah", "Bob / Traditional")),
        (("Hello", "X"), ("Hello Again", "X")),
        (("Fastlove, Pt. 1", "X"), ("Fastlove, Pt. 2", "X")),
        (("Symphony No. 5: II. Andante", "Mahler"), ("Symphony No. 5: III. Allegro", "Mahler")),
        (("Sommer - I. Allegro", "Vivaldi"), ("Sommer - III. Presto", "Vivaldi")),
        (("Nocturne No. 1 in E-Flat", "Chopin"), ("Nocturne No. 2 in E-Flat", "Chopin")),
    ],
)
def test_other_songs_are_told_apart(one, other):
    assert not are_one(one, other)


def test_a_work_is_one_under_the_names_that_performers_give_it():
    names = ("Nocturne No.2 In E Flat, Op.9 No.2", "Nocturnes, Op. 9: No. 2 in E-Flat Major")
    assert are_one(
        *((name, ("Frédéric Chopin", who)) for name, who in zip(names, "AB", strict=True))
    )
    moons = ("Clair de Lune, No. 3", "Suite bergamasque, L. 75: III. Clair de lune")
    assert are_one(
        *((name, ("Claude Debussy", who)) for name, who in zip(moons, "AB", strict=True))
    )
    assert not are_one(*((name, who) for name, who in zip(moons, "AB", strict=True)))


def make_twins(**changes: float) -> Catalogue:
    """Two songs of other names and artists that measure the same but for the changes."""
    catalogue = make_catalogue([("Uno", "A", 2000), ("Due", "B", 2000)], duration_ms=200_000)
    songs = catalogue.songs
    for name, change in changes.items():
        songs[name] = songs[name].iloc[0] + np.array([0, change])
    return read_catalogue(songs)


@pytest.mark.parametrize(
    "changes, same",
    [
        ({}, True),
        ({"duration_ms": 3000, "tempo": 0.5, "valence": 0.02}, True),
        ({"duration_ms": 3010}, False),
        ({"tempo": 0.52}, False),
        ({"valence": 0.1, "liveness": 0.5}, True),  # six of the eight still agree
        ({"valence": 0.1, "liveness": 0.5, "energy": 0.05}, False),
    ],
)
def test_the_same_sound_is_one_recording_whatever_it_is_called(changes, same):
    catalogue = make_twins(**changes)
    assert len(find_same_sounds(catalogue)) == same
    assert (len(set(read_traits(catalogue).recording)) == 1) == same


def test_close_sounds_are_the_pairs_that_all_comparisons_find():
    rng = np.random.default_rng(0)
    count = 300
    songs = make_songs("recommendation", count, name=[f"n{row}" for row in range(count)])
    songs = songs.assign(
        duration_ms=rng.integers(180_000, 190_000, count), tempo=rng.uniform(100, 103, count)
    )
    for name in SHARES:
        songs[name] = rng.choice([0.3, 0.32, 0.34], count)
    songs["loudness"] = rng.choice([-9.0, -8.0], count)
    frame = songs[["loudness", *SHARES]].to_numpy()
    expected = [
        [one, other]
        for one, other in itertools.combinations(range(count), 2)
        if abs(songs["duration_ms"][one] - songs["duration_ms"][other]) <= 3000
        and abs(songs["tempo"][one] - songs["tempo"][other]) <= 0.5
        and (np.abs(frame[one] - frame[other]) <= 0.02 + 1e-9).sum() >= 6
    ]
    assert len(expected) > 100
    assert find_same_sounds(read_catalogue(songs)).tolist() == expected


TITLES = st.sampled_from(["SOS", "SOS - Live", "Intro", "Kapitel 1", "", "Op. 9 No. 2", "Sós (X)"])
PEOPLE = st.lists(st.sampled_from(["abba", "cher", "queen", "", "Various Artists"]), max_size=3)
ROWS = st.lists(
    st.tuples(TITLES, PEOPLE.map(tuple), st.integers(1950, 2020), st.integers(0, 3)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows, random):
    lengths = [180_000 + 60_000 * sound for *_, sound in rows]
    songs = make_catalogue([row[:3] for row in rows], duration_ms=lengths).songs
    order = np.array(random.sample(range(len(rows)), len(rows)))
    traits = read_traits(read_catalogue(songs))
    again = read_traits(read_catalogue(songs.iloc[order].reset_index(drop=True)))
    rows_in_order = np.arange(len(rows))
    assert partition(again.recording, order) == partition(traits.recording, rows_in_order)
    for name in ("version", "spoken", "wordy", "era", "language", "artist_language", "classical"):
        assert getattr(again, name).tolist() == getattr(traits, name)[order].tolist()


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_no_recording_is_later_than_its_release(rows):
    traits = read([row[:3] for row in rows])
    assert (traits.era <= [row[2] for row in rows]).all()
    assert (traits.recording[traits.preferred] == traits.recording).all()
    assert (traits.preferred[traits.preferred] == traits.preferred).all()


def test_groups_are_joined_by_names_and_pairs():
    names, rows = ["a", "b", "a", "b"], np.array([0, 1, 2, 3])
    assert join_rows(5, rows, names, np.empty((0, 2), int)).tolist() == [0, 1, 0, 1, 2]
    assert join_rows(5, rows, names, np.array([[1, 4]])).tolist() == [0, 1, 0, 1, 1]
    assert join_rows(5, rows, names, np.array([[0, 1]])).tolist() == [0, 0, 0, 0, 1]


def test_the_row_to_play_is_of_the_studio_then_popular():
    rows = [("SOS - Live", "ABBA", 1980), ("SOS", "ABBA", 1975), ("SOS - Remastered", "ABBA", 2001)]
    traits = read(rows, popularity=[90, 40, 60])
    assert traits.preferred.tolist() == [2, 2, 2]
    other = read([*rows, ("SOS", ("Cher", "ABBA"), 2018)], popularity=[90, 40, 60, 99])
    assert other.recording.tolist() == [0] * 4  # one recording, but another production of it
    assert other.preferred.tolist() == [2, 2, 2, 3]


# --- kinds --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind, titles",
    [
        (
            STUDIO,
            "Live and Let Die|Long Live|Live Your Life (feat. Rihanna)|SOS - 2011 Mix|"
            'SOS - Radio Edit|SOS (Mono Version)|SOS - Single Version|SOS - From "Mamma Mia"|'
            "Cover Me Up|Unplugged|(Live)|Instrumental|SOS - 1997 Remaster|SOS (Live It Up)|"
            "Money (That's How I Live)|Live Forever - Remastered",
        ),
        (
            LIVE,
            "SOS - Live|SOS (Live at Wembley)|SOS - Ao Vivo|SOS (En Vivo)|SOS - En Directo|"
            "SOS - MTV Unplugged|SOS - Live / Remastered 2011|SOS [Live]|SOS - Live In Tokyo/1979|"
            "SOS - Live 1980, London|SOS - 2019 remix [Live]|SOS - Dal Vivo|SOS - Na żywo|"
            "SOS - Canlı|SOS Ao Vivo|SOS (Tiny Desk Concert)|SOS - Directo",
        ),
        (
            OTHER,
            "SOS - Remix|SOS (Flume Remix)|SOS - Club Mix|SOS - Acoustic|SOS (Acústico)|"
            "SOS - Demo|SOS - Instrumental|SOS - Extended Version|SOS (Taylor's Version)|"
            "SOS - Wankelmut Edit|SOS - A Cappella|SOS - Piano Version|SOS - Spanish Version",
        ),
        (
            IMITATION,
            "SOS - Karaoke Version|SOS (Originally Performed by ABBA)|SOS (In the Style of ABBA)|"
            "SOS (Made Famous by ABBA) [Live]|SOS - Tribute to ABBA|SOS (8-Bit Version)|"
            "SOS (Cover)|SOS - Music Box Version",
        ),
    ],
)
def test_the_kind_of_a_recording_is_what_the_title_notes(kind, titles):
    told = {title: tell_version(title) for title in titles.split("|")}
    assert told == dict.fromkeys(told, kind)


def test_a_karaoke_artist_makes_karaoke():
    assert read([("SOS", "Sing King Karaoke", 2000)]).version.tolist() == [IMITATION]


# --- spoken -------------------------------------------------------------------------------


def test_chapters_and_their_series_are_spoken_and_rap_is_not():
    rows = [
        ("Kapitel 04 - im Orient (Folge 050)", "Bibi", 0.94, 0.7),
        ("Kapitel 05 - im Orient (Folge 050)", "Bibi", 0.3, 0.7),
        ("Der Ausflug", "Bibi", 0.9, 0.7),
        ("Bibi Lied", "Bibi", 0.05, 0.7),
        ("Chapter 12", "Some Reader", 0.95, 0.8),
        ("Capítulo 3", "Una Voz", 0.92, 0.8),
        ("Crank Calls", "A Comedian", 0.94, 0.8),
        ("Ken Kaniff - Skit", "Rapper", 0.9, 0.98),
        ("Rap God", "Rapper", 0.7, 0.1),
        ("Fast", "Rapper", 0.35, 0.1),
        ("Chapter 24", "Pink Floyd", 0.03, 0.2),
        ("Oxygene, Pt. 2", "Jarre", 0.04, 0.2),
    ]
    titles, artists, speech, acoustic = zip(*rows, strict=True)
    catalogue = make_catalogue(
        [(title, artist, 2000) for title, artist in zip(titles, artists, strict=True)],
        speechiness=speech,
        acousticness=acoustic,
        energy=0.4,
    )
    spoken, wordy = find_spoken(catalogue)
    assert spoken.tolist() == [True] * 3 + [False] + [True] * 4 + [False] * 4
    assert wordy.tolist() == [True] * 9 + [False, True, False]  # in doubt left out for music


# --- era ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "earlier, later, era",
    [
        (("SOS", "ABBA", 1975), ("SOS - Remastered 2001", "ABBA", 2001), 1975),
        (("SOS", ("Cher", "ABBA"), 1975), ("SOS", "ABBA", 2001), 1975),
        (("SOS", "Cher", 1975), ("SOS", "ABBA", 2001), 2001),
        (("SOS", "ABBA", 1975), ("SOS - Live", "ABBA", 2001), 2001),
        (("SOS - Live", "ABBA", 1979), ("SOS - Live at Wembley", "ABBA", 2001), 1979),
        (("Other", "ABBA", 1975), ("SOS - Live at Wembley / July 1986", "ABBA", 2001), 1986),
        (("Other", "ABBA", 1975), ("SOS - Live at Wembley '86", "ABBA", 2001), 1986),
        (("Other", "ABBA", 1975), ("SOS - Live / 1999 Remaster", "ABBA", 2001), 2001),
        (("SOS", "ABBA", 1975), ("SOS - Disco Remix", "ABBA", 2001), 2001),
        (("Intro", "ABBA", 1975), ("Intro", "ABBA", 2001), 2001),
        (("SOS", "", 1975), ("SOS", "", 2001), 2001),
        (("Op. 9 No. 2", ("Bach", "P"), 1955), ("Op. 9 No. 2", ("Bach", "Q"), 2001), 2001),
        (("Op. 9 No. 2", ("Bach", "A"), 1955), ("Op. 9 No. 2", ("A", "Bach"), 2001), 1955),
        (("Kapitel 1 - A", "Bibi", 1980), ("Kapitel 1 - B", "Bibi", 2001), 2001),
    ],
)
def test_a_recording_is_from_its_first_year_in_the_table(earlier, later, era):
    for rows in ([earlier, later], [later, earlier]):
        speech = 0.9 if earlier[0].startswith("Kapitel") else 0.05
        found = read(rows, speechiness=speech).era
        assert sorted(found) == sorted([earlier[2], era])


def test_the_same_sound_by_the_same_artist_dates_a_song():
    catalogue = make_catalogue(
        [("Waterloo", "ABBA", 1974), ("Waterloo (Svensk)", "ABBA", 2001), ("Uno", "X", 1950)],
        duration_ms=200_000,
    )
    assert read_traits(catalogue).era.tolist() == [1974, 1974, 1950]


# --- language -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code, title",
    [
        ("en", "When You Were Young"),
        ("es", "Corazón sin cara"),
        ("pt", "Não quero dinheiro"),
        ("fr", "Non, je ne regrette rien"),
        ("it", "Senza una donna"),
        ("de", "Über den Wolken"),
        ("nl", "Het is een nacht"),
        ("sv", "Vem vet var jag är"),
        ("da", "Hvad er kærlighed"),
        ("fi", "Mä en oo sun"),
        ("pl", "Nie pytaj mnie"),
        ("tr", "Seni Bana Sakladım"),
        ("id", "Aku dan kamu"),
        ("hi", "Tujhe dekha to ye jana"),
        ("tl", "Bakit ang puso ko"),
        ("hu", "Nem vagyok egy szép lány"),
        ("ja", "夜に駆ける"),
        ("ko", "봄날"),
        ("zh", "演員"),
        ("ru", "Группа крови"),
        ("el", "Σ'αγαπώ"),
        ("he", "שיר לשלום"),
        ("ar", "تملي معاك"),
        ("th", "รัก"),
        ("", "Fkvrtz"),
        ("", "1234"),
        ("", ""),
    ],
)
def test_a_title_tells_its_language(code, title):
    assert tell_languages([title], [("x",)])[0].tolist() == [code]
    assert code in (*CODES, "")


def test_an_artist_with_three_titles_tells_the_language_of_a_name():
    titles = ["Je suis là", "Dans mon cœur", "Les feuilles mortes", "Milord"]
    assert tell_languages(titles, [("piaf",)] * 4)[0].tolist() == ["fr"] * 4
    assert tell_languages(titles, [("piaf",)] * 3 + [("x",)])[0].tolist() == ["fr"] * 3 + [""]
    assert tell_languages(titles[:2], [("piaf",)] * 2)[1].tolist() == ["", ""]  # too few titles
    assert tell_languages(titles, [()] * 4)[0].tolist() == ["fr"] * 3 + [""]  # nobody is no artist


def test_words_that_are_not_listed_are_learnt_from_the_artists_who_use_them():
    known = [["Je t'aime", "Tu es là", "Les yeux"], ["Nous et moi", "Je suis", "Dans ma rue"]]
    titles = [f"{title} parapluie" for group in known for title in group]
    artists = [(f"a{row // 3}",) for row in range(6)]
    alone = tell_languages(["Parapluie"], [("x",)])[0].tolist()
    taught = tell_languages([*titles, "Parapluie"], [*artists, ("x",)])[0].tolist()
    assert (alone, taught[-1]) == ([""], "fr")


def test_release_notes_are_no_words_of_the_song():
    titles = ["Milord - Live at the Olympia (with the BBC)", "Sirup - From the Vault"]
    assert tell_languages(titles, [("x",), ("y",)])[0].tolist() == ["", ""]


# --- any table ----------------------------------------------------------------------------


@pytest.mark.parametrize("gone", ["popularity", "year", "release_date", "explicit"])
def test_a_column_may_be_missing(gone):
    rows = [("SOS - Live", "ABBA", 1975), ("SOS", "ABBA", 1980), ("", "", 1990)]
    songs = make_catalogue(rows).songs
    traits = read_traits(read_catalogue(songs.drop(columns=gone, errors="ignore")))
    assert traits.recording.tolist() == [0, 0, 1] and len(traits) == 3
    assert traits.preferred.tolist() == [1, 1, 2]
    assert np.isnan(traits.era).all() == (gone == "year")


def test_a_single_song_has_traits():
    traits = read([("SOS", "ABBA", 1975)])
    assert [len(values) for values in vars(traits).values()] == [1] * 9


def test_the_demo_has_traits_that_its_rows_bear_out():
    songs = load_recommendation(config.find_data("demo"))
    catalogue = read_catalogue(songs)
    traits = read_traits(catalogue)
    years = pd.Series(catalogue.songs["year"].to_numpy(float))
    assert (traits.era <= years).all()
    assert traits.recording.max() + 1 <= len(catalogue)
    for one, other in find_same_sounds(catalogue):
        assert traits.recording[one] == traits.recording[other]
    firsts: dict[tuple[str, str], int] = {}
    for row, (title, names) in enumerate(zip(catalogue.titles, catalogue.by, strict=True)):
        for name in names:
            label = firsts.setdefault((title, name), int(traits.recording[row]))
            assert label == traits.recording[row] or is_classical(songs["name"][row])


# --- titles -------------------------------------------------------------------------------


def test_keys_hold_what_somebody_else_may_compare():
    keys = list_keys("The Winner Takes It All (feat. X) - 2001 Remaster")
    assert {"winnertakesitall", "thewinnertakesitall"} <= keys
    assert list_keys("") == frozenset()
    assert bare_title(fold("[Live]")) == "live"


@given(st.text(max_size=30))
def test_any_text_is_a_title(text):
    keys = list_keys(text)
    assert "" not in keys
    assert bool(keys) == bool(text.strip()) or not fold(text).strip()
    assert tell_version(text) in (STUDIO, LIVE, OTHER, IMITATION)
    assert "" not in list_work_keys(text)


def test_guests_are_named_in_brackets_and_after_feat():
    assert list_guests("One (with Mary J. Blige & U2) [Live]") == ("mary j blige", "u2")
    assert list_guests("One ft. Jay-Z - Remix") == ("jay z",)
    assert list_guests("Dancing with Myself") == ()
