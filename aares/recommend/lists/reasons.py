"""Why a song stands in a playlist, in words that the table of songs can prove.

Used by notebook ``03_recommendation`` through :class:`aares.recommend.Recommender`. What moved the
likeness of two songs is a number for each group of features. A reason names the groups that moved
it most, as far as the cells of both songs bear it: :class:`Claim` says when "as bright" is true.
Nothing is said of genre or instruments, which the table does not hold.

Conventions: cells as in the table (shares of 0-1, decibels, beats per minute, milliseconds), but
the year is that of the recording, see :class:`aares.recommend.traits.traits.Traits`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aares.data.door import read_column
from aares.recommend.catalogue import Catalogue
from aares.recommend.traits.traits import Traits

MOST = 3
"""A reason makes so many claims at most."""

TOLERANCES: dict[str, float] = {
    "danceability": 0.08, "energy": 0.08, "valence": 0.08, "acousticness": 0.1,
    "instrumentalness": 0.15, "speechiness": 0.05, "loudness": 1.5, "tempo": 4.0,
    "duration_ms": 15_000.0, "popularity": 5.0, "year": 2.0,
}  # fmt: skip
"""Songs are alike in a column if they differ by at most so much, else one has more of it."""

MIDDLES: dict[str, float] = {
    "loudness": -8.0, "duration_ms": 210_000.0, "popularity": 50.0, "speechiness": 0.1,
}  # fmt: skip
"""From here on a seed is loud, long, well known or wordy; shares are high from 0.5."""

PHRASES: dict[str, tuple[str, str, str, str]] = {
    "danceability": ("as danceable", "", "more danceable", "less danceable"),
    "energy": ("as energetic", "as calm", "more energetic", "calmer"),
    "valence": ("as bright", "as dark", "brighter", "darker"),
    "acousticness": ("as acoustic", "", "more acoustic", "less acoustic"),
    "instrumentalness": ("as instrumental", "", "more instrumental", "less instrumental"),
    "speechiness": ("as wordy", "", "wordier", "less wordy"),
    "loudness": ("as loud", "as quiet", "louder", "quieter"),
    "duration_ms": ("as long", "as short", "longer", "shorter"),
    "popularity": ("as well known", "as little known", "better known", "less known"),
    "tempo": ("at the same tempo ({:.0f})", "at the same tempo ({:.0f})", "faster", "slower"),
    "year": ("from the same years ({:.0f})", "from the same years ({:.0f})",
             "newer ({:.0f})", "older ({:.0f})"),
    "key": ("in the same key ({})", "", "", ""),
    "language": ("title in the same language", "", "", ""),
    "release_date": ("released on the same day", "", "", ""),
}  # fmt: skip
"""Of each column: alike where the seed has much of it, and little; more; less. Empty: not said."""

GROUPS = {"duration": "duration_ms", "title": "language", "release day": "release_date"}
"""What a group of contributions is compared by, where it is not called as a column."""

SOUND = ("energy", "loudness", "danceability", "valence", "acousticness")
"""What is compared in any case: these always can be put in words."""

KEYS = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")

Cells = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Claim:
    """One thing that is said of a song beside its seed.

    Parameters
    ----------
    kind : {"alike", "more", "less"}
        Whether the song is as the seed, has more of it, or less.
    column : str
        What is compared, of :data:`PHRASES`.
    seed, song : float or str
        The cells of the two.

    Examples
    --------
    >>> claim = Claim("alike", "year", 1975.0, 1976.0)
    >>> claim.write(), claim.is_true()
    ('from the same years (1976)', True)
    >>> Claim("less", "loudness", -9.0, -10.0).is_true()  # by less than anybody would hear
    False
    """

    kind: str
    column: str
    seed: Any
    song: Any

    def is_true(self) -> bool:
        """Say whether the cells bear the claim.

        Numbers are alike if they differ by at most what :data:`TOLERANCES` says, and the song has
        more or less if it differs by more than that; nothing is true of a missing number. Texts are
        alike if they are equal and not empty, and are neither more nor less.

        Returns
        -------
        bool
        """
        if isinstance(self.seed, str):
            return self.kind == "alike" and self.seed == self.song != ""
        apart, tolerance = self.song - self.seed, TOLERANCES[self.column]
        if self.kind == "alike":
            return bool(abs(apart) <= tolerance)
        return bool(apart > tolerance if self.kind == "more" else -apart > tolerance)

    def write(self) -> str:
        """Return the claim in words; empty where nobody would say it.

        Returns
        -------
        str
        """
        high, low, more, less = PHRASES[self.column]
        if self.kind != "alike":
            return (more if self.kind == "more" else less).format(self.song)
        is_high = isinstance(self.seed, str) or self.seed >= MIDDLES.get(self.column, 0.5)
        return (high if is_high else low).format(self.song)


def read_cells(catalogue: Catalogue, traits: Traits) -> Cells:
    """Return what reasons compare, of all songs.

    Parameters
    ----------
    catalogue : Catalogue
    traits : Traits

    Returns
    -------
    dict of str to ndarray, shape (n,)
        Columns of :data:`PHRASES`, those that the table has.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> from aares.recommend.catalogue import read_catalogue
    >>> from aares.recommend.traits.traits import read_traits
    >>> catalogue = read_catalogue(make_songs("recommendation", 2, key=[0, 9], mode=[1, 0]))
    >>> read_cells(catalogue, read_traits(catalogue))["key"].tolist()
    ['C major', 'A minor']
    """
    songs = catalogue.songs
    cells = {name: songs[name].to_numpy(float) for name in TOLERANCES if name in songs}
    pairs = zip(songs["key"].tolist(), songs["mode"].tolist(), strict=True)
    cells["key"] = _collect(f"{KEYS[key]} {'major' if mode else 'minor'}" for key, mode in pairs)
    cells["year"], cells["language"] = traits.era, _collect(traits.language)
    if "release_date" in songs:  # the first of January often stands for a year
        days = read_column(songs, "release_date")
        cells["release_date"] = _collect(
            day if len(day) == 10 and not day.endswith("-01-01") else "" for day in days
        )
    return cells


def _collect(texts: Any) -> npt.NDArray[Any]:
    return np.array([str(text) for text in texts], dtype=object)


def find_claims(
    cells: Cells, seed: int, song: int, contributions: Sequence[tuple[str, float]]
) -> list[Claim]:
    """Find what may be said of a song, most important first.

    That is what made the songs more alike, if they are alike in it; and last the one thing that
    kept them apart most, if it counts more than the least of these.

    Parameters
    ----------
    cells : dict of str to ndarray
        From :func:`read_cells`.
    seed, song : int
        Rows.
    contributions : sequence of (str, float)
        What each group added to the likeness of the two.

    Returns
    -------
    list of Claim
        One to :data:`MOST`; each is true.

    Examples
    --------
    >>> cells = {"year": np.array([1975.0, 1976.0]), "energy": np.array([0.9, 0.5])}
    >>> cells |= {"valence": np.array([0.7, 0.7]), "loudness": np.array([-5.0, -6.0])}
    >>> moved = [("valence", 0.1), ("energy", -0.4), ("year", 2.0), ("loudness", -0.1)]
    >>> [claim.write() for claim in find_claims(cells, 0, 1, moved)]
    ['from the same years (1976)', 'as bright', 'calmer']
    """
    found = [
        (added, claim)
        for column, added in _list_columns(contributions)
        if column in cells and (claim := compare_cells(cells, column, seed, song)) is not None
    ]
    found.sort(key=lambda pair: -pair[0])
    alike = [pair for pair in found if pair[1].kind == "alike"]
    told = [pair for pair in alike if pair[0] > 0][:MOST] or alike[:1]
    apart = [pair for pair in found if pair[1].kind != "alike" and (pair[0] < 0 or not told)][-1:]
    if apart and not (told and -apart[0][0] < told[-1][0]):
        told = [*told[: MOST - 1], *apart]
    return [claim for _, claim in told]


def _list_columns(contributions: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Return the columns that groups are compared by; those of sound, if they added nothing."""
    columns = {GROUPS.get(group, group): added for group, added in contributions}
    return list(({name: 0.0 for name in SOUND} | columns).items())


