"""Ten known seeds, three lists each, for a listener to judge song by song.

The lists are what is usually handed in (cosine on nine standardised features), the hand-weighted
space of the first version, and the recommender as it is. Their order is drawn for each seed, and
they are called A, B and C in ``build/eye.md``, so that the judge does not know which is which.
``build/eye-judgement.json`` is to be filled in: of each list the places that a listener would skip
(language, era, mood), each with a line why. Put beside the other results as
``eye-judgement.json`` it is read here: a list that changed since counts as not judged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from aares.data import DataSource
from aares.files import digest
from aares.recommend import Recommender, SongSpace
from aares.recommend.space.yardstick import list_by_cosine
from recommendation.independent import Rows, cut_title, fit_recommender, fold, read_credits
from workshop import config
from workshop.measured import RESULTS

SEEDS = (
    ("Hound Dog", "Elvis Presley", 1958),
    ("Here Comes The Sun", "The Beatles", 1969),
    ("Bohemian Rhapsody", "Queen", 2018),  # a re-issue: the era has to be found
    ("Dancing Queen", "ABBA", 1976),
    ("Billie Jean", "Michael Jackson", 1982),
    ("Enter Sandman", "Metallica", 1991),
    ("Non, je ne regrette rien", "Édith Piaf", 1987),
    ("bad guy", "Billie Eilish", 2019),
    ("HUMBLE.", "Kendrick Lamar", 2017),
    ("Clair de Lune, L. 32", "Claude Debussy", 1994),
)
METHODS = ("cosine", "hand-weighted", "recommender")
LETTERS = ("A", "B", "C")
JUDGEMENT = RESULTS / "eye-judgement.json"
BUILD = config.ROOT / "build"
FEWEST = 3  # skipped of ten, at most, for a list that is kept


def measure(source: DataSource, *, tuning: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """Write the lists to be judged; yield what was skipped of them, as far as they were judged."""
    songs, recommender = fit_recommender(source)
    seeds = find_seeds(songs)
    lists = list_songs(recommender, songs, list(seeds.values()))
    keys = {name: order_methods(name) for name in seeds}
    write_sheets(songs, seeds, lists, keys)
    if not tuning and source.kind == "course" and JUDGEMENT.is_file():
        judged = json.loads(JUDGEMENT.read_text(encoding="utf-8"))
        yield "judged", count_skipped(judged, songs, seeds, lists, keys)
    else:
        print("eye: the lists are in build/eye.md; to fill in: build/eye-judgement.json")


def find_seeds(songs: pd.DataFrame) -> dict[str, int]:
    """Return the row of each seed; where a table has none of them, of its most popular songs."""
    titles, credits = songs["name"].map(cut_title), pd.Series(read_credits(songs), songs.index)
    found = {}
    for name, artist, year in SEEDS:
        by = credits.map(lambda names, artist=artist: fold(artist) in names)
        known = songs[titles.eq(cut_title(name)) & by & songs["year"].eq(year)]
        if len(known):
            found[name] = int(known["popularity"].idxmax())
    popular = songs.nlargest(len(SEEDS), "popularity")
    return found or {str(name): int(row) for row, name in popular["name"].items()}


def list_songs(
    recommender: Recommender, songs: pd.DataFrame, seeds: list[int]
) -> dict[str, list[Rows]]:
    """Return the rows of ten songs for each seed by each method."""
    points = SongSpace().fit_transform(songs)
    titles, credits = songs["name"].map(cut_title).tolist(), read_credits(songs)
    row_of = pd.Series(np.arange(len(songs)), index=songs["id"])
    playlists = [recommender.playlist(str(songs["id"].iloc[seed])) for seed in seeds]
    return {
        "cosine": [list_by_cosine(songs, seed) for seed in seeds],
        "hand-weighted": [
            take_nearest(np.linalg.norm(points - points[seed], axis=1), seed, titles, credits)
            for seed in seeds
        ],
        "recommender": [row_of.loc[one["id"]].to_numpy(dtype=np.intp) for one in playlists],
    }


def take_nearest(
    distance: np.ndarray, seed: int, titles: list[str], credits: list[frozenset[str]], n: int = 10
) -> Rows:
    """Return the nearest songs by the first version's rules: no title twice, two of an artist."""
    chosen: list[int] = []
    for row in np.argsort(distance, kind="stable"):
        known = [one for one in [seed, *chosen] if credits[one] & credits[row]]
        crowded = any(sum(name in credits[one] for one in chosen) == 2 for name in credits[row])
        if row != seed and not crowded and titles[row] not in [titles[one] for one in known]:
            chosen.append(int(row))
        if len(chosen) == n:
            break
    return np.array(chosen, dtype=np.intp)


