"""Learn to rank: which of a seed's candidates are by the seed's artist.

Used by notebook ``03_recommendation`` through :class:`aares.recommend.space.likeness.SongLikeness`.
A lesson is a catalogue with its artists: each song that has another song of its artist among its
candidates is a query. Artists, and genres where a lesson has them, are labels; no input of a pair
tells them.

References
----------
Burges, "From RankNet to LambdaRank to LambdaMART: an overview", MSR-TR-2010-82, section 4.
Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS 2017.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import lightgbm
import numpy as np
import numpy.typing as npt
from scipy import sparse

from aares.files import digest, write_atomic
from aares.recommend.space.neighbourhood import Neighbourhood
from aares.recommend.space.pairs import Facts, IntArray, PairReader, compare_rows

SIZE = 8_700
"""Songs of a catalogue that is drawn to learn from: as many as the course's subset has."""

MIN_QUERIES = 100
"""Queries below which no ranking is learnt."""

_FORMAT = 1  # of the cache; another code for inputs or lessons is another number


@dataclass(frozen=True)
class Lesson:
    """A catalogue to learn ranking from.

    Parameters
    ----------
    facts : Facts
    artists : csr_matrix of float, shape (n, a)
        1 where a song credits an artist.
    genres : csr_matrix of float, shape (n, g), optional
        1 where a song has a genre.
    """

    facts: Facts
    artists: sparse.csr_matrix
    genres: sparse.csr_matrix | None = None


@dataclass(frozen=True)
class RankingOptions:
    """How a ranking is learnt.

    Parameters
    ----------
    use_release_day : bool
        Whether the day of release may tell.
    n_candidates : int
        Nearest songs of each query that are learnt from.
    share : float
        Of the candidates by other artists, so many are learnt from.
    rounds, leaves : int
        Trees, and leaves of each.
    rate : float
        How much each tree counts.
    random_state : int
    """

    use_release_day: bool = True
    n_candidates: int = 500
    share: float = 0.2
    rounds: int = 160
    leaves: int = 31
    rate: float = 0.09
    random_state: int = 0


ALIKE = 0.5
"""Jaccard index of two songs' genres from which they count as alike, less than by one artist."""


def mark_names(lists: Sequence[Sequence[str]]) -> sparse.csr_matrix:
    """Return which names each song has, such as its artists or genres, as a matrix of 0 and 1.

    Parameters
    ----------
    lists : sequence of sequence of str
        Names of each song.

    Returns
    -------
    csr_matrix of float, shape (n, n_names)
        Columns are the names, sorted; at least one.

    Examples
    --------
    >>> mark_names([("abba", "cher"), ("cher",), ()]).toarray().tolist()
    [[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]
    """
    number = {name: i for i, name in enumerate(sorted({name for of in lists for name in of}))}
    columns = np.array([number[name] for of in lists for name in sorted(set(of))], dtype=np.int64)
    ends = np.cumsum([0, *(len(set(of)) for of in lists)])
    return sparse.csr_matrix(
        (np.ones(len(columns)), columns, ends), shape=(len(lists), max(len(number), 1))
    )


