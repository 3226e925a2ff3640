"""Sample the demo tables from the fitted aggregates; no course file is needed.

Artists have a class, a list of micro-genres and an effect on the features of their songs;
albums have a date and an effect of their own. Train and test are a random split of one
population of songs; the subset and the recommendation table are further draws that share some
artists and a few songs with it.
"""

from __future__ import annotations

import string
from collections.abc import Hashable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

from tools.demo_listening import draw_listening
from tools.demo_model import (
    CLASSES,
    COLUMNS,
    FIRST_YEAR,
    MODEL_FILE,
    find_era,
    load_model,
    to_values,
)
from tools.demo_names import invent_artists, invent_titles, make_unique
from tools.demo_world import World, add_artists, pick_each, style_shares

SEED = 2026
SIZES = {"train": 6000, "test": 700, "subset": 3000, "recommendation": 11600}
LISTENERS = 400
FEATURES = (
    "danceability energy key loudness mode speechiness acousticness instrumentalness liveness "
    "valence tempo"
).split()
TRAIN = ["release_date", "explicit", "popularity", *FEATURES, "duration_ms", "time_signature"]
SUBSET = (
    *("artist_name", "track_name", "release_date", "genres", "explicit", "popularity"),
    *(*FEATURES, "id", "duration_ms", "time_signature"),
)
RECOMMENDATION = (
    "acousticness artists danceability duration_ms energy explicit id instrumentalness key "
    "liveness loudness mode name popularity release_date speechiness tempo valence year"
).split()
WHOLE = ("year date_kind popularity explicit mode time_signature duration_ms").split()
# Rates measured on the course's files.
SHARED_WITH_SUBSET = 0.0046  # songs of the subset that stand in train too
TWINS = {"main": 0.0018, "rec": 0.005}  # near-duplicates, for each song
TWIN_ZERO = 0.44  # twins whose popularity is 0
SILENT = {"main": 0.00015, "rec": 0.00085}  # songs without any beat: tempo 0


def make_tables(
    out: Path, *, scale: float = 1.0, seed: int = SEED, model_file: Path = MODEL_FILE
) -> dict[str, pd.DataFrame]:
    """Sample the four tables and the listening table, and write them as CSV.

    Parameters
    ----------
    out : Path
        Folder to write to; made where it is missing.
    scale : float
        Factor on all sizes (tests use a small one).
    seed : int
        Same seed, same bytes.
    model_file : Path
        The fitted aggregates.

    Returns
    -------
    dict of str to pd.DataFrame
        The tables as written: train, test, subset, recommendation, listening.
    """
    world = World(load_model(model_file), np.random.default_rng(seed))
    size = {name: max(int(count * scale), 20) for name, count in SIZES.items()}
    train = sample_songs(world, "train", size["train"] + size["test"], block="main")
    subset = sample_songs(world, "subset", size["subset"], block="main")
    share_songs(train, subset, round(SHARED_WITH_SUBSET * size["subset"]), world.rng)
    recommendation = sample_songs(world, "recommendation", size["recommendation"], block="rec")
    world.names, world.languages = invent_artists(world.classes, world.rng)
    tables = split_train(world, train, size["test"])
    tables["subset"] = finish_subset(world, subset)
    tables["recommendation"] = finish_recommendation(world, recommendation)
    tables["listening"] = draw_listening(
        tables["recommendation"]["id"].to_numpy(),
        recommendation,
        np.array(world.effects),
        np.array(world.classes),
        users=max(int(LISTENERS * scale), 10),
        rng=world.rng,
    )
    write_tables(tables, out)
    return tables


def write_tables(tables: dict[str, pd.DataFrame], out: Path) -> None:
    """Write each table under the name that the course gives it."""
    out.mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        file = "listening.csv" if name == "listening" else f"spotify_dataset_{name}.csv"
        frame.to_csv(out / file, index=False, lineterminator="\n")


