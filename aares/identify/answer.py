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
import operator
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from aares.identify.ranking import Candidate, Ranking, count_once, describe, list_covariates


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
    twins : tuple of Candidate
        Other recordings with as much evidence as the match, such as a remaster.
    heard : bool
        Whether the excerpt holds anything that a recording could be known by.
    tail : float
        What `p_false` would be if the calibration's tail went on below its last excerpt: it orders
        answers, and is no probability.
    """

    match: Candidate | None
    p_false: float
    candidates: tuple[Candidate, ...]
    twins: tuple[Candidate, ...] = ()
    heard: bool = True
    tail: float = 1.0

    @property
    def reason(self) -> str:
        """Tell which of three things the index says.

        Returns
        -------
        {"match", "unknown", "nothing"}
            "nothing": the excerpt is silence, or a tone that stays: nothing to identify.

        Examples
        --------
        >>> Answer(None, 1.0, ()).reason, Answer(None, 1.0, (), heard=False).reason
        ('unknown', 'nothing')
        """
        if self.match:
            return "match"
        return "unknown" if self.heard else "nothing"

    def shift(self, seconds: float) -> Answer:
        """Return the answer with the excerpt's beginning moved.

        Parameters
        ----------
        seconds : float
            Of the excerpt; an offset moves by as much of its recording, at the candidate's speed.

        Returns
        -------
        Answer

        Examples
        --------
        The excerpt begins 2 s later, at a speed of 1.02: that is 2.04 s later in the recording.

        >>> best = Candidate("a.mp3", offset_s=10.0, score=9.1, votes=240.0, speed=1.02)
        >>> Answer(best, 1e-6, (best,)).shift(2.0).match.offset_s
        12.04
        """
        moved = tuple(
            replace(c, offset_s=round(c.offset_s + seconds * c.speed, 3)) for c in self.candidates
        )
        places = {c.song: c for c in moved}
        twins = tuple(places[c.song] for c in self.twins)
        return replace(self, match=moved[0] if self.match else None, candidates=moved, twins=twins)

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values.

        Returns
        -------
        dict
            ``match`` (name or None), ``reason``, ``offset_s``, ``score``, ``p_false``, ``speed``,
            ``pitch``, ``twins`` (names), ``candidates``.

        Examples
        --------
        >>> best = Candidate("a.mp3", offset_s=10.0, score=9.1, votes=240.0, speed=1.0)
        >>> answer = Answer(best, 1e-6, (best,)).to_dict()
        >>> json.dumps({name: answer[name] for name in ("match", "offset_s", "p_false")})
        '{"match": "a.mp3", "offset_s": 10.0, "p_false": 1e-06}'
        """
        best = self.match
        return {
            "match": best.song if best else None,
            "reason": self.reason,
            "offset_s": best.offset_s if best else None,
            "score": best.score if best else None,
            "p_false": self.p_false,
            "speed": best.speed if best else None,
            "pitch": best.pitch if best else None,
            "twins": [twin.song for twin in self.twins],
            "candidates": [asdict(candidate) for candidate in self.candidates],
        }


THRESHOLD = 5e-4  # above what the sample can carry; chosen on tracks held out of the calibration
SHARES = {"quick": 0.3, "thorough": 0.4, "speeds": 0.15, "stretched": 0.15}  # of false alarms
LEAST_RECORDINGS = 60  # the smallest index of the calibration
TWIN_SHARE = 0.8  # of the best score
LEAST_CEILING = 2.0  # own peaks that score less say nothing: silence, hum, a held tone
LEAST_SCORE = 4.0  # the best of thousands of wrong places has as much


@cache
def load_calibration() -> dict[str, Any]:
    """Read what `benchmarks/identify.py calibrate` found.

    Returns
    -------
    dict
        ``n_recordings`` of the index it was found with; ``floor``, the lowest probability that its
        excerpts can tell. For each way to search: ``weights`` of `FEATURES`; of their sum, the
        ``start`` of the tail and the logarithm of its ``scale`` (an intercept, and one for each of
        `COVARIATES`); ``rate``, the share of unknown excerpts that reach the start; ``growth``, by
        which the start grows with the logarithm of the recordings.

    Examples
    --------
    >>> set(SHARES) <= set(load_calibration()), load_calibration()["floor"] < THRESHOLD
    (True, True)
    """
    path = Path(__file__).with_name("calibration.json")
    return dict(json.loads(path.read_text(encoding="utf-8")))


