"""Invent names of artists and titles of songs from small word and syllable lists."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SYLLABLES = {
    "en": (
        "Al Ber Car Dal El Far Gar Hol Ker Lan Mar Nor Par Rad Ston Tam Wes Win".split(),
        "der bert lin mon ra ri so tho va we".split(),
        "dale field ford ham ley more son ton well wick".split(),
    ),
    "fr": (
        "Au Beau Cha Del Fon Gi Jo La Mar Mon Per Ri San Ver".split(),
        "be chan cou li ma na re ro ti va".split(),
        "ard eau elle et ier in ois ot ville".split(),
    ),
    "es": (
        "Al Bar Cas Del Es Fer Gon Her Lu Men Or Pa Ra Sal Va".split(),
        "ban ca da le lo mi na re ti ve".split(),
        "da dez es illo ita nas ora res rra".split(),
    ),
    "de": (
        "Al Berg Dorn Eich Fal Gru Hart Kel Lin Mor Ost Rei Sel Wal".split(),
        "be den gen ken ler men ni ren sen".split(),
        "bach berg feld hardt hof mann stein wald".split(),
    ),
    "pt": (
        "Al Bra Ca Dio Fa Gua Jo Li Ma Na Pe Ri Sa Ta".split(),
        "ba ci du li ma ne ra ri to vi".split(),
        "des eira nho ito ões ques ral ves".split(),
    ),
}
FIRST = {
    "en": "Ada Benny Cleo Dexie Edwin Fay Grady Hattie Ivor Josie Kip Lorna Milo Nell Otis".split(),
    "fr": "Aline Baptiste Colette Damien Elise Fabrice Gaëlle Hugo Inès Lucien Maude".split(),
    "es": "Alma Bruno Carmela Dario Elena Fermín Graciela Iván Lola Mateo Noelia".split(),
    "de": "Anke Bruno Dörte Emil Frieda Gregor Heike Jonas Klara Lutz Marlene".split(),
    "pt": "Aline Beto Cida Duda Elis Fábio Graça Iara Jonas Leila Nando".split(),
}
ADJECTIVES = (
    "Amber Bitter Broken Cobalt Crooked Distant Electric Feral Gilded Hollow Idle Jagged Late "
    "Lunar Midnight Narrow Northern Paper Quiet Restless Rusty Scarlet Second Silver Slow Static "
    "Velvet Violet Wandering Wild"
).split()
NOUNS = (
    "Anchors Arcade Avenue Bloom Bridges Canyon Cinema Comets Delta Echoes Engines Foxes Garden "
    "Ghosts Harbour Hearts Island Kites Lanterns Magnets Mirrors Monsoon Orchard Parade Pilots "
    "Pines Radio Rivers Satellites Shadows Sparrows Streets Tides Towers Valley Voltage Wolves"
).split()
ENSEMBLES = "Collective Duo Ensemble Orchestra Project Quartet Sextet Sessions Trio".split()
WORDS = {
    "en": (
        "again alone away baby blue burning city dance dawn dream every falling feel fire for "
        "forever ghost gold gone heart heaven high hold home kiss letter light little lonely lost "
        "love me midnight moon morning never night nobody ocean over rain ride river road run "
        "shadow shine silence sky slow small song summer sun sweet time tonight under waiting "
        "wild wind winter world you young"
    ).split(),
    "fr": "amour bleu chemin coeur danse demain encore été fleur jour lune mer nuit pluie rêve "
    "rue soir soleil temps toi vent vie ville".split(),
    "es": "amor agua baila cielo corazón fuego luna luz mar mañana mi noche playa quiero sol "
    "sombra sueño tierra tu verano vida viento".split(),
    "de": "abend berg feuer fluss herbst herz himmel licht meer mond morgen nacht regen sommer "
    "sonne stadt stern tanz traum wald weg wind".split(),
    "pt": "amor beijo céu chuva coração dança estrela flor lua mar menina noite praia rio "
    "saudade sol sonho tempo tarde vento".split(),
}
SUFFIXES = (
    " - Remastered {year}", " - Live", " - Acoustic", " - Radio Edit", " (feat. {guest})",
    " - Instrumental", " (Remix)", " - Single Version", " - Demo", " (Interlude)",
)  # fmt: skip
SUFFIX_SHARES = np.array([0.32, 0.16, 0.05, 0.1, 0.2, 0.03, 0.06, 0.04, 0.02, 0.02])
LANGUAGES = ("en", "fr", "es", "de", "pt")
# Languages that a class favours; the others share what is left.
HOME = {"chanson": "fr", "latin": "es", "salsa": "es", "spoken": "de"}


def invent_artists(classes: list[str], rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """Invent one name for each artist.

    Parameters
    ----------
    classes : list of str
        Class of each artist; it tilts the language.
    rng : np.random.Generator
        Source of randomness.

    Returns
    -------
    names, languages : list of str
        Distinct names, and the language code of each.
    """
    seen: set[str] = set()
    names, languages = [], []
    for label in classes:
        language = _pick_language(label, rng)
        names.append(_first_new(lambda code=language: _invent_artist(code, rng), seen))  # type: ignore[misc]
        languages.append(language)
    return names, languages


def invent_titles(
    languages: list[str], years: np.ndarray, guests: list[str], rng: np.random.Generator
) -> list[str]:
    """Invent one title for each song; titles may repeat, as they do in the course's file.

    Parameters
    ----------
    languages : list of str
        Language code of each song.
    years : np.ndarray [shape=(n,), dtype=int]
        Year of release, for remasters.
    guests : list of str
        Name of a guest for "feat.", one for each song.
    rng : np.random.Generator
        Source of randomness.

    Returns
    -------
    list of str
        Titles.
    """
    titles = []
    for language, year, guest in zip(languages, years, guests, strict=True):
        title = _invent_title(language, rng)
        if rng.random() < 0.12:
            suffix = str(rng.choice(SUFFIXES, p=SUFFIX_SHARES / SUFFIX_SHARES.sum()))
            remaster = int(rng.integers(max(int(year) - 20, 1995), 2022))
            title += suffix.format(year=remaster, guest=guest)
        titles.append(title)
    return titles


def make_unique(titles: list[str]) -> list[str]:
    """Number repeated titles, for tables in which each title stands once."""
    count: dict[str, int] = {}
    unique = []
    for title in titles:
        count[title] = count.get(title, 0) + 1
        unique.append(title if count[title] == 1 else f"{title}, Pt. {count[title]}")
    return unique


def _pick_language(label: str, rng: np.random.Generator) -> str:
    home = HOME.get(label, "en")
    if rng.random() < (0.9 if label in HOME else 0.7):
        return home
    return str(rng.choice(LANGUAGES))


def _first_new(invent: Callable[[], str], seen: set[str]) -> str:
    name = invent()
    while name in seen:
        name = invent()
    seen.add(name)
    return name


def _invent_artist(language: str, rng: np.random.Generator) -> str:
    start, middle, end = SYLLABLES[language]
    link = _pick(middle, rng) if rng.random() < 0.6 else ""
    surname = _pick(start, rng) + link + _pick(end, rng)
    style = rng.random()
    if style < 0.45:
        return f"{_pick(FIRST[language], rng)} {surname}"
    if style < 0.62:
        return f"{_pick(ADJECTIVES, rng)} {_pick(NOUNS, rng)}"
    if style < 0.74:
        return f"The {surname} {_pick(NOUNS, rng)}"
    if style < 0.84:
        return f"{surname} {_pick(ENSEMBLES, rng)}"
    if style < 0.92:
        return f"{surname} & the {_pick(NOUNS, rng)}"
    return (
        f"DJ {surname} {_pick(NOUNS, rng)}" if style < 0.96 else f"{_pick(NOUNS, rng)} of {surname}"
    )


def _invent_title(language: str, rng: np.random.Generator) -> str:
    size = int(rng.choice([1, 2, 3, 4, 5], p=[0.2, 0.3, 0.27, 0.16, 0.07]))
    words = [_pick(WORDS[language], rng) for _ in range(size)]
    return " ".join(word.capitalize() for word in words)


def _pick(words: list[str], rng: np.random.Generator) -> str:
    return words[int(rng.integers(len(words)))]
