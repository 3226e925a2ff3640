"""Titles of the classical repertoire: which work, which number, which movement.

Used by notebook ``03_recommendation`` through :func:`aares.recommend.traits.read_traits`.
"""

from __future__ import annotations

import re

from aares.recommend.naming import fold

_CATALOGUE = re.compile(
    r"\b(?:op(?:us)?\.? ?(?:posth|\d)|bwv ?\d|kv?\.? ?\d{2,3}\b|hwv ?\d|rv ?\d|d\.? ?\d{3}\b|"
    r"wwv ?\d|hob\.|woo ?\d|l\. ?\d|s\. ?\d{3}|th ?\d|twv ?\d|buxwv ?\d|sz\.? ?\d|m\. ?\d{2}|"
    r"fwv ?\d|trv ?\d|wd ?\d|b\. ?\d{2,3})"
)
_FORM = re.compile(
    r"\b(?:sonata|symphon(?:y|ie)|sinfonia|nocturne|concerto|prelude|etude|waltz|suite|requiem|"
    r"mazurka|polonaise|ballade|impromptu|quartet|quintet|trio|overture|fugue|partita|invention|"
    r"variations?|gymnopedie|gnossienne|bagatelle|intermezzo|rhapsody|mass|cantata|serenade|"
    r"divertimento|toccata|scherzo)s?\b.*(?:\bno\.? ?\d|\bin [a-h](?:[- ](?:flat|sharp))?\b.*"
    r"(?:major|minor|dur|moll)|: *(?:\d+|[ivx]+)\. )"
)


def is_classical(title: str) -> bool:
    """Whether a title is written like one of the classical repertoire.

    Parameters
    ----------
    title : str

    Returns
    -------
    bool

    Examples
    --------
    >>> [is_classical(name) for name in ("Nocturne No. 2 in E-Flat, Op. 9", "Piledriver Waltz")]
    [True, False]
    """
    folded = fold(title)
    return bool(_CATALOGUE.search(folded) or _FORM.search(folded))
