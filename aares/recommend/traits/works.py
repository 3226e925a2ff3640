"""Titles of the classical repertoire: which work, which number, which movement.

Used by notebook ``03_recommendation`` through :func:`aares.recommend.traits.traits.read_traits`. A
work is written in many ways: "Nocturne No.2 In E Flat, Op.9 No.2", "Nocturnes, Op. 9: No. 2 in
E-Flat Major. Andante". Its catalogue number and its form with a number tell it, together with the
number or name of the movement behind a colon; so do a name of its own ("Clair de lune") and a
byname in quotation marks. Two movements are two works; one movement by two performers is one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from aares.recommend.traits.naming import fold, squeeze

_CATALOGUE = re.compile(
    r"\b(?:(?P<op>op(?:us)?\.? ?\d+\w?)(?:(?:,? ?(?:no|nr|n°|n)\.? ?|[/-])(?P<no>\d+\w?))?|"
    r"(?P<id>bwv ?\d+\w?|kv?\.? ?\d{2,3}\w?|hwv ?\d+\w?|rv ?\d+\w?|d\.? ?\d{3}\w?|wwv ?\d+|"
    r"hob\. ?[\w:/]+|woo ?\d+|l\. ?\d+|s\. ?\d{3}|th ?\d+|twv ?[\d:]+\w*|buxwv ?\d+|sz\.? ?\d+|"
    r"m\. ?\d{2}|fwv ?\d+|trv ?\d+|wd ?\d+|b\. ?\d{2,3}|g\. ?\d{3}))\b|\bop(?:us)?\.? ?posth\w*\.?"
)
_FORMS = (
    r"(?:sonat[ae]n?|symphon(?:y|ie)|sinfonia|nocturne|concert[oi]?|konzert|klavierkonzert|prelude|"
    r"praludium|etude|study|waltz|walzer|valse|suite|requiem|mazurka|polonaise|ballade|impromptu|"
    r"quartet|quintet|trio|overture|fugue|partita|invention|variation|gymnopedie|gnossienne|"
    r"bagatelle|intermezzo|rhapsody|mass|cantata|serenade|divertimento|toccata|scherzo|barcarolle|"
    r"dance|tanz|danse|march|marsch|romance|minuet|pieces?|songs?|lied(?:er)?|images?|arabesque)"
)
_FORM_NUMBER = re.compile(rf"\b(\w+ )?({_FORMS})(?:e?s)?:? (?:no|nr|n°|n)\.? ?(\d+)")
_IN_KEY = re.compile(
    rf"\b{_FORMS}s?\b.*\b(?:in|en|a) [a-h](?:[- ](?:flat|sharp))?\b.*(?:major|minor|dur|moll)|"
    rf"\b(?:in|a) [a-h](?:[- ](?:flat|sharp))?[- ](?:major|minor|dur|moll)\b"
)
_MOVEMENT = re.compile(
    rf"\b{_FORMS}s?\b.*(?:: *(?:\d{{1,2}}\w?|[ivx]+)\b\.? ?\w| - ?(?:\d{{1,2}}|[ivx]+)\. )|"
    r"^[^(]*, no\. ?\d+$| - (?:[ivx]+|\d)\. (?:allegr|andant|adagi|larg|prest|vivac|lent|temp|menu)"
)
_MAY_BE = re.compile(r"\d|[:.]|\b(?:minor|major|moll|dur)\b")
_NUMERAL = re.compile(r"^(?:no\.? ?)?(\d+\w?|[ivx]+)(?:\.|\b(?= ))\s*")
_BYNAME = re.compile(r"[\"“”„«]([^\"“”„«»]{3,})[\"“”»]")
_TEMPO = frozenset(
    "allegro andante adagio presto largo lent lento vivace moderato allegretto andantino "
    "larghetto grave prestissimo vivo animato menuet menuets menuetto minuet minuetto rondo "
    "scherzo finale trio molto con moto non troppo ma assai un poco piu mosso cantabile "
    "sostenuto aria prelude preludium sarabande courante gigue allemande bourree bourrees "
    "gavotte gavottes air variation theme tema overture act scene acte atto romance romanze "
    "romanza cadenza introduction agitato maestoso tempo di alla e et and in i ii iii iv v vi "
    "vii viii ix x a la da capo chor choral recitativo chorus no live excerpt major minor flat "
    "sharp dur moll b c d f g h".split()
)
_ROMAN = {"i": 1, "v": 5, "x": 10}
_BRACKETS = re.compile(r"\([^()]*\)?|\[[^\[\]]*\]?")
_BEHIND_DASH = re.compile(r"\s-.*(?:^|\s|\bno\.)(?:\d{1,2}|[ivx]+)\. ")
_TAIL = re.compile(r"\s[-–—]\s*(?:live|remaster|arr|excerpt|\d{4}|bonus|mono|stereo).*$")


@lru_cache(maxsize=400_000)
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
    if not _MAY_BE.search(folded):
        return False
    return any(pattern.search(folded) for pattern in (_CATALOGUE, _FORM_NUMBER, _IN_KEY, _MOVEMENT))


def list_work_keys(title: str) -> frozenset[str]:
    """List the names of the work and movement that a title of the classical repertoire gives.

    Parameters
    ----------
    title : str
        One of which :func:`is_classical` holds.

    Returns
    -------
    frozenset of str
        Two titles with a common name and composer are one work.

    Examples
    --------
    >>> sorted(list_work_keys("Nocturnes, Op. 9: No. 2 in E-Flat Major. Andante"))
    ['op9:2']
    >>> sorted(list_work_keys("Nocturne No.2 In E Flat, Op.9 No.2"))
    ['nocturne2:', 'op9:2']
    >>> sorted(list_work_keys("Suite bergamasque, L. 75: III. Clair de lune"))
    ['clairdelune', 'l75:3']
    >>> sorted(list_work_keys("Clair de Lune, No. 3"))
    ['clairdelune']
    """
    folded = _TAIL.sub("", _BRACKETS.sub(" ", fold(title)))
    parts = [part.strip() for part in re.split(r":(?!\d)| - ?(?=(?:\d+|[ivx]+)\. )", folded)]
    at = next((i for i, part in enumerate(parts) if _list_ids(part)), 0)
    ids, behind = (
        _list_ids(parts[at]),
        [part for part in parts[at + 1 :] if part],
    )
    movement = _name_movement(behind)
    keys = {f"{one}:{movement}" for one in ids if movement and ":" not in one}
    keys |= {one if ":" in one else f"{one}:" for one in ids if not movement}
    name = _own_name(behind[-1] if behind else parts[at])
    keys |= {name} - {""}
    if not behind:
        keys |= {squeeze(byname) for byname in _BYNAME.findall(parts[at])}
    return frozenset(keys)


def has_movement_behind_dash(title: str) -> bool:
    """Whether what stands behind a dash is a movement, not a release note.

    Parameters
    ----------
    title : str

    Returns
    -------
    bool

    Examples
    --------
    >>> has_movement_behind_dash("Die vier Jahreszeiten - Sommer - I. Allegro")
    True
    """
    return bool(_BEHIND_DASH.search(_BRACKETS.sub(" ", fold(title))))


def _list_ids(part: str) -> list[str]:
    """List the catalogue and form numbers of a part; "op9:2" is a number within an opus."""
    found = []
    for match in _CATALOGUE.finditer(part):
        if match["op"]:
            opus = "op" + squeeze(match["op"]).lstrip("opus")
            found.append(f"{opus}:{match['no']}" if match["no"] else opus)
        elif match["id"]:
            found.append(re.sub(r"^kv(?=\d)", "k", squeeze(match["id"])))
    forms = [
        squeeze("".join(group or "" for group in groups)) for groups in _FORM_NUMBER.findall(part)
    ]
    # "Nocturne No. 2, Op. 9": the number of the form tells, the bare opus holds several.
    return [one for one in found if ":" in one or not one.startswith("op") or not forms] + forms


def _name_movement(behind: list[str]) -> str:
    """Return the number of a movement, or its name where parts have parts."""
    if not behind:
        return ""
    match = _NUMERAL.match(behind[-1])
    if match and len(behind) == 1:
        return _read_number(match[1])
    return squeeze(_NUMERAL.sub("", behind[-1]))


def _read_number(numeral: str) -> str:
    """Return a Roman or other numeral in digits."""
    if not set(numeral) <= set(_ROMAN):
        return numeral
    values = [_ROMAN[sign] for sign in numeral] + [0]
    return str(sum(-a if a < b else a for a, b in pairwise(values)))


def _own_name(part: str) -> str:
    """Return the name of a piece without numbers; none for forms and tempi, which many share."""
    bare = _CATALOGUE.sub(" ", _NUMERAL.sub("", part))
    bare = re.sub(r",\s*(?:no|nr)\.? ?\d+\s*$|[\"“”„«(].*$", "", bare.strip(" ,.")).strip(" ,.")
    words = re.findall(r"[^\W\d_]+", bare)
    if not words or set(words) <= _TEMPO or re.search(r"\d", bare):
        return ""
    if re.search(rf"\b{_FORMS}s?\b", bare):
        return ""
    return squeeze(bare)