def compare_cells(cells: Cells, column: str, seed: int, song: int) -> Claim | None:
    """Compare two songs in one column.

    Parameters
    ----------
    cells : dict of str to ndarray
    column : str
    seed, song : int
        Rows.

    Returns
    -------
    Claim or None
        None where nothing is true, or nobody would say it.

    Examples
    --------
    >>> compare_cells({"tempo": np.array([120.0, 90.0])}, "tempo", 0, 1).write()
    'slower'
    """
    one, other = cells[column][seed], cells[column][song]
    for kind in ("alike", "more", "less"):
        claim = Claim(kind, column, one, other)
        if claim.is_true():
            return claim if claim.write() else None
    return None


def write_reason(claims: Sequence[Claim], *, near: str = "") -> str:
    """Write claims as one line.

    Parameters
    ----------
    claims : sequence of Claim
    near : str
        The name of the seed, where there are several.

    Returns
    -------
    str

    Examples
    --------
    >>> claims = [Claim("alike", "valence", 0.7, 0.7), Claim("alike", "year", 1975.0, 1976.0),
    ...           Claim("alike", "energy", 0.9, 0.9)]
    >>> write_reason(claims)
    'as bright and as energetic, from the same years (1976)'
    >>> write_reason([Claim("less", "energy", 0.9, 0.5)], near="SOS")
    'near SOS: calmer than the seed'
    """
    alike = [claim.write() for claim in claims if claim.kind == "alike"]
    adjectives = [words for words in alike if words.startswith("as ")]
    parts = [words for words in alike if words not in adjectives[1:]]
    if len(adjectives) > 1:
        parts[parts.index(adjectives[0])] = _join(adjectives)
    if others := [claim.write() for claim in claims if claim.kind != "alike"]:
        parts.append(f"{_join(others)} than the seed")
    return f"{f'near {near}: ' if near else ''}{', '.join(parts)}"


def _join(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
