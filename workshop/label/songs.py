"""What can be asked: pairs of the songs of a folder, checks, and pairs to learn the page with.

A check is a question whose answer is known: a song cut at a place and going on there, or going on
at a wrong speed. Where a song is cut, the ten seconds on both sides are there.

Conventions: a song is named by its file's path below the folder; times are in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from aares.audio.decoding import open_sound
from aares.audio.segments import SHORTEST_S
from aares.audio.sources import MEDIA
from aares.errors import AaresError, AudioError
from workshop.label.clips import CLIP_S, Piece

MOST_PAIRS = 10_000
MOST_CHECKS = 200
COLUMNS = ("a", "b", "at_s", "speed", "kind")
WRONG_SPEEDS = (0.6, 1.5)


class SongsError(AaresError):
    """A folder has too few songs to pair."""


class Songs(NamedTuple):
    """The songs of a folder.

    Attributes
    ----------
    seconds : dict of str to float
        Of each song.
    folder : Path
    failed : list of str
        What is wrong with files that were left out.
    """

    seconds: dict[str, float]
    folder: Path
    failed: list[str]


class Lesson(NamedTuple):
    """A pair whose answer is told.

    Attributes
    ----------
    a, b : str
    at_s : float or None
    speed : float
    answer : str
        "yes" or "no".
    why : str
    """

    a: str
    b: str
    at_s: float | None
    speed: float
    answer: str
    why: str


def list_songs(folder: Path) -> Songs:
    """List the songs of a folder and of those in it.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Songs
        In the order of their names; those under 5 s are left out.

    Raises
    ------
    SongsError
        There is no folder, or fewer than two songs.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise SongsError(f"--songs: expected a folder with songs, found none at {str(folder)!r}")
    seconds, failed = {}, []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in MEDIA:
            continue
        try:
            with open_sound(path) as stream:
                length = stream.frames / stream.samplerate
        except AudioError as error:
            failed.append(str(error))
            continue
        if length >= SHORTEST_S:
            seconds[path.relative_to(folder).as_posix()] = length
        else:
            failed.append(f"{path.name}: expected {SHORTEST_S:.0f} s at least, found {length:.1f}")
    if len(seconds) < 2:
        raise SongsError(
            f"{folder}: expected at least two songs (mp3, ogg, flac, wav, ...), "
            f"found {len(seconds)}"
        )
    return Songs(seconds, folder, failed)


def draw_candidates(
    seconds: Mapping[str, float],
    *,
    known: Iterable[tuple[str, str]] = (),
    most: int = MOST_PAIRS,
    random_state: int = 0,
) -> pd.DataFrame:
    """Draw the pairs that may be asked, and the checks among them.

    Parameters
    ----------
    seconds : mapping of str to float
        Length of each song.
    known : iterable of (str, str)
        Pairs that were asked before: they stay, if their songs are there.
    most : int
        Of drawn pairs: above, each song is first and second as often as any other.
    random_state : int

    Returns
    -------
    DataFrame
        ``a``, ``b``, ``at_s`` (NaN in questions), ``speed``, ``kind`` ("question" or "check").
        A before B and B before A are two rows.

    Examples
    --------
    >>> pairs = draw_candidates({"a": 60.0, "b": 60.0})
    >>> pairs[["a", "b", "speed", "kind"]].to_numpy().tolist()[:4]
    [['a', 'b', 1.0, 'question'], ['b', 'a', 1.0, 'question'], ['a', 'a', 1.0, 'check'], \
['a', 'a', 0.6, 'check']]
    """
    names = list(seconds)
    rng = np.random.default_rng(random_state)
    n = len(names)
    n_others = min(n - 1, max(most // n, 1))
    shifts = np.sort(rng.permutation(np.arange(1, n))[:n_others])
    order = rng.permutation(n)  # so that neighbours in a folder are not neighbours here
    places = np.argsort(order)
    drawn = [
        (names[i], names[order[(places[i] + shift) % n]]) for i in range(n) for shift in shifts
    ]
    asked = dict.fromkeys([*sorted(drawn), *known])
    rows: list[tuple] = [
        (a, b, np.nan, 1.0, "question")
        for a, b in asked
        if a in seconds and b in seconds and a != b
    ]
    for number, name in enumerate(names[: MOST_CHECKS // 2]):
        if place := _draw_place(seconds[name], rng):
            wrong = WRONG_SPEEDS[number % 2]
            rows += [(name, name, place, 1.0, "check"), (name, name, place, wrong, "check")]
    pairs = pd.DataFrame(rows, columns=list(COLUMNS))
    return pairs.astype(dict.fromkeys(("a", "b", "kind"), "category"))  # compared as numbers


def draw_lessons(seconds: Mapping[str, float], *, random_state: int = 1) -> list[Lesson]:
    """Draw four pairs whose answer is obvious.

    Parameters
    ----------
    seconds : mapping of str to float
    random_state : int

    Returns
    -------
    list of Lesson
        Empty where no song is long enough to be cut.

    Examples
    --------
    >>> lessons = draw_lessons({"a": 60.0, "b": 60.0})
    >>> [lesson.answer for lesson in lessons]
    ['yes', 'no', 'yes', 'no']
    """
    rng = np.random.default_rng(random_state)
    long = [name for name, length in seconds.items() if _draw_place(length, rng)]
    if not long:
        return []
    goes_on = "It is one song that goes on: nothing changes."
    wrong = {
        0.6: "It is one song, but all at once far too slow and too low.",
        1.5: "It is one song, but all at once far too fast and too high.",
    }
    lessons = []
    for number, name in enumerate(rng.permutation(np.resize(sorted(long), max(len(long), 4)))[:4]):
        speed = 1.0 if number % 2 == 0 else WRONG_SPEEDS[number // 2]
        place = _draw_place(seconds[name], rng)
        answer, why = ("no", wrong[speed]) if speed != 1 else ("yes", goes_on)
        lessons.append(Lesson(str(name), str(name), place, speed, answer, why))
    return lessons


def _draw_place(seconds: float, rng: np.random.Generator) -> float | None:
    """Draw where a song may be cut: also ten seconds of a faster B must be there."""
    least, most = CLIP_S + 2, seconds - max(WRONG_SPEEDS) * CLIP_S - 5
    return round(float(rng.uniform(least, most)), 3) if most > least else None


def get_pieces(
    folder: Path, a: str, b: str, at_s: float | None, speed: float
) -> tuple[Piece, Piece]:
    """Tell what is heard of a pair.

    Parameters
    ----------
    folder : Path
    a, b : str
        Songs.
    at_s : float or None
        Where both are cut.
    speed : float
        Of B.

    Returns
    -------
    a, b : Piece
    """
    place = None if at_s is None or np.isnan(at_s) else float(at_s)
    return Piece(folder / a, True, place), Piece(folder / b, False, place, speed)


def answer_check(speed: float) -> str:
    """Return the right answer to a song that goes on at a speed.

    Parameters
    ----------
    speed : float

    Returns
    -------
    str

    Examples
    --------
    >>> answer_check(1.0), answer_check(1.5)
    ('yes', 'no')
    """
    return "yes" if speed == 1 else "no"


def name_song(name: str) -> str:
    """Return the title that is shown once a pair was answered.

    Parameters
    ----------
    name : str

    Returns
    -------
    str

    Examples
    --------
    >>> name_song("album/Some Body - 01 Tune.ogg")
    'Some Body - 01 Tune'
    """
    return Path(name).stem
