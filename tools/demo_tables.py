"""Sample the demo tables from the fitted aggregates; no course file is needed.

Artists have a class, a list of micro-genres and an effect on the features of their songs;
albums have a date and an effect of their own. Train and test are a random split of one
population of songs; the subset and the recommendation table are further draws that share some
artists and a few songs with it.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from tools.demo_listening import draw_listening
from tools.demo_model import CLASSES, COLUMNS, FIRST_YEAR, MODEL_FILE, label_genres, load_model, to_values
from tools.demo_names import invent_artists, invent_titles, make_unique

SEED = 2026
SIZES = {"train": 6000, "test": 700, "subset": 3000, "recommendation": 12000}
LISTENERS = 400
FEATURES = (
    "danceability energy key loudness mode speechiness acousticness instrumentalness liveness "
    "valence tempo"
).split()
TRAIN = ["release_date", "explicit", "popularity", *FEATURES, "duration_ms", "time_signature"]
SUBSET = ["artist_name", "track_name", "release_date", "genres", "explicit", "popularity", *FEATURES,
          "id", "duration_ms", "time_signature"]  # fmt: skip
RECOMMENDATION = (
    "acousticness artists danceability duration_ms energy explicit id instrumentalness key "
    "liveness loudness mode name popularity release_date speechiness tempo valence year"
).split()
# Rates measured on the course's files.
SHARED_WITH_SUBSET = 0.0046  # songs of the subset that stand in train too
TWINS = {"main": 0.0018, "rec": 0.005}  # near-duplicates, for each song
TWIN_ZERO = 0.44  # twins whose popularity is 0
SILENT = {"main": 0.00015, "rec": 0.00085}  # songs without any beat: tempo 0
KNOWN_ARTISTS = 0.25  # artists of the subset that stand in the recommendation table too
MICRO_PRIOR = 20  # songs that the overall shares of styles weigh within a micro-genre


@dataclass
class World:
    """The artists that all tables share, and the aggregates that they are drawn from."""

    model: dict[str, np.ndarray]
    rng: np.random.Generator
    classes: list[str] = field(default_factory=list)
    genres: list[list[str]] = field(default_factory=list)
    effects: list[np.ndarray] = field(default_factory=list)
    styles: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)


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
    for position, column in enumerate(COLUMNS):
        songs[column] = 0
        for style, rows in songs.groupby("style").indices.items():
            quantiles = world.model[f"{block}_quantiles"][style, position]
            values = to_values(scores[rows, position], quantiles, column)
            songs[column] = songs[column].astype(values.dtype)
            songs.iloc[rows, songs.columns.get_loc(column)] = values
    songs["key"] = draw_keys(world, songs, block)
    songs["release_date"] = draw_dates(world, songs)
    songs["year"] = songs["release_date"].str[:4].astype(int)
    add_twins(songs, TWINS[block], block, world.rng)
    silence_songs(songs, SILENT[block], world.rng)
    return songs.sample(frac=1, random_state=world.rng).reset_index(drop=True)


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
    people = songs["artist"].to_numpy()
    own = np.array(world.styles)[people]
    albums = songs.groupby("album")["artist"].first()
    fresh = np.array([_draw_style(world, i) for i in albums])
    stays = rng.random(len(albums)) < keep_album
    of_album = np.where(stays, np.array(world.styles)[albums.to_numpy()], fresh)
    own = of_album[songs["album"].to_numpy()]
    leaves = np.flatnonzero((rng.random(len(songs)) > keep_song) & songs["album"].duplicated())
    own[leaves] = [_draw_style(world, people[i]) for i in leaves]
    return own


def _draw_style(world: World, artist: int) -> int:
    """Draw a style that fits an artist's class and micro-genres."""
    model = world.model
    shares = model["main_styles"][CLASSES.index(world.classes[artist])].astype(float)
    shares = shares / shares.sum()
    places = np.searchsorted(model["words"], world.genres[artist])
    if len(places):
        seen = model["micro_styles"][places].astype(float) + MICRO_PRIOR * shares
        shares = (seen / seen.sum(axis=1, keepdims=True)).mean(axis=0)
    return int(world.rng.choice(len(shares), p=shares / shares.sum()))


