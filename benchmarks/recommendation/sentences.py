"""Reads the reasons of a playlist, sentence by sentence, and holds them against the table.

The other way round from what writes them: a sentence is cut into phrases, each phrase has a meaning
here, and a phrase without one is counted as not understood. Limits are those a listener would
grant. Years and languages are this folder's own: the year of a release of that title by one of its
artists, or one that the title names ("Live at Wembley, 1986"); the language by the stop words of
the title or of the artist's titles. So a claim that is not borne out may be one that was read
otherwise, such as a year of "Haru Haru" said of "HaruHaru".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recommendation.independent import cut_title, find_eras, read_credits
from recommendation.language import STOP_WORDS, tell_languages, vote

AS = {  # adjective: column, by how much two songs differ at most, where the seed has to lie
    "danceable": ("danceability", 0.1, ">", 0.5), "energetic": ("energy", 0.1, ">", 0.5),
    "calm": ("energy", 0.1, "<", 0.5), "bright": ("valence", 0.1, ">", 0.5),
    "dark": ("valence", 0.1, "<", 0.5), "acoustic": ("acousticness", 0.12, ">", 0.5),
    "instrumental": ("instrumentalness", 0.2, ">", 0.5), "wordy": ("speechiness", 0.06, ">", 0.1),
    "loud": ("loudness", 2.0, ">", -8), "quiet": ("loudness", 2.0, "<", -8),
    "long": ("duration_ms", 20e3, ">", 210e3), "short": ("duration_ms", 20e3, "<", 210e3),
    "well known": ("popularity", 6, ">", 50), "little known": ("popularity", 6, "<", 50),
}  # fmt: skip
THAN = {  # comparative: column, sign, by how much at least
    "more danceable": ("danceability", 1, 0.05), "less danceable": ("danceability", -1, 0.05),
    "more energetic": ("energy", 1, 0.05), "calmer": ("energy", -1, 0.05),
    "brighter": ("valence", 1, 0.05), "darker": ("valence", -1, 0.05),
    "more acoustic": ("acousticness", 1, 0.05), "less acoustic": ("acousticness", -1, 0.05),
    "more instrumental": ("instrumentalness", 1, 0.05), "wordier": ("speechiness", 1, 0.03),
    "less instrumental": ("instrumentalness", -1, 0.05), "less wordy": ("speechiness", -1, 0.03),
    "louder": ("loudness", 1, 1.0), "quieter": ("loudness", -1, 1.0),
    "longer": ("duration_ms", 1, 10e3), "shorter": ("duration_ms", -1, 10e3),
    "better known": ("popularity", 1, 3), "less known": ("popularity", -1, 3),
    "faster": ("tempo", 1, 2.0), "slower": ("tempo", -1, 2.0),
}  # fmt: skip
WITH_YEAR = re.compile(r"(from the same years|newer|older) \((\d{4})\)")
WITH_TEMPO = re.compile(r"at the same tempo \((\d+)\)")
WITH_KEY = re.compile(r"in the same key \(([A-G][♯♭]?) (major|minor)\)")
KEYS = {"C": 0, "C♯": 1, "D": 2, "E♭": 3, "E": 4, "F": 5, "F♯": 6, "G": 7, "A♭": 8, "A": 9,
        "B♭": 10, "B": 11}  # fmt: skip


class Reader:
    """Judges what is said of songs of one table.

    Parameters
    ----------
    songs : DataFrame
    """

    def __init__(self, songs: pd.DataFrame) -> None:
        self.songs = songs
        self.eras = find_eras(songs)
        words = {language: frozenset(text.split()) for language, text in STOP_WORDS.items()}
        by_title = songs["name"].map(lambda name: vote(cut_title(name).split(), words))
        pairs = zip(by_title, tell_languages(songs), strict=True)
        self.languages = [frozenset(pair) - {""} for pair in pairs]
        titles, credits = songs["name"].map(cut_title), read_credits(songs)
        self.years: dict[tuple[str, str], set[int]] = {}
        self.names = [
            [(title, one) for one in by] for title, by in zip(titles, credits, strict=True)
        ]
        for keys, year in zip(self.names, songs["year"].tolist(), strict=True):
            for key in keys:
                self.years.setdefault(key, set()).add(year)

    def judge_phrase(self, seed: int, song: int, phrase: str) -> str:
        """Return "true", "false", "not understood" or, of languages, "not told"."""
        if phrase == "title in the same language":
            one, other = self.languages[seed], self.languages[song]
            return "not told" if not one or not other else tell(bool(one & other))
        if match := WITH_YEAR.fullmatch(phrase):
            return tell(self._has_year(seed, song, match[1], int(match[2])))
        if match := WITH_TEMPO.fullmatch(phrase):
            one, other = self._pair("tempo", seed, song)
            return tell(abs(one - other) <= 5 and abs(other - int(match[1])) <= 0.6)
        if match := WITH_KEY.fullmatch(phrase):
            keys, modes = self._pair("key", seed, song), self._pair("mode", seed, song)
            return tell(set(keys) == {KEYS[match[1]]} and set(modes) == {match[2] == "major"})
        if phrase == "released on the same day":
            one, other = (str(self.songs["release_date"].iloc[row]) for row in (seed, song))
            return tell(one[:10] == other[:10] and len(one) >= 10)
        if phrase.removeprefix("as ") in AS and phrase.startswith("as "):
            column, limit, side, border = AS[phrase.removeprefix("as ")]
            one, other = self._pair(column, seed, song)
            on_side = one >= border if side == ">" else one <= border
            return tell(abs(one - other) <= limit and on_side)
        if phrase in THAN:
            column, sign, least = THAN[phrase]
            one, other = self._pair(column, seed, song)
            return tell(sign * (other - one) >= least)
        return "not understood"

    def _pair(self, column: str, seed: int, song: int) -> tuple[float, float]:
        one, other = self.songs[column].iloc[[seed, song]].astype(float)
        return one, other

    def _has_year(self, seed: int, song: int, words: str, year: int) -> bool:
        """Tell whether the song has a release of that year, and it lies so to the seed's."""
        gaps = [year - one for one in self._list_years(seed)]
        if words == "from the same years":
            fits = min(map(abs, gaps)) <= 3
        else:
            fits = max(gaps) > 0 if words == "newer" else min(gaps) < 0
        return fits and year in self._list_years(song)

    def _list_years(self, row: int) -> set[int]:
        """Return the years of a song's releases, its own first, and those its title names."""
        named = re.findall(r"\b(?:19|20)\d\d\b", str(self.songs["name"].iloc[row]))
        years = {int(self.songs["year"].iloc[row]), int(self.eras[row]), *map(int, named)}
        return years.union(*(self.years[key] for key in self.names[row]))


