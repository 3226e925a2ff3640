"""The language of a title, from its letters and words and from the other titles of its artist.

Used by notebook ``03_recommendation`` through :func:`aares.recommend.traits.traits.read_traits`. A
few frequent words of each language (:data:`WORDS`) and letters that few languages have
(:data:`LETTERS`) tell the first artists; what other words they use is learnt from the catalogue
itself: an artist's language gives its words to the language, twice over. Scripts of one language
need no words.

References
----------
Nigam, McCallum, Thrun and Mitchell, "Text classification from labeled and unlabeled documents
using EM", Machine Learning 39, 2000: section 4 (here with whole labels, not shares of them).
"""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array

from aares import exact
from aares.recommend.traits.naming import number_owners
from aares.recommend.traits.works import is_classical

Codes = npt.NDArray[np.object_]
FloatArray = npt.NDArray[np.floating]

WORDS: dict[str, str] = {
    "en": "the of and you my your me it is i i'm don't you're can't it's we love this that "
    "with for what when how baby are be all on up out girl like never was her his she "
    "they if not do let's from by have feel know want get got go night heart time world "
    "away down",
    "es": "el los las y de la en mi tu que un una con por te no se lo es del como para al si "
    "yo más mas amor corazón corazon quiero eres vida sin esta este noche cuando soy tú "
    "mí ya ella nada muy qué porque todo hoy quién donde contigo tiene hasta mujer "
    "adiós ay nuestro hay",
    "pt": "o os da do das dos em não nao meu minha você voce um uma eu que de é com pra na no "
    "seu sua para mais amor coração vida nós mim quem tudo bem foi só ela saudade são "
    "até quando isso te vou tem mulher esse essa deus nosso tá dela ai",
    "fr": "le les des et je tu est mon ma pas dans un une du la de en pour nous sur c'est "
    "j'ai qui que ne vous l'amour au sans moi toi ton ta comme avec être jamais quand "
    "elle plus où tout il on ça cœur mes tes suis y'a fait vie petit petite notre rien "
    "bien chanson",
    "it": "il di che non è e la un una per sei con mi ti gli della nel amore io tu mio più "
    "del come se ma vita cosa perché sono tutto senza questo noi al le lo i da solo "
    "cuore ci dell' mia mare notte sempre quando l'amore ho dove anche c'è alla vorrei "
    "mondo",
    "de": "der die das und ich nicht du ist ein eine mein dein mit auf wir für von dich mich "
    "es zu im dir mir den dem wenn was wie so am alles nur bist bin ohne wo nie kein "
    "liebe zum leben noch sind war nach aus bei uns hast habe immer mehr wieder über "
    "welt lied heute",
    "nl": "de het een van ik je niet en is in mijn jij voor dat met op zijn als wij naar geen "
    "wat jouw nog ben zo hij die te maar uit bij mij ons mooi ga weer kom liefde hart "
    "leven altijd alleen laat heb wil meer nooit waar daar vandaag jou heel kan",
    "sv": "och att jag det är en i på du mig dig som inte för min din av vi till om han har "
    "med när ett så ska var kan nu vill hon de dom aldrig där kärlek kom allt bara vad "
    "här får mitt än hej dag vår utan igen sommar jul ut hem världen liten",
    "da": "og jeg det er en i på du mig dig som ikke for min din af vi til om han har med når "
    "et så skal var kan nu vil hun de aldrig der kærlighed kom alt bare hvad her får "
    "mit hvor os ind ud hjem dag lille igen kun vores sammen hvis uden gang alle",
    "no": "og jeg det er en i på du meg deg som ikke for min din av vi til om han har med når "
    "et så skal var kan nå vil hun de aldri der kjærlighet kom alt bare hva her får "
    "mitt hvor oss inn ut hjem dag liten igjen vår sammen hvis uten gang alle mæ dæ ei "
    "ka eg ikkje",
    "fi": "on ja ei mä sä en se kun minä sinä mun sun oo niin ole nyt vain kuin mitä että hän "
    "jos yö rakkaus sydän aina tule elämä vielä kaikki me jää kanssa oot enää vaan onko "
    "tää sua mua päivä mennään tyttö laulu maa minun sinun olet joulu taivas kesä "
    "maailma",
    "pl": "i w nie się na z ja to jest mi jak do ty że mnie moja mój dla o co za już tak bez "
    "gdy po miłość życie serce dziś cię ciebie tylko być wszystko gdzie jesteś czy ze "
    "noc tam kiedy od mam świat będzie nas",
    "tr": "bir ve bu sen ben benim aşk ne seni beni gibi değil var yok için sana bana gel da "
    "de her aşkım gece senin ki olsun kadar daha yar ile deli gönül hayat dön dünya "
    "kalp bin o içimde ey sevgilim yine mi olmaz git sevda biz",
    "id": "yang dan di aku kamu cinta tak kau ku hati untuk ini itu dengan dia tidak bukan "
    "jangan kita ada dalam rindu hanya pergi satu bila sayang cintaku lagi saja semua "
    "kasih bisa mu hatiku selamanya malam tanpa mencintaimu sendiri pada demi kekasih "
    "karena dari akan",
    "hi": "hai ki ka ke ko mein se na tu hum tum mera tera meri teri pyar dil yeh woh jo ho "
    "aaj kya kabhi mere tere nahi ne bhi tujhe mujhe zindagi ishq jaan main ye aa hoon "
    "naal tenu ve ji jab sanam raat kar gaya liye aaja ek baar saath dekha kuch",
    "ta": "oru nee naan en kadhal unnai ennai kanne vaa po un pole ennodu enna malare poo "
    "poove vaan anbe yaar mazhai nenjukkul nenje kannu pennae nuvvu naa neevu prema emo nee nenu "
    "manasa cheli ente njan",
    "sr": "si ne te da mi sam nema ljubavi ljubav samo ti je bez kad sve ja nije moja moj srce "
    "svi noć u za iskam obicham s teb moga oshte kato az edna lyubov sarce dok nisam zbog tebe",
    "tl": "ang ng sa ko mo ikaw ako na at ka mga pag ibig puso hindi kung lang si ay pa nang "
    "mahal kita tayo para aking iyong bakit sana kahit walang akin iyo wag pasko",
    "hu": "a az és nem egy hogy én te van mint ha kell szerelem már még csak engem vagy is "
    "volt nekem minden lesz ez mert vagyok szép el meg lány nélkül szeretlek",
    "cs": "a na v se si jsem je to ze s do ty já když mi tě láska co jak nebo až už není za "
    "bez pro dál jen jsi svět tak být život máš mám som sa nie čo ako pre keď",
    "ro": "și si nu de e în o mai cu pe la te iubesc dragoste inima mea ce când fără tine eu "
    "tu dacă sunt este pentru viața să doar",
    "el": "to na mou sou den kai tha ta gia agapi zoi pou ti mi ena apo esy ego me se stin ston",
    "vi": "em anh yêu không một người là tình và của có đi cho trong đừng ngày mình khi nhớ",
    "ca": "amb els i una el la que cançó dels del no és meva som quan als aquest",
    "is": "og ég að það er þú í á ekki við sem mig þig um minn hann allt ein til með nú",
    "af": "die jy my ek nie is vir van jou hart wat kom sonder en dis loop met se",
}
"""Frequent words of each language (ISO 639-1; "no" both Norwegians, "id" also Malay, "hi" Hindi,
Urdu and Punjabi in Latin letters, "ta" Tamil, Malayalam and Telugu in Latin letters, "sr"
the South Slavic languages in Latin letters)."""

