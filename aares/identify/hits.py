"""Places of a catalogue that may be where a query comes from.

Used by :class:`aares.identify.Index`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aares.identify import peaks, search
from aares.identify.answer import Candidate
from aares.identify.query import Query
from aares.identify.recordings import BLOCK_STEPS, Part

N_HITS = 12  # of each search: some recordings may be left out


class Hit(NamedTuple):
    """A place of the catalogue that may be where a query comes from."""

    score: float
    votes: float
    speed: float
    part: Part
    row: int
    place: int

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
        """
        step = self.place - int(self.part.starts[self.row]) * BLOCK_STEPS
        offset_s = step * peaks.STEP_LENGTH / peaks.SAMPLE_RATE_HZ
        return Candidate(
            self.song, round(offset_s, 3), self.score, self.votes, round(self.speed, 4)
        )


def measure_hits(
    part: Part, query: Query, speed: float, places: np.ndarray, votes: np.ndarray
) -> list[Hit]:
    """Return the best hits, one a recording.

    Parameters
    ----------
    part : Part
    query : Query
    speed : float
        Of the query.
    places : ndarray of int64, shape (n,)
        From `search.vote`.
    votes : ndarray of float32, shape (n,)
        Of each place.

    Returns
    -------
    list of Hit
        The best first, at most 12.
    """
    scores, places = search.measure(
        part.segment.blocks, part.segment.peaks, places, query.evidence, speed, search.REFINE_STEPS
    )
    order = np.argsort(-scores, kind="stable")
    _, first = np.unique(part.locate(places[order]), return_index=True)
    chosen = order[np.sort(first)[:N_HITS]]
    rows = part.locate(places[chosen])
    return [
        Hit(float(scores[k]), float(votes[k]), speed, part, int(row), int(places[k]))
        for k, row in zip(chosen, rows, strict=True)
        if np.isfinite(scores[k])
    ]