def tell(true: bool | np.bool_) -> str:
    """Return "true" or "false"."""
    return "true" if true else "false"


def cut_phrases(text: str) -> list[str]:
    """Return the phrases of a reason, without what joins them."""
    parts = [part.removesuffix(" than the seed") for part in re.split(r", | and ", text)]
    return [part.strip() for part in parts if part.strip()]


def judge_reasons(
    songs: pd.DataFrame,
    seeds: npt.NDArray[np.intp],
    lists: Iterable[pd.DataFrame],
    rows: Iterable[npt.NDArray[np.intp]],
) -> dict[str, Any]:
    """Count what the reasons of playlists of one seed say, with examples that are not true."""
    reader, total, examples, sentences = Reader(songs), Counter[str](), Counter[str](), 0
    for seed, playlist, chosen in zip(seeds, lists, rows, strict=True):
        for row, reason in zip(chosen, playlist.get("reason", ()), strict=False):
            sentences += 1
            for phrase in cut_phrases(reason):
                verdict = reader.judge_phrase(int(seed), int(row), phrase)
                total[verdict] += 1
                if verdict in {"false", "not understood"}:
                    examples[f"{verdict}: {re.sub(r'[(].*[)]', '()', phrase)}"] += 1
    kinds = ("true", "false", "not understood", "not told")
    counts = {kind: total[kind] for kind in kinds}
    return {"sentences": sentences, **counts, "examples": dict(examples.most_common(8))}
