"""Whether a playlist keeps the seed's language and time, read by other rules.

On the first 1,000 seeds of ``rules``. The ranking reads titles by character n-grams; here an artist
has the language whose stop words lead in at least three titles, and in 70 % of those where one
leads (:func:`tell_languages`); artists with less have none and are left out. Compared are a seed
and the songs by others in its playlist; "chance" is the seed with all songs of a known language.
With six languages (the largest of the table) more is right by chance than with all, where a Turkish
song for an English seed is seen. Years are taken as in the file, where a re-issue counts as new,
and as the era: the earliest year of that title by that artist.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares.data import DataSource
from aares.scores import bootstrap
from recommendation.independent import (
    Rows,
    cut_title,
    draw_seeds,
    find_eras,
    fit_recommender,
    make_playlists,
    read_credits,
)

Values = npt.NDArray[np.float64]
N_SEEDS = 1000
FEWEST = 20  # seeds of a language for a figure of its own
SIX = ("en", "es", "pt", "de", "fr", "it")
STOP_WORDS = {
    "en": "the and of to in you my me i is it for your on we are with this that be dont what all "
    "im its not when from was by at up love out no so if like just do have but cant how one down "
    "she he her never get will",
    "es": "el la de que y en los las un una por con tu mi no me te se lo es del al para como si "
    "sin yo mas soy eres cuando porque donde quiero esta este muy ya hay nada quien su son ella",
    "pt": "o a de que e em os as um uma por com meu minha nao me te se do da dos das no na ao pra "
    "voce eu mais sem como seu sua quando tudo so foi vai nos isso ele ela esse esta tem pelo",
    "fr": "le la les de des du et en un une je tu il elle nous mon ma mes ton ta pas que qui sur "
    "dans pour avec est ce cest jai au aux sans ne se me te plus comme si son sa tout vous ca "
    "quand",
    "de": "der die das und ich du ist nicht ein eine mein dein den dem des im in mit von zu auf "
    "fur wir es sie er wenn was wie so nur noch bis an am mir mich dir dich bin bist hat kein ohne",
    "it": "il lo la i gli le di e che un una per con mio mia non mi ti si del della dei delle al "
    "alla nel da se ci sei sono io tu piu come questo quando sara chi anche ma solo senza lei",
    "nl": "de het een en van ik je is niet mijn jij in op voor met dat die zijn als wat maar te er "
    "ben naar aan ook nog geen hij zij wij we mij jou om bij uit heb kan",
    "sv, da, no": "och og jag jeg det du en ett et att at som ar er for pa med av af inte ikke min "
    "din mig meg dig deg vi han hon hun den i om har kan till til fran fra nar var sa nu man vill "
    "vil sig seg ska skal alla ingen aldrig aldri",
    "fi": "on ei ja mina sina se en sun mun kun niin oon vain et ma sa sulle mulle olla ole kuin "
    "nyt tama viela jos vaan",
    "hi": "hai ka ki ke se tu tum tera tere teri mera mere meri main mein ho na dil hum kya nahi "
    "nahin aur ye yeh jo o re bhi kar pe tujhe mujhe woh ko da di de je mainu tenu le naal",
    "tl": "ng ang sa ko mo na ako ikaw kung pag ay mga di ka lang para kay nang kahit hindi wala "
    "ba si pa may",
    "id": "yang di dan ku aku kau cinta ini itu dia tak untuk dengan hati dari kamu ada jangan "
    "bukan saat sampai tanpa pada kita bila akan saja hanya rindu sayang mu",
    "pl": "i w nie na to sie jest z do ze jak ja ty moj moja mnie mi co za tak dla po o od tylko "
    "bez ale ci cie juz czy jestem moje kiedy nic ich byc",
    "tr": "bir ve bu ben sen beni seni benim senin ne mi yok var gibi icin bana sana daha her o "
    "da ask askim gel kadar degil olsun",
}
"""Frequent words, without accents. Words of several languages count for each of them."""
BRACKET = r"[(\[{][^()\[\]{}]*[)\]}]"


def measure(source: DataSource, *, tuning: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield how often languages agree, and by how many years songs and seeds differ."""
    songs, recommender = fit_recommender(source)
    seeds = draw_seeds(len(songs), tuning=tuning)[:N_SEEDS]
    rows, _ = make_playlists(recommender, songs, seeds)
    yield from check_languages(songs, seeds, rows)


