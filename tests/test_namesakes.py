"""Recordings and rows of one piece find each other, and chance meetings do not count."""

from __future__ import annotations

import pandas as pd
import pytest

from aares.data.namesakes import LEAST_LIKENESS, find_namesakes

SONGS = pd.DataFrame(
    {
        "name": [
            "Bizet: Carmen, GB 9: Prelude (Allegro)",
            "Prelude",
            "Carmen",
            "Blue",
            "Piano Blues",
        ],
        "artists": [
            ["Georges Bizet", "Georges Prêtre"],
            ["Johann Sebastian Bach"],
            ["Lana Del Rey"],
            ["Joni Mitchell"],
            ["Solo Piano Players"],
        ],
    }
)


def test_words_in_any_order_and_spelling_find_the_piece():
    found = find_namesakes(["BIZET, Georges - Carmen Prelude", "mitchell joni blue"], SONGS)
    assert dict(zip(found["recording"], found["row"], strict=True)) == {0: 0, 1: 3}
    assert found["likeness"].is_monotonic_decreasing
    assert found["likeness"].between(LEAST_LIKENESS, 1).all()


def test_title_and_artist_must_both_agree():
    assert find_namesakes(["Carmen Prelude"], SONGS).empty  # nobody's name
    assert find_namesakes(["Lana Del Rey"], SONGS).empty  # no title
    assert find_namesakes(["Blues Piano"], SONGS).empty  # one word cannot be both
    assert find_namesakes([], SONGS).empty


def test_the_likeliest_row_is_taken_whatever_the_order():
    names = ["Georges Bizet - Carmen Prelude Allegro"]
    turned = SONGS[::-1].reset_index(drop=True)
    assert find_namesakes(names, SONGS)["row"].tolist() == [0]
    assert find_namesakes(names, turned)["row"].tolist() == [4]


def test_a_table_may_come_as_a_reader_of_files_gives_it(tmp_path):
    SONGS.to_csv(tmp_path / "songs.csv", index=False)
    raw = pd.concat([pd.read_csv(tmp_path / "songs.csv"), pd.DataFrame({"name": [None]})])
    found = find_namesakes(["Bizet, Georges - Carmen Prelude"] * 2, pd.concat([raw, raw]))
    assert found["row"].tolist() == [0, 0] and found["recording"].tolist() == [0, 1]


def test_a_table_without_names_is_refused():
    with pytest.raises(ValueError, match="artists"):
        find_namesakes(["Blue"], SONGS.assign(artists=[3] * len(SONGS)))
    with pytest.raises(ValueError, match="artists is missing"):
        find_namesakes(["Blue"], SONGS[["name"]])