LETTERS: dict[str, str] = {
    letter: codes
    for letters, codes in {
        "ñ¿¡": "es",
        "ãõ": "pt",
        "ß": "de",
        "łśźżćęąń": "pl",
        "ışğ": "tr",
        "őű": "hu",
        "řěůťďčšž": "cs",
        "țș": "ro",
        "ă": "ro vi",
        "þð": "is",
        "œû": "fr",
        "ø": "da no",
        "æ": "da no is",
        "å": "sv da no",
        "ä": "de sv fi",
        "ö": "de sv fi tr hu is",
        "ü": "de tr hu es",
        "ç": "fr pt tr ca",
        "êô": "fr pt",
        "â": "fr pt ro",
        "î": "fr ro",
        "ëï": "fr nl",
        "è": "fr it ca",
        "à": "fr it pt ca",
        "ù": "fr it",
        "ò": "it ca",
        "ì": "it",
        "é": "fr es pt hu cs is",
        "áíú": "es pt hu cs is",
        "ó": "es pt hu pl cs is",
        "ươđ": "vi",
    }.items()
    for letter in letters
}
"""Letters that English lacks, and the languages that have them."""

SCRIPTS = (
    ("ja", r"[\u3040-\u30ff]"), ("ko", r"[\uac00-\ud7af\u1100-\u11ff]"), ("zh", r"[\u4e00-\u9fff]"),
    ("ru", r"[\u0400-\u04ff]"), ("el", r"[\u0370-\u03ff]"), ("he", r"[\u0590-\u05ff]"),
    ("ar", r"[\u0600-\u06ff]"), ("th", r"[\u0e00-\u0e7f]"), ("hi", r"[\u0900-\u097f]"),
    ("ta", r"[\u0b80-\u0bff\u0d00-\u0d7f]"),
)  # fmt: skip
"""Scripts that tell the language; kana come before the Chinese signs that Japanese shares."""

