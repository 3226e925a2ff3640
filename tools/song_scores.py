"""Scores of the demo songs: reading them from the music21 corpus, cutting and comparing them.

Used by ``tools/demo_songs.py`` and ``tools/song_catalogue.py``; no notebook needs it.

Conventions: time is counted in quarter notes (suffix ``_q``), pitch in MIDI numbers (60 is
middle C). A score is a flat tuple of notes that know their part; rests, dynamics and repeats
of the source are dropped, because a song should not contain the same bars twice.

References
----------
M. S. Cuthbert and C. Ariza, "music21: a toolkit for computer-aided musicology and symbolic
music data", ISMIR 2010, sections 2-3.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

# Bach's first prelude: five notes for each bar, from the bass upwards, played twice in the
# order 1 2 3 4 5 3 4 5; typed by the project from the notes of the public-domain work.
PRELUDE_BARS = (
    "60 64 67 72 76|60 62 69 74 77|59 62 67 74 77|60 64 67 72 76|60 64 69 76 81|60 62 66 69 74"
    "|59 62 67 74 79|59 60 64 67 72|57 60 64 67 72|50 57 62 66 72|55 59 62 67 71|55 58 64 67 73"
    "|53 57 62 69 74|53 56 62 65 71|52 55 60 67 72|52 53 57 60 65|50 53 57 60 65|43 50 55 59 65"
    "|48 52 55 60 64|48 55 58 60 64|41 53 57 60 64|42 48 57 60 63|44 53 59 60 62|43 53 55 59 62"
    "|43 52 55 60 64|43 50 55 60 65|43 50 55 59 65|43 51 57 60 66|43 52 55 60 67|43 50 55 60 65"
    "|43 50 55 59 65|36 48 55 58 64"
)
PRELUDE_CLOSE = (
    (36, 48, 53, 57, 60, 65, 60, 57, 60, 57, 53, 57, 53, 50, 53, 50),
    (36, 47, 67, 71, 74, 77, 74, 71, 74, 71, 67, 71, 62, 65, 64, 62),
)


class Note(NamedTuple):
    """One note: onset and length in quarter notes, MIDI pitch, number of its part."""

    onset_q: float
    length_q: float
    pitch: int
    part: int


class ChordSpan(NamedTuple):
    """A harmony that holds from `onset_q` for `length_q`; pitch classes, the root first."""

    onset_q: float
    length_q: float
    pitch_classes: tuple[int, ...]


@dataclass(frozen=True)
class Score:
    """A piece as notes sorted by onset, the length of its first bar, and its chord symbols."""

    notes: tuple[Note, ...]
    bar_q: float = 4.0
    title: str = ""
    chords: tuple[ChordSpan, ...] = ()

    @property
    def length_q(self) -> float:
        """End of the last note, in quarter notes."""
        return max((note.onset_q + note.length_q for note in self.notes), default=0.0)

    @property
    def parts(self) -> tuple[int, ...]:
        """Numbers of the parts that have notes."""
        return tuple(sorted({note.part for note in self.notes}))


@functools.lru_cache(maxsize=4)
def read_corpus(path: str) -> Score:
    """Read one piece of the music21 corpus.

    Parameters
    ----------
    path : str
        Path inside the corpus, such as ``"corelli/opus3no1/1grave.xml"``.

    Returns
    -------
    Score
        Sounding pitches, ties joined, grace notes and repeats left out.
    """
    # The notation library takes seconds to import; users of the rendered songs don't need it.
    from music21 import corpus, stream

    parsed: Any = corpus.parse(path, forceSource=True)
    parts = _part_streams(parsed, is_opus=isinstance(parsed, stream.Opus))
    starts = _bar_starts(parts)
    notes: set[Note] = set()
    for number, part in enumerate(parts):
        notes.update(_read_part(part, number, starts))
    signature = next(iter(parts[0].recurse().getElementsByClass("TimeSignature")), None)
    metadata = parsed.metadata
    title = (metadata.title or metadata.movementName if metadata else None) or Path(path).stem
    return Score(
        notes=tuple(sorted(notes)),
        bar_q=float(signature.barDuration.quarterLength) if signature else 4.0,
        title=str(title),
        chords=_read_chords(parts[0]),
    )


def _part_streams(parsed: Any, *, is_opus: bool) -> list[Any]:
    """Return the parts of a score; the tunes of an opus are the voices of one piece."""
    scores = list(parsed.scores) if is_opus else [parsed]
    # A corpus without measures of their own (lute tablature, say) still has its notes.
    found = [part for score in scores for part in (list(score.parts) or [score])]
    return [part.toSoundingPitch() for part in found]


def _bar_starts(parts: list[Any]) -> list[float]:
    """Return the start of each bar in quarter notes, or nothing where parts disagree in bars.

    A bar that one part fills with a stray rest must not push that part behind the others, so
    all parts take the bar starts of the first one.
    """
    bars = [list(part.getElementsByClass("Measure")) for part in parts]
    if len({len(row) for row in bars}) != 1:
        return []
    return [float(bar.offset) for bar in bars[0]]


def _read_part(part: Any, number: int, starts: list[float]) -> list[Note]:
    """Return the notes of one part."""
    joined = part.stripTies()
    bars = list(joined.getElementsByClass("Measure"))
    if bars and len(bars) == len(starts):
        sections = [(start, bar.flatten()) for start, bar in zip(starts, bars, strict=True)]
    else:
        sections = [(0.0, joined.flatten())]
    notes = []
    for start_q, section in sections:
        for element in section.notes:
            if "ChordSymbol" in element.classes or not element.quarterLength:
                continue
            onset_q = round(start_q + float(element.offset), 6)
            length_q = round(float(element.quarterLength), 6)
            notes += [Note(onset_q, length_q, pitch.midi, number) for pitch in element.pitches]
    return notes


def _read_chords(part: Any) -> tuple[ChordSpan, ...]:
    """Return the chord symbols written above a part, each lasting until the next one."""
    flat = part.flatten()
    symbols = list(flat.getElementsByClass("ChordSymbol"))
    if not symbols:
        return ()
    ends = [float(symbol.offset) for symbol in symbols[1:]] + [float(flat.highestTime)]
    spans = []
    for symbol, end_q in zip(symbols, ends, strict=True):
        onset_q = float(symbol.offset)
        root = symbol.root().pitchClass
        others = tuple(p.pitchClass for p in symbol.pitches if p.pitchClass != root)
        spans.append(ChordSpan(onset_q, end_q - onset_q, (root, *others)))
    return tuple(spans)


def encode_prelude() -> Score:
    """Return Bach's Prelude in C major, BWV 846, as encoded by the project.

    Returns
    -------
    Score
        Part 0 is the right hand's figure, part 1 the two held notes of the left hand.
    """
    notes: list[Note] = []
    for number, bar in enumerate(PRELUDE_BARS.split("|")):
        pitches = [int(pitch) for pitch in bar.split()]
        for half_q in (4.0 * number, 4.0 * number + 2.0):
            notes += [Note(half_q, 2.0, pitches[0], 1), Note(half_q + 0.25, 1.75, pitches[1], 1)]
            figure = pitches[2:] * 2
            notes += [Note(half_q + 0.25 * (k + 2), 0.25, p, 0) for k, p in enumerate(figure)]
    for number, figure_bar in enumerate(PRELUDE_CLOSE):
        onset_q = 4.0 * (32 + number)
        for k, pitch in enumerate(figure_bar):
            notes.append(Note(onset_q + k / 4, 4.0 - k / 4 if k < 2 else 0.25, pitch, int(k < 2)))
    notes += [Note(136.0, 4.0, pitch, int(pitch < 60)) for pitch in (36, 48, 64, 67, 72)]
    return Score(tuple(sorted(notes)), bar_q=4.0, title="Prelude in C major")


def cut_score(score: Score, start_q: float, end_q: float) -> Score:
    """Cut a passage out of a score.

    Parameters
    ----------
    score : Score
        The whole.
    start_q, end_q : float
        The passage has the notes that begin in [`start_q`, `end_q`), in quarter notes.

    Returns
    -------
    Score
        The passage, moved to begin at zero.

    Raises
    ------
    ValueError
        If no note begins there.
    """
    chosen = [note for note in score.notes if start_q <= note.onset_q < end_q]
    if not chosen:
        raise ValueError(f"{score.title!r}: no note begins between quarters {start_q} and {end_q}")
    first_q = min(note.onset_q for note in chosen)
    notes = tuple(note._replace(onset_q=note.onset_q - first_q) for note in chosen)
    chords = tuple(
        span._replace(onset_q=span.onset_q - first_q)
        for span in score.chords
        if start_q <= span.onset_q < end_q
    )
    return replace(score, notes=notes, chords=chords)


def _list_moves(score: Score, part: int) -> list[str]:
    """Return the steps in semitones of a part's highest notes, repeated notes merged."""
    top: dict[float, int] = {}
    for note in score.notes:
        if note.part == part:
            top[note.onset_q] = max(note.pitch, top.get(note.onset_q, 0))
    return [str(b - a) for a, b in itertools.pairwise(top.values()) if a != b]