def extrapolate_tail(ranking: Ranking, *, way: str) -> float:
    """Continue the calibration's tail to the best candidate, however far out it is.

    The ways share the false alarms, each by its part of `SHARES`, so the least of their tails is
    that of the whole search. In a larger index than the calibration's there are as many times more
    chances for a wrong one (the union bound); in a smaller one as many fewer as were measured.

    Parameters
    ----------
    ranking : Ranking
    way : {"quick", "thorough", "speeds", "stretched"}
        How it was found: whoever looks at more places finds better wrong ones.

    Returns
    -------
    float
        In (0, 1]: `estimate_p_false` without its floor; 1 for a score below `LEAST_SCORE`.

    References
    ----------
    Coles 2001 [1]_, section 4.2, with a scale that depends on covariates as in section 6.

    Examples
    --------
    >>> best = Candidate("a.mp3", offset_s=10.0, score=12.0, votes=400.0, speed=1.0)
    >>> ranking = Ranking([best], breadth=8.0, beside=0.0, ceiling=18.0, seconds=10.0)
    >>> few, many = (replace(ranking, n_recordings=n) for n in (10**5, 10**6))
    >>> round(extrapolate_tail(many, way="quick") / extrapolate_tail(few, way="quick"))
    10
    """
    if not ranking.candidates:
        return 1.0
    if count_once(ranking.candidates[0].score, ranking.novelty) < LEAST_SCORE:
        return 1.0
    calibration = load_calibration()
    known, inputs = calibration[way], (1.0, *list_covariates(ranking))
    total = sum(map(operator.mul, known["weights"], describe(ranking)))
    scale = math.exp(sum(map(operator.mul, known["scale"], inputs)))
    larger = math.log(max(ranking.n_recordings, LEAST_RECORDINGS) / calibration["n_recordings"])
    growth = scale if larger > 0 else min(known["growth"], scale)
    start = sum(map(operator.mul, known["start"], inputs)) + growth * larger
    if total < start:
        return 1.0
    tail: float = known["rate"] / SHARES[way] * math.exp((start - total) / scale)
    return max(min(tail, 1.0), 1e-300)


def estimate_p_false(ranking: Ranking, *, way: str) -> float:
    """Estimate the probability that a search for an unknown excerpt ends as well as this one.

    Parameters
    ----------
    ranking : Ranking
    way : {"quick", "thorough", "speeds", "stretched"}

    Returns
    -------
    float
        At most 1, and never less than the calibration's excerpts can tell: one over their number,
        where those of one track count as far as they differ.

    Examples
    --------
    >>> best = Candidate("a.mp3", offset_s=10.0, score=12.0, votes=400.0, speed=1.0)
    >>> ranking = Ranking([best], breadth=8.0, beside=0.0, ceiling=18.0, seconds=10.0)
    >>> estimate_p_false(ranking, way="quick") < 1e-3
    True
    >>> sure = replace(ranking, candidates=[replace(best, score=90.0)])
    >>> estimate_p_false(sure, way="quick") == load_calibration()["floor"]
    True
    """
    floor: float = load_calibration()["floor"]
    return max(extrapolate_tail(ranking, way=way), floor)


def choose(ranking: Ranking, *, way: str, threshold: float) -> Answer:
    """Accept the best candidate, or none.

    Parameters
    ----------
    ranking : Ranking
    way : {"quick", "thorough", "speeds", "stretched"}
        See `extrapolate_tail`.
    threshold : float
        Highest `p_false` that is accepted; below the calibration's floor, the highest `tail`.

    Returns
    -------
    Answer

    Examples
    --------
    >>> best = Candidate("a.mp3", offset_s=10.0, score=12.0, votes=400.0, speed=1.0)
    >>> ranking = Ranking([best], breadth=8.0, beside=0.0, ceiling=18.0, seconds=10.0)
    >>> choose(ranking, way="quick", threshold=THRESHOLD).match.song
    'a.mp3'
    >>> choose(ranking, way="quick", threshold=0.0).match is None
    True
    >>> choose(replace(ranking, ceiling=0.5), way="quick", threshold=THRESHOLD).reason
    'nothing'
    """
    candidates = tuple(ranking.candidates)
    heard = ranking.ceiling >= LEAST_CEILING
    tail = extrapolate_tail(ranking, way=way) if heard else 1.0
    match = candidates[0] if candidates and tail <= threshold else None
    twins = tuple(c for c in candidates[1:] if match and is_twin(c, match))
    p_false = estimate_p_false(ranking, way=way) if heard else 1.0
    return Answer(match, p_false, candidates, twins, heard, tail)


def is_twin(other: Candidate, best: Candidate) -> bool:
    """Tell whether another recording ties with the best one.

    Parameters
    ----------
    other, best : Candidate

    Returns
    -------
    bool
        Its score is within `TWIN_SHARE` of the best one's. Two wrong places differ by about 1, a
        right and a wrong one by many times that.

    Examples
    --------
    >>> best = Candidate("a.mp3", offset_s=10.0, score=12.0, votes=400.0, speed=1.0)
    >>> [is_twin(replace(best, score=score), best) for score in (11.0, 5.0)]
    [True, False]
    """
    return other.score >= TWIN_SHARE * best.score
