"""Places of a catalogue that may be where a query comes from.

Used by :class:`aares.identify.Index`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aares import exact
from aares.identify import evidence, peaks
from aares.identify.catalogue import BLOCK_STEPS, Part
from aares.identify.query import Query
from aares.identify.ranking import Candidate

# Evidence counts what changes; while a note is held nothing does, and the votes decide.
VOTES_WEIGHT = 0.5  # of the logarithm of the votes
N_HITS = 12  # of each search: some recordings may be left out


class Hit(NamedTuple):
    """A place of the catalogue that may be where a query comes from; the highest merit first."""

    merit: float
    score: float
    votes: float
    speed: float
    part: Part
    row: int
    place: int
    pitch: float = 1.0

    @property
    def song(self) -> str:
        """Return the name of the recording.

        Returns
        -------
        str
        """
        return self.part.recordings[self.row].name

    def locate(self) -> Candidate:
        """Tell where in the recording it is.

        Returns
        -------
        Candidate

        Examples
        --------
        Steps are of 16 ms: the 125th is 2 s later than the beginning.

        >>> from aares.identify.catalogue import Settings, fingerprint, make_part
        >>> y = np.random.default_rng(0).standard_normal(8 * 8000, dtype=np.float32)
        >>> part = make_part([fingerprint("a", y, Settings())], 0)
        >>> Hit(12.0, 9.0, 240.0, 1.0, part, row=0, place=125).locate()
        Candidate(song='a', offset_s=2.0, score=9.0, votes=240.0, speed=1.0, pitch=1.0)
        """
        step = self.place - int(self.part.starts[self.row]) * BLOCK_STEPS
        offset_s = step * peaks.STEP_LENGTH / peaks.RATE_HZ
        return Candidate(
            self.song,
            round(offset_s, 3),
            self.score,
            self.votes,
            round(self.speed, 4),
            round(self.pitch, 4),
        )

    def examine(self, query: Query) -> tuple[float, float]:
        """Measure the breadth of its evidence, and what is left of it beside the place.

        Parameters
        ----------
        query : Query

        Returns
        -------
        breadth, beside : float
            See `ranking.Ranking`.
        """
        excess = query.evidence.excess
        return evidence.examine(self.part.segment, self.place, excess, self.speed, self.pitch)


def measure_hits(
    part: Part,
    query: Query,
    speed: float,
    places: np.ndarray,
    votes: np.ndarray,
    *,
    pitch: float = 1.0,
    slack: int = 0,
) -> list[Hit]:
    """Return the best hits, one a recording.

    Parameters
    ----------
    part : Part
    query : Query
    speed : float
        Of the query.
    places : ndarray of int64, shape (n,)
        From `vote.find_places`.
    votes : ndarray of float32, shape (n,)
        Of each place.
    pitch : float
        Factor by which the query is higher than at that speed.
    slack : int
        Steps by which the places are less certain than `evidence.REFINE_STEPS`.

    Returns
    -------
    list of Hit
        The best first, at most 12.

    Examples
    --------
    The second of two recordings is asked for, from its second 2 on.

    >>> from aares.identify.catalogue import Settings, fingerprint, make_part
    >>> from aares.identify.query import make_query
    >>> rng = np.random.default_rng(0)
    >>> signals = {name: rng.standard_normal(8 * 8000, dtype=np.float32) for name in "ab"}
    >>> part = make_part([fingerprint(name, y, Settings()) for name, y in signals.items()], 0)
    >>> places = part.starts[:2] * BLOCK_STEPS + 125
    >>> query = make_query(signals["b"][16_000:])
    >>> hits = measure_hits(part, query, 1.0, places, np.zeros(2, dtype=np.float32))
    >>> hits[0].song, hits[0].locate().offset_s, hits[0].score > hits[1].score
    ('b', 2.0, True)
    """
    present = ~part.recordings.removed[part.locate(places)]
    places, votes = places[present], votes[present]
    part.check_places(places, int(query.evidence.excess.shape[1] * speed))
    scores, places = evidence.measure(
        part.segment.blocks,
        part.segment.peaks,
        places,
        query.evidence.excess,
        speed,
        evidence.REFINE_STEPS + slack,
        pitch,
    )
    merits = scores + VOTES_WEIGHT * exact.log(1.0 + votes)
    order = np.argsort(-merits, kind="stable")
    order = order[: np.count_nonzero(scores > -np.inf)]
    columns = (part.locate(places), merits, scores, votes, places)
    hits: dict[int, Hit] = {}
    for row, merit, score, bits, place in zip(*(c[order].tolist() for c in columns), strict=True):
        if row not in hits:
            hits[row] = Hit(merit, score, bits, speed, part, row, place, pitch)
            if len(hits) == N_HITS:
                break
    return list(hits.values())