_LISTED = frozenset([*" ".join(WORDS.values()).split(), *(f"*{letter}" for letter in LETTERS)])

CODES = tuple(dict.fromkeys((*WORDS, *(code for code, _ in SCRIPTS))))

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_NOTES = re.compile(
    r"[(\[](?:feat|ft|with|live|remix|remaster|from|prod)\b.*?(?:[)\]]|$)|\s-\s.*"
    r"(?:remaster|version|remix|live|edit|mix|from|mono|stereo|feat|vivo|session).*$"
)
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_GRID_BITS = 12
_FEW = 3  # so many titles make an artist's language
_ROUNDS = 2
_SMOOTH = 1.5  # sightings of a word that weigh as much as what is not known of it
_KNOWN = 40.0  # so many sightings is a listed word worth before anything is counted
_FULL = 5000.0  # a language with so many words counts half: a word of a small one is told too
_SURE = 2.0  # an artist's language is learnt from where it leads the next by so much
_LEAD = 0.6  # a title's is told where it leads by so much
_SCRIPT = 12.0  # as much as several words
_USUAL = 0.3  # of the log of how many artists have a language: in doubt it is a frequent one
_OTHERS = 2.5  # so much at most do the other titles of the artist say of one


def tell_languages(titles: list[str], artists: list[tuple[str, ...]]) -> tuple[Codes, Codes]:
    """Tell the language of each title, and that of its artist.

    Parameters
    ----------
    titles : list of str
        Those of the classical repertoire have no language: nobody sings "Allegro in D Minor".
    artists : list of tuple of str
        Normalised names; the titles of the first are read together where there are three or more.

    Returns
    -------
    of_title, of_artist : ndarray of str, shape (n,)
        ISO 639-1 codes of :data:`CODES`; empty where nothing tells.

    Examples
    --------
    >>> titles = ["Je ne regrette rien", "La vie en rose", "All of You", "Milord", "Sirup", "夜に"]
    >>> artists = [("piaf",)] * 4 + [("x",), ("yoasobi",)]
    >>> [told.tolist() for told in tell_languages(titles, artists)]
    [['fr', 'fr', 'en', 'fr', '', 'ja'], ['fr', 'fr', 'fr', 'fr', '', '']]
    """
    place, unique = pd.factorize(np.array(titles, dtype=object))
    signs, vocabulary = _count_signs([list_signs(title) for title in unique])
    script, owner = _count_scripts(list(unique)), _number_owners(artists)
    rows = np.flatnonzero(owner >= 0)
    shape = (owner.max(initial=-1) + 1, len(unique))
    of_owner = csr_array((np.ones(len(rows)), (owner[rows], place[rows])), shape=shape)
    signs_of_owner, script_of_owner = of_owner @ signs, of_owner @ script
    known = _list_known(vocabulary)
    seen: FloatArray = np.zeros_like(known)
    for _ in range(_ROUNDS):
        weights = _weigh_signs(known, seen)
        told = _decide(signs_of_owner @ weights + script_of_owner, _SURE)
        seen = _count_by_language(signs_of_owner, told)
    weights = _weigh_signs(known, seen)
    pooled = np.zeros((len(titles), len(CODES)))
    pooled[rows] = (signs_of_owner @ weights + script_of_owner)[owner[rows]]
    votes = (signs @ weights + script)[place]
    lead = np.clip(pooled - pooled.max(axis=1, keepdims=True), -_OTHERS, 0)
    usual = exact.snap(
        _USUAL * exact.log(1 + np.bincount(told[told >= 0], minlength=len(CODES))), _GRID_BITS
    )
    codes = np.array([*CODES, ""], dtype=object)
    return codes[_decide(votes + lead + usual, _LEAD)], codes[_decide(pooled, _SURE)]


