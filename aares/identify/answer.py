"""From scores to an answer, and to the probability that it is false.

Used by notebook 04 through :class:`aares.identify.Index`.

A query of a recording that is not in the index has a best candidate too. `p_false` is the
probability that such a query does as well: small where a candidate stands out, from chance and from
the other candidates. It is calibrated, not assumed: `benchmarks/identify.py calibrate` asks for
thousands of excerpts that are not in an index, on tracks that no reported figure uses.

References
----------
.. [1] S. Coles, "An Introduction to Statistical Modeling of Extreme Values", 2001: section 4.2 (the
   tail above a high threshold).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Candidate:
    """A recording that an excerpt may come from.

    Parameters
    ----------
    song : str
        Name of the recording.
    offset_s : float
        Where in the recording the excerpt begins; negative if the excerpt begins earlier.
    score : float
        Evidence of the indexed peaks: 0 on average at a wrong place, with a spread of about 1.
    votes : float
        Bits of the hashes that agree on the place.
    speed : float
        Of the excerpt, 1 for the recording's own.
    """

    song: str
    offset_s: float
    score: float
    votes: float
    speed: float


@dataclass(frozen=True)
class Answer:
    """What an index says of an excerpt.

    Parameters
    ----------
    match : Candidate or None
        The recording, or None: unknown.
    p_false : float
        Probability that an excerpt of no indexed recording has a candidate like the best one.
    candidates : tuple of Candidate
        The best first, one for each recording.
    """

    match: Candidate | None
    p_false: float
    candidates: tuple[Candidate, ...]

    def shift(self, seconds: float) -> Answer:
        """Return the answer with the excerpt's beginning moved.

        Parameters
        ----------
        seconds : float
            Added to every offset.

        Returns
        -------
        Answer
        """
        moved = tuple(
            replace(c, offset_s=round(c.offset_s + seconds * c.speed, 3)) for c in self.candidates
        )
        return replace(self, match=moved[0] if self.match else None, candidates=moved)

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values.

        Returns
        -------
        dict
            ``match`` (name or None), ``offset_s``, ``score``, ``p_false``, ``speed``,
            ``candidates``.
        """
        best = self.match
        return {
            "match": best.song if best else None,
            "offset_s": best.offset_s if best else None,
            "score": best.score if best else None,
            "p_false": self.p_false,
            "speed": best.speed if best else None,
            "candidates": [asdict(candidate) for candidate in self.candidates],
        }


THRESHOLD = 5e-4  # reached by 3 of 6,000 unknown excerpts of tracks kept for such choices
FEATURES = (
    "score", "lead", "stand_out", "log_votes", "lead_votes", "lead_votes_squared", "ceiling",
    "share", "log_seconds",
)  # fmt: skip
N_RIVALS = 6
USUAL_RIVAL = (3.0, 40.0)  # score and votes of a rival where an index has too few recordings
SECONDS = (5.0, 15.0)  # a length outside this range counts as its end


def describe(candidates: Sequence[Candidate], *, ceiling: float, seconds: float) -> np.ndarray:
    """Tell how the best candidate stands out.

    Parameters
    ----------
    candidates : sequence of Candidate
        The best first, one for each recording; not empty.
    ceiling : float
        Score of the query's own peaks, see `query.Query.ceiling`.
    seconds : float
        Length of the query.

    Returns
    -------
    ndarray of float, shape (9,)
        In the order of `FEATURES`: its score; the lead over the second; over the mean of the third
        to eighth (a recording that is in the index twice has a second as good as the first); the
        logarithm of its votes; how far it lies above the third's to eighth's, also squared; the
        ceiling; the share of it that the score reaches, small where two pieces have only a figure
        in common; the logarithm of the seconds.
    """
    rows = [(c.score, c.votes) for c in candidates]
    rows += [USUAL_RIVAL] * (2 + N_RIVALS - len(rows))
    scores, votes = np.array(rows, dtype=float).T
    votes = np.log1p(votes)
    rivals = slice(2, 2 + N_RIVALS)
    lead_votes = votes[0] - votes[rivals].mean()
    return np.array(
        [
            scores[0],
            scores[0] - scores[1],
            scores[0] - scores[rivals].mean(),
            votes[0],
            lead_votes,
            lead_votes * abs(lead_votes),
            ceiling,
            scores[0] / max(ceiling, 1.0),
            math.log(min(max(seconds, SECONDS[0]), SECONDS[1])),
        ]
    )


@cache
def load_calibration() -> dict[str, Any]:
    """Read what `benchmarks/identify.py calibrate` found.

    Returns
    -------
    dict
        For each way to search, ``quick``, ``thorough`` and ``speeds``: ``weights`` of `FEATURES`;
        of their sum: ``start`` and ``scale`` of the exponential tail and ``rate``, the share of
        unknown excerpts that reach its start.
    """
    path = Path(__file__).with_name("calibration.json")
    calibration: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return calibration


def estimate_p_false(
    candidates: Sequence[Candidate], *, ceiling: float, seconds: float, way: str
) -> float:
    """Estimate the probability that the best candidate is a false match.

    Parameters
    ----------
    candidates : sequence of Candidate
        The best first, one for each recording.
    ceiling : float
        See `describe`.
    seconds : float
        See `describe`.
    way : {"quick", "thorough", "speeds"}
        How they were found: whoever looks at more places finds better wrong ones.

    Returns
    -------
    float
        In (0, 1].

    References
    ----------
    Coles 2001 [1]_, section 4.2.
    """
    if not candidates:
        return 1.0
    known = load_calibration()[way]
    total = float(np.dot(known["weights"], describe(candidates, ceiling=ceiling, seconds=seconds)))
    if total < known["start"]:
        return 1.0
    return float(max(known["rate"] * math.exp((known["start"] - total) / known["scale"]), 1e-12))


def choose(
    candidates: Sequence[Candidate], *, ceiling: float, seconds: float, way: str, threshold: float
) -> Answer:
    """Accept the best candidate, or none.

    Parameters
    ----------
    candidates : sequence of Candidate
        The best first, one for each recording.
    ceiling : float
        See `describe`.
    seconds : float
        See `describe`.
    way : {"quick", "thorough", "speeds"}
        See `estimate_p_false`.
    threshold : float
        Highest `p_false` that is accepted.

    Returns
    -------
    Answer
    """
    p_false = estimate_p_false(candidates, ceiling=ceiling, seconds=seconds, way=way)
    match = candidates[0] if candidates and p_false <= threshold else None
    return Answer(match, p_false, tuple(candidates))
