"""What the tables tell before any classifier is trained, and what its errors tell afterwards.

Used by notebook 01: the labelling rule, the album effect, genre profiles, a map, confusions.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import leaves_list, linkage
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from aares import exact
from aares.data import read_column, read_table
from aares.errors import require_songs
from aares.genre.labels import FINGERPRINT, label_from_genres
from aares.genre.neighbors import Songs, find_closest, find_neighbors
from aares.genre.songs import (
    COLUMNS,
    SOUND,
    RankSpace,
    check_table,
    compute_numbers,
    name_albums,
)
from aares.layout import lay_out_songs
from aares.scores import spread_of_share


def pair_tables(train: pd.DataFrame, subset: pd.DataFrame) -> pd.DataFrame:
    """Find the songs that stand in both tables: their label, micro-genres and the rule's label.

    Parameters
    ----------
    train : DataFrame
    subset : DataFrame

    Returns
    -------
    DataFrame
        Columns ``artist_name``, ``genres``, ``genre`` (the label given), ``rule`` and ``agree``;
        only songs that the rule labels.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> train = make_songs("train", 1, genre="rock", tempo=98.5)
    >>> subset = make_songs("subset", 2, tempo=[98.5, 99], genres=[("art rock", "pop"), ("pop",)])
    >>> pair_tables(train, subset.assign(artist_name="The Name"))
      artist_name           genres genre  rule  agree
    0    The Name  (art rock, pop)  rock  rock   True
    """
    # Length, tempo and loudness may coincide by chance; two more measurements hardly do.
    keys = [*FINGERPRINT, "danceability", "energy"]
    train = read_table(train, [*keys, "genre"])
    both = train.merge(read_table(subset, [*keys, "artist_name", "genres"]), on=keys)
    both = both.assign(rule=both["genres"].map(label_from_genres)).dropna(subset=["rule"])
    both = both.assign(agree=both["genre"] == both["rule"])
    return both[["artist_name", "genres", "genre", "rule", "agree"]].reset_index(drop=True)


def measure_album_effect(train: pd.DataFrame, *, limit: int = 10) -> pd.DataFrame:
    """Measure how often songs of one full date share their genre, by closeness in sound.

    Parameters
    ----------
    train : DataFrame
    limit : int
        Closest neighbours looked at.

    Returns
    -------
    DataFrame
        Index ``rank`` (1 = closest of the date); columns ``pairs`` and ``same_genre`` (share).

    Examples
    --------
    >>> from aares.data import make_songs
    >>> songs = make_songs("train", 5, energy=[0.1, 0.2, 0.3, 0.4, 0.9])
    >>> songs["release_date"] = ["1977-10-28", "1977-10-28", "1984", "1984", "1977-10-28"]
    >>> songs["genre"] = ["punk", "punk", "jazz", "jazz", "jazz"]
    >>> measure_album_effect(songs).round(2)
          pairs  same_genre
    rank
    1         3        0.67
    2         3        0.00
    """
    table = check_table(train)
    dates = np.where(table["release_date"].str.len() == 10, name_albums(table), "")
    space = RankSpace().fit_transform(table)
    songs = Songs(compute_numbers(table), space, dates, np.ones((len(table), 1)))
    pairs = find_neighbors(songs, limit=limit)
    genres = read_column(train, "genre").to_numpy()
    same = genres[pairs.left] == genres[pairs.right]
    groups = pd.DataFrame({"rank": pairs.rank + 1, "same": same}).groupby("rank")["same"]
    return pd.DataFrame({"pairs": groups.size(), "same_genre": groups.mean()})


def measure_sound_effect(train: pd.DataFrame) -> float:
    """Measure how often a song shares its genre with the song closest in sound, of any date.

    Parameters
    ----------
    train : DataFrame

    Returns
    -------
    float
        Share in [0, 1].

    Examples
    --------
    >>> from aares.data import make_songs
    >>> songs = make_songs("train", 5, energy=[0.1, 0.2, 0.3, 0.8, 0.9])
    >>> songs["genre"] = ["jazz"] * 2 + ["punk"] * 3
    >>> measure_sound_effect(songs)
    0.8
    """
    require_songs(len(train), 2, what="songs to compare")
    space = RankSpace().fit_transform(train)
    _, rows = find_closest(space, space, 2)
    itself = np.arange(len(space))
    closest = np.where(rows[:, 0] == itself, rows[:, -1], rows[:, 0])
    genres = read_column(train, "genre").to_numpy()
    return float(np.mean(genres == genres[closest]))


def count_neighbors(X: pd.DataFrame, known: pd.DataFrame) -> np.ndarray:
    """Count for each song the known songs of its release date.

    Parameters
    ----------
    X, known : DataFrame
        With ``release_date``.

    Returns
    -------
    ndarray of int, shape (n_songs,)

    Examples
    --------
    >>> known = pd.DataFrame({"release_date": ["1977-10-28", "1977-10-28", ""]})
    >>> songs = pd.DataFrame({"release_date": ["1977-10-28", "1984", ""]})
    >>> count_neighbors(songs, known).tolist()
    [2, 0, 0]
    """
    counts = pd.Series(name_albums(known)).value_counts().drop("", errors="ignore")
    return pd.Series(name_albums(X)).map(counts).fillna(0).astype(int).to_numpy()


def profile_genres(train: pd.DataFrame) -> pd.DataFrame:
    """Return how each genre's mean differs from all songs, in standard deviations.

    Parameters
    ----------
    train : DataFrame

    Returns
    -------
    DataFrame of float, shape (n_genres, n_columns)
        Most frequent genre first.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> songs = make_songs("train", 3, energy=[0.1, 0.2, 0.3], tempo=[101.0, 102.0, 103.0])
    >>> profile = profile_genres(songs.assign(genre=["jazz", "punk", "punk"])).round(9)
    >>> profile[["energy", "tempo"]]
          energy  tempo
    punk     0.5    0.5
    jazz    -1.0   -1.0
    """
    numbers = compute_numbers(train)[["year", *SOUND, "explicit", "mode"]]
    genres = read_column(train, "genre")
    scaled = (numbers - numbers.mean()) / numbers.std().replace(0, 1)
    order = genres.value_counts().index
    return scaled.groupby(genres.to_numpy()).mean().loc[order]


def map_songs(train: pd.DataFrame, *, n_songs: int = 1800, random_state: int = 0) -> pd.DataFrame:
    """Place a sample of songs on a plane so that songs of similar sound and year are close.

    Parameters
    ----------
    train : DataFrame
    n_songs : int
    random_state : int

    Returns
    -------
    DataFrame
        Columns ``x``, ``y`` and ``genre``; no popularity and no precise date enter.

    References
    ----------
    van der Maaten, L. and Hinton, G. (2008). Visualizing data using t-SNE, section 3.
    """
    require_songs(len(train), 4, what="songs for a map")
    songs = read_table(train, [*COLUMNS, "genre"])
    sample = songs.sample(min(n_songs, len(songs)), random_state=random_state)
    table = check_table(sample)
    space = RankSpace().fit(table).transform(table)[:, : SOUND.index("popularity")]
    year = compute_numbers(table)["year"].rank(pct=True).fillna(0.5).to_numpy()
    points = np.column_stack([space, exact.snap(year)])
    flat = lay_out_songs(points, perplexity=40, rounds=500, random_state=random_state)
    return pd.DataFrame({"x": flat[:, 0], "y": flat[:, 1], "genre": sample["genre"].to_numpy()})


def confuse_genres(truth: pd.Series, predicted: np.ndarray) -> pd.DataFrame:
    """Return the share of each genre's songs (row) that was given each label (column).

    Parameters
    ----------
    truth : Series of str, shape (n_songs,)
    predicted : ndarray of str, shape (n_songs,)

    Returns
    -------
    DataFrame of float, shape (n_genres, n_genres)
        Rows sum to 1, most frequent genre first.

    Examples
    --------
    >>> truth = pd.Series(["rock", "rock", "pop", "rock", "rock"])
    >>> confuse_genres(truth, np.array(["rock", "pop", "pop", "rock", "rock"]))
          rock   pop
    rock  0.75  0.25
    pop   0.00  1.00
    """
    require_songs(len(truth), what="labels to compare")
    order = list(truth.value_counts().index)
    shares = confusion_matrix(truth, predicted, labels=order, normalize="true")
    return pd.DataFrame(shares, index=order, columns=order)


def order_lookalikes(confusion: pd.DataFrame) -> pd.DataFrame:
    """Sort genres so that those taken for each other stand side by side.

    Parameters
    ----------
    confusion : DataFrame of float, shape (n_genres, n_genres)
        From `confuse_genres`.

    Returns
    -------
    DataFrame
        The same table with rows and columns in another order.

    References
    ----------
    Bar-Joseph, Z. et al. (2001). Fast optimal leaf ordering for hierarchical clustering, section 2.

    Examples
    --------
    >>> names = ["rock", "jazz", "punk"]
    >>> shares = [[0.7, 0.0, 0.3], [0.0, 0.9, 0.1], [0.4, 0.1, 0.5]]
    >>> order_lookalikes(pd.DataFrame(shares, index=names, columns=names))
          jazz  punk  rock
    jazz   0.9   0.1   0.0
    punk   0.1   0.5   0.4
    rock   0.0   0.3   0.7
    """
    if len(confusion) < 2:
        return confusion
    # How alike two genres are answered, whatever their label.
    alike = exact.snap(np.sqrt(confusion.to_numpy()))
    tree = linkage(alike, "average", optimal_ordering=True)
    names = confusion.index[leaves_list(tree)]
    return confusion.loc[names, names]


def find_lookalikes(confusion: pd.DataFrame, *, n_pairs: int = 8) -> pd.DataFrame:
    """Return the pairs of genres that are taken for each other most.

    Parameters
    ----------
    confusion : DataFrame
        From `confuse_genres`.
    n_pairs : int

    Returns
    -------
    DataFrame
        Columns ``genre``, ``taken for``, ``share`` and ``back`` (the share the other way).

    Examples
    --------
    >>> names = ["rock", "jazz", "punk"]
    >>> shares = [[0.7, 0.0, 0.3], [0.0, 0.9, 0.1], [0.4, 0.1, 0.5]]
    >>> find_lookalikes(pd.DataFrame(shares, index=names, columns=names), n_pairs=2)
      genre taken for  share  back
    0  punk      rock    0.4   0.3
    1  rock      punk    0.3   0.4
    """
    names = np.asarray(confusion.index)
    shares = confusion.to_numpy()
    i, j = np.nonzero(~np.eye(len(names), dtype=bool))
    table = pd.DataFrame(
        {"genre": names[i], "taken for": names[j], "share": shares[i, j], "back": shares[j, i]}
    )
    return table.nlargest(n_pairs, "share").reset_index(drop=True)


def score_genres(truth: pd.Series, predicted: np.ndarray) -> pd.DataFrame:
    """Return precision, recall and number of songs of each genre, best F1 first.

    Parameters
    ----------
    truth : Series of str, shape (n_songs,)
    predicted : ndarray of str, shape (n_songs,)

    Returns
    -------
    DataFrame
        Columns ``precision``, ``recall``, ``f1``, ``songs``; index: genres.

    Examples
    --------
    >>> truth = pd.Series(["rock", "rock", "pop", "jazz"])
    >>> score_genres(truth, np.array(["rock", "pop", "pop", "jazz"])).round(2)
          precision  recall    f1  songs
    jazz        1.0     1.0  1.00      1
    pop         0.5     1.0  0.67      1
    rock        1.0     0.5  0.67      2
    """
    require_songs(len(truth), what="labels to compare")
    names = sorted(truth.unique())
    parts = precision_recall_fscore_support(truth, predicted, labels=names, zero_division=0)
    columns = dict(zip(("precision", "recall", "f1", "songs"), parts, strict=True))
    return pd.DataFrame(columns, index=names).sort_values("f1", ascending=False, kind="stable")


def measure_reliability(
    probabilities: np.ndarray, right: np.ndarray, *, n_bins: int = 10
) -> pd.DataFrame:
    """Compare the probability of the answer with how often it is right.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_songs,)
        Of the genre that was answered.
    right : ndarray of bool, shape (n_songs,)
    n_bins : int
        Bins of equal numbers of songs.

    Returns
    -------
    DataFrame
        Columns ``claimed``, ``right`` (means of the bin), ``low``, ``high`` (95 % interval of
        `right`) and ``songs``.

    Examples
    --------
    >>> claimed = np.repeat([0.5, 0.9], 100)
    >>> right = np.arange(200) % 10 < np.repeat([5, 7], 100)  # less often than claimed
    >>> measure_reliability(claimed, right, n_bins=2).round(2)
       claimed  right  songs   low  high
    0      0.5    0.5    100  0.40  0.60
    1      0.9    0.7    100  0.61  0.79
    """
    table = pd.DataFrame({"claimed": probabilities, "right": right.astype(float)})
    bins = pd.qcut(table["claimed"], n_bins, duplicates="drop")
    result = table.groupby(bins, observed=True).agg(
        claimed=("claimed", "mean"), right=("right", "mean"), songs=("right", "size")
    )
    spread = spread_of_share(result["right"], result["songs"])
    return result.assign(low=result["right"] - spread, high=result["right"] + spread).reset_index(
        drop=True
    )


def count_hits(probabilities: np.ndarray, codes: np.ndarray, *, depth: int) -> np.ndarray:
    """Tell for which songs the label is among the `depth` most probable ones.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_songs, n_classes)
    codes : ndarray of int, shape (n_songs,)
    depth : int

    Returns
    -------
    ndarray of bool, shape (n_songs,)

    Examples
    --------
    >>> probabilities = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])
    >>> count_hits(probabilities, np.array([1, 2]), depth=2).tolist()
    [True, False]
    """
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :depth]
    return (best == codes[:, None]).any(axis=1)
