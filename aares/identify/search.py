"""Ask the parts of a catalogue for an excerpt: the cheap way first, the others where it fails.

Used by :class:`aares.identify.Index`, which keeps the parts; the conventions are those of
:mod:`.index`.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

import numpy as np

from aares.identify import evidence, peaks
from aares.identify.answer import THRESHOLD, Answer, choose
from aares.identify.catalogue import Part
from aares.identify.hits import Hit, measure_hits
from aares.identify.query import (
    QUICK,
    WINDOW,
    Look,
    Query,
    choose_look,
    list_windows,
    make_query,
    read_signal,
    resample,
)
from aares.identify.ranking import Ranking

N_ANSWERS = 8
WAYS = ("quick", "thorough", "speeds", "stretched")  # to search, the cheapest first
SPEEDS = tuple(1 + percent / 200 for percent in range(-16, 17) if percent)  # half per cents
TEMPI = tuple(1 + percent / 100 for percent in range(-8, 9) if percent)  # with the pitch kept
SEMITONES = (-3, -2, -1, 1, 2, 3)  # with the tempo kept
BANKS = {
    "speeds": tuple((speed, 1.0) for speed in SPEEDS),
    "stretched": (
        *((tempo, 1 / tempo) for tempo in TEMPI),
        *((1.0, 2 ** (semitone / 12)) for semitone in SEMITONES),
    ),
}
FINE_SPEEDS = (-0.002, -0.001, 0.001, 0.002)  # tried around the speeds of the best candidates
NEAR_SPEEDS = np.arange(-12, 13) / 1000  # among which the best candidate's is settled
SETTLED = 0.8  # of the highest score: what lies above decides


def identify_signal(
    parts: Sequence[Part],
    y: np.ndarray,
    sr: int,
    *,
    threshold: float = THRESHOLD,
    bank: bool = True,
) -> Answer:
    """Tell which recording an excerpt comes from; see `Index.identify`.

    Parameters
    ----------
    parts : sequence of Part
    y : ndarray of float, shape (n,) or (channels, n)
    sr : int
    threshold : float
    bank : bool

    Returns
    -------
    Answer
        Of the surest window of 15 s.

    Raises
    ------
    ValueError
        `y` is empty, not finite, or not shaped like sound.

    Examples
    --------
    Nothing is known where there are no recordings.

    >>> identify_signal([], np.random.default_rng(0).standard_normal(8000), 8000).match is None
    True
    """
    y = resample(read_signal(y), sr)
    answers = [
        answer_query(
            parts, make_query(y[start : start + WINDOW]), threshold=threshold, bank=bank
        ).shift(-start / peaks.RATE_HZ)
        for start in list_windows(len(y))
    ]
    return min(answers, key=lambda answer: (answer.p_false, answer.tail))


def answer_query(
    parts: Sequence[Part], query: Query, *, threshold: float = THRESHOLD, bank: bool = True
) -> Answer:
    """Search one way after another until a recording is accepted; see `Index.ask`.

    Parameters
    ----------
    parts : sequence of Part
    query : Query
    threshold : float
    bank : bool

    Returns
    -------
    Answer

    Examples
    --------
    >>> query = make_query(np.random.default_rng(0).standard_normal(8000, dtype=np.float32))
    >>> answer_query([], query).p_false
    1.0
    """
    answers = []
    for way in WAYS if bank else WAYS[:2]:
        answers.append(choose(rank_candidates(parts, query, way), way=way, threshold=threshold))
        if answers[-1].match:
            break
    return choose_answer(answers)


def choose_answer(answers: Sequence[Answer]) -> Answer:
    """Choose among the answers of several ways to search.

    Parameters
    ----------
    answers : sequence of Answer
        In the order of `WAYS`, at least one.

    Returns
    -------
    Answer
        An accepted one, else the surest. Where all are as unsure, that of the thorough look: its
        first candidate is right in noise where that of the quick one no longer is.

    Examples
    --------
    >>> quick, thorough = (Answer(None, 1.0, (), heard=heard) for heard in (True, False))
    >>> choose_answer([quick, thorough]) == thorough, choose_answer([quick]) == quick
    (True, True)
    """
    order = [*answers[1::-1], *answers[2:]]
    return min(order, key=lambda answer: (answer.match is None, answer.p_false, answer.tail))


def rank_candidates(
    parts: Sequence[Part], query: Query, way: str, *, without: Container[str] = ()
) -> Ranking:
    """Find the best candidates for a query, one for each recording; see `Index.rank`.

    Parameters
    ----------
    parts : sequence of Part
    query : Query
    way : {"quick", "thorough", "speeds", "stretched"}
    without : container of str

    Returns
    -------
    Ranking
        At most 8 candidates.

    Examples
    --------
    >>> query = make_query(np.random.default_rng(0).standard_normal(8000, dtype=np.float32))
    >>> rank_candidates([], query, "quick").candidates
    []
    """
    total = sum(len(part.segment.postings) for part in parts)
    if way in BANKS:
        ways = [(QUICK, speed, pitch) for speed, pitch in BANKS[way]]
    else:
        ways = [(choose_look(way, total), 1.0, 1.0)]
    hits = [
        hit
        for look, speed, pitch in ways
        for part in parts
        for hit in search_part(part, query, look, total, speed=speed, pitch=pitch)
    ]
    if without:
        hits = [hit for hit in hits if hit.song not in without]
    if way in BANKS:
        hits = _tune(query, hits)
    best: dict[str, Hit] = {}
    for hit in sorted(hits, key=lambda hit: -hit.merit):
        best.setdefault(hit.song, hit)  # found at several speeds: once
        if len(best) == N_ANSWERS:
            break
    chosen = list(best.values())
    breadth, beside = chosen[0].examine(query) if chosen else (0.0, 0.0)
    if way in BANKS and chosen:
        chosen[0] = _settle_speed(query, chosen[0])
    candidates = [hit.locate() for hit in chosen]
    return Ranking(
        candidates,
        breadth,
        beside,
        query.ceiling,
        query.seconds,
        *query.traits,
        n_recordings=sum(len(part) for part in parts),
        novelty=query.novelty,
    )


def search_part(
    part: Part, query: Query, look: Look, total: int, *, speed: float = 1.0, pitch: float = 1.0
) -> list[Hit]:
    """Find the best places of one part; a search joins those of all parts.

    Parameters
    ----------
    part : Part
    query : Query
    look : Look
    total : int
        Postings of the whole index, see `query.Look.grow`.
    speed, pitch : float
        Of the query.

    Returns
    -------
    list of Hit
        The best first, see `hits.measure_hits`.

    Raises
    ------
    IndexFileError
        The part lies on the disk, and is damaged where it is read.

    Examples
    --------
    >>> from aares.identify.catalogue import Settings, fingerprint, make_part
    >>> y = np.random.default_rng(0).standard_normal(8 * 8000, dtype=np.float32)
    >>> part = make_part([fingerprint("noise", y, Settings())], 0)
    >>> search_part(part, make_query(y[16_000:]), QUICK, len(part.segment.postings))[0].song
    'noise'
    """
    places, votes = part.find_places(query.hash(look, speed, pitch), look, total)
    return measure_hits(part, query, speed, places, votes, pitch=pitch, slack=look.slack)


def _tune(query: Query, hits: list[Hit]) -> list[Hit]:
    """Measure the best hits of a bank again at speeds and pitches between those of the bank."""
    tuned = sorted(hits, key=lambda hit: -hit.merit)
    for hit in tuned[:3]:
        place, votes = np.array([hit.place]), np.array([hit.votes])
        for change in FINE_SPEEDS:
            speed, pitch = _move(hit, change)
            tuned += measure_hits(hit.part, query, speed, place, votes, pitch=pitch)
    return tuned


def _move(hit: Hit, change: float) -> tuple[float, float]:
    """Return a speed and a pitch beside those of a hit, on the line that its bank follows."""
    if hit.speed == 1:
        return 1.0, hit.pitch * (1 + change)
    speed = hit.speed + change
    return speed, 1.0 if hit.pitch == 1 else 1 / speed


def _settle_speed(query: Query, hit: Hit) -> Hit:
    """Give a hit the centre of the speeds at which it scores high: the highest is a chance's."""
    moved = [_move(hit, float(change)) for change in NEAR_SPEEDS]
    place, arrays = np.array([hit.place]), (hit.part.segment.blocks, hit.part.segment.peaks)
    refine, excess = 2 * evidence.REFINE_STEPS, query.evidence.excess
    scores = np.array([
        evidence.measure(*arrays, place, excess, speed, refine, pitch)[0][0]
        for speed, pitch in moved
    ])  # fmt: skip
    weights = np.maximum(scores - SETTLED * scores.max(), 0) ** 2
    if scores.max() <= 0:
        return hit
    speed, pitch = _move(hit, float(np.dot(weights, NEAR_SPEEDS) / weights.sum()))
    return hit._replace(speed=speed, pitch=pitch)