def list_signs(title: str) -> list[str]:
    """List what tells the language of a title: its words, their ends, and letters with marks.

    Parameters
    ----------
    title : str

    Returns
    -------
    list of str
        Words in lower case, with accents; ends begin with "-", letters with "*"; no release notes.

    Examples
    --------
    >>> list_signs("Non, Rien - Remastered 2012"), list_signs("Schön")
    (['non', 'rien', '-ien'], ['schön', '-hön', '*ö'])
    """
    if is_classical(title):
        return []
    lower = title.lower()
    if not lower.isascii():
        lower = unicodedata.normalize("NFC", title).lower().replace("’", "'")
    if "(" in lower or "[" in lower or " - " in lower:
        lower = _NOTES.sub("", lower) or lower
        bare = _BRACKETS.sub(" ", lower)  # where a title stands in brackets in another language
        lower = bare if bare.strip().count(" ") >= 2 else lower
    words: list[str] = _WORD.findall(lower)
    ends = [f"-{word[-3:]}" for word in words if len(word) > 3]
    letters = () if lower.isascii() else sorted({char for char in lower if char in LETTERS})
    return [*words, *ends, *(f"*{letter}" for letter in letters)]


def _count_signs(signs: list[list[str]]) -> tuple[csr_array, list[str]]:
    """Count the signs that two titles have or that are listed: titles by vocabulary."""
    flat = np.array([sign for one in signs for sign in one], dtype=object)
    codes, vocabulary = pd.factorize(flat)
    ends = np.cumsum([0, *(len(one) for one in signs)])
    counts = csr_array((np.ones(len(flat)), codes, ends), shape=(len(signs), len(vocabulary)))
    often = np.bincount(codes, minlength=len(vocabulary)) > 1  # of one title nothing is learnt
    often |= np.array([sign in _LISTED for sign in vocabulary], dtype=bool)
    return counts[:, np.flatnonzero(often)], list(vocabulary[often])


def _list_known(vocabulary: list[str]) -> FloatArray:
    """Return what listed words and letters are worth: vocabulary by languages."""
    number = {sign: row for row, sign in enumerate(vocabulary)}
    column = {code: index for index, code in enumerate(CODES)}
    known = np.zeros((len(vocabulary), len(CODES)))
    pairs = [(word, code) for code, words in WORDS.items() for word in words.split()]
    pairs += [(f"*{sign}", code) for sign, codes in LETTERS.items() for code in codes.split()]
    for sign, code in pairs:
        if sign in number:
            known[number[sign], column[code]] = _KNOWN
    return known


def _weigh_signs(known: FloatArray, seen: FloatArray) -> FloatArray:
    """Return how each sign speaks for each language, 0 where nothing is known of it."""
    worth = known + seen / (1 + seen.sum(axis=0) / _FULL)
    weight = exact.log(worth + _SMOOTH) - exact.log(worth.mean(axis=1, keepdims=True) + _SMOOTH)
    return exact.snap(weight, _GRID_BITS)


def _count_scripts(titles: list[str]) -> csr_array:
    """Return for each title a vote for the language whose script it has: one that decides."""
    found = [(row, _read_script(title)) for row, title in enumerate(titles) if not title.isascii()]
    pairs = np.array([pair for pair in found if pair[1] >= 0], dtype=np.intp).reshape(-1, 2)
    votes = np.full(len(pairs), _SCRIPT)
    return csr_array((votes, (pairs[:, 0], pairs[:, 1])), shape=(len(titles), len(CODES)))


def _read_script(title: str) -> int:
    """Return the number of the language whose script a title has, else -1."""
    for code, letters in SCRIPTS:
        if re.search(letters, title):
            return CODES.index(code)
    return -1


def _number_owners(artists: list[tuple[str, ...]]) -> npt.NDArray[np.intp]:
    """Number the first artists; a song of nobody, or of one with few titles, has none (-1)."""
    owner = number_owners(artists)
    few = np.bincount(owner[owner >= 0], minlength=1)[owner] < _FEW
    return np.where(few | (owner < 0), -1, owner)


def _count_by_language(signs: csr_array, told: npt.NDArray[np.intp]) -> FloatArray:
    """Count the signs in the titles of each language: vocabulary by languages."""
    rows = np.flatnonzero(told >= 0)
    ones = csr_array((np.ones(len(rows)), (told[rows], rows)), shape=(len(CODES), len(told)))
    return np.asarray((ones @ signs).toarray().T)


def _decide(votes: FloatArray, lead: float) -> npt.NDArray[np.intp]:
    """Return the language that leads by so much, else -1."""
    best = votes.argmax(axis=1)
    second, first = np.sort(votes, axis=1)[:, -2:].T
    return np.where(first - second >= lead, best, -1)
