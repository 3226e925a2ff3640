"""What kind of recording a title announces: of the studio, live, remixed, a karaoke or tribute.

Used by notebook ``03_recommendation`` through :func:`aares.recommend.traits.traits.read_traits`.
Only what stands in brackets, after a dash or at the end says how a song was recorded: "Live and Let
Die" and "Long Live" are names.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from aares.recommend.traits.naming import fold

STUDIO, LIVE, OTHER, IMITATION = range(4)
"""Kinds of recording: of the studio; live; remixed, acoustic, a demo ...; karaoke, tribute ..."""

PREFERENCE = np.array([0, 2, 1, 3])
"""Rank of each kind when one row of a recording is to be played: the studio first."""

_NOTES = re.compile(
    r"[(\[{（【「]\s*([^()\[\]{}（）【】「」]*)(?:[)\]}）】」]|$)|\s[-–—~]+\s*(.+)$|[-–—]\s(.+)$"
)
_SPLIT = re.compile(r"[;/|,(\[\])]|\s[-–—]\s")

_LIVE_ANYWHERE = re.compile(
    r"\b(?:ao vivo|en vivo|en directo|en concierto|dal vivo|na zywo|nazivo|"
    r"mtv unplugged|canl[iı] performans)\b|ライ[ブヴ]|라이브"
)
_LIVE_NOTE = re.compile(
    r"^live$|^live (?!and |it\b|my |your |to |for |4|forever|another|without|like |through|wire|"
    r"is |the |a |free|your|life|or )|\blive (?:at|from|@|version|session|acoustic|recording|"
    r"performance|bbc|studio|album|tour|edit|mix|aid|in concert|lounge|\d)\b|\brecorded live\b|"
    r"^en live|\blive (?:in|on) (?:the )?(?!love\b)\w+|"
    r"(?:version|remaster(?:ed)?|acoustic|\d{4}|take|edit|mono|stereo) live$|"
    r"\bin concert\b|\ben concert\b|\ben public\b|\bdirecto\b|\bal vivo\b|\bvivo\b|"
    r"\bunplugged\b|\bcanl[iı]\b|\bkoncert|\bkonzert|\bkonser\b|\btiny desk\b|\bpeel session|"
    r"\b(?:at|on) the bbc\b|\bbbc (?:radio|session)|концерт|вживую|現場|演唱會"
)
_IMITATION_ANYWHERE = re.compile(
    r"\bkaraoke\b|\boriginally (?:performed|by)\b|\bin the style of\b|"
    r"\bmade (?:famous|popular) by\b|\btribute (?:to|version)\b|\bsing-?along version\b|"
    r"\bbacking track\b|カラオケ|オルゴール"
)
_IMITATION_NOTE = re.compile(
    r"\btribute\b|\bcover(?:ed)?(?: version| by)?\b(?! me| girl| up)|\b(?:8|16)[- ]?bit\b|"
    r"\bmusic box\b|\blullaby (?:version|rendition)\b|\bplayback\b|\bringtone\b|\bhomenaje a\b"
)
_IMITATOR = re.compile(
    r"\bkaraoke\b|\btribute (?:band|to|kings|all|co)|\b8[- ]bit\b|\bsing king\b|\brockabye baby\b|"
    r"\bcover (?:band|kings)\b|\bmusic box\b|\bringtones?\b|カラオケ|オルゴール"
)
_OTHER_NOTE = re.compile(
    r"\bremix|\brmx\b|\brework|\bre-?edit\b|\bbootleg\b|\bmash-?up\b|\bflip\b|\bvip\b|\bdub\b|"
    r"\bextended\b|\bacousti[ck]|\bacustic[oa]|\bakusti|\bacoustique|\bdemo\b|\binstrumental|"
    r"\ba ?cap+ella\b|\breprise\b|\bsped up\b|\bslowed\b|\bnightcore\b|\borchestral\b|"
    r"\bsymphonic\b|\balternat(?:e|ive) (?:version|take|mix)|\bouttake\b|\btake \d|\brehearsal\b|"
    r"\bre-?record|\b(?:taylor'?s|new|early|piano|guitar|spanish|english|spanglish|german|french|"
    r"italian|portuguese|japanese|korean|chinese|rock|jazz|bossa|reggae|salsa|dance|club|disco|"
    r"christmas|stripped|unreleased|original demo|bonus|long|short|full|uncut|tv|movie|karaoke) "
    r"version\b|\bnueva version\b|\bneue version\b|\bnouvelle version\b|\bversion (?:salsa|"
    r"acustica|cumbia|bachata|pop|balada|banda|norteña|mariachi|piano|\d)|\bsession|\bsesion|"
    r"\bmedley\b|\bpot-?pourri\b|ремикс|リミックス"
)
_MIX_NOTE = re.compile(r"\bmix(?:ed)?\b|\bedit(?:ion)?\b|\bversion\b")
_PLAIN_MIX = re.compile(
    r"^(?:(?:original|album|single|radio|stereo|mono|mono/stereo|7|7\"|7''|lp|video|explicit|clean|"
    r"main|soundtrack|film|full length|remaster(?:ed)?|(?:19|20)\d\d|us|uk|first|the|45|new stereo)"
    r"[ -]?)+(?:mix|edit|edition|version)(?: (?:19|20)\d\d)?$|^(?:radio|single|album) (?:mix|edit|"
    r"version)|^(?:mix|edit|edition|version)$|remaster"
)


_GUESTS = ("feat", "ft ", "ft.", "with ", "from ", "prod")
_MAY_TELL = re.compile(
    r"[(\[{（【「]|\s[-–—~]|[-–—]\s|vivo|directo|concierto|zywo|nazivo|unplugged|"
    r"performans|karaoke|original|style|made|tribute|along|backing|[ァ-ヴ]|라이브"
)


def tell_versions(titles: list[str], artists: list[tuple[str, ...]]) -> npt.NDArray[np.int8]:
    """Tell the kind of each recording from its title and the names of its artists.

    Parameters
    ----------
    titles : list of str
    artists : list of tuple of str

    Returns
    -------
    ndarray of int, shape (n,)
        :data:`STUDIO`, :data:`LIVE`, :data:`OTHER` or :data:`IMITATION`.

    Examples
    --------
    >>> titles = ["SOS", "SOS - Ao Vivo", "SOS (Club Mix)", "SOS (Karaoke)", "Live and Let Die"]
    >>> tell_versions(titles, [("ABBA",)] * 5).tolist()
    [0, 1, 2, 3, 0]
    """
    kinds = {title: tell_version(title) for title in set(titles)}
    imitators = {
        names: any(_IMITATOR.search(fold(name)) for name in names) for names in set(artists)
    }
    told = [
        IMITATION if imitators[names] else kinds[title]
        for title, names in zip(titles, artists, strict=True)
    ]
    return np.array(told, dtype=np.int8)


def tell_version(title: str) -> int:
    """Tell the kind of recording that a title announces.

    Parameters
    ----------
    title : str

    Returns
    -------
    int
        :data:`STUDIO`, :data:`LIVE`, :data:`OTHER` or :data:`IMITATION`; an imitation of a live
        recording is an imitation, a remix of one is live.

    Examples
    --------
    >>> [tell_version(name) for name in ("Long Live", "SOS - 2011 Mix", "SOS - Live at Wembley")]
    [0, 0, 1]
    """
    folded = fold(title)
    if not _MAY_TELL.search(folded):
        return STUDIO
    if _IMITATION_ANYWHERE.search(folded):
        return IMITATION
    kinds = {_read_note(note) for note in list_notes(folded)}
    if IMITATION in kinds:
        return IMITATION
    if LIVE in kinds or _LIVE_ANYWHERE.search(folded):
        return LIVE
    return OTHER if OTHER in kinds else STUDIO


def list_notes(folded: str) -> list[str]:
    """List what stands in brackets or after a dash of a folded title, part by part.

    Parameters
    ----------
    folded : str
        See :func:`aares.recommend.traits.naming.fold`.

    Returns
    -------
    list of str
        Without what stands there alone: a title of notes only is a name.

    Examples
    --------
    >>> list_notes("sos (live) - mono; 2012 remaster"), list_notes("(live)")
    (['live', 'mono', '2012 remaster'], [])
    """
    found = list(_NOTES.finditer(folded))
    if not found or not re.search(r"\w", _NOTES.sub("", folded)):
        return []
    parts = (
        part for match in found for text in match.groups() if text for part in _SPLIT.split(text)
    )
    return [part.strip() for part in parts if part.strip()]


@lru_cache(maxsize=100_000)
def _read_note(note: str) -> int:
    """Return the kind that a note tells; a mix or edit of the release itself is of the studio."""
    if note.startswith(_GUESTS):
        return STUDIO
    if _IMITATION_NOTE.search(note):
        return IMITATION
    if _LIVE_NOTE.search(note):
        return LIVE
    is_mix = _MIX_NOTE.search(note) and not _PLAIN_MIX.search(note)
    return OTHER if is_mix or _OTHER_NOTE.search(note) else STUDIO