def draw_rows(n_songs: int, *, n_draws: int, random_state: int) -> list[npt.NDArray[np.intp]]:
    """Draw catalogues of :data:`SIZE` songs from a larger one, without a song twice.

    Parameters
    ----------
    n_songs : int
        Of the large catalogue; one that is no larger than :data:`SIZE` is taken whole, once.
    n_draws : int
        At most; fewer where the catalogue does not have as many songs.
    random_state : int

    Returns
    -------
    list of ndarray of int
        Rows, sorted.

    Examples
    --------
    >>> [len(rows) for rows in draw_rows(20_000, n_draws=3, random_state=0)]
    [8700, 8700]
    >>> [rows.tolist() for rows in draw_rows(3, n_draws=3, random_state=0)]
    [[0, 1, 2]]
    """
    order = np.random.default_rng(random_state).permutation(n_songs)
    n_draws = min(n_draws, max(1, n_songs // SIZE))
    return [np.sort(order[draw * SIZE : (draw + 1) * SIZE]) for draw in range(n_draws)]


def learn_ranking(lessons: Sequence[Lesson], options: RankingOptions) -> lightgbm.Booster | None:
    """Learn to rank candidates.

    Parameters
    ----------
    lessons : sequence of Lesson
    options : RankingOptions

    Returns
    -------
    lightgbm.Booster or None
        None where the lessons have fewer than :data:`MIN_QUERIES` queries.
    """
    inputs, labels, sizes = [], [], []
    for lesson in lessons:
        reader = PairReader(lesson.facts, use_release_day=options.use_release_day)
        for seeds, songs, wanted, lengths in _list_queries(lesson, options):
            inputs.append(reader.read(seeds, songs))
            labels.append(wanted)
            sizes += lengths
    if len(sizes) < MIN_QUERIES:
        return None
    data = lightgbm.Dataset(np.concatenate(inputs), np.concatenate(labels), group=sizes)
    return lightgbm.train(_set_options(options), data, num_boost_round=options.rounds)


def _set_options(options: RankingOptions) -> dict[str, object]:
    return {
        "objective": "lambdarank",
        "num_leaves": options.leaves,
        "learning_rate": options.rate,
        "min_data_in_leaf": 50,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "lambdarank_truncation_level": 30,
        "label_gain": [0, 1, 3],
        "max_bin": 63,
        "seed": options.random_state,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }


def _list_queries(
    lesson: Lesson, options: RankingOptions
) -> Iterator[tuple[IntArray, IntArray, npt.NDArray[np.int32], list[int]]]:
    """Yield pairs, their labels, and the lengths of lists, for some queries at a time."""
    near = Neighbourhood(
        lesson.facts.points, lesson.facts.days if options.use_release_day else None
    )
    shared = np.asarray(lesson.artists.sum(axis=0)).ravel() >= 2
    queries = np.flatnonzero(lesson.artists @ shared.astype(float))
    rng = np.random.default_rng(options.random_state)
    for start in range(0, len(queries), 512):
        some = queries[start : start + 512]
        found = near.find_many(some, options.n_candidates)
        sizes = np.array([len(rows) for rows in found])
        seeds, songs = np.repeat(some, sizes), np.concatenate(found)
        owner = np.repeat(np.arange(len(some)), sizes)
        labels = _label(lesson, seeds, songs)
        useful = np.bincount(owner, weights=labels == 2, minlength=len(some)) > 0
        kept = useful[owner] & ((labels == 2) | (rng.random(len(owner)) < options.share))
        sizes = np.bincount(owner[kept], minlength=len(some))[useful]
        yield seeds[kept], songs[kept], labels[kept], sizes.tolist()


def _label(lesson: Lesson, seeds: IntArray, songs: IntArray) -> npt.NDArray[np.int32]:
    """Return 2 for a song by an artist of the seed's, 1 for one of much the same genres, else 0."""
    labels = 2 * (compare_rows(lesson.artists, seeds, songs) > 0).astype(np.int32)
    if lesson.genres is None:
        return labels
    sizes = np.asarray(lesson.genres.sum(axis=1)).ravel()
    shared = compare_rows(lesson.genres, seeds, songs)
    alike = shared >= ALIKE * np.maximum(sizes[seeds] + sizes[songs] - shared, 1)
    return np.maximum(labels, alike.astype(np.int32))


def digest_lessons(lessons: Sequence[Lesson], options: RankingOptions) -> str:
    """Tell lessons and options from all others.

    Parameters
    ----------
    lessons : sequence of Lesson
    options : RankingOptions

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    parts = [json.dumps([_FORMAT, lightgbm.__version__, _set_options(options), repr(options)])]
    for lesson in lessons:
        facts, artists = lesson.facts, lesson.artists
        arrays = [facts.values, facts.points, facts.crowd, facts.days]
        for rows in (*facts.titles, artists, *([] if lesson.genres is None else [lesson.genres])):
            arrays += [rows.data, rows.indices, rows.indptr]
        parts += [digest(np.ascontiguousarray(array).tobytes()) for array in arrays]
        parts += facts.names
    return digest("\n".join(parts).encode())


def keep_ranking(folder: Path, key: str, booster: lightgbm.Booster) -> None:
    """Keep a ranking on disk; where that is not possible, it is learnt again next time.

    Parameters
    ----------
    folder : Path
    key : str
        Of :func:`digest_lessons`.
    booster : lightgbm.Booster
    """
    text = booster.model_to_string()
    with suppress(OSError):
        write_atomic(folder / f"ranking-{key}.txt", f"{key} {digest(text.encode())}\n{text}")


def find_ranking(folder: Path, key: str, n_inputs: int) -> lightgbm.Booster | None:
    """Read a ranking that was kept.

    Parameters
    ----------
    folder : Path
    key : str
        Of :func:`digest_lessons`.
    n_inputs : int
        Which it must have.

    Returns
    -------
    lightgbm.Booster or None
        None where there is none, or where it is not as it was written.
    """
    try:
        content = (folder / f"ranking-{key}.txt").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    head, _, text = content.partition("\n")
    if head != f"{key} {digest(text.encode())}":
        return None
    booster = lightgbm.Booster(model_str=text)
    return booster if booster.num_feature() == n_inputs else None
