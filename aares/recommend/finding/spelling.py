"""Titles and names as people spell them: what two spellings share, and which names are near.

Used by :mod:`aares.recommend.finding.finder`. An index of trigrams says in a millisecond or two
which of 100,000 names may be meant; only these are compared letter by letter.

References
----------
Zobel and Dart, "Finding approximate matches in large lexicons", Software: Practice and Experience
25(3), 1995: an index of n-grams for a coarse choice, an edit distance for the fine one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from aares.data.titles import normalise, strip_title
from aares.recommend.catalogue import normalise_name

GUESTS = re.compile(r"\s+[(\[]?(?:feat|ft|featuring)\b.*$", re.IGNORECASE)
AND = re.compile(r"[&+]")
_MAY_LOOSEN = re.compile(r"[&+]|f(?:ea)?t", re.IGNORECASE)
_VERSION = re.compile(
    r"(live|remaster\w*|acoustic|mono|stereo|unplugged|demo|instrumental|bonus|feat|ft|from|official"
    r"|karaoke|\d{4})\b"
    r"|.*\b(version|edit|(re)?mix(es)?|remaster\w*|\d{4}|live|demo|take \d+|cut|sessions?|dub|mono"
    r"|stereo|acoustic|instrumental|karaoke)$",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"[(\[].*?[)\]]")
_JOINERS = frozenset(
    ("and", "feat", "ft", "featuring", "with", "x", "vs", "versus", "et", "und", "y")
)
_DOLLAR, _BANG = re.compile(r"\$(?=[^\W\d])"), re.compile(r"(?<=[^\W\d])!(?=[^\W\d])")
_ARTICLE_LAST = re.compile(r",\s*the\s*$", re.IGNORECASE)
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)  # what Unicode does not take apart
_WORDS = {
    "and": "", "n": "", "ii": "2", "iii": "3", "iv": "4",
    **{word: str(i) for i, word in enumerate(
        "one two three four five six seven eight nine ten".split(), 1)},
}  # fmt: skip
_BITS = 18


def loosen_title(title: str, bare: str = "") -> str:
    """Return a title without brackets, what follows a dash, and guests; "&" is "and".

    Parameters
    ----------
    title : str
    bare : str
        The stripped title where it is at hand; stripping takes time.

    Returns
    -------
    str

    Examples
    --------
    >>> loosen_title("Rock & Roll (feat. Somebody) - Live")
    'rock and roll'
    """
    if bare and not _MAY_LOOSEN.search(title):
        return bare
    spelt = AND.sub(" and ", GUESTS.sub("", title))
    return bare if bare and spelt == title else strip_title(spelt)


def strip_versions(text: str) -> str:
    """Return a text without brackets and what follows a dash and names a version.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> strip_versions("Queen - Innuendo - Remastered 2011 [HD]")
    'Queen - Innuendo'
    """
    first, *rest = _BRACKETS.sub(" ", text).strip().split(" - ")
    while rest and _VERSION.match(rest[-1].strip()):
        rest.pop()
    return " - ".join([first, *rest]).strip()


def loosen_asked(text: str) -> str:
    """Return what somebody asks for like :func:`loosen_title`.

    What follows a dash is only left out where it names a version: it may be the song, or its
    artist.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> loosen_asked("Queen - Innuendo (Official Video) [HD]"), loosen_asked("Innuendo - Live 1991")
    ('queen innuendo', 'innuendo')
    """
    return loosen_title(strip_versions(text).replace(" - ", " ") or text)


def squash(text: str) -> str:
    """Return what is left of a name when spelling is a matter of taste.

    Spaces, a leading or trailing article, "and", and signs that stand for letters do not count;
    small numbers are digits.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> squash("Don’t Stop") == squash("Dont stop"), squash("The Beatles") == squash("Beatles, The")
    (True, True)
    >>> squash("Guns N' Roses"), squash("A$AP Rocky"), squash("Seven Years"), squash("Mø")
    ('gunsroses', 'asaprocky', '7years', 'mo')
    """
    if "$" in text or "!" in text:
        text = _BANG.sub("i", _DOLLAR.sub("s", text))
    if "," in text:
        text = _ARTICLE_LAST.sub("", text)
    return squash_plain(normalise(text)) or text.strip()


def squash_plain(text: str) -> str:
    """Return :func:`squash` of a normalised text, which has lost its signs.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> squash_plain("the don t stop"), squash_plain("the and")
    ('dontstop', 'theand')
    """
    words = (text if text.isascii() else text.translate(_LETTERS)).split()
    kept = [_WORDS.get(word, word) for word in words]
    return "".join(kept[1:] if words[:1] == ["the"] else kept) or "".join(words)


def is_by(asked: str, artists: Sequence[str], *, exactly: bool = False) -> bool:
    """Say whether a text names artists of a song, and nobody else.

    Parameters
    ----------
    asked : str
        One name or several, with "&", "and", "feat.", "with", "x", a comma, ... between them.
    artists : sequence of str
    exactly : bool
        Whether articles, blanks and the like within a name count, see :func:`squash`.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_by("Queen & David Bowie", ("Queen", "David Bowie"))
    True
    >>> is_by("Simon and Garfunkel", ("Simon & Garfunkel",)), is_by("Simon", ("Paul Simon",))
    (True, False)
    >>> is_by("Beatles", ("The Beatles",))
    True
    """
    plain = normalise_name(asked), tuple(map(normalise_name, artists))
    if _is_made_of(*plain):
        return True
    if "&" in asked or "+" in asked or any("&" in name or "+" in name for name in artists):
        spelt = [normalise_name(AND.sub(" and ", name)) for name in (asked, *artists)]
        if _is_made_of(spelt[0], tuple(spelt[1:])):
            return True
    if exactly or plain[0] in _JOINERS:
        return False
    short = squash(asked)
    return any(short == squash(name) for name in artists)


def _is_made_of(asked: str, names: tuple[str, ...], *, begun: bool = False) -> bool:
    """Say whether a text is a row of some of the names, each once, with joiners between them."""
    if not asked:
        return begun
    for place, name in enumerate(names):
        if name and f"{asked} ".startswith(f"{name} "):
            others = names[:place] + names[place + 1 :]
            if _is_made_of(asked[len(name) + 1 :], others, begun=True):
                return True
    first, _, rest = asked.partition(" ")
    return begun and first in _JOINERS and _is_made_of(rest, names, begun=True)


class NameIndex:
    """Count the trigrams that a text shares with each of many names.

    Parameters
    ----------
    names : sequence of str
        Normalised.

    Attributes
    ----------
    sizes : ndarray of float32, shape (n,)
        Number of different trigrams of each name, with a blank before and after it.

    Examples
    --------
    >>> index = NameIndex(["hello", "yellow", "umbrella"])
    >>> index.sizes.tolist(), index.count_shared("helo").tolist()
    ([5.0, 6.0, 8.0], [3.0, 0.0, 0.0])
    """

    def __init__(self, names: Sequence[str]) -> None:
        keys, holders = _hash_trigrams(names)
        pairs = np.sort(keys.astype(np.int64) << 32 | holders)
        pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])] if len(pairs) else pairs
        self._holders = (pairs & 0xFFFFFFFF).astype(np.int32)
        self._starts = np.searchsorted(pairs >> 32, np.arange((1 << _BITS) + 1))
        self.sizes = np.bincount(self._holders, minlength=len(names)).astype(np.float32)

    def count_shared(self, text: str) -> npt.NDArray[np.float32]:
        """Return how many different trigrams each name shares with a text.

        Parameters
        ----------
        text : str
            Normalised.

        Returns
        -------
        ndarray of float32, shape (n,)
        """
        keys = np.unique(_hash_trigrams([text])[0])
        parts = [self._holders[self._starts[key] : self._starts[key + 1]] for key in keys]
        found = np.concatenate(parts) if parts else np.empty(0, np.int32)
        return np.bincount(found, minlength=len(self.sizes)).astype(np.float32)


def count_trigrams(text: str) -> int:
    """Return the number of different trigrams of a normalised text, see :class:`NameIndex`.

    Parameters
    ----------
    text : str

    Returns
    -------
    int

    Examples
    --------
    >>> count_trigrams("la la la")
    3
    """
    return len(np.unique(_hash_trigrams([text])[0]))


def _hash_trigrams(names: Sequence[str]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.intp]]:
    """Return a number below 2**18 for each trigram, and the place of the name that holds it."""
    text = "".join(f"\0 {name} " for name in names) + "\0"
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    holders = np.cumsum(codes == 0) - 1
    first, middle, last = codes[:-2], codes[1:-1], codes[2:]
    inside = (first != 0) & (middle != 0) & (last != 0)
    mixed = first * np.uint32(0x9E3779B1) ^ middle * np.uint32(0x85EBCA77)
    mixed = (mixed ^ last * np.uint32(0xC2B2AE3D)) * np.uint32(0x27D4EB2F)
    return (mixed >> np.uint32(32 - _BITS))[inside], holders[:-2][inside]
