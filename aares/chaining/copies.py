"""Songs that are in a collection twice: the same recording again, or played faster.

A model that has seen a song knows its copy, so copies leave before anything is measured. Excerpts
of each song are looked for in all other songs by the index of exercise 5
(:class:`aares.identify.Index`), which allows for another format, level, cut and noise, and for a
speed of 3 % more or less. Games also play a song faster in the last lap: with its pitch, which the
index does not follow, so excerpts are slowed down by some ratios before they are looked for again.

References
----------
.. [1] A. L.-C. Wang, "An Industrial-Strength Audio Search Algorithm", ISMIR 2003.
.. [2] J. Laroche and M. Dolson, "Improved phase vocoder time-scale modification of audio", IEEE
   Transactions on Speech and Audio Processing 7(3), 1999: section II (tempo without pitch).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import soundfile as sf
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from aares.audio import load_audio
from aares.errors import AudioError, DataError
from aares.identify import Index, make_query
from aares.identify.answer import THRESHOLD, choose
from aares.identify.peaks import RATE_HZ
from aares.identify.query import WINDOW

TEMPOS = (1.04, 1.08, 1.12, 1.16, 1.2, 1.24)
"""How much faster a copy may be at the same pitch; the index allows for 2 % beside each."""
SPEEDS = (1.06, 1.12)
"""How much faster it may be, pitch and all; the index allows for 3 % beside each."""
N_EXCERPTS = 8
EXCERPT_S = 10.0
LEAST_SHARE = 0.25
"""Of the excerpts: songs of one composer that share a loop have fewer in common."""
COLUMNS = ["a", "b", "share", "found", "n_excerpts", "change", "ratio", "p_false"]


class Look(NamedTuple):
    """A way to look for an excerpt: how it is changed before, and how closely the index looks."""

    change: str
    ratio: float
    way: str


def find_copies(
    songs: pd.DataFrame,
    *,
    tempos: Sequence[float] = TEMPOS,
    speeds: Sequence[float] = SPEEDS,
    n_excerpts: int = N_EXCERPTS,
    least_share: float = LEAST_SHARE,
) -> pd.DataFrame:
    """Find the songs that another file holds too.

    Parameters
    ----------
    songs : DataFrame
        ``path`` of the file and ``song``, its name; names differ.
    tempos, speeds : sequence of float
        Ratios above 1 by which a copy may be faster, at the same pitch or with it. Both songs of a
        pair are looked for, so slower ones are found too. Without any, it is seven times as quick.
    n_excerpts : int
        Of 10 s, spread over each song; as many as there is room for.
    least_share : float
        Of a song's excerpts that are found in another one, for it to be called a copy.

    Returns
    -------
    DataFrame
        A row for each song ``a`` and song ``b`` that holds it: ``share`` of the excerpts of `a`
        found there (``found`` of ``n_excerpts``), how `a` was changed for it (``change``: "none",
        "tempo" or "speed", and ``ratio``) and the lowest ``p_false``, see
        :class:`aares.identify.Answer`. In the order of the songs.

    Raises
    ------
    DataError
        Columns are missing, or two songs have one name.
    AudioError
        A file cannot be read.

    References
    ----------
    Wang 2003 [1]_; tempo by a phase vocoder, Laroche and Dolson 1999 [2]_, section II.

    Examples
    --------
    >>> import tempfile
    >>> import soundfile as sf
    >>> rng = np.random.default_rng(0)
    >>> y, other = (0.1 * rng.standard_normal(12 * 8000) for _ in range(2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, signal in {"a": y, "b": other, "quiet a": y / 4}.items():
    ...         sf.write(Path(folder) / f"{name}.wav", signal, 8000)
    ...     files = sorted(Path(folder).iterdir())
    ...     songs = pd.DataFrame({"path": files, "song": [file.stem for file in files]})
    ...     copies = find_copies(songs, tempos=(), speeds=())
    >>> copies[["a", "b", "share"]].to_numpy().tolist()
    [['a', 'quiet a', 1.0], ['quiet a', 'a', 1.0]]
    """
    _check_songs(songs)
    for name, ratios in (("tempos", tempos), ("speeds", speeds)):
        if any(not 1 < ratio <= 1.5 for ratio in ratios):
            raise ValueError(f"{name}: expected ratios above 1 and at most 1.5, found {ratios}")
    looks = [Look("none", 1.0, "thorough"), Look("none", 1.0, "speeds")]
    looks += [Look("tempo", ratio, "quick") for ratio in tempos]
    looks += [Look("speed", ratio, "speeds") for ratio in speeds]
    index, excerpts = Index(), {}
    for path, song in zip(songs["path"], songs["song"], strict=True):
        y = load_audio(path, sr=RATE_HZ)
        index.add({song: y})
        excerpts[song] = cut_excerpts(y, n_excerpts)
    rows: list[tuple] = []
    for song, parts in excerpts.items():
        alone = least_share * len(parts) <= 1  # one excerpt decides: it is judged more strictly
        threshold = THRESHOLD / len(looks) if alone else THRESHOLD
        rows += _list_copies(index, song, parts, looks, threshold)
    found = pd.DataFrame(rows, columns=COLUMNS)
    return found[found["share"] >= least_share].reset_index(drop=True)


def _list_copies(
    index: Index,
    song: str,
    excerpts: Sequence[np.ndarray],
    looks: Sequence[Look],
    threshold: float,
) -> Iterator[tuple]:
    """Yield a row of `COLUMNS` for each song that holds excerpts: the look that finds most."""
    rows: dict[str, tuple] = {}
    for look in looks:
        found: Counter[str] = Counter()
        lowest: dict[str, float] = {}
        for y in excerpts:
            query = make_query(slow_down(y, look)[:WINDOW])
            ranking = index.rank(query, look.way, without={song})
            answer = choose(ranking, way=look.way, threshold=threshold)
            if answer.match:
                other = answer.match.song
                found[other] += 1
                lowest[other] = min(answer.p_false, lowest.get(other, 1.0))
        for other, n in found.items():
            if other not in rows or n > rows[other][3]:
                row = (n / len(excerpts), n, len(excerpts), look.change, look.ratio, lowest[other])
                rows[other] = (song, other, *row)
    yield from rows.values()


def slow_down(y: np.ndarray, look: Look) -> np.ndarray:
    """Play an excerpt slower, at its pitch or with it.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
    look : Look

    Returns
    -------
    ndarray of float32, shape (about n * ratio,)

    Examples
    --------
    >>> y = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000).astype(np.float32)
    >>> for change in ("none", "tempo", "speed"):
    ...     slow = slow_down(y, Look(change, 1.25, "quick"))
    ...     print(change, len(slow), np.abs(np.fft.rfft(slow)).argmax() * 8000 / len(slow))
    none 8000 1000.0
    tempo 10000 1000.0
    speed 10000 800.0
    """
    import librosa  # half a second, which the rest need not wait for

    if look.change == "none":
        return y
    if look.change == "tempo":
        return librosa.effects.time_stretch(y, rate=1 / look.ratio)
    return librosa.resample(y, orig_sr=100, target_sr=round(100 * look.ratio))


def cut_excerpts(y: np.ndarray, n_excerpts: int) -> list[np.ndarray]:
    """Cut excerpts of 10 s out of a song, spread evenly; of a shorter one, all of it.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
        At 8 kHz.
    n_excerpts : int
        At most so many; they do not overlap.

    Returns
    -------
    list of ndarray of float32

    Examples
    --------
    >>> [len(part) / 8000 for part in cut_excerpts(np.zeros(25 * 8000), 8)]
    [10.0, 10.0]
    >>> [len(part) / 8000 for part in cut_excerpts(np.zeros(7 * 8000), 8)]
    [7.0]
    """
    if n_excerpts < 1:
        raise ValueError(f"n_excerpts: expected at least 1, found {n_excerpts}")
    n = min(len(y), round(EXCERPT_S * RATE_HZ))
    starts = np.linspace(0, len(y) - n, max(1, min(n_excerpts, len(y) // n))).astype(int)
    return [y[start : start + n] for start in starts]


def drop_copies(songs: pd.DataFrame, copies: pd.DataFrame | None = None) -> pd.DataFrame:
    """Keep one song of each group of copies: the longest, of equal ones the first.

    Parameters
    ----------
    songs : DataFrame
        ``path`` and ``song``, as for `find_copies`; ``seconds`` where known, else read from the
        files.
    copies : DataFrame, optional
        What `find_copies` found; default: it is asked.

    Returns
    -------
    DataFrame
        Rows of `songs`, in their order, with a new index.

    Raises
    ------
    DataError, AudioError
        As `find_copies`.

    Examples
    --------
    A copy of a copy is of the same group.

    >>> songs = pd.DataFrame({"path": list("abcd"), "song": list("abcd")})
    >>> songs["seconds"] = [9, 70, 70, 5]
    >>> drop_copies(songs, pd.DataFrame({"a": ["a", "c"], "b": ["b", "a"]}))["song"].tolist()
    ['b', 'd']
    """
    _check_songs(songs)
    copies = find_copies(songs) if copies is None else copies
    row_of = {song: row for row, song in enumerate(songs["song"])}
    known = copies[copies["a"].isin(row_of) & copies["b"].isin(row_of)]
    ends = known["a"].map(row_of), known["b"].map(row_of)
    graph = coo_array((np.ones(len(known)), ends), shape=(len(songs), len(songs)))
    groups = connected_components(graph, directed=False)[1]
    seconds = songs["seconds"] if "seconds" in songs else [_time(path) for path in songs["path"]]
    table = pd.DataFrame({"group": groups, "seconds": np.asarray(seconds, dtype=float)})
    longest = table.sort_values("seconds", ascending=False, kind="stable").drop_duplicates("group")
    return songs.iloc[np.sort(longest.index)].reset_index(drop=True)


def _time(path: str | Path) -> float:
    """Return how many seconds a file lasts."""
    try:
        return float(sf.info(str(path)).duration)
    except sf.LibsndfileError as error:
        raise AudioError(f"{Path(path).name}: not readable as audio ({error})") from error


def _check_songs(songs: pd.DataFrame) -> None:
    """Raise `DataError` for what is no table of named files."""
    if missing := [name for name in ("path", "song") if name not in songs]:
        raise DataError(
            f"songs: expected the columns path and song, found no {missing[0]!r} among "
            f"{', '.join(map(str, songs.columns))}"
        )
    if twice := [name for name, n in Counter(songs["song"]).items() if n > 1]:
        raise DataError(f"songs: expected names that differ, found {twice[0]!r} twice")