def name_incipit(score: Score, *, length: int = 12) -> str:
    """Return the beginning of a score's first part, the same for any key and tempo.

    Parameters
    ----------
    score : Score
        The piece.
    length : int
        Number of melodic steps; repeated notes are merged first.

    Returns
    -------
    str
        Steps in semitones, separated by spaces.
    """
    return " ".join(_list_moves(score, min(score.parts))[:length])


def sketch_melodies(score: Score, *, length: int = 10, size: int = 64) -> tuple[int, ...]:
    """Summarise the melodies of a score so that shared material can be found.

    Parameters
    ----------
    score : Score
        All its parts count; of a chord, the highest note.
    length : int
        Number of melodic steps in one phrase; repeated notes are merged first, so that neither
        key nor tempo nor rhythm matter.
    size : int
        How many phrases are kept at most: those with the smallest hashes.

    Returns
    -------
    tuple of int
        Hashes (48 bits), ascending. The overlap of two sketches estimates the resemblance of
        the scores' sets of phrases.

    References
    ----------
    A. Broder, "On the resemblance and containment of documents", SEQUENCES 1997, section 2.
    """
    hashes: set[int] = set()
    for part in score.parts:
        moves = _list_moves(score, part)
        for start in range(len(moves) - length + 1):
            phrase = " ".join(moves[start : start + length])
            hashes.add(int.from_bytes(hashlib.sha256(phrase.encode()).digest()[:6], "big"))
    return tuple(sorted(hashes)[:size])
