"""An accompaniment for a melody: choosing the chords, and playing them in a style.

Used by ``tools/demo_songs.py`` and ``tools/song_catalogue.py``; no notebook needs it.

Conventions: as in ``tools/song_scores.py``; a chord is a tuple of pitch classes, the root first.

References
----------
D. Temperley, "The Cognition of Basic Musical Structures", MIT Press 2001, chapter 6 (a chord is
heard from the melody notes that belong to it).
"""

from __future__ import annotations

from dataclasses import replace

from tools.song_scores import ChordSpan, Note, Score

MAJOR_CHORDS = ((0, 4, 7), (5, 9, 0), (7, 11, 2), (9, 0, 4), (2, 5, 9))
MINOR_CHORDS = ((0, 3, 7), (5, 8, 0), (7, 10, 2), (10, 2, 5), (8, 0, 3), (7, 11, 2))


def harmonise(score: Score) -> tuple[ChordSpan, ...]:
    """Choose a chord for each half bar of a melody.

    Each of the key's common triads is scored by the time during which the melody sounds one of
    its notes; the tonic wins ties, and the last chord is the tonic.

    Parameters
    ----------
    score : Score
        Its part 0 is the melody.

    Returns
    -------
    tuple of ChordSpan
        One span for each half bar.
    """
    melody = [note for note in score.notes if note.part == 0]
    tonic, minor = _find_key(melody)
    shapes = MINOR_CHORDS if minor else MAJOR_CHORDS
    chords = [tuple((tonic + step) % 12 for step in shape) for shape in shapes]
    step_q = score.bar_q / 2
    spans = []
    for index in range(int(score.length_q // step_q)):
        start_q = index * step_q
        weights = [_overlap(melody, start_q, start_q + step_q, chord) for chord in chords]
        best = max(range(len(chords)), key=lambda k: (weights[k], -k))
        spans.append(ChordSpan(start_q, step_q, chords[best]))
    if spans:
        spans[-1] = spans[-1]._replace(pitch_classes=chords[0])
    return tuple(spans)


def _overlap(melody: list[Note], start_q: float, end_q: float, chord: tuple[int, ...]) -> float:
    """Return for how long chord notes sound in a window of the melody, in quarter notes."""
    total = 0.0
    for note in melody:
        if note.pitch % 12 in chord:
            total += max(0.0, min(end_q, note.onset_q + note.length_q) - max(start_q, note.onset_q))
    return total


def _find_key(melody: list[Note]) -> tuple[int, bool]:
    """Return (tonic pitch class, is minor): the last note is the tonic, its third decides."""
    tonic = max(melody, key=lambda note: note.onset_q).pitch % 12
    time_of = [0.0] * 12
    for note in melody:
        time_of[(note.pitch - tonic) % 12] += note.length_q
    return tonic, time_of[3] > time_of[4]


def accompany(spans: tuple[ChordSpan, ...], *, style: str, first_part: int) -> tuple[Note, ...]:
    """Turn harmonies into an accompaniment of chords and a bass.

    Parameters
    ----------
    spans : tuple of ChordSpan
        Harmonies, in order.
    style : {"arpeggio", "swing", "dance", "pad"}
        Broken chords; a walking bass with off-beat chords; bass and answering chord; held chords.
    first_part : int
        Number of the chords' part; the bass is the next one.

    Returns
    -------
    tuple of Note
        Notes of the two parts, sorted by onset.
    """
    notes: list[Note] = []
    for span in spans:
        notes += _ACCOMPANIMENTS[style](span, first_part)
    return tuple(sorted(notes))


def _voicing(span: ChordSpan) -> list[int]:
    """Return the chord in close position between G3 and F#4."""
    return sorted(55 + (pitch_class - 55) % 12 for pitch_class in span.pitch_classes)


def _bass(span: ChordSpan, member: int = 0) -> int:
    """Return a chord member between E2 and D#3."""
    return 40 + (span.pitch_classes[member % len(span.pitch_classes)] - 40) % 12


def _play_arpeggio(span: ChordSpan, part: int) -> list[Note]:
    tones = _voicing(span)
    order = (*tones, tones[-2])
    count = int(span.length_q * 2)
    notes = [
        Note(span.onset_q + k / 2, 1.0, order[k % len(order)], part)
        for k in range(1, max(2, count))
    ]
    return [*notes, Note(span.onset_q, min(span.length_q, 4.0), _bass(span), part + 1)]


def _play_swing(span: ChordSpan, part: int) -> list[Note]:
    beats = range(max(1, int(span.length_q)))
    notes = [Note(span.onset_q + k, 0.95, _bass(span, k), part + 1) for k in beats]
    for k in beats:
        if (span.onset_q + k) % 2 == 1:
            notes += [Note(span.onset_q + k, 0.55, pitch, part) for pitch in _voicing(span)]
    return notes


def _play_dance(span: ChordSpan, part: int) -> list[Note]:
    half_q = span.length_q / 2
    notes = [Note(span.onset_q, half_q, _bass(span), part + 1)]
    notes += [Note(span.onset_q + half_q, half_q / 2, pitch, part) for pitch in _voicing(span)]
    return notes


def _play_pad(span: ChordSpan, part: int) -> list[Note]:
    notes = [Note(span.onset_q, span.length_q, pitch, part) for pitch in _voicing(span)]
    return [*notes, Note(span.onset_q, span.length_q, _bass(span), part + 1)]


_ACCOMPANIMENTS = {
    "arpeggio": _play_arpeggio,
    "swing": _play_swing,
    "dance": _play_dance,
    "pad": _play_pad,
}


def add_accompaniment(score: Score, *, style: str) -> Score:
    """Return a melody with chords and bass from its chord symbols, or harmonised if it has none.

    Parameters
    ----------
    score : Score
        Melody in part 0; other parts are kept.
    style : str
        As for :func:`accompany`.

    Returns
    -------
    Score
        Two more parts: chords, then bass.
    """
    spans = score.chords or harmonise(score)
    extra = accompany(spans, style=style, first_part=max(score.parts) + 1)
    return replace(score, notes=tuple(sorted((*score.notes, *extra))))