def check_languages(
    songs: pd.DataFrame, seeds: Rows, rows: Sequence[Rows]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the sections ``six languages``, ``all languages`` and ``years``.

    Parameters
    ----------
    songs : DataFrame
    seeds : ndarray of int, shape (n,)
    rows : sequence of ndarray of int, shape (n,)
        Rows of each playlist's songs.
    """
    credits, pairs = read_credits(songs), pair_songs(seeds, rows)
    others = [not credits[seed] & credits[song] for seed, song in pairs.to_numpy()]
    pairs = pairs[np.array(others, dtype=bool)]
    for name, known in (("six languages", SIX), ("all languages", tuple(STOP_WORDS))):
        yield name, compare_languages(tell_languages(songs, known), pairs)
    years = {"as in the file": songs["year"].to_numpy(float), "of the recording": find_eras(songs)}
    gaps = {name: np.abs(year[pairs["seed"]] - year[pairs["song"]]) for name, year in years.items()}
    yield "years", {name: describe_mean(pairs.assign(gap=gap), "gap") for name, gap in gaps.items()}


def compare_languages(languages: npt.NDArray[Any], pairs: pd.DataFrame) -> dict[str, Any]:
    """Return how often seed and song agree, for all seeds and for each language with 20 of them."""
    shares = pd.Series(languages[languages != ""]).value_counts(normalize=True)
    known = pairs.assign(one=languages[pairs["seed"]], other=languages[pairs["song"]])
    known = known[(known["one"] != "") & (known["other"] != "")]
    known = known.assign(same=known["one"] == known["other"], chance=known["one"].map(shares))
    parts = {"all": known} | {str(one): part for one, part in known.groupby("one")}
    found = {}
    for name, part in parts.items():
        if name == "all" or part["seed"].nunique() >= FEWEST:
            found[name] = describe_mean(part, "same")
            found[name]["chance"] = round(float(np.nan_to_num(part["chance"].mean())), 4)
    return found


def tell_languages(songs: pd.DataFrame, known: Sequence[str] = ()) -> npt.NDArray[Any]:
    """Return the language of each song's artist, or "" where the titles do not tell one.

    A title votes for the language with most of its stop words, if no other has as many; brackets,
    and what follows a dash to name a version, are left out. An artist needs three votes, 70 % of
    which agree. A song of several artists has a language if those with one agree.
    """
    words = {language: frozenset(STOP_WORDS[language].split()) for language in known or STOP_WORDS}
    titles = songs["name"].str.replace(BRACKET, " ", regex=True).map(cut_title)
    votes = titles.map(lambda title: vote(title.split(), words))
    credits = pd.Series(read_credits(songs))
    table = pd.DataFrame({"artist": credits, "vote": votes.to_numpy()}).explode("artist")
    told = table[table["vote"] != ""]
    counts = pd.crosstab(told["artist"], told["vote"])
    cast = counts.sum(axis=1)
    speaks = counts.idxmax(axis=1)[(cast >= 3) & (counts.max(axis=1) >= 0.7 * cast)].to_dict()
    found = credits.map(lambda names: {speaks[name] for name in names if name in speaks})
    return np.array([min(one) if len(one) == 1 else "" for one in found], dtype=object)


def vote(title: Sequence[str], words: dict[str, frozenset[str]]) -> str:
    """Return the language with most stop words in a title, or "" without a single leader."""
    counts = {language: sum(word in known for word in title) for language, known in words.items()}
    most = max(counts.values())
    leaders = [language for language, count in counts.items() if count == most]
    return leaders[0] if most and len(leaders) == 1 else ""


def pair_songs(seeds: Rows, rows: Sequence[Rows]) -> pd.DataFrame:
    """Return one row for each song of a playlist, with its seed."""
    sizes = [len(one) for one in rows]
    return pd.DataFrame({"seed": np.repeat(seeds, sizes), "song": np.concatenate(rows)})


def describe_mean(pairs: pd.DataFrame, column: str) -> dict[str, Any]:
    """Return the mean over all pairs with a 95 % interval that draws seeds, not songs."""
    by_seed = pairs.groupby("seed")[column].agg(["sum", "size"]).to_numpy(dtype=float)
    size = {"n_songs": len(pairs), "n_seeds": len(by_seed)}
    if len(by_seed) < 2:
        return size
    figures = zip(("mean", "low", "high"), bootstrap(take_ratio, *by_seed.T), strict=True)
    return {name: round(float(value), 4) for name, value in figures} | size


def take_ratio(sums: Values, sizes: Values, axis: int) -> Values:
    """Return the mean of values whose sums and numbers are given for each seed."""
    return np.asarray(sums.sum(axis=axis) / sizes.sum(axis=axis))