def sample_songs(world: World, table: str, count: int, *, block: str) -> pd.DataFrame:
    """Draw songs with their artist, album, date and features.

    Parameters
    ----------
    world : World
        Artists are added to it.
    table : str
        Whose structure (songs for each album, shares of classes) to follow.
    count : int
        Number of songs.
    block : str
        ``main`` or ``rec``: which population's quantiles and correlations to use.

    Returns
    -------
    pd.DataFrame
        `COLUMNS`, key, release_date, artist, album and class, in random order.
    """
    songs = plan_songs(world, table, count, block)
    scores = draw_scores(world, songs, block)
    style = songs["style"].to_numpy()
    for position, column in enumerate(COLUMNS):
        quantiles = world.model[f"{block}_quantiles"][:, position]
        songs[column] = _draw_values(scores[:, position], quantiles, style, column)
    edges = world.model[f"{block}_kinds"][find_era(songs["year"].to_numpy()), :-1]
    share = norm.cdf(scores[:, COLUMNS.index("date_kind")])
    songs["date_kind"] = (edges < share[:, None]).sum(axis=1)
    songs["key"] = draw_keys(world, songs, block)
    songs["release_date"] = draw_dates(world, songs)
    songs["year"] = songs["release_date"].str[:4].astype(int)
    add_twins(songs, TWINS[block], block, world.rng)
    silence_songs(songs, SILENT[block], world.rng)
    return songs.sample(frac=1, random_state=world.rng).reset_index(drop=True)


def _draw_values(
    scores: np.ndarray, quantiles: np.ndarray, style: np.ndarray, column: str
) -> np.ndarray:
    values = np.zeros(len(scores))
    for number in np.unique(style):
        rows = style == number
        values[rows] = to_values(scores[rows], quantiles[number], column)
    return values.astype(int) if column in WHOLE else values


def plan_songs(world: World, table: str, count: int, block: str) -> pd.DataFrame:
    """Draw artists, their albums, the number of songs of each album and the songs' styles."""
    model, rng = world.model, world.rng
    albums_of = _draw_counts(model[f"{table}_albums"], count, rng)
    album_artist = np.repeat(np.arange(count), albums_of)[:count]
    songs_of = _draw_counts(model[f"{table}_songs"], len(album_artist), rng)
    album = np.repeat(np.arange(len(album_artist)), songs_of)[:count]
    slots = album_artist[album]
    counts = model["rec_styles"].sum(axis=1) if block == "rec" else model[f"{table}_counts"]
    people = add_artists(world, slots.max() + 1, counts / counts.sum(), block)
    artist = people[slots]
    classes = np.array(world.classes)[artist]
    songs = pd.DataFrame({"artist": artist, "album": album, "class": classes})
    songs["style"] = draw_styles(world, songs, block)
    return songs


def draw_styles(world: World, songs: pd.DataFrame, block: str) -> np.ndarray:
    """Draw each song's style: mostly its album's, which is mostly its artist's."""
    if block == "rec":
        return songs["class"].map(CLASSES.index).to_numpy()
    rng = world.rng
    keep_song, keep_album = world.model["persistence"]
    home = np.array(world.styles)[songs["artist"].to_numpy()]
    fresh = pick_each(style_shares(world, songs["artist"].to_numpy()), rng)
    albums = songs["album"].to_numpy()
    first = np.unique(albums, return_index=True)[1]
    stays = rng.random(len(first)) < keep_album
    of_album = np.where(stays, home[first], fresh[first])[albums]
    leaves = (rng.random(len(songs)) > keep_song) & songs["album"].duplicated().to_numpy()
    return np.where(leaves, fresh, of_album)


