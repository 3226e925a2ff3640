"""Compare titles and names as a listener would, to tell one recording on two releases.

Used by notebooks ``02_popularity`` and ``03_recommendation``. One recording appears on several
releases as "Title", "Title - Remastered 2011" or "Title (Live)": the part in brackets or after a
dash, case, accents and punctuation tell releases apart, not songs.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"\w+")
_ASIDE = re.compile(r"[(\[].*?[)\]]| - .*$")


@lru_cache(maxsize=400_000)  # folds ask for the same names again and again
def normalise(text: str) -> str:
    """Return text without case, accents and punctuation; other alphabets stay.

    Parameters
    ----------
    text : str
        Title or name.

    Returns
    -------
    str

    Examples
    --------
    >>> normalise("Édith  PIAF!")
    'edith piaf'
    """
    plain = str(text)
    if plain.isascii():
        return " ".join(_WORD.findall(plain.lower()))
    plain = unicodedata.normalize("NFKD", plain).casefold()
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(_WORD.findall(plain))


@lru_cache(maxsize=400_000)
def strip_title(title: str) -> str:
    """Return a normalised title without what stands in brackets or after a dash.

    A title that consists of such a part only keeps it.

    Parameters
    ----------
    title : str

    Returns
    -------
    str

    Examples
    --------
    >>> strip_title("Chiquitita - Remastered (2011)")
    'chiquitita'
    """
    plain = str(title)
    if "(" not in plain and "[" not in plain and " - " not in plain:
        return normalise(title) or plain
    bare = _ASIDE.sub(" ", plain)
    return normalise(bare) or normalise(title) or str(title)
