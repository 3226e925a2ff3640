"""Find the piece of a recording in a table of songs, by the words of their names.

Used by notebook ``07_one_song``. A file is called after composer, work and performance, in any
order and any spelling; a table has a title and artists. What they share is counted word by word,
rare words more than common ones (TF-IDF, cosine), and a namesake must share a word with the title
and another with the artists: a title alone is soon the same by chance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer

from aares.data.schemas import read_names
from aares.data.titles import normalise

LEAST_LIKENESS = 0.5
"""Half of what both names say is the same; below, words meet by chance."""
_KINDS = {"recording": int, "row": int, "likeness": float}
_LETTERS = 4  # shorter words are articles, numbers and initials


def find_namesakes(names: Sequence[str], songs: pd.DataFrame) -> pd.DataFrame:
    """Find for each recording the song of a table that is called most like it.

    Parameters
    ----------
    names : sequence of str, length n
        Of recordings, as files are called, without their suffix.
    songs : DataFrame, shape (n_songs, >= 2)
        With columns ``name`` and ``artists`` (names, or their text as a file has it).

    Returns
    -------
    DataFrame, shape (n_found, 3)
        ``recording`` (place in `names`), ``row`` (place in `songs`) and ``likeness`` (0.5 to 1), the
        most alike first; no recording twice, none that has no namesake.

    Raises
    ------
    ValueError
        A column is missing, or artists are no names.

    Examples
    --------
    >>> songs = pd.DataFrame(
    ...     {"name": ["Carmen: Prelude", "Blue"], "artists": [["Georges Bizet"], ["Joni Mitchell"]]}
    ... )
    >>> find_namesakes(["Bizet, Georges - Carmen Prelude", "Mitchell - Woodstock"], songs)
       recording  row  likeness
    0          0    0       1.0
    """
    missing = {"name", "artists"} - set(songs.columns)
    if missing:
        raise ValueError(
            f"songs: expected the columns name and artists, {sorted(missing)[0]} is missing"
        )
    titles = [normalise(name) for name in songs["name"].fillna("")]
    artists = [normalise(" ".join(group)) for group in read_names(songs["artists"])]
    asked = [normalise(name) for name in names]
    if not asked or not titles:
        return pd.DataFrame({"recording": [], "row": [], "likeness": []}).astype(_KINDS)
    vectors = TfidfVectorizer(token_pattern=r"\w+").fit([*titles, *artists, "nothing"])
    called = [f"{title} {group}" for title, group in zip(titles, artists, strict=True)]
    likeness = (vectors.transform(asked) @ vectors.transform(called).T).toarray().round(9)
    found = []
    for recording, words in enumerate(map(_list_words, asked)):
        for row in np.argsort(-likeness[recording], kind="stable"):
            if likeness[recording, row] < LEAST_LIKENESS:
                break
            in_title = words & _list_words(titles[row])
            if in_title and words & _list_words(artists[row]) - in_title:
                found.append((recording, int(row), float(likeness[recording, row])))
                break
    table = pd.DataFrame(found, columns=list(_KINDS)).astype(_KINDS)
    return table.sort_values("likeness", ascending=False, kind="stable", ignore_index=True)


def _list_words(text: str) -> set[str]:
    return {word for word in text.split() if len(word) >= _LETTERS}
