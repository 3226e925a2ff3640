"""What the checks of playlists read from a table of songs, by rules of their own.

A check that asks the recommender's own code what a title, an artist or a language is can only agree
with it. Nothing here is shared with ``aares/recommend`` or ``aares/data/titles.py``, and the rules
are blunter: where one of them is unsure, a case is counted rather than excused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares import data
from aares.data import DataSource
from aares.recommend import Recommender
from aares.scores import estimate_share
from workshop import config

Rows = npt.NDArray[np.intp]
N_SEEDS = 5000
WORDS_ONLY = 0.66
"""Spotify's documentation: above it a track is probably made entirely of spoken words."""
_NOBODY = re.compile(
    r"(various|unknown|divers(e|es)?|v a|varios|vari|verschiedene)( \w+)?|anonym\w*|trad\w*|"
    r"artistes varies|artisti vari|n a|none|null|nan"
)
_VERSION = re.compile(
    r"remaster\w*|live|vivo|directo|version\w*|versao|mix\w*|remix\w*|edit\w*|mono|stereo|demo\w*|"
    r"acoustic\w*|acustic\w*|unplugged|instrumental|karaoke|session\w*|take|bonus|single|album|"
    r"radio|extended|feat|featuring|ft|with|from|original|re recorded|rerecorded|soundtrack|"
    r"anniversary|deluxe|reprise|cover"
)
_COUNTED = re.compile(r"\d+|[ivx]+|part|pt|act|one|two|three")
_CHAPTER = re.compile(
    r"\b(kapitel|folge|teil|chapter|episode|track|hoofdstuk|deel|chapitre|capitulo|capitolo|del|"
    r"osa)\b \d"
)


def fold(text: object) -> str:
    """Return lower-case words without accents and signs, or the text if it has signs only."""
    plain = unicodedata.normalize("NFKD", str(text))
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign)).casefold()
    return " ".join(re.findall(r"\w+", plain.replace("'", "").replace("’", ""))) or str(text)


def has_word(words: str, pattern: re.Pattern[str]) -> bool:
    """Tell whether one of the words, or two in a row, match as a whole."""
    single = words.split()
    pairs = [f"{one} {two}" for one, two in pairwise(single)]
    return any(pattern.fullmatch(word) for word in [*single, *pairs])


def cut_title(name: object) -> str:
    """Return a title without brackets and what follows a dash, if these name a version.

    A bracket without a number goes too, "(Part 2)" stays: it is another piece.
    """
    text = str(name)
    for inside in re.findall(r"[(\[{]([^()\[\]{}]*)[)\]}]", text):
        words = fold(inside)
        years = re.fullmatch(r"(19|20)\d\d", words)
        if has_word(words, _VERSION) or years or not has_word(words, _COUNTED):
            text = re.sub(rf"[(\[{{]{re.escape(inside)}[)\]}}]", " ", text)
    head, *tails = re.split(r"\s[-–—/]\s", text)
    kept = [tail for tail in tails if not has_word(fold(tail), _VERSION)]
    return fold(re.sub(r"\b(feat|ft)\b\.?.*", "", " ".join([head, *kept])).strip() or name)


def read_credits(songs: pd.DataFrame) -> list[frozenset[str]]:
    """Return who is credited with each song; "Various Artists" and the like are nobody."""
    names = songs["artists"] if "artists" in songs else songs["artist"].map(lambda one: (one,))
    folded = ({fold(name) for name in credited} for credited in names)
    return [frozenset(n for n in one if n and not _NOBODY.fullmatch(n)) for one in folded]


def find_eras(songs: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Return the earliest year in the table of each song's title by one of its artists."""
    titles = songs["name"].map(cut_title)
    table = pd.DataFrame({"title": titles, "artist": read_credits(songs), "year": songs["year"]})
    by_artist = table.explode("artist")
    first = by_artist.groupby(["title", "artist"])["year"].transform("min")
    earliest = first.groupby(level=0).min()
    return earliest.fillna(songs["year"]).to_numpy(dtype=float)


def tell_spoken(songs: pd.DataFrame) -> pd.Series:
    """Return "spoken", "music" or, where neither is sure, "unsure".

    Spoken are items that leave no doubt (speechiness from 0.9; below it are rap songs), those of
    words by artists of three items or more whose typical one is of words only, and the numbered
    chapters of these. Music has less speech than a half, and is no chapter and not by such an
    artist.
    """
    speech = songs["speechiness"]
    artist = pd.Series([min(names, default="") for names in read_credits(songs)], songs.index)
    by_artist = speech.groupby(artist)
    teller = by_artist.transform("median").ge(WORDS_ONLY) & by_artist.transform("size").ge(3)
    teller &= artist.ne("")
    chapter = songs["name"].map(lambda name: bool(_CHAPTER.search(fold(name))))
    spoken = speech.ge(0.9) | (teller & (speech.ge(0.5) | chapter))
    music = speech.lt(0.5) & ~teller & ~chapter
    return pd.Series(np.select([spoken, music], ["spoken", "music"], "unsure"), songs.index)


@cache
def fit_recommender(source: DataSource) -> tuple[pd.DataFrame, Recommender]:
    """Return the songs to recommend from and the recommender as it is, one for all checks."""
    songs = data.load_recommendation(source)
    return songs, Recommender(cache=config.CACHE).fit(songs)


def draw_seeds(n_songs: int, *, tuning: bool = False) -> Rows:
    """Return the rows of the seeds: 5,000 by `default_rng(0)`; 1,000 others where one chooses."""
    seed, size = (100, 1000) if tuning else (0, N_SEEDS)
    rng = np.random.default_rng(seed)
    return rng.choice(n_songs, min(size, n_songs), replace=False).astype(np.intp)


def make_playlists(
    recommender: Any, songs: pd.DataFrame, seeds: Iterable[int], **options: Any
) -> tuple[list[Rows], list[pd.DataFrame]]:
    """Return the rows of each seed's playlist in `songs`, and the playlists."""
    row_of = pd.Series(np.arange(len(songs)), index=songs["id"])
    ids = songs["id"].to_numpy()
    lists = [recommender.playlist(str(ids[seed]), **options) for seed in seeds]
    return [row_of.loc[one["id"]].to_numpy(dtype=np.intp) for one in lists], lists


def bound_count(hits: Sequence[bool] | npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Return a count, of how many, and the 95 % interval of the share; of none, 3 / n bounds it."""
    count, of = int(np.sum(hits)), len(hits)
    if count == 0:
        return {"count": 0, "of": of, "high": round(3 / of, 6) if of else None}
    share, low, high = estimate_share(np.asarray(hits, dtype=bool), method="exact")
    return {"count": count, "of": of} | {
        name: round(value, 6) for name, value in (("share", share), ("low", low), ("high", high))
    }
