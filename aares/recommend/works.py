"""Which titles are of one work, by the numbers that composers and publishers give (exercise 3).

Used by :mod:`aares.recommend.finder`. "Symphony No. 5" and "Symphony No. 9" are two works by one
composer, "Clair de Lune, No. 3" and "Clair de Lune, L. 32" need not be.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache

from aares.data.titles import normalise

_KINDS = {
    "nr": "no", "opus": "op", "kv": "k", "k": "k", "pt": "part", "teil": "part", "vol": "part",
    "kapitel": "chapter", "folge": "episode",
}  # fmt: skip
_NUMBER = re.compile(
    r"\b(no|nr|op|opus|bwv|kv?|l|d|hwv|rv|hob|woo|act|part|pt|teil|vol|chapter|kapitel|episode"
    r"|folge|scene)\s(\d+[a-z]?|[ivxl]+)\b"
)
_MOVEMENT = re.compile(r"(?:[:;,/-]|\bNo\. ?\d+)\s*([IVX]+)\b")
_KEY = re.compile(r"\bin ([a-g](?: flat| sharp)?) (major|minor)\b")
_NUMBERING = re.compile(
    r"(?:(?:no|nr|op|opus|bwv|kv?|l|d|hwv|rv|hob|woo|act|part|pt|teil|vol)\s\w+|from|aus"
    r"|in [a-h]|[ivx]+|\d+)\b"
)


@lru_cache(maxsize=10_000)
def read_numbers(title: str) -> dict[str, frozenset[str]]:
    """Return the numbers of a work that a title gives, by kind.

    Parameters
    ----------
    title : str

    Returns
    -------
    dict of str to frozenset of str
        Kinds are ``"no"``, ``"op"``, ``"bwv"``, ``"movement"``, ``"key"``, ``"chapter"``, ...

    Examples
    --------
    >>> numbers = read_numbers("Symphony No. 5 in C Minor, Op. 67: II. Andante")
    >>> {kind: sorted(found) for kind, found in sorted(numbers.items())}
    {'key': ['c minor'], 'movement': ['II'], 'no': ['5'], 'op': ['67']}
    """
    found: dict[str, set[str]] = defaultdict(set)
    plain = normalise(title)
    for kind, number in _NUMBER.findall(plain):
        found[_KINDS.get(kind, kind)].add(number.lstrip("0") or number)
    found["movement"].update(_MOVEMENT.findall(title))
    found["key"].update(" ".join(key) for key in _KEY.findall(plain))
    return {kind: frozenset(numbers) for kind, numbers in found.items() if numbers}


def is_other_work(title: str, other: str) -> bool:
    """Say whether two titles number different works, movements, parts or chapters.

    Parameters
    ----------
    title, other : str

    Returns
    -------
    bool

    Examples
    --------
    >>> is_other_work("Nocturne No. 1", "Nocturne No. 2"), is_other_work("Gigue, No. 3", "Gigue")
    (True, False)
    """
    mine, theirs = read_numbers(title), read_numbers(other)
    return any(mine[kind].isdisjoint(theirs[kind]) for kind in mine.keys() & theirs.keys())


def is_numbering(rest: str) -> bool:
    """Say whether what follows a title only says which work, part or key it is.

    Parameters
    ----------
    rest : str
        Normalised.

    Returns
    -------
    bool

    Examples
    --------
    >>> [is_numbering(rest) for rest in ("no 3", "from suite bergamasque", "me do")]
    [True, True, False]
    """
    return bool(_NUMBERING.match(rest))
