"""What a title says apart from the song's own name: release notes, guests, brackets.

Used by notebook ``03_recommendation`` through :func:`aares.recommend.traits.traits.read_traits`.
Releases write one song as "Title", "Title - Remastered 2011", "The Title (Live)" or "Title feat.
Guest"; a song has several *keys*, from the barest name to the whole text, and two rows are one song
where any key and any artist is shared.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares.data.titles import strip_title
from aares.recommend.catalogue import NOBODY, Catalogue, normalise_name

_BRACKETS = re.compile(r"[(\[{（【「〈].*?(?:[)\]}）】」〉]|$)")
_DASH = re.compile(r"(?:\s[-–—~]+\s|\s[-–—]|[-–—]\s).*$")
_GUESTS = re.compile(r"\s(?:feat|ft|featuring|part|prod)\.?\s.*$")
_NAMED_GUESTS = re.compile(
    r"(?:\b(?:feat|ft|featuring)\b\.?|[(\[](?:with|con|avec|mit|part|w/)\.?|\s-\swith)\s+"
    r"([^()\[\]]*?)(?=$|[()\[\]]|\s-\s)"
)
_RELEASE = re.compile(
    r"[\s,;/]+(?:(?:19|20)\d\d )?(?:digital(?:ly)? )?re-?master(?:ed|izad[oa]|ise|isee)?"
    r"(?: version)?(?: (?:19|20)\d\d)?\s*$"
)
_JOIN = re.compile(r"\s(?:&|and|n|'n'|\+|y|e|et|und)(?=\s)")
_ARTICLE = re.compile(r"^(?:the|an?|el|la|los|las|le|les|der|die|das|os?|as|il|lo|gli|de|het)\s+")
_MARKS = re.compile(r"[(\[{（【「〈–—~/-]|\b(?:f(?:ea)?t|featuring|part|prod)\b|master")
_NO_LETTER = re.compile(r"[\W_]+")
_MAY_SPLIT = re.compile(r"[&+,;/]|\s(?:and|f|x|y|e|und|et|con|with|vs)", re.IGNORECASE)
_BETWEEN_NAMES = re.compile(
    r"\s(?:&|and|feat\.?|ft\.?|featuring|x|y|e|und|et|con|with|vs\.?|\+)\s|\s*[,;/]\s*"
)

GENERIC = frozenset(
    "intro outro interlude intermission skit untitled prelude prologue prologo prolog epilogue "
    "epilogo epilog overture obertura ouverture finale introduction introduccion introducao "
    "introduzione instrumental medley poema poem reprise opening ending bonustrack hiddentrack "
    "allegro andante adagio presto largo lento vivace menuet minuet menuetto rondo scherzo aria "
    "moderato allegretto andantino larghetto romance romanze sinfonia sonata".split()
)
"""Bare titles that many songs of one artist bear: they name a place on an album, no song."""


def read_names(catalogue: Catalogue) -> list[str]:
    """Return the titles of a catalogue as they are written.

    Parameters
    ----------
    catalogue : Catalogue

    Returns
    -------
    list of str
    """
    return list(catalogue.songs["name"].to_numpy(dtype=object))


def number_owners(artists: list[tuple[str, ...]]) -> npt.NDArray[np.intp]:
    """Number the first artist of each song; a song of nobody has none, -1.

    Parameters
    ----------
    artists : list of tuple of str

    Returns
    -------
    ndarray of int, shape (n,)

    Examples
    --------
    >>> number_owners([("abba",), (), ("cher", "abba"), ("abba",)]).tolist()
    [0, -1, 1, 0]
    """
    first = np.array([names[0] if names else None for names in artists], dtype=object)
    return pd.factorize(first)[0].astype(np.intp)


@lru_cache(maxsize=400_000)
def fold(text: str) -> str:
    """Return text without case and accents; punctuation stays.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> fold("Édith PIAF!")
    'edith piaf!'
    """
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text).casefold().replace("’", "'")
    return "".join(char for char in plain if not unicodedata.combining(char))


def squeeze(text: str) -> str:
    """Return the letters and digits of a folded text; of one with none, the text.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> squeeze("rock & roll, pt. 2"), squeeze("???")
    ('rockrollpt2', '???')
    """
    return _NO_LETTER.sub("", _JOIN.sub("", text)) or text.strip()


@lru_cache(maxsize=400_000)
def bare_title(folded: str) -> str:
    """Return a folded title without brackets, dash, guests, release notes and leading article.

    Parameters
    ----------
    folded : str
        See :func:`fold`.

    Returns
    -------
    str
        Squeezed, see :func:`squeeze`; never empty unless the title is.

    Examples
    --------
    >>> bare_title("the winner takes it all - 2001 remaster"), bare_title("(live)")
    ('winnertakesitall', 'live')
    """
    return squeeze(_ARTICLE.sub("", _open_title(folded))) or squeeze(folded)


def list_keys(title: str) -> frozenset[str]:
    """List what a title may be called where somebody compares it, from barest to whole.

    Parameters
    ----------
    title : str

    Returns
    -------
    frozenset of str
        Empty for an empty title.

    Examples
    --------
    >>> sorted(list_keys("(I Can't Get No) Satisfaction - Mono"))
    ['icantgetnosatisfaction', 'icantgetnosatisfactionmono', 'satisfaction']
    """
    folded = fold(title)
    if not _MARKS.search(folded) and not _JOIN.search(
        folded
    ):  # the common case: nothing to take away but an article
        return frozenset((squeeze(folded), bare_title(folded))) - {""}
    opened = _open_title(folded)
    names = [opened, fold(strip_title(title)), _GUESTS.sub("", _DASH.sub("", folded)), folded]
    if " / " in opened:
        names.append(opened.split(" / ")[0])  # the first song of a medley
    keys = {bare_title(folded), *map(squeeze, names)}
    if _JOIN.search(folded.replace("(", " ")):
        keys.update(_NO_LETTER.sub("", name) for name in names)
    return frozenset(keys - {""})


def list_guests(title: str) -> tuple[str, ...]:
    """List the artists whom a title names: "feat. X", "(with X & Y)".

    Parameters
    ----------
    title : str

    Returns
    -------
    tuple of str
        Normalised names.

    Examples
    --------
    >>> list_guests("Baby Boy (feat. Sean Paul & Lil' Kim) - Remix")
    ('sean paul', 'lil kim')
    """
    found = _NAMED_GUESTS.findall(fold(title))
    return tuple(name for names in found for name in split_names(names))


@lru_cache(maxsize=200_000)
def split_names(names: str) -> tuple[str, ...]:
    """Split a credit into the names that it may hold; those who are nobody are left out.

    Parameters
    ----------
    names : str

    Returns
    -------
    tuple of str
        Normalised names.

    Examples
    --------
    >>> split_names("Simon & Garfunkel"), split_names("Various Artists")
    (('simon', 'garfunkel'), ())
    """
    parts = (normalise_name(part) for part in _BETWEEN_NAMES.split(fold(names)) if part)
    return tuple(part for part in parts if part not in NOBODY)


def may_split(name: str) -> bool:
    """Whether a name may hold several: a quick look before :func:`split_names`.

    Parameters
    ----------
    name : str

    Returns
    -------
    bool

    Examples
    --------
    >>> may_split("Simon & Garfunkel"), may_split("Queen")
    (True, False)
    """
    return bool(_MAY_SPLIT.search(name))


def _open_title(folded: str) -> str:
    """Return what stands before a dash and outside of brackets, guests and release notes off."""
    if not _MARKS.search(folded):
        return folded
    bare = _DASH.sub("", _BRACKETS.sub(" ", folded))
    if not _NO_LETTER.sub("", bare):
        bare = folded
    bare = _GUESTS.sub("", _RELEASE.sub("", bare))
    return bare.strip() or folded