def order_methods(name: str) -> dict[str, str]:
    """Return which method hides behind each letter, drawn by the seed's name."""
    rng = np.random.default_rng(int(digest(name.encode()), 16) % 2**32)
    return dict(zip(LETTERS, rng.permutation(METHODS).tolist(), strict=True))


def digest_list(songs: pd.DataFrame, rows: Rows) -> str:
    """Return what tells one list of songs from another, in whatever order they are played."""
    return digest(" ".join(sorted(songs["id"].iloc[rows])).encode())


def write_sheets(
    songs: pd.DataFrame,
    seeds: dict[str, int],
    lists: dict[str, list[Rows]],
    keys: dict[str, dict[str, str]],
) -> None:
    """Write the lists as Markdown, and the form that is to be filled in; never committed."""
    pages, form = [], {}
    for at, (name, seed) in enumerate(seeds.items()):
        shown = {letter: lists[method][at] for letter, method in keys[name].items()}
        pages += [f"## {name_song(songs, seed)}", ""]
        pages += ["| | " + " | ".join(shown) + " |", "| --- " * (len(shown) + 1) + "|"]
        for place, row in enumerate(zip(*shown.values(), strict=True), start=1):
            cells = " | ".join(name_song(songs, one) for one in row)
            pages.append(f"| {place} | {cells} |")
        pages.append("")
        form[name] = {
            letter: {"list": digest_list(songs, rows), "skipped": {}}
            for letter, rows in shown.items()
        }
    BUILD.mkdir(exist_ok=True)
    (BUILD / "eye.md").write_text("\n".join(pages), encoding="utf-8")
    judgement = {"judge": "one listener who did not write the code", "seeds": form}
    text = json.dumps(judgement, indent=1, ensure_ascii=False)
    (BUILD / "eye-judgement.json").write_text(text + "\n", encoding="utf-8")


def name_song(songs: pd.DataFrame, row: int) -> str:
    """Return title, artists and year, fit for a cell of a table."""
    song = songs.iloc[row]
    return f"{song['name']} · {', '.join(song['artists'])} · {song['year']}".replace("|", "/")


def count_skipped(
    judged: dict[str, Any],
    songs: pd.DataFrame,
    seeds: dict[str, int],
    lists: dict[str, list[Rows]],
    keys: dict[str, dict[str, str]],
) -> dict[str, Any]:
    """Return how many of ten were skipped, for each method and seed, with the reasons.

    A list that is not the one that was judged has None.
    """
    table: dict[str, dict[str, Any]] = {method: {} for method in METHODS}
    reasons: dict[str, list[str]] = {}
    for at, name in enumerate(seeds):
        for letter, method in keys[name].items():
            sheet = judged["seeds"].get(name, {}).get(letter, {"list": ""})
            same = sheet["list"] == digest_list(songs, lists[method][at])
            table[method][name] = len(sheet["skipped"]) if same else None
            if same and method == "recommender":
                reasons[name] = list(sheet["skipped"].values())
    summary = {
        method: {
            "judged": len(known),
            "median": float(np.median(known)) if known else None,
            f"at most {FEWEST}": sum(count <= FEWEST for count in known),
        }
        for method, counts in table.items()
        for known in [[count for count in counts.values() if count is not None]]
    }
    return {"judge": judged["judge"], "summary": summary, "skipped": table, "reasons": reasons}
