"""Why a song is in a playlist: claims are parsed from sentences and held against the table."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aares.data.schemas import GENRES
from aares.recommend.lists.reasons import (
    MIDDLES,
    MOST,
    PHRASES,
    TOLERANCES,
    Claim,
    find_claims,
    write_reason,
)

# What each word claims, told here once more: column, least, most of song - seed, of the seed.
ALIKE = {
    "danceable": ("danceability", 0.08, 0.5, 9),
    "energetic": ("energy", 0.08, 0.5, 9),
    "calm": ("energy", 0.08, -9, 0.5),
    "bright": ("valence", 0.08, 0.5, 9),
    "dark": ("valence", 0.08, -9, 0.5),
    "acoustic": ("acousticness", 0.1, 0.5, 9),
    "instrumental": ("instrumentalness", 0.15, 0.5, 9),
    "wordy": ("speechiness", 0.05, 0.1, 9),
    "loud": ("loudness", 1.5, -8, 99),
    "quiet": ("loudness", 1.5, -99, -8),
    "long": ("duration_ms", 15_000, 210_000, 1e12),
    "short": ("duration_ms", 15_000, -1, 210_000),
    "well known": ("popularity", 5, 50, 999),
    "little known": ("popularity", 5, -9, 50),
}
MORE = {
    "more danceable": ("danceability", 0.08, 1),
    "less danceable": ("danceability", 0.08, -1),
    "more energetic": ("energy", 0.08, 1),
    "calmer": ("energy", 0.08, -1),
    "brighter": ("valence", 0.08, 1),
    "darker": ("valence", 0.08, -1),
    "more acoustic": ("acousticness", 0.1, 1),
    "less acoustic": ("acousticness", 0.1, -1),
    "more instrumental": ("instrumentalness", 0.15, 1),
    "less instrumental": ("instrumentalness", 0.15, -1),
    "wordier": ("speechiness", 0.05, 1),
    "less wordy": ("speechiness", 0.05, -1),
    "louder": ("loudness", 1.5, 1),
    "quieter": ("loudness", 1.5, -1),
    "longer": ("duration_ms", 15_000, 1),
    "shorter": ("duration_ms", 15_000, -1),
    "better known": ("popularity", 5, 1),
    "less known": ("popularity", 5, -1),
    "faster": ("tempo", 4, 1),
    "slower": ("tempo", 4, -1),
    "newer": ("year", 2, 1),
    "older": ("year", 2, -1),
}
NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


def split_reason(reason: str) -> Iterator[str]:
    """Yield the claims of a reason without its seed."""
    body, found, _ = reason.partition(" than the seed")
    *alike, last = body.split(", ")
    if found:  # what is more or less stands last, of whatever length
        pieces = re.split(r" and ", last)
        yield from (f"than {piece}" for piece in pieces)
    else:
        alike.append(last)
    for part in alike:
        yield from part.split(" and ") if part.startswith("as ") else (part,)


def is_true(claim: str, seed: pd.Series, song: pd.Series) -> bool:
    """Hold one claim against the rows of the table."""
    if claim.startswith("as "):
        column, tolerance, low, high = ALIKE[claim[3:]]
        return abs(song[column] - seed[column]) <= tolerance and low <= seed[column] < high
    if claim.startswith("than "):
        word, _, year = claim[5:].partition(" (")
        column, tolerance, sign = MORE[word]
        said = year == "" or int(year[:-1]) == song["year"]
        return said and sign * (song[column] - seed[column]) > tolerance
    if known := re.fullmatch(r"from the same years \((\d+)\)", claim):
        return int(known[1]) == song["year"] and abs(song["year"] - seed["year"]) <= 2
    if known := re.fullmatch(r"at the same tempo \((\d+)\)", claim):
        near = abs(song["tempo"] - seed["tempo"]) <= 4
        return near and int(known[1]) == round(song["tempo"])
    if known := re.fullmatch(r"in the same key \((\S+) (major|minor)\)", claim):
        keys = {(row["key"], row["mode"]) for row in (seed, song)}
        return keys == {(NAMES.index(known[1]), int(known[2] == "major"))}
    if claim == "released on the same day":
        day = str(song["release_date"])
        return day == str(seed["release_date"]) and len(day) == 10 and day[5:] != "01-01"
    if claim == "title in the same language":
        return song["language"] == seed["language"] != ""
    raise AssertionError(f"nobody knows how to prove {claim!r}")


def test_every_claim_on_the_demo_is_true(demo_recommender):
    recommender = demo_recommender
    table = recommender.songs_.assign(
        year=recommender.traits_.era, language=recommender.traits_.language
    ).set_index("id")
    seeds = table.index[np.random.default_rng(3).choice(len(table), 160, replace=False)].tolist()
    asked = [*([one] for one in seeds[:100]), *np.reshape(seeds[100:], (20, 3)).tolist()]
    told: list[str] = []
    for some in asked:
        names = {table["name"][one]: one for one in some}
        playlist = recommender.playlist(some)
        for song in playlist.itertuples():
            near = f"near {song.seed}: " if len(some) > 1 else ""
            assert song.reason.startswith(near)
            claims = list(split_reason(song.reason.removeprefix(near)))
            assert 1 <= len(claims) <= MOST
            seed = table.loc[names[song.seed]]
            assert [it for it in claims if not is_true(it, seed, table.loc[song.id])] == []
            told += claims
    kinds = {re.sub(r" \(.*", "", claim) for claim in told}
    assert len(kinds) > 20 and len(told) > 1.5 * 10 * len(asked)


def test_what_is_claimed_here_is_what_is_claimed_there():
    columns = {name for name, *_ in (*ALIKE.values(), *MORE.values())}
    assert columns | {"key", "language", "release_date"} == set(PHRASES)
    for column, tolerance, *_ in (*ALIKE.values(), *MORE.values()):
        assert TOLERANCES[column] == tolerance
    for word, (column, _, low, high) in ALIKE.items():
        is_high = f"as {word}" == PHRASES[column][0]
        assert (low if is_high else high) == MIDDLES.get(column, 0.5)


@given(
    st.sampled_from(sorted(TOLERANCES)),
    st.floats(0, 1),
    st.floats(-1, 1),
    st.sampled_from(["alike", "more", "less"]),
)
def test_exactly_one_kind_of_claim_is_true(column, seed, apart, kind):
    song = seed + 3 * apart * TOLERANCES[column]
    kinds = [it for it in ("alike", "more", "less") if Claim(it, column, seed, song).is_true()]
    assert len(kinds) == 1
    assert Claim(kind, column, seed, song).is_true() == (kind in kinds)


@pytest.mark.parametrize("kind", ["alike", "more", "less"])
def test_nothing_is_true_of_what_is_missing(kind):
    assert not Claim(kind, "year", np.nan, 1990.0).is_true()
    assert not Claim(kind, "language", "", "").is_true()
    assert not Claim(kind, "language", "fr", "en").is_true()


def make_cells(**columns: list) -> dict[str, np.ndarray]:
    plain = {name: [0.5, 0.5] for name in ("energy", "loudness", "valence")}
    return {name: np.array(values) for name, values in {**plain, **columns}.items()}


def test_what_moved_the_likeness_more_is_said_first():
    cells = make_cells(tempo=[100.0, 101.0], year=[1990.0, 1991.0])
    for moved in ([("tempo", 2.0), ("year", 1.0)], [("year", 2.0), ("tempo", 1.0)]):
        claims = find_claims(cells, 0, 1, moved[::-1])
        assert [claim.column for claim in claims] == [column for column, _ in moved]


def test_what_did_not_make_songs_alike_is_no_reason():
    cells = make_cells(tempo=[100.0, 101.0], year=[1990.0, 1991.0])
    claims = find_claims(cells, 0, 1, [("tempo", 2.0), ("year", -1.0)])
    assert [claim.column for claim in claims] == ["tempo"]


def test_a_difference_is_said_if_it_counts():
    cells = make_cells(tempo=[100.0, 101.0], acousticness=[0.2, 0.9])
    for against, said in ((-3.0, ["tempo", "acousticness"]), (-0.1, ["tempo"])):
        claims = find_claims(cells, 0, 1, [("tempo", 1.0), ("acousticness", against)])
        assert [claim.column for claim in claims] == said


def test_there_is_always_something_to_say():
    cells = make_cells(energy=[0.1, 0.9], loudness=[-20.0, -3.0], valence=[0.1, 0.9])
    for moved in ([], [("energy", 1.0)], [("closeness", 5.0)]):
        assert len(find_claims(cells, 0, 1, moved)) == 1


def test_reasons_are_sentences():
    claims = [
        Claim("alike", "energy", 0.2, 0.2),
        Claim("alike", "language", "fr", "fr"),
        Claim("more", "acousticness", 0.2, 0.9),
    ]
    assert write_reason(claims, near="SOS") == (
        "near SOS: as calm, title in the same language, more acoustic than the seed"
    )


def test_nothing_is_said_of_genre_or_instruments():
    words = " ".join(phrase for phrases in PHRASES.values() for phrase in phrases)
    names = {*GENRES, "piano", "guitar", "drum", "violin", "strings", "band"}
    assert [name for name in names if re.search(rf"\b{re.escape(name)}\b", words)] == []