def _draw_counts(frequencies: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(len(frequencies), size=count, p=frequencies / frequencies.sum())


def add_artists(world: World, count: int, shares: np.ndarray, block: str) -> np.ndarray:
    """Add artists to the world, or reuse some for the recommendation table; return numbers."""
    rng = world.rng
    labels = np.array(CLASSES)[rng.choice(len(CLASSES), size=count, p=shares)]
    numbers = np.arange(count) + len(world.classes)
    if block == "rec":
        free = rng.permutation(len(world.classes))[: int(KNOWN_ARTISTS * len(world.classes))]
        free = [i for i in free if world.classes[i] not in ("none", "empty")][: count // 4]
        old = len(free)
        numbers = np.r_[np.array(free, dtype=int), numbers[: count - old]]
        labels = labels[old:]
    for label in labels:
        genres = draw_genres(world, str(label))
        world.classes.append(str(label))
        world.genres.append(genres)
        rec = block == "rec"
        style = CLASSES.index(label) if rec else _draw_style(world, len(world.genres) - 1)
        world.styles.append(style)
        world.effects.append(_draw_artist_effect(world, f"{block}_correlations", style, genres))
    return rng.permutation(numbers)


def draw_genres(world: World, label: str) -> list[str]:
    """Draw an alphabetical list of micro-genres whose label, by the course's rule, is `label`."""
    if label in ("empty", "spoken"):
        return []
    model, rng = world.model, world.rng
    position = CLASSES.index(label)
    start = model["by_class"][position].astype(float)
    lengths = model["lengths"][position]
    wanted = None if label == "none" else label
    while True:
        size = int(rng.choice(len(lengths), p=lengths / lengths.sum()))
        genres = _grow_list(world, start, max(size, 1))
        if label_genres(genres) == wanted:
            return genres


def _grow_list(world: World, start: np.ndarray, size: int) -> list[str]:
    near = _neighbours(world)
    chosen = [int(world.rng.choice(len(start), p=start / start.sum()))]
    while len(chosen) < size:
        weights = np.prod([near[i] + 0.02 for i in chosen], axis=0) ** (1 / len(chosen)) - 0.02
        weights = np.maximum(weights, 0) * (start + 0.01)
        weights[chosen] = 0
        if weights.sum() <= 0:
            break
        chosen.append(int(world.rng.choice(len(start), p=weights / weights.sum())))
    return sorted(str(world.model["words"][i]) for i in chosen)


def _neighbours(world: World) -> np.ndarray:
    if "near" not in world.model:
        size = len(world.model["words"])
        near = np.zeros((size, size), dtype=np.float32)
        first, second = world.model["pairs"].astype(int).T
        near[first, second] = near[second, first] = world.model["pair_counts"]
        use = np.sqrt(world.model["by_class"].sum(axis=0).astype(np.float32))
        world.model["near"] = near / np.outer(use, use)
    return world.model["near"]


def _draw_artist_effect(
    world: World, matrices: str, style: int, genres: list[str]
) -> np.ndarray:
    """Return an artist's normal scores: the part its micro-genres explain, and the rest."""
    model = world.model
    noise = world.rng.multivariate_normal(
        np.zeros(len(COLUMNS)), model[matrices][style], method="cholesky"
    )
    places = np.searchsorted(model["words"], genres)
    known = model["micro_effects"][places].astype(float).sum(axis=0) if genres else 0 * noise
    known = np.clip(known, -1.2, 1.2) / np.sqrt(np.maximum(model["effects"][0], 0.02))
    known = np.clip(known, -1, 1)
    return known + np.sqrt(np.maximum(1 - known**2, 0.2)) * noise


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
    if block == "rec":
        return scores
    classes = songs["class"].map(CLASSES.index).to_numpy()
    shift = np.clip(world.model["class_shifts"][classes, place].astype(float), -0.9, 0.9)
    return shift + np.sqrt(1 - shift**2) * scores


def draw_keys(world: World, songs: pd.DataFrame, block: str) -> np.ndarray:
    """Draw each song's key from the shares of its style and mode."""
    shares = world.model[f"{block}_keys"][songs["style"].to_numpy(), songs["mode"].to_numpy()].cumsum(axis=1)
    draws = (shares < world.rng.random((len(songs), 1))).sum(axis=1)
    return np.minimum(draws, 11)


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


def add_twins(songs: pd.DataFrame, rate: float, block: str, rng: np.random.Generator) -> None:
    """Overwrite some songs by another release of a song of the table, in place."""
    count = round(rate * len(songs))
    picks = rng.permutation(len(songs))[: 2 * count]
    kept = ["release_date", "year", "popularity", "album", "date_kind"]
    columns = [name for name in songs if name not in kept]
    source, target = picks[:count], picks[count:]
    for name in columns:
        songs.iloc[target, songs.columns.get_loc(name)] = songs[name].to_numpy()[source]
    shifted = target[count // 2 :]
    for name, step in (("loudness", 0.3), ("tempo", 0.03), ("duration_ms", 900)):
        noise = rng.normal(0, step, len(shifted))
        values = songs[name].to_numpy()[shifted] + noise
        values = np.round(values).astype(int) if name == "duration_ms" else np.round(values, 3)
        songs.iloc[shifted, songs.columns.get_loc(name)] = values
    if block == "main":
        zero = target[rng.random(count) < TWIN_ZERO]
        songs.iloc[zero, songs.columns.get_loc("popularity")] = 0


def silence_songs(songs: pd.DataFrame, rate: float, rng: np.random.Generator) -> None:
    """Give some songs the all-zero rhythm that Spotify stores where it finds no beat."""
    rows = rng.permutation(len(songs))[: max(round(rate * len(songs)), 1)]
    for name in ("tempo", "danceability", "valence", "speechiness", "time_signature"):
        songs.iloc[rows, songs.columns.get_loc(name)] = 0


def share_songs(
    train: pd.DataFrame, subset: pd.DataFrame, count: int, rng: np.random.Generator
) -> None:
    """Let some songs of the population of train stand in the subset too, in place."""
    source = rng.permutation(len(train))[:count]
    target = rng.permutation(len(subset))[:count]
    for name in subset:
        subset.iloc[target, subset.columns.get_loc(name)] = train[name].to_numpy()[source]


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
    )[SUBSET]


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