def _draw_counts(frequencies: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(len(frequencies), size=count, p=frequencies / frequencies.sum())


def draw_scores(world: World, songs: pd.DataFrame, block: str) -> np.ndarray:
    """Return the normal scores of all songs: artist, album and song effects, shape (n, columns)."""
    artist_share, album_share = world.model["effects"]
    root = np.linalg.cholesky(world.model[f"{block}_correlations"].astype(float))
    place = songs["style"].to_numpy()
    album_style = songs.groupby("album")["style"].first().to_numpy()
    size = len(COLUMNS)
    album = np.einsum(
        "nij,nj->ni", root[album_style], world.rng.standard_normal((len(album_style), size))
    )
    song = np.einsum("nij,nj->ni", root[place], world.rng.standard_normal((len(songs), size)))
    artist = np.array(world.effects)[songs["artist"].to_numpy()]
    rest = np.maximum(1 - artist_share - album_share, 0)
    scores = (
        np.sqrt(artist_share) * artist
        + np.sqrt(album_share) * album[songs["album"].to_numpy()]
        + np.sqrt(rest) * song
    )
    # Few artists make many songs: ranks take the luck of their effects out of the marginals.
    scores = norm.ppf((scores.argsort(axis=0).argsort(axis=0) + 0.5) / len(scores))
    if block == "rec":
        return scores
    classes = songs["class"].map(CLASSES.index).to_numpy()
    shift = np.clip(world.model["class_shifts"][classes, place].astype(float), -0.9, 0.9)
    return shift + np.sqrt(1 - shift**2) * scores


def draw_keys(world: World, songs: pd.DataFrame, block: str) -> np.ndarray:
    """Draw each song's key from the shares of its style and mode."""
    shares = world.model[f"{block}_keys"][songs["style"].to_numpy(), songs["mode"].to_numpy()]
    return pick_each(shares, world.rng)


def draw_dates(world: World, songs: pd.DataFrame) -> np.ndarray:
    """Draw one date for each album and return it for each song, in the course's text format."""
    rng, model = world.rng, world.model
    albums = songs.groupby("album")[["year", "date_kind"]].first()
    texts = []
    for year, kind in zip(albums["year"], albums["date_kind"], strict=True):
        weights = model["days"][year - FIRST_YEAR] + 0.02
        day = pd.Timestamp(year, 1, 1) + pd.Timedelta(days=_draw_position(weights, rng))
        day = min(day, pd.Timestamp(year, 12, 31))
        texts.append((f"{day:%Y-%m-%d}", f"{year}-01-01", f"{day:%Y-%m}", f"{year}")[kind])
    return np.array(texts, dtype=object)[songs["album"].to_numpy()]


def _draw_position(weights: np.ndarray, rng: np.random.Generator) -> int:
    edges = np.cumsum(weights)
    return int(np.searchsorted(edges, rng.random() * edges[-1], side="right"))


def put_values(
    frame: pd.DataFrame, rows: np.ndarray, column: Hashable, values: np.ndarray | int
) -> None:
    """Overwrite a column's values in some rows, in place; the column keeps its type."""
    changed = frame[column].to_numpy(copy=True)
    changed[rows] = values
    frame[column] = changed


def add_twins(songs: pd.DataFrame, rate: float, block: str, rng: np.random.Generator) -> None:
    """Overwrite some songs by another release of a song of the table, in place."""
    count = round(rate * len(songs))
    picks = rng.permutation(len(songs))[: 2 * count]
    kept = ["release_date", "year", "popularity", "album", "date_kind"]
    columns = [name for name in songs if name not in kept]
    source, target = picks[:count], picks[count:]
    for name in columns:
        put_values(songs, target, name, songs[name].to_numpy()[source])
    shifted = target[count // 2 :]
    for name, step in (("loudness", 0.3), ("tempo", 0.03), ("duration_ms", 900)):
        noise = rng.normal(0, step, len(shifted))
        values = songs[name].to_numpy()[shifted] + noise
        values = np.round(values).astype(int) if name == "duration_ms" else np.round(values, 3)
        put_values(songs, shifted, name, values)
    if block == "main":
        zero = target[rng.random(count) < TWIN_ZERO]
        put_values(songs, zero, "popularity", 0)


def silence_songs(songs: pd.DataFrame, rate: float, rng: np.random.Generator) -> None:
    """Give some songs the all-zero rhythm that Spotify stores where it finds no beat."""
    rows = rng.permutation(len(songs))[: max(round(rate * len(songs)), 1)]
    for name in ("tempo", "danceability", "valence", "speechiness", "time_signature"):
        put_values(songs, rows, name, 0)


def share_songs(
    train: pd.DataFrame, subset: pd.DataFrame, count: int, rng: np.random.Generator
) -> None:
    """Let some songs of the population of train stand in the subset too, in place."""
    source = rng.permutation(len(train))[:count]
    target = rng.permutation(len(subset))[:count]
    for name in subset:
        put_values(subset, target, name, train[name].to_numpy()[source])


def split_train(world: World, songs: pd.DataFrame, held_out: int) -> dict[str, pd.DataFrame]:
    """Return the train and test tables, a random split of the songs."""
    songs = songs.assign(explicit=songs["explicit"].astype(bool))
    train = songs.iloc[held_out:].assign(genre=songs["class"].iloc[held_out:])
    return {"train": train[[*TRAIN, "genre"]], "test": songs.iloc[:held_out][TRAIN]}


def finish_subset(world: World, songs: pd.DataFrame) -> pd.DataFrame:
    """Add names, titles, ids and lists of genres to the songs of the subset."""
    artist = songs["artist"].to_numpy()
    guests = [world.names[i] for i in world.rng.permutation(artist)]
    languages = [world.languages[i] for i in artist]
    titles = invent_titles(languages, songs["year"].to_numpy(), guests, world.rng)
    return songs.assign(
        explicit=songs["explicit"].astype(bool),
        artist_name=[world.names[i] for i in artist],
        track_name=make_unique(titles),
        genres=[str(world.genres[i]) for i in artist],
        id=draw_ids(len(songs), world.rng),
    )[list(SUBSET)]


def finish_recommendation(world: World, songs: pd.DataFrame) -> pd.DataFrame:
    """Add lists of artists, titles and ids to the songs of the recommendation table."""
    rng, artist = world.rng, songs["artist"].to_numpy()
    guests = _draw_guests(world, artist, songs["class"].to_numpy())
    first_guest = [world.names[(group or [artist[0]])[0]] for group in guests]
    languages = [world.languages[i] for i in artist]
    titles = invent_titles(languages, songs["year"].to_numpy(), first_guest, rng)
    artists = [
        str([world.names[i] for i in (own, *others)])
        for own, others in zip(artist, guests, strict=True)
    ]
    ids = draw_ids(len(songs), rng)
    return songs.assign(artists=artists, name=titles, id=ids)[RECOMMENDATION]


def _draw_guests(world: World, artist: np.ndarray, classes: np.ndarray) -> list[list[int]]:
    """Draw the further artists of each song, among those of the same class."""
    rng = world.rng
    same = {label: np.unique(artist[classes == label]) for label in np.unique(classes)}
    shares = world.model["guests"] / world.model["guests"].sum()
    number = rng.choice(len(shares), size=len(artist), p=shares) - 1
    groups = []
    for own, label, count in zip(artist, classes, number, strict=True):
        group = rng.choice(same[label], size=count) if count else []
        groups.append([int(i) for i in dict.fromkeys(group) if i != own])
    return groups


def draw_ids(count: int, rng: np.random.Generator) -> list[str]:
    """Draw distinct ids of 22 letters and digits, the format of Spotify's ids."""
    letters = np.array(list(string.digits + string.ascii_letters))
    ids = ["".join(letters[row]) for row in rng.integers(0, 62, size=(count, 22))]
    if len(set(ids)) < count:
        raise ValueError("two songs drew the same id: choose another seed")
    return ids
